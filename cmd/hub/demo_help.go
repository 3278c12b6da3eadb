package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"tiwiza/pkg/money"
)

// helped plays a promotion that the market pays: the buyer pays less, and the
// cooperative has its price all the same, as a bonus beside the escrow.
func (o *outing) helped(ctx context.Context) (string, error) {
	off, code := money.Dirhams(20_00), "AIDE-"+rand.Text()[:10]
	day, err := o.now(ctx)
	if err != nil {
		return "", err
	}
	err = o.commit(ctx, o.keys.Operator.APIKey, "/v1/promotions", map[string]any{
		"paid_by": "market", "code": code, "names": map[string]string{"fr": "Le marché aide (exemple)"}, "kind": "amount",
		"amount": mad(off.Amount()), "budget": mad(off.Amount()), "total": 1,
		"from": day.AddDate(0, 0, -1).Format(time.DateOnly), "to": day.AddDate(0, 1, 0).Format(time.DateOnly),
	}, nil)
	if err != nil {
		return "", fmt.Errorf("a promotion of the market's: %w", err)
	}
	r, err := o.buys(ctx, purchase{buyer: o.buyer, way: "card", lines: map[string]int{o.seller.variants[0]: 1}, codes: []string{code}})
	if err != nil {
		return "", err
	}
	order := r.Orders[0].ID
	if err := o.paysBy(ctx, r, goodCard); err != nil {
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
	if err := o.released(ctx, order); err != nil {
		return "", err
	}
	given, err := o.bonus(ctx, order)
	if err != nil {
		return "", err
	}
	if !given.Equal(off) {
		return "", fmt.Errorf("the market gave %s for order %s, and the promotion took off %s", given, order, off)
	}
	o.step("a promotion of the market's takes %s off: the buyer pays %s, the market gives the cooperative the rest with the release", off, r.Charge.Amount)
	return given.Amount(), nil
}

// bonus is what the market gave for an order.
func (o *outing) bonus(ctx context.Context, order string) (moneyView, error) {
	var v struct{ Escrow struct{ ID string } }
	if err := o.get(ctx, o.seller.key, "/v1/orders/"+order, &v); err != nil {
		return moneyView{}, err
	}
	var e struct {
		Given moneyView `json:"bonus_given"`
	}
	return e.Given, o.get(ctx, o.seller.key, "/v1/escrows/"+v.Escrow.ID, &e)
}
