package escrow

import (
	"slices"
	"strings"
	"time"

	"tiwiza/pkg/money"
)

// left are the legs of what still stands in the escrow.
func (h Hold) left() Legs { return h.Legs.Minus(h.Gone).Minus(h.Cancelled) }

// own says whether the delivery leg is the seller's.
func (h Hold) own() bool { return h.Carrier == "" }

// unsent says whether a carrier waits for goods that have not left. Cash is
// collected when they are there.
func (h Hold) unsent() bool { return !h.own() && h.ShippedAt == nil && !h.Cash }

// Share is what of a part is the seller's to be paid out.
func (h Hold) Share(part Legs) int64 {
	if h.own() {
		return part.Seller + part.Carrier
	}
	return part.Seller
}

// share splits an amount over legs by largest remainder; none gets more than it
// has while the amount is at most their sum.
func share(amount int64, over Legs) Legs {
	return legsOf(money.Allocate(amount, over.wide()...))
}

// goodsFirst splits an amount over the legs of the goods, and over delivery only
// what is more than they are.
func goodsFirst(amount int64, over Legs) Legs {
	goods := over
	goods.Carrier = 0
	n := min(amount, goods.Total())
	l := share(n, goods)
	l.Carrier = amount - n
	return l
}

// Fund says that the charge is confirmed and the money stands in the escrow.
func (h Hold) Fund(at time.Time) (Hold, error) {
	if err := h.may(MoveFund); err != nil {
		return h, err
	}
	h.State, h.FundedAt = Funded, &at
	return h, nil
}

// Authorize says that the buyer's card is reserved.
func (h Hold) Authorize() (Hold, error) { return h.to(MoveAuthorize, Authorized) }

// Void says that the reservation was let go, or a cash order not taken.
func (h Hold) Void(m Move) (Hold, error) { return h.to(m, Voided) }

// Expire says that the payment window passed without money.
func (h Hold) Expire() (Hold, error) { return h.to(MoveExpire, Expired) }

// Collect says that a carrier took cash, its own fee in it: the fee becomes the
// delivery leg and is released at once; what the cash leaves for the rest is
// shared as the whole was. Of what the market adds the seller has the part that
// the buyer paid of the rest.
func (h Hold) Collect(cash, fee int64, at time.Time) (Hold, error) {
	if err := h.may(MoveCollect); err != nil {
		return h, err
	}
	if cash <= 0 || cash > h.Amount || fee < 0 || fee > cash {
		return h, ErrAmount.At("/amount", "above zero, at most "+h.money(h.Amount).Amount())
	}
	h.Bonus = proportion(h.Bonus, cash, h.Amount)
	if fee > 0 {
		goods := h.Legs
		goods.Carrier = 0
		h.Legs = share(cash-fee, goods)
		h.Legs.Carrier = fee
	} else {
		h.Legs = share(cash, h.Legs)
	}
	if h.Legs.goods() == 0 {
		h.Bonus = 0
	}
	h.Amount, h.Released, h.Gone = cash, fee, Legs{Carrier: fee}
	h.State, h.FundedAt, h.Cash = Funded, &at, true
	return h.end(), nil
}

// Release lets amount go (centimes) and says how it is shared: each leg in
// proportion to what is left of it, to the centime, by largest remainder. The
// last release takes exactly what is left.
func (h Hold) Release(amount int64) (Hold, Legs, error) {
	if err := h.may(MoveRelease); err != nil {
		return h, Legs{}, err
	}
	if h.Cash && !h.Settled {
		return h, Legs{}, ErrCash
	}
	if err := h.holds(amount); err != nil {
		return h, Legs{}, err
	}
	h, part := h.let(amount)
	return h, part, nil
}

func (h Hold) let(amount int64) (Hold, Legs) {
	part := share(amount, h.left())
	h.Released += amount
	h.Gone = h.Gone.Plus(part)
	h.BonusGiven = h.due(h.Gone.goods())
	return h.end(), part
}

// holds says whether an amount can be taken out of what is held.
func (h Hold) holds(amount int64) error {
	if h.Held() == 0 {
		return ErrState.Say("Nothing of this escrow is held any more: %s went back to the buyer or is on its way.",
			h.money(h.Returned())).At("/state", string(h.State))
	}
	if amount <= 0 || amount > h.Held() {
		return ErrAmount.At("/amount", "above zero, at most "+h.money(h.Held()).Amount())
	}
	return nil
}

// A Cut is how an amount that goes back is shared: over the legs that are still
// held, which it cancels, and over those that were released, of which it is
// taken back, with what the market had added for those.
type Cut struct {
	Held, Gone Legs
	Bonus      int64
}

// Total is all that goes back to the buyer.
func (c Cut) Total() int64 { return c.Held.Total() + c.Gone.Total() }

// Cut shares an amount that goes back to the buyer: what is held first, and of
// what was released only the rest. Once the goods are shipped, the carrier's leg
// is never reduced: a delivery fee that goes back is then borne like one that
// was paid out. An amount above the buyer's claim is ErrAmount.
func (h Hold) Cut(amount int64, delivery bool) (Cut, error) {
	if h.Claim() == 0 {
		return Cut{}, ErrState.Say("This escrow is %s; nothing of it can go back any more.", h.State).At("/state", string(h.State))
	}
	if amount <= 0 || amount > h.Claim() {
		return Cut{}, ErrAmount.Say("Of this order %s at most can go back to the buyer.", h.money(h.Claim())).
			At("/amount", "above zero, at most "+h.money(h.Claim()).Amount())
	}
	spread := goodsFirst
	if delivery {
		spread = share
	}
	var held, kept Legs
	if h.State == Funded {
		held = h.left()
		if h.ShippedAt != nil && !h.own() {
			held.Carrier, kept.Carrier = 0, held.Carrier
		}
	}
	n := min(amount, held.Total())
	c := Cut{Held: spread(n, held)}
	if amount > n {
		c.Gone = spread(amount-n, h.Gone.Minus(h.Taken).Plus(kept))
		c.Bonus = h.takes(c.Gone)
	}
	return c, nil
}

// heldOnly says how much of an amount that goes back is still held.
func (h Hold) heldOnly(amount int64) error {
	if h.State != Funded {
		return ErrState.Say("This escrow is %s; what was released of it only an agent can give back.", h.State).At("/state", string(h.State))
	}
	if err := h.holds(amount); err != nil {
		return err
	}
	if most := h.ForGoods(); amount > most {
		return ErrAmount.Say("The goods are on their way: their delivery is paid for, and only %s can go back.",
			h.money(most)).At("/amount", "less the carrier's fee")
	}
	return nil
}

// ForGoods is how much of what is held can go back, in centimes, before it takes
// from what was released: once the goods are on their way, the carrier's fee stays.
func (h Hold) ForGoods() int64 {
	n := h.Held()
	if h.State == Funded && h.ShippedAt != nil && !h.own() {
		n -= h.left().Carrier
	}
	return n
}

// ruled says why a ruling cannot be, or nil.
func (h Hold) ruled(r Ruling) error {
	if err := h.may(MoveRule); err != nil {
		return err
	}
	if !slices.Contains(h.Cases, r.Case) {
		return ErrCase
	}
	if len(h.Cases) > 1 {
		return ErrFrozen.Say("Another case is open about this order (%s); a ruling must wait for its end.", strings.Join(h.Cases, ", "))
	}
	if h.Cash && !h.Settled {
		return ErrCash
	}
	if r.Back < 0 || r.Release < 0 || r.Back+r.Release != h.Held() || h.Held() == 0 {
		return ErrShares.Say("Together they must be what is held: %s.", h.money(h.Held())).
			At("/refund", "refund and release must add up to "+h.money(h.Held()).Amount())
	}
	return nil
}

// Refund takes an amount that goes back out of the hold.
func (h Hold) Refund(c Cut) Hold {
	h.Refunded += c.Held.Total()
	h.Recovered += c.Gone.Total()
	h.BonusBack += c.Bonus
	h.Cancelled, h.Taken = h.Cancelled.Plus(c.Held), h.Taken.Plus(c.Gone)
	return h
}

// Undo gives back what a refund took that was never sent, or that came back. A
// hold that had ended holds money again.
func (h Hold) Undo(c Cut) Hold {
	h.Refunded -= c.Held.Total()
	h.Recovered -= c.Gone.Total()
	h.BonusBack -= c.Bonus
	h.Cancelled, h.Taken = h.Cancelled.Minus(c.Held), h.Taken.Minus(c.Gone)
	if c.Held.Total() > 0 {
		h.State = Funded
	}
	return h
}

// Lose takes a share of a lost chargeback out of the hold.
func (h Hold) Lose(c Cut) Hold {
	h.Charged += c.Held.Total()
	h.Clawed += c.Gone.Total()
	h.BonusBack += c.Bonus
	h.Cancelled, h.Taken = h.Cancelled.Plus(c.Held), h.Taken.Plus(c.Gone)
	return h.end()
}

// end brings a hold whose money is all gone, with nothing on its way, to its
// end: released if anything was released, else refunded.
func (h Hold) end() Hold {
	if h.State != Funded || h.Held() > 0 || h.Flying > 0 {
		return h
	}
	h.State = Refunded
	if h.Released > 0 {
		h.State = Released
	}
	return h
}
