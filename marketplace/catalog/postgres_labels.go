package catalog

import (
	"context"

	"tiwiza/pkg/pg"
)

const labelColumns = `l.id, l.seller, l.code, l.issuer, l.number, l.scope, l.proof, l.valid_from::text as from, coalesce(l.valid_to::text, '') as to,
	l.state, l.evidence, l.reason, l.claimed_at, l.verified_at, l.verified_by, l.ended_at, l.reminded, catalog.shows(l, catalog.today()) as current`

// labelsJSON are the labels l of an offer, as read gives them.
const labelsJSON = `coalesce(jsonb_agg(jsonb_build_object('id', l.id, 'seller', l.seller, 'code', l.code, 'issuer', l.issuer, 'number', l.number,
	'scope', l.scope, 'proof', l.proof, 'valid_from', l.valid_from, 'valid_to', coalesce(l.valid_to::text, ''), 'state', l.state, 'evidence', l.evidence,
	'reason', l.reason, 'claimed_at', l.claimed_at, 'verified_at', l.verified_at, 'verified_by', l.verified_by, 'ended_at', l.ended_at,
	'reminded', l.reminded, 'current', catalog.shows(l, d.today)) order by l.code, l.id), '[]')`

func findLabel(ctx context.Context, db pg.DB, label string) (Label, error) {
	return pg.One[Label](ctx, db, ErrNoLabel, `select `+labelColumns+` from catalog.label l where l.id = $1`, label)
}

// lockLabel locks the offers that a label covers, as whoever changes an offer
// does first, and then reads the label under its lock.
func lockLabel(ctx context.Context, tx *pg.Tx, label string) (Label, []string, error) {
	offers, err := pg.Column[string](ctx, tx, `select o.id from catalog.offer o where o.id in (
			select c.offer from catalog.label_cover c where c.label = $1
			union all
			select f.id from catalog.label l join catalog.offer f on f.seller = l.seller where l.id = $1 and l.scope = 'organisation')
		order by o.id for update of o`, label)
	if err != nil {
		return Label{}, nil, err
	}
	l, err := pg.One[Label](ctx, tx, ErrNoLabel, `select `+labelColumns+` from catalog.label l where l.id = $1 for update`, label)
	return l, offers, err
}

// insertLabels writes claims and what each is for.
func insertLabels(tx *pg.Tx, all []Label, covers []covering) {
	rows := make([]labelRow, len(all))
	for i, l := range all {
		rows[i] = labelRow{l.ID, l.Seller, l.Code, l.Issuer, l.Number, l.Scope, l.Proof, l.From, nil, l.State}
		if l.To != "" {
			rows[i].To = &l.To
		}
	}
	tx.Queue(`insert into catalog.label (id, seller, code, issuer, number, scope, proof, valid_from, valid_to, state)
		select r.id, r.seller, r.code, r.issuer, r.number, r.scope, r.proof, r.valid_from, r.valid_to, r.state
		from jsonb_to_recordset($1) as r(id text, seller text, code text, issuer text, number text, scope text, proof text,
			valid_from date, valid_to date, state text)`, text(rows))
	if len(covers) > 0 {
		tx.Queue(`insert into catalog.label_cover (offer, label) select r.offer, r.label
			from jsonb_to_recordset($1) as r(offer text, label text) on conflict do nothing`, text(covers))
	}
}

// dropLabels takes labels from offers, and withdraws those that then cover
// nothing.
func dropLabels(tx *pg.Tx, covers []covering) {
	tx.Queue(`delete from catalog.label_cover c using jsonb_to_recordset($1) as r(offer text, label text)
		where c.offer = r.offer and c.label = r.label`, text(covers))
	tx.Queue(`update catalog.label l set state = 'withdrawn', ended_at = platform.now()
		where l.id in (select r.label from jsonb_to_recordset($1) as r(label text)) and l.state in ('claimed', 'verified')
			and l.scope = 'offers' and not exists (select from catalog.label_cover c where c.label = l.id)`, text(covers))
}

type labelRow struct {
	ID     string     `json:"id"`
	Seller string     `json:"seller"`
	Code   string     `json:"code"`
	Issuer string     `json:"issuer"`
	Number string     `json:"number"`
	Scope  Scope      `json:"scope"`
	Proof  string     `json:"proof"`
	From   string     `json:"valid_from"`
	To     *string    `json:"valid_to"`
	State  LabelState `json:"state"`
}

// A covering says that a label is for an offer.
type covering struct {
	Offer string `json:"offer"`
	Label string `json:"label"`
}

func cover(label string, offers []string) []covering {
	out := make([]covering, len(offers))
	for i, o := range offers {
		out[i] = covering{o, label}
	}
	return out
}

func saveLabel(tx *pg.Tx, l Label) {
	tx.Queue(`update catalog.label set state = $2, evidence = $3, reason = $4, verified_at = $5, verified_by = $6, ended_at = $7, reminded = $8
		where id = $1`, l.ID, l.State, l.Evidence, l.Reason, l.VerifiedAt, l.VerifiedBy, l.EndedAt, l.Reminded)
}

// A deskRow is a label with what it is for.
type deskRow struct {
	Label
	Offers []string
}

func labelsPage(ctx context.Context, db pg.DB, seller, state, after string, limit int) ([]deskRow, error) {
	return pg.All[deskRow](ctx, db, `select `+labelColumns+`,
			array(select c.offer from catalog.label_cover c where c.label = l.id order by c.offer limit 100) as offers
		from catalog.label l where ($1 = '' or l.seller = $1) and ($2 = '' or l.state = $2) and l.id > $3
		order by l.id limit $4`, seller, state, after, limit)
}

// ownOf are those of the offers that are the seller's.
func ownOf(ctx context.Context, db pg.DB, seller string, offers []string) ([]string, error) {
	return pg.Column[string](ctx, db, `select id from catalog.offer where seller = $1 and id = any($2)`, seller, offers)
}
