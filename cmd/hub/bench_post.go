package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"tiwiza/payments/invariants"
	"tiwiza/payments/ledger"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

const (
	postClients = 8
	postSellers = 4000
)

// A postBench posts transfers of two legs through the books, each in a unit of
// work of its own.
type postBench struct {
	store *pg.Store
	books *ledger.Books
	run   string // makes its keys its own
	count atomic.Int64
}

// post measures the ledger: random pairs of accounts, and then one account that
// is in every transfer.
func (b *bench) post(ctx context.Context) error {
	url, err := b.yard.database(ctx, "bench_post", "bench/post.sql")
	if err != nil {
		return err
	}
	ctx = auth.With(ctx, auth.Hub)
	vars, err := endow(ctx, url)
	if err != nil {
		return fmt.Errorf("open the accounts: %w", err)
	}
	store, err := pg.Open(ctx, url, pg.Options{MaxConns: postClients})
	if err != nil {
		return err
	}
	defer store.Close()
	p := &postBench{store: store, books: ledger.New(store), run: "run"}
	for _, c := range []struct {
		name, file, note string
		floor            float64
		transfer         func() (payer, payee string)
	}{
		{"ledger.Post", "bench/post.run.sql", fmt.Sprintf("%d connections, %d accounts", postClients, postSellers), 0.8, func() (string, string) {
			one := rand.IntN(postSellers)
			return benchSeller(one), benchSeller((one + 1 + rand.IntN(postSellers-1)) % postSellers)
		}},
		{"ledger.Post, hot account", "bench/collect.run.sql", "one account of 8 shards in each transfer", 0, func() (string, string) {
			return ledger.Clearing("bench"), benchSeller(rand.IntN(postSellers))
		}},
	} {
		f, err := b.race(ctx, figure{Name: c.name, Unit: "/s", Floor: c.floor, Note: c.note},
			func(ctx context.Context, d time.Duration) (float64, error) { return p.round(ctx, d, c.transfer) },
			func(ctx context.Context, d time.Duration) (float64, error) {
				return b.yard.run(ctx, url, script{c.file, postClients, vars}, d, 0)
			})
		if err != nil {
			return err
		}
		b.found(f)
	}
	return clean(ctx, store, "I1", "I2", "I3", "I4", "I6", "I7")
}

func benchSeller(n int) string { return ledger.Available(fmt.Sprintf("bench-%05d", n)) }

// endow opens the accounts, gives each seller a million and the books a past,
// and returns the accounts' ids for pgbench. Connections made after it plan for
// tables as large as they are: one kept from when they were empty would not.
func endow(ctx context.Context, url string) (map[string]int64, error) {
	const each, at = 1_000_000_00, 500
	store, err := pg.Open(ctx, url, pg.Options{MaxConns: 1})
	if err != nil {
		return nil, err
	}
	defer store.Close()
	p := &postBench{store: store, books: ledger.New(store), run: "endow"}
	for n := 0; n < postSellers; n += at {
		legs := []ledger.Leg{ledger.Debit(ledger.Clearing("bench"), each*at)}
		for s := n; s < n+at; s++ {
			legs = append(legs, ledger.Credit(benchSeller(s), each))
		}
		if err := p.send(ctx, legs); err != nil {
			return nil, err
		}
	}
	for _, sql := range []string{`select bench.past(20000)`, `vacuum analyze`, `checkpoint`} {
		if err := order(ctx, url, sql); err != nil {
			return nil, err
		}
	}
	var first, last, many, busy int64
	if err := ask(ctx, url, []any{&first, &last, &many, &busy}, `select first, last, many, bench.account($1) from bench.sellers()`, ledger.Clearing("bench")); err != nil {
		return nil, err
	}
	if many != postSellers || last-first+1 != many {
		return nil, fmt.Errorf("%d accounts from %d to %d, want %d without a gap", many, first, last, postSellers)
	}
	return map[string]int64{"first": first, "last": last, "busy": busy}, nil
}

func (p *postBench) send(ctx context.Context, legs []ledger.Leg) error {
	return p.store.InTx(ctx, func(tx *pg.Tx) error {
		return p.books.Post(ctx, tx, ledger.Transfer{
			Key: fmt.Sprintf("bench:%s:%d", p.run, p.count.Add(1)), Kind: "bench.post", Currency: money.MAD, Legs: legs,
		})
	})
}

// round posts for a while over all connections and returns the rate.
func (p *postBench) round(ctx context.Context, d time.Duration, transfer func() (payer, payee string)) (float64, error) {
	var done atomic.Int64
	var all sync.WaitGroup
	errs := make([]error, postClients)
	began := time.Now()
	for c := range postClients {
		all.Go(func() {
			for time.Since(began) < d && errs[c] == nil {
				payer, payee := transfer()
				centimes := 1 + rand.Int64N(500)
				errs[c] = p.send(ctx, []ledger.Leg{ledger.Debit(payer, centimes), ledger.Credit(payee, centimes)})
				done.Add(1)
			}
		})
	}
	all.Wait()
	return float64(done.Load()) / time.Since(began).Seconds(), errors.Join(errs...)
}

// clean proves that what both sides wrote is right.
func clean(ctx context.Context, store *pg.Store, ids ...string) error {
	found, err := invariants.Check(ctx, store, ids...)
	if err != nil {
		return err
	}
	for _, f := range found {
		if f.Count > 0 {
			return fmt.Errorf("%s is broken %d times: %s %v", f.ID, f.Count, f.Promise, f.Rows)
		}
	}
	return nil
}
