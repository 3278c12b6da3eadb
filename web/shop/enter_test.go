package shop

import (
	"testing"

	"tiwiza/web/site"
)

func TestNobodyIsLedElsewhere(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"/v/colis": "/v/colis", "/ar/v?x=1": "/v?x=1", "/fr//tiwiza.example": "/tiwiza.example",
		"": "/moi", "//tiwiza.example": "/moi", "/\\tiwiza.example": "/moi", "/\t/tiwiza.example": "/moi", "https://tiwiza.example": "/moi",
	} {
		if got := within(nil, path); got != want {
			t.Errorf("%q leads to %q, want %q", path, got, want)
		}
	}
}

func TestDesksThatACodeOpensAskForNoKey(t *testing.T) {
	t.Parallel()
	for role, path := range map[string]string{"operator": "/op/argent", "bank": "/b", "institution": "/i/chiffres"} {
		if !asksForKey(site.Who{Desks: []site.Seat{{Role: role}}}, path) {
			t.Errorf("%s asks for no passkey", path)
		}
	}
	for role, path := range map[string]string{"seller": "/v/vendre", "provider": "/v/adhesion", "bank": "/moi"} {
		if asksForKey(site.Who{Desks: []site.Seat{{Role: role}}}, path) {
			t.Errorf("%s asks a %s for a passkey", path, role)
		}
	}
}
