package main

import (
	"context"
	"net/http"
	"time"

	"tiwiza/marketplace/members"
	"tiwiza/marketplace/orders"
	"tiwiza/payments/approvals"
	"tiwiza/payments/charges"
	"tiwiza/payments/disputes"
	"tiwiza/payments/invariants"
	"tiwiza/payments/operations"
	"tiwiza/payments/payouts"
	"tiwiza/payments/recon"
	"tiwiza/pkg/clock"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

// A desk is where the operator sees all at once. It asks each domain for its
// own part.
type desk struct {
	db        *pg.Store
	members   *members.Service
	orders    *orders.Service
	charges   *charges.Service
	disputes  *disputes.Service
	approvals *approvals.Service
	payouts   *payouts.Service
	recon     *recon.Service
	engine    *operations.Engine
	proofs    *invariants.Service
}

// waitingView is the work that waits, each kind counted up to 100.
type waitingView struct {
	Breaks     int `json:"breaks" required:"true"`
	Disputes   int `json:"disputes" required:"true" description:"That wait for a ruling."`
	Members    int `json:"members" required:"true" description:"Organisations that ask to be admitted."`
	Accounts   int `json:"accounts" required:"true" description:"Bank accounts to verify."`
	Payouts    int `json:"payouts" required:"true" description:"That wait for a second person."`
	Approvals  int `json:"approvals" required:"true"`
	Operations int `json:"operations" required:"true" description:"In doubt, or left to people."`
}

// hourView is what buyers paid in one hour.
type hourView struct {
	Begins time.Time   `json:"begins" required:"true"`
	Paid   int64       `json:"paid" required:"true"`
	Failed int64       `json:"failed" required:"true"`
	Taken  money.Money `json:"taken" required:"true"`
}

// deskView is the operator's day.
type deskView struct {
	Now      time.Time          `json:"now" required:"true" description:"The hub's time."`
	Waiting  waitingView        `json:"waiting" required:"true"`
	Breaks   money.Money        `json:"break_amount" required:"true" description:"What the open breaks are about."`
	Figures  invariants.Figures `json:"figures" required:"true" description:"As the promises were last looked at."`
	Broken   int                `json:"violations" required:"true"`
	Hours    []hourView         `json:"hours,omitempty" description:"Of the last day; hours without a payment are left out."`
	ByRegion map[string]int     `json:"by_region,omitempty" description:"Checkouts of thirty days, by the region they go to."`
}

// deskInput says how much is wanted.
type deskInput struct {
	Part string `query:"part" enum:"waiting,all" default:"all" description:"«waiting» leaves the hours and regions out."`
}

func (d desk) routes() []rest.Route {
	return []rest.Route{rest.Handle("GET", "/v1/desk", "desk.show", "Show the operator's day: what waits, and the money", http.StatusOK, d.show)}
}

// show asks each domain once.
func (d desk) show(ctx context.Context, in deskInput) (v deskView, err error) {
	if v.Now, err = clock.Now(ctx, d.db); err != nil {
		return v, err
	}
	if err := d.waiting(ctx, &v); err != nil || in.Part == "waiting" {
		return v, err
	}
	v.Hours, v.ByRegion = []hourView{}, map[string]int{}
	hours, err := d.charges.Hours(ctx, d.db, v.Now.Add(-24*time.Hour).Truncate(time.Hour))
	if err != nil {
		return v, err
	}
	for _, h := range hours {
		v.Hours = append(v.Hours, hourView{h.Begins.UTC(), h.Paid, h.Failed, money.Dirhams(h.Taken)})
	}
	v.ByRegion, err = d.orders.Regions(ctx, d.db, v.Now.AddDate(0, 0, -30))
	return v, err
}

func (d desk) waiting(ctx context.Context, v *deskView) (err error) {
	w := &v.Waiting
	open, err := d.recon.Waiting(ctx, d.db)
	if err != nil {
		return err
	}
	w.Breaks, v.Breaks = open.Count, money.Dirhams(open.Amount)
	if w.Members, w.Accounts, err = d.members.Waiting(ctx, d.db); err != nil {
		return err
	}
	for to, ask := range map[*int]func(context.Context, pg.DB) (int, error){
		&w.Disputes: d.disputes.Waiting, &w.Payouts: d.payouts.Waiting, &w.Approvals: d.approvals.Waiting,
	} {
		if *to, err = ask(ctx, d.db); err != nil {
			return err
		}
	}
	ops, err := d.engine.Figures(ctx)
	if err != nil {
		return err
	}
	w.Operations = int(ops.Open[operations.Unknown] + ops.Open[operations.Review])
	r, err := d.proofs.Latest(ctx)
	v.Figures, v.Broken, v.Now = r.Figures, invariants.Violations(r.Findings), v.Now.UTC()
	return err
}
