package procedures

import (
	"context"

	"github.com/jackc/pgx/v5"

	"tiwiza/pkg/pg"
)

const editionColumns = `e.procedure, e.version, p.institution, e.state, e.definition, e.made_by, e.made_at`

const editions = ` from procedures.edition e join procedures.procedure p on p.id = e.procedure `

func published(ctx context.Context, db pg.DB, procedure string) (Edition, error) {
	all, err := pg.All[Edition](ctx, db, `select `+editionColumns+editions+`where e.procedure = $1 order by e.version desc limit 1`, procedure)
	switch {
	case err != nil:
		return Edition{}, err
	case len(all) == 0:
		return Edition{}, ErrNotFound
	case all[0].State != "published":
		return Edition{}, ErrGone
	}
	return all[0], nil
}

func editionOf(ctx context.Context, db pg.DB, procedure string, version int) (Edition, error) {
	return pg.One[Edition](ctx, db, ErrNotFound, `select `+editionColumns+editions+`where e.procedure = $1 and ($2 = 0 or e.version = $2) order by e.version desc limit 1`, procedure, version)
}

func listEditions(ctx context.Context, db pg.DB, in ProceduresInput, after string) ([]Edition, error) {
	var w pg.Where
	w.And(in.Institution != "", "p.institution =", in.Institution)
	w.And(in.Code != "", "p.code =", in.Code)
	w.And(after != "", "e.procedure >", after)
	if in.Kind != "" {
		w.And(true, "e.definition -> 'kinds' ?", in.Kind)
	}
	return pg.All[Edition](ctx, db, `select `+editionColumns+editions+`where e.state = 'published' and `+w.String()+` order by e.procedure limit `+w.Arg(in.Limit+1), w.Args()...)
}

// lockProcedure has those who publish for an institution go one after the other,
// and finds the procedure of a code with its last version; "" when there is none.
func lockProcedure(ctx context.Context, tx *pg.Tx, org, code string) (id string, last int, err error) {
	tx.Queue(`select pg_advisory_xact_lock(hashtextextended('procedures ' || $1, 0))`, org)
	type row struct {
		ID   string
		Last int
	}
	all, err := pg.All[row](ctx, tx, `select p.id, coalesce((select max(e.version) from procedures.edition e where e.procedure = p.id), 0) as last
		from procedures.procedure p where p.institution = $1 and p.code = $2`, org, code)
	if err != nil || len(all) == 0 {
		return "", 0, err
	}
	return all[0].ID, all[0].Last, nil
}

func insertProcedure(tx *pg.Tx, id, org, code, by string) {
	tx.Queue(`insert into procedures.procedure (id, institution, code, made_by, made_at) values ($1, $2, $3, $4, $5)`, id, org, code, by, tx.Now())
}

func insertEdition(tx *pg.Tx, e Edition) {
	tx.Queue(`insert into procedures.edition (procedure, version, definition, made_by, made_at) values ($1, $2, $3, $4, $5)`, e.Procedure, e.Version, e.Definition, e.MadeBy, e.MadeAt)
}

func endEdition(tx *pg.Tx, procedure, state string) {
	tx.Queue(`update procedures.edition set state = $2, ended_at = $3 where procedure = $1 and state = 'published'`, procedure, state, tx.Now())
}

const caseColumns = `c.id, c.procedure, c.edition, c.institution, c.holder, c.desk, c.applicant, c.region, c.state, c.step, c.answers, c.officer, c.due, c.examine_by, c.asked_at,
	c.submitted_at, c.examined_at, c.decided_at, c.outcome, c.made_by, c.made_at, c.moved_at, c.version, c.stranded_at`

// A filed is a case with what its version of the procedure says.
type filed struct {
	Case
	Definition Definition
}

const filedCases = `select ` + caseColumns + `, e.definition from procedures.case_file c join procedures.edition e on e.procedure = c.procedure and e.version = c.edition `

func lock(ctx context.Context, tx *pg.Tx, id string) (Case, Definition, error) {
	f, err := pg.One[filed](ctx, tx, ErrNotFound, filedCases+`where c.id = $1 for update of c`, id)
	return f.Case, f.Definition, err
}

func load(ctx context.Context, db pg.DB, id string) (Case, Definition, error) {
	f, err := pg.One[filed](ctx, db, ErrNotFound, filedCases+`where c.id = $1`, id)
	return f.Case, f.Definition, err
}

func insertCase(tx *pg.Tx, c Case) {
	tx.Queue(`insert into procedures.case_file (id, procedure, edition, institution, holder, applicant, region, state, answers, due, made_by, made_at, moved_at)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
		c.ID, c.Procedure, c.Edition, c.Institution, c.Holder, c.Applicant, c.Region, c.State, c.Answers, c.Due, c.MadeBy, c.MadeAt, c.MovedAt)
}

// save writes a case that was moved by one step.
func save(tx *pg.Tx, c Case) {
	tx.QueueOne(ErrStale, `update procedures.case_file set holder = $3, desk = $4, state = $5, step = $6, answers = $7, officer = $8, due = $9, examine_by = $10, asked_at = $11,
			submitted_at = $12, examined_at = $13, decided_at = $14, outcome = $15, moved_at = $16, institution = $17, stranded_at = $18, version = $2 where id = $1 and version = $2 - 1`,
		c.ID, c.Version, c.Holder, c.Desk, c.State, c.Step, c.Answers, c.Officer, c.Due, c.ExamineBy, c.AskedAt, c.SubmittedAt, c.ExaminedAt, c.DecidedAt, c.Outcome, c.MovedAt, c.Institution, c.StrandedAt)
}

// underWay are the states in which a case stands still while its institution is away.
const underWay = `state in ('fee_due', 'submitted', 'examining', 'asked', 'in_transit', 'seconding', 'appealed')`

// holders are the institutions that have cases under way, or to which some come.
func holders(ctx context.Context, tx *pg.Tx) ([]string, error) {
	return pg.Column[string](ctx, tx, `select holder from procedures.case_file where `+underWay+` union select desk from procedures.case_file where state = 'in_transit'`)
}

// lockAffected has those who follow an institution's state go one after the other, and
// gives the next cases on which that bears: that it has, and that come to it, while it
// is away; those that stand still when it is not.
func lockAffected(ctx context.Context, tx *pg.Tx, org string, away bool, limit int) ([]string, error) {
	tx.Queue(`select pg_advisory_xact_lock(hashtextextended('strand ' || $1, 0))`, org)
	if away {
		return pg.Column[string](ctx, tx, `select id from procedures.case_file where stranded_at is null and (holder = $1 and `+underWay+` or desk = $1 and state = 'in_transit') order by id limit $2`, org, limit)
	}
	return pg.Column[string](ctx, tx, `select id from procedures.case_file where stranded_at is not null and holder = $1 order by id limit $2`, org, limit)
}

// lockOpen has those who begin in an applicant's name go one after the other, and
// gives the procedures of its cases under way, up to a number.
func lockOpen(ctx context.Context, tx *pg.Tx, org string, most int) ([]string, error) {
	tx.Queue(`select pg_advisory_xact_lock(hashtextextended('cases ' || $1, 0))`, org)
	return pg.Column[string](ctx, tx, `select procedure from procedures.case_file where applicant = $1
		and state in ('draft', 'fee_due', 'submitted', 'examining', 'asked', 'in_transit', 'seconding', 'appealed') order by id desc limit $2`, org, most)
}

// read reads rows beside others.
func read[T any](out *[]T, sql string, args ...any) pg.Read {
	return func(b *pgx.Batch) {
		b.Queue(sql, args...).Query(func(rows pgx.Rows) (err error) {
			*out, err = pgx.CollectRows(rows, pgx.RowToStructByName[T])
			return err
		})
	}
}

const paperColumns = `code, file, enrolled, added_by, added_at`

func savePaper(tx *pg.Tx, c string, p Paper) {
	tx.Queue(`insert into procedures.paper (case_file, code, file, enrolled, added_by, added_at) values ($1, $2, $3, $4, $5, $6)
		on conflict (case_file, code) do update set file = excluded.file, enrolled = excluded.enrolled, added_by = excluded.added_by, added_at = excluded.added_at`,
		c, p.Code, p.File, p.Enrolled, p.AddedBy, p.AddedAt)
}

func papersOf(ctx context.Context, db pg.DB, c string) ([]Paper, error) {
	return pg.All[Paper](ctx, db, `select `+paperColumns+` from procedures.paper where case_file = $1 order by code`, c)
}

const questionColumns = `n, text, asked_by, asked_at, answer, answered_by, answered_at`

func lastQuestion(ctx context.Context, tx *pg.Tx, c string) (int, error) {
	return pg.Value[int](ctx, tx, nil, `select coalesce(max(n), 0) from procedures.question where case_file = $1`, c)
}

func insertQuestion(tx *pg.Tx, c string, q Question) {
	tx.Queue(`insert into procedures.question (case_file, n, text, asked_by, asked_at) values ($1, $2, $3, $4, $5)`, c, q.N, q.Text, q.AskedBy, q.AskedAt)
}

// answerQuestion answers the one that is open.
func answerQuestion(tx *pg.Tx, c, text, by string) {
	tx.QueueOne(ErrState, `update procedures.question set answer = $2, answered_by = $3, answered_at = $4 where case_file = $1 and answered_at is null`, c, text, by, tx.Now())
}

const decisionColumns = `n, outcome, reason, text, state, on_appeal, decided_by, decided_at, second, second_by, second_at, appeal, appealed_by, appealed_at`

// lastDecision is the last one on a case; its zero value when there is none.
func lastDecision(ctx context.Context, db pg.DB, c string) (Decision, error) {
	all, err := pg.All[Decision](ctx, db, `select `+decisionColumns+` from procedures.decision where case_file = $1 order by n desc limit 1`, c)
	if err != nil || len(all) == 0 {
		return Decision{}, err
	}
	return all[0], nil
}

// standing is the decision that stands; its zero value when there is none.
func standing(ctx context.Context, db pg.DB, c string) (Decision, error) {
	all, err := pg.All[Decision](ctx, db, `select `+decisionColumns+` from procedures.decision where case_file = $1 and state = 'standing'`, c)
	if err != nil || len(all) == 0 {
		return Decision{}, err
	}
	return all[0], nil
}

func insertDecision(tx *pg.Tx, c string, x Decision) {
	tx.Queue(`insert into procedures.decision (case_file, n, outcome, reason, text, state, on_appeal, decided_by, decided_at, second) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		c, x.N, x.Outcome, x.Reason, x.Text, x.State, x.OnAppeal, x.DecidedBy, x.DecidedAt, x.Second)
}

func saveDecision(tx *pg.Tx, c string, x Decision) {
	tx.QueueOne(ErrState, `update procedures.decision set state = $3, second_by = $4, second_at = $5 where case_file = $1 and n = $2`, c, x.N, x.State, x.SecondBy, x.SecondAt)
}

func appealDecision(tx *pg.Tx, c string, n int, text, by string) {
	tx.QueueOne(ErrAppeal, `update procedures.decision set appeal = $3, appealed_by = $4, appealed_at = $5 where case_file = $1 and n = $2 and state = 'standing' and appealed_at is null`, c, n, text, by, tx.Now())
}

const transitColumns = `id, case_file, sender, receiver, note, offered_by, offered_at, state, ended_by, ended_at, reason`

func insertTransit(tx *pg.Tx, t Transit) {
	tx.Queue(`insert into procedures.transit (id, case_file, sender, receiver, note, offered_by, offered_at) values ($1, $2, $3, $4, $5, $6, $7)`, t.ID, t.CaseFile, t.Sender, t.Receiver, t.Note, t.OfferedBy, t.OfferedAt)
}

func openTransit(ctx context.Context, tx *pg.Tx, c string) (Transit, error) {
	return pg.One[Transit](ctx, tx, ErrState, `select `+transitColumns+` from procedures.transit where case_file = $1 and state = 'offered'`, c)
}

func endTransit(tx *pg.Tx, t Transit) {
	tx.QueueOne(ErrState, `update procedures.transit set state = $2, ended_by = $3, ended_at = $4, reason = $5 where id = $1 and state = 'offered'`, t.ID, t.State, t.EndedBy, t.EndedAt, t.Reason)
}

// everHeld says whether an institution has, or had, a case, or was offered it.
func everHeld(ctx context.Context, db pg.DB, c Case, org string) (bool, error) {
	if org == c.Institution || org == c.Holder || org == c.Desk {
		return true, nil
	}
	return pg.Value[bool](ctx, db, nil, `select exists (select from procedures.transit where case_file = $1 and receiver = $2)`, c.ID, org)
}

func insertMove(tx *pg.Tx, c Case, m Move, side, channel, behalf, note string) {
	tx.Queue(`insert into procedures.move (case_file, move, state, side, institution, channel, on_behalf_of, note, at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		c.ID, m, c.State, side, c.Holder, channel, behalf, note, tx.Now())
}

// The parts of a case's file.
func readParts(id string, p *parts) []pg.Read {
	return []pg.Read{
		read(&p.papers, `select `+paperColumns+` from procedures.paper where case_file = $1 order by code`, id),
		read(&p.questions, `select `+questionColumns+` from procedures.question where case_file = $1 order by n`, id),
		read(&p.decisions, `select `+decisionColumns+` from (select * from procedures.decision where case_file = $1 order by n desc limit 40) x order by n`, id),
		read(&p.transits, `select `+transitColumns+` from procedures.transit where case_file = $1 order by id desc limit 50`, id),
		read(&p.moves, `select seq, move, state, side, institution, channel, on_behalf_of, note, at from procedures.move where case_file = $1 order by seq desc limit 100`, id),
		read(&p.documents, `select `+documentColumns+` from procedures.document x where x.case_file = $1`, id),
	}
}
