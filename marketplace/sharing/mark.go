package sharing

import (
	"bytes"
	"cmp"
	"strings"

	"tiwiza/pkg/clock"
	"tiwiza/pkg/latin"
	"tiwiza/pkg/picture"
)

var extensions = map[string]string{"application/pdf": ".pdf", "image/jpeg": ".jpg"}

// stamp says who took a file, when and on what.
func stamp(f found, r reader) string {
	who := name(r.named.Names, "fr")
	if f.Ground.Glass != nil {
		who = market["en"]
	}
	on := ""
	if f.Ground.Consent != nil {
		on = *f.Ground.Consent
	} else {
		on = *f.Ground.Glass
	}
	at := f.Ground.At.In(clock.Morocco).Format("2006-01-02 15:04")
	return latin.Keep(latin.Text(who), "()-_.:", 60) + " " + at + " " + on + " " + cmp.Or(r.Human, r.Key)
}

// mark writes a stamp into a file: across a photograph, where everybody sees it,
// and behind the end of a PDF, where it stays with the file.
func mark(b []byte, typ, stamp string) ([]byte, error) {
	if typ == "image/jpeg" {
		return picture.Mark(b, stamp)
	}
	out := bytes.Clone(b)
	return append(out, []byte("\n% "+strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, stamp)+"\n")...), nil
}
