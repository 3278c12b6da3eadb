package catalog_test

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"mime/multipart"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tiwiza/marketplace/catalog"
	"tiwiza/pkg/pg"
)

const heading = "offer_key,category,name_fr,name_ar,sku,variant_fr,weight_g,price,stock,commune,label,label_issuer,label_number,label_from,label_to,withdrawal_exempt\n"

const goods = heading +
	"argan,oils,Huile d’argane,زيت أركان,A250,250 ml,480,135.00,5,Taliouine,IGP,SDOQ,EX-1,2024-01-01,2099-01-01,\n" +
	"argan,oils,Huile d’argane,زيت أركان,A500,500 ml,860,255.00,3,Taliouine,IGP,SDOQ,EX-1,2024-01-01,2099-01-01,\n" +
	"medjool,dates,Dattes Majhoul,تمور المجهول,D1,1 kg,1000,110,7,Erfoud,,,,,,perishable\n"

func TestImportLandsAndRunsAgainHarmlessly(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	r := m.imports(ourKey, "", goods)
	if r.Rows != 3 || r.Created != 3 || r.Updated != 0 || len(r.Rejected) != 0 || r.DryRun || r.ID == "" {
		t.Fatalf("report %+v", r)
	}
	m.verify()
	if l := m.list("sort=price"); len(l.Data) != 2 || l.Data[0].Names["ar"] != "تمور المجهول" || l.Data[1].Labels[0].Code != "IGP" {
		t.Fatalf("listed %+v", l.Data)
	}
	version := func() string {
		t.Helper()
		s, err := pg.Value[string](t.Context(), m.db, nil, `select string_agg(ref || version || xmin::text, ' ' order by ref) from catalog.offer`)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	was := version()
	r = m.imports(ourKey, "", goods)
	if r.Created != 0 || r.Updated != 0 || r.Unchanged != 3 || len(r.Rejected) != 0 {
		t.Errorf("report of the second run %+v", r)
	}
	if got := version(); got != was {
		t.Errorf("the second run wrote offers anew: %s, was %s", got, was)
	}
	changed := strings.ReplaceAll(strings.ReplaceAll(goods, "255.00,3", "200.00,9"), "Dattes Majhoul", "Dattes Royales")
	if r = m.imports(ourKey, "", changed); r.Updated != 2 || r.Unchanged != 1 {
		t.Errorf("report of the third run %+v", r)
	}
	if l := m.list("q=royales"); len(l.Data) != 1 {
		t.Errorf("the new name finds %d offers, want 1", len(l.Data))
	}
	m.whole()
}

func TestDryRunWritesNothing(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	r := m.imports(ourKey, "?dry_run=true", goods)
	if !r.DryRun || r.Created != 3 || len(r.Rejected) != 0 {
		t.Errorf("report %+v", r)
	}
	n, err := pg.Value[int](t.Context(), m.db, nil, `select (select count(*) from catalog.offer) + (select count(*) from catalog.variant)
		+ (select count(*) from catalog.import where not dry_run) + (select count(*) from catalog.stock_move) + (select count(*) from search.document)
		+ (select count(*) from search.word) + (select count(*) from catalog.change)`)
	if err != nil || n != 0 {
		t.Errorf("%d rows stand after a dry run (%v), want none", n, err)
	}
}

func TestGoodRowsLandAndBadRowsGetVerdicts(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	file := heading +
		"ok,dates,Dattes,,K1,,500,١٢٣٫٥٠,٧,Erfoud,,,,,,\n" + // 2: Arabic digits
		"a,cars,Dattes,,K2,,500,10,1,Erfoud,,,,,,\n" + // 3
		"b,dates,Dattes,,K3,,500,-5,1,Erfoud,,,,,,\n" + // 4
		"c,dates,Dattes,,K4,,500,1.2345,1,Erfoud,,,,,,\n" + // 5
		"d,dates,Dattes,,K5,,500,\"1,240\",1,Erfoud,,,,,,\n" + // 6
		"e,dates,Dattes,,K6,,500,10,many,Erfoud,,,,,,\n" + // 7
		"f,dates,Dattes,,K7,,500,10,1,Atlantis,,,,,,\n" + // 8
		"ok,dates,Dattes,,K1,,500,10,1,Erfoud,,,,,,\n" + // 9: SKU again
		"g,dates,,,K8,,500,10,1,Erfoud,,,,,,\n" + // 10: no name
		"h,dates,Dattes,,,,500,10,1,Erfoud,,,,,,\n" + // 11: no SKU
		"i,dates,Dattes,,K9,,-1,10,1,Erfoud,,,,,,\n" + // 12
		"j,dates,Dattes,,K10,,500,10,1,Erfoud,AOP,,,yesterday,,\n" + // 13
		"k,dates,Dattes,,K11,,500,10,1,Erfoud,AOP,,,2026-02-01,2026-01-01,\n" + // 14
		"l,dates,Dattes,,K12,,500,10,1,Erfoud,,,,,,never\n" + // 15
		"m,dates,Dattes \"x,,K13,,500,10,1,Erfoud,,,,,,\n" + // 16: a stray quotation mark
		"n,dates,Dattes,,K14,,500,10,1,Erfoud,,,,,,,,,too many\n" + // 17
		"ok,dates,Autre nom,,K15,,500,10,1,Erfoud,,,,,,\n" + // 18: another name for the same offer
		"ok,,,,K16,1 kg,1000,20,2,,,,,,,\n" + // 19: empty cells agree
		",,,,,,,,,,,,,,,\n" + // 20: empty, skipped
		"o,dates,Dattes,,K17,,500,\u200f10,50 DH\u200f,Erfoud,,,,,,\n" + // 21: stock with a word
		"p,dates,Dattes,,K18,,500,\"1 240,50 DH\",1,\u200fErfoud\u200f,,,,,,\n" // 22
	r := m.imports(ourKey, "", file)
	want := []string{
		"3 /category", "4 /price", "5 /price", "6 /price", "7 /stock", "8 /commune", "9 /sku", "10 /name_fr", "11 /sku", "12 /weight_g",
		"13 /label_from", "14 /label_to", "15 /withdrawal_exempt", "16 /", "17 /", "18 /name_fr", "21 /stock",
	}
	if diff := cmp.Diff(want, verdicts(r)); diff != "" {
		t.Errorf("verdicts (-want +got):\n%s", diff)
	}
	for _, v := range r.Rejected {
		if !strings.HasSuffix(v.Detail, ".") && !strings.HasSuffix(v.Detail, "?") {
			t.Errorf("row %d: %q is no sentence", v.Row, v.Detail)
		}
	}
	if r.Created != 3 || r.Rows != 20 {
		t.Errorf("report %+v, want 3 created of 20", r)
	}
	l := m.list("sort=price")
	if len(l.Data) != 2 || l.Data[0].Price.String() != "20.00 MAD" || l.Data[1].Price.String() != "1240.50 MAD" {
		t.Errorf("listed %+v", l.Data)
	}
	m.whole()
}

func TestImportReadsWhatSpreadsheetsWrite(t *testing.T) {
	t.Parallel()
	for name, file := range map[string]string{
		"byte order mark and CRLF": "\uFEFF" + strings.ReplaceAll(goods, "\n", "\r\n"),
		"semicolons":               strings.ReplaceAll(goods, ",", ";"),
		"tabs":                     strings.ReplaceAll(goods, ",", "\t"),
		"direction marks":          strings.ReplaceAll(goods, ",", "\u200f,\u200e"),
		"capitals in the heading":  strings.ToUpper(heading) + strings.TrimPrefix(goods, heading),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMarket(t)
			if r := m.imports(ourKey, "", file); r.Created != 3 || len(r.Rejected) != 0 {
				t.Errorf("report %+v", r)
			}
			if l := m.list("q=Majhoul"); len(l.Data) != 1 || l.Data[0].Names["fr"] != "Dattes Majhoul" {
				t.Errorf("listed %+v", l.Data)
			}
		})
	}
}

func TestImportRefusesWhatIsNoCatalogue(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	for name, c := range map[string]struct {
		file     string
		pointers []string
	}{
		"blank":           {"  \n", []string{"/"}},
		"NUL":             {goods + "\x00", []string{"/"}},
		"unknown column":  {strings.Replace(goods, "price", "prise", 1), []string{"/prise", "/price"}},
		"column twice":    {strings.Replace(goods, "stock", "price", 1), []string{"/price"}},
		"a broken header": {"\"a\nb", []string{"/"}},
	} {
		t.Run(name, func(t *testing.T) {
			answer := m.call(ourKey, "POST", "/v1/imports", "text/csv", c.file)
			answer.T = t
			answer.refused(http.StatusUnprocessableEntity, "catalog.unreadable_file", c.pointers...)
		})
	}
	if a := m.call(ourKey, "POST", "/v1/imports", "text/csv", strings.Repeat("x", 31<<20)); a.status != http.StatusRequestEntityTooLarge {
		t.Errorf("31 MB answer %d: %s", a.status, a.body)
	}
	if a := m.call(ourKey, "POST", "/v1/imports", "image/png", goods); a.status != http.StatusUnsupportedMediaType {
		t.Errorf("a picture answers %d: %s", a.status, a.body)
	}
	m.call(operatorKey, "POST", "/v1/imports", "text/csv", goods).refused(http.StatusUnprocessableEntity, "catalog.invalid", "?seller")
	m.call(operatorKey, "POST", "/v1/imports?seller="+closed, "text/csv", goods).refused(http.StatusForbidden, "catalog.seller_inactive")
	m.call(otherKey, "POST", "/v1/imports?seller="+ours, "text/csv", goods).refused(http.StatusNotFound, "catalog.not_found")
	if n := m.list("").TotalEstimate; n != 0 {
		t.Errorf("%d offers landed, want none", n)
	}
}

func TestImportTakesAForm(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	part, err := w.CreateFormFile("file", "goods.csv")
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(part, goods)
	w.Close()
	var r catalog.Report
	m.call(operatorKey, "POST", "/v1/imports?seller="+others, w.FormDataContentType(), b.String()).as(http.StatusCreated, &r)
	if r.Created != 3 || len(m.list("seller="+others).Data) != 2 {
		t.Errorf("report %+v", r)
	}
}

func TestImportKeepsToItsOwn(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	m.imports(ourKey, "", goods)
	if r := m.imports(otherKey, "", goods); r.Created != 3 || len(r.Rejected) != 0 {
		t.Errorf("another seller's same SKUs: %+v", r)
	}
	v := m.list("seller=" + ours + "&category=dates").Data[0]
	var shown catalog.View
	m.json(ourKey, "GET", "/v1/offers/"+v.ID, "").as(http.StatusOK, &shown)
	if err := m.reserve("ord_a", catalog.Line{Variant: shown.Variants[0].ID, Quantity: 4}); err != nil {
		t.Fatal(err)
	}
	r := m.imports(ourKey, "", heading+
		"medjool,dates,Dattes Majhoul,تمور المجهول,D1,1 kg,1000,110,3,Erfoud,,,,,,perishable\n"+ // fewer than are held
		"other,dates,Dattes,,A250,,1000,110,3,Erfoud,,,,,,\n") // an SKU of another offer
	if diff := cmp.Diff([]string{"2 /stock", "3 /sku"}, verdicts(r)); diff != "" {
		t.Errorf("verdicts (-want +got):\n%s", diff)
	}
	m.json(ourKey, "POST", "/v1/offers/"+v.ID+"/archive", "").as(http.StatusOK, nil)
	r = m.imports(ourKey, "", goods)
	if diff := cmp.Diff([]string{"4 /offer_key"}, verdicts(r)); diff != "" || r.Unchanged != 2 {
		t.Errorf("unchanged %d; verdicts (-want +got):\n%s", r.Unchanged, diff)
	}
	m.whole()
}

func TestExportImportsAgain(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	evil := heading + "evil,oils,\"=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\",@زيت,E1,+33,1,10,1,Taliouine,,,,,,\n" +
		"quoted,oils,'=1+1,,E2,''x,1,10,1,Taliouine,,,,,,\n"
	if r := m.imports(ourKey, "", evil); r.Created != 2 {
		t.Fatalf("report %+v", r)
	}
	m.imports(ourKey, "", goods)
	a := m.json(ourKey, "GET", "/v1/exports/offers.csv", "")
	if a.status != http.StatusOK || !strings.HasPrefix(a.header.Get("Content-Type"), "text/csv") {
		t.Fatalf("%d %s", a.status, a.header)
	}
	rows, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(a.body, []byte("\uFEFF")))).ReadAll()
	if err != nil || len(rows) != 6 {
		t.Fatalf("%d rows (%v), want 6", len(rows), err)
	}
	for _, row := range rows[1:] {
		for i, c := range row {
			if c != "" && strings.ContainsRune("=+-@", rune(c[0])) && rows[0][i] != "lng" {
				t.Errorf("%s is a formula for a spreadsheet: %q", rows[0][i], c)
			}
		}
	}
	if r := m.imports(ourKey, "", string(a.body)); r.Unchanged != 5 || r.Created != 0 || len(r.Rejected) != 0 {
		t.Errorf("the export imports as %+v", r)
	}
	if again := m.json(ourKey, "GET", "/v1/exports/offers.csv", ""); !bytes.Equal(again.body, a.body) {
		t.Errorf("the round trip changed the catalogue:\n%s\n%s", a.body, again.body)
	}
	if diff := cmp.Diff("=HYPERLINK(\"http://x\",\"y\")", m.list("q=hyperlink").Data[0].Names["fr"]); diff != "" {
		t.Errorf("the name (-want +got):\n%s", diff)
	}
}

// The time of a row does not grow with how many there are.
func TestThousandsOfRowsLandInLittleTime(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	landing := func(mark string, n int) time.Duration {
		var b strings.Builder
		b.WriteString(heading)
		for i := range n {
			fmt.Fprintf(&b, "%s%d,dates,Dattes numéro %d,تمور رقم %d,%s-%d,1 kg,1000,%d.50,%d,Erfoud,IGP,SDOQ,EX,2024-01-01,2099-01-01,\n", mark, i, i, i, mark, i, 10+i%90, 1+i%50)
		}
		start := time.Now()
		r := m.imports(ourKey, "", b.String())
		took := time.Since(start)
		if r.Created != n || len(r.Rejected) != 0 {
			t.Errorf("created %d, rejected %v", r.Created, r.Rejected[:min(len(r.Rejected), 3)])
		}
		t.Logf("%d rows in %s", n, took)
		return took
	}
	landing("w", 50) // plans are made
	few, many := landing("f", 500), landing("m", 5000)
	if many > 40*few { // ten times as many, which may meet a busier machine
		t.Errorf("500 rows took %s and 5,000 took %s", few, many)
	}
}

func TestDemonstrationMarketImportsWhole(t *testing.T) {
	t.Parallel()
	file, err := os.ReadFile("../../cmd/hub/demo/offers.csv")
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(file)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	m := newMarket(t)
	sellers := map[string][][]string{}
	for _, r := range rows[1:] {
		sellers[r[0]] = append(sellers[r[0]], r)
	}
	for _, key := range keys(sellers) {
		var b bytes.Buffer
		w := csv.NewWriter(&b)
		if err := w.WriteAll(append([][]string{rows[0]}, sellers[key]...)); err != nil {
			t.Fatal(err)
		}
		r := m.imports(ourKey, "", b.String())
		if r.Created != len(sellers[key]) || len(r.Rejected) != 0 {
			t.Errorf("%s: %d of %d rows landed: %v", key, r.Created, len(sellers[key]), r.Rejected)
		}
	}
	if l := m.list("q=argan"); len(l.Data) == 0 || !slices.ContainsFunc(l.Data, func(c catalog.CardView) bool { return c.Image != nil }) {
		t.Errorf("argan finds %d offers, none with a picture", len(l.Data))
	}
}

// An export is the whole of what an import takes, so importing it changes
// nothing: no label is lost, no draft is published, no version made.
func TestImportingOnesOwnExportChangesNothing(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	var v catalog.View
	two := strings.Replace(create, `"labels":[`, `"labels":[{"code":"Bio","issuer":"Autre (exemple)","valid_from":"2026-02-01"},`, 1)
	m.json(ourKey, "POST", "/v1/offers", two).as(http.StatusCreated, &v)
	export := func() string { return string(m.json(ourKey, "GET", "/v1/exports/offers.csv", "").body) }
	was := export()
	if r := m.imports(ourKey, "", was); len(r.Rejected) != 0 || r.Created != 0 {
		t.Fatalf("report %+v", r)
	}
	var now catalog.View
	m.json(ourKey, "GET", "/v1/offers/"+v.ID, "").as(http.StatusOK, &now)
	if diff := cmp.Diff(v, now); diff != "" {
		t.Errorf("the offer changed (-was +is):\n%s", diff)
	}
	if got := export(); got != was {
		t.Errorf("the export changed:\n%s\n%s", was, got)
	}
}

func TestWhatBuyersReadMakesAVersionAndStockDoesNot(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	version := func() (n int) {
		t.Helper()
		n, err := pg.Value[int](t.Context(), m.db, nil, `select version from catalog.offer where ref = 'argan'`)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	for _, c := range []struct {
		file string
		want int
	}{
		{goods, 1},
		{goods, 1},
		{strings.ReplaceAll(goods, "255.00,3", "255.00,9"), 1},
		{strings.ReplaceAll(goods, "255.00,3", "250.00,9"), 2},
		{strings.ReplaceAll(goods, "255.00,3,Taliouine,IGP,SDOQ,EX-1", "250.00,9,Taliouine,Bio,SDOQ,EX-2"), 3},
		{strings.ReplaceAll(goods, "255.00,3,Taliouine,IGP,SDOQ,EX-1", "250.00,9,Taliouine,Bio,SDOQ,EX-2"), 3},
	} {
		if r := m.imports(ourKey, "", c.file); len(r.Rejected) > 0 {
			t.Fatalf("%+v", r)
		}
		if got := version(); got != c.want {
			t.Errorf("version %d, want %d after\n%s", got, c.want, c.file)
		}
	}
}

func TestWhatCouldBeReadInTwoWaysIsRefused(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	const row = "two,oils,Huile,زيت,T%d,1 l,480,\"%s\",5,Taliouine,,,,,,\n"
	for i, p := range []string{"12,5.00", "1,24.50", "1.2.3,50", "1,2,3.00"} {
		if diff := cmp.Diff([]string{"2 /price"}, verdicts(m.imports(ourKey, "?dry_run=true", heading+fmt.Sprintf(row, i, p)))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", p, diff)
		}
	}
	for i, p := range []string{"1,240.50", "1.240,50", "1 240,50", "12,5"} {
		if r := m.imports(ourKey, "?dry_run=true", heading+fmt.Sprintf(row, i, p)); len(r.Rejected) != 0 {
			t.Errorf("%s: %+v", p, r.Rejected)
		}
	}
	const stocked = "two,oils,Huile,زيت,S%d,1 l,480,12,\"%s\",Taliouine,,,,,,\n"
	for i, n := range []string{"1,000", "1.000", "١٬٠٠٠,٠٠٠", "2.000.000", "-3"} {
		r := m.imports(ourKey, "?dry_run=true", heading+fmt.Sprintf(stocked, i, n))
		if diff := cmp.Diff([]string{"2 /stock"}, verdicts(r)); diff != "" {
			t.Errorf("a stock of %s (-want +got):\n%s", n, diff)
		}
	}
	for i, n := range []string{"1 000", "12.0", "12,00", "12.", "7.000000"} {
		if r := m.imports(ourKey, "?dry_run=true", heading+fmt.Sprintf(stocked, i, n)); len(r.Rejected) != 0 {
			t.Errorf("a stock of %s: %+v", n, r.Rejected)
		}
	}
	for _, deg := range []string{"0x1p5", "3_4", "inf"} {
		file := "offer_key,category,name_fr,sku,price,stock,commune,lat,lng\nx,oils,Huile,X1,10,1,Taliouine," + deg + ",-9\n"
		if r := m.imports(ourKey, "?dry_run=true", file); len(r.Rejected) == 0 {
			t.Errorf("the latitude %s is taken", deg)
		}
	}
}

func TestVerdictsNameTheRowOfTheSheet(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	file := heading + "\n\nbad,oils,Huile,زيت,B1,1 l,480,free,5,Taliouine,,,,,,\n"
	if diff := cmp.Diff([]string{"4 /price"}, verdicts(m.imports(ourKey, "?dry_run=true", file))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAFileOfTooManyRowsIsRefusedWhole(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	file := heading + strings.Repeat("a,oils,Huile,,b,,1,1,1,Rabat,,,,,,\n", 100_001)
	m.call(ourKey, "POST", "/v1/imports?dry_run=true", "text/csv", file).refused(http.StatusUnprocessableEntity, "catalog.unreadable_file", "/")
}
