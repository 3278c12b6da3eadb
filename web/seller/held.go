package seller

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"strings"

	"tiwiza/web/site"
	"tiwiza/web/ui"
)

// A held is a file that came with a form which is not taken yet: it need not be
// chosen again.
type held struct{ ID, Kind string }

// hold keeps the files of a form that is to be put right. What is never used is
// gone within a day.
func (f *form) hold(v *site.Visit) {
	f.Held = map[string]held{}
	for _, x := range []struct {
		name, kind, media string
		content           []byte
	}{{"photo", "ware", f.photoKind, f.photo}, {"voix", "sound", f.sayKind, f.voice}} {
		if len(x.content) == 0 {
			continue
		}
		if kept, err := site.Upload[held](v, "/v1/files?kind="+x.kind, fmt.Sprintf("%s-%x", x.name, sha256.Sum256(x.content)), x.media, x.content); err == nil && kept.ID != "" {
			f.Held[x.name] = held{kept.ID, x.media}
		}
	}
}

// recall reads a file of before, when none came with the form.
func recall(v *site.Visit, name string) (kind string, content []byte) {
	id := v.Field(name + "_garde")
	if !plain(id) {
		return "", nil
	}
	b, h, err := v.Raw("/v1/files/" + id + "/content")
	if err != nil {
		return "", nil // it is gone: another one is asked for
	}
	return h.Get("Content-Type"), b
}

// held shows a photograph that came before.
func (d *Desk) held(v *site.Visit, _ site.Seat) error {
	id, err := named(v, "file")
	if err != nil {
		return err
	}
	return v.HandOn("/v1/files/" + id + "/content")
}

// shared takes a photograph and words that another program of the telephone hands
// over, where no service worker took them before.
func (d *Desk) shared(v *site.Visit, seat site.Seat) error {
	f := form{sellPage: sellPage{at: d.at(v, seat, v.T("sell.sell"), "/v"), Action: v.Href("/v/vendre"), Key: site.NewKey(), Category: "food_other", Sizes: []size{{Left: "1"}}, NeedsPhoto: true}}
	f.Name = v.Field("titre")
	if f.Name == "" {
		f.Name, _, _ = strings.Cut(v.Field("texte"), "\n")
	}
	if r := []rune(f.Name); len(r) > mostName {
		f.Name = string(r[:mostName])
	}
	var err error
	if _, f.photoKind, f.photo, err = v.File("photo", mostPhoto); err != nil {
		f.Wrongs = []ui.Wrong{{Name: "photo", Text: v.T("problem.pages.file_too_large")}}
	}
	f.hold(v)
	return d.showSell(v, http.StatusOK, f.sellPage)
}
