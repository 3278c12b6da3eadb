// Package blobconform is the contract of blob drivers: every driver passes Run.
package blobconform

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"tiwiza/pkg/blob"
)

// A Fixture is a driver over a place of its own.
type Fixture struct {
	Driver blob.Driver
	// Again opens the same place anew, as another process would.
	Again func(t *testing.T) blob.Driver
}

// Run holds a driver to the contract.
func Run(t *testing.T, open func(t *testing.T) Fixture) {
	for _, c := range []struct {
		name string
		run  func(t *testing.T, f Fixture)
	}{
		{"WhatIsPutIsGot", returns},
		{"WhatIsNotThereIsMissing", missing},
		{"PuttingTwiceIsHarmless", twice},
		{"AnotherProcessSeesIt", again},
		{"OnlyContentsOfTheirKeyGoIn", digests},
		{"NoOtherNameReachesTheDriver", names},
		{"DamageIsSeenAndMended", damage},
		{"ReadersSeeAllOrNothing", races},
		{"ManyAtOnceDoNotMix", many},
		{"ACallerWhoLeftChangesNothing", left},
		{"AReaderIsNotFlooded", limited},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.run(t, open(t))
		})
	}
}

// content is some bytes that no other test has.
func content(n int) []byte {
	b := make([]byte, n)
	r := rand.NewChaCha8([32]byte{byte(n), byte(n >> 8), byte(rand.Uint32()), byte(rand.Uint32()), byte(rand.Uint32())})
	_, _ = r.Read(b)
	return b
}

func put(t *testing.T, b *blob.Bucket, c []byte) blob.Key {
	t.Helper()
	key := blob.NewKey(c)
	if err := b.Put(t.Context(), key, c); err != nil {
		t.Fatal(err)
	}
	return key
}

func same(t *testing.T, b *blob.Bucket, key blob.Key, want []byte) {
	t.Helper()
	got, err := b.Get(t.Context(), key)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("got %d bytes and %v, want the %d that were put", len(got), err, len(want))
	}
}

func gone(t *testing.T, b *blob.Bucket, key blob.Key) {
	t.Helper()
	if _, err := b.Get(t.Context(), key); !errors.Is(err, blob.ErrMissing) {
		t.Errorf("get says %v, want %v", err, blob.ErrMissing)
	}
}

func returns(t *testing.T, f Fixture) {
	b := blob.Over(f.Driver)
	all := map[blob.Key][]byte{}
	for _, n := range []int{0, 1, 4095, 4096, 65_537, 5 << 20} {
		c := content(n)
		all[put(t, b, c)] = c
	}
	all[put(t, b, []byte("\x00\r\n\xff <?xml & \xe2\x80\xae"))] = []byte("\x00\r\n\xff <?xml & \xe2\x80\xae")
	for key, c := range all {
		same(t, b, key, c)
	}
}

func missing(t *testing.T, f Fixture) {
	b := blob.Over(f.Driver)
	key := blob.NewKey(content(10))
	gone(t, b, key)
	for range 2 {
		if err := b.Delete(t.Context(), key); err != nil {
			t.Errorf("deleting what is not there: %v", err)
		}
	}
	c := content(100)
	key = put(t, b, c)
	if err := b.Delete(t.Context(), key); err != nil {
		t.Error(err)
	}
	gone(t, b, key)
	if err := b.Put(t.Context(), key, c); err != nil {
		t.Error(err)
	}
	same(t, b, key, c)
}

func twice(t *testing.T, f Fixture) {
	b := blob.Over(f.Driver)
	c := content(9000)
	one, two := put(t, b, c), put(t, b, c)
	if one == two {
		t.Fatal("two keys of the same content are equal")
	}
	if err := b.Put(t.Context(), one, c); err != nil {
		t.Error(err)
	}
	if err := b.Delete(t.Context(), two); err != nil {
		t.Error(err)
	}
	same(t, b, one, c)
	gone(t, b, two)
}

func again(t *testing.T, f Fixture) {
	c := content(3000)
	key := put(t, blob.Over(f.Driver), c)
	other := blob.Over(f.Again(t))
	same(t, other, key, c)
	if err := other.Delete(t.Context(), key); err != nil {
		t.Error(err)
	}
	gone(t, blob.Over(f.Driver), key)
}

func digests(t *testing.T, f Fixture) {
	b := blob.Over(f.Driver)
	key := blob.NewKey([]byte("one"))
	if err := b.Put(t.Context(), key, []byte("two")); !errors.Is(err, blob.ErrKey) {
		t.Errorf("another's content is answered %v, want %v", err, blob.ErrKey)
	}
	big := make([]byte, blob.Largest+1)
	if err := b.Put(t.Context(), blob.NewKey(big), big); !errors.Is(err, blob.ErrTooLarge) {
		t.Errorf("too much is answered %v, want %v", err, blob.ErrTooLarge)
	}
	gone(t, b, key)
}

func names(t *testing.T, f Fixture) {
	b := blob.Over(f.Driver)
	c := []byte("content")
	good := blob.NewKey(c)
	for _, k := range []blob.Key{
		"", ".", "..", "/etc/passwd", "../../" + good, good + "/..", good[:80], good + "0", "A" + good[1:], good[:64] + "/" + good[65:],
		good[:64] + "\x00" + good[65:], blob.Key("unfinished/" + string(good[:70])), good + "\n", "?list-type=2",
	} {
		if err := b.Put(t.Context(), k, c); !errors.Is(err, blob.ErrKey) {
			t.Errorf("put %q: %v", k, err)
		}
		if _, err := b.Get(t.Context(), k); !errors.Is(err, blob.ErrMissing) {
			t.Errorf("get %q: %v", k, err)
		}
		if err := b.Delete(t.Context(), k); !errors.Is(err, blob.ErrKey) {
			t.Errorf("delete %q: %v", k, err)
		}
	}
}

func damage(t *testing.T, f Fixture) {
	b := blob.Over(f.Driver)
	c := content(5000)
	key := put(t, b, c)
	for _, broken := range [][]byte{c[:4999], append(slices.Clone(c), 0), content(5000), nil} {
		if err := f.Driver.Put(t.Context(), key, broken); err != nil { // past the bucket's check
			t.Fatal(err)
		}
		if got, err := b.Get(t.Context(), key); !errors.Is(err, blob.ErrDamaged) || got != nil {
			t.Errorf("%d damaged bytes: %v, want %v", len(broken), err, blob.ErrDamaged)
		}
		if err := b.Put(t.Context(), key, c); err != nil {
			t.Fatal(err)
		}
		same(t, b, key, c)
	}
}

func races(t *testing.T, f Fixture) {
	b := blob.Over(f.Driver)
	c := content(200_000)
	key := blob.NewKey(c)
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for range 8 {
				if err := b.Put(t.Context(), key, c); err != nil {
					t.Error(err)
				}
				if i == 0 {
					if err := b.Delete(t.Context(), key); err != nil {
						t.Error(err)
					}
				}
			}
		})
		wg.Go(func() {
			for range 25 {
				if _, err := b.Get(t.Context(), key); err != nil && !errors.Is(err, blob.ErrMissing) {
					t.Errorf("a reader sees %v", err)
				}
			}
		})
	}
	wg.Wait()
}

func many(t *testing.T, f Fixture) {
	b := blob.Over(f.Driver)
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			for j := range 4 {
				c := fmt.Appendf(nil, "content %d of %d", j, i)
				key := blob.NewKey(c)
				if err := b.Put(t.Context(), key, c); err != nil {
					t.Error(err)
					continue
				}
				same(t, b, key, c)
			}
		})
	}
	wg.Wait()
}

func left(t *testing.T, f Fixture) {
	b := blob.Over(f.Driver)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c := content(1000)
	key := blob.NewKey(c)
	if err := b.Put(ctx, key, c); !errors.Is(err, context.Canceled) {
		t.Errorf("put says %v", err)
	}
	gone(t, b, key)
	if err := b.Put(t.Context(), key, c); err != nil {
		t.Fatal(err)
	}
	if err := b.Delete(ctx, key); !errors.Is(err, context.Canceled) {
		t.Errorf("delete says %v", err)
	}
	if _, err := b.Get(ctx, key); !errors.Is(err, context.Canceled) {
		t.Errorf("get says %v", err)
	}
	same(t, b, key, c)
}

func limited(t *testing.T, f Fixture) {
	c := content(10_000)
	key := put(t, blob.Over(f.Driver), c)
	got, err := f.Driver.Get(t.Context(), key, 100)
	if err != nil || !bytes.Equal(got, c[:100]) {
		t.Errorf("got %d bytes and %v, want the first 100", len(got), err)
	}
}
