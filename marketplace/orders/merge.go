package orders

import (
	"cmp"
	"context"
	"slices"

	"tiwiza/marketplace/catalog"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/pg"
)

// MergeInput pours a basket into another.
type MergeInput struct {
	Basket string `path:"basket"`
	From   string `json:"from" required:"true" maxLength:"40"`
	Key    string `json:"key,omitempty" maxLength:"200" description:"The secret of the guest who filled it; left out when it is the caller's own."`
}

// MergeView is the basket that everything is in now.
type MergeView struct {
	BasketView
	Notes []Note `json:"notes" required:"true" description:"Of lines that are not as many as both baskets had."`
}

// A Note says what became of a line that two baskets had.
type Note struct {
	Code     string `json:"code" required:"true" enum:"capped,left"`
	Detail   string `json:"detail" required:"true"`
	Variant  string `json:"variant" required:"true"`
	Wanted   int    `json:"wanted" required:"true"`
	Quantity int    `json:"quantity" required:"true"`
}

// Merge pours another basket into one of the caller's, as when a guest signs in:
// quantities are added, up to what is left on offer and never below what either
// basket had. Lines for which there is no room stay where they are. All of it
// happens at once or not at all.
func (s *Service) Merge(ctx context.Context, tx *pg.Tx, in MergeInput) (v MergeView, err error) {
	if in.From == in.Basket {
		return v, ErrSame.At("/from", "another basket")
	}
	to, from, policy, err := s.lockBoth(ctx, tx, in)
	if err != nil {
		return v, err
	}
	variants := make([]string, 0, len(from.Lines))
	for _, l := range from.Lines {
		variants = append(variants, l.Variant)
	}
	items := map[string]catalog.Item{}
	if len(variants) > 0 {
		if items, err = s.Catalogue.Items(ctx, tx, variants); err != nil {
			return v, err
		}
	}
	put, left, notes := pour(to.Lines, from.Lines, items)
	mergeLines(tx, to.ID, from.ID, put, len(left) == 0)
	audit.Record(tx, "baskets.merge", to.ID, policy, map[string]string{"from": from.ID, "of": from.Buyer})
	v.Notes = notes
	v.BasketView, err = s.showBasket(ctx, tx, to.ID)
	return v, err
}

// lockBoth locks the two baskets, always in the order of their ids. What is not
// the caller's, or the key's, does not exist.
func (s *Service) lockBoth(ctx context.Context, tx *pg.Tx, in MergeInput) (to, from Basket, policy string, err error) {
	both, err := lockBaskets(ctx, tx, in.Basket, in.From)
	if err != nil {
		return to, from, "", err
	}
	to, from = both[in.Basket], both[in.From]
	if policy, err = s.may(ctx, "baskets.merge", "", to.Buyer, ErrNoBasket); err != nil {
		return to, from, "", err
	}
	if err := s.holds(ctx, tx, from, in.Key); err != nil {
		return to, from, "", err
	}
	if err := s.still(ctx, tx, to); err != nil {
		return to, from, "", err
	}
	return to, from, policy, s.still(ctx, tx, from)
}

// holds refuses a basket that is neither the caller's own nor of the holder of a
// key. Whoever showed at sign-in to be the guest who filled it needs no key more.
func (s *Service) holds(ctx context.Context, tx *pg.Tx, from Basket, key string) error {
	if auth.From(ctx).Owns(from.Buyer) {
		return nil
	}
	if key == "" {
		return ErrNoBasket.At("/from", ErrNoBasket.Text)
	}
	k, err := auth.ParseKey(key)
	if err != nil {
		return ErrNoBasket.At("/key", "This key opens nothing.")
	}
	p, err := s.Keys.Holder(ctx, tx, k)
	switch {
	case err != nil || p.Role != auth.Buyer:
		return ErrNoBasket.At("/key", "This key opens nothing.")
	case from.ID == "" || from.Buyer != p.Subject:
		return ErrNoBasket.At("/from", ErrNoBasket.Text)
	}
	return nil
}

// pour says which lines the basket gets that another is poured into, which stay
// in the other for want of room, and what is to be said of some.
func pour(to, from []Line, items map[string]catalog.Item) (put, left []Line, notes []Note) {
	had := map[string]Line{}
	for _, l := range to {
		had[l.Variant] = l
	}
	room := mostLines - len(to)
	notes = []Note{}
	for _, l := range from {
		old, there := had[l.Variant]
		if l.Agreement != "" || old.Agreement != "" {
			left = append(left, l)
			notes = append(notes, Note{"left", "What was agreed on is ordered by itself; this stays in the other basket.", l.Variant, l.Quantity, old.Quantity})
			continue
		}
		if !there {
			if room == 0 {
				left = append(left, l)
				notes = append(notes, Note{"left", "The basket is full; this stays in the other one.", l.Variant, l.Quantity, 0})
				continue
			}
			room--
		}
		want := old.Quantity + l.Quantity
		n := min(want, mostOfOne)
		if item, ok := items[l.Variant]; ok {
			n = min(n, item.Available)
		}
		n = max(n, old.Quantity, l.Quantity)
		if n < want {
			notes = append(notes, Note{"capped", "There are not as many as both baskets had together.", l.Variant, want, n})
		}
		put = append(put, Line{Variant: l.Variant, Quantity: n, Price: cmp.Or(old.Price, l.Price)})
	}
	slices.SortFunc(put, func(a, b Line) int { return cmp.Compare(a.Variant, b.Variant) })
	return put, left, notes
}

// mostOfOne is how many of an article a basket holds.
const mostOfOne = 999
