package main

import (
	"io"
	"math/rand/v2"
	"testing"
	"time"
)

// TestKilledHubLosesNothing kills the hub again and again, at any moment, while
// demonstrations are played. They wait for it and end as if nothing had been:
// their own figures say that the bank has each payout once.
func TestKilledHubLosesNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	rounds := 2
	if long {
		rounds = 10
	}
	kills := 0
	for range rounds {
		kills += r.killDuring(t, 2)
	}
	if kills == 0 {
		t.Error("the hub was never killed")
	}
	t.Logf("the hub was killed %d times", kills)
	r.verify(t)
}

// killDuring plays demonstrations and kills the hub until they are through.
func (r *rig) killDuring(t *testing.T, demos int) (kills int) {
	t.Helper()
	type outcome struct {
		figures
		err error
	}
	done := make(chan outcome, demos)
	for range demos {
		p := r.plays(io.Discard)
		go func() {
			turn, err := takeTurns(t.Context(), r.dir)
			if err != nil {
				done <- outcome{err: err}
				return
			}
			defer turn.end()
			f, err := p.play(t.Context(), turn)
			done <- outcome{f, err}
		}()
	}
	for left := demos; left > 0; {
		select {
		case o := <-done:
			left--
			if o.err != nil || o.Violations != 0 || o.Matched != 3 || o.Charged != o.Released {
				t.Errorf("a demonstration ends with %+v, %v; want all matched and no violation", o.figures, o.err)
			}
		case <-time.After(time.Duration(200+rand.IntN(1500)) * time.Millisecond):
			if kills < 12 { // then they may come to their end
				kills++
				r.kill()
				r.run(t)
			}
		}
	}
	return kills
}
