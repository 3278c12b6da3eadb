package shop

import (
	"strconv"
	"time"

	"tiwiza/marketplace/orders"
	"tiwiza/pkg/clock"
	"tiwiza/pkg/money"
	"tiwiza/web/site"
	"tiwiza/web/ui"
)

// A billed line of a paper.
type billed struct {
	Name, Detail    ui.Said
	SKU             string
	Quantity        string
	Price, Discount string
	Percent, Total  string
}

// A rate of VAT and what of a paper has it.
type taxed struct{ Percent, Net, VAT string }

// A party of a paper.
type party struct {
	Name, Contact, Address, Place string
	ICE, IF, RC                   string
}

// A sheet is a paper as it is printed.
type sheet struct {
	*ui.Page
	Heading, Number, Date         string
	Of, OfDate                    string // what a credit note corrects
	Order, Ordered, Came, Payment string
	Seller, Buyer                 party
	Lines                         []billed
	Discounts                     bool
	Rates                         []taxed
	Net, Total                    string
	MarketPays, BuyerPays         string
	Unit                          string
}

// paper shows an invoice or a credit note, made to be printed.
func (s *Shop) paper(v *site.Visit) error {
	if !plain(v.R.PathValue("invoice")) {
		return site.ErrNotFound
	}
	h := v.W.Header()
	h.Set("Referrer-Policy", "no-referrer") // the address is the key
	h.Set("X-Robots-Tag", "noindex")
	found, err := s.Papers.Paper(v.Context(), v.R.PathValue("invoice"), v.Query.Get("cle"))
	if err != nil {
		return err
	}
	x := lay(v.Page, found)
	v.Title = x.Heading + " " + x.Number
	return v.Show(paperPage(x))
}

// lay sets a paper in the page's language.
func lay(p *ui.Page, paper orders.Paper) sheet {
	v, amount := paper.InvoiceView, p.Lang.Amount
	s := sheet{
		Page: p, Heading: p.T("paper.invoice"), Number: v.Number, Date: date(v.IssuedAt), Order: v.Order, Ordered: date(v.Ordered), Came: date(v.Came),
		Payment: p.T("paper.pay_" + v.Payment),
		Seller: party{
			Name: p.Say(v.Seller.Names).Text, Place: place(p, v.Seller.Commune, v.Seller.Region), ICE: v.Seller.ICE, IF: v.Seller.IF, RC: v.Seller.RC,
		},
		Buyer: party{Name: v.Buyer.Name, Address: v.Buyer.Address, Place: place(p, v.Buyer.Commune, "")},
	}
	s.Unit, _ = p.Lang.Unit(money.Dirhams(0))
	if c := v.Buyer.Company; c != nil {
		s.Buyer.Contact, s.Buyer.Name, s.Buyer.ICE, s.Buyer.IF = s.Buyer.Name, c.Name, c.ICE, c.IF
	}
	sums := v.Sums
	if c := paper.Credit; c != nil {
		s.Heading, s.Number, s.Date, s.Of, s.OfDate, sums = p.T("paper.credit_note"), c.Number, date(c.IssuedAt), v.Number, date(v.IssuedAt), c.Sums
	} else {
		s.lines(v.Lines)
		if v.MarketPays != nil {
			s.MarketPays, s.BuyerPays = amount(*v.MarketPays), amount(*v.BuyerPays)
		}
	}
	for _, t := range sums.VATs {
		s.Rates = append(s.Rates, taxed{strconv.Itoa(t.Percent), amount(t.Net), amount(t.VAT)})
	}
	s.Net, s.Total = amount(sums.Net), amount(sums.Total)
	return s
}

func (s *sheet) lines(all []orders.InvoiceLineView) {
	amount := s.Lang.Amount
	for _, l := range all {
		b := billed{
			Name: s.Say(l.Names), Detail: s.Say(l.VariantNames), SKU: l.SKU, Quantity: strconv.Itoa(l.Quantity), Price: amount(l.Price),
			Percent: strconv.Itoa(l.Percent), Total: amount(l.Total),
		}
		if l.Kind == "delivery" {
			b.Name = ui.Said{Lang: s.Lang.Text(), Text: s.T("paper.delivery")}
		}
		if !l.Discount.IsZero() {
			b.Discount, s.Discounts = amount(l.Discount), true
		}
		s.Lines = append(s.Lines, b)
	}
}

// date is a day as papers in Morocco have it.
func date(t time.Time) string { return t.In(clock.Morocco).Format("02/01/2006") }
