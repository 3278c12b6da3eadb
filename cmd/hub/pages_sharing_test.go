package main

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

var (
	itemLike    = regexp.MustCompile(`itm_[a-z0-9]{26}`)
	consentLike = regexp.MustCompile(`cns_[a-z0-9]{26}`)
)

// TestADossierIsSharedByPages has a member keep its papers, answer who asks for them,
// see who looked and take its word back, and a bank, an institution and the market's
// people do their part, by pages without scripts.
func TestADossierIsSharedByPages(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s, other := r.seller(t), r.seller(t)
	bank := r.self(t, r.keys.Bank.APIKey)
	member, officer := r.seated(t, "+212600088301", s.org), r.seated(t, "+212600088302", bank)
	stranger := r.seated(t, "+212600088303", other.org)
	paper := r.keepsPapers(t, s, member, stranger)
	asked := r.asksConsent(t, s, member, officer, stranger, paper)
	r.refusesConsent(t, s, member, officer)
	r.givesConsent(t, s, member, officer, bank)
	r.looksAsInstitution(t, s, member)
	r.breaksGlass(t, s, member, paper)
	if got := r.shows(t, s.key, "/v1/consents/wording?grantee="+bank+"&purpose=label&sections=social&days=9"); !strings.Contains(got, "pourra voir votre dossier (social) pendant 9 jours") {
		t.Errorf("the wording is %s", got)
	}
	r.lapsesByPages(t, s, member, officer, asked)
	r.verify(t)
}

// keepsPapers has a member put papers into its dossier, renew one, and take one out.
func (r *rig) keepsPapers(t *testing.T, s *shop, member, stranger *browser) (paper string) {
	t.Helper()
	member.open(t, "/v", `href="/v/dossier"`)
	member.open(t, "/v/dossier", "Votre dossier est vide", `href="/v/accords"`, `href="/v/regards"`)
	member.reads(t, "/v/dossier")
	member.reads(t, "/v/regards")
	desk := r.opens(member.token, s)
	form := func(title, section string) sellFilled {
		f := sellForm(t, desk.open(t, "/v/dossier"), "/v/dossier").with("titre", title, "partie", section)
		f.fields.Del("sensible") // a box that nobody has ticked
		return f
	}
	page, _ := desk.send(t, form("Bilan (exemple)", "financial"), http.StatusUnprocessableEntity)
	sellSays(t, "a paper that is none", page, "Choisissez une photo ou un PDF.", "Bilan (exemple)", `href="#f-fichier"`)
	f := form(" ", "financial")
	f.files["fichier"] = snap(t, 40)
	page, _ = desk.send(t, f, http.StatusUnprocessableEntity)
	sellSays(t, "a paper without a name", page, "Donnez un nom au papier.")
	f = form("Bilan (exemple)", "financial")
	f.files["fichier"] = snap(t, 40)
	_, to := desk.send(t, f, http.StatusSeeOther)
	paper = itemLike.FindString(member.open(t, to, "Le papier est dans votre dossier.", "Bilan (exemple)", "Finances"))
	f = form("Dettes (exemple)", "financial").with("sensible", "1")
	f.files["fichier"] = snap(t, 41)
	desk.send(t, f, http.StatusSeeOther)
	f = form("À enlever (exemple)", "social")
	f.files["fichier"] = snap(t, 42)
	desk.send(t, f, http.StatusSeeOther)
	member.open(t, "/v/dossier", "sensible", "Social")
	member.reads(t, "/v/dossier")

	at := "/v/dossier/" + paper
	member.open(t, at, "Bilan (exemple)", "Voir le papier", "Remplacer")
	member.reads(t, at)
	if status, body, _ := member.do(t, "GET", at+"/fichier", nil); status != http.StatusOK || !strings.HasPrefix(body, "\xff\xd8\xff") {
		t.Errorf("the paper is answered %d %.20q", status, body)
	}
	f = sellForm(t, desk.open(t, at), at).with("quoi", "version")
	desk.send(t, f, http.StatusUnprocessableEntity)
	f.files["fichier"] = snap(t, 43)
	_, to = desk.send(t, f, http.StatusSeeOther)
	member.open(t, to, "Le nouveau papier est là.")
	if got := r.shows(t, s.key, "/v1/dossier-items/"+paper); !strings.Contains(got, `"version":2`) {
		t.Errorf("renewed it is %s", got)
	}
	for _, at := range []string{at, at + "/fichier"} {
		if status, _, _ := stranger.do(t, "GET", at, nil); status != http.StatusNotFound {
			t.Errorf("another's %s is answered %d", at, status)
		}
	}
	if status, _, _ := stranger.do(t, "POST", at, url.Values{"quoi": {"retirer"}}); status != http.StatusNotFound {
		t.Errorf("taking another's paper out is answered %d", status)
	}
	all := member.open(t, "/v/dossier")
	ids := itemLike.FindAllString(all[:strings.Index(all, "À enlever (exemple)")], -1)
	out := "/v/dossier/" + ids[len(ids)-1]
	member.send(t, member.open(t, out, "À enlever"), `value="retirer"`, nil, "Le papier est enlevé.")
	member.open(t, out, "Ce papier n’est plus dans le dossier.")
	return paper
}

// asksConsent has a bank ask, the member agree, the bank look, and the member see that
// and take its word back while the bank's page is open. It leaves a request behind.
func (r *rig) asksConsent(t *testing.T, s *shop, member, officer, stranger *browser, paper string) (asked string) {
	t.Helper()
	officer.open(t, "/b/accords", "Aucun accord ici", "Demander un accord")
	officer.reads(t, "/b/accords")
	officer.open(t, "/b/accords/demander", "Nom du membre")
	officer.reads(t, "/b/accords/demander")
	officer.open(t, "/b/accords/demander?q=xylophone", "Aucun membre ne porte ce nom.")
	r.until(t, "the member to be in the directory", func() bool {
		_, body, _ := officer.do(t, "GET", "/b/accords/demander?q="+url.QueryEscape(s.name), nil)
		return strings.Contains(body, s.org)
	})
	request := "/b/accords/demander?membre=" + s.org
	page := officer.open(t, request, s.name, "Étudier un crédit")
	officer.reads(t, request)
	in := url.Values{"ask_purpose": {"credit"}, "ask_days": {"90"}, "ask_why": {"Pour votre métier à tisser."}, "ask_sections": nil, "ask_sensitive": nil}
	officer.refused(t, page, `value="ask"`, in, http.StatusUnprocessableEntity, "Pour votre métier à tisser.")
	in["ask_sections"] = []string{"financial"}
	page = officer.send(t, page, `value="ask"`, in, "Votre demande est partie.", "n’a pas encore répondu")
	consent := consentLike.FindString(page)
	officer.refused(t, officer.open(t, request), `value="ask"`, in, http.StatusConflict, "Vous avez déjà demandé cela.")
	file, opened := "/b/accords/"+consent, "/b/dossiers/"+consent
	officer.open(t, "/b/accords?etat=requested", s.name)
	officer.reads(t, file)
	if status, _, _ := officer.do(t, "GET", opened, nil); status != http.StatusForbidden && status != http.StatusNotFound {
		t.Errorf("before the member has answered its dossier is answered %d", status)
	}

	at := "/v/accords/" + consent
	member.open(t, "/v", "demande à voir votre dossier", `href="`+at+`"`)
	member.open(t, "/v/accords", "À répondre", "étudier un crédit")
	member.reads(t, "/v/accords")
	page = member.open(t, at, "Pour votre métier à tisser.", "pourra voir votre dossier (finances) pendant 90 jours", "Accepter", "Refuser", "C’est votre droit")
	member.reads(t, at)
	member.open(t, "/ar/v/accords/"+consent, "يمكن لـ", "رفض")
	if status, _, _ := stranger.do(t, "GET", at, nil); status != http.StatusNotFound {
		t.Errorf("another's consent is answered %d", status)
	}
	_, answer := formOf(t, page, `value="oui"`)
	if status, _, _ := stranger.do(t, "POST", at, answer); status != http.StatusPreconditionFailed {
		t.Errorf("a form that was filled in at another's seat is answered %d", status)
	}
	answer.Del("siege")
	if status, _, _ := stranger.do(t, "POST", at, answer); status != http.StatusNotFound {
		t.Errorf("answering for another is answered %d", status)
	}
	plain := &browser{rig: r, token: r.sits(t, s, "+212600088304").token}
	r.advance(t, "11m")                                                                                    // its code is ten minutes old
	plain.refused(t, plain.open(t, at), `value="oui"`, nil, http.StatusForbidden, answer.Get("empreinte")) // it shows once more who it is, and loses nothing
	plain.refused(t, plain.open(t, at), `value="non"`, nil, http.StatusForbidden)
	member.token, officer.token, stranger.token = member.enter(), officer.enter(), stranger.enter()
	member.refused(t, page, `value="oui"`, url.Values{"empreinte": {strings.Repeat("0", 64)}}, http.StatusUnprocessableEntity, "Le texte a changé.")
	member.send(t, page, `value="oui"`, nil, "Votre accord est donné.", "jusqu’au", "Retirer mon accord")
	member.refused(t, page, `value="non"`, nil, http.StatusConflict, "On a déjà répondu")
	member.reads(t, at)

	officer.open(t, file, "Ouvrir le dossier est noté.", "pourra voir votre dossier")
	officer.reads(t, file)
	dossier := officer.open(t, opened, "Cette lecture vient d’être notée.", "Bilan (exemple)")
	if strings.Contains(dossier, "Dettes") {
		t.Error("the bank sees what is sensitive")
	}
	officer.open(t, opened+"/papiers/"+paper, "Télécharger", "porte votre nom")
	officer.reads(t, opened+"/papiers/"+paper)
	if status, body, _ := officer.do(t, "GET", opened+"/papiers/"+paper+"/pdf", nil); status != http.StatusOK || !strings.HasPrefix(body, "\xff\xd8\xff") {
		t.Errorf("the bank's copy is answered %d %.20q", status, body)
	}
	member.open(t, "/v/regards", "a ouvert votre dossier", "a vu votre «Bilan (exemple)»", "a téléchargé votre «Bilan (exemple)»", `href="`+at+`"`)
	member.reads(t, "/v/regards")
	member.open(t, "/v/regards?suite=", "a ouvert votre dossier")

	member.send(t, member.open(t, at), `value="retirer"`, nil, "Votre accord est retiré.")
	for _, gone := range []string{opened, opened + "/papiers/" + paper, opened + "/papiers/" + paper + "/pdf"} {
		status, body, _ := officer.do(t, "GET", gone, nil)
		if status != http.StatusForbidden || !strings.Contains(body, "Le membre a retiré son accord") || !strings.Contains(body, "Rien n’a été lu.") {
			t.Errorf("%s after the withdrawal is answered %d: %.600s", gone, status, inside(body))
		}
	}
	officer.open(t, "/b/accords?etat=ended", "Retiré")
	member.open(t, "/v/accords", "Finis", "Retiré")
	for _, none := range []string{"/b/accords/cns_00000000000000000000000000", "/b/accords/x", "/b/accords/demander?membre=x"} {
		if status, _, _ := officer.do(t, "GET", none, nil); status != http.StatusNotFound {
			t.Errorf("%s is answered %d", none, status)
		}
	}
	return r.posts(t, r.keys.Bank.APIKey, "/v1/consent-requests", lets("owner", s.org, "audit", 30)).ID
}

// refusesConsent has the member say no.
func (r *rig) refusesConsent(t *testing.T, s *shop, member, officer *browser) {
	t.Helper()
	consent := r.posts(t, r.keys.Bank.APIKey, "/v1/consent-requests", lets("owner", s.org, "support", 30)).ID
	member.send(t, member.open(t, "/v/accords/"+consent), `value="non"`, nil, "Vous avez refusé. Rien n’est montré.", "Refusé")
	officer.open(t, "/b/accords/"+consent, "Refusé", "Demander un nouvel accord")
}

// givesConsent has the member let a bank, and a programme, in by itself.
func (r *rig) givesConsent(t *testing.T, s *shop, member, officer *browser, bank string) {
	t.Helper()
	const give = "/v/accords/donner"
	programme := r.posts(t, r.operator(), "/v1/programmes", map[string]any{"names": map[string]string{"fr": "Programme laine (exemple)"}}).ID
	r.posts(t, r.operator(), "/v1/programmes/"+programme+"/participants", map[string]string{"organisation": bank})
	page := member.open(t, give, "Combien de temps", "Programme laine (exemple)")
	member.reads(t, give)
	in := url.Values{"qui": {""}, "pour": {"credit"}, "jours": {"30"}, "parties": nil, "sensible": nil}
	member.refused(t, page, `name="qui"`, in, http.StatusUnprocessableEntity, "Choisissez à qui.")
	in.Set("qui", bank)
	member.refused(t, page, `name="qui"`, in, http.StatusUnprocessableEntity, "Choisissez une partie au moins.")
	in["parties"] = []string{"financial", "social"}
	for whom, says := range map[string]string{bank: "pourra voir votre dossier (finances, social) pendant 30 jours", programme: "Programme laine (exemple) pourra voir"} {
		in.Set("qui", whom)
		action, form := formOf(t, page, `name="qui"`)
		for k, v := range in {
			form[k] = v
		}
		status, text, _ := member.do(t, "POST", action, form)
		if status != http.StatusOK || !strings.Contains(text, says) {
			t.Fatalf("before it gives, the member reads %d: %.900s", status, inside(text))
		}
		_, agreed := formOf(t, text, `value="donner"`)
		agreed["parties"] = in["parties"]
		wrong := url.Values{"parties": in["parties"], "empreinte": {strings.Repeat("0", 64)}}
		member.refused(t, text, `value="donner"`, wrong, http.StatusUnprocessableEntity, "Le texte a changé.")
		member.send(t, text, `value="donner"`, url.Values{"parties": in["parties"]}, "Votre accord est donné.", says)
	}
	page = officer.open(t, "/b/accords", "Programme : Programme laine (exemple)", s.name)
	for _, c := range consentLike.FindAllString(page, -1) {
		officer.open(t, "/b/dossiers/"+c, "Bilan (exemple)")
	}
}

// looksAsInstitution has an institution ask, and look.
func (r *rig) looksAsInstitution(t *testing.T, s *shop, member *browser) {
	t.Helper()
	clerk := r.seated(t, "+212600088305", r.keys.Institutions[0].Organisation)
	clerk.open(t, "/i/accords", "Accords des membres")
	in := url.Values{"ask_purpose": {"label"}, "ask_days": {"30"}, "ask_why": {""}, "ask_sections": {"financial"}, "ask_sensitive": {"1"}}
	page := clerk.send(t, clerk.open(t, "/i/accords/demander?membre="+s.org, s.name), `value="ask"`, in, "Votre demande est partie.")
	consent := consentLike.FindString(page)
	member.send(t, member.open(t, "/v/accords/"+consent, "y compris ce qui est sensible"), `value="oui"`, nil, "Votre accord est donné.")
	clerk.open(t, "/i/dossiers/"+consent, "Dettes (exemple)", "sensible")
	for _, path := range []string{"/i/accords", "/i/accords/" + consent, "/i/equipe"} {
		clerk.reads(t, path)
	}
	clerk.open(t, "/v/equipe", "Mon équipe", `href="/i/accords"`)
	member.open(t, "/v/regards", "a ouvert votre dossier")
}

// breaksGlass has two of the market's people open the dossier without consent, before
// its owner's eyes.
func (r *rig) breaksGlass(t *testing.T, s *shop, member *browser, paper string) {
	t.Helper()
	const why = "Réquisition du tribunal de commerce (exemple)."
	one, two := r.atDesk(t, r.keys.Operator.Phone), r.atDesk(t, r.keys.SecondOperator.Phone)
	one.open(t, "/op/entites/"+s.org, "Ouvrir un dossier sans accord")
	page := one.open(t, "/op/dossiers?membre="+s.org, "Il faut deux personnes", s.org)
	one.reads(t, "/op/dossiers?membre="+s.org)
	in := url.Values{"glass_org": {s.org}, "glass_reason": {why}, "glass_sections": nil}
	one.refused(t, page, `value="glass"`, in, http.StatusUnprocessableEntity, why)
	in.Set("glass_reason", "court")
	in["glass_sections"] = []string{"financial"}
	one.refused(t, page, `value="glass"`, in, http.StatusUnprocessableEntity)
	in.Set("glass_reason", why)
	one.send(t, page, `value="glass"`, in, "La demande attend une deuxième personne.", why, "Attend")
	if status, _, _ := one.do(t, "GET", "/op/dossiers/"+s.org, nil); status != http.StatusNotFound {
		t.Errorf("before a second person has opened it the dossier is answered %d", status)
	}
	if got := r.shows(t, r.operator(), "/v1/broken-glasses?state=asked"); !strings.Contains(got, s.org) {
		t.Errorf("the glasses that wait are %s", got)
	}
	page = two.open(t, "/op/approbations", "Ouvrir un dossier sans accord", why)
	two.send(t, page, `value="approve"`, url.Values{"mot": {"approve"}}, "")
	one.open(t, "/op/dossiers?etat=open", why, "Ouvert", `href="/op/dossiers/`+s.org)
	one.reads(t, "/op/dossiers?etat=open")
	one.open(t, "/op/dossiers/"+s.org, "Bilan (exemple)", "Dettes (exemple)", "Cette lecture est notée.")
	one.reads(t, "/op/dossiers/"+s.org)
	one.open(t, "/op/dossiers/"+s.org+"/"+paper, "Télécharger")
	if status, _, _ := one.do(t, "GET", "/op/dossiers/"+s.org+"/"+paper+"/pdf", nil); status != http.StatusOK {
		t.Errorf("the copy is answered %d", status)
	}
	if status, _, _ := two.do(t, "GET", "/op/dossiers/"+s.org, nil); status != http.StatusNotFound {
		t.Errorf("whoever opened it for another is answered %d", status)
	}
	member.open(t, "/v/regards", "L'équipe de Tiwiza", why)
	member.reads(t, "/v/regards")
}

// lapsesByPages lets a request wait too long: it cannot be answered any more, by a page
// that was open before.
func (r *rig) lapsesByPages(t *testing.T, s *shop, member, officer *browser, asked string) {
	t.Helper()
	page := member.open(t, "/v/accords/"+asked, "Accepter")
	r.advance(t, "745h")
	r.until(t, "the request to lapse", func() bool {
		return strings.Contains(r.shows(t, s.key, "/v1/consents/"+asked), `"expired"`)
	})
	member.token, officer.token = member.enter(), officer.enter()
	member.refused(t, page, `value="oui"`, nil, http.StatusConflict, "le délai est passé", "Ils ne voient plus votre dossier")
	officer.open(t, "/b/accords/"+asked, "Fini")
	for _, c := range consentLike.FindAllString(officer.open(t, "/b/accords?etat=ended"), -1) {
		if status, body, _ := officer.do(t, "GET", "/b/dossiers/"+c, nil); status != http.StatusForbidden || !strings.Contains(body, "Rien n’a été lu.") {
			t.Errorf("on %s, which has ended, the dossier is answered %d", c, status)
		}
	}
}

// TestATeamIsKeptByPages has a manager invite somebody, who accepts by the link that
// came, and end that again.
func TestATeamIsKeptByPages(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := r.seller(t)
	boss := r.seated(t, "+212600088311", s.org)
	const phone = "+212600088312"
	boss.open(t, "/v", `href="/v/equipe"`)
	page := boss.open(t, "/v/equipe", "Inviter", "Aucune invitation en attente.", "tout : vendre, argent, dossier, équipe")
	boss.reads(t, "/v/equipe")
	boss.refused(t, page, `value="invite"`, url.Values{"invite_address": {"12"}, "invite_role": {"member"}}, http.StatusUnprocessableEntity, "Écrivez un numéro marocain ou une adresse e-mail", `value="12"`)
	plain := &browser{rig: r, token: r.sits(t, s, "+212600088313").token}
	r.advance(t, "11m") // its code is ten minutes old
	boss.token = boss.enter()
	plain.refused(t, page, `value="invite"`, url.Values{"invite_address": {phone}, "invite_role": {"member"}}, http.StatusForbidden, phone)
	boss.send(t, page, `value="invite"`, url.Values{"invite_address": {phone}, "invite_role": {"member"}}, "L’invitation est partie.", "Travail de tous les jours")
	boss.reads(t, "/v/equipe")

	token, _ := r.person(t, phone) // its code comes after the invitation
	var box struct {
		Data []struct{ Params map[string]string }
	}
	r.ask(t, req{method: "GET", path: "/v1/demo/inbox?limit=5&address=" + url.QueryEscape(phone)}).into(t, &box)
	secret := ""
	for _, m := range box.Data {
		if m.Params["token"] != "" {
			secret = m.Params["token"]
		}
	}
	at := "/rejoindre/" + secret
	nobody, invited, wrong := &browser{rig: r}, &browser{rig: r, token: token}, &browser{rig: r, token: plain.token}
	nobody.open(t, at, "Quelqu’un vous invite", `/entrer?vers=`)
	if status, body, _ := wrong.do(t, "GET", at, nil); status != http.StatusNotFound || !strings.Contains(body, "Cette invitation n’est pas pour vous") {
		t.Errorf("somebody else's invitation is answered %d: %.400s", status, inside(body))
	}
	if status, _, _ := wrong.do(t, "POST", at, url.Values{}); status != http.StatusNotFound {
		t.Errorf("accepting somebody else's invitation is answered %d", status)
	}
	if got := r.shows(t, token, "/v1/invitations/"+secret); !strings.Contains(got, s.org) {
		t.Errorf("the invitation is %s", got)
	}
	page = invited.open(t, at, s.name, "vous invite à travailler", "vendre et remettre les colis")
	invited.reads(t, at)
	invited.send(t, page, "", nil, "Vendre")
	if status, _, _ := invited.do(t, "GET", at, nil); status != http.StatusNotFound {
		t.Errorf("an invitation that was accepted is answered %d", status)
	}
	if page := invited.open(t, "/v"); strings.Contains(page, `href="/v/dossier"`) {
		t.Error("who does not speak for the member is shown the way to its dossier")
	}
	if status, _, _ := invited.do(t, "GET", "/v/dossier", nil); status != http.StatusForbidden {
		t.Errorf("who does not speak for the member opens its dossier: %d", status)
	}
	invited.open(t, "/v/equipe", "Une autre personne de votre équipe invite")
	page = boss.open(t, "/v/equipe")
	var list struct{ Data []struct{ ID, Role string } }
	r.ask(t, req{key: s.key, method: "GET", path: "/v1/organisations/" + s.org + "/members"}).into(t, &list)
	for _, m := range list.Data {
		if m.Role == "member" {
			boss.send(t, page, `value="remove"`, url.Values{"remove_member": {m.ID}}, "Cette personne n’a plus accès.")
		}
	}
	if status, _, _ := invited.do(t, "GET", "/v", nil); status == http.StatusOK { // its session has ended with its place
		t.Errorf("who was sent away is answered %d", status)
	}
	r.verify(t)
}
