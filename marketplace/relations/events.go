package relations

import (
	"context"

	"tiwiza/marketplace/loyalty"
	"tiwiza/marketplace/members"
	"tiwiza/marketplace/orders"
	"tiwiza/pkg/event"
	"tiwiza/pkg/pg"
)

// WishChanged says that somebody wants to be written to, or does not any more.
type WishChanged struct {
	Person  string `json:"person"`
	Purpose string `json:"purpose"`
	Granted bool   `json:"granted"`
	Source  Source `json:"source"`
}

// EventType names the event.
func (WishChanged) EventType() string { return "relations.wish_changed" }

// Subject is the person.
func (e WishChanged) Subject() string { return e.Person }

// Erased says that somebody was forgotten at a system.
type Erased struct {
	Person  string `json:"person"`
	Partner string `json:"partner"`
	Erasure string `json:"erasure"`
}

// EventType names the event.
func (Erased) EventType() string { return "relations.erased" }

// Subject is the person.
func (e Erased) Subject() string { return e.Person }

// PartnerChanged says that an operator had a system rest, or go on.
type PartnerChanged struct {
	Partner  string `json:"partner"`
	Paused   bool   `json:"paused"`
	Transfer string `json:"transfer"`
}

// EventType names the event.
func (PartnerChanged) EventType() string { return "relations.partner_changed" }

// Subject is the system.
func (e PartnerChanged) Subject() string { return e.Partner }

// Tell publishes what people hear of their wishes.
func Tell(bus *event.Bus) {
	event.Tell(bus, 1, "Whether somebody wants to be written to was changed.", func(_ context.Context, _ *pg.Tx, e WishChanged) (map[string]WishChanged, error) {
		return map[string]WishChanged{e.Person: e}, nil
	})
	event.Tell(bus, 1, "Somebody was forgotten at a system outside.", func(_ context.Context, _ *pg.Tx, e Erased) (map[string]Erased, error) {
		return map[string]Erased{e.Person: e}, nil
	})
}

// Subscribe has relations hear of orders, points and people, while there is a system
// that is kept up to date. It only notes that there is something to say; that is said
// in its own time, from the truth then.
func Subscribe(bus *event.Bus, s *Service) {
	const who = "relations"
	event.SubscribeWhile(bus, who, s.any, func(ctx context.Context, tx *pg.Tx, e orders.Placed) error {
		return s.wantDeals(ctx, tx, e.Buyer, e.Orders...)
	})
	moved(bus, s, func(e orders.OrderPaid) orders.Moved { return e.Moved })
	moved(bus, s, func(e orders.OrderExpired) orders.Moved { return e.Moved })
	moved(bus, s, func(e orders.OrderConfirmed) orders.Moved { return e.Moved })
	moved(bus, s, func(e orders.OrderShipped) orders.Moved { return e.Moved })
	moved(bus, s, func(e orders.OrderCompleted) orders.Moved { return e.Moved })
	moved(bus, s, func(e orders.OrderRefunded) orders.Moved { return e.Moved })
	moved(bus, s, func(e orders.OrderRefused) orders.Moved { return e.Moved })
	moved(bus, s, func(e orders.OrderCancelled) orders.Moved { return e.Moved })
	event.SubscribeWhile(bus, who, s.any, func(ctx context.Context, tx *pg.Tx, e loyalty.Balance) error {
		all, err := s.systems(ctx, tx)
		for _, x := range all {
			if x.Points {
				wantIfAgreed(tx, x.ID, Points, e.Person, e.Person)
				s.soon(tx, x.ID)
			}
		}
		return err
	})
	event.Subscribe(bus, who, func(ctx context.Context, tx *pg.Tx, e members.GuestFound) error {
		all, err := s.systems(ctx, tx)
		claimDeals(tx, e.Guest, e.Person)
		s.wake(tx, all)
		return err
	})
}

// moved notes that an order went on.
func moved[E pg.Event](bus *event.Bus, s *Service, of func(E) orders.Moved) {
	event.SubscribeWhile(bus, "relations", s.any, func(ctx context.Context, tx *pg.Tx, e E) error {
		m := of(e)
		return s.wantDeals(ctx, tx, m.Buyer, m.Order)
	})
}

// wantDeals notes that there is something to say of orders, if their buyer agreed.
func (s *Service) wantDeals(ctx context.Context, tx *pg.Tx, buyer string, orders ...string) error {
	all, err := s.systems(ctx, tx)
	for _, x := range all {
		wantIfAgreed(tx, x.ID, Deal, buyer, orders...)
		s.soon(tx, x.ID)
	}
	return err
}
