package enrolment

import (
	"context"
	"errors"

	"tiwiza/marketplace/members"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/job"
	"tiwiza/pkg/pg"
)

// timerEnd fires when a paper that ends soon is to be told of, and when it ends.
const timerEnd = "enrolment.end"

// timerEnded fires when an application was ended: its papers are seen by the market's
// people and the hub alone, and not by who withdrew it as itself.
const timerEnded = "enrolment.ended"

// Work has timers fire. It is called at start.
func (s *Service) Work(timers *job.Timers) {
	timers.Handle(timerEnd, s.ends)
	timers.Handle(timerEnded, ended)
}

// ended has the time of an ended application's papers begin.
func ended(_ context.Context, tx *pg.Tx, org string) error {
	endPapers(tx, org)
	return nil
}

// ends reminds a member of a paper, or ends it: then an organisation that needs
// it sells nothing new until another is accepted.
func (s *Service) ends(ctx context.Context, tx *pg.Tx, paper string) error {
	o, p, r, err := s.lock(ctx, tx, paper)
	if errors.Is(err, ErrNotFound) || err == nil && (p.State != Accepted || p.LastDay == nil) {
		return nil
	}
	if err != nil {
		return err
	}
	end := *p.End()
	if now := tx.Now(); now.Before(end) {
		job.Set(tx, timerEnd, p.ID, Turn(end, now))
		if o.State == members.Suspended || o.State == members.Terminated {
			return nil // who may not sell is reminded of nothing
		}
		return tx.Publish(ctx, PaperExpiring{p.ID, p.Organisation, p.Requirement, r.Names, left(end, now), p.LastDay.Format("2006-01-02")})
	}
	next, err := p.Do(Expire)
	if err != nil {
		return err
	}
	save(tx, next)
	audit.Record(tx, "papers.expire", p.ID, "", map[string]string{"organisation": o.ID, "requirement": p.Requirement})
	if !r.Optional && (o.State == members.Active || o.State == members.Suspended) {
		if _, err := s.Members.Restrict(ctx, tx, o, members.LacksPapers); err != nil {
			return err
		}
	}
	return s.tell(ctx, tx, next, r)
}
