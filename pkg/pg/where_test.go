package pg_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"tiwiza/pkg/pg"
)

func TestASearchHoldsOnlyWhatIsAskedFor(t *testing.T) {
	t.Parallel()
	var w pg.Where
	if got := w.String(); got != "true" {
		t.Errorf("nothing asked for is %q", got)
	}
	w.And(false, "a =", 1)
	w.And(true, "b >=", "x")
	w.And(true, "c <", 3)
	limit := w.Arg(24)
	if got, want := w.String()+" limit "+limit, "true and b >= $1 and c < $2 limit $3"; got != want {
		t.Errorf("asked for %q, want %q", got, want)
	}
	if diff := cmp.Diff([]any{"x", 3, 24}, w.Args()); diff != "" {
		t.Errorf("other arguments (-want +got):\n%s", diff)
	}
}
