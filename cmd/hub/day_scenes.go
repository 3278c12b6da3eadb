package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"tiwiza/pkg/money"
)

// The keys of those who act on an errand.
func (d *day) buyerOf(e *errand) string  { return d.buyers[e.buyer].key }
func (d *day) sellerOf(e *errand) string { return d.shops[e.shops[0]].key }
func (d *day) operator() string          { return d.keys.Operator.APIKey }
func (d *day) second() string            { return d.keys.SecondOperator.APIKey }

// share is a part of an amount, in hundredths, to the dirham.
func share(m moneyView, hundredths int) moneyView {
	return money.Dirhams(m.Centimes() * int64(hundredths) / 100 / 100 * 100)
}

// place has the buyer order; every errand begins with it.
func (d *day) place(ctx context.Context, e *errand) (err error) {
	lines := map[string]int{}
	for i, s := range e.shops {
		v := d.shops[s].variants
		lines[v[e.pick[i]%len(v)]] = e.count[i]
	}
	b := d.buyers[e.buyer]
	e.rec, err = d.buys(ctx, purchase{buyer: b.key, name: b.name, phone: b.phone, to: e.to, way: e.way, lines: lines})
	if err != nil {
		return err
	}
	e.order = e.rec.Orders[0].ID
	if e.morning == nil {
		return nil
	}
	return e.morning(d, ctx, e)
}

func payCard(d *day, ctx context.Context, e *errand) error { return d.paidWith(ctx, e, goodCard) }

func (d *day) paidWith(ctx context.Context, e *errand, card map[string]string) error {
	if err := d.shows(ctx, e, card); err != nil {
		return err
	}
	return d.allPaid(ctx, e)
}

// shows gives a card to the acquirer, while nobody plays a fault on it.
func (d *day) shows(ctx context.Context, e *errand, card map[string]string) error {
	d.paying.RLock()
	defer d.paying.RUnlock()
	return d.paysBy(ctx, e.rec, card)
}

func (d *day) allPaid(ctx context.Context, e *errand) error {
	for _, o := range e.rec.Orders {
		if err := d.isPaid(ctx, d.buyerOf(e), o.ID); err != nil {
			return err
		}
	}
	return nil
}

// cardOf is a card of another number.
func cardOf(pan string) map[string]string {
	return map[string]string{"pan": pan, "expiry": goodCard["expiry"], "cvv": "000", "otp": "123456"}
}

func payTwice(d *day, ctx context.Context, e *errand) error {
	if err := d.shows(ctx, e, cardOf("4000000000000002")); err != nil {
		return err
	}
	return payCard(d, ctx, e)
}

func payClosing(d *day, ctx context.Context, e *errand) error {
	return d.paidWith(ctx, e, cardOf("4000000000000036"))
}

// payUnheard has the acquirer take the money and lose its answer: the hub asks
// until it knows.
func payUnheard(d *day, ctx context.Context, e *errand) error {
	d.paying.Lock()
	err := d.fault(ctx, "acquirer", "execute_then_drop")
	if err == nil {
		err = d.paysBy(ctx, e.rec, goodCard)
	}
	d.paying.Unlock()
	if err != nil {
		return err
	}
	return d.allPaid(ctx, e)
}

// fault has a partner misbehave the next time it can.
func (d *day) fault(ctx context.Context, partner, name string) error {
	return d.standIn(ctx, "POST", "/faults", map[string]any{"partner": partner, "fault": name, "times": 1}, nil)
}

// wires has the buyer transfer something, with the charge's reference.
func (d *day) wires(ctx context.Context, e *errand, sum moneyView) error {
	t := e.rec.Charge.NextAction.Transfer
	if t == nil {
		return fmt.Errorf("charge %s tells nobody where to transfer to", e.rec.Charge.ID)
	}
	d.came(byWire, sum)
	return d.credit(ctx, sum, "VIREMENT "+t.Reference, d.buyers[e.buyer].name, e.part%2 == 0)
}

func wireWhole(d *day, ctx context.Context, e *errand) error {
	if err := d.wires(ctx, e, e.rec.Charge.Amount); err != nil {
		return err
	}
	return d.allPaid(ctx, e)
}

func wireParts(d *day, ctx context.Context, e *errand) error {
	first := share(e.rec.Charge.Amount, e.part)
	if err := d.wires(ctx, e, first); err != nil {
		return err
	}
	if err := d.wires(ctx, e, e.rec.Charge.Amount.Sub(first)); err != nil {
		return err
	}
	return d.allPaid(ctx, e)
}

func wireOver(d *day, ctx context.Context, e *errand) error {
	if err := d.wires(ctx, e, e.rec.Charge.Amount.Add(money.Dirhams(int64(e.part)*100))); err != nil {
		return err
	}
	return d.allPaid(ctx, e)
}

func wireShort(d *day, ctx context.Context, e *errand) error {
	return d.wires(ctx, e, share(e.rec.Charge.Amount, e.part))
}

func wireLate(d *day, ctx context.Context, e *errand) error {
	return d.wires(ctx, e, e.rec.Charge.Amount)
}

// wireNameless transfers without the reference: the statement's line waits, with
// a suggestion, until a person says what it is.
func wireNameless(d *day, ctx context.Context, e *errand) error {
	d.came(byWire, e.rec.Charge.Amount)
	if err := d.credit(ctx, e.rec.Charge.Amount, "ACHAT EN LIGNE", d.buyers[e.buyer].name, false); err != nil {
		return err
	}
	var found breakNow
	err := until(ctx, "a break about "+e.rec.Charge.ID, func() (bool, error) {
		all, err := d.breaks(ctx, "open")
		for _, b := range all {
			if b.Amount != nil && b.Amount.Equal(e.rec.Charge.Amount) && strings.Contains(b.Why, e.rec.Charge.ID) {
				found = b
			}
		}
		return found.ID != "", err
	})
	if err != nil {
		return err
	}
	body := map[string]string{"by": "match", "to": e.rec.Charge.ID, "note": "Montant et nom sont ceux de cette commande."}
	if err := d.commit(ctx, d.operator(), "/v1/breaks/"+found.ID+"/resolve", body, nil); err != nil {
		return err
	}
	return d.allPaid(ctx, e)
}

func confirm(d *day, ctx context.Context, e *errand) error {
	return d.move(ctx, d.buyerOf(e), "/v1/orders/"+e.order+"/confirm", nil)
}

func send(d *day, ctx context.Context, e *errand) error {
	for i, s := range e.shops {
		if err := d.sends(ctx, d.shops[s].key, d.orderAt(e, i)); err != nil {
			return err
		}
	}
	return nil
}

// orderAt is the order at an errand's i-th shop.
func (d *day) orderAt(e *errand, i int) string {
	for _, o := range e.rec.Orders {
		if o.Seller.ID == d.shops[e.shops[i]].org {
			return o.ID
		}
	}
	return e.order
}

// cancelAsBuyer cancels what was settled, so that the acquirer's fee is always
// the same: before the settlement it would let the charge go without one.
func cancelAsBuyer(d *day, ctx context.Context, e *errand) error {
	if err := d.isSettled(ctx, e.rec.Charge.ID); err != nil {
		return err
	}
	return d.commit(ctx, d.buyerOf(e), "/v1/orders/"+e.order+"/cancel", map[string]string{"reason": "Plus besoin."}, nil)
}

func cancelAsSeller(d *day, ctx context.Context, e *errand) error {
	if err := d.isSettled(ctx, e.rec.Charge.ID); err != nil {
		return err
	}
	return d.commit(ctx, d.sellerOf(e), "/v1/orders/"+e.order+"/cancel", map[string]string{"reason": "Cassé à l’emballage."}, nil)
}

func giveUp(d *day, ctx context.Context, e *errand) error {
	return d.commit(ctx, d.buyerOf(e), "/v1/orders/"+e.order+"/refuse", map[string]string{"reason": "changed"}, nil)
}

func accept(d *day, ctx context.Context, e *errand) error {
	for _, o := range e.rec.Orders {
		if err := d.accepts(ctx, d.buyerOf(e), o.ID); err != nil {
			return err
		}
	}
	return nil
}

func prove(d *day, ctx context.Context, e *errand) error {
	o, err := d.player.order(ctx, d.buyerOf(e), e.order)
	if err != nil {
		return err
	}
	return d.move(ctx, d.sellerOf(e), "/v1/orders/"+e.order+"/deliver", map[string]string{"code": o.Delivery.Code})
}

// giveBack gives a part of the goods back before their release.
func giveBack(d *day, ctx context.Context, e *errand) error { return d.refunds(ctx, e, d.sellerOf(e)) }

// takeBack has an agent give a part back after the release.
func takeBack(d *day, ctx context.Context, e *errand) error { return d.refunds(ctx, e, d.operator()) }

func (d *day) refunds(ctx context.Context, e *errand, key string) error {
	sum := share(e.rec.Orders[0].Totals.Goods, e.part)
	if sum.IsZero() {
		sum = money.Dirhams(1_00)
	}
	body := map[string]any{"amount": mad(sum.Amount()), "reason": "Un pot est cassé."}
	return d.commit(ctx, key, "/v1/orders/"+e.order+"/refunds", body, nil)
}

// nameAccount has the buyer say where a refund shall go that no card takes.
func nameAccount(d *day, ctx context.Context, e *errand) error {
	var refund string
	err := d.reaches(ctx, d.buyerOf(e), e.order, "the refund of "+e.order+" to ask for an account", func(o orderView) bool {
		for _, r := range o.Refunds {
			if r.State == "awaiting_rib" {
				refund = r.ID
			}
		}
		return refund != ""
	})
	if err != nil {
		return err
	}
	body := map[string]string{"rib": d.buyers[e.buyer].rib, "holder": d.buyers[e.buyer].name}
	return d.commit(ctx, d.buyerOf(e), "/v1/refunds/"+refund+"/account", body, nil)
}

func complain(d *day, ctx context.Context, e *errand) error {
	body := map[string]string{"reason": "damaged", "wish": "refund", "text": "Arrivé cassé."}
	if err := d.move(ctx, d.buyerOf(e), "/v1/orders/"+e.order+"/disputes", body); err != nil {
		return err
	}
	o, err := d.player.order(ctx, d.buyerOf(e), e.order)
	if err == nil && o.Case == nil {
		err = fmt.Errorf("order %s shows no case", e.order)
	}
	if err == nil {
		e.caseID = o.Case.ID
	}
	return err
}

func ruleShared(d *day, ctx context.Context, e *errand) error { return d.rules(ctx, e, e.part) }
func ruleBuyer(d *day, ctx context.Context, e *errand) error  { return d.rules(ctx, e, 100) }
func ruleSeller(d *day, ctx context.Context, e *errand) error { return d.rules(ctx, e, 0) }

// rules has the seller answer and an agent share what is held.
func (d *day) rules(ctx context.Context, e *errand, hundredths int) error {
	at := "/v1/disputes/" + e.caseID
	if err := d.commit(ctx, d.sellerOf(e), at+"/reply", map[string]string{"text": "Le carton était intact au départ."}, nil); err != nil {
		return err
	}
	o, err := d.player.order(ctx, d.operator(), e.order)
	if err != nil {
		return err
	}
	back := o.Escrow.Held
	if hundredths < 100 {
		back = share(o.Totals.Goods, hundredths)
	}
	body := map[string]any{"refund": mad(back.Amount()), "release": mad(o.Escrow.Held.Sub(back).Amount()), "reason": "D’après les photos."}
	return d.commit(ctx, d.operator(), at+"/rule", body, nil)
}

func contestIt(d *day, ctx context.Context, e *errand) (err error) {
	e.caseID, err = d.contest(ctx, e.rec.Charge.ID, e.order)
	return err
}

func win(d *day, ctx context.Context, e *errand) error {
	return d.verdict(ctx, e.caseID, e.order, "won")
}

func lose(d *day, ctx context.Context, e *errand) error {
	return d.verdict(ctx, e.caseID, e.order, "lost")
}

func contestAndLose(d *day, ctx context.Context, e *errand) error {
	if err := contestIt(d, ctx, e); err != nil {
		return err
	}
	return lose(d, ctx, e)
}

// collects has the carrier take cash at the door.
func (d *day) collects(ctx context.Context, e *errand, sum moneyView, remits bool) error {
	d.came(onDelivery, sum)
	if remits {
		d.mu.Lock()
		d.remit = append(d.remit, e.order)
		d.mu.Unlock()
	}
	return d.commit(ctx, d.sellerOf(e), "/v1/orders/"+e.order+"/collect", map[string]any{"amount": mad(sum.Amount())}, nil)
}

func collectAll(d *day, ctx context.Context, e *errand) error {
	if err := collectQuietly(d, ctx, e); err != nil {
		return err
	}
	return accept(d, ctx, e)
}

func collectQuietly(d *day, ctx context.Context, e *errand) error {
	return d.collects(ctx, e, e.rec.Orders[0].Totals.Total, true)
}

func collectPart(d *day, ctx context.Context, e *errand) error {
	t := e.rec.Orders[0].Totals
	if err := d.collects(ctx, e, t.Total.Sub(share(t.Goods, e.part)), true); err != nil {
		return err
	}
	return accept(d, ctx, e)
}

func collectAndKeep(d *day, ctx context.Context, e *errand) error {
	if err := d.collects(ctx, e, e.rec.Orders[0].Totals.Total, false); err != nil {
		return err
	}
	return accept(d, ctx, e)
}

func refuseAtDoor(d *day, ctx context.Context, e *errand) error {
	return d.commit(ctx, d.sellerOf(e), "/v1/orders/"+e.order+"/refuse", map[string]string{"reason": "absent"}, nil)
}

// writeOff has two people give up what the carrier keeps of an order's cash.
func writeOff(d *day, ctx context.Context, e *errand) error {
	var asked struct{ Approval string }
	body := map[string]string{"reason": "Le sac a été volé, la plainte est déposée (exemple)."}
	if err := d.commit(ctx, d.operator(), "/v1/cash/"+e.order+"/write-off", body, &asked); err != nil {
		return err
	}
	return d.commit(ctx, d.second(), "/v1/approvals/"+asked.Approval, map[string]string{"decision": "approve"}, nil)
}

// arrives waits until an errand's orders have come to the end that was meant.
func (d *day) arrives(ctx context.Context, e *errand) error {
	for _, o := range e.rec.Orders {
		last := ""
		err := within(ctx, time.Minute, "", func() (bool, error) {
			v, err := d.player.order(ctx, d.operator(), o.ID)
			last = v.State
			return last == e.ends, err
		})
		if errors.Is(err, errWaited) {
			err = fmt.Errorf("order %s (%s, %s) ends %s, not %s", o.ID, e.way, e.name, last, e.ends)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
