package chart

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"html"
	"math"
	"regexp"
	"slices"
	"strings"
)

//go:embed geo/regions.svg
var outlines string

//go:embed geo/regions.meta.json
var about []byte

// A Region of Morocco, by its number in ISO 3166-2.
type Region struct {
	Code  string // MA-01
	Names map[string]string
	At    [2]float64 // where its number stands
	path  string
}

// meta is what the file of outlines says of itself.
var meta = readMeta()

type metadata struct {
	ViewBox   [2]float64
	Proj      struct{ X0, Y0, Scale float64 } // of Mercator's projection, in radians
	Centroids map[string][2]float64
	Names     map[string]map[string]string
}

func readMeta() (m metadata) {
	if err := json.Unmarshal(about, &m); err != nil {
		panic(err) // the file is built in
	}
	return m
}

// Regions are the twelve, by code.
var Regions = readRegions()

var outline = regexp.MustCompile(`<path id="(MA-\d\d)" d="([^"]+)"`)

func readRegions() []Region {
	var out []Region
	for _, m := range outline.FindAllStringSubmatch(outlines, -1) {
		out = append(out, Region{m[1], meta.Names[m[1]], meta.Centroids[m[1]], m[2]})
	}
	slices.SortFunc(out, func(a, b Region) int { return strings.Compare(a.Code, b.Code) })
	return out
}

// Map draws the regions, the darker the more, with the number printed on each
// that has one.
func Map(f Figure, by map[string]int, number func(int64) string, name func(Region) string) string {
	most := 1
	for _, n := range by {
		most = max(most, n)
	}
	var c canvas
	c.open(f, "0 0 1000 1074")
	for _, r := range Regions {
		n := by[r.Code]
		class := ""
		if n > 0 {
			class = fmt.Sprintf(` class="q%d"`, 1+min(3, 4*(n-1)/most))
		}
		c.add(`<path%s d="%s"><title>%s</title></path>`, class, r.path, html.EscapeString(name(r)+" "+number(int64(n))))
	}
	for _, r := range Regions {
		if n := by[r.Code]; n > 0 {
			dark := ""
			if 4*(n-1)/most >= 2 {
				dark = " light"
			}
			c.add(`<text class="count%s" x="%s" y="%s" text-anchor="middle" direction="ltr">%s</text>`, dark, num(r.At[0]), num(r.At[1]+12), number(int64(n)))
		}
	}
	c.add(`</svg>`)
	return c.String()
}

// A Place is a point to show on a map, in degrees.
type Place struct {
	Lat, Lng float64
	Name     string
}

// point is where a place stands on the drawing; false for one that is nowhere on it.
func (p Place) point() (x, y float64, ok bool) {
	if p.Lat == 0 && p.Lng == 0 || math.Abs(p.Lat) > 85 {
		return 0, 0, false
	}
	x = (p.Lng*math.Pi/180 - meta.Proj.X0) * meta.Proj.Scale
	y = (-math.Log(math.Tan(math.Pi/4+p.Lat*math.Pi/360)) - meta.Proj.Y0) * meta.Proj.Scale
	return x, y, x >= 0 && y >= 0 && x <= meta.ViewBox[0] && y <= meta.ViewBox[1]
}

// Places draws the regions, with one of them marked ("" for none), and a dot for
// each place. Places at one point have one dot.
func Places(f Figure, region string, all []Place, name func(Region) string) string {
	var c canvas
	c.open(f, "0 0 1000 1074")
	for _, r := range Regions {
		class := ""
		if r.Code == region {
			class = ` class="q2"`
		}
		c.add(`<path%s d="%s"><title>%s</title></path>`, class, r.path, html.EscapeString(name(r)))
	}
	var order []string
	names := map[string][]string{}
	for _, p := range all {
		x, y, ok := p.point()
		if !ok {
			continue
		}
		at := `cx="` + num(x) + `" cy="` + num(y) + `"`
		if names[at] == nil {
			order = append(order, at)
		}
		names[at] = append(names[at], p.Name)
	}
	for _, at := range order {
		c.add(`<circle class="dot" %s r="17"><title>%s</title></circle>`, at, html.EscapeString(strings.Join(names[at], " · ")))
	}
	c.add(`</svg>`)
	return c.String()
}
