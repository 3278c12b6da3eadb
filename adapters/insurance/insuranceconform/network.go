package insuranceconform

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"tiwiza/adapters/insurance"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/outbound/netfault"
)

// brisk makes calls end soon, and leaves the breaker shut.
func brisk(f Fixture, addr string) *insurance.Insurer {
	s := many
	s.Deadline = netfault.Brisk.Deadline
	p := s
	p.Retries = 0
	return insurance.New("insurer", f.Dial(addr), insurance.Options{Pay: p, Query: s})
}

func lost(t *testing.T, f Fixture) {
	net := netfault.New(t, f.Addr)
	i, well := brisk(f, net.Addr), direct(f)
	for _, l := range netfault.Losses {
		ref := "POL-" + l.Name
		b := binding(ref, quoted(t, well, "Q-"+l.Name).ID)
		net.Break(l.Fault)
		began := time.Now()
		_, r := i.Bind(t.Context(), b)
		is(t, l.Name+": Bind", r, outbound.Unknown, "")
		if _, r := i.FindPolicy(t.Context(), ref); r.Outcome != outbound.Unknown {
			t.Errorf("%s: FindPolicy without an answer = %+v, want Unknown", l.Name, r)
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("%s: the calls outlived their deadlines by %s", l.Name, took)
		}
		net.Mend()
		_, r = well.FindPolicy(t.Context(), ref)
		if l.Executed == 0 {
			is(t, l.Name+": FindPolicy", r, outbound.NotFound, "")
		} else {
			is(t, l.Name+": FindPolicy", r, outbound.Succeeded, "")
		}
		p, r := well.Bind(t.Context(), b)
		is(t, l.Name+": Bind again", r, outbound.Succeeded, "")
		did(t, f, "bind", ref, 1)

		net.Break(l.Fault)
		_, r = i.Notify(t.Context(), loss("CLM-"+l.Name, p.ID))
		is(t, l.Name+": Notify", r, outbound.Unknown, "")
		net.Mend()
		if _, r := well.FindClaim(t.Context(), "CLM-"+l.Name); (r.Outcome == outbound.Succeeded) != (l.Executed == 1) {
			t.Errorf("%s: FindClaim = %+v", l.Name, r)
		}
		did(t, f, "claim", "CLM-"+l.Name, l.Executed)
	}
}

// cut breaks the connection after ever more bytes, both ways: what is said to be
// bound is, what is said not to be sent is not, and bound again it is bound once.
func cut(t *testing.T, f Fixture) {
	net := netfault.New(t, f.Addr)
	i, well := brisk(f, net.Addr), direct(f)
	doubts, n := 0, 0
	for way, fault := range map[string]func(int) netfault.Fault{"answers": netfault.AnswersCut, "requests": netfault.RequestCut} {
		for bytes := 1; bytes < 3000; bytes += 1 + bytes/6 {
			n++
			ref := "CUT" + way[:1] + string(rune('A'+n/26)) + string(rune('A'+n%26))
			b := binding(ref, quoted(t, well, "Q"+ref).ID)
			net.Break(fault(bytes))
			_, r := i.Bind(t.Context(), b)
			net.Mend()
			done := f.Executed("bind", ref)
			switch {
			case done > 1, r.Outcome == outbound.NotSent && done != 0, r.Outcome == outbound.Succeeded && done != 1,
				r.Outcome != outbound.NotSent && r.Outcome != outbound.Unknown && r.Outcome != outbound.Succeeded:
				t.Errorf("%s cut after %d bytes: %s (%v), and it is bound %d times", way, bytes, r.Outcome, r.Err, done)
			case r.Outcome == outbound.Unknown && done == 1:
				doubts++
			}
			_, r = well.Bind(t.Context(), b)
			is(t, "Bind once the network is back", r, outbound.Succeeded, "")
			did(t, f, "bind", ref, 1)
		}
	}
	if doubts == 0 {
		t.Error("no cut left a policy in doubt that is bound: the faults do not reach the answer")
	}
}

// bomb is a small body that becomes a large one.
func bomb() []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write([]byte(`{"ref":"` + strings.Repeat("x", 200<<20) + `"}`))
	_ = z.Close()
	return b.Bytes()
}

var zipped = bomb()

func strange(t *testing.T, f Fixture) {
	i, well := brisk(f, f.Addr), direct(f)
	q := quoted(t, well, "Q1")
	text := func(status int, body string) Answer { return Answer{Status: status, Body: []byte(body)} }
	all := []Answer{
		text(500, "oops"), text(502, ""), text(200, ""), text(201, "{}"), text(200, "<html>Bienvenue</html>"), text(404, "no"), text(404, "{}"), text(400, "{}"), text(408, ""),
		text(200, "\xff\xfe"), text(200, "[]"), text(200, "null"), text(201, `{"ref":"POL`), text(422, `{"code":"refused"}`), text(200, strings.Repeat("[", 100_000)),
		text(200, strings.Repeat("x", 2<<20)),
		{Status: 302, Header: map[string]string{"Location": "/elsewhere"}},
		{Status: 200, Header: map[string]string{"Content-Encoding": "gzip", "Content-Type": "application/json"}, Body: zipped},
		{Status: 200, Header: map[string]string{"Content-Length": "9000"}, Body: []byte(`{"ref":`)},
		{Status: 200, Slow: time.Minute, Body: []byte(`{}`)},
		{Status: 500, Header: map[string]string{"Content-Type": "application/problem+json"}, Body: []byte(`{"status":500,"code":"internal"}`)},
		{Status: 409, Header: map[string]string{"Content-Type": "application/problem+json"}, Body: []byte(`{"status":409,"code":"in_progress"}`)},
		{Status: 400, Header: map[string]string{"Content-Type": "application/problem+json"}, Body: []byte(`{"status":422,"code":"refused"}`)},
	}
	for n, a := range all {
		ref := "STR" + string(rune('A'+n))
		b := binding(ref, q.ID)
		f.Garble(a)
		began := time.Now()
		if _, r := i.Bind(t.Context(), b); r.Outcome != outbound.Unknown {
			t.Errorf("%d %.30q: Bind = %+v, want Unknown", a.Status, a.Body, r)
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("%d %.30q took %s", a.Status, a.Body, took)
		}
		f.Garble(a)
		if _, r := i.FindPolicy(t.Context(), ref); r.Outcome != outbound.Unknown {
			t.Errorf("%d %.30q: FindPolicy = %+v, want Unknown", a.Status, a.Body, r)
		}
		did(t, f, "bind", ref, 1)
		if _, r := well.FindPolicy(t.Context(), ref); r.Outcome != outbound.Succeeded {
			t.Errorf("after %d %.30q: FindPolicy = %+v", a.Status, a.Body, r)
		}
	}
}

// another has the insurer speak of something else than what was asked.
func another(t *testing.T, f Fixture) {
	i := direct(f)
	p := bound(t, i, "POL-1")
	c, r := i.Notify(t.Context(), loss("CLM-1", p.ID))
	is(t, "Notify", r, outbound.Succeeded, "")
	q := quoted(t, i, "Q1")
	says := func(s string) {
		f.Garble(Answer{Status: 200, Header: map[string]string{"Content-Type": "application/json"}, Body: []byte(s)})
	}
	policy := `{"id":"` + p.ID + `","ref":"POL-1","number":"N","state":"active","start":"2026-12-01T00:00:00Z","end":"2027-06-01T00:00:00Z"}`
	says(policy)
	_, r = i.Bind(t.Context(), binding("POL-2", q.ID))
	is(t, "Bind answered with another policy", r, outbound.Unknown, "")
	says(policy)
	_, r = i.FindPolicy(t.Context(), "POL-2")
	is(t, "FindPolicy answered with another policy", r, outbound.Unknown, "")
	says(strings.Replace(policy, `"active"`, `"cancelled"`, 1))
	_, r = i.Cancel(t.Context(), insurance.Cancellation{Ref: "CAN-1", Policy: "P-99", Reason: "essai"})
	is(t, "Cancel answered with another policy", r, outbound.Unknown, "")
	says(`{"id":"` + c.ID + `","ref":"CLM-1","policy":"` + p.ID + `","state":"paid","amount":{"amount":"50.00","currency":"MAD"},"transfer_ref":"T"}`)
	_, r = i.FindClaim(t.Context(), "CLM-2")
	is(t, "FindClaim answered with another claim", r, outbound.Unknown, "")
	says(`{"id":"S-1","period":"2026-09","rows":[],"premiums":{"amount":"0.00","currency":"MAD"}}`)
	_, r = i.Statement(t.Context(), "2026-11")
	is(t, "Statement of another month", r, outbound.Unknown, "")
	says(`{"ref":"PRM-2","policy":"` + p.ID + `","period":"2027-01"}`)
	is(t, "Paid answered with another payment", i.Paid(t.Context(), insurance.Payment{Ref: "PRM-1", Policy: p.ID, Period: "2027-01", Amount: q.Premium}), outbound.Unknown, "")
	says(strings.Replace(policy, `"ref":"POL-1"`, `"ref":"POL-3","REF":"POL-1"`, 1))
	_, r = i.FindPolicy(t.Context(), "POL-1")
	is(t, "FindPolicy with a name that comes twice", r, outbound.Unknown, "")
}

func busy(t *testing.T, f Fixture) {
	i := direct(f)
	q := quoted(t, i, "Q1")
	f.Garble(Answer{Status: 429, Unheard: true, Header: map[string]string{"Retry-After": "7", "Content-Type": "application/problem+json"}, Body: []byte(`{"status":429,"code":"rate_limited","detail":"Later."}`)})
	_, r := i.Bind(t.Context(), binding("POL-1", q.ID))
	if r.Outcome != outbound.Unknown || r.Reason != outbound.Limited || r.RetryAfter != 7*time.Second {
		t.Errorf("Bind at a busy insurer = %+v, want Unknown, Limited, 7s", r)
	}
	_, r = i.Bind(t.Context(), binding("POL-1", q.ID))
	is(t, "Bind too early", r, outbound.NotSent, outbound.Limited)
	if r.RetryAfter <= 0 {
		t.Error("a call that came too early is not told when to come")
	}
	did(t, f, "bind", "POL-1", 0)
}

func offline(t *testing.T, f Fixture) {
	net := netfault.New(t, f.Addr)
	i := brisk(f, net.Addr)
	net.Stop()
	_, r := i.Bind(t.Context(), binding("POL-1", "Q-1"))
	is(t, "Bind", r, outbound.NotSent, "")
	_, r = i.FindPolicy(t.Context(), "POL-1")
	is(t, "FindPolicy", r, outbound.NotSent, "")
	_, r = i.Products(t.Context())
	is(t, "Products", r, outbound.NotSent, "")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, r = i.Bind(ctx, binding("POL-1", "Q-1"))
	is(t, "Bind after its caller left", r, outbound.NotSent, outbound.Cancelled)
	net.Start()
	did(t, f, "bind", "POL-1", 0)
}

func intruder(t *testing.T, f Fixture) {
	s := many
	s.Consecutive, s.Retries = 1, 0
	i := insurance.New("insurer", f.Intruder(f.Addr), insurance.Options{Pay: s, Query: s})
	for range 2 {
		_, r := i.Bind(t.Context(), binding("POL-1", "Q-1"))
		is(t, "Bind", r, outbound.NotSent, outbound.Credentials)
		_, r = i.FindPolicy(t.Context(), "POL-1")
		is(t, "FindPolicy", r, outbound.NotSent, outbound.Credentials)
	}
	did(t, f, "bind", "POL-1", 0)
}

func recovery(t *testing.T, f Fixture) {
	q := quoted(t, direct(f), "Q1")
	netfault.Recovery(t, f.Addr, func(addr string, s outbound.Settings) func() outbound.Result {
		i := insurance.New("insurer", f.Dial(addr), insurance.Options{Pay: s, Query: s})
		return func() outbound.Result {
			_, r := i.Bind(t.Context(), binding("POL-1", q.ID))
			return r
		}
	}, func() { did(t, f, "bind", "POL-1", 0) }, outbound.Succeeded)
	did(t, f, "bind", "POL-1", 1)
}

func events(t *testing.T, f Fixture) {
	i := direct(f)
	now := time.Now()
	for _, kind := range []string{"policy.issued", "policy.cancelled", "claim.updated", "payout.due", "payout.sent"} {
		header, body := f.Event(kind, "POL-1", now)
		e, err := i.Heard(header, body)
		if err != nil || e.Kind != kind || e.Ref != "POL-1" || e.ID == "" {
			t.Errorf("Heard(%s) = %+v, %v", kind, e, err)
		}
		if again, err := i.Heard(header, body); err != nil || again.ID != e.ID {
			t.Errorf("the same event is %q, then %q (%v)", e.ID, again.ID, err)
		}
	}
	refuses := func(what string, want *fault.Error, header map[string][]string, body []byte) {
		t.Helper()
		if e, err := i.Heard(header, body); !errors.Is(err, want) {
			t.Errorf("%s: %+v, %v; want %v", what, e, err, want)
		}
	}
	header, body := f.Event("claim.updated", "CLM-1", now.Add(-time.Hour))
	refuses("an old event", insurance.ErrForged, header, body)
	header, body = f.Event("claim.updated", "CLM-1", now.Add(time.Hour))
	refuses("an event of a time to come", insurance.ErrForged, header, body)
	header, body = f.Event("claim.updated", "CLM-1", now)
	refuses("an event without headers", insurance.ErrForged, nil, body)
	twice := clone(header)
	twice["webhook-signature"] = twice["Webhook-Signature"]
	refuses("an event with a header twice", insurance.ErrForged, twice, body)
	refuses("1 MB", insurance.ErrUnreadable, header, bytes.Repeat([]byte("x"), 1<<20))
	header, body = f.Event("claim.eaten", "CLM-1", now)
	refuses("an event that nobody knows", insurance.ErrUnreadable, header, body)
	header, body = f.Event("claim.updated", "../x", now)
	refuses("an event about nothing of ours", insurance.ErrUnreadable, header, body)
	header, body = f.Event("claim.updated", `CLM-1"},"data":{"ref":"CLM-2`, now)
	refuses("an event about two", insurance.ErrUnreadable, header, body)
	_, other := f.Event("payout.sent", "CLM-1", now)
	refuses("another event's body", insurance.ErrForged, header, other)
}

func clone(h map[string][]string) map[string][]string {
	out := map[string][]string{}
	for k, v := range h {
		out[k] = append([]string(nil), v...)
	}
	return out
}

// mutants changes a signed event in ten thousand ways; none is heard as another
// than it was.
func mutants(t *testing.T, f Fixture) {
	i := direct(f)
	header, body := f.Event("payout.sent", "CLM-1", time.Now())
	want, err := i.Heard(header, body)
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(7, 7))
	spoil := func(b []byte) []byte {
		b = append([]byte(nil), b...)
		at := random.IntN(len(b))
		switch random.IntN(4) {
		case 0:
			b[at] ^= 1 << random.IntN(8)
		case 1:
			b = append(b[:at], b[at+1:]...)
		case 2:
			b = append(b[:at], append([]byte{byte(random.IntN(256))}, b[at:]...)...)
		case 3:
			other := random.IntN(len(b))
			b[at], b[other] = b[other], b[at]
		}
		return b
	}
	made, heard := 0, 0
	for made < 10_000 {
		h, text := clone(header), body
		switch random.IntN(5) {
		case 0, 1:
			text = spoil(body)
		case 2:
			h["Webhook-Id"][0] = string(spoil([]byte(h["Webhook-Id"][0])))
		case 3:
			h["Webhook-Timestamp"][0] = string(spoil([]byte(h["Webhook-Timestamp"][0])))
		case 4:
			h["Webhook-Signature"][0] = string(spoil([]byte(h["Webhook-Signature"][0])))
		}
		if bytes.Equal(text, body) && strings.Join(h["Webhook-Id"], "") == strings.Join(header["Webhook-Id"], "") &&
			h["Webhook-Timestamp"][0] == header["Webhook-Timestamp"][0] && strings.TrimSpace(h["Webhook-Signature"][0]) == header["Webhook-Signature"][0] {
			continue // two equal signs changed places, or a space was added at an end
		}
		made++
		if e, err := i.Heard(h, text); err == nil {
			heard++
			t.Errorf("mutant %d is heard as %+v, was %+v: %q %q", made, e, want, h, text)
		}
	}
	t.Logf("%d mutants, %d heard", made, heard)
}
