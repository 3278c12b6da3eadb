package charges_test

import (
	"context"
	"encoding/json"
	"time"

	"tiwiza/adapters/card"
	"tiwiza/payments/charges"
	"tiwiza/payments/escrow"
	"tiwiza/payments/ledger"
	"tiwiza/payments/operations"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/id"
	"tiwiza/pkg/money"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

var (
	buyer    = auth.Principal{Subject: "per_b", Role: auth.Buyer}
	agent    = auth.Principal{Subject: "org_o1", Role: auth.Operator}
	other    = auth.Principal{Subject: "org_o2", Role: auth.Operator}
	stranger = auth.Principal{Subject: "per_x", Role: auth.Buyer}
)

const (
	goodRIB  = "011519000001205000534921"
	otherRIB = "230780210345678901234517"
)

func (h *hub) tx(as auth.Principal, f func(ctx context.Context, tx *pg.Tx) error) error {
	ctx := auth.With(h.t.Context(), as)
	return h.db.InTx(ctx, func(tx *pg.Tx) error { return f(ctx, tx) })
}

func (h *hub) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

// paid makes a charge that is confirmed, and settled if wished.
func (h *hub) paid(settled bool, amounts ...int64) (charges.Receipt, []string) {
	h.t.Helper()
	c, orders := h.sale(amounts...)
	whole := int64(0)
	for _, a := range amounts {
		whole += a
	}
	h.acquirer.mu.Lock()
	h.acquirer.amount = whole
	h.acquirer.mu.Unlock()
	h.acquirer.set(charges.RefOf(c.ID), card.Captured)
	h.notify(c.ID, money.Dirhams(whole).Amount(), nil)
	h.becomes(c.ID, charges.Confirmed)
	if settled {
		h.settle(c, whole)
	}
	return c, orders
}

func (h *hub) settle(c charges.Receipt, whole int64) {
	h.t.Helper()
	h.acquirer.set(charges.RefOf(c.ID), card.Settled)
	h.must(h.tx(auth.Hub, func(ctx context.Context, tx *pg.Tx) error {
		_, err := h.charges.Settle(ctx, tx, "acq", charges.RefOf(c.ID), whole, money.MAD)
		return err
	}))
}

// giveBack refunds an order, and returns the refund's id.
func (h *hub) giveBack(c charges.Receipt, order string, amount int64) string {
	h.t.Helper()
	rid := id.New(id.Refund)
	h.must(h.tx(agent, func(ctx context.Context, tx *pg.Tx) error {
		if err := h.charges.Lock(ctx, tx, c.ID); err != nil {
			return err
		}
		if _, err := h.escrows.TakeBack(ctx, tx, escrow.Back{Refund: rid, Order: order, Amount: amount, Delivery: true}); err != nil {
			return err
		}
		_, err := h.charges.Refund(ctx, tx, charges.RefundOrder{ID: rid, Order: order, Charge: c.ID, Amount: money.Dirhams(amount), Reason: "exemple", By: agent.Person()})
		return err
	}))
	return rid
}

func (h *hub) refund(rid string) charges.RefundView {
	h.t.Helper()
	v, err := h.charges.ShowRefund(auth.With(h.t.Context(), buyer), charges.RefundInput{Refund: rid})
	h.must(err)
	return v
}

// refundOf waits, firing timers, until a refund is in the state.
func (h *hub) refundIs(rid string, want charges.RefundState) charges.RefundView {
	h.t.Helper()
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(15 * time.Millisecond) {
		if v := h.refund(rid); v.State == want {
			return v
		}
		h.fire()
	}
	v := h.refund(rid)
	h.t.Fatalf("the refund is %s (%s), want %s", v.State, v.Why, want)
	return v
}

// moved says how often the acquirer let go and gave back.
func (h *hub) moved(voids, refunds int) {
	h.t.Helper()
	h.acquirer.mu.Lock()
	defer h.acquirer.mu.Unlock()
	if h.acquirer.voids != voids || h.acquirer.refunds != refunds {
		h.t.Errorf("the acquirer let go %d times and gave back %d times, want %d and %d", h.acquirer.voids, h.acquirer.refunds, voids, refunds)
	}
}

func (h *hub) tell(change func(a *acquirer)) {
	h.acquirer.mu.Lock()
	defer h.acquirer.mu.Unlock()
	change(h.acquirer)
}

// bank has the bank's statement say how a transfer went.
func (h *hub) bank(rid string, did func(ctx context.Context, tx *pg.Tx, o operations.Operation) error) {
	h.t.Helper()
	h.must(h.tx(auth.Hub, func(ctx context.Context, tx *pg.Tx) error {
		ops, err := h.engine.Of(ctx, tx, rid)
		if err != nil {
			return err
		}
		return did(ctx, tx, ops[len(ops)-1])
	}))
}

func (h *hub) bankPaid(rid string) {
	h.t.Helper()
	h.bank(rid, func(ctx context.Context, tx *pg.Tx, o operations.Operation) error {
		_, err := h.engine.Heard(ctx, tx, o.ID, operations.Statement, outbound.Result{Outcome: outbound.Succeeded}, "line "+o.Ref)
		return err
	})
}

func (h *hub) account(as auth.Principal, rid, rib string) (v charges.RefundView, err error) {
	err = h.tx(as, func(ctx context.Context, tx *pg.Tx) (err error) {
		v, err = h.charges.Account(ctx, tx, charges.AccountInput{Refund: rid, RIB: rib})
		return err
	})
	return v, err
}

// contest sends a message about a chargeback.
func (h *hub) contest(c charges.Receipt, of, state, amount string, change func(m map[string]string)) string {
	h.t.Helper()
	m := map[string]string{"ID": of, "Ref": charges.RefOf(c.ID), "State": state, "Amount": amount, "Fee": "15.00", "Word": "secret"}
	if change != nil {
		change(m)
	}
	b, err := json.Marshal(m)
	h.must(err)
	reply, err := h.charges.CaseCallback(auth.With(h.t.Context(), auth.Nobody), charges.CallbackInput{Partner: "acq", Body: rest.Raw{Bytes: b}})
	h.must(err)
	return string(reply)
}

func (h *hub) chargebacks() []charges.ChargebackView {
	h.t.Helper()
	p, err := h.charges.Chargebacks(auth.With(h.t.Context(), agent), charges.ChargebacksInput{Paging: rest.Paging{Limit: 10}})
	h.must(err)
	return p.Data
}

// safe says that the clients' money covers what is owed to them.
func (h *hub) safe() {
	h.t.Helper()
	type row struct {
		Code string
		Net  int64
	}
	rows, err := pg.All[row](h.t.Context(), h.db, `select a.code, sum(b.dr - b.cr)::bigint as net from ledger.account a join ledger.balance b on b.account_id = a.id group by a.code`)
	h.must(err)
	var have, owe, all int64
	for _, r := range rows {
		all += r.Net
		switch ledger.Client(r.Code) {
		case 1:
			have += r.Net
		case -1:
			owe += max(0, -r.Net)
		}
	}
	if owe > have || all != 0 {
		h.t.Errorf("clients are owed %d and there is %d; the books are off by %d: %v", owe, have, all, rows)
	}
}

func (h *hub) heard(what string) {
	h.t.Helper()
	for end := time.After(2 * time.Minute); ; {
		select {
		case got := <-h.events:
			if got == what {
				return
			}
		case <-end:
			h.t.Fatalf("nobody told of %s", what)
		}
	}
}
