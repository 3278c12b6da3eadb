// Package picture takes in what people upload as photographs. It reads the
// bounds before it decodes, turns the picture as its camera was held, and writes
// it anew as JPEG in four widths, so that nothing of the file goes on: no
// position, no camera, no comment. What it cannot take is refused with a
// sentence that says what to do.
package picture

import (
	"fmt"

	"tiwiza/pkg/fault"
)

// Why a picture is refused.
var (
	ErrNone      = fault.New(fault.Invalid, "picture.not_a_picture", "This is not a picture. Send a photograph as JPEG, PNG, WebP or GIF.")
	ErrHEIC      = fault.New(fault.Invalid, "picture.heic", "This is a photograph in Apple's HEIC or AVIF form, which few phones can show. On the iPhone choose Settings › Camera › Formats › Most Compatible and take it again, or send it as JPEG.")
	ErrForm      = fault.New(fault.Invalid, "picture.unsupported", "This form of picture is not taken. Save it as an ordinary JPEG or PNG and send that.")
	ErrAnimated  = fault.New(fault.Invalid, "picture.animated", "This is a moving picture. Send a photograph.")
	ErrBroken    = fault.New(fault.Invalid, "picture.broken", "The picture's file is damaged or breaks off. Take the photograph again, or send the file once more.")
	ErrTooLarge  = fault.New(fault.Invalid, "picture.too_large", "The file is too large. Send a photograph of at most 12 MB.")
	ErrTooMany   = fault.New(fault.Invalid, "picture.too_many_pixels", "The picture has too many pixels. Make it smaller before you send it: 4000 by 3000 is plenty.")
	ErrTooLittle = fault.New(fault.Invalid, "picture.too_small", "The picture is too small to show anything. Send one that is at least 32 pixels wide and high.")
	ErrBusy      = fault.New(fault.Unavailable, "picture.busy", "Many pictures are coming in just now. Send this one again in a few seconds.")
)

// What is taken.
const (
	MaxBytes  = 12 << 20   // of the file
	MaxPixels = 40_000_000 // width times height
	maxSide   = 20_000
	minSide   = 32
	maxMemory = 192 << 20 // that decoding and scaling one picture may need
	maxScans  = 100       // of a progressive JPEG; each is a walk over all pixels
)

// Widths are those in which every picture is kept, smallest first. A picture
// that is narrower is kept as wide as it is.
var Widths = []int{160, 320, 640, 960}

// A Rendition is the picture in one width.
type Rendition struct {
	Nominal       int // the one of Widths it stands for
	Width, Height int
	JPEG          []byte
}

// Size is how large a picture is shown for one of Widths: never larger than it
// is, and at most twice as high as that width.
func Size(width, height, nominal int) (w, h int) {
	w = min(width, nominal)
	h = (height*w + width/2) / width
	if h > 2*nominal {
		h = 2 * nominal
		w = (width*h + height/2) / height
	}
	return max(w, 1), max(h, 1)
}

// A Form is how a picture is written.
type Form string

// The forms that are taken.
const (
	JPEG Form = "image/jpeg"
	PNG  Form = "image/png"
	WebP Form = "image/webp"
	GIF  Form = "image/gif"
)

// A Head is what is known of a picture before it is decoded.
type Head struct {
	Form          Form
	Width, Height int   // as it is stored, before it is turned
	Turn          int   // EXIF's orientation, 1 to 8
	Memory        int64 // that decoding and scaling it needs, about
}

// Upright is the size as people see it.
func (h Head) Upright() (width, height int) {
	if h.Turn >= 5 {
		return h.Height, h.Width
	}
	return h.Width, h.Height
}

// Look reads the head of a picture and says at once why it is refused. It holds
// nothing and decodes nothing.
func Look(b []byte) (Head, error) {
	if len(b) > MaxBytes {
		return Head{}, ErrTooLarge
	}
	h, bytes, err := head(b)
	if err != nil {
		return Head{}, err
	}
	switch pixels := int64(h.Width) * int64(h.Height); {
	case h.Width <= 0 || h.Height <= 0:
		return Head{}, ErrBroken.With(fmt.Errorf("%d by %d", h.Width, h.Height))
	case h.Width > maxSide || h.Height > maxSide || pixels > MaxPixels:
		return Head{}, ErrTooMany.With(fmt.Errorf("%d by %d", h.Width, h.Height))
	case h.Width < minSide || h.Height < minSide:
		return Head{}, ErrTooLittle
	default:
		h.Memory = int64(float64(pixels)*bytes) + scaling(h)
	}
	if h.Memory > maxMemory {
		return Head{}, ErrTooMany.With(fmt.Errorf("%d by %d as %s needs %d MB", h.Width, h.Height, h.Form, h.Memory>>20))
	}
	return h, nil
}

// head tells the form by the file's own bytes, never by what the sender says,
// and how many bytes a pixel takes while it is decoded.
func head(b []byte) (Head, float64, error) {
	switch form := Sniff(b); form {
	case string(JPEG):
		return headJPEG(b)
	case string(PNG):
		return headPNG(b)
	case string(GIF):
		return headGIF(b)
	case string(WebP):
		return headWebP(b)
	case "image/heic":
		return Head{}, 0, ErrHEIC
	case "":
		return Head{}, 0, ErrNone
	default:
		return Head{}, 0, ErrForm.With(fmt.Errorf("it is %s", form))
	}
}

// Sniff tells by its first bytes which kind of picture a file is; "" for none.
func Sniff(b []byte) string {
	at := func(i int, s string) bool { return len(b) >= i+len(s) && string(b[i:i+len(s)]) == s }
	switch {
	case at(0, "\xff\xd8\xff"):
		return string(JPEG)
	case at(0, "\x89PNG\r\n\x1a\n"):
		return string(PNG)
	case at(0, "GIF87a"), at(0, "GIF89a"):
		return string(GIF)
	case at(0, "RIFF") && at(8, "WEBP"):
		return string(WebP)
	case at(4, "ftyp") && (at(8, "he") || at(8, "mif1") || at(8, "msf1") || at(8, "avi") || at(8, "miaf")):
		return "image/heic"
	case at(0, "II*\x00"), at(0, "MM\x00*"), at(0, "II+\x00"), at(0, "MM\x00+"):
		return "image/tiff"
	case at(0, "BM") && len(b) > 26 && b[5] == 0 && b[6] == 0 && b[7] == 0:
		return "image/bmp"
	case at(0, "\xff\x0a"), at(0, "\x00\x00\x00\x0cJXL "):
		return "image/jxl"
	case at(0, "\x00\x00\x00\x0cjP  "):
		return "image/jp2"
	}
	return ""
}
