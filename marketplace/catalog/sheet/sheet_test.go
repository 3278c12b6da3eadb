package sheet_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/charmap"
	utf "golang.org/x/text/encoding/unicode"
	"pgregory.net/rapid"

	"tiwiza/marketplace/catalog/sheet"
)

// names knows the headings of these tests.
func names(head []string) (n int) {
	for _, h := range head {
		if slices.Contains([]string{"ref", "nom", "prix", "texte"}, strings.TrimSpace(h)) {
			n++
		}
	}
	return n
}

func read(t testing.TB, file string) sheet.Table {
	t.Helper()
	got, err := sheet.Read([]byte(file), names)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// rows are a table's, as "number|cell|cell" or "number!" for one that is none.
func rows(t sheet.Table) (out []string) {
	for _, r := range t.Rows {
		if r.Wrong != "" {
			out = append(out, fmt.Sprintf("%d!", r.N))
		} else {
			out = append(out, fmt.Sprintf("%d|%s", r.N, strings.Join(r.Cells, "|")))
		}
	}
	return out
}

const plain = "ref,nom,prix\nA1,Thé à la menthe,12\nA2,شاي بالنعناع,13\n"

func encoded(t testing.TB, e interface {
	String(string) (string, error)
}, s string,
) string {
	t.Helper()
	out, err := e.String(s)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestFilesOfEveryMakeReadTheSame(t *testing.T) {
	t.Parallel()
	want := []string{"2|A1|Thé à la menthe|12", "3|A2|شاي بالنعناع|13"}
	lines := strings.SplitAfter(plain, "\n")
	french := encoded(t, charmap.Windows1252.NewEncoder(), lines[1])
	arabic := encoded(t, charmap.Windows1256.NewEncoder(), lines[2])
	for name, file := range map[string]string{
		"plain":                     plain,
		"byte order mark":           "\uFEFF" + plain,
		"CRLF":                      strings.ReplaceAll(plain, "\n", "\r\n"),
		"CR alone":                  strings.ReplaceAll(plain, "\n", "\r"),
		"line ends of two kinds":    strings.Replace(plain, "\n", "\r\n", 1),
		"semicolons":                strings.ReplaceAll(plain, ",", ";"),
		"tabs":                      strings.ReplaceAll(plain, ",", "\t"),
		"bars":                      strings.ReplaceAll(plain, ",", "|"),
		"quotes":                    `"ref","nom","prix"` + "\n" + `"A1","Thé à la menthe",12` + "\n" + lines[2],
		"UTF-16 little end":         encoded(t, utf.UTF16(utf.LittleEndian, utf.UseBOM).NewEncoder(), plain),
		"UTF-16 big end":            encoded(t, utf.UTF16(utf.BigEndian, utf.UseBOM).NewEncoder(), plain),
		"UTF-16 without a mark":     encoded(t, utf.UTF16(utf.LittleEndian, utf.IgnoreBOM).NewEncoder(), plain),
		"lines of two code pages":   lines[0] + french + arabic,
		"one line in Windows-1252":  lines[0] + french + lines[2],
		"rows with other marks":     lines[0] + strings.ReplaceAll(lines[1], ",", ";") + strings.ReplaceAll(lines[2], ",", "\t"),
		"no line end at the end":    strings.TrimSuffix(plain, "\n"),
		"empty cells at their ends": lines[0] + strings.TrimSuffix(lines[1], "\n") + ",,,\n" + lines[2],
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := read(t, file)
			for i := range got.Rows {
				got.Rows[i].Cells = got.Rows[i].Cells[:min(3, len(got.Rows[i].Cells))]
			}
			if diff := cmp.Diff(want, rows(got)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	got := read(t, "sep=;\nref;nom;prix\nA1;a,b;12\n")
	if diff := cmp.Diff([]string{"3|A1|a,b|12"}, rows(got)); diff != "" {
		t.Errorf("an announced separator (-want +got):\n%s", diff)
	}
}

// A quotation mark that somebody forgot costs its own row only.
func TestAnOpenQuotationMarkLosesNoOtherRow(t *testing.T) {
	t.Parallel()
	got := read(t, "ref,nom,prix\nA1,\"Tapis,10\nA2,Plat,11\nA3,Bol \"bleu\",12\nA4,\"deux\nlignes\",13\nA5,\"fin\" x,14\nA6,ok,15\n\nA7,\"open,16\n")
	if diff := cmp.Diff([]string{"2!", "3|A2|Plat|11", "4!", "5|A4|deux\nlignes|13", "6!", "7|A6|ok|15", "9!"}, rows(got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, r := range got.Rows {
		if r.Wrong != "" && !strings.HasSuffix(r.Wrong, ".") && !strings.HasSuffix(r.Wrong, "?") {
			t.Errorf("row %d: %q is no sentence", r.N, r.Wrong)
		}
	}
}

// However a file is broken, each of its lines is in some row, once and in order.
func TestEveryLineIsInARow(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 30).Draw(t, "lines")
		file := "ref,nom,prix\n"
		for i := range n {
			file += fmt.Sprintf("A%d", i) + rapid.StringOfN(rapid.RuneFrom([]rune(`",;a b`)), 0, 12, -1).Draw(t, "rest") + "\n"
		}
		got, err := sheet.Read([]byte(file), names)
		if err != nil {
			t.Fatal(err)
		}
		last, seen := 1, 0
		for _, r := range got.Rows {
			if r.N <= last {
				t.Fatalf("row %d after %d of\n%s", r.N, last, file)
			}
			last = r.N
			seen++
			seen += strings.Count(strings.Join(r.Cells, ""), "\n")
		}
		if seen != n {
			t.Fatalf("%d of %d lines are in rows of\n%s", seen, n, file)
		}
	})
}

func TestWhatIsNoTableIsRefusedInASentence(t *testing.T) {
	t.Parallel()
	var bomb, lying bytes.Buffer
	z := zip.NewWriter(&bomb)
	w, err := z.Create("xl/worksheets/sheet1.xml")
	if err != nil {
		t.Fatal(err)
	}
	blank := bytes.Repeat([]byte(" "), 1<<20)
	for range 200 {
		if _, err := w.Write(blank); err != nil {
			t.Fatal(err)
		}
	}
	z.Close()
	z = zip.NewWriter(&lying)
	w, _ = z.Create("xl/workbook.xml")
	fmt.Fprint(w, "<workbook><sheets><sheet")
	z.Close()
	for name, file := range map[string][]byte{
		"empty":            nil,
		"blank":            []byte(" \n\r\n"),
		"NUL":              []byte(plain + "\x00"),
		"too large":        bytes.Repeat([]byte("x"), sheet.MaxBytes+1),
		"too many rows":    []byte("ref\n" + strings.Repeat("a\n", sheet.MaxRows+1)),
		"too many columns": []byte(strings.Repeat("a,", 500) + "\n"),
		"an open heading":  []byte("\"a\nb"),
		"old Excel":        []byte("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"),
		"a broken zip":     []byte("PK\x03\x04 and no more"),
		"a zip bomb":       bomb.Bytes(),
		"no workbook":      lying.Bytes(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := sheet.Read(file, names)
			wrong, ok := errors.AsType[sheet.Error](err)
			if !ok || !strings.HasSuffix(wrong.Sentence, ".") {
				t.Errorf("read as %d rows with %v", len(got.Rows), err)
			}
		})
	}
}

// book is a workbook as somebody might have made it.
func book(t testing.TB, fill func(*excelize.File)) []byte {
	t.Helper()
	f := excelize.NewFile()
	defer f.Close()
	fill(f)
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestWorkbooksAreReadAsTheyAreStored(t *testing.T) {
	t.Parallel()
	file := book(t, func(f *excelize.File) {
		sure := func(err error) {
			if err != nil {
				t.Fatal(err)
			}
		}
		_, err := f.NewSheet("Offres")
		sure(err)
		day, err := f.NewStyle(&excelize.Style{NumFmt: 14})
		sure(err)
		sure(f.SetSheetRow("Offres", "A2", &[]any{"ref", "nom", "prix", "depuis"}))
		sure(f.SetSheetRow("Offres", "A3", &[]any{"007", "زيت أركان", 110.1, time.Date(2026, 1, 31, 0, 0, 0, 0, time.UTC)}))
		sure(f.SetCellStyle("Offres", "D3", "D3", day))
		third := 0.1
		sure(f.SetSheetRow("Offres", "A5", &[]any{6111800000000.0, "b", third + 0.2}))
		sure(f.SetCellFormula("Offres", "B6", `=HYPERLINK("http://x","y")`))
		sure(f.SetCellStr("Offres", "A6", "=1+1"))
		sure(f.SetSheetRow("Offres", "A7", &[]any{"long", "b", 1, "d", "e"}))
	})
	got, err := sheet.Read(file, names)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"3|007|زيت أركان|110.1|46053", "5|6111800000000|b|0.30000000000000004|", "6|=1+1|||", "7!"}
	if diff := cmp.Diff(want, rows(got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if at, ok := sheet.Day("46053", false); !ok || at.Format(time.DateOnly) != "2026-01-31" {
		t.Errorf("46053 is %s", at)
	}
	if at, ok := sheet.Day("44591.604166666664", true); !ok || at.Format(time.DateTime) != "2026-01-31 14:30:00" {
		t.Errorf("44591.604… from 1904 is %s", at)
	}
	if _, ok := sheet.Day("250", false); ok {
		t.Error("250 is a day")
	}
}

// Whatever texts are written come back, none begins a formula, and a workbook has
// no formula at all.
func TestWhatIsWrittenReadsBack(t *testing.T) {
	t.Parallel()
	head := []string{"ref", "nom", "prix", "texte"}
	number := func(c string) bool { return c == "prix" }
	cell := rapid.Custom(func(t *rapid.T) string {
		return sheet.Tidy(strings.Map(func(r rune) rune {
			if r < ' ' && r != '\n' && r != '\t' || r >= 0xFFFE {
				return -1
			}
			return r
		}, rapid.OneOf(rapid.String(), rapid.StringMatching(`[=+@'"<,;\n\t -]{0,3}[a-zé زيت]{0,6}[,;"\n]?x?`)).Draw(t, "cell")))
	})
	rapid.Check(t, func(t *rapid.T) {
		var want [][]string
		for i := range rapid.IntRange(1, 5).Draw(t, "rows") {
			want = append(want, []string{fmt.Sprintf("A%d", i), cell.Draw(t, "nom"), fmt.Sprintf("%d.%02d", i, i), cell.Draw(t, "texte")})
		}
		all := func(yield func([]string, error) bool) {
			for _, r := range want {
				if !yield(r, nil) {
					return
				}
			}
		}
		var c, x bytes.Buffer
		if err := errors.Join(sheet.WriteCSV(&c, head, number, all), sheet.WriteXLSX(&x, "offers", head, number, all)); err != nil {
			t.Fatal(err)
		}
		for name, file := range map[string][]byte{"CSV": c.Bytes(), "XLSX": x.Bytes()} {
			got, err := sheet.Read(file, names)
			if err != nil {
				t.Fatal(name, err)
			}
			if diff := cmp.Diff(head, got.Head); diff != "" {
				t.Fatal(name, diff)
			}
			for i, r := range got.Rows {
				for j, cell := range r.Cells {
					if j != 2 && cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
						t.Fatalf("%s: %q is a formula for a spreadsheet", name, cell)
					}
					if name == "CSV" || j != 2 { // a workbook has numbers
						if got := sheet.Plain(cell); got != want[i][j] {
							t.Fatalf("%s: %q came back as %q", name, want[i][j], got)
						}
					}
				}
			}
			if len(got.Rows) != len(want) {
				t.Fatalf("%s: %d rows of %d", name, len(got.Rows), len(want))
			}
		}
		if z, err := zip.NewReader(bytes.NewReader(x.Bytes()), int64(x.Len())); err == nil {
			f, err := z.Open("xl/worksheets/sheet1.xml")
			if err != nil {
				t.Fatal(err)
			}
			var b bytes.Buffer
			_, _ = b.ReadFrom(f)
			if strings.Contains(b.String(), "<f>") {
				t.Fatal("the workbook has a formula")
			}
		}
	})
}

// A hostile file costs no more time than its size allows.
func TestQuotationMarksCostNoTime(t *testing.T) {
	t.Parallel()
	for _, line := range []string{`"` + "\n", `x,"` + "\n", `"""` + "\n", `"a""` + "\n", `""""""` + "\n"} {
		file := "ref,nom,prix\n" + strings.Repeat(line, 90_000)
		began := time.Now()
		if _, err := sheet.Read([]byte(file), names); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took > 20*time.Second {
			t.Errorf("90,000 lines of %q took %s", line, took)
		}
	}
}

// A row says its own number, and those before it are gone through: a few bytes could
// ask for more than anybody waits for.
func TestARowsOwnNumberCostsNoTime(t *testing.T) {
	t.Parallel()
	file := book(t, func(f *excelize.File) {
		for cell, text := range map[string]string{"A1": "ref", "A2": "a"} {
			if err := f.SetCellStr("Sheet1", cell, text); err != nil {
				t.Fatal(err)
			}
		}
	})
	for number, fine := range map[string]bool{"2": true, "1048576": true, "1048577": false, "9223372036854775807": false} {
		var out bytes.Buffer
		w := zip.NewWriter(&out)
		r, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range r.File {
			var b bytes.Buffer
			from, err := part.Open()
			if err != nil {
				t.Fatal(err)
			}
			to, err := w.Create(part.Name)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := b.ReadFrom(from); err != nil {
				t.Fatal(err)
			}
			if _, err := to.Write(bytes.Replace(b.Bytes(), []byte(`<row r="2"`), []byte(`<row r="`+number+`"`), 1)); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		got, err := sheet.Read(out.Bytes(), names)
		if (err == nil) != fine || fine && fmt.Sprint(rows(got)) != "["+number+"|a]" {
			t.Errorf("row %s: read as %v with %v", number, rows(got), err)
		}
	}
}
