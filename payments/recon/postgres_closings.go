package recon

import (
	"context"
	"time"

	"tiwiza/pkg/pg"
)

// changed says whether the bank's word on any account of a closing is another
// now than it was.
const changed = `exists (select from recon.closed d left join recon.fact f on f.bank = d.bank and f.account = d.account and f.day = c.day
	where d.closing = c.id and d.hash is distinct from f.hash)`

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
func daysOf(ctx context.Context, tx *pg.Tx, of string, day time.Time) ([]accountDay, error) {
	return pg.All[accountDay](ctx, tx, `with stm as (
			select * from recon.statement where bank = $1 and kind = 'statement' and day <= $2),
		last as (
			select distinct on (account) account, role, currency, closing from stm where closing is not null
			order by account, day desc, created_at desc, sequence desc, page desc, at desc),
		first as (
			select distinct on (account) account, opening from stm where day = $2 and opening is not null order by account, created_at, sequence, page, at),
		today as (
			select s.account, array_agg(distinct s.statement_id) as statements, count(l.id) as lines,
				coalesce(sum(l.amount) filter (where l.amount > 0), 0)::bigint as credits, coalesce(sum(l.amount) filter (where l.amount < 0), 0)::bigint as debits,
				count(*) filter (where l.state = 'matched') as matched, count(*) filter (where l.state in ('partly', 'suspense', 'unmatched')) as unmatched
			from stm s left join recon.line l on l.statement = s.id and l.state <> 'noted' where s.day = $2 group by s.account)
		select t.account, t.role, t.currency, coalesce(d.statements, '{}') as statements, coalesce(f.opening, t.closing) as opening, t.closing,
			coalesce(d.credits, 0) as credits, coalesce(d.debits, 0) as debits, coalesce(d.lines, 0) as lines,
			coalesce(d.matched, 0) as matched, coalesce(d.unmatched, 0) as unmatched,
			(select coalesce(sum(l.amount - l.booked), 0) from recon.line l join stm s on s.id = l.statement
				where s.account = t.account and l.booked <> l.amount and l.state <> 'noted')::bigint as unbooked,
			(select coalesce(sum(l.booked), 0) from recon.line l join recon.statement s on s.id = l.statement
				where s.bank = $1 and s.account = t.account and s.kind = 'statement' and s.day > $2)::bigint as later,
			(select count(*) from recon.break b join stm s on s.id = b.statement where b.kind = 'gap' and b.state <> 'resolved' and s.account = t.account) as gaps
		from last t left join first f on f.account = t.account left join today d on d.account = t.account order by t.role desc, t.account`, of, day)
}

// goneOn says whether every account that had a statement by a day has one of a
// later day.
func goneOn(ctx context.Context, tx *pg.Tx, day time.Time) (bool, error) {
	return pg.Value[bool](ctx, tx, nil, `select not exists (
		select from (select bank, account, max(day) as latest from recon.statement where kind = 'statement' group by bank, account) s where s.latest <= $1)`, day)
}
