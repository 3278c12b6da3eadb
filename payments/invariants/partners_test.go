package invariants_test

import (
	"context"
	"encoding/json"

	"tiwiza/adapters/bank/paperbank"
	"tiwiza/adapters/card"
	"tiwiza/payments/payouts"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/money"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pg"
)

// anyone lets everybody do everything: who may is not this package's matter.
type anyone struct{}

// May allows.
func (anyone) May(auth.Principal, string, authz.Resource) (string, error) { return "test", nil }

// PayoutAccounts are where members are paid.
func (w *world) PayoutAccounts(_ context.Context, _ pg.DB, members ...string) (map[string]payouts.Account, error) {
	out := map[string]payouts.Account{}
	for _, m := range members {
		out[m] = payouts.Account{RIB: paperbank.RIB(len(m)), Holder: "Coopérative (exemple)", Verified: w.ready.Load()}
	}
	return out, nil
}

// hosted is an acquirer of whom only the form is asked.
type hosted struct{}

func (hosted) Merchant() string { return "hub" }
func (hosted) Form(card.Payment) (card.Form, error) {
	return card.Form{URL: "https://acquirer.example"}, nil
}
func (hosted) Notice([]byte) (card.Notice, error) { return card.Notice{}, card.ErrForged }
func (hosted) Reply(card.Verdict) string          { return "" }
func (hosted) Query(context.Context, string) card.Status {
	return card.Status{Result: outbound.Result{Outcome: outbound.Unknown}}
}

// Case reads a chargeback in JSON, of a hub's own.
func (hosted) Case(body []byte) (card.Case, error) {
	var c struct {
		ID, Ref, State string
		Amount         int64
	}
	err := json.Unmarshal(body, &c)
	return card.Case{
		ID: c.ID, Ref: c.Ref, Merchant: "hub", State: card.CaseState(c.State), Amount: money.Dirhams(c.Amount), Fee: money.Dirhams(1500),
		EventID: string(body), Raw: body,
	}, err
}
