package members_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tiwiza/marketplace/members"
	"tiwiza/pkg/auth"
)

func TestAnOrganisationIsAdmittedStepByStep(t *testing.T) {
	t.Parallel()
	want := map[members.Move]map[members.State]members.State{
		members.Submit:         {members.Draft: members.Submitted, members.ChangesRequested: members.Submitted},
		members.Review:         {members.Submitted: members.UnderReview},
		members.Approve:        {members.Submitted: members.Active, members.UnderReview: members.Active},
		members.RequestChanges: {members.Submitted: members.ChangesRequested, members.UnderReview: members.ChangesRequested},
		members.Suspend:        {members.Active: members.Suspended},
		members.Reactivate:     {members.Suspended: members.Active},
		members.Terminate:      {members.Draft: members.Terminated, members.ChangesRequested: members.Terminated, members.Suspended: members.Terminated},
		"adopt":                {},
	}
	states := []members.State{members.Draft, members.Submitted, members.UnderReview, members.ChangesRequested, members.Active, members.Suspended, members.Terminated}
	for m, row := range want {
		for _, from := range states {
			o, err := members.Organisation{State: from, Version: 3, Note: "old"}.Do(m, "new", "somebody", time.Unix(1, 0))
			to, allowed := row[from]
			switch {
			case allowed && (err != nil || o.State != to || o.Version != 4 || o.Note != "new"):
				t.Errorf("%s from %s: %+v (%v), want %s", m, from, o, err, to)
			case !allowed && (!errors.Is(err, members.ErrState) || o.State != from || o.Version != 3):
				t.Errorf("%s from %s: %+v (%v), want it refused and unchanged", m, from, o, err)
			}
		}
	}
}

func TestOnlyActiveProducersSell(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind  members.Kind
		state members.State
		want  bool
	}{
		{members.Cooperative, members.Active, true},
		{members.Entrepreneur, members.Active, true},
		{members.Cooperative, members.Suspended, false},
		{members.Cooperative, members.Submitted, false},
		{members.Bank, members.Active, false},
		{members.Operator, members.Active, false},
	} {
		if got := (members.Organisation{Kind: c.kind, State: c.state}).Seller().Active; got != c.want {
			t.Errorf("%s %s sells: %t, want %t", c.state, c.kind, got, c.want)
		}
	}
}

func TestKindsHaveTheirRole(t *testing.T) {
	t.Parallel()
	for kind, want := range map[members.Kind]auth.Role{
		members.Cooperative: auth.Seller, members.Entrepreneur: auth.Seller, members.Bank: auth.Bank,
		members.Insurer: auth.Insurer, members.Operator: auth.Operator, members.Institution: auth.Institution, members.Provider: auth.Provider, members.EPayment: "",
	} {
		if got, ok := kind.Role(); got != want || ok != (want != "") {
			t.Errorf("%s is %q, %t; want %q", kind, got, ok, want)
		}
	}
}

func TestAnICEWithOneWrongDigitIsRefused(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64Range(0, 999999999999999/97).Draw(t, "n") * 97
		ice := fmt.Sprintf("%015d", n)
		if err := members.CheckICE(ice); err != nil {
			t.Fatalf("%s: %v", ice, err)
		}
		at, d := rapid.IntRange(0, 14).Draw(t, "at"), byte(rapid.IntRange(1, 9).Draw(t, "by"))
		b := []byte(ice)
		b[at] = '0' + (b[at]-'0'+d)%10
		if err := members.CheckICE(string(b)); err == nil {
			t.Fatalf("%s was taken, made of %s", b, ice)
		}
	})
	for _, wrong := range []string{"", "97", "00000000000009x", "0000000000000097", "٠٠٠٠٠٠٠٠٠٠٠٠٠٩٧"} {
		if members.CheckICE(wrong) == nil {
			t.Errorf("%q was taken", wrong)
		}
	}
}

func TestAChangeOfAccountHoldsPayoutsForTwoDays(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	if got := (members.Account{}).Verify("operator per_1", true, at).OpenFrom(); !got.Equal(at) {
		t.Errorf("the first account is open from %s, want %s", got, at)
	}
	a := members.Account{State: members.Pending}.Verify("operator per_1", false, at)
	if got, want := a.OpenFrom(), at.Add(48*time.Hour); !got.Equal(want) || !a.Verified() {
		t.Errorf("a later account is open from %s, want %s", got, want)
	}
}
