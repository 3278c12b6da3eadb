package charter

import (
	"context"
	"strconv"

	"tiwiza/pkg/event"
	"tiwiza/pkg/pg"
)

// VersionPublished says that there is a new version of the charter.
type VersionPublished struct {
	Version int    `json:"version"`
	Since   string `json:"since"`
	LastDay string `json:"last_day"`
	SHA256  string `json:"sha256"`
}

// EventType names the event.
func (VersionPublished) EventType() string { return "charter.published" }

// Subject is the version.
func (e VersionPublished) Subject() string { return "charter_" + strconv.Itoa(e.Version) }

// Signed says that an organisation has signed a version.
type Signed struct {
	Organisation string `json:"organisation"`
	Version      int    `json:"version"`
	Method       Method `json:"method"`
	Signature    string `json:"signature"`
}

// EventType names the event.
func (Signed) EventType() string { return "charter.signed" }

// Subject is the organisation.
func (e Signed) Subject() string { return e.Organisation }

// SignatureDue asks an organisation to sign by a day.
type SignatureDue struct {
	Organisation string `json:"organisation"`
	Version      int    `json:"version"`
	LastDay      string `json:"last_day"`
	Step         Step   `json:"step"`
}

// EventType names the event.
func (SignatureDue) EventType() string { return "charter.due" }

// Subject is the organisation.
func (e SignatureDue) Subject() string { return e.Organisation }

// Overdue says that an organisation has not signed in time and sells nothing new.
type Overdue struct {
	Organisation string `json:"organisation"`
	Version      int    `json:"version"`
}

// EventType names the event.
func (Overdue) EventType() string { return "charter.overdue" }

// Subject is the organisation.
func (e Overdue) Subject() string { return e.Organisation }

// PaperRefused says that a signature on paper was not accepted, and why.
type PaperRefused struct {
	Organisation string `json:"organisation"`
	Version      int    `json:"version"`
	Paper        string `json:"paper"`
	Note         string `json:"note"`
}

// EventType names the event.
func (PaperRefused) EventType() string { return "charter.paper_refused" }

// Subject is the organisation.
func (e PaperRefused) Subject() string { return e.Organisation }

// Tell publishes what members hear of the charter.
func Tell(bus *event.Bus) {
	event.Tell(bus, 1, "The organisation has signed the charter.", func(_ context.Context, _ *pg.Tx, e Signed) (map[string]Signed, error) {
		return map[string]Signed{e.Organisation: e}, nil
	})
	event.Tell(bus, 1, "The organisation is to sign the charter by a day.", func(_ context.Context, _ *pg.Tx, e SignatureDue) (map[string]SignatureDue, error) {
		return map[string]SignatureDue{e.Organisation: e}, nil
	})
	event.Tell(bus, 1, "The organisation has not signed the charter in time.", func(_ context.Context, _ *pg.Tx, e Overdue) (map[string]Overdue, error) {
		return map[string]Overdue{e.Organisation: e}, nil
	})
}
