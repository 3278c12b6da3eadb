// Package job runs work in the background: River jobs, which any hub on the
// database may pick up, and timers, which fire at the hub's time. Both may run
// more than once: a worker locks and re-reads the row it is about, and decides
// from its state.
package job

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"tiwiza/migrations"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/id"
	"tiwiza/pkg/pg"
)

// Times of RELIABILITY.md §3.3: a partner call's deadline (25 s) is shorter
// than the job's, which is shorter than the wait before a job whose hub died is
// given to another.
const (
	Timeout     = 45 * time.Second
	RescueAfter = 2 * time.Minute
)

// Queues with the number of jobs each hub runs at once. Partners have queues
// of their own, so that a slow one holds up no other work, and so does what takes
// half a minute. What people are told waits for none of that.
const (
	Default  = river.QueueDefault
	Events   = "events"
	Partners = "partners"
	Bulk     = "bulk"
	Notices  = "notices"

	Relations = "relations" // systems that no order waits for
)

// Workers are the kinds of job a hub knows how to run.
type Workers struct{ river *river.Workers }

// NewWorkers makes an empty set.
func NewWorkers() *Workers { return &Workers{river.NewWorkers()} }

// Handle has work run jobs of kind A. It returns Cancel(err) to give a job up.
func Handle[A river.JobArgs](w *Workers, work func(ctx context.Context, args A) error) {
	river.AddWorker(w.river, &worker[A]{work: work})
}

type worker[A river.JobArgs] struct {
	river.WorkerDefaults[A]
	work func(context.Context, A) error
}

// Work runs one job as the hub itself.
func (w *worker[A]) Work(ctx context.Context, j *river.Job[A]) error {
	return w.work(auth.With(ctx, auth.Hub), j.Args)
}

// Timeout bounds each job.
func (w *worker[A]) Timeout(*river.Job[A]) time.Duration { return Timeout }

// Cancel gives a job up: it is kept with its reason and never tried again.
func Cancel(err error) error { return river.JobCancel(err) }

// Runner queues jobs, and works them once started.
type Runner struct {
	client *river.Client[pgxTx]
	store  *pg.Store
	name   string
}

// PartnerQueue is where the jobs of one partner wait, if it has a queue of its
// own. Its workers are as many as calls at once that a partner gets.
func PartnerQueue(partner string) string {
	return Partners + "-" + strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, strings.ToLower(partner))
}

// NewRunner makes a runner over the store. With nil workers it only queues. Own
// are partners whose jobs wait in queues of their own.
func NewRunner(store *pg.Store, w *Workers, log *slog.Logger, own ...string) (*Runner, error) {
	name := "hub-" + id.New("run")
	cfg := &river.Config{
		ID:                          name,
		Schema:                      migrations.RiverSchema,
		Logger:                      log,
		JobTimeout:                  Timeout,
		RescueStuckJobsAfter:        RescueAfter,
		FetchPollInterval:           500 * time.Millisecond,
		FetchCooldown:               50 * time.Millisecond,
		MaxAttempts:                 25,
		RetryPolicy:                 backoff{},
		CompletedJobRetentionPeriod: time.Hour,
	}
	if w != nil {
		cfg.Workers = w.river
		cfg.Queues = map[string]river.QueueConfig{
			Default: {MaxWorkers: 4}, Events: {MaxWorkers: 4}, Partners: {MaxWorkers: 8}, Bulk: {MaxWorkers: 1}, Notices: {MaxWorkers: 4}, Relations: {MaxWorkers: 2},
		}
		for _, partner := range own {
			cfg.Queues[PartnerQueue(partner)] = river.QueueConfig{MaxWorkers: 8}
		}
	}
	c, err := river.NewClient(riverpgxv5.New(store.Pool()), cfg)
	if err != nil {
		return nil, fmt.Errorf("make the job runner: %w", err)
	}
	return &Runner{c, store, name}, nil
}

// Jobs is what a pg.Store queues jobs with.
func (r *Runner) Jobs() pg.Jobs { return r.client }

// Start works jobs until Stop.
func (r *Runner) Start(ctx context.Context) error { return r.client.Start(ctx) }

// Stop waits for the jobs at work; those still running when ctx ends are
// cancelled and come back to the queue.
func (r *Runner) Stop(ctx context.Context) error {
	if err := r.client.Stop(ctx); err == nil {
		return nil
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 1500*time.Millisecond)
	defer cancel()
	return r.client.StopAndCancel(last)
}
