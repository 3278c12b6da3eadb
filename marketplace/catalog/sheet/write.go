package sheet

import (
	"encoding/csv"
	"io"
)

// WriteCSV writes a CSV file that spreadsheets of any language read: in UTF-8
// with a byte order mark, texts defused. Columns that number names are numbers.
func WriteCSV(w io.Writer, head []string, number func(column string) bool, rows Rows) error {
	if _, err := io.WriteString(w, "\uFEFF"); err != nil { // without it, Arabic is misread
		return err
	}
	out := csv.NewWriter(w)
	if err := out.Write(head); err != nil {
		return err
	}
	line := make([]string, len(head))
	for cells, err := range rows {
		if err != nil {
			return err
		}
		for i, c := range cells {
			if line[i] = c; !number(head[i]) {
				line[i] = Defuse(c)
			}
		}
		if err := out.Write(line); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}
