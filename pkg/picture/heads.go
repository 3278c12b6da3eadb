package picture

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// headJPEG walks the segments: the frame says the size and the way of coding,
// the EXIF segment how the camera was held.
func headJPEG(b []byte) (h Head, perPixel float64, err error) {
	h = Head{Form: JPEG, Turn: 1}
	scans, framed, plain := 0, false, false
	for i := 2; ; {
		for i < len(b) && b[i] != 0xff { // coded data, or what a careless writer left between
			i++
		}
		for i < len(b) && b[i] == 0xff {
			i++
		}
		if i >= len(b) {
			break
		}
		marker := b[i]
		i++
		if marker == 0 || marker == 1 || marker >= 0xd0 && marker <= 0xd8 {
			continue // a coded 0xff, or a marker without a segment
		}
		if marker == 0xd9 { // the end; what phones hang on behind it is not looked at
			break
		}
		if i+2 > len(b) {
			break
		}
		n := int(binary.BigEndian.Uint16(b[i:]))
		if n < 2 || i+n > len(b) {
			break
		}
		segment := b[i+2 : i+n]
		i += n
		switch {
		case marker == 0xda:
			if scans++; scans > maxScans {
				return h, 0, ErrForm.With(fmt.Errorf("more than %d scans", maxScans))
			}
		case marker == 0xe1 && bytes.HasPrefix(segment, []byte("Exif\x00\x00")) && scans == 0:
			h.Turn = orientation(segment[6:])
		case marker == 0xee && len(segment) >= 12 && string(segment[:5]) == "Adobe" && segment[11] == 0:
			plain = true // red, green and blue as they are
		case marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc:
			if framed {
				return h, 0, ErrBroken.With(fmt.Errorf("two frames"))
			}
			framed = true
			if perPixel, err = h.frame(marker, segment); err != nil {
				return h, 0, err
			}
		}
	}
	if !framed || scans == 0 {
		return h, 0, ErrBroken.With(fmt.Errorf("no frame or no scan"))
	}
	if plain {
		perPixel += 4
	}
	return h, perPixel, nil
}

// frame reads a frame's size, and says how many bytes a pixel of it takes:
// what its samples take, and four for each while a progressive one is put
// together; a fourth colour, and plain red, green and blue, make a second copy.
func (h *Head) frame(marker byte, s []byte) (float64, error) {
	if marker > 0xc2 {
		return 0, ErrForm.With(fmt.Errorf("JPEG coding %#x", marker))
	}
	if len(s) < 6 || len(s) < 6+3*int(s[5]) {
		return 0, ErrBroken.With(fmt.Errorf("short frame"))
	}
	if s[0] != 8 {
		return 0, ErrForm.With(fmt.Errorf("%d bits a sample", s[0]))
	}
	h.Height, h.Width = int(binary.BigEndian.Uint16(s[1:])), int(binary.BigEndian.Uint16(s[3:]))
	colours := int(s[5])
	if colours != 1 && colours != 3 && colours != 4 {
		return 0, ErrForm.With(fmt.Errorf("%d colours", colours))
	}
	var most, sum float64
	for c := range colours {
		hv := s[6+3*c+1]
		area := float64(hv>>4) * float64(hv&15)
		if area == 0 || area > 16 {
			return 0, ErrBroken.With(fmt.Errorf("samples %#x", hv))
		}
		most, sum = max(most, area), sum+area
	}
	samples := sum / most
	if colours == 1 {
		samples = 1
	}
	perPixel := samples
	if marker == 0xc2 {
		perPixel += 4 * samples
	}
	if colours == 4 || colours == 3 && s[6] == 'R' && s[9] == 'G' && s[12] == 'B' {
		perPixel += 4
	}
	return perPixel, nil
}

// headPNG reads the first chunk, and looks for EXIF before the pixels.
func headPNG(b []byte) (Head, float64, error) {
	h := Head{Form: PNG, Turn: 1}
	if len(b) < 33 || string(b[12:16]) != "IHDR" {
		return h, 0, ErrBroken.With(fmt.Errorf("no IHDR"))
	}
	w, v := binary.BigEndian.Uint32(b[16:]), binary.BigEndian.Uint32(b[20:])
	if w > maxSide || v > maxSide {
		return h, 0, ErrTooMany.With(fmt.Errorf("%d by %d", w, v))
	}
	h.Width, h.Height = int(w), int(v)
	depth, colour, interlaced := b[24], b[25], b[28] == 1
	perPixel := map[byte]float64{0: 1, 2: 4, 3: 1, 4: 4, 6: 4}[colour]
	if perPixel == 0 {
		return h, 0, ErrBroken.With(fmt.Errorf("colour type %d", colour))
	}
	if depth == 16 {
		perPixel *= 2
		if colour == 4 {
			perPixel = 8
		}
	}
	if interlaced {
		perPixel *= 1.5 // the last pass is half of the picture
	}
	for i := 8; i+12 <= len(b); {
		n := int(binary.BigEndian.Uint32(b[i:]))
		if n < 0 || n > len(b)-i-12 {
			break
		}
		switch string(b[i+4 : i+8]) {
		case "eXIf":
			h.Turn = orientation(b[i+8 : i+8+n])
		case "tRNS":
			perPixel = max(perPixel, 4*float64(max(depth, 8)/8))
		case "IDAT":
			return h, perPixel, nil
		}
		i += 12 + n
	}
	return h, perPixel, nil
}

// headGIF reads the screen; of many pictures the first is taken.
func headGIF(b []byte) (Head, float64, error) {
	h := Head{Form: GIF, Turn: 1}
	if len(b) < 13 {
		return h, 0, ErrBroken.With(fmt.Errorf("short head"))
	}
	h.Width, h.Height = int(binary.LittleEndian.Uint16(b[6:])), int(binary.LittleEndian.Uint16(b[8:]))
	return h, 1, nil
}

// headWebP reads the first chunk, and EXIF wherever it stands.
func headWebP(b []byte) (Head, float64, error) {
	h := Head{Form: WebP, Turn: 1}
	if len(b) < 30 {
		return h, 0, ErrBroken.With(fmt.Errorf("short head"))
	}
	first := string(b[12:16])
	perPixel := 8.0 // lossless, with what its transforms need
	switch first {
	case "VP8 ":
		perPixel = 1.5
		h.Width, h.Height = int(binary.LittleEndian.Uint16(b[26:])&0x3fff), int(binary.LittleEndian.Uint16(b[28:])&0x3fff)
	case "VP8L":
		bits := binary.LittleEndian.Uint32(b[21:])
		h.Width, h.Height = int(bits&0x3fff)+1, int(bits>>14&0x3fff)+1
	case "VP8X":
		if b[20]&0x02 != 0 {
			return h, 0, ErrAnimated
		}
		h.Width, h.Height = 1+int(uint24(b[24:])), 1+int(uint24(b[27:]))
		perPixel = 9
	default:
		return h, 0, ErrBroken.With(fmt.Errorf("first chunk %q", first))
	}
	for i := 12; i+8 <= len(b); {
		n := int(binary.LittleEndian.Uint32(b[i+4:]))
		if n < 0 || n > len(b)-i-8 {
			break
		}
		switch id := string(b[i : i+4]); {
		case id == "EXIF":
			h.Turn = orientation(bytes.TrimPrefix(b[i+8:i+8+n], []byte("Exif\x00\x00")))
		case first == "VP8X" && (id == "VP8 " || id == "VP8L") && n >= 10:
			// The frame is what is decoded: its own size counts.
			w, v := frameWebP(id, b[i+8:])
			if w != h.Width || v != h.Height {
				return h, 0, ErrBroken.With(fmt.Errorf("a frame of %d by %d in a picture of %d by %d", w, v, h.Width, h.Height))
			}
		}
		i += 8 + n + n&1
	}
	return h, perPixel, nil
}

func frameWebP(id string, b []byte) (w, h int) {
	if id == "VP8L" {
		bits := binary.LittleEndian.Uint32(b[1:])
		return int(bits&0x3fff) + 1, int(bits>>14&0x3fff) + 1
	}
	return int(binary.LittleEndian.Uint16(b[6:]) & 0x3fff), int(binary.LittleEndian.Uint16(b[8:]) & 0x3fff)
}

func uint24(b []byte) uint32 { return uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 }

// orientation reads the tag 0x0112 of EXIF's first folder: 1 when there is none
// that makes sense, for a bad note is no reason to refuse a good picture.
func orientation(exif []byte) int {
	if len(exif) < 8 {
		return 1
	}
	var order binary.ByteOrder = binary.LittleEndian
	switch string(exif[:4]) {
	case "II*\x00":
	case "MM\x00*":
		order = binary.BigEndian
	default:
		return 1
	}
	at := int64(order.Uint32(exif[4:]))
	if at+2 > int64(len(exif)) {
		return 1
	}
	n := int64(order.Uint16(exif[at:]))
	for i := range n {
		e := at + 2 + 12*i
		if e+12 > int64(len(exif)) {
			return 1
		}
		if order.Uint16(exif[e:]) == 0x0112 && order.Uint16(exif[e+2:]) == 3 {
			if v := int(order.Uint16(exif[e+8:])); v >= 1 && v <= 8 {
				return v
			}
			return 1
		}
	}
	return 1
}
