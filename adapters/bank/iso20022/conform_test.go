package iso20022_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"tiwiza/adapters/bank"
	"tiwiza/adapters/bank/bankconform"
	"tiwiza/adapters/bank/iso20022"
	"tiwiza/pkg/outbound/netfault"
)

// pair is a key of one side: its PEM and its public line.
type pair struct {
	pem    []byte
	signer ssh.Signer
	line   string
}

func newPair(t testing.TB) pair {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(key, "")
	if err != nil {
		t.Fatal(err)
	}
	s, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pair{pem.EncodeToMemory(block), s, strings.TrimSpace(string(ssh.MarshalAuthorizedKey(s.PublicKey())))}
}

// folders makes a bank's folders on this machine.
func folders(t *testing.T) iso20022.Dirs {
	root := t.TempDir()
	d := iso20022.Dirs{In: root + "/in", Out: root + "/out", Ack: root + "/ack", Archive: root + "/archive"}
	for _, dir := range []string{d.In, d.Out, d.Ack, d.Archive} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return d
}

func fixture(t *testing.T, addr, name string, dirs iso20022.Dirs, host, client pair) bankconform.Fixture {
	dial := func(key pair, hostKey string) func(string) bank.Driver {
		return func(addr string) bank.Driver {
			d, err := iso20022.New(iso20022.Config{
				Addr: addr, User: name, PrivateKey: key.pem, HostKey: hostKey, Dirs: dirs,
				Profile: iso20022.Profile{Initiator: "Tiwiza", ICE: "001561191000066"}, Settle: 50 * time.Millisecond,
			})
			if err != nil {
				t.Fatal(err)
			}
			return d
		}
	}
	other := newPair(t)
	return bankconform.Fixture{
		Addr: addr, Dial: dial(client, host.line), Intruder: dial(other, host.line), Stranger: dial(client, other.line),
		In: dirs.In, Out: dirs.Out, Ack: dirs.Ack, Archive: dirs.Archive,
		Report: func(id string) []byte {
			return fmt.Appendf(nil, `<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"><CstmrPmtStsRpt><GrpHdr><MsgId>R</MsgId></GrpHdr>`+
				`<OrgnlGrpInfAndSts><OrgnlMsgId>%s</OrgnlMsgId><GrpSts>ACCP</GrpSts></OrgnlGrpInfAndSts></CstmrPmtStsRpt></Document>`, id)
		},
	}
}

func TestConformanceInProcess(t *testing.T) {
	t.Parallel()
	bankconform.Run(t, func(t *testing.T) bankconform.Fixture {
		host, client := newPair(t), newPair(t)
		return fixture(t, serve(t, host, client), "hub", folders(t), host, client)
	})
}

// serve is an SFTP server of this process; it ends with the test.
func serve(t *testing.T, host, client pair) string {
	cfg := &ssh.ServerConfig{PublicKeyCallback: func(_ ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
		if string(key.Marshal()) != string(client.signer.PublicKey().Marshal()) {
			return nil, fmt.Errorf("unknown key")
		}
		return nil, nil
	}}
	cfg.AddHostKey(host.signer)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	t.Cleanup(func() { l.Close(); wg.Wait() })
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { session(conn, cfg) })
		}
	})
	return l.Addr().String()
}

func session(conn net.Conn, cfg *ssh.ServerConfig) {
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		conn.Close()
		return
	}
	channels(conn, cfg, func(ch ssh.Channel) {
		if s, err := sftp.NewServer(ch); err == nil {
			if err := s.Serve(); err == nil || err == io.EOF {
				s.Close()
			}
		}
		ch.Close()
	})
}

// channels lets a client in and serves each channel that it opens.
func channels(conn net.Conn, cfg *ssh.ServerConfig, serve func(ssh.Channel)) {
	defer conn.Close()
	_, chans, reqs, err := ssh.NewServerConn(conn, cfg)
	if err != nil {
		return
	}
	go ssh.DiscardRequests(reqs)
	for c := range chans {
		ch, reqs, err := c.Accept()
		if err != nil {
			return
		}
		go func() {
			for r := range reqs {
				_ = r.Reply(r.Type == "subsystem", nil)
			}
		}()
		serve(ch)
	}
}

func TestConformanceOpenSSH(t *testing.T) {
	t.Parallel()
	bin := "/usr/sbin/sshd"
	if _, err := os.Stat(bin); err != nil {
		t.Skip("OpenSSH's server is not installed (apt-get install openssh-server): the suite ran against the server in process alone")
	}
	if os.Geteuid() == 0 {
		if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
			t.Skipf("OpenSSH's server needs /run/sshd: %v", err)
		}
	}
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	accounts, _ := os.ReadFile("/etc/passwd") // without it, sshd will say so itself
	for line := range strings.Lines(string(accounts)) {
		if f := strings.Split(strings.TrimSpace(line), ":"); f[0] == me.Username && strings.HasSuffix(f[len(f)-1], "nologin") {
			t.Skipf("OpenSSH's server lets nobody in as %s, who has no login shell: the suite ran against the server in process alone", f[0])
		}
	}
	bankconform.Run(t, func(t *testing.T) bankconform.Fixture {
		host, client := newPair(t), newPair(t)
		return fixture(t, sshd(t, bin, host, client), me.Username, folders(t), host, client)
	})
}

// sshd starts a server with a configuration of its own; it ends with the test.
func sshd(t *testing.T, bin string, host, client pair) string {
	dir := t.TempDir()
	addr := netfault.FreeAddr(t)
	_, port, _ := net.SplitHostPort(addr)
	config := fmt.Sprintf("ListenAddress 127.0.0.1\nPort %s\nHostKey %s/host\nAuthorizedKeysFile %[2]s/keys\nPidFile none\nStrictModes no\nUsePAM no\n"+
		"PasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin prohibit-password\nMaxStartups 100\nSubsystem sftp internal-sftp\n", port, dir)
	for name, text := range map[string]string{"host": string(host.pem), "keys": client.line + "\n", "config": config} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(bin, "-D", "-e", "-f", filepath.Join(dir, "config"))
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		log.Close()
	})
	for until := time.Now().Add(10 * time.Second); time.Now().Before(until); time.Sleep(20 * time.Millisecond) {
		if c, err := net.Dial("tcp", addr); err == nil {
			c.Close()
			return addr
		}
	}
	text, _ := os.ReadFile(log.Name())
	t.Fatalf("sshd did not start: %s", text)
	return ""
}
