package orders

import "time"

// mostMaking is how many days goods are made at most: with the time to accept, to
// send, to bring and to look at them an escrow stays below the 90 days after which
// people must rule on it.
const mostMaking = 60

const day = 24 * time.Hour

// made is the fee of a parcel with the days that its goods are made: the longest
// of them decides.
func (f Fee) made(lines []QuoteLine, at time.Time) Fee {
	for _, l := range lines {
		if l.Seller.ID == f.Seller.ID {
			f.MakeDays = max(f.MakeDays, l.MakeDays)
		}
	}
	due := shipsBy(at, f.MakeDays)
	f.ShipsBy = &due
	return f
}

// shipsBy is by when goods leave that are accepted at a moment.
func shipsBy(at time.Time, makeDays int) time.Time {
	return at.Add(shipWithin + time.Duration(makeDays)*day)
}

// promised is by when the goods have left: as it was promised when the order was
// accepted, before that as if it were at once.
func (o Order) promised() time.Time {
	if o.ShipsBy != nil {
		return o.ShipsBy.UTC()
	}
	return shipsBy(o.CreatedAt, o.MakeDays).UTC()
}

// promise fixes by when the goods of an order leave that is accepted now.
func (o Order) promise(at time.Time) Order {
	if o.State == Accepted && o.ShipsBy == nil {
		due := shipsBy(at, o.MakeDays)
		o.ShipsBy = &due
	}
	return o
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
