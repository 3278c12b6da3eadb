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

func bodies(ctx context.Context, db pg.DB, after string, limit int) ([]Body, error) {
	return pg.All[Body](ctx, db, `select id, names from members.organisation where kind = 'institutional' and state = 'active' and id > $1 order by id limit $2`, after, limit)
}
