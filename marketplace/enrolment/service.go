package enrolment

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"tiwiza/marketplace/media"
	"tiwiza/marketplace/members"
	"tiwiza/payments/approvals"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/id"
	"tiwiza/pkg/job"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/vault"
)

// Members are the organisations that show papers.
type Members interface {
	Of(ctx context.Context, db pg.DB, org string) (members.Organisation, error)
	Locked(ctx context.Context, tx *pg.Tx, org string) (members.Organisation, error)
	Restrict(ctx context.Context, tx *pg.Tx, o members.Organisation, why string) (members.Organisation, error)
	Lift(ctx context.Context, tx *pg.Tx, o members.Organisation, why string) (members.Organisation, error)
	Queue(ctx context.Context, db pg.DB, in members.Waiters) ([]members.Organisation, error)
}

// Files are documents that were uploaded.
type Files interface {
	Use(ctx context.Context, tx *pg.Tx, file, owner string, kind media.Kind, subject string) (media.File, error)
	Release(tx *pg.Tx, file, subject string)
}

// Approvals ask a second person.
type Approvals interface {
	Ask(ctx context.Context, tx *pg.Tx, a approvals.Ask) (approvals.Request, error)
	Void(ctx context.Context, tx *pg.Tx, kind, subject string) error
	Handle(kind string, h func(ctx context.Context, tx *pg.Tx, r approvals.Request) error)
}

// Needs are the others that enrolment works with.
type Needs struct {
	Members   Members
	Files     Files
	Approvals Approvals
	Vault     *vault.Vault // nil: sensitive numbers are not taken
}

// Service keeps requirements and papers.
type Service struct {
	db *pg.Store
	Needs
}

// kindPaper names papers among the approvals.
const kindPaper = "enrolment.paper"

// New makes the service.
func New(db *pg.Store, n Needs) *Service {
	s := &Service{db, n}
	n.Approvals.Handle(kindPaper, s.seconded)
	return s
}

// Passes lets an organisation ask for admission once it has handed in what is
// asked of its kind, and be admitted once all of it was accepted and is in date. Of who
// is ended before it was ever admitted, the papers are kept for a while only.
func (s *Service) Passes(ctx context.Context, tx *pg.Tx, o members.Organisation, m members.Move) error {
	if m == members.Terminate && (o.State == members.Draft || o.State == members.ChangesRequested) {
		job.Set(tx, timerEnded, o.ID, tx.Now())
	}
	if m != members.Submit && m != members.Approve {
		return nil
	}
	set, err := s.setOf(ctx, tx, o)
	if err != nil || len(set.Requirements) == 0 {
		return err
	}
	papers, err := livePapers(ctx, tx, o.ID)
	if err != nil {
		return err
	}
	wrong := ErrMissing
	for _, code := range Lacking(set.Requirements, papers, m == members.Submit, tx.Now()) {
		r, _ := set.find(code)
		wrong = wrong.At("/papers/"+code, "«"+r.Names["fr"]+"» is not there yet, was not accepted, or has ended.")
	}
	if len(wrong.Details) > 0 {
		return wrong
	}
	return nil
}

// setOf is the set that holds for an organisation: the newest of its kind that
// held on the day it was written down. A market that asks for nothing has none.
func (s *Service) setOf(ctx context.Context, db pg.DB, o members.Organisation) (Set, error) {
	sets, err := setFor(ctx, db, o.Kind, o.CreatedAt)
	if err != nil || len(sets) == 0 {
		return Set{Kind: o.Kind}, err
	}
	set := sets[0]
	set.Requirements, err = requirementsOf(ctx, db, set.Kind, set.Version)
	return set, err
}

// HandIn answers one of an organisation's requirements. What waited for a decision
// before is replaced; what was accepted holds until the new one is.
func (s *Service) HandIn(ctx context.Context, tx *pg.Tx, in PaperInput) (v PaperView, err error) {
	who := auth.From(ctx)
	if !mine(who, in.Org) {
		return v, ErrNotFound
	}
	o, err := s.Members.Locked(ctx, tx, in.Org)
	if err != nil {
		return v, ErrNotFound.With(err)
	}
	if o.State == members.Terminated {
		return v, ErrEnded
	}
	set, err := s.setOf(ctx, tx, o)
	if err != nil {
		return v, err
	}
	r, ok := set.find(in.Requirement)
	if !ok {
		return v, ErrInvalid.At("/requirement", "Nothing of this name is asked of this organisation.")
	}
	if (r.Type == Visit || r.Type == Training) && who.Role != auth.Operator {
		return v, ErrTheirTask
	}
	p, err := s.paper(in, r, tx.Now())
	if err != nil {
		return v, err
	}
	p.MadeBy, p.Channel = who.Person(), channelOf(who)
	if err := s.replaceWaiting(ctx, tx, p); err != nil {
		return v, err
	}
	insertPaper(tx, p)
	if p.File != "" {
		if _, err := s.Files.Use(ctx, tx, p.File, o.ID, media.Proof, p.ID); err != nil {
			return v, err
		}
	}
	audit.Record(tx, "papers.hand_in", p.ID, authz.Policy(ctx), map[string]string{"organisation": o.ID, "requirement": r.Code})
	return p.view(""), s.tell(ctx, tx, p, r)
}

// paper is what somebody hands in, checked against its requirement.
func (s *Service) paper(in PaperInput, r Requirement, now time.Time) (p Paper, err error) {
	p = Paper{ID: id.New(id.Paper), Organisation: in.Org, Requirement: r.Code, File: in.File, State: Submitted, MadeAt: now, Version: 1}
	switch {
	case r.Type == Field && in.File != "":
		return p, ErrInvalid.At("/file", "This is a value, not a document.")
	case r.Type == Document && (in.File == "" || in.Value != ""):
		return p, ErrInvalid.At("/file", "Upload the document first, and give its id here alone.")
	case r.Type != Document && in.Value == "":
		return p, ErrInvalid.At("/value", "Write the value; of a visit or a training, what was seen.")
	}
	if p.LastDay, err = lastDay(in.LastDay, r, now); err != nil {
		return p, err
	}
	if r.Type == Document {
		return p, nil
	}
	rule := r.Rule
	if rule == "" {
		rule = Text
	}
	value, wrong := rule.Check(in.Value)
	switch {
	case wrong != "":
		return p, ErrInvalid.At("/value", wrong)
	case !rule.secret():
		p.Value = value
	case s.Vault == nil:
		return p, ErrNoVault
	default:
		p.Sealed, p.Hint = s.Vault.Seal(p.ID, value), hint(value)
	}
	return p, nil
}

// lastDay reads the day until which a paper holds, which lies ahead.
func lastDay(text string, r Requirement, now time.Time) (*time.Time, error) {
	if !r.Expires {
		if text != "" {
			return nil, ErrInvalid.At("/last_day", "This paper has no last day.")
		}
		return nil, nil
	}
	d, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return nil, ErrInvalid.At("/last_day", "Give the last day on which the paper holds, as 2027-03-31.")
	}
	if end := (Paper{LastDay: &d}).End(); !end.After(now) || d.Year() > now.Year()+50 {
		return nil, ErrInvalid.At("/last_day", "This paper has ended already, or never ends; compare its date.")
	}
	return &d, nil
}

// replaceWaiting ends what waits for a decision about the same requirement.
func (s *Service) replaceWaiting(ctx context.Context, tx *pg.Tx, p Paper) error {
	before, err := lockWaiting(ctx, tx, p.Organisation, p.Requirement)
	if err != nil {
		return err
	}
	for _, b := range before {
		if b.State == Seconding {
			if err := s.Approvals.Void(ctx, tx, kindPaper, b.ID); err != nil {
				return err
			}
		}
		next, err := b.Do(Replace)
		if err != nil {
			return err
		}
		save(tx, next)
	}
	return nil
}

// Accept takes a paper on the word of one of the market's people, who did not hand
// it in; where two must, a second one is asked.
func (s *Service) Accept(ctx context.Context, tx *pg.Tx, in OnePaper) (v PaperView, err error) {
	o, p, r, err := s.lock(ctx, tx, in.Paper)
	if err != nil {
		return v, err
	}
	by, m := auth.From(ctx).Person(), Accept
	if by == p.MadeBy {
		return v, ErrOwnPaper
	}
	if r.Second {
		m = Second
	}
	next, err := p.Do(m)
	if err != nil {
		return v, err
	}
	next = next.decided(by, "", tx.Now())
	audit.Record(tx, "papers.accept", p.ID, authz.Policy(ctx), map[string]any{"organisation": o.ID, "requirement": r.Code, "second": r.Second})
	if m == Accept {
		return next.view(""), s.take(ctx, tx, o, next, r)
	}
	save(tx, next)
	asked, err := s.Approvals.Ask(ctx, tx, approvals.Ask{
		Kind: kindPaper, Subject: p.ID, Hash: next.sum(), Why: fmt.Sprintf("«%s» of %s, which two people accept.", r.Names["fr"], o.Names["fr"]), Evidence: p.File,
	})
	if err != nil {
		return v, err
	}
	return next.view(asked.ID), s.tell(ctx, tx, next, r)
}

// take has an accepted paper hold, in the place of the one before, and lets its
// organisation sell again when nothing is missing any more.
func (s *Service) take(ctx context.Context, tx *pg.Tx, o members.Organisation, p Paper, r Requirement) error {
	papers, err := livePapers(ctx, tx, o.ID)
	if err != nil {
		return err
	}
	now := []Paper{p}
	for _, b := range papers {
		switch {
		case b.ID == p.ID:
		case b.Requirement == p.Requirement && b.State == Accepted:
			next, err := b.Do(Replace)
			if err != nil {
				return err
			}
			save(tx, next)
			job.Clear(tx, timerEnd, b.ID)
		default:
			now = append(now, b)
		}
	}
	save(tx, p)
	if end := p.End(); end != nil {
		job.Set(tx, timerEnd, p.ID, Turn(*end, tx.Now()))
	}
	if err := s.tell(ctx, tx, p, r); err != nil || !slices.Contains(o.Restricted, members.LacksPapers) {
		return err
	}
	set, err := s.setOf(ctx, tx, o)
	if err != nil || len(Lacking(set.Requirements, now, false, tx.Now())) > 0 {
		return err
	}
	_, err = s.Members.Lift(ctx, tx, o, members.LacksPapers)
	return err
}

// seconded carries out what a second person said of a paper.
func (s *Service) seconded(ctx context.Context, tx *pg.Tx, q approvals.Request) error {
	o, p, r, err := s.lock(ctx, tx, q.Subject)
	if err != nil {
		return err
	}
	if p.State != Seconding || !bytes.Equal(p.sum(), q.Hash) {
		return approvals.ErrChanged
	}
	m := Confirm
	if q.State == approvals.Refused {
		m = Reject
	}
	next, err := p.Do(m)
	if err != nil {
		return err
	}
	if m == Reject {
		save(tx, next)
		return s.tell(ctx, tx, next, r)
	}
	next.SecondBy = auth.From(ctx).Person()
	if next.SecondBy == next.MadeBy {
		return ErrOwnPaper
	}
	return s.take(ctx, tx, o, next, r)
}

// Reject refuses a paper, and says why.
func (s *Service) Reject(ctx context.Context, tx *pg.Tx, in RejectInput) (v PaperView, err error) {
	o, p, r, err := s.lock(ctx, tx, in.Paper)
	if err != nil {
		return v, err
	}
	by := auth.From(ctx).Person()
	if by == p.MadeBy {
		return v, ErrOwnPaper
	}
	next, err := p.Do(Reject)
	if err != nil {
		return v, err
	}
	if p.State == Seconding {
		if err := s.Approvals.Void(ctx, tx, kindPaper, p.ID); err != nil {
			return v, err
		}
	}
	next = next.decided(by, in.Note, tx.Now())
	save(tx, next)
	audit.Record(tx, "papers.reject", p.ID, authz.Policy(ctx), map[string]string{"organisation": o.ID, "requirement": r.Code, "note": in.Note})
	return next.view(""), s.tell(ctx, tx, next, r)
}

// lock locks a paper behind its organisation, and finds what it answers.
func (s *Service) lock(ctx context.Context, tx *pg.Tx, paper string) (o members.Organisation, p Paper, r Requirement, err error) {
	if p, err = load(ctx, tx, paper); err != nil {
		return o, p, r, err
	}
	if o, err = s.Members.Locked(ctx, tx, p.Organisation); err != nil {
		return o, p, r, err
	}
	if p, err = lock(ctx, tx, paper); err != nil {
		return o, p, r, err
	}
	set, err := s.setOf(ctx, tx, o)
	r, _ = set.find(p.Requirement)
	return o, p, r, err
}

func (s *Service) tell(ctx context.Context, tx *pg.Tx, p Paper, r Requirement) error {
	return tx.Publish(ctx, PaperMoved{p.ID, p.Organisation, p.Requirement, r.Names, p.State, p.Note})
}

// channelOf is whose hand brings what the caller hands in.
func channelOf(who auth.Principal) Channel {
	switch {
	case who.Role == auth.Operator:
		return ByMarket
	case who.For != "":
		return ByAgent
	}
	return Self
}

// mine says whether an organisation's papers are the caller's to see and hand in.
func mine(who auth.Principal, org string) bool {
	return who.Role == auth.Operator || who.Subject != "" && who.Subject == org
}
