package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"tiwiza/pkg/clock"
)

// TestTheDirectoryHasPages has a stranger find a member by pages that run no script,
// the member say by forms what it shows and to whom, and a bank see what it may.
func TestTheDirectoryHasPages(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := r.seller(t)
	code := "EXEMPLE" + strings.ToUpper(once()[:6])
	r.labelled(t, s, code)
	r.ware(t, s, 5, "20.00")
	b := &browser{rig: r}
	r.until(t, "what it offers to be in the directory", func() bool {
		return strings.Contains(b.open(t, "/annuaire?trade=oils&label="+code), "/annuaire/"+s.org)
	})
	b.open(t, "/annuaire?q=cooperativ&region=MA-09&label="+code, s.name, code, "Coopérative", "Huiles", "/annuaire/"+s.org, `aria-current="true"`, `class="dot"`, "OpenStreetMap")
	b.open(t, "/ar/annuaire?label="+code, `dir="rtl"`, "الدليل", "تعاونية", "/ar/annuaire/"+s.org)
	b.open(t, "/en/annuaire", "Directory", `hreflang="ar"`, "All of Morocco")
	b.open(t, "/annuaire?q=xylophone", "Aucun membre ne correspond", `href="/annuaire"`)
	b.open(t, "/annuaire?kind=insurer&label="+code, "Aucun membre ne correspond")
	for _, bad := range []string{"region=MA-99", "kind=operator", "cursor=x", "q=%ff&region=%00", "label=" + strings.Repeat("x", 61)} {
		if status, body, _ := b.do(t, "GET", "/annuaire?"+bad, nil); status != http.StatusBadRequest || !strings.Contains(body, "<h1>") {
			t.Errorf("/annuaire?%s answers %d: %.300s", bad, status, inside(body))
		}
	}
	b.open(t, "/annuaire?q="+url.QueryEscape(strings.Repeat("é", 300)), "Aucun membre ne correspond")
	r.directoryPages(t, b)
	r.profilePages(t, s, code, b)
	r.showsByForms(t, s)
	r.verify(t)
}

// labelled gives a seller a label that is verified and in date.
func (r *rig) labelled(t *testing.T, s *shop, code string) {
	t.Helper()
	l := r.posts(t, s.key, "/v1/labels", map[string]any{
		"code": code, "issuer": "Organisme (exemple)", "number": "EX-17", "scope": "organisation",
		"valid_from": r.now(t).In(clock.Morocco).Format(time.DateOnly), "valid_to": "2099-01-31",
	})
	r.ask(t, req{key: r.operator(), method: "POST", path: "/v1/labels/" + l.ID + "/verify", body: map[string]string{"evidence": "Registre de l’organisme (exemple)."}}).into(t, nil)
}

// directoryPages goes from page to page until each member was seen once.
func (r *rig) directoryPages(t *testing.T, b *browser) {
	t.Helper()
	for range 30 {
		r.seller(t)
	}
	seen, pages := map[string]int{}, 0
	r.until(t, "thirty members more", func() bool {
		clear(seen)
		pages = 0
		for path := "/annuaire?kind=beneficiary_coop"; path != ""; pages++ {
			body := b.open(t, path)
			for _, card := range strings.Split(body, `<a class="card member" href="/annuaire/`)[1:] {
				org, _, _ := strings.Cut(card, `"`)
				seen[org]++
			}
			_, more, _ := strings.Cut(body, `rel="next" href="`)
			more, _, _ = strings.Cut(more, `"`)
			path = strings.ReplaceAll(more, "&amp;", "&")
		}
		return len(seen) >= 31
	})
	for org, n := range seen {
		if n != 1 {
			t.Errorf("%s is on %d pages", org, n)
		}
	}
	if pages < 2 {
		t.Errorf("31 members are on %d page", pages)
	}
}

// profilePages reads the page of a member, what machines read of it, and the ways to
// it.
func (r *rig) profilePages(t *testing.T, s *shop, code string, b *browser) {
	t.Helper()
	for lang, says := range map[string]string{"": "Labels vérifiés", "/ar": "علامات جودة متحقق منها", "/en": "Verified labels"} {
		b.open(t, lang+"/annuaire/"+s.org, says, code, "EX-17", "Organisme (exemple)", `hreflang="x-default"`, "2099", `"@type":"Organization"`, `"hasCertification"`, lang+"/c/"+s.org)
	}
	b.open(t, "/c/"+s.org, `href="/annuaire/`+s.org+`"`)
	b.open(t, "/", `href="/annuaire"`)
	b.open(t, "/sitemap.xml", "/sitemap/annuaire-MA-12")
	b.open(t, "/sitemap/annuaire-MA-09", "/annuaire/"+s.org, "/ar/annuaire/"+s.org)
	for _, path := range []string{"/annuaire/org_none", "/annuaire/%ff", "/sitemap/annuaire-MA-99"} {
		if status, _, _ := b.do(t, "GET", path, nil); status != http.StatusNotFound {
			t.Errorf("%s answers %d, want 404", path, status)
		}
	}
	gone := &browser{rig: r, token: "ses_" + strings.Repeat("0", 26) + "_" + strings.Repeat("A", 43)}
	gone.open(t, "/annuaire/"+s.org, s.name)
}

// showsByForms says by the seller's own pages what the directory shows.
func (r *rig) showsByForms(t *testing.T, s *shop) {
	t.Helper()
	const phone, secret, named = "+212600077301", "+212528000077", "Dix tonnes par an (exemple)"
	token, _ := r.person(t, phone)
	r.hires(t, s, token, phone, "manager")
	r.ask(t, req{key: token, method: "PUT", path: "/v1/sessions/desk", body: map[string]string{"organisation": s.org}}).into(t, nil)
	desk, stranger, bank, insurer := &browser{rig: r, token: token}, &browser{rig: r}, &browser{rig: r, token: r.keys.Bank.APIKey}, &browser{rig: r, token: r.keys.Insurer.APIKey}
	desk.open(t, "/v", `href="/v/annuaire"`)
	desk.open(t, "/v/annuaire", "Un inconnu ne voit rien de plus.", `href="/v/annuaire/phone"`, "/annuaire/"+s.org)
	desk.open(t, "/ar/v/annuaire", "في الدليل")
	form := desk.open(t, "/v/annuaire/phone", "Tout le monde", "Seulement certains", "Banque")
	desk.refused(t, form, `name="valeur"`, url.Values{"valeur": {"12"}, "montre": {"public"}}, http.StatusUnprocessableEntity, "Écrivez un numéro marocain", `value="12"`)
	desk.refused(t, form, `name="valeur"`, url.Values{"valeur": {"05 28 00 00 77"}, "montre": {"some"}, "sorte": nil}, http.StatusUnprocessableEntity, "Cochez quelqu’un", "05 28 00 00 77")
	page := desk.send(t, form, `name="valeur"`, url.Values{"valeur": {"05 28 00 00 77"}, "montre": {"some"}, "sorte": {"operational_bank"}}, "C’est gardé", secret, "Seulement certains", "Vu par : Banque", "Un inconnu ne voit rien de plus.")
	if strings.Contains(page, "Tout le monde") {
		t.Error("what some may see is said to be for everybody")
	}
	sees := func(who string, b *browser, text string, want bool) {
		t.Helper()
		for _, lang := range []string{"", "/ar"} {
			if got := strings.Contains(b.open(t, lang+"/annuaire/"+s.org), text); got != want {
				t.Errorf("%s sees %s: %t, want %t", who, text, got, want)
			}
		}
	}
	sees("a stranger", stranger, secret, false)
	sees("the bank", bank, secret, true)
	sees("the insurer", insurer, secret, false)
	sees("the member", desk, secret, true)

	// One organisation is named: it is looked for, ticked and kept.
	form = desk.open(t, "/v/annuaire/capacity")
	action, filled := formOf(t, form, `name="valeur"`)
	filled.Set("valeur", named)
	filled.Set("cherche", "personne-de-ce-nom")
	if status, body, _ := desk.do(t, "POST", action, filled); status != http.StatusOK || !strings.Contains(body, "Aucun membre n’a ce nom.") || !strings.Contains(body, named) {
		t.Errorf("nobody by that name: %d %.900s", status, inside(body))
	}
	fair, err := loadNote[market](t.Context(), r.house.store, "demo")
	if err != nil {
		t.Fatal(err)
	}
	var me struct{ Names map[string]string }
	r.ask(t, req{method: "GET", path: "/v1/directory/" + fair.Insurer}).into(t, &me)
	filled.Set("cherche", me.Names["fr"])
	status, body, _ := desk.do(t, "POST", action, filled)
	if status != http.StatusOK || !strings.Contains(body, `value="`+fair.Insurer+`"`) {
		t.Fatalf("the insurer is not found: %d %.900s", status, inside(body))
	}
	desk.send(t, body, `name="valeur"`, url.Values{"valeur": {named}, "montre": {"some"}, "sorte": nil, "nomme": {fair.Insurer}}, "C’est gardé", named, "Vu par : "+me.Names["fr"])
	sees("the insurer", insurer, named, true)
	sees("the bank", bank, named, false)
	sees("a stranger", stranger, named, false)

	// Shown to all, the preview says so; taken away, nobody sees it.
	form = desk.open(t, "/v/annuaire/phone")
	page = desk.send(t, form, `name="valeur"`, url.Values{"valeur": {"0528000077"}, "montre": {"public"}}, "Tout le monde")
	if _, seen, _ := strings.Cut(page, "Ce que voit un inconnu"); !strings.Contains(seen, secret) {
		t.Errorf("the preview lacks what everybody sees: %.900s", inside(seen))
	}
	sees("a stranger", stranger, secret, true)
	form = desk.open(t, "/v/annuaire/phone")
	desk.send(t, form, `name="retirer"`, nil, "C’est retiré")
	sees("the bank", bank, secret, false)
	if status, _, _ := desk.do(t, "GET", "/v/annuaire/secret", nil); status != http.StatusNotFound {
		t.Errorf("a field that there is not answers %d", status)
	}
	if status, _, to := stranger.do(t, "GET", "/v/annuaire", nil); status != http.StatusSeeOther || !strings.Contains(to, "/entrer") {
		t.Errorf("a stranger at the member's desk: %d %s", status, to)
	}
}
