package quotations_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"tiwiza/marketplace/agreements"
	"tiwiza/marketplace/catalog"
	"tiwiza/marketplace/media"
	"tiwiza/marketplace/members"
	"tiwiza/marketplace/orders"
	"tiwiza/marketplace/quotations"
	"tiwiza/payments/approvals"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/blob"
	"tiwiza/pkg/blob/disk"
	"tiwiza/pkg/clock"
	"tiwiza/pkg/event"
	"tiwiza/pkg/id"
	"tiwiza/pkg/job"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
	"tiwiza/pkg/picture"
	"tiwiza/pkg/rest"
	"tiwiza/search"
)

// hub is a market on a database of its own in which people ask and offer; what
// they then order is played.
type hub struct {
	t       testing.TB
	db      *pg.Store
	bus     *event.Bus
	members *members.Service
	agreed  *agreements.Service
	timers  *job.Timers
	web     http.Handler
	boss    auth.Key
}

func newHub(t testing.TB) *hub {
	t.Helper()
	db, quiet := pgtest.New(t), slog.New(slog.DiscardHandler)
	policies, err := authz.New()
	must(t, err)
	runner, err := job.NewRunner(db, nil, quiet)
	must(t, err)
	h := &hub{t: t, db: db, bus: event.NewBus(), timers: job.NewTimers(db), agreed: agreements.New(db)}
	db.Use(runner.Jobs(), h.bus)
	h.members = members.New(db, policies)
	bucket, err := disk.Open(t.TempDir())
	must(t, err)
	t.Cleanup(func() { _ = bucket.Close() })
	files := media.New(db, blob.Over(bucket), picture.NewPress(picture.PressOptions{}))
	goods := catalog.New(db, noIndex{}, h.members, files)
	s := quotations.New(db, quotations.Needs{
		Sellers: h.members, Goods: goods, Files: files, Agreed: h.agreed, Baskets: orders.New(db, orders.Needs{Approvals: approvals.New(db)}),
	})
	agreements.Timers(h.timers, h.agreed)
	quotations.Timers(h.timers, s)
	quotations.Subscribe(h.bus, s)
	mux := http.NewServeMux()
	rest.Mount(mux, slices.Concat(members.Routes(h.members), catalog.Routes(goods), media.Routes(files), agreements.Routes(h.agreed), quotations.Routes(s)), rest.Edge{
		Store: db, Authenticate: h.members.Authenticate, Log: quiet, Limits: rest.Limits{Principal: -1, Address: -1},
		May: func(_ context.Context, p auth.Principal, action string) (string, error) {
			return policies.May(p, action, authz.Resource{})
		},
	})
	h.web = mux
	must(t, db.InTx(t.Context(), func(tx *pg.Tx) error {
		o, err := h.members.Found(t.Context(), tx, members.Enrolment{Kind: members.Operator, Names: members.Texts{"fr": "Opérateur (exemple)"}, Region: "MA-04", Commune: "Rabat"})
		if err == nil {
			h.boss, err = h.members.CreateKey(t.Context(), tx, o.ID, auth.Operator, "test")
		}
		return err
	}))
	return h
}

// noIndex finds nothing: asking never searches.
type noIndex struct{}

func (noIndex) Put(context.Context, *pg.Tx, ...search.Document) error { return nil }
func (noIndex) Remove(context.Context, *pg.Tx, ...string) error       { return nil }
func (noIndex) Query(context.Context, search.Query) (search.Result, error) {
	return search.Result{}, nil
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (h *hub) ask(key auth.Key, method, path, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(h.t.Context(), method, path, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if strings.HasPrefix(body, "%PDF") {
		r.Header.Set("Content-Type", "application/pdf")
	}
	r.Header.Set("Authorization", "Bearer "+key.String())
	if method == "POST" {
		r.Header.Set("Idempotency-Key", id.New("idem"))
	}
	w := httptest.NewRecorder()
	h.web.ServeHTTP(w, r)
	return w
}

// want asks, and reads the answer into out when the status is right.
func (h *hub) want(status int, out any, key auth.Key, method, path, body string) {
	h.t.Helper()
	w := h.ask(key, method, path, body)
	if w.Code != status {
		h.t.Fatalf("%s %s: %d %s, want %d", method, path, w.Code, w.Body, status)
	}
	if out != nil {
		must(h.t, json.Unmarshal(w.Body.Bytes(), out))
	}
}

// refused asks for what must be refused, with that status, code and pointer.
func (h *hub) refused(status int, code, pointer string, key auth.Key, method, path, body string) {
	h.t.Helper()
	w := h.ask(key, method, path, body)
	var p struct {
		Code   string
		Errors []struct{ Pointer, Detail string }
	}
	must(h.t, json.Unmarshal(w.Body.Bytes(), &p))
	there := pointer == "" || slices.ContainsFunc(p.Errors, func(e struct{ Pointer, Detail string }) bool { return e.Pointer == pointer && e.Detail != "" })
	if w.Code != status || p.Code != code || !there {
		h.t.Errorf("%s %s: %d %s, want %d %s at %q", method, path, w.Code, w.Body, status, code, pointer)
	}
}

// A shop is a seller with one article, of a category in a region.
type shop struct {
	key         auth.Key
	id, variant string
}

func (h *hub) shop(category, region, commune string) shop {
	h.t.Helper()
	var org, key struct {
		ID     string
		APIKey string `json:"api_key"`
	}
	h.want(201, &org, h.boss, "POST", "/v1/organisations", fmt.Sprintf(`{"kind":"beneficiary_coop","names":{"fr":"Coopérative (exemple)"},"region":%q,"commune":%q}`, region, commune))
	h.want(200, nil, h.boss, "POST", "/v1/organisations/"+org.ID+"/submit", "")
	h.want(200, nil, h.boss, "POST", "/v1/organisations/"+org.ID+"/approve", "")
	h.want(201, &key, h.boss, "POST", "/v1/organisations/"+org.ID+"/api-keys", `{"label":"test"}`)
	k, err := auth.ParseKey(key.APIKey)
	must(h.t, err)
	var o struct {
		ID       string
		Variants []struct{ ID string }
	}
	h.want(201, &o, k, "POST", "/v1/offers", fmt.Sprintf(`{"category":%q,"names":{"fr":"Article"},"commune":%q,
		"variants":[{"sku":"S1","names":{"fr":"un"},"weight_g":800,"price":{"amount":"100.00","currency":"MAD"},"on_hand":500}]}`, category, commune))
	h.want(200, nil, k, "POST", "/v1/offers/"+o.ID+"/publish", "")
	return shop{k, org.ID, o.Variants[0].ID}
}

func (h *hub) buyer() (k auth.Key) {
	h.t.Helper()
	must(h.t, h.db.InTx(h.t.Context(), func(tx *pg.Tx) error {
		p, err := h.members.CreatePerson(h.t.Context(), tx, members.NewPerson{Names: members.Texts{"fr": "Acheteur (exemple)"}})
		if err == nil {
			k, err = h.members.CreateKey(h.t.Context(), tx, p, auth.Buyer, "test")
		}
		return err
	}))
	return k
}

func (h *hub) subject(key auth.Key) string {
	h.t.Helper()
	p, err := h.members.Holder(h.t.Context(), h.db, key)
	must(h.t, err)
	return p.Subject
}

func (h *hub) now() time.Time {
	h.t.Helper()
	now, err := clock.Now(h.t.Context(), h.db)
	must(h.t, err)
	return now
}

func (h *hub) in(d time.Duration) string { return h.now().Add(d).UTC().Format(time.RFC3339) }

// advance moves the hub's time, fires what is due, and has quotations hear of it.
func (h *hub) advance(d time.Duration) {
	h.t.Helper()
	must(h.t, h.db.InTx(h.t.Context(), func(tx *pg.Tx) error {
		_, err := clock.Advance(h.t.Context(), tx, d)
		return err
	}))
	_, err := h.timers.Due(auth.With(h.t.Context(), auth.Hub))
	must(h.t, err)
	h.deliver()
}

func (h *hub) deliver() {
	h.t.Helper()
	type said struct{ ID, Type string }
	all, err := pg.All[said](h.t.Context(), h.db, `select id, type from platform.event where type in ('agreements.moved', 'orders.agreement_kept') order by seq`)
	must(h.t, err)
	for _, e := range all {
		must(h.t, h.bus.Deliver(auth.With(h.t.Context(), auth.Hub), h.db, event.Delivery{Event: e.ID, Type: e.Type, Subscriber: "quotations"}))
	}
}

// ordered plays that an order uses an agreement, and is paid.
func (h *hub) ordered(agreement string, paid bool) (order string) {
	h.t.Helper()
	order = id.New(id.Order)
	ctx := auth.With(h.t.Context(), auth.Hub)
	must(h.t, h.db.InTx(ctx, func(tx *pg.Tx) error {
		var all []agreements.Agreement
		if err := pg.Together(ctx, tx, h.agreed.Of([]string{agreement}, &all)); err != nil {
			return err
		}
		if err := h.agreed.Use(ctx, tx, all[0], order); err != nil || !paid {
			return err
		}
		return tx.Publish(ctx, orders.AgreementKept{Moved: orders.Moved{Order: order, Seller: all[0].Seller, Buyer: all[0].Buyer}})
	}))
	h.deliver()
	return order
}

// request asks sellers by name, or all of saffron's.
func (h *hub) request(buyer auth.Key, sellers ...shop) (v quotations.RequestView) {
	h.t.Helper()
	whom := `"category":"saffron"`
	if len(sellers) > 0 {
		var ids []string
		for _, s := range sellers {
			ids = append(ids, s.id)
		}
		whom += `,"sellers":["` + strings.Join(ids, `","`) + `"]`
	}
	h.want(201, &v, buyer, "POST", "/v1/quotation-requests", fmt.Sprintf(`{"lines":[{"text":"Safran en filaments","category":"saffron","quantity":20,"unit":"g"}],
		"text":"Pour une épicerie.","commune":"Fès","deadline":%q,%s}`, h.in(48*time.Hour), whom))
	return v
}

func (h *hub) offering(s shop, price string) string {
	return fmt.Sprintf(`{"lines":[{"variant":%q,"line":1,"quantity":20,"price":{"amount":%q,"currency":"MAD"}}],
		"delivery":{"method":"own","amount":{"amount":"40.00","currency":"MAD"},"lead_days":4},"valid_until":%q}`, s.variant, price, h.in(96*time.Hour))
}

func (h *hub) offer(s shop, request, price string) (v quotations.OfferView) {
	h.t.Helper()
	h.want(201, &v, s.key, "POST", "/v1/quotation-requests/"+request+"/offers", h.offering(s, price))
	return v
}

func (h *hub) seen(key auth.Key, request string) (v quotations.RequestView) {
	h.t.Helper()
	h.want(200, &v, key, "GET", "/v1/quotation-requests/"+request, "")
	return v
}

func (h *hub) seenOffer(key auth.Key, offer string) (v quotations.OfferView) {
	h.t.Helper()
	h.want(200, &v, key, "GET", "/v1/quotation-offers/"+offer, "")
	return v
}

type page[T any] struct {
	Data []T
	Next *string
}

func (h *hub) inbox(key auth.Key) (ids []string) {
	h.t.Helper()
	var p page[quotations.RequestView]
	h.want(200, &p, key, "GET", "/v1/quotation-requests", "")
	for _, r := range p.Data {
		ids = append(ids, r.ID)
	}
	return ids
}
