package webhook_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tiwiza/pkg/auth"
	"tiwiza/pkg/event"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
	"tiwiza/pkg/rest"
	"tiwiza/pkg/webhook"
)

func TestAMemberGetsItsOwnEventsSigned(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	mine, theirs, ours := receive(t, nil), receive(t, nil), receive(t, nil)
	v := h.create(seller, mine.URL, "garden.*")
	h.create(stranger, theirs.URL, "*")
	h.create(operator, ours.URL, "*")
	h.grow("fig", 1)
	h.publish(hid{})
	h.once()
	got := mine.got()
	if len(got) != 1 || len(theirs.got()) != 0 || len(ours.got()) != 2 {
		t.Fatalf("the member got %d, a stranger %d, the operator %d; want 1, 0, 2", len(got), len(theirs.got()), len(ours.got()))
	}
	c := got[0]
	if !c.signed(v.Secret) || c.ID != c.id || c.Type != "garden.grew" || c.Version != 3 || c.View.Subject != "fig" || c.what() != "fig 1" {
		t.Errorf("got %s, signed %v", c.body, c.signed(v.Secret))
	}
	if strings.Contains(string(c.body), "4000") {
		t.Errorf("the member is told what is not for it: %s", c.body)
	}
	if !strings.Contains(string(ours.got()[0].body), `"version":0`) {
		t.Errorf("the operator got %s", ours.got()[0].body)
	}
	if l := h.log(v.ID); len(l) != 1 || l[0].State != webhook.Delivered || l[0].Status != 204 || l[0].Tries != 1 {
		t.Errorf("log %+v", l)
	}
	h.once()
	if n := len(mine.got()); n != 1 {
		t.Errorf("sent %d times", n)
	}
}

func TestOfOneSubjectAnEventWaitsForThoseBefore(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	failures := 2
	r := receive(t, nil)
	r.becomes(func(c call) int {
		if c.what() == "fig 1" && failures > 0 {
			failures--
			return 503
		}
		return 0
	})
	v := h.create(seller, r.URL, "*")
	h.grow("fig", 1, 2)
	h.grow("olive", 1, 2)
	h.once()
	h.grow("fig", 3)
	h.once()
	if got, want := slices.Sorted(slices.Values(r.whats())), []string{"fig 1", "olive 1", "olive 2"}; !slices.Equal(got, want) {
		t.Fatalf("sent %v, want %v while the first fig is not through", got, want)
	}
	for range 3 {
		h.advance(time.Minute)
		h.once()
	}
	var figs []string
	for _, w := range r.whats() {
		if strings.HasPrefix(w, "fig") {
			figs = append(figs, w)
		}
	}
	if want := []string{"fig 1", "fig 1", "fig 1", "fig 2", "fig 3"}; !slices.Equal(figs, want) {
		t.Errorf("figs came as %v, want %v", figs, want)
	}
	if w, d, f := h.states(v.ID); w != 0 || d != 5 || f != 0 {
		t.Errorf("%d wait, %d delivered, %d failed", w, d, f)
	}
}

func TestAnEndpointThatIsDeadForDaysGetsAllWhenItTakesOne(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	r := receive(t, always(500))
	v := h.create(seller, r.URL, "*")
	for n := range 12 {
		h.grow(fmt.Sprint("plant", n%4), n)
	}
	for range 47 {
		h.once()
		h.advance(time.Hour)
	}
	if w, _, f := h.states(v.ID); w != 12 || f != 0 {
		t.Fatalf("after two days %d wait and %d failed, want all to wait", w, f)
	}
	tried := len(r.got())
	r.becomes(nil)
	h.advance(time.Hour)
	h.grow("moss", 1) // the first that it takes brings all the others
	h.once()
	h.once()
	if w, d, f := h.states(v.ID); w != 0 || d != 13 || f != 0 {
		t.Errorf("when it is back %d wait, %d are delivered, %d failed", w, d, f)
	}
	last := map[string]int{}
	for _, c := range r.got()[tried:] {
		d := c.data()
		if d.N < last[d.Plant] {
			t.Errorf("%s came after %d", c.what(), last[d.Plant])
		}
		last[d.Plant] = d.N
	}
}

func TestAfterThreeDaysAnEventIsGivenUpAndCanBeReplayed(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	r := receive(t, always(500))
	v := h.create(seller, r.URL, "*")
	h.grow("fig", 1, 2)
	h.grow("olive", 1)
	start := h.now()
	for range 100 {
		h.once()
		h.advance(47 * time.Minute)
	}
	if w, d, f := h.states(v.ID); w != 0 || d != 0 || f != 3 {
		t.Fatalf("after %s %d wait, %d delivered, %d failed; want 3 failed", h.now().Sub(start), w, d, f)
	}
	l := h.log(v.ID)[0]
	if l.Status != 500 || len(l.Answer) > 1030 || !strings.HasPrefix(l.Answer, "\uFFFDsorry\uFFFDx") || l.Tries < 10 || l.Error != "the endpoint answered 500" {
		t.Errorf("its log has %+v", l)
	}
	for _, l := range h.log(v.ID) {
		if l.Tries == 0 && l.Error != "the endpoint took nothing for three days" {
			t.Errorf("what waited behind another and was never tried failed with %q", l.Error)
		}
	}
	r.becomes(nil)
	before := len(r.got())
	re, err := h.svc.Replay(as(t, seller), webhook.ReplayInput{Endpoint: v.ID, After: "2020-01-01T00:00:00Z"})
	must(t, err)
	h.advance(time.Hour)
	h.once()
	if _, d, _ := h.states(v.ID); re.Queued != 3 || re.Next != nil || d != 3 {
		t.Errorf("replayed %+v, %d delivered", re, d)
	}
	var figs []string
	for _, c := range r.got()[before:] {
		if c.data().Plant == "fig" {
			figs = append(figs, c.what())
		}
	}
	if !slices.Equal(figs, []string{"fig 1", "fig 2"}) {
		t.Errorf("replayed in the order %v", figs)
	}
}

func (h *hub) now() (now time.Time) {
	h.t.Helper()
	must(h.t, h.db.InTx(h.t.Context(), func(tx *pg.Tx) error { now = tx.Now(); return nil }))
	return now
}

func TestGoneDisables(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	gone, alive := receive(t, always(http.StatusGone)), receive(t, nil)
	v := h.create(seller, gone.URL, "*")
	h.create(seller, alive.URL, "webhooks.disabled")
	h.grow("fig", 1, 2)
	h.once()
	h.grow("fig", 3)
	h.once()
	h.once()
	e, err := h.svc.Show(as(t, seller), webhook.One{Endpoint: v.ID})
	must(t, err)
	if e.State != webhook.Disabled || e.Why == "" || len(gone.got()) != 1 {
		t.Errorf("%+v after %d calls", e, len(gone.got()))
	}
	if w, _, f := h.states(v.ID); w != 0 || f != 2 {
		t.Errorf("%d wait, %d failed; want the two that were there to fail", w, f)
	}
	if got := alive.got(); len(got) != 1 || got[0].Type != "webhooks.disabled" || !strings.Contains(string(got[0].body), v.ID) {
		t.Errorf("its owner was told %d things", len(got))
	}
}

func TestAPausedEndpointLosesNothing(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	r := receive(t, nil)
	v := h.create(seller, r.URL, "*")
	state := func(s webhook.State) {
		_, err := h.svc.Change(as(t, seller), webhook.ChangeInput{Endpoint: v.ID, State: s})
		must(t, err)
	}
	state(webhook.Paused)
	h.grow("fig", 1, 2)
	h.once()
	h.advance(10 * 24 * time.Hour)
	h.once()
	if n := len(r.got()); n != 0 {
		t.Fatalf("%d were sent while it was paused", n)
	}
	state(webhook.Active)
	h.once()
	if got := r.whats(); !slices.Equal(got, []string{"fig 1", "fig 2"}) {
		t.Errorf("then came %v", got)
	}
}

func TestTwoSecretsSignUntilTheOldOneEnds(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	r := receive(t, nil)
	v := h.create(seller, r.URL, "*")
	two, err := h.svc.Rotate(as(t, seller), webhook.RotateInput{Endpoint: v.ID})
	must(t, err)
	check := func(secrets map[string]bool) {
		t.Helper()
		h.grow("fig", 1)
		h.once()
		c := r.got()[len(r.got())-1]
		n := 0
		for s, want := range secrets {
			if c.signed(s) != want {
				t.Errorf("signed by %.10s: %v, want %v", s, !want, want)
			}
			if want {
				n++
			}
		}
		if got := len(strings.Fields(c.signature)); got != n {
			t.Errorf("%d signatures, want %d", got, n)
		}
	}
	check(map[string]bool{v.Secret: true, two.Secret: true})
	h.advance(webhook.Overlap + time.Minute)
	check(map[string]bool{v.Secret: false, two.Secret: true})
	three, err := h.svc.Rotate(as(t, seller), webhook.RotateInput{Endpoint: v.ID})
	must(t, err)
	four, err := h.svc.Rotate(as(t, seller), webhook.RotateInput{Endpoint: v.ID})
	must(t, err)
	check(map[string]bool{two.Secret: false, three.Secret: true, four.Secret: true})
}

func TestASlowEndpointHoldsUpNobodyElse(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	let := make(chan struct{})
	slow, quick := receive(t, func(call) int { <-let; return 0 }), receive(t, nil)
	h.create(seller, slow.URL, "*")
	h.create(seller, quick.URL, "*")
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { h.svc.Run(ctx); close(done) }()
	h.grow("fig", 1, 2, 3)
	h.grow("olive", 1)
	until(t, func() bool { return len(quick.got()) == 4 })
	close(let)
	until(t, func() bool { return len(slow.got()) == 4 })
	stop()
	<-done
}

func until(t testing.TB, f func() bool) {
	t.Helper()
	for range 1000 {
		if f() {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatal("it never came so far")
}

func TestAHubThatDiesLosesNothing(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	r := receive(t, nil)
	v := h.create(seller, r.URL, "*")
	h.grow("fig", 1, 2)
	if _, err := h.bus.Place(t.Context(), h.db); err != nil {
		t.Fatal(err)
	}
	if n, err := h.svc.Die(as(t, auth.Hub), v.ID); err != nil || n != 1 {
		t.Fatalf("took %d, %v; want the first of the subject", n, err)
	}
	h.once()
	if n := len(r.got()); n != 0 {
		t.Fatalf("%d were sent though another hub has them", n)
	}
	h.advance(61 * time.Second)
	h.once()
	if got := r.whats(); !slices.Equal(got, []string{"fig 1", "fig 2"}) {
		t.Errorf("then came %v", got)
	}
}

func TestTwoHubsDeliverAllInOrder(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	h := openHub(t, db, webhook.Guard{Loopback: true})
	var mu sync.Mutex
	tries := map[string]int{}
	r := receive(t, nil)
	r.becomes(func(c call) int { // every fourth event fails at first
		mu.Lock()
		defer mu.Unlock()
		tries[c.id]++
		if c.data().N%4 == 0 && tries[c.id] == 1 {
			return 500
		}
		return 0
	})
	v := h.create(seller, r.URL, "*")
	run := func() (stop func()) {
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		other := openHub(t, db, webhook.Guard{Loopback: true})
		db.Use(nil, h.bus)
		go func() { other.svc.Run(ctx); close(done) }()
		return func() { cancel(); <-done }
	}
	one, two := run(), run()
	const plants, each = 10, 12
	var wg sync.WaitGroup
	for p := range plants {
		wg.Go(func() {
			for n := 1; n <= each; n++ {
				h.grow(fmt.Sprint("plant", p), n)
			}
		})
	}
	wg.Wait()
	one() // one hub goes; the other goes on
	until(t, func() bool {
		h.advance(time.Minute)
		_, d, _ := h.states(v.ID)
		return d == plants*each
	})
	two()
	last, seen := map[string]int{}, map[string]string{}
	for _, c := range r.got() {
		d := c.data()
		if d.N > last[d.Plant]+1 {
			t.Errorf("%s came before %d", c.what(), last[d.Plant]+1)
		}
		last[d.Plant] = max(last[d.Plant], d.N)
		if was := seen[c.what()]; was != "" && was != c.id {
			t.Errorf("%s came as %s and as %s", c.what(), was, c.id)
		}
		seen[c.what()] = c.id
	}
	if len(seen) != plants*each {
		t.Errorf("%d events came, want %d", len(seen), plants*each)
	}
	t.Logf("%d calls for %d events", len(r.got()), len(seen))
}

func TestReplayByIDAndByRange(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	r := receive(t, nil)
	h.grow("fig", 1, 2, 3, 4, 5)
	h.publish(hid{})
	page, err := h.read(seller, "")
	must(t, err)
	if len(page.Data) != 5 || page.Next != nil {
		t.Fatalf("the member reads %d events", len(page.Data))
	}
	v := h.create(seller, r.URL, "*") // it was not there when they happened
	re, err := h.svc.Replay(as(t, seller), webhook.ReplayInput{Endpoint: v.ID, After: page.Data[0].ID, Before: page.Data[4].ID})
	must(t, err)
	h.once()
	if got := r.whats(); re.Queued != 3 || !slices.Equal(got, []string{"fig 2", "fig 3", "fig 4"}) {
		t.Errorf("%d queued, came %v", re.Queued, got)
	}
	one, err := h.svc.ReplayEvent(as(t, seller), webhook.EventInput{Event: page.Data[2].ID})
	must(t, err)
	h.once()
	got := r.got()
	if one.Queued != 1 || len(got) != 4 || got[3].id != page.Data[2].ID || got[1].id != got[3].id {
		t.Errorf("%d queued, came %v", one.Queued, r.whats())
	}
	if _, err := h.svc.ReplayEvent(as(t, stranger), webhook.EventInput{Event: page.Data[2].ID}); !errors.Is(err, webhook.ErrEvent) {
		t.Errorf("a stranger replays it: %v", err)
	}
	for _, after := range []string{"yesterday", "evt_none"} {
		if _, err := h.svc.Replay(as(t, seller), webhook.ReplayInput{Endpoint: v.ID, After: after}); !errors.Is(err, webhook.ErrRange) {
			t.Errorf("after %q: %v", after, err)
		}
	}
}

// read reads the event log as a member does.
func (h *hub) read(who auth.Principal, after string) (p rest.Page[event.View], err error) {
	key := auth.NewKey()
	mux := http.NewServeMux()
	rest.Mount(mux, event.Routes(h.bus, h.db), rest.Edge{
		Store: h.db, Log: slog.New(slog.DiscardHandler), Limits: rest.Limits{Principal: -1},
		Authenticate: func(context.Context, auth.Key) (auth.Principal, error) { return who, nil },
		May:          func(context.Context, auth.Principal, string) (string, error) { return "test", nil },
	})
	req := httptest.NewRequestWithContext(h.t.Context(), "GET", "/v1/events?limit=100&after="+after, nil)
	req.Header.Set("Authorization", "Bearer "+key.String())
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, req)
	if w.Code != http.StatusOK {
		return p, errors.New(w.Body.String())
	}
	return p, json.Unmarshal(w.Body.Bytes(), &p)
}

func TestAMemberReadsItsOwnEvents(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.grow("fig", 1, 2)
	h.publish(hid{}, grew{"olive", other, 1, ""})
	for who, want := range map[auth.Principal]int{seller: 2, stranger: 1, operator: 4, {Subject: buyer, Role: auth.Buyer}: 0} {
		p, err := h.read(who, "")
		must(t, err)
		if len(p.Data) != want {
			t.Errorf("the %s %s reads %d events, want %d", who.Role, who.Subject, len(p.Data), want)
		}
	}
	p, err := h.read(seller, "")
	must(t, err)
	if rest, err := h.read(seller, p.Data[0].ID); err != nil || len(rest.Data) != 1 || rest.Data[0].ID != p.Data[1].ID {
		t.Errorf("after the first come %+v, %v", rest, err)
	}
	if _, err := h.read(stranger, p.Data[0].ID); err == nil {
		t.Error("a stranger reads on from an event it does not hear of")
	}
}

func TestStrangersSeeNoEndpoint(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	r := receive(t, nil)
	v := h.create(seller, r.URL, "*")
	ctx, one := as(t, stranger), webhook.One{Endpoint: v.ID}
	_, show := h.svc.Show(ctx, one)
	_, change := h.svc.Change(ctx, webhook.ChangeInput{Endpoint: v.ID, State: webhook.Paused})
	_, remove := h.svc.Delete(ctx, one)
	_, rotate := h.svc.Rotate(ctx, webhook.RotateInput{Endpoint: v.ID})
	_, test := h.svc.Test(ctx, one)
	_, replay := h.svc.Replay(ctx, webhook.ReplayInput{Endpoint: v.ID, After: "2020-01-01T00:00:00Z"})
	_, log := h.svc.Deliveries(ctx, webhook.DeliveriesInput{Endpoint: v.ID})
	for what, err := range map[string]error{"show": show, "change": change, "delete": remove, "rotate": rotate, "test": test, "replay": replay, "log": log} {
		if !errors.Is(err, webhook.ErrNotFound) {
			t.Errorf("%s: %v, want ErrNotFound", what, err)
		}
	}
	if p, err := h.svc.List(ctx, rest.Paging{Limit: 10}); err != nil || len(p.Data) != 0 {
		t.Errorf("a stranger lists %d, %v", len(p.Data), err)
	}
	if p, err := h.svc.List(as(t, operator), rest.Paging{Limit: 10}); err != nil || len(p.Data) != 1 {
		t.Errorf("the operator lists %d, %v", len(p.Data), err)
	}
	if _, err := h.svc.Delete(as(t, seller), one); err != nil {
		t.Error(err)
	}
}

func TestATestIsSentAtOnce(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	r := receive(t, nil)
	v := h.create(seller, r.URL, "*")
	d, err := h.svc.Test(as(t, seller), webhook.One{Endpoint: v.ID})
	must(t, err)
	if got := r.got(); len(got) != 1 || got[0].Type != "webhooks.test" || !got[0].signed(v.Secret) || d.State != webhook.Delivered {
		t.Errorf("%d came, %+v", len(got), d)
	}
	r.becomes(always(302))
	d, err = h.svc.Test(as(t, seller), webhook.One{Endpoint: v.ID})
	must(t, err)
	if n := len(r.got()); n != 2 || d.State != webhook.Failed || d.Status != 302 {
		t.Errorf("a redirect: %d calls, %+v", n, d)
	}
}

func TestTwentyEndpointsAreTheMost(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	var wg sync.WaitGroup
	for range 30 {
		wg.Go(func() {
			for {
				_, err := h.svc.Create(as(t, seller), webhook.CreateInput{URL: "https://shop.example/", Events: []string{"*"}})
				if !errors.Is(err, pg.ErrBusy) {
					if err != nil && !errors.Is(err, webhook.ErrFull) {
						t.Error(err)
					}
					return
				}
			}
		})
	}
	wg.Wait()
	if p, err := h.svc.List(as(t, seller), rest.Paging{Limit: 100}); err != nil || len(p.Data) != 20 {
		t.Errorf("%d endpoints, %v", len(p.Data), err)
	}
	for _, c := range []struct {
		url, event string
		want       error
	}{{"http://shop.example/", "*", webhook.ErrURL}, {"https://shop.example/", "garden.hid", webhook.ErrEvents}, {"https://shop.example/", "gardens.*", webhook.ErrEvents}} {
		if _, err := h.svc.Create(as(t, stranger), webhook.CreateInput{URL: c.url, Events: []string{c.event}}); !errors.Is(err, c.want) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// An event that is queued while the one before it is being written down as
// delivered must not wait for it for ever.
func TestAnEventThatComesWhileAnotherEndsIsSent(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	r := receive(t, always(500))
	v := h.create(seller, r.URL, "*")
	h.grow("fig", 1)
	h.once()
	r.becomes(nil)
	h.grow("fig", 2)
	placed := make(chan error, 1)
	must(t, h.db.InTx(t.Context(), func(tx *pg.Tx) error { // as an attempt that succeeds is written down
		if _, err := tx.Exec(t.Context(), `select from platform.webhook_endpoint where id = $1 for update`, v.ID); err != nil {
			return err
		}
		if _, err := tx.Exec(t.Context(), `update platform.webhook_delivery set state = 'delivered' where endpoint = $1`, v.ID); err != nil {
			return err
		}
		go func() {
			_, err := h.bus.Place(context.WithoutCancel(t.Context()), h.db)
			placed <- err
		}()
		time.Sleep(300 * time.Millisecond)
		return nil
	}))
	must(t, <-placed)
	h.once()
	if _, d, _ := h.states(v.ID); d != 2 {
		t.Errorf("%d are delivered, want both", d)
	}
}
