package limits

import (
	"context"
	"time"

	"tiwiza/pkg/pg"
)

const keptColumns = `id, what, ref, outcome, rules, figures, amount, open, at, cleared_by, cleared_at, note`

func decisions(ctx context.Context, db pg.DB, ref string, outcome Action, open bool, below string, limit int) ([]kept, error) {
	return pg.All[kept](ctx, db, `select `+keptColumns+` from limits.decision
		where ($1 = '' or ref = $1) and ($2 = '' or outcome = $2) and (not $3 or open) and ($4 = '' or id < $4) order by id desc limit $5`,
		ref, outcome, open, below, limit)
}

func lockDecision(ctx context.Context, tx *pg.Tx, id string) (kept, error) {
	return pg.One[kept](ctx, tx, ErrNotFound, `select `+keptColumns+` from limits.decision where id = $1 for update`, id)
}

// clearDecision writes a person's word down, and lets the orders go that waited
// for it.
func clearDecision(ctx context.Context, tx *pg.Tx, k kept) ([]string, error) {
	tx.QueueOne(ErrCleared, `update limits.decision set open = false, cleared_by = $2, cleared_at = $3, note = $4 where id = $1 and open`, k.ID, k.ClearedBy, k.ClearedAt, k.Note)
	orders, err := pg.Column[string](ctx, tx, `delete from limits.held where decision = $1 returning order_id`, k.ID)
	if orders == nil {
		orders = []string{}
	}
	return orders, err
}

// window is how long tallies are of use.
const window = 32 * 24 * time.Hour

// Forget deletes tallies that no window reaches any more, some thousands at a
// time.
func (s *Service) Forget(ctx context.Context) error {
	_, err := s.db.Exec(ctx, `delete from limits.tally where (what, per, key, at, method, shard) in (
		select what, per, key, at, method, shard from limits.tally where at < platform.now() - $1::interval limit 20000)`, window)
	return err
}
