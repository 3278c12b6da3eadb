package catalog_test

import (
	"net/http"
	"strings"
	"testing"

	"tiwiza/marketplace/catalog"
	"tiwiza/marketplace/media"
	"tiwiza/pkg/auth"
)

// sent is the id of a file that somebody sent.
func (m *market) sent(key auth.Key, kind media.Kind, body string) string {
	m.Helper()
	var v media.View
	m.call(key, "POST", "/v1/files?kind="+string(kind), "application/octet-stream", body).as(http.StatusCreated, &v)
	return v.ID
}

// note is a voice note: frames of MPEG 1 layer III, 64 kbit/s, 44.1 kHz, that
// differ by what they say.
func note(said string) string {
	return strings.Repeat("\xff\xfb\x50\x00"+said+strings.Repeat("\x55", 204-len(said)), 4)
}

func TestAnOfferSpeaksWithASoundOfItsSeller(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	one, two, theirs := m.sent(ourKey, media.Sound, note("one")), m.sent(ourKey, media.Sound, note("two")), m.sent(otherKey, media.Sound, note("theirs"))
	paper := m.sent(ourKey, media.Proof, "%PDF-1.4 paper %%EOF")
	o := m.offer()
	for _, wrong := range []string{theirs, paper, "med_01jd0000000000000000000000"} {
		m.json(ourKey, "PATCH", "/v1/offers/"+o.ID, `{"voice":"`+wrong+`"}`).refused(http.StatusUnprocessableEntity, "catalog.invalid", "/voice")
	}
	m.json(auth.Key{}, "GET", "/v1/sounds/"+one, "").refused(http.StatusNotFound, "media.not_found")
	var v catalog.View
	m.json(ourKey, "PATCH", "/v1/offers/"+o.ID, `{"voice":"`+one+`"}`).as(http.StatusOK, &v)
	if v.VoiceURL != "/v1/sounds/"+one {
		t.Fatalf("the offer's sound is at %q", v.VoiceURL)
	}
	m.json(auth.Key{}, "GET", v.VoiceURL, "").as(http.StatusOK, nil)
	m.json(ourKey, "PATCH", "/v1/offers/"+o.ID, `{"names":{"fr":"Miel"}}`).as(http.StatusOK, nil) // which says nothing of it
	m.json(auth.Key{}, "GET", v.VoiceURL, "").as(http.StatusOK, nil)
	m.json(ourKey, "PATCH", "/v1/offers/"+o.ID, `{"voice":"`+two+`"}`).as(http.StatusOK, nil)
	m.json(auth.Key{}, "GET", v.VoiceURL, "").refused(http.StatusNotFound, "media.not_found")
	var silent catalog.View
	m.json(ourKey, "PATCH", "/v1/offers/"+o.ID, `{"voice":""}`).as(http.StatusOK, &silent)
	m.json(auth.Key{}, "GET", "/v1/sounds/"+two, "").refused(http.StatusNotFound, "media.not_found")
	if silent.Voice+silent.VoiceURL != "" {
		t.Errorf("a silent offer has the sound %q at %q", silent.Voice, silent.VoiceURL)
	}
}

func TestALabelIsProvedByAPaperOfItsSeller(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	const claim = `{"code":"Bio","issuer":"Organisme exemple","number":"EX-9","scope":"organisation","valid_from":"2031-01-01","proof":"`
	for _, wrong := range []string{m.sent(otherKey, media.Proof, "%PDF-1.4 theirs %%EOF"), m.sent(ourKey, media.Sound, note("sound")), "med_01jd0000000000000000000000"} {
		m.json(ourKey, "POST", "/v1/labels", claim+wrong+`"}`).refused(http.StatusUnprocessableEntity, "catalog.label_invalid", "/proof")
	}
	paper := m.sent(ourKey, media.Proof, "%PDF-1.4 ours %%EOF")
	l := m.claim(claim + paper + `"}`)
	if l.Proof != paper {
		t.Errorf("the label's proof is %q, want %q", l.Proof, paper)
	}
	m.json(operatorKey, "GET", "/v1/files/"+paper+"/content", "").as(http.StatusOK, nil)
	m.json(otherKey, "GET", "/v1/files/"+paper+"/content", "").refused(http.StatusNotFound, "media.not_found")
}
