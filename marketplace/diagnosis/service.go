package diagnosis

import (
	"context"
	"errors"

	"tiwiza/marketplace/members"
	"tiwiza/marketplace/sharing"
	"tiwiza/payments/approvals"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/clock"
	"tiwiza/pkg/id"
	"tiwiza/pkg/job"
	"tiwiza/pkg/pg"
)

// Members are the organisations that answer.
type Members interface {
	Of(ctx context.Context, db pg.DB, org string) (members.Organisation, error)
}

// Dossiers are where a member puts what it wants to share.
type Dossiers interface {
	Add(ctx context.Context, tx *pg.Tx, in sharing.ItemInput) (sharing.ItemView, error)
	Replace(ctx context.Context, tx *pg.Tx, in sharing.VersionInput) (sharing.ItemView, error)
	Stands(ctx context.Context, db pg.DB, item string) (bool, error)
}

// Approvals ask a second person.
type Approvals interface {
	Ask(ctx context.Context, tx *pg.Tx, a approvals.Ask) (approvals.Request, error)
	Void(ctx context.Context, tx *pg.Tx, kind, subject string) error
	Handle(kind string, h func(ctx context.Context, tx *pg.Tx, r approvals.Request) error)
}

// Needs are the others that diagnosis works with.
type Needs struct {
	Members   Members
	Dossiers  Dossiers
	Approvals Approvals
}

// Service keeps questionnaires and runs.
type Service struct {
	db *pg.Store
	Needs
}

// New makes the service.
func New(db *pg.Store, n Needs) *Service {
	s := &Service{db, n}
	n.Approvals.Handle(kindQuestionnaire, s.seconded)
	return s
}

// by is who acts: the person who signed in, or whose program it is.
func by(ctx context.Context) string {
	if who := auth.From(ctx); who.Human != "" {
		return who.Human
	}
	return auth.From(ctx).Person()
}

// channel is by which way something comes: what an agent says, or what is seen.
func channel(ctx context.Context, said string) (string, error) {
	who := auth.From(ctx)
	switch {
	case who.Proof.Agent && said == "":
		return "counter", nil
	case who.Proof.Agent:
		return said, nil
	case said != "":
		return "", ErrInvalid.At("/channel", "Only who acts for a member, with its code, says how the member came.")
	case who.Human == "":
		return "api", nil
	}
	return "online", nil
}

// Begin begins a run of the questionnaire in force, for the caller's organisation or
// for the member for whom an agent acts with its code. One of a questionnaire is under
// way at a time, and the questionnaire says how long after the last the next begins.
func (s *Service) Begin(ctx context.Context, tx *pg.Tx, in BeginInput) (v RunView, err error) {
	who := auth.From(ctx)
	if who.Role != auth.Seller {
		return v, ErrNotFound
	}
	way, err := channel(ctx, in.Channel)
	if err != nil {
		return v, err
	}
	e, err := editionOf(ctx, tx, in.Questionnaire, 0)
	if err != nil {
		return v, err
	}
	o, err := s.Members.Of(ctx, tx, who.Subject)
	if errors.Is(err, members.ErrNotFound) {
		err = ErrNotFound.With(err)
	}
	if err != nil {
		return v, err
	}
	if !e.Questionnaire.For(o.Kind) {
		return v, ErrKind.At("/questionnaire", "It is not for organisations of this kind.")
	}
	last, err := lockBegin(ctx, tx, o.ID, e.Code)
	if err != nil {
		return v, err
	}
	at := tx.Now()
	if len(last) > 0 {
		if from := last[0].FinishedAt.Add(e.Questionnaire.Days.rest()); at.Before(from) {
			return v, ErrSoon.Say("The next diagnostic begins on %s at the earliest.", from.In(clock.Morocco).Format("02/01/2006"))
		}
	}
	r := Run{
		ID: id.New(id.Diagnostic), Organisation: o.ID, Kind: o.Kind, Region: o.Region, Code: e.Code, Edition: e.Version, State: Open, Answers: map[string]Answer{},
		MadeBy: by(ctx), OnBehalfOf: who.For, Channel: way, MadeAt: at, SavedAt: at, LapsesAt: at.Add(e.Questionnaire.Days.lapse()), Version: 1,
	}
	insertRun(tx, r)
	return s.moved(ctx, tx, "diagnostics.begin", r, e.Questionnaire, map[string]any{"questionnaire": e.Code, "version": e.Version, "channel": way})
}

// moved writes down what happened to a run, tells of it, and shows it.
func (s *Service) moved(ctx context.Context, tx *pg.Tx, action string, r Run, q Questionnaire, detail map[string]any) (v RunView, err error) {
	audit.Record(tx, action, r.ID, authz.Policy(ctx), detail)
	if r.State == Open {
		job.Set(tx, timerLapse, r.ID, r.LapsesAt)
	} else {
		job.Clear(tx, timerLapse, r.ID)
	}
	if action != "diagnostics.answer" { // each answer is of no interest to others
		if err := tx.Publish(ctx, Moved{Diagnostic: r.ID, Organisation: r.Organisation, Questionnaire: r.Code, Version: r.Edition, Names: q.Names, State: r.State}); err != nil {
			return v, err
		}
	}
	if err := tx.Flush(ctx); err != nil {
		return v, err
	}
	return s.whole(ctx, tx, ran{r, q, tx.Now()})
}

// lockMine locks a run of the caller's organisation; another's is not there.
func lockMine(ctx context.Context, tx *pg.Tx, run string, version int) (ran, error) {
	r, err := lockRun(ctx, tx, run)
	if who := auth.From(ctx); err == nil && (who.Role != auth.Seller || who.Subject != r.Organisation) {
		err = ErrNotFound
	}
	if err == nil && version != 0 && version != r.Version {
		err = ErrStale
	}
	if err != nil {
		return ran{}, err
	}
	return r, nil
}

// Answer saves the answer to one question. Answers to different questions never undo
// each other; of two to the same, the last stands. Whoever names the version of the run
// that it saw is refused when the run has changed since.
func (s *Service) Answer(ctx context.Context, in AnswerInput) (v RunView, err error) {
	err = s.db.InTx(ctx, func(tx *pg.Tx) error {
		r, err := lockMine(ctx, tx, in.Diagnostic, in.Version)
		if err != nil {
			return err
		}
		way, err := channel(ctx, in.Channel)
		if err != nil {
			return err
		}
		if r.Run, err = r.Save(r.Questionnaire, in.Question, in.Answer, tx.Now()); err != nil {
			return err
		}
		saveRun(tx, r.Run)
		v, err = s.moved(ctx, tx, "diagnostics.answer", r.Run, r.Questionnaire, map[string]any{"question": in.Question, "version": r.Version, "channel": way})
		return err
	})
	return v, err
}

// Finish counts the answers. From then on the run is frozen, with the version of the
// questionnaire that it answered; a year later, or what its data says, the owner is
// told that it may do it again.
func (s *Service) Finish(ctx context.Context, tx *pg.Tx, in FinishInput) (v RunView, err error) {
	r, err := lockMine(ctx, tx, in.Diagnostic, in.Version)
	if err != nil {
		return v, err
	}
	if r.Run, err = r.Finish(r.Questionnaire, tx.Now()); err != nil {
		return v, err
	}
	finishRun(tx, r.Run)
	job.Set(tx, timerAgain, r.Organisation+":"+r.Code, tx.Now().Add(r.Questionnaire.Days.remind()))
	return s.moved(ctx, tx, "diagnostics.finish", r.Run, r.Questionnaire, map[string]any{"questionnaire": r.Code, "version": r.Edition})
}

// Show shows a run of the caller's organisation.
func (s *Service) Show(ctx context.Context, in OneDiagnostic) (v RunView, err error) {
	r, err := loadRun(ctx, s.db.Asking(), in.Diagnostic)
	if who := auth.From(ctx); err == nil && (who.Role != auth.Seller || who.Subject != r.Organisation) {
		err = ErrNotFound
	}
	if err != nil {
		return v, err
	}
	return s.whole(ctx, s.db.Asking(), r)
}

// whole is a run with what stands beside it, in one more round trip, and one for a
// result that was put into the dossier: its owner may have taken it out.
func (s *Service) whole(ctx context.Context, db pg.DB, r ran) (v RunView, err error) {
	var b beside
	if err := pg.Together(ctx, db, readBeside(r.Run, &b)...); err != nil {
		return v, err
	}
	v = r.view()
	v.Questions = r.asking()
	v.Answers = r.Answers
	v.Advice = r.advised()
	for _, x := range b.before {
		v.Before = &BeforeView{x.ID, x.Edition, x.FinishedAt.UTC(), *x.Score, x.Level, x.Dimensions}
	}
	for _, x := range b.shared {
		stands, err := s.Dossiers.Stands(ctx, db, x.Item)
		if err != nil {
			return v, err
		}
		if stands {
			v.Shared = &SharedView{x.Item, x.Version, x.SharedAt.UTC()}
		}
	}
	return v, nil
}
