package nestpay_test

import (
	"bytes"
	"encoding/xml"
	"io"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/encoding/ianaindex"

	"tiwiza/adapters/card/nestpay"
)

// An element as encoding/xml reads it.
type element struct {
	XMLName xml.Name
	Text    string    `xml:",chardata"`
	Kids    []element `xml:",any"`
}

// Whatever is taken as an answer another reader reads the same: no element
// twice, nothing lost and nothing made up.
func FuzzAnswer(f *testing.F) {
	for _, s := range []string{
		"<CC5Response><Response>Approved</Response><ProcReturnCode>00</ProcReturnCode><Extra><TRXDATE>x</TRXDATE></Extra></CC5Response>",
		"<CC5Response><Response>Approved</Response><Response>Declined</Response></CC5Response>",
		`<?xml version="1.0" encoding="ISO-8859-9"?><CC5Response><ErrMsg>K&#305;rm&amp;</ErrMsg></CC5Response>`,
		"<!DOCTYPE a><a/>", "<CC5Response/><x/>", "<CC5Response>",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		a, err := nestpay.Understand(body)
		if err != nil {
			return
		}
		var root element
		dec := xml.NewDecoder(bytes.NewReader(body))
		dec.CharsetReader = decoded
		if err := dec.Decode(&root); err != nil {
			t.Fatalf("%q was understood; another reader says %v", body, err)
		}
		said := map[string]string{}
		for _, k := range slices.Concat(root.Kids, extras(root)) {
			if _, twice := said[k.XMLName.Local]; twice {
				t.Fatalf("%q was understood though it says %s twice", body, k.XMLName.Local)
			}
			said[k.XMLName.Local] = k.Text
		}
		for name, text := range said {
			if a[name] != text {
				t.Fatalf("%s is %q, want %q", name, a[name], text)
			}
		}
		for name, text := range a {
			if _, ok := said[name]; !ok && strings.TrimSpace(text) != "" {
				t.Fatalf("%s %q is nowhere in %q", name, text, body)
			}
		}
	})
}

// decoded reads an encoding by its registered name.
func decoded(label string, r io.Reader) (io.Reader, error) {
	e, err := ianaindex.IANA.Encoding(label)
	if err != nil || e == nil {
		return r, err // ASCII and UTF-8 need no reading
	}
	return e.NewDecoder().Reader(r), nil
}

// extras are the elements inside Extra.
func extras(root element) (out []element) {
	for _, k := range root.Kids {
		if k.XMLName.Local == "Extra" {
			out = append(out, k.Kids...)
		}
	}
	return out
}
