package pgserver_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"tiwiza/pkg/pgserver"
)

func TestDataOutlivesStopAndTheServerDoesNot(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	s := start(t, pgserver.Options{Dir: dir})
	tell(t, s, "create table kept as select 'argan' as name")
	pid, url := pidOf(s.Dir()), s.URL("postgres")
	stop(t, s)
	if isPostgres(pid) {
		t.Errorf("process %d still runs after the last Stop", pid)
	}
	if _, err := pgx.Connect(t.Context(), url); err == nil {
		t.Error("a stopped server answers")
	}
	if err := s.Stop(t.Context()); err != nil {
		t.Errorf("second Stop = %v, want nil", err)
	}
	if got, want := ask(t, start(t, pgserver.Options{Dir: dir}), "select name from kept"), "argan"; got != want {
		t.Errorf("after a restart the table has %q, want %q", got, want)
	}
}

func TestTwoProcessesShareOneServerAndTheLastStopsIt(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	c := spawn(t, "start", dir).ready()
	pid := pidOf(c.dir)
	s := start(t, pgserver.Options{Dir: dir})
	if got := pidOf(s.Dir()); got != pid {
		t.Fatalf("the second user runs on process %d, want the first one's, %d", got, pid)
	}
	c.stop()
	if got, want := ask(t, s, "select 'here'"), "here"; got != want {
		t.Errorf("after the first user left the server says %q, want %q", got, want)
	}
	if s.BinDir() == "" {
		t.Error("the server that was joined has no BinDir")
	}
	stop(t, s)
	if isPostgres(pid) {
		t.Errorf("process %d runs after its last user left", pid)
	}
}

func TestManyStartsAtOnceMakeOneServer(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	children := make([]*child, 5)
	for i := range children {
		children[i] = spawn(t, "start", dir)
	}
	pids := map[int]bool{}
	for _, c := range children {
		pids[pidOf(c.ready().dir)] = true
	}
	if len(pids) != 1 || pids[0] {
		t.Errorf("servers %v run, want one", pids)
	}
	var leaving sync.WaitGroup
	for _, c := range children {
		leaving.Go(func() { _, _ = c.in.Close(), c.cmd.Wait() })
	}
	leaving.Wait()
	for pid := range pids {
		if isPostgres(pid) {
			t.Errorf("process %d runs after all users left at once", pid)
		}
	}
}

func TestOrphanOfAKilledOwnerIsAdopted(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	c := spawn(t, "start", dir).ready()
	pid := pidOf(c.dir)
	c.kill()
	if !isPostgres(pid) {
		t.Fatalf("the server %d died with its user, want it to go on", pid)
	}
	began := time.Now()
	s := start(t, pgserver.Options{Dir: dir})
	t.Logf("adopting took %s", time.Since(began))
	if got := pidOf(s.Dir()); got != pid {
		t.Errorf("the next user runs on process %d, want the orphan, %d", got, pid)
	}
	stop(t, s)
	if isPostgres(pid) {
		t.Errorf("the orphan %d runs after its last user left", pid)
	}
}

func TestServerOutlivesCtrlC(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	c := spawn(t, "start", dir).ready()
	pid := pidOf(c.dir)
	must(t, syscall.Kill(-c.cmd.Process.Pid, syscall.SIGINT)) // the whole group, as a terminal does
	_ = c.cmd.Wait()
	s := start(t, pgserver.Options{Dir: dir})
	if got := pidOf(s.Dir()); got != pid {
		t.Errorf("after Ctrl-C the server is process %d, want still %d", got, pid)
	}
}

// A query that never looks up outlives its postmaster, and holds the memory
// that a new one needs.
func TestKilledPostmasterIsRecovered(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	first := start(t, pgserver.Options{Dir: dir})
	tell(t, first, "create table kept as select 'safran' as name")
	c := connect(t, first)
	busy := make(chan error, 1)
	go func() {
		_, err := c.Exec(context.Background(), "do $$ begin loop end loop; end $$")
		busy <- err
	}()
	eventually(t, "the query runs", func() bool {
		return ask(t, first, "select count(*)::text from pg_stat_activity where query like 'do %' and state = 'active'") == "1"
	})
	pid := pidOf(first.Dir())
	must(t, syscall.Kill(pid, syscall.SIGKILL))
	second := start(t, pgserver.Options{Dir: dir})
	if err := <-busy; err == nil {
		t.Error("the endless query ended well, want it ended by force")
	}
	if got := pidOf(second.Dir()); got == pid || !isPostgres(got) {
		t.Errorf("after the kill of %d the server is process %d, want a new one", pid, got)
	}
	if got, want := ask(t, first, "select name from kept"), "safran"; got != want {
		t.Errorf("after recovery the table has %q, want %q", got, want)
	}
}

func TestKeepRevivesADeadServer(t *testing.T) {
	t.Parallel()
	s := start(t, pgserver.Options{Dir: folder(t), Fast: true})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); s.Keep(ctx) }()
	pid := pidOf(s.Dir())
	must(t, syscall.Kill(pid, syscall.SIGKILL))
	eventually(t, "the server answers again", func() bool {
		c, err := pgx.Connect(t.Context(), s.URL("postgres"))
		return err == nil && c.Close(t.Context()) == nil && pidOf(s.Dir()) != pid
	})
	cancel()
	<-done
}

func TestPidFileThatNamesAnotherProgramIsStale(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	s := start(t, pgserver.Options{Dir: dir, Fast: true})
	files := map[string]string{}
	for _, f := range []string{"postmaster.pid", ".s.PGSQL.5432.lock"} {
		b, err := os.ReadFile(filepath.Join(s.Dir(), f))
		must(t, err)
		files[f] = string(b)
	}
	pid := pidOf(s.Dir())
	stop(t, s)
	fi, err := os.Stat(s.Dir())
	must(t, err)
	st := fi.Sys().(*syscall.Stat_t)
	other := exec.Command("sleep", "600") // of the server's account, as only then PostgreSQL cares
	if os.Getuid() == 0 {
		other.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: st.Uid, Gid: st.Gid}}
	}
	must(t, other.Start())
	t.Cleanup(func() { _ = other.Process.Kill(); _ = other.Wait() })
	for f, text := range files {
		stale := strings.Replace(text, fmt.Sprint(pid), fmt.Sprint(other.Process.Pid), 1)
		must(t, os.WriteFile(filepath.Join(s.Dir(), f), []byte(stale), 0o600), os.Chown(filepath.Join(s.Dir(), f), int(st.Uid), int(st.Gid)))
	}
	if got, want := ask(t, start(t, pgserver.Options{Dir: dir, Fast: true}), "select 'here'"), "here"; got != want {
		t.Errorf("the server says %q, want %q", got, want)
	}
	if err := other.Process.Signal(syscall.Signal(0)); err != nil {
		t.Errorf("the other program was hurt: %v", err)
	}
}

func TestServerThatDoesNotAnswerIsNotLeftRunning(t *testing.T) {
	t.Parallel()
	dir, other := folder(t), folder(t)
	must(t, os.Chmod(other, 0o777))
	_, err := pgserver.Start(t.Context(), pgserver.Options{Dir: dir, Fast: true, Settings: map[string]string{"unix_socket_directories": other}})
	if err == nil || !strings.Contains(err.Error(), "does not answer") {
		t.Errorf("Start of a server with its socket elsewhere = %v, want that it does not answer", err)
	}
	if pid := pidOf(filepath.Join(dir, "postgres")); pid > 0 && isPostgres(pid) {
		t.Errorf("process %d is left", pid)
	}
}

func TestInterruptedStartLeavesNothing(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	must(t, os.MkdirAll(filepath.Join(dir, "postgres.new-killed", "base"), 0o700)) // of an initdb that was killed
	for _, after := range []time.Duration{0, 30 * time.Millisecond, 250 * time.Millisecond} {
		ctx, cancel := context.WithTimeout(t.Context(), after)
		s, err := pgserver.Start(ctx, pgserver.Options{Dir: dir, Fast: true})
		cancel()
		if err == nil {
			stop(t, s) // a fast machine
		} else if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("after %s: %v, want the deadline's error", after, err)
		}
		if pid := pidOf(filepath.Join(dir, "postgres")); pid > 0 && isPostgres(pid) {
			t.Errorf("after %s a server runs, process %d", after, pid)
		}
	}
	s := start(t, pgserver.Options{Dir: dir, Fast: true})
	if left, _ := filepath.Glob(filepath.Join(dir, "postgres.new-*")); len(left) > 0 {
		t.Errorf("%v are left", left)
	}
	if got, want := s.Dir(), filepath.Join(dir, "postgres"); got != want {
		t.Errorf("the cluster went to %s, want %s", got, want)
	}
	if got, want := ask(t, s, "select 'whole'"), "whole"; got != want {
		t.Errorf("the server says %q, want %q", got, want)
	}
}
