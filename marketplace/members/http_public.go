package members

import (
	"context"
	"net/http"

	"tiwiza/pkg/rest"
)

// publicRoutes are what anybody may read of those who sell.
func publicRoutes(s *Service) []rest.Route {
	return []rest.Route{
		rest.Handle("GET", "/v1/sellers/{org}", "sellers.show", "Read who a seller is", http.StatusOK, s.Present, rest.Public()),
	}
}

// SellerView is a seller as it presents itself to anybody.
type SellerView struct {
	ID      string `json:"id" required:"true"`
	Kind    Kind   `json:"kind" required:"true"`
	Names   Texts  `json:"names" required:"true"`
	Story   Texts  `json:"story" required:"true"`
	Region  string `json:"region" required:"true"`
	Commune string `json:"commune" required:"true"`
	Point   Point  `json:"point" required:"true"`
}

// Present is a seller that sells now. One that does not is not there for others.
func (s *Service) Present(ctx context.Context, in One) (v SellerView, err error) {
	o, err := load(ctx, s.db, in.Org)
	if err != nil {
		return v, err
	}
	if !o.Seller().Active {
		return v, ErrNotFound
	}
	return SellerView{o.ID, o.Kind, o.Names, o.Story, o.Region, o.Commune, Point{o.Lat, o.Lng}}, nil
}
