package payouts

import "tiwiza/pkg/money"

// Moved says that a payout has come to a new state.
type Moved struct {
	Payout string      `json:"payout"`
	Seller string      `json:"seller"`
	State  State       `json:"state"`
	Amount money.Money `json:"amount"`
}

// EventType names the event.
func (Moved) EventType() string { return "payouts.moved" }

// Subject is the payout.
func (e Moved) Subject() string { return e.Payout }
