package main

import (
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tiwiza/marketplace/digital"
)

// A patron is somebody with a browser that runs no scripts: it keeps cookies,
// fills in forms and follows redirects.
type patron struct {
	t      *testing.T
	base   string
	client *http.Client
	jar    map[string]string
	at     string // the path it is at
	page   string
	status int
}

// shops opens a browser at the rig's hub.
func (r *rig) shops(t *testing.T) *patron {
	t.Helper()
	return &patron{t: t, base: r.url, jar: map[string]string{}, client: &http.Client{
		Timeout:       30 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// copy is the same browser a second time, as when a key is pressed twice.
func (s *patron) copy() *patron {
	c := *s
	c.jar = map[string]string{}
	for k, v := range s.jar {
		c.jar[k] = v
	}
	return &c
}

func (s *patron) send(method, path string, form url.Values) {
	s.t.Helper()
	for range 6 {
		req, err := http.NewRequestWithContext(s.t.Context(), method, s.base+path, strings.NewReader(form.Encode()))
		if err != nil {
			s.t.Fatal(err)
		}
		if method == http.MethodPost {
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		req.Header.Set("Sec-Fetch-Site", "same-origin")
		for name, value := range s.jar {
			req.AddCookie(&http.Cookie{Name: name, Value: value})
		}
		res, err := s.client.Do(req)
		if err != nil {
			s.t.Fatal(err)
		}
		b, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil {
			s.t.Fatal(err)
		}
		for _, c := range res.Cookies() {
			if !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode {
				s.t.Errorf("%s sets a loose cookie %s", path, c.Name)
			}
			if s.jar[c.Name] = c.Value; c.MaxAge < 0 {
				delete(s.jar, c.Name)
			}
		}
		s.status, s.page, s.at = res.StatusCode, string(b), path
		if res.StatusCode != http.StatusSeeOther {
			return
		}
		method, path, form = http.MethodGet, strings.TrimPrefix(res.Header.Get("Location"), s.base), nil
	}
	s.t.Fatalf("%s leads in circles", path)
}

// opens reads a page.
func (s *patron) opens(path string) { s.t.Helper(); s.send(http.MethodGet, path, nil) }

// sees fails unless the page holds all of these.
func (s *patron) sees(status int, texts ...string) {
	s.t.Helper()
	if s.status != status {
		s.t.Fatalf("%s answers %d, want %d: %.1500s", s.at, s.status, status, plainText(s.page))
	}
	for _, x := range texts {
		if !strings.Contains(html.UnescapeString(s.page), x) {
			s.t.Errorf("%s lacks %q: %.1500s", s.at, x, plainText(s.page))
		}
	}
}

var (
	shopFormTag  = regexp.MustCompile(`(?s)<form([^>]*)>(.*?)</form>`)
	shopInputTag = regexp.MustCompile(`<(?:input|button|select|textarea)\b[^>]*>`)
	shopAttr     = regexp.MustCompile(`([a-z-]+)(?:="([^"]*)")?`)
	shopTags     = regexp.MustCompile(`(?s)<[^>]*>`)
)

func plainText(page string) string {
	if _, after, ok := strings.Cut(page, "<main"); ok {
		page = after
	}
	return strings.Join(strings.Fields(shopTags.ReplaceAllString(page, " ")), " ")
}

func shopAttrs(tag string) map[string]string {
	out := map[string]string{}
	for _, m := range shopAttr.FindAllStringSubmatch(tag, -1) {
		out[m[1]] = html.UnescapeString(m[2])
	}
	return out
}

// form is the first form of the page with a key of this name and value, or to
// this address: where it goes, and what is filled in.
func (s *patron) form(to string) (action string, form url.Values) {
	s.t.Helper()
	for _, m := range shopFormTag.FindAllStringSubmatch(s.page, -1) {
		action = shopAttrs(m[1])["action"]
		if !strings.Contains(action, to) {
			continue
		}
		form = url.Values{}
		for _, tag := range shopInputTag.FindAllString(m[2], -1) {
			a := shopAttrs(tag)
			_, checked := a["checked"]
			_, off := a["disabled"]
			switch {
			case off, strings.HasPrefix(tag, "<button"), a["name"] == "":
			case a["type"] == "radio" || a["type"] == "checkbox":
				if checked {
					form.Set(a["name"], a["value"])
				}
			default:
				form.Set(a["name"], a["value"])
			}
		}
		return action, form
	}
	s.t.Fatalf("%s has no form to %s: %.1500s", s.at, to, plainText(s.page))
	return "", nil
}

// fills sends the form to an address, with these fields, names and values in turn.
func (s *patron) fills(to string, fields ...string) {
	s.t.Helper()
	action, form := s.form(to)
	for i := 0; i+1 < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	s.send(http.MethodPost, action, form)
}

// takes puts an offer into the basket and goes to the till.
func (s *patron) takes(offer string) {
	s.t.Helper()
	s.opens("/p/" + offer)
	s.fills("/panier/ajouter", "faire", "acheter")
	s.sees(http.StatusOK, "Votre panier", "Payer")
}

// newcomer is a buyer that no order knows yet.
var newcomer = []string{"telephone", "06 12 34 56 78", "nom", "Acheteuse exemple", "commune", "Fès", "adresse", "Derb de l’Exemple, 12", "faire", "payer"}

// TestTheStorefrontSells buys with a browser that runs no scripts.
func TestTheStorefrontSells(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	maker := r.seller(t)
	t.Run("journeys", func(t *testing.T) {
		for name, journey := range map[string]func(*testing.T, *rig, *shop){
			"by card, to the receipt":                     shopByCard,
			"by cash, and given up":                       shopByCash,
			"by transfer, with what the bank needs":       shopByTransfer,
			"pressed twice it is one order":               shopTwice,
			"what changed is asked again":                 shopChanged,
			"what is not right is said, and nothing lost": shopWrong,
			"nobody sees another one's order":             shopOthers,
			"one signs in and finds the basket":           shopSignIn,
			"something is wrong":                          shopProblem,
			"a seller has a page":                         shopSeller,
			"files and codes are bought and opened":       shopDigital,
			"one has a say in its data":                   shopData,
			"Back sends nothing again":                    shopBack,
			"a telephone is left to the next one":         shopShared,
			"an operator is led to its passkey":           shopFirstKey,
			"a suspended seller is told":                  shopSuspended,
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				journey(t, r, maker)
			})
		}
	})
	r.verify(t)
}

func shopByCard(t *testing.T, r *rig, maker *shop) {
	s, w := r.shops(t), r.ware(t, maker, 5, "120.00")
	s.takes(w.offer)
	_, form := s.form("/panier")
	if n := len(form); n == 0 {
		t.Fatal("the till has no fields")
	}
	s.fills("/panier", newcomer...)
	s.sees(http.StatusOK, "Payer par carte", "Aller à la banque")
	group := strings.TrimPrefix(s.at, "/g/")
	action, fields := s.form("/est3Dgate")
	flat := map[string]string{}
	for k := range fields {
		flat[k] = fields.Get(k)
	}
	if err := r.pay(t.Context(), action, flat, goodCard); err != nil {
		t.Fatal(err)
	}
	var order string
	r.until(t, "the order to be paid", func() bool {
		s.opens("/paiement/" + group)
		order = strings.TrimPrefix(strings.TrimSuffix(s.at, "?merci=1"), "/o/")
		return strings.HasPrefix(s.at, "/o/")
	})
	s.opens("/g/" + group)
	if strings.Contains(s.page, "est3Dgate") {
		t.Error("what is paid can be paid again")
	}
	s.opens("/o/" + order)
	if strings.Contains(s.page, "btn go") && strings.Contains(s.page, "/g/"+group) {
		t.Error("what is paid can be paid again from its order")
	}
	r.until(t, "the order to say so", func() bool { s.opens("/o/" + order); return strings.Contains(s.page, "payée") })
	s.sees(http.StatusOK, "payée", "Votre code de remise", "L’argent attend votre réception")
	if err := r.sends(t.Context(), maker.key, order); err != nil {
		t.Fatal(err)
	}
	s.opens("/o/" + order)
	s.sees(http.StatusOK, "J’ai reçu", "en route")
	s.fills("/o/"+order+"/recu", "x", "")
	s.sees(http.StatusOK, "terminée", "C’est noté")
	s.fills("/o/"+order+"/avis", "etoiles", "5", "texte", "Très bonne huile.")
	s.sees(http.StatusOK, "Votre avis est publié")
	s.fills("/o/"+order+"/message", "texte", "Merci beaucoup")
	s.sees(http.StatusOK, "Merci beaucoup")
	r.until(t, "the invoice", func() bool { s.opens("/o/" + order); return strings.Contains(s.page, "/factures/") })
	s.opens("/moi")
	s.sees(http.StatusOK, order, "Vous achetez sans compte")
	s.takes(r.ware(t, maker, 5, "80.00").offer)
	s.sees(http.StatusOK, "Acheteuse exemple", "Derb de l’Exemple, 12", "Changer")
}

// shopDigital buys a file and a code: nothing is brought, what is lost by opening
// is agreed to first, and only who bought it opens it.
func shopDigital(t *testing.T, r *rig, maker *shop) {
	s, file, code := r.shops(t), r.digitalWare(t, maker, "unlimited"), r.digitalWare(t, maker, "stocked")
	posts[digital.WareView](t, r, maker.key, "/v1/variants/"+file.variant+"/files", map[string]any{"file": r.stored(t, maker), "title": "Livret"})
	r.codes(t, maker, code, "EX-1", "EX-2")
	s.takes(file.offer)
	s.takes(code.offer)
	if strings.Contains(s.page, `id="f-commune"`) || strings.Contains(s.page, `id="f-adresse"`) || strings.Contains(s.page, "cash_on_delivery") {
		t.Error("what is brought nowhere asks where it goes, or is paid at the door")
	}
	s.sees(http.StatusOK, "loi 31-08", "Fichiers et codes")
	s.fills("/panier", "telephone", "06 12 34 56 79", "nom", "Acheteuse exemple", "faire", "payer")
	s.sees(http.StatusOK, "Cochez cet accord", `value="Acheteuse exemple"`)
	hash := regexp.MustCompile(`name="accord" value="([0-9a-f]+)"`).FindStringSubmatch(s.page)
	s.fills("/panier", "accord", hash[1], "faire", "payer")
	s.sees(http.StatusOK, "Aller à la banque")
	group := strings.TrimPrefix(s.at, "/g/")
	action, fields := s.form("/est3Dgate")
	flat := map[string]string{}
	for k := range fields {
		flat[k] = fields.Get(k)
	}
	if err := r.pay(t.Context(), action, flat, goodCard); err != nil {
		t.Fatal(err)
	}
	r.until(t, "the files", func() bool { s.opens("/g/" + group); return strings.Contains(s.page, "Vos fichiers et codes") })
	order, _, _ := strings.Cut(s.at, "?")
	if strings.Contains(s.page, "EX-") || strings.Contains(s.page, "buy.") {
		t.Errorf("before it is opened: %.1500s", plainText(s.page))
	}
	for range 2 {
		s.fills(order+"/ouvrir", "x", "")
		s.sees(http.StatusOK, "C’est ouvert")
	}
	s.sees(http.StatusOK, "EX-1", "Livret")
	link := regexp.MustCompile(`href="(/o/[^"]*/fichier/[^"]*)"`).FindStringSubmatch(s.page)
	other := r.shops(t)
	other.takes(r.ware(t, maker, 5, "60.00").offer)
	other.opens(link[1])
	other.sees(http.StatusNotFound)
	s.opens(link[1])
	if s.status != http.StatusOK || !strings.HasPrefix(s.page, "%PDF") {
		t.Errorf("the file is answered %d: %.80q", s.status, s.page)
	}
	for _, lang := range []string{"/ar", "/en"} {
		s.opens(lang + order)
		s.sees(http.StatusOK, "EX-1")
	}
}

func shopByCash(t *testing.T, r *rig, maker *shop) {
	s, w := r.shops(t), r.ware(t, maker, 5, "60.00")
	s.takes(w.offer)
	s.fills("/panier", append(slices.Clone(newcomer), "payer", "cash_on_delivery")...)
	s.sees(http.StatusOK, "à confirmer", "Je confirme", "Espèces à la livraison")
	order := strings.TrimPrefix(strings.TrimSuffix(s.at, "?merci=1"), "/o/")
	s.fills("/o/"+order+"/confirmer", "x", "")
	s.sees(http.StatusOK, "confirmée")
	s.fills("/o/"+order+"/annuler", "raison", "Plus besoin")
	s.sees(http.StatusOK, "annulée")
}

func shopByTransfer(t *testing.T, r *rig, maker *shop) {
	s, w := r.shops(t), r.ware(t, maker, 5, "60.00")
	s.takes(w.offer)
	s.fills("/panier", append(slices.Clone(newcomer), "payer", "transfer")...)
	s.sees(http.StatusOK, "Faire le virement", "RIB", "Référence à écrire")
}

func shopTwice(t *testing.T, r *rig, maker *shop) {
	s, w := r.shops(t), r.ware(t, maker, 5, "60.00")
	s.takes(w.offer)
	action, form := s.form("/panier")
	for i := 0; i < len(newcomer); i += 2 {
		form.Set(newcomer[i], newcomer[i+1])
	}
	tries := []*patron{s, s.copy(), s.copy(), s.copy()}
	var all sync.WaitGroup
	for _, one := range tries {
		all.Go(func() { one.send(http.MethodPost, action, form) })
	}
	all.Wait()
	led := map[string]bool{}
	for _, one := range tries {
		if one.status != http.StatusOK && one.status != http.StatusConflict {
			t.Errorf("a second press answers %d: %.600s", one.status, plainText(one.page))
		}
		if strings.HasPrefix(one.at, "/g/") {
			led[one.at] = true
		}
	}
	if len(led) != 1 {
		t.Errorf("one press too many leads to %v, want one group", led)
	}
	s.opens("/moi")
	if n := len(regexp.MustCompile(`href="/o/ord_`).FindAllString(s.page, -1)); n != 1 {
		t.Errorf("%d orders were made, want 1", n)
	}
}

func shopChanged(t *testing.T, r *rig, maker *shop) {
	s, w := r.shops(t), r.ware(t, maker, 5, "60.00")
	s.takes(w.offer)
	sku := struct{ Variants []struct{ SKU string } }{}
	r.ask(t, req{key: maker.key, method: "GET", path: "/v1/offers/" + w.offer}).into(t, &sku)
	r.ask(t, req{key: maker.key, method: "PATCH", path: "/v1/offers/" + w.offer, body: map[string]any{"variants": []any{map[string]any{"sku": sku.Variants[0].SKU, "price": dirhams("75.00")}}}}).into(t, nil)
	s.fills("/panier", newcomer...)
	s.sees(http.StatusOK, "Le prix a changé", "Acheteuse exemple", "75,00")
	r.ask(t, req{key: maker.key, method: "PATCH", path: "/v1/variants/" + w.variant + "/stock", body: map[string]int{"on_hand": 2}}).into(t, nil)
	s.fills("/panier", "q."+w.variant, "4", "faire", "voir")
	s.sees(http.StatusOK, "Il en reste 2", "Prendre les 2 qui restent")
	s.fills("/panier", "mettre", w.variant+".2")
	s.sees(http.StatusOK, "150,00")
	s.fills("/panier", "faire", "payer")
	s.sees(http.StatusOK, "Aller à la banque")
}

func shopWrong(t *testing.T, r *rig, maker *shop) {
	s, w := r.shops(t), r.ware(t, maker, 5, "60.00")
	s.opens("/panier")
	s.sees(http.StatusOK, "Votre panier est vide")
	s.takes(w.offer)
	s.fills("/panier", "telephone", "12", "nom", "Mon Nom", "commune", "Nullepart", "adresse", "", "faire", "payer")
	s.sees(http.StatusOK, "Écrivez un numéro marocain", "Nous ne connaissons pas cette commune", "Écrivez une rue", `value="Mon Nom"`, `value="Nullepart"`)
	s.fills("/panier", append(slices.Clone(newcomer), "ice", "123", "societe", "Atelier exemple")...)
	s.sees(http.StatusOK, "L’ICE a 15 chiffres", `value="Atelier exemple"`)
	s.fills("/panier", append(slices.Clone(newcomer), "ice", "", "societe", "", "code", "RIEN", "faire", "voir")...)
	s.sees(http.StatusOK, "Ce code n’existe pas")
	s.fills("/panier", "enlever", w.variant)
	s.sees(http.StatusOK, "Votre panier est vide")
	for _, lang := range []string{"/ar", "/en", "/zgh"} {
		s.opens(lang + "/panier")
		s.sees(http.StatusOK)
		s.opens(lang + "/p/" + w.offer)
		s.sees(http.StatusOK)
	}
	s.opens("/o/ord_none")
	s.sees(http.StatusNotFound, "Cette commande n’est pas la vôtre")
}

func shopOthers(t *testing.T, r *rig, maker *shop) {
	s, w := r.shops(t), r.ware(t, maker, 5, "60.00")
	s.takes(w.offer)
	s.fills("/panier", append(slices.Clone(newcomer), "payer", "cash_on_delivery")...)
	path, _, _ := strings.Cut(s.at, "?")
	nobody := r.shops(t)
	nobody.opens(path)
	if !strings.HasPrefix(nobody.at, "/entrer?vers=") {
		t.Errorf("a stranger is led to %s", nobody.at)
	}
	other := r.shops(t)
	other.takes(w.offer)
	other.opens(path)
	other.sees(http.StatusNotFound)
	other.send(http.MethodPost, path+"/annuler", url.Values{"raison": {"x"}})
	other.sees(http.StatusNotFound)
}

func shopSignIn(t *testing.T, r *rig, maker *shop) {
	s, w := r.shops(t), r.ware(t, maker, 5, "60.00")
	s.takes(w.offer)
	s.opens("/entrer?vers=" + url.QueryEscape("//elsewhere.example"))
	s.fills("/entrer", "adresse", "nobody")
	s.sees(http.StatusUnprocessableEntity, "Écrivez un numéro marocain ou une adresse e-mail")
	s.fills("/entrer", "adresse", "06 61 00 00 77")
	s.sees(http.StatusOK, "Un code de six chiffres")
	s.fills("/entrer/code", "code", "000000")
	s.sees(http.StatusUnprocessableEntity, "Ce code n’est pas le bon")
	var box struct {
		Data []struct{ Params map[string]string }
	}
	r.ask(t, req{method: "GET", path: "/v1/demo/inbox?address=" + url.QueryEscape("+212661000077")}).into(t, &box)
	if len(box.Data) == 0 {
		t.Fatal("no code was sent")
	}
	s.fills("/entrer/code", "code", box.Data[0].Params["code"])
	s.sees(http.StatusOK, "Ma page", "Vos appareils")
	if s.at != "/moi" {
		t.Errorf("signing in leads to %s", s.at)
	}
	s.opens("/panier")
	s.sees(http.StatusOK, "60,00")
	for _, lang := range []string{"/ar", "/en"} {
		s.opens(lang + "/moi")
		s.sees(http.StatusOK)
	}
	s.opens("/moi")
	s.fills("/sortir", "x", "")
	s.opens("/moi")
	if !strings.HasPrefix(s.at, "/entrer") {
		t.Errorf("signed out, one is led to %s", s.at)
	}
}

func shopProblem(t *testing.T, r *rig, maker *shop) {
	s, w := r.shops(t), r.ware(t, maker, 5, "90.00")
	s.takes(w.offer)
	s.fills("/panier", newcomer...)
	group := strings.TrimPrefix(s.at, "/g/")
	action, fields := s.form("/est3Dgate")
	flat := map[string]string{}
	for k := range fields {
		flat[k] = fields.Get(k)
	}
	if err := r.pay(t.Context(), action, flat, goodCard); err != nil {
		t.Fatal(err)
	}
	r.until(t, "the order to be paid", func() bool { s.opens("/paiement/" + group); return strings.HasPrefix(s.at, "/o/") })
	order := strings.TrimPrefix(strings.TrimSuffix(s.at, "?merci=1"), "/o/")
	r.until(t, "the order to say so", func() bool { s.opens("/o/" + order); return strings.Contains(s.page, "payée") })
	for _, lang := range []string{"", "/ar", "/en"} {
		s.opens(lang + "/o/" + order)
		s.sees(http.StatusOK)
		s.opens(lang + "/o/" + order + "/probleme")
		s.sees(http.StatusOK, "not_received", `type="file"`)
	}
	s.opens("/o/" + order + "/probleme")
	s.fills("/o/"+order+"/probleme", "motif", "", "souhait", "refund")
	s.sees(http.StatusUnprocessableEntity)
	s.fills("/o/"+order+"/probleme", "motif", "not_received", "souhait", "refund", "texte", "Rien n’est venu.")
	s.sees(http.StatusOK, "Un problème est signalé", "la coopérative doit répondre")
}

func shopSeller(t *testing.T, r *rig, maker *shop) {
	s, w := r.shops(t), r.ware(t, maker, 5, "90.00")
	for _, lang := range []string{"", "/ar", "/en"} {
		s.opens(lang + "/c/" + maker.org)
		s.sees(http.StatusOK, "/p/"+w.offer, "application/ld+json")
		s.opens(lang + "/aide")
		s.sees(http.StatusOK, "31-08")
	}
	s.opens("/c/org_none")
	s.sees(http.StatusNotFound)
	for path, want := range map[string]string{
		"/robots.txt": "Disallow: /panier", "/sitemap.xml": "/sitemap/oils", "/sitemap/oils": "/p/" + w.offer, "/manifest.webmanifest": `"share_target"`,
		"/ar/manifest.webmanifest": `"rtl"`, "/sw.js": "addEventListener('fetch'",
	} {
		s.opens(path)
		s.sees(http.StatusOK, want)
	}
}
