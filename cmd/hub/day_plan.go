package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
)

// Ways to pay, as a checkout names them.
const (
	byCard     = "card"
	byWire     = "transfer"
	onDelivery = "cash_on_delivery"
)

// payWays are the ways to pay, in the order in which they are told.
var payWays = []string{byCard, byWire, onDelivery}

// sellingDays are the days on which buyers order.
const sellingDays = 3

// A scene is what somebody does about an order at one time.
type scene func(d *day, ctx context.Context, e *errand) error

// A fate is what becomes of an order: how it is paid in the morning of its day,
// what its seller does at noon, what happens when the parcels arrive on day 4,
// on day 5, and on day 8 when the time for many things is over. A scene that is
// not there is silence.
type fate struct {
	way, name                     string
	many                          int // of 300 orders; 0: what is left of its way
	least                         int // however few orders there are
	morning, noon, day4, day5, d8 scene
	ends                          string // the order's last state
}

// fates are the script. What a line's name says is told at the end.
var fates = []fate{
	{byCard, "accepted by their buyers", 0, 2, payCard, send, accept, nil, nil, "completed"},
	{byCard, "released by time, seven days after delivery", 20, 1, payCard, send, prove, nil, nil, "completed"},
	{byCard, "never paid", 6, 1, nil, nil, nil, nil, nil, "expired"},
	{byCard, "paid by a second card, after one was declined", 6, 1, payTwice, send, accept, nil, nil, "completed"},
	{byCard, "charged, and the acquirer’s answer was lost", 2, 1, payUnheard, send, accept, nil, nil, "completed"},
	{byCard, "cancelled by their buyers", 7, 1, payCard, cancelAsBuyer, nil, nil, nil, "cancelled"},
	{byCard, "refused by their sellers", 3, 0, payCard, cancelAsSeller, nil, nil, nil, "cancelled"},
	{byCard, "cancelled by time, their sellers said nothing", 3, 0, payCard, nil, nil, nil, nil, "cancelled"},
	{byCard, "refunded in part, of the seller’s own will", 8, 1, payCard, send, giveBack, accept, nil, "completed"},
	{byCard, "refunded to an account, the card was closed", 3, 1, payClosing, send, giveBack, nameAccount, accept, "completed"},
	{byCard, "refunded in part after their release", 4, 1, payCard, send, accept, takeBack, nil, "completed"},
	{byCard, "disputed, shared between buyer and seller", 4, 1, payCard, send, complain, ruleShared, nil, "completed"},
	{byCard, "disputed, the buyer was right: all went back", 2, 0, payCard, send, complain, ruleBuyer, nil, "completed"},
	{byCard, "disputed, the seller was right", 2, 0, payCard, send, complain, ruleSeller, nil, "completed"},
	{byCard, "disputed, the seller never answered: all went back", 2, 1, payCard, send, complain, nil, nil, "completed"},
	{byCard, "charged back before release, and won", 2, 0, payCard, send, contestIt, win, accept, "completed"},
	{byCard, "charged back before release, and lost; the carrier’s fee is still held", 2, 1, payCard, send, contestIt, lose, nil, "shipped"},
	{byCard, "charged back after release, and lost", 4, 1, payCard, send, accept, contestAndLose, nil, "completed"},
	{byCard, "charged back, still open", 1, 1, payCard, send, contestIt, nil, nil, "shipped"},

	{byWire, "accepted by their buyers", 0, 1, wireWhole, send, accept, nil, nil, "completed"},
	{byWire, "released by time, seven days after delivery", 8, 0, wireWhole, send, prove, nil, nil, "completed"},
	{byWire, "paid in two parts", 5, 0, wireParts, send, accept, nil, nil, "completed"},
	{byWire, "paid too much, the surplus went back", 3, 1, wireOver, send, accept, nil, nil, "completed"},
	{byWire, "never paid", 3, 0, nil, nil, nil, nil, nil, "expired"},
	{byWire, "paid too late, it went back", 2, 1, nil, nil, nil, nil, wireLate, "expired"},
	{byWire, "paid too little, it went back", 2, 0, wireShort, nil, nil, nil, nil, "expired"},
	{byWire, "paid without the reference, matched by a person", 2, 1, wireNameless, send, accept, nil, nil, "completed"},
	{byWire, "cancelled by their buyers", 4, 1, wireWhole, cancelAsBuyer, nil, nil, nil, "cancelled"},
	{byWire, "disputed, shared between buyer and seller", 2, 0, wireWhole, send, complain, ruleShared, nil, "completed"},

	{onDelivery, "collected, remitted, accepted by their buyers", 0, 1, confirm, send, collectAll, nil, nil, "completed"},
	{onDelivery, "released by time, seven days after delivery", 6, 0, confirm, send, collectQuietly, nil, nil, "completed"},
	{onDelivery, "refused at the door, brought in vain", 8, 1, confirm, send, refuseAtDoor, nil, nil, "refused"},
	{onDelivery, "never confirmed", 3, 0, nil, nil, nil, nil, nil, "expired"},
	{onDelivery, "given up by their buyers before they left", 3, 0, confirm, giveUp, nil, nil, nil, "refused"},
	{onDelivery, "taken in part", 4, 1, confirm, send, collectPart, nil, nil, "completed"},
	{onDelivery, "refunded to an account after their release", 2, 0, confirm, send, collectAll, takeBack, nameAccount, "completed"},
	{onDelivery, "collected, not remitted yet", 2, 1, confirm, send, collectAndKeep, nil, nil, "delivered"},
	{onDelivery, "collected, never remitted: given up by two people", 1, 0, confirm, send, collectAndKeep, writeOff, nil, "completed"},
}

// An errand is one checkout of the script: an order of one seller or, of the
// plainest fate, one of each of two.
type errand struct {
	*fate
	day    int // 1 to sellingDays
	buyer  int
	shops  []int
	pick   []int // of each shop's articles
	count  []int
	to     string // where it is brought
	part   int    // in hundredths: of what is given back, collected or first transferred
	rec    receipt
	order  string // the first one
	caseID string // of the acquirer
}

// Two cooperatives ask for their payouts, and one is paid to an account that is
// being closed, the other while the bank loses its answer. They sell what goes
// well only, so that there is something to pay and nothing to stop it.
const (
	closingShop = 2
	unheardShop = 5
)

// towns are where parcels go.
var towns = []string{"Rabat", "Fès", "Agadir", "Taroudant", "Chefchaouen", "Casablanca"}

// plan draws n orders from a seed: the same seed, the same script. Half are paid
// by card, a quarter by transfer, a quarter in cash.
func plan(n int, seed uint64, buyers, shops, articles int) ([]*errand, error) {
	const few = 30
	if n < few {
		return nil, fmt.Errorf("%d orders are too few for the script: give %d or more", n, few)
	}
	r := rand.New(rand.NewPCG(seed, 0x7469776979615f64))
	var all []*errand
	add := func(f *fate, sellers int, first ...int) {
		e := &errand{fate: f, day: 1 + r.IntN(sellingDays), buyer: r.IntN(buyers), to: towns[r.IntN(len(towns))], part: 15 + r.IntN(60)}
		e.shops = append(e.shops, first...)
		for len(e.shops) < sellers {
			if s := r.IntN(shops); !slices.Contains(e.shops, s) && (f.many == 0 || s != closingShop && s != unheardShop) {
				e.shops = append(e.shops, s)
			}
		}
		for range e.shops {
			e.pick, e.count = append(e.pick, r.IntN(articles)), append(e.count, 1+r.IntN(3))
		}
		all = append(all, e)
	}
	left := map[string]int{byWire: n / 4, onDelivery: n / 4}
	left[byCard] = n - left[byWire] - left[onDelivery]
	for i := range fates {
		f := &fates[i]
		for range max(f.least, f.many*n/300) {
			if f.many > 0 {
				add(f, 1)
				left[f.way]--
			}
		}
	}
	for i := range fates {
		f := &fates[i]
		if f.many > 0 {
			continue
		}
		for k := 0; left[f.way] > 0; k++ {
			sellers, first := 1, []int(nil)
			switch {
			case f.way == byCard && k < 2:
				first = []int{[]int{closingShop, unheardShop}[k]}
			case f.way == byCard && k%8 == 7 && left[f.way] > 1:
				sellers = 2
			}
			add(f, sellers, first...)
			left[f.way] -= sellers
		}
	}
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all, nil
}
