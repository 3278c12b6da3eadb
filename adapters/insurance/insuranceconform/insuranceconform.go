// Package insuranceconform says what every insurer's driver must do, over a
// network that fails in every way a network can.
package insuranceconform

import (
	"testing"
	"time"

	"tiwiza/adapters/insurance"
	"tiwiza/pkg/money"
	"tiwiza/pkg/outbound"
)

// Fixture is what a driver's test gives the suite: a stand-in insurer and drivers
// that reach it.
type Fixture struct {
	Addr     string                                                             // the insurer's host and port
	Dial     func(addr string) insurance.Driver                                 // a driver that reaches it through addr
	Intruder func(addr string) insurance.Driver                                 // one that it does not let in
	Executed func(kind, ref string) int                                         // how often it did "bind", "cancel", "premium", "claim" or "observation"
	Pend     func()                                                             // the next policy is pending
	Issue    func(ref string)                                                   // a pending policy is issued
	Decide   func(ref string, to insurance.ClaimState)                          // a claim moves on
	Miscount func()                                                             // the statement's sums are wrong
	Garble   func(a Answer)                                                     // what the next request is answered
	Event    func(kind, ref string, at time.Time) (map[string][]string, []byte) // what it tells, signed
}

// Of is the fixture of a stand, at an address; dial and intruder make drivers.
func Of(s *Stand, addr string, dial, intruder func(addr string) insurance.Driver) Fixture {
	return Fixture{
		Addr: addr, Dial: dial, Intruder: intruder, Executed: s.Executed, Pend: s.Pend, Issue: s.Issue, Decide: s.Decide, Miscount: s.Miscount,
		Garble: s.Garble, Event: s.Event,
	}
}

// Run holds a driver to the contract. open is called once for each fact.
func Run(t *testing.T, open func(t *testing.T) Fixture) {
	for name, fact := range map[string]func(*testing.T, Fixture){
		"products come whole":                              products,
		"a quote that is asked for twice is one":           quotes,
		"what is bound twice is one policy":                once,
		"a pending policy is issued later":                 pending,
		"what is refused is refused for good":              refused,
		"what the insurer does not know is not found":      absent,
		"a policy is cancelled once":                       cancelled,
		"a later premium is told once":                     premiums,
		"a claim is lodged once, and decided":              claimed,
		"an observation pays once":                         observed,
		"a statement is that of its rows":                  stated,
		"a reference that is used again for another thing": conflict,
		"what cannot be sent is not":                       unfit,
		"an event is heard when its signature holds":       events,
		"no mutant of an event is heard":                   mutants,
		"a lost answer is unknown, and found":              lost,
		"a connection cut anywhere makes nothing twice":    cut,
		"a strange answer is unknown":                      strange,
		"an answer about another reference is unknown":     another,
		"a partner that is busy is left alone":             busy,
		"without a connection nothing is sent":             offline,
		"an intruder is not the insurer's failure":         intruder,
		"an insurer that is back is asked first":           recovery,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fact(t, open(t))
		})
	}
}

var many = outbound.Settings{Rate: 10_000, Burst: 10_000, Retries: -1, Consecutive: 10_000, Volume: 10_000}

func direct(f Fixture) *insurance.Insurer {
	s := many
	s.Deadline = time.Minute
	s.Retries = -1
	p := s
	p.Retries = 0
	return insurance.New("insurer", f.Dial(f.Addr), insurance.Options{Pay: p, Query: s})
}

var begin = time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)

func asked(ref string) insurance.Ask {
	return insurance.Ask{
		Ref: ref, Product: Product, Version: 2, Insured: "INS-1", Subject: insurance.Subject{Kind: "crop", Ref: "LOT-1", Commune: "Exemple"},
		Sum: money.Dirhams(10_000_00), Start: begin, End: begin.AddDate(0, 6, 0),
	}
}

// quoted is a price.
func quoted(t *testing.T, i *insurance.Insurer, ref string) insurance.Quote {
	t.Helper()
	q, r := i.Quote(t.Context(), asked(ref))
	if r.Outcome != outbound.Succeeded || q.ID == "" || q.Ref != ref {
		t.Fatalf("Quote = %+v, %+v; want one", q, r)
	}
	return q
}

func binding(ref, quote string) insurance.Binding {
	return insurance.Binding{
		Ref: ref, Quote: quote, Holder: "Coopérative exemple «É» الاسم", Consent: insurance.Consent{TextHash: lawful("texte"), At: begin.Add(-time.Hour)}, Payment: "PAY-" + ref,
	}
}

// bound is a policy that is issued.
func bound(t *testing.T, i *insurance.Insurer, ref string) insurance.Policy {
	t.Helper()
	p, r := i.Bind(t.Context(), binding(ref, quoted(t, i, "Q"+ref).ID))
	if r.Outcome != outbound.Succeeded || p.State != insurance.PolicyActive || p.Ref != ref || p.Number == "" || r.PartnerID != p.ID {
		t.Fatalf("Bind = %+v, %+v; want an active policy", p, r)
	}
	return p
}

func loss(ref, policy string) insurance.Loss {
	return insurance.Loss{
		Ref: ref, Policy: policy, At: begin.Add(time.Hour), Type: "drought", Description: "Deux lignes\nde texte", Amount: money.Dirhams(80_00),
		Evidence: []insurance.Evidence{{Kind: "photo", URL: "https://hub.example/f/1", SHA256: lawful("photo")}},
	}
}

// did checks how often something was done.
func did(t *testing.T, f Fixture, kind, ref string, want int) {
	t.Helper()
	if got := f.Executed(kind, ref); got != want {
		t.Errorf("%s %s was done %d times, want %d", kind, ref, got, want)
	}
}

// is checks an outcome and its reason.
func is(t *testing.T, what string, r outbound.Result, o outbound.Outcome, why outbound.Reason) {
	t.Helper()
	if r.Outcome != o || r.Reason != why {
		t.Errorf("%s = %s %q (%s, %v), want %s %q", what, r.Outcome, r.Reason, r.Text, r.Err, o, why)
	}
}

func products(t *testing.T, f Fixture) {
	all, r := direct(f).Products(t.Context())
	is(t, "Products", r, outbound.Succeeded, "")
	want := offered()
	if len(all) != 1 || all[0].ID != Product || all[0].Version != 2 || all[0].Names["ar"] != want[0].Names["ar"] || all[0].Premium.Rate != 50 ||
		!all[0].Premium.Min.Equal(want[0].Premium.Min) || all[0].Premium.Fixed.Currency() != money.MAD || all[0].Trigger == nil || !all[0].Trigger.Pays.Equal(want[0].Trigger.Pays) {
		t.Errorf("Products = %+v, want %+v", all, want)
	}
}

func quotes(t *testing.T, f Fixture) {
	i := direct(f)
	first := quoted(t, i, "Q1")
	if again := quoted(t, i, "Q1"); again.ID != first.ID || !again.Premium.Equal(first.Premium) {
		t.Errorf("asked again it is %+v, was %+v", again, first)
	}
	if !first.Premium.Equal(money.Dirhams(500_00)) || first.Taxes.Sign() <= 0 || first.Commission.Sign() <= 0 {
		t.Errorf("the quote is %+v", first)
	}
}

func once(t *testing.T, f Fixture) {
	i := direct(f)
	q := quoted(t, i, "Q1")
	b := binding("POL-1", q.ID)
	first, r := i.Bind(t.Context(), b)
	is(t, "Bind", r, outbound.Succeeded, "")
	for range 3 {
		if again, r := i.Bind(t.Context(), b); r.Outcome != outbound.Succeeded || again.ID != first.ID || again.Number != first.Number {
			t.Errorf("bound again it is %+v, %+v; was %+v", again, r, first)
		}
	}
	did(t, f, "bind", "POL-1", 1)
	if found, r := i.FindPolicy(t.Context(), "POL-1"); r.Outcome != outbound.Succeeded || found.ID != first.ID || found.State != insurance.PolicyActive || found.Refund.Currency() != money.MAD {
		t.Errorf("FindPolicy = %+v, %+v", found, r)
	}
}

func pending(t *testing.T, f Fixture) {
	i := direct(f)
	q := quoted(t, i, "Q1")
	f.Pend()
	for range 2 {
		p, r := i.Bind(t.Context(), binding("POL-1", q.ID))
		is(t, "Bind", r, outbound.Accepted, "")
		if p.State != insurance.PolicyPending || p.Ref != "POL-1" {
			t.Errorf("it is %+v, want pending", p)
		}
	}
	_, r := i.FindPolicy(t.Context(), "POL-1")
	is(t, "FindPolicy", r, outbound.Accepted, "")
	f.Issue("POL-1")
	p, r := i.FindPolicy(t.Context(), "POL-1")
	is(t, "FindPolicy once it is issued", r, outbound.Succeeded, "")
	if p.State != insurance.PolicyActive || p.Number == "" || !p.End.After(p.Start) || len(p.Documents) == 0 {
		t.Errorf("it is %+v, want active and whole", p)
	}
	did(t, f, "bind", "POL-1", 1)
}

func refused(t *testing.T, f Fixture) {
	i := direct(f)
	a := asked("Q1")
	a.Sum = money.Dirhams(10_000_01)
	for range 2 {
		_, r := i.Quote(t.Context(), a)
		is(t, "Quote of what is not insured", r, outbound.Declined, "")
		if r.Code == "" {
			t.Error("a refusal has no code")
		}
	}
	b := asked("Q2")
	b.Product = "rien"
	_, r := i.Quote(t.Context(), b)
	is(t, "Quote of a product that is not offered", r, outbound.Declined, "")
	_, r = i.Bind(t.Context(), binding("POL-1", "X-1"))
	is(t, "Bind of a quote that is none", r, outbound.Declined, "")
	_, r = i.FindPolicy(t.Context(), "POL-1")
	is(t, "FindPolicy after it was refused", r, outbound.NotFound, "")
	did(t, f, "bind", "POL-1", 0)
}

func absent(t *testing.T, f Fixture) {
	i := direct(f)
	bound(t, i, "POL-1")
	_, r := i.FindPolicy(t.Context(), "POL-2")
	is(t, "FindPolicy", r, outbound.NotFound, "")
	_, r = i.FindClaim(t.Context(), "CLM-1")
	is(t, "FindClaim", r, outbound.NotFound, "")
	_, r = i.Statement(t.Context(), "2026-10")
	is(t, "Statement", r, outbound.NotFound, "")
	_, r = i.Cancel(t.Context(), insurance.Cancellation{Ref: "CAN-1", Policy: "none", Reason: "essai"})
	is(t, "Cancel", r, outbound.NotFound, "")
	_, r = i.Notify(t.Context(), loss("CLM-1", "none"))
	is(t, "Notify", r, outbound.NotFound, "")
	is(t, "Paid", i.Paid(t.Context(), insurance.Payment{Ref: "PAY-9", Policy: "none", Period: "2026-12", Amount: money.Dirhams(100)}), outbound.NotFound, "")
}

func cancelled(t *testing.T, f Fixture) {
	i := direct(f)
	p := bound(t, i, "POL-1")
	c := insurance.Cancellation{Ref: "CAN-1", Policy: p.ID, Reason: "Rétractation"}
	for range 2 {
		out, r := i.Cancel(t.Context(), c)
		is(t, "Cancel", r, outbound.Succeeded, "")
		if out.State != insurance.PolicyCancelled || out.Refund.Amount() != "15.00" || out.Ref != "POL-1" {
			t.Errorf("it is %+v", out)
		}
	}
	did(t, f, "cancel", "CAN-1", 1)
	c.Ref = "CAN-2"
	_, r := i.Cancel(t.Context(), c)
	is(t, "Cancel of what is cancelled, by another reference", r, outbound.Declined, "")
	if out, r := i.FindPolicy(t.Context(), "POL-1"); r.Outcome != outbound.Succeeded || out.State != insurance.PolicyCancelled || out.Refund.Amount() != "15.00" {
		t.Errorf("FindPolicy = %+v, %+v", out, r)
	}
}

func premiums(t *testing.T, f Fixture) {
	i := direct(f)
	p := bound(t, i, "POL-1")
	for range 2 {
		is(t, "Paid", i.Paid(t.Context(), insurance.Payment{Ref: "PRM-1", Policy: p.ID, Period: "2027-01", Amount: money.Dirhams(20_00)}), outbound.Succeeded, "")
	}
	did(t, f, "premium", "PRM-1", 1)
}

func claimed(t *testing.T, f Fixture) {
	i := direct(f)
	p := bound(t, i, "POL-1")
	for _, ref := range []string{"CLM-1", "CLM-1", "CLM-2"} {
		c, r := i.Notify(t.Context(), loss(ref, p.ID))
		is(t, "Notify", r, outbound.Succeeded, "")
		if c.State != insurance.ClaimNotified || c.Ref != ref || c.Policy != p.ID {
			t.Errorf("it is %+v", c)
		}
	}
	did(t, f, "claim", "CLM-1", 1)
	f.Decide("CLM-2", insurance.ClaimRejected)
	if c, r := i.FindClaim(t.Context(), "CLM-2"); r.Outcome != outbound.Succeeded || c.State != insurance.ClaimRejected || c.Reason == "" {
		t.Errorf("a rejected claim = %+v, %+v", c, r)
	}
	for _, s := range []insurance.ClaimState{insurance.ClaimReview, insurance.ClaimAccepted, insurance.ClaimPaid} {
		f.Decide("CLM-1", s)
		c, r := i.FindClaim(t.Context(), "CLM-1")
		is(t, "FindClaim", r, outbound.Succeeded, "")
		if c.State != s || (s != insurance.ClaimReview) != (c.Amount.Amount() == "50.00") || (s == insurance.ClaimPaid) != (c.Transfer != "") {
			t.Errorf("it is %+v, want %s", c, s)
		}
	}
}

func observed(t *testing.T, f Fixture) {
	i := direct(f)
	p := bound(t, i, "POL-1")
	seen := func(ref, value string) insurance.Observation {
		return insurance.Observation{Ref: ref, Policy: p.ID, Index: "rain_mm", Source: "Station exemple", Place: "Exemple", Period: "2027-01", Value: value, Signature: "c2ln"}
	}
	if !i.CanObserve() {
		_, r := i.Observe(t.Context(), seen("OBS-1", "12.0"))
		is(t, "Observe at an insurer that pays by no index", r, outbound.NotSent, outbound.Unfit)
		return
	}
	c, r := i.Observe(t.Context(), seen("OBS-1", "55.0"))
	is(t, "Observe of what makes nothing due", r, outbound.Succeeded, "")
	if c.ID != "" {
		t.Errorf("it made %+v due", c)
	}
	for range 2 {
		c, r := i.Observe(t.Context(), seen("OBS-2", "12.5"))
		is(t, "Observe", r, outbound.Succeeded, "")
		if c.ID == "" || c.Amount.Amount() != "500.00" || c.Ref != "OBS-2" || c.State != insurance.ClaimAccepted {
			t.Errorf("it made %+v due", c)
		}
	}
	did(t, f, "observation", "OBS-2", 1)
	if c, r := i.FindClaim(t.Context(), "OBS-2"); r.Outcome != outbound.Succeeded || c.Amount.Amount() != "500.00" {
		t.Errorf("FindClaim = %+v, %+v", c, r)
	}
}

func stated(t *testing.T, f Fixture) {
	i := direct(f)
	for _, ref := range []string{"POL-1", "POL-2", "POL-3"} {
		bound(t, i, ref)
	}
	p := bound(t, i, "POL-4")
	if _, r := i.Cancel(t.Context(), insurance.Cancellation{Ref: "CAN-1", Policy: p.ID, Reason: "essai"}); r.Outcome != outbound.Succeeded {
		t.Fatalf("Cancel = %+v", r)
	}
	s, r := i.Statement(t.Context(), "2026-11")
	is(t, "Statement", r, outbound.Succeeded, "")
	if len(s.Rows) != 5 || s.Premiums.Amount() != "80.00" || s.Commission.Amount() != "3.25" || s.Due.Amount() != "61.75" || s.Claims.Amount() != "0.00" {
		t.Errorf("the statement is %+v", s)
	}
	f.Miscount()
	s, r = i.Statement(t.Context(), "2026-11")
	is(t, "a statement whose sums are wrong", r, outbound.Unknown, outbound.Differs)
	if len(s.Rows) != 5 {
		t.Errorf("a person has nothing to look at: %+v", s)
	}
}

func conflict(t *testing.T, f Fixture) {
	i := direct(f)
	bound(t, i, "POL-1")
	other := binding("POL-1", quoted(t, i, "Q2").ID)
	other.Holder = "Quelqu’un d’autre"
	_, r := i.Bind(t.Context(), other)
	is(t, "Bind of another thing", r, outbound.Unknown, outbound.Differs)
	did(t, f, "bind", "POL-1", 1)
}

func unfit(t *testing.T, f Fixture) {
	i := direct(f)
	for name, spoil := range map[string]func(*insurance.Ask){
		"ref":      func(a *insurance.Ask) { a.Ref = "a b" },
		"product":  func(a *insurance.Ask) { a.Product = "../x" },
		"version":  func(a *insurance.Ask) { a.Version = 0 },
		"a person": func(a *insurance.Ask) { a.Insured = "Nom Prénom" },
		"subject":  func(a *insurance.Ask) { a.Subject.Kind = "house" },
		"sum":      func(a *insurance.Ask) { a.Sum = money.Dirhams(0) },
		"currency": func(a *insurance.Ask) { a.Sum = money.FromCentimes(1, "EUR") },
		"end":      func(a *insurance.Ask) { a.End = a.Start },
	} {
		a := asked("Q1")
		spoil(&a)
		_, r := i.Quote(t.Context(), a)
		is(t, "Quote with a bad "+name, r, outbound.NotSent, outbound.Unfit)
	}
	for name, spoil := range map[string]func(*insurance.Binding){
		"ref":     func(b *insurance.Binding) { b.Ref = "" },
		"quote":   func(b *insurance.Binding) { b.Quote = "a/b" },
		"holder":  func(b *insurance.Binding) { b.Holder = "a\nb" },
		"consent": func(b *insurance.Binding) { b.Consent.TextHash = "00" },
		"moment":  func(b *insurance.Binding) { b.Consent.At = time.Time{} },
		"payment": func(b *insurance.Binding) { b.Payment = "" },
	} {
		b := binding("POL-1", "Q-1")
		spoil(&b)
		_, r := i.Bind(t.Context(), b)
		is(t, "Bind with a bad "+name, r, outbound.NotSent, outbound.Unfit)
	}
	for name, spoil := range map[string]func(*insurance.Loss){
		"ref":      func(l *insurance.Loss) { l.Ref = "é" },
		"policy":   func(l *insurance.Loss) { l.Policy = "" },
		"moment":   func(l *insurance.Loss) { l.At = time.Time{} },
		"amount":   func(l *insurance.Loss) { l.Amount = money.Dirhams(-1) },
		"evidence": func(l *insurance.Loss) { l.Evidence[0].SHA256 = "x" },
	} {
		l := loss("CLM-1", "P-1")
		spoil(&l)
		_, r := i.Notify(t.Context(), l)
		is(t, "Notify with a bad "+name, r, outbound.NotSent, outbound.Unfit)
	}
	_, r := i.Statement(t.Context(), "2026-13")
	is(t, "Statement of no month", r, outbound.NotSent, outbound.Unfit)
	is(t, "Paid of nothing", i.Paid(t.Context(), insurance.Payment{Ref: "P", Policy: "P-1", Period: "2026-11"}), outbound.NotSent, outbound.Unfit)
}
