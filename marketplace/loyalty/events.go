package loyalty

import (
	"context"
	"time"

	"tiwiza/marketplace/orders"
	"tiwiza/payments/charges"
	"tiwiza/payments/escrow"
	"tiwiza/pkg/event"
	"tiwiza/pkg/pg"
)

// Balance says what a person has now: the whole, not the change. Of two the one
// with the higher version holds.
type Balance struct {
	Person  string `json:"person"`
	Points  int64  `json:"points"`
	Owed    int64  `json:"owed"`
	Tier    string `json:"tier,omitempty"`
	Version int64  `json:"version"`
}

// EventType names the event.
func (Balance) EventType() string { return "loyalty.balance" }

// Subject is the person.
func (e Balance) Subject() string { return e.Person }

// Expiring says that points will be over soon.
type Expiring struct {
	Person string    `json:"person"`
	Points int64     `json:"points"`
	On     time.Time `json:"on"` // the first of them
}

// EventType names the event.
func (Expiring) EventType() string { return "loyalty.expiring" }

// Subject is the person.
func (e Expiring) Subject() string { return e.Person }

// TermsChanged says that what points are earned or worth changes on a day.
type TermsChanged struct {
	What  string    `json:"what"` // rule, tier or terms
	ID    string    `json:"id"`
	Since time.Time `json:"since"`
}

// EventType names the event.
func (TermsChanged) EventType() string { return "loyalty.terms_changed" }

// Subject is what changes.
func (e TermsChanged) Subject() string { return e.What + " " + e.ID }

// Tell publishes what people hear of their points.
func Tell(bus *event.Bus) {
	event.Tell(bus, 1, "Somebody's points changed; this is what there is now.", func(_ context.Context, _ *pg.Tx, e Balance) (map[string]Balance, error) {
		return map[string]Balance{e.Person: e}, nil
	})
	event.Tell(bus, 1, "Points will be over within 30 days.", func(_ context.Context, _ *pg.Tx, e Expiring) (map[string]Expiring, error) {
		return map[string]Expiring{e.Person: e}, nil
	})
}

// Subscribe has loyalty hear of orders, of money that goes back, and of what
// becomes of what points were spent on.
func Subscribe(bus *event.Bus, s *Service) {
	event.Subscribe(bus, "loyalty", s.completed)
	event.Subscribe(bus, "loyalty", s.returning)
	event.Subscribe(bus, "loyalty", s.ended)
	event.Subscribe(bus, "loyalty", s.contested)
	event.Subscribe(bus, "loyalty", s.used)
	event.Subscribe(bus, "loyalty", s.lapsed)
}

// completed has a buyer earn what an order was worth.
func (s *Service) completed(ctx context.Context, tx *pg.Tx, e orders.OrderCompleted) error {
	return s.settle(ctx, tx, e.Order)
}

// returning takes points back with money that goes back.
func (s *Service) returning(ctx context.Context, tx *pg.Tx, e escrow.Returning) error {
	return s.settle(ctx, tx, e.Order)
}

// ended looks once more when nothing of an order's money moves any more.
func (s *Service) ended(ctx context.Context, tx *pg.Tx, e escrow.Ended) error {
	return s.settle(ctx, tx, e.Order)
}

// contested looks at the orders of a payment that a bank took back, or did not.
func (s *Service) contested(ctx context.Context, tx *pg.Tx, e charges.ChargebackEnded) error {
	for _, o := range e.Orders {
		if err := s.settle(ctx, tx, o); err != nil {
			return err
		}
	}
	return nil
}

// tell says what a person has.
func (s *Service) tell(ctx context.Context, tx *pg.Tx, a Account) error {
	tier, err := s.tierNow(ctx, tx, a.Person)
	if err != nil {
		return err
	}
	return tx.Publish(ctx, Balance{a.Person, a.Points, a.Owed, tier.Code, a.Version})
}
