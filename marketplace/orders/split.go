package orders

import (
	"slices"
	"time"

	"tiwiza/payments/charges"
	"tiwiza/payments/escrow"
	"tiwiza/pkg/id"
	"tiwiza/pkg/money"
)

// A Draft is an order about to be written: the part of a quote that one seller
// serves.
type Draft struct {
	Order
	Lines   []QuoteLine
	Offs    []Discount // what is taken off its goods
	Payee   string     // the carrier the delivery fee goes to; "" is the seller
	Windows escrow.Windows
}

// Split makes one order of each seller's part of a quote, with new ids. The
// orders' totals add up to the quote's, and each order's legs to its total.
func (q Quote) Split(group, buyer string, fees escrow.Sheet, at time.Time) []Draft {
	out := make([]Draft, 0, len(q.Fees))
	for _, f := range q.Fees {
		if f.Kind != "delivery" { // each seller has one parcel
			continue
		}
		goods, off, bonus := money.Dirhams(0), money.Dirhams(0), money.Dirhams(0)
		var lines []QuoteLine
		for _, l := range q.Lines {
			if l.Seller.ID == f.Seller.ID {
				goods, off, bonus, lines = goods.Add(l.Total), off.Add(l.Discount), bonus.Add(l.MarketPays), append(lines, l)
			}
		}
		legs, taken := fees.Share(q.sale(f.Seller.ID, f.Amount, at))
		legs.Seller -= bonus.Centimes() // its buyer does not pay it
		onTop := escrow.OnTop(taken)
		place := seatOf(lines)
		out = append(out, Draft{Lines: lines, Offs: q.offs(f.Seller.ID), Payee: f.payee, Windows: windows(lines), Order: Order{
			ID: id.New(id.Order), Group: group, Seller: f.Seller.ID, SellerNames: f.Seller.Names, Buyer: buyer,
			State: PendingPayment, Currency: goods.Currency(), Goods: goods.Centimes(), Discount: off.Centimes(), Bonus: bonus.Centimes(), Delivery: f.Amount.Centimes(), Fees: onTop,
			Total: goods.Sub(off).Add(f.Amount).Centimes() + onTop, Legs: legs, Method: f.Method, Way: f.Way, LeadDays: f.LeadDays, MakeDays: f.MakeDays, Fetch: f.Fetch,
			Digital: digitalShare(lines),
			Agreed:  slices.ContainsFunc(lines, func(l QuoteLine) bool { return l.Agreement != "" }),
			Seat:    place, Waits: place != "",
			DeliveryCode: newCode(), Version: 1, CreatedAt: at,
		}})
	}
	return out
}

// offs are what is taken off a seller's goods.
func (q Quote) offs(seller string) (all []Discount) {
	for _, d := range q.Discounts {
		if d.Seller.ID == seller {
			all = append(all, d)
		}
	}
	return all
}

// Paid is the draft of an order that is paid in a way.
func (d Draft) Paid(method string) Draft {
	d.Payment = method
	if d.Cash() {
		d.State = ToConfirm
	}
	return d
}

// Part is what the charge holds for the order.
func (d Draft) Part() charges.Part {
	return charges.Part{
		Order: d.ID, Amount: money.FromCentimes(d.Total, d.Currency), Seller: d.Seller, Carrier: d.Payee, Fee: money.FromCentimes(d.Delivery, d.Currency),
	}
}

// Terms are what the order's escrow is opened with.
func (d Draft) Terms(charge string) escrow.Terms {
	return escrow.Terms{
		Order: d.ID, Seller: d.Seller, Buyer: d.Buyer, Charge: charge, Carrier: d.Payee,
		Amount: money.FromCentimes(d.Total, d.Currency), Legs: d.Legs, Bonus: d.Bonus, Release: d.Windows,
	}
}
