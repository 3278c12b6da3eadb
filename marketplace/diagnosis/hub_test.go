package diagnosis_test

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

	"tiwiza/marketplace/diagnosis"
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
	"tiwiza/pkg/id"
	"tiwiza/pkg/job"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
	"tiwiza/pkg/picture"
	"tiwiza/pkg/rest"
)

// hub is diagnosis with members, dossiers and approvals, behind the real edge and the
// real policies.
type hub struct {
	t          testing.TB
	url        string
	db         *pg.Store
	members    *members.Service
	diagnosis  *diagnosis.Service
	timers     *job.Timers
	web        http.Handler
	boss, mate auth.Key
	people     map[string]auth.Principal // by key: who signed in
	sent       counter
}

func newHub(t testing.TB) *hub {
	t.Helper()
	h := &hub{t: t, url: pgtest.URL(t), people: map[string]auth.Principal{}}
	h.open()
	h.do(func(ctx context.Context, tx *pg.Tx) (err error) {
		if h.boss, err = h.members.CreateKey(ctx, tx, "per_boss", auth.Operator, "test"); err != nil {
			return err
		}
		h.mate, err = h.members.CreateKey(ctx, tx, "per_mate", auth.Operator, "test")
		return err
	})
	must(t, h.diagnosis.Arm(auth.With(t.Context(), auth.Hub)))
	return h
}

// beside is another hub on the same database.
func (h *hub) beside() *hub {
	h.t.Helper()
	second := &hub{t: h.t, url: h.url, people: h.people, boss: h.boss, mate: h.mate}
	second.open()
	return second
}

func (h *hub) open() {
	t := h.t
	t.Helper()
	h.db = pgtest.Open(t, h.url, pg.Options{MaxConns: 8, Tracer: &h.sent})
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
	shared := sharing.New(h.db, sharing.Needs{Members: h.members, Files: files, Approvals: desk})
	h.diagnosis = diagnosis.New(h.db, diagnosis.Needs{Members: h.members, Dossiers: shared, Approvals: desk})
	h.timers = job.NewTimers(h.db)
	shared.Work(h.timers)
	h.diagnosis.Work(h.timers)
	mux := http.NewServeMux()
	rest.Mount(mux, slices.Concat(members.Routes(h.members), sharing.Routes(shared), approvals.Routes(desk), diagnosis.Routes(h.diagnosis)), rest.Edge{
		Store: h.db, Log: slog.New(slog.DiscardHandler), Limits: rest.Limits{Principal: -1, Address: -1},
		Authenticate: func(ctx context.Context, k auth.Key) (auth.Principal, error) {
			if p, ok := h.people[k.ID]; ok {
				return p, nil
			}
			return h.members.Authenticate(ctx, k)
		},
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

type fields = map[string]any

func (h *hub) do(f func(ctx context.Context, tx *pg.Tx) error) {
	h.t.Helper()
	ctx := auth.With(h.t.Context(), auth.Hub)
	must(h.t, h.db.InTx(ctx, func(tx *pg.Tx) error { return f(ctx, tx) }))
}

func (h *hub) ask(key auth.Key, method, path string, body any) *httptest.ResponseRecorder {
	h.t.Helper()
	var b []byte
	if body != nil {
		var err error
		b, err = json.Marshal(body)
		must(h.t, err)
	}
	r := httptest.NewRequestWithContext(h.t.Context(), method, path, bytes.NewReader(b))
	r.Header.Set("Content-Type", "application/json")
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

// member founds an organisation in a region and gives it a key.
func (h *hub) member(kind members.Kind, name, region string) (org string, key auth.Key) {
	h.t.Helper()
	h.do(func(ctx context.Context, tx *pg.Tx) error {
		o, err := h.members.Found(ctx, tx, members.Enrolment{Kind: kind, Names: members.Texts{"fr": name + " (exemple)"}, Region: region, Commune: map[string]string{"MA-09": "Taroudant", "MA-06": "Casablanca"}[region]})
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

// person is somebody who signed in at a member's desk, or who acts there for one of its
// people.
func (h *hub) person(org, name, acts string, rights auth.Rights) auth.Key {
	k := auth.NewKey()
	h.people[k.ID] = auth.Principal{
		Key: id.New(id.Session), Subject: org, Role: auth.Seller, Human: name, For: acts,
		Proof: auth.Proof{Session: true, SteppedUp: true, Desk: true, Agent: acts != "", Rights: rights},
	}
	return k
}

const runs = "/v1/diagnostics"

// begins begins a run of the questionnaire that comes with the hub.
func (h *hub) begins(key auth.Key) (v diagnosis.RunView) {
	h.t.Helper()
	h.want(201, &v, key, "POST", runs, fields{"questionnaire": "numerique"})
	return v
}

// answers saves one answer.
func (h *hub) answers(key auth.Key, run, question string, answer any) (v diagnosis.RunView) {
	h.t.Helper()
	h.want(200, &v, key, "PUT", runs+"/"+run+"/answers/"+question, answer)
	return v
}

func (h *hub) shows(key auth.Key, run string) (v diagnosis.RunView) {
	h.t.Helper()
	h.want(200, &v, key, "GET", runs+"/"+run, nil)
	return v
}

// given are answers to all questions that come with the hub: the best, or the worst.
func given(q diagnosis.Questionnaire, best bool) map[string]fields {
	out := map[string]fields{}
	for _, d := range q.Dimensions {
		for _, r := range d.Questions {
			switch r.Type {
			case diagnosis.YesNo:
				good := r.Good == "yes"
				out[r.Code] = fields{"choice": map[bool]string{true: "yes", false: "no"}[good == best]}
			case diagnosis.Number:
				pick := r.Bands[0]
				for _, b := range r.Bands {
					if best && b.Points > pick.Points || !best && b.Points < pick.Points {
						pick = b
					}
				}
				out[r.Code] = fields{"number": pick.From}
			case diagnosis.Several:
				all := []string{}
				for _, c := range r.Choices {
					if best {
						all = append(all, c.Code)
					}
				}
				out[r.Code] = fields{"choices": all}
			default:
				pick := r.Choices[0]
				for _, c := range r.Choices {
					if best && c.Points > pick.Points || !best && c.Points < pick.Points {
						pick = c
					}
				}
				out[r.Code] = fields{"choice": pick.Code}
			}
		}
	}
	return out
}

// fills answers all that is asked, with some answers in the place of the best or worst.
func (h *hub) fills(key auth.Key, run string, best bool, other map[string]fields) {
	h.t.Helper()
	all := given(shipped(h.t), best)
	for range 100 {
		var open []string
		for _, q := range h.shows(key, run).Questions {
			if !q.Answered && !q.Waiting {
				open = append(open, q.Code)
			}
		}
		if len(open) == 0 {
			return
		}
		for _, code := range open {
			a := all[code]
			if x, ok := other[code]; ok {
				a = x
			}
			h.answers(key, run, code, a)
		}
	}
	h.t.Fatal("the questions never end")
}

// finished is a run that was answered and finished.
func (h *hub) finished(key auth.Key, best bool, other map[string]fields) (v diagnosis.RunView) {
	h.t.Helper()
	run := h.begins(key).ID
	h.fills(key, run, best, other)
	h.want(200, &v, key, "POST", runs+"/"+run+"/finish", nil)
	return v
}

func shipped(t testing.TB) diagnosis.Questionnaire {
	t.Helper()
	all, err := diagnosis.Shipped()
	must(t, err)
	return all[0]
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

// told counts the events of a type in whose data a text stands.
func (h *hub) told(typ, text string) int {
	h.t.Helper()
	n, err := pg.Value[int](h.t.Context(), h.db, nil, `select count(*)::int from platform.event where type = $1 and payload::text like '%' || $2 || '%'`, typ, text)
	must(h.t, err)
	return n
}
