package remote_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"tiwiza/adapters/bank"
	"tiwiza/adapters/bank/bankconform"
	"tiwiza/adapters/remote"
	"tiwiza/pkg/webhook"
)

// loanDesk is a connector that takes members' applications, in memory: an amount
// that ends in .01 is refused, at .02 papers are asked for, others are offered.
type loanDesk struct {
	mu     sync.Mutex
	all    map[string]*standing
	taken  map[string]int
	garble func(w http.ResponseWriter)
	busy   int
}

type standing struct {
	ID       string         `json:"id"`
	SHA256   string         `json:"sha256"`
	State    string         `json:"state"`
	Seq      int            `json:"seq"`
	Reason   string         `json:"reason,omitempty"`
	Question map[string]any `json:"question,omitempty"`
	Offer    map[string]any `json:"offer,omitempty"`
	Account  map[string]any `json:"account,omitempty"`
	Answers  []int          `json:"answers"`
	asked    map[string]any
}

func (s *standing) offers() {
	s.State, s.Question = "offered", nil
	s.Offer = map[string]any{
		"amount": s.asked["amount"], "rate": "7.25", "months": s.asked["months"], "fees": map[string]string{"amount": "150.00", "currency": "MAD"},
		"terms": "Offre (exemple)", "valid_until": "2027-01-31T00:00:00Z",
	}
}

func (d *loanDesk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "Bearer "+token {
		fail(w, 401, "unauthenticated")
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // half a body is none
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.busy > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(d.busy))
		d.busy = 0
		fail(w, 429, "rate_limited")
		return
	}
	out := w
	garble := d.garble
	if d.garble = nil; garble != nil {
		out = httptest.NewRecorder()
	}
	d.serve(out, r, body)
	if garble != nil {
		garble(w)
	}
}

func (d *loanDesk) serve(w http.ResponseWriter, r *http.Request, body []byte) {
	path := strings.Split(strings.TrimPrefix(r.URL.Path, "/bank/v1/applications"), "/")[1:]
	switch {
	case r.Method == "POST" && len(path) == 0:
		d.take(w, r, body)
	case len(path) > 0 && d.all[path[0]] == nil:
		fail(w, 404, "application_not_found")
	case r.Method == "GET":
		say(w, 200, d.all[path[0]])
	case r.Method == "POST" && len(path) == 3:
		d.hear(w, d.all[path[0]], path[2], body)
	default:
		fail(w, 404, "not_found")
	}
}

func (d *loanDesk) take(w http.ResponseWriter, r *http.Request, body []byte) {
	var in map[string]any
	if json.Unmarshal(body, &in) != nil {
		fail(w, 400, "malformed")
		return
	}
	id, _ := in["id"].(string)
	if r.Header.Get("Idempotency-Key") != strconv.Quote(id) {
		fail(w, 400, "idempotency_key")
		return
	}
	if was := d.all[id]; was != nil {
		if was.SHA256 != digest(body) {
			fail(w, 422, "idempotency_conflict")
			return
		}
		say(w, 200, was)
		return
	}
	s := &standing{ID: id, SHA256: digest(body), Seq: 1, Answers: []int{}, asked: in}
	sum, _ := in["amount"].(map[string]any)["amount"].(string)
	switch {
	case strings.HasSuffix(sum, ".01"):
		s.State, s.Reason = "refused", "Non."
	case strings.HasSuffix(sum, ".02"):
		s.State, s.Question = "papers_asked", map[string]any{"text": "Vos ventes ?", "sections": []string{}}
	default:
		s.offers()
	}
	d.all[id] = s
	d.taken[id]++
	say(w, 201, s)
}

func (d *loanDesk) hear(w http.ResponseWriter, s *standing, number string, body []byte) {
	var in struct{ Kind string }
	n, err := strconv.Atoi(number)
	if err != nil || json.Unmarshal(body, &in) != nil {
		fail(w, 422, "invalid")
		return
	}
	if !slices.Contains(s.Answers, n) {
		s.Answers = append(s.Answers, n)
		s.Seq++
		switch in.Kind {
		case "papers":
			s.offers()
		case "accept":
			s.State = "granted"
		}
	}
	say(w, 200, s)
}

func say(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // whoever went away has nothing to be told
}

func TestApplicantsConformance(t *testing.T) {
	t.Parallel()
	bankconform.RunApplicants(t, func(t *testing.T) bankconform.Applications {
		d := &loanDesk{all: map[string]*standing{}, taken: map[string]int{}}
		s := httptest.NewUnstartedServer(d)
		s.Config.ErrorLog = quiet
		s.Start()
		t.Cleanup(s.Close)
		reach := func(token string) func(addr string) bank.Driver {
			return func(addr string) bank.Driver {
				n, err := remote.New(remote.Config{URL: "http://" + addr, Guard: webhook.Guard{Loopback: true}, Credentials: []remote.Credentials{{Token: token}}})
				must(t, err)
				return remote.NewBank(n)
			}
		}
		return bankconform.Applications{
			Addr: s.Listener.Addr().String(), Dial: reach(token), Intruder: reach("somebody-elses-token"),
			Taken: func(ref string) int {
				d.mu.Lock()
				defer d.mu.Unlock()
				return d.taken[ref]
			},
			Heard: func(ref string) int {
				d.mu.Lock()
				defer d.mu.Unlock()
				return len(d.all[ref].Answers)
			},
			Garble: func(status int, header map[string]string, body string) {
				d.mu.Lock()
				defer d.mu.Unlock()
				d.garble = func(w http.ResponseWriter) {
					for k, v := range header {
						w.Header().Set(k, v)
					}
					w.WriteHeader(status)
					fmt.Fprint(w, body)
				}
			},
			Busy: func(seconds int) {
				d.mu.Lock()
				defer d.mu.Unlock()
				d.busy = seconds
			},
		}
	})
}
