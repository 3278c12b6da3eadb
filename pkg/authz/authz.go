// Package authz says who may do what: the charter of the market as Cedar
// policies, which an auditor can read in policies/. What no policy permits is
// denied.
package authz

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"slices"
	"sync"

	"github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/types"

	"tiwiza/pkg/auth"
	"tiwiza/pkg/fault"
)

//go:embed policies/*.cedar
var files embed.FS

// ErrDenied says that no policy lets the principal do this, or that one
// forbids it.
var ErrDenied = fault.New(fault.Denied, "auth.denied", "You may not do this; ask the market's operator if you should.")

// What a person who signed in is asked for before it may go on; see Load.
var (
	ErrPasskey = fault.New(fault.Denied, "auth.passkey", "Sign in with a passkey to do this; add one to your account first if you have none.")
	ErrStepUp  = fault.New(fault.Denied, "auth.step_up", "Show once more that it is you, with your passkey or a fresh code, and send this again.")
)

// asks are the errors that policies name with @asks, the first to be said first.
var asks = []struct {
	name string
	err  *fault.Error
}{{"passkey", ErrPasskey}, {"step_up", ErrStepUp}}

// A Resource is what an action touches, by the subjects that own it. The zero
// Resource is not yet known: it asks whether such a principal may call the
// action at all. Once one owner is given, "" means that there is none of that
// kind, so half an answer never lets a stranger in.
type Resource struct{ Seller, Buyer string }

// Policies are the market's rules, compiled. They never change while a hub
// runs, and many goroutines may ask at once.
type Policies struct {
	rules map[question]cedar.PolicyMap // only those that can speak to a question
	edge  map[question]answer          // for the zero Resource, of API keys
	acts  []string
	asks  map[string]*fault.Error // by policy: what would satisfy it

	proved sync.Map // provedQuestion → answer: the edge of sessions

	charters charters // what charters forbid besides
}

// A provedQuestion is one that somebody asks who signed in.
type provedQuestion struct {
	question
	proof auth.Proof
}

type question struct {
	role   auth.Role
	action string
}

type answer struct {
	policy string
	may    bool
	asks   *fault.Error // what the caller may do about it
}

// New compiles the policies that are built in.
func New() (*Policies, error) {
	sub, err := fs.Sub(files, "policies")
	if err != nil {
		return nil, err
	}
	return Load(sub)
}

// roles are all that policies speak of.
var roles = []auth.Role{auth.Guest, auth.Buyer, auth.Seller, auth.Operator, auth.Bank, auth.Insurer, auth.Institution, auth.Provider, auth.Courier, auth.System}

// Load compiles the *.cedar files of a folder. Each policy has an @id of its
// own and names its actions. A forbid with @asks("passkey") or @asks("step_up") is
// lifted by that proof, and the refusal says so to those whom the rest permits.
func Load(dir fs.FS) (*Policies, error) {
	p := &Policies{rules: map[question]cedar.PolicyMap{}, edge: map[question]answer{}, asks: map[string]*fault.Error{}}
	names, err := fs.Glob(dir, "*.cedar")
	if err != nil {
		return nil, err
	}
	seen := map[string]string{}
	for _, name := range names {
		b, err := fs.ReadFile(dir, name)
		if err != nil {
			return nil, err
		}
		list, err := cedar.NewPolicyListFromBytes(name, b)
		if err != nil {
			return nil, fmt.Errorf("read policies of %s: %w", name, err)
		}
		for _, rule := range list {
			id := string(rule.Annotations()["id"])
			if id == "" || seen[id] != "" {
				return nil, fmt.Errorf("%s: a policy at line %d has no @id of its own (%q)", name, rule.Position().Line, id)
			}
			seen[id] = name
			if err := p.add(id, rule); err != nil {
				return nil, fmt.Errorf("%s: %s: %w", name, id, err)
			}
		}
	}
	slices.Sort(p.acts)
	p.acts = slices.Compact(p.acts)
	for q := range p.rules {
		p.edge[q] = p.decide(q, auth.Proof{}, "", Resource{})
	}
	return p, nil
}

// add files a rule under each question it can speak to.
func (p *Policies) add(id string, rule *cedar.Policy) error {
	actions, err := actionsOf(rule)
	if err != nil {
		return err
	}
	p.acts = append(p.acts, actions...)
	if name := string(rule.Annotations()["asks"]); name != "" {
		for _, a := range asks {
			if a.name == name {
				p.asks[id] = a.err
			}
		}
		if p.asks[id] == nil {
			return fmt.Errorf("it asks for %q, which nobody can give", name)
		}
	}
	for _, a := range actions {
		for _, r := range roles {
			q := question{r, a}
			if p.rules[q] == nil {
				p.rules[q] = cedar.PolicyMap{}
			}
			p.rules[q][cedar.PolicyID(id)] = rule
		}
	}
	return nil
}

// actionsOf reads a rule's scope.
func actionsOf(rule *cedar.Policy) ([]string, error) {
	b, err := rule.MarshalJSON()
	if err != nil {
		return nil, err
	}
	type uid struct{ Type, ID string }
	var scope struct {
		Action struct {
			Op       string
			Entity   uid
			Entities []uid
		}
	}
	if err := json.Unmarshal(b, &scope); err != nil {
		return nil, err
	}
	all := scope.Action.Entities
	if scope.Action.Entity.ID != "" {
		all = append(all, scope.Action.Entity)
	}
	var out []string
	for _, u := range all {
		if u.Type != "Action" || u.ID == "" {
			return nil, fmt.Errorf("%s::%q is no action", u.Type, u.ID)
		}
		out = append(out, u.ID)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("it names no action")
	}
	return out, nil
}

// Actions are all that a policy speaks of, in order. They are the names of
// routes.
func (p *Policies) Actions() []string { return slices.Clone(p.acts) }

// May says whether pr may do action to r, and by which policy; otherwise it is
// ErrDenied. The edge asks with the zero Resource; a use case asks again once
// it knows whose thing it has in hand.
func (p *Policies) May(pr auth.Principal, action string, r Resource) (policy string, err error) {
	q := question{pr.Role, action}
	if pr.Owns(r.Buyer) { // rules know one buyer: whom the caller was before is the caller
		r.Buyer = pr.Subject
	}
	a, known := p.edge[q]
	switch {
	case !known:
	case r != (Resource{}):
		a = p.decide(q, pr.Proof, pr.Subject, r)
	case pr.Proof != (auth.Proof{}):
		a = p.atEdge(q, pr.Proof)
	}
	if a.may && pr.Charter != 0 {
		if stop := p.charters.stop(pr, q, r); stop != nil {
			return stop.policy, stop.err
		}
	}
	switch {
	case a.may:
		return a.policy, nil
	case a.asks != nil:
		return a.policy, a.asks.With(fmt.Errorf("%s to %s: %s", pr.Role, action, a.policy))
	case a.policy != "":
		return a.policy, ErrDenied.With(fmt.Errorf("%s to %s: %s forbids it", pr.Role, action, a.policy))
	}
	return "", ErrDenied.With(fmt.Errorf("%s to %s: no policy permits it", pr.Role, action))
}

// atEdge is the answer at the door for a session; there are few kinds of proof,
// so each is worked out once.
func (p *Policies) atEdge(q question, proof auth.Proof) answer {
	key := provedQuestion{q, proof}
	if a, ok := p.proved.Load(key); ok {
		return a.(answer)
	}
	a := p.decide(q, proof, "", Resource{})
	p.proved.Store(key, a)
	return a
}

const (
	roleType     types.EntityType = "Role"
	callerType   types.EntityType = "Caller"
	actionType   types.EntityType = "Action"
	resourceType types.EntityType = "Resource"
)

// unknown is the resource of a question asked at the edge.
var unknown = types.NewEntityUID(resourceType, "not yet known")

// entities are the two that a question is about.
type entities struct{ caller, resource types.Entity }

// Get finds one by its name.
func (e entities) Get(uid types.EntityUID) (types.Entity, bool) {
	switch uid {
	case e.caller.UID:
		return e.caller, true
	case e.resource.UID:
		return e.resource, true
	}
	return types.Entity{}, false
}

func (p *Policies) decide(q question, proof auth.Proof, subject string, r Resource) answer {
	e, req := asked(q, proof, subject, r)
	a, reasons := authorize(p.rules[q], e, req)
	if a.may || len(reasons) == 0 {
		return a
	}
	if want := p.wants(reasons); want != nil { // and only if nothing else stands in the way
		rest := cedar.PolicyMap{}
		for id, rule := range p.rules[q] {
			if p.asks[string(id)] == nil {
				rest[id] = rule
			}
		}
		if b, _ := authorize(rest, e, req); b.may {
			a.asks = want
			return a
		}
		return answer{}
	}
	return a
}

// asked is a question as Cedar reads it.
func asked(q question, proof auth.Proof, subject string, r Resource) (entities, cedar.Request) {
	mine := types.RecordMap{}
	if subject != "" {
		mine["subject"] = types.String(subject)
	}
	if proof.Session {
		mine["session"] = session(proof)
	}
	owners := types.RecordMap{}
	if r.Seller != "" {
		owners["seller"] = types.String(r.Seller)
	}
	if r.Buyer != "" {
		owners["buyer"] = types.String(r.Buyer)
	}
	e := entities{
		caller: types.Entity{
			UID:        types.NewEntityUID(callerType, types.String(subject)),
			Parents:    types.NewEntityUIDSet(types.NewEntityUID(roleType, types.String(q.role))),
			Attributes: types.NewRecord(mine),
		},
		resource: types.Entity{UID: unknown, Attributes: types.NewRecord(owners)},
	}
	if len(owners) > 0 {
		e.resource.UID.ID = "known"
	}
	return e, cedar.Request{
		Principal: e.caller.UID,
		Action:    types.NewEntityUID(actionType, types.String(q.action)),
		Resource:  e.resource.UID,
		Context:   types.Record{},
	}
}

// authorize asks Cedar, and says why.
func authorize(rules cedar.PolicyMap, e entities, req cedar.Request) (a answer, reasons []string) {
	decision, why := cedar.Authorize(rules, e, req)
	a.may = decision == cedar.Allow && len(why.Errors) == 0 // a rule that cannot be read denies
	for _, reason := range why.Reasons {
		reasons = append(reasons, string(reason.PolicyID))
	}
	slices.Sort(reasons)
	if len(reasons) > 0 {
		a.policy = reasons[0]
	}
	return a, reasons
}

// wants is what would lift all of some refusals, the first first; nil when
// nothing would.
func (p *Policies) wants(reasons []string) *fault.Error {
	for _, id := range reasons {
		if p.asks[id] == nil {
			return nil
		}
	}
	for _, a := range asks {
		for _, id := range reasons {
			if p.asks[id] == a.err {
				return a.err
			}
		}
	}
	return nil
}

// session is what policies see of somebody who signed in.
func session(p auth.Proof) types.Record {
	var rights []types.Value
	for _, n := range p.Rights.Names() {
		rights = append(rights, types.String(n))
	}
	return types.NewRecord(types.RecordMap{
		"stepped_up": types.Boolean(p.SteppedUp), "passkey": types.Boolean(p.Passkey), "desk": types.Boolean(p.Desk), "pin": types.Boolean(p.PIN), "agent": types.Boolean(p.Agent), "applicant": types.Boolean(p.Applicant),
		"rights": types.NewSet(rights...),
	})
}

type policyKey struct{}

// Allowed returns a context that remembers which policy let the caller in.
func Allowed(ctx context.Context, policy string) context.Context {
	return context.WithValue(ctx, policyKey{}, policy)
}

// Policy is the policy that let the caller in, for the audit trail; "" when
// none was asked.
func Policy(ctx context.Context) string {
	id, _ := ctx.Value(policyKey{}).(string)
	return id
}

// Allows says whether the principal of ctx may do this to r, for use cases that
// answer «no such thing» to those who may not.
func Allows(ctx context.Context, judge interface {
	May(p auth.Principal, action string, r Resource) (policy string, err error)
}, action string, r Resource,
) bool {
	_, err := judge.May(auth.From(ctx), action, r)
	return err == nil
}
