package iso20022_test

import (
	"errors"
	"net"
	"path"
	"testing"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"tiwiza/adapters/bank"
	"tiwiza/adapters/bank/iso20022"
	"tiwiza/pkg/outbound"
)

// moody is a bank in memory that answers a rename with a refusal, having done
// before what its mood says.
type moody struct {
	sftp.FileCmder
	mood func(r *sftp.Request, do func(*sftp.Request) error)
}

func (m moody) Filecmd(r *sftp.Request) error {
	if r.Method == "Rename" {
		m.mood(r, m.FileCmder.Filecmd)
		return errors.New("internal error")
	}
	return m.FileCmder.Filecmd(r)
}

// memory serves the folders of a bank in memory and gives a driver for it. A
// mood that is true ends the bank: it hangs up and takes no call any more.
func memory(t *testing.T, mood func(*sftp.Request, func(*sftp.Request) error) bool) bank.Driver {
	host, client := newPair(t), newPair(t)
	handlers := sftp.InMemHandler()
	for _, dir := range []string{"/in", "/out", "/ack", "/archive"} {
		if err := handlers.FileCmd.Filecmd(sftp.NewRequest("Mkdir", dir)); err != nil {
			t.Fatal(err)
		}
	}
	cfg := &ssh.ServerConfig{NoClientAuth: true}
	cfg.AddHostKey(host.signer)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			here := handlers
			here.FileCmd = moody{handlers.FileCmd, func(r *sftp.Request, do func(*sftp.Request) error) {
				if mood(r, do) {
					l.Close()
					conn.Close()
				}
			}}
			go remember(conn, cfg, here)
		}
	}()
	d, err := iso20022.New(iso20022.Config{
		Addr: l.Addr().String(), User: "hub", PrivateKey: client.pem, HostKey: host.line, Profile: iso20022.Profile{Initiator: "Tiwiza"},
		Dirs: iso20022.Dirs{In: "/in", Out: "/out", Ack: "/ack", Archive: "/archive"}, Settle: time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func remember(conn net.Conn, cfg *ssh.ServerConfig, h sftp.Handlers) {
	channels(conn, cfg, func(ch ssh.Channel) {
		s := sftp.NewRequestServer(ch, h)
		_ = s.Serve()
		s.Close()
	})
}

func TestUnconfirmedMoveIsJudgedByWhatStands(t *testing.T) {
	t.Parallel()
	to := func(target string) func(*sftp.Request, func(*sftp.Request) error) bool {
		return func(r *sftp.Request, do func(*sftp.Request) error) bool {
			r.Target = path.Join(target, path.Base(r.Target))
			return do(r) != nil
		}
	}
	for _, c := range []struct {
		name string
		mood func(*sftp.Request, func(*sftp.Request) error) bool
		want outbound.Outcome
		find outbound.Outcome
	}{
		{"done all the same", to("/in"), outbound.Accepted, outbound.Accepted},
		{"done and taken", to("/archive"), outbound.Accepted, outbound.Accepted},
		{"not done", func(*sftp.Request, func(*sftp.Request) error) bool { return false }, outbound.NotSent, outbound.NotFound},
		{"vanished", to("/out"), outbound.Unknown, outbound.NotFound},
		{"done, and the bank gone", func(r *sftp.Request, do func(*sftp.Request) error) bool { return do(r) == nil }, outbound.Unknown, outbound.NotSent},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := memory(t, c.mood)
			f, err := d.Render(batch())
			if err != nil {
				t.Fatal(err)
			}
			if r := d.Publish(t.Context(), f); r.Outcome != c.want || r.Reason != "" {
				t.Errorf("Publish = %+v, want %s", r, c.want)
			}
			if r := d.Find(t.Context(), f); r.Outcome != c.find {
				t.Errorf("Find = %+v, want %s", r, c.find)
			}
		})
	}
}

func TestConfigurationIsWhole(t *testing.T) {
	t.Parallel()
	key := newPair(t)
	good := iso20022.Config{
		Addr: "bank.example:22", User: "hub", PrivateKey: key.pem, HostKey: key.line, Profile: iso20022.Profile{Initiator: "Tiwiza"},
		Dirs: iso20022.Dirs{In: "/in", Out: "/out", Ack: "/ack", Archive: "/archive"},
	}
	if _, err := iso20022.New(good); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*iso20022.Config){
		"address":   func(c *iso20022.Config) { c.Addr = "bank.example" },
		"user":      func(c *iso20022.Config) { c.User = "" },
		"key":       func(c *iso20022.Config) { c.PrivateKey = nil },
		"host key":  func(c *iso20022.Config) { c.HostKey = "ssh-ed25519 nonsense" },
		"folder":    func(c *iso20022.Config) { c.Dirs.Archive = "" },
		"initiator": func(c *iso20022.Config) { c.Profile.Initiator = "" },
	} {
		cfg := good
		spoil(&cfg)
		if _, err := iso20022.New(cfg); err == nil {
			t.Errorf("a configuration without its %s was taken", name)
		}
	}
}
