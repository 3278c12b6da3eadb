package messages

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"net/textproto"
	"strings"
	"sync"
	"time"

	"tiwiza/cmd/hubsim/internal/journal"
	"tiwiza/cmd/hubsim/internal/world"
)

// Listen opens the mail server's door.
func (m *Messages) Listen() (err error) {
	m.mail, err = net.Listen("tcp", m.MailAddr)
	return err
}

// Mail is where the mail server answers.
func (m *Messages) Mail() string { return m.mail.Addr().String() }

// Close shuts the door of a server that does not run.
func (m *Messages) Close() error { return m.mail.Close() }

// Serve takes mails in until the context ends.
func (m *Messages) Serve(ctx context.Context) error {
	var work sync.WaitGroup
	defer work.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = m.mail.Close() })
	defer stop()
	for {
		c, err := m.mail.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("mail: %w", err)
		}
		work.Go(func() {
			done := context.AfterFunc(ctx, func() { _ = c.Close() })
			defer done()
			defer c.Close()
			_ = c.SetDeadline(time.Now().Add(time.Minute))
			m.converse(c)
		})
	}
}

// converse speaks with one sender. Addresses that begin with gone@ do not exist.
func (m *Messages) converse(c net.Conn) {
	r := textproto.NewReader(bufio.NewReader(io.LimitReader(c, 1<<20)))
	reply := func(code int, text string) { fmt.Fprintf(c, "%d %s\r\n", code, text) }
	if fault, err := m.World.TakeNow(world.Mail, "rate_limited"); err != nil || fault != "" {
		reply(421, "busy, come back later")
		return
	}
	reply(220, "mail.example ESMTP")
	to := ""
	for {
		l, err := r.ReadLine()
		if err != nil {
			return
		}
		verb, rest, _ := strings.Cut(l, " ")
		switch strings.ToUpper(verb) {
		case "EHLO", "HELO":
			reply(250, "mail.example")
		case "MAIL":
			to = ""
			reply(250, "ok")
		case "RCPT":
			_, to, _ = strings.Cut(rest, "<")
			if to, _, _ = strings.Cut(to, ">"); strings.HasPrefix(to, "gone@") {
				reply(550, "no such mailbox")
				to = ""
				continue
			}
			reply(250, "ok")
		case "DATA":
			if to == "" {
				reply(503, "say for whom")
				continue
			}
			reply(354, "end with a dot")
			raw, err := r.ReadDotBytes()
			if err != nil || !m.takeMail(to, raw, reply) {
				return
			}
		case "RSET", "NOOP":
			reply(250, "ok")
		case "QUIT":
			reply(221, "bye")
			return
		default:
			reply(500, "not understood")
		}
	}
}

// takeMail keeps a mail; false ends the conversation without a word.
func (m *Messages) takeMail(to string, raw []byte, reply func(int, string)) bool {
	in, err := readMail(to, raw)
	if err != nil {
		reply(554, "this is no mail")
		return true
	}
	fault := ""
	err = m.World.Journal.Update(func(tx *journal.Tx) error {
		if fault = m.World.Take(tx, world.Mail, "drop_request", "execute_then_drop", "execute_then_500"); fault != "drop_request" {
			m.take(tx, in)
		}
		return nil
	})
	switch {
	case err != nil:
		reply(451, "not kept")
	case fault == "execute_then_500":
		reply(451, "something went wrong")
	case fault != "":
		return false
	default:
		reply(250, "kept")
	}
	return true
}

// readMail reads a mail of one text.
func readMail(to string, raw []byte) (message, error) {
	msg, err := mail.ReadMessage(strings.NewReader(string(raw)))
	if err != nil {
		return message{}, err
	}
	var body io.Reader = msg.Body
	if strings.EqualFold(msg.Header.Get("Content-Transfer-Encoding"), "quoted-printable") {
		body = quotedprintable.NewReader(body)
	}
	text, err := io.ReadAll(body)
	if err != nil {
		return message{}, err
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(msg.Header.Get("Subject"))
	if err != nil {
		return message{}, err
	}
	ref, _, _ := strings.Cut(strings.Trim(msg.Header.Get("Message-ID"), "<>"), "@")
	return message{
		Ref: ref, Channel: "email", From: msg.Header.Get("From"), To: to, Subject: subject, Text: strings.TrimSpace(strings.ReplaceAll(string(text), "\r\n", "\n")),
	}, nil
}
