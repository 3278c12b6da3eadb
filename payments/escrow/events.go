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
	Bonus  money.Money `json:"bonus"` // of it, what the market added
	Whole  bool        `json:"whole"` // nothing is held any more
}

// EventType names the event.
func (Let) EventType() string { return "escrow.released" }

// Subject is the escrow.
func (e Let) Subject() string { return e.Escrow }

// Returning says that a refund's money has left the escrow, or was taken back,
// and is on its way to the buyer.
type Returning struct {
	Escrow string      `json:"escrow"`
	Order  string      `json:"order"`
	Refund string      `json:"refund"`
	Amount money.Money `json:"amount"`
}

// EventType names the event.
func (Returning) EventType() string { return "escrow.refunding" }

// Subject is the escrow.
func (e Returning) Subject() string { return e.Escrow }

// Ended says that nothing of an escrow is held or on its way any more, and how
// it ended.
type Ended struct {
	Escrow   string      `json:"escrow"`
	Order    string      `json:"order"`
	State    State       `json:"state"`
	Released money.Money `json:"released"`
	Refunded money.Money `json:"refunded"`
}

// EventType names the event.
func (Ended) EventType() string { return "escrow.ended" }

// Subject is the escrow.
func (e Ended) Subject() string { return e.Escrow }

// Frozen says that a case keeps an escrow as it is.
type Frozen struct {
	Escrow string `json:"escrow"`
	Order  string `json:"order"`
	Case   string `json:"case"`
	Kind   string `json:"kind"`
}

// EventType names the event.
func (Frozen) EventType() string { return "escrow.frozen" }

// Subject is the escrow.
func (e Frozen) Subject() string { return e.Escrow }

// Thawed says that a case has ended.
type Thawed struct {
	Escrow string `json:"escrow"`
	Order  string `json:"order"`
	Case   string `json:"case"`
}

// EventType names the event.
func (Thawed) EventType() string { return "escrow.thawed" }

// Subject is the escrow.
func (e Thawed) Subject() string { return e.Escrow }
