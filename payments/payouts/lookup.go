package payouts

import (
	"context"

	"tiwiza/pkg/pg"
)

// ByID is a payout, or ErrNotFound.
func (s *Service) ByID(ctx context.Context, db pg.DB, id string) (Payout, error) {
	return load(ctx, db, id)
}

// Waiting is how many payouts wait for a second person, counted up to 100.
func (s *Service) Waiting(ctx context.Context, db pg.DB) (int, error) { return waiting(ctx, db) }
