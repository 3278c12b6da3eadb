package picture

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"

	resample "golang.org/x/image/draw"
	"golang.org/x/image/webp"
)

// develop decodes a picture that Look has seen and makes it in each width.
func develop(ctx context.Context, b []byte, h Head, widths []int) ([]Rendition, error) {
	src, err := decode(ctx, b, h.Form)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, ErrBroken.With(err)
	}
	if s := src.Bounds().Size(); h.Form != GIF && (s.X != h.Width || s.Y != h.Height) {
		return nil, ErrBroken.With(fmt.Errorf("the head says %d by %d, the picture has %v", h.Width, h.Height, s))
	}
	width, height := h.Upright()
	var out []Rendition
	small := shrink(src, factor(h, widths[len(widths)-1]), image.Pt(h.Width, h.Height))
	src = nil // so that it can go while the renditions are made
	for _, nominal := range widths {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		w, v := Size(width, height, nominal)
		j, err := write(turn(scale(small, w, v, h.Turn), h.Turn), nominal)
		if err != nil {
			return nil, fmt.Errorf("write a picture of %d by %d: %w", w, v, err)
		}
		out = append(out, Rendition{nominal, w, v, j})
	}
	return out, nil
}

// decode reads the pixels. The reader ends with its context, so that a file made
// to take long does not.
func decode(ctx context.Context, b []byte, form Form) (image.Image, error) {
	r := &timed{ctx, bytes.NewReader(b)}
	switch form {
	case PNG:
		return png.Decode(r)
	case GIF:
		return gif.Decode(r)
	case WebP:
		return webp.Decode(r)
	default:
		return jpeg.Decode(r)
	}
}

type timed struct {
	ctx context.Context
	r   io.Reader
}

// Read reads until the context ends.
func (t *timed) Read(b []byte) (int, error) {
	if err := t.ctx.Err(); err != nil {
		return 0, err
	}
	return t.r.Read(b)
}

// factor is by how much whole a picture is shrunk by averages before it is
// resampled, so that what is resampled is at most a little over twice as wide as
// the widest rendition.
func factor(h Head, widest int) int {
	width, height := h.Upright()
	w, _ := Size(width, height, widest)
	return max(1, (2*width+3*w/2)/(3*w)) // width over 1.5 w, to the nearest
}

// scaling is how many bytes shrinking and resampling take: the shrunken picture,
// a strip of the full one, and the resampler's columns of four float64.
func scaling(h Head) int64 {
	k := factor(h, Widths[len(Widths)-1])
	w, v := int64((h.Width+k-1)/k), int64((h.Height+k-1)/k)
	width, height := h.Upright()
	final, other := Size(width, height, Widths[len(Widths)-1])
	if h.Turn >= 5 {
		final, other = other, final
	}
	return 4*w*v + 4*int64(h.Width)*int64(k) + 32*int64(final)*v + 8*int64(final)*int64(other)
}

// shrink lays a picture of size over white, by averages of k by k pixels.
func shrink(src image.Image, k int, size image.Point) *image.RGBA {
	out := image.NewRGBA(image.Rect(0, 0, (size.X+k-1)/k, (size.Y+k-1)/k))
	from := image.Point{}
	if b := src.Bounds(); b.Dx() == size.X && b.Dy() == size.Y {
		from = b.Min
	}
	if k == 1 {
		lay(out, src, from)
		return out
	}
	strip := image.NewRGBA(image.Rect(0, 0, size.X, k))
	sums := make([]uint32, 4*out.Rect.Dx())
	for y := range out.Rect.Dy() {
		rows := min(k, size.Y-y*k)
		strip.Rect.Max.Y = rows
		lay(strip, src, from.Add(image.Pt(0, y*k)))
		average(out.Pix[y*out.Stride:][:4*out.Rect.Dx()], strip, sums, k)
	}
	return out
}

// lay draws part of a picture over white.
func lay(on *image.RGBA, src image.Image, from image.Point) {
	draw.Draw(on, on.Rect, image.NewUniform(color.White), image.Point{}, draw.Src)
	draw.Draw(on, on.Rect, src, from, draw.Over)
}

// average makes one row of means of a strip's blocks.
func average(row []byte, strip *image.RGBA, sums []uint32, k int) {
	clear(sums)
	width, rows := strip.Rect.Dx(), strip.Rect.Dy()
	for y := range rows {
		line := strip.Pix[y*strip.Stride:][:4*width]
		for x, at := 0, 0; x < width; x += k {
			for _, c := range [3]int{0, 1, 2} {
				for i := x; i < min(x+k, width); i++ {
					sums[at+c] += uint32(line[4*i+c])
				}
			}
			at += 4
		}
	}
	for x, at := 0, 0; x < width; x += k {
		n := uint32(rows * (min(x+k, width) - x))
		for c := range 3 {
			row[at+c] = byte((sums[at+c] + n/2) / n)
		}
		row[at+3] = 0xff
		at += 4
	}
}

// scale resamples to a size that people see; the picture is still turned as it
// was stored.
func scale(src *image.RGBA, w, h, turned int) *image.RGBA {
	if turned >= 5 {
		w, h = h, w
	}
	if src.Rect.Dx() == w && src.Rect.Dy() == h {
		return src
	}
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	resample.CatmullRom.Scale(out, out.Rect, src, src.Rect, resample.Src, nil)
	return out
}

// turn sets a picture upright: EXIF's orientations, of which 1 is upright.
func turn(src *image.RGBA, turned int) *image.RGBA {
	if turned == 1 {
		return src
	}
	w, h := src.Rect.Dx(), src.Rect.Dy()
	size := image.Rect(0, 0, w, h)
	if turned >= 5 {
		size = image.Rect(0, 0, h, w)
	}
	out := image.NewRGBA(size)
	for y := range h {
		for x := range w {
			to := [9]image.Point{
				2: {w - 1 - x, y}, 3: {w - 1 - x, h - 1 - y}, 4: {x, h - 1 - y},
				5: {y, x}, 6: {h - 1 - y, x}, 7: {h - 1 - y, w - 1 - x}, 8: {y, w - 1 - x},
			}[turned]
			copy(out.Pix[out.PixOffset(to.X, to.Y):][:4], src.Pix[y*src.Stride+4*x:][:4])
		}
	}
	return out
}

// budgets are how many bytes a rendition should have, for people pay for each:
// six cards of a list, and the picture of a product, fit the pages' weight. On
// ten photographs quality 72 keeps 35 dB at 320 pixels in 7 to 18 KB, and 56 is
// 2 dB worse and a fifth smaller; below that eight steps save a tenth and show.
var budgets = map[int]int{160: 6 << 10, 320: 11 << 10, 640: 40 << 10, 960: 88 << 10}

const (
	best  = 72
	worst = 56
)

// write encodes a rendition: as well as it may be, and worse, down to a floor, as
// long as it is over its budget.
func write(m *image.RGBA, nominal int) ([]byte, error) {
	for q := best; ; q -= 8 {
		var b bytes.Buffer
		if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: q}); err != nil {
			return nil, err
		}
		if budget := budgets[nominal]; q-8 < worst || budget == 0 || b.Len() <= budget {
			return b.Bytes(), nil
		}
	}
}
