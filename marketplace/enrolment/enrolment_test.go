package enrolment_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tiwiza/marketplace/enrolment"
)

func TestAPaperMovesAsItsTableSays(t *testing.T) {
	t.Parallel()
	want := map[enrolment.Move]map[enrolment.State]enrolment.State{
		enrolment.Accept:  {enrolment.Submitted: enrolment.Accepted},
		enrolment.Second:  {enrolment.Submitted: enrolment.Seconding},
		enrolment.Confirm: {enrolment.Seconding: enrolment.Accepted},
		enrolment.Reject:  {enrolment.Submitted: enrolment.Rejected, enrolment.Seconding: enrolment.Rejected},
		enrolment.Replace: {enrolment.Submitted: enrolment.Replaced, enrolment.Seconding: enrolment.Replaced, enrolment.Accepted: enrolment.Replaced},
		enrolment.Expire:  {enrolment.Accepted: enrolment.Expired},
		"lose":            {},
	}
	for m, row := range want {
		for _, from := range []enrolment.State{enrolment.Submitted, enrolment.Seconding, enrolment.Accepted, enrolment.Rejected, enrolment.Replaced, enrolment.Expired} {
			p, err := enrolment.Paper{State: from, Version: 3}.Do(m)
			to, ok := row[from]
			if ok && (err != nil || p.State != to || p.Version != 4) || !ok && (err == nil || p.State != from || p.Version != 3) {
				t.Errorf("%s from %s: %+v (%v), want %s", m, from, p, err, to)
			}
		}
	}
}

// Between acceptance and its end a member hears of a paper at most three times, 30,
// 7 and 1 days before, each after the one before.
func TestWarningsComeInTheirOrderAndEnd(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		now := time.Unix(rapid.Int64Range(0, 2e9).Draw(r, "now"), 0)
		end := now.Add(time.Duration(rapid.Int64Range(1, 60*86400).Draw(r, "left")) * time.Second)
		var at []time.Duration
		for from := now; ; {
			next := enrolment.Turn(end, from)
			if !next.After(from) && !next.Equal(end) || next.After(end) {
				t.Fatalf("after %s comes %s, and it ends %s", from, next, end)
			}
			if next.Equal(end) {
				break
			}
			at = append(at, end.Sub(next))
			from = next
		}
		const day = 24 * time.Hour
		var want []time.Duration
		for _, w := range []time.Duration{30 * day, 7 * day, day} {
			if end.Sub(now) > w {
				want = append(want, w)
			}
		}
		if !slices.Equal(at, want) {
			t.Fatalf("warned %v before the end, want %v", at, want)
		}
	})
}

func TestIdentifiersAreCheckedByTheirRules(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rule     enrolment.Rule
		in, want string // "": refused
	}{
		{enrolment.ICE, "000 000 000 000 097", "000000000000097"},
		{enrolment.ICE, "000000000000098", ""},
		{enrolment.ICE, "97", ""},
		{enrolment.IF, "1234567", "1234567"},
		{enrolment.IF, "12345678", "12345678"},
		{enrolment.IF, "123456", ""},
		{enrolment.IF, "12345678a", ""},
		{enrolment.RC, "12.345", "12345"},
		{enrolment.RC, "Agadir 12345", ""},
		{enrolment.CNSS, "1234567", "1234567"},
		{enrolment.CNSS, "123 456 789", "123456789"},
		{enrolment.CNSS, "123456", ""},
		{enrolment.CIN, "jb 123456", "JB123456"},
		{enrolment.CIN, "A1234", "A1234"},
		{enrolment.CIN, "123456", ""},
		{enrolment.CIN, "ABC123456", ""},
		{enrolment.CIN, "АВ123456", ""}, // Cyrillic
		{enrolment.CIN, "AB12\u200b3456", ""},
		{enrolment.RIB, "011 519 0000012050005349 21", "011519000001205000534921"},
		{enrolment.RIB, "011519000001205000534922", ""},
		{enrolment.Phone, "06 12 34 56 78", "+212612345678"},
		{enrolment.Phone, "+33612345678", ""},
		{enrolment.Text, " Argan ", "Argan"},
		{enrolment.Text, "  ", ""},
		{enrolment.Text, "a\u202eb", ""},
	} {
		got, wrong := c.rule.Check(c.in)
		if got != c.want || (wrong == "") != (c.want != "") {
			t.Errorf("%s %+q: %q (%s), want %q", c.rule, c.in, got, wrong, c.want)
		}
	}
}

func TestWhatIsMissingIsWhatNothingHolds(t *testing.T) {
	t.Parallel()
	now := time.Date(2027, 3, 31, 12, 0, 0, 0, time.UTC)
	day := func(s string) *time.Time { d, _ := time.Parse(time.DateOnly, s); return &d }
	all := []enrolment.Requirement{{Code: "a", Type: enrolment.Document}, {Code: "b", Type: enrolment.Visit}, {Code: "c", Type: enrolment.Document, Optional: true}}
	for _, c := range []struct {
		state          enrolment.State
		last           *time.Time
		asking, active bool // whether a is missing
	}{
		{enrolment.Submitted, nil, false, true},
		{enrolment.Seconding, nil, false, true},
		{enrolment.Accepted, nil, false, false},
		{enrolment.Accepted, day("2027-03-31"), false, false},
		{enrolment.Accepted, day("2027-03-30"), true, true},
		{enrolment.Rejected, nil, true, true},
		{enrolment.Replaced, nil, true, true},
		{enrolment.Expired, nil, true, true},
	} {
		papers := []enrolment.Paper{{Requirement: "a", State: c.state, LastDay: c.last}}
		if got := slices.Contains(enrolment.Lacking(all, papers, true, now), "a"); got != c.asking {
			t.Errorf("%s until %v: missing to ask %t, want %t", c.state, c.last, got, c.asking)
		}
		if got := enrolment.Lacking(all, papers, false, now); slices.Contains(got, "a") != c.active || !slices.Contains(got, "b") || slices.Contains(got, "c") {
			t.Errorf("%s until %v: missing %v", c.state, c.last, got)
		}
	}
}
