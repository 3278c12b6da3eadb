package catalog

import (
	"context"
	"errors"
	"slices"
	"time"

	"tiwiza/pkg/job"
	"tiwiza/pkg/pg"
)

// The timers: labelTimer fires when a label begins, draws near its end or ends;
// turnTimer when an offer can be had again, or no longer, without anybody doing
// anything: a new week, a date that begins.
const (
	labelTimer = "catalog.label"
	turnTimer  = "catalog.turn"
)

// Timers says what the catalogue's timers do.
func Timers(t *job.Timers, s *Service) {
	t.Handle(labelTimer, s.turnLabel)
	t.Handle(turnTimer, func(ctx context.Context, tx *pg.Tx, offer string) error {
		_, err := s.reindex(ctx, tx, offer)
		return err
	})
}

// remind sets the timer for the next time at which buyers find the offer
// otherwise.
func remind(tx *pg.Tx, o Offer) {
	if due, ok := o.turns(tx.Now()); ok {
		job.Set(tx, turnTimer, o.ID, due)
	}
}

// turns is when what can be had of the offer next changes by itself: on Monday
// for what is booked out this week, and when a date begins.
func (o Offer) turns(at time.Time) (time.Time, bool) {
	if o.State != Published {
		return time.Time{}, false
	}
	var all []time.Time
	for _, v := range o.Variants {
		if v.StartsAt != nil && v.StartsAt.After(at) {
			all = append(all, *v.StartsAt)
		}
		if v.Policy == MadeToOrder && v.Available() == 0 {
			all = append(all, monday(at).AddDate(0, 0, 7))
		}
	}
	if len(all) == 0 {
		return time.Time{}, false
	}
	return slices.MinFunc(all, time.Time.Compare), true
}

func dayAfter(day string) string { return dayOf(day, 1).Format(time.DateOnly) }

// ignore is err, or nil when it is that sentinel.
func ignore(err, sentinel error) error {
	if errors.Is(err, sentinel) {
		return nil
	}
	return err
}
