package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/crypto/ssh"

	"tiwiza/pkg/pg"
)

// A benchHub is a hub in a process of its own.
type benchHub struct {
	cmd    *exec.Cmd
	addr   string
	log    string        // where it writes what it has to say
	ended  chan struct{} // closed when it has
	failed error
}

// freeAddr is a loopback address that nobody listens at.
func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// spawn starts this program as another command, with no setting but those
// given.
func spawn(dir string, env []string, args ...string) (*benchHub, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	h := &benchHub{addr: addr, log: filepath.Join(dir, "hub.log"), ended: make(chan struct{})}
	log, err := os.OpenFile(h.log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	h.cmd = exec.Command(exe, args...)
	h.cmd.Stdout, h.cmd.Stderr = log, log
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "HUB") {
			h.cmd.Env = append(h.cmd.Env, v)
		}
	}
	h.cmd.Env = append(append(h.cmd.Env, "HUB_ADDR="+addr, "HUB_DATA_DIR="+dir), env...)
	h.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is for the bench, which stops it
	if err := h.cmd.Start(); err != nil {
		return nil, err
	}
	go func() { h.failed = h.cmd.Wait(); close(h.ended) }()
	return h, nil
}

// ready waits until the hub can serve.
func (h *benchHub) ready(ctx context.Context) error {
	client := &http.Client{Timeout: time.Second}
	for deadline := time.Now().Add(2 * time.Minute); ; {
		res, err := client.Get("http://" + h.addr + "/readyz")
		if err == nil {
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return nil
			}
			err = errors.New(res.Status)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-h.ended:
			return fmt.Errorf("the hub ended by itself (%v): %s", h.failed, h.lastWords())
		case <-time.After(10 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("the hub does not get ready: %w: %s", err, h.lastWords())
		}
	}
}

// stop ends the hub as Ctrl-C does and waits for it.
func (h *benchHub) stop() error {
	_ = h.cmd.Process.Signal(os.Interrupt)
	select {
	case <-h.ended:
		return h.failed
	case <-time.After(30 * time.Second):
		_ = h.cmd.Process.Kill()
		<-h.ended
		return fmt.Errorf("the hub did not stop in 30 s: %s", h.lastWords())
	}
}

// lastWords is the end of the hub's log.
func (h *benchHub) lastWords() string {
	b, _ := os.ReadFile(h.log)
	return string(bytes.TrimSpace(b[max(0, len(b)-2000):]))
}

// serveBench starts a hub on a database, with an acquirer and a bank that
// nobody is: it hands their forms out and calls neither. More settings go in env.
func serveBench(ctx context.Context, dir, url string, env ...string) (*benchHub, error) {
	cfg, err := inventedPartners()
	if err != nil {
		return nil, err
	}
	b, err := json.Marshal(cfg)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, "partners.json")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		return nil, err
	}
	h, err := spawn(dir, append([]string{"HUB_DATABASE_URL=" + url, "HUB_PARTNERS=" + path, "HUB_ENV=demo", "HUB_DRAIN_WAIT=0s", "HUB_NO_WORK=true"}, env...), "serve")
	if err != nil {
		return nil, err
	}
	if err := h.ready(ctx); err != nil {
		return nil, errors.Join(err, h.stop())
	}
	return h, nil
}

// inventedPartners are settings that are complete and lead nowhere.
func inventedPartners() (c partnerConfig, err error) {
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		return c, err
	}
	block, err := ssh.MarshalPrivateKey(private, "bench")
	if err != nil {
		return c, err
	}
	host, err := ssh.NewPublicKey(public)
	if err != nil {
		return c, err
	}
	a, k := &c.Acquirer, &c.Bank
	a.ClientID, a.StoreKey, a.APIUser, a.APIPassword = "990000001", "bench-store-key", "bench", "bench"
	a.GateURL, a.APIURL = "http://127.0.0.1:9/fim/est3Dgate", "http://127.0.0.1:9/fim/api"
	k.SFTPAddr, k.User, k.BIC, k.ICE = "127.0.0.1:9", "bench", "EXEMMAMC", "009900001000060"
	k.PrivateKey, k.HostKey = string(pem.EncodeToMemory(block)), string(ssh.MarshalAuthorizedKey(host))
	k.Safeguard = rib{"230780000000000000001162", "Exemple"}
	k.Operating = rib{"230780000000000000002132", "Exemple"}
	k.Dirs.In, k.Dirs.Out, k.Dirs.Ack, k.Dirs.Archive = "in", "out", "ack", "archive"
	return c, nil
}

// withMarket puts a hub together in this process over a database that has the
// demonstration market, without jobs or partners.
func withMarket(ctx context.Context, dir, url string, o pg.Options, f func(h *house, keys demoKeys) error) error {
	return withPartners(ctx, dir, url, o, &partners{}, f)
}

// withPartners is withMarket of a hub that has partners.
func withPartners(ctx context.Context, dir, url string, o pg.Options, p *partners, f func(h *house, keys demoKeys) error) error {
	store, err := pg.Open(ctx, url, o)
	if err != nil {
		return err
	}
	defer store.Close()
	files, err := filing{}.open(dir)
	if err != nil {
		return err
	}
	h, err := build(store, p, options{Demo: true, Log: slog.Default(), Files: files})
	if err != nil {
		return err
	}
	keys, err := h.seed(ctx, filepath.Join(dir, demoFile), demoAddresses{})
	if err != nil {
		return err
	}
	return f(h, keys)
}
