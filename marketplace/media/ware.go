package media

import (
	"bytes"

	"tiwiza/pkg/picture"
)

// signs are how files begin that may be sold, and where.
var signs = []struct {
	at    int
	begin string
	is    string
}{
	{0, "%PDF-", "application/pdf"},
	{30, "mimetypeapplication/epub+zip", "application/epub+zip"},
	{0, "PK\x03\x04", "application/zip"},
	{0, "OggS", "audio/ogg"},
	{0, "ID3", "audio/mpeg"},
	{0, "\xff\xfb", "audio/mpeg"},
	{4, "ftypM4A", "audio/mp4"},
	{4, "ftyp", "video/mp4"},
	{0, "\x1aE\xdf\xa3", "video/webm"},
}

// sold is the type of a file that may be sold, told by its bytes. Programs and
// pages that would run are none.
func sold(b []byte) (string, error) {
	if len(b) > maxWare {
		return "", ErrLongWare
	}
	for _, s := range signs {
		if len(b) > s.at && bytes.HasPrefix(b[s.at:], []byte(s.begin)) {
			return s.is, nil
		}
	}
	if form := picture.Sniff(b); form == string(picture.JPEG) || form == string(picture.PNG) {
		return form, nil
	}
	return "", ErrNoWare
}
