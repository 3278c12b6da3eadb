package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"tiwiza/pkg/outbound/netfault"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
)

// programs is where TestMain puts hub and hubsim.
var programs string

// long asks for the longer form of tests that have one (HUB_LONG=1).
var long = os.Getenv("HUB_LONG") == "1"

// TestMain lets more tests run at once than there are processors, unless
// -parallel says otherwise: they wait for hubs more than they work.
func TestMain(m *testing.M) {
	flag.Parse()
	said := false
	flag.Visit(func(f *flag.Flag) { said = said || f.Name == "test.parallel" })
	if !said {
		if err := flag.Set("test.parallel", "8"); err != nil {
			panic(err) // the flag is the testing package's own
		}
	}
	os.Exit(withPrograms(m.Run))
}

func withPrograms(run func() int) int {
	dir, err := os.MkdirTemp("", "hub-programs-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	build := exec.Command("go", "build", "-o", dir+string(filepath.Separator), "tiwiza/cmd/hub", "tiwiza/cmd/hubsim")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build the programs: %v\n%s", err, out)
		return 1
	}
	programs = dir
	code := run()
	all := flag.Lookup("test.run").Value.String() == "" && flag.Lookup("test.skip").Value.String() == ""
	for _, wrong := range append(watch.judge(all && code == 0), outsiders.judge(all && code == 0)...) {
		fmt.Fprintln(os.Stderr, wrong)
		code = 1
	}
	return code
}

// A rig is a running demonstration: a hub, its stand-in partners and their
// database. It ends with its test, which fails if the hub does not drain in time
// or leaves a process behind.
type rig struct {
	dir      string
	env      []string
	db       string // the database's address; "" when the hub keeps its own server
	url, sim string
	hub      *process
	keys     demoKeys
	crowd    *crowd // who is about while its tests run
	house    *house // over the same database, for what has no route yet
	*player
}

// newRig starts a hub on a database of its own. More settings override the
// rig's.
func newRig(t testing.TB, settings ...string) *rig {
	t.Helper()
	return rigOn(t, pgtest.URL(t), settings...)
}

// rigOn starts a hub on a database.
func rigOn(t testing.TB, db string, settings ...string) *rig {
	t.Helper()
	r := &rig{db: db}
	store := pgtest.Open(t, r.db, pg.Options{MaxConns: 2})
	var err error
	if r.house, err = build(store, &partners{}, options{Demo: true, Log: slog.New(slog.DiscardHandler)}); err != nil {
		t.Fatal(err)
	}
	r.open(t, append([]string{"HUB_DATABASE_URL=" + r.db}, settings...)...)
	return r
}

// open starts the hub and waits until it serves.
func (r *rig) open(t testing.TB, settings ...string) {
	t.Helper()
	r.dir = t.TempDir()
	addr, sim := netfault.FreeAddr(t), netfault.FreeAddr(t)
	r.url, r.sim = "http://"+addr, "http://"+sim
	r.crowd = gather(r.house, r.url)
	r.env = append([]string{
		"HUB_DATA_DIR=" + r.dir, "HUB_ADDR=" + addr, "HUBSIM_ADDR=" + sim, "HUBSIM_SFTP_ADDR=" + netfault.FreeAddr(t), "HUB_DATABASE_URL=",
		"HUB_MAX_CONNS=8", "HUB_DRAIN_WAIT=100ms", "HUB_LOG_FORMAT=text", "HUB_WEBHOOK_LOOPBACK=true", "HUBSIM_SETTLE_EVERY=200ms", "HUBSIM_STATEMENT_EVERY=200ms",
	}, settings...)
	t.Cleanup(func() { r.stop(t) })
	r.run(t)
	var err error
	if r.keys, err = readDemo(filepath.Join(r.dir, demoFile)); err != nil {
		t.Fatal(err)
	}
	r.player = r.plays(io.Discard)
}

// plays is a player of the main job on this rig.
func (r *rig) plays(say io.Writer) *player {
	return &player{client: &http.Client{Timeout: 3 * time.Minute, Transport: r.crowd}, keys: r.keys, say: say}
}

// run starts the hub again on what the last one left, and waits for it.
func (r *rig) run(t testing.TB) {
	t.Helper()
	r.hub = launch(t, filepath.Join(r.dir, "hub.log"), r.env, "run")
	r.ready(t)
}

func (r *rig) ready(t testing.TB) {
	t.Helper()
	client := &http.Client{Timeout: time.Second}
	for deadline := time.Now().Add(3 * time.Minute); ; {
		if res, err := client.Get(r.url + "/readyz"); err == nil {
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return
			}
		}
		select {
		case <-r.hub.gone:
			t.Fatalf("the hub ended instead of serving: %v\n%s", r.hub.err, r.hub.tail())
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			t.Fatalf("the hub does not serve after three minutes\n%s", r.hub.tail())
		}
	}
}

// kill ends the hub as a power cut would, and nothing else.
func (r *rig) kill() {
	_ = r.hub.cmd.Process.Kill()
	<-r.hub.gone
	r.hub.killed = true
}

// stop has the hub drain, and looks whether anything of it stays.
func (r *rig) stop(t testing.TB) {
	t.Helper()
	if r.hub == nil {
		return
	}
	sim := r.simPid()
	began := time.Now()
	if !r.hub.end(os.Interrupt, 30*time.Second) {
		t.Errorf("the hub has not drained %s after an interrupt\n%s", time.Since(began).Round(time.Second), r.hub.tail())
	} else if r.hub.err != nil && !r.hub.killed {
		t.Errorf("the hub ended with %v\n%s", r.hub.err, r.hub.tail())
	}
	for wait := time.Now(); sim != 0 && alive(sim); time.Sleep(10 * time.Millisecond) {
		if time.Since(wait) > 20*time.Second {
			t.Errorf("the stand-in partners (process %d) outlive their hub", sim)
			_ = syscall.Kill(sim, syscall.SIGKILL)
			break
		}
	}
	if t.Failed() {
		t.Logf("the hub's warnings:\n%s", r.hub.tail())
	}
	r.hub = nil
}

// simPid is the stand-in partners' process, or 0.
func (r *rig) simPid() int {
	b, err := os.ReadFile(filepath.Join(r.dir, "hubsim.pid"))
	if err != nil {
		return 0
	}
	pid, _ := strconv.Atoi(strings.TrimSpace(string(b)))
	return pid
}

// alive says whether a process runs; one that only waits for its parent to ask
// for its end does not.
func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if errors.Is(err, os.ErrNotExist) && runtime.GOOS == "linux" {
		return false
	}
	if err != nil {
		return syscall.Kill(pid, 0) == nil
	}
	_, after, _ := bytes.Cut(stat, []byte(") "))
	return !bytes.HasPrefix(after, []byte("Z"))
}

// command runs a command of the hub's beside the rig and gives what it printed.
func (r *rig) command(t testing.TB, args ...string) (out string, code int) {
	t.Helper()
	return command(t, r.env, args...)
}

func command(t testing.TB, env []string, args ...string) (string, int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(programs, "hub"), args...)
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		t.Fatalf("hub %s: %v", strings.Join(args, " "), err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// verify proves the books.
func (r *rig) verify(t testing.TB) {
	t.Helper()
	if out, code := r.command(t, "verify"); code != 0 {
		t.Errorf("hub verify exits %d, want 0\n%s", code, violated(out))
	}
}

// violated is the part of what hub verify prints that is not clean.
func violated(out string) string {
	var bad []string
	for line := range strings.Lines(out) {
		if f := strings.Fields(line); len(f) < 2 || f[1] != "0" {
			bad = append(bad, line)
		}
	}
	return strings.Join(bad, "")
}

// A process is a hub that was started here.
type process struct {
	cmd    *exec.Cmd
	log    string
	err    error // how it ended; to be read when gone is closed
	killed bool  // by the test
	gone   chan struct{}
}

// launch starts a hub that ends at the latest when this test program does.
func launch(t testing.TB, log string, env []string, args ...string) *process {
	t.Helper()
	return start(t, "hub", log, env, args...)
}

func start(t testing.TB, program, log string, env []string, args ...string) *process {
	t.Helper()
	f, err := os.OpenFile(log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	p := &process{cmd: exec.Command(filepath.Join(programs, program), args...), log: log, gone: make(chan struct{})}
	p.cmd.Env = append(append(os.Environ(), "PATH="+programs+string(os.PathListSeparator)+os.Getenv("PATH")), env...)
	p.cmd.Stdout, p.cmd.Stderr = f, f
	p.cmd.SysProcAttr = tied()
	started := make(chan error)
	go func() {
		runtime.LockOSThread() // the kernel ties a child to the thread that made it
		defer runtime.UnlockOSThread()
		err := p.cmd.Start()
		started <- err
		if err == nil {
			p.err = p.cmd.Wait()
			close(p.gone)
		}
	}()
	if err := <-started; err != nil {
		t.Fatal(err)
	}
	return p
}

// end sends a signal and waits; a process that does not end in time is killed.
func (p *process) end(s os.Signal, patience time.Duration) bool {
	_ = p.cmd.Process.Signal(s)
	select {
	case <-p.gone:
		return true
	case <-time.After(patience):
		_ = p.cmd.Process.Kill()
		<-p.gone
		return false
	}
}

// tail is what the hub logged last that matters.
func (p *process) tail() string {
	b, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	var lines []string
	for line := range strings.Lines(string(b)) {
		if !strings.Contains(line, "level=INFO") && !strings.Contains(line, "callback refused") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines[max(0, len(lines)-25):], "")
}
