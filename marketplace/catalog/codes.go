package catalog

import (
	"context"

	"tiwiza/pkg/pg"
)

// coded checks that a digital article that is stocked, as codes are, has no stock
// but its codes: so many were there before.
func (o Offer) coded(v Variant, had int) (f findings) {
	if o.Kind == Digital && v.Policy == Stocked && v.OnHand != had {
		f.add("/on_hand", "What is sold by codes has as many as codes are added; leave the stock at %d.", had)
	}
	return f
}

// counted refuses to count what codes are the stock of.
func (v variantRow) counted() error {
	if v.Kind == Digital && v.Policy == Stocked {
		return ErrCodes
	}
	return nil
}

// Fill says how many codes of a variant of a seller came, or went: a step of
// whoever keeps them. More than nobody holds cannot go.
func (s *Service) Fill(ctx context.Context, tx *pg.Tx, variant, seller string, by int) error {
	v, err := lockVariant(ctx, tx, variant)
	switch {
	case err != nil:
		return err
	case v.Seller != seller:
		return ErrNotFound
	case v.Kind != Digital || v.Policy != Stocked:
		return ErrNoCodes
	case v.OnHand+by < v.Reserved || v.OnHand+by > mostStock:
		return ErrStockHeld
	case by == 0:
		return nil
	}
	saveStock(tx, v.ID, v.OnHand+by, move{v.ID, by, "moved", ""})
	if err := tx.Publish(ctx, StockChanged{v.ID, v.Offer, v.Seller, "", by, v.OnHand + by, max(v.Free+by, 0), "moved"}); err != nil {
		return err
	}
	if (v.Free > 0) != (v.Free+by > 0) {
		return s.flipped(ctx, tx, []flip{{v.ID, v.Offer}}, v.Free+by > 0)
	}
	return nil
}
