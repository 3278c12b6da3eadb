package catalog

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"tiwiza/marketplace/media"
	"tiwiza/marketplace/members"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/id"
	"tiwiza/pkg/money"
)

// offer is the offer that a seller asks to be made.
func (in CreateInput) offer(seller string) (Offer, error) {
	o := Offer{
		ID: id.New(id.Offer), Seller: seller, Ref: in.Key, Kind: cmp.Or(in.Kind, Product), Way: in.Way, Category: in.Category,
		Attributes: writtenAll(in.Attributes), Names: texts(in.Names), Descriptions: texts(in.Descriptions),
		Region: in.Region, Commune: in.Commune, WithdrawalExempt: in.WithdrawalExempt, Image: in.Image,
		State: Draft, Labels: labels(in.Labels),
	}
	if o.Ref == "" {
		o.Ref = o.ID
	}
	o = in.on(o)
	if in.Point != nil {
		o.Lat, o.Lng = &in.Point.Lat, &in.Point.Lng
	}
	o, wrong := o.settle()
	seen := map[string]bool{}
	for i, v := range in.Variants {
		at := fmt.Sprintf("/variants/%d", i)
		n, bad := v.SupplyInput.on(Variant{SKU: v.SKU, Names: texts(v.Names), Unit: v.Unit, WeightG: v.WeightG, Price: v.Price, OnHand: v.OnHand})
		n, more := o.newVariant(n)
		bad = append(bad, more...)
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
	o, wrong := in.on(o).settle()
	o.Variants = slices.Clone(o.Variants)
	seen := map[string]bool{}
	for i, p := range in.Variants {
		at := fmt.Sprintf("/variants/%d", i)
		n := slices.IndexFunc(o.Variants, func(v Variant) bool { return v.SKU == p.SKU })
		var bad, more findings
		if n < 0 {
			v, wrong := p.on(Variant{SKU: p.SKU, Names: map[string]string{}})
			v, more = o.newVariant(v)
			o.Variants, bad = append(o.Variants, v), append(wrong, more...)
		} else {
			was := o.Variants[n]
			o.Variants[n], bad = p.on(was)
			bad = append(bad, append(o.Variants[n].check(), o.suits(o.Variants[n])...)...)
			if o.Variants[n] = o.usual(o.Variants[n]); was.Policy != o.Variants[n].Policy {
				bad = append(bad, o.coded(o.Variants[n], 0)...)
			}
		}
		if seen[p.SKU] {
			bad.add("/sku", "This SKU is given twice.")
		}
		seen[p.SKU] = true
		wrong = append(wrong, prefixed(at, bad)...)
	}
	return o, invalid(wrong)
}

func (p VariantPatch) on(v Variant) (Variant, findings) {
	set(&v.Unit, p.Unit)
	set(&v.WeightG, p.WeightG)
	set(&v.Price, p.Price)
	if p.Names != nil {
		v.Names = texts(p.Names)
	}
	return p.SupplyInput.on(v)
}

// on is the variant with what is given changed.
func (in SupplyInput) on(v Variant) (Variant, findings) {
	var f findings
	if in.Net != nil {
		v.Net = Net{in.Net.Quantity, in.Net.Unit}
	}
	if in.Tiers != nil {
		v.Tiers = nil
		for i, t := range *in.Tiers {
			if t.Price.Currency() != money.MAD {
				f.add(pointer("/tiers", i, "/price"), "Prices are in dirhams.")
			}
			v.Tiers = append(v.Tiers, Tier{t.From, t.Price.Centimes()})
		}
	}
	set(&v.Policy, in.Policy)
	if in.Policy != nil && v.Policy != MadeToOrder {
		v.Weekly = 0
	}
	set(&v.LeadDays, in.LeadDays)
	set(&v.Weekly, in.Weekly)
	set(&v.Minutes, in.Minutes)
	if in.StartsAt != nil {
		v.StartsAt = in.StartsAt
	}
	return v, f
}

// on is the offer with what is given changed.
func (in SayingInput) on(o Offer) Offer {
	if in.Attributes != nil {
		o.Attributes = writtenAll(in.Attributes)
	}
	if in.Claims != nil {
		o.Claims = *in.Claims
	}
	set(&o.Voice, in.Voice)
	return o
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
func invalid(details []fault.Detail) error { return refusal(ErrInvalid, details) }

// refusal is the error with the details, or nil when there are none.
func refusal(err *fault.Error, details []fault.Detail) error {
	if len(details) == 0 {
		return nil
	}
	for _, d := range details {
		err = err.At(d.Pointer, d.Detail)
	}
	return err
}

// view is an offer as everyone may see it.
func view(o Offer, s members.Seller) View {
	v := View{
		ID: o.ID, Names: o.Names, Descriptions: o.Descriptions, Seller: SellerView{o.Seller, texts(s.Names)},
		Kind: o.Kind, Way: o.Way, Category: o.Category, Attributes: typed(o), Claims: o.Claims, Voice: o.Voice, Reopens: o.Reopens,
		Region: o.Region, Commune: o.Commune, Variants: []VariantView{}, Labels: []LabelView{},
		Images: []ImageView{}, WithdrawalExempt: o.WithdrawalExempt, State: o.State, Version: o.Version,
	}
	v.Rating = rating(o)
	if o.Voice != "" {
		v.VoiceURL = media.SoundAddress(o.Voice)
	}
	if o.Lat != nil {
		v.Point = &PointView{*o.Lat, *o.Lng}
	}
	if o.PublishedAt != nil {
		at := o.PublishedAt.UTC().Format(time.RFC3339)
		v.PublishedAt = &at
	}
	for _, x := range o.Photos {
		v.Images = append(v.Images, x.view().image())
	}
	if len(o.Photos) == 0 && o.Image != "" {
		v.Images = append(v.Images, ImageView{URL: drawings + o.Image, Drawing: true})
	}
	for _, x := range o.Variants {
		v.Variants = append(v.Variants, x.view())
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
		v.Variants[i].OnHand, v.Variants[i].Reserved, v.Variants[i].Weekly = &x.OnHand, &x.Reserved, x.Weekly
	}
	for _, l := range o.Labels {
		v.LabelsOwn = append(v.LabelsOwn, deskView(l, nil))
	}
	if o.Asked != nil {
		asked := o.Asked.view()
		v.Asked = &asked
	}
	return v
}

func (v Variant) view() VariantView {
	out := VariantView{
		ID: v.ID, SKU: v.SKU, Names: v.Names, Unit: v.Unit, WeightG: v.WeightG, Price: v.Price, Tiers: []TierView{}, Policy: v.Policy,
		LeadDays: v.LeadDays, StartsAt: v.StartsAt, Minutes: v.Minutes, Available: v.Available(),
	}
	if v.Net.Quantity > 0 {
		out.Net = &NetView{v.Net.Quantity, v.Net.Unit}
	}
	if price, per, ok := v.UnitPrice(); ok {
		out.UnitPrice = &UnitPriceView{price, per}
	}
	for _, t := range v.Tiers {
		out.Tiers = append(out.Tiers, TierView{t.From, money.FromCentimes(t.Price, v.Price.Currency())})
	}
	return out
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
		v := LabelView{l.ID, l.Code, l.Issuer, l.Number, l.From, nil, ""}
		if l.VerifiedAt != nil {
			v.Verified = today(*l.VerifiedAt)
		}
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
		Kind: c.Kind, Way: c.Way, Reopens: c.Reopens,
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
