package recon

// BreakResolved says that people have explained what reconciliation could not.
type BreakResolved struct {
	Break string `json:"break"`
	Line  string `json:"line,omitempty"`
	By    string `json:"by"`
}

// EventType names the event.
func (BreakResolved) EventType() string { return "breaks.resolved" }

// Subject is the break.
func (e BreakResolved) Subject() string { return e.Break }

// DayClosed says that a day was closed, or closed anew.
type DayClosed struct {
	Day      string `json:"day"`
	Revision int    `json:"revision"`
	Hash     string `json:"hash"`
}

// EventType names the event.
func (DayClosed) EventType() string { return "closings.closed" }

// Subject is the day.
func (e DayClosed) Subject() string { return e.Day }
