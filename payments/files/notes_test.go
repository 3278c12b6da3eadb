package files_test

import (
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"tiwiza/adapters/bank"
	"tiwiza/payments/files"
	"tiwiza/pkg/pgtest"
)

// TestANoteIsWrittenByOneOfMany: of all who take a note for the same one succeeds,
// and another bank's notes are its own.
func TestANoteIsWrittenByOneOfMany(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	notes, others := files.NewNotes("bank"), files.NewNotes("other")
	if _, err := notes.Recall(t.Context(), "batch/A"); err == nil {
		t.Error("notes without a database recall something")
	}
	notes.Over(db)
	others.Over(db)
	race := func(was string) (won int64) {
		var n atomic.Int64
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				ok, err := notes.Swap(t.Context(), was, bank.Note{Key: "batch/A", Value: was + "x"})
				if err != nil {
					t.Error(err)
				}
				if ok {
					n.Add(1)
				}
			})
		}
		all.Wait()
		return n.Load()
	}
	if first, then := race(""), race("x"); first != 1 || then != 1 {
		t.Errorf("of eight %d and %d wrote it, want one each time", first, then)
	}
	if n, err := others.Recall(t.Context(), "batch/A"); err != nil || n.Value != "" {
		t.Errorf("the other bank's note is %q, %v", n.Value, err)
	}
	for _, key := range []string{"batch/C", "batch/B", "cursor/1"} {
		if ok, err := notes.Swap(t.Context(), "", bank.Note{Key: key, Value: "v"}); !ok || err != nil {
			t.Fatalf("%s: %v, %v", key, ok, err)
		}
	}
	if ok, err := notes.Swap(t.Context(), "v", bank.Note{Key: "batch/C", Value: "w", Done: true}); !ok || err != nil {
		t.Fatalf("end batch/C: %v, %v", ok, err)
	}
	open := func(limit int) string {
		all, err := notes.Open(t.Context(), "batch/", limit)
		if err != nil {
			t.Fatal(err)
		}
		var keys []string
		for _, n := range all {
			keys = append(keys, n.Key+"="+n.Value)
		}
		return strings.Join(keys, " ")
	}
	if got := open(10); got != "batch/A=xx batch/B=v" {
		t.Errorf("open are %s", got)
	}
	if got := open(1); got != "batch/A=xx" {
		t.Errorf("the first is %s", got)
	}
	if ok, err := notes.Swap(t.Context(), "other", bank.Note{Key: "batch/A"}); ok || err != nil {
		t.Errorf("a note was taken away by a value that it has not: %v, %v", ok, err)
	}
	if ok, err := notes.Swap(t.Context(), "xx", bank.Note{Key: "batch/A"}); !ok || err != nil || open(10) != "batch/B=v" {
		t.Errorf("taken away: %v, %v; open are %s", ok, err, open(10))
	}
}
