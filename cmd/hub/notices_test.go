package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"tiwiza/pkg/clock"
)

// noticeView is what somebody was told.
type noticeView struct{ ID, Kind, Text, State, Channel, Address, Reason string }

func (r *rig) told(t testing.TB, key string) (all []noticeView) {
	t.Helper()
	var list struct{ Data []noticeView }
	r.ask(t, req{key: key, method: "GET", path: "/v1/notices?limit=100"}).into(t, &list)
	return list.Data
}

// inboxOf is what arrived at an address, by the stand-ins' word, the newest first.
func (r *rig) inboxOf(t testing.TB, to string) (all []struct {
	Text, Channel, State string
	Taken                int
},
) {
	t.Helper()
	res, err := http.Get(r.sim + "/inbox.json?to=" + url.QueryEscape(to))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	out := struct {
		Messages *[]struct {
			Text, Channel, State string
			Taken                int
		}
	}{&all}
	if err := json.NewDecoder(res.Body).Decode(&out); err != nil {
		t.Fatal(err)
	}
	return all
}

// arrives waits until a text is at an address, and gives how often it was handed in.
func (r *rig) arrives(t testing.TB, to, text string) (taken int) {
	t.Helper()
	r.until(t, "«"+text+"» to arrive at "+to, func() bool {
		return slices.ContainsFunc(r.inboxOf(t, to), func(m struct {
			Text, Channel, State string
			Taken                int
		},
		) bool {
			taken = m.Taken
			return strings.Contains(m.Text, text) && m.State == "delivered"
		})
	})
	return taken
}

// reports has a gateway report something, signed with a key.
func (r *rig) reports(t testing.TB, path, body, key string) int {
	t.Helper()
	h := hmac.New(sha256.New, []byte(key))
	_, _ = h.Write([]byte(body))
	q, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	q.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(h.Sum(nil)))
	q.Header.Set("Content-Type", "application/json")
	res, err := r.client.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	return res.StatusCode
}

// wished asks the routes of notices on a hub that others use.
func wished(t *testing.T, r *rig, _ trade) {
	key := r.buyer(t)
	var v struct {
		Channels []string
		Kinds    []struct{ Kind string }
	}
	r.ask(t, req{key: key, method: "GET", path: "/v1/notices/settings"}).into(t, &v)
	if len(v.Channels) != 3 || v.Channels[0] != "sms" || len(v.Kinds) < 25 {
		t.Errorf("the settings are %+v", v)
	}
	r.ask(t, req{key: key, method: "POST", path: "/v1/notices/settings", body: map[string]any{"lang": "ar", "channels": []string{"email"}}, idem: once()}).into(t, &v)
	if got := r.told(t, key); len(v.Channels) != 1 || len(got) != 0 {
		t.Errorf("the settings are %+v, and %v was told", v, got)
	}
	c := r.config(t).Notify
	if got := r.reports(t, "/callbacks/sms/notices", `{"id":"SMS-0","ref":"nat_none","status":"delivered"}`, c.SMS.Reports.Key); got != http.StatusNoContent {
		t.Errorf("a report of nothing is answered %d", got)
	}
	if got := r.reports(t, "/callbacks/sms/notices", `{"id":"SMS-0","ref":"nat_none","status":"delivered"}`, "another key"); got != http.StatusUnauthorized {
		t.Errorf("a forged report is answered %d", got)
	}
	ask := "?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token="
	if got := r.ask(t, req{method: "GET", path: "/callbacks/whatsapp/notices" + ask + c.WhatsApp.VerifyToken}); got.status != http.StatusOK || string(got.body) != "1158201444" {
		t.Errorf("the platform's question is answered %d %s", got.status, got.body)
	}
	r.ask(t, req{method: "GET", path: "/callbacks/whatsapp/notices" + ask + "guess"}).refused(t, http.StatusUnauthorized, "notices.forged")
	r.ask(t, req{method: "GET", path: "/callbacks/sms/notices" + ask}).refused(t, http.StatusUnauthorized, "notices.forged")
}

// TestBuyerAndSellerAreToldAsTheOrderGoesOn plays the main job with a gateway that
// misbehaves, and looks at what arrived.
func TestBuyerAndSellerAreToldAsTheOrderGoesOn(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.morning(t)
	const phone, buyers = "+212600000301", "+212600000302"
	s, key := r.seller(t), r.buyer(t)
	w := r.ware(t, s, 3, "100.00")
	r.until(t, "the seller's account to be noticed while it has no telephone", func() bool { return len(r.told(t, s.key)) == 1 })
	r.ask(t, req{key: s.key, method: "POST", path: "/v1/notices/settings", body: map[string]any{"phone": phone, "email": "atelier@exemple.ma"}, idem: once()}).into(t, nil)

	basket := r.basket(t, key, map[string]int{w.variant: 1})
	body := ordering(basket, r.quote(t, key, basket))
	body["contact"] = map[string]any{"name": "Exemple", "phone": buyers}
	sale := sale{buyer: key}
	r.ask(t, req{key: key, method: "POST", path: "/v1/checkouts", body: body, idem: once()}).into(t, &sale)
	for _, f := range []string{"drop_request", "execute_then_drop", "execute_then_500"} {
		r.fault(t, "sms", f)
	}
	r.payBy(t, sale, goodCard)
	r.paid(t, sale)
	r.until(t, "both to be told of the payment", r.waking(t, func() bool {
		return len(r.inboxOf(t, phone)) == 1 && len(r.inboxOf(t, buyers)) == 1
	}))
	r.arrives(t, phone, "1 à emballer")
	r.arrives(t, buyers, "payés, commande")

	at := "/v1/orders/" + sale.Orders[0].ID
	r.ask(t, req{key: s.key, method: "POST", path: at + "/accept"}).into(t, nil)
	r.ask(t, req{key: s.key, method: "POST", path: at + "/ship", body: map[string]string{"carrier": "Exemple", "tracking": "EX-1"}}).into(t, nil)
	var o struct{ Delivery struct{ Code string } }
	r.ask(t, req{key: key, method: "GET", path: at}).into(t, &o)
	r.arrives(t, buyers, o.Delivery.Code)
	for _, n := range r.told(t, key) {
		if strings.Contains(n.Text, " "+o.Delivery.Code) || n.Address != "+212•••••••02" {
			t.Errorf("the buyer's log shows %+v", n)
		}
	}
	if all := r.told(t, s.key); len(all) != 2 || all[0].Kind != "order.to_pack" || all[1].Kind != "account.changed" {
		t.Errorf("the seller's log shows %+v", all)
	}
	r.until(t, "the report to come", func() bool {
		return !slices.ContainsFunc(r.told(t, key), func(n noticeView) bool { return n.State != "delivered" })
	})
	r.showsInbox(t, buyers)

	r.ask(t, req{method: "POST", path: "/v1/sign-in/codes", body: map[string]string{"phone": "06 00 00 03 03"}}).into(t, nil)
	r.arrives(t, "+212600000303", "\n\n@localhost #")
}

// morning moves the hub's clock to the day's beginning, when people may be told.
func (r *rig) morning(t testing.TB) {
	t.Helper()
	l := r.now(t).In(clock.Morocco)
	next := time.Date(l.Year(), l.Month(), l.Day()+1, 9, 0, 0, 0, clock.Morocco)
	r.advance(t, next.Sub(l).Round(time.Second).String())
}

// waking moves the hub's clock on by a minute, once a second, as long as something
// is not done: a gateway that failed is left alone for a while. Faster than that the
// day would be over, and others told, before the gateway is asked again.
func (r *rig) waking(t testing.TB, done func() bool) func() bool {
	moved := time.Now()
	return func() bool {
		t.Helper()
		if done() {
			return true
		}
		if r.idle(t, moved, time.Second) {
			r.advance(t, "1m")
			moved = time.Now()
		}
		return false
	}
}

// showsInbox looks at the stand-ins' page.
func (r *rig) showsInbox(t testing.TB, to string) {
	t.Helper()
	res, err := http.Get(r.sim + "/inbox?to=" + url.QueryEscape(to))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var b strings.Builder
	if _, err := io.Copy(&b, res.Body); err != nil || res.StatusCode != http.StatusOK || !strings.Contains(b.String(), to[1:]) || strings.Index(b.String(), "en route") > strings.Index(b.String(), "payés") {
		t.Errorf("the page answers %d:\n%s", res.StatusCode, b.String())
	}
}
