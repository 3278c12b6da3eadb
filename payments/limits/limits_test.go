package limits_test

import (
	"testing"

	"pgregory.net/rapid"

	"tiwiza/payments/limits"
)

func TestACrowdThatDoesNotSeeEachOtherCannotReachAnAmpleRule(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		f := limits.Figure{
			WindowS: 3600, Most: rapid.Int64Range(0, 1<<40).Draw(r, "most"), Times: rapid.Int64Range(0, 1<<20).Draw(r, "times"),
			Used: rapid.Int64Range(0, 1<<40).Draw(r, "used"), Count: rapid.Int64Range(0, 1<<20).Draw(r, "count"), Asked: rapid.Int64Range(1, 1<<32).Draw(r, "asked"),
		}
		if !limits.Ample(f) {
			return
		}
		f.Used += (limits.Crowd - 1) * f.Asked // all others, of whom nobody was seen
		f.Count += limits.Crowd - 1
		if limits.Judge(f).Over {
			r.Errorf("%+v was ample", f)
		}
	})
}

func TestTheStrictestRuleDecides(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		actions := rapid.SliceOfN(rapid.SampledFrom([]limits.Action{limits.Review, limits.Hold, limits.Refuse}), 0, 6).Draw(r, "actions")
		var figures []limits.Figure
		want := limits.Pass
		for _, a := range actions {
			over := rapid.Bool().Draw(r, "over")
			figures = append(figures, limits.Figure{Action: a, Over: over})
			if over && order(a) > order(want) {
				want = a
			}
		}
		got, over := limits.Verdict(figures)
		if got != want || (want != limits.Pass) != (len(over) > 0) || len(over) > 0 && over[0].Action != want {
			r.Errorf("%v of %+v, want %v", got, figures, want)
		}
	})
}

func TestARuleSpeaksToThoseItStops(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		f    limits.Figure
		want string
	}{
		{limits.Figure{Per: "all", Most: 100000, Asked: 100001}, "One order is at most 1000.00 MAD."},
		{limits.Figure{Per: "buyer", WindowS: 86400, Most: 100000, Used: 90000, Asked: 20000}, "The orders for one buyer are at most 1000.00 MAD in one day; 900.00 MAD is used."},
		{limits.Figure{Per: "phone", WindowS: 7200, Times: 3, Count: 3}, "There are at most 3 orders for one phone in 2 hours."},
		{limits.Figure{Per: "all", WindowS: 600, Times: 3, Count: 3}, "There are at most 3 orders in 10 minutes."},
	} {
		if got := limits.Sentence(c.f, "order"); got != c.want {
			t.Errorf("says «%s», want «%s»", got, c.want)
		}
	}
}

func TestAddressesThatDifferLittleAreOne(t *testing.T) {
	t.Parallel()
	if a, b := limits.Fold("12, Rue de l’Exemple  Rabat"), limits.Fold("12 rue de l'exemple, RABAT"); a != b {
		t.Errorf("%q and %q", a, b)
	}
}

func order(a limits.Action) int {
	return map[limits.Action]int{limits.Pass: 0, limits.Review: 1, limits.Hold: 2, limits.Refuse: 3}[a]
}
