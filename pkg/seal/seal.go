// Package seal chains rows that are only ever added, so that an alteration is
// found and named. Nobody who adds rows waits for it: a sealer takes, in the
// order of (xid, id), what no transaction can come before any more, and writes a
// block of it on top of the last. Rows that are not sealed yet are no fault.
package seal

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"tiwiza/pkg/auth"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/pg"
)

// A Chain is one kind of rows and the blocks that seal them.
type Chain struct {
	Row    string // what one is called: "transfer"
	View   string // of columns xid, id and digest, a row for each
	Blocks string // the table of blocks: see migrations/00061_ledger_seal.sql
}

// ErrRestored says that the server's transactions are numbered lower than those
// that were sealed: the database was restored from a dump onto another server.
var ErrRestored = fault.New(fault.Internal, "seal.restored", "The server counts its transactions anew; set its counter beyond the last block before anything is posted.")

// most is how many rows a block seals: enough to be cheap for each, and few
// enough that one that was altered is read quickly.
const most = 2000

// Seal makes the next block of a chain, in a transaction of its own, and says
// how many rows it has. It makes none while another hub is sealing, or while
// there is nothing to seal.
func (c Chain) Seal(ctx context.Context, db *pg.Store) (rows int, err error) {
	err = db.InTx(ctx, func(tx *pg.Tx) error {
		rows = 0
		mine, err := pg.Value[bool](ctx, tx, nil, `select pg_try_advisory_xact_lock(hashtextextended('seal ' || $1, 0))`, c.Blocks)
		if err != nil || !mine {
			return err
		}
		rows, err = c.next(ctx, tx)
		return err
	})
	return rows, err
}

// Drain seals until nothing is left that can be sealed now.
func (c Chain) Drain(ctx context.Context, db *pg.Store) (rows int, err error) {
	for {
		n, err := c.Seal(ctx, db)
		rows += n
		if err != nil || n == 0 {
			return rows, err
		}
	}
}

// Waiting is how many rows are not sealed yet.
func (c Chain) Waiting(ctx context.Context, db pg.DB) (int, error) { return c.waiting(ctx, db) }

// Run seals the chains, about every second, until ctx ends.
func Run(ctx context.Context, db *pg.Store, chains ...Chain) {
	ctx = auth.With(ctx, auth.Hub)
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		for _, c := range chains {
			if _, err := c.Drain(ctx, db); err != nil && ctx.Err() == nil {
				slog.WarnContext(ctx, "rows cannot be sealed", "row", c.Row, "error", err)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// fill writes the chain's names into a query.
func (c Chain) fill(sql string) string {
	return strings.NewReplacer("{blocks}", c.Blocks, "{view}", c.View, "{row}", c.Row).Replace(sql)
}
