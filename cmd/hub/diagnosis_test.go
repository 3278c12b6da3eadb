package main

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

const diagnostics, questionnaireDrafts = "/v1/diagnostics", "/v1/questionnaire-drafts"

// ofQuestions is a small questionnaire.
func ofQuestions(code, name string) map[string]any {
	return map[string]any{
		"code": code, "kinds": []string{"beneficiary_coop", "auto_entrepreneur"}, "names": inThree(name), "about": inThree("Deux questions (exemple)"),
		"section": "project", "days": map[string]int{"lapse": 300, "rest": 0, "remind": 1000}, "each": 1,
		"levels": []any{map[string]any{"code": "low", "from": 0, "names": inThree("Bas"), "about": inThree("Bas.")}, map[string]any{"code": "high", "from": 50, "names": inThree("Haut"), "about": inThree("Haut.")}},
		"dimensions": []any{map[string]any{"code": "sales", "names": inThree("Ventes"), "weight": 1, "questions": []any{
			map[string]any{"code": "online", "texts": inThree("Vendez-vous en ligne ?"), "type": "yes_no", "good": "yes", "weight": 1},
			map[string]any{
				"code": "orders", "texts": inThree("Combien de commandes ?"), "type": "number", "weight": 1, "most": 1000,
				"bands": []any{map[string]int{"from": 0, "points": 0}, map[string]int{"from": 10, "points": 100}}, "when": map[string]any{"question": "online", "choices": []string{"yes"}},
			},
		}}},
		"advice": []any{map[string]any{
			"code": "begin", "dimension": "sales", "priority": 1, "when": []any{map[string]any{"question": "online", "choices": []string{"no"}}},
			"texts": inThree("Vendez en ligne"), "why": inThree("Plus de clients."), "first": inThree("Prenez une photo."), "page": "/v/vendre",
		}},
	}
}

// A checkUp is a diagnostic, as these tests look at it.
type checkUp struct {
	ID, State, Level string
	Score            *int
	Shared           *struct {
		Item    string
		Version int
	}
}

// questions has two of the market's people publish a small questionnaire.
func (r *rig) questions(t testing.TB) (code string) {
	t.Helper()
	code = lettered()
	draft := r.posts(t, r.operator(), questionnaireDrafts, ofQuestions(code, "Questions (exemple)")).ID
	var d struct{ Approval string }
	r.ask(t, req{key: r.operator(), method: "POST", path: questionnaireDrafts + "/" + draft + "/publish", body: nothing, idem: once()}).into(t, &d)
	r.posts(t, r.keys.SecondOperator.APIKey, "/v1/approvals/"+d.Approval, map[string]string{"decision": "approve"})
	return code
}

// checks begins a diagnostic and answers it.
func (r *rig) checks(t testing.TB, key, code string) (run string) {
	t.Helper()
	run = r.posts(t, key, diagnostics, map[string]string{"questionnaire": code}).ID
	for question, answer := range map[string]any{"online": map[string]string{"choice": "no"}} {
		r.ask(t, req{key: key, method: "PUT", path: diagnostics + "/" + run + "/answers/" + question, body: answer}).into(t, nil)
	}
	return run
}

// checkedUp has two of the market's people publish a questionnaire, and a member answer
// it and share its result with a bank.
func checkedUp(t *testing.T, r *rig, _ trade) {
	s, bank := r.seller(t), r.keys.Bank.APIKey
	code := r.questions(t)
	if got := r.shows(t, s.key, "/v1/questionnaires?limit=100"); !strings.Contains(got, code) || !strings.Contains(got, `"numerique"`) {
		t.Errorf("members are asked %.400s", got)
	}
	r.shows(t, s.key, "/v1/questionnaires/"+code)
	draft := r.posts(t, r.operator(), questionnaireDrafts, ofQuestions(code, "Questions (exemple)")).ID
	at := questionnaireDrafts + "/" + draft
	r.ask(t, req{key: r.operator(), method: "PUT", path: at + "?revision=1", body: ofQuestions(code, "Autres questions (exemple)")}).into(t, nil)
	r.ask(t, req{key: r.operator(), method: "PUT", path: at + "?revision=1", body: ofQuestions(code, "Encore (exemple)")}).refused(t, http.StatusConflict, "diagnosis.stale")
	if got := r.shows(t, r.operator(), at); !strings.Contains(got, "Autres questions") || !strings.Contains(r.shows(t, r.operator(), questionnaireDrafts), draft) {
		t.Errorf("the draft is %.400s", got)
	}

	run := r.checks(t, s.key, code)
	var v checkUp
	r.ask(t, req{key: s.key, method: "POST", path: diagnostics + "/" + run + "/finish", body: nothing, idem: once()}).into(t, &v)
	if v.State != "finished" || v.Score == nil || *v.Score != 0 || v.Level != "low" {
		t.Errorf("finished it is %+v", v)
	}
	if got := r.shows(t, s.key, diagnostics+"/"+run); !strings.Contains(got, "Vendez en ligne") {
		t.Errorf("the advice is %.900s", got)
	}
	if got := r.shows(t, s.key, diagnostics+"?questionnaire="+code); strings.Count(got, `"id":"dgn_`) != 1 {
		t.Errorf("the list is %.900s", got)
	}
	r.ask(t, req{key: s.key, method: "POST", path: diagnostics + "/" + run + "/share", body: nothing, idem: once()}).into(t, &v)
	r.posts(t, s.key, consents, map[string]any{"grantee": r.self(t, bank), "purpose": "support", "sections": []string{"project"}, "days": 30})
	if got := r.shows(t, bank, dossiers+s.org+"/items/"+v.Shared.Item); !strings.Contains(got, "Bas") || !strings.Contains(got, run) {
		t.Errorf("the bank reads %s", got)
	}
	if got := r.shows(t, r.operator(), diagnostics+"/figures?questionnaire="+code); !strings.Contains(got, `"hidden":true`) || strings.Contains(got, "median") {
		t.Errorf("of one member the figures are %s", got)
	}
}

// checkedUpByPages has a member answer the questions that come with the hub, see its
// result and put it into its dossier, by pages without scripts.
func checkedUpByPages(t *testing.T, r *rig, _ trade) {
	s := r.seller(t)
	member := r.seated(t, "+212600088209", s.org)
	member.open(t, "/v", "Mon diagnostic")
	page := member.open(t, "/v/diagnostic", "Diagnostic numérique", "24 questions courtes")
	member.reads(t, "/v/diagnostic")
	page = member.send(t, page, `value="numerique"`, nil, "Question 1 sur 24", "Avez-vous des photos de vos produits ?")
	m := regexp.MustCompile(`dgn_[a-z0-9]{26}`).FindString(page)
	at := "/v/diagnostic/" + m
	member.reads(t, at)
	member.send(t, page, `name="question"`, url.Values{"choix": {"none"}}, "Question 2 sur 24")
	page = member.open(t, at+"?q=photos", "Question 1 sur 24", `aria-pressed="true"`) // back, and nothing is lost
	page = member.send(t, page, `name="question"`, url.Values{"choix": {"some"}}, "Question 2 sur 24")
	member.reads(t, at)
	page = member.refused(t, page, `name="question"`, url.Values{"choix": {"moon"}}, 422, "Choisissez parmi les réponses.")
	page = member.send(t, page, `name="question"`, url.Values{"choix": {"market", "whatsapp"}}, "Question 3 sur 24")
	page = member.send(t, page, `name="question"`, url.Values{"choix": {"yes"}}, "Combien de commandes en ligne")
	member.reads(t, at)
	page = member.refused(t, page, `name="question"`, url.Values{"nombre": {"beaucoup"}}, 422, "Écrivez un nombre entier", `value="beaucoup"`)
	page = member.send(t, page, `name="question"`, url.Values{"nombre": {"6"}}, "Question 5 sur 24")
	member.open(t, "/v/diagnostic", "Continuer")
	second := map[string]url.Values{
		"ships": {"choix": {"no"}}, "reply": {"sans": {"1"}}, "paid_by": {"choix": {"cash"}}, "account": {"choix": {"personal"}}, "records": {"choix": {"paper"}}, "cost": {"choix": {"no"}},
		"stock": {"choix": {"paper"}}, "contacts": {"choix": {"paper"}}, "opinions": {"choix": {"no"}}, "unhappy": {"choix": {"talk"}}, "phone_users": {"choix": {"one"}}, "internet": {"choix": {"always"}},
		"training": {"choix": {"no"}}, "stand_in": {"sans": {"1"}}, "locked": {"choix": {"yes"}}, "gives_codes": {"choix": {"yes"}}, "lost": {"choix": {"nothing"}}, "scam": {"choix": {"ask"}},
	}
	asked := regexp.MustCompile(`name="question" value="([a-z_]+)"`)
	for range 30 {
		q := asked.FindStringSubmatch(page)
		if q == nil {
			break
		}
		in, holds := second[q[1]], `name="question"`
		if in.Has("sans") {
			holds = `name="sans"`
		}
		page = member.send(t, page, holds, in)
	}
	member.reads(t, at)
	if later := member.open(t, "/v/diagnostic?cursor="+r.behind(t, s.key, "/v1/diagnostics")); strings.Contains(later, `name="questionnaire"`) || strings.Contains(later, "Continuer") {
		t.Errorf("a later page of check-ups begins another: %.900s", inside(later))
	}
	page = member.send(t, page, `value="finish"`, nil, "Que faire maintenant", "Ne donnez plus jamais un code reçu par SMS", "/ 100", `class="meter"`)
	member.reads(t, at)
	if !strings.Contains(page, `href="/v/papiers/banque"`) {
		t.Errorf("the result leads to no page: %.900s", inside(page))
	}
	for _, link := range regexp.MustCompile(`href="(/v/[a-z/-]+)">Y aller`).FindAllStringSubmatch(page, -1) {
		member.open(t, link[1])
	}
	page = member.send(t, page, `value="share"`, nil, "Le résultat est dans votre dossier.")
	if strings.Contains(page, `value="share"`) {
		t.Error("what is shared is offered to be shared")
	}
	member.open(t, "/v/diagnostic", "Mes résultats", "Vous pourrez le refaire")
	member.reads(t, "/v/diagnostic")
	if status, _, _ := member.do(t, "GET", "/v/diagnostic/dgn_00000000000000000000000000", nil); status != http.StatusNotFound {
		t.Errorf("a diagnostic that is none is answered %d", status)
	}
	op := r.atDesk(t, r.keys.Operator.Phone)
	for _, lang := range []string{"", "/ar", "/en"} {
		op.open(t, lang+"/op/diagnostics?questionnaire=numerique")
	}
	op.reads(t, "/op/diagnostics")
	op.open(t, "/op/diagnostics?questionnaire=numerique", "Où en sont les membres", "moins de 5")
	other := r.seated(t, "+212600088210", r.seller(t).org)
	if status, _, _ := other.do(t, "GET", at, nil); status != http.StatusNotFound {
		t.Errorf("another's diagnostic is answered %d", status)
	}
}

// The routes of diagnosis, for the suite of what happens once.
func init() {
	with := func(key, by, path string, body, bad, other any) posting {
		p := posting{by: by}
		p.key, p.path, p.body = key, path, body
		p.bad, p.other = p.at(path, bad), p.at(path, other)
		return p.moved()
	}
	postings["questionnaires.draft"] = func(_ *testing.T, o *onceRig) posting {
		code := lettered()
		bad := ofQuestions(code, "Questions (exemple)")
		bad["levels"] = []any{bad["levels"].([]any)[1], bad["levels"].([]any)[0]}
		p := with(o.operator(), o.keys.SecondOperator.APIKey, questionnaireDrafts, ofQuestions(code, "Questions (exemple)"), bad, ofQuestions(code, "Autres (exemple)"))
		p.effect, p.of = `select count(*) from diagnosis.draft where questionnaire ->> 'code' = $1`, code
		return p
	}
	postings["questionnaires.publish"] = func(t *testing.T, o *onceRig) posting {
		draft := o.posts(t, o.operator(), questionnaireDrafts, ofQuestions(lettered(), "Questions (exemple)")).ID
		p := with(o.operator(), o.keys.SecondOperator.APIKey, questionnaireDrafts+"/"+draft+"/publish", nil, nil, nil)
		p.effect, p.of = trail("questionnaires.publish", draft)
		return p
	}
	postings["diagnostics.begin"] = func(t *testing.T, o *onceRig) posting {
		s, code, second := o.seller(t), o.questions(t), o.questions(t)
		of := func(code string) map[string]string { return map[string]string{"questionnaire": code} }
		p := with(s.key, o.stranger.key, diagnostics, of(code), of("none"), of(second))
		p.effect, p.of = `select count(*) from diagnosis.run where organisation = $1`, s.org
		return p
	}
	postings["diagnostics.finish"] = func(t *testing.T, o *onceRig) posting {
		s := o.seller(t)
		run := o.checks(t, s.key, o.questions(t))
		p := with(s.key, o.stranger.key, diagnostics+"/"+run+"/finish", nil, nil, nil)
		p.effect, p.of = trail("diagnostics.finish", run)
		return p
	}
	postings["diagnostics.share"] = func(t *testing.T, o *onceRig) posting {
		s := o.seller(t)
		run := o.checks(t, s.key, o.questions(t))
		o.posts(t, s.key, diagnostics+"/"+run+"/finish", nothing)
		p := with(s.key, o.stranger.key, diagnostics+"/"+run+"/share", nil, nil, nil)
		p.effect, p.of = `select count(*) from sharing.item where owner = $1`, s.org
		return p
	}
}
