package charges

import (
	"context"

	"tiwiza/pkg/pg"
)

func byRef(ctx context.Context, db pg.DB, acquirer, ref string) (Charge, error) {
	return pg.One[Charge](ctx, db, ErrNotFound, `select `+columns+` from charges.charge where acquirer = $1 and ref = $2`, acquirer, ref)
}

func unsettled(ctx context.Context, db pg.DB, amount int64, currency string, limit int) ([]Charge, error) {
	return pg.All[Charge](ctx, db, `select `+columns+` from charges.charge
		where state = 'confirmed' and not settled and acquirer <> '' and amount = $1 and currency = $2 order by id limit $3`, amount, currency, limit)
}

func otherwise(tx *pg.Tx, line, by string) {
	tx.Queue(`update charges.credit set subject = $2 where line = $1 and subject = ''`, line, by)
}
