package groupbuys_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tiwiza/marketplace/groupbuys"
	"tiwiza/marketplace/orders"
	"tiwiza/pkg/auth"
)

// TestAGroupCountsWhatItsSeatsDo draws the lives of groups: whoever joins, pays,
// leaves or is late, the counts are those of the seats, a group that reached its
// minimum keeps it unless the operator or a bank takes somebody out, and at its
// end nothing is open.
func TestAGroupCountsWhatItsSeatsDo(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	rapid.Check(t, func(t *rapid.T) {
		g := groupbuys.GroupBuy{
			MinQty: rapid.IntRange(2, 8).Draw(t, "minimum"), Price: 1000, Tiers: []groupbuys.Tier{{From: 9, Price: 900}, {From: 12, Price: 850}},
			State: groupbuys.Open, Deadline: start.Add(30 * time.Minute),
		}
		g.MaxQty = rapid.IntRange(12, 40).Draw(t, "maximum")
		at, seats := start, []groupbuys.Seat{}
		for range rapid.IntRange(1, 150).Draw(t, "steps") {
			at = at.Add(time.Duration(rapid.IntRange(0, 6).Draw(t, "minutes")) * time.Minute)
			was := g
			by := rapid.SampledFrom([]auth.Role{auth.Buyer, auth.Seller, auth.Operator, auth.System}).Draw(t, "by")
			if next, done := g.Decide(at, true); done {
				g = next
				if (g.State == groupbuys.Ordered) != (was.Paid >= was.MinQty) {
					t.Fatalf("%d of %d became %s", was.Paid, was.MinQty, g.State)
				}
			}
			i := rapid.IntRange(0, len(seats)).Draw(t, "seat")
			if i == len(seats) {
				s := groupbuys.Seat{ID: fmt.Sprint(i), Quantity: rapid.IntRange(1, 5).Draw(t, "quantity"), State: groupbuys.Offered}
				next, s, err := groupbuys.Take(g, s, fmt.Sprint("ord", i), at)
				if err == nil {
					g, seats = next, append(seats, s)
				} else if g.Gathers() && at.Before(g.Deadline) && s.Quantity <= g.Left() {
					t.Fatalf("%d cannot be joined for: %v", s.Quantity, err)
				}
			} else if s := &seats[i]; g.State == groupbuys.Ordered && s.State == groupbuys.Seated && rapid.Bool().Draw(t, "carried") {
				gone := at
				s.State, s.GoneOn = groupbuys.Going, &gone // as its order went to the seller
			} else {
				o := drawn(t, seats[i])
				next, s, err := g.Follow(seats[i], o, by, at)
				if err == nil {
					if was.State == groupbuys.Reached && next.State == groupbuys.Open && by != auth.Operator && by != auth.System {
						t.Fatalf("the %s brought it below its minimum", by)
					}
					g, seats[i] = next, s
				}
			}
			counted(t, g, seats)
		}
	})
}

// drawn is what happened to the order of a seat: something that can.
func drawn(t *rapid.T, s groupbuys.Seat) orders.Order {
	could := map[groupbuys.SeatState][]orders.State{
		groupbuys.Held: {orders.Paid, orders.Expired}, groupbuys.Seated: {orders.Cancelled, orders.Refunded}, groupbuys.Late: {orders.Cancelled},
		groupbuys.Going: {orders.Delivered, orders.Cancelled}, groupbuys.Back: {orders.Cancelled}, groupbuys.Gone: {orders.Cancelled}, groupbuys.Served: {orders.Completed, orders.Refunded},
	}[s.State]
	if len(could) == 0 {
		could = []orders.State{orders.Cancelled}
	}
	return orders.Order{State: rapid.SampledFrom(could).Draw(t, "order"), Settled: rapid.Bool().Draw(t, "settled")}
}

func counted(t *rapid.T, g groupbuys.GroupBuy, seats []groupbuys.Seat) {
	paid, pending, buyers, undone := 0, 0, 0, 0
	for _, s := range seats {
		switch s.State {
		case groupbuys.Seated:
			paid, buyers, undone = paid+s.Quantity, buyers+1, undone+1
		case groupbuys.Held:
			pending += s.Quantity
		case groupbuys.Going, groupbuys.Back:
			undone++
		}
	}
	switch {
	case pending != g.Pending, g.Gathers() && (paid != g.Paid || buyers != g.Buyers || paid+pending > g.MaxQty), !g.Gathers() && undone != g.Undone:
		t.Fatalf("%+v; its seats make %d paid by %d, %d not, %d open", g, paid, buyers, pending, undone)
	case g.Gathers() && (g.State == groupbuys.Reached) != (g.Paid >= g.MinQty):
		t.Fatalf("%s with %d of %d", g.State, g.Paid, g.MinQty)
	case (g.State == groupbuys.Distributed || g.State == groupbuys.Refunded) != (!g.Gathers() && undone == 0):
		t.Fatalf("%s with %d open", g.State, undone)
	case g.Final != nil && *g.Final != g.PriceOf(g.Paid):
		t.Fatalf("%d for %d", *g.Final, g.Paid)
	}
}

func TestASellerWhoDoesNotSellAnyMoreServesNoGroup(t *testing.T) {
	t.Parallel()
	now := time.Now()
	g := groupbuys.GroupBuy{MinQty: 2, MaxQty: 9, Paid: 3, Buyers: 2, State: groupbuys.Reached, Deadline: now}
	if got, done := g.Decide(now, false); !done || got.State != groupbuys.Failed || got.Why != "seller_unavailable" || got.Undone != 2 || got.Final != nil {
		t.Errorf("%t, %+v", done, got)
	}
	if _, done := g.Decide(now.Add(-time.Second), true); done {
		t.Error("it was decided before its deadline")
	}
}
