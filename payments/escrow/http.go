package escrow

import (
	"net/http"

	"tiwiza/pkg/rest"
)

// Routes is the HTTP face of escrow.
func Routes(s *Service) []rest.Route {
	return []rest.Route{
		rest.Handle("GET", "/v1/escrows/{escrow}", "escrows.show", "Show what is held for an order", http.StatusOK, s.Show),
		rest.Commit("POST", "/v1/escrows/{escrow}/release", "escrows.release", "Let a part of an escrow go to those it belongs to", http.StatusOK, s.Release),
	}
}
