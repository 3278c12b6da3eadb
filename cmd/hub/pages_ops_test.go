package main

import (
	"encoding/json"
	"html"
	"io"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/descope/virtualwebauthn"

	"tiwiza/pkg/money"
)

// A browser is somebody at a desk who has pages, links and forms, and no script.
type browser struct {
	rig   *rig
	token string
	enter func() string // signs in with the passkey, and gives the new token
	seen  map[string]bool
}

// atDesk signs an operator in by telephone and passkey.
func (r *rig) atDesk(t testing.TB, phone string) *browser {
	t.Helper()
	token, person := r.person(t, phone)
	var s signing
	r.ask(t, req{key: token, method: "POST", path: "/v1/step-up/codes"}).into(t, &s)
	var v struct{ Token string }
	r.ask(t, req{key: token, method: "POST", path: "/v1/step-up", body: map[string]string{"handle": s.Handle, "code": r.codeFor(t, phone)}}).into(t, &v)
	address, err := url.Parse(r.url)
	if err != nil {
		t.Fatal(err)
	}
	rp := virtualwebauthn.RelyingParty{Name: "Tiwiza", ID: "localhost", Origin: "http://localhost:" + address.Port()}
	cred, device := virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2), virtualwebauthn.NewAuthenticator()
	for len(cred.Key.AttestationData()) != 77 { // it leaves out leading zeros of a point, which no device does
		cred = virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2)
	}
	device.Options.UserHandle = []byte(person)
	ceremony := func(path string, answer func(options string) string) (out struct{ Token string }) {
		var q struct {
			Handle  string
			Options map[string]any
		}
		r.ask(t, req{key: v.Token, method: "POST", path: path + "/options"}).into(t, &q)
		b, err := json.Marshal(map[string]any{"publicKey": q.Options})
		if err != nil {
			t.Fatal(err)
		}
		r.ask(t, req{key: v.Token, method: "POST", path: path, body: map[string]any{"handle": q.Handle, "credential": json.RawMessage(answer(string(b)))}}).into(t, &out)
		return out
	}
	ceremony("/v1/passkeys", func(options string) string {
		o, err := virtualwebauthn.ParseAttestationOptions(options)
		if err != nil {
			t.Fatal(err)
		}
		return virtualwebauthn.CreateAttestationResponse(rp, device, cred, *o)
	})
	b := &browser{rig: r, seen: map[string]bool{}, enter: func() string {
		v.Token = ""
		return ceremony("/v1/sign-in/passkeys", func(options string) string {
			o, err := virtualwebauthn.ParseAssertionOptions(options)
			if err != nil {
				t.Fatal(err)
			}
			cred.Counter++
			return virtualwebauthn.CreateAssertionResponse(rp, device, cred, *o)
		}).Token
	}}
	b.token = b.enter()
	return b
}

func (b *browser) do(t testing.TB, method, path string, form url.Values) (status int, body, to string) {
	t.Helper()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	q, err := http.NewRequestWithContext(t.Context(), method, b.rig.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	q.Header.Set("Cookie", "__Host-session="+b.token)
	if form != nil {
		q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	res, err := client.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(text), res.Header.Get("Location")
}

// open gets a page, by way of redirects, that must hold each text.
func (b *browser) open(t testing.TB, path string, texts ...string) (body string) {
	t.Helper()
	status, body, to := b.do(t, "GET", path, nil)
	for range 3 {
		if to == "" {
			break
		}
		path = to
		status, body, to = b.do(t, "GET", path, nil)
	}
	if status != http.StatusOK {
		t.Fatalf("%s answers %d: %.900s", path, status, inside(body))
	}
	if strings.HasPrefix(path, "/op") && b.seen != nil {
		b.seen[path] = true
	}
	for _, s := range texts {
		if !strings.Contains(html.UnescapeString(body), s) {
			t.Errorf("%s lacks %q in %.3000s", path, s, inside(body))
		}
	}
	return body
}

var (
	markup   = regexp.MustCompile(`<[^>]*>`)
	filledIn = regexp.MustCompile(`<input[^>]*name="([^"]+)"[^>]*value="([^"]*)"`)
	gaps     = regexp.MustCompile(`\s+`)
)

// inside is what the page says.
func inside(body string) string {
	if i := strings.Index(body, "<main"); i >= 0 {
		body = body[i:]
	}
	return gaps.ReplaceAllString(html.UnescapeString(markup.ReplaceAllString(body, " ")), " ")
}

// formOf finds the form of a page that holds a text, and what is filled in.
func formOf(t testing.TB, body, holds string) (action string, filled url.Values) {
	t.Helper()
	for _, f := range strings.Split(body, "<form ")[1:] {
		f, _, _ = strings.Cut(f, "</form>")
		if !strings.Contains(f, holds) || !strings.Contains(f, `method="post"`) {
			continue
		}
		filled = url.Values{}
		for _, m := range filledIn.FindAllStringSubmatch(f, -1) {
			filled.Set(m[1], html.UnescapeString(m[2]))
		}
		_, action, _ = strings.Cut(f, `action="`)
		action, _, _ = strings.Cut(action, `"`)
		return action, filled
	}
	t.Fatalf("no form holds %s in %.3000s", holds, inside(body))
	return "", nil
}

// send fills in a form of a page and sends it, twice; it gives the page it leads
// to, which must hold the texts.
func (b *browser) send(t testing.TB, page, holds string, values url.Values, texts ...string) string {
	t.Helper()
	action, filled := formOf(t, page, holds)
	for k, v := range values {
		filled[k] = v
	}
	status, body, to := b.do(t, "POST", action, filled)
	if status != http.StatusSeeOther {
		t.Fatalf("the form %s answers %d: %.3000s", holds, status, inside(body))
	}
	return b.open(t, to, texts...)
}

// refused sends a form that is not taken: the same page says why, and what was
// typed is still there.
func (b *browser) refused(t testing.TB, page, holds string, values url.Values, want int, texts ...string) string {
	t.Helper()
	action, filled := formOf(t, page, holds)
	for k, v := range values {
		filled[k] = v
	}
	status, body, _ := b.do(t, "POST", action, filled)
	if status != want {
		t.Fatalf("the form %s answers %d, want %d: %.900s", holds, status, want, inside(body))
	}
	for _, s := range texts {
		if !strings.Contains(html.UnescapeString(body), s) {
			t.Errorf("the form %s lacks %q: %.3000s", holds, s, inside(body))
		}
	}
	return body
}

// TestTheOperatorWorksByFormsAlone does the operator's work on the pages, without
// scripts, and looks at the books behind them.
func TestTheOperatorWorksByFormsAlone(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	one, two := r.atDesk(t, r.keys.Operator.Phone), r.atDesk(t, r.keys.SecondOperator.Phone)
	r.findsAPayment(t, one)
	r.rulesADispute(t, one)
	r.paysOutByTwo(t, one, two)
	r.haltsAndResumes(t, one, two)
	r.stopsAPartner(t, one)
	r.admits(t, one)
	r.keepsWhatWasTyped(t, one)
	r.clearsABreak(t, one)
	r.answersAboutData(t, one)
	for _, path := range []string{"/op", "/op/litiges?etat=open", "/op/entites?etat=tous", "/op/entites?etat=comptes", "/op/sante", "/op/journal", "/op/reglages", "/op/disjoncteurs"} {
		one.seen[path] = true
	}
	for _, path := range slices.Sorted(maps.Keys(one.seen)) {
		for _, lang := range []string{"", "/ar", "/en"} {
			one.keeps(t, lang+path)
		}
	}
	if _, body, _ := one.do(t, "GET", "/op/argent?csv=1", nil); !strings.HasPrefix(body, "\ufeffPaiement,Date,") || !strings.Contains(body, "chg_") || !strings.Contains(body, ",Montant,Monnaie,") || !regexp.MustCompile(`,20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\+01:00,`).MatchString(body) {
		t.Errorf("the list as a file begins %.200q", body)
	}
	stranger, _ := r.person(t, "+212600088001")
	if status, body, _ := (&browser{rig: r, token: stranger}).do(t, "GET", "/op", nil); status != http.StatusForbidden {
		t.Errorf("somebody who has no seat is answered %d: %.300s", status, inside(body))
	}
	r.quiet(t)
	r.verify(t)
}

// wordless are keys of texts that no language has.
var wordless = regexp.MustCompile(`[>"]op\.[a-z]`)

// keeps looks whether a page is in its language, and holds no style, no script of
// its own and one main action at most.
func (b *browser) keeps(t *testing.T, path string) {
	status, body, _ := b.do(t, "GET", path, nil)
	if status != http.StatusOK {
		t.Errorf("%s answers %d", path, status)
		return
	}
	if m := wordless.FindString(body); m != "" {
		i := strings.Index(body, m)
		t.Errorf("%s shows a key: %.60s", path, body[i:])
	}
	for _, bad := range []string{" style=", "javascript:", "onclick", "<script>"} {
		if strings.Contains(body, bad) {
			t.Errorf("%s holds %q", path, bad)
		}
	}
	if n := strings.Count(body, "btn go"); n > 1 {
		t.Errorf("%s has %d main actions", path, n)
	}
}

// findsAPayment looks a payment up by what people call it, and reads its story.
func (r *rig) findsAPayment(t *testing.T, b *browser) {
	s := r.sold(t, r.ware(t, r.seller(t), 5, "123.00"), goodCard, true)
	charge := s.Charge.ID
	for _, by := range []string{charge, s.Orders[0].ID} {
		b.open(t, "/op/argent?q="+url.QueryEscape(by), charge, "Chronologie", "Mise sous séquestre", "Opérations et preuves")
	}
	story := b.open(t, "/op/argent/"+charge, "Écritures", "escrow:"+s.Orders[0].ID)
	total := r.orderOf(t, s.buyer, s.Orders[0].ID).Totals.Total.Amount()
	for _, by := range []string{strings.ReplaceAll(total, ".", ","), "0600000000"} {
		b.open(t, "/op/argent?q="+url.QueryEscape(by), "/op/argent/"+charge)
	}
	b.open(t, "/op/argent?du=2020-01-01&au=2020-01-02", "Aucun paiement ne correspond")
	b.open(t, "/ar/op/argent/"+charge, `dir="rtl"`, "التسلسل الزمني")
	b.refused(t, story, `value="refund"`, url.Values{"refund_order": {s.Orders[0].ID}, "refund_amount": {"beaucoup"}, "refund_reason": {"Cassé."}}, 422, "beaucoup", "Cassé.")
	b.send(t, story, `value="refund"`, url.Values{"refund_order": {s.Orders[0].ID}, "refund_amount": {"12,50"}, "refund_reason": {"Un pot est cassé."}}, "Le remboursement est parti")
	if got := r.orderOf(t, s.buyer, s.Orders[0].ID).Escrow.Refunded.Amount(); got != "12.50" {
		t.Errorf("%s went back, want 12.50", got)
	}
}

// rulesADispute shares what is held between buyer and seller.
func (r *rig) rulesADispute(t *testing.T, b *browser) {
	shop := r.seller(t)
	s := r.sold(t, r.ware(t, shop, 5, "100.00"), goodCard, true)
	var d struct{ ID string }
	order := s.Orders[0].ID
	r.ask(t, req{key: s.buyer, method: "POST", path: "/v1/orders/" + order + "/disputes", body: map[string]string{"reason": "damaged", "wish": "partial_refund", "text": "Un pot <b>cassé</b>."}}).into(t, &d)
	r.ask(t, req{key: shop.key, method: "POST", path: "/v1/disputes/" + d.ID + "/reply", body: map[string]string{"text": "Un pot sur deux."}, idem: once()}).into(t, nil)
	b.open(t, "/op", "1 litige à trancher")
	b.open(t, "/op/litiges", d.ID)
	page := b.open(t, "/op/litiges/"+d.ID, "Un pot <b>cassé", "Un pot sur deux.", "À trancher avant")
	if !strings.Contains(page, "Un pot &lt;b&gt;") {
		t.Error("what the buyer wrote is not shown as a text")
	}
	held := r.orderOf(t, s.buyer, order).Escrow.Held
	rest := held.Sub(money.MustParse("40.00", money.MAD))
	share := func(release string) url.Values {
		return url.Values{"refund": {"40,00"}, "release": {release}, "reason": {"Un pot sur deux est cassé."}}
	}
	b.refused(t, page, `value="rule"`, share("1"), 422, "Les deux parts", `value="40,00"`, "Un pot sur deux est cassé.")
	looked := share(rest.Amount())
	looked.Set("voir", "1")
	seen := b.refused(t, page, `value="rule"`, looked, 200, "Écritures qui seront passées", "escrow:"+order)
	b.send(t, seen, `value="rule"`, share(rest.Amount()), "Le litige est tranché", "Un pot sur deux est cassé.")
	got := r.orderOf(t, s.buyer, order).Escrow
	if !got.Held.IsZero() || !got.Released.Equal(rest) || got.Refunded.Amount() != "40.00" {
		t.Errorf("after the ruling the escrow is %+v", got)
	}
}

// paysOutByTwo has a payout approved by a second person; the first one is
// refused.
func (r *rig) paysOutByTwo(t *testing.T, one, two *browser) {
	r.earn(t, r.seller(t), "100.00")
	var p payoutView
	r.ask(t, req{key: one.token, method: "POST", path: "/v1/payouts", idem: once(), body: map[string]any{
		"beneficiary": "carrier:" + r.carrier(t), "amount": dirhams("5.00"), "account": map[string]string{"rib": number(24, 97), "holder": "Transport (exemple)"},
	}}).into(t, &p)
	one.open(t, "/op/versements", p.ID, "une seconde personne")
	page := one.open(t, "/op/argent/"+p.ID, "Il faut deux personnes")
	one.refused(t, page, `value="approve"`, nil, 403, "Une autre personne doit décider")
	two.send(t, two.open(t, "/op/argent/"+p.ID), `value="approve"`, nil, "approuvé")
	r.until(t, "the payout "+p.ID, func() bool {
		r.ask(t, req{key: r.operator(), method: "GET", path: "/v1/payouts/" + p.ID}).into(t, &p)
		return p.State == "paid"
	})
	one.open(t, "/op/argent/"+p.ID, "payé")
}

// stopsAPartner pauses the second acquirer, tries it, and lets it go on.
func (r *rig) stopsAPartner(t *testing.T, b *browser) {
	page := b.open(t, "/op/sante/acquirer2", "Fermé")
	page = b.send(t, page, `value="pause"`, url.Values{"reason": {"Maintenance (exemple)"}}, "Le partenaire est en pause", "Maintenance (exemple)")
	page = b.send(t, page, `value="test"`, nil, "Le partenaire répond")
	b.send(t, page, `value="resume"`, nil, "Les appels reprennent", "Repris")
	b.open(t, "/op/sante", "acquirer2 : les dernières 24 heures")
}

// haltsAndResumes stops all payments out, and has two people let them go on.
func (r *rig) haltsAndResumes(t *testing.T, one, two *browser) {
	page := one.send(t, one.open(t, "/op/versements", "En marche"), `value="halt"`, url.Values{"halt_reason": {"Fichier suspect (exemple)"}}, "Plus aucun argent ne sort", "Fichier suspect (exemple)")
	one.send(t, page, `value="halt"`, url.Values{"halt_reason": {"Vérifié (exemple)"}}, "attend une seconde personne")
	asked := one.open(t, "/op/approbations", "Reprise des sorties")
	one.refused(t, asked, `value="apr_`, url.Values{"mot": {"approve"}}, 403, "Une autre personne doit décider")
	two.send(t, two.open(t, "/op/approbations"), `value="apr_`, url.Values{"mot": {"approve"}}, "approuvé")
	one.open(t, "/op/versements", "En marche")
}

// admits asks an applicant for changes, and admits it.
func (r *rig) admits(t *testing.T, b *browser) {
	var org struct{ ID string }
	r.ask(t, req{key: r.operator(), method: "POST", path: "/v1/organisations", body: map[string]any{
		"kind": "beneficiary_coop", "names": map[string]string{"fr": "Coopérative Test (exemple)", "ar": "تعاونية (مثال)"}, "legal": map[string]string{"ice": number(15, 97)}, "region": "MA-03", "commune": "Fès",
	}}).into(t, &org)
	at := "/v1/organisations/" + org.ID
	r.ask(t, req{key: r.operator(), method: "POST", path: at + "/submit"}).into(t, nil)
	b.open(t, "/op/entites", "Coopérative Test (exemple)")
	page := b.open(t, "/op/entites/"+org.ID, "Admettre")
	b.send(t, page, `value="request_changes"`, url.Values{"request_changes_note": {"Joignez le statut."}}, "Joignez le statut.", "À corriger")
	r.ask(t, req{key: r.operator(), method: "POST", path: at + "/submit"}).into(t, nil)
	page = b.send(t, b.open(t, "/op/entites/"+org.ID), `value="approve"`, nil, "Actif")
	page = b.send(t, page, `value="suspend"`, url.Values{"suspend_note": {"Contrôle."}}, "Suspendu")
	b.send(t, page, `value="reactivate"`, nil, "Actif")
	b.open(t, "/op/journal?objet="+org.ID, "organisations.suspend", "Contrôle.")
}

// keepsWhatWasTyped asks who it is once more in the middle of a form: what was
// typed goes on from there, for an operator with a passkey, for a seller with a
// code.
func (r *rig) keepsWhatWasTyped(t *testing.T, b *browser) {
	s := r.shops(t)
	shop := r.seller(t)
	d := r.sits(t, shop, "+212600077901")
	s.jar["__Host-session"] = d.token
	r.advance(t, "11m")
	page := b.refused(t, b.open(t, "/op/versements"), `value="halt"`, url.Values{"halt_reason": {"Un doute (exemple)"}}, 403, "C’est bien vous", "Ce que vous avez écrit est gardé", "Un doute (exemple)")
	if strings.Contains(page, "Recevoir le code") {
		t.Error("an operator is offered a code, which is not enough")
	}
	_, kept := formOf(t, page, "data-passkey")
	b.token = b.enter()
	if status, body, _ := b.do(t, "POST", kept.Get("encore.vers"), kept); status != http.StatusSeeOther {
		t.Errorf("what was kept is answered %d: %.900s", status, inside(body))
	}
	b.open(t, "/op/versements", "Un doute (exemple)")

	rib := number(24, 97)
	s.opens("/v/papiers/banque")
	s.fills("/v/papiers/banque", "rib", rib, "titulaire", "Coopérative (exemple)")
	s.sees(http.StatusForbidden, "C’est bien vous", "Ce que vous avez écrit est gardé", rib)
	s.fills("/entrer/encore")
	s.sees(http.StatusOK, "Un code de six chiffres", rib)
	s.fills("/entrer/encore/code", "encore.code", "000000")
	s.sees(http.StatusUnprocessableEntity, "Ce code n’est pas le bon", rib)
	action, form := s.form("/entrer/encore/code")
	form.Set("encore.code", r.codeFor(t, "+212600077901"))
	s.send(http.MethodPost, action, form)
	s.sees(http.StatusTemporaryRedirect)
	s.send(http.MethodPost, "/v/papiers/banque", form)
	s.sees(http.StatusOK, rib[len(rib)-4:])
}

// clearsABreak says what money is that nobody expected, and closes the day.
func (r *rig) clearsABreak(t *testing.T, b *browser) {
	r.credit(t, "7.00", "don")
	var page string
	r.until(t, "the break", func() bool {
		page = b.open(t, "/op/rapprochement")
		return strings.Contains(page, "/op/rapprochement/brk_")
	})
	link := regexp.MustCompile(`/op/rapprochement/brk_[a-z0-9]+`).FindString(page)
	brk := b.open(t, link, "Nos livres", "La banque", "Écritures qui seront passées")
	b.refused(t, brk, `name="quoi" value="match"`, url.Values{"match_to": {"pay_none"}}, 422, "pay_none")
	b.send(t, brk, `name="quoi" value="write_off"`, url.Values{"write_off_note": {"Un don (exemple)."}}, "L’écart est réglé")
	b.open(t, link, "Un don (exemple).", "Réglé")
	r.quiet(t)
	r.advance(t, "25h")
	r.quiet(t)
	b.token = b.enter() // a day later one signs in again
	b.send(t, b.open(t, "/op/rapprochement"), `value="close"`, nil, "La journée est close")
}
