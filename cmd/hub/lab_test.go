package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tiwiza/adapters/bank"
	"tiwiza/adapters/bank/iso20022"
	"tiwiza/adapters/wallet"
	"tiwiza/payments/operations"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/outbound/netfault"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
)

// A lab is a hub in this process, over a database of its own, with the stand-in
// partners in theirs. It turns its own wheels, fast: its timers fire and the
// bank's files are fetched many times a second, and its clock is moved by hand.
type lab struct {
	*rig
	t     testing.TB
	stall *stall
	house *house
}

func newLab(t testing.TB) *lab {
	t.Helper()
	r := &rig{dir: t.TempDir(), sim: "http://" + netfault.FreeAddr(t)}
	l := &lab{rig: r, t: t}
	sim := strings.TrimPrefix(r.sim, "http://")
	r.hub = start(t, "hubsim", filepath.Join(r.dir, "hubsim.log"), []string{
		"HUBSIM_ADDR=" + sim, "HUBSIM_SFTP_ADDR=" + netfault.FreeAddr(t), "HUBSIM_DATA_DIR=" + filepath.Join(r.dir, "sim"),
		"HUBSIM_SETTLE_EVERY=50ms", "HUBSIM_STATEMENT_EVERY=50ms",
	})
	t.Cleanup(func() { r.hub.end(os.Interrupt, 5*time.Second) })
	var cfg partnerConfig
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
		var err error
		if cfg, err = askPartners(t.Context(), sim); err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the stand-in partners do not answer: %v", err)
		}
	}
	cfg.standIns()
	store := pgtest.Open(t, pgtest.URL(t), pg.Options{MaxConns: 10})
	quietly := slog.New(slog.DiscardHandler)
	door := httptest.NewUnstartedServer(nil)
	r.url = "http://" + door.Listener.Addr().String()
	files, err := filing{}.open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	o := options{PublicURL: r.url, Email: "contact@tiwiza.example", Demo: true, Rate: 1e6, Work: true, Log: quietly, Files: files}
	if l.house, err = build(store, impatient(t, cfg), o); err != nil {
		t.Fatal(err)
	}
	r.house = l.house
	l.ok(l.house.certify(t.Context()))
	door.Config.Handler = l.house.handler(nil, nil, prometheus.NewRegistry(), o)
	door.Start()
	t.Cleanup(door.Close)
	if r.keys, err = l.house.seed(t.Context(), filepath.Join(r.dir, demoFile), demoAddresses{r.url, r.sim}); err != nil {
		t.Fatal(err)
	}
	r.player = r.plays(io.Discard)
	l.turn()
	return l
}

// impatient opens partners with short deadlines, and breakers that never stay
// open: what takes seconds in earnest takes a moment here.
func impatient(t testing.TB, c partnerConfig) *partners {
	t.Helper()
	s := outbound.Settings{Header: 700 * time.Millisecond, Deadline: time.Second, Rate: 1e4, Burst: 1e4, Consecutive: 1e6, Volume: 1e5, Cooldown: time.Millisecond}
	p, err := c.open(nil)
	if err != nil {
		t.Fatal(err)
	}
	bd, err := iso20022.New(iso20022.Config{
		Addr: c.Bank.SFTPAddr, User: c.Bank.User, PrivateKey: []byte(c.Bank.PrivateKey), HostKey: c.Bank.HostKey,
		Dirs:    iso20022.Dirs{In: c.Bank.Dirs.In, Out: c.Bank.Dirs.Out, Ack: c.Bank.Dirs.Ack, Archive: c.Bank.Dirs.Archive},
		Profile: iso20022.Profile{Initiator: c.Bank.Safeguard.Name}, Settle: 10 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	files := s
	files.Deadline = 4 * time.Second
	p.metrics = outbound.NewMetrics(nil) // the watch knows these lanes, and not those that c.open made
	if p.acquirers, err = c.openCards(s, p.metrics); err != nil {
		t.Fatal(err)
	}
	wd, err := c.Wallet.driver(s)
	if err != nil {
		t.Fatal(err)
	}
	p.wallet = wallet.New(walletName, wd, wallet.Options{Key: c.Wallet.CallbackKey, Pay: s, Query: s})
	p.bank = bank.New(bankName, bd, bank.Options{File: files, Query: files})
	p.house.Bank = p.bank
	return p
}

func (l *lab) ok(err error) {
	l.t.Helper()
	if err != nil {
		l.t.Fatal(err)
	}
}

// turn turns the wheels until the test ends.
func (l *lab) turn() {
	ctx, stop := context.WithCancel(auth.With(context.WithoutCancel(l.t.Context()), auth.Hub))
	l.ok(l.house.runner.Start(context.WithoutCancel(ctx)))
	var all sync.WaitGroup
	again := func(every time.Duration, f func() error) {
		all.Go(func() {
			for ctx.Err() == nil {
				_ = f() // what fails is tried again, and what never succeeds shows
				select {
				case <-ctx.Done():
				case <-time.After(every):
				}
			}
		})
	}
	all.Go(func() { l.house.watch.Run(ctx) })
	again(20*time.Millisecond, func() error { _, err := l.house.timers.Due(ctx); return err })
	again(60*time.Millisecond, func() error { _, err := l.house.recon.Collect(ctx, l.house.partners.house); return err })
	l.t.Cleanup(func() {
		stop()
		all.Wait()
		last, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := l.house.runner.Stop(last); err != nil {
			l.t.Error(err)
		}
	})
}

// pass moves the hub's time, and its partners'.
func (l *lab) pass(hub, partners time.Duration) {
	l.t.Helper()
	pgtest.Advance(l.t, l.house.store, hub)
	if partners > 0 {
		l.partnersAdvance(l.t, partners.String())
	}
}

// arm has a partner misbehave in some ways the next time it can, and gives what
// takes back the ways it had no occasion for.
func (l *lab) arm(partner string, faults []string) (disarm func() (unplayed []string)) {
	l.t.Helper()
	for _, f := range faults {
		l.fault(l.t, partner, f)
	}
	return func() []string {
		left := l.armed(l.t)
		for _, f := range left {
			l.partner(l.t, "POST", "/faults", map[string]any{"partner": partner, "fault": f, "times": 0}, nil)
		}
		return left
	}
}

// settles moves time on, a little further each round, until something is done.
// The hub's steps grow up to longest; the partners' are up to eleven minutes,
// so that what they hide or delay comes to light.
func (l *lab) settles(what string, longest time.Duration, done func() bool) {
	l.t.Helper()
	step := 8 * time.Second
	for round := 0; ; round++ {
		for range 8 {
			if done() {
				return
			}
			time.Sleep(25 * time.Millisecond)
		}
		if round > 200 {
			l.t.Fatalf("waited in vain for %s", what)
		}
		l.pass(step, min(step, 11*time.Minute))
		step = min(step*3/2, longest)
	}
}

// ops are the operations of something, and whether each has come to its end or
// to people.
func (l *lab) ops(subject string) (all []operations.Operation, ended bool) {
	l.t.Helper()
	all, ended = l.house.operationsIn(l.t.Context(), l.t, subject), true
	for _, o := range all {
		ended = ended && (o.Done() || o.State == operations.Review)
	}
	return all, ended
}

// times is how often the partners executed a kind of thing under a reference.
func (l *lab) times(ref, kind string) (n int) {
	l.t.Helper()
	for _, e := range l.truth(l.t, ref) {
		if e.Kind == kind {
			n++
		}
	}
	return n
}

// told describes operations for a failure.
func told(ops []operations.Operation) string {
	var b strings.Builder
	for _, o := range ops {
		fmt.Fprintf(&b, "\n  %s %s %s by %s, %d tries, %s", o.Kind, o.Ref, o.State, cmp.Or(string(o.Proof), "nothing"), o.Tries, o.Why)
	}
	return b.String()
}
