package charges_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

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

func (s *street) now(context.Context, pg.DB) ([]charges.Way, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ways, nil
}

func TestAPluggedWalletIsAskedAsItStands(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	var s street
	h.charges.Plug(s.now)
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

// TestABuyerWhoseWalletIsPausedIsAskedAtAnother has a wallet refuse, and then be
// paused, before its buyer asks anew.
func TestABuyerWhoseWalletIsPausedIsAskedAtAnother(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	var s street
	h.charges.Plug(s.now)
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
