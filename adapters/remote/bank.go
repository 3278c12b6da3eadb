package remote

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"tiwiza/adapters/bank"
	"tiwiza/pkg/money"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/strict"
)

// Bank speaks bank.v1 behind the bank's port: a file is a batch that is posted
// under its own id, and what the bank puts out are messages that wait until
// they are acknowledged.
type Bank struct{ n *Connector }

// NewBank is the driver of a connector that speaks bank.v1.
func NewBank(n *Connector) *Bank { return &Bank{n} }

const (
	batches  = "/bank/v1/batches"
	messages = "/bank/v1/messages"
	// waits is the folder, so to speak, that messages stand in.
	waits = "messages"
	// most is how many messages are fetched at a time; the rest come next time.
	most = 50
)

// party is an account as the protocol writes it.
type party struct {
	RIB  string `json:"rib"`
	Name string `json:"name"`
	BIC  string `json:"bic,omitempty"`
}

// payment is one order to pay.
type payment struct {
	Ref    string      `json:"ref"`
	Amount money.Money `json:"amount"`
	To     party       `json:"to"`
	Info   string      `json:"info,omitempty"`
}

// batch is the body of POST /bank/v1/batches, in this order of fields.
type batch struct {
	ID       string      `json:"id"`
	Created  string      `json:"created_at"`
	Execute  string      `json:"execute_on"`
	From     party       `json:"from"`
	Count    int         `json:"count"`
	Total    money.Money `json:"total"`
	Payments []payment   `json:"payments"`
}

func partyOf(a bank.Account) party { return party{a.RIB, a.Name, a.BIC} }

// Render makes the body of a batch; the same batch always makes the same bytes.
func (d *Bank) Render(b bank.Batch) (bank.File, error) {
	out := batch{
		ID: b.ID, Created: b.Created.UTC().Format(time.RFC3339), Execute: b.Execute.Format(time.DateOnly), From: partyOf(b.From),
		Count: len(b.Transfers), Total: money.Dirhams(0), Payments: make([]payment, len(b.Transfers)),
	}
	for i, t := range b.Transfers {
		out.Payments[i] = payment{t.Ref, t.Amount, partyOf(t.To), cut(t.Info, 140)}
		out.Total = out.Total.Add(t.Amount)
	}
	body, err := json.Marshal(out)
	if err == nil && len(body) > outbound.MaxAnswer {
		err = bank.ErrInvalid.At("/transfers", "a batch has at most 1 MiB")
	}
	return bank.File{Name: "BATCH_" + b.ID + ".json", Bytes: body, SHA256: digest(body)}, err
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

var batchName = regexp.MustCompile(`^BATCH_([A-Za-z0-9][A-Za-z0-9_-]{0,34})\.json$`)

// named is the id of the batch in a file.
func named(f bank.File) (id string, r outbound.Result, ok bool) {
	m := batchName.FindStringSubmatch(f.Name)
	if m == nil {
		return "", unfit("the name " + f.Name + " is no batch's"), false
	}
	return m[1], outbound.Result{}, true
}

func unfit(why string) outbound.Result {
	return outbound.Result{Outcome: outbound.NotSent, Reason: outbound.Unfit, Err: errors.New(why)}
}

// standing is what the bank says of a batch.
type standing struct {
	ID     string `json:"id"`
	SHA256 string `json:"sha256"`
	State  string `json:"state"`
}

// is says whether it speaks of that very batch.
func (s standing) is(id, sum string) bool { return s.ID == id && strings.EqualFold(s.SHA256, sum) }

// Publish posts a batch under its own id as the key. Accepted is only an answer
// that repeats the id and the hash of what was sent; refused for good only the
// codes refused and invalid.
func (d *Bank) Publish(ctx context.Context, f bank.File) outbound.Result {
	id, r, ok := named(f)
	if !ok {
		return r
	}
	if digest(f.Bytes) != f.SHA256 {
		return unfit("the bytes are not those of the hash")
	}
	a, r, ok := d.n.call(ctx, request{http.MethodPost, batches, id, f.Bytes})
	if ok {
		return taken(a, r.Evidence, id, f.SHA256)
	}
	p := problem(a)
	r.Text = p.Detail
	switch {
	case a.Status == http.StatusUnprocessableEntity && (p.Code == "refused" || p.Code == "invalid"):
		return outbound.Result{Outcome: outbound.Declined, Code: refusal(p), Text: p.Detail, Evidence: r.Evidence}
	case p.Code != "":
		r.Code = p.Code
	}
	return r
}

// refusal is the word by which a batch was refused.
func refusal(p Problem) string {
	if p.Reason != "" {
		return p.Reason
	}
	return p.Code
}

// taken reads the answer to a batch, or about one.
func taken(a outbound.Answer, evidence []byte, id, sum string) outbound.Result {
	var s standing
	if err := strict.Object(a.Body, &s); err != nil || !s.is(id, sum) {
		err = fmt.Errorf("the connector speaks of another batch than %s: %w", id, errors.Join(err, errors.New("its id and sha256 must be ours")))
		return outbound.Result{Outcome: outbound.Unknown, Evidence: evidence, Err: err}
	}
	return outbound.Result{Outcome: outbound.Accepted, PartnerID: s.ID, Text: cut(s.State, 40), Evidence: evidence}
}

// Find asks whether the bank has a batch. One that it does not know any more and
// has reported on is not missing.
func (d *Bank) Find(ctx context.Context, f bank.File) outbound.Result {
	if f.Name == "HUB-PROBE.xml" { // the port's own: a batch that never was
		f.Name = "BATCH_HUB-PROBE.json"
	}
	id, r, ok := named(f)
	if !ok {
		return r
	}
	a, r, ok := d.n.call(ctx, request{method: http.MethodGet, path: batches + "/" + id})
	if ok {
		return taken(a, r.Evidence, id, f.SHA256)
	}
	if a.Status != http.StatusNotFound || problem(a).Code != "batch_not_found" {
		return r
	}
	listed, r, err := d.list(ctx, "&batch="+url.QueryEscape(id))
	switch {
	case err != nil:
		return r
	case len(listed) > 0:
		return outbound.Result{Outcome: outbound.Accepted, PartnerID: id, Text: "it was reported on"}
	}
	return outbound.Result{Outcome: outbound.NotFound}
}

// listing is one message that waits.
type listing struct {
	ID     string `json:"id"`
	SHA256 string `json:"sha256"`
}

var messageName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$`)

// list is what waits, oldest first.
func (d *Bank) list(ctx context.Context, more string) ([]listing, outbound.Result, error) {
	a, r, ok := d.n.call(ctx, request{method: http.MethodGet, path: fmt.Sprintf("%s?limit=%d%s", messages, most, more)})
	if !ok {
		if r.Outcome == outbound.NotFound || r.Outcome == outbound.Accepted {
			r.Outcome = outbound.Unknown
		}
		return nil, r, because(r)
	}
	var said struct {
		Data *[]listing `json:"data"`
	}
	err := strict.Object(a.Body, &said)
	if err == nil && said.Data == nil {
		err = errors.New("there is no data")
	}
	for i := 0; err == nil && i < len(*said.Data); i++ {
		if l := (*said.Data)[i]; !messageName.MatchString(l.ID) || len(l.SHA256) != 2*sha256.Size {
			err = fmt.Errorf("message %q has no proper id and sha256", cut(l.ID, 80))
		}
	}
	if err != nil {
		err = fmt.Errorf("read the list of messages: %w", err)
		return nil, outbound.Result{Outcome: outbound.Unknown, Evidence: r.Evidence, Err: err}, err
	}
	return *said.Data, outbound.Result{}, nil
}

// because is a failed call as an error that keeps its reason.
func because(r outbound.Result) error {
	err := r.Err
	if err == nil {
		err = errors.New(r.Text)
	}
	if r.Reason == "" {
		return err
	}
	return outbound.Because(r.Reason, err)
}

// Waiting fetches what the bank put out: whole messages only, whose hash is the
// listed one; the others come next time.
func (d *Bank) Waiting(ctx context.Context) ([]bank.Received, error) {
	listed, _, err := d.list(ctx, "")
	if err != nil {
		return nil, err
	}
	var out []bank.Received
	for _, l := range listed {
		a, r, ok := d.n.call(ctx, request{method: http.MethodGet, path: messages + "/" + url.PathEscape(l.ID)})
		if !ok {
			return nil, because(r)
		}
		if digest(a.Body) == strings.ToLower(l.SHA256) {
			out = append(out, bank.Received{Dir: waits, Name: l.ID, Bytes: a.Body, SHA256: digest(a.Body)})
		}
	}
	return out, nil
}

// Archive acknowledges a message; doing it again is harmless.
func (d *Bank) Archive(ctx context.Context, m bank.Received) error {
	if m.Dir != waits || !messageName.MatchString(m.Name) {
		return fmt.Errorf("%q in %q is no message of this connector", m.Name, m.Dir)
	}
	body, err := json.Marshal(map[string]string{"sha256": m.SHA256})
	if err != nil {
		return err
	}
	a, r, ok := d.n.call(ctx, request{http.MethodPost, messages + "/" + url.PathEscape(m.Name) + "/acknowledge", m.Name + "-" + m.SHA256[:min(16, len(m.SHA256))], body})
	if !ok && !(a.Status == http.StatusNotFound && problem(a).Code == "message_not_found") { // acknowledged long ago
		return because(r)
	}
	return nil
}
