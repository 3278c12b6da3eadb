// Package crmconform says what every driver of a customer relation system must do,
// over a network that fails in every way a network can.
package crmconform

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"tiwiza/adapters/crm"
	"tiwiza/pkg/id"
	"tiwiza/pkg/money"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/outbound/netfault"
)

// Seen is what a system has of somebody, or of an order.
type Seen struct {
	RemoteID, Name, Email, Phone string
	Points, Version              int64
	Amount, Stage, Contact       string
	Withdrawn                    bool
}

// Fixture is what a driver's test gives the suite: a system and drivers that reach
// it.
type Fixture struct {
	Addr     string                             // the system's host and port
	Dial     func(addr string) crm.Driver       // a driver that reaches it through addr
	Intruder func(addr string) crm.Driver       // one that it does not let in
	Contacts func(id string) []Seen             // all that it has under our name of a person
	Deals    func(id string) []Seen             // and of an order
	Stage    func(s crm.Stage) string           // its own word for a stage
	Garble   func(status int, body string)      // the answer to the next request, which is not executed; nil for a system that is real
	Busy     func()                             // have it be too busy for the next request; nil likewise
	Stranger func(email string) (remote string) // somebody it knows by an address alone; nil where two may share one
	Leave    func(email string)                 // somebody refuses there to be written to; nil where it writes to nobody
	Refused  func(c crm.Contact) crm.Contact    // one that it does not take
	Step     int                                // every how many bytes the network is cut; 1 by itself, more where calls take long
	Deadline time.Duration                      // within which calls are answered; 400 ms by itself
}

// Run holds a driver to the contract. open is called once for each fact.
func Run(t *testing.T, open func(t *testing.T) Fixture) {
	for name, fact := range map[string]func(*testing.T, Fixture){
		"who is put twice is there once, as last said": twice,
		"an order is put once and moves on":            deals,
		"many are put in batches":                      many,
		"one of many that is refused is named":         oneBad,
		"who is known by an address is the same":       stranger,
		"points are the whole, not the change":         points,
		"who does not want to be written to is known":  wishes,
		"who is to be forgotten is, and it is shown":   erased,
		"what cannot be put is not":                    unfit,
		"a connection cut anywhere makes nobody twice": cut,
		"a request that is lost or late is in doubt":   lost,
		"a strange answer is no success":               strange,
		"without a connection nothing is sent":         offline,
		"an intruder is not the system's failure":      intruder,
		"a busy system is left alone":                  busy,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fact(t, open(t))
		})
	}
}

// anybody is a person of the suite: each has an address of its own.
func anybody() crm.Contact {
	who := id.New(id.Person)
	return crm.Contact{ID: who, Name: "Exemple «É» & \"x\" \\ <b> الاسم", Email: who[4:] + "@exemple.ma", Phone: "+212612345678", Lang: "fr"}
}

func direct(f Fixture) *crm.CRM { return crm.New("crm", f.Dial(f.Addr), crm.Options{Lane: patient(f)}) }

// patient gives calls time, and lets as many through as there are.
func patient(f Fixture) outbound.Settings {
	s := netfault.Brisk
	s.Rate, s.Burst, s.Deadline = 10000, 10000, time.Minute
	return s
}

// brisk makes calls end soon, and leaves the breaker shut.
func brisk(f Fixture, addr string) *crm.CRM {
	s := patient(f)
	s.Deadline = f.Deadline
	if s.Deadline == 0 {
		s.Deadline = netfault.Brisk.Deadline
	}
	return crm.New("crm", f.Dial(addr), crm.Options{Lane: s})
}

// there puts somebody and gives the system's name of it.
func there(t *testing.T, c *crm.CRM, who crm.Contact) string {
	t.Helper()
	puts, r := c.PutContacts(t.Context(), []crm.Contact{who})
	if r.Outcome != outbound.Succeeded || len(puts) != 1 || puts[0].ID != who.ID || puts[0].RemoteID == "" || puts[0].Refused != "" {
		t.Fatalf("PutContacts = %+v, %+v; want one that is there", puts, r)
	}
	return puts[0].RemoteID
}

// alone checks that somebody is there once.
func alone(t *testing.T, f Fixture, who crm.Contact, remote string) Seen {
	t.Helper()
	all := f.Contacts(who.ID)
	if len(all) != 1 || all[0].RemoteID != remote || all[0].Name != who.Name || all[0].Email != who.Email || all[0].Phone != who.Phone {
		t.Fatalf("the system has %+v, want %+v as %s alone", all, who, remote)
	}
	return all[0]
}

func twice(t *testing.T, f Fixture) {
	c, who := direct(f), anybody()
	remote := there(t, c, who)
	alone(t, f, who, remote)
	if again := there(t, c, who); again != remote {
		t.Errorf("put again it is %s, was %s", again, remote)
	}
	who.Name, who.Email, who.RemoteID = "Autre nom", "autre."+who.Email, remote
	if again := there(t, c, who); again != remote {
		t.Errorf("changed it is %s, was %s", again, remote)
	}
	alone(t, f, who, remote)
	who.RemoteID, who.Phone, who.Email = "", "", "encore."+who.Email
	there(t, c, who)
	alone(t, f, who, remote)
	for _, no := range []bool{true, false} {
		last := who
		if last.Withdrawn = no; no {
			last = crm.Contact{ID: who.ID, Withdrawn: true}
		}
		there(t, c, last)
		if got := alone(t, f, who, remote); got.Withdrawn != no {
			t.Errorf("who does not agree is %+v", got)
		}
	}
	nobody := crm.Contact{ID: id.New(id.Person), Withdrawn: true}
	if puts, r := c.PutContacts(t.Context(), []crm.Contact{nobody}); r.Outcome != outbound.Succeeded || !slices.Equal(puts, []crm.Put{{ID: nobody.ID, Refused: crm.Gone}}) || len(f.Contacts(nobody.ID)) != 0 {
		t.Errorf("who is not known does not agree: %+v, %+v", puts, r)
	}
	both := []crm.Contact{who, who}
	if puts, r := c.PutContacts(t.Context(), both); r.Outcome != outbound.Succeeded || len(puts) != 1 {
		t.Errorf("named twice at once: %+v, %+v", puts, r)
	}
	alone(t, f, who, remote)
}

func order(contact string) crm.Deal {
	return crm.Deal{ID: id.New(id.Order), ContactID: contact, Name: "Commande A1B2C3", Amount: money.Dirhams(12350), Stage: crm.Created, At: time.Date(2026, 11, 1, 10, 0, 0, 0, time.UTC)}
}

func deals(t *testing.T, f Fixture) {
	c := direct(f)
	contact := there(t, c, anybody())
	d := order(contact)
	for _, s := range []crm.Stage{crm.Created, crm.Created, crm.Paid, crm.Shipped, crm.Won, crm.Lost} {
		d.Stage = s
		puts, r := c.PutDeals(t.Context(), []crm.Deal{d})
		if r.Outcome != outbound.Succeeded || len(puts) != 1 || puts[0].RemoteID == "" || d.RemoteID != "" && puts[0].RemoteID != d.RemoteID {
			t.Fatalf("%s: PutDeals = %+v, %+v", s, puts, r)
		}
		if s == crm.Paid { // from here on by the system's own name
			d.RemoteID = puts[0].RemoteID
		}
		all := f.Deals(d.ID)
		if len(all) != 1 || all[0].Stage != f.Stage(s) || all[0].Amount != "123.50" || all[0].Contact != contact {
			t.Errorf("%s: the system has %+v, want one of %s for 123.50 at %s", s, all, contact, f.Stage(s))
		}
	}
}

func many(t *testing.T, f Fixture) {
	c := direct(f)
	var all []crm.Contact
	for range crm.MaxBatch + 20 {
		all = append(all, anybody())
	}
	for range 2 {
		puts, r := c.PutContacts(t.Context(), all)
		if r.Outcome != outbound.Succeeded || len(puts) != len(all) {
			t.Fatalf("%d of %d are put: %+v", len(puts), len(all), r)
		}
		for _, p := range puts {
			if p.Refused != "" || p.RemoteID == "" {
				t.Fatalf("put %+v", p)
			}
		}
	}
	for _, i := range []int{0, 50, len(all) - 1} {
		if got := f.Contacts(all[i].ID); len(got) != 1 {
			t.Errorf("%d of %s are there", len(got), all[i].ID)
		}
	}
}

func oneBad(t *testing.T, f Fixture) {
	if f.Refused == nil {
		return
	}
	c := direct(f)
	all := []crm.Contact{anybody(), anybody(), f.Refused(anybody()), anybody(), anybody()}
	puts, r := c.PutContacts(t.Context(), all)
	if r.Outcome != outbound.Succeeded || len(puts) != len(all) {
		t.Fatalf("PutContacts = %+v, %+v", puts, r)
	}
	for _, p := range puts {
		if bad := p.ID == all[2].ID; bad != (p.Refused != "") || bad == (p.RemoteID != "") || len(f.Contacts(p.ID)) != map[bool]int{false: 1, true: 0}[bad] {
			t.Errorf("put %+v, the system has %d", p, len(f.Contacts(p.ID)))
		}
	}
}

func stranger(t *testing.T, f Fixture) {
	if f.Stranger == nil {
		return
	}
	c, who, other := direct(f), anybody(), anybody()
	remote := f.Stranger(who.Email)
	if got := there(t, c, who); got != remote {
		t.Errorf("put it is %s, and was known as %s", got, remote)
	}
	alone(t, f, who, remote)
	other.Email = who.Email
	if puts, r := c.PutContacts(t.Context(), []crm.Contact{other, anybody()}); r.Outcome != outbound.Succeeded || len(puts) != 2 || len(f.Contacts(other.ID)) != 0 {
		t.Errorf("another of that address: %+v, %+v", puts, r)
	}
	alone(t, f, who, remote)
}

func points(t *testing.T, f Fixture) {
	c, who := direct(f), anybody()
	if !c.KeepsPoints() {
		if _, r := c.PutPoints(t.Context(), []crm.Points{{ID: who.ID, ContactID: "1"}}); r.Reason != outbound.Unfit || r.Outcome != outbound.NotSent {
			t.Errorf("a system without points takes some: %+v", r)
		}
		return
	}
	p := crm.Points{ID: who.ID, ContactID: there(t, c, who), Points: 120, Tier: "or", Version: 7}
	for range 2 {
		if puts, r := c.PutPoints(t.Context(), []crm.Points{p}); r.Outcome != outbound.Succeeded || len(puts) != 1 || puts[0].Refused != "" {
			t.Fatalf("PutPoints = %+v, %+v", puts, r)
		}
		if got := f.Contacts(who.ID); len(got) != 1 || got[0].Points != 120 || got[0].Version != 7 {
			t.Fatalf("the system has %+v, want 120 by version 7", got)
		}
	}
	alone(t, f, who, p.ContactID)
	ghost := p
	ghost.ID, ghost.ContactID = id.New(id.Person), "999999999"
	puts, r := c.PutPoints(t.Context(), []crm.Points{p, ghost})
	if r.Outcome != outbound.Succeeded || !slices.Contains(puts, crm.Put{ID: ghost.ID, Refused: crm.Gone}) {
		t.Errorf("points of nobody: %+v, %+v; want Gone", puts, r)
	}
}

func wishes(t *testing.T, f Fixture) {
	c, a, b, gone := direct(f), anybody(), anybody(), anybody()
	if !c.KeepsWishes() {
		if r := c.Wish(t.Context(), crm.Wish{Email: a.Email}); r.Reason != outbound.Unfit {
			t.Errorf("a system that writes to nobody takes a wish: %+v", r)
		}
		return
	}
	for _, who := range []crm.Contact{a, b, gone} {
		there(t, c, who)
		if r := c.Wish(t.Context(), crm.Wish{Email: who.Email, Granted: true, Why: "Accord du 1er novembre"}); r.Outcome != outbound.Succeeded {
			t.Fatalf("Wish = %+v", r)
		}
	}
	for range 2 {
		if r := c.Wish(t.Context(), crm.Wish{Email: b.Email, Why: "Retrait"}); r.Outcome != outbound.Succeeded {
			t.Fatalf("a refusal = %+v", r)
		}
	}
	f.Leave(gone.Email)
	refusing, r := c.Refusing(t.Context(), []string{a.Email, b.Email, gone.Email, "personne@exemple.ma"})
	slices.Sort(refusing)
	if want := slices.Sorted(slices.Values([]string{b.Email, gone.Email})); r.Outcome != outbound.Succeeded || !slices.Equal(refusing, want) {
		t.Errorf("Refusing = %v, %+v; want %v", refusing, r, want)
	}
	if r := c.Wish(t.Context(), crm.Wish{Email: gone.Email, Granted: true}); r.Outcome != outbound.Declined {
		t.Errorf("who left itself is brought back by us: %+v, want Declined", r)
	}
}

func erased(t *testing.T, f Fixture) {
	c, who := direct(f), anybody()
	remote := there(t, c, who)
	for i := range 2 {
		p, r := c.Erase(t.Context(), crm.Erasure{ID: who.ID, RemoteID: []string{"", remote}[i]})
		if r.Outcome != outbound.Succeeded || p.Answer == "" || p.Checked == "" || i == 0 && !slices.Equal(p.RemoteIDs, []string{remote}) {
			t.Fatalf("Erase = %+v, %+v", p, r)
		}
		if got := f.Contacts(who.ID); len(got) != 0 {
			t.Fatalf("the system still has %+v", got)
		}
	}
	if p, r := c.Erase(t.Context(), crm.Erasure{ID: id.New(id.Person)}); r.Outcome != outbound.Succeeded || len(p.RemoteIDs) != 0 {
		t.Errorf("Erase of nobody = %+v, %+v", p, r)
	}
	next := anybody()
	alone(t, f, next, there(t, c, next))
}

func unfit(t *testing.T, f Fixture) {
	c := direct(f)
	for name, spoil := range map[string]func(*crm.Contact){
		"a name of another":      func(c *crm.Contact) { c.ID = "per_x/../y" },
		"no address":             func(c *crm.Contact) { c.Email, c.Phone = "", "" },
		"two addresses":          func(c *crm.Contact) { c.Email += ",x@exemple.ma" },
		"no number":              func(c *crm.Contact) { c.Phone = "0612345678" },
		"a name of two lines":    func(c *crm.Contact) { c.Name = "a\nb" },
		"bytes that are no name": func(c *crm.Contact) { c.Name = "\xff" },
		"a name without an end":  func(c *crm.Contact) { c.Name = strings.Repeat("x", 201) },
	} {
		who, fine := anybody(), anybody()
		spoil(&who)
		puts, r := c.PutContacts(t.Context(), []crm.Contact{who, fine})
		if r.Outcome != outbound.Succeeded || len(puts) != 2 || puts[0].Refused == "" || puts[1].RemoteID == "" {
			t.Errorf("%s: %+v, %+v", name, puts, r)
		}
	}
	d := order("")
	if puts, r := c.PutDeals(t.Context(), []crm.Deal{d}); r.Outcome != outbound.Succeeded || len(puts) != 1 || puts[0].Refused == "" || len(f.Deals(d.ID)) != 0 {
		t.Errorf("an order of nobody: %+v, %+v", puts, r)
	}
}

// again puts somebody until the system has said that it is there.
func again(t *testing.T, f Fixture, c *crm.CRM, who crm.Contact) {
	t.Helper()
	alone(t, f, who, there(t, c, who))
}

// cut breaks the connection after each number of bytes, both ways: what is said to
// be there is, what is said not to be sent is not, and put again it is there once.
func cut(t *testing.T, f Fixture) {
	net := netfault.New(t, f.Addr)
	c := brisk(f, net.Addr)
	doubts := 0
	try := func(way string, fault func(int) netfault.Fault, i int) (there bool) {
		who := anybody()
		net.Break(fault(i))
		puts, r := c.PutContacts(t.Context(), []crm.Contact{who})
		net.Mend()
		n := len(f.Contacts(who.ID))
		switch {
		case n > 1, len(puts) == 1 && (n != 1 || puts[0].Refused != ""), r.Outcome == outbound.NotSent && n != 0, (r.Outcome == outbound.Succeeded) != (len(puts) == 1):
			t.Errorf("%s cut after %d bytes: %s, %+v (%v), and it is there %d times", way, i, r.Outcome, puts, r.Err, n)
		case len(puts) == 0 && n == 1:
			doubts++
			again(t, f, direct(f), who)
		}
		return len(puts) == 1
	}
	for way, fault := range map[string]func(int) netfault.Fault{"answers": netfault.AnswersCut, "requests": netfault.RequestCut} {
		short, whole := 1, 0
		for i := 1; i < 2500 && whole == 0; i += max(f.Step, 1) * (1 + i/40) {
			if try(way, fault, i) {
				whole = i
			} else {
				short = i
			}
		}
		for whole-short > 1 { // the last bytes of the longest, one by one
			if i := (short + whole) / 2; try(way, fault, i) {
				whole = i
			} else {
				short = i
			}
		}
		for i := whole - 2; i > max(0, whole-10); i-- {
			try(way, fault, i)
		}
	}
	if doubts == 0 {
		t.Error("no cut left somebody in doubt who is there: the faults do not reach the answer")
	}
}

func lost(t *testing.T, f Fixture) {
	net := netfault.New(t, f.Addr)
	c := brisk(f, net.Addr)
	for _, l := range netfault.Losses {
		who := anybody()
		net.Break(l.Fault)
		began := time.Now()
		puts, r := c.PutContacts(t.Context(), []crm.Contact{who})
		net.Mend()
		if r.Outcome != outbound.Unknown && r.Outcome != outbound.NotSent || len(puts) != 0 || time.Since(began) > 10*time.Second {
			t.Errorf("%s: %+v, %+v after %s", l.Name, puts, r, time.Since(began))
		}
		again(t, f, direct(f), who)
	}
}

func strange(t *testing.T, f Fixture) {
	if f.Garble == nil {
		return
	}
	c := brisk(f, f.Addr)
	for _, a := range []struct {
		status int
		body   string
	}{
		{500, "oops"},
		{502, ""},
		{200, ""},
		{201, "{}"},
		{200, "<html>Bienvenue</html>"},
		{302, ""},
		{404, "no"},
		{400, "{}"},
		{408, ""},
		{200, "\xff\xfe"},
		{200, "[]"},
		{200, "null"},
		{200, `{"status":"COMPLETE"}`},
		{207, `{"status":"PENDING","results":[]}`},
		{422, `{"error":`},
		{200, strings.Repeat("[", 100_000)},
		{200, strings.Repeat("x", 2<<20)},
	} {
		who := anybody()
		f.Garble(a.status, a.body)
		if puts, r := c.PutContacts(t.Context(), []crm.Contact{who}); r.Outcome != outbound.Unknown || len(puts) != 0 {
			t.Errorf("%d %.20q: %+v, %+v; want Unknown", a.status, a.body, puts, r)
		}
		again(t, f, direct(f), who)
	}
}

func offline(t *testing.T, f Fixture) {
	net := netfault.New(t, f.Addr)
	c, who := brisk(f, net.Addr), anybody()
	net.Stop()
	if puts, r := c.PutContacts(t.Context(), []crm.Contact{who}); r.Outcome != outbound.NotSent || r.Reason != "" || len(puts) != 0 {
		t.Errorf("PutContacts = %+v, %+v; want NotSent", puts, r)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, r := c.PutContacts(ctx, []crm.Contact{who}); r.Outcome != outbound.NotSent {
		t.Errorf("after its caller left: %+v", r)
	}
	net.Start()
	if n := len(f.Contacts(who.ID)); n != 0 {
		t.Errorf("it is there %d times", n)
	}
}

func intruder(t *testing.T, f Fixture) {
	s := patient(f)
	s.Consecutive = 1
	c, who := crm.New("crm", f.Intruder(f.Addr), crm.Options{Lane: s}), anybody()
	for i := range 2 {
		if puts, r := c.PutContacts(t.Context(), []crm.Contact{who}); r.Reason != outbound.Credentials || r.Outcome == outbound.Succeeded || r.Outcome == outbound.Declined || len(puts) != 0 {
			t.Errorf("%d: %+v, %+v; want neither success nor a refusal, for the credentials", i, puts, r)
		}
	}
	if n := len(f.Contacts(who.ID)); n != 0 {
		t.Errorf("it is there %d times", n)
	}
}

func busy(t *testing.T, f Fixture) {
	if f.Busy == nil {
		return
	}
	c, who := direct(f), anybody()
	f.Busy()
	for i := range 2 {
		if puts, r := c.PutContacts(t.Context(), []crm.Contact{who}); r.Reason != outbound.Limited || r.RetryAfter <= 0 || r.Outcome != outbound.NotSent || len(puts) != 0 {
			t.Errorf("%s: %+v, %+v; want Limited with a wait", fmt.Sprint(i), puts, r)
		}
	}
	if n := len(f.Contacts(who.ID)); n != 0 {
		t.Errorf("it is there %d times", n)
	}
}
