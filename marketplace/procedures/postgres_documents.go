package procedures

import (
	"context"

	"tiwiza/pkg/pg"
)

const documentColumns = `x.id, x.case_file, x.procedure, x.edition, x.institution, x.holder, x.year, x.n, x.number, x.token, x.texts, x.shown, x.valid_from::text as from, coalesce(x.valid_to::text, '') as to,
	x.state, x.reason, x.note, x.label, x.revoked_by, x.second_by, x.revoked_at, x.made_at, x.version`

// nextNumber is an institution's next of a year. Whoever takes it keeps the others
// waiting until it has committed, so that none is left out.
func nextNumber(ctx context.Context, tx *pg.Tx, org string, year int) (int, error) {
	return pg.Value[int](ctx, tx, nil, `insert into procedures.counter (institution, year, last) values ($1, $2, 1)
		on conflict (institution, year) do update set last = counter.last + 1 returning last`, org, year)
}

func insertDocument(tx *pg.Tx, x Document) {
	var to *string
	if x.To != "" {
		to = &x.To
	}
	tx.Queue(`insert into procedures.document (id, case_file, procedure, edition, institution, holder, year, n, number, token, texts, shown, valid_from, valid_to, made_at)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13::text::date, $14::text::date, $15)`,
		x.ID, x.CaseFile, x.Procedure, x.Edition, x.Institution, x.Holder, x.Year, x.N, x.Number, x.Token, x.Texts, x.Shown, x.From, to, x.MadeAt)
}

// saveDocument writes a document that was changed by one step.
func saveDocument(tx *pg.Tx, x Document) {
	tx.QueueOne(ErrEnded, `update procedures.document set state = $3, reason = $4, note = $5, label = $6, revoked_by = $7, second_by = $8, revoked_at = $9, version = $2 where id = $1 and version = $2 - 1`,
		x.ID, x.Version, x.State, x.Reason, x.Note, x.Label, x.RevokedBy, x.SecondBy, x.RevokedAt)
}

// A granted is a document with what its procedure says.
type granted struct {
	Document
	Definition Definition
}

const grantedDocuments = `select ` + documentColumns + `, e.definition from procedures.document x join procedures.edition e on e.procedure = x.procedure and e.version = x.edition `

func lockDocument(ctx context.Context, tx *pg.Tx, id string) (Document, Definition, error) {
	g, err := pg.One[granted](ctx, tx, ErrNotFound, grantedDocuments+`where x.id = $1 for update of x`, id)
	return g.Document, g.Definition, err
}

func documentBehind(ctx context.Context, db pg.DB, token string) (x Document, d Definition, found bool, err error) {
	all, err := pg.All[granted](ctx, db, grantedDocuments+`where x.token = $1`, token)
	if err != nil || len(all) == 0 {
		return x, d, false, err
	}
	return all[0].Document, all[0].Definition, true, nil
}

func insertAccreditations(tx *pg.Tx, document, org string, domains, regions []string) {
	tx.Queue(`insert into procedures.accreditation (document, organisation, domain, region) select $1, $2, d, r from unnest($3::text[]) d, unnest($4::text[]) r`, document, org, domains, regions)
}

// inForce is what makes an accreditation hold today.
const inForce = `x.state <> 'revoked' and x.valid_from <= (platform.now() at time zone 'Africa/Casablanca')::date and (x.valid_to is null or x.valid_to >= (platform.now() at time zone 'Africa/Casablanca')::date)`

func accredited(ctx context.Context, db pg.DB, org, domain, region string) (bool, error) {
	return pg.Value[bool](ctx, db, nil, `select exists (select from procedures.accreditation a join procedures.document x on x.id = a.document
		where a.organisation = $1 and a.domain = $2 and a.region = $3 and `+inForce+`)`, org, domain, region)
}

func listAccredited(ctx context.Context, db pg.DB, in AccreditedInput, after accreditedPlace) ([]accreditedRow, error) {
	var w pg.Where
	w.And(in.Domain != "", "a.domain =", in.Domain)
	w.And(in.Region != "", "a.region =", in.Region)
	more := ""
	if after.Document != "" {
		more = ` and (a.domain, a.region, a.organisation, a.document) > (` + w.Arg(after.Domain) + `, ` + w.Arg(after.Region) + `, ` + w.Arg(after.Organisation) + `, ` + w.Arg(after.Document) + `)`
	}
	return pg.All[accreditedRow](ctx, db, `select a.organisation, a.domain, a.region, a.document, x.number, x.institution, x.valid_from::text as from, coalesce(x.valid_to::text, '') as to
		from procedures.accreditation a join procedures.document x on x.id = a.document where `+w.String()+` and `+inForce+more+`
		order by a.domain, a.region, a.organisation, a.document limit `+w.Arg(in.Limit+1), w.Args()...)
}
