// Package dev shows the parts that pages are made of: the test bed of the look,
// and its documentation. It is served in a demonstration only.
package dev

import (
	"tiwiza/pkg/money"
	"tiwiza/web/chart"
	"tiwiza/web/site"
	"tiwiza/web/ui"
)

// Parts shows each part once.
func Parts(v *site.Visit) error {
	v.Title = v.T("dev.title")
	square, err := ui.QR("HTTPS://TIWIZA.EXAMPLE/L/7K3Q9X")
	if err != nil {
		return err
	}
	name := v.Say(map[string]string{"fr": "Hanbel rayé, laine teinte", "ar": "حنبل مخطط من الصوف المصبوغ طبيعيا", "en": "Striped hanbel, dyed wool"})
	coop := v.Say(map[string]string{"fr": "Coopérative Aghbalou (exemple)", "ar": "تعاونية أغبالو (مثال)", "en": "Aghbalou cooperative (example)"})
	heat := make([]int, chart.Quarters)
	for i := range 12 {
		heat[30+i] = 1 + i%3
	}
	figure := func(id string) chart.Figure {
		return chart.Figure{
			ID: id, Title: v.T("dev.word"), Finding: v.T("dev.long"), Labels: []string{"06", "09", "12", "15", "18", "21"},
			Series: []chart.Series{{Name: v.T("dev.word"), Values: []int64{120, 240, 180, 310, 290, 350}}, {Name: v.T("dev.long"), Values: []int64{4, 8, 71, 12, 9, 3}}},
		}
	}
	return v.Show(partsPage(parts{
		Charts: []string{
			chart.Line(figure("line"), v.Lang.Number), chart.Bars(figure("bars"), v.Lang.Number), chart.Spark([]int64{3, 5, 4, 8, 7, 9}), chart.Heat(figure("heat"), heat),
			chart.Map(figure("map"), map[string]int{"MA-01": 3, "MA-09": 41, "MA-05": 12}, v.Lang.Number, func(r chart.Region) string { return v.Say(r.Names).Text }),
		},
		Page: v.Page, Square: square, Price: money.Dirhams(1_240_00), Small: money.Dirhams(136_30), Coop: coop, CoopID: "org_exemple",
		Cards: []ui.Card{
			{Href: "#", Name: name, Seller: coop, SellerID: "org_exemple", Price: money.Dirhams(1_240_00), Available: true, Labels: []string{"IGP"}},
			{Href: "#", Name: name, Seller: coop, SellerID: "org_autre", Price: money.Dirhams(145_50), From: true},
		},
	}))
}

// parts is what the page shows.
type parts struct {
	*ui.Page
	Square       string
	Charts       []string // drawings
	Price, Small money.Money
	Coop         ui.Said
	CoopID       string
	Cards        []ui.Card
}
