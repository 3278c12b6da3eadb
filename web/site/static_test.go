package site_test

import (
	"net/http/httptest"
	"regexp"
	"testing"
	"testing/fstest"

	"tiwiza/web/site"
)

// version is what a telephone knows the kept files by.
func version(t *testing.T, css string) string {
	t.Helper()
	s, err := site.NewStatic(fstest.MapFS{
		"app.css": {Data: []byte(css)}, "app.js": {Data: []byte("1")}, "z.js": {Data: []byte("2")}, "sw.js": {Data: []byte(`const VERSION = "VERSION"`)},
	})
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	s.Serve(w, httptest.NewRequest("GET", "/sw.js", nil), "sw.js")
	m := regexp.MustCompile(`^const VERSION = "([0-9a-f]{10})"$`).FindStringSubmatch(w.Body.String())
	if m == nil {
		t.Fatalf("the service worker has no version: %s", w.Body)
	}
	return m[1]
}

func TestTheServiceWorkersVersionIsThatOfTheFiles(t *testing.T) {
	t.Parallel()
	first := version(t, "a{}")
	if again := version(t, "a{}"); again != first {
		t.Error("the same files have two versions")
	}
	if version(t, "b{}") == first {
		t.Error("other files have the same version")
	}
}
