package wallet

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"time"

	"tiwiza/cmd/hubsim/internal/journal"
	"tiwiza/cmd/hubsim/internal/provider"
	"tiwiza/cmd/hubsim/internal/world"
	"tiwiza/pkg/money"
)

// news is what the shop is told of a request that ended.
type news struct {
	Corr string `json:"corr"`
	Body []byte `json:"body"`
}

// callbackFaults are the faults that a callback can play, first come first.
var callbackFaults = []string{"callback_missing", "bad_signature", "same_ref_other_amount", "callbacks_shuffled", "answer_twice", "replayed_callback"}

// tell puts down what the shop is told of a request that ended.
func (p *Wallet) tell(tx *journal.Tx, q request) {
	if strings.HasPrefix(q.Corr, ours) {
		p.Connector.Tell("request.updated", map[string]any{"ref": q.Ref, "state": q.Status, "reason": reasonOf(q.Failure)})
		return
	}
	if q.Callback == "" {
		return
	}
	says := news{q.Corr, q.transaction()}
	if q.Status == failed {
		says.Body = encode(q.Failure)
	}
	fault := p.World.Take(tx, world.Wallet, callbackFaults...)
	switch fault {
	case "callback_missing":
		return
	case "same_ref_other_amount":
		q.Amount += money.Dirhams(100).Centimes()
		says.Body = q.transaction()
	}
	p.Tell(tx, q.ID, q.Callback, says, fault)
}

// Request puts the news, with the sum of its body.
func (p *Wallet) Request(ctx context.Context, cb provider.Callback[news]) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, cb.URL, bytes.NewReader(cb.Says.Body))
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(cb.Says.Body)
	if cb.Spoilt() {
		sum[0] ^= 1
	}
	for name, v := range map[string]string{
		"Content-Type": "application/json", "X-CorrelationID": cb.Says.Corr, "X-Date": p.World.Now().Format(time.RFC3339), "X-Content-Hash": hex.EncodeToString(sum[:]),
	} {
		req.Header.Set(name, v)
	}
	return req, nil
}

// Understood says whether the shop took the news in.
func (p *Wallet) Understood(_ *journal.Tx, _ provider.Callback[news], status int, _ string) bool {
	return status >= 200 && status < 300
}

// Older makes news of a refusal.
func (p *Wallet) Older(says news) news { return news{says.Corr, encode(declined)} }

// A phoneView is what a phone shows.
type phoneView struct {
	Ref    string      `json:"ref"`
	Phone  string      `json:"phone"`
	Amount money.Money `json:"amount"`
	Until  time.Time   `json:"until"`
}

// getPhone answers what a phone, or every phone, is asked to approve, and its
// balance.
func (p *Wallet) getPhone(rw http.ResponseWriter, r *http.Request) {
	phone := international(r.URL.Query().Get("phone"))
	out := struct {
		Pending []phoneView  `json:"pending"`
		Balance *money.Money `json:"balance,omitempty"`
	}{Pending: []phoneView{}}
	p.World.Journal.View(func(tx *journal.Tx) {
		for _, id := range p.open.All(tx) {
			if q, _ := p.requests.Get(tx, id); q.Kind == merchantPay && (phone == "" || q.Phone == phone) {
				out.Pending = append(out.Pending, phoneView{q.Ref, q.Phone, money.Dirhams(q.Amount), q.Expires})
			}
		}
		if phone != "" {
			m := money.Dirhams(p.balance(tx, phone))
			out.Balance = &m
		}
	})
	world.Answer(rw, http.StatusOK, out)
}

// phoneInput is what the owner of a phone does: approves the oldest request, or
// the one of a reference, with the PIN (any four digits; 9999 is wrong),
// declines it, or fills the wallet.
type phoneInput struct {
	Phone   string `json:"phone"`
	Ref     string `json:"ref"`
	PIN     string `json:"pin"`
	Decline bool   `json:"decline"`
	TopUp   string `json:"top_up"`
}

func (p *Wallet) postPhone(rw http.ResponseWriter, r *http.Request) {
	var in phoneInput
	if !world.Read(rw, r, &in) {
		return
	}
	why := ""
	err := p.World.Journal.Update(func(tx *journal.Tx) error {
		why = p.touch(tx, in)
		return nil
	})
	switch {
	case err != nil:
		world.Problem(rw, http.StatusInternalServerError, "sim.journal", err.Error())
	case why != "":
		world.Problem(rw, http.StatusUnprocessableEntity, "sim.phone", why)
	default:
		rw.WriteHeader(http.StatusNoContent)
	}
}

// touch does what an owner does, or says why it cannot.
func (p *Wallet) touch(tx *journal.Tx, in phoneInput) string {
	phone := international(in.Phone)
	if phone == "" {
		return "phone is a Moroccan number"
	}
	if in.TopUp != "" {
		m, err := money.Parse(in.TopUp, money.MAD)
		if err != nil || m.Sign() <= 0 {
			return "top_up is an amount"
		}
		p.balances.Put(tx, phone, p.balance(tx, phone)+m.Centimes())
		return ""
	}
	pin := len(in.PIN) == 4 && strings.Trim(in.PIN, "0123456789") == ""
	if pin == in.Decline {
		return "give a pin of four digits, or decline, or top_up"
	}
	for _, id := range p.open.All(tx) {
		q, _ := p.requests.Get(tx, id)
		if q.Kind != merchantPay || q.Phone != phone || in.Ref != "" && q.Ref != in.Ref {
			continue
		}
		switch {
		case in.Decline:
			p.end(tx, q, declined)
		case in.PIN == "9999":
			p.end(tx, q, wrongPIN)
		default:
			p.end(tx, q, problem{})
		}
		return ""
	}
	return "this phone is asked for nothing"
}
