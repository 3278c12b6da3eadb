package chart_test

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tiwiza/web/chart"
)

var dot = regexp.MustCompile(`<circle class="dot" cx="([\d.]+)" cy="([\d.]+)" r="17"><title>([^<]*)</title>`)

// A member's dot stands in its region: beside where the number of the region is
// printed, not in another one.
func TestPlacesStandWhereTheyAre(t *testing.T) {
	t.Parallel()
	region := func(r chart.Region) string { return r.Names["fr"] }
	for _, c := range []struct {
		name     string
		lat, lng float64
		region   string
	}{{"Tanger", 35.77, -5.80, "MA-01"}, {"Oujda", 34.68, -1.91, "MA-02"}, {"Taroudant", 30.47, -8.88, "MA-09"}, {"Dakhla", 23.70, -15.93, "MA-12"}, {"Laâyoune", 27.15, -13.20, "MA-11"}} {
		got := chart.Places(chart.Figure{ID: "m", Title: "a", Finding: "b"}, c.region, []chart.Place{{c.lat, c.lng, c.name}}, region)
		wellFormed(t, got)
		m := dot.FindStringSubmatch(got)
		if m == nil || m[3] != c.name || strings.Count(got, `class="q2"`) != 1 {
			t.Fatalf("%s is drawn as %v", c.name, m)
		}
		x, y := parse(t, m[1]), parse(t, m[2])
		best, least := "", math.Inf(1)
		for _, r := range chart.Regions {
			if d := math.Hypot(r.At[0]-x, r.At[1]-y); d < least {
				best, least = r.Code, d
			}
		}
		if best != c.region {
			t.Errorf("%s stands at %v, %v: in %s, want %s", c.name, x, y, best, c.region)
		}
	}
	none := chart.Places(chart.Figure{ID: "m"}, "", []chart.Place{{}, {48.8, 2.3, "Paris"}, {90, 0, "le pôle"}}, region)
	if strings.Contains(none, "<circle") || strings.Contains(none, "q2") {
		t.Error("what is elsewhere is on the map")
	}
	two := chart.Places(chart.Figure{ID: "m"}, "", []chart.Place{{30.47, -8.88, "une <b>"}, {30.47, -8.88, "deux"}}, region)
	if m := dot.FindAllStringSubmatch(two, -1); len(m) != 1 || m[0][3] != "une &lt;b&gt; · deux" {
		t.Errorf("two at one place are %v", m)
	}
	rapid.Check(t, func(t *rapid.T) {
		p := chart.Place{Lat: rapid.Float64Range(-90, 90).Draw(t, "lat"), Lng: rapid.Float64Range(-180, 180).Draw(t, "lng"), Name: rapid.StringMatching(`[ -~]{0,20}`).Draw(t, "name")}
		svg := chart.Places(chart.Figure{ID: "m"}, "MA-01", []chart.Place{p}, region)
		wellFormed(t, svg)
		if strings.Contains(svg, "NaN") || strings.Contains(svg, "Inf") || strings.Contains(svg, `cx="-`) {
			t.Fatalf("%s", svg)
		}
	})
}

func parse(t *testing.T, s string) float64 {
	t.Helper()
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return f
}
