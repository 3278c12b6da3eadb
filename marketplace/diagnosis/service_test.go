package diagnosis_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"tiwiza/marketplace/diagnosis"
	"tiwiza/marketplace/members"
	"tiwiza/marketplace/sharing"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
)

const day = 24 * time.Hour

func TestADiagnosticIsAnsweredCountedAndFrozen(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	_, coop := h.member(members.Cooperative, "Coopérative", "MA-09")
	_, stranger := h.member(members.Cooperative, "Autre", "MA-09")
	run := h.begins(coop)
	if run.State != diagnosis.Open || len(run.Questions) != 24 || !run.Questions[3].Waiting || run.Channel != "api" || run.LapsesAt == nil {
		t.Fatalf("begun it is %+v", run)
	}
	h.refused(409, "diagnosis.open", "", coop, "POST", runs, fields{"questionnaire": "numerique"})
	h.refused(409, "diagnosis.lacking", "/answers/photos", coop, "POST", runs+"/"+run.ID+"/finish", nil)
	h.refused(404, "diagnosis.not_found", "", stranger, "GET", runs+"/"+run.ID, nil)
	h.refused(404, "diagnosis.not_found", "", stranger, "PUT", runs+"/"+run.ID+"/answers/photos", fields{"choice": "all"})
	h.refused(404, "diagnosis.not_found", "", stranger, "POST", runs+"/"+run.ID+"/finish", nil)
	h.refused(403, "auth.denied", "", h.boss, "GET", runs+"/"+run.ID, nil)

	v := h.answers(coop, run.ID, "sold_online", fields{"choice": "no"})
	if len(v.Questions) != 23 {
		t.Errorf("who has not sold online is asked %d questions, want 23", len(v.Questions))
	}
	h.refused(409, "diagnosis.unasked", "", coop, "PUT", runs+"/"+run.ID+"/answers/orders", fields{"number": 3})
	v = h.answers(coop, run.ID, "sold_online", fields{"choice": "yes"})
	h.refused(409, "diagnosis.stale", "", coop, "PUT", runs+"/"+run.ID+"/answers/orders", fields{"number": 3, "version": v.Version - 1})
	v = h.answers(coop, run.ID, "orders", fields{"number": 3, "version": v.Version})
	v = h.answers(coop, run.ID, "orders", fields{"number": 0}) // the last one stands
	if n := v.Answers["orders"].Number; n == nil || *n != 0 {
		t.Errorf("saved is %+v", v.Answers["orders"])
	}
	h.fills(coop, run.ID, true, map[string]fields{"reply": {"none": true}})
	h.answers(coop, run.ID, "sold_online", fields{"choice": "no"}) // its orders stay, and are not asked
	v = diagnosis.RunView{}
	h.want(200, &v, coop, "POST", runs+"/"+run.ID+"/finish", nil)
	if v.State != diagnosis.Finished || v.Score == nil || v.Level == "" || len(v.Dimensions) != 6 || v.AgainFrom == nil {
		t.Fatalf("finished it is %+v", v)
	}
	if _, there := v.Answers["orders"]; there || len(v.Answers) != 23 {
		t.Errorf("%d answers were frozen, orders among them: %t; want 23 without", len(v.Answers), there)
	}
	// photos and what is shown are full, sales and orders are none: 5 of 10 parts.
	if got := *v.Dimensions[0].Score; got != 50 {
		t.Errorf("presence has %d points, want 50", got)
	}
	if len(v.Advice) != 1 || v.Advice[0].Code != "first_sale" || v.Advice[0].Page != "/v/vendre" || v.Advice[0].Texts["ar"] == "" {
		t.Errorf("advised is %+v", v.Advice)
	}
	h.refused(409, "diagnosis.state", "", coop, "PUT", runs+"/"+run.ID+"/answers/photos", fields{"choice": "none"})
	h.refused(409, "diagnosis.state", "", coop, "POST", runs+"/"+run.ID+"/finish", nil)
	h.begins(stranger)
	pgtest.Wall{
		{By: "run_frozen", SQL: `update diagnosis.run set answers = '{}', version = version + 1 where state = 'finished'`},
		{By: "run_frozen", SQL: `update diagnosis.run set score = 100, version = version + 1 where state = 'finished'`},
		{By: "run_frozen", SQL: `update diagnosis.run set advice = '{}' where state = 'finished'`},
		{By: "run_frozen", SQL: `update diagnosis.run set state = 'open', version = version + 1 where state = 'finished'`},
		{By: "42501", SQL: `update diagnosis.run set edition = 2`},
		{By: "42501", SQL: `delete from diagnosis.run`},
		{By: "run_frozen", SQL: `owner:update diagnosis.run set edition = 2 where state = 'finished'`},
		{By: "run_frozen", SQL: `owner:delete from diagnosis.run where state = 'finished'`},
		{By: "42501", SQL: `update diagnosis.edition set questionnaire = '{}'`},
		{By: "edition_moves", SQL: `owner:update diagnosis.edition set questionnaire = questionnaire || '{"each": 1}'`},
		{By: "edition_moves", SQL: `owner:delete from diagnosis.edition`},
		{By: "shared_of", SQL: `insert into diagnosis.shared select id, 'org_other', code, finished_at, 'itm_x', 1, 'x', platform.now() from diagnosis.run`},
		{By: "run_begins", SQL: `insert into diagnosis.run (id, organisation, kind, region, code, edition, state, answers, made_by, channel, made_at, saved_at, lapses_at, finished_at, score, level, dimensions)
			select 'dgn_x', 'org_x', kind, region, code, edition, 'finished', '{}', 'x', channel, made_at, saved_at, lapses_at, finished_at, 100, 'ahead', dimensions from diagnosis.run where state = 'finished'`},
		{By: "run_begins", SQL: `insert into diagnosis.run (id, organisation, kind, region, code, edition, answers, made_by, channel, made_at, saved_at, lapses_at)
			select 'dgn_x', 'org_x', kind, region, code, edition, '{"photos": {"choice": "all"}}', 'x', channel, made_at, saved_at, lapses_at from diagnosis.run`},
		{By: "run_open", SQL: `insert into diagnosis.run (id, organisation, kind, region, code, edition, answers, made_by, channel, made_at, saved_at, lapses_at)
			select 'dgn_x', organisation, kind, region, code, edition, '{}', 'x', channel, made_at, saved_at, lapses_at from diagnosis.run where state = 'open'`},
		{By: "run_finished", SQL: `update diagnosis.run set state = 'finished', version = version + 1 where state = 'open'`},
		{By: "run_moves", SQL: `update diagnosis.run set answers = '{}' where state = 'open'`},
		{By: "run_moves", SQL: `owner:update diagnosis.run set organisation = 'org_other', version = version + 1 where state = 'open'`},
		{By: "edition_follows", SQL: `insert into diagnosis.edition (code, version, questionnaire, asked_by, published_by, published_at) select code, 3, questionnaire, 'x', 'y', now() from diagnosis.edition`},
		{By: "edition_two_people", SQL: `insert into diagnosis.edition (code, version, state, questionnaire, asked_by, published_by, published_at, ended_at) select code, 2, 'replaced', questionnaire, 'x', 'x', now(), now() from diagnosis.edition`},
	}.Stands(t, h.url)
	seen, err := pg.Column[string](t.Context(), h.db, `select payload::text from platform.event where type like 'diagnosis.%' union all select detail::text from platform.audit where action like 'diagnostics.%'`)
	must(t, err)
	if all := strings.Join(seen, "\n"); len(seen) < v.Version || strings.Contains(all, "score") || strings.Contains(all, v.Level) || strings.Contains(all, `"all"`) {
		t.Errorf("events and the trail, which others read, say what was answered or came out:\n%s", all)
	}
	if n := h.told("diagnosis.moved", run.ID); n != 2 {
		t.Errorf("%d events tell of it, want 2", n)
	}
	n, err := pg.Value[int](t.Context(), h.db, nil, `select count(*)::int from platform.audit where subject = $1`, run.ID)
	must(t, err)
	if n != v.Version { // begun, each answer, finished
		t.Errorf("%d rows of the trail are about it, want %d", n, v.Version)
	}
}

func TestWhatCannotBeAnAnswerIsRefused(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	_, coop := h.member(members.Cooperative, "Coopérative", "MA-09")
	_, bank := h.member(members.Bank, "Banque", "MA-06")
	h.refused(404, "diagnosis.not_found", "", coop, "POST", runs, fields{"questionnaire": "moon"})
	h.refused(422, "diagnosis.invalid", "/channel", coop, "POST", runs, fields{"questionnaire": "numerique", "channel": "counter"})
	h.refused(403, "auth.denied", "", bank, "POST", runs, fields{"questionnaire": "numerique"})
	run := h.begins(coop).ID
	h.answers(coop, run, "sold_online", fields{"choice": "yes"})
	for _, c := range []struct {
		question string
		body     any
		status   int
		code, at string
	}{
		{"moon", fields{"choice": "all"}, 404, "diagnosis.no_question", ""},
		{"photos", fields{"choice": "device"}, 422, "diagnosis.invalid", "/choice"}, // of another question
		{"photos", fields{}, 422, "diagnosis.invalid", "/choice"},
		{"photos", fields{"choice": "all", "none": true}, 422, "diagnosis.invalid", "/choice"},
		{"photos", fields{"none": true}, 422, "diagnosis.invalid", "/none"},
		{"photos", fields{"number": 3}, 422, "diagnosis.invalid", "/choice"},
		{"shown", fields{"choice": "market"}, 422, "diagnosis.invalid", "/choices"},
		{"shown", fields{"choices": []string{"market", "moon"}}, 422, "diagnosis.invalid", "/choices"},
		{"shown", fields{"choices": []string{"market", "market"}}, 400, "", "/choices"},
		{"orders", fields{"choice": "yes"}, 422, "diagnosis.invalid", "/number"},
		{"orders", fields{"number": -1}, 422, "", "/number"},
		{"orders", fields{"number": 100001}, 422, "diagnosis.invalid", "/number"},
		{"orders", fields{"number": 1.5}, 400, "", "/number"},
		{"sold_online", fields{"choice": "perhaps"}, 422, "diagnosis.invalid", "/choice"},
		{"sold_online", fields{"choice": "yes", "moon": 1}, 400, "", "moon"},
		{"days", fields{"number": 1}, 409, "diagnosis.unasked", ""},
	} {
		w := h.ask(coop, "PUT", runs+"/"+run+"/answers/"+c.question, c.body)
		if (w.Code != c.status && !(c.code == "" && w.Code/100 == 4)) || !strings.Contains(w.Body.String(), c.code) || !strings.Contains(w.Body.String(), c.at) {
			t.Errorf("%s %v: %d %s, want %d %s at %q", c.question, c.body, w.Code, w.Body, c.status, c.code, c.at)
		}
	}
	if got := h.shows(coop, run); len(got.Answers) != 1 {
		t.Errorf("%d answers were kept, want the one that is right", len(got.Answers))
	}
	h.answers(coop, run, "shown", fields{"choices": []string{}})
	if got := h.shows(coop, run).Answers["shown"]; got.Choices == nil || len(got.Choices) != 0 {
		t.Errorf("none of them is kept as %+v", got)
	}
}

// Two tabs on two hubs answer at once: no answer is lost, and of two to the same
// question one stands.
func TestTwoTabsLoseNoAnswer(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	second := h.beside()
	_, coop := h.member(members.Cooperative, "Coopérative", "MA-09")
	run := h.begins(coop).ID
	q := shipped(t)
	best, worst := given(q, true), given(q, false)
	var wait sync.WaitGroup
	n := 0
	for i, d := range q.Dimensions {
		for j, r := range d.Questions {
			if r.When != nil {
				continue
			}
			n++
			tab := []*hub{h, second}[(i+j)%2]
			wait.Go(func() { tab.answers(coop, run, r.Code, best[r.Code]) })
			if r.Code == "photos" {
				wait.Go(func() { second.answers(coop, run, r.Code, worst[r.Code]) })
			}
		}
	}
	wait.Wait()
	v := h.shows(coop, run)
	if len(v.Answers) != n || v.Version != n+2 {
		t.Errorf("%d answers stand in version %d, want %d in %d", len(v.Answers), v.Version, n, n+2)
	}
	if got := v.Answers["photos"].Choice; got != "all" && got != "none" {
		t.Errorf("photos is %q", got)
	}
	// Both finish at once: one does.
	h.fills(coop, run, true, nil)
	codes := make(chan int, 2)
	for _, tab := range []*hub{h, second} {
		wait.Go(func() { codes <- tab.ask(coop, "POST", runs+"/"+run+"/finish", nil).Code })
	}
	wait.Wait()
	if a, b := <-codes, <-codes; a+b != 200+409 {
		t.Errorf("two finish at once and are answered %d and %d, want 200 and 409", a, b)
	}
	// And both begin at once, when the next may begin: one does.
	h.advance(31 * day)
	for _, tab := range []*hub{h, second} {
		wait.Go(func() {
			codes <- tab.ask(coop, "POST", runs, fields{"questionnaire": "numerique"}).Code
		})
	}
	wait.Wait()
	if a, b := <-codes, <-codes; a+b != 201+409 {
		t.Errorf("two begin at once and are answered %d and %d, want 201 and 409", a, b)
	}
}

func TestOneIsDoneAgainAfterItsRestAndComparedWithTheLast(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	_, coop := h.member(members.Cooperative, "Coopérative", "MA-09")
	first := h.finished(coop, false, nil)
	if *first.Score != 0 || first.Level != "start" || first.Before != nil {
		t.Errorf("the first is %d %s, before it %v", *first.Score, first.Level, first.Before)
	}
	h.refused(409, "diagnosis.soon", "", coop, "POST", runs, fields{"questionnaire": "numerique"})
	h.advance(30*day + time.Second)
	next := h.finished(coop, true, nil)
	if *next.Score != 100 || next.Level != "ahead" || next.Before == nil || next.Before.ID != first.ID || next.Before.Score != 0 || len(next.Before.Dimensions) != 6 || len(next.Advice) != 0 {
		t.Errorf("the next is %+v", next)
	}
	var p struct {
		Data []diagnosis.RunView
		Next *string
	}
	h.want(200, &p, coop, "GET", runs+"?limit=1", nil)
	if len(p.Data) != 1 || p.Data[0].ID != next.ID || p.Next == nil || p.Data[0].Answers != nil {
		t.Fatalf("the list begins %+v", p)
	}
	h.want(200, &p, coop, "GET", runs+"?limit=1&cursor="+*p.Next, nil)
	if len(p.Data) != 1 || p.Data[0].ID != first.ID || p.Next != nil {
		t.Errorf("the list goes on %+v", p)
	}
}

// A year after the last one its owner is told once; a run in which nobody answers is
// given up after the days of its questionnaire, each answer beginning them again.
func TestTimeTellsAndGivesUp(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	_, coop := h.member(members.Cooperative, "Coopérative", "MA-09")
	done := h.finished(coop, false, nil)
	h.advance(40 * day)
	open := h.begins(coop).ID
	h.advance(50 * day)
	h.answers(coop, open, "photos", fields{"choice": "all"})
	h.advance(50 * day)
	if got := h.shows(coop, open).State; got != diagnosis.Open {
		t.Errorf("fifty days after an answer it is %s", got)
	}
	h.advance(11 * day)
	if got := h.shows(coop, open).State; got != diagnosis.Lapsed {
		t.Errorf("sixty-one days after the last answer it is %s", got)
	}
	h.refused(409, "diagnosis.state", "lapsed", coop, "PUT", runs+"/"+open+"/answers/photos", fields{"choice": "none"})
	if n := h.told("diagnosis.due", done.ID); n != 0 {
		t.Errorf("after five months it is told %d times to do it again", n)
	}
	h.advance(215 * day)
	h.advance(400 * day)
	if n := h.told("diagnosis.due", done.ID); n != 1 {
		t.Errorf("two years later it was told %d times to do it again, want once", n)
	}
	h.begins(coop) // given up, and done again
}

// An agent begins one for a member with its code, which the run says; only who speaks
// for the member puts its result into the dossier.
func TestWhoActsForAMemberMayAnswerAndNotShare(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	org, _ := h.member(members.Cooperative, "Coopérative", "MA-09")
	agent, worker, head := h.person(org, "per_agent", "per_head", auth.Sell|auth.Deliver), h.person(org, "per_worker", "", auth.Deliver), h.person(org, "per_head", "", auth.Sell|auth.People)
	h.refused(403, "auth.denied", "", worker, "POST", runs, fields{"questionnaire": "numerique"})
	var v diagnosis.RunView
	h.want(201, &v, agent, "POST", runs, fields{"questionnaire": "numerique", "channel": "phone"})
	if v.Channel != "phone" || v.OnBehalfOf != "per_head" {
		t.Errorf("it is %s on behalf of %q", v.Channel, v.OnBehalfOf)
	}
	h.fills(agent, v.ID, true, nil)
	h.want(200, nil, agent, "POST", runs+"/"+v.ID+"/finish", nil)
	h.refused(403, "auth.denied", "", agent, "POST", runs+"/"+v.ID+"/share", nil)
	h.want(200, nil, head, "POST", runs+"/"+v.ID+"/share", nil)
}

// A result in the dossier is seen on a consent alone, and who looked is written down.
// The next result is the item's next version.
func TestAResultIsSharedByConsentAlone(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	org, coop := h.member(members.Cooperative, "Coopérative", "MA-09")
	_, stranger := h.member(members.Cooperative, "Autre", "MA-09")
	bank, officer := h.member(members.Bank, "Banque", "MA-06")
	open := h.begins(coop).ID
	h.refused(409, "diagnosis.state", "finished", coop, "POST", runs+"/"+open+"/share", nil)
	h.fills(coop, open, false, nil)
	var first diagnosis.RunView
	h.want(200, &first, coop, "POST", runs+"/"+open+"/finish", nil)
	h.refused(404, "diagnosis.not_found", "", stranger, "POST", runs+"/"+open+"/share", nil)
	h.want(200, &first, coop, "POST", runs+"/"+first.ID+"/share", nil)
	if first.Shared == nil || first.Shared.Version != 1 {
		t.Fatalf("shared it is %+v", first.Shared)
	}
	h.refused(409, "diagnosis.shared", "", coop, "POST", runs+"/"+first.ID+"/share", nil)
	item := "/v1/dossiers/" + org + "/items/" + first.Shared.Item
	h.refused(404, "sharing.not_found", "", officer, "GET", item, nil)
	var c sharing.ConsentView
	h.want(201, &c, coop, "POST", "/v1/consents", fields{"grantee": bank, "purpose": "support", "sections": []string{"project"}, "days": 300})
	var seen sharing.SeenView
	h.want(200, &seen, officer, "GET", item, nil)
	if got := fmt.Sprint(seen.Form["00. Niveau"]); got != "Au départ · في البداية (0 / 100)" || seen.Title != "Diagnostic numérique" || seen.Form["diagnostic"] != first.ID {
		t.Errorf("the bank reads %v", seen.Form)
	}
	h.advance(31 * day)
	next := h.finished(coop, true, nil)
	h.want(200, &next, coop, "POST", runs+"/"+next.ID+"/share", nil)
	if next.Shared == nil || next.Shared.Item != first.Shared.Item || next.Shared.Version != 2 {
		t.Errorf("the next is shared as %+v, want version 2 of %s", next.Shared, first.Shared.Item)
	}
	h.refused(409, "diagnosis.shared", "", coop, "POST", runs+"/"+next.ID+"/share", nil)
	h.want(200, &seen, officer, "GET", item, nil)
	if seen.Version != 2 || !strings.Contains(fmt.Sprint(seen.Form["01. Être vu et vendre en ligne · الظهور والبيع على الإنترنت"]), "100 / 100") {
		t.Errorf("the bank then reads version %d: %v", seen.Version, seen.Form)
	}
	var looks struct{ Data []sharing.LookView }
	h.want(200, &looks, coop, "GET", "/v1/organisations/"+org+"/consultations", nil)
	if len(looks.Data) != 2 || looks.Data[0].Version != 2 || looks.Data[1].Version != 1 {
		t.Errorf("who looked is %+v", looks.Data)
	}
	h.want(200, nil, coop, "POST", "/v1/consents/"+c.ID+"/withdraw", nil)
	h.refused(403, "sharing.ended", "", officer, "GET", item, nil)

	// Taken out of the dossier it is not brought back: the third is a new item.
	h.want(200, nil, coop, "POST", "/v1/dossier-items/"+next.Shared.Item+"/retire", nil)
	h.advance(31 * day)
	third := h.finished(coop, true, nil)
	h.advance(31 * day)
	fourth := h.finished(coop, true, nil)
	h.want(200, &fourth, coop, "POST", runs+"/"+fourth.ID+"/share", nil)
	if fourth.Shared.Item == next.Shared.Item || fourth.Shared.Version != 1 {
		t.Errorf("after it was taken out it is shared as %+v", fourth.Shared)
	}
	h.refused(409, "diagnosis.older", "", coop, "POST", runs+"/"+third.ID+"/share", nil)
}

// What its owner took out of the dossier is not said to stand there, and may be put
// there again.
func TestWhatWasTakenOutMayBePutThereAgain(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	_, coop := h.member(members.Cooperative, "Coopérative", "MA-09")
	done := h.finished(coop, true, nil)
	h.want(200, &done, coop, "POST", runs+"/"+done.ID+"/share", nil)
	was := *done.Shared
	h.want(200, nil, coop, "POST", "/v1/dossier-items/"+was.Item+"/retire", nil)
	var v diagnosis.RunView
	if h.want(200, &v, coop, "GET", runs+"/"+done.ID, nil); v.Shared != nil {
		t.Errorf("taken out, it stands there as %+v", v.Shared)
	}
	if h.want(200, &v, coop, "POST", runs+"/"+done.ID+"/share", nil); v.Shared == nil || v.Shared.Item == was.Item || v.Shared.Version != 1 {
		t.Errorf("put there again it is %+v, was %+v", v.Shared, was)
	}
	h.refused(409, "diagnosis.shared", "", coop, "POST", runs+"/"+done.ID+"/share", nil)
}

// The market's people see figures of many: of fewer than five nothing, and no row.
func TestFiguresAreOfFiveAtLeast(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	var last auth.Key
	finish := func(region string, photos string) {
		_, last = h.member(members.Cooperative, "Coopérative", region)
		h.finished(last, false, map[string]fields{"photos": {"choice": photos}})
	}
	for _, photos := range []string{"none", "none", "some", "all"} {
		finish("MA-09", photos)
		finish("MA-06", "all")
	}
	var v diagnosis.FiguresView
	get := func() map[string]diagnosis.FigureView {
		v = diagnosis.FiguresView{}
		h.want(200, &v, h.boss, "GET", runs+"/figures?questionnaire=numerique", nil)
		out := map[string]diagnosis.FigureView{}
		for _, f := range v.Data {
			out[f.Region+" "+f.Dimension] = f
		}
		return out
	}
	h.refused(404, "diagnosis.not_found", "", h.boss, "GET", runs+"/figures?questionnaire=numerique&version=2", nil)
	for at, f := range get() {
		if !f.Hidden || f.Organisations != 0 || f.Low != nil || f.Median != nil || f.High != nil {
			t.Errorf("of four, %s shows %+v", at, f)
		}
	}
	finish("MA-09", "all")
	got := get()
	f := got["MA-09 presence"] // points 0, 0, 12, 30, 30
	if f.Hidden || f.Organisations != 5 || *f.Low != 0 || *f.Median != 12 || *f.High != 30 || v.Dimensions["presence"]["fr"] == "" {
		t.Errorf("of five it shows %+v %v %v %v", f, *f.Low, *f.Median, *f.High)
	}
	if f := got["MA-06 presence"]; !f.Hidden {
		t.Errorf("of four in another region it shows %+v", f)
	}
	if len(got) != 14 {
		t.Errorf("there are %d cells, want 14", len(got))
	}
	// The last one of each counts, and no other.
	h.advance(31 * day)
	h.finished(last, false, map[string]fields{"photos": {"choice": "none"}})
	if f := get()["MA-09 presence"]; f.Organisations != 5 || *f.High != 12 {
		t.Errorf("after one has done it again it shows %d, up to %v", f.Organisations, *f.High)
	}
	// What another edition asks is counted by itself.
	var d diagnosis.DraftView
	h.want(201, &d, h.boss, "POST", "/v1/questionnaire-drafts", shipped(t))
	h.want(200, &d, h.boss, "POST", "/v1/questionnaire-drafts/"+d.ID+"/publish", nil)
	h.want(200, nil, h.mate, "POST", "/v1/approvals/"+d.Approval, fields{"decision": "approve"})
	finish("MA-09", "all")
	if f := get()["MA-09 presence"]; v.Version != 2 || !f.Hidden {
		t.Errorf("one has answered edition %d, and it shows %+v", v.Version, f)
	}
	var old diagnosis.FiguresView
	h.want(200, &old, h.boss, "GET", runs+"/figures?questionnaire=numerique&version=1", nil)
	for _, f := range old.Data {
		if f.Region == "MA-09" && f.Dimension == "presence" && (old.Version != 1 || f.Organisations != 5) {
			t.Errorf("of edition %d it shows %+v", old.Version, f)
		}
	}
	h.refused(403, "auth.denied", "", last, "GET", runs+"/figures?questionnaire=numerique", nil)
	h.refused(404, "diagnosis.not_found", "", h.boss, "GET", runs+"/figures?questionnaire=moon", nil)
}

// What a statement forgets to ask the database does not: rows are their organisation's
// alone, and the figures are for the market's people.
func TestWhatAStatementForgetsTheDatabaseDoesNot(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	org, coop := h.member(members.Cooperative, "Coopérative", "MA-09")
	other, _ := h.member(members.Cooperative, "Autre", "MA-09")
	done := h.finished(coop, true, nil)
	h.want(200, nil, coop, "POST", runs+"/"+done.ID+"/share", nil)
	for _, w := range []struct {
		who  auth.Principal
		want string
	}{
		{auth.Principal{Role: auth.Seller, Subject: org}, "1 1 0"},
		{auth.Principal{Role: auth.Seller, Subject: other}, "0 0 0"},
		{auth.Principal{Role: auth.Operator, Subject: "org_market"}, "0 0 7"},
		{auth.Nobody, "0 0 0"},
		{auth.Hub, "1 1 7"},
	} {
		ctx, got := auth.With(t.Context(), w.who), []string{}
		for _, from := range []string{"diagnosis.run", "diagnosis.shared", "diagnosis.figures('numerique', 1)"} {
			n, err := pg.Value[int](ctx, h.db.Asking(), nil, `select count(*)::int from `+from)
			must(t, err)
			got = append(got, fmt.Sprint(n))
		}
		if strings.Join(got, " ") != w.want {
			t.Errorf("%s %s sees %q, want %q", w.who.Role, w.who.Subject, got, w.want)
		}
	}
}

// A new version is written by one of the market's people and published by another. Who
// has begun goes on with the version that it began with.
func TestAQuestionnaireIsPublishedByTwo(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	_, coop := h.member(members.Cooperative, "Coopérative", "MA-09")
	_, alone := h.member(members.Entrepreneur, "Artisane", "MA-09")
	begun := h.begins(coop)
	const drafts = "/v1/questionnaire-drafts"
	q := shipped(t)
	q.Kinds = []members.Kind{members.Cooperative}
	q.Names = members.Texts{"fr": "Diagnostic (exemple)", "ar": "تشخيص (مثال)", "en": "Check-up (example)"}
	h.refused(403, "auth.denied", "", coop, "POST", drafts, q)
	bad := shipped(t)
	bad.Levels[1].From = 0
	bad.Dimensions[0].Questions[3].When.Choices = []string{"no"} // the worse answer opens
	bad.Dimensions[1].Code = "presence"
	bad.Advice[0].When[0].Choices = []string{"moon"}
	for _, at := range []string{"/levels/1/from", "/dimensions/0/questions/3/when", "/dimensions/1/code", "/advice/0/when/0/choices/0"} {
		h.refused(422, "diagnosis.invalid", at, h.boss, "POST", drafts, bad)
	}
	var d diagnosis.DraftView
	h.want(201, &d, h.boss, "POST", drafts, shipped(t))
	h.refused(409, "diagnosis.stale", "", h.boss, "PUT", drafts+"/"+d.ID+"?revision=9", q)
	h.want(200, &d, h.boss, "PUT", fmt.Sprintf("%s/%s?revision=%d", drafts, d.ID, d.Revision), q)
	h.want(200, &d, h.boss, "POST", drafts+"/"+d.ID+"/publish", nil)
	if d.State != "asked" || d.Approval == "" {
		t.Fatalf("asked for it is %+v", d)
	}
	approves := fields{"decision": "approve"}
	h.refused(403, "approvals.self", "", h.boss, "POST", "/v1/approvals/"+d.Approval, approves)
	h.want(200, nil, h.mate, "POST", "/v1/approvals/"+d.Approval, approves)
	h.refused(409, "diagnosis.state", "", h.boss, "PUT", drafts+"/"+d.ID+"?revision=9", q)
	var all struct{ Data []diagnosis.EditionView }
	h.want(200, &all, coop, "GET", "/v1/questionnaires", nil)
	if len(all.Data) != 1 || all.Data[0].Version != 2 || all.Data[0].Questionnaire.Names["fr"] != "Diagnostic (exemple)" {
		t.Errorf("in force is %+v", all.Data)
	}
	h.want(200, &all, alone, "GET", "/v1/questionnaires?kind=auto_entrepreneur", nil)
	if len(all.Data) != 0 {
		t.Errorf("for artisans there is %d, want none", len(all.Data))
	}
	h.refused(422, "diagnosis.kind", "", alone, "POST", runs, fields{"questionnaire": "numerique"})
	var old diagnosis.EditionView
	h.want(200, &old, coop, "GET", "/v1/questionnaires/numerique?version=1", nil)
	if got := h.answers(coop, begun.ID, "photos", fields{"choice": "all"}); got.Edition != 1 || got.Names["fr"] != "Diagnostic numérique" || old.State != "replaced" {
		t.Errorf("what was begun goes on with version %d, which is %s", got.Edition, old.State)
	}
	must(t, h.diagnosis.Arm(auth.With(t.Context(), auth.Hub))) // a restart changes nothing
	h.want(200, &old, coop, "GET", "/v1/questionnaires/numerique", nil)
	if old.Version != 2 {
		t.Errorf("after a restart version %d is in force, want 2", old.Version)
	}
	var p struct{ Data []diagnosis.DraftView }
	h.want(200, &p, h.mate, "GET", drafts, nil)
	h.want(200, &d, h.mate, "GET", drafts+"/"+d.ID, nil)
	if len(p.Data) != 1 || d.State != "published" {
		t.Errorf("%d drafts, the one %s", len(p.Data), d.State)
	}
	// What was asked for and then written anew is not published by an old word.
	h.want(201, &d, h.boss, "POST", drafts, q)
	h.want(200, &d, h.boss, "POST", drafts+"/"+d.ID+"/publish", nil)
	asked := d.Approval
	h.want(200, &d, h.boss, "PUT", fmt.Sprintf("%s/%s?revision=%d", drafts, d.ID, d.Revision), q)
	h.refused(409, "approvals.ended", "", h.mate, "POST", "/v1/approvals/"+asked, approves)
}
