package procedures

import (
	"slices"
	"time"

	"tiwiza/pkg/clock"
)

// Days are a term: so many calendar days, or working days, after the day it begins
// on. It ends with the last of them, at midnight in Morocco.
type Days struct {
	N       int  `json:"days" required:"true" minimum:"1" maximum:"730"`
	Working bool `json:"working,omitempty" description:"Saturdays, Sundays and the holidays with a fixed date do not count."`
}

// holidays are those of Morocco with a fixed date. Religious ones follow the moon
// and are announced days before: they are not taken off, so a term that spans one
// ends early rather than late.
var holidays = []string{"01-01", "01-11", "01-14", "05-01", "07-30", "08-14", "08-20", "08-21", "10-31", "11-06", "11-18"}

// works says whether institutions work on a day.
func works(day time.Time) bool {
	return day.Weekday() != time.Saturday && day.Weekday() != time.Sunday && !slices.Contains(holidays, day.Format("01-02"))
}

// From is when the term ends that begins at a moment.
func (d Days) From(at time.Time) time.Time {
	y, m, day := at.In(clock.Morocco).Date()
	on := time.Date(y, m, day, 12, 0, 0, 0, time.UTC) // dates alone: no clock changes here
	for left := d.N; left > 0; {
		on = on.AddDate(0, 0, 1)
		if !d.Working || works(on) {
			left--
		}
	}
	return midnightAfter(on)
}

func midnightAfter(on time.Time) time.Time {
	return time.Date(on.Year(), on.Month(), on.Day()+1, 0, 0, 0, 0, clock.Morocco).UTC()
}

// endOfDay is the end of a moment's day in Morocco; one that is the end of a day
// already stays.
func endOfDay(at time.Time) time.Time {
	y, m, day := at.Add(-time.Nanosecond).In(clock.Morocco).Date()
	return time.Date(y, m, day+1, 0, 0, 0, 0, clock.Morocco).UTC()
}

// Terms are how long each side has.
type Terms struct {
	Examine  Days  `json:"examine" required:"true" description:"The institution, from the day that it has the case until it decides; days on which it waits for the applicant do not count."`
	Answer   Days  `json:"answer" required:"true" description:"The applicant, to answer a question."`
	HandOver Days  `json:"hand_over" required:"true" description:"An institution, to receive or return what it is handed; what it did not receive by then goes back."`
	Appeal   Days  `json:"appeal" required:"true" description:"The applicant, to object to a refusal."`
	Remind   []int `json:"remind,omitempty" maxItems:"5" uniqueItems:"true" minimum:"1" maximum:"60" description:"How many calendar days before the end whoever is to act is told."`
}

// turn is when somebody is told of a term that ends: the next reminder after a
// moment, or its end.
func (t Terms) turn(due, after time.Time) time.Time {
	next := due
	for _, days := range t.Remind {
		if at := due.Add(-time.Duration(days) * 24 * time.Hour); at.After(after) && at.Before(next) {
			next = at
		}
	}
	return next
}
