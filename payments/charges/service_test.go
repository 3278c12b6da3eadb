package charges_test

import (
	"sync"
	"testing"
	"time"

	"tiwiza/adapters/card"
	"tiwiza/payments/charges"
	"tiwiza/pkg/pg"
)

func TestACallbackOrdersTheCaptureAndOnlyTheStatusConfirmsIt(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	c := h.sell()
	if c.State != charges.Accepted || c.NextAction.Type != "form" || c.NextAction.Fields["amount"] != "115.00" {
		t.Fatalf("receipt = %+v", c)
	}
	ref := charges.RefOf(c.ID)
	h.acquirer.set(ref, card.Authorized)
	if got := h.notify(c.ID, "115.00", nil); got != "capture" {
		t.Fatalf("reply = %q, want capture", got)
	}
	h.becomes(c.ID, charges.Unknown)
	h.has("psp:acq:clearing", 0)
	h.acquirer.set(ref, card.Captured)
	h.becomes(c.ID, charges.Confirmed)
	h.has("psp:acq:clearing", 11500)
	if got := <-h.events; got != "paid "+c.ID {
		t.Errorf("event %q", got)
	}
	open, err := pg.Value[int](t.Context(), h.db, nil, `select count(*) from operations.operation where subject = $1 and state <> 'confirmed'`, c.ID)
	if err != nil || open != 0 {
		t.Errorf("%d operations of a paid charge are still open (%v)", open, err)
	}
	if got := h.notify(c.ID, "115.00", nil); got != "capture" {
		t.Errorf("the same callback again is answered %q, want capture", got)
	}
	h.has("psp:acq:clearing", 11500)
}

func TestWhatSomebodyGaveBackConfirmsNoCapture(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	c := h.sell()
	ref := charges.RefOf(c.ID)
	h.acquirer.set(ref, card.Authorized)
	if got := h.notify(c.ID, "115.00", nil); got != "capture" {
		t.Fatalf("reply = %q, want capture", got)
	}
	h.becomes(c.ID, charges.Unknown)
	h.acquirer.mu.Lock()
	asked := h.acquirer.queries
	h.acquirer.state[ref] = card.Refunded
	h.acquirer.mu.Unlock()
	h.advance(time.Minute)
	h.until("another question", func(a *acquirer) bool { return a.queries > asked+1 })
	if got := h.state(c.ID); got != charges.Unknown {
		t.Errorf("a capture that was given back makes the charge %s, want unknown", got)
	}
	h.has("psp:acq:clearing", 0)
	h.acquirer.set(ref, card.Captured)
	h.advance(time.Hour)
	h.becomes(c.ID, charges.Confirmed)
}

func TestWhatACallbackMustNotDo(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	c := h.sell()
	for name, tc := range map[string]struct {
		change func(*signed)
		want   string
	}{
		"forged":           {func(s *signed) { s.Word = "guess" }, "trouble"},
		"another amount":   {func(s *signed) { s.Amount = "1.00" }, "acknowledge"},
		"another merchant": {func(s *signed) { s.Merchant = "600002" }, "acknowledge"},
		"unknown order":    {func(s *signed) { s.Ref = "CHGNONE" }, "acknowledge"},
		"a declined card":  {func(s *signed) { s.Approved = false }, "acknowledge"},
	} {
		if got := h.notify(c.ID, "115.00", tc.change); got != tc.want {
			t.Errorf("%s is answered %q, want %q", name, got, tc.want)
		}
		if got := h.state(c.ID); got != charges.Accepted {
			t.Errorf("%s made the charge %s", name, got)
		}
	}
	h.has("psp:acq:clearing", 0)
	n, err := pg.Value[int](t.Context(), h.db, nil, `select count(*) from platform.audit where action = 'callbacks.card'`)
	if err != nil || n != 4 {
		t.Errorf("%d audit rows (%v), want one for each but the declined card", n, err)
	}
	// A failure does not close the charge: the buyer tries another card.
	h.acquirer.set(charges.RefOf(c.ID), card.Captured)
	if got := h.notify(c.ID, "115.00", nil); got != "capture" {
		t.Errorf("the success after failures is answered %q", got)
	}
	h.becomes(c.ID, charges.Confirmed)
}

func TestTwentyCallbacksAtOnceConfirmOnce(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	c := h.sell()
	h.acquirer.set(charges.RefOf(c.ID), card.Captured)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if got := h.notify(c.ID, "115.00", nil); got != "capture" {
				t.Errorf("reply = %q", got)
			}
		})
	}
	wg.Wait()
	h.becomes(c.ID, charges.Confirmed)
	h.has("psp:acq:clearing", 11500)
}

func TestALostCallbackIsFoundByAsking(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	c := h.sell()
	h.acquirer.set(charges.RefOf(c.ID), card.Authorized)
	h.advance(50 * time.Second)
	h.becomes(c.ID, charges.Confirmed)
	if h.acquirer.captures != 1 {
		t.Errorf("captured %d times, want 1", h.acquirer.captures)
	}
	h.has("psp:acq:clearing", 11500)
}

func TestAReservationOfAnotherAmountIsNeverCaptured(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	c := h.sell()
	h.acquirer.amount = 100
	h.acquirer.set(charges.RefOf(c.ID), card.Authorized)
	h.advance(50 * time.Second)
	h.until("the reservation to be let go", func(a *acquirer) bool { return a.voids == 1 })
	if h.acquirer.captures != 0 || h.state(c.ID) != charges.Accepted {
		t.Errorf("captured %d times, the charge is %s", h.acquirer.captures, h.state(c.ID))
	}
	h.has("psp:acq:clearing", 0)
}

func TestAnUnpaidChargeExpiresOnlyOnTheAcquirersWord(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	c := h.sell()
	h.acquirer.down = true
	h.advance(charges.Window + time.Second)
	h.over("charges.final", 1)
	if got := h.state(c.ID); got != charges.Accepted {
		t.Fatalf("without the acquirer's word the charge is %s, want accepted", got)
	}
	h.acquirer.mu.Lock()
	h.acquirer.down = false
	h.acquirer.mu.Unlock()
	h.advance(2 * time.Minute)
	h.becomes(c.ID, charges.Expired)
	if got := <-h.events; got != "lapsed "+c.ID {
		t.Errorf("event %q", got)
	}
	// A reservation after that is let go, never captured.
	h.acquirer.set(charges.RefOf(c.ID), card.Authorized)
	if got := h.notify(c.ID, "115.00", nil); got != "acknowledge" {
		t.Errorf("a success after the window is answered %q, want acknowledge", got)
	}
	h.until("the late reservation to be let go", func(a *acquirer) bool { return a.voids == 1 })
}

// over waits until so many jobs of a kind have ended, with what they booked.
func (h *hub) over(kind string, want int) {
	h.t.Helper()
	var got int
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		var err error
		if got, err = pg.Value[int](h.t.Context(), h.db, nil, `select count(*) from river.river_job where kind = $1 and finalized_at is not null`, kind); err != nil {
			h.t.Fatal(err)
		}
		if got >= want {
			return
		}
	}
	h.t.Fatalf("%d jobs of %s have ended, want %d", got, kind, want)
}

func TestASettlementConfirmsACaptureWhoseOutcomeIsOpen(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	c := h.sell()
	ref := charges.RefOf(c.ID)
	h.acquirer.down = true
	if got := h.notify(c.ID, "115.00", nil); got != "capture" {
		t.Fatalf("reply = %q", got)
	}
	settle := func(gross int64) error {
		return h.db.InTx(t.Context(), func(tx *pg.Tx) error {
			_, err := h.charges.Settle(t.Context(), tx, "acq", ref, gross, "MAD")
			return err
		})
	}
	if err := settle(11400); err == nil {
		t.Error("a settlement of another amount was taken")
	}
	if err := settle(11500); err != nil {
		t.Fatal(err)
	}
	h.becomes(c.ID, charges.Confirmed)
	h.has("psp:acq:clearing", 11500)
	if err := settle(11500); err == nil {
		t.Error("a second settlement was taken")
	}
}
