package catalog

import (
	"context"

	"tiwiza/pkg/pg"
)

// A Badge is a label of a seller, for some of its offers or all, that is verified and
// in date. A day is written as 2026-01-31; no last day: it stays.
type Badge struct {
	Seller    string
	Code      string
	Issuer    string
	Number    string
	ValidFrom string
	ValidTo   string
}

// BadgesOf are the badges of some sellers, in one read.
func (s *Service) BadgesOf(ctx context.Context, db pg.DB, sellers []string) (map[string][]Badge, error) {
	all, err := badgesOf(ctx, db, sellers)
	out := map[string][]Badge{}
	for _, b := range all {
		out[b.Seller] = append(out[b.Seller], b)
	}
	return out, err
}

// ShelvesOf is Shelves of some sellers, in one read.
func (s *Service) ShelvesOf(ctx context.Context, db pg.DB, sellers []string) (map[string][]string, error) {
	all, err := manyShelves(ctx, db, sellers)
	out := map[string][]string{}
	for _, r := range all {
		out[r.Seller] = append(out[r.Seller], r.Category)
	}
	return out, err
}
