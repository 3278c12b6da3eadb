package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// hasSold is the key of a new cooperative whose sale was paid, delivered and
// settled.
func (p *player) hasSold(ctx context.Context) (key string, err error) {
	mark := strings.ToLower(rand.Text()[:6])
	s := &shop{name: "Coopérative Delta " + mark + " (exemple)"}
	if err := p.enrol(ctx, s, 0); err != nil {
		return "", fmt.Errorf("enrol %s: %w", s.name, err)
	}
	if err := p.stock(ctx, s, mark, 0); err != nil {
		return "", fmt.Errorf("import the offers of %s: %w", s.name, err)
	}
	o := &outing{player: p, seller: s, buyer: p.keys.Buyer.APIKey}
	r, order, err := o.sells(ctx)
	if err != nil {
		return "", err
	}
	if err := p.sends(ctx, s.key, order); err != nil {
		return "", err
	}
	if err := p.accepts(ctx, o.buyer, order); err != nil {
		return "", err
	}
	if err := o.released(ctx, order); err != nil {
		return "", err
	}
	p.step("%s sold something, which was delivered and settled", s.name)
	return s.key, p.isSettled(ctx, r.Charge.ID)
}

// insured is what an insurance moved, from its price to the insurer's statement.
type insured struct {
	Premium   string `json:"premium"`
	Indemnity string `json:"indemnity"`
	PaidOut   string `json:"paid_out"`  // to the cooperative's bank, by the bank's statement
	Statement int    `json:"statement"` // rows of the insurer's that agree with the books
	Breaks    int    `json:"breaks"`    // rows that do not
}

type insuranceView struct {
	ID, State, Why, Number string
	Starts                 time.Time
	Premium, Accepted      *moneyView
	Consents               []struct {
		Lang     string
		TextHash string `json:"text_hash"`
	}
	Matched int
	Breaks  []struct{ Detail string }
}

// products lets each product of the insurer's be sold that waits for an operator,
// and answers what is sold, by line.
func (p *player) products(ctx context.Context) (map[string]string, error) {
	op := p.keys.Operator.APIKey
	sold := map[string]string{}
	err := until(ctx, "the insurer's products", func() (bool, error) {
		var all struct {
			Data []struct{ ID, Line, State, Source string }
		}
		if err := p.get(ctx, op, "/v1/insurance/products?limit=100", &all); err != nil {
			return false, err
		}
		for _, v := range all.Data {
			if v.State == "offered" && v.Source == "insurer" {
				if err := p.commit(ctx, op, "/v1/insurance/products/"+v.ID+"/approve", map[string]string{}, nil); err != nil {
					if pr, ok := err.(*problem); !ok || pr.Status != http.StatusConflict {
						return false, err
					}
				}
			}
			if v.State == "approved" && v.Source == "insurer" {
				sold[v.Line] = v.ID
			}
		}
		return sold["stock"] != "" && sold["crop"] != "" && sold["health"] != "" && sold["parcel"] != "", nil
	})
	return sold, err
}

// takesOut has a member ask for a price, read it, agree and pay, and waits until
// the insurer has bound. A parcel is insured with the sale that it is of.
func (p *player) takesOut(ctx context.Context, member, product, sum, sale string) (v insuranceView, err error) {
	now, err := p.now(ctx)
	if err != nil {
		return v, err
	}
	ask := map[string]any{"product": product, "sum": mad(sum), "ends": now.AddDate(1, 0, 0)}
	if sale != "" {
		ask["order"], ask["ends"] = sale, now.AddDate(0, 0, 30)
	}
	var q insuranceView
	if err := p.commit(ctx, member, "/v1/insurance/quotes", ask, &q); err != nil {
		return v, err
	}
	err = p.insists(ctx, "the insurer's price", func() (bool, error) {
		err := p.get(ctx, member, "/v1/insurance/quotes/"+q.ID, &q)
		if err == nil && q.State == "refused" {
			err = fmt.Errorf("the quote %s is refused: %s", q.ID, q.Why)
		}
		return q.State == "open", err
	})
	if err != nil {
		return v, err
	}
	agreed := map[string]any{"quote": q.ID, "consent": map[string]string{"lang": q.Consents[0].Lang, "text_hash": q.Consents[0].TextHash}}
	if err := p.commit(ctx, member, "/v1/insurance/policies", agreed, &v); err != nil {
		return v, err
	}
	return v, p.insists(ctx, "the insurer to bind", func() (bool, error) {
		err := p.get(ctx, member, "/v1/insurance/policies/"+v.ID, &v)
		if err == nil && v.State == "refused" {
			err = fmt.Errorf("the policy %s is refused: %s", v.ID, v.Why)
		}
		return v.State == "active" && v.Number != "", err
	})
}

// declares has a member declare a claim with a paper.
func (p *player) declares(ctx context.Context, member string, of insuranceView, sum string) (c insuranceView, err error) {
	var f struct{ ID string }
	if _, err := p.do(ctx, call{key: member, method: http.MethodPost, path: "/v1/files?kind=proof", body: []byte("%PDF-1.4\n% constat " + of.ID + "\n%%EOF\n"), contentType: "application/pdf", once: true}, &f); err != nil {
		return c, err
	}
	return c, p.commit(ctx, member, "/v1/insurance/claims", map[string]any{
		"policy": of.ID, "event_at": of.Starts, "type": "water", "description": "Le toit de l'atelier a fui (exemple).", "amount": mad(sum),
		"evidence": []map[string]string{{"file": f.ID, "kind": "photograph"}},
	}, &c)
}

// claimIs waits until a claim is in a state.
func (p *player) claimIs(ctx context.Context, member, claim, state string) (c insuranceView, err error) {
	return c, p.insists(ctx, "the claim "+claim+" to be "+state, func() (bool, error) {
		err := p.get(ctx, member, "/v1/insurance/claims/"+claim, &c)
		return c.State == state, err
	})
}

// insures plays an insurance for a cooperative that has money: an insurer quotes,
// binds and settles a claim; the bank's statement brings the money, which is paid
// out; and the insurer's statement agrees with the books.
func (p *player) insures(ctx context.Context, member string) (f insured, err error) {
	sold, err := p.products(ctx)
	if err != nil {
		return f, err
	}
	p.step("the insurer's products were looked at by an operator and are sold, with their information sheets")
	v, err := p.takesOut(ctx, member, sold["stock"], "10000.00", "")
	if err != nil {
		return f, err
	}
	f.Premium = v.Premium.Amount()
	p.step("a cooperative read a price and agreed to it: %s left its balance, and the insurer bound policy %s", v.Premium, v.Number)
	c, err := p.declares(ctx, member, v, "900.00")
	if err != nil {
		return f, err
	}
	ref := refOf(c.ID)
	err = p.insists(ctx, "the insurer to have the claim", func() (bool, error) {
		all, err := p.truth(ctx, ref)
		return len(all) > 0, err
	})
	if err != nil {
		return f, err
	}
	if err := p.standIn(ctx, http.MethodPost, "/insurer/claims", map[string]string{"ref": ref, "decision": "accept"}, nil); err != nil {
		return f, err
	}
	if c, err = p.claimIs(ctx, member, c.ID, "paid"); err != nil {
		return f, err
	}
	f.Indemnity = c.Accepted.Amount()
	p.step("a claim was declared and accepted: %s came from the insurer, named on the bank's statement", c.Accepted)
	out, err := p.isPaidOut(ctx, member, c.Accepted.Amount())
	if err != nil {
		return f, err
	}
	f.PaidOut = c.Accepted.Amount()
	p.step("the bank paid it out to the cooperative (%s)", out.Ref)
	if err := p.reconciles(ctx, &f); err != nil {
		return f, err
	}
	p.step("the insurer's statement agrees with the books: %d rows, %d breaks", f.Statement, f.Breaks)
	return f, nil
}

// reconciles has the insurer's statement of the month compared with the books.
func (p *player) reconciles(ctx context.Context, f *insured) error {
	now, err := p.now(ctx)
	if err != nil {
		return err
	}
	var st insuranceView
	if err := p.commit(ctx, p.keys.Operator.APIKey, "/v1/insurance/statements", map[string]string{"insurer": insurerName, "period": now.Format("2006-01")}, &st); err != nil {
		return err
	}
	err = p.insists(ctx, "the insurer's statement", func() (bool, error) {
		err := p.get(ctx, p.keys.Operator.APIKey, "/v1/insurance/statements/"+st.ID, &st)
		if err == nil && st.State == "refused" {
			err = fmt.Errorf("the insurer's statement: %s", st.Why)
		}
		return st.State == "read", err
	})
	if err != nil {
		return err
	}
	f.Statement, f.Breaks = st.Matched, len(st.Breaks)
	if f.Breaks > 0 {
		return fmt.Errorf("the insurer's statement differs: %s", st.Breaks[0].Detail)
	}
	return nil
}
