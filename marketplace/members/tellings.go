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
	event.Tell(bus, 1, "The organisation may sell nothing new, or may again.", func(_ context.Context, _ *pg.Tx, e Restricted) (map[string]Restricted, error) {
		return map[string]Restricted{e.Organisation: e}, nil
	})
	event.Tell(bus, 1, "A bank account was given for the organisation's payouts.", func(_ context.Context, _ *pg.Tx, e AccountGiven) (map[string]AccountGiven, error) {
		return map[string]AccountGiven{e.Organisation: e}, nil
	})
	event.Tell(bus, 1, "Somebody works for the organisation now.", func(_ context.Context, _ *pg.Tx, e Joined) (map[string]Joined, error) {
		return map[string]Joined{e.Organisation: e}, nil
	})
	event.Tell(bus, 1, "An agent acts for one of the organisation's people, who agreed with a code.", func(_ context.Context, _ *pg.Tx, e Mandated) (map[string]Mandated, error) {
		return map[string]Mandated{e.Organisation: e}, nil
	})
	event.Tell(bus, 1, "Somebody does not work for the organisation any more.", func(_ context.Context, _ *pg.Tx, e Left) (map[string]Left, error) {
		return map[string]Left{e.Organisation: e}, nil
	})
}
