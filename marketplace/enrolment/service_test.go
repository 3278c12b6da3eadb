package enrolment_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tiwiza/marketplace/enrolment"
	"tiwiza/marketplace/members"
	"tiwiza/pkg/clock"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
)

const far = "2060-12-31"

func TestACooperativeIsAdmittedOnceItsPapersAre(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	early, earlyKey := h.coop() // written down before anything was asked
	h.publish()
	h.want(200, nil, earlyKey, "POST", "/v1/organisations/"+early+"/submit", nil)
	h.want(200, nil, h.boss, "POST", "/v1/organisations/"+early+"/approve", nil)

	org, key := h.coop()
	at := "/v1/organisations/" + org
	h.refused(409, "enrolment.missing", "/papers/president_cin", key, "POST", at+"/submit", nil)
	statutes := h.hands(key, org, fields{"requirement": "statutes", "file": h.file(key, "statuts")})
	h.hands(key, org, fields{"requirement": "insurance", "file": h.file(key, "assurance"), "last_day": far})
	cin := h.hands(key, org, fields{"requirement": "president_cin", "value": "jb 123456"})
	if cin.Value != "••••3456" || !cin.Sealed {
		t.Errorf("the CIN is shown as %q", cin.Value)
	}
	h.want(200, nil, key, "POST", at+"/submit", nil)
	h.refused(409, "enrolment.missing", "/papers/visit", h.boss, "POST", at+"/approve", nil)
	if got := h.shown(org); !slices.Equal(got.Lacking, []string{"statutes", "insurance", "president_cin", "visit"}) || got.Version != 1 {
		t.Errorf("lacking %v of version %d", got.Lacking, got.Version)
	}
	h.want(200, nil, h.boss, "POST", "/v1/papers/"+statutes.ID+"/reject", fields{"note": "La dernière page manque."})
	h.refused(409, "enrolment.state", "", h.boss, "POST", "/v1/papers/"+statutes.ID+"/accept", nil)
	h.complete(org, key, far)
	h.want(200, nil, h.boss, "POST", at+"/review", fields{})
	h.want(200, nil, h.boss, "POST", at+"/approve", nil)
	if got := h.shown(org); got.State != members.Active || len(got.Lacking) != 0 || got.Requirements[0].Holds == nil || got.Requirements[0].Waits != nil {
		t.Errorf("admitted it shows %+v", got)
	}
	var v enrolment.ValueView
	held := h.shown(org).Requirements[2].Holds.ID
	h.want(200, &v, h.boss, "GET", "/v1/papers/"+held+"/value", nil)
	n, err := pg.Value[int](t.Context(), h.db, nil, `select count(*)::int from platform.audit where action = 'papers.reveal' and subject = $1 and policy = 'enrolment.operator'`, held)
	must(t, err)
	if v.Value != "JB123456" || n != 1 {
		t.Errorf("revealed %q with %d traces", v.Value, n)
	}
	text, err := pg.Column[string](pgtest.Hub(t), h.db.Asking(), `select row_to_json(p)::text from enrolment.paper p union all select detail::text from platform.audit union all select convert_from(body, 'UTF8') from platform.answer union all select payload::text from platform.event`)
	must(t, err)
	if strings.Contains(strings.Join(text, "\n"), "123456") {
		t.Error("the number stands somewhere in clear")
	}
}

func TestNobodyDecidesOnItsOwnPaper(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.publish()
	org, key := h.coop()
	p := h.hands(h.boss, org, fields{"requirement": "visit", "value": "Vu."})
	h.refused(403, "enrolment.self", "", h.boss, "POST", "/v1/papers/"+p.ID+"/accept", nil)
	h.refused(403, "enrolment.self", "", h.boss, "POST", "/v1/papers/"+p.ID+"/reject", fields{"note": "Non."})
	h.refused(403, "auth.denied", "", key, "POST", "/v1/papers/"+p.ID+"/accept", nil)
	var v enrolment.PaperView
	h.want(200, &v, h.mate, "POST", "/v1/papers/"+p.ID+"/accept", nil)
	if v.State != enrolment.Seconding || v.Approval == "" {
		t.Fatalf("accepted by one it is %+v", v)
	}
	h.refused(403, "approvals.self", "", h.mate, "POST", "/v1/approvals/"+v.Approval, fields{"decision": "approve"})
	h.refused(403, "enrolment.self", "", h.boss, "POST", "/v1/approvals/"+v.Approval, fields{"decision": "approve"})
	h.want(200, nil, h.third, "POST", "/v1/approvals/"+v.Approval, fields{"decision": "approve"})
	again := h.hands(h.boss, org, fields{"requirement": "visit", "value": "Revu."})
	h.want(200, &v, h.mate, "POST", "/v1/papers/"+again.ID+"/accept", nil)
	last := h.hands(h.boss, org, fields{"requirement": "visit", "value": "Revu encore."})
	h.refused(409, "approvals.ended", "", h.third, "POST", "/v1/approvals/"+v.Approval, fields{"decision": "approve"}) // it was replaced
	h.want(200, &v, h.mate, "POST", "/v1/papers/"+last.ID+"/accept", nil)
	h.want(200, nil, h.third, "POST", "/v1/approvals/"+v.Approval, fields{"decision": "refuse", "note": "Photos floues."})
	if got := h.shown(org).Requirements[3]; got.Holds == nil || got.Holds.ID != p.ID || got.Waits != nil {
		t.Errorf("what was accepted first holds no more: %+v", got)
	}
}

// Papers of an application that ended have a time from then on; a member's, who was
// admitted, have none.
func TestPapersOfAnEndedApplicationHaveATime(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.publish()
	member, key := h.coop()
	h.complete(member, key, far)
	h.want(200, nil, key, "POST", "/v1/organisations/"+member+"/submit", nil)
	h.want(200, nil, h.boss, "POST", "/v1/organisations/"+member+"/approve", nil)
	h.want(200, nil, h.boss, "POST", "/v1/organisations/"+member+"/suspend", fields{"note": "Pour essayer."})
	applicant, other := h.coop()
	h.hands(other, applicant, fields{"requirement": "president_cin", "value": "JB123456"})
	waits, third := h.coop()
	h.hands(third, waits, fields{"requirement": "president_cin", "value": "JB123457"})
	for _, org := range []string{member, applicant} {
		h.want(200, nil, h.boss, "POST", "/v1/organisations/"+org+"/terminate", fields{"note": "Pour essayer."})
	}
	pgtest.Pass(t, h.db, h.timers, time.Minute)
	got, err := pg.Column[string](pgtest.Hub(t), h.db.Asking(), `select distinct organisation from enrolment.paper where ended_at is not null`)
	must(t, err)
	if !slices.Equal(got, []string{applicant}) {
		t.Errorf("papers of %v have a time, want those of %s", got, applicant)
	}
}

// A paper that ends is told of 30, 7 and 1 days before; then its organisation sells
// nothing new until another is accepted.
// Who is suspended is reminded of nothing; its paper ends all the same.
func TestASuspendedOrganisationIsNotReminded(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.publish()
	org, key := h.coop()
	now, err := clock.Now(t.Context(), h.db)
	must(t, err)
	h.complete(org, key, now.AddDate(0, 0, 10).Format(time.DateOnly))
	h.want(200, nil, key, "POST", "/v1/organisations/"+org+"/submit", nil)
	h.want(200, nil, h.boss, "POST", "/v1/organisations/"+org+"/approve", nil)
	h.want(200, nil, h.boss, "POST", "/v1/organisations/"+org+"/suspend", fields{"note": "Pour essayer."})
	for range 12 {
		pgtest.Pass(t, h.db, h.timers, 24*time.Hour)
	}
	told, err := pg.Value[int](t.Context(), h.db, nil, `select count(*)::int from platform.event where type = 'enrolment.paper_expiring'`)
	must(t, err)
	if got := h.shown(org); told != 0 || !slices.Equal(got.Restricted, []string{members.LacksPapers}) {
		t.Errorf("it was reminded %d times, and is held back by %v", told, got.Restricted)
	}
}

func TestAPaperThatEndsRestrictsItsOrganisation(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.publish()
	org, key := h.coop()
	now, err := clock.Now(t.Context(), h.db)
	must(t, err)
	h.complete(org, key, now.AddDate(0, 0, 40).Format(time.DateOnly))
	h.want(200, nil, key, "POST", "/v1/organisations/"+org+"/submit", nil)
	h.want(200, nil, h.boss, "POST", "/v1/organisations/"+org+"/approve", nil)
	sells := func() bool {
		all, err := h.members.Sellers(t.Context(), h.db, []string{org})
		must(t, err)
		return all[org].Active
	}
	var told []string
	for range 42 {
		pgtest.Pass(t, h.db, h.timers, 24*time.Hour)
		now, err := clock.Now(t.Context(), h.db)
		must(t, err)
		days, err := pg.Column[string](t.Context(), h.db, `select payload ->> 'days' from platform.event where type = 'enrolment.paper_expiring' order by seq`)
		must(t, err)
		told = days
		if after := now.In(clock.Morocco).Format(time.DateOnly) > h.lastDay(org); sells() == after {
			t.Fatalf("on %s it sells: %t; its insurance ends %s", now.In(clock.Morocco), sells(), h.lastDay(org))
		}
	}
	if !slices.Equal(told, []string{"30", "7", "1"}) {
		t.Errorf("told %v days before, want 30, 7 and 1", told)
	}
	if got := h.shown(org); got.State != members.Active || !slices.Equal(got.Restricted, []string{members.LacksPapers}) || !slices.Equal(got.Lacking, []string{"insurance"}) {
		t.Errorf("it shows %+v", got)
	}
	renewed := h.hands(key, org, fields{"requirement": "insurance", "file": h.file(key, "renouvelée"), "last_day": far})
	if sells() {
		t.Error("a paper that nobody has looked at lets it sell")
	}
	h.accepts(renewed)
	if !sells() || len(h.shown(org).Restricted) > 0 {
		t.Error("with its paper renewed it does not sell")
	}
}

// lastDay is the last day of an organisation's insurance, which may have ended.
func (h *hub) lastDay(org string) string {
	h.t.Helper()
	d, err := pg.Value[string](pgtest.Hub(h.t), h.db.Asking(), nil, `select last_day::text from enrolment.paper where organisation = $1 and last_day is not null order by id limit 1`, org)
	must(h.t, err)
	return d
}

func TestPapersThatAreNotRightAreRefused(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.publish()
	org, key := h.coop()
	_, other := h.coop()
	mine, theirs, at := h.file(key, "à moi"), h.file(other, "à elle"), "/v1/organisations/"+org+"/papers"
	for _, c := range []struct {
		status     int
		code, word string
		body       fields
	}{
		{422, "enrolment.invalid", "/requirement", fields{"requirement": "moon", "value": "x"}},
		{422, "enrolment.invalid", "/file", fields{"requirement": "statutes", "value": "x"}},
		{422, "enrolment.invalid", "/file", fields{"requirement": "statutes", "file": mine, "value": "x"}},
		{422, "enrolment.invalid", "/value", fields{"requirement": "president_cin"}},
		{422, "enrolment.invalid", "/value", fields{"requirement": "president_cin", "value": "12"}},
		{422, "enrolment.invalid", "/file", fields{"requirement": "president_cin", "value": "JB123456", "file": mine}},
		{422, "enrolment.invalid", "/last_day", fields{"requirement": "insurance", "file": mine}},
		{422, "enrolment.invalid", "/last_day", fields{"requirement": "insurance", "file": mine, "last_day": "2020-01-01"}},
		{422, "enrolment.invalid", "/last_day", fields{"requirement": "insurance", "file": mine, "last_day": "9999-01-01"}},
		{422, "enrolment.invalid", "/last_day", fields{"requirement": "statutes", "file": mine, "last_day": far}},
		{403, "enrolment.not_yours", "", fields{"requirement": "visit", "value": "Vu."}},
		{409, "media.gone", "", fields{"requirement": "statutes", "file": theirs}},
		{400, "request.malformed", "/requirement", fields{}},
	} {
		h.refused(c.status, c.code, c.word, key, "POST", at, c.body)
	}
	h.refused(404, "enrolment.not_found", "", other, "POST", at, fields{"requirement": "statutes", "file": theirs})
	h.refused(404, "enrolment.not_found", "", other, "GET", "/v1/organisations/"+org+"/enrolment", nil)
	h.refused(404, "enrolment.not_found", "", h.boss, "GET", "/v1/organisations/org_1/enrolment", nil)
	h.refused(404, "enrolment.not_found", "", h.boss, "POST", "/v1/papers/pap_1/accept", nil)
	h.refused(403, "auth.denied", "", key, "GET", "/v1/enrolments", nil)
}

func TestSetsThatAreNotRightAreRefused(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	one := func(r fields) fields {
		return fields{"kind": "beneficiary_coop", "requirements": []fields{r}}
	}
	fr := map[string]string{"fr": "Statuts"}
	for word, body := range map[string]fields{
		"/requirements/0/names/fr": one(fields{"code": "statutes", "type": "document", "names": map[string]string{"ar": "وثيقة"}}),
		"/requirements/0/names":    one(fields{"code": "statutes", "type": "document", "names": map[string]string{"fr": "Statuts", "xx": "y"}}),
		"/requirements/0/rule":     one(fields{"code": "cin", "type": "field", "names": fr}),
		"/requirements/0/expires":  one(fields{"code": "cin", "type": "field", "rule": "cin", "names": fr, "expires": true}),
		"/requirements/1/code":     {"kind": "beneficiary_coop", "requirements": []fields{{"code": "a_b", "type": "document", "names": fr}, {"code": "a_b", "type": "visit", "names": fr}}},
		"/since":                   {"kind": "beneficiary_coop", "since": "2020-01-01T00:00:00Z", "requirements": []fields{}},
	} {
		h.refused(422, "enrolment.invalid", word, h.boss, "POST", "/v1/requirement-sets", body)
	}
	h.publish()
	h.want(201, nil, h.boss, "POST", "/v1/requirement-sets", fields{"kind": "beneficiary_coop", "requirements": []fields{}})
	var p struct {
		Data []enrolment.SetView
		Next *string
	}
	h.want(200, &p, h.boss, "GET", "/v1/requirement-sets?kind=beneficiary_coop&limit=1", nil)
	if len(p.Data) != 1 || p.Data[0].Version != 2 || len(p.Data[0].Requirements) != 0 || p.Next == nil {
		t.Fatalf("the newest is %+v", p)
	}
	h.want(200, &p, h.boss, "GET", "/v1/requirement-sets?kind=beneficiary_coop&limit=1&cursor="+*p.Next, nil)
	if len(p.Data) != 1 || p.Data[0].Version != 1 || len(p.Data[0].Requirements) != 5 || p.Data[0].Requirements[0].Code != "statutes" {
		t.Errorf("the one before is %+v", p)
	}
	org, key := h.coop()
	h.want(200, nil, key, "POST", "/v1/organisations/"+org+"/submit", nil) // nothing is asked any more
}

func TestTheQueueShowsWhoWaitsAndWhatLiesThere(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.publish()
	var orgs []string
	for i := range 3 {
		org, key := h.coop()
		h.hands(key, org, fields{"requirement": "statutes", "file": h.file(key, fmt.Sprint(i))})
		h.hands(key, org, fields{"requirement": "insurance", "file": h.file(key, fmt.Sprint("a", i)), "last_day": far})
		h.accepts(h.hands(key, org, fields{"requirement": "president_cin", "value": "A1234"}))
		h.want(200, nil, key, "POST", "/v1/organisations/"+org+"/submit", nil)
		orgs = append(orgs, org)
	}
	var got []string
	next := ""
	for {
		var p struct {
			Data []enrolment.WaiterView
			Next *string
		}
		h.want(200, &p, h.boss, "GET", "/v1/enrolments?region=MA-09&limit=2&cursor="+next, nil)
		for _, w := range p.Data {
			if w.Waiting != 2 || w.Accepted != 1 || w.State != members.Submitted {
				t.Errorf("it shows %+v", w)
			}
			got = append(got, w.Organisation)
		}
		if p.Next == nil {
			break
		}
		next = *p.Next
	}
	if !slices.Equal(got, orgs) {
		t.Errorf("they wait as %v, want %v", got, orgs)
	}
	var p struct{ Data []enrolment.WaiterView }
	h.want(200, &p, h.boss, "GET", "/v1/enrolments?region=MA-01", nil)
	if len(p.Data) != 0 {
		t.Errorf("in another region wait %v", p.Data)
	}
	h.refused(400, "request.malformed", "cursor", h.boss, "GET", "/v1/enrolments?cursor=e30x", nil)
}

// Of many who hand in or accept at once, one paper waits and one holds.
func TestManyAtOnceLeaveOnePaper(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.publish()
	org, key := h.coop()
	var all sync.WaitGroup
	for range 12 {
		all.Go(func() {
			h.ask(key, "POST", "/v1/organisations/"+org+"/papers", fields{"requirement": "president_cin", "value": "A1234"})
		})
	}
	all.Wait()
	waits := h.shown(org).Requirements[2].Waits
	if waits == nil {
		t.Fatal("no paper waits")
	}
	for range 12 {
		all.Go(func() { h.ask(h.mate, "POST", "/v1/papers/"+waits.ID+"/accept", nil) })
	}
	all.Wait()
	states, err := pg.Column[string](pgtest.Hub(t), h.db.Asking(), `select state || ' ' || count(*) from enrolment.paper group by state order by state`)
	must(t, err)
	if want := []string{"accepted 1", "replaced 11"}; !slices.Equal(states, want) {
		t.Errorf("papers are %v, want %v", states, want)
	}
}

func TestTheDatabaseKeepsTheRulesOfPapers(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.publish()
	org, key := h.coop()
	p := h.hands(key, org, fields{"requirement": "president_cin", "value": "A1234"})
	of := func(set string) string { return `update enrolment.paper set ` + set + ` where id = '` + p.ID + `'` }
	pgtest.Wall{
		{By: "paper_moves", SQL: of(`state = 'expired', decided_by = 'x', decided_at = now()`)},
		{By: "paper_not_by_its_maker", SQL: of(`state = 'accepted', decided_by = made_by, decided_at = now()`)},
		{By: "paper_decided", SQL: of(`state = 'accepted'`)},
		{By: "42501", SQL: of(`sealed = null`)},
		{By: "42501", SQL: `delete from enrolment.paper`},
		{By: "42501", SQL: `update enrolment.requirement set optional = true`},
		{By: "set_since", SQL: `insert into enrolment.requirement_set values ('insurer', 1, now() - interval '1 day', 'x', now())`},
		{By: "paper_waits_once", SQL: `insert into enrolment.paper (id, organisation, requirement, value, made_by, made_at) values ('pap_x', '` + org + `', 'president_cin', 'x', 'y', now())`},
		{By: "paper_something", SQL: `insert into enrolment.paper (id, organisation, requirement, made_by, made_at) values ('pap_x', 'o', 'r', 'y', now())`},
	}.Stands(t, h.url)
}
