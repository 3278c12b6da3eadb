package insurer

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"time"

	"tiwiza/cmd/hubsim/internal/journal"
	"tiwiza/cmd/hubsim/internal/provider"
	"tiwiza/cmd/hubsim/internal/world"
	"tiwiza/pkg/money"
)

// A paper is evidence of a loss.
type paper struct {
	Kind   string `json:"kind"`
	URL    string `json:"url"`
	SHA256 string `json:"sha256"`
}

type loss struct {
	Ref         string      `json:"ref"`
	Policy      string      `json:"policy"`
	At          time.Time   `json:"event_at"`
	Type        string      `json:"type"`
	Description string      `json:"description"`
	Amount      money.Money `json:"amount"`
	Evidence    []paper     `json:"evidence"`
}

// notify takes a claim.
func (p *Insurer) notify(tx *journal.Tx, c call) answer {
	var in loss
	if err := json.Unmarshal(c.Body, &in); err != nil {
		return invalid("", err.Error())
	}
	ref, _ := p.named.Get(tx, in.Policy)
	o, ok := p.policies.Get(tx, ref)
	switch o = p.today(o); {
	case !ok:
		return no(http.StatusNotFound, "policy_not_found", "There is no such policy.")
	case o.State != active && o.State != expired:
		return no(http.StatusUnprocessableEntity, "refused", "A policy that is "+o.State+" pays nothing.")
	case in.At.Before(o.Quote.Asked.Start.Add(-time.Minute)) || in.At.After(o.Quote.Asked.End):
		return answer{Status: http.StatusUnprocessableEntity, Code: "refused", Reason: "out_of_term", Detail: "It happened outside the term of the policy."}
	case in.Amount.Currency() != money.MAD || in.Amount.Sign() <= 0:
		return invalid("amount", "Claim more than nothing, in MAD.")
	case in.Type == "":
		return invalid("type", "Say what happened.")
	}
	k := claim{
		ID: fmt.Sprintf("CX%06d", p.World.Next(tx, "insurer_claims")), Ref: in.Ref, Policy: o.ID, State: notified, Type: in.Type, Text: in.Description,
		Asked: in.Amount.Centimes(), Papers: in.Evidence, At: p.World.Now(),
	}
	p.claims.Put(tx, k.Ref, k)
	p.did(tx, k.Ref, world.Claim, k.Asked)
	a := answer{Status: http.StatusCreated, Lost: magic(in.Amount) == magicLost}
	if magic(in.Amount) == magicAtOnce {
		k = p.decide(tx, k, decision{Decision: "accept"})
	} else {
		a.Event = p.tell(tx, "claim.updated", k.Ref)
	}
	a.Body = wireClaim(k)
	return a
}

func wireClaim(k claim) any {
	out := map[string]any{"id": k.ID, "ref": k.Ref, "policy": k.Policy, "state": k.State, "asks": append([]string{}, k.Asks...)}
	if k.Reason != "" {
		out["reason"] = k.Reason
	}
	if k.State == accepted || k.State == paid {
		out["amount"] = money.Dirhams(k.Amount)
	}
	if k.State == paid {
		out["transfer_ref"] = k.Transfer
	}
	return out
}

// A decision is what a person of the insurer does with a claim.
type decision struct {
	Ref      string   `json:"ref"`
	Decision string   `json:"decision"` // accept, reject, ask, pay
	Amount   string   `json:"amount"`   // of what is accepted; all that is owed when left out
	Reason   string   `json:"reason"`
	Papers   []string `json:"papers"`
}

var errDecision = errors.New("give ref and decision: accept (with amount), reject (with reason), ask (with papers) or pay; a claim that was decided is not decided again")

// owed is what a policy owes for a claim: up to the sum insured, less the excess.
func (p *Insurer) owed(tx *journal.Tx, k claim) int64 {
	ref, _ := p.named.Get(tx, k.Policy)
	o, _ := p.policies.Get(tx, ref)
	kind, _ := productOf(o.Quote.Asked.Product, o.Quote.Asked.Version)
	return max(0, min(k.Asked, o.Quote.Asked.Sum.Centimes())-kind.Excess)
}

// decide does what a person decided, and tells so.
func (p *Insurer) decide(tx *journal.Tx, k claim, d decision) claim {
	event := "claim.updated"
	switch d.Decision {
	case "accept":
		k.State, k.Asks, k.Reason, k.Amount = accepted, nil, "", p.owed(tx, k)
		if m, err := money.Parse(d.Amount, money.MAD); err == nil {
			k.Amount = m.Centimes()
		}
		if k.Amount <= 0 {
			k.State, k.Amount, k.Reason = rejected, 0, "The loss is below the excess."
			break
		}
		k.PayAt, event = p.World.Now().Add(payAfter), "payout.due"
	case "reject":
		k.State, k.Asks, k.Reason = rejected, nil, d.Reason
	case "ask":
		k.State, k.Asks, k.Reason = review, slices.Clone(d.Papers), d.Reason
	}
	p.claims.Put(tx, k.Ref, k)
	p.tell(tx, event, k.Ref)
	return k
}

// pay sends the money of a claim to the hub's account at the bank; by the fault
// same_ref_other_amount a dirham less than was accepted.
func (p *Insurer) pay(tx *journal.Tx, k claim) {
	sent := k.Amount
	if p.World.Take(tx, world.Insurer, "same_ref_other_amount") != "" {
		sent = max(1, sent-1_00)
	}
	k.State, k.Transfer, k.PayAt = paid, "CLM"+k.ID, time.Time{}
	p.claims.Put(tx, k.Ref, k)
	p.bank.Pays(tx, k.Transfer, "SINISTRE "+k.ID+" "+k.Ref, sent)
	p.did(tx, k.Ref, world.ClaimPaid, sent)
	p.move(tx, row{Kind: "claim", Ref: k.Ref, Policy: k.Policy, Amount: k.Amount})
	if ref, ok := p.named.Get(tx, k.Policy); ok {
		o, _ := p.policies.Get(tx, ref)
		if kind, _ := productOf(o.Quote.Asked.Product, o.Quote.Asked.Version); kind.Line == "parcel" && o.State == active {
			o.State = claimed // a parcel is lost once
			p.policies.Put(tx, o.Ref, o)
		}
	}
	p.tell(tx, "payout.sent", k.Ref)
	slog.Info("insurer pays", "claim", k.ID, "ref", k.Ref, "amount", money.Dirhams(sent).String())
}

// Act does what is due by itself: calls that were late, and claims that are to be
// paid.
func (p *Insurer) Act() error {
	now := p.World.Now()
	var due bool
	p.World.Journal.View(func(tx *journal.Tx) {
		due = slices.ContainsFunc(p.late.All(tx), func(l late) bool { return !l.Due.After(now) }) ||
			slices.ContainsFunc(p.claims.All(tx), func(k claim) bool { return k.State == accepted && !k.PayAt.After(now) })
	})
	if !due {
		return nil
	}
	return p.World.Journal.Update(func(tx *journal.Tx) error {
		for _, l := range p.late.All(tx) {
			if !l.Due.After(now) {
				p.late.Delete(tx, l.ID)
				p.once(tx, l.Call)
			}
		}
		for _, k := range p.claims.All(tx) {
			if k.State == accepted && !k.PayAt.After(now) {
				p.pay(tx, k)
			}
		}
		return nil
	})
}

// postDecision lets a person decide a claim.
func (p *Insurer) postDecision(rw http.ResponseWriter, r *http.Request) {
	var in decision
	if !world.Read(rw, r, &in) {
		return
	}
	k, err := p.decided(in)
	switch {
	case errors.Is(err, errDecision):
		world.Problem(rw, http.StatusUnprocessableEntity, "sim.decision", err.Error())
	case err != nil:
		world.Problem(rw, http.StatusInternalServerError, "sim.journal", err.Error())
	default:
		world.Answer(rw, http.StatusOK, wireClaim(k))
	}
}

// decided does a decision, if it can be done.
func (p *Insurer) decided(d decision) (k claim, err error) {
	err = p.World.Journal.Update(func(tx *journal.Tx) error {
		var ok bool
		k, ok = p.claims.Get(tx, d.Ref)
		open := ok && (k.State == notified || k.State == review)
		amount, wrong := money.Parse(d.Amount, money.MAD)
		switch {
		case d.Decision == "pay" && ok && k.State == accepted:
			p.pay(tx, k)
			k, _ = p.claims.Get(tx, d.Ref)
			return nil
		case !open, d.Amount != "" && (wrong != nil || amount.Sign() <= 0 || d.Decision != "accept"):
			return errDecision
		case d.Decision != "accept" && d.Decision != "reject" && d.Decision != "ask", d.Decision == "reject" && d.Reason == "", d.Decision == "ask" && len(d.Papers) == 0:
			return errDecision
		}
		k = p.decide(tx, k, d)
		return nil
	})
	return k, err
}

// statementPage is how many rows one answer has.
const statementPage = 500

// getStatement answers a month; its sums are those of its rows, but for a fault.
func (p *Insurer) getStatement(rw http.ResponseWriter, r *http.Request) {
	period := r.URL.Query().Get("period")
	from, err := strconv.Atoi(r.URL.Query().Get("cursor"))
	if err != nil || from < 0 {
		from = 0
	}
	fault := ""
	if p.letIn(r) {
		if fault, err = p.World.TakeNow(world.Insurer, "statement_missing", "statement_twice", "statement_net_of_fee"); err != nil {
			world.Problem(rw, http.StatusInternalServerError, "internal", err.Error())
			return
		}
	}
	p.ask(rw, r, "statement_not_found", "", func(tx *journal.Tx) (any, bool) {
		var rows []row
		for _, m := range p.rows.All(tx) {
			if m.Period == period {
				rows = append(rows, m)
			}
		}
		if fault == "statement_twice" {
			rows = append(rows, rows...)
		}
		if len(rows) == 0 || fault == "statement_missing" {
			return nil, false
		}
		return statement(period, rows, from, fault == "statement_net_of_fee"), true
	})
}

// statement is a page of a month's rows, with the sums of all. Net of fee a premium
// is told without the commission that stayed with the distributor.
func statement(period string, rows []row, from int, net bool) any {
	var premiums, commission, claims, due int64
	wire := []any{}
	for n, r := range rows {
		switch r.Kind {
		case "premium":
			premiums, commission, due = premiums+r.Amount, commission+r.Commission, due+r.Amount-r.Commission
		case "refund":
			commission, due = commission-r.Commission, due-r.Amount+r.Commission
		case "claim":
			claims += r.Amount
		}
		if n < from || n >= from+statementPage {
			continue
		}
		amount := r.Amount
		if net && r.Kind == "premium" {
			amount -= r.Commission
		}
		wire = append(wire, map[string]any{"kind": r.Kind, "ref": r.Ref, "policy": r.Policy, "amount": money.Dirhams(amount), "commission": money.Dirhams(r.Commission)})
	}
	out := map[string]any{
		"id": "SX-" + period, "period": period, "rows": wire, "premiums": money.Dirhams(premiums), "commission": money.Dirhams(commission),
		"claims": money.Dirhams(claims), "due": money.Dirhams(due),
	}
	if from+statementPage < len(rows) {
		out["next"] = strconv.Itoa(from + statementPage)
	}
	return out
}

// postEvents says where events are told.
func (p *Insurer) postEvents(rw http.ResponseWriter, r *http.Request) {
	var in struct {
		URL string `json:"url"`
	}
	if !world.Read(rw, r, &in) {
		return
	}
	if in.URL != "" && provider.WebAddress(in.URL) == "" {
		world.Problem(rw, http.StatusUnprocessableEntity, "sim.url", "url is an address, or nothing")
		return
	}
	err := p.World.Journal.Update(func(tx *journal.Tx) error {
		p.events.Put(tx, "url", in.URL)
		return nil
	})
	if err != nil {
		world.Problem(rw, http.StatusInternalServerError, "sim.journal", err.Error())
		return
	}
	world.Answer(rw, http.StatusOK, in)
}
