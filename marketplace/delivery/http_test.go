package delivery_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"tiwiza/marketplace/catalog"
	"tiwiza/marketplace/delivery"
	"tiwiza/marketplace/members"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/event"
	"tiwiza/pkg/id"
	"tiwiza/pkg/job"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
	"tiwiza/pkg/rest"
)

// desk is the HTTP face of delivery for one seller and the operator; who
// authenticates is whoever the key names.
type desk struct {
	t      *testing.T
	db     *pg.Store
	web    http.Handler
	seller string
	own    auth.Key
	boss   auth.Key
	place  catalog.Place
}

func (d *desk) PlacesOf(context.Context, pg.DB, string) ([]catalog.Place, error) {
	return []catalog.Place{d.place}, nil
}

func (d *desk) Sellers(_ context.Context, _ pg.DB, ids []string) (map[string]members.Seller, error) {
	out := map[string]members.Seller{}
	if ids[0] == d.seller {
		out[d.seller] = members.Seller{ID: d.seller, Active: true}
	}
	return out, nil
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	db := pgtest.New(t)
	runner, err := job.NewRunner(db, nil, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	db.Use(runner.Jobs(), event.NewBus())
	d := &desk{t: t, db: db, seller: id.New(id.Organisation), own: auth.NewKey(), boss: auth.NewKey()}
	d.place = catalog.Place{ID: id.New(id.Place), Seller: d.seller, Name: "Grange", Region: "MA-09", Commune: "Taliouine", Lat: 30.5, Lng: -7.9}
	policies, err := authz.New()
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	rest.Mount(mux, delivery.Routes(delivery.New(db, d, d)), rest.Edge{
		Store: db, Log: slog.New(slog.DiscardHandler), Limits: rest.Limits{Principal: -1, Address: -1},
		Authenticate: func(_ context.Context, key auth.Key) (auth.Principal, error) {
			if key == d.boss {
				return auth.Principal{Subject: "hub", Role: auth.Operator}, nil
			}
			return auth.Principal{Subject: d.seller, Role: auth.Seller}, nil
		},
		May: func(_ context.Context, p auth.Principal, action string) (string, error) {
			return policies.May(p, action, authz.Resource{})
		},
	})
	d.web = mux
	return d
}

func (d *desk) ask(who auth.Key, method, path, body string) (status int, text string) {
	r := httptest.NewRequestWithContext(d.t.Context(), method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+who.String())
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", id.New("idem"))
	w := httptest.NewRecorder()
	d.web.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

const flat = `{"kind":"own","names":{"fr":"Nous livrons (exemple)"},"lead_days":1,"zones":[{"steps":[{"price":{"amount":"20.00","currency":"MAD"}}]}]}`

// with is the flat way with something changed or added.
func with(pairs ...string) string {
	var m map[string]json.RawMessage
	if err := json.Unmarshal([]byte(flat), &m); err != nil {
		panic(err)
	}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = json.RawMessage(pairs[i+1])
	}
	b, err := json.Marshal(m)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func TestAWayThatCannotBeIsRefusedWithItsReasons(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	price := func(s string) string { return `{"amount":"` + s + `","currency":"MAD"}` }
	steps := func(s string) string { return `[{"steps":[` + s + `]}]` }
	for body, pointer := range map[string]string{
		with("names", `{"ar":"توصيل"}`):                                     "/names/fr",
		with("names", `{"fr":" ","de":"x"}`):                                "/names/de",
		with("kind", `"relay"`):                                             "/kind",
		with("payee", `"demo"`):                                             "/payee", // money for a carrier of one's own choice
		with("kind", `"carrier"`, "radius_km", `10`, "commune", `"Agadir"`): "/radius_km",
		with("radius_km", `10`):                                             "/commune",
		with("commune", `"Atlantis"`):                                       "/commune",
		with("kind", `"pickup"`):                                            "/zones",
		with("kind", `"pickup"`, "zones", `[]`, "commune", `"Agadir"`):      "/address",
		with("place", `"plc_other"`):                                        "/place",
		with("place", `"`+d.place.ID+`"`, "commune", `"Agadir"`):            "/commune",
		with("zones", `[]`):                                                 "/zones",
		with("zones", steps(`{"price":`+price("1.00")+`},{"price":`+price("2.00")+`}`)):                                                      "/zones/0/steps/0/up_to_g",
		with("zones", steps(`{"up_to_g":9,"price":`+price("1")+`},{"up_to_g":9,"price":`+price("2")+`}`)):                                    "/zones/0/steps/1/up_to_g",
		with("zones", steps(`{"price":`+price("-1.00")+`}`)):                                                                                 "/zones/0/steps/0/price/amount",
		with("zones", steps(`{"price":{"amount":"1.00","currency":"EUR"}}`)):                                                                 "/zones/0/steps/0/price/currency",
		with("zones", `[{"regions":["MA-13"],"steps":[{"price":`+price("1")+`}]}]`):                                                          "/zones/0/regions/0",
		with("zones", `[{"communes":["Atlantis"],"steps":[{"price":`+price("1")+`}]}]`):                                                      "/zones/0/communes/0",
		with("zones", `[{"regions":["MA-01"],"steps":[{"price":`+price("1")+`}]},{"regions":["MA-01"],"steps":[{"price":`+price("2")+`}]}]`): "/zones/1",
		with("free_from", price("0.00")): "/free_from/amount",
	} {
		status, text := d.ask(d.own, "POST", "/v1/delivery-ways", body)
		if status != 422 || !strings.Contains(text, `"`+pointer+`"`) {
			t.Errorf("%s: %d %s, want 422 at %s", body, status, text, pointer)
		}
	}
	if status, text := d.ask(d.own, "POST", "/v1/delivery-ways", with("seller", `"org_other"`)); status != 404 {
		t.Errorf("for another seller: %d %s", status, text)
	}
	if status, text := d.ask(d.boss, "POST", "/v1/delivery-ways", with("seller", `"org_none"`)); status != 422 {
		t.Errorf("for nobody: %d %s", status, text)
	}
}

func TestAPickupPointIsASellersPlace(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	status, text := d.ask(d.boss, "POST", "/v1/delivery-ways",
		with("seller", `"`+d.seller+`"`, "kind", `"pickup"`, "zones", `[]`, "address", `"Face au souk (exemple)"`, "place", `"`+d.place.ID+`"`))
	var w delivery.WayView
	if err := json.Unmarshal([]byte(text), &w); err != nil || status != 201 {
		t.Fatalf("%d %s", status, text)
	}
	if w.Spot == nil || w.Spot.Place != d.place.ID || w.Spot.Commune != "Taliouine" || w.Spot.Lat != 30.5 || w.Seller != d.seller {
		t.Errorf("the pickup point is %+v at %+v", w, w.Spot)
	}
}

func TestFiftyWaysAtOnceAndNoMore(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	var wg sync.WaitGroup
	var mu sync.Mutex
	got := map[int]int{}
	for range 60 {
		wg.Go(func() {
			status, text := d.ask(d.own, "POST", "/v1/delivery-ways", flat)
			if status != 201 && !strings.Contains(text, "delivery.too_many") {
				t.Errorf("%d %s", status, text)
			}
			mu.Lock()
			defer mu.Unlock()
			got[status]++
		})
	}
	wg.Wait()
	if got[201] != 50 || got[409] != 10 {
		t.Errorf("60 ways at once: %v, want 50 made and 10 refused", got)
	}
	seen, cursor := map[string]bool{}, ""
	for range 10 {
		_, text := d.ask(d.own, "GET", "/v1/delivery-ways?limit=20"+cursor, "")
		var p rest.Page[delivery.WayView]
		if err := json.Unmarshal([]byte(text), &p); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		for _, w := range p.Data {
			seen[w.ID] = true
		}
		if p.Next == nil {
			break
		}
		cursor = "&cursor=" + *p.Next
	}
	if len(seen) != 50 {
		t.Errorf("%d ways are listed, want 50", len(seen))
	}
	for way := range seen { // one that ends makes room
		if status, text := d.ask(d.own, "POST", "/v1/delivery-ways/"+way+"/end", ""); status != 200 {
			t.Fatalf("%d %s", status, text)
		}
		break
	}
	if status, text := d.ask(d.own, "POST", "/v1/delivery-ways", flat); status != 201 {
		t.Errorf("%d %s", status, text)
	}
}

func TestTheDatabaseRefusesWaysThatCannotBe(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for _, c := range []struct{ seller, kind, payee, spot, zones string }{
		{d.seller, "own", "demo", "null", `[{"areas":[],"steps":[{"centimes":1}]}]`},
		{"", "carrier", "", "null", `[{"areas":[],"steps":[{"centimes":1}]}]`},
		{d.seller, "pickup", "", "null", `[]`},
		{d.seller, "carrier", "", "null", `[]`},
		{d.seller, "carrier", "", "null", `[{"areas":[]}]`},
		{d.seller, "carrier", "", "null", `[{"steps":[{"centimes":-1}]}]`},
		{d.seller, "carrier", "", "null", `[{"steps":[{"centimes":1},{"up_to_g":5,"centimes":1}]}]`},
		{d.seller, "carrier", "", "null", `[{"steps":[{"up_to_g":5,"centimes":1},{"up_to_g":5,"centimes":1}]}]`},
	} {
		_, err := d.db.Exec(t.Context(), `insert into delivery.way (id, seller, served, slot, kind, names, payee, lead_days, spot, zones)
			values ($1, $2, 'x', 1, $3, '{"fr":"x"}', $4, 1, nullif($5, 'null')::jsonb, $6::jsonb)`, fmt.Sprintf("%+v", c), c.seller, c.kind, c.payee, c.spot, c.zones)
		if pg.Code(err) != "23514" {
			t.Errorf("%+v: %v, want a constraint to refuse it", c, err)
		}
	}
}
