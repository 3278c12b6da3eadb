// Package sheet reads and writes the tables that people keep in spreadsheets:
// CSV as programs of many makers save it, and XLSX. It knows nothing of what the
// columns mean. Nothing that it reads is ever calculated, and nothing that it
// writes is a formula.
package sheet

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
)

// The limits of what is read.
const (
	MaxBytes  = 30 << 20 // of a file
	MaxRows   = 100_000
	maxRecord = 128 << 10 // of a row of a CSV file
	maxText   = 96 << 20  // of all cells of a workbook
	maxXML    = 192 << 20 // of an unpacked workbook
	maxWidth  = 400       // columns
	maxPassed = 1 << 20   // rows of a workbook with the empty ones: as many as a sheet has
)

// A Table is what a file says: a heading, and rows in their order.
type Table struct {
	Head      []string
	Rows      []Row
	Form      Form
	Encoding  string // of a CSV file
	Separator string // of a CSV file
	Epoch1904 bool   // days of a workbook count from 1904
}

// A Form is a kind of file.
type Form string

// The forms.
const (
	CSV  Form = "csv"
	XLSX Form = "xlsx"
)

// A Row is one row of a file, by the number that a spreadsheet shows. Of one that
// cannot be read Wrong says why, and there are no cells.
type Row struct {
	N     int
	Cells []string
	Wrong string
}

// An Error says in a sentence why a file is no table.
type Error struct{ Sentence string }

// Error is the sentence.
func (e Error) Error() string { return "sheet: " + e.Sentence }

func refuse(format string, args ...any) error { return Error{fmt.Sprintf(format, args...)} }

// Read reads a file of either form, told by its bytes. known says how many cells
// of a heading it knows, by which the separator of a CSV file is found.
func Read(file []byte, known func(head []string) int) (Table, error) {
	switch {
	case len(file) > MaxBytes:
		return Table{}, refuse("The file is larger than %d MB; split it.", MaxBytes>>20)
	case bytes.HasPrefix(file, []byte("PK\x03\x04")):
		return readXLSX(file)
	case bytes.HasPrefix(file, []byte("\xD0\xCF\x11\xE0")):
		return Table{}, refuse("This is an old or a protected Excel file; save it as «Excel workbook (.xlsx)» without a password, or as «CSV UTF-8».")
	}
	return readCSV(file, known)
}

// Tidy drops what cannot be seen around and inside a text: spaces at the ends,
// direction marks, byte order marks.
func Tidy(s string) string {
	for _, r := range s {
		if r == '\r' || r >= 0x80 && r != '\u200c' && r != '\u200d' && unicode.Is(unicode.Cf, r) {
			s = strings.Map(func(r rune) rune {
				switch {
				case r == '\u200c' || r == '\u200d': // joiners are part of words
					return r
				case r == '\r' || unicode.Is(unicode.Cf, r):
					return -1
				}
				return r
			}, s)
			break
		}
	}
	return strings.TrimSpace(s)
}

// formula are the signs at which spreadsheets begin to calculate.
const formula = "=+-@\t\r\x00"

// Defuse makes a text that a spreadsheet will not take for a formula.
func Defuse(s string) string {
	if s != "" && strings.IndexByte(formula, s[0]) >= 0 || strings.HasPrefix(s, "'") {
		return "'" + s
	}
	return s
}

// Plain is a cell as a text: without what cannot be seen, without what Defuse put
// on, and without the ="…" by which programs keep others from reading a text as a
// number.
func Plain(cell string) string {
	s := Tidy(cell)
	switch {
	case len(s) > 1 && s[0] == '\'' && (strings.IndexByte(formula, s[1]) >= 0 || s[1] == '\''):
		return s[1:]
	case len(s) > 3 && strings.HasPrefix(s, `="`) && strings.IndexByte(s[2:], '"') == len(s)-3:
		return Tidy(s[2 : len(s)-1])
	}
	return s
}
