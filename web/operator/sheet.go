package operator

import (
	"bytes"
	"encoding/csv"
	"net/http"
	"strings"

	"tiwiza/web/desk"
)

// link is an id that leads to its page.
func (v *view) link(path, s string) desk.Cell {
	return desk.Cell{Text: s, Short: short(s), Href: v.Href(path), Code: true}
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
func (v *view) state(kind, state string) desk.Cell {
	tone := tones[state]
	if kind == "breaker" {
		tone = map[string]string{"closed": "ok", "half-open": "warn", "open": "bad"}[state]
	}
	return desk.Cell{Text: v.stateText(kind, state), Tone: tone, State: true}
}

func (v *view) stateText(kind, state string) string {
	return v.T("op.s_" + kind + "_" + strings.ReplaceAll(state, "-", "_"))
}

// wants says whether the list is asked for as a file.
func (v *view) wants() bool { return v.Q("csv") == "1" }

// file sends a list as a file that spreadsheets read.
func (v *view) file(name string, s desk.Sheet) error {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	_ = w.WriteAll(s.Records(v.T("op.h_currency"))) // a buffer takes all
	h := v.W.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="`+name+`.csv"`)
	h.Set("Cache-Control", "no-store")
	v.W.WriteHeader(http.StatusOK)
	_, _ = v.W.Write(append([]byte("\ufeff"), b.Bytes()...)) // the visitor may be gone
	return nil
}

// tabs are the states of a list to choose from; the first is what is shown when
// the address names none.
func (v *view) tabs(name, kind string, states ...string) (all []desk.Tab, chosen string) {
	chosen = v.Q(name)
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
		if v.Q(name) == "tous" && s == "" {
			here, chosen = true, ""
		}
		all = append(all, desk.Tab{Text: label, Href: v.Href(v.Path, name, value), Here: here})
	}
	if chosen == "tous" {
		chosen = ""
	}
	return all, chosen
}
