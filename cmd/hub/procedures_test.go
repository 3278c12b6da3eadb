package main

import (
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"tiwiza/marketplace/members"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/pg"
)

const caseFiles = "/v1/cases"

// A matter is a case, as these tests look at it.
type matter struct {
	ID, State string
	Document  *struct{ ID, Number, Verify, State string }
}

// procedure is what an institution says of one, changed by some.
func ofProcedure(code string, more ...map[string]any) map[string]any {
	d := map[string]any{
		"code": code, "kinds": []string{"beneficiary_coop", "auto_entrepreneur"}, "names": inThree("Démarche (exemple)"),
		"form":     map[string]any{"type": "object", "properties": map[string]any{"trade": map[string]any{"type": "string", "minLength": 2}}, "required": []string{"trade"}},
		"papers":   []any{map[string]any{"code": "samples", "names": inThree("Photos"), "optional": true}},
		"terms":    map[string]any{"examine": map[string]int{"days": 400}, "answer": map[string]int{"days": 400}, "hand_over": map[string]int{"days": 400}, "appeal": map[string]int{"days": 400}},
		"steps":    []any{map[string]any{"code": "check", "actor": "institution", "names": inThree("Vérification")}, map[string]any{"code": "decision", "actor": "institution", "names": inThree("Décision")}},
		"reasons":  []any{map[string]any{"code": "conditions", "for": "refuse", "names": inThree("Conditions")}, map[string]any{"code": "untrue", "for": "revoke", "names": inThree("Faux")}},
		"document": map[string]any{"prefix": "EX", "texts": inThree("{holder} {number}"), "public": []string{"holder"}},
	}
	for _, m := range more {
		maps.Copy(d, m)
	}
	return d
}

// lettered is a code that no other test uses.
func lettered() string {
	return "x" + strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' {
			return r
		}
		if r >= '0' && r <= '9' {
			return 'a' + (r - '0')
		}
		return -1
	}, strings.ToLower(once()))[:20]
}

// offersProcedure has an institution of the demonstration publish a procedure.
func (r *rig) offersProcedure(t testing.TB, key string, d map[string]any) string {
	t.Helper()
	var v struct{ ID string }
	r.ask(t, req{key: key, method: "POST", path: "/v1/procedures", body: d, idem: once()}).into(t, &v)
	return v.ID
}

// files drafts a case, and moves does what is said of it.
func (r *rig) files(t testing.TB, key, procedure string) (c matter) {
	t.Helper()
	r.ask(t, req{key: key, method: "POST", path: caseFiles, body: map[string]any{"procedure": procedure, "answers": map[string]string{"trade": "tapis"}}, idem: once()}).into(t, &c)
	return c
}

func (r *rig) moves(t testing.TB, key, c, move string, body any) (v matter) {
	t.Helper()
	r.ask(t, req{key: key, method: "POST", path: caseFiles + "/" + c + "/" + move, body: body, idem: once()}).into(t, &v)
	var now matter
	if r.ask(t, req{key: key, method: "GET", path: caseFiles + "/" + c}).into(t, &now); now.State != v.State {
		t.Errorf("after %s the case is %s, and said to be %s", move, now.State, v.State)
	}
	return v
}

// sendsIn uploads a paper.
func (r *rig) sendsIn(t testing.TB, key string) string {
	t.Helper()
	var f struct{ ID string }
	r.ask(t, req{key: key, method: "POST", path: "/v1/files?kind=proof", body: "%PDF-1.4\n% " + once() + "\n%%EOF\n", media: "application/pdf"}).into(t, &f)
	return f.ID
}

// officer signs somebody in by telephone and passkey at an institution's desk.
func (r *rig) officer(t *testing.T, phone, org string) string {
	t.Helper()
	b := r.seated(t, phone, org)
	r.ask(t, req{key: b.token, method: "PUT", path: "/v1/sessions/desk", body: map[string]string{"organisation": org}}).into(t, nil)
	return b.token
}

func text(s string) map[string]string { return map[string]string{"text": s} }

var (
	grants  = map[string]string{"outcome": "grant"}
	refuses = map[string]string{"outcome": "refuse", "reason": "conditions", "text": "Non."}
)

// administered brings cases through institutions' back offices by the interface.
func administered(t *testing.T, r *rig, _ trade) {
	office, other := r.keys.Institutions[0], r.keys.Institutions[2]
	key := office.APIKey
	s := r.seller(t)
	r.earn(t, s, "3000.00")
	p := r.offersProcedure(t, key, ofProcedure(lettered(), map[string]any{"fee": map[string]any{"amount": dirhams("200.00"), "refundable": true}}))
	if got := r.shows(t, s.key, "/v1/procedures?limit=100&institution="+office.Organisation); !strings.Contains(got, p) {
		t.Errorf("members are offered %s", got)
	}
	r.shows(t, s.key, "/v1/procedures/"+p)
	c := r.files(t, s.key, p)
	r.ask(t, req{key: s.key, method: "PUT", path: caseFiles + "/" + c.ID + "/answers", body: map[string]any{"answers": map[string]string{"trade": "poterie"}}}).into(t, nil)
	r.moves(t, s.key, c.ID, "papers", map[string]string{"code": "samples", "file": r.sendsIn(t, s.key)})
	if c = r.moves(t, s.key, c.ID, "submit", nothing); c.State != "fee_due" {
		t.Errorf("handed in it is %s", c.State)
	}
	r.ask(t, req{key: key, method: "GET", path: caseFiles + "/" + c.ID}).refused(t, http.StatusNotFound, "procedures.not_found")
	r.moves(t, s.key, c.ID, "pay", nothing)
	if got := r.shows(t, key, caseFiles+"/inbox?procedure="+p); !strings.Contains(got, c.ID) {
		t.Errorf("the inbox is %s", got)
	}
	r.shows(t, key, caseFiles+"/"+c.ID+"/papers/samples")
	r.moves(t, key, c.ID, "examine", nothing)
	r.moves(t, key, c.ID, "ask", text("Combien de membres ?"))
	r.moves(t, s.key, c.ID, "answer", text("Douze."))
	r.moves(t, key, c.ID, "hand-over", map[string]string{"to": other.Organisation, "text": "À visiter."})
	r.moves(t, other.APIKey, c.ID, "return", text("Adresse ?"))
	r.moves(t, key, c.ID, "hand-over", map[string]string{"to": other.Organisation, "text": "12, rue des Tisserands."})
	r.moves(t, other.APIKey, c.ID, "receive", nothing)
	r.moves(t, other.APIKey, c.ID, "hand-over", map[string]string{"to": office.Organisation, "text": "Vu."})
	r.moves(t, key, c.ID, "receive", nothing)
	r.moves(t, key, c.ID, "advance", nothing)
	r.moves(t, key, c.ID, "decide", refuses)
	r.moves(t, s.key, c.ID, "appeal", text("Nous les remplissons."))
	r.moves(t, key, c.ID, "examine", nothing)
	c = r.moves(t, key, c.ID, "decide", grants)
	if c.State != "granted" || c.Document == nil {
		t.Fatalf("in the end it is %+v", c)
	}
	token := c.Document.Verify[strings.LastIndex(c.Document.Verify, "/")+1:]
	if got := r.shows(t, "", "/v1/verifications/"+token); !strings.Contains(got, `"state":"valid"`) || !strings.Contains(got, c.Document.Number) {
		t.Errorf("anybody sees %s", got)
	}
	r.posts(t, key, "/v1/documents/"+c.Document.ID+"/revoke", map[string]string{"reason": "untrue", "text": "Faux."})
	if got := r.shows(t, "", "/v1/verifications/"+token); !strings.Contains(got, `"state":"revoked"`) {
		t.Errorf("revoked, anybody sees %s", got)
	}
	(&browser{rig: r}).open(t, "/verifier/"+token, "Retiré", "Cet organisme a retiré ce document", c.Document.Number)
	r.shows(t, key, caseFiles+"/statistics")
	r.shows(t, key, caseFiles+"/statistics.csv")
	r.shows(t, "", "/v1/accreditations?domain=design")
	r.shows(t, r.operator(), caseFiles+"?state=granted")
	r.shows(t, s.key, caseFiles)
	if got := r.shows(t, key, "/v1/institutions?limit=100"); !strings.Contains(got, other.Organisation) {
		t.Errorf("the institutions are %s", got)
	}
	r.moves(t, s.key, r.files(t, s.key, p).ID, "withdraw", nothing)
	r.posts(t, key, "/v1/procedures/"+p+"/retire", nothing)
	r.until(t, "both sides to be told", func() bool {
		return strings.Contains(r.shows(t, s.key, "/v1/notices?limit=100"), "procedures.granted") && strings.Contains(r.shows(t, key, "/v1/notices?limit=100"), "procedures.new")
	})
	r.byTwo(t, office)
}

// byTwo has two people of an institution decide.
func (r *rig) byTwo(t *testing.T, office demoOffice) {
	t.Helper()
	one, two := r.officer(t, "+212600088201", office.Organisation), r.officer(t, "+212600088202", office.Organisation)
	s := r.seller(t)
	p := r.offersProcedure(t, one, ofProcedure(lettered(), map[string]any{"two": []string{"grant"}}))
	c := r.files(t, s.key, p)
	r.moves(t, s.key, c.ID, "submit", nothing)
	r.moves(t, one, c.ID, "examine", nothing)
	r.moves(t, one, c.ID, "advance", nothing)
	r.moves(t, one, c.ID, "decide", grants)
	agree := map[string]string{"decision": "agree"}
	r.ask(t, req{key: one, method: "POST", path: caseFiles + "/" + c.ID + "/confirm", body: agree}).refused(t, http.StatusForbidden, "procedures.self")
	if c = r.moves(t, two, c.ID, "confirm", agree); c.State != "granted" {
		t.Errorf("two have decided, and it is %s", c.State)
	}
}

// The routes of procedures, for the suite of what happens once.
func init() {
	with := func(key, by, path string, body, bad, other any) posting {
		p := posting{by: by}
		p.key, p.path, p.body = key, path, body
		p.bad, p.other = p.at(path, bad), p.at(path, other)
		return p.moved()
	}
	const toOffice, toMember = 0, 1
	// of is a move of a case that was brought to where it can be made.
	of := func(move string, by int, to []string, body, bad, other func(o *onceRig) any) {
		postings["cases."+strings.ReplaceAll(move, "-", "_")] = func(t *testing.T, o *onceRig) posting {
			office, second, s := o.keys.Institutions[0], o.keys.Institutions[2], o.shop
			if move != "pay" { // whose balance is another's matter
				s = o.seller(t)
			}
			more := map[string]any{}
			if move == "pay" {
				more["fee"] = map[string]any{"amount": dirhams("1.00"), "refundable": true}
			}
			c := o.files(t, s.key, o.offersProcedure(t, office.APIKey, ofProcedure(lettered(), more)))
			for _, x := range to {
				key, in := office.APIKey, any(nothing)
				switch x {
				case "submit":
					key = s.key
				case "ask":
					in = text("?")
				case "hand-over":
					in = map[string]string{"to": second.Organisation, "text": "!"}
				case "decide":
					in = refuses
				}
				o.moves(t, key, c.ID, x, in)
			}
			key, stranger := s.key, office.APIKey
			if by == toOffice {
				key, stranger = office.APIKey, o.stranger.key
				if move == "receive" || move == "return" {
					key = second.APIKey
				}
			}
			var b, w, x any
			if body != nil {
				b, w, x = body(o), bad(o), other(o)
			}
			p := with(key, stranger, caseFiles+"/"+c.ID+"/"+move, b, w, x)
			p.effect, p.of = trail("cases."+strings.ReplaceAll(move, "-", "_"), c.ID)
			if move == "decide" {
				p.effect, p.of = `select count(*) from procedures.decision where case_file = $1`, c.ID
			}
			return p
		}
	}
	say := func(v any) func(*onceRig) any { return func(*onceRig) any { return v } }
	words := func(s string) func(*onceRig) any { return say(text(s)) }
	sends := func(to int, s string) func(*onceRig) any {
		return func(o *onceRig) any {
			return map[string]string{"to": o.keys.Institutions[to].Organisation, "text": s}
		}
	}
	handed, looked := []string{"submit"}, []string{"submit", "examine"}
	of("submit", toMember, nil, nil, nil, nil)
	of("pay", toMember, handed, nil, nil, nil)
	of("withdraw", toMember, handed, nil, nil, nil)
	of("answer", toMember, []string{"submit", "examine", "ask"}, words("Voici."), words(" "), words("Voilà."))
	of("appeal", toMember, []string{"submit", "examine", "decide"}, words("Pourtant."), words(" "), words("Encore."))
	of("examine", toOffice, handed, nil, nil, nil)
	of("ask", toOffice, looked, words("Combien ?"), words(" "), words("Où ?"))
	of("advance", toOffice, looked, words("Vu."), say(map[string]int{"text": 1}), words("Revu."))
	of("hand-over", toOffice, looked, sends(2, "À voir."), sends(0, "À voir."), sends(2, "À revoir."))
	of("receive", toOffice, []string{"submit", "examine", "hand-over"}, nil, nil, nil)
	of("return", toOffice, []string{"submit", "examine", "hand-over"}, words("Adresse ?"), words(" "), words("Où ?"))
	of("decide", toOffice, looked, say(refuses), say(map[string]string{"outcome": "refuse"}), say(map[string]string{"outcome": "refuse", "reason": "conditions", "text": "Non !"}))
	postings["cases.paper"] = func(t *testing.T, o *onceRig) posting {
		s := o.seller(t)
		c := o.files(t, s.key, o.offersProcedure(t, o.keys.Institutions[0].APIKey, ofProcedure(lettered())))
		body := func(code, file string) map[string]string { return map[string]string{"code": code, "file": file} }
		file := o.sendsIn(t, s.key)
		p := with(s.key, o.keys.Institutions[0].APIKey, caseFiles+"/"+c.ID+"/papers", body("samples", file), body("moon", file), body("samples", o.sendsIn(t, s.key)))
		p.effect, p.of = trail("cases.paper", c.ID)
		return p
	}
	postings["cases.begin"] = func(t *testing.T, o *onceRig) posting {
		s, procedure := o.seller(t), o.offersProcedure(t, o.keys.Institutions[0].APIKey, ofProcedure(lettered()))
		body := func(p, trade string) map[string]any {
			return map[string]any{"procedure": p, "answers": map[string]string{"trade": trade}}
		}
		p := with(s.key, o.stranger.key, caseFiles, body(procedure, "tapis"), body("prc_none", "tapis"), body(procedure, "poterie"))
		p.effect, p.of = `select count(*) from procedures.case_file where applicant = $1`, s.org
		return p
	}
	postings["procedures.publish"] = func(_ *testing.T, o *onceRig) posting {
		code := lettered()
		bad, other := ofProcedure(code), ofProcedure(code, map[string]any{"names": inThree("Autre (exemple)")})
		bad["steps"] = []any{map[string]any{"code": "visit", "actor": "other", "names": inThree("Visite")}}
		p := with(o.keys.Institutions[0].APIKey, o.keys.Institutions[2].APIKey, "/v1/procedures", ofProcedure(code), bad, other)
		p.effect, p.of = `select count(*) from procedures.edition e join procedures.procedure p on p.id = e.procedure where p.code = $1 and p.institution = '`+o.keys.Institutions[0].Organisation+`'`, code
		return p
	}
	postings["procedures.retire"] = func(t *testing.T, o *onceRig) posting {
		procedure := o.offersProcedure(t, o.keys.Institutions[0].APIKey, ofProcedure(lettered()))
		p := with(o.keys.Institutions[0].APIKey, o.keys.Institutions[2].APIKey, "/v1/procedures/"+procedure+"/retire", nil, nil, nil)
		p.effect, p.of = trail("procedures.retire", procedure)
		return p
	}
	postings["documents.revoke"] = func(t *testing.T, o *onceRig) posting {
		office, s := o.keys.Institutions[0].APIKey, o.seller(t)
		c := o.files(t, s.key, o.offersProcedure(t, office, ofProcedure(lettered())))
		o.moves(t, s.key, c.ID, "submit", nothing)
		o.moves(t, office, c.ID, "examine", nothing)
		o.moves(t, office, c.ID, "advance", nothing)
		c = o.moves(t, office, c.ID, "decide", grants)
		why := func(reason, text string) map[string]string {
			return map[string]string{"reason": reason, "text": text}
		}
		p := with(office, o.keys.Institutions[2].APIKey, "/v1/documents/"+c.Document.ID+"/revoke", why("untrue", "Faux."), why("conditions", "Faux."), why("untrue", "Très faux."))
		p.effect, p.of = trail("documents.revoke", c.Document.ID)
		return p
	}
	postings["cases.entrust"] = func(t *testing.T, o *onceRig) posting {
		s, next := o.seller(t), o.keys.Institutions[1].Organisation
		office, key := o.founds(t)
		c := o.files(t, s.key, o.offersProcedure(t, key, ofProcedure(lettered())))
		o.moves(t, s.key, c.ID, "submit", nothing)
		o.suspends(t, office)
		o.until(t, "the case to stand still", func() bool { return strings.Contains(o.shows(t, s.key, caseFiles+"/"+c.ID), `"stranded_at"`) })
		to := func(org, why string) map[string]string { return map[string]string{"to": org, "text": why} }
		p := with(o.operator(), o.keys.SecondOperator.APIKey, caseFiles+"/"+c.ID+"/entrust", to(next, "Relève."), to(office, "Relève."), to(next, "Autrement."))
		p.effect, p.of = trail("cases.entrust", c.ID)
		return p
	}
	postings["label_issuers.name"] = func(_ *testing.T, o *onceRig) posting {
		label := lettered()
		named := func(org string) map[string]string { return map[string]string{"institution": org} }
		p := with(o.operator(), o.keys.SecondOperator.APIKey, "/v1/label-issuers/"+label, named(o.keys.Institutions[1].Organisation), named("org_none"), named(o.keys.Institutions[2].Organisation))
		p.method = http.MethodPut
		p.effect, p.of = trail("labels.issuer", label)
		return p
	}
}

// founds makes an institution that no other test knows, and suspends has the market's
// people suspend one.
func (r *rig) founds(t testing.TB) (org, key string) {
	t.Helper()
	ctx := auth.With(t.Context(), auth.Hub)
	err := r.house.store.InTx(ctx, func(tx *pg.Tx) error {
		o, err := r.house.members.Found(ctx, tx, members.Enrolment{Kind: members.Institution, Names: members.Texts{"fr": mark("Organisme exemple")}, Region: "MA-09", Commune: "Taroudant"})
		if err != nil {
			return err
		}
		k, err := r.house.members.CreateKey(ctx, tx, o.ID, auth.Institution, "test")
		org, key = o.ID, k.String()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return org, key
}

func (r *rig) suspends(t testing.TB, org string) {
	t.Helper()
	r.ask(t, req{key: r.operator(), method: "POST", path: "/v1/organisations/" + org + "/suspend", body: map[string]string{"note": "Pour essayer."}}).into(t, nil)
}

// decidedByPages has an institution's officer work on a case by pages, and whoever
// has the document's code verify it.
func decidedByPages(t *testing.T, r *rig, _ trade) {
	office, other := r.keys.Institutions[0], r.keys.Institutions[2]
	s := r.seller(t)
	officer, inspector := r.seated(t, "+212600088203", office.Organisation), r.seated(t, "+212600088204", other.Organisation)
	p := r.offersProcedure(t, office.APIKey, ofProcedure(lettered()))
	c := r.files(t, s.key, p)
	r.moves(t, s.key, c.ID, "papers", map[string]string{"code": "samples", "file": r.sendsIn(t, s.key)})
	r.moves(t, s.key, c.ID, "submit", nothing)
	at := "/i/" + c.ID
	officer.open(t, "/i?etat=tous", s.name)
	officer.reads(t, "/i")
	officer.reads(t, "/i/chiffres")
	page := officer.open(t, at, "tapis", "Photos", "Ouvrir le dossier")
	officer.reads(t, at)
	if status, body, _ := officer.do(t, "GET", at+"/p/samples", nil); status != http.StatusOK || !strings.Contains(body, "%PDF") {
		t.Errorf("the paper is answered %d", status)
	}
	page = officer.send(t, page, `value="examine"`, nil, "Le dossier est ouvert.")
	officer.send(t, page, `value="ask"`, url.Values{"ask_text": {"Combien de membres ?"}}, "La question est partie.", "Combien de membres ?")
	r.moves(t, s.key, c.ID, "answer", text("Douze."))
	page = officer.open(t, at, "Douze.")
	officer.send(t, page, `value="hand-over"`, url.Values{"hand-over_to": {other.Organisation}, "hand-over_text": {"À visiter."}}, "Le dossier est en chemin.")
	theirs := inspector.open(t, at, "À visiter.")
	theirs = inspector.send(t, theirs, `value="receive"`, nil, "Le dossier est chez vous.")
	inspector.send(t, theirs, `value="hand-over"`, url.Values{"hand-over_to": {office.Organisation}, "hand-over_text": {"Vu."}}, "Le dossier est en chemin.")
	page = officer.open(t, at, "Vu.")
	page = officer.send(t, page, `value="receive"`, nil, "Le dossier est chez vous.")
	page = officer.send(t, page, `value="advance"`, url.Values{"advance_text": {"Complet."}}, "L’étape est notée.")
	officer.refused(t, page, `value="refuse"`, url.Values{"refuse_reason": {"untrue"}, "refuse_text": {"Non."}}, 422, "Non.")
	page = officer.send(t, page, `value="grant"`, nil, "La décision est notée : accepté.")
	officer.reads(t, at)
	m := regexp.MustCompile(`/verifier/([A-Za-z0-9_-]{22})`).FindString(page)
	if m == "" {
		t.Fatal("the file does not say where its document is verified")
	}
	officer.open(t, m, "Valable", s.name)
	officer.reads(t, m)
	officer.send(t, page, `value="revoke"`, url.Values{"revoke_reason": {"untrue"}, "revoke_text": {"Faux."}}, "Le retrait est noté.")
	officer.open(t, m, "Retiré")
	officer.open(t, "/verifier/"+strings.Repeat("A", 22), "Inconnu")
	member := r.seated(t, "+212600088205", s.org)
	if status, _, _ := member.do(t, "GET", "/i", nil); status != http.StatusForbidden {
		t.Errorf("a member at the institutions' desk is answered %d", status)
	}
}

// appliedByPages has a member bring a case, be asked, and have its document, by pages
// without scripts.
func appliedByPages(t *testing.T, r *rig, _ trade) {
	office, s := r.keys.Institutions[0], r.seller(t)
	r.earn(t, s, "3000.00")
	member := r.seated(t, "+212600088206", s.org)
	d := ofProcedure(lettered(), map[string]any{"fee": map[string]any{"amount": dirhams("120.00"), "refundable": true}, "names": inThree(mark("Démarche"))})
	d["form"] = map[string]any{"type": "object", "required": []string{"trade", "people", "here"}, "properties": map[string]any{
		"trade": map[string]any{"type": "array", "items": map[string]any{"type": "string"}, "title": "Métiers"}, "people": map[string]any{"type": "integer", "minimum": 1, "title": "Personnes"},
		"here": map[string]any{"type": "boolean", "title": "Fait ici"}, "since": map[string]any{"type": "string", "format": "date", "title": "Depuis"},
	}}
	d["papers"] = []any{map[string]any{"code": "samples", "names": inThree("Photos du métier")}}
	p := r.offersProcedure(t, office.APIKey, d)
	member.open(t, "/v/demarches", "Commencer une démarche", d["names"].(map[string]string)["fr"])
	member.reads(t, "/v/demarches")
	member.reads(t, "/v/demarches/"+p)
	page := member.open(t, "/v/demarches/"+p, "Métiers", "120,00")
	member.refused(t, page, `value="begin"`, url.Values{"r_people": {"0"}}, 422, "Personnes")
	page = member.send(t, page, `value="begin"`, url.Values{"r_trade": {"tapis, laine"}, "r_people": {"1 ٢٠٠٠٠٠"}, "r_here": {"true"}, "r_since": {"2019-03-01"}}, "La démarche est commencée.", "tapis, laine", `value="1200000"`)
	c := regexp.MustCompile(`cas_[a-z0-9]{26}`).FindString(page)
	at := "/v/demarches/" + c
	member.reads(t, at)
	member.refused(t, page, `value="submit"`, nil, 409)
	if status, _, said := member.posts(t, page, `name="papier"`, "papier", strings.Repeat("x", 10<<20+1), nil); status != http.StatusUnprocessableEntity || !strings.Contains(said, "trop grand") {
		t.Errorf("a paper that is too large is answered %d", status)
	}
	member.open(t, at, `name="papier"`)
	r.moves(t, s.key, c, "papers", map[string]string{"code": "samples", "file": r.sendsIn(t, s.key)})
	page = member.open(t, at, "C’est joint.")
	page = member.send(t, page, `value="submit"`, nil, "Votre dossier est parti.", "À payer")
	member.send(t, page, `value="pay"`, nil, "Les frais sont payés.")
	r.moves(t, office.APIKey, c, "examine", nothing)
	r.moves(t, office.APIKey, c, "ask", text("Combien de métiers ?"))
	page = member.open(t, at, "Combien de métiers ?")
	member.reads(t, at)
	member.send(t, page, `value="answer"`, url.Values{"texte": {"Deux."}}, "Votre réponse est partie.")
	r.moves(t, office.APIKey, c, "advance", nothing)
	r.moves(t, office.APIKey, c, "decide", refuses)
	page = member.open(t, at, "Conditions")
	member.send(t, page, `value="appeal"`, url.Values{"texte": {"Pourtant."}}, "Votre contestation est partie.")
	r.moves(t, office.APIKey, c, "examine", nothing)
	r.moves(t, office.APIKey, c, "decide", grants)
	member.open(t, at, "Votre document", "Valable", `class="qr"`)
	member.reads(t, at)
	second := r.files(t, s.key, r.offersProcedure(t, office.APIKey, ofProcedure(lettered())))
	page = member.open(t, "/v/demarches/"+second.ID, "Brouillon")
	member.send(t, page, `value="withdraw"`, nil, "La démarche est retirée.")
	if status, _, _ := member.do(t, "GET", "/v/demarches/cas_00000000000000000000000000", nil); status != http.StatusNotFound {
		t.Errorf("a case that is none is answered %d", status)
	}
}

// TestCasesOfASuspendedInstitutionAreGivenToAnother suspends an institution that has a
// member's case: it stands still, its member is told, and another decides it.
func TestCasesOfASuspendedInstitutionAreGivenToAnother(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	office, next := r.keys.Institutions[0], r.keys.Institutions[1]
	s := r.seller(t)
	c := r.files(t, s.key, r.offersProcedure(t, office.APIKey, ofProcedure(lettered())))
	r.moves(t, s.key, c.ID, "submit", nothing)
	r.suspends(t, office.Organisation)
	r.until(t, "the case to stand still", func() bool {
		return strings.Contains(r.shows(t, r.operator(), caseFiles+"?stranded=true&limit=100"), c.ID)
	})
	if got := r.shows(t, s.key, caseFiles+"/"+c.ID); !strings.Contains(got, `"stranded_at"`) {
		t.Errorf("its member sees %s", got)
	}
	r.ask(t, req{key: office.APIKey, method: "POST", path: caseFiles + "/" + c.ID + "/examine", idem: once()}).refused(t, http.StatusConflict, "procedures.institution")
	r.moves(t, r.operator(), c.ID, "entrust", map[string]string{"to": next.Organisation, "text": "L’organisme est suspendu."})
	r.ask(t, req{key: office.APIKey, method: "GET", path: caseFiles + "/" + c.ID}).refused(t, http.StatusNotFound, "procedures.not_found")
	r.moves(t, next.APIKey, c.ID, "examine", nothing)
	r.moves(t, next.APIKey, c.ID, "advance", nothing)
	if c = r.moves(t, next.APIKey, c.ID, "decide", grants); c.State != "granted" || c.Document == nil {
		t.Errorf("in the end it is %+v", c)
	}
	label := "/v1/label-issuers/" + lettered()
	r.ask(t, req{key: r.operator(), method: "PUT", path: label, body: map[string]string{"institution": next.Organisation}, idem: once()}).into(t, nil)
	if got := r.shows(t, next.APIKey, "/v1/label-issuers?limit=100"); !strings.Contains(got, next.Organisation) || !strings.Contains(got, `"artisan"`) {
		t.Errorf("labels are issued by %s", got)
	}
	r.verify(t)
}
