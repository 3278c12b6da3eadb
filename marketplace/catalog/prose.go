package catalog

import (
	"html"
	"regexp"
	"slices"
	"strings"
)

// tag is what may be one of HTML, or a comment.
var tag = regexp.MustCompile(`(?s)<!--.*?-->|</?([a-zA-Z][a-zA-Z0-9]*)(?:\s[^<>]*)?/?>`)

// Names of HTML: what begins a line of its own, what stands within one, and what
// nobody reads.
var (
	blocks = strings.Fields("p br div li ul ol dl dt dd tr table thead tbody tfoot h1 h2 h3 h4 h5 h6 hr section article header footer blockquote pre title body html head figure figcaption")
	spans  = strings.Fields("a b i u s em strong span font small big sub sup td th code mark del ins img center label abbr cite q strike tt o:p meta link col colgroup caption input button form iframe video audio source svg path script style")
	silent = regexp.MustCompile(`(?is)<(script|style)(\s[^<>]*)?>.*?(</(script|style)\s*>|$)`)
)

// prose is what a reader sees of a text with HTML in it, as shops' exports have
// it. A text without tags and signs of HTML stays as it is, and so does whatever
// only looks like a tag: nothing that was meant is lost.
func prose(s string) string {
	if !strings.ContainsAny(s, "<&") {
		return s
	}
	found := false
	text := silent.ReplaceAllStringFunc(s, func(string) string { found = true; return "" })
	text = tag.ReplaceAllStringFunc(text, func(t string) string {
		name := strings.ToLower(tag.FindStringSubmatch(t)[1])
		switch {
		case strings.HasPrefix(t, "<!--"), slices.Contains(spans, name) && name != "td" && name != "th":
			found = true
			return ""
		case name == "td" || name == "th":
			found = true
			return " "
		case slices.Contains(blocks, name):
			found = true
			return "\n"
		}
		return t
	})
	if found {
		text = spaced(text)
	}
	return tidy(html.UnescapeString(text))
}

// spaced has one space between words and no empty lines, as a browser would.
func spaced(s string) string {
	var lines []string
	for line := range strings.SplitSeq(s, "\n") {
		if line = strings.Join(strings.Fields(line), " "); line != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}

var marks = strings.NewReplacer("&", "&amp;", "<", "&lt;")

// marked writes a text so that prose gives the same again.
func marked(s string) string {
	if prose(s) == s {
		return s
	}
	return marks.Replace(s)
}

// written in words: columns whose cells are cleaned of HTML.
func inWords(column string) bool {
	for _, p := range []string{"name_", "description_", "variant_"} {
		if strings.HasPrefix(column, p) {
			return true
		}
	}
	return false
}
