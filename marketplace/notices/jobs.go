package notices

import (
	"context"
	"errors"
	"time"

	"github.com/riverqueue/river"

	"tiwiza/pkg/id"
	"tiwiza/pkg/job"
	"tiwiza/pkg/pg"
)

// The timers: timerTurn is when a notice needs somebody to look at it, timerDay
// when an owner's message of the day is made.
const (
	timerTurn = "notices.turn"
	timerDay  = "notices.day"
)

// lost is after how long a notice that was due is looked at again: its job may
// have been given up, or lost.
const lost = 2 * time.Minute

// Bringing is the job of sending one notice.
type Bringing struct {
	Notice string `json:"notice"`
}

// Kind names the job.
func (Bringing) Kind() string { return "notices.bring" }

// Work says what the jobs and the timers do.
func (s *Service) Work(w *job.Workers, t *job.Timers) {
	job.Handle(w, func(ctx context.Context, b Bringing) error { return s.Bring(ctx, b.Notice) })
	t.Handle(timerTurn, s.look)
	t.HandleMany(timerTurn, s.lookAll)
	t.Handle(timerDay, s.gather)
}

// arm sets what wakes a notice: a job when it is due, else a timer; and a timer in
// any case, should the job be lost.
func (s *Service) arm(tx *pg.Tx, n Notice) {
	switch {
	case n.State == Gathered:
		job.SetOnce(tx, timerDay, n.Owner, n.DueAt)
	case n.State == Waiting && n.DueAt.After(tx.Now()):
		job.Set(tx, timerTurn, n.ID, n.DueAt)
	case n.State == Waiting:
		tx.Enqueue(Bringing{n.ID}, &river.InsertOpts{Queue: job.Notices, MaxAttempts: 10})
		job.Set(tx, timerTurn, n.ID, tx.Now().Add(lost))
	case n.State == Sent && n.Sealed != nil:
		job.Set(tx, timerTurn, n.ID, n.ExpiresAt)
	default:
		job.Clear(tx, timerTurn, n.ID)
	}
}

// lookAll wakes notices that are due together, in the morning mostly: timers of
// money do not wait until each has had its turn. The others are left to look.
func (s *Service) lookAll(ctx context.Context, tx *pg.Tx, ids []string) (left []string, err error) {
	all, err := lockAll(ctx, tx, ids)
	if err != nil {
		return nil, err
	}
	var again job.Times
	for _, n := range all {
		switch {
		case n.State != Waiting:
			left = append(left, n.ID)
		case n.DueAt.After(tx.Now()):
			again.Add(n.ID, n.DueAt)
		default:
			tx.Enqueue(Bringing{n.ID}, &river.InsertOpts{Queue: job.Notices, MaxAttempts: 10})
			again.Add(n.ID, tx.Now().Add(lost))
		}
	}
	job.SetAll(tx, timerTurn, again)
	return left, nil
}

// unlessGone is what went wrong with a notice, but that it is no more: whom it was for
// was forgotten meanwhile, and nobody waits for it.
func unlessGone(err error) error {
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}

// look wakes a notice that is due, gives up an answer that nobody waits for any
// more, and forgets the secrets of one that was sent.
func (s *Service) look(ctx context.Context, tx *pg.Tx, notice string) error {
	n, err := lock(ctx, tx, notice)
	if err != nil {
		return unlessGone(err)
	}
	switch n.State {
	case Waiting:
		s.arm(tx, n)
	case Sending:
		return s.abandon(ctx, tx, n)
	case Sent:
		if n.Sealed != nil && !n.ExpiresAt.After(tx.Now()) {
			n.Sealed = nil
			save(tx, n)
		}
	}
	return nil
}

// abandon takes an answer that never came for what it is: unknown.
func (s *Service) abandon(ctx context.Context, tx *pg.Tx, n Notice) error {
	tries, err := attemptsOf(ctx, tx, n.ID)
	if err != nil {
		return err
	}
	for _, a := range tries {
		if a.State != TrySending {
			continue
		}
		if until := a.At.Add(lease); until.After(tx.Now()) {
			job.Set(tx, timerTurn, n.ID, until)
			return nil
		}
		a.State, a.Code = TryUnknown, "no_answer"
		a.Version++
		saveAttempt(tx, a)
	}
	return s.onward(ctx, tx, n, 0)
}

// gather makes the message of the day of what somebody was not told one by one.
func (s *Service) gather(ctx context.Context, tx *pg.Tx, owner string) error {
	all, err := gathered(ctx, tx, owner)
	if err != nil {
		return err
	}
	for _, g := range together(all) {
		now := tx.Now()
		n := Notice{
			ID: id.New(id.Notice), Owner: owner, Kind: Digest, Lang: g.lang, Phone: g.phone, Email: g.email, State: Waiting, DueAt: Awake(now),
			Params: map[string]string{"summary": summary(g.lang, g.tallies), "link": s.URL + "/v"}, Dedupe: "digest:" + g.ids[0],
			ExpiresAt: now.Add(day), CreatedAt: now, Version: 1,
		}
		fresh, err := insert(ctx, tx, n)
		if err != nil {
			return err
		}
		if fresh {
			s.arm(tx, n)
			tellTogether(tx, g.ids, n.ID)
		}
	}
	return nil
}

// A heap is what one address is told together.
type heap struct {
	phone, email, lang string
	ids                []string
	tallies            []tally
}

// together puts notices of one owner into heaps by their address, in the order in
// which they came.
func together(all []Notice) (heaps []*heap) {
	for _, n := range all {
		h := find(heaps, func(h *heap) bool { return h.phone == n.Phone && h.email == n.Email && h.lang == n.Lang })
		if h == nil {
			h = &heap{phone: n.Phone, email: n.Email, lang: n.Lang}
			heaps = append(heaps, h)
		}
		h.ids = append(h.ids, n.ID)
		i := 0
		for i < len(h.tallies) && h.tallies[i].Kind != n.Kind {
			i++
		}
		if i == len(h.tallies) {
			h.tallies = append(h.tallies, tally{Kind: n.Kind})
		}
		h.tallies[i].N++
		if n.Amount != nil {
			h.tallies[i].Amount += *n.Amount
		}
	}
	return heaps
}

func find(all []*heap, is func(*heap) bool) *heap {
	for _, h := range all {
		if is(h) {
			return h
		}
	}
	return nil
}
