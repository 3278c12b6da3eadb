package charter

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"tiwiza/marketplace/members"
	"tiwiza/pkg/job"
	"tiwiza/pkg/pg"
)

// timerRound fires when members who have not signed a version are to be told, or
// stopped; and again at once for the next page of them.
const timerRound = "charter.round"

// page is how many members a round comes to in one unit of work.
const page = 200

// Work has timers fire. It is called at start.
func (s *Service) Work(timers *job.Timers) { timers.Handle(timerRound, s.goRound) }

func roundOf(version int, step Step) string { return strconv.Itoa(version) + ":" + string(step) }

// goRound comes to the next members who have not signed. There is one timer for all
// of them, whatever their number: it is set again until the last was come to, behind
// whatever else is due.
func (s *Service) goRound(ctx context.Context, tx *pg.Tx, subject string) error {
	number, step, _ := strings.Cut(subject, ":")
	n, err := strconv.Atoi(number)
	if err != nil {
		return fmt.Errorf("read the round %q: %w", subject, err)
	}
	r, err := lockRound(ctx, tx, n, Step(step))
	if err != nil || r.DoneAt != nil {
		return err
	}
	v, err := loadVersion(ctx, tx, n)
	if err != nil {
		return err
	}
	all, err := s.Members.UnboundAfter(ctx, tx, n, r.After, r.Step.stops(), page) // who is suspended is reminded of nothing
	if err != nil {
		return err
	}
	var events []pg.Event
	for _, org := range all {
		r.After = org
		r.Touched++
		if !r.Step.stops() {
			events = append(events, SignatureDue{org, n, v.LastDay.Format(time.DateOnly), r.Step})
			continue
		}
		if err := s.stop(ctx, tx, org, n); err != nil {
			return err
		}
	}
	if len(events) > 0 {
		if err := tx.PublishAll(ctx, events, nil); err != nil {
			return err
		}
	}
	if len(all) < page {
		at := tx.Now()
		r.DoneAt = &at
	} else {
		job.Set(tx, timerRound, subject, tx.Now())
	}
	saveRound(tx, r)
	return nil
}

// stop has a member that is late sell nothing new.
func (s *Service) stop(ctx context.Context, tx *pg.Tx, org string, version int) error {
	o, err := s.Members.Locked(ctx, tx, org)
	if err != nil {
		return err
	}
	if o.Charter >= version || o.State != members.Active && o.State != members.Suspended {
		return nil // it has signed, or left, a moment ago
	}
	was := len(o.Restricted)
	if o, err = s.Members.Restrict(ctx, tx, o, members.LacksCharter); err != nil || len(o.Restricted) == was {
		return err
	}
	return tx.Publish(ctx, Overdue{org, version})
}
