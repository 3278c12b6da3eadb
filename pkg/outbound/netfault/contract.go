package netfault

import (
	"testing"
	"time"

	"tiwiza/pkg/outbound"
)

// Brisk makes calls end soon and leaves the breaker shut.
var Brisk = outbound.Settings{Deadline: 400 * time.Millisecond, Consecutive: 1000, Volume: 1000}

// Losses are the faults after which nobody knows what became of a request, and
// how often the partner executes it.
var Losses = []struct {
	Name     string
	Fault    Fault
	Executed int
}{
	{"lost", AnswerLost, 1},
	{"reset", AnswerReset, 1},
	{"cut", AnswerCut, 1},
	{"late", AnswerLate, 1},
	{"unheard", RequestLost, 0},
	{"half", RequestCut(60), 0},
}

// Recovery holds a port to this: a partner that failed is asked before it is
// given money again. open makes the port's way to move money over a network,
// untouched checks that the partner has not been asked to, and taken is how it
// answers at last.
func Recovery(t *testing.T, partner string, open func(addr string, s outbound.Settings) func() outbound.Result, untouched func(), taken outbound.Outcome) {
	t.Helper()
	net := New(t, partner)
	pay := open(net.Addr, outbound.Settings{Deadline: time.Second, Consecutive: 2, Cooldown: 50 * time.Millisecond})
	net.Stop()
	for range 2 {
		pay()
	}
	if r := pay(); r.Outcome != outbound.NotSent || r.Reason != outbound.Open {
		t.Errorf("a call with an open breaker = %+v, want NotSent because Open", r)
	}
	net.Start()
	net.Break(AnswerLost) // reachable again, but still not well: money must not find that out
	for until := time.Now().Add(300 * time.Millisecond); time.Now().Before(until); {
		if r := pay(); r.Outcome != outbound.NotSent {
			t.Fatalf("a call while the partner is not well = %+v, want NotSent", r)
		}
	}
	untouched()
	net.Mend()
	for until := time.Now().Add(10 * time.Second); time.Now().Before(until); {
		if pay().Outcome == taken {
			return
		}
	}
	t.Errorf("once the partner is back no call is %s", taken)
}
