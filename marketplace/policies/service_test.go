package policies_test

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tiwiza/adapters/insurance"
	"tiwiza/marketplace/orders"
	"tiwiza/marketplace/policies"
	"tiwiza/payments/charges"
	"tiwiza/payments/ledger"
	"tiwiza/payments/premiums"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/clock"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
)

// A member asks, reads, agrees and pays: the premium is in the books, the policy
// with the insurer, and what was agreed to is kept.
func TestAMemberIsInsured(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	products := h.sold()
	org, key := h.rich(1000_00)
	q := h.quoted(key, products["stock"], "10000.00")
	if q.State != policies.QuoteOpen || q.Premium.Amount() != "200.00" || len(q.Consents) != 3 || !strings.Contains(q.Consents[0].Text, strings.Repeat("ab", 32)) {
		t.Fatalf("the quote is %+v", q)
	}
	h.refused(422, "policies.consent", "/consent/text_hash", key, "POST", "/v1/insurance/policies", fields{"quote": q.ID, "consent": fields{"lang": "ar", "text_hash": q.Consents[0].TextHash}})
	_, stranger := h.rich(1000_00)
	h.refused(404, "policies.not_found", "", stranger, "POST", "/v1/insurance/policies", agreed(q))
	h.refused(404, "policies.not_found", "", stranger, "GET", "/v1/insurance/quotes/"+q.ID, nil)
	p := h.takes(key, q)
	if p.State != insurance.PolicyPending {
		t.Errorf("it begins %s", p.State)
	}
	h.refused(409, "policies.quote", "used", key, "POST", "/v1/insurance/policies", agreed(q))
	h.until("the number", func() bool {
		h.want(200, &p, key, "GET", "/v1/insurance/policies/"+p.ID, nil)
		return p.Number != ""
	})
	if p.State != insurance.PolicyActive || p.Consent.TextHash != q.Consents[0].TextHash || p.Consent.Channel != "key" || len(p.Premiums) != 1 || p.Premiums[0].State != premiums.Bound {
		t.Errorf("the policy is %+v", p)
	}
	h.has("seller:"+org+":available", 800_00)
	commission := q.Commission.Centimes()
	h.has("payable:insurer:paper", 200_00-commission)
	h.has("payable:vat", premiums.VATOf(commission))
	h.has("fees", commission-premiums.VATOf(commission))
	h.refused(404, "policies.not_found", "", stranger, "GET", "/v1/insurance/policies/"+p.ID, nil)
	var all struct{ Data []policies.PolicyView }
	h.want(200, &all, h.people, "GET", "/v1/insurance/policies?state=active", nil)
	if len(all.Data) != 1 || all.Data[0].ID != p.ID {
		t.Errorf("the insurer's people see %+v", all.Data)
	}
	h.sound()
}

// Who has not enough, or only money that the bank has not got yet, is told so, and
// nothing is taken.
func TestAShortBalanceIsRefused(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	products := h.sold()
	org, key := h.rich(150_00)
	q := h.quoted(key, products["stock"], "10000.00")
	h.refused(409, "premiums.short", "your balance is 150.00 MAD", key, "POST", "/v1/insurance/policies", agreed(q))
	h.earns(org, 100_00, false)
	h.refused(409, "premiums.short", "only 150.00 MAD has reached the bank yet", key, "POST", "/v1/insurance/policies", agreed(q))
	h.has("seller:"+org+":available", 250_00)
	h.earns(org, 50_00, true)
	h.becomes(key, h.takes(key, q).ID, insurance.PolicyActive)
	h.has("seller:"+org+":available", 100_00)
	h.sound()
}

// A refused binding gives the whole premium back, commission and VAT too.
func TestARefusedBindingGivesThePremiumBack(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	products := h.sold()
	org, key := h.rich(500_00)
	q := h.quoted(key, products["stock"], "10000.00")
	h.insurer.set("refuse")
	p := h.becomes(key, h.takes(key, q).ID, insurance.PolicyRefused)
	if !strings.Contains(p.Why, "not insured") || p.Premiums[0].State != premiums.Undone {
		t.Errorf("it is %+v", p)
	}
	h.has("seller:"+org+":available", 500_00)
	h.has("payable:insurer:paper", 0)
	h.has("fees", 0)
	h.has("payable:vat", 0)
	h.becomes(key, h.takes(key, h.quoted(key, products["stock"], "25000.00")).ID, insurance.PolicyActive) // the money that came back pays again
	h.has("seller:"+org+":available", 0)
	h.sound()
}

// The insurer binds and its answer is lost, or it never hears of us: there is one
// policy in the end, and one premium.
func TestALostAnswerBindsOnce(t *testing.T) {
	t.Parallel()
	for _, fault := range []string{"lose", "drop", "unsent"} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			h := newHub(t)
			products := h.sold()
			org, key := h.rich(500_00)
			q := h.quoted(key, products["stock"], "10000.00")
			h.insurer.set(fault)
			p := h.takes(key, q)
			h.sound()
			for range 12 {
				h.idle()
				h.want(200, &p, key, "GET", "/v1/insurance/policies/"+p.ID, nil)
				if p.State == insurance.PolicyActive {
					break
				}
				h.sound()
				pgtest.Pass(t, h.db, h.timers, 6*time.Minute)
			}
			if p.State != insurance.PolicyActive || h.insurer.times() != 1 {
				t.Fatalf("it is %s, bound %d times", p.State, h.insurer.times())
			}
			h.has("seller:"+org+":available", 300_00)
			h.sound()
		})
	}
}

// Many presses of the button make one policy and take one premium.
func TestAgreedToTwiceIsBoundOnce(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	products := h.sold()
	org, key := h.rich(5000_00)
	q := h.quoted(key, products["stock"], "10000.00")
	var all sync.WaitGroup
	var mu sync.Mutex
	codes := map[int]int{}
	for range 16 {
		all.Go(func() {
			w := h.ask(key, "POST", "/v1/insurance/policies", agreed(q))
			mu.Lock()
			defer mu.Unlock()
			codes[w.Code]++
		})
	}
	all.Wait()
	if codes[201] != 1 || codes[409] != 15 {
		t.Errorf("answers: %v", codes)
	}
	h.has("seller:"+org+":available", 4800_00)
	h.until("the policy", func() bool { return h.insurer.times() == 1 })
	h.idle()
	h.sound()
}

// While the insurer is asked nothing can be cancelled; afterwards, in the cooling-off
// time, what it gives back comes out of what is payable to it, with the commission.
func TestACancelledPolicyGivesBackWhatTheInsurerSays(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	products := h.sold()
	org, key := h.rich(500_00)
	q := h.quoted(key, products["stock"], "10000.00")
	h.insurer.set("drop")
	p := h.takes(key, q)
	h.refused(409, "policies.state", "has not answered yet", key, "POST", "/v1/insurance/policies/"+p.ID+"/cancel", fields{"reason": "je change d'avis"})
	for p.State != insurance.PolicyActive {
		h.idle()
		pgtest.Pass(t, h.db, h.timers, 6*time.Minute)
		h.want(200, &p, key, "GET", "/v1/insurance/policies/"+p.ID, nil)
	}
	h.want(200, &p, key, "POST", "/v1/insurance/policies/"+p.ID+"/cancel", fields{"reason": "je change d'avis"})
	if !p.Cancelling {
		t.Errorf("it is %+v", p)
	}
	h.refused(409, "policies.state", "", key, "POST", "/v1/insurance/policies/"+p.ID+"/cancel", fields{"reason": "encore"})
	p = h.becomes(key, p.ID, insurance.PolicyCancelled)
	if p.Refund.Amount() != "200.00" {
		t.Errorf("it gives back %s", p.Refund)
	}
	h.has("seller:"+org+":available", 500_00)
	h.has("payable:insurer:paper", 0)
	h.has("fees", 0)
	h.has("payable:vat", 0)
	h.sound()

	late := h.becomes(key, h.takes(key, h.quoted(key, products["stock"], "10000.00")).ID, insurance.PolicyActive)
	pgtest.Pass(t, h.db, h.timers, 15*24*time.Hour)
	h.refused(409, "policies.cooling_off", "", key, "POST", "/v1/insurance/policies/"+late.ID+"/cancel", fields{"reason": "trop tard"})
}

// What an insurer would give back beyond the premium is no money, but a break.
func TestARefundThatIsTooLargeIsABreak(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	products := h.sold()
	org, key := h.rich(500_00)
	p := h.becomes(key, h.takes(key, h.quoted(key, products["stock"], "10000.00")).ID, insurance.PolicyActive)
	h.insurer.set("much")
	h.want(200, nil, key, "POST", "/v1/insurance/policies/"+p.ID+"/cancel", fields{"reason": "non merci"})
	h.becomes(key, p.ID, insurance.PolicyCancelled)
	h.has("seller:"+org+":available", 300_00)
	if g := h.breaks("open"); len(g) != 1 || g[0].Kind != "refund_sum" || g[0].Theirs.Amount() != "400.00" {
		t.Errorf("breaks: %+v", g)
	}
	h.sound()
}

// The insurer's word does not pay a claim; the bank's statement does, and the money
// is the member's to be paid out.
func TestAClaimIsPaidByTheBanksStatement(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	products := h.sold()
	org, key := h.rich(500_00)
	p := h.becomes(key, h.takes(key, h.quoted(key, products["stock"], "10000.00")).ID, insurance.PolicyActive)
	var c policies.ClaimView
	loss := fields{"policy": p.ID, "event_at": p.Starts.Add(time.Second), "type": "fire", "description": "Le toit a brûlé.", "amount": fields{"amount": "3000.00", "currency": "MAD"}}
	pgtest.Advance(t, h.db, time.Minute)
	h.refused(422, "policies.invalid", "/amount", key, "POST", "/v1/insurance/claims", with(loss, "amount", fields{"amount": "10000.01", "currency": "MAD"}))
	h.refused(422, "policies.invalid", "/event_at", key, "POST", "/v1/insurance/claims", with(loss, "event_at", p.Starts.Add(-time.Hour)))
	h.refused(422, "policies.invalid", "/evidence/0/file", key, "POST", "/v1/insurance/claims", with(loss, "evidence", []fields{{"file": "med_1", "kind": "photograph"}}))
	h.insurer.set("lose")
	h.want(201, &c, key, "POST", "/v1/insurance/claims", loss)
	h.idle()
	pgtest.Pass(t, h.db, h.timers, 3*time.Minute)
	c = h.claimBecomes(key, c.ID, insurance.ClaimReview)
	if len(c.Asks) != 1 || !c.Told {
		t.Errorf("the insurer asks %v", c.Asks)
	}
	h.want(200, &c, key, "POST", "/v1/insurance/claims/"+c.ID+"/evidence", fields{"evidence": []fields{{"file": h.file(key, "photo"), "kind": "photograph"}}})
	if len(c.Evidence) != 1 || len(c.Asks) != 1 {
		t.Errorf("with a paper it is %+v", c)
	}
	if w := h.ask(h.people, "GET", "/v1/insurance/claims/"+c.ID+"/evidence/"+c.Evidence[0].File, nil); w.Code != 200 || !strings.HasPrefix(w.Body.String(), "%PDF") {
		t.Errorf("the insurer's people get %d", w.Code)
	}
	ref := refOf(c.ID)
	h.insurer.decides(ref, insurance.ClaimPaid, 2500_00, "VIR-4711", "")
	h.hears(ref)
	c = h.claimBecomes(key, c.ID, insurance.ClaimAccepted)
	if c.Accepted.Amount() != "2500.00" || c.Transfer != "VIR-4711" {
		t.Errorf("the claim is %+v", c)
	}
	h.has("seller:"+org+":available", 300_00)
	if got := h.credit("SINISTRE VIR-4711", 2400_00); got.Subject != "" || !strings.Contains(got.Why, "2500.00") {
		t.Errorf("too little makes %+v", got)
	}
	if got := h.credit("REF VIR-4711 DE L'ASSUREUR", 2510_00); got.Subject != c.ID || got.Loose != 10_00 {
		t.Errorf("too much makes %+v", got)
	}
	h.claimBecomes(key, c.ID, insurance.ClaimPaid)
	h.has("seller:"+org+":available", 2800_00)
	h.sound()
	if got := h.credit("REF VIR-4711 DE L'ASSUREUR", 2500_00); got.Subject != "" {
		t.Errorf("once more makes %+v", got)
	}
	h.sound()
	h.becomes(key, h.takes(key, h.quoted(key, products["stock"], "100000.00")).ID, insurance.PolicyActive) // with what came
}

func with(f fields, name string, v any) fields {
	out := fields{name: v}
	for k, x := range f {
		if k != name {
			out[k] = x
		}
	}
	return out
}

// An insurer that sent too little sends the rest under the same name.
func TestAnIndemnityComesInTwoParts(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	products := h.sold()
	org, key := h.rich(500_00)
	c := h.claims(key, h.becomes(key, h.takes(key, h.quoted(key, products["stock"], "10000.00")).ID, insurance.PolicyActive), "900.00")
	h.insurer.decides(refOf(c.ID), insurance.ClaimPaid, 900_00, "VIR-12", "")
	h.hears(refOf(c.ID))
	h.claimBecomes(key, c.ID, insurance.ClaimAccepted)
	if got := h.credit("ASSUREUR VIR-12", 899_00); got.Subject != "" {
		t.Fatalf("a dirham less makes %+v", got)
	}
	h.has("seller:"+org+":available", 300_00)
	if got := h.credit("COMPLEMENT VIR-12", 1_00); got.Subject != c.ID || got.Loose != 0 {
		t.Errorf("the missing dirham makes %+v", got)
	}
	h.claimBecomes(key, c.ID, insurance.ClaimPaid)
	h.has("seller:"+org+":available", 1200_00)
	h.sound()
}

// Both parts may come before the insurer named them.
func TestTwoPartsThatComeFirstFindTheirClaim(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	products := h.sold()
	org, key := h.rich(500_00)
	c := h.claims(key, h.becomes(key, h.takes(key, h.quoted(key, products["stock"], "10000.00")).ID, insurance.PolicyActive), "900.00")
	h.credit("ASSUREUR VIR-13", 899_00)
	h.credit("COMPLEMENT VIR-13", 1_00)
	h.insurer.decides(refOf(c.ID), insurance.ClaimPaid, 900_00, "VIR-13", "")
	h.hears(refOf(c.ID))
	h.claimBecomes(key, c.ID, insurance.ClaimPaid)
	h.has("seller:"+org+":available", 1200_00)
	h.sound()
}

// Money that comes before the insurer named it waits in suspense, and finds its
// claim.
func TestMoneyThatComesFirstFindsItsClaim(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	products := h.sold()
	org, key := h.rich(500_00)
	c := h.claims(key, h.becomes(key, h.takes(key, h.quoted(key, products["stock"], "10000.00")).ID, insurance.PolicyActive), "900.00")
	if got := h.credit("ASSUREUR VIR-77", 900_00); got.Subject != "" {
		t.Fatalf("unknown money makes %+v", got)
	}
	h.insurer.decides(refOf(c.ID), insurance.ClaimAccepted, 900_00, "", "")
	h.hears(refOf(c.ID))
	h.claimBecomes(key, c.ID, insurance.ClaimAccepted)
	h.insurer.decides(refOf(c.ID), insurance.ClaimPaid, 900_00, "vir-77", "")
	h.hears(refOf(c.ID))
	h.claimBecomes(key, c.ID, insurance.ClaimPaid)
	h.has("seller:"+org+":available", 1200_00)
	h.sound()
}

// What carries a buyer's reference is the buyer's, whatever an insurer calls its
// transfers.
func TestABuyersTransferPaysNoIndemnity(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	products := h.sold()
	org, key := h.rich(500_00)
	c := h.claims(key, h.becomes(key, h.takes(key, h.quoted(key, products["stock"], "10000.00")).ID, insurance.PolicyActive), "900.00")
	h.insurer.decides(refOf(c.ID), insurance.ClaimPaid, 900_00, "2026-11", "")
	h.hears(refOf(c.ID))
	h.claimBecomes(key, c.ID, insurance.ClaimAccepted)
	b := &buyers{charge: "TV4K7P9Q20"}
	for _, sign := range "0123456789ABCDEFGHJKMNPQRSTVWXYZ" { // one of them is its check
		if all := charges.References("TV4K7P9Q2" + string(sign)); len(all) == 1 {
			b.charge = all[0]
		}
	}
	h.desk = h.money.Before(b)
	if got := h.credit("FACTURE 2026-11 "+charges.Spaced(b.charge), 900_00); got.Subject != b.charge {
		t.Errorf("the buyer's transfer makes %+v", got)
	}
	h.has("seller:"+org+":available", 300_00)
	if got := h.credit("SINISTRE 2026-11", 900_00); got.Subject != c.ID {
		t.Errorf("the insurer's transfer makes %+v", got)
	}
	h.claimBecomes(key, c.ID, insurance.ClaimPaid)
}

// Money that people found to be for something else pays no indemnity that goes by
// a word of it afterwards.
func TestMoneyThatWasForSomethingElseIsNoIndemnity(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	products := h.sold()
	org, key := h.rich(500_00)
	h.desk = h.money.Before(&buyers{charge: "chg_1"})
	c := h.claims(key, h.becomes(key, h.takes(key, h.quoted(key, products["stock"], "10000.00")).ID, insurance.PolicyActive), "900.00")
	credit := func(part string) charges.Credit {
		return charges.Credit{Bank: "bank", Line: "lin_1/" + part, From: ledger.Safeguard("bank"), Suspense: ledger.Suspense("lin_1"), Said: "FACTURE N-" + part + "77", Amount: 900_00, Currency: money.MAD}
	}
	h.do(func(ctx context.Context, tx *pg.Tx) error { // two parts of one line
		for _, part := range []string{"1", "2"} {
			if _, err := h.desk.Receive(ctx, tx, credit(part)); err != nil {
				return err
			}
		}
		return h.books.Post(ctx, tx, ledger.Transfer{Key: "line", Kind: "suspense", Currency: money.MAD, Legs: []ledger.Leg{ledger.Debit(ledger.Safeguard("bank"), 1800_00), ledger.Credit(ledger.Suspense("lin_1"), 1800_00)}})
	})
	h.do(func(ctx context.Context, tx *pg.Tx) error {
		got, err := h.desk.Match(ctx, tx, "lin_1/1", "chg_1")
		if got.Subject != "chg_1" {
			t.Errorf("matched with %+v", got)
		}
		return err
	})
	h.insurer.decides(refOf(c.ID), insurance.ClaimPaid, 900_00, "N-177", "")
	h.hears(refOf(c.ID))
	h.claimBecomes(key, c.ID, insurance.ClaimAccepted)
	h.idle()
	h.has("seller:"+org+":available", 300_00)
	h.has(ledger.Suspense("lin_1"), 1800_00)
}

// Two claims by one transfer's name cannot both be waited for: a person is told.
func TestOneTransfersNameIsOneClaims(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	products := h.sold()
	_, key := h.rich(500_00)
	p := h.becomes(key, h.takes(key, h.quoted(key, products["stock"], "10000.00")).ID, insurance.PolicyActive)
	a, b := h.claims(key, p, "900.00"), h.claims(key, p, "800.00")
	for _, c := range []policies.ClaimView{a, b} {
		h.insurer.decides(refOf(c.ID), insurance.ClaimPaid, 700_00, "VIR-5", "")
		h.hears(refOf(c.ID))
		if c.ID == a.ID {
			h.claimBecomes(key, c.ID, insurance.ClaimAccepted)
		}
	}
	h.until("a break", func() bool { return len(h.breaks("open")) == 1 })
	if g := h.breaks("open")[0]; g.Kind != "claim_sum" || !strings.Contains(g.Detail, a.ID) {
		t.Errorf("the break is %+v", g)
	}
	h.refused(409, "premiums.transfer", "/transfer_ref", h.people, "POST", "/v1/insurance/claims/"+b.ID+"/answer", fields{
		"state": "accepted", "amount": fields{"amount": "700.00", "currency": "MAD"}, "transfer_ref": "vir-5",
	})
}

// Debts that wait for what is payable to their insurer do not wait for each other:
// the oldest is paid first.
func TestTheOldestDebtIsSetOffFirst(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	products := h.sold()
	org, key := h.rich(500_00)
	p := h.becomes(key, h.takes(key, h.quoted(key, products["stock"], "10000.00")).ID, insurance.PolicyActive)
	a, b := h.claims(key, p, "300.00"), h.claims(key, p, "250.00")
	for _, c := range []policies.ClaimView{a, b} {
		h.want(200, nil, h.people, "POST", "/v1/insurance/claims/"+c.ID+"/answer", fields{"state": "accepted", "amount": fields{"amount": c.Amount.Amount(), "currency": "MAD"}, "set_off": true})
	}
	h.becomes(key, h.takes(key, h.quoted(key, products["stock"], "10000.00")).ID, insurance.PolicyActive)
	pgtest.Pass(t, h.db, h.timers, 2*time.Hour)
	h.claimBecomes(key, a.ID, insurance.ClaimPaid)
	h.claimBecomes(key, b.ID, insurance.ClaimAccepted)
	h.has("seller:"+org+":available", 400_00)
	h.sound()
}

// An insurer cannot have premiums taken for longer than the member agreed to.
func TestAPolicyLastsNoLongerThanWasAgreed(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	products := h.sold()
	_, key := h.rich(500_00)
	p := h.becomes(key, h.takes(key, h.quoted(key, products["sante"], "10000.00")).ID, insurance.PolicyActive)
	ref := refOf(p.ID)
	h.insurer.mu.Lock()
	y := h.insurer.policies[ref]
	y.Start, y.End = p.Starts, p.Ends.AddDate(10, 0, 0)
	h.insurer.policies[ref] = y
	h.insurer.mu.Unlock()
	h.hears(ref)
	h.until("a break", func() bool { return len(h.breaks("open")) == 1 })
	if g := h.breaks("open")[0]; g.Kind != "policy_contradicted" {
		t.Errorf("the break is %+v", g)
	}
	h.idle()
	h.hears(ref) // again, as insurers do
	h.idle()
	found, err := pg.Value[int](t.Context(), h.db, nil, `select count(*)::int from platform.event where type = 'policies.break_found'`)
	if must(t, err); found != 1 {
		t.Errorf("people were told of one break %d times", found)
	}
	if got := h.becomes(key, p.ID, insurance.PolicyActive); !got.Ends.Equal(p.Ends) {
		t.Errorf("it ends on %s, want %s", got.Ends, p.Ends)
	}
}

// A seller insures the parcel of a sale before it leaves, once, for what its goods
// were sold at; nobody insures another's.
func TestASellerInsuresTheParcelOfASale(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	products := h.sold()
	org, key := h.rich(500_00)
	_, stranger := h.rich(500_00)
	sale := func(state orders.State) orders.Purchase {
		return orders.Purchase{Seller: org, State: state, Total: 1_150_00, Lines: []orders.PurchaseLine{{Paid: 700_00}, {Paid: 300_00}}}
	}
	h.sales = map[string]orders.Purchase{"ord_paid": sale(orders.Paid), "ord_cash": sale(orders.Confirmed), "ord_gone": sale(orders.Shipped)}
	now, err := clock.Now(t.Context(), h.db)
	must(t, err)
	ask := func(order, sum string, days int) fields {
		return fields{"product": products["colis"], "order": order, "sum": fields{"amount": sum, "currency": "MAD"}, "ends": now.AddDate(0, 0, days)}
	}
	const quotes, taken = "/v1/insurance/quotes", "/v1/insurance/policies"
	for pointer, body := range map[string]fields{
		"/order": ask("", "1000.00", 30), "/sum": ask("ord_paid", "1000.01", 30), "/ends": ask("ord_paid", "1000.00", 61),
	} {
		h.refused(422, "policies.invalid", pointer, key, "POST", quotes, body)
	}
	h.refused(422, "policies.invalid", "/order", stranger, "POST", quotes, ask("ord_paid", "1000.00", 30))
	h.refused(422, "policies.invalid", "/order", key, "POST", quotes, ask("ord_none", "1000.00", 30))
	stock := ask("ord_paid", "1000.00", 30)
	stock["product"] = products["stock"]
	h.refused(422, "policies.invalid", "/order", key, "POST", quotes, stock)
	h.refused(409, "policies.parcel", "", key, "POST", quotes, ask("ord_gone", "1000.00", 30))
	priced := func(order string) (q policies.QuoteView) {
		h.want(201, &q, key, "POST", quotes, ask(order, "1000.00", 30))
		h.until("a price", func() bool {
			h.want(200, &q, key, "GET", quotes+"/"+q.ID, nil)
			return q.State != policies.QuoteAsked
		})
		return q
	}
	one, two, cash := priced("ord_paid"), priced("ord_paid"), priced("ord_cash")
	p := h.becomes(key, h.takes(key, one).ID, insurance.PolicyActive)
	if p.Order != "ord_paid" || p.Premium.Amount() != "20.00" || p.Period != "once" {
		t.Errorf("the policy is %+v", p)
	}
	h.refused(409, "policies.parcel", "", key, "POST", taken, agreed(two))
	h.has("seller:"+org+":available", 480_00)
	h.sales["ord_cash"] = sale(orders.Shipped)
	h.refused(409, "policies.parcel", "", key, "POST", taken, agreed(cash))
	var held struct{ Data []policies.PolicyView }
	h.want(200, &held, key, "GET", taken+"?order=ord_paid", nil)
	if len(held.Data) != 1 || held.Data[0].ID != p.ID {
		t.Errorf("of the sale there is %+v", held.Data)
	}
	h.want(200, &held, key, "GET", taken+"?order=ord_cash", nil)
	if len(held.Data) != 0 {
		t.Errorf("of the other sale there is %+v", held.Data)
	}
	h.want(200, nil, key, "POST", taken+"/"+p.ID+"/cancel", fields{"reason": "annulée"})
	h.becomes(key, p.ID, insurance.PolicyCancelled)
	h.becomes(key, h.takes(key, two).ID, insurance.PolicyActive) // what ended may be insured again
	h.sound()
}

// While an insurer is asked to cancel a policy nothing more is taken for it, and
// what it gives back is taken in, however late it answers.
func TestNothingIsTakenWhileAPolicyIsBeingCancelled(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	products := h.sold()
	org, key := h.rich(650_00)
	p := h.becomes(key, h.takes(key, h.quoted(key, products["sante"], "10000.00")).ID, insurance.PolicyActive)
	q := h.becomes(key, h.takes(key, h.quoted(key, products["sante"], "10000.00")).ID, insurance.PolicyActive)
	h.insurer.mu.Lock()
	h.insurer.deaf = true
	h.insurer.mu.Unlock()
	h.want(200, &p, key, "POST", "/v1/insurance/policies/"+p.ID+"/cancel", fields{"reason": "non merci"})
	h.want(200, &q, key, "POST", "/v1/insurance/policies/"+q.ID+"/cancel", fields{"reason": "non merci"})
	for range 60 {
		pgtest.Pass(t, h.db, h.timers, 24*time.Hour)
	}
	h.has("seller:"+org+":available", 250_00)
	silent := func(of policies.PolicyView) []policies.GapView {
		return slices.DeleteFunc(h.breaks("open"), func(g policies.GapView) bool {
			return g.Kind != "no_answer" || g.Ref != "cancel" || g.Subject != of.ID
		})
	}
	if g := silent(p); len(g) != 1 || len(silent(q)) != 1 {
		t.Fatalf("an insurer that does not answer for two months is a matter for %+v", g)
	}
	h.want(200, nil, h.boss, "POST", "/v1/insurance/breaks/"+silent(p)[0].ID+"/resolve", fields{"by": "explained", "note": "L'assureur est prévenu."})
	pgtest.Pass(t, h.db, h.timers, 24*time.Hour)
	if g := silent(p); len(g) != 0 {
		t.Errorf("who has seen to it is told again: %+v", g)
	}
	h.insurer.mu.Lock()
	h.insurer.deaf = false
	h.insurer.mu.Unlock()
	pgtest.Pass(t, h.db, h.timers, 24*time.Hour)
	h.becomes(key, p.ID, insurance.PolicyCancelled)
	h.becomes(key, q.ID, insurance.PolicyCancelled)
	h.until("the break that nobody has seen to to end", func() bool { return len(silent(q)) == 0 })
	h.has("seller:"+org+":available", 650_00)
	h.sound()
}

// An insurer's people answer at the desk, and may have a claim taken out of what is
// due to them; never more than that.
func TestAClaimIsSetOffAgainstPremiums(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	products := h.sold()
	org, key := h.rich(500_00)
	p := h.becomes(key, h.takes(key, h.quoted(key, products["stock"], "10000.00")).ID, insurance.PolicyActive)
	c := h.claims(key, p, "300.00")
	at := "/v1/insurance/claims/" + c.ID + "/answer"
	h.refused(403, "auth.denied", "", key, "POST", at, fields{"state": "rejected", "reason": "non"})
	h.refused(422, "policies.invalid", "/asks", h.people, "POST", at, fields{"state": "review"})
	h.refused(422, "policies.invalid", "/reason", h.people, "POST", at, fields{"state": "rejected"})
	h.refused(422, "policies.invalid", "/transfer_ref", h.people, "POST", at, fields{"state": "accepted", "amount": fields{"amount": "300.00", "currency": "MAD"}})
	h.want(200, &c, h.people, "POST", at, fields{"state": "review", "asks": []string{"facture"}})
	h.want(200, &c, h.people, "POST", at, fields{"state": "accepted", "amount": fields{"amount": "300.00", "currency": "MAD"}, "set_off": true})
	if c.State != insurance.ClaimAccepted || !c.SetOff {
		t.Errorf("it is %+v", c)
	}
	h.has("seller:"+org+":available", 300_00) // what is payable is less than the claim
	air, err := h.money.InAir(t.Context(), h.db, "paper", money.MAD)
	if err != nil || air != 300_00 {
		t.Errorf("%d is kept back (%v)", air, err)
	}
	_, rich := h.rich(5000_00)
	h.becomes(rich, h.takes(rich, h.quoted(rich, products["stock"], "50000.00")).ID, insurance.PolicyActive)
	pgtest.Pass(t, h.db, h.timers, 2*time.Hour)
	h.claimBecomes(key, c.ID, insurance.ClaimPaid)
	h.has("seller:"+org+":available", 600_00)
	h.sound()
	h.refused(409, "policies.state", "", h.people, "POST", at, fields{"state": "rejected", "reason": "non"})
}

// An index pays by itself when its source says so; a signature that is not the
// source's says nothing.
func TestAnIndexMakesAClaimDue(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	products := h.sold()
	org, key := h.rich(500_00)
	p := h.becomes(key, h.takes(key, h.quoted(key, products["pluie"], "10000.00")).ID, insurance.PolicyActive)
	public, private, err := ed25519.GenerateKey(nil)
	must(t, err)
	at := "/v1/insurance/policies/" + p.ID + "/observations"
	say := func(period, value string) fields {
		sig := ed25519.Sign(private, []byte("rain_mm|Station (exemple)|Taroudant|"+period+"|"+value))
		return fields{"index": "rain_mm", "source": "Station (exemple)", "place": "Taroudant", "period": period, "value": value, "signature": base64.StdEncoding.EncodeToString(sig)}
	}
	h.refused(422, "policies.invalid", "/source", h.boss, "POST", at, say("2026-10", "50"))
	h.want(201, nil, h.boss, "POST", "/v1/insurance/sources", fields{"name": "Station (exemple)", "key": base64.StdEncoding.EncodeToString(public)})
	h.refused(409, "policies.twice", "", h.boss, "POST", "/v1/insurance/sources", fields{"name": "Station (exemple)", "key": base64.StdEncoding.EncodeToString(public)})
	h.refused(422, "policies.signature", "", h.boss, "POST", at, with(say("2026-10", "50"), "value", "30"))
	h.refused(422, "policies.invalid", "/value", h.boss, "POST", at, with(say("2026-10", "50"), "value", "1e3"))
	h.want(201, nil, h.boss, "POST", at, say("2026-10", "50"))
	h.refused(409, "policies.twice", "", h.boss, "POST", at, say("2026-10", "50"))
	h.want(201, nil, h.boss, "POST", at, say("2026-11", "12.5"))
	var all struct{ Data []policies.ClaimView }
	h.until("a claim", func() bool {
		h.want(200, &all, key, "GET", "/v1/insurance/claims?policy="+p.ID, nil)
		return len(all.Data) == 1 && all.Data[0].State == insurance.ClaimAccepted
	})
	h.credit("INDICE "+all.Data[0].Transfer, 500_00)
	h.claimBecomes(key, all.Data[0].ID, insurance.ClaimPaid)
	h.has("seller:"+org+":available", 800_00)
	h.sound()
}

// A policy that is paid by the month takes its premium out of the balance, reminds
// before, tries each day when the balance is short, and lapses.
func TestAPremiumOfEachMonthAndALapse(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	products := h.sold()
	org, key := h.rich(450_00)
	p := h.becomes(key, h.takes(key, h.quoted(key, products["sante"], "10000.00")).ID, insurance.PolicyActive)
	h.has("seller:"+org+":available", 250_00)
	for range 24 {
		pgtest.Pass(t, h.db, h.timers, 24*time.Hour)
	}
	if got := h.told(p.ID, "premium_due"); got != 1 {
		t.Errorf("reminded %d times before the month is over", got)
	}
	for range 9 {
		pgtest.Pass(t, h.db, h.timers, 24*time.Hour)
	}
	h.has("seller:"+org+":available", 50_00)
	h.until("the insurer to be told", func() bool { h.insurer.mu.Lock(); defer h.insurer.mu.Unlock(); return len(h.insurer.periods) == 1 })
	h.want(200, &p, key, "GET", "/v1/insurance/policies/"+p.ID, nil)
	if len(p.Premiums) != 2 || p.Premiums[1].State != premiums.Bound {
		t.Errorf("paid: %+v", p.Premiums)
	}
	h.sound()
	for range 50 {
		pgtest.Pass(t, h.db, h.timers, 24*time.Hour)
	}
	h.becomes(key, p.ID, insurance.PolicyLapsed)
	if got := h.told(p.ID, "premium_short"); got < 10 || got > 16 {
		t.Errorf("told of a short balance %d times", got)
	}
	h.has("seller:"+org+":available", 50_00)
	h.sound()
}

// A statement is compared row by row; what differs is a break with a suggestion that
// a person resolves, and a statement that is right ends those of the one before.
func TestAStatementIsReconciled(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	products := h.sold()
	_, key := h.rich(5000_00)
	one := h.becomes(key, h.takes(key, h.quoted(key, products["stock"], "10000.00")).ID, insurance.PolicyActive)
	h.becomes(key, h.takes(key, h.quoted(key, products["stock"], "20000.00")).ID, insurance.PolicyActive)
	h.want(200, nil, key, "POST", "/v1/insurance/policies/"+one.ID+"/cancel", fields{"reason": "non merci"})
	h.becomes(key, one.ID, insurance.PolicyCancelled)
	c := h.claims(key, h.becomes(key, h.takes(key, h.quoted(key, products["stock"], "30000.00")).ID, insurance.PolicyActive), "500.00")
	h.insurer.decides(refOf(c.ID), insurance.ClaimPaid, 500_00, "VIR-9", "")
	h.hears(refOf(c.ID))
	h.claimBecomes(key, c.ID, insurance.ClaimAccepted)
	st := h.statement("", 4)
	if g := h.breaks("open"); len(g) != 1 || g[0].Kind != "missing_here" || !strings.Contains(g[0].Suggestion, "VIR-9") {
		t.Errorf("before the money has come: %+v", g)
	}
	h.credit("VIR-9", 500_00)
	h.claimBecomes(key, c.ID, insurance.ClaimPaid)
	if st = h.statement("", 5); st.Rows != 5 || len(h.breaks("open")) != 0 || st.Due == nil {
		t.Errorf("the statement is %+v, breaks %+v", st, h.breaks("open"))
	}
	h.statement("row", 4)
	g := h.breaks("open")
	if len(g) != 1 || g[0].Kind != "amount" || g[0].Ours.Centimes()+5_00 != g[0].Theirs.Centimes() || g[0].Suggestion == "" {
		t.Errorf("one row differs: %+v", g)
	}
	h.statement("hide", 4)
	if g = h.breaks("open"); len(g) != 2 {
		t.Errorf("a row is missing, another nobody's: %+v", g)
	}
	h.statement("sums", 5)
	if g = h.breaks("open"); len(g) != 1 || g[0].Kind != "totals" {
		t.Fatalf("the sums differ: %+v", g)
	}
	at := "/v1/insurance/breaks/" + g[0].ID + "/resolve"
	h.refused(403, "auth.denied", "", h.people, "POST", at, fields{"by": "explained", "note": "non"})
	h.want(200, nil, h.boss, "POST", at, fields{"by": "insurer_corrects", "note": "Un relevé corrigé est annoncé."})
	h.refused(409, "policies.state", "", h.boss, "POST", at, fields{"by": "explained", "note": "encore"})
	if g = h.breaks("open"); len(g) != 0 {
		t.Errorf("left: %+v", g)
	}
	h.sound()
}

// Nobody is shown what no operator looked at; whoever wrote a version down does not
// decide; a policy keeps the version that it was made under.
func TestAProductIsApprovedBeforeAnybodySeesIt(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	_, key := h.rich(500_00)
	must(t, h.policies.Arm(auth.With(t.Context(), auth.Hub)))
	var offered, seen struct{ Data []policies.ProductView }
	h.until("the products", func() bool {
		h.want(200, &offered, h.boss, "GET", "/v1/insurance/products?state=offered", nil)
		return len(offered.Data) == len(h.insurer.products)
	})
	h.want(200, &seen, key, "GET", "/v1/insurance/products", nil)
	first := offered.Data[0]
	h.refused(404, "policies.not_found", "", key, "GET", "/v1/insurance/products/"+first.ID, nil)
	h.refused(409, "policies.product", "", key, "POST", "/v1/insurance/quotes", fields{"product": first.ID, "sum": fields{"amount": "1000.00", "currency": "MAD"}, "ends": time.Now().AddDate(1, 0, 0)})
	h.refused(403, "auth.denied", "", h.people, "POST", "/v1/insurance/products/"+first.ID+"/approve", fields{})
	if len(seen.Data) != 0 {
		t.Errorf("members see %+v", seen.Data)
	}
	for _, p := range offered.Data {
		h.want(200, nil, h.boss, "POST", "/v1/insurance/products/"+p.ID+"/approve", fields{})
	}
	h.refused(409, "policies.decided", "", h.boss, "POST", "/v1/insurance/products/"+first.ID+"/reject", fields{"note": "non"})
	next := product(first.Code, first.Line, first.Premium.Period)
	next.Version, next.Names = 2, texts("deux (exemple)")
	changed := product(offered.Data[1].Code, offered.Data[1].Line, offered.Data[1].Premium.Period)
	changed.CoolingOff = 1
	h.insurer.mu.Lock()
	h.insurer.products = []insurance.Product{next, changed}
	h.insurer.mu.Unlock()
	pgtest.Pass(t, h.db, h.timers, 2*time.Hour)
	h.until("the second version", func() bool {
		h.want(200, &offered, h.boss, "GET", "/v1/insurance/products?state=offered", nil)
		return len(offered.Data) == 1
	})
	h.idle()
	h.want(200, nil, h.boss, "POST", "/v1/insurance/products/"+offered.Data[0].ID+"/approve", fields{})
	h.want(200, &seen, key, "GET", "/v1/insurance/products", nil)
	if len(seen.Data) != 2 { // the third is not listed any more
		t.Errorf("members see %d products", len(seen.Data))
	}
	for _, p := range seen.Data {
		if p.Code == first.Code && p.Number != 2 || p.Code == changed.ID && p.CoolingOff != 14 {
			t.Errorf("sold: %s version %d", p.Code, p.Number)
		}
	}
	if g := h.breaks("open"); len(g) != 1 || g[0].Kind != "product_changed" {
		t.Errorf("breaks: %+v", g)
	}
}

// The insurer's people write a product down at the desk, and are told all that is
// wrong with it.
func TestAProductIsWrittenDownAtTheDesk(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	body := fields{
		"insurer": "paper", "code": "atelier", "line": "stock", "names": texts("Atelier (exemple)"), "covers": []any{texts("feu")}, "exclusions": []any{texts("usure")},
		"premium": fields{"rate_permille": 20, "period": "year"}, "most": fields{"amount": "50000.00", "currency": "MAD"}, "waiting_days": 0, "cooling_off_days": 14, "commission_permille": 100, "papers": []string{},
		"documents": []fields{{"kind": "information_sheet", "lang": "fr", "url": "https://assureur.example/f", "sha256": strings.Repeat("cd", 32)}},
	}
	h.refused(422, "policies.invalid", "/documents", h.people, "POST", "/v1/insurance/products", with(body, "documents", []fields{}))
	h.refused(422, "policies.invalid", "/premium", h.people, "POST", "/v1/insurance/products", with(body, "premium", fields{"period": "year"}))
	h.refused(422, "policies.invalid", "/names/ar", h.people, "POST", "/v1/insurance/products", with(body, "names", fields{"fr": "x"}))
	h.refused(404, "policies.not_found", "", h.people, "POST", "/v1/insurance/products", with(body, "insurer", "other"))
	var p policies.ProductView
	h.want(201, &p, h.people, "POST", "/v1/insurance/products", body)
	h.want(201, &p, h.people, "POST", "/v1/insurance/products", body)
	if p.Number != 2 || p.Source != "desk" || p.State != policies.Offered {
		t.Errorf("it is %+v", p)
	}
	h.want(200, &p, h.boss, "POST", "/v1/insurance/products/"+p.ID+"/reject", fields{"note": "La fiche manque en arabe."})
	h.want(200, &p, h.people, "GET", "/v1/insurance/products/"+p.ID, nil)
	if p.State != policies.Rejected || p.Note == "" {
		t.Errorf("it is %+v", p)
	}
}

// An insurer's wrong price is not shown to anybody.
func TestAWrongPriceIsNotTaken(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	products := h.sold()
	_, key := h.rich(500_00)
	h.insurer.set("commission")
	q := h.quoted(key, products["stock"], "10000.00")
	if g := h.breaks("open"); q.State != policies.QuoteRefused || len(g) != 1 || g[0].Kind != "quote_sum" {
		t.Errorf("the quote is %+v, breaks %+v", q, g)
	}
	h.insurer.set("decline")
	if q = h.quoted(key, products["stock"], "10000.00"); q.State != policies.QuoteRefused || !strings.Contains(q.Why, "not insured") {
		t.Errorf("the quote is %+v", q)
	}
	h.insurer.set("lose")
	if q = h.quotedLate(key, products["stock"]); q.State != policies.QuoteOpen {
		t.Errorf("after a lost answer it is %+v", q)
	}
	pgtest.Advance(t, h.db, 100*time.Hour)
	h.refused(409, "policies.quote", "", key, "POST", "/v1/insurance/policies", agreed(q))
}

// One member's premiums at the same moment are taken one after the other, and never
// more than there is.
func TestPremiumsAtOnceTakeWhatIsThere(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	products := h.sold()
	org, key := h.rich(700_00)
	var quotes []policies.QuoteView
	for range 6 {
		quotes = append(quotes, h.quoted(key, products["stock"], "10000.00"))
	}
	var all sync.WaitGroup
	var mu sync.Mutex
	codes := map[string]int{}
	for _, q := range quotes {
		all.Go(func() {
			w := h.ask(key, "POST", "/v1/insurance/policies", agreed(q))
			mu.Lock()
			defer mu.Unlock()
			switch {
			case w.Code == 201:
				codes["taken"]++
			case strings.Contains(w.Body.String(), "premiums.short"):
				codes["short"]++
			default:
				codes[w.Body.String()]++
			}
		})
	}
	all.Wait()
	if codes["taken"] != 3 || codes["short"] != 3 {
		t.Errorf("answers: %v", codes)
	}
	h.has("seller:"+org+":available", 100_00)
	h.idle()
	h.sound()
}
