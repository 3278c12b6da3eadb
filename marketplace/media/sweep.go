package media

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"tiwiza/pkg/auth"
	"tiwiza/pkg/blob"
	"tiwiza/pkg/pg"
)

// pause is how often a hub looks for what nothing uses.
const pause = 10 * time.Minute

// Run sweeps until ctx ends. Every hub may; they do not get into each other's way.
func (s *Service) Run(ctx context.Context) {
	ctx = auth.With(ctx, auth.Hub)
	for {
		n, err := s.Sweep(ctx)
		switch {
		case err != nil && ctx.Err() == nil:
			slog.WarnContext(ctx, "files that nothing uses cannot be swept", "error", err)
		case n > 0:
			slog.InfoContext(ctx, "files that nothing uses are gone", "contents", n)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause + rand.N(pause/4)):
		}
	}
}

// Sweep takes away what nothing uses, and says how many contents it deleted.
//
// A content goes in three steps, each of its own: nobody has used it for a day,
// so its key is doomed; it is deleted in the bucket; its key is forgotten. An
// upload that comes after the first step takes another key; one that came before
// has touched the row, and the first step passes it by.
func (s *Service) Sweep(ctx context.Context) (deleted int, err error) {
	err = s.db.InTx(ctx, func(tx *pg.Tx) error {
		dropIdle(tx, tx.Now().Add(-idle))
		forgetDropped(tx, tx.Now().Add(-grace))
		doom(tx, tx.Now().Add(-idle))
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("drop files that nothing uses: %w", err)
	}
	for {
		keys, err := doomed(ctx, s.db)
		if err != nil || len(keys) == 0 {
			return deleted, err
		}
		for _, k := range keys {
			if err := s.bucket.Delete(ctx, blob.Key(k)); err != nil {
				return deleted, err
			}
			deleted++
		}
		if err := s.db.InTx(ctx, func(tx *pg.Tx) error { forget(tx, keys); return nil }); err != nil {
			return deleted, fmt.Errorf("forget what is deleted: %w", err)
		}
	}
}
