package files

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
	_ "time/tzdata" // machines without a zone database
)

// Morocco is where the banks' days begin and end.
var Morocco = func() *time.Location {
	l, err := time.LoadLocation("Africa/Casablanca")
	if err != nil {
		panic(err) // it is linked in
	}
	return l
}()

// A Clock is a time of day in Morocco, written "15:30".
type Clock struct{ Hour, Minute int }

// UnmarshalJSON reads "15:30".
func (c *Clock) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	t, err := time.Parse("15:04", s)
	if err != nil {
		return fmt.Errorf("%q is no time of day such as 15:30", s)
	}
	c.Hour, c.Minute = t.Hour(), t.Minute()
	return nil
}

// on is the clock's time on the day of t.
func (c Clock) on(t time.Time) time.Time {
	t = t.In(Morocco)
	return time.Date(t.Year(), t.Month(), t.Day(), c.Hour, c.Minute, 0, 0, Morocco)
}

// A Timetable is when files leave for a bank. The zero value sends each as soon
// as it is wanted, every day.
type Timetable struct {
	// Runs are when a file leaves on a business day; none: at once.
	Runs []Clock `json:"runs"`
	// CutOff is until when the bank executes on the same day; nil: always.
	CutOff *Clock `json:"cut_off"`
	// Closed are the days on which the bank does not work, besides Saturdays and
	// Sundays: "2027-01-11".
	Closed []string `json:"closed"`
}

// Leaves is when what is wanted at a time leaves: a moment later, so that others
// may share its file, or with the next run.
func (t Timetable) Leaves(at time.Time) time.Time {
	if len(t.Runs) == 0 {
		return at.Add(gather)
	}
	for day := at.In(Morocco); ; day = day.AddDate(0, 0, 1) {
		if !t.works(day) {
			continue
		}
		var next time.Time
		for _, c := range t.Runs {
			if run := c.on(day); !run.Before(at) && (next.IsZero() || run.Before(next)) {
				next = run
			}
		}
		if !next.IsZero() {
			return next.UTC()
		}
	}
}

// Left is until when what was wanted by a time has left: the last run, or that
// time itself when files leave at once.
func (t Timetable) Left(by time.Time) time.Time {
	if len(t.Runs) == 0 {
		return by
	}
	for day := by.In(Morocco); ; day = day.AddDate(0, 0, -1) {
		var last time.Time
		for _, c := range t.Runs {
			if run := c.on(day); t.works(day) && !run.After(by) && run.After(last) {
				last = run
			}
		}
		if !last.IsZero() {
			return last.UTC()
		}
	}
}

// Executes is the day that the bank is asked to act on a file made at a time:
// that day, or the next business day when the cut-off is over or the bank is
// closed. A bank without a cut-off acts every day.
func (t Timetable) Executes(at time.Time) time.Time {
	day := at.In(Morocco)
	if t.CutOff == nil {
		return day
	}
	if !at.Before(t.CutOff.on(day)) {
		day = day.AddDate(0, 0, 1)
	}
	for !t.works(day) {
		day = day.AddDate(0, 0, 1)
	}
	return day
}

// works says whether the bank works on a day.
func (t Timetable) works(day time.Time) bool {
	d := day.Weekday()
	return d != time.Saturday && d != time.Sunday && !slices.Contains(t.Closed, day.Format("2006-01-02"))
}
