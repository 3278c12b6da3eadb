package files

import (
	"context"
	"time"

	"github.com/riverqueue/river"

	"tiwiza/pkg/job"
	"tiwiza/pkg/pg"
)

const (
	timerDispatch = "files.dispatch" // the next file leaves
	timerLeft     = "files.left"     // what should have left is looked for

	// haltedWait is how long files wait before they look again whether payments
	// are still halted.
	haltedWait = 15 * time.Second

	// lost is after how long a job that has not sent is thought lost.
	lost = time.Minute
)

type dispatchJob struct {
	Bank string `json:"bank"`
}

// Kind names the job.
func (dispatchJob) Kind() string { return "files.dispatch" }

// Work registers the jobs and timers of files.
func (s *Service) Work(w *job.Workers, t *job.Timers) {
	job.Handle(w, func(ctx context.Context, j dispatchJob) error { return s.Dispatch(ctx, j.Bank) })
	dispatch := func(ctx context.Context, tx *pg.Tx, bank string) error { return s.due(ctx, tx, bank, tx.Now()) }
	left := func(ctx context.Context, tx *pg.Tx, bank string) error {
		since := tx.Now()
		if o := s.built(bank); o != nil && len(o.Times.Runs) > 0 { // the rest waits for its run
			since = o.Times.Left(since.Add(-lost))
		}
		return s.due(ctx, tx, bank, since)
	}
	t.Handle(timerDispatch, dispatch)
	t.Handle(timerLeft, left)
	t.Handle("payouts.dispatch", dispatch) // set when only payouts left in files
	t.Handle("payouts.left", left)
}

// due has a file made, if something has waited since a time.
func (s *Service) due(ctx context.Context, tx *pg.Tx, bank string, since time.Time) error {
	left, err := s.ops.Waiting(ctx, tx, bank, since, append(s.of(Safeguard), s.of(Operating)...)...)
	if err != nil || !left {
		return err
	}
	job.Set(tx, timerLeft, bank, tx.Now().Add(lost)) // should the job get lost
	tx.Enqueue(dispatchJob{bank}, &river.InsertOpts{Queue: job.Partners})
	return nil
}

// later has the next try wait.
func (s *Service) later(ctx context.Context, o *office, wait time.Duration) error {
	return s.db.InTx(ctx, func(tx *pg.Tx) error {
		job.Clear(tx, timerLeft, o.Bank.ID())
		job.Set(tx, timerDispatch, o.Bank.ID(), tx.Now().Add(wait))
		return nil
	})
}
