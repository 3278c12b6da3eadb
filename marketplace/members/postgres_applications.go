package members

import (
	"context"
	"time"

	"tiwiza/pkg/pg"
)

// freeSlot is the first place for another application of a person that is locked; 0
// when it has as many as it may.
func freeSlot(ctx context.Context, tx *pg.Tx, person string) (int, error) {
	return pg.Value[int](ctx, tx, nil, `select coalesce(min(n), 0)::int from generate_series(1, 3) n
		where not exists (select from members.application a where a.person = $1 and a.slot = n and a.ended_at is null)`, person)
}

func appliedSince(ctx context.Context, tx *pg.Tx, person string, since time.Time) (int, error) {
	return pg.Value[int](ctx, tx, nil, `select count(*)::int from (select from members.application where person = $1 and made_at > $2 limit 100) a`, person, since)
}

func insertApplication(tx *pg.Tx, org, person string, slot int) {
	tx.QueueMapped(func(err error) error {
		if pg.Violates(err, "application_slot") {
			return ErrDrafts
		}
		return err
	}, `insert into members.application (organisation, person, slot, made_at) values ($1, $2, $3, $4)`, org, person, slot, tx.Now())
}

// endApplication gives an applicant's place free.
func endApplication(tx *pg.Tx, org string) {
	tx.Queue(`update members.application set ended_at = platform.now() where organisation = $1 and ended_at is null`, org)
}

// bearers counts the members who have an ICE, other than one organisation.
func bearers(ctx context.Context, tx *pg.Tx, ice, but string) (int, error) {
	return pg.Value[int](ctx, tx, nil, `select count(*)::int from members.organisation where legal ->> 'ice' = $1 and legal ->> 'ice' <> '' and state in ('active', 'suspended') and id <> $2`, ice, but)
}

// rewrite writes what an organisation says of itself.
func rewrite(tx *pg.Tx, o Organisation) {
	tx.Queue(`update members.organisation set names = $2, legal = $3, region = $4, commune = $5, lat = $6, lng = $7, version = $8 where id = $1`,
		o.ID, o.Names, o.Legal, o.Region, o.Commune, o.Lat, o.Lng, o.Version)
}

// taken says that an organisation cannot be a member with another's ICE.
func taken(err error) error {
	if pg.Violates(err, "organisation_ice") {
		return ErrTaken
	}
	return err
}
