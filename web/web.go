// Package web is what visitors see: plain pages that list the offers, open one
// and search, in French and Arabic, on small screens and without scripts.
package web

import (
	"bytes"
	"embed"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"path"
	"strings"

	"tiwiza/marketplace/catalog"
	"tiwiza/pkg/fault"
)

//go:embed static templates
var files embed.FS

var pages = template.Must(template.ParseFS(files, "templates/*.html"))

// site serves the pages.
type site struct {
	catalog *catalog.Service
	papers  Papers
	images  fs.FS
}

// New makes the handler of /, /offres/, /factures/, /paiement/, /static/ and /media/.
// Pictures come from images, by file name.
func New(c *catalog.Service, papers Papers, images fs.FS) http.Handler {
	s := &site{c, papers, images}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.list)
	mux.HandleFunc("GET /offres/{offer}", s.offer)
	mux.HandleFunc("GET /factures/{invoice}", s.invoice)
	mux.HandleFunc("/paiement/{group}", s.returned)
	mux.Handle("GET /static/", cached(http.FileServerFS(files)))
	mux.HandleFunc("GET /media/{file}", s.media)
	mux.HandleFunc("/", s.unknown)
	return secured(mux)
}

// policy is what the pages may load: nothing but their own styles, faces and
// pictures, and no script at all.
const policy = "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

func secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		next.ServeHTTP(w, r)
	})
}

// cached lets files that only change with the program be kept for an hour. A
// folder is not listed.
func cached(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/") {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Cache-Control", "public, max-age=3600")
		next.ServeHTTP(w, r)
	})
}

// kinds of pictures.
var kinds = map[string]string{".svg": "image/svg+xml", ".png": "image/png", ".jpg": "image/jpeg", ".webp": "image/webp"}

// media serves a picture. An SVG opened by itself runs nothing.
func (s *site) media(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("file")
	kind, ok := kinds[path.Ext(name)]
	if !ok || !fs.ValidPath(name) {
		s.unknown(w, r)
		return
	}
	b, err := fs.ReadFile(s.images, name)
	if err != nil {
		s.unknown(w, r)
		return
	}
	w.Header().Set("Content-Security-Policy", "default-src 'none'; sandbox")
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Cache-Control", "public, max-age=3600")
	_, _ = w.Write(b) // the visitor may be gone
}

// A page is what every page has.
type page struct {
	Lang, Dir          string
	T                  map[string]string
	Title              string
	Home               string
	InFrench, InArabic string // this page in the other language
	Q, Category        string // of the search form
}

// newPage reads the language asked for: French unless ?lang=ar.
func newPage(r *http.Request) page {
	p := page{Lang: "fr", Dir: "ltr"}
	if r.URL.Query().Get("lang") == "ar" {
		p.Lang, p.Dir = "ar", "rtl"
	}
	p.T = texts[p.Lang]
	p.Home = p.href("/")
	p.InFrench, p.InArabic = inLanguage(r.URL, ""), inLanguage(r.URL, "ar")
	return p
}

// inLanguage is the address of the same page in another language; "" is French.
func inLanguage(u *url.URL, lang string) string {
	q := u.Query()
	q.Del("lang")
	if lang != "" {
		q.Set("lang", lang)
	}
	return address(u.EscapedPath(), q)
}

// href is an address on this site, in the page's language; queries are names
// and values, of which empty ones are left out.
func (p page) href(path string, queries ...string) string {
	q := url.Values{}
	for i := 0; i < len(queries); i += 2 {
		if queries[i+1] != "" {
			q.Set(queries[i], queries[i+1])
		}
	}
	if p.Lang == "ar" {
		q.Set("lang", "ar")
	}
	return address(path, q)
}

func address(path string, q url.Values) string {
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

// show writes a page once it is whole.
func show(w http.ResponseWriter, r *http.Request, status int, name string, data any) {
	var b bytes.Buffer
	if err := pages.ExecuteTemplate(&b, name, data); err != nil {
		slog.ErrorContext(r.Context(), "page cannot be written", "page", name, "error", err)
		http.Error(w, "The page cannot be shown.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if w.Header().Get("Cache-Control") == "" {
		w.Header().Set("Cache-Control", "no-cache")
	}
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // the visitor may be gone
}

// unknown answers addresses that lead nowhere.
func (s *site) unknown(w http.ResponseWriter, r *http.Request) {
	s.problem(w, r, catalog.ErrNotFound)
}

// returned is where the acquirer's page sends the buyer back to. It decides
// nothing: what it brings with it is the browser's word. A post is answered with
// a redirect, so that reloading sends nothing again.
func (s *site) returned(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodPost:
		r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
		to := url.URL{Path: r.URL.Path}
		if r.PostFormValue("lang") == "ar" {
			to.RawQuery = "lang=ar"
		}
		http.Redirect(w, r, to.String(), http.StatusSeeOther)
	case http.MethodGet, http.MethodHead:
		p := struct {
			page
			Help string
		}{page: newPage(r)}
		p.Title, p.Help = p.T["returned"], p.T["returnedHelp"]
		show(w, r, http.StatusOK, "problem", p)
	default:
		w.Header().Set("Allow", "GET, HEAD, POST")
		http.Error(w, "GET or POST", http.StatusMethodNotAllowed)
	}
}

// problem shows a page that says what went wrong and what to do.
func (s *site) problem(w http.ResponseWriter, r *http.Request, err error) {
	p := struct {
		page
		Help string
	}{page: newPage(r)}
	status, what := http.StatusInternalServerError, "failed"
	switch fault.KindOf(err) {
	case fault.NotFound:
		status, what = http.StatusNotFound, "notFound"
	case fault.Malformed, fault.Invalid:
		status, what = http.StatusBadRequest, "wrong"
	case fault.Unavailable:
		status = http.StatusServiceUnavailable
	}
	if status >= 500 && r.Context().Err() == nil { // not because the visitor left
		slog.ErrorContext(r.Context(), "page failed", "path", r.URL.Path, "error", err)
	}
	p.Title, p.Help = p.T[what], p.T[what+"Help"]
	show(w, r, status, "problem", p)
}
