package seller

import (
	"errors"
	"net/http"
	"time"

	"tiwiza/marketplace/charter"
	"tiwiza/pkg/geo"
	"tiwiza/web/bylaw"
	"tiwiza/web/site"
	"tiwiza/web/ui"
)

// A coop is the organisation as it sees itself.
type coop struct {
	Names map[string]string `json:"names"`
	Legal struct {
		ICE string `json:"ice"`
		IF  string `json:"if"`
		RC  string `json:"rc"`
	} `json:"legal"`
	Region  string `json:"region"`
	Commune string `json:"commune"`
	State   string `json:"state"`
	Note    string `json:"note"`
}

// A label is a sign of origin or quality that the seller claims.
type label struct {
	Code    string  `json:"code"`
	Issuer  string  `json:"issuer"`
	Number  string  `json:"number"`
	State   string  `json:"state"`
	ValidTo *string `json:"valid_to"`
	Reason  string  `json:"reason"`
}

type papersPage struct {
	at
	Coop     coop
	Place    string
	Labels   []labelRow
	Accounts []account
	Tone     string
	Done     bool
	Due      string // the last day to sign the charter; "": there is nothing to sign
	Late     bool   // that day has passed
}

type labelRow struct {
	label
	Tone, Text, Until string
}

var (
	labelTones = map[string]string{"verified": "ok", "claimed": "warn", "refused": "bad", "expired": "bad", "revoked": "bad"}
	coopTones  = map[string]string{"active": "ok", "submitted": "warn", "under_review": "warn", "draft": "warn", "changes_requested": "warn", "suspended": "bad", "terminated": "bad"}
)

// papers are what the market knows of the seller: its numbers, its labels and
// where it is paid.
func (d *Desk) papers(v *site.Visit, seat site.Seat) error {
	p := papersPage{at: d.at(v, seat, v.T("sell.papers"), "/v"), Done: v.Query.Get("fait") != ""}
	var err error
	if p.Coop, err = site.Get[coop](v, "/v1/organisations/"+seat.Organisation); err != nil {
		return err
	}
	p.Place, p.Tone = place(v, p.Coop.Commune), coopTones[p.Coop.State]
	for _, r := range geo.Regions() {
		if r.Code == p.Coop.Region {
			p.Place += v.T("common.comma") + v.Say(r.Names).Text
		}
	}
	bound, err := site.Get[charter.MineView](v, "/v1/organisations/"+seat.Organisation+"/charter")
	if err != nil {
		return err
	}
	if p.Late = bound.Late; bound.ToSign != nil {
		p.Due = bylaw.Day(v.Lang, bound.ToSign.LastDay)
	}
	labels, err := site.Get[page[label]](v, "/v1/labels?limit=50")
	if err != nil {
		return err
	}
	for _, l := range labels.Data {
		if l.State == "withdrawn" {
			continue
		}
		r := labelRow{label: l, Tone: labelTones[l.State], Text: v.T("sell.label_" + l.State)}
		if l.ValidTo != nil {
			if day, err := time.Parse(time.DateOnly, *l.ValidTo); err == nil {
				r.Until = v.T("sell.valid_to", "d", v.Lang.Date(day))
			}
		}
		p.Labels = append(p.Labels, r)
	}
	accounts, err := site.Get[page[account]](v, "/v1/organisations/"+seat.Organisation+"/bank-accounts?limit=20")
	if err != nil {
		return err
	}
	for _, a := range accounts.Data {
		if a.State != "former" {
			p.Accounts = append(p.Accounts, a)
		}
	}
	return v.Show(papersView(p))
}

type bankPage struct {
	at
	Now         *account
	Key         string
	RIB, Holder string
	Wrongs      []ui.Wrong
}

func (d *Desk) bank(v *site.Visit, seat site.Seat) error {
	p := bankPage{at: d.at(v, seat, v.T("sell.bank"), "/v/papiers"), Key: site.NewKey()}
	var err error
	if p.Now, err = current(v, seat); err != nil {
		return err
	}
	if p.Now != nil {
		p.Holder = p.Now.Holder
	}
	return v.Show(bankView(p))
}

// changeBank gives another account. The operator's people look at it before money
// goes there.
func (d *Desk) changeBank(v *site.Visit, seat site.Seat) error {
	p := bankPage{at: d.at(v, seat, v.T("sell.bank"), "/v/papiers"), Key: v.Key(), RIB: v.Field("rib"), Holder: v.Field("titulaire")}
	_, err := site.Post[struct{}](v, "/v1/organisations/"+seat.Organisation+"/bank-accounts", map[string]string{"rib": p.RIB, "holder": p.Holder})
	fault, ok := errors.AsType[*site.Fault](err)
	switch {
	case err == nil:
		return v.Go("/v/papiers", "fait", "oui")
	case !ok || fault.Code == "auth.step_up" || fault.Status >= 500 || fault.Status == http.StatusUnauthorized || fault.Status == http.StatusNotFound:
		return err
	}
	p.Wrongs = v.Wrongs(err, map[string]string{"/rib": "rib", "/holder": "titulaire"})
	if p.Now, err = current(v, seat); err != nil {
		return err
	}
	return v.ShowAs(http.StatusUnprocessableEntity, bankView(p))
}

// last4 are the last signs of an account's number, which are all that is shown.
func last4(rib string) string { return rib[max(0, len(rib)-4):] }
