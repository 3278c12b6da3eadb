package orders

import (
	"context"
	"time"

	"tiwiza/pkg/pg"
)

// Regions are how many checkouts since a time are to be brought to each region,
// by its code; those without a region are left out.
func (s *Service) Regions(ctx context.Context, db pg.DB, since time.Time) (map[string]int, error) {
	return regions(ctx, db, since)
}
