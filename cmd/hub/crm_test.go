package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	"tiwiza/marketplace/relations"
)

func init() {
	postings["wishes.say"] = func(t *testing.T, o *onceRig) posting {
		_, _, hash := relations.Text("fr")
		p := o.second(map[string]any{"granted": true, "text": hash}, map[string]any{"granted": true}, map[string]any{"granted": false})
		p.key, p.by, p.path = o.buyer(t), o.buyer(t), "/v1/wishes/marketing"
		p.effect, p.of = trail("wishes.say", o.self(t, p.key))
		return p.moved()
	}
	postings["erasures.ask"] = func(t *testing.T, o *onceRig) posting {
		p := o.second(nil, map[string]string{"person": "per_none"}, nil)
		p.key, p.by, p.path = o.buyer(t), o.buyer(t), "/v1/erasures"
		who := o.self(t, p.key)
		p.other = p.at(p.path, map[string]string{"person": who})
		p.effect, p.of = trail("erasures.ask", who)
		return p.moved()
	}
	postings["crm.change"] = func(_ *testing.T, o *onceRig) posting {
		with := func(transfer string) map[string]string { return map[string]string{"transfer": transfer} }
		p := o.second(with("T-1"), with(strings.Repeat("x", 101)), with("T-2"))
		p.path = "/v1/crm/hubspot"
		p.effect, p.of = trail("crm.change", "hubspot")
		return p.moved()
	}
	postings["crm.redo"] = func(t *testing.T, o *onceRig) posting {
		of := func(person string) map[string]string { return map[string]string{"person": person} }
		p := o.second(of(o.self(t, o.buyer(t))), of("per_x"), of(o.self(t, o.buyer(t))))
		p.path = "/v1/crm/hubspot/redo"
		p.effect, p.of = trail("crm.redo", "hubspot")
		return p.moved()
	}
}

// known is somebody of whom the CRM knows, by the stand-in's word.
type known struct {
	ID         string
	Contact    string
	Properties map[string]string
}

// outside is what the CRM has: contacts by our name, deals by the order's.
func (r *rig) outside(t testing.TB) (contacts, deals map[string]known) {
	t.Helper()
	var all struct{ Contacts, Deals []known }
	r.partner(t, "GET", "/hubspot/objects.json", nil, &all)
	contacts, deals = map[string]known{}, map[string]known{}
	for _, c := range all.Contacts {
		contacts[c.Properties["hub_customer_id"]] = c
	}
	for _, d := range all.Deals {
		deals[d.Properties["hub_order_id"]] = d
	}
	return contacts, deals
}

// agrees is somebody who signs in with an e-mail address, and agrees.
func (r *rig) agrees(t testing.TB, email string) (token, person string) {
	t.Helper()
	var s signing
	r.ask(t, req{method: "POST", path: "/v1/sign-in/codes", body: map[string]string{"email": email}}).into(t, &s)
	var v struct{ Token, Person string }
	r.ask(t, req{method: "POST", path: "/v1/sign-in/sessions", body: map[string]string{"email": email, "handle": s.Handle, "code": r.codeFor(t, email)}}).into(t, &v)
	var st relations.StanceView
	r.ask(t, req{key: v.Token, method: "GET", path: "/v1/wishes/marketing?lang=ar"}).into(t, &st)
	r.ask(t, req{key: v.Token, method: "POST", path: "/v1/wishes/marketing", body: map[string]any{"granted": true, "text": st.TextHash}, idem: once()}).into(t, &st)
	if !st.Granted {
		t.Fatalf("who agreed is %+v", st)
	}
	return v.Token, v.Person
}

// acquainted has somebody agree, buy, refuse at the CRM, agree again and be
// forgotten, while the CRM misbehaves.
func acquainted(t *testing.T, r *rig, _ trade) {
	const email = "acquainted@exemple.ma"
	for _, f := range []string{"execute_then_drop", "execute_then_garbage", "execute_then_500"} {
		r.fault(t, "crm", f)
	}
	token, person := r.agrees(t, email)
	w := r.ware(t, r.seller(t), 5, "20.00")
	s := r.checkout(t, token, map[string]int{w.variant: 1})
	order := s.Orders[0].ID
	again := time.Now()
	r.until(t, "the CRM to know who agreed, and its order", func() bool {
		if time.Now().Before(again) {
			return false
		}
		again = time.Now().Add(time.Second) // an operator need not wait as long as the hub would
		r.ask(t, req{key: r.operator(), method: "POST", path: "/v1/crm/hubspot/redo", body: map[string]string{"person": person}, idem: once()}).into(t, nil)
		contacts, deals := r.outside(t)
		return contacts[person].Properties["email"] == email && deals[order].Contact == contacts[person].ID && deals[order].Properties["dealstage"] == "appointmentscheduled"
	})
	r.payBy(t, s, goodCard)
	r.until(t, "the CRM to know that it is paid", func() bool {
		_, deals := r.outside(t)
		return deals[order].Properties["dealstage"] == "qualifiedtobuy"
	})
	var links struct{ Data []relations.LinkView }
	r.ask(t, req{key: r.operator(), method: "GET", path: "/v1/crm/hubspot/links?person=" + person}).into(t, &links)
	if !slices.ContainsFunc(links.Data, func(l relations.LinkView) bool {
		return l.Entity == relations.Deal && l.ID == order && l.RemoteID != ""
	}) {
		t.Errorf("the links are %+v", links.Data)
	}
	var list relations.PartnersView
	r.ask(t, req{key: r.operator(), method: "GET", path: "/v1/crm"}).into(t, &list)
	if len(list.Data) != 1 || !list.Data[0].Abroad || list.Data[0].Transfer == "" || list.Data[0].Driver != "hubspot" {
		t.Errorf("the systems are %+v", list.Data)
	}
	r.ask(t, req{key: r.operator(), method: "POST", path: "/v1/crm/hubspot", body: map[string]any{"paused": false}, idem: once()}).into(t, &list.Data[0])
	if list.Data[0].Paused || list.Data[0].Transfer != "demonstration" {
		t.Errorf("changed by nothing it is %+v", list.Data[0])
	}
	r.ask(t, req{key: token, method: "POST", path: "/v1/wishes/marketing", body: map[string]any{"granted": false}, idem: once()}).into(t, nil)
	r.until(t, "the CRM to leave alone who does not agree any more", func() bool {
		contacts, _ := r.outside(t)
		return contacts[person].Properties["hub_consent"] == "withdrawn"
	})
	r.ask(t, req{key: token, method: "POST", path: "/v1/erasures", body: map[string]any{}, idem: once()}).into(t, nil)
	var erased struct{ Data []relations.ErasureView }
	r.until(t, "the CRM to forget who asked for it", func() bool {
		r.ask(t, req{key: token, method: "GET", path: "/v1/erasures"}).into(t, &erased)
		return len(erased.Data) == 1 && erased.Data[0].State == relations.Done
	})
	contacts, _ := r.outside(t)
	if _, there := contacts[person]; there || erased.Data[0].Proof == nil || len(erased.Data[0].Proof.Forgot) != 1 {
		t.Errorf("who was forgotten is there %v, and shown is %+v", there, erased.Data[0].Proof)
	}
	var wishes struct{ Data []relations.WishView }
	r.ask(t, req{key: token, method: "GET", path: "/v1/wishes"}).into(t, &wishes)
	if len(wishes.Data) != 2 || wishes.Data[1].Lang != "ar" {
		t.Errorf("the wishes are %+v", wishes.Data)
	}
}

// TestACRMThatAnswersNothingDelaysNoOrder has a buyer who agreed buy while the CRM
// answers, and while it takes each call and answers none.
func TestACRMThatAnswersNothingDelaysNoOrder(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	token, person := r.agrees(t, "trou@exemple.ma")
	w := r.ware(t, r.seller(t), 1000, "20.00")
	round := func() (all []time.Duration) {
		for range 12 {
			began := time.Now()
			r.checkout(t, token, map[string]int{w.variant: 1})
			all = append(all, time.Since(began))
		}
		return all
	}
	round()
	r.until(t, "the CRM to know the buyer", func() bool { contacts, _ := r.outside(t); return contacts[person].ID != "" })
	well := round()
	for range 200 {
		r.fault(t, "crm", "execute_late")
	}
	ill := round()
	sale := r.checkout(t, token, map[string]int{w.variant: 1})
	r.payBy(t, sale, goodCard)
	r.paid(t, sale)
	time.Sleep(3 * time.Second) // the CRM is being asked by now
	ill = append(ill, round()...)
	slices.Sort(well)
	slices.Sort(ill)
	before, after := well[len(well)/2], ill[len(ill)/2]
	t.Logf("a checkout takes %s with the CRM well and %s with it black-holed (medians of %d and %d)", before, after, len(well), len(ill))
	// The shortest that the hub waits for an answer is seconds.
	if after > max(3*before, time.Second) {
		t.Errorf("a checkout takes %s, and %s with the CRM black-holed", before, after)
	}
	var v relations.PartnersView
	r.until(t, "the hub to see that the CRM does not answer", func() bool {
		r.ask(t, req{key: r.operator(), method: "GET", path: "/v1/crm"}).into(t, &v)
		return v.Data[0].Failures > 0
	})
	r.verify(t)
}
