package pgserver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// ErrNoServer means that no usable PostgreSQL was found, nor could be fetched.
var ErrNoServer = errors.New("no PostgreSQL server was found and none could be downloaded: install PostgreSQL 14 or newer with its contrib modules, or set HUB_DATABASE_URL")

const oldest = 14 // the first version the migrations are written for

// where packages put the programs, besides PATH. The newest goes first.
var installed = []string{
	"/usr/lib/postgresql/*/bin",          // Debian, Ubuntu
	"/usr/pgsql-*/bin",                   // PGDG on Red Hat
	"/usr/libexec/postgresql*",           // Alpine
	"/opt/homebrew/opt/postgresql@*/bin", // Homebrew on Apple silicon
	"/usr/local/opt/postgresql@*/bin",    // Homebrew on Intel
	"/usr/local/pgsql/bin",               // from source
	"/Applications/Postgres.app/Contents/Versions/*/bin",
}

// where pg_trgm.control is, seen from the programs.
var extensions = []string{
	"../share/extension", "../share/postgresql/extension", "../share/pgsql/extension", "../share/postgresql@%d/extension",
	"../../../../share/postgresql/%d/extension", "../../share/postgresql%d/extension",
}

// programs is the directory of a usable server, of the given major version
// unless that is 0: the one we were told, else one on the machine, else one
// from the network.
func (s *Server) programs(ctx context.Context, major int) (string, error) {
	if s.o.BinDir != "" {
		if v, err := check(s.o.BinDir); err != nil || major != 0 && v != major {
			return "", fmt.Errorf("the PostgreSQL programs in %s, version %d, do not fit this cluster, version %d: %w", s.o.BinDir, v, major, errors.Join(ErrNoServer, err))
		}
		return s.o.BinDir, nil
	}
	if !s.o.Fetch {
		if bin := s.find(ctx, major); bin != "" {
			return bin, nil
		}
	}
	bin, err := s.fetch(ctx, major)
	if err != nil && major != 0 {
		return "", fmt.Errorf("the cluster in %s needs PostgreSQL %d: %w: %w", s.place.dir, major, ErrNoServer, err)
	}
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrNoServer, err)
	}
	return bin, nil
}

// find looks for a server on the machine, first in PATH, then the newest.
func (s *Server) find(ctx context.Context, major int) string {
	type candidate struct {
		bin     string
		version int
	}
	var found []candidate
	seen := map[string]bool{}
	consider := func(bin string) {
		if seen[bin] {
			return
		}
		seen[bin] = true
		v, err := check(bin)
		if err == nil && (major == 0 || v == major) {
			found = append(found, candidate{bin, v})
		} else if v != 0 {
			s.log.InfoContext(ctx, "passing over an installed PostgreSQL", "programs", bin, "version", v, "wanted", major, "err", err)
		}
	}
	if p, err := exec.LookPath("postgres"); err == nil {
		if p, err = filepath.EvalSymlinks(p); err == nil {
			consider(filepath.Dir(p))
		}
	}
	if len(found) > 0 {
		return found[0].bin
	}
	for _, pattern := range installed {
		dirs, _ := filepath.Glob(pattern)
		for _, d := range dirs {
			consider(d)
		}
	}
	if len(found) == 0 {
		return ""
	}
	return slices.MaxFunc(found, func(a, b candidate) int { return cmp.Compare(a.version, b.version) }).bin
}

var versionNumber = regexp.MustCompile(`\(PostgreSQL\) (\d+)`)

// check gives the major version of the server in bin, and an error when the
// server is not one we can use.
func check(bin string) (int, error) {
	out, err := exec.Command(filepath.Join(bin, "postgres"), "--version").Output()
	if err != nil {
		return 0, fmt.Errorf("no postgres in %s: %w", bin, err)
	}
	m := versionNumber.FindSubmatch(out)
	if m == nil {
		return 0, fmt.Errorf("%s/postgres tells no version: %q", bin, out)
	}
	v, err := strconv.Atoi(string(m[1]))
	if err != nil {
		return 0, err
	}
	if v < oldest {
		return v, fmt.Errorf("version %d is too old: %d is needed", v, oldest)
	}
	for _, p := range []string{"initdb", "pg_ctl"} {
		if _, err := os.Stat(filepath.Join(bin, p)); err != nil {
			return v, err
		}
	}
	if !hasTrigrams(bin, v) {
		return v, fmt.Errorf("the extension pg_trgm is not installed with %s", bin)
	}
	return v, nil
}

func hasTrigrams(bin string, version int) bool {
	if real, err := filepath.EvalSymlinks(bin); err == nil {
		bin = real
	}
	return slices.ContainsFunc(extensions, func(dir string) bool {
		if strings.Contains(dir, "%d") {
			dir = fmt.Sprintf(dir, version)
		}
		_, err := os.Stat(filepath.Join(bin, dir, "pg_trgm.control"))
		return err == nil
	})
}
