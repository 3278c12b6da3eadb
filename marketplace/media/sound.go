package media

import (
	"bytes"
	"encoding/binary"
)

// hear tells by its bytes which kind of recording a file is, and gives it without
// what the telephone wrote beside the sound: titles, pictures, and the place
// where it was recorded. The sound itself is not touched.
func hear(b []byte) (kind string, clean []byte, err error) {
	if len(b) > maxSound {
		return "", nil, ErrLongSound
	}
	at := func(i int, s string) bool { return len(b) >= i+len(s) && string(b[i:i+len(s)]) == s }
	switch {
	case at(0, "OggS"):
		kind = "audio/ogg"
		clean, err = ogg(bytes.Clone(b))
	case at(4, "ftyp"):
		kind = "audio/mp4"
		clean, err = mp4(bytes.Clone(b))
	case at(0, "\x1a\x45\xdf\xa3"):
		kind = "audio/webm"
		clean, err = webm(bytes.Clone(b))
	case at(0, "ID3"), len(b) > 3 && frame(b) > 0:
		kind = "audio/mpeg"
		clean, err = mp3(b)
	default:
		err = ErrNoSound
	}
	if err != nil {
		return "", nil, err
	}
	return kind, clean, nil
}

// ogg checks each page of an Opus recording (RFC 3533, RFC 7845) and empties the
// comments, which stand on pages of their own after the first.
func ogg(b []byte) ([]byte, error) {
	const head = 27
	tags, pages := false, 0
	for at := 0; at < len(b); pages++ {
		p := b[at:]
		if len(p) < head || string(p[:4]) != "OggS" || len(p) < head+int(p[26]) {
			return nil, ErrBadSound
		}
		lacing := p[head : head+int(p[26])]
		size := head + len(lacing)
		for _, n := range lacing {
			size += int(n)
		}
		if len(p) < size || len(lacing) == 0 && pages < 2 {
			return nil, ErrBadSound
		}
		p = p[:size]
		if sum := binary.LittleEndian.Uint32(p[22:]); sum != oggSum(p) {
			return nil, ErrBadSound
		}
		body := p[head+len(lacing):]
		switch {
		case pages == 0 && !bytes.HasPrefix(body, []byte("OpusHead")):
			return nil, ErrNoSound
		case pages == 1:
			if len(body) < 16 || string(body[:8]) != "OpusTags" {
				return nil, ErrBadSound
			}
			tags = true
			clear(body[8:]) // no vendor, no comments; what follows is padding
		case tags:
			clear(body)
		}
		if tags {
			binary.LittleEndian.PutUint32(p[22:], oggSum(p))
			tags = lacing[len(lacing)-1] == 255 // they go on
		}
		at += size
	}
	if pages < 3 {
		return nil, ErrBadSound
	}
	return b, nil
}

// oggSum is a page's CRC: polynomial 0x04c11db7, not reflected, its own field
// taken as zero.
func oggSum(page []byte) (sum uint32) {
	for i, c := range page {
		if i >= 22 && i < 26 {
			c = 0
		}
		sum = sum<<8 ^ oggTable[byte(sum>>24)^c]
	}
	return sum
}

var oggTable = func() (t [256]uint32) {
	for i := range t {
		r := uint32(i) << 24
		for range 8 {
			if r&0x80000000 != 0 {
				r = r<<1 ^ 0x04c11db7
			} else {
				r <<= 1
			}
		}
		t[i] = r
	}
	return t
}()

// mp3 keeps the frames, and nothing that stands before or behind them.
func mp3(b []byte) ([]byte, error) {
	for len(b) > 10 && string(b[:3]) == "ID3" {
		n := 10 + int(b[6]&0x7f)<<21 + int(b[7]&0x7f)<<14 + int(b[8]&0x7f)<<7 + int(b[9]&0x7f)
		if b[5]&0x10 != 0 {
			n += 10
		}
		if n > len(b) {
			return nil, ErrBadSound
		}
		b = bytes.TrimLeft(b[n:], "\x00") // padding that some writers do not count
	}
	frames, end := 0, 0
	for end+4 <= len(b) {
		n := frame(b[end:])
		if n == 0 || end+n > len(b) {
			break
		}
		frames, end = frames+1, end+n
	}
	rest := b[end:]
	tagged := bytes.HasPrefix(rest, []byte("TAG")) || bytes.HasPrefix(rest, []byte("APETAGEX"))
	switch {
	case frames == 0:
		return nil, ErrNoSound
	case frames < 3, !tagged && frame(rest) == 0 && len(bytes.Trim(rest, "\x00")) > 0:
		return nil, ErrBadSound // the last frame may break off, but nothing else may follow
	}
	return b[:end], nil
}

var (
	mp3Rates = [4]int{11025, 0, 22050, 44100} // of MPEG 2.5, –, 2 and 1
	mp3Bits  = [2][15]int{
		{0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320},
		{0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160},
	}
)

// frame is how long the frame of layer III is that begins here, or 0.
func frame(b []byte) int {
	if len(b) < 4 || b[0] != 0xff || b[1]&0xe0 != 0xe0 || b[1]&0x06 != 0x02 {
		return 0
	}
	version, bits, rate := b[1]>>3&3, b[2]>>4, int(b[2]>>2&3)
	if version == 1 || bits == 0 || bits == 15 || rate == 3 {
		return 0
	}
	hertz := mp3Rates[version]
	switch rate {
	case 1: // 48000, 24000, 12000
		hertz = hertz * 480 / 441
	case 2: // 32000, 16000, 8000
		hertz = hertz * 320 / 441
	}
	table, samples := 1, 72
	if version == 3 {
		table, samples = 0, 144
	}
	return samples*1000*mp3Bits[table][bits]/hertz + int(b[2]>>1&1)
}

// mp4 walks the boxes of an M4A recording (ISO/IEC 14496-12) and blanks those
// that say anything but how to play it.
func mp4(b []byte) ([]byte, error) {
	w := &boxes{}
	if !w.walk(b, 0) {
		return nil, ErrBadSound
	}
	switch {
	case w.film:
		return nil, ErrFilm
	case !w.moov:
		return nil, ErrBadSound
	case !w.sound:
		return nil, ErrNoSound
	}
	return b, nil
}

type boxes struct{ moov, sound, film bool }

// walk goes through the boxes of b, which must fill it.
func (w *boxes) walk(b []byte, depth int) bool {
	for len(b) > 0 {
		if len(b) < 8 || depth > 8 {
			return false
		}
		size, head := uint64(binary.BigEndian.Uint32(b)), 8
		switch {
		case size == 0 && depth == 0:
			size = uint64(len(b))
		case size == 1 && len(b) >= 16:
			size, head = binary.BigEndian.Uint64(b[8:]), 16
		}
		if size < uint64(head) || size > uint64(len(b)) {
			return false
		}
		if !w.box(b[4:8], b[head:size], depth) {
			return false
		}
		b = b[size:]
	}
	return true
}

func (w *boxes) box(name, body []byte, depth int) bool {
	switch string(name) {
	case "moov":
		w.moov = true
		return w.walk(body, depth+1)
	case "trak", "mdia", "moof", "traf", "edts":
		return w.walk(body, depth+1)
	case "hdlr":
		if len(body) >= 12 {
			w.sound = w.sound || string(body[8:12]) == "soun"
			w.film = w.film || string(body[8:12]) == "vide"
		}
	case "udta", "meta", "uuid", "free", "skip", "wide":
		copy(name, "free")
		clear(body)
	}
	return true
}

// webm walks the elements of a recording (RFC 9559) and blanks tags and
// attachments.
func webm(b []byte) ([]byte, error) {
	w := &elements{}
	if !w.walk(b, 0) || !w.cluster {
		return nil, ErrBadSound
	}
	switch {
	case w.film:
		return nil, ErrFilm
	case !w.named || !w.sound:
		return nil, ErrNoSound
	}
	return b, nil
}

type elements struct{ named, sound, film, cluster bool }

// Elements of Matroska that are looked at.
const (
	ebmlHead, docType                  = 0x1a45dfa3, 0x4282
	segment, tracks, track             = 0x18538067, 0x1654ae6b, 0xae
	trackType, cluster                 = 0x83, 0x1f43b675
	tagList, attached, chapters, blank = 0x1254c367, 0x1941a469, 0x1043a770, 0xec
)

// walk goes through the elements of b. Those of unknown size, as live recorders
// write them, go on to the end: what is inside stands beside them.
func (w *elements) walk(b []byte, depth int) bool {
	for len(b) > 0 {
		id, n := vint(b, false)
		if n == 0 || n > 4 {
			return false
		}
		size, m := vint(b[n:], true)
		if m == 0 || depth > 6 {
			return false
		}
		body := b[n+m:]
		if known := size != 1<<(7*m)-1; known {
			if size > uint64(len(body)) {
				return false
			}
			body = body[:size]
		} else if id == segment || id == cluster {
			w.cluster = w.cluster || id == cluster
			b = body
			continue
		} else {
			return false
		}
		if !w.element(id, b[:n+m+len(body)], body, depth) {
			return false
		}
		b = b[n+m+len(body):]
	}
	return true
}

func (w *elements) element(id uint64, whole, body []byte, depth int) bool {
	switch id {
	case ebmlHead, segment, tracks, track:
		return w.walk(body, depth+1)
	case cluster:
		w.cluster = true
	case docType:
		w.named = w.named || string(bytes.TrimRight(body, "\x00")) == "webm"
	case trackType:
		w.sound = w.sound || len(body) == 1 && body[0] == 2
		w.film = w.film || len(body) == 1 && body[0] == 1
	case tagList, attached, chapters, blank:
		void(whole)
	}
	return true
}

// void makes an element one that says nothing, of the same length.
func void(whole []byte) {
	clear(whole)
	whole[0] = blank
	if n := len(whole); n < 9 {
		whole[1] = 0x80 | byte(n-2)
	} else {
		binary.BigEndian.PutUint64(whole[1:], 1<<56|uint64(n-9))
	}
}

// vint reads a number of variable length and says how long it is, 0 when it is
// none; bare numbers lose the bit that says so.
func vint(b []byte, bare bool) (uint64, int) {
	if len(b) == 0 || b[0] == 0 {
		return 0, 0
	}
	n := 1
	for b[0]&(0x80>>(n-1)) == 0 {
		n++
	}
	if len(b) < n {
		return 0, 0
	}
	v := uint64(b[0])
	if bare {
		v &= 0xff >> n
	}
	for _, c := range b[1:n] {
		v = v<<8 | uint64(c)
	}
	return v, n
}
