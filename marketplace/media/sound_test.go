package media_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math/bits"
	"net/http"
	"strings"
	"testing"

	"tiwiza/marketplace/media"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/fault"
)

// oggPage is a page (RFC 3533) with one packet, which goes on when more is so.
func oggPage(seq int, body string, more bool) []byte {
	p := append([]byte("OggS\x00\x00"), make([]byte, 8)...)
	p = append(p, 1, 0, 0, 0)
	p = binary.LittleEndian.AppendUint32(p, uint32(seq))
	p = append(p, 0, 0, 0, 0)
	n := len(body) / 255
	lacing := bytes.Repeat([]byte{255}, n)
	if !more {
		lacing = append(lacing, byte(len(body)%255))
	}
	p = append(append(append(p, byte(len(lacing))), lacing...), body...)
	binary.LittleEndian.PutUint32(p[22:], crcOgg(p))
	return p
}

// crcOgg reckons the CRC of Ogg from that of Ethernet, whose bits run the other
// way: an oracle apart from the hub's own table.
func crcOgg(p []byte) uint32 {
	turned := make([]byte, len(p))
	for i, c := range p {
		turned[i] = bits.Reverse8(c)
	}
	return bits.Reverse32(^crc32.Update(^uint32(0), crc32.IEEETable, turned))
}

func opus(tags string) string {
	head := "OpusHead\x01\x01\x00\x00\x80\xbb\x00\x00\x00\x00\x00"
	var b []byte
	b = append(b, oggPage(0, head, false)...)
	if len(tags) > 510 {
		b = append(b, oggPage(1, tags[:510], true)...)
		b = append(b, oggPage(2, tags[510:], false)...)
	} else {
		b = append(b, oggPage(1, tags, false)...)
	}
	return string(append(append(b, oggPage(3, "the sound itself", false)...), oggPage(4, "goes on", false)...))
}

const opusTags = "OpusTags\x04\x00\x00\x00vend\x01\x00\x00\x00\x14\x00\x00\x00LOCATION=30.42,-9.58"

// mp3Frame is a frame of layer III: MPEG 1, 64 kbit/s, 44.1 kHz.
var mp3Frame = "\xff\xfb\x50\x00" + strings.Repeat("\x55", 204)

func box(name string, body ...string) string {
	all := strings.Join(body, "")
	return string(binary.BigEndian.AppendUint32(nil, uint32(8+len(all)))) + name + all
}

func m4a(handler string) string {
	return box("ftyp", "M4A \x00\x00\x00\x00") +
		box("moov", box("mvhd", strings.Repeat("\x00", 20)),
			box("trak", box("mdia", box("hdlr", "\x00\x00\x00\x00\x00\x00\x00\x00"+handler+"\x00"))),
			box("udta", box("\xa9xyz", "\x00\x12\x15\xc7+30.42-009.58/")), box("meta", "com.apple.quicktime.location +30.42")) +
		box("mdat", "the sound itself")
}

func element(id, body string) string { return id + string([]byte{0x80 | byte(len(body))}) + body }

func webm(kind string, live bool) string {
	inside := element("\x16\x54\xae\x6b", element("\xae", element("\x83", kind)+element("\x86", "A_OPUS"))) +
		element("\x12\x54\xc3\x67", "LOCATION +30.42-009.58")
	head := element("\x1a\x45\xdf\xa3", element("\x42\x82", "webm"))
	if live {
		const open = "\x01\xff\xff\xff\xff\xff\xff\xff"
		return head + "\x18\x53\x80\x67" + open + inside + "\x1f\x43\xb6\x75" + open + element("\xe7", "\x00") + element("\xa3", "the sound itself")
	}
	return head + element("\x18\x53\x80\x67", inside+element("\x1f\x43\xb6\x75", element("\xa3", "the sound itself")))
}

func TestAVoiceNoteIsKeptWithoutItsPlace(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	for name, c := range map[string]struct{ file, kind string }{
		"Ogg Opus":            {opus(opusTags), "audio/ogg"},
		"tags over two pages": {opus("OpusTags\x04\x00\x00\x00vend\x01\x00\x00\x00\x00\x03\x00\x00LOCATION=30.42" + strings.Repeat(" 30.42", 120)), "audio/ogg"},
		"MP3":                 {mp3Frame + mp3Frame + mp3Frame + mp3Frame, "audio/mpeg"},
		"MP3 with tags":       {"ID3\x03\x00\x00\x00\x00\x00\x10GEOB +30.42,-9.5" + "\x00\x00" + strings.Repeat(mp3Frame, 5) + "TAG30.42" + strings.Repeat(" ", 120), "audio/mpeg"},
		"MP3 that breaks off": {strings.Repeat(mp3Frame, 4) + mp3Frame[:50], "audio/mpeg"},
		"M4A":                 {m4a("soun"), "audio/mp4"},
		"WebM":                {webm("\x02", false), "audio/webm"},
		"WebM, live":          {webm("\x02", true), "audio/webm"},
	} {
		v := s.upload(media.Sound, c.file)
		if v.Type != c.kind {
			t.Errorf("%s is %s, want %s", name, v.Type, c.kind)
		}
		s.refused(s.call(auth.Key{}, "GET", "/v1/sounds/"+v.ID, "", ""), http.StatusNotFound, "media.not_found")
		s.use(v.ID, media.Sound, "off")
		w := s.call(auth.Key{}, "GET", "/v1/sounds/"+v.ID, "", "")
		got := w.Body.String()
		if w.Code != http.StatusOK || w.Header().Get("Content-Type") != c.kind || len(got) == 0 {
			t.Errorf("%s answers %d %v", name, w.Code, w.Header())
		}
		for _, secret := range []string{"30.42", "LOCATION", "location", "xyz", "vend", "GEOB"} {
			if strings.Contains(got, secret) {
				t.Errorf("%s goes on with %q", name, secret)
			}
		}
		if strings.Contains(c.file, "the sound itself") != strings.Contains(got, "the sound itself") {
			t.Errorf("%s loses its sound", name)
		}
		if again := s.upload(media.Sound, got); again.Type != c.kind {
			t.Errorf("what is kept of %s is not taken again", name)
		}
	}
	if c := oggPage(1, "x", false); binary.LittleEndian.Uint32(c[22:]) == 0 {
		t.Error("the oracle's sum is nothing")
	}
}

func TestWhatIsNotAVoiceNoteIsRefused(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	flipped := []byte(opus(opusTags))
	flipped[len(flipped)-3] ^= 1
	for name, c := range map[string]struct {
		file string
		want *fault.Error
	}{
		"a text":                   {"Bonjour", media.ErrNoSound},
		"a photograph":             {string(photo(t, 1)), media.ErrNoSound},
		"a program":                {"\x7fELF\x02\x01\x01", media.ErrNoSound},
		"an Ogg film":              {string(oggPage(0, "\x80theora", false)) + string(oggPage(1, "x", false)) + string(oggPage(2, "x", false)), media.ErrNoSound},
		"an Ogg of two pages":      {opus(opusTags)[:140], media.ErrBadSound},
		"an Ogg that breaks off":   {opus(opusTags)[:len(opus(opusTags))-3], media.ErrBadSound},
		"an Ogg with a wrong bit":  {string(flipped), media.ErrBadSound},
		"an Ogg without tags":      {opus("Opus"), media.ErrBadSound},
		"one frame of MP3":         {mp3Frame, media.ErrBadSound},
		"MP3 with a page behind":   {strings.Repeat(mp3Frame, 4) + "<script>alert(1)</script>", media.ErrBadSound},
		"an ID3 tag and no sound":  {"ID3\x03\x00\x00\x00\x00\x00\x04abcd", media.ErrNoSound},
		"an ID3 tag that lies":     {"ID3\x03\x00\x00\x7f\x7f\x7f\x7fabcd", media.ErrBadSound},
		"a film as M4A":            {m4a("vide"), media.ErrFilm},
		"an M4A of no track":       {m4a("text"), media.ErrNoSound},
		"an M4A that breaks off":   {m4a("soun")[:80], media.ErrBadSound},
		"an M4A without moov":      {box("ftyp", "M4A \x00\x00\x00\x00") + box("mdat", "x"), media.ErrBadSound},
		"boxes in boxes":           {box("ftyp", "M4A \x00\x00\x00\x00") + box("moov", nested(200)), media.ErrBadSound},
		"a film as WebM":           {webm("\x01", false), media.ErrFilm},
		"a WebM that breaks off":   {webm("\x02", false)[:60], media.ErrBadSound},
		"a Matroska of another":    {strings.Replace(webm("\x02", false), "webm", "mkv1", 1), media.ErrNoSound},
		"an element of 2^56 bytes": {element("\x1a\x45\xdf\xa3", element("\x42\x82", "webm")) + "\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xfe", media.ErrBadSound},
		"more than 3 MB":           {strings.Repeat(mp3Frame, 16_000), media.ErrLongSound},
	} {
		_, err := s.s.Add(t.Context(), media.Upload{Owner: ours, Kind: media.Sound, Bytes: []byte(c.file)})
		if !errors.Is(err, c.want) || fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v, want %s", name, err, c.want.Code)
		}
	}
	s.refused(s.call(ourKey, "POST", "/v1/files?kind=sound", "audio/ogg", "Bonjour"), http.StatusUnprocessableEntity, "media.not_a_sound")
}

func nested(n int) string {
	all := ""
	for range n {
		all = box("trak", all)
	}
	return all
}

// Whatever comes in as a voice note is refused with a code, or is kept in a form
// that is taken again as it is, and no longer than it came.
func FuzzHear(f *testing.F) {
	for _, s := range []string{opus(opusTags), opus(opusTags + strings.Repeat("x", 600)), strings.Repeat(mp3Frame, 4), m4a("soun"), webm("\x02", false), webm("\x02", true), "ID3\x03\x00\x00\x00\x00\x00\x01a" + strings.Repeat(mp3Frame, 4)} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		before := bytes.Clone(b)
		kind, clean, err := media.Hear(b)
		if !bytes.Equal(b, before) {
			t.Fatal("what was sent is changed")
		}
		if err != nil {
			if e, ok := errors.AsType[*fault.Error](err); !ok || e.Kind != fault.Invalid || clean != nil {
				t.Fatalf("refused with %v", err)
			}
			return
		}
		again, same, err := media.Hear(clean)
		if err != nil || again != kind || !bytes.Equal(same, clean) || len(clean) > len(b) || len(clean) == 0 {
			t.Fatalf("%s is %s the second time, %d and %d bytes, %v", kind, again, len(clean), len(same), err)
		}
	})
}
