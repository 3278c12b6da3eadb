package audit_test

import (
	"errors"
	"testing"

	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
)

type row struct {
	Actor, Action, Subject, Policy string
	Reason                         *string
}

func trail(t *testing.T, db *pg.Store) []row {
	t.Helper()
	rows, err := pg.All[row](t.Context(), db, `select actor, action, subject, policy, detail->>'reason' as reason from platform.audit order by seq`)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestARecordSaysWhoDidWhatAndWhy(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	ctx := auth.With(t.Context(), auth.Principal{Key: "key_1", Subject: "org_1", Role: auth.Operator})
	err := db.InTx(ctx, func(tx *pg.Tx) error {
		audit.Record(tx, "organisations.suspend", "org_2", "members.operator", map[string]string{"reason": "papers"})
		audit.Record(tx, "organisations.show", "org_2", "members.operator", nil)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	rows := trail(t, db)
	if len(rows) != 2 {
		t.Fatalf("%d rows, want 2", len(rows))
	}
	r := rows[0]
	if r.Actor != "operator org_1/key_1" || r.Action != "organisations.suspend" || r.Subject != "org_2" || r.Policy != "members.operator" {
		t.Errorf("row = %+v", r)
	}
	if r.Reason == nil || *r.Reason != "papers" || rows[1].Reason != nil {
		t.Errorf("reasons = %v, %v; want papers and none", r.Reason, rows[1].Reason)
	}
}

func TestNothingIsRecordedOfWhatDidNotHappen(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	undone := errors.New("undone")
	err := db.InTx(t.Context(), func(tx *pg.Tx) error {
		audit.Record(tx, "a", "b", "c", nil)
		return undone
	})
	if !errors.Is(err, undone) {
		t.Fatal(err)
	}
	if rows := trail(t, db); len(rows) != 0 {
		t.Errorf("%d rows of a unit that was undone", len(rows))
	}
}
