package payouts_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"tiwiza/payments/approvals"
	"tiwiza/payments/operations"
	"tiwiza/payments/payouts"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/money"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pg"
)

var second = auth.Principal{Subject: "per_2", Role: auth.Operator}

// as does something in a unit of work of a principal.
func (h *hub) as(who auth.Principal, f func(tx *pg.Tx) error) error {
	return h.db.InTx(auth.With(h.t.Context(), who), f)
}

// approve is a person's word on a payout.
func (h *hub) approve(who auth.Principal, id string) error {
	return h.as(who, func(tx *pg.Tx) error {
		_, err := h.payouts.Approve(auth.With(h.t.Context(), who), tx, payouts.ApproveInput{Payout: id})
		return err
	})
}

// decide is a person's word on a request.
func (h *hub) decide(who auth.Principal, kind, subject, word string) {
	h.t.Helper()
	r, err := h.approvals.Of(h.t.Context(), h.db, kind, subject)
	if err == nil {
		err = h.as(who, func(tx *pg.Tx) error {
			_, err := h.approvals.Decide(auth.With(h.t.Context(), who), tx, approvals.DecideInput{Approval: r.ID, Decision: word})
			return err
		})
	}
	if err != nil {
		h.t.Fatalf("%s of %s: %v", word, subject, err)
	}
}

// limits has two people set other limits.
func (h *hub) limits(two, member, total int64) {
	h.t.Helper()
	var v payouts.LimitsView
	err := h.as(first, func(tx *pg.Tx) (err error) {
		v, err = h.payouts.AskLimits(auth.With(h.t.Context(), first), tx, payouts.LimitsInput{
			TwoAbove: money.Dirhams(two), MemberDay: money.Dirhams(member), TotalDay: money.Dirhams(total), DebtAbove: money.Dirhams(100_00), Reason: "test",
		})
		return err
	})
	if err != nil || v.InForce {
		h.t.Fatalf("limits asked for: %+v, %v", v, err)
	}
	h.decide(second, "payouts.limits", v.ID, "approve")
}

// waitsFor says whether a payout waits for something.
func waitsFor(v payouts.View, code string) bool {
	for _, w := range v.Waits {
		if w.Code == code {
			return true
		}
	}
	return false
}

func TestFiftyAtOnceStayWithinTheLimitOfTheDay(t *testing.T) {
	t.Parallel()
	for name, limit := range map[string][2]int64{"member_limit": {100_00, 500_00}, "total_limit": {100_00, 100_00}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHub(t)
			h.limits(50_000_00, limit[0], limit[1])
			h.earn(500_00, true)
			var all sync.WaitGroup
			var mu sync.Mutex
			var drafts []payouts.View
			approved := 0
			for range 50 {
				all.Go(func() {
					v, err := h.ask(10_00)
					mu.Lock()
					defer mu.Unlock()
					switch {
					case err != nil:
						t.Error(err)
					case v.State == payouts.Approved:
						approved++
					case v.State == payouts.Draft && waitsFor(v, name):
						drafts = append(drafts, v)
					default:
						t.Errorf("payout = %+v", v)
					}
				})
			}
			all.Wait()
			if approved != 10 || len(drafts) != 40 {
				t.Fatalf("%d of 50 payouts of 10.00 were approved and %d wait, want 10 and 40 within 100.00", approved, len(drafts))
			}
			if _, err := h.db.Exec(t.Context(), `update payouts.payout set state = 'approved', day = (platform.now() at time zone 'Africa/Casablanca')::date where id = $1`, drafts[0].ID); pg.Code(err) != "HB071" {
				t.Errorf("the database approved one more: %v", err)
			}
			h.advance(25 * time.Hour)
			left := 0
			for _, d := range drafts {
				if h.show(d.ID).State == payouts.Draft {
					left++
				}
			}
			if left != 30 {
				t.Errorf("%d wait the next day, want 30", left)
			}
		})
	}
}

func TestAnApprovalIsForExactlyOnePayout(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	charge := h.earn(60_000_00, false)
	v := h.mustAsk(0)
	if !waitsFor(v, "second_person") || !waitsFor(v, "unsettled") {
		t.Fatalf("waits = %v", v.Waits)
	}
	if err := h.approve(first, v.ID); err != nil {
		t.Fatal(err)
	}
	if v = h.show(v.ID); waitsFor(v, "second_person") || v.State != payouts.Draft {
		t.Fatalf("approved, it is %s and waits for %v", v.State, v.Waits)
	}
	if _, err := h.db.Exec(t.Context(), `update payouts.payout set amount = amount - 1 where id = $1`, v.ID); pg.Code(err) != "HB070" {
		t.Errorf("the database changed what was approved: %v", err)
	}
	h.accounts["org_s"] = payouts.Account{RIB: "230780210345678901234517", Holder: "Autre (exemple)", Verified: true}
	h.settle(charge)
	h.until(func() bool { return h.show(v.ID).Account == "4517" })
	if v = h.show(v.ID); v.State != payouts.Draft || !waitsFor(v, "second_person") {
		t.Fatalf("to another account it is %s and waits for %v, want a second person again", v.State, v.Waits)
	}
	// The hub noticed the change, so two people must agree.
	if err := h.approve(first, v.ID); err != nil {
		t.Fatal(err)
	}
	if got := h.show(v.ID).State; got != payouts.Draft {
		t.Errorf("after one word it is %s", got)
	}
	if err := h.approve(first, v.ID); !errors.Is(err, approvals.ErrVoted) {
		t.Errorf("the same person again: %v, want ErrVoted", err)
	}
	if err := h.approve(second, v.ID); err != nil {
		t.Fatal(err)
	}
	h.becomes(v.ID, payouts.Approved)
}

func TestARefusedDraftGivesTheMoneyBack(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.earn(60_000_00, true)
	v := h.mustAsk(0)
	h.decide(first, "payouts.pay", v.ID, "refuse")
	h.becomes(v.ID, payouts.Rejected)
	h.has("seller:org_s:available", 60_000_00)
	h.has("payout:"+v.ID, 0)
	if again := h.mustAsk(100); again.State != payouts.Approved {
		t.Errorf("the money can be asked for again: %+v", again)
	}
	if err := h.approve(second, v.ID); !errors.Is(err, payouts.ErrState) {
		t.Errorf("approved after it was refused: %v, want ErrState", err)
	}
}

func TestOthersMayHaveReasonsToo(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	holds := true
	h.payouts.Check(func(_ context.Context, _ *pg.Tx, all []payouts.Payout) (map[string][]payouts.Wait, error) {
		waits := map[string][]payouts.Wait{}
		for _, p := range all {
			if holds {
				waits[p.ID] = []payouts.Wait{{Code: "risk", Text: "too quick"}}
			}
		}
		return waits, nil
	})
	h.earn(5000, true)
	v := h.mustAsk(0)
	if v.State != payouts.Draft || !waitsFor(v, "risk") {
		t.Fatalf("payout = %+v", v)
	}
	holds = false
	h.advance(2 * time.Hour)
	if got := h.show(v.ID); got.State == payouts.Draft {
		t.Errorf("it still waits for %v", got.Waits)
	}
}

// cameBack has the bank send a payment back.
func (h *hub) cameBack(ref string) {
	h.t.Helper()
	ctx := h.t.Context()
	h.do(ctx, func(tx *pg.Tx) error {
		o, err := h.engine.Find(ctx, tx, "bank", ref)
		if err == nil {
			_, err = h.engine.CameBack(ctx, tx, o, "AC04 compte clos", "back "+ref)
		}
		return err
	})
}

func TestAPayoutThatCameBackBlocksItsAccount(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.earn(5000, true)
	v := h.mustAsk(2000)
	h.advance(3 * time.Second)
	h.becomes(v.ID, payouts.Sent)
	h.hear(v.Ref, operations.Statement, outbound.Succeeded)
	h.becomes(v.ID, payouts.Paid)
	h.advance(72 * time.Hour)
	ctx := t.Context()
	h.cameBack(v.Ref)
	h.becomes(v.ID, payouts.Returned)
	h.has("seller:org_s:available", 5000)
	h.has("bank:bank:safeguard", 0)
	again := h.mustAsk(0)
	if again.State != payouts.Draft || !waitsFor(again, "account_refused") {
		t.Fatalf("to the same account: %+v", again)
	}
	now, err := pg.Value[time.Time](ctx, h.db, nil, `select platform.now()`)
	if err != nil {
		t.Fatal(err)
	}
	h.accounts["org_s"] = payouts.Account{RIB: "230780210345678901234517", Holder: "Coopérative exemple", Verified: true, Since: now}
	h.advance(2 * time.Hour)
	if again = h.show(again.ID); waitsFor(again, "account_refused") || !waitsFor(again, "account_cooling") {
		t.Errorf("to a new account it waits for %v, want to cool", again.Waits)
	}
	h.advance(48 * time.Hour)
	h.becomes(again.ID, payouts.Sent)
}

func TestARefusedPayoutThatWasPaidIsTakenBackOrOwed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ spend, available, receivable, transit int64 }{
		"the money is still there": {0, 0, 0, 0},
		"half of it is spent":      {2000, 0, 1000, 1000},
		"all of it is on its way":  {3000, 0, 2000, 2000},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHub(t)
			h.earn(3000, true)
			v := h.mustAsk(2000)
			h.advance(3 * time.Second)
			h.becomes(v.ID, payouts.Sent)
			h.hear(v.Ref, operations.Callback, outbound.Declined)
			h.becomes(v.ID, payouts.Rejected)
			h.has("seller:org_s:available", 3000)
			if c.spend > 0 {
				h.mustAsk(c.spend)
			}
			for range 2 { // shown twice by one statement it is booked once
				h.hear(v.Ref, operations.Statement, outbound.Succeeded)
			}
			h.becomes(v.ID, payouts.Paid)
			got := h.show(v.ID)
			if !got.Contradicted || (got.Owed != nil) != (c.receivable > 0) {
				t.Errorf("payout = %+v", got)
			}
			h.has("seller:org_s:available", 3000-c.spend-2000+c.receivable)
			h.has("seller:org_s:receivable", c.receivable)
			h.has("bank:bank:transit", c.transit)
			h.has("bank:bank:safeguard", -2000)
			h.has("bank:bank:operating", -c.transit)
			alerts, err := pg.Value[int](t.Context(), h.db, nil, `select count(*) from platform.event where type = 'payouts.contradicted'`)
			if err != nil || alerts != 1 {
				t.Errorf("%d alerts (%v), want one", alerts, err)
			}
			covered, err := pg.Value[int64](t.Context(), h.db, nil, `select sum(covered)::bigint from escrow.release`)
			if want := c.spend + 2000 - c.receivable; err != nil || covered != want {
				t.Errorf("%d of the releases is covered (%v), want %d", covered, err, want)
			}
			h.cameBack(v.Ref)
			h.becomes(v.ID, payouts.Returned)
			h.has("bank:bank:safeguard", 0)
			h.has("seller:org_s:receivable", 0) // it paid what was owed first
			h.has("seller:org_s:available", 3000-c.spend)
			covered, err = pg.Value[int64](t.Context(), h.db, nil, `select sum(covered)::bigint from escrow.release`)
			if err != nil || covered != c.spend {
				t.Errorf("%d of the releases is covered in the end (%v), want %d", covered, err, c.spend)
			}
			if again, err := h.ask(1); c.spend < 3000 && (err != nil || !waitsFor(again, "account_refused")) {
				t.Errorf("to the same account: %+v, %v", again, err)
			}
		})
	}
}
