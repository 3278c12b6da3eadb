package bankconform

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"tiwiza/adapters/bank"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/outbound/netfault"
)

// brief bounds a call that hangs.
func brief(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

func cut(t *testing.T, f Fixture) {
	seen := map[outbound.Outcome]int{}
	net := netfault.New(t, f.Addr)
	for i, fault := range cuts() {
		out := file(t, f, "C"+string(rune('A'+i%26))+string(rune('A'+i/26)))
		net.Break(fault)
		r := f.Dial(net.Addr).Publish(brief(t, 700*time.Millisecond), out)
		net.Mend()
		seen[r.Outcome]++
		b, err := os.ReadFile(filepath.Join(f.In, out.Name))
		stands := err == nil
		switch {
		case stands && string(b) != string(out.Bytes):
			t.Errorf("%s: %d of %d bytes stand under the final name", fault, len(b), len(out.Bytes))
		case r.Outcome == outbound.NotSent && stands, r.Outcome == outbound.Accepted && !stands:
			t.Errorf("%s: %s (%v), and the file stands: %v", fault, r.Outcome, r.Err, stands)
		case r.Outcome != outbound.NotSent && r.Outcome != outbound.Unknown && r.Outcome != outbound.Accepted:
			t.Errorf("%s: %+v", fault, r)
		}
		again := f.Dial(net.Addr)
		if found := again.Find(t.Context(), out); (found.Outcome == outbound.Accepted) != stands {
			t.Errorf("%s: Find = %+v, and the file stands: %v", fault, found, stands)
		}
		is(t, "Publish once the network is back", again.Publish(t.Context(), out), outbound.Accepted, "")
	}
	t.Logf("outcomes of %d cut connections: %v", len(cuts()), seen)
	if seen[outbound.NotSent] == 0 {
		t.Error("no cut came before the file was sent: the suite does not test what it says")
	}
}

// cuts end the connection after ever more bytes, one way or the other.
func cuts() (all []netfault.Fault) {
	for n := 500; n <= 18_500; n += 2000 {
		all = append(all, netfault.RequestCut(n))
	}
	for n := 1000; n <= 6400; n += 900 {
		all = append(all, netfault.AnswersCut(n))
	}
	return all
}

func lost(t *testing.T, f Fixture) {
	for _, fault := range []netfault.Fault{netfault.AnswerLost, netfault.AnswerReset, netfault.AnswerLate, netfault.RequestLost} {
		net := netfault.New(t, f.Addr)
		out := file(t, f, "L1")
		net.Break(fault)
		start := time.Now()
		r := f.Dial(net.Addr).Publish(brief(t, 300*time.Millisecond), out)
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("%s: the call outlived its deadline by %s", fault, took)
		}
		if _, err := os.Stat(filepath.Join(f.In, out.Name)); r.Outcome != outbound.NotSent || err == nil {
			t.Errorf("%s: nothing could be asked for yet, but Publish = %+v", fault, r)
		}
		if r := f.Dial(net.Addr).Find(brief(t, 300*time.Millisecond), out); r.Outcome == outbound.NotFound || r.Outcome == outbound.Accepted {
			t.Errorf("%s: Find without an answer = %+v", fault, r)
		}
		if _, err := f.Dial(net.Addr).Waiting(brief(t, 300*time.Millisecond)); err == nil {
			t.Errorf("%s: Waiting without an answer found nothing to say", fault)
		}
	}
}

// unanswered looks for the length of a connection that is cut between the
// bank's last step and its answer, and holds the driver to Unknown there.
func unanswered(t *testing.T, f Fixture) {
	net, tries := netfault.New(t, f.Addr), 0
	attempt := func(bytes int) (bank.File, outbound.Result) {
		tries++
		out := file(t, f, "U"+string(rune('A'+tries%26))+string(rune('A'+tries/26)))
		net.Break(netfault.AnswersCut(bytes))
		defer net.Mend()
		return out, f.Dial(net.Addr).Publish(brief(t, 2*time.Second), out)
	}
	enough := 20_000
	for low := 0; enough-low > 8; {
		mid := (low + enough) / 2
		if _, r := attempt(mid); r.Outcome == outbound.Accepted {
			enough = mid
		} else {
			low = mid
		}
	}
	seen := 0
	for bytes := enough - 8; bytes > enough-100; bytes -= 12 {
		out, r := attempt(bytes)
		_, err := os.Stat(filepath.Join(f.In, out.Name))
		if err == nil && r.Outcome == outbound.Unknown {
			seen++
			is(t, "Find once the network is back", f.Dial(net.Addr).Find(t.Context(), out), outbound.Accepted, "")
		} else if err == nil {
			t.Errorf("cut at %d: the bank has the file and Publish = %+v", bytes, r)
		}
	}
	if seen == 0 {
		t.Errorf("no cut before %d bytes fell between the bank's step and its answer", enough)
	}
}

func offline(t *testing.T, f Fixture) {
	net, out := netfault.New(t, f.Addr), file(t, f, "B1")
	d := f.Dial(net.Addr)
	net.Stop()
	is(t, "Publish", d.Publish(t.Context(), out), outbound.NotSent, "")
	is(t, "Find", d.Find(t.Context(), out), outbound.NotSent, "")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	is(t, "Publish after its caller left", f.Dial(f.Addr).Publish(ctx, out), outbound.NotSent, outbound.Cancelled)
	if names := visible(t, f.In); len(names) != 0 {
		t.Errorf("the bank sees %v", names)
	}
}

func keys(t *testing.T, f Fixture) {
	out := file(t, f, "B1")
	is(t, "Publish to another bank's key", f.Stranger(f.Addr).Publish(t.Context(), out), outbound.NotSent, outbound.Trust)
	is(t, "Publish with a key the bank does not know", f.Intruder(f.Addr).Publish(t.Context(), out), outbound.NotSent, outbound.Credentials)
	if names := visible(t, f.In); len(names) != 0 {
		t.Errorf("the bank sees %v", names)
	}
}
