package world

import (
	"bytes"
	_ "embed"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"slices"
)

// The page of the stand-ins: what they executed, and the fault that a person has one
// of them play next. It works without scripts.

//go:embed page.html
var pageText string

var page = template.Must(template.New("page").Parse(pageText))

// mostShown bounds what the page shows.
const mostShown = 200

// Newest gives the last of a list first, up to the most that a page shows.
func Newest[T any](all []T) []T {
	all = slices.Clone(all[max(0, len(all)-mostShown):])
	slices.Reverse(all)
	return all
}

// home shows the page, of one partner when the address names it.
func (w *World) home(rw http.ResponseWriter, r *http.Request) {
	w.show(rw, http.StatusOK, r.URL.Query().Get("partenaire"), "")
}

func (w *World) show(rw http.ResponseWriter, status int, partner, failed string) {
	if !slices.Contains(Partners, partner) {
		partner = ""
	}
	did := slices.DeleteFunc(w.Truth(""), func(e Executed) bool { return partner != "" && e.Partner != partner })
	in := map[string]any{"Error": failed, "Partners": Partners, "Partner": partner, "Now": w.Now(), "Armed": w.ArmedFaults(), "Executed": Newest(did), "Count": len(did)}
	if partner != "" {
		in["Plays"] = Plays(partner)
	}
	Page(rw, status, page, in)
}

// postHome arms the fault that a person chose, or takes it back.
func (w *World) postHome(rw http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(rw, r.Body, 1<<16)
	if err := r.ParseForm(); err != nil {
		w.show(rw, http.StatusBadRequest, "", "Le formulaire ne se lit pas.")
		return
	}
	times, known := map[string]int{"jouer": 1, "cinq": 5, "annuler": 0}[r.PostFormValue("faire")]
	partner := r.PostFormValue("partenaire")
	if !known {
		w.show(rw, http.StatusUnprocessableEntity, partner, "Choisissez ce qu’il faut faire.")
		return
	}
	switch err := w.Arm(Armed{partner, r.PostFormValue("faute"), times}); {
	case errors.Is(err, ErrUnknownFault), errors.Is(err, ErrSenseless):
		w.show(rw, http.StatusUnprocessableEntity, partner, err.Error())
	case err != nil:
		w.show(rw, http.StatusInternalServerError, partner, err.Error())
	default:
		http.Redirect(rw, r, "/?partenaire="+url.QueryEscape(partner), http.StatusSeeOther)
	}
}

// Page writes a page that loads nothing from elsewhere and that nobody keeps.
func Page(rw http.ResponseWriter, status int, t *template.Template, in any) {
	var out bytes.Buffer
	if err := t.Execute(&out, in); err != nil {
		Problem(rw, http.StatusInternalServerError, "sim.page", err.Error())
		return
	}
	h := rw.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
	rw.WriteHeader(status)
	_, _ = rw.Write(out.Bytes()) // a browser that went away has nothing to be told
}
