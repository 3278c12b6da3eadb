package insurer

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strings"
	"time"

	"tiwiza/cmd/hubsim/internal/journal"
	"tiwiza/cmd/hubsim/internal/provider"
	"tiwiza/cmd/hubsim/internal/world"
)

// The faults that a call can meet: any call; one that changes something; one that
// asks about something.
var (
	callFaults = []string{"rate_limited", "drop_request", "slow_body"}
	moveFaults = append([]string{"execute_then_drop", "execute_then_500", "execute_then_garbage", "execute_late", "callback_before_answer", "contradicts_itself"}, callFaults...)
	askFaults  = append([]string{"not_found_then_visible"}, callFaults...)
)

// keepKeys is how long a reference is remembered, by key_expires.
const keepKeys = 24 * time.Hour

// A call is what changes something: kind says what, Name is the policy's in its
// path.
type call struct {
	Kind   string `json:"kind"`
	Name   string `json:"name,omitempty"`
	Period string `json:"period,omitempty"`
	Key    string `json:"key"`
	Body   []byte `json:"body"`
}

// an answer is what a call comes to.
type answer struct {
	Status               int
	Body                 any
	Code, Detail, Reason string
	Event                string // what was told of it
	Lost                 bool   // by a magic amount: done, and the answer is not sent
}

func no(status int, code, detail string) answer {
	return answer{Status: status, Code: code, Detail: detail}
}

var refText = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.:-]{0,79}$`)

// letIn says whether a caller has the key: of a distributor, or as a connector's
// bearer token.
func (p *Insurer) letIn(r *http.Request) bool {
	given := r.Header.Get("X-API-Key")
	if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok && given == "" {
		given = token
	}
	return provider.Same(given, p.Secrets.APIKey)
}

func (p *Insurer) nothing(rw http.ResponseWriter, r *http.Request) {
	if !p.letIn(r) {
		refuse(rw, no(http.StatusUnauthorized, "unauthenticated", "Sign in with a valid key."))
		return
	}
	refuse(rw, no(http.StatusNotFound, "not_found", "There is nothing here."))
}

// post takes calls of a kind.
func (p *Insurer) post(kind string) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(rw, r.Body, 1<<20))
		switch {
		case !p.letIn(r):
			refuse(rw, no(http.StatusUnauthorized, "unauthenticated", "Sign in with a valid key."))
			return
		case err != nil:
			provider.Drop(rw) // half a body is none
			return
		}
		c := call{Kind: kind, Name: r.PathValue("id"), Period: r.PathValue("period"), Key: strings.Trim(r.Header.Get("Idempotency-Key"), `"`), Body: body}
		var in struct{ Ref string }
		if json.Unmarshal(body, &in) != nil {
			refuse(rw, no(http.StatusBadRequest, "malformed", "This is no JSON object."))
			return
		}
		if r.Header.Get("Idempotency-Key") != `"`+in.Ref+`"` || !refText.MatchString(in.Ref) {
			refuse(rw, no(http.StatusBadRequest, "idempotency_key", "Idempotency-Key must be the ref of the body, in quotes."))
			return
		}
		faults := moveFaults
		if kind == "quote" {
			faults = callFaults
		}
		fault, err := p.World.TakeNow(world.Insurer, faults...)
		if err != nil {
			world.Problem(rw, http.StatusInternalServerError, "internal", err.Error())
			return
		}
		p.serve(rw, r, fault, c)
	}
}

// serve does a call and answers it, or misbehaves.
func (p *Insurer) serve(rw http.ResponseWriter, r *http.Request, fault string, c call) {
	switch fault {
	case "rate_limited":
		p.limited(rw)
		return
	case "drop_request":
		provider.Drop(rw)
		return
	}
	var a answer
	err := p.World.Journal.Update(func(tx *journal.Tx) error {
		if url := provider.WebAddress(r.Header.Get("X-Callback-URL")); url != "" {
			if now, _ := p.events.Get(tx, "url"); now != url {
				p.events.Put(tx, "url", url)
			}
		}
		if fault == "execute_late" {
			id := provider.Number(16)
			p.late.Put(tx, id, late{ID: id, Call: c, Due: p.World.Now().Add(provider.Lateness)})
			return nil
		}
		a = p.once(tx, c)
		return nil
	})
	if err != nil {
		fault = "execute_then_500"
	}
	switch {
	case fault == "execute_late":
		p.Hold(rw, r)
	case fault == "execute_then_drop", a.Lost && fault == "":
		provider.Drop(rw)
	case fault == "execute_then_500":
		refuse(rw, no(http.StatusInternalServerError, "internal", "Something is wrong here; ask what became of it."))
	case fault == "execute_then_garbage":
		provider.Reply(rw, "application/json", http.StatusCreated, []byte(`{"id":"PX0000`), false)
	case fault == "contradicts_itself" && a.Code == "":
		refuse(rw, no(http.StatusUnprocessableEntity, "refused", "This is not insured here."))
	case a.Code != "":
		refuse(rw, a)
	default:
		if fault == "callback_before_answer" && a.Event != "" {
			p.TellFirst(r.Context(), a.Event)
		}
		reply(rw, a.Status, a.Body, fault == "slow_body")
	}
}

// once does a call, once for its reference.
func (p *Insurer) once(tx *journal.Tx, c call) answer {
	sum := sha256.Sum256(append([]byte(c.Kind+" "+c.Name+" "+c.Period+" "), c.Body...))
	t := taken{hex.EncodeToString(sum[:]), p.World.Now()}
	key := c.Kind + " " + c.Key
	if was, ok := p.taken.Get(tx, key); ok {
		forgotten := t.At.Sub(was.At) > keepKeys && p.World.Take(tx, world.Insurer, "key_expires") != ""
		switch {
		case forgotten:
		case was.Sum != t.Sum:
			return no(http.StatusUnprocessableEntity, "idempotency_conflict", "This reference has been used for another content.")
		default:
			return p.again(tx, c)
		}
	}
	a := p.do(tx, c)
	if a.Code == "" {
		p.taken.Put(tx, key, t)
	}
	return a
}

// do does a call.
func (p *Insurer) do(tx *journal.Tx, c call) answer {
	switch c.Kind {
	case "quote":
		return p.quote(tx, c)
	case "bind":
		return p.bind(tx, c)
	case "claim":
		return p.notify(tx, c)
	}
	ref, _ := p.named.Get(tx, c.Name)
	o, ok := p.policies.Get(tx, ref)
	if !ok {
		return no(http.StatusNotFound, "policy_not_found", "There is no such policy.")
	}
	o = p.today(o)
	switch c.Kind {
	case "cancel":
		return p.cancel(tx, c, o)
	case "premium":
		return p.premium(tx, c, o)
	}
	return p.observe(tx, c, o)
}

// again is what stands today of a call that was done.
func (p *Insurer) again(tx *journal.Tx, c call) answer {
	switch c.Kind {
	case "quote":
		q, _ := p.quotes.Get(tx, c.Key)
		return answer{Status: http.StatusOK, Body: p.wireQuote(q)}
	case "bind":
		o, _ := p.policies.Get(tx, c.Key)
		return answer{Status: http.StatusOK, Body: p.wirePolicy(p.today(o))}
	case "claim":
		k, _ := p.claims.Get(tx, c.Key)
		return answer{Status: http.StatusOK, Body: wireClaim(k)}
	case "observation":
		return answer{Status: http.StatusOK, Body: p.wireObserved(tx, c)}
	case "premium":
		return answer{Status: http.StatusOK, Body: wirePremium(c)}
	}
	ref, _ := p.named.Get(tx, c.Name)
	o, _ := p.policies.Get(tx, ref)
	return answer{Status: http.StatusOK, Body: p.wirePolicy(p.today(o))}
}

func (p *Insurer) limited(rw http.ResponseWriter) {
	rw.Header().Set("Retry-After", "2")
	refuse(rw, no(http.StatusTooManyRequests, "rate_limited", "Too many calls; come again later."))
}

// ask answers a question; find gives what it is about, and whether it is there.
// key names it for the fault by which it is not found for a while.
func (p *Insurer) ask(rw http.ResponseWriter, r *http.Request, absent, key string, find func(*journal.Tx) (any, bool)) {
	if !p.letIn(r) {
		refuse(rw, no(http.StatusUnauthorized, "unauthenticated", "Sign in with a valid key."))
		return
	}
	var body any
	var ok, veiled bool
	fault := ""
	err := p.World.Journal.Update(func(tx *journal.Tx) error {
		if body, ok = find(tx); !ok { // a question about nothing proves nothing about a fault
			return nil
		}
		faults := callFaults
		if key != "" {
			faults = askFaults
		}
		if fault = p.World.Take(tx, world.Insurer, faults...); fault == "not_found_then_visible" {
			p.hidden.Put(tx, key, p.World.Now().Add(provider.HideFor))
		}
		until, _ := p.hidden.Get(tx, key)
		veiled = key != "" && p.World.Now().Before(until)
		return nil
	})
	switch {
	case err != nil:
		world.Problem(rw, http.StatusInternalServerError, "internal", err.Error())
	case fault == "rate_limited":
		p.limited(rw)
	case fault == "drop_request":
		provider.Drop(rw)
	case !ok || veiled:
		refuse(rw, no(http.StatusNotFound, absent, "There is no such thing here."))
	default:
		reply(rw, http.StatusOK, body, fault == "slow_body")
	}
}

func (p *Insurer) getProducts(rw http.ResponseWriter, r *http.Request) {
	p.ask(rw, r, "not_found", "", func(*journal.Tx) (any, bool) {
		data := []any{}
		for _, o := range products {
			data = append(data, p.wireProduct(o))
		}
		return map[string]any{"data": data}, true
	})
}

func (p *Insurer) getPolicy(rw http.ResponseWriter, r *http.Request) {
	ref, id := r.URL.Query().Get("ref"), r.PathValue("id")
	p.ask(rw, r, "policy_not_found", "policy "+ref+id, func(tx *journal.Tx) (any, bool) {
		if id != "" {
			ref, _ = p.named.Get(tx, id)
		}
		o, ok := p.policies.Get(tx, ref)
		return p.wirePolicy(p.today(o)), ok
	})
}

func (p *Insurer) getClaim(rw http.ResponseWriter, r *http.Request) {
	ref := r.URL.Query().Get("ref")
	p.ask(rw, r, "claim_not_found", "claim "+ref, func(tx *journal.Tx) (any, bool) {
		k, ok := p.claims.Get(tx, ref)
		return wireClaim(k), ok
	})
}

func reply(rw http.ResponseWriter, status int, v any, slowly bool) {
	b, err := json.Marshal(v)
	if err != nil {
		panic("insurer: " + err.Error()) // of our own making
	}
	provider.Reply(rw, "application/json", status, b, slowly)
}

func refuse(rw http.ResponseWriter, a answer) {
	out := map[string]any{"type": "about:blank", "title": http.StatusText(a.Status), "status": a.Status, "code": a.Code, "detail": a.Detail}
	if a.Reason != "" {
		out["reason"] = a.Reason
	}
	b, err := json.Marshal(out)
	if err != nil {
		panic("insurer: " + err.Error())
	}
	provider.Reply(rw, "application/problem+json", a.Status, b, false)
}
