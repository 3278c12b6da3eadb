package members

import (
	"context"

	"tiwiza/pkg/pg"
)

// claimGuests makes those of some buyers a person's who are guests and nobody's
// yet, and says who they are.
func claimGuests(ctx context.Context, tx *pg.Tx, person, proof string, guests []string) ([]string, error) {
	if _, err := lockPerson(ctx, tx, person); err != nil { // two sign-ins of one person, one after the other
		return nil, err
	}
	return pg.Column[string](ctx, tx, `insert into members.guest_claim (guest, person, proof, at)
		select p.id, $1, $2, platform.now() from members.person p
		where p.id = any($3::text[]) and p.id <> $1 and p.phone is null and p.email is null
			and exists (select from members.api_key k where k.subject = p.id and k.role = 'buyer' and k.label = $4)
			and not exists (select from members.guest_claim c where c.guest = p.id)
		order by p.id limit greatest(0, $5 - (select count(*) from members.guest_claim c where c.person = $1))
		on conflict (guest) do nothing returning guest`, person, proof, guests, guest, mostGuests)
}

// Nobodies are those of some buyers who are guests and whom nobody has shown to have
// been: they bought without an account.
func (s *Service) Nobodies(ctx context.Context, db pg.DB, buyers []string) ([]string, error) {
	return pg.Column[string](ctx, db, `select p.id from members.person p
		where p.id = any($1::text[]) and p.phone is null and p.email is null
			and exists (select from members.api_key k where k.subject = p.id and k.role = 'buyer' and k.label = $2)
			and not exists (select from members.guest_claim c where c.guest = p.id) order by p.id`, buyers, guest)
}

func endKeys(tx *pg.Tx, subjects []string) {
	tx.Queue(`update members.api_key set revoked_at = platform.now() where subject = any($1::text[]) and role = 'buyer' and revoked_at is null`, subjects)
}
