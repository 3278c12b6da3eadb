package procedures

import (
	"context"

	"tiwiza/pkg/auth"
	"tiwiza/pkg/id"
	"tiwiza/pkg/pg"
)

// TakeUp begins to examine a case, or looks again at one whose applicant objected.
// From then on its fee is earned.
func (s *Service) TakeUp(ctx context.Context, tx *pg.Tx, in HeldInput) (v CaseView, err error) {
	c, d, err := s.lockHeld(ctx, tx, in.Case, in.Version)
	if err != nil {
		return v, err
	}
	if c, err = c.Do(Examine, d, tx.Now()); err != nil {
		return v, err
	}
	c.Officer = by(ctx)
	save(tx, c)
	if d.Fee != nil {
		if err := s.Dues.Keep(ctx, tx, c.ID); err != nil {
			return v, err
		}
	}
	return s.moved(ctx, tx, c, d, Examine, institution, "", "", nil)
}

// AskMore asks the applicant for papers, changes or an answer.
func (s *Service) AskMore(ctx context.Context, tx *pg.Tx, in HeldTextInput) (v CaseView, err error) {
	c, d, err := s.lockHeld(ctx, tx, in.Case, in.Version)
	if err != nil {
		return v, err
	}
	text := words(in.Text)
	if text == "" || len([]rune(text)) > 1000 {
		return v, ErrInvalid.At("/text", "Say what you need, in at most 1,000 letters.")
	}
	if c, err = c.Do(Ask, d, tx.Now()); err != nil {
		return v, err
	}
	n, err := lastQuestion(ctx, tx, c.ID)
	if err != nil {
		return v, err
	}
	if n >= 20 {
		return v, ErrAsked
	}
	save(tx, c)
	insertQuestion(tx, c.ID, Question{N: n + 1, Text: text, AskedBy: by(ctx), AskedAt: tx.Now()})
	return s.moved(ctx, tx, c, d, Ask, institution, "", text, map[string]any{"question": n + 1})
}

// GoOn says that the step at which the case is has been done by whose it is.
func (s *Service) GoOn(ctx context.Context, tx *pg.Tx, in HeldTextInput) (v CaseView, err error) {
	c, d, err := s.lockHeld(ctx, tx, in.Case, in.Version)
	if err != nil {
		return v, err
	}
	if c.State == Examining {
		if d.last(c.Step) {
			return v, ErrState.Say("This is the last step: decide.").At("/step", d.Steps[c.Step].Code)
		}
		if (d.Steps[c.Step].Actor == institution) != (c.Holder == c.Institution) {
			return v, ErrTheirStep
		}
	}
	if c, err = c.Do(Advance, d, tx.Now()); err != nil {
		return v, err
	}
	done := d.Steps[c.Step].Code
	c.Step++
	save(tx, c)
	return s.moved(ctx, tx, c, d, Advance, institution, "", words(in.Text), map[string]any{"step": done})
}

// Send hands a case over to another institution, which receives or returns it.
// Until then the case stays the caller's.
func (s *Service) Send(ctx context.Context, tx *pg.Tx, in SendInput) (v CaseView, err error) {
	c, d, err := s.lockHeld(ctx, tx, in.Case, in.Version)
	if err != nil {
		return v, err
	}
	note := words(in.Text)
	switch {
	case in.To == c.Holder:
		return v, ErrInvalid.At("/to", "Your institution has this case.")
	case note == "":
		return v, ErrInvalid.At("/text", "Say what the other institution is to do.")
	}
	if err := s.atWork(ctx, tx, in.To); err != nil {
		return v, ErrInvalid.At("/to", "This is no institution that is at work here.").With(err)
	}
	if c, err = c.Sent(in.To, d, tx.Now()); err != nil {
		return v, err
	}
	t := Transit{ID: id.New(id.Transit), CaseFile: c.ID, Sender: c.Holder, Receiver: in.To, Note: note, OfferedBy: by(ctx), OfferedAt: tx.Now(), State: "offered"}
	save(tx, c)
	insertTransit(tx, t)
	return s.moved(ctx, tx, c, d, HandOver, institution, "", note, map[string]any{"receipt": t.ID, "to": in.To})
}

// lockSent locks a case that is on its way to the caller.
func (s *Service) lockSent(ctx context.Context, tx *pg.Tx, id string, version int) (c Case, d Definition, t Transit, err error) {
	if c, d, err = lock(ctx, tx, id); err != nil {
		return c, d, t, err
	}
	who := auth.From(ctx)
	if who.Role != auth.Institution || c.State == Draft {
		return c, d, t, ErrNotFound
	}
	if c.State != InTransit || c.Desk != who.Subject {
		mine, err := everHeld(ctx, tx, c, who.Subject)
		if err == nil && mine {
			err = ErrState.Say("This case is not on its way to you.").At("/state", string(c.State))
		}
		if err == nil {
			err = ErrNotFound
		}
		return c, d, t, err
	}
	if err := stale(nil, c, version); err != nil {
		return c, d, t, err
	}
	if err := s.acting(ctx, tx, c); err != nil {
		return c, d, t, err
	}
	t, err = openTransit(ctx, tx, c.ID)
	return c, d, t, err
}

// TakeOver receives a case that was handed over: from then on it is the caller's,
// and the receipt says so.
func (s *Service) TakeOver(ctx context.Context, tx *pg.Tx, in HeldInput) (v CaseView, err error) {
	c, d, t, err := s.lockSent(ctx, tx, in.Case, in.Version)
	if err != nil {
		return v, err
	}
	if c, err = c.Received(auth.From(ctx).Subject, d, tx.Now()); err != nil {
		return v, err
	}
	c.Officer = by(ctx)
	save(tx, c)
	endTransit(tx, t.End("accepted", by(ctx), "", tx.Now()))
	return s.moved(ctx, tx, c, d, Receive, institution, "", "", map[string]any{"receipt": t.ID, "from": t.Sender})
}

// SendBack returns a case that was handed over, with a reason: it stays with who
// had it.
func (s *Service) SendBack(ctx context.Context, tx *pg.Tx, in HeldTextInput) (v CaseView, err error) {
	c, d, t, err := s.lockSent(ctx, tx, in.Case, in.Version)
	if err != nil {
		return v, err
	}
	why := words(in.Text)
	if why == "" || len([]rune(why)) > 1000 {
		return v, ErrInvalid.At("/text", "Say why, in at most 1,000 letters.")
	}
	if c, err = c.Do(Return, d, tx.Now()); err != nil {
		return v, err
	}
	save(tx, c)
	endTransit(tx, t.End("returned", by(ctx), why, tx.Now()))
	return s.moved(ctx, tx, c, d, Return, institution, "", why, map[string]any{"receipt": t.ID, "to": t.Sender})
}
