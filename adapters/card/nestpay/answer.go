package nestpay

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/text/encoding/charmap"
)

// answer is a CC5Response: the texts of its elements and of its Extra's, by
// name.
type answer map[string]string

func (a answer) get(name string) string { return strings.TrimSpace(a[name]) }

// understand reads a CC5Response strictly: an element that comes twice, a
// DTD, or anything after the end makes the whole answer unreadable, so that
// nothing is decided from half of it.
func understand(body []byte) (answer, error) {
	dec := xml.NewDecoder(bytes.NewReader(body))
	dec.CharsetReader = charset
	a, open, ended := answer{}, []string{}, false
	for {
		tok, err := dec.Token()
		if errors.Is(err, io.EOF) {
			if !ended {
				return nil, io.ErrUnexpectedEOF
			}
			return a, nil
		}
		if err != nil {
			return nil, err
		}
		switch t := tok.(type) {
		case xml.Directive, xml.Comment:
			return nil, errors.New("a DTD or a comment has no place in an answer")
		case xml.StartElement:
			if err := a.start(open, t.Name.Local, ended); err != nil {
				return nil, err
			}
			open = append(open, t.Name.Local)
		case xml.EndElement:
			open = open[:len(open)-1]
			ended = len(open) == 0
		case xml.CharData:
			switch n := len(open); {
			case n > 1:
				a[open[n-1]] += string(t)
			case n == 0 && strings.TrimSpace(string(t)) != "":
				return nil, errors.New("there is text outside the answer")
			}
		}
	}
}

// start notes that an element begins inside the open ones.
func (a answer) start(open []string, name string, ended bool) error {
	switch {
	case ended || len(open) == 0 && name != "CC5Response":
		return fmt.Errorf("the element %s is not an answer", name)
	case len(open) == 0:
		return nil
	case len(open) > 2 || len(open) == 2 && open[1] != "Extra":
		return fmt.Errorf("the element %s is too deep", name)
	}
	if _, twice := a[name]; twice {
		return fmt.Errorf("the element %s comes twice", name)
	}
	a[name] = ""
	return nil
}

// charset decodes the encodings the platform has been seen to answer in.
func charset(label string, r io.Reader) (io.Reader, error) {
	switch strings.ToLower(label) {
	case "utf-8", "us-ascii":
		return r, nil
	case "iso-8859-1":
		return charmap.ISO8859_1.NewDecoder().Reader(r), nil
	case "iso-8859-9":
		return charmap.ISO8859_9.NewDecoder().Reader(r), nil
	case "windows-1252":
		return charmap.Windows1252.NewDecoder().Reader(r), nil
	}
	return nil, fmt.Errorf("the encoding %q is not read", label)
}
