package invariants

import (
	"context"
	"net/http"
	"time"

	"tiwiza/pkg/rest"
)

// Routes is the HTTP face of the promises.
func Routes(s *Service) []rest.Route {
	return []rest.Route{
		rest.Handle("GET", "/v1/guarantees", "guarantees.show", "Each promise with its live figure", http.StatusOK, s.Show, rest.Public(),
			rest.About("Anyone may look. The promises are checked together, in one snapshot of the database, at most every few seconds; checked_at says when.")),
	}
}

// Guarantee is one promise, and how often it is broken at this moment.
type Guarantee struct {
	ID         string    `json:"id" required:"true"`
	Promise    string    `json:"promise" required:"true"`
	Violations int       `json:"violations" required:"true"`
	CheckedAt  time.Time `json:"checked_at" required:"true"`
}

// GuaranteesView is every promise, and what they are about.
type GuaranteesView struct {
	Guarantees []Guarantee `json:"guarantees" required:"true"`
	Violations int         `json:"violations" required:"true" description:"Of all promises together."`
	Figures    Figures     `json:"figures" required:"true"`
	CheckedAt  time.Time   `json:"checked_at" required:"true"`
}

// Show answers every promise with its live figure. What exactly is wrong, if
// anything, is for the operator (hub verify): rows name orders and members.
func (s *Service) Show(ctx context.Context, _ rest.None) (GuaranteesView, error) {
	r, err := s.Latest(ctx)
	if err != nil {
		return GuaranteesView{}, err
	}
	v := GuaranteesView{Guarantees: make([]Guarantee, len(r.Findings)), Violations: Violations(r.Findings), Figures: r.Figures, CheckedAt: r.At}
	for i, f := range r.Findings {
		v.Guarantees[i] = Guarantee{f.ID, f.Promise, f.Count, r.At}
	}
	return v, nil
}
