package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"tiwiza/migrations"
	"tiwiza/pkg/pgserver"
)

// A yard is where both sides run: one throw-away server that flushes each
// commit to disk, and pgbench where there is one.
type yard struct {
	server  *pgserver.Server
	pgbench string
	pid     int // of the server
}

func openYard(ctx context.Context) (*yard, error) {
	srv, err := pgserver.TempDurable(ctx, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, fmt.Errorf("start a server to measure on: %w", err)
	}
	y := &yard{server: srv, pgbench: filepath.Join(srv.BinDir(), "pgbench")}
	if _, err := os.Stat(y.pgbench); err != nil {
		if y.pgbench, err = exec.LookPath("pgbench"); err != nil {
			fmt.Fprintln(os.Stderr, "bench: there is no pgbench here (a downloaded PostgreSQL has none): figures come without their ratios")
			y.pgbench = ""
		}
	}
	b, err := os.ReadFile(filepath.Join(srv.Dir(), "postmaster.pid"))
	if err == nil {
		first, _, _ := strings.Cut(string(b), "\n")
		y.pid, err = strconv.Atoi(first)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("find the server's process: %w", err), srv.Stop(context.WithoutCancel(ctx)))
	}
	return y, nil
}

func (y *yard) close(ctx context.Context) {
	if err := y.server.Stop(context.WithoutCancel(ctx)); err != nil {
		slog.WarnContext(ctx, "the bench's server did not stop", "error", err)
	}
}

// database makes a migrated database with what a yardstick file adds to it.
func (y *yard) database(ctx context.Context, name, file string) (string, error) {
	if err := migrations.Create(ctx, y.server.URL("postgres"), name); err != nil {
		return "", err
	}
	url := y.server.URL(name)
	if err := migrations.Up(ctx, url); err != nil {
		return "", err
	}
	if file == "" {
		return url, nil
	}
	sql, err := yardsticks.ReadFile(file)
	if err != nil {
		return "", err
	}
	return url, install(ctx, url, string(sql))
}

// A script is one that pgbench runs.
type script struct {
	file    string
	clients int
	vars    map[string]int64
	log     string // where to write how long each took; "": nowhere
}

var tps = regexp.MustCompile(`(?m)^tps = ([0-9.]+)`)

// run has pgbench run a script on a database, as the hub's own role, for a
// while or, with transactions above 0, that often; it returns the rate.
func (y *yard) run(ctx context.Context, url string, s script, d time.Duration, transactions int) (float64, error) {
	sql, err := yardsticks.ReadFile(s.file)
	if err != nil {
		return 0, err
	}
	args := []string{"-n", "-M", "prepared", "-j", strconv.Itoa(min(2, s.clients)), "-c", strconv.Itoa(s.clients), "-f", "-"}
	if transactions > 0 {
		args = append(args, "-t", strconv.Itoa(transactions))
	} else {
		args = append(args, "-T", strconv.Itoa(max(1, int(math.Round(d.Seconds())))))
	}
	if s.log != "" {
		args = append(args, "-l", "--sampling-rate=0.1", "--log-prefix="+s.log)
	}
	for k, v := range s.vars {
		args = append(args, "-D", fmt.Sprintf("%s=%d", k, v))
	}
	cmd := exec.CommandContext(ctx, y.pgbench, append(args, url)...)
	cmd.Env = append(os.Environ(), "PGOPTIONS=-c role=hub_app -c timezone=UTC")
	cmd.Stdin = bytes.NewReader(sql)
	out, err := cmd.CombinedOutput()
	m := tps.FindSubmatch(out)
	if err == nil && m == nil && transactions == 0 { // one takes longer than the round: a busy machine
		return y.run(ctx, url, s, d, 1)
	}
	if err != nil || m == nil {
		return 0, fmt.Errorf("pgbench: %v: %s", err, bytes.TrimSpace(out[max(0, len(out)-1000):]))
	}
	return strconv.ParseFloat(string(m[1]), 64)
}

// pace is run for a while, with how long a tenth of the transactions took:
// writing all of them down would slow it.
func (y *yard) pace(ctx context.Context, url string, s script, d time.Duration) (pace, error) {
	dir, err := os.MkdirTemp("", "tiwiza-bench-")
	if err != nil {
		return pace{}, err
	}
	defer os.RemoveAll(dir)
	s.log = filepath.Join(dir, "t")
	rate, err := y.run(ctx, url, s, d, 0)
	if err != nil {
		return pace{}, err
	}
	files, err := filepath.Glob(s.log + "*")
	if err != nil {
		return pace{}, err
	}
	var took []time.Duration
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			return pace{}, err
		}
		for line := range strings.Lines(string(b)) {
			if f := strings.Fields(line); len(f) > 2 {
				us, _ := strconv.Atoi(f[2]) // all of these are numbers
				took = append(took, time.Duration(us)*time.Microsecond)
			}
		}
	}
	return pace{rate, p95(took)}, nil
}

// best is run for a while with as many clients as are best, of 8 and 32.
func (y *yard) best(ctx context.Context, url string, s script, d time.Duration) (p pace, err error) {
	for _, s.clients = range []int{8, 32} {
		rate, err := y.run(ctx, url, s, d, 0)
		if err != nil {
			return p, err
		}
		p.rate = max(p.rate, rate)
	}
	return p, nil
}

// p95 is what 95 of 100 stayed under, in milliseconds.
func p95(took []time.Duration) float64 { return centile(took, 95) }

// centile is what so many of 100 stayed under, in milliseconds.
func centile(took []time.Duration, n int) float64 {
	if len(took) == 0 {
		return 0
	}
	slices.Sort(took)
	return took[(len(took)-1)*n/100].Seconds() * 1000
}

// tick is the unit of /proc's processor times, fixed for user space.
const tick = 10 * time.Millisecond

// cpu is the processor time a process has used; with its children's, also what
// they use and what those used that have ended.
func cpu(pid int, children bool) (time.Duration, error) {
	_, own, ended, err := procStat(pid)
	if err != nil || !children {
		return own, err
	}
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return 0, err
	}
	sum := own + ended
	for _, d := range dirs {
		child, err := strconv.Atoi(filepath.Base(d))
		if err != nil {
			continue
		}
		parent, used, _, err := procStat(child)
		if err == nil && parent == pid { // one that has just ended is counted by its parent
			sum += used
		}
	}
	return sum, nil
}

// procStat reads a process's parent, its processor time and that of its ended
// children.
func procStat(pid int) (parent int, own, ended time.Duration, err error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, 0, 0, fmt.Errorf("read the processor time of %d: %w", pid, err)
	}
	_, rest, _ := strings.Cut(string(b), ") ")
	f := strings.Fields(rest)
	if len(f) < 15 {
		return 0, 0, 0, fmt.Errorf("read the processor time of %d: %q", pid, b)
	}
	var n [15]int
	for i := 1; i < 15; i++ {
		n[i], _ = strconv.Atoi(f[i]) // all of these are numbers
	}
	return n[1], time.Duration(n[11]+n[12]) * tick, time.Duration(n[13]+n[14]) * tick, nil
}
