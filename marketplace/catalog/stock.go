package catalog

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"tiwiza/pkg/fault"
	"tiwiza/pkg/pg"
)

// HoldFor is how long stock is held for an order that is not paid, at most:
// longer than any payment window (a transfer's, 72 hours). Orders let go of it
// when their own window ends.
const HoldFor = 73 * time.Hour

// A Line asks for some of a variant. What has no price of its own is sold only
// when that was agreed on.
type Line struct {
	Variant  string
	Quantity int
	Agreed   bool
}

// A holding is what one order holds of one variant; Made of it is to be made.
type holding struct {
	Order    string `json:"order"`
	Variant  string `json:"variant"`
	Quantity int    `json:"quantity"`
	Made     int    `json:"made"`
}

// stock is what is left of a variant, read under its lock.
type stock struct {
	ID    string
	Offer string
	Free  int    // nothing, while the offer is not published
	There int    // of that, what need not be made
	Spots []spot // and where it lies, if that is said
}

// Reserve holds stock for orders (id → lines) until they are paid or given up:
// all of it or, with ErrSoldOut and a detail for each variant that falls short,
// none. Variants are locked in the order of their ids, so orders wait for each
// other and never for each other's opposite. What is made to order comes into
// being when it is ordered, as far as this week allows.
func (s *Service) Reserve(ctx context.Context, tx *pg.Tx, order map[string][]Line) error {
	hold, want, err := sum(order)
	if err != nil {
		return err
	}
	ids := slices.Sorted(maps.Keys(want))
	left, err := lockStock(ctx, tx, ids, agreed(order))
	if err != nil {
		return err
	}
	short := ErrSoldOut
	var emptied []flip
	for _, v := range ids {
		at := left[v]
		switch {
		case at.Free < want[v]:
			short = short.At("/lines/"+v, fmt.Sprintf("Only %d left; you asked for %d.", max(at.Free, 0), want[v]))
		case at.Free == want[v]:
			emptied = append(emptied, flip{v, at.Offer})
		}
	}
	if len(short.Details) > 0 {
		return short
	}
	hold, shares := allot(hold, left)
	keep(tx, hold, shares, tx.Now().Add(HoldFor))
	return s.flipped(ctx, tx, emptied, false)
}

// agreed are the variants that are sold as was agreed on.
func agreed(order map[string][]Line) []string {
	out := []string{}
	for _, lines := range order {
		for _, l := range lines {
			if l.Agreed {
				out = append(out, l.Variant)
			}
		}
	}
	return out
}

// sum adds up what orders ask for: for each order and variant, and for each
// variant.
func sum(order map[string][]Line) (hold []holding, want map[string]int, err error) {
	want = map[string]int{}
	for _, o := range slices.Sorted(maps.Keys(order)) {
		mine := map[string]int{}
		for _, l := range order[o] {
			if l.Quantity <= 0 || l.Quantity > mostStock {
				return nil, nil, ErrInvalid.At("/lines/"+l.Variant, "The quantity is a whole number above 0.")
			}
			mine[l.Variant] += l.Quantity
			want[l.Variant] += l.Quantity
		}
		for _, v := range slices.Sorted(maps.Keys(mine)) {
			hold = append(hold, holding{Order: o, Variant: v, Quantity: mine[v]})
		}
	}
	return hold, want, nil
}

// Take makes what is held for a paid order leave the stock. Taking twice, or
// what was let go, is harmless and does nothing.
func (s *Service) Take(ctx context.Context, tx *pg.Tx, order string) error {
	take(tx, order)
	return nil
}

// Unreserve gives back what is held for an order that will not be paid. Giving
// back twice, or what was taken, is harmless and does nothing.
func (s *Service) Unreserve(ctx context.Context, tx *pg.Tx, order string) error {
	refilled, err := release(ctx, tx, order)
	if err != nil {
		return err
	}
	return s.flipped(ctx, tx, refilled, true)
}

// Return puts goods that were taken for an order, and never left, back into
// stock. Returning twice, or what was not taken, is harmless and does nothing.
func (s *Service) Return(ctx context.Context, tx *pg.Tx, order string) error {
	refilled, err := giveBack(ctx, tx, order)
	if err != nil {
		return err
	}
	return s.flipped(ctx, tx, refilled, true)
}

// Restock puts goods that were sold, and came back whole, into stock again: ref
// says by what. The caller sees to it that it happens once.
func (s *Service) Restock(ctx context.Context, tx *pg.Tx, ref string, lines []Line) error {
	_, want, err := sum(map[string][]Line{ref: lines})
	if err != nil || len(want) == 0 {
		return err
	}
	refilled, err := restock(ctx, tx, ref, want)
	if err != nil {
		return err
	}
	return s.flipped(ctx, tx, refilled, true)
}

// Rate counts buyers' reviews of an offer, or takes them back out: so many stars
// of so many reviews.
func (s *Service) Rate(_ context.Context, tx *pg.Tx, offer string, stars, reviews int) error {
	rate(tx, offer, stars, reviews)
	return nil
}

// A flip is a variant of which there is nothing left, or something again.
type flip struct{ Variant, Offer string }

// flipped tells the index, and whoever listens, of variants that sold out or are
// back.
func (s *Service) flipped(ctx context.Context, tx *pg.Tx, all []flip, available bool) error {
	offers := make([]string, len(all))
	for i, f := range all {
		offers[i] = f.Offer
	}
	slices.Sort(offers)
	read, err := s.reindex(ctx, tx, slices.Compact(offers)...)
	if err != nil {
		return err
	}
	slices.SortFunc(all, func(a, b flip) int { return strings.Compare(a.Variant, b.Variant) })
	for _, f := range all {
		i := slices.IndexFunc(read, func(o Offer) bool { return o.ID == f.Offer })
		if err := tx.Publish(ctx, AvailabilityChanged{f.Variant, f.Offer, read[i].Seller, available, read[i].Names}); err != nil {
			return err
		}
	}
	return nil
}

// SetStock says how many of a variant there are, or how many came or went, at a
// place or in all. It is refused below what buyers already hold. What is not said
// to be at a place lies where the seller is.
func (s *Service) SetStock(ctx context.Context, in StockInput) (StockView, error) {
	if (in.OnHand == nil) == (in.Delta == nil) {
		return StockView{}, ErrInvalid.At("/on_hand", "Give either on_hand, the number there is, or delta, how many came or went.")
	}
	var v variantRow
	var spots []spot
	err := s.db.InTx(ctx, func(tx *pg.Tx) (err error) {
		if v, spots, err = s.lockOwn(ctx, tx, in.Variant, in.Place); err != nil {
			return err
		}
		if err := v.counted(); err != nil {
			return err
		}
		by, reason, err := v.restock(in, spots)
		if err != nil || by == 0 {
			return err
		}
		was := v.Free
		v.OnHand, v.Free = v.OnHand+by, v.Free+by
		if in.Place != "" {
			spots = shift(spots, in.Place, by)
		}
		// What is placed is never more than there is, between the two writes either.
		if in.Place != "" && by < 0 {
			saveSpots(tx, v.ID, spots)
		}
		saveStock(tx, v.ID, v.OnHand, move{v.ID, by, reason, in.Place})
		if in.Place != "" && by > 0 {
			saveSpots(tx, v.ID, spots)
		}
		if err := tx.Publish(ctx, StockChanged{v.ID, v.Offer, v.Seller, in.Place, by, v.OnHand, max(v.Free, 0), reason}); err != nil {
			return err
		}
		if (was > 0) != (v.Free > 0) {
			return s.flipped(ctx, tx, []flip{{v.ID, v.Offer}}, v.Free > 0)
		}
		return nil
	})
	return v.stock(spots), err
}

// restock is by how many the stock changes, and the reason it is written down
// with.
func (v variantRow) restock(in StockInput, spots []spot) (by int, reason string, err error) {
	there, free := v.OnHand, freeAt(v, spots, in.Place)
	if in.Place != "" {
		there = 0
		for _, s := range spots {
			if s.Place == in.Place {
				there = s.OnHand
			}
		}
	}
	if in.From != nil && *in.From != there {
		return 0, "", ErrStockSince.At("/from", fmt.Sprintf("There are %d now.", there))
	}
	pointer, reason := "/on_hand", "counted"
	if in.Delta != nil {
		pointer, reason, by = "/delta", "moved", *in.Delta
	} else {
		by = *in.OnHand - there
	}
	switch left := free + by; {
	case there+by < 0 || v.OnHand+by > mostStock:
		return 0, "", ErrInvalid.At(pointer, fmt.Sprintf("That would make %d; the stock is from 0 to %d.", there+by, mostStock))
	case left >= 0 || by >= 0:
		return by, reason, nil
	case in.Place == "" && v.OnHand+by >= v.Reserved:
		return 0, "", ErrPlaced.At(pointer, fmt.Sprintf("Only %d lie at no named place.", max(free, 0)))
	}
	return 0, "", ErrStockHeld.At(pointer, heldBack(there-free))
}

// stock is the variant's stock as its owner sees it.
func (v variantRow) stock(spots []spot) StockView {
	out := StockView{v.ID, v.OnHand, v.Reserved, max(v.Free, 0), []SpotView{}}
	for _, s := range spots {
		out.Places = append(out.Places, SpotView{s.Place, s.OnHand, s.Reserved})
	}
	return out
}

func heldBack(reserved int) string {
	return fmt.Sprintf("Buyers hold %d in orders that wait for payment; the stock cannot go below that.", reserved)
}

// prefixed moves details to where their object stands.
func prefixed(at string, details []fault.Detail) []fault.Detail {
	out := make([]fault.Detail, len(details))
	for i, d := range details {
		out[i] = fault.Detail{Pointer: at + d.Pointer, Detail: d.Detail}
	}
	return out
}
