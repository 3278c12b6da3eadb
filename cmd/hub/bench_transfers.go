package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"tiwiza/pkg/auth"
	"tiwiza/pkg/pg"
)

// transfers measures POST /v1/ledger/transfers, complete: key, policies, body
// checked against the document, transfer, kept answer.
func (b *bench) transfers(ctx context.Context) error {
	p, err := b.openPosts(ctx, "bench_transfers", 2, 20_000)
	if err != nil {
		return err
	}
	defer p.store.Close()
	dir, err := os.MkdirTemp("", "tiwiza-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	var key string
	ctx = auth.With(ctx, auth.Principal{Subject: "hub", Role: auth.Operator})
	if err := withMarket(ctx, dir, p.url, pg.Options{MaxConns: 4}, func(_ *house, keys demoKeys) error {
		key = keys.Operator.APIKey
		return nil
	}); err != nil {
		return err
	}
	hub, err := serveBench(ctx, dir, p.url, "HUB_RATE=1000000")
	if err != nil {
		return err
	}
	var count atomic.Int64
	for _, c := range []struct {
		name          string
		clients, many int
		floor         float64
	}{
		{"transfers over HTTP, one by one", 32, 1, 0.45},
		{"transfers over HTTP, through the lane", 256, 1, 0.8},
		{"transfers over HTTP, lists of 200", 8, 200, 2.5},
	} {
		note := fmt.Sprintf("%d connections; against the better of 8 and 32 clients", c.clients)
		rate, late, err := b.duel(ctx, figure{Name: c.name, Unit: "/s", Floor: c.floor, Note: note},
			func(ctx context.Context, d time.Duration) (pace, error) {
				each, passed, err := stream(ctx, hub.addr, c.clients, func() []byte {
					return request("POST", "/v1/ledger/transfers", key, fmt.Sprintf("bench-%d", count.Add(1)), asked(&count, c.many))
				}, 201, d)
				return pace{float64(len(each)*c.many) / passed.Seconds(), p95(each)}, err
			},
			func(ctx context.Context, d time.Duration) (pace, error) {
				return b.yard.best(ctx, p.url, script{file: "bench/post.run.sql", vars: p.vars}, d)
			})
		if err != nil {
			return errors.Join(err, hub.stop())
		}
		b.found(rate)
		b.found(late)
	}
	if err := hub.stop(); err != nil {
		return err
	}
	return clean(ctx, p.store, "I1", "I2", "I3", "I4", "I6", "I7")
}

// asked is the body of a request for one or many transfers, as one person may
// make a million of on a day.
func asked(count *atomic.Int64, many int) []byte {
	var s bytes.Buffer
	if many > 1 {
		s.WriteString(`{"transfers":[`)
	}
	for i := range many {
		if i > 0 {
			s.WriteByte(',')
		}
		fmt.Fprintf(&s, `{"reference":"bench-%d","note":"bench","legs":[{"account":"psp_cost","side":"debit","amount":{"amount":"0.01","currency":"MAD"}},{"account":"fees","side":"credit","amount":{"amount":"0.01","currency":"MAD"}}]}`,
			count.Add(1))
	}
	if many > 1 {
		s.WriteString(`]}`)
	}
	return s.Bytes()
}
