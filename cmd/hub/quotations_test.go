package main

import (
	"net/http"
	"testing"
	"time"

	"tiwiza/pkg/auth"
)

// hence is a time of the hub's to come.
func (r *rig) hence(t testing.TB, by time.Duration) string {
	t.Helper()
	return r.now(t).Add(by).UTC().Format(time.RFC3339)
}

// wants is a request of offers from some sellers.
func (r *rig) wants(t testing.TB, text string, sellers ...*shop) map[string]any {
	t.Helper()
	var ids []string
	for _, s := range sellers {
		ids = append(ids, s.org)
	}
	return map[string]any{
		"lines": []any{map[string]any{"text": "Huile d’argane", "category": "oils", "quantity": 30, "unit": "bouteille"}}, "text": text,
		"commune": "Rabat", "sellers": ids, "deadline": r.hence(t, 48*time.Hour),
	}
}

// offers is an offer of thirty of something.
func (r *rig) offers(t testing.TB, w ware, price string) map[string]any {
	t.Helper()
	return map[string]any{
		"lines":    []any{map[string]any{"variant": w.variant, "line": 1, "quantity": 30, "price": dirhams(price)}},
		"delivery": map[string]any{"method": "own", "amount": dirhams("75.00"), "lead_days": 2}, "valid_until": r.hence(t, 72*time.Hour),
	}
}

// A quoted is a request, an offer or what was agreed on, as these tests look at it.
type quoted struct {
	ID, State, Basket, Agreement, Buyer string
	LastOffer                           string `json:"last_offer"`
	Total                               moneyView
	Files                               []string
}

func (r *rig) posts(t testing.TB, key, path string, body any) (v quoted) {
	t.Helper()
	r.ask(t, req{key: key, method: "POST", path: path, body: body, idem: once()}).into(t, &v)
	return v
}

const requests, quotationOffers = "/v1/quotation-requests", "/v1/quotation-offers/"

// chosen asks three sellers, accepts one offer, pays for it and has it.
func chosen(t *testing.T, r *rig, _ trade) {
	buyer := r.buyer(t)
	a, b, c := r.seller(t), r.seller(t), r.seller(t)
	wa, wb := r.ware(t, a, 50, "100.00"), r.ware(t, b, 50, "95.00")
	var f struct{ ID string }
	r.ask(t, req{key: buyer, method: "POST", path: "/v1/files?kind=proof", body: "%PDF-1.4\n2 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n", media: "application/pdf"}).into(t, &f)
	body := r.wants(t, "Pour une fête.", a, b, c)
	body["files"] = []string{f.ID}
	rfq := r.posts(t, buyer, requests, body)
	at := requests + "/" + rfq.ID
	if got := r.ask(t, req{key: a.key, method: "GET", path: rfq.Files[0]}); got.status != http.StatusOK {
		t.Errorf("the file is answered %d", got.status)
	}
	r.posts(t, c.key, at+"/decline", map[string]string{"reason": "too_far"})
	r.posts(t, a.key, at+"/messages", map[string]string{"text": "De quelle année ?"})
	r.shows(t, a.key, at+"/messages")
	first := r.posts(t, a.key, at+"/offers", r.offers(t, wa, "80.00"))
	dear := r.posts(t, b.key, at+"/offers", r.offers(t, wb, "90.00"))
	r.posts(t, buyer, quotationOffers+dear.ID+"/decline", map[string]string{"reason": "too_dear"})
	gone := r.posts(t, b.key, at+"/offers", r.offers(t, wb, "85.00"))
	r.posts(t, b.key, quotationOffers+gone.ID+"/withdraw", nothing)
	better := r.posts(t, a.key, at+"/offers", r.offers(t, wa, "78.50"))
	r.posts(t, buyer, at+"/close", nothing)
	r.shows(t, buyer, requests)
	r.shows(t, buyer, at+"/offers")
	r.shows(t, buyer, quotationOffers+better.ID)
	r.ask(t, req{key: b.key, method: "GET", path: quotationOffers + better.ID}).refused(t, 404, "quotations.no_offer")
	r.ask(t, req{key: buyer, method: "POST", path: quotationOffers + first.ID + "/accept", idem: once()}).refused(t, 409, "quotations.offer_state")

	var yes struct {
		Offer, Agreement quoted
		Basket           string
	}
	r.ask(t, req{key: buyer, method: "POST", path: quotationOffers + better.ID + "/accept", idem: once()}).into(t, &yes)
	s := sale{buyer: buyer}
	r.ask(t, req{key: buyer, method: "POST", path: "/v1/checkouts", body: ordering(yes.Basket, r.quote(t, buyer, yes.Basket)), idem: once()}).into(t, &s)
	if s.Charge.Amount.Amount() != "2430.00" { // 30 × 78.50 + 75.00
		t.Errorf("charged %s", s.Charge.Amount.Amount())
	}
	r.payBy(t, s, goodCard)
	r.paid(t, s)
	r.complete(t, s, a)
	r.until(t, "the order to be complete", func() bool {
		o := r.orderOf(t, buyer, s.Orders[0].ID)
		return o.State == "completed"
	})
	r.until(t, "the request to be done", func() bool {
		var v quoted
		r.ask(t, req{key: a.key, method: "GET", path: at}).into(t, &v)
		return v.State == "done" && v.Buyer != ""
	})
	var v quoted
	if r.ask(t, req{key: b.key, method: "GET", path: at}).into(t, &v); v.State != "closed" || v.Buyer != "" {
		t.Errorf("another seller sees %+v", v)
	}
	r.ask(t, req{key: a.key, method: "GET", path: "/v1/agreements/" + yes.Agreement.ID}).into(t, &v)
	if v.State != "used" {
		t.Errorf("the agreement is %s", v.State)
	}
	r.shows(t, buyer, "/v1/agreements")
	other := r.posts(t, buyer, requests, r.wants(t, "Finalement non.", a))
	if v := r.posts(t, buyer, requests+"/"+other.ID+"/cancel", nothing); v.State != "cancelled" {
		t.Errorf("cancelled, it is %s", v.State)
	}
}

func custom(name string, members ...string) map[string]any {
	return map[string]any{"name": name, "members": append([]string{}, members...)}
}

func pricelist(group, name, percent string) map[string]any {
	return map[string]any{
		"group": group, "name": name, "from": "2026-01-01", "to": time.Now().AddDate(0, 12, 0).Format(time.DateOnly),
		"prices": []any{map[string]string{"percent": percent}},
	}
}

// pricedByGroup sells at the price of a group.
func pricedByGroup(t *testing.T, r *rig, _ trade) {
	buyer, s := r.buyer(t), r.seller(t)
	w := r.ware(t, s, 9, "100.00")
	member := r.self(t, buyer)
	g := r.posts(t, s.key, "/v1/customer-groups", custom("Épiceries (exemple)"))
	at := "/v1/customer-groups/" + g.ID
	r.posts(t, s.key, at+"/members", map[string]any{"add": []string{member}})
	r.shows(t, s.key, at+"/members")
	r.shows(t, s.key, "/v1/customer-groups")
	l := r.posts(t, s.key, "/v1/price-lists", pricelist(g.ID, "Gros (exemple)", "15"))
	r.shows(t, s.key, "/v1/price-lists")
	r.shows(t, s.key, "/v1/price-lists/"+l.ID)
	r.shows(t, buyer, "/v1/offers/"+w.offer+"/own-prices")
	sold := sale{buyer: buyer}
	basket := r.basket(t, buyer, map[string]int{w.variant: 2})
	r.ask(t, req{key: buyer, method: "POST", path: "/v1/checkouts", body: ordering(basket, r.quote(t, buyer, basket)), idem: once()}).into(t, &sold)
	if sold.Charge.Amount.Amount() != "200.00" { // 2 × 85.00 + 30.00
		t.Errorf("charged %s", sold.Charge.Amount.Amount())
	}
	r.posts(t, s.key, "/v1/price-lists/"+l.ID+"/end", nothing)
	r.posts(t, s.key, at+"/end", nothing)
}

// self is the subject of a key.
func (r *rig) self(t testing.TB, key string) string {
	t.Helper()
	k, err := auth.ParseKey(key)
	if err != nil {
		t.Fatal(err)
	}
	p, err := r.house.members.Holder(t.Context(), r.house.store, k)
	if err != nil {
		t.Fatal(err)
	}
	return p.Subject
}

// The routes of quotations and prices, for the suite of what happens once.
func init() {
	asked := func(t *testing.T, o *onceRig) (buyer, at string) {
		buyer = o.buyer(t)
		return buyer, requests + "/" + o.posts(t, buyer, requests, o.wants(t, "Exemple.", o.shop)).ID
	}
	offered := func(t *testing.T, o *onceRig) (buyer, offer string) {
		buyer, at := asked(t, o)
		return buyer, o.posts(t, o.shop.key, at+"/offers", o.offers(t, o.ware, "80.00")).ID
	}
	with := func(o *onceRig, key, path string, body, bad, other any) posting {
		p := posting{by: o.stranger.key}
		p.key, p.path, p.body = key, path, body
		p.bad, p.other = p.at(path, bad), p.at(path, other)
		return p.moved()
	}
	tail := func(path string, n int) string { return path[len(path)-n:] }
	postings["quotations.ask"] = func(t *testing.T, o *onceRig) posting {
		name := mark("Demande exemple")
		bad := o.wants(t, name, o.shop)
		bad["commune"] = "Atlantide"
		p := with(o, o.buyer(t), requests, o.wants(t, name, o.shop), bad, o.wants(t, name+" !", o.shop))
		p.effect, p.of = `select count(*) from quotations.request where text = $1`, name
		return p
	}
	postings["quotations.offer"] = func(t *testing.T, o *onceRig) posting {
		_, at := asked(t, o)
		p := with(o, o.shop.key, at+"/offers", o.offers(t, o.ware, "80.00"), o.offers(t, o.ware, "-1.00"), o.offers(t, o.ware, "81.00"))
		p.effect, p.of = `select count(*) from quotations.offer where request = $1`, tail(at, 30)
		return p
	}
	for route, bodies := range map[string][3]any{
		"close": {}, "cancel": {},
		"decline": {reason("too_far"), reason("why"), reason("other")},
		"write":   {map[string]string{"text": "Combien ?"}, map[string]string{"text": " "}, map[string]string{"text": "Quand ?"}},
	} {
		postings["quotations."+route] = func(t *testing.T, o *onceRig) posting {
			key, at := asked(t, o)
			path := at + "/" + route
			if route == "decline" || route == "write" {
				key = o.shop.key
			}
			if route == "write" {
				path = at + "/messages"
			}
			p := with(o, key, path, bodies[0], bodies[1], bodies[2])
			p.effect, p.of = trail("quotations."+route, tail(at, 30))
			if route == "write" {
				p.effect, p.of = `select count(*) from quotations.message where request = $1`, tail(at, 30)
			}
			return p
		}
	}
	for route, bodies := range map[string][3]any{
		"withdraw": {}, "accept": {}, "refuse": {reason("too_dear"), reason("why"), reason("other")},
	} {
		postings["quotations."+route] = func(t *testing.T, o *onceRig) posting {
			key, offer := offered(t, o)
			path := quotationOffers + offer + "/" + route
			switch route {
			case "withdraw":
				key = o.shop.key
			case "refuse":
				path = quotationOffers + offer + "/decline"
			}
			p := with(o, key, path, bodies[0], bodies[1], bodies[2])
			p.effect, p.of = trail("quotations."+route, offer)
			return p
		}
	}
	group := func(t *testing.T, o *onceRig) string {
		return o.posts(t, o.shop.key, "/v1/customer-groups", custom(mark("Groupe exemple"))).ID
	}
	postings["customer_groups.make"] = func(t *testing.T, o *onceRig) posting {
		name := mark("Groupe exemple")
		p := with(o, o.shop.key, "/v1/customer-groups", custom(name), custom(name, "ord_x"), custom(name+" !"))
		p.effect, p.of = `select count(*) from pricing.customer_group where name = $1`, name
		return p
	}
	postings["customer_groups.change"] = func(t *testing.T, o *onceRig) posting {
		g := group(t, o)
		add := func(who string) map[string]any { return map[string]any{"add": []string{who}} }
		p := with(o, o.shop.key, "/v1/customer-groups/"+g+"/members", add(o.shop.org), add("ord_x"), add(o.stranger.org))
		p.effect, p.of = trail("customer_groups.change", g)
		return p
	}
	postings["customer_groups.end"] = func(t *testing.T, o *onceRig) posting {
		g := group(t, o)
		p := with(o, o.shop.key, "/v1/customer-groups/"+g+"/end", nil, nil, nil)
		p.effect, p.of = trail("customer_groups.end", g)
		return p
	}
	postings["price_lists.make"] = func(t *testing.T, o *onceRig) posting {
		g, name := group(t, o), mark("Prix exemple")
		p := with(o, o.shop.key, "/v1/price-lists", pricelist(g, name, "5"), pricelist(g, name, "100"), pricelist(g, name, "6"))
		p.effect, p.of = `select count(*) from pricing.price_list where name = $1`, name
		return p
	}
	postings["price_lists.end"] = func(t *testing.T, o *onceRig) posting {
		l := o.posts(t, o.shop.key, "/v1/price-lists", pricelist(group(t, o), mark("Prix exemple"), "5")).ID
		p := with(o, o.shop.key, "/v1/price-lists/"+l+"/end", nil, nil, nil)
		p.effect, p.of = trail("price_lists.end", l)
		return p
	}
}
