package webhook

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"tiwiza/pkg/auth"
	"tiwiza/pkg/pg"
)

// How much one hub does at once.
const (
	endpoints = 64               // that it sends to
	abreast   = 4                // deliveries of one endpoint, of different subjects
	turn      = 20 * time.Second // then others may have the endpoint's place
	pace      = 250 * time.Millisecond
)

// Run gives events their places in the log and sends what is due, until ctx
// ends; then it waits for the calls it has broken off. Any number of hubs may
// run it.
func (s *Service) Run(ctx context.Context) {
	ctx = auth.With(ctx, auth.Hub)
	var turns sync.WaitGroup
	defer turns.Wait()
	free := make(chan struct{}, endpoints)
	tick := time.NewTicker(pace)
	defer tick.Stop()
	for beat := 0; ; beat++ {
		if err := s.beat(ctx, beat, &turns, free); err != nil && ctx.Err() == nil {
			slog.WarnContext(ctx, "webhooks wait", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// beat is one round of Run.
func (s *Service) beat(ctx context.Context, n int, turns *sync.WaitGroup, free chan struct{}) error {
	if err := s.place(ctx); err != nil {
		return err
	}
	if n%60 == 0 {
		if err := s.measure(ctx); err != nil {
			return err
		}
	}
	if n%14400 == 0 {
		if err := forget(ctx, s.db); err != nil {
			return err
		}
	}
	mine, err := s.claim(ctx, cap(free)-len(free))
	for _, p := range mine {
		free <- struct{}{} // there is room: only this goroutine fills it
		turns.Go(func() {
			defer func() { <-free }()
			s.turn(ctx, p)
		})
	}
	return err
}

// place places all that was committed.
func (s *Service) place(ctx context.Context) error {
	for {
		n, err := s.bus.Place(ctx, s.db)
		if err != nil || n == 0 {
			return err
		}
	}
}

func (s *Service) measure(ctx context.Context) error {
	b, err := waiting(ctx, s.db)
	if err == nil {
		s.metrics.waiting.Set(float64(b.Waiting))
		s.metrics.oldest.Set(float64(b.Oldest))
	}
	return err
}

func (s *Service) claim(ctx context.Context, n int) (mine []Endpoint, err error) {
	if n <= 0 {
		return nil, nil
	}
	err = s.db.InTx(ctx, func(tx *pg.Tx) error {
		mine, err = claim(ctx, tx, n)
		return err
	})
	return mine, err
}

// turn sends what is due to one endpoint, until nothing is, it fails too often,
// or others shall have the place.
func (s *Service) turn(ctx context.Context, p Endpoint) {
	over := time.After(turn)
	for more := true; more; {
		n := abreast
		if p.Failures >= shaky {
			n = 1 // one tries whether it is back
		}
		sent, err := s.round(ctx, p, n)
		if err != nil && ctx.Err() == nil {
			slog.WarnContext(ctx, "webhook endpoint waits", "endpoint", p.ID, "error", err)
		}
		select {
		case <-ctx.Done():
			more = false
		case <-over:
			more = false
		default:
			more = err == nil && sent
		}
		if more {
			if p, err = load(ctx, s.db, p.ID); err != nil || p.State != Active || Hold(p.Failures) > 0 {
				more = false
			}
		}
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	if err := s.db.InTx(last, func(tx *pg.Tx) error { unlease(tx, p.ID); return nil }); err != nil {
		slog.WarnContext(ctx, "webhook endpoint keeps its lease", "endpoint", p.ID, "error", err)
	}
}

// round sends up to n deliveries at once, and waits for all of them.
func (s *Service) round(ctx context.Context, p Endpoint, n int) (sent bool, err error) {
	secrets, err := live(ctx, s.db, p.ID)
	if err != nil {
		return false, err
	}
	var due []attempt
	err = s.db.InTx(ctx, func(tx *pg.Tx) error {
		due, err = take(ctx, tx, p, n)
		return err
	})
	if err != nil {
		return false, err
	}
	var calls sync.WaitGroup
	errs := make([]error, len(due))
	for i, a := range due {
		calls.Go(func() {
			r := s.call(ctx, p.URL, secrets, a.Telling)
			errs[i] = s.record(ctx, p, a, r)
		})
	}
	calls.Wait()
	for _, err := range errs {
		if err != nil {
			return true, err
		}
	}
	return len(due) > 0, nil
}

// record writes down what came of an attempt.
func (s *Service) record(ctx context.Context, p Endpoint, a attempt, r result) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return s.db.InTx(ctx, func(tx *pg.Tx) error {
		if r.left {
			putBack(tx, a)
			return nil
		}
		p, err := lock(ctx, tx, p.ID)
		if err != nil {
			return ignore(err) // it was deleted meanwhile
		}
		switch {
		case r.ok():
			saveDelivered(tx, p, a, r)
			age := tx.Now().Sub(a.At)
			tx.After(func() { s.metrics.age.Observe(age.Seconds()); s.metrics.calls.WithLabelValues("delivered").Inc() })
		case r.gone():
			saveGone(tx, p, a, r)
			tx.After(func() { s.metrics.calls.WithLabelValues("gone").Inc() })
			return tx.Publish(ctx, Gone{p.ID, p.Owner, p.URL})
		default:
			s.failed(tx, p, a, r)
		}
		return nil
	})
}

// failed writes down that an endpoint did not take a delivery.
func (s *Service) failed(tx *pg.Tx, p Endpoint, a attempt, r result) {
	now, state, count := tx.Now(), Waiting, "retried"
	next, again := Next(a.Tries, now, a.Until, r.asked, rand.Float64())
	if !again {
		state, next, count = Failed, now, "given_up"
	}
	p.Failures++
	saveTried(tx, p, a, r, state, next, now.Add(Hold(p.Failures)))
	if p.Failures >= shaky {
		giveUp(tx, p.ID)
	}
	tx.After(func() { s.metrics.calls.WithLabelValues(count).Inc() })
}
