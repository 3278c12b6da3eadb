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
