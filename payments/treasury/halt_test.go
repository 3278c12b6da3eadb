package treasury_test

import (
	"errors"
	"testing"
	"time"

	"tiwiza/adapters/bank/paperbank"
	"tiwiza/payments/approvals"
	"tiwiza/payments/operations"
	"tiwiza/pkg/pgtest"
)

func TestOnePersonHaltsAndTwoLetGoOn(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	v := h.turn(first, true)
	if again := h.turn(second, true); !v.On || again.By != v.By {
		t.Fatalf("halted: %+v, then %+v", v, again)
	}
	h.intend("payout", "pay_1")
	h.intend("refund", "rfd_1")
	h.intend("capture", "chg_1")
	for range 4 {
		h.advance(time.Minute)
		pgtest.Idle(t, h.db)
	}
	if n := h.sent.Load(); n != 1 {
		t.Errorf("%d calls while halted, want the capture's: nothing leaves by it", n)
	}
	if got := h.operation("PAY1").State; got != operations.Intent || len(h.bank.Files()) != 0 {
		t.Fatalf("while halted the payout is %s, and %d files left", got, len(h.bank.Files()))
	}
	asked := h.turn(first, false)
	if !asked.On || asked.Approval == "" {
		t.Fatalf("one person alone let payments go on: %+v", asked)
	}
	if err := h.approve(first, asked.Approval); !errors.Is(err, approvals.ErrSelf) {
		t.Errorf("the same person: %v, want ErrSelf", err)
	}
	h.ok(h.approve(second, asked.Approval))
	if v := h.turn(first, false); v.On {
		t.Errorf("still halted: %+v", v)
	}
	h.advance(time.Minute)
	h.becomes("PAY1", operations.Accepted)
	h.becomes("RFD1", operations.Confirmed)
	if n := h.sent.Load(); n != 2 || len(h.bank.Files()) != 1 {
		t.Errorf("%d calls and %d files in all, want 2 and 1", n, len(h.bank.Files()))
	}
}

// A halt at one hub stops the other, also in the middle of a call.
func TestAHaltStopsEveryHubWithinFiveSeconds(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	b := &slow{Bank: &paperbank.Bank{}, began: make(chan struct{}, 10)}
	one, two := join(t, url, b), join(t, url, b)
	b.waits.Store(true)
	one.intend("payout", "pay_1")
	one.advance(3 * time.Second)
	<-b.began // a hub is sending, and the bank takes its time
	two.turn(first, true)
	halted := time.Now()
	one.becomes("PAY1", operations.Intent)
	if took := time.Since(halted); took > 5*time.Second {
		t.Errorf("the call ended after %s, want 5 s", took)
	}
	b.waits.Store(false)
	two.intend("payout", "pay_2")
	for range 3 {
		one.advance(time.Minute)
		two.fire()
		pgtest.Idle(t, one.db)
	}
	if n := len(b.Files()); n != 0 {
		t.Fatalf("%d files left while payments were halted", n)
	}
	asked := one.turn(first, false)
	one.ok(two.approve(second, asked.Approval))
	one.advance(time.Minute)
	one.becomes("PAY1", operations.Accepted)
	one.becomes("PAY2", operations.Accepted)
	paid := map[string]int{}
	for _, f := range b.Files() {
		for _, tr := range paperbank.Batch(f).Transfers {
			paid[tr.Ref]++
		}
	}
	if paid["PAY1"] != 1 || paid["PAY2"] != 1 {
		t.Errorf("paid %v, want each once", paid)
	}
}
