package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"

	"tiwiza/migrations"
	"tiwiza/payments/escrow"
	"tiwiza/payments/invariants"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

// with puts the hub together over its database, without partners and without
// running anything, for a command of its own.
func (s *Settings) with(ctx context.Context, f func(h *house) error) error {
	d, err := s.reach(ctx)
	if err != nil {
		return err
	}
	defer d.leave(ctx)
	if err := migrations.Up(ctx, d.URL); err != nil {
		return err
	}
	store, err := pg.Open(ctx, d.URL, pg.Options{MaxConns: 4})
	if err != nil {
		return err
	}
	defer store.Close()
	h, err := build(store, &partners{}, options{Demo: true, Log: slog.Default()})
	if err != nil {
		return err
	}
	return f(h)
}

type openapiCmd struct{}

// Run prints the document.
func (openapiCmd) Run(_ context.Context, _ *Settings) error {
	h, err := build(&pg.Store{}, &partners{}, options{Demo: true, Log: slog.Default()})
	if err != nil {
		return err
	}
	doc, err := document(h.routes)
	if err != nil {
		return err
	}
	_, err = os.Stdout.Write(doc)
	return err
}

type machineCmd struct{}

// Run prints the page.
func (machineCmd) Run() error {
	_, err := os.Stdout.WriteString(escrow.Document())
	return err
}

type promisesCmd struct{}

// Run prints the page.
func (promisesCmd) Run() error {
	_, err := os.Stdout.WriteString(invariants.Document())
	return err
}

func document(routes []rest.Route) ([]byte, error) {
	return rest.Document(rest.Info{
		Title: "Tiwiza", Version: "1",
		Description: "A marketplace and payments hub for Morocco's social economy. Amounts are decimal texts with a currency; times are RFC 3339 in UTC.",
	}, routes)
}

type verifyCmd struct{}

// Run proves the books.
func (verifyCmd) Run(ctx context.Context, s *Settings) error {
	d, err := s.reach(ctx)
	if err != nil {
		return err
	}
	defer d.leave(ctx)
	store, err := pg.Open(ctx, d.URL, pg.Options{MaxConns: 2})
	if err != nil {
		return err
	}
	defer store.Close()
	findings, err := invariants.Check(ctx, store)
	if err != nil {
		return err
	}
	violations := 0
	for _, f := range findings {
		fmt.Printf("%-4s %6d  %s\n", f.ID, f.Count, f.Promise)
		for _, r := range f.Rows {
			fmt.Printf("             %s\n", r)
		}
		violations += f.Count
	}
	fmt.Printf("violations: %d\n", violations)
	if violations > 0 {
		return exitCode(1)
	}
	return nil
}
