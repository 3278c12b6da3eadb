package certify

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"tiwiza/adapters/wallet"
	"tiwiza/pkg/money"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/strict"
)

const walletPath = "/wallet/v1"

type (
	moveStep struct { // a payment, a reversal or a payout
		As     string `yaml:"as"`
		Of     string `yaml:"of"` // of a reversal: the payment
		Amount string `yaml:"amount"`
		Wrong  string `yaml:"wrong"` // phone, amount, of
		how    `yaml:",inline"`
	}
	trafficStep struct {
		Payments  int `yaml:"payments"`
		Reversals int `yaml:"reversals"`
		Payouts   int `yaml:"payouts"`
	}
)

// moveBody is what moves money, in this order of fields.
type moveBody struct {
	Ref    string      `json:"ref"`
	Phone  string      `json:"phone"`
	Amount money.Money `json:"amount"`
	Text   string      `json:"text"`
}

// sandboxPhone is a number that nobody has; a sandbox knows no phones.
const sandboxPhone = "+212600000000"

// The steps of wallets, if the step is one of them.
func (r *runner) moving(ctx context.Context, s Step) (done bool, err error) {
	switch {
	case s.Ask != nil:
		return true, r.moves(ctx, "payment", *s.Ask)
	case s.Reverse != nil:
		return true, r.moves(ctx, "reversal", *s.Reverse)
	case s.Payout != nil:
		return true, r.moves(ctx, "payout", *s.Payout)
	case s.Moved != nil:
		return true, r.moved(ctx, *s.Moved)
	case s.Wallet != nil:
		return true, r.byWallet(ctx)
	case s.Traffic != nil:
		return true, r.traffic(ctx, *s.Traffic)
	}
	return false, nil
}

// moves asks for money to be moved, as a step says.
func (r *runner) moves(ctx context.Context, kind string, s moveStep) error {
	amount, err := money.Parse(s.Amount, money.MAD)
	if err != nil {
		return err
	}
	path, phone := walletPath+"/"+kind+"s", sandboxPhone
	d := r.newMove(kind, path)
	if kind == "reversal" {
		if d.of, err = r.dealt(s.Of); err != nil {
			return err
		}
		id := d.of.id
		if s.Wrong == "of" {
			id = "certify-no-such-payment"
		}
		d.path = walletPath + "/payments/" + id + "/reversals"
	}
	d.amount = amount
	switch s.Wrong {
	case "phone":
		phone = "0522000000"
	case "amount":
		amount = amount.Neg()
	}
	if d.body, err = json.Marshal(moveBody{d.ref, phone, amount, "certify"}); err != nil {
		return err
	}
	r.deals[s.As] = d
	r.dealings = append(r.dealings, d)
	return r.send(ctx, d, s.how)
}

// newMove is a request, which is asked for by its reference.
func (r *runner) newMove(kind, path string) *deal {
	d := r.newDeal(kind, path)
	d.noun, d.at, d.hear, d.line = "request", walletPath+"/requests/"+d.ref, (*deal).moved, (*deal).moveLine
	return d
}

// moveLine is what a statement tells of a request.
func (d *deal) moveLine() (amount money.Money, want bool) {
	if d.kind != "payment" {
		return d.amount.Neg(), d.state == "completed"
	}
	return d.amount, d.state == "completed"
}

// request is what a wallet says of a request.
type request struct {
	ID     string       `json:"id"`
	Ref    string       `json:"ref"`
	Kind   string       `json:"kind"`
	State  string       `json:"state"`
	Amount *money.Money `json:"amount"`
	Reason string       `json:"reason"`
}

// moved says what is wrong with what a wallet says of a request, and keeps the rest.
// What it is, whose and for how much never changes; how it stands only goes forward.
func (d *deal) moved(body []byte) error {
	var told request
	if err := strict.Object(body, &told); err != nil {
		return fmt.Errorf("the answer about a %s: %w", d.kind, err)
	}
	switch {
	case told.Ref != d.ref:
		return fmt.Errorf("the answer speaks of the request %q, want %q", told.Ref, d.ref)
	case told.ID == "":
		return fmt.Errorf("the answer about the %s %s has no id", d.kind, d.ref)
	case d.id != "" && told.ID != d.id:
		return fmt.Errorf("the %s %s is %q, and was %q: it was done more than once", d.kind, d.ref, told.ID, d.id)
	case told.Kind != d.kind:
		return fmt.Errorf("the %s %s is called a %q", d.kind, d.ref, told.Kind)
	case told.Amount == nil || !told.Amount.Equal(d.amount):
		return fmt.Errorf("the %s %s is of %v, want %s", d.kind, d.ref, told.Amount, d.amount)
	case !slices.Contains([]string{"pending", "completed", "failed"}, told.State):
		return fmt.Errorf("the state %q is not one of the protocol's", told.State)
	case d.state != "" && d.state != "pending" && told.State != d.state:
		return fmt.Errorf("the %s %s is %s, and was %s", d.kind, d.ref, told.State, d.state)
	case told.State == "failed" && !slices.Contains([]string{"limit", "funds", "not_approved", "no_wallet", "refused"}, told.Reason):
		return fmt.Errorf("the %s %s failed with the reason %q, which is none of the protocol's", d.kind, d.ref, told.Reason)
	}
	d.id, d.state, d.reason = told.ID, told.State, told.Reason
	return nil
}

// byWallet takes a payment through the hub's own driver, and does with it what the
// manifest declares.
func (r *runner) byWallet(ctx context.Context) error {
	if r.wallet == nil {
		return errUnread
	}
	made := func(kind, amount string) *deal {
		d := r.newMove(kind, "")
		d.amount = money.MustParse(amount, money.MAD)
		r.dealings = append(r.dealings, d)
		return d
	}
	through := func(d *deal, move func() outbound.Result) error {
		if st := r.wallet.Query(ctx, d.ref, ""); st.Outcome != outbound.NotFound {
			return because("a "+d.kind+" that was not asked for", st.Result)
		}
		for range 2 {
			if res := move(); res.Outcome != outbound.Accepted && res.Outcome != outbound.Succeeded {
				return because("a "+d.kind, res)
			}
		}
		d.counts = true
		return r.completes(ctx, d)
	}
	pay := made("payment", "25.00")
	err := through(pay, func() outbound.Result {
		return r.wallet.Ask(ctx, wallet.Payment{Ref: pay.ref, Phone: sandboxPhone, Amount: pay.amount, Text: "certify"})
	})
	if err != nil {
		return err
	}
	if r.wallet.Reverses() {
		back := made("reversal", "10.00")
		err := through(back, func() outbound.Result {
			return r.wallet.Reverse(ctx, wallet.Refund{Ref: back.ref, Of: pay.id, Phone: sandboxPhone, Amount: back.amount, Text: "certify"})
		})
		if err != nil {
			return err
		}
	}
	if r.wallet.Pays() {
		out := made("payout", "12.00")
		return through(out, func() outbound.Result {
			return r.wallet.Pay(ctx, wallet.Refund{Ref: out.ref, Phone: sandboxPhone, Amount: out.amount, Text: "certify"})
		})
	}
	return nil
}

// completes waits until a request is completed for the hub's own driver.
func (r *runner) completes(ctx context.Context, d *deal) error {
	deadline := r.o.Now().Add(10 * time.Second)
	for {
		st := r.wallet.Query(ctx, d.ref, d.id)
		switch {
		case st.State == wallet.Completed && !st.Amount.Equal(d.amount):
			return fmt.Errorf("the %s of %s was made for %s", d.kind, d.amount, st.Amount)
		case st.State == wallet.Completed:
			d.id, d.state = st.PartnerID, string(st.State)
			return nil
		case st.State != wallet.Pending || r.o.Now().After(deadline):
			return because("the "+d.kind+" "+d.ref, st.Result)
		}
		if err := pause(ctx); err != nil {
			return err
		}
	}
}

// traffic moves amounts that nobody chose, of which some fail and some wait.
func (r *runner) traffic(ctx context.Context, s trafficStep) error {
	ok := how{Status: []int{200, 201}}
	amount := func(least int64) string { // none whose first answer is lost: the hub asks about those elsewhere
		c := least + r.random.Int64N(50_000)
		if c%100 == 3 {
			c++
		}
		return money.Dirhams(c).Amount()
	}
	for n := range s.Payments {
		name := fmt.Sprint("p", n)
		least := int64(1)
		if n < s.Reversals { // one that is sure to complete
			if err := r.moves(ctx, "payment", moveStep{As: name, Amount: fmt.Sprintf("%d.00", 100+r.random.Int64N(400)), how: ok}); err != nil {
				return err
			}
			continue
		}
		if err := r.moves(ctx, "payment", moveStep{As: name, Amount: amount(least), how: ok}); err != nil {
			return err
		}
	}
	c, _ := r.manifest.Speaks(capability(r.protocol))
	for n := range s.Reversals {
		if !c.Has("reversals") {
			break
		}
		if err := r.moved(ctx, movedStep{Of: fmt.Sprint("p", n), State: []string{"completed"}}); err != nil {
			return err
		}
		if err := r.moves(ctx, "reversal", moveStep{As: fmt.Sprint("r", n), Of: fmt.Sprint("p", n), Amount: fmt.Sprintf("%d.00", 1+r.random.Int64N(99)), how: ok}); err != nil {
			return err
		}
	}
	for n := range s.Payouts {
		if !c.Has("payouts") {
			break
		}
		if err := r.moves(ctx, "payout", moveStep{As: fmt.Sprint("o", n), Amount: amount(1), how: ok}); err != nil {
			return err
		}
	}
	return nil
}
