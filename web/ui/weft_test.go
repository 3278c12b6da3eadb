package ui_test

import (
	"context"
	"image"
	"image/color"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
	"pgregory.net/rapid"

	"tiwiza/web/ui"
)

var rect = regexp.MustCompile(`<rect x="(\d+)" width="(\d+)" height="6" fill="(#[0-9A-F]+)"/>`)

func draw(t rapid.TB, id string) string {
	var b strings.Builder
	if err := ui.Weft(id, 6, "weft").Render(context.Background(), &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// A weave fills its width with five to seven bands, of which no two beside each
// other are alike, and is the same each time.
func TestAWeaveIsKnownByItsID(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		id := "org_" + rapid.StringMatching(`[0-9a-z]{26}`).Draw(t, "id")
		svg := draw(t, id)
		if svg != draw(t, id) {
			t.Fatal("drawn twice, it differs")
		}
		bands, end, last := rect.FindAllStringSubmatch(svg, -1), 0, ""
		if len(bands) < 5 || len(bands) > 7 {
			t.Fatalf("%d bands", len(bands))
		}
		for _, b := range bands {
			x, _ := strconv.Atoi(b[1])
			w, _ := strconv.Atoi(b[2])
			if x != end || w < 2 || b[3] == last {
				t.Fatalf("%s: a band of %d at %d after %d, %s after %s", svg, w, x, end, b[3], last)
			}
			end, last = x+w-1, b[3]
		}
		if end != 360 {
			t.Fatalf("the bands end at %d", end)
		}
	})
	seen := map[string]bool{}
	for i := range 1000 {
		seen[draw(t, "org_"+strconv.Itoa(i))] = true
	}
	if len(seen) < 995 {
		t.Errorf("1000 cooperatives have %d weaves", len(seen))
	}
}

var run = regexp.MustCompile(`M(\d+) (\d+)h(\d+)v1`)

func TestTheSquareIsReadByCameras(t *testing.T) {
	t.Parallel()
	const want = "HTTPS://TIWIZA.EXAMPLE/L/7K3Q9X"
	svg, err := ui.QR(want)
	if err != nil {
		t.Fatal(err)
	}
	side, _ := strconv.Atoi(regexp.MustCompile(`viewBox="0 0 (\d+)`).FindStringSubmatch(svg)[1])
	fills := regexp.MustCompile(`fill="#(000|fff)"`).FindAllStringSubmatch(svg, -1)
	if len(fills) != 2 {
		t.Fatalf("the ground and the squares are %v", fills)
	}
	grey := map[string]uint8{"fff": 255}
	const scale = 8
	img := image.NewGray(image.Rect(0, 0, side*scale, side*scale))
	for i := range img.Pix {
		img.Pix[i] = grey[fills[0][1]]
	}
	for _, m := range run.FindAllStringSubmatch(svg, -1) {
		x, _ := strconv.Atoi(m[1])
		y, _ := strconv.Atoi(m[2])
		w, _ := strconv.Atoi(m[3])
		for dy := range scale {
			for dx := range w * scale {
				img.SetGray(x*scale+dx, y*scale+dy, color.Gray{Y: grey[fills[1][1]]})
			}
		}
	}
	bmp, err := gozxing.NewBinaryBitmapFromImage(img)
	if err != nil {
		t.Fatal(err)
	}
	got, err := qrcode.NewQRCodeReader().Decode(bmp, nil)
	if err != nil || got.GetText() != want {
		t.Errorf("a camera reads %v (%v), want %q", got, err, want)
	}
	if strings.Contains(svg, "style=") || len(svg) > 6000 {
		t.Errorf("the drawing has %d bytes", len(svg))
	}
}
