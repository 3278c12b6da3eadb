package invariants_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"tiwiza/payments/invariants"
)

func TestThePageIsWhatTheTableSays(t *testing.T) {
	t.Parallel()
	got, err := os.ReadFile("../../docs/guarantees.md")
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != invariants.Document() {
		t.Error("docs/guarantees.md is not what the table says; run: make guarantees")
	}
}

func TestEveryGuaranteeIsProvedBySomethingThatExists(t *testing.T) {
	t.Parallel()
	var ids []string
	for _, g := range invariants.Guarantees {
		if g.ID == "" || slices.Contains(ids, g.ID) {
			t.Errorf("the promise %q has no name of its own", g.ID)
		}
		ids = append(ids, g.ID)
		if !strings.HasSuffix(g.Promise, ".") || len(g.For) == 0 || len(g.Tests) == 0 {
			t.Errorf("%s is no sentence, for nobody, or without a test", g.ID)
		}
		for _, id := range g.Invariants {
			if !slices.ContainsFunc(invariants.All, func(i invariants.Invariant) bool { return i.ID == id }) {
				t.Errorf("%s rests on %s, which is no invariant", g.ID, id)
			}
		}
		if g.Of != "" && !slices.Contains(invariants.Counted(), g.Of) {
			t.Errorf("%s counts %q, which nothing counts", g.ID, g.Of)
		}
		for _, name := range g.Tests {
			if !exists(t, name) {
				t.Errorf("%s names the test %s, which does not exist", g.ID, name)
			}
		}
	}
}

// exists says whether a package has a test of that name, as its source says.
func exists(t *testing.T, name string) bool {
	t.Helper()
	dot := strings.LastIndexByte(name, '.')
	files, err := filepath.Glob(filepath.Join("../..", name[:max(dot, 0)], "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	is := regexp.MustCompile(`(?m)^func ` + regexp.QuoteMeta(name[dot+1:]) + `\(t \*testing\.T\)`)
	return slices.ContainsFunc(files, func(f string) bool {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		return is.Match(text)
	})
}

func TestEveryInvariantStandsForAGuarantee(t *testing.T) {
	t.Parallel()
	for _, i := range invariants.All {
		if !slices.ContainsFunc(invariants.Guarantees, func(g invariants.Guarantee) bool { return slices.Contains(g.Invariants, i.ID) }) {
			t.Errorf("no promise rests on %s: %s", i.ID, i.Promise)
		}
	}
}
