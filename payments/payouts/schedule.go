package payouts

import (
	"time"

	"tiwiza/payments/files"
)

// A Schedule is how often a member is paid by itself.
type Schedule string

// The schedules.
const (
	Manual  Schedule = "manual"
	Daily   Schedule = "daily"
	Weekly  Schedule = "weekly"  // on Mondays
	Monthly Schedule = "monthly" // on the first
)

// hour is when scheduled payouts are made, in Morocco: before the banks open.
const hour = 6

// Next is the schedule's next time after at; zero when it has none.
func (s Schedule) Next(at time.Time) time.Time {
	y, m, d := at.In(files.Morocco).Date()
	begin := func(d int) time.Time { return time.Date(y, m, d, hour, 0, 0, 0, files.Morocco) }
	next := begin(d)
	var step func()
	switch s {
	case Daily:
		step = func() { d++ }
	case Weekly:
		for next.Weekday() != time.Monday {
			d++
			next = begin(d)
		}
		step = func() { d += 7 }
	case Monthly:
		d = 1
		next = begin(d)
		step = func() { m++ }
	default:
		return time.Time{}
	}
	for !next.After(at) {
		step()
		next = begin(d)
	}
	return next.UTC()
}

// A Setting is how a beneficiary is paid.
type Setting struct {
	Payee     Payee
	Party     string
	Schedule  Schedule
	Minimum   int64 // centimes; less is left for the next time
	ChangedBy string
}
