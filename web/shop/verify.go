package shop

import (
	"fmt"
	"maps"
	"slices"

	"tiwiza/marketplace/procedures"
	"tiwiza/pkg/geo"
	"tiwiza/web/site"
	"tiwiza/web/ui"
)

// A verified is how a document of an institution stands, as anybody sees it.
type verified struct {
	*ui.Page
	State string
	Facts []verifiedFact
}

type verifiedFact struct {
	Name string
	Said ui.Said
}

// tone is how a state looks.
func (x verified) Tone() string {
	return map[string]string{"valid": "ok", "expired": "warn", "revoked": "bad"}[x.State]
}

// verify shows whoever scans a document's code how it stands: no more of it than
// its procedure declares public, and nothing at all of a code that is none.
func (s *Shop) verify(v *site.Visit) error {
	d, err := site.Get[procedures.VerifiedView](v, "/v1/verifications/"+escape(v.R.PathValue("token")))
	if err != nil {
		return err
	}
	x := verified{Page: v.Page, State: d.State}
	v.Title = v.T("verify.title")
	plainly := func(key, text string) {
		if text != "" {
			x.Facts = append(x.Facts, verifiedFact{v.T("verify." + key), v.Say(map[string]string{string(v.Lang.Text()): text})})
		}
	}
	if d.State != "unknown" {
		plainly("number", d.Number)
		x.Facts = append(x.Facts, verifiedFact{v.T("verify.procedure"), v.Say(d.Procedure)}, verifiedFact{v.T("verify.institution"), v.Say(d.Institution)})
		x.shown(v, d)
		plainly("from", v.Lang.OnDay(d.ValidFrom))
		plainly("to", v.Lang.OnDay(d.ValidTo))
		plainly("revoked_on", v.Lang.OnDay(d.RevokedAt))
	}
	return v.Show(verifyPage(x))
}

// shown adds what the procedure declares public.
func (x *verified) shown(v *site.Visit, d procedures.VerifiedView) {
	for _, name := range slices.Sorted(maps.Keys(d.Shown)) {
		value := d.Shown[name]
		switch name {
		case "holder":
			names := map[string]string{}
			if all, ok := value.(map[string]any); ok {
				for lang, s := range all {
					names[lang] = fmt.Sprint(s)
				}
			}
			x.Facts = append(x.Facts, verifiedFact{v.T("verify.holder"), v.Say(names)})
		case "region":
			for _, r := range geo.Regions() {
				if r.Code == value {
					x.Facts = append(x.Facts, verifiedFact{v.T("verify.region"), v.Say(r.Names)})
				}
			}
		default:
			x.Facts = append(x.Facts, verifiedFact{v.Say(d.Titles[name]).Text, v.Say(map[string]string{string(v.Lang.Text()): v.Lang.Answer(value)})})
		}
	}
}
