package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"

	"tiwiza/marketplace/accords"
	"tiwiza/marketplace/sharing"
	"tiwiza/migrations"
	"tiwiza/payments/escrow"
	"tiwiza/payments/invariants"
	"tiwiza/payments/ledger"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
	"tiwiza/pkg/seal"
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
	files, err := filing{}.open(s.DataDir)
	if err != nil {
		return err
	}
	h, err := build(store, &partners{}, options{Demo: true, Log: slog.Default(), Files: files})
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

type verifyCmd struct {
	Head []string `help:"A head of a chain of seals, as an earlier verify printed it and somebody kept it elsewhere: it must still stand." placeholder:"transfer:12:9f86…"`
}

// Run proves the books.
func (c verifyCmd) Run(ctx context.Context, s *Settings) error {
	heads := make([]seal.Head, len(c.Head))
	for i, text := range c.Head {
		var err error
		if heads[i], err = seal.ParseHead(text); err != nil {
			return err
		}
	}
	d, err := s.reach(ctx)
	if err != nil {
		return err
	}
	defer d.leave(ctx)
	store, err := pg.Open(ctx, d.URL, pg.Options{MaxConns: 2, Role: pg.Reader})
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
	cut, err := stand(ctx, store, heads)
	if err != nil {
		return err
	}
	violations += cut
	fmt.Printf("violations: %d\n", violations)
	if violations > 0 {
		return exitCode(1)
	}
	return nil
}

// stand prints the heads of the chains of seals, and says how many of those that
// were kept elsewhere do not stand any more.
func stand(ctx context.Context, db pg.DB, kept []seal.Head) (gone int, err error) {
	chains := map[string]seal.Chain{}
	for _, c := range []seal.Chain{ledger.Chain, audit.Chain, sharing.Chain, accords.Chain} {
		chains[c.Row] = c
		h, err := c.Head(ctx, db)
		if err != nil {
			return 0, err
		}
		if h.Seq > 0 {
			fmt.Printf("head %s\n", h)
		}
	}
	for _, h := range kept {
		c, ok := chains[h.Row]
		if ok {
			ok, err = c.Stands(ctx, db, h)
		}
		if err != nil {
			return gone, err
		}
		if !ok {
			fmt.Printf("head %s does not stand any more: what was sealed last was cut off, or sealed anew\n", h)
			gone++
		}
	}
	return gone, nil
}
