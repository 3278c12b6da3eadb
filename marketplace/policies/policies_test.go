package policies_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"tiwiza/marketplace/policies"
)

// Each month of a policy has one premium, whatever day it began on.
func TestEachMonthHasOnePremium(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		starts := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC).AddDate(0, 0, rapid.IntRange(0, 1500).Draw(t, "day"))
		for n := range 30 {
			at := policies.DueOf(policies.Policy{Period: "month", Starts: starts, Ends: starts.AddDate(5, 0, 0), Periods: n})
			want := time.Date(starts.Year(), starts.Month()+time.Month(n), 1, 0, 0, 0, 0, time.UTC).Format("2006-01")
			if got := at.Format("2006-01"); got != want || at.Day() > starts.Day() {
				t.Fatalf("the premium %d of a policy from %s is due on %s, want it in %s", n, starts.Format(time.DateOnly), at.Format(time.DateOnly), want)
			}
		}
	})
}

// A reminder that is late is not left out: whoever was away when it was due gives
// it before the premium is taken.
func TestAReminderIsNeverLeftOut(t *testing.T) {
	t.Parallel()
	due := time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC)
	p := policies.Policy{Period: "month", Starts: due.AddDate(0, -1, 0), Ends: due.AddDate(1, 0, 0), Periods: 1, NextDue: &due}
	for now, want := range map[time.Time]time.Time{
		due.AddDate(0, 0, -20): due.AddDate(0, 0, -7),
		due.AddDate(0, 0, -6):  due.AddDate(0, 0, -6),
		due:                    due.AddDate(0, 0, 1), // a short balance is tried again each day
	} {
		if got := policies.TurnOf(p, now); !got.Equal(want) {
			t.Errorf("on %s its next turn is %s, want %s", now.Format(time.DateOnly), got, want)
		}
	}
	p.Reminded = true
	if got := policies.TurnOf(p, due.AddDate(0, 0, -6)); !got.Equal(due) {
		t.Errorf("once reminded its next turn is %s, want %s", got, due)
	}
}
