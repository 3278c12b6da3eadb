package ui_test

import (
	"testing"

	"tiwiza/web/ui"
)

// What stands behind a language is a path of this site, however it is written.
func TestALanguageIsInFrontOfAPathOfThisSite(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"/ar/v": "/v", "/ar": "/", "/fr/": "/", "/fr//tiwiza.example": "/tiwiza.example", "/ar/\\tiwiza.example": "/tiwiza.example", "/fr/\t/tiwiza.example": "/tiwiza.example", "/v/vendre": "/v/vendre",
	} {
		if _, got, _ := ui.CutLang(path); got != want {
			t.Errorf("%q leads to %q, want %q", path, got, want)
		}
	}
}
