package invariants_test

import (
	"cmp"
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"tiwiza/adapters/bank"
	"tiwiza/adapters/bank/paperbank"
	"tiwiza/adapters/card"
	"tiwiza/payments/approvals"
	"tiwiza/payments/charges"
	"tiwiza/payments/escrow"
	"tiwiza/payments/files"
	"tiwiza/payments/ledger"
	"tiwiza/payments/limits"
	"tiwiza/payments/operations"
	"tiwiza/payments/payouts"
	"tiwiza/payments/recon"
	"tiwiza/payments/treasury"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/event"
	"tiwiza/pkg/money"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
)

const (
	safeguard = "011780000012345678901234"
	operating = "011780000012345678901235"
	acquirer  = "acq"
	house     = "bnk"
)

// world is a hub's payments at work on a database of its own. The market's
// rows (orders, stock) are written as marketplace would: payments never import
// it.
type world struct {
	t        testing.TB
	db       *pg.Store // as the hub
	owner    *pg.Store // as the database's owner, triggers asleep
	books    *ledger.Books
	escrows  *escrow.Service
	ops      *operations.Engine
	charges  *charges.Service
	people   *approvals.Service
	files    *files.Service
	payouts  *payouts.Service
	treasury *treasury.Service
	recon    *recon.Service
	house    recon.House
	ready    atomic.Bool // whether members' accounts are verified
	method   string      // how sales are paid; "" is by card
	closing  int64       // of the bank's last statement
	said     int         // statements
}

// open makes a world where nothing has happened.
func open(t testing.TB) *world {
	t.Helper()
	url := pgtest.URL(t)
	w := &world{t: t, db: pgtest.Open(t, url, pg.Options{MaxConns: 6}), owner: pgtest.Open(t, url, pg.Options{MaxConns: 1})}
	w.ready.Store(true)
	w.sql(`set role none`)
	w.sql(`set session_replication_role = replica`)
	pgtest.Queue(t, w.db, event.NewBus())
	b := bank.New(house, &paperbank.Bank{}, bank.Options{})
	w.books = ledger.New(w.db)
	w.escrows = escrow.New(w.db, w.books, anyone{}).TopUpFrom(house)
	w.ops = operations.New(w.db)
	w.people = approvals.New(w.db)
	w.charges = charges.New(w.db, w.books, w.escrows, w.ops, anyone{}, []*card.Acquirer{card.New(acquirer, hosted{}, card.Options{})},
		charges.Config{PublicURL: "https://hub.example", Bank: house})
	w.files = files.New(w.db, w.ops, files.House{Bank: b, Safeguard: bank.Account{RIB: paperbank.RIB(1), Name: "Hub"}, Operating: bank.Account{RIB: paperbank.RIB(2), Name: "Hub"}})
	w.charges.PayBy(house, w.files).ApprovedBy(w.people)
	w.files.Handle(charges.KindTransfer, files.Kind{Pay: w.charges.Transfer, Moved: w.charges.RefundMoved, Contradicted: w.charges.RefundContradicted})
	w.payouts = payouts.New(w.db, payouts.Needs{Books: w.books, Escrows: w.escrows, Accounts: w, Files: w.files, Approvals: w.people, Risk: limits.New(w.db, w.people), Judge: anyone{}})
	w.treasury = treasury.New(w.db, w.books, w.files, w.ops, w.people)
	w.house = recon.House{Bank: b, Safeguard: safeguard, Operating: operating, Acquirers: map[string]string{"acq": paperbank.RIB(8)}}
	w.recon = recon.New(w.db, w.books, w.charges, w.ops, w.people, []recon.House{w.house}, recon.Ties{}).Receives(w.charges)
	return w
}

// ok ends the test on an error.
func (w *world) ok(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// sql runs one statement as the database's owner.
func (w *world) sql(text string, args ...any) {
	w.t.Helper()
	if _, err := w.owner.Exec(w.t.Context(), text, args...); err != nil {
		w.t.Fatalf("%s: %v", text, err)
	}
}

func (w *world) tx(f func(ctx context.Context, tx *pg.Tx) error) {
	w.t.Helper()
	ctx := auth.With(w.t.Context(), auth.Hub)
	w.ok(w.db.InTx(ctx, func(tx *pg.Tx) error { return f(ctx, tx) }))
}

// checkout makes a group of orders with what surrounds them, as the market
// does: one variant each, reserved; escrows and a charge that waits.
func (w *world) checkout(group string, orders ...escrow.Terms) charges.Charge {
	w.t.Helper()
	total := money.Dirhams(0)
	var parts []charges.Part
	for _, o := range orders {
		total = total.Add(o.Amount)
		parts = append(parts, charges.Part{Order: o.Order, Amount: o.Amount, Seller: o.Seller, Carrier: "demo", Fee: money.Dirhams(1000)})
	}
	var c charges.Charge
	w.tx(func(ctx context.Context, tx *pg.Tx) error {
		r, err := w.charges.Create(ctx, tx, charges.Sale{
			Group: group, Buyer: "per_b", Method: cmp.Or(w.method, charges.Card), Amount: total, Parts: parts,
			Name: "Exemple", Email: "exemple@example.org", Phone: "+212600000000", Lang: "fr",
		})
		if err != nil {
			return err
		}
		tx.Queue(`insert into orders.order_group (id, basket, buyer, charge, currency, total, contact, delivery) values ($1::text, 'bsk ' || $1::text, 'per_b', $2, 'MAD', $3, '{}', '{}')`,
			group, r.ID, total.Centimes())
		for _, o := range orders {
			o.Charge, o.Buyer, o.Carrier = r.ID, "per_b", "demo"
			if _, err := w.escrows.Open(ctx, tx, o); err != nil {
				return err
			}
			order(tx, group, o)
		}
		c, err = pg.One[charges.Charge](ctx, tx, charges.ErrNotFound,
			`select id, group_id, buyer, method, acquirer, ref, contact, currency, amount, state, captured, refunded, settled, version, created_at, expires_at from charges.charge where id = $1`, r.ID)
		return err
	})
	return c
}

// order writes an order of two pieces of a variant of its own, of which there
// were five.
func order(tx *pg.Tx, group string, o escrow.Terms) {
	c := o.Amount.Centimes()
	tx.Queue(`insert into catalog.offer (id, seller, ref, category, names, region, state, created_at) values ('off ' || $1::text, $2, $1::text, 'food', '{}', 'MA-04', 'draft', platform.now())`, o.Order, o.Seller)
	tx.Queue(`insert into catalog.variant (id, offer, seller, sku, price, on_hand, reserved) values ('var ' || $1::text, 'off ' || $1::text, $2, $1::text, $3, 5, 2)`, o.Order, o.Seller, c)
	tx.Queue(`insert into catalog.stock_move (variant, delta, reason) values ('var ' || $1::text, 5, 'created')`, o.Order)
	tx.Queue(`insert into catalog.reservation (order_id, variant, quantity, state, due) values ($1::text, 'var ' || $1::text, 2, 'held', platform.now() + interval '3 days')`, o.Order)
	tx.Queue(`insert into orders.seller_order (id, grp, seller, seller_names, buyer, state, currency, goods, delivery, total, legs, method, delivery_code)
		values ($1::text, $2, $3, '{}', 'per_b', 'pending_payment', 'MAD', $4::bigint, 0, $4::bigint, '{}', 'carrier', '0000')`, o.Order, group, o.Seller, c)
	tx.Queue(`insert into orders.line (order_id, variant, offer, names, variant_names, sku, quantity, price, total)
		values ($1::text, 'var ' || $1::text, 'off ' || $1::text, '{}', '{}', $1::text, 2, $2::bigint, 2 * $2::bigint)`, o.Order, c/2)
}

// paid tells the market that orders were paid: the goods leave the stock.
func (w *world) paid(orders ...string) {
	w.t.Helper()
	w.tx(func(_ context.Context, tx *pg.Tx) error {
		tx.Queue(`update orders.seller_order set state = 'paid' where id = any ($1)`, orders)
		tx.Queue(`update catalog.reservation set state = 'taken' where order_id = any ($1)`, orders)
		tx.Queue(`update catalog.variant set on_hand = on_hand - 2, reserved = 0 where sku = any ($1)`, orders)
		tx.Queue(`insert into catalog.stock_move (variant, delta, reason, ref) select 'var ' || o, -2, 'sold', o from unnest($1::text[]) o`, orders)
		return nil
	})
}

// lapse ends a charge that nobody paid, and its orders.
func (w *world) lapse(c charges.Charge, orders ...string) {
	w.t.Helper()
	w.tx(func(ctx context.Context, tx *pg.Tx) error {
		o, err := w.ops.Find(ctx, tx, acquirer, c.Ref)
		if err != nil {
			return err
		}
		if _, err := w.ops.Heard(ctx, tx, o.ID, operations.Inquiry, outbound.Result{Outcome: outbound.Declined}, "final "+c.Ref); err != nil {
			return err
		}
		tx.Queue(`update orders.seller_order set state = 'expired' where id = any ($1)`, orders)
		tx.Queue(`update catalog.reservation set state = 'released' where order_id = any ($1)`, orders)
		tx.Queue(`update catalog.variant set reserved = 0 where sku = any ($1)`, orders)
		return nil
	})
}

// terms are an order's: a tenth is the commission, with VAT on it.
func terms(order, seller string, centimes int64) escrow.Terms {
	fee := centimes / 10
	return escrow.Terms{
		Order: order, Seller: seller, Amount: money.Dirhams(centimes),
		Legs: escrow.Legs{Seller: centimes - fee - fee/5 - 1000, Commission: fee, VAT: fee / 5, Carrier: 1000},
	}
}

// entry is a line of a statement: what came in or left, for references of ours.
func entry(centimes int64, details ...bank.Detail) bank.Entry {
	return bank.Entry{Amount: money.Dirhams(centimes), Booked: true, BookedOn: time.Now(), BankRef: fmt.Sprint("bk", time.Now().UnixNano()), Details: details}
}

func detail(ref string, net, fee int64) bank.Detail {
	return bank.Detail{Ref: ref, Amount: money.Dirhams(net), Gross: money.Dirhams(net + fee), Fee: money.Dirhams(fee), CounterpartyAccount: paperbank.RIB(8)}
}

// statement has the bank say what happened on the safeguard account.
func (w *world) statement(entries ...bank.Entry) {
	w.t.Helper()
	w.take(w.next(entries...))
}

// next is the statement that follows the bank's last one.
func (w *world) next(entries ...bank.Entry) bank.Statement {
	w.said++
	st := bank.Statement{
		Kind: bank.OfAccount, ID: fmt.Sprint("S", w.said), Account: safeguard, Currency: money.MAD, Sequence: int64(w.said),
		Page: 1, LastPage: true, Created: time.Now(), HasBalances: true, Opening: money.Dirhams(w.closing), Entries: entries,
	}
	for _, e := range entries {
		w.closing += e.Amount.Centimes()
	}
	st.Closing = money.Dirhams(w.closing)
	return st
}

// take has reconciliation read a statement.
func (w *world) take(st bank.Statement) {
	w.t.Helper()
	w.ok(w.tryTake(st))
}

func (w *world) tryTake(st bank.Statement) error {
	_, err := w.recon.Take(w.t.Context(), w.house, paperbank.Received(st.ID, bank.Message{Statements: []bank.Statement{st}}))
	return err
}

// payout asks for a payout as its seller.
func (w *world) payout(seller string, centimes int64) payouts.View {
	w.t.Helper()
	ctx := auth.With(w.t.Context(), auth.Principal{Subject: seller, Role: auth.Seller})
	var v payouts.View
	w.ok(w.db.InTx(ctx, func(tx *pg.Tx) (err error) {
		m := money.Dirhams(centimes)
		v, err = w.payouts.Create(ctx, tx, payouts.CreateInput{Amount: &m})
		return err
	}))
	return v
}

// story is what a worked world is made of, for tests to find and break.
type story struct {
	charge                                charges.Charge // confirmed and settled, of orders A and B
	waiting                               charges.Charge // of order C
	late                                  charges.Charge // expired, and paid afterwards, of order D
	fresh                                 charges.Charge // confirmed by the acquirer, not settled, of order E
	paid, sent, rejected, returned, draft payouts.View
	contradicted                          payouts.View // refused, and paid all the same
}

// work has about everything happen that can.
func (w *world) work() (s story) {
	w.t.Helper()
	w.tx(func(ctx context.Context, tx *pg.Tx) error {
		return w.books.Post(ctx, tx, ledger.Transfer{
			Key: "capital", Kind: "capital", Currency: money.MAD,
			Legs: []ledger.Leg{ledger.Debit(ledger.Operating(house), 100000), ledger.Credit(ledger.Capital, 100000)},
		})
	})
	s.charge = w.checkout("G1", terms("A", "s1", 20000), terms("B", "s2", 10000))
	s.waiting = w.checkout("G2", terms("C", "s1", 8000))
	s.late = w.checkout("G3", terms("D", "s2", 6000))
	s.fresh = w.checkout("G4", terms("E", "s2", 4000))
	w.lapse(s.late, "D")

	// The acquirer settles net of its fee; an unknown sender pays something.
	w.statement(entry(35500, detail(s.charge.Ref, 29600, 400), detail(s.late.Ref, 5900, 100)), entry(700, detail("", 700, 0)))
	w.paid("A", "B")
	w.confirm(s.fresh)
	w.paid("E")

	w.tx(func(ctx context.Context, tx *pg.Tx) error {
		if _, err := w.escrows.ReleaseOrder(ctx, tx, "A"); err != nil {
			return err
		}
		tx.Queue(`update orders.seller_order set state = 'completed', settled = true where id = 'A'`)
		holds, err := w.escrows.OfOrders(ctx, tx, []string{"B"})
		if err != nil {
			return err
		}
		_, err = w.escrows.Release(ctx, tx, escrow.ReleaseInput{Escrow: holds["B"].ID, Amount: money.Dirhams(7000)})
		return err
	})
	s.paid, s.returned, s.rejected = w.payout("s1", 10000), w.payout("s1", 2000), w.payout("s2", 1000)
	w.ok(w.files.Dispatch(w.t.Context(), house))
	w.statement(entry(-12000, detail(payouts.RefOf(s.paid.ID), -10000, 0), detail(payouts.RefOf(s.returned.ID), -2000, 0)))
	w.statement(entry(2000, back(payouts.RefOf(s.returned.ID), 2000)))
	w.refuse(s.rejected)
	s.sent = w.payout("s2", 1500)
	w.ok(w.files.Dispatch(w.t.Context(), house))
	s.contradicted = w.payout("s2", 2000)
	w.ok(w.files.Dispatch(w.t.Context(), house))
	w.refuse(s.contradicted)
	w.statement(entry(-2000, detail(payouts.RefOf(s.contradicted.ID), -2000, 0)))
	w.treasure()
	w.ready.Store(false)
	s.draft = w.payout("s1", 500)
	return s
}

// treasure moves the platform's own money: it comes, goes, and comes back.
func (w *world) treasure() {
	w.t.Helper()
	var up, out treasury.Move
	w.tx(func(ctx context.Context, tx *pg.Tx) (err error) {
		if up, err = w.treasury.TopUp(ctx, tx, house); err != nil {
			return err
		}
		out, err = w.treasury.Sweep(ctx, tx, house)
		return err
	})
	w.ok(w.files.Dispatch(w.t.Context(), house))
	w.statement(entry(up.Amount, detail(up.Ref, up.Amount, 0)), entry(-out.Amount, detail(out.Ref, -out.Amount, 0)))
	w.statement(entry(-up.Amount, back(up.Ref, -up.Amount)), entry(out.Amount, back(out.Ref, out.Amount)))
}

// back is a payment that came back.
func back(ref string, centimes int64) bank.Detail {
	d := detail(ref, centimes, 0)
	d.ReturnReason = "AC04"
	return d
}

// confirm has the acquirer say that a charge was taken.
func (w *world) confirm(c charges.Charge) {
	w.t.Helper()
	w.tx(func(ctx context.Context, tx *pg.Tx) error {
		o := w.ops.Intend(tx, operations.Intention{Subject: c.ID, Kind: "capture", Connector: acquirer, Ref: c.Ref + "-C", Amount: c.Money(), State: operations.Accepted})
		_, err := w.ops.Heard(ctx, tx, o.ID, operations.Inquiry, outbound.Result{Outcome: outbound.Succeeded}, "captured "+c.Ref)
		return err
	})
}

// refuse has the bank refuse a payout.
func (w *world) refuse(p payouts.View) {
	w.t.Helper()
	w.tx(func(ctx context.Context, tx *pg.Tx) error {
		o, err := w.ops.Find(ctx, tx, house, payouts.RefOf(p.ID))
		if err != nil {
			return err
		}
		_, err = w.ops.Heard(ctx, tx, o.ID, operations.Callback, outbound.Result{Outcome: outbound.Declined, Code: "AC01"}, "refused "+p.ID)
		return err
	})
}
