package search_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tiwiza/pkg/auth"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
	"tiwiza/search"
	"tiwiza/search/pgsearch"
)

func TestWhatWasAskedInVainIsReportedAndNobodyNamed(t *testing.T) {
	t.Parallel()
	d := search.NewDesk(pgtest.New(t))
	ctx := auth.With(t.Context(), auth.Hub)
	for range 3 {
		d.Note(search.Asked{Lang: "fr", Query: "  Miel  de THYM ", Found: 7})
		d.Note(search.Asked{Lang: "fr", Query: "théière", Found: 0})
	}
	if err := d.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	d.Note(search.Asked{Lang: "fr", Query: "miel de thym", Found: 0})
	for _, private := range []string{"someone@example.org", "+212 600 00 00 00", "123456", "  ", "\x00"} {
		d.Note(search.Asked{Query: private})
	}
	if err := d.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	all, err := d.Asked(ctx, search.AskedInput{})
	if err != nil {
		t.Fatal(err)
	}
	day := all.Data[0].Last
	want := search.AskedView{Days: 30, Times: 7, Nothing: 4, Data: []search.AskedRow{
		{Query: "miel de thym", Lang: "fr", Times: 4, Nothing: 1, Last: day}, {Query: "théière", Lang: "fr", Times: 3, Nothing: 3, Last: day},
	}}
	if diff := cmp.Diff(want, all); diff != "" {
		t.Errorf("the report (-want +got):\n%s", diff)
	}
	if vain, err := d.Asked(ctx, search.AskedInput{Nothing: true}); err != nil || len(vain.Data) != 2 || vain.Data[0].Query != "théière" {
		t.Errorf("asked in vain: %+v, %v", vain, err)
	}
	for begins, want := range map[string][]string{"mie": {}, "th": {}, "%": nil} {
		if got, err := d.Popular(ctx, begins, 3); err != nil || !cmp.Equal(got, want) {
			t.Errorf("%q is completed to %v (%v), want %v", begins, got, err, want)
		}
	}
	for range 3 {
		d.Note(search.Asked{Lang: "fr", Query: "miel de thym", Found: 7})
	}
	if err := d.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	if got, err := d.Popular(ctx, "Mie", 3); err != nil || !cmp.Equal(got, []string{"miel de thym"}) {
		t.Errorf("mie is completed to %v (%v)", got, err)
	}
}

func TestSynonymsAreTheOperatorsToChange(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	index := pgsearch.Open(db, pgsearch.Options{FacetAge: 1})
	d, ctx := search.NewDesk(db), auth.With(t.Context(), auth.Hub)
	err := db.InTx(ctx, func(tx *pg.Tx) error {
		return index.Put(ctx, tx, search.Document{ID: "off_1", Names: map[string]string{"fr": "Bonnet rouge"}})
	})
	if err != nil {
		t.Fatal(err)
	}
	finds := func(want int) {
		t.Helper()
		if r, err := index.Query(ctx, search.Query{Text: "taguia"}); err != nil || len(r.Hits) != want {
			t.Errorf("taguia finds %v (%v), want %d", r.Hits, err, want)
		}
	}
	finds(0)
	v, err := d.Synonyms(ctx, struct{}{})
	if err != nil || v.Version != 0 || len(v.Groups) < 50 {
		t.Fatalf("the market begins with version %d of %d groups (%v)", v.Version, len(v.Groups), err)
	}
	in := search.SynonymsInput{Groups: append(v.Groups, []string{"bonnet", "taguia", "طاقية"})}
	if v, err = d.SetSynonyms(ctx, in); err != nil || v.Version != 1 || v.SetAt == nil {
		t.Fatalf("set to version %d, %v", v.Version, err)
	}
	finds(1)
	if _, err := d.SetSynonyms(ctx, in); err == nil {
		t.Error("what was read before somebody else's change is written over it")
	}
	in.Version, in.Groups = 1, [][]string{{"bonnet"}}
	if _, err := d.SetSynonyms(ctx, in); !errors.Is(err, search.ErrSynonyms) {
		t.Errorf("a group of one word: %v", err)
	}
	in.Groups = [][]string{{"miel", "عسل"}}
	if v, err = d.SetSynonyms(ctx, in); err != nil || v.Version != 2 {
		t.Fatalf("set to version %d, %v", v.Version, err)
	}
	finds(0)
}

func TestHighlightMarksWordsAndNothingElse(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ query, text, want string }{
		{"huile argan", "Huile d’argane <b>", "<mark>Huile</mark> d’<mark>argane</mark> &lt;b&gt;"},
		{"عسل", "العَسَل الحر", "<mark>العَسَل</mark> الحر"},
		{"hon", "Thyme honey & co", "Thyme <mark>honey</mark> &amp; co"},
		{"miel", "عسل الزعتر", "<mark>عسل</mark> الزعتر"},
		{"<script>", "Tapis <script>", "Tapis &lt;<mark>script</mark>&gt;"},
		{"savon", "Tapis", ""},
	} {
		got := search.Highlight(c.text, search.Parse(c.query, search.NewSynonyms([][]string{{"miel", "عسل"}})))
		if got != c.want {
			t.Errorf("%q in %q: %s, want %s", c.query, c.text, got, c.want)
		}
	}
}
