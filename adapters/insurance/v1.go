package insurance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"tiwiza/pkg/outbound"
	"tiwiza/pkg/strict"
	"tiwiza/pkg/webhook"
)

// A Call carries one request of insurance.v1 to an insurer: key is the reference of
// what must happen once. An answer with ok is a 2xx; without, the result says what
// is known by the status alone, and is NotSent for an insurer that did not let us
// in and says so.
type Call func(ctx context.Context, method, path, key string, body []byte) (outbound.Answer, outbound.Result, bool)

// V1 is a Driver of the protocol insurance.v1 (docs/partner), whatever carries its
// requests. It is a Listener and a Prober; see Observing. Whether what it answers
// is about what was asked is for Insurer to say.
type V1 struct {
	name string
	call Call
	keys []string
}

// NewV1 makes a driver. Keys are the public keys, whpk_…, that sign its events.
func NewV1(name string, call Call, keys ...string) *V1 { return &V1{name, call, keys} }

// Observing is V1 at an insurer that pays by an index.
type Observing struct{ *V1 }

var _ interface {
	Driver
	Observer
	Listener
	Prober
} = Observing{}

// Name names the driver.
func (d *V1) Name() string { return d.name }

// final are the codes by which an insurer refuses for good: nothing is, or will be,
// done under this reference.
var final = map[string]int{
	"refused": 422, "invalid": 422, "quote_expired": 422, "quote_used": 422, "product_not_found": 404, "quote_not_found": 404, "not_cancellable": 409,
}

// absent are the codes by which an insurer says that it knows no such thing.
var absent = []string{"policy_not_found", "claim_not_found", "statement_not_found"}

// ask makes a request and reads the object that answers it.
func ask[T any](ctx context.Context, d *V1, method, path, key string, body any) (out T, r outbound.Result) {
	var text []byte
	if body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			return out, unfit(err)
		}
	}
	a, r, ok := d.call(ctx, method, path, key, text)
	if !ok {
		return out, outbound.Refused(a, r, final, absent...)
	}
	var told T
	if err := strict.Object(a.Body, &told); err != nil {
		return out, outbound.Result{Outcome: outbound.Unknown, Evidence: a.Body, Err: fmt.Errorf("read the answer to %s %s: %w", method, path, err)}
	}
	r = outbound.Result{Outcome: outbound.Succeeded, Evidence: a.Body}
	if a.Status == 202 {
		r.Outcome = outbound.Accepted
	}
	return told, r
}

// otherwise is the result of an answer that is about something else.
func otherwise(r outbound.Result, what, got, want string) outbound.Result {
	r.Outcome, r.Err = outbound.Unknown, fmt.Errorf("the answer speaks of the %s %q, want %q", what, outbound.Cut(got, 80), want)
	return r
}

// Products asks for what is offered.
func (d *V1) Products(ctx context.Context) ([]Product, outbound.Result) {
	type list struct {
		Data *[]Product `json:"data"`
	}
	told, r := ask[list](ctx, d, "GET", "/products", "", nil)
	if r.Outcome != outbound.Succeeded {
		return nil, r
	}
	if told.Data == nil {
		r.Outcome, r.Err = outbound.Unknown, errors.New("the list of products has no data")
		return nil, r
	}
	return *told.Data, r
}

// Quote asks for a price.
func (d *V1) Quote(ctx context.Context, a Ask) (Quote, outbound.Result) {
	return ask[Quote](ctx, d, "POST", "/quotes", a.Ref, a)
}

// Bind makes a policy of a quote.
func (d *V1) Bind(ctx context.Context, b Binding) (Policy, outbound.Result) {
	return ask[Policy](ctx, d, "POST", "/policies", b.Ref, b)
}

// FindPolicy asks by our reference.
func (d *V1) FindPolicy(ctx context.Context, ref string) (Policy, outbound.Result) {
	return ask[Policy](ctx, d, "GET", "/policies?ref="+url.QueryEscape(ref), "", nil)
}

// Cancel ends a policy.
func (d *V1) Cancel(ctx context.Context, c Cancellation) (Policy, outbound.Result) {
	return ask[Policy](ctx, d, "POST", "/policies/"+url.PathEscape(c.Policy)+"/cancel", c.Ref, map[string]string{"ref": c.Ref, "reason": c.Reason})
}

// Paid tells that a later premium was taken.
func (d *V1) Paid(ctx context.Context, p Payment) outbound.Result {
	type confirmed struct {
		Ref    string `json:"ref"`
		Policy string `json:"policy"`
		Period string `json:"period"`
	}
	path := "/policies/" + url.PathEscape(p.Policy) + "/premiums/" + url.PathEscape(p.Period) + "/confirm"
	told, r := ask[confirmed](ctx, d, "POST", path, p.Ref, map[string]any{"ref": p.Ref, "amount": p.Amount})
	if got := told.Ref + " " + told.Policy + " " + told.Period; answered(r) && got != p.Ref+" "+p.Policy+" "+p.Period {
		return otherwise(r, "premium", got, p.Ref+" "+p.Policy+" "+p.Period)
	}
	return r
}

// Notify claims under a policy.
func (d *V1) Notify(ctx context.Context, l Loss) (Claim, outbound.Result) {
	return ask[Claim](ctx, d, "POST", "/claims", l.Ref, l)
}

// FindClaim asks by our reference.
func (d *V1) FindClaim(ctx context.Context, ref string) (Claim, outbound.Result) {
	return ask[Claim](ctx, d, "GET", "/claims?ref="+url.QueryEscape(ref), "", nil)
}

// Observe tells one value of an index.
func (d Observing) Observe(ctx context.Context, o Observation) (Claim, outbound.Result) {
	type observed struct {
		Ref    string `json:"ref"`
		Policy string `json:"policy"`
		Claim  *Claim `json:"claim"`
	}
	told, r := ask[observed](ctx, d.V1, "POST", "/policies/"+url.PathEscape(o.Policy)+"/observations", o.Ref, o)
	switch {
	case !answered(r):
		return Claim{}, r
	case told.Ref != o.Ref || told.Policy != o.Policy:
		return Claim{}, otherwise(r, "observation", told.Ref, o.Ref)
	case told.Claim == nil:
		return Claim{Ref: o.Ref, Policy: o.Policy}, r
	}
	return *told.Claim, r
}

// answered says whether an insurer said yes.
func answered(r outbound.Result) bool {
	return r.Outcome == outbound.Succeeded || r.Outcome == outbound.Accepted
}

// mostPages is how many pages a statement has at most.
const mostPages = 200

// Statement reads a month, page by page.
func (d *V1) Statement(ctx context.Context, period string) (Statement, outbound.Result) {
	type page struct {
		Statement
		Next string `json:"next"`
	}
	var whole Statement
	cursor := ""
	for n := range mostPages {
		told, r := ask[page](ctx, d, "GET", "/statements?period="+url.QueryEscape(period)+cursor, "", nil)
		switch {
		case r.Outcome != outbound.Succeeded:
			if n > 0 && r.Outcome == outbound.NotFound { // it was there a moment ago
				r.Outcome = outbound.Unknown
			}
			return Statement{}, r
		case told.Period != period:
			return Statement{}, otherwise(r, "statement of", told.Period, period)
		case n > 0 && !whole.continues(told.Statement):
			return Statement{}, otherwise(r, "statement", told.ID, whole.ID)
		}
		told.Rows = append(whole.Rows, told.Rows...)
		if whole = told.Statement; told.Next == "" {
			return whole, outbound.Result{Outcome: outbound.Succeeded, Evidence: r.Evidence}
		}
		cursor = "&cursor=" + url.QueryEscape(told.Next)
	}
	err := fmt.Errorf("the statement of %s does not end after %d pages", period, mostPages)
	return Statement{}, outbound.Result{Outcome: outbound.Unknown, Err: err}
}

// continues says whether another page is of the same statement.
func (s Statement) continues(o Statement) bool {
	return s.ID == o.ID && s.Premiums.Equal(o.Premiums) && s.Commission.Equal(o.Commission) && s.Claims.Equal(o.Claims) && s.Due.Equal(o.Due)
}

// Probe asks for a claim that never was: whoever says so is well.
func (d *V1) Probe(ctx context.Context) outbound.Result {
	_, r := d.FindClaim(ctx, probe)
	return r
}

// MaxEvent bounds the body of an event.
const MaxEvent = 64 << 10

// kinds are the events of the protocol.
var kinds = []string{"policy.issued", "policy.cancelled", "claim.updated", "payout.due", "payout.sent"}

// Heard reads an event that one of the insurer's keys signed lately, by Standard
// Webhooks: ErrForged, ErrUnreadable.
func (d *V1) Heard(header map[string][]string, body []byte) (e Event, err error) {
	if len(body) > MaxEvent {
		return e, ErrUnreadable.With(fmt.Errorf("%d bytes are too many", len(body)))
	}
	s := webhook.Signed{ID: only(header, "webhook-id"), Timestamp: only(header, "webhook-timestamp"), Signature: only(header, "webhook-signature"), Body: body}
	if !s.By(webhook.Now(), d.keys...) {
		return e, ErrForged
	}
	var said struct {
		Type string `json:"type"`
		Data struct {
			Ref string `json:"ref"`
		} `json:"data"`
	}
	if err := strict.Object(body, &said); err != nil {
		return e, ErrUnreadable.With(err)
	}
	if !slices.Contains(kinds, said.Type) || !refShape.MatchString(said.Data.Ref) || len(s.ID) > 200 {
		return e, ErrUnreadable.With(fmt.Errorf("an event %q about %q", outbound.Cut(said.Type, 40), outbound.Cut(said.Data.Ref, 40)))
	}
	return Event{ID: s.ID, Kind: said.Type, Ref: said.Data.Ref}, nil
}

// only is a header that came once, whatever its case; else "".
func only(header map[string][]string, name string) (found string) {
	n := 0
	for k, all := range header {
		if strings.EqualFold(k, name) {
			for _, v := range all {
				found, n = v, n+1
			}
		}
	}
	if n != 1 {
		return ""
	}
	return found
}
