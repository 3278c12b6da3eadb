package charges_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"tiwiza/adapters/card"
	"tiwiza/payments/charges"
	"tiwiza/payments/escrow"
	"tiwiza/pkg/money"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pg"
)

// stopAt stops an acquirer, as people do.
func (h *hub) stopAt(acquirer string, held bool) {
	for _, l := range h.lanes.Lanes() {
		if l.Partner() == acquirer {
			l.Hold(held)
		}
	}
}

// breaks opens the breaker of an acquirer's payments.
func (h *hub) breaks(acquirer string) {
	h.t.Helper()
	for _, l := range h.lanes.Lanes() {
		if l.Partner() != acquirer || l.Class() != outbound.Pay {
			continue
		}
		for range 3 {
			l.Do(h.t.Context(), "test", func(context.Context) outbound.Result { return outbound.Result{Outcome: outbound.Unknown} })
		}
	}
}

// asked are the operations of a charge, as "kind connector state".
func (h *hub) ops(charge string) (out []string) {
	h.t.Helper()
	ops, err := h.engine.Of(h.t.Context(), h.db, charge)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, o := range ops {
		out = append(out, fmt.Sprintf("%s %s %s", o.Kind, o.Connector, o.State))
	}
	return out
}

func (h *hub) at(charge string) string {
	h.t.Helper()
	s, err := pg.Value[string](h.t.Context(), h.db, nil, `select acquirer from charges.charge where id = $1`, charge)
	if err != nil {
		h.t.Fatal(err)
	}
	return s
}

func atSecond(s *signed) { s.Partner = "acq2" }

func TestAChargeGoesToTheAcquirerThatAnswers(t *testing.T) {
	t.Parallel()
	for name, stop := range map[string]func(h *hub){
		"it does not answer":     func(h *hub) { h.breaks("acq") },
		"people have stopped it": func(h *hub) { h.stopAt("acq", true) },
	} {
		h := newHub(t)
		for _, l := range h.lanes.Lanes() {
			if err := l.Tune(outbound.Settings{Consecutive: 3}); err != nil {
				t.Fatal(err)
			}
		}
		stop(h)
		c, orders := h.sale(7500, 4000)
		if got, want := h.ops(c.ID), []string{"charge acq rejected", "charge acq2 accepted"}; !slices.Equal(got, want) {
			t.Fatalf("%s: operations are %q, want %q", name, got, want)
		}
		ops, _ := h.engine.Of(t.Context(), h.db, c.ID)
		if want := "taken to acq2: it was not sent there: " + name; ops[0].Why != want || ops[0].Gone != 0 {
			t.Errorf("the story says %q after %d sendings, want %q after none", ops[0].Why, ops[0].Gone, want)
		}
		if got := h.notify(c.ID, "115.00", nil); got != string(card.Acknowledge) { // nobody was sent there
			t.Errorf("%s: the first acquirer's notice is answered %s", name, got)
		}
		h.second.set(charges.RefOf(c.ID), card.Authorized)
		if got := h.notify(c.ID, "115.00", atSecond); got != string(card.Capture) {
			t.Fatalf("%s: the second acquirer's notice is answered %s", name, got)
		}
		h.second.set(charges.RefOf(c.ID), card.Captured)
		h.becomes(c.ID, charges.Confirmed)
		h.has("psp:acq2:clearing", 11500)
		h.holdIs(orders[0], escrow.Funded)
		if h.acquirer.captures != 0 {
			t.Errorf("%s: the first acquirer captured %d times", name, h.acquirer.captures)
		}
	}
}

func TestWithAllAcquirersStoppedNobodyIsSentAnywhere(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.stopAt("acq", true)
	h.stopAt("acq2", true)
	err := h.db.InTx(t.Context(), func(tx *pg.Tx) error {
		_, err := h.charges.Create(t.Context(), tx, charges.Sale{Group: "grp_1", Buyer: "per_b", Method: "card", Amount: money.Dirhams(100), Parts: []charges.Part{{Order: "ord_1", Amount: money.Dirhams(100)}}})
		return err
	})
	if err == nil || !strings.Contains(err.Error(), "not available") {
		t.Errorf("a charge with all acquirers stopped: %v, want ErrPartner", err)
	}
}

// moved is a charge whose page was handed out, and that has gone to the second
// acquirer since, for the first was not to be reached.
func (h *hub) movedOn() (charges.Receipt, []string) {
	h.t.Helper()
	c, orders := h.sale(11500)
	h.acquirer.mu.Lock()
	h.acquirer.gone = true
	h.acquirer.mu.Unlock()
	h.advance(46 * time.Second)
	h.until("the charge to go on", func(*acquirer) bool { return h.at(c.ID) == "acq2" })
	if got, want := h.ops(c.ID), []string{"charge acq rejected", "charge acq2 accepted"}; !slices.Equal(got, want) {
		h.t.Fatalf("operations are %q, want %q", got, want)
	}
	h.acquirer.mu.Lock()
	h.acquirer.gone = false
	h.acquirer.mu.Unlock()
	return c, orders
}

// The first page was opened before: whichever is paid first is taken, and what
// the other one reserved is let go.
func TestTwoPagesAreChargedOnce(t *testing.T) {
	t.Parallel()
	for _, first := range []string{"acq", "acq2"} {
		t.Run("paid first at "+first, func(t *testing.T) {
			t.Parallel()
			h := newHub(t)
			c, orders := h.movedOn()
			ref := charges.RefOf(c.ID)
			by := map[string]*acquirer{"acq": h.acquirer, "acq2": h.second}
			later := map[string]string{"acq": "acq2", "acq2": "acq"}[first]
			say := func(partner string) string {
				by[partner].set(ref, card.Authorized)
				return h.notify(c.ID, "115.00", func(s *signed) { s.Partner = partner })
			}
			if got := say(first); got != string(card.Capture) {
				t.Fatalf("the first payment is answered %s", got)
			}
			if got := say(later); got != string(card.Acknowledge) {
				t.Fatalf("the second payment is answered %s", got)
			}
			by[first].set(ref, card.Captured)
			h.becomes(c.ID, charges.Confirmed)
			h.until("the other to be let go", func(*acquirer) bool {
				return slices.Contains(h.ops(c.ID), "void "+later+" confirmed")
			})
			h.has("psp:"+first+":clearing", 11500)
			h.has("psp:"+later+":clearing", 0)
			h.holdIs(orders[0], escrow.Funded)
			if got := by[later].captures; got != 0 || by[later].voids != 1 || by[first].voids != 0 {
				t.Errorf("%s captured %d times and let go %d times, %s let go %d times", later, got, by[later].voids, first, by[first].voids)
			}
			if got := h.notify(c.ID, "115.00", func(s *signed) { s.Partner = later }); got != string(card.Acknowledge) {
				t.Errorf("a copy of the second payment is answered %s", got)
			}
			if h.at(c.ID) != first {
				t.Errorf("the charge stands at %s", h.at(c.ID))
			}
		})
	}
}

// Two notices at once: one is captured.
func TestTwoPagesPaidAtOnceAreChargedOnce(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	c, _ := h.movedOn()
	answers := make(chan string, 2)
	for partner, a := range map[string]*acquirer{"acq": h.acquirer, "acq2": h.second} {
		a.set(charges.RefOf(c.ID), card.Authorized)
		go func() { answers <- h.notify(c.ID, "115.00", func(s *signed) { s.Partner = partner }) }()
	}
	got := []string{<-answers, <-answers}
	slices.Sort(got)
	if want := []string{string(card.Acknowledge), string(card.Capture)}; !slices.Equal(got, want) {
		t.Errorf("two at once are answered %q, want %q", got, want)
	}
}

// The callback of the page that was left never came: asked once the window is
// over, the acquirer tells what it holds.
func TestWhatALeftPageReservedIsLetGo(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	c, _ := h.movedOn()
	ref := charges.RefOf(c.ID)
	h.second.set(ref, card.Authorized)
	h.notify(c.ID, "115.00", atSecond)
	h.second.set(ref, card.Captured)
	h.becomes(c.ID, charges.Confirmed)
	h.acquirer.set(ref, card.Authorized) // paid there too, and no callback
	h.acquirer.down = true
	h.advance(40 * time.Minute)
	h.acquirer.down = false
	h.advance(40 * time.Minute)
	h.until("the reservation to be let go", func(a *acquirer) bool { return a.voids == 1 })
	if h.acquirer.captures != 0 {
		t.Error("it was captured besides")
	}
}

// The left page was paid, and nothing came at the other: the buyer has paid.
func TestALeftPageThatWasPaidAloneCounts(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	c, orders := h.movedOn()
	ref := charges.RefOf(c.ID)
	h.acquirer.set(ref, card.Authorized)
	if got := h.notify(c.ID, "116.00", nil); got != string(card.Acknowledge) {
		t.Errorf("another amount is answered %s", got)
	}
	if got := h.notify(c.ID, "115.00", nil); got != string(card.Capture) {
		t.Fatalf("the payment is answered %s", got)
	}
	h.acquirer.set(ref, card.Captured)
	h.becomes(c.ID, charges.Confirmed)
	h.has("psp:acq:clearing", 11500)
	h.holdIs(orders[0], escrow.Funded)
	// Its refund goes back where it came from.
	err := h.db.InTx(t.Context(), func(tx *pg.Tx) error {
		_, err := h.charges.Settle(t.Context(), tx, "acq", ref, 11500, money.MAD)
		return err
	})
	if err != nil {
		t.Errorf("settled by the acquirer that took it: %v", err)
	}
}

// What is asked again goes on only once, and not while money may be under way.
func TestAChargeWithMoneyUnderWayStays(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	c := h.sell()
	h.acquirer.set(charges.RefOf(c.ID), card.Authorized)
	h.notify(c.ID, "115.00", nil) // the capture is ordered
	h.acquirer.mu.Lock()
	h.acquirer.gone = true
	h.acquirer.mu.Unlock()
	for range 4 {
		h.advance(50 * time.Second)
	}
	if h.at(c.ID) != "acq" {
		t.Error("a charge that is being captured went elsewhere")
	}
	if n := slices.IndexFunc(h.ops(c.ID), func(s string) bool { return strings.Contains(s, "acq2") }); n >= 0 {
		t.Errorf("the second acquirer was asked: %q", h.ops(c.ID))
	}
}
