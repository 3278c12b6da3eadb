package recon

import (
	"context"

	"tiwiza/pkg/pg"
)

// A Backlog is what waits for people: how many breaks, counted up to 100, and
// what they are about.
type Backlog struct {
	Count  int
	Amount int64 // centimes, whichever way they went
}

// Waiting is what waits for people now.
func (s *Service) Waiting(ctx context.Context, db pg.DB) (Backlog, error) { return waiting(ctx, db) }
