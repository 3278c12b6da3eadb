package shop

import (
	"encoding/json"
	"strings"

	"tiwiza/web/ui"
)

// A head is what a public page says of itself to those who list or share it.
type head struct {
	Kind, Title, Text, URL, Locale, Picture string
	Thing                                   map[string]any // of schema.org
}

// headOf is the head of a page; picture is a path of this site, or "".
func headOf(p *ui.Page, kind, picture string, thing map[string]any) head {
	h := head{Kind: kind, Title: p.Title, Text: summary(p.Description), URL: p.Origin + p.In(p.Lang), Thing: thing, Locale: locales[p.Lang.Text()]}
	if picture != "" {
		h.Picture = p.Origin + picture
	}
	return h
}

var locales = map[ui.Lang]string{ui.French: "fr_MA", ui.Arabic: "ar_MA", ui.English: "en_GB"}

// data is the thing as a block of data. It runs nothing, and JSON as Go writes it
// has no character that could end it.
func (h head) data() string {
	if h.Thing == nil {
		return ""
	}
	h.Thing["@context"] = "https://schema.org"
	b, err := json.Marshal(h.Thing)
	if err != nil {
		return ""
	}
	return `<script type="application/ld+json">` + string(b) + `</script>`
}

// mostSummary is how much of a text is shown where a page is shared.
const mostSummary = 160

// summary is the beginning of a text, to a whole word.
func summary(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	all := []rune(s)
	if len(all) <= mostSummary {
		return s
	}
	cut := string(all[:mostSummary])
	if i := strings.LastIndexByte(cut, ' '); i > 0 {
		cut = cut[:i]
	}
	return cut + "…"
}
