package escrow

import (
	"context"
	"slices"

	"tiwiza/payments/ledger"
	"tiwiza/pkg/id"
	"tiwiza/pkg/job"
	"tiwiza/pkg/pg"
)

// A Back is money of one order that goes back to its buyer.
type Back struct {
	Refund string // rfd_…, made by the caller; the money goes to refund:{Refund}
	Order  string
	Amount int64 // centimes
	// Delivery says that the delivery fee is part of what goes back, by its
	// share. Without it the goods come first, and delivery only for what is more
	// than they were.
	Delivery bool
	// Goodwill says that nobody was at fault: a carrier's fee that goes back is
	// then our loss and not the seller's.
	Goodwill bool
	// HeldOnly refuses more than what is still held: a refund before release.
	HeldOnly bool
}

// TakeBack posts the intent of a refund of one order: what is held first, and of
// what was released the rest, by the waterfall, with its top-up. More than was
// captured less what went back is ErrAmount; an order with an open case is
// ErrFrozen; cash that its carrier has not remitted is ErrCash, for what went
// back of it would be other clients' money. Who may call has been decided by
// then.
func (s *Service) TakeBack(ctx context.Context, tx *pg.Tx, b Back) (Hold, error) {
	h, err := lockOrder(ctx, tx, b.Order)
	if err != nil {
		return h, err
	}
	move := MoveTakeBack
	if b.HeldOnly {
		move = MoveRefund
	}
	if err = h.may(move); err == nil && b.HeldOnly {
		err = h.heldOnly(b.Amount)
	}
	if err != nil {
		return h, err
	}
	if h.Cash && !h.Settled {
		return h, ErrCash
	}
	cut, err := h.Cut(b.Amount, b.Delivery)
	if err != nil {
		return h, err
	}
	h, legs, err := s.takeBack(ctx, tx, h, b, cut)
	if err != nil {
		return h, err
	}
	if err := s.post(ctx, tx, move, ledger.Transfer{
		Key: "refund:" + b.Refund, Order: h.Order, Currency: h.Currency,
		Legs: append(legs, ledger.Debit(ledger.Escrow(h.Order), cut.Held.Total())),
	}); err != nil {
		return h, err
	}
	h, err = s.keep(ctx, tx, h)
	return h, err
}

// takeBack writes a refund down and says what it books, but for what leaves the
// escrow itself.
func (s *Service) takeBack(ctx context.Context, tx *pg.Tx, h Hold, b Back, cut Cut) (Hold, []ledger.Leg, error) {
	src, legs, err := s.bear(ctx, tx, h, cut, Bearing{Delivery: b.Goodwill})
	if err != nil {
		return h, nil, err
	}
	top, err := s.topUp(max(0, src.TopUp()))
	if err != nil {
		return h, nil, err
	}
	h = h.Refund(cut)
	h.Flying++
	insertBack(tx, h, b, cut, src)
	legs = append(append(legs, top...), ledger.Credit(ledger.Refund(b.Refund), b.Amount))
	return h, legs, tx.Publish(ctx, Returning{h.ID, h.Order, b.Refund, h.money(b.Amount)})
}

// bear takes what goes back after its release out of the seller's reserve and
// available money, in their order, and says what is booked.
func (s *Service) bear(ctx context.Context, tx *pg.Tx, h Hold, c Cut, b Bearing) (Source, []ledger.Leg, error) {
	cut := c.Gone
	if cut.Total() == 0 {
		return Source{}, nil, nil
	}
	var purse Purse
	var releases []Part
	if !b.All {
		var err error
		if purse, releases, err = s.purse(ctx, tx, h, cut.Seller+cut.Reserve+cut.Carrier+c.Bonus); err != nil {
			return Source{}, nil, err
		}
	}
	src := h.Bear(c, purse, b)
	src.Releases = pick(src.Available, releases)
	for _, l := range src.Lots {
		useLot(tx, l.ID, l.Amount)
	}
	for _, r := range src.Releases {
		takeRelease(tx, r.ID, r.Amount)
	}
	return src, []ledger.Leg{
		ledger.Debit(ledger.CarrierPayable(h.Carrier), src.Carrier),
		ledger.Debit(ledger.Reserve(h.Seller), src.Reserve()),
		ledger.Debit(ledger.Available(h.Seller), src.Available),
		ledger.Debit(ledger.Receivable(h.Seller), src.Receivable),
		ledger.Debit(ledger.Fees, src.Fees),
		ledger.Debit(ledger.VAT, src.VAT),
		ledger.Debit(ledger.Loss, src.Loss),
		ledger.Credit(ledger.Promotions, src.Bonus),
	}, nil
}

// purse locks what a seller has, as far as an amount needs it, and the releases
// that its available money came from. Payouts lock releases before the account:
// so does this; what they take while it waits is looked for once more, and what
// they are taking then is left to them.
func (s *Service) purse(ctx context.Context, tx *pg.Tx, h Hold, want int64) (p Purse, parts []Part, err error) {
	if p.Lots, err = lockLots(ctx, tx, h, want); err != nil {
		return p, nil, err
	}
	own := func(order string) int { // the order's own come first
		if order == h.Order {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(p.Lots, func(a, b Lot) int { return own(a.Order) - own(b.Order) })
	available := ledger.Available(h.Seller)
	for _, skip := range []string{"", "skip locked"} {
		rows, err := lockReleases(ctx, tx, h, want, skip)
		if err != nil {
			return p, nil, err
		}
		free, err := s.books.Free(ctx, tx, h.Currency, available)
		if err != nil {
			return p, nil, err
		}
		slices.SortStableFunc(rows, func(a, b loose) int { return own(a.OrderID) - own(b.OrderID) })
		var sum int64
		parts = nil
		for _, r := range rows {
			parts, sum = append(parts, Part{r.ID, r.Amount}), sum+r.Amount
		}
		p.Available = min(sum, free[available])
		if sum >= min(want, free[available]) {
			break
		}
	}
	return p, parts, nil
}

// PutBack undoes the intent of a refund that was surely never sent, or that came
// back: the mirror of what TakeBack posted. What was taken of a reserve that has
// been let go since, and what was owed and has been paid since, becomes
// available. The charge's chargebacks then have their part in it. Undoing it
// twice is harmless.
func (s *Service) PutBack(ctx context.Context, tx *pg.Tx, refund string) (Hold, error) {
	h, b, err := lockBack(ctx, tx, refund)
	if err != nil || b.State == "undone" {
		return h, err
	}
	if err := h.may(MoveUndo); err != nil {
		return h, err
	}
	if b.State != "flying" {
		return h, ErrState.Say("The refund %s has arrived; it cannot be undone.", refund)
	}
	bare, err := bareStakes(ctx, tx, h.Seller)
	if err != nil {
		return h, err
	}
	back, err := s.restore(ctx, tx, h, b.Source)
	if err != nil {
		return h, err
	}
	ended := h.State != Funded
	h = h.Undo(b.cut())
	h.Flying--
	h = h.end() // of what was released alone, it may have been all that the escrow waited for
	moveBack(tx, refund, "undone")
	legs := []ledger.Leg{
		ledger.Debit(ledger.Refund(refund), b.Amount),
		ledger.Credit(ledger.Escrow(h.Order), b.cut().Held.Total()),
		ledger.Credit(ledger.Reserve(h.Seller), back.Reserve()),
		ledger.Credit(ledger.Available(h.Seller), back.Available),
		ledger.Credit(ledger.Receivable(h.Seller), back.Receivable),
		ledger.Credit(ledger.Fees, back.Fees),
		ledger.Credit(ledger.VAT, back.VAT),
		ledger.Credit(ledger.Loss, back.Loss),
		ledger.Credit(ledger.CarrierPayable(h.Carrier), back.Carrier),
		ledger.Debit(ledger.Promotions, back.Bonus),
	}
	top, err := s.topUp(back.TopUp())
	if err != nil {
		return h, err
	}
	for _, l := range top {
		l.Amount = -l.Amount
		legs = append(legs, l)
	}
	if err := s.post(ctx, tx, MoveUndo, ledger.Transfer{
		Key: "refund.undone:" + refund, Order: h.Order, Currency: h.Currency, Legs: legs,
	}); err != nil {
		return h, err
	}
	if err := s.coverAgain(ctx, tx, bare, h.Currency); err != nil {
		return h, err
	}
	if ended && h.State == Funded {
		job.Set(tx, TimerCap, h.Order, maxTime(tx.Now(), h.FundedAt.Add(holdFor))) // nothing begins anew
		if !h.frozen() {
			h = h.goOn(tx, tx.Now())
		}
	}
	return s.reclaim(ctx, tx, h, refund)
}

// CameBack says that a refund which had reached the buyer was returned by the
// bank: it is on its way again. Saying it twice is harmless.
func (s *Service) CameBack(ctx context.Context, tx *pg.Tx, refund string) (Hold, error) {
	h, b, err := lockBack(ctx, tx, refund)
	if err != nil || b.State == "flying" {
		return h, err
	}
	if err := h.may(MoveReturn); err != nil {
		return h, err
	}
	if b.State != "arrived" {
		return h, ErrState.Say("The refund %s was undone; it cannot come back.", refund)
	}
	h.Flying++
	moveBack(tx, refund, "flying")
	return save(tx, h), nil
}

// restore puts back what a refund took of the seller's, and says what becomes
// of it now.
func (s *Service) restore(ctx context.Context, tx *pg.Tx, h Hold, src Source) (Source, error) {
	lots, err := openLots(ctx, tx, src.Lots)
	if err != nil {
		return src, err
	}
	back := src
	back.Lots = nil
	var loose int64 // what has no place of its own any more
	for _, l := range src.Lots {
		if !lots[l.ID] {
			loose += l.Amount
			continue
		}
		useLot(tx, l.ID, -l.Amount)
		back.Lots = append(back.Lots, l)
	}
	for _, r := range src.Releases {
		takeRelease(tx, r.ID, -r.Amount)
	}
	if src.Receivable > 0 {
		free, err := s.books.Free(ctx, tx, h.Currency, ledger.Receivable(h.Seller))
		if err != nil {
			return src, err
		}
		back.Receivable = min(src.Receivable, free[ledger.Receivable(h.Seller)])
		loose += src.Receivable - back.Receivable
	}
	if loose > 0 {
		insertRelease(tx, id.New(id.Release), h, loose)
	}
	back.Available += loose
	return back, nil
}

// Arrived says that a refund has reached the buyer: nothing of it is on its way
// any more, and the escrow may have come to its end. Saying it twice is
// harmless.
func (s *Service) Arrived(ctx context.Context, tx *pg.Tx, refund string) (Hold, error) {
	h, b, err := lockBack(ctx, tx, refund)
	if err != nil || b.State == "arrived" {
		return h, err
	}
	if err := h.may(MoveArrive); err != nil {
		return h, err
	}
	if b.State != "flying" {
		return h, ErrState.Say("The refund %s was undone; it cannot arrive.", refund)
	}
	h.Flying--
	moveBack(tx, refund, "arrived")
	before := h.State
	if h = h.end(); h.State == before {
		return save(tx, h), nil
	}
	return s.keep(ctx, tx, h)
}
