package catalog

import (
	"context"

	"tiwiza/marketplace/members"
	"tiwiza/pkg/event"
	"tiwiza/pkg/pg"
)

// Subscribe has what a seller offers found again, or no longer, when it may
// sell or may not.
func Subscribe(bus *event.Bus, s *Service) {
	event.Subscribe(bus, "catalog", func(ctx context.Context, tx *pg.Tx, e members.Moved) error {
		return s.Reindex(ctx, tx, e.Organisation)
	})
	event.Subscribe(bus, "catalog", func(ctx context.Context, tx *pg.Tx, e members.Restricted) error {
		return s.Reindex(ctx, tx, e.Organisation)
	})
}

// LabelMoved says that a label came to a new state: claimed ones are verified or
// refused, verified ones expire or are revoked.
type LabelMoved struct {
	Label  string     `json:"label"`
	Seller string     `json:"seller"`
	Code   string     `json:"code"`
	State  LabelState `json:"state"`
	Reason string     `json:"reason,omitempty"`
}

// EventType names the event.
func (LabelMoved) EventType() string { return "catalog.label_moved" }

// Subject is the label.
func (e LabelMoved) Subject() string { return e.Label }

// LabelExpiring reminds a seller that a label ends in so many days.
type LabelExpiring struct {
	Label  string `json:"label"`
	Seller string `json:"seller"`
	Code   string `json:"code"`
	Days   int    `json:"days"`
	Last   string `json:"last_day"`
}

// EventType names the event.
func (LabelExpiring) EventType() string { return "catalog.label_expiring" }

// Subject is the label.
func (e LabelExpiring) Subject() string { return e.Label }

// ChangeDecided says what became of a seller's request.
type ChangeDecided struct {
	Change string      `json:"change"`
	Offer  string      `json:"offer"`
	Seller string      `json:"seller"`
	State  ChangeState `json:"state"`
	Reason string      `json:"reason,omitempty"`
}

// EventType names the event.
func (ChangeDecided) EventType() string { return "catalog.change_decided" }

// Subject is the request.
func (e ChangeDecided) Subject() string { return e.Change }

// Closed says that a seller is away from a day to another; with the last day
// before the first, that it is not after all.
type Closed struct {
	Closure string `json:"closure"`
	Seller  string `json:"seller"`
	From    string `json:"from"`
	To      string `json:"to"`
}

// EventType names the event.
func (Closed) EventType() string { return "catalog.closed" }

// Subject is the seller.
func (e Closed) Subject() string { return e.Seller }

// Imported says that a file was taken in, and what became of its rows.
type Imported struct {
	Import    string `json:"import"`
	Seller    string `json:"seller"`
	Rows      int    `json:"rows"`
	Created   int    `json:"created"`
	Updated   int    `json:"updated"`
	Unchanged int    `json:"unchanged"`
	Rejected  int    `json:"rejected"`
}

// EventType names the event.
func (Imported) EventType() string { return "catalog.imported" }

// Subject is the import.
func (e Imported) Subject() string { return e.Import }
