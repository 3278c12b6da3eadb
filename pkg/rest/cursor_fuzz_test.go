package rest_test

import (
	"errors"
	"testing"
	"time"

	"tiwiza/pkg/rest"
)

type mark struct {
	At time.Time
	ID string
	N  int64
}

// A cursor is read as what was encoded, or refused as none of ours; what is read
// comes back the same, and a refused one changes nothing.
func FuzzCursor(f *testing.F) {
	f.Add(rest.EncodeCursor(mark{time.Date(2026, 11, 22, 0, 0, 0, 123456000, time.UTC), "ord_1", 7}))
	for _, s := range []string{"", "bnVsbA", "e30", "eyJOIjoxLCJOIjoyfQ", "!!", "eyJOIjoxfSB7fQ"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, cursor string) {
		before := mark{ID: "before"}
		got := before
		if err := rest.DecodeCursor(cursor, &got); err != nil {
			if !errors.Is(err, rest.ErrCursor) || got != before {
				t.Fatalf("%q: %v, and left %+v", cursor, err, got)
			}
			return
		}
		if cursor == "" {
			return
		}
		var again mark
		if err := rest.DecodeCursor(rest.EncodeCursor(got), &again); err != nil || !again.At.Equal(got.At) || again.ID != got.ID || again.N != got.N {
			t.Fatalf("%q was read as %+v, and then %+v (%v)", cursor, got, again, err)
		}
	})
}
