package sim_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// insurance is where the insurer is, and its keys.
type insurance struct {
	BaseURL     string   `json:"base_url"`
	APIKey      string   `json:"api_key"`
	WebhookKeys []string `json:"webhook_keys"`
	Connector   string
}

func (r *rig) insurance() insurance {
	r.t.Helper()
	var c struct {
		Insurance struct{ OpenInsurance insurance }
	}
	r.get("/config", &c)
	return c.Insurance.OpenInsurance
}

// insure makes a call of the insurer; status 0 says that there was no answer.
func (r *rig) insure(method, path, key string, body any, into any) (status int, text string) {
	r.t.Helper()
	at := r.insurance()
	var b []byte
	if body != nil {
		b, _ = json.Marshal(body)
	}
	q, err := http.NewRequest(method, at.BaseURL+path, bytes.NewReader(b))
	if err != nil {
		r.t.Fatal(err)
	}
	q.Header.Set("X-API-Key", at.APIKey)
	if key != "" {
		q.Header.Set("Idempotency-Key", `"`+key+`"`)
	}
	res, err := (&http.Client{Timeout: time.Minute, Transport: &http.Transport{DisableKeepAlives: true}}).Do(q)
	if err != nil {
		return 0, ""
	}
	defer res.Body.Close()
	told, err := io.ReadAll(res.Body)
	if err == nil && into != nil && res.StatusCode < 300 {
		if err := json.Unmarshal(told, into); err != nil {
			r.t.Errorf("%s %s: %v in %s", method, path, err, told)
		}
	}
	return res.StatusCode, string(told)
}

func (r *rig) asks(ref, product, kind, sum string) map[string]any {
	return map[string]any{
		"ref": ref, "product": product, "version": 1, "insured": "INS-1", "subject": map[string]string{"kind": kind, "ref": "S-1", "commune": "Exemple"},
		"sum": map[string]string{"amount": sum, "currency": "MAD"}, "start": time.Now().Add(-time.Hour).UTC(), "end": time.Now().Add(180 * 24 * time.Hour).UTC(),
	}
}

// quoted is the id and the premium of a quote.
func (r *rig) quoted(ref, product, kind, sum string) (id, premium string) {
	r.t.Helper()
	var q struct {
		ID      string
		Premium struct{ Amount string }
	}
	if status, text := r.insure("POST", "/quotes", ref, r.asks(ref, product, kind, sum), &q); status != 201 && status != 200 {
		r.t.Fatalf("quote: %d %s", status, text)
	}
	return q.ID, q.Premium.Amount
}

func binds(ref, quote string) map[string]any {
	return map[string]any{
		"ref": ref, "quote": quote, "holder": "Coopérative exemple", "premium_payment_ref": "PAY-" + ref,
		"consent": map[string]string{"text_hash": strings.Repeat("ab", 32), "at": "2026-11-01T00:00:00Z"},
	}
}

type policyView struct{ ID, Ref, Number, State string }

// bound is a policy of a stock.
func (r *rig) bound(ref string) policyView {
	r.t.Helper()
	quote, _ := r.quoted("Q"+ref, "stock-exemple", "stock", "20000.00")
	var p policyView
	if status, text := r.insure("POST", "/policies", ref, binds(ref, quote), &p); status != 201 {
		r.t.Fatalf("bind: %d %s", status, text)
	}
	return p
}

func losses(ref, policy, amount string) map[string]any {
	return map[string]any{
		"ref": ref, "policy": policy, "event_at": time.Now().UTC(), "type": "fire", "description": "Exemple", "amount": map[string]string{"amount": amount, "currency": "MAD"}, "evidence": []any{},
	}
}

type claimView struct {
	ID, State, Reason string
	Asks              []string
	Amount            struct{ Amount string }
	Transfer          string `json:"transfer_ref"`
}

func (r *rig) claimOf(ref string) (c claimView) {
	r.t.Helper()
	if status, text := r.insure("GET", "/claims?ref="+ref, "", nil, &c); status != 200 {
		r.t.Fatalf("claim: %d %s", status, text)
	}
	return c
}

// heard starts a listener for the insurer's events, whose signatures it checks.
func (r *rig) heard() func() []string {
	r.t.Helper()
	var mu sync.Mutex
	var all []string
	text, _ := strings.CutPrefix(r.insurance().WebhookKeys[0], "whpk_")
	key, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		r.t.Fatal(err)
	}
	s := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, q *http.Request) {
		body, _ := io.ReadAll(q.Body)
		var e struct {
			Type string
			Data struct{ Ref string }
		}
		_ = json.Unmarshal(body, &e)
		sig, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(q.Header.Get("webhook-signature"), "v1a,"))
		said := e.Type + " " + e.Data.Ref
		if !ed25519.Verify(key, append([]byte(q.Header.Get("webhook-id")+"."+q.Header.Get("webhook-timestamp")+"."), body...), sig) {
			said = "forged " + said
			rw.WriteHeader(http.StatusUnauthorized)
		}
		mu.Lock()
		all = append(all, said)
		mu.Unlock()
	}))
	r.t.Cleanup(s.Close)
	if status, text := r.post("/insurer/events", `{"url":"`+s.URL+`"}`); status != 200 {
		r.t.Fatalf("events: %d %s", status, text)
	}
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		return append([]string(nil), all...)
	}
}

// bindsWith binds with a fault armed, expects an answer, and how often it was done.
func bindsWith(status int, text string, times int) play {
	return func(t *testing.T, r *rig) {
		// The fault is of what changes something, so quoting does not play it, unless
		// it is of any call.
		var left struct{ Armed []struct{ Fault string } }
		r.get("/faults", &left)
		fault := left.Armed[0].Fault
		r.post("/faults", `{"partner":"insurer","fault":"`+fault+`","times":0}`)
		quote, premium := r.quoted("Q1", "stock-exemple", "stock", "20000.00")
		r.post("/faults", `{"partner":"insurer","fault":"`+fault+`","times":1}`)
		got, said := r.insure("POST", "/policies", "POL-1", binds("POL-1", quote), nil)
		if got != status || !strings.Contains(said, text) {
			t.Errorf("answered %d %q, want %d %q", got, said, status, text)
		}
		var rows []string
		for range times {
			rows = append(rows, "insurer bind "+premium)
		}
		r.want("POL-1", rows...)
		if again, said := r.insure("POST", "/policies", "POL-1", binds("POL-1", quote), nil); again != 200 && again != 201 {
			t.Errorf("again: %d %s", again, said)
		}
		r.want("POL-1", "insurer bind "+premium)
	}
}

// tells expects events of one policy with a fault armed.
func tells(want ...string) play {
	return func(t *testing.T, r *rig) {
		all := r.heard()
		r.bound("POL-1")
		if len(want) == 0 {
			time.Sleep(400 * time.Millisecond)
			if got := all(); len(got) != 0 {
				t.Errorf("it told %v", got)
			}
			return
		}
		last := time.Now()
		r.wait(func() (bool, string) {
			if time.Since(last) > 500*time.Millisecond {
				last = time.Now()
				r.advance("5s")
			}
			got := all()
			return strings.Join(got, "|") == strings.Join(want, "|"), fmt.Sprintf("it told %q, want %q", got, want)
		})
	}
}

// states expects what a statement says with a fault armed.
func states(check func(status int, s statementView) string) play {
	return func(t *testing.T, r *rig) {
		r.bound("POL-1")
		var s statementView
		status, text := r.insure("GET", "/statements?period="+time.Now().UTC().Format("2006-01"), "", nil, &s)
		if wrong := check(status, s); wrong != "" {
			t.Errorf("%s: %d %s", wrong, status, text)
		}
	}
}

type statementView struct {
	Rows []struct {
		Kind, Ref          string
		Amount, Commission struct{ Amount string }
	}
	Premiums, Commission, Claims, Due struct{ Amount string }
	Next                              string
}

// insurerPlays have one row for each fault of the insurer.
var insurerPlays = map[string]play{
	"drop_request":         bindsWith(0, "", 0),
	"rate_limited":         bindsWith(429, "rate_limited", 0),
	"execute_then_drop":    bindsWith(0, "", 1),
	"execute_then_500":     bindsWith(500, "internal", 1),
	"execute_then_garbage": bindsWith(201, `{"id":"PX0000`, 1),
	"contradicts_itself":   bindsWith(422, "refused", 1),
	"slow_body":            bindsWith(201, `"state":"active"`, 1),
	"execute_late": func(t *testing.T, r *rig) {
		r.post("/faults", `{"partner":"insurer","fault":"execute_late","times":0}`)
		quote, premium := r.quoted("Q1", "stock-exemple", "stock", "20000.00")
		r.post("/faults", `{"partner":"insurer","fault":"execute_late","times":1}`)
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		b, _ := json.Marshal(binds("POL-1", quote))
		q, _ := http.NewRequestWithContext(ctx, "POST", r.insurance().BaseURL+"/policies", bytes.NewReader(b))
		q.Header.Set("X-API-Key", r.insurance().APIKey)
		q.Header.Set("Idempotency-Key", `"POL-1"`)
		if res, err := http.DefaultTransport.RoundTrip(q); err == nil {
			res.Body.Close()
			t.Errorf("it answered %s", res.Status)
		}
		if got := r.truth("POL-1"); len(got) != 0 {
			t.Errorf("it was done at once: %v", got)
		}
		r.advance("41s")
		r.want("POL-1", "insurer bind "+premium)
	},
	"not_found_then_visible": func(t *testing.T, r *rig) {
		r.bound("POL-1")
		for _, want := range []int{404, 404} {
			if got, text := r.insure("GET", "/policies?ref=POL-1", "", nil, nil); got != want {
				t.Errorf("at first: %d %s", got, text)
			}
		}
		r.advance("11m")
		if got, text := r.insure("GET", "/policies?ref=POL-1", "", nil, nil); got != 200 {
			t.Errorf("later: %d %s", got, text)
		}
	},
	"key_expires": func(t *testing.T, r *rig) {
		p := r.bound("POL-1")
		r.post("/faults", `{"partner":"insurer","fault":"key_expires","times":1}`)
		body := binds("POL-1", "QX000001")
		if got, text := r.insure("POST", "/policies", "POL-1", body, nil); got != 200 {
			t.Errorf("on the same day: %d %s", got, text)
		}
		r.want("POL-1", "insurer bind 40.00")
		r.advance("73h")
		// The quote is over by then; the reference is forgotten, and nothing is bound.
		if got, text := r.insure("POST", "/policies", "POL-1", body, nil); got != 422 || !strings.Contains(text, "quote_expired") {
			t.Errorf("after a day %s is answered %d %s", p.Ref, got, text)
		}
	},
	"same_ref_other_amount": func(t *testing.T, r *rig) {
		p := r.bound("POL-1")
		r.insure("POST", "/claims", "CLM-1", losses("CLM-1", p.ID, "1500.07"), nil)
		r.advance("3s")
		r.want("CLM-1", "insurer claim 1500.07", "insurer claim_paid 999.07")
		if c := r.claimOf("CLM-1"); c.Amount.Amount != "1000.07" {
			t.Errorf("the claim is %+v", c)
		}
	},
	"callback_before_answer": func(t *testing.T, r *rig) {
		all := r.heard()
		r.bound("POL-1")
		if got := all(); len(got) != 1 || got[0] != "policy.issued POL-1" {
			t.Errorf("before it answered it told %v", got)
		}
	},
	"callback_missing":   tells(),
	"bad_signature":      tells("forged policy.issued POL-1", "policy.issued POL-1"),
	"answer_twice":       tells("policy.issued POL-1", "policy.issued POL-1"),
	"replayed_callback":  tells("policy.issued POL-1", "policy.issued POL-1"),
	"callbacks_shuffled": tells("policy.issued POL-1", "claim.updated POL-1"),
	"statement_missing":  states(func(status int, _ statementView) string { return map[bool]string{status != 404: "it is there"}[true] }),
	"statement_twice": states(func(_ int, s statementView) string {
		return map[bool]string{len(s.Rows) != 2: "no row comes twice"}[true]
	}),
	"statement_net_of_fee": states(func(_ int, s statementView) string {
		return map[bool]string{len(s.Rows) != 1 || s.Rows[0].Amount == s.Premiums: "premiums are whole"}[true]
	}),
}

func TestTheInsurerKeepsWhatItDidOverARestart(t *testing.T) {
	t.Parallel()
	r := start(t, time.Hour)
	all := r.heard()
	var offered struct {
		Data []struct {
			ID, Line  string
			Names     map[string]string
			Documents []struct{ Kind, Lang, URL, SHA256 string }
			Trigger   *struct{ Index string }
		}
	}
	r.insure("GET", "/products", "", nil, &offered)
	var lines []string
	for _, p := range offered.Data {
		lines = append(lines, p.Line)
		for _, d := range p.Documents {
			res, err := http.Get(d.URL)
			if err != nil {
				t.Fatal(err)
			}
			b, _ := io.ReadAll(res.Body)
			res.Body.Close()
			if sum := sha256.Sum256(b); hex.EncodeToString(sum[:]) != d.SHA256 || !strings.Contains(string(b), p.Names[d.Lang]) {
				t.Errorf("the sheet %s is not what its hash says: %.80s", d.URL, b)
			}
		}
		if len(p.Documents) != 3 || p.Names["ar"] == "" || p.Names["en"] == "" || (p.Line == "crop") != (p.Trigger != nil) {
			t.Errorf("the product %+v", p)
		}
	}
	if strings.Join(lines, " ") != "parcel stock crop health" {
		t.Errorf("the lines are %v", lines)
	}
	p := r.bound("POL-1")
	r.restart()
	if again := r.bound("POL-2"); again.ID == p.ID {
		t.Error("two policies have one name after a restart")
	}
	var same policyView
	if status, text := r.insure("POST", "/policies", "POL-1", binds("POL-1", "QX000001"), &same); status != 200 || same.ID != p.ID || same.Number != p.Number {
		t.Errorf("bound again after a restart: %d %s", status, text)
	}
	if status, text := r.insure("POST", "/policies", "POL-1", binds("POL-1", "QX000002"), nil); status != 422 || !strings.Contains(text, "idempotency_conflict") {
		t.Errorf("the reference for another quote: %d %s", status, text)
	}
	// A claim is decided by a person, and its money comes in at the bank.
	r.insure("POST", "/claims", "CLM-1", losses("CLM-1", p.ID, "1500.00"), nil)
	if status, text := r.post("/insurer/claims", `{"ref":"CLM-1","decision":"ask","papers":["photo"]}`); status != 200 || !strings.Contains(text, `"asks":["photo"]`) {
		t.Errorf("asking for papers: %d %s", status, text)
	}
	if status, _ := r.post("/insurer/claims", `{"ref":"CLM-1","decision":"reject"}`); status != 422 {
		t.Errorf("rejected without a reason: %d", status)
	}
	if status, text := r.post("/insurer/claims", `{"ref":"CLM-1","decision":"accept","amount":"800.00"}`); status != 200 || !strings.Contains(text, `"800.00"`) {
		t.Errorf("accepting: %d %s", status, text)
	}
	if status, _ := r.post("/insurer/claims", `{"ref":"CLM-1","decision":"accept"}`); status != 422 {
		t.Errorf("decided twice: %d", status)
	}
	r.advance("3s")
	r.want("CLM-1", "insurer claim 1500.00", "insurer claim_paid 800.00")
	c := r.claimOf("CLM-1")
	if c.State != "paid" || c.Transfer == "" {
		t.Fatalf("the claim is %+v", c)
	}
	r.want(c.Transfer, "bank credit 800.00")
	if text := r.file("out", "CAMT053_999780000000000000010193"); !strings.Contains(text, c.Transfer) {
		t.Errorf("the bank's statement does not show %s", c.Transfer)
	}
	// What is cancelled in time is given back, and the statement adds up.
	if status, text := r.insure("POST", "/policies/"+p.ID+"/cancel", "CAN-1", map[string]string{"ref": "CAN-1", "reason": "essai"}, nil); status != 200 || !strings.Contains(text, `"cancelled"`) || !strings.Contains(text, `"40.00"`) {
		t.Errorf("cancelling: %d %s", status, text)
	}
	var s statementView
	r.insure("GET", "/statements?period="+time.Now().UTC().Format("2006-01"), "", nil, &s)
	if len(s.Rows) != 4 || s.Premiums.Amount != "80.00" || s.Claims.Amount != "800.00" || s.Commission.Amount != "4.21" || s.Due.Amount != "35.79" {
		t.Errorf("the statement is %+v", s)
	}
	r.wait(func() (bool, string) {
		got := strings.Join(all(), "|")
		ok := true
		for _, want := range []string{"policy.issued POL-1", "policy.issued POL-2", "claim.updated CLM-1", "payout.due CLM-1", "payout.sent CLM-1", "policy.cancelled POL-1"} {
			ok = ok && strings.Contains(got, want)
		}
		return ok && !strings.Contains(got, "forged"), "it told " + got
	})
}

func TestTheInsurersMagicAmounts(t *testing.T) {
	t.Parallel()
	r := start(t, time.Hour)
	if status, text := r.insure("POST", "/quotes", "Q1", r.asks("Q1", "stock-exemple", "stock", "20000.01"), nil); status != 422 || !strings.Contains(text, "not_insured") {
		t.Errorf("01: %d %s", status, text)
	}
	quote, _ := r.quoted("Q2", "stock-exemple", "stock", "20000.02")
	if status, text := r.insure("POST", "/policies", "POL-2", binds("POL-2", quote), nil); status != 202 || !strings.Contains(text, `"pending"`) {
		t.Errorf("02: %d %s", status, text)
	}
	quote, _ = r.quoted("Q3", "stock-exemple", "stock", "20000.03")
	if status, _ := r.insure("POST", "/policies", "POL-3", binds("POL-3", quote), nil); status != 0 {
		t.Errorf("03: %d", status)
	}
	quote, _ = r.quoted("Q4", "stock-exemple", "stock", "20000.04")
	if status, text := r.insure("POST", "/policies", "POL-4", binds("POL-4", quote), nil); status != 422 || !strings.Contains(text, "underwriter") {
		t.Errorf("04: %d %s", status, text)
	}
	if status, text := r.insure("GET", "/policies?ref=POL-4", "", nil, nil); status != 404 {
		t.Errorf("what was refused is there: %d %s", status, text)
	}
	var p policyView
	r.insure("GET", "/policies?ref=POL-3", "", nil, &p)
	for ref, amount := range map[string]string{"C1": "900.01", "C2": "900.02", "C5": "900.00"} {
		if status, text := r.insure("POST", "/claims", ref, losses(ref, p.ID, amount), nil); status != 201 {
			t.Errorf("%s: %d %s", amount, status, text)
		}
	}
	end := func() { r.insure("POST", "/sandbox/day-end", "", map[string]string{}, nil) }
	end()
	if r.insure("GET", "/policies?ref=POL-2", "", nil, &p); p.State != "active" {
		t.Errorf("after the day it is %+v", p)
	}
	if c := r.claimOf("C1"); c.State != "rejected" || c.Reason == "" {
		t.Errorf("01 is %+v", c)
	}
	if c := r.claimOf("C2"); c.State != "review" || len(c.Asks) != 1 {
		t.Errorf("02 is %+v", c)
	}
	end()
	end()
	for _, ref := range []string{"C2", "C5"} {
		if c := r.claimOf(ref); c.State != "paid" {
			t.Errorf("%s is %+v", ref, c)
		}
	}
	// Rain: below 40 mm the season's policy pays by itself, once.
	quote, _ = r.quoted("QR", "recolte-exemple", "crop", "10000.00")
	r.insure("POST", "/policies", "POL-R", binds("POL-R", quote), &p)
	see := func(ref, value string) (int, string) {
		return r.insure("POST", "/policies/"+p.ID+"/observations", ref, map[string]string{
			"ref": ref, "policy": p.ID, "index": "rain_mm", "source": "Station", "place": "Exemple", "period": "2026-11", "value": value, "signature": "c2ln",
		}, nil)
	}
	if status, text := see("OBS-1", "61.2"); status != 201 || !strings.Contains(text, `"claim":null`) {
		t.Errorf("enough rain: %d %s", status, text)
	}
	if status, text := see("OBS-2", "12.5"); status != 201 || !strings.Contains(text, `"2000.00"`) {
		t.Errorf("a drought: %d %s", status, text)
	}
	if status, text := see("OBS-3", "3.0"); status != 201 || !strings.Contains(text, `"claim":null`) {
		t.Errorf("the drought again: %d %s", status, text)
	}
	// Months without a premium let a policy lapse.
	r.advance("1800h")
	if r.insure("GET", "/policies?ref=POL-2", "", nil, &p); p.State != "lapsed" {
		t.Errorf("unpaid it is %+v", p)
	}
	if status, text := r.insure("GET", "/policies?ref=none", "", nil, nil); status != 404 || !strings.Contains(text, "policy_not_found") {
		t.Errorf("none: %d %s", status, text)
	}
	// The page shows it and lets a person choose.
	res, err := http.Get(r.url + "/insurer")
	if err != nil {
		t.Fatal(err)
	}
	page, _ := io.ReadAll(res.Body)
	res.Body.Close()
	for _, want := range []string{"POL-2", "rejected", "/?partenaire=insurer"} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	res, err = http.PostForm(r.url+"/insurer/page", map[string][]string{"decision": {"accept"}, "ref": {"C1"}})
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != 422 {
		t.Errorf("a claim that was decided is decided again: %s", res.Status)
	}
	if res, err = (&http.Client{Timeout: time.Minute}).Get(r.insurance().BaseURL + "/products"); err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != 401 {
		t.Errorf("without a key: %s", res.Status)
	}
}
