package main

import (
	"crypto/ed25519"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// throughDoor says by which door each message to an address came.
func (r *rig) throughDoor(t *testing.T, to string) (all []bool) {
	t.Helper()
	res, err := http.Get(r.sim + "/inbox.json?to=" + url.QueryEscape(to))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var list struct{ Messages []struct{ Door bool } }
	if err := json.NewDecoder(res.Body).Decode(&list); err != nil {
		t.Fatal(err)
	}
	for _, m := range list.Messages {
		all = append(all, m.Door)
	}
	return all
}

// TestGatewayRegisteredByURLBringsTheNextMessage has a gateway that nobody had heard
// of bring codes and news, while two hubs run.
func TestGatewayRegisteredByURLBringsTheNextMessage(t *testing.T) {
	t.Parallel()
	seed, trusts := trusted()
	r := newRig(t, "HUB_PARTNERS_KEY="+strings.Repeat("5e", 32), trusts)
	two := r.second(t)
	r.morning(t)
	at := r.door(t, func(c partnerConfig) *standInDoor { return c.Notify.Connector })
	const id, shop = "messages-exemple", "+212600000811"
	code := func(r *rig, to string) {
		t.Helper()
		r.ask(t, req{method: "POST", path: "/v1/sign-in/codes", body: map[string]string{"phone": to}}).into(t, nil)
	}
	came := func(to string, door bool) {
		t.Helper()
		r.until(t, "a message to "+to, func() bool { return len(r.throughDoor(t, to)) > 0 })
		if got := r.throughDoor(t, to); len(got) != 1 || got[0] != door {
			t.Errorf("to %s there came %v by the connector, want %v", to, got, door)
		}
	}
	code(r, "+212600000812")
	came("+212600000812", false)
	r.letIn(t, r, map[string]any{"id": id, "port": "notify", "url": at.URL, "credentials": map[string]string{"token": at.Token}}, seed, false)
	r.partner(t, "POST", strings.TrimPrefix(at.URL, r.sim)+"/events", map[string]string{"url": r.url + "/callbacks/" + id + "/events"}, nil)
	code(two, "+212600000813")
	came("+212600000813", true)
	// Its answer is lost; the hub asks, and the code is not sent again.
	r.fault(t, "sms", "execute_then_drop")
	code(r, "+212600000814")
	came("+212600000814", true)

	// News goes there too, and its signed receipt is heard.
	s, key := r.seller(t), r.buyer(t)
	w := r.ware(t, s, 3, "100.00")
	r.ask(t, req{key: s.key, method: "POST", path: "/v1/notices/settings", body: map[string]any{"phone": shop}, idem: once()}).into(t, nil)
	sale := r.checkout(t, key, map[string]int{w.variant: 1})
	r.payBy(t, sale, goodCard)
	r.paid(t, sale)
	r.until(t, "the seller to be told of the payment", r.waking(t, func() bool { return len(r.throughDoor(t, shop)) > 0 }))
	h, err := http.NewRequestWithContext(t.Context(), http.MethodPost, at.URL+"/notify/v1/sandbox/settle", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	h.Header.Set("Authorization", "Bearer "+at.Token)
	res, err := r.client.Do(h)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	r.until(t, "the receipt to come", func() bool {
		for _, n := range r.told(t, s.key) {
			if n.Kind == "order.to_pack" {
				return n.State == "delivered"
			}
		}
		return false
	})
	// Paused, the gateway that is built in brings again.
	two.connector(t, id, "pause", map[string]any{}).into(t, nil)
	code(r, "+212600000815")
	came("+212600000815", false)
	_, stranger, _ := ed25519.GenerateKey(nil)
	if got := r.tells(t, id, stranger, `{}`); got != 401 {
		t.Errorf("an event that nobody signed is answered %d", got)
	}
}
