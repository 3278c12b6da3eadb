package mappedcsv

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"tiwiza/adapters/bank"
	"tiwiza/pkg/money"
)

// entry reads one line, and the balance after it where the bank gives one.
func (r *Reader) entry(cell func(column string) string, s *bank.Statement) (e bank.Entry, after *money.Money, err error) {
	c := r.m.Columns
	currency := s.Currency
	if v := cell(c.Currency); v != "" {
		if currency = strings.ToUpper(v); currency != s.Currency && len(s.Entries) > 0 {
			return e, nil, fmt.Errorf("%s beside %s in one statement", currency, s.Currency)
		}
		s.Currency = currency
	}
	if v := rib(cell(c.Account)); v != "" {
		if s.Account != "" && s.Account != v {
			return e, nil, fmt.Errorf("%s beside %s in one statement", v, s.Account)
		}
		s.Account = v
	}
	if e.BookedOn, err = time.Parse(r.layout, cell(c.BookedOn)); err != nil {
		return e, nil, fmt.Errorf("%q is no date", cell(c.BookedOn))
	}
	e.ValueOn = e.BookedOn
	if v := cell(c.ValueOn); v != "" {
		if e.ValueOn, err = time.Parse(r.layout, v); err != nil {
			return e, nil, fmt.Errorf("%q is no date", v)
		}
	}
	if e.Amount, err = r.moved(cell, currency); err != nil {
		return e, nil, err
	}
	if v := cell(c.Balance); v != "" {
		m, err := r.amount(v, currency)
		if err != nil {
			return e, nil, err
		}
		after = &m
	} else if c.Balance != "" && r.m.Labels.Opening == "" {
		return e, nil, errors.New("the balance after the line is missing")
	}
	r.describe(&e, cell)
	return e, after, nil
}

func (r *Reader) describe(e *bank.Entry, cell func(string) string) {
	c := r.m.Columns
	e.Booked = true
	e.Code, e.Info, e.BankRef = cell(c.Type), cell(c.Info), cell(c.BankReference)
	e.Charge = among(e.Code, r.m.Charges)
	d := bank.Detail{
		Ref: cell(c.Reference), BankRef: e.BankRef, Amount: e.Amount, Gross: e.Amount, Fee: e.Amount.Sub(e.Amount), Info: e.Info,
		Counterparty: cell(c.Counterparty), CounterpartyAccount: rib(cell(c.CounterpartyAccount)),
	}
	if among(e.Code, r.m.Returns) {
		d.ReturnReason = e.Code
	}
	e.Details = []bank.Detail{d}
}

func among(word string, words []string) bool {
	return word != "" && slices.ContainsFunc(words, func(w string) bool { return fold(w) == fold(word) })
}

// moved is what a line did to the balance.
func (r *Reader) moved(cell func(string) string, currency string) (m money.Money, err error) {
	c := r.m.Columns
	if r.m.Sign == "columns" {
		debit, credit := cell(c.Debit), cell(c.Credit)
		if (debit == "") == (credit == "") && !r.zero(debit, currency) && !r.zero(credit, currency) {
			return m, errors.New("a line has a debit or a credit, not both and not none")
		}
		if debit == "" || r.zero(debit, currency) {
			return r.amount(credit, currency)
		}
		m, err = r.amount(debit, currency)
		if m.Sign() > 0 { // some write debits with a minus in their own column
			m = m.Neg()
		}
		return m, err
	}
	if m, err = r.amount(cell(c.Amount), currency); err != nil {
		return m, err
	}
	switch {
	case r.m.Sign == "debit_positive":
		m = m.Neg()
	case r.m.Sign == "mark" && cell(c.Mark) == "":
		return m, errors.New("the mark is missing")
	case r.m.Sign == "mark" && among(cell(c.Mark), r.m.Debits):
		m = m.Neg()
	}
	return m, nil
}

func (r *Reader) zero(text, currency string) bool {
	m, err := r.amount(text, currency)
	return text != "" && err == nil && m.IsZero()
}

// amount reads a number as the bank writes it, exactly. A minus may stand
// before or behind, and so may the currency.
func (r *Reader) amount(text, currency string) (money.Money, error) {
	t := strings.Map(func(c rune) rune {
		if strings.ContainsRune(r.m.Thousands, c) {
			return -1
		}
		return c
	}, text)
	t = strings.TrimSuffix(strings.TrimPrefix(t, currency), currency)
	t = strings.Replace(strings.TrimPrefix(strings.TrimSpace(t), "+"), "−", "-", 1)
	if rest, ok := strings.CutSuffix(t, "-"); ok && !strings.HasPrefix(t, "-") {
		t = "-" + rest
	}
	if r.m.Decimal != "." {
		if strings.Contains(t, ".") {
			return money.Money{}, fmt.Errorf("%q is no amount", text)
		}
		t = strings.Replace(t, r.m.Decimal, ".", 1)
	}
	sign := ""
	if rest, ok := strings.CutPrefix(t, "-"); ok {
		sign, t = "-", rest
	}
	if whole, frac, _ := strings.Cut(t, "."); whole != "" { // 0012,50 is an amount to a bank
		t = strings.TrimLeft(whole[:len(whole)-1], "0") + whole[len(whole)-1:]
		if frac = strings.TrimRight(frac, "0"); frac != "" {
			t += "." + frac
		}
	}
	m, err := money.Parse(sign+t, currency)
	if err != nil {
		return m, fmt.Errorf("%q is no amount of %s", text, currency)
	}
	return m, nil
}

// balances are those of the labels, else what the running balance leads from
// and to; where the bank gives it, each line must lead to its own.
func (r *Reader) balances(s *bank.Statement, sheet sheet, running []*money.Money) (err error) {
	for label, to := range map[string]*money.Money{r.m.Labels.Opening: &s.Opening, r.m.Labels.Closing: &s.Closing} {
		if label == "" {
			continue
		}
		v, ok := sheet.labels[label]
		if !ok {
			return fmt.Errorf("no line says %s", label)
		}
		if *to, err = r.amount(v, s.Currency); err != nil {
			return err
		}
	}
	if r.m.Labels.Opening == "" {
		if len(s.Entries) == 0 {
			return errors.New("without a line there is no balance")
		}
		s.Opening = running[0].Sub(s.Entries[0].Amount)
	}
	at := s.Opening
	for i, e := range s.Entries {
		if at = at.Add(e.Amount); running[i] != nil && !at.Equal(*running[i]) {
			return fmt.Errorf("line %d: the balance after it is %s, and the lines lead to %s", sheet.lines[i], *running[i], at)
		}
	}
	if r.m.Labels.Closing == "" {
		s.Closing = at
	}
	s.HasBalances = true
	return nil
}
