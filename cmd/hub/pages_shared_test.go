package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// entersWithCode signs in by the pages, with the code that was sent to a number.
func (s *patron) entersWithCode(r *rig, typed, number, then string) {
	s.t.Helper()
	s.opens("/entrer?vers=" + url.QueryEscape(then))
	s.fills("/entrer", "adresse", typed)
	s.fills("/entrer/code", "code", r.codeFor(s.t, number))
}

// shopShared leaves a telephone to the next one and comes back by a PIN.
func shopShared(t *testing.T, r *rig, _ *shop) {
	s := r.shops(t)
	s.opens("/qui")
	if !strings.HasPrefix(s.at, "/entrer") {
		t.Errorf("a telephone that nobody left leads to %s", s.at)
	}
	s.entersWithCode(r, "06 61 00 00 71", "+212661000071", "/moi")
	s.sees(http.StatusOK, "Laisser le téléphone")
	s.fills("/moi/laisser", "x", "")
	s.sees(http.StatusOK, "Votre code PIN")
	for _, c := range []struct{ pin, again, says string }{
		{"12", "12", "Écrivez quatre chiffres."}, {"4071", "4072", "Les deux ne sont pas pareils."}, {"1234", "1234", "Ce PIN est trop facile."},
	} {
		s.fills("/moi/pin", "pin", c.pin, "encore", c.again)
		s.sees(http.StatusUnprocessableEntity, c.says)
	}
	s.fills("/moi/pin", "pin", "4071", "encore", "4071")
	s.sees(http.StatusOK, "Qui êtes-vous", "Sans nom")
	if s.at != "/qui" || s.jar["__Host-session"] != "" {
		t.Fatalf("the telephone is left at %s, with the session %q", s.at, s.jar["__Host-session"])
	}
	_, at, found := strings.Cut(s.page, `href="/qui/`)
	at, _, _ = strings.Cut(at, `"`)
	if !found {
		t.Fatal("nobody is there to choose")
	}
	s.opens("/moi")
	if !strings.HasPrefix(s.at, "/entrer") {
		t.Errorf("a telephone that was left shows %s", s.at)
	}
	// Somebody else signs in meanwhile, and leaves again.
	s.entersWithCode(r, "06 61 00 00 72", "+212661000072", "/moi/pin?vers=laisser")
	s.fills("/moi/pin", "pin", "7315", "encore", "7315", "vers", "laisser")
	s.sees(http.StatusOK, "Qui êtes-vous")
	if n := strings.Count(s.page, `href="/qui/`); n != 2 {
		t.Errorf("%d people left the telephone, want 2", n)
	}
	s.opens("/ar/qui")
	s.sees(http.StatusOK, "من أنتم")
	s.opens("/qui/" + at)
	s.fills("/qui/", "pin", "7315") // the other one's
	s.sees(http.StatusUnprocessableEntity, "Ce PIN n’est pas le bon")
	s.fills("/qui/", "pin", "4071")
	s.sees(http.StatusOK, "Ma page")
	s.fills("/moi/laisser", "x", "")
	s.sees(http.StatusOK, "Qui êtes-vous")
	for range 5 {
		s.opens("/qui/" + at)
		s.fills("/qui/", "pin", "9999")
	}
	s.sees(http.StatusUnprocessableEntity, "Ce PIN n’est pas le bon")
	s.fills("/qui/", "pin", "4071")
	s.sees(http.StatusTooManyRequests, "Le PIN n’ouvre plus")
	s.entersWithCode(r, "06 61 00 00 71", "+212661000071", "/moi")
	s.sees(http.StatusOK, "Ma page")
	s.fills("/sortir", "x", "")
	s.opens("/qui")
	if n := strings.Count(s.page, `href="/qui/`); n != 1 {
		t.Errorf("%d people left the telephone, want the other one alone", n)
	}
}

// shopBack presses Back: after a form that was not taken, and from the bank's page.
func shopBack(t *testing.T, r *rig, maker *shop) {
	s, w := r.shops(t), r.ware(t, maker, 5, "60.00")
	s.takes(w.offer)
	s.fills("/panier", "telephone", "12", "nom", "Mon Nom", "commune", "Fès", "adresse", "Derb de l’Exemple, 12", "faire", "payer")
	s.sees(http.StatusOK, "Écrivez un numéro marocain", `value="Mon Nom"`)
	s.opens("/panier")
	s.sees(http.StatusOK, `value="Mon Nom"`)
	if strings.Contains(s.page, "Écrivez un numéro marocain") {
		t.Error("what was wrong is said again")
	}
	s.fills("/panier", append(newcomer[:len(newcomer):len(newcomer)], "payer", "card")...)
	group, _, _ := strings.Cut(s.at, "?")
	s.sees(http.StatusOK, "Aller à la banque")
	s.opens("/panier")
	s.sees(http.StatusOK, "Cette commande attend son paiement", `href="`+group+`"`)
}

// shopFirstKey signs somebody in whose desk asks for a passkey: with a code it is led
// to making one, and on to the desk.
func shopFirstKey(t *testing.T, r *rig, _ *shop) {
	s := r.shops(t)
	s.entersWithCode(r, r.keys.Operator.Phone, r.keys.Operator.Phone, "/op")
	s.sees(http.StatusOK, "Votre clé d’accès", `data-passkey="ajouter"`)
	if !strings.HasPrefix(s.at, "/entrer/cle") {
		t.Errorf("the first sign-in leads to %s", s.at)
	}
	s.opens("/op")
	s.sees(http.StatusOK, "Votre clé d’accès")
}

// shopSuspended opens pages of the desk of a cooperative that is suspended.
func shopSuspended(t *testing.T, r *rig, _ *shop) {
	maker := r.seller(t)
	d := r.sits(t, maker, "+212661000074")
	d.open(t, "/v", "Laisser le téléphone")
	r.ask(t, req{key: r.operator(), method: "POST", path: "/v1/organisations/" + maker.org + "/suspend", body: map[string]string{"note": "Statuts à renouveler (exemple)."}}).into(t, nil)
	for _, path := range []string{"/v", "/v/vendre", "/v/produits", "/v/argent"} {
		d.open(t, path, "Votre coopérative est suspendue.", "Statuts à renouveler (exemple).", "Appeler")
	}
	d.open(t, "/ar/v/vendre", "تعاونيتكم موقوفة.")
}
