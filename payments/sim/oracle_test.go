package sim_test

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// A split is money of an order by whose it is: the seller's, its reserve, our
// commission, the VAT on it, and delivery.
type split [5]int64

const carried = 4 // delivery's place

func (s split) sum() (n int64) {
	for _, c := range s {
		n += c
	}
	return n
}

func (s split) add(o split, sign int64) split {
	for i := range s {
		s[i] += sign * o[i]
	}
	return s
}

// over shares an amount by weights: each rounded down, then one centime more to
// those who lost most, the first of equals first.
func over(amount int64, weights ...int64) []int64 {
	var all, given int64
	for _, w := range weights {
		all += w
	}
	out, lost := make([]int64, len(weights)), make([]int, len(weights))
	if amount == 0 || all == 0 {
		return out
	}
	for i, w := range weights {
		out[i], lost[i] = amount*w/all, i
		given += out[i]
	}
	slices.SortStableFunc(lost, func(a, b int) int { return cmp.Compare(amount*weights[b]%all, amount*weights[a]%all) })
	for _, i := range lost[:amount-given] {
		out[i]++
	}
	return out
}

func evenly(amount int64, w split) split { return split(over(amount, w[:]...)) }

// goodsFirst takes an amount from the goods, and from delivery only what is more.
func goodsFirst(amount int64, w split) split {
	delivery := w[carried]
	w[carried] = 0
	goods := min(amount, w.sum())
	s := evenly(goods, w)
	s[carried] = min(amount-goods, delivery)
	return s
}

// A promise is what the market adds for the seller, whose buyer pays less: it is
// paid with the goods, and goes back with them.
type promise struct {
	whole, paid, back int64
}

// owed is what belongs to so much of an order's goods.
func (x *order) owed(goods split) int64 {
	goods[carried] = 0
	all := x.legs
	all[carried] = 0
	if x.market.whole == 0 || all.sum() == 0 {
		return 0
	}
	return x.market.whole * goods.sum() / all.sum()
}

// pay brings what the market has paid up to what has been let go, and says what
// is new.
func (x *order) pay() int64 {
	n := x.owed(x.gone) - x.market.paid
	x.market.paid += n
	return n
}

// unpay is what the market has back of a part that is taken back: the seller
// keeps what belongs to what it keeps.
func (x *order) unpay(cut split) int64 {
	goods := cut
	goods[carried] = 0
	if goods.sum() == 0 {
		return 0
	}
	stays := x.owed(x.gone.add(x.took, -1).add(cut, -1))
	return max(0, x.market.paid-x.market.back-stays)
}

type order struct {
	market                      promise
	id, seller, state           string
	charge                      *charge
	carrier                     string // "": the seller brings it
	amount                      int64
	legs, gone, cancelled, took split
	refunded, recovered         int64 // by refunds: of what was held, of what was released
	charged, clawed             int64 // by chargebacks
	flying                      int
	cases                       []string
	frozen                      time.Time
	shipped, arrived            bool
	signDue, due                time.Time // of a sign of delivery, of the release
	settled, cash               bool
	parcel                      string // awaited, collected, remitted, lost, refused
	collected, covered, kept    int64
}

func (x *order) held() int64 {
	if x.state != "funded" {
		return 0
	}
	return x.left().sum()
}

func (x *order) left() split { return x.legs.add(x.gone, -1).add(x.cancelled, -1) }

// claim is what the buyer can still get back.
func (x *order) claim() int64 {
	if !slices.Contains(paidFor, x.state) {
		return 0
	}
	return x.amount - x.refunded - x.recovered - x.charged - x.clawed
}

var paidFor = []string{"funded", "released", "refunded", "closed"}

type charge struct {
	id, ref, method, state string
	orders                 []*order
	amount                 int64
	captured, refunded     int64
	back                   int64 // of a transfer: goes back, and is not the orders'
	settled, payer         bool
	asks                   []*ask    // of a wallet
	until                  time.Time // when it may be asked for anew at the latest
}

func (c *charge) open() bool {
	return c.state == "accepted" || c.state == "unknown" || c.state == "created" || c.state == "declined"
}

type refund struct {
	n              int
	charge         *charge
	order          *order // nil: its money waited in suspense
	amount         int64
	card, purse    bool // its rail: neither is a transfer
	known          bool // whether the account for one is known
	attempt        int
	state          string // created, sent, awaiting_rib, confirmed, returned, rejected
	landed, told   bool   // for its escrow it has arrived; the settlement has shown it
	held, released split
	goodwill       bool
	from           source
	by             *chargeback // took its place
	again          bool        // was made anew, as far as could be
}

func (r *refund) account() string { return fmt.Sprint("refund:#", r.n) }
func (r *refund) waits() bool     { return r.state == "awaiting_rib" || r.state == "returned" }
func (r *refund) done() bool      { return r.state == "confirmed" || r.state == "rejected" }

// A source is where money that goes back after its release was taken from.
type source struct {
	lots                       []bit
	available, owed, fees, tax int64
	loss, carrier, market      int64
	releases                   []bit
}

type bit struct {
	of *pot
	n  int64
}

// A pot is money of a seller's: a release that payouts cover, or a reserve.
type pot struct {
	order         *order
	n             int
	amount, taken int64
	settled, done bool
	due           time.Time
}

func (p *pot) free() int64 { return p.amount - p.taken }

type seller struct {
	id       string
	lots     []*pot
	releases []*pot
	kept     map[string]int64 // holds on what is available, by name
	hold     string           // the one by hand
	account  int
	bad      map[int]bool // accounts that the bank sent a payout back from
}

func (s *seller) holds() (n int64) {
	for _, k := range s.kept {
		n += k
	}
	return n
}

type payout struct {
	n       int
	seller  *seller
	amount  int64
	owed    int64
	against bool // the bank had refused it
	covers  []bit
	state   string
	account int
}

func (p *payout) ledgerName() string { return fmt.Sprint("payout:#", p.n) }

type dispute struct {
	n           int
	order       *order
	state       string
	opened      time.Time
	deadline    time.Time // zero: none
	back, letGo int64     // proposed
	proposed    bool
}

func (d *dispute) name() string { return fmt.Sprint("dispute #", d.n) }

type chargeback struct {
	n              int
	id             string // the acquirer's
	charge         *charge
	amount         int64
	state, verdict string
	loose          bool // its money never reached an escrow
	stakes         []*stake
	taken          int64 // of its orders, once it is lost; the rest was our loss
	shown, again   bool  // the settlement has shown that it was taken, and that it came again
}

func (b *chargeback) name() string { return fmt.Sprint("chargeback #", b.n) }

type stake struct {
	order             *order
	amount, uncovered int64
	took              int64 // when it was lost, less what has been counted against a refund
}

type move struct {
	n      int
	sweep  bool
	amount int64
	state  string
	day    string
}

type alarm struct{ kind, of string }

type moment struct {
	at  time.Time
	seq int
}

// An oracle says what every command answers, and what then stands in the books.
type oracle struct {
	now      time.Time
	seq      int
	bal      map[string]int64 // debits less credits
	orders   []*order
	charges  []*charge
	sellers  []*seller
	refunds  []*refund
	payouts  []*payout
	disputes []*dispute
	cases    []*chargeback
	moves    []*move
	alarms   map[alarm]moment
	halted   bool
	holdings int
	paidDay  map[string]bool
	entries  []entry
	hands    []*handed
	strays   []*stray
	sentBack []*sentBack
	alone    map[string]int64 // moved by hand on a day by the first of the operator's people
	shut     time.Time        // before it the books are closed
}

// An entry is one leg in the books, and when it counts.
type entry struct {
	leg
	at time.Time
}

func newOracle(now time.Time) *oracle {
	o := &oracle{now: now, bal: map[string]int64{}, alarms: map[alarm]moment{}, paidDay: map[string]bool{}, alone: map[string]int64{}}
	for _, p := range sellers {
		o.sellers = append(o.sellers, &seller{id: p.subject, kept: map[string]int64{}, bad: map[int]bool{}})
	}
	return o
}

// A leg is one side of a posting.
type leg struct {
	account string
	amount  int64
}

func dr(account string, n int64) leg { return leg{account, n} }
func cr(account string, n int64) leg { return leg{account, -n} }

const (
	safeguard = "bank:" + house + ":safeguard"
	transit   = "bank:" + house + ":transit"
	operating = "bank:" + house + ":operating"
	clearing  = "psp:" + acquirer + ":clearing"
	// What wallets took and have not settled.
	purseClearing = "psp:" + purse + ":clearing"
	disputed      = "psp:" + acquirer + ":disputed"
)

// book posts legs; what the oracle itself gets wrong here is its own mistake.
func (o *oracle) book(legs ...leg) { o.bookAt(o.now, legs...) }

func (o *oracle) bookAt(at time.Time, legs ...leg) {
	var sum int64
	for _, l := range legs {
		o.bal[l.account] += l.amount
		o.entries = append(o.entries, entry{l, at})
		sum += l.amount
	}
	if sum != 0 {
		panic(fmt.Sprint("the oracle books ", legs))
	}
}

// topUp brings our own money in, so that clients are not short.
func topUp(n int64) []leg { return []leg{dr(transit, n), cr(operating, n)} }

func (o *oracle) seller(id string) *seller {
	i := slices.IndexFunc(o.sellers, func(s *seller) bool { return s.id == id })
	return o.sellers[i]
}

func available(s *seller) string  { return "seller:" + s.id + ":available" }
func receivable(s *seller) string { return "seller:" + s.id + ":receivable" }
func reserve(s *seller) string    { return "seller:" + s.id + ":reserve" }
func payable(carrier string) string {
	return "payable:carrier:" + carrier
}

// free is what a seller can have taken from what is available.
func (o *oracle) free(s *seller) int64 { return -o.bal[available(s)] - s.holds() }
func (o *oracle) owes(s *seller) int64 { return o.bal[receivable(s)] }

func (o *oracle) set(kind, of string, at time.Time) {
	o.seq++
	o.alarms[alarm{kind, of}] = moment{at, o.seq}
}
func (o *oracle) clear(kind, of string) { delete(o.alarms, alarm{kind, of}) }

const day = 24 * time.Hour
