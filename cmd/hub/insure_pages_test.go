package main

import (
	"bytes"
	"html"
	"mime/multipart"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"tiwiza/pkg/clock"
)

// comes opens a page until it holds a text.
func (b *browser) comes(t *testing.T, path, text string) (body string) {
	t.Helper()
	b.rig.until(t, path+" to say «"+text+"»", func() bool {
		var status int
		status, body, _ = b.do(t, "GET", path, nil)
		return status == http.StatusOK && strings.Contains(html.UnescapeString(body), text)
	})
	return body
}

// hands sends a form of a page with a file, and gives the page that it leads to.
func (b *browser) hands(t *testing.T, page, holds, field, file string, values url.Values, texts ...string) string {
	t.Helper()
	action, filled := formOf(t, page, holds)
	for k, v := range values {
		filled[k] = v
	}
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for k, all := range filled {
		for _, v := range all {
			if err := w.WriteField(k, v); err != nil {
				t.Fatal(err)
			}
		}
	}
	part, err := w.CreateFormFile(field, "papier.pdf")
	if err == nil {
		_, err = part.Write([]byte(file))
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	q, err := http.NewRequestWithContext(t.Context(), "POST", b.rig.url+action, &body)
	if err != nil {
		t.Fatal(err)
	}
	q.Header.Set("Cookie", "__Host-session="+b.token)
	q.Header.Set("Content-Type", w.FormDataContentType())
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusSeeOther {
		t.Fatalf("the form %s with a file answers %d", holds, res.StatusCode)
	}
	return b.open(t, res.Header.Get("Location"), texts...)
}

var (
	aQuote  = regexp.MustCompile(`iqt_[a-z0-9]{26}`)
	aPolicy = regexp.MustCompile(`ply_[a-z0-9]{26}`)
	aClaim  = regexp.MustCompile(`clm_[a-z0-9]{26}`)
)

// insuredByPages has a member insure itself, declare a claim and be paid, and
// cancel, by pages without scripts.
func insuredByPages(t *testing.T, r *rig, _ trade) {
	ctx := t.Context()
	s, poor := r.seller(t), r.seller(t)
	r.earn(t, s, "3000.00")
	sold, err := r.products(ctx)
	if err != nil {
		t.Fatal(err)
	}
	member, beginner := r.seated(t, "+212600088111", s.org), r.seated(t, "+212600088112", poor.org)
	stock := "/v/services/" + sold["stock"]
	member.open(t, "/v/services", "Assurance des marchandises", "Voir et demander le prix")
	for _, line := range []string{"stock", "crop", "health"} {
		member.reads(t, "/v/services/"+sold[line])
	}
	page := member.open(t, stock, "Fiche d’information", "Rien n’est payé")
	member.refused(t, page, `name="somme"`, url.Values{"somme": {"900 000 000"}, "mois": {"12"}}, 422, "pas au-dessus du plafond", "900 000 000")
	priced := func(b *browser) (at, page string) {
		page = b.send(t, b.open(t, stock), `name="somme"`, url.Values{"somme": {"10 000"}, "mois": {"12"}})
		at = "/v/services/" + aQuote.FindString(page)
		return at, b.comes(t, at, "Accepter et payer")
	}
	at, page := priced(beginner)
	beginner.refused(t, page, `value="take"`, nil, 409, "Votre solde disponible ne suffit pas")

	at, page = priced(member)
	member.reads(t, at)
	member.open(t, "/v/services", "Prix reçu")
	member.refused(t, page, `value="take"`, url.Values{"lu": nil}, 422, "Lisez, puis cochez la case.")
	member.refused(t, page, `value="take"`, url.Values{"texte": {strings.Repeat("0", 64)}}, 422, "Le texte a changé.")
	page = member.send(t, page, `value="take"`, nil, "Votre accord est enregistré.")
	policy := "/v/services/" + aPolicy.FindString(page)
	member.open(t, at, "Vous avez pris cette assurance.")
	page = member.comes(t, policy, "Vous êtes assuré.")
	member.reads(t, policy)

	member.reads(t, policy+"?declarer=1")
	page = member.open(t, policy+"?declarer=1", "Que s’est-il passé")
	today := r.now(t).In(clock.Morocco).Format(time.DateOnly)
	member.refused(t, page, `value="declare"`, url.Values{"motif": {"water"}, "somme": {"50 000"}, "jour": {today}}, 422, "au plus la somme assurée", "50 000")
	member.refused(t, page, `value="declare"`, url.Values{"motif": {"water"}, "somme": {"900"}, "jour": {"2001-01-01"}}, 422, "Choisissez un jour")
	page = member.hands(t, page, `value="declare"`, "photo1", "%PDF-1.4\n% dégâts "+once()+"\n%%EOF\n", url.Values{"motif": {"water"}, "somme": {"900"}, "jour": {today}, "texte": nil}, "Votre déclaration est enregistrée.")
	claim := aClaim.FindString(page)
	at = "/v/services/" + claim
	member.comes(t, at, "Réponse attendue avant le")
	member.reads(t, at)
	says := func(in map[string]any) {
		in["ref"] = refOf(claim)
		if err := r.standIn(ctx, "POST", "/insurer/claims", in, nil); err != nil {
			t.Fatal(err)
		}
	}
	says(map[string]any{"decision": "ask", "papers": []string{"invoice"}})
	page = member.comes(t, at, "L’assureur demande")
	member.reads(t, at)
	member.refused(t, page, `value="add"`, url.Values{"papier": {"invoice"}}, 422, "Choisissez une photo ou un PDF.")
	page = member.hands(t, page, `value="add"`, "photo", "%PDF-1.4\n% facture "+once()+"\n%%EOF\n", url.Values{"papier": {"invoice"}}, "Le papier est ajouté.", "Une facture")
	piece := regexp.MustCompile(`piece=([a-z0-9_]+)`).FindStringSubmatch(page)[1]
	if status, body, _ := member.do(t, "GET", at+"?piece="+piece, nil); status != http.StatusOK || !strings.HasPrefix(body, "%PDF") {
		t.Errorf("a paper of a claim is answered %d: %.80s", status, body)
	}
	says(map[string]any{"decision": "accept"})
	member.comes(t, at, "L’argent est sur votre solde.")
	member.reads(t, at)

	b, err := r.takesOut(ctx, s.key, sold["stock"], "20000.00", "")
	if err != nil {
		t.Fatal(err)
	}
	at = "/v/services/" + b.ID
	member.send(t, member.open(t, at, "Vous pouvez renoncer"), `value="cancel"`, url.Values{"raison": {"Trouvé moins cher (exemple)."}}, "L’assureur est prévenu que vous renoncez.")
	member.comes(t, at, "L’assureur rend")
	member.reads(t, at)
	if status, _, _ := beginner.do(t, "GET", at, nil); status != http.StatusNotFound {
		t.Errorf("another's policy is answered %d", status)
	}
}
