package finance_test

import (
	"bytes"
	"context"
	"crypto/rand"
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

	"tiwiza/adapters/bank"
	"tiwiza/marketplace/finance"
	"tiwiza/marketplace/media"
	"tiwiza/marketplace/members"
	"tiwiza/marketplace/sharing"
	"tiwiza/payments/approvals"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/blob"
	"tiwiza/pkg/blob/disk"
	"tiwiza/pkg/clock"
	"tiwiza/pkg/event"
	"tiwiza/pkg/job"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
	"tiwiza/pkg/picture"
	"tiwiza/pkg/rest"
)

// hub is finance with members, sharing and what that needs, behind the real edge
// and the real policies.
type hub struct {
	t          testing.TB
	url        string
	db         *pg.Store
	members    *members.Service
	finance    *finance.Service
	bus        *event.Bus
	system     *system
	timers     *job.Timers
	web        http.Handler
	boss, mate auth.Key
	third      auth.Key
}

func newHub(t testing.TB) *hub {
	t.Helper()
	h := &hub{t: t, url: pgtest.URL(t)}
	h.db = pgtest.Open(t, h.url, pg.Options{MaxConns: 8})
	h.bus = event.NewBus()
	pgtest.Queue(t, h.db, h.bus)
	policies, err := authz.New()
	must(t, err)
	h.members = members.New(h.db, policies)
	bucket, err := disk.Open(t.TempDir())
	must(t, err)
	t.Cleanup(func() { _ = bucket.Close() })
	files := media.New(h.db, blob.Over(bucket), picture.NewPress(picture.PressOptions{}))
	desk := approvals.New(h.db)
	h.members.Approve(desk)
	s := sharing.New(h.db, sharing.Needs{Members: h.members, Files: files, Approvals: desk})
	h.timers = job.NewTimers(h.db)
	s.Work(h.timers)
	h.system = &system{has: map[string]*bank.Progress{}}
	h.finance = finance.New(h.db, finance.Needs{Members: h.members, Sharing: s, Banks: h.system})
	h.finance.Work(job.NewWorkers(), h.timers)
	finance.Subscribe(h.bus, h.finance)
	mux := http.NewServeMux()
	rest.Mount(mux, slices.Concat(members.Routes(h.members), media.Routes(files), sharing.Routes(s), finance.Routes(h.finance), approvals.Routes(desk)), rest.Edge{
		Store: h.db, Authenticate: h.members.Authenticate, Log: slog.New(slog.DiscardHandler), Limits: rest.Limits{Principal: -1, Address: -1},
		May: func(_ context.Context, p auth.Principal, action string) (string, error) {
			return policies.May(p, action, authz.Resource{})
		},
	})
	h.web = mux
	must(t, h.db.InTx(t.Context(), func(tx *pg.Tx) (err error) {
		for _, k := range []struct {
			to   *auth.Key
			name string
		}{{&h.boss, "per_boss"}, {&h.mate, "per_mate"}, {&h.third, "per_third"}} {
			if *k.to, err = h.members.CreateKey(t.Context(), tx, k.name, auth.Operator, "test"); err != nil {
				return err
			}
		}
		return nil
	}))
	return h
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (h *hub) ask(key auth.Key, method, path string, body any) *httptest.ResponseRecorder {
	h.t.Helper()
	var b []byte
	kind := "application/json"
	switch v := body.(type) {
	case nil:
	case []byte:
		b, kind = v, "application/octet-stream"
	default:
		var err error
		b, err = json.Marshal(v)
		must(h.t, err)
	}
	r := httptest.NewRequestWithContext(h.t.Context(), method, path, bytes.NewReader(b))
	r.Header.Set("Content-Type", kind)
	r.Header.Set("Authorization", "Bearer "+key.String())
	r.Header.Set("Idempotency-Key", rand.Text())
	w := httptest.NewRecorder()
	h.web.ServeHTTP(w, r)
	return w
}

func (h *hub) want(status int, out any, key auth.Key, method, path string, body any) {
	h.t.Helper()
	w := h.ask(key, method, path, body)
	if w.Code != status {
		h.t.Fatalf("%s %s: %d %s, want %d", method, path, w.Code, w.Body, status)
	}
	if out != nil {
		must(h.t, json.Unmarshal(w.Body.Bytes(), out))
	}
}

// refused wants an error, somewhere in whose body stands a word.
func (h *hub) refused(status int, code, word string, key auth.Key, method, path string, body any) {
	h.t.Helper()
	w := h.ask(key, method, path, body)
	if w.Code != status || !strings.Contains(w.Body.String(), `"`+code+`"`) || !strings.Contains(w.Body.String(), word) {
		h.t.Errorf("%s %s: %d %s, want %d %s with %q", method, path, w.Code, w.Body, status, code, word)
	}
}

type fields = map[string]any

// member founds an organisation and gives it a key.
func (h *hub) member(kind members.Kind, name string) (org string, key auth.Key) {
	h.t.Helper()
	must(h.t, h.db.InTx(h.t.Context(), func(tx *pg.Tx) error {
		o, err := h.members.Found(h.t.Context(), tx, members.Enrolment{Kind: kind, Names: members.Texts{"fr": name}, Region: "MA-09", Commune: "Taroudant"})
		if err != nil {
			return err
		}
		role, _ := kind.Role()
		org = o.ID
		key, err = h.members.CreateKey(h.t.Context(), tx, o.ID, role, "test")
		return err
	}))
	return org, key
}

// puts puts a form into a dossier.
func (h *hub) puts(key auth.Key, org, section, title string) (item string) {
	h.t.Helper()
	var v sharing.ItemView
	h.want(201, &v, key, "POST", "/v1/organisations/"+org+"/dossier", fields{"section": section, "title": title, "form": fields{"chiffre": 12}})
	return v.ID
}

const (
	products     = "/v1/finance/products"
	applications = "/v1/finance/applications"
	rib          = "001810007800020110620318"
)

func dh(amount string) fields { return fields{"amount": amount, "currency": "MAD"} }

func said(text string) fields { return fields{"fr": text, "ar": text, "en": text} }

// loan is what a bank says of one.
func loan() fields {
	return fields{
		"kind": "loan", "names": said("Crédit (exemple)"), "terms": said("Remboursé chaque mois."), "sections": []string{"identity", "financial"},
		"least": dh("5000.00"), "most": dh("100000.00"), "shortest": 6, "longest": 60, "rate": "6.5",
	}
}

func account() fields {
	return fields{"kind": "account", "names": said("Compte (exemple)"), "terms": said("Sans frais la première année."), "sections": []string{"identity"}}
}

// product has a bank publish one.
func (h *hub) product(bank auth.Key, of fields) string {
	h.t.Helper()
	var v finance.EditionView
	h.want(201, &v, bank, "POST", products, of)
	h.want(200, nil, bank, "POST", products+"/"+v.Product+"/submit", nil)
	h.want(200, nil, h.boss, "POST", products+"/"+v.Product+"/publish", fields{"version": 1})
	return v.Product
}

// applies has a member hand in an application.
func (h *hub) applies(member auth.Key, product string, kind finance.ProductKind) (v finance.ApplicationView) {
	h.t.Helper()
	v = h.drafts(member, product, kind)
	h.want(200, &v, member, "POST", applications+"/"+v.ID+"/submit", fields{"digest": v.Agree.Digest})
	return v
}

func (h *hub) drafts(member auth.Key, product string, kind finance.ProductKind) (v finance.ApplicationView) {
	h.t.Helper()
	in := fields{"product": product, "sections": []string{"identity", "financial"}, "days": 90, "purpose": "Un métier à tisser."}
	if kind == finance.Loan {
		in["amount"], in["months"] = dh("20000.00"), 24
	}
	h.want(201, &v, member, "POST", applications, in)
	return v
}

func (h *hub) offering() fields {
	return fields{"amount": dh("20000.00"), "rate": "7.25", "months": 24, "fees": dh("150.00"), "terms": "Première mensualité en janvier.", "valid_until": h.in(72 * time.Hour)}
}

func (h *hub) in(d time.Duration) string {
	h.t.Helper()
	now, err := clock.Now(h.t.Context(), h.db)
	must(h.t, err)
	return now.Add(d).UTC().Format(time.RFC3339)
}

func (h *hub) does(key auth.Key, application, move string, body any) (v finance.ApplicationView) {
	h.t.Helper()
	h.want(200, &v, key, "POST", applications+"/"+application+"/"+move, body)
	return v
}

func (h *hub) seen(key auth.Key, application string) (v finance.ApplicationView) {
	h.t.Helper()
	h.want(200, &v, key, "GET", applications+"/"+application, nil)
	return v
}

// advance moves the hub's time and fires what is due.
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

// deliver has finance hear of consents.
func (h *hub) deliver() {
	h.t.Helper()
	type said struct{ ID, Type string }
	all, err := pg.All[said](h.t.Context(), h.db, `select id, type from platform.event where type = 'sharing.consent_moved' order by seq`)
	must(h.t, err)
	for _, e := range all {
		must(h.t, h.bus.Deliver(auth.With(h.t.Context(), auth.Hub), h.db, event.Delivery{Event: e.ID, Type: e.Type, Subscriber: "finance"}))
	}
}

// A system is a bank's own, which keeps its truth and can be told to lose answers.
type system struct {
	mu      sync.Mutex
	has     map[string]*bank.Progress
	told    []string
	applied int
	lose    int  // how many answers are lost after they were heard
	deaf    int  // how many calls do not arrive, and are not known to
	gone    bool // nothing can be sent
	refuses string
}

func (s *system) Applicants(_ context.Context, _ pg.DB, partner string) (bank.Applicants, error) {
	if partner != "banque-exemple" {
		return nil, fmt.Errorf("there is no partner %s", partner)
	}
	return s, nil
}

func (s *system) reach() (r outbound.Result, heard bool) {
	switch {
	case s.gone:
		return outbound.Result{Outcome: outbound.NotSent, Text: "no connection"}, false
	case s.deaf > 0:
		s.deaf--
		return outbound.Result{Outcome: outbound.Unknown, Text: "cut on the way"}, false
	}
	return r, true
}

func (s *system) answer(ok outbound.Outcome) outbound.Result {
	if s.lose > 0 {
		s.lose--
		return outbound.Result{Outcome: outbound.Unknown, Text: "the answer was lost"}
	}
	return outbound.Result{Outcome: ok}
}

func (s *system) Apply(_ context.Context, a bank.Application) outbound.Result {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r, ok := s.reach(); !ok {
		return r
	}
	if s.refuses != "" {
		return outbound.Result{Outcome: outbound.Declined, Text: s.refuses}
	}
	if s.has[a.Ref] == nil {
		s.applied++
		s.has[a.Ref] = &bank.Progress{Ref: a.Ref, State: "received", Seq: 1}
	}
	return s.answer(outbound.Accepted)
}

func (s *system) Progress(_ context.Context, ref string) (bank.Progress, outbound.Result) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r, ok := s.reach(); !ok {
		return bank.Progress{}, r
	}
	if s.has[ref] == nil {
		return bank.Progress{}, outbound.Result{Outcome: outbound.NotFound}
	}
	return *s.has[ref], outbound.Result{Outcome: outbound.Succeeded}
}

func (s *system) Tell(_ context.Context, ref string, a bank.Answer) outbound.Result {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r, ok := s.reach(); !ok {
		return r
	}
	p := s.has[ref]
	if !slices.Contains(p.Answers, a.N) {
		p.Answers = append(slices.Clone(p.Answers), a.N)
		p.Seq++
		s.told = append(s.told, a.Kind)
	}
	return s.answer(outbound.Accepted)
}

// says has the bank change where an application stands.
func (s *system) says(ref string, change func(p *bank.Progress)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := *s.has[ref]
	p.Seq++
	change(&p)
	s.has[ref] = &p
}
