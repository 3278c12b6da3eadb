package iso20022

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

// families are the messages that are read, by the element inside Document.
var families = map[string]struct {
	name string
	read func(*node, *bank.Message) error
}{
	"BkToCstmrStmt":         {"camt.053", statements},
	"BkToCstmrDbtCdtNtfctn": {"camt.054", statements},
	"CstmrPmtStsRpt":        {"pain.002", report},
}

// version finds the message and its version in a namespace, also in a bank's
// own profile of it.
var version = regexp.MustCompile(`((?:camt|pain)\.\d{3})\.001\.(\d{2})`)

// Read understands pain.002, camt.053 and camt.054, of versions 02 to 13.
// Whatever is cut off, doctored or of another kind is bank.ErrUnreadable, and
// its detail says what is wrong where.
func (d *Driver) Read(r bank.Received) (bank.Message, error) {
	m, err := read(r.Bytes)
	if err != nil {
		return bank.Message{}, bank.ErrUnreadable.With(fmt.Errorf("read %s: %w", r.Name, err)).At("/"+r.Name, err.Error())
	}
	return m, nil
}

func read(b []byte) (bank.Message, error) {
	var m bank.Message
	root, space, err := scan(b)
	if err != nil {
		return m, err
	}
	if root.name != "Document" || len(root.kids) != 1 {
		return m, fmt.Errorf("a Document with one message was expected, not %s", root.name)
	}
	body := root.kids[0]
	f, ok := families[body.name]
	if !ok {
		return m, fmt.Errorf("the message %s is not one that is read", body.name)
	}
	v := version.FindStringSubmatch(space)
	if v == nil || v[1] != f.name || v[2] < "02" || v[2] > "13" {
		return m, fmt.Errorf("the namespace %q is not one of %s in a version from 02 to 13", space, f.name)
	}
	if m.ID = body.str("GrpHdr/MsgId"); m.ID == "" {
		return m, errors.New("GrpHdr/MsgId is missing")
	}
	return m, f.read(body, &m)
}

// places are the decimals of the currencies whose count is not two (ISO 4217).
var places = map[string]int{
	"BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "ISK": 0, "JPY": 0, "KMF": 0, "KRW": 0, "PYG": 0, "RWF": 0, "UGX": 0,
	"VND": 0, "VUV": 0, "XAF": 0, "XOF": 0, "XPF": 0, "BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3,
}

var (
	currencyShape = regexp.MustCompile(`^[A-Z]{3}$`)
	amountShape   = regexp.MustCompile(`^(\d{1,15})(?:\.(\d{1,5}))?$`)
)

// value is the amount in an element, always positive: exact decimals, in
// whole smallest units of its currency.
func value(n *node) (money.Money, error) {
	if n == nil {
		return money.Money{}, errors.New("an amount is missing")
	}
	text := strings.TrimSpace(string(n.text))
	parts := amountShape.FindStringSubmatch(text)
	if parts == nil || !currencyShape.MatchString(n.ccy) {
		return money.Money{}, fmt.Errorf("%s holds %q %q, which is no amount", n.name, text, n.ccy)
	}
	p, ok := places[n.ccy]
	if !ok {
		p = 2
	}
	frac := strings.TrimRight(parts[2], "0")
	if len(frac) > p {
		return money.Money{}, fmt.Errorf("%s has %s %s, finer than the currency", n.name, text, n.ccy)
	}
	units, err := strconv.ParseInt(parts[1]+frac+strings.Repeat("0", p-len(frac)), 10, 64)
	if err != nil {
		return money.Money{}, fmt.Errorf("%s has %s %s, which is too much", n.name, text, n.ccy)
	}
	return money.FromCentimes(units, n.ccy), nil
}

// signed gives an amount the sign of its credit-or-debit mark.
func signed(m money.Money, mark string) (money.Money, error) {
	switch mark {
	case "CRDT":
		return m, nil
	case "DBIT":
		return m.Neg(), nil
	}
	return m, fmt.Errorf("CdtDbtInd is %q", mark)
}

// day reads the choice of a date and a time; absent is the zero time.
func day(n *node) (time.Time, error) {
	return moment(n.str("Dt", "DtTm"))
}

// moment reads an ISO date or time; without a zone it is taken as UTC.
func moment(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{"2006-01-02", "2006-01-02T15:04:05.999999999", time.RFC3339Nano, "2006-01-02Z07:00"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is no date", s)
}
