package digital_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tiwiza/marketplace/digital"
)

func vault(t interface{ Fatal(...any) }, key byte) *digital.Vault {
	v, err := digital.NewVault(bytes.Repeat([]byte{key}, digital.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// A code comes back from the vault it was put in, for the article it was put in
// for, and from no other; equal codes look different and have equal marks.
func TestACodeOpensInItsOwnVaultForItsOwnArticle(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		mine, other := vault(t, 1), vault(t, 2)
		code := rapid.StringMatching(`.{1,40}`).Draw(t, "code")
		sealed, mark := mine.Put("var_a", code)
		again, marked := mine.Put("var_a", code)
		if got, err := mine.Look("var_a", sealed); err != nil || got != code {
			t.Fatalf("%q came back as %q, %v", code, got, err)
		}
		if bytes.Equal(sealed, again) || !bytes.Equal(mark, marked) || len(code) > 5 && bytes.Contains(sealed, []byte(code)) {
			t.Fatalf("%q is sealed as %x and %x, marked %x and %x", code, sealed, again, mark, marked)
		}
		if _, elsewhere := mine.Put("var_b", code); bytes.Equal(mark, elsewhere) {
			t.Fatal("a mark tells that two articles have the same code")
		}
		sealed[rapid.IntRange(0, len(sealed)-1).Draw(t, "byte")] ^= 1
		for _, fails := range []func() (string, error){
			func() (string, error) { return mine.Look("var_a", sealed) },
			func() (string, error) { return mine.Look("var_b", again) },
			func() (string, error) { return other.Look("var_a", again) },
			func() (string, error) { return mine.Look("var_a", again[:5]) },
		} {
			if got, err := fails(); err == nil {
				t.Fatalf("what was spoilt opens as %q", got)
			}
		}
	})
	if _, err := digital.NewVault([]byte("short")); err == nil {
		t.Error("a short key makes a vault")
	}
}

func TestWhatIsGrantedOpensOnceUntilItIsOverOrClosed(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	g := digital.Grant{GrantedAt: at, Until: at.Add(digital.Access)}
	if err := g.Fetch(at); !errors.Is(err, digital.ErrUnopened) {
		t.Errorf("unopened: %v", err)
	}
	opened, err := g.Open(at.Add(time.Hour))
	if err != nil || !opened.OpenedAt.Equal(at.Add(time.Hour)) || opened.Fetch(at.Add(2*time.Hour)) != nil {
		t.Errorf("opened: %+v, %v", opened, err)
	}
	if again, err := opened.Open(at.Add(3 * time.Hour)); err != nil || !again.OpenedAt.Equal(*opened.OpenedAt) {
		t.Errorf("opened again: %+v, %v", again, err)
	}
	closed := opened
	closed.ClosedAt = &at
	for name, c := range map[string]struct {
		g  digital.Grant
		at time.Time
	}{"over": {g, g.Until}, "opened and over": {opened, g.Until}, "closed": {closed, at}} {
		if _, err := c.g.Open(c.at); !errors.Is(err, digital.ErrOver) {
			t.Errorf("%s: opens with %v", name, err)
		}
		if err := c.g.Fetch(c.at); !errors.Is(err, digital.ErrOver) {
			t.Errorf("%s: is fetched with %v", name, err)
		}
	}
}
