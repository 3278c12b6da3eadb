package certify

import (
	"context"
	"fmt"
	"strings"

	"tiwiza/adapters/insurance"
	"tiwiza/pkg/money"
	"tiwiza/pkg/outbound"
)

// portfolio binds, cancels and claims, for amounts that nobody chose.
func (r *runner) portfolio(ctx context.Context, s portfolioStep) error {
	ok := how{Status: []int{200, 201, 202}}
	for n := range s.Policies {
		q := fmt.Sprint("q", n)
		if err := r.quote(ctx, quoteStep{As: q, how: ok}); err != nil {
			return err
		}
		name := fmt.Sprint("p", n)
		if err := r.bind(ctx, bindStep{As: name, Quote: q, how: ok}); err != nil {
			return err
		}
		switch {
		case n < s.Cancels:
			if err := r.under(ctx, "cancel", underStep{As: fmt.Sprint("c", n), Policy: name, how: ok}); err != nil {
				return err
			}
		case n < s.Cancels+s.Claims:
			if err := r.under(ctx, "claim", underStep{As: fmt.Sprint("k", n), Policy: name, how: ok}); err != nil {
				return err
			}
		}
	}
	return nil
}

// statement compares all that was ever done with the month's statement.
func (r *runner) statement(ctx context.Context) error {
	if r.insurer == nil {
		return errUnread
	}
	for _, d := range r.dealings { // what claims came to is asked first
		if !d.counts || d.kind != "claim" && (d.kind != "observation" || d.id == "") {
			continue
		}
		c, res := r.insurer.FindClaim(ctx, d.ref)
		if res.Outcome != outbound.Succeeded {
			return because("the claim "+d.ref, res)
		}
		d.state, d.amount = string(c.State), c.Amount
	}
	s, res := r.insurer.Statement(ctx, r.o.Now().UTC().Format("2006-01"))
	if res.Outcome != outbound.Succeeded {
		return because("the statement", res)
	}
	shown := map[string][]insurance.Row{}
	for _, row := range s.Rows {
		shown[row.Kind+" "+row.Ref] = append(shown[row.Kind+" "+row.Ref], row)
	}
	for _, d := range r.dealings {
		key, amount, commission, want := d.row()
		if key == "" {
			continue
		}
		if err := told(key, shown[key], amount, commission, want); err != nil {
			return err
		}
		delete(shown, key)
	}
	for key := range shown {
		if strings.Contains(key, "CERT"+r.run) {
			return fmt.Errorf("the statement shows the %s, which was never done", key)
		}
	}
	return nil
}

// row is what a statement must show of a deal: the kind and the reference, what and
// whether at all. None for what moves nothing.
func (d *deal) row() (key string, amount, commission money.Money, want bool) {
	switch d.kind {
	case "bind":
		return "premium " + d.payment, d.of.said.premium, d.of.said.commission, d.counts
	case "premium":
		return "premium " + d.ref, d.amount, d.of.of.said.commission, d.counts
	case "cancel":
		return "refund " + d.ref, d.said.refund, d.of.of.said.commission, d.counts && d.said.refund.Sign() > 0
	case "claim", "observation":
		return "claim " + d.ref, d.amount, money.Dirhams(0), d.counts && d.state == "paid"
	}
	return "", amount, commission, false
}

func told(key string, rows []insurance.Row, amount, commission money.Money, want bool) error {
	switch {
	case !want && len(rows) > 0:
		return fmt.Errorf("the statement shows the %s of %s, which was not done", key, rows[0].Amount)
	case want && len(rows) == 0:
		return fmt.Errorf("the statement does not show the %s of %s", key, amount)
	case want && len(rows) > 1:
		return fmt.Errorf("the statement shows the %s %d times: it was done more than once", key, len(rows))
	case want && (!rows[0].Amount.Equal(amount) || !rows[0].Commission.Equal(commission)):
		return fmt.Errorf("the statement shows the %s with %s and a commission of %s, want %s and %s", key, rows[0].Amount, rows[0].Commission, amount, commission)
	}
	return nil
}
