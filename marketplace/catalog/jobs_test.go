package catalog_test

import (
	"strings"
	"testing"
	"time"

	"tiwiza/marketplace/catalog"
	"tiwiza/pkg/clock"
	"tiwiza/pkg/job"
	"tiwiza/pkg/pg"
)

func TestLabelsComeAndGoWithTheirDays(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	now, err := clock.Now(t.Context(), m.db)
	if err != nil {
		t.Fatal(err)
	}
	day := func(n int) string { return now.AddDate(0, 0, n).Format(time.DateOnly) }
	m.imports(ourKey, "", strings.Join([]string{
		strings.TrimSpace(heading),
		"a,dates,Dattes,,A1,,500,10,1,Erfoud,Ends,Issuer,1," + day(-10) + "," + day(3) + ",",
		"b,dates,Dattes,,B1,,500,10,1,Erfoud,Begins,Issuer,2," + day(10) + ",,",
	}, "\n"))
	m.verify()
	timers := job.NewTimers(m.db)
	catalog.Timers(timers, m.s)
	check := func(ends, begins int) {
		t.Helper()
		l := m.list("")
		if got := l.Facets["label"]; got["Ends"] != ends || got["Begins"] != begins {
			t.Errorf("labels %v, want Ends %d, Begins %d", got, ends, begins)
		}
		if n := len(m.list("label=Ends").Data); n != ends {
			t.Errorf("%d offers with the label that ends, want %d", n, ends)
		}
	}
	check(1, 0)
	for _, step := range []struct {
		days                int
		fired, ends, begins int
	}{{1, 0, 1, 0}, {4, 1, 0, 0}, {7, 1, 0, 1}} {
		if err := m.tx(func(tx *pg.Tx) error {
			_, err := clock.Advance(t.Context(), tx, time.Duration(step.days)*24*time.Hour)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if fired, err := timers.Due(t.Context()); err != nil || fired != step.fired {
			t.Errorf("%d timers fired (%v), want %d", fired, err, step.fired)
		}
		check(step.ends, step.begins)
	}
}
