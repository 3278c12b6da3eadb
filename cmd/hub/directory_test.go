package main

import (
	"strings"
	"testing"
	"time"

	"tiwiza/pkg/clock"
)

// listed has a member found by its label and trade, and show its telephone number to
// a bank alone.
func listed(t *testing.T, r *rig, _ trade) {
	s, bank := r.seller(t), r.keys.Bank.APIKey
	w := r.ware(t, s, 5, "20.00")
	l := r.posts(t, s.key, "/v1/labels", map[string]any{
		"code": "EXEMPLE" + strings.ToUpper(once()[:8]), "issuer": "Organisme (exemple)", "number": "EX-1", "scope": "organisation",
		"valid_from": r.now(t).In(clock.Morocco).Format(time.DateOnly),
	})
	var claimed struct{ Data []struct{ Code string } }
	r.ask(t, req{key: s.key, method: "GET", path: "/v1/labels"}).into(t, &claimed)
	r.ask(t, req{key: r.operator(), method: "POST", path: "/v1/labels/" + l.ID + "/verify", body: map[string]string{"evidence": "Registre de l’organisme (exemple)."}}).into(t, nil)
	by := "/v1/directory?label=" + claimed.Data[0].Code
	r.until(t, "the directory to hear of the label", func() bool { return strings.Contains(r.shows(t, "", by), s.org) })
	var page struct {
		Data []struct {
			Trades []string
			Labels []struct{ Number string }
		}
	}
	r.ask(t, req{method: "GET", path: by}).into(t, &page)
	if len(page.Data) != 1 || len(page.Data[0].Trades) != 1 || page.Data[0].Labels[0].Number != "EX-1" {
		t.Fatalf("%s found %+v", by, page.Data)
	}
	if got := r.shows(t, "", by+"&trade="+page.Data[0].Trades[0]+"&q=cooperativ"); !strings.Contains(got, s.org) {
		t.Errorf("by its trade and name: %s", got)
	}
	at := "/v1/organisations/" + s.org + "/directory-fields"
	r.ask(t, req{key: s.key, method: "PUT", path: at + "/phone", body: map[string]any{"value": "0528000077", "shown": "some", "kinds": []string{"operational_bank"}}}).into(t, nil)
	r.shows(t, s.key, at)
	for key, want := range map[string]bool{"": false, bank: true, r.keys.Insurer.APIKey: false, r.operator(): false, s.key: true} {
		if got := r.shows(t, key, "/v1/directory/"+s.org); strings.Contains(got, "+212528000077") != want || !strings.Contains(got, "/v1/offers?seller="+s.org) {
			t.Errorf("%.8s sees %s", key, got)
		}
	}
	r.ask(t, req{key: s.key, method: "DELETE", path: at + "/phone"}).into(t, nil)
	if got := r.shows(t, bank, "/v1/directory/"+s.org); strings.Contains(got, "+212528000077") {
		t.Errorf("taken away, it is still there: %s", got)
	}
	if got := r.shows(t, "", "/v1/offers?seller="+s.org); !strings.Contains(got, w.offer) {
		t.Errorf("what it offers: %s", got)
	}
}
