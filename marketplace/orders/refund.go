package orders

import (
	"context"

	"tiwiza/payments/approvals"
	"tiwiza/payments/charges"
	"tiwiza/payments/escrow"
	"tiwiza/payments/limits"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/id"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

// Errors of refunds.
var (
	ErrNoRefund = fault.New(fault.Conflict, "orders.not_paid", "This order was not paid; there is nothing to give back.")
	ErrGoodwill = fault.New(fault.Invalid, "orders.goodwill", "Only the operator can give back what the platform bears.")
)

// kindRefund is what two people decide: a large refund of what was released.
const kindRefund = "orders.refund"

// twoAbove is the amount in centimes above which two people decide on a refund
// of what was released already, together with what went back of it before.
const twoAbove = 5_000_00

// Approvals is the second person.
type Approvals interface {
	Handle(kind string, h func(ctx context.Context, tx *pg.Tx, r approvals.Request) error)
	Ask(ctx context.Context, tx *pg.Tx, a approvals.Ask) (approvals.Request, error)
}

// RefundInput gives some of an order's money back.
type RefundInput struct {
	Order    string      `path:"order"`
	Amount   money.Money `json:"amount" required:"true"`
	Reason   string      `json:"reason" required:"true" minLength:"1" maxLength:"500"`
	Delivery bool        `json:"delivery,omitempty" description:"The delivery fee is part of what goes back, by its share. Without it the goods come first."`
	Goodwill bool        `json:"goodwill,omitempty" description:"The operator's: nobody was at fault, and the platform bears a delivery fee that goes back."`
}

// Refund gives some or all of an order's money back to its buyer: its seller
// what is still held, the operator also what was released, which the seller then
// gives back. A large refund of what was released waits for a second person. An
// order of which all goes back before it is shipped is cancelled.
func (s *Service) Refund(ctx context.Context, tx *pg.Tx, in RefundInput) (v charges.RefundView, err error) {
	o, policy, err := s.lock(ctx, tx, in.Order, "refund")
	if err != nil {
		return v, err
	}
	h, err := s.hold(ctx, tx, o.ID)
	switch {
	case err != nil:
		return v, err
	case h.FundedAt == nil:
		return v, ErrNoRefund.At("/state", string(o.State))
	case in.Amount.Currency() != h.Currency:
		return v, escrow.ErrAmount.At("/amount/currency", "the order is in "+h.Currency)
	}
	seller := auth.From(ctx).Role == auth.Seller
	if seller && in.Goodwill {
		return v, ErrGoodwill.At("/goodwill", "leave it out")
	}
	back := escrow.Back{Amount: in.Amount.Centimes(), Delivery: in.Delivery, Goodwill: in.Goodwill, HeldOnly: seller}
	if !seller && back.Amount <= h.Claim() {
		within := h.ForGoods()
		if back.Delivery {
			within = h.Held()
		}
		if two, err := s.needsTwo(ctx, tx, h, back.Amount, within); err != nil || two {
			if err == nil {
				v, err = s.askRefund(ctx, tx, h, back, in.Reason)
			}
			return v, err
		}
	}
	r, err := s.refund(ctx, tx, o, h, back, in.Reason)
	if err != nil {
		return v, err
	}
	audit.Record(tx, "orders.refund", o.ID, policy, map[string]string{"refund": r.ID, "amount": in.Amount.String(), "reason": in.Reason})
	return r.View(), nil
}

// needsTwo says whether two people decide on an agent's refund, of which so much is
// within what is held: of what was released a large one, and what is above what one has given back that day. What
// one decides alone counts.
func (s *Service) needsTwo(ctx context.Context, tx *pg.Tx, h escrow.Hold, amount, within int64) (bool, error) {
	if amount <= within || amount+h.Recovered > twoAbove {
		return amount > within, nil
	}
	alone, err := s.Limits.Alone(ctx, tx, limits.OfGiveBacks, auth.From(ctx).Person(), money.FromCentimes(amount-within, h.Currency))
	return !alone, err
}

// refund gives money back, and ends an order of which all of it goes back before
// it is shipped.
func (s *Service) refund(ctx context.Context, tx *pg.Tx, o Order, h escrow.Hold, b escrow.Back, reason string) (r charges.Refund, err error) {
	_, err = o.Do(Cancel)
	whole := err == nil && b.Amount == h.Claim()
	b.Delivery = b.Delivery || whole
	if r, err = s.giveBack(ctx, tx, h, b, reason); err != nil {
		return r, err
	}
	if !whole {
		if o.Digital != None && b.Amount == h.Claim() { // it is not had for nothing
			err = s.Digital.Close(ctx, tx, o.ID, false)
		}
		return r, err
	}
	return r, s.cancelled(ctx, tx, o)
}

// A wanted refund is what the second person approves.
type wanted struct {
	Refund   string `json:"refund"`
	Order    string `json:"order"`
	Amount   int64  `json:"centimes"`
	Delivery bool   `json:"delivery"`
	Goodwill bool   `json:"goodwill"`
	Reason   string `json:"reason"`
	Return   string `json:"return,omitempty"` // whose goods are paid back
}

func (s *Service) askRefund(ctx context.Context, tx *pg.Tx, h escrow.Hold, b escrow.Back, reason string) (v charges.RefundView, err error) {
	return s.askFor(ctx, tx, h, wanted{id.New(id.Refund), h.Order, b.Amount, b.Delivery, b.Goodwill, reason, ""})
}

// askFor asks the second person for a refund.
func (s *Service) askFor(ctx context.Context, tx *pg.Tx, h escrow.Hold, w wanted) (v charges.RefundView, err error) {
	amount := money.FromCentimes(w.Amount, h.Currency)
	ask, err := approvals.Ask{
		Kind: kindRefund, Subject: h.Order, Amount: &amount,
		Why: refundAsked.Of(amount, h.Order, w.Reason),
	}.Of(w)
	if err != nil {
		return v, err
	}
	r, err := s.Approvals.Ask(ctx, tx, ask)
	return charges.RefundView{
		ID: w.Refund, Order: h.Order, Charge: h.Charge, State: charges.RefundCreated, Amount: amount, Rail: "card", Reason: w.Reason,
		Approval: r.ID, CreatedAt: tx.Now(), ChangedAt: tx.Now(),
	}, err
}

// refundDecided carries out what two people have decided.
func (s *Service) refundDecided(ctx context.Context, tx *pg.Tx, r approvals.Request) error {
	if r.State != approvals.Approved {
		return nil
	}
	var w wanted
	if r.Read(&w) != nil || w.Order != r.Subject {
		return approvals.ErrChanged
	}
	if w.Return != "" {
		return s.returnDecided(ctx, tx, w)
	}
	all, err := lockOrders(ctx, tx, []string{w.Order})
	if err != nil || len(all) == 0 {
		return err
	}
	h, err := s.hold(ctx, tx, w.Order)
	if err != nil {
		return err
	}
	_, err = s.refund(ctx, tx, all[0], h, escrow.Back{Refund: w.Refund, Amount: w.Amount, Delivery: w.Delivery, Goodwill: w.Goodwill}, w.Reason)
	return err
}
