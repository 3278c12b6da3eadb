package catalog

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"tiwiza/marketplace/members"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/id"
	"tiwiza/pkg/money"
)

// offer is the offer that a seller asks to be made.
func (in CreateInput) offer(seller string) (Offer, error) {
	o := Offer{
		ID: id.New(id.Offer), Seller: seller, Ref: in.Key, Category: in.Category, Names: texts(in.Names), Descriptions: texts(in.Descriptions),
		Region: in.Region, Commune: in.Commune, WithdrawalExempt: in.WithdrawalExempt, Image: in.Image,
		State: Draft, Labels: labels(in.Labels),
	}
	if o.Ref == "" {
		o.Ref = o.ID
	}
	if in.Point != nil {
		o.Lat, o.Lng = &in.Point.Lat, &in.Point.Lng
	}
	o, wrong := o.settle()
	seen := map[string]bool{}
	for i, v := range in.Variants {
		at := fmt.Sprintf("/variants/%d", i)
		n, bad := newVariant(Variant{SKU: v.SKU, Names: texts(v.Names), Unit: v.Unit, WeightG: v.WeightG, Price: v.Price, OnHand: v.OnHand})
		wrong = append(wrong, prefixed(at, bad)...)
		if seen[v.SKU] {
			wrong = append(wrong, fault.Detail{Pointer: at + "/sku", Detail: "This SKU is given twice."})
		}
		seen[v.SKU] = true
		o.Variants = append(o.Variants, n)
	}
	return o, invalid(wrong)
}

// apply is the offer with what is given changed. A variant that is added
// starts without stock.
func (in UpdateInput) apply(o Offer) (Offer, error) {
	set(&o.Category, in.Category)
	set(&o.WithdrawalExempt, in.WithdrawalExempt)
	set(&o.Image, in.Image)
	if in.Names != nil {
		o.Names = texts(in.Names)
	}
	if in.Descriptions != nil {
		o.Descriptions = texts(in.Descriptions)
	}
	if in.Region != nil || in.Commune != nil {
		o.Region, o.Lat, o.Lng = "", nil, nil // the old ones followed from the old commune
		set(&o.Region, in.Region)
		set(&o.Commune, in.Commune)
	}
	if in.Point != nil {
		o.Lat, o.Lng = &in.Point.Lat, &in.Point.Lng
	}
	if in.Labels != nil {
		o.Labels = labels(*in.Labels)
	}
	o, wrong := o.settle()
	seen := map[string]bool{}
	for i, p := range in.Variants {
		at := fmt.Sprintf("/variants/%d", i)
		n := slices.IndexFunc(o.Variants, func(v Variant) bool { return v.SKU == p.SKU })
		var bad []fault.Detail
		if n < 0 {
			v, bad := newVariant(p.on(Variant{SKU: p.SKU, Names: map[string]string{}}))
			wrong = append(wrong, prefixed(at, bad)...)
			o.Variants = append(o.Variants, v)
		} else {
			o.Variants[n] = p.on(o.Variants[n])
			bad = o.Variants[n].check()
		}
		if seen[p.SKU] {
			bad = append(bad, fault.Detail{Pointer: "/sku", Detail: "This SKU is given twice."})
		}
		seen[p.SKU] = true
		wrong = append(wrong, prefixed(at, bad)...)
	}
	return o, invalid(wrong)
}

func (p VariantPatch) on(v Variant) Variant {
	set(&v.Unit, p.Unit)
	set(&v.WeightG, p.WeightG)
	set(&v.Price, p.Price)
	if p.Names != nil {
		v.Names = texts(p.Names)
	}
	return v
}

func set[T any](field *T, to *T) {
	if to != nil {
		*field = *to
	}
}

// texts is a copy without empty texts, never nil.
func texts(in map[string]string) map[string]string {
	out := make(map[string]string, len(in))
	for lang, t := range in {
		if t = tidy(t); t != "" {
			out[lang] = t
		}
	}
	return out
}

func labels(in []LabelInput) []Label {
	out := make([]Label, len(in))
	for i, l := range in {
		out[i] = Label{Code: l.Code, Issuer: l.Issuer, Number: l.Number, From: l.ValidFrom, To: l.ValidTo}
	}
	return out
}

// invalid is ErrInvalid with the details, or nil when there are none.
func invalid(details []fault.Detail) error {
	if len(details) == 0 {
		return nil
	}
	err := ErrInvalid
	for _, d := range details {
		err = err.At(d.Pointer, d.Detail)
	}
	return err
}

// view is an offer as everyone may see it.
func view(o Offer, s members.Seller) View {
	v := View{
		ID: o.ID, Names: o.Names, Descriptions: o.Descriptions, Seller: SellerView{o.Seller, texts(s.Names)},
		Category: o.Category, Region: o.Region, Commune: o.Commune, Variants: []VariantView{}, Labels: []LabelView{},
		Images: []ImageView{}, WithdrawalExempt: o.WithdrawalExempt, State: o.State, Version: o.Version,
	}
	if o.Lat != nil {
		v.Point = &PointView{*o.Lat, *o.Lng}
	}
	if o.PublishedAt != nil {
		at := o.PublishedAt.UTC().Format(time.RFC3339)
		v.PublishedAt = &at
	}
	if o.Image != "" {
		v.Images = append(v.Images, ImageView{URL: drawings + o.Image, Drawing: true})
	}
	for _, x := range o.Variants {
		v.Variants = append(v.Variants, VariantView{
			ID: x.ID, SKU: x.SKU, Names: x.Names, Unit: x.Unit,
			WeightG: x.WeightG, Price: x.Price, Available: x.Available(),
		})
		v.Available = v.Available || x.Available() > 0
	}
	v.Labels = labelViews(o.Labels)
	return v
}

// viewOwn is an offer as its owner sees it: with its key and its stock.
func viewOwn(o Offer, s members.Seller) View {
	v := view(o, s)
	v.Key = o.Ref
	for i, x := range o.Variants {
		v.Variants[i].OnHand, v.Variants[i].Reserved = &x.OnHand, &x.Reserved
	}
	return v
}

// drawings is where they are served.
const drawings = "/media/"

// labelViews shows labels that are in date.
func labelViews(all []Label) []LabelView {
	out := []LabelView{}
	for _, l := range all {
		if !l.Current {
			continue
		}
		v := LabelView{l.Code, l.Issuer, l.Number, l.From, nil}
		if l.To != "" {
			v.ValidTo = &l.To
		}
		out = append(out, v)
	}
	return out
}

func (c card) view(s members.Seller) CardView {
	v := CardView{
		ID: c.ID, Names: c.Names, Seller: SellerView{c.Seller, texts(s.Names)}, Price: money.FromCentimes(c.Price, c.Currency),
		Category: c.Category, Region: c.Region, Labels: labelViews(c.Labels), Available: c.Available,
	}
	switch {
	case c.Photo != nil:
		photo := Photo(*c.Photo).view()
		url := photo.shown()
		v.Image, v.Photo = &url, &photo
	case c.Image != "":
		url := drawings + c.Image
		v.Image, v.Drawing = &url, true
	}
	return v
}

// sameWords says that two variants would be written alike, apart from their
// stock.
func (v Variant) sameWords(o Variant) bool {
	return v.SKU == o.SKU && maps.Equal(v.Names, o.Names) && v.Unit == o.Unit && v.WeightG == o.WeightG && v.Price.Equal(o.Price)
}
