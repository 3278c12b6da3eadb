package catalog

import (
	"errors"
	"fmt"
	"strings"

	"tiwiza/marketplace/catalog/sheet"
)

// A file is a catalogue as a seller sends it: rows, and what its columns are.
type file struct {
	sheet.Table
	columns []Column
	at      map[string]int // cell by column
	batches [][]line       // the rows of one offer are in one batch
	bad     []Outcome      // rows that cannot be read
	rows    int
	twins   map[string][]int // rows by SKU, of those that are there more than once
	shelves shelving         // what the seller calls categories
}

// batchRows is how many rows are taken in at once, or as many more as the last
// offer has.
const batchRows = 400

// mostVariants is how many variants an offer of a file may have.
const mostVariants = 1000

// table reads a file's table.
func table(b []byte) (sheet.Table, error) {
	t, err := sheet.Read(b, known)
	if wrong, ok := errors.AsType[sheet.Error](err); ok {
		return t, ErrUnreadable.At("/", wrong.Sentence)
	}
	return t, err
}

// lay puts the rows of a table, whose columns are known, into batches: those of
// one offer together, in the order in which offers come up. It is the same each
// time, so that what was begun can go on.
func lay(t sheet.Table, all []Column, shelves shelving) *file {
	f := &file{Table: t, columns: all, at: map[string]int{}, twins: map[string][]int{}, shelves: shelves}
	for i, c := range all {
		if c.Column != "" {
			f.at[c.Column] = i
		}
	}
	prosaic := make([]bool, len(all))
	for i, c := range all {
		prosaic[i] = inWords(c.Column)
	}
	groups := map[string]int{}
	var order [][]line
	for i := range t.Rows {
		row := &t.Rows[i]
		if row.Wrong != "" {
			f.bad = append(f.bad, Outcome{Row: row.N, Verdict: RowRejected, Details: []RowDetail{{"/", row.Wrong}}})
			continue
		}
		if !tidied(row.Cells, prosaic) {
			continue
		}
		l := line{row.N, row.Cells, f.at, f}
		f.rows++
		key := l.key()
		at, ok := groups[key]
		if !ok {
			at = len(order)
			groups[key] = at
			order = append(order, nil)
		}
		order[at] = append(order[at], l)
		if sku := l.text("sku"); sku != "" {
			f.twins[sku] = append(f.twins[sku], l.row)
		}
	}
	f.rows += len(f.bad)
	for sku, rows := range f.twins {
		if len(rows) == 1 {
			delete(f.twins, sku)
		}
	}
	var batch []line
	for _, g := range order {
		if batch = append(batch, g...); len(batch) >= batchRows {
			f.batches, batch = append(f.batches, batch), nil
		}
	}
	if len(batch) > 0 {
		f.batches = append(f.batches, batch)
	}
	return f
}

// tidied makes cells the texts they stand for, and says whether any holds
// something.
func tidied(cells []string, prosaic []bool) bool {
	some := false
	for i, c := range cells {
		c = sheet.Plain(c)
		if i < len(prosaic) && prosaic[i] {
			c = prose(c)
		}
		cells[i] = c
		some = some || c != ""
	}
	return some
}

// key is the seller's own key of the row's offer: its SKU when the file has no
// column for that.
func (l line) key() string {
	if _, has := l.at["offer_key"]; has {
		return l.text("offer_key")
	}
	return l.text("sku")
}

// twin is a note on a row whose SKU is in the file again; none when it is not.
func (l line) twin() []RowDetail {
	const few = 5
	var names []string
	rows := l.file.twins[l.text("sku")]
	for _, n := range rows[:min(len(rows), few+1)] {
		if n != l.row && len(names) < few {
			names = append(names, fmt.Sprint(n))
		}
	}
	if len(names) == 0 {
		return nil
	}
	more := ""
	if n := len(rows) - 1 - len(names); n > 0 {
		more = fmt.Sprintf(" and %d more", n)
	}
	return []RowDetail{{"/sku", fmt.Sprintf("The same SKU is in row %s%s; only one of them can be taken.", strings.Join(names, ", "), more)}}
}

// mostWords is how many words for categories an import tells of.
const mostWords = 200

// words are what the cells of the category are taken for that are no names of
// categories, in the order in which they come up. What differs only in what search
// does not see is one word, and what search sees nothing of is none.
func (f *file) words() []CategoryWord {
	out, seen := []CategoryWord{}, map[string]bool{}
	for _, batch := range f.batches {
		for _, l := range batch {
			said := l.text("category")
			word := folded(said)
			if word == "" || seen[word] {
				continue
			}
			seen[word] = true
			code, by := f.shelves.of(said)
			if by == byName || len(said) > longestName {
				continue
			}
			w := CategoryWord{Word: said, By: by}
			if by != "" {
				w.Category = code
			}
			if out = append(out, w); len(out) == mostWords {
				return out
			}
		}
	}
	return out
}

// guessed is a note on a row whose category is only guessed; none when it is not.
func (l line) guessed() []RowDetail {
	said := l.text("category")
	code, by := l.file.shelves.of(said)
	if by != byGuess {
		return nil
	}
	return []RowDetail{{"/category", fmt.Sprintf("%q is taken for %s; if it is something else, say so with category=%s=….", said, code, said)}}
}
