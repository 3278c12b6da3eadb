package web_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"tiwiza/marketplace/catalog"
	"tiwiza/marketplace/media"
	"tiwiza/marketplace/members"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/blob"
	"tiwiza/pkg/blob/disk"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
	"tiwiza/pkg/picture"
	"tiwiza/pkg/rest"
	"tiwiza/search/pgsearch"
	"tiwiza/web"
)

const demo = "../cmd/hub/demo"

// anyone knows every organisation: an approved one by the name it goes by.
type anyone struct{}

// Sellers finds them.
func (anyone) Sellers(_ context.Context, _ pg.DB, ids []string) (map[string]members.Seller, error) {
	out := map[string]members.Seller{}
	for _, id := range ids {
		out[id] = members.Seller{ID: id, Active: true, Names: map[string]string{"fr": "Coopérative " + id + " (exemple)", "ar": "تعاونية " + id + " (مثال)"}}
	}
	return out, nil
}

// open serves the demonstration market.
func open(t *testing.T) (http.Handler, *pg.Store) {
	t.Helper()
	db := pgtest.New(t)
	folder, err := disk.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = folder.Close() })
	s := catalog.New(db, pgsearch.Open(db, pgsearch.Options{FacetAge: time.Nanosecond}), anyone{},
		media.New(db, blob.Over(folder), picture.NewPress(picture.PressOptions{})))
	file, err := os.ReadFile(demo + "/offers.csv")
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(file)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	bySeller := map[string][][]string{}
	for _, r := range rows[1:] {
		bySeller[r[0]] = append(bySeller[r[0]], r)
	}
	for seller, mine := range bySeller {
		var b bytes.Buffer
		if err := csv.NewWriter(&b).WriteAll(append([][]string{rows[0]}, mine...)); err != nil {
			t.Fatal(err)
		}
		ctx := auth.With(t.Context(), auth.Principal{Subject: seller, Role: auth.Seller})
		if r, err := s.Import(ctx, catalog.ImportInput{File: rest.File{Bytes: b.Bytes()}}); err != nil || len(r.Rejected) > 0 {
			t.Fatal(err, r.Rejected)
		}
	}
	return web.New(web.Hub{Catalog: s, Images: os.DirFS(demo + "/images")}), db
}

func get(t *testing.T, h http.Handler, path string, want int) (body string, header http.Header) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", path, http.NoBody))
	if w.Code != want {
		t.Fatalf("%s answers %d, want %d: %.300s", path, w.Code, want, w.Body)
	}
	return w.Body.String(), w.Header()
}

// contains checks that a page holds each text.
func contains(t *testing.T, page, body string, texts ...string) {
	t.Helper()
	for _, s := range texts {
		if !strings.Contains(body, s) {
			t.Errorf("%s lacks %q", page, s)
		}
	}
}

var (
	offerLink = regexp.MustCompile(`href="((?:/ar)?/p/[^"]+)"`)
	nextLink  = regexp.MustCompile(`rel="next" href="([^"]+)"`)
	drawn     = regexp.MustCompile(`src="(/media/[^"]+)"`)
)

func TestPagesInFrenchAndArabic(t *testing.T) {
	t.Parallel()
	h, _ := open(t)
	fr, header := get(t, h, "/", http.StatusOK)
	contains(t, "/", fr, `<html lang="fr" dir="ltr" class="shop">`, "Chercher", ">dessin<", "DH", `href="/ar"`, "(exemple)")
	if csp := header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") {
		t.Errorf("policy %q", csp)
	}
	for _, bad := range []string{"<script>", " style=", "javascript:", "onclick", "http://", "https://"} {
		if strings.Contains(fr, bad) {
			t.Errorf("the page holds %q", bad)
		}
	}
	ar, _ := get(t, h, "/ar", http.StatusOK)
	contains(t, "/ar", ar, `<html lang="ar" dir="rtl" class="shop">`, ">رسم<", "درهم", `href="/"`, "(مثال)", `href="/ar/p/`)
	offer := offerLink.FindStringSubmatch(fr)[1]
	one, _ := get(t, h, offer, http.StatusOK)
	contains(t, offer, one, "Origine", "Formats et prix", `<figcaption>dessin</figcaption>`, `href="/ar`+offer+`"`)
	one, _ = get(t, h, "/ar"+offer, http.StatusOK)
	contains(t, offer, one, "المنشأ", `dir="rtl"`)
}

func TestSearchFindsInBothLanguages(t *testing.T) {
	t.Parallel()
	h, _ := open(t)
	for q, want := range map[string]string{"argan": "argan", "زيت": "زيت", "tapis": "apis", "saffran": "Safran"} {
		lang := ""
		if q == "زيت" {
			lang = "/ar"
		}
		body, _ := get(t, h, lang+"/?q="+url.QueryEscape(q), http.StatusOK)
		contains(t, q, body, want, `value="`+q+`"`)
		if !offerLink.MatchString(body) {
			t.Errorf("%q finds nothing", q)
		}
	}
	body, _ := get(t, h, "/?q=xylophone", http.StatusOK)
	contains(t, "an empty result", body, "Aucune offre ne correspond", "Voir toutes les offres")
	body, _ = get(t, h, "/ar?q=xylophone", http.StatusOK)
	contains(t, "an empty result", body, "لا يوجد منتج مطابق")
	body, _ = get(t, h, "/?category=rugs", http.StatusOK)
	contains(t, "rugs", body, `Tapis`)
	body, _ = get(t, h, "/?q="+url.QueryEscape(`"><script>alert(1)</script>`), http.StatusOK)
	if strings.Contains(body, "<script>") {
		t.Error("what was typed runs")
	}
	if _, header := get(t, h, "/?q=%00%ff"+strings.Repeat("a", 5000), http.StatusOK); header.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Errorf("an odd query answers %v", header)
	}
}

// A visitor who reads Arabic, or looks at one category, goes on doing so.
func TestLinksKeepWhatWasChosen(t *testing.T) {
	t.Parallel()
	h, _ := open(t)
	ar, _ := get(t, h, "/ar", http.StatusOK)
	for _, m := range regexp.MustCompile(`href="([^"]*/p/[^"]+|[^"]*\?[^"]*category=[^"]+)"`).FindAllStringSubmatch(ar, -1) {
		if !strings.HasPrefix(m[1], "/ar") {
			t.Errorf("%s leaves Arabic", m[1])
		}
	}
	cats := 0
	for _, m := range regexp.MustCompile(`href="(/\?category=([a-z]+))"`).FindAllStringSubmatch(mustGet(t, h, "/"), -1) {
		cats++
		if next := nextLink.FindStringSubmatch(mustGet(t, h, m[1])); next != nil && !strings.Contains(next[1], "category="+m[2]) {
			t.Errorf("%s goes on to %s", m[1], next[1])
		}
	}
	if cats == 0 {
		t.Error("no categories")
	}
}

func TestWhatIsSoldOutSaysSoAndLargePricesCanBeRead(t *testing.T) {
	t.Parallel()
	h, db := open(t)
	if strings.Contains(mustGet(t, h, "/?q=tapis"), "tag bad") {
		t.Fatal("sold out from the start")
	}
	if _, err := db.Exec(t.Context(), `update catalog.variant set on_hand = 0, price = 123450000`); err != nil {
		t.Fatal(err)
	}
	contains(t, "/?q=tapis", mustGet(t, h, "/?q=tapis"), `class="tag bad"`, "1\u202f234\u202f500")
}

func mustGet(t *testing.T, h http.Handler, path string) string {
	t.Helper()
	body, _ := get(t, h, path, http.StatusOK)
	return body
}

func TestEachOfferIsOnOnePage(t *testing.T) {
	t.Parallel()
	h, db := open(t)
	want, err := pg.Value[int](t.Context(), db, nil, `select count(*) from search.document`)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for path, n := "/", 0; path != "" && n < 20; n++ {
		body, _ := get(t, h, path, http.StatusOK)
		if len(body) > 60_000 {
			t.Errorf("%s has %d bytes, want at most 60,000", path, len(body))
		}
		for _, m := range offerLink.FindAllStringSubmatch(body, -1) {
			if seen[m[1]] {
				t.Errorf("%s is shown twice", m[1])
			}
			seen[m[1]] = true
		}
		path = ""
		if m := nextLink.FindStringSubmatch(body); m != nil {
			path = strings.ReplaceAll(m[1], "&amp;", "&")
		}
	}
	if len(seen) != want {
		t.Errorf("%d offers are shown, want %d", len(seen), want)
	}
}

func TestLostVisitorsAreTold(t *testing.T) {
	t.Parallel()
	h, _ := open(t)
	for path, want := range map[string]struct {
		status int
		text   string
	}{
		"/p/off_none":         {404, "Cette page n’existe pas"},
		"/ar/p/off_none":      {404, "هذه الصفحة غير موجودة"},
		"/nowhere":            {404, "Cette page n’existe pas"},
		"/media/none.svg":     {404, "Cette page n’existe pas"},
		"/media/..%2fdemo.go": {404, "Cette page n’existe pas"},
		"/?cursor=rubbish":    {400, "L’adresse de cette page est abîmée"},
		"/p/%ff":              {404, "Cette page n’existe pas"},
		"/p/%00":              {404, "Cette page n’existe pas"},
		"/?category=%ff":      {400, "Cette recherche ne peut pas être faite"},
		"/?region=%c3%28":     {400, "Cette recherche ne peut pas être faite"},
		"/?seller=%ff":        {400, "Cette recherche ne peut pas être faite"},
		"/?category=%00":      {400, "Cette recherche ne peut pas être faite"},
		"/static/":            {404, "404"},
	} {
		body, header := get(t, h, path, want.status)
		contains(t, path, body, want.text)
		if header.Get("Content-Security-Policy") == "" {
			t.Errorf("%s has no policy", path)
		}
	}
}

func TestADatabaseThatIsAwayIsSaidPlainly(t *testing.T) {
	t.Parallel()
	h, db := open(t)
	db.Close()
	body, _ := get(t, h, "/ar", http.StatusInternalServerError)
	contains(t, "/", body, "السوق لا يستجيب الآن")
	if strings.Contains(body, "pool") {
		t.Error("the page tells the cause")
	}
}

func TestPicturesAndStylesAreServed(t *testing.T) {
	t.Parallel()
	h, _ := open(t)
	body, _ := get(t, h, "/", http.StatusOK)
	for _, m := range drawn.FindAllStringSubmatch(body, -1) {
		if _, header := get(t, h, m[1], http.StatusOK); header.Get("Content-Type") != "image/svg+xml" || !strings.Contains(header.Get("Content-Security-Policy"), "sandbox") {
			t.Errorf("%s: %v", m[1], header)
		}
	}
	css, _ := get(t, h, "/static/app.css", http.StatusOK)
	for _, m := range regexp.MustCompile(`url\(([^)]+)\)`).FindAllStringSubmatch(css, -1) {
		get(t, h, m[1], http.StatusOK)
	}
	if _, err := fs.Stat(os.DirFS("static"), "fonts/OFL.txt"); err != nil {
		t.Errorf("the faces' licence is not beside them: %v", err)
	}
	for _, name := range []string{"app.css", "icon.svg"} {
		if _, header := get(t, h, "/static/"+name, http.StatusOK); !strings.Contains(header.Get("Cache-Control"), "max-age") {
			t.Errorf("%s is not kept", name)
		}
	}
}

func ExampleNew() {
	mux := http.NewServeMux()
	mux.Handle("/", web.New(web.Hub{Catalog: catalog.New(nil, nil, anyone{}, nil), Images: os.DirFS(demo + "/images")}))
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequest("GET", "/static/icon.svg", http.NoBody))
	fmt.Println(w.Code, w.Header().Get("Content-Type"))
	// Output: 200 image/svg+xml
}

func TestTheAcquirersReturnShowsAndDecidesNothing(t *testing.T) {
	t.Parallel()
	h := web.New(web.Hub{Images: fstest.MapFS{}})
	post := httptest.NewRequest("POST", "/paiement/grp_1", strings.NewReader("lang=ar&Response=Approved"))
	post.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, post)
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/ar/paiement/grp_1" {
		t.Fatalf("a post is answered %d to %q", w.Code, w.Header().Get("Location"))
	}
	for lang, want := range map[string]string{"": "Merci", "/ar": "شكرا"} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", lang+"/paiement/grp_1", nil))
		if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%q: %d without %q", lang, w.Code, want)
		}
	}
}
