package members

import (
	"context"

	"tiwiza/pkg/event"
	"tiwiza/pkg/pg"
)

// Tell publishes what organisations hear of themselves.
func Tell(bus *event.Bus) {
	event.Tell(bus, 1, "The organisation came to a new state.", func(_ context.Context, _ *pg.Tx, e Moved) (map[string]Moved, error) {
		return map[string]Moved{e.Organisation: e}, nil
	})
}
