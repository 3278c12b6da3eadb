package escrow

import (
	"context"

	"tiwiza/pkg/pg"
)

// Pending is what a seller waits for, in centimes: its share of what is still
// held, and what the market adds to it as it is released.
type Pending struct{ Share, Bonus int64 }

// Payable is what a seller was given of settled money and no payout covers yet,
// in centimes.
func (s *Service) Payable(ctx context.Context, db pg.DB, seller, currency string) (int64, error) {
	return payable(ctx, db, seller, currency)
}

// Unsettled is what was let go for a carrier of money that has not reached the
// safeguard account, or of goods that have not left, in centimes: it is not paid
// out yet.
func (s *Service) Unsettled(ctx context.Context, db pg.DB, carrier, currency string) (int64, error) {
	return unsettled(ctx, db, carrier, currency)
}
