package orders

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"tiwiza/marketplace/catalog"
	"tiwiza/marketplace/delivery"
	"tiwiza/marketplace/members"
	"tiwiza/payments/escrow"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/geo"
	"tiwiza/pkg/id"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

const mostLines = 100

// A Basket is what a buyer gathers before asking for a quote. Its version
// changes with each change of its lines.
type Basket struct {
	ID      string
	Buyer   string
	Ordered bool
	Merged  bool // poured into another
	Version int64
	Lines   []Line // by variant
}

// A Head is what a checkout needs to know of a quote to make it anew.
type Head struct {
	ID        string
	Version   int64
	Method    string
	Commune   string
	Region    string
	Choices   map[string]string
	Codes     []string
	ExpiresAt time.Time
}

// to is where the quote's goods go, and how.
func (h Head) to() Destination { return Destination{h.Method, h.Commune, h.Region, h.Choices} }

// A counter is all that selling from a basket reads of our own: the basket,
// locked for this unit of work, the quote asked for, and the tariffs.
type counter struct {
	basket  Basket
	quote   *Head // nil when there is none of that hash
	tariffs []Tariff
	rules   []Rule
	fees    escrow.Sheet
}

// BasketView is a basket as its buyer sees it.
type BasketView struct {
	ID       string      `json:"id" required:"true"`
	State    string      `json:"state" required:"true" enum:"open,ordered,merged"`
	Version  int64       `json:"version" required:"true"`
	Lines    []QuoteLine `json:"lines" required:"true"`
	Totals   Totals      `json:"totals" required:"true" description:"With delivery by carrier; a quote says what another way costs."`
	Problems []Problem   `json:"problems" required:"true"`
}

// CreateBasket gives the caller an empty basket.
func (s *Service) CreateBasket(ctx context.Context, _ rest.None) (BasketView, error) {
	b := Basket{ID: id.New(id.Basket), Buyer: auth.From(ctx).Subject, Version: 1}
	err := s.db.InTx(ctx, func(tx *pg.Tx) error {
		insertBasket(tx, b)
		return nil
	})
	return basketView(b, Market{}.Quote(nil, Destination{Method: "carrier"})), err
}

// BasketInput names a basket.
type BasketInput struct {
	Basket string `path:"basket"`
}

// ShowBasket shows a basket at today's prices.
func (s *Service) ShowBasket(ctx context.Context, in BasketInput) (v BasketView, err error) {
	err = s.db.InTx(ctx, func(tx *pg.Tx) error {
		v, err = s.showBasket(ctx, tx, in.Basket)
		return err
	})
	return v, err
}

func (s *Service) showBasket(ctx context.Context, tx *pg.Tx, basket string) (BasketView, error) {
	c, err := s.open(ctx, tx, basket, "", "baskets.show")
	if err != nil {
		return BasketView{}, err
	}
	to := Destination{Method: "carrier"}
	m, err := s.market(ctx, tx, c, to, nil)
	if err != nil {
		return BasketView{}, err
	}
	m.At = tx.Now()
	q := m.Quote(c.basket.Lines, to)
	q.Problems = slices.DeleteFunc(q.Problems, func(p Problem) bool { return p.Code == string(delivery.NoCommune) }) // nobody was asked yet
	return basketView(c.basket, q), nil
}

func basketView(b Basket, q Quote) BasketView {
	state := "open"
	switch {
	case b.Ordered:
		state = "ordered"
	case b.Merged:
		state = "merged"
	}
	return BasketView{b.ID, state, b.Version, q.Lines, q.Totals, q.Problems}
}

// LineInput says how many of a variant lie in a basket.
type LineInput struct {
	Basket   string `path:"basket"`
	Variant  string `path:"variant"`
	Quantity int    `json:"quantity" required:"true" minimum:"0" maximum:"999" description:"0 takes the line out."`

	Agreement string `json:"agreement,omitempty" maxLength:"40" description:"By which it is sold; a line keeps its own when left out."`
}

// PutLine sets how many of a variant lie in the basket. Setting what is there
// already changes nothing, so a quote stays good.
func (s *Service) PutLine(ctx context.Context, in LineInput) (v BasketView, err error) {
	err = s.db.InTx(ctx, func(tx *pg.Tx) error {
		if err := s.putLine(ctx, tx, in); err != nil {
			return err
		}
		v, err = s.showBasket(ctx, tx, in.Basket)
		return err
	})
	return v, err
}

func (s *Service) putLine(ctx context.Context, tx *pg.Tx, in LineInput) error {
	c, err := s.open(ctx, tx, in.Basket, "", "baskets.put_line")
	if err != nil {
		return err
	}
	if err := s.still(ctx, tx, c.basket); err != nil {
		return err
	}
	var before Line
	for _, l := range c.basket.Lines {
		if l.Variant == in.Variant {
			before = l
		}
	}
	if in.Quantity == 0 {
		if before.Quantity > 0 {
			deleteLine(tx, in.Basket, in.Variant)
		}
		return nil
	}
	items, err := s.Catalogue.Items(ctx, tx, []string{in.Variant})
	if err != nil {
		return err
	}
	item, there := items[in.Variant]
	if !there || !item.Published {
		return ErrNoVariant
	}
	line := Line{Variant: in.Variant, Quantity: in.Quantity, Agreement: cmp.Or(in.Agreement, before.Agreement)}
	if item.Way == catalog.ByQuote && line.Agreement == "" {
		return catalog.ErrByQuote
	}
	if before.Quantity == 0 && len(c.basket.Lines) >= mostLines {
		return ErrFull
	}
	m := Market{Items: items, Buyer: c.basket.Buyer, At: tx.Now()}
	err = pg.Together(ctx, tx, s.Agreed.Of(agreedIn([]Line{line}), &m.Agreed), s.Prices.For(m.Buyer, []string{item.Seller}, []string{in.Variant}, &m.Own))
	if err != nil {
		return err
	}
	if line.Agreement != "" {
		if err := m.allowed(line); err != nil {
			return err
		}
	}
	price, _ := m.price(line)
	line.Price = price.Centimes()
	putLine(tx, in.Basket, line, before.Quantity != line.Quantity || before.Agreement != line.Agreement)
	return nil
}

// QuoteInput asks for a quote.
type QuoteInput struct {
	Basket   string         `path:"basket"`
	Delivery *DeliveryInput `json:"delivery,omitempty" description:"By carrier when left out."`
	Codes    []string       `json:"codes,omitempty" maxItems:"10" description:"Of promotions."`
}

// DeliveryInput says how and where to the goods go. A quote needs the method
// alone; a checkout needs all that the method needs.
type DeliveryInput struct {
	Method  string            `json:"method" required:"true" enum:"carrier,own,pickup,relay,none" description:"own: the seller brings it; pickup: the buyer fetches it; relay: the buyer fetches it at a point of the market's; none: for files and codes alone."`
	Commune string            `json:"commune,omitempty" maxLength:"100"`
	Address string            `json:"address,omitempty" maxLength:"300"`
	Point   *Point            `json:"point,omitempty"`
	Choices map[string]string `json:"choices,omitempty" description:"For sellers, by their ids, another way: the way of an offer in the quote's deliveries, or a method."`
}

// A Point is a place on the map, in degrees.
type Point struct {
	Lat float64 `json:"lat" required:"true" minimum:"-90" maximum:"90"`
	Lng float64 `json:"lng" required:"true" minimum:"-180" maximum:"180"`
}

var errCommune = ErrInvalid.At("/delivery/commune", "This commune is not known; write its name as on the map, in French or Arabic.")

// Quote prices the basket and keeps the price for a while. It answers with its
// problems instead of refusing.
func (s *Service) Quote(ctx context.Context, in QuoteInput) (q Quote, err error) {
	to := Destination{Method: "carrier"}
	if in.Delivery != nil {
		to.Method = in.Delivery.Method
		if to.Choices, err = chosen(in.Delivery.Choices); err != nil {
			return q, err
		}
		if in.Delivery.Commune != "" {
			place, ok := geo.Find(in.Delivery.Commune)
			if !ok {
				return q, errCommune
			}
			to.Commune, to.Region = place.Name, place.Region
		}
	}
	codes, err := typed(in.Codes)
	if err != nil {
		return q, err
	}
	err = s.db.InTx(ctx, func(tx *pg.Tx) error {
		q, err = s.quote(ctx, tx, in.Basket, to, codes)
		return err
	})
	return q, err
}

func (s *Service) quote(ctx context.Context, tx *pg.Tx, basket string, to Destination, codes []string) (Quote, error) {
	c, err := s.open(ctx, tx, basket, "", "quotes.create")
	if err != nil {
		return Quote{}, err
	}
	if err := s.still(ctx, tx, c.basket); err != nil {
		return Quote{}, err
	}
	if len(c.basket.Lines) == 0 {
		return Quote{}, ErrEmpty
	}
	m, err := s.market(ctx, tx, c, to, codes)
	if err != nil {
		return Quote{}, err
	}
	m.At = tx.Now()
	q := m.Quote(c.basket.Lines, to)
	q.ID, q.Basket, q.Version = id.New(id.Quote), basket, c.basket.Version
	q.ExpiresAt = tx.Now().Add(Validity).Truncate(time.Second)
	q = q.Seal()
	insertQuote(tx, q)
	showPrices(tx, q)
	return q, nil
}

// open locks the basket and reads what selling from it needs. To anyone but
// its buyer there is no such basket.
func (s *Service) open(ctx context.Context, tx *pg.Tx, basket, hash, action string) (counter, error) {
	c, err := lockBasket(ctx, tx, s.Escrows, basket, hash)
	if err != nil {
		return c, err
	}
	_, err = s.may(ctx, action, "", c.basket.Buyer, ErrNoBasket)
	return c, err
}

// market reads what is sold, by whom, and how it reaches its buyer, as it is now.
func (s *Service) market(ctx context.Context, db pg.DB, c counter, to Destination, codes []string) (m Market, err error) {
	m.Tariffs, m.Rules, m.Fees = c.tariffs, c.rules, c.fees
	if m.Methods, err = s.Charges.Methods(ctx, db); err != nil {
		return m, err
	}
	m.Codes, m.Buyer = codes, c.basket.Buyer
	if len(c.basket.Lines) == 0 {
		return m, nil
	}
	variants := make([]string, len(c.basket.Lines))
	for i, l := range c.basket.Lines {
		variants[i] = l.Variant
	}
	if m.Items, err = s.Catalogue.Items(ctx, db, variants); err != nil {
		return m, fmt.Errorf("read the articles: %w", err)
	}
	seen := map[string]bool{}
	var sellers []string
	for _, item := range m.Items {
		if !seen[item.Seller] {
			seen[item.Seller], sellers = true, append(sellers, item.Seller)
		}
	}
	m.Sellers = make(map[string]members.Seller, len(sellers))
	reads := []pg.Read{
		s.Sellers.Facing(sellers, m.Sellers), s.Ways.Serving(sellers, to.Region, to.Commune, &m.Ways),
		s.Offs.For(c.basket.Buyer, sellers, codes, &m.Offs), s.Prices.For(c.basket.Buyer, sellers, variants, &m.Own),
		s.Sellers.Working(c.basket.Buyer, sellers, &m.Works),
	}
	if files := digitalOf(m.Items); len(files) > 0 {
		reads = append(reads, s.Digital.Stocks(files, &m.Ready))
	}
	if by := agreedIn(c.basket.Lines); len(by) > 0 {
		reads = append(reads, s.Agreed.Of(by, &m.Agreed))
	}
	if err = pg.Together(ctx, db, reads...); err != nil {
		return m, fmt.Errorf("read the sellers: %w", err)
	}
	return m, nil
}

// still refuses a basket that is not open any more.
func (s *Service) still(ctx context.Context, db pg.DB, b Basket) error {
	switch {
	case b.Ordered:
		return s.ordered(ctx, db, b.ID)
	case b.Merged:
		return ErrMerged
	}
	return nil
}

// ordered is the refusal of a basket that became orders; it says which.
func (s *Service) ordered(ctx context.Context, db pg.DB, basket string) error {
	group, err := groupOf(ctx, db, basket)
	if errors.Is(err, ErrNoGroup) {
		return ErrOrdered
	}
	if err != nil {
		return err
	}
	return ErrOrdered.Say("This basket was ordered already, as %s; start a new one to buy more.", group).At("/basket", group)
}
