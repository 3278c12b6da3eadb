package acquirer

import (
	"fmt"

	"github.com/shopspring/decimal"

	"tiwiza/cmd/hubsim/internal/journal"
	"tiwiza/cmd/hubsim/internal/world"
	"tiwiza/pkg/money"
)

// FeePercent is what the acquirer keeps of each charge.
var FeePercent = decimal.RequireFromString("1.8")

// feeOf is what the acquirer keeps of a charge.
func feeOf(centimes int64) int64 { return money.Dirhams(centimes).Rate(FeePercent).Centimes() }

// owe has the next settlement bring a line of an order, or take it off.
func (a *Acquirer) owe(tx *journal.Tx, o order, key string, l world.NetLine) {
	if !o.Nobody {
		a.Unsettled.Put(tx, key, l)
	}
}

// A refusal says why an operation on an order was not done; its zero value
// says that it was.
type refusal string

// The refusals of the server API.
const (
	done          refusal = ""
	noSuchOrder   refusal = "No such order"
	notCapturable refusal = "Order cannot be captured"
	notVoidable   refusal = "Order cannot be voided"
	tooMuch       refusal = "Amount exceeds what the order allows"
	notRefundable refusal = "Order was not captured"
	cardClosed    refusal = "Invalid account number"
)

// capture takes the money of an authorised order, or a part of it.
func (a *Acquirer) capture(tx *journal.Tx, oid string, centimes int64) refusal {
	o, ok := a.orders.Get(tx, oid)
	switch {
	case !ok:
		return noSuchOrder
	case o.State != Authorised:
		return notCapturable
	case centimes <= 0 || centimes > o.Amount:
		return tooMuch
	}
	o.State, o.Captured = Captured, centimes
	a.orders.Put(tx, oid, o)
	a.owe(tx, o, oid, world.NetLine{Ref: oid, Gross: centimes, Fee: feeOf(centimes)})
	a.Did(tx, oid, world.Capture, centimes)
	return done
}

// void cancels an order that is not settled yet.
func (a *Acquirer) void(tx *journal.Tx, oid string) refusal {
	o, ok := a.orders.Get(tx, oid)
	switch {
	case !ok:
		return noSuchOrder
	case o.State != Authorised && o.State != Captured, o.Refunded > 0 || o.Contested > 0:
		return notVoidable
	}
	amount := o.Amount
	if o.State == Captured {
		amount = o.Captured
	}
	o.State, o.Captured = Voided, 0
	a.orders.Put(tx, oid, o)
	a.Unsettled.Delete(tx, oid)
	a.Did(tx, oid, world.Void, amount)
	return done
}

// refund gives back what was captured, or a part of it; the next settlement
// takes it off. The fee of the charge is not given back. Ref is what the refund is
// called where it has a name of its own.
func (a *Acquirer) refund(tx *journal.Tx, oid string, centimes int64, ref string) refusal {
	o, ok := a.orders.Get(tx, oid)
	switch {
	case !ok:
		return noSuchOrder
	case o.State != Captured && o.State != Settled:
		return notRefundable
	case o.Closed:
		return cardClosed
	case centimes <= 0 || centimes > o.Captured-o.Refunded-o.Contested:
		return tooMuch
	}
	o.Refunded += centimes
	a.orders.Put(tx, oid, o)
	key := fmt.Sprintf("%s/refund/%d", oid, o.Refunded)
	if ref == "" {
		ref = key
	}
	a.owe(tx, o, key, world.NetLine{Ref: oid, Gross: -centimes})
	a.stand(tx, o, "refund/"+ref, row{Ref: ref, Kind: "refund", Amount: -centimes})
	a.Did(tx, oid, world.Refund, centimes)
	return done
}
