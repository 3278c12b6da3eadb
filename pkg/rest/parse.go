package rest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"tiwiza/pkg/fault"
)

// maxDepth is how deep a body may nest.
const maxDepth = 32

// longestNumber is how many signs a number may have: the time that comparing
// takes grows with the square of it.
const longestNumber = 64

// parse reads one JSON value strictly, as the tree that the schema checks.
// Beyond the grammar it refuses what encoding/json lets pass: names given
// twice, text after the value, invalid UTF-8, half surrogate pairs, the NUL
// character, and nesting deeper than maxDepth.
func parse(b []byte) (any, []fault.Detail) {
	if !utf8.Valid(b) {
		return nil, []fault.Detail{{Pointer: "", Detail: "The body is not valid UTF-8."}}
	}
	if !json.Valid(b) {
		return nil, []fault.Detail{{Pointer: "", Detail: syntax(b)}}
	}
	p := parser{b: b}
	v := p.value(1)
	return v, p.problems
}

// syntax says where b stops being JSON.
func syntax(b []byte) string {
	if len(bytes.TrimSpace(b)) == 0 {
		return "The body is empty; JSON is expected."
	}
	d := json.NewDecoder(bytes.NewReader(b))
	var v json.RawMessage
	err := d.Decode(&v)
	if err == nil {
		return fmt.Sprintf("There is more after the JSON value, which ends at byte %d.", d.InputOffset())
	}
	if s, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Sprintf("The JSON breaks at byte %d: %s.", s.Offset, s.Error())
	}
	return "The JSON is cut off before its end."
}

// parser walks bytes that are known to be valid JSON.
type parser struct {
	b        []byte
	i        int
	path     []step
	problems []fault.Detail
}

// A step is one part of a pointer: a name, or an index.
type step struct {
	name  string
	index int
}

func (p *parser) problem(detail string) {
	var s strings.Builder
	for _, st := range p.path {
		s.WriteByte('/')
		if st.index >= 0 {
			s.WriteString(strconv.Itoa(st.index))
		} else {
			s.WriteString(escape(st.name))
		}
	}
	p.problems = append(p.problems, fault.Detail{Pointer: s.String(), Detail: detail})
}

// escape writes a name as a part of a JSON pointer (RFC 6901).
func escape(name string) string {
	if strings.ContainsAny(name, "~/") {
		name = strings.ReplaceAll(strings.ReplaceAll(name, "~", "~0"), "/", "~1")
	}
	return name
}

func (p *parser) space() {
	for p.i < len(p.b) {
		switch p.b[p.i] {
		case ' ', '\t', '\r', '\n':
			p.i++
		default:
			return
		}
	}
}

func (p *parser) value(depth int) any {
	p.space()
	if depth > maxDepth {
		p.problem(fmt.Sprintf("This is nested deeper than %d.", maxDepth))
		p.i = len(p.b) // nothing more is read
		return nil
	}
	switch p.b[p.i] {
	case '{':
		return p.object(depth)
	case '[':
		return p.array(depth)
	case '"':
		return p.text()
	case 't':
		p.i += 4
		return true
	case 'f':
		p.i += 5
		return false
	case 'n':
		p.i += 4
		return nil
	}
	return p.number()
}

func (p *parser) object(depth int) any {
	o := map[string]any{}
	for p.i++; p.i < len(p.b); p.i++ { // behind { or a comma
		if p.space(); p.b[p.i] == '}' {
			break
		}
		name := p.text()
		p.path = append(p.path, step{name, -1})
		if _, twice := o[name]; twice {
			p.problem("This name is given twice.")
		}
		p.space()
		p.i++ // the colon
		o[name] = p.value(depth + 1)
		p.path = p.path[:len(p.path)-1]
		if p.space(); p.i >= len(p.b) || p.b[p.i] == '}' {
			break
		}
	}
	p.i++
	return o
}

func (p *parser) array(depth int) any {
	a := []any{}
	for p.i++; p.i < len(p.b); p.i++ { // behind [ or a comma
		if p.space(); p.b[p.i] == ']' {
			break
		}
		p.path = append(p.path, step{"", len(a)})
		a = append(a, p.value(depth+1))
		p.path = p.path[:len(p.path)-1]
		if p.space(); p.i >= len(p.b) || p.b[p.i] == ']' {
			break
		}
	}
	p.i++
	return a
}

func (p *parser) text() string {
	start, escaped := p.i, false
	for p.i++; p.b[p.i] != '"'; p.i++ {
		if p.b[p.i] == '\\' {
			escaped = true
			p.i++
		}
	}
	p.i++
	if !escaped {
		return string(p.b[start+1 : p.i-1])
	}
	var s string
	_ = json.Unmarshal(p.b[start:p.i], &s) // known to be valid
	if strings.ContainsRune(s, 0) {
		p.problem("The character U+0000 cannot be kept.")
	}
	if strings.ContainsRune(s, utf8.RuneError) && halfPair(p.b[start:p.i]) {
		p.problem("There is half of a surrogate pair.")
	}
	return s
}

// halfPair says whether a JSON string has a \u escape of one half of a pair.
func halfPair(b []byte) bool {
	for i := 0; i+1 < len(b); i++ {
		if b[i] != '\\' {
			continue
		}
		i++
		if b[i] != 'u' {
			continue
		}
		n, _ := strconv.ParseUint(string(b[i+1:i+5]), 16, 16)
		i += 4
		switch {
		case n >= 0xDC00 && n < 0xE000:
			return true
		case n >= 0xD800 && n < 0xDC00:
			if i+6 >= len(b) || b[i+1] != '\\' || b[i+2] != 'u' {
				return true
			}
			if low, _ := strconv.ParseUint(string(b[i+3:i+7]), 16, 16); low < 0xDC00 || low >= 0xE000 {
				return true
			}
			i += 6
		}
	}
	return false
}

// number gives short whole numbers as int, others as json.Number, exactly.
func (p *parser) number() any {
	start, whole := p.i, true
	for ; p.i < len(p.b); p.i++ {
		c := p.b[p.i]
		if c == '.' || c == 'e' || c == 'E' || c == '+' {
			whole = false
		} else if c != '-' && (c < '0' || c > '9') {
			break
		}
	}
	s := string(p.b[start:p.i])
	if len(s) > longestNumber {
		p.problem("This number is too long.")
		return 0
	}
	if whole && len(s) < 18 {
		if n, err := strconv.Atoi(s); err == nil {
			return n
		}
	}
	return json.Number(s)
}
