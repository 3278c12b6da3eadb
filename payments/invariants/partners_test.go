package invariants_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"tiwiza/adapters/bank"
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

// rib is a valid account number.
func rib(n int) string {
	body := fmt.Sprintf("0117800000%012d", n)
	rest := 0
	for _, c := range body + "00" {
		rest = (rest*10 + int(c-'0')) % 97
	}
	return fmt.Sprintf("%s%02d", body, 97-rest)
}

// PayoutAccounts are where members are paid.
func (w *world) PayoutAccounts(_ context.Context, _ pg.DB, members ...string) (map[string]payouts.Account, error) {
	out := map[string]payouts.Account{}
	for _, m := range members {
		out[m] = payouts.Account{RIB: rib(len(m)), Holder: "Coopérative (exemple)", Verified: w.ready.Load()}
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

// tray is a bank whose files are JSON.
type tray struct{}

func (tray) Render(b bank.Batch) (bank.File, error) {
	text, err := json.Marshal(b)
	sum := sha256.Sum256(text)
	return bank.File{Name: b.ID + ".json", Bytes: text, SHA256: hex.EncodeToString(sum[:])}, err
}

func (tray) Publish(context.Context, bank.File) outbound.Result {
	return outbound.Result{Outcome: outbound.Accepted}
}

func (tray) Find(context.Context, bank.File) outbound.Result {
	return outbound.Result{Outcome: outbound.Accepted}
}
func (tray) Waiting(context.Context) ([]bank.Received, error) { return nil, nil }
func (tray) Archive(context.Context, bank.Received) error     { return nil }
func (tray) Read(r bank.Received) (m bank.Message, err error) { return m, json.Unmarshal(r.Bytes, &m) }
