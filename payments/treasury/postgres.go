package treasury

import (
	"context"
	"time"

	"tiwiza/pkg/pg"
)

const columns = `id, kind, bank, ref, currency, amount, day, state, by, why, late, version, created_at, changed_at`

// lockMoves has movements decided one after the other.
func lockMoves(ctx context.Context, tx *pg.Tx) error {
	_, err := tx.Exec(ctx, `select pg_advisory_xact_lock(hashtextextended('treasury', 0))`)
	return err
}

func insert(tx *pg.Tx, m Move) {
	tx.Queue(`insert into treasury.move (id, kind, bank, ref, currency, amount, day, by, created_at, changed_at)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)`, m.ID, m.Kind, m.Bank, m.Ref, m.Currency, m.Amount, m.Day, m.By, m.CreatedAt)
}

func load(ctx context.Context, db pg.DB, id string) (Move, error) {
	return pg.One[Move](ctx, db, ErrNotFound, `select `+columns+` from treasury.move where id = $1`, id)
}

func lock(ctx context.Context, tx *pg.Tx, id string) (Move, error) {
	return pg.One[Move](ctx, tx, ErrNotFound, `select `+columns+` from treasury.move where id = $1 for update`, id)
}

func save(tx *pg.Tx, m Move) {
	tx.QueueOne(ErrState, `update treasury.move set state = $3, why = left($4, 500), late = $5, changed_at = $6, version = version + 1 where id = $1 and version = $2`,
		m.ID, m.Version, m.State, m.Why, m.Late, m.ChangedAt)
}

type asked struct {
	Bank  int64 // of a kind at a bank
	Whole int64 // of a kind at all banks
}

// open adds up the movements of a kind on their way.
func open(ctx context.Context, tx *pg.Tx, kind Kind, bank, currency string) (asked, error) {
	return pg.One[asked](ctx, tx, ErrNotFound, `select coalesce(sum(amount) filter (where bank = $2), 0)::bigint as bank, coalesce(sum(amount), 0)::bigint as whole
		from treasury.move where kind = $1 and currency = $3 and state = 'open'`, kind, bank, currency)
}

// toppedUp says whether a day has had its top-up.
func toppedUp(ctx context.Context, tx *pg.Tx, bank, currency string, day time.Time) (bool, error) {
	return pg.Value[bool](ctx, tx, nil, `select exists (select from treasury.move where kind = 'top_up' and bank = $1 and currency = $2 and day = $3 and state in ('open', 'done') and not late)`,
		bank, currency, day)
}

// list pages through movements, newest first.
func list(ctx context.Context, db pg.DB, kind, before string, limit int) ([]Move, error) {
	return pg.All[Move](ctx, db, `select `+columns+` from treasury.move
		where ($1 = '' or kind = $1) and ($2 = '' or substr(id, 5) < substr($2, 5)) order by substr(id, 5) desc limit $3`, kind, before, limit)
}

const haltColumns = `id, reason, on_by, on_at, off_by, off_at`

func halted(ctx context.Context, db pg.DB) (bool, error) {
	return pg.Value[bool](ctx, db, nil, `select exists (select from treasury.halt where off_at is null)`)
}

func openHalt(ctx context.Context, db pg.DB) (Halt, error) {
	return pg.One[Halt](ctx, db, ErrRunning, `select `+haltColumns+` from treasury.halt where off_at is null`)
}

// insertHalt halts payments and says whether they were not halted before.
func insertHalt(ctx context.Context, tx *pg.Tx, h Halt) (bool, error) {
	tag, err := tx.Exec(ctx, `insert into treasury.halt (id, reason, on_by, on_at) values ($1, $2, $3, $4) on conflict ((true)) where off_at is null do nothing`,
		h.ID, h.Reason, h.OnBy, h.OnAt)
	return tag.RowsAffected() == 1, err
}

func endHalt(tx *pg.Tx, id, by string, at time.Time) {
	tx.QueueOne(ErrRunning, `update treasury.halt set off_by = $2, off_at = $3 where id = $1 and off_at is null`, id, by, at)
}
