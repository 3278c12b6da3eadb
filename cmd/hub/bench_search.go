package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"tiwiza/pkg/pg"
	"tiwiza/search"
	"tiwiza/search/pgsearch"
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
	page, err := b.lookUp(ctx, h, db, lookup{name: "offers, three words", query: url.Values{"q": {words}, "lang": {"fr"}}, vary: true})
	if err != nil {
		return err
	}
	bare, err := b.bare(ctx, db, "'"+strings.Join(search.Fold(words), "' & '")+"'")
	if err != nil {
		return err
	}
	index, err := b.index(ctx, db, words)
	if err != nil {
		return err
	}
	floor := 0.0
	if b.Offers >= fullMarket {
		floor = 0.2
	}
	const limit = "the limit is PostgreSQL's @@ ordered by ts_rank, its first 24 ids alone"
	b.found(figure{
		Name: "index, three words, against bare search", Value: index, Unit: "ms CPU", Limit: bare, Ratio: bare / max(index, 0.01), Floor: floor,
		Note: "24 ids as well, by all ranking rules, ours and PostgreSQL's processors; " + limit,
	})
	b.found(figure{
		Name: "offers, three words, against bare search", Value: page.total(), Unit: "ms CPU", Limit: bare, Ratio: bare / max(page.total(), 0.01),
		Note: "the whole page over HTTP, with facets that nobody asked for before; " + limit,
	})
	rate, ceiling := 50, 60.0
	if b.Offers >= vastMarket {
		rate, ceiling = 20, 200
	}
	took, err := b.stream(ctx, h, rate, func(at time.Time) []byte {
		q := mistyped()
		q.Set("max", strconv.FormatInt(10_000+at.UnixMicro()%1e9, 10)) // nobody asked for the same
		return request(http.MethodGet, "/v1/offers?"+q.Encode(), "", "", nil)
	})
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
func (b *bench) bare(ctx context.Context, db, query string) (each float64, err error) {
	err = eachAsk(ctx, db, `select bench.bare($1)`, query, func(ask func() (int, error)) error {
		each, err = b.onServer(ctx, func(int) error {
			rows, err := ask()
			if err == nil && rows == 0 {
				err = fmt.Errorf("a bare search for %s finds nothing", query)
			}
			return err
		})
		return err
	})
	return each, err
}

// index is what our index costs for the same, in milliseconds of PostgreSQL's
// processors and this program's.
func (b *bench) index(ctx context.Context, db, words string) (float64, error) {
	store, err := pg.Open(ctx, db, pg.Options{MaxConns: 1})
	if err != nil {
		return 0, err
	}
	defer store.Close()
	x := pgsearch.Open(store, pgsearch.Options{})
	var before, after time.Duration
	runs := 0 // since
	server, err := b.onServer(ctx, func(n int) (err error) {
		if n == 0 {
			if before, err = cpu(os.Getpid(), false); err != nil {
				return err
			}
			runs = 0
		}
		runs++
		most := int64(900_000 + n) // no two ask for the same
		found, err := x.Query(ctx, search.Query{Text: words, Lang: "fr", Max: &most, Limit: offersPage, Bare: true})
		if err == nil && len(found.Hits) == 0 {
			err = fmt.Errorf("a search for %s finds nothing", words)
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	if after, err = cpu(os.Getpid(), false); err != nil {
		return 0, err
	}
	return server + (after-before).Seconds()*1000/float64(runs), nil
}

// onServer is what each run of something costs PostgreSQL's processors, in
// milliseconds, once statements are prepared and caches filled.
func (b *bench) onServer(ctx context.Context, run func(n int) error) (float64, error) {
	for n := range 30 {
		if err := run(-1 - n); err != nil {
			return 0, err
		}
	}
	before, err := cpu(b.yard.pid, true)
	if err != nil {
		return 0, err
	}
	n := 0
	for began := time.Now(); time.Since(began) < b.round() && ctx.Err() == nil; n++ {
		if err := run(n); err != nil {
			return 0, err
		}
	}
	used, err := cpu(b.yard.pid, true)
	if err != nil {
		return 0, err
	}
	return (used - before).Seconds() * 1000 / float64(n), ctx.Err()
}

// shelves are pages of the market as strangers ask for them, in turn.
var shelves = []string{"/", "/ar", "/?category=honey", "/en", "/?region=MA-09", "/ar?category=oils"}

// pages measures how long people wait for a page of the market, of 24 cards and
// squeezed, whether or not others were answered.
func (b *bench) pages(ctx context.Context, h *benchHub) error {
	const rate = 100
	w, err := dial(ctx, h.addr, 0)
	if err != nil {
		return err
	}
	defer w.conn.Close()
	for _, shelf := range shelves { // counts are there, as on a hub that has run for a minute
		if _, err := w.send(request(http.MethodGet, shelf, "", "", nil), http.StatusOK); err != nil {
			return err
		}
	}
	n := 0
	took, err := b.stream(ctx, h, rate, func(time.Time) []byte {
		n++
		return bytes.Replace(request(http.MethodGet, shelves[n%len(shelves)], "", "", nil), []byte("Host: bench\r\n"), []byte("Host: bench\r\nAccept-Encoding: br\r\n"), 1)
	})
	if err != nil {
		return err
	}
	ceiling := 0.0
	if b.Offers == fullMarket {
		ceiling = 20
	}
	b.found(figure{
		Name: fmt.Sprintf("market page at %d/s, p99", rate), Value: centile(took, 99), Unit: "ms", Ceiling: ceiling,
		Note: fmt.Sprintf("24 cards, brotli; p50 %.1f ms of %d requests, each from when it was due", centile(took, 50), len(took)),
	})
	return nil
}

// stream sends so many requests each second, whether or not those before were
// answered, and returns how long each took from when it was due. next makes them,
// one after another.
func (b *bench) stream(ctx context.Context, h *benchHub, rate int, next func(at time.Time) []byte) ([]time.Duration, error) {
	const readers = 32
	type call struct {
		at   time.Time
		send []byte
	}
	due := make(chan call, 10*rate)
	took, errs := make([][]time.Duration, readers), make([]error, readers)
	var all sync.WaitGroup
	for i := range readers {
		w, err := dial(ctx, h.addr, i)
		if err != nil {
			return nil, err
		}
		defer w.conn.Close()
		all.Go(func() {
			for c := range due {
				if _, errs[i] = w.send(c.send, http.StatusOK); errs[i] != nil {
					for range due { // the others' are theirs
					}
					return
				}
				took[i] = append(took[i], time.Since(c.at))
			}
		})
	}
	for began, n := time.Now(), 0; time.Since(began) < 2*b.round() && ctx.Err() == nil; n++ {
		at := began.Add(time.Duration(n) * time.Second / time.Duration(rate))
		time.Sleep(time.Until(at))
		due <- call{at, next(at)}
	}
	close(due)
	all.Wait()
	var sum []time.Duration
	for _, t := range took {
		sum = append(sum, t...)
	}
	return sum, errors.Join(append(errs, ctx.Err())...)
}
