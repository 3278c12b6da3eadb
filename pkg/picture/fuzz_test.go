package picture_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"tiwiza/pkg/fault"
	"tiwiza/pkg/picture"
)

// Whatever comes in is either refused with a code and a sentence, or comes out in
// four widths that decode, are within bounds, and carry nothing but pixels.
func FuzzIntake(f *testing.F) {
	names, err := filepath.Glob("testdata/*.*")
	if err != nil || len(names) < 10 {
		f.Fatal(names, err)
	}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	for turn := range 9 {
		f.Add(withTurn(f, turn, turn%2 == 0))
	}
	f.Add(pngHead(100, 100, 16, 6))
	p := picture.NewPress(picture.PressOptions{Work: time.Minute})
	f.Fuzz(func(t *testing.T, b []byte) {
		if h, err := picture.Look(b); err == nil && h.Width*h.Height > 2_000_000 {
			return // large pictures have tests of their own
		}
		h, out, err := p.Make(t.Context(), b)
		if err != nil {
			e, ok := errors.AsType[*fault.Error](err)
			if !ok || e.Kind != fault.Invalid || e.Code == "" || e.Text == "" || out != nil {
				t.Fatalf("refused with %v and %d renditions", err, len(out))
			}
			return
		}
		if err := sound(h, out); err != nil {
			t.Fatal(err)
		}
	})
}
