package relations

import (
	"context"
	"time"

	"tiwiza/pkg/pg"
)

const linkColumns = `partner, entity, local_id, person, remote_id, asked, content_hash, version, wanted, done, held, code, tries, due_at, sent_at`

// wantMore is what happens to a link of which there is more to say.
const wantMore = ` on conflict (partner, entity, local_id) do update set wanted = l.wanted + 1, person = excluded.person, due_at = excluded.due_at`

// want notes that there is something to say of a person.
func want(tx *pg.Tx, partner string, entities []string, person string) {
	tx.Queue(`insert into relations.partner_link as l (partner, entity, local_id, person, due_at)
		select $1, e, $3, $3, $4 from unnest($2::text[]) as x(e) order by e`+wantMore, partner, entities, person, tx.Now())
}

// wantAll notes that of all who agree.
func wantAll(tx *pg.Tx, partner string, entities []string) {
	tx.Queue(`insert into relations.partner_link as l (partner, entity, local_id, person, due_at)
		select $1, e, s.person, s.person, $3 from relations.stance s, unnest($2::text[]) as x(e)
		where s.purpose = 'marketing' and s.granted order by e, s.person`+wantMore, partner, entities, tx.Now())
}

// wantIfAgreed notes that there is something to say of what is a person's, if that
// one agrees.
func wantIfAgreed(tx *pg.Tx, partner string, e Entity, person string, ids ...string) {
	tx.Queue(`insert into relations.partner_link as l (partner, entity, local_id, person, due_at)
		select $1, $2, i, $3, $5 from unnest($4::text[]) as x(i)
		where exists (select from relations.stance s where s.person = $3 and s.purpose = 'marketing' and s.granted) order by i`+wantMore,
		partner, e, person, ids, tx.Now())
}

// wantAgain notes that there is more to say of what was said of a person: of one
// entity, or of all.
func wantAgain(tx *pg.Tx, person string, e Entity) {
	tx.Queue(`update relations.partner_link set wanted = wanted + 1, due_at = $3 where person = $1 and ($2 = '' or entity = $2)`, person, e, tx.Now())
}

// free has what was held for a reason be said, of some persons.
func free(tx *pg.Tx, partner, held string, persons []string) {
	tx.Queue(`update relations.partner_link set wanted = wanted + 1, due_at = $4
		where partner = $1 and held = $2 and wanted = done and person = any($3)`, partner, held, persons, tx.Now())
}

// freeAll has what was held for a reason be said, of everybody.
func freeAll(tx *pg.Tx, partner, held string) {
	tx.Queue(`update relations.partner_link set wanted = wanted + 1, due_at = $3 where partner = $1 and held = $2 and wanted = done`, partner, held, tx.Now())
}

// redo has what a system was told of a person, or of everybody, be told again.
func redo(ctx context.Context, tx *pg.Tx, partner, person string) (int64, error) {
	var w pg.Where
	w.And(true, "partner =", partner)
	w.And(person != "", "person =", person)
	tag, err := tx.Exec(ctx, `update relations.partner_link set wanted = wanted + 1, content_hash = '', tries = 0, due_at = `+w.Arg(tx.Now())+` where `+w.String(), w.Args()...)
	return tag.RowsAffected(), err
}

// claimDeals makes the orders that a guest made those of the person who it was.
func claimDeals(tx *pg.Tx, guest, person string) {
	tx.Queue(`update relations.partner_link set person = $2, wanted = wanted + 1, due_at = $3 where person = $1 and entity = 'deal'`, guest, person, tx.Now())
}

// dueLinks are those of which there is something to say, whoever waits longest in
// front.
func dueLinks(ctx context.Context, db pg.DB, partner string, e Entity, now time.Time, limit int) ([]Link, error) {
	return pg.All[Link](ctx, db, `select `+linkColumns+` from relations.partner_link
		where partner = $1 and entity = $2 and wanted > done and due_at <= $3 order by due_at, local_id limit $4`, partner, e, now, limit)
}

// nextDue is when there is something to say to a system, if ever.
func nextDue(ctx context.Context, db pg.DB, partner string) (*time.Time, error) {
	type row struct{ Due *time.Time }
	r, err := pg.One[row](ctx, db, nil, `select least(
		(select min(d) from unnest(array['contact', 'consent', 'points', 'deal']) as x(e), lateral (
			select due_at as d from relations.partner_link where partner = $1 and entity = x.e and wanted > done order by due_at limit 1) m),
		(select min(due_at) from relations.erasure where partner = $1 and state = 'asked')) as due`, partner)
	return r.Due, err
}

// remotes are as whom a system knows some persons.
func remotes(ctx context.Context, db pg.DB, partner string, persons []string) (map[string]string, error) {
	type row struct{ LocalID, RemoteID string }
	all, err := pg.All[row](ctx, db, `select local_id, remote_id from relations.partner_link
		where partner = $1 and entity = 'contact' and local_id = any($2) and remote_id <> ''`, partner, persons)
	out := make(map[string]string, len(all))
	for _, r := range all {
		out[r.LocalID] = r.RemoteID
	}
	return out, err
}

// settle writes what became of links: of what they were when they were taken, so
// that what came to be wanted meanwhile is still to be said.
func settle(tx *pg.Tx, partner string, e Entity, all []outcome) {
	if len(all) == 0 {
		return
	}
	n := len(all)
	ids, wanted, remote, hashes, held, codes := make([]string, n), make([]int64, n), make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	again, sent, due := make([]bool, n), make([]bool, n), make([]time.Time, n)
	for i, o := range all {
		ids[i], wanted[i], remote[i], hashes[i], held[i], codes[i] = o.LocalID, o.Wanted, o.RemoteID, o.ContentHash, o.Held, o.Code
		again[i], sent[i], due[i] = o.again, o.sent, o.DueAt
	}
	tx.Queue(`update relations.partner_link l set done = case when x.again then l.done else greatest(l.done, x.wanted) end,
			remote_id = x.remote, content_hash = x.hash, held = x.held, code = left(x.code, 100), tries = case when x.again then least(l.tries + 1, 100) else 0 end,
			due_at = case when x.again then x.due else l.due_at end,
			version = l.version + x.sent::int, sent_at = case when x.sent then $12 else l.sent_at end
		from unnest($3::text[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::text[], $9::bool[], $10::bool[], $11::timestamptz[])
			as x(local_id, wanted, remote, hash, held, code, again, sent, due)
		where l.partner = $1 and l.entity = $2 and l.local_id = x.local_id`,
		partner, e, ids, wanted, remote, hashes, held, codes, again, sent, due, tx.Now())
}

// doubt notes that nobody knows what a system was told last of what it is about to
// be told: if its answer is lost, neither this nor what was before is unchanged.
func doubt(tx *pg.Tx, partner string, e Entity, all []saying) {
	ids := make([]string, 0, len(all))
	for _, x := range all {
		if x.ContentHash != "" || !x.Asked {
			ids = append(ids, x.LocalID)
		}
	}
	if len(ids) > 0 {
		tx.Queue(`update relations.partner_link set content_hash = '', asked = true where partner = $1 and entity = $2 and local_id = any($3)`, partner, e, ids)
	}
}

// forget drops all links of a person at a system, but that an order's was there.
func forget(tx *pg.Tx, partner, person string) {
	tx.Queue(`delete from relations.partner_link where partner = $1 and person = $2`, partner, person)
}

// A watched person may have refused at a system; there is nothing to say to it of
// that.
type watched struct {
	LocalID string
	Wanted  int64
}

func watchedAfter(ctx context.Context, db pg.DB, partner, after string, limit int) ([]watched, error) {
	return pg.All[watched](ctx, db, `select l.local_id, l.wanted from relations.partner_link l
		where l.partner = $1 and l.entity = 'consent' and l.local_id > $2 and l.wanted = l.done and l.held = '' and l.content_hash <> ''
			and exists (select from relations.stance s where s.person = l.local_id and s.purpose = 'marketing' and s.granted)
		order by l.local_id limit $3`, partner, after, limit)
}

// stillSaid says whether nothing is to be said of a consent beyond what was.
func stillSaid(ctx context.Context, tx *pg.Tx, partner, person string, wanted int64) (bool, error) {
	return pg.Value[bool](ctx, tx, nil, `select exists (select from relations.partner_link
		where partner = $1 and entity = 'consent' and local_id = $2 and wanted = $3 and done = $3)`, partner, person, wanted)
}

// A place in the list of links.
type place struct {
	Entity  Entity `json:"e"`
	LocalID string `json:"i"`
}

// standsAt are the conditions of the states that links are listed by.
var standsAt = map[string]string{
	"": "true", "waiting": "wanted > done", "held": "held <> '' and wanted = done", "said": "held = '' and wanted = done",
}

func listLinks(ctx context.Context, db pg.DB, partner, person, state string, after place, limit int) ([]Link, error) {
	var w pg.Where
	w.And(true, "partner =", partner)
	w.And(person != "", "person =", person)
	at := `(` + w.Arg(after.Entity) + `, ` + w.Arg(after.LocalID) + `)`
	return pg.All[Link](ctx, db, `select `+linkColumns+` from relations.partner_link where `+w.String()+` and (entity, local_id) > `+at+` and `+standsAt[state]+`
		order by entity, local_id limit `+w.Arg(limit), w.Args()...)
}
