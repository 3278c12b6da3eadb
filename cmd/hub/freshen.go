package main

import (
	"context"
	"log/slog"

	"tiwiza/pkg/pg"
)

// freshen indexes anew what an older analysis of words made, seller by seller.
func (h *house) freshen(ctx context.Context) {
	stale, err := h.local.Stale(ctx)
	for _, seller := range stale {
		if err == nil {
			err = h.store.InTx(ctx, func(tx *pg.Tx) error { return h.catalog.Reindex(ctx, tx, seller) })
		}
	}
	switch {
	case err != nil && ctx.Err() == nil:
		slog.WarnContext(ctx, "offers of an older analysis cannot be indexed anew", "error", err)
	case len(stale) > 0:
		slog.InfoContext(ctx, "offers of an older analysis are indexed anew", "sellers", len(stale))
	}
}
