// Package money is the hub's only way to hold an amount: a decimal and a
// currency. The books hold the same amounts as bigint centimes.
package money

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"

	"github.com/shopspring/decimal"
)

// MAD is the currency of the market: the Moroccan dirham, of 100 centimes.
const MAD = "MAD"

// Errors of reading an amount.
var (
	ErrAmount   = errors.New("an amount is digits, with at most the currency's decimal places")
	ErrCurrency = errors.New("a currency is an ISO 4217 code that the hub knows")
)

// places is how many decimals a currency has (ISO 4217).
var places = map[string]int32{MAD: 2, "EUR": 2, "USD": 2, "GBP": 2, "CHF": 2, "SEK": 2, "JPY": 0}

// Money is an amount in a currency. The zero value is no money of no currency;
// it adds to anything.
type Money struct {
	amount   decimal.Decimal
	currency string
}

// FromCentimes makes money of the hundredths the books hold.
func FromCentimes(c int64, currency string) Money {
	return Money{decimal.New(c, -places[currency]), currency}
}

// Dirhams makes MAD from centimes.
func Dirhams(centimes int64) Money { return FromCentimes(centimes, MAD) }

var amountText = regexp.MustCompile(`^-?(0|[1-9][0-9]{0,15})(\.[0-9]+)?$`)

// Parse reads "123.50" in a currency. It takes no exponent, no plus sign, no
// leading zeros and no more decimals than the currency has.
func Parse(amount, currency string) (Money, error) {
	p, ok := places[currency]
	if !ok {
		return Money{}, fmt.Errorf("%w: %q", ErrCurrency, currency)
	}
	if !amountText.MatchString(amount) {
		return Money{}, fmt.Errorf("%w: %q", ErrAmount, amount)
	}
	d, err := decimal.NewFromString(amount)
	if err != nil || !d.Equal(d.Truncate(p)) {
		return Money{}, fmt.Errorf("%w: %q", ErrAmount, amount)
	}
	return Money{d, currency}, nil
}

// MustParse is Parse for amounts written in the code; it panics on a wrong one.
func MustParse(amount, currency string) Money {
	m, err := Parse(amount, currency)
	if err != nil {
		panic(err)
	}
	return m
}

// Centimes is the amount in hundredths, as the books hold it.
func (m Money) Centimes() int64 { return m.amount.Shift(places[m.currency]).IntPart() }

// Currency is the ISO 4217 code.
func (m Money) Currency() string { return m.currency }

// Amount is the decimal text with all of the currency's places: "1.20".
func (m Money) Amount() string { return m.amount.StringFixed(places[m.currency]) }

// String is "1.20 MAD".
func (m Money) String() string { return m.Amount() + " " + m.currency }

// Sign is -1, 0 or 1.
func (m Money) Sign() int { return m.amount.Sign() }

// IsZero says whether the amount is nothing, in any currency.
func (m Money) IsZero() bool { return m.amount.IsZero() }

// Equal says whether two amounts are the same money. No money of no currency
// equals no money of any.
func (m Money) Equal(o Money) bool {
	return m.amount.Equal(o.amount) && (m.currency == o.currency || m.amount.IsZero())
}

// Cmp compares two amounts of one currency; it panics on two currencies.
func (m Money) Cmp(o Money) int {
	m.same(o)
	return m.amount.Cmp(o.amount)
}

// Add adds; adding two currencies is a programming error and panics.
func (m Money) Add(o Money) Money { return Money{m.amount.Add(o.amount), m.same(o)} }

// Sub takes away; see Add.
func (m Money) Sub(o Money) Money { return Money{m.amount.Sub(o.amount), m.same(o)} }

// Neg is the opposite amount.
func (m Money) Neg() Money { return Money{m.amount.Neg(), m.currency} }

// Times is the amount n times over.
func (m Money) Times(n int64) Money {
	return Money{m.amount.Mul(decimal.NewFromInt(n)), m.currency}
}

// Rate is a share of the amount in percent ("5", "20", "1.8"), rounded half
// away from zero to the currency's places, as invoices are.
func (m Money) Rate(percent decimal.Decimal) Money {
	return Money{m.amount.Mul(percent).Shift(-2).Round(places[m.currency]), m.currency}
}

// Split shares the amount by weights, to the centime, by largest remainder;
// ties go to the earlier part. The parts always add up to the whole. Weights
// are not negative and not all zero.
func (m Money) Split(weights ...int64) []Money {
	parts := Allocate(m.Centimes(), weights...)
	out := make([]Money, len(parts))
	for i, c := range parts {
		out[i] = FromCentimes(c, m.currency)
	}
	return out
}

func (m Money) same(o Money) string {
	if m.currency == o.currency || o.currency == "" {
		return m.currency
	}
	if m.currency == "" {
		return o.currency
	}
	panic(fmt.Sprintf("money: %s and %s do not mix", m.currency, o.currency))
}

// wire is the JSON shape: both members are strings and both are required.
type wire struct {
	Amount   *string `json:"amount"`
	Currency *string `json:"currency"`
}

// MarshalJSON writes {"amount":"123.50","currency":"MAD"}.
func (m Money) MarshalJSON() ([]byte, error) {
	return []byte(`{"amount":"` + m.Amount() + `","currency":"` + m.currency + `"}`), nil
}

// UnmarshalJSON reads what MarshalJSON writes, strictly.
func (m *Money) UnmarshalJSON(b []byte) error {
	if amount, currency, ok := plain(b); ok {
		v, err := Parse(amount, currency)
		if err == nil {
			*m = v
		}
		return err
	}
	var w wire
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&w); err != nil {
		return err
	}
	if w.Amount == nil || w.Currency == nil {
		return fmt.Errorf("%w: amount and currency are both needed", ErrAmount)
	}
	v, err := Parse(*w.Amount, *w.Currency)
	if err == nil {
		*m = v
	}
	return err
}

// plain takes apart what MarshalJSON writes, letter for letter; other spellings of it
// are for the decoder.
func plain(b []byte) (amount, currency string, ok bool) {
	b, ok = bytes.CutPrefix(b, []byte(`{"amount":"`))
	if !ok {
		return "", "", false
	}
	head, tail, ok := bytes.Cut(b, []byte(`","currency":"`))
	tail, end := bytes.CutSuffix(tail, []byte(`"}`))
	if !ok || !end || len(tail) != 3 || bytes.ContainsAny(head, `"\`) || bytes.ContainsAny(tail, `"\`) {
		return "", "", false
	}
	return string(head), string(tail), true
}
