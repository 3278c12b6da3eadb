package sharing

import (
	"context"
	"errors"

	"tiwiza/marketplace/accords"
	"tiwiza/marketplace/members"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/id"
	"tiwiza/pkg/job"
	"tiwiza/pkg/pg"
)

// timerLapse fires when a request has waited too long, or a consent's days are
// over.
const timerLapse = "sharing.lapse"

// Work has timers fire. It is called at start.
func (s *Service) Work(timers *job.Timers) { timers.Handle(timerLapse, s.lapse) }

// lapse ends a consent whose time is over. Nobody could read on it any more.
func (s *Service) lapse(ctx context.Context, tx *pg.Tx, consent string) error {
	c, err := lockConsent(ctx, tx, consent)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	at := c.AskedAt.Add(patience)
	if c.State == Granted {
		at = *c.Until
	}
	if c.State != Requested && c.State != Granted || tx.Now().Before(at) {
		return nil
	}
	next, err := c.Do(Expire, "hub", at)
	if err != nil {
		return err
	}
	save(tx, next)
	audit.Record(tx, "consents.expire", c.ID, "", nil)
	return s.tell(ctx, tx, next)
}

// Ask has an organisation ask a member for consent to see its dossier.
func (s *Service) Ask(ctx context.Context, tx *pg.Tx, in AskInput) (v ConsentView, err error) {
	who := auth.From(ctx)
	if who.Role != auth.Bank && who.Role != auth.Insurer && who.Role != auth.Institution {
		return v, ErrNotFound
	}
	owner, err := s.Members.Of(ctx, tx, in.Owner)
	if err != nil || !owner.Seller().Active {
		return v, notThere(err, "/owner")
	}
	c := in.Terms.consent(tx)
	c.Owner, c.Grantee, c.Why, c.State, c.AskedBy = in.Owner, who.Subject, in.Why, Requested, who.Person()
	if err := s.word(ctx, tx, &c); err != nil {
		return v, err
	}
	insertConsent(tx, c)
	job.Set(tx, timerLapse, c.ID, tx.Now().Add(patience))
	audit.Record(tx, "consents.ask", c.ID, authz.Policy(ctx), in)
	return c.view(), s.tell(ctx, tx, c)
}

// notThere says at which place of a request somebody is named who is not there.
func notThere(err error, at string) error {
	if err != nil && !errors.Is(err, members.ErrNotFound) {
		return err
	}
	return ErrInvalid.At(at, "There is no such member.")
}

// word writes what a consent says, with the name of whom it is for, who must be at
// work.
func (s *Service) word(ctx context.Context, tx pg.DB, c *Consent) error {
	var who texts
	if c.Programme != nil {
		p, err := loadProgramme(ctx, tx, *c.Programme)
		if err != nil {
			return ErrInvalid.At("/programme", "There is no such programme.")
		}
		who = p.Names
	} else {
		o, err := s.Members.Of(ctx, tx, c.Grantee)
		if err != nil || o.State != members.Active {
			return notThere(err, "/grantee")
		}
		who = o.Names
	}
	c.Text = terms(*c, who)
	c.Digest = digest(c.Text)
	return nil
}

// Give has the owner of a dossier let somebody see it without having been asked.
func (s *Service) Give(ctx context.Context, tx *pg.Tx, in GiveInput) (v ConsentView, err error) {
	who := auth.From(ctx)
	if who.Role != auth.Seller {
		return v, ErrNotFound
	}
	c, err := s.meant(who.Subject, in)
	if err != nil {
		return v, err
	}
	c.ID, c.AskedAt, c.AskedBy = id.New(id.Consent), tx.Now(), who.Person()
	if err := s.word(ctx, tx, &c); err != nil {
		return v, err
	}
	if in.Digest != "" && in.Digest != c.view().Digest {
		return v, ErrInvalid.At("/digest", "This is not the digest of the text that you agree to; look at it again.")
	}
	if c, err = c.Do(Grant, who.Person(), tx.Now()); err != nil {
		return v, err
	}
	c.Version, c.Evidence = 1, evidence(who.Proof)
	insertConsent(tx, c)
	accords.Record(tx, c.accord(ctx))
	job.Set(tx, timerLapse, c.ID, *c.Until)
	audit.Record(tx, "consents.give", c.ID, authz.Policy(ctx), in)
	return c.view(), s.tell(ctx, tx, c)
}

// meant is the consent that an owner gives, or thinks of giving.
func (s *Service) meant(owner string, in GiveInput) (Consent, error) {
	c := Consent{Owner: owner, Grantee: in.Grantee, State: Requested, Purpose: in.Purpose, Sections: ordered(in.Sections), Sensitive: in.Sensitive, Days: in.Days, Version: 1}
	if in.Programme != "" {
		c.Programme = &in.Programme
	}
	switch {
	case (in.Grantee == "") == (in.Programme == ""):
		return c, ErrInvalid.At("/grantee", "Say one organisation, or one programme.")
	case in.Grantee == owner:
		return c, ErrInvalid.At("/grantee", "Say another organisation than your own.")
	}
	return c, nil
}

// Answer has the owner of a dossier grant or refuse what it was asked for. The
// digest names the text that it was shown.
func (s *Service) Answer(ctx context.Context, tx *pg.Tx, in AnswerInput) (v ConsentView, err error) {
	c, err := s.lockOwn(ctx, tx, in.Consent)
	if err != nil {
		return v, err
	}
	who, m := auth.From(ctx), Refuse
	if in.Decision == "grant" {
		m = Grant
		if in.Digest != c.view().Digest {
			return v, ErrInvalid.At("/digest", "This is not the digest of the text that you agree to; look at it again.")
		}
	}
	if c, err = c.Do(m, who.Person(), tx.Now()); err != nil {
		return v, err
	}
	if m == Grant {
		c.Evidence = evidence(who.Proof)
		job.Set(tx, timerLapse, c.ID, *c.Until)
	} else {
		job.Clear(tx, timerLapse, c.ID)
	}
	save(tx, c)
	accords.Record(tx, c.accord(ctx))
	audit.Record(tx, "consents.answer", c.ID, authz.Policy(ctx), map[string]any{"decision": in.Decision, "digest": c.view().Digest, "evidence": c.Evidence})
	return c.view(), s.tell(ctx, tx, c)
}

// Withdraw takes a consent back: the next request on it is refused. Taking it back
// again is harmless.
func (s *Service) Withdraw(ctx context.Context, tx *pg.Tx, in OneConsent) (v ConsentView, err error) {
	c, err := s.lockOwn(ctx, tx, in.Consent)
	if err != nil || c.State == Withdrawn {
		return c.view(), err
	}
	at := tx.Now()
	last, err := lastRead(ctx, tx, c.ID) // one that began after this did, and was first to lock
	if err != nil {
		return v, err
	}
	if last != nil && last.After(at) {
		at = *last
	}
	if c, err = c.Do(Withdraw, auth.From(ctx).Person(), at); err != nil {
		return v, err
	}
	save(tx, c)
	accords.Record(tx, c.accord(ctx))
	job.Clear(tx, timerLapse, c.ID)
	audit.Record(tx, "consents.withdraw", c.ID, authz.Policy(ctx), nil)
	return c.view(), s.tell(ctx, tx, c)
}

// accord is what the owner said of the consent last, as the ledger writes it.
func (c Consent) accord(ctx context.Context) accords.Accord {
	a := accords.Accord{Who: c.Owner, Subject: accords.Dossier, About: c.ID, Word: accords.Word(c.State), Text: accords.Made("", c.Digest), Channel: accords.ChannelOf(ctx)}
	if c.State == Granted {
		a.Word, a.Until = accords.Given, c.Until
	}
	return a
}

// lockOwn locks a consent of the caller's dossier.
func (s *Service) lockOwn(ctx context.Context, tx *pg.Tx, consent string) (Consent, error) {
	c, err := lockConsent(ctx, tx, consent)
	if err == nil {
		err = own(ctx, c.Owner)
	}
	if err != nil {
		return Consent{}, err
	}
	return c, nil
}

func (s *Service) tell(ctx context.Context, tx *pg.Tx, c Consent) error {
	e := ConsentMoved{Consent: c.ID, Owner: c.Owner, Grantee: c.Grantee, Purpose: c.Purpose, State: c.State}
	if c.Programme != nil {
		p, err := loadProgramme(ctx, tx, *c.Programme)
		if err != nil {
			return err
		}
		e.Programme, e.Name = p.ID, name(p.Names, "fr")
		return tx.Publish(ctx, e)
	}
	o, err := s.Members.Of(ctx, tx, c.Grantee)
	if err != nil {
		return err
	}
	e.Name = name(o.Names, "fr")
	return tx.Publish(ctx, e)
}

// consent is what was said, as a consent that nobody has answered.
func (t Terms) consent(tx *pg.Tx) Consent {
	return Consent{ID: id.New(id.Consent), Purpose: t.Purpose, Sections: ordered(t.Sections), Sensitive: t.Sensitive, Days: t.Days, AskedAt: tx.Now(), Version: 1}
}

// MakeProgramme makes a programme, which has no participants yet.
func (s *Service) MakeProgramme(ctx context.Context, tx *pg.Tx, in ProgrammeInput) (v ProgrammeView, err error) {
	if in.Names["fr"] == "" {
		return v, ErrInvalid.At("/names/fr", "Give the name in French.")
	}
	p := Programme{ID: id.New(id.Programme), Names: in.Names, MadeBy: auth.From(ctx).Person(), MadeAt: tx.Now()}
	insertProgramme(tx, p)
	audit.Record(tx, "programmes.make", p.ID, authz.Policy(ctx), in)
	return ProgrammeView{p.ID, p.Names, []string{}, p.MadeAt.UTC()}, nil
}

// Enlist has an organisation take part in a programme, or no more, from the next
// request on. Whoever takes part, or does not, already stays so.
func (s *Service) Enlist(ctx context.Context, tx *pg.Tx, in EnlistInput) (v ProgrammeView, err error) {
	p, err := lockProgramme(ctx, tx, in.Programme)
	if err != nil {
		return v, err
	}
	if in.Ends {
		leave(tx, p.ID, in.Organisation)
	} else {
		o, err := s.Members.Of(ctx, tx, in.Organisation)
		if err != nil || o.State != members.Active {
			return v, notThere(err, "/organisation")
		}
		join(tx, p.ID, o.ID)
	}
	audit.Record(tx, "programmes.enlist", p.ID, authz.Policy(ctx), in)
	all, err := participants(ctx, tx, []string{p.ID})
	return p.view(all), err
}
