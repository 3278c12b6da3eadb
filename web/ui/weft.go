package ui

import (
	"crypto/sha256"
	"strconv"
	"strings"
)

// dyes are the colours of the bands.
var dyes = []string{"#12506B", "#A3262E", "#F4B223", "#3F6212", "#7A4A21", "#10242B"}

// A band of a weave: where it starts and how wide it is, of 360.
type band struct {
	x, width int
	dye      string
}

// house is the platform's own weave.
var house = []band{{0, 36, "#F4B223"}, {36, 36, "#A3262E"}, {72, 108, "#F4B223"}, {180, 108, "#7A4A21"}, {288, 36, "#12506B"}, {324, 36, "#F4B223"}}

// weave is the weave of an id: five to seven uneven bands, no two alike beside
// each other. It depends on nothing but the id, so a cooperative is known by it
// for good.
func weave(id string) []band {
	if id == "" {
		return house
	}
	sum := sha256.Sum256([]byte("lisière " + id))
	n := 5 + int(sum[0])%3
	weights, total := make([]int, n), 0
	for i := range n {
		weights[i] = 1 + int(sum[1+i])%7
		total += weights[i]
	}
	out, x, last := make([]band, n), 0, -1
	for i := range n {
		d := int(sum[10+i]) % len(dyes)
		if d == last {
			d = (d + 1) % len(dyes)
		}
		w := 360 * weights[i] / total
		if i == n-1 {
			w = 360 - x
		}
		out[i], x, last = band{x, w, dyes[d]}, x+w, d
	}
	return out
}

// weft draws a weave as SVG. It says nothing to those who cannot see it: the
// name stands beside it.
func weft(id string, height int, class string) string {
	var b strings.Builder
	h := strconv.Itoa(height)
	b.WriteString(`<svg class="` + class + `" viewBox="0 0 360 ` + h + `" preserveAspectRatio="none" aria-hidden="true" focusable="false">`)
	for _, s := range weave(id) {
		b.WriteString(`<rect x="` + strconv.Itoa(s.x) + `" width="` + strconv.Itoa(s.width+1) + `" height="` + h + `" fill="` + s.dye + `"/>`)
	}
	b.WriteString("</svg>")
	return b.String()
}
