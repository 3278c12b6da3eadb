package members_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"tiwiza/marketplace/members"
	"tiwiza/payments/approvals"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/event"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
	"tiwiza/pkg/rest"
)

// hub is members alone, on a database of its own, behind the real edge and the
// real policies.
type hub struct {
	t       testing.TB
	db      *pg.Store
	members *members.Service
	web     http.Handler
	boss    auth.Key
	mate    auth.Key // another of the operator's people
	house   string   // the operator's organisation
	url     string   // of the database
	orgs    int      // how many it wrote down
}

func newHub(t testing.TB) *hub {
	t.Helper()
	policies, err := authz.New()
	must(t, err)
	h := &hub{t: t, url: pgtest.URL(t)}
	h.open(policies)
	h.tx(func(tx *pg.Tx) error {
		o, err := h.members.Found(t.Context(), tx, members.Enrolment{Kind: members.Operator, Names: members.Texts{"fr": "Opérateur (exemple)"}, Region: "MA-04", Commune: "Rabat"})
		if err != nil {
			return err
		}
		h.house = o.ID
		if h.boss, err = h.members.CreateKey(t.Context(), tx, "per_boss", auth.Operator, "test"); err != nil {
			return err
		}
		h.mate, err = h.members.CreateKey(t.Context(), tx, "per_mate", auth.Operator, "test")
		return err
	})
	return h
}

// another is a second hub on the same database.
func (h *hub) another() *hub {
	h.t.Helper()
	policies, err := authz.New()
	must(h.t, err)
	two := *h
	two.open(policies)
	return &two
}

// open serves the database.
func (h *hub) open(policies *authz.Policies) {
	h.db = pgtest.Open(h.t, h.url, pg.Options{MaxConns: 8})
	h.db.Use(nil, event.NewBus())
	var err error
	h.members, err = members.New(h.db, policies).SendBy(members.NewInbox(h.db)).At("http://127.0.0.1:8080")
	must(h.t, err)
	desk := approvals.New(h.db)
	h.members.Approve(desk)
	mux := http.NewServeMux()
	rest.Mount(mux, slices.Concat(members.Routes(h.members), members.PeopleRoutes(h.members), members.MembershipRoutes(h.members), members.PasskeyRoutes(h.members), members.NewInbox(h.db).Routes(), approvals.Routes(desk)), rest.Edge{
		Store: h.db, Authenticate: h.members.Authenticate, Log: slog.New(slog.DiscardHandler),
		Limits: rest.Limits{Principal: -1, Address: -1, Refused: -1},
		May: func(_ context.Context, p auth.Principal, action string) (string, error) {
			return policies.May(p, action, authz.Resource{})
		},
	})
	h.web = mux
}

func (h *hub) tx(f func(tx *pg.Tx) error) {
	h.t.Helper()
	must(h.t, h.db.InTx(h.t.Context(), f))
}

func (h *hub) ask(key, method, path, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(h.t.Context(), method, path, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if key != "" {
		r.Header.Set("Authorization", "Bearer "+key)
	}
	if strings.HasPrefix(path, "/v1/approvals/") {
		r.Header.Set("Idempotency-Key", rand.Text())
	}
	w := httptest.NewRecorder()
	h.web.ServeHTTP(w, r)
	return w
}

func (h *hub) want(status int, out any, key, method, path, body string) {
	h.t.Helper()
	w := h.ask(key, method, path, body)
	if w.Code != status {
		h.t.Fatalf("%s %s: %d %s, want %d", method, path, w.Code, w.Body, status)
	}
	if out != nil {
		must(h.t, json.Unmarshal(w.Body.Bytes(), out))
	}
}

func (h *hub) refused(status int, code, pointer, key, method, path, body string) {
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

const goodOrg = `{"kind":"beneficiary_coop","names":{"fr":"Coopérative (exemple)","ar":"تعاونية (مثال)"},"legal":{"ice":"000000000000097"},"region":"MA-09","commune":"تارودانت"}`

// nextOrg is goodOrg with an ICE of its own: one is one member's.
func (h *hub) nextOrg() string {
	h.orgs++
	return strings.Replace(goodOrg, "000000000000097", fmt.Sprintf("%015d", 97*h.orgs), 1)
}

// org enrols a cooperative and gives it a key.
func (h *hub) org() (id, key string) {
	h.t.Helper()
	var o members.View
	var k struct {
		APIKey string `json:"api_key"`
	}
	h.want(201, &o, h.boss.String(), "POST", "/v1/organisations", h.nextOrg())
	h.want(201, &k, h.boss.String(), "POST", "/v1/organisations/"+o.ID+"/api-keys", `{"label":"test"}`)
	return o.ID, k.APIKey
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
