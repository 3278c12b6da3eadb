package shop

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"tiwiza/marketplace/catalog"
	"tiwiza/marketplace/orders"
	"tiwiza/pkg/geo"
	"tiwiza/pkg/money"
	"tiwiza/pkg/phone"
	"tiwiza/pkg/rest"
	"tiwiza/web/site"
	"tiwiza/web/ui"
)

// A customer is what somebody says to buy: where the goods go and how they are
// paid.
type customer struct {
	Phone, Name, Commune, Address string
	Email, Company, ICE, IF       string
	Method, Wallet                string
	Codes                         string
	Choices                       map[string]string // the way of each seller's parcel
	Known                         bool              // it was said with an order before
	Nowhere                       bool              // files and codes alone: nothing is brought
	Agreed                        []string          // the hashes of what was agreed to
}

// A till is the basket with all that is needed to pay, on one page.
type till struct {
	*ui.Page
	customer
	Key      string // of the form
	Quote    orders.Quote
	Parcels  []parcel
	Wrongs   []ui.Wrong
	Says     string // what changed since it was looked at
	Blocked  bool   // something must be mended before one pays
	Communes []string
}

// A parcel is what one seller sends.
type parcel struct {
	Seller string
	Name   ui.Said
	Lines  []tillLine
	Ways   []tillWay
	Fee    money.Money
	Leaves string
}

// A tillLine is an article of the basket, with what is wrong with it.
type tillLine struct {
	orders.QuoteLine
	Problems []orders.Problem
}

// A tillWay is one way in which a parcel can come.
type tillWay struct {
	Way, Text, Where string
	Amount           money.Money
	Here             bool
}

// till shows the basket as it stands, with what is known of the visitor.
// After a form that was not taken it is what was typed, and what is wrong with it.
func (s *Shop) till(v *site.Visit) error {
	var t typed
	if v.Basket() == "" || !v.Typed(&t) {
		return s.showTill(v, s.remember(v), http.StatusOK, nil, "")
	}
	v.KeepTyped(typed{Customer: t.Customer}) // what is wrong is said once
	return s.showTill(v, t.Customer, http.StatusOK, t.Wrongs, t.Says, t.Told...)
}

// typed is what a form of the basket said that was not taken, and why.
type typed struct {
	Customer customer         `json:"c"`
	Wrongs   []ui.Wrong       `json:"w,omitempty"`
	Says     string           `json:"s,omitempty"`
	Told     []orders.Problem `json:"t,omitempty"` // of the quote that the form was held against; a quote says them once
}

// anewTill answers a form by leading back to its page, so that Back and reloading send
// nothing again; where what was typed is too long for that, by the page itself.
func (s *Shop) anewTill(v *site.Visit, c customer, status int, wrongs []ui.Wrong, says string, told ...orders.Problem) error {
	if v.KeepTyped(typed{c, wrongs, says, told}) {
		return v.Go("/panier")
	}
	return s.showTill(v, c, status, wrongs, says, told...)
}

// An emptyBasket holds nothing; the order that was made of it may wait to be paid.
type emptyBasket struct {
	*ui.Page
	Due *orders.GroupView
}

// empty says that the basket is empty, and leads to the order that is to be paid.
func (s *Shop) empty(v *site.Visit) error {
	e := emptyBasket{Page: v.Page}
	if group := v.Due(); group != "" && v.Token() != "" {
		g, err := site.Get[orders.GroupView](v, "/v1/order-groups/"+escape(group))
		if err == nil {
			method := ""
			if len(g.Orders) > 0 {
				method = g.Orders[0].Payment.Method
			}
			if slices.Contains([]string{"form", "transfer", "wallet", "refused"}, stage(g.Charge, method)) {
				e.Due = &g
			}
		}
		if e.Due == nil {
			v.Owes("")
		}
	}
	return v.Show(emptyPage(e))
}

// remember is what the visitor said with its last order. Without one, or when it
// cannot be read, nothing is known.
func (s *Shop) remember(v *site.Visit) customer {
	none := customer{Method: paidWith("")}
	if v.Token() == "" || v.Basket() == "" {
		return none
	}
	last, err := site.Get[rest.Page[orders.Summary]](v, "/v1/orders?limit=1")
	if err != nil || len(last.Data) == 0 {
		return none
	}
	o, err := site.Get[orders.View](v, "/v1/orders/"+last.Data[0].ID)
	if err != nil || o.Delivery.Contact == nil {
		return none
	}
	c := o.Delivery.Contact
	out := customer{Phone: local(c.Phone), Name: c.Name, Email: c.Email, Commune: o.Delivery.Commune, Address: o.Delivery.Address, Method: paidWith(o.Payment.Method)}
	out.Known = out.Phone != "" && out.Name != "" && out.Commune != "" && out.Address != ""
	if c.Company != nil {
		out.Company, out.ICE, out.IF = c.Company.Name, c.Company.ICE, c.Company.IF
	}
	return out
}

// local is a number as people in Morocco write it.
func local(e164 string) string {
	if rest, ok := strings.CutPrefix(e164, "+212"); ok {
		return "0" + rest
	}
	return e164
}

// said is what the form says.
func said(v *site.Visit) customer {
	c := customer{
		Phone: v.Field("telephone"), Name: v.Field("nom"), Commune: v.Field("commune"), Address: v.Field("adresse"), Email: v.Field("courriel"),
		Company: v.Field("societe"), ICE: v.Field("ice"), IF: v.Field("if"), Method: v.Field("payer"), Wallet: v.Field("portefeuille"),
		Codes: v.Field("code"), Choices: map[string]string{}, Known: v.Field("connu") != "", Agreed: v.Form()["accord"],
	}
	for name, values := range v.Form() {
		if seller, ok := strings.CutPrefix(name, "livraison."); ok && len(values) > 0 && values[0] != "" {
			c.Choices[seller] = values[0]
		}
	}
	return c
}

// codes are the codes that were typed.
func (c customer) codes() []string {
	return strings.FieldsFunc(c.Codes, func(r rune) bool { return r == ' ' || r == ',' || r == ';' })
}

// ask makes a quote for the customer. Files and codes are brought nowhere. Where
// nothing brings a parcel in the usual way, the cheapest that does is chosen.
func (s *Shop) ask(v *site.Visit, basket string, c *customer) (orders.Quote, error) {
	q, err := s.quote(v, basket, *c)
	if err != nil {
		return q, err
	}
	if !slices.ContainsFunc(q.Lines, func(l orders.QuoteLine) bool { return l.Kind != catalog.Digital }) {
		c.Nowhere, c.Choices = true, nil
		return s.quote(v, basket, *c)
	}
	chosen := false
	for _, o := range q.Offers {
		if len(o.Offers) > 0 && !slices.ContainsFunc(o.Offers, func(x orders.Offer) bool { return isWay(q, o.Seller.ID, x) }) {
			if c.Choices == nil {
				c.Choices = map[string]string{}
			}
			c.Choices[o.Seller.ID], chosen = o.Offers[0].Way, true
		}
	}
	if !chosen {
		return q, nil
	}
	return s.quote(v, basket, *c)
}

// isWay says whether the parcel of a seller goes so in a quote.
func isWay(q orders.Quote, seller string, x orders.Offer) bool {
	return slices.ContainsFunc(q.Fees, func(f orders.Fee) bool {
		return f.Kind == "delivery" && f.Seller.ID == seller && (f.Way == x.Way || f.Way == "" && f.Method == x.Way)
	})
}

func (s *Shop) quote(v *site.Visit, basket string, c customer) (orders.Quote, error) {
	to := map[string]any{"method": "carrier"}
	if p, ok := geo.Find(c.Commune); ok {
		to["commune"] = p.Name
	}
	if len(c.Choices) > 0 {
		to["choices"] = c.Choices
	}
	if c.Nowhere {
		to = map[string]any{"method": "none"}
	}
	return site.Post[orders.Quote](v, "/v1/baskets/"+escape(basket)+"/quotes", map[string]any{"delivery": to, "codes": append([]string{}, c.codes()...)})
}

// showTill shows the page of the basket, with what is wrong and what changed.
func (s *Shop) showTill(v *site.Visit, c customer, status int, wrongs []ui.Wrong, says string, told ...orders.Problem) error {
	v.Title = v.T("buy.basket")
	basket := v.Basket()
	if basket == "" || v.Token() == "" {
		return s.empty(v)
	}
	q, err := s.ask(v, basket, &c)
	if f, ok := errors.AsType[*site.Fault](err); ok {
		switch {
		case f.Status == http.StatusUnauthorized: // the key of before opens nothing any more
			v.SignOut(true)
			return s.empty(v)
		case madeOf(f) != "":
			return leadsOn(v, madeOf(f))
		case f.Code == "orders.basket_empty", f.Status == http.StatusNotFound, f.Code == "orders.basket_ordered", f.Code == "orders.basket_merged":
			v.KeepBasket("", 0)
			return s.empty(v)
		case f.Status == http.StatusUnprocessableEntity && c.Codes != "":
			c.Codes = ""
			return s.showTill(v, c, f.Status, append(wrongs, ui.Wrong{Name: "code", Text: v.T("buy.code_wrong")}), says, told...)
		}
	}
	if err != nil {
		return err
	}
	for _, p := range told {
		if !p.Blocking && !slices.ContainsFunc(q.Problems, func(o orders.Problem) bool { return o.Code == p.Code && o.Pointer == p.Pointer }) {
			q.Problems = append(q.Problems, p)
		}
	}
	return v.ShowAs(status, tillPage(setOut(v, c, q, wrongs, says)))
}

// setOut sets a quote out on the page.
func setOut(v *site.Visit, c customer, q orders.Quote, wrongs []ui.Wrong, says string) till {
	t := till{Page: v.Page, customer: c, Key: v.Key(), Quote: q, Wrongs: wrongs, Says: says, Communes: communes(v.Lang)}
	if len(wrongs) > 0 || says != "" {
		t.Key = site.NewKey() // another request than the one that was sent
	}
	t.Blocked = slices.ContainsFunc(q.Problems, func(p orders.Problem) bool { return p.Blocking && p.Code != "commune_needed" })
	if !slices.ContainsFunc(q.Payments, func(w orders.Way) bool { return w.Offered && w.Method == t.Method }) {
		t.Method = ""
		for _, w := range q.Payments {
			if w.Offered {
				t.Method = w.Method
				break
			}
		}
	}
	for i, l := range q.Lines {
		at := slices.IndexFunc(t.Parcels, func(p parcel) bool { return p.Seller == l.Seller.ID })
		if at < 0 {
			at = len(t.Parcels)
			t.Parcels = append(t.Parcels, t.parcelOf(l.Seller))
		}
		line := tillLine{QuoteLine: l}
		for _, p := range q.Problems {
			if p.Pointer == pointer("/lines/", i) {
				line.Problems = append(line.Problems, p)
			}
		}
		t.Parcels[at].Lines = append(t.Parcels[at].Lines, line)
	}
	for _, p := range q.Problems {
		if strings.HasPrefix(p.Pointer, "/codes/") {
			t.Wrongs = append(t.Wrongs, ui.Wrong{Name: "code", Text: t.T("problem." + p.Code)})
		}
	}
	return t
}

// parcelOf is a seller's parcel with the ways in which it can come.
func (t till) parcelOf(seller orders.Party) parcel {
	p := parcel{Seller: seller.ID, Name: t.Say(seller.Names), Fee: money.Dirhams(0)}
	for _, f := range t.Quote.Fees {
		if f.Kind != "delivery" || f.Seller.ID != seller.ID {
			continue
		}
		p.Fee = f.Amount
		if f.ShipsBy != nil {
			p.Leaves = t.Lang.Day(*f.ShipsBy)
		}
	}
	for _, o := range t.Quote.Offers {
		if o.Seller.ID != seller.ID {
			continue
		}
		for _, x := range o.Offers {
			w := tillWay{Way: x.Way, Text: cmp.Or(t.Say(x.Names).Text, t.T("buy.way_"+x.Method)), Amount: x.Amount, Here: isWay(t.Quote, seller.ID, x)}
			if x.Fetch != nil {
				w.Where = strings.Join(slices.DeleteFunc([]string{x.Fetch.Address, place(t.Page, x.Fetch.Commune, "")}, func(s string) bool { return s == "" }), t.T("common.comma"))
			}
			p.Ways = append(p.Ways, w)
		}
	}
	return p
}

// brought says whether something of the basket is brought to the buyer, so that
// an address is needed.
func (t till) brought() bool {
	return slices.ContainsFunc(t.Quote.Fees, func(f orders.Fee) bool {
		return f.Kind == "delivery" && (f.Method == "carrier" || f.Method == "own")
	})
}

// wrong is what is wrong with a field.
func (t till) wrong(name string) string {
	for _, w := range t.Wrongs {
		if w.Name == name {
			return w.Text
		}
	}
	return ""
}

// folded says that who gets the goods needs no look: it is known and right.
func (t till) folded() bool {
	known := t.Known || t.Nowhere && t.customer.Phone != "" && t.Name != "" && t.Says == "" && len(t.Wrongs) == 0
	return known && !slices.ContainsFunc(t.Wrongs, func(w ui.Wrong) bool { return w.Name != "" && w.Name != "code" })
}

// ways are the ways to pay that are open, and those that are not with why.
func (t till) ways() (open []string) {
	for _, w := range t.Quote.Payments {
		if w.Offered {
			open = append(open, w.Method)
		}
	}
	return open
}

// trouble says what is wrong with a line.
func (t till) trouble(x orders.Problem) string {
	switch {
	case x.Left != nil:
		return t.T("problem.sold_out_left", "n", *x.Left)
	case x.Opens != "":
		if day, err := time.Parse(time.DateOnly, x.Opens); err == nil {
			return t.T("problem.seller_closed", "d", t.Lang.Day(day))
		}
	}
	return t.T("problem." + x.Code)
}

// alone says that there is one article, and one of it: nothing can be taken away to
// make it payable.
func (t till) alone() bool { return len(t.Quote.Lines) == 1 && t.Quote.Lines[0].Quantity == 1 }

// payIcons are the drawings of the ways to pay.
var payIcons = map[string]string{"card": "credit-card", "wallet": "smartphone", "transfer": "landmark", "cash_on_delivery": "banknote"}

// mostCommunes is how many names help somebody who types.
const mostCommunes = 150

// communes are the better known communes in the page's language.
func communes(l ui.Lang) []string {
	var out []string
	for _, p := range geo.Places()[:mostCommunes] {
		out = append(out, cmp.Or(p.Names[string(l.Text())], p.Name))
	}
	return out
}

// agrees says whether a text was agreed to.
func (c customer) agrees(x orders.Consent) bool { return slices.Contains(c.Agreed, x.Hash) }

// check finds what is wrong with the words of the form, and what it asks to agree
// to and was not agreed to.
func (c customer) check(v *site.Visit, address bool, asked []orders.Consent) []ui.Wrong {
	var out []ui.Wrong
	bad := func(name string) { out = append(out, ui.Wrong{Name: name, Text: v.T("problem.field." + name)}) }
	if _, ok := phone.E164(c.Phone); !ok {
		bad("telephone")
	}
	if c.Name == "" {
		bad("nom")
	}
	if _, ok := geo.Find(c.Commune); !ok && !c.Nowhere {
		bad("commune")
	}
	if address && c.Address == "" {
		bad("adresse")
	}
	if slices.ContainsFunc(asked, func(x orders.Consent) bool { return !c.agrees(x) }) {
		bad("accord")
	}
	if _, ok := phone.E164(c.Wallet); c.Method == "wallet" && c.Wallet != "" && !ok {
		bad("portefeuille")
	}
	if c.Company == "" && c.ICE != "" {
		bad("societe")
	}
	return out
}

// fields are the places of a checkout by the fields of the form.
var fields = map[string]string{
	"/contact/phone": "telephone", "/contact/name": "nom", "/contact/email": "courriel", "/delivery/commune": "commune", "/delivery/address": "adresse",
	"/payment/phone": "portefeuille", "/payment/method": "payer", "/contact/company/name": "societe", "/contact/company/ice": "ice", "/contact/company/if": "if",
}

func escape(s string) string { return url.PathEscape(s) }
