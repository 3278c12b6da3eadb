package bank

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"tiwiza/cmd/hubsim/internal/world"
)

// tell sends the connector's events until the context ends. One only saves time:
// who misses it finds the message all the same.
func (b *Bank) tell(ctx context.Context) {
	client := &http.Client{Timeout: 5 * time.Second}
	defer client.CloseIdleConnections()
	for {
		select {
		case <-ctx.Done():
			return
		case id := <-b.news:
			if b.EventsTo == "" {
				continue
			}
			if err := b.event(ctx, client, id); err != nil && ctx.Err() == nil {
				slog.Warn("bank: an event is not heard", "to", b.EventsTo, "err", err)
			}
		}
	}
}

func (b *Bank) event(ctx context.Context, client *http.Client, id string) error {
	return world.Event(ctx, client, b.EventsTo, b.Secrets.Events, "msg_"+id, map[string]any{"type": "message.waiting", "data": map[string]string{"id": id}})
}
