package iso20022

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/text/encoding/charmap"
)

// Bounds of a file. A bank's largest real statement stays far below them.
const (
	maxBytes    = 20 << 20
	maxDepth    = 50
	maxElements = 500_000
)

// node is an element by its local name: banks use profile namespaces.
type node struct {
	name string
	ccy  string // the currency attribute
	text []byte
	kids []*node
}

// singles are the elements that mean something here and come at most once in
// their parent. encoding/xml would quietly keep the last of two.
var singles = set(`GrpHdr MsgId CreDtTm Id IBAN Ccy Acct Amt CdtDbtInd RvslInd Sts BookgDt ValDt AcctSvcrRef NtryRef
	EndToEndId InstrId PmtInfId TxId Refs AmtDtls InstdAmt TxAmt CntrValAmt TtlChrgsAndTaxAmt RltdPties Cdtr Dbtr Pty
	CdtrAcct DbtrAcct Nm Cd Dt DtTm Tp CdOrPrtry Rsn RtrInf RmtInf Btch ElctrncSeqNb LglSeqNb FrToDt FrDtTm ToDtTm
	StmtPgntn NtfctnPgntn PgNb LastPgInd GrpSts PmtInfSts TxSts OrgnlMsgId OrgnlPmtInfId OrgnlEndToEndId OrgnlInstrId
	OrgnlGrpInfAndSts AddtlNtryInf BkTxCd Domn Fmly SubFmlyCd BkToCstmrStmt BkToCstmrDbtCdtNtfctn CstmrPmtStsRpt`)

func set(words string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(words) {
		m[w] = true
	}
	return m
}

// scanner builds the tree of one file and refuses what could mislead.
type scanner struct {
	space    string // the document's namespace
	open     []*node
	root     *node
	elements int
	foreign  int // open elements of supplementary data, which is not read
}

// scan reads a whole file into a tree: one document, well formed, without DTD
// or entities of its own, within bounds, with each single element once.
func scan(b []byte) (root *node, space string, err error) {
	if len(b) > maxBytes {
		return nil, "", fmt.Errorf("it is longer than %d MB", maxBytes>>20)
	}
	dec := xml.NewDecoder(bytes.NewReader(bytes.TrimPrefix(b, []byte("\ufeff"))))
	dec.CharsetReader = charset
	s := &scanner{}
	for {
		tok, err := dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = s.take(tok)
		}
		if err != nil {
			return nil, "", fmt.Errorf("byte %d: %w", dec.InputOffset(), err)
		}
	}
	if s.root == nil { // a document that is cut off has failed above
		return nil, "", errors.New("it is empty")
	}
	return s.root, s.space, nil
}

func (s *scanner) take(tok xml.Token) error {
	switch t := tok.(type) {
	case xml.Directive:
		return errors.New("a DTD is not allowed")
	case xml.ProcInst:
		if t.Target != "xml" || s.root != nil {
			return errors.New("a processing instruction is not allowed")
		}
	case xml.StartElement:
		return s.start(t)
	case xml.EndElement:
		if s.foreign > 0 {
			s.foreign--
		}
		s.open = s.open[:len(s.open)-1]
	case xml.CharData:
		if n := len(s.open); n > 0 {
			s.open[n-1].text = append(s.open[n-1].text, t...)
		} else if len(bytes.TrimSpace(t)) > 0 {
			return errors.New("there is text outside the document")
		}
	}
	return nil
}

func (s *scanner) start(t xml.StartElement) error {
	if s.elements++; s.elements > maxElements {
		return fmt.Errorf("there are more than %d elements", maxElements)
	}
	if len(s.open) >= maxDepth {
		return fmt.Errorf("elements are nested deeper than %d", maxDepth)
	}
	n := &node{name: t.Name.Local}
	if len(s.open) == 0 {
		if s.root != nil {
			return errors.New("there is a second document")
		}
		s.root, s.space = n, t.Name.Space
		s.open = append(s.open, n)
		return nil
	}
	parent := s.open[len(s.open)-1]
	s.open = append(s.open, n)
	if s.foreign > 0 || n.name == "SplmtryData" {
		s.foreign++
		return nil
	}
	if t.Name.Space != s.space {
		return fmt.Errorf("%s is of another namespace", n.name)
	}
	if singles[n.name] && parent.kid(n.name) != nil {
		return fmt.Errorf("%s comes twice in one %s", n.name, parent.name)
	}
	for _, a := range t.Attr {
		if a.Name.Local == "Ccy" {
			n.ccy = a.Value
		}
	}
	parent.kids = append(parent.kids, n)
	return nil
}

// charset decodes what banks declare beside UTF-8.
func charset(label string, r io.Reader) (io.Reader, error) {
	switch strings.ToLower(label) {
	case "utf-8", "us-ascii":
		return r, nil
	case "iso-8859-1", "latin1":
		return charmap.ISO8859_1.NewDecoder().Reader(r), nil
	case "iso-8859-15":
		return charmap.ISO8859_15.NewDecoder().Reader(r), nil
	case "windows-1252":
		return charmap.Windows1252.NewDecoder().Reader(r), nil
	}
	return nil, fmt.Errorf("the encoding %q is not read; send UTF-8 or ISO-8859-1", label)
}

// kid is the first child of a name, or nil. A nil node has none.
func (n *node) kid(name string) *node {
	if n != nil {
		for _, k := range n.kids {
			if k.name == name {
				return k
			}
		}
	}
	return nil
}

// at follows a path of names, "Refs/EndToEndId"; nil where it ends early.
func (n *node) at(path string) *node {
	for name := range strings.SplitSeq(path, "/") {
		n = n.kid(name)
	}
	return n
}

// str is the text at the first of the paths that has one.
func (n *node) str(paths ...string) string {
	for _, p := range paths {
		if k := n.at(p); k != nil {
			if t := strings.Join(strings.Fields(string(k.text)), " "); t != "" {
				return t
			}
		}
	}
	return ""
}

// all are the children of a name.
func (n *node) all(name string) []*node {
	var out []*node
	if n != nil {
		for _, k := range n.kids {
			if k.name == name {
				out = append(out, k)
			}
		}
	}
	return out
}
