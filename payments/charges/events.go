package charges

// Paid says that a charge is confirmed and its escrows are funded.
type Paid struct {
	Charge string   `json:"charge"`
	Group  string   `json:"group"`
	Orders []string `json:"orders"`
}

// EventType names the event.
func (Paid) EventType() string { return "charges.confirmed" }

// Subject is the charge.
func (e Paid) Subject() string { return e.Charge }

// Lapsed says that a charge will not be paid any more: the window passed, and
// the acquirer says that nothing was paid.
type Lapsed struct {
	Charge string   `json:"charge"`
	Group  string   `json:"group"`
	Orders []string `json:"orders"`
}

// EventType names the event.
func (Lapsed) EventType() string { return "charges.expired" }

// Subject is the charge.
func (e Lapsed) Subject() string { return e.Charge }

// Settled says that a charge's money has reached the safeguard account.
type Settled struct {
	Charge string `json:"charge"`
	Group  string `json:"group"`
}

// EventType names the event.
func (Settled) EventType() string { return "charges.settled" }

// Subject is the charge.
func (e Settled) Subject() string { return e.Charge }
