package ui

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"tiwiza/pkg/clock"
	"tiwiza/pkg/money"
)

// Thin groups digits and stays inside a number in a line written from right to
// left; NoBreak keeps a number and its unit together.
const (
	thin    = "\u202f"
	noBreak = "\u00a0"
)

// Number writes a whole number with its thousands apart.
func (l Lang) Number(n int64) string {
	return group(strconv.FormatInt(n, 10), l.thousands())
}

func (l Lang) thousands() string {
	if l == English {
		return ","
	}
	return thin
}

func group(s, sep string) string {
	sign := ""
	if strings.HasPrefix(s, "-") {
		sign, s = "\u2212", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + sep + s[i:]
	}
	return sign + s
}

// Amount writes an amount without its currency: 1 240,50.
func (l Lang) Amount(m money.Money) string {
	whole, cents, found := strings.Cut(m.Amount(), ".")
	s := group(whole, l.thousands())
	switch {
	case !found:
		return s
	case l == English:
		return s + "." + cents
	}
	return s + "," + cents
}

// Short is Amount without cents when there are none.
func (l Lang) Short(m money.Money) string {
	s := l.Amount(m)
	return strings.TrimSuffix(strings.TrimSuffix(s, ",00"), ".00")
}

// Unit is how a currency is written beside an amount, and whether it stands
// before it.
func (l Lang) Unit(m money.Money) (unit string, before bool) {
	if m.Currency() != money.MAD {
		return m.Currency(), l == English
	}
	switch l {
	case Arabic:
		return "درهم", false
	case French:
		return "DH", false
	}
	return "MAD", l == English
}

// Sum is an amount with its currency as plain text: for titles and attributes.
func (l Lang) Sum(m money.Money) string {
	unit, before := l.Unit(m)
	if before {
		return unit + noBreak + l.Amount(m)
	}
	return l.Amount(m) + noBreak + unit
}

// Date is a day in Morocco, in words: 21 novembre 2026. The months are those of
// CLDR 48 for fr, ar-MA, en and zgh.
func (l Lang) Date(t time.Time) string {
	t = t.In(clock.Morocco)
	return strconv.Itoa(t.Day()) + noBreak + l.month(t.Month()) + noBreak + strconv.Itoa(t.Year())
}

// OnDay is Date of a day written as ISO 8601 has it; of anything else it is nothing.
func (l Lang) OnDay(iso string) string {
	t, err := time.ParseInLocation(time.DateOnly, iso, clock.Morocco)
	if err != nil {
		return ""
	}
	return l.Date(t)
}

// Answer is a value out of JSON as people read it: what was answered in a form, or
// what a form may be answered with.
func (l Lang) Answer(value any) string {
	switch x := value.(type) {
	case nil:
		return ""
	case bool:
		if x {
			return l.T("common.yes")
		}
		return l.T("common.no")
	case float64:
		return strconv.FormatFloat(x, 'f', -1, 64)
	case []any:
		parts := make([]string, len(x))
		for i, y := range x {
			parts[i] = l.Answer(y)
		}
		return strings.Join(parts, l.T("common.comma"))
	}
	return fmt.Sprint(value)
}

// Day is Date without the year.
func (l Lang) Day(t time.Time) string {
	t = t.In(clock.Morocco)
	return strconv.Itoa(t.Day()) + noBreak + l.month(t.Month())
}

// Weekday is a day with the name of its day of the week: Samedi 21 novembre.
func (l Lang) Weekday(t time.Time) string {
	return weekdays[l][t.In(clock.Morocco).Weekday()] + " " + l.Day(t)
}

// Clock is the time of day in Morocco.
func (l Lang) Clock(t time.Time) string { return t.In(clock.Morocco).Format("15:04") }

// Moment is a day and a time of day.
func (l Lang) Moment(t time.Time) string { return l.Day(t) + ", " + l.Clock(t) }

func (l Lang) month(m time.Month) string { return months[l][m-1] }

var months = map[Lang][12]string{
	French:  {"janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre"},
	Arabic:  {"يناير", "فبراير", "مارس", "أبريل", "ماي", "يونيو", "يوليوز", "غشت", "شتنبر", "أكتوبر", "نونبر", "دجنبر"},
	English: {"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"},
	Amazigh: {"ⵉⵏⵏⴰⵢⵔ", "ⴱⵕⴰⵢⵕ", "ⵎⴰⵕⵚ", "ⵉⴱⵔⵉⵔ", "ⵎⴰⵢⵢⵓ", "ⵢⵓⵏⵢⵓ", "ⵢⵓⵍⵢⵓⵣ", "ⵖⵓⵛⵜ", "ⵛⵓⵜⴰⵏⴱⵉⵔ", "ⴽⵜⵓⴱⵔ", "ⵏⵓⵡⴰⵏⴱⵉⵔ", "ⴷⵓⵊⴰⵏⴱⵉⵔ"},
}

var weekdays = map[Lang][7]string{
	French:  {"Dimanche", "Lundi", "Mardi", "Mercredi", "Jeudi", "Vendredi", "Samedi"},
	Arabic:  {"الأحد", "الاثنين", "الثلاثاء", "الأربعاء", "الخميس", "الجمعة", "السبت"},
	English: {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"},
	Amazigh: {"ⴰⵙⴰⵎⴰⵙ", "ⴰⵢⵏⴰⵙ", "ⴰⵙⵉⵏⴰⵙ", "ⴰⴽⵕⴰⵙ", "ⴰⴽⵡⴰⵙ", "ⴰⵙⵉⵎⵡⴰⵙ", "ⴰⵙⵉⴹⵢⴰⵙ"},
}
