package main

import (
	"crypto/ed25519"
	"net/http"
	"strings"
	"testing"

	"tiwiza/marketplace/relations"
)

// door is where a stand-in's connector is, by its configuration.
func (r *rig) door(t *testing.T, of func(partnerConfig) *standInDoor) standInDoor {
	t.Helper()
	c, err := askPartners(t.Context(), strings.TrimPrefix(r.sim, "http://"))
	if err != nil || of(c) == nil {
		t.Fatalf("the stand-ins have no such connector: %v", err)
	}
	return *of(c)
}

// atSecond is what the second system has of people and orders.
type atSecond struct {
	Contacts []struct {
		ID, Email string
		Withdrawn bool
	}
	Deals []struct {
		ID, Contact, Stage string
	}
}

// TestCRMRegisteredByURLKnowsTheNextContact has a customer relation system that nobody
// had heard of be told of who agreed before and after, while two hubs run.
func TestCRMRegisteredByURLKnowsTheNextContact(t *testing.T) {
	t.Parallel()
	seed, trusts := trusted()
	r := newRig(t, "HUB_PARTNERS_KEY="+strings.Repeat("5d", 32), trusts)
	two := r.second(t)
	at := r.door(t, func(c partnerConfig) *standInDoor { return c.CRM.Connector })
	seen := func() (all atSecond) {
		r.partner(t, "GET", strings.TrimPrefix(at.URL, r.sim)+"/objects.json", nil, &all)
		return all
	}
	stands := func(person string) (withdrawn, there bool) {
		for _, c := range seen().Contacts {
			if c.ID == person {
				return c.Withdrawn, true
			}
		}
		return false, false
	}
	_, before := r.agrees(t, "avant@exemple.ma")
	const id = "crm-exemple"
	body := map[string]any{"id": id, "port": "crm", "url": at.URL, "credentials": map[string]string{"token": at.Token}, "hosted": "morocco"}
	if a := r.ask(t, req{key: r.operator(), method: "POST", path: "/v1/partners", body: map[string]any{"id": id, "port": "crm", "url": at.URL, "credentials": map[string]string{"token": at.Token}}, idem: once()}); a.status != 422 {
		t.Errorf("registered without saying where it keeps people: %d", a.status)
	}
	r.letIn(t, two, body, seed, false)
	if got := two.shows(t, two.operator(), "/v1/partners/"+id); !strings.Contains(got, `"state":"live"`) || !strings.Contains(got, `"hosted":"morocco"`) || strings.Contains(got, at.Token) {
		t.Errorf("it shows %s", got)
	}
	r.until(t, "the new system to know who agreed before", func() bool { _, there := stands(before); return there })

	token, person := two.agrees(t, "apres@exemple.ma")
	w := r.ware(t, r.seller(t), 5, "20.00")
	s := two.checkout(t, token, map[string]int{w.variant: 1})
	order := s.Orders[0].ID
	r.until(t, "the new system to know the next contact and its order", func() bool {
		for _, d := range seen().Deals {
			if d.ID == order && d.Contact != "" && d.Stage == "created" {
				return true
			}
		}
		return false
	})
	var list relations.PartnersView
	two.ask(t, req{key: two.operator(), method: "GET", path: "/v1/crm"}).into(t, &list)
	if len(list.Data) != 2 || list.Data[0].Partner != id || list.Data[0].Driver != "remote" || list.Data[0].Abroad {
		t.Errorf("the systems are %+v", list.Data)
	}
	// It says that somebody left; the hub asks who, and believes the answer.
	r.partner(t, "POST", strings.TrimPrefix(at.URL, r.sim)+"/events", map[string]string{"url": r.url + "/callbacks/" + id + "/events"}, nil)
	r.until(t, "the hub to have told it that it may write", func() bool {
		return strings.Contains(r.shows(t, r.operator(), "/v1/crm/"+id+"/links?person="+person+"&state=said"), `"consent"`)
	})
	r.leaves(t, at, "apres@exemple.ma")
	r.until(t, "the hub to know that somebody left there", func() bool {
		var st relations.StanceView
		r.ask(t, req{key: token, method: "GET", path: "/v1/wishes/marketing"}).into(t, &st)
		return !st.Granted && st.Source == relations.ByCRM
	})
	r.until(t, "the new system to leave it alone", func() bool { withdrawn, _ := stands(person); return withdrawn })
	// Paused it is told nothing; live again it hears what it missed.
	r.connector(t, id, "pause", map[string]any{}).into(t, nil)
	_, meanwhile := r.agrees(t, "pause@exemple.ma")
	r.until(t, "the other system to know who agreed meanwhile", func() bool { contacts, _ := r.outside(t); return contacts[meanwhile].ID != "" })
	if _, there := stands(meanwhile); there {
		t.Error("it was told something while it was paused")
	}
	two.live(t, id, false)
	r.until(t, "the system to know what it missed", func() bool { _, there := stands(meanwhile); return there })
	// Who asks for it is forgotten there too, and a stranger's event is nobody's.
	r.ask(t, req{key: token, method: "POST", path: "/v1/erasures", body: map[string]any{}, idem: once()}).into(t, nil)
	r.until(t, "the system to forget who asked for it", func() bool { _, there := stands(person); return !there })
	_, stranger, _ := ed25519.GenerateKey(nil)
	if got := r.tells(t, id, stranger, `{"type":"wishes.changed","data":{}}`); got != 401 {
		t.Errorf("a stranger's event is answered %d", got)
	}
}

// leaves has a person follow the link of a mail of the second system.
func (r *rig) leaves(t *testing.T, at standInDoor, email string) {
	t.Helper()
	h, err := http.NewRequestWithContext(t.Context(), http.MethodPost, at.URL+"/crm/v1/sandbox/leave", strings.NewReader(`{"email":"`+email+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	h.Header.Set("Authorization", "Bearer "+at.Token)
	res, err := r.client.Do(h)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Fatalf("leaving is answered %s", res.Status)
	}
}
