package digital

import (
	"context"

	"tiwiza/pkg/event"
	"tiwiza/pkg/pg"
)

// Changed says that the files or codes of an article changed. It names no code.
type Changed struct {
	Variant string `json:"variant"`
	Seller  string `json:"seller"`
	What    string `json:"what"`
}

// EventType names the event.
func (Changed) EventType() string { return "digital.changed" }

// Subject is the article.
func (e Changed) Subject() string { return e.Variant }

// ChangedNews is what a seller is told of it.
type ChangedNews struct {
	Variant string `json:"variant"`
	What    string `json:"what"`
}

// Tell publishes what sellers hear of their files and codes.
func Tell(bus *event.Bus) {
	event.Tell(bus, 1, "Files or codes of a digital article changed.", func(_ context.Context, _ *pg.Tx, e Changed) (map[string]ChangedNews, error) {
		return map[string]ChangedNews{e.Seller: {e.Variant, e.What}}, nil
	})
}
