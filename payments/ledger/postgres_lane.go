package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

// lookAt locks accounts, then reads keys, the horizon and new ids, and looks for
// answers of before, all in one round trip. What it reads is younger than its
// locks.
func lookAt(ctx context.Context, tx *pg.Tx, cold []int64, keys, people []string, blocks int, keeps *keeping) (s sight, fresh []int64, err error) {
	b := &pgx.Batch{}
	b.Queue(`select account, free from ledger.lane_lock($1)`, cold)
	b.Queue(`select name, hash from ledger.lane_keys($1)`, keys)
	b.Queue(`select closed from ledger.horizon`)
	b.Queue(`select nextval('ledger.transfer_block') from generate_series(1, $1)`, blocks)
	if len(people) > 0 {
		b.Queue(`select person, centimes from ledger.alone where person = any($1) and day = ledger.today()`, people)
	}
	if keeps != nil {
		rest.LookFor(b, keeps.keeps)
	}
	br := tx.SendBatch(ctx, b)
	defer func() { err = errors.Join(err, br.Close()) }()
	s = sight{free: make(map[int64]int64, len(cold)), keys: make(map[string][]byte, len(keys))}
	var id, free int64
	if err := each(br, []any{&id, &free}, func() { s.free[id] = free }); err != nil {
		return s, nil, fmt.Errorf("lock accounts: %w", err)
	}
	var key string
	var hash []byte
	if err := each(br, []any{&key, &hash}, func() { s.keys[key], hash = hash, nil }); err != nil {
		return s, nil, fmt.Errorf("look for keys: %w", err)
	}
	if err := br.QueryRow().Scan(&s.closed); err != nil {
		return s, nil, fmt.Errorf("read the horizon: %w", err)
	}
	if err := each(br, []any{&id}, func() { fresh = append(fresh, id) }); err != nil {
		return s, nil, fmt.Errorf("take transfer ids: %w", err)
	}
	if len(people) > 0 {
		s.alone = make(map[string]int64, len(people))
		var person string
		if err := each(br, []any{&person, &free}, func() { s.alone[person] = free }); err != nil {
			return s, nil, fmt.Errorf("look what people have moved today: %w", err)
		}
	}
	if keeps != nil {
		keeps.found, keeps.wrong, err = rest.Found(br, keeps.keeps)
	}
	return s, fresh, err
}

// byIndex has the statements of tx that look many keys up use indexes: their plan
// is kept by the connection, perhaps since the tables were small.
func byIndex(tx *pg.Tx) { tx.Queue(`set local enable_seqscan = off`) }

// each reads the next answer of a round trip, row by row.
func each(br pgx.BatchResults, into []any, take func()) error {
	rows, err := br.Query()
	if err != nil {
		return err
	}
	_, err = pgx.ForEachRow(rows, into, func() error { take(); return nil })
	return err
}

// keysThere says which keys stand for a transfer.
func keysThere(ctx context.Context, db pg.DB, keys []string) (map[string]bool, error) {
	found, err := pg.Column[string](ctx, db, `select name from ledger.lane_keys($1)`, keys)
	there := make(map[string]bool, len(found))
	for _, k := range found {
		there[k] = true
	}
	return there, err
}

// bulkRows are the rows of many transfers, by column.
type bulkRows struct {
	ids                                []int64
	mirrors                            []*int64
	keys, kinds, orders, actors, notes []string
	hashes                             [][]byte
	counts                             []*time.Time

	transfers, accounts, amounts []int64
	legs, shards                 []int16
	currencies                   []string
	since                        []*time.Time
}

func (r *bulkRows) transfer(n int64, p *posting) {
	t := p.t
	var mirrors *int64
	if t.reverses != 0 {
		mirrors = &t.reverses
	}
	r.ids, r.keys, r.hashes, r.kinds, r.orders = append(r.ids, n), append(r.keys, t.Key), append(r.hashes, p.hash), append(r.kinds, t.Kind), append(r.orders, t.Order)
	r.counts, r.actors, r.notes, r.mirrors = append(r.counts, t.effective()), append(r.actors, p.actor), append(r.notes, t.Note), append(r.mirrors, mirrors)
}

func (r *bulkRows) entry(n int64, leg int, t Transfer, account int64, shard int16, amount int64) {
	r.transfers, r.legs, r.accounts, r.shards = append(r.transfers, n), append(r.legs, int16(leg)), append(r.accounts, account), append(r.shards, shard)
	r.currencies, r.amounts, r.since = append(r.currencies, t.Currency), append(r.amounts, amount), append(r.since, t.effective())
}

// effective is the time that was given, if one was.
func (t Transfer) effective() *time.Time {
	if t.Effective.IsZero() {
		return nil
	}
	return &t.Effective
}

// post queues the rows and the balances they make.
func (r *bulkRows) post(tx *pg.Tx, cold, hot []*change) {
	args := []any{
		r.ids, r.keys, r.hashes, r.kinds, r.orders, r.counts, r.actors, r.notes, r.mirrors,
		r.transfers, r.legs, r.accounts, r.shards, r.currencies, r.amounts, r.since,
	}
	for _, of := range [][]*change{cold, hot} {
		ids, shards := make([]int64, len(of)), make([]int16, len(of))
		dr, cr, n := make([]int64, len(of)), make([]int64, len(of)), make([]int64, len(of))
		for i, c := range of {
			ids[i], shards[i], dr[i], cr[i], n[i] = c.account, c.shard, c.dr, c.cr, c.n
		}
		args = append(args, ids)
		if len(args) > 17 {
			args = append(args, shards)
		}
		args = append(args, dr, cr, n)
	}
	tx.QueueMapped(refused, `select ledger.post_all($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25)`, args...)
}
