package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"tiwiza/pkg/money"
)

// ways are the amounts that went otherwise than in the main job.
type ways struct {
	Transferred string `json:"transferred"`
	Cash        string `json:"cash"`
	Refused     string `json:"refused"`      // at the door: a parcel that was to be paid for in cash
	GivenBack   string `json:"given_back"`   // by cooperatives, and by rulings on disputes
	SentBack    string `json:"sent_back"`    // for goods that a buyer thought better of
	ChargedBack string `json:"charged_back"` // by a buyer's bank, after the release
	Recovered   string `json:"recovered"`    // of that, from the cooperative's next sale
	Returned    string `json:"returned"`     // a payout, days after it was paid
	Helped      string `json:"helped"`       // to a cooperative by the market, for what a promotion took off its goods
	Grouped     string `json:"grouped"`      // back to buyers: of a group that reached a lower price, and one that missed its minimum
}

// An outing plays one way, and tells of it when it is over.
type outing struct {
	*player
	seller *shop
	buyer  string
	told   bytes.Buffer
}

// otherWays plays what the main job does not: each way at once with the others
// and with a cooperative's own money, so that none disturbs another; then three
// days pass.
func (p *player) otherWays(ctx context.Context, shops []*shop, mark string, turn *turn) (w ways, err error) {
	gamma := &shop{name: "Coopérative Gamma " + mark + " (exemple)", rib: closingRIB()}
	if err := p.enrol(ctx, gamma, 2); err != nil {
		return w, fmt.Errorf("enrol %s: %w", gamma.name, err)
	}
	if err := p.stock(ctx, gamma, mark, 2); err != nil {
		return w, fmt.Errorf("import the offers of %s: %w", gamma.name, err)
	}
	alpha, beta := shops[0], shops[1]
	var given [3]moneyView
	var later struct{ payout, parcel, dispute string }
	var cheaper moneyView
	var missed gathering
	err = p.atOnce(
		p.outing(alpha, func(o *outing) (err error) { w.Transferred, err = o.transfer(ctx); return err }),
		p.outing(alpha, func(o *outing) (err error) { w.Cash, err = o.cash(ctx); return err }),
		p.outing(alpha, func(o *outing) (err error) { w.Refused, err = o.refused(ctx); return err }),
		p.outing(alpha, func(o *outing) (err error) { given[0], err = o.goodwill(ctx); return err }),
		p.outing(alpha, func(o *outing) (err error) { given[1], err = o.cancelled(ctx); return err }),
		p.outing(alpha, func(o *outing) (err error) { given[2], err = o.ruled(ctx); return err }),
		p.outing(alpha, func(o *outing) (err error) { w.SentBack, err = o.sentBack(ctx); return err }),
		p.outing(beta, func(o *outing) (err error) { w.ChargedBack, w.Recovered, err = o.chargedBack(ctx); return err }),
		p.outing(gamma, func(o *outing) (err error) { later.payout, w.Returned, err = o.paidToClosing(ctx); return err }),
		p.outing(gamma, func(o *outing) (err error) { later.parcel, err = o.left(ctx); return err }),
		p.outing(alpha, func(o *outing) (err error) { later.dispute, err = o.unanswered(ctx); return err }),
		p.outing(alpha, func(o *outing) (err error) { cheaper, err = o.grouped(ctx); return err }),
		p.outing(alpha, func(o *outing) (err error) { missed, err = o.tooFew(ctx); return err }),
		p.outing(alpha, func(o *outing) (err error) { w.Helped, err = o.helped(ctx); return err }),
	)
	if err != nil {
		return w, err
	}
	w.GivenBack = given[0].Add(given[1]).Add(given[2]).Amount()
	if err := turn.alone(ctx, func() error { return p.pass(ctx, 73*time.Hour) }); err != nil {
		return w, fmt.Errorf("move the clock: %w", err)
	}
	p.step("the clock is moved: three days pass")
	if err := p.threeDaysOn(ctx, gamma, later.payout, later.parcel, later.dispute); err != nil {
		return w, err
	}
	w.Grouped = cheaper.Add(missed.paid).Amount()
	return w, p.fellThrough(ctx, missed)
}

// closingRIB is the RIB of an account that the stand-in bank plays as being closed.
func closingRIB() string {
	rib := number(24, 97)
	return keyed(rib[:20]+"77", 97)
}

func (p *player) outing(s *shop, play func(*outing) error) func() (string, error) {
	return func() (string, error) {
		o := &outing{seller: s, buyer: p.keys.Buyer.APIKey}
		own := *p
		own.say = &o.told
		o.player = &own
		err := play(o)
		return o.told.String(), err
	}
}

// atOnce plays all at the same time, and says what each told as soon as it is
// over.
func (p *player) atOnce(plays ...func() (string, error)) (err error) {
	type end struct {
		told string
		err  error
	}
	ends := make(chan end)
	for _, play := range plays {
		go func() { told, err := play(); ends <- end{told, err} }()
	}
	for range plays {
		e := <-ends
		fmt.Fprint(p.say, e.told)
		err = errors.Join(err, e.err)
	}
	return err
}

// orders has the buyer order one of the seller's first offer.
func (o *outing) orders(ctx context.Context, way string) (receipt, string, error) {
	r, err := o.buys(ctx, purchase{buyer: o.buyer, way: way, lines: map[string]int{o.seller.variants[0]: 1}})
	if err != nil {
		return r, "", err
	}
	return r, r.Orders[0].ID, nil
}

// sells has the buyer order and pay by card.
func (o *outing) sells(ctx context.Context) (receipt, string, error) {
	r, order, err := o.orders(ctx, "card")
	if err != nil {
		return r, order, err
	}
	if err := o.paysBy(ctx, r, goodCard); err != nil {
		return r, order, err
	}
	return r, order, o.isPaid(ctx, o.buyer, order)
}

// released waits until an order is completed and nothing of it is held.
func (o *outing) released(ctx context.Context, order string) error {
	return o.reaches(ctx, o.buyer, order, "the release of "+order, func(v orderView) bool {
		return v.State == "completed" && v.Escrow.State == "released" && v.Escrow.Held.IsZero()
	})
}

func (o *outing) transfer(ctx context.Context) (string, error) {
	r, order, err := o.orders(ctx, "transfer")
	if err != nil {
		return "", fmt.Errorf("by transfer: %w", err)
	}
	t := r.Charge.NextAction.Transfer
	if t == nil {
		return "", fmt.Errorf("the charge %s tells nobody where to transfer to", r.Charge.ID)
	}
	if err := o.credit(ctx, r.Charge.Amount, "VIREMENT "+t.Reference, "ACHETEUR EXEMPLE", true); err != nil {
		return "", err
	}
	if err := o.isPaid(ctx, o.buyer, order); err != nil {
		return "", err
	}
	if err := o.sends(ctx, o.seller.key, order); err != nil {
		return "", err
	}
	if err := o.accepts(ctx, o.buyer, order); err != nil {
		return "", err
	}
	o.step("by transfer: %s came with the reference %s, found on the bank's statement; delivered and released", r.Charge.Amount, t.Reference)
	return r.Charge.Amount.Amount(), o.released(ctx, order)
}

func (o *outing) cash(ctx context.Context) (string, error) {
	r, order, err := o.orders(ctx, "cash_on_delivery")
	if err != nil {
		return "", fmt.Errorf("in cash: %w", err)
	}
	at := "/v1/orders/" + order
	if err := o.move(ctx, o.buyer, at+"/confirm", nil); err != nil {
		return "", err
	}
	if err := o.sends(ctx, o.seller.key, order); err != nil {
		return "", err
	}
	sum := r.Orders[0].Totals.Total
	if err := o.commit(ctx, o.seller.key, at+"/collect", map[string]any{"amount": mad(sum.Amount())}, nil); err != nil {
		return "", err
	}
	if err := o.accepts(ctx, o.buyer, order); err != nil {
		return "", err
	}
	var list struct {
		Reference string
		Net       moneyView
	}
	if err := o.commit(ctx, o.keys.Operator.APIKey, "/v1/remittances", map[string]any{"carrier": "demo", "orders": []string{order}}, &list); err != nil {
		return "", err
	}
	if err := o.credit(ctx, list.Net, "REMISE "+list.Reference, "TRANSPORTEUR EXEMPLE", false); err != nil {
		return "", err
	}
	o.step("in cash: the buyer confirms, the carrier collects %s and remits %s, less its fee; released only then", sum, list.Net)
	return sum.Amount(), o.released(ctx, order)
}

// refused brings a parcel that its buyer does not take, so that no cash moves.
func (o *outing) refused(ctx context.Context) (string, error) {
	r, order, err := o.orders(ctx, "cash_on_delivery")
	if err != nil {
		return "", fmt.Errorf("in cash, refused: %w", err)
	}
	at := "/v1/orders/" + order
	if err := o.move(ctx, o.buyer, at+"/confirm", nil); err != nil {
		return "", err
	}
	if err := o.sends(ctx, o.seller.key, order); err != nil {
		return "", err
	}
	if err := o.commit(ctx, o.seller.key, at+"/refuse", map[string]string{"reason": "refused"}, nil); err != nil {
		return "", err
	}
	err = o.reaches(ctx, o.buyer, order, "the end of "+order, func(v orderView) bool { return v.State == "refused" && v.Escrow.State == "voided" })
	if err != nil {
		return "", err
	}
	if err := o.commit(ctx, o.seller.key, at+"/take-back", map[string]any{}, nil); err != nil {
		return "", err
	}
	t := r.Orders[0].Totals
	o.step("in cash: a buyer refuses the parcel at the door, no money moves; it comes back and is on offer again, and the cooperative owes the carrier's %s", t.Delivery)
	return t.Total.Amount(), nil
}

func (o *outing) goodwill(ctx context.Context) (back moneyView, err error) {
	_, order, err := o.sells(ctx)
	if err != nil {
		return back, err
	}
	if err := o.sends(ctx, o.seller.key, order); err != nil {
		return back, err
	}
	back = money.Dirhams(20_00)
	body := map[string]any{"amount": mad(back.Amount()), "reason": "Un geste : la boîte est arrivée cabossée."}
	if err := o.commit(ctx, o.seller.key, "/v1/orders/"+order+"/refunds", body, nil); err != nil {
		return back, err
	}
	if err := o.isBack(ctx, order, back); err != nil {
		return back, err
	}
	if err := o.accepts(ctx, o.buyer, order); err != nil {
		return back, err
	}
	o.step("a cooperative gives %s back of its own will, commission included; the rest is released", back)
	return back, o.released(ctx, order)
}

// isBack waits until so much of an order is back with its buyer.
func (o *outing) isBack(ctx context.Context, order string, sum moneyView) error {
	return o.insists(ctx, "the refund of "+order, func() (bool, error) {
		v, err := o.order(ctx, o.buyer, order)
		got := money.Dirhams(0)
		for _, r := range v.Refunds {
			if r.State == "confirmed" {
				got = got.Add(r.Amount)
			}
		}
		return got.Equal(sum), err
	})
}

func (o *outing) cancelled(ctx context.Context) (back moneyView, err error) {
	r, order, err := o.sells(ctx)
	if err != nil {
		return back, err
	}
	if err := o.commit(ctx, o.buyer, "/v1/orders/"+order+"/cancel", map[string]string{"reason": "Plus besoin."}, nil); err != nil {
		return back, err
	}
	o.step("a buyer cancels before the parcel leaves: all %s go back to the card", r.Charge.Amount)
	return r.Charge.Amount, o.isBack(ctx, order, r.Charge.Amount)
}

// complains has the buyer say that something is wrong with a parcel.
func (o *outing) complains(ctx context.Context) (order, dispute string, err error) {
	_, order, err = o.sells(ctx)
	if err != nil {
		return "", "", err
	}
	if err := o.sends(ctx, o.seller.key, order); err != nil {
		return "", "", err
	}
	body := map[string]string{"reason": "damaged", "wish": "partial_refund", "text": "Le bouchon fuit."}
	if err := o.move(ctx, o.buyer, "/v1/orders/"+order+"/disputes", body); err != nil {
		return "", "", err
	}
	v, err := o.order(ctx, o.buyer, order)
	if err == nil && v.Case == nil {
		err = fmt.Errorf("order %s shows no case", order)
	}
	if err != nil {
		return "", "", err
	}
	return order, v.Case.ID, nil
}

func (o *outing) ruled(ctx context.Context) (back moneyView, err error) {
	order, dispute, err := o.complains(ctx)
	if err != nil {
		return back, err
	}
	at := "/v1/disputes/" + dispute
	if err := o.commit(ctx, o.seller.key, at+"/reply", map[string]string{"text": "Le carton était intact au départ."}, nil); err != nil {
		return back, err
	}
	v, err := o.order(ctx, o.buyer, order)
	if err != nil {
		return back, err
	}
	back = money.Dirhams(55_00)
	rest := v.Escrow.Held.Sub(back)
	body := map[string]any{"refund": mad(back.Amount()), "release": mad(rest.Amount()), "reason": "Les torts sont partagés."}
	if err := o.commit(ctx, o.keys.Operator.APIKey, at+"/rule", body, nil); err != nil {
		return back, err
	}
	o.step("a dispute is ruled: %s to the buyer, %s released, in one transfer", back, rest)
	return back, o.isBack(ctx, order, back)
}

// sentBack sells two of an article, of which the buyer sends one back without a
// reason; it is sold again.
func (o *outing) sentBack(ctx context.Context) (string, error) {
	article := o.seller.variants[1]
	r, err := o.buys(ctx, purchase{buyer: o.buyer, way: "card", lines: map[string]int{article: 2}})
	if err != nil {
		return "", err
	}
	if err := o.paysBy(ctx, r, goodCard); err != nil {
		return "", err
	}
	order := r.Orders[0].ID
	if err := o.isPaid(ctx, o.buyer, order); err != nil {
		return "", err
	}
	if err := o.sends(ctx, o.seller.key, order); err != nil {
		return "", err
	}
	v, err := o.order(ctx, o.buyer, order)
	if err != nil {
		return "", err
	}
	at := "/v1/orders/" + order
	if err := o.move(ctx, o.seller.key, at+"/deliver", map[string]string{"code": v.Delivery.Code}); err != nil {
		return "", err
	}
	one := []map[string]any{{"variant": article, "quantity": 1}}
	var ret struct {
		ID       string
		Refunded moneyView
	}
	if err := o.commit(ctx, o.buyer, at+"/returns", map[string]any{"lines": one, "reason": "withdrawal"}, &ret); err != nil {
		return "", err
	}
	at = "/v1/returns/" + ret.ID
	if err := o.commit(ctx, o.buyer, at+"/send", map[string]string{"carrier": "Messagerie exemple", "tracking": "RT-" + ret.ID[len(ret.ID)-6:]}, nil); err != nil {
		return "", err
	}
	if err := o.commit(ctx, o.seller.key, at+"/receive", map[string]any{"restock": one}, &ret); err != nil {
		return "", err
	}
	if err := o.isBack(ctx, order, ret.Refunded); err != nil {
		return "", err
	}
	o.step("a buyer thinks better of one article of two and sends it back: %s return, it is on offer again", ret.Refunded)
	return ret.Refunded.Amount(), nil
}

// chargedBack has a buyer's bank take a payment back after it was paid out: the
// cooperative owes it, and its next sale pays a part.
func (o *outing) chargedBack(ctx context.Context) (lost, recovered string, err error) {
	r, order, err := o.completes(ctx)
	if err != nil {
		return "", "", err
	}
	if _, err := o.isPaidOut(ctx, o.seller.key, ""); err != nil {
		return "", "", err
	}
	id, err := o.contest(ctx, r.Charge.ID, order)
	if err != nil {
		return "", "", err
	}
	if err := o.verdict(ctx, id, order, "lost"); err != nil {
		return "", "", err
	}
	before, err := o.balance(ctx, o.seller.key)
	if err != nil {
		return "", "", err
	}
	if before.Receivable.IsZero() {
		return "", "", fmt.Errorf("%s owes nothing after the chargeback of %s", o.seller.name, r.Charge.ID)
	}
	o.step("a buyer's bank takes %s back after the payout, and wins: the cooperative owes %s of it", r.Charge.Amount, before.Receivable)
	if _, _, err = o.completes(ctx); err != nil {
		return "", "", err
	}
	after, err := o.balance(ctx, o.seller.key)
	if err != nil {
		return "", "", err
	}
	part := before.Receivable.Sub(after.Receivable)
	if part.Sign() <= 0 {
		return "", "", fmt.Errorf("the next sale of %s recovered nothing of %s", o.seller.name, before.Receivable)
	}
	o.step("its next sale pays %s of the debt, half of its share; %s is left", part, after.Receivable)
	return r.Charge.Amount.Amount(), part.Amount(), nil
}

// completes sells, sends and has the buyer accept; the acquirer settles.
func (o *outing) completes(ctx context.Context) (r receipt, order string, err error) {
	if r, order, err = o.sells(ctx); err != nil {
		return r, order, err
	}
	if err := o.sends(ctx, o.seller.key, order); err != nil {
		return r, order, err
	}
	if err := o.accepts(ctx, o.buyer, order); err != nil {
		return r, order, err
	}
	return r, order, o.isSettled(ctx, r.Charge.ID)
}

// paidToClosing pays a cooperative whose bank account is being closed.
func (o *outing) paidToClosing(ctx context.Context) (payout, amount string, err error) {
	if _, _, err = o.completes(ctx); err != nil {
		return "", "", err
	}
	out, err := o.isPaidOut(ctx, o.seller.key, "")
	if err != nil {
		return "", "", err
	}
	o.step("a payout of %s goes to an account that is being closed: paid, says the statement", out.Amount)
	return out.ID, out.Amount.Amount(), nil
}

// left brings fresh goods with proof of delivery; their buyer says nothing.
func (o *outing) left(ctx context.Context) (string, error) {
	_, order, err := o.sells(ctx)
	if err != nil {
		return "", err
	}
	if err := o.sends(ctx, o.seller.key, order); err != nil {
		return "", err
	}
	v, err := o.order(ctx, o.buyer, order)
	if err != nil {
		return "", err
	}
	if err := o.move(ctx, o.seller.key, "/v1/orders/"+order+"/deliver", map[string]string{"code": v.Delivery.Code}); err != nil {
		return "", err
	}
	o.step("fresh cheese is delivered, its buyer says nothing: the money is held, 24 h for goods like these")
	return order, nil
}

// unanswered opens a dispute of which the seller says nothing.
func (o *outing) unanswered(ctx context.Context) (string, error) {
	order, _, err := o.complains(ctx)
	if err == nil {
		o.step("another buyer complains; the cooperative has 72 h to answer")
	}
	return order, err
}

// threeDaysOn sees what came by itself.
func (p *player) threeDaysOn(ctx context.Context, gamma *shop, payout, parcel, complaint string) error {
	buyer := p.keys.Buyer.APIKey
	err := p.reaches(ctx, buyer, parcel, "the release of "+parcel, func(v orderView) bool { return v.Escrow.State == "released" })
	if err != nil {
		return err
	}
	p.step("the cheese was not complained of: released by itself")
	err = p.insists(ctx, "the end of the dispute about "+complaint, func() (bool, error) {
		v, err := p.order(ctx, buyer, complaint)
		return v.Case == nil && len(v.Refunds) == 1 && v.Refunds[0].State == "confirmed", err
	})
	if err != nil {
		return err
	}
	p.step("the complaint was not answered: the buyer has the money back")
	if err := p.payoutIs(ctx, gamma.key, payout, "returned"); err != nil {
		return err
	}
	b, err := p.balance(ctx, gamma.key)
	if err != nil {
		return err
	}
	p.step("the bank sends the payout back: %s are %s’s again, and wait for another RIB", b.Available, strings.TrimSuffix(gamma.name, " (exemple)"))
	return nil
}
