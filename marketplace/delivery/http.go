package delivery

import (
	"context"
	"net/http"
	"time"

	"tiwiza/pkg/auth"
	"tiwiza/pkg/id"
	"tiwiza/pkg/money"
	"tiwiza/pkg/rest"
)

// Routes is the HTTP face of the service.
func Routes(s *Service) []rest.Route {
	const ways = "/v1/delivery-ways"
	return []rest.Route{
		rest.Commit("POST", ways, "delivery.make", "Offer a way of delivery", http.StatusCreated, s.Make),
		rest.Handle("GET", ways, "delivery.list", "List ways of delivery, the newest first", http.StatusOK, s.List),
		rest.Commit("POST", ways+"/{way}/end", "delivery.end", "Offer a way of delivery no longer", http.StatusOK, s.End),
	}
}

// OneWay names a way of delivery.
type OneWay struct {
	Way string `path:"way"`
}

// WayView is a way of delivery as its seller and the operator see it.
type WayView struct {
	ID       string            `json:"id" required:"true"`
	Seller   string            `json:"seller,omitempty"`
	Kind     Kind              `json:"kind" required:"true" enum:"carrier,own,pickup,relay"`
	Names    map[string]string `json:"names" required:"true"`
	Payee    string            `json:"payee,omitempty"`
	LeadDays int               `json:"lead_days" required:"true"`
	Spot     *Spot             `json:"spot,omitempty"`
	RadiusKm *int              `json:"radius_km,omitempty"`
	FreeFrom *money.Money      `json:"free_from,omitempty"`
	Zones    []ZoneView        `json:"zones" required:"true"`
	MadeAt   time.Time         `json:"made_at" required:"true"`
	EndedAt  *time.Time        `json:"ended_at,omitempty"`
}

// ZoneView is what a way costs in some places; everywhere else when it names
// none.
type ZoneView struct {
	Regions  []string    `json:"regions" required:"true"`
	Communes []string    `json:"communes" required:"true"`
	Steps    []StepInput `json:"steps" required:"true"`
}

func (w Way) view() WayView {
	v := WayView{
		ID: w.ID, Seller: w.Seller, Kind: w.Kind, Names: w.Names, Payee: w.Payee, LeadDays: w.LeadDays, Spot: w.Spot, RadiusKm: w.RadiusKm,
		Zones: []ZoneView{}, MadeAt: w.MadeAt.UTC(), EndedAt: rest.UTC(w.EndedAt),
	}
	if w.FreeFrom != nil {
		m := money.Dirhams(*w.FreeFrom)
		v.FreeFrom = &m
	}
	for _, z := range w.Zones {
		zone := ZoneView{Regions: []string{}, Communes: []string{}}
		for _, a := range z.Areas {
			if a.Commune == "" {
				zone.Regions = append(zone.Regions, a.Region)
			} else {
				zone.Communes = append(zone.Communes, a.Commune)
			}
		}
		for _, s := range z.Steps {
			zone.Steps = append(zone.Steps, StepInput{s.UpToG, money.Dirhams(s.Centimes)})
		}
		v.Zones = append(v.Zones, zone)
	}
	return v
}

// ListInput asks for ways of delivery.
type ListInput struct {
	Seller string `query:"seller" maxLength:"40" description:"Whose; for operators, who without it see the relay points."`
	Ended  bool   `query:"ended" description:"Also those that have ended."`
	rest.Paging
}

// List lists a seller's ways of delivery, and for operators the relay points.
func (s *Service) List(ctx context.Context, in ListInput) (p rest.Page[WayView], err error) {
	seller, ok := auth.From(ctx).Of(in.Seller)
	if !ok {
		return p, ErrNotFound
	}
	below, err := in.After(id.Way)
	if err != nil {
		return p, err
	}
	all, err := list(ctx, s.db, seller, in.Ended, below, in.Limit+1)
	if err != nil {
		return p, err
	}
	return rest.View(all, in.Limit, Way.view, func(v WayView) any { return v.ID }), nil
}
