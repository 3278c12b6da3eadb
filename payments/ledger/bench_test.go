package ledger_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"tiwiza/payments/ledger"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
)

// BenchmarkPost posts two-entry transfers, each in a unit of work of its own,
// from eight goroutines.
func BenchmarkPost(b *testing.B) {
	db := pgtest.New(b)
	books := ledger.New(db)
	post := func(ctx context.Context, key string, from, to int) error {
		return db.InTx(ctx, func(tx *pg.Tx) error {
			return books.Post(ctx, tx, ledger.Transfer{Key: key, Kind: "bench", Currency: "MAD", Legs: []ledger.Leg{
				ledger.Debit(fmt.Sprintf("carrier:%d:cod", from), 100), ledger.Credit(fmt.Sprintf("seller:%d:available", to), 100),
			}})
		})
	}
	for i := range 200 {
		if err := post(b.Context(), fmt.Sprint("open", i), i, i); err != nil {
			b.Fatal(err)
		}
	}
	var n atomic.Int64
	b.SetParallelism(4)
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			if err := post(b.Context(), strconv.FormatInt(n.Add(1), 10), rand.IntN(200), rand.IntN(200)); err != nil {
				b.Error(err)
			}
		}
	})
}

// sealing is how many transfers the benchmarks of the seal have.
const sealing = 50_000

// load writes transfers of two legs by SQL, as their owner.
func load(b *testing.B) *pg.Store {
	b.Helper()
	url := pgtest.URL(b)
	owner := pgtest.Open(b, url, pg.Options{MaxConns: 1})
	for _, sql := range []string{
		`set role none`, `set session_replication_role = replica`,
		`insert into ledger.account (code, currency, normal) select 'escrow:ord_' || n, 'MAD', 'C' from generate_series(1, 5000) n`,
		fmt.Sprintf(`insert into ledger.transfer (id, key, request, kind, effective_at, actor) select n, 'escrow.release:ord_' || n, sha256(n::text::bytea), 'escrow.release', platform.now(), 'system hub' from generate_series(1, %d) n`, sealing),
		fmt.Sprintf(`insert into ledger.entry select n, leg, 1 + (n * 7 + leg) %% 5000, 0, 'MAD', 100 - 200 * leg, platform.now() from generate_series(1, %d) n, generate_series(0, 1) leg`, sealing),
		`analyze`,
	} {
		if _, err := owner.Exec(b.Context(), sql); err != nil {
			b.Fatal(err)
		}
	}
	return pgtest.Open(b, url, pg.Options{MaxConns: 2})
}

// BenchmarkSeal seals transfers, and then proves the whole chain.
func BenchmarkSeal(b *testing.B) {
	for b.Loop() {
		db := load(b)
		began := time.Now()
		pgtest.Seal(b, db, ledger.Chain)
		b.ReportMetric(sealing/time.Since(began).Seconds(), "sealed/s")
		for name, last := range map[string]int{"proved/s": 0, "tail-proved/s": 4} {
			began = time.Now()
			n, err := pg.Value[int](b.Context(), db, nil, `select count(*) from (`+ledger.Chain.Broken(last)+`) v`)
			if err != nil || n > 0 {
				b.Fatalf("%d broken (%v)", n, err)
			}
			b.ReportMetric(sealing/time.Since(began).Seconds(), name)
		}
	}
}
