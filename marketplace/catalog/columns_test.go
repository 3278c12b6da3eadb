package catalog_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tiwiza/marketplace/catalog"
	"tiwiza/marketplace/media"
	"tiwiza/pkg/auth"
)

func TestColumnsAreGuessedCorrectedAndRemembered(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	file := "Réf.;Désignation;Description;Famille;Prix TTC (DH);Qté;Ville;Observations\n" +
		"H1;Huile d’argane;Pressée à froid;Huiles;135,00;5;Taliouine;à revoir\n" +
		"M1;Miel de thym;;عسل;1 210,50 DH;٧;Azrou;\n"
	r := m.imports(ourKey, "?dry_run=true", file)
	if r.Created != 2 || len(r.Rejected) != 0 || r.Separator != ";" {
		t.Fatalf("%+v", r)
	}
	got := map[string]string{}
	for _, c := range r.Columns {
		got[c.Header] = c.Column + " " + c.By
	}
	want := map[string]string{
		"Réf.": "sku guess", "Désignation": "name_fr guess", "Description": "description_fr guess", "Famille": "category guess",
		"Prix TTC (DH)": "price guess", "Qté": "stock guess", "Ville": "commune guess", "Observations": " nobody",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("columns (-want +got):\n%s", diff)
	}
	arabic := "المرجع,اسم المنتج,الفئة,الثمن,المخزون,المدينة\nH1,زيت أركان,زيوت,١٣٥٫٥٠,٣,Taliouine\n"
	if r := m.imports(ourKey, "?dry_run=true", arabic); r.Created != 1 {
		t.Errorf("%+v", r)
	}
	english := "Reference\tProduct name\tNom\tCategory\tUnit price\tQuantity\tCity\nH1\tArgan oil\tHuile\toils\t135\t3\tTaliouine\n"
	if r := m.imports(ourKey, "?dry_run=true", english); r.Created != 1 {
		t.Errorf("%+v", r)
	}

	// What nobody can tell is asked, said once, and known from then on.
	strange := "A,B,C,D,E\nH1,Huile,oils,135,Taliouine\n"
	m.call(ourKey, "POST", "/v1/imports", "text/csv", strange).refused(http.StatusUnprocessableEntity, "catalog.unreadable_file",
		"/A", "/B", "/C", "/D", "/E", "/category", "/sku", "/price")
	say := "?" + url.Values{"map": {"A=sku", "B=name_fr", "C=category", "D=price", "E=commune"}}.Encode()
	if r := m.imports(ourKey, say, strange); r.Created != 1 || r.Columns[0].By != "you" {
		t.Errorf("%+v", r)
	}
	if r := m.imports(ourKey, "", "B,A,C,D,E\nHuile,H1,oils,135,Taliouine\n"); r.Unchanged != 1 || r.Columns[0] != (catalog.Column{Header: "B", Column: "name_fr", By: "memory"}) {
		t.Errorf("%+v", r)
	}
	m.call(otherKey, "POST", "/v1/imports", "text/csv", strange).refused(http.StatusUnprocessableEntity, "catalog.unreadable_file",
		"/A", "/B", "/C", "/D", "/E", "/category", "/sku", "/price")
	m.call(ourKey, "POST", "/v1/imports?map=A", "text/csv", strange).refused(http.StatusUnprocessableEntity, "catalog.invalid", "?map")
	m.call(ourKey, "POST", "/v1/imports?map=A=prise", "text/csv", strange).refused(http.StatusUnprocessableEntity, "catalog.invalid", "?map")
	m.call(ourKey, "POST", "/v1/imports?map=Z=price", "text/csv", strange).refused(http.StatusUnprocessableEntity, "catalog.unreadable_file", "?map")
}

// shelf is the category of the offer that has a row.
func (m *market) shelf(imp string, row int) string {
	m.Helper()
	for _, o := range m.rows(imp, "") {
		if o.Row == row {
			var v catalog.View
			m.json(ourKey, "GET", "/v1/offers/"+o.Offer, "").as(http.StatusOK, &v)
			return v.Category
		}
	}
	m.Fatalf("there is no row %d", row)
	return ""
}

// A category is told as people tell it: what is guessed is said, what the seller
// means is remembered for all its files.
func TestCategoriesAreGuessedCorrectedAndRemembered(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	head := "sku,name_fr,category,price,commune,region\n"
	row := func(n int, category string) string {
		return fmt.Sprintf("K%d,Offre %d,\"%s\",10,Taliouine,MA-09\n", n, n, category)
	}
	said := []struct{ cell, want string }{
		{"oils", "oils"},
		{"زيوت", "oils"},
		{"Huile d’argan", "oils"},
		{"Huiles végétales bio", "oils"},
		{"زيت الزيتون", "oils"},
		{"Olive oil", "oils"},
		{"Olives de table", "preserves"},
		{"Alimentation > Huiles > Huile d'olive", "oils"},
		{"Huile cosmétique", "cosmetics"},
		{"Olive oil soap", "cosmetics"},
		{"Honey", "honey"},
		{"عسل حر", "honey"},
		{"Miel de thym", "honey"},
		{"Tapis berbères", "rugs"},
		{"Wool rugs", "rugs"},
		{"زربية", "rugs"},
		{"3sel", "honey"},
		{"Fromages", "dairy"},
		{"Bijoux en argent", "jewellery"},
	}
	file := head
	for i, c := range said {
		file += row(i, c.cell)
	}
	r := m.imports(ourKey, "", file)
	if r.Created != len(said) || len(r.Rejected) != 0 {
		t.Fatalf("%+v", r)
	}
	for i, c := range said {
		if got := m.shelf(r.ID, i+2); got != c.want {
			t.Errorf("%q is %q, want %q", c.cell, got, c.want)
		}
	}
	notes := map[int][]catalog.RowDetail{}
	for _, o := range m.rows(r.ID, "") {
		notes[o.Row] = o.Details
	}
	if got := notes[4]; len(got) != 1 || got[0].Pointer != "/category" || !strings.Contains(got[0].Detail, "oils") {
		t.Errorf("what is guessed is noted as %v", got)
	}
	if got := notes[2]; len(got) != 0 {
		t.Errorf("what is known is noted as %v", got)
	}

	// What nobody can tell is rejected, said once, and known from then on, whatever the heading.
	odd := head + row(100, "Divers")
	if r := m.imports(ourKey, "", odd); len(r.Rejected) != 1 || r.Rejected[0].Pointer != "/category" || !strings.Contains(r.Rejected[0].Detail, "category=Divers=") {
		t.Errorf("%+v", r)
	}
	if r := m.imports(ourKey, "?category="+url.QueryEscape("Divers=textiles"), odd); r.Created != 1 || m.shelf(r.ID, 2) != "textiles" {
		t.Errorf("%+v", r)
	}
	again := "category,sku,name_fr,price,commune,region\nDIVERS,K101,Offre,10,Taliouine,MA-09\n"
	if r := m.imports(ourKey, "", again); r.Created != 1 || m.shelf(r.ID, 2) != "textiles" {
		t.Errorf("%+v", r)
	}
	if r := m.imports(otherKey, "?dry_run=true", odd); len(r.Rejected) != 1 {
		t.Errorf("another seller's word counts: %+v", r)
	}
	if r := m.imports(ourKey, "?dry_run=true&category="+url.QueryEscape("Divers="), head+row(102, "Divers")); len(r.Rejected) != 1 {
		t.Errorf("a forgotten word counts: %+v", r)
	}
	m.call(ourKey, "POST", "/v1/imports?category=Divers", "text/csv", odd).refused(http.StatusUnprocessableEntity, "catalog.invalid", "?category")
	m.call(ourKey, "POST", "/v1/imports?category=Divers=nothing", "text/csv", odd).refused(http.StatusUnprocessableEntity, "catalog.invalid", "?category")
}

// Whatever a cell holds, its row has a verdict: no file stops its own import.
func TestHostileCellsGetVerdicts(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	long := strings.Repeat("9", 100_000)
	file := "offer_key,category,name_fr,sku,price,stock,commune,label,label_from,attributes,tiers,starts_at,kind,\x02weird" + strings.Repeat("x", 300) + "\n"
	cells := []string{long, "\x01", "\uFFFD", "a|b|c|d|e|f|g|h|i|j|k|l", "=cmd|' /C calc'!A0", "%00", "\u202e", "-1", "1e309", "NaN", "'", "\"\"\"\"", "🧿", "99999999999999999999"}
	n := 0
	for i := range 13 {
		for _, c := range cells {
			row := []string{fmt.Sprintf("h%d", n), "dates", "Dattes", fmt.Sprintf("H%d", n), "10", "1", "Erfoud", "", "", "", "", "", "", ""}
			row[i] = c
			file += strings.Join(row, ",") + "\n"
			n++
		}
	}
	for _, query := range []string{"?dry_run=true", "", ""} {
		r := m.imports(ourKey, query, file)
		m.sums(r)
		if r.Rows != n || r.RejectedRows == 0 || r.RejectedRows == n {
			t.Errorf("%d of %d rows are rejected, want %d rows", r.RejectedRows, r.Rows, n)
		}
		for _, v := range r.Rejected {
			if len(v.Detail) > 2000 {
				t.Errorf("row %d is told in %d bytes", v.Row, len(v.Detail))
			}
		}
	}
	m.whole()
}

// A file may name a recording of its seller, which it then uses, and no other.
func TestAFileNamesRecordingsOfItsSeller(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	mine, theirs := m.sent(ourKey, media.Sound, note("mine")), m.sent(otherKey, media.Sound, note("theirs"))
	file := func(voice string) string {
		return "category,name_fr,sku,price,commune,voice\ndates,Dattes,S1,10,Erfoud," + voice + "\ndates,Dattes,S2,10,Erfoud," + theirs + "\n"
	}
	for _, query := range []string{"?dry_run=true", ""} {
		if diff := cmp.Diff([]string{"3 /voice"}, verdicts(m.imports(ourKey, query, file(mine)))); diff != "" {
			t.Errorf("%q (-want +got):\n%s", query, diff)
		}
	}
	m.json(auth.Key{}, "GET", "/v1/sounds/"+mine, "").as(http.StatusOK, nil)
	if r := m.imports(ourKey, "", file(mine)); r.Unchanged != 1 {
		t.Errorf("%+v", r)
	}
	if r := m.imports(ourKey, "", file("")); r.Updated != 1 {
		t.Errorf("%+v", r)
	}
	m.json(auth.Key{}, "GET", "/v1/sounds/"+mine, "").refused(http.StatusNotFound, "media.not_found")
}

// A reference that all rows have costs no time.
func TestOneReferenceForAllRows(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	var b strings.Builder
	b.WriteString("offer_key,category,name_fr,sku,price,stock,commune\n")
	for i := range 20_000 {
		fmt.Fprintf(&b, "k%d,dates,Dattes,S,10,1,Erfoud\n", i%3)
	}
	r := m.imports(ourKey, "?dry_run=true", b.String())
	if r.Created != 1 || r.RejectedRows != 19_999 || len(r.Rejected) != 10_000 {
		t.Errorf("%d created, %d rejected, %d told", r.Created, r.RejectedRows, len(r.Rejected))
	}
	if got := m.show(r.ID); len(got.Rejected) != 100 {
		t.Errorf("%d are told later", len(got.Rejected))
	}
}
