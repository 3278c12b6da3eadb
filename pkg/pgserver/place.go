package pgserver

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
)

// A place is where a cluster lives: its directory, the one around it, which
// also holds the locks, and the account it belongs to.
type place struct {
	base, dir string
	who       account
}

// locate finds the cluster of a data directory, or decides where it will be.
func locate(data string, log *slog.Logger) (place, error) {
	data, err := filepath.Abs(data)
	if err != nil {
		return place{}, err
	}
	if err := os.MkdirAll(data, 0o755); err != nil {
		return place{}, err
	}
	if data, err = filepath.EvalSymlinks(data); err != nil {
		return place{}, err
	}
	base, err := relocated(data)
	if err != nil {
		return place{}, err
	}
	p := place{base: base, dir: filepath.Join(base, "postgres")}
	if _, err := os.Stat(p.dir); err == nil {
		if p.who, err = owner(p.dir); err != nil {
			return place{}, err
		}
		if err := p.who.reach(p.dir); err != nil {
			return place{}, fmt.Errorf("the cluster's owner (user id %d) cannot enter %s any more: give others the right to pass each directory above it (chmod o+x): %w", p.who.id(), p.dir, err)
		}
		return p, nil
	}
	if p.who, err = unprivileged(); err != nil {
		return place{}, err
	}
	if base != data || usable(base, p.who) == nil {
		return p, nil
	}
	return elsewhere(data, p.who, log)
}

// relocated reads where the cluster of a data directory went.
func relocated(data string) (string, error) {
	b, err := os.ReadFile(locationFile(data))
	if errors.Is(err, fs.ErrNotExist) {
		return data, nil
	}
	if err != nil {
		return "", err
	}
	base := strings.TrimSpace(string(b))
	if _, err := os.Stat(base); err != nil {
		return "", fmt.Errorf("%s says the cluster is in %s: bring it back, or remove that file to begin with an empty one: %w", locationFile(data), base, err)
	}
	return base, nil
}

func locationFile(data string) string { return filepath.Join(data, "postgres.location") }

// usable tells whether the account can own and enter a directory in base.
func usable(base string, who account) error {
	if !who.other {
		return nil
	}
	d, err := os.MkdirTemp(base, "postgres.try-")
	if err != nil {
		return err
	}
	defer os.Remove(d)
	if err := who.give(d); err != nil {
		return err
	}
	return who.reach(d)
}

// elsewhere makes a place outside the data directory and writes down where.
// Its name is new each time: who removes a data directory wants an empty one.
func elsewhere(data string, who account, log *slog.Logger) (place, error) {
	base, err := newBase("/var/lib/tiwiza", short(data)+"-", who)
	if err != nil {
		if base, err = newBase("/var/tmp", "tiwiza-"+short(data)+"-", who); err != nil {
			return place{}, err
		}
	}
	tmp := locationFile(data) + ".new"
	if err := os.WriteFile(tmp, []byte(base+"\n"), 0o644); err != nil {
		return place{}, err
	}
	if err := os.Rename(tmp, locationFile(data)); err != nil {
		return place{}, err
	}
	log.Warn("PostgreSQL cannot run as root, and its own user cannot enter the data directory: the cluster is kept elsewhere",
		"data_dir", data, "cluster", filepath.Join(base, "postgres"), "noted_in", locationFile(data))
	return place{base: base, dir: filepath.Join(base, "postgres"), who: who}, nil
}

// newBase makes a directory in root that the account can enter.
func newBase(root, prefix string, who account) (string, error) {
	if err := os.Mkdir(root, 0o755); err == nil {
		err = os.Chmod(root, 0o755) // whatever our umask is
		if err != nil {
			return "", err
		}
	}
	base, err := os.MkdirTemp(root, prefix)
	if err != nil {
		return "", err
	}
	if err := errors.Join(os.Chmod(base, 0o755), usable(base, who)); err != nil {
		return "", errors.Join(err, os.Remove(base))
	}
	return base, nil
}

// short names a path in a few letters.
func short(path string) string {
	sum := sha256.Sum256([]byte(path))
	return hex.EncodeToString(sum[:6])
}

// A socket's path may have 107 bytes on Linux and 103 elsewhere.
const longestSocket = 103

// socketDir is the directory for the socket: the cluster's own, or one under
// the temporary directory when that path is too long, or has a comma, which
// clients read as the end of a host's name. Only the account and
// root may enter it, and it must not be one that somebody else put there.
func socketDir(p place) (string, error) {
	fits := func(dir string) bool {
		return len(dir)+len("/.s.PGSQL."+port) <= longestSocket && !strings.ContainsAny(dir, `,"`)
	}
	if fits(p.dir) {
		return p.dir, nil
	}
	dir := filepath.Join(os.TempDir(), "tiwiza-"+short(p.dir))
	if !fits(dir) || p.who.other {
		dir = filepath.Join("/tmp", "tiwiza-"+short(p.dir))
	}
	if err := os.Mkdir(dir, 0o700); err == nil {
		return dir, p.who.give(dir)
	}
	fi, err := os.Lstat(dir)
	if err != nil {
		return "", err
	}
	if uid, _ := ids(fi); !fi.IsDir() || fi.Mode().Perm() != 0o700 || uid != p.who.id() {
		return "", fmt.Errorf("%s is not a directory of ours: remove it, or choose a shorter HUB_DATA_DIR", dir)
	}
	return dir, nil
}
