package journal_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"tiwiza/cmd/hubsim/internal/journal"
)

func open(t testing.TB, dir string) (*journal.Journal, *journal.Table[int]) {
	t.Helper()
	j, err := journal.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	table := journal.NewTable[int](j, "numbers")
	if err := j.Load(); err != nil {
		t.Fatal(err)
	}
	return j, table
}

func rows(j *journal.Journal, table *journal.Table[int]) (keys []string, values []int) {
	j.View(func(tx *journal.Tx) { keys, values = table.Keys(tx), table.All(tx) })
	return keys, values
}

var errNo = errors.New("no")

// TestATableIsWhatWasCommitted compares with a slice: what fails leaves
// nothing, and a reopened journal holds the same rows in the same order.
func TestATableIsWhatWasCommitted(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		dir, err := os.MkdirTemp("", "journal")
		if err != nil {
			rt.Fatal(err)
		}
		defer os.RemoveAll(dir)
		j, table := open(t, dir)
		var keys []string
		var values []int
		for range rapid.IntRange(1, 8).Draw(rt, "updates") {
			fails := rapid.Bool().Draw(rt, "fails")
			k, v := slices.Clone(keys), slices.Clone(values)
			err := j.Update(func(tx *journal.Tx) error {
				for range rapid.IntRange(0, 6).Draw(rt, "writes") {
					key := rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(rt, "key")
					at := slices.Index(k, key)
					if rapid.Bool().Draw(rt, "delete") {
						table.Delete(tx, key)
						if at >= 0 {
							k, v = slices.Delete(k, at, at+1), slices.Delete(v, at, at+1)
						}
						continue
					}
					n := rapid.IntRange(0, 99).Draw(rt, "value")
					table.Put(tx, key, n)
					if at >= 0 {
						v[at] = n
					} else {
						k, v = append(k, key), append(v, n)
					}
				}
				if fails {
					return errNo
				}
				return nil
			})
			if fails != errors.Is(err, errNo) {
				rt.Fatalf("update: %v", err)
			}
			if !fails {
				keys, values = k, v
			}
			check(rt, j, table, keys, values)
		}
		if err := j.Close(); err != nil {
			rt.Fatal(err)
		}
		j, table = open(t, dir)
		check(rt, j, table, keys, values)
		if err := j.Close(); err != nil {
			rt.Fatal(err)
		}
	})
}

func check(rt *rapid.T, j *journal.Journal, table *journal.Table[int], keys []string, values []int) {
	rt.Helper()
	if k, v := rows(j, table); !slices.Equal(k, keys) || !slices.Equal(v, values) {
		rt.Fatalf("rows are %v %v, want %v %v", k, v, keys, values)
	}
}

func put(t *testing.T, j *journal.Journal, table *journal.Table[int], key string, v int) {
	t.Helper()
	if err := j.Update(func(tx *journal.Tx) error { table.Put(tx, key, v); return nil }); err != nil {
		t.Fatal(err)
	}
}

func TestALineCutShortByACrashIsForgotten(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	j, table := open(t, dir)
	put(t, j, table, "a", 1)
	put(t, j, table, "b", 2)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "journal.jsonl")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, whole[:len(whole)-3], 0o600); err != nil {
		t.Fatal(err)
	}
	j, table = open(t, dir)
	put(t, j, table, "c", 3)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	j, table = open(t, dir)
	defer j.Close()
	if keys, values := rows(j, table); !slices.Equal(keys, []string{"a", "c"}) || !slices.Equal(values, []int{1, 3}) {
		t.Errorf("rows are %v %v", keys, values)
	}
}

func TestADamagedLineIsNotPassedOver(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "journal.jsonl"), []byte("[{\"t\":\"numbers\"\n[]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	j, err := journal.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	if err := j.Load(); err == nil {
		t.Error("a damaged line was read")
	}
}

func TestOneFolderHasOneSimulator(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	j, _ := open(t, dir)
	defer j.Close()
	if _, err := journal.Open(dir); !errors.Is(err, journal.ErrBusy) {
		t.Errorf("the second opening gives %v", err)
	}
}
