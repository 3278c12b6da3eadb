package catalog

import (
	"maps"
	"slices"
	"strings"
	"time"

	"tiwiza/pkg/clock"
	"tiwiza/pkg/fault"
)

// offer is o with what the row says of it, checked.
func (l line) offer(o Offer) (Offer, []fault.Detail) {
	o.Names, o.Descriptions = maps.Clone(o.Names), maps.Clone(o.Descriptions)
	for _, lang := range languages {
		l.text(o.Names, lang, "name_"+lang)
		l.text(o.Descriptions, lang, "description_"+lang)
	}
	was := o
	l.to(&o.Category, "category")
	l.to(&o.WithdrawalExempt, "withdrawal_exempt")
	l.to(&o.Image, "image")
	l.to(&o.Voice, "voice")
	if c := l.cells["kind"]; c != "" {
		o.Kind = Kind(c)
	}
	if c, said := l.cells["way"]; said {
		o.Way = Way(c)
	}
	if _, said := l.cells["claims"]; said {
		o.Claims = l.bars("claims")
	}
	l.to(&o.Region, "region")
	l.to(&o.Commune, "commune")
	var f findings
	if _, said := l.cells["attributes"]; said {
		o.Attributes = f.pairs(l.bars("attributes"))
	}
	lat, ok1 := degrees(l.cells["lat"])
	lng, ok2 := degrees(l.cells["lng"])
	if !ok1 {
		f.add("/lat", "%q is not a latitude in degrees, as 30.42.", l.cells["lat"])
	}
	if !ok2 {
		f.add("/lng", "%q is not a longitude in degrees, as -9.58.", l.cells["lng"])
	}
	if _, said := l.cells["lat"]; said || o.Commune != was.Commune {
		o.Lat, o.Lng = lat, lng
	}
	if _, said := l.cells["label"]; said {
		var bad []fault.Detail
		o.Labels, bad = l.labels()
		f = append(f, bad...)
	}
	o, wrong := o.settle()
	return o, append(f, wrong...)
}

// variant is v with what the row says of it, checked.
func (l line) variant(v Variant) (Variant, []fault.Detail) {
	var f findings
	v.Names = maps.Clone(v.Names)
	l.text(v.Names, "fr", "variant_fr")
	l.text(v.Names, "ar", "variant_ar")
	l.to(&v.Unit, "unit")
	if c := l.cells["weight_g"]; c != "" {
		n, ok := whole(c)
		if !ok {
			f.add("/weight_g", "%q is not a weight in whole grams.", c)
		}
		v.WeightG = n
	}
	if c := l.cells["stock"]; c != "" {
		n, ok := whole(c)
		if !ok {
			f.add("/stock", "%q is not a whole number.", c)
		} else if n < v.Reserved {
			f.add("/stock", "%s", heldBack(v.Reserved))
		} else if n < v.Least {
			f.add("/stock", "%d lie at named places or are held; the stock of places is changed place by place.", v.Least)
		}
		v.OnHand = n
	}
	p, wrong := price(l.cells["price"])
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
		cell, said := l.cells[c.column]
		n, ok := whole(cell)
		if said && cell != "" && !ok {
			f.add("/"+c.column, "%q is not a whole number.", cell)
		}
		if said {
			*c.field = n
		}
	}
	l.to(&v.Net.Unit, "net_unit")
	if c := l.cells["policy"]; c != "" {
		v.Policy = Policy(c)
	}
	if _, said := l.cells["tiers"]; said {
		v.Tiers = f.tierCells(l.bars("tiers"))
	}
	if c, said := l.cells["starts_at"]; said {
		v.StartsAt = f.moment(c)
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

// moment reads when a date begins, in Morocco's time unless it says another.
func (f *findings) moment(cell string) *time.Time {
	if cell == "" {
		return nil
	}
	t, err := time.Parse(time.RFC3339, cell)
	if err != nil {
		if t, err = time.ParseInLocation("2006-01-02 15:04", cell, clock.Morocco); err != nil {
			f.add("/starts_at", "Write when it begins as 2026-01-31 14:30.")
			return nil
		}
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
	if l.cells[column] == "" {
		return nil
	}
	values := strings.Split(l.cells[column], "|")
	for i, v := range values {
		values[i] = strings.TrimSpace(v)
	}
	return values
}

// to sets a field to the cell, if the file has the column.
func (l line) to(field *string, column string) {
	if c, said := l.cells[column]; said {
		*field = c
	}
}

func (l line) text(texts map[string]string, lang, column string) {
	c, said := l.cells[column]
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
		if c := l.cells[column]; c != "" && c != first.cells[column] {
			f.add("/"+column, "Row %d says otherwise for the same offer; what is said of an offer is the same in all its rows, or left empty.", first.row)
		}
	}
	labels, bad := l.labels()
	for _, label := range labels {
		bad.label("/labels/0", label)
	}
	return append(f, onColumns(bad, "", "")...)
}
