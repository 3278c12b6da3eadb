package policies

import (
	"context"
	"time"

	"tiwiza/adapters/insurance"
	"tiwiza/pkg/event"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

// ProductMoved says that a version of a product was offered, or decided on.
type ProductMoved struct {
	Product string       `json:"product"`
	Insurer string       `json:"insurer"`
	Code    string       `json:"code"`
	Number  int          `json:"number"`
	State   ProductState `json:"state"`
	Note    string       `json:"note,omitempty"`
}

// EventType names the event.
func (ProductMoved) EventType() string { return "policies.product_moved" }

// Subject is the product's version.
func (e ProductMoved) Subject() string { return e.Product }

func (p Product) moved() ProductMoved {
	return ProductMoved{p.ID, p.Insurer, p.Code, p.Number, p.State, p.Note}
}

// QuoteMoved says that an insurer has answered.
type QuoteMoved struct {
	Quote   string      `json:"quote"`
	Member  string      `json:"member"`
	State   QuoteState  `json:"state"`
	Premium money.Money `json:"premium"`
	Why     string      `json:"why,omitempty"`
}

// EventType names the event.
func (QuoteMoved) EventType() string { return "policies.quote_moved" }

// Subject is the quote.
func (e QuoteMoved) Subject() string { return e.Quote }

func (q Quote) moved() QuoteMoved {
	return QuoteMoved{q.ID, q.Member, q.State, q.money(q.Premium), q.Why}
}

// PolicyMoved says that a policy was asked for, bound or refused, or has ended.
type PolicyMoved struct {
	Policy  string                `json:"policy"`
	Member  string                `json:"member"`
	Insurer string                `json:"insurer"`
	State   insurance.PolicyState `json:"state"`
	Premium money.Money           `json:"premium"`
	Refund  money.Money           `json:"refund"`
	Why     string                `json:"why,omitempty"`
}

// EventType names the event.
func (PolicyMoved) EventType() string { return "policies.policy_moved" }

// Subject is the policy.
func (e PolicyMoved) Subject() string { return e.Policy }

func (p Policy) moved() PolicyMoved {
	return PolicyMoved{p.ID, p.Member, p.Insurer, p.State, p.money(p.Premium), p.money(p.Refund), p.Why}
}

// PolicyTold reminds a member of its policy: a premium is due soon, was taken or
// could not be, or the policy ends.
type PolicyTold struct {
	Policy  string      `json:"policy"`
	Member  string      `json:"member"`
	What    string      `json:"what"` // premium_due, premium_taken, premium_short, ending
	Premium money.Money `json:"premium"`
	At      time.Time   `json:"at"`
}

// EventType names the event.
func (PolicyTold) EventType() string { return "policies.policy_told" }

// Subject is the policy.
func (e PolicyTold) Subject() string { return e.Policy }

func (p Policy) told(what string, at *time.Time) PolicyTold {
	return PolicyTold{p.ID, p.Member, what, p.money(p.Premium), at.UTC()}
}

// ClaimMoved says that a claim was declared, or what its insurer said, or that its
// money has come.
type ClaimMoved struct {
	Claim    string               `json:"claim"`
	Policy   string               `json:"policy"`
	Member   string               `json:"member"`
	Insurer  string               `json:"insurer"`
	State    insurance.ClaimState `json:"state"`
	Accepted *money.Money         `json:"accepted,omitempty"`
	Asks     []string             `json:"asks,omitempty"`
	Why      string               `json:"why,omitempty"`
}

// EventType names the event.
func (ClaimMoved) EventType() string { return "policies.claim_moved" }

// Subject is the claim.
func (e ClaimMoved) Subject() string { return e.Claim }

func (c Claim) moved() ClaimMoved {
	e := ClaimMoved{Claim: c.ID, Policy: c.Policy, Member: c.Member, Insurer: c.Insurer, State: c.State, Asks: c.Asks, Why: c.Why}
	if c.Accepted != nil {
		m := c.money(*c.Accepted)
		e.Accepted = &m
	}
	return e
}

// ClaimLate says that an insurer has not answered a claim in time.
type ClaimLate struct {
	Claim    string    `json:"claim"`
	Policy   string    `json:"policy"`
	Member   string    `json:"member"`
	Insurer  string    `json:"insurer"`
	AnswerBy time.Time `json:"answer_by"`
}

// EventType names the event.
func (ClaimLate) EventType() string { return "policies.claim_late" }

// Subject is the claim.
func (e ClaimLate) Subject() string { return e.Claim }

// StatementRead says that an insurer's statement was compared with the books.
type StatementRead struct {
	Statement string `json:"statement"`
	Insurer   string `json:"insurer"`
	Period    string `json:"period"`
	Rows      int    `json:"rows"`
	Matched   int    `json:"matched"`
	Breaks    int    `json:"breaks"`
}

// EventType names the event.
func (StatementRead) EventType() string { return "policies.statement_read" }

// Subject is the statement.
func (e StatementRead) Subject() string { return e.Statement }

// GapFound says that an insurer and the market say different things: for the
// operator.
type GapFound struct {
	Gap     string `json:"break"`
	Insurer string `json:"insurer"`
	Kind    string `json:"kind"`
	Ref     string `json:"ref"`
	Detail  string `json:"detail"`
}

// EventType names the event.
func (GapFound) EventType() string { return "policies.break_found" }

// Subject is the break.
func (e GapFound) Subject() string { return e.Gap }

// Tell publishes what members hear of their insurance.
func Tell(bus *event.Bus) {
	event.Tell(bus, 1, "An insurer has answered what it would take for an insurance.", func(_ context.Context, _ *pg.Tx, e QuoteMoved) (map[string]QuoteMoved, error) {
		return map[string]QuoteMoved{e.Member: e}, nil
	})
	event.Tell(bus, 1, "A policy was asked for, bound or refused, or has ended.", func(_ context.Context, _ *pg.Tx, e PolicyMoved) (map[string]PolicyMoved, error) {
		return map[string]PolicyMoved{e.Member: e}, nil
	})
	event.Tell(bus, 1, "A premium is due soon, was taken or could not be, or a policy ends soon.", func(_ context.Context, _ *pg.Tx, e PolicyTold) (map[string]PolicyTold, error) {
		return map[string]PolicyTold{e.Member: e}, nil
	})
	event.Tell(bus, 1, "A claim was declared, its insurer has said something, or its money has come.", func(_ context.Context, _ *pg.Tx, e ClaimMoved) (map[string]ClaimMoved, error) {
		return map[string]ClaimMoved{e.Member: e}, nil
	})
	event.Tell(bus, 1, "An insurer has not answered a claim in time.", func(_ context.Context, _ *pg.Tx, e ClaimLate) (map[string]ClaimLate, error) {
		return map[string]ClaimLate{e.Member: e}, nil
	})
}
