// Package seal chains rows that are only ever added, so that an alteration is
// found and named. Nobody who adds rows waits for it: a sealer takes, in the
// order of (xid, id), what no transaction can come before any more, and writes a
// block of it on top of the last. Rows that are not sealed yet are no fault.
package seal

import (
	"context"
	"encoding/hex"
	"fmt"
	"log/slog"
	"strconv"
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

// A Head names a block by its number and hash. Kept outside the database, it
// shows what a chain by itself cannot: that its end was cut off.
type Head struct {
	Row  string // the chain's
	Seq  int64  // 0: nothing is sealed yet
	Hash []byte
}

// String is «transfer:12:9f…», as ParseHead reads it.
func (h Head) String() string { return fmt.Sprintf("%s:%d:%x", h.Row, h.Seq, h.Hash) }

// ParseHead reads a head.
func ParseHead(s string) (h Head, err error) {
	parts := strings.Split(s, ":")
	if len(parts) != 3 {
		return h, fmt.Errorf("%q is no head; one looks like transfer:12:9f86…", s)
	}
	h.Row = parts[0]
	if h.Seq, err = strconv.ParseInt(parts[1], 10, 64); err == nil {
		h.Hash, err = hex.DecodeString(parts[2])
	}
	if err != nil || h.Seq < 1 || len(h.Hash) != 32 {
		return h, fmt.Errorf("%q is no head; one looks like transfer:12:9f86…", s)
	}
	return h, nil
}

// Head is the last block of a chain.
func (c Chain) Head(ctx context.Context, db pg.DB) (Head, error) { return c.head(ctx, db) }

// Stands says whether a block that was the head once still stands in the chain.
func (c Chain) Stands(ctx context.Context, db pg.DB, h Head) (bool, error) {
	return c.stands(ctx, db, h)
}

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

// Run seals the chains, about every second, until ctx ends. Every hour it tells
// the log their heads: a log that is kept elsewhere keeps them too.
func Run(ctx context.Context, db *pg.Store, chains ...Chain) {
	ctx = auth.With(ctx, auth.Hub)
	tick, hour := time.NewTicker(time.Second), time.NewTicker(time.Hour)
	defer tick.Stop()
	defer hour.Stop()
	for {
		for _, c := range chains {
			if _, err := c.Drain(ctx, db); err != nil && ctx.Err() == nil {
				slog.WarnContext(ctx, "rows cannot be sealed", "row", c.Row, "error", err)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-hour.C:
			for _, c := range chains {
				if h, err := c.Head(ctx, db); err == nil && h.Seq > 0 {
					slog.InfoContext(ctx, "sealed up to here", "head", h.String())
				}
			}
		case <-tick.C:
		}
	}
}

// fill writes the chain's names into a query.
func (c Chain) fill(sql string) string {
	return strings.NewReplacer("{blocks}", c.Blocks, "{view}", c.View, "{row}", c.Row).Replace(sql)
}
