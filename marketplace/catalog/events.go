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
}
