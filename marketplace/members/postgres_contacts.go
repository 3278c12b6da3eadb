package members

import (
	"context"

	"tiwiza/pkg/pg"
)

func contact(ctx context.Context, db pg.DB, person string) ([]Contact, error) {
	return pg.All[Contact](ctx, db, `select coalesce(phone, '') as phone, coalesce(email, '') as email, lang from members.person where id = $1`, person)
}

func contactsOf(ctx context.Context, db pg.DB, organisation string) ([]Contact, error) {
	return pg.All[Contact](ctx, db, `select coalesce(p.phone, '') as phone, coalesce(p.email, '') as email, p.lang
		from members.membership m join members.person p on p.id = m.person join members.role r on r.name = m.role
		where m.organisation = $1 and m.valid_to is null and r.rights && array['sell', 'money', 'people'] order by m.id`, organisation)
}

func profiles(ctx context.Context, db pg.DB, persons []string) ([]Profile, error) {
	return pg.All[Profile](ctx, db, `select id, names, coalesce(phone, '') as phone, coalesce(email, '') as email, lang from members.person where id = any($1)`, persons)
}
