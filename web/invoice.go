package web

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"tiwiza/marketplace/orders"
	"tiwiza/pkg/clock"
	"tiwiza/pkg/geo"
)

// Papers are the invoices and credit notes of orders.
type Papers interface {
	Paper(ctx context.Context, invoice, key string) (orders.Paper, error)
}

// A billed line of a paper.
type billed struct {
	Name                            said
	Detail                          said
	SKU                             string
	Quantity                        string
	Price, Discount, Percent, Total string
}

// A rate of VAT and what of a paper has it.
type taxed struct{ Percent, Net, VAT string }

// A party of a paper.
type party struct {
	Name, Contact, Address, Place string
	ICE, IF, RC                   string
}

// sheet is a paper as it is printed.
type sheet struct {
	page
	Heading, Number, Date         string
	Of, OfDate                    string // what a credit note corrects
	Order, Ordered, Came, Payment string
	Seller, Buyer                 party
	Lines                         []billed
	Discounts                     bool
	Rates                         []taxed
	Net, VAT, Total               string
	MarketPays, BuyerPays         string
}

// invoice shows an invoice or a credit note, made to be printed.
func (s *site) invoice(w http.ResponseWriter, r *http.Request) {
	if !plain(r.PathValue("invoice")) {
		s.unknown(w, r)
		return
	}
	paper, err := s.papers.Paper(r.Context(), r.PathValue("invoice"), r.URL.Query().Get("cle"))
	w.Header().Set("Referrer-Policy", "no-referrer") // the address is the key
	w.Header().Set("X-Robots-Tag", "noindex")
	w.Header().Set("Cache-Control", "no-store")
	if err != nil {
		s.problem(w, r, err)
		return
	}
	show(w, r, http.StatusOK, "invoice", newPage(r).sheet(paper))
}

func (p page) sheet(paper orders.Paper) sheet {
	v := paper.InvoiceView
	s := sheet{
		page: p, Heading: p.T["invoice"], Number: v.Number, Date: date(v.IssuedAt), Order: v.Order, Ordered: date(v.Ordered), Came: date(v.Came),
		Payment: cmp.Or(p.T["pay_"+v.Payment], v.Payment),
		Seller: party{
			Name: p.say(v.Seller.Names).Text, Place: p.where(v.Seller.Commune, v.Seller.Region), ICE: v.Seller.ICE, IF: v.Seller.IF, RC: v.Seller.RC,
		},
		Buyer: party{Name: v.Buyer.Name, Address: v.Buyer.Address, Place: p.where(v.Buyer.Commune, "")},
	}
	if c := v.Buyer.Company; c != nil {
		s.Buyer.Contact, s.Buyer.Name, s.Buyer.ICE, s.Buyer.IF = s.Buyer.Name, c.Name, c.ICE, c.IF
	}
	sums := v.Sums
	if c := paper.Credit; c != nil {
		s.Heading, s.Number, s.Date, s.Of, s.OfDate, sums = p.T["creditNote"], c.Number, date(c.IssuedAt), v.Number, date(v.IssuedAt), c.Sums
	} else {
		s.lines(v.Lines)
		if v.MarketPays != nil {
			s.MarketPays, s.BuyerPays = amount(*v.MarketPays), amount(*v.BuyerPays)
		}
	}
	for _, t := range sums.VATs {
		s.Rates = append(s.Rates, taxed{strconv.Itoa(t.Percent), amount(t.Net), amount(t.VAT)})
	}
	s.Net, s.VAT, s.Total = amount(sums.Net), amount(sums.VAT), amount(sums.Total)
	s.Title = fmt.Sprintf("%s %s – %s", s.Heading, s.Number, p.T["brand"])
	return s
}

// A box is a party with the words around it.
type box struct {
	T map[string]string
	P party
}

// SellerBox is who sells.
func (s sheet) SellerBox() box { return box{s.T, s.Seller} }

// BuyerBox is who buys.
func (s sheet) BuyerBox() box { return box{s.T, s.Buyer} }

func (s *sheet) lines(all []orders.InvoiceLineView) {
	for _, l := range all {
		b := billed{
			Name: s.say(l.Names), Detail: s.say(l.VariantNames), SKU: l.SKU, Quantity: strconv.Itoa(l.Quantity), Price: amount(l.Price),
			Percent: strconv.Itoa(l.Percent), Total: amount(l.Total),
		}
		if l.Kind == "delivery" {
			b.Name = said{s.Lang, s.T["delivery"]}
		}
		if !l.Discount.IsZero() {
			b.Discount, s.Discounts = amount(l.Discount), true
		}
		s.Lines = append(s.Lines, b)
	}
}

// where is a commune and a region in the page's language.
func (p page) where(commune, region string) string {
	name := commune
	if place, ok := geo.Find(commune); ok && place.Names[p.Lang] != "" {
		name = place.Names[p.Lang]
	}
	for _, r := range geo.Regions() {
		if r.Code == region {
			return name + p.T["comma"] + p.say(r.Names).Text
		}
	}
	return name
}

// date is a day as people in Morocco write it.
func date(t time.Time) string { return t.In(clock.Morocco).Format("02/01/2006") }
