package notifyconform

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"tiwiza/adapters/notify"
)

// mutants is how many altered reports are tried.
const mutants = 10_000

func reports(t *testing.T, f Fixture) {
	c := direct(f)
	if f.Report == nil {
		if _, err := c.Reports(notify.Callback{Body: []byte("{}")}); !errors.Is(err, notify.ErrForged) {
			t.Errorf("a driver without reports reads one: %v", err)
		}
		return
	}
	for _, s := range []notify.State{notify.Delivered, notify.Failed, notify.Underway} {
		said := Said{Ref: ref, PartnerID: "gw-1", State: s}
		raw := f.Report(said)
		all, err := c.Reports(raw)
		if err != nil || len(all) != 1 || all[0].State != s || all[0].Ref != ref && all[0].PartnerID != "gw-1" || s == notify.Failed && all[0].Code == "" {
			t.Errorf("Reports = %+v, %v; want %s of %s", all, err, s, ref)
		}
		if again, err := c.Reports(raw); err != nil || !slices.Equal(again, all) {
			t.Errorf("the same again is %+v, %v", again, err)
		}
	}
	forged(t, c, f.Report(Said{Ref: ref, PartnerID: "gw-1", State: notify.Delivered}))
}

// forged alters a report in every way, and has none accepted.
func forged(t *testing.T, c *notify.Carrier, right notify.Callback) {
	for range mutants {
		m := right
		m.Body, m.Signature = slices.Clone(right.Body), right.Signature
		switch rand.IntN(5) {
		case 0, 1:
			m.Body[rand.IntN(len(m.Body))] ^= 1 << rand.IntN(8)
		case 2:
			b := []byte(m.Signature)
			b[rand.IntN(len(b))] ^= 1 << rand.IntN(8)
			m.Signature = string(b)
		case 3:
			m.Body = m.Body[:rand.IntN(len(m.Body))]
		case 4:
			at := rand.IntN(len(m.Body) + 1)
			m.Body = slices.Insert(m.Body, at, byte(rand.IntN(256)))
		}
		if strings.EqualFold(m.Signature, right.Signature) && slices.Equal(m.Body, right.Body) {
			continue // the same, in other letters
		}
		if all, err := c.Reports(m); err == nil {
			t.Fatalf("a forged report was read as %+v: %q %q", all, m.Signature, m.Body)
		}
	}
	for name, sign := range map[string]string{"none": "", "half": right.Signature[:len(right.Signature)/2], "another": strings.Repeat("00", 32), "garbage": "sha256=zz"} {
		m := right
		m.Signature = sign
		if _, err := c.Reports(m); !errors.Is(err, notify.ErrForged) {
			t.Errorf("with %s for a signature: %v, want ErrForged", name, err)
		}
	}
}
