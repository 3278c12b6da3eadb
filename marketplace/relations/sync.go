package relations

import (
	"context"
	"log/slog"
	"time"

	"tiwiza/adapters/crm"
	"tiwiza/pkg/job"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pg"
)

// The bounds of one talk with a system.
const (
	talkTime = 30 * time.Second // then a new job goes on
	fewer    = 20               // what is said one by one
	mostGone = 3                // how often what the system lost is put anew
)

var fine = outbound.Result{Outcome: outbound.Succeeded}

// Sync says to a system what there is to say, one hub at a time. A system that
// does not answer is left alone for a while, longer each time.
func (s *Service) Sync(ctx context.Context, partner string) error {
	c, err := s.open(ctx, s.db, partner)
	if err != nil || c == nil {
		return err
	}
	until, err := s.occupy(ctx, partner)
	if err != nil || until.IsZero() {
		return err
	}
	talk, cancel := context.WithTimeout(ctx, talkTime)
	r, err := s.talk(talk, c)
	cancel()
	if err != nil {
		slog.WarnContext(ctx, "a system cannot be kept up to date", "partner", partner, "error", err)
		r = outbound.Result{Outcome: outbound.NotSent, Text: "the hub failed", Err: err}
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return s.leave(last, c, until, r)
}

// occupy has nobody else speak with a system for a while; zero when it is not to
// be spoken to now.
func (s *Service) occupy(ctx context.Context, partner string) (until time.Time, err error) {
	err = s.db.InTx(ctx, func(tx *pg.Tx) error {
		p, err := lockPartner(ctx, tx, partner)
		if err != nil || !p.rested(tx.Now()) {
			return err
		}
		until = tx.Now().Add(lease)
		p.BusyUntil = &until
		savePartner(tx, p)
		job.Set(tx, timerLater, partner, until.Add(gather))
		return nil
	})
	return until, err
}

// leave writes down how a talk went, and when the next one is.
func (s *Service) leave(ctx context.Context, c *crm.CRM, until time.Time, r outbound.Result) error {
	return s.db.InTx(ctx, func(tx *pg.Tx) error {
		p, err := lockPartner(ctx, tx, c.ID())
		if err != nil || p.BusyUntil == nil || !p.BusyUntil.Equal(until) {
			return err // somebody else speaks with it by now
		}
		due, err := nextDue(ctx, tx, c.ID())
		if err != nil {
			return err
		}
		p = p.after(r, tx.Now())
		savePartner(tx, p)
		switch next := s.next(c, p, due, tx.Now()); {
		case next.IsZero():
			job.Clear(tx, timerLater, c.ID())
		default:
			job.Set(tx, timerLater, c.ID(), next)
		}
		return nil
	})
}

// after is how the hub stands with a system after a talk.
func (p Partner) after(r outbound.Result, now time.Time) Partner {
	p.BusyUntil, p.RetryAt = nil, nil
	if r.Outcome == outbound.Succeeded {
		p.Failures, p.Reason, p.Code, p.SyncedAt = 0, "", "", &now
		return p
	}
	wait := r.RetryAfter
	switch r.Reason {
	case outbound.Limited, outbound.Busy:
		wait = max(wait, time.Second)
	case outbound.Cancelled:
	case outbound.Credentials, outbound.Trust, outbound.Unlisted, outbound.Unfit:
		p.Failures++
		wait = outbound.MaxRetryAfter // a person must look
	default:
		p.Failures++
		wait = max(wait, pause(p.Failures))
	}
	p.Reason, p.Code = string(r.Reason), r.Code
	if p.Reason == "" {
		p.Reason = string(r.Outcome)
	}
	at := now.Add(wait)
	p.RetryAt = &at
	return p
}

// next is when a system is spoken to again: when something is to be said, or it is
// to be asked who refuses, but not before it may be.
func (s *Service) next(c *crm.CRM, p Partner, due *time.Time, now time.Time) (next time.Time) {
	if due != nil {
		next = *due
	}
	if c.KeepsWishes() {
		look := now
		if p.LookedAt != nil {
			look = p.LookedAt.Add(s.LookEvery)
		}
		if next.IsZero() || look.Before(next) {
			next = look
		}
	}
	if next.IsZero() || p.Paused {
		return time.Time{}
	}
	if p.RetryAt != nil && p.RetryAt.After(next) {
		next = *p.RetryAt
	}
	if soonest := now.Add(gather); next.Before(soonest) {
		next = soonest
	}
	return next
}

// talk says all there is to say until the system fails, or the time is over.
func (s *Service) talk(ctx context.Context, c *crm.CRM) (outbound.Result, error) {
	steps := []func(context.Context, *crm.CRM) (bool, outbound.Result, error){s.eraseSome}
	for _, e := range entities {
		steps = append(steps, func(ctx context.Context, c *crm.CRM) (bool, outbound.Result, error) { return s.tell(ctx, c, e) })
	}
	steps = append(steps, s.look)
	for _, step := range steps {
		for more := true; more; {
			var r outbound.Result
			var err error
			if ctx.Err() != nil {
				return fine, nil // the next job goes on
			}
			if more, r, err = step(ctx, c); err != nil || r.Outcome != outbound.Succeeded {
				return r, err
			}
		}
	}
	return fine, nil
}

// tell says to a system what there is to say of some of one entity: what is true
// now, and nothing that it was told already. It asks the system between two units
// of work; what became of what it was asked is not known until the second, and
// then said again: the system has it once, by our name.
func (s *Service) tell(ctx context.Context, c *crm.CRM, e Entity) (more bool, r outbound.Result, err error) {
	var all []saying
	var taken int
	err = s.db.InTx(ctx, func(tx *pg.Tx) (err error) {
		all, taken, err = s.take(ctx, tx, c, e)
		return err
	})
	if err != nil || taken == 0 {
		return false, fine, err
	}
	if len(all) == 0 {
		return true, fine, nil
	}
	puts, r := s.put(ctx, c, e, all)
	if r.Err != nil {
		slog.WarnContext(ctx, "a system was not told all", "partner", c.ID(), "entity", e, "outcome", r.Outcome, "reason", r.Reason, "error", r.Err)
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	err = s.db.InTx(last, func(tx *pg.Tx) error { return s.heard(last, tx, c, e, all, puts, r) })
	return true, r, err
}

// take reads what is due, settles that of which nothing is said, and gives the
// others: from here on nobody knows what the system was told of them last, until
// it has answered. Those that failed together are taken in ever smaller parts, so that one
// on which the system stumbles does not keep the others from it.
func (s *Service) take(ctx context.Context, tx *pg.Tx, c *crm.CRM, e Entity) (say []saying, taken int, err error) {
	p, err := partnerOf(ctx, tx, c.ID())
	if err != nil || p.Paused {
		return nil, 0, err
	}
	limit := crm.MaxBatch
	if e == Consent {
		limit = fewer
	}
	links, err := dueLinks(ctx, tx, c.ID(), e, tx.Now(), limit)
	if err != nil || len(links) == 0 {
		return nil, 0, err
	}
	links = links[:alike(links, limit)]
	f, err := s.facts(ctx, tx, c, e, links, p)
	if err != nil {
		return nil, 0, err
	}
	var quiet []outcome
	for _, l := range links {
		if x := f.say(l); x.why != "" || x.unchanged() {
			quiet = append(quiet, x.kept())
		} else {
			say = append(say, x)
		}
	}
	settle(tx, c.ID(), e, quiet)
	doubt(tx, c.ID(), e, say)
	return say, len(links), nil
}

// alike is how many links from the first on are taken together.
func alike(links []Link, limit int) int {
	tries, n := links[0].Tries, 1
	most := max(1, limit>>min(tries, 10))
	for n < len(links) && n < most && links[n].Tries == tries {
		n++
	}
	return n
}

// put asks the system.
func (s *Service) put(ctx context.Context, c *crm.CRM, e Entity, all []saying) ([]crm.Put, outbound.Result) {
	switch e {
	case Contact:
		return c.PutContacts(ctx, each(all, func(x saying) crm.Contact { return x.contact }))
	case Points:
		return c.PutPoints(ctx, each(all, func(x saying) crm.Points { return x.points }))
	case Deal:
		return c.PutDeals(ctx, each(all, func(x saying) crm.Deal { return x.deal }))
	}
	var puts []crm.Put
	for _, x := range all {
		r := c.Wish(ctx, x.wish)
		switch r.Outcome {
		case outbound.Succeeded:
			puts = append(puts, crm.Put{ID: x.LocalID, RemoteID: "-"})
		case outbound.Declined:
			puts = append(puts, crm.Put{ID: x.LocalID, Refused: r.Code})
		default:
			return puts, r
		}
	}
	return puts, fine
}

func each[T any](all []saying, of func(saying) T) []T {
	out := make([]T, len(all))
	for i, x := range all {
		out[i] = of(x)
	}
	return out
}

// heard writes down what became of what a system was told.
func (s *Service) heard(ctx context.Context, tx *pg.Tx, c *crm.CRM, e Entity, all []saying, puts []crm.Put, r outbound.Result) error {
	said := by(puts, func(p crm.Put) string { return p.ID })
	outcomes := make([]outcome, len(all))
	var fresh []string
	for i, x := range all {
		p, told := said[x.LocalID]
		outcomes[i] = x.became(p, told, r, tx.Now())
		if e == Contact && told && p.RemoteID != "" && x.RemoteID == "" {
			fresh = append(fresh, x.Person)
		}
		if e == Consent && told && p.Refused != "" && x.wish.Granted {
			// The person refused there, and only the person can change that there.
			if _, err := s.wish(ctx, tx, Wish{Person: x.Person, Source: ByCRM, Partner: c.ID()}); err != nil {
				return err
			}
		}
	}
	settle(tx, c.ID(), e, outcomes)
	if len(fresh) > 0 {
		free(tx, c.ID(), heldContact, fresh)
	}
	return nil
}

// became is what becomes of a link by what the system said of it.
func (x saying) became(p crm.Put, told bool, r outbound.Result, now time.Time) outcome {
	o := outcome{Link: x.Link, sent: told}
	o.Held, o.Code, o.ContentHash = "", "", ""
	switch {
	case told && p.Refused == crm.Gone && x.contact.Withdrawn:
		o.RemoteID, o.ContentHash, o.Held = "", x.hash, heldConsent
	case told && p.Refused == crm.Gone && x.Tries < mostGone:
		o.RemoteID, o.again, o.DueAt = "", true, now
		if x.Entity == Points { // it is the contact that is gone
			o.again, o.Held, o.Code = false, heldRefused, p.Refused
		}
	case told && p.Refused != "":
		o.Held, o.Code = heldRefused, p.Refused
	case told:
		o.ContentHash = x.hash
		if o.RemoteID = p.RemoteID; x.contact.Withdrawn {
			o.Held = heldConsent
		}
	case r.Outcome == outbound.NotSent:
		o.again, o.DueAt = true, now
	default:
		o.again, o.DueAt, o.Code = true, now.Add(aside(x.Tries+1)), string(r.Outcome)
	}
	return o
}
