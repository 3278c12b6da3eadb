package main

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tiwiza/adapters/bank/paperbank"
	"tiwiza/pkg/certificate"
	"tiwiza/pkg/outbound/netfault"
)

const nodeToken, nodeNext = "a-token-for-the-sandbox", "the-next-token-for-it"

// ribs are account numbers that nobody else uses.
var ribs atomic.Int64

func newRIB() string { return paperbank.RIB(int(900_000 + ribs.Add(1))) }

// A sandbox is a sample bank that runs beside the hub.
type sandbox struct {
	url, dir, addr string
	cmd            *exec.Cmd
	env            []string
}

// startBank runs the sample bank with accounts of their own.
func startBank(t *testing.T, accounts ...string) *sandbox {
	t.Helper()
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("there is no node, with which the sample bank runs: apt-get install nodejs")
	}
	s := &sandbox{dir: t.TempDir(), addr: netfault.FreeAddr(t)}
	_, port, _ := strings.Cut(s.addr, ":")
	all := "001810007800020110620318=100000000"
	for _, a := range accounts {
		all += "," + a + "=0"
	}
	s.env = append(os.Environ(), "PORT="+port, "TOKENS="+nodeToken+","+nodeNext, "ACCOUNTS="+all, "DAY_END=3000") // a certifier that reads the report of what waits is quicker
	s.run(t)
	t.Cleanup(s.kill)
	return s
}

func (s *sandbox) run(t *testing.T) {
	t.Helper()
	program, err := filepath.Abs("../../docs/partner/examples/bank-node/server.mjs")
	if err != nil {
		t.Fatal(err)
	}
	s.cmd = exec.Command("node", program)
	s.cmd.Dir, s.cmd.Env = s.dir, s.env
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the sample bank does not start: %v", err)
	}
	s.url = strings.TrimSpace(line)
}

// kill ends the bank as a power cut would.
func (s *sandbox) kill() { _ = s.cmd.Process.Kill(); _ = s.cmd.Wait() }

// post asks the bank itself for something.
func (s *sandbox) post(t *testing.T, path string, body any) {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+path, bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+nodeToken)
	res, err := (&http.Client{Timeout: 10 * time.Second}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if said, _ := io.ReadAll(res.Body); res.StatusCode >= 300 {
		t.Fatalf("the sample bank answers %d %s", res.StatusCode, said)
	}
}

// paid is how often the bank's own file says that it paid a reference.
func (s *sandbox) paid(t *testing.T, ref string) int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(s.dir, "bank.journal"))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, `{"what":"moved"`) && strings.Contains(line, `"ref":"`+ref+`"`) {
			n++
		}
	}
	return n
}

func plugsIn(id, url, safeguard, operating string) map[string]any {
	return map[string]any{
		"id": id, "port": "bank", "url": url, "credentials": map[string]string{"token": nodeToken},
		"safeguard": map[string]string{"rib": safeguard, "name": "Clients (exemple)"}, "operating": map[string]string{"rib": operating, "name": "Tiwiza (exemple)"},
	}
}

// connector does something with a registered partner, as the operator.
func (r *rig) connector(t *testing.T, id, verb string, body any) answer {
	t.Helper()
	return r.ask(t, req{key: r.operator(), method: "POST", path: "/v1/partners/" + id + "/" + verb, body: body, idem: once()})
}

// live has two people let money through.
func (r *rig) live(t *testing.T, id string, pays bool) {
	t.Helper()
	var v struct{ Approval string }
	r.connector(t, id, "resume", map[string]any{"pays": pays, "why": "exemple"}).into(t, &v)
	yes := req{key: r.keys.SecondOperator.APIKey, method: "POST", path: "/v1/approvals/" + v.Approval, body: map[string]string{"decision": "approve"}, idem: once()}
	r.ask(t, yes).into(t, nil)
}

// TestBankRegisteredByURLTakesTheNextPayout has a bank that nobody had heard of
// pay, while two hubs run.
func TestBankRegisteredByURLTakesTheNextPayout(t *testing.T) {
	t.Parallel()
	safeguard, operating := newRIB(), newRIB()
	node := startBank(t, safeguard, operating)
	seed, trusts := trusted()
	one := newRig(t, "HUB_PARTNERS_KEY="+strings.Repeat("5b", 32), trusts)
	two := one.second(t)
	one.letIn(t, two, plugsIn("bank-node", node.url, safeguard, operating), seed, true)
	if list := one.shows(t, one.operator(), "/v1/partners"); !strings.Contains(list, `"bank-node"`) || !strings.Contains(list, `"state":"live"`) {
		t.Errorf("the other hub lists %s", list)
	}
	node.post(t, "/bank/v1/sandbox/credits", map[string]any{"id": "DEPOSIT1", "account": safeguard, "amount": dirhams("500.00"), "info": "exemple"})

	s := one.seller(t)
	one.earn(t, s, "300.00")
	pays := func(r *rig, amount string, node *sandbox, times int) {
		t.Helper()
		p := r.payout(t, s, amount)
		one.until(t, "the payout of "+amount, func() bool { return one.payoutOf(t, s, p.ID).State == "paid" })
		if got := node.paid(t, p.Ref); got != times {
			t.Errorf("the new bank paid %s %d times, want %d", amount, got, times)
		}
	}
	pays(two, "50.00", node, 1)
	// Its credentials change, without a restart.
	one.connector(t, "bank-node", "credentials", map[string]any{"credentials": map[string]string{"token": nodeNext}}).into(t, nil)
	pays(one, "31.10", node, 1)
	one.lendsByItsSystem(t, two, "bank-node")
	// Its answer is lost after it paid (03); the hub asks, and does not pay again.
	pays(two, "20.03", node, 1)
	// It is down when a payout is wanted, and comes back with what it knew.
	node.kill()
	p := one.payout(t, s, "12.00")
	time.Sleep(3 * time.Second) // until a file was tried
	node.run(t)
	one.until(t, "the payout after the bank came back", func() bool { return one.payoutOf(t, s, p.ID).State == "paid" })
	if got := node.paid(t, p.Ref); got != 1 {
		t.Errorf("after it came back it paid %d times, want 1", got)
	}
	// What it refuses goes back to the seller.
	p = two.payout(t, s, "10.01")
	one.until(t, "the refusal", func() bool { return one.payoutOf(t, s, p.ID).State == "rejected" })
	// Paused, it pays nothing; the bank that is built in does.
	two.connector(t, "bank-node", "pause", map[string]any{}).into(t, nil)
	pays(one, "10.00", node, 0)
	if got := one.shows(t, one.operator(), "/v1/ledger/accounts/bank:bank-node:safeguard"); !strings.Contains(got, `"386.87"`) {
		t.Errorf("the books have at the new bank %s, want 500.00 − 50.00 − 31.10 − 20.03 − 12.00", got)
	}
	one.verify(t)
}

// A plain connector is one that certification never saw: enough of bank.v1 for a
// test of the routes.
type plain struct {
	*httptest.Server
	key ed25519.PrivateKey
}

func newPlain(t *testing.T, id string) plain {
	t.Helper()
	pub, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/.well-known/hub-connector":
			fmt.Fprintf(w, `{"id":%q,"owner":"Banque exemple","capabilities":[{"name":"bank","version":"1","features":["reports"]}],"auth":["bearer"],
				"idempotency_retention":"720h","rate_limit":{"per_second":10,"burst":10},"webhook_keys":["whpk_%s"],"sandbox":true}`, id, base64.StdEncoding.EncodeToString(pub))
		case "/bank/v1/messages":
			fmt.Fprint(w, `{"data":[]}`)
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(s.Close)
	return plain{s, key}
}

// plugs registers a plain connector and answers its name.
func (r *rig) plugs(t *testing.T) (id string, at plain) {
	t.Helper()
	id = "exemple-" + strings.ToLower(strconv.FormatInt(ribs.Add(1), 36))
	at = newPlain(t, id)
	r.ask(t, req{key: r.operator(), method: "POST", path: "/v1/partners", body: plugsIn(id, at.URL, newRIB(), newRIB()), idem: once()}).into(t, nil)
	return id, at
}

// proof is a certificate of a bank, signed by a key that the hub trusts.
func (r *rig) proof(t *testing.T, id string, level certificate.Level) map[string]string {
	t.Helper()
	return r.signed(t, certificate.Certificate{Connector: id, Protocol: "bank.v1", Features: []string{"reports"}, Level: level})
}

// signed is a certificate that is valid from now on, signed likewise.
func (r *rig) signed(t *testing.T, c certificate.Certificate) map[string]string {
	t.Helper()
	key, err := certifierKey("", r.dir)
	if err != nil {
		t.Fatal(err)
	}
	c.Remembers, c.IssuedAt, c.ExpiresAt = "720h", time.Now(), time.Now().Add(certificate.Lifetime)
	text, err := certificate.Sign(key, c)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]string{"certificate": text}
}

// trusted is a key whose certificates a hub trusts that was told so by env.
func trusted() (seed, env string) {
	seed = strings.Repeat("7a", ed25519.SeedSize)
	raw, _ := hex.DecodeString(seed)
	return seed, "HUB_CERTIFIERS_KEYS=" + hex.EncodeToString(ed25519.NewKeyFromSeed(raw).Public().(ed25519.PublicKey))
}

// letIn registers a connector at one hub, has hub certify prove it, and has two people
// let it live at another, where money may come or leave by it first.
func (r *rig) letIn(t *testing.T, two *rig, body map[string]any, seed string, pays bool, more ...string) {
	t.Helper()
	id, at, token := body["id"].(string), body["url"].(string), body["credentials"].(map[string]string)["token"]
	r.ask(t, req{key: r.operator(), method: "POST", path: "/v1/partners", body: body, idem: once()}).into(t, nil)
	two.connector(t, id, "test", nil).into(t, nil)
	if a := r.connector(t, id, "resume", map[string]any{"pays": pays, "why": "exemple"}); a.Code != "partners.uncertified" {
		t.Fatalf("an uncertified connector may be live: %d %s", a.status, a.Code)
	}
	proof := filepath.Join(t.TempDir(), "certificate")
	if out, code := r.command(t, append([]string{"certify", at, "--token", token, "--sign-key", seed, "--out", proof}, more...)...); code != 0 || !strings.Contains(out, "reached C5") {
		t.Fatalf("hub certify exits %d\n%s", code, out)
	}
	text, err := os.ReadFile(proof)
	if err != nil {
		t.Fatal(err)
	}
	two.connector(t, id, "certificate", map[string]string{"certificate": string(text)}).into(t, nil)
	two.live(t, id, pays)
}

// standsIn registers a stand-in and has it live.
func (r *rig) standsIn(t *testing.T, body map[string]any, features ...string) {
	t.Helper()
	id := body["id"].(string)
	r.ask(t, req{key: r.operator(), method: "POST", path: "/v1/partners", body: body, idem: once()}).into(t, nil)
	r.connector(t, id, "test", nil).into(t, nil)
	c := certificate.Certificate{Connector: id, Protocol: body["port"].(string) + ".v1", Features: append(features, "statements", "events", "sandbox"), Level: certificate.Security}
	r.connector(t, id, "certificate", r.signed(t, c)).into(t, nil)
	r.live(t, id, true)
}

// proved is a plain connector that was tested and certified.
func (r *rig) proved(t *testing.T) string {
	t.Helper()
	id, _ := r.plugs(t)
	r.connector(t, id, "test", nil).into(t, nil)
	r.connector(t, id, "certificate", r.proof(t, id, certificate.Security)).into(t, nil)
	return id
}

// pluggedIn holds the routes of partners to what they promise.
func pluggedIn(t *testing.T, r *rig, _ trade) {
	id, at := r.plugs(t)
	if a := r.connector(t, id, "certificate", r.proof(t, id, certificate.Security)); a.Code != "partners.untested" {
		t.Errorf("certified before it was tested: %d %s", a.status, a.Code)
	}
	r.connector(t, id, "test", nil).into(t, nil)
	if a := r.connector(t, id, "certificate", r.proof(t, id, certificate.Function)); a.Code != "partners.certificate" {
		t.Errorf("a certificate that is too low: %d %s", a.status, a.Code)
	}
	r.connector(t, id, "certificate", r.proof(t, id, certificate.Security)).into(t, nil)
	r.live(t, id, false)
	if got := r.shows(t, r.operator(), "/v1/partners/"+id); !strings.Contains(got, `"state":"live"`) || strings.Contains(got, nodeToken) {
		t.Errorf("it shows %s", got)
	}
	if a := r.ask(t, req{key: r.operator(), method: "GET", path: "/v1/partners/none-such"}); a.status != 404 {
		t.Errorf("a partner that is not there: %d", a.status)
	}
	if a := r.ask(t, req{key: r.seller(t).key, method: "GET", path: "/v1/partners/" + id}); a.status != 403 {
		t.Errorf("a seller sees a partner: %d", a.status)
	}
	for url, want := range map[string]int{"http://169.254.169.254": 422, "https://10.1.2.3": 422, "ftp://bank.example": 422, at.URL + "?x=1": 422} {
		if a := r.ask(t, req{key: r.operator(), method: "POST", path: "/v1/partners", body: plugsIn("exemple-private", url, newRIB(), newRIB()), idem: once()}); a.status != want {
			t.Errorf("%s is registered: %d %s", url, a.status, a.Code)
		}
	}
	r.hears(t, id, at)
	r.connector(t, id, "pause", map[string]any{}).into(t, nil)
	if a := r.connector(t, id, "pause", map[string]any{}); a.Code != "partners.state" {
		t.Errorf("paused twice: %d %s", a.status, a.Code)
	}
}

// hears has the hub hear the connector's events, and nobody else's.
func (r *rig) hears(t *testing.T, id string, at plain) {
	t.Helper()
	send := func(key ed25519.PrivateKey, when time.Time) int {
		body, stamp := `{"type":"message.waiting"}`, strconv.FormatInt(when.Unix(), 10)
		sig := "v1a," + base64.StdEncoding.EncodeToString(ed25519.Sign(key, []byte("msg_1."+stamp+"."+body)))
		h, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.url+"/callbacks/"+id+"/events", strings.NewReader(body))
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
		return res.StatusCode
	}
	_, stranger, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := send(at.key, time.Now()); got != 204 {
		t.Errorf("a signed event is answered %d, want 204", got)
	}
	if got := send(stranger, time.Now()); got != 401 {
		t.Errorf("a stranger's event is answered %d, want 401", got)
	}
	if got := send(at.key, time.Now().Add(-time.Hour)); got != 401 {
		t.Errorf("an old event is answered %d, want 401", got)
	}
}

// onPartner is a change of a registered partner.
func (o *onceRig) onPartner(id, verb string, body, bad, other any) posting {
	p := o.second(body, bad, other)
	p.path = "/v1/partners/" + id + "/" + verb
	done := map[string]string{"credentials": "rotate", "certificate": "certify", "resume": "resume", "pause": "pause"}
	p.effect, p.of = trail("partners."+done[verb], id)
	return p.moved()
}

func init() {
	postings["partners.register"] = func(t *testing.T, o *onceRig) posting {
		id := "exemple-" + strconv.FormatInt(ribs.Add(1), 36)
		at, a, b := newPlain(t, id), newRIB(), newRIB()
		p := o.second(plugsIn(id, at.URL, a, b), plugsIn(id, at.URL, a, a), plugsIn(id, at.URL+"/other", a, b))
		p.path = "/v1/partners"
		p.effect, p.of = trail("partners.register", id)
		return p.moved()
	}
	token := func(s string) map[string]any { return map[string]any{"credentials": map[string]string{"token": s}} }
	postings["partners.rotate"] = func(t *testing.T, o *onceRig) posting {
		id, _ := o.plugs(t)
		return o.onPartner(id, "credentials", token("another-token-of-it-1"), token("x"), token("another-token-of-it-2"))
	}
	postings["partners.certify"] = func(t *testing.T, o *onceRig) posting {
		id, _ := o.plugs(t)
		o.connector(t, id, "test", nil).into(t, nil)
		return o.onPartner(id, "certificate", o.proof(t, id, certificate.Security), o.proof(t, id, certificate.Contract), o.proof(t, id, certificate.Security))
	}
	postings["partners.resume"] = func(t *testing.T, o *onceRig) posting {
		with := func(why string) map[string]any { return map[string]any{"why": why} }
		return o.onPartner(o.proved(t), "resume", with("exemple"), with(""), with("autre"))
	}
	postings["partners.pause"] = func(t *testing.T, o *onceRig) posting {
		one, other := o.proved(t), o.proved(t)
		for _, id := range []string{one, other} {
			o.live(t, id, false)
		}
		p := o.onPartner(one, "pause", map[string]any{}, nil, nil)
		p.bad, p.other = p.at("/v1/partners/none-such/pause", map[string]any{}), p.at("/v1/partners/"+other+"/pause", map[string]any{})
		p.bad.key, p.other.key = p.key, p.key
		return p
	}
}
