package main

import (
	"bytes"
	"fmt"
	"html"
	"image"
	"image/color"
	"image/png"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"tiwiza/pkg/auth"
	"tiwiza/pkg/pg"
)

// A sellDesk is somebody at a seller's desk, or with a courier's link, whose
// browser runs no scripts: it opens pages and sends the forms that stand on them.
type sellDesk struct {
	url, token string
	client     *http.Client
	s          *shop
}

// sits seats somebody at the desk of a seller.
func (r *rig) sits(t testing.TB, s *shop, number string) *sellDesk {
	t.Helper()
	token, person := r.person(t, number)
	ctx := auth.With(t.Context(), auth.Hub)
	if err := r.house.store.InTx(ctx, func(tx *pg.Tx) error { return r.house.members.Join(ctx, tx, person, s.org, "manager") }); err != nil {
		t.Fatal(err)
	}
	return r.opens(token, s)
}

func (r *rig) opens(token string, s *shop) *sellDesk {
	return &sellDesk{r.url, token, &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}, s}
}

func (d *sellDesk) do(t testing.TB, method, path, media string, body io.Reader) (status int, page, to string) {
	t.Helper()
	q, err := http.NewRequestWithContext(t.Context(), method, d.url+path, body)
	if err != nil {
		t.Fatal(err)
	}
	q.Header.Set("Sec-Fetch-Site", "same-origin")
	if d.token != "" {
		q.AddCookie(&http.Cookie{Name: "__Host-session", Value: d.token})
	}
	if media != "" {
		q.Header.Set("Content-Type", media)
	}
	res, err := d.client.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(b), res.Header.Get("Location")
}

// open reads a page.
func (d *sellDesk) open(t testing.TB, path string, want ...string) (page string) {
	t.Helper()
	status, page, to := d.do(t, "GET", path, "", http.NoBody)
	if status != http.StatusOK {
		t.Fatalf("%s answers %d to %q\n%s", path, status, to, page)
	}
	sellSays(t, path, page, want...)
	return page
}

func sellSays(t testing.TB, what, page string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(page, w) {
			t.Errorf("%s does not say %q\n%s", what, w, sellMarkup.ReplaceAllString(page, " "))
		}
	}
}

var (
	sellMarkup = regexp.MustCompile(`(?s)<script.*?</script>|<svg.*?</svg>|<[^>]*>|\s+`)
	sellForms  = regexp.MustCompile(`(?s)<form[^>]*action="([^"]*)"[^>]*>(.*?)</form>`)
	sellInputs = regexp.MustCompile(`<(?:input|textarea)[^>]*>`)
	sellAttrs  = regexp.MustCompile(`([a-z-]+)="([^"]*)"`)
)

// A sellFilled form is what a browser would send.
type sellFilled struct {
	action string
	fields url.Values
	files  map[string][]byte
}

// sellForm finds the form on a page whose address ends so, with what stands in it.
func sellForm(t testing.TB, page, action string) sellFilled {
	t.Helper()
	for _, m := range sellForms.FindAllStringSubmatch(page, -1) {
		if !strings.HasSuffix(html.UnescapeString(m[1]), action) {
			continue
		}
		f := sellFilled{html.UnescapeString(m[1]), url.Values{}, map[string][]byte{}}
		for _, tag := range sellInputs.FindAllString(m[2], -1) {
			has := map[string]string{}
			for _, a := range sellAttrs.FindAllStringSubmatch(tag, -1) {
				has[a[1]] = html.UnescapeString(a[2])
			}
			if has["name"] == "" || has["type"] == "file" || has["type"] == "radio" && !strings.Contains(tag, " checked") {
				continue
			}
			f.fields.Set(has["name"], has["value"])
		}
		return f
	}
	t.Fatalf("there is no form for %s on\n%s", action, page)
	return sellFilled{}
}

func (f sellFilled) with(pairs ...string) sellFilled {
	for i := 0; i < len(pairs); i += 2 {
		f.fields.Set(pairs[i], pairs[i+1])
	}
	return f
}

// send sends a form and gives where it leads, or the page that answers it.
func (d *sellDesk) send(t testing.TB, f sellFilled, want int) (page, to string) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for k := range f.fields {
		_ = w.WriteField(k, f.fields.Get(k))
	}
	for name, content := range f.files {
		part, _ := w.CreateFormFile(name, name+".png")
		_, _ = part.Write(content)
	}
	_ = w.Close()
	status, page, to := d.do(t, "POST", f.action, w.FormDataContentType(), &b)
	if status != want {
		t.Fatalf("%s answers %d to %q, want %d\n%s", f.action, status, to, want, sellMarkup.ReplaceAllString(page, " "))
	}
	return page, to
}

// steps opens a page and sends one of its sellForms.
func (d *sellDesk) steps(t testing.TB, path, action string, pairs ...string) (to string) {
	t.Helper()
	_, to = d.send(t, sellForm(t, d.open(t, path), action).with(pairs...), http.StatusSeeOther)
	return to
}

// snap is a photograph.
func snap(t testing.TB, shade uint8) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, 400, 300))
	for x := range 400 {
		for y := range 300 {
			img.Set(x, y, color.RGBA{shade, uint8(x), uint8(y), 255})
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// publishes has a seller put something on sale with the page's form alone, twice.
func (d *sellDesk) publishes(t *testing.T, r *rig, price string) ware {
	t.Helper()
	f := sellForm(t, d.open(t, "/v/vendre", "Photo du produit"), "/v/vendre").with("prix-0", price, "reste-0", "4", "nom", "Miel de thym", "categorie", "honey")
	page, _ := d.send(t, f, http.StatusUnprocessableEntity)
	sellSays(t, "without a photograph", page, "Prenez une photo du produit.", `value="Miel de thym"`)
	f.files["photo"] = []byte("no picture")
	page, _ = d.send(t, f, http.StatusUnprocessableEntity)
	sellSays(t, "with what is no photograph", page, "Cette photo ne peut pas être lue")
	f.files["photo"] = snap(t, 200)
	_, to := d.send(t, f, http.StatusSeeOther)
	_, again := d.send(t, f, http.StatusSeeOther)
	if to != again || !strings.HasPrefix(to, "/v/vendu/off_") {
		t.Fatalf("sent twice it leads to %s and %s", to, again)
	}
	d.open(t, to, "En vente", "Miel de thym", "eux cents dirhams", "https://wa.me/")
	offer := strings.TrimPrefix(to, "/v/vendu/")
	if _, page, _ := d.do(t, "GET", "/p/"+offer, "", http.NoBody); !strings.Contains(page, "Miel de thym") || strings.Contains(page, "frm_") {
		t.Errorf("who buys reads %s", sellMarkup.ReplaceAllString(page, " "))
	}
	var o struct {
		State    string
		Images   []struct{ Photo struct{ ID string } }
		Variants []struct{ ID string }
	}
	r.ask(t, req{method: "GET", path: "/v1/offers/" + offer}).into(t, &o)
	if o.State != "published" || len(o.Images) != 1 || len(o.Variants) != 1 {
		t.Fatalf("what was published is %+v", o)
	}
	return ware{offer, o.Variants[0].ID}
}

// TestAPhotographIsChosenOnce sends a form with something else wrong: the photograph
// that came with it is held, shown and published without being chosen again, and is
// nobody else's. What another program shares is filled in.
func TestAPhotographIsChosenOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	d, other := r.sits(t, r.seller(t), "+212600077191"), r.sits(t, r.seller(t), "+212600077192")
	f := sellForm(t, d.open(t, "/v/vendre"), "/v/vendre").with("prix-0", "0", "reste-0", "4", "nom", "Miel de thym", "categorie", "honey")
	f.files["photo"] = snap(t, 200)
	page, _ := d.send(t, f, http.StatusUnprocessableEntity)
	kept := sellForm(t, page, "/v/vendre")
	at := "/v/garde/" + kept.fields.Get("photo_garde")
	sellSays(t, "with a price of nothing", page, "Changer la photo", `src="`+at+`"`)
	if status, _, _ := d.do(t, "GET", at, "", http.NoBody); status != http.StatusOK {
		t.Errorf("the photograph answers %d", status)
	}
	if status, _, _ := other.do(t, "GET", at, "", http.NoBody); status != http.StatusNotFound {
		t.Errorf("another seller gets %d of it", status)
	}
	_, to := d.send(t, kept.with("prix-0", "200", "categorie", "honey"), http.StatusSeeOther)
	if !strings.HasPrefix(to, "/v/vendu/off_") {
		t.Errorf("it leads to %s", to)
	}
	given := sellFilled{"/v/partage", url.Values{"titre": {"Tapis d’Azilal"}}, map[string][]byte{"photo": snap(t, 90)}}
	page, _ = d.send(t, given, http.StatusOK)
	sellSays(t, "what is shared", page, `value="Tapis d’Azilal"`, "/v/garde/")
	given = sellFilled{"/v/partage", url.Values{"texte": {"Un panier\nde palmier"}}, map[string][]byte{"photo": make([]byte, 17<<20)}}
	page, _ = d.send(t, given, http.StatusOK)
	sellSays(t, "what is too large", page, `value="Un panier"`, "moins de 12 Mo")
}

// TestPagesWithoutANetworkAreNobodys opens the shells that telephones keep: they are
// the same for everybody.
func TestPagesWithoutANetworkAreNobodys(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	d := r.sits(t, r.seller(t), "+212600077193")
	stranger := r.opens("", d.s)
	for path, want := range map[string]string{"/hors-ligne/v": "Vendre", "/hors-ligne/vendre": "Photo du produit", "/hors-ligne/l": "Il partira tout seul"} {
		if got := stranger.open(t, path, want); got != d.open(t, path) {
			t.Errorf("%s is another page to a seller", path)
		}
	}
	f := sellForm(t, d.open(t, "/v/vendre"), "/v/vendre").with("siege", "org_other.per_other", "prix-0", "20", "categorie", "honey")
	page, _ := d.send(t, f, http.StatusPreconditionFailed)
	sellSays(t, "a form of another seat", page, "autre coopérative")
}

// sellerJourney: photograph, price, publish; bought; packed, handed over by code;
// the money comes, and is paid out. Forms only.
func sellerJourney(t *testing.T, r *rig, _ trade) {
	s := r.seller(t)
	d := r.sits(t, s, "+212600077101")
	d.open(t, "/v", "Aucun colis. Prenez une photo pour vendre.", "Vendre")
	w := d.publishes(t, r, "200")

	// Stock: what the seller saw is compared, so a tap sent twice counts once.
	more := sellForm(t, d.open(t, "/v/produits", "Miel de thym"), "/v/produits/"+w.offer+"/reste").with("a", "5")
	d.send(t, more, http.StatusSeeOther)
	page, _ := d.send(t, more, http.StatusConflict)
	sellSays(t, "the same tap again", page, "Le stock a changé entre-temps")
	if n := r.left(t, w); n != 5 {
		t.Errorf("two taps leave %d, want 5", n)
	}
	d.send(t, sellForm(t, page, "/cacher"), http.StatusSeeOther)
	d.send(t, sellForm(t, d.open(t, "/v/produits"), "/montrer"), http.StatusSeeOther)
	edit := sellForm(t, d.open(t, "/v/vendre/"+w.offer, `value="200"`), "/v/vendre/"+w.offer).with("prix-0", "210,50")
	d.send(t, edit, http.StatusSeeOther)
	d.open(t, "/ar/v/vendu/"+w.offer, "مائتان وعشرة دراهم وخمسون سنتيما")
	d.send(t, edit.with("prix-0", "200"), http.StatusSeeOther)

	sale := r.sold(t, w, goodCard, true)
	order := sale.Orders[0].ID
	at := "/v/colis/" + order
	d.open(t, "/v", "À emballer", at)
	d.steps(t, at, at+"/accepter")
	d.steps(t, at, at+"/emballer")
	d.open(t, at+"/etiquette", "Rabat", `class="qr"`)
	hand := sellForm(t, d.open(t, at, "Qui l’apporte"), at+"/remettre").with("qui", "carrier")
	page, _ = d.send(t, hand, http.StatusUnprocessableEntity)
	sellSays(t, "a carrier without a name", page, "Dites qui transporte")
	d.send(t, sellForm(t, page, at+"/remettre").with("qui", "own"), http.StatusSeeOther)

	var v struct{ Delivery struct{ Code string } }
	r.ask(t, req{key: sale.buyer, method: "GET", path: "/v1/orders/" + order}).into(t, &v)
	page = d.open(t, at, "Les 4 chiffres")
	page, _ = d.send(t, sellForm(t, page, at+"/code").with("code", wrongCode(v.Delivery.Code)), http.StatusUnprocessableEntity)
	sellSays(t, "a wrong code", page, "Encore 4 essais")
	good := sellForm(t, page, at+"/code").with("code", v.Delivery.Code)
	d.send(t, good, http.StatusSeeOther)
	d.send(t, good, http.StatusSeeOther)
	d.open(t, at, "L’argent vient")

	d.open(t, "/v/argent", "En attente")
	r.ask(t, req{key: sale.buyer, method: "POST", path: "/v1/orders/" + order + "/receive", idem: once()}).into(t, nil)
	d.open(t, "/v", "Argent reçu")
	all := r.available(t, s)
	look := sellForm(t, d.open(t, "/v/argent/retirer"), "/v/argent/retirer")
	d.send(t, look, http.StatusOK)
	for _, l := range []string{"/ar", "/en"} {
		page, _ := d.send(t, sellForm(t, d.open(t, l+"/v/argent/retirer"), "/v/argent/retirer"), http.StatusOK)
		sellSays(t, "the last look in "+l, page, `name="oui"`)
		file := sellForm(t, d.open(t, l+"/v/produits/importer"), "/importer")
		page, _ = d.send(t, file, http.StatusUnprocessableEntity)
		sellSays(t, "no file in "+l, page, `role="alert"`)
	}
	bank := sellForm(t, d.open(t, "/v/papiers/banque"), "/v/papiers/banque").with("rib", "123")
	page, _ = d.send(t, bank, http.StatusUnprocessableEntity)
	sellSays(t, "a number that is none", page, `value="123"`)
	page, _ = d.send(t, look, http.StatusOK)
	pay := sellForm(t, page, "/v/argent/retirer")
	if got := pay.fields.Get("oui"); got != all.Amount() {
		t.Fatalf("it asks to pay out %q, want %s", got, all.Amount())
	}
	d.send(t, pay, http.StatusSeeOther)
	d.do(t, "POST", "/v/argent/retirer", "application/x-www-form-urlencoded", strings.NewReader(pay.fields.Encode()))
	var out struct{ Data []payoutView }
	r.ask(t, req{key: s.key, method: "GET", path: "/v1/payouts"}).into(t, &out)
	if len(out.Data) != 1 || !out.Data[0].Amount.Equal(all) {
		t.Errorf("the payouts are %+v, want one of %s", out.Data, all)
	}
	d.open(t, "/v/argent", "Vers votre banque", "0,00")
	_, csv, _ := d.do(t, "GET", "/v/argent/releve.csv", "", http.NoBody)
	sellSays(t, "the statement", csv, order, out.Data[0].ID)
	d.open(t, "/v/papiers", s.rib[len(s.rib)-4:])
	for _, p := range []string{"/v", "/v/vendre", "/v/vendre/" + w.offer, "/v/produits", "/v/colis", at, at + "/etiquette", "/v/argent", "/v/argent/retirer", "/v/papiers", "/v/papiers/banque", "/v/produits/importer"} {
		for _, l := range []string{"", "/ar", "/en", "/zgh"} {
			sellSays(t, l+p, d.open(t, l+p), "<h1")
		}
	}
}

// wrongCode is another code of four digits.
func wrongCode(code string) string {
	if code == "0000" {
		return "0001"
	}
	return "0000"
}

// courierJourney: a link opens one parcel, and five wrong codes lock it; another's
// parcel stays shut.
func courierJourney(t *testing.T, r *rig, _ trade) {
	s := r.seller(t)
	d := r.sits(t, s, "+212600077102")
	w := r.ware(t, s, 4, "80.00")
	link := func(order string) string {
		at := "/v/colis/" + order
		d.steps(t, at, at+"/accepter")
		d.steps(t, at, at+"/emballer")
		d.steps(t, at, at+"/remettre", "qui", "own")
		page, _ := d.send(t, sellForm(t, d.open(t, at), at+"/lien"), http.StatusOK)
		m := regexp.MustCompile(`/l/([A-Za-z0-9_-]{22})`).FindStringSubmatch(page)
		if m == nil {
			t.Fatalf("no link on\n%s", page)
		}
		return m[1]
	}
	sale, other := r.sold(t, w, goodCard, false), r.sold(t, w, goodCard, false)
	order := sale.Orders[0].ID
	token, second := link(order), link(other.Orders[0].ID)
	c := r.opens("", nil)
	at := "/l/" + token
	page := c.open(t, at, "Acheteur exemple", "Rabat", "Les 4 chiffres")
	c.open(t, "/ar"+at, "الأرقام الأربعة")
	c.open(t, "/en"+at, "The 4 digits")
	var v struct {
		Delivery  struct{ Code string }
		Shipments []struct{ ID string }
	}
	r.ask(t, req{key: sale.buyer, method: "GET", path: "/v1/orders/" + order}).into(t, &v)
	shipment := v.Shipments[0].ID

	// The link opens this parcel and nothing else.
	key := "lnk." + token
	r.ask(t, req{key: key, method: "GET", path: "/v1/courier"}).into(t, nil)
	r.ask(t, req{key: "lnk." + second, method: "POST", path: "/v1/shipments/" + shipment + "/deliver", body: map[string]string{"code": v.Delivery.Code}, idem: once()}).refused(t, 404, "shipments.not_found")
	r.ask(t, req{key: key, method: "GET", path: "/v1/orders/" + order}).refused(t, 403, "auth.denied")
	r.ask(t, req{key: key, method: "POST", path: "/v1/orders/" + other.Orders[0].ID + "/collect", body: map[string]any{"amount": dirhams("1.00")}, idem: once()}).refused(t, 404, "orders.not_found")
	r.ask(t, req{key: r.seller(t).key, method: "POST", path: "/v1/shipments/" + shipment + "/courier-links"}).refused(t, 404, "shipments.not_found")
	r.ask(t, req{key: s.key, method: "POST", path: "/v1/shipments/" + shipment + "/courier-links"}).into(t, nil)
	r.ask(t, req{key: "lnk." + strings.Repeat("A", 22), method: "GET", path: "/v1/courier"}).refused(t, 401, "auth.unknown")
	if status, _, _ := c.do(t, "GET", "/l/"+strings.Repeat("A", 22), "", http.NoBody); status != http.StatusNotFound {
		t.Errorf("a link that is none answers %d", status)
	}

	missed := sellForm(t, page, at+"/echec").with("raison", "absent")
	c.send(t, missed, http.StatusSeeOther)
	c.send(t, missed, http.StatusSeeOther)
	for i := range 5 {
		page, _ = c.send(t, sellForm(t, c.open(t, at), at+"/code").with("code", wrongCode(v.Delivery.Code)), http.StatusUnprocessableEntity)
		if i < 3 {
			sellSays(t, "a wrong code", page, fmt.Sprintf("Encore %d essais", 4-i))
		}
	}
	sellSays(t, "five wrong codes", page, "le code est bloqué")
	photo := sellForm(t, page, at+"/photo")
	photo.files["photo"] = snap(t, 30)
	page, _ = c.send(t, photo, http.StatusUnprocessableEntity)
	sellSays(t, "a photograph without a place", page, "Le téléphone doit dire où vous êtes")
	photo = sellForm(t, page, at+"/photo").with("lieu", "33.97160,-6.84980,12")
	photo.files["photo"] = snap(t, 30)
	c.send(t, photo, http.StatusSeeOther)
	c.send(t, photo, http.StatusSeeOther)
	c.open(t, at, "Remis. Merci.")
	if got := r.orderOf(t, sale.buyer, order).State; got != "delivered" {
		t.Errorf("the order is %s, want delivered", got)
	}
	r.ask(t, req{key: sale.buyer, method: "POST", path: "/v1/orders/" + order + "/receive", idem: once()}).into(t, nil)
	c.open(t, at, "Remis. Merci.")
}

// answersJourney: a dispute and a return are answered, and a cash order collected.
func answersJourney(t *testing.T, r *rig, _ trade) {
	s := r.seller(t)
	d := r.sits(t, s, "+212600077103")
	w := r.ware(t, s, 9, "90.00")
	sale := r.sold(t, w, goodCard, false)
	at := "/v/colis/" + sale.Orders[0].ID
	r.ask(t, req{key: sale.buyer, method: "POST", path: "/v1/orders/" + sale.Orders[0].ID + "/disputes", body: map[string]string{"reason": "damaged", "wish": "refund", "text": "Un pot est cassé."}}).into(t, nil)
	d.open(t, "/v", "À répondre")
	page := d.open(t, at, "L’acheteur signale un problème", "Un pot est cassé.")
	d.open(t, "/ar"+at, "المشتري يبلغ عن مشكل")
	page, _ = d.send(t, sellForm(t, page, at+"/repondre").with("mot", "parler"), http.StatusUnprocessableEntity)
	sellSays(t, "an answer without a word", page, "Écrivez quelques mots.")
	reply := sellForm(t, page, at+"/repondre").with("mot", "parler", "texte", "Il était entier.")
	d.send(t, reply, http.StatusSeeOther)
	d.open(t, at, "Il était entier.", "Nous lisons les deux réponses")

	second := r.sold(t, w, goodCard, true)
	to := r.delivered(t, second, s)
	r.asksBack(t, second, to, back(w.variant, "withdrawal", "refund"))
	at = "/v/colis/" + second.Orders[0].ID
	page = d.open(t, at, "L’acheteur veut le rendre", "Vous êtes d’accord")
	d.open(t, "/en"+at, "The buyer wants to give it back")
	came := sellForm(t, page, at+"/retour").with("mot", "recu")
	d.send(t, came, http.StatusSeeOther)
	d.open(t, at)

	refused := r.sold(t, w, goodCard, false)
	at = "/v/colis/" + refused.Orders[0].ID
	d.steps(t, at, at+"/refuser", "raison", "out_of_stock")
	r.until(t, "the order to be cancelled", func() bool {
		state := r.orderOf(t, refused.buyer, refused.Orders[0].ID).State
		return state == "cancelled" || state == "refunded"
	})
	stranger := r.sits(t, r.seller(t), "+212600077104")
	if status, _, _ := stranger.do(t, "GET", at, "", http.NoBody); status != http.StatusNotFound {
		t.Errorf("another's parcel answers %d, want 404", status)
	}
	if status, _, where := r.opens("", nil).do(t, "GET", "/v", "", http.NoBody); status != http.StatusSeeOther || !strings.HasPrefix(where, "/entrer") {
		t.Errorf("a stranger at the desk is answered %d to %q", status, where)
	}
	r.ask(t, req{key: s.key, method: "GET", path: "/v1/offers/mine?state=published"}).into(t, nil)
	r.ask(t, req{key: s.key, method: "GET", path: "/v1/fees/share?goods=145.00"}).into(t, nil)
	r.ask(t, req{key: s.key, method: "GET", path: "/v1/fees/share?goods=-1"}).refused(t, 422, "fees.price", "?goods")
	r.ask(t, req{key: r.keys.Buyer.APIKey, method: "GET", path: "/v1/offers/mine"}).refused(t, 403, "auth.denied")
}
