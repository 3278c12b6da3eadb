package main

import (
	"strings"
	"testing"
)

const dossiers, consents = "/v1/dossiers/", "/v1/consents"

// form is something to put into a dossier.
func form(title string) map[string]any {
	return map[string]any{"section": "financial", "title": title, "form": map[string]any{"chiffre": 12}}
}

// lets is a consent for a purpose.
func lets(who, whom, purpose string, days int) map[string]any {
	return map[string]any{who: whom, "purpose": purpose, "sections": []string{"financial"}, "days": days}
}

// shared shares a dossier with a bank, sees it look, and takes the consent back.
func shared(t *testing.T, r *rig, _ trade) {
	s, bank := r.seller(t), r.keys.Bank.APIKey
	mine := "/v1/organisations/" + s.org + "/dossier"
	var f struct{ ID string }
	r.ask(t, req{key: s.key, method: "POST", path: "/v1/files?kind=proof", body: "%PDF-1.4\n% bilan\n%%EOF", media: "application/pdf"}).into(t, &f)
	paper := r.posts(t, s.key, mine, map[string]any{"section": "financial", "title": "bilan", "file": f.ID}).ID
	other := r.posts(t, s.key, mine, form("prévisions")).ID
	var c struct{ ID, Digest string }
	r.ask(t, req{key: bank, method: "POST", path: "/v1/consent-requests", body: lets("owner", s.org, "credit", 90), idem: once()}).into(t, &c)
	r.ask(t, req{key: bank, method: "GET", path: dossiers + s.org}).refused(t, 404, "sharing.not_found")
	r.posts(t, s.key, consents+"/"+c.ID+"/answer", map[string]string{"decision": "grant", "digest": c.Digest})
	if d := r.shows(t, bank, dossiers+s.org); !strings.Contains(d, paper) {
		t.Errorf("the bank sees %s", d)
	}
	r.shows(t, bank, dossiers+s.org+"/items/"+other)
	if got := r.ask(t, req{key: bank, method: "GET", path: dossiers + s.org + "/items/" + paper + "/content"}); got.status != 200 || !strings.Contains(string(got.body), c.ID) {
		t.Errorf("%s answers %d without its mark", got.what, got.status)
	}
	if looks := r.shows(t, s.key, "/v1/organisations/"+s.org+"/consultations"); strings.Count(looks, `"seq"`) != 3 || !strings.Contains(looks, "a téléchargé votre «bilan»") {
		t.Errorf("the owner reads %s", looks)
	}
	r.shows(t, s.key, consents)
	r.shows(t, s.key, consents+"/"+c.ID)
	r.posts(t, s.key, consents+"/"+c.ID+"/withdraw", nothing)
	r.ask(t, req{key: bank, method: "GET", path: dossiers + s.org + "/items/" + other}).refused(t, 403, "sharing.ended")

	programme := r.posts(t, r.operator(), "/v1/programmes", map[string]any{"names": map[string]string{"fr": "Programme (exemple)"}}).ID
	r.posts(t, r.operator(), "/v1/programmes/"+programme+"/participants", map[string]string{"organisation": r.self(t, bank)})
	r.shows(t, s.key, "/v1/programmes")
	r.posts(t, s.key, consents, lets("programme", programme, "programme", 30))
	r.shows(t, bank, dossiers+s.org)
	r.posts(t, s.key, "/v1/dossier-items/"+other+"/versions", map[string]any{"form": map[string]any{"chiffre": 13}})
	r.shows(t, s.key, "/v1/dossier-items/"+other)
	r.posts(t, s.key, "/v1/dossier-items/"+other+"/retire", nothing)
	r.shows(t, s.key, mine)
	r.posts(t, r.operator(), dossiers+s.org+"/break-glass", breaks("Réquisition du tribunal (exemple)."))
}

func breaks(why string) map[string]any {
	return map[string]any{"reason": why, "sections": []string{"social"}}
}

// The routes of sharing, for the suite of what happens once.
func init() {
	with := func(key, by, path string, body, bad, other any) posting {
		p := posting{by: by}
		p.key, p.path, p.body = key, path, body
		p.bad, p.other = p.at(path, bad), p.at(path, other)
		return p.moved()
	}
	mine := func(o *onceRig) string { return "/v1/organisations/" + o.shop.org + "/dossier" }
	postings["dossiers.add"] = func(_ *testing.T, o *onceRig) posting {
		title := mark("Bilan")
		p := with(o.shop.key, o.stranger.key, mine(o), form(title), form(" "), form(title+" !"))
		p.effect, p.of = `select count(*) from sharing.item where title = $1`, title
		return p
	}
	postings["dossiers.replace"] = func(t *testing.T, o *onceRig) posting {
		item := o.posts(t, o.shop.key, mine(o), form("Bilan")).ID
		of := func(v any) map[string]any { return map[string]any{"form": v} }
		p := with(o.shop.key, o.stranger.key, "/v1/dossier-items/"+item+"/versions", of(map[string]int{"a": 1}), of(map[string]int{}), of(map[string]int{"a": 2}))
		p.effect, p.of = trail("dossiers.replace", item)
		return p
	}
	postings["dossiers.retire"] = func(t *testing.T, o *onceRig) posting {
		item := o.posts(t, o.shop.key, mine(o), form("Bilan")).ID
		p := with(o.shop.key, o.stranger.key, "/v1/dossier-items/"+item+"/retire", nil, nil, nil)
		p.effect, p.of = trail("dossiers.retire", item)
		return p
	}
	postings["dossiers.break_glass"] = func(_ *testing.T, o *onceRig) posting {
		why := mark("Réquisition du tribunal, exemple")
		p := with(o.operator(), o.keys.SecondOperator.APIKey, dossiers+o.shop.org+"/break-glass", breaks(why), breaks("court"), breaks(why+" bis"))
		p.effect, p.of = `select count(*) from sharing.glass where reason = $1`, why
		return p
	}
	postings["consents.give"] = func(t *testing.T, o *onceRig) posting {
		bank := o.self(t, o.keys.Bank.APIKey)
		p := with(o.stranger.key, o.shop.key, consents, lets("grantee", bank, "label", 9), lets("grantee", "org_none", "label", 9), lets("grantee", bank, "label", 8))
		p.effect, p.of = `select count(*) from sharing.consent where owner = $1 and purpose = 'label'`, o.stranger.org
		return p
	}
	asked := func(t *testing.T, o *onceRig) (s *shop, at string) {
		s = o.seller(t)
		return s, consents + "/" + o.posts(t, o.keys.Bank.APIKey, "/v1/consent-requests", lets("owner", s.org, "credit", 9)).ID
	}
	postings["consents.ask"] = func(t *testing.T, o *onceRig) posting {
		s := o.seller(t)
		p := with(o.keys.Bank.APIKey, o.buyer(t), "/v1/consent-requests", lets("owner", s.org, "credit", 9), lets("owner", "org_none", "credit", 9), lets("owner", s.org, "credit", 8))
		p.effect, p.of = `select count(*) from sharing.consent where owner = $1`, s.org
		return p
	}
	postings["consents.answer"] = func(t *testing.T, o *onceRig) posting {
		s, at := asked(t, o)
		says := func(word string) map[string]string { return map[string]string{"decision": word} }
		p := with(s.key, o.stranger.key, at+"/answer", says("refuse"), says("perhaps"), says("grant"))
		p.effect, p.of = trail("consents.answer", at[len(consents)+1:])
		return p
	}
	postings["consents.withdraw"] = func(t *testing.T, o *onceRig) posting {
		id := o.posts(t, o.shop.key, consents, lets("grantee", o.self(t, o.keys.Bank.APIKey), "credit", 9)).ID
		p := with(o.shop.key, o.stranger.key, consents+"/"+id+"/withdraw", nil, nil, nil)
		p.effect, p.of = trail("consents.withdraw", id)
		return p
	}
	postings["programmes.make"] = func(_ *testing.T, o *onceRig) posting {
		name := mark("Programme exemple")
		of := func(lang, name string) map[string]any {
			return map[string]any{"names": map[string]string{lang: name}}
		}
		p := with(o.operator(), o.keys.SecondOperator.APIKey, "/v1/programmes", of("fr", name), of("ar", name), of("fr", name+" !"))
		p.effect, p.of = `select count(*) from sharing.programme where names ->> 'fr' = $1`, name
		return p
	}
	postings["programmes.enlist"] = func(t *testing.T, o *onceRig) posting {
		id := o.posts(t, o.operator(), "/v1/programmes", map[string]any{"names": map[string]string{"fr": mark("Programme exemple")}}).ID
		of := func(org string) map[string]string { return map[string]string{"organisation": org} }
		p := with(o.operator(), o.keys.SecondOperator.APIKey, "/v1/programmes/"+id+"/participants", of(o.shop.org), of("org_none"), of(o.stranger.org))
		p.effect, p.of = trail("programmes.enlist", id)
		return p
	}
}
