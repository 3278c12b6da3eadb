package escrow

import (
	"context"
	"slices"

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
	covers := coverOf(open, amount)
	s.CoverAll(tx, covers)
	return covers, nil
}

// coverOf takes an amount out of releases, in their order, as far as they go.
func coverOf(open []release, amount int64) (covers []Cover) {
	for _, r := range open {
		take := min(amount, r.Amount)
		if take == 0 {
			break
		}
		amount -= take
		covers = append(covers, Cover{r.ID, take, r.Settled})
	}
	return covers
}

// A Covering is the settled money that payouts to one seller can cover.
type Covering struct {
	Payable int64 // centimes, also what another payout is taking at this moment
	open    []release
}

// Of are the covers of an amount, oldest first, and the orders whose money that
// is. They are less than the amount if another payout is taking some of it at
// this moment.
func (c Covering) Of(amount int64) (covers []Cover, orders []string) {
	covers = coverOf(c.open, amount)
	for _, r := range c.open[:len(covers)] {
		orders = append(orders, r.OrderID)
	}
	slices.Sort(orders)
	return covers, slices.Compact(orders)
}

// Coverings locks what payouts to some sellers can cover of settled money, by
// seller. Nothing is taken yet: CoverAll does that.
func (s *Service) Coverings(ctx context.Context, tx *pg.Tx, currency string, sellers ...string) (map[string]Covering, error) {
	return coverings(ctx, tx, currency, sellers)
}

// CoverAll takes releases for payouts, each as much of it as a cover says. They
// are locked by the caller's unit of work.
func (s *Service) CoverAll(tx *pg.Tx, covers []Cover) { cover(tx, covers) }

// Uncover gives back what a payout covered that was refused or came back.
func (s *Service) Uncover(tx *pg.Tx, covers []Cover) {
	back := make([]Cover, len(covers))
	for i, c := range covers {
		back[i] = Cover{Release: c.Release, Amount: -c.Amount}
	}
	cover(tx, back)
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
