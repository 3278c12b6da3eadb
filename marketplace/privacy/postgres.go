package privacy

import (
	"context"
	"encoding/json"
	"time"

	"tiwiza/pkg/personal"
	"tiwiza/pkg/pg"
)

const exportColumns = `id, person, state, done, rooms, key, made_at, ready_at, until, fetched, version`

func insertExport(tx *pg.Tx, e Export) {
	tx.QueueMapped(there("export_one"), `insert into privacy.export (id, person, state, rooms, key, made_at) values ($1, $2, $3, $4, $5, $6)`, e.ID, e.Person, e.State, e.Rooms, e.Key, e.MadeAt)
}

// askingAlone lets one request of a person be counted at a time, until the end of the
// unit of work.
func askingAlone(tx *pg.Tx, person string) {
	tx.Queue(`select pg_advisory_xact_lock(hashtextextended('privacy ' || $1, 0))`, person)
}

// copiesSince counts the copies that somebody had made since a moment, until the end of
// the unit of work.
func copiesSince(ctx context.Context, tx *pg.Tx, person string, since time.Time) (int, error) {
	askingAlone(tx, person)
	return pg.Value[int](ctx, tx, nil, `select count(*)::int from (select from privacy.export where person = $1 and made_at > $2 limit $3) x`, person, since, mostCopies)
}

// askedBy counts the requests of somebody that wait, and those since a moment.
func askedBy(ctx context.Context, tx *pg.Tx, person string, since time.Time) (waiting, lately int, err error) {
	type counts struct{ Waiting, Lately int }
	askingAlone(tx, person)
	c, err := pg.One[counts](ctx, tx, nil, `select (select count(*)::int from privacy.request where person = $1 and state = 'received') as waiting,
		(select count(*)::int from privacy.request where person = $1 and made_at > $2) as lately`, person, since)
	return c.Waiting, c.Lately, err
}

// there says that something is on its way already, by the index that refused it.
func there(index string) func(error) error {
	return func(err error) error {
		if pg.Violates(err, index) {
			return ErrThere
		}
		return err
	}
}

func lockExport(ctx context.Context, tx *pg.Tx, id string) (Export, error) {
	return pg.One[Export](ctx, tx, ErrNotFound, `select `+exportColumns+` from privacy.export where id = $1 for update`, id)
}

func loadExport(ctx context.Context, db pg.DB, id string) (Export, error) {
	return pg.One[Export](ctx, db, ErrNotFound, `select `+exportColumns+` from privacy.export where id = $1`, id)
}

// saveExport writes a copy that is locked.
func saveExport(tx *pg.Tx, e Export) {
	tx.QueueOne(ErrState, `update privacy.export set state = $3, done = $4, key = $5, ready_at = $6, until = $7, fetched = $8, version = version + 1 where id = $1 and version = $2`,
		e.ID, e.Version, e.State, e.Done, e.Key, e.ReadyAt, e.Until, e.Fetched)
}

func listExports(ctx context.Context, db pg.DB, person, below string, limit int) ([]Export, error) {
	return pg.All[Export](ctx, db, `select `+exportColumns+` from privacy.export where person = $1 and ($2 = '' or id < $2) order by id desc limit $3`, person, below, limit)
}

func insertPart(tx *pg.Tx, export string, place int, room string, sealed []byte) {
	tx.Queue(`insert into privacy.export_part (export, place, room, sealed) values ($1, $2, $3, $4)`, export, place, room, sealed)
}

// collectedFrom are the rooms whose part of a copy is there.
func collectedFrom(ctx context.Context, db pg.DB, export string) ([]string, error) {
	return pg.Column[string](ctx, db, `select room from privacy.export_part where export = $1 order by place`, export)
}

func partsOf(ctx context.Context, db pg.DB, export string) ([][]byte, error) {
	return pg.Column[[]byte](ctx, db, `select sealed from privacy.export_part where export = $1 order by place`, export)
}

func dropParts(tx *pg.Tx, export string) {
	tx.Queue(`delete from privacy.export_part where export = $1`, export)
}

const requestColumns = `id, person, kind, about, text, state, due_at, answer, answered_by, answered_at, made_at, version`

func insertRequest(tx *pg.Tx, r Request) {
	tx.Queue(`insert into privacy.request (`+requestColumns+`) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
		r.ID, r.Person, r.Kind, r.About, r.Text, r.State, r.DueAt, r.Answer, r.AnsweredBy, r.AnsweredAt, r.MadeAt, r.Version)
}

func lockRequest(ctx context.Context, tx *pg.Tx, id string) (Request, error) {
	return pg.One[Request](ctx, tx, ErrNotFound, `select `+requestColumns+` from privacy.request where id = $1 for update`, id)
}

func saveRequest(tx *pg.Tx, r Request) {
	tx.QueueOne(ErrState, `update privacy.request set state = $3, answer = $4, answered_by = $5, answered_at = $6, version = version + 1 where id = $1 and version = $2`,
		r.ID, r.Version, r.State, r.Answer, r.AnsweredBy, r.AnsweredAt)
}

func listRequests(ctx context.Context, db pg.DB, person, below string, limit int) ([]Request, error) {
	return pg.All[Request](ctx, db, `select `+requestColumns+` from privacy.request where person = $1 and ($2 = '' or id < $2) order by id desc limit $3`, person, below, limit)
}

func inbox(ctx context.Context, db pg.DB, state RequestState, behind place, limit int) ([]Request, error) {
	return pg.All[Request](ctx, db, `select `+requestColumns+` from privacy.request where state = $1 and ($2 = '' or (due_at, id) > ($3, $2)) order by due_at, id limit $4`, state, behind.ID, behind.Due, limit)
}

const erasureColumns = `id, person, hash, state, subject, done, rooms, bars, asked_at, runs_at, began_at, ended_at, version`

func insertErasure(tx *pg.Tx, e Erasure) {
	tx.QueueMapped(there("erasure_one"), `insert into privacy.erasure (id, person, hash, state, rooms, asked_at, runs_at) values ($1, $2, $3, $4, $5, $6, $7)`, e.ID, e.Person, e.Hash, e.State, e.Rooms, e.AskedAt, e.RunsAt)
}

func lockErasure(ctx context.Context, tx *pg.Tx, id string) (Erasure, error) {
	return pg.One[Erasure](ctx, tx, ErrNotFound, `select `+erasureColumns+` from privacy.erasure where id = $1 for update`, id)
}

func lockLast(ctx context.Context, tx *pg.Tx, person string) (Erasure, error) {
	return pg.One[Erasure](ctx, tx, ErrNotFound, `select `+erasureColumns+` from privacy.erasure where person = $1 order by id desc limit 1 for update`, person)
}

func lastErasures(ctx context.Context, db pg.DB, person string) ([]Erasure, error) {
	return pg.All[Erasure](ctx, db, `select `+erasureColumns+` from privacy.erasure where person = $1 order by id desc limit 1`, person)
}

func byHash(ctx context.Context, db pg.DB, hash []byte) (Erasure, error) {
	return pg.One[Erasure](ctx, db, ErrNotFound, `select `+erasureColumns+` from privacy.erasure where hash = $1`, hash)
}

func saveErasure(tx *pg.Tx, e Erasure) {
	tx.QueueOne(ErrState, `update privacy.erasure set state = $3, subject = $4, done = $5, bars = $6, began_at = $7, ended_at = $8, version = version + 1 where id = $1 and version = $2`,
		e.ID, e.Version, e.State, e.Subject, e.Done, e.Bars, e.BeganAt, e.EndedAt)
}

func listErasures(ctx context.Context, db pg.DB, state ErasureState, below string, limit int) ([]Erasure, error) {
	var w pg.Where
	w.And(state != "", "state =", state)
	w.And(below != "", "id <", below)
	return pg.All[Erasure](ctx, db, `select `+erasureColumns+` from privacy.erasure where `+w.String()+` order by id desc limit `+w.Arg(limit), w.Args()...)
}

func insertErased(tx *pg.Tx, erasure string, place int, p personal.Part, now time.Time) {
	tx.Queue(`insert into privacy.erased (erasure, place, room, tables, at) values ($1, $2, $3, $4, $5)`, erasure, place, p.Room, p, now)
}

// beginAlone lets one erasure begin at a time, until the end of the unit of work.
func beginAlone(tx *pg.Tx) {
	tx.Queue(`select pg_advisory_xact_lock(hashtextextended('privacy.erasure', 0))`)
}

// forgotten are the rooms that have forgotten.
func forgotten(ctx context.Context, db pg.DB, erasure string) ([]string, error) {
	return pg.Column[string](ctx, db, `select room from privacy.erased where erasure = $1 order by place`, erasure)
}

func erasedBy(ctx context.Context, db pg.DB, erasure string) ([]personal.Part, error) {
	raw, err := pg.Column[json.RawMessage](ctx, db, `select tables from privacy.erased where erasure = $1 order by place`, erasure)
	if err != nil {
		return nil, err
	}
	all := make([]personal.Part, len(raw))
	for i, b := range raw {
		if err := json.Unmarshal(b, &all[i]); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// Personal is what privacy itself holds of people: what they asked for. That they did,
// and what became of it, is kept as proof.
func (s *Service) Personal() personal.Holder {
	return personal.Room{
		Called: "privacy",
		Ages: []personal.Age{{Code: "data_requests", Past: `update privacy.request set text = '', answer = case when state = 'refused' then '—' else '' end, version = version + 1
			where id in (select id from privacy.request where answered_at < $1 and (text <> '' or answer not in ('', '—')) order by answered_at limit $2)`}},
		Tables: []personal.Table{
			{
				Name:  "privacy.request",
				Show:  `select jsonb_build_object('id', id, 'kind', kind, 'about', about, 'text', text, 'state', state, 'answer', answer, 'at', made_at) from privacy.request where person = any($1) order by id`,
				Erase: []string{`update privacy.request set text = '', answer = case when state = 'refused' then '—' else '' end, version = version + 1 where person = any($1) and (text <> '' or answer not in ('', '—'))`},
			},
			{
				Name:  "privacy.export",
				Show:  `select jsonb_build_object('id', id, 'state', state, 'at', made_at, 'fetched', fetched) from privacy.export where person = any($1) order by id`,
				Erase: []string{`update privacy.export set state = 'gone', key = null, version = version + 1 where person = any($1) and state <> 'gone'`},
			},
			// After its copy, which whoever still collects for it has locked.
			{Name: "privacy.export_part", Erase: []string{`delete from privacy.export_part p using privacy.export e where e.id = p.export and e.person = any($1)`}},
			{Name: "privacy.erasure", Show: `select jsonb_build_object('id', id, 'state', state, 'asked', asked_at, 'runs', runs_at) from privacy.erasure where person = any($1) order by id`},
			{Name: "privacy.erased"},
		},
	}
}
