package cardconform

import (
	"context"
	"testing"

	"tiwiza/adapters/card"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/outbound/netfault"
)

// brisk makes an acquirer whose calls end soon and whose breaker stays shut.
func brisk(f Fixture, addr string) *card.Acquirer {
	return card.New("acquirer", f.Dial(addr), card.Options{Pay: netfault.Brisk, Query: netfault.Brisk})
}

func lost(t *testing.T, f Fixture) {
	net := netfault.New(t, f.Addr)
	a := brisk(f, net.Addr)
	for _, c := range netfault.Losses {
		ref := ref + "_" + c.Name
		f.Authorize(ref, ten)
		net.Break(c.Fault)
		if r := a.Capture(t.Context(), order("c", ref, ten)); r.Outcome != outbound.Unknown || r.Reason != "" {
			t.Errorf("%s: Capture = %+v, want Unknown", c.Name, r)
		}
		if s := a.Query(t.Context(), ref); s.Outcome != outbound.Unknown || s.State != card.None {
			t.Errorf("%s: Query = %s %s, want Unknown none", c.Name, s.Outcome, s.State)
		}
		net.Mend()
		if got := f.Executed("capture", ref); got != c.Executed {
			t.Errorf("%s: executed %d times, want %d", c.Name, got, c.Executed)
		}
		want := map[int]card.State{0: card.Authorized, 1: card.Captured}[c.Executed]
		if s := a.Query(t.Context(), ref); s.State != want {
			t.Errorf("%s: once the network is back the inquiry says %s (%v), want %s", c.Name, s.State, s.Err, want)
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
		if r := a.Capture(t.Context(), order("c", ref, ten)); r.Outcome != outbound.Unknown {
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
	if r := a.Capture(t.Context(), order("c", ref, ten)); r.Outcome != outbound.NotSent || r.Reason != "" {
		t.Errorf("Capture = %+v, want NotSent", r)
	}
	if s := a.Query(t.Context(), ref); s.Outcome != outbound.NotSent || s.State != card.None {
		t.Errorf("Query = %s %s, want NotSent none", s.Outcome, s.State)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if r := a.Capture(ctx, order("c", ref, ten)); r.Outcome != outbound.NotSent || f.Executed("capture", ref) != 0 {
		t.Errorf("Capture after its caller left = %+v, executed %d", r, f.Executed("capture", ref))
	}
}

func intruder(t *testing.T, f Fixture) {
	if f.Intruder == nil {
		return
	}
	f.Authorize(ref, ten)
	a := card.New("acquirer", f.Intruder(f.Addr), card.Options{Pay: outbound.Settings{Consecutive: 1}, Query: outbound.Settings{Consecutive: 1}})
	if r := a.Capture(t.Context(), order("c", ref, ten)); r.Outcome == outbound.Succeeded || r.Outcome == outbound.Declined || f.Executed("capture", ref) != 0 {
		t.Errorf("Capture = %+v, executed %d; want neither success nor a decline", r, f.Executed("capture", ref))
	}
}

func recovery(t *testing.T, f Fixture) {
	f.Authorize(ref, ten)
	executed := func(want int) {
		if got := f.Executed("capture", ref); got != want {
			t.Errorf("executed %d times, want %d", got, want)
		}
	}
	netfault.Recovery(t, f.Addr, func(addr string, s outbound.Settings) func() outbound.Result {
		a := card.New("acquirer", f.Dial(addr), card.Options{Pay: s, Query: s})
		return func() outbound.Result { return a.Capture(t.Context(), order("c", ref, ten)) }
	}, func() { executed(0) }, outbound.Succeeded)
	executed(1)
}
