package main

import (
	"context"
	"errors"
	"fmt"

	"tiwiza/marketplace/members"
	"tiwiza/pkg/pg"
)

// The demonstration's people have telephone numbers that are plainly invented;
// what is sent to them stands at /v1/demo/inbox.
const (
	phoneOperator = "+212600000001"
	phoneSecond   = "+212600000002"
	phoneBuyer    = "+212600000010"
	phoneBank     = "+212600000020"
	phoneInsurer  = "+212600000021"
	phoneHelp     = "+212600000003" // whom the demonstration's pages say to call
)

// phoneSeller is the number of who works for the n-th seller, from 0.
func phoneSeller(n int) string { return fmt.Sprintf("+2126000001%02d", n+1) }

// people has somebody work for each organisation of the market, once; the two
// operators get an organisation to work for.
func (h *house) people(ctx context.Context, m market) error {
	return h.store.InTx(ctx, func(tx *pg.Tx) error {
		if _, err := loadNote[bool](ctx, tx, "demo.people"); err == nil || !errors.Is(err, errNoNote) {
			return err
		}
		house, err := h.members.Found(ctx, tx, members.Enrolment{
			Kind: members.Operator, Names: members.Texts{"fr": "Opérateur de démonstration", "ar": "مشغل تجريبي"}, Region: "MA-04", Commune: "Rabat",
		})
		if err != nil {
			return err
		}
		for n, person := range m.Operators {
			if err := h.members.Reach(ctx, tx, person, []string{phoneOperator, phoneSecond}[n]); err != nil {
				return err
			}
			if err := h.members.Join(ctx, tx, person, house.ID, "manager"); err != nil {
				return err
			}
		}
		if err := h.members.Reach(ctx, tx, m.Buyer, phoneBuyer); err != nil {
			return err
		}
		staff := map[string]string{m.Bank: phoneBank, m.Insurer: phoneInsurer}
		for n, s := range m.Sellers {
			staff[s.Organisation] = phoneSeller(n)
		}
		for organisation, phone := range staff {
			p, err := h.members.CreatePerson(ctx, tx, members.NewPerson{Names: members.Texts{"fr": "Gérante de démonstration", "ar": "مسيرة تجريبية"}, Phone: phone})
			if err != nil {
				return err
			}
			if err := h.members.Join(ctx, tx, p, organisation, "manager"); err != nil {
				return err
			}
		}
		return saveNote(tx, "demo.people", true)
	})
}

// phones adds to demo.json where everybody is reached.
func (k *demoKeys) phones() {
	k.Operator.Phone, k.SecondOperator.Phone = phoneOperator, phoneSecond
	k.Buyer.Phone, k.Bank.Phone, k.Insurer.Phone = phoneBuyer, phoneBank, phoneInsurer
	for n := range k.Sellers {
		k.Sellers[n].Phone = phoneSeller(n)
	}
}
