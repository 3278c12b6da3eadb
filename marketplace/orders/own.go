package orders

import (
	"context"
	"slices"

	"tiwiza/pkg/fault"
	"tiwiza/pkg/pg"
)

// ErrOwnGoods says that a seller would have the market pay it for its own purchase.
var ErrOwnGoods = fault.New(fault.Invalid, "orders.own_goods", "The market pays nothing for goods that their own seller buys; order them without its promotion.")

// works says that the buyer works for a seller: the market then takes nothing off
// its goods, for the seller would have that as a bonus.
func (m Market) works(seller string) bool { return slices.Contains(m.Works, seller) }

// strangers refuses a checkout of which the market pays a part to the very company
// that is invoiced.
func (s *Service) strangers(ctx context.Context, db pg.DB, drafts []Draft, buyer *Company) error {
	if buyer == nil {
		return nil
	}
	var helped []string
	for _, d := range drafts {
		if d.Bonus > 0 {
			helped = append(helped, d.Seller)
		}
	}
	if len(helped) == 0 {
		return nil
	}
	known, err := s.Sellers.Imprints(ctx, db, helped)
	for _, k := range known {
		if digits(k.Legal.ICE) == buyer.ICE {
			return ErrOwnGoods.At("/contact/company/ice", "This is the ICE of the seller.")
		}
	}
	return err
}
