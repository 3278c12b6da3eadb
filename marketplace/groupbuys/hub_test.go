package groupbuys_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tiwiza/marketplace/agreements"
	"tiwiza/marketplace/catalog"
	"tiwiza/marketplace/delivery"
	"tiwiza/marketplace/groupbuys"
	"tiwiza/marketplace/media"
	"tiwiza/marketplace/members"
	"tiwiza/marketplace/orders"
	"tiwiza/marketplace/pricing"
	"tiwiza/marketplace/promotions"
	"tiwiza/payments/approvals"
	"tiwiza/payments/charges"
	"tiwiza/payments/disputes"
	"tiwiza/payments/escrow"
	"tiwiza/payments/invariants"
	"tiwiza/payments/ledger"
	"tiwiza/payments/limits"
	"tiwiza/payments/operations"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/clock"
	"tiwiza/pkg/event"
	"tiwiza/pkg/id"
	"tiwiza/pkg/job"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
	"tiwiza/pkg/rest"
	"tiwiza/search"
)

// hub is a market on a database of its own, whose cards are played by a till.
type hub struct {
	t       testing.TB
	db      *pg.Store
	bus     *event.Bus
	members *members.Service
	escrows *escrow.Service
	till    *till
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
	h := &hub{t: t, db: db, bus: event.NewBus(), timers: job.NewTimers(db)}
	db.Use(runner.Jobs(), h.bus)
	h.members = members.New(db, policies)
	files := media.New(db, nil, nil)
	cat := catalog.New(db, noIndex{}, h.members, files)
	ways, offs, agreed := delivery.New(db, cat, h.members), promotions.New(db, h.members), agreements.New(db)
	h.escrows = escrow.New(db, ledger.New(db), policies).TopUpFrom("bank")
	people := approvals.New(db)
	real := charges.New(db, ledger.New(db), h.escrows, operations.New(db), policies, nil, charges.Config{
		Bank: "bank", Account: charges.Account{RIB: "999780000000000000010193", Holder: "EXEMPLE HUB"},
	}).ApprovedBy(people)
	h.till = &till{Charges: real}
	groups := groupbuys.New(db, groupbuys.Needs{Catalogue: cat, Sellers: h.members, Ways: ways, Agreed: agreed})
	ord := orders.New(db, orders.Needs{
		Judge: policies, Catalogue: cat, Sellers: h.members, Keys: h.members, Ways: ways, Offs: offs, Agreed: agreed, Prices: pricing.New(db, h.members, cat), Groups: groups, Escrows: h.escrows, Charges: h.till,
		Disputes: disputes.New(db, h.escrows, h.till, people, policies), Approvals: people, Limits: limits.New(db, people), Files: files,
	})
	orders.Timers(h.timers, ord)
	agreements.Timers(h.timers, agreed)
	groups.Work(h.timers, ord)
	h.escrows.Work(h.timers)
	orders.Subscribe(h.bus, ord)
	mux := http.NewServeMux()
	rest.Mount(mux, slices.Concat(members.Routes(h.members), catalog.Routes(cat), delivery.Routes(ways), orders.Routes(ord), groupbuys.Routes(groups)), rest.Edge{
		Store: db, Authenticate: h.members.Authenticate, Log: quiet, Limits: rest.Limits{Principal: -1, Address: -1},
		May: func(_ context.Context, p auth.Principal, action string) (string, error) {
			return policies.May(p, action, authz.Resource{})
		},
	})
	h.web = mux
	must(t, db.InTx(t.Context(), func(tx *pg.Tx) error {
		o, err := h.members.Found(t.Context(), tx, members.Enrolment{Kind: members.Operator, Names: members.Texts{"fr": "Opérateur (exemple)"}, Region: "MA-04", Commune: "Rabat"})
		if err != nil {
			return err
		}
		h.boss, err = h.members.CreateKey(t.Context(), tx, o.ID, auth.Operator, "test")
		return err
	}))
	return h
}

// A till plays the acquirer: it makes charges by card, and remembers what goes
// back. All else is real.
type till struct {
	orders.Charges
	mu   sync.Mutex
	back []charges.RefundOrder
}

func (c *till) Methods(context.Context, pg.DB) ([]string, error) {
	return []string{charges.Card, charges.Transfer, charges.Cash}, nil
}
func (c *till) Lock(context.Context, *pg.Tx, string) error { return nil }
func (c *till) OfNone(context.Context, pg.DB, string) ([]charges.Refund, error) {
	return nil, nil
}

func (c *till) OfOrders(context.Context, pg.DB, []string) (map[string][]charges.Refund, error) {
	return nil, nil
}

func (c *till) Create(ctx context.Context, tx *pg.Tx, n charges.Sale) (charges.Receipt, error) {
	if n.Method != charges.Card {
		return c.Charges.Create(ctx, tx, n)
	}
	return charges.Receipt{ID: id.New(id.Charge), State: charges.Accepted, NextAction: charges.NextAction{Type: "form"}}, nil
}

func (c *till) Refund(_ context.Context, tx *pg.Tx, in charges.RefundOrder) (charges.Refund, error) {
	tx.After(func() { // it is asked for once the unit of work stands
		c.mu.Lock()
		defer c.mu.Unlock()
		c.back = append(c.back, in)
	})
	return charges.Refund{
		ID: in.ID, Charge: in.Charge, Order: in.Order, Currency: in.Amount.Currency(), Amount: in.Amount.Centimes(), Rail: "card",
		State: charges.RefundCreated, Reason: in.Reason, CreatedAt: tx.Now(), ChangedAt: tx.Now(),
	}, nil
}

// gone is what went back, as "75.00 because", sorted.
func (h *hub) gone() (out []string) {
	h.till.mu.Lock()
	defer h.till.mu.Unlock()
	for _, r := range h.till.back {
		out = append(out, r.Amount.Amount()+" "+r.Reason)
	}
	slices.Sort(out)
	return out
}

// arrive has all that went back arrive.
func (h *hub) arrive() {
	h.t.Helper()
	for _, r := range h.till.back {
		must(h.t, h.db.InTx(h.t.Context(), func(tx *pg.Tx) error { _, err := h.escrows.Arrived(h.t.Context(), tx, r.ID); return err }))
	}
	h.deliver()
}

type noIndex struct{}

func (noIndex) Put(context.Context, *pg.Tx, ...search.Document) error { return nil }
func (noIndex) Remove(context.Context, *pg.Tx, ...string) error       { return nil }
func (noIndex) Query(context.Context, search.Query) (search.Result, error) {
	return search.Result{}, nil
}

// deliver has orders take in what payments said so far.
func (h *hub) deliver() {
	h.t.Helper()
	type said struct{ ID, Type string }
	all, err := pg.All[said](h.t.Context(), h.db, `select id, type from platform.event
		where type in ('charges.confirmed', 'charges.expired', 'escrow.refunding', 'escrow.ended', 'escrow.released') order by seq`)
	must(h.t, err)
	for _, e := range all {
		must(h.t, h.bus.Deliver(auth.With(h.t.Context(), auth.Hub), h.db, event.Delivery{Event: e.ID, Type: e.Type, Subscriber: "orders"}))
	}
}

// tell publishes what payments say, and has it taken in.
func (h *hub) tell(e pg.Event) {
	h.t.Helper()
	must(h.t, h.db.InTx(h.t.Context(), func(tx *pg.Tx) error { return tx.Publish(h.t.Context(), e) }))
	h.deliver()
}

// pay confirms the charge of a checkout.
func (h *hub) pay(c checkout) {
	h.t.Helper()
	must(h.t, h.db.InTx(h.t.Context(), func(tx *pg.Tx) error {
		if _, err := h.escrows.Fund(h.t.Context(), tx, c.Charge.ID, ledger.Clearing("till")); err != nil {
			return err
		}
		return tx.Publish(h.t.Context(), charges.Paid{Charge: c.Charge.ID, Group: c.Group, Orders: []string{c.order()}})
	}))
	h.deliver()
}

// moveOn lets time pass, and has done what is due then.
func (h *hub) moveOn(by time.Duration) {
	h.t.Helper()
	must(h.t, h.db.InTx(h.t.Context(), func(tx *pg.Tx) error {
		_, err := clock.Advance(h.t.Context(), tx, by)
		return err
	}))
	_, err := h.timers.Due(auth.With(h.t.Context(), auth.Hub))
	must(h.t, err)
	h.deliver()
}

// sound checks all promises but those on charges and refunds, which the till
// makes.
func (h *hub) sound() {
	h.t.Helper()
	found, err := invariants.Check(auth.With(h.t.Context(), auth.Hub), h.db)
	must(h.t, err)
	for _, f := range found {
		if f.Count > 0 && f.ID != "R1" && f.ID != "I10" {
			h.t.Errorf("%s: %d rows: %v", f.ID, f.Count, f.Rows)
		}
	}
	late, err := pg.Column[string](h.t.Context(), h.db, `select kind || ': ' || error from platform.timer where tries > 0`)
	must(h.t, err)
	if len(late) > 0 {
		h.t.Errorf("timers failed: %q", late)
	}
}

func (h *hub) ask(key auth.Key, method, path, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(h.t.Context(), method, path, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if key.ID != "" {
		r.Header.Set("Authorization", "Bearer "+key.String())
	}
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

// A shop is a seller with one article.
type shop struct {
	key                auth.Key
	id, offer, variant string
}

func (h *hub) shop(price string, stock int) shop {
	h.t.Helper()
	var org, key struct {
		ID     string
		APIKey string `json:"api_key"`
	}
	h.want(201, &org, h.boss, "POST", "/v1/organisations", `{"kind":"beneficiary_coop","names":{"fr":"Coopérative (exemple)"},"region":"MA-09","commune":"Taliouine"}`)
	h.want(200, nil, h.boss, "POST", "/v1/organisations/"+org.ID+"/submit", "")
	h.want(200, nil, h.boss, "POST", "/v1/organisations/"+org.ID+"/approve", "")
	h.want(201, &key, h.boss, "POST", "/v1/organisations/"+org.ID+"/api-keys", `{"label":"test"}`)
	k, err := auth.ParseKey(key.APIKey)
	must(h.t, err)
	var o struct {
		ID       string
		Variants []struct{ ID string }
	}
	h.want(201, &o, k, "POST", "/v1/offers", fmt.Sprintf(`{"category":"saffron","names":{"fr":"Safran"},"commune":"Taliouine",
		"variants":[{"sku":"S1","names":{"fr":"1 g"},"weight_g":100,"price":{"amount":%q,"currency":"MAD"},"on_hand":%d}]}`, price, stock))
	h.want(200, nil, k, "POST", "/v1/offers/"+o.ID+"/publish", "")
	return shop{k, org.ID, o.ID, o.Variants[0].ID}
}

func (h *hub) stock(s shop) (onHand int) {
	h.t.Helper()
	var v struct {
		OnHand int `json:"on_hand"`
	}
	h.want(200, &v, s.key, "PATCH", "/v1/variants/"+s.variant+"/stock", `{"delta":0}`)
	return v.OnHand
}

func (h *hub) buyer() auth.Key {
	h.t.Helper()
	var k auth.Key
	must(h.t, h.db.InTx(h.t.Context(), func(tx *pg.Tx) error {
		p, err := h.members.CreatePerson(h.t.Context(), tx, members.NewPerson{Names: members.Texts{"fr": "Acheteur (exemple)"}})
		if err != nil {
			return err
		}
		k, err = h.members.CreateKey(h.t.Context(), tx, p, auth.Buyer, "test")
		return err
	}))
	return k
}

type checkout struct {
	Group  string `json:"order_group"`
	Orders []orders.Summary
	Charge struct{ ID string }
}

func (c checkout) order() string { return c.Orders[0].ID }

const place = `"delivery":{"method":"carrier","commune":"Fès"%s}`

// basket takes a basket with a place in a group.
func (h *hub) basket(key auth.Key, group string, quantity int) (basket, hash string) {
	h.t.Helper()
	var j groupbuys.JoinView
	h.want(201, &j, key, "POST", "/v1/group-buys/"+group+"/baskets", fmt.Sprintf(`{"quantity":%d}`, quantity))
	var q struct {
		Hash     string
		Problems []orders.Problem
	}
	h.want(201, &q, key, "POST", "/v1/baskets/"+j.Basket+"/quotes", fmt.Sprintf("{"+place+"}", ""))
	return j.Basket, q.Hash
}

func order(basket, hash, method string) string {
	return fmt.Sprintf(`{"basket":%q,"quote":%q,"contact":{"name":"Acheteur (exemple)","phone":"06 12 34 56 78"},`+fmt.Sprintf(place, `,"address":"Rue de l'Exemple 1"`)+`,"payment":{"method":%q}}`,
		basket, hash, method)
}

// join orders a place in a group by card.
func (h *hub) join(key auth.Key, group string, quantity int) (c checkout) {
	h.t.Helper()
	b, hash := h.basket(key, group, quantity)
	h.want(201, &c, key, "POST", "/v1/checkouts", order(b, hash, "card"))
	return c
}

func (h *hub) group(key auth.Key, id string) (v groupbuys.View) {
	h.t.Helper()
	h.want(200, &v, key, "GET", "/v1/group-buys/"+id, "")
	return v
}

func (h *hub) show(key auth.Key, order string) (v orders.View) {
	h.t.Helper()
	h.want(200, &v, key, "GET", "/v1/orders/"+order, "")
	return v
}

// open begins a group buy of a shop's article at 90.00, 80.00 from 10 on and
// 70.50 from 20 on, with at least 5 and at most 30, which lasts three days.
func (h *hub) open(s shop, more string) string {
	h.t.Helper()
	var v groupbuys.View
	h.want(201, &v, s.key, "POST", "/v1/group-buys", h.wanted(s, more))
	return v.ID
}

func (h *hub) wanted(s shop, more string) string {
	h.t.Helper()
	now, err := clock.Now(h.t.Context(), h.db)
	must(h.t, err)
	return fmt.Sprintf(`{"variant":%q,"minimum":5,"maximum":30,"price":{"amount":"90.00","currency":"MAD"},
		"tiers":[{"from":10,"price":{"amount":"80.00","currency":"MAD"}},{"from":20,"price":{"amount":"70.50","currency":"MAD"}}],"deadline":%q%s}`,
		s.variant, now.Add(72*time.Hour).Format(time.RFC3339), more)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
