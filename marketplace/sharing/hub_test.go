package sharing_test

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
	"testing"

	"tiwiza/marketplace/media"
	"tiwiza/marketplace/members"
	"tiwiza/marketplace/sharing"
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
)

// hub is sharing with members, files and approvals, behind the real edge and the
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
	s := sharing.New(h.db, sharing.Needs{Members: h.members, Files: files, Approvals: desk})
	h.timers = job.NewTimers(h.db)
	s.Work(h.timers)
	mux := http.NewServeMux()
	rest.Mount(mux, slices.Concat(members.Routes(h.members), media.Routes(files), sharing.Routes(s), approvals.Routes(desk)), rest.Edge{
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

// decode reads an answer of a status.
func decode(w *httptest.ResponseRecorder, status int, out any) error {
	if w.Code != status {
		return fmt.Errorf("%d %s, want %d", w.Code, w.Body, status)
	}
	return json.Unmarshal(w.Body.Bytes(), out)
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

// file uploads a proof.
func (h *hub) file(key auth.Key, text string) string {
	h.t.Helper()
	var f struct{ ID string }
	h.want(201, &f, key, "POST", "/v1/files?kind=proof", []byte("%PDF-1.4\n% "+text+"\n%%EOF\n"))
	return f.ID
}

// puts puts a form into a dossier.
func (h *hub) puts(key auth.Key, org, section, title string, sensitive bool) (item string) {
	h.t.Helper()
	var v sharing.ItemView
	h.want(201, &v, key, "POST", "/v1/organisations/"+org+"/dossier", fields{"section": section, "title": title, "sensitive": sensitive, "form": fields{"chiffre": 12}})
	return v.ID
}

// gives lets somebody see sections of a dossier.
func (h *hub) gives(key auth.Key, grantee string, days int, sensitive bool, sections ...string) (v sharing.ConsentView) {
	h.t.Helper()
	h.want(201, &v, key, "POST", "/v1/consents", fields{"grantee": grantee, "purpose": "credit", "sections": sections, "days": days, "sensitive": sensitive})
	return v
}

// looks is what an owner reads of who looked, the newest first.
func (h *hub) looks(key auth.Key, org string) []sharing.LookView {
	h.t.Helper()
	var p struct{ Data []sharing.LookView }
	h.want(200, &p, key, "GET", "/v1/organisations/"+org+"/consultations?limit=100", nil)
	return p.Data
}
