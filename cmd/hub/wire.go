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

	"tiwiza/adapters/wallet"
	"tiwiza/marketplace/accords"
	"tiwiza/marketplace/agreements"
	"tiwiza/marketplace/catalog"
	"tiwiza/marketplace/charter"
	"tiwiza/marketplace/delivery"
	"tiwiza/marketplace/diagnosis"
	"tiwiza/marketplace/digital"
	"tiwiza/marketplace/directory"
	"tiwiza/marketplace/enrolment"
	"tiwiza/marketplace/finance"
	"tiwiza/marketplace/groupbuys"
	"tiwiza/marketplace/loyalty"
	"tiwiza/marketplace/media"
	"tiwiza/marketplace/members"
	"tiwiza/marketplace/notices"
	"tiwiza/marketplace/orders"
	"tiwiza/marketplace/policies"
	"tiwiza/marketplace/pools"
	"tiwiza/marketplace/pricing"
	"tiwiza/marketplace/privacy"
	"tiwiza/marketplace/procedures"
	"tiwiza/marketplace/promotions"
	"tiwiza/marketplace/quotations"
	"tiwiza/marketplace/relations"
	"tiwiza/marketplace/sharing"
	"tiwiza/payments/approvals"
	"tiwiza/payments/charges"
	"tiwiza/payments/connectors"
	"tiwiza/payments/disputes"
	"tiwiza/payments/dues"
	"tiwiza/payments/escrow"
	"tiwiza/payments/files"
	"tiwiza/payments/invariants"
	"tiwiza/payments/ledger"
	"tiwiza/payments/limits"
	"tiwiza/payments/operations"
	"tiwiza/payments/payouts"
	"tiwiza/payments/premiums"
	"tiwiza/payments/recon"
	"tiwiza/payments/treasury"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/blob"
	"tiwiza/pkg/clock"
	"tiwiza/pkg/event"
	"tiwiza/pkg/job"
	"tiwiza/pkg/lanes"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/picture"
	"tiwiza/pkg/rest"
	"tiwiza/pkg/seal"
	"tiwiza/pkg/telemetry"
	"tiwiza/pkg/vault"
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
	orders   *orders.Service
	media    *media.Service
	wares    *digital.Service
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
	watch    *lanes.Service // how the partners are
	routes   []rest.Route
	runner   *job.Runner
	timers   *job.Timers
	known    *relations.Service
	bus      *event.Bus
	hooks    *webhook.Service
	plugged  *connectors.Service
	insured  *insurers
	limits   *limits.Service
	proofs   *invariants.Service

	enrolment *enrolment.Service
	charter   *charter.Service
	directory *directory.Service
	shared    *sharing.Service
	finance   *finance.Service
	cases     *procedures.Service
	cover     *policies.Service
	diagnosis *diagnosis.Service
	rights    *privacy.Service

	look time.Duration // how often the promises are looked at
}

// options tell build what is wanted.
type options struct {
	PublicURL string
	Email     string
	Phone     string  // whom buyers call
	Demo      bool    // demonstration routes
	Rate      float64 // requests a second of one member; 0: the default
	Work      bool    // run jobs
	Log       *slog.Logger
	Metrics   prometheus.Registerer // nil: for nobody
	// Loopback lets webhooks go to this machine.
	Loopback bool
	Meili    meili.Options  // without a URL PostgreSQL searches
	Files    blob.Driver    // nil: commands that keep no files
	Codes    *digital.Vault // nil: no codes are sold
	Plugs    plugs          // how partners are plugged in
	Papers   *vault.Vault   // nil: no sensitive numbers are taken
	CNDP     privacy.Numbers
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

	m, err := members.New(store, policies).At(o.PublicURL)
	if err != nil {
		return nil, err
	}
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
	engine := operations.New(store).QueueOf(p.names()...)
	queue := approvals.New(store)
	engine.Reviewed(queue)
	var wallets []*wallet.Wallet
	if p.wallet != nil {
		wallets = append(wallets, p.wallet)
	}
	bounds := limits.New(store, queue)
	out := files.New(store, engine, p.pays)
	if p.notes != nil {
		p.notes.Over(store)
	}
	insured, err := p.insured(o)
	if err != nil {
		return nil, err
	}
	p.insurers = insured.built
	plugged := p.plugged(store, engine, queue, insured, o)
	money := tillsOf(plugged, insured.dial, p.metrics)
	out.Plug(plugged)
	ch := charges.New(store, books, escrows, engine, policies, p.acquirers, charges.Config{
		PublicURL: o.PublicURL, Email: o.Email, Bank: p.name(), Account: p.account(),
	}).
		ApprovedBy(queue).PayBy(bankName, out).Wallets(wallets...).Plug(money)
	money.tell(ch)
	out.Handle(charges.KindTransfer, files.Kind{Pay: ch.Transfer, Moved: ch.RefundMoved, Contradicted: ch.RefundContradicted})
	disp := disputes.New(store, escrows, ch, queue, policies)
	ways, offs := delivery.New(store, cat, m), promotions.New(store, m)
	agreed, lists := agreements.New(store), pricing.New(store, m, cat)
	wares := digital.New(store, cat, kept, o.Codes)
	groups := groupbuys.New(store, groupbuys.Needs{Catalogue: cat, Sellers: m, Ways: ways, Agreed: agreed})
	ord := orders.New(store, orders.Needs{
		Judge: policies, Catalogue: cat, Sellers: m, Keys: m, Ways: ways, Offs: offs, Agreed: agreed, Prices: lists, Digital: wares, Groups: groups, Escrows: escrows, Charges: ch, Disputes: disp, Approvals: queue, Limits: bounds, Files: kept, Nobodies: m,
	})
	quo := quotations.New(store, quotations.Needs{Sellers: m, Goods: cat, Files: kept, Agreed: agreed, Baskets: ord})
	pooled := pools.New(store, cat, m, agreed, ord)
	told, err := p.teller(store, reach{m}, ord, o.PublicURL, tellers(plugged, insured.dial, p.metrics))
	if err != nil {
		return nil, err
	}
	points := loyalty.New(store, loyalty.Needs{Orders: ord, Escrows: escrows, Approvals: queue, Gifts: offs})
	insuring := premiums.New(store, premiums.Needs{Books: books, Escrows: escrows, Bank: bankName})
	pay := payouts.New(store, payouts.Needs{Premiums: insuring, Books: books, Escrows: escrows, Accounts: accounts{m}, Files: out, Approvals: queue, Risk: bounds, Judge: policies})
	enrol := enrolment.New(store, enrolment.Needs{Members: m, Files: kept, Approvals: queue, Vault: o.Papers})
	matters := procedures.New(store, procedures.Needs{Members: m, Papers: enrol, Files: kept, Dues: dues.New(books, escrows), Labels: cat, PublicURL: o.PublicURL})
	cover := p.covering(store, insured, m, ord, kept, insuring, engine, o)
	signs := charter.New(store, charter.Needs{Members: m, Files: kept, Approvals: queue, Rules: policies})
	policies.Bind(signs.Rule, signs.Refused)
	book := directory.New(store, m, cat)
	shared := sharing.New(store, sharing.Needs{Members: m, Files: kept, Approvals: queue})
	found := diagnosis.New(store, diagnosis.Needs{Members: m, Dossiers: shared, Approvals: queue})
	lent := finance.New(store, finance.Needs{Members: m, Sharing: shared, Banks: applicants{plugged}, Every: askEvery(o.Demo)})
	plugged.OnEvent(lent.Wake)
	m.GuardedBy(gate{enrol, pay}, signs)
	own := treasury.New(store, books, out, engine, queue)
	rec := recon.New(store, books, ch, engine, queue, []recon.House{p.house}, recon.Ties{Fee: p.fee, Receiver: receivers(pay), Owner: owner(store, p, o), Suspended: barred(m), Alone: alone(bounds), Plugged: housesOf(plugged), Settlers: settlers(plugged)}).Receives(insuring.Before(ch))
	proofs := invariants.New(store)
	hooks := webhook.New(store, bus, policies, webhook.Config{Guard: webhook.Guard{Loopback: o.Loopback}, Metrics: webhook.NewMetrics(o.Metrics)})

	m.Approve(queue)
	m.FindGuests(ord)
	var inbox *members.Inbox
	if o.Demo {
		inbox = members.NewInbox(store)
	}
	p.courier(m, told, inbox)
	members.Tell(bus)
	enrolment.Tell(bus)
	charter.Tell(bus)
	sharing.Tell(bus)
	finance.Tell(bus)
	procedures.Tell(bus)
	procedures.Subscribe(bus, matters)
	diagnosis.Tell(bus)
	premiums.Tell(bus)
	premiums.Subscribe(bus)
	delivery.Tell(bus)
	digital.Tell(bus)
	promotions.Tell(bus)
	agreements.Tell(bus)
	pricing.Tell(bus)
	quotations.Tell(bus)
	orders.Tell(bus)
	groupbuys.Tell(bus)
	pools.Tell(bus)
	loyalty.Tell(bus)
	p.listen(bus, told)
	known, err := p.kept(store, bus, m, ord, points, related(plugged, insured.dial, p.metrics))
	if err != nil {
		return nil, err
	}
	rights := holding{m, ord, ch, escrows, disp, quo, groups, pooled, agreed, wares, kept, cover, points, offs, known, told, enrol}.privacy(store, o)
	rights.Work(timers)
	charges.Tell(bus)
	escrow.Tell(bus)
	disputes.Tell(bus)
	payouts.Tell(bus)
	orders.Subscribe(bus, ord)
	hearCover(bus, cover)
	quotations.Subscribe(bus, quo)
	finance.Subscribe(bus, lent)
	pooled.Subscribe(bus)
	loyalty.Subscribe(bus, points)
	disputes.Subscribe(bus, disp)
	catalog.Tell(bus)
	catalog.Subscribe(bus, cat)
	directory.Subscribe(bus, book)
	pay.Subscribe(bus)
	engine.Subscribe(bus)
	rec.Subscribe(bus)
	pay.Check(blocked{escrows, ch}.check)
	books.Approve(queue)
	escrows.Approve(queue)
	offs.Approve(queue)
	books.Work(timers)
	engine.Work(workers, timers)
	ch.Work(workers, timers)
	out.Work(workers, timers)
	pay.Work(timers)
	insuring.Work(timers)
	cover.Work(workers, timers)
	own.Work(timers)
	escrows.Work(timers)
	rec.Work(timers)
	disp.Work(timers)
	enrol.Work(timers)
	signs.Work(timers)
	book.Work(timers)
	shared.Work(timers)
	lent.Work(workers, timers)
	matters.Work(timers)
	found.Work(timers)
	agreements.Timers(timers, agreed)
	orders.Timers(timers, ord)
	loyalty.Timers(timers, points)
	told.Work(workers, timers)
	known.Work(workers, timers)
	offs.Work(timers)
	quotations.Timers(timers, quo)
	groups.Work(timers, ord)
	pooled.Work(timers)
	catalog.Work(workers, cat)
	catalog.Timers(timers, cat)
	job.Handle(workers, func(ctx context.Context, d event.Delivery) error { return bus.Deliver(ctx, store, d) })

	h := &house{
		store: store, policies: policies, members: m, catalog: cat, orders: ord, media: kept, wares: wares, index: index, local: local, second: second, books: books, lane: lane, escrows: escrows, engine: engine, recon: rec, payouts: pay,
		treasury: own, partners: p, timers: timers, known: known, bus: bus, hooks: hooks, plugged: plugged, insured: insured, limits: bounds,
		proofs: proofs, look: time.Minute, watch: p.watched(store), enrolment: enrol, charter: signs, directory: book, shared: shared, finance: lent, cases: matters, cover: cover, diagnosis: found, rights: rights,
	}
	if o.Demo {
		h.look = 2 * time.Second // whoever plays wants to see it at once
	}
	if !o.Work {
		workers = nil
	}
	if h.runner, err = job.NewRunner(store, workers, o.Log, p.names()...); err != nil {
		return nil, err
	}
	store.Use(h.runner.Jobs(), bus)

	for _, routes := range [][]rest.Route{
		members.Routes(m), members.PeopleRoutes(m), members.MembershipRoutes(m), members.PasskeyRoutes(m), enrolment.Routes(enrol), charter.Routes(signs), directory.Routes(book), sharing.Routes(shared), finance.Routes(lent), procedures.Routes(matters), diagnosis.Routes(found), coverRoutes(cover),
		catalog.Routes(cat), catalog.PictureRoutes(catalog.NewPictures(cat)), media.Routes(kept), search.Routes(cat.Desk()),
		delivery.Routes(ways), digital.Routes(wares), promotions.Routes(offs), agreements.Routes(agreed), pricing.Routes(lists),
		orders.Routes(ord), quotations.Routes(quo), groupbuys.Routes(groups), pools.Routes(pooled), loyalty.Routes(points),
		notices.Routes(told), relations.Routes(known), privacy.Routes(rights), charges.Routes(ch), escrow.Routes(escrows),
		disputes.Routes(disp), payouts.Routes(pay), treasury.Routes(own), operations.Routes(engine), recon.Routes(rec), ledger.Routes(books), ledger.TransferRoutes(lane),
		approvals.Routes(queue), webhook.Routes(hooks), limits.Routes(bounds),
		event.Routes(bus, store), invariants.Routes(proofs), partnerRoutes(p, plugged, h.watch, store, o.Demo), lanes.Routes(h.watch), connectors.Routes(plugged), audit.Routes(store), accords.Routes(store),
		desk{store, m, ord, ch, disp, queue, pay, rec, engine, proofs}.routes(),
	} {
		h.routes = append(h.routes, routes...)
	}
	if o.Demo {
		h.routes = append(h.routes, append(clock.Routes(store), inbox.Routes()...)...)
	}
	return h, nil
}

// handler serves the interface, health and the pages.
func (h *house) handler(doc []byte, checks []rest.Check, reg *prometheus.Registry, o options) http.Handler {
	mux := http.NewServeMux()
	rest.Mount(mux, h.routes, rest.Edge{
		Store:        h.store,
		Authenticate: h.holder,
		May: func(_ context.Context, p auth.Principal, action string) (string, error) {
			return h.policies.May(p, action, authz.Resource{})
		},
		Log: o.Log, Metrics: reg, Version: version,
		Limits: rest.Limits{Principal: o.Rate, PrincipalBurst: 5 * o.Rate, Address: o.Rate / 4, AddressBurst: 2 * o.Rate},
	})
	rest.Health(mux, checks, reg, doc)
	mux.Handle("/", web.New(web.Hub{API: mux, Catalog: h.catalog, Papers: h.orders, Images: images(), Origin: o.PublicURL, Phone: o.Phone, Demo: o.Demo}))
	return mux
}

// work runs what happens by itself, until ctx ends: jobs, timers, and fetching
// what the bank puts out.
func (h *house) work(ctx context.Context) error {
	if err := h.treasury.Arm(auth.With(ctx, auth.Hub)); err != nil {
		return fmt.Errorf("arm the treasury: %w", err)
	}
	if err := h.directory.Arm(auth.With(ctx, auth.Hub)); err != nil {
		return fmt.Errorf("begin the directory: %w", err)
	}
	if err := h.diagnosis.Arm(auth.With(ctx, auth.Hub)); err != nil {
		return fmt.Errorf("publish questionnaires: %w", err)
	}
	if err := h.cover.Arm(auth.With(ctx, auth.Hub)); err != nil {
		return fmt.Errorf("look for insurers: %w", err)
	}
	if err := errors.Join(h.rights.Arm(auth.With(ctx, auth.Hub)), h.cases.Arm(auth.With(ctx, auth.Hub))); err != nil {
		return fmt.Errorf("arm what goes by itself: %w", err)
	}
	if err := h.runner.Start(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("start the jobs: %w", err)
	}
	done := make(chan struct{}, 14)
	for _, f := range []func(){
		func() { h.runner.StayAlive(ctx) },
		func() { _ = h.timers.Run(ctx) },
		func() { h.collect(ctx) },
		func() { h.fetch(ctx) },
		func() { h.forget(ctx) },
		func() { h.sweep(ctx) },
		func() { seal.Run(ctx, h.store, ledger.Chain, audit.Chain, sharing.Chain, accords.Chain) },
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
		if err := errors.Join(err, h.limits.Forget(ctx), h.members.ForgetCodes(ctx)); err != nil && ctx.Err() == nil {
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
