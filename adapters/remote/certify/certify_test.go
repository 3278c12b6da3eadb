package certify_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tiwiza/adapters/remote"
	"tiwiza/adapters/remote/certify"
	"tiwiza/pkg/certificate"
	"tiwiza/pkg/outbound/netfault"
)

const (
	token  = "a-token-for-the-sandbox"
	sample = "../../../docs/partner/examples/bank-node/server.mjs"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func cases(t testing.TB) certify.Cases {
	t.Helper()
	return casesOf(t, "bank.v1")
}

// casesOf are the cases of a protocol.
func casesOf(t testing.TB, protocol string) certify.Cases {
	t.Helper()
	text, err := os.ReadFile("../../../docs/partner/cases/" + protocol + ".yaml")
	must(t, err)
	c, err := certify.Read(text)
	must(t, err)
	return c
}

// start runs the sample bank, changed as told, and answers its address.
func start(t testing.TB, change func(string) string, env ...string) (url, dir string) {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("there is no node, with which the sample bank runs: apt-get install nodejs")
	}
	source, err := os.ReadFile(sample)
	must(t, err)
	dir = t.TempDir()
	program := filepath.Join(dir, "server.mjs")
	must(t, os.WriteFile(program, []byte(change(string(source))), 0o600))
	return run(t, node, dir, env...), dir
}

func run(t testing.TB, node, dir string, env ...string) string {
	t.Helper()
	cmd := exec.Command(node, "server.mjs")
	cmd.Dir, cmd.Env = dir, append(append(os.Environ(), "PORT=0", "TOKENS="+token), env...)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the sample bank does not start: %v %s", err, said.String())
	}
	return strings.TrimSpace(line)
}

func as(s string) string { return s }

func options(url, events string) certify.Options {
	return certify.Options{
		URL: url, Credentials: remote.Credentials{Token: token}, Account: "001810007800020110620318", To: "011519000001205000534921",
		Level: certificate.Security, Seed: 7, Now: time.Now, Listen: events,
	}
}

// certified plays all cases against the sample bank, changed as told.
func certified(t testing.TB, change func(string) string) certify.Report {
	t.Helper()
	events := netfault.FreeAddr(t)
	url, _ := start(t, change, "EVENTS=http://"+events)
	r, err := certify.Run(t.Context(), cases(t), options(url, events))
	must(t, err)
	return r
}

func TestSampleBankIsCertified(t *testing.T) {
	t.Parallel()
	r := certified(t, as)
	for _, one := range r.Results {
		if !one.Passed {
			t.Errorf("%s", one.Line())
		}
	}
	c, ok := r.Certificate()
	if !ok || r.Level != certificate.Security || c.Connector != "bank-node" || c.Remembers != "720h0m0s" || len(c.Features) != 5 {
		t.Errorf("level %q, certificate %+v", r.Level, c)
	}
	var b bytes.Buffer
	must(t, r.JUnit(&b))
	if err := xml.Unmarshal(b.Bytes(), new(struct{})); err != nil || !strings.Contains(b.String(), `failures="0"`) {
		t.Errorf("JUnit: %v\n%s", err, b.String())
	}
}

// TestPlantedDefectsAreNamed changes one line of the sample bank at a time: the
// cases must say which.
func TestPlantedDefectsAreNamed(t *testing.T) {
	t.Parallel()
	for name, d := range map[string]struct{ old, new, fails, says string }{
		"no owner":                 {`owner: 'Banque exemple (Node)',`, ``, "C1-01", "/owner"},
		"errors are plain text":    {`'content-type': 'application/problem+json' }).end(body)`, `'content-type': 'text/plain' }).end(r.message)`, "C1-02", "batch_not_found"},
		"no hash":                  {`sha256: b.sha256, state`, `state`, "C1-03", "sha256"},
		"the sum is not looked at": {`if (centimes(b.total) !== total)`, `if (false)`, "C1-04", "201"},
		"nothing is refused":       {`p.centimes.endsWith('01') ? 'AC04'`, `false ? 'AC04'`, "C2-02", "want rejected"},
		"any hash acknowledges":    {`if (sum !== hash(m.text)) throw`, `if (false) throw`, "C2-04", "another message's hash"},
		"executes again":           {`if (had) {`, `if (false) {`, "C3-01", ""},
		"takes other bytes":        {`if (had.sha256 !== hash(body)) throw`, `if (false) throw`, "C3-02", "422"},
		"lost with its answer":     {`  write({ what: 'batch', batch }, ...execute(batch))`, `  if (payments.some(p => p.centimes.endsWith('03'))) return { status: 201, batch, lost: true }` + "\n" + `  write({ what: 'batch', batch }, ...execute(batch))`, "C3-03", "404"},
		"half a batch is taken":    {`req.on('end', () => { if (req.complete) whole() })`, `req.on('end', whole); req.on('close', () => { if (!req.complete) take2(req, parts) })` + "\n" + halfTaken, "C3-05", "batch"},
		"a line is forgotten":      {`const entries = a.moves.map(`, `const entries = a.moves.filter((m, i) => a.moves.length < 50 || i > 0).map(`, "C4-01", "closing"},
		"a payment twice":          {`const entries = a.moves.map(`, `if (a.moves.length > 50) { const m = a.moves[1]; a.moves.push({ ...m, id: m.id + 'x' }); a.balance += BigInt(m.centimes) }` + "\n    " + `const entries = a.moves.map(`, "C4-01", "more than once"},
		"anybody is let in":        {`return tokens.some(`, `return true || tokens.some(`, "C5-01", "401"},
		"errors tell secrets":      {`'Sign in with a valid token.'`, "`Not let in: ${req.headers.authorization}`", "C5-02", "secret"},
		"an application twice":     {`if (taken) {`, `if (taken && taken.state === 'offered') {`, "C3-20", ""},
		"another application":      {`if (taken.sha256 !== hash(body)) throw`, `if (false) throw`, "C3-20", "422"},
		"an application is lost":   {`  write({ what: 'application', application: a })`, `  if (last !== '03') write({ what: 'application', application: a })`, "C3-21", "not_found"},
		"a word is not heard":      {`answers: [...a.answers, n] }`, `answers: a.answers }`, "C2-20", "answers must list it"},
		"an account without a RIB": {`account: { rib: openRIB(a.id), holder: a.holder }`, `account: undefined`, "C2-21", "with its RIB"},
		"a RIB that does not fit":  {`(97n - (BigInt(head + '00') % 97n))`, `(96n - (BigInt(head + '00') % 97n))`, "C2-21", "key of this RIB"},
		"no reason to refuse":      {`, reason: 'Le projet ne correspond pas à nos critères.'`, ``, "C2-21", "without a reason"},
		"events are not signed":    {"sign(null, Buffer.from(`${id}.${at}.${body}`)", "sign(null, Buffer.from(`${id}.${body}`)", "C5-03", "not signed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := certified(t, func(source string) string {
				if strings.Count(source, d.old) != 1 {
					t.Fatalf("%q stands %d times in the sample", d.old, strings.Count(source, d.old))
				}
				return strings.Replace(source, d.old, d.new, 1)
			})
			names(t, r, d.fails, d.says)
		})
	}
}

// names holds a report to one defect: the case that fails, and what it says.
func names(t *testing.T, r certify.Report, fails, says string) {
	t.Helper()
	failed := r.Failed()
	if len(failed) == 0 {
		t.Fatal("it is certified")
	}
	var named *certify.Result
	for _, f := range failed {
		if f.ID == fails {
			named = &f
		}
	}
	if named == nil || !strings.Contains(named.Found, says) {
		t.Errorf("want %s to say %q; failed are:", fails, says)
		for _, f := range failed {
			t.Log(f.Line())
		}
	}
	if r.Level.Reaches(certificate.Level(fails[:2])) {
		t.Errorf("it reaches %s", r.Level)
	}
}

// halfTaken has the sample take in what it was never sent whole.
const halfTaken = `function take2(req, parts) {
  const text = Buffer.concat(parts).toString('utf8'), id = /"id":"([^"]+)"/.exec(text)?.[1]
  if (id && !batches.has(id)) write({ what: 'batch', batch: { id, sha256: hash(text), state: 'received', from: '', payments: [] } })
}`

func TestConnectorThatIsNotThereProvesNothing(t *testing.T) {
	t.Parallel()
	r, err := certify.Run(t.Context(), cases(t), options("http://"+netfault.FreeAddr(t), ""))
	must(t, err)
	if _, ok := r.Certificate(); ok || r.Level != "" {
		t.Errorf("level %q", r.Level)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := certify.Run(ctx, cases(t), options("http://"+netfault.FreeAddr(t), "")); err == nil {
		t.Error("a run that was ended has a report")
	}
}

// TestSampleBankRemembersThroughACrash kills the bank in the middle and looks
// whether what was answered is still known.
func TestSampleBankRemembersThroughACrash(t *testing.T) {
	t.Parallel()
	_, dir := start(t, as)
	must(t, os.WriteFile(filepath.Join(dir, "bank.journal"), []byte{}, 0o600))
	node, err := exec.LookPath("node")
	must(t, err)
	url := run(t, node, dir)
	c := cases(t)
	r, err := certify.Run(t.Context(), c, options(url, ""))
	must(t, err)
	if len(r.Failed()) > 0 {
		t.Fatalf("%+v", r.Failed())
	}
	journal := filepath.Join(dir, "bank.journal")
	text, err := os.ReadFile(journal)
	must(t, err)
	must(t, os.WriteFile(journal, append(text, []byte(`{"what":"batch","batch":{"id":"CUT`)...), 0o600)) // a line that a crash cut off
	again := run(t, node, dir)
	o := options(again, "")
	o.Seed = 8
	if r, err = certify.Run(t.Context(), c, o); err != nil || len(r.Failed()) > 0 {
		t.Errorf("after a crash: %v %+v", err, r.Failed())
	}
	if fmt.Sprint(r.Level) != "C5" {
		t.Errorf("level %s", r.Level)
	}
}

func TestCasesThatAreNotUnderstoodAreRefused(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{
		"", "protocol: bank.v1", "protocol: bank.v2\ncases: [{id: A, level: C1, title: t, steps: [{manifest: {}}]}]",
		"protocol: bank.v1\ncases: [{id: A, level: C9, title: t, steps: [{manifest: {}}]}]", "protocol: bank.v1\ncases: [{id: A, level: C1, title: t, steps: [{dance: {}}]}]",
	} {
		if _, err := certify.Read([]byte(bad)); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}
