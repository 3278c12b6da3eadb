package charter_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tiwiza/marketplace/charter"
	"tiwiza/marketplace/members"
	"tiwiza/pkg/pg"
)

func TestACharterIsPublishedByTwoPeopleAndNeverChanged(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.refused(404, "charter.none", "", "", "GET", "/v1/charter", nil)
	var f struct{ ID string }
	h.want(201, &f, h.boss, "POST", "/v1/files?kind=sound&owner=charter", voice)
	content := h.text(60, "")
	content["texts"].(fields)["ar"].(fields)["sound"] = f.ID
	var d charter.DraftView
	h.want(201, &d, h.boss, "POST", "/v1/charter-drafts", content)
	at := "/v1/charter-drafts/" + d.ID
	var asked charter.DraftView
	h.want(200, &asked, h.boss, "POST", at+"/publish", nil)
	h.refused(403, "approvals.self", "", h.boss, "POST", "/v1/approvals/"+asked.Approval, fields{"decision": "approve"})
	h.refused(409, "charter.raced", "", h.mate, "PUT", at, merged(content, fields{"revision": 1}))
	h.want(200, &d, h.mate, "PUT", at, merged(content, fields{"revision": asked.Revision})) // then nobody is asked any more
	h.refused(409, "approvals.ended", "", h.mate, "POST", "/v1/approvals/"+asked.Approval, fields{"decision": "approve"})
	h.refused(404, "charter.none", "", "", "GET", "/v1/charter", nil)
	h.want(200, &asked, h.boss, "POST", at+"/publish", nil)
	h.want(200, nil, h.mate, "POST", "/v1/approvals/"+asked.Approval, fields{"decision": "approve"})
	h.refused(409, "charter.state", "", h.boss, "PUT", at, merged(content, fields{"revision": asked.Revision + 1}))
	h.refused(409, "charter.state", "", h.boss, "POST", at+"/publish", nil)
	var v charter.VersionView
	h.want(200, &v, "", "GET", "/v1/charter", nil)
	if v.Version != 1 || len(v.SHA256) != 64 || len(v.Texts["ar"].SHA256) != 64 || v.Texts["ar"].Sound == "" || v.LastDay != h.day(60) {
		t.Errorf("in force is %+v", v)
	}
	h.want(200, nil, "", "GET", v.Texts["ar"].Sound, nil)
	var twice struct{ Data []charter.DraftView }
	h.want(200, &twice, h.boss, "GET", "/v1/charter-drafts", nil)
	h.want(200, &d, h.boss, "GET", at, nil)
	if len(twice.Data) != 1 || d.State != charter.Published {
		t.Errorf("the draft is %+v", twice.Data)
	}
	next := h.publish(merged(h.text(90, ""), fields{"since": h.day(30)}))
	h.want(200, &v, "", "GET", "/v1/charter", nil)
	if next.Version != 2 || v.Version != 1 {
		t.Errorf("version %d holds before its day; the next is %d", v.Version, next.Version)
	}
	h.later(31 * 24 * time.Hour)
	h.want(200, &v, "", "GET", "/v1/charter", nil)
	if v.Version != 2 {
		t.Errorf("version %d holds on the day of 2", v.Version)
	}
	for _, sql := range []string{`update charter.version set policy = 'x'`, `delete from charter.version`, `update charter.signature set lang = 'fr'`} {
		if _, err := h.db.Exec(t.Context(), sql); pg.Code(err) != "42501" {
			t.Errorf("%s: %v, want no right to", sql, err)
		}
	}
	for name, c := range map[string]struct{ sql, constraint string }{
		"another digest": {`insert into charter.version select 3, since, last_day, titles, bodies, sounds, recordings, policy, rules, sha256('x'), $1, asked_by, published_by, published_at from charter.version where number = 2`, "version_digest"},
		"a hole":         {`insert into charter.version select 4, since, last_day, titles, bodies, sounds, recordings, policy, rules, charter.digest_of(4, since, last_day, titles, bodies, recordings, rules), $1, asked_by, published_by, published_at from charter.version where number = 2`, "version_follows"},
		"one person":     {`insert into charter.version select 3, since, last_day, titles, bodies, sounds, recordings, policy, rules, charter.digest_of(3, since, last_day, titles, bodies, recordings, rules), $1, asked_by, asked_by, published_at from charter.version where number = 2`, "version_two_people"},
	} {
		var free charter.DraftView
		h.want(201, &free, h.boss, "POST", "/v1/charter-drafts", h.text(60, ""))
		if _, err := h.db.Exec(t.Context(), c.sql, free.ID); !pg.Violates(err, c.constraint) {
			t.Errorf("%s: %v, want %s", name, err, c.constraint)
		}
	}
}

func merged(all ...fields) fields {
	out := fields{}
	for _, f := range all {
		for k, v := range f {
			out[k] = v
		}
	}
	return out
}

func TestWhatIsNotRightIsNotDrafted(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	french := func(body string) fields {
		return fields{"texts": fields{"fr": fields{"title": "Charte", "body": body}, "ar": fields{"title": "ميثاق", "body": "نص"}}}
	}
	for name, c := range map[string]struct {
		with fields
		at   string
	}{
		"a day behind":        {fields{"since": h.day(-1)}, "/since"},
		"no day":              {fields{"last_day": "2027-02-30"}, "/last_day"},
		"the last day first":  {fields{"since": h.day(9), "last_day": h.day(8)}, "/last_day"},
		"no Arabic":           {fields{"texts": fields{"fr": fields{"title": "Charte", "body": "Texte"}}}, "/texts/ar"},
		"another language":    {merged(french("x"), fields{"texts": fields{"fr": fields{"title": "a", "body": "b"}, "ar": fields{"title": "a", "body": "b"}, "es": fields{"title": "a", "body": "b"}}}), "/texts/es"},
		"what nobody sees":    {french("Nous payons\u202e 100 DH"), "/texts/fr/body"},
		"spaces around":       {french(" Texte"), "/texts/fr/body"},
		"a recording of none": {fields{"texts": fields{"fr": fields{"title": "a", "body": "b", "sound": "med_none"}, "ar": fields{"title": "a", "body": "b"}}}, "/texts/fr/sound"},
		"rules that permit":   {fields{"policy": `@id("charter.a") permit (principal in Role::"seller", action == Action::"payouts.approve", resource);`}, "/policy"},
		"rules for operators": {fields{"policy": `@id("charter.a") forbid (principal in Role::"operator", action == Action::"charter.publish", resource);`}, "/policy"},
		"no rules":            {fields{"policy": `the operator decides`}, "/policy"},
	} {
		w := h.ask(h.boss, "POST", "/v1/charter-drafts", merged(h.text(60, ""), c.with))
		if w.Code != 422 || !strings.Contains(w.Body.String(), `"`+c.at+`"`) {
			t.Errorf("%s: %d %s, want 422 at %s", name, w.Code, w.Body, c.at)
		}
	}
	_, key := h.coop()
	h.refused(403, "auth.denied", "", key, "POST", "/v1/charter-drafts", h.text(60, ""))
}

func TestAnOrganisationSignsBeforeItAsksForAdmission(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	early, key := h.coop() // this market has no charter yet
	h.want(200, nil, key, "POST", "/v1/organisations/"+early+"/submit", nil)
	v := h.publish(h.text(60, ""))
	h.refused(409, "charter.unsigned", "/charter", h.boss, "POST", "/v1/organisations/"+early+"/approve", nil)
	org, key := h.coop()
	at := "/v1/organisations/" + org
	h.refused(409, "charter.unsigned", "/charter", key, "POST", at+"/submit", nil)
	token, phone := h.sits(org, "manager")
	got := h.signs(org, token, phone, v)
	if got.Method != charter.ByCode || got.Proof != "code" || got.Lang != "ar" || got.SHA256 != v.SHA256 {
		t.Errorf("the signature is %+v", got)
	}
	h.want(200, nil, key, "POST", at+"/submit", nil)
	h.publish(h.text(60, "")) // a newer one leaves time
	h.want(200, nil, h.boss, "POST", at+"/approve", nil)
	if s := h.stands(org); s.Signed != 1 || s.InForce != 2 || s.ToSign == nil || s.ToSign.Version != 2 || s.Late {
		t.Errorf("it stands %+v", s)
	}
	h.refused(409, "charter.old", "", token, "POST", at+"/charter/codes", fields{"version": 1, "sha256": v.SHA256})
	if n := h.count(`select count(*)::int from platform.audit where action = 'charter.sign' and subject = $1 and policy = 'charter.sign' and detail ->> 'sha256' = $2`, org, v.SHA256); n != 1 {
		t.Errorf("%d traces of the signature, want one", n)
	}
	var list struct{ Data []charter.SignatureView }
	h.want(200, &list, key, "GET", at+"/charter/signatures", nil)
	if len(list.Data) != 1 || list.Data[0].ID != got.ID {
		t.Errorf("its signatures are %+v", list.Data)
	}
}

// A code signs the text it was asked for, for the organisation and by the person that
// it was asked for, and nothing else, once.
func TestACodeSignsOneTextOnce(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	org, token, phone := h.member("manager")
	other, otherToken, otherPhone := h.member("manager")
	helper, helperPhone := h.sits(org, "member")
	one := h.publish(h.text(60, ""))
	two := h.publish(merged(h.text(60, ""), fields{"since": h.day(5)}))
	at := "/v1/organisations/" + org
	good := h.hand(org, token, phone, one)
	key := func() string { _, k := h.coop(); return k }()
	for name, c := range map[string]struct {
		token, path, code string
		status            int
		body              fields
	}{
		"another text":         {token, at, "sign_in.code", 422, merged(good, fields{"version": two.Version, "sha256": two.SHA256})},
		"a text that was none": {token, at, "charter.other_text", 409, merged(good, fields{"sha256": strings.Repeat("ab", 32)})},
		"no such version":      {token, at, "charter.not_found", 404, merged(good, fields{"version": 9})},
		"another language":     {token, at, "charter.invalid", 422, merged(good, fields{"lang": "en"})},
		"another organisation": {token, "/v1/organisations/" + other, "charter.not_found", 404, good},
		"another's code":       {otherToken, "/v1/organisations/" + other, "sign_in.code", 422, good},
		"who may not sign":     {helper, at, "auth.denied", 403, good},
		"a program":            {key, at, "auth.denied", 403, good},
		"the operator":         {h.boss, at, "auth.denied", 403, good},
		"no code":              {token, at, "sign_in.code", 422, merged(good, fields{"code": wrongly(good["code"].(string))})},
	} {
		w := h.ask(c.token, "POST", c.path+"/sign-charter", c.body)
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.code) {
			t.Errorf("%s: %d %s, want %d %s", name, w.Code, w.Body, c.status, c.code)
		}
	}
	h.refused(403, "auth.denied", "", helper, "POST", at+"/charter/codes", fields{"version": 1, "sha256": one.SHA256})
	var all sync.WaitGroup
	two2 := h.another()
	seen := make([]int, 8)
	for i := range seen {
		all.Go(func() { seen[i] = []*hub{h, two2}[i%2].ask(token, "POST", at+"/sign-charter", good).Code })
	}
	all.Wait()
	if slices.ContainsFunc(seen, func(code int) bool { return code != 200 }) || h.count(`select count(*)::int from charter.signature where organisation = $1`, org) != 1 {
		t.Errorf("eight at once: %v; want one signature, told to each", seen)
	}
	if h.count(`select count(*)::int from platform.event where type = 'charter.signed' and subject = $1`, org) != 1 {
		t.Error("it was told more or less than once")
	}
	h.signs(other, otherToken, otherPhone, two) // one to come may be signed ahead of its day
	_ = helperPhone
	a := h.hand(org, token, phone, two)
	for range 6 {
		h.ask(token, "POST", at+"/sign-charter", merged(a, fields{"code": wrongly(a["code"].(string))}))
	}
	if w := h.ask(token, "POST", at+"/sign-charter", a); w.Code == 200 {
		t.Error("a code was taken after six wrong ones")
	}
}

func wrongly(code string) string {
	if code == "123456" {
		return "123457"
	}
	return "123456"
}

func TestAnAgentBringsTheCharterAndTheMemberSigns(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	org, _, phone := h.member("manager")
	base, _, _ := h.member("manager")
	agent, agentPhone := h.sits(base, "agent")
	v := h.publish(h.text(60, ""))
	var asked struct{ Handle string }
	h.want(202, &asked, agent, "POST", "/v1/agent/codes", fields{"organisation": org, "phone": phone})
	var m members.MandateView
	h.want(201, &m, agent, "POST", "/v1/agent/sessions", fields{"organisation": org, "phone": phone, "code": h.told(phone), "handle": asked.Handle})
	before := h.told(agentPhone)
	h.refused(403, "signing.agent", "", m.Token, "POST", "/v1/organisations/"+org+"/charter/passkeys/options", fields{"version": 1, "sha256": v.SHA256})
	got := h.signs(org, m.Token, phone, v) // the code went to the member
	if got.Method != charter.ByAgent || got.Person != m.For || got.Agent == "" || got.Agent == got.Person || h.told(agentPhone) != before {
		t.Errorf("signed by %+v", got)
	}
	if n := h.count(`select count(*)::int from platform.audit where action = 'charter.sign' and subject = $1 and actor like '%on_behalf_of ' || $2`, org, m.For); n != 1 {
		t.Errorf("%d traces on behalf of the member", n)
	}
}

// Whom an agent helps signs only what it may sign alone: who sells for an organisation
// and does not speak for it signs nothing, whoever stands beside it.
func TestAnAgentBringsTheCharterToWhoSpeaksForTheOrganisation(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	org, _, manager := h.member("manager")
	clerk, phone := h.sits(org, "member")
	base, _, _ := h.member("manager")
	agent, _ := h.sits(base, "agent")
	v := h.publish(h.text(60, ""))
	ask := fields{"version": v.Version, "sha256": v.SHA256}
	h.refused(403, "auth.denied", "", clerk, "POST", "/v1/organisations/"+org+"/charter/codes", ask)
	helps := func(phone string) string {
		var asked struct{ Handle string }
		h.want(202, &asked, agent, "POST", "/v1/agent/codes", fields{"organisation": org, "phone": phone})
		var m members.MandateView
		h.want(201, &m, agent, "POST", "/v1/agent/sessions", fields{"organisation": org, "phone": phone, "code": h.told(phone), "handle": asked.Handle})
		return m.Token
	}
	h.refused(403, "auth.denied", "", helps(phone), "POST", "/v1/organisations/"+org+"/charter/codes", ask)

	token := helps(manager)
	good := h.hand(org, token, manager, v)
	must(t, h.db.InTx(t.Context(), func(tx *pg.Tx) error { // it speaks for it no more, since it was sent the code
		_, err := tx.Exec(t.Context(), `set local role none`)
		if err == nil {
			_, err = tx.Exec(t.Context(), `update members.membership set role = 'member' where organisation = $1`, org)
		}
		return err
	}))
	h.refused(403, "auth.denied", "", token, "POST", "/v1/organisations/"+org+"/sign-charter", good)
	if n := h.count(`select count(*)::int from charter.signature`); n != 0 {
		t.Errorf("%d signatures, want none", n)
	}
}

func TestAPaperIsComparedByAnotherPerson(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	org, token, _ := h.member("manager")
	v := h.publish(h.text(60, ""))
	at := "/v1/organisations/" + org + "/charter-papers"
	scan := func(text string) string {
		var f struct{ ID string }
		h.want(201, &f, h.boss, "POST", "/v1/files?kind=proof&owner="+org, []byte("%PDF-1.4\n% "+text+"\n%%EOF\n"))
		return f.ID
	}
	paper := fields{"version": 1, "sha256": v.SHA256, "lang": "fr", "signer": "Présidente (exemple)", "signed_on": h.day(0), "file": scan("a")}
	h.refused(403, "auth.denied", "", token, "POST", at, paper)
	h.refused(422, "charter.invalid", "/signed_on", h.boss, "POST", at, merged(paper, fields{"signed_on": h.day(1)}))
	h.refused(422, "charter.invalid", "/signed_on", h.boss, "POST", at, merged(paper, fields{"signed_on": h.day(-1)}))
	h.refused(422, "charter.invalid", "/file", h.boss, "POST", at, merged(paper, fields{"file": "med_none"}))
	var p charter.PaperView
	h.want(201, &p, h.boss, "POST", at, paper)
	h.refused(409, "charter.state", "", h.boss, "POST", at, paper)
	h.refused(403, "charter.self", "", h.boss, "POST", "/v1/charter-papers/"+p.ID+"/accept", nil)
	h.refused(403, "charter.self", "", h.boss, "POST", "/v1/charter-papers/"+p.ID+"/refuse", fields{"note": "Illisible."})
	h.want(200, &p, h.mate, "POST", "/v1/charter-papers/"+p.ID+"/refuse", fields{"note": "Illisible."})
	h.refused(409, "charter.state", "", h.mate, "POST", "/v1/charter-papers/"+p.ID+"/accept", nil)
	h.want(201, &p, h.boss, "POST", at, merged(paper, fields{"file": scan("b")}))
	var wait struct{ Data []charter.PaperView }
	h.want(200, &wait, h.mate, "GET", "/v1/charter-papers", nil)
	if len(wait.Data) != 1 || wait.Data[0].ID != p.ID {
		t.Errorf("waiting: %+v", wait.Data)
	}
	h.want(200, &p, h.mate, "POST", "/v1/charter-papers/"+p.ID+"/accept", nil)
	if got := h.shown(org); got.Charter != 1 {
		t.Errorf("bound by %d", got.Charter)
	}
	var list struct{ Data []charter.SignatureView }
	h.want(200, &list, token, "GET", "/v1/organisations/"+org+"/charter/signatures", nil)
	if len(list.Data) != 1 || list.Data[0].Method != charter.ByPaper || list.Data[0].Signer != "Présidente (exemple)" || list.Data[0].Person != "" {
		t.Errorf("signed by %+v", list.Data)
	}
	h.refused(409, "charter.state", "", h.boss, "POST", at, merged(paper, fields{"file": scan("c")}))
}

// A paper of an organisation that is no member any more signs nothing; it is sent back
// and waits for nobody.
func TestAPaperOfWhoHasLeftIsSentBack(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	org, _, _ := h.member("manager")
	v := h.publish(h.text(60, ""))
	var f struct{ ID string }
	h.want(201, &f, h.boss, "POST", "/v1/files?kind=proof&owner="+org, []byte("%PDF-1.4\n% a\n%%EOF\n"))
	var p charter.PaperView
	h.want(201, &p, h.boss, "POST", "/v1/organisations/"+org+"/charter-papers",
		fields{"version": 1, "sha256": v.SHA256, "lang": "fr", "signer": "Présidente (exemple)", "signed_on": h.day(0), "file": f.ID})
	h.want(200, nil, h.boss, "POST", "/v1/organisations/"+org+"/suspend", fields{"note": "Elle ferme."})
	h.want(200, nil, h.boss, "POST", "/v1/organisations/"+org+"/terminate", fields{"note": "Elle a fermé."})
	h.refused(409, "charter.ended", "", h.mate, "POST", "/v1/charter-papers/"+p.ID+"/accept", nil)
	h.want(200, nil, h.mate, "POST", "/v1/charter-papers/"+p.ID+"/refuse", fields{"note": "Elle a fermé."})
	var wait struct{ Data []charter.PaperView }
	h.want(200, &wait, h.mate, "GET", "/v1/charter-papers", nil)
	if len(wait.Data) != 0 {
		t.Errorf("waiting: %+v", wait.Data)
	}
}

// A cursor that nobody was given is a question to mend, and no failure of the hub's.
func TestACursorThatNobodyWasGivenIsRefused(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	org, token, _ := h.member("manager")
	h.publish(h.text(60, ""))
	for _, at := range []string{"/v1/charters", "/v1/organisations/" + org + "/charter/signatures"} {
		for _, c := range []string{"99999999999", "-1", `"x"`} {
			h.refused(400, "request.malformed", "?cursor", token, "GET", at+"?cursor="+base64.RawURLEncoding.EncodeToString([]byte(c)), nil)
		}
	}
	c := base64.RawURLEncoding.EncodeToString([]byte(`{"charter":99999999999,"id":"` + org + `"}`))
	h.refused(400, "request.malformed", "?cursor", h.boss, "GET", "/v1/charters/1/unsigned?cursor="+c, nil)
}

// Who has not signed is told once the version is published and 30, 7 and 1 days before
// the end; then it sells nothing new until it signs. Another reason stays.
func TestWhoDoesNotSignInTimeSellsNothingNew(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	late, _, phone := h.member("manager")
	prompt, promptToken, promptPhone := h.member("manager")
	away, _, _ := h.member("manager")
	var many []string
	for range 3 {
		org, _, _ := h.member("manager")
		many = append(many, org)
	}
	v := h.publish(h.text(40, ""))
	h.tx(func(tx *pg.Tx) error { // it lacks a paper besides
		o, err := h.members.Locked(t.Context(), tx, late)
		if err == nil {
			_, err = h.members.Restrict(t.Context(), tx, o, members.LacksPapers)
		}
		return err
	})
	h.due()
	h.want(200, nil, h.boss, "POST", "/v1/organisations/"+away+"/suspend", fields{"note": "Pour essayer."})
	h.signs(prompt, promptToken, promptPhone, v)
	steps := func(org string) []string {
		all, err := pg.Column[string](t.Context(), h.db, `select payload ->> 'step' from platform.event where type = 'charter.due' and subject = $1 order by id`, org)
		must(t, err)
		return all
	}
	day := 24 * time.Hour
	for _, c := range []struct {
		later time.Duration
		want  []string
	}{
		{0, []string{"asked"}}, {9 * day, []string{"asked"}}, {2 * day, []string{"asked", "30"}}, {23 * day, []string{"asked", "30", "7"}}, {6 * day, []string{"asked", "30", "7", "1"}},
	} {
		if c.later > 0 {
			h.later(c.later)
		}
		h.due()
		h.due()
		if got := steps(late); !slices.Equal(got, c.want) {
			t.Errorf("it was told at %v, want %v", got, c.want)
		}
	}
	if got := steps(away); !slices.Equal(got, []string{"asked"}) {
		t.Errorf("who is suspended was reminded at %v", got)
	}
	if got := steps(prompt); !slices.Equal(got, []string{"asked"}) {
		t.Errorf("who had signed was told at %v", got)
	}
	if got := h.shown(late).Restricted; !slices.Equal(got, []string{members.LacksPapers}) {
		t.Errorf("on the last day it is restricted by %v", got)
	}
	h.later(2 * day)
	h.due()
	if got := h.shown(late).Restricted; !slices.Equal(got, []string{members.LacksPapers, members.LacksCharter}) {
		t.Errorf("after the last day it is restricted by %v", got)
	}
	for _, org := range append(many, late) {
		if !h.stands(org).Late || h.count(`select count(*)::int from platform.event where type = 'charter.overdue' and subject = $1`, org) != 1 {
			t.Errorf("%s is not late, or was told otherwise than once", org)
		}
	}
	if got := h.shown(prompt).Restricted; len(got) > 0 {
		t.Errorf("who had signed is restricted by %v", got)
	}
	h.later(2 * day) // once more, for who was admitted meanwhile: nothing changes
	h.due()
	token := h.back(late, phone)
	h.signs(late, token, phone, v)
	if got := h.shown(late).Restricted; !slices.Equal(got, []string{members.LacksPapers}) {
		t.Errorf("once it signed it is restricted by %v", got)
	}
	sellers, err := h.members.Sellers(t.Context(), h.db, []string{late, prompt, many[0]})
	must(t, err)
	if sellers[late].Active || !sellers[prompt].Active || sellers[many[0]].Active {
		t.Errorf("who sells: %+v", sellers)
	}
}

// A round over many members is one timer, and comes to each of them once.
func TestARoundComesToEachMemberOnce(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.many(1000)
	h.publish(h.text(40, ""))
	if n := h.count(`select count(*)::int from platform.timer where kind = 'charter.round'`); n != 6 {
		t.Errorf("%d timers, want six", n)
	}
	two := h.another()
	var all sync.WaitGroup
	for _, hub := range []*hub{h, two} {
		all.Go(func() { _, _ = hub.timers.Due(context.WithoutCancel(t.Context())) })
	}
	all.Wait()
	h.due()
	if n, once := h.count(`select count(*)::int from platform.event where type = 'charter.due'`), h.count(`select count(distinct subject)::int from platform.event where type = 'charter.due'`); n != 1000 || once != 1000 {
		t.Errorf("%d members were told %d times, want 1000 once each", once, n)
	}
	h.later(42 * 24 * time.Hour)
	h.due()
	if n := h.count(`select count(*)::int from members.organisation where restricted = '{charter}'`); n != 1000 {
		t.Errorf("%d are stopped, want 1000", n)
	}
}

// many writes members down who are at work and have signed nothing.
func (h *hub) many(n int) {
	h.t.Helper()
	_, err := h.db.Exec(h.t.Context(), `insert into members.organisation (id, kind, names, region, commune, lat, lng, state, created_at)
		select 'org_' || lpad(n::text, 26, '0'), 'beneficiary_coop', '{"fr":"Exemple"}', 'MA-' || lpad((1 + n % 12)::text, 2, '0'), 'Rabat', 34, -6, 'active', platform.now()
		from generate_series(1, $1::int) n`, n)
	must(h.t, err)
	_, err = h.db.Exec(h.t.Context(), `analyze members.organisation`)
	must(h.t, err)
}

// Who has not signed is listed by its region, page after page, each once, by an index.
func TestWhoHasNotSignedIsReadByItsIndex(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.many(20000)
	h.publish(h.text(40, ""))
	_, err := h.db.Exec(t.Context(), `update members.organisation set charter = 1 where id > 'org_' || lpad('600', 26, '0')`)
	must(t, err)
	seen := map[string]bool{}
	for path := "/v1/charters/1/unsigned?region=MA-05&limit=7"; path != ""; {
		var page struct {
			Data []charter.LateView
			Next *string
		}
		h.want(200, &page, h.boss, "GET", path, nil)
		for _, v := range page.Data {
			if seen[v.Organisation] || v.Region != "MA-05" || v.Signed != 0 {
				t.Fatalf("%+v is there twice, or wrongly", v)
			}
			seen[v.Organisation] = true
		}
		if path = ""; page.Next != nil {
			path = "/v1/charters/1/unsigned?region=MA-05&limit=7&cursor=" + *page.Next
		}
	}
	if len(seen) != 50 {
		t.Errorf("%d have not signed, want 50", len(seen))
	}
	for _, sql := range []string{
		`select id from members.organisation where state in ('active', 'suspended') and kind <> 'operator' and charter < 1 and region = 'MA-05' order by charter, id limit 8`,
		`select id from members.organisation where state in ('active', 'suspended') and kind <> 'operator' and charter < 1 and (charter, id) > (0, 'org_x') order by charter, id limit 8`,
	} {
		plan, err := pg.Column[string](t.Context(), h.db, `explain `+sql)
		must(t, err)
		if text := strings.Join(plan, "\n"); !strings.Contains(text, "organisation_unsigned") || strings.Contains(text, "Sort") {
			t.Errorf("it is read by\n%s", text)
		}
	}
	h.refused(404, "charter.not_found", "", h.boss, "GET", "/v1/charters/9/unsigned", nil)
}

// What a version forbids holds for who signed it, at once and on every hub; what is
// refused leaves a trace, and many refusals leave few.
func TestAVersionForbidsItsSignersAndNobodyElse(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	two := h.another()
	org, token, phone := h.member("manager")
	free, freeToken, _ := h.member("manager")
	h.publish(h.text(60, ""))
	v := h.publish(h.text(60, `@id("charter.no_upload")
		forbid (principal in Role::"seller", action == Action::"files.add", resource);`))
	file := []byte("%PDF-1.4\n% a\n%%EOF\n")
	for _, hub := range []*hub{h, two} {
		hub.want(201, nil, token, "POST", "/v1/files?kind=proof", file)
	}
	h.signs(org, token, phone, v)
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	recorded := make(chan struct{}, 2)
	for _, hub := range []*hub{h, two} {
		go func() { hub.charter.Record(ctx); recorded <- struct{}{} }()
		for range 20 {
			hub.refused(403, "auth.charter", "", token, "POST", "/v1/files?kind=proof", file)
		}
		hub.want(201, nil, freeToken, "POST", "/v1/files?kind=proof", file)
		hub.want(201, nil, h.boss, "POST", "/v1/files?kind=proof&owner="+org, file)
		hub.want(200, nil, token, "GET", "/v1/organisations/"+org+"/charter", nil)
	}
	stop()
	<-recorded
	<-recorded
	rows, err := pg.Column[string](t.Context(), h.db, `select actor || ' ' || policy || ' ' || (detail ->> 'action') || ' ' || (detail ->> 'version') from platform.audit where action = 'charter.forbids' and subject = $1`, org)
	must(t, err)
	if len(rows) != 2 || !strings.HasPrefix(rows[0], "seller "+org) || !strings.HasSuffix(rows[0], " charter.no_upload files.add 2") {
		t.Errorf("40 refusals at two hubs left %q, want a row of each hub", rows)
	}
	if n := h.count(`select count(*)::int from platform.audit where action = 'charter.forbids' and subject = $1`, free); n != 0 {
		t.Errorf("%d refusals of who has signed nothing", n)
	}
	if fmt.Sprint(h.stands(org).Signed) != "2" {
		t.Error("it is bound by another version")
	}
}

// A version that is signed ahead of its day binds from that day on; until then what
// bound before does.
func TestAVersionBindsFromItsDayOn(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	org, token, phone := h.member("manager")
	upload := func() int { return h.ask(token, "POST", "/v1/files?kind=proof", []byte("%PDF-1.4\n% a\n%%EOF\n")).Code }
	rule := func(id, action string) string {
		return `@id("charter.` + id + `") forbid (principal in Role::"seller", action == Action::"` + action + `", resource);`
	}
	h.signs(org, token, phone, h.publish(h.text(60, rule("no_keys", "api_keys.list"))))
	next := h.text(60, rule("no_upload", "files.add"))
	next["since"], next["last_day"] = h.day(3), h.day(60)
	h.signs(org, token, phone, h.publish(next))
	if got := h.stands(org).Signed; got != 2 {
		t.Errorf("it has signed version %d", got)
	}
	if got := upload(); got != 201 {
		t.Errorf("three days ahead of its day it forbids already: %d", got)
	}
	h.refused(403, "auth.charter", "", token, "GET", "/v1/organisations/"+org+"/api-keys", nil)
	h.later(72 * time.Hour)
	token = h.back(org, phone)
	if got := upload(); got != 403 {
		t.Errorf("on its day it does not forbid yet: %d", got)
	}
	h.want(200, nil, token, "GET", "/v1/organisations/"+org+"/api-keys", nil)
}

func TestADraftIsDiscarded(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	var d charter.DraftView
	h.want(201, &d, h.boss, "POST", "/v1/charter-drafts", h.text(60, ""))
	at := "/v1/charter-drafts/" + d.ID
	var asked charter.DraftView
	h.want(200, &asked, h.boss, "POST", at+"/publish", nil)
	h.want(200, &d, h.boss, "POST", at+"/discard", nil)
	if d.State != charter.Discarded {
		t.Errorf("it is %s", d.State)
	}
	h.want(200, nil, h.boss, "POST", at+"/discard", nil)
	if w := h.ask(h.mate, "POST", "/v1/approvals/"+asked.Approval, fields{"decision": "approve"}); w.Code < 400 {
		t.Errorf("what was discarded is published: %d %s", w.Code, w.Body)
	}
	h.refused(409, "charter.state", "", h.boss, "POST", at+"/publish", nil)
	text := h.text(60, "")
	text["revision"] = d.Revision
	h.refused(409, "charter.state", "", h.boss, "PUT", at, text)
	v := h.publish(h.text(60, ""))
	var all struct{ Data []charter.DraftView }
	h.want(200, &all, h.boss, "GET", "/v1/charter-drafts", nil)
	for _, x := range all.Data {
		if x.State == charter.Published {
			h.refused(409, "charter.state", "", h.boss, "POST", "/v1/charter-drafts/"+x.ID+"/discard", nil)
		}
	}
	if v.Version != 1 {
		t.Errorf("the one that was published is version %d", v.Version)
	}
}
