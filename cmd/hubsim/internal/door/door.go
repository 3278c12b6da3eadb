// Package door is the connector's door of a stand-in partner that tells people
// something, or something of them: the manifest, the sign-in, the faults of the wire, and
// events.
package door

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"tiwiza/cmd/hubsim/internal/journal"
	"tiwiza/cmd/hubsim/internal/provider"
	"tiwiza/cmd/hubsim/internal/world"
)

// Secrets are what the connector and its client share, and what signs its events.
type Secrets struct {
	Token string
	Key   ed25519.PrivateKey
}

// A Door is open at Base. Make it before the journal is loaded.
type Door struct {
	Secrets
	Partner    string // whose faults it plays
	ID, Owner  string
	Capability string
	Features   []string
	EventsTo   string // where events go when nobody said otherwise

	world   *world.World
	events  *journal.Table[string]
	crowded atomic.Bool
}

// New makes a door of a partner for a protocol, whose tables have that name.
func New(w *world.World, partner, capability string) *Door {
	return &Door{Partner: partner, Capability: capability, world: w, events: journal.NewTable[string](w.Journal, capability+"_connector_events")}
}

// Base is where the connector is.
func (d *Door) Base() string { return "/connectors/" + d.Capability }

// A Call is what a client asks for: the path behind the protocol's.
type Call struct {
	Method string
	Path   []string
	Body   []byte
	Key    string // Idempotency-Key
	Ref    string // ?ref=
}

// Said is an answer: a problem is one by its status. Lost ones are done and never come;
// Event is what is told besides.
type Said struct {
	Status int
	Body   any
	Lost   bool
	Event  string
}

// Problem is an answer of the protocol's errors.
func Problem(status int, code, detail string) Said {
	return Said{Status: status, Body: map[string]any{"type": "about:blank", "title": http.StatusText(status), "status": status, "code": code, "detail": detail}}
}

// OK is an answer.
func OK(v any) Said { return Said{Status: http.StatusOK, Body: v} }

// Read reads a body; an unreadable one is answered as malformed.
func Read[T any](c Call) (in T, wrong *Said) {
	if err := json.Unmarshal(c.Body, &in); err != nil {
		p := Problem(http.StatusBadRequest, "malformed", "This is no JSON of the protocol.")
		return in, &p
	}
	return in, nil
}

// Key is the public key of its events, as a manifest lists it.
func (d *Door) Key() string {
	return world.PublicKey(d.Secrets.Key)
}

// Routes opens the door: do answers what is the protocol's own, in a change of the
// journal.
func (d *Door) Routes(mux *http.ServeMux, do func(tx *journal.Tx, c Call) Said) {
	v1 := d.Base() + "/" + d.Capability + "/v1/"
	mux.HandleFunc("GET "+d.Base()+"/.well-known/hub-connector", d.manifest)
	mux.HandleFunc("POST "+d.Base()+"/events", d.postEvents)
	mux.HandleFunc(v1, func(rw http.ResponseWriter, r *http.Request) { d.serve(rw, r, strings.TrimPrefix(r.URL.Path, v1), do) })
}

func (d *Door) manifest(rw http.ResponseWriter, _ *http.Request) {
	world.Answer(rw, http.StatusOK, map[string]any{
		"id": d.ID, "owner": d.Owner, "capabilities": []any{map[string]any{"name": d.Capability, "version": "1", "features": d.Features}},
		"auth": []string{"bearer"}, "idempotency_retention": "720h", "rate_limit": map[string]int{"per_second": 200, "burst": 200},
		"webhook_keys": []string{d.Key()}, "sandbox": true,
	})
}

// postEvents says where events go.
func (d *Door) postEvents(rw http.ResponseWriter, r *http.Request) {
	var in struct {
		URL string `json:"url"`
	}
	if !world.Read(rw, r, &in) {
		return
	}
	err := d.world.Journal.Update(func(tx *journal.Tx) error {
		d.events.Put(tx, "url", provider.WebAddress(in.URL))
		return nil
	})
	if err != nil {
		world.Problem(rw, http.StatusInternalServerError, "sim.journal", err.Error())
		return
	}
	world.Answer(rw, http.StatusOK, in)
}

// Told is where events go.
func (d *Door) Told(tx *journal.Tx) string {
	if to, _ := d.events.Get(tx, "url"); to != "" {
		return to
	}
	return d.EventsTo
}

// faults are those of the wire that a door plays.
var faults = []string{"drop_request", "rate_limited", "execute_then_drop", "execute_then_500", "execute_then_garbage", "contradicts_itself", "slow_body"}

func (d *Door) serve(rw http.ResponseWriter, r *http.Request, path string, do func(tx *journal.Tx, c Call) Said) {
	if !provider.Same(r.Header.Get("Authorization"), "Bearer "+d.Token) {
		answer(rw, Problem(http.StatusUnauthorized, "unauthenticated", "Sign in with a valid token."), false)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(rw, r.Body, 1<<20))
	if err != nil {
		provider.Drop(rw) // half a request is none
		return
	}
	switch {
	case path == "sandbox/busy" && r.Method == http.MethodPost:
		d.crowded.Store(true)
		answer(rw, OK(struct{}{}), false)
		return
	case path == "ping":
		answer(rw, OK(struct{}{}), false)
		return
	}
	fault, err := d.world.TakeNow(d.Partner, faults...)
	switch {
	case err != nil:
		answer(rw, Problem(http.StatusInternalServerError, "internal", err.Error()), false)
		return
	case fault == "drop_request":
		provider.Drop(rw)
		return
	case fault == "rate_limited", d.crowded.Swap(false):
		rw.Header().Set("Retry-After", "2")
		answer(rw, Problem(http.StatusTooManyRequests, "rate_limited", "Too many at once."), false)
		return
	}
	var out Said
	var to string
	err = d.world.Journal.Update(func(tx *journal.Tx) error {
		out = do(tx, Call{r.Method, strings.Split(path, "/"), body, r.Header.Get("Idempotency-Key"), r.URL.Query().Get("ref")})
		to = d.Told(tx)
		return nil
	})
	switch {
	case err != nil, fault == "execute_then_500":
		out = Problem(http.StatusInternalServerError, "internal", "Something went wrong.")
	case fault == "execute_then_garbage":
		provider.Reply(rw, "application/json", http.StatusOK, []byte(`{"data":[{"id":`), false)
		return
	case fault == "contradicts_itself":
		out = Problem(http.StatusUnprocessableEntity, "refused", "Not taken.")
	}
	if out.Event != "" && to != "" {
		d.tell(r.Context(), to, out.Event)
	}
	if out.Lost || fault == "execute_then_drop" {
		provider.Drop(rw)
		return
	}
	answer(rw, out, fault == "slow_body")
}

func answer(rw http.ResponseWriter, out Said, slowly bool) {
	text, err := json.Marshal(out.Body)
	if err != nil {
		panic("door: " + err.Error()) // of our own making
	}
	kind := "application/json"
	if out.Status >= http.StatusBadRequest {
		kind = "application/problem+json"
	}
	provider.Reply(rw, kind, out.Status, text, slowly)
}

// Sign makes the request of an event, signed as the others'.
func (d *Door) Sign(ctx context.Context, to, id string, body []byte, spoilt bool) (*http.Request, error) {
	return world.Signed(ctx, to, d.Secrets.Key, id, body, spoilt)
}

// tell sends an event that names nobody, once: who misses it finds out by asking.
func (d *Door) tell(ctx context.Context, to, event string) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	body := fmt.Appendf(nil, `{"type":%q,"timestamp":%q,"data":{}}`, event, d.world.Now().UTC().Format(time.RFC3339))
	req, err := d.Sign(ctx, to, "msg_ex"+provider.Number(12), body, false)
	if err != nil {
		return
	}
	res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if err != nil {
		slog.Warn(d.Partner+": an event is not heard", "to", to, "err", err)
		return
	}
	_ = res.Body.Close()
}
