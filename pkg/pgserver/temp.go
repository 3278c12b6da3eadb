package pgserver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

// Temp is a fast, throw-away server in a directory of its own, for tests. It
// dies and leaves nothing with Stop, or with this process, even by kill -9.
func Temp(ctx context.Context, log *slog.Logger) (*Server, error) { return temp(ctx, log, true) }

// TempDurable is Temp with a server that flushes each commit to disk, for
// measurements.
func TempDurable(ctx context.Context, log *slog.Logger) (*Server, error) {
	return temp(ctx, log, false)
}

func temp(ctx context.Context, log *slog.Logger, fast bool) (*Server, error) {
	dir, err := tempDir()
	if err != nil {
		return nil, fmt.Errorf("make a directory for a temporary PostgreSQL: %w", err)
	}
	g, err := watch(dir)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	s, err := Start(ctx, Options{Dir: dir, Log: log, Fast: fast})
	if err != nil {
		return nil, errors.Join(err, g.dismiss())
	}
	s.guard = g
	return s, nil
}

// tempDir makes a directory that the server's account can enter.
func tempDir() (string, error) {
	who, err := unprivileged()
	if err != nil {
		return "", err
	}
	var failed error
	for _, root := range []string{os.TempDir(), "/tmp", "/var/tmp"} {
		dir, err := os.MkdirTemp(root, "tiwiza-pg-")
		if err == nil {
			err = errors.Join(os.Chmod(dir, 0o711), usable(dir, who))
			if err == nil {
				return filepath.EvalSymlinks(dir)
			}
			err = errors.Join(err, os.RemoveAll(dir))
		}
		failed = errors.Join(failed, err)
	}
	return "", failed
}

// A guardian is a process that waits for the end of ours, and then ends the
// server of a directory and removes it.
type guardian struct {
	cmd   *exec.Cmd
	alive io.WriteCloser // the kernel closes it when we die
}

// The server is known by its arguments, in case its process id is another's by
// now. It is removed again for as long as something still writes there.
const guard = `read _
f=$1/postgres/postmaster.pid
ours() { { tr '\0' ' ' </proc/$pid/cmdline || ps -ww -o args= -p $pid; } 2>/dev/null | grep -qF -- "$1/postgres"; }
n=0
while [ $n -lt 100 ]; do
	pid=$(head -n 1 "$f" 2>/dev/null)
	if [ -n "$pid" ] && ours "$1"; then
		[ $n -lt 50 ] && kill -QUIT $pid || kill -KILL $pid
	else
		rm -rf "$1" && exit 0
	fi
	n=$((n+1)); sleep 0.1
done 2>/dev/null
rm -rf "$1"`

func watch(dir string) (*guardian, error) {
	c := exec.Command("/bin/sh", "-c", guard, "tiwiza-guardian", filepath.Clean(dir))
	c.Dir = "/"
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	alive, err := c.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := c.Start(); err != nil {
		return nil, fmt.Errorf("start the guardian of a temporary PostgreSQL: %w", err)
	}
	return &guardian{c, alive}, nil
}

// dismiss has the guardian clean up now, and waits for it.
func (g *guardian) dismiss() error {
	return errors.Join(g.alive.Close(), g.cmd.Wait())
}
