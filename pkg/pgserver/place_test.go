package pgserver_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tiwiza/pkg/pgserver"
)

func TestDirectoryClosedToOthersPutsTheClusterElsewhere(t *testing.T) {
	t.Parallel()
	asRoot(t)
	home := folder(t)
	must(t, os.Chmod(home, 0o700))
	dir := filepath.Join(home, "hub", "var")
	var log bytes.Buffer
	s := start(t, pgserver.Options{Dir: dir, Fast: true, Log: logTo(&log)})
	t.Cleanup(func() { must(t, os.RemoveAll(filepath.Dir(s.Dir()))) })
	if strings.HasPrefix(s.Dir(), home) {
		t.Errorf("the cluster is in %s, want it outside %s", s.Dir(), home)
	}
	if b, err := os.ReadFile(filepath.Join(dir, "postgres.location")); err != nil || strings.TrimSpace(string(b)) != filepath.Dir(s.Dir()) {
		t.Errorf("postgres.location says %q, %v; want %s", b, err, filepath.Dir(s.Dir()))
	}
	if !strings.Contains(log.String(), s.Dir()) {
		t.Errorf("the log does not say where the cluster is: %s", &log)
	}
	tell(t, s, "create table kept as select 'zarbiya' as name")
	stop(t, s)
	again := start(t, pgserver.Options{Dir: dir, Fast: true})
	if got, want := ask(t, again, "select name from kept"), "zarbiya"; got != want {
		t.Errorf("the second start found %q, want %q", got, want)
	}
	stop(t, again)
	must(t, os.Rename(filepath.Dir(s.Dir()), filepath.Dir(s.Dir())+"-away"))
	_, err := pgserver.Start(t.Context(), pgserver.Options{Dir: dir, Fast: true})
	must(t, os.Rename(filepath.Dir(s.Dir())+"-away", filepath.Dir(s.Dir())))
	if err == nil || !strings.Contains(err.Error(), "bring it back") {
		t.Errorf("Start without the cluster it knows of = %v, want a refusal", err)
	}
}

func TestClusterKeepsItsOwner(t *testing.T) {
	t.Parallel()
	asRoot(t)
	dir := folder(t)
	s := start(t, pgserver.Options{Dir: dir, Fast: true})
	stop(t, s)
	const uid = 12345 // an account of no name
	must(t, filepath.Walk(s.Dir(), func(path string, _ os.FileInfo, err error) error {
		return errors.Join(err, os.Lchown(path, uid, uid))
	}))
	s = start(t, pgserver.Options{Dir: dir, Fast: true})
	fi, err := os.Stat(filepath.Join(s.Dir(), "postmaster.pid"))
	must(t, err)
	if got := fi.Sys().(*syscall.Stat_t).Uid; got != uid {
		t.Errorf("the server runs as %d, want the cluster's owner %d", got, uid)
	}
}

func TestLongPathIsServed(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(folder(t), strings.Repeat("a-long-name/", 12), "var")
	s := start(t, pgserver.Options{Dir: dir, Fast: true})
	if got, want := ask(t, s, "show data_directory"), filepath.Join(dir, "postgres"); got != want {
		t.Errorf("the cluster is in %q, want %q", got, want)
	}
	sockets := ask(t, s, "show unix_socket_directories")
	if fi, err := os.Stat(sockets); err != nil || fi.Mode().Perm() != 0o700 {
		t.Errorf("the socket's directory is %v, %v; want it closed to others", fi, err)
	}
	stop(t, s)
	if _, err := os.Stat(sockets); err == nil {
		t.Errorf("%s is left after Stop", sockets)
	}
}

func TestPathOfAnyLettersIsServed(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"تعاونية it's & 1+1=100%", "a, b & c+d=100%"} {
		dir := filepath.Join(folder(t), name)
		s := start(t, pgserver.Options{Dir: dir, Fast: true})
		joined := start(t, pgserver.Options{Dir: dir, Fast: true})
		if got, want := ask(t, joined, "show data_directory"), filepath.Join(dir, "postgres"); got != want {
			t.Errorf("the cluster is in %q, want %q", got, want)
		}
		if got, want := joined.BinDir(), s.BinDir(); got != want {
			t.Errorf("who joined has its programs in %q, want %q", got, want)
		}
	}
}

func TestServerIsDurableAndOpenToNobodyElse(t *testing.T) {
	t.Parallel()
	s := start(t, pgserver.Options{Dir: folder(t), Settings: map[string]string{"work_mem": "7MB", "application_name": `l'hub \ n`}})
	want := map[string]string{
		"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "data_checksums": "on", "jit": "off",
		"listen_addresses": "", "unix_socket_permissions": "0700", "server_encoding": "UTF8",
		"max_connections": "200", "work_mem": "7MB",
	}
	got := map[string]string{}
	for name := range want {
		got[name] = ask(t, s, "select current_setting($1)", name)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("settings differ (-want +got):\n%s", diff)
	}
	if got, want := ask(t, s, "select reset_val from pg_settings where name = 'application_name'"), `l'hub \ n`; got != want {
		t.Errorf("a setting with quotes is %q, want %q", got, want)
	}
	if got, want := ask(t, s, "select lower('ÉCHANTILLON') || upper('ⴰ') || ('Z' < 'a')"), "échantillonⴰtrue"; got != want {
		t.Errorf("letters and order are %q, want %q", got, want)
	}
	fi, err := os.Stat(s.Dir())
	must(t, err)
	if got, want := fi.Mode().Perm(), os.FileMode(0o700); got != want {
		t.Errorf("the cluster has mode %o, want %o", got, want)
	}
}

func TestLogBeginsAnewWhenTooLong(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	s := start(t, pgserver.Options{Dir: dir, Fast: true})
	stop(t, s)
	log := filepath.Join(s.Dir(), "server.log")
	must(t, os.Truncate(log, 21<<20))
	start(t, pgserver.Options{Dir: dir, Fast: true})
	if fi, err := os.Stat(log); err != nil || fi.Size() == 0 || fi.Size() > 1<<20 {
		t.Errorf("server.log is %v, %v; want it begun anew", fi.Size(), err)
	}
}

func TestMissingProgramsSayWhatToDo(t *testing.T) {
	t.Parallel()
	_, err := pgserver.Start(t.Context(), pgserver.Options{Dir: folder(t), BinDir: t.TempDir()})
	if !errors.Is(err, pgserver.ErrNoServer) || !strings.Contains(err.Error(), "HUB_DATABASE_URL") {
		t.Errorf("Start without programs = %v, want ErrNoServer", err)
	}
}

func TestTrigramsAreThere(t *testing.T) {
	t.Parallel()
	s := start(t, pgserver.Options{Dir: folder(t), Fast: true})
	tell(t, s, "create extension pg_trgm")
	if got, want := ask(t, s, "select (similarity('argane', 'arganne') > 0.5)::text"), "true"; got != want {
		t.Errorf("similar = %s, want %s", got, want)
	}
}
