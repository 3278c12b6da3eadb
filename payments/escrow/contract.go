package escrow

import (
	"context"
	"time"

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
	// Goodwill says that nobody was at fault: delivery that was paid to a
	// carrier is then our loss and not the seller's.
	Goodwill bool
	// HeldOnly refuses more than what is still held: a refund before release.
	HeldOnly bool
}

// TakeBack posts the intent of a refund of one order.
func (s *Service) TakeBack(ctx context.Context, tx *pg.Tx, b Back) (Hold, error) {
	return Hold{}, ErrState
}

// PutBack undoes the intent of a refund that was surely never sent.
func (s *Service) PutBack(ctx context.Context, tx *pg.Tx, refund string) (Hold, error) {
	return Hold{}, ErrState
}

// Arrived says that a refund has reached the buyer.
func (s *Service) Arrived(ctx context.Context, tx *pg.Tx, refund string) (Hold, error) {
	return Hold{}, ErrState
}

// A Case is a dispute (dsp_…), a chargeback (cbk_…) or a return (ret_…) that
// keeps an escrow as it is while it is open.
type Case struct {
	ID       string
	Kind     string // dispute, chargeback or return
	State    string // as its own domain calls it
	Deadline *time.Time
}

// Freeze stops timers, releases and new refunds while a case is open. Freezing
// again for the same case tells its new state and deadline.
func (s *Service) Freeze(ctx context.Context, tx *pg.Tx, order string, c Case) (Hold, error) {
	return Hold{}, ErrState
}

// Thaw drops a case. Once the last one is gone the timers go on where they
// stood.
func (s *Service) Thaw(ctx context.Context, tx *pg.Tx, order, caseID string) (Hold, error) {
	return Hold{}, ErrState
}

// CaseOf returns the open case of each order that has one, the newest if there
// are several.
func (s *Service) CaseOf(ctx context.Context, db pg.DB, orders []string) (map[string]Case, error) {
	return nil, nil
}

// A Contest is a chargeback as the acquirer opened it.
type Contest struct {
	Case, Charge, Acquirer string
	Amount, Fee            int64 // centimes
}

// Contest books an opened chargeback over the charge's escrows.
func (s *Service) Contest(ctx context.Context, tx *pg.Tx, c Contest) error { return ErrState }

// Won ends a chargeback that the acquirer decided for us.
func (s *Service) Won(ctx context.Context, tx *pg.Tx, caseID string) error { return ErrState }

// A Loser says who bears a chargeback that was lost.
type Loser struct {
	PlatformBears bool // with proof of delivery the platform may bear it all
}

// Lost ends a chargeback that the acquirer decided for the buyer. While a
// refund of one of its orders is on its way it is ErrFlying: call again once
// that has ended.
func (s *Service) Lost(ctx context.Context, tx *pg.Tx, caseID string, l Loser) error {
	return ErrState
}

// A Ruling shares what is held between buyer and seller.
type Ruling struct {
	Order, Case, Refund string
	Back, Release       int64 // centimes; together what is held
}

// Rule posts a ruling in one transfer, and ends its case.
func (s *Service) Rule(ctx context.Context, tx *pg.Tx, r Ruling) (Hold, error) {
	return Hold{}, ErrState
}

// Authorize says that the card is reserved for the escrows of a charge.
func (s *Service) Authorize(ctx context.Context, tx *pg.Tx, charge string) ([]Hold, error) {
	return nil, ErrState
}

// Void ends the escrows of a charge whose reservation was let go.
func (s *Service) Void(ctx context.Context, tx *pg.Tx, charge string) ([]Hold, error) {
	return nil, ErrState
}

// Collected is cash that a carrier took for an order.
type Collected struct {
	Order, Carrier string
	Cash, Fee      int64 // centimes: what the buyer gave, and the carrier's fee in it
}

// Collect funds an order's escrow with cash that its carrier owes us.
func (s *Service) Collect(ctx context.Context, tx *pg.Tx, c Collected) (Hold, error) {
	return Hold{}, ErrState
}

// Remitted says that an order's cash has reached the safeguard account.
func (s *Service) Remitted(ctx context.Context, tx *pg.Tx, order string) (Hold, error) {
	return Hold{}, ErrState
}

// Refuse voids the escrow of a cash order that its buyer did not take.
func (s *Service) Refuse(ctx context.Context, tx *pg.Tx, order string, carrierFee int64) (Hold, error) {
	return Hold{}, ErrState
}

// Shipped says that the goods left: from here on the carrier's leg is never
// reduced, and a sign of delivery is waited for.
func (s *Service) Shipped(ctx context.Context, tx *pg.Tx, order string, at time.Time) error {
	return ErrState
}

// Blocked says why a seller's payouts stop, or "".
func (s *Service) Blocked(ctx context.Context, db pg.DB, seller string) (why string, err error) {
	return "", nil
}
