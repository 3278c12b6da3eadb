package lanes_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"tiwiza/pkg/auth"
	"tiwiza/pkg/event"
	"tiwiza/pkg/job"
	"tiwiza/pkg/lanes"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
	"tiwiza/pkg/rest"
)

// A hub is one of several on a database, with lanes of its own.
type hub struct {
	t     *testing.T
	db    *pg.Store
	s     *lanes.Service
	pay   *outbound.Lane
	query *outbound.Lane
	said  outbound.Result // what the partner answers to a test
}

func open(t *testing.T, url string) *hub {
	t.Helper()
	h := &hub{t: t, db: pgtest.Open(t, url, pg.Options{MaxConns: 4}), said: outbound.Result{Outcome: outbound.NotFound}}
	pgtest.Work(t, h.db, job.NewWorkers(), event.NewBus())
	m := outbound.NewMetrics(nil)
	h.pay = outbound.NewLane("bank", outbound.Pay, outbound.Settings{}, m).WithProbe(func(context.Context) outbound.Result { return h.said })
	h.query = outbound.NewLane("bank", outbound.Query, outbound.Settings{}, m)
	h.s = lanes.New(h.db, m)
	return h
}

func (h *hub) look() {
	h.t.Helper()
	if err := h.s.Look(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
}

// does makes a change as an operator's person.
func (h *hub) does(f func(ctx context.Context, tx *pg.Tx) error) error {
	h.t.Helper()
	ctx := auth.With(h.t.Context(), auth.Principal{Subject: "org_op", Role: auth.Operator, Human: "per_1"})
	return h.db.InTx(ctx, func(tx *pg.Tx) error { return f(ctx, tx) })
}

func (h *hub) fails(times int) {
	for range times {
		h.pay.Do(h.t.Context(), "bank.pay", func(context.Context) outbound.Result {
			return outbound.Result{Outcome: outbound.Unknown, Err: errors.New("no answer")}
		})
	}
}

func (h *hub) view() lanes.StateView {
	h.t.Helper()
	all, err := h.s.View(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	return all["bank"]
}

func (h *hub) breaker(class outbound.Class) lanes.LaneView {
	h.t.Helper()
	for _, l := range h.view().Lanes {
		if l.Class == class {
			return l
		}
	}
	h.t.Fatalf("there is no lane %s", class)
	return lanes.LaneView{}
}

func (h *hub) changes() (out []string) {
	h.t.Helper()
	p, err := h.s.Changes(h.t.Context(), lanes.ChangesInput{Partner: "bank", Paging: rest.Paging{Limit: 24}})
	if err != nil {
		h.t.Fatal(err)
	}
	for _, c := range p.Data {
		out = append(out, c.Change+" "+string(c.Class))
	}
	return out
}

func TestEveryHubFollowsWhatPeopleSet(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	one, two := open(t, url), open(t, url)
	var v lanes.BoundsView
	err := one.does(func(ctx context.Context, tx *pg.Tx) (err error) {
		v, err = one.s.Tune(ctx, tx, lanes.TuneInput{Partner: "bank", Class: outbound.Pay, Bounds: lanes.Bounds{DeadlineMS: 30_000, ContractPerMinute: 600, Consecutive: 2}})
		return err
	})
	if err != nil || v.Now.DeadlineMS != 30_000 || v.Now.HeaderMS != 20_000 || v.By == "" {
		t.Fatalf("%+v %v", v, err)
	}
	two.look()
	for name, h := range map[string]*hub{"its own": one, "the other": two} {
		if s := h.pay.Settings(); s.Deadline != 30*time.Second || s.Rate != 8 || s.Consecutive != 2 || s.Header != 20*time.Second {
			t.Errorf("%s hub has %+v; want 30 s, 8 calls a second of the 10 in the contract, 2 failures", name, s)
		}
		if s := h.query.Settings(); s != outbound.Defaults(outbound.Query) {
			t.Errorf("%s hub's questions have %+v", name, s)
		}
	}
	got, err := two.s.Lanes(t.Context(), lanes.NameInput{Partner: "bank"})
	if err != nil || len(got.Data) != 2 || got.Data[0].Set.Consecutive != 2 || got.Data[1].By != "" {
		t.Errorf("the other hub shows %+v %v", got, err)
	}
}

func TestBoundsThatDoNotFitChangeNothing(t *testing.T) {
	t.Parallel()
	h := open(t, pgtest.URL(t))
	for want, in := range map[error]lanes.TuneInput{
		lanes.ErrBounds:   {Partner: "bank", Class: outbound.Pay, Bounds: lanes.Bounds{HeaderMS: 26_000}},
		lanes.ErrNotFound: {Partner: "bank", Class: outbound.File, Bounds: lanes.Bounds{Burst: 1}},
	} {
		err := h.does(func(ctx context.Context, tx *pg.Tx) error { _, err := h.s.Tune(ctx, tx, in); return err })
		if !errors.Is(err, want) {
			t.Errorf("%+v: %v, want %v", in, err, want)
		}
	}
	retry := lanes.TuneInput{Partner: "bank", Class: outbound.Pay, Bounds: lanes.Bounds{Retries: 1}}
	if err := h.does(func(ctx context.Context, tx *pg.Tx) error { _, err := h.s.Tune(ctx, tx, retry); return err }); !errors.Is(err, lanes.ErrBounds) {
		t.Errorf("money that is sent again by itself: %v", err)
	}
	_, err := h.db.Exec(t.Context(), `insert into platform.lane_setting (partner, class, retries, set_by) values ('bank', 'pay', 1, 'x')`)
	if !pg.Violates(err, "lane_setting_asks_again") {
		t.Errorf("the database takes it: %v", err)
	}
	h.look()
	if h.pay.Settings() != outbound.Defaults(outbound.Pay) {
		t.Errorf("the lane has %+v", h.pay.Settings())
	}
}

func TestAPausedPartnerIsPausedEverywhere(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	one, two := open(t, url), open(t, url)
	var v lanes.StateView
	pause := func(ctx context.Context, tx *pg.Tx) (err error) {
		v, err = one.s.Pause(ctx, tx, lanes.PauseInput{Partner: "bank", Reason: "maintenance"})
		return err
	}
	if err := errors.Join(one.does(pause), one.does(pause)); err != nil || v.Paused == nil || v.Paused.Reason != "maintenance" {
		t.Fatalf("%+v %v", v, err)
	}
	two.look()
	if one.pay.Ready() || two.pay.Ready() || !two.query.Ready() {
		t.Errorf("ready to pay %v and %v, to ask %v; want no, no, yes", one.pay.Ready(), two.pay.Ready(), two.query.Ready())
	}
	if got := two.view().Strip; got[len(got)-1] != 2 {
		t.Errorf("the last quarter is %d, want 2", got[len(got)-1])
	}
	// A test goes through, and lets nothing else through.
	if r, err := two.s.Test(t.Context(), lanes.NameInput{Partner: "bank"}); err != nil || !r.Answers || two.pay.Ready() {
		t.Errorf("a test while paused: %+v %v, ready %v", r, err, two.pay.Ready())
	}
	resume := func(ctx context.Context, tx *pg.Tx) (err error) {
		v, err = two.s.Resume(ctx, tx, lanes.NameInput{Partner: "bank"})
		return err
	}
	if err := two.does(resume); err != nil || v.Paused != nil {
		t.Fatalf("%+v %v", v, err)
	}
	one.look()
	if !one.pay.Ready() || !two.pay.Ready() {
		t.Error("still paused")
	}
	if err := one.does(func(ctx context.Context, tx *pg.Tx) error {
		_, err := one.s.Pause(ctx, tx, lanes.PauseInput{Partner: "nobody", Reason: "x"})
		return err
	}); !errors.Is(err, lanes.ErrNotFound) {
		t.Errorf("a partner that is none: %v", err)
	}
}

// Who is told that a partner is stopped finds it stopped, whatever the hub was
// reading at that moment.
func TestAPauseHoldsFromItsAnswerOn(t *testing.T) {
	t.Parallel()
	h := open(t, pgtest.URL(t))
	ctx, stop := context.WithCancel(t.Context())
	var looking sync.WaitGroup
	looking.Go(func() {
		for ctx.Err() == nil {
			_ = h.s.Look(ctx)
		}
	})
	defer looking.Wait()
	defer stop()
	for n := range 150 {
		must(t, h.does(func(ctx context.Context, tx *pg.Tx) error {
			_, err := h.s.Pause(ctx, tx, lanes.PauseInput{Partner: "bank", Reason: "maintenance"})
			return err
		}))
		for range 20 {
			if h.pay.Ready() {
				t.Fatalf("pause %d does not hold", n)
			}
			time.Sleep(50 * time.Microsecond)
		}
		must(t, h.does(func(ctx context.Context, tx *pg.Tx) error {
			_, err := h.s.Resume(ctx, tx, lanes.NameInput{Partner: "bank"})
			return err
		}))
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestABreakerThatMovesIsWrittenDownAndTold(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	one, two := open(t, url), open(t, url)
	one.look()
	two.look()
	one.fails(3)
	one.look()
	for name, h := range map[string]*hub{"its own": one, "the other": two} {
		l := h.breaker(outbound.Pay)
		if l.Breaker != "open" || l.Reason != "bank.pay: no answer" || len(l.Errors) != 3 {
			t.Errorf("%s hub says %+v", name, l)
		}
	}
	if got := two.breaker(outbound.Query).Breaker; got != "closed" {
		t.Errorf("questions are %s", got)
	}
	if r, err := one.s.Test(t.Context(), lanes.NameInput{Partner: "bank"}); err != nil || !r.Answers {
		t.Fatalf("%+v %v", r, err)
	}
	one.look()
	one.look()
	if got, want := one.changes(), []string{"closed pay", "opened pay"}; !slices.Equal(got, want) {
		t.Errorf("changes are %q, want %q", got, want)
	}
	n, err := pg.Value[int](t.Context(), one.db, nil, `select count(*)::int from platform.event where type = 'partners.changed' and subject = 'bank'`)
	if err != nil || n != 2 {
		t.Errorf("%d events %v, want 2", n, err)
	}
	if got := two.view().Strip; got[len(got)-1] != 3 || got[0] != 1 || len(got) != lanes.Quarters {
		t.Errorf("the strip begins with %d and ends with %d", got[0], got[len(got)-1])
	}
}

// A hub that died while it had a breaker open holds nobody's mind for ever.
func TestADeadHubsBreakerIsForgotten(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	one, two := open(t, url), open(t, url)
	one.fails(3)
	one.look() // and is never heard of again
	two.look()
	if got := two.breaker(outbound.Pay).Breaker; got != "open" {
		t.Fatalf("the other hub says %s", got)
	}
	pgtest.Pass(t, two.db, job.NewTimers(two.db), 2*time.Minute)
	if got := two.breaker(outbound.Pay).Breaker; got != "closed" {
		t.Errorf("after two minutes' silence the other hub says %s", got)
	}
	for range 10 { // its own beat
		two.look()
	}
	if got, want := two.changes(), []string{"closed pay", "opened pay"}; !slices.Equal(got, want) {
		t.Errorf("changes are %q, want %q", got, want)
	}
}

func TestRunEndsCleanly(t *testing.T) {
	t.Parallel()
	h := open(t, pgtest.URL(t))
	ctx, cancel := context.WithCancel(auth.With(t.Context(), auth.Hub))
	done := make(chan struct{})
	go func() { defer close(done); h.s.Run(ctx) }()
	for {
		n, err := pg.Value[int](t.Context(), h.db, nil, `select count(*)::int from platform.lane_state`)
		if err != nil {
			t.Fatal(err)
		}
		if n == 2 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	cancel()
	<-done
	if n, err := pg.Value[int](t.Context(), h.db, nil, `select count(*)::int from platform.lane_state`); err != nil || n != 0 {
		t.Errorf("a hub that left has %d states %v", n, err)
	}
}
