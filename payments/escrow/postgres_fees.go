package escrow

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"tiwiza/pkg/pg"
)

// loadSheet reads tariffs and rates in one round trip.
func loadSheet(ctx context.Context, db pg.DB) (s Sheet, err error) {
	b := &pgx.Batch{}
	b.Queue(`select code, category, base, percent, minimum, maximum, payer, since from escrow.tariff`).Query(func(rows pgx.Rows) (err error) {
		s.Tariffs, err = pgx.CollectRows(rows, pgx.RowToStructByName[Tariff])
		return err
	})
	b.Queue(`select kind, percent, since from escrow.rate`).Query(func(rows pgx.Rows) (err error) {
		s.Rates, err = pgx.CollectRows(rows, pgx.RowToStructByName[Rate])
		return err
	})
	if err := db.SendBatch(ctx, b).Close(); err != nil {
		return s, fmt.Errorf("read the fees: %w", err)
	}
	return s, nil
}
