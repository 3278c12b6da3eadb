package insurer

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"tiwiza/cmd/hubsim/internal/journal"
	"tiwiza/cmd/hubsim/internal/world"
	"tiwiza/pkg/money"
)

// asked is what a quote was asked for.
type asked struct {
	Ref     string      `json:"ref"`
	Product string      `json:"product"`
	Version int         `json:"version"`
	Insured string      `json:"insured"`
	Subject subject     `json:"subject"`
	Sum     money.Money `json:"sum"`
	Start   time.Time   `json:"start"`
	End     time.Time   `json:"end"`
}

type subject struct {
	Kind    string `json:"kind"`
	Ref     string `json:"ref"`
	Commune string `json:"commune,omitempty"`
}

type binding struct {
	Ref     string `json:"ref"`
	Quote   string `json:"quote"`
	Holder  string `json:"holder"`
	Consent struct {
		TextHash string    `json:"text_hash"`
		At       time.Time `json:"at"`
	} `json:"consent"`
	Payment string `json:"premium_payment_ref"`
}

// The last centimes of the sum insured, or of what is claimed, choose what becomes
// of it.
const (
	magicRefused = 1 // not insured; a claim is rejected
	magicWaits   = 2 // pending until the day ends; of a claim papers are asked for first
	magicLost    = 3 // done, and its first answer is lost
	magicBarred  = 4 // quoted, and refused when it is bound
	magicAtOnce  = 7 // of a claim: accepted and paid by itself
)

func magic(m money.Money) int64 { return m.Centimes() % 100 }

// invalid names the field that is wrong.
func invalid(field, why string) answer {
	return no(http.StatusUnprocessableEntity, "invalid", "/"+field+": "+why)
}

// quote gives a price that holds for a day.
func (p *Insurer) quote(tx *journal.Tx, c call) answer {
	var in asked
	if err := json.Unmarshal(c.Body, &in); err != nil {
		return invalid("", err.Error())
	}
	o, ok := productOf(in.Product, in.Version)
	now := p.World.Now()
	switch {
	case !ok:
		return no(http.StatusNotFound, "product_not_found", "There is no such product in this version.")
	case in.Insured == "":
		return invalid("insured", "Name who is insured by a reference of yours.")
	case in.Subject.Kind != o.Kind || in.Subject.Ref == "":
		return invalid("subject", "This product insures a "+o.Kind+".")
	case in.Sum.Currency() != money.MAD || in.Sum.Sign() <= 0:
		return invalid("sum", "Give a sum above nothing, in MAD.")
	case !in.End.After(in.Start):
		return invalid("end", "The cover ends after it begins.")
	case in.Sum.Centimes() > o.Most:
		return answer{Status: http.StatusUnprocessableEntity, Code: "refused", Reason: "sum_too_high", Detail: "The most that is insured is " + money.Dirhams(o.Most).String() + "."}
	case magic(in.Sum) == magicRefused:
		return answer{Status: http.StatusUnprocessableEntity, Code: "refused", Reason: "not_insured", Detail: "This is not insured here."}
	}
	q := quote{ID: fmt.Sprintf("QX%06d", p.World.Next(tx, "insurer_quotes")), Ref: in.Ref, Asked: in, Until: now.Add(72 * time.Hour)}
	if q.Premium, q.Taxes, q.Commission = o.price(in.Sum.Centimes()); q.Premium > in.Sum.Centimes() {
		return answer{Status: http.StatusUnprocessableEntity, Code: "refused", Reason: "sum_too_low", Detail: "The premium would be more than the sum insured."}
	}
	p.quotes.Put(tx, q.Ref, q)
	p.quoted.Put(tx, q.ID, q.Ref)
	return answer{Status: http.StatusCreated, Body: p.wireQuote(q)}
}

// bind makes a policy of a quote.
func (p *Insurer) bind(tx *journal.Tx, c call) answer {
	var in binding
	if err := json.Unmarshal(c.Body, &in); err != nil {
		return invalid("", err.Error())
	}
	ref, _ := p.quoted.Get(tx, in.Quote)
	q, ok := p.quotes.Get(tx, ref)
	now := p.World.Now()
	switch {
	case !ok:
		return no(http.StatusNotFound, "quote_not_found", "There is no such quote.")
	case in.Holder == "":
		return invalid("holder", "Name the holder.")
	case len(in.Consent.TextHash) != 64 || in.Consent.At.IsZero():
		return invalid("consent", "Give the SHA-256 of the text and when it was agreed to.")
	case !refText.MatchString(in.Payment):
		return invalid("premium_payment_ref", "Say under which reference the premium was taken.")
	case q.UsedBy != "" && q.UsedBy != in.Ref:
		return no(http.StatusUnprocessableEntity, "quote_used", "A policy was made of this quote already.")
	case now.After(q.Until):
		return no(http.StatusUnprocessableEntity, "quote_expired", "The quote is over; ask for another.")
	case magic(q.Asked.Sum) == magicBarred:
		return answer{Status: http.StatusUnprocessableEntity, Code: "refused", Reason: "declined_by_underwriter", Detail: "This policy is not issued."}
	}
	q.UsedBy = in.Ref
	p.quotes.Put(tx, q.Ref, q)
	o := policy{
		ID: fmt.Sprintf("PX%06d", p.World.Next(tx, "insurer_policies")), Ref: in.Ref, State: pending, Quote: q, Holder: in.Holder, Payment: in.Payment, BoundAt: now,
	}
	p.did(tx, o.Ref, world.Bind, q.Premium)
	p.move(tx, row{Kind: "premium", Ref: in.Payment, Policy: o.ID, Amount: q.Premium, Commission: q.Commission})
	a := answer{Status: http.StatusCreated, Lost: magic(q.Asked.Sum) == magicLost}
	if magic(q.Asked.Sum) == magicWaits {
		a.Status = http.StatusAccepted
	} else {
		a.Event = p.issue(tx, &o)
	}
	p.policies.Put(tx, o.Ref, o)
	p.named.Put(tx, o.ID, o.Ref)
	a.Body = p.wirePolicy(o)
	return a
}

// issue issues a policy, and tells so.
func (p *Insurer) issue(tx *journal.Tx, o *policy) (event string) {
	o.State, o.Number = active, "EX-"+o.BoundAt.Format("2006")+"-"+o.ID
	if kind, _ := productOf(o.Quote.Asked.Product, o.Quote.Asked.Version); kind.Months > 0 {
		o.PaidUntil = o.Quote.Asked.Start.AddDate(0, kind.Months, 0)
	}
	return p.tell(tx, "policy.issued", o.Ref)
}

// unpaid is for how long a policy goes on without its next premium.
const unpaid = 30 * 24 * time.Hour

// today is a policy as its dates make it now.
func (p *Insurer) today(o policy) policy {
	now := p.World.Now()
	if o.State == active {
		switch {
		case now.After(o.Quote.Asked.End):
			o.State = expired
		case !o.PaidUntil.IsZero() && now.After(o.PaidUntil.Add(unpaid)):
			o.State, o.Reason = lapsed, "The premium was not paid."
		}
	}
	return o
}

// cancel ends a policy: all of the first premium goes back while the cooling-off
// runs or before the cover begins, then nothing.
func (p *Insurer) cancel(tx *journal.Tx, c call, o policy) answer {
	var in struct {
		Ref    string `json:"ref"`
		Reason string `json:"reason"`
	}
	if err := json.Unmarshal(c.Body, &in); err != nil || in.Reason == "" {
		return invalid("reason", "Say why.")
	}
	kind, _ := productOf(o.Quote.Asked.Product, o.Quote.Asked.Version)
	now := p.World.Now()
	back := now.Before(o.Quote.Asked.Start) || now.Before(o.BoundAt.AddDate(0, 0, kind.CoolingOff))
	if o.State != active && o.State != pending || kind.CoolingOff == 0 && !back {
		return no(http.StatusConflict, "not_cancellable", "A policy that is "+o.State+" is not cancelled any more.")
	}
	o.State, o.Reason = cancelled, in.Reason
	if o.Number == "" {
		o.Number = "EX-" + o.ID
	}
	if back {
		o.Refund = o.Quote.Premium
		p.move(tx, row{Kind: "refund", Ref: in.Ref, Policy: o.ID, Amount: o.Refund, Commission: o.Quote.Commission})
	}
	p.policies.Put(tx, o.Ref, o)
	p.did(tx, in.Ref, world.Cancel, o.Refund)
	return answer{Status: http.StatusOK, Body: p.wirePolicy(o), Event: p.tell(tx, "policy.cancelled", o.Ref)}
}

// premium takes note that the premium of a later period was taken.
func (p *Insurer) premium(tx *journal.Tx, c call, o policy) answer {
	var in struct {
		Ref    string      `json:"ref"`
		Amount money.Money `json:"amount"`
	}
	if err := json.Unmarshal(c.Body, &in); err != nil {
		return invalid("amount", err.Error())
	}
	kind, _ := productOf(o.Quote.Asked.Product, o.Quote.Asked.Version)
	switch {
	case kind.Months == 0:
		return no(http.StatusUnprocessableEntity, "invalid", "/period: this policy has one premium for its whole term.")
	case o.State != active && o.State != lapsed:
		return no(http.StatusUnprocessableEntity, "refused", "A policy that is "+o.State+" takes no premium.")
	case !in.Amount.Equal(money.Dirhams(o.Quote.Premium)):
		return invalid("amount", "The premium is "+money.Dirhams(o.Quote.Premium).String()+".")
	}
	o.State, o.Reason, o.PaidUntil = active, "", o.PaidUntil.AddDate(0, kind.Months, 0)
	p.policies.Put(tx, o.Ref, o)
	p.did(tx, in.Ref, world.Premium, o.Quote.Premium)
	p.move(tx, row{Kind: "premium", Ref: in.Ref, Policy: o.ID, Amount: o.Quote.Premium, Commission: o.Quote.Commission})
	return answer{Status: http.StatusOK, Body: wirePremium(c)}
}

func wirePremium(c call) any {
	return map[string]string{"ref": c.Key, "policy": c.Name, "period": c.Period}
}

type observation struct {
	Ref       string `json:"ref"`
	Index     string `json:"index"`
	Source    string `json:"source"`
	Place     string `json:"place"`
	Period    string `json:"period"`
	Value     string `json:"value"`
	Signature string `json:"signature"`
}

// observe looks whether a value makes something due, once for a policy.
func (p *Insurer) observe(tx *journal.Tx, c call, o policy) answer {
	var in observation
	if err := json.Unmarshal(c.Body, &in); err != nil {
		return invalid("", err.Error())
	}
	kind, _ := productOf(o.Quote.Asked.Product, o.Quote.Asked.Version)
	t := kind.Trigger
	value, err := decimal.NewFromString(in.Value)
	switch {
	case t == nil || in.Index != t.Index:
		return invalid("index", "This policy pays by no such index.")
	case err != nil:
		return invalid("value", "Give a decimal.")
	case in.Signature == "" || in.Source == "" || in.Place == "" || in.Period == "":
		return invalid("signature", "An observation has a source, a place, a period and its source's signature.")
	}
	p.did(tx, in.Ref, world.Observation, 0)
	limit := decimal.RequireFromString(t.Threshold)
	if beyond := t.Below && value.LessThan(limit) || !t.Below && value.GreaterThan(limit); !beyond || o.State != active {
		return answer{Status: http.StatusCreated, Body: p.wireObserved(tx, c)}
	}
	k := claim{
		ID: fmt.Sprintf("CX%06d", p.World.Next(tx, "insurer_claims")), Ref: in.Ref, Policy: o.ID, State: accepted, Type: in.Index,
		Text: in.Value + ", " + in.Place + ", " + in.Period, Amount: min(t.Pays, o.Quote.Asked.Sum.Centimes()), At: p.World.Now(), PayAt: p.World.Now().Add(payAfter),
	}
	k.Asked = k.Amount
	p.claims.Put(tx, k.Ref, k)
	o.State = claimed
	p.policies.Put(tx, o.Ref, o)
	return answer{Status: http.StatusCreated, Body: p.wireObserved(tx, c), Event: p.tell(tx, "payout.due", k.Ref)}
}

func (p *Insurer) wireObserved(tx *journal.Tx, c call) any {
	out := map[string]any{"ref": c.Key, "policy": c.Name, "claim": nil}
	if k, ok := p.claims.Get(tx, c.Key); ok {
		out["claim"] = wireClaim(k)
	}
	return out
}

func (p *Insurer) wireQuote(q quote) any {
	o, _ := productOf(q.Asked.Product, q.Asked.Version)
	return map[string]any{
		"id": q.ID, "ref": q.Ref, "premium": money.Dirhams(q.Premium), "taxes": money.Dirhams(q.Taxes), "commission": money.Dirhams(q.Commission),
		"valid_until": q.Until, "documents": p.documents(o),
	}
}

func (p *Insurer) wirePolicy(o policy) any {
	kind, _ := productOf(o.Quote.Asked.Product, o.Quote.Asked.Version)
	out := map[string]any{
		"id": o.ID, "ref": o.Ref, "number": o.Number, "state": o.State, "start": o.Quote.Asked.Start, "end": o.Quote.Asked.End, "refund": money.Dirhams(o.Refund),
		"documents": p.documents(kind),
	}
	if o.Reason != "" {
		out["reason"] = o.Reason
	}
	return out
}

// move notes a movement of the month's statement.
func (p *Insurer) move(tx *journal.Tx, r row) {
	r.Period = p.World.Now().Format("2006-01")
	p.rows.Put(tx, fmt.Sprint(p.World.Next(tx, "insurer_rows")), r)
}

func (p *Insurer) did(tx *journal.Tx, ref, kind string, centimes int64) {
	p.World.Did(tx, world.Executed{Partner: world.Insurer, Ref: ref, Kind: kind, Amount: money.Dirhams(centimes), At: p.World.Now()})
}

// dayEnd issues what is pending, decides what a person has not, and pays what was
// accepted: for certification.
func (p *Insurer) dayEnd(rw http.ResponseWriter, r *http.Request) {
	if !p.letIn(r) {
		refuse(rw, no(http.StatusUnauthorized, "unauthenticated", "Sign in with a valid key."))
		return
	}
	err := p.World.Journal.Update(func(tx *journal.Tx) error {
		for _, o := range p.policies.All(tx) {
			if o.State == pending {
				p.issue(tx, &o)
				p.policies.Put(tx, o.Ref, o)
			}
		}
		for _, k := range p.claims.All(tx) {
			switch {
			case k.State == accepted:
				p.pay(tx, k)
			case !slices.Contains([]string{notified, review}, k.State):
			case k.Asked%100 == magicRefused:
				p.decide(tx, k, decision{Decision: "reject", Reason: "This is not covered."})
			case k.Asked%100 == magicWaits && k.State == notified:
				p.decide(tx, k, decision{Decision: "ask", Papers: []string{"photo"}})
			default:
				p.decide(tx, k, decision{Decision: "accept"})
			}
		}
		return nil
	})
	if err != nil {
		world.Problem(rw, http.StatusInternalServerError, "internal", err.Error())
		return
	}
	world.Answer(rw, http.StatusOK, map[string]string{})
}
