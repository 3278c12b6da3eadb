package catalog

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"tiwiza/pkg/money"

	"tiwiza/pkg/latin"
)

// columns of a catalogue file, in the order an export writes them. seller_key
// is for files of several sellers, which are split before they are imported.
var columns = []string{
	"seller_key", "offer_key", "category", "name_fr", "name_ar", "name_en", "description_fr", "description_ar", "description_en",
	"sku", "variant_fr", "variant_ar", "unit", "weight_g", "price", "stock", "region", "commune", "lat", "lng",
	"label", "label_issuer", "label_number", "label_from", "label_to", "withdrawal_exempt", "image",
	"kind", "way", "name_zgh", "description_zgh", "attributes", "claims", "voice",
	"net_quantity", "net_unit", "tiers", "policy", "lead_days", "weekly", "starts_at", "minutes",
}

// ofVariant are the columns that may differ between the rows of one offer.
var ofVariant = []string{
	"seller_key", "offer_key", "sku", "variant_fr", "variant_ar", "unit", "weight_g", "price", "stock",
	"net_quantity", "net_unit", "tiers", "policy", "lead_days", "weekly", "starts_at", "minutes",
	"label", "label_issuer", "label_number", "label_from", "label_to",
}

// needed columns; without one of them the file says too little.
var needed = []string{"offer_key", "category", "sku", "price"}

const (
	maxFile      = 10 << 20
	maxRows      = 20_000
	keptVerdicts = 1000
)

// A line is one row of a file: its cells by column, and where it stands.
type line struct {
	row   int
	cells map[string]string
}

// parse reads a file into lines, and verdicts on rows that are none. It takes
// commas, semicolons or tabs, with or without a byte order mark.
func parse(file []byte) ([]line, []Verdict, error) {
	file = bytes.TrimPrefix(file, []byte("\uFEFF"))
	switch {
	case len(bytes.TrimSpace(file)) == 0:
		return nil, nil, ErrUnreadable.At("/", "The file is empty.")
	case len(file) > maxFile:
		return nil, nil, ErrUnreadable.At("/", "The file is larger than 10 MB; split it.")
	case bytes.IndexByte(file, 0) >= 0:
		return nil, nil, ErrUnreadable.At("/", "This is no CSV file: it holds NUL bytes. Save it as «CSV UTF-8».")
	case !utf8.Valid(file):
		return nil, nil, ErrUnreadable.At("/", "The file is not in UTF-8, so its letters cannot be read. Save it as «CSV UTF-8».")
	}
	r := csv.NewReader(bytes.NewReader(file))
	r.Comma = separator(file)
	r.FieldsPerRecord = -1
	head, err := r.Read()
	if err != nil {
		return nil, nil, ErrUnreadable.At("/", "The heading cannot be read: "+reason(err))
	}
	if err := heading(head); err != nil {
		return nil, nil, err
	}
	var lines []line
	var bad []Verdict
	for row := 2 + blank(file); ; row++ {
		from := r.InputOffset()
		row += blank(file[from:])
		cells, err := r.Read()
		switch {
		case errors.Is(err, io.EOF):
			return lines, bad, nil
		case len(lines)+len(bad) >= maxRows:
			return nil, nil, ErrUnreadable.At("/", "The file has more than 20,000 rows; split it.")
		case err != nil:
			bad = append(bad, Verdict{row, "/", "The row cannot be read: " + reason(err)})
		case len(cells) > len(head):
			bad = append(bad, Verdict{row, "/", "The row has more cells than the heading; is a text with a separator in it not in quotes?"})
		default:
			if l := (line{row, map[string]string{}}); l.fill(head, cells) {
				lines = append(lines, l)
			}
		}
	}
}

// blank counts the empty lines ahead, which encoding/csv passes over and
// spreadsheets number.
func blank(rest []byte) (n int) {
	for len(rest) > 0 {
		line, after, _ := bytes.Cut(rest, []byte("\n"))
		if len(bytes.TrimSuffix(line, []byte("\r"))) > 0 {
			return n
		}
		rest, n = after, n+1
	}
	return n
}

// reason says in plain words what encoding/csv found.
func reason(err error) string {
	switch {
	case errors.Is(err, csv.ErrBareQuote):
		return "a quotation mark stands inside a text that is not in quotes."
	case errors.Is(err, csv.ErrQuote):
		return "a quotation mark is missing or one too many."
	}
	return err.Error()
}

// separator is the one that the heading uses.
func separator(file []byte) rune {
	first, _, _ := bytes.Cut(file, []byte("\n"))
	best := ','
	for _, c := range ";\t" {
		if bytes.ContainsRune(first, c) && bytes.Count(first, []byte(string(c))) > bytes.Count(first, []byte(string(best))) {
			best = c
		}
	}
	return best
}

// heading checks the names of the columns and tidies them.
func heading(head []string) error {
	err := ErrUnreadable
	for i, name := range head {
		head[i] = strings.ToLower(tidy(name))
		switch {
		case head[i] == "" || !slices.Contains(columns, head[i]):
			err = err.At("/"+head[i], "This column is not known; the columns are "+strings.Join(columns, ", ")+".")
		case slices.Contains(head[:i], head[i]):
			err = err.At("/"+head[i], "This column is there twice.")
		}
	}
	for _, name := range needed {
		if !slices.Contains(head, name) {
			err = err.At("/"+name, "This column is missing.")
		}
	}
	if len(err.Details) > 0 {
		return err
	}
	return nil
}

// fill takes the cells over and says whether any holds something.
func (l line) fill(head, cells []string) bool {
	some := false
	for i, c := range cells {
		c = undefuse(tidy(c))
		l.cells[head[i]] = c
		some = some || c != ""
	}
	return some
}

// tidy drops what cannot be seen around and inside a text: spaces at the ends,
// direction marks, byte order marks.
func tidy(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\u200c' || r == '\u200d': // joiners are part of words
			return r
		case r == '\r':
			return -1
		case unicode.Is(unicode.Cf, r):
			return -1
		}
		return r
	}, s)
	return strings.TrimSpace(s)
}

// formula are the signs at which spreadsheets begin to calculate.
const formula = "=+-@\t\r"

// defuse makes a text that a spreadsheet will not take for a formula.
func defuse(s string) string {
	if s != "" && strings.ContainsRune(formula, rune(s[0])) || strings.HasPrefix(s, "'") {
		return "'" + s
	}
	return s
}

// undefuse takes off what defuse put on.
func undefuse(s string) string {
	if len(s) > 1 && s[0] == '\'' && (strings.ContainsRune(formula, rune(s[1])) || s[1] == '\'') {
		return s[1:]
	}
	return s
}

// digits turns Arabic and Persian digits and signs into those of programs, and
// drops spaces within numbers.
func digits(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '٫':
			return ','
		case r == '٬' || unicode.IsSpace(r):
			return -1
		case r == '−':
			return '-'
		}
		return latin.Digit(r)
	}, s)
}

// thousands are whole numbers in groups of three digits.
var thousands = regexp.MustCompile(`^[0-9]{1,3}([.,][0-9]{3})+$`)

var currencyWord = regexp.MustCompile(`(?i)(mad|dhs?|درهم|د\.م\.?)\.?$`)

// price reads a price in dirhams: 135, 135.50, 135,50, 1 240,50, ١٣٥٫٥٠. What
// could be read in two ways is refused.
func price(s string) (money.Money, string) {
	if s == "" {
		return money.Money{}, "Give the price in dirhams, as 135.50."
	}
	n := currencyWord.ReplaceAllString(digits(s), "")
	dot, comma := strings.LastIndexByte(n, '.'), strings.LastIndexByte(n, ',')
	switch {
	case dot >= 0 && comma >= 0 && !thousands.MatchString(n[:max(dot, comma)]): // 12,5.00
		return money.Money{}, strconv.Quote(s) + " is not a price: it is in dirhams with at most two decimals, as 135.50."
	case dot >= 0 && comma > dot && strings.Count(n, ",") == 1: // 1.240,50
		n = strings.ReplaceAll(strings.ReplaceAll(n, ".", ""), ",", ".")
	case comma >= 0 && dot > comma && strings.Count(n, ".") == 1: // 1,240.50
		n = strings.ReplaceAll(n, ",", "")
	case comma >= 0 && dot < 0:
		if strings.Count(n, ",") > 1 || len(n)-comma-1 > 2 {
			return money.Money{}, "Is the comma in " + strconv.Quote(s) + " for thousands or for centimes? Write the price as 1240.50."
		}
		n = strings.Replace(n, ",", ".", 1)
	}
	if w, frac, _ := strings.Cut(n, "."); len(w) > 1 && w[0] == '0' || n != "" && n[len(n)-1] == '.' || len(frac) > 2 {
		return money.Money{}, strconv.Quote(s) + " is not a price: it is in dirhams with at most two decimals, as 135.50."
	}
	m, err := money.Parse(n, money.MAD)
	if err != nil {
		return money.Money{}, strconv.Quote(s) + " is not a price: it is in dirhams with at most two decimals, as 135.50."
	}
	if m.Sign() <= 0 {
		return money.Money{}, "The price must be above 0."
	}
	return m, ""
}

// whole reads a whole number.
func whole(s string) (int, bool) {
	n, err := strconv.Atoi(digits(s))
	return n, err == nil
}

// degrees reads a latitude or longitude.
func degrees(s string) (*float64, bool) {
	if s == "" {
		return nil, true
	}
	s = strings.Replace(digits(s), ",", ".", 1)
	n, err := strconv.ParseFloat(s, 64)
	return &n, err == nil && !strings.ContainsAny(s, "xXeEpP_nN") // Go's own ways of writing numbers
}
