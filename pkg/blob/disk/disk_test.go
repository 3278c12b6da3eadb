package disk_test

import (
	"bufio"
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tiwiza/pkg/blob"
	"tiwiza/pkg/blob/blobconform"
	"tiwiza/pkg/blob/disk"
)

func open(t *testing.T, dir string) *disk.Folder {
	t.Helper()
	f, err := disk.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func TestConformance(t *testing.T) {
	t.Parallel()
	blobconform.Run(t, func(t *testing.T) blobconform.Fixture {
		dir := filepath.Join(t.TempDir(), "files")
		return blobconform.Fixture{Driver: open(t, dir), Again: func(t *testing.T) blob.Driver { return open(t, dir) }}
	})
}

// writer is set in the process that TestAKilledWriterLeavesNoHalfFile kills.
const writer = "TIWIZA_TEST_WRITES_TO"

func TestMain(m *testing.M) {
	if dir := os.Getenv(writer); dir != "" {
		write(dir)
		return
	}
	os.Exit(m.Run())
}

// write puts contents until it is killed, and says which are kept.
func write(dir string) {
	f, err := disk.Open(dir)
	if err != nil {
		panic(err)
	}
	b := blob.Over(f)
	for i := 0; ; i++ {
		c := []byte(strings.Repeat(fmt.Sprintf("%d,", i), 50_000))
		key := blob.NewKey(c)
		if err := b.Put(context.Background(), key, c); err != nil {
			panic(err)
		}
		fmt.Println(key)
	}
}

func TestAKilledWriterLeavesNoHalfFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var kept []string
	for round := range 8 {
		cmd := exec.CommandContext(t.Context(), os.Args[0])
		cmd.Env = append(os.Environ(), writer+"="+dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for n := 0; n <= round && lines.Scan(); n++ {
			kept = append(kept, lines.Text())
		}
		time.AfterFunc(time.Duration(round)*700*time.Microsecond, func() { _ = cmd.Process.Kill() })
		for lines.Scan() {
			if len(lines.Text()) == 81 { // the last line may be cut
				kept = append(kept, lines.Text())
			}
		}
		_ = cmd.Wait()
	}
	b := blob.Over(open(t, dir))
	for _, k := range kept {
		if _, err := b.Get(t.Context(), blob.Key(k)); err != nil {
			t.Errorf("the writer was told that %s is kept: %v", k, err)
		}
	}
	visible := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Base(filepath.Dir(path)) == "unfinished" {
			return err
		}
		visible++
		if _, err := b.Get(t.Context(), blob.Key(d.Name())); err != nil {
			t.Errorf("a half file is visible: %v", err)
		}
		return nil
	})
	if err != nil || visible < len(kept) || len(kept) < 8 {
		t.Errorf("%d files for %d kept contents, %v", visible, len(kept), err)
	}
}

func TestWhatADeadWriterLeftIsClearedAfterADay(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	open(t, dir)
	old, young := filepath.Join(dir, "unfinished", "old"), filepath.Join(dir, "unfinished", "young")
	for _, name := range []string{old, young} {
		if err := os.WriteFile(name, []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	then := time.Now().Add(-25 * time.Hour)
	if err := os.Chtimes(old, then, then); err != nil {
		t.Fatal(err)
	}
	open(t, dir)
	if _, err := os.Stat(old); !os.IsNotExist(err) {
		t.Errorf("what is a day old stays: %v", err)
	}
	if _, err := os.Stat(young); err != nil {
		t.Errorf("what may still be written is gone: %v", err)
	}
}

func TestAFolderThatCannotBeWrittenIsRefused(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := disk.Open(filepath.Join(file, "below")); err == nil {
		t.Error("a folder below a file is opened")
	}
}

func TestALinkOutOfTheFolderIsNotFollowed(t *testing.T) {
	t.Parallel()
	dir, outside := t.TempDir(), t.TempDir()
	c := []byte("somebody else's")
	key := blob.NewKey(c)
	if err := os.WriteFile(filepath.Join(outside, string(key)), c, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(dir, string(key[:2]))); err != nil {
		t.Fatal(err)
	}
	if got, err := blob.Over(open(t, dir)).Get(t.Context(), key); err == nil {
		t.Errorf("a link leads out of the folder, to %q", got)
	}
}
