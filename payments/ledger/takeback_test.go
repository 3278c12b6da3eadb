package ledger_test

import (
	"context"
	"errors"
	"testing"

	"tiwiza/payments/approvals"
	"tiwiza/payments/ledger"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/event"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
	"tiwiza/pkg/rest"
)

// What a person posted by hand two people take back, once, by its mirror.
func TestTwoPeopleTakeATransferByHandBack(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	db.Use(nil, event.NewBus())
	b, desk := books{ledger.New(db), db, t}, approvals.New(db)
	b.Approve(desk)
	as := func(who string) context.Context {
		return auth.With(t.Context(), auth.Principal{Subject: who, Role: auth.Operator})
	}
	l := b.lane(ledger.LaneOptions{})
	post := func(in ledger.HandInput) {
		t.Helper()
		if _, err := l.Take(as("per_1"), rest.KeepFor(auth.From(as("per_1")), in.Reference, []byte{1}, 201), ledger.PostInput{Transfers: []ledger.HandInput{in}}); err != nil {
			t.Fatal(err)
		}
	}
	wants := func(who, ref, why string) (v ledger.ReverseView, err error) {
		err = db.InTx(as(who), func(tx *pg.Tx) error {
			v, err = b.AskToReverse(as(who), tx, ledger.ReverseInput{Reference: ref, Note: why})
			return err
		})
		return v, err
	}
	decides := func(who, ref string) error {
		return db.InTx(as(who), func(tx *pg.Tx) error {
			_, err := desk.Approve(as(who), tx, "ledger.reverse", ref, "")
			return err
		})
	}
	post(handed("a", "psp_cost", "fees", 500))
	v, err := wants("per_1", "a", "typed twice")
	if err != nil || v.State != "waiting" || v.Approval == "" {
		t.Fatalf("asked: %+v, %v", v, err)
	}
	if err := decides("per_1", "a"); err == nil {
		t.Error("whoever asked approved it")
	}
	if got := tally(t, db, `select count(*) from ledger.transfer`); got != 1 {
		t.Fatalf("%d transfers before anybody agreed, want 1", got)
	}
	if err := decides("per_2", "a"); err != nil {
		t.Fatal(err)
	}
	if got := tally(t, db, `select count(*) from ledger.transfer r join ledger.transfer t on r.reverses = t.id where t.key = 'hand:a' and r.note = 'typed twice'`); got != 1 {
		t.Errorf("%d mirrors of the transfer, want 1", got)
	}
	if got := tally(t, db, `select count(*) from (select from ledger.balance group by account_id having sum(dr) <> sum(cr)) b`); got != 0 {
		t.Errorf("%d accounts are not where they were", got)
	}
	for ref, want := range map[string]error{"a": ledger.ErrTaken, "b": ledger.ErrTransfer, "reversal of a": ledger.ErrReversal} {
		if _, err := wants("per_1", ref, "again"); !errors.Is(err, want) {
			t.Errorf("taking %q back: %v, want %v", ref, err, want)
		}
	}
	// A reference that one person posted by is not asked for again with other content.
	weighty := handed("a", "psp_cost", "capital", 500)
	k := rest.KeepFor(auth.From(as("per_1")), "a2", []byte{2}, 201)
	_, err = l.Take(as("per_1"), k, ledger.PostInput{Reference: "a", Note: "x", Legs: weighty.Legs})
	if !errors.Is(err, ledger.ErrReused) {
		t.Errorf("a reference posted before with other content: %v, want %v", err, ledger.ErrReused)
	}
	// What is taken back between the wish and the word is not taken back twice.
	post(handed("c", "psp_cost", "fees", 700))
	if _, err := wants("per_1", "c", "no"); err != nil {
		t.Fatal(err)
	}
	if err := db.InTx(t.Context(), func(tx *pg.Tx) error {
		_, err := b.Reverse(t.Context(), tx, "other", "hand:c", "meanwhile")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if err := decides("per_2", "c"); !errors.Is(err, ledger.ErrTaken) {
		t.Errorf("approved after it was taken back: %v, want %v", err, ledger.ErrTaken)
	}
}
