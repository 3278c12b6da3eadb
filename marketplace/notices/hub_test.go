package notices_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tiwiza/adapters/notify"
	"tiwiza/marketplace/notices"
	"tiwiza/marketplace/orders"
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

// gateway is one in memory: it answers what it is told to, and accepts otherwise.
type gateway struct {
	mu      sync.Mutex
	channel notify.Channel
	answers []outbound.Result
	got     []notify.Message
}

func (g *gateway) Name() string            { return "memory" }
func (g *gateway) Channel() notify.Channel { return g.channel }

func (g *gateway) Send(_ context.Context, m notify.Message) outbound.Result {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.got = append(g.got, m)
	if len(g.answers) > 0 {
		r := g.answers[0]
		g.answers = g.answers[1:]
		return r
	}
	return outbound.Result{Outcome: outbound.Accepted, PartnerID: "gw-" + m.Ref}
}

// Reports reads lines of a state and a reference; "forged" is what nobody signed.
func (g *gateway) Reports(c notify.Callback) (all []notify.Report, err error) {
	if c.Signature != "right" {
		return nil, notify.ErrForged
	}
	for l := range strings.Lines(string(c.Body)) {
		state, ref, ok := strings.Cut(strings.TrimSpace(l), " ")
		if !ok {
			return nil, notify.ErrUnreadable
		}
		r := notify.Report{State: notify.State(state), Ref: ref}
		if name, theirs := strings.CutPrefix(ref, "gw-"); theirs {
			r.Ref, r.PartnerID = "", "gw-"+name
		}
		all = append(all, r)
	}
	return all, nil
}

func (g *gateway) will(all ...outbound.Result) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.answers = all
}

func (g *gateway) sent() []notify.Message {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.got)
}

var (
	refused = outbound.Result{Outcome: outbound.Declined, Code: "no_such_number"}
	unknown = outbound.Result{Outcome: outbound.Unknown}
	notSent = outbound.Result{Outcome: outbound.NotSent}
)

// post is a hub that only tells people things.
type post struct {
	t          *testing.T
	db         *pg.Store
	bus        *event.Bus
	s          *notices.Service
	timers     *job.Timers
	sms, email *gateway
	web        http.Handler
	mu         sync.Mutex
	keys       map[auth.Key]auth.Principal
	people     map[string][]notices.Address
	briefs     map[string]orders.Brief
	url        string
	box        notices.Box
}

func (p *post) Reach(_ context.Context, _ pg.DB, subject string) ([]notices.Address, error) {
	return p.people[subject], nil
}

func (p *post) Brief(_ context.Context, _ pg.DB, order string) (orders.Brief, error) {
	b, ok := p.briefs[order]
	if !ok {
		return b, orders.ErrNotFound
	}
	return b, nil
}

// BriefOfCharge knows one charge, chg_1, which is for the only order there is.
func (p *post) BriefOfCharge(_ context.Context, _ pg.DB, charge string) (orders.Brief, error) {
	for _, b := range p.briefs {
		if charge == "chg_1" {
			return b, nil
		}
	}
	return orders.Brief{}, orders.ErrNotFound
}

// newPost opens one at ten in the morning.
func newPost(t *testing.T) *post {
	t.Helper()
	p := &post{t: t, db: pgtest.New(t), bus: event.NewBus(), keys: map[auth.Key]auth.Principal{}, people: map[string][]notices.Address{}, briefs: map[string]orders.Brief{}, url: "https://tiwiza.example"}
	p.sms, p.email = &gateway{channel: notify.SMS}, &gateway{channel: notify.Email}
	p.timers = job.NewTimers(p.db)
	var err error
	if p.box, err = notices.NewBox(strings.Repeat("k", 32)); err != nil {
		t.Fatal(err)
	}
	p.s = p.service()
	notices.Subscribe(p.bus, p.s)
	notices.Tell(p.bus)
	w := job.NewWorkers()
	p.s.Work(w, p.timers)
	pgtest.Work(t, p.db, w, p.bus)
	policies, err := authz.New()
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	rest.Mount(mux, notices.Routes(p.s), rest.Edge{
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
	p.at(10, 0)
	return p
}

// service is another hub's, with the same gateways.
func (p *post) service() *notices.Service {
	line := outbound.Settings{Consecutive: 1000, Volume: 1000, Rate: 1000, Burst: 1000}
	return notices.New(p.db, notices.Needs{
		People: p, Orders: p, Box: p.box, URL: p.url,
		Carriers: []*notify.Carrier{notify.New("sms", p.sms, notify.Options{Lane: line}), notify.New("mail", p.email, notify.Options{Lane: line})},
	})
}

func (p *post) now() time.Time {
	p.t.Helper()
	now, err := clock.Now(p.t.Context(), p.db)
	if err != nil {
		p.t.Fatal(err)
	}
	return now
}

// at moves the clock to a time of the next day, or of today if that is to come.
func (p *post) at(hour, minute int) {
	p.t.Helper()
	l := p.now().In(clock.Morocco)
	next := time.Date(l.Year(), l.Month(), l.Day(), hour, minute, 0, 0, clock.Morocco)
	if !next.After(l) {
		next = next.AddDate(0, 0, 1)
	}
	p.pass(next.Sub(l))
}

// pass lets time go by, and waits until all is done that is due then.
func (p *post) pass(by time.Duration) {
	p.t.Helper()
	pgtest.Idle(p.t, p.db)
	pgtest.Pass(p.t, p.db, p.timers, by)
	pgtest.Idle(p.t, p.db)
}

func (p *post) tell(all ...notices.Telling) {
	p.t.Helper()
	err := p.db.InTx(p.t.Context(), func(tx *pg.Tx) error {
		for _, t := range all {
			if err := p.s.Tell(p.t.Context(), tx, t); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		p.t.Fatal(err)
	}
	pgtest.Idle(p.t, p.db)
}

func (p *post) publish(all ...pg.Event) {
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
		p.t.Fatal(err)
	}
	pgtest.Idle(p.t, p.db)
}

const (
	number  = "+212612345678"
	mailbox = "nom@exemple.ma"
)

// news is something that can wait.
func news(owner string) notices.Telling {
	return notices.Telling{Owner: owner, Phone: number, Email: mailbox, Kind: notices.MoneyReleased, Lang: "fr", Amount: 12345, Params: map[string]string{"order": "A1B2C3", "amount": "123.45"}}
}

// code is what somebody waits for.
func code(owner string) notices.Telling {
	return notices.Telling{Owner: owner, Phone: number, Email: mailbox, Kind: notices.SignInCode, Lang: "fr", Params: map[string]string{"code": "493817", "host": "tiwiza.example"}}
}

func (p *post) key(role auth.Role, subject string) string {
	k := auth.NewKey()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keys[k] = auth.Principal{Key: k.ID, Subject: subject, Role: role}
	return k.String()
}

// ask makes a request; body nil has none.
func (p *post) ask(method, path, key string, body any, headers ...string) (status int, answer string) {
	p.t.Helper()
	var r io.Reader = http.NoBody
	if s, ok := body.(string); ok {
		r = strings.NewReader(s)
	} else if body != nil {
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
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	p.web.ServeHTTP(w, req)
	return w.Code, w.Body.String()
}

// log is what a member sees of what it was told.
func (p *post) log(owner string) (all []notices.View) {
	p.t.Helper()
	status, answer := p.ask("GET", "/v1/notices", p.key(auth.Buyer, owner), nil)
	var page rest.Page[notices.View]
	if err := json.Unmarshal([]byte(answer), &page); err != nil || status != http.StatusOK {
		p.t.Fatalf("%d %s: %v", status, answer, err)
	}
	return page.Data
}

// stands checks the only notice of an owner.
func (p *post) stands(owner string, state notices.State, channel, reason string) notices.View {
	p.t.Helper()
	all := p.log(owner)
	if len(all) != 1 || all[0].State != state || all[0].Channel != channel || all[0].Reason != reason {
		p.t.Fatalf("the log has %+v; want one %s by %q for %q", all, state, channel, reason)
	}
	return all[0]
}

// counts checks how many messages each gateway was given.
func (p *post) counts(sms, email int) {
	p.t.Helper()
	if a, b := len(p.sms.sent()), len(p.email.sent()); a != sms || b != email {
		p.t.Fatalf("%d SMS and %d mails were sent, want %d and %d", a, b, sms, email)
	}
}
