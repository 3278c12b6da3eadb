package orders

import (
	"context"

	"tiwiza/payments/disputes"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/pg"
)

// DisputeInput says what is wrong with an order.
type DisputeInput struct {
	Order  string `path:"order"`
	Reason string `json:"reason" required:"true" pattern:"^[a-z][a-z_]{1,39}$" description:"not_received, damaged, wrong_item, not_as_described, incomplete, other."`
	Wish   string `json:"wish,omitempty" default:"refund" pattern:"^[a-z][a-z_]{1,39}$" description:"refund, partial_refund, replacement."`
	Text   string `json:"text,omitempty" maxLength:"4000"`
}

// Dispute says, as its buyer, that something is wrong with an order: its money
// stays where it is until that is settled.
func (s *Service) Dispute(ctx context.Context, in DisputeInput) (v disputes.View, err error) {
	err = s.db.InTx(ctx, func(tx *pg.Tx) error {
		o, policy, err := s.lock(ctx, tx, in.Order, "dispute")
		if err != nil {
			return err
		}
		if in.Wish == "" {
			in.Wish = "refund"
		}
		if err := s.giveWay(ctx, tx, o); err != nil {
			return err
		}
		d, err := s.Disputes.Open(ctx, tx, disputes.Opening{Order: o.ID, Reason: in.Reason, Wish: in.Wish, Text: in.Text})
		if err != nil {
			return err
		}
		note(ctx, tx, o.ID, "disputed")
		audit.Record(tx, "orders.dispute", o.ID, policy, map[string]string{"dispute": d.ID, "reason": in.Reason})
		v = d.View()
		return nil
	})
	return v, err
}
