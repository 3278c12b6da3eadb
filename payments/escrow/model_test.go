package escrow_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tiwiza/payments/escrow"
	"tiwiza/payments/ledger"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/id"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

// life is what the test believes of one escrow.
type life struct {
	order, charge string
	flying        map[string]int64 // refunds on their way
	back          int64            // what went back to the buyer, by refund or chargeback
	claimed       bool             // a chargeback was opened once
	open          string           // a chargeback that is open
	waits         string           // one that is, and found nothing: it takes what is put back
	dispute       string
}

// Any sequence of moves over the escrows of one seller keeps clients' money
// whole, each escrow's account what it says, the reserve its lots, and never
// gives the buyer more than was captured. What is refused changes nothing.
func TestAnySequenceKeepsTheBooksSound(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	walks, most, broke := 0, 40, false
	if os.Getenv("HUB_LONG") != "" {
		most = 1_000_000 // as many as rapid is told to
	}
	rapid.Check(t, func(rt *rapid.T) {
		if walks++; walks > most && !broke {
			return
		}
		defer func() { broke = broke || rt.Failed() }() // what is broken is made small
		m := machine{hub: h, t: rt, seller: id.New(id.Organisation)}
		for range rapid.IntRange(1, 2).Draw(rt, "escrows") {
			m.buy()
		}
		for range rapid.IntRange(8, 24).Draw(rt, "moves") {
			m.step()
			if err := soundness(h); err != nil {
				rt.Fatal(err)
			}
			m.check()
		}
	})
}

type machine struct {
	hub
	t      *rapid.T
	seller string
	lives  []*life
}

func (m *machine) try(f func(ctx context.Context, tx *pg.Tx) error) bool {
	err := m.do(f)
	if err != nil && fault.KindOf(err) != fault.Conflict && fault.KindOf(err) != fault.Invalid {
		m.t.Fatalf("%v", err)
	}
	return err == nil
}

func (m *machine) buy() {
	charge := id.New(id.Charge)
	l := &life{order: m.helped(m.seller, charge, rapid.SampledFrom([]string{"", "k"}).Draw(m.t, "carrier"), rapid.SampledFrom([]int64{0, 1, 1999, 60000}).Draw(m.t, "bonus")), charge: charge, flying: map[string]int64{}}
	m.fund(charge)
	m.lives = append(m.lives, l)
}

func (m *machine) step() {
	l := rapid.SampledFrom(m.lives).Draw(m.t, "of")
	moves := map[string]func(*life){
		"ship": m.ship, "release": m.letGo, "refund": m.refund, "arrive": m.arrives, "put back": m.putBack, "contest": m.chargeback,
		"lose": m.lose, "win": m.win, "dispute": m.disputes, "rule": m.rules, "pay out": m.paysOut, "wait": m.waits,
	}
	names := []string{ // some more often than others
		"ship", "release", "release", "refund", "refund", "refund", "arrive", "put back", "put back", "contest", "lose", "lose", "win", "dispute",
		"rule", "rule", "pay out", "wait",
	}
	moves[rapid.SampledFrom(names).Draw(m.t, "move")](l)
}

func (m *machine) ship(l *life) {
	m.try(func(ctx context.Context, tx *pg.Tx) error { return m.escrow.Shipped(ctx, tx, l.order, tx.Now()) })
}

func (m *machine) letGo(l *life) {
	ok := m.try(func(ctx context.Context, tx *pg.Tx) error {
		_, err := m.escrow.ReleaseOrder(ctx, tx, l.order)
		return err
	})
	if ok && (l.open != "" || l.dispute != "") {
		m.t.Fatal("released while a case is open")
	}
}

func (m *machine) refund(l *life) {
	r := escrow.Back{
		Refund: id.New(id.Refund), Order: l.order, Amount: rapid.Int64Range(0, 7500).Draw(m.t, "amount"), Delivery: rapid.Bool().Draw(m.t, "delivery"),
		Goodwill: rapid.Bool().Draw(m.t, "goodwill"), HeldOnly: rapid.Bool().Draw(m.t, "held only"),
	}
	before := m.hold(l.order)
	_, err := m.back(r)
	may := r.Amount > 0 && r.Amount <= 7500-l.back && l.open == "" && l.dispute == ""
	switch {
	case err == nil && !may:
		m.t.Fatalf("%d went back of %+v", r.Amount, l)
	case err != nil && may && !r.HeldOnly:
		m.t.Fatalf("%d did not go back of %+v: %v", r.Amount, l, err)
	case err == nil && r.HeldOnly && r.Amount > before.Held():
		m.t.Fatalf("%d went back of %d held", r.Amount, before.Held())
	case err == nil:
		l.back, l.flying[r.Refund] = l.back+r.Amount, r.Amount
	}
}

func (l *life) any() string {
	for r := range l.flying {
		return r
	}
	return ""
}

func (m *machine) arrives(l *life) {
	if r := l.any(); r != "" {
		m.try(func(ctx context.Context, tx *pg.Tx) error {
			if _, err := m.escrow.Arrived(ctx, tx, r); err != nil {
				return err
			}
			return m.books.Post(ctx, tx, ledger.Transfer{Key: "paid:" + r, Kind: "refund.paid", Currency: money.MAD, Legs: []ledger.Leg{
				ledger.Debit(ledger.Refund(r), l.flying[r]), ledger.Credit(ledger.Clearing("p"), l.flying[r]),
			}})
		})
		delete(l.flying, r)
	}
}

func (m *machine) putBack(l *life) {
	if r := l.any(); r != "" && m.try(func(ctx context.Context, tx *pg.Tx) error { _, err := m.escrow.PutBack(ctx, tx, r); return err }) {
		l.back -= l.flying[r]
		delete(l.flying, r)
		if l.waits != "" {
			l.open, l.waits = l.waits, ""
		}
	}
}

func (m *machine) chargeback(l *life) {
	c := escrow.Contest{Case: "cbk_" + l.order, Charge: l.charge, Acquirer: "p", Amount: rapid.Int64Range(1, 9000).Draw(m.t, "amount"), Fee: 200}
	claim := m.hold(l.order).Claim()
	if !l.claimed && m.try(func(ctx context.Context, tx *pg.Tx) error { return m.escrow.Contest(ctx, tx, c) }) {
		l.claimed = true
		if claim > 0 {
			l.open = c.Case
		} else { // all of it is beyond what the buyer could claim
			l.waits = c.Case
		}
	}
}

func (m *machine) lose(l *life) {
	err := m.do(func(ctx context.Context, tx *pg.Tx) error {
		return m.escrow.Lost(ctx, tx, "cbk_"+l.order, escrow.Loser{PlatformBears: rapid.Bool().Draw(m.t, "ours")})
	})
	switch {
	case l.open != "" && len(l.flying) > 0:
		if !errors.Is(err, escrow.ErrFlying) {
			m.t.Fatalf("lost while refunds fly: %v", err)
		}
	case l.open != "" && err != nil:
		m.t.Fatal(err)
	}
	if err == nil {
		l.waits = ""
	}
	if err == nil && l.open != "" {
		l.open = ""
		after := m.hold(l.order)
		l.back += after.Charged + after.Clawed
	}
}

func (m *machine) win(l *life) {
	if m.try2(func(ctx context.Context, tx *pg.Tx) error { return m.escrow.Won(ctx, tx, "cbk_"+l.order) }) {
		l.open, l.waits = "", ""
	}
}

// try2 is try where there may be no such case.
func (m *machine) try2(f func(ctx context.Context, tx *pg.Tx) error) bool {
	err := m.do(f)
	if errors.Is(err, escrow.ErrCase) {
		return false
	}
	return m.try(func(context.Context, *pg.Tx) error { return err })
}

func (m *machine) disputes(l *life) {
	name := "dsp_" + fmt.Sprint(rapid.IntRange(0, 9).Draw(m.t, "n")) + l.order
	if l.dispute == "" && m.try(func(ctx context.Context, tx *pg.Tx) error {
		_, err := m.escrow.Freeze(ctx, tx, l.order, escrow.Case{ID: name, Kind: "dispute", State: "open"})
		return err
	}) {
		l.dispute = name
	}
}

func (m *machine) rules(l *life) {
	if l.dispute == "" {
		return
	}
	held := m.hold(l.order).Held()
	if held == 0 { // nothing to share
		m.thaw(l.order, l.dispute)
		l.dispute = ""
		return
	}
	back := rapid.Int64Range(0, held).Draw(m.t, "back")
	r := id.New(id.Refund)
	ok := m.try(func(ctx context.Context, tx *pg.Tx) error {
		_, err := m.escrow.Rule(ctx, tx, escrow.Ruling{Order: l.order, Case: l.dispute, Refund: r, Back: back, Release: held - back})
		return err
	})
	// A lost chargeback may have given back all of it, out of the seller's share,
	// while a carrier's is still held: that can only be released.
	if may := l.open == "" && back <= 7500-l.back; ok != may {
		m.t.Fatalf("%d ruled back of %d: %t, while %q is open and %d went back before", back, held, ok, l.open, l.back)
	}
	if ok {
		l.dispute = ""
		if back > 0 {
			l.back, l.flying[r] = l.back+back, back
		}
	}
}

func (m *machine) paysOut(*life) {
	m.try(func(ctx context.Context, tx *pg.Tx) error {
		free, err := m.books.Free(ctx, tx, money.MAD, ledger.Available(m.seller))
		if err != nil {
			return err
		}
		covers, err := m.escrow.Cover(ctx, tx, m.seller, money.MAD, min(free[ledger.Available(m.seller)], 2000))
		if err != nil || len(covers) == 0 {
			return err
		}
		p, sum := id.New(id.Payout), int64(0)
		for _, c := range covers {
			sum += c.Amount
		}
		return m.books.Post(ctx, tx, ledger.Transfer{Key: p, Kind: "payout.intent", Currency: money.MAD, Legs: []ledger.Leg{
			ledger.Debit(ledger.Available(m.seller), sum), ledger.Credit(ledger.Payout(p), sum),
		}})
	})
}

func (m *machine) waits(*life) {
	m.advance(rapid.SampledFrom([]time.Duration{time.Hour, 31 * 24 * time.Hour}).Draw(m.t, "for"))
}

// check holds what each escrow says against what was done to it.
func (m *machine) check() {
	for _, l := range m.lives {
		h := m.hold(l.order)
		if err := whole(h); err != nil && h.ShippedAt == nil {
			m.t.Fatal(err)
		}
		if got := h.Refunded + h.Recovered + h.Charged + h.Clawed; got != l.back || got > h.Amount {
			m.t.Fatalf("%d went back of %s, want %d", got, l.order, l.back)
		}
		if h.Flying != len(l.flying) || (len(h.Cases) > 0) != (l.open != "" || l.dispute != "") {
			m.t.Fatalf("%+v flies %d with cases %v", l, h.Flying, h.Cases)
		}
		if ended := h.State != escrow.Funded; ended != (h.Amount == h.Released+h.Refunded+h.Charged && h.Flying == 0) && h.Released+h.Refunded+h.Charged < h.Amount {
			m.t.Fatalf("it is %s and holds %d", h.State, h.Amount-h.Released-h.Refunded-h.Charged)
		}
	}
}
