package connectors

// Changed says that a partner was registered, proved something, went live or was
// paused.
type Changed struct {
	Partner string `json:"partner"`
	What    string `json:"what"` // registered, credentials, tested, certified, live, paused
	State   State  `json:"state"`
	Pays    bool   `json:"pays"` // payouts leave there
}

// EventType names the event.
func (Changed) EventType() string { return "partners.changed" }

// Subject is the partner.
func (e Changed) Subject() string { return e.Partner }
