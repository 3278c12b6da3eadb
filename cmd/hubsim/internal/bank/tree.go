package bank

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// A node is one element of a message that came in, by its local name.
type node struct {
	name string
	ccy  string
	text string
	kids []*node
}

// Limits of what the bank reads.
const (
	maxFile  = 20 << 20
	maxDepth = 50
	maxNodes = 2_000_000
)

// parse reads one XML document without DTD; it gives the root and the
// namespace that the root is in.
func parse(b []byte) (*node, string, error) {
	d := xml.NewDecoder(bytes.NewReader(b))
	var root *node
	var space string
	var open []*node
	for count := 0; ; {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			if root == nil {
				return nil, "", errors.New("no element")
			}
			return root, space, nil
		}
		if err != nil {
			return nil, "", err
		}
		switch t := t.(type) {
		case xml.Directive:
			return nil, "", errors.New("a document type is not allowed")
		case xml.CharData:
			if len(open) > 0 {
				open[len(open)-1].text += string(t)
			}
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.StartElement:
			if count++; count > maxNodes || len(open) >= maxDepth || (root != nil && len(open) == 0) {
				return nil, "", errors.New("too many, too deep or trailing elements")
			}
			n := newNode(t)
			if root == nil {
				root, space = n, t.Name.Space
			} else {
				up := open[len(open)-1]
				up.kids = append(up.kids, n)
			}
			open = append(open, n)
		}
	}
}

func newNode(t xml.StartElement) *node {
	n := &node{name: t.Name.Local}
	for _, a := range t.Attr {
		if a.Name.Local == "Ccy" {
			n.ccy = a.Value
		}
	}
	return n
}

// all are the children with a name.
func (n *node) all(name string) []*node {
	var out []*node
	for _, k := range n.kids {
		if k.name == name {
			out = append(out, k)
		}
	}
	return out
}

// at is the element at a path like "PmtId/EndToEndId", or nil. An element that
// stands twice where one is meant counts as none.
func (n *node) at(path string) *node {
	for _, name := range strings.Split(path, "/") {
		found := n.all(name)
		if len(found) != 1 {
			return nil
		}
		n = found[0]
	}
	return n
}

// value is the text at a path, or "".
func (n *node) value(path string) string {
	if k := n.at(path); k != nil {
		return strings.TrimSpace(k.text)
	}
	return ""
}

// need is the text at a path, of 1 to max signs.
func (n *node) need(path string, max int) (string, error) {
	v := n.value(path)
	if v == "" || len([]rune(v)) > max {
		return "", fmt.Errorf("%s/%s: one value of 1 to %d signs is needed", n.name, path, max)
	}
	return v, nil
}
