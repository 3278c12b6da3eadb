package policies

import (
	"context"
	"time"

	"tiwiza/pkg/pg"
)

const productColumns = `id, insurer, code, number, line, doc, digest, source, state, made_by, made_at, decided_by, decided_at, note, version`

func insertProduct(tx *pg.Tx, p Product) {
	tx.QueueMapped(func(err error) error {
		if pg.Violates(err, "product_insurer_code_number_key") {
			return ErrTwice.With(err)
		}
		return err
	}, `insert into policies.product (id, insurer, code, number, line, doc, digest, source, made_by, made_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		p.ID, p.Insurer, p.Code, p.Number, p.Line, p.Doc, p.Digest, p.Source, p.MadeBy, p.MadeAt)
}

func loadProduct(ctx context.Context, db pg.DB, id string) (Product, error) {
	return pg.One[Product](ctx, db, ErrNotFound, `select `+productColumns+` from policies.product where id = $1`, id)
}

func lockProduct(ctx context.Context, tx *pg.Tx, id string) (Product, error) {
	return pg.One[Product](ctx, tx, ErrNotFound, `select `+productColumns+` from policies.product where id = $1 for update`, id)
}

// productsOf are an insurer's, locked against others who take them in.
func productsOf(ctx context.Context, tx *pg.Tx, insurer string) ([]Product, error) {
	tx.Queue(`select pg_advisory_xact_lock(hashtextextended('products ' || $1, 0))`, insurer)
	return pg.All[Product](ctx, tx, `select `+productColumns+` from policies.product where insurer = $1 order by code, number limit 2000`, insurer)
}

func lastNumber(ctx context.Context, tx *pg.Tx, insurer, code string) (int, error) {
	tx.Queue(`select pg_advisory_xact_lock(hashtextextended('products ' || $1, 0))`, insurer)
	return pg.Value[int](ctx, tx, nil, `select coalesce(max(number), 0) from policies.product where insurer = $1 and code = $2`, insurer, code)
}

func soldOf(ctx context.Context, tx *pg.Tx, insurer, code string) ([]Product, error) {
	return pg.All[Product](ctx, tx, `select `+productColumns+` from policies.product where insurer = $1 and code = $2 and state = 'approved' for update`, insurer, code)
}

func saveProduct(tx *pg.Tx, p Product) {
	tx.QueueOne(ErrDecided, `update policies.product set state = $3, decided_by = $4, decided_at = $5, note = $6, version = version + 1 where id = $1 and version = $2`,
		p.ID, p.Version, p.State, p.DecidedBy, p.DecidedAt, p.Note)
}

// products lists those of a state and a line that somebody may see, the newest
// first.
func products(ctx context.Context, db pg.DB, insurers []string, state, line, below string, limit int) ([]Product, error) {
	return pg.All[Product](ctx, db, `select `+productColumns+` from policies.product
		where ($1::text[] is null or insurer = any($1)) and ($2 = '' or state = $2) and ($3 = '' or line = $3) and ($4 = '' or id < $4) order by id desc limit $5`, insurers, state, line, below, limit)
}

func productsBy(ctx context.Context, db pg.DB, ids []string) ([]Product, error) {
	return pg.All[Product](ctx, db, `select `+productColumns+` from policies.product where id = any($1)`, ids)
}

const quoteColumns = `id, ref, product, insurer, member, asked_by, subject, order_id, sum_insured, currency, starts, ends, state, number, premium, taxes, commission, valid_until, documents, why, asked_at, version`

func insertQuote(tx *pg.Tx, q Quote) {
	tx.Queue(`insert into policies.quote (id, ref, product, insurer, member, asked_by, subject, order_id, sum_insured, currency, starts, ends, asked_at)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
		q.ID, q.Ref, q.Product, q.Insurer, q.Member, q.AskedBy, q.Subject, q.Order, q.SumInsured, q.Currency, q.Starts, q.Ends, q.AskedAt)
}

func loadQuote(ctx context.Context, db pg.DB, id string) (Quote, error) {
	return pg.One[Quote](ctx, db, ErrNotFound, `select `+quoteColumns+` from policies.quote where id = $1`, id)
}

func lockQuote(ctx context.Context, tx *pg.Tx, id string) (Quote, error) {
	return pg.One[Quote](ctx, tx, ErrNotFound, `select `+quoteColumns+` from policies.quote where id = $1 for update`, id)
}

// quotesOf are a member's, or everybody's, the newest first.
func quotesOf(ctx context.Context, db pg.DB, member, below string, limit int) ([]Quote, error) {
	return pg.All[Quote](ctx, db, `select `+quoteColumns+` from policies.quote where ($1 = '' or member = $1) and ($2 = '' or id < $2) order by id desc limit $3`, member, below, limit)
}

func saveQuote(tx *pg.Tx, q Quote) {
	tx.QueueOne(ErrQuote, `update policies.quote set state = $3, number = $4, premium = $5, taxes = $6, commission = $7, valid_until = $8, documents = $9, why = $10, version = version + 1
		where id = $1 and version = $2`, q.ID, q.Version, q.State, q.Number, q.Premium, q.Taxes, q.Commission, q.ValidUntil, q.Documents, q.Why)
}

const policyColumns = `id, ref, quote, product, insurer, member, order_id, sum_insured, premium, commission, currency, period, first, state, why, partner_id, number, starts, ends, documents,
	consent_lang, consent_text, consent_hash, consent_by, consent_way, consent_at, cancel_ref, cancel_why, cancel_at, refund, next_due, periods, reminded, ending_told, asked_at, version`

func insertPolicy(tx *pg.Tx, p Policy) {
	tx.QueueMapped(func(err error) error {
		if pg.Violates(err, "policy_quote_key") {
			return ErrQuote.With(err)
		}
		if pg.Violates(err, "policy_parcel_once") {
			return ErrParcel.Say("This sale's parcel is insured already.").With(err)
		}
		return err
	}, `insert into policies.policy (id, ref, quote, product, insurer, member, order_id, sum_insured, premium, commission, currency, period, first, starts, ends, documents,
			consent_lang, consent_text, consent_hash, consent_by, consent_way, consent_at, asked_at)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23)`,
		p.ID, p.Ref, p.Quote, p.Product, p.Insurer, p.Member, p.Order, p.SumInsured, p.Premium, p.Commission, p.Currency, p.Period, p.First, p.Starts, p.Ends, p.Documents,
		p.ConsentLang, p.ConsentText, p.ConsentHash, p.ConsentBy, p.ConsentWay, p.ConsentAt, p.AskedAt)
}

func loadPolicy(ctx context.Context, db pg.DB, id string) (Policy, error) {
	return pg.One[Policy](ctx, db, ErrNotFound, `select `+policyColumns+` from policies.policy where id = $1`, id)
}

func lockPolicy(ctx context.Context, tx *pg.Tx, id string) (Policy, error) {
	return pg.One[Policy](ctx, tx, ErrNotFound, `select `+policyColumns+` from policies.policy where id = $1 for update`, id)
}

func policiesBy(ctx context.Context, db pg.DB, ids []string) ([]Policy, error) {
	return pg.All[Policy](ctx, db, `select `+policyColumns+` from policies.policy where id = any($1)`, ids)
}

// policyOfQuote is what was made of a quote.
func policyOfQuote(ctx context.Context, db pg.DB, quote string) (string, error) {
	return pg.Value[string](ctx, db, ErrNotFound, `select id from policies.policy where quote = $1`, quote)
}

// policyByRef is the policy that an insurer knows by a reference of ours, or by that
// of its cancelling.
func policyByRef(ctx context.Context, tx *pg.Tx, insurer, ref string) (Policy, error) {
	return pg.One[Policy](ctx, tx, ErrNotFound, `select `+policyColumns+` from policies.policy where insurer = $1 and (ref = $2 or 'C' || ref = $2) limit 1`, insurer, ref)
}

func savePolicy(tx *pg.Tx, p Policy) {
	tx.QueueOne(ErrState, `update policies.policy set state = $3, why = $4, partner_id = $5, number = $6, starts = $7, ends = $8, documents = $9, cancel_ref = $10, cancel_why = $11, cancel_at = $12,
			refund = $13, next_due = $14, periods = $15, reminded = $16, ending_told = $17, version = version + 1 where id = $1 and version = $2`,
		p.ID, p.Version, p.State, p.Why, p.PartnerID, p.Number, p.Starts, p.Ends, p.Documents, p.CancelRef, p.CancelWhy, p.CancelAt, p.Refund, p.NextDue, p.Periods, p.Reminded, p.EndingTold)
}

func policiesOf(ctx context.Context, db pg.DB, w whose, state, order, below string, limit int) ([]Policy, error) {
	return pg.All[Policy](ctx, db, `select `+policyColumns+` from policies.policy
		where ($1 = '' or member = $1) and ($2::text[] is null or insurer = any($2)) and ($3 = '' or state = $3) and ($4 = '' or order_id = $4)
			and ($5 = '' or id < $5) order by id desc limit $6`, w.Member, w.Insurers, state, order, below, limit)
}

const claimColumns = `id, ref, policy, insurer, member, event_at, kind, description, amount, currency, observation, state, why, asks, accepted, transfer, set_off, partner_id, told, filed, answer_by, made_by, made_at, version`

func insertClaim(tx *pg.Tx, c Claim) {
	tx.Queue(`insert into policies.claim (id, ref, policy, insurer, member, event_at, kind, description, amount, currency, observation, told, filed, answer_by, made_by, made_at)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)`,
		c.ID, c.Ref, c.Policy, c.Insurer, c.Member, c.EventAt, c.Kind, c.Description, c.Amount, c.Currency, c.Observation, c.Told, c.Filed, c.AnswerBy, c.MadeBy, c.MadeAt)
}

func loadClaim(ctx context.Context, db pg.DB, id string) (Claim, error) {
	return pg.One[Claim](ctx, db, ErrNotFound, `select `+claimColumns+` from policies.claim where id = $1`, id)
}

func lockClaim(ctx context.Context, tx *pg.Tx, id string) (Claim, error) {
	return pg.One[Claim](ctx, tx, ErrNotFound, `select `+claimColumns+` from policies.claim where id = $1 for update`, id)
}

func claimByRef(ctx context.Context, tx *pg.Tx, insurer, ref string) (Claim, error) {
	return pg.One[Claim](ctx, tx, ErrNotFound, `select `+claimColumns+` from policies.claim where insurer = $1 and ref = $2`, insurer, ref)
}

func saveClaim(tx *pg.Tx, c Claim) {
	tx.QueueOne(ErrState, `update policies.claim set state = $3, why = $4, asks = $5, accepted = $6, transfer = $7, set_off = $8, partner_id = $9, told = $10, filed = $11, version = version + 1
		where id = $1 and version = $2`, c.ID, c.Version, c.State, c.Why, c.Asks, c.Accepted, c.Transfer, c.SetOff, c.PartnerID, c.Told, c.Filed)
}

func claimsOf(ctx context.Context, db pg.DB, w whose, policy, state, below string, limit int) ([]Claim, error) {
	return pg.All[Claim](ctx, db, `select `+claimColumns+` from policies.claim
		where ($1 = '' or member = $1) and ($2::text[] is null or insurer = any($2)) and ($3 = '' or policy = $3) and ($4 = '' or state = $4 or $4 = 'open' and state in ('notified', 'review')) and ($5 = '' or id < $5) order by id desc limit $6`,
		w.Member, w.Insurers, policy, state, below, limit)
}

func insertEvidence(tx *pg.Tx, e Evidence) {
	tx.Queue(`insert into policies.evidence (claim, file, kind, digest, added_by, added_at) values ($1, $2, $3, $4, $5, $6)`, e.Claim, e.File, e.Kind, e.Digest, e.AddedBy, e.AddedAt)
}

func evidenceOf(ctx context.Context, db pg.DB, claims ...string) ([]Evidence, error) {
	return pg.All[Evidence](ctx, db, `select claim, file, kind, digest, added_by, added_at from policies.evidence where claim = any($1) order by claim, added_at, file`, claims)
}

func insertSource(tx *pg.Tx, name string, key []byte, by string, at time.Time) {
	tx.QueueMapped(func(err error) error {
		if pg.Violates(err, "source_pkey") {
			return ErrTwice.Say("A key of this source was entered before.")
		}
		return err
	}, `insert into policies.source (name, key, made_by, made_at) values ($1, $2, $3, $4)`, name, key, by, at)
}

func sourceKey(ctx context.Context, db pg.DB, name string) ([]byte, error) {
	return pg.Value[[]byte](ctx, db, ErrNotFound, `select key from policies.source where name = $1`, name)
}

const observationColumns = `id, ref, policy, index, source, place, period, value, signature, state, why, claim`

func insertObservation(tx *pg.Tx, o Observation, by string, at time.Time) {
	tx.QueueMapped(func(err error) error {
		if pg.Violates(err, "observation_policy_index_period_key") {
			return ErrTwice.Say("The value of this period was entered before.")
		}
		return err
	}, `insert into policies.observation (id, ref, policy, index, source, place, period, value, signature, made_by, made_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		o.ID, o.Ref, o.Policy, o.Index, o.Source, o.Place, o.Period, o.Value, o.Signature, by, at)
}

func loadObservation(ctx context.Context, db pg.DB, id string) (Observation, error) {
	return pg.One[Observation](ctx, db, ErrNotFound, `select `+observationColumns+` from policies.observation where id = $1`, id)
}

func lockObservation(ctx context.Context, tx *pg.Tx, id string) (Observation, error) {
	return pg.One[Observation](ctx, tx, ErrNotFound, `select `+observationColumns+` from policies.observation where id = $1 for update`, id)
}

func saveObservation(tx *pg.Tx, o Observation) {
	tx.QueueOne(ErrState, `update policies.observation set state = $2, why = $3, claim = $4 where id = $1`, o.ID, o.State, o.Why, o.Claim)
}

// began notes since when an errand has been under way.
func began(tx *pg.Tx, e Errand, at time.Time) {
	tx.Queue(`insert into policies.errand (subject, since) values ($1, $2) on conflict do nothing`, e.subject(), at)
}

// ended forgets an errand, and resolves the break that it was not answered.
func ended(tx *pg.Tx, e Errand, at time.Time) {
	tx.Queue(`delete from policies.errand where subject = $1`, e.subject())
	tx.Queue(`update policies.gap set state = 'resolved', resolution = 'answered', resolved_by = 'hub', resolved_at = $4
		where insurer = $1 and kind = 'no_answer' and ref = $2 and subject = $3 and state = 'open'`, e.Insurer, e.What, e.Of, at)
}

// errandSince is since when an errand has been under way that people were not told
// of yet, or nil.
func errandSince(ctx context.Context, tx *pg.Tx, e Errand) (*time.Time, error) {
	return pg.Value[*time.Time](ctx, tx, nil, `select (select since from policies.errand x where subject = $1 and not exists (
			select from policies.gap g where g.insurer = $2 and g.kind = 'no_answer' and g.ref = $3 and g.subject = $4 and g.made_at >= x.since))`,
		e.subject(), e.Insurer, e.What, e.Of)
}
