package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"time"

	"tiwiza/marketplace/enrolment"
	"tiwiza/marketplace/sharing"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

// dossiers measures what a look into a dossier costs beside the bare read and one
// durable row, and how soon the applications of a region are listed.
func (b *bench) dossiers(ctx context.Context) error {
	url, err := b.yard.database(ctx, "bench_dossiers", "")
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "tiwiza-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	return withMarket(ctx, dir, url, pg.Options{MaxConns: 4}, func(h *house, _ demoKeys) error {
		if err := b.consultation(ctx, h, url); err != nil {
			return err
		}
		if err := b.queue(ctx, h, url); err != nil {
			return err
		}
		return clean(ctx, h.store, "R10", "R13")
	})
}

// consultation measures a look.
func (b *bench) consultation(ctx context.Context, h *house, url string) error {
	m, err := loadNote[market](ctx, h.store, "demo")
	if err != nil {
		return err
	}
	owner := auth.With(ctx, auth.Principal{Role: auth.Seller, Subject: m.Sellers[0].Organisation, Key: "key_owner"})
	bank := auth.With(ctx, auth.Principal{Role: auth.Bank, Subject: m.Bank, Key: "key_bank"})
	var item sharing.ItemView
	err = h.store.InTx(owner, func(tx *pg.Tx) (err error) {
		item, err = h.shared.Add(owner, tx, sharing.ItemInput{Org: m.Sellers[0].Organisation, Section: "financial", Title: "bilan", Content: sharing.Content{Form: map[string]any{"a": 1}}})
		if err != nil {
			return err
		}
		_, err = h.shared.Give(owner, tx, sharing.GiveInput{Grantee: m.Bank, Terms: sharing.Terms{Purpose: "credit", Sections: []string{"financial"}, Days: 90}})
		return err
	})
	if err != nil {
		return err
	}
	if err := install(ctx, url, `create table public.bench_row (id bigint generated always as identity primary key, text text not null); grant insert on public.bench_row to hub_app`); err != nil {
		return err
	}
	look := func() error {
		_, err := h.shared.See(bank, sharing.SeeInput{Org: m.Sellers[0].Organisation, Item: item.ID})
		return err
	}
	bare := func() error {
		_, err := h.shared.ShowItem(owner, sharing.OneItem{Item: item.ID})
		return err
	}
	row := func() error {
		return h.store.InTx(bank, func(tx *pg.Tx) error { oneRow(tx); return nil })
	}
	var looks, rows, ratios []float64
	for n := range b.Rounds + 1 {
		var took [3]float64
		for i, f := range []func() error{look, bare, row} {
			if took[i], err = each(b.round()/3, f); err != nil {
				return err
			}
		}
		if n == 0 {
			continue // to warm up
		}
		b.tell("a look takes %.2f ms, the bare read %.2f ms, one durable row %.2f ms", took[0], took[1], took[2])
		looks, rows, ratios = append(looks, took[0]), append(rows, took[2]), append(ratios, (took[0]-took[1])/took[2])
	}
	b.found(figure{Name: "a look into a dossier", Value: median(looks), Limit: median(rows), Ratio: median(ratios), Unit: "ms", Most: 1.5, Note: "what it takes more than the bare read, in durable one-row commits"})
	return nil
}

// each is the middle of how many milliseconds something takes.
func each(d time.Duration, f func() error) (float64, error) {
	var all []float64
	for end := time.Now().Add(max(d, 50*time.Millisecond)); time.Now().Before(end) || len(all) < 5; {
		began := time.Now()
		if err := f(); err != nil {
			return 0, err
		}
		all = append(all, float64(time.Since(began).Microseconds())/1000)
	}
	return median(all), nil
}

// queue measures how soon the applications of a region are listed, a page of 100.
func (b *bench) queue(ctx context.Context, h *house, url string) error {
	sql, err := yardsticks.ReadFile("bench/dossiers.sql")
	if err != nil {
		return err
	}
	if err := install(ctx, url, string(sql)); err != nil {
		return err
	}
	if err := order(ctx, url, `vacuum analyze`); err != nil {
		return err
	}
	boss := auth.With(ctx, auth.Principal{Role: auth.Operator, Subject: "org_operator", Key: "key_operator"})
	var all []float64
	var cursor string
	seen := 0
	for len(all) < 500 {
		began := time.Now()
		p, err := h.enrolment.Waiting(boss, enrolment.QueueInput{Region: "MA-09", Paging: rest.Paging{Limit: 100, Cursor: cursor}})
		if err != nil {
			return err
		}
		all = append(all, float64(time.Since(began).Microseconds())/1000)
		if seen += len(p.Data); p.Next == nil {
			if seen != 1000 {
				return fmt.Errorf("%d ask in the region, want 1000", seen)
			}
			seen, cursor = 0, ""
			continue
		}
		cursor = *p.Next
	}
	slices.Sort(all)
	b.found(figure{Name: "applications of a region, p99", Value: all[len(all)*99/100], Unit: "ms", Ceiling: 50, Note: "1,000 of 100,000 members ask there; pages of 100"})
	return nil
}
