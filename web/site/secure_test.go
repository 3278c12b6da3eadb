package site

import (
	"net/http/httptest"
	"regexp"
	"testing"

	"tiwiza/web/ui"
)

// TestAFormGoesWhereThePageSays has pages say where their forms may go.
func TestAFormGoesWhereThePageSays(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"":                                     "'self'",
		"https://pay.example:8443/card/v1/pay": "'self' https://pay.example:8443",
		"javascript:alert(1)":                  "'self'",
		"https://pay.example;script-src *":     "'self'",
		"https://*/pay":                        "'self'",
		"https://user:word@pay.example/pay":    "'self' https://pay.example",
		"ftp://pay.example/pay":                "'self'",
	} {
		w := httptest.NewRecorder()
		v := &Visit{Page: &ui.Page{}, W: w}
		v.secure()
		v.PostsTo(address)
		got := regexp.MustCompile(`form-action ([^;]*);`).FindStringSubmatch(w.Header().Get("Content-Security-Policy"))
		if len(got) != 2 || got[1] != want {
			t.Errorf("of %q forms go to %q, want %q", address, got, want)
		}
	}
}
