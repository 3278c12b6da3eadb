package main

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"tiwiza/adapters/remote/moneyconform"
	"tiwiza/adapters/wallet"
	"tiwiza/payments/connectors"
	"tiwiza/pkg/money"
	"tiwiza/pkg/outbound"
)

func walletAt(id, url, token, from string) map[string]any {
	return map[string]any{"id": id, "port": "wallet", "url": url, "credentials": map[string]string{"token": token}, "settles_from": from, "fee_percent": "0.9"}
}

// TestWalletRegisteredByURLTakesTheNextCharge has a provider of wallets that nobody
// had heard of take buyers' money and give it back, while two hubs run.
func TestWalletRegisteredByURLTakesTheNextCharge(t *testing.T) {
	t.Parallel()
	seed, trusts := trusted()
	one := newRig(t, "HUB_PARTNERS_KEY="+strings.Repeat("5d", 32), trusts)
	two := one.second(t)
	var c struct {
		Wallet struct {
			SettlesFrom string `json:"settles_from"`
			URL         string `json:"connector_url"`
			Token       string `json:"connector_token"`
		}
	}
	one.partner(t, "GET", "/config", nil, &c)
	const id = "hubsim-wallet"
	at, token := c.Wallet.URL, c.Wallet.Token
	for field, bad := range map[string]any{"settles_from": "123", "fee_percent": "21", "safeguard": map[string]string{"rib": newRIB(), "name": "X"}} {
		wrong := walletAt(id, at, token, c.Wallet.SettlesFrom)
		wrong[field] = bad
		if a := one.ask(t, req{key: one.operator(), method: "POST", path: "/v1/partners", body: wrong, idem: once()}); a.status != 422 {
			t.Errorf("with a wrong %s it is registered: %d %s", field, a.status, a.body)
		}
	}
	one.letIn(t, two, walletAt(id, at, token, c.Wallet.SettlesFrom), seed, true)

	// knows says whether the new door was asked for a charge: the old one is of the
	// same provider.
	knows := func(ref string) bool {
		t.Helper()
		h, err := http.NewRequestWithContext(t.Context(), http.MethodGet, at+"/wallet/v1/requests/"+ref, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		h.Header.Set("Authorization", "Bearer "+token)
		res, err := one.client.Do(h)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		return res.StatusCode == http.StatusOK
	}
	s := one.seller(t)
	w := one.ware(t, s, 20, "100.00")
	// At one hub it is approved on the phone; it settles over the bank's statement.
	from := phone("01")
	sale := two.buyByWallet(t, w.variant, from)
	one.until(t, "the phone to be asked", func() bool { return one.walletChargeOf(t, sale).Status == "accepted" })
	if !knows(refOf(sale.Charge.ID)) {
		t.Error("the charge does not go through the wallet that was registered")
	}
	one.onPhone(t, map[string]any{"phone": from, "pin": "1234"})
	one.walletPaid(t, sale)
	one.moved(t, refOf(sale.Charge.ID), "charge", sale.Charge.Amount)
	one.walletSettled(t, sale)
	// What is refused says why, and is asked for again there.
	sale = one.buyByWallet(t, w.variant, phone("22"))
	one.until(t, "the refusal", func() bool { return one.walletChargeOf(t, sale).Status == "declined" })
	if r := one.walletChargeOf(t, sale).Refusal; r == nil || r.Code != "funds" {
		t.Errorf("it is refused with %+v", r)
	}
	one.ask(t, req{key: sale.buyer, method: "POST", path: "/v1/charges/" + sale.Charge.ID + "/wallet", body: map[string]string{"phone": "+212" + phone("00")[1:]}, idem: once()}).into(t, nil)
	one.walletPaid(t, sale)
	one.moved(t, refOf(sale.Charge.ID)+"-2", "charge", sale.Charge.Amount)
	one.walletSettled(t, sale)
	// A refund is a reversal there, or money paid to the phone.
	for ends, suffix := range map[string]string{"00": "", "66": "-2"} {
		sale := two.buyByWallet(t, w.variant, phone(ends))
		one.walletPaid(t, sale)
		one.walletSettled(t, sale)
		v := one.givenBack(t, s, sale)
		one.until(t, "the refund to a phone that ends in "+ends, func() bool { return one.refundOf(t, sale.buyer, v.ID).State == "confirmed" })
		one.moved(t, refOf(v.ID)+suffix, "refund", v.Amount)
		if !knows(refOf(v.ID) + suffix) {
			t.Errorf("the refund to a phone that ends in %s does not go through it", ends)
		}
	}
	one.until(t, "it to owe nothing", func() bool {
		var a struct{ Balance moneyView }
		one.ask(t, req{key: one.operator(), method: "GET", path: "/v1/ledger/accounts/psp:" + id + ":clearing"}).into(t, &a)
		return a.Balance.IsZero()
	})
	// Paused, it is asked for nothing new; the one that is built in is.
	two.connector(t, id, "pause", map[string]any{}).into(t, nil)
	sale = one.buyByWallet(t, w.variant, phone("00"))
	one.walletPaid(t, sale)
	one.walletSettled(t, sale)
	if knows(refOf(sale.Charge.ID)) {
		t.Error("paused, it is asked all the same")
	}
	one.verify(t)
}

// TestWalletsEventsHaveItAsked has a wallet tell what became of a request; nobody
// else's word is heard.
func TestWalletsEventsHaveItAsked(t *testing.T) {
	t.Parallel()
	r := newRig(t, "HUB_PARTNERS_KEY="+strings.Repeat("5e", 32))
	const id = "wallet-exemple"
	w := moneyconform.NewWallet("", false)
	at := httptest.NewServer(w)
	t.Cleanup(at.Close)
	w.Tell(r.url + "/callbacks/" + id + "/events")
	r.standsIn(t, walletAt(id, at.URL, moneyconform.Token, newRIB()), "reversals", "payouts")
	s := r.seller(t)
	sale := r.buyByWallet(t, r.ware(t, s, 3, "100.00").variant, phone("00"))
	r.until(t, "the phone to be asked", func() bool { return r.walletChargeOf(t, sale).Status == "accepted" })
	ref := refOf(sale.Charge.ID)
	_, stranger, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := r.tells(t, id, stranger, string(w.Event(ref, wallet.Completed))); got != http.StatusUnauthorized {
		t.Errorf("a stranger's event is answered %d, want 401", got)
	}
	w.Approve(ref) // and tells of it
	r.walletPaid(t, sale)
	r.until(t, "its event to be heard", func() bool {
		res, err := http.Get(r.url + "/metrics")
		if err != nil {
			return false
		}
		defer res.Body.Close()
		said, err := io.ReadAll(res.Body)
		return err == nil && strings.Contains(string(said), fmt.Sprintf(`hub_http_request_seconds_count{route="callbacks.events",status="%d"} 1`, http.StatusNoContent))
	})
}

// TestAWalletWithoutItsSecretsIsAWalletAllTheSame has a hub look at a wallet whose
// secrets it cannot read: statements that name its charges are read, and nothing is
// asked of it.
func TestAWalletWithoutItsSecretsIsAWalletAllTheSame(t *testing.T) {
	t.Parallel()
	r := newRig(t, "HUB_PARTNERS_KEY="+strings.Repeat("5f", 32))
	const id = "wallet-exemple"
	w := moneyconform.NewWallet("", false)
	at := httptest.NewServer(w)
	t.Cleanup(at.Close)
	r.standsIn(t, walletAt(id, at.URL, moneyconform.Token, newRIB()), "reversals", "payouts")
	without := r.house // no key
	p, err := without.plugged.Plug(t.Context(), without.store, connectors.PortWallet, id)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := without.plugged.Opening(t.Context(), without.store, p); !errors.Is(err, connectors.ErrSealed) {
		t.Fatalf("its secrets are read without the key: %v", err)
	}
	ways, err := tillsOf(without.plugged, without.insured.dial, outbound.NewMetrics(nil)).Wallets(t.Context(), without.store)
	if err != nil || len(ways) != 1 || ways[0].Wallet.ID() != id || ways[0].Barred == "" || !ways[0].Wallet.Reverses() {
		t.Fatalf("the wallets are %+v, %v", ways, err)
	}
	ask := wallet.Payment{Ref: "CHG1", Phone: "+212612345678", Amount: money.MustParse("100.00", money.MAD)}
	if got := ways[0].Wallet.Ask(t.Context(), ask); got.Outcome != outbound.NotSent {
		t.Errorf("it is asked all the same: %+v", got)
	}
	if got := ways[0].Wallet.Query(t.Context(), "CHG1", ""); got.Outcome != outbound.NotSent {
		t.Errorf("a question to it ends %+v", got.Result)
	}
}
