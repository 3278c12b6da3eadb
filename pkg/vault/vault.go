// Package vault seals small secrets under a key that the database and its backups
// do not have.
package vault

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
)

// KeySize is how many bytes a key has.
const KeySize = 32

// A Vault seals for one purpose: AES-256 in GCM with a random nonce, bound to the
// place where the secret is kept.
type Vault struct{ aead cipher.AEAD }

// New makes a vault of a key; vaults of other purposes open nothing of each other.
func New(key []byte, purpose string) (*Vault, error) {
	if len(key) != KeySize {
		return nil, fmt.Errorf("a vault's key has %d bytes, this one has %d", KeySize, len(key))
	}
	block, err := aes.NewCipher(Derive(key, purpose))
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	return &Vault{aead}, err
}

// Derive is a key of a key, for one purpose.
func Derive(key []byte, purpose string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(purpose))
	return h.Sum(nil)
}

// Seal seals a secret that is kept at a place.
func (v *Vault) Seal(place, secret string) []byte {
	nonce := make([]byte, v.aead.NonceSize())
	_, _ = rand.Read(nonce) // never fails
	return v.aead.Seal(nonce, nonce, []byte(secret), []byte(place))
}

// Open opens what was sealed for a place. What was moved there from another, or
// altered, is an error.
func (v *Vault) Open(place string, sealed []byte) (string, error) {
	n := v.aead.NonceSize()
	if len(sealed) < n {
		return "", fmt.Errorf("open what was sealed for %s: it is cut off", place)
	}
	b, err := v.aead.Open(nil, sealed[:n], sealed[n:], []byte(place))
	if err != nil {
		return "", fmt.Errorf("open what was sealed for %s: %w", place, err)
	}
	return string(b), nil
}
