package orders_test

import (
	"bytes"
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

	"tiwiza/marketplace/agreements"
	"tiwiza/marketplace/catalog"
	"tiwiza/marketplace/delivery"
	"tiwiza/marketplace/digital"
	"tiwiza/marketplace/media"
	"tiwiza/marketplace/members"
	"tiwiza/marketplace/orders"
	"tiwiza/marketplace/pricing"
	"tiwiza/marketplace/promotions"
	"tiwiza/payments/approvals"
	"tiwiza/payments/charges"
	"tiwiza/payments/disputes"
	"tiwiza/payments/escrow"
	"tiwiza/payments/ledger"
	"tiwiza/payments/limits"
	"tiwiza/payments/operations"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/blob"
	"tiwiza/pkg/event"
	"tiwiza/pkg/id"
	"tiwiza/pkg/job"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
	"tiwiza/pkg/picture"
	"tiwiza/pkg/rest"
	"tiwiza/search"
)

// hub is a market on a database of its own: members, catalogue, orders and
// escrows are real; the card is played by a till.
type hub struct {
	t        testing.TB
	db       *pg.Store
	bus      *event.Bus
	members  *members.Service
	catalog  *catalog.Service
	ways     *delivery.Service
	offs     *promotions.Service
	agreed   *agreements.Service
	orders   *orders.Service
	escrows  *escrow.Service
	disputes *disputes.Service
	till     *till
	charges  *charges.Service // for what is not paid by card
	people   *approvals.Service
	timers   *job.Timers
	web      http.Handler
	boss     auth.Key
}

func newHub(t testing.TB) *hub { return openHub(t, pgtest.New(t)) }

func openHub(t testing.TB, db *pg.Store) *hub {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	policies, err := authz.New()
	must(t, err)
	runner, err := job.NewRunner(db, nil, quiet)
	must(t, err)
	h := &hub{t: t, db: db, bus: event.NewBus(), till: &till{groups: map[string]charges.Sale{}, ids: map[string]string{}}}
	db.Use(runner.Jobs(), h.bus)
	h.members = members.New(db, policies)
	h.catalog = catalog.New(db, noIndex{}, h.members, media.New(db, nil, nil))
	h.ways = delivery.New(db, h.catalog, h.members)
	h.offs = promotions.New(db, h.members)
	h.agreed = agreements.New(db)
	lists := pricing.New(db, h.members, h.catalog)
	h.escrows = escrow.New(db, ledger.New(db), policies).TopUpFrom("bank")
	h.people, h.timers = approvals.New(db), job.NewTimers(db)
	h.offs.Approve(h.people)
	h.offs.Work(h.timers)
	h.charges = charges.New(db, ledger.New(db), h.escrows, operations.New(db), policies, nil, charges.Config{
		Bank: "bank", Account: charges.Account{RIB: "999780000000000000010193", Holder: "EXEMPLE HUB"},
	}).ApprovedBy(h.people)
	h.till.real = h.charges
	h.disputes = disputes.New(db, h.escrows, h.till, h.people, policies)
	files := media.New(db, blob.Over(shelf(t)), picture.NewPress(picture.PressOptions{}))
	vault, err := digital.NewVault(bytes.Repeat([]byte{7}, digital.KeySize))
	must(t, err)
	wares := digital.New(db, h.catalog, files, vault)
	h.orders = orders.New(db, orders.Needs{
		Judge: policies, Catalogue: h.catalog, Sellers: h.members, Keys: h.members, Ways: h.ways, Offs: h.offs, Agreed: h.agreed, Prices: lists, Digital: wares, Escrows: h.escrows, Charges: h.till, Disputes: h.disputes, Approvals: h.people, Limits: limits.New(db, h.people), Files: files,
	})
	h.disputes.Work(h.timers)
	agreements.Timers(h.timers, h.agreed)
	orders.Timers(h.timers, h.orders)
	h.escrows.Work(h.timers)
	orders.Subscribe(h.bus, h.orders)
	disputes.Subscribe(h.bus, h.disputes)
	mux := http.NewServeMux()
	inbox := members.NewInbox(db)
	h.members.SendBy(inbox).FindGuests(h.orders)
	rest.Mount(mux, slices.Concat(members.Routes(h.members), members.PeopleRoutes(h.members), inbox.Routes(), catalog.Routes(h.catalog), delivery.Routes(h.ways), digital.Routes(wares), promotions.Routes(h.offs), agreements.Routes(h.agreed), pricing.Routes(lists), orders.Routes(h.orders), approvals.Routes(h.people), disputes.Routes(h.disputes), media.Routes(files)), rest.Edge{
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

// A till plays the acquirer: it makes charges and remembers them. What is not
// paid by card is real.
type till struct {
	real   *charges.Service
	mu     sync.Mutex
	groups map[string]charges.Sale
	ids    map[string]string // group → charge
	back   []charges.RefundOrder
	none   map[string][]charges.Refund // by group
}

func (c *till) Lock(context.Context, *pg.Tx, string) error { return nil }

func (c *till) OfNone(_ context.Context, _ pg.DB, group string) ([]charges.Refund, error) {
	return c.none[group], nil
}

func (c *till) OfOrders(context.Context, pg.DB, []string) (map[string][]charges.Refund, error) {
	return nil, nil
}

func (c *till) Refund(_ context.Context, tx *pg.Tx, in charges.RefundOrder) (charges.Refund, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.back = append(c.back, in)
	return charges.Refund{
		ID: in.ID, Charge: in.Charge, Order: in.Order, Currency: in.Amount.Currency(), Amount: in.Amount.Centimes(), Rail: "card",
		State: charges.RefundCreated, Reason: in.Reason, CreatedAt: tx.Now(), ChangedAt: tx.Now(),
	}, nil
}

// gone is what went back so far, as "75.00 because".
func (c *till) gone() (out []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range c.back {
		out = append(out, r.Amount.Amount()+" "+r.Reason)
	}
	return out
}

func (c *till) Methods(ctx context.Context, db pg.DB) ([]string, error) {
	ways, err := c.real.Methods(ctx, db)
	return append([]string{charges.Card}, ways...), err
}

func (c *till) Collect(ctx context.Context, tx *pg.Tx, order string, cash int64) (charges.Parcel, error) {
	return c.real.Collect(ctx, tx, order, cash)
}

func (c *till) Refuse(ctx context.Context, tx *pg.Tx, order, reason string, brought bool) (charges.Parcel, error) {
	return c.real.Refuse(ctx, tx, order, reason, brought)
}

func (c *till) Parcels(ctx context.Context, db pg.DB, orders []string) (map[string]charges.Parcel, error) {
	return c.real.Parcels(ctx, db, orders)
}

func (c *till) Create(ctx context.Context, tx *pg.Tx, n charges.Sale) (charges.Receipt, error) {
	if n.Method != charges.Card {
		return c.real.Create(ctx, tx, n)
	}
	sum := money.Dirhams(0)
	for _, p := range n.Parts {
		sum = sum.Add(p.Amount)
	}
	if !sum.Equal(n.Amount) {
		return charges.Receipt{}, charges.ErrParts
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	cid := id.New(id.Charge)
	c.groups[n.Group], c.ids[n.Group] = n, cid
	return c.receipt(cid), nil
}

func (c *till) receipt(cid string) charges.Receipt {
	return charges.Receipt{ID: cid, State: charges.Accepted, NextAction: charges.NextAction{
		Type: "form", URL: "https://acquirer.example/pay", Method: "POST", Fields: map[string]string{"oid": cid},
	}}
}

func (c *till) OfGroup(ctx context.Context, db pg.DB, group string) (charges.Receipt, charges.Charge, error) {
	if r, ch, err := c.real.OfGroup(ctx, db, group); err == nil {
		return r, ch, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	n, ok := c.groups[group]
	if !ok {
		return charges.Receipt{}, charges.Charge{}, charges.ErrNotFound
	}
	return c.receipt(c.ids[group]), charges.Charge{
		ID: c.ids[group], Group: group, Buyer: n.Buyer, Currency: "MAD",
		Amount: n.Amount.Centimes(), State: charges.Accepted,
	}, nil
}

// noIndex finds nothing: buying never asks it.
type noIndex struct{}

func (noIndex) Put(context.Context, *pg.Tx, ...search.Document) error { return nil }
func (noIndex) Remove(context.Context, *pg.Tx, ...string) error       { return nil }
func (noIndex) Query(context.Context, search.Query) (search.Result, error) {
	return search.Result{}, nil
}

// tell publishes e and has everybody take in what was said so far.
func (h *hub) tell(e pg.Event) {
	h.t.Helper()
	must(h.t, h.db.InTx(h.t.Context(), func(tx *pg.Tx) error { return tx.Publish(h.t.Context(), e) }))
	h.deliver()
}

func (h *hub) deliver() {
	h.t.Helper()
	type said struct{ ID, Type string }
	all, err := pg.All[said](h.t.Context(), h.db, `select id, type from platform.event
		where type in ('charges.confirmed', 'charges.expired', 'escrow.released', 'escrow.refunding', 'escrow.ended', 'chargebacks.ended', 'cash.remitted') order by seq`)
	must(h.t, err)
	for _, e := range all {
		must(h.t, h.bus.Deliver(auth.With(h.t.Context(), auth.Hub), h.db, event.Delivery{Event: e.ID, Type: e.Type, Subscriber: "orders"}))
	}
}

// pay confirms the charge of a checkout.
func (h *hub) pay(c checkout) {
	h.t.Helper()
	must(h.t, h.db.InTx(h.t.Context(), func(tx *pg.Tx) error {
		_, err := h.escrows.Fund(h.t.Context(), tx, c.Charge.ID, ledger.Clearing("till"))
		return err
	}))
	h.tell(charges.Paid{Charge: c.Charge.ID, Group: c.Group, Orders: c.ids()})
}

func (h *hub) ask(key auth.Key, method, path, body string, idem ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(h.t.Context(), method, path, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if key.ID != "" {
		r.Header.Set("Authorization", "Bearer "+key.String())
	}
	if len(idem) > 0 {
		r.Header.Set("Idempotency-Key", idem[0])
	}
	w := httptest.NewRecorder()
	h.web.ServeHTTP(w, r)
	return w
}

// want asks, and reads the answer into out when the status is right.
func (h *hub) want(status int, out any, key auth.Key, method, path, body string, idem ...string) {
	h.t.Helper()
	w := h.ask(key, method, path, body, idem...)
	if w.Code != status {
		h.t.Fatalf("%s %s: %d %s, want %d", method, path, w.Code, w.Body, status)
	}
	if out != nil {
		must(h.t, json.Unmarshal(w.Body.Bytes(), out))
	}
}

type problem struct {
	Code, Detail string
	Errors       []struct{ Pointer, Detail string }
}

// refused asks for what must be refused, with that status, code and pointer.
func (h *hub) refused(status int, code, pointer string, key auth.Key, method, path, body string, idem ...string) {
	h.t.Helper()
	w := h.ask(key, method, path, body, idem...)
	var p problem
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

type offerView struct {
	ID       string
	Variants []struct{ ID string }
}

// shop admits a cooperative that offers one article.
func (h *hub) shop(price string, stock int, exempt string) shop {
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
	var o offerView
	h.want(201, &o, k, "POST", "/v1/offers", fmt.Sprintf(`{"category":"saffron","names":{"fr":"Safran","en":"Saffron"},"commune":"Taliouine","withdrawal_exempt":%q,
		"variants":[{"sku":"S1","names":{"fr":"1 g"},"weight_g":800,"price":{"amount":%q,"currency":"MAD"},"on_hand":%d}]}`, exempt, price, stock))
	h.want(200, nil, k, "POST", "/v1/offers/"+o.ID+"/publish", "")
	return shop{k, org.ID, o.ID, o.Variants[0].ID}
}

// stock is what is on hand and reserved of the shop's article.
func (h *hub) stock(s shop) (v struct {
	OnHand   int `json:"on_hand"`
	Reserved int
},
) {
	h.t.Helper()
	h.want(200, &v, s.key, "PATCH", "/v1/variants/"+s.variant+"/stock", `{"delta":0}`)
	return v
}

func (h *hub) reprice(s shop, price string) {
	h.t.Helper()
	h.want(200, nil, s.key, "PATCH", "/v1/offers/"+s.offer, fmt.Sprintf(`{"variants":[{"sku":"S1","price":{"amount":%q,"currency":"MAD"}}]}`, price))
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

type quote struct {
	ID, Hash  string
	Lines     []orders.QuoteLine
	Fees      []orders.Fee
	Totals    orders.Totals
	Problems  []orders.Problem
	Discounts []orders.Discount
	ExpiresAt string `json:"expires_at"`
}

type checkout struct {
	Group  string `json:"order_group"`
	Orders []orders.Summary
	Charge orders.ChargeView
}

func (c checkout) ids() (out []string) {
	for _, o := range c.Orders {
		out = append(out, o.ID)
	}
	return out
}

// fill makes a basket with n of each shop's article.
func (h *hub) fill(key auth.Key, n int, shops ...shop) string {
	h.t.Helper()
	var b struct{ ID string }
	h.want(201, &b, key, "POST", "/v1/baskets", "")
	for _, s := range shops {
		h.put(key, b.ID, s, n)
	}
	return b.ID
}

func (h *hub) put(key auth.Key, basket string, s shop, n int) {
	h.t.Helper()
	h.want(200, nil, key, "PUT", "/v1/baskets/"+basket+"/lines/"+s.variant, fmt.Sprintf(`{"quantity":%d}`, n))
}

func (h *hub) quote(key auth.Key, basket string) (q quote) {
	h.t.Helper()
	h.want(201, &q, key, "POST", "/v1/baskets/"+basket+"/quotes", `{"delivery":{"method":"carrier","commune":"فاس"}}`)
	return q
}

// order is the body of a checkout.
func order(basket, hash string) string {
	return fmt.Sprintf(`{"basket":%q,"quote":%q,"contact":{"name":"Acheteur (exemple)","phone":"06 12 34 56 78"},
		"delivery":{"method":"carrier","commune":"Fès","address":"Rue de l'Exemple 1"},"payment":{"method":"card"}}`, basket, hash)
}

// buy checks out n of each shop's article.
func (h *hub) buy(key auth.Key, n int, shops ...shop) (c checkout) {
	h.t.Helper()
	b := h.fill(key, n, shops...)
	h.want(201, &c, key, "POST", "/v1/checkouts", order(b, h.quote(key, b).Hash), b)
	return c
}

func (h *hub) show(key auth.Key, order string) (v orders.View) {
	h.t.Helper()
	h.want(200, &v, key, "GET", "/v1/orders/"+order, "")
	return v
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func same(a, b *httptest.ResponseRecorder) bool { return bytes.Equal(a.Body.Bytes(), b.Body.Bytes()) }
