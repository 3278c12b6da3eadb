package main

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"text/tabwriter"
	"time"
)

// yardsticks are what pgbench does in place of the hub.
//
//go:embed bench/*.sql
var yardsticks embed.FS

type benchCmd struct {
	Seconds  float64  `help:"How long each round lasts; pgbench counts whole seconds." default:"5"`
	Rounds   int      `help:"How many rounds of each side; the median counts." default:"3"`
	Offers   int      `help:"How many offers there are to list." default:"10000"`
	Imports  int      `help:"How many rows the imported catalogue has." default:"50000"`
	Releases int      `help:"How many due escrows are let go, reserves freed and payouts made." default:"10000"`
	Books    int      `help:"How many transfers the books have in the end where it is measured that they do not slow down." default:"200000"`
	Only     []string `help:"Measure these only." enum:"post,lane,transfers,release,payouts,flat,checkout,offers,import,dossiers,start" default:"post,lane,transfers,release,payouts,flat,checkout,offers,import,dossiers,start"`
}

// A figure is one thing measured. A ratio has a floor; a figure without one may
// have a ceiling.
type figure struct {
	Name    string  `json:"figure"`
	Value   float64 `json:"value"`
	Unit    string  `json:"unit"`
	Limit   float64 `json:"limit,omitempty"` // what the server does by itself in the same run
	Ratio   float64 `json:"ratio,omitempty"`
	Floor   float64 `json:"floor,omitempty"`
	Ceiling float64 `json:"ceiling,omitempty"`
	Most    float64 `json:"most,omitempty"` // the highest ratio
	Verdict string  `json:"verdict,omitempty"`
	Note    string  `json:"note,omitempty"`
}

// judged is the figure with its verdict. A limit of 0 was not measured.
func (f figure) judged() figure {
	switch {
	case f.Ceiling > 0 && f.Value < f.Ceiling, f.Floor > 0 && f.Ratio >= f.Floor, f.Most > 0 && f.Ratio > 0 && f.Ratio <= f.Most:
		f.Verdict = "ok"
	case f.Ceiling > 0, f.Most > 0 && f.Ratio > 0:
		f.Verdict = "above"
	case f.Floor > 0 && f.Limit > 0:
		f.Verdict = "below"
	case f.Floor > 0, f.Most > 0:
		f.Verdict = "not measured"
	}
	return f
}

// A bench is one run of measurements.
type bench struct {
	benchCmd
	yard    *yard
	say     io.Writer
	figures []figure
}

// Run measures and prints. A ratio below its target is no error.
func (c benchCmd) Run(ctx context.Context, _ *Settings) error {
	if c.Seconds <= 0 || c.Rounds < 1 || c.Offers < 100 || c.Imports < 1000 || c.Books < 20000 || c.Releases < 1 {
		return errors.New("give --seconds above 0, --rounds of 1, --offers of 100, --imports of 1000, --books of 20000 and --releases of 1 at least")
	}
	b := &bench{benchCmd: c, say: os.Stderr}
	if slices.ContainsFunc(c.Only, func(part string) bool { return part != "start" }) {
		y, err := openYard(ctx)
		if err != nil {
			return err
		}
		defer y.close(ctx)
		b.yard = y
	}
	for _, p := range []struct {
		name string
		run  func(context.Context) error
	}{{"post", b.post}, {"lane", b.lane}, {"transfers", b.transfers}, {"release", b.release}, {"payouts", b.payouts}, {"flat", b.flat}, {"checkout", b.checkout}, {"offers", b.offers}, {"import", b.imports}, {"dossiers", b.dossiers}, {"start", b.start}} {
		if !slices.Contains(c.Only, p.name) {
			continue
		}
		began := time.Now()
		if err := p.run(ctx); err != nil { // what was measured before it is told all the same
			return errors.Join(fmt.Errorf("%s: %w", p.name, err), b.print(os.Stdout))
		}
		b.tell("%s took %s", p.name, time.Since(began).Round(time.Second))
	}
	return b.print(os.Stdout)
}

// tell says where the bench is.
func (b *bench) tell(format string, args ...any) { fmt.Fprintf(b.say, "bench: "+format+"\n", args...) }

// found adds a figure.
func (b *bench) found(f figure) {
	b.figures = append(b.figures, f.judged())
}

func (b *bench) print(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "figure\tvalue\tlimit\tratio\ttarget\t\t")
	for _, f := range b.figures {
		limit, ratio, target := "", "", ""
		if f.Limit > 0 {
			limit, ratio = fmt.Sprintf("%.4g %s", f.Limit, f.Unit), fmt.Sprintf("%.2f", f.Ratio)
		}
		switch {
		case f.Floor > 0:
			target = fmt.Sprintf("at least %.2f", f.Floor)
		case f.Most > 0:
			target = fmt.Sprintf("at most %.2f", f.Most)
		case f.Ceiling > 0:
			target = fmt.Sprintf("under %g %s", f.Ceiling, f.Unit)
		}
		fmt.Fprintf(t, "%s\t%.4g %s\t%s\t%s\t%s\t%s\t%s\n", f.Name, f.Value, f.Unit, limit, ratio, target, f.Verdict, f.Note)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	line, err := json.Marshal(struct {
		Figures []figure `json:"figures"`
		Seconds float64  `json:"seconds"`
		Rounds  int      `json:"rounds"`
		CPUs    int      `json:"cpus"`
	}{b.figures, b.Seconds, b.Rounds, runtime.NumCPU()})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(w, string(line))
	return err
}

// round is how long a round lasts.
func (b *bench) round() time.Duration { return time.Duration(b.Seconds * float64(time.Second)) }

// A side runs for a while and returns its rate.
type side func(ctx context.Context, d time.Duration) (rate float64, err error)

// A pace is how fast a side went: a second, and the milliseconds that 95 of 100
// stayed under.
type pace struct{ rate, p95 float64 }

// A paced side also says how long each took.
type paced func(ctx context.Context, d time.Duration) (pace, error)

// race alternates rounds of the hub and of pgbench, after a short round of each
// to warm up, and adds the medians to f. Each ratio is that of two rounds side
// by side, so that what else the machine does weighs on both. Where there is no
// pgbench there is no limit and no ratio.
func (b *bench) race(ctx context.Context, f figure, hub, pgbench side) (figure, error) {
	rates := func(s side) paced {
		return func(ctx context.Context, d time.Duration) (pace, error) {
			rate, err := s(ctx, d)
			return pace{rate: rate}, err
		}
	}
	f, _, err := b.duel(ctx, f, rates(hub), rates(pgbench))
	return f, err
}

// duel is race of sides that also say how long each took; it returns a second
// figure for that.
func (b *bench) duel(ctx context.Context, f figure, hub, pgbench paced) (rate, late figure, err error) {
	if b.yard.pgbench == "" {
		pgbench = nil
	}
	return b.duelWith(ctx, f, hub, "pgbench", pgbench)
}

// duelWith is duel with another side than pgbench.
func (b *bench) duelWith(ctx context.Context, f figure, hub paced, name string, other paced) (rate, late figure, err error) {
	late = figure{Name: f.Name + ", p95", Unit: "ms", Note: f.Note}
	var ours, theirs []pace
	for n := range b.Rounds + 1 {
		d := b.round()
		if n == 0 {
			d = min(d, time.Second)
		}
		we, err := hub(ctx, d)
		if err != nil {
			return f, late, fmt.Errorf("the hub's round: %w", err)
		}
		they, beside := pace{}, ""
		if other != nil {
			if they, err = other(ctx, d); err != nil {
				return f, late, fmt.Errorf("%s's round: %w", name, err)
			}
			beside = fmt.Sprintf(", %s %.0f/s", name, they.rate)
		}
		if n == 0 {
			continue
		}
		ours, theirs = append(ours, we), append(theirs, they)
		b.tell("%s, round %d: %.0f/s%s", f.Name, n, we.rate, beside)
	}
	f.Value, f.Limit, f.Ratio = medians(ours, theirs, func(p pace) float64 { return p.rate })
	late.Value, late.Limit, late.Ratio = medians(ours, theirs, func(p pace) float64 { return p.p95 })
	return f, late, nil
}

// medians are those of one side, of the other, and of the ratios of two rounds
// side by side; 0 where there is nothing to compare.
func medians(ours, theirs []pace, of func(pace) float64) (we, they, ratio float64) {
	var a, b, r []float64
	for i := range ours {
		a = append(a, of(ours[i]))
		if t := of(theirs[i]); t > 0 {
			b, r = append(b, t), append(r, of(ours[i])/t)
		}
	}
	return median(a), median(b), median(r)
}

// median is the middle of some numbers; 0 without any.
func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	switch n := len(v); {
	case n == 0:
		return 0
	case n%2 == 0:
		return (v[n/2-1] + v[n/2]) / 2
	default:
		return v[n/2]
	}
}
