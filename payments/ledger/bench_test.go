package ledger_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync/atomic"
	"testing"

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
