package sheet

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	utf "golang.org/x/text/encoding/unicode"
)

// separators are what stands between cells, the likeliest first.
const separators = ",;\t|"

// readCSV reads a CSV file. What separates cells is told by the heading; a row in
// which something else does is read by that. A quotation mark that is never closed
// costs its own row, not those after it.
func readCSV(file []byte, known func([]string) int) (Table, error) {
	text, name, err := decode(file)
	if err != nil {
		return Table{}, err
	}
	if len(bytes.TrimSpace(text)) == 0 {
		return Table{}, refuse("The file is empty.")
	}
	r := reader{rest: text, row: 1}
	r.blanks()
	if s := announced(r.rest); s != 0 {
		r.line()
		r.blanks()
		r.sep = s
	} else {
		r.sep = separator(r.rest, known)
	}
	head, wrong := r.next()
	if wrong != "" {
		return Table{}, refuse("The heading cannot be read: %s", wrong)
	}
	if len(head) > maxWidth {
		return Table{}, refuse("The file has more than %d columns.", maxWidth)
	}
	t := Table{Head: head, Form: CSV, Encoding: name, Separator: string(r.sep)}
	r.width = len(head)
	for r.blanks(); len(r.rest) > 0; r.blanks() {
		if len(t.Rows) >= MaxRows {
			return Table{}, refuse("The file has more than %d rows; split it.", MaxRows)
		}
		row := Row{N: r.row}
		row.Cells, row.Wrong = r.next()
		t.Rows = append(t.Rows, row)
	}
	return t, nil
}

// decode makes UTF-8 with simple line ends of a file, and says what it was. A line
// that is no UTF-8 is read as Windows programs write French or Arabic, so that a
// file put together from several comes through whole.
func decode(file []byte) ([]byte, string, error) {
	name := "UTF-8"
	var wide encoding.Encoding
	switch head := file[:min(len(file), 2)]; {
	case bytes.Equal(head, []byte{0xFF, 0xFE}), len(file) > 3 && file[0] != 0 && file[1] == 0:
		name, wide = "UTF-16LE", utf.UTF16(utf.LittleEndian, utf.IgnoreBOM)
	case bytes.Equal(head, []byte{0xFE, 0xFF}), len(file) > 3 && file[0] == 0 && file[1] != 0:
		name, wide = "UTF-16BE", utf.UTF16(utf.BigEndian, utf.IgnoreBOM)
	}
	if wide != nil {
		b, err := wide.NewDecoder().Bytes(file)
		if err != nil {
			return nil, "", refuse("The file cannot be read as %s; save it as «CSV UTF-8».", name)
		}
		file = b
	}
	file = bytes.TrimPrefix(file, []byte("\uFEFF"))
	if bytes.IndexByte(file, 0) >= 0 {
		return nil, "", refuse("This is no CSV file: it holds NUL bytes. Save it as «CSV UTF-8».")
	}
	if bytes.IndexByte(file, '\r') >= 0 {
		file = bytes.ReplaceAll(bytes.ReplaceAll(file, []byte("\r\n"), []byte("\n")), []byte("\r"), []byte("\n"))
	}
	if utf8.Valid(file) {
		return file, name, nil
	}
	out := make([]byte, 0, len(file)+len(file)/8)
	for len(file) > 0 {
		line := file
		if i := bytes.IndexByte(file, '\n'); i >= 0 {
			line = file[:i+1]
		}
		file = file[len(line):]
		if !utf8.Valid(line) {
			var page encoding.Encoding
			page, name = windows(line)
			line, _ = page.NewDecoder().Bytes(line) // each byte is some letter, or U+FFFD
		}
		out = append(out, line...)
	}
	return out, name, nil
}

// windows is the code page of a line. Letters beyond ASCII stand alone in French
// and side by side in Arabic.
func windows(line []byte) (encoding.Encoding, string) {
	high, beside := 0, 0
	for i, b := range line {
		if b >= 0x80 {
			high++
			if i > 0 && line[i-1] >= 0x80 {
				beside++
			}
		}
	}
	if 2*beside > high {
		return charmap.Windows1256, "Windows-1256"
	}
	return charmap.Windows1252, "Windows-1252"
}

// announced is the separator that some programs write into a line of its own
// ahead of the heading, as sep=; or 0.
func announced(text []byte) byte {
	line, _, _ := bytes.Cut(text, []byte("\n"))
	line = bytes.ToLower(bytes.Trim(bytes.TrimSpace(line), `"`))
	if len(line) == 5 && bytes.HasPrefix(line, []byte("sep=")) && strings.IndexByte(separators, line[4]) >= 0 {
		return line[4]
	}
	return 0
}

// separator is the one by which the most columns of the heading are known, else
// by which there are the most.
func separator(text []byte, known func([]string) int) byte {
	best, most, cells := separators[0], 0, 0
	for _, sep := range []byte(separators) {
		r := reader{rest: text, sep: sep}
		head, wrong := r.next()
		if wrong != "" {
			continue
		}
		if n := known(head); n > most || n == most && len(head) > cells {
			best, most, cells = sep, n, len(head)
		}
	}
	return best
}

// A reader goes through a CSV file row by row.
type reader struct {
	rest  []byte
	row   int // number of the row that begins at rest
	sep   byte
	width int // cells of the heading; 0 before it is read
}

// blanks passes over empty lines, which spreadsheets number.
func (r *reader) blanks() {
	for len(r.rest) > 0 && r.rest[0] == '\n' {
		r.rest = r.rest[1:]
		r.row++
	}
}

// line takes the line at rest.
func (r *reader) line() []byte {
	line, rest, _ := bytes.Cut(r.rest, []byte("\n"))
	r.rest = rest
	r.row++
	return line
}

// next takes the row at rest and gives its cells, or says why it has none.
func (r *reader) next() (cells []string, wrong string) {
	rec, cells, wrong := r.by(r.sep)
	if r.width > 0 && (wrong != "" || len(cells) != r.width) {
		for _, sep := range []byte(separators) {
			other, more, bad := r.by(sep)
			if bad == "" && (len(more) == r.width || len(cells) <= 1 && len(more) > len(cells) && len(more) <= r.width) {
				rec, cells, wrong = other, more, ""
			}
			if wrong == "" && len(cells) == r.width {
				break
			}
		}
	}
	if wrong == "" && r.width > 0 && len(cells) > r.width && !blank(cells[r.width:]) {
		wrong = "The row has more cells than the heading; is a text with a separator in it not in quotes?"
	}
	if wrong != "" {
		r.line()
		return nil, wrong
	}
	r.rest = r.rest[min(len(rec)+1, len(r.rest)):]
	r.row++
	return cells, ""
}

func blank(cells []string) bool { return strings.TrimSpace(strings.Join(cells, "")) == "" }

// by is the row at rest when sep stands between its cells: its bytes and cells. A
// row that cannot be read, or has too many cells, is looked at again as one line.
func (r *reader) by(sep byte) (rec []byte, cells []string, wrong string) {
	rec, whole := record(r.rest, sep)
	if whole {
		cells, wrong = fields(rec, sep)
		if wrong == "" && (r.width == 0 || len(cells) <= r.width || bytes.IndexByte(rec, '\n') < 0) {
			return rec, cells, ""
		}
	}
	line, _, _ := bytes.Cut(r.rest, []byte("\n"))
	cells, wrong = fields(line, sep)
	return line, cells, wrong
}

// record is the row at the beginning of text without its line end: more than a
// line when a cell in quotes is. It is not whole when such a cell never ends, or
// is too long to be meant.
func record(text []byte, sep byte) (rec []byte, whole bool) {
	start, quoted := true, false // at the start of a cell; in quotes
	for i := 0; i < len(text); i++ {
		if i > maxRecord {
			return nil, false
		}
		b := text[i]
		switch {
		case quoted && b == '"' && i+1 < len(text) && text[i+1] == '"':
			i++
		case quoted:
			quoted = b != '"'
		case b == '\n':
			return text[:i], true
		case start && b == '"':
			quoted, start = true, false
		default:
			start = b == sep
		}
	}
	return text, !quoted
}

// fields are the cells of a row, or what is wrong with its quotation marks.
func fields(rec []byte, sep byte) (cells []string, wrong string) {
	for {
		if len(rec) == 0 || rec[0] != '"' {
			cell, rest, more := bytes.Cut(rec, []byte{sep})
			if bytes.IndexByte(cell, '"') >= 0 {
				return nil, "The row cannot be read: a quotation mark stands inside a text that is not in quotes."
			}
			cells = append(cells, string(cell))
			if !more {
				return cells, ""
			}
			rec = rest
			continue
		}
		cell, rest, ok := unquote(rec[1:])
		if !ok || len(rest) > 0 && rest[0] != sep {
			return nil, "The row cannot be read: a quotation mark is missing or one too many."
		}
		cells = append(cells, cell)
		if len(rest) == 0 {
			return cells, ""
		}
		rec = rest[1:]
	}
}

// unquote is a cell up to its closing quotation mark, and what follows that.
func unquote(b []byte) (cell string, rest []byte, ok bool) {
	for i := 0; i < len(b); i++ {
		switch {
		case b[i] != '"':
		case i+1 < len(b) && b[i+1] == '"':
			i++
		default:
			return strings.ReplaceAll(string(b[:i]), `""`, `"`), b[i+1:], true
		}
	}
	return "", nil, false
}
