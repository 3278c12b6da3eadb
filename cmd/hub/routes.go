package main

import (
	"context"
	"net/http"

	"tiwiza/pkg/outbound"
	"tiwiza/pkg/rest"
)

// partnerView is a partner as the operator sees it.
type partnerView struct {
	ID          string                    `json:"id" required:"true"`
	Port        string                    `json:"port" required:"true" enum:"card,wallet,bank"`
	Driver      string                    `json:"driver" required:"true"`
	Mode        string                    `json:"mode" required:"true" enum:"live,demo"`
	Breaker     map[outbound.Class]string `json:"breaker" required:"true" description:"By class of call: closed, half-open or open."`
	P95         float64                   `json:"p95_ms" required:"true" description:"Of its slowest class, in milliseconds."`
	Queue       int                       `json:"queue" required:"true" description:"Calls on their way."`
	Certificate *string                   `json:"certificate" required:"true" description:"Null: built-in drivers carry none."`
}

type partnersView struct {
	Data []partnerView `json:"data" required:"true"`
	Next *string       `json:"next" required:"true"`
}

func partnerRoutes(p *partners, demo bool) []rest.Route {
	mode := "live"
	if demo {
		mode = "demo"
	}
	return []rest.Route{
		rest.Handle("GET", "/v1/partners", "partners.list", "List the partners and how they are", http.StatusOK,
			func(context.Context, rest.None) (partnersView, error) {
				v := partnersView{Data: []partnerView{}}
				if p.acquirer != nil {
					v.Data = append(v.Data, partner(p.acquirer.ID(), "card", "nestpay", mode, p.acquirer.Lanes()))
				}
				if p.wallet != nil {
					v.Data = append(v.Data, partner(p.wallet.ID(), "wallet", "gsma", mode, p.wallet.Lanes()))
				}
				if p.bank != nil {
					v.Data = append(v.Data, partner(p.bank.ID(), "bank", "iso20022", mode, p.bank.Lanes()))
				}
				return v, nil
			}),
	}
}

func partner(id, port, driver, mode string, lanes []outbound.LaneState) partnerView {
	v := partnerView{ID: id, Port: port, Driver: driver, Mode: mode, Breaker: map[outbound.Class]string{}}
	for _, l := range lanes {
		v.Breaker[l.Class] = l.Breaker
		v.P95 = max(v.P95, float64(l.P95.Microseconds())/1000)
		v.Queue += l.InFlight
	}
	return v
}
