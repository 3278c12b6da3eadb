package bankconform

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tiwiza/adapters/bank"
	"tiwiza/pkg/outbound"
)

func waiting(t *testing.T, f Fixture) {
	d := f.Dial(f.Addr)
	if got, err := d.Waiting(t.Context()); err != nil || len(got) != 0 {
		t.Errorf("Waiting with nothing there = %v, %v", got, err)
	}
	day := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	for i, name := range []string{"z-first.xml", "a-second.xml"} { // the older comes first, whatever its name
		put(t, f.Out, name, strings.Repeat(name, 20_000))
		at := day.Add(time.Duration(i) * time.Minute)
		if err := os.Chtimes(filepath.Join(f.Out, name), at, at); err != nil {
			t.Fatal(err)
		}
	}
	put(t, f.Ack, "report.xml", "report")
	for _, name := range []string{".hidden.xml", "half.xml.tmp", "half.xml.partial", "half.xml.PARTIAL", "half.filepart"} {
		put(t, f.Out, name, "half")
	}
	if err := os.Mkdir(filepath.Join(f.Out, "folder.xml"), 0o755); err != nil {
		t.Fatal(err)
	}
	got, err := d.Waiting(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, r := range got {
		names = append(names, r.Name)
		if r.SHA256 != digest(r.Bytes) {
			t.Errorf("%s: the hash is not its content's", r.Name)
		}
	}
	if strings.Join(names, " ") != "report.xml z-first.xml a-second.xml" || string(got[1].Bytes) != strings.Repeat("z-first.xml", 20_000) {
		t.Errorf("Waiting = %v", names)
	}
}

func growing(t *testing.T, f Fixture) {
	put(t, f.Out, "whole.xml", "whole")
	grown, err := os.Create(filepath.Join(f.Out, "growing.xml"))
	if err != nil {
		t.Fatal(err)
	}
	defer grown.Close()
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			case <-time.After(5 * time.Millisecond):
				if _, err := grown.WriteString("more "); err != nil {
					return
				}
			}
		}
	}()
	d := f.Dial(f.Addr)
	got, err := d.Waiting(t.Context())
	close(stop)
	<-done
	if err != nil || len(got) != 1 || got[0].Name != "whole.xml" {
		t.Errorf("Waiting beside a growing file = %d files, %v; want whole.xml alone", len(got), err)
	}
	if got, err := d.Waiting(t.Context()); err != nil || len(got) != 2 {
		t.Errorf("Waiting once it is finished = %d files, %v; want 2", len(got), err)
	}
}

// fetched takes the only file that waits.
func fetched(t *testing.T, d bank.Driver) bank.Received {
	t.Helper()
	got, err := d.Waiting(t.Context())
	if err != nil || len(got) != 1 {
		t.Fatalf("Waiting = %d files, %v; want 1", len(got), err)
	}
	return got[0]
}

func archive(t *testing.T, f Fixture) {
	d := f.Dial(f.Addr)
	put(t, f.Out, "statement.xml", "one")
	r := fetched(t, d)
	for range 2 {
		if err := d.Archive(t.Context(), r); err != nil {
			t.Errorf("Archive: %v", err)
		}
	}
	if content(t, f.Archive, "statement.xml") != "one" || len(visible(t, f.Out)) != 0 {
		t.Errorf("out holds %v, archive %v", visible(t, f.Out), visible(t, f.Archive))
	}
	put(t, f.Out, "statement.xml", "one") // the same file, put out again
	if err := d.Archive(t.Context(), fetched(t, d)); err != nil || len(visible(t, f.Archive)) != 1 || len(visible(t, f.Out)) != 0 {
		t.Errorf("Archive of a repeated file: %v; archive %v", err, visible(t, f.Archive))
	}
	put(t, f.Out, "statement.xml", "two") // news under an old name, not fetched yet
	if err := d.Archive(t.Context(), r); err == nil || content(t, f.Out, "statement.xml") != "two" {
		t.Errorf("Archive took a file that nobody has read: %v", err)
	}
}

func collision(t *testing.T, f Fixture) {
	d := f.Dial(f.Addr)
	for _, text := range []string{"one", "two"} {
		put(t, f.Ack, "report.xml", text)
		if err := d.Archive(t.Context(), fetched(t, d)); err != nil {
			t.Fatalf("Archive: %v", err)
		}
	}
	var all string
	for _, name := range visible(t, f.Archive) {
		all += content(t, f.Archive, name) + " "
	}
	if all != "one two " {
		t.Errorf("the archive holds %q, want both contents", all)
	}
}

func escape(t *testing.T, f Fixture) {
	d := f.Dial(f.Addr)
	put(t, f.Archive, "kept.xml", "kept")
	for _, r := range []bank.Received{
		{Dir: filepath.Base(f.Archive), Name: "kept.xml"}, {Dir: f.Out, Name: "../kept.xml"}, {Dir: f.Out, Name: ".."}, {Dir: f.Out, Name: ""},
	} {
		r.SHA256 = digest([]byte("kept"))
		if err := d.Archive(t.Context(), r); err == nil {
			t.Errorf("Archive(%s, %s) was done", r.Dir, r.Name)
		}
	}
	names(t, f)
}

func names(t *testing.T, f Fixture) {
	d, out := f.Dial(f.Addr), file(t, f, "B1")
	for _, name := range []string{"../" + out.Name, ".hidden.xml", "", "a/b.xml", "x.tmp"} {
		bad := out
		bad.Name = name
		is(t, "Publish as "+name, d.Publish(t.Context(), bad), outbound.NotSent, outbound.Unfit)
		is(t, "Find of "+name, d.Find(t.Context(), bad), outbound.NotSent, outbound.Unfit)
	}
}
