// Package bylaw is how the charter looks to those who read it: the same on the
// public page, at the desk where it is signed, and at the operator's.
package bylaw

import (
	"time"

	"tiwiza/marketplace/charter"
	"tiwiza/web/ui"
)

// A Text is a version of the charter in the page's language, or the nearest that it
// is written in.
type Text struct {
	Version int
	Held    string // which version it is, and since when
	Lang    string
	Title   ui.Said
	Body    ui.Said
	Sound   string
	Digest  string
	Policy  string
}

// Of is a version as a page shows it.
func Of(l ui.Lang, v charter.VersionView) Text {
	titles, bodies := map[string]string{}, map[string]string{}
	for lang, t := range v.Texts {
		titles[lang], bodies[lang] = t.Title, t.Body
	}
	t := Text{Version: v.Version, Held: l.T("charter.version", "n", l.Number(int64(v.Version)), "d", Day(l, v.Since)), Title: l.Say(titles), Body: l.Say(bodies), Digest: v.SHA256, Policy: v.Policy}
	for lang, one := range v.Texts {
		if one.Body == t.Body.Text {
			t.Lang, t.Sound = lang, one.Sound
		}
	}
	return t
}

// Day is a day of the interface as a language writes it.
func Day(l ui.Lang, day string) string {
	d, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return day
	}
	return l.Date(d)
}
