package charges

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"tiwiza/payments/ledger"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

// RemittanceState is where a carrier's list stands.
type RemittanceState string

// The states.
const (
	Announced RemittanceState = "announced" // its money has not come
	Arrived   RemittanceState = "arrived"   // the bank showed all of it
	Short     RemittanceState = "short"     // the bank showed less: the rest stays owed
	Withdrawn RemittanceState = "withdrawn"
)

// A Remittance is what a carrier says it brings to the bank in one sum.
type Remittance struct {
	ID        string
	Carrier   string
	Reference string
	Theirs    string // the carrier's own name of it
	Currency  string
	Net       int64 // centimes that shall come
	Handling  int64 // of the cash: what bringing it costs us
	Arrived   int64
	State     RemittanceState
	MadeBy    string
	Version   int64
	CreatedAt time.Time
	EndedAt   *time.Time
}

// An Item is one order of a list: its cash, and what of it the carrier keeps.
type Item struct {
	Order string `db:"order_id"`
	Cash  int64
	Kept  int64
}

// named says whether a text has the carrier's own name of the list. A word is
// no name, and a seller who brings its goods itself has none that counts: it
// could choose what a stranger wrote.
func (r Remittance) named(text string) bool {
	name := signs(r.Theirs)
	digits := len(name) - len(strings.Map(func(c rune) rune {
		if c >= '0' && c <= '9' {
			return -1
		}
		return c
	}, name))
	own := auth.Principal{Role: auth.Seller, Subject: r.Carrier}.Person()
	return r.MadeBy != own && len(name) >= 6 && digits >= 3 && strings.Contains(signs(text), name)
}

// end is the list once money came for it.
func (r Remittance) end(arrived int64, at time.Time) Remittance {
	r.State, r.Arrived, r.EndedAt = Arrived, arrived, &at
	if arrived < r.Net {
		r.State = Short
	}
	return r
}

// A cover is what money for a list does to one order: it accounts for Amount of
// the cash, of which Kept stayed with the carrier and Handling was its price.
type cover struct {
	Item     int
	Amount   int64
	Kept     int64
	Handling int64
}

// money is what of a cover came to the bank.
func (c cover) money() int64 { return c.Amount - c.Kept - c.Handling }

// spread shares what arrived over a list, in its order: each order is covered
// whole, with the fee kept and its share of the handling, until the money ends;
// the next is covered by what is left of it, and those behind it not at all. It
// returns what is more than the list.
func spread(arrived, handling int64, items []Item) (covers []cover, over int64) {
	weights := make([]int64, len(items))
	var sum int64
	for i, it := range items {
		weights[i] = it.Cash - it.Kept
		sum += weights[i]
	}
	shares := make([]int64, len(items))
	if handling = min(handling, sum); handling > 0 {
		shares = money.Allocate(handling, weights...)
	}
	for i, it := range items {
		c := cover{i, it.Cash, it.Kept, shares[i]}
		if c.money() > arrived {
			if arrived > 0 {
				covers = append(covers, cover{Item: i, Amount: arrived})
			}
			return covers, 0
		}
		arrived -= c.money()
		if c.Amount > 0 {
			covers = append(covers, c)
		}
	}
	return covers, arrived
}

// remittedList books money for a list.
func (s *Service) remittedList(ctx context.Context, tx *pg.Tx, cr Credit, id string) (Taken, error) {
	r, err := lockRemittance(ctx, tx, id)
	if err != nil {
		return Taken{}, err
	}
	if r.State != Announced || r.Currency != cr.Currency {
		return Taken{Why: fmt.Sprintf("the remittance %s is %s, in %s", r.ID, r.State, r.Currency)}, nil
	}
	items, err := itemsOf(ctx, tx, r.ID)
	if err != nil {
		return Taken{}, err
	}
	orders := make([]string, len(items))
	for i, it := range items {
		orders[i] = it.Order
	}
	parcels, err := s.lockParcels(ctx, tx, orders)
	if err != nil {
		return Taken{}, err
	}
	for i, it := range items { // some of it may have come by itself meanwhile
		p := parcels[it.Order]
		items[i].Cash = min(it.Cash, p.Owed())
		items[i].Kept = min(it.Kept, p.CarrierFee()-p.Kept, items[i].Cash)
	}
	covers, over := spread(cr.Amount, r.Handling, items)
	if over == cr.Amount {
		return Taken{Why: coveredBefore.Of(r.ID)}, nil
	}
	if err := s.covered(ctx, tx, cr, r.Carrier, items, parcels, covers); err != nil {
		return Taken{}, err
	}
	r = r.end(cr.Amount-over, tx.Now())
	saveRemittance(tx, r)
	unlist(tx, r.ID)
	t := Taken{Subject: r.ID, Loose: over}
	switch {
	case r.State == Short:
		t.Why = lessAnnounced.Of(money.FromCentimes(r.Net-r.Arrived, r.Currency), r.Carrier)
	case over > 0:
		t.Why = moreAnnounced.Of(money.FromCentimes(over, r.Currency))
	}
	return t, tx.Publish(ctx, RemittanceCame{r.ID, r.Carrier, r.State, money.FromCentimes(r.Net, r.Currency), money.FromCentimes(r.Arrived, r.Currency)})
}

// remittedOne books money that names the cash of one order, without a list: all
// that is owed, or that less the carrier's fee, or a part of it.
func (s *Service) remittedOne(ctx context.Context, tx *pg.Tx, cr Credit, order string) (Taken, error) {
	parcels, err := s.lockParcels(ctx, tx, []string{order})
	if err != nil {
		return Taken{}, err
	}
	p, ok := parcels[order]
	if !ok {
		return Taken{}, ErrNoParcel
	}
	if p.State != Collected || p.Currency != cr.Currency {
		return Taken{Why: fmt.Sprintf("the cash of %s is %s", order, p.State)}, nil
	}
	it := Item{Order: order, Cash: p.Owed()}
	if fee := p.CarrierFee() - p.Kept; cr.Amount == it.Cash-fee {
		it.Kept = fee
	}
	covers, over := spread(cr.Amount, 0, []Item{it})
	t := Taken{Subject: order, Loose: over}
	if over > 0 {
		t.Why = moreThanCash.Of(money.FromCentimes(over, p.Currency))
	}
	return t, s.covered(ctx, tx, cr, p.Carrier, []Item{it}, parcels, covers)
}

// covered books what money for cash does: the carrier owes less, by what came,
// by the fees it kept and by the price of handling, which is ours.
func (s *Service) covered(ctx context.Context, tx *pg.Tx, cr Credit, carrier string, items []Item, parcels map[string]Parcel, covers []cover) error {
	var came, kept, handling int64
	var done []Parcel
	for _, c := range covers {
		p, err := parcels[items[c.Item].Order].Cover(c.Amount, c.Kept, tx.Now())
		if err != nil {
			return err
		}
		p = saveParcel(tx, p)
		came, kept, handling = came+c.money(), kept+c.Kept, handling+c.Handling
		if p.State == Remitted {
			done = append(done, p)
		}
	}
	err := s.books.Post(ctx, tx, ledger.Transfer{
		Key: "remitted:" + cr.Line, Kind: "cash.remitted", Currency: cr.Currency,
		Legs: []ledger.Leg{
			ledger.Debit(cr.From, came), ledger.Debit(ledger.CarrierPayable(carrier), kept),
			ledger.Debit(ledger.PSPCost, handling), ledger.Debit(ledger.Transit(cr.Bank), handling),
			ledger.Credit(ledger.COD(carrier), came+kept+handling), ledger.Credit(ledger.Operating(cr.Bank), handling),
		},
	})
	if err != nil {
		return err
	}
	return s.remitted(ctx, tx, done)
}

// remitted tells of orders whose cash is all accounted for.
func (s *Service) remitted(ctx context.Context, tx *pg.Tx, done []Parcel) error {
	for _, p := range done {
		if _, err := s.escrows.Remitted(ctx, tx, p.Order); err != nil {
			return fmt.Errorf("the cash of %s is remitted: %w", p.Order, err)
		}
		if err := tx.Publish(ctx, CashRemitted{p.Order, p.Charge, p.Carrier, money.FromCentimes(p.Cash, p.Currency)}); err != nil {
			return err
		}
		c, err := lock(ctx, tx, p.Charge)
		if err != nil {
			return err
		}
		if err := s.ended(ctx, tx, c); err != nil {
			return err
		}
	}
	return nil
}

// lockParcels locks the charges of cash orders and then their parcels, each in
// the order of their ids.
func (s *Service) lockParcels(ctx context.Context, tx *pg.Tx, orders []string) (map[string]Parcel, error) {
	seen, err := parcelsOf(ctx, tx, orders)
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(seen))
	for i, p := range seen {
		ids[i] = p.Charge
	}
	if err := lockAll(ctx, tx, ids); err != nil {
		return nil, err
	}
	locked, err := lockParcelsOf(ctx, tx, orders)
	if err != nil {
		return nil, err
	}
	by := make(map[string]Parcel, len(locked))
	for _, p := range locked {
		by[p.Order] = p
	}
	return by, nil
}

// announce makes the list of some parcels of a carrier, oldest first.
func announce(carrier string, parcels []Parcel, keepsFees bool, handling int64) (items []Item, net int64, err error) {
	slices.SortFunc(parcels, func(a, b Parcel) int { return strings.Compare(a.Order, b.Order) })
	for _, p := range parcels {
		why := ""
		switch {
		case p.Carrier != carrier:
			why = "Another carrier brings this order."
		case p.State != Collected:
			why = fmt.Sprintf("The cash of this order is %s.", p.State)
		case p.Listed != "":
			why = "This order is in " + p.Listed + " already."
		case p.Currency != parcels[0].Currency:
			why = "A list is in one currency."
		}
		if why != "" {
			return nil, 0, ErrList.At("/orders/"+p.Order, why)
		}
		it := Item{Order: p.Order, Cash: p.Owed()}
		if keepsFees {
			it.Kept = min(p.CarrierFee()-p.Kept, it.Cash)
		}
		items, net = append(items, it), net+it.Cash-it.Kept
	}
	if net -= handling; net <= 0 {
		return nil, 0, ErrList.At("/handling", "Nothing would be left to remit.")
	}
	return items, net, nil
}
