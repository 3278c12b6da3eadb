package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"

	"tiwiza/migrations"
	"tiwiza/pkg/pgserver"
)

// A database is where the hub keeps everything: one it was given, or the
// PostgreSQL server it keeps itself, shared by every hub command on the same
// data directory.
type database struct {
	URL    string // as the owner
	dir    string // the data directory
	server *pgserver.Server
}

const ownDatabase = "tiwiza"

// reach finds the database, and starts the hub's own server when it must.
func (s *Settings) reach(ctx context.Context) (*database, error) {
	if err := os.MkdirAll(s.DataDir, 0o755); err != nil {
		return nil, fmt.Errorf("make the data directory: %w", err)
	}
	if s.DatabaseURL != "" {
		return &database{URL: s.DatabaseURL, dir: s.DataDir}, nil
	}
	srv, err := pgserver.Start(ctx, pgserver.Options{Dir: s.DataDir, Log: slog.Default()})
	if err != nil {
		return nil, err
	}
	d := &database{URL: srv.URL(ownDatabase), dir: s.DataDir, server: srv}
	if err := migrations.Create(ctx, srv.URL("postgres"), ownDatabase); err != nil {
		d.leave(ctx)
		return nil, err
	}
	return d, nil
}

// leave lets go of the hub's own server; the last to leave stops it.
func (d *database) leave(ctx context.Context) {
	if d.server == nil {
		return
	}
	if err := d.server.Stop(context.WithoutCancel(ctx)); err != nil {
		slog.WarnContext(ctx, "the database server did not stop", "error", err)
	}
}

type migrateCmd struct{}

// Run migrates.
func (migrateCmd) Run(ctx context.Context, s *Settings) error {
	d, err := s.reach(ctx)
	if err != nil {
		return err
	}
	defer d.leave(ctx)
	return migrations.Up(ctx, d.URL)
}

// testServer tells the tests of a server (pkg/pgtest).
const testServer = "HUB_TEST_DATABASE_URL"

type postgresCmd struct {
	Durable bool     `help:"Flush each commit to disk, as in production; tests need not."`
	Command []string `arg:"" passthrough:"" help:"The command, after --."`
}

// Run runs the command with HUB_TEST_DATABASE_URL naming the server.
func (c postgresCmd) Run(ctx context.Context, _ *Settings) error {
	words := c.Command
	if len(words) > 0 && words[0] == "--" {
		words = words[1:]
	}
	if len(words) == 0 {
		return fmt.Errorf("give a command after --")
	}
	srv, err := temporary(ctx, c.Durable)
	if err != nil {
		return err
	}
	defer func() { _ = srv.Stop(context.WithoutCancel(ctx)) }()
	cmd := exec.CommandContext(ctx, words[0], words[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), testServer+"="+srv.URL("postgres"), "HUB_TEST_PG_BIN="+srv.BinDir())
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	if err := cmd.Run(); err != nil {
		if cmd.ProcessState != nil && cmd.ProcessState.ExitCode() > 0 {
			return exitCode(cmd.ProcessState.ExitCode())
		}
		return err
	}
	return nil
}

// temporary starts a server of its own that goes away with Stop.
func temporary(ctx context.Context, durable bool) (*pgserver.Server, error) {
	if durable {
		return pgserver.TempDurable(ctx, slog.Default())
	}
	return pgserver.Temp(ctx, slog.Default())
}
