package id_test

import (
	"strings"
	"testing"

	"tiwiza/pkg/id"
)

// What has the shape of an id is its kind, a stroke and 26 signs of Crockford's
// alphabet whose value fits 128 bits; and of no other kind.
func FuzzIs(f *testing.F) {
	f.Add(id.New(id.Event))
	f.Add("evt_01jd0000000000000000000000")
	f.Add("evt_81jd0000000000000000000000")
	f.Add("evt_01JD0000000000000000000000")
	f.Add("evt_01jd000000000000000000000u")
	f.Fuzz(func(t *testing.T, s string) {
		rest, ok := strings.CutPrefix(s, "evt_")
		want := ok && len(rest) == 26 && strings.Trim(rest, "0123456789abcdefghjkmnpqrstvwxyz") == "" && rest[0] <= '7'
		if got := id.Is(id.Event, s); got != want {
			t.Fatalf("Is(evt, %q) = %t, want %t", s, got, want)
		}
		if want && id.Is(id.Order, s) {
			t.Fatalf("%q is an order's too", s)
		}
	})
}
