package authz_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/fault"
)

// rules forbid sellers to import, and to take back what is not their own order's.
const rules = `
@id("charter.no_import")
forbid (principal in Role::"seller", action == Action::"imports.create", resource);

@id("charter.accept_in_person")
forbid (principal in Role::"seller", action in [Action::"orders.accept"], resource)
when { principal has session && principal.session.agent };

@id("charter.not_to_mine")
forbid (principal in Role::"seller", action == Action::"orders.ship", resource)
when { resource has buyer && resource.buyer == "org_banned" };
`

// library keeps charters in memory, and who was refused.
type library struct {
	mu    sync.Mutex
	texts map[int]string
	reads int
	err   error
	told  []authz.Refusal
}

func (l *library) read(_ context.Context, version int) (string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.reads++
	return l.texts[version], l.err
}

func (l *library) hear(r authz.Refusal) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.told = append(l.told, r)
}

func bound(t testing.TB, texts map[int]string) (*authz.Policies, *library) {
	p, l := compile(t), &library{texts: texts}
	p.Bind(l.read, l.hear)
	return p, l
}

func TestACharterOnlyTakesAway(t *testing.T) {
	t.Parallel()
	p, l := bound(t, map[int]string{1: "", 2: rules})
	agent := auth.Proof{Session: true, Desk: true, Agent: true, Rights: auth.Sell | auth.Deliver}
	for _, c := range []struct {
		name    string
		charter int
		role    auth.Role
		proof   auth.Proof
		action  string
		r       authz.Resource
		policy  string // of the charter that forbids it; "": it may
	}{
		{"bound by none", 0, auth.Seller, auth.Proof{}, "imports.create", authz.Resource{}, ""},
		{"bound by one that forbids nothing", 1, auth.Seller, auth.Proof{}, "imports.create", authz.Resource{}, ""},
		{"at the edge", 2, auth.Seller, auth.Proof{}, "imports.create", authz.Resource{}, "charter.no_import"},
		{"of what is known", 2, auth.Seller, auth.Proof{}, "imports.create", authz.Resource{Seller: me}, "charter.no_import"},
		{"what it does not speak of", 2, auth.Seller, auth.Proof{}, "offers.create", authz.Resource{Seller: me}, ""},
		{"what repeats it", 2, auth.Seller, auth.Proof{}, "imports.again", authz.Resource{Seller: me}, "charter.no_import"},
		{"what does a part of it", 2, auth.Seller, auth.Proof{}, "orders.ship_part", authz.Resource{Seller: me, Buyer: "org_banned"}, "charter.not_to_mine"},
		{"by its own hand", 2, auth.Seller, auth.Proof{}, "orders.accept", authz.Resource{Seller: me}, ""},
		{"by an agent, at the edge", 2, auth.Seller, agent, "orders.accept", authz.Resource{}, "charter.accept_in_person"},
		{"by an agent", 2, auth.Seller, agent, "orders.accept", authz.Resource{Seller: me, Buyer: other}, "charter.accept_in_person"},
		{"to anybody", 2, auth.Seller, auth.Proof{}, "orders.ship", authz.Resource{Seller: me, Buyer: other}, ""},
		{"to one", 2, auth.Seller, auth.Proof{}, "orders.ship", authz.Resource{Seller: me, Buyer: "org_banned"}, "charter.not_to_mine"},
	} {
		policy, err := p.May(auth.Principal{Subject: me, Role: c.role, Proof: c.proof, Charter: c.charter}, c.action, c.r)
		if c.policy == "" {
			if err != nil || strings.HasPrefix(policy, "charter.") {
				t.Errorf("%s: %q, %v; want it allowed by a built-in policy", c.name, policy, err)
			}
			continue
		}
		if policy != c.policy || !errors.Is(err, authz.ErrCharter) || fault.KindOf(err) != fault.Denied {
			t.Errorf("%s: %q, %v; want %s to forbid it", c.name, policy, err, c.policy)
		}
	}
	if l.reads != 2 {
		t.Errorf("the charters were read %d times, want each once", l.reads)
	}
	if len(l.told) != 7 || l.told[0].Action != "imports.create" || l.told[0].Who.Charter != 2 || l.told[0].Policy != "charter.no_import" {
		t.Errorf("told of %+v", l.told)
	}
	before := len(l.told)
	if _, err := p.May(auth.Principal{Subject: me, Role: auth.Seller, Charter: 2}, "imports.create", authz.Resource{Seller: other}); !errors.Is(err, authz.ErrDenied) {
		t.Errorf("another's import: %v, want the built-in refusal", err)
	}
	if len(l.told) != before {
		t.Error("what the built-in policies refuse is no refusal by the charter")
	}
}

func TestACharterThatCannotBeReadStopsItsSigners(t *testing.T) {
	t.Parallel()
	p, l := bound(t, map[int]string{3: ""})
	l.err = errors.New("the database is away")
	signer := auth.Principal{Subject: me, Role: auth.Seller, Charter: 3}
	if _, err := p.May(signer, "offers.create", authz.Resource{}); !errors.Is(err, authz.ErrNoCharter) || fault.KindOf(err) != fault.Unavailable {
		t.Errorf("got %v, want it to be told to come back", err)
	}
	l.err = nil
	if _, err := p.May(signer, "offers.create", authz.Resource{}); err != nil {
		t.Errorf("once it can be read: %v", err)
	}
	if _, err := compile(t).May(signer, "offers.create", authz.Resource{}); err == nil {
		t.Error("a hub that reads no charters let a signer in")
	}
}

func TestCharterRulesAreCheckedBeforeTheyArePublished(t *testing.T) {
	t.Parallel()
	p := compile(t)
	const seller = `principal in Role::"seller", `
	of := func(id, text string) string { return `@id("` + id + `") ` + text }
	for name, c := range map[string]struct{ text, want string }{
		"no cedar":            {"nobody may do anything", ""},
		"no id":               {`forbid (` + seller + `action == Action::"imports.create", resource);`, "@id"},
		"another's id":        {of("orders.seller_own", `forbid (`+seller+`action == Action::"imports.create", resource);`), "charter."},
		"the same id":         {strings.Repeat(of("charter.x", `forbid (`+seller+`action == Action::"imports.create", resource);`), 2), "two rules"},
		"a permit":            {of("charter.x", `permit (`+seller+`action == Action::"payouts.approve", resource);`), "only forbids"},
		"an annotation":       {of("charter.x", `@asks("passkey") forbid (`+seller+`action == Action::"imports.create", resource);`), "no annotation"},
		"no action":           {of("charter.x", `forbid (`+seller+`action, resource);`), "no action"},
		"an unknown action":   {of("charter.x", `forbid (`+seller+`action == Action::"imports.make", resource);`), "imports.make"},
		"for everybody":       {of("charter.x", `forbid (principal, action == Action::"imports.create", resource);`), "for which members"},
		"for the operator":    {of("charter.x", `forbid (principal in Role::"operator", action == Action::"organisations.approve", resource);`), "never the operator"},
		"for the hub":         {of("charter.x", `forbid (principal in Role::"system", action == Action::"imports.create", resource);`), "for which members"},
		"for buyers":          {of("charter.x", `forbid (principal in Role::"buyer", action == Action::"baskets.create", resource);`), "for which members"},
		"signing in":          {of("charter.x", `forbid (`+seller+`action == Action::"sessions.step_up", resource);`), "sign in"},
		"signing the charter": {of("charter.x", `forbid (`+seller+`action in [Action::"imports.create", Action::"charter.sign"], resource);`), "charter.sign"},
		"taking consent back": {of("charter.x", `forbid (`+seller+`action in [Action::"consents.withdraw"], resource);`), "consents.withdraw"},
		"ending an agent":     {of("charter.x", `forbid (`+seller+`action == Action::"agents.end", resource);`), "agents.end"},
		"what is not there":   {of("charter.x", `forbid (`+seller+`action == Action::"imports.create", resource) when { resource.seller == "org_x" };`), "has"},
		"a session of a key":  {of("charter.x", `forbid (`+seller+`action == Action::"imports.create", resource) when { principal.session.agent };`), "has"},
	} {
		got, wrong := p.Charter(1, c.text)
		var all []string
		for _, f := range wrong {
			all = append(all, f.Text)
		}
		if got != nil || len(wrong) == 0 || !strings.Contains(strings.Join(all, "; "), c.want) {
			t.Errorf("%s: %q, want it refused for %q", name, all, c.want)
		}
	}
	c, wrong := p.Charter(7, rules)
	if wrong != nil {
		t.Fatalf("good rules are refused: %v", wrong)
	}
	if got := c.Forbids(auth.Principal{Subject: me, Role: auth.Seller}, "imports.create", authz.Resource{}); got != "charter.no_import" {
		t.Errorf("it forbids imports by %q", got)
	}
}

// Who signed a charter that has nothing to say of a question costs nothing more than
// anybody else.
func TestACharterThatSaysNothingCostsNothing(t *testing.T) {
	p, _ := bound(t, map[int]string{300: rules})
	signer := auth.Principal{Subject: me, Role: auth.Seller, Charter: 300}
	if n := testing.AllocsPerRun(1000, func() {
		if _, err := p.May(signer, "offers.create", authz.Resource{}); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations at the edge, want none", n)
	}
}

func BenchmarkMayUnderACharter(b *testing.B) {
	p, _ := bound(b, map[int]string{1: rules})
	pr := auth.Principal{Subject: me, Role: auth.Seller, Charter: 1}
	for b.Loop() {
		if _, err := p.May(pr, "offers.create", authz.Resource{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMayWhatACharterSpeaksOf(b *testing.B) {
	p, _ := bound(b, map[int]string{1: rules})
	pr := auth.Principal{Subject: me, Role: auth.Seller, Charter: 1}
	for b.Loop() {
		if _, err := p.May(pr, "orders.ship", authz.Resource{Seller: me, Buyer: other}); err != nil {
			b.Fatal(err)
		}
	}
}

// What a charter forbids besides is there, and nobody is kept from what nobody may be
// kept from.
func TestWhatRepeatsAnActionIsForbiddenWithIt(t *testing.T) {
	t.Parallel()
	p := compile(t)
	found := 0
	for _, action := range p.Actions() {
		for _, other := range authz.Further(action) {
			found++
			if !slices.Contains(p.Actions(), other) {
				t.Errorf("%s goes with %s, which there is not", other, action)
			}
			rule := `@id("charter.x") forbid (principal in Role::"seller", action == Action::"` + other + `", resource);`
			if _, wrong := p.Charter(1, rule); wrong != nil {
				t.Errorf("%s goes with %s, and nobody may forbid it: %v", other, action, wrong)
			}
		}
	}
	if found < 20 {
		t.Errorf("%d actions go with others", found)
	}
}
