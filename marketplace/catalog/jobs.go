package catalog

import (
	"context"
	"time"

	"tiwiza/pkg/clock"
	"tiwiza/pkg/job"
	"tiwiza/pkg/pg"
)

// labelTimer fires when a label of an offer comes into date or runs out.
const labelTimer = "catalog.label"

// Timers says what the catalogue's timers do: the day a label begins or ends,
// what buyers find by it changes.
func Timers(t *job.Timers, s *Service) {
	t.Handle(labelTimer, func(ctx context.Context, tx *pg.Tx, offer string) error {
		_, err := s.reindex(ctx, tx, offer)
		return err
	})
}

// remind sets the timer for the next day on which the offer's labels change.
func remind(tx *pg.Tx, o Offer) {
	today := tx.Now().In(clock.Morocco).Format(time.DateOnly)
	next := ""
	for _, l := range o.Labels {
		for _, d := range []string{l.From, dayAfter(l.To)} {
			if d > today && (next == "" || d < next) {
				next = d
			}
		}
	}
	if next == "" {
		return
	}
	if due, err := time.ParseInLocation(time.DateOnly, next, clock.Morocco); err == nil {
		job.Set(tx, labelTimer, o.ID, due)
	}
}

func dayAfter(day string) string {
	t, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return ""
	}
	return t.AddDate(0, 0, 1).Format(time.DateOnly)
}
