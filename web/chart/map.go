package chart

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"html"
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

// Regions are the twelve, by code.
var Regions = readRegions()

var outline = regexp.MustCompile(`<path id="(MA-\d\d)" d="([^"]+)"`)

func readRegions() []Region {
	var meta struct {
		Centroids map[string][2]float64
		Names     map[string]map[string]string
	}
	if err := json.Unmarshal(about, &meta); err != nil {
		panic(err) // the file is built in
	}
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
