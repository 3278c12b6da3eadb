package lanes

import "tiwiza/pkg/outbound"

// Changed says that a breaker opened or closed, that people stopped a partner or
// let it go on, or that they changed its bounds.
type Changed struct {
	Partner string         `json:"partner"`
	Class   outbound.Class `json:"class,omitempty"` // none: all
	Change  string         `json:"change"`          // opened, closed, paused, resumed, tuned
	Hub     string         `json:"hub,omitempty"`   // whose breaker it is: each hub has its own
	Reason  string         `json:"reason,omitempty"`
}

// EventType names the event.
func (Changed) EventType() string { return "partners.changed" }

// Subject is the partner.
func (e Changed) Subject() string { return e.Partner }
