package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tiwiza/adapters/card"
	"tiwiza/adapters/wallet"
	"tiwiza/marketplace/catalog"
	"tiwiza/marketplace/delivery"
	"tiwiza/marketplace/media"
	"tiwiza/marketplace/members"
	"tiwiza/marketplace/orders"
	"tiwiza/marketplace/promotions"
	"tiwiza/payments/approvals"
	"tiwiza/payments/charges"
	"tiwiza/payments/disputes"
	"tiwiza/payments/escrow"
	"tiwiza/payments/files"
	"tiwiza/payments/invariants"
	"tiwiza/payments/ledger"
	"tiwiza/payments/limits"
	"tiwiza/payments/operations"
	"tiwiza/payments/payouts"
	"tiwiza/payments/recon"
	"tiwiza/payments/treasury"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/blob"
	"tiwiza/pkg/clock"
	"tiwiza/pkg/event"
	"tiwiza/pkg/job"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/picture"
	"tiwiza/pkg/rest"
	"tiwiza/pkg/seal"
	"tiwiza/pkg/telemetry"
	"tiwiza/pkg/webhook"
	"tiwiza/search"
	"tiwiza/search/meili"
	"tiwiza/search/pgsearch"
	"tiwiza/web"
)

// house is the whole hub, put together. This file is the only place that knows
// every package.
type house struct {
	store    *pg.Store
	policies *authz.Policies
	members  *members.Service
	catalog  *catalog.Service
	media    *media.Service
	index    search.Index
	local    *pgsearch.Index
	second   *meili.Index // nil without a server
	books    *ledger.Books
	lane     *ledger.Lane
	escrows  *escrow.Service
	engine   *operations.Engine
	recon    *recon.Service
	payouts  *payouts.Service
	treasury *treasury.Service
	partners *partners
	routes   []rest.Route
	runner   *job.Runner
	timers   *job.Timers
	bus      *event.Bus
	hooks    *webhook.Service
	limits   *limits.Service
	proofs   *invariants.Service
	look     time.Duration // how often the promises are looked at
}

// options tell build what is wanted.
type options struct {
	PublicURL string
	Email     string
	Demo      bool    // demonstration routes
	Rate      float64 // requests a second of one member; 0: the default
	Work      bool    // run jobs
	Log       *slog.Logger
	Metrics   prometheus.Registerer // nil: for nobody
	// Loopback lets webhooks go to this machine.
	Loopback bool
	Meili    meili.Options // without a URL PostgreSQL searches
	Files    blob.Driver   // nil: commands that keep no files
}

// lane are the figures of the books' lane, if anybody looks.
func (o options) lane() *telemetry.Lane {
	if o.Metrics == nil {
		return nil
	}
	return telemetry.NewLane(o.Metrics, "ledger")
}

// build puts the hub together over a migrated database. It starts nothing.
func build(store *pg.Store, p *partners, o options) (*house, error) {
	policies, err := authz.New()
	if err != nil {
		return nil, err
	}
	bus := event.NewBus()
	workers, timers := job.NewWorkers(), job.NewTimers(store)

	m := members.New(store, policies)
	local := pgsearch.Open(store, pgsearch.Options{})
	var index search.Index = local
	var second *meili.Index
	if o.Meili.URL != "" {
		o.Meili.Metrics = p.metrics
		second = meili.Open(store, local, o.Meili)
		index = second
	}
	kept := media.New(store, blob.Over(o.Files), picture.NewPress(picture.PressOptions{}))
	cat := catalog.New(store, index, m, kept)
	books := ledger.New(store)
	lane := ledger.NewLane(books, ledger.LaneOptions{Metrics: o.lane()})
	escrows := escrow.New(store, books, policies).TopUpFrom(bankName)
	engine := operations.New(store)
	desk := approvals.New(store)
	engine.Reviewed(desk)
	var acquirers []*card.Acquirer
	if p.acquirer != nil {
		acquirers = append(acquirers, p.acquirer)
	}
	var wallets []*wallet.Wallet
	if p.wallet != nil {
		wallets = append(wallets, p.wallet)
	}
	bounds := limits.New(store, desk)
	out := files.New(store, engine, p.pays)
	ch := charges.New(store, books, escrows, engine, policies, acquirers, charges.Config{
		PublicURL: o.PublicURL, Email: o.Email, Bank: p.name(), Account: p.account(),
	}).
		ApprovedBy(desk).PayBy(bankName, out).Wallets(wallets...)
	out.Handle(charges.KindTransfer, files.Kind{Pay: ch.Transfer, Moved: ch.RefundMoved, Contradicted: ch.RefundContradicted})
	disp := disputes.New(store, escrows, ch, desk, policies)
	ways, offs := delivery.New(store, cat, m), promotions.New(store, m)
	ord := orders.New(store, orders.Needs{
		Judge: policies, Catalogue: cat, Sellers: m, Keys: m, Ways: ways, Offs: offs, Escrows: escrows, Charges: ch, Disputes: disp, Approvals: desk, Limits: bounds, Files: kept,
	})
	pay := payouts.New(store, payouts.Needs{Books: books, Escrows: escrows, Accounts: accounts{m}, Files: out, Approvals: desk, Risk: bounds, Judge: policies})
	own := treasury.New(store, books, out, engine, desk)
	rec := recon.New(store, books, ch, engine, desk, []recon.House{p.house}, recon.Ties{Fee: p.fee, Receiver: receivers(pay), Owner: owner(store, p, o), Suspended: barred(m), Alone: alone(bounds)}).Receives(ch)
	proofs := invariants.New(store)
	hooks := webhook.New(store, bus, policies, webhook.Config{Guard: webhook.Guard{Loopback: o.Loopback}, Metrics: webhook.NewMetrics(o.Metrics)})

	m.Approve(desk)
	members.Tell(bus)
	delivery.Tell(bus)
	promotions.Tell(bus)
	orders.Tell(bus)
	charges.Tell(bus)
	escrow.Tell(bus)
	disputes.Tell(bus)
	payouts.Tell(bus)
	orders.Subscribe(bus, ord)
	disputes.Subscribe(bus, disp)
	catalog.Subscribe(bus, cat)
	pay.Subscribe(bus)
	rec.Subscribe(bus)
	pay.Check(blocked{escrows, ch}.check)
	books.Approve(desk)
	escrows.Approve(desk)
	offs.Approve(desk)
	books.Work(timers)
	engine.Work(workers, timers)
	ch.Work(workers, timers)
	out.Work(workers, timers)
	pay.Work(timers)
	own.Work(timers)
	escrows.Work(timers)
	rec.Work(timers)
	disp.Work(timers)
	orders.Timers(timers, ord)
	offs.Work(timers)
	catalog.Work(workers, cat)
	catalog.Timers(timers, cat)
	job.Handle(workers, func(ctx context.Context, d event.Delivery) error { return bus.Deliver(ctx, store, d) })

	h := &house{
		store: store, policies: policies, members: m, catalog: cat, media: kept, index: index, local: local, second: second, books: books, lane: lane, escrows: escrows, engine: engine, recon: rec, payouts: pay,
		treasury: own, partners: p, timers: timers, bus: bus, hooks: hooks, limits: bounds,
		proofs: proofs, look: time.Minute,
	}
	if o.Demo {
		h.look = 2 * time.Second // whoever plays wants to see it at once
	}
	if !o.Work {
		workers = nil
	}
	if h.runner, err = job.NewRunner(store, workers, o.Log); err != nil {
		return nil, err
	}
	store.Use(h.runner.Jobs(), bus)

	for _, routes := range [][]rest.Route{
		members.Routes(m), catalog.Routes(cat), catalog.PictureRoutes(catalog.NewPictures(cat)), media.Routes(kept), search.Routes(cat.Desk()), delivery.Routes(ways), promotions.Routes(offs), orders.Routes(ord), charges.Routes(ch), escrow.Routes(escrows),
		disputes.Routes(disp), payouts.Routes(pay), treasury.Routes(own), operations.Routes(engine), recon.Routes(rec), ledger.Routes(books), ledger.TransferRoutes(lane),
		approvals.Routes(desk), webhook.Routes(hooks), limits.Routes(bounds),
		event.Routes(bus, store), invariants.Routes(proofs), partnerRoutes(p, o.Demo),
	} {
		h.routes = append(h.routes, routes...)
	}
	if o.Demo {
		h.routes = append(h.routes, clock.Routes(store)...)
	}
	return h, nil
}

// blocked answers payouts from escrow.
type blocked struct {
	escrows *escrow.Service
	charges *charges.Service
}

// check says whether sellers' payouts stop: for a chargeback that nothing covers,
// or for cash that a seller collected itself and keeps.
func (b blocked) check(ctx context.Context, tx *pg.Tx, all []payouts.Payout) (map[string][]payouts.Wait, error) {
	var sellers []string
	for _, p := range all {
		if p.Payee == payouts.Seller {
			sellers = append(sellers, p.Seller)
		}
	}
	if len(sellers) == 0 {
		return nil, nil
	}
	why, err := b.escrows.Blocked(ctx, tx, sellers...)
	if err != nil {
		return nil, err
	}
	cash, err := b.charges.Withheld(ctx, tx, money.MAD, sellers...)
	waits := map[string][]payouts.Wait{}
	for _, p := range all {
		if p.Payee != payouts.Seller {
			continue
		}
		if text := why[p.Seller]; text != "" {
			waits[p.ID] = append(waits[p.ID], payouts.Wait{Code: "escrow.blocked", Text: text})
		}
		if n := cash[p.Seller]; n > 0 {
			waits[p.ID] = append(waits[p.ID], payouts.Wait{Code: "cash_withheld", Text: money.FromCentimes(n, p.Currency).String() + " of cash that the seller collected more than seven days ago is not at the bank"})
		}
	}
	return waits, err
}

// accounts answers payouts from members.
type accounts struct{ members *members.Service }

// PayoutAccounts are where members are paid; one that has no account is left out.
func (a accounts) PayoutAccounts(ctx context.Context, db pg.DB, orgs ...string) (map[string]payouts.Account, error) {
	found, err := a.members.PayoutAccounts(ctx, db, orgs...)
	if err != nil {
		return nil, err
	}
	barred, err := a.members.Suspended(ctx, db, orgs...)
	out := make(map[string]payouts.Account, len(found))
	for org, m := range found {
		p := payouts.Account{RIB: m.RIB, Holder: m.Holder, Verified: m.Verified(), Suspended: barred[org]}
		if !m.First && m.Since != nil {
			p.Since = *m.Since
		}
		out[org] = p
	}
	return out, err
}

// owner tells reconciliation whose keys hand in a bank's statements: as the
// partners' file says, else the demonstration market's bank.
func owner(store *pg.Store, p *partners, o options) func(context.Context, string) (string, error) {
	return func(ctx context.Context, name string) (string, error) {
		if p.owner != "" || !o.Demo || name != bankName {
			return p.owner, nil
		}
		m, err := loadNote[market](ctx, store, "demo")
		if errors.Is(err, errNoNote) {
			return "", nil
		}
		return m.Bank, err
	}
}

// suspended tells reconciliation whether a member is suspended.
func barred(m *members.Service) func(context.Context, pg.DB, string) (bool, error) {
	return func(ctx context.Context, db pg.DB, organisation string) (bool, error) {
		found, err := m.Suspended(ctx, db, organisation)
		return found[organisation], err
	}
}

// alone tells reconciliation what one person may still give up.
func alone(bounds *limits.Service) func(context.Context, *pg.Tx, string, money.Money) (bool, error) {
	return func(ctx context.Context, tx *pg.Tx, person string, amount money.Money) (bool, error) {
		return bounds.Alone(ctx, tx, limits.OfWriteOffs, person, amount)
	}
}

// receivers tells reconciliation who is paid by a payout.
func receivers(pay *payouts.Service) func(context.Context, pg.DB, string) (string, string, error) {
	return func(ctx context.Context, db pg.DB, subject string) (name, rib string, err error) {
		p, err := pay.ByID(ctx, db, subject)
		if errors.Is(err, payouts.ErrNotFound) {
			err = recon.ErrNotOurs
		}
		return p.Holder, p.RIB, err
	}
}

// handler serves the interface, health and the pages.
func (h *house) handler(doc []byte, checks []rest.Check, reg *prometheus.Registry, o options) http.Handler {
	mux := http.NewServeMux()
	rest.Mount(mux, h.routes, rest.Edge{
		Store:        h.store,
		Authenticate: h.members.Authenticate,
		May: func(_ context.Context, p auth.Principal, action string) (string, error) {
			return h.policies.May(p, action, authz.Resource{})
		},
		Log: o.Log, Metrics: reg, Version: version,
		Limits: rest.Limits{Principal: o.Rate, PrincipalBurst: 5 * o.Rate, Address: o.Rate / 4, AddressBurst: 2 * o.Rate},
	})
	rest.Health(mux, checks, reg, doc)
	mux.Handle("/", web.New(h.catalog, images()))
	return mux
}

// work runs what happens by itself, until ctx ends: jobs, timers, and fetching
// what the bank puts out.
func (h *house) work(ctx context.Context) error {
	if err := h.treasury.Arm(auth.With(ctx, auth.Hub)); err != nil {
		return fmt.Errorf("arm the treasury: %w", err)
	}
	if err := h.runner.Start(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("start the jobs: %w", err)
	}
	done := make(chan struct{}, 13)
	for _, f := range []func(){
		func() { h.runner.StayAlive(ctx) },
		func() { _ = h.timers.Run(ctx) },
		func() { h.collect(ctx) },
		func() { h.forget(ctx) },
		func() { h.sweep(ctx) },
		func() { seal.Run(ctx, h.store, ledger.Chain, audit.Chain) },
		func() { h.books.Keep(ctx) },
		func() { h.hooks.Run(ctx) },
		func() {
			_, _ = h.timers.Due(ctx) // what came due while no hub ran is no broken promise yet
			h.proofs.Watch(ctx, h.look)
		},
		func() { h.freshen(auth.With(ctx, auth.Hub)) },
		func() {
			if h.second != nil {
				h.second.Run(auth.With(ctx, auth.Hub))
			}
		},
		func() { h.media.Run(ctx) },
		func() { h.catalog.Desk().Run(auth.With(ctx, auth.Hub)) },
	} {
		go func() { f(); done <- struct{}{} }()
	}
	<-ctx.Done()
	for range cap(done) {
		<-done
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	return h.runner.Stop(last)
}

// freshen indexes anew what an older analysis of words made, seller by seller.
func (h *house) freshen(ctx context.Context) {
	stale, err := h.local.Stale(ctx)
	for _, seller := range stale {
		if err == nil {
			err = h.store.InTx(ctx, func(tx *pg.Tx) error { return h.catalog.Reindex(ctx, tx, seller) })
		}
	}
	switch {
	case err != nil && ctx.Err() == nil:
		slog.WarnContext(ctx, "offers of an older analysis cannot be indexed anew", "error", err)
	case len(stale) > 0:
		slog.InfoContext(ctx, "offers of an older analysis are indexed anew", "sellers", len(stale))
	}
}

// collect fetches what the bank put out, every second or so. Two hubs that
// fetch the same file book it once.
func (h *house) collect(ctx context.Context) {
	ctx = auth.With(ctx, auth.Hub)
	wait := time.Second
	for {
		n, err := h.recon.Collect(ctx, h.partners.house)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			slog.WarnContext(ctx, "the bank's files cannot be fetched", "partner", bankName, "error", err)
			wait = min(2*wait, 30*time.Second)
		case n > 0:
			wait = 200 * time.Millisecond
		default:
			wait = time.Second
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait + rand.N(wait/4)):
		}
	}
}

// keepAnswers is how long a POST may be sent again and get its first answer.
const keepAnswers = 30 * 24 * time.Hour

// forget deletes answers that are older than they are promised to be kept, and
// counts that no limit looks at any more.
func (h *house) forget(ctx context.Context) {
	tick := time.NewTicker(time.Hour)
	defer tick.Stop()
	for {
		now, err := clock.Now(ctx, h.store)
		if err == nil {
			_, err = rest.ForgetAnswers(ctx, h.store, now.Add(-keepAnswers))
		}
		if err := errors.Join(err, h.limits.Forget(ctx)); err != nil && ctx.Err() == nil {
			slog.WarnContext(ctx, "old answers and counts cannot be deleted", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// sweep looks each minute for events that somebody has not heard of.
func (h *house) sweep(ctx context.Context) {
	ctx = auth.With(ctx, auth.Hub)
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		n, err := h.bus.Sweep(ctx, h.store)
		if err != nil && ctx.Err() == nil {
			slog.WarnContext(ctx, "events cannot be swept", "error", err)
		}
		if n > 0 {
			slog.WarnContext(ctx, "events that were not taken in are told again", "deliveries", n)
		}
	}
}
