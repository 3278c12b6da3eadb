package main

import (
	"bytes"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"tiwiza/marketplace/enrolment"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/pg"
)

// asksOf is what the test's market asks of organisations of a kind.
func asksOf(kind string) map[string]any {
	one := func(code, kind, fr string, more ...any) map[string]any {
		r := map[string]any{"code": code, "type": kind, "names": map[string]string{"fr": fr, "ar": "وثيقة " + code, "en": code}}
		for i := 0; i < len(more); i += 2 {
			r[more[i].(string)] = more[i+1]
		}
		return r
	}
	return map[string]any{"kind": kind, "requirements": []any{
		one("statutes", "document", "Statuts", "second", true), one("cover", "document", "Assurance", "expires", true),
		one("cin", "field", "CIN de la gérante", "rule", "cin"), one("visit", "visit", "Visite du local"), one("site", "field", "Site", "rule", "text", "optional", true),
	}}
}

// fills finds the form of a page that holds a text, and sends it as a browser does.
func (d *sellDesk) fills(t testing.TB, page, holds string, want int, values map[string]string, files map[string][]byte) (body, to string) {
	t.Helper()
	action, filled := formOf(t, page, holds)
	for k, v := range values {
		filled.Set(k, v)
	}
	return d.send(t, sellFilled{html.UnescapeString(action), filled, files}, want)
}

var pieceLink = regexp.MustCompile(`/v/adhesion/pieces/(pap_[0-9a-z]+)`)

// aPDF is a document of its own.
func aPDF(text string) []byte { return []byte("%PDF-1.4\n% " + text + "\n%%EOF\n") }

// TestSomebodyJoinsByPagesAlone has a person begin, hand in with an agent's help, be
// asked for changes, and be admitted by two of the market's people; no scripts.
func TestSomebodyJoinsByPagesAlone(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	const phone = "+212600077811"
	base, other := r.seller(t), r.seller(t) // as long as nothing is asked
	for _, kind := range []string{"beneficiary_coop", "service_provider", "institutional", "operational_bank", "insurer"} {
		r.posts(t, r.operator(), "/v1/requirement-sets", asksOf(kind))
	}
	token, _ := r.person(t, phone)
	d := r.opens(token, nil)
	d.open(t, "/moi", "Vendre avec Tiwiza", "/moi/adhesion")
	org := d.begins(t)
	d.handsAll(t, r, org, phone, base, other)
	d.open(t, "/v", "Votre dossier n’est pas envoyé", "/v/adhesion")
	page := d.open(t, "/v/adhesion", "Envoyer ma demande", "Dossier", "••••3456", "Un agent l’a remis pour vous")
	if strings.Contains(page, "JB123456") {
		t.Error("the whole CIN stands on the page")
	}
	_, to := d.fills(t, page, `value="demande"`, http.StatusSeeOther, nil, nil)
	d.open(t, to, "Votre demande est partie", "Votre demande est arrivée")
	one, two := r.atDesk(t, phoneOperator), r.atDesk(t, phoneSecond)
	r.judges(t, one, two, d, org, other.org)
	page = one.open(t, "/op/entites/"+org)
	one.send(t, page, `value="suspend"`, url.Values{"suspend_note": {"Contrôle (exemple)."}}, "Suspendu")
	d.open(t, "/v/adhesion", "suspendue", "Contrôle (exemple).", "Vous ne vendez rien de nouveau")
	d.open(t, "/v", "Vos ventes sont suspendues")
	one.reads(t, "/op/entites/"+org)
	r.othersJoin(t)
}

// begins starts an application, after what can go wrong.
func (d *sellDesk) begins(t *testing.T) (org string) {
	f := sellForm(t, d.open(t, "/moi/adhesion", "Vous êtes", "Prestataire"), "/moi/adhesion").with("sorte", "beneficiary_coop", "nom_fr", "Coopérative Tifawin (exemple)", "commune", "Nulle part", "ice", "12 34", "forme", "cooperative")
	page, _ := d.send(t, f, http.StatusUnprocessableEntity)
	sellSays(t, "with a commune that is not known", html.UnescapeString(page), "Nous ne connaissons pas cette commune", `href="#f-commune"`, "L’ICE a 15 chiffres", `value="Coopérative Tifawin (exemple)"`, `value="12 34"`)
	f.with("nom_fr", "", "commune", "Tiznit", "ice", "")
	page, _ = d.send(t, f, http.StatusUnprocessableEntity)
	sellSays(t, "without a name", page, "Écrivez le nom en français", `value="Tiznit"`)
	f.with("nom_fr", "Coopérative Tifawin (exemple)")
	_, to := d.send(t, f, http.StatusSeeOther)
	if _, again := d.send(t, f, http.StatusSeeOther); to != again || !strings.HasPrefix(to, "/v/adhesion") {
		t.Fatalf("sent twice it leads to %s and %s", to, again)
	}
	d.open(t, to, "Votre dossier est ouvert", "Coopérative Tifawin (exemple)", "Statuts", "à donner", "le marché s’en occupe", "facultatif")
	for lang, says := range map[string]string{"/ar": "انخراطي", "/en": "My membership"} {
		d.open(t, lang+"/v/adhesion", says)
		d.open(t, lang+"/moi/adhesion")
	}
	page = d.open(t, "/moi/adhesion", "Vos demandes commencées", "Continuer")
	if n := strings.Count(page, `name="bureau"`); n != 1 {
		t.Errorf("sent twice, %d applications are under way", n)
	}
	if _, filled := formOf(t, page, `name="bureau"`); filled.Get("bureau") != "" {
		org = filled.Get("bureau")
	}
	f = sellForm(t, d.open(t, "/v/adhesion/organisation", "Coopérative Tifawin"), "/v/adhesion/organisation").with("nom_ar", "تعاونية تيفاوين (مثال)", "commune", "Nulle part")
	page, _ = d.send(t, f, http.StatusUnprocessableEntity)
	sellSays(t, "changed to nowhere", page, "Nous ne connaissons pas cette commune", "تعاونية تيفاوين (مثال)")
	_, to = d.send(t, f.with("commune", "Taroudant"), http.StatusSeeOther)
	d.open(t, to, "C’est changé")
	return org
}

// handsAll hands in what is asked, the first paper by an agent, after what can go
// wrong.
func (d *sellDesk) handsAll(t *testing.T, r *rig, org, phone string, base, other *shop) {
	page := d.open(t, "/v/adhesion")
	body, _ := d.fills(t, page, `value="demande"`, http.StatusUnprocessableEntity, nil, nil)
	sellSays(t, "sent with nothing", body, "Il manque : Statuts", `href="#f-papier-statutes"`, "Il manque : CIN de la gérante", `href="#f-valeur-cin"`)
	body, _ = d.fills(t, page, `value="statutes"`, http.StatusUnprocessableEntity, nil, map[string][]byte{"papier-statutes": []byte("#!/bin/sh\nexit 0\n")})
	sellSays(t, "with a script", body, "Ce n’est ni une photo ni un PDF", `href="#f-papier-statutes"`)
	body, _ = d.fills(t, page, `value="statutes"`, http.StatusUnprocessableEntity, nil, map[string][]byte{"papier-statutes": append(aPDF("grand"), bytes.Repeat([]byte("x"), 11<<20)...)})
	sellSays(t, "with a large file", body, "trop grand", `href="#f-papier-statutes"`)
	body, _ = d.fills(t, page, `value="statutes"`, http.StatusUnprocessableEntity, nil, nil)
	sellSays(t, "without a file", body, "Choisissez d’abord une photo ou un PDF")
	body, _ = d.fills(t, page, `value="cin"`, http.StatusUnprocessableEntity, map[string]string{"valeur-cin": "12"}, nil)
	sellSays(t, "with a bad CIN", body, "Une CIN a une ou deux lettres", `value="12"`, `href="#f-valeur-cin"`)

	// The date is wrong: the file need not be chosen again.
	body, _ = d.fills(t, page, `value="cover"`, http.StatusUnprocessableEntity, map[string]string{"jour-cover": "2020-01-01"}, map[string][]byte{"papier-cover": aPDF("assurance")})
	sellSays(t, "with a day that has passed", body, "Choisissez un jour à venir", "Votre fichier est gardé", `href="#f-jour-cover"`)
	_, to := d.fills(t, body, `value="cover"`, http.StatusSeeOther, map[string]string{"jour-cover": r.day(t, 20)}, nil)
	d.open(t, to, "C’est remis", "à l’étude")
	_, to = d.fills(t, page, `value="cin"`, http.StatusSeeOther, map[string]string{"valeur-cin": "jb 123456"}, nil)
	d.open(t, to, "••••3456")

	agent := r.opens(r.mandated(t, org, phone, base), nil)
	page = agent.open(t, "/v/adhesion", "Vous remplissez ce dossier pour un membre")
	if strings.Contains(page, "Retirer ma demande") {
		t.Error("an agent may withdraw the application")
	}
	f := map[string][]byte{"papier-statutes": aPDF("statuts")}
	_, to = agent.fills(t, page, `value="statutes"`, http.StatusSeeOther, nil, f)
	page = agent.open(t, to, "Un agent l’a remis pour vous")
	piece := pieceLink.FindStringSubmatch(page)
	if piece == nil {
		t.Fatal("no paper can be read")
	}
	if status, got, _ := d.do(t, "GET", "/v/adhesion/pieces/"+piece[1], "", http.NoBody); status != http.StatusOK || !strings.HasPrefix(got, "%PDF") {
		t.Errorf("the paper is %d %.40q", status, got)
	}
	if trail := r.shows(t, r.operator(), "/v1/audit?limit=50&subject="+piece[1]); !strings.Contains(trail, " on_behalf_of per_") {
		t.Errorf("the trail is %s", trail)
	}
	stranger, _ := r.person(t, "+212600077812")
	status, _, _ := r.opens(stranger, nil).do(t, "GET", "/v/adhesion/pieces/"+piece[1], "", http.NoBody)
	if status != http.StatusForbidden && status != http.StatusNotFound {
		t.Errorf("a stranger opens the paper: %d", status)
	}
	if status, _, _ := r.sits(t, other, "+212600077813").do(t, "GET", "/v/adhesion/pieces/"+piece[1], "", http.NoBody); status != http.StatusNotFound {
		t.Errorf("another member opens the paper: %d", status)
	}
}

// day is a day from the hub's now on.
func (r *rig) day(t testing.TB, days int) string {
	t.Helper()
	now, err := pg.Value[string](t.Context(), r.house.store, nil, `select to_char(platform.now() + make_interval(days => $1), 'YYYY-MM-DD')`, days)
	if err != nil {
		t.Fatal(err)
	}
	return now
}

// mandated is the token of an agent of another seller who acts for a member.
func (r *rig) mandated(t testing.TB, org, phone string, base *shop) string {
	t.Helper()
	const agentPhone = "+212600077814"
	agent, _ := r.person(t, agentPhone)
	r.hires(t, base, agent, agentPhone, "agent")
	r.ask(t, req{key: agent, method: "PUT", path: "/v1/sessions/desk", body: map[string]string{"organisation": base.org}}).into(t, nil)
	in := map[string]string{"organisation": org, "phone": phone}
	var asked signing
	r.ask(t, req{key: agent, method: "POST", path: "/v1/agent/codes", body: in}).into(t, &asked)
	in["handle"], in["code"] = asked.Handle, r.codeFor(t, phone)
	var v struct{ Token string }
	r.ask(t, req{key: agent, method: "POST", path: "/v1/agent/sessions", body: in}).into(t, &v)
	return v.Token
}

// judges has the market's people read the file, ask for changes, and admit it.
func (r *rig) judges(t *testing.T, one, two *browser, d *sellDesk, org, other string) {
	one.open(t, "/op/entites", "Coopérative Tifawin (exemple)", "Pièces à lire")
	if page := one.open(t, "/op/entites?region=MA-01"); strings.Contains(page, "Tifawin") {
		t.Error("the queue of another region shows it")
	}
	one.open(t, "/op/entites?csv=1", "Tifawin")
	at := "/op/entites/" + org
	papers := map[string]string{}
	for _, x := range r.enrolment(t, org).Requirements {
		if x.Waits != nil {
			papers[x.Code] = at + "?piece=" + x.Waits.ID
		}
	}
	one.send(t, one.open(t, at, "Prendre le dossier", "CIN de la gérante", "Un agent, pour le membre"), `value="review"`, nil, "À l’étude")
	if status, _, _ := one.do(t, "GET", "/op/entites/"+other+"?piece="+strings.Split(papers["cin"], "=")[1], nil); status != http.StatusNotFound {
		t.Errorf("a paper at another's page: %d", status)
	}
	one.refused(t, one.open(t, at), `value="approve"`, nil, http.StatusConflict, "Il manque quelque chose")

	// A sealed number is shown to whoever asks, with a trace.
	page := one.open(t, papers["cin"], "••••3456", "Lire le numéro entier")
	action, filled := formOf(t, page, `value="reveal"`)
	if status, body, _ := one.do(t, "POST", action, filled); status != http.StatusOK || !strings.Contains(body, "JB123456") || !strings.Contains(html.UnescapeString(body), "écrite dans le journal") {
		t.Errorf("revealed: %d %.2000s", status, inside(body))
	}
	if trail := r.shows(t, r.operator(), "/v1/audit?limit=50&subject="+strings.Split(papers["cin"], "=")[1]); !strings.Contains(trail, "papers.reveal") {
		t.Errorf("the trail is %s", trail)
	}
	one.refused(t, page, `value="reject"`, url.Values{"reject_note": {""}}, http.StatusUnprocessableEntity)
	one.send(t, page, `value="reject"`, url.Values{"reject_note": {"Le numéro est celui d’une autre (exemple)."}}, "Refusée", "Le numéro est celui d’une autre (exemple).")
	if status, body, _ := one.do(t, "GET", at+"/pieces/"+strings.Split(papers["statutes"], "=")[1], nil); status != http.StatusOK || !strings.HasPrefix(body, "%PDF") {
		t.Errorf("the document is %d %.40q", status, body)
	}
	one.send(t, one.open(t, at), `value="request_changes"`, url.Values{"request_changes_note": {"Corrigez la CIN (exemple)."}}, "À corriger")
	page = d.open(t, "/v/adhesion", "Corrigez la CIN (exemple).", "à refaire", "Le numéro est celui d’une autre (exemple).", "Envoyer ma demande")
	body, _ := d.fills(t, page, `value="demande"`, http.StatusUnprocessableEntity, nil, nil)
	sellSays(t, "sent again without the CIN", body, "Il manque : CIN de la gérante")
	d.fills(t, page, `value="cin"`, http.StatusSeeOther, map[string]string{"valeur-cin": "JB654321"}, nil)
	d.fills(t, d.open(t, "/v/adhesion"), `value="demande"`, http.StatusSeeOther, nil, nil)

	papers["cin"] = at + "?piece=" + r.waits(t, org, "cin")
	for _, code := range []string{"cin", "cover"} {
		one.send(t, one.open(t, papers[code]), `value="accept"`, nil, "La pièce est acceptée")
	}
	one.send(t, one.open(t, papers["statutes"], "Une seconde personne l’acceptera après vous"), `value="accept"`, nil, "attend une seconde personne")
	one.open(t, papers["statutes"], "Une première personne l’a acceptée")
	two.send(t, two.open(t, "/op/approbations", "Pièce d’un dossier d’adhésion"), `value="apr_`, url.Values{"mot": {"approve"}}, "approuvé")

	// A visit is written down by one person and accepted by another.
	page = one.open(t, at, "Noter une visite")
	one.refused(t, page, `value="report"`, url.Values{"report_requirement": {"visit"}, "report_value": {""}}, http.StatusUnprocessableEntity)
	one.send(t, page, `value="report"`, url.Values{"report_requirement": {"visit"}, "report_value": {"Local vu, trois salles (exemple)."}}, "C’est noté", "Local vu")
	visit := at + "?piece=" + r.waits(t, org, "visit")
	one.refused(t, one.open(t, visit), `value="accept"`, nil, http.StatusForbidden, "vous avez remis cette pièce")
	two.send(t, two.open(t, visit), `value="accept"`, nil, "La pièce est acceptée")
	two.send(t, two.open(t, at), `value="approve"`, nil, "Actif")
	d.open(t, "/v/adhesion", "admise", "Vous êtes membre", "se termine bientôt", "Après ce jour, rien de nouveau ne se vend")
	d.open(t, "/v", "Se termine le")
}

func (r *rig) enrolment(t testing.TB, org string) (v enrolment.EnrolmentView) {
	t.Helper()
	r.ask(t, req{key: r.operator(), method: "GET", path: "/v1/organisations/" + org + "/enrolment"}).into(t, &v)
	return v
}

// waits is the paper that waits for a decision.
func (r *rig) waits(t testing.TB, org, code string) string {
	t.Helper()
	for _, x := range r.enrolment(t, org).Requirements {
		if x.Code == code && x.Waits != nil {
			return x.Waits.ID
		}
	}
	t.Fatalf("no %s waits", code)
	return ""
}

// othersJoin has people of the other kinds see what is asked of them, and hand in.
func (r *rig) othersJoin(t *testing.T) {
	for i, kind := range []string{"service_provider", "institutional", "operational_bank", "insurer"} {
		phone := "+21260007782" + string(rune('0'+i))
		token, person := r.person(t, phone)
		d := r.opens(token, nil)
		var org string
		if kind == "service_provider" { // begins by itself, as a provider does
			_, to := d.send(t, sellForm(t, d.open(t, "/moi/adhesion"), "/moi/adhesion").with("sorte", kind, "nom_fr", "Atelier (exemple)", "commune", "Tiznit"), http.StatusSeeOther)
			d.open(t, to, "Atelier (exemple)")
		} else {
			org = strings.TrimPrefix(r.applicant(t, kind), "/v1/organisations/")
			ctx := auth.With(t.Context(), auth.Hub)
			if err := r.house.store.InTx(ctx, func(tx *pg.Tx) error { return r.house.members.Join(ctx, tx, person, org, "manager") }); err != nil {
				t.Fatal(err)
			}
		}
		page := d.open(t, "/v/adhesion", "Statuts", "Envoyer ma demande")
		for code, file := range map[string]string{"statutes": "", "cover": r.day(t, 300)} {
			_, to := d.fills(t, page, `value="`+code+`"`, http.StatusSeeOther, map[string]string{"jour-" + code: file}, map[string][]byte{"papier-" + code: aPDF(kind + code)})
			d.open(t, to, "à l’étude")
		}
		d.fills(t, page, `value="cin"`, http.StatusSeeOther, map[string]string{"valeur-cin": "AB98765"}, nil)
		_, to := d.fills(t, d.open(t, "/v/adhesion"), `value="demande"`, http.StatusSeeOther, nil, nil)
		d.open(t, to, "Votre demande est arrivée")
		if kind == "service_provider" {
			r.withdraws(t, d)
		}
	}
}

// withdraws has somebody begin once more, and think better of it.
func (r *rig) withdraws(t *testing.T, d *sellDesk) {
	_, to := d.send(t, sellForm(t, d.open(t, "/moi/adhesion", "dossier à l’étude"), "/moi/adhesion").with("sorte", "auto_entrepreneur", "nom_fr", "Vannerie (exemple)", "commune", "Tiznit"), http.StatusSeeOther)
	page := d.open(t, to, "Vannerie (exemple)", "Retirer ma demande")
	if _, to = d.fills(t, page, `value="retirer"`, http.StatusSeeOther, nil, nil); !strings.HasPrefix(to, "/moi") {
		t.Errorf("withdrawn, it leads to %s", to)
	}
	d.open(t, to, "C’est fait")
	if page := d.open(t, "/moi/adhesion"); strings.Contains(page, "Vannerie") {
		t.Error("what was withdrawn goes on")
	}
}
