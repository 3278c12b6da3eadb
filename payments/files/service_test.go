package files_test

import (
	"testing"
	"time"

	"tiwiza/adapters/bank"
	"tiwiza/adapters/bank/paperbank"
	"tiwiza/payments/files"
	"tiwiza/payments/operations"
	"tiwiza/pkg/clock"
	"tiwiza/pkg/money"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pgtest"
)

func TestWhatIsPaidFromOneAccountSharesAFile(t *testing.T) {
	t.Parallel()
	h := newHub(t, files.Timetable{})
	var all []operations.Operation
	for kind := range kinds {
		all = append(all, h.intend(kind, 10, 20)...)
	}
	h.advance(3 * time.Second)
	for _, o := range all {
		h.becomes(o, operations.Accepted)
	}
	got := map[string]int{}
	for _, f := range h.bank.Files() {
		b := paperbank.Batch(f)
		got[b.From.RIB] += len(b.Transfers)
	}
	if len(h.bank.Files()) != 2 || got[safeguard] != 6 || got[operating] != 2 {
		t.Errorf("%d files: %v; want one of 6 from the clients' account and one of 2 from ours", len(h.bank.Files()), got)
	}
}

func TestEachKindIsPaidOnceWhateverHappensToItsFile(t *testing.T) {
	t.Parallel()
	for kind := range kinds {
		for name, fault := range map[string]func(h *hub, o operations.Operation){
			"its answer is lost": func(h *hub, o operations.Operation) {
				h.bank.Say(outbound.Unknown, true)
				h.advance(3 * time.Second)
				h.becomes(o, operations.Unknown)
				h.advance(time.Minute)
			},
			"it never arrives": func(h *hub, o operations.Operation) {
				h.bank.Say(outbound.Unknown, false)
				h.advance(3 * time.Second)
				h.becomes(o, operations.Unknown)
				h.bank.Say(outbound.Accepted, true)
				for range 12 {
					h.advance(5 * time.Minute)
					pgtest.Idle(t, h.db)
				}
			},
			"it does not leave": func(h *hub, o operations.Operation) {
				h.bank.Say(outbound.NotSent, false)
				for range 3 {
					h.advance(10 * time.Second)
					pgtest.Idle(t, h.db)
				}
				h.bank.Say(outbound.Accepted, true)
				h.advance(time.Minute)
			},
		} {
			t.Run(kind+": "+name, func(t *testing.T) {
				t.Parallel()
				h := newHub(t, files.Timetable{})
				ops := h.intend(kind, 10, 20, 30)
				fault(h, ops[0])
				for _, o := range ops {
					h.becomes(o, operations.Accepted)
					h.hear(o, operations.Statement, outbound.Succeeded)
				}
				h.advance(48 * time.Hour)
				pgtest.Idle(t, h.db)
				for _, o := range ops {
					if n := h.paid()[o.Ref]; n != 1 || h.state(o) != operations.Confirmed {
						t.Errorf("%s was asked for %d times and is %s, want once and confirmed", o.Ref, n, h.state(o))
					}
				}
				if n := len(h.bank.Files()); n != 1 {
					t.Errorf("%d files, want one", n)
				}
			})
		}
	}
}

func TestOneThatDoesNotFitKeepsNoOther(t *testing.T) {
	t.Parallel()
	h := newHub(t, files.Timetable{})
	bad, good := h.intend("payout", 10, 20, 30), h.intend("refund", 40)
	to := bank.Account{RIB: somebody, Name: "X"}
	h.mu.Lock()
	h.pay[bad[0].Subject] = bank.Transfer{To: bank.Account{RIB: "230780210345678901234518", Name: "X"}} // a key that does not fit
	h.pay[bad[1].Subject] = bank.Transfer{To: to, Amount: money.Dirhams(1)}                             // another amount than intended
	h.pay[bad[2].Subject] = bank.Transfer{To: to, Ref: bad[0].Ref}                                      // another's reference
	h.mu.Unlock()
	h.advance(3 * time.Second)
	h.becomes(good[0], operations.Accepted)
	for _, o := range bad {
		h.becomes(o, operations.Rejected)
	}
	if got := h.paid(); len(got) != 1 || got[good[0].Ref] != 1 {
		t.Errorf("paid %v, want only %s", got, good[0].Ref)
	}
}

func TestADayHasOneFileARun(t *testing.T) {
	t.Parallel()
	// A run six hours from now, on every day of the week that is a business day.
	h := newHub(t, files.Timetable{})
	now, err := clock.Now(t.Context(), h.db)
	if err != nil {
		t.Fatal(err)
	}
	run := now.In(files.Morocco).Add(6 * time.Hour)
	h = newHub(t, files.Timetable{Runs: []files.Clock{{Hour: run.Hour(), Minute: run.Minute()}}})
	first := h.intend("payout", 10)
	h.advance(time.Hour)
	second := h.intend("refund", 20)
	pgtest.Idle(t, h.db)
	if n := len(h.bank.Files()); n != 0 {
		t.Fatalf("%d files left before the run", n)
	}
	h.advance(4 * 24 * time.Hour) // past the next business day's run
	h.becomes(first[0], operations.Accepted)
	h.becomes(second[0], operations.Accepted)
	late := h.intend("payout", 30)
	h.advance(2 * time.Minute) // what looks for lost jobs leaves it to its run
	pgtest.Idle(t, h.db)
	if n := len(h.bank.Files()); n != 1 || h.state(late[0]) != operations.Intent {
		t.Errorf("%d files, the late one is %s; want one file, and it waits", n, h.state(late[0]))
	}
}
