package delivery_test

import (
	"testing"

	"pgregory.net/rapid"

	"tiwiza/marketplace/delivery"
)

func upTo(g int64, c int64) delivery.Step { return delivery.Step{UpToG: &g, Centimes: c} }

func TestTheClosestZoneDecides(t *testing.T) {
	t.Parallel()
	w := delivery.Way{Kind: delivery.Carrier, Zones: []delivery.Zone{
		{Steps: []delivery.Step{{Centimes: 5000}}},
		{Areas: []delivery.Area{{Region: "MA-09"}}, Steps: []delivery.Step{{Centimes: 3000}}},
		{Areas: []delivery.Area{{Region: "MA-09", Commune: "Agadir"}}, Steps: []delivery.Step{upTo(1000, 1000), upTo(5000, 1500)}},
	}}
	for _, c := range []struct {
		commune, region string
		grams           int64
		want            int64
		why             delivery.Why
	}{
		{"Agadir", "MA-09", 1000, 1000, ""},
		{"Agadir", "MA-09", 1001, 1500, ""},
		{"Agadir", "MA-09", 5001, 0, delivery.TooHeavy}, // the region's price is not for its town
		{"Taroudant", "MA-09", 5001, 3000, ""},
		{"Rabat", "MA-04", 1, 5000, ""},
		{"", "", 1, 0, delivery.NoCommune},
	} {
		got, why := w.Price(delivery.Parcel{Grams: c.grams}.To(c.commune, c.region))
		if got != c.want || why != c.why {
			t.Errorf("%d g to %q: %d %q, want %d %q", c.grams, c.commune, got, why, c.want, c.why)
		}
	}
}

func TestOneGoesNoFurtherThanOneSays(t *testing.T) {
	t.Parallel()
	radius := 60 // Agadir to Taroudant are some 75 km as the crow flies, to Biougra 25
	w := delivery.Way{
		Kind: delivery.Own, RadiusKm: &radius, Spot: &delivery.Spot{Commune: "Agadir", Region: "MA-09", Lat: 30.42, Lng: -9.58},
		Zones: []delivery.Zone{{Steps: []delivery.Step{{Centimes: 2000}}}},
	}
	for commune, want := range map[string]delivery.Why{"Agadir": "", "Biougra": "", "Taroudant": delivery.TooFar, "": delivery.NoCommune} {
		if _, why := w.Price(delivery.Parcel{Grams: 1}.To(commune, "MA-09")); why != want {
			t.Errorf("to %q: %q, want %q", commune, why, want)
		}
	}
}

// TestMoreWeightNeverCostsLessWhereStepsRise draws ways whose prices rise.
func TestMoreWeightNeverCostsLessWhereStepsRise(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var steps []delivery.Step
		grams, price := int64(0), int64(0)
		for range rapid.IntRange(1, 8).Draw(t, "steps") {
			grams += rapid.Int64Range(1, 9000).Draw(t, "more weight")
			price += rapid.Int64Range(0, 9000).Draw(t, "more money")
			steps = append(steps, upTo(grams, price))
		}
		free := rapid.Int64Range(1, 100000).Draw(t, "free from")
		w := delivery.Way{Kind: delivery.Carrier, FreeFrom: &free, Zones: []delivery.Zone{{Steps: steps}}}
		a := rapid.Int64Range(0, grams+2000).Draw(t, "light")
		b := rapid.Int64Range(a, grams+4000).Draw(t, "heavy")
		goods := rapid.Int64Range(0, 200000).Draw(t, "goods")
		light, why := w.Price(delivery.Parcel{Grams: a, Goods: goods})
		heavy, whyHeavy := w.Price(delivery.Parcel{Grams: b, Goods: goods})
		switch {
		case (why == delivery.TooHeavy) != (a > grams), why != "" && whyHeavy == "":
			t.Fatalf("%d g: %q, %d g: %q, of at most %d", a, why, b, whyHeavy, grams)
		case why == "" && whyHeavy == "" && heavy < light:
			t.Fatalf("%d g cost %d, %d g %d", a, light, b, heavy)
		case why == "" && goods >= free && light != 0:
			t.Fatalf("goods worth %d cost %d, and travel free from %d", goods, light, free)
		}
	})
}
