package enrolment_test

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

	"tiwiza/marketplace/enrolment"
	"tiwiza/marketplace/media"
	"tiwiza/marketplace/members"
	"tiwiza/payments/approvals"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/blob"
	"tiwiza/pkg/blob/disk"
	"tiwiza/pkg/event"
	"tiwiza/pkg/job"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
	"tiwiza/pkg/picture"
	"tiwiza/pkg/rest"
	"tiwiza/pkg/vault"
)

// hub is enrolment with members, files and approvals, behind the real edge and the
// real policies.
type hub struct {
	t          testing.TB
	url        string
	db         *pg.Store
	members    *members.Service
	timers     *job.Timers
	web        http.Handler
	boss, mate auth.Key
	third      auth.Key
}

func newHub(t testing.TB) *hub {
	t.Helper()
	h := &hub{t: t, url: pgtest.URL(t)}
	h.db = pgtest.Open(t, h.url, pg.Options{MaxConns: 8})
	pgtest.Queue(t, h.db, event.NewBus())
	policies, err := authz.New()
	must(t, err)
	h.members = members.New(h.db, policies)
	bucket, err := disk.Open(t.TempDir())
	must(t, err)
	t.Cleanup(func() { _ = bucket.Close() })
	files := media.New(h.db, blob.Over(bucket), picture.NewPress(picture.PressOptions{}))
	desk := approvals.New(h.db)
	h.members.Approve(desk)
	box, err := vault.New(bytes.Repeat([]byte{7}, vault.KeySize), "papers")
	must(t, err)
	s := enrolment.New(h.db, enrolment.Needs{Members: h.members, Files: files, Approvals: desk, Vault: box})
	h.members.GuardedBy(s)
	h.timers = job.NewTimers(h.db)
	s.Work(h.timers)
	mux := http.NewServeMux()
	rest.Mount(mux, slices.Concat(members.Routes(h.members), media.Routes(files), enrolment.Routes(s), approvals.Routes(desk)), rest.Edge{
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

// requirements are what the tests ask of cooperatives.
func requirements() []fields {
	name := func(fr string) map[string]string { return map[string]string{"fr": fr, "ar": "وثيقة"} }
	return []fields{
		{"code": "statutes", "type": "document", "names": name("Statuts")},
		{"code": "insurance", "type": "document", "names": name("Assurance"), "expires": true},
		{"code": "president_cin", "type": "field", "rule": "cin", "names": name("CIN de la présidente")},
		{"code": "visit", "type": "visit", "names": name("Visite du local"), "second": true},
		{"code": "training", "type": "training", "names": name("Formation"), "optional": true},
	}
}

// publish says what cooperatives show.
func (h *hub) publish() {
	h.t.Helper()
	h.want(201, nil, h.boss, "POST", "/v1/requirement-sets", fields{"kind": "beneficiary_coop", "requirements": requirements()})
}

// coop writes down a cooperative and gives it a key.
func (h *hub) coop() (org string, key auth.Key) {
	h.t.Helper()
	var o struct{ ID string }
	h.want(201, &o, h.boss, "POST", "/v1/organisations", fields{"kind": "beneficiary_coop", "names": fields{"fr": "Coopérative (exemple)"}, "region": "MA-09", "commune": "Taroudant"})
	var k struct {
		APIKey string `json:"api_key"`
	}
	h.want(201, &k, h.boss, "POST", "/v1/organisations/"+o.ID+"/api-keys", fields{"label": "test"})
	key, err := auth.ParseKey(k.APIKey)
	must(h.t, err)
	return o.ID, key
}

// file uploads a proof.
func (h *hub) file(key auth.Key, text string) string {
	h.t.Helper()
	var f struct{ ID string }
	h.want(201, &f, key, "POST", "/v1/files?kind=proof", []byte("%PDF-1.4\n% "+text+"\n%%EOF\n"))
	return f.ID
}

// hands hands a paper in.
func (h *hub) hands(key auth.Key, org string, body fields) (v enrolment.PaperView) {
	h.t.Helper()
	h.want(201, &v, key, "POST", "/v1/organisations/"+org+"/papers", body)
	return v
}

// accepts accepts a paper, with a second person if it takes one.
func (h *hub) accepts(p enrolment.PaperView) {
	h.t.Helper()
	var v enrolment.PaperView
	h.want(200, &v, h.mate, "POST", "/v1/papers/"+p.ID+"/accept", nil)
	if v.Approval != "" {
		h.want(200, nil, h.third, "POST", "/v1/approvals/"+v.Approval, fields{"decision": "approve"})
	}
}

// complete hands in and has accepted all that a cooperative must show; the
// insurance ends on a day.
func (h *hub) complete(org string, key auth.Key, last string) {
	h.t.Helper()
	h.accepts(h.hands(key, org, fields{"requirement": "statutes", "file": h.file(key, "statuts "+org)}))
	h.accepts(h.hands(key, org, fields{"requirement": "insurance", "file": h.file(key, "assurance "+org), "last_day": last}))
	h.accepts(h.hands(key, org, fields{"requirement": "president_cin", "value": "jb 123456"}))
	h.accepts(h.hands(h.boss, org, fields{"requirement": "visit", "value": "Local propre, trois salles."}))
}

func (h *hub) shown(org string) (v enrolment.EnrolmentView) {
	h.t.Helper()
	h.want(200, &v, h.boss, "GET", "/v1/organisations/"+org+"/enrolment", nil)
	return v
}
