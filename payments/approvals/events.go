package approvals

// Asked says that something waits for people to decide.
type Asked struct {
	Approval string `json:"approval"`
	Kind     string `json:"kind"`
	About    string `json:"about"`
}

// EventType names the event.
func (Asked) EventType() string { return "approvals.asked" }

// Subject is the request.
func (e Asked) Subject() string { return e.Approval }

// Decided says what became of a request.
type Decided struct {
	Approval string `json:"approval"`
	Kind     string `json:"kind"`
	About    string `json:"about"`
	State    State  `json:"state"`
}

// EventType names the event.
func (Decided) EventType() string { return "approvals.decided" }

// Subject is the request.
func (e Decided) Subject() string { return e.Approval }
