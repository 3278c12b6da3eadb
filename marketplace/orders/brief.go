package orders

import (
	"context"
	"time"

	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

// A Brief is an order as it is told to its buyer or its seller in a line.
type Brief struct {
	ID          string
	Buyer       string
	Seller      string
	SellerNames map[string]string
	State       State
	Waits       bool // for its group buy
	Total       money.Money
	Code        string // that the buyer shows
	Phone       string // of whom the buyer named for the parcel
	Email       string
	CreatedAt   time.Time
}

// Brief reads what there is to tell of an order: ErrNotFound.
func (s *Service) Brief(ctx context.Context, db pg.DB, order string) (Brief, error) {
	return brief(ctx, db, order)
}

// BriefOfCharge reads what there is to tell of the first order that a charge is
// for: ErrNotFound.
func (s *Service) BriefOfCharge(ctx context.Context, db pg.DB, charge string) (Brief, error) {
	return briefOfCharge(ctx, db, charge)
}

// Briefs reads what there is to tell of some orders; those that are not there are
// left out.
func (s *Service) Briefs(ctx context.Context, db pg.DB, ids []string) ([]Brief, error) {
	return briefs(ctx, db, ids)
}
