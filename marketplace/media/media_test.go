package media_test

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"net/http"
	"strings"
	"sync"
	"testing"

	"tiwiza/marketplace/media"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/blob"
	"tiwiza/pkg/pg"
)

// photo is a photograph of its own for each number.
func photo(t testing.TB, n int) []byte {
	t.Helper()
	m := image.NewGray(image.Rect(0, 0, 400, 300))
	for i := range m.Pix {
		m.Pix[i] = byte(i/400 + i%400*n)
	}
	m.SetGray(0, 0, color.Gray{byte(n)})
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

const pdf = "%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"

func TestOnlyTheOwnerAndTheOperatorReadAProof(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	v := s.upload(media.Proof, pdf)
	if v.State != media.Fresh || v.Type != "application/pdf" || v.Size != len(pdf) || v.Owner != ours {
		t.Errorf("uploaded %+v", v)
	}
	s.use(v.ID, media.Proof, "label")
	for _, path := range []string{"/v1/files/" + v.ID, "/v1/files/" + v.ID + "/content"} {
		s.refused(s.call(otherKey, "GET", path, "", ""), http.StatusNotFound, "media.not_found")
		s.refused(s.call(bankKey, "GET", path, "", ""), http.StatusNotFound, "media.not_found")
		s.refused(s.call(auth.Key{}, "GET", path, "", ""), http.StatusUnauthorized, "auth.missing")
		for _, key := range []auth.Key{ourKey, operatorKey} {
			if w := s.call(key, "GET", path, "", ""); w.Code != http.StatusOK {
				t.Errorf("answers %d %s", w.Code, w.Body)
			}
		}
	}
	w := s.call(operatorKey, "GET", "/v1/files/"+v.ID+"/content", "", "")
	for name, want := range map[string]string{
		"Content-Type": "application/pdf", "Content-Disposition": "attachment; filename=" + v.ID + ".pdf", "Cache-Control": "no-store",
		"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
	} {
		if got := w.Header().Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if w.Body.String() != pdf {
		t.Errorf("downloads %q", w.Body)
	}
	s.refused(s.call(auth.Key{}, "GET", "/v1/sounds/"+v.ID, "", ""), http.StatusNotFound, "media.not_found")
	s.refused(s.call(auth.Key{}, "GET", "/v1/pictures/"+v.ID+"/640.jpg", "", ""), http.StatusNotFound, "media.not_found")
}

func TestAnOperatorSaysWhoseFileItIs(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	s.refused(s.call(operatorKey, "POST", "/v1/files?kind=proof", "application/pdf", pdf), http.StatusUnprocessableEntity, "media.owner")
	if w := s.call(operatorKey, "POST", "/v1/files?kind=proof&owner="+ours, "application/pdf", pdf); w.Code != http.StatusCreated || !strings.Contains(w.Body.String(), ours) {
		t.Errorf("answers %d %s", w.Code, w.Body)
	}
	s.refused(s.call(otherKey, "POST", "/v1/files?kind=proof&owner="+ours, "application/pdf", pdf), http.StatusNotFound, "media.not_found")
	s.refused(s.call(bankKey, "POST", "/v1/files?kind=proof&owner="+ours, "application/pdf", pdf), http.StatusNotFound, "media.not_found")
}

func TestTheSameBytesAreTheSameFile(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	one, two := s.upload(media.Proof, pdf), s.upload(media.Proof, pdf)
	if one.ID != two.ID || s.bucket.size() != 1 {
		t.Errorf("two files, %s and %s, of %d contents", one.ID, two.ID, s.bucket.size())
	}
	w := s.call(otherKey, "POST", "/v1/files?kind=proof", "application/pdf", pdf)
	if strings.Contains(w.Body.String(), one.ID) || s.bucket.size() != 1 {
		t.Errorf("another member gets %s, of %d contents", w.Body, s.bucket.size())
	}
	var wg sync.WaitGroup
	ids := make([]string, 6)
	for i := range ids {
		wg.Go(func() {
			f, err := s.s.Add(t.Context(), media.Upload{Owner: ours, Kind: media.Picture, Bytes: photo(t, 7)})
			if err != nil {
				t.Error(err)
			}
			ids[i] = f.ID
		})
	}
	wg.Wait()
	for _, id := range ids {
		if id != ids[0] {
			t.Errorf("clicked six times, there are %v", ids)
		}
	}
}

func TestWhatIsNotAProofIsRefused(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	for name, c := range map[string]struct{ body, code string }{
		"a page":       {"<html>", "media.not_a_proof"},
		"a program":    {"MZ\x90\x00", "media.not_a_proof"},
		"half a PDF":   {"%PDF-1.4\n1 0 obj", "media.proof_broken"},
		"a large PDF":  {pdf + strings.Repeat(" ", 10<<20) + pdf, "media.proof_too_large"},
		"half a photo": {string(photo(t, 1)[:500]), "picture.broken"},
		"HEIC":         {"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic", "picture.heic"},
	} {
		t.Run(name, func(t *testing.T) {
			s.refused(s.call(ourKey, "POST", "/v1/files?kind=proof", "application/pdf", c.body), http.StatusUnprocessableEntity, c.code)
		})
	}
	s.refused(s.call(ourKey, "POST", "/v1/files?kind=proof", "application/pdf", ""), http.StatusBadRequest, "request.malformed")
	s.refused(s.call(ourKey, "POST", "/v1/files?kind=proof", "text/html", pdf), http.StatusUnsupportedMediaType, "request.media_type")
	s.refused(s.call(ourKey, "POST", "/v1/files?kind=picture", "image/jpeg", pdf), http.StatusUnprocessableEntity, "request.invalid")
	s.refused(s.call(ourKey, "POST", "/v1/files?kind=proof", "application/pdf", strings.Repeat("x", 13<<20)), http.StatusRequestEntityTooLarge, "request.too_large")
	if s.bucket.size() != 0 {
		t.Errorf("%d contents are kept of what is refused", s.bucket.size())
	}
}

func TestAPhotographOfAPaperLosesItsPlace(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	b := photo(t, 3)
	exif := "Exif\x00\x00II*\x00\x08\x00\x00\x00\x00\x00GPS 30.42 -9.58"
	b = append([]byte("\xff\xd8\xff\xe1\x00"+string(rune(len(exif)+2))+exif), b[2:]...)
	v := s.upload(media.Proof, string(b))
	w := s.call(ourKey, "GET", "/v1/files/"+v.ID+"/content", "", "")
	if v.Type != "image/jpeg" || bytes.Contains(w.Body.Bytes(), []byte("GPS")) || bytes.Contains(w.Body.Bytes(), []byte("Exif")) {
		t.Errorf("a proof of type %s keeps its place", v.Type)
	}
	if m, err := jpeg.Decode(w.Body); err != nil || m.Bounds().Dx() != 400 {
		t.Errorf("it cannot be read: %v", err)
	}
}

func TestNamesAreSafeToSave(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	form := "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"..\\..\\C:\\evil/../شهادة \u202egpj.exe\\\"\r\n.pdf\"\r\nContent-Type: image/png\r\n\r\n" + pdf + "\r\n--b--\r\n"
	w := s.call(ourKey, "POST", "/v1/files?kind=proof", "multipart/form-data; boundary=b", form)
	if w.Code != http.StatusCreated && w.Code != http.StatusBadRequest {
		t.Errorf("answers %d %s", w.Code, w.Body)
	}
	form = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"..\\\\..\\\\évil:<\u202e> شهادة.pdf\"\r\nContent-Type: image/png\r\n\r\n" + pdf + "\r\n--b--\r\n"
	w = s.call(ourKey, "POST", "/v1/files?kind=proof", "multipart/form-data; boundary=b", form)
	if w.Code != http.StatusCreated || !strings.Contains(w.Body.String(), `"name":"évil شهادة.pdf"`) {
		t.Errorf("answers %d %s", w.Code, w.Body)
	}
}

func TestAPublicFileIsOneThatSomethingUses(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	f := s.adds(photo(t, 1))
	path := "/v1/pictures/" + f.ID + "/320.jpg"
	s.refused(s.call(auth.Key{}, "GET", path, "", ""), http.StatusNotFound, "media.not_found")
	s.use(f.ID, media.Picture, "one")
	s.use(f.ID, media.Picture, "one") // twice is harmless
	s.use(f.ID, media.Picture, "two")
	w := s.call(auth.Key{}, "GET", path, "", "")
	if m, err := jpeg.Decode(bytes.NewReader(w.Body.Bytes())); err != nil || m.Bounds().Dx() != 320 || w.Header().Get("ETag") == "" ||
		w.Header().Get("Cache-Control") != "public, max-age=31536000, immutable" || w.Header().Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("answers %d %v, %v", w.Code, w.Header(), err)
	}
	for _, name := range []string{"321.jpg", "0320.jpg", "+320.jpg", "320.png", "320", "original", "..%2f320.jpg", "960.jpg.jpg"} {
		s.refused(s.call(auth.Key{}, "GET", "/v1/pictures/"+f.ID+"/"+name, "", ""), http.StatusNotFound, "media.not_found")
	}
	s.release(f.ID, "one")
	if w := s.call(auth.Key{}, "GET", path, "", ""); w.Code != http.StatusOK {
		t.Errorf("one of two gave it up, and it answers %d", w.Code)
	}
	s.release(f.ID, "two")
	s.refused(s.call(auth.Key{}, "GET", path, "", ""), http.StatusNotFound, "media.not_found")
	s.refused(s.call(ourKey, "GET", "/v1/files/"+f.ID+"/content", "", ""), http.StatusNotFound, "media.not_found")
	for what, try := range map[string]func(tx *pg.Tx) error{
		"what is dropped": func(tx *pg.Tx) error {
			_, err := s.s.Use(t.Context(), tx, f.ID, ours, media.Picture, "x")
			return err
		},
		"another's": func(tx *pg.Tx) error {
			_, err := s.s.Use(t.Context(), tx, s.adds(photo(t, 2)).ID, others, media.Picture, "x")
			return err
		},
		"another kind": func(tx *pg.Tx) error {
			_, err := s.s.Use(t.Context(), tx, s.adds(photo(t, 2)).ID, ours, media.Sound, "x")
			return err
		},
		"nothing": func(tx *pg.Tx) error { _, err := s.s.Use(t.Context(), tx, "med_0", ours, media.Sound, "x"); return err },
	} {
		if err := s.db.InTx(t.Context(), try); !errors.Is(err, media.ErrGone) {
			t.Errorf("%s is used: %v", what, err)
		}
	}
}

func TestFilesThatNothingUsesAreNotManyForever(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	for i := range 100 {
		s.upload(media.Proof, fmt.Sprintf("%s%% %d %%%%EOF", pdf, i))
	}
	w := s.call(ourKey, "POST", "/v1/files?kind=proof", "application/pdf", pdf)
	s.refused(w, http.StatusConflict, "media.too_many")
	s.later("25 hours")
	s.sweep() // they are dropped
	s.upload(media.Proof, pdf)
	s.later("2 hours")
	s.sweep() // forgotten
	s.later("25 hours")
	if n := s.sweep(); n != 100 {
		t.Errorf("%d contents go, want 100", n)
	}
}

func TestABucketThatIsDownIsAProblemToWaitFor(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	v := s.upload(media.Proof, pdf)
	s.bucket.down = errDown
	s.refused(s.call(ourKey, "POST", "/v1/files?kind=proof", "application/pdf", pdf+"%%EOF"), http.StatusServiceUnavailable, "media.unavailable")
	w := s.call(ourKey, "GET", "/v1/files/"+v.ID+"/content", "", "")
	s.refused(w, http.StatusServiceUnavailable, "media.unavailable")
	if w.Header().Get("Retry-After") == "" {
		t.Error("it does not say when to come back")
	}
	s.bucket.down = blob.ErrMissing
	s.refused(s.call(ourKey, "GET", "/v1/files/"+v.ID+"/content", "", ""), http.StatusInternalServerError, "internal")
}
