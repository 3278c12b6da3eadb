package finance_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"tiwiza/adapters/bank"
	"tiwiza/marketplace/finance"
	"tiwiza/marketplace/members"
	"tiwiza/marketplace/sharing"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/pg"
)

// cast is a bank with a loan and an account, and a member with something in its
// dossier.
type cast struct {
	*hub
	bank, member  auth.Key
	bankID, coop  string
	loan, account string
}

func newCast(t testing.TB) cast {
	t.Helper()
	c := cast{hub: newHub(t)}
	c.bankID, c.bank = c.hub.member(members.Bank, "Banque (exemple)")
	c.coop, c.member = c.hub.member(members.Cooperative, "Coopérative (exemple)")
	c.loan, c.account = c.product(c.bank, loan()), c.product(c.bank, account())
	c.puts(c.member, c.coop, "financial", "bilan")
	return c
}

// A loan goes its whole way: papers are asked and given, an offer is made with what
// it costs a month and accepted, and the RIB arrives and becomes the account of a
// member that has none, unverified.
func TestALoanGoesItsWholeWay(t *testing.T) {
	t.Parallel()
	c := newCast(t)
	draft := c.drafts(c.member, c.loan, finance.Loan)
	if !strings.Contains(draft.Agree.Text["fr"], "Banque (exemple) pourra voir votre dossier (identité, finances) pendant 90 jours") {
		t.Errorf("the member is to agree to %q", draft.Agree.Text["fr"])
	}
	c.refused(404, "finance.not_found", "", c.bank, "GET", applications+"/"+draft.ID, nil)
	a := c.does(c.member, draft.ID, "submit", fields{"digest": draft.Agree.Digest})
	if a.State != finance.Submitted || len(a.Consents) != 1 || a.Consents[0].Ended != "" {
		t.Fatalf("submitted: %+v", a)
	}
	var dossier sharing.DossierView
	c.want(200, &dossier, c.bank, "GET", "/v1/dossiers/"+c.coop+"?consent="+a.Consents[0].ID, nil)
	if len(dossier.Items) != 1 {
		t.Errorf("the bank sees %+v", dossier)
	}
	c.does(c.bank, a.ID, "receive", nil)
	c.does(c.bank, a.ID, "review", nil)
	c.does(c.bank, a.ID, "ask", fields{"text": "Vos ventes de l'an dernier ?", "sections": []string{"production"}})
	asked := c.seen(c.member, a.ID)
	if asked.State != finance.PapersAsked || asked.Agree == nil || len(asked.Questions) != 1 {
		t.Fatalf("asked: %+v", asked)
	}
	c.refused(422, "finance.invalid", "/digest", c.member, "POST", applications+"/"+a.ID+"/answer", fields{"text": "Les voici."})
	c.does(c.member, a.ID, "answer", fields{"text": "Les voici.", "digest": asked.Agree.Digest})
	o := c.does(c.bank, a.ID, "offer", c.offering())
	if o.Offer == nil || o.Offer.Monthly.Amount() != "897.72" || o.Offer.Total.Amount() != "21695.28" || !o.Deadline.Equal(o.Offer.ValidUntil) {
		t.Errorf("the offer is %+v", o.Offer)
	}
	c.does(c.member, a.ID, "accept", nil)
	done := c.does(c.bank, a.ID, "complete", fields{"rib": rib, "holder": "Coopérative (exemple)"})
	if done.State != finance.Granted || done.RIB != "•••• 0318" {
		t.Errorf("the bank sees %s %q", done.State, done.RIB)
	}
	mine := c.seen(c.member, a.ID)
	if mine.RIB != rib || mine.Account == "" || mine.Deadline != nil {
		t.Errorf("the member sees %+v", mine)
	}
	have, err := c.members.PayoutAccounts(t.Context(), c.db, c.coop)
	must(t, err)
	if got := have[c.coop]; got.RIB != rib || got.Verified() {
		t.Errorf("the member is paid at %+v", got)
	}
	var states []string
	for _, s := range mine.Steps {
		states = append(states, string(s.State))
	}
	if got, want := strings.Join(states, " "), "granted accepted offered in_review papers_asked in_review received submitted draft"; got != want {
		t.Errorf("it went %s, want %s", got, want)
	}
}

// A member that is paid somewhere stays paid there, until it chooses otherwise.
func TestARIBNeverTakesThePlaceOfAnAccount(t *testing.T) {
	t.Parallel()
	c := newCast(t)
	const other = "011519000001205000534921"
	c.want(201, nil, c.member, "POST", "/v1/organisations/"+c.coop+"/bank-accounts", fields{"rib": other, "holder": "Coopérative (exemple)"})
	a := c.applies(c.member, c.account, finance.Account)
	c.does(c.bank, a.ID, "review", nil)
	c.does(c.bank, a.ID, "offer", fields{"terms": "Compte courant, sans frais.", "valid_until": c.in(48 * time.Hour)})
	c.refused(409, "finance.no_rib", "", c.member, "POST", applications+"/"+a.ID+"/use-account", nil)
	c.does(c.member, a.ID, "accept", nil)
	c.refused(422, "finance.invalid", "/rib", c.bank, "POST", applications+"/"+a.ID+"/complete", fields{"rib": "001810007800020110620319", "holder": "X"})
	c.refused(422, "finance.invalid", "/rib", c.bank, "POST", applications+"/"+a.ID+"/complete", nil)
	c.does(c.bank, a.ID, "complete", fields{"rib": rib, "holder": "Coopérative (exemple)"})
	paid := func() members.Account {
		have, err := c.members.PayoutAccounts(t.Context(), c.db, c.coop)
		must(t, err)
		return have[c.coop]
	}
	if got := paid().RIB; got != other {
		t.Errorf("the member is paid at %s, want %s", got, other)
	}
	if v := c.does(c.member, a.ID, "use-account", nil); v.Account == "" {
		t.Error("the member chose the account, and it is none")
	}
	if got := paid(); got.RIB != rib || got.Verified() {
		t.Errorf("the member chose the account, and %+v waits", got)
	}
}

// Nobody sees or moves what is another's, and each side does its own part only.
func TestOthersFindNothing(t *testing.T) {
	t.Parallel()
	c := newCast(t)
	_, otherBank := c.hub.member(members.Bank, "Autre banque (exemple)")
	_, other := c.hub.member(members.Cooperative, "Autre (exemple)")
	_, insurer := c.hub.member(members.Insurer, "Assureur (exemple)")
	a := c.applies(c.member, c.loan, finance.Loan)
	at := applications + "/" + a.ID
	for _, move := range []string{"submit", "answer", "accept", "decline", "withdraw", "use-account"} {
		c.refused(404, "finance.not_found", "", other, "POST", at+"/"+move, nil)
		c.refused(403, "auth.denied", "", c.bank, "POST", at+"/"+move, nil)
	}
	bodies := map[string]any{"ask": fields{"text": "?"}, "offer": c.offering(), "refuse": fields{"reason": "Non."}}
	for _, move := range []string{"receive", "review", "ask", "offer", "refuse", "complete"} {
		c.refused(404, "finance.not_found", "", otherBank, "POST", at+"/"+move, bodies[move])
		c.refused(403, "auth.denied", "", c.member, "POST", at+"/"+move, bodies[move])
	}
	for _, key := range []auth.Key{other, otherBank} {
		c.refused(404, "finance.not_found", "", key, "GET", at, nil)
		var p struct{ Data []finance.ApplicationView }
		if c.want(200, &p, key, "GET", applications, nil); len(p.Data) != 0 {
			t.Errorf("somebody else lists %+v", p.Data)
		}
	}
	c.refused(403, "auth.denied", "", insurer, "GET", at, nil)
	c.refused(404, "finance.not_found", "", otherBank, "PUT", products+"/"+c.loan+"/draft", loanText())
	c.refused(404, "finance.not_found", "", otherBank, "POST", products+"/"+c.loan+"/withdraw", nil)
	for key, n := range map[auth.Key]int{c.member: 1, c.bank: 1, c.boss: 1} {
		for _, sort := range []string{"newest", "deadline"} {
			var p struct{ Data []finance.ApplicationView }
			if c.want(200, &p, key, "GET", applications+"?kind=loan&state=submitted&sort="+sort, nil); len(p.Data) != n || p.Data[0].Member.Names["fr"] != "Coopérative (exemple)" {
				t.Errorf("listed by %s: %+v", sort, p.Data)
			}
		}
	}
}

func loanText() fields {
	f := loan()
	delete(f, "kind")
	return f
}

// Lists go on where they stopped, both ways.
func TestListsGoOn(t *testing.T) {
	t.Parallel()
	c := newCast(t)
	for range 5 {
		c.applies(c.member, c.account, finance.Account)
	}
	for _, sort := range []string{"newest", "deadline"} {
		seen := map[string]bool{}
		next := applications + "?limit=2&sort=" + sort
		for pages := 0; next != ""; pages++ {
			var p struct {
				Data []finance.ApplicationView
				Next *string
			}
			c.want(200, &p, c.bank, "GET", next, nil)
			for _, v := range p.Data {
				seen[v.ID] = true
			}
			if next = ""; p.Next != nil && pages < 9 {
				next = applications + "?limit=2&sort=" + sort + "&cursor=" + *p.Next
			}
		}
		if len(seen) != 5 {
			t.Errorf("by %s %d were listed, want 5", sort, len(seen))
		}
	}
}

// What cannot be is named where it stands.
func TestBadInputIsNamed(t *testing.T) {
	t.Parallel()
	c := newCast(t)
	with := func(base fields, name string, v any) fields {
		f := fields{}
		for k, x := range base {
			f[k] = x
		}
		if f[name] = v; v == nil {
			delete(f, name)
		}
		return f
	}
	for _, x := range []struct {
		of    fields
		name  string
		value any
		at    string
	}{
		{loan(), "names", fields{"fr": "Crédit", "ar": "قرض"}, "/names/en"},
		{loan(), "names", fields{"fr": "Crédit", "ar": "قرض", "en": "Loan", "xx": "?"}, "/names/xx"},
		{loan(), "terms", fields{"fr": "a\u200eb", "ar": "قرض", "en": "Loan"}, "/terms/fr"},
		{loan(), "most", dh("4999.99"), "/most"},
		{loan(), "least", dh("0.99"), "/least"},
		{loan(), "least", nil, "/least"},
		{loan(), "longest", 5, "/longest"},
		{loan(), "rate", "50.01", "/rate"},
		{loan(), "rate", nil, "/rate"},
		{account(), "least", dh("10.00"), "/least"},
	} {
		c.refused(422, "finance.invalid", `"`+x.at+`"`, c.bank, "POST", products, with(x.of, x.name, x.value))
	}
	apply := fields{"product": c.loan, "sections": []string{"identity", "financial"}, "days": 30, "amount": dh("20000.00"), "months": 24}
	for _, x := range []struct {
		name  string
		value any
		at    string
	}{
		{"amount", dh("4999.99"), "/amount"},
		{"amount", dh("100000.01"), "/amount"},
		{"amount", nil, "/amount"},
		{"months", 5, "/months"},
		{"months", 61, "/months"},
		{"sections", []string{"identity"}, "/sections"},
	} {
		c.refused(422, "finance.invalid", `"`+x.at+`"`, c.member, "POST", applications, with(apply, x.name, x.value))
	}
	c.refused(409, "finance.product_gone", "", c.member, "POST", applications, with(apply, "product", "prd_none"))
	d := c.drafts(c.member, c.loan, finance.Loan)
	for _, body := range []fields{{}, {"digest": "00"}, {"consent": "cns_none"}, {"digest": d.Agree.Digest, "consent": "cns_none"}} {
		c.refused(422, "finance.invalid", "", c.member, "POST", applications+"/"+d.ID+"/submit", body)
	}
	c.does(c.member, d.ID, "submit", fields{"digest": d.Agree.Digest})
	c.does(c.bank, d.ID, "review", nil)
	offer := c.offering()
	for _, x := range []struct {
		name  string
		value any
		at    string
	}{
		{"amount", dh("100000.01"), "/amount"},
		{"amount", nil, "/amount"},
		{"months", 61, "/months"},
		{"rate", nil, "/rate"},
		{"rate", "50.01", "/rate"},
		{"fees", dh("-1.00"), "/fees"},
		{"valid_until", c.in(-time.Hour), "/valid_until"},
		{"valid_until", c.in(91 * 24 * time.Hour), "/valid_until"},
	} {
		c.refused(422, "finance.invalid", `"`+x.at+`"`, c.bank, "POST", applications+"/"+d.ID+"/offer", with(offer, x.name, x.value))
	}
	c.refused(422, "finance.invalid", `"/reason"`, c.bank, "POST", applications+"/"+d.ID+"/refuse", fields{"reason": " "})
	c.refused(422, "finance.invalid", `"/text"`, c.bank, "POST", applications+"/"+d.ID+"/ask", fields{"text": " "})
}

// A product goes through the market's people; who applied stays with the version
// that it saw, and a draft of an older version is not handed in.
func TestProductsHaveVersions(t *testing.T) {
	t.Parallel()
	c := newCast(t)
	at := products + "/" + c.loan
	handed, draft := c.applies(c.member, c.loan, finance.Loan), c.drafts(c.member, c.loan, finance.Loan)
	next := loanText()
	next["rate"] = "9.99"
	c.want(200, nil, c.bank, "PUT", at+"/draft", next)
	c.refused(409, "finance.product_state", "", c.boss, "POST", at+"/publish", fields{"version": 2})
	c.want(200, nil, c.bank, "POST", at+"/submit", nil)
	c.refused(409, "finance.product_state", "", c.bank, "PUT", at+"/draft", next)
	c.refused(409, "finance.product_state", "", c.boss, "POST", at+"/publish", fields{"version": 1})
	var e finance.EditionView
	c.want(200, &e, c.boss, "POST", at+"/return", fields{"version": 2, "note": "Dites les frais."})
	if e.State != finance.Drafted || e.Note != "Dites les frais." {
		t.Errorf("given back: %+v", e)
	}
	c.want(200, nil, c.bank, "POST", at+"/submit", nil)
	c.want(200, nil, c.boss, "POST", at+"/publish", fields{"version": 2})
	c.refused(409, "finance.product_gone", "", c.member, "POST", applications+"/"+draft.ID+"/submit", fields{"digest": draft.Agree.Digest})
	if v := c.seen(c.bank, handed.ID); v.Version != 1 {
		t.Errorf("who applied for version 1 has version %d", v.Version)
	}
	var p struct{ Data []finance.EditionView }
	if c.want(200, &p, c.member, "GET", "/v1/finance/catalogue?kind=loan", nil); len(p.Data) != 1 || p.Data[0].Version != 2 || p.Data[0].Rate != "9.99" {
		t.Errorf("members see %+v", p.Data)
	}
	c.want(200, nil, c.bank, "POST", at+"/withdraw", nil)
	if c.want(200, &p, c.member, "GET", "/v1/finance/catalogue?kind=loan", nil); len(p.Data) != 0 {
		t.Errorf("members still see %+v", p.Data)
	}
	c.refused(409, "finance.product_gone", "", c.member, "POST", applications, fields{"product": c.loan, "sections": []string{"identity", "financial"}, "days": 30, "amount": dh("20000.00"), "months": 24})
	c.does(c.bank, handed.ID, "review", nil)
	c.does(c.bank, handed.ID, "offer", c.offering())
}

// A consent that is withdrawn ends the bank's reading at once, and the application
// says so; it can still be answered.
func TestAWithdrawnConsentEndsTheReading(t *testing.T) {
	t.Parallel()
	c := newCast(t)
	a := c.applies(c.member, c.loan, finance.Loan)
	dossier := "/v1/dossiers/" + c.coop + "?consent=" + a.Consents[0].ID
	c.want(200, nil, c.bank, "GET", dossier, nil)
	c.want(200, nil, c.member, "POST", "/v1/consents/"+a.Consents[0].ID+"/withdraw", nil)
	c.refused(403, "sharing.ended", "", c.bank, "GET", dossier, nil)
	c.deliver()
	v := c.seen(c.bank, a.ID)
	if v.Consents[0].Ended != "withdrawn" || v.Steps[0].Note != "consent_withdrawn" {
		t.Errorf("the application says %+v %+v", v.Consents, v.Steps[0])
	}
	c.does(c.bank, a.ID, "refuse", fields{"reason": "Nous ne voyons plus votre dossier."})
}

// One consent serves a second application at the same bank, and no other's.
func TestAConsentServesAgain(t *testing.T) {
	t.Parallel()
	c := newCast(t)
	a, b := c.applies(c.member, c.loan, finance.Loan), c.drafts(c.member, c.loan, finance.Loan)
	if v := c.does(c.member, b.ID, "submit", fields{"consent": a.Consents[0].ID}); v.Consents[0].ID != a.Consents[0].ID {
		t.Errorf("it was handed in on %+v", v.Consents)
	}
	d := c.drafts(c.member, c.account, finance.Account) // for another purpose
	c.refused(422, "finance.invalid", `"/consent"`, c.member, "POST", applications+"/"+d.ID+"/submit", fields{"consent": a.Consents[0].ID})
}

// Of a member that accepts and takes back at the same moment, one is heard.
func TestAcceptAndWithdrawAtOnce(t *testing.T) {
	t.Parallel()
	c := newCast(t)
	for i := range 8 {
		a := c.applies(c.member, c.loan, finance.Loan)
		c.does(c.bank, a.ID, "review", nil)
		c.does(c.bank, a.ID, "offer", c.offering())
		var all sync.WaitGroup
		codes := make([]int, 3)
		for j, move := range []string{"accept", "withdraw", "decline"} {
			all.Go(func() { codes[j] = c.ask(c.member, "POST", applications+"/"+a.ID+"/"+move, nil).Code })
		}
		all.Wait()
		if got := fmt.Sprint(codes); strings.Count(got, "200") != 1 || strings.Count(got, "409") != 2 {
			t.Errorf("race %d is answered %v, want one 200 and two 409", i, got)
		}
		if n := len(c.seen(c.member, a.ID).Steps); n != 5 {
			t.Errorf("race %d left %d steps, want 5", i, n)
		}
	}
}

// What nobody answers in time is over, and says so.
func TestTimeEndsApplications(t *testing.T) {
	t.Parallel()
	c := newCast(t)
	a, b := c.applies(c.member, c.loan, finance.Loan), c.applies(c.member, c.loan, finance.Loan)
	c.does(c.bank, b.ID, "review", nil)
	c.does(c.bank, b.ID, "offer", c.offering())
	c.advance(73 * time.Hour)
	if v := c.seen(c.member, b.ID); v.State != finance.Expired || v.Deadline != nil || v.Steps[0].Note != "offered" {
		t.Errorf("the offer is %s, %+v", v.State, v.Steps[0])
	}
	c.refused(409, "finance.state", "", c.member, "POST", applications+"/"+b.ID+"/accept", nil)
	if v := c.seen(c.member, a.ID); v.State != finance.Submitted {
		t.Errorf("the other is %s", v.State)
	}
	c.advance(13 * 24 * time.Hour)
	if v := c.seen(c.member, a.ID); v.State != finance.Expired {
		t.Errorf("after 16 days it is %s", v.State)
	}
}

// A bank's system takes applications by its connector: lost answers are asked for by
// our reference and nothing is said twice; its word moves the application, and the
// member's reaches it.
func TestABanksSystem(t *testing.T) {
	t.Parallel()
	c := newCast(t)
	channel := "/v1/finance/banks/" + c.bankID + "/channel"
	c.refused(422, "finance.invalid", `"/partner"`, c.boss, "PUT", channel, fields{"partner": "none"})
	c.want(200, nil, c.boss, "PUT", channel, fields{"partner": "banque-exemple"})
	c.system.gone = true
	a := c.applies(c.member, c.loan, finance.Loan)
	c.refused(409, "finance.by_system", "", c.bank, "POST", applications+"/"+a.ID+"/review", nil)
	talk := func() {
		t.Helper()
		must(t, c.finance.Talk(t.Context(), a.ID))
	}
	errand := func() finance.ErrandView {
		t.Helper()
		var p struct{ Data []finance.ErrandView }
		c.want(200, &p, c.boss, "GET", "/v1/finance/errands?application="+a.ID, nil)
		return p.Data[len(p.Data)-1]
	}
	if talk(); errand().State != finance.Intended {
		t.Errorf("nothing left, and the errand is %+v", errand())
	}
	c.system.gone, c.system.deaf = false, 1
	if talk(); errand().State != finance.Unsure || c.system.applied != 0 {
		t.Errorf("cut on the way: %+v", errand())
	}
	c.system.lose = 1
	if talk(); errand().State != finance.Unsure || c.system.applied != 1 {
		t.Errorf("the answer was lost: %+v after %d", errand(), c.system.applied)
	}
	if talk(); errand().State != finance.Heard || c.system.applied != 1 {
		t.Errorf("asked by our reference: %+v after %d", errand(), c.system.applied)
	}
	if v := c.seen(c.member, a.ID); v.State != finance.Received || !v.BySystem {
		t.Errorf("the member sees %s", v.State)
	}
	c.system.says(a.ID, func(p *bank.Progress) {
		p.State, p.Question = "papers_asked", &bank.Question{Text: "Vos statuts ?", Sections: []string{"identity"}}
	})
	if talk(); c.seen(c.member, a.ID).State != finance.PapersAsked {
		t.Error("the bank asked, and nobody heard")
	}
	c.does(c.member, a.ID, "answer", fields{"text": "Ils sont dans mon dossier."})
	c.system.lose = 1
	talk()
	talk()
	amount := loanAmount()
	c.system.says(a.ID, func(p *bank.Progress) {
		p.State, p.Offer = "offered", &bank.Offer{Amount: &amount, Rate: "7.25", Months: 24, Fees: free(), Terms: "Banque.", Until: soon(c)}
	})
	if talk(); c.seen(c.member, a.ID).State != finance.Offered {
		t.Errorf("the bank offered, and it is %s", c.seen(c.member, a.ID).State)
	}
	c.does(c.member, a.ID, "accept", nil)
	c.system.says(a.ID, func(p *bank.Progress) { p.State, p.RIB, p.Holder = "granted", rib, "Coopérative (exemple)" })
	talk()
	if v := c.seen(c.member, a.ID); v.State != finance.Granted || v.RIB != rib {
		t.Errorf("the bank granted, and the member sees %s %q", v.State, v.RIB)
	}
	if got := strings.Join(c.system.told, " "); got != "papers accept" {
		t.Errorf("the bank was told %q, each once and in order", got)
	}
	c.system.refuses = "Hors de notre région."
	b := c.applies(c.member, c.account, finance.Account)
	must(t, c.finance.Talk(t.Context(), b.ID))
	if v := c.seen(c.member, b.ID); v.State != finance.Refused || v.Reason != "Hors de notre région." {
		t.Errorf("refused: %s %q", v.State, v.Reason)
	}
}

// A bank's word that cannot be, or is older than what was heard, moves nothing, and
// the member's own decision stands against it.
func TestABanksOddWordsMoveNothing(t *testing.T) {
	t.Parallel()
	c := newCast(t)
	c.want(200, nil, c.boss, "PUT", "/v1/finance/banks/"+c.bankID+"/channel", fields{"partner": "banque-exemple"})
	a := c.applies(c.member, c.loan, finance.Loan)
	must(t, c.finance.Talk(t.Context(), a.ID))
	for _, odd := range []func(p *bank.Progress){
		func(p *bank.Progress) { p.State, p.RIB, p.Holder = "granted", rib, "X" },
		func(p *bank.Progress) {
			m := loanAmount().Times(9)
			p.State, p.Offer = "offered", &bank.Offer{Amount: &m, Rate: "7.25", Months: 24, Fees: free(), Until: soon(c)}
		},
		func(p *bank.Progress) { p.State, p.Offer, p.Seq = "refused", nil, 1 },
	} {
		c.system.says(a.ID, odd)
		must(t, c.finance.Talk(t.Context(), a.ID))
		if v := c.seen(c.member, a.ID); v.State != finance.Received {
			t.Fatalf("it is %s", v.State)
		}
	}
	c.does(c.member, a.ID, "withdraw", nil)
	c.system.says(a.ID, func(p *bank.Progress) { p.State, p.Seq, p.Reason = "refused", 99, "Trop tard." })
	must(t, c.finance.Talk(t.Context(), a.ID))
	if v := c.seen(c.member, a.ID); v.State != finance.Withdrawn {
		t.Errorf("withdrawn, and then %s", v.State)
	}
}

// The database holds what the code promises, whoever writes.
func TestTheDatabaseHoldsTheStates(t *testing.T) {
	t.Parallel()
	c := newCast(t)
	a := c.applies(c.member, c.loan, finance.Loan)
	for _, set := range []string{`state = 'granted', deadline = null`, `state = 'offered'`, `state = 'draft'`, `rib = '` + rib + `', holder = 'X'`, `state = 'refused', deadline = null`} {
		err := c.db.InTx(t.Context(), func(tx *pg.Tx) error {
			tx.Queue(`update finance.application set `+set+` where id = $1`, a.ID)
			return nil
		})
		if err == nil {
			t.Errorf("the database takes %s", set)
		}
	}
}
