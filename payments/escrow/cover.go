package escrow

import (
	"context"

	"tiwiza/pkg/pg"
)

// A Cover is the part of one release that a payout pays.
type Cover struct {
	Release string
	Amount  int64
	Settled bool
}

// Cover takes up to amount of what a seller was given and no payout covers yet,
// oldest first and settled money before unsettled, for the caller's payout.
// Money that another payout is taking at this moment is passed over.
func (s *Service) Cover(ctx context.Context, tx *pg.Tx, seller, currency string, amount int64) ([]Cover, error) {
	open, err := openReleases(ctx, tx, seller, currency)
	if err != nil {
		return nil, err
	}
	var covers []Cover
	for _, r := range open {
		take := min(amount, r.Amount)
		if take == 0 {
			break
		}
		amount -= take
		cover(tx, r.ID, take)
		covers = append(covers, Cover{r.ID, take, r.Settled})
	}
	return covers, nil
}

// Uncover gives back what a payout covered that was refused or came back.
func (s *Service) Uncover(tx *pg.Tx, covers []Cover) {
	for _, c := range covers {
		cover(tx, c.Release, -c.Amount)
	}
}

// AllSettled says whether the money of all these releases has been settled.
func (s *Service) AllSettled(ctx context.Context, db pg.DB, releases []string) (bool, error) {
	return allSettled(ctx, db, releases)
}

// ReleasesOfOrders lists what was released of some orders.
func (s *Service) ReleasesOfOrders(ctx context.Context, db pg.DB, orders []string) ([]string, error) {
	return releasesOfOrders(ctx, db, orders)
}

// OrdersOf lists the orders of which something was released.
func (s *Service) OrdersOf(ctx context.Context, db pg.DB, releases []string) ([]string, error) {
	return ordersOf(ctx, db, releases)
}

// ReleasesOf lists what was released of a charge.
func (s *Service) ReleasesOf(ctx context.Context, db pg.DB, charge string) ([]string, error) {
	return releasesOf(ctx, db, charge)
}
