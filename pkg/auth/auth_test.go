package auth_test

import (
	"errors"
	"strings"
	"testing"

	"tiwiza/pkg/auth"
)

func TestAKeyOpensOnlyItsOwnHash(t *testing.T) {
	t.Parallel()
	a, b := auth.NewKey(), auth.NewKey()
	back, err := auth.ParseKey(a.String())
	if err != nil || back != a {
		t.Fatalf("the key came back as %+v, %v", back, err)
	}
	if !back.Matches(a.Hash()) || b.Matches(a.Hash()) || back.Matches(nil) {
		t.Error("a key opens another hash, or not its own")
	}
	if strings.Contains(string(a.Hash()), a.Secret) {
		t.Error("the hash shows the secret")
	}
}

func TestBearerTakesOnlyWellFormedKeys(t *testing.T) {
	t.Parallel()
	k := auth.NewKey()
	if _, sent, err := auth.Bearer(""); sent || err != nil {
		t.Errorf("no header: sent %t, %v", sent, err)
	}
	for _, h := range []string{"Bearer " + k.String(), "bearer " + k.String()} {
		if got, sent, err := auth.Bearer(h); !sent || err != nil || got != k {
			t.Errorf("%.12s…: %+v, %t, %v", h, got, sent, err)
		}
	}
	for _, h := range []string{"Basic " + k.String(), "Bearer", "Bearer x", "Bearer " + k.ID, "Bearer " + k.ID + ".short", "Bearer org" + k.String()[3:], "Bearer " + k.String() + "x"} {
		if _, sent, err := auth.Bearer(h); !sent || !errors.Is(err, auth.ErrUnknown) && !errors.Is(err, auth.ErrMissing) {
			t.Errorf("%.20s… was taken: %t, %v", h, sent, err)
		}
	}
}

func TestNobodyIsAGuest(t *testing.T) {
	t.Parallel()
	if p := auth.From(t.Context()); p != auth.Nobody || p.Actor() != "guest" {
		t.Errorf("a context without anybody has %+v", p)
	}
	p := auth.Principal{Key: "key_1", Subject: "org_1", Role: auth.Seller}
	if got := auth.From(auth.With(t.Context(), p)); got != p || got.Actor() != "seller org_1/key_1" {
		t.Errorf("got %+v", got)
	}
}
