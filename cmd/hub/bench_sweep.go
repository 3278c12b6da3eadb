package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"tiwiza/adapters/bank"
	"tiwiza/payments/files"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/clock"
	"tiwiza/pkg/job"
	"tiwiza/pkg/pg"
)

// A sweeping is something that timers do, all at once or one by one.
type sweeping struct {
	name, note string
	// ready makes so many of it whose time has come.
	ready func(ctx context.Context, round string, n int) error
}

// sweep measures how long timers take for all that is due, against a tenth of it
// done one by one.
func (b *bench) sweep(ctx context.Context, h *house, url string, w sweeping) error {
	timed := func(timers *job.Timers, round string, n int) (float64, error) {
		if err := w.ready(ctx, round, n); err != nil {
			return 0, fmt.Errorf("make %s: %w", w.name, err)
		}
		if err := order(ctx, url, `vacuum analyze`); err != nil {
			return 0, err
		}
		began := time.Now()
		fired, err := timers.Due(ctx)
		if err == nil && fired < n {
			err = fmt.Errorf("%d of %d %s were done", fired, n, w.name)
		}
		return time.Since(began).Seconds(), err
	}
	some := (b.Releases + 9) / 10
	if _, err := timed(h.timers, w.name+"first", some); err != nil { // plans made over empty tables are none
		return err
	}
	var took, alone, times []float64
	for n := range b.Rounds {
		all, err := timed(h.timers, fmt.Sprintf("%s%d", w.name, n), b.Releases)
		if err != nil {
			return err
		}
		one, err := timed(h.timers.Alone(), fmt.Sprintf("%sone%d", w.name, n), some)
		if err != nil {
			return err
		}
		one *= float64(b.Releases) / float64(some)
		took, alone, times = append(took, all), append(alone, one), append(times, one/all)
		b.tell("%d %s, round %d: %.1f s, one by one %.1f s", b.Releases, w.name, n+1, all, one)
	}
	b.found(figure{
		Name: fmt.Sprintf("%d due %s", b.Releases, w.name), Value: median(took), Unit: "s", Ceiling: 10,
		Limit: median(alone), Ratio: median(times), Note: w.note + "; the limit is one by one, the ratio how many times as quick",
	})
	return nil
}

// reserves measures how long it takes to free what is kept of releases. All that
// earlier ones still wait for is over before.
func (b *bench) reserves(ctx context.Context, h *house, url string) error {
	pass := func(d time.Duration) error {
		return h.store.InTx(ctx, func(tx *pg.Tx) error {
			_, err := clock.Advance(ctx, tx, d)
			return err
		})
	}
	return b.sweep(ctx, h, url, sweeping{"reserves", "transfers, lots, timers", func(ctx context.Context, round string, n int) error {
		if err := pass(365 * 24 * time.Hour); err != nil {
			return err
		}
		if err := b.let(ctx, h, held{round, n, 1000}); err != nil {
			return err
		}
		return pass(31 * 24 * time.Hour)
	}})
}

// let makes escrows and lets them go, after all that was due before.
func (b *bench) let(ctx context.Context, h *house, of held) error {
	if _, err := h.timers.Due(ctx); err != nil {
		return err
	}
	if err := b.hold(ctx, h, of); err != nil {
		return err
	}
	_, err := h.timers.Due(ctx)
	return err
}

// payouts measures how long it takes to pay members whose time has come.
func (b *bench) payouts(ctx context.Context) error {
	url, err := b.yard.database(ctx, "bench_payouts", "")
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "tiwiza-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	ctx = auth.With(ctx, auth.Hub)
	p := &partners{bank: bank.New(bankName, nil, bank.Options{})} // no file leaves: no hub is at work
	p.pays = files.House{Bank: p.bank}
	return withPartners(ctx, dir, url, pg.Options{MaxConns: 4}, p, func(h *house, _ demoKeys) error {
		if err := payees(ctx, url, b.Releases); err != nil {
			return err
		}
		err := b.sweep(ctx, h, url, sweeping{"payouts", "drafts, transfers, limits, operations, events", func(ctx context.Context, round string, n int) error {
			if err := b.let(ctx, h, held{round, n, n}); err != nil {
				return err
			}
			return payday(ctx, url, n)
		}})
		if err != nil {
			return err
		}
		return clean(ctx, h.store, "I1", "I2", "I3", "I4", "I6", "I7", "I8", "I10")
	})
}
