package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tiwiza/payments/ledger"
	"tiwiza/pkg/auth"
)

// lane measures the lane in this process: few callers, many, and all through
// one account that is a single row.
func (b *bench) lane(ctx context.Context) (err error) {
	ctx = auth.With(ctx, auth.Hub)
	p, err := b.openPosts(ctx, "bench_lane", 32, 20_000)
	if err != nil {
		return err
	}
	defer p.store.Close()
	lane := ledger.NewLane(p.books, ledger.LaneOptions{})
	defer func() { err = errors.Join(err, lane.Close(context.WithoutCancel(ctx))) }()
	through := func(callers int, legs func() []ledger.Leg) paced {
		return func(ctx context.Context, d time.Duration) (pace, error) {
			return p.round(ctx, d, callers, func(ctx context.Context) error {
				return lane.Post(ctx, ledger.Item{Transfer: p.transfer(legs())})
			})
		}
	}
	floor := func(ctx context.Context, d time.Duration) (pace, error) {
		return b.yard.best(ctx, p.url, script{file: "bench/post.run.sql", vars: p.vars}, d)
	}
	for _, c := range []struct {
		callers int
		floor   float64
	}{{32, 1.2}, {256, 1.5}} {
		rate, late, err := b.duel(ctx, figure{Name: fmt.Sprintf("lane, %d callers", c.callers), Unit: "/s", Floor: c.floor, Note: "against the better of 8 and 32 clients"}, through(c.callers, pair), floor)
		if err != nil {
			return err
		}
		b.found(rate)
		if c.callers > 32 {
			late.Ceiling = 50
			b.found(late)
		}
	}
	hot := func() []ledger.Leg { return from(ledger.COD("bench")) }
	rate, _, err := b.duelWith(ctx, figure{Name: "lane, one hot account", Unit: "/s", Floor: 4, Note: "a single row in each transfer, 256 callers; against 8 or 32 by the single path"},
		through(256, hot), "the single path", func(ctx context.Context, d time.Duration) (best pace, err error) {
			for _, callers := range []int{8, 32} {
				one, err := p.round(ctx, d, callers, func(ctx context.Context) error { return p.send(ctx, hot()) })
				if err != nil {
					return best, err
				}
				if one.rate > best.rate {
					best = one
				}
			}
			return best, nil
		})
	if err != nil {
		return err
	}
	b.found(rate)
	return clean(ctx, p.store, "I1", "I2", "I3", "I4", "I6", "I7")
}
