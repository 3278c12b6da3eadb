package disputes

import (
	"context"

	"tiwiza/pkg/pg"
)

const columns = `id, order_id, seller, buyer, charge, currency, reason, wish, text, state, opened_by, opened_at, deadline, reply, replied_at,
	proposal, back, release, refund, ruling, ruled_by, resolved_at, version`

func insert(tx *pg.Tx, d Dispute) {
	tx.Queue(`insert into disputes.dispute (id, order_id, seller, buyer, charge, currency, reason, wish, text, state, opened_by, opened_at, deadline)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
		d.ID, d.Order, d.Seller, d.Buyer, d.Charge, d.Currency, d.Reason, d.Wish, d.Text, d.State, d.OpenedBy, d.OpenedAt, d.Deadline)
}

// save keeps a dispute, and returns it as it is kept.
func save(tx *pg.Tx, d Dispute) Dispute {
	tx.QueueOne(ErrState, `update disputes.dispute set state = $3, deadline = $4, reply = $5, replied_at = $6, proposal = $7, back = $8, release = $9,
			refund = $10, ruling = $11, ruled_by = $12, resolved_at = $13, version = version + 1
		where id = $1 and version = $2`, d.ID, d.Version, d.State, d.Deadline, d.Reply, d.RepliedAt, d.Proposal, d.Back, d.Release,
		d.Refund, d.Ruling, d.RuledBy, d.ResolvedAt)
	d.Version++
	return d
}

func load(ctx context.Context, db pg.DB, id string) (Dispute, error) {
	return pg.One[Dispute](ctx, db, ErrNotFound, `select `+columns+` from disputes.dispute where id = $1`, id)
}

func lock(ctx context.Context, tx *pg.Tx, id string) (Dispute, error) {
	return pg.One[Dispute](ctx, tx, ErrNotFound, `select `+columns+` from disputes.dispute where id = $1 for update`, id)
}

func openOf(ctx context.Context, tx *pg.Tx, order string) (Dispute, error) {
	return pg.One[Dispute](ctx, tx, ErrNotFound, `select `+columns+` from disputes.dispute where order_id = $1 and state <> 'resolved' for update`, order)
}

// list lists disputes, the newest first, from below an id on. "" for a party or
// a state means any.
func list(ctx context.Context, db pg.DB, seller string, buyers []string, state, below string, limit int) ([]Dispute, error) {
	return pg.All[Dispute](ctx, db, `select `+columns+` from disputes.dispute
		where ($1 = '' or seller = $1) and ($2::text[] is null or buyer = any($2)) and ($3 = '' or state = $3) and ($4 = '' or id < $4)
		order by id desc limit $5`, seller, buyers, state, below, limit)
}

func waiting(ctx context.Context, db pg.DB) (int, error) {
	return pg.Value[int](ctx, db, nil, `select count(*)::int from (select from disputes.dispute where state in ('answered', 'mediation') limit 100) w`)
}
