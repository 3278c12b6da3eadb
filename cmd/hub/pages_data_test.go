package main

import (
	"net/http"
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
	s.sees(http.StatusOK, "Vous n’avez pas dit oui", "répondue")
	s.fills("/moi/donnees/effacer")
	s.sees(http.StatusOK, "Gardez cette adresse", "/v1/erasure-certificates/")
	s.opens("/moi/donnees")
	s.sees(http.StatusOK, "Vos données seront effacées le")
	if strings.Contains(s.page, "/v1/erasure-certificates/") {
		t.Error("the certificate's address is shown twice")
	}
	s.fills("/moi/donnees/garder")
	s.sees(http.StatusOK, "Demander l’effacement")
}
