package desk

import (
	"strings"
	"time"

	"github.com/a-h/templ"

	"tiwiza/pkg/clock"
	"tiwiza/pkg/money"
	"tiwiza/web/ui"
)

// A Sheet is a table.
type Sheet struct {
	Caption string
	Heads   []Head
	Rows    [][]Cell
	Next    string // where the list goes on
}

// A Head is a column's name. End puts what it holds at the end.
type Head struct {
	Text string
	End  bool
}

// A Cell holds a text, a name, an amount or a state.
type Cell struct {
	Text  string
	Tone  string // of a state
	State bool
	Code  bool // an id, a reference
	Href  string
	Short string // of an id, where there is little room
	Said  *ui.Said
	Money *money.Money
	Time  time.Time // what Text says
	Lines []string  // more, under it
}

// Text is a cell of words.
func Text(s string, more ...string) Cell { return Cell{Text: s, Lines: more} }

// Code is a cell of an id or a number.
func Code(s string) Cell { return Cell{Text: s, Code: true} }

// Sum is a cell of an amount.
func Sum(m money.Money) Cell { return Cell{Money: &m} }

// SumOf is Sum, and empty without an amount.
func SumOf(m *money.Money) Cell { return Cell{Money: m} }

// Plain is a cell in a file: an amount as a decimal without its currency, a time with
// its offset. What a spreadsheet would take for a formula is made a text.
func (c Cell) Plain() string {
	switch {
	case !c.Time.IsZero():
		return c.Time.In(clock.Morocco).Format(time.RFC3339)
	case c.Money != nil:
		return c.Money.Amount()
	case c.Said != nil:
		return harmless(c.Said.Text)
	}
	return harmless(strings.Join(append([]string{c.Text}, c.Lines...), " – "))
}

// Records are the sheet as a file has it, its heads first; behind a column of amounts
// is one of their currencies, headed so.
func (s Sheet) Records(currency string) [][]string {
	sums := make([]bool, len(s.Heads))
	for _, r := range s.Rows {
		for i, c := range r {
			sums[i] = sums[i] || c.Money != nil
		}
	}
	heads := []string{}
	for i, h := range s.Heads {
		if heads = append(heads, h.Text); sums[i] {
			heads = append(heads, currency)
		}
	}
	out := [][]string{heads}
	for _, r := range s.Rows {
		row := []string{}
		for i, c := range r {
			row = append(row, c.Plain())
			switch {
			case sums[i] && c.Money != nil:
				row = append(row, c.Money.Currency())
			case sums[i]:
				row = append(row, "")
			}
		}
		out = append(out, row)
	}
	return out
}

func harmless(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}

// label is what stands on a link.
func (c Cell) label() string {
	if c.Short != "" {
		return c.Short
	}
	return c.Text
}

// A Fact is a line of what is known of a thing.
type Fact struct {
	Name  string
	Value Cell
}

// A Tab is one way to look at a list.
type Tab struct {
	Text, Href string
	Here       bool
}

// An Action is a form that does one thing.
type Action struct {
	Name    string // what the form sends as «quoi»
	Path    string
	Label   string
	Hint    string
	Style   string // go, stop or ""
	Open    bool   // shown whole; else behind its label
	Top     bool   // it stands under the page's own title
	Key     string // the letter of the keyboard
	Fields  []ui.Field
	Tick    string  // what is ticked, when something is
	Checks  []Check // to tick
	Hidden  [][2]string
	Legs    []Leg  // what it will post
	Preview string // a second button that only looks
}

// A Check is something to tick, of a form's list Name.
type Check struct {
	Name, Value, Text string
	On                bool
}

// A Leg is one line of a posting, before it is made.
type Leg struct {
	Side, Account string
	Money         money.Money
}

// letter is the key that opens an action.
func (a Action) letter() templ.Attributes {
	if a.Key == "" {
		return nil
	}
	return templ.Attributes{"data-letter": a.Key}
}
