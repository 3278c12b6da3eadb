package orders

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"time"

	"tiwiza/marketplace/agreements"
	"tiwiza/marketplace/catalog"
	"tiwiza/marketplace/delivery"
	"tiwiza/marketplace/digital"
	"tiwiza/marketplace/members"
	"tiwiza/marketplace/pricing"
	"tiwiza/marketplace/promotions"
	"tiwiza/payments/escrow"
	"tiwiza/pkg/money"
)

// Validity is how long a quote holds.
const Validity = 15 * time.Minute

// A Quote is what the goods of a basket cost, brought there, until it expires.
// Its hash stands for all that the buyer agrees to.
type Quote struct {
	ID        string      `json:"id" required:"true"`
	Hash      string      `json:"hash" required:"true" description:"Send it as quote when checking out: it stands for all of this."`
	Basket    string      `json:"basket" required:"true"`
	Version   int64       `json:"basket_version" required:"true"`
	Delivery  Destination `json:"delivery" required:"true"`
	Lines     []QuoteLine `json:"lines" required:"true"`
	Fees      []Fee       `json:"fees" required:"true" description:"For each seller its parcel, and what the market takes of the buyer."`
	Offers    []Choice    `json:"deliveries" required:"true" description:"How each seller's parcel can reach its buyer."`
	Discounts []Discount  `json:"discounts" required:"true" description:"What is taken off the goods: of each seller one promotion of its own, and one of the market's, at most."`
	Codes     []string    `json:"codes" required:"true" description:"That were typed."`
	Totals    Totals      `json:"totals" required:"true"`
	Problems  []Problem   `json:"problems" required:"true"`
	Payments  []Way       `json:"payments" required:"true" description:"How all of it can be paid."`
	Consents  []Consent   `json:"consents" required:"true" description:"What the buyer must agree to, by its hash, when checking out."`
	ExpiresAt time.Time   `json:"expires_at" required:"true"`
}

// A Destination is how and where the goods go, as far as their price needs it.
type Destination struct {
	Method  string            `json:"method" required:"true" enum:"carrier,own,pickup,relay,none"`
	Commune string            `json:"commune,omitempty"`
	Region  string            `json:"region,omitempty"`
	Choices map[string]string `json:"choices,omitempty"`
}

// A QuoteLine is one article.
type QuoteLine struct {
	Variant      string            `json:"variant" required:"true"`
	Offer        string            `json:"offer" required:"true"`
	Seller       Party             `json:"seller" required:"true"`
	Names        map[string]string `json:"names" required:"true"`
	VariantNames map[string]string `json:"variant_names" required:"true"`
	SKU          string            `json:"sku" required:"true"`
	Quantity     int               `json:"quantity" required:"true"`
	Price        money.Money       `json:"price" required:"true"`
	Total        money.Money       `json:"total" required:"true"`
	Discount     money.Money       `json:"discount" required:"true" description:"What promotions take off the total."`
	MarketPays   money.Money       `json:"market_pays" required:"true" description:"Of the discount, what the market pays to the seller."`
	PriceFrom    From              `json:"price_from" required:"true" enum:"public,list,agreement" description:"By which rule the price came."`
	Agreement    string            `json:"agreement,omitempty" description:"By which it is sold."`

	MakeDays int `json:"make_days" required:"true" description:"How long it is made before it leaves."`

	Kind catalog.Kind `json:"kind" required:"true" enum:"product,service,digital"`

	StartsAt *time.Time `json:"starts_at,omitempty" description:"When the date that is booked begins."`
	Minutes  int        `json:"minutes,omitempty" description:"How long it takes."`

	weight   int64
	category string
	agreed   *agreements.Agreement
	exempt   string // why it cannot be sent back, if so
	byCodes  bool   // it is digital, and sold by codes
}

// A Party is a seller as others see it.
type Party struct {
	ID    string            `json:"id" required:"true"`
	Names map[string]string `json:"names" required:"true"`
}

// A Fee is what bringing one seller's goods costs the buyer, or what the market
// takes for its service, VAT included.
type Fee struct {
	Kind    string      `json:"kind" required:"true" enum:"delivery,service"`
	Seller  Party       `json:"seller" required:"true"`
	Method  string      `json:"method" required:"true" enum:"carrier,own,pickup,relay,none" description:"none: files and codes alone."`
	WeightG int64       `json:"weight_g" required:"true"`
	Amount  money.Money `json:"amount" required:"true"`

	Way      string            `json:"way,omitempty" description:"The seller's way of delivery, or the relay point; left out when it is the market's own."`
	LeadDays int               `json:"lead_days" required:"true" description:"How long the goods travel."`
	MakeDays int               `json:"make_days" required:"true" description:"How long the goods are made before they leave."`
	ShipsBy  *time.Time        `json:"ships_by,omitempty" description:"By when they leave, if the seller accepts at once."`
	Names    map[string]string `json:"names,omitempty"`
	Fetch    *delivery.Spot    `json:"fetch,omitempty" description:"Where the buyer fetches the goods."`

	payee string
}

// Totals are sums.
type Totals struct {
	Goods      money.Money `json:"goods" required:"true"`
	Delivery   money.Money `json:"delivery" required:"true"`
	Fees       money.Money `json:"fees" required:"true" description:"What the market takes of the buyer, VAT included."`
	Total      money.Money `json:"total" required:"true"`
	Discount   money.Money `json:"discount" required:"true" description:"What promotions take off the goods; the total is less it."`
	MarketPays money.Money `json:"market_pays" required:"true" description:"Of the discount, what the market pays to the sellers."`
}

// A Problem is what stands between a line and its sale. One that blocks must
// be mended before checking out; the others only ask for a look.
type Problem struct {
	Pointer  string       `json:"pointer" required:"true" description:"The line, as /lines/0, or the code, as /codes/0."`
	Code     string       `json:"code" required:"true" enum:"sold_out,price_changed,seller_unavailable,seller_closed,not_published,by_quote,not_delivered,too_heavy,commune_needed,agreement_ended,agreement_quantity,agreement_incomplete,agreement_alone,code_unknown,code_not_now,code_below_minimum,code_other_goods,code_used_up,code_no_room,made_too_long,not_ready,code_rest_lost,code_own_goods"`
	Detail   string       `json:"detail" required:"true"`
	Variant  string       `json:"variant" required:"true" description:"Empty for a code."`
	Blocking bool         `json:"blocking" required:"true"`
	Left     *int         `json:"left,omitempty" description:"How many are left."`
	Was      *money.Money `json:"was,omitempty" description:"The price shown before."`
	Now      *money.Money `json:"now,omitempty" description:"The price now."`
	Opens    string       `json:"opens,omitempty" format:"date" description:"The day on which the seller sells again."`
}

// A Line is what lies in a basket. Price is the one the buyer was shown last,
// in centimes.
type Line struct {
	Variant   string
	Quantity  int
	Price     int64
	Agreement string // by which it is sold, if by one
}

// A Market is what a quote is made from: things as they are now.
type Market struct {
	Items   map[string]catalog.Item
	Sellers map[string]members.Seller
	Tariffs []Tariff       // the market's own delivery
	Ways    []delivery.Way // that of sellers, and relay points
	Offs    []promotions.Available
	Agreed  []agreements.Agreement
	Own     []pricing.Own
	Buyer   string
	Works   []string // the sellers that the buyer works for
	Codes   []string // that the buyer typed
	Rules   []Rule
	Ready   map[string]digital.Stock // of digital articles
	Methods []string                 // the ways to pay that there are partners for
	Fees    escrow.Sheet             // what the market takes
	At      time.Time                // by what holds then
}

// Quote prices lines, in their order. The caller sets what names the quote
// (ID, Basket, Version, ExpiresAt) and then seals it.
func (m Market) Quote(lines []Line, d Destination) Quote {
	q := Quote{Delivery: d, Lines: []QuoteLine{}, Fees: []Fee{}, Offers: []Choice{}, Discounts: []Discount{}, Codes: append([]string{}, m.Codes...), Problems: []Problem{}}
	none := money.Dirhams(0)
	q.Totals = Totals{none, none, none, none, none, none}
	for i, l := range lines {
		line := m.line(l)
		q.Lines = append(q.Lines, line)
		q.Totals.Goods = q.Totals.Goods.Add(line.Total)
		q.Problems = append(q.Problems, m.problems(i, l)...)
	}
	q.Problems = append(q.Problems, m.incomplete(lines)...)
	parcels := m.parcels(q.Lines, d)
	for _, seller := range slices.Sorted(maps.Keys(parcels)) {
		f := m.deliver(&q, parcels[seller], d).made(q.Lines, m.At)
		q.Fees = append(q.Fees, f)
		q.Totals.Delivery = q.Totals.Delivery.Add(f.Amount)
		m.discount(&q, parcels[seller].seller, f.Amount)
		if onTop := escrow.OnTop(m.Fees.Fees(q.sale(seller, f.Amount, m.At))); onTop > 0 {
			q.Fees = append(q.Fees, Fee{Kind: "service", Seller: f.Seller, Method: f.Method, Amount: money.Dirhams(onTop)})
			q.Totals.Fees = q.Totals.Fees.Add(money.Dirhams(onTop))
		}
	}
	m.subsidise(&q)
	m.judgeCodes(&q)
	q.Totals.Total = q.Totals.Goods.Sub(q.Totals.Discount).Add(q.Totals.Delivery).Add(q.Totals.Fees)
	q.Consents = q.consents()
	q.Payments = m.ways(q)
	return q
}

// sale is one seller's part of a quote, for the fees on it: at its price, whoever
// pays it.
func (q Quote) sale(seller string, delivery money.Money, at time.Time) escrow.Sale {
	s := escrow.Sale{Goods: map[string]int64{}, Delivery: delivery.Centimes(), At: at}
	for _, l := range q.Lines {
		if l.Seller.ID == seller {
			s.Goods[l.category] += l.Total.Sub(l.Discount).Add(l.MarketPays).Centimes()
		}
	}
	return s
}

// line prices one line. What is no longer on offer keeps the price shown last.
func (m Market) line(l Line) QuoteLine {
	item := m.Items[l.Variant]
	price, from := m.price(l)
	q := QuoteLine{
		Variant: l.Variant, Offer: item.Offer, Seller: m.party(item.Seller), Names: texts(item.OfferNames),
		VariantNames: texts(item.Names), SKU: item.SKU, Quantity: l.Quantity, Price: price, Total: price.Times(int64(l.Quantity)), Discount: money.Dirhams(0), MarketPays: money.Dirhams(0),
		PriceFrom: from, Agreement: l.Agreement, agreed: m.agreement(l.Agreement),
		MakeDays: item.LeadDays, weight: int64(item.WeightG) * int64(l.Quantity), category: item.Category, exempt: item.WithdrawalExempt,
		Kind: cmp.Or(item.Kind, catalog.Product),
	}
	if q.Kind == catalog.Digital {
		q.exempt, q.byCodes = exemptDigital, item.Policy == catalog.Stocked
	}
	if item.StartsAt != nil {
		at := item.StartsAt.UTC()
		q.StartsAt, q.Minutes = &at, item.Minutes
		q.MakeDays = max(q.MakeDays, daysUntil(at, item.Minutes, m.At))
	}
	return q
}

// problems says what stands between a line and its sale.
func (m Market) problems(i int, l Line) []Problem {
	item, there := m.Items[l.Variant]
	p := Problem{Pointer: fmt.Sprintf("/lines/%d", i), Variant: l.Variant, Blocking: true}
	name := named(item.OfferNames, "This article")
	switch {
	case !there || !item.Published:
		p.Code, p.Detail = "not_published", name+" is no longer on offer; take it out of the basket."
		return []Problem{p}
	case item.Way == catalog.ByQuote && l.Agreement == "":
		p.Code, p.Detail = "by_quote", name+" has no fixed price; take it out of the basket and ask its seller for a quotation."
		return []Problem{p}
	case !m.Sellers[item.Seller].Active:
		p.Code, p.Detail = "seller_unavailable", "The seller of "+name+" does not sell at the moment; take it out of the basket."
		return []Problem{p}
	case item.Reopens != "":
		p.Code, p.Opens = "seller_closed", item.Reopens
		p.Detail = "The seller of " + name + " is away and sells again on " + item.Reopens + "; order it then, or take it out of the basket."
		return []Problem{p}
	}
	out := append(m.unagreed(i, l), m.unready(i, l)...)
	if days := m.line(l).MakeDays; days > mostMaking && l.Agreement == "" {
		out = append(out, Problem{
			Pointer: p.Pointer, Code: "made_too_long", Variant: l.Variant, Blocking: true,
			Detail: fmt.Sprintf("%s takes %d days to make, and money is held for orders of at most %d; take it out of the basket and ask its seller for a quotation.", name, days, mostMaking),
		})
	}
	if item.Available < l.Quantity {
		left := max(item.Available, 0)
		p.Code, p.Left = "sold_out", &left
		p.Detail = fmt.Sprintf("%s: only %d left, and you asked for %d.", name, left, l.Quantity)
		if left == 0 {
			p.Detail = name + " is sold out; take it out of the basket."
		}
		out = append(out, p)
	}
	now, _ := m.price(l)
	if was := money.Dirhams(l.Price); !was.Equal(now) {
		out = append(out, Problem{
			Pointer: p.Pointer, Code: "price_changed", Variant: l.Variant, Was: &was, Now: &now,
			Detail: fmt.Sprintf("%s now costs %s instead of %s.", name, now, was),
		})
	}
	return out
}

func (m Market) party(seller string) Party { return Party{seller, texts(m.Sellers[seller].Names)} }

// texts is t, never null.
func texts(t map[string]string) map[string]string {
	if t == nil {
		return map[string]string{}
	}
	return t
}

// Seal is the quote with its hash.
func (q Quote) Seal() Quote {
	sum := sha256.Sum256(q.canonical())
	q.Hash = hex.EncodeToString(sum[:])
	return q
}

// canonical writes all that the buyer agrees to, and nothing else: names and
// problems may change without changing the deal.
func (q Quote) canonical() []byte {
	b := fmt.Appendf(nil, "quote 5\n%q %q %d %d\n%q %q %q\n", q.ID, q.Basket, q.Version, q.ExpiresAt.UnixMicro(),
		q.Delivery.Method, q.Delivery.Commune, q.Delivery.Region)
	for _, l := range q.Lines {
		b = fmt.Appendf(b, "line %q %q %q %q %d %s %s %s %s %q %q\n", l.Kind, l.Variant, l.Offer, l.Seller.ID, l.Quantity, l.Price, l.Total, l.Discount, l.MarketPays, l.PriceFrom, l.Agreement)
		if l.MakeDays > 0 {
			b = fmt.Appendf(b, "made in %d\n", l.MakeDays)
		}
		if l.StartsAt != nil {
			b = fmt.Appendf(b, "on %d\n", l.StartsAt.UnixMicro())
		}
		if l.Minutes > 0 {
			b = fmt.Appendf(b, "for %d\n", l.Minutes)
		}
	}
	for _, f := range q.Fees {
		b = fmt.Appendf(b, "fee %q %q %q %q %d %d %d %s\n", f.Kind, f.Seller.ID, f.Method, f.Way, f.LeadDays, f.MakeDays, f.WeightG, f.Amount)
	}
	for _, d := range q.Discounts {
		b = fmt.Appendf(b, "discount %q %q %s %s\n", d.Promotion, d.Seller.ID, d.PaidBy, d.Amount)
	}
	for _, c := range q.Consents {
		b = fmt.Appendf(b, "consent %q %q\n", c.Kind, c.Hash)
	}
	return fmt.Appendf(b, "totals %s %s %s %s %s %s\n", q.Totals.Goods, q.Totals.Discount, q.Totals.MarketPays, q.Totals.Delivery, q.Totals.Fees, q.Totals.Total)
}

// blocking are the problems that must be mended first.
func (q Quote) blocking() []Problem {
	return slices.DeleteFunc(slices.Clone(q.Problems), func(p Problem) bool { return !p.Blocking })
}
