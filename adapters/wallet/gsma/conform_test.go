package gsma_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"tiwiza/adapters/wallet"
	"tiwiza/adapters/wallet/gsma"
	"tiwiza/adapters/wallet/walletconform"
	"tiwiza/pkg/money"
)

// provider is a small Mobile Money platform: enough of the API to hold the
// driver to the contract. It is strict where the official document is.
type provider struct {
	mu       sync.Mutex
	requests map[string]*asked // by correlation id
	garble   []garbled
	n        int
}

type asked struct {
	kind, server, name string // merchantpay, disbursement or reversal
	Amount, Currency   string
	Type               string
	Reference          string `json:"requestingOrganisationTransactionReference"`
	Debit, Credit      []struct{ Key, Value string }
	of                 *asked
	back               int64
	status, failure    string
	done               int
}

type garbled struct {
	status int
	body   string
}

const apiKey = "conformance-key"

func (p *provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	status, body := p.answer(r)
	if len(p.garble) > 0 {
		g := p.garble[0]
		p.garble = p.garble[1:]
		status, body = g.status, g.body
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	fmt.Fprint(w, body)
}

func problem(category, code string) string {
	return fmt.Sprintf(`{"errorCategory":%q,"errorCode":%q,"errordescription":"exemple"}`, category, code)
}

func (p *provider) answer(r *http.Request) (int, string) {
	if r.Header.Get("X-API-Key") != apiKey || r.Header.Get("X-Client-Id") != "tiwiza" {
		return 401, problem("authorisation", "clientAuthorisationError")
	}
	if _, err := http.ParseTime(r.Header.Get("X-Date")); err == nil || len(r.Header.Get("X-Date")) != 24 {
		return 400, problem("validation", "formatError")
	}
	path := strings.Split(strings.TrimPrefix(r.URL.Path, "/mm/"), "/")
	if r.Method == "POST" {
		return p.take(r, path)
	}
	for corr, a := range p.requests {
		switch {
		case path[0] == "responses" && path[1] == corr && a.status == "completed":
			return 200, fmt.Sprintf(`{"link":"/mm/transactions/%s"}`, a.name)
		case path[0] == "responses" && path[1] == corr:
			return 200, fmt.Sprintf(`{"link":"/requeststates/%s"}`, a.server)
		case path[0] == "requeststates" && path[1] == a.server:
			return 200, a.state()
		case path[0] == "transactions" && path[1] == a.name && a.status == "completed":
			return 200, a.transaction()
		}
	}
	return 404, problem("identification", "identifierError")
}

func (p *provider) take(r *http.Request, path []string) (int, string) {
	var q asked
	if err := json.NewDecoder(r.Body).Decode(&q); err != nil || strings.HasSuffix(q.Amount, "0") && strings.Contains(q.Amount, ".") || q.Currency != "MAD" {
		return 400, problem("validation", "formatError")
	}
	corr := r.Header.Get("X-CorrelationID")
	if a := p.requests[corr]; a != nil {
		return 202, a.state()
	}
	p.n++
	q.server, q.name, q.status = fmt.Sprintf("5b0b0f3a-0f3a-4f3a-8f3a-%012d", p.n), fmt.Sprintf("REF-%d", p.n), "completed"
	switch strings.Join(path, "/") {
	case "transactions/type/merchantpay":
		q.kind, q.status = "charge", "pending"
	case "transactions/type/disbursement":
		q.kind, q.done = "disbursement", 1
	default:
		q.kind = "reversal"
		for _, a := range p.requests {
			if a.name == path[1] && path[2] == "reversals" && q.Type == "reversal" {
				q.of = a
			}
		}
		if q.of == nil {
			return 404, problem("identification", "identifierError")
		}
		if q.of.back+centimes(q.Amount) > centimes(q.of.Amount) {
			return 400, problem("businessRule", "incorrectState")
		}
		q.of.back += centimes(q.Amount)
		q.done = 1
	}
	p.requests[corr] = &q
	return 202, q.state()
}

func centimes(s string) int64 {
	whole, part, _ := strings.Cut(s, ".")
	var a, b int64
	fmt.Sscan(whole, &a)
	fmt.Sscan((part + "00")[:2], &b)
	return 100*a + b
}

func (a *asked) state() string {
	more := ""
	switch a.status {
	case "failed":
		more = `,"error":` + a.failure
	case "completed":
		more = fmt.Sprintf(`,"objectReference":%q`, a.name)
	}
	return fmt.Sprintf(`{"serverCorrelationId":%q,"status":%q,"notificationMethod":"callback","pollLimit":100%s}`, a.server, a.status, more)
}

func (a *asked) transaction() string {
	return fmt.Sprintf(`{"amount":%q,"currency":"MAD","type":"merchantpay","transactionReference":%q,"transactionStatus":%q,"requestingOrganisationTransactionReference":%q}`,
		a.Amount, a.name, cmp.Or(map[bool]string{true: "pending"}[a.status == "pending"], "completed"), a.Reference)
}

func (p *provider) of(ref string, f func(*asked)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, a := range p.requests {
		if a.Reference == ref {
			f(a)
		}
	}
}

// stand starts a provider for one test.
func stand(t *testing.T) (*provider, string) {
	p := &provider{requests: map[string]*asked{}}
	s := httptest.NewServer(p)
	t.Cleanup(s.Close)
	return p, s.Listener.Addr().String()
}

func at(t *testing.T, addr, key string) *gsma.Driver {
	d, err := gsma.New(gsma.Config{BaseURL: "http://" + addr + "/mm/", Merchant: "600009", ClientID: "tiwiza", APIKey: key})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

var failures = map[wallet.Refusal]string{
	wallet.Limit: problem("businessRule", "greaterThanTransactionMaxValue"), wallet.Funds: problem("businessRule", "insufficientFunds"),
	wallet.NotApproved: problem("authorisation", "requestDeclined"), wallet.NoWallet: problem("identification", "identifierError"),
}

func TestConformance(t *testing.T) {
	t.Parallel()
	walletconform.Run(t, func(t *testing.T) walletconform.Fixture {
		p, addr := stand(t)
		return walletconform.Fixture{
			Addr:     addr,
			Dial:     func(addr string) wallet.Driver { return at(t, addr, apiKey) },
			Intruder: func(addr string) wallet.Driver { return at(t, addr, "wrong") },
			Approve: func(ref string) {
				p.of(ref, func(a *asked) { a.status, a.done = "completed", a.done+1 })
			},
			Refuse: func(ref string, why wallet.Refusal) {
				p.of(ref, func(a *asked) { a.status, a.failure = "failed", failures[why] })
			},
			Executed: func(kind, ref string) (n int) {
				p.of(ref, func(a *asked) {
					if a.kind == kind {
						n += a.done
					}
				})
				return n
			},
			Asked: func(ref string) (m money.Money) {
				p.of(ref, func(a *asked) { m = money.Dirhams(centimes(a.Amount)) })
				return m
			},
			Garble: func(status int, body string) {
				p.mu.Lock()
				defer p.mu.Unlock()
				p.garble = append(p.garble, garbled{status, body})
			},
			Callback: func(ref string, s wallet.State) (b []byte) {
				if s == wallet.Failed {
					return []byte(problem("authorisation", "requestDeclined"))
				}
				p.of(ref, func(a *asked) {
					done := *a
					done.status = "completed"
					b = []byte(done.transaction())
				})
				return b
			},
		}
	})
}
