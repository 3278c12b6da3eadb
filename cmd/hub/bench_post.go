package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
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

// A postBench posts transfers of two legs into books with a past.
type postBench struct {
	url   string
	store *pg.Store
	books *ledger.Books
	vars  map[string]int64 // for pgbench
	run   string           // makes its keys its own
	count atomic.Int64
}

// openPosts makes a database with accounts to post between.
func (b *bench) openPosts(ctx context.Context, name string, conns int32, past int) (*postBench, error) {
	url, err := b.yard.database(ctx, name, "bench/post.sql")
	if err != nil {
		return nil, err
	}
	vars, err := endow(ctx, url, past)
	if err != nil {
		return nil, fmt.Errorf("open the accounts: %w", err)
	}
	store, err := pg.Open(ctx, url, pg.Options{MaxConns: conns})
	if err != nil {
		return nil, err
	}
	p := &postBench{url: url, store: store, books: ledger.New(store), vars: vars, run: "run"}
	// A hub at work knows its accounts; pgbench is told their ids.
	if err := p.give(ctx, 1); err != nil {
		store.Close()
		return nil, fmt.Errorf("look the accounts up: %w", err)
	}
	return p, nil
}

// give gives each seller as much.
func (p *postBench) give(ctx context.Context, each int64) error {
	const at = 500
	for n := 0; n < postSellers; n += at {
		legs := []ledger.Leg{ledger.Debit(ledger.Clearing("bench"), each*at)}
		for s := n; s < n+at; s++ {
			legs = append(legs, ledger.Credit(benchSeller(s), each))
		}
		if err := p.send(ctx, legs); err != nil {
			return err
		}
	}
	return nil
}

// post measures the ledger, each transfer in a unit of work of its own: random
// pairs of accounts, and then one account that is in every transfer.
func (b *bench) post(ctx context.Context) error {
	ctx = auth.With(ctx, auth.Hub)
	p, err := b.openPosts(ctx, "bench_post", postClients, 20_000)
	if err != nil {
		return err
	}
	defer p.store.Close()
	for _, c := range []struct {
		name, file, note string
		floor, most      float64
		legs             func() []ledger.Leg
	}{
		{"ledger.Post", "bench/post.run.sql", fmt.Sprintf("%d connections, %d accounts", postClients, postSellers), 0.85, 1.25, pair},
		{"ledger.Post, hot account", "bench/collect.run.sql", "one account of 8 shards in each transfer", 0, 0, collect},
	} {
		rate, late, err := b.duel(ctx, figure{Name: c.name, Unit: "/s", Floor: c.floor, Note: c.note},
			func(ctx context.Context, d time.Duration) (pace, error) {
				return p.round(ctx, d, postClients, func(ctx context.Context) error { return p.send(ctx, c.legs()) })
			},
			func(ctx context.Context, d time.Duration) (pace, error) {
				return b.yard.pace(ctx, p.url, script{file: c.file, clients: postClients, vars: p.vars}, d)
			})
		if err != nil {
			return err
		}
		b.found(rate)
		if c.most > 0 {
			late.Most = c.most
			b.found(late)
		}
	}
	return clean(ctx, p.store, "I1", "I2", "I3", "I4", "I6", "I7")
}

// pair moves money from one seller to another.
func pair() []ledger.Leg {
	one, centimes := rand.IntN(postSellers), 1+rand.Int64N(500)
	return []ledger.Leg{ledger.Debit(benchSeller(one), centimes), ledger.Credit(benchSeller((one+1+rand.IntN(postSellers-1))%postSellers), centimes)}
}

// collect gives a seller money out of an account that all share.
func collect() []ledger.Leg { return from(ledger.Clearing("bench")) }

// from gives a seller money out of an account.
func from(account string) []ledger.Leg {
	centimes := 1 + rand.Int64N(500)
	return []ledger.Leg{ledger.Debit(account, centimes), ledger.Credit(benchSeller(rand.IntN(postSellers)), centimes)}
}

func benchSeller(n int) string { return ledger.Available(fmt.Sprintf("bench-%05d", n)) }

// endow opens the accounts, gives each seller a million and the books a past,
// and returns the accounts' ids for pgbench. Connections made after it plan for
// tables as large as they are: one kept from when they were empty would not.
func endow(ctx context.Context, url string, past int) (map[string]int64, error) {
	store, err := pg.Open(ctx, url, pg.Options{MaxConns: 1})
	if err != nil {
		return nil, err
	}
	defer store.Close()
	p := &postBench{store: store, books: ledger.New(store), run: "endow"}
	if err := p.give(ctx, 1_000_000_00); err != nil {
		return nil, err
	}
	for left := past; left > 0; left -= 100_000 {
		if err := order(ctx, url, `select bench.past($1)`, min(left, 100_000)); err != nil {
			return nil, err
		}
	}
	for _, sql := range []string{`vacuum analyze`, `checkpoint`} {
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

// transfer is a transfer of these legs with a key of its own.
func (p *postBench) transfer(legs []ledger.Leg) ledger.Transfer {
	return ledger.Transfer{Key: fmt.Sprintf("bench:%s:%d", p.run, p.count.Add(1)), Kind: "bench.post", Currency: money.MAD, Legs: legs}
}

func (p *postBench) send(ctx context.Context, legs []ledger.Leg) error {
	t := p.transfer(legs)
	return p.store.InTx(ctx, func(tx *pg.Tx) error { return p.books.Post(ctx, tx, t) })
}

// round has some callers post for a while and returns their pace.
func (p *postBench) round(ctx context.Context, d time.Duration, callers int, send func(ctx context.Context) error) (pace, error) {
	var all sync.WaitGroup
	errs, took := make([]error, callers), make([][]time.Duration, callers)
	began := time.Now()
	for c := range callers {
		all.Go(func() {
			for last := began; last.Sub(began) < d && errs[c] == nil; {
				errs[c] = send(ctx)
				now := time.Now()
				took[c] = append(took[c], now.Sub(last))
				last = now
			}
		})
	}
	all.Wait()
	passed := time.Since(began).Seconds()
	each := slices.Concat(took...)
	return pace{float64(len(each)) / passed, p95(each)}, errors.Join(errs...)
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
