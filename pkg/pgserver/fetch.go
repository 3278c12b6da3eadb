package pgserver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	embeddedpostgres "github.com/fergusstrange/embedded-postgres"
)

// what the library can fetch, by major version. 0 is for a new cluster.
var fetchable = map[int]embeddedpostgres.PostgresVersion{
	0: embeddedpostgres.V18, 18: embeddedpostgres.V18, 17: embeddedpostgres.V17, 16: embeddedpostgres.V16,
	15: embeddedpostgres.V15, 14: embeddedpostgres.V14,
}

const fetchTime = 15 * time.Minute

// fetch downloads the programs once per machine, and gives their directory.
func (s *Server) fetch(ctx context.Context, major int) (string, error) {
	version, ok := fetchable[major]
	if !ok {
		return "", fmt.Errorf("PostgreSQL %d cannot be downloaded", major)
	}
	cache, err := s.cache()
	if err != nil {
		return "", err
	}
	home := filepath.Join(cache, "postgresql-"+string(version))
	bin := filepath.Join(home, "bin")
	if _, err := check(bin); err == nil {
		return bin, nil
	}
	began := time.Now()
	s.log.InfoContext(ctx, "downloading PostgreSQL, some 10 to 20 MB, once", "version", string(version), "into", home)
	if err := s.unpack(ctx, version, cache, home); err != nil {
		return "", fmt.Errorf("download PostgreSQL %s: %w", version, err)
	}
	if _, err := check(bin); err != nil {
		return "", fmt.Errorf("the downloaded PostgreSQL is of no use: %w", err)
	}
	s.log.InfoContext(ctx, "downloaded PostgreSQL", "version", string(version), "took", time.Since(began).Round(time.Millisecond))
	return bin, nil
}

// cache is a directory that outlives the cluster and that its account can
// enter. The place itself is the last resort.
func (s *Server) cache() (string, error) {
	var dirs []string
	if d, err := os.UserCacheDir(); err == nil {
		dirs = append(dirs, filepath.Join(d, "tiwiza"))
	}
	if s.place.who.other {
		dirs = append(dirs, "/var/cache/tiwiza")
	}
	for _, d := range append(dirs, s.place.base) {
		if os.MkdirAll(d, 0o755) == nil && usable(d, s.place.who) == nil {
			return d, nil
		}
	}
	return "", errors.New("there is no directory to keep the programs in")
}

// unpack fetches a version and moves it to home when it is whole. The library
// cannot be interrupted: when ctx ends, it is left to finish and clean up.
func (s *Server) unpack(ctx context.Context, version embeddedpostgres.PostgresVersion, cache, home string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, fetchTime, errors.New("it took too long"))
	defer cancel()
	tmp, err := os.MkdirTemp(cache, "fetching-")
	if err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() {
		defer os.RemoveAll(tmp)
		if err := fetchInto(tmp, version); err != nil {
			done <- err
			return
		}
		done <- install(filepath.Join(tmp, "home"), home)
	}()
	tick := time.NewTicker(5 * time.Second)
	defer tick.Stop()
	for began := time.Now(); ; {
		select {
		case err := <-done:
			return err
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
			s.log.InfoContext(ctx, "still downloading PostgreSQL", "for", time.Since(began).Round(time.Second))
		}
	}
}

// install moves what was unpacked to home, unless another process was faster.
func install(from, home string) error {
	err := os.Rename(from, home)
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	if _, err := check(filepath.Join(home, "bin")); err == nil {
		return nil
	}
	return errors.Join(os.RemoveAll(home), os.Rename(from, home))
}

// fetchInto has the library fetch, verify and unpack a version into dir/home.
// The library has no call for only that, and as root it would fail later on;
// so its data directory is one that can never be, below a plain file, and it
// fails right after it has unpacked, which the runtime directory it makes
// between the two bears witness to.
func fetchInto(dir string, version embeddedpostgres.PostgresVersion) error {
	file, unpacked, home := filepath.Join(dir, "file"), filepath.Join(dir, "unpacked"), filepath.Join(dir, "home")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		return err
	}
	err := embeddedpostgres.NewDatabase(embeddedpostgres.DefaultConfig().
		Version(version).Port(0).CachePath(filepath.Join(dir, "archive")).
		BinariesPath(home).RuntimePath(unpacked).DataPath(filepath.Join(file, "data")).
		Logger(io.Discard)).Start()
	if _, statErr := os.Stat(unpacked); statErr != nil {
		return errors.Join(err, statErr)
	}
	return readable(home)
}

// readable lets every account use what was unpacked, whatever our umask is.
func readable(dir string) error {
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.Type()&fs.ModeSymlink != 0 {
			return err
		}
		if d.IsDir() || strings.Contains(path, "/bin/") {
			return os.Chmod(path, 0o755)
		}
		return os.Chmod(path, 0o644)
	})
}
