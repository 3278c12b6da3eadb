package limits_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tiwiza/payments/limits"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

// alone asks whether a person may decide on so much alone.
func (d *desk) alone(what, person string, centimes int64) (ok bool, err error) {
	err = d.db.InTx(d.t.Context(), func(tx *pg.Tx) error {
		ok, err = d.s.Alone(d.t.Context(), tx, what, person, money.Dirhams(centimes))
		return err
	})
	return ok, err
}

func TestWhatOneDecidesAloneHasASumADay(t *testing.T) {
	t.Parallel()
	d := newDesk(t,
		amounting("off_person", limits.OfWriteOffs, "person", 100_00, 24*time.Hour, limits.Review),
		amounting("off_all", limits.OfWriteOffs, "all", 150_00, 24*time.Hour, limits.Review))
	for i, c := range []struct {
		what, person string
		centimes     int64
		want         bool
	}{
		{limits.OfWriteOffs, "a", 60_00, true},
		{limits.OfWriteOffs, "a", 40_01, false},
		{limits.OfWriteOffs, "a", 40_00, true}, // what was refused did not count
		{limits.OfWriteOffs, "a", 1, false},
		{limits.OfWriteOffs, "b", 50_01, false}, // of all
		{limits.OfWriteOffs, "b", 50_00, true},
		{limits.OfWriteOffs, "c", 1, false},
		{limits.OfGiveBacks, "a", 900_00, true}, // counted apart; there is no rule
	} {
		if ok, err := d.alone(c.what, c.person, c.centimes); err != nil || ok != c.want {
			t.Errorf("%d: %s of %d by %s alone: %t (%v), want %t", i, c.what, c.centimes, c.person, ok, err, c.want)
		}
	}
	d.advance(24*time.Hour + 5*time.Minute)
	undone := errors.New("undone")
	err := d.db.InTx(t.Context(), func(tx *pg.Tx) error {
		if ok, err := d.s.Alone(t.Context(), tx, limits.OfWriteOffs, "a", money.Dirhams(100_00)); err != nil || !ok {
			t.Errorf("a day later: %t, %v", ok, err)
		}
		return undone
	})
	if ok, aerr := d.alone(limits.OfWriteOffs, "a", 100_00); !errors.Is(err, undone) || aerr != nil || !ok {
		t.Errorf("after what was undone: %t, %v, %v", ok, aerr, err)
	}
}

// Fifty at once, at two hubs, do not go beyond it by a centime.
func TestWhatOneDecidesAloneHoldsAtOnce(t *testing.T) {
	t.Parallel()
	d := newDesk(t, amounting("off_person", limits.OfWriteOffs, "person", 100_00, 24*time.Hour, limits.Review))
	var wg sync.WaitGroup
	var passed atomic.Int64
	for range 50 {
		wg.Go(func() {
			ok, err := d.alone(limits.OfWriteOffs, "a", 9_00)
			if err != nil {
				t.Error(err)
			}
			if ok {
				passed.Add(1)
			}
		})
	}
	wg.Wait()
	if passed.Load() != 11 {
		t.Errorf("%d of 9.00 passed, want 11 of 100.00", passed.Load())
	}
}

func TestRulesOfWhatOneDecidesAloneAreOfPeople(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	ctx := auth.With(t.Context(), first)
	b, err := d.s.Show(ctx, rest.None{})
	must(t, err)
	found := 0
	for _, r := range b.Rules {
		if r.What == limits.OfWriteOffs || r.What == limits.OfGiveBacks {
			found++
		}
	}
	if found != 4 {
		t.Errorf("%d rules of what one decides alone are in force, want 4", found)
	}
	byCard := amounting("ok_card", limits.OfGiveBacks, "all", 1, time.Hour, limits.Review)
	byCard.Method = "card"
	for name, r := range map[string]limits.Rule{
		"sales of a person":     amounting("bad", limits.OfSales, "person", 1, time.Hour, limits.Refuse),
		"payouts of a person":   amounting("bad", limits.OfPayouts, "person", 1, time.Hour, limits.Hold),
		"write-offs of a buyer": amounting("bad", limits.OfWriteOffs, "buyer", 1, time.Hour, limits.Review),
		"write-offs that wait":  amounting("bad", limits.OfWriteOffs, "person", 1, time.Hour, limits.Hold),
		"refunds by card":       byCard,
	} {
		if _, err := d.s.Put(ctx, limits.PutInput{Version: b.Version, Rules: []limits.Rule{r}, Why: "test"}); !errors.Is(err, limits.ErrRules) {
			t.Errorf("a rule on %s: %v, want ErrRules", name, err)
		}
		if _, err := d.db.Exec(t.Context(), `insert into limits.rule (id, what, per, method, window_s, max_amount, action, about) values ('bad', $1, $2, $3, 3600, 1, $4, 'x')`,
			r.What, r.Per, r.Method, r.Action); !pg.Violates(err, "rule_counts") {
			t.Errorf("the database takes a rule on %s: %v", name, err)
		}
	}
}
