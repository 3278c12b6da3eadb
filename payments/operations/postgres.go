package operations

import (
	"context"

	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pg"
)

const columns = `id, subject, kind, connector, ref, amount, currency, request, file, state, sent_at, lease_until, resend_until,
	partner_id, inquiries, absences, absent_at, why, version, created_at, changed_at`

func insert(tx *pg.Tx, o Operation) {
	tx.Queue(`insert into operations.operation (id, subject, kind, connector, ref, amount, currency, request, state, sent_at, lease_until, resend_until)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
		o.ID, o.Subject, o.Kind, o.Connector, o.Ref, o.Amount, o.Currency, o.Request, o.State, o.SentAt, o.LeaseUntil, o.ResendUntil)
}

func load(ctx context.Context, db pg.DB, id string) (Operation, error) {
	return pg.One[Operation](ctx, db, ErrNotFound, `select `+columns+` from operations.operation where id = $1`, id)
}

func lock(ctx context.Context, tx *pg.Tx, id string) (Operation, error) {
	return pg.One[Operation](ctx, tx, ErrNotFound, `select `+columns+` from operations.operation where id = $1 for update`, id)
}

func lockByRef(ctx context.Context, tx *pg.Tx, connector, ref string) (Operation, error) {
	return pg.One[Operation](ctx, tx, ErrNotFound,
		`select `+columns+` from operations.operation where connector = $1 and ref = $2 for update`, connector, ref)
}

// intents locks the operations of a kind that wait to be sent, those that have
// a file already first, passing over those that another hub is sending.
func intents(ctx context.Context, tx *pg.Tx, connector, kind string, limit int) ([]Operation, error) {
	return pg.All[Operation](ctx, tx, `select `+columns+` from operations.operation
		where connector = $1 and kind = $2 and state = 'intent' order by file desc, id limit $3 for update skip locked`, connector, kind, limit)
}

func waiting(ctx context.Context, tx *pg.Tx, connector, kind string) (bool, error) {
	return pg.Value[bool](ctx, tx, nil, `select exists (select from operations.operation where connector = $1 and kind = $2 and state = 'intent')`, connector, kind)
}

func shown(ctx context.Context, db pg.DB, opID string) (bool, error) {
	return pg.Value[bool](ctx, db, nil, `select exists (select from operations.evidence
		where operation = $1 and source = 'statement' and outcome = 'succeeded')`, opID)
}

func told(ctx context.Context, db pg.DB, opID string) (bool, error) {
	return pg.Value[bool](ctx, db, nil, `select exists (select from operations.evidence
		where operation = $1 and source = 'callback' and outcome = 'accepted')`, opID)
}

func ofFile(ctx context.Context, db pg.DB, file string) ([]Operation, error) {
	return pg.All[Operation](ctx, db, `select `+columns+` from operations.operation where file = $1 order by id`, file)
}

func ofSubject(ctx context.Context, db pg.DB, subject string) ([]Operation, error) {
	return pg.All[Operation](ctx, db, `select `+columns+` from operations.operation where subject = $1 order by id`, subject)
}

// list pages through operations, newest first; state "" lists all, before ""
// starts at the newest.
func list(ctx context.Context, db pg.DB, state, before string, limit int) ([]Operation, error) {
	return pg.All[Operation](ctx, db, `select `+columns+` from operations.operation
		where ($1 = '' or state = $1) and ($2 = '' or id < $2) order by id desc limit $3`, state, before, limit)
}

func save(tx *pg.Tx, o Operation) {
	tx.QueueOne(pg.ErrBusy, `update operations.operation set file = $3, state = $4, sent_at = $5, lease_until = $6, partner_id = $7,
			inquiries = $8, absences = $9, absent_at = $10, why = left($11, 500), changed_at = $12, version = version + 1
		where id = $1 and version = $2`,
		o.ID, o.Version, o.File, o.State, o.SentAt, o.LeaseUntil, o.PartnerID, o.Inquiries, o.Absences, o.AbsentAt, o.Why, o.ChangedAt)
}

// keep stores evidence and says whether it is new.
func keep(ctx context.Context, tx *pg.Tx, o Operation, from Source, r outbound.Result, eventID string) (bool, error) {
	tag, err := tx.Exec(ctx, `insert into operations.evidence (operation, connector, source, event_id, outcome, code, said, raw)
		values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (connector, event_id) do nothing`,
		o.ID, o.Connector, from, eventID, r.Outcome, r.Code, r.Text, nonNil(r.Evidence))
	return tag.RowsAffected() == 1, err
}

func nonNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}
