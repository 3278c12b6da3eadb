package procedures

import (
	"context"
	"errors"
	"time"

	"tiwiza/marketplace/members"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/event"
	"tiwiza/pkg/job"
	"tiwiza/pkg/pg"
)

// The moves of a case whose institution is suspended or gone.
const (
	Strand  Move = "strand"  // nobody there may act on it; the market's people hand it on
	Rejoin  Move = "rejoin"  // its institution is at work again
	Entrust Move = "entrust" // another institution has it, and decides
)

// timerStrand goes through the cases of an institution whose state changed, page after
// page.
const (
	timerStrand = "procedures.strand"
	strandPage  = 100
)

// Subscribe has cases follow what becomes of their institution.
func Subscribe(bus *event.Bus, s *Service) {
	event.Subscribe(bus, "procedures", func(ctx context.Context, tx *pg.Tx, e members.Moved) error {
		o, err := s.Members.Of(ctx, tx, e.Organisation)
		if errors.Is(err, members.ErrNotFound) || err == nil && o.Kind != members.Institution {
			return nil
		}
		if err == nil {
			job.Set(tx, timerStrand, o.ID, tx.Now())
		}
		return err
	})
}

// Arm has the hub go through the cases of each institution that has some: one may have
// been suspended before cases followed that. Every hub calls it at start.
func (s *Service) Arm(ctx context.Context) error {
	return s.db.InTx(ctx, func(tx *pg.Tx) error {
		orgs, err := holders(ctx, tx)
		job.SetAllOnce(tx, timerStrand, orgs, tx.Now())
		return err
	})
}

// strand goes through the next cases of an institution: those that it has stand still
// while it is not at work, those on their way to it go back, and what waits since goes
// on when it is at work again.
func (s *Service) strand(ctx context.Context, tx *pg.Tx, org string) error {
	away := false
	if err := s.atWork(ctx, tx, org); errors.Is(err, ErrAway) {
		away = true
	} else if err != nil {
		return err
	}
	ids, err := lockAffected(ctx, tx, org, away, strandPage)
	if err != nil {
		return err
	}
	for _, id := range ids {
		c, d, err := lock(ctx, tx, id)
		if err == nil {
			err = s.follow(ctx, tx, c, d, org, away)
		}
		if err != nil {
			return err
		}
	}
	if len(ids) == strandPage {
		job.Set(tx, timerStrand, org, tx.Now())
	}
	return nil
}

// underWay says whether somebody is to act on the case further: it was handed in, and
// has not ended.
func (c Case) underWay() bool { return c.State == FeeDue || c.State.Open() && c.State != Draft }

// concerns says whether what became of an institution bears on the case.
func (c Case) concerns(org string, away bool) bool {
	if away {
		return c.StrandedAt == nil && c.underWay() && (c.Holder == org || c.State == InTransit && c.Desk == org)
	}
	return c.StrandedAt != nil && c.Holder == org
}

// follow has one case follow what became of an institution, unless it moved on since it
// was found.
func (s *Service) follow(ctx context.Context, tx *pg.Tx, c Case, d Definition, org string, away bool) (err error) {
	if !c.concerns(org, away) {
		return nil
	}
	at := tx.Now()
	if away && c.State == InTransit && c.Desk == org { // it is still with who sent it
		if c, err = c.Do(Return, d, at); err != nil {
			return err
		}
		t, err := openTransit(ctx, tx, c.ID)
		if err != nil {
			return err
		}
		save(tx, c)
		endTransit(tx, t.End("returned", hub, NotReceived, at))
		_, err = s.moved(ctx, tx, c, d, Return, hub, "", "", map[string]any{"receipt": t.ID, "to": t.Sender})
		return err
	}
	m := Strand
	if away {
		c.StrandedAt = &at
	} else {
		m, c = Rejoin, c.rejoined(at)
	}
	c.MovedAt = at
	c.Version++
	save(tx, c)
	_, err = s.moved(ctx, tx, c, d, m, hub, "", "", nil)
	return err
}

// rejoined is the case once its institution is at work again: the time that it stood
// still is nobody's.
func (c Case) rejoined(at time.Time) Case {
	if c.ExamineBy != nil {
		by := endOfDay(c.ExamineBy.Add(at.Sub(*c.StrandedAt)))
		if c.Due != nil && c.Due.Equal(*c.ExamineBy) {
			c.Due = &by
		}
		c.ExamineBy = &by
	}
	if c.State == FeeDue { // nobody could pay
		until := at.Add(patience)
		c.Due = &until
	}
	c.StrandedAt = nil
	return c
}

// EntrustInput gives a case to another institution.
type EntrustInput struct {
	Case    string `path:"case"`
	To      string `json:"to" required:"true" maxLength:"40" description:"The institution that takes the place of the one that is not at work."`
	Text    string `json:"text" required:"true" minLength:"1" maxLength:"1000" description:"Why this one; it reads it, and the applicant does."`
	Version int    `json:"version,omitempty" minimum:"0" description:"Of the case as one saw it; when it has changed since, nothing is done."`
}

// EntrustTo gives a case that stands still, because its institution is suspended or
// gone, to another that is at work: from then on it has the case, examines and decides
// it in its own name, in a new term. A case that was only handed over goes back to the
// institution whose procedure it is, while that one is at work. What one person proposed
// there counts no more. The market's people call it.
func (s *Service) EntrustTo(ctx context.Context, tx *pg.Tx, in EntrustInput) (v CaseView, err error) {
	if auth.From(ctx).Role != auth.Operator {
		return v, ErrNotFound
	}
	c, d, err := lock(ctx, tx, in.Case)
	if err != nil {
		return v, err
	}
	if err := stale(nil, c, in.Version); err != nil {
		return v, err
	}
	if c.StrandedAt == nil || !c.underWay() {
		return v, ErrState.Say("This case does not stand still: its institution is at work, or the case has ended.").At("/state", string(c.State))
	}
	note := words(in.Text)
	if note == "" {
		return v, ErrInvalid.At("/text", "Say why this institution has the case now.")
	}
	if err := s.atWork(ctx, tx, in.To); err != nil {
		return v, ErrInvalid.At("/to", "This is no institution that is at work here.").With(err)
	}
	from := c.Institution
	if c.Holder != from && in.To != from {
		err := s.atWork(ctx, tx, from)
		if err == nil {
			err = ErrInvalid.At("/to", "The institution whose procedure it is is at work: give the case back to it.")
		}
		if !errors.Is(err, ErrAway) {
			return v, err
		}
	}
	if err := s.undecided(ctx, tx, c); err != nil {
		return v, err
	}
	c = c.Entrusted(in.To, d, tx.Now())
	save(tx, c)
	return s.moved(ctx, tx, c, d, Entrust, hub, "", note, map[string]any{"from": from, "to": in.To})
}

// undecided ends what waits at the institution that had the case: a proposal, or a
// hand-over to another.
func (s *Service) undecided(ctx context.Context, tx *pg.Tx, c Case) error {
	switch c.State {
	case Seconding:
		x, err := lastDecision(ctx, tx, c.ID)
		if err != nil {
			return err
		}
		x.State = Declined
		saveDecision(tx, c.ID, x)
		return s.Dues.Keep(ctx, tx, c.ID) // somebody has looked
	case InTransit:
		t, err := openTransit(ctx, tx, c.ID)
		if err != nil {
			return err
		}
		endTransit(tx, t.End("returned", by(ctx), NotReceived, tx.Now()))
	}
	return nil
}
