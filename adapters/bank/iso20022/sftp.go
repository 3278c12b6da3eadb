package iso20022

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path"
	"strings"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"tiwiza/pkg/outbound"
)

// session is one connection, ended by its context at the latest.
type session struct {
	*sftp.Client
	ssh  *ssh.Client
	stop func() bool
}

// open connects, proves the bank's key and ours, and starts SFTP. Whatever
// the context does to the connection, no call on it outlives the context.
func (d *Driver) open(ctx context.Context) (*session, error) {
	conn, err := d.dial(ctx, "tcp", d.cfg.Addr)
	if err != nil {
		return nil, fmt.Errorf("connect to the bank: %w", err)
	}
	if end, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(end); err != nil {
			conn.Close()
			return nil, err
		}
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	s, err := d.handshake(conn)
	if err != nil {
		stop()
		conn.Close()
		return nil, err
	}
	s.stop = stop
	return s, nil
}

func (d *Driver) handshake(conn net.Conn) (*session, error) {
	cfg, proved := *d.ssh, false
	cfg.HostKeyCallback = func(host string, addr net.Addr, key ssh.PublicKey) error {
		if err := d.ssh.HostKeyCallback(host, addr, key); err != nil {
			return outbound.Because(outbound.Trust, err)
		}
		proved = true
		return nil
	}
	c, chans, reqs, err := ssh.NewClientConn(conn, d.cfg.Addr, &cfg)
	if err != nil {
		var other *ssh.AlgorithmNegotiationError
		switch {
		case errors.As(err, &other):
			err = outbound.Because(outbound.Trust, err)
		case proved && strings.Contains(err.Error(), "unable to authenticate"): // x/crypto has no sentinel for it
			err = outbound.Because(outbound.Credentials, err)
		}
		return nil, fmt.Errorf("sign in at the bank: %w", err)
	}
	client := ssh.NewClient(c, chans, reqs)
	files, err := sftp.NewClient(client)
	if err != nil {
		client.Close()
		return nil, fmt.Errorf("start SFTP: %w", err)
	}
	return &session{Client: files, ssh: client}, nil
}

func (s *session) close() {
	s.stop()
	s.ssh.Close() // first: a server that hangs must not hold up the rest
	s.Client.Close()
}

// fetch reads a file; one byte past the bound is enough to refuse it later.
func (s *session) fetch(name string) ([]byte, error) {
	f, err := s.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var b bytes.Buffer
	if _, err := f.WriteTo(&limited{w: &b, left: maxBytes + 1}); err != nil && !errors.Is(err, errFull) {
		return nil, fmt.Errorf("fetch %s: %w", name, err)
	}
	return b.Bytes(), nil
}

var errFull = errors.New("the file is too long")

// limited is a writer that takes so much and no more.
type limited struct {
	w    io.Writer
	left int
}

func (l *limited) Write(p []byte) (int, error) {
	if len(p) > l.left {
		n, _ := l.w.Write(p[:l.left])
		l.left = 0
		return n, errFull
	}
	l.left -= len(p)
	return l.w.Write(p)
}

// put writes a new file whole and makes it last on the server's disk.
func (s *session) put(name string, b []byte) error {
	f, err := s.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL)
	if err != nil {
		// The rest of an earlier try: nobody reads a name that begins with a dot.
		if rm := s.Remove(name); rm != nil {
			return fmt.Errorf("create %s: %w", name, err)
		}
		if f, err = s.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL); err != nil {
			return fmt.Errorf("create %s: %w", name, err)
		}
	}
	if _, err = f.Write(b); err == nil {
		if err = f.Sync(); unsupported(err) {
			err = nil
		}
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	st, err := s.Stat(name)
	if err == nil && st.Size() != int64(len(b)) {
		err = fmt.Errorf("%d of %d bytes arrived", st.Size(), len(b))
	}
	return err
}

func unsupported(err error) bool {
	var st *sftp.StatusError
	return errors.As(err, &st) && st.FxCode() == sftp.ErrSSHFxOpUnsupported
}

// answered says whether the server itself refused, so that the connection
// still stands and the call is over.
func answered(err error) bool {
	var st *sftp.StatusError
	return errors.As(err, &st) || errors.Is(err, os.ErrNotExist) || errors.Is(err, os.ErrPermission)
}

// holds says what stands under a name: nothing, the same content, or another.
func (s *session) holds(name, sum string) (there, same bool, err error) {
	b, err := s.fetch(name)
	if errors.Is(err, os.ErrNotExist) {
		return false, false, nil
	}
	return err == nil, err == nil && digest(b) == sum, err
}

func digest(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}

// plain says whether a name is a finished file's and nothing but a name.
func plain(name string) bool {
	if name == "" || strings.HasPrefix(name, ".") || path.Base(name) != name || strings.ContainsAny(name, `\`) {
		return false
	}
	for _, unfinished := range []string{".tmp", ".partial", ".filepart"} {
		if strings.HasSuffix(strings.ToLower(name), unfinished) {
			return false
		}
	}
	return true
}
