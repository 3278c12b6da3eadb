package pricing

import (
	"context"

	"tiwiza/pkg/event"
	"tiwiza/pkg/pg"
)

// GroupChanged says that a group of customers was made or changed, or has ended.
type GroupChanged struct {
	Group  string `json:"group"`
	Seller string `json:"seller"`
	Ended  bool   `json:"ended"`
}

// EventType names the event.
func (GroupChanged) EventType() string { return "pricing.group_changed" }

// Subject is the group.
func (e GroupChanged) Subject() string { return e.Group }

// ListChanged says that a price list was made, or has ended.
type ListChanged struct {
	List   string `json:"list"`
	Seller string `json:"seller"`
	Ended  bool   `json:"ended"`
}

// EventType names the event.
func (ListChanged) EventType() string { return "pricing.list_changed" }

// Subject is the list.
func (e ListChanged) Subject() string { return e.List }

// Tell publishes what sellers hear of their prices; buyers hear nothing.
func Tell(bus *event.Bus) {
	event.Tell(bus, 1, "A group of customers was made or changed, or has ended.", func(_ context.Context, _ *pg.Tx, e GroupChanged) (map[string]GroupChanged, error) {
		return map[string]GroupChanged{e.Seller: e}, nil
	})
	event.Tell(bus, 1, "A price list was made, or has ended.", func(_ context.Context, _ *pg.Tx, e ListChanged) (map[string]ListChanged, error) {
		return map[string]ListChanged{e.Seller: e}, nil
	})
}
