package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"tiwiza/marketplace/catalog"
	"tiwiza/marketplace/members"
	"tiwiza/marketplace/orders"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/id"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

const (
	checkoutClients  = 32
	checkoutArticles = 500 // of each of two sellers
)

// A checkoutBench checks baskets out over HTTP. They are opened and quoted
// beforehand, as copies of one quote that the hub itself gave.
type checkoutBench struct {
	dir    string
	url    string // of the database
	hub    *benchHub
	buyers []person
	pool   [][2]article
	quote  orders.Quote // the model of all
	seller string       // of the pool's first articles
}

type person struct{ id, key string }

// checkout measures POST /v1/checkouts.
func (b *bench) checkout(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "tiwiza-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	c := &checkoutBench{dir: dir}
	if c.url, err = b.yard.database(ctx, "bench_checkout", "bench/checkout.sql"); err != nil {
		return err
	}
	if err := c.market(ctx); err != nil {
		return fmt.Errorf("make the market: %w", err)
	}
	if err := c.open(ctx, func() error { return c.model(ctx) }); err != nil {
		return fmt.Errorf("make the first order: %w", err)
	}
	if err := b.same(ctx, c); err != nil {
		return err
	}
	if err := c.past(ctx); err != nil {
		return fmt.Errorf("write a past: %w", err)
	}
	err = c.open(ctx, func() error {
		f, err := b.raceCheckouts(ctx, c)
		b.found(f)
		return err
	})
	if err != nil {
		return err
	}
	store, err := pg.Open(ctx, c.url, pg.Options{MaxConns: 2})
	if err != nil {
		return err
	}
	defer store.Close()
	return clean(ctx, store)
}

// open has a hub serve for as long as f runs.
func (c *checkoutBench) open(ctx context.Context, f func() error) (err error) {
	if c.hub, err = serveBench(ctx, c.dir, c.url); err != nil {
		return err
	}
	return errors.Join(f(), c.hub.stop())
}

// past buys some thousand baskets, so that both sides meet a market that has
// been at work for a while.
func (c *checkoutBench) past(ctx context.Context) error {
	for _, sql := range []string{`select bench.stock(3000)`, `analyze`, `select count(bench.checkout()) from generate_series(1, 3000)`, `vacuum analyze`, `checkpoint`} {
		if err := order(ctx, c.url, sql); err != nil {
			return err
		}
	}
	return nil
}

// market has two cooperatives offer articles that differ in name alone, and 32
// buyers with keys.
func (c *checkoutBench) market(ctx context.Context) error {
	ctx = auth.With(ctx, auth.Principal{Subject: "hub", Role: auth.Operator})
	return withMarket(ctx, c.dir, c.url, pg.Options{MaxConns: 4}, func(h *house, keys demoKeys) error {
		var file bytes.Buffer
		file.WriteString("offer_key,category,name_fr,name_ar,name_en,sku,variant_fr,variant_ar,unit,weight_g,price,stock,region,commune\n")
		for n := range checkoutArticles {
			fmt.Fprintf(&file, "bench-%[1]d,honey,Miel de thym %[1]d (exemple),عسل الزعتر %[1]d (مثال),Thyme honey %[1]d (example),BENCH-%[1]d,500 g,500 غ,jar,720,210.00,1000000,MA-09,Taroudant\n", n)
		}
		for _, s := range keys.Sellers[:2] {
			if err := importOffers(ctx, h, s.Organisation, file.Bytes()); err != nil {
				return err
			}
		}
		c.seller = keys.Sellers[0].Organisation
		var n int
		if err := ask(ctx, c.url, []any{&n}, `select bench.fill($1, $2)`, c.seller, keys.Sellers[1].Organisation); err != nil || n != checkoutArticles {
			return fmt.Errorf("%d articles to buy, want %d: %w", n, checkoutArticles, err)
		}
		return h.store.InTx(ctx, func(tx *pg.Tx) error {
			c.buyers = nil
			for range checkoutClients {
				p, err := h.members.CreatePerson(ctx, tx, members.NewPerson{Names: members.Texts{"fr": "Acheteur exemple"}})
				if err != nil {
					return err
				}
				k, err := h.members.CreateKey(ctx, tx, p, auth.Buyer, "bench")
				if err != nil {
					return err
				}
				c.buyers = append(c.buyers, person{p, k.String()})
			}
			return nil
		})
	})
}

// importOffers takes a file in and accepts no rejected row.
func importOffers(ctx context.Context, h *house, seller string, file []byte) error {
	r, err := h.catalog.Import(ctx, catalog.ImportInput{Seller: seller, File: rest.File{Name: "offers.csv", ContentType: "text/csv", Bytes: file}})
	if err != nil {
		return err
	}
	for _, v := range r.Rejected {
		return fmt.Errorf("row %d %s: %s", v.Row, v.Pointer, v.Detail)
	}
	return nil
}

// model fills a basket and buys it as a buyer does, and keeps the quote and the
// rows as the sample of all copies.
func (c *checkoutBench) model(ctx context.Context) (err error) {
	if c.pool, err = pool(ctx, c.url); err != nil {
		return err
	}
	p := &player{client: &http.Client{Timeout: 30 * time.Second}, keys: demoKeys{demoAddresses: demoAddresses{URL: "http://" + c.hub.addr}}}
	key := c.buyers[0].key
	var basket struct{ ID string }
	if err := p.post(ctx, key, "/v1/baskets", nil, &basket); err != nil {
		return err
	}
	for _, a := range c.pool[0] {
		if _, err := p.do(ctx, call{key: key, method: http.MethodPut, path: "/v1/baskets/" + basket.ID + "/lines/" + a.variant, body: map[string]int{"quantity": 1}}, nil); err != nil {
			return err
		}
	}
	if err := p.post(ctx, key, "/v1/baskets/"+basket.ID+"/quotes", map[string]any{"delivery": map[string]string{"method": "carrier", "commune": "Rabat"}}, &c.quote); err != nil {
		return err
	}
	if got := c.quote.Seal().Hash; got != c.quote.Hash {
		return fmt.Errorf("the quote's hash is %s, and sealed again %s", c.quote.Hash, got)
	}
	idem := id.New("bench")
	body, err := c.send(ctx, c.form(c.quote, key, idem))
	if err != nil {
		return err
	}
	var out struct {
		Group  string            `json:"order_group"`
		Orders []json.RawMessage `json:"orders"`
	}
	if err := json.Unmarshal(body, &out); err != nil || len(out.Orders) != 2 {
		return fmt.Errorf("%d orders were made, want 2: %w", len(out.Orders), err)
	}
	return order(ctx, c.url, `select bench.learn($1, $2)`, out.Group, idem)
}

// send makes one checkout.
func (c *checkoutBench) send(ctx context.Context, req []byte) ([]byte, error) {
	w, err := dial(ctx, c.hub.addr, 0)
	if err != nil {
		return nil, err
	}
	defer w.conn.Close()
	return w.send(req, http.StatusCreated)
}

// form is the request that checks a quote out.
func (c *checkoutBench) form(q orders.Quote, key, idem string) []byte {
	body := fmt.Appendf(nil, `{"basket":%q,"quote":%q,"contact":{"name":"Acheteur exemple","phone":"+2126%08d","email":"acheteur@exemple.ma"},`+
		`"delivery":{"method":"carrier","commune":"Rabat","address":"%d, rue de l’Exemple"},"payment":{"method":"card"}}`,
		q.Basket, q.Hash, rand.IntN(1e8), rand.IntN(1e6))
	return request(http.MethodPost, "/v1/checkouts", key, idem, body)
}

// stock opens so many baskets for each buyer, quotes them, and returns the
// requests that check them out.
func (c *checkoutBench) stock(ctx context.Context, each int) ([][][]byte, error) {
	requests := make([][][]byte, len(c.buyers))
	for i, buyer := range c.buyers {
		var owners, quotes []string
		for range each {
			q := c.draw()
			b, err := json.Marshal(q)
			if err != nil {
				return nil, err
			}
			owners, quotes = append(owners, buyer.id), append(quotes, string(b))
			requests[i] = append(requests[i], c.form(q, buyer.key, id.New("bench")))
		}
		if err := order(ctx, c.url, `select bench.open($1, $2::text[]::jsonb[])`, owners, quotes); err != nil {
			return nil, fmt.Errorf("open the baskets: %w", err)
		}
	}
	return requests, nil
}

// draw is the model's quote for another basket with two other articles.
func (c *checkoutBench) draw() orders.Quote {
	q := c.quote
	q.ID, q.Basket, q.ExpiresAt = id.New(id.Quote), id.New(id.Basket), time.Now().UTC().Add(24*time.Hour).Truncate(time.Second)
	q.Lines = slices.Clone(q.Lines)
	one, other := c.pool[rand.IntN(len(c.pool))][0], c.pool[rand.IntN(len(c.pool))][1]
	for i := range q.Lines {
		a := other
		if q.Lines[i].Seller.ID == c.seller {
			a = one
		}
		q.Lines[i].Variant, q.Lines[i].Offer = a.variant, a.offer
	}
	slices.SortFunc(q.Lines, func(a, b orders.QuoteLine) int { return strings.Compare(a.Variant, b.Variant) })
	return q.Seal()
}

// raceCheckouts alternates the two sides. Each round has twice the baskets that
// the rounds before needed.
func (b *bench) raceCheckouts(ctx context.Context, c *checkoutBench) (figure, error) {
	f := figure{Name: "checkout", Unit: "/s", Floor: 0.35, Note: fmt.Sprintf("HTTP, %d clients, 2 orders each", checkoutClients)}
	ours, theirs := 200.0, 2000.0
	return b.race(ctx, f, func(ctx context.Context, d time.Duration) (float64, error) {
		requests, err := c.stock(ctx, 10+int(2*ours*d.Seconds())/checkoutClients)
		if err != nil {
			return 0, err
		}
		done, took, err := rush(ctx, c.hub.addr, requests, http.StatusCreated, d)
		r := float64(done) / took.Seconds()
		ours = max(ours, r)
		return r, err
	}, func(ctx context.Context, d time.Duration) (float64, error) {
		if err := order(ctx, c.url, `select bench.stock($1)`, int(2*theirs*max(1, d.Seconds()+0.5))); err != nil {
			return 0, err
		}
		r, err := b.yard.run(ctx, c.url, script{file: "bench/checkout.run.sql", clients: checkoutClients}, d, 0)
		theirs = max(theirs, r)
		return r, err
	})
}
