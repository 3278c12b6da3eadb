package procedures

import (
	"context"
	"strings"

	"tiwiza/pkg/auth"
	"tiwiza/pkg/pg"
)

// Decide grants a case or refuses it, with a reason that the applicant reads. Where
// two people decide, it waits for the other. Only the institution whose procedure
// it is decides, and on an objection another person than before.
func (s *Service) Decide(ctx context.Context, tx *pg.Tx, in DecideInput) (v CaseView, err error) {
	c, d, err := s.lockHeld(ctx, tx, in.Case, in.Version)
	if err != nil {
		return v, err
	}
	text, err := in.check(d)
	if err != nil {
		return v, err
	}
	switch {
	case c.Holder != c.Institution:
		return v, ErrTheirStep
	case c.State == Seconding: // what one person proposed, another confirms
		return v, ErrState.Say("This case waits for a second person: say whether the decision stands.").At("/state", string(c.State))
	case c.State == Submitted && in.Outcome == ToGrant:
		return v, ErrState.Say("Nobody has examined this case yet.").At("/state", string(c.State))
	case c.State == Examining && in.Outcome == ToGrant && !d.last(c.Step):
		return v, ErrState.Say("The steps before are not done.").At("/step", d.Steps[c.Step].Code)
	}
	before, err := lastDecision(ctx, tx, c.ID)
	if err != nil {
		return v, err
	}
	x := Decision{N: before.N + 1, Outcome: in.Outcome, Reason: in.Reason, Text: text, State: Standing, DecidedBy: by(ctx), DecidedAt: tx.Now(), Second: d.two(string(in.Outcome))}
	contested, err := standing(ctx, tx, c.ID)
	if err != nil {
		return v, err
	}
	x.OnAppeal = contested.AppealedAt != nil
	if err := allowed(ctx, x, contested); err != nil {
		return v, err
	}
	if x.Second {
		x.State = Proposed
		if c, err = c.Do(Propose, d, tx.Now()); err != nil {
			return v, err
		}
		save(tx, c)
		insertDecision(tx, c.ID, x)
		return s.moved(ctx, tx, c, d, Propose, institution, "", text, map[string]any{"decision": x.N, "outcome": x.Outcome, "reason": x.Reason})
	}
	return s.stands(ctx, tx, c, d, x, contested, insertDecision)
}

// allowed refuses a program where two people decide, and who decided before on what
// the applicant objects to.
func allowed(ctx context.Context, x, contested Decision) error {
	human := auth.From(ctx).Human
	if x.Second && human == "" {
		return ErrPeople
	}
	if x.OnAppeal && human != "" && (contested.DecidedBy == human || contested.SecondBy == human) {
		return ErrSelf
	}
	return nil
}

// stands has a decision stand, and what follows from it.
func (s *Service) stands(ctx context.Context, tx *pg.Tx, c Case, d Definition, x, contested Decision, write func(tx *pg.Tx, c string, x Decision)) (v CaseView, err error) {
	m := Grant
	if x.Outcome == ToRefuse {
		m = Refuse
	}
	if c, err = c.Do(m, d, tx.Now()); err != nil {
		return v, err
	}
	save(tx, c)
	if contested.N != 0 {
		contested.State = Upheld
		if contested.Outcome != x.Outcome {
			contested.State = Overturned
		}
		saveDecision(tx, c.ID, contested)
	}
	write(tx, c.ID, x)
	detail := map[string]any{"decision": x.N, "outcome": x.Outcome, "reason": x.Reason}
	if m == Refuse {
		if detail["fee_back"], err = s.settle(ctx, tx, c, d); err != nil {
			return v, err
		}
	} else if d.Document != nil {
		doc, err := s.issue(ctx, tx, c, d)
		if err != nil {
			return v, err
		}
		detail["document"], detail["number"] = doc.ID, doc.Number
	}
	return s.moved(ctx, tx, c, d, m, institution, "", x.Text, detail)
}

// Confirm is the second person's word on what a first proposed: it stands, or the
// case is examined further.
func (s *Service) Confirm(ctx context.Context, in ConfirmInput) (v CaseView, err error) {
	err = s.db.InTx(ctx, func(tx *pg.Tx) (err error) {
		v, err = s.confirm(ctx, tx, in)
		return err
	})
	return v, err
}

func (s *Service) confirm(ctx context.Context, tx *pg.Tx, in ConfirmInput) (v CaseView, err error) {
	c, d, err := s.lockHeld(ctx, tx, in.Case, in.Version)
	if err != nil {
		return v, err
	}
	x, err := lastDecision(ctx, tx, c.ID)
	if err != nil {
		return v, err
	}
	if c.State != Seconding || x.State != Proposed {
		return v, ErrState.Say("This case is %s; nothing waits for a second person.", c.State).At("/state", string(c.State))
	}
	contested, err := standing(ctx, tx, c.ID)
	if err != nil {
		return v, err
	}
	if err := allowed(ctx, x, contested); err != nil {
		return v, err
	}
	who, at := by(ctx), tx.Now()
	if who == x.DecidedBy {
		return v, ErrSelf
	}
	x.SecondBy, x.SecondAt = who, &at
	if in.Decision == "agree" {
		x.State = Standing
		return s.stands(ctx, tx, c, d, x, contested, saveDecision)
	}
	x.State = Declined
	if c, err = c.Do(Disagree, d, at); err != nil {
		return v, err
	}
	save(tx, c)
	saveDecision(tx, c.ID, x)
	if d.Fee != nil { // somebody has looked
		if err := s.Dues.Keep(ctx, tx, c.ID); err != nil {
			return v, err
		}
	}
	return s.moved(ctx, tx, c, d, Disagree, institution, "", words(in.Text), map[string]any{"decision": x.N})
}

// check reads what is decided, against the reasons that there are.
func (in DecideInput) check(d Definition) (text string, err error) {
	bad := ErrInvalid
	text = words(in.Text)
	if in.Outcome == ToRefuse {
		if _, ok := d.reason(in.Reason, "refuse"); !ok {
			bad = bad.At("/reason", "Give one of the procedure's reasons: "+d.reasons("refuse")+".")
		}
		if text == "" {
			bad = bad.At("/text", "Say why in plain words; the applicant reads it.")
		}
	} else if in.Reason != "" {
		bad = bad.At("/reason", "A reason is for a refusal.")
	}
	if len(bad.Details) > 0 {
		return "", bad
	}
	return text, nil
}

// reasons are the codes of the reasons for something.
func (d Definition) reasons(what string) string {
	var all []string
	for _, r := range d.Reasons {
		if r.For == what {
			all = append(all, r.Code)
		}
	}
	return strings.Join(all, ", ")
}
