package catalog_test

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tiwiza/marketplace/catalog"
	"tiwiza/marketplace/members"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/money"
	"tiwiza/pkg/rest"
)

// anOffer draws an offer with whatever an offer may have.
func anOffer(t *rapid.T, n int) catalog.CreateInput {
	word := rapid.OneOf(
		rapid.StringMatching(`[=+@'<&"-]?[A-Za-zé]{1,8}( [a-z;,|"<>&]{1,6}){0,2}[a-z]`),
		rapid.SampledFrom([]string{"زيت أركان", "ⵜⴰⵎⵎⵎⵜ", "a < b & c", "<b>gras</b>", "&amp;", "'=1+1", "=1+1", "-5", "deux\nlignes", "12,5", "=\"x\""}),
	)
	texts := func(what string, some ...string) map[string]string {
		out := map[string]string{}
		for _, lang := range []string{"fr", "ar", "en", "zgh"} {
			if slices.Contains(some, lang) || rapid.Bool().Draw(t, what+lang) {
				out[lang] = word.Draw(t, what)
			}
		}
		return out
	}
	kind := rapid.SampledFrom([]catalog.Kind{catalog.Product, catalog.Labour, catalog.Digital}).Draw(t, "kind")
	in := catalog.CreateInput{
		Key: fmt.Sprintf("k %d-%s", n, rapid.StringMatching(`[a-z0-9._:/+-]{0,5}`).Draw(t, "key")), Kind: kind,
		Category: rapid.SampledFrom([]string{"oils", "rugs", "honey"}).Draw(t, "category"),
		Names:    texts("name", "fr"), Descriptions: texts("description"),
		WithdrawalExempt: rapid.SampledFrom([]string{"", "perishable", "made_to_measure"}).Draw(t, "exempt"),
		Image:            rapid.SampledFrom([]string{"", "oil-argan.svg"}).Draw(t, "image"),
	}
	if rapid.Bool().Draw(t, "commune") {
		in.Commune = rapid.SampledFrom([]string{"Taliouine", "Erfoud"}).Draw(t, "commune")
	} else {
		in.Region = "MA-09"
	}
	if rapid.Bool().Draw(t, "point") {
		in.Point = &catalog.PointView{Lat: 30 + float64(rapid.IntRange(0, 99999).Draw(t, "lat"))/100000, Lng: -8 - float64(rapid.IntRange(0, 99999).Draw(t, "lng"))/100000}
	}
	if in.Category == "oils" && rapid.Bool().Draw(t, "attributes") {
		in.Attributes = map[string]any{"pressing": "cold", "harvest_year": 2025., "roasted": false, "allergens": []any{"nuts", "sesame"}, "ingredients": "argan; eau = peu"}
	}
	if rapid.Bool().Draw(t, "claims") {
		in.Claims = &[]string{catalog.Claims[0].Code, catalog.Claims[1].Code}
	}
	for i := range rapid.IntRange(0, 2).Draw(t, "labels") {
		l := catalog.LabelInput{Code: "L" + strconv.Itoa(i), Issuer: rapid.SampledFrom([]string{"", "SDOQ"}).Draw(t, "issuer"), Number: rapid.SampledFrom([]string{"", "EX-1"}).Draw(t, "number"), ValidFrom: "2024-01-31"}
		if rapid.Bool().Draw(t, "ends") {
			l.ValidTo = "2099-12-31"
		}
		in.Labels = append(in.Labels, l)
	}
	if kind == catalog.Labour {
		in.Way = rapid.SampledFrom([]catalog.Way{catalog.ByQuote, catalog.ByBooking}).Draw(t, "way")
	}
	for i := range rapid.IntRange(1, 3).Draw(t, "variants") {
		in.Variants = append(in.Variants, aVariant(t, in, fmt.Sprintf("S%d-%d", n, i), texts))
	}
	return in
}

func aVariant(t *rapid.T, in catalog.CreateInput, sku string, texts func(string, ...string) map[string]string) catalog.VariantInput {
	v := catalog.VariantInput{
		SKU: sku, Names: texts("variant"), Unit: rapid.SampledFrom([]string{"", "bottle", "قنينة"}).Draw(t, "unit"),
		Price: money.FromCentimes(int64(rapid.IntRange(100, 9_999_999).Draw(t, "price")), money.MAD), OnHand: rapid.IntRange(0, 1000).Draw(t, "stock"),
	}
	if in.Kind != catalog.Digital {
		v.WeightG = rapid.IntRange(0, 5000).Draw(t, "weight")
	}
	if rapid.Bool().Draw(t, "net") {
		v.Net = &catalog.NetView{Quantity: rapid.IntRange(1, 5000).Draw(t, "quantity"), Unit: rapid.SampledFrom([]string{"g", "cl", "piece"}).Draw(t, "net unit")}
	}
	if c := v.Price.Centimes(); rapid.Bool().Draw(t, "tiers") {
		v.Tiers = &[]catalog.TierView{{From: 6, Price: money.FromCentimes(c-1, money.MAD)}, {From: 12, Price: money.FromCentimes(c/2, money.MAD)}}
	}
	policy, weekly, lead, minutes := catalog.Stocked, 7, 30, 90
	switch {
	case in.Way == catalog.ByBooking && rapid.Bool().Draw(t, "dated"):
		at := time.Date(2031, 5, 12, 9, 30, 15, rapid.SampledFrom([]int{0, 250_000_000}).Draw(t, "fraction"), time.UTC)
		v.StartsAt, v.Minutes = &at, &minutes
	case in.Way == catalog.ByBooking || in.Kind == catalog.Product && rapid.Bool().Draw(t, "made"):
		policy = catalog.MadeToOrder
		v.Weekly, v.LeadDays = &weekly, &lead
	case in.Kind == catalog.Digital:
		policy = catalog.Unlimited
	}
	v.Policy = &policy
	return v
}

// shop is a seller of a test, by number, who has nothing yet.
func (m *market) shop(n int) context.Context {
	who := fmt.Sprintf("org_shop%d", n)
	m.sellers[who] = members.Seller{ID: who, Names: map[string]string{"fr": "Coopérative (exemple)"}, Active: true}
	return auth.With(m.Context(), auth.Principal{Subject: who, Role: auth.Seller})
}

// exports are a seller's catalogue in both forms, without whose it is.
func (m *market) exports(ctx context.Context) (file, book []byte) {
	m.Helper()
	var c, x bytes.Buffer
	out, err := m.s.Export(ctx, catalog.ExportInput{})
	if err == nil {
		err = out.Write(ctx, &c)
	}
	if err != nil {
		m.Fatal(err)
	}
	if out, err = m.s.ExportXLSX(ctx, catalog.ExportInput{}); err == nil {
		err = out.Write(ctx, &x)
	}
	if err != nil {
		m.Fatal(err)
	}
	return bytes.ReplaceAll(c.Bytes(), []byte(auth.From(ctx).Subject), nil), x.Bytes()
}

// Whatever a seller offers, its export read by a seller who has nothing gives the
// same export, as CSV and as a workbook; and read by itself it changes nothing.
func TestExportsReadBackWithoutLoss(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	shops := 0
	moves := map[catalog.State][]func(context.Context, catalog.OfferInput) (catalog.View, error){
		catalog.Draft: nil, catalog.Published: {m.s.Publish}, catalog.Paused: {m.s.Publish, m.s.Pause}, catalog.Archived: {m.s.Archive},
	}
	rapid.Check(t, func(rt *rapid.T) {
		shops += 3
		ctx := m.shop(shops)
		for n := range rapid.IntRange(1, 3).Draw(rt, "offers") {
			v, err := m.s.Create(ctx, anOffer(rt, n))
			if err != nil {
				rt.Fatal(err)
			}
			for _, move := range moves[rapid.SampledFrom(slices.Sorted(maps.Keys(moves))).Draw(rt, "state")] {
				if _, err := move(ctx, catalog.OfferInput{Offer: v.ID}); err != nil {
					rt.Fatal(err)
				}
			}
		}
		want, book := m.exports(ctx)
		for i, b := range [][]byte{want, book} {
			r, err := m.s.Import(ctx, catalog.ImportInput{File: rest.File{Bytes: b}})
			if err != nil || r.Unchanged != r.Rows || r.Rows == 0 {
				rt.Fatalf("form %d: its own export changes something: %+v (%v)\n%s", i, r, err, want)
			}
			empty := m.shop(shops + 1 + i)
			if r, err = m.s.Import(empty, catalog.ImportInput{File: rest.File{Bytes: b}}); err != nil || r.Created != r.Rows {
				rt.Fatalf("form %d: %+v (%v)\n%s", i, r, err, want)
			}
			for _, c := range []context.Context{ctx, empty} {
				if got, _ := m.exports(c); string(got) != string(want) {
					rt.Fatalf("form %d: (-want +got):\n%s", i, cmp.Diff(string(want), string(got)))
				}
			}
		}
	})
	m.whole()
}
