package moneyconform

import (
	"encoding/json"
	"fmt"
	"strings"

	"tiwiza/adapters/wallet"
	"tiwiza/pkg/money"
)

// The flaws of a wallet.
const (
	AnyPhone Flaw = "any phone"
)

// Wallet is a provider of wallets that speaks wallet.v1.
type Wallet struct {
	*Stand
	approves bool // phones approve by themselves
	requests map[string]*moving
}

// moving is one request.
type moving struct {
	ID     string       `json:"id"`
	Ref    string       `json:"ref"`
	Kind   string       `json:"kind"`
	State  wallet.State `json:"state"`
	Amount money.Money  `json:"amount"`
	Reason string       `json:"reason,omitempty"`
	Text   string       `json:"text"`
	of     *moving
	back   int64
	late   bool // waits for the end of the day
}

// NewWallet makes a wallet. Its phones approve at once, as a sandbox's do, when
// approves says so; else Approve and Refuse answer for them.
func NewWallet(flaw Flaw, approves bool) *Wallet {
	w := &Wallet{newStand("wallet", flaw, "reversals", "payouts"), approves, map[string]*moving{}}
	w.own = w
	return w
}

// Approve is the phone's owner saying yes.
func (w *Wallet) Approve(ref string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.complete(w.requests[ref])
}

// Asked is what the wallet was asked to move under a reference.
func (w *Wallet) Asked(ref string) (m money.Money) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if r := w.requests[ref]; r != nil {
		m = r.Amount
	}
	return m
}

// Refuse has a payment fail.
func (w *Wallet) Refuse(ref string, why wallet.Refusal) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fail(w.requests[ref], why)
}

func (w *Wallet) complete(m *moving) {
	if m.State != wallet.Pending {
		return
	}
	m.State = wallet.Completed
	amount := m.Amount
	if m.Kind != "payment" {
		amount = amount.Neg()
	}
	w.count(m.Kind, m.Ref)
	w.book(m.Ref, m.Kind, amount)
	w.updated(m)
}

func (w *Wallet) fail(m *moving, why wallet.Refusal) {
	if m.State == wallet.Pending {
		m.State, m.Reason = wallet.Failed, string(why)
		if w.flaw == NoReason {
			m.Reason = ""
		}
		w.updated(m)
	}
}

func (w *Wallet) updated(m *moving) {
	w.tell("request.updated", map[string]any{"ref": m.Ref, "state": m.State, "reason": m.Reason})
}

// Event is what the wallet tells of a request, were it to stand so.
func (w *Wallet) Event(ref string, state wallet.State) []byte {
	return encode(map[string]any{"type": "request.updated", "timestamp": "2026-11-23T10:00:00Z", "data": map[string]any{"ref": ref, "state": state, "reason": ""}})
}

func (w *Wallet) posts(steps []string) bool {
	return len(steps) == 1 && (steps[0] == "payments" || steps[0] == "payouts") || len(steps) == 3 && steps[0] == "payments" && steps[2] == "reversals"
}

// whyNot are the refusals of a sandbox, by the centimes of an amount.
var whyNot = map[int64]wallet.Refusal{1: wallet.NotApproved, 4: wallet.Limit, 5: wallet.Funds, 6: wallet.NoWallet}

func (w *Wallet) do(steps []string, body []byte) *wrong {
	var in struct {
		Ref, Phone string
		Amount     money.Money
	}
	if json.Unmarshal(body, &in) != nil || in.Amount.Currency() != money.MAD || in.Amount.Sign() <= 0 || w.flaw != AnyPhone && !wallet.IsPhone(in.Phone) {
		return &wrong{422, "invalid", ""}
	}
	m := &moving{Ref: in.Ref, Kind: strings.TrimSuffix(steps[len(steps)-1], "s"), State: wallet.Pending, Amount: in.Amount, Text: strings.Repeat("x", 400)}
	if len(steps) == 3 {
		for _, of := range w.requests {
			if of.ID == steps[1] && of.Kind == "payment" {
				m.of = of
			}
		}
		switch {
		case m.of == nil:
			return &wrong{404, "payment_not_found", ""}
		case w.flaw != BackForEver && (m.of.State != wallet.Completed || m.of.back+m.Amount.Centimes() > m.of.Amount.Centimes()):
			return &wrong{409, "not_reversible", ""}
		}
		m.of.back += m.Amount.Centimes()
	}
	w.n++
	m.ID = fmt.Sprintf("W%06d", w.n)
	w.requests[m.Ref] = m
	magic := m.Amount.Centimes() % 100
	switch why := whyNot[magic]; {
	case w.approves && why != "" && w.flaw != NothingBad:
		w.fail(m, why)
	case w.approves && magic == 2:
		m.late = true
	case w.approves || m.Kind != "payment":
		w.complete(m)
	}
	return nil
}

func (w *Wallet) view(_ []string, ref string) (any, bool) {
	m, ok := w.requests[ref]
	if !ok {
		return nil, false
	}
	out := *m
	if w.flaw == AnotherAmount {
		out.Amount = out.Amount.Add(money.Dirhams(1))
	}
	return out, true
}

func (w *Wallet) get(steps []string, _ func(string) string) (any, *wrong) {
	if len(steps) != 2 || steps[0] != "requests" {
		return nil, &wrong{404, "not_found", ""}
	}
	if v, ok := w.view(nil, steps[1]); ok {
		return v, nil
	}
	return nil, &wrong{404, "request_not_found", ""}
}

func (w *Wallet) loses(_ []string, amount int64) bool { return amount%100 == 3 }

// play ends the day.
func (w *Wallet) play(what string, _ []byte) *wrong {
	if what != "day-end" {
		return &wrong{404, "not_found", ""}
	}
	for _, m := range w.requests {
		if m.late {
			w.complete(m)
		}
	}
	return nil
}

func (w *Wallet) invent(_ []string, ref string) {
	w.requests[ref] = &moving{ID: "W-" + ref, Ref: ref, Kind: "payment", State: wallet.Pending, Amount: money.Dirhams(100)}
}
