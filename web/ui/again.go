package ui

import (
	"net/url"
	"slices"
	"strings"
)

// An Again asks somebody who is signed in to show once more who it is. What a
// form sent meanwhile is kept on the page, and goes on from there.
type Again struct {
	Handle, To string // of the code that was sent
	Then       string // where one goes afterwards, with its language
	Kept       url.Values
	Wrongs     []Wrong
	Inbox      bool // a demonstration: codes can be read
	Device     bool // only a passkey is enough
}

// AgainName begins the names of the page's own fields, so that none of what is
// kept is taken for one of them.
const AgainName = "encore."

// A kept is one field of a form that waits.
type kept struct{ Name, Value string }

// fields are the fields that wait, by their names.
func (a Again) fields() (out []kept) {
	for name, values := range a.Kept {
		for _, v := range values {
			out = append(out, kept{name, v})
		}
	}
	slices.SortStableFunc(out, func(a, b kept) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// wrong is what is wrong with a field.
func (a Again) wrong(name string) string {
	for _, w := range a.Wrongs {
		if w.Name == name {
			return w.Text
		}
	}
	return ""
}
