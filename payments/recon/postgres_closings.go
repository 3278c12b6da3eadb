package recon

import (
	"context"
	"time"

	"tiwiza/pkg/pg"
)

// changed says whether the bank's word on any account of a closing is another
// now than it was.
const changed = `exists (select from recon.closed d where d.closing = c.id
	and d.hash is distinct from (select f.hash from recon.fact f where f.bank = d.bank and f.account = d.account and f.day = c.day))`

const closingColumns = `c.id, c.day, c.revision, c.report, c.hash, c.prev, c.by, c.at, ` + changed + ` as changed`

func closingOf(ctx context.Context, db pg.DB, day time.Time) (Closing, error) {
	return pg.One[Closing](ctx, db, ErrNoClosing, `select `+closingColumns+` from recon.closing c where c.day = $1 order by c.revision desc limit 1`, day)
}

// lastClosing is the one that was made last, of whatever day: reports are
// chained in the order in which they were made.
func lastClosing(ctx context.Context, tx *pg.Tx) (Closing, error) {
	return pg.One[Closing](ctx, tx, ErrNoClosing, `select `+closingColumns+` from recon.closing c order by c.at desc, c.id desc limit 1`)
}

func lastClosingOf(ctx context.Context, tx *pg.Tx, of, account string) (Closing, error) {
	return pg.One[Closing](ctx, tx, ErrNoClosing, `select c.id, c.day, c.revision, c.report, c.hash, c.prev, c.by, c.at, false as changed
		from recon.closing c join recon.closed d on d.closing = c.id where d.bank = $1 and d.account = $2 order by c.day desc, c.revision desc limit 1`, of, account)
}

// listClosings pages through closed days, each by its latest revision.
func listClosings(ctx context.Context, db pg.DB, before string, limit int) ([]Closing, error) {
	return pg.All[Closing](ctx, db, `select `+closingColumns+` from recon.closing c
		where ($1 = '' or c.day < nullif($1, '')::date) and not exists (select from recon.closing n where n.day = c.day and n.revision > c.revision)
		order by c.day desc limit $2`, before, limit)
}

func insertClosing(tx *pg.Tx, c Closing, sheets []Sheet) {
	tx.Queue(`insert into recon.closing (id, day, revision, report, hash, prev, by, at) values ($1, $2, $3, $4, $5, $6, $7, $8)`,
		c.ID, c.Day, c.Revision, c.Report, c.Hash, c.Prev, c.By, c.At)
	for _, s := range sheets {
		tx.Queue(`insert into recon.closed (closing, bank, account, hash)
			select $1, $2, $3, (select f.hash from recon.fact f where f.bank = $2 and f.account = $3 and f.day = $4)`, c.ID, s.Bank, s.Account, c.Day)
	}
}

// An accountDay is one account as the bank's statements show it on a day.
type accountDay struct {
	Account, Role, Currency string
	Statements              []string
	Opening, Closing        int64
	Credits, Debits         int64
	Lines                   int64
	Matched, Unmatched      int64
	Unbooked                int64 // of all lines up to the day
	Later                   int64 // what the books have of lines of later days
	Gaps                    int64
}

// daysOf are the accounts of a bank that a statement up to the day speaks of.
// Each is read from its last statements back: how long its history is does not
// count, but what is not booked yet and what came after the day do. A day is
// closed when the next one is there, so that is little.
func daysOf(ctx context.Context, tx *pg.Tx, of string, day time.Time) ([]accountDay, error) {
	return pg.All[accountDay](ctx, tx, `with recursive named as (
			(select account from recon.statement where bank = $1 and kind = 'statement' order by account limit 1)
			union all
			select (select s.account from recon.statement s where s.bank = $1 and s.kind = 'statement' and s.account > n.account order by s.account limit 1)
				from named n where n.account is not null)
		select n.account, t.role, t.currency, coalesce(d.statements, '{}') as statements, coalesce(f.opening, t.closing) as opening, t.closing,
			coalesce(d.credits, 0)::bigint as credits, coalesce(d.debits, 0)::bigint as debits, coalesce(d.lines, 0)::bigint as lines,
			coalesce(d.matched, 0)::bigint as matched, coalesce(d.unmatched, 0)::bigint as unmatched,
			(select coalesce(sum(l.amount - l.booked), 0) from recon.line l where l.open
				and (select s.bank = $1 and s.account = n.account and s.kind = 'statement' and s.day <= $2 from recon.statement s where s.id = l.statement))::bigint as unbooked,
			(select coalesce(sum((select sum(l.booked) from recon.line l where l.statement = s.id)), 0) from recon.statement s
				where s.bank = $1 and s.account = n.account and s.kind = 'statement' and s.day between $2::date + 1 and date 'infinity')::bigint as later,
			(select count(*) from recon.break b where b.kind = 'gap' and b.state <> 'resolved'
				and (select s.bank = $1 and s.account = n.account and s.kind = 'statement' and s.day <= $2 from recon.statement s where s.id = b.statement)) as gaps
		from named n
		cross join lateral (select s.role, s.currency, s.closing from recon.statement s
			where s.bank = $1 and s.account = n.account and s.kind = 'statement' and s.day <= $2 and s.closing is not null
			order by s.day desc, s.created_at desc, s.sequence desc, s.page desc, s.at desc limit 1) t
		left join lateral (select s.opening from recon.statement s
			where s.bank = $1 and s.account = n.account and s.kind = 'statement' and s.day = $2 and s.opening is not null
			order by s.created_at, s.sequence, s.page, s.at limit 1) f on true
		cross join lateral (select array_agg(distinct s.statement_id) as statements, sum(l.lines) as lines, sum(l.credits) as credits, sum(l.debits) as debits,
				sum(l.matched) as matched, sum(l.unmatched) as unmatched from recon.statement s
			cross join lateral (select count(*) as lines, sum(l.amount) filter (where l.amount > 0) as credits, sum(l.amount) filter (where l.amount < 0) as debits,
				count(*) filter (where l.state = 'matched') as matched, count(*) filter (where l.state in ('partly', 'suspense', 'unmatched')) as unmatched
				from recon.line l where l.statement = s.id and l.state <> 'noted') l
			where s.bank = $1 and s.account = n.account and s.kind = 'statement' and s.day = $2) d
		order by t.role desc, n.account`, of, day)
}

// goneOn says whether every account that had a statement by a day has one of a
// later day.
func goneOn(ctx context.Context, tx *pg.Tx, day time.Time) (bool, error) {
	return pg.Value[bool](ctx, tx, nil, `with recursive named as (
			(select bank, account from recon.statement where kind = 'statement' order by bank, account limit 1)
			union all
			select s.bank, s.account from named n cross join lateral (select s.bank, s.account from recon.statement s
				where s.kind = 'statement' and (s.bank, s.account) > (n.bank, n.account) order by s.bank, s.account limit 1) s)
		select not exists (select from named n where (select s.day from recon.statement s
			where s.bank = n.bank and s.account = n.account and s.kind = 'statement' order by s.day desc limit 1) <= $1)`, day)
}
