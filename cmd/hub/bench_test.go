package main_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestTheBenchMeasures runs each part of hub bench for a moment. What it
// measures then says nothing; that it measures, and that both sides still write
// the same rows and leave clean books, does.
func TestTheBenchMeasures(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it takes about a minute")
	}
	dir := t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "build", "-o", dir, "tiwiza/cmd/hub", "tiwiza/cmd/hubsim")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the hub: %v: %s", err, out)
	}
	for part, want := range map[string][]string{
		"post":      {"ledger.Post", "ledger.Post, hot account"},
		"lane":      {"lane, 32 callers", "lane, 256 callers", "lane, one hot account"},
		"transfers": {"transfers over HTTP, one by one", "transfers over HTTP, through the lane", "transfers over HTTP, lists of 200"},
		"release":   {"500 due releases"},
		"flat":      {"ledger.Post, 20000 transfers"},
		"checkout":  {"checkout"},
		"dossiers":  {"a look into a dossier", "applications of a region, p99"},
		"offers":    {"offers, first page", "offers, next pages", "offers, category", "offers, region", "offers, last page against the first", "offers, French words", "offers, Arabic words", "index, three words, against bare search", "offers, three words, against bare search", "offers, three words at 50/s, p99", "market page at 100/s, p99"},
		"start":     {"hub run, cold", "hub run, warm", "hub's resident memory", "hub stops in"},
	} {
		t.Run(part, func(t *testing.T) {
			t.Parallel()
			measured := runBench(t, filepath.Join(dir, "hub"), part)
			for _, name := range want {
				f, ok := measured[name]
				if !ok || f.Value <= 0 {
					t.Errorf("%s = %+v (there: %t), want a figure", name, f, ok)
				}
				if f.Verdict == "not measured" {
					t.Skipf("there is no pgbench here to measure %s against", name)
				}
				if (part == "post" || part == "checkout") && (f.Limit <= 0 || f.Ratio <= 0) {
					t.Errorf("%s has limit %g and ratio %g, want both", name, f.Limit, f.Ratio)
				}
			}
		})
	}
}

type measured struct {
	Figure              string
	Value, Limit, Ratio float64
	Verdict             string
}

// runBench runs one part and reads the line of JSON that it ends with.
func runBench(t *testing.T, hub, part string) map[string]measured {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), hub, "bench", "--seconds", "0.2", "--rounds", "1", "--offers", "500", "--releases", "500", "--books", "20000", "--only", part)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // it ends what it started
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		t.Fatalf("hub bench: %v\n%s%s", err, out.Bytes(), said.Bytes())
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	var all struct{ Figures []measured }
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &all); err != nil {
		t.Fatalf("the last line is no JSON (%v): %s", err, out.Bytes())
	}
	by := map[string]measured{}
	for _, f := range all.Figures {
		by[f.Figure] = f
	}
	return by
}
