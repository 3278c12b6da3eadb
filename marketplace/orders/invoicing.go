package orders

import (
	"context"
	"errors"
	"slices"
	"time"

	"tiwiza/payments/escrow"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/id"
	"tiwiza/pkg/pg"
)

// issue makes the invoice of an order whose goods are there; what went back of it
// before, or was not collected, is credited at once.
func (s *Service) issue(ctx context.Context, tx *pg.Tx, o Order) error {
	bought, err := orderLines(ctx, tx, o.ID)
	if err != nil {
		return err
	}
	rates, err := vatRates(ctx, tx, o.Seller)
	if err != nil {
		return err
	}
	sellers, err := s.Sellers.Imprints(ctx, tx, []string{o.Seller})
	if err != nil {
		return err
	}
	g, err := groupOfOrder(ctx, tx, o.ID)
	if err != nil {
		return err
	}
	lines, parts := o.bill(bought, rates)
	inv := o.paper(invoiceKind, parts, tx.Now())
	inv.Body = InvoiceBody{
		Seller: printed(sellers[o.Seller]), Buyer: InvoiceBuyer{g.Contact.Name, g.Delivery.Address, g.Delivery.Commune, g.Contact.Company},
		Lines: lines, Ordered: o.CreatedAt.UTC(), Came: tx.Now().UTC(), Payment: o.Payment, MarketPays: o.Bonus,
	}
	if inv, err = number(ctx, tx, inv); err != nil {
		return err
	}
	if err := tx.Publish(ctx, InvoiceIssued{Moved{o.ID, o.Group, o.Seller, o.Buyer}, inv.ID, inv.Kind, inv.Number()}); err != nil {
		return err
	}
	return s.correct(ctx, tx, o, inv, "before delivery")
}

// correct credits what an order's buyer does not pay after all, as far as that
// has not been credited.
func (s *Service) correct(ctx context.Context, tx *pg.Tx, o Order, inv Invoice, cause string) error {
	holds, err := s.Escrows.OfOrders(ctx, tx, []string{o.ID})
	if err != nil {
		return err
	}
	gone, err := creditedOf(ctx, tx, inv.ID)
	if err != nil {
		return err
	}
	already, _ := taxed(gone)
	left := less(inv.parts, gone)
	most, _ := taxed(left)
	want := min(unpaid(o, holds[o.ID])-already, most)
	if want <= 0 {
		return nil
	}
	note := o.paper(creditNote, credited(want, left), tx.Now())
	note.Of, note.Cause, note.Body = inv.ID, cause, inv.Body
	if note, err = number(ctx, tx, note); err != nil {
		return err
	}
	return tx.Publish(ctx, InvoiceIssued{Moved{o.ID, o.Group, o.Seller, o.Buyer}, note.ID, note.Kind, note.Number()})
}

// unpaid is what of an order went back to its buyer, or was never collected, and
// what the market therefore does not pay.
func unpaid(o Order, h escrow.Hold) int64 {
	n := h.Returned() + h.BonusUndone()
	if o.Cash() && h.FundedAt != nil {
		n += o.Total - h.Amount + o.Bonus - h.Bonus
	}
	return n
}

// corrected hears of money that goes back.
func (s *Service) corrected(ctx context.Context, tx *pg.Tx, e escrow.Returning) error {
	all, err := lockOrders(ctx, tx, []string{e.Order})
	if err != nil || len(all) == 0 {
		return err
	}
	inv, err := invoiceOf(ctx, tx, e.Order)
	if errors.Is(err, ErrNoInvoice) {
		return nil // what is credited then is looked up when it is made
	}
	if err != nil {
		return err
	}
	return s.correct(ctx, tx, all[0], inv, e.Refund)
}

// ShowInvoice shows an order's invoice with its credit notes.
func (s *Service) ShowInvoice(ctx context.Context, in One) (v InvoiceView, err error) {
	if !id.Is(id.Order, in.Order) {
		return v, ErrNotFound
	}
	o, err := loadOrder(ctx, s.db, in.Order)
	if err != nil {
		return v, err
	}
	if _, err := s.may(ctx, "invoices.show", o.Seller, o.Buyer, ErrNotFound); err != nil {
		return v, err
	}
	papers, err := invoicesOf(ctx, s.db, o.ID)
	if err != nil {
		return v, err
	}
	if len(papers) == 0 {
		return v, ErrNoInvoice
	}
	v = papers[0].view()
	for _, p := range papers[1:] {
		v.CreditNotes = append(v.CreditNotes, p.credit())
	}
	return v, nil
}

// SetVAT says what VAT is in a seller's prices from a moment on.
func (s *Service) SetVAT(ctx context.Context, tx *pg.Tx, in VATInput) (v VATView, err error) {
	seller := auth.From(ctx).Subject
	policy, err := s.may(ctx, "vat_rates.set", seller, "", ErrNotFound)
	if err != nil {
		return v, err
	}
	r := VATRate{Category: in.Category, Since: tx.Now(), BasisPoints: in.Percent * 100}
	if in.Since != nil {
		r.Since = *in.Since
	}
	if !slices.Contains([]int{0, 7, 10, 14, 20}, in.Percent) {
		return v, ErrVATRate.At("/percent", "0, 7, 10, 14 or 20")
	}
	if r.Since.Before(tx.Now().Add(-time.Minute)) {
		return v, ErrVATSince.At("/since", "not before now")
	}
	insertVAT(tx, seller, r)
	audit.Record(tx, "vat_rates.set", seller, policy, in)
	return r.view(), nil
}

// ListVAT lists the rates of the caller's own prices, as they hold and will hold.
func (s *Service) ListVAT(ctx context.Context, _ struct{}) (v VATList, err error) {
	rates, err := vatRates(ctx, s.db, auth.From(ctx).Subject)
	v.Data = []VATView{}
	for _, r := range rates {
		v.Data = append(v.Data, r.view())
	}
	return v, err
}
