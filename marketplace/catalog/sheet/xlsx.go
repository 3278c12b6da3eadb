package sheet

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"
)

// readXLSX reads the first sheet of a workbook that has anything on it. Cells are
// taken as they are stored: of a formula what it last gave. How much a workbook
// may unpack to is bounded, and what is large is unpacked on disk.
func readXLSX(file []byte) (t Table, err error) {
	t.Form = XLSX
	defer func() {
		if p := recover(); p != nil { // what hands made of XML may be anything
			t, err = Table{}, refuse("The workbook is damaged; open it in a spreadsheet and save it anew.")
		}
	}()
	book, err := excelize.OpenReader(bytes.NewReader(file), excelize.Options{UnzipSizeLimit: maxXML, UnzipXMLSizeLimit: 16 << 20, RawCellValue: true})
	if err != nil {
		if strings.Contains(err.Error(), "unzip size exceeds") {
			return Table{}, refuse("The workbook unpacks to more than %d MB; split it.", maxXML>>20)
		}
		return Table{}, refuse("The workbook cannot be opened; save it as «Excel workbook (.xlsx)» without a password.")
	}
	defer func() { err = errors.Join(err, book.Close()) }()
	if p, err := book.GetWorkbookProps(); err == nil && p.Date1904 != nil {
		t.Epoch1904 = *p.Date1904
	}
	rows := 0
	for _, name := range book.GetSheetList() {
		if err := t.fill(book, name, &rows); err != nil {
			return Table{}, err
		}
		if t.Head != nil {
			return t, nil
		}
	}
	return Table{}, refuse("The workbook is empty.")
}

// fill reads a sheet: its first row with anything in it is the heading. passed is how
// many rows of the workbook were gone through, empty ones too: a row says its own
// number, and those between are gone through one by one.
func (t *Table) fill(book *excelize.File, name string, passed *int) error {
	rows, err := book.Rows(name)
	if err != nil {
		return refuse("The sheet %q cannot be read; save the workbook anew.", name)
	}
	defer rows.Close()
	size := 0
	for n := 1; rows.Next(); n++ {
		if *passed++; *passed > maxPassed {
			return refuse("The workbook has more than %d rows, empty ones among them; delete those, or save the sheet as «CSV UTF-8».", maxPassed)
		}
		cells, err := rows.Columns()
		if err != nil {
			return refuse("Row %d of the sheet %q cannot be read; save the workbook anew.", n, name)
		}
		for len(cells) > 0 && strings.TrimSpace(cells[len(cells)-1]) == "" {
			cells = cells[:len(cells)-1]
		}
		for _, c := range cells {
			size += len(c)
		}
		switch {
		case len(cells) == 0:
			continue
		case size > maxText:
			return refuse("The texts of the workbook are larger than %d MB; split it.", maxText>>20)
		case len(cells) > maxWidth:
			return refuse("The sheet %q has more than %d columns.", name, maxWidth)
		case t.Head == nil:
			t.Head = cells
			continue
		case len(t.Rows) >= MaxRows:
			return refuse("The file has more than %d rows; split it.", MaxRows)
		}
		r := Row{N: n, Cells: cells}
		if len(cells) > len(t.Head) {
			r = Row{N: n, Wrong: "The row has more cells than the heading."}
		}
		for len(r.Cells) > 0 && len(r.Cells) < len(t.Head) { // what a workbook does not store is empty, and said
			r.Cells = append(r.Cells, "")
		}
		t.Rows = append(t.Rows, r)
	}
	if err := rows.Error(); err != nil {
		return refuse("The sheet %q cannot be read to its end; save the workbook anew.", name)
	}
	return nil
}

// Day is the moment that a spreadsheet's number of days stands for, as the clock
// on the wall shows it; false for anything that is none between 1982 and 2173.
func Day(cell string, epoch1904 bool) (time.Time, bool) {
	days, err := strconv.ParseFloat(cell, 64)
	if err != nil || strings.Trim(cell, "0123456789.") != "" {
		return time.Time{}, false
	}
	if epoch1904 {
		days += 1462
	}
	if days < 30_000 || days > 99_999 {
		return time.Time{}, false
	}
	seconds := int64(days*86_400 + 0.5)
	return time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC).Add(time.Duration(seconds) * time.Second), true
}

// Rows are what is written: each the cells of a row.
type Rows = iter.Seq2[[]string, error]

// WriteXLSX writes a workbook with one sheet. Columns that number names hold
// numbers; all else is text, defused in case it is saved as CSV.
func WriteXLSX(w io.Writer, name string, head []string, number func(column string) bool, rows Rows) (err error) {
	book := excelize.NewFile()
	defer func() { err = errors.Join(err, book.Close()) }()
	if err := book.SetSheetName(book.GetSheetName(0), name); err != nil {
		return fmt.Errorf("name the sheet: %w", err)
	}
	out, err := book.NewStreamWriter(name)
	if err != nil {
		return fmt.Errorf("begin a sheet: %w", err)
	}
	line := make([]any, len(head))
	for i, h := range head {
		line[i] = h
	}
	if err := out.SetRow("A1", line); err != nil {
		return fmt.Errorf("write the heading: %w", err)
	}
	n := 1
	for cells, err := range rows {
		if err != nil {
			return err
		}
		n++
		for i, c := range cells {
			line[i] = cell(c, number(head[i]))
		}
		if err := out.SetRow("A"+strconv.Itoa(n), line); err != nil {
			return fmt.Errorf("write row %d: %w", n, err)
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("end a sheet: %w", err)
	}
	return book.Write(w)
}

// cell is what a workbook stores of a text. A number is stored as one only when
// it is read back the same.
func cell(s string, number bool) any {
	if s == "" {
		return nil
	}
	if number {
		if f, err := strconv.ParseFloat(s, 64); err == nil && len(s) <= 15 {
			return f
		}
	}
	return Defuse(s)
}
