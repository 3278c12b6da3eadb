package relations

import (
	"context"
	"slices"

	"tiwiza/adapters/crm"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pg"
)

// look asks a system, from time to time, who of those that agreed refuses there:
// that is the last word, unless the person agreed here since, and the system is
// still to hear of it. It goes through all of them in parts.
func (s *Service) look(ctx context.Context, c *crm.CRM) (more bool, r outbound.Result, err error) {
	if !c.KeepsWishes() {
		return false, fine, nil
	}
	var p Partner
	var part []watched
	var emails map[string]string
	err = s.db.InTx(ctx, func(tx *pg.Tx) (err error) {
		if p, err = partnerOf(ctx, tx, c.ID()); err != nil || p.Paused || p.LookedAt != nil && p.LookedAt.Add(s.LookEvery).After(tx.Now()) {
			return err
		}
		if part, err = watchedAfter(ctx, tx, c.ID(), p.Cursor, crm.MaxBatch); err != nil {
			return err
		}
		if emails, err = s.emails(ctx, tx, part); err != nil || len(part) > 0 {
			return err
		}
		return s.looked(ctx, tx, c.ID(), "")
	})
	if err != nil || len(part) == 0 {
		return false, fine, err
	}
	asked := slices.Sorted(keys(emails))
	refusing, r := c.Refusing(ctx, asked)
	if r.Outcome != outbound.Succeeded {
		return false, r, nil
	}
	err = s.db.InTx(ctx, func(tx *pg.Tx) error {
		for _, w := range part {
			if !slices.ContainsFunc(refusing, func(at string) bool { return emails[at] == w.LocalID }) {
				continue
			}
			if still, err := stillSaid(ctx, tx, c.ID(), w.LocalID, w.Wanted); err != nil || !still {
				if err != nil {
					return err
				}
				continue
			}
			if _, err := s.wish(ctx, tx, Wish{Person: w.LocalID, Source: ByCRM, Partner: c.ID()}); err != nil {
				return err
			}
		}
		next := part[len(part)-1].LocalID
		if len(part) < crm.MaxBatch {
			next = ""
		}
		return s.looked(ctx, tx, c.ID(), next)
	})
	return len(part) == crm.MaxBatch, fine, err
}

// Heard has a system be asked soon who refuses there, because it says that somebody
// does: ErrPartner. It proves nothing; what the system says when it is asked does.
func (s *Service) Heard(ctx context.Context, partner string) error {
	return s.db.InTx(ctx, func(tx *pg.Tx) error {
		p, err := lockPartner(ctx, tx, partner)
		if err != nil {
			return err
		}
		p.Cursor, p.LookedAt = "", nil
		savePartner(tx, p)
		s.soon(tx, partner)
		return nil
	})
}

// looked notes how far a system was asked; to the end with "".
func (s *Service) looked(ctx context.Context, tx *pg.Tx, partner, cursor string) error {
	p, err := lockPartner(ctx, tx, partner)
	if err != nil {
		return err
	}
	if p.Cursor = cursor; cursor == "" {
		now := tx.Now()
		p.LookedAt = &now
	}
	savePartner(tx, p)
	return nil
}

// emails are the persons of some addresses.
func (s *Service) emails(ctx context.Context, db pg.DB, part []watched) (map[string]string, error) {
	persons := make([]string, len(part))
	for i, w := range part {
		persons[i] = w.LocalID
	}
	found, err := s.People.Profiles(ctx, db, persons)
	out := make(map[string]string, len(found))
	for _, p := range found {
		if p.Email != "" {
			out[p.Email] = p.ID
		}
	}
	return out, err
}

func keys(m map[string]string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}
