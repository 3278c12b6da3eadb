package insuranceconform

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"tiwiza/adapters/insurance"
	"tiwiza/pkg/money"
)

// A Stand is a small insurer that speaks insurance.v1: enough to hold a driver to
// the contract, and strict where the protocol is. It is a test's, and forgets all.
type Stand struct {
	*Garbler
	prefix string
	letsIn func(*http.Request) bool
	key    ed25519.PrivateKey

	mu       sync.Mutex
	n        int
	answers  map[string]given // by path and key
	policies map[string]*insurance.Policy
	claims   map[string]*insurance.Claim
	done     map[string]int // kind and ref
	rows     []insurance.Row
	pend     bool
	wrong    bool
}

type given struct {
	sum    string
	status int
	body   []byte
}

// NewStand makes an insurer whose paths begin with prefix, for those that letsIn.
func NewStand(prefix string, letsIn func(*http.Request) bool) *Stand {
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		panic(err)
	}
	s := &Stand{
		prefix: prefix, letsIn: letsIn, key: key,
		answers: map[string]given{}, policies: map[string]*insurance.Policy{}, claims: map[string]*insurance.Claim{}, done: map[string]int{},
	}
	s.Garbler = &Garbler{inner: http.HandlerFunc(s.serve)}
	return s
}

// Key is the public key of its events.
func (s *Stand) Key() string {
	return "whpk_" + base64.StdEncoding.EncodeToString(s.key.Public().(ed25519.PublicKey))
}

// Event is an event that it signs now.
func (s *Stand) Event(kind, ref string, at time.Time) (map[string][]string, []byte) {
	body := fmt.Appendf(nil, `{"type":%q,"timestamp":%q,"data":{"ref":%q}}`, kind, at.UTC().Format(time.RFC3339), ref)
	id, stamp := "msg_"+kind+"_"+ref, strconv.FormatInt(at.Unix(), 10)
	sig := ed25519.Sign(s.key, append([]byte(id+"."+stamp+"."), body...))
	return map[string][]string{"Webhook-Id": {id}, "Webhook-Timestamp": {stamp}, "Webhook-Signature": {"v1a," + base64.StdEncoding.EncodeToString(sig)}}, body
}

// Executed is how often it did a "bind", "cancel", "premium", "claim" or
// "observation" under our reference.
func (s *Stand) Executed(kind, ref string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.done[kind+" "+ref]
}

// Pend leaves the next policy pending; Issue issues it.
func (s *Stand) Pend() { s.mu.Lock(); s.pend = true; s.mu.Unlock() }

// Issue issues a pending policy.
func (s *Stand) Issue(ref string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.issue(s.policies[ref])
}

// Decide moves a claim on.
func (s *Stand) Decide(ref string, to insurance.ClaimState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.claims[ref]
	switch c.State = to; to {
	case insurance.ClaimRejected:
		c.Reason = "not covered"
	case insurance.ClaimAccepted:
		c.Amount = money.Dirhams(50_00)
	case insurance.ClaimPaid:
		c.Amount, c.Transfer = money.Dirhams(50_00), "CLM-"+ref
		s.rows = append(s.rows, insurance.Row{Kind: "claim", Ref: ref, Policy: c.Policy, Amount: c.Amount})
	}
}

// Miscount makes the sums of the statement wrong.
func (s *Stand) Miscount() { s.mu.Lock(); s.wrong = true; s.mu.Unlock() }

// Lawful is a hash as papers have it.
func lawful(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

func sheets(id string) []insurance.Document {
	return []insurance.Document{{Kind: "information_sheet", Lang: "fr", URL: "https://insurer.example/" + id + "/fr.pdf", SHA256: lawful(id)}}
}

// Product is what the stand offers.
const Product = "recolte-exemple"

func offered() []insurance.Product {
	said := func(fr, ar string) insurance.Texts { return insurance.Texts{"fr": fr, "ar": ar} }
	return []insurance.Product{{
		ID: Product, Version: 2, Line: insurance.Crop, Names: said("Récolte (exemple)", "محصول (مثال)"), Covers: []insurance.Texts{said("Sécheresse", "الجفاف")},
		Premium: insurance.Premium{Rate: 50, Min: money.Dirhams(20_00), Period: "season"}, Most: money.Dirhams(100_000_00), CoolingOff: 14, Commission: 100,
		Trigger:   &insurance.Trigger{Index: "rain_mm", Source: "Station exemple", Below: true, Threshold: "40.0", Pays: money.Dirhams(500_00)},
		Documents: sheets(Product),
	}}
}

func (s *Stand) serve(w http.ResponseWriter, r *http.Request) {
	path, ok := strings.CutPrefix(r.URL.Path, s.prefix)
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	switch {
	case err != nil:
		panic(http.ErrAbortHandler) // half a body is none
	case !s.letsIn(r):
		fail(w, 401, "unauthenticated")
		return
	case !ok:
		fail(w, 404, "not_found")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Method == http.MethodPost {
		s.post(w, r, path, body)
		return
	}
	s.get(w, r, path)
}

// post answers what changes something: once for each key.
func (s *Stand) post(w http.ResponseWriter, r *http.Request, path string, body []byte) {
	var in struct{ Ref string }
	key := r.Header.Get("Idempotency-Key")
	if json.Unmarshal(body, &in) != nil || key != `"`+in.Ref+`"` || in.Ref == "" {
		fail(w, 400, "malformed")
		return
	}
	if was, ok := s.answers[path+key]; ok {
		switch {
		case was.sum != lawful(string(body)):
			fail(w, 422, "idempotency_conflict")
		default:
			s.show(w, 200, s.now(path, in.Ref, was.body))
		}
		return
	}
	status, out, code := s.do(path, in.Ref, body)
	if code != "" {
		fail(w, status, code)
		return
	}
	text, err := json.Marshal(out)
	if err != nil {
		panic(err)
	}
	s.answers[path+key] = given{lawful(string(body)), status, text}
	s.show(w, status, text)
}

// now is what stands today of what was answered once.
func (s *Stand) now(path, ref string, was []byte) []byte {
	var out any
	switch {
	case path == "/policies" && s.policies[ref] != nil:
		out = s.policies[ref]
	case path == "/claims" && s.claims[ref] != nil:
		out = s.claims[ref]
	default:
		return was
	}
	text, err := json.Marshal(out)
	if err != nil {
		panic(err)
	}
	return text
}

func (s *Stand) do(path, ref string, body []byte) (status int, out any, code string) {
	steps := strings.Split(strings.Trim(path, "/"), "/")
	switch {
	case path == "/quotes":
		return s.quote(body)
	case path == "/policies":
		return s.bind(ref, body)
	case path == "/claims":
		return s.claim(ref, body)
	case len(steps) < 3:
		return 404, nil, "not_found"
	}
	p := s.named(steps[1])
	switch {
	case p == nil:
		return 404, nil, "policy_not_found"
	case steps[2] == "cancel":
		return s.cancel(p, ref)
	case steps[2] == "observations":
		return s.observe(p, ref, body)
	case steps[2] == "premiums" && len(steps) == 5:
		s.done["premium "+ref]++
		return 200, map[string]string{"ref": ref, "policy": p.ID, "period": steps[3]}, ""
	}
	return 404, nil, "not_found"
}

func (s *Stand) named(id string) *insurance.Policy {
	for _, p := range s.policies {
		if p.ID == id {
			return p
		}
	}
	return nil
}

func (s *Stand) next(kind string) string { s.n++; return fmt.Sprintf("%s-%d", kind, s.n) }

func (s *Stand) quote(body []byte) (int, any, string) {
	var a insurance.Ask
	if json.Unmarshal(body, &a) != nil {
		return 422, nil, "invalid"
	}
	switch {
	case a.Product != Product || a.Version != 2:
		return 404, nil, "product_not_found"
	case a.Sum.Centimes()%100 == 1:
		return 422, nil, "refused"
	}
	premium := money.Dirhams(max(a.Sum.Centimes()/20, 20_00))
	return 201, insurance.Quote{
		ID: s.next("Q"), Ref: a.Ref, Premium: premium, Taxes: money.Dirhams(premium.Centimes() / 10), Commission: money.Dirhams(premium.Centimes() / 20),
		ValidUntil: time.Now().Add(time.Hour).UTC(), Documents: sheets(Product),
	}, ""
}

func (s *Stand) bind(ref string, body []byte) (int, any, string) {
	var b insurance.Binding
	if json.Unmarshal(body, &b) != nil || b.Holder == "" {
		return 422, nil, "invalid"
	}
	if !strings.HasPrefix(b.Quote, "Q-") {
		return 404, nil, "quote_not_found"
	}
	p := &insurance.Policy{ID: s.next("P"), Ref: ref, State: insurance.PolicyPending}
	s.policies[ref] = p
	s.done["bind "+ref]++
	s.rows = append(s.rows, insurance.Row{Kind: "premium", Ref: b.Payment, Policy: p.ID, Amount: money.Dirhams(20_00), Commission: money.Dirhams(1_00)})
	if s.pend {
		s.pend = false
		return 202, p, ""
	}
	s.issue(p)
	return 201, p, ""
}

func (s *Stand) issue(p *insurance.Policy) {
	p.State, p.Number = insurance.PolicyActive, "EX-"+p.ID
	p.Start = time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	p.End, p.Documents = p.Start.AddDate(0, 6, 0), sheets(p.ID)
}

func (s *Stand) cancel(p *insurance.Policy, ref string) (int, any, string) {
	if p.State != insurance.PolicyActive {
		return 409, nil, "not_cancellable"
	}
	p.State, p.Refund = insurance.PolicyCancelled, money.Dirhams(15_00)
	s.done["cancel "+ref]++
	s.rows = append(s.rows, insurance.Row{Kind: "refund", Ref: ref, Policy: p.ID, Amount: p.Refund, Commission: money.Dirhams(75)})
	return 200, p, ""
}

func (s *Stand) claim(ref string, body []byte) (int, any, string) {
	var l insurance.Loss
	if json.Unmarshal(body, &l) != nil {
		return 422, nil, "invalid"
	}
	if s.named(l.Policy) == nil {
		return 404, nil, "policy_not_found"
	}
	c := &insurance.Claim{ID: s.next("C"), Ref: ref, Policy: l.Policy, State: insurance.ClaimNotified}
	s.claims[ref] = c
	s.done["claim "+ref]++
	return 201, c, ""
}

func (s *Stand) observe(p *insurance.Policy, ref string, body []byte) (int, any, string) {
	var o insurance.Observation
	if json.Unmarshal(body, &o) != nil || o.Signature == "" {
		return 422, nil, "invalid"
	}
	s.done["observation "+ref]++
	out := map[string]any{"ref": ref, "policy": p.ID, "claim": nil}
	if mm, err := strconv.ParseFloat(o.Value, 64); err == nil && mm < 40 {
		c := &insurance.Claim{ID: s.next("C"), Ref: ref, Policy: p.ID, State: insurance.ClaimAccepted, Amount: money.Dirhams(500_00)}
		s.claims[ref], out["claim"] = c, c
	}
	return 201, out, ""
}

func (s *Stand) get(w http.ResponseWriter, r *http.Request, path string) {
	ref := r.URL.Query().Get("ref")
	switch {
	case path == "/products":
		s.json(w, map[string]any{"data": offered()})
	case path == "/policies" && s.policies[ref] != nil:
		s.json(w, s.policies[ref])
	case path == "/policies":
		fail(w, 404, "policy_not_found")
	case path == "/claims" && s.claims[ref] != nil:
		s.json(w, s.claims[ref])
	case path == "/claims":
		fail(w, 404, "claim_not_found")
	case path == "/statements":
		s.statement(w, r.URL.Query().Get("period"), r.URL.Query().Get("cursor"))
	default:
		fail(w, 404, "not_found")
	}
}

// statement answers two rows a page.
func (s *Stand) statement(w http.ResponseWriter, period, cursor string) {
	if len(s.rows) == 0 || period != "2026-11" {
		fail(w, 404, "statement_not_found")
		return
	}
	out := insurance.Statement{ID: "S-" + period, Period: period, Rows: s.rows}
	out.Premiums, out.Commission, out.Claims, out.Due = out.Sums()
	if s.wrong {
		out.Due = out.Due.Add(money.Dirhams(1))
	}
	from, _ := strconv.Atoi(cursor)
	next := ""
	if end := min(from+2, len(s.rows)); end < len(s.rows) {
		next = strconv.Itoa(end)
		out.Rows = s.rows[from:end]
	} else {
		out.Rows = s.rows[from:]
	}
	s.json(w, struct {
		insurance.Statement
		Next string `json:"next,omitempty"`
	}{out, next})
}

func (s *Stand) json(w http.ResponseWriter, v any) {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	s.show(w, 200, text)
}

func (s *Stand) show(w http.ResponseWriter, status int, text []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(status)
	_, _ = w.Write(text)
}

func fail(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"type":"about:blank","title":"no","status":%d,"code":%q,"detail":"No."}`, status, code)
}

// An Answer is one that comes instead of the insurer's own.
type Answer struct {
	Status  int
	Header  map[string]string
	Body    []byte
	Slow    time.Duration // between its head and its body
	Unheard bool          // the request is not executed
}

// A Garbler executes a request and answers something else, once for each answer.
type Garbler struct {
	inner http.Handler
	mu    sync.Mutex
	next  []Answer
}

// Garble has the next request answered so.
func (g *Garbler) Garble(a Answer) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.next = append(g.next, a)
}

// Garbled puts a garbler in front of a handler.
func Garbled(h http.Handler) *Garbler { return &Garbler{inner: h} }

// ServeHTTP answers a request.
func (g *Garbler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	var a *Answer
	if len(g.next) > 0 {
		a, g.next = &g.next[0], g.next[1:]
	}
	g.mu.Unlock()
	if a == nil {
		g.inner.ServeHTTP(w, r)
		return
	}
	if !a.Unheard {
		g.inner.ServeHTTP(nowhere{http.Header{}}, r)
	}
	for name, v := range a.Header {
		w.Header().Set(name, v)
	}
	w.WriteHeader(a.Status)
	if a.Slow > 0 {
		_ = http.NewResponseController(w).Flush()
		select {
		case <-time.After(a.Slow):
		case <-r.Context().Done():
		}
	}
	_, _ = w.Write(a.Body)
}

// nowhere is where an answer goes that nobody hears.
type nowhere struct{ h http.Header }

func (n nowhere) Header() http.Header         { return n.h }
func (n nowhere) Write(b []byte) (int, error) { return len(b), nil }
func (n nowhere) WriteHeader(int)             {}
