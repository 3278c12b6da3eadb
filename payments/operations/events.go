package operations

import "tiwiza/pkg/money"

// Contradicted says that an operation did not end as it was booked: a partner
// paid what it had refused, or says that it never did what it had confirmed.
type Contradicted struct {
	Operation string      `json:"operation"`
	Kind      string      `json:"kind"`
	About     string      `json:"about"` // the charge, payout …
	Connector string      `json:"connector"`
	Ref       string      `json:"ref"`
	Amount    money.Money `json:"amount"`
	Ended     State       `json:"ended"` // as it was booked
	Why       string      `json:"why"`
}

// EventType names the event.
func (Contradicted) EventType() string { return "operations.contradicted" }

// Subject is the operation.
func (e Contradicted) Subject() string { return e.Operation }

// Stuck says that an operation does not resolve itself and that people must
// look: at once when it can only be reviewed, after an hour in doubt, and each
// week from then on.
type Stuck struct {
	Operation string      `json:"operation"`
	Kind      string      `json:"kind"`
	About     string      `json:"about"`
	Connector string      `json:"connector"`
	Ref       string      `json:"ref"`
	Amount    money.Money `json:"amount"`
	State     State       `json:"state"`
	Age       int64       `json:"age_seconds"` // since it may first have left us
	Why       string      `json:"why"`
}

// EventType names the event.
func (Stuck) EventType() string { return "operations.stuck" }

// Subject is the operation.
func (e Stuck) Subject() string { return e.Operation }
