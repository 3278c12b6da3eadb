package seller

import (
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"tiwiza/web/site"
)

// A number is taken as people type it: in Arabic digits too, its thousands apart.
func TestANumberIsTakenAsItIsTyped(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]any{"12": 12, "1 200": 1200, "1\u00a0200": 1200, "٤٥": 45, "۴۵": 45, "": nil, "douze": nil, "-1": nil, "1,5": nil, "99999999999": nil} {
		r := httptest.NewRequest("POST", "/v/diagnostic/dgn_1", strings.NewReader(url.Values{"nombre": {typed}}.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if got := answerTyped(&site.Visit{W: httptest.NewRecorder(), R: r})["number"]; got != want {
			t.Errorf("%q is taken as %v, want %v", typed, got, want)
		}
	}
}
