package loyalty

import (
	"context"
	"fmt"
	"time"

	"tiwiza/pkg/job"
	"tiwiza/pkg/pg"
)

// The timers, each about a person: expireTimer fires when points are over,
// remindTimer a while before.
const (
	expireTimer = "loyalty.expire"
	remindTimer = "loyalty.remind"
)

// notice is how long before their end people are reminded of their points.
const notice = 30 * 24 * time.Hour

// Timers says what loyalty's timers do.
func Timers(t *job.Timers, s *Service) {
	t.Handle(expireTimer, s.expire)
	t.Handle(remindTimer, s.remind)
}

// wake sets a person's timers to what comes next.
func (s *Service) wake(ctx context.Context, tx *pg.Tx, person string) error {
	expires, unsaid, err := turns(ctx, tx, person)
	if err != nil {
		return err
	}
	set := func(kind string, due *time.Time, before time.Duration) {
		if due == nil {
			job.Clear(tx, kind, person)
			return
		}
		job.Set(tx, kind, person, due.Add(-before))
	}
	set(expireTimer, expires, 0)
	set(remindTimer, unsaid, notice)
	return nil
}

// expire takes away what is over by now.
func (s *Service) expire(ctx context.Context, tx *pg.Tx, person string) error {
	a, lots, err := lockAccount(ctx, tx, person)
	if err != nil {
		return err
	}
	over, n := ended(lots, tx.Now())
	if n == 0 {
		return s.wake(ctx, tx, person)
	}
	after, m, err := a.Debit(Expired, n, over)
	if err != nil {
		return err
	}
	_, err = s.keep(ctx, tx, a, after, m, fmt.Sprintf("%s/%d", person, after.Version), "")
	return err
}

// remind tells a person of the points that are over within the time of notice,
// of each once.
func (s *Service) remind(ctx context.Context, tx *pg.Tx, person string) error {
	if _, _, err := lockAccount(ctx, tx, person); err != nil {
		return err
	}
	lots, err := remind(ctx, tx, person, tx.Now().Add(notice))
	if err != nil {
		return err
	}
	if len(lots) > 0 {
		e := Expiring{Person: person, On: lots[0].ExpiresAt}
		for _, l := range lots {
			e.Points += l.Remains
			if l.ExpiresAt.Before(e.On) {
				e.On = l.ExpiresAt
			}
		}
		if err := tx.Publish(ctx, e); err != nil {
			return err
		}
	}
	return s.wake(ctx, tx, person)
}
