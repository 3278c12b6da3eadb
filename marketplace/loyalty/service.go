package loyalty

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tiwiza/marketplace/orders"
	"tiwiza/payments/approvals"
	"tiwiza/payments/escrow"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/id"
	"tiwiza/pkg/pg"
)

// Orders says what was bought.
type Orders interface {
	Bought(ctx context.Context, db pg.DB, order string) (orders.Purchase, error)
}

// Escrows says what of an order's money stayed.
type Escrows interface {
	OfOrders(ctx context.Context, db pg.DB, orders []string) (map[string]escrow.Hold, error)
}

// Approvals is the second person.
type Approvals interface {
	Handle(kind string, h func(ctx context.Context, tx *pg.Tx, r approvals.Request) error)
	Ask(ctx context.Context, tx *pg.Tx, a approvals.Ask) (approvals.Request, error)
}

// Needs are the others that loyalty works with.
type Needs struct {
	Orders    Orders
	Escrows   Escrows
	Approvals Approvals
	Gifts     Gifts
}

// Service is what others may ask of loyalty.
type Service struct {
	db *pg.Store
	Needs
}

// New makes the service.
func New(db *pg.Store, n Needs) *Service {
	s := &Service{db, n}
	n.Approvals.Handle(kindAdjust, s.adjustDecided)
	return s
}

// settle brings the points of an order to what they shall be: those that it earns,
// once it is complete, and those that were spent on it. It looks at the order's
// money each time.
func (s *Service) settle(ctx context.Context, tx *pg.Tx, order string) error {
	lockOrder(tx, order)
	b, err := s.Orders.Bought(ctx, tx, order)
	if errors.Is(err, orders.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	holds, err := s.Escrows.OfOrders(ctx, tx, []string{order})
	if err != nil {
		return err
	}
	if err := s.refund(ctx, tx, order, holds[order], b.Total); err != nil {
		return err
	}
	all, err := salesOf(ctx, tx, order)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		if b.State != orders.Completed {
			return nil // what went back by then is looked at when it is complete
		}
		fresh, err := s.appraise(ctx, tx, b)
		if err != nil {
			return err
		}
		insertSale(tx, fresh)
		all = []sale{fresh}
	}
	return s.level(ctx, tx, all[0], holds[order].Claim())
}

// appraise says what a complete order is worth: by the rules of the moment it was
// made, and the tier that its buyer has without it.
func (s *Service) appraise(ctx context.Context, tx *pg.Tx, b orders.Purchase) (v sale, err error) {
	v = sale{OrderID: b.Order, Person: b.Buyer, Seller: b.Seller, Total: b.Total, CompletedAt: tx.Now()}
	rules, err := rulesFor(ctx, tx, b.Seller, b.At)
	if err != nil {
		return v, err
	}
	tiers, err := tiersAt(ctx, tx, tx.Now())
	if err != nil {
		return v, err
	}
	sum, err := spent(ctx, tx, b.Buyer, year(tx.Now()))
	if err != nil {
		return v, err
	}
	parts := make([]Part, len(b.Lines))
	for i, l := range b.Lines {
		parts[i] = Part{l.Category, l.Paid}
	}
	v.Earned = worth(rules, b.Seller, parts, tierOf(tiers, sum).Bonus, b.At)
	return v, nil
}

// level moves the points of a sale to what its buyer has kept of it.
func (s *Service) level(ctx context.Context, tx *pg.Tx, v sale, kept int64) error {
	kept = min(max(kept, 0), v.Total)
	want := due(v.Earned, kept, v.Total)
	if kept == v.Kept && want == v.Net {
		return nil
	}
	diff, first := want-v.Net, v.Version == 0
	v.Kept, v.Net = kept, want
	saveSale(tx, v)
	switch {
	case diff > 0 && first:
		return s.credit(ctx, tx, v.Person, Earned, v.OrderID, diff, "", nil)
	case diff > 0:
		return s.credit(ctx, tx, v.Person, Earned, again(v), diff, "", nil)
	case diff < 0:
		return s.debit(ctx, tx, v.Person, TakenBack, again(v), -diff, "", func(lots []Lot) []Lot { return youngest(lots, v.OrderID) })
	}
	return nil
}

// again names a later look at a sale.
func again(v sale) string { return fmt.Sprintf("%s/%d", v.OrderID, v.Version+1) }

// credit adds points to what a person has, which hold until expires; nil is as
// long as the terms say.
func (s *Service) credit(ctx context.Context, tx *pg.Tx, person string, kind Kind, ref string, n int64, note string, expires *time.Time) error {
	a, _, err := lockAccount(ctx, tx, person)
	if err != nil {
		return err
	}
	after, m := a.Credit(kind, n)
	if expires != nil {
		m.Expires = *expires
	} else {
		terms, err := termsAt(ctx, tx, tx.Now())
		if err != nil {
			return err
		}
		m.Expires = tx.Now().AddDate(0, terms.Months, 0)
	}
	_, err = s.keep(ctx, tx, a, after, m, ref, note)
	return err
}

// debit takes points from what a person has, out of its lots in the order that
// pick gives them.
func (s *Service) debit(ctx context.Context, tx *pg.Tx, person string, kind Kind, ref string, n int64, note string, pick func([]Lot) []Lot) error {
	a, lots, err := lockAccount(ctx, tx, person)
	if err != nil {
		return err
	}
	after, m, err := a.Debit(kind, n, pick(lots))
	if err != nil {
		return err
	}
	_, err = s.keep(ctx, tx, a, after, m, ref, note)
	return err
}

// keep writes a move down, sets the person's timers and tells.
func (s *Service) keep(ctx context.Context, tx *pg.Tx, before, after Account, m Move, ref, note string) (move string, err error) {
	m.ID, m.Ref, m.Note, m.At = id.New(id.Points), ref, note, tx.Now()
	insert(tx, auth.From(ctx).Person(), before.Version, m)
	if err := s.wake(ctx, tx, after.Person); err != nil {
		return "", err
	}
	return m.ID, s.tell(ctx, tx, after)
}

// tierNow is the tier of a person at this moment.
func (s *Service) tierNow(ctx context.Context, tx *pg.Tx, person string) (Tier, error) {
	tiers, err := tiersAt(ctx, tx, tx.Now())
	if err != nil || len(tiers) == 0 {
		return Tier{}, err
	}
	sum, err := spent(ctx, tx, person, year(tx.Now()))
	return tierOf(tiers, sum), err
}

// year is the beginning of the twelve months that tiers look at.
func year(now time.Time) time.Time { return now.AddDate(-1, 0, 0) }
