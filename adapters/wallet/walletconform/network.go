package walletconform

import (
	"context"
	"testing"

	"tiwiza/adapters/wallet"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/outbound/netfault"
)

// brisk makes a wallet whose calls end soon and whose breaker stays shut.
func brisk(f Fixture, addr string) *wallet.Wallet {
	return wallet.New("wallet", f.Dial(addr), wallet.Options{Pay: netfault.Brisk, Query: netfault.Brisk})
}

func lost(t *testing.T, f Fixture) {
	net := netfault.New(t, f.Addr)
	w := brisk(f, net.Addr)
	for _, c := range netfault.Losses {
		ref := ref + "-" + c.Name
		net.Break(c.Fault)
		if r := w.Ask(t.Context(), payment(ref)); r.Outcome != outbound.Unknown || r.Reason != "" {
			t.Errorf("%s: Ask = %+v, want Unknown", c.Name, r)
		}
		if s := w.Query(t.Context(), ref, ""); s.Outcome != outbound.Unknown || s.State != wallet.None {
			t.Errorf("%s: Query = %s %s, want Unknown none", c.Name, s.Outcome, s.State)
		}
		net.Mend()
		if c.Executed == 0 {
			stands(t, w, ref, "", wallet.None, outbound.NotFound)
			continue
		}
		stands(t, w, ref, "", wallet.Pending, outbound.Accepted)
		f.Approve(ref)
		stands(t, w, ref, "", wallet.Completed, outbound.Succeeded)
		if got := f.Executed("charge", ref); got != 1 {
			t.Errorf("%s: executed %d times, want once", c.Name, got)
		}
	}
}

func strange(t *testing.T, f Fixture) {
	w := brisk(f, f.Addr)
	for _, c := range []struct {
		status int
		body   string
	}{
		{500, "oops"}, {502, ""}, {200, ""}, {201, "{}"}, {202, "<html>Bienvenue</html>"}, {202, "{}"}, {302, ""}, {404, "no"}, {404, "{}"}, {408, ""}, {200, "\xff\xfe"}, {201, "[]"},
	} {
		f.Garble(c.status, c.body)
		if r := w.Ask(t.Context(), payment(ref)); r.Outcome != outbound.Unknown {
			t.Errorf("%d %q: Ask = %+v, want Unknown", c.status, c.body, r)
		}
		f.Garble(c.status, c.body)
		if s := w.Query(t.Context(), ref, ""); s.Outcome != outbound.Unknown || s.State != wallet.None {
			t.Errorf("%d %q: Query = %s %s, want Unknown none", c.status, c.body, s.Outcome, s.State)
		}
	}
	f.Approve(ref)
	if got := f.Executed("charge", ref); got != 1 {
		t.Errorf("executed %d times, want once", got)
	}
}

func offline(t *testing.T, f Fixture) {
	net := netfault.New(t, f.Addr)
	w := brisk(f, net.Addr)
	net.Stop()
	if r := w.Ask(t.Context(), payment(ref)); r.Outcome != outbound.NotSent || r.Reason != "" {
		t.Errorf("Ask = %+v, want NotSent", r)
	}
	if s := w.Query(t.Context(), ref, ""); s.Outcome != outbound.NotSent || s.State != wallet.None {
		t.Errorf("Query = %s %s, want NotSent none", s.Outcome, s.State)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if r := w.Ask(ctx, payment(ref)); r.Outcome != outbound.NotSent {
		t.Errorf("Ask after its caller left = %+v", r)
	}
	net.Start()
	stands(t, w, ref, "", wallet.None, outbound.NotFound)
}

func intruder(t *testing.T, f Fixture) {
	if f.Intruder == nil {
		return
	}
	w := wallet.New("wallet", f.Intruder(f.Addr), wallet.Options{Pay: outbound.Settings{Consecutive: 1}, Query: outbound.Settings{Consecutive: 1}})
	for range 2 {
		if r := w.Ask(t.Context(), payment(ref)); r.Outcome == outbound.Succeeded || r.Outcome == outbound.Accepted || r.Outcome == outbound.Declined || r.Reason != outbound.Credentials {
			t.Errorf("Ask = %+v; want neither success nor a refusal, for the credentials", r)
		}
	}
	stands(t, direct(f), ref, "", wallet.None, outbound.NotFound)
}

func recovery(t *testing.T, f Fixture) {
	netfault.Recovery(t, f.Addr, func(addr string, s outbound.Settings) func() outbound.Result {
		w := wallet.New("wallet", f.Dial(addr), wallet.Options{Pay: s, Query: s})
		return func() outbound.Result { return w.Ask(t.Context(), payment(ref)) }
	}, func() { stands(t, direct(f), ref, "", wallet.None, outbound.NotFound) }, outbound.Accepted)
	f.Approve(ref)
	if got := f.Executed("charge", ref); got != 1 {
		t.Errorf("executed %d times once the partner is back, want once", got)
	}
}
