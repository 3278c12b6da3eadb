package authz_test

import (
	"errors"
	"testing"

	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
)

func init() {
	for _, action := range []string{"export", "exports", "export_show", "document", "page", "ask", "requests", "standing", "erase", "keep"} {
		matrix["personal_data."+action] = map[auth.Role]string{auth.Buyer: "*"} // and whoever signed in, see below
	}
	for _, action := range []string{"sheet", "inbox", "answer", "erasures", "periods"} {
		matrix["personal_data."+action] = map[auth.Role]string{auth.Operator: "*"}
	}
	matrix["personal_data.register"], matrix["personal_data.certificate"] = everyone, everyone
}

func TestWhoeverTakesItsDataAwayHasJustShownWhoItIs(t *testing.T) {
	t.Parallel()
	p := compile(t)
	with := func(role auth.Role, steppedUp, agent bool) auth.Principal {
		w := auth.Principal{Key: "ses_1", Subject: me, Role: role, Human: "per_1", Proof: auth.Proof{Session: true, SteppedUp: steppedUp, Desk: role != auth.Buyer, Passkey: true, Rights: auth.Sell}}
		if agent {
			w.For, w.Proof.Agent = "per_2", true
		}
		return w
	}
	for _, c := range []struct {
		name   string
		who    auth.Principal
		action string
		want   error
	}{
		{"a buyer, long ago", with(auth.Buyer, false, false), "erase", authz.ErrStepUp},
		{"a buyer, a moment ago", with(auth.Buyer, true, false), "erase", nil},
		{"a buyer, long ago", with(auth.Buyer, false, false), "document", authz.ErrStepUp},
		{"a buyer, long ago", with(auth.Buyer, false, false), "keep", nil},
		{"a seller's person at its desk", with(auth.Seller, true, false), "export", nil},
		{"a seller's person at its desk", with(auth.Seller, false, false), "requests", nil},
		{"an agent", with(auth.Seller, true, true), "export", authz.ErrDenied},
		{"an agent", with(auth.Seller, true, true), "standing", authz.ErrDenied},
		{"a seller's person", with(auth.Seller, true, false), "inbox", authz.ErrDenied},
	} {
		if _, err := p.May(c.who, "personal_data."+c.action, authz.Resource{}); !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%s to %s: %v, want %v", c.name, c.action, err, c.want)
		}
	}
}
