package certify

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"tiwiza/adapters/card"
	"tiwiza/pkg/money"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/strict"
)

const cardPath = "/card/v1"

type (
	// cardSteps are the steps of acquirers.
	cardSteps struct {
		Page       *pageStep      `yaml:"page"`
		Buyer      *buyerStep     `yaml:"buyer"`
		Pay        *pageStep      `yaml:"pay"`
		Payment    *movedStep     `yaml:"payment"`
		Capture    *moveStep      `yaml:"capture"`
		Void       *moveStep      `yaml:"void"`
		Refund     *moveStep      `yaml:"refund"`
		Card       *struct{}      `yaml:"card"`
		Purchases  *purchasesStep `yaml:"purchases"`
		Chargeback *againStep     `yaml:"chargeback"`
	}
	pageStep struct {
		As     string `yaml:"as"`
		Of     string `yaml:"of"` // a payment whose page was asked for before, instead of a new one
		Amount string `yaml:"amount"`
		Wrong  string `yaml:"wrong"` // secret, altered, unsigned; expired, soon; amount, ref, return_url, text
		Status []int  `yaml:"status"`
		Code   string `yaml:"code"`
	}
	buyerStep struct {
		Of     string `yaml:"of"`
		Late   bool   `yaml:"late"` // once the page's time is over
		Status int    `yaml:"status"`
		Code   string `yaml:"code"`
	}
	purchasesStep struct {
		Payments int `yaml:"payments"`
		Voids    int `yaml:"voids"`
		Refunds  int `yaml:"refunds"`
	}
)

// charge does a step of acquirers, if it is one.
func (r *runner) charge(ctx context.Context, s cardSteps) (done bool, err error) {
	switch {
	case s.Page != nil:
		return true, r.page(ctx, *s.Page)
	case s.Buyer != nil:
		return true, r.buyer(ctx, *s.Buyer)
	case s.Pay != nil:
		return true, r.pays(ctx, *s.Pay)
	case s.Payment != nil:
		return true, r.moved(ctx, *s.Payment)
	case s.Capture != nil:
		return true, r.order(ctx, "capture", *s.Capture)
	case s.Void != nil:
		return true, r.order(ctx, "void", *s.Void)
	case s.Refund != nil:
		return true, r.order(ctx, "refund", *s.Refund)
	case s.Card != nil:
		return true, r.byCard(ctx)
	case s.Purchases != nil:
		return true, r.purchases(ctx, *s.Purchases)
	case s.Chargeback != nil:
		return true, r.chargeback(ctx, s.Chargeback.Of)
	}
	return false, nil
}

// newPayment is a payment by card, which is asked for by its reference.
func (r *runner) newPayment(amount money.Money) *deal {
	d := r.newDeal("payment", "")
	d.amount, d.noun, d.at, d.hear = amount, "payment", cardPath+"/payments/"+d.ref, (*deal).stood
	d.line = func(d *deal) (money.Money, bool) {
		captured, _, _ := d.owed()
		return captured, d.state == "settled" || d.state == "refunded"
	}
	r.dealings = append(r.dealings, d)
	return d
}

// newOrder is a capture, a void or a refund of a payment.
func (r *runner) newOrder(kind string, of *deal, amount money.Money) *deal {
	d := r.newDeal(kind, of.at+"/"+kind+"s")
	d.of, d.amount = of, amount
	d.hear = func(_ *deal, body []byte) error { return of.stood(body) }
	d.line = func(d *deal) (money.Money, bool) { return d.amount.Neg(), kind == "refund" }
	of.under = append(of.under, d)
	r.dealings = append(r.dealings, d)
	return d
}

// buyer has a buyer type a card on a page.
func (r *runner) buyer(ctx context.Context, s buyerStep) error {
	d, err := r.dealt(s.Of)
	if err != nil {
		return err
	}
	want := []int{cmp.Or(s.Status, 200)}
	if s.Late {
		want = []int{http.StatusNotFound, http.StatusGone} // whoever was slow to show it has not opened it
		if err := sleep(ctx, d.until.Add(time.Second).Sub(r.o.Now())); err != nil {
			return err
		}
	}
	a, err := r.call(ctx, http.MethodPost, cardPath+"/sandbox/buyers", "", "", []byte(`{"ref":"`+d.ref+`"}`))
	if err != nil {
		return err
	}
	d.counts = d.counts || a.Status == 200
	return is("the sandbox's buyer", a, want, s.Code)
}

// pays is a page and a buyer on it.
func (r *runner) pays(ctx context.Context, s pageStep) error {
	s.Status = []int{200, 303}
	if err := r.page(ctx, s); err != nil {
		return err
	}
	return r.buyer(ctx, buyerStep{Of: cmp.Or(s.Of, s.As)})
}

// order sends a capture, a void or a refund.
func (r *runner) order(ctx context.Context, kind string, s moveStep) error {
	amount, err := money.Parse(s.Amount, money.MAD)
	if err != nil {
		return err
	}
	of, err := r.dealt(s.Of)
	if err != nil {
		return err
	}
	d := r.newOrder(kind, of, amount)
	ref := d.ref
	switch s.Wrong {
	case "of":
		d.path = cardPath + "/payments/CERTIFY-NONE/" + kind + "s"
	case "amount":
		amount = amount.Neg()
	case "key":
		ref = "ANOTHER"
	}
	d.body, err = json.Marshal(struct {
		Ref    string      `json:"ref"`
		Amount money.Money `json:"amount"`
	}{ref, amount})
	if s.Wrong == "text" {
		d.body = []byte("{")
	}
	if err != nil {
		return err
	}
	r.deals[s.As] = d
	return r.send(ctx, d, s.how)
}

// owed is what stands of a payment by what was done with it.
func (d *deal) owed() (captured, refunded money.Money, voided bool) {
	captured, refunded = money.Dirhams(0), money.Dirhams(0)
	for _, o := range d.under {
		switch {
		case !o.counts:
		case o.kind == "capture":
			captured = o.amount
		case o.kind == "refund":
			refunded = refunded.Add(o.amount)
		default:
			voided = true
		}
	}
	if voided {
		captured = money.Dirhams(0)
	}
	return captured, refunded, voided
}

// may are the states that a payment may be in by what was done with it, and by where
// it was before.
func (d *deal) may() []string {
	captured, refunded, voided := d.owed()
	switch {
	case voided:
		return []string{"voided"}
	case captured.Sign() == 0 && d.state == "authorized":
		return []string{"authorized"}
	case captured.Sign() == 0:
		return []string{"authorized", "declined"}
	case refunded.Equal(captured):
		return []string{"refunded"}
	case refunded.Sign() > 0 || d.state == "settled":
		return []string{"settled"}
	}
	return []string{"captured", "settled"}
}

// stood says what is wrong with what an acquirer says of a payment, and keeps the rest.
func (d *deal) stood(body []byte) error {
	var told struct {
		ID       string       `json:"id"`
		Ref      string       `json:"ref"`
		State    string       `json:"state"`
		Amount   *money.Money `json:"amount"`
		Captured *money.Money `json:"captured"`
		Refunded *money.Money `json:"refunded"`
		Reason   string       `json:"reason"`
	}
	if err := strict.Object(body, &told); err != nil {
		return fmt.Errorf("the answer about a payment: %w", err)
	}
	captured, refunded, _ := d.owed()
	switch {
	case told.Ref != d.ref:
		return fmt.Errorf("the answer speaks of the payment %q, want %q", told.Ref, d.ref)
	case told.ID == "":
		return fmt.Errorf("the answer about the payment %s has no id", d.ref)
	case d.id != "" && told.ID != d.id:
		return fmt.Errorf("the payment %s is %q, and was %q", d.ref, told.ID, d.id)
	case told.Amount == nil || !told.Amount.Equal(d.amount):
		return fmt.Errorf("the payment %s is of %v, want %s", d.ref, told.Amount, d.amount)
	case told.Captured == nil || !told.Captured.Equal(captured):
		return fmt.Errorf("of the payment %s of %s, %v is captured, want %s", d.ref, d.amount, told.Captured, captured)
	case told.Refunded == nil || !told.Refunded.Equal(refunded):
		return fmt.Errorf("of the payment %s of %s, %v is given back, want %s", d.ref, d.amount, told.Refunded, refunded)
	case !slices.Contains(d.may(), told.State):
		return fmt.Errorf("the payment %s of %s, of which %s was captured and %s given back, is %q, want one of %v", d.ref, d.amount, captured, refunded, told.State, d.may())
	case told.State == "declined" && !slices.Contains([]string{"funds", "not_authenticated", "expired", "blocked", "refused"}, told.Reason):
		return fmt.Errorf("the payment %s is declined with the reason %q, which is none of the protocol's", d.ref, told.Reason)
	}
	d.id, d.state, d.reason = told.ID, told.State, told.Reason
	return nil
}

// byCard takes, lets go and gives back through the hub's own driver.
func (r *runner) byCard(ctx context.Context) error {
	if r.acquirer == nil {
		return errUnread
	}
	authorized := func(amount string) (*deal, error) {
		d := r.newPayment(money.MustParse(amount, money.MAD))
		r.deals[amount] = d
		if err := r.pace.Wait(ctx); err != nil {
			return d, err
		}
		if st := r.acquirer.Query(ctx, d.ref); st.Outcome != outbound.NotFound {
			return d, because("a payment that nobody was asked for", st.Result)
		}
		if err := r.pays(ctx, pageStep{Of: amount, Amount: amount}); err != nil {
			return d, err
		}
		return d, r.agrees(ctx, d, outbound.Accepted)
	}
	through := func(d *deal, move func(context.Context, card.Order) outbound.Result) error {
		for range 2 {
			if err := r.pace.Wait(ctx); err != nil {
				return err
			}
			if res := move(ctx, card.Order{Ref: d.ref, Of: d.of.ref, Amount: d.amount}); res.Outcome != outbound.Succeeded {
				return because("a "+d.kind, res)
			}
		}
		d.counts = true
		return nil
	}
	taken, err := authorized("25.00")
	if err == nil {
		err = through(r.newOrder("capture", taken, money.MustParse("20.00", money.MAD)), r.acquirer.Capture)
	}
	if err == nil {
		err = r.agrees(ctx, taken, outbound.Succeeded)
	}
	if err == nil {
		err = r.dayEnd(ctx)
	}
	for _, back := range []string{"12.00", "8.00"} {
		if err == nil {
			err = through(r.newOrder("refund", taken, money.MustParse(back, money.MAD)), r.acquirer.Refund)
		}
		if err == nil {
			err = r.agrees(ctx, taken, outbound.Succeeded)
		}
	}
	if err != nil {
		return err
	}
	left, err := authorized("35.00")
	if err == nil {
		err = through(r.newOrder("void", left, left.amount), r.acquirer.Void)
	}
	if err == nil {
		err = r.agrees(ctx, left, outbound.Declined)
	}
	return err
}

// agrees asks where a payment stands by the hub's own driver.
func (r *runner) agrees(ctx context.Context, d *deal, want outbound.Outcome) error {
	if err := r.pace.Wait(ctx); err != nil {
		return err
	}
	st := r.acquirer.Query(ctx, d.ref)
	if st.Outcome != want {
		return because("the payment "+d.ref, st.Result)
	}
	return d.stood(st.Evidence)
}

// chargeback waits until the acquirer tells that a payment was taken back.
func (r *runner) chargeback(ctx context.Context, of string) error {
	d, err := r.dealt(of)
	if err != nil {
		return err
	}
	if r.o.Listen == "" { // the hub believes what is told of chargebacks
		return errors.New("chargebacks are declared, and must be seen: have the connector send its events, and give --events")
	}
	for deadline := r.o.Now().Add(10 * time.Second); ; {
		e, err := r.next(ctx, max(deadline.Sub(r.o.Now()), 0))
		if err != nil {
			return fmt.Errorf("the chargeback of %s: %w", d.ref, err)
		}
		c, err := r.acquirer.Case(e.Body)
		switch {
		case err != nil || c.Ref != d.ref: // of something else
			continue
		case c.State != card.CaseOpened || c.Amount.Centimes() > d.amount.Centimes():
			return fmt.Errorf("the chargeback of %s of %s is %s, of %s", d.ref, d.amount, c.State, c.Amount)
		}
		back := r.newDeal("chargeback", "")
		back.ref, back.amount, back.fee, back.counts = c.ID, c.Amount, &c.Fee, true
		back.line = func(d *deal) (money.Money, bool) { return d.amount.Neg(), true }
		r.dealings = append(r.dealings, back)
		return nil
	}
}

// purchases pays, captures, lets go and gives back amounts that nobody chose.
func (r *runner) purchases(ctx context.Context, s purchasesStep) error {
	ok := how{Status: []int{200, 201}}
	var settled []string
	for n := range s.Payments {
		c := 1 + r.random.Int64N(50_000)
		if c%100 == 3 || c%100 == 7 { // whose answers are lost, and what is taken back: asked about elsewhere
			c++
		}
		name, amount := fmt.Sprint("p", n), money.Dirhams(c)
		if err := r.pays(ctx, pageStep{As: name, Amount: amount.Amount()}); err != nil {
			return err
		}
		d := r.deals[name]
		if err := r.until(ctx, d, func() bool { return true }); err != nil {
			return err
		}
		if d.state != "authorized" || n%9 == 8 { // some are left as they are
			continue
		}
		if void := n < s.Voids; !void || n%2 == 0 {
			part := money.Dirhams(c - r.random.Int64N(c)*int64(n%2))
			if err := r.order(ctx, "capture", moveStep{As: name + "c", Of: name, Amount: part.Amount(), how: ok}); err != nil {
				return err
			}
			if !void {
				settled = append(settled, name)
				continue
			}
		}
		if err := r.order(ctx, "void", moveStep{As: name + "v", Of: name, Amount: amount.Amount(), how: ok}); err != nil {
			return err
		}
	}
	if err := r.dayEnd(ctx); err != nil {
		return err
	}
	for n, name := range settled[:min(s.Refunds, len(settled))] {
		captured, _, _ := r.deals[name].owed()
		part := money.Dirhams(captured.Centimes() - r.random.Int64N(captured.Centimes())*int64(n%2))
		if err := r.order(ctx, "refund", moveStep{As: name + "r", Of: name, Amount: part.Amount(), how: ok}); err != nil {
			return err
		}
	}
	return nil
}
