package bank

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path"
	"strings"
	"time"

	"github.com/pkg/sftp"

	"tiwiza/cmd/hubsim/internal/world"
)

// files answers one client's requests from the bank's folders, confined to
// them, as OpenSSH's internal-sftp does.
type files struct {
	bank *Bank
	conn net.Conn
	ctx  context.Context // ends with the bank
}

// local is a client's path inside the bank's folder.
func local(p string) string {
	if p = strings.TrimPrefix(path.Clean("/"+p), "/"); p == "" {
		return "."
	}
	return p
}

// Fileread opens a file. By the fault slow_body each piece of it takes a while.
func (f *files) Fileread(r *sftp.Request) (io.ReaderAt, error) {
	file, err := f.bank.root.Open(local(r.Filepath))
	if err != nil {
		return nil, err
	}
	fault, err := f.bank.world.TakeNow(world.Bank, "slow_body")
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	if fault != "" {
		return slowFile{file, f.ctx}, nil
	}
	return file, nil
}

// A slowFile gives 512 bytes every 200 ms.
type slowFile struct {
	*os.File
	ctx context.Context
}

// ReadAt reads slowly.
func (s slowFile) ReadAt(p []byte, off int64) (n int, err error) {
	for n < len(p) && err == nil {
		select {
		case <-time.After(200 * time.Millisecond):
		case <-s.ctx.Done():
			return n, s.ctx.Err()
		}
		var some int
		some, err = s.File.ReadAt(p[n:min(n+512, len(p))], off+int64(n))
		n += some
	}
	return n, err
}

// Filewrite opens a file to write, with the client's flags.
func (f *files) Filewrite(r *sftp.Request) (io.WriterAt, error) { return f.open(r, os.O_WRONLY) }

// OpenFile opens a file to read and write.
func (f *files) OpenFile(r *sftp.Request) (sftp.WriterAtReaderAt, error) { return f.open(r, os.O_RDWR) }

func (f *files) open(r *sftp.Request, flags int) (*os.File, error) {
	p := r.Pflags()
	if p.Creat {
		flags |= os.O_CREATE
	}
	if p.Trunc {
		flags |= os.O_TRUNC
	}
	if p.Excl {
		flags |= os.O_EXCL
	}
	return f.bank.root.OpenFile(local(r.Filepath), flags, 0o600)
}

// Filecmd changes a name or an attribute. The folders themselves stay.
func (f *files) Filecmd(r *sftp.Request) error {
	from := local(r.Filepath)
	switch r.Method {
	case "Setstat":
		return f.setstat(r, from)
	case "Rename":
		return f.rename(from, local(r.Target), false)
	case "Remove":
		info, err := f.bank.root.Lstat(from)
		if err == nil && info.IsDir() {
			return sftp.ErrSSHFxFailure
		}
		return f.bank.root.Remove(from)
	case "Mkdir", "Rmdir":
		return sftp.ErrSSHFxPermissionDenied
	}
	return sftp.ErrSSHFxOpUnsupported
}

// PosixRename replaces what stands under the new name.
func (f *files) PosixRename(r *sftp.Request) error {
	return f.rename(local(r.Filepath), local(r.Target), true)
}

// setstat sets a size or times; with no attribute it is an fsync (see withFsync).
func (f *files) setstat(r *sftp.Request, name string) error {
	file, err := f.bank.root.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer file.Close()
	has := r.AttrFlags()
	switch {
	case has.Size:
		return file.Truncate(int64(r.Attributes().Size))
	case has.Acmodtime:
		return f.bank.root.Chtimes(name, r.Attributes().AccessTime(), r.Attributes().ModTime())
	case has.Permissions || has.UidGid:
		return nil
	}
	return file.Sync()
}

// rename gives a file a new name; plainly, it fails when the name is taken. A
// file renamed into /in is the bank's from there on.
func (f *files) rename(from, to string, replace bool) error {
	b := f.bank
	name, in := strings.CutPrefix(to, "in/")
	in = in && wanted(name)
	if in {
		b.work.Lock()
		defer b.work.Unlock()
	}
	if info, err := b.root.Lstat(from); err != nil {
		return err
	} else if !info.Mode().IsRegular() {
		return sftp.ErrSSHFxPermissionDenied
	}
	if err := b.move(from, to, replace); err != nil {
		return err
	}
	if !in {
		return nil
	}
	return f.published(name)
}

func (b *Bank) move(from, to string, replace bool) error {
	if replace {
		return b.root.Rename(from, to)
	}
	err := b.root.Link(from, to)
	switch {
	case errors.Is(err, fs.ErrExist):
		return sftp.ErrSSHFxFailure
	case err != nil:
		return err
	}
	return b.root.Remove(from)
}

// published is called with a new file in /in, and b.work held: mostly the bank
// takes it soon, by a fault it does so before the client is answered, if ever.
func (f *files) published(name string) error {
	b := f.bank
	fault, err := b.world.TakeNow(world.Bank, renameFaults...)
	if err != nil {
		return err
	}
	if fault == "" {
		b.wake()
		return nil
	}
	if err := b.take(name, fault); err != nil {
		slog.Error("bank cannot take a file", "name", name, "err", err)
		return err
	}
	switch fault {
	case "drop_request", "execute_then_drop":
		_ = f.conn.Close() // the client never gets its answer
	case "execute_then_500":
		return sftp.ErrSSHFxFailure
	case "callback_before_answer":
		return b.publish()
	}
	return nil
}

// Filelist lists a folder, or tells about one file.
func (f *files) Filelist(r *sftp.Request) (sftp.ListerAt, error) {
	name := local(r.Filepath)
	if r.Method == "List" {
		found, err := fs.ReadDir(f.bank.root.FS(), name)
		if err != nil {
			return nil, err
		}
		var infos listing
		for _, e := range found {
			if info, err := e.Info(); err == nil { // one that went away meanwhile is not listed
				infos = append(infos, info)
			}
		}
		return infos, nil
	}
	info, err := f.bank.root.Stat(name)
	if err != nil {
		return nil, err
	}
	return listing{info}, nil
}

type listing []fs.FileInfo

// ListAt copies a piece of the listing.
func (l listing) ListAt(into []fs.FileInfo, from int64) (int, error) {
	if from >= int64(len(l)) {
		return 0, io.EOF
	}
	n := copy(into, l[from:])
	if n < len(into) {
		return n, io.EOF
	}
	return n, nil
}
