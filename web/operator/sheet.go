package operator

import (
	"bytes"
	"encoding/csv"
	"net/http"
	"strings"

	"tiwiza/pkg/money"
	"tiwiza/web/ui"
)

// A sheet is a table as the page shows it and as a file holds it.
type sheet struct {
	Caption string
	Heads   []head
	Rows    [][]cell
	Next    string // where the list goes on
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
	Code  bool // an id, a reference
	Href  string
	Short string // of an id, where there is little room
	Said  *ui.Said
	Money *money.Money
	Lines []string // more, under it
}

func text(s string, more ...string) cell { return cell{Text: s, Lines: more} }

func code(s string) cell { return cell{Text: s, Code: true} }

func sum(m money.Money) cell { return cell{Money: &m} }

// link is an id that leads to its page.
func (v *view) link(path, s string) cell {
	return cell{Text: s, Short: short(s), Href: v.Href(path), Code: true}
}

// short is an id by its kind and its end, which is where ids of one day differ.
func short(s string) string {
	kind, rest, ok := strings.Cut(s, "_")
	if !ok || len(rest) != 26 {
		return ""
	}
	return kind + "…" + rest[len(rest)-6:]
}

// tones are how states look: well, waiting, wrong, or a plain fact.
var tones = map[string]string{
	"confirmed": "ok", "paid": "ok", "settled": "ok", "released": "ok", "closed": "ok", "resolved": "ok", "active": "ok", "approved": "ok", "current": "ok", "funded": "",
	"unknown": "warn", "sent": "warn", "accepted": "warn", "draft": "warn", "open": "warn", "answered": "warn", "submitted": "warn", "pending": "warn", "sending": "warn", "intent": "warn",
	"changes_requested": "warn", "under_review": "warn", "snoozed": "", "half-open": "warn", "created": "", "awaiting_rib": "warn", "mediation": "bad",
	"declined": "bad", "rejected": "bad", "returned": "bad", "suspended": "bad", "review": "bad", "refused": "bad", "terminated": "bad",
}

// state is a state as a word, a shape and a colour. kind says of what.
func (v *view) state(kind, state string) cell {
	tone := tones[state]
	if kind == "breaker" {
		tone = map[string]string{"closed": "ok", "half-open": "warn", "open": "bad"}[state]
	}
	return cell{Text: v.stateText(kind, state), Tone: tone, State: true}
}

func (v *view) stateText(kind, state string) string {
	return v.T("op.s_" + kind + "_" + strings.ReplaceAll(state, "-", "_"))
}

// heads names columns by their keys; those that begin with «>» hold figures.
func (v *view) heads(keys ...string) []head {
	out := make([]head, len(keys))
	for i, k := range keys {
		name, end := strings.CutPrefix(k, ">")
		out[i] = head{v.T("op.h_" + name), end}
	}
	return out
}

// next is the address of the list's next part.
func (v *view) next(cursor *string) string {
	if cursor == nil || *cursor == "" {
		return ""
	}
	return v.with("suite", *cursor)
}

// with is this page's address with one thing of it changed.
func (v *view) with(name, value string) string {
	var queries []string
	for k := range v.Query {
		if k != name && k != "fait" && (k != "suite" || name == "csv") {
			queries = append(queries, k, v.Query.Get(k))
		}
	}
	return v.Href(v.Path, append(queries, name, value)...)
}

// wants says whether the list is asked for as a file.
func (v *view) wants() bool { return v.q("csv") == "1" }

// file sends a list as a file that spreadsheets read.
func (v *view) file(name string, s sheet) error {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	row := make([]string, len(s.Heads))
	for i, h := range s.Heads {
		row[i] = h.Text
	}
	_ = w.Write(row) // a buffer takes all
	for _, r := range s.Rows {
		row := make([]string, len(r))
		for i, c := range r {
			row[i] = c.plain()
		}
		_ = w.Write(row)
	}
	w.Flush()
	h := v.W.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="`+name+`.csv"`)
	h.Set("Cache-Control", "no-store")
	v.W.WriteHeader(http.StatusOK)
	_, _ = v.W.Write(append([]byte("\ufeff"), b.Bytes()...)) // the visitor may be gone
	return nil
}

// plain is a cell in a file. What a spreadsheet would take for a formula is
// made a text.
func (c cell) plain() string {
	switch {
	case c.Money != nil:
		return c.Money.Amount()
	case c.Said != nil:
		return harmless(c.Said.Text)
	}
	return harmless(strings.Join(append([]string{c.Text}, c.Lines...), " – "))
}

func harmless(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}

// A tab is one way to look at a list.
type tab struct {
	Text, Href string
	Here       bool
}

// tabs are the states of a list to choose from; the first is what is shown when
// the address names none.
func (v *view) tabs(name, kind string, states ...string) (all []tab, chosen string) {
	chosen = v.q(name)
	for i, s := range states {
		label := v.T("op.all")
		if s != "" {
			label = v.stateText(kind, s)
		}
		here := chosen == s || chosen == "" && i == 0
		if here {
			chosen = s
		}
		value := s
		if s == "" {
			value = "tous"
		}
		if i == 0 {
			value = ""
		}
		if v.q(name) == "tous" && s == "" {
			here, chosen = true, ""
		}
		all = append(all, tab{label, v.Href(v.Path, name, value), here})
	}
	if chosen == "tous" {
		chosen = ""
	}
	return all, chosen
}

// A fact is a line of what is known of a thing.
type fact struct {
	Name  string
	Value cell
}

// An action is a form that does one thing.
type action struct {
	Name    string // what the form sends as «quoi»
	Path    string
	Label   string
	Hint    string
	Style   string // go, stop or ""
	Open    bool   // shown whole; else behind its label
	Top     bool   // it stands under the page's own title
	Key     string // the letter of the keyboard
	Fields  []ui.Field
	Hidden  [][2]string
	Legs    []leg  // what it will post
	Preview string // a second button that only looks
}

// A leg is one line of a posting, before it is made.
type leg struct {
	Side, Account string
	Money         money.Money
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
	for i := range all {
		if all[i].Name != v.Field("quoi") {
			continue
		}
		all[i].Open = true
		for j, f := range all[i].Fields {
			all[i].Fields[j].Value, all[i].Fields[j].Error = v.Field(f.Name), wrong[f.Name]
		}
	}
	return all
}

// label is what stands on a link.
func (c cell) label() string {
	if c.Short != "" {
		return c.Short
	}
	return c.Text
}
