package procedures

import (
	"testing"
	"time"
)

// Of a case that was never handed in, its institution hears nothing: neither that
// it was drafted or waits for its fee, nor that it was given up.
func TestWhoHearsOfACase(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	for _, state := range []State{FeeDue, Withdrawn, Lapsed} {
		e := CaseMoved{Applicant: "org_a", Institution: "org_i", Holder: "org_i", State: state}
		if got := e.hear(); len(got) != 1 || got["org_a"].State != state {
			t.Errorf("of a case that is %s and was never handed in hear %v", state, got)
		}
	}
	e := CaseMoved{Applicant: "org_a", Institution: "org_i", Holder: "org_h", Desk: "org_d", State: InTransit, SubmittedAt: &at}
	if got := e.hear(); len(got) != 4 {
		t.Errorf("of one on its way hear %v", got)
	}
}
