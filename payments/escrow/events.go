package escrow

import "tiwiza/pkg/money"

// Opened says that money stands in an escrow.
type Opened struct {
	Escrow string      `json:"escrow"`
	Order  string      `json:"order"`
	Amount money.Money `json:"amount"`
}

// EventType names the event.
func (Opened) EventType() string { return "escrow.funded" }

// Subject is the escrow.
func (e Opened) Subject() string { return e.Escrow }

// Let says that some or all of an escrow went to those it belongs to.
type Let struct {
	Escrow string      `json:"escrow"`
	Order  string      `json:"order"`
	Seller string      `json:"seller"`
	Amount money.Money `json:"amount"`
	Share  money.Money `json:"share"` // what came to the seller's available money
	Whole  bool        `json:"whole"` // nothing is held any more
}

// EventType names the event.
func (Let) EventType() string { return "escrow.released" }

// Subject is the escrow.
func (e Let) Subject() string { return e.Escrow }
