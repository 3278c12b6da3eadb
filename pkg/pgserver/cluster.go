package pgserver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

const logLimit = 20 << 20 // server.log begins anew past this

// launch starts the server, on a new cluster if there is none. The caller
// holds the start lock and has seen that no server runs.
func (s *Server) launch(ctx context.Context) error {
	began := time.Now()
	major, err := s.major()
	if err != nil {
		return err
	}
	if s.bin, err = s.programs(ctx, major); err != nil {
		return err
	}
	if major == 0 {
		if err := s.initdb(ctx); err != nil {
			return fmt.Errorf("make a PostgreSQL cluster in %s: %w", s.place.dir, err)
		}
	}
	if s.socket, err = socketDir(s.place); err != nil {
		return err
	}
	if err := s.configure(ctx); err != nil {
		return fmt.Errorf("configure PostgreSQL: %w", err)
	}
	if err := s.run(ctx); err != nil {
		return err
	}
	pm, err := readPostmaster(s.place.dir)
	if err != nil {
		return err
	}
	s.pid = pm.pid
	s.log.InfoContext(ctx, "started PostgreSQL", "pid", s.pid, "cluster", s.place.dir, "programs", s.bin, "took", time.Since(began).Round(time.Millisecond))
	return nil
}

// major is the version of PostgreSQL the cluster was made by; 0 without one.
func (s *Server) major() (int, error) {
	b, err := os.ReadFile(filepath.Join(s.place.dir, "PG_VERSION"))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(b)))
}

// initdb makes the cluster beside its place and moves it there when it is
// whole, so that an interrupted one is never taken for a cluster.
func (s *Server) initdb(ctx context.Context) error {
	s.log.InfoContext(ctx, "making a PostgreSQL cluster", "dir", s.place.dir)
	old, _ := filepath.Glob(filepath.Join(s.place.base, "postgres.new-*"))
	for _, d := range old {
		if err := os.RemoveAll(d); err != nil {
			return err
		}
	}
	tmp, err := os.MkdirTemp(s.place.base, "postgres.new-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	if err := s.place.who.give(tmp); err != nil {
		return err
	}
	if err := s.fill(ctx, tmp); err != nil {
		return err
	}
	if err := os.Rename(tmp, s.place.dir); err != nil {
		return err
	}
	return syncDir(s.place.base)
}

// Texts are ordered by their bytes and known by their Unicode classes, which
// search needs; the names of such a locale differ between systems.
var locales = [][]string{{"--locale=C.UTF-8"}, {"--locale=C", "--lc-ctype=en_US.UTF-8"}, {"--locale=C"}}

// fill runs initdb in dir. Local connections are trusted: the only way in is
// the socket, which the file system opens to the server's account and to root,
// and they could read the data directory anyway. There is no other way in.
func (s *Server) fill(ctx context.Context, dir string) error {
	args := []string{
		"-D", dir, "-U", superuser, "-E", "UTF8", "--data-checksums",
		"--auth-local=trust", "--auth-host=reject", "--no-instructions",
	}
	if s.o.Fast {
		args = append(args, "--no-sync")
	}
	var failed error
	for _, locale := range locales {
		out, err := s.place.who.command(ctx, dir, filepath.Join(s.bin, "initdb"), append(args, locale...)...).CombinedOutput()
		if err == nil {
			return appendTo(dir, "postgresql.conf", "\ninclude 'tiwiza.conf'\t# written by the hub at each start; ALTER SYSTEM goes before it\n")
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		failed = fmt.Errorf("initdb: %w: %s", err, bytes.TrimSpace(out))
		if !bytes.Contains(out, []byte("locale")) {
			break
		}
	}
	return failed
}

func appendTo(dir, file, text string) error {
	r, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer r.Close()
	f, err := r.OpenFile(file, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Sync(), f.Close())
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// defaults are the settings of a server that keeps what it has committed.
func (s *Server) defaults() map[string]string {
	m := map[string]string{
		"listen_addresses": "", "port": port, "unix_socket_directories": s.socket, "unix_socket_permissions": "0700",
		"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "wal_compression": "on",
		"shared_buffers": "256MB", "max_connections": "200", "checkpoint_timeout": "15min", "max_wal_size": "2GB",
		"jit": "off", "timezone": "UTC", "log_timezone": "UTC", "log_line_prefix": "%m [%p] %d ",
	}
	if s.o.Fast {
		maps.Copy(m, map[string]string{
			"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "wal_level": "minimal", "max_wal_senders": "0",
			"shared_buffers": "128MB", "max_connections": "300",
		})
	}
	return m
}

// configure writes tiwiza.conf, and empties a log that has grown too long.
func (s *Server) configure(ctx context.Context) error {
	settings := s.defaults()
	if s.takes(ctx, "wal_compression", "lz4") {
		settings["wal_compression"] = "lz4"
	}
	maps.Copy(settings, s.o.Settings)
	var b strings.Builder
	b.WriteString("# Written by the hub at each start: a change here is lost. Use ALTER SYSTEM.\n")
	for _, k := range slices.Sorted(maps.Keys(settings)) {
		fmt.Fprintf(&b, "%s = '%s'\n", k, strings.NewReplacer(`'`, `''`, `\`, `\\`).Replace(settings[k]))
	}
	r, err := os.OpenRoot(s.place.dir)
	if err != nil {
		return err
	}
	defer r.Close()
	if err := r.WriteFile("tiwiza.conf", []byte(b.String()), 0o600); err != nil {
		return err
	}
	if s.place.who.other {
		if err := r.Lchown("tiwiza.conf", s.place.who.uid, s.place.who.gid); err != nil {
			return err
		}
	}
	if fi, err := r.Stat("server.log"); err == nil && fi.Size() > logLimit {
		return r.WriteFile("server.log", nil, 0o600)
	}
	return nil
}

// takes tells whether this build of the server takes a value for a setting.
func (s *Server) takes(ctx context.Context, setting, value string) bool {
	return s.place.who.command(ctx, s.place.dir, filepath.Join(s.bin, "postgres"),
		"-D", s.place.dir, "-c", "config_file="+os.DevNull, "-c", setting+"="+value, "-C", setting).Run() == nil
}

// run starts the server through pg_ctl, which lets go of it: it becomes no
// child of ours, and outlives us if it must. It waits for crash recovery.
func (s *Server) run(ctx context.Context) error {
	slow := s.sayWhenSlow("PostgreSQL is still starting")
	defer slow.Stop()
	dir := s.place.dir
	out, err := s.place.who.command(ctx, dir, filepath.Join(s.bin, "pg_ctl"), "start", "-w", "-s",
		"-t", strconv.Itoa(int(recoveryTime.Seconds())), "-D", dir, "-l", filepath.Join(dir, "server.log")).CombinedOutput()
	if ctx.Err() != nil {
		return fmt.Errorf("start PostgreSQL: %w", context.Cause(ctx))
	}
	if err != nil {
		return fmt.Errorf("start PostgreSQL: %w: %s\n%s", err, bytes.TrimSpace(out), s.logEnd())
	}
	if knock(ctx, s.socket, dir) != ready {
		return fmt.Errorf("PostgreSQL has started, but does not answer in %s: %s", s.socket, s.logEnd())
	}
	return nil
}

// logEnd is the last part of the server's log, for an error.
func (s *Server) logEnd() string {
	r, err := os.OpenRoot(s.place.dir)
	if err != nil {
		return err.Error()
	}
	defer r.Close()
	b, err := r.ReadFile("server.log")
	if err != nil {
		return err.Error()
	}
	return string(bytes.TrimSpace(b[max(0, len(b)-1500):]))
}
