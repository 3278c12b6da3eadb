package premiums

import (
	"context"
	"time"

	"tiwiza/payments/charges"
	"tiwiza/payments/escrow"
	"tiwiza/pkg/pg"
)

const premiumColumns = `id, policy, period, member, insurer, currency, amount, commission, vat, returned, state, taken_at, version`

func insert(tx *pg.Tx, p Premium, covers []escrow.Cover) {
	tx.QueueMapped(func(err error) error {
		if pg.Violates(err, "premium_once") {
			return ErrPaid.With(err)
		}
		return err
	}, `insert into premiums.premium (id, policy, period, member, insurer, currency, amount, commission, vat, taken_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		p.ID, p.Policy, p.Period, p.Member, p.Insurer, p.Currency, p.Amount, p.Commission, p.VAT, p.TakenAt)
	releases, amounts := make([]string, len(covers)), make([]int64, len(covers))
	for i, c := range covers {
		releases[i], amounts[i] = c.Release, c.Amount
	}
	tx.Queue(`insert into premiums.cover (premium, release, amount) select $1, * from unnest($2::text[], $3::bigint[])`, p.ID, releases, amounts)
}

// oneByOne has premiums of one member be taken one after the other: each sees what
// the one before left.
func oneByOne(tx *pg.Tx, member string) {
	tx.Queue(`select pg_advisory_xact_lock(hashtextextended('premium ' || $1, 0))`, member)
}

func lock(ctx context.Context, tx *pg.Tx, id string) (Premium, error) {
	return pg.One[Premium](ctx, tx, ErrNotFound, `select `+premiumColumns+` from premiums.premium where id = $1 for update`, id)
}

func save(tx *pg.Tx, p Premium) {
	tx.QueueOne(ErrState, `update premiums.premium set state = $3, returned = $4, version = version + 1 where id = $1 and version = $2`, p.ID, p.Version, p.State, p.Returned)
}

func ofPolicy(ctx context.Context, db pg.DB, policy string) ([]Premium, error) {
	return pg.All[Premium](ctx, db, `select `+premiumColumns+` from premiums.premium where policy = $1 order by taken_at, id`, policy)
}

// taken are the premiums of an insurer within a time, by policy and period.
func taken(ctx context.Context, db pg.DB, insurer string, from, until time.Time) ([]Premium, error) {
	return pg.All[Premium](ctx, db, `select `+premiumColumns+` from premiums.premium
		where insurer = $1 and taken_at >= $2 and taken_at < $3 and state <> 'undone' order by taken_at, id`, insurer, from, until)
}

// owedIn are the debts of an insurer within a time: indemnities by when they were
// paid, the rest by when they fell due.
func owedIn(ctx context.Context, db pg.DB, insurer string, from, until time.Time) ([]Due, error) {
	return pg.All[Due](ctx, db, `select `+dueColumns+` from premiums.due where insurer = $1 and coalesce(case kind when 'claim' then paid_at end, due_at) >= $2
		and coalesce(case kind when 'claim' then paid_at end, due_at) < $3 order by due_at, id`, insurer, from, until)
}

// inAir is what is not the insurer's yet: premiums of policies that are being
// asked for, and what will be set off; before one debt, only what is older, so that
// two debts never wait for each other.
func inAir(ctx context.Context, db pg.DB, insurer, currency, before string) (int64, error) {
	return pg.Value[int64](ctx, db, nil, `select (select coalesce(sum(amount - commission), 0) from premiums.premium where insurer = $1 and currency = $2 and state = 'taken')::bigint
		+ (select coalesce(sum(amount - commission), 0) from premiums.due where insurer = $1 and currency = $2 and state = 'due' and set_off
			and ($3 = '' or (due_at, id) < (select d.due_at, d.id from premiums.due d where d.id = $3)))::bigint`, insurer, currency, before)
}

const dueColumns = `id, kind, subject, policy, premium, member, insurer, currency, amount, commission, vat, transfer, set_off, state, way, line, due_at, paid_at, version`

func insertDue(tx *pg.Tx, d Due) {
	tx.QueueMapped(func(err error) error {
		switch {
		case pg.Violates(err, "due_transfer"):
			return ErrTransfer.With(err)
		case pg.Violates(err, "due_kind_subject_key"):
			return ErrState.With(err)
		}
		return err
	}, `insert into premiums.due (id, kind, subject, policy, premium, member, insurer, currency, amount, commission, vat, transfer, set_off, due_at)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
		d.ID, d.Kind, d.Subject, d.Policy, d.Premium, d.Member, d.Insurer, d.Currency, d.Amount, d.Commission, d.VAT, d.Transfer, d.SetOff, d.DueAt)
}

func saveDue(tx *pg.Tx, d Due) {
	tx.QueueOne(ErrState, `update premiums.due set transfer = $3, set_off = $4, state = $5, way = $6, line = $7, paid_at = $8, version = version + 1 where id = $1 and version = $2`,
		d.ID, d.Version, d.Transfer, d.SetOff, d.State, d.Way, d.Line, d.PaidAt)
}

func lockDue(ctx context.Context, tx *pg.Tx, id string) (Due, error) {
	return pg.One[Due](ctx, tx, ErrNotFound, `select `+dueColumns+` from premiums.due where id = $1 for update`, id)
}

func lockDueOf(ctx context.Context, tx *pg.Tx, kind, subject string) (Due, error) {
	return pg.One[Due](ctx, tx, ErrNotFound, `select `+dueColumns+` from premiums.due where kind = $1 and subject = $2 for update`, kind, subject)
}

func lockOpenDue(ctx context.Context, tx *pg.Tx, subject string) (Due, error) {
	return pg.One[Due](ctx, tx, ErrNotFound, `select `+dueColumns+` from premiums.due where subject = $1 and state = 'due' order by id limit 1 for update`, subject)
}

// named are the open debts whose transfer goes by one of some names.
func named(ctx context.Context, tx *pg.Tx, refs []string, currency string) ([]Due, error) {
	return pg.All[Due](ctx, tx, `select `+dueColumns+` from premiums.due where upper(transfer) = any($1) and transfer <> '' and state = 'due' and currency = $2 order by id for update`, refs, currency)
}

func namedOf(ctx context.Context, db pg.DB, transfer string) ([]string, error) {
	return pg.Column[string](ctx, db, `select subject from premiums.due where upper(transfer) = upper($1) and transfer <> ''`, transfer)
}

func keep(tx *pg.Tx, c charges.Credit, refs []string, at time.Time) {
	tx.Queue(`insert into premiums.credit (line, bank, refs, amount, currency, suspense, at) values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing`,
		c.Line, c.Bank, refs, c.Amount, c.Currency, c.Suspense, at)
}

// A loose is a credit that waits in suspense.
type loose struct {
	Line, Bank, Currency, Suspense string
	Amount                         int64
}

func looseNamed(ctx context.Context, tx *pg.Tx, ref, currency string, amount int64) ([]loose, error) {
	return pg.All[loose](ctx, tx, `select line, bank, currency, suspense, amount from premiums.credit
		where due = '' and refs @> array[$1::text] and currency = $2 and amount = $3 order by line limit 2 for update`, ref, currency, amount)
}

// looseParts are the credits that wait under the name of one transfer.
func looseParts(ctx context.Context, tx *pg.Tx, names []string, currency string) ([]loose, error) {
	return pg.All[loose](ctx, tx, `select line, bank, currency, suspense, amount from premiums.credit
		where due = '' and cardinality($1::text[]) = 1 and refs @> $1 and currency = $2 order by line limit 20 for update`, names, currency)
}

func lockLoose(ctx context.Context, tx *pg.Tx, line string) (loose, error) {
	return pg.One[loose](ctx, tx, ErrNotFound, `select line, bank, currency, suspense, amount from premiums.credit where line = $1 and due = '' for update`, line)
}

func useLoose(tx *pg.Tx, line, due string) {
	tx.QueueOne(ErrState, `update premiums.credit set due = $2 where line = $1 and due = ''`, line, due)
}

func dropLoose(tx *pg.Tx, line, by string) {
	tx.Queue(`update premiums.credit set due = $2 where line = $1 and due = ''`, line, by)
}
