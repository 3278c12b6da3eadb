package main

import (
	"strings"
	"sync"
	"testing"
)

// asking has one test at a time publish what is asked.
var asking sync.Mutex

// asks says what organisations of a kind show: a report, which the market's people
// write.
func (r *rig) asks(t testing.TB, kind string) {
	t.Helper()
	asking.Lock()
	defer asking.Unlock()
	r.posts(t, r.operator(), "/v1/requirement-sets", sets(kind, "report"))
}

func sets(kind string, codes ...string) map[string]any {
	all := []map[string]any{}
	for _, c := range codes {
		all = append(all, map[string]any{"code": c, "type": "visit", "names": map[string]string{"fr": "Visite (exemple)"}})
	}
	return map[string]any{"kind": kind, "requirements": append(all, map[string]any{"code": "cin", "type": "field", "rule": "cin", "optional": true, "names": map[string]string{"fr": "CIN"}})}
}

// applicant is a new organisation of a kind.
func (r *rig) applicant(t testing.TB, kind string) (at string) {
	t.Helper()
	var o struct{ ID string }
	r.ask(t, req{key: r.operator(), method: "POST", path: "/v1/organisations", body: map[string]any{
		"kind": kind, "names": map[string]string{"fr": mark("Organisme exemple")}, "region": "MA-09", "commune": "Taroudant",
	}}).into(t, &o)
	return "/v1/organisations/" + o.ID
}

type paper struct{ ID, State, Value string }

func (r *rig) handsIn(t testing.TB, at, requirement, value string) (p paper) {
	t.Helper()
	r.ask(t, req{key: r.operator(), method: "POST", path: at + "/papers", body: map[string]string{"requirement": requirement, "value": value}, idem: once()}).into(t, &p)
	return p
}

// appliesAndWithdraws has a person begin an application, correct it and withdraw it.
func (r *rig) appliesAndWithdraws(t *testing.T) {
	token, _ := r.person(t, "+212600077805")
	said := func(commune string) map[string]any {
		return map[string]any{"kind": "service_provider", "names": map[string]string{"fr": mark("Atelier exemple")}, "commune": commune}
	}
	var o struct{ ID string }
	r.ask(t, req{key: token, method: "POST", path: "/v1/applications", body: said("Tiznit"), idem: once()}).into(t, &o)
	r.ask(t, req{key: token, method: "PUT", path: "/v1/sessions/desk", body: map[string]string{"organisation": o.ID}}).into(t, nil)
	now := said("Taroudant")
	delete(now, "kind")
	r.ask(t, req{key: token, method: "PUT", path: "/v1/organisations/" + o.ID + "/application", body: now}).into(t, nil)
	r.ask(t, req{key: token, method: "PUT", path: "/v1/sessions/desk", body: map[string]string{"organisation": ""}}).into(t, nil)
	r.posts(t, token, "/v1/organisations/"+o.ID+"/withdraw", nothing)
}

// enrolled brings an organisation through its papers into the market, and out.
func enrolled(t *testing.T, r *rig, _ trade) {
	r.appliesAndWithdraws(t)
	r.asks(t, "service_provider")
	at, second := r.applicant(t, "service_provider"), r.keys.SecondOperator.APIKey
	r.ask(t, req{key: r.operator(), method: "POST", path: at + "/submit"}).into(t, nil) // visits come later
	r.posts(t, r.operator(), at+"/review", nothing)
	r.ask(t, req{key: r.operator(), method: "POST", path: at + "/approve"}).refused(t, 409, "enrolment.missing", "/papers/report")
	if queue := r.shows(t, r.operator(), "/v1/enrolments?region=MA-09&limit=100"); !strings.Contains(queue, strings.TrimPrefix(at, "/v1/organisations/")) {
		t.Errorf("the queue is %s", queue)
	}
	bad := r.handsIn(t, at, "report", "Vu.")
	r.posts(t, second, "/v1/papers/"+bad.ID+"/reject", map[string]string{"note": "Trop court."})
	good, cin := r.handsIn(t, at, "report", "Locaux vus, trois salles."), r.handsIn(t, at, "cin", "JB 123456")
	if cin.Value != "••••3456" {
		t.Errorf("the CIN is shown as %q", cin.Value)
	}
	r.posts(t, second, "/v1/papers/"+good.ID+"/accept", nothing)
	if v := r.shows(t, r.operator(), "/v1/papers/"+cin.ID+"/value"); !strings.Contains(v, "JB123456") {
		t.Errorf("the CIN reads %s", v)
	}
	r.shows(t, r.operator(), at+"/enrolment")
	r.shows(t, r.operator(), "/v1/requirement-sets?kind=service_provider")
	r.ask(t, req{key: r.operator(), method: "POST", path: at + "/approve"}).into(t, nil)
	r.ask(t, req{key: r.operator(), method: "POST", path: at + "/suspend", body: map[string]string{"note": "Exemple."}}).into(t, nil)
	r.posts(t, r.operator(), at+"/terminate", nothing)
}

// A seller whose money is still with the market does not leave it.
func leaves(t *testing.T, r *rig, _ trade) {
	s := r.seller(t)
	w := r.ware(t, s, 5, "100.00")
	r.sold(t, w, goodCard, false)
	at := "/v1/organisations/" + s.org
	r.ask(t, req{key: r.operator(), method: "POST", path: at + "/suspend", body: map[string]string{"note": "Exemple."}}).into(t, nil)
	r.ask(t, req{key: r.operator(), method: "POST", path: at + "/terminate", body: nothing, idem: once()}).refused(t, 409, "organisations.owed")
}

// The routes of enrolment, for the suite of what happens once.
func init() {
	postings["requirements.publish"] = func(_ *testing.T, o *onceRig) posting {
		p := o.second(sets("e_payment", "a_b"), sets("moon", "a_b"), sets("e_payment", "a_c"))
		p.path = "/v1/requirement-sets"
		p.effect, p.of = trail("requirements.publish", "e_payment")
		return p.moved()
	}
	postings["papers.hand_in"] = func(t *testing.T, o *onceRig) posting {
		o.asks(t, "service_provider")
		with := func(code, text string) map[string]string {
			return map[string]string{"requirement": code, "value": text}
		}
		p := o.second(with("report", "Vu."), with("moon", "Vu."), with("report", "Revu."))
		p.path = o.applicant(t, "service_provider") + "/papers"
		p.effect, p.of = `select count(*) from enrolment.paper where organisation = $1`, strings.Split(p.path, "/")[3]
		return p.moved()
	}
	for route, bodies := range map[string][3]any{
		"accept": {}, "reject": {map[string]string{"note": "Trop court."}, map[string]string{"note": ""}, map[string]string{"note": "Trop long."}},
	} {
		postings["papers."+route] = func(t *testing.T, o *onceRig) posting {
			o.asks(t, "service_provider")
			paper := o.handsIn(t, o.applicant(t, "service_provider"), "report", "Vu.")
			p := o.second(bodies[0], bodies[1], bodies[2])
			p.key, p.by, p.path = p.by, p.key, "/v1/papers/"+paper.ID+"/"+route
			p.effect, p.of = trail("papers."+route, paper.ID)
			return p.moved()
		}
	}
	applies := func(name, commune string) map[string]any {
		return map[string]any{"kind": "service_provider", "names": map[string]string{"fr": name}, "commune": commune}
	}
	postings["organisations.apply"] = func(t *testing.T, o *onceRig) posting {
		p := o.second(applies("Atelier (exemple)", "Tiznit"), applies("Atelier (exemple)", "Nulle part"), applies("Atelier deux (exemple)", "Tiznit"))
		p.path, p.effect = "/v1/applications", `select count(*) from members.application where person = $1`
		p.key, p.of = o.person(t, "+212600077801")
		p.by, _ = o.person(t, "+212600077802")
		return p.moved()
	}
	postings["organisations.withdraw"] = func(t *testing.T, o *onceRig) posting {
		p := o.second(nil, nil, nil)
		p.key, _ = o.person(t, "+212600077803")
		p.by, _ = o.person(t, "+212600077804")
		var made struct{ ID string }
		o.ask(t, req{key: p.key, method: "POST", path: "/v1/applications", body: applies("Atelier (exemple)", "Tiznit"), idem: once()}).into(t, &made)
		p.path = "/v1/organisations/" + made.ID + "/withdraw"
		p.effect, p.of = trail("organisations.withdraw", made.ID)
		return p.moved()
	}
	for _, route := range []string{"review", "terminate"} {
		postings["organisations."+route] = func(t *testing.T, o *onceRig) posting {
			at := o.applicant(t, "insurer")
			if route == "review" {
				o.ask(t, req{key: o.operator(), method: "POST", path: at + "/submit"}).into(t, nil)
			}
			with := func(note any) map[string]any { return map[string]any{"note": note} }
			p := o.second(with("Exemple."), with(3), with("Autre."))
			p.path = at + "/" + route
			p.effect, p.of = trail("organisations."+route, strings.Split(at, "/")[3])
			return p.moved()
		}
	}
}

// TestSomebodyJoinsAndSharesItsAccounts plays hub demo members.
func TestSomebodyJoinsAndSharesItsAccounts(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for range 2 { // who comes next joins as the first did
		f, err := r.joinsAndShares(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if f.Papers != 3 || f.Charter != "agent" || !f.Listed || !strings.HasPrefix(f.Registration, "ENR-") || !strings.HasPrefix(f.Label, "LAB-") || !f.Badge || f.CheckUp < 30 || f.CheckUp > 80 || f.Looks != 1 || f.Refused != "sharing.ended" || f.Violations != 0 {
			t.Errorf("it made %+v", f)
		}
	}
	r.verify(t)
}
