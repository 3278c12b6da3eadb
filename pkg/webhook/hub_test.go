package webhook_test

import (
	"context"
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
	"time"

	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/clock"
	"tiwiza/pkg/event"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
	"tiwiza/pkg/rest"
	"tiwiza/pkg/webhook"
)

const (
	shop  = "org_01m804qv7w2wdypqkqvjftvdzt"
	other = "org_01m804qv7w2wdypqkqvjftvdza"
	buyer = "per_01m804qv7w2wdypqkqvjftvdzt"
)

var (
	seller   = auth.Principal{Key: "key_1", Subject: shop, Role: auth.Seller}
	stranger = auth.Principal{Key: "key_2", Subject: other, Role: auth.Seller}
	operator = auth.Principal{Key: "key_3", Subject: "org_op", Role: auth.Operator}
)

// grew is an event that its shop is told of, without what its buyer paid.
type grew struct {
	Plant string `json:"plant"`
	Shop  string `json:"shop"`
	N     int    `json:"n"`
	Card  string `json:"card"`
}

func (grew) EventType() string { return "garden.grew" }
func (e grew) Subject() string { return e.Plant }

type grewData struct {
	Plant string `json:"plant"`
	N     int    `json:"n"`
}

// hid is an event that nobody publishes.
type hid struct{}

func (hid) EventType() string { return "garden.hid" }
func (hid) Subject() string   { return "x" }

// hub is webhooks on a database of their own.
type hub struct {
	t   testing.TB
	db  *pg.Store
	bus *event.Bus
	svc *webhook.Service
}

func newHub(t testing.TB) *hub { return openHub(t, pgtest.New(t), webhook.Guard{Loopback: true}) }

func openHub(t testing.TB, db *pg.Store, g webhook.Guard) *hub {
	t.Helper()
	policies, err := authz.New()
	must(t, err)
	bus := event.NewBus()
	event.Tell(bus, 3, "A plant grew.", func(_ context.Context, _ *pg.Tx, e grew) (map[string]grewData, error) {
		return map[string]grewData{e.Shop: {e.Plant, e.N}}, nil
	})
	db.Use(nil, bus)
	return &hub{t, db, bus, webhook.New(db, bus, policies, webhook.Config{Guard: g})}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func as(t testing.TB, p auth.Principal) context.Context { return auth.With(t.Context(), p) }

func (h *hub) create(who auth.Principal, url string, events ...string) webhook.CreatedView {
	h.t.Helper()
	v, err := h.svc.Create(as(h.t, who), webhook.CreateInput{URL: url, Events: events})
	must(h.t, err)
	return v
}

func (h *hub) publish(events ...pg.Event) {
	h.t.Helper()
	for _, e := range events {
		must(h.t, h.db.InTx(h.t.Context(), func(tx *pg.Tx) error { return tx.Publish(h.t.Context(), e) }))
	}
}

// grow publishes events of one plant, numbered.
func (h *hub) grow(plant string, numbers ...int) {
	h.t.Helper()
	for _, n := range numbers {
		h.publish(grew{plant, shop, n, "4000000000000010"})
	}
}

func (h *hub) once() {
	h.t.Helper()
	must(h.t, h.svc.Once(h.t.Context()))
}

func (h *hub) advance(d time.Duration) {
	h.t.Helper()
	must(h.t, h.db.InTx(h.t.Context(), func(tx *pg.Tx) error {
		_, err := clock.Advance(h.t.Context(), tx, d)
		return err
	}))
}

// log is an endpoint's, oldest first, as «plant state/tries».
func (h *hub) log(endpoint string) (lines []webhook.DeliveryView) {
	h.t.Helper()
	in := webhook.DeliveriesInput{Endpoint: endpoint, Paging: rest.Paging{Limit: 100}}
	for {
		p, err := h.svc.Deliveries(as(h.t, operator), in)
		must(h.t, err)
		lines = append(lines, p.Data...)
		if p.Next == nil {
			slices.Reverse(lines)
			return lines
		}
		in.Cursor = *p.Next
	}
}

// states counts an endpoint's deliveries.
func (h *hub) states(endpoint string) (waiting, delivered, failed int) {
	for _, l := range h.log(endpoint) {
		switch l.State {
		case webhook.Waiting:
			waiting++
		case webhook.Delivered:
			delivered++
		case webhook.Failed:
			failed++
		}
	}
	return waiting, delivered, failed
}

// A call is what a receiver got.
type call struct {
	id, timestamp, signature string
	body                     []byte
	at                       time.Time
	event.View
}

func (c call) data() (d grewData) {
	_ = json.Unmarshal(c.Data, &d)
	return d
}

// what names a call's event: «fig 1».
func (c call) what() string { d := c.data(); return fmt.Sprintf("%s %d", d.Plant, d.N) }

// A receiver is somebody's endpoint.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	calls  []call
	answer func(c call) int // 0: 204
}

func receive(t testing.TB, answer func(c call) int) *receiver {
	r := &receiver{answer: answer}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		b, _ := io.ReadAll(req.Body)
		c := call{id: req.Header.Get("webhook-id"), timestamp: req.Header.Get("webhook-timestamp"), signature: req.Header.Get("webhook-signature"), body: b, at: time.Now()}
		_ = json.Unmarshal(b, &c.View)
		r.mu.Lock()
		r.calls = append(r.calls, c)
		f := r.answer
		r.mu.Unlock()
		status := http.StatusNoContent
		if f != nil {
			if s := f(c); s != 0 {
				status = s
			}
		}
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(status)
		if status != http.StatusNoContent {
			_, _ = io.WriteString(w, "\x00sorry\xff"+strings.Repeat("x", 5000))
		}
	}))
	t.Cleanup(r.Close)
	return r
}

// becomes has the receiver answer in another way from now on.
func (r *receiver) becomes(answer func(c call) int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = answer
}

func (r *receiver) got() []call {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.calls)
}

// whats are the events that came, in order.
func (r *receiver) whats() (out []string) {
	for _, c := range r.got() {
		out = append(out, c.what())
	}
	return out
}

// signed says whether a secret made one of the call's signatures. It is written
// from the specification, not from the code.
func (c call) signed(secret string) bool {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil {
		return false
	}
	m := hmac.New(sha256.New, key)
	fmt.Fprintf(m, "%s.%s.%s", c.id, c.timestamp, c.body)
	want := "v1," + base64.StdEncoding.EncodeToString(m.Sum(nil))
	return slices.Contains(strings.Fields(c.signature), want)
}

func always(status int) func(call) int { return func(call) int { return status } }
