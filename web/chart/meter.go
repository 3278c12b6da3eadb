package chart

import "fmt"

// Meter draws how much of a hundred something is, from where a line of text begins. A
// mark shows how much it was before; below 0 there is none. The numbers stand beside it.
func Meter(points, before int, rtl bool) string {
	var c canvas
	x := func(from, width int) int {
		if rtl {
			return 100 - from - width
		}
		return from
	}
	c.add(`<svg class="meter" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true" focusable="false"><rect class="all" width="100" height="6"/>`)
	if points = min(max(points, 0), 100); points > 0 {
		c.add(`<rect class="part" x="%d" width="%d" height="6"/>`, x(0, points), points)
	}
	if before >= 0 {
		c.add(`<rect class="was" x="%d" width="1" height="6"/>`, x(min(before, 99), 1))
	}
	fmt.Fprint(&c, `</svg>`)
	return c.String()
}
