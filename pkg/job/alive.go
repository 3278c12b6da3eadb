package job

import (
	"context"
	"log/slog"
	"time"
)

// StayAlive keeps a lock that shows other hubs that this one lives, and gives
// the jobs of hubs that died back to the queue, until ctx ends. River itself
// would wait RescueAfter, since it cannot tell a dead worker from a slow one;
// the database can: a dead hub's lock falls with its connection.
//
// A job given back while its hub still lives (the connection alone was lost)
// runs twice, which every worker allows for.
func (r *Runner) StayAlive(ctx context.Context) {
	for ctx.Err() == nil {
		if err := r.watch(ctx); err != nil && ctx.Err() == nil {
			slog.WarnContext(ctx, "this hub cannot show that it lives", "error", err)
			select {
			case <-ctx.Done():
			case <-time.After(time.Second):
			}
		}
	}
}

func (r *Runner) watch(ctx context.Context) error {
	conn, err := r.store.Pool().Acquire(ctx)
	if err != nil {
		return err
	}
	// The lock lives with the connection, which must not go back to the pool.
	own := conn.Hijack()
	defer func() {
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = own.Close(last)
	}()
	if err := showAlive(ctx, own, r.name); err != nil {
		return err
	}
	tick := time.NewTicker(2 * time.Second)
	defer tick.Stop()
	for {
		n, err := giveBack(ctx, own, r.name)
		if err != nil {
			return err
		}
		if n > 0 {
			slog.InfoContext(ctx, "jobs of a hub that died were given back", "jobs", n)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}
