// Package moneyconform holds partners in memory that speak the money protocols of
// docs/partner: whole enough to be certified, strict where the protocols are, and
// wrong on purpose where a test asks for it.
package moneyconform

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"tiwiza/pkg/money"
)

// A Flaw is what a stand does wrong on purpose, so that it can be seen to be found.
type Flaw string

// The flaws that every stand knows.
const (
	NoOwner       Flaw = "no owner"
	PlainErrors   Flaw = "errors are plain text"
	Again         Flaw = "executes again"
	OtherContent  Flaw = "takes other content"
	LostWhole     Flaw = "lost with its answer"
	HalfTaken     Flaw = "half a request is taken"
	Racing        Flaw = "not one request at a time"
	RowForgotten  Flaw = "a row is forgotten"
	RowTwice      Flaw = "a row twice"
	FeesForgotten Flaw = "the fees are kept twice"
	LetsAnybodyIn Flaw = "anybody is let in"
	TellsSecrets  Flaw = "errors tell secrets"
	Timeless      Flaw = "events are signed without a time"
	NothingBad    Flaw = "nothing is refused"
	EverPending   Flaw = "pending for ever"
	BackForEver   Flaw = "more goes back than came"
	NoReason      Flaw = "no reason"
	AnotherAmount Flaw = "another amount"
	Forgives      Flaw = "what was refused is done when it comes again"
)

// Token is what a stand lets in.
const Token = "a-token-for-the-sandbox"

// A port is what a stand does of its own; it is called with the stand locked.
type port interface {
	// do does what is posted, once; view is what stands of it.
	do(steps []string, body []byte) *wrong
	view(steps []string, ref string) (any, bool)
	get(steps []string, query func(string) string) (any, *wrong)
	// play is what only sandboxes can do.
	play(what string, body []byte) *wrong
	invent(steps []string, ref string) // takes in what was never sent whole
	posts(steps []string) bool
	loses(steps []string, amount int64) bool // does it, and loses its first answer
}

// wrong is why a request is refused.
type wrong struct {
	status       int
	code, reason string
}

// A row is a line of the statement.
type row struct {
	Ref    string      `json:"ref"`
	Kind   string      `json:"kind"`
	Amount money.Money `json:"amount"`
	Fee    money.Money `json:"fee"`
	day    string
}

// Stand is the common part of the stands.
type Stand struct {
	name     string // wallet, card
	features []string
	flaw     Flaw
	key      ed25519.PrivateKey
	own      port

	mu     sync.Mutex
	n      int
	taken  map[string]string // by reference: what was asked for
	closed map[string]wrong  // by reference: how it was refused for good
	garble []garbled
	rows   []row
	events string // where events go, "" nowhere
	done   map[string]int
}

type garbled struct {
	status int
	body   string
}

func newStand(name string, flaw Flaw, features ...string) *Stand {
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		panic(err)
	}
	return &Stand{name: name, features: append(features, "statements", "events", "sandbox"), flaw: flaw, key: key, taken: map[string]string{}, closed: map[string]wrong{}, done: map[string]int{}}
}

// Tell has events sent to an address.
func (s *Stand) Tell(address string) { s.mu.Lock(); s.events = address; s.mu.Unlock() }

// Key is the public key that its events are signed with.
func (s *Stand) Key() string {
	return "whpk_" + base64.StdEncoding.EncodeToString(s.key.Public().(ed25519.PublicKey))
}

// Garble has the next request executed and answered so.
func (s *Stand) Garble(status int, body string) {
	s.mu.Lock()
	s.garble = append(s.garble, garbled{status, body})
	s.mu.Unlock()
}

// Executed is how often something of a kind was done under a reference.
func (s *Stand) Executed(kind, ref string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.done[kind+" "+ref]
}

// count remembers that something was done.
func (s *Stand) count(kind, ref string) { s.done[kind+" "+ref]++ }

// book writes down that money moved.
func (s *Stand) book(ref, kind string, amount money.Money) {
	fee := money.Dirhams(0)
	if amount.Sign() > 0 {
		fee = money.Dirhams(amount.Centimes() / 100)
	}
	s.line(ref, kind, amount, fee)
}

// line is a row of today's statement.
func (s *Stand) line(ref, kind string, amount, fee money.Money) {
	s.rows = append(s.rows, row{ref, kind, amount, fee, time.Now().UTC().Format(time.DateOnly)})
}

var refInside = regexp.MustCompile(`"ref":"([^"]+)"`)

// ServeHTTP answers as the protocol says.
func (s *Stand) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		if found := refInside.FindSubmatch(body); s.flaw == HalfTaken && found != nil {
			s.mu.Lock()
			s.taken[string(found[1])] = ""
			steps, _ := s.steps(r)
			s.own.invent(steps, string(found[1]))
			s.mu.Unlock()
		}
		panic(http.ErrAbortHandler) // half a request is none
	}
	s.mu.Lock()
	status, v, lost := s.answer(r, body)
	kind, text := "application/json", encode(v)
	if status >= 400 {
		kind = "application/problem+json"
		if s.flaw == PlainErrors {
			kind = "text/plain"
		}
	}
	if len(s.garble) > 0 && r.URL.Path != manifestPath {
		status, text, lost = s.garble[0].status, []byte(s.garble[0].body), false
		s.garble = s.garble[1:]
	}
	s.mu.Unlock()
	if lost {
		panic(http.ErrAbortHandler)
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(status)
	_, _ = w.Write(text) // whoever went away has nothing to be told
}

func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

const manifestPath = "/.well-known/hub-connector"

func (s *Stand) answer(r *http.Request, body []byte) (status int, v any, lost bool) {
	steps, ours := s.steps(r)
	switch {
	case r.URL.Path == manifestPath:
		return 200, s.manifest(), false
	case s.flaw != LetsAnybodyIn && r.Header.Get("Authorization") != "Bearer "+Token:
		said := "Sign in with a valid token."
		if s.flaw == TellsSecrets {
			said = "Not let in: " + r.Header.Get("Authorization")
		}
		return 401, problem(wrong{401, "unauthenticated", ""}, said), false
	case !ours:
		return refuse(&wrong{404, "not_found", ""})
	case r.Method == http.MethodPost && len(steps) == 2 && steps[0] == "sandbox":
		if s.flaw == EverPending && steps[1] == "day-end" {
			return 200, map[string]any{}, false
		}
		if bad := s.own.play(steps[1], body); bad != nil {
			return refuse(bad)
		}
		return 200, map[string]any{}, false
	case r.Method == http.MethodPost && s.own.posts(steps):
		return s.once(r, steps, body)
	case r.Method == http.MethodGet && len(steps) == 1 && steps[0] == "statements":
		v, bad := s.statement(r.URL.Query().Get("day"), r.URL.Query().Get("cursor"))
		if bad != nil {
			return refuse(bad)
		}
		return 200, v, false
	case r.Method == http.MethodGet:
		v, bad := s.own.get(steps, r.URL.Query().Get)
		if bad != nil {
			return refuse(bad)
		}
		return 200, v, false
	}
	return refuse(&wrong{404, "not_found", ""})
}

// steps are the parts of a path of the protocol.
func (s *Stand) steps(r *http.Request) (steps []string, ours bool) {
	path, ours := strings.CutPrefix(r.URL.Path, "/"+s.name+"/v1/")
	return strings.Split(path, "/"), ours
}

func refuse(p *wrong) (int, any, bool) { return p.status, problem(*p, "No."), false }

func problem(p wrong, detail string) any {
	v := map[string]any{"type": "about:blank", "title": http.StatusText(p.status), "status": p.status, "code": p.code, "detail": detail}
	if p.reason != "" {
		v["reason"] = p.reason
	}
	return v
}

func (s *Stand) manifest() any {
	m := map[string]any{
		"id": s.name + "-exemple", "owner": "Partenaire exemple", "capabilities": []any{map[string]any{"name": s.name, "version": "1", "features": s.features}},
		"auth": []string{"bearer"}, "idempotency_retention": "720h", "rate_limit": map[string]int{"per_second": 500, "burst": 500},
		"webhook_keys": []string{s.Key()}, "sandbox": true,
	}
	if s.flaw == NoOwner {
		delete(m, "owner")
	}
	return m
}

// once does what is posted, once for its reference.
func (s *Stand) once(r *http.Request, steps []string, body []byte) (int, any, bool) {
	var in struct {
		Ref    string       `json:"ref"`
		Amount *money.Money `json:"amount"`
	}
	if json.Unmarshal(body, &in) != nil {
		return refuse(&wrong{400, "malformed", ""})
	}
	if in.Ref == "" || r.Header.Get("Idempotency-Key") != `"`+in.Ref+`"` {
		return refuse(&wrong{400, "idempotency_key", ""})
	}
	sum := sha256.Sum256(append([]byte(r.URL.Path+"\n"), body...))
	asked := hex.EncodeToString(sum[:])
	before, known := s.taken[in.Ref]
	switch {
	case known && before != asked && s.flaw != OtherContent:
		return refuse(&wrong{422, "idempotency_conflict", ""})
	case known && s.closed[in.Ref] != wrong{} && s.flaw != Forgives:
		was := s.closed[in.Ref]
		return refuse(&was)
	case known && s.closed[in.Ref] == wrong{} && s.flaw != Again:
		v, _ := s.own.view(steps, in.Ref)
		return 200, v, false
	}
	if s.flaw == Racing {
		s.mu.Unlock()
		time.Sleep(20 * time.Millisecond)
		s.mu.Lock()
	}
	lost := in.Amount != nil && s.own.loses(steps, in.Amount.Centimes())
	if lost && s.flaw == LostWhole {
		return 0, nil, true
	}
	bad := s.own.do(steps, body)
	if _, raced := s.taken[in.Ref]; bad != nil && (raced || bad.status != http.StatusConflict) {
		return refuse(bad)
	}
	if s.taken[in.Ref] = asked; bad != nil { // nothing is or will be done under this reference
		s.closed[in.Ref] = *bad
		return refuse(bad)
	}
	delete(s.closed, in.Ref)
	v, _ := s.own.view(steps, in.Ref)
	return 201, v, lost
}

// perPage is how many rows a page of a statement has.
const perPage = 50

// statement is a page of what moved on a day.
func (s *Stand) statement(day, cursor string) (any, *wrong) {
	if _, err := time.Parse(time.DateOnly, day); err != nil || day > time.Now().UTC().Format(time.DateOnly) || day < "2020" {
		return nil, &wrong{404, "statement_not_found", ""}
	}
	all := []row{}
	for _, one := range s.rows {
		if one.day == day {
			all = append(all, one)
		}
	}
	if s.flaw == RowForgotten && len(all) > 0 {
		all = all[:len(all)-1]
	}
	if s.flaw == RowTwice && len(all) > 0 {
		all = append(all, all[len(all)-1])
	}
	total, fees := money.Dirhams(0), money.Dirhams(0)
	for _, one := range all {
		total, fees = total.Add(one.Amount), fees.Add(one.Fee)
	}
	net := total.Sub(fees)
	if s.flaw == FeesForgotten {
		net = net.Sub(fees)
	}
	from, err := 0, error(nil)
	if cursor != "" { // the partner's own, and no letters for an address
		from, err = strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(cursor, "row+"), "&/="))
	}
	if err != nil || from < 0 || from > len(all) {
		return nil, &wrong{400, "malformed", ""}
	}
	out := map[string]any{"day": day, "total": total, "fees": fees, "net": net, "rows": all[from:min(from+perPage, len(all))]}
	if from+perPage < len(all) {
		out["next"] = "row+" + strconv.Itoa(from+perPage) + "&/="
	}
	return out, nil
}

// tell sends an event; nobody waits for it. What is believed is sent again until it
// is heard.
func (s *Stand) tell(event string, data map[string]any) {
	tries := 1
	if event == "chargeback.updated" {
		tries = 40
	}
	s.n++
	id, stamp := fmt.Sprintf("msg_%d", s.n), strconv.FormatInt(time.Now().Unix(), 10)
	body := encode(map[string]any{"type": event, "timestamp": time.Now().UTC().Format(time.RFC3339), "data": data})
	signed := id + "." + stamp + "."
	if s.flaw == Timeless {
		signed = id + "."
	}
	at := s.events
	if at == "" {
		return
	}
	sig := ed25519.Sign(s.key, append([]byte(signed), body...))
	go func() {
		for range tries {
			if told(at, body, map[string]string{
				"Content-Type": "application/json", "webhook-id": id, "webhook-timestamp": stamp, "webhook-signature": "v1a," + base64.StdEncoding.EncodeToString(sig),
			}) {
				return
			}
			time.Sleep(250 * time.Millisecond)
		}
	}()
}

// told posts an event, and says whether it was heard.
func told(at string, body []byte, headers map[string]string) bool {
	req, err := http.NewRequest(http.MethodPost, at, bytes.NewReader(body))
	if err != nil {
		return false
	}
	for name, v := range headers {
		req.Header.Set(name, v)
	}
	res, err := (&http.Client{Timeout: 10 * time.Second}).Do(req)
	if err != nil {
		return false
	}
	_ = res.Body.Close()
	return res.StatusCode == http.StatusNoContent
}
