package notices

import (
	"context"

	"tiwiza/pkg/event"
	"tiwiza/pkg/pg"
)

// Moved says that a notice was sent, or ended.
type Moved struct {
	Notice string `json:"notice"`
	Owner  string `json:"owner,omitempty"`
	Kind   Kind   `json:"kind"`
	State  State  `json:"state"`
}

// EventType names the event.
func (Moved) EventType() string { return "notices.moved" }

// Subject is the notice.
func (e Moved) Subject() string { return e.Notice }

// Changed says that somebody wishes to be told in another way.
type Changed struct {
	Owner string `json:"owner"`
}

// EventType names the event.
func (Changed) EventType() string { return "notices.settings_changed" }

// Subject is whose wishes they are.
func (e Changed) Subject() string { return e.Owner }

// Tell publishes what members hear of their notices.
func Tell(bus *event.Bus) {
	event.Tell(bus, 1, "A notice was sent, arrived, or could not be brought.", func(_ context.Context, _ *pg.Tx, e Moved) (map[string]Moved, error) {
		if e.Owner == "" {
			return nil, nil
		}
		return map[string]Moved{e.Owner: e}, nil
	})
	event.Tell(bus, 1, "How notices are brought was changed.", func(_ context.Context, _ *pg.Tx, e Changed) (map[string]Changed, error) {
		return map[string]Changed{e.Owner: e}, nil
	})
}
