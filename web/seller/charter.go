package seller

import (
	"cmp"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"tiwiza/marketplace/charter"
	"tiwiza/marketplace/members"
	"tiwiza/pkg/rest"
	"tiwiza/web/bylaw"
	"tiwiza/web/site"
	"tiwiza/web/ui"
)

// A charterPage is where a member of any kind reads the charter and signs it.
type charterPage struct {
	at
	Mine   charter.MineView
	Text   *bylaw.Text // what it is to sign, or has signed last; nil: this market has none
	Due    string      // the last day to sign it
	Lines  []string    // its signatures
	Done   bool
	Handle string
	To     string
	Wrongs []ui.Wrong
}

// charter shows what the member is to sign, and what it has signed.
func (d *Desk) charter(v *site.Visit, seat site.Seat) error {
	p, err := d.bylaw(v, seat)
	if err != nil {
		return err
	}
	p.Done = v.Query.Get("fait") != ""
	return v.Show(charterView(p))
}

// desks are where members of other kinds than sellers come from, and go back to.
var desks = map[string]string{"seller": "/v/papiers", "institution": "/i", "bank": "/b", "insurer": "/b"}

// bylaw is the page as the hub knows it.
func (d *Desk) bylaw(v *site.Visit, seat site.Seat) (p charterPage, err error) {
	p.at = d.at(v, seat, v.T("charter.title"), cmp.Or(desks[seat.Role], "/moi"))
	org := "/v1/organisations/" + seat.Organisation
	if p.Mine, err = site.Get[charter.MineView](v, org+"/charter"); err != nil {
		return p, err
	}
	number := p.Mine.Signed
	if due := p.Mine.ToSign; due != nil {
		number, p.Due = due.Version, bylaw.Day(v.Lang, due.LastDay)
	}
	if number > 0 {
		found, err := site.Get[charter.VersionView](v, "/v1/charters/"+strconv.Itoa(number))
		if err != nil {
			return p, err
		}
		text := bylaw.Of(v.Lang, found)
		p.Text = &text
	}
	signed, err := site.Get[rest.Page[charter.SignatureView]](v, org+"/charter/signatures?limit=10")
	if err != nil {
		return p, err
	}
	for _, g := range signed.Data {
		p.Lines = append(p.Lines, v.T("charter.line", "n", v.Lang.Number(int64(g.Version)), "d", v.Lang.Date(g.At), "m", v.T("charter.m_"+string(g.Method))))
	}
	return p, nil
}

// signCharter asks for the code, and signs with it.
func (d *Desk) signCharter(v *site.Visit, seat site.Seat) error {
	org := "/v1/organisations/" + seat.Organisation
	version, err := strconv.Atoi(v.Field("version"))
	if err != nil {
		return site.ErrNotFound
	}
	in := map[string]any{"version": version, "sha256": v.Field("empreinte")}
	handle, to := v.Field("jeton"), v.Field("a")
	if handle == "" || v.Field("encore") != "" {
		made, err := site.Post[members.CodeView](v, org+"/charter/codes", in)
		if err != nil {
			return d.unsigned(v, seat, "", "", err)
		}
		return d.unsigned(v, seat, made.Handle, made.To, nil)
	}
	in["lang"], in["handle"], in["code"] = v.Field("langue"), handle, strings.Map(digit, v.Field("code"))
	if _, err := site.Post[charter.SignatureView](v, org+"/sign-charter", in); err != nil {
		return d.unsigned(v, seat, handle, to, err)
	}
	return v.Go("/v/charte", "fait", "oui")
}

// digit leaves the digits of a code.
func digit(r rune) rune {
	if r < '0' || r > '9' {
		return -1
	}
	return r
}

// unsigned shows the page again, with the place for the code, and what was wrong.
func (d *Desk) unsigned(v *site.Visit, seat site.Seat, handle, to string, wrong error) error {
	fault, ok := errors.AsType[*site.Fault](wrong)
	if wrong != nil && (!ok || fault.Status >= http.StatusInternalServerError || fault.Status == http.StatusUnauthorized || fault.Status == http.StatusNotFound) {
		return wrong
	}
	p, err := d.bylaw(v, seat)
	if err != nil {
		return err
	}
	p.Handle, p.To = handle, to
	if wrong == nil {
		return v.Show(charterView(p))
	}
	text := v.Explain(wrong)
	switch {
	case fault.Code == "sign_in.code" || fault.Status == http.StatusBadRequest || fault.Status == http.StatusUnprocessableEntity:
		text = v.T("enter.code_wrong")
	case fault.Code == "auth.denied":
		text, p.Handle = v.T("charter.not_you"), ""
	}
	p.Wrongs = []ui.Wrong{{Name: "code", Text: text}}
	if p.Handle == "" {
		p.Wrongs[0].Name = ""
	}
	return v.ShowAs(fault.Status, charterView(p))
}
