package searchconform

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"tiwiza/search"
)

func ptr[T any](v T) *T { return &v }

// market is a small one.
func market() []search.Document {
	day := func(d int) time.Time { return time.Date(2026, 1, d, 9, 30, 0, 123456000, time.UTC) }
	exemple := map[string]string{"fr": "Coopérative Exemple", "ar": "تعاونية المثال"}
	oasis := map[string]string{"fr": "Groupement Oasis (exemple)", "ar": "مجموعة الواحة"}
	atelier := map[string]string{"fr": "Atelier Tissage (exemple)", "ar": "ورشة النسيج"}
	return []search.Document{
		{
			ID: "oil", Seller: "org_a", SellerNames: exemple, Category: "oils", Kinds: map[string]string{"fr": "Huiles", "ar": "زيوت"},
			Names: map[string]string{"fr": "Huile d’argane alimentaire", "ar": "زيت أركان غذائي", "en": "Culinary argan oil"},
			Texts: map[string]string{"fr": "Pressée à froid."}, Region: "MA-09", Labels: []string{"IGP"}, Price: 13_500,
			Available: true, Lat: ptr(30.07), Lng: ptr(-9.15), Published: day(1),
		},
		{
			ID: "soap", Seller: "org_a", SellerNames: exemple, Category: "cosmetics",
			Names: map[string]string{"fr": "Savon doux", "ar": "صابون طبيعي"},
			Texts: map[string]string{"fr": "Savon à l’huile d’argane."}, Region: "MA-09", Price: 3_000, Published: day(2),
		},
		{
			ID: "honey", Seller: "org_b", SellerNames: oasis, Category: "honey",
			Names: map[string]string{"fr": "Miel de thym", "ar": "عسل الزعتر"}, Region: "MA-05", Price: 11_000,
			Available: true, Lat: ptr(32.33), Lng: ptr(-6.36), Published: day(3),
		},
		{
			ID: "dates", Seller: "org_b", SellerNames: oasis, Category: "dates",
			Names: map[string]string{"fr": "Datte Majhoul", "ar": "تمور المجهول"}, Region: "MA-08", Labels: []string{"IGP"}, Price: 9_000,
			Available: true, Lat: ptr(31.93), Lng: ptr(-4.42), Published: day(4),
		},
		{
			ID: "saffron", Seller: "org_c", SellerNames: atelier, Category: "saffron",
			Names: map[string]string{"fr": "Safran de Taliouine, récolte 2026", "ar": "زعفران تالوين ٢٠٢٦"}, Region: "MA-09",
			Labels: []string{"AOP"}, Price: 30_000, Available: true, Lat: ptr(30.53), Lng: ptr(-7.92), Published: day(5),
		},
		{
			ID: "rug", Seller: "org_c", SellerNames: atelier, Category: "rugs",
			Names:  map[string]string{"fr": "Tapis de laine, œuvre unique", "ar": "زربية من الصوف", "en": "Wool carpet, zerbia", "zgh": "ⵜⴰⵣⵔⴱⵉⵢⵜ"},
			Region: "MA-03", Price: 230_000, Available: true, Published: day(6),
		},
	}
}

// crowd is many documents that share their sort keys, so that only the id
// tells them apart.
func crowd(n int) []search.Document {
	out := make([]search.Document, n)
	for i := range out {
		name := "Tapis rouge"
		if i%5 == 0 {
			name = "Tapis de laine rouge"
		}
		out[i] = search.Document{
			ID: fmt.Sprintf("off_%03d", i), Seller: "org_a", Category: "rugs", Region: "MA-03",
			Names: map[string]string{"fr": name}, Price: int64(1000 * (1 + i%3)),
			Lat: ptr(30 + float64(i%4)), Lng: ptr(-8.0), Published: time.Date(2026, 1, 1+i%2, 0, 0, 0, 0, time.UTC),
		}
	}
	return out
}

func pagesWithoutHolesOrRepeats(_ *testing.T, b *bench) {
	b.put(crowd(53)...)
	here := &search.Point{Lat: 31, Lng: -8}
	for _, q := range []search.Query{
		{},
		{Sort: search.Newest},
		{Sort: search.Cheapest},
		{Sort: search.Dearest},
		{Sort: search.Nearest, Near: here},
		{Text: "tapis"},
		{Text: "tapis", Sort: search.Cheapest},
		{Text: "tapsi"},
		{Text: "tapsi rogue"},
		{Region: "MA-03", Category: "rugs"},
		{Text: "rouge", Near: here, RadiusKM: 1000, Sort: search.Nearest},
	} {
		q.Limit = 7
		seen := map[string]bool{}
		pages := 0
		for {
			r := b.query(q)
			pages++
			for _, h := range r.Hits {
				if seen[h.ID] {
					b.Errorf("%+v shows %s twice", q, h.ID)
				}
				seen[h.ID] = true
			}
			if q.Cursor = r.Next; q.Cursor == "" || pages > 20 {
				break
			}
		}
		if len(seen) != 53 || pages != 8 {
			b.Errorf("%+v shows %d documents on %d pages, want 53 on 8", q, len(seen), pages)
		}
	}
}

func refusesForeignCursors(_ *testing.T, b *bench) {
	b.put(crowd(10)...)
	newest := b.query(search.Query{Limit: 2}).Next
	for _, q := range []search.Query{
		{Cursor: "rubbish"},
		{Cursor: "e30"},
		{Cursor: "\x00"},
		{Cursor: newest, Sort: search.Cheapest},
		{Cursor: newest[:len(newest)-3]},
		{Cursor: newest, Text: "tapis"},
		{Cursor: newest, Sort: search.Nearest, Near: &search.Point{}},
	} {
		if _, err := b.Index.Query(b.Context(), q); !errors.Is(err, search.ErrCursor) {
			b.Errorf("cursor %q with sort %q: error = %v, want %v", q.Cursor, q.Sort, err, search.ErrCursor)
		}
	}
}
