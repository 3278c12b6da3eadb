package main

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"tiwiza/pkg/auth"
	"tiwiza/pkg/pg"
)

const financeProducts, financeApplications = "/v1/finance/products", "/v1/finance/applications"

// An applied is an application, as these tests look at it.
type applied struct {
	ID, State, RIB, Account string
	Agree                   struct{ Digest string }
	Consents                []struct{ ID, Ended string }
	Offer                   struct{ Monthly moneyView }
}

func inThree(text string) map[string]string {
	return map[string]string{"fr": text, "ar": text, "en": text}
}

// lends is what a bank says of a loan.
func lends(name string) map[string]any {
	return map[string]any{
		"kind": "loan", "names": inThree(name), "terms": inThree("Remboursé chaque mois, sans frais cachés."), "sections": []string{"identity", "financial"},
		"least": dirhams("5000.00"), "most": dirhams("100000.00"), "shortest": 6, "longest": 60, "rate": "6.5",
	}
}

func keepsMoney(name string) map[string]any {
	return map[string]any{"kind": "account", "names": inThree(name), "terms": inThree("Sans frais la première année."), "sections": []string{"identity"}}
}

// product has the demonstration's bank publish something.
func (r *rig) product(t testing.TB, of map[string]any) string {
	t.Helper()
	p := r.drafted(t, of)
	r.posts(t, r.keys.Bank.APIKey, financeProducts+"/"+p+"/submit", nothing)
	r.posts(t, r.operator(), financeProducts+"/"+p+"/publish", map[string]int{"version": 1})
	return p
}

func (r *rig) drafted(t testing.TB, of map[string]any) string {
	t.Helper()
	var v struct{ Product string }
	r.ask(t, req{key: r.keys.Bank.APIKey, method: "POST", path: financeProducts, body: of, idem: once()}).into(t, &v)
	return v.Product
}

// asks is what an application says.
func asksLoan(product, purpose string) map[string]any {
	return map[string]any{"product": product, "amount": dirhams("20000.00"), "months": 24, "purpose": purpose, "sections": []string{"identity", "financial"}, "days": 90}
}

func (r *rig) drafts(t testing.TB, s *shop, product string) (a applied) {
	t.Helper()
	r.ask(t, req{key: s.key, method: "POST", path: financeApplications, body: asksLoan(product, "Un métier."), idem: once()}).into(t, &a)
	return a
}

// does makes a step of an application.
func (r *rig) does(t testing.TB, key, application, step string, body any) (a applied) {
	t.Helper()
	r.ask(t, req{key: key, method: "POST", path: financeApplications + "/" + application + "/" + step, body: body, idem: once()}).into(t, &a)
	return a
}

func (r *rig) applies(t testing.TB, s *shop, product string) applied {
	t.Helper()
	a := r.drafts(t, s, product)
	return r.does(t, s.key, a.ID, "submit", map[string]string{"digest": a.Agree.Digest})
}

func (r *rig) offering(t testing.TB) map[string]any {
	t.Helper()
	return map[string]any{"amount": dirhams("20000.00"), "rate": "7.25", "months": 24, "fees": dirhams("150.00"), "valid_until": r.hence(t, 80*24*time.Hour)}
}

// lent has a member apply for a loan by the interface, with all that a bank and the
// market do about it.
func lent(t *testing.T, r *rig, _ trade) {
	s, bank, boss := r.seller(t), r.keys.Bank.APIKey, r.operator()
	p := r.drafted(t, lends(mark("Crédit (exemple)")))
	text := lends(mark("Crédit équipement (exemple)"))
	delete(text, "kind")
	r.ask(t, req{key: bank, method: "PUT", path: financeProducts + "/" + p + "/draft", body: text}).into(t, nil)
	r.posts(t, bank, financeProducts+"/"+p+"/submit", nothing)
	r.posts(t, boss, financeProducts+"/"+p+"/return", map[string]any{"version": 1, "note": "Dites les frais."})
	r.posts(t, bank, financeProducts+"/"+p+"/submit", nothing)
	r.posts(t, boss, financeProducts+"/"+p+"/publish", map[string]int{"version": 1})
	if got := r.shows(t, s.key, "/v1/finance/catalogue?kind=loan&limit=100"); !strings.Contains(got, p) {
		t.Errorf("members are offered %s", got)
	}
	r.shows(t, bank, financeProducts)
	r.shows(t, boss, financeProducts+"?state=published")
	r.shows(t, s.key, financeProducts+"/"+p)
	r.posts(t, s.key, "/v1/organisations/"+s.org+"/dossier", form("bilan"))
	a := r.applies(t, s, p)
	r.until(t, "the bank to be told", func() bool { return strings.Contains(r.shows(t, bank, "/v1/finance/desk"), `"waiting"`) })
	if got := r.shows(t, bank, financeApplications+"?sort=deadline&limit=100"); !strings.Contains(got, a.ID) {
		t.Errorf("the bank's inbox is %s", got)
	}
	r.does(t, bank, a.ID, "receive", nothing)
	r.does(t, bank, a.ID, "review", nothing)
	r.shows(t, bank, dossiers+s.org+"?consent="+a.Consents[0].ID)
	r.does(t, bank, a.ID, "ask", map[string]any{"text": "Vos ventes de l'an dernier ?"})
	r.does(t, s.key, a.ID, "answer", map[string]string{"text": "48 200 DH."})
	if o := r.does(t, bank, a.ID, "offer", r.offering(t)); o.Offer.Monthly.Amount() != "897.72" {
		t.Errorf("it costs %s a month", o.Offer.Monthly.Amount())
	}
	r.does(t, s.key, a.ID, "accept", nothing)
	r.does(t, bank, a.ID, "complete", map[string]string{"rib": demoRIB(t), "holder": s.name})
	if done := r.does(t, s.key, a.ID, "use-account", nothing); done.State != "granted" || done.RIB != demoRIB(t) || done.Account == "" {
		t.Errorf("in the end it is %+v", done)
	}
	b := r.applies(t, s, p)
	r.does(t, bank, b.ID, "review", nothing)
	r.does(t, bank, b.ID, "offer", r.offering(t))
	r.does(t, s.key, b.ID, "decline", map[string]string{"reason": "Trop cher."})
	c := r.applies(t, s, p)
	r.ask(t, req{key: s.key, method: "POST", path: consents + "/" + c.Consents[0].ID + "/withdraw", body: nothing, idem: once()}).into(t, nil)
	r.ask(t, req{key: bank, method: "GET", path: dossiers + s.org + "?consent=" + c.Consents[0].ID}).refused(t, 403, "sharing.ended")
	r.until(t, "the application to say so", func() bool {
		return strings.Contains(r.shows(t, bank, financeApplications+"/"+c.ID), `"ended":"withdrawn"`)
	})
	r.does(t, bank, c.ID, "refuse", map[string]string{"reason": "Nous ne voyons plus votre dossier."})
	r.does(t, s.key, r.applies(t, s, p).ID, "withdraw", nothing)
	r.posts(t, bank, financeProducts+"/"+p+"/withdraw", nothing)
	r.shows(t, boss, "/v1/finance/errands")
	r.ask(t, req{key: boss, method: "PUT", path: "/v1/finance/banks/" + r.self(t, bank) + "/channel", body: map[string]string{"partner": ""}}).into(t, nil)
	r.shows(t, boss, financeApplications)
}

// lendsByItsSystem has members apply at the demonstration's bank, whose system is
// plugged in, while two hubs run: it asks for papers, offers and grants by itself,
// and one whose answer is lost it has once.
func (r *rig) lendsByItsSystem(t *testing.T, two *rig, partner string) {
	t.Helper()
	channel := "/v1/finance/banks/" + r.self(t, r.keys.Bank.APIKey) + "/channel"
	r.ask(t, req{key: r.operator(), method: "PUT", path: channel, body: map[string]string{"partner": partner}}).into(t, nil)
	defer r.ask(t, req{key: r.operator(), method: "PUT", path: channel, body: map[string]string{"partner": ""}})
	s, product := r.seller(t), r.product(t, lends(mark("Crédit (exemple)")))
	puts := func(amount string) applied {
		var a applied
		in := asksLoan(product, "Un métier.")
		in["amount"] = dirhams(amount)
		r.ask(t, req{key: s.key, method: "POST", path: financeApplications, body: in, idem: once()}).into(t, &a)
		return r.does(t, s.key, a.ID, "submit", map[string]string{"digest": a.Agree.Digest})
	}
	is := func(a applied, state string) {
		t.Helper()
		r.until(t, "the application to be "+state, func() bool {
			return strings.Contains(two.shows(t, s.key, financeApplications+"/"+a.ID), `"state":"`+state+`"`)
		})
	}
	a, lost, no := puts("20000.02"), puts("20000.03"), puts("20000.01")
	is(a, "papers_asked")
	two.does(t, s.key, a.ID, "answer", map[string]string{"text": "Les voici."})
	is(a, "offered")
	r.does(t, s.key, a.ID, "accept", nothing)
	is(a, "granted")
	if got := r.shows(t, s.key, financeApplications+"/"+a.ID); !strings.Contains(got, `"rib":"001810`) || !strings.Contains(got, `"by_system":true`) {
		t.Errorf("the member sees %s", got)
	}
	is(lost, "offered")
	is(no, "refused")
	if got := r.shows(t, r.operator(), "/v1/finance/errands?application="+lost.ID); !strings.Contains(got, `"done"`) || !strings.Contains(got, "found by our reference") {
		t.Errorf("of the one whose answer was lost the hub says %s", got)
	}
}

// demoRIB is an invented account at no bank, whose key fits.
func demoRIB(testing.TB) string { return "001810007800020110620318" }

// wordlessDesk are keys of texts that no language has.
var wordlessDesk = regexp.MustCompile(`[>"](partner|finance|services|insure|import|cases|problem|dossier|accord|team|glass)\.[a-z]`)

// reads looks whether a page of a desk is in its language, and keeps the rules of
// pages.
func (b *browser) reads(t *testing.T, path string) {
	t.Helper()
	for _, lang := range []string{"", "/ar", "/en"} {
		_, body, _ := b.do(t, "GET", lang+path, nil)
		if m := wordlessDesk.FindString(body); m != "" {
			t.Errorf("%s shows a key: %.60s", lang+path, body[strings.Index(body, m):])
		}
		b.keeps(t, lang+path)
	}
}

// seated signs somebody in by telephone and passkey who manages an organisation.
func (r *rig) seated(t *testing.T, phone, org string) *browser {
	t.Helper()
	b := r.atDesk(t, phone)
	_, person := r.person(t, phone)
	ctx := auth.With(t.Context(), auth.Hub)
	if err := r.house.store.InTx(ctx, func(tx *pg.Tx) error { return r.house.members.Join(ctx, tx, person, org, "manager") }); err != nil {
		t.Fatal(err)
	}
	return b
}

// lentByPages has a bank write its product and answer an application, and a member
// apply and choose, by pages without scripts.
func lentByPages(t *testing.T, r *rig, _ trade) {
	s := r.seller(t)
	r.posts(t, s.key, "/v1/organisations/"+s.org+"/dossier", form("bilan"))
	officer, member := r.seated(t, "+212600088101", r.self(t, r.keys.Bank.APIKey)), r.seated(t, "+212600088102", s.org)
	if status, _, _ := member.do(t, "GET", "/b", nil); status != http.StatusForbidden {
		t.Errorf("a member at the bank's desk is answered %d", status)
	}
	name := mark("Crédit atelier (exemple)")
	officer.open(t, "/b", "Demandes")
	page := officer.open(t, "/b/produits/nouveau?genre=loan", "La carte du membre")
	in := url.Values{
		"names_fr": {name}, "names_ar": {"قرض (مثال)"}, "names_en": {"Loan (example)"}, "terms_fr": {"Chaque mois."}, "terms_ar": {"كل شهر."}, "terms_en": {"Each month."},
		"least": {"5 000,00"}, "most": {"100 000,00"}, "shortest": {"6"}, "longest": {"60"}, "rate": {"51"}, "sections": {"identity", "financial"},
	}
	officer.refused(t, page, `value="save"`, in, 422, "Donnez un taux", name)
	in["rate"] = []string{"6,5"}
	page = officer.send(t, page, `value="save"`, in, "Enregistré.", name)
	officer.reads(t, "/b/produits/nouveau?genre=account")
	page = officer.send(t, page, `value="submit"`, nil, "L’équipe du marché lit cette version")
	product := regexp.MustCompile(`prd_[a-z0-9]{26}`).FindString(page)
	r.posts(t, r.operator(), financeProducts+"/"+product+"/publish", map[string]int{"version": 1})
	officer.reads(t, "/b/produits/"+product+"?carte=ar")
	officer.reads(t, "/b/produits")

	member.open(t, "/v/services", name)
	member.reads(t, "/v/services")
	member.reads(t, "/v/services/"+product)
	page = member.open(t, "/v/services/"+product, "Rien ne part encore")
	member.refused(t, page, `name="somme"`, url.Values{"somme": {"4 000"}, "mois": {"24"}, "jours": {"90"}}, 422, "Donnez un montant")
	page = member.send(t, page, `name="somme"`, url.Values{"somme": {"20 000"}, "mois": {"24"}, "jours": {"90"}, "pour": {"Un métier à tisser."}}, "pourra voir votre dossier", "Autoriser et envoyer")
	application := regexp.MustCompile(`apl_[a-z0-9]{26}`).FindString(page)
	at := "/v/services/" + application
	member.reads(t, at)
	member.send(t, page, `value="submit"`, nil, "Votre demande est partie.", "Envoyée")

	file := "/b/d/" + application
	officer.reads(t, "/b")
	officer.open(t, "/b?genre=loan", s.name)
	page = officer.open(t, file, "Le membre vous laisse voir")
	page = officer.send(t, page, `value="review"`, nil, "L’étude a commencé.")
	papers := officer.open(t, file+"?papiers=1", "bilan", "Chaque lecture est notée")
	item := regexp.MustCompile(`/b/d/apl_[a-z0-9]+/p/itm_[a-z0-9]+`).FindString(papers)
	officer.open(t, item, "chiffre")
	if looks := r.shows(t, s.key, "/v1/organisations/"+s.org+"/consultations"); !strings.Contains(looks, "a vu votre «bilan»") {
		t.Errorf("the member reads %s", looks)
	}
	officer.send(t, page, `value="ask"`, url.Values{"ask_text": {"Vos ventes ?"}, "ask_sections": {"production"}}, "La question est partie.")
	officer.reads(t, file)
	page = member.open(t, at, "Vos ventes ?", "production")
	member.reads(t, at)
	member.send(t, page, `value="answer"`, url.Values{"reponse": {"48 200 DH."}}, "Votre réponse est partie.")
	page = officer.open(t, file, "48 200 DH.")
	officer.refused(t, page, `value="offer"`, url.Values{"offer_amount": {"200 000"}, "offer_rate": {"7,25"}, "offer_months": {"24"}}, 422, "Donnez un montant", "200 000")
	officer.send(t, page, `value="offer"`, url.Values{"offer_amount": {"20 000"}, "offer_rate": {"7,25"}, "offer_months": {"24"}, "offer_fees": {"150"}}, "L’offre est chez le membre.", "897,72")
	page = member.open(t, at, "897,72", "Choisir", "huit cent quatre-vingt-dix-sept dirhams")
	member.reads(t, at)
	member.send(t, page, `value="accept"`, nil, "Vous avez choisi.")
	page = officer.open(t, file, "Crédit accordé")
	officer.refused(t, page, `value="complete"`, url.Values{"complete_rib": {"123"}, "complete_holder": {s.name}}, 422, "Ce RIB n’est pas juste")
	officer.send(t, page, `value="complete"`, url.Values{"complete_rib": {demoRIB(t)}, "complete_holder": {s.name}}, "Le membre est prévenu.")
	page = member.open(t, at, "0078000201106203", "Être payé sur ce compte")
	member.send(t, page, `value="use-account"`, nil, "Le compte est donné.")
	member.reads(t, at)
	officer.open(t, "/b/contrats", s.name, "897,72")
	officer.reads(t, "/b/contrats")

	page = member.open(t, at)
	member.send(t, page, `value="consent"`, nil, "La banque ne voit plus ces papiers.", "Retiré")
	r.until(t, "the file to say so", func() bool {
		_, body, _ := officer.do(t, "GET", file, nil)
		return strings.Contains(body, "Accord retiré")
	})
	officer.reads(t, file)

	officer.reads(t, "/b/equipe")
	page = officer.open(t, "/b/equipe", "Inviter")
	officer.send(t, page, `value="invite"`, url.Values{"invite_address": {"+212600088103"}, "invite_role": {"member"}}, "L’invitation est partie.")
	if status, _, _ := officer.do(t, "GET", "/b/d/apl_none", nil); status != http.StatusNotFound {
		t.Errorf("a file that is none is answered %d", status)
	}
}

// The routes of finance, for the suite of what happens once.
func init() {
	with := func(key, by, path string, body, bad, other any) posting {
		p := posting{by: by}
		p.key, p.path, p.body = key, path, body
		p.bad, p.other = p.at(path, bad), p.at(path, other)
		return p.moved()
	}
	bankOf := func(o *onceRig) string { return o.keys.Bank.APIKey }
	at := func(id, step string) string { return financeApplications + "/" + id + "/" + step }
	// of is a step of an application that was brought to where it can be made.
	of := func(name, step string, by func(o *onceRig, s *shop) string, to []string, body, bad, other func(t *testing.T, o *onceRig, a applied) any) {
		postings[name] = func(t *testing.T, o *onceRig) posting {
			s := o.seller(t)
			a := o.drafts(t, s, o.product(t, lends(mark("Crédit (exemple)"))))
			for _, x := range to {
				var in any = nothing
				key := bankOf(o)
				switch x {
				case "submit":
					key, in = s.key, map[string]string{"digest": a.Agree.Digest}
				case "ask":
					in = map[string]string{"text": "?"}
				case "offer":
					in = o.offering(t)
				case "accept":
					key = s.key
				case "complete":
					in = map[string]string{"rib": demoRIB(t), "holder": s.name}
				}
				o.does(t, key, a.ID, x, in)
			}
			stranger := o.stranger.key
			key := by(o, s)
			if key == s.key {
				stranger = bankOf(o)
			}
			var b, w, x any
			if body != nil {
				b, w, x = body(t, o, a), bad(t, o, a), other(t, o, a)
			}
			p := with(key, stranger, at(a.ID, step), b, w, x)
			p.effect, p.of = trail(name, a.ID)
			return p
		}
	}
	bank := func(o *onceRig, _ *shop) string { return bankOf(o) }
	member := func(_ *onceRig, s *shop) string { return s.key }
	say := func(v any) func(*testing.T, *onceRig, applied) any {
		return func(*testing.T, *onceRig, applied) any { return v }
	}
	text := func(name, value string) func(*testing.T, *onceRig, applied) any {
		return say(map[string]string{name: value})
	}
	of("finance.submit", "submit", member, nil, func(_ *testing.T, _ *onceRig, a applied) any { return map[string]string{"digest": a.Agree.Digest} }, text("digest", "00"), text("digest", "01"))
	of("finance.receive", "receive", bank, []string{"submit"}, nil, nil, nil)
	of("finance.review", "review", bank, []string{"submit"}, nil, nil, nil)
	of("finance.ask", "ask", bank, []string{"submit", "review"}, text("text", "Vos ventes ?"), text("text", " "), text("text", "Vos achats ?"))
	of("finance.answer", "answer", member, []string{"submit", "review", "ask"}, text("text", "Voici."), text("text", " "), text("text", "Voilà."))
	of("finance.offer", "offer", bank, []string{"submit", "review"}, func(t *testing.T, o *onceRig, _ applied) any { return o.offering(t) },
		func(t *testing.T, o *onceRig, _ applied) any { v := o.offering(t); v["months"] = 61; return v },
		func(t *testing.T, o *onceRig, _ applied) any { v := o.offering(t); v["months"] = 12; return v })
	of("finance.accept", "accept", member, []string{"submit", "review", "offer"}, nil, nil, nil)
	of("finance.decline", "decline", member, []string{"submit", "review", "offer"}, text("reason", "Trop cher."), say(map[string]int{"reason": 1}), text("reason", "Trop tard."))
	of("finance.withdraw", "withdraw", member, []string{"submit"}, nil, nil, nil)
	of("finance.refuse", "refuse", bank, []string{"submit"}, text("reason", "Hors de notre région."), text("reason", " "), text("reason", "Trop tard."))
	of("finance.complete", "complete", bank, []string{"submit", "review", "offer", "accept"}, say(map[string]string{"rib": demoRIB(nil), "holder": "Coopérative (exemple)"}),
		say(map[string]string{"rib": "1", "holder": "X"}), say(map[string]string{}))
	of("finance.use_account", "use-account", member, []string{"submit", "review", "offer", "accept", "complete"}, nil, nil, nil)
	postings["finance.apply"] = func(t *testing.T, o *onceRig) posting {
		s, product, why := o.seller(t), o.product(t, lends(mark("Crédit (exemple)"))), mark("Métier")
		p := with(s.key, o.stranger.key, financeApplications, asksLoan(product, why), asksLoan("prd_none", why), asksLoan(product, why+" !"))
		p.effect, p.of = `select count(*) from finance.application where member = $1`, s.org
		return p
	}
	postings["finance_products.make"] = func(_ *testing.T, o *onceRig) posting {
		name := mark("Compte (exemple)")
		bad := keepsMoney(name)
		bad["names"] = map[string]string{"fr": name}
		p := with(bankOf(o), o.operator(), financeProducts, keepsMoney(name), bad, keepsMoney(name+" !"))
		p.effect, p.of = `select count(*) from finance.edition where names ->> 'fr' = $1`, name
		return p
	}
	ofProduct := func(step string, key func(o *onceRig) string, to func(t *testing.T, o *onceRig, p string), body, bad, other any) {
		postings["finance_products."+step] = func(t *testing.T, o *onceRig) posting {
			product := o.drafted(t, keepsMoney(mark("Compte (exemple)")))
			to(t, o, product)
			p := with(key(o), o.stranger.key, financeProducts+"/"+product+"/"+step, body, bad, other)
			p.effect, p.of = trail("finance_products."+step, product)
			return p
		}
	}
	handed := func(t *testing.T, o *onceRig, p string) {
		o.posts(t, bankOf(o), financeProducts+"/"+p+"/submit", nothing)
	}
	operator := func(o *onceRig) string { return o.operator() }
	version := func(n int) map[string]any { return map[string]any{"version": n} }
	ofProduct("submit", bankOf, func(*testing.T, *onceRig, string) {}, nil, nil, nil)
	ofProduct("publish", operator, handed, version(1), version(2), version(3))
	ofProduct("return", operator, handed, map[string]any{"version": 1, "note": "Les frais ?"}, map[string]any{"version": 2, "note": "Les frais ?"}, map[string]any{"version": 1, "note": "Le taux ?"})
	ofProduct("withdraw", bankOf, func(t *testing.T, o *onceRig, p string) {
		handed(t, o, p)
		o.posts(t, o.operator(), financeProducts+"/"+p+"/publish", version(1))
	}, nil, nil, nil)
}

// The play of partners: what a bank does with the market, twice on one hub.
func TestPartnersWorkWithTheMarket(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for range 2 {
		f, err := r.partnersWork(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if f.State != "granted" || f.Monthly != "897.72" || !f.RIB || !f.PaidOut || f.Insurance.PaidOut != "400.00" || f.Insurance.Breaks != 0 || f.Violations != 0 {
			t.Errorf("it made %+v", f)
		}
	}
	if out, code := r.command(t, "demo", "partners"); code != 0 || !strings.Contains(out, `"indemnity":"400.00"`) || !strings.Contains(out, `"violations":0`) {
		t.Errorf("hub demo partners ends with %d:\n%s", code, out)
	}
	r.verify(t)
}
