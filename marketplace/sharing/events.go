package sharing

import (
	"context"
	"time"

	"tiwiza/pkg/event"
	"tiwiza/pkg/pg"
)

// ConsentMoved says that a consent was asked for, answered, withdrawn, or has
// ended.
type ConsentMoved struct {
	Consent   string `json:"consent"`
	Owner     string `json:"owner"`
	Grantee   string `json:"grantee,omitempty"`
	Programme string `json:"programme,omitempty"`
	Name      string `json:"name"` // of whom it is for
	Purpose   string `json:"purpose"`
	State     State  `json:"state"`
}

// EventType names the event.
func (ConsentMoved) EventType() string { return "sharing.consent_moved" }

// Subject is the consent.
func (e ConsentMoved) Subject() string { return e.Consent }

// Looked says that a person has read something in a member's dossier on a consent
// for the first time; each reading is in the log.
type Looked struct {
	Owner        string    `json:"owner"`
	Consent      string    `json:"consent,omitempty"`
	Organisation string    `json:"organisation"`
	By           string    `json:"by"`
	Name         string    `json:"name"`
	Title        string    `json:"title,omitempty"`
	Purpose      string    `json:"purpose"`
	At           time.Time `json:"at"`
}

// EventType names the event.
func (Looked) EventType() string { return "sharing.looked" }

// Subject is the dossier's owner.
func (e Looked) Subject() string { return e.Owner }

// GlassBroken says that two of the market's people opened a dossier without its
// owner's consent.
type GlassBroken struct {
	Glass    string    `json:"glass"`
	Owner    string    `json:"owner"`
	Reason   string    `json:"reason"`
	Sections []string  `json:"sections"`
	Until    time.Time `json:"until"`
}

// EventType names the event.
func (GlassBroken) EventType() string { return "sharing.glass_broken" }

// Subject is the dossier's owner.
func (e GlassBroken) Subject() string { return e.Owner }

// Tell publishes what members hear of consents and of who looked.
func Tell(bus *event.Bus) {
	event.Tell(bus, 1, "A consent was asked for, answered, withdrawn, or has ended.", func(_ context.Context, _ *pg.Tx, e ConsentMoved) (map[string]ConsentMoved, error) {
		out := map[string]ConsentMoved{e.Owner: e}
		if e.Grantee != "" {
			out[e.Grantee] = e
		}
		return out, nil
	})
	event.Tell(bus, 1, "Somebody has read the organisation's dossier for the first time on a consent.", func(_ context.Context, _ *pg.Tx, e Looked) (map[string]Looked, error) {
		return map[string]Looked{e.Owner: e}, nil
	})
	event.Tell(bus, 1, "Two of the market's people opened the organisation's dossier without its consent.", func(_ context.Context, _ *pg.Tx, e GlassBroken) (map[string]GlassBroken, error) {
		return map[string]GlassBroken{e.Owner: e}, nil
	})
}
