package charges_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"tiwiza/adapters/card"
	"tiwiza/adapters/wallet"
	"tiwiza/payments/charges"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

// street are ways to pay that come and go while the hub runs.
type street struct {
	mu   sync.Mutex
	ways []charges.Way
}

func (s *street) set(ways ...charges.Way) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ways = ways
}

// of are those that are acquirers, or those that are wallets.
func (s *street) of(acquirers bool) (out []charges.Way) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, w := range s.ways {
		if (w.Acquirer != nil) == acquirers {
			out = append(out, w)
		}
	}
	return out
}

func (s *street) Acquirers(context.Context, pg.DB) ([]charges.Way, error) { return s.of(true), nil }
func (s *street) Wallets(context.Context, pg.DB) ([]charges.Way, error)   { return s.of(false), nil }

func (s *street) AnyAcquirer() bool { return len(s.of(true)) > 0 }

func (s *street) AnyWallet() bool { return len(s.of(false)) > 0 }

func TestAPluggedWalletIsAskedAsItStands(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	var s street
	h.charges.Plug(&s)
	more := &phones{by: map[string]*asked{}}
	w := wallet.New("plug", more, wallet.Options{Pay: patient, Query: patient})

	s.set(charges.Way{Wallet: w, Barred: "the partner is paused", First: true})
	if c, _, _ := h.pending(); h.at(c.ID) != "wal" {
		t.Errorf("a paused wallet is asked: the charge is at %s", h.at(c.ID))
	}
	s.set(charges.Way{Wallet: w})
	if c, _, _ := h.pending(); h.at(c.ID) != "wal" {
		t.Errorf("a wallet that is not the first is asked first: the charge is at %s", h.at(c.ID))
	}
	h.stopAt("wal", true)
	if c, _, ref := h.pending(); h.at(c.ID) != "plug" || !more.has(ref) {
		t.Errorf("people have stopped the first, and the charge is at %s", h.at(c.ID))
	}
	h.stopAt("wal", false)

	s.set(charges.Way{Wallet: w, First: true})
	c, _, ref := h.pending()
	if h.at(c.ID) != "plug" || !more.has(ref) || h.phones.has(ref) {
		t.Fatalf("the charge is at %s", h.at(c.ID))
	}
	more.answer(ref, wallet.Completed, "")
	h.must(h.charges.WalletTold(t.Context(), "plug", fmt.Appendf(nil, `{"ref":%q,"state":"completed"}`, ref)))
	h.becomes(c.ID, charges.Confirmed)
	h.has("psp:plug:clearing", 11500)
	// Paused, what it settles is still taken in.
	s.set(charges.Way{Wallet: w, Barred: "the partner is paused"})
	h.must(h.tx(auth.Hub, func(ctx context.Context, tx *pg.Tx) error {
		_, err := h.charges.Settle(ctx, tx, "plug", ref, 11500, money.MAD)
		return err
	}))
	if !h.settled(c.ID) {
		t.Error("it is not settled")
	}
}

// teller is an acquirer whose events prove nothing, and who is asked then.
type teller struct {
	*acquirer
}

func newTeller() teller {
	return teller{&acquirer{state: map[string]card.State{}, back: map[string]int64{}}}
}

// Told is the reference that an event names.
func (teller) Told(event []byte) (string, error) {
	if len(event) == 0 || event[0] == '{' {
		return "", card.ErrUnreadable
	}
	return string(event), nil
}

func TestAPluggedAcquirerTakesWhatTheOthersCannot(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	var s street
	h.charges.Plug(&s)
	third := newTeller()
	a := card.New("acq3", third, card.Options{Pay: patient, Query: patient})
	s.set(charges.Way{Acquirer: a, Barred: "the partner is paused", First: true})
	if c := h.sell(); h.at(c.ID) != "acq" {
		t.Errorf("a paused acquirer is chosen: the charge is at %s", h.at(c.ID))
	}
	s.set(charges.Way{Acquirer: a})
	if c := h.sell(); h.at(c.ID) != "acq" {
		t.Errorf("an acquirer that is not the first is chosen first: the charge is at %s", h.at(c.ID))
	}
	h.stopAt("acq", true)
	h.stopAt("acq2", true)
	c := h.sell()
	if h.at(c.ID) != "acq3" {
		t.Fatalf("the charge is at %s", h.at(c.ID))
	}
	ref := charges.RefOf(c.ID)
	if err := h.charges.CardTold(t.Context(), "acq3", []byte("CHGNOBODY")); !errors.Is(err, charges.ErrNotFound) {
		t.Errorf("an event about nobody's payment: %v", err)
	}
	h.stopAt("acq", false)
	if at := h.sell(); h.at(at.ID) != "acq" {
		t.Fatalf("the charge is at %s", h.at(at.ID))
	} else if err := h.charges.CardTold(t.Context(), "acq3", []byte(charges.RefOf(at.ID))); !errors.Is(err, charges.ErrNotFound) {
		t.Errorf("an event about another's payment: %v", err)
	}
	h.stopAt("acq", true)
	if err := h.charges.CardTold(t.Context(), "acq3", nil); !errors.Is(err, card.ErrUnreadable) {
		t.Errorf("an event of nothing: %v", err)
	}
	// An event has it asked; what it says then is what counts.
	third.set(ref, card.Authorized)
	h.must(h.charges.CardTold(t.Context(), "acq3", []byte(ref)))
	h.becomes(c.ID, charges.Confirmed)
	h.has("psp:acq3:clearing", 11500)
	if third.captures != 1 {
		t.Errorf("the money was taken %d times", third.captures)
	}
	// Its callbacks are not read at the address of those that sign their own.
	if _, err := h.charges.Callback(t.Context(), charges.CallbackInput{Partner: "acq3"}); !errors.Is(err, charges.ErrPartnerUnknown) {
		t.Errorf("an acquirer whose events are signed elsewhere sends callbacks: %v", err)
	}
}

// TestWhatIsPaidAfterTheWindowIsLetGo has a plugged acquirer reserve money for a charge
// that is over.
func TestWhatIsPaidAfterTheWindowIsLetGo(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	var s street
	h.charges.Plug(&s)
	third := newTeller()
	s.set(charges.Way{Acquirer: card.New("acq3", third, card.Options{Pay: patient, Query: patient}), First: true})
	c := h.sell()
	if h.at(c.ID) != "acq3" {
		t.Fatalf("the charge is at %s", h.at(c.ID))
	}
	h.advance(24 * time.Hour)
	h.becomes(c.ID, charges.Expired)
	ref := charges.RefOf(c.ID)
	third.set(ref, card.Authorized)
	h.must(h.charges.CardTold(t.Context(), "acq3", []byte(ref)))
	for end := time.Now().Add(2 * time.Minute); third.at(ref) != card.Voided; time.Sleep(20 * time.Millisecond) {
		if h.fire(); time.Now().After(end) {
			t.Fatal("what was reserved is kept")
		}
	}
}

// TestAChargeIsNotStuckAtAPausedAcquirer has one be paused when a buyer has paid on its
// page, and not before.
func TestAChargeIsNotStuckAtAPausedAcquirer(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		after time.Duration
		want  charges.State
		there card.State
	}{
		{"for an hour after its window", time.Hour, charges.Confirmed, card.Captured},
		{"for a day after its window", 24 * time.Hour, charges.Expired, card.Voided},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := newHub(t)
			var s street
			h.charges.Plug(&s)
			third := newTeller()
			way := charges.Way{Acquirer: card.New("acq3", third, card.Options{Pay: patient, Query: patient}), First: true}
			s.set(way)
			r := h.sell()
			ref := charges.RefOf(r.ID)
			third.set(ref, card.Authorized)
			way.Barred = "the partner is paused"
			s.set(way)
			h.must(h.charges.CardTold(t.Context(), "acq3", []byte(ref)))
			waits := func() bool { return slices.Contains(h.ops(r.ID), "capture acq3 intent") }
			for end := time.Now().Add(2 * time.Minute); !waits(); time.Sleep(20 * time.Millisecond) {
				if h.fire(); time.Now().After(end) {
					t.Fatalf("no capture waits: %v", h.ops(r.ID))
				}
			}
			h.advance(time.Until(r.ExpiresAt) + c.after)
			if c.want == charges.Expired {
				h.becomes(r.ID, charges.Expired)
			}
			h.fire()
			way.Barred = ""
			s.set(way)
			h.advance(time.Hour) // what waited is tried again
			h.becomes(r.ID, c.want)
			for end := time.Now().Add(2 * time.Minute); third.at(ref) != c.there; time.Sleep(20 * time.Millisecond) {
				if h.fire(); time.Now().After(end) {
					t.Fatalf("the money there is %s, want %s: %v", third.at(ref), c.there, h.ops(r.ID))
				}
			}
			if got, want := third.captures, map[charges.State]int{charges.Confirmed: 1}[c.want]; got != want {
				t.Errorf("the money was taken %d times, want %d", got, want)
			}
		})
	}
}

// TestABuyerWhoseWalletIsPausedIsAskedAtAnother has a wallet refuse, and then be
// paused, before its buyer asks anew.
func TestABuyerWhoseWalletIsPausedIsAskedAtAnother(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	var s street
	h.charges.Plug(&s)
	more := &phones{by: map[string]*asked{}}
	w := wallet.New("plug", more, wallet.Options{Pay: patient, Query: patient})
	s.set(charges.Way{Wallet: w, First: true})
	c, _, ref := h.pending()
	more.answer(ref, wallet.Failed, "requestDeclined")
	h.becomes(c.ID, charges.Declined)
	s.set(charges.Way{Wallet: w, First: true, Barred: "the partner is paused"})
	h.must(h.anew(c.ID, ""))
	h.becomes(c.ID, charges.Accepted)
	if again := ref + "-2"; h.at(c.ID) != "wal" || !h.phones.has(again) || more.has(again) {
		t.Fatalf("the charge is at %s", h.at(c.ID))
	}
	h.phones.answer(ref+"-2", wallet.Completed, "")
	h.becomes(c.ID, charges.Confirmed)
	h.has("psp:wal:clearing", 11500)
	h.must(h.settleWallet(ref + "-2"))
}

// TestAPageThatWasLeftIsAskedAboutAfterTheWindow has a buyer be declined on a page that
// the charge has left, by an event, and then pay there without a word.
func TestAPageThatWasLeftIsAskedAboutAfterTheWindow(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	var s street
	h.charges.Plug(&s)
	third := newTeller()
	third.gone = true
	s.set(charges.Way{Acquirer: card.New("acq3", third, card.Options{Pay: patient, Query: patient}), First: true})
	c := h.sell()
	ref := charges.RefOf(c.ID)
	h.advance(time.Minute)
	h.until("the charge to go elsewhere", func(*acquirer) bool { return h.at(c.ID) == "acq" })
	third.mu.Lock()
	third.gone, third.state[ref] = false, card.Declined
	asked := third.queries
	third.mu.Unlock()
	h.must(h.charges.CardTold(t.Context(), "acq3", []byte(ref)))
	h.until("the page that was left to be asked about", func(*acquirer) bool {
		third.mu.Lock()
		defer third.mu.Unlock()
		if third.queries == asked {
			return false
		}
		third.state[ref] = card.Authorized // by another card
		return true
	})
	h.advance(24 * time.Hour)
	for range 1200 {
		h.fire()
		third.mu.Lock()
		done := third.state[ref] != card.Authorized // taken, or let go when the window was over before
		third.mu.Unlock()
		if done {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Error("what was reserved on the page that was left is kept")
}

// TestABuyerWhoWasDeclinedGoesOnWhereTheAcquirerIsPaused has a card be declined at an
// acquirer that is paused before the buyer tries another.
func TestABuyerWhoWasDeclinedGoesOnWhereTheAcquirerIsPaused(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	var s street
	h.charges.Plug(&s)
	third := newTeller()
	a := card.New("acq3", third, card.Options{Pay: patient, Query: patient})
	s.set(charges.Way{Acquirer: a, First: true})
	c := h.sell()
	ref := charges.RefOf(c.ID)
	third.set(ref, card.Declined)
	s.set(charges.Way{Acquirer: a, First: true, Barred: "the partner is paused"})
	h.must(h.charges.CardTold(t.Context(), "acq3", []byte(ref)))
	for range 1200 {
		h.fire()
		if h.at(c.ID) == "acq" {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Errorf("the charge is at %s, where nobody may pay", h.at(c.ID))
}

// TestAChargebackFitsItsPayment has a plugged acquirer tell of chargebacks with a fee
// without measure, of more than was paid, and of nobody's payment.
func TestAChargebackFitsItsPayment(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	var s street
	h.charges.Plug(&s)
	third := newTeller()
	s.set(charges.Way{Acquirer: card.New("acq3", third, card.Options{Pay: patient, Query: patient}), First: true})
	c := h.sell()
	ref := charges.RefOf(c.ID)
	third.set(ref, card.Authorized)
	h.must(h.charges.CardTold(t.Context(), "acq3", []byte(ref)))
	h.becomes(c.ID, charges.Confirmed)
	told := func(of, ref, amount, fee string) error {
		return h.charges.CardTold(t.Context(), "acq3", fmt.Appendf(nil, `{"ID":%q,"Ref":%q,"State":"opened","Amount":%q,"Fee":%q,"Word":"secret"}`, of, ref, amount, fee))
	}
	h.must(told("K1", ref, "115.00", "1000000.00"))
	h.must(told("K2", ref, "115.01", "15.00"))
	if got := h.chargebacks(); len(got) != 0 {
		t.Errorf("what does not fit is booked: %+v", got)
	}
	h.must(told("K3", ref, "115.00", "1000.00"))
	if got := h.chargebacks(); len(got) != 1 || got[0].Case != "K3" {
		t.Errorf("chargebacks = %+v", got)
	}
	h.safe()
	if err := told("K4", "CHGNOBODY", "75.00", "15.00"); !errors.Is(err, charges.ErrNotFound) {
		t.Errorf("a chargeback of nobody's payment: %v", err)
	}
}
