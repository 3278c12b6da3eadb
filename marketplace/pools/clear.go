package pools

import (
	"cmp"
	"slices"

	"tiwiza/pkg/money"
)

// A Match is how much one buyer gets of one producer.
type Match struct {
	Buy, Sell Pledge
	Quantity  int
}

// A Clearing is what a pool comes to: one price for all.
type Clearing struct {
	Price    int64
	Quantity int
	Matches  []Match
}

// Clear matches pledges at one price. It is the price at which most is exchanged;
// where several are, the middle of them, half a centime down, so that both sides
// gain alike. Nobody pays more than his or her ceiling nor the pool's, nobody
// gets less than the floor. Of the side that has too much, those with the better
// price are served first; who share the last price share what is left of it by
// largest remainder, and of equal remainders the earlier pledge gets the piece.
// Buyers and producers are then joined in the order of their pledges, so that
// there are as few parcels as that order allows. Below the least quantity nothing
// is exchanged.
//
// The rule is that of a call auction: a pledge says the price at which one still
// takes part and not the one that is paid, so that nothing is won by naming
// another.
func Clear(pledges []Pledge, ceiling int64, least int) (c Clearing, ok bool) {
	var buys, sells []Pledge
	for _, p := range pledges {
		switch {
		case p.Side == Buys:
			p.Price = min(p.Price, ceiling)
			buys = append(buys, p)
		case p.Price <= ceiling:
			sells = append(sells, p)
		}
	}
	price, most := clearingPrice(buys, sells)
	if most == 0 || most < least {
		return c, false
	}
	in := func(all []Pledge, fits func(Pledge) bool) []Pledge {
		return slices.DeleteFunc(slices.Clone(all), func(p Pledge) bool { return !fits(p) })
	}
	buys = in(buys, func(p Pledge) bool { return p.Price >= price })
	sells = in(sells, func(p Pledge) bool { return p.Price <= price })
	fill(buys, most, func(a, b Pledge) int { return cmp.Compare(b.Price, a.Price) })
	fill(sells, most, func(a, b Pledge) int { return cmp.Compare(a.Price, b.Price) })
	return Clearing{price, most, join(buys, sells)}, true
}

// clearingPrice is the price at which most is exchanged, and how much that is.
// What is asked for only falls as the price rises, and what is offered only
// rises; so the best prices lie between a floor and a ceiling.
func clearingPrice(buys, sells []Pledge) (price int64, most int) {
	at := func(price int64) int {
		asked, offered := 0, 0
		for _, p := range buys {
			if p.Price >= price {
				asked += p.Quantity
			}
		}
		for _, p := range sells {
			if p.Price <= price {
				offered += p.Quantity
			}
		}
		return min(asked, offered)
	}
	var low, high int64
	for _, p := range slices.Concat(buys, sells) {
		switch n := at(p.Price); {
		case n > most:
			most, low, high = n, p.Price, p.Price
		case n == most && n > 0:
			low, high = min(low, p.Price), max(high, p.Price)
		}
	}
	return low + (high-low)/2, most
}

// fill gives out so many pieces to pledges that are all of one side: the better
// prices first.
func fill(pledges []Pledge, pieces int, better func(a, b Pledge) int) {
	at := make([]int, len(pledges))
	for i := range at {
		at[i] = i
	}
	slices.SortStableFunc(at, func(a, b int) int {
		return cmp.Or(better(pledges[a], pledges[b]), cmp.Compare(pledges[a].ID, pledges[b].ID))
	})
	for len(at) > 0 {
		n := 1
		for n < len(at) && better(pledges[at[0]], pledges[at[n]]) == 0 {
			n++
		}
		level := make([]int64, n)
		whole := 0
		for k, i := range at[:n] {
			level[k] = int64(pledges[i].Quantity)
			whole += pledges[i].Quantity
		}
		give := min(whole, pieces)
		if give > 0 {
			for k, part := range money.Allocate(int64(give), level...) {
				pledges[at[k]].Filled = int(part)
			}
		}
		pieces, at = pieces-give, at[n:]
	}
}

// join gives each buyer its pieces, of the producers in the order of their
// pledges.
func join(buys, sells []Pledge) (out []Match) {
	early := func(a, b Pledge) int { return cmp.Compare(a.ID, b.ID) }
	slices.SortFunc(buys, early)
	slices.SortFunc(sells, early)
	j, used := 0, 0
	for _, b := range buys {
		for need := b.Filled; need > 0; {
			left := sells[j].Filled - used
			if left == 0 {
				j, used = j+1, 0
				continue
			}
			n := min(need, left)
			out = append(out, Match{b, sells[j], n})
			need, used = need-n, used+n
		}
	}
	return out
}
