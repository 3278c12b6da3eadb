package main

import (
	"bytes"
	"html"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
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
	status, to, _ := b.posts(t, page, holds, field, file, values)
	if status != http.StatusSeeOther {
		t.Fatalf("the form %s with a file answers %d", holds, status)
	}
	return b.open(t, to, texts...)
}

// posts sends a form of a page with a file, and gives what it is answered.
func (b *browser) posts(t *testing.T, page, holds, field, file string, values url.Values) (status int, to, answer string) {
	t.Helper()
	return b.postsAs(t, page, holds, field, "application/octet-stream", file, values)
}

// postsAs is posts with what the browser takes the file for.
func (b *browser) postsAs(t *testing.T, page, holds, field, kind, file string, values url.Values) (status int, to, answer string) {
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
	part, err := w.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {multipart.FileContentDisposition(field, "papier.pdf")}, "Content-Type": {kind},
	})
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
	defer res.Body.Close()
	said, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, res.Header.Get("Location"), html.UnescapeString(string(said))
}

// agrees sends the form that takes a price, with a proof of who it is that is fresh.
func (b *browser) agrees(t *testing.T, page string, texts ...string) string {
	t.Helper()
	action, filled := formOf(t, page, `value="take"`)
	var to string
	b.rig.until(t, "the price to be taken", func() bool {
		var status int
		if status, _, to = b.do(t, "POST", action, filled); status == http.StatusForbidden {
			b.token = b.enter()
		}
		return status == http.StatusSeeOther
	})
	return b.open(t, to, texts...)
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
	for _, line := range []string{"stock", "crop", "health", "parcel"} {
		member.reads(t, "/v/services/"+sold[line])
	}
	page := member.open(t, stock, "Fiche d’information", "Rien n’est payé")
	member.refused(t, page, `name="somme"`, url.Values{"somme": {"900 000 000"}, "mois": {"12"}}, 422, "pas au-dessus du plafond", "900 000 000")
	priced := func(b *browser) (at, page string) {
		page = b.send(t, b.open(t, stock), `name="somme"`, url.Values{"somme": {"10 000"}, "mois": {"12"}})
		at = "/v/services/" + aQuote.FindString(page)
		return at, b.comes(t, at, "Accepter et payer")
	}
	_, page = priced(beginner)
	beginner.token = beginner.enter() // others move the clock, and a proof of who one is grows old
	beginner.refused(t, page, `value="take"`, nil, 409, "Votre solde disponible ne suffit pas")

	at, page := priced(member)
	member.reads(t, at)
	member.open(t, "/v/services", "Prix reçu")
	member.refused(t, page, `value="take"`, url.Values{"lu": nil}, 422, "Lisez, puis cochez la case.")
	member.token = member.enter()
	member.refused(t, page, `value="take"`, url.Values{"texte": {strings.Repeat("0", 64)}}, 422, "Le texte a changé.")
	page = member.agrees(t, page, "Votre accord est enregistré.")
	policy := "/v/services/" + aPolicy.FindString(page)
	member.open(t, at, "Vous avez pris cette assurance.")
	member.comes(t, policy, "Vous êtes assuré.")
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
	// What was sold, until it arrives.
	sale := r.checkout(t, r.buyer(t), map[string]int{r.ware(t, s, 3, "240.00").variant: 1})
	r.payBy(t, sale, goodCard)
	r.paid(t, sale)
	parcel := "/v/colis/" + sale.Orders[0].ID
	page = member.open(t, parcel, "Assurer ce colis")
	cover := "/v/services/" + sold["parcel"]
	if !strings.Contains(page, cover+"?vente="+sale.Orders[0].ID) {
		t.Errorf("%s does not lead to its insurance", parcel)
	}
	member.open(t, cover, "Ouvrez la vente que vous allez envoyer")
	page = member.open(t, cover+"?vente="+sale.Orders[0].ID, "Jusqu’à son arrivée", `value="240.00"`)
	member.refused(t, page, `name="vente"`, url.Values{"somme": {"241"}}, 422, "pas au-dessus du plafond", "Jusqu’à son arrivée")
	at = "/v/services/" + aQuote.FindString(member.send(t, page, `name="vente"`, nil))
	page = member.agrees(t, member.comes(t, at, "Accepter et payer"), "Votre accord est enregistré.")
	member.comes(t, "/v/services/"+aPolicy.FindString(page), "Vous êtes assuré.")
	member.open(t, parcel, "Ce colis est assuré")

	at = "/v/services/" + b.ID
	member.send(t, member.open(t, at, "Vous pouvez renoncer"), `value="cancel"`, url.Values{"raison": {"Trouvé moins cher (exemple)."}}, "L’assureur est prévenu que vous renoncez.")
	member.comes(t, at, "L’assureur rend")
	member.reads(t, at)
	if status, _, _ := beginner.do(t, "GET", at, nil); status != http.StatusNotFound {
		t.Errorf("another's policy is answered %d", status)
	}
}

// answeredByPages has an insurer's people answer claims and write down a product, by
// pages without scripts.
func answeredByPages(t *testing.T, r *rig, _ trade) {
	ctx := t.Context()
	s := r.seller(t)
	r.earn(t, s, "3000.00")
	sold, err := r.products(ctx)
	if err != nil {
		t.Fatal(err)
	}
	v, err := r.takesOut(ctx, s.key, sold["stock"], "10000.00", "")
	if err != nil {
		t.Fatal(err)
	}
	declared := func() insuranceView {
		c, err := r.declares(ctx, s.key, v, "700.00")
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	people := r.seated(t, "+212600088113", r.self(t, r.keys.Insurer.APIKey))
	c := declared()
	file := "/b/d/" + c.ID
	people.reads(t, "/b")
	people.reads(t, "/b?etat=tous")
	page := people.open(t, file, "Le toit de l'atelier a fui", s.name)
	people.reads(t, file)
	piece := regexp.MustCompile(`/b/d/clm_[a-z0-9]+/p/[a-z0-9_]+`).FindString(page)
	if status, body, _ := people.do(t, "GET", piece, nil); status != http.StatusOK || !strings.HasPrefix(body, "%PDF") {
		t.Errorf("a paper of a claim is answered %d: %.80s", status, body)
	}
	page = people.send(t, page, `value="need"`, url.Values{"need_asks": {"facture\r\nLe constat du voisin"}}, "La question est partie.", "Le constat du voisin")
	people.refused(t, page, `value="accept"`, url.Values{"accept_amount": {"650"}, "set_off": nil}, 422, "Donnez le nom de votre virement", "650")
	people.refused(t, page, `value="accept"`, url.Values{"accept_amount": {"90 000"}, "set_off": nil, "accept_transfer_ref": {"VIR2026" + once()[:6]}}, 422, "au plus la somme assurée")
	page = people.send(t, page, `value="accept"`, url.Values{"accept_amount": {"650"}, "set_off": nil, "accept_transfer_ref": {"VIR1" + once()[:8]}}, "Vous devez cette somme au membre.", "650,00")
	people.send(t, page, `value="name"`, url.Values{"name_transfer_ref": {"VIR2" + once()[:8]}}, "Le nom du virement est enregistré.")
	people.reads(t, file)
	no := "/b/d/" + declared().ID
	page = people.send(t, people.open(t, no), `value="reject"`, url.Values{"reject_reason": {"L’usure normale n’est pas couverte."}}, "Le membre est prévenu de votre refus.", "L’usure normale")
	people.send(t, page, `value="accept"`, url.Values{"accept_amount": {"100"}, "set_off": {"1"}}, "Vous devez cette somme au membre.")

	people.open(t, "/b/contrats", s.name)
	people.reads(t, "/b/contrats")
	people.open(t, "/b/d/"+v.ID, "Primes payées", "À la signature")
	people.reads(t, "/b/d/"+v.ID)

	people.reads(t, "/b/produits")
	people.reads(t, "/b/produits/"+sold["stock"])
	page = people.open(t, "/b/produits/nouveau", "La carte du membre")
	name := mark("Assurance de l’atelier (exemple)")
	in := url.Values{
		"code": {"atelier-" + strings.ToLower(once()[:6])}, "line": {"stock"}, "names_fr": {name}, "names_ar": {"تأمين الورشة (مثال)"}, "covers_fr": {"Incendie\r\nVol"}, "covers_ar": {"حريق"}, "exclusions_fr": nil,
		"premium_rate_permille": {"12"}, "premium_period": {"year"}, "most": {"80 000"}, "cooling_off_days": {"14"}, "commission_permille": {"100"}, "papers": {"photo"},
		"sheet_url_fr": {"https://assureur.exemple/fiche"}, "sheet_sha256_fr": {strings.Repeat("ab", 32)},
	}
	people.refused(t, page, `value="propose"`, in, 422, "Écrivez les mêmes risques en arabe", name, "1,2 % de la somme assurée")
	in["covers_ar"] = []string{"حريق\r\nسرقة"}
	page = people.send(t, page, `value="propose"`, in, "Remis à l’équipe du marché.", name)
	product := regexp.MustCompile(`ipr_[a-z0-9]{26}`).FindString(page)
	people.reads(t, "/b/produits/"+product+"?carte=ar")
	r.posts(t, r.operator(), insuring+"/products/"+product+"/reject", map[string]string{"note": "La fiche manque en arabe."})
	page = people.open(t, "/b/produits/"+product, "La fiche manque en arabe.", "Ce sera la version 2")
	people.send(t, page, `value="propose"`, url.Values{"line": {"stock"}, "premium_period": {"year"}, "names_fr": {name}, "covers_fr": {"Incendie"}, "covers_ar": {"حريق"}}, "Remis à l’équipe du marché.")
	if status, _, _ := people.do(t, "GET", "/b/d/apl_none", nil); status != http.StatusNotFound {
		t.Errorf("a file that is none is answered %d", status)
	}
}

// decidesByPages has an operator say on the pages how a break was seen to, ask for a
// statement, and decide on what insurers and banks offer.
func (r *rig) decidesByPages(t *testing.T, gap string) {
	t.Helper()
	b := r.atDesk(t, phoneOperator)
	page := b.open(t, "/op/assurance", "Relevés des assureurs")
	b.refused(t, page, `value="`+gap+`"`, url.Values{gap + "_by": {"explained"}, gap + "_note": {"x"}}, 422)
	b.send(t, page, `value="`+gap+`"`, url.Values{gap + "_by": {"explained"}, gap + "_note": {"Vu avec l’assureur (exemple)."}}, "L’écart est réglé.")
	b.open(t, "/op/assurance?etat=resolved", "Vu avec l’assureur (exemple).", "Expliqué")
	b.reads(t, "/op/assurance")
	b.reads(t, "/op/assurance?etat=resolved")
	b.refused(t, page, `value="statement"`, url.Values{"statement_insurer": {insurerName}, "statement_period": {"hier"}}, 422)
	b.send(t, page, `value="statement"`, url.Values{"statement_insurer": {insurerName}, "statement_period": {"2001-02"}}, "Le relevé est demandé")

	made := func() string {
		return r.posts(t, r.keys.Insurer.APIKey, insuring+"/products", offer(strings.ToLower(once()[:8]))).ID
	}
	one, two := made(), made()
	b.open(t, "/op/offres", one, two)
	b.reads(t, "/op/offres")
	page = b.open(t, "/op/offres/"+one, "Fiche d’information")
	b.reads(t, "/op/offres/"+one+"?carte=ar")
	page = b.send(t, page, `value="approve"`, nil, "Les membres le voient.")
	b.send(t, page, `value="withdraw"`, url.Values{"withdraw_note": {"Plus vendu (exemple)."}}, "Ce n’est plus proposé.")
	page = b.open(t, "/op/offres/"+two)
	b.refused(t, page, `value="reject"`, url.Values{"reject_note": nil}, 422)
	b.send(t, page, `value="reject"`, url.Values{"reject_note": {"La fiche manque en arabe."}}, "C’est rendu", "La fiche manque en arabe.")

	loan := r.drafted(t, lends(mark("Crédit (exemple)")))
	r.posts(t, r.keys.Bank.APIKey, financeProducts+"/"+loan+"/submit", nothing)
	page = b.open(t, "/op/offres/"+loan)
	b.reads(t, "/op/offres/"+loan)
	b.send(t, page, `value="return"`, url.Values{"return_note": {"Les frais ?"}}, "C’est rendu")
	r.posts(t, r.keys.Bank.APIKey, financeProducts+"/"+loan+"/submit", nothing)
	b.send(t, b.open(t, "/op/offres/"+loan), `value="publish"`, nil, "Les membres le voient.")
	b.reads(t, "/op/offres?etat=approved")
}
