package notices

import (
	"cmp"
	"context"
	"slices"

	"tiwiza/adapters/notify"
	"tiwiza/pkg/pg"
)

// Reported takes in what a gateway says of messages that it took. Saying it
// again changes nothing, and what is said of messages that are not ours is no
// matter.
func (s *Service) Reported(ctx context.Context, carrier string, c notify.Callback) error {
	from, err := s.carrier(ctx, carrier)
	if err != nil {
		return err
	}
	all, err := from.Reports(c)
	if err != nil {
		return err
	}
	var refs, names []string
	for _, r := range all {
		switch {
		case r.State == notify.Underway:
		case r.Ref != "":
			refs = append(refs, r.Ref)
		case r.PartnerID != "":
			names = append(names, r.PartnerID)
		}
	}
	if len(refs)+len(names) == 0 {
		return nil
	}
	return s.db.InTx(ctx, func(tx *pg.Tx) error {
		known, err := spoken(ctx, tx, carrier, refs, names)
		if err != nil {
			return err
		}
		// Two reports of the same notices are taken in one after the other.
		slices.SortFunc(known, func(a, b Attempt) int { return cmp.Compare(a.Notice, b.Notice) })
		for _, a := range known {
			for _, r := range all {
				if r.State != notify.Underway && (r.Ref == a.ID || r.Ref == "" && r.PartnerID == a.PartnerID) {
					if err := s.report(ctx, tx, a, r); err != nil {
						return err
					}
				}
			}
		}
		return nil
	})
}

// carrier is one by its name: ErrPartner.
func (s *Service) carrier(ctx context.Context, name string) (*notify.Carrier, error) {
	for _, c := range s.Carriers {
		if c.ID() == name {
			return c, nil
		}
	}
	if s.Plugged == nil {
		return nil, ErrPartner
	}
	return s.Plugged.Carrier(ctx, s.db, name)
}

// report takes in what was said of one attempt. It only moves on: what was
// delivered stays so, whatever is said later.
func (s *Service) report(ctx context.Context, tx *pg.Tx, a Attempt, r notify.Report) error {
	n, err := lock(ctx, tx, a.Notice)
	if err != nil {
		return unlessGone(err)
	}
	tries, err := attemptsOf(ctx, tx, n.ID) // as they are under the lock
	if err != nil {
		return err
	}
	i := slices.IndexFunc(tries, func(t Attempt) bool { return t.ID == a.ID })
	if i < 0 { // forgotten meanwhile
		return nil
	}
	a = tries[i]
	if a.State == TryDelivered || a.State == TryRefused {
		return nil
	}
	a.State, a.Code = TryDelivered, r.Code
	if r.State == notify.Failed {
		a.State = TryRefused
	}
	if a.PartnerID == "" {
		a.PartnerID = r.PartnerID
	}
	a.Version++
	saveAttempt(tx, a)
	return s.onward(ctx, tx, n, 0)
}
