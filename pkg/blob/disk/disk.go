// Package disk keeps blobs in a folder, which several hubs may share when all of
// them see the same one.
package disk

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"time"

	"tiwiza/pkg/blob"
)

// Folder is a blob.Driver. A content is written beside its place, flushed, and
// renamed into it, so a reader finds it whole or not at all.
type Folder struct{ root *os.Root }

// unfinished is where contents are written, and how old what is left there must
// be before it is taken for a dead writer's.
const (
	unfinished = "unfinished"
	abandoned  = 24 * time.Hour
)

// Open makes the folder if need be, sees that it can be written, and clears away
// what writers that died left unfinished.
func Open(dir string) (*Folder, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder for files: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open the folder for files: %w", err)
	}
	f := &Folder{root}
	if err := f.clear(); err != nil {
		_ = root.Close()
		return nil, fmt.Errorf("the folder for files: %w", err)
	}
	return f, nil
}

// Close lets go of the folder.
func (f *Folder) Close() error { return f.root.Close() }

// clear removes what has been unfinished for a day, by the clock of the folder's
// own file system.
func (f *Folder) clear() error {
	if err := f.root.MkdirAll(unfinished, 0o700); err != nil {
		return err
	}
	probe, err := f.write([]byte("probe"))
	if err != nil {
		return err
	}
	defer func() { _ = f.root.Remove(probe) }()
	now, err := f.root.Stat(probe)
	if err != nil {
		return err
	}
	entries, err := fs.ReadDir(f.root.FS(), unfinished)
	if err != nil {
		return err
	}
	for _, e := range entries {
		info, err := e.Info()
		if err == nil && now.ModTime().Sub(info.ModTime()) > abandoned {
			_ = f.root.Remove(path.Join(unfinished, e.Name())) // another hub may have been first
		}
	}
	return nil
}

// Put keeps a content; see blob.Driver.
func (f *Folder) Put(ctx context.Context, key blob.Key, content []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	at := place(key)
	made, err := f.makeDir(path.Dir(at))
	if err != nil {
		return err
	}
	name, err := f.write(content)
	if err != nil {
		return err
	}
	if err := f.root.Rename(name, at); err != nil {
		_ = f.root.Remove(name)
		return err
	}
	if made {
		if err := f.flush("."); err != nil {
			return err
		}
	}
	return f.flush(path.Dir(at))
}

// Get reads a content; see blob.Driver.
func (f *Folder) Get(ctx context.Context, key blob.Key, limit int64) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	file, err := f.root.Open(place(key))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, blob.ErrMissing
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, limit))
}

// Delete takes a content away; see blob.Driver.
func (f *Folder) Delete(ctx context.Context, key blob.Key) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := f.root.Remove(place(key)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// place is where a key's content is: in one of 256 folders.
func place(key blob.Key) string { return path.Join(string(key[:2]), string(key)) }

// makeDir makes a folder, and says whether it was not there.
func (f *Folder) makeDir(name string) (bool, error) {
	err := f.root.Mkdir(name, 0o700)
	if errors.Is(err, fs.ErrExist) {
		return false, nil
	}
	return err == nil, err
}

// write writes a content beside its place, down to the platter, and gives its
// name there.
func (f *Folder) write(content []byte) (name string, err error) {
	var salt [12]byte
	_, _ = rand.Read(salt[:]) // never fails
	name = path.Join(unfinished, hex.EncodeToString(salt[:]))
	file, err := f.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", err
	}
	_, err = file.Write(content)
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		_ = f.root.Remove(name)
		return "", err
	}
	return name, nil
}

// flush writes a folder's own entries down.
func (f *Folder) flush(name string) error {
	d, err := f.root.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
