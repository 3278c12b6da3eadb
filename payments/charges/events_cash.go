package charges

import "tiwiza/pkg/money"

// CashCollected says that a carrier has the cash of an order, and owes it.
type CashCollected struct {
	Order   string      `json:"order"`
	Charge  string      `json:"charge"`
	Carrier string      `json:"carrier"`
	Amount  money.Money `json:"amount"`
}

// EventType names the event.
func (CashCollected) EventType() string { return "cash.collected" }

// Subject is the order.
func (e CashCollected) Subject() string { return e.Order }

// CashRemitted says that the cash of an order is all accounted for: it may be
// released.
type CashRemitted struct {
	Order   string      `json:"order"`
	Charge  string      `json:"charge"`
	Carrier string      `json:"carrier"`
	Amount  money.Money `json:"amount"`
}

// EventType names the event.
func (CashRemitted) EventType() string { return "cash.remitted" }

// Subject is the order.
func (e CashRemitted) Subject() string { return e.Order }

// RemittanceCame says that the bank showed money for a carrier's list.
type RemittanceCame struct {
	Remittance string          `json:"remittance"`
	Carrier    string          `json:"carrier"`
	State      RemittanceState `json:"state"`
	Announced  money.Money     `json:"announced"`
	Arrived    money.Money     `json:"arrived"`
}

// EventType names the event.
func (RemittanceCame) EventType() string { return "remittances.came" }

// Subject is the remittance.
func (e RemittanceCame) Subject() string { return e.Remittance }

// Explained says that money which waited in suspense is known to be for
// something.
type Explained struct {
	Line string `json:"line"` // of the statement, and which part of it
	For  string `json:"for"`
}

// EventType names the event.
func (Explained) EventType() string { return "charges.explained" }

// Subject is the line.
func (e Explained) Subject() string { return e.Line }
