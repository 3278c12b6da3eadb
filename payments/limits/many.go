package limits

import (
	"context"
	"slices"

	"tiwiza/pkg/pg"
)

// Payouts is Payout of many that are about to go and were never asked about, in
// their order: each that nothing stops is counted and passes. About the others
// nothing is written down; they are for Payout to look at, one by one.
func (s *Service) Payouts(ctx context.Context, tx *pg.Tx, all []Payout) (passes []bool, err error) {
	if len(all) == 0 {
		return nil, nil
	}
	keys, orders := askOf(all, nil)
	figures, err := s.figures(ctx, tx, OfPayouts, "", keys)
	if err != nil {
		return nil, err
	}
	held, err := heldOf(ctx, tx, orders)
	if err != nil {
		return nil, err
	}
	passes = make([]bool, len(all))
	var done []decision
	for i, p := range all {
		d := decide(OfPayouts, p.ID, p.Seller, p.Amount.Centimes(), figuresOf(figures, p), tx.Now())
		stopped := slices.ContainsFunc(p.Orders, func(o string) bool { return slices.Contains(held, o) })
		if passes[i] = d.Outcome == Pass && !stopped; passes[i] {
			addTo(figures, p)
			done = append(done, d)
		}
	}
	if len(done) == 0 {
		return passes, nil
	}
	keys, _ = askOf(all, passes)
	times := make([]int64, len(keys))
	for i, k := range keys {
		for j, p := range all {
			if passes[j] && p.counts(k.Per, k.Key) {
				times[i]++
			}
		}
	}
	countAll(tx, OfPayouts, "", keys, times, tx.Now())
	insertPasses(tx, done)
	return passes, nil
}

// counts says whether a payout is counted for a key.
func (p Payout) counts(per, name string) bool {
	return per == "all" || per == "seller" && name == p.Seller
}

// askOf are the keys of payouts, with what is asked for each, and the orders
// whose money they pay; of those that pass, if that is known.
func askOf(all []Payout, passes []bool) (keys []key, orders []string) {
	whole, of := int64(0), map[string]int64{}
	for i, p := range all {
		if passes == nil || passes[i] {
			whole += p.Amount.Centimes()
			of[p.Seller] += p.Amount.Centimes()
			orders = append(orders, p.Orders...)
		}
	}
	keys = append(keys, key{"all", "*", whole})
	for seller, amount := range of {
		keys = append(keys, key{"seller", seller, amount})
	}
	return merge(keys), orders
}

// figuresOf are the rules as they stand for one payout.
func figuresOf(figures []Figure, p Payout) (out []Figure) {
	for _, f := range figures {
		if p.counts(f.Per, f.Key) {
			f.Asked = p.Amount.Centimes()
			out = append(out, f.judge())
		}
	}
	return out
}

// addTo counts a payout in the figures that those after it are judged by.
func addTo(figures []Figure, p Payout) {
	for i, f := range figures {
		if f.WindowS > 0 && p.counts(f.Per, f.Key) {
			figures[i].Used += p.Amount.Centimes()
			figures[i].Count++
		}
	}
}
