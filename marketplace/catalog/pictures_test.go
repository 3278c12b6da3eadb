package catalog_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"tiwiza/marketplace/catalog"
	"tiwiza/pkg/auth"
)

// photo is a photograph of its own for each number, with EXIF that says where it
// was taken and that the camera lay on its side.
func photo(t testing.TB, n int) string {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, 600, 400))
	for i := range 400 {
		for j := range 600 {
			m.SetRGBA(j, i, color.RGBA{uint8(40 * n), uint8(i / 2), uint8(j / 3), 255})
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, nil); err != nil {
		t.Fatal(err)
	}
	exif := "Exif\x00\x00II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00\x06\x00\x00\x00\x00\x00\x00\x00GPSLatitude 30.42"
	return "\xff\xd8\xff\xe1\x00" + string(rune(len(exif)+2)) + exif + b.String()[2:]
}

func (m *market) photograph(key auth.Key, offer, file string) answer {
	m.Helper()
	return m.call(key, "POST", "/v1/offers/"+offer+"/images", "image/jpeg", file)
}

// added sends photographs, which must be taken.
func (m *market) added(offer string, files ...string) (all []catalog.PhotoView) {
	m.Helper()
	for _, f := range files {
		var v catalog.PhotoView
		m.photograph(ourKey, offer, f).as(http.StatusCreated, &v)
		all = append(all, v)
	}
	return all
}

// shown are the ids of an offer's photographs as a visitor sees them.
func (m *market) shown(offer string) (ids []string) {
	m.Helper()
	var v catalog.View
	m.json(auth.Key{}, "GET", "/v1/offers/"+offer, "").as(http.StatusOK, &v)
	for _, i := range v.Images {
		if i.Photo != nil {
			ids = append(ids, i.Photo.ID)
		}
	}
	return ids
}

func TestRule3_11_PhotographsAreUprightBareAndInEveryWidth(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	o := m.offer()
	v := m.added(o.ID, photo(t, 1))[0]
	if v.Width != 400 || v.Height != 600 || len(v.Sizes) != 3 {
		t.Fatalf("a photograph that lay on its side is %+v", v)
	}
	for i, want := range []int{160, 320, 400} {
		s := v.Sizes[i]
		a := m.json(auth.Key{}, "GET", s.URL, "")
		p, err := jpeg.Decode(bytes.NewReader(a.body))
		if err != nil || a.status != http.StatusOK || s.Width != want || p.Bounds().Dx() != s.Width || p.Bounds().Dy() != s.Height {
			t.Fatalf("%+v answers %d, %v", s, a.status, err)
		}
		if bytes.Contains(a.body, []byte("GPS")) || bytes.Contains(a.body, []byte("Exif")) {
			t.Errorf("%s says where it was taken", s.URL)
		}
		for name, want := range map[string]string{
			"Content-Type": "image/jpeg", "Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff",
		} {
			if got := a.header.Get(name); got != want {
				t.Errorf("%s is %q, want %q", name, got, want)
			}
		}
	}
	// The original stays private: only its owner and the operator have it.
	for _, key := range []auth.Key{otherKey, buyerKey} {
		m.json(key, "GET", "/v1/files/"+v.ID+"/content", "").refused(http.StatusNotFound, "media.not_found")
	}
	if a := m.json(ourKey, "GET", "/v1/files/"+v.ID+"/content", ""); string(a.body) != photo(t, 1) {
		t.Errorf("its owner gets %d %d bytes", a.status, len(a.body))
	}
	var shown catalog.View
	m.json(auth.Key{}, "GET", "/v1/offers/"+o.ID, "").as(http.StatusOK, &shown)
	if len(shown.Images) != 1 || shown.Images[0].Drawing || shown.Images[0].URL != v.Sizes[2].URL || shown.Images[0].Photo.ID != v.ID {
		t.Errorf("the offer shows %+v", shown.Images)
	}
	card := m.list("").Data[0]
	if card.Photo == nil || card.Photo.ID != v.ID || *card.Image != v.Sizes[2].URL || card.Drawing || len(card.Photo.Sizes) != 3 {
		t.Errorf("the list shows %+v", card)
	}
}

func TestRule3_11_APictureThatCannotBeIsRefusedAtUpload(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	o := m.offer()
	for file, code := range map[string]string{
		"<svg onload=alert(1)>":                            "picture.not_a_picture",
		"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic": "picture.heic",
		photo(t, 1)[:900]:                                  "picture.broken",
		"GIF89a\xff\xff\xff\xff":                           "picture.broken",
	} {
		m.photograph(ourKey, o.ID, file).refused(http.StatusUnprocessableEntity, code)
	}
	m.call(ourKey, "POST", "/v1/offers/"+o.ID+"/images", "text/html", photo(t, 1)).refused(http.StatusUnsupportedMediaType, "request.media_type")
	m.photograph(ourKey, o.ID, strings.Repeat("x", 13<<20)).refused(http.StatusRequestEntityTooLarge, "request.too_large")
	if got := m.shown(o.ID); got != nil {
		t.Errorf("the offer shows %v", got)
	}
}

func TestOnlyTheirSellerChangesPhotographs(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	o := m.offer()
	v := m.added(o.ID, photo(t, 1))[0]
	at := "/v1/offers/" + o.ID + "/images"
	for key, want := range map[auth.Key]struct {
		status int
		code   string
	}{otherKey: {404, "catalog.not_found"}, buyerKey: {403, "auth.denied"}, {}: {401, "auth.missing"}} {
		m.photograph(key, o.ID, photo(t, 2)).refused(want.status, want.code)
		m.json(key, "PUT", at, `{"images":[]}`).refused(want.status, want.code)
		m.json(key, "PATCH", at+"/"+v.ID, `{"alt":{"fr":"x"}}`).refused(want.status, want.code)
		m.json(key, "DELETE", at+"/"+v.ID, "").refused(want.status, want.code)
	}
	if got := m.shown(o.ID); !slices.Equal(got, []string{v.ID}) {
		t.Errorf("refused requests leave %v", got)
	}
	m.photograph(operatorKey, o.ID, photo(t, 3)).as(http.StatusCreated, nil)
	m.photograph(ourKey, "off_none", photo(t, 3)).refused(http.StatusNotFound, "catalog.not_found")
	m.json(ourKey, "POST", "/v1/offers/"+o.ID+"/archive", "").as(http.StatusOK, nil)
	m.photograph(ourKey, o.ID, photo(t, 4)).refused(http.StatusConflict, "catalog.wrong_state")
	m.json(ourKey, "DELETE", at+"/"+v.ID, "").refused(http.StatusConflict, "catalog.wrong_state")
}

func TestPhotographsAreOrderedDescribedAndDeleted(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	o := m.offer()
	all := m.added(o.ID, photo(t, 1), photo(t, 2), photo(t, 3))
	a, b, c := all[0].ID, all[1].ID, all[2].ID
	at := "/v1/offers/" + o.ID + "/images"
	var v catalog.View
	m.json(ourKey, "PUT", at, fmt.Sprintf(`{"images":[%q,%q,%q]}`, c, a, b)).as(http.StatusOK, &v)
	if got := m.shown(o.ID); !slices.Equal(got, []string{c, a, b}) || v.Images[0].Photo.ID != c {
		t.Errorf("in order %v", got)
	}
	for body, pointer := range map[string]string{
		fmt.Sprintf(`{"images":[%q,%q]}`, a, b):               "/images",
		fmt.Sprintf(`{"images":[%q,%q,%q]}`, a, a, b):         "/images/1",
		fmt.Sprintf(`{"images":[%q,%q,%q,"med_x"]}`, a, b, c): "/images/3",
		`{"images":[]}`: "/images",
	} {
		m.json(ourKey, "PUT", at, body).refused(http.StatusUnprocessableEntity, "catalog.picture_order", pointer)
	}
	m.json(ourKey, "PATCH", at+"/"+a, `{"alt":{"fr":" Tapis rouge ","ar":"زربية حمراء"}}`).as(http.StatusOK, &v)
	if got := v.Images[1].Photo.Alt; got["fr"] != "Tapis rouge" || got["ar"] == "" {
		t.Errorf("described as %v", got)
	}
	m.json(ourKey, "PATCH", at+"/"+a, `{"alt":{"de":"Teppich"}}`).refused(http.StatusUnprocessableEntity, "catalog.invalid", "/alt/de")
	m.json(ourKey, "PATCH", at+"/"+a, `{"alt":{"fr":"`+strings.Repeat("é", 201)+`"}}`).refused(http.StatusUnprocessableEntity, "catalog.invalid", "/alt/fr")
	m.json(ourKey, "PATCH", at+"/med_x", `{"alt":{}}`).refused(http.StatusNotFound, "catalog.no_picture")
	m.json(ourKey, "DELETE", at+"/"+c, "").as(http.StatusOK, &v)
	m.json(ourKey, "DELETE", at+"/"+c, "").refused(http.StatusNotFound, "catalog.no_picture")
	m.json(auth.Key{}, "GET", all[2].Sizes[0].URL, "").refused(http.StatusNotFound, "media.not_found")
	if got := m.shown(o.ID); !slices.Equal(got, []string{a, b}) {
		t.Errorf("after deleting, %v", got)
	}
	// The same photograph again is a new file: the old one is on its way out.
	if again := m.added(o.ID, photo(t, 3))[0]; again.ID == c {
		t.Error("what was deleted came back to life")
	}
	m.json(ourKey, "PATCH", "/v1/offers/"+o.ID, `{"names":{"fr":"Autre nom"}}`).as(http.StatusOK, &v)
	if len(v.Images) != 3 {
		t.Errorf("a change of name leaves %d photographs", len(v.Images))
	}
}

func TestAPhotographSentAgainIsTheOneThatIsThere(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	o := m.offer()
	var wg sync.WaitGroup
	ids := make([]string, 4) // a member sends four at once at most
	for i := range ids {
		wg.Go(func() {
			r := httptest.NewRequestWithContext(t.Context(), "POST", "/v1/offers/"+o.ID+"/images", strings.NewReader(photo(t, 1)))
			r.Header.Set("Content-Type", "image/jpeg")
			r.Header.Set("Authorization", "Bearer "+ourKey.String())
			w := httptest.NewRecorder()
			m.server.ServeHTTP(w, r)
			var v catalog.PhotoView
			if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil || w.Code != http.StatusCreated {
				t.Errorf("answers %d %s", w.Code, w.Body)
			}
			ids[i] = v.ID
		})
	}
	wg.Wait()
	form := "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"IMG.JPG\"\r\nContent-Type: image/png\r\n\r\n" + photo(t, 1) + "\r\n--b--\r\n"
	var v catalog.PhotoView
	m.call(ourKey, "POST", "/v1/offers/"+o.ID+"/images", "multipart/form-data; boundary=b", form).as(http.StatusCreated, &v)
	for _, id := range ids {
		if id != v.ID {
			t.Errorf("sent five times, it is %v and %s", ids, v.ID)
		}
	}
	if got := m.shown(o.ID); len(got) != 1 {
		t.Errorf("the offer shows %v", got)
	}
	// Another offer may show it too; it stays until neither does.
	other := m.added(m.stockedOffer(), photo(t, 1))[0]
	m.json(ourKey, "DELETE", "/v1/offers/"+o.ID+"/images/"+v.ID, "").as(http.StatusOK, nil)
	if a := m.json(auth.Key{}, "GET", other.Sizes[0].URL, ""); a.status != http.StatusOK || other.ID != v.ID {
		t.Errorf("the other offer's photograph answers %d", a.status)
	}
}

// stockedOffer is another published offer of ours.
func (m *market) stockedOffer() string {
	m.Helper()
	m.stocked(3)
	for _, c := range m.list("").Data {
		if c.Photo == nil && c.Category == "dates" {
			return c.ID
		}
	}
	m.Fatal("there is no other offer")
	return ""
}

func TestAnOfferHasTwelvePhotographsAtMost(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	o := m.offer()
	for n := range 12 {
		m.added(o.ID, strings.Replace(photo(t, 1), "30.42", fmt.Sprintf("%05d", n), 1))
	}
	m.photograph(ourKey, o.ID, photo(t, 2)).refused(http.StatusConflict, "catalog.pictures_full")
	if got := m.shown(o.ID); len(got) != 12 {
		t.Errorf("the offer shows %d", len(got))
	}
}
