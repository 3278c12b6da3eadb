package main

import (
	"context"
	"net/http"

	"tiwiza/payments/connectors"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/lanes"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

// holder says who has a key: a member, somebody's session, or whoever brings a
// parcel.
func (h *house) holder(ctx context.Context, k auth.Key) (auth.Principal, error) {
	if k.Link() {
		return h.orders.Courier(ctx, k)
	}
	return h.members.Authenticate(ctx, k)
}

// partnerView is a partner as the operator sees it.
type partnerView struct {
	ID          string                    `json:"id" required:"true"`
	Port        string                    `json:"port" required:"true" enum:"card,wallet,bank,notify,crm,insurance"`
	Driver      string                    `json:"driver" required:"true"`
	Mode        string                    `json:"mode" required:"true" enum:"live,demo"`
	Breaker     map[outbound.Class]string `json:"breaker" required:"true" description:"By class of call: closed, half-open or open."`
	P95         float64                   `json:"p95_ms" required:"true" description:"Of its slowest class, in milliseconds."`
	Queue       int                       `json:"queue" required:"true" description:"Calls on their way."`
	Certificate *string                   `json:"certificate" required:"true" description:"Null: built-in drivers carry none."`
	State       string                    `json:"state,omitempty" enum:"registered,live,paused" description:"Of a partner that was registered by its address."`
	lanes.StateView
}

type partnersView struct {
	Data []partnerView `json:"data" required:"true"`
	Next *string       `json:"next" required:"true"`
}

func partnerRoutes(p *partners, plugged *connectors.Service, watch *lanes.Service, db pg.DB, demo bool) []rest.Route {
	mode := "live"
	if demo {
		mode = "demo"
	}
	return []rest.Route{
		rest.Handle("GET", "/v1/partners", "partners.list", "List the partners and how they are", http.StatusOK,
			func(ctx context.Context, _ rest.None) (partnersView, error) {
				v := partnersView{Data: []partnerView{}}
				how, err := watch.View(ctx)
				if err != nil {
					return v, err
				}
				add := func(id, port, driver string) {
					v.Data = append(v.Data, partner(id, port, driver, mode, how[id]))
				}
				for _, a := range p.acquirers {
					add(a.ID(), "card", "nestpay")
				}
				if p.wallet != nil {
					add(p.wallet.ID(), "wallet", "gsma")
				}
				if p.bank != nil {
					add(p.bank.ID(), "bank", "iso20022")
				}
				for _, c := range p.tells {
					add(c.ID(), "notify", c.Driver())
				}
				for _, c := range p.crms {
					add(c.ID(), "crm", c.Driver())
				}
				for _, i := range p.insurers {
					add(i.ID(), "insurance", i.Driver())
				}
				more, err := plugged.Standings(ctx, db)
				for _, s := range more {
					state, ok := how[s.ID]
					if !ok { // nobody has called it yet
						state = lanes.Of(s.Lanes)
					}
					one := partner(s.ID, s.Port, "remote", mode, state)
					one.State, one.Certificate = string(s.State), orNull(s.Connector.Certificate)
					v.Data = append(v.Data, one)
				}
				return v, err
			}),
	}
}

func partner(id, port, driver, mode string, how lanes.StateView) partnerView {
	v := partnerView{ID: id, Port: port, Driver: driver, Mode: mode, Breaker: map[outbound.Class]string{}, StateView: how}
	for _, l := range how.Lanes {
		v.Breaker[l.Class] = l.Breaker
		v.P95 = max(v.P95, float64(l.P95))
		v.Queue += l.InFlight
	}
	return v
}

// orNull is nil for nothing.
func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
