package procedures_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"tiwiza/marketplace/catalog"
	"tiwiza/marketplace/enrolment"
	"tiwiza/marketplace/media"
	"tiwiza/marketplace/members"
	"tiwiza/marketplace/procedures"
	"tiwiza/payments/approvals"
	"tiwiza/payments/dues"
	"tiwiza/payments/escrow"
	"tiwiza/payments/invariants"
	"tiwiza/payments/ledger"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/blob"
	"tiwiza/pkg/blob/disk"
	"tiwiza/pkg/clock"
	"tiwiza/pkg/event"
	"tiwiza/pkg/id"
	"tiwiza/pkg/job"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
	"tiwiza/pkg/picture"
	"tiwiza/pkg/rest"
	"tiwiza/search/pgsearch"
)

// hub is procedures with all that they need, behind the real edge and the real
// policies.
type hub struct {
	t       testing.TB
	db      *pg.Store
	members *members.Service
	cases   *procedures.Service
	books   *ledger.Books
	escrow  *escrow.Service
	bus     *event.Bus
	timers  *job.Timers
	web     http.Handler
	boss    auth.Key
	people  map[string]auth.Principal // by key: whom it stands for, as if it had signed in
}

func newHub(t testing.TB) *hub {
	t.Helper()
	h := &hub{t: t, people: map[string]auth.Principal{}}
	h.db = pgtest.Open(t, pgtest.URL(t), pg.Options{MaxConns: 8})
	h.bus = event.NewBus()
	pgtest.Queue(t, h.db, h.bus)
	rules, err := authz.New()
	must(t, err)
	h.members = members.New(h.db, rules)
	bucket, err := disk.Open(t.TempDir())
	must(t, err)
	t.Cleanup(func() { _ = bucket.Close() })
	shelf := media.New(h.db, blob.Over(bucket), picture.NewPress(picture.PressOptions{}))
	desk := approvals.New(h.db)
	h.members.Approve(desk)
	enrol := enrolment.New(h.db, enrolment.Needs{Members: h.members, Files: shelf, Approvals: desk})
	h.books, h.timers = ledger.New(h.db), job.NewTimers(h.db)
	h.escrow = escrow.New(h.db, h.books, rules).TopUpFrom("bank")
	cat := catalog.New(h.db, pgsearch.Open(h.db, pgsearch.Options{}), h.members, shelf)
	catalog.Timers(h.timers, cat)
	h.cases = procedures.New(h.db, procedures.Needs{Members: h.members, Papers: enrol, Files: shelf, Dues: dues.New(h.books, h.escrow), Labels: cat, PublicURL: "https://hub.example"})
	h.cases.Work(h.timers)
	mux := http.NewServeMux()
	rest.Mount(mux, slices.Concat(members.Routes(h.members), media.Routes(shelf), enrolment.Routes(enrol), catalog.Routes(cat), procedures.Routes(h.cases)), rest.Edge{
		Store: h.db, Log: slog.New(slog.DiscardHandler), Limits: rest.Limits{Principal: -1, Address: -1},
		Authenticate: func(ctx context.Context, k auth.Key) (auth.Principal, error) {
			if p, ok := h.people[k.ID]; ok {
				return p, nil
			}
			return h.members.Authenticate(ctx, k)
		},
		May: func(_ context.Context, p auth.Principal, action string) (string, error) {
			return rules.May(p, action, authz.Resource{})
		},
	})
	h.web = mux
	h.do(func(ctx context.Context, tx *pg.Tx) (err error) {
		if h.boss, err = h.members.CreateKey(ctx, tx, "per_boss", auth.Operator, "test"); err != nil {
			return err
		}
		return h.books.Post(ctx, tx, ledger.Transfer{Key: "capital", Kind: "capital", Currency: money.MAD, Legs: []ledger.Leg{ledger.Debit("bank:bank:operating", 100_000_00), ledger.Credit("capital", 100_000_00)}})
	})
	return h
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

type fields = map[string]any

func (h *hub) do(f func(ctx context.Context, tx *pg.Tx) error) {
	h.t.Helper()
	ctx := auth.With(h.t.Context(), auth.Hub)
	must(h.t, h.db.InTx(ctx, func(tx *pg.Tx) error { return f(ctx, tx) }))
}

func (h *hub) ask(key auth.Key, method, path string, body any) *httptest.ResponseRecorder {
	h.t.Helper()
	var b []byte
	kind := "application/json"
	switch v := body.(type) {
	case nil:
	case []byte:
		b, kind = v, "application/pdf"
	default:
		var err error
		b, err = json.Marshal(v)
		must(h.t, err)
	}
	r := httptest.NewRequestWithContext(h.t.Context(), method, path, bytes.NewReader(b))
	r.Header.Set("Content-Type", kind)
	if key.ID != "" {
		r.Header.Set("Authorization", "Bearer "+key.String())
	}
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

// member founds an organisation and gives it a key.
func (h *hub) member(kind members.Kind, name string) (org string, key auth.Key) {
	h.t.Helper()
	h.do(func(ctx context.Context, tx *pg.Tx) error {
		o, err := h.members.Found(ctx, tx, members.Enrolment{Kind: kind, Names: members.Texts{"fr": name + " (exemple)", "ar": name + " (مثال)"}, Region: "MA-09", Commune: "Taroudant"})
		if err != nil {
			return err
		}
		role, _ := kind.Role()
		org = o.ID
		key, err = h.members.CreateKey(ctx, tx, o.ID, role, "test")
		return err
	})
	return org, key
}

// person is somebody who signed in with a passkey a moment ago at an organisation's
// desk, or acts there for a member.
func (h *hub) person(org string, role auth.Role, name, acts string) auth.Key {
	k := auth.NewKey()
	p := auth.Principal{Key: id.New(id.Session), Subject: org, Role: role, Human: name, For: acts, Proof: auth.Proof{Session: true, SteppedUp: true, Passkey: true, Desk: true, Rights: auth.Sell | auth.Money | auth.People}}
	if acts != "" {
		p.Proof.Agent, p.Proof.Passkey, p.Proof.Rights = true, false, auth.Sell|auth.Deliver
	}
	h.people[k.ID] = p
	return k
}

// earns releases settled money to a member.
func (h *hub) earns(org string, centimes int64) {
	h.t.Helper()
	order, charge := id.New(id.Order), id.New(id.Charge)
	h.do(func(ctx context.Context, tx *pg.Tx) error {
		_, err := h.escrow.Open(ctx, tx, escrow.Terms{Order: order, Seller: org, Buyer: "per_b", Charge: charge, Amount: money.Dirhams(centimes), Legs: escrow.Legs{Seller: centimes}})
		return err
	})
	h.do(func(ctx context.Context, tx *pg.Tx) error {
		if _, err := h.escrow.Fund(ctx, tx, charge, "bank:bank:safeguard"); err != nil {
			return err
		}
		_, err := h.escrow.ReleaseOrder(ctx, tx, order)
		return err
	})
}

// has is what stands in an organisation's balance, and what of it a payout could
// take.
func (h *hub) has(org string) (balance, payable int64) {
	h.t.Helper()
	h.do(func(ctx context.Context, tx *pg.Tx) error {
		free, err := h.books.Free(ctx, tx, money.MAD, ledger.Available(org))
		if err != nil {
			return err
		}
		balance = free[ledger.Available(org)]
		payable, err = h.escrow.Payable(ctx, tx, org, money.MAD)
		return err
	})
	return balance, payable
}

func said(text string) fields { return fields{"fr": text, "ar": text, "en": text} }

// definition is a small procedure, changed by the caller.
func definition(code string, change ...func(d fields)) fields {
	d := fields{
		"code": code, "kinds": []string{"beneficiary_coop"}, "names": said("Démarche " + code),
		"form":    fields{"type": "object", "additionalProperties": false, "required": []string{"trade"}, "properties": fields{"trade": fields{"type": "string", "minLength": 2}, "hands": fields{"type": "integer", "minimum": 1}}},
		"terms":   fields{"examine": fields{"days": 10, "working": true}, "answer": fields{"days": 15}, "hand_over": fields{"days": 2, "working": true}, "appeal": fields{"days": 30}, "remind": []int{3}},
		"steps":   []any{fields{"code": "decision", "actor": "institution", "names": said("Décision")}},
		"reasons": []any{fields{"code": "conditions", "for": "refuse", "names": said("Conditions")}, fields{"code": "untrue", "for": "revoke", "names": said("Faux")}},
	}
	for _, c := range change {
		c(d)
	}
	return d
}

func with(name string, value any) func(d fields) { return func(d fields) { d[name] = value } }

// publishes has an institution publish a procedure.
func (h *hub) publishes(key auth.Key, d fields) string {
	h.t.Helper()
	var v procedures.ProcedureView
	h.want(201, &v, key, "POST", "/v1/procedures", d)
	return v.ID
}

const all = "/v1/cases"

// begins drafts a case.
func (h *hub) begins(key auth.Key, procedure string) (v procedures.CaseView) {
	h.t.Helper()
	h.want(201, &v, key, "POST", all, fields{"procedure": procedure, "answers": fields{"trade": "tapis"}})
	return v
}

// does makes a move of a case.
func (h *hub) does(key auth.Key, c, move string, body any) (v procedures.CaseView) {
	h.t.Helper()
	h.want(200, &v, key, "POST", all+"/"+c+"/"+move, body)
	return v
}

func (h *hub) seen(key auth.Key, c string) (v procedures.CaseView) {
	h.t.Helper()
	h.want(200, &v, key, "GET", all+"/"+c, nil)
	return v
}

// submitted is a case that was handed in.
func (h *hub) submitted(key auth.Key, procedure string) procedures.CaseView {
	h.t.Helper()
	return h.does(key, h.begins(key, procedure).ID, "submit", nil)
}

// file uploads a proof.
func (h *hub) file(key auth.Key, text string) string {
	h.t.Helper()
	var f struct{ ID string }
	h.want(201, &f, key, "POST", "/v1/files?kind=proof", []byte("%PDF-1.4\n% "+text+"\n%%EOF\n"))
	return f.ID
}

func (h *hub) now() time.Time {
	h.t.Helper()
	at, err := clock.Now(h.t.Context(), h.db)
	must(h.t, err)
	return at
}

// advance moves the hub's time and fires what is due.
func (h *hub) advance(d time.Duration) {
	h.t.Helper()
	h.do(func(ctx context.Context, tx *pg.Tx) error {
		_, err := clock.Advance(ctx, tx, d)
		return err
	})
	_, err := h.timers.Due(auth.With(h.t.Context(), auth.Hub))
	must(h.t, err)
	late, err := pg.Column[string](h.t.Context(), h.db, `select kind || ': ' || error from platform.timer where tries > 0`)
	must(h.t, err)
	if len(late) > 0 {
		h.t.Errorf("timers failed: %q", late)
	}
}

// until moves the time to just after a moment.
func (h *hub) until(at time.Time) {
	h.t.Helper()
	h.advance(at.Sub(h.now()) + time.Second)
}

// told counts the events of a type in whose data a text stands.
func (h *hub) told(typ, text string) int {
	h.t.Helper()
	n, err := pg.Value[int](h.t.Context(), h.db, nil, `select count(*)::int from platform.event where type = $1 and payload::text like '%' || $2 || '%'`, typ, text)
	must(h.t, err)
	return n
}

// sound checks the books' promises.
func (h *hub) sound() {
	h.t.Helper()
	found, err := invariants.Check(auth.With(h.t.Context(), auth.Hub), h.db)
	must(h.t, err)
	for _, f := range found {
		if f.Count > 0 && !slices.Contains([]string{"R1", "I10", "I11"}, f.ID) {
			h.t.Errorf("%s: %d rows: %v", f.ID, f.Count, f.Rows)
		}
	}
}
