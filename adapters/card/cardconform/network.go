package cardconform

import (
	"context"
	"testing"
	"time"

	"tiwiza/adapters/card"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/outbound/netfault"
)

// brisk makes an acquirer whose calls end soon and whose breaker stays shut.
func brisk(f Fixture, addr string) *card.Acquirer {
	s := outbound.Settings{Deadline: 400 * time.Millisecond, Consecutive: 1000, Volume: 1000}
	return card.New("acquirer", f.Dial(addr), card.Options{Pay: s, Query: s})
}

func lost(t *testing.T, f Fixture) {
	net := netfault.New(t, f.Addr)
	a := brisk(f, net.Addr)
	for _, c := range []struct {
		name     string
		fault    netfault.Fault
		executed int
	}{
		{"lost", netfault.AnswerLost, 1},
		{"reset", netfault.AnswerReset, 1},
		{"cut", netfault.AnswerCut, 1},
		{"late", netfault.AnswerLate, 1},
		{"never heard", netfault.RequestLost, 0},
		{"half heard", netfault.RequestCut(60), 0},
	} {
		ref := ref + "_" + map[bool]string{true: "executed", false: "not"}[c.executed == 1] + "_" + c.name[:3]
		f.Authorize(ref, ten)
		net.Break(c.fault)
		if r := a.Capture(t.Context(), ref, ten); r.Outcome != outbound.Unknown || r.Reason != "" {
			t.Errorf("%s: Capture = %+v, want Unknown", c.name, r)
		}
		if s := a.Query(t.Context(), ref); s.Outcome != outbound.Unknown || s.State != card.None {
			t.Errorf("%s: Query = %s %s, want Unknown none", c.name, s.Outcome, s.State)
		}
		net.Mend()
		if got := f.Executed("capture", ref); got != c.executed {
			t.Errorf("%s: executed %d times, want %d", c.name, got, c.executed)
		}
		want := map[int]card.State{0: card.Authorized, 1: card.Captured}[c.executed]
		if s := a.Query(t.Context(), ref); s.State != want {
			t.Errorf("%s: once the network is back the inquiry says %s (%v), want %s", c.name, s.State, s.Err, want)
		}
	}
}

func strange(t *testing.T, f Fixture) {
	a := brisk(f, f.Addr)
	f.Authorize(ref, ten)
	for _, c := range []struct {
		status int
		body   string
	}{{500, "oops"}, {502, ""}, {200, ""}, {200, "<html>Bienvenue</html>"}, {200, "{}"}, {302, ""}, {404, "no"}, {408, ""}, {200, "\xff\xfe"}} {
		f.Garble(c.status, c.body)
		if r := a.Capture(t.Context(), ref, ten); r.Outcome != outbound.Unknown {
			t.Errorf("%d %q: Capture = %+v, want Unknown", c.status, c.body, r)
		}
		f.Garble(c.status, c.body)
		if s := a.Query(t.Context(), ref); s.Outcome != outbound.Unknown || s.State != card.None {
			t.Errorf("%d %q: Query = %s %s, want Unknown none", c.status, c.body, s.Outcome, s.State)
		}
	}
	if got := f.Executed("capture", ref); got != 1 {
		t.Errorf("executed %d times, want 1", got)
	}
}

func offline(t *testing.T, f Fixture) {
	net := netfault.New(t, f.Addr)
	a := brisk(f, net.Addr)
	f.Authorize(ref, ten)
	net.Stop()
	if r := a.Capture(t.Context(), ref, ten); r.Outcome != outbound.NotSent || r.Reason != "" {
		t.Errorf("Capture = %+v, want NotSent", r)
	}
	if s := a.Query(t.Context(), ref); s.Outcome != outbound.NotSent || s.State != card.None {
		t.Errorf("Query = %s %s, want NotSent none", s.Outcome, s.State)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if r := a.Capture(ctx, ref, ten); r.Outcome != outbound.NotSent || f.Executed("capture", ref) != 0 {
		t.Errorf("Capture after its caller left = %+v, executed %d", r, f.Executed("capture", ref))
	}
}

func intruder(t *testing.T, f Fixture) {
	if f.Intruder == nil {
		return
	}
	f.Authorize(ref, ten)
	a := card.New("acquirer", f.Intruder(f.Addr), card.Options{Pay: outbound.Settings{Consecutive: 1}, Query: outbound.Settings{Consecutive: 1}})
	if r := a.Capture(t.Context(), ref, ten); r.Outcome == outbound.Succeeded || r.Outcome == outbound.Declined || f.Executed("capture", ref) != 0 {
		t.Errorf("Capture = %+v, executed %d; want neither success nor a decline", r, f.Executed("capture", ref))
	}
}

func recovery(t *testing.T, f Fixture) {
	net := netfault.New(t, f.Addr)
	s := outbound.Settings{Deadline: time.Second, Consecutive: 2, Cooldown: 50 * time.Millisecond}
	a := card.New("acquirer", f.Dial(net.Addr), card.Options{Pay: s, Query: s})
	f.Authorize(ref, ten)
	net.Stop()
	for range 2 {
		a.Capture(t.Context(), ref, ten)
	}
	if r := a.Capture(t.Context(), ref, ten); r.Outcome != outbound.NotSent || r.Reason != outbound.Open {
		t.Errorf("Capture with an open breaker = %+v, want NotSent because Open", r)
	}
	net.Start()
	net.Break(netfault.AnswerLost) // reachable again, but still not well: money must not find that out
	for until := time.Now().Add(300 * time.Millisecond); time.Now().Before(until); {
		if r := a.Capture(t.Context(), ref, ten); r.Outcome != outbound.NotSent {
			t.Fatalf("Capture while the partner is not well = %+v, want NotSent", r)
		}
	}
	if got := f.Executed("capture", ref); got != 0 {
		t.Errorf("money tried the partner %d times", got)
	}
	net.Mend()
	for until := time.Now().Add(10 * time.Second); time.Now().Before(until); {
		if a.Capture(t.Context(), ref, ten).Outcome == outbound.Succeeded {
			break
		}
	}
	if got := f.Executed("capture", ref); got != 1 {
		t.Errorf("executed %d times once the partner is back, want 1", got)
	}
}
