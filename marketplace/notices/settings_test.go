package notices_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"tiwiza/marketplace/charter"
	"tiwiza/marketplace/diagnosis"
	"tiwiza/marketplace/enrolment"
	"tiwiza/marketplace/members"
	"tiwiza/marketplace/notices"
	"tiwiza/marketplace/orders"
	"tiwiza/marketplace/sharing"
	"tiwiza/payments/charges"
	"tiwiza/payments/disputes"
	"tiwiza/payments/escrow"
	"tiwiza/payments/payouts"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/id"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

func (p *post) wish(key string, body map[string]any, status int) notices.SettingsView {
	p.t.Helper()
	got, answer := p.ask("POST", "/v1/notices/settings", key, body)
	var v notices.SettingsView
	if err := json.Unmarshal([]byte(answer), &v); got != status || err != nil {
		p.t.Fatalf("answered %d, want %d: %s", got, status, answer)
	}
	return v
}

func TestPeopleAreToldAsTheyWish(t *testing.T) {
	t.Parallel()
	p, who := newPost(t), id.New(id.Person)
	key := p.key(auth.Buyer, who)
	p.wish(key, map[string]any{"lang": "ar", "channels": []string{"email", "sms"}, "off": []string{"money.released"}}, 200)
	p.tell(news(who))
	p.stands(who, notices.Dropped, "", "not_wished")
	p.wish(key, map[string]any{"lang": "ar", "channels": []string{"email"}}, 200)
	p.email.will(refused)
	p.tell(news(who))
	p.counts(0, 1) // never by a way that is not wished
	if m := p.email.sent()[0]; m.Lang != "ar" || !strings.Contains(m.Text, "123,45 درهم") {
		t.Errorf("mailed %+v", m)
	}
	for name, body := range map[string]map[string]any{
		"a safety notice off": {"off": []string{"account.changed"}},
		"an unknown kind":     {"off": []string{"gossip"}},
		"an unknown channel":  {"channels": []string{"pigeon"}},
		"a channel twice":     {"channels": []string{"sms", "sms"}},
		"a person's phone":    {"phone": number},
	} {
		if got, answer := p.ask("POST", "/v1/notices/settings", key, body); got != http.StatusUnprocessableEntity {
			t.Errorf("%s: answered %d %s", name, got, answer)
		}
	}
	var v notices.SettingsView
	if _, answer := p.ask("GET", "/v1/notices/settings", key, nil); json.Unmarshal([]byte(answer), &v) != nil || v.Lang != "ar" || len(v.Channels) != 1 || len(v.Kinds) != len(notices.Kinds()) {
		t.Errorf("shown %+v", v)
	}
	if got, _ := p.ask("GET", "/v1/notices", "", nil); got != http.StatusUnauthorized {
		t.Errorf("a stranger is answered %d", got)
	}
}

func TestEachSeesItsOwnPageByPage(t *testing.T) {
	t.Parallel()
	p, who, other := newPost(t), id.New(id.Person), id.New(id.Person)
	for range 3 {
		p.tell(news(who))
	}
	p.tell(news(other))
	key, path, seen := p.key(auth.Buyer, who), "/v1/notices?limit=2", 0
	for path != "" {
		var page rest.Page[notices.View]
		_, answer := p.ask("GET", path, key, nil)
		if err := json.Unmarshal([]byte(answer), &page); err != nil {
			t.Fatal(err)
		}
		seen, path = seen+len(page.Data), ""
		if page.Next != nil {
			path = "/v1/notices?limit=2&cursor=" + *page.Next
		}
	}
	if seen != 3 {
		t.Errorf("%d are seen, want 3", seen)
	}
}

func TestANewNumberIsToldToTheOld(t *testing.T) {
	t.Parallel()
	p, shop := newPost(t), id.New(id.Organisation)
	p.people[shop] = []notices.Address{{Phone: number}}
	key := p.key(auth.Seller, shop)
	v := p.wish(key, map[string]any{"phone": "+212699999999"}, 200)
	if p.wait(); len(p.sms.sent()) != 1 || p.sms.sent()[0].To != number || v.Phone != "+212•••••••99" {
		t.Fatalf("sent %+v; shown %q", p.sms.sent(), v.Phone)
	}
	p.wish(key, map[string]any{}, 200)
	if p.wait(); len(p.sms.sent()) != 2 || p.sms.sent()[1].To != "+212699999999" {
		t.Errorf("sent %+v", p.sms.sent())
	}
}

func TestADayIsOneMessageWithItsTotals(t *testing.T) {
	t.Parallel()
	p, shop := newPost(t), id.New(id.Organisation)
	p.people[shop] = []notices.Address{{Phone: number}, {Email: mailbox, Lang: "en"}}
	p.wish(p.key(auth.Seller, shop), map[string]any{"digest": true}, 200)
	tell := func(k notices.Kind, amount int64, params map[string]string) {
		t.Helper()
		err := p.db.InTx(t.Context(), func(tx *pg.Tx) error {
			return p.s.TellOwner(t.Context(), tx, notices.Telling{Owner: shop, Kind: k, Amount: amount, Params: params, Key: id.New(id.Event)})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		tell(notices.ToPack, 100050, map[string]string{"order": "A1B2C3", "amount": "1000.50", "link": p.url})
	}
	tell(notices.MoneyReleased, 4, map[string]string{"order": "A1B2C3", "amount": "0.04"})
	tell(notices.DisputeOpened, 4, map[string]string{"order": "A1B2C3", "link": p.url})
	p.wait()
	p.counts(1, 1) // the dispute does not wait
	p.at(19, 0)
	p.counts(2, 2)
	if got, want := p.sms.sent()[1].Text, "Tiwiza, votre journée : 3 à emballer (3 001,50 DH), 1 ventes réglées (0,04 DH). https://tiwiza.example/v"; got != want {
		t.Errorf("the day is %q, want %q", got, want)
	}
	if got := p.email.sent()[1].Text; !strings.Contains(got, "3 to pack (3,001.50 MAD)") {
		t.Errorf("the day is %q", got)
	}
	p.at(19, 0)
	p.counts(2, 2) // a day without anything is none
	tell(notices.MoneyReleased, 4, map[string]string{"order": "A1B2C3", "amount": "0.04"})
	p.at(19, 0)
	p.counts(3, 3)
}

// wait has what is due done.
func (p *post) wait() { p.t.Helper(); p.pass(1) }

func TestWhatHappensIsToldToWhoWaitsForIt(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	shop, buyer, o := id.New(id.Organisation), id.New(id.Person), id.New(id.Order)
	p.people[shop], p.people[buyer] = []notices.Address{{Phone: "+212600000001"}}, []notices.Address{{Phone: "+212600000002"}}
	dh := func(s string) money.Money { return money.MustParse(s, money.MAD) }
	b := orders.Brief{ID: o, Buyer: buyer, Seller: shop, SellerNames: map[string]string{"fr": "Coopérative Exemple"}, Total: dh("275.00"), Code: "4821", Phone: "+212600000002", State: orders.ToConfirm}
	p.briefs[o] = b
	m := orders.Moved{Order: o, Group: id.New(id.Group), Seller: shop, Buyer: buyer}
	for i, c := range []struct {
		event         pg.Event
		seller, buyer string // a part of what each is told; "" is nothing
	}{
		{orders.Placed{Group: m.Group, Buyer: buyer, Orders: []string{o}}, "", "confirmez la commande"},
		{orders.OrderConfirmed{Moved: m}, "1 à emballer", ""},
		{orders.OrderPaid{Moved: m}, "", "275,00 DH payés"}, // the seller knows by now
		{orders.OrderAccepted{Moved: m}, "", "Coopérative Exemple prépare"},
		{orders.OrderShipped{Moved: m}, "", "4821. https://tiwiza.example/o/" + o},
		{orders.OrderDelivered{Moved: m}, "", "est livrée"},
		{orders.OrderLate{Moved: m}, "", "pas partie à temps"},
		{orders.MessageSent{Moved: m, Message: "msg_1", Sender: buyer}, "un message pour vous", ""},
		{orders.MessageSent{Moved: m, Message: "msg_2", Sender: shop}, "", "un message pour vous"},
		{orders.ReturnMoved{Moved: m, Return: "ret_1", State: orders.Requested}, "veut rendre", ""},
		{orders.ReturnMoved{Moved: m, Return: "ret_1", State: orders.Approved}, "", "réponse du vendeur"},
		{orders.ReturnMoved{Moved: m, Return: "ret_1", State: orders.InTransit}, "revient vers vous", ""},
		{orders.ReturnMoved{Moved: m, Return: "ret_1", State: orders.ArrivedBack}, "", "le vendeur a votre retour"},
		{escrow.Let{Order: o, Seller: shop, Amount: dh("275.00"), Share: dh("260.00"), Bonus: dh("0.00")}, "260,00 DH de la commande", ""},
		{escrow.Let{Order: o, Seller: shop, Amount: dh("1.00"), Share: dh("0.00"), Bonus: dh("0.00")}, "", ""},
		{payouts.Moved{Payout: "pay_1", Seller: shop, State: payouts.Sent, Amount: dh("260.00")}, "", ""},
		{payouts.Moved{Payout: "pay_1", Seller: shop, State: payouts.Paid, Amount: dh("260.00")}, "260,00 DH sont arrivés", ""},
		{payouts.Moved{Payout: "pay_1", Seller: shop, State: payouts.Returned, Amount: dh("260.00")}, "votre banque n'a pas pris", ""},
		{charges.RefundMade{Refund: "rfd_1", Order: o, Buyer: buyer, Amount: dh("75.00")}, "", "75,00 DH reviennent"},
		{charges.RefundWaits{Refund: "rfd_1", Order: o, Buyer: buyer, State: charges.RefundAwaiting, Amount: dh("75.00")}, "", "Donnez votre RIB"},
		{charges.Refunded{Refund: "rfd_1", Order: o, Buyer: buyer, Amount: dh("75.00")}, "", "75,00 DH vous ont été"},
		{charges.Refunded{Refund: "rfd_2", Buyer: buyer, Amount: dh("75.00")}, "", ""}, // of nothing that is known
		{disputes.Opened{Dispute: "dsp_1", Order: o, Seller: shop, Buyer: buyer}, "signale un problème", ""},
		{disputes.Moved{Dispute: "dsp_1", Order: o, State: disputes.Answered}, "", "a répondu à votre problème"},
		{disputes.Moved{Dispute: "dsp_1", Order: o, State: disputes.Mediation}, "", ""},
		{disputes.Settled{Dispute: "dsp_1", Order: o, Seller: shop, Buyer: buyer, Refund: dh("75.00"), Release: dh("200.00")}, "200,00 DH vont au vendeur", "75,00 DH vous reviennent"},
		{orders.OrderCancelled{Moved: m}, "N'envoyez rien", "est annulée. Ce que vous avez"},
		{members.AccountGiven{Organisation: shop, Account: "acc_1", Ends: "4921"}, "finissant par 4921", ""},
		{members.SignedInAt{Person: buyer, Session: "ses_1", Device: "Firefox"}, "", ""}, // the first
		{members.SignedInAt{Person: buyer, Session: "ses_2", Device: "Chrome, Android"}, "", "nouvel appareil (Chrome, Android)"},
		{members.SignedInAt{Person: buyer, Session: "ses_3", Device: "Chrome, Android"}, "", ""},
		{orders.OrderPaid{Moved: orders.Moved{Order: "ord_gone"}}, "", ""},
		{enrolment.PaperExpiring{Paper: "pap_1", Organisation: shop, Names: map[string]string{"fr": "Assurance"}, Days: 7, LastDay: "2027-03-31"}, "Assurance finit le 31/03/2027", ""},
		{enrolment.PaperExpiring{Paper: "pap_1", Organisation: shop, Names: map[string]string{"fr": "Assurance"}, Days: 7, LastDay: "2027-03-31"}, "", ""},
		{enrolment.PaperMoved{Paper: "pap_1", Organisation: shop, Names: map[string]string{"fr": "Assurance"}, State: enrolment.Accepted}, "", ""},
		{enrolment.PaperMoved{Paper: "pap_1", Organisation: shop, Names: map[string]string{"fr": "Assurance"}, State: enrolment.Rejected}, "accepter Assurance", ""},
		{members.Restricted{Organisation: shop, Why: "papers"}, "rien de nouveau ne se vend", ""},
		{members.Restricted{Organisation: shop}, "", ""},
		{members.Restricted{Organisation: shop, Why: "papers", Lifted: "charter"}, "", ""},
		{members.Restricted{Organisation: shop, Why: "charter"}, "", ""},
		{charter.SignatureDue{Organisation: shop, Version: 2, LastDay: "2027-03-31", Step: charter.Days7}, "signez la charte avant le 31/03/2027", ""},
		{charter.SignatureDue{Organisation: shop, Version: 2, LastDay: "2027-03-31", Step: charter.Days7}, "", ""},
		{charter.Overdue{Organisation: shop, Version: 2}, "la charte n'est pas signée", ""},
		{charter.PaperRefused{Organisation: shop, Version: 2, Paper: "cpa_1"}, "charte signée sur papier", ""},
		{sharing.ConsentMoved{Consent: "cns_1", Owner: shop, Name: "Banque Exemple", State: sharing.Requested}, "Banque Exemple demande à voir votre dossier", ""},
		{sharing.ConsentMoved{Consent: "cns_1", Owner: shop, Name: "Banque Exemple", State: sharing.Granted}, "", ""},
		{sharing.Looked{Owner: shop, Consent: "cns_1", By: "key_1", Name: "Banque Exemple", Title: "bilan", At: time.Date(2026, 3, 12, 9, 0, 0, 0, time.UTC)}, "Banque Exemple a vu votre bilan le 12/03/2026", ""},
		{sharing.Looked{Owner: shop, Consent: "cns_1", By: "key_1", Name: "Banque Exemple", Title: "bilan", At: time.Date(2026, 3, 12, 9, 0, 0, 0, time.UTC)}, "", ""},
		{sharing.GlassBroken{Glass: "brk_1", Owner: shop, Reason: "Réquisition"}, "ouvert votre dossier pour un jour", ""},
		{diagnosis.Due{Organisation: shop, Questionnaire: "numerique", Names: map[string]string{"fr": "Diagnostic numérique"}, Diagnostic: "dgn_1"}, "c'était il y a longtemps. Refaites-le", ""},
		{diagnosis.Due{Organisation: shop, Questionnaire: "numerique", Names: map[string]string{"fr": "Diagnostic numérique"}, Diagnostic: "dgn_1"}, "", ""},
	} {
		if i%8 == 7 {
			p.at(10, 0) // nobody is told so much in an hour
		}
		before := len(p.sms.sent())
		p.publish(c.event)
		told := map[string]string{}
		for _, m := range p.sms.sent()[before:] {
			told[m.To] += m.Text
		}
		for to, want := range map[string]string{"+212600000001": c.seller, "+212600000002": c.buyer} {
			if got := told[to]; (got == "") != (want == "") || !strings.Contains(got, want) {
				t.Errorf("%T %+v: %s is told %q, want %q", c.event, c.event, to, got, want)
			}
		}
	}
	b.ID, b.Waits = o+"x", true
	p.briefs[o+"x"] = b
	before := len(p.sms.sent())
	p.at(10, 0)
	m.Order = o + "x"
	p.publish(orders.OrderPaid{Moved: m})
	if got := p.sms.sent()[before:]; len(got) != 1 || got[0].To != "+212600000002" {
		t.Errorf("an order that waits for its group is told %+v", got)
	}
}

func TestWishesAreTheLastWords(t *testing.T) {
	t.Parallel()
	p, who := newPost(t), id.New(id.Person)
	key := p.key(auth.Buyer, who)
	step := func(body map[string]any, want string) {
		t.Helper()
		p.wish(key, body, 200)
		all, err := pg.Column[string](t.Context(), p.db, `select word || ' ' || about || ' ' || lang from accords.accord where who = $1 and subject = 'notices' order by seq`, who)
		if got := strings.Join(all, ", "); err != nil || got != want {
			t.Errorf("after %v the ledger says %q, want %q: %v", body, got, want, err)
		}
	}
	said := "refused money.released ar, refused whatsapp ar"
	step(map[string]any{"lang": "ar", "channels": []string{"email", "sms"}, "off": []string{"money.released"}}, said)
	step(map[string]any{"lang": "ar", "channels": []string{"sms", "email"}, "off": []string{"money.released"}}, said) // another order is no other word
	said += ", given money.released fr"
	step(map[string]any{"channels": []string{"email", "sms"}}, said)
	said += ", given whatsapp fr"
	step(map[string]any{"digest": true}, said)
	said += ", refused email fr, refused sms fr"
	step(map[string]any{"channels": []string{"whatsapp"}}, said)
	said += ", given email fr, withdrawn whatsapp fr"
	step(map[string]any{"channels": []string{"email"}}, said)
	ctx := auth.With(t.Context(), auth.Hub)
	for _, sql := range []string{
		`update notices.settings set channels = '{}'`, `update notices.settings set off = '{money.released}'`,
		`insert into accords.accord (who, subject, about, word, channel) values ('` + who + `', 'notices', 'email', 'refused', 'page')`,
	} {
		if err := p.db.InTx(ctx, func(tx *pg.Tx) error {
			_, err := tx.Exec(ctx, sql)
			return err
		}); !pg.Violates(err, "wishes_are_said") {
			t.Errorf("%s alone: %v", sql, err)
		}
	}
}
