package payouts_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"tiwiza/adapters/bank/paperbank"
	"tiwiza/payments/approvals"
	"tiwiza/payments/ledger"
	"tiwiza/payments/operations"
	"tiwiza/payments/payouts"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/money"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

func TestAPayoutIsPaidWhenTheStatementSaysSo(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.earn(5000, true)
	h.earn(3000, true)
	v := h.mustAsk(0)
	if v.State != payouts.Approved || v.Amount.Centimes() != 8000 || len(v.Covers) != 2 {
		t.Fatalf("payout = %+v", v)
	}
	h.has("seller:org_s:available", 0)
	h.has("payout:"+v.ID, 8000)
	h.advance(3 * time.Second)
	h.becomes(v.ID, payouts.Sent)
	files := h.bank.Files()
	if len(files) != 1 || len(paperbank.Batch(files[0]).Transfers) != 1 {
		t.Fatalf("files = %+v", files)
	}
	tr := paperbank.Batch(files[0]).Transfers[0]
	if tr.Ref != v.Ref || tr.Amount.Centimes() != 8000 || tr.To.RIB != "011519000001205000534921" {
		t.Errorf("transfer = %+v", tr)
	}
	h.hear(v.Ref, operations.Statement, outbound.Succeeded)
	h.becomes(v.ID, payouts.Paid)
	h.has("payout:"+v.ID, 0)
	h.has("bank:bank:safeguard", -8000)
}

func TestPayoutsAskedTogetherShareAFile(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.earn(5000, true)
	a, b := h.mustAsk(2000), h.mustAsk(1000)
	h.advance(3 * time.Second)
	h.becomes(a.ID, payouts.Sent)
	h.becomes(b.ID, payouts.Sent)
	if files := h.bank.Files(); len(files) != 1 || len(paperbank.Batch(files[0]).Transfers) != 2 {
		t.Errorf("%d files", len(files))
	}
	h.has("seller:org_s:available", 2000)
}

func TestTheSameMoneyIsNeverPaidOutTwice(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.earn(5000, true)
	var wg sync.WaitGroup
	results := make(chan error, 20)
	for range 20 {
		wg.Go(func() {
			_, err := h.ask(1000)
			results <- err
		})
	}
	wg.Wait()
	close(results)
	made := 0
	for err := range results {
		switch {
		case err == nil:
			made++
		case !errors.Is(err, payouts.ErrNothing) && !errors.Is(err, payouts.ErrTooMuch):
			t.Error(err)
		}
	}
	if made != 5 {
		t.Errorf("%d payouts of 10.00 were made of 50.00, want 5", made)
	}
	h.has("seller:org_s:available", 0)
}

func TestWhatAPayoutRefuses(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	if _, err := h.ask(0); !errors.Is(err, payouts.ErrNothing) {
		t.Errorf("without money: %v, want ErrNothing", err)
	}
	h.earn(5000, true)
	for _, amount := range []int64{5001, -1} {
		if _, err := h.ask(amount); !errors.Is(err, payouts.ErrTooMuch) {
			t.Errorf("%d of 5000: %v, want ErrTooMuch", amount, err)
		}
	}
	h.accounts["org_s"] = payouts.Account{}
	if _, err := h.ask(0); !errors.Is(err, payouts.ErrNoAccount) {
		t.Errorf("without an account: %v, want ErrNoAccount", err)
	}
	h.has("seller:org_s:available", 5000)
}

func TestADraftWaitsForSettlementAndThenGoesByItself(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	charge := h.earn(5000, false)
	v := h.mustAsk(0)
	if v.State != payouts.Draft || len(v.Waits) == 0 {
		t.Fatalf("payout = %+v, want a draft that says what it waits for", v)
	}
	h.settle(charge)
	h.becomes(v.ID, payouts.Approved)
}

func TestAChangedAccountIsCooledAndADraftFollowsIt(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	charge := h.earn(5000, false)
	v := h.mustAsk(1000) // a draft: not settled yet
	now, err := pg.Value[time.Time](t.Context(), h.db, nil, `select platform.now()`)
	if err != nil {
		t.Fatal(err)
	}
	h.accounts["org_s"] = payouts.Account{RIB: "230780210345678901234517", Holder: "Coopérative exemple", Verified: true, Since: now}
	h.settle(charge)
	h.until(func() bool { return h.show(v.ID).Account == "4517" })
	if got := h.show(v.ID).State; got != payouts.Draft {
		t.Fatalf("a payout to an account changed just now is %s, want draft", got)
	}
	h.advance(payouts.Cooling + time.Minute)
	h.becomes(v.ID, payouts.Sent)
	if tr := paperbank.Batch(h.bank.Files()[0]).Transfers[0]; tr.To.RIB != "230780210345678901234517" {
		t.Errorf("paid to %s", tr.To.RIB)
	}
}

func TestAPayoutThatCannotBeSentKeepsNoOther(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.earn(5000, true)
	a := h.accounts["org_s"]
	h.accounts["org_s"] = payouts.Account{RIB: "230780210345678901234518", Holder: a.Holder, Verified: true} // a key that does not fit
	bad := h.mustAsk(1000)
	h.accounts["org_s"] = a
	good := h.mustAsk(2000)
	h.advance(3 * time.Second)
	h.becomes(good.ID, payouts.Sent)
	h.becomes(bad.ID, payouts.Rejected)
	h.has("seller:org_s:available", 3000)
	if files := h.bank.Files(); len(files) != 1 || len(paperbank.Batch(files[0]).Transfers) != 1 {
		t.Errorf("files %+v", files)
	}
}

func TestAboveTheLimitASecondPersonDecides(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.earn(50_000_00+100, true)
	v := h.mustAsk(0)
	if v.State != payouts.Draft || !v.NeedsTwo {
		t.Fatalf("payout = %+v", v)
	}
	approve := func(who auth.Principal) error {
		ctx := auth.With(t.Context(), who)
		return h.db.InTx(ctx, func(tx *pg.Tx) error {
			_, err := h.payouts.Approve(ctx, tx, payouts.ApproveInput{Payout: v.ID})
			return err
		})
	}
	if err := approve(seller); !errors.Is(err, approvals.ErrSelf) {
		t.Errorf("approved by who asked: %v, want ErrSelf", err)
	}
	if _, err := h.db.Exec(t.Context(), `update payouts.payout set state = 'approved' where id = $1`, v.ID); !pg.Violates(err, "payout_two") {
		t.Errorf("the database took it without a second person: %v", err)
	}
	if err := approve(first); err != nil {
		t.Fatal(err)
	}
	h.becomes(v.ID, payouts.Approved)
}

// A suspended member's money is still its own; whether it is paid meanwhile a
// person decides, of what it asks for and of what is due by itself.
func TestRule3_12_ASuspendedMemberIsPaidOnASecondPersonsWord(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.earn(5000, true)
	a := h.accounts["org_s"]
	a.Suspended = true
	h.accounts["org_s"] = a
	v := h.mustAsk(1000)
	if v.State != payouts.Draft || !v.NeedsTwo || len(v.Waits) != 1 || v.Waits[0].Code != "second_person" {
		t.Fatalf("payout = %+v, want a draft for a second person", v)
	}
	h.do(auth.With(t.Context(), first), func(tx *pg.Tx) error {
		r, err := h.approvals.Of(t.Context(), tx, "payouts.pay", v.ID)
		if err == nil && !strings.Contains(r.Why, "suspended") {
			t.Errorf("the second person reads %q", r.Why)
		}
		return err
	})
	h.do(auth.With(t.Context(), first), func(tx *pg.Tx) error {
		_, err := h.payouts.Approve(auth.With(t.Context(), first), tx, payouts.ApproveInput{Payout: v.ID})
		return err
	})
	h.becomes(v.ID, payouts.Approved)
	h.set(seller, payouts.SetSettingInput{Schedule: payouts.Daily}) // the rest, by itself
	h.morning()
	h.fire()
	var list rest.Page[payouts.View]
	h.until(func() bool {
		var err error
		if list, err = h.payouts.List(auth.With(t.Context(), seller), payouts.ListInput{Paging: rest.Paging{Limit: 10}}); err != nil {
			t.Fatal(err)
		}
		return len(list.Data) == 2
	})
	if v := list.Data[0]; v.State != payouts.Draft || !v.NeedsTwo || v.Amount.Centimes() != 4000 {
		t.Errorf("by schedule it is %+v, want a draft of the rest for a second person", v)
	}
	a.Suspended = false
	h.accounts["org_s"] = a
	h.set(seller, payouts.SetSettingInput{Schedule: payouts.Manual})
	h.earn(1000, true)
	if v := h.mustAsk(1000); v.State != payouts.Approved {
		t.Errorf("reactivated, it is %+v", v)
	}
}

func TestALostAnswerIsFoundAndNothingIsSentTwice(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.earn(5000, true)
	h.bank.Say(outbound.Unknown, true) // it takes the file, and its answer is lost
	v := h.mustAsk(0)
	h.advance(3 * time.Second)
	h.becomes(v.ID, payouts.Unknown)
	h.advance(time.Minute)
	h.becomes(v.ID, payouts.Sent)
	if n := len(h.bank.Files()); n != 1 {
		t.Errorf("%d files, want 1", n)
	}
}

func TestAFileThatSurelyNeverArrivedGoesAgainWithItsOwnBytes(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.earn(5000, true)
	h.bank.Say(outbound.Unknown, false) // it never gets the file
	v := h.mustAsk(0)
	h.advance(3 * time.Second)
	h.becomes(v.ID, payouts.Unknown)
	h.bank.Say(outbound.Accepted, true)
	for range 6 { // within the quiet period absence is not believed
		h.advance(time.Minute)
	}
	if n := len(h.bank.Files()); n != 0 {
		t.Fatalf("%d files went out within the quiet period", n)
	}
	for range 8 {
		h.advance(5 * time.Minute)
		h.until(func() bool { return h.show(v.ID).State != payouts.Unknown || h.idle() })
	}
	h.becomes(v.ID, payouts.Sent)
	files := h.bank.Files()
	if len(files) != 1 || paperbank.Batch(files[0]).Transfers[0].Ref != v.Ref {
		t.Fatalf("files = %+v", files)
	}
	made, err := pg.Value[int](t.Context(), h.db, nil, `select count(*) from payouts.file`)
	if err != nil || made != 1 {
		t.Errorf("%d files were made (%v), want the same one twice", made, err)
	}
}

func TestARefusedPayoutGivesTheMoneyBack(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.earn(5000, true)
	v := h.mustAsk(0)
	h.advance(3 * time.Second)
	h.becomes(v.ID, payouts.Sent)
	h.hear(v.Ref, operations.Callback, outbound.Declined)
	h.becomes(v.ID, payouts.Rejected)
	h.has("seller:org_s:available", 5000)
	h.has("payout:"+v.ID, 0)
	again := h.mustAsk(0)
	if again.Amount.Centimes() != 5000 {
		t.Errorf("the money can be asked for again: %+v", again)
	}
}

// A chargeback that keeps money back between a look at what is due and the
// payout itself leaves less: all there is is then the rest, and an amount that
// was named is refused with what there is.
func TestAPayoutThatAChargebackOvertakes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		asked, kept int64
		paid        int64
		err         error
		says        string
	}{
		"all there is":       {0, 3000, 2000, nil, ""},
		"an amount":          {5000, 3000, 0, payouts.ErrTooMuch, "at most 20.00 MAD"},
		"an amount in reach": {2000, 3000, 2000, nil, ""},
		"all is kept":        {0, 5000, 0, payouts.ErrNothing, ""},
		"an amount of none":  {1000, 5000, 0, payouts.ErrTooMuch, "at most 0.00 MAD"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHub(t)
			h.earn(3500, true)
			h.earn(1500, true)
			var once sync.Once
			h.between.then = func() {
				once.Do(func() {
					h.do(t.Context(), func(tx *pg.Tx) error {
						_, err := h.books.HoldUpTo(t.Context(), tx, ledger.Hold{ID: "cbk", Account: "seller:org_s:available", Currency: money.MAD, Amount: c.kept, Why: "chargeback"})
						return err
					})
				})
			}
			v, err := h.ask(c.asked)
			if !errors.Is(err, c.err) {
				t.Fatalf("%+v, %v, want %v", v, err, c.err)
			}
			if f, ok := errors.AsType[*fault.Error](err); ok && !strings.Contains(f.Text, c.says) {
				t.Errorf("it says «%s», want «%s»", f.Text, c.says)
			}
			var covered int64
			for _, p := range v.Covers {
				covered += p.Amount.Centimes()
			}
			if covered != c.paid || err == nil && v.Amount.Centimes() != c.paid {
				t.Errorf("%d of %s is covered, want %d", covered, v.Amount, c.paid)
			}
			h.has("seller:org_s:available", 5000-c.paid)
			left, err := pg.Value[int64](t.Context(), h.db, nil, `select sum(amount - covered - taken)::bigint from escrow.release`)
			if err != nil || left != 5000-c.paid {
				t.Errorf("payouts could cover %d (%v), want %d", left, err, 5000-c.paid)
			}
		})
	}
}
