package sim_test

import (
	"context"
	"encoding/json"

	"tiwiza/adapters/card"
	"tiwiza/adapters/wallet"
	"tiwiza/pkg/money"
	"tiwiza/pkg/outbound"
)

// caseFee is what the acquirer takes for a chargeback.
const caseFee = 700

// word is what the acquirer sends, in JSON; one that is not signed is forged.
type word struct {
	Ref, State, Case string
	Amount           int64
	Nonce            int
	Signed           bool
}

// hosted is an acquirer that only speaks when the test does.
type hosted struct{}

func (hosted) Merchant() string { return "hub" }
func (hosted) Form(card.Payment) (card.Form, error) {
	return card.Form{URL: "https://acquirer.example"}, nil
}

func (hosted) Notice(body []byte) (card.Notice, error) {
	var w word
	if json.Unmarshal(body, &w) != nil || !w.Signed {
		return card.Notice{}, card.ErrForged
	}
	return card.Notice{
		Ref: w.Ref, Merchant: "hub", Amount: money.Dirhams(w.Amount), Approved: w.State == "approved", EventID: string(body), Raw: body,
	}, nil
}

func (hosted) Case(body []byte) (card.Case, error) {
	var w word
	if json.Unmarshal(body, &w) != nil || !w.Signed {
		return card.Case{}, card.ErrForged
	}
	return card.Case{
		ID: w.Case, Ref: w.Ref, Merchant: "hub", State: card.CaseState(w.State), Amount: money.Dirhams(w.Amount), Fee: money.Dirhams(caseFee),
		EventID: string(body), Raw: body,
	}, nil
}
func (hosted) Reply(v card.Verdict) string { return string(v) }
func (hosted) Query(context.Context, string) card.Status {
	return card.Status{Result: outbound.Result{Outcome: outbound.Unknown}}
}

// phones are wallets whose provider only speaks when the test does.
type phones struct{}

func (phones) Merchant() string { return "hub" }
func (phones) Ask(context.Context, wallet.Payment) outbound.Result {
	return outbound.Result{Outcome: outbound.Unknown}
}

func (phones) Reverse(context.Context, wallet.Refund) outbound.Result {
	return outbound.Result{Outcome: outbound.Unknown}
}

func (phones) Pay(context.Context, wallet.Refund) outbound.Result {
	return outbound.Result{Outcome: outbound.Unknown}
}

func (phones) Query(context.Context, string, string) wallet.Status {
	return wallet.Status{Result: outbound.Result{Outcome: outbound.Unknown}}
}

func (phones) Notice(wallet.Callback) (wallet.Notice, error) {
	return wallet.Notice{}, wallet.ErrUnreadable
}
func (phones) Refusal(string) wallet.Refusal { return wallet.Other }
