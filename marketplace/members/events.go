package members

// Moved says that an organisation has come to a new state: it may sell now, or
// may no longer.
type Moved struct {
	Organisation string `json:"organisation"`
	State        State  `json:"state"`
}

// EventType names the event.
func (Moved) EventType() string { return "members.moved" }

// Subject is the organisation.
func (e Moved) Subject() string { return e.Organisation }
