package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// same proves that both sides write as many rows to the same tables.
func (b *bench) same(ctx context.Context, c *checkoutBench) error {
	if b.yard.pgbench == "" {
		return nil
	}
	requests, err := c.stock(ctx, 1)
	if err != nil {
		return err
	}
	if err := order(ctx, c.url, `select bench.stock(1)`); err != nil {
		return err
	}
	hub, err := c.writes(ctx, func() error {
		return c.open(ctx, func() error {
			_, err := c.send(ctx, requests[0][0])
			return err
		})
	})
	if err != nil {
		return err
	}
	theirs, err := c.writes(ctx, func() error {
		_, err := b.yard.run(ctx, c.url, script{file: "bench/checkout.run.sql", clients: 1}, 0, 1)
		return err
	})
	if err != nil {
		return err
	}
	var differ []error
	both := maps.Clone(hub)
	maps.Copy(both, theirs)
	delete(both, "platform.lane_state") // how its partners are: the hub writes it when it opens and closes
	for _, table := range slices.Sorted(maps.Keys(both)) {
		h, t := hub[table], theirs[table]
		b.tell("%-24s hub %+d inserted %+d updated, pgbench %+d inserted %+d updated", table, h.inserted, h.updated, t.inserted, t.updated)
		if table == "limits.tally" { // whether a count is there already depends on the connection and the minute
			h.inserted, h.updated, t.inserted, t.updated = h.inserted+h.updated, 0, t.inserted+t.updated, 0
		}
		if h != t {
			differ = append(differ, fmt.Errorf("one checkout writes %+v to %s and pgbench %+v", h, table, t))
		}
	}
	if len(both) == 0 {
		differ = append(differ, errors.New("a checkout was not seen to write anything"))
	}
	return errors.Join(differ...)
}

// writes counts what do writes to each table.
func (c *checkoutBench) writes(ctx context.Context, do func() error) (map[string]touch, error) {
	before, err := touched(ctx, c.url)
	if err != nil {
		return nil, err
	}
	if err := do(); err != nil {
		return nil, err
	}
	after, err := touched(ctx, c.url)
	if err != nil {
		return nil, err
	}
	for table, t := range after {
		was := before[table]
		t = touch{t.inserted - was.inserted, t.updated - was.updated, t.deleted - was.deleted}
		if after[table] = t; t == (touch{}) {
			delete(after, table)
		}
	}
	return after, nil
}
