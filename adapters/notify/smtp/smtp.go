// Package smtp sends e-mails by SMTP, as plain text.
package smtp

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"net/smtp"
	"net/textproto"
	"strconv"
	"strings"
	"time"

	"tiwiza/adapters/notify"
	"tiwiza/pkg/outbound"
)

// Config says how a mail server is spoken to.
type Config struct {
	Addr     string `json:"addr"` // host:587
	User     string `json:"user"`
	Password string `json:"password"`
	From     string `json:"from"` // Tiwiza <bonjour@…>
	Host     string `json:"host"` // who we say we are; the sender's domain
	// Plain lets mails go to a server that offers no encryption: demonstrations
	// only.
	Plain bool `json:"plain"`

	Roots    *x509.CertPool    `json:"-"` // nil: the system's
	Settings outbound.Settings `json:"-"`
}

// Driver speaks with one mail server.
type Driver struct {
	c    Config
	from mail.Address
	name string // of the server, for its certificate
	set  outbound.Settings
}

// New makes a driver; it calls nobody.
func New(c Config) (*Driver, error) {
	name, _, err := net.SplitHostPort(c.Addr)
	if err != nil {
		return nil, fmt.Errorf("the mail server's addr %q is no host:port", c.Addr)
	}
	from, err := mail.ParseAddress(c.From)
	if err != nil || !notify.IsEmail(from.Address) {
		return nil, fmt.Errorf("the sender %q is no address", c.From)
	}
	if c.User != "" && c.Plain {
		return nil, errors.New("a password is not sent without encryption: leave plain or user out")
	}
	if c.Host == "" {
		_, c.Host, _ = strings.Cut(from.Address, "@")
	}
	return &Driver{c: c, from: *from, name: name, set: c.Settings.Or(outbound.Defaults(outbound.Tell))}, nil
}

// Name names the driver.
func (d *Driver) Name() string { return "smtp" }

// Channel is e-mail.
func (d *Driver) Channel() notify.Channel { return notify.Email }

// Send hands one mail to the server. Until the server has the last line of it,
// nothing was sent; what breaks off while its answer is awaited may have been.
func (d *Driver) Send(ctx context.Context, m notify.Message) outbound.Result {
	conn, err := (&net.Dialer{Timeout: d.set.Dial}).DialContext(ctx, "tcp", d.c.Addr)
	if err != nil {
		return failed(err)
	}
	defer conn.Close()
	if at, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(at)
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	c, err := smtp.NewClient(conn, d.name)
	if err != nil {
		return failed(err)
	}
	if err := d.open(c); err != nil {
		return failed(err)
	}
	if err := c.Mail(d.from.Address); err != nil {
		return failed(err)
	}
	if err := c.Rcpt(m.To); err != nil {
		return unreachable(err)
	}
	w, err := c.Data()
	if err != nil {
		return failed(err)
	}
	if _, err := w.Write(d.mail(m)); err != nil {
		return failed(err) // without its last line the server drops it
	}
	if err := w.Close(); err != nil {
		return answered(err)
	}
	_ = c.Quit() // the mail is the server's already
	return outbound.Result{Outcome: outbound.Accepted, Code: "250", PartnerID: d.messageID(m.Ref)}
}

// open greets the server, and makes the connection private before anything is
// said on it.
func (d *Driver) open(c *smtp.Client) error {
	if err := c.Hello(d.c.Host); err != nil {
		return err
	}
	if ok, _ := c.Extension("STARTTLS"); ok {
		if err := c.StartTLS(&tls.Config{ServerName: d.name, RootCAs: d.c.Roots, MinVersion: tls.VersionTLS12}); err != nil {
			return err
		}
	} else if !d.c.Plain {
		return outbound.Because(outbound.Trust, errors.New("the mail server offers no encryption"))
	}
	if d.c.User == "" {
		return nil
	}
	if err := c.Auth(smtp.PlainAuth("", d.c.User, d.c.Password, d.name)); err != nil {
		if e, ok := errors.AsType[*textproto.Error](err); ok && e.Code/100 == 5 {
			return outbound.Because(outbound.Credentials, err)
		}
		return err
	}
	return nil
}

func (d *Driver) messageID(ref string) string { return "<" + ref + "@" + d.c.Host + ">" }

// mail writes a message with the same name each time: a mailbox that gets it
// twice shows it once.
func (d *Driver) mail(m notify.Message) []byte {
	var b bytes.Buffer
	for _, h := range [][2]string{
		{"From", d.from.String()},
		{"To", "<" + m.To + ">"},
		{"Subject", mime.QEncoding.Encode("utf-8", m.Subject)},
		{"Message-ID", d.messageID(m.Ref)},
		{"Auto-Submitted", "auto-generated"},
		{"MIME-Version", "1.0"},
		{"Content-Type", "text/plain; charset=utf-8"},
		{"Content-Transfer-Encoding", "quoted-printable"},
		{"Content-Language", m.Lang},
	} {
		if h[1] != "" {
			fmt.Fprintf(&b, "%s: %s\r\n", h[0], h[1])
		}
	}
	b.WriteString("\r\n")
	q := quotedprintable.NewWriter(&b)
	_, _ = q.Write([]byte(strings.ReplaceAll(m.Text, "\n", "\r\n")))
	_ = q.Close() // a buffer takes everything
	b.WriteString("\r\n")
	return b.Bytes()
}

// failed classes what went wrong before the mail was the server's.
func failed(err error) outbound.Result {
	r := outbound.Result{Outcome: outbound.NotSent, Reason: outbound.ReasonOf(err), Err: err}
	var (
		authority x509.UnknownAuthorityError
		name      x509.HostnameError
		verify    *tls.CertificateVerificationError
	)
	if errors.As(err, &authority) || errors.As(err, &name) || errors.As(err, &verify) {
		r.Reason = outbound.Trust
	}
	if e, ok := errors.AsType[*textproto.Error](err); ok {
		r.Code = strconv.Itoa(e.Code)
		if e.Code == 421 || e.Code == 450 || e.Code == 451 || e.Code == 452 {
			r.Reason, r.RetryAfter = outbound.Limited, time.Minute
		}
	}
	return r
}

// unreachable classes the refusal of a receiver: 5xx is for good, but for what
// is about us.
func unreachable(err error) outbound.Result {
	r := failed(err)
	if e, ok := errors.AsType[*textproto.Error](err); ok && (e.Code == 550 || e.Code == 551 || e.Code == 553) {
		r.Outcome, r.Reason, r.Err = outbound.Declined, "", nil
	}
	return r
}

// answered classes what came after the whole mail was with the server: only its
// own refusal says that it has not taken it.
func answered(err error) outbound.Result {
	r := failed(err)
	if r.Code == "" {
		r.Outcome = outbound.Unknown
	} else if r.Code[0] == '5' {
		r.Reason = outbound.Unlisted
	}
	return r
}
