package catalog_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"tiwiza/marketplace/catalog"
)

// A file gives no more rows than it has lines, each once and in its order, by
// the numbers a spreadsheet shows; a cell's text is the file's own; and rows
// that cannot be read say why.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"offer_key,category,sku,price\nA,food,A1,12.50\n",
		"\uFEFFoffer_key;category;sku;price\r\n\r\nA;\"a;b\";A1;12,50\r\n",
		"offer_key\tcategory\tsku\tprice\nA\t=1+1\t\"x\n",
		"offer_key,category,sku,price\n\"a\nb\",c,d,e\n\n\nزيت,٣,٤,٥",
		"offer_key,offer_key,sku,price\n", "a", "", "\x00",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		rows, cells, bad, err := catalog.Parse(file)
		if err != nil {
			if !errors.Is(err, catalog.ErrUnreadable) || len(rows) > 0 {
				t.Fatalf("%v is not ErrUnreadable, or has %d rows", err, len(rows))
			}
			return
		}
		if !utf8.Valid(file) || bytes.IndexByte(file, 0) >= 0 {
			return // what other encodings become is known by their own tests
		}
		most := bytes.Count(file, []byte("\n")) + bytes.Count(file, []byte("\r")) + 1
		if len(rows)+len(bad) > most-1 {
			t.Fatalf("%d rows and %d verdicts of %d lines", len(rows), len(bad), most)
		}
		seen := map[int]bool{}
		for i, row := range rows {
			if row < 2 || row > most || seen[row] {
				t.Fatalf("rows %v of %d lines", rows, most)
			}
			seen[row] = true
			for column, cell := range cells[i] {
				text := strings.ReplaceAll(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(string(file)), `""`, `"`)
				if !utf8.ValidString(cell) || !strings.ContainsAny(text, "<&") && !strings.Contains(text, strings.ReplaceAll(cell, `""`, `"`)) {
					t.Fatalf("%s of row %d is %q, which the file does not say", column, row, cell)
				}
			}
		}
		for row, detail := range bad {
			if row < 2 || row > most || detail == "" || seen[row] {
				t.Fatalf("row %d: %q, of rows %v and %d lines", row, detail, rows, most)
			}
		}
	})
}
