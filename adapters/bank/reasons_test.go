package bank_test

import (
	"slices"
	"strings"
	"testing"

	"tiwiza/adapters/bank"
	"tiwiza/pkg/outbound"
)

// Only a refusal for a reason that is listed as final says that nothing was
// paid: whatever may hide an execution is for people, or for the statement.
func TestEveryReasonIsClassedAsReviewed(t *testing.T) {
	t.Parallel()
	final := strings.Fields(`AC01 AC02 AC03 AC04 AC06 AC13 AC14 AG01 AM01 AM02 AM03 AM04 AM06 AM09 AM11 AM12 AM14 BE01 BE04 BE05 BE06 BE22
		CH03 CH21 DS02 DS04 DT01 FF01 MD07 RC01 RC04 RR01 RR02 RR03 RR04 AG02 AG07 CNOR DNOR TM01`)
	open := strings.Fields("AB05 AB06 AM05 DU01 DU03 DU04 DUPL MS02 MS03 NARR TS01 ZZ99 ac04 AC0 AC044")
	for _, code := range slices.Concat(final, open, []string{""}) {
		want := outbound.Result{Outcome: outbound.Declined, Code: code, Text: "text"}
		if !slices.Contains(final, code) {
			want.Outcome, want.Reason = outbound.Unknown, outbound.Unlisted
		}
		got := bank.Item{Standing: bank.Rejected, Reason: code, Text: "text"}.Result()
		if got.Outcome != want.Outcome || got.Reason != want.Reason || got.Code != code || got.Text != "text" {
			t.Errorf("a refusal for %q is %+v, want %+v", code, got, want)
		}
		for _, s := range []bank.Standing{bank.Taken, bank.Pending, bank.Accepted, bank.Settled, bank.Again} {
			if got := (bank.Item{Standing: s, Reason: code}).Result(); got.Outcome != outbound.Accepted {
				t.Errorf("%s with %q is %s, want accepted: only a statement proves more", s, code, got.Outcome)
			}
		}
	}
}
