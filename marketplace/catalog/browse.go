package catalog

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"tiwiza/marketplace/members"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/money"
	"tiwiza/search"
)

// ErrQuery says that a filter is understood but makes no sense.
var ErrQuery = fault.New(fault.Invalid, "catalog.query", "Some of what you look for cannot be; see errors.")

// List finds offers for anyone. What the index found is read anew from the
// catalogue, so that prices, stock and labels are those of now; an offer that
// went out of sight in between is left out.
func (s *Service) List(ctx context.Context, in ListInput) (ListView, error) {
	q, err := in.query()
	if err != nil {
		return ListView{}, err
	}
	found, err := s.index.Query(ctx, q)
	if err != nil {
		return ListView{}, err
	}
	if in.Q != "" && in.Cursor == "" {
		s.asked.Note(search.Asked{Lang: in.Lang, Query: in.Q, Found: found.Estimate})
	}
	out := ListView{Data: []CardView{}, Facets: found.Facets, TotalEstimate: found.Estimate, Capped: found.Capped}
	if found.Next != "" {
		out.Next = &found.Next
	}
	if len(found.Hits) == 0 {
		return out, nil
	}
	ids := make([]string, len(found.Hits))
	for i, h := range found.Hits {
		ids[i] = h.ID
	}
	shown, err := cards(ctx, s.db, ids)
	if err != nil {
		return ListView{}, err
	}
	sellers, err := s.sellersOf(ctx, shown)
	if err != nil {
		return ListView{}, err
	}
	for _, h := range found.Hits {
		c, ok := shown[h.ID]
		if in.Label != "" && !slices.ContainsFunc(c.Labels, func(l Label) bool { return l.Code == in.Label }) {
			continue // it ended, and its timer is about to tell the index
		}
		if seller := sellers[c.Seller]; ok && seller.Active {
			v := c.view(seller)
			v.DistanceKM = h.DistanceKM
			v.Highlights = highlights(c.Names, found.Terms)
			out.Data = append(out.Data, v)
		}
	}
	return out, nil
}

func highlights(names map[string]string, terms []search.Term) map[string]string {
	var out map[string]string
	for lang, name := range names {
		if marked := search.Highlight(name, terms); marked != "" {
			if out == nil {
				out = map[string]string{}
			}
			out[lang] = marked
		}
	}
	return out
}

// Suggest helps somebody who types: kinds of goods that begin so, what others
// looked for and found, and offers.
func (s *Service) Suggest(ctx context.Context, in SuggestInput) (SuggestionsView, error) {
	out := SuggestionsView{Data: []SuggestionView{}}
	terms := search.Parse(in.Q, nil)
	for _, k := range Categories {
		if name := named(k.Names, in.Lang); search.Begins(name, terms) {
			out.Data = append(out.Data, SuggestionView{Kind: "category", Text: name, Category: k.Code})
		}
	}
	asked, err := s.asked.Popular(ctx, in.Q, 3)
	if err != nil {
		return out, err
	}
	for _, q := range asked {
		out.Data = append(out.Data, SuggestionView{Kind: "query", Text: q})
	}
	found, err := s.index.Query(ctx, search.Query{Text: in.Q, Lang: in.Lang, Limit: 6, Bare: true})
	if err != nil || len(found.Hits) == 0 {
		return out, err
	}
	ids := make([]string, len(found.Hits))
	for i, h := range found.Hits {
		ids[i] = h.ID
	}
	names, err := s.Names(ctx, ids)
	for _, id := range ids {
		if text := named(names[id], in.Lang); text != "" {
			out.Data = append(out.Data, SuggestionView{Kind: "offer", Text: text, Offer: id, Highlight: search.Highlight(text, found.Terms)})
		}
	}
	return out, err
}

// named is a name in a language, or else in the first of the market's that has it.
func named(names map[string]string, lang string) string {
	for _, l := range []string{lang, "fr", "ar", "en", "zgh"} {
		if n := names[l]; n != "" {
			return n
		}
	}
	return ""
}

// Names are the names of offers, by id; those that do not exist are left out.
func (s *Service) Names(ctx context.Context, offers []string) (map[string]map[string]string, error) {
	shown, err := cards(ctx, s.db, offers)
	names := make(map[string]map[string]string, len(shown))
	for id, c := range shown {
		names[id] = c.Names
	}
	return names, err
}

func (s *Service) sellersOf(ctx context.Context, shown map[string]card) (map[string]members.Seller, error) {
	var ids []string
	for _, c := range shown {
		ids = append(ids, c.Seller)
	}
	slices.Sort(ids)
	sellers, err := s.sellers.Sellers(ctx, s.db, slices.Compact(ids))
	if err != nil {
		return nil, fmt.Errorf("look up sellers: %w", err)
	}
	return sellers, nil
}

// query reads what a buyer looks for.
func (in ListInput) query() (search.Query, error) {
	q := search.Query{
		Text: in.Q, Lang: in.Lang, Category: in.Category, Region: in.Region, Label: in.Label, Seller: in.Seller,
		RadiusKM: in.RadiusKM, Sort: in.Sort, Limit: in.Limit, Cursor: in.Cursor,
	}
	var f findings
	q.Min, q.Max = f.price("?min", in.Min), f.price("?max", in.Max)
	if q.Min != nil && q.Max != nil && *q.Min > *q.Max {
		f.add("?max", "The highest price is below the lowest.")
	}
	if in.Near != "" {
		q.Near = f.point(in.Near)
	} else if in.Sort == search.Nearest || in.RadiusKM > 0 {
		f.add("?near", "Say from where, as near=30.42,-9.58.")
	}
	if len(f) > 0 {
		err := ErrQuery
		for _, d := range f {
			err = err.At(d.Pointer, d.Detail)
		}
		return q, err
	}
	return q, nil
}

func (f *findings) price(pointer, s string) *int64 {
	if s == "" {
		return nil
	}
	m, err := money.Parse(s, money.MAD)
	if err != nil || m.Sign() < 0 || m.Cmp(money.Dirhams(math.MaxInt32*100)) > 0 {
		f.add(pointer, "Write a price in dirhams, as 50 or 49.90.")
		return nil
	}
	c := m.Centimes()
	return &c
}

func (f *findings) point(s string) *search.Point {
	a, b, ok := strings.Cut(s, ",")
	lat, err1 := strconv.ParseFloat(strings.TrimSpace(a), 64)
	lng, err2 := strconv.ParseFloat(strings.TrimSpace(b), 64)
	if !ok || err1 != nil || err2 != nil || !(math.Abs(lat) <= 90 && math.Abs(lng) <= 180) {
		f.add("?near", "Write the point as latitude,longitude in degrees, as 30.42,-9.58.")
		return nil
	}
	return &search.Point{Lat: lat, Lng: lng}
}

// Show is one offer: published ones for anyone, the others for their seller
// and for operators.
func (s *Service) Show(ctx context.Context, in OfferInput) (View, error) {
	all, err := read(ctx, s.db, []string{in.Offer})
	if err != nil {
		return View{}, err
	}
	if len(all) == 0 {
		return View{}, ErrNotFound
	}
	o := all[0]
	sellers, err := s.sellers.Sellers(ctx, s.db, []string{o.Seller})
	if err != nil {
		return View{}, fmt.Errorf("look up seller %s: %w", o.Seller, err)
	}
	p := auth.From(ctx)
	if p.Role == auth.Operator || p.Role == auth.Seller && p.Subject == o.Seller {
		return viewOwn(o, sellers[o.Seller]), nil
	}
	if o.State != Published || !sellers[o.Seller].Active {
		return View{}, ErrNotFound
	}
	return view(o, sellers[o.Seller]), nil
}
