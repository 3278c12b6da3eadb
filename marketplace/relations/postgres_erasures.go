package relations

import (
	"context"
	"time"

	"tiwiza/pkg/pg"
)

const erasureColumns = `id, person, partner, state, asked_by, asked_at, due_at, tries, code, proof, done_at, version`

// insertErasure asks for somebody to be forgotten at a system, unless that is
// asked for already.
func insertErasure(tx *pg.Tx, e Erasure) {
	tx.Queue(`insert into relations.erasure (id, person, partner, state, asked_by, asked_at, due_at) values ($1, $2, $3, 'asked', $4, $5, $5)
		on conflict (partner, person) where state = 'asked' do nothing`, e.ID, e.Person, e.Partner, e.AskedBy, e.AskedAt)
}

func openErasures(ctx context.Context, db pg.DB, person string) ([]Erasure, error) {
	return pg.All[Erasure](ctx, db, `select `+erasureColumns+` from relations.erasure where person = $1 and state = 'asked' order by id`, person)
}

func dueErasures(ctx context.Context, db pg.DB, partner string, now time.Time, limit int) ([]Erasure, error) {
	return pg.All[Erasure](ctx, db, `select `+erasureColumns+` from relations.erasure
		where partner = $1 and state = 'asked' and due_at <= $2 order by due_at, id limit $3`, partner, now, limit)
}

func saveErasure(tx *pg.Tx, e Erasure) {
	tx.QueueOne(ErrChanged, `update relations.erasure set state = $3, due_at = $4, tries = $5, code = left($6, 200), proof = $7, done_at = $8, version = version + 1
		where id = $1 and version = $2`, e.ID, e.Version, e.State, e.DueAt, e.Tries, e.Code, e.Proof, e.DoneAt)
}

func listErasures(ctx context.Context, db pg.DB, person, below string, limit int) ([]Erasure, error) {
	var w pg.Where
	w.And(person != "", "person =", person)
	w.And(below != "", "id <", below)
	return pg.All[Erasure](ctx, db, `select `+erasureColumns+` from relations.erasure where `+w.String()+` order by id desc limit `+w.Arg(limit), w.Args()...)
}
