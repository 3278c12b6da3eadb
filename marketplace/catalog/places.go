package catalog

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"tiwiza/pkg/clock"
	"tiwiza/pkg/geo"
	"tiwiza/pkg/id"
	"tiwiza/pkg/pg"
)

// A Place is where a seller keeps goods, besides where it is itself.
type Place struct {
	ID      string  `json:"id" required:"true"`
	Seller  string  `json:"seller" required:"true"`
	Name    string  `json:"name" required:"true"`
	Region  string  `json:"region" required:"true"`
	Commune string  `json:"commune" required:"true"`
	Lat     float64 `json:"lat" required:"true"`
	Lng     float64 `json:"lng" required:"true"`
}

// CreatePlace adds a place where stock lies.
func (s *Service) CreatePlace(ctx context.Context, in PlaceInput) (Place, error) {
	seller, err := owner(ctx, in.Seller, "/seller")
	if err != nil {
		return Place{}, err
	}
	p, err := in.place(seller)
	if err != nil {
		return p, err
	}
	err = s.db.InTx(ctx, func(tx *pg.Tx) error {
		if err := s.known(ctx, tx, seller); err != nil {
			return err
		}
		insertPlace(tx, p)
		return tx.Publish(ctx, PlaceAdded{p.ID, p.Seller, p.Name, p.Commune})
	})
	return p, err
}

func (in PlaceInput) place(seller string) (Place, error) {
	p := Place{ID: id.New(id.Place), Seller: seller, Name: tidy(in.Name)}
	var f findings
	if p.Name == "" || !short(p.Name, longestName) {
		f.add("/name", "Give the place a name of at most %d letters.", longestName)
	}
	at, ok := geo.Find(in.Commune)
	if !ok {
		f.add("/commune", "The commune %q is not known; use the name of a town or commune of Morocco.", in.Commune)
	}
	p.Region, p.Commune, p.Lat, p.Lng = at.Region, at.Name, at.Lat, at.Lng
	if in.Point != nil {
		if !inMorocco(in.Point.Lat, in.Point.Lng) {
			f.add("/point", "This point is not in Morocco.")
		}
		p.Lat, p.Lng = in.Point.Lat, in.Point.Lng
	}
	return p, invalid(f)
}

// ListPlaces lists where a seller keeps goods.
func (s *Service) ListPlaces(ctx context.Context, in OfSeller) (PlacesView, error) {
	seller, err := owner(ctx, in.Seller, "?seller")
	if err != nil {
		return PlacesView{}, err
	}
	all, err := placesOf(ctx, s.db, seller)
	if all == nil {
		all = []Place{}
	}
	return PlacesView{all}, err
}

// PlacesOf are where a seller keeps goods, for others who need it.
func (s *Service) PlacesOf(ctx context.Context, db pg.DB, seller string) ([]Place, error) {
	return placesOf(ctx, db, seller)
}

// MoveStock brings goods from one place of their seller to another; "" is where
// the seller is. What buyers hold at a place stays there.
func (s *Service) MoveStock(ctx context.Context, in MoveInput) (StockView, error) {
	if in.From == in.To {
		return StockView{}, ErrInvalid.At("/to", "Goods move from one place to another.")
	}
	var v variantRow
	var spots []spot
	err := s.db.InTx(ctx, func(tx *pg.Tx) (err error) {
		if v, spots, err = s.lockOwn(ctx, tx, in.Variant, in.From, in.To); err != nil {
			return err
		}
		if free := freeAt(v, spots, in.From); free < in.Quantity {
			return ErrStockHeld.At("/quantity", fmt.Sprintf("Only %d can leave that place.", max(free, 0)))
		}
		spots = shift(shift(spots, in.From, -in.Quantity), in.To, in.Quantity)
		saveSpots(tx, v.ID, spots)
		return tx.Publish(ctx, StockMoved{v.ID, v.Offer, v.Seller, in.From, in.To, in.Quantity})
	})
	return v.stock(spots), err
}

// lockOwn locks a variant of the caller's with its places; those named must be
// places of its seller.
func (s *Service) lockOwn(ctx context.Context, tx *pg.Tx, variant string, places ...string) (v variantRow, spots []spot, err error) {
	if v, err = lockVariant(ctx, tx, variant); err != nil {
		return v, nil, err
	}
	if _, err := owner(ctx, v.Seller, ""); err != nil {
		return v, nil, ErrNotFound
	}
	places = slices.DeleteFunc(places, func(p string) bool { return p == "" })
	if len(places) > 0 {
		known, err := placesOf(ctx, tx, v.Seller)
		if err != nil {
			return v, nil, err
		}
		for _, p := range places {
			if !slices.ContainsFunc(known, func(k Place) bool { return k.ID == p }) {
				return v, nil, ErrNoPlace
			}
		}
	}
	spots, err = spotsOf(ctx, tx, []string{variant})
	return v, spots, err
}

// A spot is what lies of a variant at one named place.
type spot struct {
	Variant  string `json:"variant"`
	Place    string `json:"place"`
	OnHand   int    `json:"on_hand"`
	Reserved int    `json:"reserved"`
}

// freeAt is what is at a place and not promised; at "" what no place has.
func freeAt(v variantRow, spots []spot, place string) int {
	free := v.OnHand - v.Reserved
	for _, s := range spots {
		switch place {
		case s.Place:
			return s.OnHand - s.Reserved
		case "":
			free -= s.OnHand - s.Reserved
		}
	}
	if place != "" {
		return 0
	}
	return free
}

// shift is spots with more or fewer at a place.
func shift(spots []spot, place string, by int) []spot {
	if place == "" {
		return spots
	}
	i := slices.IndexFunc(spots, func(s spot) bool { return s.Place == place })
	if i < 0 {
		return append(slices.Clone(spots), spot{Place: place, OnHand: by})
	}
	spots = slices.Clone(spots)
	spots[i].OnHand += by
	return spots
}

// A share is the part of a holding that comes from one named place.
type share struct {
	Order    string `json:"order"`
	Variant  string `json:"variant"`
	Place    string `json:"place"`
	Quantity int    `json:"quantity"`
}

// allot says where what orders hold comes from: what is there first, from the
// place that has the most, and then from where no place is said; the rest is
// made. It does not ask whether there is enough.
func allot(hold []holding, left map[string]stock) ([]holding, []share) {
	left = cloneSpots(left)
	hold = slices.Clone(hold)
	var shares []share
	for i, h := range hold {
		at := left[h.Variant]
		there := min(h.Quantity, max(at.There, 0))
		hold[i].Made = h.Quantity - there
		at.There -= there
		slices.SortStableFunc(at.Spots, func(a, b spot) int {
			return cmp.Or(cmp.Compare(b.OnHand-b.Reserved, a.OnHand-a.Reserved), cmp.Compare(a.Place, b.Place))
		})
		for k, s := range at.Spots {
			if n := min(there, s.OnHand-s.Reserved); n > 0 {
				shares = append(shares, share{h.Order, h.Variant, s.Place, n})
				at.Spots[k].Reserved += n
				there -= n
			}
		}
		left[h.Variant] = at
	}
	return hold, shares
}

// sums are what orders hold, added up for each variant: how many, how many of
// them are to be made, and how many lie at named places.
func sums(hold []holding, shares []share) (variants []string, quantity, made, placed []int) {
	at := map[string]int{}
	for _, h := range hold {
		i, ok := at[h.Variant]
		if !ok {
			i, at[h.Variant] = len(variants), len(variants)
			variants, quantity, made, placed = append(variants, h.Variant), append(quantity, 0), append(made, 0), append(placed, 0)
		}
		quantity[i] += h.Quantity
		made[i] += h.Made
	}
	for _, s := range shares {
		placed[at[s.Variant]] += s.Quantity
	}
	return variants, quantity, made, placed
}

func cloneSpots(left map[string]stock) map[string]stock {
	out := make(map[string]stock, len(left))
	for v, s := range left {
		s.Spots = slices.Clone(s.Spots)
		out[v] = s
	}
	return out
}

// monday is the first day of the week of at in Morocco.
func monday(at time.Time) time.Time {
	y, m, d := at.In(clock.Morocco).Date()
	day := time.Date(y, m, d, 0, 0, 0, 0, clock.Morocco)
	return day.AddDate(0, 0, -(int(day.Weekday())+6)%7)
}

func inMorocco(lat, lng float64) bool { // false for NaN too
	return lat > 20 && lat < 36.5 && lng > -18 && lng < -0.5
}
