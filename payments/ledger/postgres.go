package ledger

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"tiwiza/pkg/pg"
)

// openAccounts makes sure that the accounts and their balance rows are there.
func openAccounts(ctx context.Context, tx *pg.Tx, accounts []Account, currency string) (map[string]known, error) {
	var codes, normals []string
	var floors []*int64
	var shards []int16
	for _, a := range accounts {
		codes, normals, shards = append(codes, a.Code), append(normals, a.Normal), append(shards, int16(a.Shards))
		if a.Floor {
			floors = append(floors, new(int64))
		} else {
			floors = append(floors, nil)
		}
	}
	batch := &pgx.Batch{}
	batch.Queue(`insert into ledger.account (code, currency, normal, floor, shards)
		select c, $2, n, f, s from unnest($1::text[], $3::text[], $4::bigint[], $5::smallint[]) x (c, n, f, s) order by c
		on conflict (code, currency) do nothing`, codes, currency, normals, floors, shards)
	batch.Queue(`insert into ledger.balance (account_id, shard, normal, floor)
		select id, generate_series(0, shards - 1), normal, floor from ledger.account where code = any($1) and currency = $2
		order by 1, 2 on conflict do nothing`, codes, currency)
	batch.Queue(`select code, id, shards, floor is not null, normal = 'C' from ledger.account where code = any($1) and currency = $2`, codes, currency)
	br := tx.SendBatch(ctx, batch)
	defer br.Close()
	for range 2 {
		if _, err := br.Exec(); err != nil {
			return nil, fmt.Errorf("open accounts: %w", err)
		}
	}
	rows, err := br.Query()
	if err != nil {
		return nil, fmt.Errorf("open accounts: %w", err)
	}
	opened := map[string]known{}
	var code string
	var k known
	if _, err := pgx.ForEachRow(rows, []any{&code, &k.ID, &k.Shards, &k.Floor, &k.Credit}, func() error {
		opened[code] = k
		return nil
	}); err != nil {
		return nil, fmt.Errorf("open accounts: %w", err)
	}
	return opened, br.Close()
}

func nextBlock(ctx context.Context, db pg.DB) (int64, error) {
	n, err := pg.Value[int64](ctx, db, nil, `select nextval('ledger.transfer_block')`)
	if err != nil {
		return 0, fmt.Errorf("take transfer ids: %w", err)
	}
	return n, nil
}

// post queues a transfer. Its legs go out in one fixed order of accounts, those
// with a floor first and the busy ones last: a row lock is kept until the commit
// is flushed, so what is locked last is kept shortest.
func post(tx *pg.Tx, n int64, t Transfer, accounts []known) {
	lines := make([]line, len(t.Legs))
	for i, l := range t.Legs {
		k := accounts[i]
		lines[i] = line{k, int16(n % int64(k.Shards)), l.Amount}
	}
	slices.SortStableFunc(lines, line.before)
	var effective, mirrors any
	if !t.Effective.IsZero() {
		effective = t.Effective
	}
	if t.reverses != 0 {
		mirrors = t.reverses
	}
	if len(lines) == 2 {
		a, b := lines[0], lines[1]
		tx.QueueSelf(refused, `select ledger.post_pair($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)`,
			n, t.Key, t.Hash(), t.Kind, t.Order, effective, t.Currency, t.Note, mirrors, a.ID, a.shard, a.amount, b.ID, b.shard, b.amount)
		return
	}
	ids, shards, amounts := make([]int64, len(lines)), make([]int16, len(lines)), make([]int64, len(lines))
	for i, l := range lines {
		ids[i], shards[i], amounts[i] = l.ID, l.shard, l.amount
	}
	tx.QueueSelf(refused, `select ledger.post($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
		n, t.Key, t.Hash(), t.Kind, t.Order, effective, t.Currency, ids, shards, amounts, t.Note, mirrors)
}

// A line is a leg as it is written.
type line struct {
	known
	shard  int16
	amount int64
}

func (l line) before(o line) int {
	if l.Floor != o.Floor {
		if l.Floor {
			return -1
		}
		return 1
	}
	if l.ID == o.ID { // what comes in goes first, or it might seem short
		return cmp.Compare(o.side(), l.side())
	}
	return cmp.Compare(l.ID, o.ID)
}

// side is above zero for a line that raises its account's balance.
func (l line) side() int {
	if l.Credit == (l.amount < 0) {
		return 1
	}
	return -1
}

// refused says what the database's refusals mean.
func refused(err error) error {
	switch {
	case pg.Violates(err, "balance_floor"):
		return ErrOverdraft.With(err)
	case pg.Code(err) == "HB003":
		return ErrReused.With(err)
	case pg.Code(err) == "HB002":
		return ErrUnbalanced.With(err)
	case pg.Code(err) == "HB010":
		return ErrClosed.With(err)
	}
	return err
}

func balance(ctx context.Context, db pg.DB, code, currency string) (int64, error) {
	return pg.Value[int64](ctx, db, nil, `select coalesce(sum(case b.normal when 'C' then b.cr - b.dr else b.dr - b.cr end), 0)::bigint
		from ledger.account a join ledger.balance b on b.account_id = a.id where a.code = $1 and a.currency = $2`, code, currency)
}

type standing struct {
	Code     string
	Currency string
	Normal   string
	Balance  int64
	Held     int64
}

func accountRow(ctx context.Context, db pg.DB, code, currency string) (standing, error) {
	return pg.One[standing](ctx, db, ErrAccount, `select a.code, a.currency, a.normal,
			sum(case b.normal when 'C' then b.cr - b.dr else b.dr - b.cr end)::bigint as balance, sum(b.held)::bigint as held
		from ledger.account a join ledger.balance b on b.account_id = a.id
		where a.code = $1 and a.currency = $2 group by a.id`, code, currency)
}

type transferRow struct {
	ID          int64
	Key         string
	Kind        string
	OrderID     string
	Note        string
	Actor       string
	EffectiveAt time.Time
	RecordedAt  time.Time
	Reverses    *int64
	Currency    string
	Accounts    []string
	Amounts     []int64
}

// transfers lists the newest first; before is the id to go on from, 0 for the
// start.
func transfers(ctx context.Context, db pg.DB, account, order string, before int64, limit int) ([]transferRow, error) {
	if before == 0 {
		before = 1<<63 - 1
	}
	switch {
	case order != "" && account != "":
		return pg.All[transferRow](ctx, db, `with t as (select distinct x.id from ledger.transfer x join ledger.entry e on e.transfer_id = x.id join ledger.account a on a.id = e.account_id
			where x.order_id = $4 and x.order_id <> '' and a.code = $3 and x.id < $1 order by 1 desc limit $2)`+transferLegs, before, limit, account, order)
	case order != "":
		return pg.All[transferRow](ctx, db, `with t as (select id from ledger.transfer where order_id = $3 and order_id <> '' and id < $1 order by id desc limit $2)`+transferLegs, before, limit, order)
	case account == "":
		return pg.All[transferRow](ctx, db, `with t as (select id from ledger.transfer where id < $1 order by id desc limit $2)`+transferLegs, before, limit)
	}
	return pg.All[transferRow](ctx, db, `with t as (select distinct e.transfer_id as id from ledger.entry e join ledger.account a on a.id = e.account_id
			where a.code = $3 and e.transfer_id < $1 order by 1 desc limit $2)`+transferLegs, before, limit, account)
}

const transferLegs = ` select t.id, x.key, x.kind, x.order_id, x.note, x.actor, x.effective_at, x.recorded_at, x.reverses,
		min(e.currency) as currency, array_agg(a.code order by e.leg) as accounts, array_agg(e.amount order by e.leg) as amounts
	from t join ledger.transfer x on x.id = t.id join ledger.entry e on e.transfer_id = t.id join ledger.account a on a.id = e.account_id
	group by t.id, x.id order by t.id desc`
