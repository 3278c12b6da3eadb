package procedures

import (
	"context"
	"errors"

	"tiwiza/pkg/job"
	"tiwiza/pkg/pg"
)

// timerTurn fires when a term of a case draws near, or is over.
const timerTurn = "procedures.turn"

// Work says what the timers of procedures do.
func (s *Service) Work(t *job.Timers) {
	t.Handle(timerTurn, s.turn)
	t.Handle(timerStrand, s.strand)
}

// setTurn has a case be looked at when its term draws near.
func (s *Service) setTurn(tx *pg.Tx, c Case, d Definition) {
	if c.Due == nil || c.StrandedAt != nil {
		job.Clear(tx, timerTurn, c.ID)
		return
	}
	job.Set(tx, timerTurn, c.ID, d.Terms.turn(*c.Due, tx.Now()))
}

// turn tells whoever is to act that its term draws near or is over, and ends what
// ends by itself.
func (s *Service) turn(ctx context.Context, tx *pg.Tx, id string) error {
	c, d, err := lock(ctx, tx, id)
	if errors.Is(err, ErrNotFound) || err == nil && (c.Due == nil || c.StrandedAt != nil) {
		return nil
	}
	if err != nil {
		return err
	}
	over := !tx.Now().Before(*c.Due)
	if m, ends := map[State]Move{Draft: Lapse, FeeDue: Lapse, Asked: Resume, InTransit: Return, Granted: Close, Refused: Close}[c.State]; ends && over {
		if c, err = c.Do(m, d, tx.Now()); err != nil {
			return err
		}
		save(tx, c)
		var detail map[string]any
		switch m {
		case Resume:
			answerQuestion(tx, c.ID, "", hub)
		case Return: // it is still with who had it, who hands it over again or decides
			t, err := openTransit(ctx, tx, c.ID)
			if err != nil {
				return err
			}
			endTransit(tx, t.End("returned", hub, NotReceived, tx.Now()))
			detail = map[string]any{"receipt": t.ID, "to": t.Sender}
		}
		_, err = s.moved(ctx, tx, c, d, m, hub, "", "", detail)
		return err
	}
	if c.State == Granted || c.State == Refused || c.State == Draft {
		if !over {
			s.setTurn(tx, c, d)
		}
		return nil
	}
	if !over {
		s.setTurn(tx, c, d)
	}
	return tx.Publish(ctx, CaseDue{Case: c.ID, Names: d.Names, State: c.State, Desk: c.Desk, Applicant: c.Applicant, Due: *c.Due, Overdue: over})
}
