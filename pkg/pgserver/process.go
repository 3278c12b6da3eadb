package pgserver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Patience with a server that is there.
const (
	politeness   = 5 * time.Second  // for a fast shutdown, and again for an immediate one
	deafness     = 30 * time.Second // for a server that runs and does not answer
	recoveryTime = 30 * time.Minute // for crash recovery
)

// A postmaster is what postmaster.pid tells about a server.
type postmaster struct {
	pid    int
	socket string
}

// readPostmaster reads postmaster.pid; no file is no postmaster. The cluster
// belongs to another account, so no link in it may lead us out of it.
func readPostmaster(dir string) (postmaster, error) {
	r, err := os.OpenRoot(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return postmaster{}, nil
	}
	if err != nil {
		return postmaster{}, err
	}
	defer r.Close()
	b, err := r.ReadFile("postmaster.pid")
	if errors.Is(err, fs.ErrNotExist) {
		return postmaster{}, nil
	}
	if err != nil {
		return postmaster{}, err
	}
	lines := strings.Split(string(b), "\n")
	pm := postmaster{}
	if pm.pid, err = strconv.Atoi(strings.TrimSpace(lines[0])); err != nil || pm.pid <= 1 {
		pm.pid = -1 // a crash of the machine left half a file, or a repair by hand
	}
	if len(lines) > 4 {
		pm.socket = strings.TrimSpace(lines[4])
	}
	return pm, nil
}

// running tells whether pid is a postgres started on dir. A dead process whose
// parent has not yet asked for its end has no arguments any more.
func running(pid int, dir string) bool {
	if pid <= 1 {
		return false
	}
	if b, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid)); err == nil {
		args := strings.Split(string(b), "\x00")
		return filepath.Base(args[0]) == "postgres" && slices.Contains(args, dir)
	} else if _, err := os.Stat("/proc/self/cmdline"); err == nil {
		return false
	}
	b, err := exec.Command("ps", "-ww", "-o", "args=", "-p", strconv.Itoa(pid)).Output() // macOS, the BSDs
	return err == nil && bytes.Contains(b, []byte("postgres")) && bytes.Contains(b, []byte(dir))
}

// adopt joins a server that already runs on the cluster. It waits for one that
// is starting, recovering or stopping; what a dead one left, it clears away.
func (s *Server) adopt(ctx context.Context) (bool, error) {
	slow := s.sayWhenSlow("waiting for the PostgreSQL server that is there")
	defer slow.Stop()
	for deadline := time.Now().Add(deafness); ; {
		pm, err := readPostmaster(s.place.dir)
		if err != nil {
			return false, err
		}
		if pm.pid == 0 {
			return false, nil
		}
		switch a := knock(ctx, pm.socket, s.place.dir); {
		case a == ready:
			s.joined(ctx, pm)
			return true, nil
		case a == busy:
			deadline = time.Now().Add(deafness)
		case !running(pm.pid, s.place.dir) && ctx.Err() == nil:
			return false, s.clear(ctx, pm)
		case time.Now().After(deadline):
			return false, fmt.Errorf("the PostgreSQL server on %s (process %d) runs but does not answer: look into its server.log, or end it", s.place.dir, pm.pid)
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return false, fmt.Errorf("wait for the PostgreSQL server on %s: %w", s.place.dir, err)
		}
	}
}

func (s *Server) joined(ctx context.Context, pm postmaster) {
	s.pid, s.socket = pm.pid, pm.socket
	if b, err := os.ReadFile(filepath.Join(s.place.dir, "postmaster.opts")); err == nil {
		program, _, _ := strings.Cut(string(b), ` "-`)
		s.bin = filepath.Dir(strings.TrimSpace(program))
	}
	s.log.InfoContext(ctx, "joined the PostgreSQL server that runs", "pid", s.pid, "cluster", s.place.dir)
}

// clear removes what a server that died by force left behind: processes that
// still hold the shared memory, and lock files whose process id now belongs to
// another program (PostgreSQL itself only sees through a free one).
func (s *Server) clear(ctx context.Context, pm postmaster) error {
	s.log.WarnContext(ctx, "the last PostgreSQL server on this cluster was killed: clearing up after it", "pid", pm.pid, "cluster", s.place.dir)
	if err := s.endLeftovers(ctx); err != nil {
		return err
	}
	r, err := os.OpenRoot(s.place.dir)
	if err != nil {
		return err
	}
	defer r.Close()
	files := []string{"postmaster.pid"}
	if same(pm.socket, s.place.dir) {
		files = append(files, ".s.PGSQL."+port+".lock", ".s.PGSQL."+port)
	}
	for _, f := range files {
		if err := r.Remove(f); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove the stale %s: %w", f, err)
		}
	}
	return nil
}

// endLeftovers ends the server processes that outlived their postmaster. They
// are told to leave at once: the cluster will be recovered anyway.
func (s *Server) endLeftovers(ctx context.Context) error {
	sig := syscall.SIGQUIT
	for start := time.Now(); ; {
		pids := leftovers(ctx, s.place)
		if len(pids) == 0 {
			return nil
		}
		if time.Since(start) > politeness {
			return fmt.Errorf("processes %v of a dead PostgreSQL server on %s do not end: end them, or restart the machine", pids, s.place.dir)
		}
		if time.Since(start) > time.Second {
			sig = syscall.SIGKILL
		}
		for _, pid := range pids {
			_ = syscall.Kill(pid, sig) // gone is as good
		}
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
}

// leftovers lists the server processes that live in the cluster's directory.
// It looks as the cluster's account: a root without all its powers, as in a
// container, may not look into the processes of others. Without /proc it finds
// none, and the server itself refuses to start beside them.
func leftovers(ctx context.Context, p place) []int {
	out, _ := p.who.command(ctx, "/", "/bin/sh", "-c", "ls -l /proc/[0-9]*/cwd 2>/dev/null").Output()
	var pids []int
	for line := range strings.Lines(string(out)) {
		link, dir, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " -> ")
		_, rest, found := strings.Cut(link, " /proc/")
		pid, err := strconv.Atoi(strings.TrimSuffix(rest, "/cwd"))
		if !found || err != nil || dir != p.dir {
			continue
		}
		b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		if name, _, _ := strings.Cut(string(b), "\x00"); strings.HasPrefix(filepath.Base(name), "postgres") {
			pids = append(pids, pid)
		}
	}
	return pids
}

// halt stops the server of the cluster, whoever started it: it lets open
// transactions go, writes everything down and leaves; when that takes too
// long, it leaves at once and recovers at the next start.
func (s *Server) halt(ctx context.Context) error {
	pm, err := readPostmaster(s.place.dir)
	if err != nil || !running(pm.pid, s.place.dir) {
		return err
	}
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGQUIT, syscall.SIGKILL} {
		if err := syscall.Kill(pm.pid, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("stop PostgreSQL, process %d: %w", pm.pid, err)
		}
		patience := context.WithoutCancel(ctx)
		if sig == syscall.SIGINT {
			patience = ctx
		}
		if s.gone(patience, pm.pid) {
			s.log.InfoContext(ctx, "stopped PostgreSQL", "pid", pm.pid, "by", sig.String())
			if s.socket != s.place.dir {
				_ = os.Remove(s.socket) // it may be shared with nobody, and is made anew
			}
			return nil
		}
	}
	return fmt.Errorf("PostgreSQL, process %d, does not end", pm.pid)
}

func (s *Server) gone(ctx context.Context, pid int) bool {
	ctx, cancel := context.WithTimeout(ctx, politeness)
	defer cancel()
	for running(pid, s.place.dir) {
		if pause(ctx, 10*time.Millisecond) != nil {
			return !running(pid, s.place.dir)
		}
	}
	return true
}

func (s *Server) sayWhenSlow(what string) *time.Timer {
	return time.AfterFunc(3*time.Second, func() { s.log.Info(what, "cluster", s.place.dir) })
}
