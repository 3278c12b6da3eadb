package payouts

import (
	"context"

	"tiwiza/pkg/pg"
)

// ByID is a payout, or ErrNotFound.
func (s *Service) ByID(ctx context.Context, db pg.DB, id string) (Payout, error) {
	return load(ctx, db, id)
}
