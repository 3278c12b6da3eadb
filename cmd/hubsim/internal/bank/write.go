package bank

import (
	"encoding/xml"
	"strings"
	"time"

	"tiwiza/pkg/money"
)

// An element is a piece of XML that goes out. One without text and children
// is left out.
type element string

// el is an element around others.
func el(name string, kids ...element) element {
	var b strings.Builder
	for _, k := range kids {
		b.WriteString(string(k))
	}
	if b.Len() == 0 {
		return ""
	}
	return element("<" + name + ">" + b.String() + "</" + name + ">")
}

// text is an element around a text.
func text(name, s string) element {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a strings.Builder takes every write
	return el(name, element(b.String()))
}

// amt is an amount in dirhams; the sign is said elsewhere.
func amt(name string, centimes int64) element {
	return element("<" + name + ` Ccy="MAD">` + money.Dirhams(abs(centimes)).Amount() + "</" + name + ">")
}

func abs(n int64) int64 { return max(n, -n) }

// direction is CRDT or DBIT by the sign of an amount.
func direction(centimes int64) element {
	if centimes < 0 {
		return text("CdtDbtInd", "DBIT")
	}
	return text("CdtDbtInd", "CRDT")
}

func day(name string, t time.Time) element {
	return el(name, text("Dt", t.Format("2006-01-02")))
}

func moment(name string, t time.Time) element {
	return text(name, t.Format("2006-01-02T15:04:05Z"))
}

// bban is an account by its RIB.
func bban(rib string) element {
	return el("Id", el("Othr", text("Id", rib), el("SchmeNm", text("Cd", "BBAN"))))
}

// cut shortens a text to what a field takes.
func cut(s string, signs int) string {
	if r := []rune(s); len(r) > signs {
		return string(r[:signs])
	}
	return s
}

// message is a whole document of a version.
func message(version string, body element) string {
	return xml.Header + `<Document xmlns="urn:iso:std:iso:20022:tech:xsd:` + version + `">` + string(body) + "</Document>\n"
}
