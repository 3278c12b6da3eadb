package picture

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"

	"golang.org/x/image/font"
	"golang.org/x/image/font/basicfont"
	"golang.org/x/image/math/fixed"
)

// marked is how well a marked photograph is kept: a paper must still be read.
const marked = 80

// Mark writes a text across a photograph that the press has made, again and again,
// so that no part of a copy is without it. Letters that are no ASCII are left out.
func Mark(b []byte, text string) ([]byte, error) {
	src, err := jpeg.Decode(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	m := image.NewRGBA(src.Bounds())
	draw.Draw(m, m.Bounds(), src, src.Bounds().Min, draw.Src)
	face := basicfont.Face7x13
	wide := font.MeasureString(face, text+"     ").Ceil()
	for row, y := 0, m.Bounds().Min.Y+40; y < m.Bounds().Max.Y+13; row, y = row+1, y+90 {
		for x := m.Bounds().Min.X - (row*97)%wide; x < m.Bounds().Max.X; x += wide {
			for i, ink := range []color.RGBA{{255, 255, 255, 150}, {150, 0, 0, 150}} {
				d := font.Drawer{Dst: m, Src: image.NewUniform(color.NRGBA(ink)), Face: face, Dot: fixed.P(x+1-i, y+1-i)}
				d.DrawString(text)
			}
		}
	}
	var out bytes.Buffer
	err = jpeg.Encode(&out, m, &jpeg.Options{Quality: marked})
	return out.Bytes(), err
}
