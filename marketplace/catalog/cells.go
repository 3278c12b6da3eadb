package catalog

import (
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"

	"tiwiza/marketplace/catalog/sheet"
	"tiwiza/pkg/clock"
	"tiwiza/pkg/latin"
	"tiwiza/pkg/money"
)

// A line is one row of a file: its cells, where each column is, and where the row
// stands.
type line struct {
	row   int
	cells []string
	at    map[string]int // cell by column
	file  *file
}

// cell is what the row has in a column, and whether it has that column at all.
func (l line) cell(column string) (text string, said bool) {
	if i, ok := l.at[column]; ok && i < len(l.cells) {
		return l.cells[i], true
	}
	return "", false
}

// text is what the row has in a column; nothing without one.
func (l line) text(column string) string {
	c, _ := l.cell(column)
	return c
}

// tidy drops what cannot be seen around and inside a text.
func tidy(s string) string { return sheet.Tidy(s) }

// digits turns Arabic and Persian digits and signs into those of programs, and
// drops spaces within numbers.
func digits(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '٫':
			return ','
		case r == '٬' || unicode.IsSpace(r):
			return -1
		case r == '−':
			return '-'
		}
		return latin.Digit(r)
	}, s)
}

// thousands are whole numbers in groups of three digits.
var thousands = regexp.MustCompile(`^[0-9]{1,3}([.,][0-9]{3})+$`)

var currencyWord = regexp.MustCompile(`(?i)(mad|dhs?|درهم|د\.م\.?)\.?$`)

// price reads a price in dirhams: 135, 135.50, 135,50, 1 240,50, ١٣٥٫٥٠. What
// could be read in two ways is refused.
func price(s string) (money.Money, string) {
	if s == "" {
		return money.Money{}, "Give the price in dirhams, as 135.50."
	}
	n := currencyWord.ReplaceAllString(digits(s), "")
	if noisy.MatchString(n) {
		n = settled(n)
	}
	dot, comma := strings.LastIndexByte(n, '.'), strings.LastIndexByte(n, ',')
	switch {
	case dot >= 0 && comma >= 0 && !thousands.MatchString(n[:max(dot, comma)]): // 12,5.00
		return money.Money{}, strconv.Quote(s) + " is not a price: it is in dirhams with at most two decimals, as 135.50."
	case dot >= 0 && comma > dot && strings.Count(n, ",") == 1: // 1.240,50
		n = strings.ReplaceAll(strings.ReplaceAll(n, ".", ""), ",", ".")
	case comma >= 0 && dot > comma && strings.Count(n, ".") == 1: // 1,240.50
		n = strings.ReplaceAll(n, ",", "")
	case comma >= 0 && dot < 0:
		if strings.Count(n, ",") > 1 || len(n)-comma-1 > 2 {
			return money.Money{}, "Is the comma in " + strconv.Quote(s) + " for thousands or for centimes? Write the price as 1240.50."
		}
		n = strings.Replace(n, ",", ".", 1)
	}
	if w, frac, _ := strings.Cut(n, "."); len(w) > 1 && w[0] == '0' || n != "" && n[len(n)-1] == '.' || len(frac) > 2 {
		return money.Money{}, strconv.Quote(s) + " is not a price: it is in dirhams with at most two decimals, as 135.50."
	}
	m, err := money.Parse(n, money.MAD)
	if err != nil {
		return money.Money{}, strconv.Quote(s) + " is not a price: it is in dirhams with at most two decimals, as 135.50."
	}
	if m.Sign() <= 0 {
		return money.Money{}, "The price must be above 0."
	}
	return m, ""
}

// noisy are numbers as spreadsheets store them, with the noise of binary
// fractions: 110.10000000000001. They show fifteen digits.
var noisy = regexp.MustCompile(`^[0-9]{1,9}\.[0-9]{10,}$`)

// settled is a noisy number without its noise: rounded to six decimals.
func settled(n string) string {
	f, err := strconv.ParseFloat(n, 64)
	if err != nil {
		return n
	}
	return strings.TrimSuffix(strings.TrimRight(strconv.FormatFloat(f, 'f', 6, 64), "0"), ".")
}

// shortened are long numbers as spreadsheets shorten them, which cannot be told
// from each other any more: 6.1118E+12.
var shortened = regexp.MustCompile(`^[0-9]([.,][0-9]+)?[eE]\+[0-9]+$`)

// noughts are decimals that say nothing, which spreadsheets put behind numbers.
// Three of them may as well be thousands.
var noughts = regexp.MustCompile(`[.,](0{0,2}|0{4,})$`)

// whole reads a whole number: 12, 1 200, ١٢, 12.0. 1,000 is refused: it may be
// one, or a thousand.
func whole(s string) (int, bool) {
	n, err := strconv.Atoi(noughts.ReplaceAllString(digits(s), ""))
	return n, err == nil
}

// days are the ways in which dates are written, as people here read them: the day
// first.
var days = []string{time.DateOnly, "02/01/2006", "2/1/2006", "02-01-2006", "02.01.2006", "2006/01/02", "2006-01-02 15:04:05", "2006-01-02T15:04:05"}

// date is a day as the catalogue writes it. What is none stays as it is.
func (f *file) date(cell string) string {
	if cell == "" {
		return ""
	}
	s := strings.Map(latin.Digit, cell)
	for _, form := range days {
		if t, err := time.Parse(form, s); err == nil {
			return t.Format(time.DateOnly)
		}
	}
	if t, ok := sheet.Day(s, f.Epoch1904); ok {
		return t.Format(time.DateOnly)
	}
	return cell
}

// moments are the ways in which a day with its time is written, in Morocco.
var moments = []string{"2006-01-02 15:04", "2006-01-02 15:04:05", "02/01/2006 15:04", "2/1/2006 15:04", "02/01/2006 15:04:05", "2006-01-02T15:04"}

// moment reads when something begins, in Morocco's time unless it says another.
func (f *file) moment(cell string) (time.Time, bool) {
	s := strings.Map(latin.Digit, cell)
	if t, err := time.Parse(time.RFC3339Nano, s); err == nil {
		return t, true
	}
	for _, form := range moments {
		if t, err := time.ParseInLocation(form, s, clock.Morocco); err == nil {
			return t, true
		}
	}
	t, ok := sheet.Day(s, f.Epoch1904)
	if ok {
		t = time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, clock.Morocco)
	}
	return t, ok
}

// degrees reads a latitude or longitude.
func degrees(s string) (*float64, bool) {
	if s == "" {
		return nil, true
	}
	s = strings.Replace(digits(s), ",", ".", 1)
	n, err := strconv.ParseFloat(s, 64)
	return &n, err == nil && !strings.ContainsAny(s, "xXeEpP_nN") // Go's own ways of writing numbers
}
