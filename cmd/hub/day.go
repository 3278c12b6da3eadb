package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"tiwiza/marketplace/catalog"
	"tiwiza/marketplace/members"
	"tiwiza/migrations"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/clock"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgserver"
)

type dayCmd struct {
	Orders  int    `help:"How many orders." default:"300"`
	Seed    uint64 `help:"What the script is drawn from: the same seed, the same script." default:"1"`
	Journal string `help:"Where to leave the books, for hledger; day.journal in the data directory when left out." type:"path"`
}

// A day plays the script of day_plan.go on a hub of its own. All it knows of the
// money it learns as others do: from the interface, and from its partners.
type day struct {
	*player
	dayCmd
	sim    string // the stand-in partners' folder
	url    string // the database
	start  time.Time
	offset time.Duration // of the hub's time
	buyers []shopper
	shops  []*shop
	script []*errand
	paying sync.RWMutex // a payment on which a fault is played is alone

	mu     sync.Mutex
	in     map[string]moneyView // what came, by way
	pieces map[string]int
	remit  []string // orders whose cash the carrier will remit
	remits moneyView
	lists  int
	stray  moneyView

	returned, unheard payoutNow
}

// A shopper buys.
type shopper struct{ name, key, phone, rib string }

// Run plays, prints what came of it, and ends with 1 when a centime is not
// explained.
func (c dayCmd) Run(ctx context.Context, s *Settings) error {
	if c.Journal == "" {
		c.Journal = filepath.Join(s.DataDir, "day.journal")
	}
	if err := os.MkdirAll(filepath.Dir(c.Journal), 0o755); err != nil {
		return err
	}
	server, err := pgserver.Temp(ctx, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	defer func() { _ = server.Stop(context.WithoutCancel(ctx)) }()
	const name = "tiwiza_day"
	if err := migrations.Create(ctx, server.URL("postgres"), name); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "tiwiza-day-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	d := &day{dayCmd: c, url: server.URL(name), sim: filepath.Join(dir, "sim"), in: map[string]moneyView{}, pieces: map[string]int{}}
	stop, err := d.open(ctx, dir)
	if err != nil {
		return err
	}
	good, err := d.run(ctx, os.Stdout)
	if err = errors.Join(err, stop()); err != nil {
		return err
	}
	if !good {
		return exitCode(1)
	}
	return nil
}

// open starts the hub with its stand-in partners, and gives what stops it.
func (d *day) open(ctx context.Context, dir string) (stop func() error, err error) {
	sim, err := freeAddr()
	if err != nil {
		return nil, err
	}
	h, err := spawn(dir, []string{
		"HUB_DATABASE_URL=" + d.url, "HUBSIM_ADDR=" + sim, "HUB_DRAIN_WAIT=100ms", "HUB_LOG_FORMAT=text",
		"HUBSIM_SETTLE_EVERY=500ms", "HUBSIM_STATEMENT_EVERY=500ms",
	}, "run")
	if err != nil {
		return nil, err
	}
	err = h.ready(ctx)
	if err == nil {
		d.player = &player{client: &http.Client{Timeout: 30 * time.Second}, say: os.Stdout}
		d.keys, err = readDemo(filepath.Join(dir, demoFile))
	}
	if err != nil {
		return nil, errors.Join(err, h.stop())
	}
	return h.stop, nil
}

// run plays and reports; good says that everything is explained.
func (d *day) run(ctx context.Context, say io.Writer) (good bool, err error) {
	began := time.Now()
	if err := d.people(ctx); err != nil {
		return false, fmt.Errorf("who takes part: %w", err)
	}
	if d.script, err = plan(d.Orders, d.Seed, len(d.buyers), len(d.shops), 4); err != nil {
		return false, err
	}
	d.step("%d orders of %d buyers from %d cooperatives, drawn from seed %d; a hub of its own, with stand-in partners", d.Orders, len(d.buyers), len(d.shops), d.Seed)
	if err := d.play(ctx); err != nil {
		return false, err
	}
	r, err := d.reckon(ctx)
	if err != nil {
		return false, err
	}
	r.print(say, time.Since(began))
	return len(r.wrong) == 0, nil
}

// people are the buyers, who are made here, for there is no route for them yet,
// and the demonstration's cooperatives, with more stock than they need.
func (d *day) people(ctx context.Context) error {
	if err := d.cooperatives(ctx); err != nil {
		return err
	}
	store, err := pg.Open(ctx, d.url, pg.Options{MaxConns: 2})
	if err != nil {
		return err
	}
	defer store.Close()
	h, err := build(store, &partners{}, options{Demo: true, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	ctx = auth.With(ctx, auth.Hub)
	return store.InTx(ctx, func(tx *pg.Tx) error {
		for i := range min(60, max(10, d.Orders/5)) {
			b := shopper{name: fmt.Sprintf("Acheteur %02d (exemple)", i+1), phone: fmt.Sprintf("+2126000001%02d", i), rib: number(24, 97)}
			id, err := h.members.CreatePerson(ctx, tx, members.NewPerson{Names: members.Texts{"fr": b.name}})
			if err != nil {
				return err
			}
			key, err := h.members.CreateKey(ctx, tx, id, auth.Buyer, "demonstration")
			if err != nil {
				return err
			}
			b.key = key.String()
			d.buyers = append(d.buyers, b)
		}
		return nil
	})
}

// schedules are how the cooperatives are paid, one after the other.
var schedules = []string{"daily", "weekly", "manual"}

func (d *day) cooperatives(ctx context.Context) error {
	for i, k := range d.keys.Sellers[:min(len(d.keys.Sellers), max(6, d.Orders/6))] {
		var org struct{ Names map[string]string }
		if err := d.get(ctx, d.operator(), "/v1/organisations/"+k.Organisation, &org); err != nil {
			return err
		}
		s := &shop{name: org.Names["fr"], org: k.Organisation, key: k.APIKey}
		if err := d.shelves(ctx, s); err != nil {
			return err
		}
		body := map[string]any{"schedule": schedules[i%len(schedules)], "minimum": mad("50.00")}
		if _, err := d.do(ctx, call{key: s.key, method: http.MethodPut, path: "/v1/payout-settings", body: body}, nil); err != nil {
			return err
		}
		d.shops = append(d.shops, s)
	}
	return nil
}

// shelves finds what a cooperative sells that costs neither little nor much.
func (d *day) shelves(ctx context.Context, s *shop) error {
	var list struct{ Data []struct{ ID string } }
	if err := d.get(ctx, "", "/v1/offers?limit=100&min=30&max=400&seller="+s.org, &list); err != nil {
		return err
	}
	for _, o := range list.Data {
		var offer struct {
			Kind     catalog.Kind
			Variants []struct {
				ID    string
				Price moneyView
			}
		}
		if err := d.get(ctx, "", "/v1/offers/"+o.ID, &offer); err != nil {
			return err
		}
		if offer.Kind == catalog.Digital {
			continue // it is never paid in cash
		}
		for _, v := range offer.Variants {
			if c := v.Price.Centimes(); c < 30_00 || c > 400_00 || len(s.variants) == 4 {
				continue
			}
			body := map[string]int{"delta": 500}
			if _, err := d.do(ctx, call{key: s.key, method: http.MethodPatch, path: "/v1/variants/" + v.ID + "/stock", body: body}, nil); err != nil {
				return err
			}
			s.variants = append(s.variants, v.ID)
		}
	}
	if len(s.variants) == 0 {
		return fmt.Errorf("%s has nothing between 30 and 400 dirhams on sale", s.name)
	}
	return nil
}

// now is the hub's time.
func (d *day) now() time.Time { return time.Now().Add(d.offset).In(clock.Morocco) }

// at moves both clocks to an hour of a day of the script.
func (d *day) at(ctx context.Context, n, hour int) error {
	if d.start.IsZero() { // day 1 is tomorrow
		y, m, t := d.now().Date()
		d.start = time.Date(y, m, t+1, 0, 0, 0, 0, clock.Morocco)
	}
	then := time.Date(d.start.Year(), d.start.Month(), d.start.Day()+n-1, hour, 0, 0, 0, clock.Morocco)
	by := then.Sub(d.now()).Round(time.Second)
	if by <= 0 {
		return nil
	}
	d.offset += by
	return d.pass(ctx, by)
}

// came notes money that came from a buyer.
func (d *day) came(way string, sum moneyView) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.in[way] = d.in[way].Add(sum)
	d.pieces[way]++
}
