package main

import (
	"crypto/ed25519"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"tiwiza/adapters/card"
	"tiwiza/adapters/remote/moneyconform"
	"tiwiza/pkg/money"
	"tiwiza/pkg/outbound/netfault"
)

func cardAt(id, url, token, from string) map[string]any {
	return map[string]any{"id": id, "port": "card", "url": url, "credentials": map[string]string{"token": token}, "settles_from": from, "fee_percent": "1.8"}
}

// TestAcquirerRegisteredByURLTakesTheNextCharge has an acquirer that nobody had heard of
// take buyers' cards, give back and take a payment back, while two hubs run.
func TestAcquirerRegisteredByURLTakesTheNextCharge(t *testing.T) {
	t.Parallel()
	seed, trusts := trusted()
	one := newRig(t, "HUB_PARTNERS_KEY="+strings.Repeat("6d", 32), trusts)
	two := one.second(t)
	var c struct {
		Acquirer struct {
			SettlesFrom string `json:"settles_from"`
			URL         string `json:"connector_url"`
			Token       string `json:"connector_token"`
		}
	}
	one.partner(t, "GET", "/config", nil, &c)
	const id = "hubsim-card"
	at, token := c.Acquirer.URL, c.Acquirer.Token
	tells := func(url string) {
		t.Helper()
		one.partner(t, "POST", strings.TrimPrefix(at, one.sim)+"/events", map[string]string{"url": url}, nil)
	}
	events := netfault.FreeAddr(t)
	tells("http://" + events)
	one.letIn(t, two, cardAt(id, at, token, c.Acquirer.SettlesFrom), seed, true, "--events", events)
	tells(one.url + "/callbacks/" + id + "/events")

	s := one.seller(t)
	w := one.ware(t, s, 2000, "100.00") // as many as it takes until both hubs have looked
	// there says whether a buyer is sent to the page that was registered.
	there := func(x sale) bool { return strings.HasPrefix(x.Charge.NextAction.URL, at+"/card/v1/pay") }
	for _, r := range []*rig{one, two} { // each hub looks for itself
		r.until(t, "buyers to be sent there", func() bool { return there(r.checkout(t, r.buyer(t), map[string]int{w.variant: 1})) })
	}
	settled := func(x sale) {
		t.Helper()
		one.until(t, "the settlement", func() bool {
			var c struct{ Settled bool }
			one.ask(t, req{key: x.buyer, method: "GET", path: "/v1/charges/" + x.Charge.ID}).into(t, &c)
			return c.Settled
		})
	}
	// A card that is declined, and then one that pays.
	x := two.checkout(t, two.buyer(t), map[string]int{w.variant: 1})
	if !there(x) {
		t.Fatalf("the buyer is sent to %s", x.Charge.NextAction.URL)
	}
	noMoney := map[string]string{"pan": "4000000000000002", "expiry": "12/29", "cvv": "000", "otp": "123456"}
	if err := two.pay(t.Context(), x.Charge.NextAction.URL, x.Charge.NextAction.Fields, noMoney); err == nil {
		t.Error("a card that is declined leads back to the shop, and not to the page again")
	}
	two.unpaid(t, x)
	two.payBy(t, x, goodCard)
	one.paid(t, x)
	one.captured(t, x)
	settled(x)
	// What is settled is given back in part, what is not is let go.
	one.shipped(t, x, s)
	var v refundView
	one.ask(t, refunding(x, s.key, "15.00")).into(t, &v)
	one.until(t, "the refund", func() bool { return one.refundOf(t, x.buyer, v.ID).State == "confirmed" })
	one.moved(t, refOf(x.Charge.ID), "refund", v.Amount)
	// A payment that is taken back is heard of by a signed event.
	y := one.sold(t, w, goodCard, true)
	one.shipped(t, y, s)
	var taken struct{ ID string }
	one.partner(t, "POST", "/cases", map[string]string{"ref": refOf(y.Charge.ID), "reason": "13.1"}, &taken)
	one.until(t, "the chargeback", func() bool { return one.chargebackOf(t, y.Charge.ID).State == "open" })
	one.partner(t, "POST", "/cases", map[string]string{"id": taken.ID, "state": "won"}, nil)
	one.nudged(t, "the verdict", time.Second, 1, "6s", func() bool { return one.chargebackOf(t, y.Charge.ID).State == "won" })
	// Paused, nobody is sent there; the one that is built in takes what comes.
	two.connector(t, id, "pause", map[string]any{}).into(t, nil)
	z := one.checkout(t, one.buyer(t), map[string]int{w.variant: 1})
	if there(z) {
		t.Error("paused, it is sent buyers all the same")
	}
	one.payBy(t, z, goodCard)
	one.paid(t, z)
	settled(z)
	one.until(t, "it to owe nothing", func() bool {
		var a struct{ Balance moneyView }
		one.ask(t, req{key: one.operator(), method: "GET", path: "/v1/ledger/accounts/psp:" + id + ":clearing"}).into(t, &a)
		return a.Balance.IsZero()
	})
	one.verify(t)
}

// TestAcquirersEventsHaveItAsked has an acquirer tell what became of a payment; nobody
// else's word is heard, and a page is paid with what the hub signed.
func TestAcquirersEventsHaveItAsked(t *testing.T) {
	t.Parallel()
	r := newRig(t, "HUB_PARTNERS_KEY="+strings.Repeat("6e", 32))
	const id = "card-exemple"
	a := moneyconform.NewCard("")
	at := httptest.NewServer(a)
	t.Cleanup(at.Close)
	a.Tell(r.url + "/callbacks/" + id + "/events")
	r.standsIn(t, cardAt(id, at.URL, moneyconform.Token, newRIB()), "chargebacks")
	s := r.seller(t)
	w := r.ware(t, s, 2000, "100.00")
	var x sale
	r.until(t, "a buyer to be sent there", func() bool {
		x = r.checkout(t, r.buyer(t), map[string]int{w.variant: 1})
		return strings.HasPrefix(x.Charge.NextAction.URL, at.URL)
	})
	ref := refOf(x.Charge.ID)
	_, stranger, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := r.tells(t, id, stranger, string(a.Event(ref, card.Authorized))); got != http.StatusUnauthorized {
		t.Errorf("a stranger's event is answered %d, want 401", got)
	}
	r.payBy(t, x, goodCard)
	r.paid(t, x)
	if n := a.Executed("capture", ref); n != 1 {
		t.Errorf("the money was taken %d times", n)
	}
	a.Settle()
	a.ChargeBack("CBK-1", ref, card.CaseOpened, x.Charge.Amount, money.Dirhams(0))
	r.until(t, "the chargeback", func() bool { return r.chargebackOf(t, x.Charge.ID).State == "open" })
}
