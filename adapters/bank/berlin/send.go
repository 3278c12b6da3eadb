package berlin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"tiwiza/adapters/bank"
	"tiwiza/pkg/money"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/strict"
)

// order is what the driver keeps of a batch, under batchKey.
type order struct {
	SHA256  string    `json:"sha256"`
	Left    time.Time `json:"left"`              // when it may first have left
	Payment string    `json:"payment,omitempty"` // the bank's name of it, once it has said so
	Status  string    `json:"status,omitempty"`  // the last of its words that was taken in
}

const batchKey = "batch/"

// patience bounds how long an order's standing is asked for: by then a statement
// has told, or people look.
const patience = 10 * 24 * time.Hour

// recall is what is kept of a batch; a note without a value when nothing is.
func (d *Driver) recall(ctx context.Context, id string) (o order, n bank.Note, err error) {
	n, err = d.cfg.Notes.Recall(ctx, batchKey+id)
	if err == nil && n.Value != "" {
		err = json.Unmarshal([]byte(n.Value), &o)
	}
	if err != nil {
		err = fmt.Errorf("recall the order %s: %w", id, err)
	}
	return o, n, err
}

// keep writes down what is known of a batch, if nobody else has since.
func (d *Driver) keep(ctx context.Context, id, was string, o order, done bool) (now string, ok bool, err error) {
	text, err := json.Marshal(o)
	if err != nil {
		return "", false, err
	}
	ok, err = d.cfg.Notes.Swap(ctx, was, bank.Note{Key: batchKey + id, Value: string(text), Done: done})
	return string(text), ok, err
}

// Publish sends an order. That it leaves is written down first; one that may
// have left before is sent again only under the bank's promise, and looked for
// otherwise. Accepted is only an answer that names the order.
func (d *Driver) Publish(ctx context.Context, f bank.File) outbound.Result {
	id, r, ok := batchOf(f)
	if !ok {
		return r
	}
	if digest(f.Bytes) != f.SHA256 {
		return unfit("the bytes are not those of the hash")
	}
	if err := ctx.Err(); err != nil {
		return outbound.Result{Outcome: outbound.NotSent, Reason: outbound.ReasonOf(err), Err: err}
	}
	o, n, err := d.recall(ctx, id)
	if err != nil {
		return unready(err)
	}
	fresh := n.Value == ""
	switch {
	case fresh:
		o = order{SHA256: f.SHA256, Left: d.cfg.Now().UTC().Truncate(time.Second)}
		if n.Value, ok, err = d.keep(ctx, id, "", o, false); err != nil || !ok {
			return unready(errors.Join(err, errors.New("another hub sends it")))
		}
	case o.SHA256 != f.SHA256:
		return outbound.Result{Outcome: outbound.Unknown, Err: fmt.Errorf("other bytes left as %s", f.Name)}
	case o.Payment != "":
		return outbound.Result{Outcome: outbound.Accepted, PartnerID: o.Payment, Text: "the bank has it already"}
	case d.cfg.Now().Sub(o.Left) >= d.cfg.Profile.Repeats:
		return d.unrepeated(ctx, f)
	}
	return d.send(ctx, f, id, n.Value, o, fresh)
}

// unrepeated is what becomes of an order that may have left before, at a bank that
// promises nothing of a repeated request: it is looked for, and never sent again.
func (d *Driver) unrepeated(ctx context.Context, f bank.File) outbound.Result {
	r := d.look(ctx, f)
	if r.Outcome == outbound.NotFound {
		r.Outcome, r.Reason, r.Text = outbound.Unknown, outbound.Unsaid, unsaid
	}
	return r
}

const unsaid = "its answer was lost, it does not show among the transactions, and it is not sent again: the bank promises nothing of a repeated request"

// unready is a failure of ours: nothing was sent.
func unready(err error) outbound.Result {
	return outbound.Result{Outcome: outbound.NotSent, Reason: outbound.Cancelled, Text: "it could not be written down that the order leaves", Err: err}
}

// final are the standard's words by which an order is refused and no resource is
// made. They count for an order that left for the first time alone: a second one
// may be refused because of the first.
var final = []string{
	"FORMAT_ERROR", "PARAMETER_NOT_CONSISTENT", "PARAMETER_NOT_SUPPORTED", "SERVICE_INVALID", "PAYMENT_FAILED", "EXECUTION_DATE_INVALID",
	"PRODUCT_INVALID", "PRODUCT_UNKNOWN", "SERVICE_BLOCKED", "TIMESTAMP_INVALID", "PERIOD_INVALID",
}

func (d *Driver) send(ctx context.Context, f bank.File, id, was string, o order, fresh bool) outbound.Result {
	a, r, ok := d.call(ctx, request{http.MethodPost, "/v1/bulk-payments/" + d.cfg.Profile.Product, requestOf(id, f.SHA256), f.Bytes})
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second) // what came of it is kept, whoever left
	defer cancel()
	forget := func() {
		if fresh { // nothing left, so nothing is in the way of the next try
			if _, err := d.cfg.Notes.Swap(ctx, was, bank.Note{Key: batchKey + id}); err != nil {
				r.Err = errors.Join(r.Err, err)
			}
		}
	}
	switch {
	case ok:
		return d.taken(ctx, a, id, was, o)
	case r.Outcome == outbound.NotSent:
		forget()
	case fresh && a.Status >= 400 && a.Status < 500 && slices.Contains(final, r.Code):
		forget()
		r.Outcome, r.Reason = outbound.Declined, ""
	}
	return r
}

// taken reads the answer to an order, and keeps the bank's name of it.
func (d *Driver) taken(ctx context.Context, a outbound.Answer, id, was string, o order) outbound.Result {
	var said struct {
		Payment string `json:"paymentId"`
		Status  string `json:"transactionStatus"`
	}
	err := strict.Object(a.Body, &said)
	if err == nil && (!segment.MatchString(said.Payment) || standings[said.Status] == "") {
		err = fmt.Errorf("the bank names no order: paymentId %q, transactionStatus %q", cut(said.Payment, 40), cut(said.Status, 40))
	}
	if err != nil || a.Status != http.StatusCreated && a.Status != http.StatusOK {
		return outbound.Result{Outcome: outbound.Unknown, Evidence: a.Body, Err: errors.Join(err, fmt.Errorf("the answer is %d", a.Status))}
	}
	o.Payment = said.Payment
	r := outbound.Result{Outcome: outbound.Accepted, PartnerID: said.Payment, Text: said.Status, Evidence: a.Body}
	if _, _, err := d.keep(ctx, id, was, o, false); err != nil {
		r.Err = fmt.Errorf("keep the bank's name of %s: %w", id, err) // its transactions will tell
	}
	return r
}

// status is what the bank says of an order by its own name.
func (d *Driver) status(ctx context.Context, payment string) (a outbound.Answer, status string, r outbound.Result, ok bool) {
	a, r, ok = d.call(ctx, request{method: http.MethodGet, path: "/v1/bulk-payments/" + d.cfg.Profile.Product + "/" + url.PathEscape(payment) + "/status"})
	if !ok {
		return a, "", r, false
	}
	status, err := statusIn(a.Body)
	if err != nil {
		return a, "", outbound.Result{Outcome: outbound.Unknown, Evidence: a.Body, Err: err}, false
	}
	return a, status, r, true
}

// Find asks whether the bank has an order: by its name there, once the bank has
// given it, else among the transactions of the account.
func (d *Driver) Find(ctx context.Context, f bank.File) outbound.Result {
	if f.Name == "HUB-PROBE.xml" { // the port's own: an order that never was
		_, _, r, ok := d.status(ctx, "HUB-PROBE")
		if ok || r.Code == "RESOURCE_UNKNOWN" {
			return outbound.Result{Outcome: outbound.NotFound}
		}
		return r
	}
	id, r, ok := batchOf(f)
	if !ok {
		return r
	}
	o, n, err := d.recall(ctx, id)
	if err != nil {
		return outbound.Result{Outcome: outbound.Unknown, Reason: outbound.Cancelled, Err: err}
	}
	if n.Value == "" || o.Payment == "" || o.SHA256 != f.SHA256 {
		return d.look(ctx, f)
	}
	_, status, r, ok := d.status(ctx, o.Payment)
	switch {
	case ok:
		return outbound.Result{Outcome: outbound.Accepted, PartnerID: o.Payment, Text: status}
	case r.Code == "RESOURCE_UNKNOWN" || r.Code == "RESOURCE_EXPIRED":
		return outbound.Result{Outcome: outbound.Accepted, PartnerID: o.Payment, Code: r.Code, Text: "the bank took it, and does not keep it any more"}
	}
	return r
}

// look looks for an order among the pending and booked transactions of the account
// that it is paid from. One that does not show is missing only if the bank
// promises to show each.
func (d *Driver) look(ctx context.Context, f bank.File) outbound.Result {
	var b bulk
	if err := strict.Object(f.Bytes, &b); err != nil || len(b.Payments) == 0 {
		return unfit("the file is no bulk payment")
	}
	on, err := time.Parse(time.DateOnly, b.On)
	if err != nil {
		return unfit("the file has no day")
	}
	wanted := map[string]string{}
	for _, p := range b.Payments {
		wanted[p.EndToEnd] = p.Amount.Amount
	}
	i := slices.IndexFunc(d.cfg.Accounts, func(a Account) bool { return a.RIB == b.From.rib() })
	if i < 0 {
		return unfit("the account " + b.From.rib() + " has no name at the bank")
	}
	pages, r, ok := d.transactions(ctx, d.cfg.Accounts[i], "both", on.AddDate(0, 0, -10))
	if !ok {
		if r.Outcome == outbound.NotFound {
			r.Outcome = outbound.Unknown
		}
		return r
	}
	for _, p := range pages {
		for _, t := range slices.Concat(p.read.Transactions.Pending, p.read.Transactions.Booked) {
			for _, ref := range t.refs() {
				due, ours := wanted[ref.EndToEnd]
				if !ours {
					continue
				}
				if !same(due, ref.Amount) {
					return outbound.Result{
						Outcome: outbound.Unknown, Reason: outbound.Differs, Evidence: p.raw,
						Text: fmt.Sprintf("%s is paid with %s, not %s", ref.EndToEnd, cut(ref.Amount.Amount, 20), due),
					}
				}
				return outbound.Result{Outcome: outbound.Accepted, Text: "its transactions show"}
			}
		}
	}
	if d.cfg.Profile.Lists {
		return outbound.Result{Outcome: outbound.NotFound}
	}
	return outbound.Result{Outcome: outbound.Unknown, Reason: outbound.Unsaid, Text: "it does not show among the transactions yet"}
}

// same compares an amount of ours with one of the account, whatever its sign.
func same(due string, a amount) bool {
	m, err := money.Parse(due, money.MAD)
	if err != nil {
		return false
	}
	got, err := a.money()
	return err == nil && (got.Equal(m) || got.Equal(m.Neg()))
}
