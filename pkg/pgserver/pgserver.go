// Package pgserver keeps a PostgreSQL server of the hub's own: it finds or
// downloads the programs, makes the cluster, starts the server with its first
// user, shares it between processes and stops it with its last.
//
// The server listens on a Unix socket only, and the operating system says who
// may open it: the account the server runs as, and root. As root the server
// runs under an unprivileged account, because PostgreSQL refuses root.
package pgserver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// Options say where the cluster is kept and how the server runs. The settings
// of a server that runs already are left as they are.
type Options struct {
	Dir      string            // the hub's data directory; made when missing
	Log      *slog.Logger      // nil is silent
	Fast     bool              // for tests: a crash of the machine may lose everything
	Settings map[string]string // server settings that go before the defaults
	BinDir   string            // use these programs and look for no others
	Fetch    bool              // use the downloaded programs even where some are installed
}

// Server is one user's share of a running server.
type Server struct {
	o      Options
	log    *slog.Logger
	place  place
	users  *lock // held shared for as long as the server is used
	guard  *guardian
	mu     sync.Mutex // the fields below, and one start or stop at a time
	bin    string
	socket string // the directory of the socket
	pid    int
	closed bool
}

// Start makes sure a server runs on the cluster kept under o.Dir and joins it.
// The caller must call Stop. When ctx ends early, nothing is left running that
// nobody else uses.
func Start(ctx context.Context, o Options) (*Server, error) {
	s := &Server{o: o, log: o.Log}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	var err error
	if s.place, err = locate(o.Dir, s.log); err != nil {
		return nil, fmt.Errorf("find a place for PostgreSQL under %s: %w", o.Dir, err)
	}
	if s.users, err = openLock(filepath.Join(s.place.base, "postgres.lock")); err != nil {
		return nil, err
	}
	if err = s.ensure(ctx); err != nil {
		return nil, errors.Join(err, s.users.close())
	}
	return s, nil
}

// URL is where a database of the server answers, for pgx and libpq alike, as
// the superuser tiwiza.
func (s *Server) URL(database string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return socketURL(s.socket, database)
}

// Dir is the directory of the cluster. Its server.log is the server's log.
func (s *Server) Dir() string { return s.place.dir }

// BinDir is where the server's programs are. pgbench, pg_dump and psql are
// beside them when PostgreSQL was installed, but not when it was downloaded.
func (s *Server) BinDir() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bin
}

// Stop gives the server up, and stops it when nobody else uses it: politely,
// and after five seconds or the end of ctx at once, which is as safe. Stopping
// twice is harmless.
func (s *Server) Stop(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	err := s.leave(ctx)
	if s.guard != nil {
		err = errors.Join(err, s.guard.dismiss())
	}
	return err
}

// Keep starts the server anew whenever it has died under its users, until ctx
// ends. It is for one long-lived process, which calls it in a goroutine of its
// own and ends ctx before Stop.
func (s *Server) Keep(ctx context.Context) {
	for tick := time.NewTicker(500 * time.Millisecond); ; {
		select {
		case <-ctx.Done():
			tick.Stop()
			return
		case <-tick.C:
		}
		if err := s.revive(ctx); err != nil && ctx.Err() == nil {
			s.log.ErrorContext(ctx, "PostgreSQL is down and did not start again", "err", err)
		}
	}
}

func (s *Server) revive(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || running(s.pid, s.place.dir) {
		return nil
	}
	s.log.WarnContext(ctx, "PostgreSQL has died, starting it again", "pid", s.pid)
	return s.ensure(ctx)
}

// ensure joins the server that runs, or starts one. The start lock makes one
// process at a time decide.
func (s *Server) ensure(ctx context.Context) error {
	start, err := s.startLock(ctx)
	if err != nil {
		return err
	}
	defer start.close()
	if err := s.users.share(ctx); err != nil {
		return err
	}
	joined, err := s.adopt(ctx)
	if err != nil || joined {
		return err
	}
	if err := s.launch(ctx); err != nil {
		_ = s.halt(context.WithoutCancel(ctx))
		return err
	}
	return nil
}

// leave drops the share. Whoever can turn it into the whole was the last.
func (s *Server) leave(ctx context.Context) error {
	start, err := s.startLock(context.WithoutCancel(ctx))
	if err != nil {
		return errors.Join(err, s.users.close())
	}
	defer start.close()
	last, err := s.users.own()
	if err == nil && last {
		err = s.halt(ctx)
	}
	return errors.Join(err, s.users.close())
}

func (s *Server) startLock(ctx context.Context) (*lock, error) {
	l, err := openLock(filepath.Join(s.place.base, "postgres.start.lock"))
	if err != nil {
		return nil, err
	}
	if err := l.wait(ctx); err != nil {
		return nil, errors.Join(err, l.close())
	}
	return l, nil
}

func socketURL(socket, database string) string {
	u := url.URL{Scheme: "postgres", User: url.User(superuser), Path: "/" + database}
	host := strings.ReplaceAll(url.QueryEscape(socket), "+", "%20") // libpq takes a plus for a plus
	u.RawQuery = "host=" + host + "&port=" + port
	return u.String()
}
