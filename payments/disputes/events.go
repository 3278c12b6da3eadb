package disputes

import "tiwiza/pkg/money"

// Opened says that a dispute was opened.
type Opened struct {
	Dispute string `json:"dispute"`
	Order   string `json:"order"`
	Seller  string `json:"seller"`
	Buyer   string `json:"buyer"`
	Reason  string `json:"reason"`
}

// EventType names the event.
func (Opened) EventType() string { return "disputes.opened" }

// Subject is the dispute.
func (e Opened) Subject() string { return e.Dispute }

// Moved says that a dispute went on.
type Moved struct {
	Dispute string `json:"dispute"`
	Order   string `json:"order"`
	State   State  `json:"state"`
}

// EventType names the event.
func (Moved) EventType() string { return "disputes.moved" }

// Subject is the dispute.
func (e Moved) Subject() string { return e.Dispute }

// Overdue says that an agent should have ruled by now.
type Overdue struct {
	Dispute string `json:"dispute"`
	Order   string `json:"order"`
}

// EventType names the event.
func (Overdue) EventType() string { return "disputes.overdue" }

// Subject is the dispute.
func (e Overdue) Subject() string { return e.Dispute }

// Settled says how a dispute ended.
type Settled struct {
	Dispute string      `json:"dispute"`
	Order   string      `json:"order"`
	Seller  string      `json:"seller"`
	Buyer   string      `json:"buyer"`
	Refund  money.Money `json:"refund"`
	Release money.Money `json:"release"`
}

// EventType names the event.
func (Settled) EventType() string { return "disputes.resolved" }

// Subject is the dispute.
func (e Settled) Subject() string { return e.Dispute }
