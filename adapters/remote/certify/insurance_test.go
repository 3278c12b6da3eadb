package certify_test

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"tiwiza/adapters/remote/certify"
	"tiwiza/pkg/certificate"
	"tiwiza/pkg/outbound/netfault"
)

const sampleInsurer = "../../../docs/partner/examples/insurer-python/server.py"

func insuranceCases(t testing.TB) certify.Cases {
	t.Helper()
	return casesOf(t, "insurance.v1")
}

// startInsurer runs the sample insurer, changed as told, and answers its address.
func startInsurer(t testing.TB, change func(string) string, env ...string) (url, dir string) {
	t.Helper()
	if _, err := exec.LookPath("python3"); err != nil {
		t.Skip("there is no python3, with which the sample insurer runs: apt-get install python3")
	}
	source, err := os.ReadFile(sampleInsurer)
	must(t, err)
	dir = t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "server.py"), []byte(change(string(source))), 0o600))
	return runInsurer(t, dir, env...), dir
}

func runInsurer(t testing.TB, dir string, env ...string) string {
	t.Helper()
	cmd := exec.Command("python3", "-B", "server.py")
	cmd.Dir, cmd.Env = dir, append(append(os.Environ(), "PORT=0", "TOKENS="+token), env...)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the sample insurer does not start: %v %s", err, said.String())
	}
	return strings.TrimSpace(line)
}

// certifiedInsurer plays all cases against the sample insurer, changed as told.
func certifiedInsurer(t testing.TB, change func(string) string) certify.Report {
	t.Helper()
	events := netfault.FreeAddr(t)
	url, _ := startInsurer(t, change, "EVENTS=http://"+events)
	r, err := certify.Run(t.Context(), insuranceCases(t), options(url, events))
	must(t, err)
	return r
}

func TestSampleInsurerIsCertified(t *testing.T) {
	t.Parallel()
	r := certifiedInsurer(t, as)
	for _, one := range r.Results {
		if !one.Passed {
			t.Errorf("%s", one.Line())
		}
	}
	c, ok := r.Certificate()
	if !ok || r.Level != certificate.Security || c.Connector != "insurer-python" || c.Protocol != "insurance.v1" || len(c.Features) != 4 {
		t.Errorf("level %q, certificate %+v", r.Level, c)
	}
}

// TestAnInsurerWithoutObservationsIsCertified leaves out what is not declared.
func TestAnInsurerWithoutObservationsIsCertified(t *testing.T) {
	t.Parallel()
	r := certifiedInsurer(t, func(s string) string { return strings.Replace(s, `"observations", "events"`, `"events"`, 1) })
	skipped := 0
	for _, one := range r.Results {
		if one.Skipped != "" {
			skipped++
		} else if !one.Passed {
			t.Errorf("%s", one.Line())
		}
	}
	if skipped != 1 || r.Level != certificate.Security {
		t.Errorf("%d cases are left out, and it reaches %s", skipped, r.Level)
	}
}

// TestPlantedDefectsOfAnInsurerAreNamed changes one line of the sample insurer at a
// time: the cases must say which.
func TestPlantedDefectsOfAnInsurerAreNamed(t *testing.T) {
	t.Parallel()
	for name, d := range map[string]struct{ old, new, fails, says string }{
		"no owner":                         {`"owner": "Assurance exemple (Python)",`, ``, "C1-01", "/owner"},
		"a sheet that is not the one":      {`return self.say(200, sheet(p, lang), `, `return self.say(200, sheet(p, lang) + b".", `, "C1-02", "SHA-256"},
		"a product in one language":        {`"ورشة (مثال)", "Workshop (example)"`, `"", ""`, "C1-02", "Arabic"},
		"errors are plain text":            {`self.say(r.status, problem, "application/problem+json")`, `self.say(r.status, r.detail.encode(), "text/plain")`, "C1-03", "policy_not_found"},
		"nobody needs to agree":            {`if not re.fullmatch("[0-9a-f]{64}", str(consent.get("text_hash"))) or moment(consent.get("at"), "/consent/at").year < 2000:`, `if False:`, "C1-04", "201"},
		"nothing is refused":               {`if magic == 4:`, `if False:`, "C2-02", "201"},
		"pending for ever":                 {`if p["state"] == "pending":`, `if False:`, "C2-03", `"pending"`},
		"cancelled twice":                  {`if p["state"] not in ("active", "pending"):`, `if False:`, "C2-04", "409"},
		"no paper is asked for":            {`and c["asked"] % 100 == 2:`, `and False:`, "C2-06", `"accepted"`},
		"rain pays nothing":                {`made = {"id": f"C{len(known['claims'])`, `return [], (201, {"ref": body["ref"], "policy": p["id"], "claim": None}), False` + "\n        " + `made = {"id": f"C{len(known['claims'])`, "C2-07", "404"},
		"binds again":                      {`if had is None:`, `if had is None or kind == "bind":`, "C3-01", "201"},
		"takes other content":              {`if had != total:`, `if False:`, "C3-02", "422"},
		"one quote makes two policies":     {`if q["used"] not in ("", body["ref"]):`, `if False:`, "C3-02", "want [422]"},
		"lost with its answer":             {`return lines, (202 if magic == 2 else 201, show_policy(it)), magic == 3`, `return ([] if magic == 3 else lines), (202 if magic == 2 else 201, show_policy(it)), magic == 3`, "C3-03", "404"},
		"not one request at a time":        {`lock = threading.RLock()`, "import contextlib\nlock = contextlib.nullcontext()\n_fsync = os.fsync\nos.fsync = lambda n: (_fsync(n), time.sleep(0.02))[0]\n#", "C4-01", "comes twice"},
		"half a request is taken":          {`self.close_connection = True  # half a body is none`, halfBound, "C3-05", "policy"},
		"a row is forgotten":               {`rows = [r for r in known["rows"] if r["period"] == period]`, `rows = [r for r in known["rows"] if r["period"] == period][1:]`, "C4-01", "does not show"},
		"a row twice":                      {`row("premium", paid, it["id"], q["premium"], q["commission"])]`, `row("premium", paid, it["id"], q["premium"], q["commission"])] * 2`, "C4-01", "twice"},
		"the commission is kept":           {`total("refund", "amount") - commission),`, `total("refund", "amount")),`, "C4-01", "due"},
		"a refund that nobody was told":    {`{**p, "state": "cancelled", "refund": back}`, `{**p, "state": "cancelled", "refund": back - 100}`, "C4-01", "refund"},
		"anybody is let in":                {`return any(`, `return True or any(`, "C5-01", "401"},
		"errors tell secrets":              {`"Sign in with a valid token."`, `f"Not let in: {self.headers.get('authorization')}"`, "C5-02", "secret"},
		"events are signed without a time": {`f"{name}.{at}.".encode() + body`, `f"{name}.".encode() + body`, "C5-03", "not signed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := certifiedInsurer(t, func(source string) string {
				if strings.Count(source, d.old) != 1 {
					t.Fatalf("%q stands %d times in the sample", d.old, strings.Count(source, d.old))
				}
				return strings.Replace(source, d.old, d.new, 1)
			})
			names(t, r, d.fails, d.says)
		})
	}
}

// halfBound has the sample bind what it was never sent whole.
const halfBound = `found = re.search(rb'"ref": ?"([^"]+)"', raw)
            if found and known["policies"]:
                known["policies"].setdefault(found[1].decode(), {**next(iter(known["policies"].values())), "ref": found[1].decode()})
            self.close_connection = True`

// TestSampleInsurerRemembersThroughACrash kills the insurer and looks whether what
// was answered is still known.
func TestSampleInsurerRemembersThroughACrash(t *testing.T) {
	t.Parallel()
	url, dir := startInsurer(t, as)
	c := insuranceCases(t)
	r, err := certify.Run(t.Context(), c, options(url, ""))
	must(t, err)
	if len(r.Failed()) > 0 {
		t.Fatalf("%+v", r.Failed())
	}
	journal := filepath.Join(dir, "insurer.journal")
	text, err := os.ReadFile(journal)
	must(t, err)
	must(t, os.WriteFile(journal, append(text, []byte(`[{"what":"policies","it":{"ref":"CUT`)...), 0o600)) // a line that a crash cut off
	again := runInsurer(t, dir)
	o := options(again, "")
	o.Seed = 8
	if r, err = certify.Run(t.Context(), c, o); err != nil || len(r.Failed()) > 0 || r.Level != certificate.Security {
		t.Errorf("after a crash: %v, %s, %+v", err, r.Level, r.Failed())
	}
	said, err := os.ReadFile(journal)
	must(t, err)
	if !bytes.HasPrefix(said, text) || bytes.Contains(said, []byte(`"CUT`)) {
		t.Error("the journal does not go on where it was cut off")
	}
}
