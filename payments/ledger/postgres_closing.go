package ledger

import (
	"context"
	"errors"
	"time"

	"tiwiza/pkg/pg"
)

func closedBefore(ctx context.Context, db pg.DB) (*time.Time, error) {
	return pg.Value[*time.Time](ctx, db, nil, `select closed from ledger.horizon`)
}

// shut moves the horizon. An entry of a transaction that has not seen it yet may
// still come; the fence tells when none can any more.
func shut(tx *pg.Tx, upto string, before time.Time) {
	tx.QueueOne(ErrShut, `update ledger.horizon set closed = $1 where closed is null or closed < $1`, before)
	tx.Queue(`insert into ledger.closing (upto, before) values ($1::text::date, $2)`, upto, before)
}

type unfinished struct {
	Before time.Time
	Fenced bool
	Passed bool
}

var errNothing = errors.New("there is nothing to finish")

func lockUnfinished(ctx context.Context, tx *pg.Tx) (c unfinished, ok bool, err error) {
	c, err = pg.One[unfinished](ctx, tx, errNothing, `select before, fence is not null as fenced,
			coalesce(fence <= pg_snapshot_xmin(pg_current_snapshot()), false) as passed
		from ledger.closing where trial is null order by before limit 1 for no key update skip locked`)
	if errors.Is(err, errNothing) {
		return c, false, nil
	}
	return c, err == nil, err
}

func fenceClosing(tx *pg.Tx, before time.Time) {
	tx.Queue(`update ledger.closing set fence = pg_snapshot_xmax(pg_current_snapshot()) where before = $1`, before)
}

func finishClosing(tx *pg.Tx, before, at time.Time, trial []byte) {
	tx.Queue(`update ledger.closing set balanced_at = $2, trial = $3, hash = sha256($3) where before = $1`, before, at, trial)
}

type closingRow struct {
	Upto       string
	ClosedAt   time.Time
	ClosedBy   string
	BalancedAt *time.Time
	Hash       []byte
}

// closings lists closed periods, newest first; before "" starts at the newest.
func closings(ctx context.Context, db pg.DB, before string, limit int) ([]closingRow, error) {
	return pg.All[closingRow](ctx, db, `select upto::text as upto, closed_at, closed_by, balanced_at, hash
		from ledger.closing where $1::text = '' or upto < nullif($1, '')::date order by upto desc limit $2`, before, limit)
}

// closingTrial is the trial balance that was kept, empty until it is known.
func closingTrial(ctx context.Context, db pg.DB, upto string) ([]byte, error) {
	return pg.Value[[]byte](ctx, db, ErrNoPeriod, `select coalesce(trial, '') from ledger.closing where upto = $1::text::date`, upto)
}

type trialRow struct {
	Code     string
	Currency string
	Debit    int64
	Credit   int64
}

// trialNow is what stands in each account that is not at zero.
func trialNow(ctx context.Context, db pg.DB) ([]trialRow, error) {
	return pg.All[trialRow](ctx, db, `select a.code, a.currency, greatest(b.net, 0)::bigint as debit, greatest(-b.net, 0)::bigint as credit
		from (select account_id, sum(dr - cr) as net from ledger.balance group by account_id having sum(dr - cr) <> 0) b
		join ledger.account a on a.id = b.account_id order by a.code collate "C", a.currency`)
}

// trialAt is what stood in each account at a time, as the books knew it at
// another. It reads every entry: for all accounts at once that is less than
// looking each of them up.
func trialAt(ctx context.Context, db pg.DB, at, known time.Time) ([]trialRow, error) {
	return pg.All[trialRow](ctx, db, `select a.code, a.currency, greatest(e.net, 0)::bigint as debit, greatest(-e.net, 0)::bigint as credit
		from (select account_id, sum(amount) as net from ledger.entry where effective_at <= $1 and recorded_at <= $2
			group by account_id having sum(amount) <> 0) e
		join ledger.account a on a.id = e.account_id order by a.code collate "C", a.currency`, at, known)
}
