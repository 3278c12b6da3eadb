package payouts

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/riverqueue/river"

	"tiwiza/adapters/bank"
	"tiwiza/payments/operations"
	"tiwiza/pkg/id"
	"tiwiza/pkg/job"
	"tiwiza/pkg/money"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pg"
)

const (
	timerDispatch = "payouts.dispatch" // the next file leaves
	timerLeft     = "payouts.left"     // what should have left is looked for
	timerReady    = "payouts.ready"    // a draft may be ready now

	// gather is how long the first approved payout waits for others to share
	// its file.
	gather = 2 * time.Second
	// perFile bounds a file.
	perFile = 500
)

type dispatchJob struct {
	Bank string `json:"bank"`
}

// Kind names the job.
func (dispatchJob) Kind() string { return "payouts.dispatch" }

// Work registers the jobs and timers of payouts.
func (s *Service) Work(w *job.Workers, t *job.Timers) {
	job.Handle(w, func(ctx context.Context, _ dispatchJob) error { return s.Dispatch(ctx) })
	dispatch := func(ctx context.Context, tx *pg.Tx, bank string) error {
		left, err := s.ops.Waiting(ctx, tx, bank, kindPayout)
		if err != nil || !left {
			return err
		}
		job.Set(tx, timerLeft, bank, tx.Now().Add(time.Minute)) // should the job get lost; payouts approved meanwhile need not wait for it
		tx.Enqueue(dispatchJob{bank}, &river.InsertOpts{Queue: job.Partners})
		return nil
	}
	t.Handle(timerDispatch, dispatch)
	t.Handle(timerLeft, dispatch)
	t.Handle(timerReady, s.retry)
}

// errIdle says that there is nothing to send.
var errIdle = errors.New("nothing to send")

// Dispatch sends what waits: a file that was made and never reached the bank
// again with its own bytes, then all approved payouts in a new one. The file
// and its operations, as being sent, commit before the bank is called; a hub
// that dies in between leaves operations whose lease makes them unknown, and an
// inquiry that looks for the file.
func (s *Service) Dispatch(ctx context.Context) error {
	for {
		var f bank.File
		var ops []operations.Operation
		err := s.db.InTx(ctx, func(tx *pg.Tx) (err error) {
			f, ops, err = s.pack(ctx, tx)
			return err
		})
		if errors.Is(err, errIdle) {
			return nil
		}
		if err != nil {
			return err
		}
		if len(ops) == 0 { // all of them were refused
			continue
		}
		r, err := s.ops.Call(ctx, ops, func(ctx context.Context) outbound.Result { return s.from.Bank.Publish(ctx, f) })
		if err != nil {
			return err
		}
		slog.InfoContext(ctx, "payout file", "partner", s.from.Bank.ID(), "file", f.Name, "payouts", len(ops), "outcome", string(r.Outcome), "why", r.Text)
		if r.Outcome != outbound.NotSent {
			s.failures.Store(0)
			continue
		}
		// Not now: later, and later each time, as late as the bank asks.
		wait := max(r.RetryAfter, min(5*time.Second<<min(s.failures.Add(1)-1, 6), 5*time.Minute))
		return s.db.InTx(ctx, func(tx *pg.Tx) error {
			job.Clear(tx, timerLeft, s.from.Bank.ID())
			job.Set(tx, timerDispatch, s.from.Bank.ID(), tx.Now().Add(wait))
			return nil
		})
	}
}

// pack makes the next file.
func (s *Service) pack(ctx context.Context, tx *pg.Tx) (bank.File, []operations.Operation, error) {
	if err := oneAtATime(ctx, tx, s.from.Bank.ID()); err != nil {
		return bank.File{}, nil, err
	}
	msg := id.New(id.File)
	file, ops, err := s.ops.Depart(ctx, tx, s.from.Bank.ID(), kindPayout, msg, perFile)
	if err != nil || len(ops) == 0 {
		return bank.File{}, nil, orElse(err, errIdle)
	}
	if file != msg { // only the same bytes ever go out again, under their name
		f, err := loadFile(ctx, tx, file)
		return f, ops, err
	}
	batch := bank.Batch{ID: RefOf(msg), Created: tx.Now(), Execute: tx.Now(), From: s.from.Account}
	leaving := ops[:0]
	for _, o := range ops {
		p, err := load(ctx, tx, o.Subject)
		if err != nil {
			return bank.File{}, nil, err
		}
		t := bank.Transfer{
			Ref: p.Ref, Amount: money.FromCentimes(p.Amount, p.Currency), To: bank.Account{RIB: p.RIB, Name: p.Holder}, Info: "Tiwiza " + p.Ref,
		}
		if err := s.fits(batch, t); err != nil { // one that the bank could not take must not keep the others
			slog.ErrorContext(ctx, "a payout cannot be sent", "payout", p.ID, "error", err)
			if _, err := s.ops.Heard(ctx, tx, o.ID, operations.Answer, outbound.Result{Outcome: outbound.Declined, Code: "invalid", Text: err.Error()}, ""); err != nil {
				return bank.File{}, nil, err
			}
			continue
		}
		batch.Transfers, leaving = append(batch.Transfers, t), append(leaving, o)
	}
	if len(leaving) == 0 {
		return bank.File{}, nil, nil
	}
	f, err := s.from.Bank.Render(batch)
	if err != nil {
		return f, nil, fmt.Errorf("make the payout file: %w", err)
	}
	insertFile(tx, msg, s.from.Bank.ID(), f)
	return f, leaving, nil
}

// fits says whether the bank could take a transfer.
func (s *Service) fits(batch bank.Batch, t bank.Transfer) error {
	batch.Transfers = []bank.Transfer{t}
	_, err := s.from.Bank.Render(batch)
	return err
}

// inquire asks whether the bank has the file that a payout left in. A file says
// nothing of whether it was paid: that is the statement's word.
func (s *Service) inquire(ctx context.Context, o operations.Operation) outbound.Result {
	f, err := loadFile(ctx, s.db, o.File)
	if err != nil {
		return outbound.Result{Outcome: outbound.Unknown, Text: err.Error()}
	}
	r := s.from.Bank.Find(ctx, f)
	if r.Outcome != outbound.NotFound {
		return r
	}
	// Banks take files away once they have read them: one that was reported on
	// is not missing.
	told, err := s.ops.Told(ctx, s.db, o.ID)
	switch {
	case err != nil:
		return outbound.Result{Outcome: outbound.Unknown, Text: err.Error()}
	case told:
		r.Outcome, r.Text = outbound.Accepted, "the bank has reported on it"
	}
	return r
}

func orElse(err, other error) error {
	if err != nil {
		return err
	}
	return other
}
