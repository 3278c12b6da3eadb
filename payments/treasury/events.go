package treasury

import "tiwiza/pkg/money"

// Switched is an alert: all payments out were stopped, or go on.
type Switched struct {
	Halt   string `json:"halt"`
	On     bool   `json:"on"`
	Reason string `json:"reason"`
}

// EventType names the event.
func (Switched) EventType() string { return "treasury.halt" }

// Subject is the halt.
func (e Switched) Subject() string { return e.Halt }

// Moved says that a movement between the platform's accounts has come to a new
// state.
type Moved struct {
	Move   string      `json:"move"`
	Kind   Kind        `json:"kind"`
	Bank   string      `json:"bank"`
	State  State       `json:"state"`
	Amount money.Money `json:"amount"`
}

// EventType names the event.
func (Moved) EventType() string { return "treasury.moved" }

// Subject is the movement.
func (e Moved) Subject() string { return e.Move }
