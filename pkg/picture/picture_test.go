package picture_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"tiwiza/pkg/fault"
	"tiwiza/pkg/picture"
)

func read(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func press() *picture.Press { return picture.NewPress(picture.PressOptions{}) }

func develop(t *testing.T, b []byte) (picture.Head, []picture.Rendition) {
	t.Helper()
	h, out, err := press().Make(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	if err := sound(h, out); err != nil {
		t.Error(err)
	}
	return h, out
}

// sound says what is wrong with renditions: there are four, each decodes to the
// size it says, none is larger than its width or than the picture, and none has
// a segment beyond what pixels need.
func sound(h picture.Head, out []picture.Rendition) error {
	width, height := h.Upright()
	if len(out) != len(picture.Widths) {
		return fmt.Errorf("%d renditions", len(out))
	}
	for i, r := range out {
		m, err := jpeg.Decode(bytes.NewReader(r.JPEG))
		if err != nil {
			return err
		}
		if s := m.Bounds().Size(); s.X != r.Width || s.Y != r.Height || r.Nominal != picture.Widths[i] {
			return fmt.Errorf("rendition %d is %v, says %d by %d", r.Nominal, s, r.Width, r.Height)
		}
		if r.Width < 1 || r.Width > min(width, r.Nominal) || r.Height < 1 || r.Height > max(height, 1) || r.Height > 2*r.Nominal {
			return fmt.Errorf("rendition %d of %d by %d is %d by %d", r.Nominal, width, height, r.Width, r.Height)
		}
		if err := bare(r.JPEG); err != nil {
			return err
		}
	}
	return nil
}

// bare reads the bytes of a JPEG: up to its pixels it has tables and one frame,
// and behind them nothing.
func bare(b []byte) error {
	if !bytes.HasSuffix(b, []byte{0xff, 0xd9}) {
		return errors.New("something follows the pixels")
	}
	for i := 2; i+4 < len(b); i += 2 + int(binary.BigEndian.Uint16(b[i+2:])) {
		switch m := b[i+1]; {
		case b[i] != 0xff:
			return fmt.Errorf("no marker at %d", i)
		case m == 0xda:
			return nil
		case m != 0xdb && m != 0xc0 && m != 0xc4:
			return fmt.Errorf("a segment %#x at %d", m, i)
		}
	}
	return errors.New("no pixels")
}

func TestEveryFormComesOutInFourWidths(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"cmyk.jpg", "progressive.jpg", "grey.jpg", "turned-gps.jpg", "turned-gps.webp", "turned-gps.png", "lossless.webp",
		"clear.webp", "clear.png", "moving.gif", "palette.png", "sixteen.png",
	} {
		b := read(t, name)
		_, out := develop(t, b)
		for _, r := range out {
			for _, secret := range []string{"Exif", "GPS", "SecretCamera", "ICC_PROFILE", "http", "Adobe", "JFIF"} {
				if bytes.Contains(r.JPEG, []byte(secret)) {
					t.Errorf("%s goes on with %q", name, secret)
				}
			}
		}
	}
}

// colourAt names the colour of a place given in hundredths of the picture.
func colourAt(t *testing.T, r picture.Rendition, x, y int) string {
	t.Helper()
	m, err := jpeg.Decode(bytes.NewReader(r.JPEG))
	if err != nil {
		t.Fatal(err)
	}
	c := color.RGBAModel.Convert(m.At(r.Width*x/100, r.Height*y/100)).(color.RGBA)
	switch {
	case c.R > 130 && c.G < 110 && c.B < 110:
		return "red"
	case c.G > 130 && c.R < 110 && c.B < 110:
		return "green"
	case c.B > 130 && c.R < 110 && c.G < 110:
		return "blue"
	case c.R > 235 && c.G > 235 && c.B > 235:
		return "white"
	}
	return fmt.Sprint(c)
}

// withTurn is a JPEG, 96 by 64 with red, green and blue corners, that says how
// the camera was held.
func withTurn(t testing.TB, turn int, big bool) []byte {
	plain := read(t, "progressive.jpg")
	tiff := []byte("II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00" + string(rune(turn)) + "\x00\x00\x00\x00\x00\x00\x00")
	if big {
		tiff = []byte("MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00" + string(rune(turn)) + "\x00\x00\x00\x00\x00\x00")
	}
	return withEXIF(plain, tiff)
}

func withEXIF(plain, tiff []byte) []byte {
	segment := append([]byte("Exif\x00\x00"), tiff...)
	out := append([]byte{0xff, 0xd8, 0xff, 0xe1}, byte((len(segment)+2)>>8), byte(len(segment)+2))
	return append(append(out, segment...), plain[2:]...)
}

// The corners of the stored picture are red, green and blue, from the upper left
// as one reads; the fourth is of no matter.
func TestEachOrientationIsSetUpright(t *testing.T) {
	t.Parallel()
	const left, right, up, down = 8, 92, 12, 88
	type place struct{ x, y int }
	for turn, where := range map[int][3]place{ // of red, green and blue
		1: {{left, up}, {right, up}, {left, down}},
		2: {{right, up}, {left, up}, {right, down}},
		3: {{right, down}, {left, down}, {right, up}},
		4: {{left, down}, {right, down}, {left, up}},
		5: {{left, up}, {left, down}, {right, up}},
		6: {{right, up}, {right, down}, {left, up}},
		7: {{right, down}, {right, up}, {left, down}},
		8: {{left, down}, {left, up}, {right, down}},
	} {
		for _, big := range []bool{false, true} {
			h, out := develop(t, withTurn(t, turn, big))
			if w, _ := h.Upright(); h.Turn != turn || w != map[bool]int{false: 96, true: 64}[turn >= 5] {
				t.Errorf("orientation %d is read as %d, %d wide", turn, h.Turn, w)
			}
			for i, want := range []string{"red", "green", "blue"} {
				if got := colourAt(t, out[0], where[i].x, where[i].y); got != want {
					t.Errorf("orientation %d: %s is where %s should be", turn, got, want)
				}
			}
		}
	}
	for _, name := range []string{"turned-gps.jpg", "turned-gps.png", "turned-gps.webp"} {
		_, out := develop(t, read(t, name))
		if got := colourAt(t, out[0], right, up); got != "red" || out[0].Width != 64 {
			t.Errorf("%s: %s is where red should be, %d wide", name, got, out[0].Width)
		}
	}
}

func TestABadNoteIsNoReasonToRefuse(t *testing.T) {
	t.Parallel()
	plain := read(t, "progressive.jpg")
	for _, tiff := range []string{
		"", "II*\x00", "XX*\x00\x08\x00\x00\x00", "II*\x00\xff\xff\xff\xff", "II*\x00\x08\x00\x00\x00\xff\xff", "II*\x00\x08\x00\x00\x00\x01\x00\x12\x01",
		"II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00\x09\x00\x00\x00", "II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x04\x00\x01\x00\x00\x00\x06\x00\x00\x00",
		strings.Repeat("\xff", 60_000),
	} {
		if h, _ := develop(t, withEXIF(plain, []byte(tiff))); h.Turn != 1 {
			t.Errorf("%q turns the picture by %d", tiff[:min(20, len(tiff))], h.Turn)
		}
	}
	develop(t, append(bytes.Clone(plain), "what a Samsung hangs on: Image_UTC_Data\xff\xda\xff\xd8"...))
}

func TestWhatIsClearIsWhite(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"clear.png", "clear.webp"} {
		_, out := develop(t, read(t, name))
		if got := colourAt(t, out[0], 8, 12); got != "white" {
			t.Errorf("%s: what is clear is %s", name, got)
		}
	}
}

func TestColoursStay(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"cmyk.jpg", "progressive.jpg", "lossless.webp", "sixteen.png", "palette.png", "moving.gif"} {
		_, out := develop(t, read(t, name))
		if got := colourAt(t, out[3], 8, 12); got != "red" {
			t.Errorf("%s: red is %s", name, got)
		}
	}
}

// jpegOf is a picture of a size; with noise it is as large a file as can be.
func jpegOf(t testing.TB, w, h int) []byte {
	t.Helper()
	m := image.NewYCbCr(image.Rect(0, 0, w, h), image.YCbCrSubsampleRatio420)
	for i := range m.Y {
		m.Y[i] = byte(i*7 + i/w*13)
	}
	for i := range m.Cb {
		m.Cb[i], m.Cr[i] = 128, 100
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: 60}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestSizesAreNeverBlownUp(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		w, h int
		want string
	}{
		{2000, 1000, "160x80 320x160 640x320 960x480"},
		{500, 400, "160x128 320x256 500x400 500x400"},
		{40, 900, "14x320 28x640 40x900 40x900"},
		{900, 40, "160x7 320x14 640x28 900x40"},
		{960, 960, "160x160 320x320 640x640 960x960"},
		{4001, 3001, "160x120 320x240 640x480 960x720"},
	} {
		_, out := develop(t, jpegOf(t, c.w, c.h))
		var got []string
		for _, r := range out {
			got = append(got, fmt.Sprintf("%dx%d", r.Width, r.Height))
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%d by %d becomes %s, want %s", c.w, c.h, s, c.want)
		}
	}
}

// pngHead is a PNG that says it is of a size.
func pngHead(w, h uint32, depth, colour byte) []byte {
	b := []byte("\x89PNG\r\n\x1a\n")
	ihdr := append([]byte("IHDR"), binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, w), h)...)
	ihdr = append(ihdr, depth, colour, 0, 0, 0)
	chunk := func(c []byte) {
		b = binary.BigEndian.AppendUint32(b, uint32(len(c)-4))
		b = append(b, c...)
		b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(c))
	}
	chunk(ihdr)
	chunk([]byte("IDAT\x78\x9c\x63\x00\x00\x00\x01\x00\x01"))
	chunk([]byte("IEND"))
	return b
}

func TestWhatCannotBeTakenIsRefusedWithASentence(t *testing.T) {
	t.Parallel()
	photo := jpegOf(t, 800, 600)
	sof := bytes.Index(photo, []byte{0xff, 0xc0})
	with := func(at int, to ...byte) []byte { b := bytes.Clone(photo); copy(b[at:], to); return b }
	scans := bytes.Clone(read(t, "progressive.jpg"))
	last := bytes.LastIndex(scans, []byte{0xff, 0xda})
	scans = append(scans[:len(scans)-2], bytes.Repeat(scans[last:len(scans)-2], 200)...)
	for name, c := range map[string]struct {
		file []byte
		want *fault.Error
	}{
		"nothing":                 {nil, picture.ErrNone},
		"a text":                  {[]byte("<html><script>alert(1)</script>"), picture.ErrNone},
		"an SVG":                  {[]byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`), picture.ErrNone},
		"a PDF":                   {[]byte("%PDF-1.7 …"), picture.ErrNone},
		"a page behind a GIF":     {[]byte("GIF89a\x40\x00\x40\x00/*<script>*/=1"), picture.ErrBroken},
		"HEIC":                    {[]byte("\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic"), picture.ErrHEIC},
		"AVIF":                    {read(t, "photo.avif"), picture.ErrHEIC},
		"TIFF":                    {read(t, "photo.tiff"), picture.ErrForm},
		"BMP":                     {read(t, "photo.bmp"), picture.ErrForm},
		"a moving WebP":           {read(t, "moving.webp"), picture.ErrAnimated},
		"a JPEG that breaks off":  {photo[:len(photo)/2], picture.ErrBroken},
		"a JPEG without pixels":   {photo[:sof+19], picture.ErrBroken},
		"three bytes":             {photo[:3], picture.ErrBroken},
		"a PNG that breaks off":   {read(t, "sixteen.png")[:200], picture.ErrBroken},
		"a WebP that breaks off":  {read(t, "lossless.webp")[:60], picture.ErrBroken},
		"a GIF that breaks off":   {read(t, "moving.gif")[:800], picture.ErrBroken},
		"twelve bits a sample":    {with(sof+4, 12), picture.ErrForm},
		"an arithmetic JPEG":      {with(sof+1, 0xc9), picture.ErrForm},
		"no height":               {with(sof+5, 0, 0), picture.ErrBroken},
		"a JPEG of 65535 by 600":  {with(sof+7, 0xff, 0xff), picture.ErrTooMany},
		"a PNG of 50000 by 50000": {pngHead(50_000, 50_000, 8, 6), picture.ErrTooMany},
		"a PNG of 4 by 4 billion": {pngHead(1<<32-1, 1<<32-1, 1, 0), picture.ErrTooMany},
		"40 MP in 16 bits":        {pngHead(8000, 5000, 16, 6), picture.ErrTooMany},
		"a GIF of 65535 by 65535": {[]byte("GIF89a\xff\xff\xff\xff\x00\x00\x00"), picture.ErrTooMany},
		"200 scans":               {scans, picture.ErrForm},
		"one pixel":               {jpegOf(t, 1, 1), picture.ErrTooLittle},
		"more than 12 MB":         {append(bytes.Clone(photo), make([]byte, 12<<20)...), picture.ErrTooLarge},
	} {
		start := time.Now()
		_, out, err := press().Make(t.Context(), c.file)
		if !errors.Is(err, c.want) || out != nil {
			t.Errorf("%s: %v, want %s", name, err, c.want.Code)
		}
		if took := time.Since(start); took > 3*time.Second {
			t.Errorf("%s takes %s", name, took)
		}
		f, ok := errors.AsType[*fault.Error](err)
		if !ok || fault.KindOf(err) != fault.Invalid || !strings.HasSuffix(f.Text, ".") || !strings.HasPrefix(f.Code, "picture.") {
			t.Errorf("%s is refused without a sentence: %v", name, err)
		}
	}
}

// A bomb is a small file that says it has many pixels and has them: whether it is
// within bounds or not, no more memory is taken than its head said.
func TestABombTakesNoMoreThanItsHeadSaid(t *testing.T) {
	bomb := func(w, h int) []byte {
		var b bytes.Buffer
		if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&b, image.NewGray(image.Rect(0, 0, w, h))); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	for name, file := range map[string][]byte{"grey PNG, 36 MP": bomb(6000, 6000), "photograph, 24 MP": jpegOf(t, 6000, 4000)} {
		h, err := picture.Look(file)
		if err != nil {
			t.Fatal(name, err)
		}
		runtime.GC()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, _, err := press().Make(t.Context(), file); err != nil {
			t.Fatal(name, err)
		}
		runtime.ReadMemStats(&after)
		took := int64(after.TotalAlloc - before.TotalAlloc)
		t.Logf("%s: a file of %d KB takes %d MB in all, its head says %d MB", name, len(file)>>10, took>>20, h.Memory>>20)
		// Everything ever taken, freed or not: the other three widths come on top.
		if took > 2*h.Memory+(16<<20) {
			t.Errorf("%s takes %d MB, its head says %d", name, took>>20, h.Memory>>20)
		}
	}
}
