package members_test

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"tiwiza/marketplace/members"
)

const newcomer = `{"kind":"service_provider","names":{"fr":"Atelier (exemple)","ar":"ورشة (مثال)"},"legal":{"form":"sarl"},"commune":"Taroudant"}`

// sends sends a request with a key of its own.
func (h *hub) sends(key, method, path, body string) (status int, code string, v members.View) {
	h.t.Helper()
	r := httptest.NewRequestWithContext(h.t.Context(), method, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+key)
	r.Header.Set("Idempotency-Key", rand.Text())
	w := httptest.NewRecorder()
	h.web.ServeHTTP(w, r)
	var p struct{ Code string }
	_ = json.Unmarshal(w.Body.Bytes(), &p) // an answer has none
	_ = json.Unmarshal(w.Body.Bytes(), &v)
	return w.Code, p.Code, v
}

func TestWhoeverAppliesIsTheFirstManagerOfADraft(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	me := h.signIn("+212600000071", "")
	status, code, o := h.sends(me.Token, "POST", "/v1/applications", newcomer)
	if status != 201 || o.State != members.Draft || o.Region != "MA-09" || o.Legal.Form != "sarl" {
		t.Fatalf("%d %s %+v", status, code, o)
	}
	at := "/v1/organisations/" + o.ID
	other := h.signIn("+212600000072", "")
	for _, sit := range []struct{ token, org string }{{me.Token, o.ID}} {
		h.want(200, nil, sit.token, "PUT", "/v1/sessions/desk", fmt.Sprintf(`{"organisation":%q}`, sit.org))
	}
	h.refused(404, "sessions.no_desk", "", other.Token, "PUT", "/v1/sessions/desk", fmt.Sprintf(`{"organisation":%q}`, o.ID))
	h.want(200, &o, me.Token, "PUT", at+"/application", `{"names":{"fr":"Atelier du Souss (exemple)"},"commune":"Tiznit"}`)
	if o.Names["fr"] != "Atelier du Souss (exemple)" || o.Commune != "Tiznit" || o.Kind != members.Provider {
		t.Errorf("it is %+v", o)
	}
	h.refused(422, "organisations.invalid", "/commune", me.Token, "PUT", at+"/application", `{"names":{"fr":"Atelier"},"commune":"Nulle part"}`)
	h.want(200, nil, me.Token, "POST", at+"/submit", "")
	h.refused(409, "applications.closed", "", me.Token, "PUT", at+"/application", `{"names":{"fr":"Atelier"},"commune":"Tiznit"}`)
	h.want(200, nil, me.Token, "PUT", "/v1/sessions/desk", `{"organisation":""}`)
	if status, code, _ := h.sends(other.Token, "POST", at+"/withdraw", "{}"); status != 404 || code != "organisations.not_found" {
		t.Errorf("withdrawn by a stranger: %d %s", status, code)
	}
	if status, code, _ := h.sends(me.Token, "POST", at+"/withdraw", "{}"); status != 409 || code != "applications.closed" {
		t.Errorf("withdrawn as it is read: %d %s", status, code)
	}
	h.want(200, nil, h.boss.String(), "POST", at+"/request-changes", `{"note":"Le nom (exemple)."}`)
	if status, code, o := h.sends(me.Token, "POST", at+"/withdraw", "{}"); status != 200 || o.State != members.Terminated {
		t.Errorf("withdrawn: %d %s %+v", status, code, o)
	}
}

func TestAPersonHasThreeApplicationsUnderWayAtMost(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	me := h.signIn("+212600000073", "")
	made := make(chan string, 8)
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() {
			if status, code, o := h.sends(me.Token, "POST", "/v1/applications", newcomer); status == 201 {
				made <- o.ID
			} else if code != "applications.open" {
				t.Errorf("%d %s", status, code)
			}
		})
	}
	all.Wait()
	if n := len(made); n != 3 {
		t.Fatalf("%d applications are under way, want 3", n)
	}
	for range 3 { // a place is free again once one is withdrawn, but not for ever
		org := <-made
		if status, code, _ := h.sends(me.Token, "POST", "/v1/organisations/"+org+"/withdraw", "{}"); status != 200 {
			t.Fatalf("%d %s", status, code)
		}
		if status, code, o := h.sends(me.Token, "POST", "/v1/applications", newcomer); status == 201 {
			made <- o.ID
		} else {
			t.Fatalf("%d %s", status, code)
		}
	}
	org := <-made
	if status, code, _ := h.sends(me.Token, "POST", "/v1/organisations/"+org+"/withdraw", "{}"); status != 200 {
		t.Fatalf("%d %s", status, code)
	}
	if status, code, _ := h.sends(me.Token, "POST", "/v1/applications", newcomer); status != 429 || code != "applications.tries" {
		t.Errorf("the seventh of a day: %d %s", status, code)
	}
}

func TestAnICEIsOneMembersAndNoDraftKeepsIt(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	const ice = `"legal":{"ice":"000000000000582"}`
	body := strings.Replace(newcomer, `"legal":{"form":"sarl"}`, ice, 1)
	one, two, three := h.signIn("+212600000074", ""), h.signIn("+212600000075", ""), h.signIn("+212600000076", "")
	_, _, a := h.sends(one.Token, "POST", "/v1/applications", body)
	status, code, b := h.sends(two.Token, "POST", "/v1/applications", body)
	if status != 201 {
		t.Fatalf("a draft keeps its ICE from others: %d %s", status, code)
	}
	for _, o := range []members.View{a, b} {
		h.want(200, nil, h.boss.String(), "POST", "/v1/organisations/"+o.ID+"/submit", "")
	}
	h.want(200, nil, h.boss.String(), "POST", "/v1/organisations/"+b.ID+"/approve", "")
	h.refused(409, "organisations.ice_taken", "", h.boss.String(), "POST", "/v1/organisations/"+a.ID+"/approve", "")
	if status, code, _ := h.sends(three.Token, "POST", "/v1/applications", body); status != 409 || code != "organisations.ice_taken" {
		t.Errorf("a member's ICE: %d %s", status, code)
	}
}

func TestWhoDecidesOnApplicationsMakesNone(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	me := h.signIn("+212600000077", "")
	h.joins(me.Person, h.house, "manager")
	if status, code, _ := h.sends(me.Token, "POST", "/v1/applications", newcomer); status != 403 || code != "applications.operator" {
		t.Errorf("%d %s", status, code)
	}
}
