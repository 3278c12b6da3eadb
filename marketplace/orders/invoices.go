package orders

import (
	"fmt"
	"slices"
	"time"

	"tiwiza/marketplace/members"
	"tiwiza/pkg/clock"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/id"
	"tiwiza/pkg/money"
)

// Errors of invoices.
var (
	ErrNoInvoice = fault.New(fault.NotFound, "invoices.not_found", "There is no invoice for this order; it is made once the goods are there.")
	ErrNoPaper   = fault.New(fault.NotFound, "invoices.no_paper", "There is no such invoice; open it from the order.")
	ErrVATRate   = fault.New(fault.Invalid, "vat_rates.percent", "There is no such rate of VAT.")
	ErrVATSince  = fault.New(fault.Invalid, "vat_rates.since", "A rate holds from now or from a day to come: invoices are made by what held when the goods were ordered.")
)

// The kinds of papers.
const (
	invoiceKind = "invoice"
	creditNote  = "credit_note"
)

// An Invoice is a seller's for one order, or a credit note that corrects it. It
// never changes.
type Invoice struct {
	ID       string
	Order    string `db:"order_id"`
	Seller   string
	Kind     string
	Year     int
	N        int    // without holes, by seller, kind and year
	Of       string // what a credit note corrects
	Cause    string // what a credit note is for: a refund, or what was not paid
	IssuedAt time.Time
	Currency string
	Total    int64 // centimes, VAT in it
	VAT      int64 `db:"vat"`
	Body     InvoiceBody
	PrintKey string // "" until it is read back

	parts []vatPart
}

// Number is the invoice's as it is printed.
func (i Invoice) Number() string {
	letter := "F" // facture
	if i.Kind == creditNote {
		letter = "A" // avoir
	}
	return fmt.Sprintf("%s-%d-%06d", letter, i.Year, i.N)
}

// An InvoiceBody is what is printed, as it was when the invoice was made.
type InvoiceBody struct {
	Seller  InvoiceSeller `json:"seller"`
	Buyer   InvoiceBuyer  `json:"buyer"`
	Lines   []InvoiceLine `json:"lines"`
	Ordered time.Time     `json:"ordered"`
	Came    time.Time     `json:"came"`
	Payment string        `json:"payment"`

	MarketPays int64 `json:"market_pays,omitempty"` // of the total; the buyer pays the rest
}

// InvoiceSeller is who sells, as the law knows it.
type InvoiceSeller struct {
	Names   map[string]string `json:"names" required:"true"`
	ICE     string            `json:"ice,omitempty"`
	IF      string            `json:"if,omitempty"`
	RC      string            `json:"rc,omitempty"`
	Region  string            `json:"region" required:"true"`
	Commune string            `json:"commune" required:"true"`
}

// InvoiceBuyer is who buys.
type InvoiceBuyer struct {
	Name    string `json:"name" required:"true"`
	Address string `json:"address,omitempty"`
	Commune string `json:"commune" required:"true"`

	Company *Company `json:"company,omitempty"`
}

// InvoiceLine is what is charged for: an article, or its delivery.
type InvoiceLine struct {
	Kind         string            `json:"kind" required:"true" enum:"article,delivery"`
	Names        map[string]string `json:"names,omitempty"`
	VariantNames map[string]string `json:"variant_names,omitempty"`
	SKU          string            `json:"sku,omitempty"`
	Quantity     int               `json:"quantity" required:"true"`
	Price        int64             `json:"price"`
	Discount     int64             `json:"discount"`
	Total        int64             `json:"total"` // less the discount
	BasisPoints  int               `json:"basis_points"`
}

// A vatPart is what of an invoice has one rate, in centimes.
type vatPart struct {
	Invoice     string
	BasisPoints int
	Total       int64 // VAT in it
	VAT         int64 `db:"vat"`
}

// vatIn is the VAT in an amount, to the nearest centime: amount × rate ÷ (1 + rate).
func vatIn(total int64, basisPoints int) int64 {
	whole := int64(10_000 + basisPoints)
	return (2*total*int64(basisPoints) + whole) / (2 * whole)
}

// A VATRate is the VAT in a seller's prices.
type VATRate struct {
	Category    string
	Since       time.Time
	BasisPoints int
}

// rateOf is the rate of a category that held at a moment: its own, or that of
// all. Without any nothing is said to be VAT.
func rateOf(rates []VATRate, category string, at time.Time) int {
	best := VATRate{Since: time.Time{}}
	for _, r := range rates {
		switch {
		case r.Since.After(at) || r.Category != "" && r.Category != category:
		case r.Category != "" && best.Category == "", r.Category == best.Category && r.Since.After(best.Since):
			best = r
		}
	}
	return best.BasisPoints
}

// bill is what an order's invoice says: its articles and their delivery, each
// with its rate. Delivery has the rate of the dearest part, as what goes with the
// goods. What the market takes of the buyer is not the seller's to charge; what it
// pays for the buyer is.
func (o Order) bill(bought []boughtLine, rates []VATRate) (lines []InvoiceLine, parts []vatPart) {
	by := map[int]int64{}
	for _, l := range bought {
		bp := rateOf(rates, l.Category, o.CreatedAt)
		by[bp] += l.price()
		lines = append(lines, InvoiceLine{"article", l.Names, l.VariantNames, l.SKU, l.Quantity, l.Price, l.Discount - l.Bonus, l.price(), bp})
	}
	if o.Delivery > 0 {
		most, rate := int64(-1), 0
		for _, bp := range sortedRates(by) {
			if by[bp] > most {
				most, rate = by[bp], bp
			}
		}
		by[rate] += o.Delivery
		lines = append(lines, InvoiceLine{Kind: "delivery", Quantity: 1, Price: o.Delivery, Total: o.Delivery, BasisPoints: rate})
	}
	for _, bp := range sortedRates(by) {
		parts = append(parts, vatPart{BasisPoints: bp, Total: by[bp], VAT: vatIn(by[bp], bp)})
	}
	return lines, parts
}

func sortedRates(by map[int]int64) []int {
	var out []int
	for bp := range by {
		out = append(out, bp)
	}
	slices.Sort(out)
	return out
}

// credited shares an amount that is credited over what is left of an invoice's
// rates, by largest remainder. The last credit note takes exactly the VAT that is
// left.
func credited(amount int64, left []vatPart) []vatPart {
	weights := make([]int64, len(left))
	for i, p := range left {
		weights[i] = p.Total
	}
	var out []vatPart
	for i, n := range money.Allocate(amount, weights...) {
		if n == 0 {
			continue
		}
		p := vatPart{BasisPoints: left[i].BasisPoints, Total: n, VAT: min(vatIn(n, left[i].BasisPoints), left[i].VAT)}
		if n == left[i].Total {
			p.VAT = left[i].VAT
		}
		out = append(out, p)
	}
	return out
}

// less is what is left of an invoice's rates after credit notes.
func less(parts, gone []vatPart) []vatPart {
	out := slices.Clone(parts)
	for i, p := range out {
		for _, g := range gone {
			if g.BasisPoints == p.BasisPoints {
				out[i].Total, out[i].VAT = out[i].Total-g.Total, out[i].VAT-g.VAT
			}
		}
	}
	return out
}

func taxed(parts []vatPart) (whole, vat int64) {
	for _, p := range parts {
		whole, vat = whole+p.Total, vat+p.VAT
	}
	return whole, vat
}

// paper is an invoice or a credit note of some parts, without its number.
func (o Order) paper(kind string, parts []vatPart, at time.Time) Invoice {
	whole, vat := taxed(parts)
	return Invoice{
		ID: id.New(id.Invoice), Order: o.ID, Seller: o.Seller, Kind: kind, Year: at.In(clock.Morocco).Year(),
		IssuedAt: at, Currency: o.Currency, Total: whole, VAT: vat, parts: parts,
	}
}

func printed(i members.Imprint) InvoiceSeller {
	return InvoiceSeller{i.Names, i.Legal.ICE, i.Legal.IF, i.Legal.RC, i.Region, i.Commune}
}
