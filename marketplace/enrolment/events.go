package enrolment

import (
	"context"

	"tiwiza/pkg/event"
	"tiwiza/pkg/pg"
)

// PaperMoved says that a paper was handed in, decided on, or has ended.
type PaperMoved struct {
	Paper        string            `json:"paper"`
	Organisation string            `json:"organisation"`
	Requirement  string            `json:"requirement"`
	Names        map[string]string `json:"names"`
	State        State             `json:"state"`
	Note         string            `json:"note,omitempty"`
}

// EventType names the event.
func (PaperMoved) EventType() string { return "enrolment.paper_moved" }

// Subject is the paper.
func (e PaperMoved) Subject() string { return e.Paper }

// PaperExpiring reminds a member that a paper ends in so many days.
type PaperExpiring struct {
	Paper        string            `json:"paper"`
	Organisation string            `json:"organisation"`
	Requirement  string            `json:"requirement"`
	Names        map[string]string `json:"names"`
	Days         int               `json:"days"`
	LastDay      string            `json:"last_day"`
}

// EventType names the event.
func (PaperExpiring) EventType() string { return "enrolment.paper_expiring" }

// Subject is the paper.
func (e PaperExpiring) Subject() string { return e.Paper }

// Tell publishes what members hear of their papers.
func Tell(bus *event.Bus) {
	event.Tell(bus, 1, "A paper of the organisation was handed in, decided on, or has ended.", func(_ context.Context, _ *pg.Tx, e PaperMoved) (map[string]PaperMoved, error) {
		return map[string]PaperMoved{e.Organisation: e}, nil
	})
	event.Tell(bus, 1, "A paper of the organisation ends soon.", func(_ context.Context, _ *pg.Tx, e PaperExpiring) (map[string]PaperExpiring, error) {
		return map[string]PaperExpiring{e.Organisation: e}, nil
	})
}
