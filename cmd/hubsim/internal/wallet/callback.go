package wallet

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"tiwiza/cmd/hubsim/internal/journal"
	"tiwiza/cmd/hubsim/internal/world"
	"tiwiza/pkg/money"
)

// A callback is what the shop is to be told, until it answers.
type callback struct {
	ID    string    `json:"id"`
	Corr  string    `json:"corr"`
	URL   string    `json:"url"`
	Body  []byte    `json:"body"`
	Fault string    `json:"fault,omitempty"`
	Tries int       `json:"tries"`
	Due   time.Time `json:"due"`
}

// pauses are the waits between the tries; after the last the shop must ask.
var pauses = []time.Duration{5 * time.Second, 15 * time.Second, 45 * time.Second, 2 * time.Minute, 5 * time.Minute}

// callbackFaults are the faults that a callback can play, first come first.
var callbackFaults = []string{"callback_missing", "bad_signature", "same_ref_other_amount", "callbacks_shuffled", "answer_twice", "replayed_callback"}

// tell puts down what the shop is told of a request that ended.
func (p *Wallet) tell(tx *journal.Tx, q request) {
	if q.Callback == "" {
		return
	}
	cb := callback{ID: q.ID, Corr: q.Corr, URL: q.Callback, Body: q.transaction(), Due: p.world.Now()}
	if q.Status == failed {
		cb.Body = encode(q.Failure)
	}
	switch cb.Fault = p.world.Take(tx, world.Wallet, callbackFaults...); cb.Fault {
	case "callback_missing":
		return
	case "same_ref_other_amount":
		q.Amount += money.Dirhams(100).Centimes()
		cb.Body = q.transaction()
	}
	p.callbacks.Put(tx, cb.ID, cb)
}

// sendDue starts every callback whose time has come.
func (p *Wallet) sendDue() {
	var due []string
	now := p.world.Now()
	p.world.Journal.View(func(tx *journal.Tx) {
		for _, cb := range p.callbacks.All(tx) {
			if !cb.Due.After(now) && len(due) < 64 {
				due = append(due, cb.ID)
			}
		}
	})
	for _, id := range due {
		p.sendNow(id)
	}
}

// sendNow sends a callback unless it is being sent; the channel closes when the
// shop has answered, or will not.
func (p *Wallet) sendNow(id string) <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if told, ok := p.sending[id]; ok {
		return told
	}
	told := make(chan struct{})
	if p.ctx.Err() != nil {
		close(told)
		return told
	}
	p.sending[id] = told
	p.work.Add(1)
	go func() {
		defer p.work.Done()
		defer close(told)
		if err := p.send(id); err != nil {
			slog.Error("wallet callback", "id", id, "err", err)
		}
		p.mu.Lock()
		delete(p.sending, id)
		p.mu.Unlock()
	}()
	return told
}

// send makes one try, twice at once when told to.
func (p *Wallet) send(id string) error {
	var cb callback
	p.world.Journal.View(func(tx *journal.Tx) { cb, _ = p.callbacks.Get(tx, id) })
	if cb.ID == "" {
		return nil
	}
	heard := make(chan bool, 2)
	puts := 1
	if cb.Fault == "answer_twice" && cb.Tries == 0 {
		puts = 2
	}
	for range puts {
		go func() { heard <- p.put(cb) }()
	}
	understood := false
	for range puts {
		understood = <-heard || understood
	}
	return p.answered(cb, understood)
}

// put makes the call and says whether the shop took it in. The fault
// bad_signature spoils the sum of the first try.
func (p *Wallet) put(cb callback) bool {
	ctx, cancel := context.WithTimeout(p.ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, cb.URL, bytes.NewReader(cb.Body))
	if err != nil {
		return false
	}
	sum := sha256.Sum256(cb.Body)
	if cb.Fault == "bad_signature" && cb.Tries == 0 {
		sum[0] ^= 1
	}
	for name, v := range map[string]string{
		"Content-Type": "application/json", "X-CorrelationID": cb.Corr, "X-Date": p.world.Now().Format(time.RFC3339), "X-Content-Hash": hex.EncodeToString(sum[:]),
	} {
		req.Header.Set(name, v)
	}
	res, err := p.client.Do(req)
	if err != nil {
		slog.Warn("wallet callback not delivered", "err", err)
		return false
	}
	_ = res.Body.Close() // there is nothing in it
	if res.StatusCode >= 300 {
		slog.Warn("wallet callback not understood", "status", res.StatusCode)
	}
	return res.StatusCode < 300
}

// answered ends a callback that was understood, and puts the next try off.
func (p *Wallet) answered(sent callback, understood bool) error {
	return p.world.Journal.Update(func(tx *journal.Tx) error {
		cb, ok := p.callbacks.Get(tx, sent.ID)
		if !ok {
			return nil
		}
		if understood || cb.Tries == len(pauses) {
			p.callbacks.Delete(tx, cb.ID)
			if understood {
				p.aftermath(tx, cb)
			}
			return nil
		}
		cb.Due = p.world.Now().Add(pauses[cb.Tries])
		cb.Tries++
		p.callbacks.Put(tx, cb.ID, cb)
		return nil
	})
}

// aftermath sends what a fault makes follow a callback that was understood.
func (p *Wallet) aftermath(tx *journal.Tx, cb callback) {
	again := callback{ID: cb.ID + "-again", Corr: cb.Corr, URL: cb.URL, Body: cb.Body, Due: p.world.Now()}
	switch cb.Fault {
	case "replayed_callback":
		again.Due = again.Due.Add(5 * time.Second)
	case "callbacks_shuffled": // an older refusal is told last
		again.Body = encode(declined)
	default:
		return
	}
	p.callbacks.Put(tx, again.ID, again)
}

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
	p.world.Journal.View(func(tx *journal.Tx) {
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
	d := json.NewDecoder(http.MaxBytesReader(rw, r.Body, maxBody))
	d.DisallowUnknownFields()
	if err := d.Decode(&in); err != nil {
		world.Problem(rw, http.StatusBadRequest, "sim.json", err.Error())
		return
	}
	why := ""
	err := p.world.Journal.Update(func(tx *journal.Tx) error {
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
