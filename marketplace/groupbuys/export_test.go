package groupbuys

import "time"

// Take has an order take a seat.
func Take(g GroupBuy, s Seat, order string, at time.Time) (GroupBuy, Seat, error) {
	return g.take(s, order, at)
}
