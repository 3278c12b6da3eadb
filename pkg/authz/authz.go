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

// A Resource is what an action touches, by the subjects that own it. The zero
// Resource is not yet known: it asks whether such a principal may call the
// action at all. Once one owner is given, "" means that there is none of that
// kind, so half an answer never lets a stranger in.
type Resource struct{ Seller, Buyer string }

// Policies are the market's rules, compiled. They never change while a hub
// runs, and many goroutines may ask at once.
type Policies struct {
	rules map[question]cedar.PolicyMap // only those that can speak to a question
	edge  map[question]answer          // for the zero Resource
	acts  []string
}

type question struct {
	role   auth.Role
	action string
}

type answer struct {
	policy string
	may    bool
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
var roles = []auth.Role{auth.Guest, auth.Buyer, auth.Seller, auth.Operator, auth.Bank, auth.Insurer, auth.System}

// Load compiles the *.cedar files of a folder. Each policy has an @id of its
// own and names its actions.
func Load(dir fs.FS) (*Policies, error) {
	p := &Policies{rules: map[question]cedar.PolicyMap{}, edge: map[question]answer{}}
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
		p.edge[q] = p.decide(q, "", Resource{})
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
	a, known := p.edge[q]
	if r != (Resource{}) && known {
		a = p.decide(q, pr.Subject, r)
	}
	if !a.may {
		if a.policy != "" {
			return a.policy, ErrDenied.With(fmt.Errorf("%s to %s: %s forbids it", pr.Role, action, a.policy))
		}
		return "", ErrDenied.With(fmt.Errorf("%s to %s: no policy permits it", pr.Role, action))
	}
	return a.policy, nil
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

func (p *Policies) decide(q question, subject string, r Resource) answer {
	mine := types.RecordMap{}
	if subject != "" {
		mine["subject"] = types.String(subject)
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
	decision, why := cedar.Authorize(p.rules[q], e, cedar.Request{
		Principal: e.caller.UID,
		Action:    types.NewEntityUID(actionType, types.String(q.action)),
		Resource:  e.resource.UID,
		Context:   types.Record{},
	})
	a := answer{may: decision == cedar.Allow && len(why.Errors) == 0} // a rule that cannot be read denies
	for _, reason := range why.Reasons {
		if a.policy == "" || string(reason.PolicyID) < a.policy {
			a.policy = string(reason.PolicyID)
		}
	}
	return a
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
