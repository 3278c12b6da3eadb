package orders

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"tiwiza/marketplace/agreements"
	"tiwiza/marketplace/catalog"
	"tiwiza/payments/charges"
	"tiwiza/payments/escrow"
	"tiwiza/payments/limits"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/geo"
	"tiwiza/pkg/id"
	"tiwiza/pkg/job"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

// CheckoutInput orders what was quoted.
type CheckoutInput struct {
	Basket   string         `json:"basket" required:"true" maxLength:"40"`
	Quote    string         `json:"quote" required:"true" maxLength:"64" description:"The quote's hash."`
	Contact  Contact        `json:"contact" required:"true"`
	Delivery DeliveryWanted `json:"delivery" required:"true" description:"As it was quoted."`
	Payment  Payment        `json:"payment" required:"true"`
	Consents []string       `json:"consents,omitempty" maxItems:"10" description:"The hashes of what the quote asks the buyer to agree to."`
	Lang     string         `json:"lang,omitempty" enum:"fr,ar,en" default:"fr" description:"The language of the payment page."`
}

// Contact is whom to call about the parcel.
type Contact struct {
	Name  string `json:"name" required:"true" minLength:"1" maxLength:"200"`
	Phone string `json:"phone" required:"true" maxLength:"30" description:"A Moroccan number, as 06… or +2126…"`
	Email string `json:"email,omitempty" maxLength:"200" pattern:"^[^@\\s]+@[^@\\s]+$"`

	Company *Company `json:"company,omitempty" description:"Whom the invoice names as buyer, when a company pays."`
}

// DeliveryWanted says how and where to the goods go.
type DeliveryWanted struct {
	Method  string            `json:"method" required:"true" enum:"carrier,own,pickup,relay,none"`
	Commune string            `json:"commune,omitempty" maxLength:"100" description:"Needed unless the method is none."`
	Region  string            `json:"region,omitempty" maxLength:"5" description:"Left out; the hub finds it by the commune."`
	Address string            `json:"address,omitempty" maxLength:"300" description:"A street, or a landmark; needed unless the buyer fetches the goods."`
	Point   *Point            `json:"point,omitempty"`
	Choices map[string]string `json:"choices,omitempty" description:"As they were quoted; those of the quote when left out."`
}

// Payment says how the buyer pays.
type Payment struct {
	Method string `json:"method" required:"true" enum:"card,wallet,transfer,cash_on_delivery"`
	Phone  string `json:"phone,omitempty" maxLength:"30" description:"The number of the wallet that pays; the contact's when left out."`
}

// CheckoutView is what the buyer has after checking out: the orders, and what
// to do next to pay.
type CheckoutView struct {
	Group  string     `json:"order_group" required:"true"`
	Orders []Summary  `json:"orders" required:"true"`
	Charge ChargeView `json:"charge" required:"true"`
}

// ChargeView is how the payment stands.
type ChargeView struct {
	ID         string             `json:"id" required:"true"`
	Status     charges.State      `json:"status" required:"true" enum:"created,accepted,confirmed,declined,unknown,expired"`
	Amount     money.Money        `json:"amount" required:"true"`
	NextAction charges.NextAction `json:"next_action" required:"true"`
	Refusal    *charges.Refusal   `json:"refusal,omitempty" description:"Why its wallet has not paid. Until the time to pay is over it can be asked again, POST /v1/charges/{id}/wallet, or given up, POST /v1/charges/{id}/give-up, to pay in another way."`
}

// check finds what is wrong with the words of a checkout, and brings the rest to
// the form it is kept in.
func (in *CheckoutInput) check() error {
	var wrong *fault.Error
	phone, ok := Phone(in.Contact.Phone)
	if !ok {
		wrong = at(wrong, "/contact/phone", "Give a Moroccan phone number, such as 06 12 34 56 78.")
	}
	wallet, ok := Phone(cmp.Or(in.Payment.Phone, in.Contact.Phone))
	if in.Payment.Phone != "" && !ok {
		wrong = at(wrong, "/payment/phone", "Give the mobile number of the wallet, such as 06 12 34 56 78.")
	}
	if c := in.Contact.Company; c != nil {
		wrong = c.check(wrong)
	}
	if strings.TrimSpace(in.Contact.Name) == "" {
		wrong = at(wrong, "/contact/name", "Say whom the parcel is for.")
	}
	place, ok := geo.Find(in.Delivery.Commune)
	if in.Delivery.Method == nothing && in.Delivery.Commune == "" {
		place, ok = geo.Place{}, true
	}
	if !ok {
		wrong = at(wrong, errCommune.Details[0].Pointer, errCommune.Details[0].Detail)
	}
	if len(in.Delivery.Choices) == 0 && brought(in.Delivery.Method) && in.Delivery.Address == "" {
		wrong = at(wrong, errAddress.Details[0].Pointer, errAddress.Details[0].Detail)
	}
	if wrong != nil {
		return wrong
	}
	in.Contact.Phone, in.Payment.Phone, in.Delivery.Commune, in.Delivery.Region = phone, wallet, place.Name, place.Region
	in.Lang = cmp.Or(in.Lang, "fr")
	return nil
}

// Checkout makes the orders of a quote, one for each seller, reserves their
// goods, opens their escrows and asks for the money, all or nothing. What
// changed since the quote is refused, line by line.
func (s *Service) Checkout(ctx context.Context, tx *pg.Tx, in CheckoutInput) (v CheckoutView, err error) {
	if err := in.check(); err != nil {
		return v, err
	}
	c, err := lockBasket(ctx, tx, s.Escrows, in.Basket, in.Quote)
	if err != nil {
		return v, err
	}
	policy, err := s.may(ctx, "checkouts.create", "", c.basket.Buyer, ErrNoBasket)
	if err != nil {
		return v, err
	}
	if err := s.still(ctx, tx, c.basket); err != nil {
		return v, err
	}
	q, fees, err := s.agreed(ctx, tx, c, in)
	if err != nil {
		return v, err
	}
	g := group{
		ID: id.New(id.Group), Basket: in.Basket, Buyer: c.basket.Buyer, Currency: q.Totals.Total.Currency(),
		Total: q.Totals.Total.Centimes(), Contact: in.Contact, Delivery: in.Delivery, CreatedAt: tx.Now(),
	}
	if err := q.payable(in.Payment.Method); err != nil {
		return v, err
	}
	if err := q.consented(in.Consents); err != nil {
		return v, err
	}
	drafts := q.Split(g.ID, g.Buyer, fees, tx.Now())
	for i, d := range drafts {
		drafts[i] = d.Paid(in.Payment.Method)
	}
	receipt, err := s.Charges.Create(ctx, tx, charge(g, drafts, in))
	if err != nil {
		return v, err
	}
	g.Charge = receipt.ID
	if err := s.reserve(ctx, tx, drafts); err != nil {
		return v, err
	}
	if err := s.strangers(ctx, tx, drafts, in.Contact.Company); err != nil {
		return v, err
	}
	if err := s.redeem(ctx, tx, drafts); err != nil {
		return v, err
	}
	if err := s.useAgreed(ctx, tx, drafts); err != nil {
		return v, err
	}
	v = CheckoutView{g.ID, nil, ChargeView{receipt.ID, receipt.State, q.Totals.Total, receipt.NextAction, receipt.Refusal}}
	insertGroup(tx, g, drafts)
	agree(ctx, tx, g, q.Consents, in.Lang)
	ids := make([]string, len(drafts))
	for i, d := range drafts {
		if _, err := s.Escrows.Open(ctx, tx, d.Terms(receipt.ID)); err != nil {
			return v, err
		}
		if d.Cash() {
			job.Set(tx, timerConfirm, d.ID, tx.Now().Add(ConfirmWithin))
		}
		ids[i], v.Orders = d.ID, append(v.Orders, summary(d.Order))
	}
	audit.Record(tx, "checkouts.create", g.ID, policy, nil)
	if err := s.Limits.Check(ctx, tx, bounded(g, drafts, in)); err != nil {
		return v, err
	}
	if err := s.take(ctx, tx, drafts); err != nil {
		return v, err
	}
	return v, tx.Publish(ctx, Placed{Group: g.ID, Buyer: g.Buyer, Orders: ids})
}

// agreed makes the quote anew from things as they are now: the same hash means
// the same deal. It gives the sheet of fees that it was made by.
func (s *Service) agreed(ctx context.Context, tx *pg.Tx, c counter, in CheckoutInput) (q Quote, fees escrow.Sheet, err error) {
	h := c.quote
	switch {
	case h == nil:
		return q, fees, ErrNoQuote.At("/quote", ErrNoQuote.Text)
	case !tx.Now().Before(h.ExpiresAt):
		return q, fees, ErrExpired.At("/quote", ErrExpired.Text)
	case h.Version != c.basket.Version:
		return q, fees, ErrQuoteChanged.At("/quote", "The basket was changed after the quote; ask for a new one.")
	case h.Method != in.Delivery.Method:
		return q, fees, ErrDelivery.At("/delivery/method", "The quote is for "+h.Method+".")
	case h.Commune != "" && (h.Commune != in.Delivery.Commune || h.Region != in.Delivery.Region):
		return q, fees, ErrDelivery.At("/delivery/commune", "The quote is for "+h.Commune+".")
	case len(in.Delivery.Choices) > 0 && !maps.Equal(h.Choices, in.Delivery.Choices):
		return q, fees, ErrDelivery.At("/delivery/choices", "The quote is for other choices.")
	}
	m, err := s.market(ctx, tx, c, h.to(), h.Codes)
	if err != nil {
		return q, fees, err
	}
	m.At = tx.Now()
	q = m.Quote(c.basket.Lines, h.to())
	q.ID, q.Basket, q.Version, q.ExpiresAt = h.ID, c.basket.ID, h.Version, h.ExpiresAt
	q = q.Seal()
	blocking := q.blocking()
	if q.Hash == in.Quote && len(blocking) == 0 {
		if in.Delivery.Address == "" && q.brought() {
			return q, fees, errAddress
		}
		return q, m.Fees, nil
	}
	quoted, err := loadQuote(ctx, tx, h.ID)
	if err != nil {
		return q, fees, err
	}
	return q, fees, changed(quoted, q, blocking)
}

// changed says what changed between the quote and now.
func changed(quoted, now Quote, blocking []Problem) error {
	err := ErrQuoteChanged
	for code, all := range map[string]*fault.Error{"sold_out": catalog.ErrSoldOut, "seller_closed": ErrClosed, "seller_unavailable": ErrSuspended, "agreement_ended": agreements.ErrEnded} {
		if len(blocking) > 0 && !slices.ContainsFunc(blocking, func(p Problem) bool { return p.Code != code }) {
			err = all
		}
	}
	for _, p := range blocking {
		err = err.At(p.Pointer, p.Detail)
	}
	for i, l := range quoted.Lines {
		if n := now.Lines[i]; !n.Price.Equal(l.Price) { // the same basket version has the same lines
			err = err.At(fmt.Sprintf("/lines/%d", i), named(n.Names, "This article")+" now costs "+n.Price.String()+" instead of "+l.Price.String()+".")
		}
	}
	for i, f := range quoted.Fees {
		if i < len(now.Fees) && f.MakeDays != now.Fees[i].MakeDays {
			err = err.At(fmt.Sprintf("/fees/%d", i), fmt.Sprintf("The goods now take %d days to make instead of %d.", now.Fees[i].MakeDays, f.MakeDays))
		}
	}
	if !quoted.Totals.Discount.Equal(now.Totals.Discount) {
		err = err.At("/discounts", "Promotions now take off "+now.Totals.Discount.String()+" instead of "+quoted.Totals.Discount.String()+".")
	}
	if !quoted.Totals.Delivery.Equal(now.Totals.Delivery) {
		err = err.At("/fees", "Delivery now costs "+now.Totals.Delivery.String()+" instead of "+quoted.Totals.Delivery.String()+".")
	}
	if !quoted.Totals.Fees.Equal(now.Totals.Fees) {
		err = err.At("/fees", "The market's fee is now "+now.Totals.Fees.String()+" instead of "+quoted.Totals.Fees.String()+".")
	}
	return err
}

// bounded is a checkout as limits see it.
func bounded(g group, drafts []Draft, in CheckoutInput) limits.Sale {
	n := limits.Sale{Group: g.ID, Buyer: g.Buyer, Method: in.Payment.Method, Phone: in.Contact.Phone, Amount: money.FromCentimes(g.Total, g.Currency)}
	if in.Delivery.Address != "" {
		n.Address = in.Delivery.Address + " " + in.Delivery.Commune
	}
	for _, d := range drafts {
		n.Parts = append(n.Parts, limits.Part{Order: d.ID, Seller: d.Seller, Amount: d.Part().Amount})
	}
	return n
}

func charge(g group, drafts []Draft, in CheckoutInput) charges.Sale {
	n := charges.Sale{
		Group: g.ID, Buyer: g.Buyer, Method: in.Payment.Method, Amount: money.FromCentimes(g.Total, g.Currency),
		Name: in.Contact.Name, Email: in.Contact.Email, Phone: in.Contact.Phone, Lang: in.Lang,
		Wallet: in.Payment.Phone,
	}
	for _, d := range drafts {
		n.Parts = append(n.Parts, d.Part())
	}
	return n
}

func (s *Service) reserve(ctx context.Context, tx *pg.Tx, drafts []Draft) error {
	want := make(map[string][]catalog.Line, len(drafts))
	for _, d := range drafts {
		for _, l := range d.Lines {
			want[d.ID] = append(want[d.ID], catalog.Line{Variant: l.Variant, Quantity: l.Quantity, Agreed: l.Agreement != ""})
		}
	}
	return s.Catalogue.Reserve(ctx, tx, want)
}
