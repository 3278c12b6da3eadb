package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"tiwiza/migrations"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
	"tiwiza/pkg/telemetry"
)

// serving are the settings of a hub that serves.
type serving struct {
	Addr      string        `help:"Where to listen." env:"HUB_ADDR" default:"127.0.0.1:8080"`
	PublicURL string        `help:"How buyers and partners reach the hub; http:// and the address it listens on by default." env:"HUB_PUBLIC_URL"`
	Email     string        `help:"The address given to acquirers for buyers who have none." env:"HUB_EMAIL" default:"contact@tiwiza.example"`
	Phone     string        `help:"The number that buyers call and write to, as +212…; without one they write to the seller." env:"HUB_PHONE"`
	MaxConns  int32         `help:"Database connections." env:"HUB_MAX_CONNS" default:"16"`
	DrainWait time.Duration `help:"How long to answer «not ready» before closing the door." env:"HUB_DRAIN_WAIT" default:"1s"`
	Rate      float64       `help:"Requests a second of one member; of one address without a key a quarter of it. 500 in production, 5000 in a demonstration." env:"HUB_RATE" default:"0"`
	Loopback  bool          `help:"Let webhooks go to this machine, by http and on any port; for demonstrations." env:"HUB_WEBHOOK_LOOPBACK"`
	MeiliURL  string        `help:"A Meilisearch server that searches the market; without one PostgreSQL does." env:"HUB_MEILI_URL"`
	MeiliKey  string        `help:"Its master key, or one that may manage indexes, documents and keys." env:"HUB_MEILI_KEY"`
	filing
	sealing
	plugging
	declaring
	NoWork bool `help:"Serve only; leave jobs to other hubs." env:"HUB_NO_WORK"`
}

type serveCmd struct {
	serving
	Env      string `help:"production refuses unsafe settings." env:"HUB_ENV" default:"production" enum:"production,demo"`
	Partners string `help:"A JSON file that says who the partners are." env:"HUB_PARTNERS" type:"path"`
}

// Run serves until it is told to stop.
func (c serveCmd) Run(ctx context.Context, s *Settings) error {
	if c.Partners == "" {
		return errors.New("say who the partners are: --partners, or HUB_PARTNERS; hub run starts stand-ins for a demonstration")
	}
	cfg, err := readPartners(c.Partners)
	if err != nil {
		return err
	}
	if c.Env == "production" {
		if err := errors.Join(cfg.unsafe(), c.unsafe(s)); err != nil {
			return fmt.Errorf("these settings are not safe in production:\n%w", err)
		}
	}
	door, err := c.listen()
	if err != nil {
		return err
	}
	defer door.Close()
	d, err := s.reach(ctx)
	if err != nil {
		return err
	}
	defer d.leave(ctx)
	if err := migrations.Up(ctx, d.URL); err != nil {
		return err
	}
	return c.serve(ctx, door, d, cfg, c.Env == "demo", nil)
}

// listen takes the address that the hub serves at.
func (c serving) listen() (net.Listener, error) {
	door, err := net.Listen("tcp", c.Addr)
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	return door, nil
}

// unsafe lists what must not be in production.
func (c serveCmd) unsafe(s *Settings) error {
	var errs []error
	if s.DatabaseURL == "" {
		errs = append(errs, errors.New("no HUB_DATABASE_URL: production needs a database that is backed up and replicated"))
	}
	if len(c.PublicURL) < 8 || c.PublicURL[:8] != "https://" {
		errs = append(errs, fmt.Errorf("HUB_PUBLIC_URL %q is not https", c.PublicURL))
	}
	if u, err := url.Parse(c.MeiliURL); c.MeiliURL != "" && (err != nil || u.Scheme != "https" && !loopback(u.Hostname())) {
		errs = append(errs, fmt.Errorf("HUB_MEILI_URL %q is not https", c.MeiliURL))
	}
	if c.MeiliURL != "" && c.MeiliKey == "" {
		errs = append(errs, errors.New("no HUB_MEILI_KEY: a Meilisearch server without keys lets anyone change what is found"))
	}
	if c.Loopback {
		errs = append(errs, errors.New("HUB_WEBHOOK_LOOPBACK lets members call this machine through the hub"))
	}
	return errors.Join(append(errs, c.filing.unsafe()...)...)
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// serve answers at the door, calls ready once the hub answers, and drains when ctx
// ends: first it answers «not ready», then it finishes the requests and jobs at
// work, in less than ten seconds in all.
func (c serving) serve(ctx context.Context, door net.Listener, d *database, cfg partnerConfig, demo bool, ready func(ctx context.Context, h *house, url string) error) error {
	log := slog.Default()
	reg := telemetry.Metrics()
	traces := telemetry.Traces(version, 0)
	defer func() { _ = traces.Shutdown(context.WithoutCancel(ctx)) }()
	p, err := cfg.open(reg)
	if err != nil {
		return err
	}
	store, err := pg.Open(ctx, d.URL, pg.Options{MaxConns: c.MaxConns})
	if err != nil {
		return err
	}
	defer store.Close()
	reg.MustRegister(telemetry.Pool(store.Pool()))

	if c.PublicURL == "" {
		c.PublicURL = "http://" + door.Addr().String()
	}
	if c.Rate == 0 {
		if c.Rate = 500; demo {
			c.Rate = 5000
		}
	}
	o := options{PublicURL: c.PublicURL, Demo: demo, Rate: c.Rate, Email: c.Email, Phone: c.Phone, Work: !c.NoWork, Log: quiet(log), Metrics: reg, Loopback: c.Loopback}
	o.Meili.URL, o.Meili.Key = c.MeiliURL, c.MeiliKey
	if o.Files, err = c.filing.open(d.dir); err != nil {
		return err
	}
	if o.Codes, o.Papers, err = c.sealing.open(d.dir, demo); err != nil {
		return err
	}
	if o.Plugs, err = c.plugging.open(d.dir, demo); err != nil {
		return err
	}
	if o.CNDP, err = c.declaring.numbers(demo); err != nil {
		return err
	}
	h, err := build(store, p, o)
	if err != nil {
		return err
	}
	reg.MustRegister(doubts{h.engine})
	if err := h.certify(ctx); err != nil {
		return err
	}
	if err := h.plugged.Look(ctx); err != nil {
		return err
	}
	// Whoever says a wish has the systems outside hear of it: they are met before
	// anybody is answered.
	if err := h.known.Arm(auth.With(ctx, auth.Hub)); err != nil {
		return fmt.Errorf("meet the systems outside: %w", err)
	}
	doc, err := document(h.routes)
	if err != nil {
		return err
	}
	if ready != nil {
		if err := ready(ctx, h, c.PublicURL); err != nil {
			return err
		}
	}
	var draining atomic.Bool
	checks := []rest.Check{
		{Name: "door", Required: true, Run: func(context.Context) error {
			if draining.Load() {
				return errors.New("draining")
			}
			return nil
		}},
		{Name: "database", Required: true, Run: func(ctx context.Context) error { return store.Pool().Ping(ctx) }},
	}
	o.Log = log
	srv := &http.Server{
		Handler: h.handler(doc, checks, reg, o), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 60 * time.Second,
		WriteTimeout: 90 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	silent(srv)
	running := make(chan error, 2)
	go func() { running <- srv.Serve(door) }()
	working, stopWork := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWork()
	var watching sync.WaitGroup // also by a hub that leaves jobs to others: it takes new payments
	for _, run := range []func(context.Context){h.watch.Run, h.plugged.KeepLooking, h.charter.Record} {
		watching.Go(func() { run(auth.With(working, auth.Hub)) })
	}
	worked := make(chan error, 1)
	go func() {
		if !o.Work {
			<-working.Done()
			worked <- nil
			return
		}
		worked <- h.work(working)
	}()
	slog.InfoContext(ctx, "the hub is open", "url", c.PublicURL, "demo", demo)
	select {
	case <-ctx.Done():
	case err := <-running:
		return err
	case err := <-worked:
		return err
	}
	slog.InfoContext(ctx, "draining")
	draining.Store(true)
	time.Sleep(c.DrainWait)
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
	defer cancel()
	if err = srv.Shutdown(last); err != nil {
		err = fmt.Errorf("requests were cut off after three seconds: %w", errors.Join(err, srv.Close()))
	}
	stopWork()
	err = errors.Join(err, <-worked)
	watching.Wait()
	// No request is at work any more: what the lane still has is at its commit.
	last, cancel = context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	return errors.Join(err, h.lane.Close(last))
}

// quiet keeps the job runner's own news out of the log unless they matter.
func quiet(log *slog.Logger) *slog.Logger {
	return slog.New(atLeast{log.Handler(), slog.LevelWarn})
}

type atLeast struct {
	slog.Handler
	level slog.Level
}

func (a atLeast) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= a.level && a.Handler.Enabled(ctx, l)
}

func (a atLeast) WithAttrs(attrs []slog.Attr) slog.Handler {
	return atLeast{a.Handler.WithAttrs(attrs), a.level}
}

func (a atLeast) WithGroup(name string) slog.Handler {
	return atLeast{a.Handler.WithGroup(name), a.level}
}
