package ledger

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"

	"tiwiza/pkg/clock"
	"tiwiza/pkg/money"
)

// A journal writes the books as plain-text accounting, the format of hledger: a
// directive for each commodity and account, then a transaction for each
// transfer in the order in which they were recorded. Debits are above zero.
type journal struct{ w *bufio.Writer }

// Journal writes all of the books, as of one moment, to w. It holds no more of
// them than one transfer at a time.
func (b *Books) Journal(ctx context.Context, w io.Writer) error {
	j := journal{bufio.NewWriter(w)}
	j.line("; The books of Tiwiza. Amounts above zero are debits. Days are those of Morocco.")
	j.line("decimal-mark .")
	err := readBooks(ctx, b.db, reader{currency: j.commodity, account: j.account, transfer: j.transfer})
	if err != nil {
		return fmt.Errorf("export the books: %w", err)
	}
	return j.w.Flush()
}

// line writes a line; the writer keeps its first error until Flush.
func (j journal) line(parts ...string) {
	for _, p := range parts {
		_, _ = j.w.WriteString(p)
	}
	_ = j.w.WriteByte('\n')
}

func (j journal) commodity(currency string) {
	j.line("commodity ", money.FromCentimes(100000, currency).String())
}

func (j journal) account(code string) { j.line("account ", journalName(code)) }

func (j journal) transfer(t transferRow) error {
	at := t.EffectiveAt.In(clock.Morocco)
	j.line()
	j.line(at.Format(day), " ", journalText(t.Kind))
	j.tag("id", fmt.Sprint(t.ID))
	j.tag("key", t.Key)
	j.tag("order", t.OrderID)
	j.tag("actor", t.Actor)
	j.tag("effective", at.Format(time.RFC3339Nano))
	j.tag("recorded", t.RecordedAt.In(clock.Morocco).Format(time.RFC3339Nano))
	j.tag("note", t.Note)
	for i, a := range t.Accounts {
		j.line("    ", journalName(a), "  ", money.FromCentimes(t.Amounts[i], t.Currency).String())
	}
	return nil
}

// tag writes a comment line, of a tag as hledger has them.
func (j journal) tag(name, value string) {
	if value != "" {
		j.line("    ; ", name, ": ", journalText(value))
	}
}

// journalText is a text on one line that begins with nothing that hledger reads
// as more than text, and has no comment in it.
func journalText(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == ';':
			return ','
		case unicode.IsControl(r):
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	s = strings.TrimSpace(s)
	if s != "" && strings.ContainsRune("*!(=|[", rune(s[0])) {
		s = "_" + s
	}
	return s
}

// plain are the signs that an account's name has as they are.
const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.:"

// journalName is an account's code with whatever is not plain percent-encoded,
// so that no two codes have one name.
func journalName(code string) string {
	var b strings.Builder
	for _, c := range []byte(code) {
		if strings.IndexByte(plain, c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
