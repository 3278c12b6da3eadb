package main

import (
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"tiwiza/adapters/insurance"
	"tiwiza/adapters/insurance/openinsurance"
	"tiwiza/pkg/money"
	"tiwiza/pkg/outbound"
)

// tells posts an event as a partner does, and answers with what it was answered.
func (r *rig) tells(t *testing.T, partner string, key ed25519.PrivateKey, body string) int {
	t.Helper()
	stamp := strconv.FormatInt(time.Now().Unix(), 10)
	sig := "v1a," + base64.StdEncoding.EncodeToString(ed25519.Sign(key, []byte("msg_1."+stamp+"."+body)))
	h, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.url+"/callbacks/"+partner+"/events", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{"Content-Type": "application/json", "webhook-id": "msg_1", "webhook-timestamp": stamp, "webhook-signature": sig} {
		h.Header.Set(name, value)
	}
	res, err := r.client.Do(h)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, res.Body)
	return res.StatusCode
}

func insurerAt(id, url, token string) map[string]any {
	return map[string]any{"id": id, "port": "insurance", "url": url, "credentials": map[string]string{"token": token}}
}

// TestInsurerRegisteredByURLWhileTheHubRuns has the stand-in insurer beside the
// built-in one plugged in by its address, with the certificate of hub certify.
func TestInsurerRegisteredByURLWhileTheHubRuns(t *testing.T) {
	t.Parallel()
	seed, trusts := trusted()
	r := newRig(t, "HUB_PARTNERS_KEY="+strings.Repeat("5b", 32), trusts)
	if list := r.shows(t, r.operator(), "/v1/partners"); !strings.Contains(list, `"driver":"openinsurance"`) || !strings.Contains(list, `"port":"insurance"`) {
		t.Errorf("the built-in insurer is not listed: %s", list)
	}
	c, err := askPartners(t.Context(), strings.TrimPrefix(r.sim, "http://"))
	if err != nil || c.Insurance.OpenInsurance == nil {
		t.Fatalf("the stand-ins have no insurer: %v", err)
	}
	r.hearsTheStandIn(t, c.Insurance.OpenInsurance.Config)
	const id = "assurance-exemple"
	at, token := r.sim+"/insurer", c.Insurance.OpenInsurance.APIKey
	r.letIn(t, r, insurerAt(id, at, token), seed, false)
	if got := r.shows(t, r.operator(), "/v1/partners/"+id); !strings.Contains(got, `"state":"live"`) || !strings.Contains(got, `"safeguard":null`) || strings.Contains(got, token) {
		t.Errorf("it shows %s", got)
	}
	_, stranger, _ := ed25519.GenerateKey(nil)
	event := `{"type":"claim.updated","timestamp":"2026-11-22T10:00:00Z","data":{"ref":"CLM-1"}}`
	for partner, want := range map[string]int{insurerName: 401, id: 401, "nobody-at-all": 404} {
		if got := r.tells(t, partner, stranger, event); got != want {
			t.Errorf("a stranger's event of %s is answered %d, want %d", partner, got, want)
		}
	}
}

// hearsTheStandIn binds a policy at the stand-in insurer as the hub does: its event
// comes to the hub, and the hub takes it in.
func (r *rig) hearsTheStandIn(t *testing.T, c openinsurance.Config) {
	t.Helper()
	c.EventsURL = r.url + "/callbacks/" + insurerName + "/events"
	d, err := openinsurance.New(c)
	if err != nil {
		t.Fatal(err)
	}
	i := insurance.New(insurerName, d, insurance.Options{})
	now := time.Now().UTC()
	q, res := i.Quote(t.Context(), insurance.Ask{
		Ref: "ASK-EVENT", Product: "stock-exemple", Version: 1, Insured: "INS-1", Subject: insurance.Subject{Kind: "stock", Ref: "S-1"},
		Sum: money.MustParse("20000.00", money.MAD), Start: now, End: now.AddDate(0, 6, 0),
	})
	if res.Outcome != outbound.Succeeded {
		t.Fatalf("Quote = %+v", res)
	}
	p, res := i.Bind(t.Context(), insurance.Binding{
		Ref: "POL-EVENT", Quote: q.ID, Holder: "Coopérative (exemple)", Consent: insurance.Consent{TextHash: strings.Repeat("ab", 32), At: now}, Payment: "PAY-EVENT",
	})
	if res.Outcome != outbound.Succeeded || p.State != insurance.PolicyActive {
		t.Fatalf("Bind = %+v, %+v", p, res)
	}
	r.until(t, "the insurer's event to be heard", func() bool {
		res, err := http.Get(r.url + "/metrics")
		if err != nil {
			return false
		}
		defer res.Body.Close()
		text, err := io.ReadAll(res.Body)
		return err == nil && strings.Contains(string(text), `hub_http_request_seconds_count{route="callbacks.events",status="204"} 1`)
	})
}

// TestInsurersEventsAreHeard has a connector of the port insurance tell something.
func TestInsurersEventsAreHeard(t *testing.T) {
	t.Parallel()
	r := newRig(t, "HUB_PARTNERS_KEY="+strings.Repeat("5c", 32))
	pub, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		switch q.URL.Path {
		case "/.well-known/hub-connector":
			fmt.Fprintf(w, `{"id":"assurance-simple","owner":"Assurance simple (exemple)","capabilities":[{"name":"insurance","version":"1","features":["statements"]}],"auth":["bearer"],
				"idempotency_retention":"720h","rate_limit":{"per_second":10,"burst":10},"webhook_keys":["whpk_%s"],"sandbox":true}`, base64.StdEncoding.EncodeToString(pub))
		case "/insurance/v1/products":
			fmt.Fprint(w, `{"data":[]}`)
		default:
			http.NotFound(w, q)
		}
	}))
	t.Cleanup(s.Close)
	r.ask(t, req{key: r.operator(), method: "POST", path: "/v1/partners", body: insurerAt("assurance-simple", s.URL, nodeToken), idem: once()}).into(t, nil)
	r.connector(t, "assurance-simple", "test", nil).into(t, nil)
	for body, want := range map[string]int{
		`{"type":"claim.updated","data":{"ref":"CLM-1"}}`:  204,
		`{"type":"policy.issued","data":{"ref":"POL-1"}}`:  204,
		`{"type":"claim.eaten","data":{"ref":"CLM-1"}}`:    400,
		`{"type":"claim.updated","data":{"ref":"CLM 1"}}`:  400,
		`{"type":"claim.updated","data":{"ref":"CLM-1"}}x`: 400,
	} {
		if got := r.tells(t, "assurance-simple", key, body); got != want {
			t.Errorf("%s is answered %d, want %d", body, got, want)
		}
	}
	if a := r.connector(t, "assurance-simple", "resume", map[string]any{"pays": true, "why": "exemple"}); a.Code != "partners.state" {
		t.Errorf("payouts from an insurer: %d %s", a.status, a.Code)
	}
}
