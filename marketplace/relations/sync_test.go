package relations_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"tiwiza/adapters/crm"
	"tiwiza/marketplace/loyalty"
	"tiwiza/marketplace/members"
	"tiwiza/marketplace/orders"
	"tiwiza/marketplace/relations"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/id"
	"tiwiza/pkg/money"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pg"
)

func dirhams(s string) money.Money {
	m, err := money.Parse(s, "MAD")
	if err != nil {
		panic(err)
	}
	return m
}

func paid(m orders.Moved) pg.Event      { return orders.OrderPaid{Moved: m} }
func shipped(m orders.Moved) pg.Event   { return orders.OrderShipped{Moved: m} }
func completed(m orders.Moved) pg.Event { return orders.OrderCompleted{Moved: m} }
func refunded(m orders.Moved) pg.Event  { return orders.OrderRefunded{Moved: m} }

func TestOnlyOfThoseWhoAgreedAnythingIsSaid(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	person, key := p.somebody()
	o := id.New(id.Order)
	p.order(person, o, orders.Paid, paid)
	p.publish(loyalty.Balance{Person: person, Points: 120, Version: 3})
	p.pass(time.Minute)
	if got := p.crm.asked(); len(got) != 0 || len(p.links(person)) != 0 {
		t.Fatalf("of who said nothing %v was said, and %v is kept", got, p.links(person))
	}
	p.says(key, true)
	p.soon()
	if got := p.crm.asked(); !slices.Equal(got, []string{"contacts", "wish", "points"}) {
		t.Errorf("of who agreed %v was said", got)
	}
	p.order(person, o, orders.Shipped, shipped)
	p.soon()
	if d := p.crm.deals[o]; d.Stage != crm.Shipped || d.Amount.Amount() != "123.50" || d.ContactID != p.crm.contacts[person].RemoteID {
		t.Errorf("the order is %+v", d)
	}
	if b := p.crm.points[person]; b.Points != 120 || b.Version != 3 || b.ContactID != p.crm.contacts[person].RemoteID {
		t.Errorf("the points are %+v", b)
	}
	if got := sorted(p.links(person)); !slices.Equal(got, []relations.Entity{relations.Consent, relations.Contact, relations.Deal, relations.Points}) {
		t.Errorf("kept are %v", got)
	}
}

func TestTheLifeOfAnOrderIsItsStages(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	person, _ := p.agrees()
	o, other := id.New(id.Order), id.New(id.Order)
	p.order(person, o, orders.PendingPayment, func(orders.Moved) pg.Event { return orders.Placed{Buyer: person, Orders: []string{o}} })
	for _, step := range []struct {
		state orders.State
		event func(orders.Moved) pg.Event
		want  crm.Stage
	}{{orders.PendingPayment, nil, crm.Created}, {orders.Paid, paid, crm.Paid}, {orders.Shipped, shipped, crm.Shipped}, {orders.Completed, completed, crm.Won}, {orders.Refunded, refunded, crm.Lost}} {
		p.order(person, o, step.state, step.event)
		p.soon()
		if got := p.crm.deals[o]; got.Stage != step.want {
			t.Errorf("an order that is %s is %+v, want %s", step.state, got, step.want)
		}
	}
	p.crm.asked()
	p.order(person, o, orders.Refunded, refunded) // told again, and nothing is new
	p.order(person, other, orders.Paid, paid)
	p.order(person, other, orders.Paid, completed) // told early: the truth is said
	p.soon()
	if got := p.crm.asked(); !slices.Equal(got, []string{"deals"}) || len(p.crm.deals) != 2 || p.crm.deals[other].Stage != crm.Paid {
		t.Errorf("%v was said, and the deals are %+v", got, p.crm.deals)
	}
}

func TestWhoTakesItBackIsLeftAlone(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	person, key := p.agrees()
	o := id.New(id.Order)
	p.order(person, o, orders.Paid, paid)
	p.soon()
	p.says(key, false)
	p.soon()
	p.knows(person, true, true)
	if p.crm.mails[p.email(person)] {
		t.Error("the system still writes")
	}
	p.crm.asked()
	p.order(person, o, orders.Shipped, shipped)
	p.order(person, id.New(id.Order), orders.Paid, paid)
	p.publish(loyalty.Balance{Person: person, Points: 500, Version: 9})
	p.says(key, false)
	p.soon()
	if got := p.crm.asked(); len(got) != 0 {
		t.Errorf("of who took it back %v was said", got)
	}
	if l := p.links(person)[relations.Contact]; l.Held != "consent" || l.Waiting {
		t.Errorf("the contact is kept as %+v", l)
	}
	p.says(key, true)
	p.soon()
	p.knows(person, true, false)
	if p.crm.deals[o].Stage != crm.Shipped || !p.crm.mails[p.email(person)] {
		t.Errorf("after all: %+v, %v", p.crm.deals[o], p.crm.mails)
	}
}

func TestWhoRefusesAtTheSystemHasRefused(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	person, key := p.agrees()
	stays, other := p.agrees()
	p.crm.leave(p.email(person))
	p.pass(20 * time.Minute)
	if got := p.stance(key); got.Granted || got.Source != relations.ByCRM {
		t.Fatalf("the stance is %+v", got)
	}
	p.knows(person, true, true)
	if got := p.stance(other); !got.Granted {
		t.Errorf("another's stance is %+v", got)
	}
	p.knows(stays, true, false)
	p.says(key, true) // the system lets nobody but the person itself change it there
	p.soon()
	if got := p.stance(key); got.Granted || got.Source != relations.ByCRM {
		t.Errorf("brought back by us the stance is %+v", got)
	}
	p.soon()
	p.knows(person, true, true)
	all := get[struct{ Data []relations.WishView }](p, "/v1/wishes", key).Data
	if len(all) != 4 || all[0].Granted || all[0].Partner != "crm" || !all[1].Granted || all[1].TextHash == "" {
		t.Errorf("the wishes are %+v", all)
	}
}

func TestWhatIsSaidHereMeanwhileIsNotUndone(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	person, key := p.agrees()
	stays, other := p.agrees()
	p.crm.do(func() {
		p.crm.mails[p.email(person)], p.crm.mails[p.email(stays)] = false, false // somebody there unticked them
		p.crm.within["refusing"] = func() { p.says(key, false); p.says(key, true) }
	})
	p.pass(20 * time.Minute)
	if got := p.stance(key); !got.Granted {
		t.Errorf("who agreed again meanwhile is %+v", got)
	}
	if got := p.stance(other); got.Granted {
		t.Errorf("who did not is %+v", got)
	}
	p.knows(person, true, false)
	p.knows(stays, true, true)
}

func TestWhatIsWantedWhileItIsSaidIsSaidAfter(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	person, _ := p.agrees()
	o := id.New(id.Order)
	p.crm.do(func() {
		p.crm.within["deals"] = func() {
			p.order(person, o, orders.Shipped, nil)
			p.write(shipped(orders.Moved{Order: o, Buyer: person}))
			p.heard()
		}
	})
	p.order(person, o, orders.Paid, paid)
	p.pass(time.Minute)
	if got := p.crm.deals[o]; got.Stage != crm.Shipped {
		t.Errorf("the order is %+v", got)
	}
}

func TestAnOutageLosesNothingAndIsNotHammered(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	p.crm.will(slices.Repeat([]outbound.Result{notSent}, 3)...)
	person, key := p.somebody()
	p.says(key, true)
	p.soon()
	if v := p.partner(); v.Failures != 1 || v.RetryAt == nil || v.Waiting != 3 || v.Reason != "not_sent" {
		t.Fatalf("the system stands at %+v", v)
	}
	for range 10 { // events do not hasten it
		p.publish(loyalty.Balance{Person: person, Points: 1, Version: 1})
	}
	p.soon()
	if got := p.crm.asked(); len(got) != 1 {
		t.Errorf("within the pause it was asked %v", got)
	}
	p.pass(10 * time.Minute)
	p.knows(person, true, false)
	if v := p.partner(); v.Failures != 0 || v.RetryAt != nil || v.Waiting != 0 || v.SyncedAt == nil {
		t.Errorf("in the end it stands at %+v", v)
	}
	p.crm.asked()
	p.crm.will(outbound.Result{Outcome: outbound.NotSent, Reason: outbound.Limited, RetryAfter: 10 * time.Minute})
	_, key = p.somebody()
	p.says(key, true)
	p.soon()
	if v := p.partner(); v.RetryAt == nil || v.RetryAt.Sub(p.now()) < 9*time.Minute || v.Failures != 0 || v.Reason != "limited" {
		t.Errorf("asked to wait ten minutes it stands at %+v", v)
	}
	p.pass(9 * time.Minute)
	if got := p.crm.asked(); len(got) != 1 {
		t.Errorf("within Retry-After it was asked %v", got)
	}
}

func TestWhoWasInDoubtIsSaidAgainAndThereOnce(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	p.crm.will(unknown, unknown)
	person, key := p.somebody()
	p.says(key, true)
	p.pass(15 * time.Minute)
	p.knows(person, true, false)
	if l := p.links(person)[relations.Contact]; l.RemoteID != "1" || l.Version != 1 || l.Waiting {
		t.Errorf("it is kept as %+v", l)
	}
}

func TestOneOnWhomTheSystemStumblesKeepsNobodyElse(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	var all []string
	for range 5 {
		person, key := p.somebody()
		p.says(key, true)
		all = append(all, person)
	}
	p.crm.do(func() { p.crm.stumbles = all[2] })
	p.pass(3 * time.Hour)
	for i, person := range all {
		p.knows(person, i != 2, false)
		if said := p.crm.points[person].Points == 120 && p.crm.mails[p.email(person)]; said != (i != 2) {
			t.Errorf("all was said of %s: %v", person, said)
		}
	}
	p.crm.do(func() { p.crm.stumbles = "" })
	p.pass(90 * time.Minute)
	p.knows(all[2], true, false)
	for _, person := range all {
		if p.crm.points[person].Points != 120 || !p.crm.mails[p.email(person)] {
			t.Errorf("of %s the system has %+v, %v", person, p.crm.points[person], p.crm.mails[p.email(person)])
		}
	}
}

func TestWhomTheSystemRefusesIsShown(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	person, key := p.somebody()
	p.crm.do(func() { p.crm.refuses = person })
	p.says(key, true)
	p.soon()
	links := p.links(person)
	if c, b := links[relations.Contact], links[relations.Points]; c.Held != "refused" || c.Code != "INVALID" || b.Held != "contact" || c.Waiting || b.Waiting {
		t.Fatalf("kept are %+v", links)
	}
	p.crm.do(func() { p.crm.refuses = "" })
	operator := p.key(auth.Operator, "org_operator")
	if status, answer := p.ask("POST", "/v1/crm/crm/redo", operator, map[string]string{"person": person}); status != http.StatusOK || !strings.Contains(answer, `"links":3`) {
		t.Fatalf("redo: %d %s", status, answer)
	}
	p.soon()
	p.knows(person, true, false)
	if p.crm.points[person].Points != 120 {
		t.Errorf("the points are %+v", p.crm.points)
	}
}

func TestWhomTheSystemLostIsPutAnew(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	person, _ := p.agrees()
	p.crm.do(func() { delete(p.crm.contacts, person) })
	p.mu.Lock()
	who := p.people[person]
	who.Name = "Autre nom"
	p.people[person] = who
	p.mu.Unlock()
	p.ask("POST", "/v1/crm/crm/redo", p.key(auth.Operator, "org_operator"), map[string]string{"person": person})
	p.pass(time.Minute)
	if c, ok := p.known(person); !ok || c.Name != "Autre nom" || c.RemoteID != p.links(person)[relations.Contact].RemoteID {
		t.Errorf("the system has %+v", c)
	}
}

func TestNothingLeavesTheCountryWithoutAnAuthorisation(t *testing.T) {
	t.Parallel()
	p := openPost(t, crm.Options{Abroad: true}, nil)
	operator := p.key(auth.Operator, "org_operator")
	person, key := p.somebody()
	p.says(key, true)
	p.order(person, id.New(id.Order), orders.Paid, paid)
	p.pass(time.Minute)
	if got := p.crm.asked(); len(got) != 0 {
		t.Fatalf("%v left", got)
	}
	if l := p.links(person)[relations.Contact]; l.Held != "transfer" {
		t.Errorf("the contact is kept as %+v", l)
	}
	change := func(body map[string]any) {
		t.Helper()
		if status, answer := p.ask("POST", "/v1/crm/crm", operator, body); status != http.StatusOK {
			t.Fatalf("%d %s", status, answer)
		}
		p.pass(time.Minute)
	}
	change(map[string]any{"transfer": "T-12/2026"})
	p.knows(person, true, false)
	if len(p.crm.deals) != 1 || p.crm.points[person].Points != 120 {
		t.Errorf("once it may leave the system has %+v, %+v", p.crm.deals, p.crm.points)
	}
	change(map[string]any{"transfer": ""})
	p.crm.asked()
	other, theirs := p.somebody()
	p.says(theirs, true)
	p.says(key, false) // what takes back is said all the same
	p.soon()
	p.knows(other, false, false)
	p.knows(person, true, true)
	if got := p.crm.asked(); !slices.Equal(got, []string{"contacts", "wish"}) {
		t.Errorf("%v left", got)
	}
	change(map[string]any{"paused": true, "transfer": "T-12/2026"})
	p.knows(other, false, false)
	change(map[string]any{"paused": false})
	p.knows(other, true, false)
}

func TestWhoIsToBeForgottenIsAndItIsShown(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	person, key := p.agrees()
	remote := p.crm.contacts[person].RemoteID
	p.crm.will(unknown)
	if status, answer := p.ask("POST", "/v1/erasures", key, map[string]any{}); status != http.StatusCreated || !strings.Contains(answer, `"state":"asked"`) {
		t.Fatalf("%d %s", status, answer)
	}
	if got := p.stance(key); got.Granted || got.Source != relations.ByErasure {
		t.Errorf("the stance is %+v", got)
	}
	p.pass(5 * time.Minute)
	p.knows(person, false, false)
	all := get[struct{ Data []relations.ErasureView }](p, "/v1/erasures", key).Data
	if len(all) != 1 || all[0].State != relations.Done || all[0].Proof == nil || !slices.Equal(all[0].Proof.Forgot, []string{remote}) || all[0].Proof.Checked == "" || all[0].DoneAt == nil {
		t.Fatalf("the erasures are %+v", all)
	}
	if got := p.links(person); len(got) != 0 {
		t.Errorf("kept are %+v", got)
	}
	p.order(person, id.New(id.Order), orders.Paid, paid)
	p.publish(loyalty.Balance{Person: person, Points: 7, Version: 8})
	p.pass(time.Hour)
	p.knows(person, false, false)
	p.says(key, true) // later somebody may agree again
	p.soon()
	p.knows(person, true, false)
}

func TestASystemThatCannotForgetIsForAPerson(t *testing.T) {
	t.Parallel()
	p := openPost(t, crm.Options{}, func(_ *post, line outbound.Settings) []*crm.CRM {
		return []*crm.CRM{crm.New("plain", plain{newSystem()}, crm.Options{Lane: line})}
	})
	_, key := p.agrees()
	p.ask("POST", "/v1/erasures", key, nil)
	p.soon()
	all := get[struct{ Data []relations.ErasureView }](p, "/v1/erasures", key).Data
	slices.SortFunc(all, func(a, b relations.ErasureView) int { return strings.Compare(a.Partner, b.Partner) })
	if len(all) != 2 || all[0].State != relations.Done || all[1].State != relations.Failed || all[1].Code == "" {
		t.Errorf("the erasures are %+v", all)
	}
}

func TestWhatAGuestBoughtIsThePersons(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	person, _ := p.agrees()
	guest, key := p.somebody()
	p.mu.Lock()
	p.people[guest] = relations.Profile{ID: guest}
	p.mu.Unlock()
	p.says(key, true)
	o := id.New(id.Order)
	p.order(guest, o, orders.Paid, paid)
	p.soon()
	if _, ok := p.known(guest); ok || len(p.crm.deals) != 0 {
		t.Fatalf("who cannot be reached is known: %+v", p.crm.deals)
	}
	p.publish(members.GuestFound{Person: person, Guest: guest})
	p.soon()
	if d := p.crm.deals[o]; d.ContactID != p.crm.contacts[person].RemoteID {
		t.Errorf("the order is %+v", d)
	}
}

func TestTwoHubsSpeakWithASystemOneAfterTheOther(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	_, key := p.somebody()
	ctx := auth.With(t.Context(), auth.Hub)
	during := 0
	p.crm.do(func() {
		p.crm.within["contacts"] = func() { // another hub begins while the first is being answered
			if err := p.s.Sync(ctx, "crm"); err != nil {
				t.Error(err)
			}
			p.crm.do(func() { during = len(p.crm.calls) })
		}
	})
	p.says(key, true)
	p.soon()
	if during != 1 {
		t.Errorf("%d calls were made at once", during)
	}
}

func TestAHubThatDiesWhileItSpeaksIsReplaced(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	person, key := p.somebody()
	p.says(key, true)
	p.s.Occupy(auth.With(t.Context(), auth.Hub), t, "crm") // and dies
	p.pass(time.Minute)
	p.knows(person, false, false)
	p.pass(3 * time.Minute)
	p.knows(person, true, false)
}

func TestASystemThatIsNewHearsOfAllWhoAgreed(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	person, _ := p.agrees()
	refused, key := p.agrees()
	p.says(key, false)
	p.soon()
	late := newSystem()
	c := crm.New("late", late, crm.Options{})
	s := relations.New(p.db, relations.Needs{People: p, Orders: p, Loyalty: p, CRMs: []*crm.CRM{c}})
	ctx := auth.With(t.Context(), auth.Hub)
	for range 2 {
		if err := s.Arm(ctx); err != nil {
			t.Fatal(err)
		}
		if err := s.Sync(ctx, "late"); err != nil {
			t.Fatal(err)
		}
	}
	if _, ok := late.contacts[person]; !ok || len(late.contacts) != 1 || late.points[person].Points != 120 || !late.mails[p.email(person)] {
		t.Errorf("it has %+v, %+v, %v; and not %s", late.contacts, late.points, late.mails, refused)
	}
	if n := len(late.asked()); n != 4 { // contacts, wish, points, refusing
		t.Errorf("it was asked %d times", n)
	}
}
