package recon

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tiwiza/adapters/bank"
	"tiwiza/pkg/pg"
)

const (
	before = `(day, created_at, sequence, page) <= ($3::date, $4, $5, $6) order by day desc, created_at desc, sequence desc, page desc, at desc, id desc`
	after  = `(day, created_at, sequence, page) > ($3::date, $4, $5, $6) order by day, created_at, sequence, page, at, id`
)

// beside is the statement before or after one that is not kept yet, in the
// bank's order; nil when there is none near.
func beside(ctx context.Context, tx *pg.Tx, of string, st bank.Statement, which string) (*neighbour, error) {
	n, err := pg.One[neighbour](ctx, tx, errNoFile, `select id, statement_id, sequence, page, extract(year from day)::int as year, opening, closing, currency
		from recon.statement where kind = 'statement' and bank = $1 and account = $2 and day between $3::date - 40 and $3::date + 40 and `+which+` limit 1`,
		of, st.Account, st.Day(), st.Created, st.Sequence, max(st.Page, 1))
	if errors.Is(err, errNoFile) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("the statement beside %s: %w", st.ID, err)
	}
	return &n, nil
}

// around are the statements of an account of the week before one, and of the week
// after.
func around(ctx context.Context, tx *pg.Tx, of string, st bank.Statement) ([]dated, error) {
	return pg.All[dated](ctx, tx, `select id, statement_id, sequence, page, extract(year from day)::int as year, opening, closing, currency, day, created_at
		from recon.statement where kind = 'statement' and bank = $1 and account = $2 and day between $3::date - 7 and $3::date + 7`,
		of, st.Account, st.Day())
}

// linesOf are the lines of an account's statements that were booked between two
// days. What only repeated another is left out: it is there once.
func linesOf(ctx context.Context, tx *pg.Tx, of string, st bank.Statement, from, to time.Time) ([]stood, error) {
	return pg.All[stood](ctx, tx, `select l.id, s.statement_id as name, l.amount, l.currency, l.ref, l.bank_ref, l.info, l.booked_on, false as again
		from recon.line l join recon.statement s on s.id = l.statement
		where s.bank = $1 and s.account = $2 and s.kind = 'statement' and s.day between $3::date - 40 and $3::date + 40
			and l.booked_on between $4 and $5 and l.state <> 'noted' and not (l.state = 'unmatched' and l.why like $6 || '%')
		order by l.id`, of, st.Account, st.Day(), from, to, repeated)
}
