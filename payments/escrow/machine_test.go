package escrow_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"tiwiza/payments/escrow"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
)

func TestThePageIsWhatTheMachineSays(t *testing.T) {
	t.Parallel()
	got, err := os.ReadFile("../../docs/escrow.md")
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != escrow.Document() {
		t.Error("docs/escrow.md is not what the machine says; run: make escrow")
	}
}

// Whoever the machine lets move an escrow over the interface may, and nobody
// else: cell by cell, for one's own order and for another's.
func TestPoliciesAreTheMachines(t *testing.T) {
	t.Parallel()
	policies, err := authz.New()
	if err != nil {
		t.Fatal(err)
	}
	grants := escrow.Grants()
	if len(grants) == 0 {
		t.Fatal("the machine names no action")
	}
	for action, may := range grants {
		if !slices.Contains(policies.Actions(), action) {
			t.Errorf("no policy speaks of %s", action)
		}
		for _, role := range []auth.Role{auth.Guest, auth.Buyer, auth.Seller, auth.Operator, auth.Bank, auth.Insurer, auth.System} {
			p := auth.Principal{Subject: "me", Role: role}
			_, err := policies.May(p, action, authz.Resource{Seller: "me", Buyer: "me"})
			if want := slices.Contains(may, role); want != (err == nil) {
				t.Errorf("%s to %s an own order's: %v, the machine says %t", role, action, err, want)
			}
			_, err = policies.May(p, action, authz.Resource{Seller: "other", Buyer: "other"})
			if want := role == auth.Operator && slices.Contains(may, role); want != (err == nil) {
				t.Errorf("%s to %s another's: %v, want %t", role, action, err, want)
			}
		}
	}
}

func TestTheMachineHangsTogether(t *testing.T) {
	t.Parallel()
	states := []escrow.State{escrow.Awaiting, escrow.Authorized, escrow.Funded, escrow.Released, escrow.Closed, escrow.Expired, escrow.Voided, escrow.Refunded}
	reached := map[escrow.State]bool{}
	seen := map[escrow.Move]bool{}
	for _, r := range escrow.Machine {
		if seen[r.Move] {
			t.Errorf("there are two moves %q", r.Move)
		}
		seen[r.Move] = true
		if len(r.Ways) == 0 || r.Guard == "" {
			t.Errorf("%s: nobody may, or nothing guards it", r.Move)
		}
		for _, s := range slices.Concat(r.From, r.To) {
			if !slices.Contains(states, s) {
				t.Errorf("%s: there is no state %q", r.Move, s)
			}
		}
		for _, s := range r.To {
			reached[s] = true
		}
		if slices.Contains(r.To, escrow.Closed) && slices.Contains(r.From, escrow.Funded) {
			t.Errorf("%s closes an escrow that may hold money", r.Move)
		}
		for _, s := range r.From {
			if s == escrow.Closed && len(r.To) > 0 && r.Move != escrow.MoveArrive && r.Move != escrow.MoveLose && r.Move != escrow.MoveUndo {
				t.Errorf("%s leads out of closed", r.Move)
			}
		}
	}
	for _, s := range states {
		if !reached[s] {
			t.Errorf("nothing leads to %s", s)
		}
	}
}

// A timer never lets money go but by the wait after delivery, and never over
// the head of an open case.
func TestOnlyTheWaitLetsMoneyGoByItself(t *testing.T) {
	t.Parallel()
	for _, r := range escrow.Machine {
		byTimer := slices.ContainsFunc(r.Ways, func(w escrow.Way) bool { return w.Who == escrow.Timer })
		pays := slices.ContainsFunc(r.Post, func(p escrow.Posting) bool { return strings.Contains(p.Credit, "seller:available") })
		if byTimer && pays && !r.Calm && r.Move != escrow.MoveRule { // a ruling by the timer gives the buyer all
			t.Errorf("%s pays sellers by a timer while a case is open", r.Move)
		}
	}
}
