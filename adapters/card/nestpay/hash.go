package nestpay

import (
	"cmp"
	"crypto/sha512"
	"encoding/base64"
	"html"
	"regexp"
	"slices"
	"strings"
)

// side tells how the platform reads a value before it hashes it.
type side int

const (
	request  side = iota // a form of ours: trimmed
	callback             // a notice: one trailing newline falls, entities are decoded
)

// hash is the ver3 hash of fields: the values in the natural order of their
// names, escaped, each followed by a bar, then the key; SHA-512 in base64.
// Hash and encoding are not hashed.
func hash(fields map[string]string, storeKey string, s side) string {
	names := make([]string, 0, len(fields))
	for n := range fields {
		if !strings.EqualFold(n, "hash") && !strings.EqualFold(n, "encoding") {
			names = append(names, n)
		}
	}
	slices.SortFunc(names, natural)
	var plain strings.Builder
	for _, n := range names {
		plain.WriteString(escape(documents.ReplaceAllLiteralString(normal(fields[n], s), "document.")))
		plain.WriteByte('|')
	}
	plain.WriteString(escape(storeKey))
	sum := sha512.Sum512([]byte(plain.String()))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// documents is a rule of the platform: the sign after the word «document»
// becomes a dot, for the hash only.
var documents = regexp.MustCompile(`(?i)document(.)`)

func escape(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, `\`, `\\`), `|`, `\|`)
}

func normal(v string, s side) string {
	if s == request {
		return strings.Trim(v, " \t\n\r\x00\x0b")
	}
	return entities.ReplaceAllStringFunc(strings.TrimSuffix(v, "\n"), func(e string) string {
		if e == "&apos;" { // not an entity of HTML 4, which the platform's kits decode
			return e
		}
		return html.UnescapeString(e)
	})
}

// entities are whole ones only: without its semicolon an entity is plain text.
var entities = regexp.MustCompile(`&(#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});`)

// natural orders names as people do: without regard to case, runs of digits
// by their number. Names that differ in case alone have a fixed order too.
func natural(a, b string) int {
	x, y := strings.ToUpper(a), strings.ToUpper(b) // as the kits do: _ comes after letters
	for x != "" && y != "" {
		if digit(x[0]) && digit(y[0]) {
			var n, m string
			n, x = number(x)
			m, y = number(y)
			if c := cmp.Or(cmp.Compare(len(n), len(m)), strings.Compare(n, m)); c != 0 {
				return c
			}
			continue
		}
		if c := cmp.Compare(x[0], y[0]); c != 0 {
			return c
		}
		x, y = x[1:], y[1:]
	}
	return cmp.Or(cmp.Compare(len(x), len(y)), strings.Compare(a, b))
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

// number cuts the leading run of digits, without its leading zeros.
func number(s string) (digits, rest string) {
	i := 0
	for i < len(s) && digit(s[i]) {
		i++
	}
	return strings.TrimLeft(s[:i], "0"), s[i:]
}
