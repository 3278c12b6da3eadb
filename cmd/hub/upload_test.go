package main

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"strings"
	"testing"

	"tiwiza/marketplace/media"
	"tiwiza/pkg/pg"
)

// photograph is a photograph that no other test has.
func photograph(t testing.TB) []byte {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, 800, 600))
	for i := range 800 {
		m.SetRGBA(i, i%600, color.RGBA{uint8(i), uint8(i / 3), 120, 255})
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// uploaded sends photographs, a proof and a voice note through the hub's own
// door, and reads them where they belong.
func uploaded(t *testing.T, r *rig, _ trade) {
	s, stranger := r.seller(t), r.seller(t)
	w := r.ware(t, s, 3, "12.00")
	at := "/v1/offers/" + w.offer + "/images"
	var v struct {
		ID    string
		Sizes []struct{ URL string }
	}
	r.ask(t, req{key: s.key, method: "POST", path: at, body: photograph(t), media: "image/jpeg"}).into(t, &v)
	r.ask(t, req{key: stranger.key, method: "POST", path: at, body: photograph(t), media: "image/jpeg"}).refused(t, 404, "catalog.not_found")
	r.ask(t, req{key: s.key, method: "POST", path: at, body: "no picture", media: "image/jpeg"}).refused(t, 422, "picture.not_a_picture")
	r.ask(t, req{key: s.key, method: "PUT", path: at, body: map[string]any{"images": []string{v.ID}}}).into(t, nil)
	r.ask(t, req{key: s.key, method: "PATCH", path: at + "/" + v.ID, body: map[string]any{"alt": map[string]string{"fr": "Un tapis"}}}).into(t, nil)
	if len(v.Sizes) != 4 {
		t.Fatalf("the photograph is %+v", v)
	}
	shown := r.ask(t, req{method: "GET", path: v.Sizes[1].URL})
	if m, err := jpeg.Decode(bytes.NewReader(shown.body)); err != nil || m.Bounds().Dx() != 320 {
		t.Errorf("%s: %v", shown.what, err)
	}
	if page := r.ask(t, req{method: "GET", path: "/offres/" + w.offer}); !strings.Contains(string(page.body), v.Sizes[1].URL+" 320w") || !strings.Contains(string(page.body), `alt="Un tapis"`) {
		t.Errorf("the page shows no photograph: %s", page.body)
	}
	r.ask(t, req{key: s.key, method: "DELETE", path: at + "/" + v.ID}).into(t, nil)
	r.ask(t, req{method: "GET", path: v.Sizes[1].URL}).refused(t, 404, "media.not_found")

	r.ask(t, req{key: s.key, method: "POST", path: "/v1/files?kind=proof", body: "%PDF-1.4 %%EOF", media: "application/pdf"}).into(t, &v)
	for _, path := range []string{"/v1/files/" + v.ID, "/v1/files/" + v.ID + "/content"} {
		r.ask(t, req{key: s.key, method: "GET", path: path}).into(t, nil)
		r.ask(t, req{key: stranger.key, method: "GET", path: path}).refused(t, 404, "media.not_found")
	}
	frame := "\xff\xfb\x50\x00" + strings.Repeat("\x55", 204)
	r.ask(t, req{key: s.key, method: "POST", path: "/v1/files?kind=sound", body: strings.Repeat(frame, 5), media: "audio/mpeg"}).into(t, &v)
	err := r.house.store.InTx(t.Context(), func(tx *pg.Tx) error {
		_, err := r.house.media.Use(t.Context(), tx, v.ID, s.org, media.Sound, w.offer)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if a := r.ask(t, req{method: "GET", path: "/v1/sounds/" + v.ID}); a.status != 200 || a.header.Get("Content-Type") != "audio/mpeg" {
		t.Errorf("the voice note answers %d: %s", a.status, a.body)
	}
}
