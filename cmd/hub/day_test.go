package main

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tiwiza/pkg/money"
)

// TestAShortDayIsExplained plays the script in its short form by the hub's own
// command.
func TestAShortDayIsExplained(t *testing.T) {
	t.Parallel()
	journal := filepath.Join(t.TempDir(), "day.journal")
	out, code := command(t, []string{"HUB_DATA_DIR=" + t.TempDir()}, "demo", "day", "--orders", "30", "--journal", journal)
	if code != 0 {
		t.Fatalf("hub demo day exits %d\n%s", code, out)
	}
	for _, said := range []string{"every centime is accounted for", "violations: 0", "BREAKS", "COTISATION ANNUELLE", "payout that came back", "hledger"} {
		if !strings.Contains(out, said) {
			t.Errorf("it does not say %q\n%s", said, out)
		}
	}
}

func TestTheScriptHasEachFateAndTheOrdersAskedFor(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n, seed := rapid.IntRange(30, 700).Draw(t, "orders"), rapid.Uint64().Draw(t, "seed")
		shops := min(24, max(6, n/6))
		script, err := plan(n, seed, 60, shops, 4)
		if err != nil {
			t.Fatal(err)
		}
		orders, played, ways := 0, map[*fate]int{}, map[string]int{}
		for _, e := range script {
			orders += len(e.shops)
			played[e.fate] += len(e.shops)
			ways[e.way] += len(e.shops)
			if slices.Max(e.shops) >= shops || len(e.pick) != len(e.shops) {
				t.Fatalf("an errand to the shops %v of %d", e.shops, shops)
			}
			if e.many > 0 && (e.shops[0] == closingShop || e.shops[0] == unheardShop) {
				t.Errorf("«%s» happens to a cooperative whose payouts are scripted", e.name)
			}
		}
		if orders != n || ways[byWire] != n/4 || ways[onDelivery] != n/4 {
			t.Errorf("%d orders, %v, want %d", orders, ways, n)
		}
		for i := range fates {
			if f := &fates[i]; played[f] < f.least || n >= 300 && played[f] == 0 {
				t.Errorf("%d orders are «%s», want %d at least", played[f], f.name, f.least)
			}
		}
		again, err := plan(n, seed, 60, shops, 4)
		if err != nil || !slices.EqualFunc(script, again, func(a, b *errand) bool {
			return a.fate == b.fate && a.day == b.day && a.buyer == b.buyer && a.part == b.part && slices.Equal(a.shops, b.shops) && slices.Equal(a.pick, b.pick)
		}) {
			t.Errorf("the same seed draws another script (%v)", err)
		}
	})
	if _, err := plan(29, 1, 10, 6, 4); err == nil {
		t.Error("29 orders are not too few")
	}
}

// TestALostCentimeIsFound takes a centime away in each of the places where
// money may be.
func TestALostCentimeIsFound(t *testing.T) {
	t.Parallel()
	dh := money.Dirhams
	d := &day{in: map[string]moneyView{byWire: dh(50_00), onDelivery: dh(0)}, pieces: map[string]int{byWire: 1}}
	whole := func() ends {
		return ends{
			truth: []executed{
				{"acquirer", "CHG1", "capture", dh(100_00)},
				{"acquirer", "CHG1", "refund", dh(20_00)},
				{"bank", "STL-1", "credit", dh(78_20)},
				{"bank", "EX1", "credit", dh(50_00)},
				{"bank", "PAY1", "payout", dh(30_00)},
				{"bank", "PAY1", "credit", dh(30_00)},
				{"bank", "PAY2", "payout", dh(40_00)},
			},
			payouts:   []payoutNow{{Beneficiary: "seller:org_1", State: "returned", Amount: dh(30_00)}, {Beneficiary: "seller:org_1", State: "paid", Amount: dh(40_00)}},
			safeguard: sheetNow{Closing: dh(88_20)},
			operating: sheetNow{Closing: dh(1000_00)},
			trial:     []trialLine{{"capital", -1000_00}, {"psp_cost", 1_80}},
		}
	}
	tell := func(e ends) []string {
		var r report
		d.tellMoney(&r, e)
		return r.wrong
	}
	if wrong := tell(whole()); len(wrong) != 0 {
		t.Errorf("all is there, and yet %q", wrong)
	}
	for name, take := range map[string]func(*ends){
		"captured":       func(e *ends) { e.truth[0].Amount = dh(100_01) },
		"given back":     func(e *ends) { e.truth[1].Amount = dh(20_01) },
		"settled":        func(e *ends) { e.truth[2].Amount = dh(78_19) },
		"transferred":    func(e *ends) { e.truth[3].Amount = dh(49_99) },
		"paid twice":     func(e *ends) { e.truth = append(e.truth, e.truth[6]) },
		"never returned": func(e *ends) { e.truth = slices.Delete(e.truth, 5, 6) },
		"at the bank":    func(e *ends) { e.safeguard.Closing = dh(88_19) },
		"of our own":     func(e *ends) { e.operating.Closing = dh(999_99) },
		"of the costs":   func(e *ends) { e.trial[1].sum-- },
	} {
		e := whole()
		take(&e)
		if len(tell(e)) == 0 {
			t.Errorf("a centime is missing (%s), and nobody finds it", name)
		}
	}
}

func TestAmountsAreReadInThousands(t *testing.T) {
	t.Parallel()
	got := map[int64]string{}
	for _, c := range []int64{0, 5, -5, 999_99, 1000_00, -1234567_89} {
		got[c] = grouped(c)
	}
	want := map[int64]string{0: "0.00", 5: "0.05", -5: "-0.05", 999_99: "999.99", 1000_00: "1 000.00", -1234567_89: "-1 234 567.89"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
