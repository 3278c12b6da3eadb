package mt940

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"tiwiza/adapters/bank"
	"tiwiza/pkg/money"
)

var balanceShape = regexp.MustCompile(`^([CD])(\d{6})([A-Z]{3})(\d{1,12},\d{0,3})$`)

// balance reads :60a: and :62a:.
func balance(f field) (money.Money, time.Time, error) {
	p := balanceShape.FindStringSubmatch(strings.TrimSpace(f.text[0]))
	if p == nil {
		return money.Money{}, time.Time{}, f.wrong("%q is no balance", f.text[0])
	}
	on, err := time.Parse("060102", p[2])
	if err != nil {
		return money.Money{}, on, f.wrong("%q is no date", p[2])
	}
	m, err := amount(p[4], p[3])
	if err != nil {
		return m, on, f.wrong("%w", err)
	}
	if p[1] == "D" {
		m = m.Neg()
	}
	return m, on, nil
}

// places are the decimals of the currencies whose count is not two (ISO 4217).
var places = map[string]int{
	"BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "ISK": 0, "JPY": 0, "KMF": 0, "KRW": 0, "PYG": 0, "RWF": 0, "UGX": 0,
	"VND": 0, "VUV": 0, "XAF": 0, "XOF": 0, "XPF": 0, "BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3,
}

// amount reads SWIFT's decimal comma, exactly.
func amount(text, currency string) (money.Money, error) {
	p, ok := places[currency]
	if !ok {
		p = 2
	}
	whole, frac, _ := strings.Cut(text, ",")
	frac = strings.TrimRight(frac, "0")
	if len(frac) > p {
		return money.Money{}, fmt.Errorf("%s %s is finer than the currency", text, currency)
	}
	units, err := strconv.ParseInt(whole+frac+strings.Repeat("0", p-len(frac)), 10, 64)
	if err != nil {
		return money.Money{}, fmt.Errorf("%s %s is too much", text, currency)
	}
	return money.FromCentimes(units, currency), nil
}

// lineShape is :61:: value day, booking day, mark, a letter of the currency,
// amount, kind of transaction, the owner's reference, the bank's.
var lineShape = regexp.MustCompile(`^(\d{6})(\d{4})?(RC|RD|EC|ED|C|D)([A-Z])?(\d{1,12},\d{0,3})([A-Z][A-Z0-9]{3})?(.*)$`)

// signs are what a mark does to the balance. The reversal of a credit takes
// money away; an expected entry has not moved it yet.
var signs = map[string]struct {
	debit, reversal, expected bool
}{
	"C": {}, "D": {debit: true}, "RC": {debit: true, reversal: true}, "RD": {reversal: true}, "EC": {expected: true}, "ED": {debit: true, expected: true},
}

// charges are the kinds of transaction by which a bank takes something for
// itself: SWIFT's «charges and other expenses» and «commission».
var charges = map[string]bool{"CHG": true, "COM": true}

func line(f field, currency string) (e bank.Entry, err error) {
	p := lineShape.FindStringSubmatch(f.text[0])
	if p == nil {
		return e, f.wrong("%q is no statement line", f.text[0])
	}
	if e.ValueOn, err = time.Parse("060102", p[1]); err != nil {
		return e, f.wrong("%q is no date", p[1])
	}
	if e.BookedOn, err = booked(e.ValueOn, p[2]); err != nil {
		return e, f.wrong("%w", err)
	}
	if e.Amount, err = amount(p[5], currency); err != nil {
		return e, f.wrong("%w", err)
	}
	mark := signs[p[3]]
	if mark.debit {
		e.Amount = e.Amount.Neg()
	}
	e.Booked, e.Reversal = !mark.expected, mark.reversal
	e.Code = p[6]
	if len(e.Code) == 4 {
		e.Charge = charges[e.Code[1:]]
	}
	ours, theirs, _ := strings.Cut(p[7], "//")
	e.Ref, e.BankRef = reference(ours), reference(theirs)
	e.Info = strings.Join(f.text[1:], " ")
	return e, nil
}

// booked is the booking day: a month and a day of the year nearest to the value
// day.
func booked(value time.Time, md string) (time.Time, error) {
	if md == "" {
		return value, nil
	}
	var best time.Time
	for _, year := range []int{value.Year(), value.Year() - 1, value.Year() + 1} {
		t, err := time.Parse("20060102", fmt.Sprintf("%04d%s", year, md))
		if err == nil && (best.IsZero() || apart(t, value) < apart(best, value)) {
			best = t
		}
	}
	if best.IsZero() {
		return best, errors.New(md + " is no day of the year")
	}
	return best, nil
}

func apart(a, b time.Time) time.Duration { return a.Sub(b).Abs() }

// reference is a name in the line; some stand for having none.
func reference(s string) string {
	s = strings.TrimSpace(s)
	switch strings.ToUpper(s) {
	case "NONREF", "NOTPROVIDED", "KREF+", "NOREF":
		return ""
	}
	return s
}
