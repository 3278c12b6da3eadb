package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tiwiza/marketplace/members"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/id"
	"tiwiza/pkg/pg"
)

// Desks. The second half of the matrix is about those who have to do with a thing:
// the people of the organisation whose it is, by what each may do there, and the
// organisation itself once it is suspended. What members and operators called with
// success in a market is kept; when its tests are over, people of each role template
// make the very same calls at the same organisation's desk, and then the organisation
// does so suspended.

// seats are the role templates by their letters in the table, and H: an agent who
// helps, for a member who read it a code.
var seats = []struct{ letter, template string }{{"M", "manager"}, {"T", "treasurer"}, {"S", "member"}, {"C", "courier"}, {"R", "agent"}, {"H", "manager"}}

// rightsOf are the rights of a template, as members.role has them.
var rightsOf = map[string]auth.Rights{
	"manager": auth.Sell | auth.Money | auth.People | auth.Deliver, "treasurer": auth.Money, "member": auth.Sell | auth.Deliver, "courier": auth.Deliver, "agent": auth.Represent,
}

// deskRoles are those that have desks, in the order of the table's columns.
var deskRoles = []auth.Role{auth.Seller, auth.Bank, auth.Insurer, auth.Institution, auth.Provider, auth.Operator}

// deskColumns are those of the second table. «suspended» names the roles whose own
// things a route does not touch for them while they are suspended.
var deskColumns = []string{"seller", "bank", "insurer", "institution", "provider", "operator", "suspended"}

// apart are calls that are about the caller's own session and account, or that move
// the time: another's would be another call.
var apart = []string{"sessions.", "people.", "passkeys.", "sign_in.", "memberships.leave", "invitations.accept", "agents.", "demo.", "guests.", "my_data."}

// seat is who sits there as policies see it: everything is proved that can be.
func seat(role auth.Role, letter string) auth.Principal {
	pr := auth.Principal{Role: role, Subject: "org_x", Human: "per_x", Proof: auth.Proof{Session: true, SteppedUp: true, Passkey: true, Desk: true}}
	for _, s := range seats {
		if s.letter == letter {
			pr.Proof.Rights = rightsOf[s.template]
		}
	}
	if letter == "H" {
		pr.For, pr.Proof.Agent, pr.Proof.Passkey = "per_y", true, false
		pr.Proof.Rights &= auth.Sell | auth.Deliver
	}
	return pr
}

// comesIn says whether policies let who sits there come in.
func comesIn(judge *authz.Policies, role auth.Role, letter, name string) bool {
	_, err := judge.May(seat(role, letter), name, authz.Resource{})
	return err == nil
}

// cellOf is what the table is to say of a role's people: the letters of those who are
// let in.
func cellOf(judge *authz.Policies, role auth.Role, name string) string {
	var b strings.Builder
	n := 0
	for _, s := range seats {
		if s.letter == "H" && role != auth.Seller {
			continue // agents help those who sell
		}
		if n++; comesIn(judge, role, s.letter, name) {
			b.WriteString(s.letter)
		}
	}
	switch b.Len() {
	case 0:
		return "–"
	case n:
		return "all"
	}
	return b.String()
}

// act is a call that somebody made with success.
type act struct {
	route, token string
	who          auth.Principal
	method, uri  string
	header       http.Header
	body         []byte
}

// diary keeps the last call that succeeded, by route and role.
type diary struct {
	mu   sync.Mutex
	acts map[string]act
}

// keepDiary has a crowd keep what is called from now on.
func (c *crowd) keepDiary() { c.diary = &diary{acts: map[string]act{}} }

// note keeps a call that succeeded.
func (c *crowd) note(req *http.Request, route string, body []byte) {
	token := strings.TrimPrefix(req.Header.Get("Authorization"), "Bearer ")
	key, err := auth.ParseKey(token)
	if err != nil || key.Link() || len(body) > 1<<20 || slices.ContainsFunc(apart, func(p string) bool { return strings.HasPrefix(watch.names[route], p) }) {
		return
	}
	who, err := c.house.members.Authenticate(context.WithoutCancel(req.Context()), key)
	if err != nil || !slices.Contains(deskRoles, who.Role) || who.For != "" {
		return
	}
	c.diary.mu.Lock()
	defer c.diary.mu.Unlock()
	c.diary.acts[string(who.Role)+" "+route] = act{route, token, who, req.Method, req.URL.RequestURI(), req.Header.Clone(), body}
}

// said is an answer to a call that was made again.
type said struct {
	status int
	code   string
	body   []byte
}

func (s said) denied() bool {
	return s.status == http.StatusUnauthorized || s.status == http.StatusForbidden && strings.HasPrefix(s.code, "auth.")
}

// again makes a call once more, as whoever has a token.
func (c *crowd) again(ctx context.Context, a act, token string) (said, error) {
	ctx, end := context.WithTimeout(ctx, time.Minute)
	defer end()
	req, err := http.NewRequestWithContext(ctx, a.method, c.url+a.uri, bytes.NewReader(a.body))
	if err != nil {
		return said{}, err
	}
	req.Header = a.header.Clone()
	req.Header.Set("Authorization", "Bearer "+token)
	if req.Header.Get("Idempotency-Key") != "" {
		req.Header.Set("Idempotency-Key", once())
	}
	res, err := newcomers.RoundTrip(req)
	if err != nil {
		return said{}, err
	}
	defer res.Body.Close()
	s := said{status: res.StatusCode}
	if s.body, err = io.ReadAll(io.LimitReader(res.Body, 1<<20)); err != nil {
		return s, err
	}
	var p problem
	if s.status >= 300 && json.Unmarshal(s.body, &p) == nil {
		s.code = p.Code
	}
	return s, nil
}

// staff writes down somebody of each template who sits at an organisation's desk.
func (c *crowd) staff(ctx context.Context, org string, role auth.Role) (tokens map[string]string, err error) {
	h := c.house
	err = h.store.InTx(auth.With(ctx, auth.Hub), func(tx *pg.Tx) error {
		tokens = map[string]string{}
		var member string
		for _, s := range seats {
			if s.letter == "H" && role != auth.Seller {
				continue
			}
			person, err := h.members.CreatePerson(ctx, tx, members.NewPerson{})
			if err != nil {
				return err
			}
			k := auth.KeyOf(id.New(id.Session))
			tokens[s.letter] = k.String()
			if s.letter == "H" {
				via, err := h.members.Found(ctx, tx, members.Enrolment{Kind: members.Cooperative, Names: members.Texts{"fr": "Relais (exemple)"}, Region: "MA-06", Commune: "Casablanca"})
				if err != nil {
					return err
				}
				if err := h.members.Join(ctx, tx, person, via.ID, "agent"); err != nil {
					return err
				}
				tx.Queue(`insert into members.session (id, person, hash, organisation, proof, device, address, made_at, seen_at, proved_at, acts_for, acts_via, acts_until)
					values ($1, $2, $3, $4, 'code', '', '', $5, $5, $5, $6, $7, $8)`, k.ID, person, k.Hash(), org, tx.Now(), member, via.ID, tx.Now().Add(8*time.Hour))
				continue
			}
			if err := h.members.Join(ctx, tx, person, org, s.template); err != nil {
				return err
			}
			if s.letter == "M" {
				member = person
			}
			tx.Queue(`insert into members.session (id, person, hash, organisation, proof, device, address, made_at, seen_at, proved_at) values ($1, $2, $3, $4, 'passkey', '', '', $5, $5, $5)`,
				k.ID, person, k.Hash(), org, tx.Now())
		}
		return nil
	})
	return tokens, err
}

// atDesks has the people of each organisation make its calls again, and then the
// organisation itself, suspended. Operators come last: what they do again may end
// others.
func (c *crowd) atDesks(t *testing.T, operator string) {
	judge, err := authz.New()
	if err != nil {
		t.Fatal(err)
	}
	cells, err := deskTable()
	if err != nil {
		t.Fatal(err)
	}
	c.diary.mu.Lock()
	acts := maps.Clone(c.diary.acts)
	c.diary.mu.Unlock()
	byOrg := map[string][]act{}
	for _, k := range slices.Sorted(maps.Keys(acts)) {
		a := acts[k]
		if a.who.Role != auth.Operator {
			byOrg[a.who.Subject] = append(byOrg[a.who.Subject], a)
		} else if operator != "" {
			byOrg[operator] = append(byOrg[operator], a)
		}
	}
	orgs := slices.SortedFunc(maps.Keys(byOrg), func(a, b string) int {
		if (a == operator) != (b == operator) {
			if a == operator {
				return 1
			}
			return -1
		}
		return strings.Compare(a, b)
	})
	stopped := map[string]map[string]bool{} // by route, the roles that are
	var calls, routes int
	for _, org := range orgs {
		role := byOrg[org][0].who.Role
		if state, err := pg.Value[string](t.Context(), c.house.store, nil, `select state from members.organisation where id = $1`, org); err == nil && state == "terminated" {
			continue // nobody sits there any more
		}
		people, err := c.staff(t.Context(), org, role)
		if err != nil {
			t.Fatalf("people of a %s: %v", role, err)
		}
		before := map[string]said{}
		for i, a := range byOrg[org] {
			routes++
			byOrg[org][i].token, err = c.together(t, judge, a, people, before)
			if err != nil {
				t.Errorf("%s again: %v", a.route, err)
			}
			calls += len(people)
		}
		if role == auth.Operator {
			continue
		}
		ctx := auth.With(t.Context(), auth.Principal{Subject: "hub", Role: auth.Operator})
		err = c.house.store.InTx(ctx, func(tx *pg.Tx) error {
			_, err := c.house.members.Move(ctx, tx, org, members.Suspend, "Its own, suspended.")
			return err
		})
		if err != nil {
			t.Logf("a %s cannot be suspended: %v", role, err)
			continue
		}
		for _, a := range byOrg[org] {
			c.suspended(t, a, before[a.route], cells[a.route]["suspended"], stopped)
			calls++
		}
	}
	t.Logf("%d calls of %d routes and roles, at %d desks", calls, routes, len(orgs))
	outsiders.atDesks(stopped)
}

// together has the people at a desk make a call again. It keeps what is answered then to
// who made it first, or to the manager where that one's session has ended, and says to
// whom.
func (c *crowd) together(t *testing.T, judge *authz.Policies, a act, people map[string]string, before map[string]said) (token string, err error) {
	first, err := c.again(t.Context(), a, a.token)
	if err != nil {
		return a.token, err
	}
	if token = a.token; first.denied() {
		token = people["M"]
	}
	name := watch.names[a.route]
	for _, s := range seats {
		token, there := people[s.letter]
		if !there {
			continue
		}
		got, err := c.again(t.Context(), a, token)
		if err != nil {
			t.Errorf("%s by %s: %v", a.route, s.letter, err)
			continue
		}
		in := comesIn(judge, a.who.Role, s.letter, name)
		switch {
		case got.status == http.StatusTooManyRequests || got.status == http.StatusServiceUnavailable:
		case got.status >= 500:
			t.Errorf("%s %s at a %s's desk: %s is answered %d %.300s", a.method, a.uri, a.who.Role, s.letter, got.status, got.body)
		case in == got.denied():
			t.Errorf("%s %s at a %s's desk: policies let %s in: %t; it is answered %d %.300s", a.method, a.uri, a.who.Role, s.letter, in, got.status, got.body)
		case in && a.method == http.MethodGet && first.status < 300 && got.status >= 300:
			t.Errorf("%s at a %s's desk: %s, who belongs there, is answered %d %.300s", a.uri, a.who.Role, s.letter, got.status, got.body)
		}
	}
	before[a.route], err = c.again(t.Context(), a, token)
	return token, err
}

// barring are the codes by which routes say that an organisation is suspended.
var barring = []string{
	"api_keys.not_active", "auth.denied", "catalog.seller_inactive", "directory.not_found", "finance.barred", "group_buys.invalid", "orders.seller_unavailable",
	"pools.invalid", "procedures.institution", "recon.suspended", "sharing.barred", "sharing.invalid",
}

// suspended makes a call again as an organisation that was suspended since, and
// compares what it is answered with what the table says. What could not be done once
// more even before says nothing, unless it is refused now for another reason.
func (c *crowd) suspended(t *testing.T, a act, before said, cell string, stopped map[string]map[string]bool) {
	now, err := c.again(t.Context(), a, a.token)
	if err != nil {
		t.Errorf("%s of a suspended %s: %v", a.route, a.who.Role, err)
		return
	}
	want := slices.Contains(strings.Fields(cell), string(a.who.Role))
	switch {
	case now.status == http.StatusTooManyRequests || now.status == http.StatusServiceUnavailable:
		return
	case now.status >= 500:
		t.Errorf("%s of a suspended %s is answered %d %.300s", a.route, a.who.Role, now.status, now.body)
		return
	case before.status >= 300 && (now.status < 300 || now.code == before.code):
		return
	}
	is := now.status >= 300
	if is && !slices.Contains(barring, now.code) {
		return // it cannot be done once more, suspended or not
	}
	if stopped[a.route] == nil {
		stopped[a.route] = map[string]bool{}
	}
	stopped[a.route][string(a.who.Role)] = is
	if a.method != http.MethodGet && !is {
		t.Logf("%s of a suspended %s goes on", a.route, a.who.Role)
	}
	if is != want {
		t.Errorf("%s of a %s that is suspended, on its own: answered %d %s (before: %d %s); docs/authorisation.md says %q", a.route, a.who.Role, now.status, now.code, before.status, before.code, cell)
	}
}

// deskTable is the second reviewed table.
func deskTable() (map[string]map[string]string, error) { return tableOf(deskColumns) }

// judgeDesks says where the second table is not what policies say.
func judgeDesks(judge *authz.Policies) (wrong []string) {
	cells, err := deskTable()
	if err != nil {
		return []string{err.Error()}
	}
	for _, route := range watch.routes {
		row := cells[route]
		if row == nil {
			wrong = append(wrong, "docs/authorisation.md has no row for the desks of "+route)
			continue
		}
		for _, role := range deskRoles {
			if want := cellOf(judge, role, watch.names[route]); row[string(role)] != want {
				wrong = append(wrong, fmt.Sprintf("%s: at a %s's desk the policies let in %s; docs/authorisation.md says %q", route, role, want, row[string(role)]))
			}
		}
	}
	for _, route := range slices.Sorted(maps.Keys(cells)) {
		if !slices.Contains(watch.routes, route) {
			wrong = append(wrong, "docs/authorisation.md has a row for the desks of "+route+", which is no route")
		}
	}
	return wrong
}

// atDesks keeps what was found of suspended organisations, for printing.
func (m *matrix) atDesks(stopped map[string]map[string]bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.stopped = stopped
}

// printDesks is the second table as it was seen. What was not seen stays as it stands.
func (m *matrix) printDesks(judge *authz.Policies) string {
	cells, _ := deskTable()
	var b strings.Builder
	fmt.Fprintf(&b, "\n| Route | %s |\n|---|%s\n", strings.Join(deskColumns, " | "), strings.Repeat("---|", len(deskColumns)))
	for _, route := range watch.routes {
		fmt.Fprintf(&b, "| `%s` |", route)
		for _, role := range deskRoles {
			fmt.Fprintf(&b, " %s |", cellOf(judge, role, watch.names[route]))
		}
		var stops []string
		for _, role := range deskRoles {
			is, seen := m.stopped[route][string(role)]
			if seen && is || !seen && slices.Contains(strings.Fields(cells[route]["suspended"]), string(role)) {
				stops = append(stops, string(role))
			}
		}
		if stops == nil {
			stops = []string{"–"}
		}
		fmt.Fprintf(&b, " %s |\n", strings.Join(stops, " "))
	}
	return b.String()
}

// behind is a cursor that leads behind the first thing of a list, as a page would.
func (r *rig) behind(t testing.TB, key, list string) string {
	t.Helper()
	var p struct{ Data []struct{ ID string } }
	r.ask(t, req{key: key, method: "GET", path: list + "?limit=1"}).into(t, &p)
	if len(p.Data) == 0 {
		t.Fatalf("%s has nothing", list)
	}
	cursor, err := json.Marshal(p.Data[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(cursor)
}

// market is the organisation that runs the market.
func (r *rig) market(t testing.TB) string {
	t.Helper()
	org, err := pg.Value[string](t.Context(), r.house.store, nil, `select id from members.organisation where kind = 'operator' order by id limit 1`)
	if err != nil {
		t.Fatal(err)
	}
	return org
}
