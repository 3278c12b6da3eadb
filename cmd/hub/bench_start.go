package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// start measures hub run as a newcomer meets it: on an empty data directory,
// and again on the one it left.
func (b *bench) start(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "tiwiza-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o711); err != nil { // the database server may run as another user
		return err
	}
	cold, stopped, _, err := b.life(ctx, dir, nil)
	if err != nil {
		return fmt.Errorf("cold: %w", err)
	}
	b.found(figure{Name: "hub run, cold", Value: cold.Seconds(), Unit: "s", Note: "makes its database, migrates, seeds, starts the stand-in partners"})
	warm, again, memory, err := b.life(ctx, dir, func() error {
		keys, err := readDemo(filepath.Join(dir, demoFile))
		if err != nil {
			return err
		}
		_, err = (&player{client: &http.Client{Timeout: 30 * time.Second}, keys: keys, say: io.Discard}).play(ctx, nil)
		return err
	})
	if err != nil {
		return fmt.Errorf("warm: %w", err)
	}
	b.found(figure{Name: "hub run, warm", Value: warm.Seconds(), Unit: "s", Ceiling: 20, Note: "until /readyz answers 200"})
	b.found(figure{Name: "hub's resident memory", Value: memory, Unit: "MB", Ceiling: 150, Note: "after the demonstration was played once"})
	b.found(figure{Name: "hub stops in", Value: max(stopped, again).Seconds(), Unit: "s", Ceiling: 10, Note: "after SIGINT, its database with it; the slower of two"})
	return nil
}

// life is one run of hub run: how long it took to be ready and to stop, and how
// much memory it had after work, in megabytes.
func (b *bench) life(ctx context.Context, dir string, work func() error) (ready, stopped time.Duration, memory float64, err error) {
	sim, err := freeAddr()
	if err != nil {
		return 0, 0, 0, err
	}
	began := time.Now()
	h, err := spawn(dir, []string{"HUBSIM_ADDR=" + sim}, "run")
	if err != nil {
		return 0, 0, 0, err
	}
	err = h.ready(ctx)
	ready = time.Since(began)
	if err == nil && work != nil {
		if err = work(); err == nil {
			memory, err = resident(h.cmd.Process.Pid)
		}
	}
	began = time.Now()
	err = errors.Join(err, h.stop())
	return ready, time.Since(began), memory, err
}

// resident is a process's memory in megabytes.
func resident(pid int) (float64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	_, rest, ok := strings.Cut(string(b), "VmRSS:")
	f := strings.Fields(rest)
	if !ok || len(f) == 0 {
		return 0, errors.New("the process does not say how much memory it has")
	}
	kB, err := strconv.ParseFloat(f[0], 64)
	return kB / 1024, err
}
