package ui_test

import (
	"fmt"
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

func css(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	for _, name := range []string{"app.css", "seller.css", "desk.css"} {
		b, err := os.ReadFile("../static/" + name)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(b)
	}
	return all.String()
}

var token = regexp.MustCompile(`--([a-z0-9-]+):(#[0-9A-Fa-f]{3,6})`)

// The look is kept by rules that can be searched for: colours are tokens, no
// gradient, no shadow but the focus, no side that is left or right.
func TestTheStylesKeepTheLook(t *testing.T) {
	t.Parallel()
	whole := css(t)
	rules := whole[strings.Index(whole, "@layer reset{"):]
	for pattern, why := range map[string]string{
		`gradient\(`:                 "no gradients",
		`#[0-9A-Fa-f]{3,6}\b`:        "colours are tokens",
		`[{;](left|right|float)\s*:`: "sides are start and end",
		`(margin|padding|border)-(left|right|top|bottom)\b`: "sides are logical",
		`text-align:(left|right)`:                           "text stands at the start or the end",
		`font-family:[^v}]`:                                 "faces are tokens",
		`border-radius:[1-9]\dp`:                            "corners have one radius",
	} {
		if m := regexp.MustCompile(pattern).FindString(rules); m != "" {
			t.Errorf("%q: %s", m, why)
		}
	}
	for _, m := range regexp.MustCompile(`([^{}]*)\{[^{}]*box-shadow:([^;}]*)`).FindAllStringSubmatch(rules, -1) {
		if !strings.Contains(m[1], "focus") && !strings.HasPrefix(m[2], "inset 0 -") {
			t.Errorf("%s has the shadow %s", m[1], m[2])
		}
	}
}

// Pairs that are read in the sun have a contrast of 4.5 at least (WCAG 2.2,
// 1.4.3), borders of what is pressed one of 3.
func TestColoursCanBeRead(t *testing.T) {
	t.Parallel()
	colour := map[string]string{}
	for _, m := range token.FindAllStringSubmatch(css(t), -1) {
		colour[m[1]] = m[2]
	}
	for _, p := range []struct {
		ink, paper string
		least      float64
	}{
		{"ink", "white", 7},
		{"ink", "chaux", 7},
		{"ink", "safran", 7},
		{"ink-2", "white", 4.5},
		{"ink-2", "chaux", 4.5},
		{"nila", "white", 4.5},
		{"nila", "chaux", 4.5},
		{"nila", "nila-wash", 4.5},
		{"garance", "white", 4.5},
		{"garance", "garance-wash", 4.5},
		{"olive", "olive-wash", 4.5},
		{"safran-deep", "safran-wash", 4.5},
		{"line-2", "white", 3},
		{"white", "note-200", 4.5},
		{"white", "note-100", 4.5},
		{"white", "note-50", 4.5},
		{"white", "note-20", 4.5},
		{"white", "coin", 4.5},
	} {
		if got := contrast(t, colour[p.ink], colour[p.paper]); got < p.least {
			t.Errorf("%s on %s has a contrast of %.1f, want %.1f", p.ink, p.paper, got, p.least)
		}
	}
}

// contrast is the contrast of two colours, after WCAG 2.2.
func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	x, y := luminance(t, a), luminance(t, b)
	return (math.Max(x, y) + 0.05) / (math.Min(x, y) + 0.05)
}

func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	hex = strings.TrimPrefix(hex, "#")
	if len(hex) == 3 {
		hex = fmt.Sprintf("%c%c%c%c%c%c", hex[0], hex[0], hex[1], hex[1], hex[2], hex[2])
	}
	var sum float64
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		n, err := strconv.ParseUint(hex[2*i:2*i+2], 16, 8)
		if err != nil {
			t.Fatalf("%q is no colour", hex)
		}
		c := float64(n) / 255
		if c <= 0.03928 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		sum += weight * c
	}
	return sum
}
