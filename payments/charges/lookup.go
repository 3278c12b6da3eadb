package charges

import (
	"context"

	"tiwiza/pkg/pg"
)

// ByRef is the charge that an acquirer knows by our reference, or ErrNotFound.
func (s *Service) ByRef(ctx context.Context, db pg.DB, acquirer, ref string) (Charge, error) {
	return byRef(ctx, db, acquirer, ref)
}

// ByID is a charge, or ErrNotFound.
func (s *Service) ByID(ctx context.Context, db pg.DB, id string) (Charge, error) {
	return load(ctx, db, id)
}

// Unsettled lists up to limit charges that wait for their acquirer's money,
// of an amount in centimes; the oldest first.
func (s *Service) Unsettled(ctx context.Context, db pg.DB, amount int64, currency string, limit int) ([]Charge, error) {
	return unsettled(ctx, db, amount, currency, limit)
}
