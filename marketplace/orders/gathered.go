package orders

import (
	"context"
	"errors"
	"log/slog"

	"tiwiza/marketplace/agreements"
	"tiwiza/payments/charges"
	"tiwiza/payments/escrow"
	"tiwiza/pkg/pg"
)

// Gathers is the kind of the agreements by which a place in a group buy is
// bought; the place is their source.
const Gathers = "group_buy"

// Groups are purchases that several buyers make together. Each move of an order
// that has a place in one is told to it in the same unit of work, which it may
// refuse.
type Groups interface {
	Take(ctx context.Context, tx *pg.Tx, seat, order string) error
	Moved(ctx context.Context, tx *pg.Tx, o Order) error
}

// seat is the place in a group that an agreement is about, if it is.
func seat(a *agreements.Agreement) string {
	if a == nil || a.Kind != Gathers {
		return ""
	}
	return a.Source
}

// seatOf is the place in a group that lines are about, if they are.
func seatOf(lines []QuoteLine) string {
	for _, l := range lines {
		if s := seat(l.agreed); s != "" {
			return s
		}
	}
	return ""
}

// together is why goods that are bought together cannot be paid in a way: all of
// it is paid before it is decided what becomes of the group.
func (m Market) together(q Quote, method string) string {
	for _, l := range q.Lines {
		switch {
		case seat(l.agreed) == "":
		case method == charges.Cash:
			return "A place in a group is paid before the goods are sent."
		case method == charges.Transfer && m.At.Add(charges.TransferWindow).After(l.agreed.Until):
			return "A transfer may take three days, and this group is decided before; pay by card or wallet."
		}
	}
	return ""
}

// take has orders that have a place in a group take it. It comes after all other
// locks.
func (s *Service) take(ctx context.Context, tx *pg.Tx, drafts []Draft) error {
	for _, d := range drafts {
		if d.Seat == "" {
			continue
		}
		if err := s.Groups.Take(ctx, tx, d.Seat, d.ID); err != nil {
			return err
		}
	}
	return nil
}

// follow has the group of an order that has a place in one follow it.
func (s *Service) follow(ctx context.Context, tx *pg.Tx, o Order) error {
	if o.Seat == "" {
		return nil
	}
	return s.Groups.Moved(ctx, tx, o)
}

// Proceed has an order that waited for its group go to its seller, who now has
// as long as for any other; false, when it is not paid any more. It is a step of
// whoever leads the group. Again is harmless.
func (s *Service) Proceed(ctx context.Context, tx *pg.Tx, order string) (bool, error) {
	all, err := lockOrders(ctx, tx, []string{order})
	if err != nil || len(all) == 0 || all[0].State != Paid {
		return false, err
	}
	o := all[0]
	if !o.Waits {
		return true, nil
	}
	o.Waits = false
	o.Version++
	save(tx, o)
	watch(tx, o)
	note(ctx, tx, o.ID, "gathered")
	return true, tx.Publish(ctx, OrderGathered{Moved{o.ID, o.Group, o.Seller, o.Buyer}})
}

// A Difference is what went back of an order whose group reached a lower price.
type Difference struct {
	Centimes int64
	Waits    bool // for a case about the order to end
}

// PayBack gives the difference to a lower price back to an order's buyer, out of
// what is held for it: all who have a share in it bear their part. It is a step
// of whoever leads the group, and done once.
func (s *Service) PayBack(ctx context.Context, tx *pg.Tx, order string, centimes int64) (d Difference, err error) {
	if centimes <= 0 {
		return d, nil
	}
	all, err := lockOrders(ctx, tx, []string{order})
	if err != nil || len(all) == 0 {
		return d, err
	}
	h, err := s.hold(ctx, tx, order)
	if err != nil {
		return d, err
	}
	if len(h.Cases) > 0 {
		return Difference{Waits: true}, nil
	}
	held := h.Held()
	if h.ShippedAt != nil { // what brings the goods is paid
		held = max(0, held-all[0].Delivery)
	}
	d.Centimes = min(centimes, held)
	if d.Centimes < centimes { // its buyer let some go, or people ruled on it
		slog.WarnContext(ctx, "less is held for an order than goes back of it", "order", order, "difference", centimes, "held", held)
		note(ctx, tx, order, "difference_short")
	}
	if d.Centimes == 0 {
		return d, nil
	}
	_, err = s.giveBack(ctx, tx, h, escrow.Back{Amount: d.Centimes, HeldOnly: true}, "group_price")
	if errors.Is(err, escrow.ErrFrozen) {
		return Difference{Waits: true}, nil
	}
	if err != nil {
		return d, err
	}
	o := all[0]
	o.Rebate = d.Centimes
	o.Version++
	save(tx, o)
	return d, nil
}

// CallOff cancels a paid order whose group failed, and gives its money back. It
// is a step of whoever leads the group, by whose timer it is asked again while a
// case is open.
func (s *Service) CallOff(ctx context.Context, tx *pg.Tx, timer, order, reason string) error {
	return s.overdue(ctx, tx, timer, order, reason, Paid)
}

// A Face is an order as those see it who hand its goods out.
type Face struct {
	State State
	Waits bool
	Name  string
	Phone string

	Agreement string // by which it is bought, if by one
}

// Faces reads orders with whom they are for.
func (s *Service) Faces(ctx context.Context, db pg.DB, ids []string) (map[string]Face, error) {
	return faces(ctx, db, ids)
}

// OrderGathered says that the group of an order that waited was ordered: the
// order is its seller's now.
type OrderGathered struct{ Moved }

// EventType names the event.
func (OrderGathered) EventType() string { return "orders.gathered" }
