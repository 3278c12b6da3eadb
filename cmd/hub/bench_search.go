package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"tiwiza/search"
)

// mistyped are three words of which one is.
func mistyped() url.Values {
	return url.Values{"q": {"huile argan alimentiare"}, "lang": {"fr"}, "limit": {strconv.Itoa(offersPage)}}
}

// The market of 100,000 offers is the one that searching is compared in; in a vast
// one less is asked.
const (
	fullMarket = 100_000
	vastMarket = 1_000_000
)

// search measures searching against PostgreSQL's own search for the same words,
// and how long readers wait who come whether or not others were answered.
func (b *bench) search(ctx context.Context, h *benchHub, db string) error {
	const words = "huile argane alimentaire"
	ours, err := b.lookUp(ctx, h, db, lookup{name: "offers, three words", query: url.Values{"q": {words}, "lang": {"fr"}}, vary: true})
	if err != nil {
		return err
	}
	bare, err := b.bare(ctx, db, "'"+strings.Join(search.Fold(words), "' & '")+"'")
	if err != nil {
		return err
	}
	floor := 0.0
	if b.Offers >= fullMarket {
		floor = 0.2
	}
	b.found(figure{
		Name: "offers, three words, against bare search", Value: ours.total(), Unit: "ms CPU", Limit: bare, Ratio: bare / max(ours.total(), 0.01), Floor: floor,
		Note: "the limit is PostgreSQL's @@ ordered by ts_rank, its first 24 ids alone",
	})
	rate, ceiling := 50, 60.0
	if b.Offers >= vastMarket {
		rate, ceiling = 20, 200
	}
	took, err := b.stream(ctx, h, rate)
	if err != nil {
		return err
	}
	b.found(figure{
		Name: fmt.Sprintf("offers, three words at %d/s, p99", rate), Value: centile(took, 99), Unit: "ms", Ceiling: ceiling,
		Note: fmt.Sprintf("one mistyped, facets counted; p50 %.1f ms of %d requests, each from when it was due", centile(took, 50), len(took)),
	})
	return nil
}

// bare is what PostgreSQL's own search costs its processors, in milliseconds.
func (b *bench) bare(ctx context.Context, db, query string) (float64, error) {
	var used, before time.Duration
	n := 0
	err := eachAsk(ctx, db, `select bench.bare($1)`, query, func(ask func() (int, error)) error {
		for range 30 {
			if rows, err := ask(); err != nil || rows == 0 {
				return errors.Join(fmt.Errorf("a bare search for %s finds %d", query, rows), err)
			}
		}
		var err error
		if before, err = cpu(b.yard.pid, true); err != nil {
			return err
		}
		for began := time.Now(); time.Since(began) < b.round(); n++ {
			if _, err := ask(); err != nil {
				return err
			}
		}
		used, err = cpu(b.yard.pid, true)
		return err
	})
	return (used - before).Seconds() * 1000 / float64(n), err
}

// stream sends so many searches each second, whether or not those before were
// answered, and returns how long each took from when it was due.
func (b *bench) stream(ctx context.Context, h *benchHub, rate int) ([]time.Duration, error) {
	const readers = 32
	due := make(chan time.Time, 10*rate)
	took, errs := make([][]time.Duration, readers), make([]error, readers)
	var all sync.WaitGroup
	for i := range readers {
		w, err := dial(ctx, h.addr, i)
		if err != nil {
			return nil, err
		}
		defer w.conn.Close()
		all.Go(func() {
			q := mistyped()
			for at := range due {
				q.Set("max", strconv.FormatInt(10_000+at.UnixMicro()%1e9, 10)) // nobody asked for the same
				if _, errs[i] = w.send(request(http.MethodGet, "/v1/offers?"+q.Encode(), "", "", nil), http.StatusOK); errs[i] != nil {
					for range due { // the others' are theirs
					}
					return
				}
				took[i] = append(took[i], time.Since(at))
			}
		})
	}
	for began, n := time.Now(), 0; time.Since(began) < 2*b.round() && ctx.Err() == nil; n++ {
		at := began.Add(time.Duration(n) * time.Second / time.Duration(rate))
		time.Sleep(time.Until(at))
		due <- at
	}
	close(due)
	all.Wait()
	var sum []time.Duration
	for _, t := range took {
		sum = append(sum, t...)
	}
	return sum, errors.Join(append(errs, ctx.Err())...)
}
