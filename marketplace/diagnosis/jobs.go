package diagnosis

import (
	"context"
	"errors"
	"strings"

	"tiwiza/marketplace/members"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/job"
	"tiwiza/pkg/pg"
)

// timerLapse fires when nobody has answered a run for long enough; timerAgain when the
// last finished run of an organisation and a questionnaire is long ago.
const (
	timerLapse = "diagnosis.lapse"
	timerAgain = "diagnosis.again"
)

// Work has timers fire. It is called at start.
func (s *Service) Work(timers *job.Timers) {
	timers.Handle(timerLapse, s.lapse)
	timers.Handle(timerAgain, s.again)
}

// lapse gives up a run in which nobody answered any more.
func (s *Service) lapse(ctx context.Context, tx *pg.Tx, run string) error {
	r, err := lockRun(ctx, tx, run)
	if errors.Is(err, ErrNotFound) || err == nil && r.State != Open {
		return nil
	}
	if err != nil {
		return err
	}
	if tx.Now().Before(r.LapsesAt) {
		job.Set(tx, timerLapse, run, r.LapsesAt)
		return nil
	}
	if r.Run, err = r.Lapse(); err != nil {
		return err
	}
	saveRun(tx, r.Run)
	audit.Record(tx, "diagnostics.lapse", r.ID, "", nil)
	return tx.Publish(ctx, Moved{Diagnostic: r.ID, Organisation: r.Organisation, Questionnaire: r.Code, Version: r.Edition, Names: r.Questionnaire.Names, State: r.State})
}

// again tells an organisation that is at work that its last run is long ago: once for
// each run.
func (s *Service) again(ctx context.Context, tx *pg.Tx, subject string) error {
	org, code, _ := strings.Cut(subject, ":")
	all, err := lastFinished(ctx, tx, org, code)
	if err != nil || len(all) == 0 {
		return err
	}
	last := all[0]
	e, err := editionOf(ctx, tx, code, last.Edition)
	if err != nil {
		return err
	}
	if due := last.FinishedAt.Add(e.Questionnaire.Days.remind()); tx.Now().Before(due) {
		job.Set(tx, timerAgain, subject, due)
		return nil
	}
	o, err := s.Members.Of(ctx, tx, org)
	if err != nil || o.State != members.Active {
		return err
	}
	return tx.Publish(ctx, Due{Organisation: org, Questionnaire: code, Names: e.Questionnaire.Names, Diagnostic: last.ID, FinishedAt: *last.FinishedAt})
}
