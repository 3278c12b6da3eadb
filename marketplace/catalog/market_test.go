package catalog_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"tiwiza/marketplace/catalog"
	"tiwiza/marketplace/media"
	"tiwiza/marketplace/members"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/blob"
	"tiwiza/pkg/blob/disk"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
	"tiwiza/pkg/picture"
	"tiwiza/pkg/rest"
	"tiwiza/search/pgsearch"
)

// known are the organisations of a test: all that Sellers needs.
type known map[string]members.Seller

// Sellers finds them.
func (k known) Sellers(_ context.Context, _ pg.DB, ids []string) (map[string]members.Seller, error) {
	out := map[string]members.Seller{}
	for _, id := range ids {
		if s, ok := k[id]; ok {
			out[id] = s
		}
	}
	return out, nil
}

// Sellers of the tests.
const (
	ours   = "org_ours"
	others = "org_others"
	closed = "org_closed"
)

func organisations() known {
	name := func(s string) map[string]string { return map[string]string{"fr": s + " (exemple)"} }
	return known{
		ours:   {ID: ours, Names: name("Coopérative Une"), Active: true},
		others: {ID: others, Names: name("Coopérative Deux"), Active: true},
		closed: {ID: closed, Names: name("Coopérative Trois")},
	}
}

// market is a catalogue with an empty database of its own.
type market struct {
	*testing.T
	db      *pg.Store
	s       *catalog.Service
	sellers known
	server  http.Handler
}

// shelf is where the files of a test are kept.
func shelf(t testing.TB, db *pg.Store) *media.Service {
	t.Helper()
	folder, err := disk.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = folder.Close() })
	return media.New(db, blob.Over(folder), picture.NewPress(picture.PressOptions{}))
}

func newMarket(t *testing.T) *market {
	t.Helper()
	return openMarket(t, pgtest.New(t), time.Nanosecond)
}

func openMarket(t *testing.T, db *pg.Store, facetAge time.Duration) *market {
	t.Helper()
	sellers := organisations()
	files := shelf(t, db)
	s := catalog.New(db, pgsearch.Open(db, pgsearch.Options{FacetAge: facetAge}), sellers, files)
	policies, err := authz.New()
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	rest.Mount(mux, slices.Concat(catalog.Routes(s), catalog.PictureRoutes(catalog.NewPictures(s)), media.Routes(files)), rest.Edge{
		Store: db, Log: slog.New(slog.DiscardHandler),
		// The tests' keys say in their id who holds them: nothing is looked up.
		Authenticate: func(_ context.Context, k auth.Key) (auth.Principal, error) {
			p, ok := holders[k.ID]
			if !ok {
				return p, auth.ErrUnknown
			}
			return p, nil
		},
		May: func(_ context.Context, p auth.Principal, action string) (string, error) {
			return policies.May(p, action, authz.Resource{})
		},
	})
	return &market{t, db, s, sellers, mux}
}

var (
	ourKey, otherKey, operatorKey, buyerKey = auth.NewKey(), auth.NewKey(), auth.NewKey(), auth.NewKey()

	holders = map[string]auth.Principal{
		ourKey.ID:      {Key: ourKey.ID, Subject: ours, Role: auth.Seller},
		otherKey.ID:    {Key: otherKey.ID, Subject: others, Role: auth.Seller},
		operatorKey.ID: {Key: operatorKey.ID, Subject: "org_operator", Role: auth.Operator},
		buyerKey.ID:    {Key: buyerKey.ID, Subject: "per_buyer", Role: auth.Buyer},
	}
)

// as is a context in which the holder of a key asks.
func as(t *testing.T, k auth.Key) context.Context { return auth.With(t.Context(), holders[k.ID]) }

// An answer is what a route said.
type answer struct {
	*testing.T
	status int
	header http.Header
	body   []byte
}

// call asks a route; key may be the zero Key.
func (m *market) call(key auth.Key, method, path, contentType, body string) answer {
	m.Helper()
	r := httptest.NewRequestWithContext(m.Context(), method, path, strings.NewReader(body))
	if body == "" {
		r.Body = http.NoBody
	} else {
		r.Header.Set("Content-Type", contentType)
	}
	if key.ID != "" {
		r.Header.Set("Authorization", "Bearer "+key.String())
	}
	w := httptest.NewRecorder()
	m.server.ServeHTTP(w, r)
	b, err := io.ReadAll(w.Result().Body)
	if err != nil {
		m.Fatal(err)
	}
	return answer{m.T, w.Code, w.Header(), b}
}

func (m *market) json(key auth.Key, method, path, body string) answer {
	m.Helper()
	return m.call(key, method, path, "application/json", body)
}

// as decodes the answer; its status must be want.
func (a answer) as(want int, v any) {
	a.Helper()
	if a.status != want {
		a.Fatalf("status %d, want %d: %s", a.status, want, a.body)
	}
	if v != nil {
		if err := json.NewDecoder(bytes.NewReader(a.body)).Decode(v); err != nil {
			a.Fatalf("%v: %s", err, a.body)
		}
	}
}

// refused checks a problem's status, code and pointers.
func (a answer) refused(status int, code string, pointers ...string) {
	a.Helper()
	var p struct {
		Code   string
		Errors []struct{ Pointer, Detail string }
	}
	if err := json.Unmarshal(a.body, &p); err != nil {
		a.Fatalf("%v: %s", err, a.body)
	}
	var got []string
	for _, e := range p.Errors {
		got = append(got, e.Pointer)
		if e.Detail == "" {
			a.Errorf("%s says nothing of %s", code, e.Pointer)
		}
	}
	if a.status != status || p.Code != code || !slices.Equal(got, pointers) {
		a.Errorf("answer %d %s %v, want %d %s %v: %s", a.status, p.Code, got, status, code, pointers, a.body)
	}
}

const create = `{"category":"oils","key":"argan","names":{"fr":"Huile d’argane","ar":"زيت أركان"},"descriptions":{"fr":"Pressée à froid."},
	"commune":"Taliouine","image":"oil-argan.svg",
	"labels":[{"code":"IGP Argane","issuer":"SDOQ","number":"EX-1","valid_from":"2020-01-01","valid_to":"2099-12-31"},
		{"code":"Passé","valid_from":"2001-01-01","valid_to":"2002-01-01"}],
	"variants":[{"sku":"A250","names":{"fr":"250 ml"},"unit":"bottle","weight_g":480,"price":{"amount":"135.00","currency":"MAD"},"on_hand":5},
		{"sku":"A500","names":{"fr":"500 ml"},"unit":"bottle","weight_g":860,"price":{"amount":"255.00","currency":"MAD"},"on_hand":0}]}`

// offer makes a published offer of ours.
func (m *market) offer() catalog.View {
	m.Helper()
	var v catalog.View
	m.json(ourKey, "POST", "/v1/offers", create).as(http.StatusCreated, &v)
	m.json(ourKey, "POST", "/v1/offers/"+v.ID+"/publish", "").as(http.StatusOK, &v)
	m.verify()
	return v
}

// verify has the operator vouch for all labels that are claimed and not over.
func (m *market) verify() {
	m.Helper()
	ctx := as(m.T, operatorKey)
	claims, err := m.s.ListLabels(ctx, catalog.LabelsInput{State: "claimed", Paging: rest.Paging{Limit: 100}})
	if err != nil {
		m.Fatal(err)
	}
	for _, l := range claims.Data {
		if l.ValidTo != nil && *l.ValidTo < "2026" {
			continue
		}
		if _, err := m.s.VerifyLabel(ctx, catalog.VerifyInput{Label: l.ID, Evidence: "Seen in the register."}); err != nil {
			m.Fatal(err)
		}
	}
}

// stocked makes a published offer with one variant for each number in stock,
// and gives the variants' ids.
func (m *market) stocked(numbers ...int) []string {
	m.Helper()
	in := catalog.CreateInput{Category: "dates", Names: map[string]string{"fr": "Dattes"}, Commune: "Erfoud"}
	for i, n := range numbers {
		in.Variants = append(in.Variants, catalog.VariantInput{SKU: fmt.Sprintf("D%d", i), Price: dirhams("90.00"), OnHand: n})
	}
	v, err := m.s.Create(as(m.T, ourKey), in)
	if err != nil {
		m.Fatal(err)
	}
	if _, err := m.s.Publish(as(m.T, ourKey), catalog.OfferInput{Offer: v.ID}); err != nil {
		m.Fatal(err)
	}
	var ids []string
	for _, x := range v.Variants {
		ids = append(ids, x.ID)
	}
	slices.SortFunc(ids, func(a, b string) int { return strings.Compare(a, b) })
	return ids
}

// left says how many of each variant a buyer can have.
func (m *market) left(variants ...string) []int {
	m.Helper()
	items, err := m.s.Items(m.Context(), m.db, variants)
	if err != nil {
		m.Fatal(err)
	}
	out := make([]int, len(variants))
	for i, v := range variants {
		out[i] = items[v].Available
	}
	return out
}

// tx runs one step in a unit of work of its own.
func (m *market) tx(step func(tx *pg.Tx) error) error {
	return m.db.InTx(m.Context(), step)
}

func (m *market) reserve(order string, lines ...catalog.Line) error {
	return m.tx(func(tx *pg.Tx) error {
		return m.s.Reserve(m.Context(), tx, map[string][]catalog.Line{order: lines})
	})
}

func (m *market) take(order string) error {
	return m.tx(func(tx *pg.Tx) error { return m.s.Take(m.Context(), tx, order) })
}

func (m *market) unreserve(order string) error {
	return m.tx(func(tx *pg.Tx) error { return m.s.Unreserve(m.Context(), tx, order) })
}

// whole checks what must hold of all stock at any time: what variants say is
// reserved is what orders hold, and their history adds up to what is there.
func (m *market) whole() {
	m.Helper()
	n, err := pg.Value[int](m.Context(), m.db, nil, `select count(*) from catalog.variant v
		where v.reserved <> (select coalesce(sum(quantity), 0) from catalog.reservation where variant = v.id and state = 'held')
			or v.on_hand <> (select coalesce(sum(delta), 0) from catalog.stock_move where variant = v.id)`)
	if err != nil || n != 0 {
		m.Errorf("%d variants do not add up (%v)", n, err)
	}
}

// list finds offers as a visitor.
func (m *market) list(query string) catalog.ListView {
	m.Helper()
	var v catalog.ListView
	m.json(auth.Key{}, "GET", "/v1/offers?"+query, "").as(http.StatusOK, &v)
	return v
}

func (m *market) imports(key auth.Key, query, file string) catalog.Report {
	m.Helper()
	var r catalog.Report
	m.call(key, "POST", "/v1/imports"+query, "text/csv", file).as(http.StatusCreated, &r)
	return r
}

// verdicts are the report's as "row pointer".
func verdicts(r catalog.Report) []string {
	out := []string{}
	for _, v := range r.Rejected {
		out = append(out, fmt.Sprintf("%d %s", v.Row, v.Pointer))
	}
	return out
}

func keys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
