package procedures_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"tiwiza/marketplace/members"
	"tiwiza/marketplace/procedures"
	"tiwiza/pkg/pg"
)

// Of 100,000 cases an inbox is read by its index, page by page, and what it costs is
// logged.
func TestAnInboxOfAHundredThousandCasesIsReadByItsIndex(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	office, officer := h.member(members.Institution, "Office")
	p := h.publishes(officer, definition("registration"))
	const n = 100_000
	h.do(func(_ context.Context, tx *pg.Tx) error {
		tx.Queue(`insert into procedures.case_file (id, procedure, edition, institution, holder, applicant, region, state, answers, made_by, made_at, moved_at, desk, due, submitted_at, examine_by)
			select 'cas_' || lpad(i::text, 26, '0'), $1, 1, $2, $2, 'org_' || i, 'MA-09', 'submitted', '{}', 'per_x', now(), now(), $2,
				now() + (i % 5000) * interval '1 minute', now(), now() + interval '1 day' from generate_series(1, $3::int) i`, p, office, n)
		return nil
	})
	if _, err := h.db.Exec(t.Context(), `analyze procedures.case_file`); err != nil {
		t.Log(err) // the hub's role may not, and need not
	}
	plan, err := pg.Column[string](t.Context(), h.db, `explain select c.id from procedures.case_file c where c.desk <> '' and c.desk = $1 and (c.due, c.id) > (now(), '') order by c.due, c.id limit 25`, office)
	must(t, err)
	if got := strings.Join(plan, "\n"); !strings.Contains(got, "case_inbox") {
		t.Errorf("the inbox is read by\n%s", got)
	}
	var took []time.Duration
	at, seen := all+"/inbox", map[string]bool{}
	for range 200 {
		var v struct {
			Data []procedures.CaseView
			Next *string
		}
		began := time.Now()
		h.want(200, &v, officer, "GET", at, nil)
		took = append(took, time.Since(began))
		for _, c := range v.Data {
			if seen[c.ID] {
				t.Fatalf("%s comes twice", c.ID)
			}
			seen[c.ID] = true
		}
		at = all + "/inbox?cursor=" + *v.Next
	}
	slices.Sort(took)
	t.Logf("%d cases: a page of the inbox takes p50 %s, p99 %s over %d", n, took[100].Round(time.Microsecond), took[197].Round(time.Microsecond), len(took))
	if want := 200 * 24; len(seen) != want {
		t.Errorf("200 pages hold %d cases, want %d", len(seen), want)
	}
}
