package smtp_test

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"math/big"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"net/textproto"
	"strings"
	"sync"
	"testing"
	"time"

	"tiwiza/adapters/notify"
	"tiwiza/adapters/notify/notifyconform"
	"tiwiza/adapters/notify/smtp"
	"tiwiza/pkg/outbound"
)

// stand is a mail server; with a certificate it offers encryption and asks for a
// password.
type stand struct {
	mu      sync.Mutex
	cert    *tls.Certificate
	brought map[string]int
	texts   map[string]string
	busy    bool
}

func (s *stand) listen(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var work sync.WaitGroup
	t.Cleanup(func() { l.Close(); work.Wait() })
	work.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			work.Go(func() {
				defer c.Close()
				_ = c.SetDeadline(time.Now().Add(10 * time.Second))
				s.converse(c, false)
			})
		}
	})
	return l.Addr().String()
}

func (s *stand) converse(c net.Conn, private bool) {
	r := textproto.NewReader(bufio.NewReader(c))
	say := func(lines ...string) { fmt.Fprint(c, strings.Join(lines, "\r\n")+"\r\n") }
	if !private {
		s.mu.Lock()
		busy := s.busy
		s.busy = false
		s.mu.Unlock()
		if busy {
			say("421 come back later")
			return
		}
		say("220 mail.example ESMTP")
	}
	let := s.cert == nil
	for {
		l, err := r.ReadLine()
		if err != nil {
			return
		}
		verb, rest, _ := strings.Cut(l, " ")
		switch {
		case verb == "EHLO" && s.cert != nil && !private:
			say("250-mail.example", "250 STARTTLS")
		case verb == "EHLO":
			say("250-mail.example", "250 AUTH PLAIN")
		case verb == "STARTTLS":
			say("220 go on")
			s.converse(tls.Server(c, &tls.Config{Certificates: []tls.Certificate{*s.cert}}), true)
			return
		case verb == "AUTH":
			b, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(rest, "PLAIN "))
			if let = string(b) == "\x00hub\x00right"; !let {
				say("535 no")
				continue
			}
			say("235 ok")
		case !let && verb != "QUIT":
			say("530 sign in")
		case verb == "RCPT" && strings.Contains(rest, "<gone@"):
			say("550 no such mailbox")
		case verb == "DATA":
			say("354 go on")
			raw, err := r.ReadDotBytes()
			if err != nil {
				return
			}
			s.keep(string(raw))
			say("250 kept")
		case verb == "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

func (s *stand) keep(raw string) {
	m, err := mail.ReadMessage(strings.NewReader(raw))
	if err != nil {
		return
	}
	text, _ := io.ReadAll(quotedprintable.NewReader(m.Body))
	subject, _ := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	ref, _, _ := strings.Cut(strings.TrimPrefix(m.Header.Get("Message-ID"), "<"), "@")
	s.mu.Lock()
	defer s.mu.Unlock()
	s.brought[ref]++
	s.texts[ref] = subject + "|" + strings.ReplaceAll(string(text), "\r\n", "\n")
}

func certificate(t *testing.T) (*tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	if c, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(c)
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots
}

func dial(t *testing.T, c smtp.Config) notify.Driver {
	t.Helper()
	c.From = "Tiwiza <bonjour@tiwiza.example>"
	d, err := smtp.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func open(t *testing.T, private bool) notifyconform.Fixture {
	s := &stand{brought: map[string]int{}, texts: map[string]string{}}
	var roots *x509.CertPool
	if private {
		s.cert, roots = certificate(t)
	}
	f := notifyconform.Fixture{
		Addr: s.listen(t), To: "nom@exemple.ma", Gone: "gone@exemple.ma",
		Dial: func(addr string) notify.Driver {
			if !private {
				return dial(t, smtp.Config{Addr: addr, Plain: true})
			}
			return dial(t, smtp.Config{Addr: addr, User: "hub", Password: "right", Roots: roots})
		},
		Brought: func(ref string) int {
			s.mu.Lock()
			defer s.mu.Unlock()
			if got := s.texts[ref]; s.brought[ref] > 0 && (!strings.HasPrefix(got, "Commande à emballer ✓|Tiwiza : 1 à emballer") || !strings.Contains(got, "\n.\n..fin; الطلب 12 🧺\n\n@tiwiza.example #123456")) {
				t.Errorf("the mail came as %q", got)
			}
			return s.brought[ref]
		},
		Busy: func() { s.mu.Lock(); s.busy = true; s.mu.Unlock() },
	}
	if private {
		f.Intruder = func(addr string) notify.Driver {
			return dial(t, smtp.Config{Addr: addr, User: "hub", Password: "wrong", Roots: roots})
		}
	}
	return f
}

func TestConformance(t *testing.T) {
	t.Parallel()
	notifyconform.Run(t, func(t *testing.T) notifyconform.Fixture { return open(t, true) })
}

func TestConformanceInTheOpen(t *testing.T) {
	t.Parallel()
	notifyconform.Run(t, func(t *testing.T) notifyconform.Fixture { return open(t, false) })
}

func TestNothingIsSaidInTheOpen(t *testing.T) {
	t.Parallel()
	f, m := open(t, false), notify.Message{Ref: "nat_1", To: "nom@exemple.ma", Subject: "x", Text: "x"}
	if r := dial(t, smtp.Config{Addr: f.Addr}).Send(t.Context(), m); r.Outcome != outbound.NotSent || r.Reason != outbound.Trust || f.Brought("nat_1") != 0 {
		t.Errorf("to a server without encryption: %+v", r)
	}
	g := open(t, true)
	if r := dial(t, smtp.Config{Addr: g.Addr, User: "hub", Password: "right"}).Send(t.Context(), m); r.Outcome != outbound.NotSent || r.Reason != outbound.Trust || g.Brought("nat_1") != 0 {
		t.Errorf("to a server whose certificate nobody signed: %+v", r)
	}
	if _, err := smtp.New(smtp.Config{Addr: "127.0.0.1:25", From: "a@exemple.ma", User: "hub", Password: "x", Plain: true}); err == nil {
		t.Error("a password may travel in the open")
	}
}
