package loyalty

import (
	"context"
	"time"

	"tiwiza/pkg/pg"
)

// Balances are what some persons have, the whole of it, each with its version; who
// never had points is left out.
func (s *Service) Balances(ctx context.Context, db pg.DB, persons []string, at time.Time) ([]Balance, error) {
	all, err := balances(ctx, db, persons, year(at))
	if err != nil || len(all) == 0 {
		return nil, err
	}
	tiers, err := tiersAt(ctx, db, at)
	out := make([]Balance, len(all))
	for i, b := range all {
		out[i] = Balance{b.Person, b.Points, b.Owed, tierOf(tiers, b.Spent).Code, b.Version}
	}
	return out, err
}

// A balance is what somebody has, and bought for since a moment.
type balance struct {
	Account
	Spent int64
}
