package policies

import "time"

// The times of a policy that is paid for by period.
const (
	remindBefore = 7 * 24 * time.Hour
	grace        = 15 * 24 * time.Hour
	tellEnding   = 14 * 24 * time.Hour
	tryDaily     = 24 * time.Hour
)

// due is when the next period of a policy is to be paid for, or nil when there is
// none before it ends.
func (p Policy) due() *time.Time {
	var at time.Time
	switch p.Period {
	case "month":
		at = monthsOn(p.Starts, p.Periods)
	case "year":
		at = monthsOn(p.Starts, 12*p.Periods)
	default:
		return nil
	}
	if !at.Before(p.Ends) {
		return nil
	}
	return &at
}

// monthsOn is the same day some months on, or the last of a month that is shorter.
func monthsOn(t time.Time, months int) time.Time {
	at := t.AddDate(0, months, 0)
	if at.Day() != t.Day() { // it went over into the next month
		at = at.AddDate(0, 0, -at.Day())
	}
	return at
}

// period names the period that is to be paid for next, by its first month.
func (p Policy) period() string {
	return p.NextDue.Format("2006-01")
}

// turn is when something of a policy that holds happens next by itself: now, when
// the member should have been reminded already.
func (p Policy) turn(now time.Time) time.Time {
	next := p.Ends
	sooner := func(t time.Time) {
		if t.After(now) && t.Before(next) {
			next = t
		}
	}
	if !p.EndingTold {
		sooner(p.Ends.Add(-tellEnding))
	}
	if d := p.NextDue; d != nil {
		if remind := d.Add(-remindBefore); !p.Reminded && now.Before(*d) {
			if remind.Before(now) {
				return now
			}
			sooner(remind)
		}
		sooner(*d)
		sooner(d.Add(grace))
		if !now.Before(*d) {
			sooner(now.Add(tryDaily))
		}
	}
	return next
}
