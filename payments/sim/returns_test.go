package sim_test

import (
	"context"
	"fmt"
	"slices"

	"tiwiza/payments/charges"
	"tiwiza/payments/escrow"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

// Goods that go back to their seller: what becomes of their money.

// A sentBack is goods on their way back.
type sentBack struct {
	id    string
	order *order
	open  bool
}

// sendsBack is a buyer who asks to return the goods: their money stays where it is
// until that has ended.
func (m *machine) sendsBack() {
	x := m.anyOrder(func(x *order) bool { return x.claim() > 0 && len(x.cases) == 0 })
	if x == nil {
		return
	}
	b := &sentBack{fmt.Sprint("ret_", len(m.o.sentBack)), x, true}
	m.do(buyer, func(ctx context.Context, tx *pg.Tx) (said, error) {
		h, err := m.hub.escrows.Freeze(ctx, tx, x.id, escrow.Case{ID: b.id, Kind: "return", State: "open"})
		return said{State: string(h.State)}, err
	}, func() string {
		if !slices.Contains(paidFor, x.state) {
			return "escrow.state"
		}
		m.o.sentBack = append(m.o.sentBack, b)
		m.o.freeze(x, b.id)
		return ""
	})
}

// gotBack ends a return: the buyer keeps the goods after all, or its seller has
// them again and their money goes back in the same commit.
func (m *machine) gotBack() {
	b := pick(m, "return", m.o.sentBack, func(b *sentBack) bool { return b.open })
	if b == nil || !b.open {
		return
	}
	x, kept, delivery, amount := b.order, m.rare("kept"), m.bool("delivery"), int64(0)
	if !kept {
		amount = m.amount(x.claim())
	}
	m.do(sellers[0], func(ctx context.Context, tx *pg.Tx) (said, error) {
		if err := m.hub.charges.Lock(ctx, tx, x.charge.id); err != nil {
			return said{}, err
		}
		h, err := m.hub.escrows.Thaw(ctx, tx, x.id, b.id)
		if err != nil || kept {
			return said{State: string(h.State)}, err
		}
		back := escrow.Back{Refund: newRefund(), Order: x.id, Amount: amount, Delivery: delivery}
		if _, err := m.hub.escrows.TakeBack(ctx, tx, back); err != nil {
			return said{}, err
		}
		r, err := m.hub.charges.Refund(ctx, tx, charges.RefundOrder{ID: back.Refund, Order: x.id, Charge: x.charge.id, Amount: money.Dirhams(amount), Reason: "x", By: "seller"})
		return said{ID: r.ID, State: string(r.State)}, err
	}, func() string {
		if !kept {
			if code := x.keeps(amount, len(x.cases)-1, false); code != "" {
				return code
			}
		}
		b.open = false
		m.o.thaw(x, b.id)
		if kept {
			return ""
		}
		return m.o.takeBack(x, amount, delivery, false, false)
	})
}
