package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"tiwiza/migrations"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgserver"
	"tiwiza/search"
	"tiwiza/search/meili"
	"tiwiza/search/relevance"
)

type relevanceCmd struct {
	Below    float64 `help:"Also print the queries whose nDCG@10 is below this, with what they found."`
	MeiliURL string  `help:"A Meilisearch server to measure too." env:"HUB_MEILI_URL"`
	MeiliKey string  `help:"Its master key." env:"HUB_MEILI_KEY"`
	Ask      string  `help:"Instead, ask each line of this file and print what comes first." type:"existingfile"`
}

// Run asks every engine the graded queries, over the demonstration market on a
// server of its own.
func (c relevanceCmd) Run(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "tiwiza-relevance-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	srv, err := pgserver.Temp(ctx, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	defer func() { _ = srv.Stop(context.WithoutCancel(ctx)) }() // it is thrown away
	if err := migrations.Create(ctx, srv.URL("postgres"), "relevance"); err != nil {
		return err
	}
	url := srv.URL("relevance")
	if err := migrations.Up(ctx, url); err != nil {
		return err
	}
	slog.SetLogLoggerLevel(slog.LevelError)
	return withMarket(ctx, dir, url, pg.Options{MaxConns: 4}, func(h *house, _ demoKeys) error {
		keys, err := h.offerKeys(ctx)
		if err != nil {
			return err
		}
		if c.Ask != "" {
			return askLines(ctx, h.index, keys, c.Ask, os.Stdout)
		}
		return errors.Join(c.both(ctx, "pgsearch", h.index, keys), c.second(ctx, h, keys))
	})
}

// both asks an engine the set it was tuned by and the one held out, and prints
// how well it answers each.
func (c relevanceCmd) both(ctx context.Context, engine string, index search.Index, keys map[string]string) error {
	t := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "engine\tset\tlanguage\tqueries\tnDCG@10\tMRR\tzero results")
	var low error
	for _, set := range graded {
		scores, err := judge(ctx, index, set, keys, c.Below, os.Stdout)
		if err != nil {
			return err
		}
		for _, lang := range languages {
			s := scores[lang]
			fmt.Fprintf(t, "%s\t%s\t%s\t%d\t%.3f\t%.3f\t%.1f %%\n", engine, set.name, lang, s.Queries, s.NDCG, s.MRR, 100*s.Zero)
		}
		low = errors.Join(low, tooLow(engine+", "+set.name, scores))
	}
	return errors.Join(t.Flush(), low)
}

// A gradedSet is queries with grades.
type gradedSet struct {
	name string
	read func() ([]relevance.Query, error)
}

// graded are the sets that engines are judged by.
var graded = []gradedSet{{"graded", relevance.Queries}, {"held out", relevance.Held}}

// second asks a Meilisearch server, if there is one.
func (c relevanceCmd) second(ctx context.Context, h *house, keys map[string]string) error {
	if c.MeiliURL == "" {
		fmt.Println("meili is not measured: HUB_MEILI_URL names no server")
		return nil
	}
	x := meili.Open(h.store, h.local, meili.Options{URL: c.MeiliURL, Key: c.MeiliKey, Name: "tiwiza_relevance", Patience: 5 * time.Second})
	if err := x.Tell(ctx); err != nil {
		return err
	}
	return errors.Join(c.both(ctx, "meili", x, keys), x.Forget(ctx))
}

// leastNDCG is the nDCG@10 that an engine must reach in each language, and mostZero
// the part of queries that may find nothing.
var leastNDCG = map[string]float64{"fr": 0.9, "ar": 0.9, "ary": 0.8, "en": 0.9}

const mostZero = 0.03

// tooLow says in which languages an engine finds less than it must.
func tooLow(engine string, scores map[string]relevance.Score) (err error) {
	for lang, least := range leastNDCG {
		if s := scores[lang]; s.NDCG < least || s.Zero >= mostZero {
			err = errors.Join(err, fmt.Errorf("%s in %s: nDCG@10 %.3f, at least %.2f; %.1f %% find nothing, less than %.0f", engine, lang, s.NDCG, least, 100*s.Zero, 100*mostZero))
		}
	}
	return err
}

// offerKeys are the market file's keys of the offers, by id.
func (h *house) offerKeys(ctx context.Context) (map[string]string, error) {
	rows, err := readCSV("offers.csv")
	if err != nil {
		return nil, err
	}
	byName := map[string]string{}
	for _, r := range rows {
		byName[r["name_fr"]] = r["offer_key"]
	}
	keys := map[string]string{}
	q := search.Query{Limit: 100}
	for {
		found, err := h.index.Query(ctx, q)
		if err != nil {
			return nil, err
		}
		ids := make([]string, len(found.Hits))
		for i, hit := range found.Hits {
			ids[i] = hit.ID
		}
		names, err := h.catalog.Names(ctx, ids)
		if err != nil {
			return nil, err
		}
		for id, n := range names {
			keys[id] = byName[n["fr"]]
		}
		if q.Cursor = found.Next; q.Cursor == "" {
			return keys, nil
		}
	}
}

// askLines asks each line of a file and says what comes first.
func askLines(ctx context.Context, index search.Index, keys map[string]string, file string, w io.Writer) error {
	b, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(b)) {
		r, err := index.Query(ctx, search.Query{Text: strings.TrimSpace(line), Limit: 5})
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "%s → %d:", strings.TrimSpace(line), r.Estimate)
		for _, h := range r.Hits {
			fmt.Fprint(w, " ", keys[h.ID])
		}
		fmt.Fprintln(w)
	}
	return nil
}

// languages of the graded queries, in the order they are shown.
var languages = []string{"fr", "ar", "ary", "en"}

// judge asks an engine all queries of a set, and says on w which it answers badly.
func judge(ctx context.Context, index search.Index, set gradedSet, keys map[string]string, below float64, w io.Writer) (map[string]relevance.Score, error) {
	all, err := set.read()
	if err != nil {
		return nil, err
	}
	scores := map[string]relevance.Score{}
	for _, q := range all {
		r, err := index.Query(ctx, search.Query{Text: q.Text, Limit: relevance.Depth})
		if err != nil {
			return nil, fmt.Errorf("%q: %w", q.Text, err)
		}
		hits := make([]string, len(r.Hits))
		for i, h := range r.Hits {
			hits[i] = keys[h.ID]
		}
		scores[q.Lang] = scores[q.Lang].Add(q.Grades, hits)
		if n := relevance.NDCG(q.Grades, hits); n < below {
			graded := make([]string, len(hits))
			for i, k := range hits {
				graded[i] = fmt.Sprintf("%s:%d", k, q.Grades[k])
			}
			fmt.Fprintf(w, "%.2f  %-3s %s → %s\n", n, q.Lang, q.Text, strings.Join(graded, " "))
		}
	}
	return scores, nil
}
