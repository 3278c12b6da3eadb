package iso20022

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"slices"
	"time"

	"tiwiza/adapters/bank"
)

// atOnce bounds the files fetched by one call; the rest wait for the next.
const atOnce = 100

// found is a file in one of the bank's folders.
type found struct {
	dir  string
	info os.FileInfo
}

func (f found) path() string { return path.Join(f.dir, f.info.Name()) }

// list gives the finished files of a folder, oldest first.
func (d *Driver) list(s *session, dir string) ([]found, error) {
	infos, err := s.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", dir, err)
	}
	var out []found
	for _, i := range infos {
		if i.Mode().IsRegular() && plain(i.Name()) {
			out = append(out, found{dir, i})
		}
	}
	slices.SortFunc(out, func(a, b found) int {
		return cmp.Or(a.info.ModTime().Compare(b.info.ModTime()), cmp.Compare(a.info.Name(), b.info.Name()))
	})
	return out, nil
}

// Waiting fetches the reports and the statements that stand ready, reports
// first. A file that grew or changed while it was looked at is left for the
// next time.
func (d *Driver) Waiting(ctx context.Context) ([]bank.Received, error) {
	s, err := d.open(ctx)
	if err != nil {
		return nil, err
	}
	defer s.close()
	var files []found
	for _, dir := range []string{d.cfg.Dirs.Ack, d.cfg.Dirs.Out} {
		list, err := d.list(s, dir)
		if err != nil {
			return nil, err
		}
		files = append(files, list...)
	}
	files = files[:min(len(files), atOnce)]
	if len(files) == 0 {
		return nil, nil
	}
	select {
	case <-time.After(d.cfg.Settle):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	var out []bank.Received
	for _, f := range files {
		b, whole, err := s.settled(f)
		if err != nil {
			return out, err
		}
		if whole && !ended(b) && time.Since(f.info.ModTime()) < patience {
			continue // cut off, or not written to its end yet: the next look tells
		}
		if whole {
			out = append(out, bank.Received{Dir: f.dir, Name: f.info.Name(), Bytes: b, SHA256: digest(b)})
		}
	}
	return out, nil
}

// patience is how long a file that is cut off is taken for one that is still
// being written.
const patience = 15 * time.Second

// ended says whether a file goes on to the end of its document; what is no
// document at all has nothing to wait for.
func ended(b []byte) bool {
	b = bytes.TrimSpace(bytes.TrimPrefix(b, []byte("\ufeff")))
	return len(b) > 0 && b[0] != '<' || bytes.HasSuffix(b, []byte("Document>"))
}

// settled fetches a file that stands as it stood when it was listed. One that
// is gone was taken by another worker.
func (s *session) settled(f found) (b []byte, whole bool, err error) {
	b, err = s.fetch(f.path())
	if err == nil {
		var now os.FileInfo
		if now, err = s.Stat(f.path()); err == nil {
			size := f.info.Size()
			return b, now.Size() == size && now.ModTime().Equal(f.info.ModTime()) && int64(len(b)) == min(size, maxBytes+1), nil
		}
	}
	if errors.Is(err, os.ErrNotExist) {
		err = nil
	}
	return nil, false, err
}

// Archive moves a processed file aside. A file of that name that is already
// there keeps its place; another content gets its hash behind its name.
func (d *Driver) Archive(ctx context.Context, r bank.Received) error {
	if !plain(r.Name) || r.Dir != d.cfg.Dirs.Out && r.Dir != d.cfg.Dirs.Ack {
		return fmt.Errorf("archive %s: it is not a file of the bank's", path.Join(r.Dir, r.Name))
	}
	s, err := d.open(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	from, to := path.Join(r.Dir, r.Name), path.Join(d.cfg.Dirs.Archive, r.Name)
	stands, ours, err := s.holds(from, r.SHA256)
	if err == nil && !stands {
		return nil // archived before
	}
	if err == nil && !ours {
		return fmt.Errorf("archive %s: its content changed since it was fetched", from)
	}
	there, same, lookErr := s.holds(to, r.SHA256)
	switch {
	case err != nil || lookErr != nil:
		err = errors.Join(err, lookErr)
	case same:
		err = s.Remove(from)
	case there:
		err = s.Rename(from, to+"."+r.SHA256[:12])
	default:
		err = s.Rename(from, to)
	}
	if err == nil || errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if _, gone := s.Stat(from); errors.Is(gone, os.ErrNotExist) {
		return nil // another worker was quicker
	}
	return fmt.Errorf("archive %s: %w", from, err)
}
