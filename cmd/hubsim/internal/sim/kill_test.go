package sim_test

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// build makes the real program.
func build(t *testing.T) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "hubsim")
	if out, err := exec.Command("go", "build", "-o", bin, "tiwiza/cmd/hubsim").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return bin
}

// A process is the real program, as a child.
type process struct {
	*rig
	cmd *exec.Cmd
}

var listens = regexp.MustCompile(`hubsim listens" http=(\S+)`)

// launch starts the program on the rig's folder and waits until it listens.
func (r *rig) launch(bin string) *process {
	r.t.Helper()
	cmd := exec.Command(bin, "--settle-every", "60ms", "--statement-every", "60ms")
	cmd.Env = append(os.Environ(), "HUBSIM_ADDR=127.0.0.1:0", "HUBSIM_DATA_DIR="+r.conf.DataDir)
	out, err := cmd.StderrPipe()
	if err != nil {
		r.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = cmd.Process.Kill() }) // it is mostly gone by then
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if m := listens.FindStringSubmatch(lines.Text()); m != nil {
			r.url = m[1]
			break
		}
	}
	go func() {
		for lines.Scan() { // keep the pipe empty
		}
	}()
	r.get("/config", &r.config)
	return &process{r, cmd}
}

// end sends a signal and gives how long the process took to go.
func (p *process) end(s syscall.Signal) time.Duration {
	p.t.Helper()
	http.DefaultClient.CloseIdleConnections()
	began := time.Now()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
	_ = p.cmd.Wait() // a killed process has no good status
	return time.Since(began)
}

// buy pays without a word when the process dies under it; it says whether the
// buyer saw the payment accepted.
func (p *process) buy(oid string) bool {
	page := p.try(p.config.Acquirer.GateURL, oid, nil)
	page = p.try("", page, map[string]string{"pan": good, "expiry": "1240", "cvv": "000"})
	page = p.try("", page, map[string]string{"otp": "123456"})
	return strings.Contains(page, "Paiement accepté")
}

// try posts a form, the shop's or the first on a page; "" is no answer.
func (p *process) try(gate, pageOrOID string, typed map[string]string) string {
	if pageOrOID == "" {
		return ""
	}
	address, v := gate, values(p.form(pageOrOID, "10.00"))
	if gate == "" {
		address, v = p.firstForm(pageOrOID)
		address = p.url + address
		for name, text := range typed {
			v.Set(name, text)
		}
	}
	c := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := c.PostForm(address, v)
	if err != nil {
		return ""
	}
	defer res.Body.Close()
	var b strings.Builder
	if err := res.Write(&b); err != nil {
		return ""
	}
	return b.String()
}

func TestKillNineLosesNothingThatWasAnswered(t *testing.T) {
	t.Parallel()
	r := start(t, time.Hour)
	r.stop()
	bin := build(t)
	p := r.launch(bin)
	p.send("FILL.xml", instruction("03", "FILL", p.config.Bank.Operating.RIB, tr{"FILL-1", "900.00", p.config.Bank.Safeguard.RIB}))
	p.want("FILL-1", "bank top_up 900.00")
	var mu sync.Mutex
	accepted, sent := map[string]bool{}, map[string]bool{}
	for round := range 4 {
		var all sync.WaitGroup
		for w := range 3 {
			all.Add(1)
			go func() {
				defer all.Done()
				for i := range 20 {
					ref := fmt.Sprintf("R%d-%d-%d", round, w, i)
					ok := p.buy("C" + ref)
					up := p.upload("P"+ref+".xml", p.one("P"+ref)) == nil
					mu.Lock()
					accepted["C"+ref], sent["P"+ref] = ok, up
					mu.Unlock()
					if !ok && !up {
						return
					}
				}
			}()
		}
		time.Sleep(time.Duration(150+70*round) * time.Millisecond)
		for wait := time.Now(); time.Since(wait) < 20*time.Second; time.Sleep(5 * time.Millisecond) {
			mu.Lock()
			both := anyTrue(accepted) && anyTrue(sent)
			mu.Unlock()
			if both { // a kill before anything was answered would show nothing
				break
			}
		}
		p.end(syscall.SIGKILL)
		all.Wait()
		p = r.launch(bin)
	}
	r.count(t, accepted, sent)
	if took := p.end(syscall.SIGTERM); took > 2*time.Second {
		t.Errorf("SIGTERM took %s", took)
	}
}

func anyTrue(m map[string]bool) bool {
	for _, ok := range m {
		if ok {
			return true
		}
	}
	return false
}

// count wants everything that was answered to be in the truth, and nothing twice.
func (r *rig) count(t *testing.T, accepted, sent map[string]bool) {
	t.Helper()
	charges, payouts := 0, 0
	for ref, ok := range accepted {
		if !ok {
			continue
		}
		charges++
		if rows := r.truth(ref); len(rows) == 0 || rows[0] != "acquirer charge 10.00" {
			t.Errorf("an accepted charge %s is %q", ref, rows)
		}
	}
	for ref, ok := range sent {
		if ok {
			payouts++
			r.want(ref, "bank payout 10.00")
		}
		if rows := r.truth(ref); len(rows) > 1 {
			t.Errorf("%s was executed %d times", ref, len(rows))
		}
	}
	r.wait(func() (bool, string) {
		stated := map[string]int{}
		for _, e := range r.entries(r.config.Bank.Safeguard.RIB) {
			for _, d := range e.TxDtls {
				stated[d.EndToEnd]++
			}
		}
		for ref, ok := range sent {
			if ok && stated[ref] != 1 {
				return false, fmt.Sprintf("%s is stated %d times", ref, stated[ref])
			}
		}
		return true, ""
	})
	t.Logf("%d charges and %d payouts answered over the kills, all kept", charges, payouts)
	if charges == 0 || payouts == 0 {
		t.Errorf("%d charges and %d payouts were answered before the kills, want some of each", charges, payouts)
	}
}
