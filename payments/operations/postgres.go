package operations

import (
	"context"
	"time"

	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pg"
)

const columns = `id, subject, kind, connector, ref, amount, currency, request, file, state, sent_at, lease_until, resend_until,
	partner_id, inquiries, absences, absent_at, why, version, created_at, changed_at,
	tries, gone, first_sent_at, proof, contradicted_at, paged`

func insert(tx *pg.Tx, o Operation) {
	tx.Queue(`insert into operations.operation (id, subject, kind, connector, ref, amount, currency, request, state, sent_at, lease_until, resend_until, tries, gone, first_sent_at)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`,
		o.ID, o.Subject, o.Kind, o.Connector, o.Ref, o.Amount, o.Currency, o.Request, o.State, o.SentAt, o.LeaseUntil, o.ResendUntil,
		o.Tries, o.Gone, o.FirstSentAt)
}

// insertIntents is insert of many that wait to be sent.
func insertIntents(tx *pg.Tx, all []Operation) {
	var ids, subjects, kinds, connectors, refs, currencies []string
	var amounts []int64
	var requests [][]byte
	var until []time.Time
	for _, o := range all {
		ids, subjects, kinds, connectors = append(ids, o.ID), append(subjects, o.Subject), append(kinds, o.Kind), append(connectors, o.Connector)
		refs, amounts, currencies = append(refs, o.Ref), append(amounts, o.Amount), append(currencies, o.Currency)
		requests, until = append(requests, o.Request), append(until, o.ResendUntil)
	}
	tx.Queue(`insert into operations.operation (id, subject, kind, connector, ref, amount, currency, request, resend_until, state)
		select *, 'intent' from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::text[], $8::bytea[], $9::timestamptz[])`,
		ids, subjects, kinds, connectors, refs, amounts, currencies, requests, until)
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

// intents locks the operations of some kinds that wait to be sent, those that
// have a file already first, passing over those that another hub is sending.
func intents(ctx context.Context, tx *pg.Tx, connector string, kinds []string, limit int) ([]Operation, error) {
	return pg.All[Operation](ctx, tx, `select `+columns+` from operations.operation
		where connector = $1 and kind = any($2) and state = 'intent' order by file desc, id limit $3 for update skip locked`, connector, kinds, limit)
}

func waiting(ctx context.Context, tx *pg.Tx, connector string, since time.Time, kinds []string) (bool, error) {
	return pg.Value[bool](ctx, tx, nil, `select exists (select from operations.operation
		where connector = $1 and kind = any($2) and state = 'intent' and changed_at <= $3)`, connector, kinds, since)
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
	return pg.All[Operation](ctx, db, `select `+columns+` from operations.operation where file = $1 and file <> '' order by id`, file)
}

func ofSubject(ctx context.Context, db pg.DB, subject string) ([]Operation, error) {
	return pg.All[Operation](ctx, db, `select `+columns+` from operations.operation where subject = $1 order by id`, subject)
}

// list pages through operations, newest first; state "" lists all, before ""
// starts at the newest. What is rare is found by an index of its own.
func list(ctx context.Context, db pg.DB, state, subject, before string, limit int) ([]Operation, error) {
	const page = ` and ($1 = '' or id < $1) order by id desc limit $2`
	if subject != "" {
		return pg.All[Operation](ctx, db, `select `+columns+` from operations.operation where subject = $3`+page, before, limit, subject)
	}
	switch state {
	case "":
		return pg.All[Operation](ctx, db, `select `+columns+` from operations.operation where true`+page, before, limit)
	case "contradicted":
		return pg.All[Operation](ctx, db, `select `+columns+` from operations.operation where contradicted_at is not null`+page, before, limit)
	}
	return pg.All[Operation](ctx, db, `select `+columns+` from operations.operation where state = $3`+page, before, limit, state)
}

func save(tx *pg.Tx, o Operation) {
	tx.QueueOne(pg.ErrBusy, `update operations.operation set file = $3, state = $4, sent_at = $5, lease_until = $6, partner_id = $7,
			inquiries = $8, absences = $9, absent_at = $10, why = left($11, 500), changed_at = $12, resend_until = $13,
			tries = $14, gone = $15, first_sent_at = $16, proof = $17, contradicted_at = $18, paged = $19, version = version + 1
		where id = $1 and version = $2`,
		o.ID, o.Version, o.File, o.State, o.SentAt, o.LeaseUntil, o.PartnerID, o.Inquiries, o.Absences, o.AbsentAt, o.Why, o.ChangedAt,
		o.ResendUntil, o.Tries, o.Gone, o.FirstSentAt, o.Proof, o.ContradictedAt, o.Paged)
}

// keep stores evidence and says whether it is new.
func keep(ctx context.Context, tx *pg.Tx, o Operation, from Source, r outbound.Result, eventID string) (bool, error) {
	tag, err := tx.Exec(ctx, `insert into operations.evidence (operation, connector, source, event_id, outcome, code, said, raw)
		values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (connector, event_id) do nothing`,
		o.ID, o.Connector, from, eventID, r.Outcome, r.Code, r.Text, nonNil(r.Evidence))
	return tag.RowsAffected() == 1, err
}

// certify replaces what a connector has proved.
func certify(tx *pg.Tx, connector string, proved []Certificate) {
	kinds := make([]string, len(proved))
	for i, c := range proved {
		kinds[i] = c.Kind
		tx.Queue(`insert into operations.certificate as c (connector, kind, proof, remembers_s) values ($1, $2, $3, $4)
			on conflict (connector, kind) do update set proof = excluded.proof, remembers_s = excluded.remembers_s, at = excluded.at
			where (c.proof, c.remembers_s) <> (excluded.proof, excluded.remembers_s)`, connector, c.Kind, c.Proof, int64(c.Remembers.Seconds()))
	}
	tx.Queue(`delete from operations.certificate where connector = $1 and kind <> all ($2)`, connector, kinds)
}

func certified(ctx context.Context, tx *pg.Tx, connector, kind string) (time.Duration, error) {
	s, err := pg.Value[int64](ctx, tx, errNoCertificate, `select remembers_s from operations.certificate where connector = $1 and kind = $2`, connector, kind)
	return time.Duration(s) * time.Second, err
}

func insertFinding(tx *pg.Tx, f Finding) {
	tx.Queue(`insert into operations.review (hash, operation, version, decision, evidence, reference, sha256, by, at)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict (hash) do nothing`,
		f.Hash, f.Operation, f.Version, f.Decision, f.Evidence, f.Reference, f.SHA256, f.By, f.At)
}

func findingOf(ctx context.Context, tx *pg.Tx, hash []byte) (Finding, error) {
	return pg.One[Finding](ctx, tx, ErrNotFound,
		`select hash, operation, version, decision, evidence, reference, sha256, by, at from operations.review where hash = $1`, hash)
}

func evidenceOf(ctx context.Context, db pg.DB, opID string) ([]EvidenceView, error) {
	return pg.All[EvidenceView](ctx, db, `select source, outcome, code, said, at from operations.evidence where operation = $1 order by seq`, opID)
}

// figuresOf counts what is open. The oldest in doubt counts from when it may
// first have left us.
func figuresOf(ctx context.Context, db pg.DB) (f Figures, err error) {
	type count struct {
		State State
		N     int64
	}
	rows, err := pg.All[count](ctx, db, `select state, count(*) as n from operations.operation
		where state in ('intent', 'sending', 'accepted', 'unknown', 'review') group by state`)
	if err != nil {
		return f, err
	}
	f.Open = map[State]int64{}
	for _, r := range rows {
		f.Open[r.State] = r.N
	}
	if f.Contradicted, err = pg.Value[int64](ctx, db, nil, `select count(*) from operations.operation where contradicted_at is not null`); err != nil {
		return f, err
	}
	seconds, err := pg.Value[int64](ctx, db, nil, `select coalesce(ceil(extract(epoch from platform.now() - min(first_sent_at))), 0)::bigint
		from operations.operation where state in ('sending', 'unknown', 'review')`)
	f.Oldest = time.Duration(seconds) * time.Second
	return f, err
}

func nonNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}
