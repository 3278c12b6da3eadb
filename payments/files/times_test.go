package files_test

import (
	"encoding/json"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tiwiza/payments/files"
)

func at(text string) time.Time {
	t, err := time.ParseInLocation("2006-01-02 15:04", text, files.Morocco)
	if err != nil {
		panic(err)
	}
	return t
}

func timetable(t *testing.T, text string) (tt files.Timetable) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &tt); err != nil {
		t.Fatal(err)
	}
	return tt
}

func TestFilesLeaveWithTheNextRunAndExecuteByTheCutOff(t *testing.T) {
	t.Parallel()
	tt := timetable(t, `{"runs":["15:00","10:30"],"cut_off":"15:30","closed":["2027-01-11"]}`)
	for _, c := range []struct{ wanted, leaves, executes string }{
		{"2027-01-05 09:00", "2027-01-05 10:30", "2027-01-05"},
		{"2027-01-05 10:30", "2027-01-05 10:30", "2027-01-05"},
		{"2027-01-05 10:31", "2027-01-05 15:00", "2027-01-05"},
		{"2027-01-05 15:29", "2027-01-06 10:30", "2027-01-05"},
		{"2027-01-05 15:30", "2027-01-06 10:30", "2027-01-06"},
		{"2027-01-08 16:00", "2027-01-12 10:30", "2027-01-12"}, // Friday; the Monday is closed
		{"2027-01-09 12:00", "2027-01-12 10:30", "2027-01-12"},
	} {
		if got := tt.Leaves(at(c.wanted)).In(files.Morocco).Format("2006-01-02 15:04"); got != c.leaves {
			t.Errorf("wanted at %s it leaves at %s, want %s", c.wanted, got, c.leaves)
		}
		if got := tt.Executes(at(c.wanted)).Format("2006-01-02"); got != c.executes {
			t.Errorf("made at %s it executes on %s, want %s", c.wanted, got, c.executes)
		}
	}
	var bad files.Timetable
	if err := json.Unmarshal([]byte(`{"runs":["25:00"]}`), &bad); err == nil {
		t.Error("a run at 25:00 was taken")
	}
}

func TestAFileNeverLeavesBeforeItIsWanted(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var tt files.Timetable
		for range rapid.IntRange(0, 4).Draw(t, "runs") {
			tt.Runs = append(tt.Runs, files.Clock{Hour: rapid.IntRange(0, 23).Draw(t, "hour"), Minute: rapid.IntRange(0, 59).Draw(t, "minute")})
		}
		if rapid.Bool().Draw(t, "cut off") {
			tt.CutOff = &files.Clock{Hour: rapid.IntRange(0, 23).Draw(t, "hour")}
		}
		wanted := time.Unix(rapid.Int64Range(1_700_000_000, 2_200_000_000).Draw(t, "at"), 0)
		if leaves := tt.Leaves(wanted); leaves.Before(wanted) || leaves.Sub(wanted) > 4*24*time.Hour {
			t.Fatalf("wanted at %s it leaves at %s", wanted, leaves)
		}
		if left := tt.Left(wanted); left.After(wanted) || len(tt.Runs) > 0 && !tt.Leaves(left).Equal(left) {
			t.Fatalf("by %s what was wanted by %s has left, which leaves at %s", wanted, left, tt.Leaves(left))
		}
		made := wanted.In(files.Morocco)
		if on := tt.Executes(wanted); on.Format("20060102") < made.Format("20060102") || on.Sub(made) > 4*24*time.Hour {
			t.Fatalf("made at %s it executes on %s", made, on)
		}
	})
}

func TestAFileIsFoundByWhatTheBankCallsIt(t *testing.T) {
	t.Parallel()
	const file = "fil_01m804qv7w2wdypqkqvjftvdzt"
	if got := files.FileOf(files.RefOf(file)); got != file || len(files.RefOf(file)) != 29 {
		t.Errorf("%s comes back as %s", files.RefOf(file), got)
	}
	if got := files.FileOf("X"); got != "x_" {
		t.Errorf("a short name gives %q", got)
	}
}
