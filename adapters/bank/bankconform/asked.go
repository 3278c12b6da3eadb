package bankconform

import (
	"testing"

	"tiwiza/adapters/bank"
	"tiwiza/pkg/outbound"
)

// news is what the bank has to say: reports, and statements that balance.
func news(t *testing.T, d bank.Driver) (reports, statements []told) {
	t.Helper()
	all, err := d.Waiting(t.Context())
	if err != nil {
		t.Fatalf("Waiting: %v", err)
	}
	hub := bank.New("bank", d, bank.Options{})
	for _, r := range all {
		m, err := hub.Read(r)
		switch {
		case err != nil:
			t.Errorf("%s: %v", r.Name, err)
		case r.SHA256 != digest(r.Bytes):
			t.Errorf("%s: the hash is not its content's", r.Name)
		case m.Report != nil:
			reports = append(reports, told{r, m})
		default:
			statements = append(statements, told{r, m})
		}
	}
	return reports, statements
}

type told struct {
	bank.Received
	said bank.Message
}

func words(t *testing.T, f Fixture) {
	d, out := f.Dial(f.Addr), file(t, f, "B1")
	if reports, statements := news(t, d); len(reports)+len(statements) != 0 {
		t.Errorf("a bank that was given nothing says %d things", len(reports)+len(statements))
	}
	is(t, "Publish", d.Publish(t.Context(), out), outbound.Accepted, "")
	for _, s := range []bank.Standing{bank.Taken, bank.Accepted, bank.Partial, bank.Settled} {
		f.Say("B1", s)
		for range 2 { // until it is archived
			reports, _ := news(t, f.Dial(f.Addr))
			if len(reports) != 1 || reports[0].said.Report.OriginalID != "B1" || reports[0].said.Report.Group != s {
				t.Fatalf("once the bank says %s there is %+v", s, reports)
			}
		}
		reports, _ := news(t, d)
		for range 2 {
			if err := d.Archive(t.Context(), reports[0].Received); err != nil {
				t.Errorf("Archive: %v", err)
			}
		}
		if again, _ := news(t, f.Dial(f.Addr)); len(again) != 0 {
			t.Errorf("%s is said again after it was archived", s)
		}
	}
	is(t, "Publish of what the bank has settled", d.Publish(t.Context(), out), outbound.Accepted, "")

	refused := file(t, f, "B2")
	is(t, "Publish", d.Publish(t.Context(), refused), outbound.Accepted, "")
	f.Say("B2", bank.Rejected)
	reports, _ := news(t, d)
	if len(reports) != 1 {
		t.Fatalf("a refusal makes %d reports", len(reports))
	}
	if r := reports[0].said.Report.Of(batch("B2").Transfers[0].Ref).Result(); r.Outcome != outbound.Declined {
		t.Errorf("an order that its bank refused by its own name is %s", r.Outcome)
	}
}

func booked(t *testing.T, f Fixture) {
	d := f.Dial(f.Addr)
	for _, id := range []string{"B1", "B2"} {
		is(t, "Publish", d.Publish(t.Context(), file(t, f, id)), outbound.Accepted, "")
		f.Book(id)
		_, first := news(t, d)
		f.Book("other") // what comes meanwhile comes later
		_, second := news(t, f.Dial(f.Addr))
		if len(first) != 1 || len(second) != 1 || first[0].SHA256 != second[0].SHA256 {
			t.Fatalf("what was booked comes as %d and %d statements, or in other bytes", len(first), len(second))
		}
		found := map[string]int64{}
		for _, e := range first[0].said.Statements[0].Entries {
			for _, x := range e.Details {
				found[x.Ref] += x.Amount.Centimes()
			}
		}
		for _, tr := range batch(id).Transfers {
			if found[tr.Ref] != -tr.Amount.Centimes() {
				t.Errorf("%s of %s is told with %d centimes", tr.Ref, tr.Amount, found[tr.Ref])
			}
		}
		for range 2 {
			if err := d.Archive(t.Context(), first[0].Received); err != nil {
				t.Errorf("Archive: %v", err)
			}
		}
	}
	_, rest := news(t, f.Dial(f.Addr))
	for _, s := range rest {
		for _, e := range s.said.Statements[0].Entries {
			for _, x := range e.Details {
				for _, id := range []string{"B1", "B2"} {
					for _, tr := range batch(id).Transfers {
						if x.Ref == tr.Ref {
							t.Errorf("%s is told again", x.Ref)
						}
					}
				}
			}
		}
	}
}

func untold(t *testing.T, f Fixture) {
	d := f.Dial(f.Addr)
	is(t, "Publish", d.Publish(t.Context(), file(t, f, "B1")), outbound.Accepted, "")
	f.Say("B1", bank.Accepted)
	f.Book("B1")
	reports, statements := news(t, d)
	if len(reports) != 1 || len(statements) != 1 {
		t.Fatalf("there are %d reports and %d statements", len(reports), len(statements))
	}
	for _, r := range []bank.Received{reports[0].Received, statements[0].Received} {
		for what, bad := range map[string]bank.Received{
			"another folder":  {Dir: "elsewhere", Name: r.Name, Bytes: r.Bytes, SHA256: r.SHA256},
			"another name":    {Dir: r.Dir, Name: "../" + r.Name, Bytes: r.Bytes, SHA256: r.SHA256},
			"another content": {Dir: r.Dir, Name: r.Name, Bytes: append(r.Bytes[:len(r.Bytes):len(r.Bytes)], ' '), SHA256: r.SHA256},
			"no content":      {Dir: r.Dir, Name: r.Name, SHA256: digest(nil)},
		} {
			if err := d.Archive(t.Context(), bad); err == nil {
				t.Errorf("%s: %s was archived", r.Name, what)
			}
		}
	}
	if again, more := news(t, f.Dial(f.Addr)); len(again) != 1 || len(more) != 1 {
		t.Errorf("after that %d reports and %d statements wait, want 1 and 1", len(again), len(more))
	}
}
