package authz

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cedar-policy/cedar-go"

	"tiwiza/pkg/auth"
	"tiwiza/pkg/fault"
)

// What a member hears whose charter stands in the way.
var (
	ErrCharter   = fault.New(fault.Denied, "auth.charter", "The charter that your organisation signed does not allow this; read it, or ask the market's operator.")
	ErrNoCharter = fault.New(fault.Unavailable, "auth.charter_unread", "What your organisation's charter allows cannot be read just now; please try again in a moment.")
)

// A Fault is what is wrong with one rule of a charter.
type Fault struct {
	Rule string // its id; "": the text cannot be read at all
	Text string
}

// A Charter is what one version of the charter forbids to those who signed it,
// compiled. It only ever takes away from what the built-in policies permit.
type Charter struct {
	version int
	rules   map[question]cedar.PolicyMap
}

// bound are the roles of members, whom a charter may bind. The operator, visitors,
// buyers and couriers sign none.
var bound = slices.DeleteFunc(slices.Clone(roles), func(r auth.Role) bool {
	return slices.Contains([]auth.Role{auth.Guest, auth.Buyer, auth.Operator, auth.Courier, auth.System}, r)
})

// kept are the actions that no charter takes away: to sign in, to see oneself, to
// read and sign the charter, and what the law gives: to refuse and take back consent,
// to see who looked, and to end what an agent may do.
var kept = []string{
	"charter.", "sign_in.", "sessions.", "passkeys.", "people.", "organisations.show",
	"consents.answer", "consents.withdraw", "consents.list", "consents.show", "consultations.list", "agents.end", "agents.list",
}

// further are the actions that repeat what another does, complete it, or give the same
// in another form. A charter that forbids the first forbids these too, so that nobody
// does by the second what it may not do by the first.
var further = map[string][]string{
	"cases.begin":           {"cases.submit", "cases.pay"},
	"cases.statistics":      {"cases.statistics_csv"},
	"diagnostics.begin":     {"diagnostics.finish"},
	"dossiers.add":          {"dossiers.replace"},
	"dossiers.view":         {"dossiers.download"},
	"finance.apply":         {"finance.submit", "finance.accept"},
	"finance_products.make": {"finance_products.submit", "finance_products.publish"},
	"group_buys.make":       {"group_buys.admit"},
	"group_buys.orders":     {"group_buys.export"},
	"imports.create":        {"imports.again"},
	"insurance.ask":         {"insurance.take"},
	"offers.create":         {"imports.create", "imports.again"},
	"offers.export":         {"offers.export_xlsx"},
	"orders.deliver":        {"shipments.deliver"},
	"orders.ship":           {"orders.ship_part"},
	"pools.pledge":          {"pools.basket"},
	"quotations.ask":        {"quotations.accept"},
	"webhooks.replay":       {"webhooks.replay_event"},
}

// Further are the actions that a charter forbids besides when it forbids one.
func Further(action string) []string { return slices.Clone(further[action]) }

// nearer are the actions that a charter speaks of when it speaks of one: itself, and
// those that it repeats or completes.
var nearer = func() map[string][]string {
	all := map[string][]string{}
	for action, others := range further {
		for _, o := range others {
			all[o] = append(all[o], action)
		}
	}
	return all
}()

// Charter compiles the rules of a version, or says what is wrong with them: each is a
// forbid with an @id that begins with «charter.» and no other annotation, for one
// role of members and for actions that the built-in policies know, and it reads
// nothing that may not be there. An empty text forbids nothing.
func (p *Policies) Charter(version int, text string) (*Charter, []Fault) {
	c := &Charter{version: version, rules: map[question]cedar.PolicyMap{}}
	list, err := cedar.NewPolicyListFromBytes("charter.cedar", []byte(text))
	if err != nil {
		return nil, []Fault{{"", err.Error()}}
	}
	var wrong []Fault
	seen := map[string]bool{}
	for _, rule := range list {
		notes := rule.Annotations()
		id := string(notes["id"])
		say := func(format string, args ...any) { wrong = append(wrong, Fault{id, fmt.Sprintf(format, args...)}) }
		switch {
		case !strings.HasPrefix(id, "charter.") || len(id) > 80:
			say("the rule at line %d needs an @id that begins with «charter.»", rule.Position().Line)
			continue
		case seen[id]:
			say("two rules have this @id")
		case len(notes) != 1:
			say("a charter's rule has no annotation but its @id")
		case rule.Effect() != cedar.Forbid:
			say("a charter only forbids: what it does not forbid, the market's own policies permit or not")
		}
		seen[id] = true
		for _, f := range p.file(c, id, rule) {
			say("%s", f)
		}
	}
	if wrong != nil {
		return nil, wrong
	}
	return c, nil
}

// file files a rule under the questions that it speaks to, and says what is wrong
// with it.
func (p *Policies) file(c *Charter, id string, rule *cedar.Policy) (wrong []string) {
	actions, err := actionsOf(rule)
	if err != nil {
		return []string{err.Error()}
	}
	role, err := roleOf(rule)
	if err != nil {
		return []string{err.Error()}
	}
	for _, a := range actions {
		switch {
		case !slices.Contains(p.acts, a):
			wrong = append(wrong, fmt.Sprintf("there is no action %q", a))
			continue
		case slices.ContainsFunc(kept, func(k string) bool { return a == k || strings.HasSuffix(k, ".") && strings.HasPrefix(a, k) }):
			wrong = append(wrong, fmt.Sprintf("nobody may be kept from %q: members sign in, read and sign the charter, and take consent back", a))
			continue
		}
		q := question{role, a}
		if c.rules[q] == nil {
			c.rules[q] = cedar.PolicyMap{}
		}
		c.rules[q][cedar.PolicyID(id)] = rule
		if text := unsafe(q, id, rule); text != "" {
			wrong = append(wrong, text)
		}
	}
	return wrong
}

// roleOf reads whom a rule is for.
func roleOf(rule *cedar.Policy) (auth.Role, error) {
	b, err := rule.MarshalJSON()
	if err != nil {
		return "", err
	}
	var scope struct {
		Principal struct {
			Op     string
			Entity struct{ Type, ID string }
		}
	}
	if err := json.Unmarshal(b, &scope); err != nil {
		return "", err
	}
	role := auth.Role(scope.Principal.Entity.ID)
	if scope.Principal.Op != "in" || scope.Principal.Entity.Type != string(roleType) || !slices.Contains(bound, role) {
		return "", fmt.Errorf("say for which members it is, as in (principal in Role::%q, …); it is one of %v, and never the operator", auth.Seller, bound)
	}
	return role, nil
}

// samples are what a rule is tried on: with and without a session, an owner, or
// anything known of the resource.
var (
	proofs    = []auth.Proof{{}, {Session: true}, {Session: true, Desk: true, Rights: auth.Sell | auth.People}, {Session: true, Desk: true, Agent: true}}
	resources = []Resource{{}, {Seller: "org_a"}, {Seller: "org_b"}, {Buyer: "org_a"}, {Seller: "org_b", Buyer: "org_a"}}
)

// unsafe says how a rule fails where something that it reads is not there: then it
// would forbid by accident.
func unsafe(q question, id string, rule *cedar.Policy) string {
	for _, proof := range proofs {
		for _, r := range resources {
			e, req := asked(q, proof, "org_a", r)
			if _, why := cedar.Authorize(cedar.PolicyMap{cedar.PolicyID(id): rule}, e, req); len(why.Errors) > 0 {
				return "it reads what may not be there; ask with «has» first: " + why.Errors[0].Message
			}
		}
	}
	return ""
}

// Forbids says which rule of the charter keeps a principal from an action; "" when
// none does.
func (c *Charter) Forbids(pr auth.Principal, action string, r Resource) (policy string) {
	return c.forbids(pr, question{pr.Role, action}, r)
}

func (c *Charter) forbids(pr auth.Principal, q question, r Resource) string {
	policy := c.speaks(pr, q, r)
	for _, action := range nearer[q.action] {
		if policy != "" {
			break
		}
		policy = c.speaks(pr, question{q.role, action}, r)
	}
	return policy
}

// speaks says which rule forbids exactly this.
func (c *Charter) speaks(pr auth.Principal, q question, r Resource) string {
	rules := c.rules[q]
	if rules == nil {
		return ""
	}
	e, req := asked(q, pr.Proof, pr.Subject, r)
	_, why := cedar.Authorize(rules, e, req)
	var all []string
	for _, reason := range why.Reasons { // nothing permits here, so each is a forbid
		all = append(all, string(reason.PolicyID))
	}
	for _, failed := range why.Errors { // a rule that cannot be read forbids
		all = append(all, string(failed.PolicyID))
	}
	if len(all) == 0 {
		return ""
	}
	return slices.Min(all)
}

// A Refusal is a decision by which a charter kept a member from something that the
// built-in policies permit.
type Refusal struct {
	Who      auth.Principal
	Action   string
	Policy   string
	Resource Resource
}

// charters are the versions of the charter that somebody here is bound by.
type charters struct {
	read  func(ctx context.Context, version int) (text string, err error)
	told  func(Refusal)
	known atomic.Pointer[map[int]*Charter] // never changed, but for another
	mu    sync.Mutex
}

// Bind says where the rules of a charter's version are read, once each by every hub:
// a version never changes. told hears of each refusal, at once and by many
// goroutines; it must not wait. Bind is called at start. Without it, nobody who has
// signed a charter may do anything.
func (p *Policies) Bind(read func(ctx context.Context, version int) (text string, err error), told func(Refusal)) {
	p.charters.read, p.charters.told = read, told
}

// stopped is a refusal by a charter.
type stopped struct {
	policy string
	err    error
}

// stop says whether the charter that binds a principal keeps it from what the
// built-in policies permit; nil when it does not.
func (c *charters) stop(pr auth.Principal, q question, r Resource) *stopped {
	ch, err := c.of(pr.Charter)
	if err != nil {
		return &stopped{"", ErrNoCharter.With(err)}
	}
	policy := ch.forbids(pr, q, r)
	if policy == "" {
		return nil
	}
	if c.told != nil {
		c.told(Refusal{pr, q.action, policy, r})
	}
	return &stopped{policy, ErrCharter.With(fmt.Errorf("%s to %s: %s of version %d forbids it", pr.Role, q.action, policy, pr.Charter))}
}

// readTime is how long the rules of a version may take to be read.
const readTime = 5 * time.Second

// of is a version, read the first time that somebody is bound by it.
func (c *charters) of(version int) (*Charter, error) {
	if ch := c.has(version); ch != nil {
		return ch, nil
	}
	if c.read == nil {
		return nil, errors.New("nobody reads charters here")
	}
	c.mu.Lock() // one reads for all who ask
	defer c.mu.Unlock()
	if ch := c.has(version); ch != nil {
		return ch, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), readTime)
	defer cancel()
	text, err := c.read(ctx, version)
	if err != nil {
		return nil, fmt.Errorf("read charter %d: %w", version, err)
	}
	ch, err := reread(version, text)
	if err != nil {
		return nil, err
	}
	next := map[int]*Charter{version: ch}
	if all := c.known.Load(); all != nil {
		maps.Copy(next, *all)
	}
	c.known.Store(&next)
	return ch, nil
}

func (c *charters) has(version int) *Charter {
	if all := c.known.Load(); all != nil {
		return (*all)[version]
	}
	return nil
}

// reread compiles rules that were found right when they were published. What a later
// hub has no action or role for any more is still forbidden, to nobody.
func reread(version int, text string) (*Charter, error) {
	c := &Charter{version: version, rules: map[question]cedar.PolicyMap{}}
	list, err := cedar.NewPolicyListFromBytes("charter.cedar", []byte(text))
	if err != nil {
		return nil, fmt.Errorf("charter %d: %w", version, err)
	}
	for _, rule := range list {
		actions, err := actionsOf(rule)
		if err != nil {
			return nil, fmt.Errorf("charter %d: %w", version, err)
		}
		role, err := roleOf(rule)
		if err != nil {
			return nil, fmt.Errorf("charter %d: %w", version, err)
		}
		for _, a := range actions {
			q := question{role, a}
			if c.rules[q] == nil {
				c.rules[q] = cedar.PolicyMap{}
			}
			c.rules[q][cedar.PolicyID(rule.Annotations()["id"])] = rule
		}
	}
	return c, nil
}
