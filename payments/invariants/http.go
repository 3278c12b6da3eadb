package invariants

import (
	"context"
	"net/http"
	"slices"
	"time"

	"tiwiza/pkg/rest"
)

// Routes is the HTTP face of the promises.
func Routes(s *Service) []rest.Route {
	return []rest.Route{
		rest.Handle("GET", "/v1/guarantees", "guarantees.show", "Each promise with its live figure", http.StatusOK, s.Show, rest.Public(),
			rest.About("Anyone may look. A hub checks all promises together, in one snapshot of the database, each minute; checked_at says when.")),
	}
}

// GuaranteeView is one promise, and how well it was kept at the last look.
type GuaranteeView struct {
	ID         string     `json:"id" required:"true"`
	Promise    string     `json:"promise" required:"true"`
	For        []string   `json:"for" required:"true"`
	Checked    *int64     `json:"checked,omitempty" description:"How many things it was checked on."`
	Of         string     `json:"of,omitempty" description:"What they are."`
	Violations *int       `json:"violations,omitempty" description:"How many are outside; absent for a promise that only its tests can show."`
	Since      *time.Time `json:"since,omitempty" description:"How long it has been broken."`
	CheckedAt  time.Time  `json:"checked_at" required:"true"`
	Invariants []string   `json:"invariants" required:"true"`
	Tests      []string   `json:"tests" required:"true"`
}

// InvariantView is one query that must find nothing.
type InvariantView struct {
	ID         string     `json:"id" required:"true"`
	Promise    string     `json:"promise" required:"true"`
	Violations int        `json:"violations" required:"true"`
	Since      *time.Time `json:"since,omitempty"`
}

// GuaranteesView is every promise, and what they are about.
type GuaranteesView struct {
	Guarantees []GuaranteeView `json:"guarantees" required:"true"`
	Invariants []InvariantView `json:"invariants" required:"true"`
	Violations int             `json:"violations" required:"true" description:"Of all invariants together."`
	Figures    Figures         `json:"figures" required:"true"`
	CheckedAt  time.Time       `json:"checked_at" required:"true"`
	ProvedAt   *time.Time      `json:"proved_at,omitempty" description:"When the seals were last read from their beginning."`
}

// Show answers every promise with its live figure. What exactly is wrong, if
// anything, is for the operator (hub verify): rows name orders and members.
func (s *Service) Show(ctx context.Context, _ rest.None) (GuaranteesView, error) {
	r, err := s.Latest(ctx)
	if err != nil {
		return GuaranteesView{}, err
	}
	v := GuaranteesView{
		Violations: Violations(r.Findings), Figures: r.Figures, CheckedAt: r.At, ProvedAt: rest.UTC(r.ProvedAt),
		Guarantees: make([]GuaranteeView, len(Guarantees)), Invariants: make([]InvariantView, len(r.Findings)),
	}
	for i, f := range r.Findings {
		v.Invariants[i] = InvariantView{f.ID, f.Promise, f.Count, rest.UTC(f.Since)}
	}
	for i, g := range Guarantees {
		v.Guarantees[i] = g.view(r)
	}
	return v, nil
}

// view is a guarantee as a report found it.
func (g Guarantee) view(r Report) GuaranteeView {
	v := GuaranteeView{ID: g.ID, Promise: g.Promise, For: g.For, Of: g.Of, CheckedAt: r.At, Invariants: g.Invariants, Tests: g.Tests}
	if n, ok := r.Counts[g.Of]; ok {
		v.Checked = &n
	}
	if len(g.Invariants) == 0 {
		v.Invariants = []string{}
		return v
	}
	n := 0
	for _, f := range r.Findings {
		if !slices.Contains(g.Invariants, f.ID) {
			continue
		}
		n += f.Count
		if f.Since != nil && (v.Since == nil || f.Since.Before(*v.Since)) {
			v.Since = rest.UTC(f.Since)
		}
	}
	v.Violations = &n
	return v
}
