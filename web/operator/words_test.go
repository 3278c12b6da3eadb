package operator_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tiwiza/marketplace/orders"
	"tiwiza/payments/approvals"
	"tiwiza/payments/charges"
	"tiwiza/payments/escrow"
	"tiwiza/payments/operations"
	"tiwiza/payments/payouts"
	"tiwiza/payments/recon"
	"tiwiza/payments/treasury"
	"tiwiza/pkg/said"
	"tiwiza/web/ui"
)

var (
	approves  = regexp.MustCompile(`\b(?:a|by|words|[nN]\.Approvals|approvals)\.Handle\((\w+), *(?:\w+\.\w+\)|func\()`)
	operates  = regexp.MustCompile(`\.Handle\((\w+), *(?:operations\.Handler|files\.Kind)\{`)
	transfers = regexp.MustCompile(`(?s)\bledger\.Transfer\{.{0,160}?Kind: *("[^"]+"|\w+)[,}]`)
	posts     = regexp.MustCompile(`(?m)^\s*(?:kind|bankCharge|reversal|hand) *:?= *"([a-z_]+[.][a-z_.]+)"`)
)

// kinds finds what re names in the sources of rooms; a name of a constant is looked up
// in its own room.
func kinds(t *testing.T, re *regexp.Regexp, floors ...string) (out []string) {
	t.Helper()
	for _, floor := range floors {
		err := filepath.WalkDir("../../"+floor, func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || strings.Contains(name, "/sim/") {
				return err
			}
			b, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			for _, m := range re.FindAllStringSubmatch(string(b), -1) {
				word := m[1]
				if lit, is := strings.CutPrefix(word, `"`); is {
					word = strings.TrimSuffix(lit, `"`)
				} else if !strings.Contains(word, ".") {
					word = constant(t, filepath.Dir(name), word)
				}
				if word != "" && !slices.Contains(out, word) {
					out = append(out, word)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(out)
	return out
}

// constant is what a name stands for in a room; "" when it is a variable of its own.
func constant(t *testing.T, room, name string) string {
	t.Helper()
	is := regexp.MustCompile(`(?m)^\s*(?:const )?` + name + ` *= *"([^"]+)"`)
	all, err := filepath.Glob(room + "/*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range all {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if m := is.FindStringSubmatch(string(b)); m != nil {
			return m[1]
		}
	}
	return ""
}

// enum is what a field of a view may be.
func enum[T any](t *testing.T, field string) []string {
	t.Helper()
	f, ok := reflect.TypeFor[T]().FieldByName(field)
	if !ok || f.Tag.Get("enum") == "" {
		t.Errorf("%s of %s has no enum", field, reflect.TypeFor[T]())
	}
	return strings.Split(f.Tag.Get("enum"), ",")
}

// TestEachKindAndStateHasItsWords: word and kind show a code as it is when it has none,
// and a page in Arabic then says «payouts_pay».
func TestEachKindAndStateHasItsWords(t *testing.T) {
	t.Parallel()
	all := map[string][]string{
		"a_":          kinds(t, approves, "payments", "marketplace"),
		"k_":          append(append(kinds(t, operates, "payments"), kinds(t, transfers, "payments")...), kinds(t, posts, "payments")...),
		"s_approval_": enum[approvals.View](t, "State"),
		"s_charge_":   enum[charges.View](t, "State"),
		"s_op_":       {"intent", "sending", "accepted", "unknown", "confirmed", "rejected", "returned", "review"},
		"s_payout_":   enum[payouts.View](t, "State"),
		"s_refund_":   enum[charges.RefundView](t, "State"),
		"s_break_":    enum[recon.BreakView](t, "State"),
		"b_":          enum[recon.BreakView](t, "Kind"),
		"e_":          {"succeeded", "accepted", "declined", "not_sent", "unknown", "not_found"},
		"s_wallet_":   {"none", "pending", "completed", "failed"},
	}
	if n := len(all["a_"]); n < 15 || len(all["k_"]) < 30 {
		t.Fatalf("only %d approvals and %d kinds of movements were found: %q", n, len(all["k_"]), all)
	}
	for prefix, codes := range all {
		for _, c := range codes {
			key := "op." + prefix + strings.ReplaceAll(c, ".", "_")
			for _, l := range []ui.Lang{ui.French, ui.Arabic, ui.English} {
				if l.T(key) == key {
					t.Errorf("%s: %s has no words", l, key)
				}
			}
		}
	}
}

// TestWhatTheHubSaysHasItsWords: each sentence of the rows has a text with the same gaps.
func TestWhatTheHubSaysHasItsWords(t *testing.T) {
	t.Parallel()
	words := ui.Words()
	for room, sentences := range map[string]said.Sentences{
		"recon": recon.Sentences, "charges": charges.Sentences, "operations": operations.Sentences, "escrow": escrow.Sentences,
		"payouts": payouts.Sentences, "treasury": treasury.Sentences, "orders": orders.Sentences,
	} {
		if len(sentences) == 0 {
			t.Errorf("%s says nothing", room)
		}
		for _, s := range sentences {
			for _, l := range []ui.Lang{ui.French, ui.Arabic, ui.English} {
				key := "said." + s.Code
				if l.T(key) == key {
					t.Errorf("%s: %s has no words", l, key)
					continue
				}
				want := s.Gaps()
				slices.Sort(want)
				if got, _ := words.Gaps(l, key); !slices.Equal(got, want) {
					t.Errorf("%s: %s has other gaps: %s", l, key, cmp.Diff(want, got))
				}
			}
		}
	}
}
