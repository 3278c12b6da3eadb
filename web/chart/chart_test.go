package chart_test

import (
	"encoding/xml"
	"errors"
	"io"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tiwiza/web/chart"
)

func plain(n int64) string { return strconv.FormatInt(n, 10) }

var hours = chart.Figure{
	ID: "f", Title: "Payments & hours", Finding: "Most: 4 at 01 h.", Labels: []string{"00", "01", "02"},
	Series: []chart.Series{{"paid", []int64{2, 4, 0}}, {"failed", []int64{0, 1, 0}}},
}

// wellFormed reads a drawing as XML.
func wellFormed(t interface{ Fatalf(string, ...any) }, svg string) {
	d := xml.NewDecoder(strings.NewReader(svg))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatalf("%v in %.400s", err, svg)
		}
	}
}

func TestALineIsDrawnAsItsNumbersSay(t *testing.T) {
	t.Parallel()
	got := chart.Line(hours, plain)
	wellFormed(t, got)
	for _, want := range []string{
		`<svg viewBox="0 0 560 170" role="img" aria-labelledby="f-t f-d"><title id="f-t">Payments &amp; hours</title><desc id="f-d">Most: 4 at 01 h.</desc>`,
		`<path class="ln" d="M34 94.8L296 39.6L558 150"/>`,
		`<path class="ln2" d="M34 150L296 122.4L558 150"/>`,
		`<text class="axis" x="29" y="16" text-anchor="end" direction="ltr">5</text>`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("lacks %s in\n%s", want, got)
		}
	}
}

func TestBarsStandOnEachOther(t *testing.T) {
	t.Parallel()
	got := chart.Bars(hours, plain)
	wellFormed(t, got)
	if !strings.Contains(got, `<rect class="b1" x="226.9" y="39.6" width="140.3" height="110.4"/><rect class="b2" x="226.9" y="12" width="140.3" height="27.6"/>`) {
		t.Error(got)
	}
}

func TestAHeatStripShowsADay(t *testing.T) {
	t.Parallel()
	got := chart.Heat(chart.Figure{ID: "h", Title: "a", Finding: "b"}, []int{0, 1, 2, 3, 9})
	wellFormed(t, got)
	for _, want := range []string{`class="h1" x="4" y="15" width="3" height="6"`, `class="h2" x="8"`, `class="h3" x="16" y="1" width="3" height="20"`} {
		if !strings.Contains(got, want) {
			t.Errorf("lacks %s in %s", want, got)
		}
	}
	if n := strings.Count(chart.Heat(chart.Figure{}, make([]int, 500)), "<rect"); n != 0 {
		t.Errorf("nothing known draws %d", n)
	}
}

func TestTheMapHasTwelveRegionsAndPrintsTheirNumbers(t *testing.T) {
	t.Parallel()
	if len(chart.Regions) != 12 {
		t.Fatalf("%d regions", len(chart.Regions))
	}
	for i, r := range chart.Regions {
		if r.Code != "MA-"+string([]byte{'0' + byte((i+1)/10), '0' + byte((i+1)%10)}) || r.Names["fr"] == "" || r.Names["ar"] == "" || r.At[0] == 0 {
			t.Errorf("region %d is %+v", i, r.Code)
		}
	}
	got := chart.Map(chart.Figure{ID: "m", Title: "a", Finding: "b"}, map[string]int{"MA-01": 1, "MA-06": 40}, plain, func(r chart.Region) string { return r.Names["fr"] })
	wellFormed(t, got)
	for _, want := range []string{`class="q1"`, `class="q4"`, `>40</text>`, `Casablanca-Settat 40</title>`} {
		if !strings.Contains(got, want) {
			t.Errorf("the map lacks %s", want)
		}
	}
}

// Whatever the numbers are, a drawing is XML, stays in its frame and carries no
// style of its own.
func TestAnyNumbersCanBeDrawn(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f := chart.Figure{ID: "f", Title: rapid.StringMatching(`[ -~]{0,20}`).Draw(t, "title"), Series: []chart.Series{
			{Values: rapid.SliceOfN(rapid.Int64Range(0, 1e12), 0, 30).Draw(t, "a")}, {Values: rapid.SliceOfN(rapid.Int64Range(0, 1e12), 0, 30).Draw(t, "b")},
		}}
		for _, svg := range []string{chart.Line(f, plain), chart.Bars(f, plain), chart.Spark(f.Series[0].Values)} {
			wellFormed(t, svg)
			if strings.Contains(svg, "style=") || strings.Contains(svg, "NaN") || strings.Contains(svg, "Inf") || strings.Contains(svg, `="-`) {
				t.Fatalf("%s", svg)
			}
		}
	})
}
