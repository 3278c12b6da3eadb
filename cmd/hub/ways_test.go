package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

// credit has somebody transfer to the clients' account, told by a notification
// and by the statement.
func (r *rig) credit(t testing.TB, amount, text string) {
	t.Helper()
	body, err := json.Marshal(map[string]any{"amount": amount, "text": text, "name": "ACHETEUR EXEMPLE", "notify": true})
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.Post(r.sim+"/bank/credits", "application/json", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusCreated {
		t.Fatalf("the bank answers %s", res.Status)
	}
}

// A chargeView is a charge as these tests look at it.
type chargeView struct {
	ID, Status string
	NextAction struct {
		Type     string
		Transfer *struct {
			RIB, Reference   string
			Amount, Received moneyView
		}
	} `json:"next_action"`
}

// A waySale is a checkout that is not paid by card.
type waySale struct {
	buyer  string
	Group  string `json:"order_group"`
	Orders []orderView
	Charge chargeView
}

// sellBy has a buyer order one of something, paid in a way.
func (r *rig) sellBy(t testing.TB, method, variant string) (s waySale) {
	t.Helper()
	s.buyer = r.buyer(t)
	basket := r.basket(t, s.buyer, map[string]int{variant: 1})
	body := ordering(basket, r.quote(t, s.buyer, basket))
	body["payment"] = map[string]any{"method": method}
	r.ask(t, req{key: s.buyer, method: "POST", path: "/v1/checkouts", body: body, idem: once()}).into(t, &s)
	return s
}

// isPaidOut has a seller ask for money and waits until the bank has paid it.
func (r *rig) isPaidOut(t *testing.T, s *shop, amount string) {
	t.Helper()
	p := r.payout(t, s, amount)
	r.until(t, "the payout "+p.ID, func() bool { return r.payoutOf(t, s, p.ID).State == "paid" })
	r.moved(t, p.Ref, "payout", p.Amount)
}

// byTransfer plays the main job with money that comes by bank transfer.
func byTransfer(t *testing.T, r *rig, _ trade) {
	s := r.seller(t)
	sale := r.sellBy(t, "transfer", r.ware(t, s, 3, "100.00").variant)
	in := sale.Charge.NextAction.Transfer
	if sale.Charge.Status != "accepted" || sale.Charge.NextAction.Type != "none" || in == nil || in.RIB == "" || in.Amount.Amount() != "130.00" {
		t.Fatalf("the charge is %+v, to be transferred %+v", sale.Charge, in)
	}
	at := "/v1/orders/" + sale.Orders[0].ID
	r.ask(t, req{key: s.key, method: "POST", path: at + "/accept"}).refused(t, 409, "orders.state")
	r.credit(t, "30.00", "virement "+in.Reference)
	r.until(t, "the first part of the transfer", func() bool {
		var g struct{ Charge chargeView }
		r.ask(t, req{key: sale.buyer, method: "GET", path: "/v1/order-groups/" + sale.Group}).into(t, &g)
		return g.Charge.NextAction.Transfer.Received.Amount() == "30.00"
	})
	r.credit(t, "100.00", "suite "+in.Reference)
	r.until(t, "the transfer", func() bool {
		o := r.orderOf(t, sale.buyer, sale.Orders[0].ID)
		return o.State == "paid" && o.Escrow.State == "funded" && o.Escrow.Held.Amount() == "130.00"
	})
	r.ask(t, req{key: s.key, method: "POST", path: at + "/accept"}).into(t, nil)
	r.ask(t, req{key: s.key, method: "POST", path: at + "/ship", body: map[string]string{"carrier": "Messagerie exemple", "tracking": "EX-T"}}).into(t, nil)
	r.ask(t, req{key: sale.buyer, method: "POST", path: at + "/receive", idem: once()}).into(t, nil)
	r.isPaidOut(t, s, "94.00") // 100.00 less 5 % and VAT on it
}

// oddTransfers are more than asked, for a charge that is paid, and without a
// reference.
func oddTransfers(t *testing.T, r *rig, _ trade) {
	s := r.seller(t)
	sale := r.sellBy(t, "transfer", r.ware(t, s, 3, "210.00").variant)
	ref := sale.Charge.NextAction.Transfer.Reference
	r.credit(t, "240.00", "achat en ligne")
	r.until(t, "a break with a suggestion", func() bool {
		return bytes.Contains([]byte(r.shows(t, r.operator(), "/v1/breaks?limit=100")), []byte(sale.Charge.ID))
	})
	if o := r.orderOf(t, sale.buyer, sale.Orders[0].ID); o.State != "pending_payment" {
		t.Errorf("without its reference a transfer made the order %s", o.State)
	}
	r.credit(t, "250.00", ref)
	r.until(t, "the transfer", func() bool { return r.orderOf(t, sale.buyer, sale.Orders[0].ID).State == "paid" })
	if o := r.orderOf(t, sale.buyer, sale.Orders[0].ID); o.Escrow.Held.Amount() != "240.00" {
		t.Errorf("held %s of 250.00, want 240.00", o.Escrow.Held)
	}
	var refund string
	r.until(t, "the surplus to be back with its payer", func() bool {
		var err error
		refund, err = pg.Value[string](t.Context(), r.house.store, nil,
			`select coalesce(max(id), '') from charges.refund where charge = $1 and amount = 1000 and state = 'confirmed' and rib = '999780000000000000030369'`, sale.Charge.ID)
		return err == nil && refund != ""
	})
	r.moved(t, refOf(refund), "refund", money.Dirhams(1000))
	var shown struct{ Refunds []struct{ ID string } }
	if r.ask(t, req{key: sale.buyer, method: "GET", path: "/v1/orders/" + sale.Orders[0].ID}).into(t, &shown); len(shown.Refunds) != 1 || shown.Refunds[0].ID != refund {
		t.Errorf("the order shows the refunds %+v, want %s", shown.Refunds, refund)
	}
	r.until(t, "the buyer to be told that it was too much", func() bool {
		return slices.ContainsFunc(r.told(t, sale.buyer), func(n noticeView) bool { return n.Kind == "refund.late" })
	})
	b := r.buyer(t)
	basket := r.basket(t, b, map[string]int{r.ware(t, s, 1, "6000.00").variant: 1})
	body := ordering(basket, r.quote(t, b, basket))
	body["payment"] = map[string]any{"method": "cash_on_delivery"}
	r.ask(t, req{key: b, method: "POST", path: "/v1/checkouts", body: body, idem: once()}).refused(t, 422, "orders.payment_method", "/payment/method")
}

// A cashOrder is an order as these tests look at its cash.
type cashOrder struct {
	State   string
	Escrow  struct{ State string }
	Payment struct {
		Method string
		Cash   struct{ State, Carrier, Reference string }
	}
}

func (r *rig) cashOf(t testing.TB, key, order string) (o cashOrder) {
	t.Helper()
	r.ask(t, req{key: key, method: "GET", path: "/v1/orders/" + order}).into(t, &o)
	return o
}

// brought has a cash order confirmed, accepted and sent.
func (r *rig) brought(t testing.TB, s *shop, sale waySale) (at string) {
	t.Helper()
	at = "/v1/orders/" + sale.Orders[0].ID
	r.ask(t, req{key: s.key, method: "POST", path: at + "/accept"}).refused(t, 409, "orders.state")
	r.ask(t, req{key: sale.buyer, method: "POST", path: at + "/confirm"}).into(t, nil)
	r.ask(t, req{key: s.key, method: "POST", path: at + "/accept"}).into(t, nil)
	r.ask(t, req{key: s.key, method: "POST", path: at + "/ship", body: map[string]string{"carrier": "Messagerie exemple", "tracking": "EX-C"}}).into(t, nil)
	return at
}

func (r *rig) collected(t testing.TB, s *shop, at, amount string) {
	t.Helper()
	r.ask(t, req{key: s.key, method: "POST", path: at + "/collect", body: map[string]any{"amount": dirhams(amount)}, idem: once()}).into(t, nil)
}

// A list is a remittance as these tests look at it.
type list struct {
	ID, State, Reference string
	Net                  moneyView
}

func (r *rig) announced(t testing.TB, orders ...string) (l list) {
	t.Helper()
	r.ask(t, req{key: r.operator(), method: "POST", path: "/v1/remittances", body: map[string]any{
		"carrier": "demo", "orders": orders, "handling": dirhams("1.00"),
	}, idem: once()}).into(t, &l)
	return l
}

// byCash plays the main job with money that is taken at the door.
func byCash(t *testing.T, r *rig, _ trade) {
	s := r.seller(t)
	sale := r.sellBy(t, "cash_on_delivery", r.ware(t, s, 3, "100.00").variant)
	order := sale.Orders[0].ID
	if o := r.cashOf(t, sale.buyer, order); o.State != "placed" || o.Escrow.State != "awaiting" || o.Payment.Cash.State != "awaited" || o.Payment.Cash.Reference != "" {
		t.Fatalf("the order is %+v", o)
	}
	at := r.brought(t, s, sale)
	r.ask(t, req{key: s.key, method: "POST", path: at + "/deliver", body: map[string]string{"code": "0000"}}).refused(t, 409, "orders.uncollected")
	r.ask(t, req{key: sale.buyer, method: "POST", path: at + "/receive", idem: once()}).refused(t, 409, "orders.uncollected")
	r.ask(t, req{key: s.key, method: "POST", path: at + "/collect", body: map[string]any{"amount": dirhams("130.01")}, idem: once()}).refused(t, 422, "cash.amount", "/amount")
	r.ask(t, req{key: s.key, method: "POST", path: at + "/collect", body: map[string]any{"amount": dirhams("130.00")}}).refused(t, 400, "idempotency.missing")
	r.collected(t, s, at, "130.00")
	r.collected(t, s, at, "130.00")
	r.ask(t, req{key: sale.buyer, method: "POST", path: at + "/receive", idem: once()}).into(t, nil)
	if o := r.cashOf(t, s.key, order); o.State != "delivered" || o.Escrow.State != "funded" || o.Payment.Cash.State != "collected" || o.Payment.Cash.Carrier != "demo" {
		t.Errorf("accepted before it was remitted: %+v", o)
	}
	r.ask(t, req{key: s.key, method: "POST", path: "/v1/payouts", body: map[string]any{"amount": dirhams("1.00")}, idem: once()}).refused(t, 422, "payouts.too_much")
	l := r.announced(t, order)
	if l.State != "announced" || l.Net.Amount() != "99.00" {
		t.Fatalf("the list is %+v", l)
	}
	r.ask(t, req{key: r.operator(), method: "POST", path: "/v1/remittances/" + l.ID + "/withdraw", idem: once()}).into(t, &l)
	l = r.announced(t, order)
	r.ask(t, req{key: r.operator(), method: "GET", path: "/v1/remittances?state=announced"}).into(t, nil)
	r.credit(t, "99.00", "REMISE "+l.Reference)
	r.until(t, "the cash to be remitted and released", func() bool {
		o := r.cashOf(t, sale.buyer, order)
		return o.State == "completed" && o.Escrow.State == "released" && o.Payment.Cash.State == "remitted"
	})
	r.ask(t, req{key: r.operator(), method: "GET", path: "/v1/remittances/" + l.ID}).into(t, &l)
	if l.State != "arrived" {
		t.Errorf("the list is %s, want arrived", l.State)
	}
	r.isPaidOut(t, s, "94.00")
}

// oddCash is refused at the door, remitted in part, and given up.
func oddCash(t *testing.T, r *rig, _ trade) {
	s := r.seller(t)
	w := r.ware(t, s, 5, "100.00")
	refused := r.sellBy(t, "cash_on_delivery", w.variant)
	at := r.brought(t, s, refused)
	r.ask(t, req{key: refused.buyer, method: "POST", path: at + "/refuse", body: map[string]string{"reason": "changed"}, idem: once()}).refused(t, 409, "orders.on_its_way")
	for range 2 {
		r.ask(t, req{key: s.key, method: "POST", path: at + "/refuse", body: map[string]string{"reason": "absent"}, idem: once()}).into(t, nil)
	}
	if o := r.cashOf(t, refused.buyer, refused.Orders[0].ID); o.State != "refused" || o.Escrow.State != "voided" {
		t.Errorf("refused: %+v", o)
	}
	if got := r.left(t, w); got != 4 {
		t.Errorf("while a refused parcel is on its way back %d are on offer, want 4", got)
	}
	r.ask(t, req{key: s.key, method: "POST", path: at + "/take-back", body: map[string]any{"restock": []map[string]any{{"variant": w.variant, "quantity": 2}}}, idem: once()}).refused(t, 422, "returns.lines")
	for range 2 {
		r.ask(t, req{key: s.key, method: "POST", path: at + "/take-back", idem: once()}).into(t, nil)
	}
	if got := r.left(t, w); got != 5 {
		t.Errorf("once it is back %d are on offer, want 5", got)
	}
	var balance struct{ Receivable moneyView }
	r.ask(t, req{key: s.key, method: "GET", path: "/v1/balance"}).into(t, &balance)
	if balance.Receivable.Amount() != "30.00" {
		t.Errorf("the seller owes %s for a parcel brought in vain, want 30.00", balance.Receivable)
	}
	declined := r.sellBy(t, "cash_on_delivery", w.variant)
	r.ask(t, req{key: declined.buyer, method: "POST", path: "/v1/orders/" + declined.Orders[0].ID + "/refuse", body: map[string]string{"reason": "changed"}, idem: once()}).into(t, nil)
	var stock struct {
		OnHand   int `json:"on_hand"`
		Reserved int
	}
	r.ask(t, req{key: s.key, method: "PATCH", path: "/v1/variants/" + w.variant + "/stock", body: map[string]int{"delta": 0}}).into(t, &stock)
	if stock.OnHand != 5 || stock.Reserved != 0 {
		t.Errorf("stock %+v, want all 5 free", stock)
	}

	sale := r.sellBy(t, "cash_on_delivery", w.variant)
	at = r.brought(t, s, sale)
	order := sale.Orders[0].ID
	r.collected(t, s, at, "80.00") // a part of the goods was taken
	reference := r.cashOf(t, s.key, order).Payment.Cash.Reference
	r.credit(t, "20.00", reference)
	var c struct {
		Owed     moneyView
		Approval string
	}
	r.until(t, "the part that was remitted", func() bool {
		r.ask(t, req{key: r.operator(), method: "GET", path: "/v1/cash/" + order}).into(t, &c)
		return c.Owed.Amount() == "60.00"
	})
	r.ask(t, req{key: s.key, method: "POST", path: "/v1/cash/" + order + "/write-off", body: map[string]string{"reason": "lost"}, idem: once()}).refused(t, 403, "auth.denied")
	r.ask(t, req{key: r.operator(), method: "POST", path: "/v1/cash/" + order + "/write-off", body: map[string]string{"reason": "the carrier has closed"}, idem: once()}).into(t, &c)
	decide := func(key string) answer {
		return r.ask(t, req{key: key, method: "POST", path: "/v1/approvals/" + c.Approval, body: map[string]string{"decision": "approve"}, idem: once()})
	}
	decide(r.operator()).refused(t, 403, "approvals.self")
	decide(r.keys.SecondOperator.APIKey).into(t, nil)
	if o := r.cashOf(t, sale.buyer, order); o.Payment.Cash.State != "lost" {
		t.Errorf("given up: %+v", o)
	}
	r.ask(t, req{key: sale.buyer, method: "POST", path: at + "/receive", idem: once()}).into(t, nil)
	r.ask(t, req{key: r.operator(), method: "GET", path: "/v1/cash?carrier=demo&state=lost"}).into(t, nil)
	r.ask(t, req{key: r.operator(), method: "GET", path: "/v1/approvals"}).into(t, nil)
	r.ask(t, req{key: r.operator(), method: "GET", path: "/v1/approvals/" + c.Approval}).into(t, nil)
}

// byStranger orders by card and never sees the acquirer's page. Transfers that
// name the charge, of all but the acquirer's fee and in the acquirer's words,
// pay nothing: the money waits in suspense.
func byStranger(t *testing.T, r *rig, _ trade) {
	sale := r.checkout(t, r.buyer(t), map[string]int{r.ware(t, r.seller(t), 3, "900.00").variant: 1})
	oid := sale.Charge.NextAction.Fields["oid"]
	gross, err := money.Parse(sale.Charge.Amount.Amount(), money.MAD)
	if err != nil || oid == "" {
		t.Fatalf("the charge is %+v (%v)", sale.Charge, err)
	}
	net := gross.Sub(gross.Rate(*r.config(t).Acquirer.FeePercent))
	for amount, text := range map[string]string{
		net.Amount(): "commande", "1.00": "merci/EREF/" + oid + "/OCMT/MAD930,00/CHGS/MAD929,00", gross.Amount(): "REGLEMENT CARTES " + oid,
	} {
		in := map[string]any{"amount": amount, "text": text, "end_to_end": oid, "name": "EXEMPLE MONETIQUE"}
		if err := r.standIn(t.Context(), http.MethodPost, "/bank/credits", in, nil); err != nil {
			t.Fatal(err)
		}
	}
	r.until(t, "the transfers to wait for people", func() bool {
		var breaks struct {
			Data []struct{ About, Kind, Why string }
		}
		r.ask(t, req{key: r.operator(), method: "GET", path: "/v1/breaks?kind=suspense&limit=100"}).into(t, &breaks)
		waits := 0
		for _, b := range breaks.Data {
			if b.About == oid && strings.Contains(b.Why, "its acquirer did not send it") {
				waits++
			}
		}
		return waits == 3
	})
	if o := r.orderOf(t, sale.buyer, sale.Orders[0].ID); o.State == "paid" || o.Escrow.State == "funded" {
		t.Errorf("the order is %s, its escrow %s, and nobody paid by card", o.State, o.Escrow.State)
	}
}
