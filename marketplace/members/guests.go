package members

import (
	"context"
	"errors"
	"time"

	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/pg"
)

// The bounds of finding guests.
const (
	// guestAge is how old an order may be that a phone number alone brings to
	// who has it now: a number that nobody pays for is given to somebody else
	// after some months.
	guestAge = 90 * day
	// mostGuests are those that one person was: they are part of each look at its
	// session.
	mostGuests = 40
)

// Bought finds buyers by the phone number that they left.
type Bought interface {
	// OnlyFor are the buyers all of whose orders were made since a moment, and
	// for that phone number, the last to order first.
	OnlyFor(ctx context.Context, db pg.DB, phone string, since time.Time, most int) ([]string, error)
}

// FindGuests has guests be found by what they bought. It is called at start;
// without it they are found by their secret alone.
func (s *Service) FindGuests(in Bought) { s.bought = in }

// claim makes a person, who has just shown that an address is its own, the owner
// of what it bought as a guest: with a secret, whatever the guest ordered; with
// the address alone, when all of the guest's orders are for that phone and
// recent. Who comes first has it. The guests' secrets end: what is ordered with
// them later might be somebody else's.
func (s *Service) claim(ctx context.Context, tx *pg.Tx, person string, at Address, secret string) error {
	known, err := s.guestOf(ctx, tx, secret)
	if err != nil {
		return err
	}
	if err := s.claimBy(ctx, tx, person, "key", known); err != nil {
		return err
	}
	if s.bought == nil || at.Phone() == "" {
		return nil
	}
	found, err := s.bought.OnlyFor(ctx, tx, at.Phone(), tx.Now().Add(-guestAge), 2*mostGuests)
	if err != nil {
		return err
	}
	return s.claimBy(ctx, tx, person, "phone", found)
}

// guestOf is whom a secret is of. One that opens nothing is of nobody: a device
// may keep an old one, and signs in all the same.
func (s *Service) guestOf(ctx context.Context, tx *pg.Tx, secret string) ([]string, error) {
	k, err := auth.ParseKey(secret)
	if err != nil || k.Session() {
		return nil, nil
	}
	p, err := s.Holder(ctx, tx, k)
	switch {
	case errors.Is(err, auth.ErrUnknown) || errors.Is(err, ErrWaits) || err == nil && p.Role != auth.Buyer:
		return nil, nil
	case err != nil:
		return nil, err
	}
	return []string{p.Subject}, nil
}

func (s *Service) claimBy(ctx context.Context, tx *pg.Tx, person, proof string, guests []string) error {
	if len(guests) == 0 {
		return nil
	}
	claimed, err := claimGuests(ctx, tx, person, proof, guests)
	if err != nil || len(claimed) == 0 {
		return err
	}
	endKeys(tx, claimed)
	for _, g := range claimed {
		audit.Record(tx, "guests.claim", g, authz.Policy(ctx), map[string]string{"person": person, "proof": proof})
		if err := tx.Publish(ctx, GuestFound{Person: person, Guest: g}); err != nil {
			return err
		}
	}
	return nil
}
