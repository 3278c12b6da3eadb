package orders

import (
	"net/http"
	"time"

	"tiwiza/pkg/money"
	"tiwiza/pkg/rest"
)

// invoiceRoutes are the routes of invoices.
func invoiceRoutes(s *Service) []rest.Route {
	ok := http.StatusOK
	return []rest.Route{
		rest.Handle("GET", "/v1/orders/{order}/invoice", "invoices.show", "Show an order's invoice and its credit notes", ok, s.ShowInvoice,
			rest.About("The seller's, made once the goods are there. Numbers have no holes, by seller and year. What the market takes of the buyer is not in it.")),
		rest.Handle("GET", "/v1/vat-rates", "vat_rates.list", "List the VAT in one's prices", ok, s.ListVAT),
		rest.Commit("POST", "/v1/vat-rates", "vat_rates.set", "Say what VAT is in one's prices", http.StatusCreated, s.SetVAT,
			rest.About("From now, or from a day to come, for one category or for all that have no row of their own. Without a rate invoices name no VAT.")),
	}
}

// VATInput says what VAT is in a seller's prices.
type VATInput struct {
	Category string     `json:"category,omitempty" maxLength:"60" pattern:"^[a-z0-9_-]*$" description:"Of these goods; without it, of all others."`
	Percent  int        `json:"percent" required:"true" minimum:"0" maximum:"20" description:"0, 7, 10, 14 or 20."`
	Since    *time.Time `json:"since,omitempty" description:"Now, unless said otherwise."`
}

// VATView is the VAT in a seller's prices from a moment on.
type VATView struct {
	Category string    `json:"category" required:"true"`
	Percent  int       `json:"percent" required:"true"`
	Since    time.Time `json:"since" required:"true"`
}

// VATList is all that a seller has said of its VAT.
type VATList struct {
	Data []VATView `json:"data" required:"true"`
}

func (r VATRate) view() VATView { return VATView{r.Category, r.BasisPoints / 100, r.Since.UTC()} }

// InvoiceView is an invoice with all that is printed.
type InvoiceView struct {
	ID       string            `json:"id" required:"true"`
	Number   string            `json:"number" required:"true"`
	IssuedAt time.Time         `json:"issued_at" required:"true"`
	Order    string            `json:"order" required:"true"`
	Ordered  time.Time         `json:"ordered_at" required:"true"`
	Came     time.Time         `json:"delivered_at" required:"true"`
	Payment  string            `json:"payment" required:"true"`
	Seller   InvoiceSeller     `json:"seller" required:"true"`
	Buyer    InvoiceBuyer      `json:"buyer" required:"true"`
	Lines    []InvoiceLineView `json:"lines" required:"true"`
	Sums
	MarketPays  *money.Money     `json:"market_pays,omitempty" description:"Of the total, where the market pays some of it."`
	BuyerPays   *money.Money     `json:"buyer_pays,omitempty" description:"The rest of it."`
	Print       string           `json:"print" required:"true" description:"The page to print it from. Whoever has this address sees the invoice."`
	CreditNotes []CreditNoteView `json:"credit_notes" required:"true"`
}

// InvoiceLineView is what is charged for.
type InvoiceLineView struct {
	Kind         string            `json:"kind" required:"true" enum:"article,delivery"`
	Names        map[string]string `json:"names,omitempty"`
	VariantNames map[string]string `json:"variant_names,omitempty"`
	SKU          string            `json:"sku,omitempty"`
	Quantity     int               `json:"quantity" required:"true"`
	Price        money.Money       `json:"price" required:"true"`
	Discount     money.Money       `json:"discount" required:"true" description:"What its seller took off."`
	Total        money.Money       `json:"total" required:"true" description:"Less the discount."`
	Percent      int               `json:"vat_percent" required:"true"`
}

// Sums are what a paper comes to.
type Sums struct {
	VATs  []VATSum    `json:"vat" required:"true" description:"By rate; none where nothing is said to be VAT."`
	Net   money.Money `json:"net" required:"true"`
	VAT   money.Money `json:"vat_total" required:"true"`
	Total money.Money `json:"total" required:"true"`
}

// VATSum is what of a paper has one rate.
type VATSum struct {
	Percent int         `json:"percent" required:"true"`
	Net     money.Money `json:"net" required:"true"`
	VAT     money.Money `json:"vat" required:"true"`
}

// CreditNoteView is what corrects an invoice.
type CreditNoteView struct {
	ID       string    `json:"id" required:"true"`
	Number   string    `json:"number" required:"true"`
	IssuedAt time.Time `json:"issued_at" required:"true"`
	Cause    string    `json:"cause" required:"true" description:"The refund, or what else it is for."`
	Print    string    `json:"print" required:"true"`
	Sums
}

func (i Invoice) sums() Sums {
	m := func(c int64) money.Money { return money.FromCentimes(c, i.Currency) }
	v := Sums{[]VATSum{}, m(i.Total - i.VAT), m(i.VAT), m(i.Total)}
	for _, p := range i.parts {
		if p.BasisPoints > 0 {
			v.VATs = append(v.VATs, VATSum{p.BasisPoints / 100, m(p.Total - p.VAT), m(p.VAT)})
		}
	}
	return v
}

func (i Invoice) credit() CreditNoteView {
	return CreditNoteView{i.ID, i.Number(), i.IssuedAt.UTC(), i.Cause, i.printed(), i.sums()}
}

// printed is the address of the page to print the paper from.
func (i Invoice) printed() string { return "/factures/" + i.ID + "?cle=" + i.PrintKey }

func (i Invoice) view() InvoiceView {
	m := func(c int64) money.Money { return money.FromCentimes(c, i.Currency) }
	v := InvoiceView{
		ID: i.ID, Number: i.Number(), IssuedAt: i.IssuedAt.UTC(), Order: i.Order, Ordered: i.Body.Ordered, Came: i.Body.Came, Payment: i.Body.Payment,
		Seller: i.Body.Seller, Buyer: i.Body.Buyer, Lines: []InvoiceLineView{}, Sums: i.sums(), Print: i.printed(), CreditNotes: []CreditNoteView{},
	}
	if i.Body.MarketPays > 0 {
		market, buyer := m(i.Body.MarketPays), m(i.Total-i.Body.MarketPays)
		v.MarketPays, v.BuyerPays = &market, &buyer
	}
	for _, l := range i.Body.Lines {
		v.Lines = append(v.Lines, InvoiceLineView{l.Kind, l.Names, l.VariantNames, l.SKU, l.Quantity, m(l.Price), m(l.Discount), m(l.Total), l.BasisPoints / 100})
	}
	return v
}
