package relations_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"tiwiza/adapters/crm"
	"tiwiza/marketplace/loyalty"
	"tiwiza/marketplace/orders"
	"tiwiza/marketplace/relations"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/clock"
	"tiwiza/pkg/event"
	"tiwiza/pkg/id"
	"tiwiza/pkg/job"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
	"tiwiza/pkg/rest"
)

// system is one in memory. It answers as it is told to, and does what it is asked
// unless the answer is one of a call that was not sent.
type system struct {
	mu       sync.Mutex
	next     int
	contacts map[string]crm.Contact // by our name
	points   map[string]crm.Points
	deals    map[string]crm.Deal
	mails    map[string]bool // address: subscribed
	left     map[string]bool
	answers  []outbound.Result
	stumbles string // over whom it falls
	refuses  string // whom it does not take
	calls    []string
	batches  []int
	within   map[string]func() // what happens while it is asked something, once
}

func newSystem() *system {
	return &system{contacts: map[string]crm.Contact{}, points: map[string]crm.Points{}, deals: map[string]crm.Deal{}, mails: map[string]bool{}, left: map[string]bool{}, within: map[string]func(){}}
}

func (s *system) Name() string { return "memory" }

// call notes a call, and says how it ends.
func (s *system) call(name string, n int) outbound.Result {
	s.calls, s.batches = append(s.calls, name), append(s.batches, n)
	if f := s.within[name]; f != nil {
		delete(s.within, name)
		s.mu.Unlock()
		f()
		s.mu.Lock()
	}
	if len(s.answers) == 0 {
		return outbound.Result{Outcome: outbound.Succeeded}
	}
	r := s.answers[0]
	s.answers = s.answers[1:]
	return r
}

func (s *system) PutContacts(_ context.Context, all []crm.Contact) (puts []crm.Put, r outbound.Result) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r = s.call("contacts", len(all)); r.Outcome == outbound.NotSent {
		return nil, r
	}
	for _, c := range all {
		if c.ID == s.stumbles {
			return nil, unknown
		}
	}
	for _, c := range all {
		was, there := s.contacts[c.ID]
		switch {
		case c.ID == s.refuses:
			puts = append(puts, crm.Put{ID: c.ID, Refused: "INVALID"})
			continue
		case c.RemoteID != "" && was.RemoteID != c.RemoteID:
			puts = append(puts, crm.Put{ID: c.ID, Refused: crm.Gone})
			continue
		case !there && c.Withdrawn:
			puts = append(puts, crm.Put{ID: c.ID, Refused: crm.Gone})
			continue
		case !there:
			s.next++
			was.RemoteID = strconv.Itoa(s.next)
		}
		if c.Withdrawn {
			was.Withdrawn = true
			c = was
		}
		c.RemoteID = was.RemoteID
		s.contacts[c.ID] = c
		puts = append(puts, crm.Put{ID: c.ID, RemoteID: c.RemoteID})
	}
	if r.Outcome != outbound.Succeeded {
		puts = nil
	}
	return puts, r
}

func (s *system) PutPoints(_ context.Context, all []crm.Points) (puts []crm.Put, r outbound.Result) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r = s.call("points", len(all)); r.Outcome != outbound.Succeeded {
		return nil, r
	}
	for _, p := range all {
		s.points[p.ID] = p
		puts = append(puts, crm.Put{ID: p.ID, RemoteID: p.ContactID})
	}
	return puts, r
}

func (s *system) PutDeals(_ context.Context, all []crm.Deal) (puts []crm.Put, r outbound.Result) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r = s.call("deals", len(all)); r.Outcome != outbound.Succeeded {
		return nil, r
	}
	for _, d := range all {
		if d.RemoteID == "" {
			s.next++
			d.RemoteID = strconv.Itoa(s.next)
		}
		s.deals[d.ID] = d
		puts = append(puts, crm.Put{ID: d.ID, RemoteID: d.RemoteID})
	}
	return puts, r
}

func (s *system) Wish(_ context.Context, w crm.Wish) outbound.Result {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.call("wish", 1)
	switch {
	case r.Outcome != outbound.Succeeded:
	case w.Granted && s.left[w.Email]:
		return outbound.Result{Outcome: outbound.Declined, Code: "LEFT"}
	default:
		s.mails[w.Email] = w.Granted
	}
	return r
}

func (s *system) Refusing(_ context.Context, emails []string) (all []string, r outbound.Result) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r = s.call("refusing", len(emails)); r.Outcome != outbound.Succeeded {
		return nil, r
	}
	for _, e := range emails {
		if on, known := s.mails[e]; known && !on {
			all = append(all, e)
		}
	}
	return all, r
}

func (s *system) Erase(_ context.Context, e crm.Erasure) (p crm.Proof, r outbound.Result) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r = s.call("erase", 1); r.Outcome != outbound.Succeeded {
		return p, r
	}
	if c, ok := s.contacts[e.ID]; ok {
		p.RemoteIDs = []string{c.RemoteID}
	}
	delete(s.contacts, e.ID)
	delete(s.points, e.ID)
	p.Answer, p.Checked = "No Content", "not found"
	return p, r
}

// leave has a person refuse there.
func (s *system) leave(email string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mails[email], s.left[email] = false, true
}

func (s *system) will(all ...outbound.Result) { s.do(func() { s.answers = all }) }

func (s *system) do(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

// asked takes the calls so far.
func (s *system) asked() (calls []string) {
	s.do(func() { calls, s.calls, s.batches = s.calls, nil, nil })
	return calls
}

var (
	unknown = outbound.Result{Outcome: outbound.Unknown}
	notSent = outbound.Result{Outcome: outbound.NotSent}
)

// plain is a system that keeps no wishes and no points.
type plain struct{ s *system }

func (p plain) Name() string { return "plain" }

func (p plain) PutContacts(ctx context.Context, all []crm.Contact) ([]crm.Put, outbound.Result) {
	return p.s.PutContacts(ctx, all)
}

func (p plain) PutDeals(ctx context.Context, all []crm.Deal) ([]crm.Put, outbound.Result) {
	return p.s.PutDeals(ctx, all)
}

// post is a hub that only keeps systems up to date.
type post struct {
	t      *testing.T
	db     *pg.Store
	bus    *event.Bus
	s      *relations.Service
	timers *job.Timers
	crm    *system
	web    http.Handler

	mu     sync.Mutex
	keys   map[auth.Key]auth.Principal
	people map[string]relations.Profile
	briefs map[string]orders.Brief
	points map[string]loyalty.Balance
}

func find[T any](p *post, from map[string]T, ids []string) (all []T) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, i := range slices.Sorted(slices.Values(ids)) {
		if x, ok := from[i]; ok {
			all = append(all, x)
		}
	}
	return all
}

func (p *post) Profiles(_ context.Context, _ pg.DB, ids []string) ([]relations.Profile, error) {
	return find(p, p.people, ids), nil
}

func (p *post) Briefs(_ context.Context, _ pg.DB, ids []string) ([]orders.Brief, error) {
	return find(p, p.briefs, ids), nil
}

func (p *post) Balances(_ context.Context, _ pg.DB, ids []string, _ time.Time) ([]loyalty.Balance, error) {
	return find(p, p.points, ids), nil
}

// newPost opens one whose system is in the country.
func newPost(t *testing.T) *post {
	t.Helper()
	return openPost(t, crm.Options{}, nil)
}

func openPost(t *testing.T, o crm.Options, more func(p *post, line outbound.Settings) []*crm.CRM) *post {
	t.Helper()
	p := &post{
		t: t, db: pgtest.New(t), bus: event.NewBus(), crm: newSystem(), keys: map[auth.Key]auth.Principal{}, people: map[string]relations.Profile{},
		briefs: map[string]orders.Brief{}, points: map[string]loyalty.Balance{},
	}
	line := outbound.Settings{Consecutive: 1000, Volume: 1000, Rate: 1000, Burst: 1000}
	o.Lane = line
	all := []*crm.CRM{crm.New("crm", p.crm, o)}
	if more != nil {
		all = append(all, more(p, line)...)
	}
	p.timers = job.NewTimers(p.db)
	p.s = relations.New(p.db, relations.Needs{People: p, Orders: p, Loyalty: p, CRMs: all})
	relations.Subscribe(p.bus, p.s)
	relations.Tell(p.bus)
	w := job.NewWorkers()
	p.s.Work(w, p.timers)
	pgtest.Work(t, p.db, w, p.bus)
	policies, err := authz.New()
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	rest.Mount(mux, relations.Routes(p.s), rest.Edge{
		Store: p.db, Log: slog.New(slog.DiscardHandler), Limits: rest.Limits{Principal: -1, Address: -1},
		Authenticate: func(_ context.Context, key auth.Key) (auth.Principal, error) {
			p.mu.Lock()
			defer p.mu.Unlock()
			return p.keys[key], nil
		},
		May: func(_ context.Context, who auth.Principal, action string) (string, error) {
			return policies.May(who, action, authz.Resource{})
		},
	})
	p.web = mux
	if err := p.s.Arm(auth.With(t.Context(), auth.Hub)); err != nil {
		t.Fatal(err)
	}
	p.pass(time.Minute)
	p.crm.asked()
	return p
}

// pass lets time go by in small steps, and waits until all is done that is due.
func (p *post) pass(by time.Duration) {
	p.t.Helper()
	for step := min(by, 10*time.Second); by > 0; by -= step {
		pgtest.Idle(p.t, p.db)
		pgtest.Pass(p.t, p.db, p.timers, min(step, by))
		pgtest.Idle(p.t, p.db)
		if by > time.Minute {
			step = time.Minute
		}
	}
}

func (p *post) now() time.Time {
	p.t.Helper()
	now, err := clock.Now(p.t.Context(), p.db)
	if err != nil {
		p.t.Fatal(err)
	}
	return now
}

// soon lets pass what is gathered before it is said.
func (p *post) soon() { p.t.Helper(); p.pass(10 * time.Second) }

func (p *post) publish(all ...pg.Event) {
	p.t.Helper()
	p.write(all...)
	pgtest.Idle(p.t, p.db)
}

// write publishes and waits for nothing.
func (p *post) write(all ...pg.Event) {
	p.t.Helper()
	err := p.db.InTx(p.t.Context(), func(tx *pg.Tx) error {
		for _, e := range all {
			if err := tx.Publish(p.t.Context(), e); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		p.t.Error(err)
	}
}

// heard waits until all events were.
func (p *post) heard() {
	for n := 1; n > 0; time.Sleep(10 * time.Millisecond) {
		var err error
		n, err = pg.Value[int](context.Background(), p.db, nil, `select count(*) from river.river_job where kind = 'event.deliver' and state in ('available', 'running', 'retryable')`)
		if err != nil {
			p.t.Error(err)
			return
		}
	}
}

// somebody is a person with an address, and a key.
func (p *post) somebody() (person, key string) {
	person = id.New(id.Person)
	p.mu.Lock()
	p.people[person] = relations.Profile{ID: person, Name: "Exemple", Email: person[4:] + "@exemple.ma", Phone: "+212612345678", Lang: "fr"}
	p.points[person] = loyalty.Balance{Person: person, Points: 120, Version: 3}
	p.mu.Unlock()
	return person, p.key(auth.Buyer, person)
}

func (p *post) email(person string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.people[person].Email
}

func (p *post) key(role auth.Role, subject string) string {
	k := auth.NewKey()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keys[k] = auth.Principal{Key: k.ID, Subject: subject, Role: role}
	return k.String()
}

// order has somebody's order come to a state, and be told.
func (p *post) order(person, order string, s orders.State, e func(orders.Moved) pg.Event) {
	p.t.Helper()
	p.mu.Lock()
	p.briefs[order] = orders.Brief{ID: order, Buyer: person, State: s, Total: dirhams("123.50"), CreatedAt: time.Date(2026, 11, 1, 9, 0, 0, 0, time.UTC)}
	p.mu.Unlock()
	if e != nil {
		p.publish(e(orders.Moved{Order: order, Buyer: person}))
	}
}

// ask makes a request; body nil has none.
func (p *post) ask(method, path, key string, body any) (status int, answer string) {
	p.t.Helper()
	var r io.Reader = http.NoBody
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			p.t.Fatal(err)
		}
		r = strings.NewReader(string(b))
	}
	req := httptest.NewRequest(method, path, r)
	req.Header.Set("Content-Type", "application/json")
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
		req.Header.Set("Idempotency-Key", id.New(id.Event))
	}
	w := httptest.NewRecorder()
	p.web.ServeHTTP(w, req)
	return w.Code, w.Body.String()
}

// get reads an answer that must be there.
func get[T any](p *post, path, key string) (v T) {
	p.t.Helper()
	status, answer := p.ask("GET", path, key, nil)
	if err := json.Unmarshal([]byte(answer), &v); err != nil || status != http.StatusOK {
		p.t.Fatalf("GET %s: %d %s: %v", path, status, answer, err)
	}
	return v
}

// says has somebody agree, or not.
func (p *post) says(key string, granted bool) {
	p.t.Helper()
	in := map[string]any{"granted": granted}
	if granted {
		_, _, in["text"] = relations.Text("fr")
	}
	if status, answer := p.ask("POST", "/v1/wishes/marketing", key, in); status != http.StatusOK {
		p.t.Fatalf("%d %s", status, answer)
	}
}

// agrees is somebody who agreed, and of whom the system was told.
func (p *post) agrees() (person, key string) {
	p.t.Helper()
	person, key = p.somebody()
	p.says(key, true)
	p.soon()
	if c, ok := p.known(person); !ok || c.Withdrawn {
		p.t.Fatalf("the system has %+v", c)
	}
	return person, key
}

// known is as whom the system has somebody.
func (p *post) known(person string) (c crm.Contact, ok bool) {
	p.crm.do(func() { c, ok = p.crm.contacts[person] })
	return c, ok
}

// knows checks what the system has of somebody.
func (p *post) knows(person string, there, withdrawn bool) {
	p.t.Helper()
	if c, ok := p.known(person); ok != there || c.Withdrawn != withdrawn {
		p.t.Fatalf("the system has %+v (%v); want there %v, withdrawn %v", c, ok, there, withdrawn)
	}
}

func (p *post) stance(key string) relations.StanceView {
	p.t.Helper()
	return get[relations.StanceView](p, "/v1/wishes/marketing", key)
}

// links are what is kept of somebody, by entity.
func (p *post) links(person string) map[relations.Entity]relations.LinkView {
	p.t.Helper()
	all := map[relations.Entity]relations.LinkView{}
	for _, l := range get[rest.Page[relations.LinkView]](p, "/v1/crm/crm/links?person="+person, p.key(auth.Operator, "org_operator")).Data {
		all[l.Entity] = l
	}
	return all
}

func (p *post) partner() relations.PartnerView {
	p.t.Helper()
	return get[relations.PartnersView](p, "/v1/crm", p.key(auth.Operator, "org_operator")).Data[0]
}

func sorted(m map[relations.Entity]relations.LinkView) []relations.Entity {
	return slices.Sorted(maps.Keys(m))
}
