package bankconform

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"tiwiza/adapters/bank"
	"tiwiza/pkg/money"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/outbound/netfault"
)

// Applications is what the test of a driver with bank.Applicants gives the suite: a
// stand-in bank that takes applications, and drivers that reach it. The bank refuses
// an amount that ends in .01 for good, asks for papers at .02, and offers at any
// other.
type Applications struct {
	Addr     string
	Dial     func(addr string) bank.Driver
	Intruder func(addr string) bank.Driver // one that it does not let in
	Taken    func(ref string) int          // how often an application was taken in
	Heard    func(ref string) int          // how many words on it had an effect
	// Garble has the next request carried out and answered so; Busy has it turned
	// away unheard, for some seconds.
	Garble func(status int, header map[string]string, body string)
	Busy   func(seconds int)
}

// RunApplicants holds a driver with bank.Applicants to the contract. open is called
// once for each fact.
func RunApplicants(t *testing.T, open func(t *testing.T) Applications) {
	for name, fact := range map[string]func(*testing.T, Applications){
		"an application that is put twice is one":   appliesOnce,
		"a word is heard once":                      heardOnce,
		"what the bank refuses is refused for good": appliesInVain,
		"what cannot be sent is not":                appliesUnfit,
		"a lost answer is unknown, and found":       appliesLost,
		"a connection cut anywhere takes one in":    appliesCut,
		"a strange answer is unknown":               appliesStrange,
		"a bank that is busy is left alone":         appliesBusy,
		"without a connection nothing is sent":      appliesOffline,
		"an intruder is not the bank's failure":     appliesIntruder,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fact(t, open(t))
		})
	}
}

// taking makes the portable type with bounds that do not matter, or short ones.
func (f Applications) taking(addr string, deadline time.Duration) *bank.Bank {
	s := outbound.Settings{Rate: 10_000, Burst: 10_000, Consecutive: 10_000, Volume: 10_000, Deadline: deadline}
	q := s
	q.Retries = -1
	return bank.New("bank", f.Dial(addr), bank.Options{File: s, Query: q})
}

func (f Applications) direct() *bank.Bank { return f.taking(f.Addr, 30*time.Second) }

// hanging is when a call over a broken network is given up: late enough for a slow
// machine to have carried out what it heard.
const hanging = 3 * time.Second

func loan(ref string, centimes int64) bank.Application {
	sum := money.Dirhams(centimes)
	at := time.Date(2026, 11, 1, 9, 0, 0, 0, time.UTC)
	return bank.Application{
		Ref: ref, Product: "pret", Version: 1, Kind: "loan", Amount: &sum, Months: 24, Purpose: "Un four (exemple)",
		Applicant: bank.Applicant{ID: "org_1", Name: "Coopérative (exemple)", Kind: "cooperative", Region: "05", Commune: "Exemple"},
		Consent:   "cst_1", Sections: []string{"financial"}, Until: at.AddDate(0, 3, 0), Dossier: "/v1/dossiers/1", Made: at,
	}
}

func word(n int, kind string) bank.Answer {
	return bank.Answer{N: n, Kind: kind, Text: "Oui.", At: time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)}
}

// stands asks how an application stands.
func stands(t *testing.T, b *bank.Bank, ref, want string) bank.Progress {
	t.Helper()
	p, r := b.Progress(t.Context(), ref)
	if r.Outcome != outbound.Succeeded || p.State != want {
		t.Errorf("%s stands %s (%+v), want %s", ref, p.State, r, want)
	}
	return p
}

func (f Applications) took(t *testing.T, ref string, want int) {
	t.Helper()
	if n := f.Taken(ref); n != want {
		t.Errorf("%s was taken in %d times, want %d", ref, n, want)
	}
}

func appliesOnce(t *testing.T, f Applications) {
	b := f.direct()
	if _, r := b.Progress(t.Context(), "APP-1"); r.Outcome != outbound.NotFound {
		t.Errorf("before it is put: %+v, want NotFound", r)
	}
	for range 3 {
		is(t, "Apply", b.Apply(t.Context(), loan("APP-1", 2_000_000)), outbound.Accepted, "")
	}
	f.took(t, "APP-1", 1)
	p := stands(t, b, "APP-1", "offered")
	if p.Offer == nil || p.Offer.Amount == nil || !p.Offer.Amount.Equal(money.Dirhams(2_000_000)) || p.Offer.Months != 24 || p.Offer.Rate == "" || p.Offer.Until.IsZero() {
		t.Errorf("the offer is %+v", p.Offer)
	}
	if r := b.Apply(t.Context(), loan("APP-1", 3_000_000)); r.Outcome == outbound.Accepted || r.Outcome == outbound.Declined {
		t.Errorf("another under the same reference: %+v", r)
	}
	f.took(t, "APP-1", 1)
}

func heardOnce(t *testing.T, f Applications) {
	b := f.direct()
	is(t, "Apply", b.Apply(t.Context(), loan("APP-1", 2_000_002)), outbound.Accepted, "")
	if p := stands(t, b, "APP-1", "papers_asked"); p.Question == nil || p.Question.Text == "" {
		t.Errorf("it asks %+v", p.Question)
	}
	for range 3 {
		is(t, "Tell", b.Tell(t.Context(), "APP-1", word(2, "papers")), outbound.Accepted, "")
	}
	before := stands(t, b, "APP-1", "offered")
	is(t, "Tell", b.Tell(t.Context(), "APP-1", word(5, "accept")), outbound.Accepted, "")
	after := stands(t, b, "APP-1", "granted")
	if f.Heard("APP-1") != 2 || len(after.Answers) != 2 || after.Seq <= before.Seq {
		t.Errorf("it heard %d words, and says %+v after %+v", f.Heard("APP-1"), after, before)
	}
	if r := b.Tell(t.Context(), "APP-9", word(1, "accept")); r.Outcome == outbound.Accepted {
		t.Errorf("a word on what was never put: %+v", r)
	}
}

func appliesInVain(t *testing.T, f Applications) {
	b := f.direct()
	if r := b.Apply(t.Context(), loan("APP-1", 2_000_001)); r.Outcome == outbound.Accepted {
		if p := stands(t, b, "APP-1", "refused"); p.Reason == "" {
			t.Error("it is refused without a reason")
		}
	} else {
		is(t, "Apply", r, outbound.Declined, "")
	}
}

func appliesUnfit(t *testing.T, f Applications) {
	b := f.direct()
	for name, spoil := range map[string]func(*bank.Application){
		"a reference with a blank": func(a *bank.Application) { a.Ref = "APP 1" },
		"a loan without an amount": func(a *bank.Application) { a.Amount = nil },
		"no consent":               func(a *bank.Application) { a.Consent = "" },
		"nobody":                   func(a *bank.Application) { a.Applicant.Name = "" },
	} {
		a := loan("APP-1", 2_000_000)
		spoil(&a)
		if r := b.Apply(t.Context(), a); r.Outcome != outbound.NotSent || r.Reason != outbound.Unfit {
			t.Errorf("%s: %+v, want NotSent, Unfit", name, r)
		}
	}
	is(t, "Tell", b.Tell(t.Context(), "APP-1", word(0, "accept")), outbound.NotSent, outbound.Unfit)
	is(t, "Tell", b.Tell(t.Context(), "APP-1", word(1, "hope")), outbound.NotSent, outbound.Unfit)
	f.took(t, "APP-1", 0)
}

func appliesLost(t *testing.T, f Applications) {
	net := netfault.New(t, f.Addr)
	b, well := f.taking(net.Addr, hanging), f.direct()
	for _, l := range netfault.Losses {
		ref := "APP-" + l.Name
		net.Break(l.Fault)
		is(t, l.Name+": Apply", b.Apply(t.Context(), loan(ref, 2_000_000)), outbound.Unknown, "")
		if _, r := b.Progress(t.Context(), ref); r.Outcome != outbound.Unknown {
			t.Errorf("%s: Progress without an answer = %+v, want Unknown", l.Name, r)
		}
		net.Mend()
		_, r := well.Progress(t.Context(), ref)
		if want := map[bool]outbound.Outcome{true: outbound.Succeeded, false: outbound.NotFound}[l.Executed == 1]; r.Outcome != want {
			t.Errorf("%s: Progress = %+v, want %s", l.Name, r, want)
		}
		is(t, l.Name+": Apply again", well.Apply(t.Context(), loan(ref, 2_000_000)), outbound.Accepted, "")
		f.took(t, ref, 1)
		net.Break(l.Fault)
		is(t, l.Name+": Tell", b.Tell(t.Context(), ref, word(1, "accept")), outbound.Unknown, "")
		net.Mend()
		is(t, l.Name+": Tell again", well.Tell(t.Context(), ref, word(1, "accept")), outbound.Accepted, "")
		if n := f.Heard(ref); n != 1 {
			t.Errorf("%s: the word was heard %d times", l.Name, n)
		}
	}
}

func appliesCut(t *testing.T, f Applications) {
	net := netfault.New(t, f.Addr)
	b, well := f.taking(net.Addr, hanging), f.direct()
	doubts, n := 0, 0
	for way, fault := range map[string]func(int) netfault.Fault{"answers": netfault.AnswersCut, "requests": netfault.RequestCut} {
		for bytes := 1; bytes < 4000; bytes += 1 + bytes/4 {
			n++
			ref := "CUT-" + strconv.Itoa(n)
			net.Break(fault(bytes))
			r := b.Apply(t.Context(), loan(ref, 2_000_000))
			net.Mend()
			taken := f.Taken(ref)
			switch {
			case taken > 1, r.Outcome == outbound.NotSent && taken != 0, r.Outcome == outbound.Accepted && taken != 1,
				r.Outcome != outbound.NotSent && r.Outcome != outbound.Unknown && r.Outcome != outbound.Accepted:
				t.Errorf("%s cut after %d bytes: %s (%v), and it was taken in %d times", way, bytes, r.Outcome, r.Err, taken)
			case r.Outcome == outbound.Unknown && taken == 1:
				doubts++
			}
			is(t, "Apply once the network is back", well.Apply(t.Context(), loan(ref, 2_000_000)), outbound.Accepted, "")
			f.took(t, ref, 1)
		}
	}
	if doubts == 0 {
		t.Error("no cut left an application in doubt that was taken in: the faults do not reach the answer")
	}
}

func appliesStrange(t *testing.T, f Applications) {
	b, well := f.direct(), f.direct()
	is(t, "Apply", well.Apply(t.Context(), loan("APP-OTHER", 2_000_000)), outbound.Accepted, "")
	other := `{"id":"APP-OTHER","sha256":"` + strings.Repeat("ab", 32) + `","state":"offered","seq":1,"answers":[1]}`
	problem := map[string]string{"Content-Type": "application/problem+json"}
	for n, a := range []struct {
		status int
		header map[string]string
		body   string
	}{
		{500, nil, "oops"},
		{502, nil, ""},
		{200, nil, ""},
		{201, nil, "{}"},
		{200, nil, "<html>Bienvenue</html>"},
		{200, nil, "null"},
		{200, nil, "\xff\xfe"},
		{404, nil, "no"},
		{400, nil, "{}"},
		{200, nil, other},
		{200, nil, strings.Replace(other, `"id"`, `"id":"x","id"`, 1)},
		{200, nil, strings.Repeat("[", 100_000)},
		{200, nil, strings.Repeat("x", 2<<20)},
		{200, map[string]string{"Content-Length": "9000"}, `{"id":`},
		{302, map[string]string{"Location": "/elsewhere"}, ""},
		{500, problem, `{"status":500,"code":"refused"}`},
		{400, problem, `{"status":422,"code":"refused"}`},
		{409, problem, `{"status":409,"code":"in_progress"}`},
	} {
		ref := "STR-" + strconv.Itoa(n)
		f.Garble(a.status, a.header, a.body)
		if r := b.Apply(t.Context(), loan(ref, 2_000_000)); r.Outcome != outbound.Unknown {
			t.Errorf("%d %.30q: Apply = %+v, want Unknown", a.status, a.body, r)
		}
		f.Garble(a.status, a.header, a.body)
		if _, r := b.Progress(t.Context(), ref); r.Outcome != outbound.Unknown {
			t.Errorf("%d %.30q: Progress = %+v, want Unknown", a.status, a.body, r)
		}
		f.Garble(a.status, a.header, a.body)
		if r := b.Tell(t.Context(), ref, word(1, "accept")); r.Outcome != outbound.Unknown {
			t.Errorf("%d %.30q: Tell = %+v, want Unknown", a.status, a.body, r)
		}
		f.took(t, ref, 1)
		stands(t, well, ref, "granted")
	}
}

func appliesBusy(t *testing.T, f Applications) {
	b := f.direct()
	f.Busy(7)
	r := b.Apply(t.Context(), loan("APP-1", 2_000_000))
	if r.Outcome != outbound.Unknown && r.Outcome != outbound.NotSent || r.Reason != outbound.Limited || r.RetryAfter != 7*time.Second {
		t.Errorf("Apply at a busy bank = %+v, want to come again in 7 s", r)
	}
	is(t, "Apply too early", b.Apply(t.Context(), loan("APP-1", 2_000_000)), outbound.NotSent, outbound.Limited)
	f.took(t, "APP-1", 0)
}

func appliesOffline(t *testing.T, f Applications) {
	net := netfault.New(t, f.Addr)
	b := f.taking(net.Addr, hanging)
	net.Stop()
	is(t, "Apply", b.Apply(t.Context(), loan("APP-1", 2_000_000)), outbound.NotSent, "")
	is(t, "Tell", b.Tell(t.Context(), "APP-1", word(1, "accept")), outbound.NotSent, "")
	f.took(t, "APP-1", 0)
	net.Start()
	is(t, "Apply once it is back", b.Apply(t.Context(), loan("APP-1", 2_000_000)), outbound.Accepted, "")
}

func appliesIntruder(t *testing.T, f Applications) {
	s := outbound.Settings{Rate: 10_000, Burst: 10_000, Consecutive: 2, Volume: 2, Deadline: 30 * time.Second}
	b := bank.New("bank", f.Intruder(f.Addr), bank.Options{File: s, Query: s})
	for range 5 {
		if r := b.Apply(t.Context(), loan("APP-1", 2_000_000)); r.Reason != outbound.Credentials {
			t.Fatalf("an intruder's Apply = %+v, want its credentials refused", r)
		}
	}
	f.took(t, "APP-1", 0)
}
