package main

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// deliver has each cooperative accept and ship. The buyer confirms the first
// parcel; the second is proved with the delivery code and then confirmed.
func (p *player) deliver(ctx context.Context, shops []*shop, _ string) error {
	for _, s := range shops {
		if err := p.move(ctx, s.key, "/v1/orders/"+s.order+"/accept", nil); err != nil {
			return err
		}
		if err := p.move(ctx, s.key, "/v1/orders/"+s.order+"/ship", map[string]string{"carrier": "Messagerie exemple", "tracking": "EX-" + s.order[len(s.order)-6:]}); err != nil {
			return err
		}
	}
	p.step("both cooperatives accept and ship")
	buyer := p.keys.Buyer.APIKey
	o, err := p.order(ctx, buyer, shops[1].order)
	if err != nil {
		return err
	}
	if err := p.move(ctx, shops[1].key, "/v1/orders/"+o.ID+"/deliver", map[string]string{"code": o.Delivery.Code}); err != nil {
		return err
	}
	p.step("the second parcel is proved with the buyer's code")
	for _, s := range shops {
		if err := p.commit(ctx, buyer, "/v1/orders/"+s.order+"/receive", nil, nil); err != nil {
			return err
		}
	}
	for _, s := range shops {
		o, err := p.order(ctx, buyer, s.order)
		if err != nil {
			return err
		}
		if o.State != "completed" || o.Escrow.State != "released" || !o.Escrow.Held.IsZero() {
			return fmt.Errorf("order %s is %s and its escrow %s", o.ID, o.State, o.Escrow.State)
		}
	}
	p.step("the buyer confirms both; each escrow is released")
	return nil
}

// payOut has both cooperatives ask for their money and waits until the bank's
// statement shows it.
func (p *player) payOut(ctx context.Context, shops []*shop, charge string) error {
	err := until(ctx, "the acquirer's settlement", func() (bool, error) {
		var c struct{ Settled bool }
		return c.Settled, p.get(ctx, p.keys.Buyer.APIKey, "/v1/charges/"+charge, &c)
	})
	if err != nil {
		return err
	}
	p.step("the acquirer settles, less its fee; the statement is read and matched")
	for _, s := range shops {
		var out struct{ ID string }
		if err := p.commit(ctx, s.key, "/v1/payouts", nil, &out); err != nil {
			return err
		}
		s.payout = out.ID
	}
	p.step("both ask for a payout")
	for _, s := range shops {
		if err := p.payoutIs(ctx, s.key, s.payout, "paid"); err != nil {
			return err
		}
	}
	p.step("one file of payouts went to the bank, and its statement shows them paid")
	return nil
}

// reckon adds up what happened and compares it with what the partners themselves
// say they did.
func (p *player) reckon(ctx context.Context, shops []*shop, charge string) (f figures, err error) {
	var ch struct{ Amount moneyView }
	if err := p.get(ctx, p.keys.Buyer.APIKey, "/v1/charges/"+charge, &ch); err != nil {
		return f, err
	}
	var released, paid, fees, vat, delivery moneyView
	for _, s := range shops {
		o, err := p.order(ctx, p.keys.Operator.APIKey, s.order)
		if err != nil {
			return f, err
		}
		released = released.Add(o.Escrow.Released)
		var out struct {
			Amount moneyView
			Ref    string
		}
		if err := p.get(ctx, s.key, "/v1/payouts/"+s.payout, &out); err != nil {
			return f, err
		}
		paid = paid.Add(out.Amount)
		fee, tax, carrier, err := p.shares(ctx, s.order)
		if err != nil {
			return f, err
		}
		fees, vat, delivery = fees.Add(fee), vat.Add(tax), delivery.Add(carrier)
		if err := p.once(ctx, out.Ref, "payout", out.Amount); err != nil {
			return f, err
		}
		f.Matched++
	}
	if err := p.once(ctx, refOf(charge), "capture", ch.Amount); err != nil {
		return f, err
	}
	f.Matched++
	if sum := paid.Add(fees).Add(vat).Add(delivery); !ch.Amount.Equal(released) || !released.Equal(sum) {
		return f, fmt.Errorf("charged %s, released %s, accounted for %s", ch.Amount, released, sum)
	}
	f.Orders, f.Charged, f.Released, f.PaidOut = len(shops), ch.Amount.Amount(), released.Amount(), paid.Amount()
	f.Fees, f.VAT, f.Delivery = fees.Amount(), vat.Amount(), delivery.Amount()
	return f, nil
}

// shares reads from the books how an order's release was shared.
func (p *player) shares(ctx context.Context, order string) (fee, vat, carrier moneyView, err error) {
	var list struct {
		Data []struct {
			Kind string
			Legs []struct {
				Account string
				Amount  moneyView
			}
		}
	}
	if err := p.get(ctx, p.keys.Operator.APIKey, "/v1/ledger/transfers?account="+url.QueryEscape("escrow:"+order), &list); err != nil {
		return fee, vat, carrier, err
	}
	for _, t := range list.Data {
		if t.Kind != "escrow.release" {
			continue
		}
		for _, l := range t.Legs {
			switch {
			case l.Account == "fees":
				fee = fee.Add(l.Amount)
			case l.Account == "payable:vat":
				vat = vat.Add(l.Amount)
			case strings.HasPrefix(l.Account, "payable:carrier:"):
				carrier = carrier.Add(l.Amount)
			}
		}
	}
	return fee, vat, carrier, nil
}

// once checks the partner's own truth: it executed the reference once, with our
// amount.
func (p *player) once(ctx context.Context, ref, kind string, amount moneyView) error {
	truth, err := p.truth(ctx, ref)
	if err != nil {
		return err
	}
	n := 0
	for _, e := range truth {
		if e.Kind == kind && e.Amount.Equal(amount) {
			n++
		} else if e.Kind == kind {
			return fmt.Errorf("the partner executed %s of %s as %s, not %s", kind, ref, e.Amount, amount)
		}
	}
	if n != 1 {
		return fmt.Errorf("the partner executed %s of %s %d times: %v", kind, ref, n, truth)
	}
	return nil
}

// violations asks for a proof of every promise made after now.
func (p *player) violations(ctx context.Context) (n int, err error) {
	began := time.Now()
	err = until(ctx, "the proof of the promises", func() (bool, error) {
		var g struct {
			Invariants []struct {
				ID, Promise string
				Violations  int
			}
			CheckedAt time.Time `json:"checked_at"`
		}
		if err := p.get(ctx, "", "/v1/guarantees", &g); err != nil {
			return false, err
		}
		n = 0
		for _, v := range g.Invariants {
			if v.Violations > 0 {
				p.step("%s is broken %d times: %s", v.ID, v.Violations, v.Promise)
			}
			n += v.Violations
		}
		return time.Since(began) > 6*time.Second || g.CheckedAt.After(began), nil
	})
	return n, err
}
