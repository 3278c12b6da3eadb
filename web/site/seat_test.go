package site

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/fstest"

	"tiwiza/web/ui"
)

// me answers as the interface does to somebody who sells for one cooperative.
func me(w http.ResponseWriter, _ *http.Request) {
	_, _ = w.Write([]byte(`{"person":"per_1","names":{},"desk":"org_1","desks":[{"organisation":"org_1","names":{},"role":"seller"}]}`))
}

// seated serves a desk that goes on somewhere after any form.
func seated(t *testing.T) http.HandlerFunc {
	t.Helper()
	static, err := NewStatic(fstest.MapFS{})
	if err != nil {
		t.Fatal(err)
	}
	s := &Site{API: http.HandlerFunc(me), Static: static}
	return s.Seated(ui.Seller, func(v *Visit, _ Seat) error { return v.Go("/v/produits") }, "seller")
}

func sends(t *testing.T, form url.Values, goes string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/v/vendre", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.AddCookie(&http.Cookie{Name: sessionCookie, Value: "tok"})
	if goes != "" {
		r.Header.Set("Goes", goes)
	}
	w := httptest.NewRecorder()
	seated(t)(w, r)
	return w
}

func TestAFormOfAnotherSeatIsRefused(t *testing.T) {
	t.Parallel()
	for seat, want := range map[string]int{"": http.StatusSeeOther, "org_1.per_1": http.StatusSeeOther, "org_2.per_1": http.StatusPreconditionFailed, "org_1.per_2": http.StatusPreconditionFailed} {
		if got := sends(t, url.Values{"siege": {seat}}, "").Code; got != want {
			t.Errorf("a form of %q answers %d, want %d", seat, got, want)
		}
	}
}

func TestAScriptIsToldWhereAFormLeads(t *testing.T) {
	t.Parallel()
	w := sends(t, url.Values{}, "1")
	if w.Code != http.StatusNoContent || w.Header().Get("Goes-To") != "/v/produits" {
		t.Errorf("it answers %d, and leads to %q", w.Code, w.Header().Get("Goes-To"))
	}
}

// TestALargeFileLeavesTheForm has what else was filled in be read when a file is too
// large.
func TestALargeFileLeavesTheForm(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	part, _ := m.CreateFormFile("photo", "photo.jpg")
	_, _ = part.Write(make([]byte, 20<<20))
	_ = m.WriteField("nom", "Tapis")
	_ = m.Close()
	r := httptest.NewRequest(http.MethodPost, "/v/vendre", &b)
	r.Header.Set("Content-Type", m.FormDataContentType())
	v := &Visit{Page: &ui.Page{}, W: httptest.NewRecorder(), R: r}
	defer v.clear()
	if got := v.Field("nom"); got != "Tapis" {
		t.Errorf("the name is %q", got)
	}
	if _, _, _, err := v.File("photo", 12<<20); Code(err) != "pages.file_too_large" {
		t.Errorf("the file is %v", err)
	}
}

func TestSigningOutKeepsWhatWaitsWhenAsked(t *testing.T) {
	t.Parallel()
	for keep, want := range map[bool]string{false: `"cache", "storage"`, true: `"cache"`} {
		w := httptest.NewRecorder()
		v := &Visit{Page: &ui.Page{}, W: w, R: httptest.NewRequest(http.MethodPost, "/sortir", http.NoBody)}
		v.SignOut(keep)
		if got := w.Header().Get("Clear-Site-Data"); got != want {
			t.Errorf("with keep %v it wipes %s, want %s", keep, got, want)
		}
	}
}
