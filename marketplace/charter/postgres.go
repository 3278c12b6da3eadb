package charter

import (
	"context"
	"time"

	"tiwiza/pkg/pg"
)

const draftColumns = `id, since, last_day, texts, policy, state, version, made_by, made_at, changed_by, changed_at`

func insertDraft(tx *pg.Tx, d Draft) {
	tx.Queue(`insert into charter.draft (`+draftColumns+`) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		d.ID, d.Since, d.LastDay, d.Texts, d.Policy, d.State, d.Version, d.MadeBy, d.MadeAt, d.ChangedBy, d.ChangedAt)
}

// saveDraft writes a draft that was changed by one step.
func saveDraft(tx *pg.Tx, d Draft) {
	tx.QueueOne(ErrRaced, `update charter.draft set since = $3, last_day = $4, texts = $5, policy = $6, state = $7, changed_by = $8, changed_at = $9, version = $2
		where id = $1 and version = $2 - 1`, d.ID, d.Version, d.Since, d.LastDay, d.Texts, d.Policy, d.State, d.ChangedBy, d.ChangedAt)
}

func loadDraft(ctx context.Context, db pg.DB, id string) (Draft, error) {
	return pg.One[Draft](ctx, db, ErrNotFound, `select `+draftColumns+` from charter.draft where id = $1`, id)
}

func lockDraft(ctx context.Context, tx *pg.Tx, id string) (Draft, error) {
	return pg.One[Draft](ctx, tx, ErrNotFound, `select `+draftColumns+` from charter.draft where id = $1 for update`, id)
}

func draftsOf(ctx context.Context, db pg.DB, below string, limit int) ([]Draft, error) {
	return pg.All[Draft](ctx, db, `select `+draftColumns+` from charter.draft where ($1 = '' or id < $1) order by id desc limit $2`, below, limit)
}

const versionColumns = `number, since, last_day, titles, bodies, sounds, recordings, policy, rules, digest, draft, asked_by, published_by, published_at`

func insertVersion(tx *pg.Tx, v Version) {
	tx.QueueMapped(func(err error) error {
		if pg.Violates(err, "version_pkey") || pg.Violates(err, "version_follows") {
			return ErrRaced.With(err)
		}
		return err
	}, `insert into charter.version (`+versionColumns+`) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
		v.Number, v.Since, v.LastDay, v.Titles, v.Bodies, v.Sounds, v.Recordings, v.Policy, v.Rules, v.Digest, v.Draft, v.AskedBy, v.PublishedBy, v.PublishedAt)
}

func loadVersion(ctx context.Context, db pg.DB, number int) (Version, error) {
	return pg.One[Version](ctx, db, ErrNotFound, `select `+versionColumns+` from charter.version where number = $1`, number)
}

// inForce is the newest version that holds on a day, or ErrNone.
func inForce(ctx context.Context, db pg.DB, day time.Time) (Version, error) {
	return pg.One[Version](ctx, db, ErrNone, `select `+versionColumns+` from charter.version where since <= $1 order by number desc limit 1`, day)
}

func versionsOf(ctx context.Context, db pg.DB, below, limit int) ([]Version, error) {
	return pg.All[Version](ctx, db, `select `+versionColumns+` from charter.version where ($1 = 0 or number < $1) order by number desc limit $2`, below, limit)
}

// A tip is the newest version.
type tip struct {
	Number int
	Since  time.Time
}

func newest(ctx context.Context, db pg.DB) (tip, error) {
	return pg.One[tip](ctx, db, nil, `select coalesce(max(number), 0) as number, coalesce(max(since), '2000-01-01'::date) as since from charter.version`)
}

func rulesOf(ctx context.Context, db pg.DB, number int) (string, error) {
	return pg.Value[string](ctx, db, ErrNotFound, `select policy from charter.version where number = $1`, number)
}

const signatureColumns = `id, organisation, version, digest, lang, method, proof, person, agent, paper, signer, at`

func insertSignature(tx *pg.Tx, s Signature) {
	tx.QueueMapped(func(err error) error {
		if pg.Violates(err, "signature_once") {
			return ErrRaced.With(err)
		}
		return err
	}, `insert into charter.signature (`+signatureColumns+`) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
		s.ID, s.Organisation, s.Version, s.Digest, s.Lang, s.Method, s.Proof, s.Person, s.Agent, s.Paper, s.Signer, s.At)
}

// signed is an organisation's signature of a version, if there is one.
func signed(ctx context.Context, db pg.DB, org string, version int) ([]Signature, error) {
	return pg.All[Signature](ctx, db, `select `+signatureColumns+` from charter.signature where organisation = $1 and version = $2`, org, version)
}

func signaturesOf(ctx context.Context, db pg.DB, org string, below, limit int) ([]Signature, error) {
	return pg.All[Signature](ctx, db, `select `+signatureColumns+` from charter.signature where organisation = $1 and ($2 = 0 or version < $2) order by version desc limit $3`, org, below, limit)
}

const paperColumns = `id, organisation, version, digest, lang, signer, signed_on, file, state, entered_by, entered_at, decided_by, decided_at, note`

func insertPaper(tx *pg.Tx, p Paper) {
	tx.QueueMapped(func(err error) error {
		if pg.Violates(err, "paper_waits_once") {
			return ErrState.Say("A paper of this organisation waits already; decide on that one first.")
		}
		return err
	}, `insert into charter.paper (`+paperColumns+`) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
		p.ID, p.Organisation, p.Version, p.Digest, p.Lang, p.Signer, p.SignedOn, p.File, p.State, p.EnteredBy, p.EnteredAt, p.DecidedBy, p.DecidedAt, p.Note)
}

func savePaper(tx *pg.Tx, p Paper) {
	tx.QueueOne(ErrState, `update charter.paper set state = $2, decided_by = $3, decided_at = $4, note = $5 where id = $1 and state = 'waiting'`,
		p.ID, p.State, p.DecidedBy, p.DecidedAt, p.Note)
}

func loadPaper(ctx context.Context, db pg.DB, id string) (Paper, error) {
	return pg.One[Paper](ctx, db, ErrNotFound, `select `+paperColumns+` from charter.paper where id = $1`, id)
}

func waitingPapers(ctx context.Context, db pg.DB, above string, limit int) ([]Paper, error) {
	return pg.All[Paper](ctx, db, `select `+paperColumns+` from charter.paper where state = 'waiting' and id > $1 order by id limit $2`, above, limit)
}

// A round is how far a step of a version has come.
type round struct {
	Version int
	Step    Step
	Due     time.Time
	After   string
	Touched int
	DoneAt  *time.Time
}

func insertRound(tx *pg.Tx, version int, t turn) {
	tx.Queue(`insert into charter.round (version, step, due) values ($1, $2, $3)`, version, t.Step, t.Due)
}

func lockRound(ctx context.Context, tx *pg.Tx, version int, step Step) (round, error) {
	return pg.One[round](ctx, tx, ErrNotFound, `select version, step, due, after, touched, done_at from charter.round where version = $1 and step = $2 for update`, version, step)
}

func saveRound(tx *pg.Tx, r round) {
	tx.Queue(`update charter.round set after = $3, touched = $4, done_at = $5 where version = $1 and step = $2`, r.Version, r.Step, r.After, r.Touched, r.DoneAt)
}
