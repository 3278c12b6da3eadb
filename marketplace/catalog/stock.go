package catalog

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"tiwiza/pkg/fault"
	"tiwiza/pkg/pg"
)

// HoldFor is how long stock is held for an order that is not paid, at most:
// longer than any payment window (a transfer's, 72 hours). Orders let go of it
// when their own window ends.
const HoldFor = 73 * time.Hour

// A Line asks for some of a variant.
type Line struct {
	Variant  string
	Quantity int
}

// A holding is what one order holds of one variant.
type holding struct {
	Order    string
	Variant  string
	Quantity int
}

// stock is what is left of a variant, read under its lock.
type stock struct {
	ID    string
	Offer string
	Free  int // nothing, while the offer is not published
}

// Reserve holds stock for orders (id → lines) until they are paid or given up:
// all of it or, with ErrSoldOut and a detail for each variant that falls short,
// none. Variants are locked in the order of their ids, so orders wait for each
// other and never for each other's opposite.
func (s *Service) Reserve(ctx context.Context, tx *pg.Tx, order map[string][]Line) error {
	hold, want, err := sum(order)
	if err != nil {
		return err
	}
	ids := slices.Sorted(maps.Keys(want))
	left, err := lockStock(ctx, tx, ids)
	if err != nil {
		return err
	}
	short := ErrSoldOut
	var emptied []string
	for _, v := range ids {
		at := left[v]
		switch {
		case at.Free < want[v]:
			short = short.At("/lines/"+v, fmt.Sprintf("Only %d left; you asked for %d.", max(at.Free, 0), want[v]))
		case at.Free == want[v]:
			emptied = append(emptied, at.Offer)
		}
	}
	if len(short.Details) > 0 {
		return short
	}
	keep(tx, hold, want, tx.Now().Add(HoldFor))
	return s.flipped(ctx, tx, emptied)
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
			hold = append(hold, holding{o, v, mine[v]})
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
	return s.flipped(ctx, tx, refilled)
}

// Return puts goods that were taken for an order, and never left, back into
// stock. Returning twice, or what was not taken, is harmless and does nothing.
func (s *Service) Return(ctx context.Context, tx *pg.Tx, order string) error {
	refilled, err := giveBack(ctx, tx, order)
	if err != nil {
		return err
	}
	return s.flipped(ctx, tx, refilled)
}

// flipped tells the index of offers that may have sold out, or be back.
func (s *Service) flipped(ctx context.Context, tx *pg.Tx, offers []string) error {
	slices.Sort(offers)
	_, err := s.reindex(ctx, tx, slices.Compact(offers)...)
	return err
}

// SetStock says how many of a variant there are, or how many came or went. It
// is refused below what buyers already hold.
func (s *Service) SetStock(ctx context.Context, in StockInput) (StockView, error) {
	if (in.OnHand == nil) == (in.Delta == nil) {
		return StockView{}, ErrInvalid.At("/on_hand", "Give either on_hand, the number there is, or delta, how many came or went.")
	}
	var v Variant
	err := s.db.InTx(ctx, func(tx *pg.Tx) error {
		at, err := lockVariant(ctx, tx, in.Variant)
		if err != nil {
			return err
		}
		if _, err := owner(ctx, at.Seller, ""); err != nil {
			return ErrNotFound
		}
		was := at.variant()
		var reason string
		if v, reason, err = was.restock(in); err != nil || v.OnHand == was.OnHand {
			return err
		}
		saveStock(tx, v.ID, v.OnHand, move{v.ID, v.OnHand - was.OnHand, reason, ""})
		if (was.Available() > 0) != (v.Available() > 0) {
			return s.flipped(ctx, tx, []string{at.Offer})
		}
		return nil
	})
	return StockView{v.ID, v.OnHand, v.Reserved, v.Available()}, err
}

// restock is the variant with another stock, and the reason it is written down
// with.
func (v Variant) restock(in StockInput) (Variant, string, error) {
	pointer, reason := "/on_hand", "counted"
	if in.Delta != nil {
		pointer, reason = "/delta", "moved"
		v.OnHand += *in.Delta
	} else {
		v.OnHand = *in.OnHand
	}
	if v.OnHand < 0 || v.OnHand > mostStock {
		return v, "", ErrInvalid.At(pointer, fmt.Sprintf("That would make %d; the stock is from 0 to %d.", v.OnHand, mostStock))
	}
	if v.OnHand < v.Reserved {
		return v, "", ErrStockHeld.At(pointer, heldBack(v.Reserved))
	}
	return v, reason, nil
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
