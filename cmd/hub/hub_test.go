package main

import (
	"encoding/json"
	"strings"
	"sync"
	"testing"

	"tiwiza/pkg/money"
)

// TestHub holds what a running hub must do and refuse. The facts share one
// market and touch only what they make themselves; what halts all payments, and
// bank files, come last, when nothing else moves the books.
func TestHub(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.crowd.keepDiary()
	d := r.trade(t)
	t.Run("facts", func(t *testing.T) {
		for name, fact := range map[string]func(*testing.T, *rig, trade){
			"what cannot be read is 400 and points at it":         unreadable,
			"what is understood but wrong is 422":                 wrong,
			"without a good key nobody is let in":                 strangers,
			"operators' routes are closed to others":              operatorsOnly,
			"another member's things are not there":               othersThings,
			"an idempotency key stands for one request":           keysOfRequests,
			"a checkout is of what was quoted":                    changedSince,
			"a suspended seller sells nothing":                    suspended,
			"forged callbacks change nothing":                     forged,
			"callbacks of odd sizes and kinds are refused":        oddCallbacks,
			"a signed callback of another payment changes it not": otherPayments,
			"a callback alone pays nothing, and may be repeated":  replayed,
			"a declined card may be followed by a good one":       declined,
			"200 buyers of 5 units get 5":                         stockRace,
			"one checkout sent 20 times is one order":             checkoutRace,
			"two people end what no partner does":                 reviewed,
			"members hear of what concerns them":                  hooked,
			"limits are set by two people and stop what they say": bounded,
			"a bank is plugged in by its address":                 pluggedIn,
			"a dispute keeps the money until it is ruled":         disputed,
			"a cancelled order's money goes back":                 givenBack,
			"goods are sent back":                                 sentBack,
			"of three sellers asked one is chosen":                chosen,
			"customers of a group pay its prices":                 pricedByGroup,
			"an order travels in parcels":                         parcelled,
			"a delivered order has an invoice":                    invoiced,
			"the market pays a part of what goods cost":           helped,
			"a buyer reviews what came, and writes about it":      spokenOf,
			"what is bought earns points":                         pointed,
			"the search is taught and says what was missed":       looked,
			"what members upload is kept, shown and taken away":   uploaded,
			"files and codes are sold, opened and fetched":        digitally,
			"sellers claim, moderators decide":                    desked,
			"catalogues come and go as files":                     filed,
			"catalogues come by pages":                            filedByPages,
			"people say how they are told":                        wished,
			"who agrees is known outside, until it does not":      acquainted,
			"people buy together":                                 together,
			"people sign in":                                      signedIn,
			"people have a say in their data":                     rightful,
			"an organisation enrols by its papers":                enrolled,
			"a member is found, and shows what it wants to whom":  listed,
			"who is owed money does not leave":                    leaves,
			"a dossier is shared, seen and withdrawn":             shared,
			"a member applies for a loan and has it":              lent,
			"cases go through institutions' back offices":         administered,
			"a member's check-up is answered, counted and shared": checkedUp,
			"a check-up is answered by pages":                     checkedUpByPages,
			"cases are brought by pages":                          appliedByPages,
			"cases are decided by pages":                          decidedByPages,
			"a bank and a member meet by pages":                   lentByPages,
			"an insurer and a member meet by pages":               insuredByPages,
			"an insurer's people work by pages":                   answeredByPages,
			"the demonstration's people sign in":                  demonstrated,
			"the rest of the interface answers":                   restOf,
			"nobody makes itself another member":                  impersonated,
			"the main job by bank transfer":                       byTransfer,
			"a stranger names a charge":                           byStranger,
			"a transfer that is not right goes back or waits":     oddTransfers,
			"the main job by cash":                                byCash,
			"the main job by wallet":                              byWallet,
			"wallets that refuse say why, and are asked again":    refusedWallets,
			"a wallet's callback proves nothing":                  walletAddresses,
			"cash that is refused, short or lost":                 oddCash,
			"a seller publishes, hands over and is paid by pages": sellerJourney,
			"a courier proves a parcel by its link":               courierJourney,
			"a seller answers disputes and returns by pages":      answersJourney,
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				fact(t, r, d)
			})
		}
	})
	t.Run("payments are halted and let go on", r.halts)
	r.verify(t)
	t.Run("bank files that are not right change nothing", func(t *testing.T) { bankFiles(t, r) })
	t.Run("at a desk one may what the table says, and suspended", func(t *testing.T) { r.crowd.atDesks(t, r.market(t)) })
}

// TestThreeDemonstrationsAtOnceAddUp plays all of it by the hub's own command,
// on a hub of their own: they move its clock.
func TestThreeDemonstrationsAtOnceAddUp(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() { playOnce(t, r) })
	}
	all.Wait()
	if long {
		for range 10 {
			playOnce(t, r)
		}
	}
	r.verify(t)
	inHledger(t, r)
	if breaks := r.shows(t, r.operator(), "/v1/breaks"); !strings.Contains(breaks, `"data":[]`) {
		t.Errorf("the demonstrations leave breaks: %s", breaks)
	}
}

func playOnce(t *testing.T, r *rig) {
	out, code := r.command(t, "demo")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	var f figures
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &f); err != nil || code != 0 {
		t.Errorf("hub demo exits %d and ends with %v\n%s", code, err, out)
		return
	}
	sum := money.Dirhams(0)
	for _, part := range []string{f.PaidOut, f.Fees, f.VAT, f.Delivery} {
		m, err := money.Parse(part, money.MAD)
		if err != nil {
			t.Errorf("%q is no amount: %v", part, err)
			return
		}
		sum = sum.Add(m)
	}
	if f.Orders != 2 || f.Matched != 3 || f.Violations != 0 || f.Charged != f.Released || sum.Amount() != f.Released || sum.Sign() <= 0 {
		t.Errorf("the figures are %+v; want 2 orders, 3 movements matched, no violation, and paid out + fees + VAT + delivery (%s) = released = charged", f, sum)
	}
	want := ways{Transferred: "240.00", Cash: "240.00", Refused: "240.00", GivenBack: "315.00", SentBack: "135.00", ChargedBack: "210.00", Recovered: "84.60", Returned: "45.12", Helped: "20.00", Grouped: "330.00"}
	if f.Ways != want {
		t.Errorf("the other ways moved %+v, want %+v", f.Ways, want)
	}
}

// restOf calls what no other fact needs.
func restOf(t *testing.T, r *rig, d trade) {
	op := r.operator()
	s := r.seller(t)
	w := r.ware(t, s, 3, "12.00")
	for _, q := range []req{
		{key: s.key, method: "GET", path: "/v1/balance"},
		{key: s.key, method: "GET", path: "/v1/payouts"},
		{key: s.key, method: "GET", path: "/v1/orders?state=paid"},
		{key: s.key, method: "GET", path: "/v1/exports/offers.csv"},
		{key: s.key, method: "PATCH", path: "/v1/offers/" + w.offer, body: map[string]any{"names": map[string]string{"fr": "Huile"}}},
		{key: s.key, method: "PATCH", path: "/v1/variants/" + w.variant + "/stock", body: map[string]int{"delta": -1}},
		{key: s.key, method: "POST", path: "/v1/offers/" + w.offer + "/pause"},
		{key: s.key, method: "POST", path: "/v1/offers/" + w.offer + "/archive"},
		{key: s.key, method: "GET", path: "/v1/organisations/" + s.org},
		{key: s.key, method: "GET", path: "/v1/organisations/" + s.org + "/api-keys"},
		{key: s.key, method: "GET", path: "/v1/organisations/" + s.org + "/bank-accounts"},
		{key: op, method: "GET", path: "/v1/partners"},
		{key: op, method: "GET", path: "/v1/events?limit=100"},
		{key: op, method: "GET", path: "/v1/operations?limit=100"},
		{key: op, method: "GET", path: "/v1/breaks"},
		{key: op, method: "GET", path: "/v1/charges?amount=10.00&state=confirmed"},
		{key: op, method: "GET", path: "/v1/organisations?state=active&limit=5"},
		{key: op, method: "GET", path: "/v1/audit?limit=5"},
		{key: op, method: "GET", path: "/v1/desk"},
		{key: op, method: "GET", path: "/v1/payouts?state=paid&amount=5.00"},
		{key: op, method: "GET", path: "/v1/operations?subject=chg_none"},
		{key: op, method: "GET", path: "/v1/ledger/transfers?order=ord_none"},
		{key: op, method: "GET", path: "/v1/ledger/accounts/fees"},
		{key: op, method: "GET", path: "/v1/ledger/trial-balance"},
		{key: op, method: "GET", path: "/v1/ledger/transfers?account=fees"},
		{key: op, method: "GET", path: "/v1/ledger/accounts/fees/entries?limit=5"},
		{key: op, method: "GET", path: "/v1/ledger/trial-balance?at=2026-01-01T00:00:00Z"},
		{key: op, method: "GET", path: "/v1/ledger/export.journal"},
		{key: op, method: "GET", path: "/v1/approvals"},
		{key: op, method: "GET", path: "/v1/payouts?limit=1"},
		{key: s.key, method: "GET", path: "/v1/payout-settings"},
		{key: s.key, method: "PUT", path: "/v1/payout-settings", body: map[string]any{"schedule": "weekly", "minimum": dirhams("50.00")}},
		{key: op, method: "GET", path: "/v1/payout-limits"},
		{key: op, method: "GET", path: "/v1/escrows/" + d.escrows[0]},
		{key: r.keys.Buyer.APIKey, method: "GET", path: "/v1/order-groups/" + d.group},
		{method: "GET", path: "/v1/guarantees"},
		{method: "GET", path: "/v1/offers?q=huile&sort=price&near=30.47,-8.88&radius_km=300&min=10&max=500"},
		{key: op, method: "POST", path: "/v1/demo/clock", body: map[string]string{"advance": "1s"}},
	} {
		r.ask(t, q).into(t, nil)
	}
	r.applicants(t)
	r.largePayout(t)
	r.carrierPayout(t)
	r.ownMoney(t)
	r.partialRelease(t)
	r.byHand(t)
	r.closeBooks(t)
	r.otherFees(t)
}

// otherFees has two people decide on a fee of a day to come.
func (r *rig) otherFees(t *testing.T) {
	fee := map[string]string{"code": "commission", "base": "goods", "percent": "4.5", "payer": "seller", "since": "2020-01-01"}
	body := map[string]any{"tariffs": []any{fee}, "why": "a lower commission"}
	ask := func() answer {
		return r.ask(t, req{key: r.operator(), method: "POST", path: "/v1/fees", body: body, idem: once()})
	}
	ask().refused(t, 422, "fees.invalid", "/tariffs/0/since")
	fee["since"] = "2099-01-01"
	var asked struct{ Approval string }
	ask().into(t, &asked)
	r.seconded(t, asked.Approval)
	if got := r.shows(t, r.seller(t).key, "/v1/fees"); !strings.Contains(got, `"2099-01-01"`) || !strings.Contains(got, `"4.5"`) {
		t.Errorf("a seller sees the fees %s, want the one to come", got)
	}
}

// closeBooks has two people close a period of long ago.
func (r *rig) closeBooks(t *testing.T) {
	var asked struct{ Approval string }
	q := req{key: r.operator(), method: "POST", path: "/v1/ledger/closings", body: map[string]string{"upto": "2020-01-31", "why": "the audit is over"}, idem: once()}
	r.ask(t, q).into(t, &asked)
	at := "/v1/approvals/" + asked.Approval
	yes := req{key: r.operator(), method: "POST", path: at, body: map[string]string{"decision": "approve"}, idem: once()}
	r.ask(t, yes).refused(t, 403, "approvals.self")
	yes.key, yes.idem = r.keys.SecondOperator.APIKey, once()
	r.ask(t, yes).into(t, nil)
	r.ask(t, req{key: r.operator(), method: "GET", path: at}).into(t, nil)
	q.idem = once()
	r.ask(t, q).refused(t, 409, "ledger.shut")
	r.until(t, "the trial balance of the closed period", func() bool {
		var page struct{ Data []struct{ Upto, Hash string } }
		r.ask(t, req{key: r.operator(), method: "GET", path: "/v1/ledger/closings"}).into(t, &page)
		return len(page.Data) == 1 && page.Data[0].Hash != ""
	})
	r.ask(t, req{key: r.operator(), method: "GET", path: "/v1/ledger/closings/2020-01-31/trial-balance"})
}

// applicants has the operator ask an applicant for changes before admitting it.
func (r *rig) applicants(t *testing.T) {
	var o struct{ ID, State string }
	r.ask(t, req{key: r.operator(), method: "POST", path: "/v1/organisations", body: map[string]any{
		"kind": "beneficiary_coop", "names": map[string]string{"fr": "Candidate (exemple)"}, "region": "MA-09", "commune": "Taroudant",
		"legal": map[string]string{"ice": number(15, 97)},
	}}).into(t, &o)
	for _, move := range []struct{ route, state string }{
		{"submit", "submitted"}, {"request-changes", "changes_requested"}, {"submit", "submitted"}, {"approve", "active"},
	} {
		q := req{key: r.operator(), method: "POST", path: "/v1/organisations/" + o.ID + "/" + move.route}
		if move.route == "request-changes" {
			q.body = map[string]string{"note": "Il manque les statuts."}
		}
		if r.ask(t, q).into(t, &o); o.State != move.state {
			t.Errorf("after %s the applicant is %s, want %s", move.route, o.State, move.state)
		}
	}
}

// largePayout is above what one person may decide.
func (r *rig) largePayout(t *testing.T) {
	s := r.seller(t)
	r.earn(t, s, "60000.00")
	p := r.payout(t, s, "50000.01")
	at := "/v1/payouts/" + p.ID
	if p.State != "draft" {
		t.Errorf("a payout above the limit is %s, want draft until a second person approves", p.State)
	}
	r.ask(t, req{key: s.key, method: "POST", path: at + "/approve", idem: once()}).refused(t, 403, "auth.denied")
	r.ask(t, req{key: r.operator(), method: "POST", path: at + "/approve", idem: once()}).refused(t, 403, "approvals.self") // it made the seller's key
	r.ask(t, req{key: r.keys.SecondOperator.APIKey, method: "POST", path: at + "/approve", idem: once()}).into(t, nil)
	r.until(t, "the payout "+p.ID, func() bool { return r.payoutOf(t, s, p.ID).State == "paid" })
	r.moved(t, p.Ref, "payout", p.Amount)
}

// partialRelease lets a part of an escrow go, as its buyer.
func (r *rig) partialRelease(t *testing.T) {
	s := r.seller(t)
	sale := r.checkout(t, r.buyer(t), map[string]int{r.ware(t, s, 1, "100.00").variant: 1})
	r.payBy(t, sale, goodCard)
	r.paid(t, sale)
	var o struct{ Escrow struct{ ID string } }
	r.ask(t, req{key: sale.buyer, method: "GET", path: "/v1/orders/" + sale.Orders[0].ID}).into(t, &o)
	q := req{key: sale.buyer, method: "POST", path: "/v1/escrows/" + o.Escrow.ID + "/release", body: map[string]any{"amount": dirhams("10.00")}, idem: once()}
	r.ask(t, q).into(t, nil)
	got := r.orderOf(t, sale.buyer, sale.Orders[0].ID).Escrow
	if want := "10.00"; got.Released.Amount() != want || !got.Held.Add(got.Released).Equal(sale.Charge.Amount) {
		t.Errorf("after a release of %s the escrow has released %s and holds %s of %s", want, got.Released, got.Held, sale.Charge.Amount)
	}
	q.body, q.idem = map[string]any{"amount": dirhams("99999.00")}, once()
	r.ask(t, q).refused(t, 422, "escrow.amount")
}
