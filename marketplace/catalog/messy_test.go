package catalog_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/charmap"
	"pgregory.net/rapid"

	"tiwiza/marketplace/catalog"
)

// messy makes a file as real life does: cells between marks of three kinds, line
// ends of two, letters of two encodings; prices missing or in words, references
// twice, HTML in descriptions, quotation marks left open. It says what becomes of
// each row.
func messy(rows, wide int) (file string, want map[int]catalog.RowVerdict) {
	r := rand.New(rand.NewPCG(5, 8))
	want = map[int]catalog.RowVerdict{}
	var b strings.Builder
	b.WriteString("\uFEFFRéférence;Désignation;Nom arabe;Description;Catégorie;Prix TTC;Quantité;Ville\n")
	text := strings.Repeat("Produit à la main, en petite quantité &amp; avec soin. ", 1+wide/55)
	kinds := []string{"oils", "Miels", "تمور", "Épices"}
	prices := []string{"135,50", "1 210,00 DH", "135.5", "١٢٣٫٥٠", "MAD", "", "gratuit", "12,345,6"}
	for n := range rows {
		row := n + 2
		kind := r.IntN(40)
		price := prices[r.IntN(4)]
		ref := fmt.Sprintf("R%06d", n)
		want[row] = catalog.RowCreated
		if n == 1 { // the first of those that have its reference is as it should be
			kind = 39
		}
		switch kind {
		case 0, 1, 2:
			price = prices[4+r.IntN(4)]
			want[row] = catalog.RowRejected
		case 3:
			ref = "R000001"
			want[row] = catalog.RowRejected
		}
		cells := []string{
			ref, fmt.Sprintf("Produit numero%d", n), "منتوج " + fmt.Sprint(n), fmt.Sprintf("<p>%s</p><br/><b>Numéro %d</b><script>alert('x')</script>", text, n),
			kinds[n%4], price, fmt.Sprintf("%d.0", n%30), "Erfoud",
		}
		line := strings.Join(quoted(cells, ';'), ";")
		switch kind {
		case 4, 5:
			line = strings.Join(quoted(cells, ','), ",")
		case 6:
			line = strings.Join(quoted(cells, '\t'), "\t")
		case 7:
			cells[2] = ""
			line, _ = charmap.Windows1252.NewEncoder().String(strings.Join(quoted(cells, ';'), ";")) // an Arabic category has no letters there
			if line == "" {
				line = strings.Join(quoted(cells, ';'), ";")
			}
		case 8:
			cells[1] = "\"" + cells[1] // never closed
			line = strings.Join(cells, ";")
			want[row] = catalog.RowRejected
		}
		b.WriteString(line)
		b.WriteString([]string{"\n", "\r\n"}[r.IntN(2)])
	}
	return b.String(), want
}

func quoted(cells []string, mark rune) []string {
	out := slices.Clone(cells)
	for i, c := range out {
		if strings.ContainsRune(c, mark) || strings.ContainsAny(c, "\"\n") {
			out[i] = `"` + strings.ReplaceAll(c, `"`, `""`) + `"`
		}
	}
	return out
}

// Twelve megabytes of it are taken in with a verdict for each row, and nothing is
// lost: what is good is found, what is not is told.
func TestAMessyFileOfTwelveMegabytesLosesNothing(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	rows, wide := 3000, 4000
	if testing.Short() {
		rows = 300
	}
	file, want := messy(rows, wide)
	if len(file) < 12<<20 {
		t.Fatalf("the file has %d bytes", len(file))
	}
	dry := m.imports(ourKey, "?dry_run=true", file)
	r := m.imports(ourKey, "", file)
	for _, x := range []catalog.Report{dry, r} {
		m.sums(x)
		got := map[int]catalog.RowVerdict{}
		for _, o := range m.rows(x.ID, "") {
			got[o.Row] = o.Verdict
			if o.Verdict == catalog.RowRejected && len(o.Details) == 0 {
				t.Errorf("row %d is rejected without a word", o.Row)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("dry %v: verdicts (-want +got):\n%s", x.DryRun, diff)
		}
	}
	t.Logf("%d rows, %d created, %d rejected, %.1f MB, encoding %s", r.Rows, r.Created, r.RejectedRows, float64(len(file))/(1<<20), r.Encoding)
	again := m.imports(ourKey, "", file)
	if again.Created != 0 || again.Updated != 0 || again.Unchanged != r.Created {
		t.Errorf("the second run creates %d and updates %d; %d are unchanged, want %d", again.Created, again.Updated, again.Unchanged, r.Created)
	}
	last := 0
	for row, v := range want {
		if v == catalog.RowCreated {
			last = max(last, row)
		}
	}
	l := m.list("q=" + url.QueryEscape(fmt.Sprintf("numero%d", last-2)))
	if len(l.Data) != 1 || l.TotalEstimate != 1 {
		t.Fatalf("the last good row is found %d times", len(l.Data))
	}
	var v catalog.View
	m.json(ourKey, "GET", "/v1/offers/"+l.Data[0].ID, "").as(http.StatusOK, &v)
	if d := v.Descriptions["fr"]; strings.ContainsAny(d, "<>") || strings.Contains(d, "alert") || !strings.Contains(d, "quantité & avec soin") || !strings.HasSuffix(d, fmt.Sprintf("\nNuméro %d", last-2)) {
		t.Errorf("the description is %q", d[max(0, len(d)-200):])
	}
	m.whole()
}

// What the edge refuses of texts, a file does not bring in either.
func TestTextsOfFilesHoldNothingThatNobodySees(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{"Savon\nnoir\t1": true, "زيت\u200cأركان": true, "❤\ufe0f": true, "\u3164": false, "a\u034fb": false, "a\u202eb": false, "a\x01": false, "a\rb": false, "a\u0085b": false, "a\xff": false} {
		if got := catalog.Clean(text); got != want {
			t.Errorf("%+q is kept: %t, want %t", text, got, want)
		}
	}
	_, cells, _, err := catalog.Parse([]byte("category,sku,price,description_fr\ncosmetics,A1,10,<p>Sa&#8203;von&shy; noir&#xFEFF;</p>\n"))
	if err != nil || len(cells) != 1 || cells[0]["description_fr"] != "Savon noir" {
		t.Errorf("a text of a program that writes HTML is %+q, error = %v", cells, err)
	}
}

func TestTextsAreWhatAReaderSees(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"Pressée à froid.":                              "Pressée à froid.",
		"<p>Pressée&nbsp;à <b>froid</b>.</p><p>Bio</p>": "Pressée\u00a0à froid.\nBio",
		"a<br>b<br />c<BR/>d":                           "a\nb\nc\nd",
		"<ul><li>un</li><li>deux</li></ul>":             "un\ndeux",
		"<a href=\"http://x\" onclick='y()'>ici</a>":    "ici",
		"<script>alert(1)</script>Tapis":                "Tapis",
		"<style>p{}":                                    "",
		"<!-- rien -->Tapis":                            "Tapis",
		"1 < 2 et 3 > 2":                                "1 < 2 et 3 > 2",
		"<3 les tapis":                                  "<3 les tapis",
		"tapis <rouge>":                                 "tapis <rouge>",
		"th&eacute; &amp; menthe":                       "thé & menthe",
		"&lt;b&gt;":                                     "<b>",
		"R&D":                                           "R&D",
		"<p dir=rtl>زيت <span>أركان</span></p>":         "زيت أركان",
	} {
		if got := catalog.Prose(in); got != want {
			t.Errorf("%q is read as %q, want %q", in, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		s := strings.TrimSpace(rapid.StringMatching(`([a-z &;<>/é\n]|<b>|&amp;|&lt;|<p>|<script>|&nbsp;|<!--|-->){0,20}`).Draw(t, "text"))
		if got := catalog.Prose(catalog.Marked(s)); got != s {
			t.Fatalf("%q is exported as %q and read as %q", s, catalog.Marked(s), got)
		}
	})
}
