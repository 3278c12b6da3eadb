package ui

import (
	"fmt"
	"strconv"

	"github.com/a-h/templ"

	"tiwiza/pkg/money"
)

// htmxConfig makes htmx add no style and no code of its own, and send nothing
// elsewhere.
const htmxConfig = `{"extensions":"hx-csp","includeIndicatorCSS":false,"mode":"same-origin","inlineScriptNonce":""}`

// drawing is an icon as markup.
func drawing(name, class string) string {
	return `<svg class="` + class + `" viewBox="0 0 24 24" aria-hidden="true" focusable="false">` + icons[name] + `</svg>`
}

// markup is an amount whose digits stay in order in any direction.
func (l Lang) markup(m money.Money, digits string) string {
	unit, before := l.Unit(m)
	n := `<bdi class="num" dir="ltr">` + digits + `</bdi>`
	if l == Arabic {
		unit = `<span class="unit">` + unit + `</span>`
	}
	if before {
		return unit + noBreak + n
	}
	return n + noBreak + unit
}

// title is the page's title with the platform's name.
func (p *Page) title() string {
	if p.Title == "" {
		return p.T("common.tagline")
	}
	return p.Title + " – " + p.T("common.brand")
}

// home is where the name of the platform leads.
func (p *Page) home() templ.SafeURL {
	switch p.Desk {
	case Seller:
		return p.URL("/v")
	case Operator:
		return p.URL("/op")
	case Partner:
		return p.URL("/b")
	case Office:
		return p.URL("/i")
	}
	return p.URL("/")
}

// seated says at which seat the page was opened: what waits for the network is
// sent from that one alone.
func (p *Page) seated() templ.Attributes {
	if p.Seat == "" {
		return nil
	}
	return templ.Attributes{"data-seat": p.Seat}
}

// kind is the type of a field's input.
func (f Field) kind() string {
	if f.Type == "" {
		return "text"
	}
	return f.Type
}

// described are a field's attributes that are only there when they are needed.
func (f Field) described() templ.Attributes {
	a := templ.Attributes{}
	var by string
	if f.Hint != "" {
		by = "h-" + f.Name
	}
	if f.Error != "" {
		by = join(by, "e-"+f.Name)
		a["aria-invalid"] = "true"
	}
	for name, v := range map[string]string{"aria-describedby": by, "inputmode": f.Mode, "autocomplete": f.Complete, "pattern": f.Pattern} {
		if v != "" {
			a[name] = v
		}
	}
	if f.Max > 0 {
		a["maxlength"] = strconv.Itoa(f.Max)
	}
	if len(f.List) > 0 {
		a["list"] = "l-" + f.Name
	}
	return a
}

func join(a, b string) string {
	if a == "" {
		return b
	}
	return fmt.Sprintf("%s %s", a, b)
}

// current marks what is here, or now.
func current(here bool) templ.Attributes {
	if !here {
		return nil
	}
	return templ.Attributes{"aria-current": "true"}
}

// pointed is the class of an icon beside a word: one that points somewhere turns
// with the direction of the page.
func pointed(icon string) string {
	if icon == "arrow-right" || icon == "send" || icon == "truck" {
		return "i flip"
	}
	return "i"
}
