package said_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tiwiza/pkg/said"
)

var all = said.Sentences{
	{"plain", "no charge of ours is named"},
	{"amount", "another amount than {ref}"},
	{"charge", "another amount than the charge {ref}"},
	{"fee", "{ours} is {sum}; the bank may have added a charge of {fee}"},
	{"asked", "{sum} of order {order} shall go back: {reason}"},
}

func TestASentenceIsFoundAgain(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]any{
		"no charge of ours is named":                                       {"plain"},
		"another amount than opn_1":                                        {"amount", "ref", "opn_1"},
		"another amount than the charge c1":                                {"charge", "ref", "c1"},
		"pay_1 is 10.00 MAD; the bank may have added a charge of 2.00 MAD": {"fee", "ours", "pay_1", "sum", "10.00 MAD", "fee", "2.00 MAD"},
		"5.00 MAD of order o shall go back: it is {broken}: all":           {"asked", "sum", "5.00 MAD", "order", "o", "reason", "it is {broken}: all"},
	} {
		code, with, found := all.Read(text)
		if !found {
			t.Errorf("%q is not found", text)
			continue
		}
		if diff := cmp.Diff(want, append([]any{code}, with...)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
	for _, text := range []string{"", "what a person wrote", "no charge of ours is named here", "another amount"} {
		if code, _, found := all.Read(text); found {
			t.Errorf("%q is taken for %s", text, code)
		}
	}
}

func TestWhatIsSaidIsRead(t *testing.T) {
	t.Parallel()
	word := rapid.StringMatching(`[a-z0-9_.]{1,12}`)
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.SampledFrom(all).Draw(t, "sentence")
		var values, want []any
		for _, g := range s.Gaps() {
			w := word.Draw(t, g)
			values, want = append(values, w), append(want, g, w)
		}
		with, is := s.Read(s.Of(values...))
		if !is {
			t.Fatalf("%q is not read", s.Of(values...))
		}
		if diff := cmp.Diff(want, with); diff != "" {
			t.Fatal(diff)
		}
	})
}
