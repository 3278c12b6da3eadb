package escrow_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tiwiza/payments/escrow"
	"tiwiza/payments/ledger"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/money"
)

// funded is a hold of 100.00 with delivery by a carrier.
func funded() escrow.Hold {
	legs := escrow.Legs{Seller: 7000, Reserve: 500, Commission: 400, VAT: 100, Carrier: 2000}
	return escrow.Hold{Amount: 10000, Legs: legs, State: escrow.Funded, Currency: money.MAD, Carrier: "k"}
}

// said is the text of a refusal, with the pointers of its details.
func said(err error) string {
	f, ok := errors.AsType[*fault.Error](err)
	if !ok {
		return ""
	}
	out := f.Text
	for _, d := range f.Details {
		out += " | " + d.Pointer + " " + d.Detail
	}
	return out
}

// A refund before release takes what is held and never the carrier's leg once
// the goods are on their way; its refusals say how much there is.
func TestWhatIsHeldIsTheMostThatGoesBackBeforeRelease(t *testing.T) {
	t.Parallel()
	shipped := func(h escrow.Hold) escrow.Hold { h.ShippedAt = &time.Time{}; return h }
	own := func(h escrow.Hold) escrow.Hold { h.Carrier = ""; return h }
	gone := func(h escrow.Hold) escrow.Hold { h.Refunded, h.Cancelled = h.Amount, h.Legs; return h }
	ended := func(h escrow.Hold) escrow.Hold { h.State = escrow.Released; return h }
	for name, c := range map[string]struct {
		h      escrow.Hold
		amount int64
		want   error
		says   string
	}{
		"one centime":                      {funded(), 1, nil, ""},
		"all of it":                        {funded(), 10000, nil, ""},
		"a centime too many":               {funded(), 10001, escrow.ErrAmount, "at most 100.00"},
		"nothing":                          {funded(), 0, escrow.ErrAmount, "above zero"},
		"shipped, the goods":               {shipped(funded()), 8000, nil, ""},
		"shipped, a centime of delivery":   {shipped(funded()), 8001, escrow.ErrAmount, "only 80.00 MAD can go back. | /amount less the carrier's fee"},
		"shipped by the seller, all of it": {own(shipped(funded())), 10000, nil, ""},
		"all on its way":                   {gone(funded()), 1, escrow.ErrState, "100.00 MAD went back"},
		"ended":                            {ended(funded()), 1, escrow.ErrState, "This escrow is released"},
	} {
		err := c.h.HeldOnly(c.amount)
		if !errors.Is(err, c.want) || !strings.Contains(said(err), c.says) {
			t.Errorf("%s: %v (%s), want %v with %q", name, err, said(err), c.want, c.says)
		}
	}
}

func TestARulingIsOfAllThatIsHeldAndOfItsOwnCase(t *testing.T) {
	t.Parallel()
	frozen := func(cases ...string) escrow.Hold {
		h := funded()
		h.Cases, h.Released, h.Gone = cases, 1000, escrow.Legs{Seller: 1000}
		return h
	}
	cash := frozen("dsp_1")
	cash.Cash = true
	remitted := cash
	remitted.Settled = true
	closed := frozen("dsp_1")
	closed.State = escrow.Released
	empty := frozen("dsp_1")
	empty.Refunded = 9000
	for name, c := range map[string]struct {
		h             escrow.Hold
		back, release int64
		want          error
	}{
		"half and half":        {frozen("dsp_1"), 4500, 4500, nil},
		"all back":             {frozen("dsp_1"), 9000, 0, nil},
		"all released":         {frozen("dsp_1"), 0, 9000, nil},
		"a centime too few":    {frozen("dsp_1"), 4500, 4499, escrow.ErrShares},
		"a centime too many":   {frozen("dsp_1"), 4500, 4501, escrow.ErrShares},
		"less than nothing":    {frozen("dsp_1"), -1, 9001, escrow.ErrShares},
		"nor the other way":    {frozen("dsp_1"), 9001, -1, escrow.ErrShares},
		"of nothing":           {empty, 0, 0, escrow.ErrShares},
		"no case":              {frozen(), 4500, 4500, escrow.ErrCase},
		"another case":         {frozen("dsp_2"), 4500, 4500, escrow.ErrCase},
		"two cases":            {frozen("dsp_1", "cbk_1"), 4500, 4500, escrow.ErrFrozen},
		"cash not remitted":    {cash, 4500, 4500, escrow.ErrCash},
		"cash once remitted":   {remitted, 4500, 4500, nil},
		"an escrow that ended": {closed, 4500, 4500, escrow.ErrState},
	} {
		if err := c.h.Ruled(escrow.Ruling{Case: "dsp_1", Back: c.back, Release: c.release}); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

// What the machine's table says of states and cases is what the code does, move
// by move, and whatever is refused says which state or case is in the way.
func TestEachMoveStartsWhereItsRuleSays(t *testing.T) {
	t.Parallel()
	for _, r := range escrow.Machine {
		for _, s := range []escrow.State{escrow.Awaiting, escrow.Authorized, escrow.Funded, escrow.Released, escrow.Closed, escrow.Expired, escrow.Voided, escrow.Refunded} {
			h := funded()
			h.State = s
			err := h.May(r.Move)
			if may := slices.Contains(r.From, s); may != (err == nil) || !may && !errors.Is(err, escrow.ErrState) {
				t.Errorf("%s of a %s escrow: %v, its rule starts from %v", r.Move, s, err, r.From)
			}
			if err != nil && !strings.Contains(said(err), "| /state "+string(s)) {
				t.Errorf("%s of a %s escrow says %q, not the state that won", r.Move, s, said(err))
			}
			h.Cases = []string{"dsp_1", "cbk_1"}
			if err := h.May(r.Move); slices.Contains(r.From, s) && r.Calm != errors.Is(err, escrow.ErrFrozen) {
				t.Errorf("%s of a %s escrow with a case: %v; calm is %t", r.Move, s, err, r.Calm)
			} else if r.Calm && err != nil && errors.Is(err, escrow.ErrFrozen) && !strings.Contains(said(err), "dsp_1, cbk_1") {
				t.Errorf("%s says %q, not which cases", r.Move, said(err))
			}
		}
	}
	h := funded()
	h.State = escrow.Expired
	for m, want := range map[escrow.Move]string{
		escrow.MoveDeliver: "it must be funded.", escrow.MoveShip: "it must be awaiting, funded or released.", escrow.MoveFreeze: "it must be funded, released, refunded or closed.",
	} {
		if got := said(h.May(m)); !strings.Contains(got, want) {
			t.Errorf("%s says %q, want %q in it", m, got, want)
		}
	}
}

func TestPartsAreTakenInTheirOrder(t *testing.T) {
	t.Parallel()
	parts := []escrow.Part{{ID: "a", Amount: 3}, {ID: "b"}, {ID: "c", Amount: 5}, {ID: "d", Amount: 7}}
	for amount, want := range map[int64][]escrow.Part{
		0: nil, 2: {{ID: "a", Amount: 2}}, 3: {{ID: "a", Amount: 3}}, 4: {{ID: "a", Amount: 3}, {ID: "c", Amount: 1}},
		100: {{ID: "a", Amount: 3}, {ID: "c", Amount: 5}, {ID: "d", Amount: 7}},
	} {
		if diff := cmp.Diff(want, escrow.Pick(amount, parts)); diff != "" {
			t.Errorf("%d is taken otherwise: %s", amount, diff)
		}
	}
}

// Legs of one account on one side become one; a debit and a credit of one
// account stay two, and no account's sum changes.
func TestMergingLegsChangesNoSum(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		tr := ledger.Transfer{}
		debit, credit := map[string]int64{}, map[string]int64{}
		for range rapid.IntRange(0, 12).Draw(t, "legs") {
			l := ledger.Leg{Account: rapid.SampledFrom([]string{"fees", "loss", "escrow:a"}).Draw(t, "account"), Amount: rapid.Int64Range(-9, 9).Draw(t, "amount")}
			if l.Amount == 0 {
				continue
			}
			tr.Legs = append(tr.Legs, l)
			if l.Amount > 0 {
				debit[l.Account] += l.Amount
			} else {
				credit[l.Account] += l.Amount
			}
		}
		got := escrow.Merge(tr).Legs
		if len(got) != len(debit)+len(credit) {
			t.Fatalf("%d legs, want %d: %+v", len(got), len(debit)+len(credit), got)
		}
		for _, l := range got {
			if l.Amount > 0 && l.Amount != debit[l.Account] || l.Amount < 0 && l.Amount != credit[l.Account] {
				t.Fatalf("%s has %d, want %d and %d", l.Account, l.Amount, debit[l.Account], credit[l.Account])
			}
		}
	})
}

func TestWhatWentBackIsWhatIsOnItsWayToo(t *testing.T) {
	t.Parallel()
	h := funded()
	h.Refunded, h.Recovered = 300, 40
	if h.Returned() != 340 {
		t.Errorf("%d went back, want 340", h.Returned())
	}
	for s, want := range map[escrow.State]int64{escrow.Awaiting: 0, escrow.Expired: 0, escrow.Voided: 0, escrow.Funded: 9660, escrow.Released: 9660, escrow.Closed: 9660} {
		if h.State = s; h.Claim() != want {
			t.Errorf("the claim on a %s escrow is %d, want %d", s, h.Claim(), want)
		}
	}
}

func TestAShareIsTheSellersWithItsOwnDelivery(t *testing.T) {
	t.Parallel()
	h, part := funded(), escrow.Legs{Seller: 70, Reserve: 5, Carrier: 20}
	if got := h.Share(part); got != 70 {
		t.Errorf("with a carrier the seller's share is %d, want 70", got)
	}
	h.Carrier = ""
	if got := h.Share(part); got != 90 {
		t.Errorf("with its own delivery the seller's share is %d, want 90", got)
	}
}

// What the market adds comes with what is released, as long as some can be; what
// is undone of it is in proportion, and nothing when there is nothing to divide by.
func TestABonusComesWhileMoneyCanBeReleased(t *testing.T) {
	t.Parallel()
	for state, want := range map[escrow.State]int64{
		escrow.Awaiting: 600, escrow.Authorized: 600, escrow.Funded: 600, escrow.Released: 0, escrow.Refunded: 0, escrow.Voided: 0,
	} {
		h := funded()
		h.Bonus, h.BonusGiven, h.BonusBack, h.State = 1000, 400, 100, state
		if has, comes := h.Bonuses(); has != 300 || comes != want {
			t.Errorf("%s: the seller has %d, and %d comes, want 300 and %d", state, has, comes, want)
		}
	}
	h := funded()
	h.Bonus, h.BonusBack = 1000, 50
	if n := h.BonusUndone(); n != 0 {
		t.Errorf("nothing was returned, and %d of the bonus is undone", n)
	}
	h.Refunded, h.Clawed = 1000, 3000
	if n := h.BonusUndone(); n != 12 { // a quarter of 50, rounded down
		t.Errorf("%d of the bonus is undone by refunds, want 12", n)
	}
	h = escrow.Hold{Bonus: 1000, State: escrow.Funded, Legs: escrow.Legs{Carrier: 2000}}
	if _, comes := h.Bonuses(); comes != 0 {
		t.Errorf("an order without goods has %d of the bonus to come", comes)
	}
}
