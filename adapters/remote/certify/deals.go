package certify

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"tiwiza/adapters/insurance"
	"tiwiza/pkg/money"
	"tiwiza/pkg/strict"
)

// send sends what was made, as the step says.
func (r *runner) send(ctx context.Context, d *deal, h how) error {
	body := d.body
	if h.Altered {
		body = []byte(strings.Replace(string(body), `{`, `{"altered":"yes",`, 1))
	}
	if h.Half {
		return r.halfOf(ctx, d.path, d.ref, d.body)
	}
	var all sync.WaitGroup
	var mu sync.Mutex
	var failed error
	for range max(h.Times, h.AtOnce, 1) {
		one := func() {
			if err := r.sendOne(ctx, d, h, body); err != nil {
				mu.Lock()
				failed = errors.Join(failed, err)
				mu.Unlock()
			}
		}
		if all.Go(one); h.AtOnce == 0 {
			all.Wait()
		}
	}
	all.Wait()
	return failed
}

func (r *runner) sendOne(ctx context.Context, d *deal, h how, body []byte) error {
	a, err := r.call(ctx, http.MethodPost, d.path, d.ref, h.Token, body)
	switch {
	case h.Lost && err != nil:
		d.mu.Lock()
		d.counts = true
		d.mu.Unlock()
		return nil
	case h.Lost:
		return fmt.Errorf("the sandbox answers %d to an amount that ends in .03; it shall do it and lose its answer", a.Status)
	case err != nil:
		return err
	}
	if err := is("a "+d.kind, a, h.Status, h.Code); err != nil {
		return err
	}
	if a.Status < 200 || a.Status > 299 {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.counts = true
	if d.hear != nil {
		return d.hear(d, a.Body)
	}
	return d.answered(a.Body)
}

// answered says what is wrong with what an insurer says of a deal, and keeps the
// rest. It is said again in the same words.
func (d *deal) answered(body []byte) error {
	var told struct {
		ID         string           `json:"id"`
		Ref        string           `json:"ref"`
		Policy     string           `json:"policy"`
		State      string           `json:"state"`
		Premium    money.Money      `json:"premium"`
		Commission money.Money      `json:"commission"`
		Refund     money.Money      `json:"refund"`
		Claim      *insurance.Claim `json:"claim"`
	}
	if err := strict.Object(body, &told); err != nil {
		return fmt.Errorf("the answer about a %s: %w", d.kind, err)
	}
	want, got := d.ref, told.Ref
	if d.kind == "cancel" {
		want, got = d.of.ref, told.Ref
	}
	switch {
	case got != want:
		return fmt.Errorf("the answer speaks of the %s %q, want %q", d.kind, got, want)
	case d.kind == "observation":
		if d.id = ""; told.Claim != nil {
			d.id, d.amount, d.state = told.Claim.ID, told.Claim.Amount, string(told.Claim.State)
		}
		return nil
	case d.kind == "premium":
		return nil
	case told.ID == "":
		return fmt.Errorf("the answer about the %s %s has no id", d.kind, d.ref)
	case d.id != "" && told.ID != d.id:
		return fmt.Errorf("the %s %s is %q, and was %q: it was done more than once", d.kind, d.ref, told.ID, d.id)
	}
	d.id, d.state = told.ID, told.State
	switch d.kind {
	case "quote":
		if d.said.premium.Sign() > 0 && !d.said.premium.Equal(told.Premium) {
			return fmt.Errorf("the quote %s costs %s, and cost %s", d.ref, told.Premium, d.said.premium)
		}
		d.said.premium, d.said.commission = told.Premium, told.Commission
	case "cancel":
		if told.State != "cancelled" {
			return fmt.Errorf("the policy that was cancelled is %q", told.State)
		}
		d.said.refund = told.Refund
	}
	return nil
}

// stands looks where a policy or a claim stands, by our reference.
func (r *runner) stands(ctx context.Context, s standsStep) error {
	d, err := r.dealt(s.Of)
	if err != nil {
		return err
	}
	what, path := "policy", insurancePath+"/policies?ref="
	if d.kind == "claim" || d.kind == "observation" {
		what, path = "claim", insurancePath+"/claims?ref="
	}
	deadline := r.o.Now().Add(10 * time.Second)
	for {
		a, err := r.call(ctx, http.MethodGet, path+d.ref, "", "", nil)
		if err != nil {
			return err
		}
		if s.Absent {
			return is("a "+what+" that was not made", a, []int{404}, what+"_not_found")
		}
		if err := is("a "+what+" that was made", a, []int{200}, ""); err != nil {
			return err
		}
		var c insurance.Claim
		var p insurance.Policy
		state, ref, id := "", "", ""
		if what == "claim" {
			err = strict.Object(a.Body, &c)
			state, ref, id = string(c.State), c.Ref, c.ID
		} else {
			err = strict.Object(a.Body, &p)
			state, ref, id = string(p.State), p.Ref, p.ID
		}
		switch {
		case err != nil:
			return fmt.Errorf("the answer about a %s: %w", what, err)
		case ref != d.ref:
			return fmt.Errorf("the answer speaks of the %s %q, want %q", what, ref, d.ref)
		case d.id != "" && id != d.id:
			return fmt.Errorf("the %s %s is %q, and was %q", what, d.ref, id, d.id)
		case len(s.State) == 0 || slices.Contains(s.State, state):
			if s.Asks && len(c.Asks) == 0 {
				return fmt.Errorf("the claim %s is %s and asks for no paper", d.ref, state)
			}
			d.id, d.state = id, state
			if what == "claim" {
				d.amount = c.Amount
			}
			return nil
		case r.o.Now().After(deadline):
			return fmt.Errorf("the %s %s is %q, want one of %v", what, d.ref, state, s.State)
		}
		if err := pause(ctx); err != nil {
			return err
		}
	}
}
