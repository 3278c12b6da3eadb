package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
)

// A hook is a member's endpoint: what came with a good signature.
type hook struct {
	*httptest.Server
	mu     sync.Mutex
	secret string
	types  []string
	bodies []string
	forged int
}

func newHook(t *testing.T) *hook {
	h := &hook{}
	h.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		b, _ := io.ReadAll(req.Body)
		var e struct{ Type string }
		_ = json.Unmarshal(b, &e)
		h.mu.Lock()
		defer h.mu.Unlock()
		key, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(h.secret, "whsec_"))
		m := hmac.New(sha256.New, key)
		fmt.Fprintf(m, "%s.%s.%s", req.Header.Get("webhook-id"), req.Header.Get("webhook-timestamp"), b)
		if !slices.Contains(strings.Fields(req.Header.Get("webhook-signature")), "v1,"+base64.StdEncoding.EncodeToString(m.Sum(nil))) {
			h.forged++
			return
		}
		h.types, h.bodies = append(h.types, e.Type), append(h.bodies, string(b))
	}))
	t.Cleanup(h.Close)
	return h
}

// knows gives the receiver its secret.
func (h *hook) knows(secret string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.secret = secret
}

func (h *hook) got(typ string) (n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, t := range h.types {
		if t == typ {
			n++
		}
	}
	return n
}

// hooked has a cooperative hear of its orders, and nobody else's.
func hooked(t *testing.T, r *rig, d trade) {
	s, stranger := r.seller(t), r.seller(t)
	h := newHook(t)
	var e struct{ ID, Secret, State string }
	r.ask(t, req{key: s.key, method: "POST", path: "/v1/webhook-endpoints", body: map[string]any{"url": h.URL, "events": []string{"orders.*", "escrow.*"}}}).into(t, &e)
	h.knows(e.Secret)
	at := "/v1/webhook-endpoints/" + e.ID
	r.ask(t, req{key: s.key, method: "POST", path: at + "/test"}).into(t, nil)
	sale := r.checkout(t, r.buyer(t), map[string]int{r.ware(t, s, 1, "100.00").variant: 1})
	r.payBy(t, sale, goodCard)
	r.paid(t, sale)
	r.until(t, "the webhooks", func() bool { return h.got("orders.paid") == 1 && h.got("escrow.funded") == 1 })
	var buyer string
	for _, b := range h.bodies {
		if strings.Contains(b, "per_") {
			buyer = b
		}
	}
	if buyer != "" || h.forged != 0 || h.got("webhooks.test") != 1 {
		t.Errorf("the seller was told who buys (%s), or %d calls were not signed", buyer, h.forged)
	}
	var events struct {
		Data []struct{ ID, Type, Subject string }
	}
	r.ask(t, req{key: s.key, method: "GET", path: "/v1/events?limit=100"}).into(t, &events)
	paid := slices.IndexFunc(events.Data, func(e struct{ ID, Type, Subject string }) bool { return e.Type == "orders.paid" })
	if paid < 0 || events.Data[paid].Subject != sale.Orders[0].ID {
		t.Fatalf("the seller reads %+v", events.Data)
	}
	evt := events.Data[paid].ID
	r.ask(t, req{key: s.key, method: "POST", path: "/v1/events/" + evt + "/replay"}).into(t, nil)
	r.until(t, "the replay", func() bool { return h.got("orders.paid") >= 2 })
	r.ask(t, req{key: s.key, method: "POST", path: at + "/replay", body: map[string]string{"after": "2020-01-01T00:00:00Z"}}).into(t, nil)
	r.until(t, "the replay of all", func() bool { return h.got("orders.paid") >= 3 })

	for _, q := range []req{
		{method: "GET", path: at},
		{method: "PATCH", path: at, body: map[string]string{"state": "paused"}},
		{method: "DELETE", path: at},
		{method: "POST", path: at + "/rotate"},
		{method: "POST", path: at + "/test"},
		{method: "POST", path: at + "/replay", body: map[string]string{"after": evt}},
		{method: "GET", path: at + "/deliveries"},
	} {
		q.key = stranger.key
		r.ask(t, q).refused(t, 404, "webhooks.not_found")
	}
	r.ask(t, req{key: stranger.key, method: "POST", path: "/v1/events/" + evt + "/replay"}).refused(t, 404, "events.not_found")
	r.ask(t, req{key: s.key, method: "POST", path: "/v1/webhook-endpoints", body: map[string]any{"url": "http://10.0.0.1/", "events": []string{"*"}}}).refused(t, 422, "webhooks.url", "/url")
	r.ask(t, req{key: s.key, method: "POST", path: "/v1/webhook-endpoints", body: map[string]any{"url": h.URL, "events": []string{"order.*"}}}).refused(t, 422, "webhooks.events", "/events/0")
	for _, key := range []string{r.keys.Insurer.APIKey, r.keys.Bank.APIKey} {
		r.ask(t, req{key: key, method: "GET", path: "/v1/events"}).refused(t, 403, "auth.denied")
	}

	var rotated struct{ Secret string }
	r.ask(t, req{key: s.key, method: "POST", path: at + "/rotate"}).into(t, &rotated)
	h.knows(rotated.Secret)
	r.ask(t, req{key: s.key, method: "POST", path: at + "/test"}).into(t, nil)
	if h.got("webhooks.test") != 2 {
		t.Error("the new secret does not sign")
	}
	for _, q := range []req{
		{method: "GET", path: "/v1/webhook-endpoints"},
		{method: "GET", path: at + "/deliveries?state=delivered"},
		{method: "PATCH", path: at, body: map[string]any{"state": "paused", "events": []string{"orders.paid"}}},
		{method: "GET", path: at},
		{method: "DELETE", path: at},
		{method: "GET", path: "/v1/event-types"},
	} {
		q.key = s.key
		r.ask(t, q).into(t, nil)
	}
	r.ask(t, req{key: s.key, method: "GET", path: at}).refused(t, 404, "webhooks.not_found")
}

// bounded sets a rule as two people, and has a sale held and let go.
func bounded(t *testing.T, r *rig, _ trade) {
	op, second := r.operator(), r.keys.SecondOperator.APIKey
	var book struct {
		Version int
		Rules   []map[string]any
	}
	r.ask(t, req{key: op, method: "GET", path: "/v1/limits"}).into(t, &book)
	book.Rules = append(book.Rules, map[string]any{
		"id": "sale_large", "what": "sale", "per": "all", "window_s": 0, "max_amount": dirhams("400000.00"), "action": "hold", "about": "A large basket.",
	})
	put := req{key: op, method: "PUT", path: "/v1/limits", body: map[string]any{"version": book.Version, "rules": book.Rules, "why": "Large baskets are looked at."}}
	var asked struct{ Approval, State string }
	cards := put // a card is not known when an order is made
	cards.body = map[string]any{"version": book.Version, "why": "Cards are counted.", "rules": []map[string]any{
		{"id": "sale_card", "what": "sale", "per": "card", "window_s": 3600, "max_count": 3, "action": "hold", "about": "One card."},
	}}
	r.ask(t, cards).refused(t, 422, "request.invalid")
	r.ask(t, put).into(t, &asked)
	r.ask(t, req{key: op, method: "GET", path: "/v1/approvals?state=open"}).into(t, nil)
	r.ask(t, req{key: op, method: "GET", path: "/v1/approvals/" + asked.Approval}).into(t, nil)
	decide := req{key: op, method: "POST", path: "/v1/approvals/" + asked.Approval, body: map[string]string{"decision": "approve"}, idem: once()}
	r.ask(t, decide).refused(t, 403, "approvals.self")
	decide.key, decide.idem = second, once()
	r.ask(t, decide).into(t, nil)
	r.ask(t, put).refused(t, 409, "limits.version")

	buyer, s := r.buyer(t), r.seller(t)
	sale := r.checkout(t, buyer, map[string]int{r.ware(t, s, 1, "400001.00").variant: 1})
	var list struct {
		Data []struct{ ID, Outcome string }
	}
	r.ask(t, req{key: op, method: "GET", path: "/v1/limits/decisions?open=true&ref=" + sale.Group}).into(t, &list)
	if len(list.Data) != 1 || list.Data[0].Outcome != "hold" {
		t.Fatalf("the large sale is %+v", list.Data)
	}
	clear := req{key: second, method: "POST", path: "/v1/limits/decisions/" + list.Data[0].ID + "/clear", body: map[string]string{"note": "The buyer was called."}}
	r.ask(t, clear).into(t, nil)
	r.ask(t, clear).refused(t, 409, "limits.cleared")

	basket := r.basket(t, buyer, map[string]int{r.ware(t, s, 3, "400000.00").variant: 3})
	r.ask(t, req{key: buyer, method: "POST", path: "/v1/checkouts", body: ordering(basket, r.quote(t, buyer, basket)), idem: once()}).refused(t, 409, "limits.refused")
	r.ask(t, req{key: op, method: "GET", path: "/v1/limits/decisions?outcome=refuse"}).into(t, &list)
	if len(list.Data) == 0 {
		t.Error("the refusal was not written down")
	}
	for _, key := range []string{buyer, s.key, r.keys.Bank.APIKey} {
		r.ask(t, req{key: key, method: "GET", path: "/v1/limits"}).refused(t, 403, "auth.denied")
	}
}
