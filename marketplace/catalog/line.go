package catalog

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"tiwiza/pkg/fault"
)

// offer is o with what the row says of it, checked.
func (l line) offer(o Offer) (Offer, []fault.Detail) {
	o.Names, o.Descriptions = maps.Clone(o.Names), maps.Clone(o.Descriptions)
	for _, lang := range languages {
		l.say(o.Names, lang, "name_"+lang)
		l.say(o.Descriptions, lang, "description_"+lang)
	}
	was := o
	if c, said := l.cell("category"); said {
		o.Category, _ = l.file.shelves.of(c)
	}
	l.to(&o.WithdrawalExempt, "withdrawal_exempt")
	l.to(&o.Image, "image")
	l.to(&o.Voice, "voice")
	if c := l.text("kind"); c != "" {
		o.Kind = Kind(c)
	}
	if c, said := l.cell("way"); said {
		o.Way = Way(c)
	}
	if _, said := l.cell("claims"); said {
		o.Claims = l.bars("claims")
	}
	l.to(&o.Region, "region")
	l.to(&o.Commune, "commune")
	var f findings
	if _, said := l.cell("attributes"); said {
		o.Attributes = f.pairs(l.bars("attributes"))
	}
	lat, ok1 := degrees(l.text("lat"))
	lng, ok2 := degrees(l.text("lng"))
	if !ok1 {
		f.add("/lat", "%q is not a latitude in degrees, as 30.42.", l.text("lat"))
	}
	if !ok2 {
		f.add("/lng", "%q is not a longitude in degrees, as -9.58.", l.text("lng"))
	}
	if _, said := l.cell("lat"); said || o.Commune != was.Commune {
		o.Lat, o.Lng = lat, lng
	}
	if _, said := l.cell("label"); said {
		var bad []fault.Detail
		o.Labels, bad = l.labels()
		f = append(f, bad...)
	}
	o, wrong := o.settle()
	for i, d := range wrong {
		if c := l.text("category"); d.Pointer == "/category" && c != "" {
			wrong[i].Detail = d.Detail + fmt.Sprintf(" Or say what you mean, once for all your files, with category=%s=….", clipped(c, longestName))
		}
	}
	return o, append(f, wrong...)
}

// variant is v with what the row says of it, checked.
func (l line) variant(v Variant) (Variant, []fault.Detail) {
	var f findings
	v.Names = maps.Clone(v.Names)
	for _, lang := range languages {
		l.say(v.Names, lang, "variant_"+lang)
	}
	l.to(&v.Unit, "unit")
	if c := l.text("weight_g"); c != "" {
		n, ok := whole(c)
		if !ok {
			f.add("/weight_g", "%q is not a weight in whole grams.", c)
		}
		v.WeightG = n
	}
	if c := l.text("stock"); c != "" {
		n, ok := whole(c)
		if !ok {
			f.add("/stock", "%q is not a whole number; write a thousand as 1000.", c)
		} else if n >= 0 && n < v.Reserved {
			f.add("/stock", "%s", heldBack(v.Reserved))
		} else if n >= 0 && n < v.Least {
			f.add("/stock", "%d lie at named places or are held; the stock of places is changed place by place.", v.Least)
		}
		v.OnHand = n
	}
	p, wrong := price(l.text("price"))
	if wrong != "" {
		f.add("/price", "%s", wrong)
	}
	v.Price = p
	f.supplied(l, &v)
	for _, d := range onColumns(v.check(), "/variant_", "") {
		if d.Pointer != "/price" || wrong == "" {
			f = append(f, d)
		}
	}
	return v, f
}

// labels are the labels the row claims: as many as its first label column has,
// with bars between them; the other columns have as many, or one for all.
func (l line) labels() ([]Label, findings) {
	codes := l.bars("label")
	labels := make([]Label, len(codes))
	var f findings
	for _, c := range []struct {
		column string
		field  func(*Label) *string
	}{
		{"label", func(x *Label) *string { return &x.Code }},
		{"label_issuer", func(x *Label) *string { return &x.Issuer }},
		{"label_number", func(x *Label) *string { return &x.Number }},
		{"label_from", func(x *Label) *string { return &x.From }},
		{"label_to", func(x *Label) *string { return &x.To }},
	} {
		cells := l.bars(c.column)
		if c.column == "label_from" || c.column == "label_to" {
			for i, cell := range cells {
				cells[i] = l.file.date(cell)
			}
		}
		if len(codes) > 0 && len(cells) > 1 && len(cells) != len(codes) {
			f.add("/"+c.column, "There are %d labels and %d values here; give one for each, with bars between them.", len(codes), len(cells))
			continue
		}
		for i := range labels {
			switch {
			case len(cells) == 1:
				*c.field(&labels[i]) = cells[0]
			case len(cells) > 1:
				*c.field(&labels[i]) = cells[i]
			}
		}
	}
	return labels, f
}

// supplied sets what the row says of how much is in the variant, what many cost
// and where it comes from.
func (f *findings) supplied(l line, v *Variant) {
	for _, c := range []struct {
		column string
		field  *int
	}{{"net_quantity", &v.Net.Quantity}, {"lead_days", &v.LeadDays}, {"weekly", &v.Weekly}, {"minutes", &v.Minutes}} {
		cell, said := l.cell(c.column)
		n, ok := whole(cell)
		if said && cell != "" && !ok {
			f.add("/"+c.column, "%q is not a whole number.", cell)
		}
		if said {
			*c.field = n
		}
	}
	l.to(&v.Net.Unit, "net_unit")
	if c := l.text("policy"); c != "" {
		v.Policy = Policy(c)
	}
	if _, said := l.cell("tiers"); said {
		v.Tiers = f.tierCells(l.bars("tiers"))
	}
	if c, said := l.cell("starts_at"); said {
		v.StartsAt = f.begins(l, c)
	}
}

// tierCells reads prices by number, as 6: 120.00 | 12: 110.00.
func (f *findings) tierCells(cells []string) []Tier {
	var out []Tier
	for _, c := range cells {
		from, sum, _ := strings.Cut(c, ":")
		n, ok := whole(from)
		p, wrong := price(strings.TrimSpace(sum))
		if !ok || wrong != "" {
			f.add("/tiers", "%q is not a price by number; write 6: 120.00 | 12: 110.00.", c)
			continue
		}
		out = append(out, Tier{n, p.Centimes()})
	}
	return out
}

// begins reads when a date begins.
func (f *findings) begins(l line, cell string) *time.Time {
	if cell == "" {
		return nil
	}
	t, ok := l.file.moment(cell)
	if !ok {
		f.add("/starts_at", "Write when it begins as 2026-01-31 14:30.")
		return nil
	}
	return &t
}

// pairs reads attributes, as pressing=cold | harvest_year=2025.
func (f *findings) pairs(cells []string) map[string]string {
	out := map[string]string{}
	for _, c := range cells {
		code, value, ok := strings.Cut(c, "=")
		if code = strings.TrimSpace(code); !ok || out[code] != "" {
			f.add("/attributes", "Write attributes as pressing=cold | harvest_year=2025, each once.")
			continue
		}
		out[code] = strings.TrimSpace(value)
	}
	return out
}

// bars are the values of a cell that may have several.
func (l line) bars(column string) []string {
	if l.text(column) == "" {
		return nil
	}
	values := strings.Split(l.text(column), "|")
	for i, v := range values {
		values[i] = strings.TrimSpace(v)
	}
	return values
}

// to sets a field to the cell, if the file has the column.
func (l line) to(field *string, column string) {
	if c, said := l.cell(column); said {
		*field = c
	}
}

func (l line) say(texts map[string]string, lang, column string) {
	c, said := l.cell(column)
	switch {
	case said && c == "":
		delete(texts, lang)
	case said:
		texts[lang] = c
	}
}

// differs reports where a row says something else about its offer than the
// row that came first.
func (l line) differs(first line) []fault.Detail {
	var f findings
	for _, column := range columns {
		if slices.Contains(ofVariant, column) {
			continue
		}
		if c := l.text(column); c != "" && c != first.text(column) {
			f.add("/"+column, "Row %d says otherwise for the same offer; what is said of an offer is the same in all its rows, or left empty.", first.row)
		}
	}
	labels, bad := l.labels()
	for _, label := range labels {
		bad.label("/labels/0", label)
	}
	return append(f, onColumns(bad, "", "")...)
}
