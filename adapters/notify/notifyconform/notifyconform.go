// Package notifyconform says what every driver that brings messages must do, over
// a network that fails in every way a network can.
package notifyconform

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"tiwiza/adapters/notify"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/outbound/netfault"
)

// Fixture is what a driver's test gives the suite: a stand-in gateway and drivers
// that reach it.
type Fixture struct {
	Addr     string                          // the stand-in's host and port
	Dial     func(addr string) notify.Driver // a driver that reaches the stand-in through addr
	Intruder func(addr string) notify.Driver // one that the stand-in does not let in, or nil
	To, Gone string                          // an address that is there, and one that is not
	Brought  func(ref string) int            // how often the stand-in took a message in
	Garble   func(status int, body string)   // execute the next request, and answer this; nil where answers are no HTTP
	Busy     func()                          // have the stand-in be too busy for the next message
	Report   func(m Said) notify.Callback    // what the gateway tells of a message, rightly signed; nil if it does not
}

// Said is what a gateway tells of a message.
type Said struct {
	Ref, PartnerID string
	State          notify.State
}

// Run holds a driver to the contract. open is called once for each fact.
func Run(t *testing.T, open func(t *testing.T) Fixture) {
	for name, fact := range map[string]func(*testing.T, Fixture){
		"a message is brought once, as it is":        brought,
		"an address that is not there is refused":    gone,
		"what cannot be sent is not":                 unfit,
		"a connection cut anywhere loses nothing":    cut,
		"a request that is lost or late is in doubt": lost,
		"a strange answer is in doubt":               strange,
		"without a connection nothing is sent":       offline,
		"an intruder is not the gateway's failure":   intruder,
		"a busy gateway is left alone":               busy,
		"a report is read, and only if signed":       reports,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fact(t, open(t))
		})
	}
}

const ref = "nat_conformance1"

// Text is what the suite has brought: it has signs that forms, JSON, mails and shells care for.
const Text = "Tiwiza : 1 à emballer, «A1» & 100 % = {text} \"x\" \\ <b>\n.\n..fin; الطلب 12 🧺\n\n@tiwiza.example #123456"

func (f Fixture) message(ref string) notify.Message {
	return notify.Message{Ref: ref, To: f.To, Subject: "Commande à emballer ✓", Text: Text, Lang: "fr", Template: "order_to_pack", Params: []string{"A1", "x \"y\""}, Valid: time.Hour}
}

func direct(f Fixture) *notify.Carrier {
	return notify.New("gateway", f.Dial(f.Addr), notify.Options{})
}

// brisk makes a carrier whose calls end soon and whose breaker stays shut.
func brisk(f Fixture, addr string) *notify.Carrier {
	s := netfault.Brisk
	s.Rate, s.Burst = 10000, 10000
	return notify.New("gateway", f.Dial(addr), notify.Options{Lane: s})
}

func brought(t *testing.T, f Fixture) {
	c := direct(f)
	r := c.Send(t.Context(), f.message(ref))
	if r.Outcome != outbound.Accepted && r.Outcome != outbound.Succeeded || r.PartnerID == "" {
		t.Fatalf("Send = %+v, want Accepted with a name", r)
	}
	if f.Brought(ref) != 1 {
		t.Errorf("it was taken in %d times, want once and unaltered", f.Brought(ref))
	}
	if strings.Contains(string(r.Evidence), Text) {
		t.Errorf("the evidence holds what was said: %s", r.Evidence)
	}
}

func gone(t *testing.T, f Fixture) {
	m := f.message(ref)
	m.To = f.Gone
	if r := direct(f).Send(t.Context(), m); r.Outcome != outbound.Declined || r.Code == "" || f.Brought(ref) != 0 {
		t.Errorf("Send = %+v, taken in %d times; want Declined by a code", r, f.Brought(ref))
	}
}

func unfit(t *testing.T, f Fixture) {
	c := direct(f)
	for name, spoil := range map[string]func(*notify.Message){
		"a reference of another": func(m *notify.Message) { m.Ref = "a b\r\nX: y" },
		"no address":             func(m *notify.Message) { m.To = "" },
		"two addresses":          func(m *notify.Message) { m.To += "," + f.To },
		"a header in it":         func(m *notify.Message) { m.To += "\r\nBcc: x@example.ma" },
		"no text":                func(m *notify.Message) { m.Text = " \n" },
		"too long a text":        func(m *notify.Message) { m.Text = strings.Repeat("x", 4001) },
		"bytes that are no text": func(m *notify.Message) { m.Text = "\xff\xfe" },
		"a subject of two lines": func(m *notify.Message) { m.Subject = "a\r\nBcc: x@example.ma" },
	} {
		m := f.message(ref)
		spoil(&m)
		if r := c.Send(t.Context(), m); r.Outcome != outbound.NotSent || r.Reason != outbound.Unfit {
			t.Errorf("%s: Send = %+v, want NotSent for Unfit", name, r)
		}
	}
	if f.Brought(ref) != 0 {
		t.Error("something was sent")
	}
}

// cut breaks the connection after each number of bytes, both ways: what is not
// accepted may be in doubt, but what is said not to be sent was not, and what is
// said to be accepted was.
func cut(t *testing.T, f Fixture) {
	net := netfault.New(t, f.Addr)
	c := brisk(f, net.Addr)
	doubts := 0
	for way, fault := range map[string]func(int) netfault.Fault{"answers": netfault.AnswersCut, "requests": netfault.RequestCut} {
		for i := 1; i < 3000; i += 1 + i/60 {
			ref := fmt.Sprintf("nat_%s%d", way, i)
			net.Break(fault(i))
			r := c.Send(t.Context(), f.message(ref))
			net.Mend()
			n := f.Brought(ref)
			switch {
			case n > 1, r.Outcome == outbound.NotSent && n != 0, (r.Outcome == outbound.Accepted || r.Outcome == outbound.Succeeded) && n != 1, r.Outcome == outbound.Declined:
				t.Errorf("%s cut after %d bytes: %s (%v), and taken in %d times", way, i, r.Outcome, r.Err, n)
			case r.Outcome == outbound.Unknown && n == 1:
				doubts++
			}
		}
	}
	if doubts == 0 {
		t.Error("no cut left a message in doubt that was taken in: the faults do not reach the answer")
	}
}

func lost(t *testing.T, f Fixture) {
	net := netfault.New(t, f.Addr)
	c := brisk(f, net.Addr)
	for _, l := range netfault.Losses {
		ref := "nat_" + l.Name
		net.Break(l.Fault)
		began := time.Now()
		r := c.Send(t.Context(), f.message(ref))
		net.Mend()
		if r.Outcome != outbound.Unknown && (r.Outcome != outbound.NotSent || f.Brought(ref) != 0) {
			t.Errorf("%s: Send = %+v, taken in %d times", l.Name, r, f.Brought(ref))
		}
		if f.Brought(ref) > 1 || time.Since(began) > 5*time.Second {
			t.Errorf("%s: taken in %d times, after %s", l.Name, f.Brought(ref), time.Since(began))
		}
	}
	if r := c.Send(t.Context(), f.message(ref)); r.Outcome != outbound.Accepted || f.Brought(ref) != 1 {
		t.Errorf("once the network is well: %+v", r)
	}
}

func strange(t *testing.T, f Fixture) {
	if f.Garble == nil {
		return
	}
	c := brisk(f, f.Addr)
	for i, a := range []struct {
		status int
		body   string
	}{
		{500, "oops"},
		{502, ""},
		{200, ""},
		{201, "{}"},
		{202, "<html>Bienvenue</html>"},
		{302, ""},
		{404, "no"},
		{400, "{}"},
		{408, ""},
		{200, "\xff\xfe"},
		{200, "[]"},
		{200, "null"},
		{422, `{"error":`},
		{200, strings.Repeat("[", 100_000)},
	} {
		ref := fmt.Sprintf("nat_strange%d", i)
		f.Garble(a.status, a.body)
		if r := c.Send(t.Context(), f.message(ref)); r.Outcome != outbound.Unknown || f.Brought(ref) != 1 {
			t.Errorf("%d %.20q: Send = %+v, taken in %d times; want Unknown", a.status, a.body, r, f.Brought(ref))
		}
	}
}

func offline(t *testing.T, f Fixture) {
	net := netfault.New(t, f.Addr)
	c := brisk(f, net.Addr)
	net.Stop()
	if r := c.Send(t.Context(), f.message(ref)); r.Outcome != outbound.NotSent || r.Reason != "" {
		t.Errorf("Send = %+v, want NotSent", r)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if r := c.Send(ctx, f.message(ref)); r.Outcome != outbound.NotSent {
		t.Errorf("Send after its caller left = %+v", r)
	}
	net.Start()
	if f.Brought(ref) != 0 {
		t.Error("something was sent")
	}
}

func intruder(t *testing.T, f Fixture) {
	if f.Intruder == nil {
		return
	}
	c := notify.New("gateway", f.Intruder(f.Addr), notify.Options{Lane: outbound.Settings{Consecutive: 1}})
	for range 2 {
		if r := c.Send(t.Context(), f.message(ref)); r.Reason != outbound.Credentials && r.Reason != outbound.Trust || r.Outcome == outbound.Accepted || r.Outcome == outbound.Declined {
			t.Errorf("Send = %+v; want neither success nor a refusal, for the credentials", r)
		}
	}
	if f.Brought(ref) != 0 {
		t.Error("it was let in")
	}
}

func busy(t *testing.T, f Fixture) {
	c := direct(f)
	f.Busy()
	if r := c.Send(t.Context(), f.message(ref)); r.Reason != outbound.Limited || r.RetryAfter <= 0 || f.Brought(ref) != 0 {
		t.Errorf("Send = %+v, taken in %d times; want Limited with a wait", r, f.Brought(ref))
	}
	if r := c.Send(t.Context(), f.message(ref)); r.Outcome != outbound.NotSent || r.Reason != outbound.Limited {
		t.Errorf("at once again: %+v, want NotSent for Limited", r)
	}
}
