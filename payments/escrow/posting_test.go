package escrow_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tiwiza/payments/escrow"
	"tiwiza/payments/ledger"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/job"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

// An ear hears what is booked while a move is watched.
type ear struct {
	*ledger.Books
	move  escrow.Move
	heard map[string]bool
}

func (e *ear) Post(ctx context.Context, tx *pg.Tx, t ledger.Transfer) error {
	e.hears(t)
	return e.Books.Post(ctx, tx, t)
}

func (e *ear) PostAll(ctx context.Context, tx *pg.Tx, all []ledger.Transfer) ([]error, error) {
	for _, t := range all {
		e.hears(t)
	}
	return e.Books.PostAll(ctx, tx, all)
}

func (e *ear) hears(t ledger.Transfer) {
	for _, l := range t.Legs {
		switch {
		case e.move == "":
		case l.Amount > 0:
			e.heard[line(e.move, t.Kind, "debit", nameless(l.Account))] = true
		case l.Amount < 0:
			e.heard[line(e.move, t.Kind, "credit", nameless(l.Account))] = true
		}
	}
}

func line(m escrow.Move, kind, side, account string) string {
	return fmt.Sprintf("%s: %s %s %s", m, kind, side, account)
}

// nameless is an account of the chart without the name in it.
func nameless(account string) string {
	for _, prefix := range []string{"escrow", "refund", "suspense"} {
		if strings.HasPrefix(account, prefix+":") {
			return prefix
		}
	}
	if strings.HasPrefix(account, "payable:carrier:") {
		return "payable:carrier"
	}
	if part := strings.Split(account, ":"); len(part) == 3 {
		return part[0] + ":" + part[2]
	}
	return account
}

// watched is a hub whose books are listened to.
func watched(t *testing.T) (hub, *ear) {
	t.Helper()
	h := newHub(t)
	policies, err := authz.New()
	if err != nil {
		t.Fatal(err)
	}
	e := &ear{Books: h.books, heard: map[string]bool{}}
	h.escrow = escrow.New(h.db, e, policies).TopUpFrom("b")
	h.timers = job.NewTimers(h.db)
	h.escrow.Work(h.timers)
	return h, e
}

// does listens to a move.
func (e *ear) does(m escrow.Move, f func()) {
	e.move = m
	f()
	e.move = ""
}

// owes has a seller owe us something.
func (h hub) owes(seller string, centimes int64) {
	h.t.Helper()
	h.must(func(ctx context.Context, tx *pg.Tx) error {
		return h.books.Post(ctx, tx, ledger.Transfer{Key: "debt " + seller, Kind: "test", Currency: money.MAD, Legs: []ledger.Leg{
			ledger.Debit(ledger.Receivable(seller), centimes), ledger.Credit(ledger.Loss, centimes),
		}})
	})
}

// part lets some of an order go.
func (h hub) part(order string, centimes int64) {
	h.t.Helper()
	as := auth.With(h.t.Context(), auth.Principal{Subject: "per_b", Role: auth.Buyer})
	h.ok(h.db.InTx(as, func(tx *pg.Tx) error {
		_, err := h.escrow.Release(as, tx, escrow.ReleaseInput{Escrow: h.hold(order).ID, Amount: money.Dirhams(centimes)})
		return err
	}))
}

func (h hub) mustBack(b escrow.Back) {
	h.t.Helper()
	_, err := h.back(b)
	h.ok(err)
}

// collect has a carrier take cash for an order.
func (h hub) collect(order string, cash, fee int64) error {
	return h.do(func(ctx context.Context, tx *pg.Tx) error {
		_, err := h.escrow.Collect(ctx, tx, escrow.Collected{Order: order, Carrier: "k", Cash: cash, Fee: fee})
		return err
	})
}

// Every account that a row of the machine says is booked is booked by its move,
// with the kind it says, and no other: each row is driven through all its ways.
func TestEachMoveBooksWhatItsRowSays(t *testing.T) {
	t.Parallel()
	h, e := watched(t)
	for _, r := range escrow.Machine {
		plays := scenes[r.Move]
		if len(plays) == 0 && len(r.Post) > 0 {
			t.Errorf("%s is not played", r.Move)
		}
		for i, play := range plays {
			play(h, e, strings.ReplaceAll(fmt.Sprintf("%s_%d", r.Move, i), " ", "_"))
		}
	}
	h.sound()
	want := map[string]bool{}
	for _, r := range escrow.Machine {
		for _, p := range r.Post {
			debits, credits := r.Sides(p.Kind)
			for _, a := range debits {
				want[line(r.Move, p.Kind, "debit", a)] = true
			}
			for _, a := range credits {
				want[line(r.Move, p.Kind, "credit", a)] = true
			}
		}
	}
	if diff := cmp.Diff(want, e.heard); diff != "" {
		t.Errorf("what the rows say (-), and what was booked (+):\n%s", diff)
	}
}

// A scene plays a move under a name of its own, which is the charge's and the
// seller's too.
type scene func(h hub, e *ear, name string)

// takesAll plays a refund of all of an order that its market helped, of which
// a part was let go; spent, its seller has been paid that.
func takesAll(move escrow.Move, bonus int64, sent, spent, goodwill bool, then func(h hub, e *ear, name, order string)) scene {
	return func(h hub, e *ear, name string) {
		order := h.helped(name, name, "k", bonus)
		h.fund(name)
		if sent {
			h.ship(order)
		}
		h.part(order, 5000)
		if spent {
			h.payout(name, 3000)
		}
		if move == escrow.MoveTakeBack {
			e.move = move
		}
		h.mustBack(escrow.Back{Refund: "rfd_" + name, Order: order, Amount: 7500, Delivery: true, Goodwill: goodwill})
		e.move = ""
		if then != nil {
			then(h, e, name, order)
		}
	}
}

func undoes(h hub, e *ear, name, _ string) {
	e.does(escrow.MoveUndo, func() { h.putBack("rfd_" + name) })
}

// regains is a refund that came back after a chargeback took as much once more.
func regains(h hub, e *ear, name, _ string) {
	h.arrive("rfd_"+name, 7500)
	h.ok(h.contest(escrow.Contest{Case: name, Charge: name, Acquirer: "p", Amount: 7500}))
	h.ok(h.lost(name, escrow.Loser{}))
	h.cameBack("rfd_"+name, 7500)
	undoes(h, e, name, "")
}

// loses plays a lost chargeback of all of an order, half let go.
func loses(spent bool, l escrow.Loser) scene {
	return func(h hub, e *ear, name string) {
		order := h.helped(name, name, "k", 60)
		h.fund(name)
		h.part(order, 5000)
		if l.PlatformBears {
			h.deliver(order)
		}
		if spent {
			h.payout(name, 3000)
		}
		h.ok(h.contest(escrow.Contest{Case: name, Charge: name, Acquirer: "p", Amount: 7500}))
		e.does(escrow.MoveLose, func() { h.ok(h.lost(name, l)) })
	}
}

// rules plays a ruling of so much to the buyer, of an order that was sent.
func rules(back int64, owes, spent bool) scene {
	return func(h hub, e *ear, name string) {
		order := h.helped(name, name, "k", 60)
		h.fund(name)
		h.part(order, 3000)
		if spent {
			h.payout(name, 1500)
		}
		if owes {
			h.owes(name, 40)
		}
		h.ship(order)
		h.freeze(order, name)
		e.does(escrow.MoveRule, func() {
			_, err := rule(h, escrow.Ruling{Order: order, Case: name, Refund: "rfd_" + name, Back: back, Release: h.hold(order).Held() - back})
			h.ok(err)
		})
	}
}

// funds plays money that comes from an account.
func funds(from string) scene {
	return func(h hub, e *ear, name string) {
		h.sale(name, name, "k")
		e.does(escrow.MoveFund, func() {
			h.must(func(ctx context.Context, tx *pg.Tx) error {
				if from == "suspense:x" {
					if err := h.books.Post(ctx, tx, ledger.Transfer{Key: name, Kind: "test", Currency: money.MAD, Legs: []ledger.Leg{ledger.Debit("bank:b:safeguard", 7500), ledger.Credit(from, 7500)}}); err != nil {
						return err
					}
				}
				_, err := h.escrow.Fund(ctx, tx, name, from)
				return err
			})
		})
	}
}

var scenes = map[escrow.Move][]scene{
	escrow.MoveFund: {funds("psp:p:clearing"), funds("bank:b:safeguard"), funds("suspense:x")},
	escrow.MoveCollect: {func(h hub, e *ear, name string) {
		order := h.sale(name, name, "k")
		e.does(escrow.MoveCollect, func() { h.ok(h.collect(order, 7500, 1500)) })
	}},
	escrow.MoveRefuse: {func(h hub, e *ear, name string) {
		order := h.sale(name, name, "k")
		e.does(escrow.MoveRefuse, func() {
			h.must(func(ctx context.Context, tx *pg.Tx) error {
				_, err := h.escrow.Refuse(ctx, tx, order, 1500)
				return err
			})
		})
	}},
	escrow.MoveRelease: {
		func(h hub, e *ear, name string) {
			order := h.helped(name, name, "k", 60)
			h.fund(name)
			h.owes(name, 100)
			e.does(escrow.MoveRelease, func() { h.part(order, 100); h.release(order) })
		},
		func(h hub, e *ear, name string) { // by the timer, many at once
			order := h.helped(name, name, "k", 60)
			h.fund(name)
			h.owes(name, 100)
			h.deliver(order)
			e.does(escrow.MoveRelease, func() { h.advance(8 * 24 * time.Hour) })
			h.is(order, escrow.Released)
		},
	},
	escrow.MoveRefund: {func(h hub, e *ear, name string) {
		order := h.helped(name, name, "k", 60)
		h.fund(name)
		e.does(escrow.MoveRefund, func() {
			h.mustBack(escrow.Back{Refund: "rfd_" + name, Order: order, Amount: 7500, Delivery: true, HeldOnly: true})
		})
	}},
	escrow.MoveTakeBack: {
		takesAll(escrow.MoveTakeBack, 60, false, false, false, nil),
		takesAll(escrow.MoveTakeBack, 60, true, true, true, nil),
	},
	escrow.MoveUndo: {
		takesAll("", 60, false, false, false, undoes),
		takesAll("", 60, true, true, true, undoes),
		takesAll("", 60_000, false, false, false, undoes), // the market has more back than we give
		takesAll("", 60, false, false, false, regains),
		takesAll("", 60, false, true, false, regains),
	},
	escrow.MoveRule: {rules(4400, false, false), rules(4400, false, true), rules(0, true, false)},
	escrow.MoveContest: {func(h hub, e *ear, name string) {
		h.sale(name, name, "k")
		h.fund(name)
		e.does(escrow.MoveContest, func() {
			h.ok(h.contest(escrow.Contest{Case: name, Charge: name, Acquirer: "p", Amount: 7500, Fee: 200}))
		})
	}},
	escrow.MoveWin: {func(h hub, e *ear, name string) {
		h.sale(name, name, "k")
		h.fund(name)
		h.ok(h.contest(escrow.Contest{Case: name, Charge: name, Acquirer: "p", Amount: 7500, Fee: 200}))
		e.does(escrow.MoveWin, func() { h.ok(h.won(name)) })
	}},
	escrow.MoveLose: {loses(false, escrow.Loser{}), loses(true, escrow.Loser{}), loses(false, escrow.Loser{PlatformBears: true})},
	escrow.MoveReserve: {func(h hub, e *ear, name string) {
		order := h.sale(name, name, "k")
		h.fund(name)
		h.release(order)
		h.owes(name, 100)
		e.does(escrow.MoveReserve, func() { h.advance(31 * 24 * time.Hour) })
	}},
}

// A transfer that the row does not have is not booked, by whatever mistake.
func TestWhatTheRowDoesNotHaveIsNotBooked(t *testing.T) {
	t.Parallel()
	for name, tr := range map[string]ledger.Transfer{
		"another kind":    {Kind: "escrow.fund", Legs: []ledger.Leg{ledger.Debit("escrow:o", 5), ledger.Credit("fees", 5)}},
		"another side":    {Legs: []ledger.Leg{ledger.Debit("escrow:o", 5), ledger.Credit("promotions", 5)}},
		"another account": {Legs: []ledger.Leg{ledger.Debit("escrow:o", 5), ledger.Credit("bank:b:safeguard", 5)}},
		"an insurer's":    {Legs: []ledger.Leg{ledger.Debit("escrow:o", 5), ledger.Credit("payable:insurer:i", 5)}},
	} {
		if _, err := escrow.BooksOf(escrow.MoveRelease, tr); err == nil {
			t.Errorf("%s is booked by a release", name)
		}
	}
	if _, err := escrow.BooksOf(escrow.MoveShip, ledger.Transfer{Legs: []ledger.Leg{ledger.Debit("escrow:o", 5), ledger.Credit("fees", 5)}}); err == nil {
		t.Error("shipping books something")
	}
	tr, err := escrow.BooksOf(escrow.MoveRelease, ledger.Transfer{Legs: []ledger.Leg{ledger.Debit("escrow:o", 5), ledger.Credit("payable:vat", 2), ledger.Credit("payable:carrier:k", 3), ledger.Debit("loss", 0)}})
	if err != nil || tr.Kind != "escrow.release" {
		t.Errorf("a release is booked as %q: %v", tr.Kind, err)
	}
}
