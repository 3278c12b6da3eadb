package charges

import (
	"context"

	"tiwiza/pkg/pg"
)

const wireColumns = `charge, reference, bank, returned, payer`

func insertWire(tx *pg.Tx, w Wire) {
	tx.Queue(`insert into charges.transfer (charge, reference, bank) values ($1, $2, $3)`, w.Charge, w.Reference, w.Bank)
}

// transferOf is what came for a charge; its charge's lock keeps it as it is.
func transferOf(ctx context.Context, db pg.DB, charge string) (Wire, error) {
	return pg.One[Wire](ctx, db, ErrNotFound, `select `+wireColumns+` from charges.transfer where charge = $1`, charge)
}

func saveWire(tx *pg.Tx, w Wire) {
	tx.QueueOne(pg.ErrBusy, `update charges.transfer set returned = $2, payer = $3 where charge = $1`, w.Charge, w.Returned, w.Payer)
}

// subjectsOf are the charges, orders and remittances that references are of.
func subjectsOf(ctx context.Context, db pg.DB, references []string) ([]string, error) {
	if len(references) == 0 {
		return nil, nil
	}
	return pg.Column[string](ctx, db, `select charge from charges.transfer where reference = any($1)
		union all select order_id from charges.parcel where reference = any($1)
		union all select id from charges.remittance where reference = any($1) order by 1`, references)
}

// awaited are the charges that wait for exactly this much by transfer.
func awaited(ctx context.Context, db pg.DB, amount int64, currency string) ([]Charge, error) {
	return pg.All[Charge](ctx, db, `select `+columns+` from charges.charge c
		where state = 'accepted' and method = 'transfer' and currency = $2
			and exists (select from charges.transfer t where t.charge = c.id and c.amount - c.captured + t.returned = $1)
		order by id limit 20`, amount, currency)
}

func insertCredit(tx *pg.Tx, c Credit, subject string) {
	tx.Queue(`insert into charges.credit (line, bank, account, subject, amount, currency, payer, said) values ($1, $2, $3, $4, $5, $6, $7, left($8, 2000))`,
		c.Line, c.Bank, c.Suspense, subject, c.Amount, c.Currency, c.Payer, c.Said)
}

type creditRow struct {
	Line, Bank, Account, Currency, Said string
	Amount                              int64
	Payer                               Payer
}

func (r creditRow) credit() Credit {
	return Credit{r.Bank, r.Line, r.Account, r.Account, r.Said, r.Payer, r.Amount, r.Currency}
}

const creditColumns = `line, bank, account, amount, currency, payer, said`

// looseCredit locks a credit that nobody has explained.
func looseCredit(ctx context.Context, tx *pg.Tx, line string) (Credit, error) {
	r, err := pg.One[creditRow](ctx, tx, ErrNoCredit, `select `+creditColumns+` from charges.credit where line = $1 and subject = '' for update`, line)
	return r.credit(), err
}

// looseOf locks the credits of an amount that nobody has explained.
func looseOf(ctx context.Context, tx *pg.Tx, amount int64, currency string) ([]Credit, error) {
	rows, err := pg.All[creditRow](ctx, tx, `select `+creditColumns+` from charges.credit
		where subject = '' and amount = $1 and currency = $2 order by line for update`, amount, currency)
	all := make([]Credit, len(rows))
	for i, r := range rows {
		all[i] = r.credit()
	}
	return all, err
}

func explain(tx *pg.Tx, line, subject string) {
	tx.QueueOne(ErrNoCredit, `update charges.credit set subject = $2 where line = $1 and subject = ''`, line, subject)
}
