package bank

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"tiwiza/cmd/hubsim/internal/world"
)

// Listen opens the SFTP port; Addr says which when any would do.
func (b *Bank) Listen() error {
	var err error
	b.listener, err = net.Listen("tcp", b.Secrets.Address)
	return err
}

// Addr is where the SFTP server listens.
func (b *Bank) Addr() string { return b.listener.Addr().String() }

// serve takes connections until the context ends, and waits for all of them.
func (b *Bank) serve(ctx context.Context) {
	var all sync.WaitGroup
	stop := context.AfterFunc(ctx, func() { _ = b.listener.Close() })
	defer stop()
	for {
		c, err := b.listener.Accept()
		if err != nil {
			break
		}
		fault, err := b.world.TakeNow(world.Bank, "rate_limited", "bad_signature")
		if err != nil || fault == "rate_limited" {
			_ = c.Close() // refused: the client sees its connection end
			continue
		}
		all.Add(1)
		go func() {
			defer all.Done()
			stop := context.AfterFunc(ctx, func() { _ = c.Close() })
			defer stop()
			if err := b.session(ctx, c, fault == "bad_signature"); err != nil && ctx.Err() == nil {
				slog.Info("bank connection ended", "err", err)
			}
		}()
	}
	all.Wait()
}

// settings of the SSH server: public keys only.
func (b *Bank) settings(wrongKey bool) (*ssh.ServerConfig, error) {
	cfg := &ssh.ServerConfig{
		MaxAuthTries: 3,
		PublicKeyCallback: func(c ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
			if c.User() == b.Secrets.User && bytes.Equal(key.Marshal(), b.Secrets.Client.Marshal()) {
				return &ssh.Permissions{}, nil
			}
			return nil, errors.New("unknown key")
		},
	}
	key := b.Secrets.Host
	if wrongKey {
		key = b.Secrets.Wrong
	}
	signer, err := ssh.NewSignerFromSigner(key)
	if err != nil {
		return nil, err
	}
	cfg.AddHostKey(signer)
	return cfg, nil
}

// session serves one connection to its end.
func (b *Bank) session(ctx context.Context, c net.Conn, wrongKey bool) error {
	defer c.Close()
	cfg, err := b.settings(wrongKey)
	if err != nil {
		return err
	}
	_ = c.SetDeadline(time.Now().Add(10 * time.Second)) // a TCP connection takes deadlines
	conn, channels, requests, err := ssh.NewServerConn(c, cfg)
	if err != nil {
		return err
	}
	_ = c.SetDeadline(time.Time{})
	var all sync.WaitGroup
	defer all.Wait()
	defer conn.Close()
	all.Add(1)
	go func() {
		defer all.Done()
		ssh.DiscardRequests(requests)
	}()
	for n := range channels {
		if n.ChannelType() != "session" {
			_ = n.Reject(ssh.UnknownChannelType, "only sessions") // the client may be gone
			continue
		}
		ch, asked, err := n.Accept()
		if err != nil {
			return err
		}
		all.Add(1)
		go func() {
			defer all.Done()
			b.channel(ctx, c, ch, asked)
		}()
	}
	return nil
}

// channel serves the sftp subsystem, and refuses everything else.
func (b *Bank) channel(ctx context.Context, c net.Conn, ch ssh.Channel, asked <-chan *ssh.Request) {
	defer ch.Close()
	for r := range asked {
		var sub struct{ Name string }
		ok := r.Type == "subsystem" && ssh.Unmarshal(r.Payload, &sub) == nil && sub.Name == "sftp"
		if r.WantReply {
			_ = r.Reply(ok, nil) // the client may be gone
		}
		if !ok {
			continue
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			ssh.DiscardRequests(asked)
		}()
		f := &files{bank: b, conn: c, ctx: ctx}
		s := sftp.NewRequestServer(withFsync(ch), sftp.Handlers{FileGet: f, FilePut: f, FileCmd: f, FileList: f})
		_ = s.Serve() // ends with the connection
		_ = ch.Close()
		_ = c.Close()
		<-done
		return
	}
}
