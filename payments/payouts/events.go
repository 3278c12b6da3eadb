package payouts

import "tiwiza/pkg/money"

// Moved says that a payout has come to a new state.
type Moved struct {
	Payout      string      `json:"payout"`
	Seller      string      `json:"seller,omitempty"`
	Beneficiary string      `json:"beneficiary"`
	State       State       `json:"state"`
	Amount      money.Money `json:"amount"`
}

// EventType names the event.
func (Moved) EventType() string { return "payouts.moved" }

// Subject is the payout.
func (e Moved) Subject() string { return e.Payout }

// Contradicted is an alert: the bank paid what it had refused. Owed is what of
// it the beneficiary had spent by then.
type Contradicted struct {
	Payout string      `json:"payout"`
	Seller string      `json:"seller,omitempty"`
	Amount money.Money `json:"amount"`
	Owed   money.Money `json:"owed"`
}

// EventType names the event.
func (Contradicted) EventType() string { return "payouts.contradicted" }

// Subject is the payout.
func (e Contradicted) Subject() string { return e.Payout }

// member is the seller that is paid, or "" when it is a carrier or an insurer.
func (p Payout) member() string {
	if p.Payee == Seller {
		return p.Seller
	}
	return ""
}
