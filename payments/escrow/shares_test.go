package escrow_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tiwiza/payments/escrow"
	"tiwiza/pkg/money"
)

// anyHold draws an escrow in the middle of its life: something was released,
// something went back of what was held and of what was released.
func anyHold(t *rapid.T) escrow.Hold {
	n := rapid.SliceOfN(rapid.Int64Range(0, 1e6), 5, 5).Draw(t, "legs")
	n[0]++
	legs := escrow.Legs{Seller: n[0], Reserve: n[1], Commission: n[2], VAT: n[3], Carrier: n[4]}
	h := escrow.Hold{Amount: legs.Total(), Legs: legs, State: escrow.Funded, Currency: money.MAD, Carrier: rapid.SampledFrom([]string{"", "k"}).Draw(t, "carrier")}
	if rapid.Bool().Draw(t, "the market adds") {
		h.Bonus = rapid.Int64Range(1, 1e12).Draw(t, "bonus")
	}
	for range rapid.IntRange(0, 6).Draw(t, "past") {
		if h.State == escrow.Funded && h.Held() > 0 && rapid.Bool().Draw(t, "release") {
			next, _, err := h.Release(rapid.Int64Range(1, h.Held()).Draw(t, "amount"))
			if err != nil {
				t.Fatal(err)
			}
			h = next
			continue
		}
		if h.Claim() == 0 {
			break
		}
		if rapid.Bool().Draw(t, "shipped") && h.ShippedAt == nil {
			h.ShippedAt = &time.Time{}
		}
		c, err := h.Cut(rapid.Int64Range(1, h.Claim()).Draw(t, "back"), rapid.Bool().Draw(t, "with delivery"))
		if err != nil {
			t.Fatal(err)
		}
		if rapid.Bool().Draw(t, "chargeback") {
			h = h.Lose(c)
		} else {
			h = h.Refund(c)
		}
	}
	return h
}

func whole(h escrow.Hold) error {
	left := h.Legs.Minus(h.Gone).Minus(h.Cancelled)
	back := h.Gone.Minus(h.Taken)
	switch {
	case min(left.Seller, left.Reserve, left.Commission, left.VAT, left.Carrier) < 0:
		return fmt.Errorf("a leg gave more than it has: %+v", left)
	case min(back.Seller, back.Reserve, back.Commission, back.VAT) < 0 || h.Legs.Carrier-h.Cancelled.Carrier-h.Taken.Carrier < 0:
		return fmt.Errorf("more was taken back than was released: %+v", back)
	case h.Gone.Total() != h.Released || h.Cancelled.Total() != h.Refunded+h.Charged || h.Taken.Total() != h.Recovered+h.Clawed:
		return fmt.Errorf("the legs do not make the amounts: %+v", h)
	case left.Total() != h.Amount-h.Released-h.Refunded-h.Charged:
		return fmt.Errorf("the legs that are left do not make what is held")
	case h.Refunded+h.Charged+h.Recovered+h.Clawed > h.Amount:
		return fmt.Errorf("more went back than was captured")
	}
	return added(h)
}

// Whatever goes back is shared to the centime; nothing gives more than it has;
// the carrier's leg stays whole once the goods are shipped; what is held goes
// first.
func TestWhatGoesBackIsSharedExactly(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		h := anyHold(t)
		if err := whole(h); err != nil {
			t.Fatal(err)
		}
		if _, err := h.Cut(h.Claim()+1, true); err == nil {
			t.Fatalf("more than the claim of %d went back", h.Claim())
		}
		if h.Claim() == 0 {
			return
		}
		amount := rapid.Int64Range(1, h.Claim()).Draw(t, "amount")
		c, err := h.Cut(amount, rapid.Bool().Draw(t, "delivery"))
		if err != nil || c.Total() != amount {
			t.Fatalf("%d is shared as %+v (%v)", amount, c, err)
		}
		shipped := h.ShippedAt != nil && h.Carrier != ""
		if shipped && c.Held.Carrier > 0 {
			t.Fatalf("the carrier's leg was reduced by %d after shipping", c.Held.Carrier)
		}
		free := h.Held()
		if left := h.Legs.Minus(h.Gone).Minus(h.Cancelled); shipped && h.State == escrow.Funded {
			free -= left.Carrier
		}
		if c.Gone.Total() > 0 && c.Held.Total() != free {
			t.Fatalf("%d was taken back while %d of %d was held", c.Gone.Total(), free-c.Held.Total(), free)
		}
		if err := whole(h.Refund(c)); err != nil {
			t.Fatalf("after a refund of %d: %v", amount, err)
		}
		if err := whole(h.Lose(c)); err != nil {
			t.Fatalf("after a chargeback of %d: %v", amount, err)
		}
		if back := h.Refund(c).Undo(c); back.Refunded != h.Refunded || back.Recovered != h.Recovered || back.Cancelled != h.Cancelled || back.Taken != h.Taken || back.BonusBack != h.BonusBack {
			t.Fatalf("undone it is %+v, was %+v", back, h)
		}
	})
}

func anyPurse(t *rapid.T) escrow.Purse {
	p := escrow.Purse{Available: rapid.Int64Range(0, 1e6).Draw(t, "available")}
	for i := range rapid.IntRange(0, 4).Draw(t, "lots") {
		p.Lots = append(p.Lots, escrow.Lot{ID: fmt.Sprint(i), Left: rapid.Int64Range(0, 1e5).Draw(t, "lot")})
	}
	return p
}

// The seller's money goes in its order, nothing twice and nothing that is not
// there; and with the top-up what clients are owed never grows more than what
// lies there for them.
func TestTheWaterfallGoesInItsOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		h, purse := anyHold(t), anyPurse(t)
		if h.Claim() == 0 {
			return
		}
		c, err := h.Cut(rapid.Int64Range(1, h.Claim()).Draw(t, "amount"), rapid.Bool().Draw(t, "delivery"))
		if err != nil {
			t.Fatal(err)
		}
		b := escrow.Bearing{Delivery: rapid.Bool().Draw(t, "goodwill"), All: rapid.Bool().Draw(t, "ours")}
		s := h.Bear(c, purse, b)
		if s.Total() != c.Gone.Total() {
			t.Fatalf("%d is borne by %+v, which makes %d", c.Gone.Total(), s, s.Total())
		}
		if min(s.Available, s.Receivable, s.Fees, s.VAT, s.Loss, s.Carrier) < 0 || s.Available > purse.Available {
			t.Fatalf("more was taken than there is: %+v of %+v", s, purse)
		}
		var lots int64
		for _, l := range purse.Lots {
			lots += l.Left
		}
		if s.Available > 0 && s.Reserve() != lots || s.Receivable > 0 && s.Available != purse.Available {
			t.Fatalf("the order was not kept: %+v of %+v", s, purse)
		}
		if s.Bonus != c.Bonus {
			t.Fatalf("the market has %d back, want %d", s.Bonus, c.Bonus)
		}
		if b.All && s.Loss != c.Gone.Total()+c.Bonus || !b.All && (s.Fees != c.Gone.Commission || s.VAT != c.Gone.VAT) {
			t.Fatalf("commission and VAT are not given back as they were taken: %+v of %+v", s, c.Gone)
		}
		// A refund books escrow, reserve, available and a carrier's fee out of what clients are
		// owed, and the refund into it; the top-up comes in on the other side.
		owed := c.Total() - c.Held.Total() - s.Reserve() - s.Available - s.Carrier
		if owed != s.TopUp() {
			t.Fatalf("clients are owed %d more, and %d comes in for them", owed, s.TopUp())
		}
	})
}

func TestTheExampleOfTheBooksAfterRelease(t *testing.T) {
	t.Parallel()
	legs := escrow.Legs{Seller: 4860, Reserve: 540, Commission: 500, VAT: 100, Carrier: 1500}
	left := time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)
	h := escrow.Hold{Amount: 7500, Released: 7500, Legs: legs, Gone: legs, State: escrow.Released, Carrier: "k", Currency: money.MAD, ShippedAt: &left}
	purse := escrow.Purse{Lots: []escrow.Lot{{ID: "own", Left: 540}}, Available: 1000}
	for _, c := range []struct {
		amount   int64
		delivery bool
		b        escrow.Bearing
		want     escrow.Source
	}{
		{6000, false, escrow.Bearing{}, escrow.Source{Available: 1000, Receivable: 3860, Fees: 500, VAT: 100}},
		{7500, true, escrow.Bearing{}, escrow.Source{Available: 1000, Receivable: 5360, Fees: 500, VAT: 100}},
		{7500, true, escrow.Bearing{Delivery: true}, escrow.Source{Available: 1000, Receivable: 3860, Fees: 500, VAT: 100, Loss: 1500}},
		{3000, false, escrow.Bearing{}, escrow.Source{Available: 1000, Receivable: 1160, Fees: 250, VAT: 50}},
		{7500, true, escrow.Bearing{All: true}, escrow.Source{Loss: 7500}},
	} {
		cut, err := h.Cut(c.amount, c.delivery)
		if err != nil {
			t.Fatal(err)
		}
		got := h.Bear(cut, purse, c.b)
		if !c.b.All && got.Reserve() != 540 {
			t.Errorf("a refund of %d takes %d of the reserve, want all 540", c.amount, got.Reserve())
		}
		got.Lots = nil
		if fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("a refund of %d comes from %+v, want %+v", c.amount, got, c.want)
		}
	}
}

func TestHalfOfAShareAtMostPaysDebts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ share, owed, want int64 }{{100, 0, 0}, {100, 30, 30}, {100, 80, 50}, {101, 80, 50}, {1, 5, 0}, {0, 5, 0}, {10, -1, 0}} {
		if got := escrow.Recovery(c.share, c.owed); got != c.want {
			t.Errorf("of a share of %d, %d pay a debt of %d, want %d", c.share, got, c.owed, c.want)
		}
	}
}

func TestAChargebackIsSharedOverItsEscrows(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var holds []escrow.Hold
		var claims int64
		for range rapid.IntRange(1, 5).Draw(t, "escrows") {
			h := anyHold(t)
			holds, claims = append(holds, h), claims+h.Claim()
		}
		amount := rapid.Int64Range(1, 2*claims+1).Draw(t, "amount")
		stakes, excess := escrow.Shares(amount, holds)
		sum := excess
		for _, s := range stakes {
			sum += s.Amount
			if s.Amount <= 0 || s.Amount > s.Hold.Claim() {
				t.Fatalf("a stake of %d in an escrow with a claim of %d", s.Amount, s.Hold.Claim())
			}
		}
		if sum != amount || excess != max(0, amount-claims) {
			t.Fatalf("a chargeback of %d makes stakes and an excess of %d, together %d", amount, excess, sum)
		}
	})
}

func TestCashIsSharedAsTheWholeWas(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.SliceOfN(rapid.Int64Range(0, 1e6), 5, 5).Draw(t, "legs")
		n[0]++
		legs := escrow.Legs{Seller: n[0], Reserve: n[1], Commission: n[2], VAT: n[3], Carrier: n[4]}
		h := escrow.Hold{Amount: legs.Total(), Legs: legs, State: escrow.Awaiting, Currency: money.MAD, Carrier: "k"}
		cash := rapid.Int64Range(1, h.Amount).Draw(t, "cash")
		fee := rapid.Int64Range(0, min(cash, n[4])).Draw(t, "fee")
		got, err := h.Collect(cash, fee, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		if got.Amount != cash || got.Legs.Total() != cash || got.Released != fee || got.Gone.Carrier != fee || whole(got) != nil {
			t.Fatalf("%d with a fee of %d became %+v", cash, fee, got)
		}
		if cash == h.Amount && fee == n[4] && got.Legs != legs {
			t.Fatalf("all of it was collected, and is shared %+v instead of %+v", got.Legs, legs)
		}
		if _, _, err := got.Release(1); got.State == escrow.Funded && !errors.Is(err, escrow.ErrCash) {
			t.Fatalf("unremitted cash was released: %v", err)
		}
		for _, bad := range [][2]int64{{0, 0}, {h.Amount + 1, 0}, {cash, cash + 1}, {cash, -1}} {
			if _, err := h.Collect(bad[0], bad[1], time.Time{}); !errors.Is(err, escrow.ErrAmount) {
				t.Fatalf("collecting %v of %d: %v, want ErrAmount", bad, h.Amount, err)
			}
		}
	})
}
