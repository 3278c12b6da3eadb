package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"tiwiza/cmd/hub/demo"
	"tiwiza/marketplace/catalog"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/pg"
)

const offersPage = 24

// mostImported is how many offers are imported; of a larger market the others are
// copies of these.
const mostImported = 100_000

// offers measures GET /v1/offers: what one page costs the processors, in the
// hub and in PostgreSQL together. The client is not counted.
func (b *bench) offers(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "tiwiza-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	db, err := b.yard.database(ctx, "bench_offers", "bench/search.sql")
	if err != nil {
		return err
	}
	began, times := time.Now(), 1+(b.Offers-1)/mostImported
	if err := b.manyOffers(ctx, dir, db, b.Offers/times); err != nil {
		return fmt.Errorf("import the offers: %w", err)
	}
	if times > 1 {
		if err := order(ctx, db, `select bench.many($1)`, times); err != nil {
			return err
		}
	}
	b.tell("%d offers are imported and indexed in %s", b.Offers, time.Since(began).Round(time.Millisecond))
	for _, sql := range []string{`vacuum analyze`, `checkpoint`} { // else they run beside what is measured
		if err := order(ctx, db, sql); err != nil {
			return err
		}
	}
	h, err := serveBench(ctx, dir, db)
	if err != nil {
		return err
	}
	defer func() { _ = h.stop() }()
	var one string
	if err := ask(ctx, db, []any{&one}, `select bench.any()`); err != nil {
		return err
	}
	for _, c := range []lookup{
		{name: "offers, first page", ceiling: 3},
		{name: "offers, next pages", next: true},
		{name: "offers, category", query: url.Values{"category": {"honey"}}},
		{name: "offers, region", query: url.Values{"region": {"MA-09"}}},
		{name: "offers, French words", query: url.Values{"q": {"huile d’argane"}, "lang": {"fr"}}},
		{name: "offers, Arabic words", query: url.Values{"q": {"زيت الأركان"}, "lang": {"ar"}}},
		// Each asks for another highest price, so that none finds its facets counted.
		{name: "offers, three words, one mistyped", ceiling: 15, query: mistyped(), vary: true},
		{name: "suggestions while typing", ceiling: 5, path: "/v1/suggestions", query: url.Values{"q": {"huile arg"}, "lang": {"fr"}}},
		{name: "one offer", ceiling: 1, path: "/v1/offers/" + one},
	} {
		if b.Offers > fullMarket && c.path != "/v1/offers/"+one {
			c.ceiling = 0 // these are asked of 100,000
		}
		if _, err := b.lookUp(ctx, h, db, c); err != nil {
			return err
		}
	}
	if err := b.lastPage(ctx, h, db); err != nil {
		return err
	}
	if err := b.pages(ctx, h); err != nil {
		return err
	}
	return b.search(ctx, h, db)
}

// mostTurned is how large a market's pages are all turned, to come to the last.
const mostTurned = 100_000

// lastPage measures what the last page of the market costs, against the first,
// one after the other so that both meet the same machine.
func (b *bench) lastPage(ctx context.Context, h *benchHub, db string) error {
	if b.Offers > mostTurned {
		return nil
	}
	w, err := dial(ctx, h.addr, 0)
	if err != nil {
		return err
	}
	defer w.conn.Close()
	var cursor string
	for next := ""; ; {
		body, err := w.send(request(http.MethodGet, "/v1/offers?limit=96&cursor="+url.QueryEscape(next), "", "", nil), http.StatusOK)
		if err != nil {
			return err
		}
		var page struct{ Next *string }
		if err := json.Unmarshal(body, &page); err != nil {
			return err
		}
		if page.Next == nil {
			break
		}
		cursor, next = next, *page.Next // the one before the last has a whole page behind it
	}
	query := url.Values{}
	if cursor != "" {
		query.Set("cursor", cursor)
	}
	last, err := b.lookUp(ctx, h, db, lookup{name: "offers, last page", query: query})
	if err != nil {
		return err
	}
	first, err := b.page(ctx, h, lookup{query: url.Values{}})
	if err != nil {
		return err
	}
	b.found(figure{
		Name: "offers, last page against the first", Value: last.total(), Unit: "ms CPU", Limit: first.total(), Ratio: last.total() / max(first.total(), 0.01), Most: 1.25,
		Note: fmt.Sprintf("of %d offers, by the cursor", b.Offers),
	})
	return nil
}

// lookUp measures one way of looking for offers.
func (b *bench) lookUp(ctx context.Context, h *benchHub, db string, l lookup) (pageCost, error) {
	if l.query == nil {
		l.query = url.Values{}
	}
	cost, err := b.page(ctx, h, l)
	if err != nil {
		return cost, fmt.Errorf("%s: %w", l.name, err)
	}
	asked := ""
	if l.path == "" {
		queries, trips, err := countStatements(ctx, db, l.query)
		if err != nil {
			return cost, err
		}
		asked = fmt.Sprintf(" %d queries in %d round trips;", queries, trips)
	}
	b.found(figure{
		Name: l.name, Value: cost.total(), Unit: "ms CPU", Ceiling: l.ceiling,
		Note: fmt.Sprintf("hub %.2f + PostgreSQL %.2f;%s %d requests at %.0f/s", cost.hub, cost.server, asked, cost.requests, cost.rate),
	})
	return cost, nil
}

// A lookup is one way of looking for offers: a list, unless another path is
// given. With next it reads on from page to page; with vary no two ask for the
// same.
type lookup struct {
	name       string
	ceiling    float64
	path       string
	query      url.Values
	next, vary bool
}

// manyOffers fills a market: the demonstration's own offers, again and again
// under other names, each at its own cooperative.
func (b *bench) manyOffers(ctx context.Context, dir, db string, offers int) error {
	ctx = auth.With(ctx, auth.Principal{Subject: "hub", Role: auth.Operator})
	raw, err := fs.ReadFile(demo.Files, "offers.csv")
	if err != nil {
		return err
	}
	records, err := csv.NewReader(bytes.NewReader(raw)).ReadAll()
	if err != nil {
		return err
	}
	head := records[0]
	at := map[string]int{}
	for i, name := range head {
		at[name] = i
	}
	market, err := readCSV("cooperatives.csv")
	if err != nil {
		return err
	}
	return withMarket(ctx, dir, db, pg.Options{MaxConns: 4}, func(h *house, keys demoKeys) error {
		first := map[string][]string{} // an offer's first row is enough
		var order []string
		for _, r := range records[1:] {
			if k := r[at["seller_key"]] + " " + r[at["offer_key"]]; first[k] == nil {
				first[k], order = r, append(order, k)
			}
		}
		seeded, err := h.catalog.List(ctx, catalog.ListInput{Min: "0"}) // not as below: an estimate is kept for a moment
		if err != nil {
			return err
		}
		files := map[string][][]string{}
		for n := range offers - seeded.TotalEstimate {
			r := append([]string(nil), first[order[n%len(order)]]...)
			no := strconv.Itoa(n / len(order))
			for _, c := range []string{"offer_key", "sku"} {
				r[at[c]] += "-" + no
			}
			for _, c := range []string{"name_fr", "name_ar", "name_en"} {
				r[at[c]] = strings.TrimSpace(r[at[c]] + " " + no)
			}
			files[r[0]] = append(files[r[0]], r)
		}
		for i, s := range keys.Sellers {
			var file bytes.Buffer
			if err := csv.NewWriter(&file).WriteAll(append([][]string{head}, files[market[i]["key"]]...)); err != nil {
				return err
			}
			if err := importOffers(ctx, h, s.Organisation, file.Bytes()); err != nil {
				return err
			}
		}
		v, err := h.catalog.List(ctx, catalog.ListInput{})
		if err == nil && v.TotalEstimate != offers {
			err = fmt.Errorf("the market has %d offers, want %d", v.TotalEstimate, offers)
		}
		return err
	})
}

// pageCost is what a page costs, in milliseconds of processor time.
type pageCost struct {
	hub, server, rate float64
	requests          int
}

func (c pageCost) total() float64 { return c.hub + c.server }

// leastUsed is the least processor time that says anything: the system counts it in
// hundredths of a second.
const leastUsed = 100 * time.Millisecond

// page asks for pages for a round, or longer where others are at the processors, one
// after another, and returns what each cost.
func (b *bench) page(ctx context.Context, h *benchHub, l lookup) (c pageCost, err error) {
	path := l.path + "?"
	if l.path == "" {
		l.query.Set("limit", strconv.Itoa(offersPage))
		path = "/v1/offers?"
	}
	wires := make([]*wire, 16)
	for i := range wires {
		if wires[i], err = dial(ctx, h.addr, i); err != nil {
			return c, err
		}
		defer wires[i].conn.Close()
	}
	cursor := ""
	one := func(n int) error {
		q := path + l.query.Encode()
		if l.vary {
			q += "&max=" + strconv.Itoa(9000+n)
		}
		if cursor != "" {
			q += "&cursor=" + url.QueryEscape(cursor)
		}
		body, err := wires[n%len(wires)].send(request(http.MethodGet, q, "", "", nil), http.StatusOK)
		if err != nil || n > 0 && !l.next || l.path != "" {
			return err
		}
		var page struct {
			Data []json.RawMessage
			Next *string
		}
		if err := json.Unmarshal(body, &page); err != nil || len(page.Data) != offersPage && (len(page.Data) == 0 || page.Next != nil) {
			return fmt.Errorf("a page of %d, want %d (%v): %.200s", len(page.Data), offersPage, err, body)
		}
		if cursor = ""; l.next && page.Next != nil && n%200 != 199 {
			cursor = *page.Next
		}
		return nil
	}
	for n := range 30 { // statements are prepared, caches filled
		if err := one(n); err != nil {
			return c, err
		}
	}
	hub, server, err := b.used(h)
	if err != nil {
		return c, err
	}
	began := time.Now()
	var hub2, server2 time.Duration
	for rounds := time.Duration(1); ; rounds++ {
		for ; time.Since(began) < rounds*b.round() && ctx.Err() == nil; c.requests++ {
			if err := one(c.requests); err != nil {
				return c, err
			}
		}
		if hub2, server2, err = b.used(h); err != nil {
			return c, err
		}
		if ctx.Err() != nil || c.requests > 0 && (hub2+server2-hub-server >= leastUsed || rounds == 20) {
			break
		}
	}
	took := time.Since(began)
	per := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 / float64(c.requests) }
	c.hub, c.server, c.rate = per(hub2-hub), per(server2-server), float64(c.requests)/took.Seconds()
	return c, ctx.Err()
}

// used is the processor time of the hub and of PostgreSQL until now.
func (b *bench) used(h *benchHub) (hub, server time.Duration, err error) {
	if hub, err = cpu(h.cmd.Process.Pid, false); err != nil {
		return 0, 0, err
	}
	server, err = cpu(b.yard.pid, true)
	return hub, server, err
}

// countStatements has a hub in this process make one page and counts what it
// asks the database, facets not counted for another reader included.
func countStatements(ctx context.Context, db string, query url.Values) (queries, trips int, err error) {
	var s statements
	store, err := pg.Open(ctx, db, pg.Options{MaxConns: 1, Tracer: &s})
	if err != nil {
		return 0, 0, err
	}
	defer store.Close()
	h, err := build(store, &partners{}, options{Demo: true})
	if err != nil {
		return 0, 0, err
	}
	in := catalog.ListInput{Q: query.Get("q"), Lang: query.Get("lang"), Category: query.Get("category"), Region: query.Get("region")}
	in.Limit = offersPage
	for range 2 { // the first also counts what is kept for a while
		s = statements{}
		if _, err = h.catalog.List(ctx, in); err != nil {
			return 0, 0, err
		}
	}
	return s.queries, s.trips, nil
}
