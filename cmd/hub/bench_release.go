package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"tiwiza/payments/escrow"
	"tiwiza/payments/ledger"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/clock"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

// release measures how long it takes to let escrows go whose wait is over.
func (b *bench) release(ctx context.Context) error {
	url, err := b.yard.database(ctx, "bench_release", "")
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "tiwiza-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	ctx = auth.With(ctx, auth.Hub)
	return withMarket(ctx, dir, url, pg.Options{MaxConns: 4}, func(h *house, _ demoKeys) error {
		if _, err := h.timers.Due(ctx); err != nil { // what the market itself has due
			return err
		}
		var took []float64
		for n := range b.Rounds {
			if err := b.hold(ctx, h, held{name: fmt.Sprint(n), escrows: b.Releases, sellers: 1000}); err != nil {
				return fmt.Errorf("make escrows: %w", err)
			}
			if err := order(ctx, url, `vacuum analyze`); err != nil {
				return err
			}
			began := time.Now()
			fired, err := h.timers.Due(ctx)
			if err != nil {
				return err
			}
			if fired < b.Releases {
				return fmt.Errorf("%d of %d escrows were let go", fired, b.Releases)
			}
			took = append(took, time.Since(began).Seconds())
			b.tell("%d releases, round %d: %.1f s", fired, n+1, took[n])
		}
		if err := b.reserves(ctx, h, url); err != nil {
			return err
		}
		b.found(figure{Name: fmt.Sprintf("%d due releases", b.Releases), Value: median(took), Unit: "s", Ceiling: 10, Note: "transfers, shares, timers, events and their deliveries queued"})
		return clean(ctx, h.store, "I1", "I2", "I3", "I4", "I6", "I7", "I8", "I9")
	})
}

// A held is how many escrows are made, for how many sellers, and what tells them
// from others.
type held struct {
	name             string
	escrows, sellers int
}

// hold makes escrows whose time has come.
func (b *bench) hold(ctx context.Context, h *house, of held) error {
	const at = 250 // of one charge
	for n := 0; n < of.escrows; n += at {
		err := h.store.InTx(ctx, func(tx *pg.Tx) error {
			charge := fmt.Sprintf("chg_bench_%s_%d", of.name, n)
			orders := make([]string, min(at, of.escrows-n))
			for i := range orders {
				orders[i] = fmt.Sprintf("ord_bench_%s_%d", of.name, n+i)
				if _, err := h.escrows.Open(ctx, tx, escrow.Terms{
					Order: orders[i], Seller: fmt.Sprintf("org_bench_%d", (n+i)%of.sellers), Buyer: "per_bench", Charge: charge, Carrier: "bench",
					Amount:  money.Dirhams(7500),
					Legs:    escrow.Legs{Seller: 4860, Reserve: 540, Commission: 500, VAT: 100, Carrier: 1500},
					Release: escrow.Windows{Withdrawal: 7 * 24 * time.Hour},
				}); err != nil {
					return err
				}
			}
			if _, err := h.escrows.Fund(ctx, tx, charge, ledger.Safeguard("bench")); err != nil {
				return err
			}
			for _, o := range orders {
				if err := h.escrows.Delivered(ctx, tx, o, tx.Now()); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return h.store.InTx(ctx, func(tx *pg.Tx) error {
		_, err := clock.Advance(ctx, tx, 8*24*time.Hour)
		return err
	})
}

// flat measures whether the books slow down as they grow: the same rounds on
// books with few transfers and on books with many.
func (b *bench) flat(ctx context.Context) error {
	ctx = auth.With(ctx, auth.Hub)
	small, err := b.openPosts(ctx, "bench_few", postClients, 10_000)
	if err != nil {
		return err
	}
	defer small.store.Close()
	b.tell("writing %d transfers", b.Books)
	large, err := b.openPosts(ctx, "bench_many", postClients, b.Books)
	if err != nil {
		return err
	}
	defer large.store.Close()
	post := func(p *postBench) paced {
		return func(ctx context.Context, d time.Duration) (pace, error) {
			return p.round(ctx, d, postClients, func(ctx context.Context) error { return p.send(ctx, pair()) })
		}
	}
	rate, _, err := b.duelWith(ctx, figure{Name: fmt.Sprintf("ledger.Post, %d transfers", b.Books), Unit: "/s", Floor: 0.8, Note: "against books of 10000"}, post(large), "small books", post(small))
	if err != nil {
		return err
	}
	b.found(rate)
	return clean(ctx, large.store, "I2")
}
