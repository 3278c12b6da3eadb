package escrow

import (
	"context"
	"strings"
	"time"

	"tiwiza/payments/approvals"
	"tiwiza/payments/ledger"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/id"
	"tiwiza/pkg/job"
	"tiwiza/pkg/pg"
)

// Books is what escrow asks of the ledger.
type Books interface {
	Post(ctx context.Context, tx *pg.Tx, t ledger.Transfer) error
	PostAll(ctx context.Context, tx *pg.Tx, all []ledger.Transfer) ([]error, error)
	Balance(ctx context.Context, db pg.DB, code, currency string) (int64, error)
	// Free locks accounts and says what could be taken out of each.
	Free(ctx context.Context, tx *pg.Tx, currency string, codes ...string) (map[string]int64, error)
	HoldUpTo(ctx context.Context, tx *pg.Tx, h ledger.Hold) (int64, error)
	Drop(ctx context.Context, tx *pg.Tx, id string) error
}

// Judge says who may do what, and by which policy.
type Judge interface {
	May(p auth.Principal, action string, r authz.Resource) (policy string, err error)
}

// Service is what others may ask of escrow.
type Service struct {
	db    *pg.Store
	books Books
	judge Judge
	bank  string // whose operating account tops up the clients'
	// approvals decide on fees.
	approvals *approvals.Service
}

// New makes the service.
func New(db *pg.Store, books Books, judge Judge) *Service {
	return &Service{db: db, books: books, judge: judge}
}

// TopUpFrom names the bank at which our own money lies that clients' money is
// topped up from. It is called at start.
func (s *Service) TopUpFrom(bank string) *Service { s.bank = bank; return s }

// topUp are the legs that bring an amount of our own money in, so that clients'
// money is not short by what is booked beside it.
func (s *Service) topUp(amount int64) ([]ledger.Leg, error) {
	if amount == 0 {
		return nil, nil
	}
	if s.bank == "" {
		return nil, ErrBank
	}
	return []ledger.Leg{ledger.Debit(ledger.Transit(s.bank), amount), ledger.Credit(ledger.Operating(s.bank), amount)}, nil
}

// Open makes an escrow that awaits its money, as part of a checkout. The write
// is queued.
func (s *Service) Open(_ context.Context, tx *pg.Tx, t Terms) (string, error) {
	if t.Legs.Total() != t.Amount.Centimes() || t.Amount.Sign() <= 0 {
		return "", ErrTerms
	}
	if t.Bonus < 0 || t.Bonus > 0 && t.Legs.Seller <= 0 {
		return "", ErrBonus
	}
	h := Hold{
		ID: id.New(id.Escrow), Order: t.Order, Seller: t.Seller, Buyer: t.Buyer, Charge: t.Charge, Carrier: t.Carrier,
		Currency: t.Amount.Currency(), Amount: t.Amount.Centimes(), Legs: t.Legs, Bonus: t.Bonus, State: Awaiting,
		WaitS: int64(t.Release.Wait() / time.Second),
	}
	insert(tx, h)
	return h.ID, nil
}

// Fund puts a confirmed charge's money into the escrows it was made for: from
// is the account it stands in (the acquirer's clearing, suspense, or the
// safeguard account, where it is settled at once). It returns them as they are
// now. An escrow that is not awaited any more is an error: the caller puts such
// money in suspense instead.
func (s *Service) Fund(ctx context.Context, tx *pg.Tx, charge, from string) ([]Hold, error) {
	holds, err := lockCharge(ctx, tx, charge)
	if err != nil {
		return nil, err
	}
	t := ledger.Transfer{Key: "fund:" + charge}
	var whole int64
	for i, h := range holds {
		if h, err = h.Fund(tx.Now()); err != nil {
			return nil, err
		}
		h.Settled = strings.HasSuffix(from, ":safeguard")
		t.Currency = h.Currency
		t.Legs = append(t.Legs, ledger.Credit(ledger.Escrow(h.Order), h.Amount))
		whole += h.Amount
		if holds[i], err = s.funded(ctx, tx, h); err != nil {
			return nil, err
		}
	}
	t.Legs = append(t.Legs, ledger.Debit(from, whole))
	return holds, s.post(ctx, tx, MoveFund, t)
}

// funded keeps a hold whose money has come, and tells of it.
func (s *Service) funded(ctx context.Context, tx *pg.Tx, h Hold) (Hold, error) {
	h = save(tx, h)
	job.Set(tx, TimerCap, h.Order, tx.Now().Add(holdFor))
	return h, tx.Publish(ctx, Opened{h.ID, h.Order, h.money(h.Amount)})
}

// Authorize says that the card is reserved for the escrows of a charge.
func (s *Service) Authorize(ctx context.Context, tx *pg.Tx, charge string) ([]Hold, error) {
	return s.each(ctx, tx, charge, Hold.Authorize)
}

// Expire ends the escrows of a charge that will not be paid.
func (s *Service) Expire(ctx context.Context, tx *pg.Tx, charge string) ([]Hold, error) {
	return s.each(ctx, tx, charge, Hold.Expire)
}

// Void ends the escrows of a charge whose reservation was let go, or of a cash
// order that was not confirmed.
func (s *Service) Void(ctx context.Context, tx *pg.Tx, charge string) ([]Hold, error) {
	return s.each(ctx, tx, charge, func(h Hold) (Hold, error) { return h.Void(MoveVoid) })
}

// each moves the escrows of a charge, all or none.
func (s *Service) each(ctx context.Context, tx *pg.Tx, charge string, move func(Hold) (Hold, error)) ([]Hold, error) {
	holds, err := lockCharge(ctx, tx, charge)
	if err != nil {
		return nil, err
	}
	for i, h := range holds {
		if h, err = move(h); err != nil {
			return nil, err
		}
		if holds[i], err = s.keep(ctx, tx, h); err != nil {
			return nil, err
		}
	}
	return holds, nil
}

// keep saves a hold, and does what follows its end.
func (s *Service) keep(ctx context.Context, tx *pg.Tx, h Hold) (Hold, error) {
	h = save(tx, h)
	switch h.State {
	case Awaiting, Authorized, Funded, Closed:
		return h, nil
	}
	for _, t := range []string{timerRelease, TimerUndelivered, TimerCap} {
		job.Clear(tx, t, h.Order)
	}
	job.SetOnce(tx, timerClose, h.Order, tx.Now().Add(closeAfter))
	return h, tx.Publish(ctx, Ended{h.ID, h.Order, h.State, h.money(h.Released), h.money(h.Returned())})
}

// Settled marks the escrows of a charge, and what was released of them, as
// money that has reached the safeguard account: payouts may cover it.
func (s *Service) Settled(ctx context.Context, tx *pg.Tx, charge string) error {
	return settle(ctx, tx, charge)
}

// Shipped says that the goods left: from here on the carrier's leg is never
// reduced, and a sign of delivery is waited for.
func (s *Service) Shipped(ctx context.Context, tx *pg.Tx, order string, at time.Time) error {
	h, err := lockOrder(ctx, tx, order)
	if err != nil {
		return err
	}
	if h.ShippedAt != nil || !row(MoveShip).starts(h.State) {
		return nil // its money has gone back: the trade goes on without us
	}
	due := at.Add(signWithin)
	h.ShippedAt, h.SignDue = &at, &due
	save(tx, h)
	if !h.frozen() && h.State != Released {
		job.Set(tx, TimerUndelivered, order, due)
	}
	return nil
}

// Delivered starts the wait after which the money goes by itself when the
// buyer says nothing.
func (s *Service) Delivered(ctx context.Context, tx *pg.Tx, order string, at time.Time) error {
	h, err := lockOrder(ctx, tx, order)
	if err != nil {
		return err
	}
	if !row(MoveDeliver).starts(h.State) {
		return nil
	}
	due := at.Add(time.Duration(h.WaitS) * time.Second)
	h.ReleaseDue = &due
	save(tx, h)
	job.Clear(tx, TimerUndelivered, order)
	if !h.frozen() {
		job.Set(tx, timerRelease, order, due)
	}
	return nil
}

// OfOrders returns the escrows of orders by order.
func (s *Service) OfOrders(ctx context.Context, db pg.DB, orders []string) (map[string]Hold, error) {
	holds, err := ofOrders(ctx, db, orders)
	if err != nil {
		return nil, err
	}
	by := make(map[string]Hold, len(holds))
	for _, h := range holds {
		by[h.Order] = h
	}
	return by, nil
}

// LockOrder locks the escrow of an order for the caller's unit of work, so that
// what the caller decides by it stays true.
func (s *Service) LockOrder(ctx context.Context, tx *pg.Tx, order string) (Hold, error) {
	return lockOrder(ctx, tx, order)
}

// OfCharge returns the escrows of a charge.
func (s *Service) OfCharge(ctx context.Context, db pg.DB, charge string) ([]Hold, error) {
	return ofCharge(ctx, db, charge)
}

// Pending is a seller's share of what is still held, and what the market adds to
// it, in centimes.
func (s *Service) Pending(ctx context.Context, db pg.DB, seller, currency string) (Pending, error) {
	return pending(ctx, db, seller, currency)
}
