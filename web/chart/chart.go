// Package chart draws figures as SVG on the server: lines, bars, strips and the
// map of the regions. A drawing has a title and says in words what it shows; the
// same numbers stand beside it in a table. Time runs from left to right in every
// language, as people read it on bank statements.
package chart

import (
	"fmt"
	"html"
	"strconv"
	"strings"
)

// A Series is one row of numbers. Its name stands in the table.
type Series struct {
	Name   string
	Values []int64
}

// A Figure is what a chart shows. Texts are in the page's language.
type Figure struct {
	ID      string // of the drawing on its page
	Title   string
	Finding string   // what the numbers say, in a sentence
	Labels  []string // under the axis, one for each value
	Series  []Series // one or two
	Every   int      // show each so manieth label; 0: so that about five are shown
}

// The size of a drawing, in its own units.
const (
	wide, high   = 560, 170
	start, floor = 34, 150
	ceiling      = 12
)

type canvas struct{ strings.Builder }

func (c *canvas) add(format string, args ...any) { fmt.Fprintf(c, format, args...) }

// open begins a drawing that has a name and a description.
func (c *canvas) open(f Figure, box string) {
	c.add(`<svg viewBox="%s" role="img" aria-labelledby="%s-t %s-d"><title id="%s-t">%s</title><desc id="%s-d">%s</desc>`,
		box, f.ID, f.ID, f.ID, html.EscapeString(f.Title), f.ID, html.EscapeString(f.Finding))
}

func (c *canvas) text(x, y float64, anchor, s string) {
	c.add(`<text class="axis" x="%s" y="%s" text-anchor="%s" direction="ltr">%s</text>`, num(x), num(y), anchor, html.EscapeString(s))
}

// num writes a coordinate shortly.
func num(f float64) string {
	return strings.TrimSuffix(strings.TrimRight(strconv.FormatFloat(f, 'f', 1, 64), "0"), ".")
}

// top is the largest value, rounded up to what people read easily.
func (f Figure) top() int64 {
	most := int64(1)
	for _, s := range f.Series {
		for _, v := range s.Values {
			most = max(most, v)
		}
	}
	for unit := int64(1); ; unit *= 10 {
		for _, step := range []int64{1, 2, 5} {
			if step*unit >= most {
				return step * unit
			}
		}
	}
}

func (f Figure) count() int {
	n := len(f.Labels)
	for _, s := range f.Series {
		n = max(n, len(s.Values))
	}
	return n
}

// frame draws the lines behind and the axis.
func (c *canvas) frame(f Figure, x func(i int) float64, number func(int64) string) {
	top := f.top()
	for _, part := range []int64{0, 1, 2} {
		v, y := top*part/2, level(top*part/2, top)
		if part == 1 && top%2 != 0 {
			continue
		}
		c.add(`<path class="gl" d="M%d %sH%d"/>`, start, num(y), wide)
		c.text(start-5, y+4, "end", number(v))
	}
	every := f.Every
	if every == 0 {
		every = max(1, len(f.Labels)/5)
	}
	for i, l := range f.Labels {
		if i%every == 0 {
			anchor := "middle"
			if i == 0 {
				anchor = "start"
			}
			c.text(x(i), floor+15, anchor, l)
		}
	}
}

func level(v, top int64) float64 {
	return floor - float64(v)/float64(top)*(floor-ceiling)
}

// Line draws one or two series over time: the first with its area, the second
// broken, so that they differ without colour.
func Line(f Figure, number func(int64) string) string {
	var c canvas
	n := max(2, f.count())
	x := func(i int) float64 { return start + float64(i)*(wide-start-2)/float64(n-1) }
	c.open(f, fmt.Sprintf("0 0 %d %d", wide, high))
	c.frame(f, x, number)
	top := f.top()
	for k, s := range f.Series {
		if len(s.Values) == 0 {
			continue
		}
		var path strings.Builder
		for i, v := range s.Values {
			fmt.Fprintf(&path, "%s%s %s", map[bool]string{true: "M", false: "L"}[i == 0], num(x(i)), num(level(v, top)))
		}
		if k == 0 {
			c.add(`<path class="area" d="%sL%s %dL%d %dz"/>`, path.String(), num(x(len(s.Values)-1)), floor, start, floor)
		}
		c.add(`<path class="%s" d="%s"/>`, []string{"ln", "ln2"}[min(k, 1)], path.String())
	}
	c.add(`</svg>`)
	return c.String()
}

// Bars draws one series as bars, or two stacked on each other.
func Bars(f Figure, number func(int64) string) string {
	var c canvas
	n := max(1, f.count())
	step := float64(wide-start) / float64(n)
	c.open(f, fmt.Sprintf("0 0 %d %d", wide, high))
	sums := f
	if len(f.Series) > 1 {
		sums.Series = []Series{{Values: stacked(f)}}
	}
	c.frame(sums, func(i int) float64 { return start + (float64(i)+.5)*step }, number)
	top := sums.top()
	for i := range n {
		under := int64(0)
		for k, s := range f.Series {
			if i >= len(s.Values) || s.Values[i] <= 0 {
				continue
			}
			y, base := level(under+s.Values[i], top), level(under, top)
			c.add(`<rect class="%s" x="%s" y="%s" width="%s" height="%s"/>`, []string{"b1", "b2"}[min(k, 1)], num(start+float64(i)*step+step*.1), num(y), num(step*.8), num(base-y))
			under += s.Values[i]
		}
	}
	c.add(`</svg>`)
	return c.String()
}

func stacked(f Figure) []int64 {
	out := make([]int64, f.count())
	for _, s := range f.Series {
		for i, v := range s.Values {
			out[i] += max(0, v)
		}
	}
	return out
}

// Spark is a line of the height of a word. The words beside it say the same, so
// that it needs no name.
func Spark(values []int64) string {
	var c canvas
	f := Figure{Series: []Series{{Values: values}}}
	top := f.top()
	c.add(`<svg class="spark" viewBox="0 0 80 20" aria-hidden="true" focusable="false"><path class="ln" d="`)
	for i, v := range values {
		c.add("%s%s %s", map[bool]string{true: "M", false: "L"}[i == 0], num(1+float64(i)*78/float64(max(1, len(values)-1))), num(18-float64(v)/float64(top)*16))
	}
	c.add(`"/></svg>`)
	return c.String()
}

// Quarters are how many quarter-hours a heat strip shows.
const Quarters = 96

// Heat draws a day in quarter-hours: 0 nothing known, 1 well, 2 on trial, 3
// broken. The three stand at different heights, so that they differ without
// colour.
func Heat(f Figure, states []int) string {
	var c canvas
	c.open(f, "0 0 384 22")
	for i, s := range states[:min(len(states), Quarters)] {
		if s <= 0 {
			continue
		}
		h := []int{0, 6, 13, 20}[min(s, 3)]
		c.add(`<rect class="h%d" x="%d" y="%d" width="3" height="%d"/>`, min(s, 3), i*4, 21-h, h)
	}
	c.add(`<path class="gl" d="M0 21.5H384"/></svg>`)
	return c.String()
}
