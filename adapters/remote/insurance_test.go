package remote_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"tiwiza/adapters/insurance"
	"tiwiza/adapters/insurance/insuranceconform"
	"tiwiza/adapters/insurance/openinsurance"
	"tiwiza/adapters/remote"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/webhook"
)

// insuring makes a driver that reaches a connector through addr.
func insuring(t testing.TB, addr, token string, features []string, keys ...string) insurance.Driver {
	t.Helper()
	n, err := remote.New(remote.Config{
		URL: "http://" + addr, Guard: webhook.Guard{Loopback: true}, Credentials: []remote.Credentials{{Token: token}}, Settings: outbound.Settings{Header: 5 * time.Second},
	})
	must(t, err)
	return remote.NewInsurance(n, features, keys)
}

func bearer(r *http.Request) bool { return r.Header.Get("Authorization") == "Bearer "+token }

// openly serves a handler and gives its address. It is without TLS, so that the
// suite's faults fall on requests and answers, not on the handshake: the bank's
// suite has those.
func openly(t testing.TB, h http.Handler) (addr string) {
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

var observes = []string{"statements", "observations", "events"}

func TestInsuranceConformance(t *testing.T) {
	t.Parallel()
	insuranceconform.Run(t, func(t *testing.T) insuranceconform.Fixture {
		s := insuranceconform.NewStand("/insurance/v1", bearer)
		addr := openly(t, s)
		return insuranceconform.Of(s, addr,
			func(addr string) insurance.Driver { return insuring(t, addr, token, observes, s.Key()) },
			func(addr string) insurance.Driver {
				return insuring(t, addr, "somebody-elses-token", observes, s.Key())
			})
	})
}

// TestBuiltInInsurerServedThroughTheProtocol has the built-in driver stand behind a
// connector: hub, connector, openinsurance, insurer. What the protocol cannot say
// would be lost on the way.
func TestBuiltInInsurerServedThroughTheProtocol(t *testing.T) {
	t.Parallel()
	insuranceconform.Run(t, func(t *testing.T) insuranceconform.Fixture {
		const key = "the-insurers-own-key"
		s := insuranceconform.NewStand("/api", func(r *http.Request) bool { return r.Header.Get("X-API-Key") == key })
		behind := httptest.NewServer(s)
		t.Cleanup(behind.Close)
		d, err := openinsurance.New(openinsurance.Config{BaseURL: behind.URL + "/api", APIKey: key, WebhookKeys: []string{s.Key()}, Observations: true})
		must(t, err)
		front := insuranceconform.Garbled(connector{d})
		addr := openly(t, front)
		f := insuranceconform.Of(s, addr,
			func(addr string) insurance.Driver { return insuring(t, addr, token, observes, s.Key()) },
			func(addr string) insurance.Driver {
				return insuring(t, addr, "somebody-elses-token", observes, s.Key())
			})
		f.Garble = front.Garble
		return f
	})
}

func TestInsurerWithoutObservationsIsNotAsked(t *testing.T) {
	t.Parallel()
	d := insuring(t, "127.0.0.1:1", token, []string{"statements"})
	if _, ok := d.(insurance.Observer); ok {
		t.Error("an insurer without the feature observations is an Observer")
	}
	if _, ok := d.(insurance.Listener); !ok {
		t.Error("it does not listen")
	}
}

// connector serves a driver by insurance.v1: the whole of a connector's work, but
// for what it must keep.
type connector struct{ d insurance.Driver }

func (c connector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		panic(http.ErrAbortHandler) // half a body is none
	}
	path, ok := strings.CutPrefix(r.URL.Path, "/insurance/v1/")
	steps := strings.Split(path, "/")
	switch {
	case !bearer(r):
		fail(w, 401, "unauthenticated")
	case !ok:
		fail(w, 404, "not_found")
	case r.Method == http.MethodPost:
		c.post(w, r, steps, body)
	default:
		c.get(w, r, steps[0])
	}
}

func (c connector) get(w http.ResponseWriter, r *http.Request, what string) {
	ctx, ref := r.Context(), r.URL.Query().Get("ref")
	switch what {
	case "products":
		all, res := c.d.Products(ctx)
		tell(w, map[string]any{"data": all}, res, "")
	case "policies":
		p, res := c.d.FindPolicy(ctx, ref)
		tell(w, p, res, "policy_not_found")
	case "claims":
		k, res := c.d.FindClaim(ctx, ref)
		tell(w, k, res, "claim_not_found")
	case "statements":
		s, res := c.d.Statement(ctx, r.URL.Query().Get("period"))
		tell(w, s, res, "statement_not_found")
	default:
		fail(w, 404, "not_found")
	}
}

// bodied reads a body, whose ref is the key.
func bodied[T any](w http.ResponseWriter, r *http.Request, body []byte) (in T, ok bool) {
	var named struct{ Ref string }
	if json.Unmarshal(body, &in) != nil || json.Unmarshal(body, &named) != nil || r.Header.Get("Idempotency-Key") != `"`+named.Ref+`"` {
		fail(w, 400, "malformed")
		return in, false
	}
	return in, true
}

func (c connector) post(w http.ResponseWriter, r *http.Request, steps []string, body []byte) {
	ctx, absent := r.Context(), "policy_not_found"
	switch path := strings.Join(steps, "/"); {
	case path == "quotes":
		if in, ok := bodied[insurance.Ask](w, r, body); ok {
			q, res := c.d.Quote(ctx, in)
			tell(w, q, res, absent)
		}
	case path == "policies":
		if in, ok := bodied[insurance.Binding](w, r, body); ok {
			p, res := c.d.Bind(ctx, in)
			tell(w, p, res, absent)
		}
	case path == "claims":
		if in, ok := bodied[insurance.Loss](w, r, body); ok {
			k, res := c.d.Notify(ctx, in)
			tell(w, k, res, absent)
		}
	case len(steps) == 3 && steps[2] == "cancel":
		if in, ok := bodied[insurance.Cancellation](w, r, body); ok {
			in.Policy = steps[1]
			p, res := c.d.Cancel(ctx, in)
			tell(w, p, res, absent)
		}
	case len(steps) == 3 && steps[2] == "observations":
		if in, ok := bodied[insurance.Observation](w, r, body); ok {
			in.Policy = steps[1]
			k, res := c.d.(insurance.Observer).Observe(ctx, in)
			out := map[string]any{"ref": in.Ref, "policy": in.Policy, "claim": nil}
			if k.ID != "" {
				out["claim"] = k
			}
			tell(w, out, res, absent)
		}
	case len(steps) == 5 && steps[4] == "confirm":
		if in, ok := bodied[insurance.Payment](w, r, body); ok {
			in.Policy, in.Period = steps[1], steps[3]
			tell(w, map[string]string{"ref": in.Ref, "policy": in.Policy, "period": in.Period}, c.d.Paid(ctx, in), absent)
		}
	default:
		fail(w, 404, "not_found")
	}
}

// tell answers what an insurer said.
func tell(w http.ResponseWriter, v any, r outbound.Result, absent string) {
	status := map[outbound.Outcome]int{outbound.Succeeded: 200, outbound.Accepted: 202}[r.Outcome]
	switch {
	case r.Outcome == outbound.Declined:
		fail(w, 422, "refused")
		return
	case r.Outcome == outbound.NotFound:
		fail(w, 404, absent)
		return
	case r.Reason == outbound.Differs:
		fail(w, 422, "idempotency_conflict")
		return
	case status == 0:
		w.Header().Set("Retry-After", strconv.Itoa(int(r.RetryAfter/time.Second)))
		fail(w, 503, "unavailable")
		return
	}
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", fmt.Sprint(len(text)))
	w.WriteHeader(status)
	_, _ = w.Write(text)
}
