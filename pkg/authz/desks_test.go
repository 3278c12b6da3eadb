package authz_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
)

// At a desk everyone does what its rights are for, and a program what its
// organisation may.
func TestADeskIsNotOneRightForAll(t *testing.T) {
	t.Parallel()
	p := compile(t)
	for action, may := range map[string]string{
		"imports.again":        "manager member",
		"digital.add_ware":     "manager member",
		"digital.void_codes":   "manager member",
		"webhooks.create":      "manager",
		"webhooks.rotate":      "manager",
		"webhooks.deliveries":  "manager",
		"shipments.link":       "manager member courier",
		"insurance.ask":        "manager member treasurer",
		"organisations.submit": "manager member",
		"organisations.amend":  "manager member",
		"papers.hand_in":       "manager member",
	} {
		for _, template := range []string{"manager", "member", "treasurer", "courier", "agent"} {
			who := atDesk(auth.Seller, template)
			who.Proof.SteppedUp, who.Proof.Passkey = true, true
			_, err := p.May(who, action, authz.Resource{})
			if want := slices.Contains(strings.Fields(may), template); (err == nil) != want || !want && !errors.Is(err, authz.ErrDenied) {
				t.Errorf("%s to %s: %v, want it allowed: %t", template, action, err, want)
			}
		}
		if _, err := p.May(auth.Principal{Role: auth.Seller, Subject: me}, action, authz.Resource{}); err != nil {
			t.Errorf("its program to %s: %v", action, err)
		}
	}
}
