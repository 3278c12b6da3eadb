package invariants_test

import (
	"context"

	"tiwiza/adapters/bank"
	"tiwiza/payments/approvals"
	"tiwiza/payments/charges"
	"tiwiza/payments/escrow"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

// said is money of somebody who wrote something.
func said(centimes int64, text string) bank.Entry {
	m := money.Dirhams(centimes)
	return entry(centimes, bank.Detail{Amount: m, Gross: m, Fee: money.Dirhams(0), Info: text})
}

// by makes a checkout that is paid in a way.
func (w *world) by(method, group string, orders ...escrow.Terms) charges.Charge {
	w.t.Helper()
	w.method = method
	defer func() { w.method = "" }()
	return w.checkout(group, orders...)
}

// taken tells the market that the goods of cash orders left, and how they are.
func (w *world) taken(state string, orders ...string) {
	w.t.Helper()
	w.sql(`update orders.seller_order set payment = 'cash_on_delivery', state = $2 where id = any ($1)`, orders, state)
	w.sql(`update catalog.reservation set state = 'taken' where order_id = any ($1)`, orders)
	w.sql(`update catalog.variant set on_hand = on_hand - 2, reserved = 0 where sku = any ($1)`, orders)
	w.sql(`insert into catalog.stock_move (variant, delta, reason, ref) select 'var ' || o, -2, 'sold', o from unnest($1::text[]) o`, orders)
}

// ways has sales paid by transfer and in cash: in parts, too much, without a
// reference; remitted, given up, refused.
func (w *world) ways() {
	w.t.Helper()
	whole, loose := w.by(charges.Transfer, "GW5", terms("WF", "s3", 5000)), w.by(charges.Transfer, "GW6", terms("WH", "s3", 4000))
	w.statement(said(3000, whole.Ref), said(2500, "solde "+whole.Ref), said(1700, "virement"))
	w.paid("WF")
	line, err := pg.Value[string](w.t.Context(), w.db, nil, `select line from charges.credit where amount = 1700`)
	w.ok(err)
	w.tx(func(ctx context.Context, tx *pg.Tx) error {
		_, err := w.charges.Match(ctx, tx, line, loose.ID)
		return err
	})

	cash := []string{"WJ", "WK", "WL", "WM", "WN"}
	var sold []escrow.Terms
	for _, o := range cash {
		sold = append(sold, terms(o, "s3", 6000))
	}
	w.by(charges.Cash, "GW7", sold...)
	w.taken("delivered", "WJ", "WK", "WL")
	w.taken("refused", "WM")
	w.taken("shipped", "WN")
	as := func(who string, step func(ctx context.Context, tx *pg.Tx) error) {
		ctx := auth.With(w.t.Context(), auth.Principal{Subject: who, Role: auth.Operator})
		w.ok(w.db.InTx(ctx, func(tx *pg.Tx) error { return step(ctx, tx) }))
	}
	as("per_a", func(ctx context.Context, tx *pg.Tx) error {
		for _, o := range cash[:3] {
			if _, err := w.charges.Collect(ctx, tx, o, 6000); err != nil {
				return err
			}
		}
		_, err := w.charges.Refuse(ctx, tx, "WM", "absent", true)
		return err
	})
	var list charges.RemittanceView
	as("per_a", func(ctx context.Context, tx *pg.Tx) (err error) {
		fee := money.Dirhams(300)
		list, err = w.charges.Remit(ctx, tx, charges.RemitInput{Carrier: "demo", Orders: []string{"WJ", "WK"}, Handling: &fee})
		return err
	})
	w.statement(said(list.Net.Centimes()-100, "remise "+list.Reference))
	var ask charges.CashView
	as("per_a", func(ctx context.Context, tx *pg.Tx) (err error) {
		ask, err = w.charges.WriteOff(ctx, tx, charges.WriteOffInput{Order: "WL", Reason: "exemple"})
		return err
	})
	as("per_b", func(ctx context.Context, tx *pg.Tx) error {
		_, err := w.people.Decide(ctx, tx, approvals.DecideInput{Approval: ask.Approval, Decision: "approve"})
		return err
	})
}
