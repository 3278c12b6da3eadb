package procedures

import (
	"context"
	"time"

	"tiwiza/pkg/pg"
)

// A place is where a list by deadline goes on.
type place struct {
	Due time.Time `json:"d"`
	ID  string    `json:"i"`
}

// inbox are the cases on which an institution is to act, the first due first.
func inbox(ctx context.Context, db pg.DB, desk string, in InboxInput, after place) ([]filed, error) {
	var w pg.Where
	w.And(true, "c.desk =", desk)
	w.And(in.Procedure != "", "c.procedure =", in.Procedure)
	w.And(in.State != "", "c.state =", in.State)
	w.And(in.Region != "", "c.region =", in.Region)
	more := ""
	if after.ID != "" {
		more = ` and (c.due, c.id) > (` + w.Arg(after.Due) + `, ` + w.Arg(after.ID) + `)`
	}
	return pg.All[filed](ctx, db, filedCases+`where c.desk <> '' and `+w.String()+more+` order by c.due, c.id limit `+w.Arg(in.Limit+1), w.Args()...)
}

// list are an applicant's cases, an institution's own, or all: the newest first.
func list(ctx context.Context, db pg.DB, in CasesInput, org string, mine bool, below string) ([]filed, error) {
	var w pg.Where
	w.And(org != "" && mine, "c.applicant =", org)
	w.And(in.State != "", "c.state =", in.State)
	w.And(in.Procedure != "", "c.procedure =", in.Procedure)
	w.And(below != "", "c.id <", below)
	more := ""
	if in.Stranded {
		more = ` and c.stranded_at is not null`
	}
	if !mine { // what was never handed in is its applicant's alone
		if org == "" { // what stands still before its fee is paid, the market's people hand on
			more += ` and c.state <> 'draft' and (c.submitted_at is not null or c.stranded_at is not null)`
		} else {
			more += ` and c.state <> 'draft' and c.submitted_at is not null`
			column := "c.institution"
			if in.Held {
				column = "c.holder"
			}
			w.And(true, column+" =", org)
		}
	}
	return pg.All[filed](ctx, db, filedCases+`where `+w.String()+more+` order by c.id desc limit `+w.Arg(in.Limit+1), w.Args()...)
}

// statistics are an institution's decided cases by the month of their last
// decision and by region: how many, and how many days they took.
func statistics(ctx context.Context, db pg.DB, org, procedure string, over span) ([]figure, error) {
	var w pg.Where
	w.And(true, "institution =", org)
	w.And(true, "decided_at >=", over.from)
	w.And(true, "decided_at <", over.to)
	w.And(procedure != "", "procedure =", procedure)
	return pg.All[figure](ctx, db, `select to_char(decided_at at time zone 'Africa/Casablanca', 'YYYY-MM') as month, region, count(*)::int as decided,
			count(*) filter (where outcome = 'grant')::int as granted,
			percentile_cont(0.5) within group (order by extract(epoch from decided_at - submitted_at) / 86400) as median,
			percentile_cont(0.9) within group (order by extract(epoch from decided_at - submitted_at) / 86400) as ninth
		from procedures.case_file where decided_at is not null and `+w.String()+`
		group by 1, 2 order by 1, 2`, w.Args()...)
}

// lockIssuer is who issues a label; "" when nobody does. Nobody else is named until the
// caller's unit of work has ended.
func lockIssuer(ctx context.Context, tx *pg.Tx, label string) (string, error) {
	all, err := pg.Column[string](ctx, tx, `select institution from procedures.label_issuer where label = $1 for share`, label)
	if err != nil || len(all) == 0 {
		return "", err
	}
	return all[0], nil
}

func saveIssuer(tx *pg.Tx, i Issuer) {
	tx.Queue(`insert into procedures.label_issuer (label, institution, named_by, named_at) values ($1, $2, $3, $4)
		on conflict (label) do update set institution = excluded.institution, named_by = excluded.named_by, named_at = excluded.named_at`, i.Label, i.Institution, i.NamedBy, i.NamedAt)
}

func issuers(ctx context.Context, db pg.DB, after string, limit int) ([]Issuer, error) {
	return pg.All[Issuer](ctx, db, `select label, institution, named_by, named_at from procedures.label_issuer where label > $1 order by label limit $2`, after, limit)
}
