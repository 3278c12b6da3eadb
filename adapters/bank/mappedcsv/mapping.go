// Package mappedcsv reads the CSV statements of banks that have no other
// format: what each column means is data, a Mapping for each bank.
package mappedcsv

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// A Mapping says how one bank writes its CSV. Columns are named as in the
// header, compared without case, accents aside.
type Mapping struct {
	Encoding  string `json:"encoding,omitempty"`  // utf-8 (default) or windows-1252
	Separator string `json:"separator,omitempty"` // one sign; ; by default
	Decimal   string `json:"decimal,omitempty"`   // , by default
	Thousands string `json:"thousands,omitempty"` // signs that group digits; blanks by default
	Date      string `json:"date,omitempty"`      // dd/mm/yyyy by default; made of dd, mm, yyyy or yy and signs
	Currency  string `json:"currency,omitempty"`  // MAD by default, where no column says it
	Account   string `json:"account,omitempty"`   // the RIB, where no column and no label says it
	Newest    bool   `json:"newest_first,omitempty"`

	Columns Columns `json:"columns"`

	// Sign is how an amount says its direction: signed (a minus takes away, the
	// default), debit_positive (all debits, a minus brings), columns (one for
	// debits and one for credits) or mark (a column with a word).
	Sign   string   `json:"sign,omitempty"`
	Debits []string `json:"debits,omitempty"` // words of the mark column that take away

	// Labels are lines before or after the table that say something of the whole
	// statement: the label in their first cell, the value in the next that is
	// not empty.
	Labels Labels `json:"labels,omitzero"`

	Charges []string `json:"charges,omitempty"` // words of the type column by which the bank takes for itself
	Returns []string `json:"returns,omitempty"` // words of the type column for a payment that came back
}

// Columns name the columns. BookedOn is required, and Amount or Debit and
// Credit, by Sign.
type Columns struct {
	BookedOn            string `json:"booked_on"`
	ValueOn             string `json:"value_on,omitempty"`
	Amount              string `json:"amount,omitempty"`
	Debit               string `json:"debit,omitempty"`
	Credit              string `json:"credit,omitempty"`
	Mark                string `json:"mark,omitempty"`
	Currency            string `json:"currency,omitempty"`
	Balance             string `json:"balance,omitempty"` // the account's after the line
	Reference           string `json:"reference,omitempty"`
	BankReference       string `json:"bank_reference,omitempty"`
	Type                string `json:"type,omitempty"`
	Info                string `json:"info,omitempty"`
	Counterparty        string `json:"counterparty,omitempty"`
	CounterpartyAccount string `json:"counterparty_account,omitempty"`
	Account             string `json:"account,omitempty"`
}

// Labels name lines around the table.
type Labels struct {
	Account string `json:"account,omitempty"`
	Opening string `json:"opening,omitempty"`
	Closing string `json:"closing,omitempty"`
	Number  string `json:"number,omitempty"`
}

// New makes a reader of a mapping; one that could not be read with is an error.
// A statement must have balances: a column of them, or two labels.
func New(m Mapping) (*Reader, error) {
	r := &Reader{m: m.defaults()}
	m = r.m
	var wrong []error
	bad := func(format string, args ...any) { wrong = append(wrong, fmt.Errorf(format, args...)) }
	if m.Encoding != "utf-8" && m.Encoding != "windows-1252" {
		bad("encoding %q: utf-8 or windows-1252", m.Encoding)
	}
	if len([]rune(m.Separator)) != 1 || m.Separator == `"` || m.Separator == "\n" {
		bad("separator %q: one sign", m.Separator)
	}
	if m.Decimal != "," && m.Decimal != "." || strings.Contains(m.Thousands, m.Decimal) || strings.ContainsAny(m.Thousands, "0123456789-") {
		bad("decimal %q and thousands %q: a comma or a point, and other signs", m.Decimal, m.Thousands)
	}
	layout, err := layoutOf(m.Date)
	if err != nil {
		bad("date %q: %w", m.Date, err)
	}
	r.layout = layout
	if m.Columns.BookedOn == "" {
		bad("columns.booked_on is missing")
	}
	if m.Columns.Balance == "" && (m.Labels.Opening == "" || m.Labels.Closing == "") {
		bad("columns.balance, or labels.opening and labels.closing, must say the balances")
	}
	switch m.Sign {
	case "signed", "debit_positive":
		r.need = []string{m.Columns.BookedOn, m.Columns.Amount}
	case "columns":
		r.need = []string{m.Columns.BookedOn, m.Columns.Debit, m.Columns.Credit}
	case "mark":
		r.need = []string{m.Columns.BookedOn, m.Columns.Amount, m.Columns.Mark}
		if len(m.Debits) == 0 {
			bad("debits: the words by which the mark takes away")
		}
	default:
		bad("sign %q: signed, debit_positive, columns or mark", m.Sign)
	}
	if slices.Contains(r.need, "") {
		bad("columns: sign %s needs more of them", m.Sign)
	}
	for _, c := range m.Columns.all() {
		if c != "" && !slices.Contains(r.need, c) {
			r.need = append(r.need, c)
		}
	}
	if len(wrong) > 0 {
		return nil, fmt.Errorf("mappedcsv: %w", errors.Join(wrong...))
	}
	return r, nil
}

func (m Mapping) defaults() Mapping {
	for _, d := range []struct {
		to *string
		is string
	}{
		{&m.Encoding, "utf-8"},
		{&m.Separator, ";"},
		{&m.Decimal, ","},
		{&m.Thousands, " \u00a0\u202f"},
		{&m.Date, "dd/mm/yyyy"},
		{&m.Currency, "MAD"},
		{&m.Sign, "signed"},
	} {
		if *d.to == "" {
			*d.to = d.is
		}
	}
	return m
}

func (c Columns) all() []string {
	return []string{
		c.BookedOn, c.ValueOn, c.Amount, c.Debit, c.Credit, c.Mark, c.Currency, c.Balance, c.Reference, c.BankReference, c.Type, c.Info,
		c.Counterparty, c.CounterpartyAccount, c.Account,
	}
}

var dateShape = regexp.MustCompile(`^[./ -]*(?:(?:dd|mm|yyyy|yy)[./ -]*){3}$`)

// layoutOf turns dd/mm/yyyy into Go's layout.
func layoutOf(date string) (string, error) {
	layout := strings.NewReplacer("yyyy", "2006", "yy", "06", "mm", "01", "dd", "02").Replace(date)
	day := time.Date(2031, 11, 29, 0, 0, 0, 0, time.UTC) // no two of its parts are alike
	back, err := time.Parse(layout, day.Format(layout))
	if !dateShape.MatchString(date) || err != nil || !back.Equal(day) {
		return "", errors.New("write it with dd, mm and yyyy or yy")
	}
	return layout, nil
}
