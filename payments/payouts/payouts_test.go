package payouts_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"tiwiza/payments/escrow"
	"tiwiza/payments/files"
	"tiwiza/payments/payouts"
)

func TestASchedulesNextTimeIsAheadAndOnItsDay(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		at := time.Unix(rapid.Int64Range(1_700_000_000, 2_200_000_000).Draw(t, "at"), 0)
		s := rapid.SampledFrom([]payouts.Schedule{payouts.Daily, payouts.Weekly, payouts.Monthly}).Draw(t, "schedule")
		next := s.Next(at)
		local := next.In(files.Morocco)
		if !next.After(at) || local.Hour() != 6 || local.Minute() != 0 {
			t.Fatalf("%s after %s is %s", s, at, local)
		}
		most := map[payouts.Schedule]time.Duration{payouts.Daily: 25 * time.Hour, payouts.Weekly: 7*24*time.Hour + time.Hour, payouts.Monthly: 31*24*time.Hour + time.Hour}[s]
		if next.Sub(at) > most {
			t.Fatalf("%s after %s is only %s", s, at, local)
		}
		if s == payouts.Weekly && local.Weekday() != time.Monday || s == payouts.Monthly && local.Day() != 1 {
			t.Fatalf("%s falls on %s", s, local)
		}
	})
	if next := payouts.Manual.Next(time.Now()); !next.IsZero() {
		t.Errorf("by hand there is no next time, and yet it is %s", next)
	}
}

func TestADraftSaysEverythingItWaitsFor(t *testing.T) {
	t.Parallel()
	at := time.Date(2027, 3, 1, 12, 0, 0, 0, time.UTC)
	p := payouts.Payout{State: payouts.Draft, Currency: "MAD", Amount: 6000, RIB: "1", NeedsTwo: true}
	limits := payouts.Limits{MemberDay: 10000, TotalDay: 10000, DebtAbove: 100}
	waits := p.WaitsFor(payouts.Standing{
		Account: payouts.Account{RIB: "2", Verified: true, Since: at.Add(-time.Hour)}, Refused: true, Unsettled: true,
		Limits: limits, MemberDay: 5000, TotalDay: 4001, Owes: 101,
	}, at)
	var codes []string
	for _, w := range waits {
		codes = append(codes, w.Code)
	}
	want := []string{"account_unverified", "account_refused", "account_cooling", "unsettled", "second_person", "debt", "member_limit", "total_limit"}
	if len(codes) != len(want) {
		t.Fatalf("waits for %v, want %v", codes, want)
	}
	for i := range want {
		if codes[i] != want[i] {
			t.Errorf("waits for %v, want %v", codes, want)
		}
	}
	if until := waits[2].Until; until == nil || !until.Equal(at.Add(47*time.Hour)) {
		t.Errorf("the account is cool at %v, want in 47 hours", until)
	}
	if until := waits[6].Until; until == nil || !until.Equal(payouts.Tomorrow(at)) {
		t.Errorf("the limit ends at %v, want %v", until, payouts.Tomorrow(at))
	}
	p.Amount = 10001
	for _, w := range p.WaitsFor(payouts.Standing{Account: payouts.Account{RIB: "1", Verified: true}, Limits: limits}, at) {
		if w.Until != nil {
			t.Errorf("more than a day's limit waits until %s; it should wait for people", w.Until)
		}
	}
	ok := payouts.Standing{Account: payouts.Account{RIB: "1", Verified: true}, Hash: []byte("h"), Limits: limits}
	p.Amount, p.ApprovedBy, p.ApprovedHash = 10000, "operator per_1", []byte("h")
	if w := p.WaitsFor(ok, at); len(w) > 0 {
		t.Errorf("nothing is in the way, and yet it waits for %v", w)
	}
	ok.Hash = []byte("other")
	if w := p.WaitsFor(ok, at); len(w) != 1 || w[0].Code != "second_person" {
		t.Errorf("approved as something else it waits for %v, want a second person", w)
	}
}

func TestTheHashStandsForAllThatIsApproved(t *testing.T) {
	t.Parallel()
	p := payouts.Payout{ID: "pay_1", Payee: payouts.Seller, Seller: "org_1", Currency: "MAD", Amount: 5, RIB: "1", Holder: "A"}
	covers := []escrow.Cover{{Release: "rel_1", Amount: 2}, {Release: "rel_2", Amount: 3}}
	seen := map[string]string{string(p.Hash(covers)): "itself"}
	for name, change := range map[string]func(p *payouts.Payout, c []escrow.Cover) []escrow.Cover{
		"another amount": func(p *payouts.Payout, c []escrow.Cover) []escrow.Cover { p.Amount++; return c },
		"another RIB":    func(p *payouts.Payout, c []escrow.Cover) []escrow.Cover { p.RIB = "2"; return c },
		"another holder": func(p *payouts.Payout, c []escrow.Cover) []escrow.Cover { p.Holder = "B"; return c },
		"another member": func(p *payouts.Payout, c []escrow.Cover) []escrow.Cover { p.Seller = "org_2"; return c },
		"less cover":     func(_ *payouts.Payout, c []escrow.Cover) []escrow.Cover { return c[:1] },
		"another cover": func(_ *payouts.Payout, c []escrow.Cover) []escrow.Cover {
			return []escrow.Cover{{Release: "rel_1", Amount: 3}, {Release: "rel_2", Amount: 2}}
		},
	} {
		q := p
		c := change(&q, covers)
		h := string(q.Hash(c))
		if was, ok := seen[h]; ok {
			t.Errorf("%s has the hash of %s", name, was)
		}
		seen[h] = name
	}
}
