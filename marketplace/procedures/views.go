package procedures

import (
	"context"
	"errors"
	"slices"
	"time"

	"tiwiza/marketplace/media"
	"tiwiza/marketplace/members"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/clock"
	"tiwiza/pkg/id"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

// parts are what belongs to a case's file.
type parts struct {
	papers    []Paper
	questions []Question
	decisions []Decision
	transits  []Transit
	moves     []Moved
	documents []Document
}

// named are the names of organisations.
func (s *Service) named(ctx context.Context, db pg.DB, ids ...string) (func(id string) NamedView, error) {
	slices.Sort(ids)
	found, err := s.Members.Sellers(ctx, db, slices.Compact(ids))
	return func(id string) NamedView {
		names := found[id].Names
		if names == nil {
			names = members.Texts{}
		}
		return NamedView{id, names}
	}, err
}

func (s *Service) brief(f filed, name func(string) NamedView, now time.Time) CaseView {
	c, d := f.Case, f.Definition
	return CaseView{
		ID: c.ID, Procedure: c.Procedure, Edition: c.Edition, Code: d.Code, Names: d.Names, State: c.State, Step: d.Steps[min(c.Step, len(d.Steps)-1)].Code,
		Institution: name(c.Institution), Holder: name(c.Holder), Desk: c.Desk, Applicant: name(c.Applicant), Region: c.Region,
		Due: rest.UTC(c.Due), Overdue: c.Due != nil && c.State.Open() && !now.Before(*c.Due), SubmittedAt: rest.UTC(c.SubmittedAt), DecidedAt: rest.UTC(c.DecidedAt), Outcome: c.Outcome,
		MadeAt: c.MadeAt.UTC(), MovedAt: c.MovedAt.UTC(), Version: c.Version, Now: now.UTC(), StrandedAt: rest.UTC(c.StrandedAt),
	}
}

// view is a case's file as the caller sees it, in its unit of work.
func (s *Service) view(ctx context.Context, tx *pg.Tx, c Case, d Definition) (CaseView, error) {
	return s.file(ctx, tx, c, d, tx.Now())
}

// file is a case with all that belongs to it, in four queries however much that is.
func (s *Service) file(ctx context.Context, db pg.DB, c Case, d Definition, now time.Time) (v CaseView, err error) {
	var p parts
	if err := pg.Together(ctx, db, readParts(c.ID, &p)...); err != nil {
		return v, err
	}
	ids := []string{c.Institution, c.Holder, c.Applicant}
	for _, t := range p.transits {
		ids = append(ids, t.Sender, t.Receiver)
	}
	name, err := s.named(ctx, db, ids...)
	if err != nil {
		return v, err
	}
	v = s.brief(filed{c, d}, name, now)
	v.Answers = c.Answers
	if v.Fee, err = s.feeOf(ctx, db, c, d); err != nil {
		return v, err
	}
	inside := auth.From(ctx).Role == auth.Institution || auth.From(ctx).Role == auth.Operator
	v.Papers = papersSeen(d, p.papers)
	for _, q := range p.questions {
		v.Questions = append(v.Questions, QuestionView{q.N, q.Text, q.AskedAt.UTC(), q.Answer, rest.UTC(q.AnsweredAt)})
	}
	for _, x := range p.decisions {
		if !inside && (x.State == Proposed || x.State == Declined) {
			continue // not a decision yet, or never one
		}
		v.Decisions = append(v.Decisions, x.view(d, inside))
	}
	for _, t := range p.transits {
		t := TransitView{t.ID, name(t.Sender), name(t.Receiver), t.Note, t.OfferedAt.UTC(), t.State, rest.UTC(t.EndedAt), t.Reason}
		if !inside {
			t.Note, t.Reason = "", ""
		}
		v.Transits = append(v.Transits, t)
	}
	for _, m := range p.moves {
		if m := (MovedView{m.Move, m.State, m.Side, m.Institution, m.Channel, m.OnBehalfOf, m.Note, m.At.UTC()}); inside || m.shows() {
			v.Moves = append(v.Moves, m)
		}
	}
	for _, x := range p.documents {
		doc := s.documentView(x, now)
		v.Document = &doc
	}
	return v, nil
}

// shows says whether an applicant sees a move: not what one person proposes, nor
// what institutions write to each other.
func (m *MovedView) shows() bool {
	if m.Move == Advance || m.Move == HandOver || m.Move == Return {
		m.Note = ""
	}
	return m.Move != Propose && m.Move != Disagree
}

func (x Decision) view(d Definition, inside bool) DecisionView {
	v := DecisionView{N: x.N, Outcome: x.Outcome, Reason: x.Reason, Text: x.Text, State: x.State, OnAppeal: x.OnAppeal, DecidedAt: x.DecidedAt.UTC(), Appeal: x.Appeal, AppealedAt: rest.UTC(x.AppealedAt)}
	if r, ok := d.reason(x.Reason, "refuse"); ok {
		v.ReasonText = r.Names
	}
	if inside {
		v.DecidedBy, v.SecondBy = x.DecidedBy, x.SecondBy
	}
	return v
}

// papersSeen are the papers that a procedure asks for, with those that are there.
func papersSeen(d Definition, have []Paper) (out []CasePaperView) {
	for _, r := range d.Papers {
		v := CasePaperView{Code: r.Code, Names: r.Names, Optional: r.Optional}
		for _, p := range have {
			if p.Code == r.Code {
				v.Enrolled, v.File, v.AddedAt = p.Enrolled != "", p.File, rest.UTC(&p.AddedAt)
			}
		}
		out = append(out, v)
	}
	return out
}

func (s *Service) feeOf(ctx context.Context, db pg.DB, c Case, d Definition) (*FeeView, error) {
	if d.Fee == nil {
		return nil, nil
	}
	f, found, err := s.Dues.Of(ctx, db, c.ID)
	if err != nil || !found {
		return &FeeView{Amount: d.Fee.Amount.String(), State: "due"}, err
	}
	return &FeeView{Amount: f.Money().String(), State: string(f.State), At: rest.UTC(&f.TakenAt)}, nil
}

func (s *Service) documentView(x Document, now time.Time) DocumentView {
	return DocumentView{
		ID: x.ID, Number: x.Number, State: x.Standing(now), Revoking: x.State == Revoking, Texts: x.Texts, ValidFrom: x.From, ValidTo: x.To,
		Verify: s.PublicURL + "/verifier/" + x.Token, Reason: x.Reason, Note: x.Note, Label: x.Label,
	}
}

// sees says whether the caller may see a case: its applicant, who has or had it, and
// the market's people once it was handed in, or when it stands still before.
func (s *Service) sees(ctx context.Context, db pg.DB, c Case) (bool, error) {
	who := auth.From(ctx)
	switch {
	case applies(who):
		return who.Subject == c.Applicant, nil
	case who.Role == auth.Operator && c.StrandedAt != nil:
		return true, nil
	case c.State == Draft || c.State == FeeDue || c.State == Lapsed || c.SubmittedAt == nil:
		return false, nil
	case who.Role == auth.Operator:
		return true, nil
	case who.Role == auth.Institution:
		return everHeld(ctx, db, c, who.Subject)
	}
	return false, nil
}

// Show shows a case's file. To whom it does not concern it does not exist.
func (s *Service) Show(ctx context.Context, in OneCase) (v CaseView, err error) {
	c, d, err := load(ctx, s.db, in.Case)
	if err != nil {
		return v, err
	}
	if ok, err := s.sees(ctx, s.db, c); err != nil || !ok {
		return v, errors.Join(err, ErrNotFound)
	}
	now, err := clock.Now(ctx, s.db)
	if err != nil {
		return v, err
	}
	return s.file(ctx, s.db, c, d, now)
}

// FillIn is Fill in a unit of work of its own.
func (s *Service) FillIn(ctx context.Context, in AnswersInput) (v CaseView, err error) {
	err = s.db.InTx(ctx, func(tx *pg.Tx) (err error) {
		v, err = s.Fill(ctx, tx, in)
		return err
	})
	return v, err
}

// ReadPaper gives a paper of a case to who may see the case. That an institution
// read it stands in the trail, or it is not read.
func (s *Service) ReadPaper(ctx context.Context, in PaperOf) (b rest.Blob, err error) {
	var p Paper
	err = s.db.InTx(ctx, func(tx *pg.Tx) error {
		c, _, err := load(ctx, tx, in.Case)
		if err != nil {
			return err
		}
		if ok, err := s.sees(ctx, tx, c); err != nil || !ok {
			return errors.Join(err, ErrNotFound)
		}
		if who := auth.From(ctx); who.Role == auth.Institution { // one that is suspended reads nobody's papers
			if err := s.atWork(ctx, tx, who.Subject); err != nil {
				return err
			}
		}
		have, err := papersOf(ctx, tx, c.ID)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(have, func(p Paper) bool { return p.Code == in.Code && p.File != "" })
		if i < 0 {
			return ErrNotFound
		}
		p = have[i]
		audit.Record(tx, "cases.read_paper", c.ID, authz.Policy(ctx), map[string]string{"paper": in.Code, "file": p.File})
		return nil
	})
	if err != nil {
		return b, err
	}
	files, err := s.Files.Files(ctx, s.db, []string{p.File})
	if err != nil {
		return b, err
	}
	f, ok := files[p.File]
	if !ok || f.Kind != media.Proof {
		return b, ErrNotFound
	}
	bytes, err := s.Files.Content(ctx, p.File)
	return rest.Blob{ContentType: f.Type, FileName: f.Name, Bytes: bytes, Foreign: true}, err
}

// pageOf is a page of cases by their names.
func (s *Service) pageOf(ctx context.Context, all []filed, limit int, at func(CaseView) any) (p rest.Page[CaseView], err error) {
	var ids []string
	for _, f := range all {
		ids = append(ids, f.Institution, f.Holder, f.Applicant)
	}
	name, err := s.named(ctx, s.db, ids...)
	if err != nil {
		return p, err
	}
	now, err := clock.Now(ctx, s.db)
	if err != nil {
		return p, err
	}
	return rest.View(all, limit, func(f filed) CaseView { return s.brief(f, name, now) }, at), nil
}

// List lists the caller's cases, the newest first; of an institution those of its
// procedures, or those that it has; all to the market's people.
func (s *Service) List(ctx context.Context, in CasesInput) (p rest.Page[CaseView], err error) {
	below, err := in.After(id.Case)
	if err != nil {
		return p, err
	}
	who := auth.From(ctx)
	org := who.Subject
	if who.Role == auth.Operator {
		org = ""
	}
	all, err := list(ctx, s.db, in, org, applies(who), below)
	if err != nil {
		return p, err
	}
	return s.pageOf(ctx, all, in.Limit, func(v CaseView) any { return v.ID })
}

// Inbox lists the cases on which the caller's institution is to act, the first due
// first.
func (s *Service) Inbox(ctx context.Context, in InboxInput) (p rest.Page[CaseView], err error) {
	var after place
	if err := rest.DecodeCursor(in.Cursor, &after); err != nil {
		return p, err
	}
	all, err := inbox(ctx, s.db, auth.From(ctx).Subject, in, after)
	if err != nil {
		return p, err
	}
	return s.pageOf(ctx, all, in.Limit, func(v CaseView) any { return place{*v.Due, v.ID} })
}

// Procedures lists those that are open.
func (s *Service) Procedures(ctx context.Context, in ProceduresInput) (p rest.Page[ProcedureView], err error) {
	after, err := in.After(id.Procedure)
	if err != nil {
		return p, err
	}
	all, err := listEditions(ctx, s.db, in, after)
	if err != nil {
		return p, err
	}
	var ids []string
	for _, e := range all {
		ids = append(ids, e.Institution)
	}
	name, err := s.named(ctx, s.db, ids...)
	if err != nil {
		return p, err
	}
	return rest.View(all, in.Limit, func(e Edition) ProcedureView { return e.view(name) }, func(v ProcedureView) any { return v.ID }), nil
}

// Procedure shows a version of a procedure.
func (s *Service) Procedure(ctx context.Context, in VersionInput) (v ProcedureView, err error) {
	e, err := editionOf(ctx, s.db, in.Procedure, in.Version)
	if err != nil {
		return v, err
	}
	return s.procedureView(ctx, s.db, e)
}

func (s *Service) procedureView(ctx context.Context, db pg.DB, e Edition) (v ProcedureView, err error) {
	name, err := s.named(ctx, db, e.Institution)
	return e.view(name), err
}

func (e Edition) view(name func(string) NamedView) ProcedureView {
	return ProcedureView{e.Procedure, e.Version, e.State, name(e.Institution), e.MadeAt.UTC(), e.Definition}
}

// Accreditations lists who is accredited today.
func (s *Service) Accreditations(ctx context.Context, in AccreditedInput) (p rest.Page[AccreditedView], err error) {
	var after accreditedPlace
	if err := rest.DecodeCursor(in.Cursor, &after); err != nil {
		return p, err
	}
	all, err := listAccredited(ctx, s.db, in, after)
	if err != nil {
		return p, err
	}
	var ids []string
	for _, a := range all {
		ids = append(ids, a.Organisation, a.Institution)
	}
	name, err := s.named(ctx, s.db, ids...)
	if err != nil {
		return p, err
	}
	return rest.View(all, in.Limit, func(a accreditedRow) AccreditedView {
		return AccreditedView{name(a.Organisation), a.Domain, a.Region, a.Number, name(a.Institution), a.From, a.To, a.Document}
	}, func(v AccreditedView) any {
		return accreditedPlace{v.Domain, v.Region, v.Organisation.ID, v.document}
	}), nil
}

// Institutions lists those that are at work, for whoever looks for one, or hands a
// case over to one.
func (s *Service) Institutions(ctx context.Context, in rest.Paging) (p rest.Page[NamedView], err error) {
	after, err := in.After(id.Organisation)
	if err != nil {
		return p, err
	}
	all, err := s.Members.Institutions(ctx, s.db, after, in.Limit+1)
	return rest.View(all, in.Limit, func(b members.Body) NamedView { return NamedView{b.ID, b.Names} }, func(v NamedView) any { return v.ID }), err
}
