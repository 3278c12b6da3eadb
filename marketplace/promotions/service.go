package promotions

import (
	"context"

	"tiwiza/marketplace/members"
	"tiwiza/payments/approvals"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/job"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

// Sellers says who sells.
type Sellers interface {
	Sellers(ctx context.Context, db pg.DB, ids []string) (map[string]members.Seller, error)
}

// Approvals is the second person.
type Approvals interface {
	Handle(kind string, h func(ctx context.Context, tx *pg.Tx, r approvals.Request) error)
	Ask(ctx context.Context, tx *pg.Tx, a approvals.Ask) (approvals.Request, error)
	Void(ctx context.Context, tx *pg.Tx, kind, subject string) error
}

// Service is what others may ask of promotions.
type Service struct {
	db        *pg.Store
	sellers   Sellers
	approvals Approvals
}

// New makes the service.
func New(db *pg.Store, sellers Sellers) *Service { return &Service{db: db, sellers: sellers} }

// For reads what sellers and the market offer by itself or by some codes, and how
// often a buyer used it.
func (s *Service) For(buyer string, sellers, codes []string, out *[]Available) pg.Read {
	return available(buyer, sellers, append([]string{""}, codes...), out)
}

// A Use is one order's of a promotion.
type Use struct {
	Promotion, Order, Buyer string
	Amount                  int64 // centimes
	Counted                 bool  // it can be used so often, or cost so much, and no more
	Each                    bool  // by one buyer
	Own                     bool  // it is the buyer's own
}

// Use is what an order uses of a promotion.
func (p Promotion) Use(order, buyer string, amount int64) Use {
	return Use{Promotion: p.ID, Order: order, Buyer: buyer, Amount: amount, Counted: p.counted(), Each: p.PerBuyer != nil, Own: p.Person != ""}
}

// Redeem uses a promotion for an order, in the caller's unit of work, whose error
// is ErrUsedUp when somebody else was faster. Who redeems several does so in the
// order of their ids, after the stock. A promotion without limits is not locked.
func (s *Service) Redeem(ctx context.Context, tx *pg.Tx, u Use) error {
	redeem(tx, u)
	if !u.Own {
		return nil
	}
	return tx.Publish(ctx, Used{u.Promotion, u.Buyer, u.Order, money.Dirhams(u.Amount)})
}

// GiveBack frees what orders used that ended unpaid, and what it cost of a budget.
// Again is harmless.
func (s *Service) GiveBack(ctx context.Context, tx *pg.Tx, orders ...string) error {
	own, err := giveBack(ctx, tx, orders)
	for _, g := range own {
		job.Set(tx, timerLapse, g.ID, g.Until)
		if err := tx.Publish(ctx, GivenBack{g.ID, g.Person, g.OrderID, money.Dirhams(g.Amount)}); err != nil {
			return err
		}
	}
	return err
}

// Make adds a promotion of the caller's, or by the operator one of a seller's or
// of the market's.
func (s *Service) Make(ctx context.Context, tx *pg.Tx, in Input) (v View, err error) {
	if in.PaidBy == Market {
		return s.makeMarkets(ctx, tx, in)
	}
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
	p, err := in.promotion(Seller, seller, tx.Now())
	if err != nil {
		return v, err
	}
	p.AgreedAt = &p.MadeAt
	maker(tx, seller)
	insert(tx, p)
	audit.Record(tx, "promotions.make", p.ID, authz.Policy(ctx), in)
	return p.view(), tx.Publish(ctx, Changed{p.ID, p.Seller, false})
}

// End ends a promotion: no order uses it any more. Ending it again is harmless.
// One that was given to a person is not its maker's to end.
func (s *Service) End(ctx context.Context, tx *pg.Tx, in One) (v View, err error) {
	p, err := lock(ctx, tx, in.Promotion)
	if err != nil {
		return v, err
	}
	if seller, ok := auth.From(ctx).Of(p.Seller); !ok || seller != p.Seller || p.Person != "" {
		return v, ErrNotFound
	}
	if p.EndedAt != nil {
		return p.view(), nil
	}
	if p.waits() {
		if err := s.approvals.Void(ctx, tx, kindMarket, p.ID); err != nil {
			return v, err
		}
	}
	at := tx.Now()
	p.EndedAt = &at
	end(tx, p.ID, at)
	audit.Record(tx, "promotions.end", p.ID, authz.Policy(ctx), nil)
	return p.view(), tx.Publish(ctx, Changed{p.ID, p.Seller, true})
}
