// Package site is what the desks' pages stand on: who visits, in which
// language, how a page asks the hub's own interface for what it shows, and what
// keeps the pages safe. Pages are a client of /v1 like any other: they bring the
// visitor's own token, so the same walls stand behind them.
package site

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"strings"

	"github.com/a-h/templ"

	"tiwiza/web/ui"
)

// A Site is what all desks share.
type Site struct {
	API    http.Handler // the hub's interface, /v1/…
	Static *Static
	Origin string // scheme and host that visitors see
	Phone  string // whom sellers and couriers call; "" nobody
	Demo   bool   // a demonstration says so, and how to sign in
}

// A Visit is one request for a page.
type Visit struct {
	*ui.Page
	W    http.ResponseWriter
	R    *http.Request
	site *Site
	form url.Values
	who  *Who
	key  string // instead of the cookies'
	// stale is that the interface wants to see once more who this is, before it does
	// what a form asked for.
	stale bool
}

// A Handler makes a page. An error becomes a page that says what to do.
type Handler func(v *Visit) error

// Page serves a desk's handler.
func (s *Site) Page(desk ui.Desk, h Handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v := s.visit(desk, w, r)
		v.secure()
		defer v.clear()
		if err := h(v); err != nil {
			v.Fail(err)
		}
	}
}

// clear takes away what of a large form lay on the disk.
func (v *Visit) clear() {
	if v.R.MultipartForm != nil {
		_ = v.R.MultipartForm.RemoveAll() // the system clears its own folder too
	}
}

type langKey struct{}

func (s *Site) visit(desk ui.Desk, w http.ResponseWriter, r *http.Request) *Visit {
	lang, ok := r.Context().Value(langKey{}).(ui.Lang)
	if !ok {
		lang = ui.French
	}
	p := &ui.Page{Lang: lang, Desk: desk, Path: r.URL.Path, Query: r.URL.Query(), Origin: s.Origin, Static: s.Static.Path}
	if desk == ui.Operator || desk == ui.Partner || desk == ui.Office {
		p.Nonce = nonce()
	}
	v := &Visit{Page: p, W: w, R: r, site: s}
	p.Basket = v.basketCount()
	return v
}

// Context is the request's.
func (v *Visit) Context() context.Context { return v.R.Context() }

// Show writes a page once it is whole.
func (v *Visit) Show(c templ.Component) error { return v.ShowAs(http.StatusOK, c) }

// ShowAs is Show with a status: 422 with a form that is to be corrected.
func (v *Visit) ShowAs(status int, c templ.Component) error {
	if v.stale && v.R.Method == http.MethodPost && v.R.MultipartForm == nil {
		status, c = http.StatusForbidden, v.again()
	}
	b := templ.GetBuffer()
	defer templ.ReleaseBuffer(b)
	if err := c.Render(v.R.Context(), b); err != nil {
		return err
	}
	h := v.W.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	if h.Get("Cache-Control") == "" {
		if v.Public {
			h.Set("Cache-Control", "private, no-cache")
		} else {
			h.Set("Cache-Control", "no-store")
		}
	}
	send(v.W, v.R, status, b.Bytes())
	return nil
}

// Go sends the visitor to another page of this site, after a form was taken. A
// script that sent the form is told where, and fetches nothing twice.
func (v *Visit) Go(path string, queries ...string) error {
	if v.R.Header.Get("Goes") != "" {
		v.W.Header().Set("Goes-To", v.Href(path, queries...))
		v.W.WriteHeader(http.StatusNoContent)
		return nil
	}
	http.Redirect(v.W, v.R, v.Href(path, queries...), http.StatusSeeOther)
	return nil
}

// Fail shows what went wrong and what to do.
func (v *Visit) Fail(err error) {
	status, key := reason(err)
	if status == http.StatusUnauthorized && v.R.Method == http.MethodGet {
		_ = v.Go("/entrer", "vers", v.Href(v.Path)+query(v.R))
		return
	}
	if Code(err) == "auth.passkey" && v.R.Method == http.MethodGet && v.R.Header.Get("HX-Request") == "" {
		http.Redirect(v.W, v.R, v.onward(err), http.StatusSeeOther) // straight to the passkey, and back here
		return
	}
	if status == http.StatusUnprocessableEntity && v.R.Method == http.MethodGet {
		status = http.StatusBadRequest // nothing was filled in: the address is wrong
	}
	if status >= http.StatusInternalServerError && v.R.Context().Err() == nil {
		slog.ErrorContext(v.R.Context(), "page failed", "path", v.R.URL.Path, "error", err)
	}
	v.Title, v.Public, v.Menu = v.T(key), false, nil
	help := v.T(key + "_help")
	if code := Code(err); code == "auth.passkey" || code == "auth.step_up" {
		v.Title = v.T("common.sign_in")
	}
	if said, ok := v.known(err); ok {
		help = said
	}
	if err := v.ShowAs(status, ui.Problem(v.Page, help, v.onward(err))); err != nil {
		slog.ErrorContext(v.R.Context(), "page of a problem failed", "error", err)
		http.Error(v.W, "The page cannot be shown.", http.StatusInternalServerError)
	}
}

// onward is where the page of a problem leads: to showing once more who one is
// when that is what was missing, to adding a passkey for who has none.
func (v *Visit) onward(err error) string {
	code := Code(err)
	if code != "auth.passkey" && code != "auth.step_up" {
		return v.home()
	}
	then := v.home()
	if v.R.Method == http.MethodGet {
		then = v.Href(v.Path) + query(v.R)
	}
	if who, err := v.Who(); code == "auth.passkey" && err == nil && who.Passkeys == 0 {
		return v.Href("/entrer/cle", "vers", then)
	}
	return v.Href("/entrer/encore", "vers", then)
}

// again asks to show once more who one is, and keeps what the form sent: nothing
// that was typed is lost.
func (v *Visit) again() templ.Component {
	device := v.Desk == ui.Operator || v.Desk == ui.Partner || v.Desk == ui.Office // there a code is not enough
	v.Desk, v.Nonce, v.Menu, v.Public = ui.Shop, "", nil, false
	v.secure() // its own script asks for the passkey
	v.Title = v.T("enter.again_title")
	return ui.AgainPage(v.Page, ui.Again{Then: v.Href(v.Path) + query(v.R), Kept: v.Form(), Device: device})
}

func query(r *http.Request) string {
	if r.URL.RawQuery == "" {
		return ""
	}
	return "?" + r.URL.RawQuery
}

func (v *Visit) home() string {
	switch v.Desk {
	case ui.Seller:
		return v.Href("/v")
	case ui.Operator:
		return v.Href("/op")
	case ui.Office:
		return v.Href("/i")
	case ui.Partner:
		return v.Href("/b")
	}
	return v.Href("/")
}

// Handler serves pages in all languages: the language is the first part of the
// path, French has none. Requests that change something are refused when they
// come from another site; the pages in open are for them.
func (s *Site) Handler(pages *http.ServeMux, open ...string) http.Handler {
	guard := http.NewCrossOriginProtection()
	for _, pattern := range open {
		guard.AddInsecureBypassPattern(pattern)
	}
	guard.SetDenyHandler(s.Page(ui.Shop, func(*Visit) error { return errCross }))
	inner := guard.Handler(pages)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if to, ok := s.elsewhere(r); ok {
			w.Header().Set("Vary", "Accept-Language, Sec-Fetch-Site")
			http.Redirect(w, r, to, http.StatusSeeOther)
			return
		}
		lang, path, found := ui.CutLang(r.URL.Path)
		if found && lang == ui.French && r.Method == http.MethodGet {
			http.Redirect(w, r, path+query(r), http.StatusMovedPermanently)
			return
		}
		r = r.WithContext(context.WithValue(r.Context(), langKey{}, lang))
		if found {
			u := *r.URL
			u.Path, u.RawPath = path, ""
			r.URL = &u
		}
		inner.ServeHTTP(w, r)
	})
}

// elsewhere is where a visitor is sent for the language: «?lang=ar» as links of
// before have it, or a first visit of the market with a browser that speaks
// another one.
func (s *Site) elsewhere(r *http.Request) (to string, ok bool) {
	if r.Method != http.MethodGet {
		return "", false
	}
	if l, ok := ui.ParseLang(r.URL.Query().Get("lang")); ok {
		_, path, _ := ui.CutLang(r.URL.Path)
		q := r.URL.Query()
		q.Del("lang")
		to = ui.Href(l, path)
		if len(q) > 0 {
			to += "?" + q.Encode()
		}
		return to, true
	}
	if r.URL.Path != "/" || strings.HasPrefix(r.Header.Get("Sec-Fetch-Site"), "same-") {
		return "", false
	}
	l := ui.Prefer(r.Header.Get("Accept-Language"))
	return ui.Href(l, "/") + query(r), l != ui.French
}
