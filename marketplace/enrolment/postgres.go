package enrolment

import (
	"context"
	"time"

	"tiwiza/marketplace/members"
	"tiwiza/pkg/pg"
)

const paperColumns = `id, organisation, requirement, file, value, sealed, hint, last_day, state, made_by, made_at, decided_by, second_by, decided_at, note, version, channel`

func insertPaper(tx *pg.Tx, p Paper) {
	tx.Queue(`insert into enrolment.paper (`+paperColumns+`) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)`,
		p.ID, p.Organisation, p.Requirement, p.File, p.Value, p.Sealed, p.Hint, p.LastDay, p.State, p.MadeBy, p.MadeAt, p.DecidedBy, p.SecondBy, p.DecidedAt, p.Note, p.Version, p.Channel)
}

func load(ctx context.Context, db pg.DB, id string) (Paper, error) {
	return pg.One[Paper](ctx, db, ErrNotFound, `select `+paperColumns+` from enrolment.paper where id = $1`, id)
}

func lock(ctx context.Context, tx *pg.Tx, id string) (Paper, error) {
	return pg.One[Paper](ctx, tx, ErrNotFound, `select `+paperColumns+` from enrolment.paper where id = $1 for update`, id)
}

// save writes a paper that was moved by one step.
func save(tx *pg.Tx, p Paper) {
	tx.QueueOne(ErrState, `update enrolment.paper set state = $3, decided_by = $4, second_by = $5, decided_at = $6, note = $7, version = $2 where id = $1 and version = $2 - 1`,
		p.ID, p.Version, p.State, p.DecidedBy, p.SecondBy, p.DecidedAt, p.Note)
}

// endPapers notes that the application for which papers were handed in is ended.
func endPapers(tx *pg.Tx, org string) {
	tx.Queue(`update enrolment.paper set ended_at = platform.now() where organisation = $1 and ended_at is null`, org)
}

func lockWaiting(ctx context.Context, tx *pg.Tx, org, requirement string) ([]Paper, error) {
	return pg.All[Paper](ctx, tx, `select `+paperColumns+` from enrolment.paper where organisation = $1 and requirement = $2 and state in ('submitted', 'seconding') for update`, org, requirement)
}

// livePapers are those of an organisation that hold or wait.
func livePapers(ctx context.Context, db pg.DB, org string) ([]Paper, error) {
	return pg.All[Paper](ctx, db, `select `+paperColumns+` from enrolment.paper where organisation = $1 and state in ('submitted', 'seconding')
		union all select `+paperColumns+` from enrolment.paper where organisation = $1 and state = 'accepted'`, org)
}

// endedPapers are the last of an organisation's for each requirement that were
// refused, or have ended.
func endedPapers(ctx context.Context, db pg.DB, org string) ([]Paper, error) {
	return pg.All[Paper](ctx, db, `select distinct on (requirement) `+paperColumns+` from enrolment.paper where organisation = $1 and state in ('rejected', 'expired') order by requirement, id desc`, org)
}

// A tally is how many papers of an organisation wait and hold.
type tally struct {
	Organisation string
	Waiting      int
	Accepted     int
}

func tallies(ctx context.Context, db pg.DB, orgs []string) ([]tally, error) {
	return pg.All[tally](ctx, db, `select organisation, count(*) filter (where state <> 'accepted')::int as waiting, count(*) filter (where state = 'accepted')::int as accepted from (
			select organisation, state from enrolment.paper where organisation `+pg.OfThese+` and state in ('submitted', 'seconding')
			union all select organisation, state from enrolment.paper where organisation `+pg.OfThese+` and state = 'accepted') p
		group by organisation`, orgs)
}

const setColumns = `kind, version, since, made_by, made_at`

// setFor is the set of a kind that held at a moment, if there was one.
func setFor(ctx context.Context, db pg.DB, kind members.Kind, at time.Time) ([]Set, error) {
	return pg.All[Set](ctx, db, `select `+setColumns+` from enrolment.requirement_set where kind = $1 and since <= $2 order by since desc, version desc limit 1`, kind, at)
}

func setsOf(ctx context.Context, db pg.DB, kind members.Kind, below, limit int) ([]Set, error) {
	return pg.All[Set](ctx, db, `select `+setColumns+` from enrolment.requirement_set where kind = $1 and ($2 = 0 or version < $2) order by version desc limit $3`, kind, below, limit)
}

func lastVersion(ctx context.Context, tx *pg.Tx, kind members.Kind) (int, error) {
	return pg.Value[int](ctx, tx, nil, `select coalesce(max(version), 0) from enrolment.requirement_set where kind = $1`, kind)
}

func insertSet(tx *pg.Tx, s Set) {
	tx.QueueMapped(func(err error) error {
		if pg.Violates(err, "requirement_set_pkey") {
			return ErrRaced
		}
		return err
	}, `insert into enrolment.requirement_set (`+setColumns+`) values ($1, $2, $3, $4, $5)`, s.Kind, s.Version, s.Since, s.MadeBy, s.MadeAt)
	for i, r := range s.Requirements {
		tx.Queue(`insert into enrolment.requirement (kind, version, ord, code, type, names, optional, second, expires, rule) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
			s.Kind, s.Version, i+1, r.Code, r.Type, r.Names, r.Optional, r.Second, r.Expires, r.Rule)
	}
}

func requirementsOf(ctx context.Context, db pg.DB, kind members.Kind, version int) ([]Requirement, error) {
	return pg.All[Requirement](ctx, db, `select code, type, names, optional, second, expires, rule from enrolment.requirement where kind = $1 and version = $2 order by ord`, kind, version)
}

// A line is a requirement of one of many sets.
type line struct {
	Version int
	Requirement
}

func linesOf(ctx context.Context, db pg.DB, kind members.Kind, from, to int) ([]line, error) {
	return pg.All[line](ctx, db, `select version, code, type, names, optional, second, expires, rule from enrolment.requirement where kind = $1 and version between $2 and $3 order by version, ord`, kind, from, to)
}
