package promotions

import (
	"context"

	"tiwiza/marketplace/members"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/pg"
)

// Sellers says who sells.
type Sellers interface {
	Sellers(ctx context.Context, db pg.DB, ids []string) (map[string]members.Seller, error)
}

// Service is what others may ask of promotions.
type Service struct {
	db      *pg.Store
	sellers Sellers
}

// New makes the service.
func New(db *pg.Store, sellers Sellers) *Service { return &Service{db, sellers} }

// For reads what sellers offer by itself or by some codes, and how often a buyer
// used it.
func (s *Service) For(buyer string, sellers, codes []string, out *[]Available) pg.Read {
	return available(buyer, sellers, append([]string{""}, codes...), out)
}

// A Use is one order's of a promotion.
type Use struct {
	Promotion, Order, Buyer string
	Amount                  int64 // centimes
	Counted                 bool  // it can be used so often and no more
	Each                    bool  // by one buyer
}

// Redeem uses a promotion for an order, in the caller's unit of work, whose error
// is ErrUsedUp when somebody else was faster. Who redeems several does so in the
// order of their ids, after the stock. A promotion without limits is not locked.
func (s *Service) Redeem(tx *pg.Tx, u Use) { redeem(tx, u) }

// GiveBack frees what an order used that ended unpaid. Again is harmless.
func (s *Service) GiveBack(tx *pg.Tx, order string) { giveBack(tx, order) }

// Make adds a promotion of the caller's, or by the operator one of a seller's.
func (s *Service) Make(ctx context.Context, tx *pg.Tx, in Input) (v View, err error) {
	seller, ok := auth.From(ctx).Of(in.Seller)
	if !ok {
		return v, ErrNotFound
	}
	known, err := s.sellers.Sellers(ctx, tx, []string{seller})
	if err != nil {
		return v, err
	}
	if _, ok := known[seller]; !ok {
		return v, ErrInvalid.At("/seller", "There is no such organisation.")
	}
	p, err := in.promotion(seller, tx.Now())
	if err != nil {
		return v, err
	}
	insert(tx, p)
	audit.Record(tx, "promotions.make", p.ID, authz.Policy(ctx), in)
	return p.view(), tx.Publish(ctx, Changed{p.ID, p.Seller, false})
}

// End ends a promotion: no order uses it any more. Ending it again is harmless.
func (s *Service) End(ctx context.Context, tx *pg.Tx, in One) (v View, err error) {
	p, err := lock(ctx, tx, in.Promotion)
	if err != nil {
		return v, err
	}
	if seller, ok := auth.From(ctx).Of(p.Seller); !ok || seller != p.Seller {
		return v, ErrNotFound
	}
	if p.EndedAt != nil {
		return p.view(), nil
	}
	at := tx.Now()
	p.EndedAt = &at
	end(tx, p.ID, at)
	audit.Record(tx, "promotions.end", p.ID, authz.Policy(ctx), nil)
	return p.view(), tx.Publish(ctx, Changed{p.ID, p.Seller, true})
}
