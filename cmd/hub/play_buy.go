package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// A purchase is what a buyer puts into a basket and how it is paid.
type purchase struct {
	buyer string // API key
	name  string // of the buyer; an example by default
	phone string
	to    string // the commune; Rabat by default
	way   string // card, transfer or cash_on_delivery
	lines map[string]int
	codes []string // of promotions
}

// A receipt is what a checkout answers.
type receipt struct {
	Group  string `json:"order_group"`
	Orders []orderView
	Charge struct {
		ID, Status string
		Amount     moneyView
		NextAction struct {
			URL      string
			Fields   map[string]string
			Transfer *struct {
				RIB, Reference   string
				Amount, Received moneyView
			}
		} `json:"next_action"`
	}
}

// buys fills a basket, has it quoted and orders it.
func (p *player) buys(ctx context.Context, w purchase) (r receipt, err error) {
	var basket struct{ ID string }
	if err := p.post(ctx, w.buyer, "/v1/baskets", nil, &basket); err != nil {
		return r, err
	}
	for _, v := range slices.Sorted(maps.Keys(w.lines)) {
		_, err := p.do(ctx, call{key: w.buyer, method: http.MethodPut, path: "/v1/baskets/" + basket.ID + "/lines/" + v, body: map[string]int{"quantity": w.lines[v]}}, nil)
		if err != nil {
			return r, err
		}
	}
	return p.checksOut(ctx, w, basket.ID)
}

// checksOut has a basket quoted and orders it.
func (p *player) checksOut(ctx context.Context, w purchase, basket string) (r receipt, err error) {
	if w.name == "" {
		w.name = "Acheteur exemple"
	}
	if w.phone == "" {
		w.phone = "+212600000000"
	}
	if w.to == "" {
		w.to = "Rabat"
	}
	if w.codes == nil {
		w.codes = []string{}
	}
	var quote struct{ Hash string }
	if err := p.post(ctx, w.buyer, "/v1/baskets/"+basket+"/quotes", map[string]any{"delivery": map[string]string{"method": "carrier", "commune": w.to}, "codes": w.codes}, &quote); err != nil {
		return r, err
	}
	return r, p.commit(ctx, w.buyer, "/v1/checkouts", map[string]any{
		"basket": basket, "quote": quote.Hash,
		"contact":  map[string]string{"name": w.name, "phone": w.phone, "email": "acheteur@exemple.ma"},
		"delivery": map[string]string{"method": "carrier", "commune": w.to, "address": "12, rue de l’Exemple"},
		"payment":  map[string]string{"method": w.way},
	}, &r)
}

// goodCard is a card that the acquirer takes.
var goodCard = map[string]string{"pan": "4000000000000010", "expiry": "12/49", "cvv": "000", "otp": "123456"}

// paysBy goes through the acquirer's pages with a card.
func (p *player) paysBy(ctx context.Context, r receipt, card map[string]string) error {
	return p.pay(ctx, r.Charge.NextAction.URL, r.Charge.NextAction.Fields, card)
}

// isPaid waits until an order's money stands in its escrow.
func (p *player) isPaid(ctx context.Context, key, order string) error {
	return p.reaches(ctx, key, order, "the payment of "+order, func(o orderView) bool {
		return o.State == "paid" && o.Escrow.State == "funded"
	})
}

// reaches waits until an order is as it should be.
func (p *player) reaches(ctx context.Context, key, order, what string, as func(orderView) bool) error {
	return until(ctx, what, func() (bool, error) {
		o, err := p.order(ctx, key, order)
		if err == nil && o.State == "expired" && !as(o) {
			err = fmt.Errorf("the payment window of %s is over: somebody moved the clock", order)
		}
		return err == nil && as(o), err
	})
}

// sends has a seller accept an order and send it.
func (p *player) sends(ctx context.Context, seller, order string) error {
	at := "/v1/orders/" + order
	if err := p.move(ctx, seller, at+"/accept", nil); err != nil {
		return err
	}
	return p.move(ctx, seller, at+"/ship", map[string]string{"carrier": "Messagerie exemple", "tracking": "EX-" + order[len(order)-6:]})
}

// accepts has the buyer accept the goods, so that the money goes.
func (p *player) accepts(ctx context.Context, buyer, order string) error {
	return p.commit(ctx, buyer, "/v1/orders/"+order+"/receive", nil, nil)
}

// isSettled waits until the acquirer has paid a charge.
func (p *player) isSettled(ctx context.Context, charge string) error {
	return until(ctx, "the acquirer's settlement", func() (bool, error) {
		var c struct{ Settled bool }
		return c.Settled, p.get(ctx, p.keys.Operator.APIKey, "/v1/charges/"+charge, &c)
	})
}

// isPaidOut has a seller ask for an amount, or with "" for all it has, and waits
// until the bank has paid it.
func (p *player) isPaidOut(ctx context.Context, seller, amount string) (out payoutNow, err error) {
	var in any
	if amount != "" {
		in = map[string]any{"amount": mad(amount)}
	}
	if err := p.commit(ctx, seller, "/v1/payouts", in, &out); err != nil {
		return out, err
	}
	return out, p.payoutIs(ctx, seller, out.ID, "paid")
}

// A payoutNow is a payout as a player looks at it.
type payoutNow struct {
	ID, Ref, State, Why string
	Beneficiary         string
	Amount              moneyView
	Waits               []struct{ Text string }
}

// payoutIs waits until a payout has come to a state.
func (p *player) payoutIs(ctx context.Context, key, payout, state string) error {
	return p.insists(ctx, "the payout "+payout+" to be "+state, func() (bool, error) {
		var out payoutNow
		err := p.get(ctx, key, "/v1/payouts/"+payout, &out)
		if err == nil && out.State != state && (out.State == "rejected" || out.State == "returned") {
			err = fmt.Errorf("payout %s is %s: %s", payout, out.State, out.Why)
		}
		return out.State == state, err
	})
}

// insists is until, for what waits for a partner: when an answer was lost, or
// the hub died while it waited for one, the hub believes the loss only after a
// quiet period. The clock skips that wait.
func (p *player) insists(ctx context.Context, what string, done func() (bool, error)) error {
	began, skipped := time.Now(), time.Now()
	return until(ctx, what, func() (bool, error) {
		ok, err := done()
		if ok || err != nil || time.Since(began) < 25*time.Second || time.Since(skipped) < 15*time.Second {
			return ok, err
		}
		skipped = time.Now()
		p.step("still waiting for %s: the clock is moved on", what)
		return false, p.post(ctx, p.keys.Operator.APIKey, "/v1/demo/clock", map[string]string{"advance": "8m"}, nil)
	})
}

func mad(amount string) map[string]string {
	return map[string]string{"amount": amount, "currency": "MAD"}
}

// refOf is how partners know what has this id here.
func refOf(id string) string { return strings.ToUpper(strings.Replace(id, "_", "", 1)) }

// standIn calls a control of the stand-in partners.
func (p *player) standIn(ctx context.Context, method, path string, in, out any) error {
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, p.keys.SimURL+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	res, err := p.client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode >= 300 {
		return fmt.Errorf("the stand-in partners answer %s %s with %s: %.200s", method, path, res.Status, b)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(b, out)
}

// executed is one thing that a partner says it did.
type executed struct {
	Partner, Ref, Kind string
	Amount             moneyView
}

// truth is what the partners executed under a reference; without one it is all.
func (p *player) truth(ctx context.Context, ref string) ([]executed, error) {
	var v struct{ Executed []executed }
	return v.Executed, p.standIn(ctx, http.MethodGet, "/truth?ref="+url.QueryEscape(ref), nil, &v)
}

// credit has somebody transfer to the clients' account. Told is by a
// notification before the statement.
func (p *player) credit(ctx context.Context, amount moneyView, text, name string, told bool) error {
	return p.standIn(ctx, http.MethodPost, "/bank/credits", map[string]any{"amount": amount.Amount(), "text": text, "name": name, "notify": told}, nil)
}

// contest has a buyer's bank take a charge back, and waits until the hub knows.
func (p *player) contest(ctx context.Context, charge, order string) (id string, err error) {
	var made struct{ ID string }
	if err := p.standIn(ctx, http.MethodPost, "/cases", map[string]string{"ref": refOf(charge), "reason": "13.1"}, &made); err != nil {
		return "", err
	}
	return made.ID, p.reaches(ctx, p.keys.Operator.APIKey, order, "the chargeback of "+charge, func(o orderView) bool {
		return o.Case != nil && o.Case.Kind == "chargeback"
	})
}

// verdict ends a chargeback as won or lost, and waits until the hub has booked it.
func (p *player) verdict(ctx context.Context, id, order, how string) error {
	if err := p.standIn(ctx, http.MethodPost, "/cases", map[string]string{"id": id, "state": how}, nil); err != nil {
		return err
	}
	return p.reaches(ctx, p.keys.Operator.APIKey, order, "the verdict on "+id, func(o orderView) bool { return o.Case == nil })
}

// A balance is a seller's own money.
type balance struct{ Available, Pending, Reserve, Receivable moneyView }

func (p *player) balance(ctx context.Context, seller string) (b balance, err error) {
	return b, p.get(ctx, seller, "/v1/balance", &b)
}
