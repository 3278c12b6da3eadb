package charter_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"tiwiza/marketplace/charter"
	"tiwiza/marketplace/media"
	"tiwiza/marketplace/members"
	"tiwiza/payments/approvals"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/blob"
	"tiwiza/pkg/blob/disk"
	"tiwiza/pkg/clock"
	"tiwiza/pkg/event"
	"tiwiza/pkg/job"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
	"tiwiza/pkg/picture"
	"tiwiza/pkg/rest"
)

// hub is the charter with members, files and approvals, behind the real edge and the
// real policies.
type hub struct {
	t          testing.TB
	url        string
	files      blob.Driver
	db         *pg.Store
	members    *members.Service
	charter    *charter.Service
	timers     *job.Timers
	web        http.Handler
	boss, mate string
	people     int
}

func newHub(t testing.TB) *hub {
	t.Helper()
	bucket, err := disk.Open(t.TempDir())
	must(t, err)
	t.Cleanup(func() { _ = bucket.Close() })
	h := &hub{t: t, url: pgtest.URL(t), files: bucket}
	h.open()
	h.tx(func(tx *pg.Tx) error {
		for _, k := range []struct {
			to   *string
			name string
		}{{&h.boss, "per_boss"}, {&h.mate, "per_mate"}} {
			key, err := h.members.CreateKey(t.Context(), tx, k.name, auth.Operator, "test")
			if err != nil {
				return err
			}
			*k.to = key.String()
		}
		return nil
	})
	return h
}

// another is a second hub on the same database.
func (h *hub) another() *hub {
	two := *h
	two.open()
	return &two
}

func (h *hub) open() {
	h.t.Helper()
	h.db = pgtest.Open(h.t, h.url, pg.Options{MaxConns: 8})
	pgtest.Queue(h.t, h.db, event.NewBus())
	policies, err := authz.New()
	must(h.t, err)
	h.members, err = members.New(h.db, policies).SendBy(members.NewInbox(h.db)).At("http://127.0.0.1:8080")
	must(h.t, err)
	files := media.New(h.db, blob.Over(h.files), picture.NewPress(picture.PressOptions{}))
	desk := approvals.New(h.db)
	h.members.Approve(desk)
	h.charter = charter.New(h.db, charter.Needs{Members: h.members, Files: files, Approvals: desk, Rules: policies})
	policies.Bind(h.charter.Rule, h.charter.Refused)
	h.members.GuardedBy(h.charter)
	h.timers = job.NewTimers(h.db)
	h.charter.Work(h.timers)
	mux := http.NewServeMux()
	rest.Mount(mux, slices.Concat(
		members.Routes(h.members), members.PeopleRoutes(h.members), members.MembershipRoutes(h.members), members.PasskeyRoutes(h.members), members.NewInbox(h.db).Routes(),
		media.Routes(files), charter.Routes(h.charter), approvals.Routes(desk)), rest.Edge{
		Store: h.db, Authenticate: h.members.Authenticate, Log: slog.New(slog.DiscardHandler), Limits: rest.Limits{Principal: -1, Address: -1, Refused: -1},
		May: func(_ context.Context, p auth.Principal, action string) (string, error) {
			return policies.May(p, action, authz.Resource{})
		},
	})
	h.web = mux
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

func (h *hub) count(sql string, args ...any) (n int) {
	h.t.Helper()
	n, err := pg.Value[int](h.t.Context(), h.db, nil, sql, args...)
	must(h.t, err)
	return n
}

type fields = map[string]any

func (h *hub) ask(key, method, path string, body any) *httptest.ResponseRecorder {
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
	if key != "" {
		r.Header.Set("Authorization", "Bearer "+key)
	}
	r.Header.Set("Idempotency-Key", rand.Text())
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

// refused wants an error, somewhere in whose body stands a word.
func (h *hub) refused(status int, code, word, key, method, path string, body any) {
	h.t.Helper()
	w := h.ask(key, method, path, body)
	if w.Code != status || !strings.Contains(w.Body.String(), `"`+code+`"`) || !strings.Contains(w.Body.String(), word) {
		h.t.Errorf("%s %s: %d %s, want %d %s with %q", method, path, w.Code, w.Body, status, code, word)
	}
}

// day is a day so many days from now, in Morocco.
func (h *hub) day(later int) string {
	h.t.Helper()
	now, err := clock.Now(h.t.Context(), h.db)
	must(h.t, err)
	return now.In(clock.Morocco).AddDate(0, 0, later).Format(time.DateOnly)
}

func (h *hub) later(by time.Duration) {
	h.t.Helper()
	h.tx(func(tx *pg.Tx) error { _, err := clock.Advance(h.t.Context(), tx, by); return err })
}

// due fires what is due.
func (h *hub) due() {
	h.t.Helper()
	_, err := h.timers.Due(h.t.Context())
	must(h.t, err)
}

// text is a charter that holds from today on and is signed within so many days.
func (h *hub) text(days int, policy string) fields {
	return fields{
		"since": h.day(0), "last_day": h.day(days), "policy": policy,
		"texts": fields{"fr": fields{"title": "Charte (exemple)", "body": "Nous vendons ce que nous faisons.\n\nNous payons chacune."}, "ar": fields{"title": "ميثاق (مثال)", "body": "نبيع ما نصنع."}},
	}
}

// publish has two people publish a charter.
func (h *hub) publish(content fields) (v charter.VersionView) {
	h.t.Helper()
	var d charter.DraftView
	h.want(201, &d, h.boss, "POST", "/v1/charter-drafts", content)
	h.want(200, &d, h.boss, "POST", "/v1/charter-drafts/"+d.ID+"/publish", nil)
	h.want(200, nil, h.mate, "POST", "/v1/approvals/"+d.Approval, fields{"decision": "approve"})
	var all struct{ Data []charter.VersionView }
	h.want(200, &all, "", "GET", "/v1/charters?limit=1", nil)
	return all.Data[0]
}

// org writes an organisation down, of a kind and in a region.
func (h *hub) org(kind, region, commune string) (org, key string) {
	h.t.Helper()
	var o struct{ ID string }
	h.want(201, &o, h.boss, "POST", "/v1/organisations", fields{"kind": kind, "names": fields{"fr": "Organisme (exemple)"}, "region": region, "commune": commune})
	var k struct {
		APIKey string `json:"api_key"`
	}
	h.want(201, &k, h.boss, "POST", "/v1/organisations/"+o.ID+"/api-keys", fields{"label": "test"})
	return o.ID, k.APIKey
}

func (h *hub) coop() (org, key string) {
	h.t.Helper()
	return h.org("beneficiary_coop", "MA-09", "Taroudant")
}

// member is a cooperative at work, and one of its people at its desk.
func (h *hub) member(role string) (org, token, phone string) {
	h.t.Helper()
	org, key := h.coop()
	h.want(200, nil, key, "POST", "/v1/organisations/"+org+"/submit", nil)
	h.want(200, nil, h.boss, "POST", "/v1/organisations/"+org+"/approve", nil)
	token, phone = h.sits(org, role)
	return org, token, phone
}

// sits has a new person work for an organisation and sit down there.
func (h *hub) sits(org, role string) (token, phone string) {
	h.t.Helper()
	h.people++
	phone = fmt.Sprintf("+2126000%05d", h.people)
	v := h.comes(phone)
	h.tx(func(tx *pg.Tx) error { return h.members.Join(h.t.Context(), tx, v.Person, org, role) })
	h.want(200, nil, v.Token, "PUT", "/v1/sessions/desk", fields{"organisation": org})
	return v.Token, phone
}

// comes signs somebody in.
func (h *hub) comes(phone string) (v members.SignedIn) {
	h.t.Helper()
	var asked struct{ Handle string }
	h.want(202, &asked, "", "POST", "/v1/sign-in/codes", fields{"phone": phone})
	h.want(201, &v, "", "POST", "/v1/sign-in/sessions", fields{"phone": phone, "handle": asked.Handle, "code": h.told(phone)})
	return v
}

// back has somebody sign in again at its desk.
func (h *hub) back(org, phone string) (token string) {
	h.t.Helper()
	v := h.comes(phone)
	h.want(200, nil, v.Token, "PUT", "/v1/sessions/desk", fields{"organisation": org})
	return v.Token
}

// told is the code in the last message to a phone.
func (h *hub) told(phone string) string {
	h.t.Helper()
	var box struct{ Data []members.MessageView }
	h.want(200, &box, "", "GET", "/v1/demo/inbox?limit=1&address="+url.QueryEscape(phone), nil)
	return box.Data[0].Params["code"]
}

// hand is what somebody sends who signs with its code.
func (h *hub) hand(org, token, phone string, v charter.VersionView) fields {
	h.t.Helper()
	var asked struct{ Handle string }
	h.want(202, &asked, token, "POST", "/v1/organisations/"+org+"/charter/codes", fields{"version": v.Version, "sha256": v.SHA256})
	return fields{"version": v.Version, "sha256": v.SHA256, "lang": "ar", "handle": asked.Handle, "code": h.told(phone)}
}

func (h *hub) signs(org, token, phone string, v charter.VersionView) (out charter.SignatureView) {
	h.t.Helper()
	h.want(200, &out, token, "POST", "/v1/organisations/"+org+"/sign-charter", h.hand(org, token, phone, v))
	return out
}

func (h *hub) shown(org string) (o members.View) {
	h.t.Helper()
	h.want(200, &o, h.boss, "GET", "/v1/organisations/"+org, nil)
	return o
}

func (h *hub) stands(org string) (v charter.MineView) {
	h.t.Helper()
	h.want(200, &v, h.boss, "GET", "/v1/organisations/"+org+"/charter", nil)
	return v
}

// voice is a recording: frames of layer III, MPEG 1, 64 kbit/s, 44.1 kHz.
var voice = bytes.Repeat([]byte("\xff\xfb\x50\x00"+strings.Repeat("\x55", 204)), 40)
