// Package blob keeps what people upload: each content under a key that is made
// of its own digest, so that whatever comes back is proved to be what was put.
// A Bucket is one such place, over a driver: a folder or S3-compatible storage.
package blob

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
)

// Errors of buckets. ErrUnreachable may pass; the others do not.
var (
	ErrMissing     = errors.New("blob: there is no such content")
	ErrDamaged     = errors.New("blob: the content is not what was put")
	ErrKey         = errors.New("blob: this is no key of this content")
	ErrTooLarge    = errors.New("blob: the content is larger than a bucket takes")
	ErrUnreachable = errors.New("blob: the storage cannot be reached")
)

// Largest is how many bytes one content may have.
const Largest = 32 << 20

// A Key names one content: the SHA-256 of its bytes, and a random part, so that
// a key that is being deleted is never one that is being written again.
type Key string

var keyForm = regexp.MustCompile(`^[0-9a-f]{64}-[0-9a-f]{16}$`)

// NewKey makes a key for a content.
func NewKey(content []byte) Key {
	sum := sha256.Sum256(content)
	var salt [8]byte
	_, _ = rand.Read(salt[:]) // never fails
	return Key(hex.EncodeToString(sum[:]) + "-" + hex.EncodeToString(salt[:]))
}

// Valid says whether k has the form of a key: nothing else reaches a driver.
func (k Key) Valid() bool { return keyForm.MatchString(string(k)) }

// Names says whether k is a key of these bytes.
func (k Key) Names(content []byte) bool {
	sum := sha256.Sum256(content)
	return k.Valid() && string(k[:64]) == hex.EncodeToString(sum[:])
}

// A Driver puts contents somewhere. Many goroutines and many processes use one
// place at a time. Whoever reads sees a whole content or none, also after the
// writer was killed in the middle.
type Driver interface {
	// Put keeps the content under the key once it returns nil, also when the power
	// fails then. What was under the key is replaced.
	Put(ctx context.Context, key Key, content []byte) error
	// Get reads what is under the key, at most limit bytes of it, or ErrMissing.
	Get(ctx context.Context, key Key, limit int64) ([]byte, error)
	// Delete takes the key away; one that is not there is no matter.
	Delete(ctx context.Context, key Key) error
}

// A Bucket checks what goes in and what comes out.
type Bucket struct{ driver Driver }

// Over makes a bucket of a driver; without one nothing can be reached.
func Over(d Driver) *Bucket {
	if d == nil {
		d = nowhere{}
	}
	return &Bucket{d}
}

// nowhere is what programs have that keep no files.
type nowhere struct{}

// Put keeps nothing.
func (nowhere) Put(context.Context, Key, []byte) error { return ErrUnreachable }

// Get finds nothing.
func (nowhere) Get(context.Context, Key, int64) ([]byte, error) { return nil, ErrUnreachable }

// Delete reaches nothing.
func (nowhere) Delete(context.Context, Key) error { return ErrUnreachable }

// Put keeps a content under a key of its own.
func (b *Bucket) Put(ctx context.Context, key Key, content []byte) error {
	switch {
	case len(content) > Largest:
		return ErrTooLarge
	case !key.Names(content):
		return ErrKey
	}
	if err := b.driver.Put(ctx, key, content); err != nil {
		return fmt.Errorf("put %s: %w", key, err)
	}
	return nil
}

// Get reads a content. One that is not what was put is ErrDamaged: putting it
// again mends it.
func (b *Bucket) Get(ctx context.Context, key Key) ([]byte, error) {
	if !key.Valid() {
		return nil, ErrMissing
	}
	content, err := b.driver.Get(ctx, key, Largest+1)
	switch {
	case err != nil:
		return nil, fmt.Errorf("get %s: %w", key, err)
	case !key.Names(content):
		return nil, fmt.Errorf("get %s: %w", key, ErrDamaged)
	}
	return content, nil
}

// Delete takes a content away; one that is not there is no matter.
func (b *Bucket) Delete(ctx context.Context, key Key) error {
	if !key.Valid() {
		return ErrKey
	}
	if err := b.driver.Delete(ctx, key); err != nil {
		return fmt.Errorf("delete %s: %w", key, err)
	}
	return nil
}
