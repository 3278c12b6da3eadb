// Package mt940 reads the SWIFT customer statement MT940, in the dialect of :86:
// that a bank writes.
package mt940

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"

	"tiwiza/adapters/bank"
)

// Bounds of a file; a bank's largest real statement stays far below them.
const (
	maxBytes = 20 << 20
	maxLines = 500_000
)

// Reader is a bank.Reader of one bank's files: MT940 leaves :86: to each bank.
type Reader struct{ Dialect Dialect }

var _ bank.Reader = Reader{}

// New makes a reader; a bank whose dialect is not given writes text.
func New(d Dialect) (Reader, error) {
	switch d {
	case "":
		d = Text
	case Text, Slashes, Numbered, Plus:
	default:
		return Reader{}, fmt.Errorf("mt940: the dialect %q: text, slashes, numbered or plus", d)
	}
	return Reader{d}, nil
}

var (
	tag   = regexp.MustCompile(`^:(\d{2}[A-Z]?):`)
	begin = regexp.MustCompile(`^(\{1:[^}]*\}|:20:)`)
)

// Reads says whether a file begins as MT940 does: with a SWIFT header or with
// the tag :20:.
func (Reader) Reads(r bank.Received) bool {
	b := bytes.TrimLeft(bytes.TrimPrefix(r.Bytes, []byte("\ufeff")), "\x01 \t\r\n")
	return begin.Match(b[:min(len(b), 512)])
}

// Read understands all messages of a file. What is cut off, out of order or
// does not add up within itself is bank.ErrUnreadable.
func (d Reader) Read(r bank.Received) (bank.Message, error) {
	m, err := read(r.Bytes, d.Dialect)
	if err != nil {
		return bank.Message{}, bank.ErrUnreadable.With(fmt.Errorf("read %s: %w", r.Name, err)).At("/"+r.Name, err.Error())
	}
	return m, nil
}

// A field is one tag with the lines under it.
type field struct {
	tag  string
	text []string
	line int
}

func (f field) wrong(format string, args ...any) error {
	return fmt.Errorf("line %d, :%s: %w", f.line, f.tag, fmt.Errorf(format, args...))
}

func read(b []byte, in Dialect) (m bank.Message, err error) {
	if len(b) > maxBytes {
		return m, fmt.Errorf("it is longer than %d MB", maxBytes>>20)
	}
	fields, err := split(text(b))
	if err != nil {
		return m, err
	}
	for len(fields) > 0 {
		if fields[0].tag != "20" {
			return m, fields[0].wrong("a statement begins with :20:")
		}
		end := 1
		for end < len(fields) && fields[end].tag != "20" {
			end++
		}
		s, err := statement(fields[:end], in)
		if err != nil {
			return m, err
		}
		m.Statements = append(m.Statements, s)
		fields = fields[end:]
	}
	if len(m.Statements) == 0 {
		return m, errors.New("it holds no statement")
	}
	m.ID = m.Statements[0].ID
	return m, nil
}

// text is the file's letters: UTF-8 where it is, else Windows-1252, which is
// what banks mean by an eight-bit SWIFT file.
func text(b []byte) string {
	b = bytes.TrimPrefix(b, []byte("\ufeff"))
	if utf8.Valid(b) {
		return string(b)
	}
	out, err := charmap.Windows1252.NewDecoder().Bytes(b)
	if err != nil {
		return string(b)
	}
	return string(out)
}

// split finds the tags. The blocks of a SWIFT envelope are passed over; what
// follows a tag without one of its own belongs to it.
func split(text string) (out []field, err error) {
	lines := strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	if len(lines) > maxLines {
		return nil, fmt.Errorf("there are more than %d lines", maxLines)
	}
	closed := true // no field is open
	for i, l := range lines {
		l = strings.TrimRight(strings.Trim(l, "\x01\x03"), "\r") // a blank at the end of a line is part of its text
		if strings.HasPrefix(l, "{") {
			_, inside, ok := strings.Cut(l, "{4:")
			if !ok && !strings.HasPrefix(l, "{1:") && !strings.HasPrefix(l, "{5:") {
				return nil, fmt.Errorf("line %d: this block of the envelope is not known", i+1)
			}
			if l, closed = inside, true; l == "" {
				continue
			}
		}
		switch t := tag.FindStringSubmatch(l); {
		case t != nil:
			out = append(out, field{t[1], []string{l[len(t[0]):]}, i + 1})
			closed = false
		case strings.TrimSpace(l) == "-" || strings.HasPrefix(l, "-}"):
			closed = true
		case strings.TrimSpace(l) == "" && (closed || i == len(lines)-1):
		case closed:
			return nil, fmt.Errorf("line %d stands under no tag", i+1)
		default:
			f := &out[len(out)-1]
			f.text = append(f.text, l)
		}
	}
	return out, nil
}

// statement reads the fields of one message, in the order the standard gives.
func statement(fields []field, in Dialect) (s bank.Statement, err error) {
	s = bank.Statement{Kind: bank.OfAccount, Page: 1}
	var opens, closes, last field
	name := fields[0].text[0]
	for _, f := range fields[1:] {
		switch f.tag {
		case "25", "25P":
			s.Account, s.Currency = account(f.text[0])
		case "28", "28C":
			err = number(f, &s)
		case "60F", "60M":
			if opens.tag != "" {
				return s, f.wrong("a second opening balance")
			}
			opens = f
			s.Opening, _, err = balance(f)
		case "61":
			if opens.tag == "" || closes.tag != "" {
				return s, f.wrong("a line outside its balances")
			}
			var e bank.Entry
			e, err = line(f, s.Opening.Currency())
			s.Entries = append(s.Entries, e)
		case "86":
			if last.tag == "61" {
				remark(&s.Entries[len(s.Entries)-1], f.text, in)
			}
		case "62F", "62M":
			if closes.tag != "" {
				return s, f.wrong("a second closing balance")
			}
			closes = f
			s.Closing, s.On, err = balance(f)
		case "13D", "21", "34F", "64", "65", "90C", "90D":
		default:
			return s, f.wrong("this tag is not one of a statement")
		}
		if err != nil {
			return s, err
		}
		last = f
	}
	if s.Account == "" || opens.tag == "" || closes.tag == "" {
		return s, fields[0].wrong("the statement %q lacks its account or a balance", name)
	}
	return finish(s, name, closes)
}

// finish names the statement: a bank often gives all of them the same :20:, so
// its day and number are part of the name.
func finish(s bank.Statement, name string, closes field) (bank.Statement, error) {
	if s.Opening.Currency() != s.Closing.Currency() {
		return s, closes.wrong("another currency than the opening balance")
	}
	s.Currency, s.HasBalances = s.Opening.Currency(), true
	s.LastPage = closes.tag == "62F"
	s.ID = fmt.Sprintf("%s/%s/%d", strings.TrimSpace(name), s.On.Format("060102"), s.Sequence)
	for i := range s.Entries {
		whole(&s.Entries[i])
	}
	return s, nil
}

// account is the RIB in :25:, which may stand behind the bank's BIC, be an IBAN
// and carry its currency.
func account(text string) (rib, currency string) {
	text = strings.ReplaceAll(text, " ", "")
	if _, after, ok := strings.Cut(text, "/"); ok {
		text = after
	}
	if n := len(text); n > 3 && regexp.MustCompile(`^\d{10,}[A-Z]{3}$`).MatchString(text) {
		text, currency = text[:n-3], text[n-3:]
	}
	if r, err := bank.RIBOf(text); err == nil {
		return r, currency
	}
	return text, currency
}

var numberShape = regexp.MustCompile(`^(\d{1,5})(?:/(\d{1,5}))?$`)

func number(f field, s *bank.Statement) error {
	p := numberShape.FindStringSubmatch(strings.TrimSpace(f.text[0]))
	if p == nil {
		return f.wrong("%q is no statement's number", f.text[0])
	}
	s.Sequence, _ = strconv.ParseInt(p[1], 10, 64) // five digits
	if p[2] != "" {
		s.Page, _ = strconv.Atoi(p[2])
	}
	s.Page = max(s.Page, 1)
	return nil
}
