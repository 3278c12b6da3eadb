package main

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// shopData has somebody read what is done with its data, take it away, ask, object and
// think better of being forgotten, by pages.
func shopData(t *testing.T, r *rig, _ *shop) {
	s := r.shops(t)
	for lang, says := range map[string]string{"": "Déclaration en cours", "/ar": "التصريح جار", "/en": "Declaration under way"} {
		s.opens(lang + "/donnees-personnelles")
		s.sees(http.StatusOK, says)
	}
	s.opens("/moi/donnees")
	if !strings.HasPrefix(s.at, "/entrer") {
		t.Errorf("signed out, one is led to %s", s.at)
	}
	const phone = "+212661000078"
	s.fills("/entrer", "adresse", phone)
	s.fills("/entrer/code", "code", r.codeFor(t, phone))
	s.opens("/moi/donnees")
	s.sees(http.StatusOK, "Mes données", "Demander l’effacement", "Vous n’avez pas dit oui")
	for lang, says := range map[string]string{"/ar": "معطياتي", "/en": "My data"} {
		s.opens(lang + "/moi/donnees")
		s.sees(http.StatusOK, says)
	}
	s.opens("/moi/donnees")
	s.fills("/moi/donnees/copie")
	r.until(t, "the copy", func() bool {
		s.opens("/moi/donnees")
		return strings.Contains(s.page, "/page\"")
	})
	_, after, _ := strings.Cut(s.page, `href="/moi/donnees/pex_`)
	at := "/moi/donnees/pex_" + after[:strings.Index(after, "/")]
	s.opens(at + "/page")
	s.sees(http.StatusOK, "Vos données", phone)
	s.opens(at + "/json")
	s.sees(http.StatusOK, phone, "tiwiza.personal_data.v1")
	s.opens("/moi/donnees")
	s.fills("/moi/donnees/demande", "sorte", "rectification", "sujet", "accounts", "texte", "")
	s.sees(http.StatusUnprocessableEntity, "Dites en quelques mots")
	s.fills("/moi/donnees/demande", "sorte", "rectification", "sujet", "accounts", "texte", "Mon nom <b>est</b> faux.")
	s.sees(http.StatusOK, "Mon nom <b>est</b> faux.", "reçue")
	s.fills("/moi/donnees/lettres", "oui", "1")
	s.sees(http.StatusOK, "Vous avez dit oui")
	s.fills("/moi/donnees/demande", "sorte", "objection", "sujet", "marketing", "texte", "")
	s.sees(http.StatusOK, "Vous n’avez pas dit oui", "répondue", "Vous avez accepté : qu’on vous écrive", "sur cette page", "Vous avez retiré votre accord : qu’on vous écrive", "J’accepte que la place de marché m’écrive", "En cours")
	for lang, says := range map[string]string{"/ar": "سحبتم موافقتكم", "/en": "You took back your agreement"} {
		s.opens(lang + "/moi/donnees")
		s.sees(http.StatusOK, says)
	}
	s.opens("/moi/donnees")
	s.fills("/moi/donnees/effacer")
	s.sees(http.StatusOK, "Gardez cette adresse", "/effacement/")
	_, after, _ = strings.Cut(s.page, "/effacement/")
	certificate := "/effacement/" + after[:strings.Index(after, `"`)]
	for lang, says := range map[string]string{"": "Certificat d’effacement", "/ar": "شهادة المحو", "/en": "Certificate of erasure"} {
		s.opens(lang + certificate)
		s.sees(http.StatusOK, says)
	}
	s.opens("/effacement/none")
	s.sees(http.StatusNotFound)
	s.opens("/moi/donnees")
	s.sees(http.StatusOK, "Vos données seront effacées le")
	if strings.Contains(s.page, "/effacement/") {
		t.Error("the certificate's address is shown twice")
	}
	s.fills("/moi/donnees/garder")
	s.sees(http.StatusOK, "Demander l’effacement")
}

// answersAboutData has the operator answer what people asked about their data.
func (r *rig) answersAboutData(t *testing.T, b *browser) {
	key := r.buyer(t)
	for _, text := range []string{"Mon nom a deux z.", "Mon adresse est fausse."} {
		r.posts(t, key, "/v1/me/data-requests", map[string]string{"kind": "rectification", "about": "accounts", "text": text})
	}
	if all := r.shows(t, key, "/v1/accords"); !strings.Contains(all, `"data":[]`) {
		t.Errorf("who was asked nothing has said %s", all)
	}
	page := b.open(t, "/op/donnees", "Mon nom a deux z.", "Personne n’a demandé", "Ce qui part seul", "six mois")
	first := regexp.MustCompile(`demande=(drq_[0-9a-z]+)`).FindStringSubmatch(page)
	if first == nil {
		t.Fatalf("no request leads on: %.800s", inside(page))
	}
	at := "/op/donnees?demande=" + first[1]
	b.refused(t, b.open(t, at, "Ce que la personne lira"), "refused", url.Values{"refused_note": {""}}, http.StatusUnprocessableEntity)
	b.send(t, b.open(t, at), "answered", url.Values{"answered_note": {"C'est corrigé."}}, "La personne a sa réponse.")
	if all := r.shows(t, r.operator(), "/v1/data-requests?state=answered"); !strings.Contains(all, first[1]) || !strings.Contains(all, "C'est corrigé.") {
		t.Errorf("answered are %s", all)
	}
	b.open(t, "/op/donnees?etat=answered", "Faire corriger")
}
