package demo_test

import (
	"encoding/xml"
	"errors"
	"io"
	"io/fs"
	"strings"
	"testing"

	"tiwiza/cmd/hub/demo"
)

func TestEveryDrawingExistsIsUsedAndIsHarmless(t *testing.T) {
	t.Parallel()
	used := by(offers(t), "image")
	files, err := fs.Glob(demo.Files, "images/*")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, file := range files {
		known[strings.TrimPrefix(file, "images/")] = true
		if len(used[strings.TrimPrefix(file, "images/")]) == 0 {
			t.Errorf("%s is not used", file)
		}
		svg, err := fs.ReadFile(demo.Files, file)
		if err != nil {
			t.Fatal(err)
		}
		check(t, file, string(svg))
	}
	for image := range used {
		if !known[image] {
			t.Errorf("images/%s is missing", image)
		}
	}
}

// check refuses all but small plain shapes in the frame of 4 to 3.
func check(t *testing.T, file, svg string) {
	t.Helper()
	if len(svg) > 3072 || !strings.Contains(svg, `viewBox="0 0 480 360"`) {
		t.Errorf("%s: %d bytes, or another frame", file, len(svg))
	}
	shapes := map[string]bool{"svg": true, "g": true, "path": true, "rect": true, "circle": true, "ellipse": true}
	for d := xml.NewDecoder(strings.NewReader(svg)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		e, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		if !shapes[e.Name.Local] {
			t.Errorf("%s holds a %s", file, e.Name.Local)
		}
		for _, a := range e.Attr {
			if strings.HasPrefix(a.Name.Local, "on") || a.Name.Local == "href" || a.Name.Local == "style" || strings.Contains(a.Value, "url(") {
				t.Errorf("%s: %s=%q", file, a.Name.Local, a.Value)
			}
		}
	}
}
