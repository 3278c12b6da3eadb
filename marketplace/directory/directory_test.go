package directory_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"tiwiza/marketplace/catalog"
	"tiwiza/marketplace/directory"
	"tiwiza/marketplace/members"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/clock"
	"tiwiza/pkg/event"
	"tiwiza/pkg/job"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
	"tiwiza/pkg/rest"
)

// shelf is a catalogue in memory.
type shelf struct {
	trades map[string][]string
	badges map[string][]catalog.Badge
	asked  int // how often what is on offer was read
}

func (s *shelf) ShelvesOf(_ context.Context, _ pg.DB, sellers []string) (map[string][]string, error) {
	s.asked++
	return s.trades, nil
}

func (s *shelf) BadgesOf(_ context.Context, _ pg.DB, sellers []string) (map[string][]catalog.Badge, error) {
	return s.badges, nil
}

// counter counts what is sent to the database.
type counter struct{ n atomic.Int64 }

func (c *counter) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	c.n.Add(1)
	return ctx
}

func (c *counter) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// hub is the directory with members, behind the real edge and the real policies.
type hub struct {
	t      testing.TB
	db     *pg.Store
	sent   counter
	shelf  *shelf
	bus    *event.Bus
	timers *job.Timers
	web    http.Handler
	m      *members.Service
	boss   string
}

// failing are members whose database is away.
type failing struct{ *members.Service }

func (failing) Of(context.Context, pg.DB, string) (members.Organisation, error) {
	return members.Organisation{}, errors.New("the database is away")
}

// That the database is away is not that there is no such member.
func TestADatabaseThatIsAwayIsNoMissingMember(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	org, _ := h.org("beneficiary_coop", "Coopérative", "MA-09", "Taroudant")
	h.sweep()
	h.want(200, nil, "", "GET", "/v1/directory/"+org, nil)
	s := directory.New(h.db, failing{h.m}, h.shelf)
	if _, err := s.Show(t.Context(), directory.OneMember{Org: org}); err == nil || errors.Is(err, directory.ErrNotFound) {
		t.Errorf("it answers %v", err)
	}
}

func newHub(t testing.TB) *hub {
	t.Helper()
	h := &hub{t: t, bus: event.NewBus(), shelf: &shelf{trades: map[string][]string{}, badges: map[string][]catalog.Badge{}}}
	h.db = pgtest.Open(t, pgtest.URL(t), pg.Options{MaxConns: 4, Tracer: &h.sent})
	pgtest.Queue(t, h.db, h.bus)
	policies, err := authz.New()
	must(t, err)
	h.m = members.New(h.db, policies)
	s := directory.New(h.db, h.m, h.shelf)
	h.timers = job.NewTimers(h.db)
	s.Work(h.timers)
	directory.Subscribe(h.bus, s)
	must(t, s.Arm(auth.With(t.Context(), auth.Hub)))
	mux := http.NewServeMux()
	rest.Mount(mux, slices.Concat(members.Routes(h.m), directory.Routes(s)), rest.Edge{
		Store: h.db, Authenticate: h.m.Authenticate, Log: slog.New(slog.DiscardHandler), Limits: rest.Limits{Principal: -1, Address: -1},
		May: func(_ context.Context, p auth.Principal, action string) (string, error) {
			return policies.May(p, action, authz.Resource{})
		},
	})
	h.web = mux
	h.tx(func(tx *pg.Tx) error {
		key, err := h.m.CreateKey(t.Context(), tx, "per_boss", auth.Operator, "test")
		h.boss = key.String()
		return err
	})
	return h
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (h *hub) tx(f func(tx *pg.Tx) error) {
	h.t.Helper()
	must(h.t, h.db.InTx(h.t.Context(), f))
}

type fields = map[string]any

func (h *hub) ask(key, method, path string, body any) *httptest.ResponseRecorder {
	h.t.Helper()
	b, err := json.Marshal(body)
	must(h.t, err)
	if body == nil {
		b = nil
	}
	r := httptest.NewRequestWithContext(h.t.Context(), method, path, strings.NewReader(string(b)))
	r.Header.Set("Content-Type", "application/json")
	if key != "" {
		r.Header.Set("Authorization", "Bearer "+key)
	}
	w := httptest.NewRecorder()
	h.web.ServeHTTP(w, r)
	return w
}

func (h *hub) want(status int, out any, key, method, path string, body any) {
	h.t.Helper()
	w := h.ask(key, method, path, body)
	if w.Code != status {
		h.t.Fatalf("%s %s: %d %s, want %d", method, path, w.Code, w.Body, status)
	}
	if out != nil {
		must(h.t, json.Unmarshal(w.Body.Bytes(), out))
	}
}

// org is an organisation at work, with a key when its kind has one.
func (h *hub) org(kind, name, region, commune string) (org, key string) {
	h.t.Helper()
	var o struct{ ID string }
	h.want(201, &o, h.boss, "POST", "/v1/organisations", fields{"kind": kind, "names": fields{"fr": name}, "region": region, "commune": commune})
	for _, move := range []string{"submit", "approve"} {
		h.want(200, nil, h.boss, "POST", "/v1/organisations/"+o.ID+"/"+move, nil)
	}
	if role, ok := members.Kind(kind).Role(); ok {
		h.tx(func(tx *pg.Tx) error {
			k, err := h.m.CreateKey(h.t.Context(), tx, o.ID, role, "test")
			key = k.String()
			return err
		})
	}
	return o.ID, key
}

// tells publishes what the catalogue says, and brings it to the directory.
func (h *hub) tells(all ...pg.Event) {
	h.t.Helper()
	h.tx(func(tx *pg.Tx) error { return tx.PublishAll(h.t.Context(), all, nil) })
	type said struct{ ID, Type string }
	waits, err := pg.All[said](h.t.Context(), h.db, `select id, type from platform.event where type in ('catalog.offer_changed', 'catalog.imported') order by seq`)
	must(h.t, err)
	for _, e := range waits {
		must(h.t, h.bus.Deliver(auth.With(h.t.Context(), auth.Hub), h.db, event.Delivery{Event: e.ID, Type: e.Type, Subscriber: "directory"}))
	}
}

// passes lets time go by, and fires what is due.
func (h *hub) passes(d time.Duration) {
	h.t.Helper()
	h.tx(func(tx *pg.Tx) error { _, err := clock.Advance(h.t.Context(), tx, d); return err })
	_, err := h.timers.Due(h.t.Context())
	must(h.t, err)
}

// sweep makes the directory anew, as it is every hour.
func (h *hub) sweep() {
	h.t.Helper()
	h.passes(time.Hour + time.Second)
}

func (h *hub) found(query string) (names []string) {
	h.t.Helper()
	for cursor := ""; ; {
		var p struct {
			Data []directory.EntryView
			Next *string
		}
		h.want(200, &p, "", "GET", "/v1/directory?limit=2&"+query+cursor, nil)
		for _, e := range p.Data {
			names = append(names, e.Names["fr"])
		}
		if p.Next == nil {
			return names
		}
		cursor = "&cursor=" + url.QueryEscape(*p.Next)
	}
}

func TestMembersAreFoundByWhereAndWhatTheyAre(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	argan, _ := h.org("beneficiary_coop", "Coopérative Argan du Souss (exemple)", "MA-09", "Taroudant")
	tapis, _ := h.org("beneficiary_coop", "Tapis de l’Atlas (exemple)", "MA-09", "Taroudant")
	h.org("service_provider", "Cabinet de comptes (exemple)", "MA-04", "Rabat")
	h.org("institutional", "Office du registre (exemple)", "MA-04", "Rabat")
	h.shelf.trades[argan], h.shelf.trades[tapis] = []string{catalog.Categories[0].Code}, []string{catalog.Categories[1].Code}
	h.shelf.badges[argan] = []catalog.Badge{{Seller: argan, Code: "Bio", Issuer: "Organisme (exemple)", Number: "EX-1"}}
	if got := h.found(""); len(got) != 0 {
		t.Errorf("before the first sweep it has %v", got)
	}
	h.sweep()
	all := []string{"Cabinet de comptes (exemple)", "Coopérative Argan du Souss (exemple)", "Office du registre (exemple)", "Tapis de l’Atlas (exemple)"}
	for query, want := range map[string][]string{
		"": all, "region=MA-04": {all[0], all[2]}, "kind=institutional": {all[2]}, "label=Bio": {all[1]}, "label=IGP": nil,
		"trade=" + catalog.Categories[1].Code: {all[3]}, "q=argan": {all[1]}, "q=TAPI": {all[3]}, "q=taroudant+atlas": {all[3]}, "q=argan+rabat": nil,
		"q=%D8%B6": nil, "q=!!": nil, "region=MA-09&kind=service_provider": nil, "q=exemple&region=MA-09": {all[1], all[3]}, "q=%27%3A*+%26": nil,
	} {
		if got := h.found(query); !slices.Equal(got, want) {
			t.Errorf("%q finds %q, want %q", query, got, want)
		}
	}
	var p directory.ProfileView
	h.want(200, &p, "", "GET", "/v1/directory/"+argan, nil)
	if len(p.Labels) != 1 || p.Labels[0].Number != "EX-1" || p.Offers == "" || p.Point.Lat == 0 {
		t.Errorf("its profile is %+v", p)
	}
	delete(h.shelf.badges, argan) // it ended, and the sweep is still to come
	if got := h.found("label=Bio"); len(got) != 0 {
		t.Errorf("a label that has ended finds %q", got)
	}
	h.want(200, nil, h.boss, "POST", "/v1/organisations/"+argan+"/suspend", fields{"note": "Exemple."})
	h.want(404, nil, "", "GET", "/v1/directory/"+argan, nil)
	h.want(404, nil, "", "GET", "/v1/directory/org_none", nil)
	h.want(400, nil, "", "GET", "/v1/directory?cursor=x", nil)
}

// Whoever looks, and however it is shown: a field is in an answer exactly when its
// owner lets this reader see it.
func TestNobodySeesMoreThanItIsShown(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	owner, ownKey := h.org("beneficiary_coop", "Coopérative (exemple)", "MA-09", "Taroudant")
	bank, bankKey := h.org("operational_bank", "Banque (exemple)", "MA-04", "Rabat")
	_, coopKey := h.org("beneficiary_coop", "Autre coopérative (exemple)", "MA-09", "Taroudant")
	_, coverKey := h.org("insurer", "Assurance (exemple)", "MA-04", "Rabat")
	gone, goneKey := h.org("operational_bank", "Banque suspendue (exemple)", "MA-04", "Rabat")
	h.want(200, nil, h.boss, "POST", "/v1/organisations/"+gone+"/suspend", fields{"note": "Exemple."})
	h.sweep()
	readers := map[string]string{"anybody": "", "the owner": ownKey, "a bank": bankKey, "a cooperative": coopKey, "an insurer": coverKey, "a suspended bank": goneKey, "the operator": h.boss}
	at := "/v1/organisations/" + owner + "/directory-fields/"
	secret := "+212528000001"
	for _, c := range []struct {
		shown fields
		see   []string
	}{
		{fields{"shown": "public"}, []string{"anybody", "the owner", "a bank", "a cooperative", "an insurer", "a suspended bank", "the operator"}},
		{fields{"shown": "nobody"}, []string{"the owner"}},
		{fields{"shown": "some", "kinds": []string{"operational_bank"}}, []string{"the owner", "a bank"}},
		{fields{"shown": "some", "organisations": []string{bank}}, []string{"the owner", "a bank"}},
		{fields{"shown": "some", "kinds": []string{"beneficiary_coop"}, "organisations": []string{bank}}, []string{"the owner", "a bank", "a cooperative"}},
	} {
		c.shown["value"] = "05 28 00 00 01"
		h.want(200, nil, ownKey, "PUT", at+"phone", c.shown)
		for name, key := range readers {
			for _, path := range []string{"/v1/directory?limit=100", "/v1/directory/" + owner} {
				w := h.ask(key, "GET", path, nil)
				if got, want := strings.Contains(w.Body.String(), secret), slices.Contains(c.see, name); w.Code != 200 || got != want {
					t.Errorf("shown to %v, %s sees it at %s: %t, want %t (%d)", c.shown, name, path, got, want, w.Code)
				}
			}
			if w := h.ask(key, "GET", strings.TrimSuffix(at, "/"), nil); strings.Contains(w.Body.String(), secret) != (name == "the owner") {
				t.Errorf("%s reads what the owner shows: %d %s", name, w.Code, w.Body)
			}
		}
	}
	h.want(200, nil, ownKey, "DELETE", at+"phone", nil)
	h.want(404, nil, ownKey, "DELETE", at+"phone", nil)
	if w := h.ask(bankKey, "GET", "/v1/directory/"+owner, nil); strings.Contains(w.Body.String(), secret) {
		t.Error("what was taken away is still there")
	}
	for name, c := range map[string]struct {
		key, code string
		body      fields
		status    int
	}{
		"somebody else":           {bankKey, "phone", fields{"value": "0528000001", "shown": "public"}, 404},
		"the operator":            {h.boss, "phone", fields{"value": "0528000001", "shown": "public"}, 403},
		"no number":               {ownKey, "phone", fields{"value": "12", "shown": "public"}, 422},
		"no address":              {ownKey, "website", fields{"value": "javascript:alert(1)", "shown": "public"}, 422},
		"no mail":                 {ownKey, "email", fields{"value": "a b@c", "shown": "public"}, 422},
		"what turns around":       {ownKey, "capacity", fields{"value": "10\u202e t", "shown": "public"}, 422},
		"some, and nobody named":  {ownKey, "capacity", fields{"value": "10 t", "shown": "some"}, 422},
		"public, and some named":  {ownKey, "capacity", fields{"value": "10 t", "shown": "public", "organisations": []string{bank}}, 422},
		"a stranger by name":      {ownKey, "capacity", fields{"value": "10 t", "shown": "some", "organisations": []string{"org_none"}}, 422},
		"suspended ones by name":  {ownKey, "capacity", fields{"value": "10 t", "shown": "some", "organisations": []string{gone}}, 422},
		"nothing that is known":   {ownKey, "password", fields{"value": "x", "shown": "public"}, 422},
		"a kind that is not":      {ownKey, "capacity", fields{"value": "10 t", "shown": "some", "kinds": []string{"operator"}}, 422},
		"no way of showing":       {ownKey, "capacity", fields{"value": "10 t", "shown": "friends"}, 422},
		"more than can be a text": {ownKey, "capacity", fields{"value": strings.Repeat("x", 401), "shown": "public"}, 422},
	} {
		if w := h.ask(c.key, "PUT", at+c.code, c.body); w.Code != c.status {
			t.Errorf("%s: %d %s, want %d", name, w.Code, w.Body, c.status)
		}
	}
}

// Who is at work no more is not found, whether the directory has heard of it or not;
// and the next sweep takes its entry away.
func TestWhoIsAtWorkNoMoreIsNotFound(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	for _, name := range []string{"Ait Baha (exemple)", "Amal (exemple)", "Tifaouine (exemple)"} {
		h.org("beneficiary_coop", name, "MA-09", "Taroudant")
	}
	gone, _ := h.org("beneficiary_coop", "Argane (exemple)", "MA-09", "Taroudant")
	h.sweep()
	h.want(200, nil, h.boss, "POST", "/v1/organisations/"+gone+"/suspend", fields{"note": "Exemple."})
	want := []string{"Ait Baha (exemple)", "Amal (exemple)", "Tifaouine (exemple)"}
	if got := h.found("region=MA-09"); !slices.Equal(got, want) {
		t.Errorf("found %q, want %q", got, want)
	}
	h.sweep()
	if n, err := pg.Value[int](t.Context(), h.db, nil, `select count(*)::int from directory.entry where organisation = $1`, gone); err != nil || n != 0 {
		t.Errorf("%d entries of who was suspended, want none (%v)", n, err)
	}
	if got := h.found("region=MA-09"); !slices.Equal(got, want) {
		t.Errorf("after the sweep found %q, want %q", got, want)
	}
}

// What a seller begins to offer is found within seconds, not at the next sweep; and
// a hundred changes of its offers, or a file of them, cost one look at its shelves.
func TestNewOffersAreFoundAtOnceAndLookedAtOnce(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	seller, _ := h.org("beneficiary_coop", "Coopérative (exemple)", "MA-09", "Taroudant")
	other, _ := h.org("beneficiary_coop", "Autre (exemple)", "MA-09", "Taroudant")
	h.sweep()
	trade := catalog.Categories[0].Code
	h.shelf.trades[seller] = []string{trade}
	var changes []pg.Event
	for i := range 100 {
		changes = append(changes, catalog.OfferChanged{Offer: fmt.Sprintf("off_%d", i), Seller: seller, What: "published", State: catalog.Published})
	}
	before := h.shelf.asked
	h.tells(append(changes, catalog.Imported{Import: "imp_1", Seller: seller, Rows: 50_000, Created: 50_000})...)
	if got := h.found("trade=" + trade); len(got) != 0 || h.shelf.asked != before {
		t.Errorf("before any time went by it finds %q, after %d looks", got, h.shelf.asked-before)
	}
	h.passes(time.Minute)
	if got := h.found("trade=" + trade); len(got) != 1 || got[0] != "Coopérative (exemple)" {
		t.Errorf("a minute later it finds %q", got)
	}
	if n := h.shelf.asked - before; n != 1 {
		t.Errorf("101 changes cost %d looks at the shelves, want 1", n)
	}
	h.shelf.trades[other] = []string{trade}
	h.tells(catalog.Imported{Import: "imp_2", Seller: other, Rows: 1, Created: 1}, catalog.OfferChanged{Offer: "off_0", Seller: "org_none", What: "published"})
	delete(h.shelf.trades, seller)
	h.tells(catalog.OfferChanged{Offer: "off_0", Seller: seller, What: "paused"})
	h.passes(time.Minute)
	if got := h.found("trade=" + trade); len(got) != 1 || got[0] != "Autre (exemple)" {
		t.Errorf("when one began and one ended it finds %q", got)
	}
}

// A page costs the same number of queries however many members it has.
func TestAPageCostsAFixedNumberOfQueries(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	_, key := h.org("beneficiary_coop", "Coopérative (exemple)", "MA-09", "Taroudant")
	cost := func(key string) int64 {
		h.want(200, nil, key, "GET", "/v1/directory?limit=100", nil)
		before := h.sent.n.Load()
		h.want(200, nil, key, "GET", "/v1/directory?limit=100", nil)
		return h.sent.n.Load() - before
	}
	h.sweep()
	one, mine := cost(""), cost(key)
	_, err := h.db.Exec(t.Context(), `insert into members.organisation (id, kind, names, region, commune, lat, lng, state, created_at)
		select 'org_' || lpad(n::text, 26, '0'), 'beneficiary_coop', jsonb_build_object('fr', 'Exemple ' || n), 'MA-09', 'Taroudant', 30, -9, 'active', platform.now() from generate_series(1, 1200) n`)
	must(t, err)
	h.sweep()
	if n, err := pg.Value[int](t.Context(), h.db, nil, `select count(*)::int from directory.entry`); err != nil || n != 1201 {
		t.Errorf("a sweep found %d members (%v), want 1201", n, err)
	}
	if got, of := cost(""), cost(key); got != one || of != mine || one > 3 || mine > 5 {
		t.Errorf("a page of 100 costs %d and %d queries; of one, %d and %d; want 3 and at most 5", got, of, one, mine)
	}
	seen := map[string]bool{}
	for _, name := range h.found("region=MA-09&q=exempl") {
		if seen[name] {
			t.Fatalf("%s is there twice", name)
		}
		seen[name] = true
	}
	if len(seen) != 1201 {
		t.Errorf("all pages have %d members", len(seen))
	}
}
