package disputes_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"tiwiza/payments/approvals"
	"tiwiza/payments/charges"
	"tiwiza/payments/disputes"
	"tiwiza/payments/escrow"
	"tiwiza/payments/ledger"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/event"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/id"
	"tiwiza/pkg/job"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
)

func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler)) // timers tell of what waits
	os.Exit(m.Run())
}

var (
	buyer  = auth.Principal{Subject: "per_b", Role: auth.Buyer}
	seller = auth.Principal{Subject: "org_s", Role: auth.Seller}
	agent  = auth.Principal{Subject: "org_o", Role: auth.Operator}
	second = auth.Principal{Subject: "org_p", Role: auth.Operator}
)

// desk is disputes over real escrows and books; refunds are only written down.
type desk struct {
	t         *testing.T
	db        *pg.Store
	books     *ledger.Books
	escrows   *escrow.Service
	approvals *approvals.Service
	disputes  *disputes.Service
	timers    *job.Timers
	paid      *paybacks
}

// paybacks are the refunds that were asked for, in one unit of work each.
type paybacks struct {
	mu  sync.Mutex
	all []charges.RefundOrder
}

func (p *paybacks) Lock(context.Context, *pg.Tx, string) error { return nil }

func (p *paybacks) Refund(_ context.Context, tx *pg.Tx, b charges.RefundOrder) (charges.Refund, error) {
	tx.After(func() {
		p.mu.Lock()
		p.all = append(p.all, b)
		p.mu.Unlock()
	})
	return charges.Refund{}, nil
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	policies, err := authz.New()
	d := &desk{t: t, db: pgtest.New(t), paid: &paybacks{}}
	d.ok(err)
	d.db.Use(nil, event.NewBus())
	d.books = ledger.New(d.db)
	d.escrows = escrow.New(d.db, d.books, policies).TopUpFrom("b")
	d.approvals = approvals.New(d.db)
	d.disputes = disputes.New(d.db, d.escrows, d.paid, d.approvals, policies)
	d.timers = job.NewTimers(d.db)
	d.escrows.Work(d.timers)
	d.disputes.Work(d.timers)
	return d
}

func (d *desk) ok(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) do(who auth.Principal, f func(ctx context.Context, tx *pg.Tx) error) error {
	ctx := auth.With(d.t.Context(), who)
	return d.db.InTx(ctx, func(tx *pg.Tx) error { return f(ctx, tx) })
}

// order is a funded escrow of 75.00.
func (d *desk) order() string {
	d.t.Helper()
	order, charge := id.New(id.Order), id.New(id.Charge)
	d.ok(d.do(auth.Hub, func(ctx context.Context, tx *pg.Tx) error {
		if _, err := d.escrows.Open(ctx, tx, escrow.Terms{
			Order: order, Seller: "org_s", Buyer: "per_b", Charge: charge, Carrier: "k", Amount: money.Dirhams(7500),
			Legs:    escrow.Legs{Seller: 4860, Reserve: 540, Commission: 500, VAT: 100, Carrier: 1500},
			Release: escrow.Windows{Inspection: 72 * time.Hour},
		}); err != nil {
			return err
		}
		_, err := d.escrows.Fund(ctx, tx, charge, "psp:p:clearing")
		return err
	}))
	return order
}

func (d *desk) open(who auth.Principal, order string) (v disputes.Dispute, err error) {
	err = d.do(who, func(ctx context.Context, tx *pg.Tx) (err error) {
		v, err = d.disputes.Open(ctx, tx, disputes.Opening{Order: order, Reason: "damaged", Wish: "refund", Text: "Cassé."})
		return err
	})
	return v, err
}

func (d *desk) reply(who auth.Principal, in disputes.ReplyInput) (v disputes.View, err error) {
	err = d.do(who, func(ctx context.Context, tx *pg.Tx) (err error) {
		v, err = d.disputes.Reply(ctx, tx, in)
		return err
	})
	return v, err
}

func (d *desk) rule(who auth.Principal, dispute string, refund, release int64) (v disputes.View, err error) {
	err = d.do(who, func(ctx context.Context, tx *pg.Tx) (err error) {
		v, err = d.disputes.Rule(ctx, tx, disputes.RuleInput{Dispute: dispute, Refund: money.Dirhams(refund), Release: money.Dirhams(release), Reason: "seen"})
		return err
	})
	return v, err
}

func (d *desk) decide(who auth.Principal, approval, word string) error {
	return d.do(who, func(ctx context.Context, tx *pg.Tx) error {
		_, err := d.approvals.Decide(ctx, tx, approvals.DecideInput{Approval: approval, Decision: word})
		return err
	})
}

func (d *desk) show(dispute string) disputes.View {
	d.t.Helper()
	v, err := d.disputes.Show(auth.With(d.t.Context(), agent), disputes.ShowInput{Dispute: dispute})
	d.ok(err)
	return v
}

func (d *desk) hold(order string) escrow.Hold {
	d.t.Helper()
	h, err := d.escrows.OfOrders(d.t.Context(), d.db, []string{order})
	d.ok(err)
	return h[order]
}

func (d *desk) advance(by time.Duration) {
	d.t.Helper()
	pgtest.Pass(d.t, d.db, d.timers, by)
}

func (d *desk) only() disputes.View {
	d.t.Helper()
	page, err := d.disputes.List(auth.With(d.t.Context(), agent), disputes.ListInput{})
	_ = page
	d.ok(err)
	if len(page.Data) != 1 {
		d.t.Fatalf("there are %d disputes, want 1", len(page.Data))
	}
	return page.Data[0]
}

func TestADisputeIsAnsweredAndRuled(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	order := d.order()
	v, err := d.open(buyer, order)
	d.ok(err)
	if got := d.show(v.ID); got.State != disputes.Open || got.Deadline == nil {
		t.Errorf("opened: %+v", got)
	}
	if _, err := d.open(buyer, order); !errors.Is(err, escrow.ErrFrozen) {
		t.Errorf("a second dispute: %v, want ErrFrozen", err)
	}
	for who, p := range map[string]auth.Principal{"the buyer": buyer, "another seller": {Subject: "org_x", Role: auth.Seller}} {
		if _, err := d.reply(p, disputes.ReplyInput{Dispute: v.ID, Text: "Non."}); !errors.Is(err, disputes.ErrNotFound) {
			t.Errorf("answered by %s: %v, want not found", who, err)
		}
	}
	if _, err := d.reply(seller, disputes.ReplyInput{Dispute: v.ID, Text: " "}); !errors.Is(err, disputes.ErrInvalid) {
		t.Errorf("an empty answer: %v, want ErrInvalid", err)
	}
	_, err = d.reply(seller, disputes.ReplyInput{Dispute: v.ID, Text: "Emballé avec soin."})
	d.ok(err)
	cases, err := d.escrows.CaseOf(t.Context(), d.db, []string{order})
	d.ok(err)
	if c := cases[order]; c.ID != v.ID || c.State != "answered" || c.Deadline == nil {
		t.Errorf("the order shows %+v", c)
	}
	if _, err := d.reply(seller, disputes.ReplyInput{Dispute: v.ID, Text: "Encore."}); !errors.Is(err, disputes.ErrState) {
		t.Errorf("answered twice: %v, want ErrState", err)
	}
	for _, bad := range [][2]int64{{1, 7500}, {7501, -1}, {0, 0}} {
		if _, err := d.rule(agent, v.ID, bad[0], bad[1]); !errors.Is(err, escrow.ErrShares) {
			t.Errorf("a ruling of %v: %v, want ErrShares", bad, err)
		}
	}
	got, err := d.rule(agent, v.ID, 3000, 4500)
	d.ok(err)
	if got.State != disputes.Resolved || got.Ruling == nil || got.Ruling.Refund.Centimes() != 3000 || got.Deadline != nil {
		t.Errorf("ruled: %+v", got)
	}
	if len(d.paid.all) != 1 || d.paid.all[0].ID != got.Ruling.RefundID || d.paid.all[0].Amount.Centimes() != 3000 {
		t.Errorf("paid back %+v", d.paid.all)
	}
	if _, err := d.rule(agent, v.ID, 0, 7500); !errors.Is(err, disputes.ErrState) {
		t.Errorf("ruled twice: %v, want ErrState", err)
	}
	if h := d.hold(order); h.Held() != 0 || h.Released != 4500 || h.Refunded != 3000 || len(h.Cases) != 0 {
		t.Errorf("the escrow: %+v", h)
	}
}

func TestASellerWhoDoesNotAnswerLoses(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	order := d.order()
	v, err := d.open(buyer, order)
	d.ok(err)
	d.advance(disputes.ReplyWithin - time.Minute)
	if got := d.show(v.ID); got.State != disputes.Open {
		t.Errorf("a minute before its time it is %s", got.State)
	}
	d.advance(2 * time.Minute)
	if got := d.show(v.ID); got.State != disputes.Resolved || got.Ruling.Refund.Centimes() != 7500 {
		t.Errorf("after its time: %+v", got)
	}
	if h := d.hold(order); h.Refunded != 7500 {
		t.Errorf("the escrow: %+v", h)
	}
}

func TestASellerWhoAcceptsGivesAllBack(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	order := d.order()
	v, err := d.open(buyer, order)
	d.ok(err)
	got, err := d.reply(seller, disputes.ReplyInput{Dispute: v.ID, Accept: true})
	d.ok(err)
	if got.State != disputes.Resolved || d.hold(order).Refunded != 7500 {
		t.Errorf("accepted: %+v", got)
	}
}

func TestAfterThirtyDaysTwoPeopleRule(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	order := d.order()
	v, err := d.open(buyer, order)
	d.ok(err)
	_, err = d.reply(seller, disputes.ReplyInput{Dispute: v.ID, Text: "Non."})
	d.ok(err)
	d.advance(disputes.RuleWithin + time.Minute)
	if got := d.show(v.ID); got.State != disputes.Answered || !got.Deadline.Equal(v.OpenedAt.Add(disputes.TwoAfter)) {
		t.Errorf("a week later: %+v", got)
	}
	d.advance(disputes.TwoAfter)
	if got := d.show(v.ID); got.State != disputes.Mediation {
		t.Errorf("a month later it is %s, want mediation", got.State)
	}
	got, err := d.rule(agent, v.ID, 2500, 5000)
	d.ok(err)
	if got.State != disputes.Mediation || got.Approval == "" || d.hold(order).Held() != 7500 {
		t.Fatalf("one person ruled: %+v", got)
	}
	if err := d.decide(agent, got.Approval, "approve"); !errors.Is(err, approvals.ErrSelf) {
		t.Errorf("the same person approved: %v, want ErrSelf", err)
	}
	again, err := d.rule(agent, v.ID, 7500, 0) // another proposal takes its place
	d.ok(err)
	if err := d.decide(second, got.Approval, "approve"); !errors.Is(err, approvals.ErrEnded) {
		t.Errorf("what was replaced was approved: %v, want ErrEnded", err)
	}
	d.ok(d.decide(second, again.Approval, "refuse"))
	last, err := d.rule(agent, v.ID, 500, 7000)
	d.ok(err)
	d.ok(d.decide(second, last.Approval, "approve"))
	if got := d.show(v.ID); got.State != disputes.Resolved || got.Ruling.Release.Centimes() != 7000 {
		t.Errorf("approved: %+v", got)
	}
}

func TestGoodsThatNeverArriveOpenADispute(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	order, arrived := d.order(), d.order()
	d.ok(d.do(seller, func(ctx context.Context, tx *pg.Tx) error {
		if err := d.escrows.Shipped(ctx, tx, arrived, tx.Now()); err != nil {
			return err
		}
		return d.escrows.Shipped(ctx, tx, order, tx.Now())
	}))
	d.ok(d.do(seller, func(ctx context.Context, tx *pg.Tx) error { return d.escrows.Delivered(ctx, tx, arrived, tx.Now()) }))
	d.advance(15*24*time.Hour + time.Minute)
	if got := d.only(); got.Order != order || got.Reason != disputes.Lost || got.OpenedBy != "system" || got.State != disputes.Open {
		t.Errorf("opened: %+v", got)
	}
	if h := d.hold(order); h.Released != 0 {
		t.Errorf("%d was released", h.Released)
	}
	d.advance(disputes.ReplyWithin)
	// The buyer gets all back, the carrier keeps its fee: the seller owes it.
	if h := d.hold(order); h.Returned() != 7500 || h.Released != 1500 {
		t.Errorf("the escrow: %+v", h)
	}
}

func TestNothingIsHeldForMoreThanNinetyDays(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	order := d.order()
	d.advance(90*24*time.Hour + time.Minute)
	v := d.only()
	if v.Reason != disputes.TooLong || v.State != disputes.Mediation || d.hold(order).Held() != 7500 {
		t.Fatalf("after ninety days: %+v", v)
	}
	got, err := d.rule(agent, v.ID, 0, 7500)
	d.ok(err)
	if got.State != disputes.Mediation {
		t.Errorf("one person ruled: %+v", got)
	}
	d.ok(d.decide(second, got.Approval, "approve"))
	if h := d.hold(order); h.State != escrow.Released {
		t.Errorf("the escrow is %s", h.State)
	}
}

func TestABuyerIsLateOnceTheWindowHasEnded(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	order, gone := d.order(), d.order()
	d.ok(d.do(buyer, func(ctx context.Context, tx *pg.Tx) error {
		if _, err := d.escrows.ReleaseOrder(ctx, tx, gone); err != nil {
			return err
		}
		return d.escrows.Delivered(ctx, tx, order, tx.Now().Add(-73*time.Hour))
	}))
	if _, err := d.open(buyer, order); !errors.Is(err, disputes.ErrLate) {
		t.Errorf("after the window: %v, want ErrLate", err)
	}
	if _, err := d.open(buyer, gone); !errors.Is(err, disputes.ErrHeld) || !strings.Contains(fmt.Sprint(err), "released") {
		t.Errorf("after the release: %v, want ErrHeld that says so", err)
	}
}

func TestARulingWaitsForAChargeback(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	order := d.order()
	v, err := d.open(buyer, order)
	d.ok(err)
	d.ok(d.do(auth.Hub, func(ctx context.Context, tx *pg.Tx) error {
		return d.escrows.Contest(ctx, tx, escrow.Contest{Case: "cbk_1", Charge: d.hold(order).Charge, Acquirer: "p", Amount: 7500})
	}))
	if _, err := d.rule(agent, v.ID, 7500, 0); !errors.Is(err, escrow.ErrFrozen) {
		t.Errorf("ruled beside a chargeback: %v, want ErrFrozen", err)
	}
	d.advance(disputes.ReplyWithin + time.Minute)
	if got := d.show(v.ID); got.State != disputes.Open {
		t.Errorf("the dispute is %s, want it to wait", got.State)
	}
	d.ok(d.do(auth.Hub, func(ctx context.Context, tx *pg.Tx) error { return d.escrows.Won(ctx, tx, "cbk_1") }))
	d.advance(25 * time.Hour)
	if got := d.show(v.ID); got.State != disputes.Resolved {
		t.Errorf("the dispute is %s, want resolved", got.State)
	}
}

// Fifty callers release, refund and dispute one escrow at once: one wins, and
// the others are told the state that won.
func TestOfReleaseRefundAndDisputeOneWins(t *testing.T) {
	t.Parallel()
	rounds := 20
	if os.Getenv("HUB_LONG") != "" {
		rounds = 200
	}
	d := newDesk(t)
	winners := map[string]int{}
	for round := range rounds {
		order := d.order()
		var all sync.WaitGroup
		results := make([]error, 50)
		start := make(chan struct{})
		for i := range results {
			all.Go(func() {
				<-start
				results[i] = d.grab(order, i)
			})
		}
		close(start)
		all.Wait()
		won := []string{}
		for i, err := range results {
			if err == nil {
				won = append(won, []string{"release", "refund", "dispute"}[i%3])
				continue
			}
			f, ok := errors.AsType[*fault.Error](err)
			if !ok || f.Kind != fault.Conflict || len(f.Details) == 0 {
				t.Fatalf("round %d: caller %d was told %v, want 409 with the state that won", round, i, err)
			}
		}
		if len(won) != 1 {
			t.Fatalf("round %d: %v won, want one", round, won)
		}
		winners[won[0]]++
		h := d.hold(order)
		if n := h.Released + h.Refunded; n != 0 && n != 7500 || n == 0 && len(h.Cases) != 1 {
			t.Fatalf("round %d: %s won and left %+v", round, won[0], h)
		}
	}
	t.Logf("winners: %v", winners)
}

func (d *desk) grab(order string, i int) error {
	return d.do(buyer, func(ctx context.Context, tx *pg.Tx) (err error) {
		switch i % 3 {
		case 0:
			_, err = d.escrows.ReleaseOrder(ctx, tx, order)
		case 1:
			_, err = d.escrows.TakeBack(ctx, tx, escrow.Back{Refund: id.New(id.Refund), Order: order, Amount: 7500, HeldOnly: true})
		default:
			_, err = d.disputes.Open(ctx, tx, disputes.Opening{Order: order, Reason: "other", Wish: "refund"})
		}
		return err
	})
}
