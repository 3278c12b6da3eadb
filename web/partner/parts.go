package partner

import (
	"net/http"

	"tiwiza/pkg/money"
	"tiwiza/web/ui"
)

// A sheet is a table.
type sheet struct {
	Heads []head
	Rows  [][]cell
	Next  string // where the list goes on
}

// A head is a column's name. End puts what it holds at the end.
type head struct {
	Text string
	End  bool
}

// A cell holds a text, a name, an amount or a state.
type cell struct {
	Text  string
	Tone  string // of a state
	State bool
	Code  bool // an id, a number
	Href  string
	Said  *ui.Said
	Money *money.Money
	Lines []string // more, under it
}

func text(s string, more ...string) cell { return cell{Text: s, Lines: more} }

func code(s string) cell { return cell{Text: s, Code: true} }

func amount(m *money.Money) cell {
	if m == nil {
		return cell{}
	}
	return cell{Money: m}
}

// named is a text that may be in another language than the page.
func (v *view) named(texts map[string]string) cell {
	s := v.Say(texts)
	return cell{Said: &s}
}

// A fact is a line of what is known of a thing.
type fact struct {
	Name  string
	Value cell
}

// A tab is one way to look at a list.
type tab struct {
	Text, Href string
	Here       bool
}

// An action is a form that does one thing.
type action struct {
	Name   string // what the form sends as «quoi»
	Path   string
	Label  string
	Hint   string
	Style  string // go, stop or ""
	Open   bool   // shown whole; else behind its label
	Fields []ui.Field
	Checks []check
	Hidden [][2]string
}

// A check is something to tick, of a form's list Name.
type check struct {
	Name, Value, Text string
	On                bool
}

// typed gives the forms what was typed into the one that came back.
func (v *view) typed(err error, all ...action) []action {
	if v.R.Method != http.MethodPost {
		return all
	}
	wrong := map[string]string{}
	if err != nil {
		for _, w := range v.Wrongs(err, v.names()) {
			wrong[w.Name] = w.Text
		}
	}
	form := v.Form()
	for i := range all {
		if all[i].Name != v.Field("quoi") {
			continue
		}
		all[i].Open = true
		for j, f := range all[i].Fields {
			all[i].Fields[j].Value, all[i].Fields[j].Error = v.Field(f.Name), wrong[f.Name]
		}
		for j, c := range all[i].Checks {
			all[i].Checks[j].On = false
			for _, x := range form[c.Name] {
				all[i].Checks[j].On = all[i].Checks[j].On || x == c.Value
			}
		}
	}
	return all
}
