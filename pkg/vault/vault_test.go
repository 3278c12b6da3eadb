package vault_test

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"

	"tiwiza/pkg/vault"
)

func TestWhatIsSealedOpensAtItsPlaceAlone(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		key := bytes.Repeat([]byte{byte(rapid.IntRange(0, 255).Draw(r, "key"))}, vault.KeySize)
		v, err := vault.New(key, "papers")
		if err != nil {
			r.Fatal(err)
		}
		other, err := vault.New(key, "codes")
		if err != nil {
			r.Fatal(err)
		}
		secret := rapid.String().Draw(r, "secret")
		sealed := v.Seal("a", secret)
		if got, err := v.Open("a", sealed); err != nil || got != secret {
			t.Fatalf("opened %q (%v), want %q", got, err, secret)
		}
		if bytes.Equal(sealed, v.Seal("a", secret)) {
			t.Fatal("the same secret is sealed the same twice")
		}
		spoilt := bytes.Clone(sealed)
		spoilt[rapid.IntRange(0, len(spoilt)-1).Draw(r, "at")] ^= 1
		for what, err := range map[string]error{
			"at another place":    second(v.Open("b", sealed)),
			"by another purpose":  second(other.Open("a", sealed)),
			"altered":             second(v.Open("a", spoilt)),
			"cut off":             second(v.Open("a", sealed[:8])),
			"without its last":    second(v.Open("a", sealed[:len(sealed)-1])),
			"with one sign more":  second(v.Open("a", append(bytes.Clone(sealed), 0))),
			"of a shorter secret": second(v.Open("a", nil)),
		} {
			if err == nil {
				t.Fatalf("it opened %s", what)
			}
		}
	})
}

func second(_ string, err error) error { return err }

func TestAKeyHas32Bytes(t *testing.T) {
	t.Parallel()
	if _, err := vault.New(make([]byte, 16), "x"); err == nil {
		t.Error("a short key was taken")
	}
}
