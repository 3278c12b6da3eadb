package escrow

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"tiwiza/pkg/pg"
)

// readSheet reads tariffs and rates.
func readSheet(s *Sheet) pg.Read {
	return func(b *pgx.Batch) {
		b.Queue(`select code, category, base, percent, minimum, maximum, payer, since from escrow.tariff order by since, code, category`).Query(func(rows pgx.Rows) (err error) {
			s.Tariffs, err = pgx.CollectRows(rows, pgx.RowToStructByName[Tariff])
			return err
		})
		b.Queue(`select kind, percent, since from escrow.rate order by since, kind`).Query(func(rows pgx.Rows) (err error) {
			s.Rates, err = pgx.CollectRows(rows, pgx.RowToStructByName[Rate])
			return err
		})
	}
}

func loadSheet(ctx context.Context, db pg.DB) (s Sheet, err error) {
	if err := pg.Together(ctx, db, readSheet(&s)); err != nil {
		return s, fmt.Errorf("read the fees: %w", err)
	}
	return s, nil
}

// insertSheet adds fees and rates; the same for the same day again is refused.
func insertSheet(tx *pg.Tx, s Sheet) {
	taken := func(err error) error {
		if pg.Violates(err, "tariff_pkey") || pg.Violates(err, "rate_pkey") {
			return ErrStarted.Say("There is such a fee from that day on already; choose another day.")
		}
		return err
	}
	for _, t := range s.Tariffs {
		tx.QueueMapped(taken, `insert into escrow.tariff (code, category, base, percent, minimum, maximum, payer, since) values ($1, $2, $3, $4, $5, $6, $7, $8)`,
			t.Code, t.Category, t.Base, t.Percent, t.Minimum, t.Maximum, t.Payer, t.Since)
	}
	for _, r := range s.Rates {
		tx.QueueMapped(taken, `insert into escrow.rate (kind, percent, since) values ($1, $2, $3)`, r.Kind, r.Percent, r.Since)
	}
}
