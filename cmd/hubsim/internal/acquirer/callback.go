package acquirer

import (
	"context"
	"html"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"tiwiza/cmd/hubsim/internal/journal"
	"tiwiza/cmd/hubsim/internal/provider"
	"tiwiza/cmd/hubsim/internal/world"
	"tiwiza/pkg/money"
)

// A result is what the shop is told: of an attempt, or of a chargeback.
type result struct {
	OID      string `json:"oid"`
	Fields   Fields `json:"fields"`
	Approved bool   `json:"approved"`
	Event    event  `json:"event,omitzero"` // of card.v1, instead of all that
}

// queue puts a callback down to be sent; it gives its key, or "" without an address.
func (a *Acquirer) queue(tx *journal.Tx, at *attempt, address string) string {
	if address == "" {
		return ""
	}
	says := result{OID: at.OID, Fields: at.Fields, Approved: at.Approved}
	if at.Fault == "same_ref_other_amount" {
		m, err := money.Parse(says.Fields.Get("amount"), money.MAD)
		if err == nil {
			says.Fields = says.Fields.With("amount", m.Add(money.Dirhams(100)).Amount())
		}
	}
	a.Tell(tx, at.ID, address, says, at.Fault)
	return at.ID
}

// Request posts the form: values as HTML entities, signed; or an event of card.v1.
func (a *Acquirer) Request(ctx context.Context, cb provider.Callback[result]) (*http.Request, error) {
	if e := cb.Says.Event; e.Name != "" {
		return world.Signed(ctx, cb.URL, a.Connector.Key, e.Name, []byte(e.Text), cb.Spoilt())
	}
	form := url.Values{}
	var wire Fields
	for _, f := range cb.Says.Fields {
		wire = append(wire, Field{f.Name, html.EscapeString(f.Value)})
	}
	for _, f := range wire {
		form.Set(f.Name, f.Value)
	}
	key := a.Secrets.StoreKey
	if cb.Spoilt() {
		key += "?"
	}
	form.Set("HASH", Hash(wire, Callback, key))
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, cb.URL, strings.NewReader(form.Encode()))
	if err == nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return req, err
}

// Understood does what the shop answered: POSTAUTH captures, APPROVED ends it,
// anything else is tried again later. An event of card.v1 is heard by a 204.
func (a *Acquirer) Understood(tx *journal.Tx, cb provider.Callback[result], status int, answer string) bool {
	switch {
	case cb.Says.Event.Name != "":
		return status == http.StatusNoContent
	case status != http.StatusOK:
		return false
	case answer == "ACTION=POSTAUTH" && cb.Says.Approved:
		return a.postAuth(tx, cb.Says.OID)
	}
	return answer == "APPROVED" || answer == "ACTION=POSTAUTH"
}

// postAuth captures on the shop's word. It says whether the acquirer remembers
// that it was told to: the execute_then_… faults forget, and ask again.
func (a *Acquirer) postAuth(tx *journal.Tx, oid string) bool {
	o, _ := a.orders.Get(tx, oid)
	if o.State != Authorised {
		return true
	}
	switch a.World.Take(tx, a.name, answerFaults...) {
	case "":
		a.capture(tx, oid, o.Amount)
		return true
	case "execute_late":
		a.putOff(tx, lateOp{Type: "PostAuth", OID: oid, Total: o.Amount})
		return true
	}
	a.capture(tx, oid, o.Amount)
	return false
}

// Older makes a result that of an older attempt, which was declined.
func (a *Acquirer) Older(says result) result {
	now := a.World.Now()
	says.Approved = false
	if says.Event.Name != "" {
		says.Event = event{says.Event.Name + "-before", a.eventText("payment.updated", map[string]any{"ref": says.OID, "state": "declined"})}
		return says
	}
	for _, f := range []Field{
		{"ProcReturnCode", "51"},
		{"Response", "Declined"},
		{"ErrMsg", texts["51"]},
		{"AuthCode", ""},
		{"TransId", now.Format("06002") + provider.Number(12)},
		{"HostRefNum", provider.Number(12)},
		{"rnd", provider.Number(20)},
		{"EXTRA_TRXDATE", trxDate(now.Add(-3 * time.Minute))},
	} {
		says.Fields = says.Fields.With(f.Name, f.Value)
	}
	return says
}

// A lateOp is an operation that was taken and will be executed after the
// caller's deadline.
type lateOp struct {
	ID    string    `json:"id"`
	Type  string    `json:"type"`
	OID   string    `json:"oid"`
	Total int64     `json:"total"`
	Due   time.Time `json:"due"`
	Move  *move     `json:"move,omitempty"` // of card.v1, instead of all that
}

func (a *Acquirer) putOff(tx *journal.Tx, op lateOp) {
	op.ID, op.Due = provider.Number(18), a.World.Now().Add(provider.Lateness)
	a.late.Put(tx, op.ID, op)
}

// Act executes what was put off and is due.
func (a *Acquirer) Act() error {
	now := a.World.Now()
	return a.World.Journal.Update(func(tx *journal.Tx) error {
		for _, op := range a.late.All(tx) {
			if op.Due.After(now) {
				continue
			}
			a.late.Delete(tx, op.ID)
			if op.Move != nil {
				a.once(tx, *op.Move)
				continue
			}
			if no := a.operate(tx, op); no != done {
				slog.Warn("acquirer could not execute late", "type", op.Type, "oid", op.OID, "why", string(no))
			}
		}
		return nil
	})
}
