package main

import (
	"context"
	"net/http"

	"tiwiza/pkg/outbound"
	"tiwiza/pkg/rest"
)

// partnerView is a partner as the operator sees it.
type partnerView struct {
	ID      string                     `json:"id" required:"true"`
	Port    string                     `json:"port" required:"true" enum:"card,bank"`
	Driver  string                     `json:"driver" required:"true"`
	Breaker map[outbound.Class]string  `json:"breaker" required:"true" description:"By class of call: closed, half-open or open."`
	P95     map[outbound.Class]float64 `json:"p95_ms" required:"true"`
	Queue   map[outbound.Class]int     `json:"queue" required:"true" description:"Calls on their way."`
}

type partnersView struct {
	Data []partnerView `json:"data" required:"true"`
	Next *string       `json:"next" required:"true"`
}

func partnerRoutes(p *partners) []rest.Route {
	return []rest.Route{
		rest.Handle("GET", "/v1/partners", "partners.list", "List the partners and how they are", http.StatusOK,
			func(context.Context, rest.None) (partnersView, error) {
				v := partnersView{Data: []partnerView{}}
				if p.acquirer != nil {
					v.Data = append(v.Data, partner(p.acquirer.ID(), "card", "nestpay", p.acquirer.Lanes()))
				}
				if p.bank != nil {
					v.Data = append(v.Data, partner(p.bank.ID(), "bank", "iso20022", p.bank.Lanes()))
				}
				return v, nil
			}),
	}
}

func partner(id, port, driver string, lanes []outbound.LaneState) partnerView {
	v := partnerView{id, port, driver, map[outbound.Class]string{}, map[outbound.Class]float64{}, map[outbound.Class]int{}}
	for _, l := range lanes {
		v.Breaker[l.Class], v.P95[l.Class], v.Queue[l.Class] = l.Breaker, float64(l.P95.Microseconds())/1000, l.InFlight
	}
	return v
}
