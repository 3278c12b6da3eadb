package acquirer

import (
	"context"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"tiwiza/cmd/hubsim/internal/journal"
	"tiwiza/cmd/hubsim/internal/world"
	"tiwiza/pkg/money"
)

// A callback is a result that the shop is to be told, until it answers.
type callback struct {
	ID       string    `json:"id"`
	OID      string    `json:"oid"`
	URL      string    `json:"url"`
	Fields   Fields    `json:"fields"`
	Approved bool      `json:"approved"`
	Fault    string    `json:"fault,omitempty"`
	Tries    int       `json:"tries"`
	Due      time.Time `json:"due"`
}

// pauses are the waits between the tries; after the last the shop must ask.
var pauses = []time.Duration{5 * time.Second, 15 * time.Second, 45 * time.Second, 2 * time.Minute, 5 * time.Minute}

// queue puts a callback down to be sent; it gives its key, or "" without an address.
func (a *Acquirer) queue(tx *journal.Tx, at *attempt, address string) string {
	if address == "" {
		return ""
	}
	cb := callback{ID: at.ID, OID: at.OID, URL: address, Fields: at.Fields, Approved: at.Approved, Fault: at.Fault, Due: a.world.Now()}
	if cb.Fault == "same_ref_other_amount" {
		m, err := money.Parse(cb.Fields.Get("amount"), money.MAD)
		if err == nil {
			cb.Fields = cb.Fields.With("amount", m.Add(money.Dirhams(100)).Amount())
		}
	}
	a.callbacks.Put(tx, cb.ID, cb)
	return cb.ID
}

// sendDue starts every callback whose time has come.
func (a *Acquirer) sendDue() {
	var due []string
	now := a.world.Now()
	a.world.Journal.View(func(tx *journal.Tx) {
		for _, cb := range a.callbacks.All(tx) {
			if !cb.Due.After(now) && len(due) < 64 {
				due = append(due, cb.ID)
			}
		}
	})
	for _, id := range due {
		a.sendNow(id)
	}
}

// sendNow sends a callback unless it is being sent; the channel closes when
// the shop has answered, or will not.
func (a *Acquirer) sendNow(id string) <-chan struct{} {
	a.mu.Lock()
	defer a.mu.Unlock()
	if told, ok := a.sending[id]; ok {
		return told
	}
	told := make(chan struct{})
	if a.ctx.Err() != nil {
		close(told)
		return told
	}
	a.sending[id] = told
	a.work.Add(1)
	go func() {
		defer a.work.Done()
		defer close(told)
		if err := a.send(id); err != nil {
			slog.Error("acquirer callback", "id", id, "err", err)
		}
		a.mu.Lock()
		delete(a.sending, id)
		a.mu.Unlock()
	}()
	return told
}

// send makes one try, twice at once when told to, and does what the answer says.
func (a *Acquirer) send(id string) error {
	var cb callback
	a.world.Journal.View(func(tx *journal.Tx) { cb, _ = a.callbacks.Get(tx, id) })
	if cb.ID == "" {
		return nil
	}
	body := a.body(cb)
	answers := make(chan string, 2)
	posts := 1
	if cb.Fault == "answer_twice" && cb.Tries == 0 {
		posts = 2
	}
	for range posts {
		go func() { answers <- a.post(cb.URL, body) }()
	}
	for range posts {
		if err := a.answered(cb, <-answers); err != nil {
			return err
		}
	}
	return nil
}

// body is the form as it goes out: values as HTML entities, signed. The fault
// bad_signature spoils the first try.
func (a *Acquirer) body(cb callback) string {
	form := url.Values{}
	var wire Fields
	for _, f := range cb.Fields {
		wire = append(wire, Field{f.Name, html.EscapeString(f.Value)})
	}
	for _, f := range wire {
		form.Set(f.Name, f.Value)
	}
	hash := Hash(wire, Callback, a.Secrets.StoreKey)
	if cb.Fault == "bad_signature" && cb.Tries == 0 {
		hash = Hash(wire, Callback, a.Secrets.StoreKey+"?")
	}
	form.Set("HASH", hash)
	return form.Encode()
}

// post gives the shop's answer, or "" when there was none to understand.
func (a *Acquirer) post(address, body string) string {
	ctx, cancel := context.WithTimeout(a.ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(body))
	if err != nil {
		return ""
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := a.client.Do(req)
	if err != nil {
		slog.Warn("acquirer callback not delivered", "err", err)
		return ""
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, 4096))
	if err != nil || res.StatusCode != http.StatusOK {
		slog.Warn("acquirer callback not understood", "status", res.StatusCode)
		return ""
	}
	return strings.TrimSpace(string(text))
}

// answered does what the shop answered: POSTAUTH captures, APPROVED ends it,
// anything else is tried again later.
func (a *Acquirer) answered(sent callback, answer string) error {
	return a.world.Journal.Update(func(tx *journal.Tx) error {
		cb, ok := a.callbacks.Get(tx, sent.ID)
		if !ok {
			return nil
		}
		understood := answer == "APPROVED" || answer == "ACTION=POSTAUTH"
		if answer == "ACTION=POSTAUTH" && cb.Approved {
			understood = a.postAuth(tx, cb)
		}
		if understood {
			a.callbacks.Delete(tx, cb.ID)
			a.aftermath(tx, cb)
			return nil
		}
		if cb.Tries != sent.Tries {
			return nil // the twin of this try has already put the next one off
		}
		if cb.Tries == len(pauses) {
			a.callbacks.Delete(tx, cb.ID)
			slog.Warn("acquirer gives a callback up", "oid", cb.OID, "answer", answer)
			return nil
		}
		cb.Due = a.world.Now().Add(pauses[cb.Tries])
		cb.Tries++
		a.callbacks.Put(tx, cb.ID, cb)
		return nil
	})
}

// postAuth captures on the shop's word. It says whether the acquirer remembers
// that it was told to: the execute_then_… faults forget, and ask again.
func (a *Acquirer) postAuth(tx *journal.Tx, cb callback) bool {
	o, _ := a.orders.Get(tx, cb.OID)
	if o.State != Authorised {
		return true
	}
	switch a.world.Take(tx, world.Acquirer, answerFaults...) {
	case "":
		a.capture(tx, cb.OID, o.Amount)
		return true
	case "execute_late":
		a.putOff(tx, lateOp{Type: "PostAuth", OID: cb.OID, Total: o.Amount})
		return true
	}
	a.capture(tx, cb.OID, o.Amount)
	return false
}

// aftermath sends what a fault makes follow a callback that was understood.
func (a *Acquirer) aftermath(tx *journal.Tx, cb callback) {
	again := callback{ID: cb.ID + "-again", OID: cb.OID, URL: cb.URL, Fields: cb.Fields, Due: a.world.Now()}
	switch cb.Fault {
	case "replayed_callback":
		again.Approved, again.Due = cb.Approved, again.Due.Add(5*time.Second)
	case "callbacks_shuffled": // an older, declined attempt is told last
		for _, f := range []Field{
			{"ProcReturnCode", "51"},
			{"Response", "Declined"},
			{"ErrMsg", texts["51"]},
			{"AuthCode", ""},
			{"TransId", again.Due.Format("06002") + number(12)},
			{"HostRefNum", number(12)},
			{"rnd", number(20)},
			{"EXTRA_TRXDATE", trxDate(again.Due.Add(-3 * time.Minute))},
		} {
			again.Fields = again.Fields.With(f.Name, f.Value)
		}
	default:
		return
	}
	a.callbacks.Put(tx, again.ID, again)
}

// A lateOp is an operation that was taken and will be executed after the
// caller's deadline.
type lateOp struct {
	ID    string    `json:"id"`
	Type  string    `json:"type"`
	OID   string    `json:"oid"`
	Total int64     `json:"total"`
	Due   time.Time `json:"due"`
}

// lateness is longer than any caller waits.
const lateness = 40 * time.Second

func (a *Acquirer) putOff(tx *journal.Tx, op lateOp) {
	op.ID, op.Due = number(18), a.world.Now().Add(lateness)
	a.late.Put(tx, op.ID, op)
}

func (a *Acquirer) executeLate() error {
	now := a.world.Now()
	return a.world.Journal.Update(func(tx *journal.Tx) error {
		for _, op := range a.late.All(tx) {
			if op.Due.After(now) {
				continue
			}
			a.late.Delete(tx, op.ID)
			if no := a.operate(tx, op); no != done {
				slog.Warn("acquirer could not execute late", "type", op.Type, "oid", op.OID, "why", string(no))
			}
		}
		return nil
	})
}
