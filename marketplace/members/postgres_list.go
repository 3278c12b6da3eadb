package members

import (
	"context"
	"strconv"

	"tiwiza/pkg/pg"
)

func organisations(ctx context.Context, db pg.DB, in ListInput, below string) ([]Organisation, error) {
	const page = ` and ($1 = '' or region = $1) and ($2 = '' or id < $2) order by id desc limit $3`
	args := []any{in.Region, below, in.Limit + 1}
	var where string
	if in.State != "" {
		where, args = ` and state = $4`, append(args, in.State)
	}
	if in.Account != "" {
		where += ` and id in (select organisation from members.bank_account where state = 'pending')`
	}
	return pg.All[Organisation](ctx, db, `select `+organisationColumns+` from members.organisation where true`+where+page, args...)
}

type backlog struct{ Asking, Accounts int }

func waiting(ctx context.Context, db pg.DB) (backlog, error) {
	return pg.One[backlog](ctx, db, nil, `select (select count(*)::int from (select from members.organisation where state in ('submitted', 'under_review') limit 100) a) as asking,
		(select count(*)::int from (select from members.bank_account where state = 'pending' limit 100) b) as accounts`)
}

// queue reads who asks for admission, the longest first, behind a place.
func queue(ctx context.Context, db pg.DB, in Waiters) ([]Organisation, error) {
	where, args := `state in ('submitted', 'under_review')`, []any{in.Limit}
	if in.Region != "" {
		args = append(args, in.Region)
		where += ` and region = $` + strconv.Itoa(len(args))
	}
	if in.Behind.ID != "" {
		args = append(args, in.Behind.At, in.Behind.ID)
		where += ` and (asked_at, id) > ($` + strconv.Itoa(len(args)-1) + `, $` + strconv.Itoa(len(args)) + `)`
	}
	return pg.All[Organisation](ctx, db, `select `+organisationColumns+` from members.organisation where `+where+` order by asked_at, id limit $1`, args...)
}

// unbound reads who at work is bound by an earlier version of the charter; the index
// of a region, or of all, holds them in this order.
func unbound(ctx context.Context, db pg.DB, in Unsigned) ([]Organisation, error) {
	where, args := `state in ('active', 'suspended') and kind <> 'operator' and charter < $2`, []any{in.Limit, in.Version}
	if in.Region != "" {
		args = append(args, in.Region)
		where += ` and region = $` + strconv.Itoa(len(args))
	}
	if in.Behind.ID != "" {
		args = append(args, in.Behind.Charter, in.Behind.ID)
		where += ` and (charter, id) > ($` + strconv.Itoa(len(args)-1) + `, $` + strconv.Itoa(len(args)) + `)`
	}
	return pg.All[Organisation](ctx, db, `select `+organisationColumns+` from members.organisation where `+where+` order by charter, id limit $1`, args...)
}

func unboundAfter(ctx context.Context, db pg.DB, version int, org string, suspended bool, limit int) ([]string, error) {
	return pg.Column[string](ctx, db, `select id from members.organisation where state in ('active', 'suspended') and kind <> 'operator' and charter < $1 and id > $2 and ($3 or state = 'active') order by id limit $4`, version, org, suspended, limit)
}

func bodies(ctx context.Context, db pg.DB, after string, limit int) ([]Body, error) {
	return pg.All[Body](ctx, db, `select id, names from members.organisation where kind = 'institutional' and state = 'active' and id > $1 order by id limit $2`, after, limit)
}

func atWork(ctx context.Context, db pg.DB, after string, limit int) ([]Organisation, error) {
	return pg.All[Organisation](ctx, db, `select `+organisationColumns+` from members.organisation where state = 'active' and kind <> 'operator' and id > $1 order by id limit $2`, after, limit)
}

func activeOf(ctx context.Context, db pg.DB, orgs []string) ([]string, error) {
	return pg.Column[string](ctx, db, `select id from members.organisation where id `+pg.OfThese+` and state = 'active' and kind <> 'operator'`, orgs)
}

// lookalikes reads members of the same region, at work or suspended, of which a name
// looks like one of an organisation's. The index holds how the names of all of them
// look; were the rows sorted as they are read, it would not be asked.
func lookalikes(ctx context.Context, db pg.DB, of Organisation, most int) ([]Lookalike, error) {
	return pg.All[Lookalike](ctx, db, `with alike as materialized (
			select id, kind, names, commune, state from members.organisation
			where members.looks(names) && members.looks($1::jsonb) and region = $2 and id <> $3 and state in ('active', 'suspended') and kind <> 'operator')
		select id, kind, names, commune, state from alike order by id limit $4`,
		of.Names, of.Region, of.ID, most)
}
