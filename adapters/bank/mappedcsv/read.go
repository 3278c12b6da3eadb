package mappedcsv

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"

	"tiwiza/adapters/bank"
	"tiwiza/pkg/latin"
	"tiwiza/pkg/money"
)

// Bounds of a file; a bank's largest real export stays far below them.
const (
	maxBytes = 20 << 20
	maxRows  = 200_000
)

// Reader is a bank.Reader of one mapping.
type Reader struct {
	m      Mapping
	layout string
	need   []string // the columns that must be there
}

var _ bank.Reader = (*Reader)(nil)

// Reads says whether one of the file's first lines is the mapping's header.
func (r *Reader) Reads(f bank.Received) bool {
	head := f.Bytes[:min(len(f.Bytes), 16<<10)]
	if i := bytes.LastIndexByte(head, '\n'); i >= 0 {
		head = head[:i+1]
	}
	text, err := r.text(head)
	if err != nil {
		return false
	}
	for l := range strings.SplitSeq(text, "\n") {
		row, err := r.rows(l).Read()
		if err == nil && r.header(row) != nil {
			return true
		}
	}
	return false
}

// Read understands a file. What is cut off, lacks a column or whose running
// balance does not follow from its lines is bank.ErrUnreadable.
func (r *Reader) Read(f bank.Received) (bank.Message, error) {
	s, err := r.read(f.Bytes)
	if err != nil {
		return bank.Message{}, bank.ErrUnreadable.With(fmt.Errorf("read %s: %w", f.Name, err)).At("/"+f.Name, err.Error())
	}
	return bank.Message{ID: s.ID, Statements: []bank.Statement{s}}, nil
}

func (r *Reader) text(b []byte) (string, error) {
	b = bytes.TrimPrefix(b, []byte("\ufeff"))
	if r.m.Encoding == "windows-1252" {
		out, err := charmap.Windows1252.NewDecoder().Bytes(b)
		return string(out), err
	}
	if !utf8.Valid(b) {
		return "", errors.New("it is not UTF-8")
	}
	return string(b), nil
}

func (r *Reader) rows(text string) *csv.Reader {
	c := csv.NewReader(strings.NewReader(text))
	c.Comma = []rune(r.m.Separator)[0]
	c.FieldsPerRecord = -1
	c.TrimLeadingSpace = r.m.Separator != "\t"
	return c
}

// fold is a name as headers are compared by.
func fold(s string) string {
	return strings.ToLower(latin.Text(strings.TrimSpace(s)))
}

// header finds each column of the mapping in a row, or nil.
func (r *Reader) header(row []string) map[string]int {
	at := map[string]int{}
	for i, cell := range row {
		name := fold(cell)
		if _, twice := at[name]; !twice {
			at[name] = i
		}
	}
	found := map[string]int{}
	for _, c := range r.need {
		i, ok := at[fold(c)]
		if !ok {
			return nil
		}
		found[c] = i
	}
	return found
}

// A sheet is a file taken apart: the table's rows, and the labels around it.
type sheet struct {
	columns map[string]int
	rows    [][]string
	lines   []int // where each row stands
	labels  map[string]string
}

func (r *Reader) sheet(b []byte) (s sheet, err error) {
	if len(b) > maxBytes {
		return s, fmt.Errorf("it is longer than %d MB", maxBytes>>20)
	}
	text, err := r.text(b)
	if err != nil {
		return s, err
	}
	c := r.rows(text)
	s.labels = map[string]string{}
	for {
		row, err := c.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return s, err
		}
		line, _ := c.FieldPos(0)
		switch {
		case r.label(row, s.labels) || blank(row):
		case s.columns == nil:
			s.columns = r.header(row)
		case len(s.rows) >= maxRows:
			return s, fmt.Errorf("there are more than %d lines", maxRows)
		default:
			s.rows, s.lines = append(s.rows, row), append(s.lines, line)
		}
	}
	if s.columns == nil {
		return s, fmt.Errorf("no line names the columns %s", strings.Join(r.need, ", "))
	}
	if r.m.Newest {
		slices.Reverse(s.rows)
		slices.Reverse(s.lines)
	}
	return s, nil
}

func blank(row []string) bool {
	return !slices.ContainsFunc(row, func(c string) bool { return strings.TrimSpace(c) != "" })
}

// label keeps a line that says something of the whole statement.
func (r *Reader) label(row []string, into map[string]string) bool {
	first := strings.TrimRight(fold(row[0]), " :")
	for _, l := range []string{r.m.Labels.Account, r.m.Labels.Opening, r.m.Labels.Closing, r.m.Labels.Number} {
		if l == "" || first != fold(l) {
			continue
		}
		for _, cell := range row[1:] {
			if v := strings.TrimSpace(cell); v != "" {
				into[l] = v
				return true
			}
		}
	}
	return false
}

func (r *Reader) read(b []byte) (s bank.Statement, err error) {
	sheet, err := r.sheet(b)
	if err != nil {
		return s, err
	}
	s = bank.Statement{Kind: bank.OfAccount, Account: r.m.Account, Currency: r.m.Currency, Page: 1, LastPage: true}
	if v := sheet.labels[r.m.Labels.Account]; v != "" {
		s.Account = rib(v)
	}
	var running []*money.Money
	for i, row := range sheet.rows {
		for _, at := range sheet.columns {
			if at >= len(row) {
				return s, fmt.Errorf("line %d is cut short", sheet.lines[i])
			}
		}
		cell := func(column string) string {
			at, ok := sheet.columns[column]
			if column == "" || !ok {
				return ""
			}
			return strings.TrimSpace(row[at])
		}
		e, after, err := r.entry(cell, &s)
		if err != nil {
			return s, fmt.Errorf("line %d: %w", sheet.lines[i], err)
		}
		s.Entries, running = append(s.Entries, e), append(running, after)
	}
	if s.Account == "" {
		return s, errors.New("nothing says whose account it is")
	}
	if err := r.balances(&s, sheet, running); err != nil {
		return s, err
	}
	return s, name(&s, sheet.labels[r.m.Labels.Number])
}

// name gives the statement one of its own: the bank's number, or what it says.
func name(s *bank.Statement, number string) error {
	if len(s.Entries) > 0 {
		s.From, s.To = s.Entries[0].BookedOn, s.Entries[len(s.Entries)-1].BookedOn
		for _, e := range s.Entries {
			if e.BookedOn.Before(s.From) {
				s.From = e.BookedOn
			}
			if e.BookedOn.After(s.To) {
				s.To = e.BookedOn
			}
		}
		s.On = s.To
	}
	if number != "" {
		s.ID = number
		return nil
	}
	if len(s.Entries) == 0 {
		return errors.New("it holds no line, and no number of its own")
	}
	h := sha256.New()
	for _, e := range s.Entries {
		fmt.Fprintf(h, "%s|%s|%s|%s|%s\n", e.BookedOn.Format("2006-01-02"), e.Amount, e.Details[0].Ref, e.BankRef, e.Info)
	}
	fmt.Fprintf(h, "%s %s", s.Opening, s.Closing)
	s.ID = fmt.Sprintf("CSV-%s-%s-%s", s.From.Format("060102"), s.To.Format("060102"), hex.EncodeToString(h.Sum(nil))[:12])
	return nil
}

func rib(text string) string {
	text = strings.ReplaceAll(text, " ", "")
	if r, err := bank.RIBOf(text); err == nil {
		return r
	}
	return text
}
