package shop

import (
	"bytes"
	"fmt"
	"testing"

	"tiwiza/pkg/money"
	"tiwiza/web/ui"
)

// A page of 24 cards must render in half a millisecond of one core.
func BenchmarkMarketPage(b *testing.B) {
	p := &ui.Page{Lang: ui.Arabic, Desk: ui.Shop, Path: "/", Public: true, Origin: "https://tiwiza.example"}
	l := listing{Page: p, Heading: p.T("shop.latest")}
	for i := range 24 {
		id := fmt.Sprintf("org_%d", i%7)
		l.Cards = append(l.Cards, ui.Card{
			Href: "/p/off_1", Name: ui.Said{Lang: ui.Arabic, Text: "زيت أركان الغذائي 250 مل"}, Seller: ui.Said{Lang: ui.Arabic, Text: "تعاونية أغبالو (مثال)"}, SellerID: id,
			Picture: ui.Picture{URL: "/v1/pictures/med_1/640.jpg", Srcset: "/v1/pictures/med_1/160.jpg 160w, /v1/pictures/med_1/320.jpg 320w, /v1/pictures/med_1/640.jpg 640w", Sizes: cardSizes, Width: 640, Height: 640},
			Price:   money.Dirhams(145_50), Available: true, Labels: []string{"IGP", "BIO"},
		})
	}
	for i := range 12 {
		l.Cats = append(l.Cats, ui.Cat{Href: "/", Icon: "droplet", Name: "زيوت", N: i})
	}
	var w bytes.Buffer
	for b.Loop() {
		w.Reset()
		if err := marketPage(l).Render(b.Context(), &w); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(w.Len()), "bytes")
}
