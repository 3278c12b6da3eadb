// Package searchconform is the contract of search.Index as tests that every
// engine passes.
package searchconform

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tiwiza/pkg/pg"
	"tiwiza/search"
)

// A Fixture is an engine over an empty index.
type Fixture struct {
	DB    *pg.Store
	Index search.Index
	// Settle waits until what was put is found, and facets and estimates are as of
	// now.
	Settle func()
}

// Run checks an engine. open gives each test a fixture of its own.
func Run(t *testing.T, open func(t *testing.T) Fixture) {
	for name, test := range map[string]func(*testing.T, *bench){
		"FindsInEveryLanguage":       findsInEveryLanguage,
		"FindsUnfinishedWords":       findsUnfinishedWords,
		"FindsMistypedWords":         findsMistypedWords,
		"MoreWordsComeFirst":         moreWordsComeFirst,
		"RareWordsAreNotDrowned":     rareWordsAreNotDrowned,
		"WhatCanBeHadIsNotDrowned":   whatCanBeHadIsNotDrowned,
		"NamesWeighMost":             namesWeighMost,
		"Filters":                    filters,
		"Sorts":                      sorts,
		"MeasuresDistance":           measuresDistance,
		"CountsFacets":               countsFacets,
		"PagesWithoutHolesOrRepeats": pagesWithoutHolesOrRepeats,
		"RefusesForeignCursors":      refusesForeignCursors,
		"UpdatesAreSeen":             updatesAreSeen,
		"RemovedIsGone":              removedIsGone,
		"OneScriptFindsTheOthers":    oneScriptFindsTheOthers,
		"WhatCanBeHadComesFirst":     whatCanBeHadComesFirst,
		"RollbackLeavesNothing":      rollbackLeavesNothing,
		"OddTextsAreHarmless":        oddTextsAreHarmless,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, &bench{t, open(t)})
		})
	}
}

// bench is what the tests work with.
type bench struct {
	*testing.T
	Fixture
}

func (b *bench) put(docs ...search.Document) {
	b.Helper()
	err := b.DB.InTx(b.Context(), func(tx *pg.Tx) error { return b.Index.Put(b.Context(), tx, docs...) })
	if err != nil {
		b.Fatal(err)
	}
	b.Settle()
}

func (b *bench) query(q search.Query) search.Result {
	b.Helper()
	r, err := b.Index.Query(b.Context(), q)
	if err != nil {
		b.Fatalf("query %+v: %v", q, err)
	}
	return r
}

func ids(r search.Result) []string {
	var out []string
	for _, h := range r.Hits {
		out = append(out, h.ID)
	}
	return out
}

// finds checks the hits of a query, in no order.
func (b *bench) finds(q search.Query, want ...string) {
	b.Helper()
	got := ids(b.query(q))
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" && len(want)+len(got) > 0 {
		b.Errorf("%+v finds (-want +got):\n%s", q, diff)
	}
}

// first checks the first hit of a query.
func (b *bench) first(q search.Query, want string) {
	b.Helper()
	if got := ids(b.query(q)); len(got) == 0 || got[0] != want {
		b.Errorf("%q finds %v, want %s first", q.Text, got, want)
	}
}

// ordered checks the hits of a query in their order.
func (b *bench) ordered(q search.Query, want ...string) {
	b.Helper()
	if diff := cmp.Diff(want, ids(b.query(q))); diff != "" {
		b.Errorf("%+v finds (-want +got):\n%s", q, diff)
	}
}

func findsInEveryLanguage(_ *testing.T, b *bench) {
	b.put(market()...)
	for text, want := range map[string][]string{
		"huile d'argane":    {"oil", "soap"}, // the soap's text speaks of it
		"HUILE D’ARGANE":    {"oil", "soap"},
		"miel":              {"honey"},
		"miels":             {"honey"},
		"dattes":            {"dates"},
		"زيت أركان":         {"oil", "soap"}, // and its soap says so in French
		"زيت اركان":         {"oil", "soap"},
		"زيت الأركان":       {"oil", "soap"},
		"العسل":             {"honey"},
		"عَسَل":             {"honey"},
		"عســل":             {"honey"},
		"تمور":              {"dates"},
		"تعاونيه المثال":    {"oil", "soap"},
		"carpet":            {"rug"},
		"tapis":             {"rug"},
		"zerbia":            {"rug"},
		"ⵜⴰⵣⵔⴱⵉⵢⵜ":          {"rug"},
		"safran 2026":       {"saffron"},
		"زعفران ٢٠٢٦":       {"saffron"},
		"œuvre":             {"rug"},
		"oeuvre":            {"rug"},
		"poterie":           nil,
		"  , . ' ’ « » !  ": nil,
		"tissage":           {"rug", "saffron"}, // who sells it
	} {
		b.finds(search.Query{Text: text}, want...)
	}
}

func findsUnfinishedWords(_ *testing.T, b *bench) {
	b.put(market()...)
	b.finds(search.Query{Text: "saf"}, "saffron")
	b.finds(search.Query{Text: "huile arg"}, "oil", "soap")
	b.finds(search.Query{Text: "زعف"}, "saffron")
	b.finds(search.Query{Text: "thy miel"}, "honey") // only the last word may be unfinished
}

func findsMistypedWords(_ *testing.T, b *bench) {
	b.put(market()...)
	for text, want := range map[string]string{
		"saffran": "saffron", "safrna": "saffron", "argna": "oil", "mieel": "honey", "mil": "honey",
		"زعفرن": "saffron", "عصل": "honey", "huille argane": "oil", "tapsi": "rug",
	} {
		if got := ids(b.query(search.Query{Text: text})); !slices.Contains(got, want) {
			b.Errorf("%q finds %v, want %s among them", text, got, want)
		}
	}
	b.finds(search.Query{Text: "xylophone"})
	b.finds(search.Query{Text: "saffran", Category: "honey"})
}

func moreWordsComeFirst(_ *testing.T, b *bench) {
	b.put(market()...)
	b.finds(search.Query{Text: "huile miel"}, "oil", "soap", "honey") // nothing has both
	b.first(search.Query{Text: "tapis laine"}, "rug")
	b.first(search.Query{Text: "miel du thym"}, "honey") // small words say nothing
	b.first(search.Query{Text: "savon argane"}, "soap")
	b.first(search.Query{Text: "savon xylophone"}, "soap") // a word that nobody wrote does not count
	b.finds(search.Query{Text: "xylophone trombone"})
}

// rareWordsAreNotDrowned has a market in which hundreds have one word of a query, and
// only the last that came has the others as well.
func rareWordsAreNotDrowned(_ *testing.T, b *bench) {
	b.put(crowd(1200)...)
	rare := search.Document{
		ID: "off_rare", Seller: "org_a", Category: "rugs", Region: "MA-03", Names: map[string]string{"fr": "Tapis Zineb"},
		Texts: map[string]string{"fr": "Tissé à Taznakht."}, Price: 1000, Published: time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC),
	}
	honey := rare
	honey.ID, honey.Names, honey.Texts = "off_honey", map[string]string{"fr": "Miel"}, nil
	b.put(rare, honey)
	b.first(search.Query{Text: "tapis zineb"}, "off_rare")
	b.first(search.Query{Text: "tapis taznakht"}, "off_rare")
	b.first(search.Query{Text: "tapis zineb", Bare: true}, "off_rare")
	b.first(search.Query{Text: "tapis zineb miel"}, "off_rare")           // nothing has all three
	b.first(search.Query{Text: "tapis taznakht zineb rouge"}, "off_rare") // nor all four
}

// whatCanBeHadIsNotDrowned has a market in which hundreds are called the same, and
// only the last that came can be had.
func whatCanBeHadIsNotDrowned(_ *testing.T, b *bench) {
	all := crowd(1200)
	for i := range all {
		all[i].Available = false
	}
	b.put(all...)
	have := all[0]
	have.ID, have.Available = "off_have", true
	b.put(have)
	b.first(search.Query{Text: "tapis"}, "off_have")
}

func namesWeighMost(_ *testing.T, b *bench) {
	b.put(market()...)
	b.ordered(search.Query{Text: "argane"}, "oil", "soap")
}

// oneScriptFindsTheOthers looks for goods that have one text only.
func oneScriptFindsTheOthers(_ *testing.T, b *bench) {
	only := func(id, lang, name string) search.Document {
		return search.Document{ID: id, Seller: "org_a", Category: "x", Names: map[string]string{lang: name}, Available: true}
	}
	b.put(
		only("honey", "ar", "عسل الزعتر"), only("rug", "zgh", "ⵜⴰⵣⵔⴱⵉⵢⵜ"), only("henna", "ar", "حناء"), only("almonds", "fr", "Amandes douces"),
		only("grill", "ar", "مجمر فخاري"), only("oil", "fr", "Huile d’argane"),
	)
	for text, want := range map[string]string{
		"3sal": "honey", "l3ssel": "honey", "miel": "honey", "honey": "honey", "3sel dyal za3tar": "honey",
		"tazarbiyt": "rug", "7enna": "henna", "henné": "henna", "لوز": "almonds", "louz": "almonds",
		"mejmar": "grill", "mjmer": "grill", "زيت أركان": "oil", "zit argan": "oil",
	} {
		b.first(search.Query{Text: text}, want)
	}
}

func whatCanBeHadComesFirst(_ *testing.T, b *bench) {
	docs := crowd(3)
	docs[1].Available = true
	docs[2].Labels = []string{"IGP"}
	b.put(docs...)
	b.ordered(search.Query{Text: "tapis"}, "off_001", "off_002", "off_000")
}

func filters(_ *testing.T, b *bench) {
	b.put(market()...)
	b.finds(search.Query{}, "oil", "soap", "honey", "dates", "saffron", "rug")
	b.finds(search.Query{Category: "oils"}, "oil")
	b.finds(search.Query{Region: "MA-09"}, "oil", "soap", "saffron")
	b.finds(search.Query{Region: "MA-09", Text: "argane", Category: "cosmetics"}, "soap")
	b.finds(search.Query{Label: "IGP"}, "oil", "dates")
	b.finds(search.Query{Label: "igp'; drop"})
	b.finds(search.Query{Seller: "org_b"}, "honey", "dates")
	b.finds(search.Query{Min: ptr(int64(12_000))}, "oil", "saffron", "rug")
	b.finds(search.Query{Max: ptr(int64(12_000))}, "soap", "honey", "dates")
	b.finds(search.Query{Min: ptr(int64(12_000)), Max: ptr(int64(13_500))}, "oil")
}

func sorts(_ *testing.T, b *bench) {
	b.put(market()...)
	b.ordered(search.Query{Sort: search.Newest}, "rug", "saffron", "dates", "honey", "soap", "oil")
	b.ordered(search.Query{}, "rug", "saffron", "dates", "honey", "soap", "oil")
	b.ordered(search.Query{Sort: search.Cheapest}, "soap", "dates", "honey", "oil", "saffron", "rug")
	b.ordered(search.Query{Sort: search.Dearest}, "rug", "saffron", "oil", "honey", "dates", "soap")
	b.ordered(search.Query{Sort: search.Cheapest, Text: "argane"}, "soap", "oil")
	b.ordered(search.Query{Text: "argane"}, "oil", "soap") // by its name before by its text
}

func measuresDistance(_ *testing.T, b *bench) {
	b.put(market()...)
	agadir := &search.Point{Lat: 30.42, Lng: -9.58}
	b.ordered(search.Query{Near: agadir, Sort: search.Nearest}, "oil", "saffron", "honey", "dates")
	b.finds(search.Query{Near: agadir, RadiusKM: 100}, "oil")
	b.finds(search.Query{Near: agadir, RadiusKM: 200}, "oil", "saffron")
	// In the square around the circle, and not in the circle.
	b.finds(search.Query{Near: &search.Point{Lat: 31.43, Lng: -6.98}, RadiusKM: 115})
	b.finds(search.Query{Near: &search.Point{Lat: 89.9, Lng: 179}, RadiusKM: 500})
	for _, h := range b.query(search.Query{Near: agadir}).Hits {
		switch {
		case h.ID == "rug" && h.DistanceKM != nil:
			b.Errorf("the rug has no place, yet is %v km away", *h.DistanceKM)
		case h.ID == "saffron" && (h.DistanceKM == nil || *h.DistanceKM < 155 || *h.DistanceKM > 170):
			b.Errorf("Taliouine is %v km from Agadir, want about 163", h.DistanceKM)
		}
	}
	if h := b.query(search.Query{Text: "safran"}).Hits; len(h) != 1 || h[0].DistanceKM != nil {
		b.Errorf("nobody asked how far away: %+v", h)
	}
}

func countsFacets(_ *testing.T, b *bench) {
	b.put(market()...)
	r := b.query(search.Query{Region: "MA-09", Limit: 1})
	want := search.Facets{
		search.ByCategory: {"oils": 1, "cosmetics": 1, "saffron": 1},
		search.ByRegion:   {"MA-09": 3},
		search.ByLabel:    {"IGP": 1, "AOP": 1},
		search.ByPrice:    {"0-50": 1, "100-200": 1, "200-500": 1},
	}
	if diff := cmp.Diff(want, r.Facets); diff != "" || r.Estimate != 3 {
		b.Errorf("estimate %d, want 3; facets (-want +got):\n%s", r.Estimate, diff)
	}
	r = b.query(search.Query{Text: "rien de tel"})
	if r.Estimate != 0 || len(r.Facets) != 4 || r.Next != "" {
		b.Errorf("an empty result is %+v", r)
	}
}

func updatesAreSeen(_ *testing.T, b *bench) {
	docs := market()
	b.put(docs...)
	d := docs[0]
	d.Names = map[string]string{"fr": "Beurre de karité"}
	d.Texts, d.Kinds, d.Price, d.Category = nil, nil, 99, "cosmetics"
	b.put(d)
	b.finds(search.Query{Text: "karité"}, "oil")
	b.finds(search.Query{Text: "huile"}, "soap")
	b.ordered(search.Query{Sort: search.Cheapest, Limit: 1}, "oil")
	b.finds(search.Query{Category: "oils"})
}

func removedIsGone(_ *testing.T, b *bench) {
	b.put(market()...)
	err := b.DB.InTx(b.Context(), func(tx *pg.Tx) error { return b.Index.Remove(b.Context(), tx, "oil", "never was") })
	if err != nil {
		b.Fatal(err)
	}
	b.Settle()
	b.finds(search.Query{Text: "argane"}, "soap")
	b.finds(search.Query{}, "soap", "honey", "dates", "saffron", "rug")
}

func rollbackLeavesNothing(_ *testing.T, b *bench) {
	b.put(market()[:2]...)
	undo := errors.New("undo")
	err := b.DB.InTx(b.Context(), func(tx *pg.Tx) error {
		if err := b.Index.Put(b.Context(), tx, market()[2:]...); err != nil {
			return err
		}
		if err := b.Index.Remove(b.Context(), tx, "oil"); err != nil {
			return err
		}
		if err := tx.Flush(b.Context()); err != nil {
			return err
		}
		return undo
	})
	if !errors.Is(err, undo) {
		b.Fatal(err)
	}
	b.finds(search.Query{}, "oil", "soap")
	b.finds(search.Query{Text: "miel"})
}

func oddTextsAreHarmless(_ *testing.T, b *bench) {
	b.put(market()...)
	for _, text := range []string{"'", "\\", "' & '", "a:*", "!(", "%_%", "\x00", "\xff\xfe", "😀", "l'", "<->", "ﷺ", "'; drop table search.document; --"} {
		if _, err := b.Index.Query(context.WithoutCancel(b.Context()), search.Query{Text: text}); err != nil {
			b.Errorf("%q: %v", text, err)
		}
	}
	b.finds(search.Query{Text: "argane | miel"}, "oil", "soap", "honey")
}
