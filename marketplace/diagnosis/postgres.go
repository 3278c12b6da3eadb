package diagnosis

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"tiwiza/pkg/pg"
)

const draftColumns = `id, questionnaire, state, version, made_by, made_at, changed_by, changed_at`

func insertDraft(tx *pg.Tx, d Draft) {
	tx.Queue(`insert into diagnosis.draft (`+draftColumns+`) values ($1, $2, $3, $4, $5, $6, $7, $8)`, d.ID, d.Questionnaire, d.State, d.Version, d.MadeBy, d.MadeAt, d.ChangedBy, d.ChangedAt)
}

// saveDraft writes a draft that was changed by one step.
func saveDraft(tx *pg.Tx, d Draft) {
	tx.QueueOne(ErrStale, `update diagnosis.draft set questionnaire = $3, state = $4, changed_by = $5, changed_at = $6, version = $2 where id = $1 and version = $2 - 1`,
		d.ID, d.Version, d.Questionnaire, d.State, d.ChangedBy, d.ChangedAt)
}

func loadDraft(ctx context.Context, db pg.DB, id string) (Draft, error) {
	return pg.One[Draft](ctx, db, ErrNotFound, `select `+draftColumns+` from diagnosis.draft where id = $1`, id)
}

func lockDraft(ctx context.Context, tx *pg.Tx, id string) (Draft, error) {
	return pg.One[Draft](ctx, tx, ErrNotFound, `select `+draftColumns+` from diagnosis.draft where id = $1 for update`, id)
}

func draftsOf(ctx context.Context, db pg.DB, below string, limit int) ([]Draft, error) {
	return pg.All[Draft](ctx, db, `select `+draftColumns+` from diagnosis.draft where ($1 = '' or id < $1) order by id desc limit $2`, below, limit)
}

const editionColumns = `code, version, state, questionnaire, draft, asked_by, published_by, published_at`

// lockCode has those who publish a questionnaire go one after the other, and gives its
// last version; 0 when there is none.
func lockCode(ctx context.Context, tx *pg.Tx, code string) (last int, err error) {
	tx.Queue(`select pg_advisory_xact_lock(hashtextextended('questionnaire ' || $1, 0))`, code)
	return pg.Value[int](ctx, tx, nil, `select coalesce(max(version), 0) from diagnosis.edition where code = $1`, code)
}

// lastEdition is a questionnaire's last version, read without a lock.
func lastEdition(ctx context.Context, db pg.DB, code string) (int, error) {
	return pg.Value[int](ctx, db, nil, `select coalesce(max(version), 0) from diagnosis.edition where code = $1`, code)
}

func insertEdition(tx *pg.Tx, e Edition) {
	tx.Queue(`update diagnosis.edition set state = 'replaced', ended_at = $2 where code = $1 and state = 'published'`, e.Code, e.PublishedAt)
	tx.Queue(`insert into diagnosis.edition (`+editionColumns+`) values ($1, $2, $3, $4, $5, $6, $7, $8)`,
		e.Code, e.Version, e.State, e.Questionnaire, e.Draft, e.AskedBy, e.PublishedBy, e.PublishedAt)
}

// editionOf is a version of a questionnaire; 0: the one in force.
func editionOf(ctx context.Context, db pg.DB, code string, version int) (Edition, error) {
	return pg.One[Edition](ctx, db, ErrNotFound, `select `+editionColumns+` from diagnosis.edition where code = $1 and ($2 = 0 and state = 'published' or version = $2)`, code, version)
}

// published lists the questionnaires in force, from above a code.
func published(ctx context.Context, db pg.DB, kind, above string, limit int) ([]Edition, error) {
	return pg.All[Edition](ctx, db, `select `+editionColumns+` from diagnosis.edition where state = 'published' and code > $2 and ($1 = '' or questionnaire -> 'kinds' ? $1) order by code limit $3`, kind, above, limit)
}

const runColumns = `r.id, r.organisation, r.kind, r.region, r.code, r.edition, r.state, r.answers, r.made_by, r.on_behalf_of, r.channel, r.made_at, r.saved_at, r.lapses_at,
	r.finished_at, r.score, r.level, r.dimensions, r.advice, r.version`

// A ran is a run with what its version of the questionnaire says, and the time when it
// was looked at.
type ran struct {
	Run
	Questionnaire Questionnaire
	Now           time.Time
}

const rans = `select ` + runColumns + `, e.questionnaire, platform.now() as now from diagnosis.run r join diagnosis.edition e on e.code = r.code and e.version = r.edition `

func loadRun(ctx context.Context, db pg.DB, id string) (ran, error) {
	return pg.One[ran](ctx, db, ErrNotFound, rans+`where r.id = $1`, id)
}

func lockRun(ctx context.Context, tx *pg.Tx, id string) (ran, error) {
	return pg.One[ran](ctx, tx, ErrNotFound, rans+`where r.id = $1 for update of r`, id)
}

// runsOf lists an organisation's runs, the newest first, from below one.
func runsOf(ctx context.Context, db pg.DB, org, code, below string, limit int) ([]ran, error) {
	return pg.All[ran](ctx, db, rans+`where r.organisation = $1 and ($2 = '' or r.code = $2) and ($3 = '' or r.id < $3) order by r.id desc limit $4`, org, code, below, limit)
}

// lockBegin has those who begin in an organisation's name go one after the other, and
// gives its last finished run of a questionnaire, if there is one.
func lockBegin(ctx context.Context, tx *pg.Tx, org, code string) ([]Run, error) {
	tx.Queue(`select pg_advisory_xact_lock(hashtextextended('diagnosis ' || $1, 0))`, org)
	return lastFinished(ctx, tx, org, code)
}

func lastFinished(ctx context.Context, db pg.DB, org, code string) ([]Run, error) {
	return pg.All[Run](ctx, db, `select `+runColumns+` from diagnosis.run r where r.organisation = $1 and r.code = $2 and r.state = 'finished' order by r.finished_at desc, r.id desc limit 1`, org, code)
}

func insertRun(tx *pg.Tx, r Run) {
	tx.QueueMapped(func(err error) error {
		if pg.Violates(err, "run_open") {
			return ErrOpen
		}
		return err
	}, `insert into diagnosis.run (id, organisation, kind, region, code, edition, answers, made_by, on_behalf_of, channel, made_at, saved_at, lapses_at)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
		r.ID, r.Organisation, r.Kind, r.Region, r.Code, r.Edition, r.Answers, r.MadeBy, r.OnBehalfOf, r.Channel, r.MadeAt, r.SavedAt, r.LapsesAt)
}

// saveRun writes a run that was changed by one step and goes on, or was given up.
func saveRun(tx *pg.Tx, r Run) {
	tx.QueueOne(ErrStale, `update diagnosis.run set state = $3, answers = $4, saved_at = $5, lapses_at = $6, version = $2 where id = $1 and version = $2 - 1`, r.ID, r.Version, r.State, r.Answers, r.SavedAt, r.LapsesAt)
}

// finishRun writes a run that was finished.
func finishRun(tx *pg.Tx, r Run) {
	tx.QueueOne(ErrStale, `update diagnosis.run set state = $3, answers = $4, finished_at = $5, score = $6, level = $7, dimensions = $8, advice = $9, version = $2 where id = $1 and version = $2 - 1`,
		r.ID, r.Version, r.State, r.Answers, r.FinishedAt, r.Score, r.Level, r.Dimensions, r.Advice)
}

// A beside is what is shown beside a run: where it stands in the dossier, and the run
// that was finished before it.
type beside struct {
	shared []Shared
	before []Run
}

// readBeside reads it in one round trip.
func readBeside(r Run, out *beside) []pg.Read {
	return []pg.Read{
		read(&out.shared, `select run, organisation, code, finished_at, item, version, shared_by, shared_at from diagnosis.shared where run = $1 order by shared_at desc, version desc limit 1`, r.ID),
		read(&out.before, `select `+runColumns+` from diagnosis.run r where r.organisation = $1 and r.code = $2 and r.state = 'finished' and r.finished_at < $3 order by r.finished_at desc, r.id desc limit 1`,
			r.Organisation, r.Code, r.FinishedAt),
	}
}

func read[T any](out *[]T, sql string, args ...any) pg.Read {
	return func(b *pgx.Batch) {
		b.Queue(sql, args...).Query(func(rows pgx.Rows) (err error) {
			*out, err = pgx.CollectRows(rows, pgx.RowToStructByName[T])
			return err
		})
	}
}

// lastShared has those who put results into a dossier go one after the other, and is
// what was put there last.
func lastShared(ctx context.Context, tx *pg.Tx, org, code string) ([]Shared, error) {
	tx.Queue(`select pg_advisory_xact_lock(hashtextextended('diagnosis ' || $1, 0))`, org)
	return pg.All[Shared](ctx, tx, `select run, organisation, code, finished_at, item, version, shared_by, shared_at from diagnosis.shared where organisation = $1 and code = $2 order by shared_at desc, version desc limit 1`, org, code)
}

func insertShared(tx *pg.Tx, s Shared) {
	tx.Queue(`insert into diagnosis.shared (run, organisation, code, finished_at, item, version, shared_by, shared_at) values ($1, $2, $3, $4, $5, $6, $7, $8)`,
		s.Run, s.Organisation, s.Code, s.FinishedAt, s.Item, s.Version, s.SharedBy, s.SharedAt)
}

func figures(ctx context.Context, db pg.DB, code string, edition int) ([]figure, error) {
	return pg.All[figure](ctx, db, `select kind, region, dimension, organisations, low, median, high from diagnosis.figures($1, $2)`, code, edition)
}
