package main

import (
	"context"
	"fmt"
	"time"

	"tiwiza/pkg/money"
)

// A gathering is a group buy that somebody joined, and what that cost.
type gathering struct {
	group, order string
	paid         moneyView
}

// now is the hub's time.
func (p *player) now(ctx context.Context) (time.Time, error) {
	var clock struct{ Now time.Time }
	err := p.post(ctx, p.keys.Operator.APIKey, "/v1/demo/clock", map[string]string{"advance": "1ms"}, &clock)
	return clock.Now.UTC(), err
}

// opens begins a group buy of the seller's first article, at 200.00 each with
// three and 180.00 with five, of which there are no more.
func (o *outing) opens(ctx context.Context) (group string, err error) {
	now, err := o.now(ctx)
	if err != nil {
		return "", err
	}
	var g struct{ ID string }
	err = o.commit(ctx, o.seller.key, "/v1/group-buys", map[string]any{
		"variant": o.seller.variants[0], "minimum": 3, "maximum": 5, "price": mad("200.00"), "deadline": now.Add(70 * time.Hour),
		"tiers": []any{map[string]any{"from": 5, "price": mad("180.00")}},
	}, &g)
	return g.ID, err
}

// joins takes so many places in a group, and pays them.
func (o *outing) joins(ctx context.Context, group string, quantity int) (g gathering, err error) {
	var place struct{ Basket string }
	if err := o.commit(ctx, o.buyer, "/v1/group-buys/"+group+"/baskets", map[string]int{"quantity": quantity}, &place); err != nil {
		return g, err
	}
	r, err := o.checksOut(ctx, purchase{buyer: o.buyer, way: "card"}, place.Basket)
	if err != nil {
		return g, err
	}
	if err := o.paysBy(ctx, r, goodCard); err != nil {
		return g, err
	}
	g = gathering{group, r.Orders[0].ID, r.Charge.Amount}
	return g, o.isPaid(ctx, o.buyer, g.order)
}

// comesTo waits until a group buy is in a state.
func (p *player) comesTo(ctx context.Context, group, state string) error {
	return p.insists(ctx, "the group buy "+group+" to be "+state, func() (bool, error) {
		var g struct{ State string }
		err := p.get(ctx, "", "/v1/group-buys/"+group, &g)
		return g.State == state, err
	})
}

// grouped has two buyers fill a group: it is ordered before its deadline, at the
// lower price, and the difference goes back.
func (o *outing) grouped(ctx context.Context) (back moneyView, err error) {
	group, err := o.opens(ctx)
	if err != nil {
		return back, fmt.Errorf("in a group: %w", err)
	}
	var all []gathering
	for _, quantity := range []int{2, 3} {
		g, err := o.joins(ctx, group, quantity)
		if err != nil {
			return back, err
		}
		all = append(all, g)
	}
	if err := o.comesTo(ctx, group, "ordered"); err != nil {
		return back, err
	}
	for i, difference := range []int64{40_00, 60_00} {
		order := all[i].order
		if err := o.isBack(ctx, order, money.Dirhams(difference)); err != nil {
			return back, err
		}
		if err := o.sends(ctx, o.seller.key, order); err != nil {
			return back, err
		}
		if err := o.accepts(ctx, o.buyer, order); err != nil {
			return back, err
		}
		if err := o.released(ctx, order); err != nil {
			return back, err
		}
	}
	back = money.Dirhams(100_00)
	o.step("buyers fill a group together: each article costs 180.00 instead of 200.00, and %s go back to them", back)
	return back, o.comesTo(ctx, group, "distributed")
}

// tooFew has one buyer join a group in which nobody follows.
func (o *outing) tooFew(ctx context.Context) (g gathering, err error) {
	group, err := o.opens(ctx)
	if err != nil {
		return g, fmt.Errorf("in a group: %w", err)
	}
	if g, err = o.joins(ctx, group, 1); err == nil {
		o.step("one buyer joins a group that needs three, and pays %s", g.paid)
	}
	return g, err
}

// fellThrough sees that who had joined such a group has the money back.
func (p *player) fellThrough(ctx context.Context, g gathering) error {
	if err := p.comesTo(ctx, g.group, "refunded"); err != nil {
		return err
	}
	p.step("nobody followed until its deadline: the %s are back", g.paid)
	return nil
}
