package acquirer

import (
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"html"
	"regexp"
	"sort"
	"strings"
)

// A Field is one posted name and value.
type Field struct {
	Name  string `json:"n"`
	Value string `json:"v"`
}

// Fields are a form in its order. Names differ only by more than case.
type Fields []Field

// Get is the value of a field, whatever the case of its name.
func (f Fields) Get(name string) string {
	for _, x := range f {
		if strings.EqualFold(x.Name, name) {
			return x.Value
		}
	}
	return ""
}

// With is the fields with one set, in its place or at the end.
func (f Fields) With(name, value string) Fields {
	out := append(Fields(nil), f...)
	for i := range out {
		if strings.EqualFold(out[i].Name, name) {
			out[i].Value = value
			return out
		}
	}
	return append(out, Field{name, value})
}

// A Mode is how the values of a message are made plain before they are hashed.
type Mode int

// The three messages of NestPay ver3.
const (
	Request Mode = iota
	Callback
	Redirect
)

func (m Mode) plain(v string) string {
	switch m {
	case Callback:
		return html.UnescapeString(strings.TrimSuffix(v, "\n"))
	case Redirect:
		return strings.TrimSpace(html.UnescapeString(v))
	}
	return strings.TrimSpace(v)
}

var (
	document = regexp.MustCompile(`(?i)document.`)
	escapes  = strings.NewReplacer(`\`, `\\`, `|`, `\|`)
)

// Hash is the NestPay ver3 signature of a form: the values in the natural
// order of their names, made plain, escaped, joined with the store key.
func Hash(fields Fields, mode Mode, storeKey string) string {
	signed := make(Fields, 0, len(fields))
	for _, f := range fields {
		if !strings.EqualFold(f.Name, "hash") && !strings.EqualFold(f.Name, "encoding") {
			signed = append(signed, f)
		}
	}
	sort.SliceStable(signed, func(a, b int) bool { return natural(signed[a].Name, signed[b].Name) < 0 })
	var text strings.Builder
	for _, f := range signed {
		text.WriteString(escapes.Replace(document.ReplaceAllString(mode.plain(f.Value), "document.")) + "|")
	}
	text.WriteString(escapes.Replace(storeKey))
	sum := sha512.Sum512([]byte(text.String()))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// genuine says whether a form carries its right HASH.
func genuine(fields Fields, mode Mode, storeKey string) bool {
	want := Hash(fields, mode, storeKey)
	return subtle.ConstantTimeCompare([]byte(fields.Get("HASH")), []byte(want)) == 1
}

// natural compares as PHP's natcasesort does: without case, runs of digits by
// their number.
func natural(a, b string) int {
	a, b = strings.ToUpper(a), strings.ToUpper(b)
	for a != "" && b != "" {
		da, db := digits(a), digits(b)
		if da == "" || db == "" {
			if a[0] != b[0] {
				return int(a[0]) - int(b[0])
			}
			a, b = a[1:], b[1:]
			continue
		}
		na, nb := strings.TrimLeft(da, "0"), strings.TrimLeft(db, "0")
		if len(na) != len(nb) {
			return len(na) - len(nb)
		}
		if c := strings.Compare(na, nb); c != 0 {
			return c
		}
		a, b = a[len(da):], b[len(db):]
	}
	return len(a) - len(b)
}

func digits(s string) string {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return s[:i]
		}
	}
	return s
}
