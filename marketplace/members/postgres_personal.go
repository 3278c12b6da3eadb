package members

import (
	"context"
	"slices"

	"tiwiza/pkg/personal"
	"tiwiza/pkg/pg"
)

// Subject is a person with all that it is known by: the buyers without an account
// that it was, and where they are reached. ErrPerson.
func (s *Service) Subject(ctx context.Context, db pg.DB, person string) (v personal.Subject, err error) {
	type row struct {
		ID           string
		Phone, Email *string
	}
	all, err := pg.All[row](ctx, db, `select id, phone, email from members.person
		where id = $1 or id in (select guest from members.guest_claim where person = $1) order by id = $1 desc, id`, person)
	if err != nil {
		return v, err
	}
	if len(all) == 0 || all[0].ID != person {
		return v, ErrPerson
	}
	v = personal.Subject{Person: person, Guests: []string{}, Addresses: []string{}}
	for _, r := range all {
		if r.ID != person {
			v.Guests = append(v.Guests, r.ID)
		}
		for _, a := range []*string{r.Phone, r.Email} {
			if a != nil && !slices.Contains(v.Addresses, *a) {
				v.Addresses = append(v.Addresses, *a)
			}
		}
	}
	return v, nil
}

// Personal is what members keeps of people. Whoever is forgotten signs in no more:
// sessions, passkeys and keys end, and nobody is at its addresses.
func (s *Service) Personal() personal.Holder {
	return personal.Room{
		Called: "members",
		Duties: []personal.Duty{{Code: "members.alone_responsible", Open: `select distinct m.organisation from members.membership m
			join members.organisation o on o.id = m.organisation join members.role r on r.name = m.role
			where m.person = any($1) and m.valid_to is null and o.state <> 'terminated' and 'people' = any(r.rights) and not exists (
				select from members.membership n join members.role q on q.name = n.role
				where n.organisation = m.organisation and n.person <> m.person and n.valid_to is null and 'people' = any(q.rights)) order by 1`}},
		Ages: []personal.Age{
			{Code: "devices", Past: `update members.session set device = '', address = '', ended_at = coalesce(ended_at, platform.now()), ended_by = case when ended_by = '' then 'aged' else ended_by end
				where id in (select id from members.session where seen_at < $1 and (device <> '' or address <> '') order by seen_at limit $2)`},
			{Code: "invitations", Past: `update members.invitation set address = id where id in (select id from members.invitation where ended_at < $1 and address <> id order by ended_at limit $2)`},
		},
		Tables: []personal.Table{
			{
				Name:  "members.session",
				Show:  `select jsonb_build_object('device', device, 'address', address, 'proof', proof, 'since', made_at, 'last_seen', seen_at, 'ended', ended_at) from members.session where person = any($1) order by id`,
				Erase: []string{`update members.session set ended_at = coalesce(ended_at, platform.now()), ended_by = case when ended_by = '' then 'erased' else ended_by end where (person = any($1) or acts_for = any($1)) and ended_at is null`, `update members.session set device = '', address = '' where person = any($1) and (device, address) <> ('', '')`},
			},
			{
				Name:  "members.passkey",
				Show:  `select jsonb_build_object('label', label, 'since', made_at, 'last_used', used_at, 'ended', ended_at) from members.passkey where person = any($1) order by id`,
				Erase: []string{`delete from members.passkey where person = any($1)`},
			},
			{Name: "members.pin", Show: `select jsonb_build_object('set_at', set_at) from members.pin where person = any($1)`, Erase: []string{`delete from members.pin where person = any($1)`}},
			{Name: "members.code", Erase: []string{`delete from members.code where address = any($1)`}},
			{Name: "members.throttle", Erase: []string{`delete from members.throttle t using unnest($1::text[]) k where strpos(t.key, k) > 0`}},
			{
				Name:  "members.api_key",
				Show:  `select jsonb_build_object('label', label, 'since', created_at, 'revoked', revoked_at) from members.api_key where subject = any($1) order by id`,
				Erase: []string{`update members.api_key set revoked_at = coalesce(revoked_at, platform.now()), label = '' where subject = any($1) and (revoked_at is null or label <> '')`},
			},
			{
				Name:  "members.membership",
				Show:  `select jsonb_build_object('organisation', organisation, 'role', role, 'since', valid_from, 'until', valid_to) from members.membership where person = any($1) order by id`,
				Erase: []string{`update members.membership set valid_to = platform.now(), ended_by = 'erased' where person = any($1) and valid_to is null`},
			},
			{
				Name: "members.application",
				Show: `select jsonb_build_object('organisation', organisation, 'since', made_at, 'until', ended_at) from members.application where person = any($1) order by organisation`,
			},
			{
				Name:  "members.invitation",
				Show:  `select jsonb_build_object('organisation', organisation, 'role', role, 'address', address, 'made_at', made_at, 'accepted', accepted_by is not null) from members.invitation where address = any($1) or accepted_by = any($1) order by id`,
				Erase: []string{`update members.invitation set address = id, ended_at = coalesce(ended_at, platform.now()) where address <> id and (address = any($1) or accepted_by = any($1))`},
			},
			{Name: "members.guest_claim", Show: `select jsonb_build_object('bought_as', guest, 'shown_by', proof, 'at', at) from members.guest_claim where person = any($1) order by guest`},
			{Name: "members.inbox", Show: `select jsonb_build_object('address', address, 'kind', kind, 'at', at) from members.inbox where address = any($1) order by id`, Erase: []string{`delete from members.inbox where address = any($1)`}},
			{
				Name:  "members.person",
				Show:  `select jsonb_build_object('id', id, 'names', names, 'phone', phone, 'email', email, 'lang', lang, 'voice', voice, 'since', created_at) from members.person where id = any($1) order by id`,
				Erase: []string{`update members.person set names = '{}', phone = null, email = null where id = any($1) and (names <> '{}' or phone is not null or email is not null)`},
			},
		},
	}
}
