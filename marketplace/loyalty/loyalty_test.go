package loyalty_test

import (
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"tiwiza/marketplace/loyalty"
)

var day = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

func TestTheNarrowestRuleEarns(t *testing.T) {
	t.Parallel()
	later := day.AddDate(0, 0, 10)
	rule := func(seller, category, per string, since time.Time, until *time.Time) loyalty.Rule {
		return loyalty.Rule{Seller: seller, Category: category, PerDirham: decimal.RequireFromString(per), Since: since, Until: until}
	}
	all := []loyalty.Rule{
		rule("", "", "1", day, nil),
		rule("", "", "2", later, nil),
		rule("", "honey", "3", day, nil),
		rule("org_a", "", "0.5", day, &later),
		rule("org_a", "oil", "0", day, nil),
	}
	for _, c := range []struct {
		name     string
		seller   string
		category string
		at       time.Time
		bonus    int
		want     int64
	}{
		{"of all", "org_b", "oil", day, 0, 99},
		{"of all, the later", "org_b", "oil", later, 0, 199},
		{"the category before all", "org_b", "honey", later, 0, 299},
		{"the seller before the category", "org_a", "honey", day, 0, 49},
		{"the seller's time is over", "org_a", "honey", later, 0, 299},
		{"the seller and the category", "org_a", "oil", later, 0, 0},
		{"too soon", "org_b", "oil", day.Add(-1), 0, 0},
		{"with a tier's bonus", "org_b", "honey", day, 50, 449},
	} {
		if got := loyalty.Worth(all, c.seller, []loyalty.Part{{Category: c.category, Paid: 9999}}, c.bonus, c.at); got != c.want {
			t.Errorf("%s: %d points, want %d", c.name, got, c.want)
		}
	}
	two := []loyalty.Part{{Category: "honey", Paid: 50}, {Category: "oil", Paid: 50}}
	if got := loyalty.Worth(all, "org_b", two, 0, day); got != 2 {
		t.Errorf("half a dirham at three and half a dirham at one are %d points, want 2", got)
	}
}

func TestWhatStandsIsInProportionToWhatWasKept(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		total := rapid.Int64Range(1, 1e11).Draw(t, "total")
		earned := rapid.Int64Range(0, 1e10).Draw(t, "earned")
		kept := rapid.Int64Range(-1, total+1).Draw(t, "kept")
		got := loyalty.Due(earned, kept, total)
		switch {
		case kept >= total && got != earned, kept <= 0 && got != 0, got < 0 || got > earned:
			t.Fatalf("%d of %d points stand with %d of %d", got, earned, kept, total)
		case kept < total && loyalty.Due(earned, kept+1, total) < got:
			t.Fatalf("more kept, fewer points")
		}
	})
}

func TestWhatIsTakenBackIsTheOrdersOwnAndThenTheYoungest(t *testing.T) {
	t.Parallel()
	lots := []loyalty.Lot{{Move: "a", Ref: "1"}, {Move: "b", Ref: "2"}, {Move: "c", Ref: "3"}, {Move: "d", Ref: "2"}}
	got := ""
	for _, l := range loyalty.Youngest(lots, "2") {
		got += l.Move
	}
	if got != "dbca" {
		t.Errorf("in the order %s, want dbca", got)
	}
}

func TestTiers(t *testing.T) {
	t.Parallel()
	at := func(c int64) *int64 { return &c }
	all := []loyalty.Tier{{Code: "gold", Spend: at(5000)}, {Code: "silver", Spend: at(1000)}, {Code: "gone"}}
	for spent, want := range map[int64][2]string{0: {"", "silver"}, 999: {"", "silver"}, 1000: {"silver", "gold"}, 5000: {"gold", ""}} {
		if got := [2]string{loyalty.TierOf(all, spent).Code, loyalty.NextTier(all, spent).Code}; got != want {
			t.Errorf("%d: %v, want %v", spent, got, want)
		}
	}
}

// TestNoPointIsSpentTwice draws lives of an account: what comes is what is there,
// what went, and what is owed is never there together with points.
func TestNoPointIsSpentTwice(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var a loyalty.Account
		var lots []loyalty.Lot
		var came, went, lent int64
		t.Repeat(map[string]func(*rapid.T){
			"credit": func(t *rapid.T) {
				n := rapid.Int64Range(1, 100).Draw(t, "n")
				next, m := a.Credit(loyalty.Earned, n)
				if m.Points-m.Owed != n {
					t.Fatalf("%d points came and %+v was booked", n, m)
				}
				a, came, lent = next, came+n, lent+m.Owed
				if m.Points > 0 {
					lots = append(lots, loyalty.Lot{Move: rapid.StringN(8, 8, -1).Draw(t, "lot"), Remains: m.Points})
				}
			},
			"debit": func(t *rapid.T) {
				kind := rapid.SampledFrom([]loyalty.Kind{loyalty.Burnt, loyalty.TakenBack, loyalty.Expired}).Draw(t, "kind")
				n := rapid.Int64Range(1, 150).Draw(t, "n")
				next, m, err := a.Debit(kind, n, lots)
				if (err != nil) != (kind != loyalty.TakenBack && n > a.Points) {
					t.Fatalf("%s %d of %d: %v", kind, n, a.Points, err)
				}
				if err != nil {
					return
				}
				var drawn int64
				for _, d := range m.Draws {
					for i := range lots {
						if lots[i].Move == d.Lot {
							lots[i].Remains -= d.Points
							if drawn += d.Points; lots[i].Remains < 0 {
								t.Fatalf("%+v draws more than there is", m)
							}
						}
					}
				}
				if drawn != -m.Points || m.Owed-m.Points != n {
					t.Fatalf("%d went: %+v", n, m)
				}
				a, went, lent = next, went+n, lent+m.Owed
			},
			"": func(t *rapid.T) {
				var open int64
				for _, l := range lots {
					open += l.Remains
				}
				if a.Points != open || a.Points < 0 || a.Owed < 0 || a.Points > 0 && a.Owed > 0 || came-went != a.Points-a.Owed || lent != a.Owed {
					t.Fatalf("%+v, lots %d, came %d, went %d", a, open, came, went)
				}
			},
		})
	})
}
