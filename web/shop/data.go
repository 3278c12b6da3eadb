package shop

import (
	"net/http"
	"slices"
	"strings"

	"tiwiza/marketplace/accords"
	"tiwiza/marketplace/privacy"
	"tiwiza/marketplace/relations"
	"tiwiza/pkg/rest"
	"tiwiza/web/site"
	"tiwiza/web/ui"
)

// registered is what the market does with people's data, for anyone to read.
type registered struct {
	*ui.Page
	Register privacy.RegisterView
}

// register shows what is done with people's data.
func (s *Shop) register(v *site.Visit) error {
	found, err := site.Get[privacy.RegisterView](v, "/v1/processings")
	if err != nil {
		return err
	}
	v.Title, v.Description, v.Public = v.T("data.register"), v.T("data.register_about"), true
	return v.Show(registerPage(registered{v.Page, found}))
}

// said is a text of the register in the page's language.
func (r registered) said(t privacy.Texts) string { return r.Say(t).Text }

// mineData is somebody's page about its own data.
type mineData struct {
	*ui.Page
	Standing privacy.StandingView
	Copies   []privacy.ExportView
	Requests []privacy.RequestView
	Register privacy.RegisterView
	Letters  *relations.StanceView // nil at an organisation's desk
	Accords  []accords.View        // the newest first
	Address  string                // of a certificate, once
	Wrongs   []ui.Wrong
	Text     string
	Done     string
	Key      string
}

// about are the processings that a request can be about.
func (m mineData) about() (all []ui.Option) {
	for _, p := range m.Register.Data {
		all = append(all, ui.Option{Value: p.Code, Text: m.Say(p.Purpose).Text})
	}
	return all
}

// kinds are what can be asked for.
func (m mineData) kinds() []ui.Option {
	return []ui.Option{{Value: "rectification", Text: m.T("data.kind_rectification")}, {Value: "objection", Text: m.T("data.kind_objection")}}
}

// purpose is what a processing is for.
func (m mineData) purpose(code string) string {
	for _, p := range m.Register.Data {
		if p.Code == code {
			return m.Say(p.Purpose).Text
		}
	}
	return code
}

// saidAt is where somebody said something, in the page's language.
func (m mineData) saidAt(c accords.Channel) string { return m.T("data.said_" + string(c)) }

// bar says what stands in the way, and what to do.
func (m mineData) bar(b privacy.BarView) string {
	return m.T("data.bar_" + strings.ReplaceAll(b.Code, ".", "_"))
}

// where leads to what stands in the way; "" when it has no page.
func where(id string) string {
	if strings.HasPrefix(id, "ord_") {
		return "/o/" + id
	}
	return ""
}

// mayAsk says whether somebody can ask to be forgotten now.
func (m mineData) mayAsk() bool {
	e := m.Standing.Erasure
	return len(m.Standing.Bars) == 0 && (e == nil || e.State == privacy.Cancelled || e.State == privacy.Barred)
}

// data shows somebody what is held about it, and what it can do.
func (s *Shop) data(v *site.Visit) error {
	m, err := s.mineData(v)
	if err != nil {
		return err
	}
	if v.Query.Get("fait") != "" {
		m.Done = v.T("me.done")
	}
	return v.Show(dataPage(m))
}

func (s *Shop) mineData(v *site.Visit) (m mineData, err error) {
	m = mineData{Page: v.Page, Key: site.NewKey()}
	v.Title = v.T("data.title")
	who, err := v.Who()
	if err != nil {
		return m, err
	}
	if m.Standing, err = site.Get[privacy.StandingView](v, "/v1/me/erasure"); err != nil {
		return m, err
	}
	if m.Register, err = site.Get[privacy.RegisterView](v, "/v1/processings"); err != nil {
		return m, err
	}
	copies, err := site.Get[rest.Page[privacy.ExportView]](v, "/v1/me/data-exports?limit=5")
	if err != nil {
		return m, err
	}
	asked, err := site.Get[rest.Page[privacy.RequestView]](v, "/v1/me/data-requests?limit=20")
	if err != nil {
		return m, err
	}
	m.Copies, m.Requests = copies.Data, asked.Data
	said, err := site.Get[rest.Page[accords.View]](v, "/v1/accords?limit=50&who="+escape(who.Person))
	if err != nil {
		return m, err
	}
	m.Accords = said.Data
	if who.Desk == "" {
		st, err := site.Get[relations.StanceView](v, "/v1/wishes/marketing?lang="+string(v.Lang.Text()))
		if err != nil {
			return m, err
		}
		m.Letters = &st
	}
	return m, nil
}

// asksData takes what somebody asks about its data.
func (s *Shop) asksData(v *site.Visit) (err error) {
	var a privacy.AskedView
	switch v.R.PathValue("acte") {
	case "copie":
		_, err = site.Post[struct{}](v, "/v1/me/data-exports", nil)
	case "demande":
		_, err = site.Post[struct{}](v, "/v1/me/data-requests", map[string]string{"kind": v.Field("sorte"), "about": v.Field("sujet"), "text": v.Field("texte")})
	case "lettres":
		_, err = site.Post[struct{}](v, "/v1/wishes/marketing", map[string]any{"granted": v.Field("oui") != "", "text": v.Field("empreinte")})
	case "garder":
		_, err = site.Post[struct{}](v, "/v1/me/erasure/cancel", nil)
	case "effacer":
		a, err = site.Post[privacy.AskedView](v, "/v1/me/erasure", nil)
	default:
		return site.ErrNotFound
	}
	if err == nil && a.Certificate == "" {
		return v.Go("/moi/donnees", "fait", "1")
	}
	wrong := err
	if err != nil && !strings.HasPrefix(site.Code(err), "personal_data.") {
		return err
	}
	m, err := s.mineData(v)
	if err != nil {
		return err
	}
	if a.Certificate != "" {
		m.Address = v.Href("/effacement/" + a.Certificate[strings.LastIndex(a.Certificate, "/")+1:])
	}
	if wrong == nil {
		return v.Show(dataPage(m))
	}
	m.Wrongs, m.Text = []ui.Wrong{{Text: v.Explain(wrong)}}, v.Field("texte")
	return v.ShowAs(http.StatusUnprocessableEntity, dataPage(m))
}

// takesData hands a copy on, as JSON or as a page to print.
func (s *Shop) takesData(v *site.Visit) error {
	at := "/v1/me/data-exports/" + escape(v.R.PathValue("export"))
	switch v.R.PathValue("forme") {
	case "json":
		return v.HandOn(at + "/document")
	case "page":
		return v.HandOn(at + "/page?lang=" + string(v.Lang.Text()))
	}
	return site.ErrNotFound
}

// certified is what became of an erasure, for whoever has its address.
type certified struct {
	*ui.Page
	privacy.CertificateView
	Erased, Kept []certifiedRow
}

// A certifiedRow is one processing of a certificate.
type certifiedRow struct{ What, Why string }

// erased shows the certificate of an erasure: by what each was for, and not by tables.
func (s *Shop) erased(v *site.Visit) error {
	h := v.W.Header()
	h.Set("Referrer-Policy", "no-referrer") // the address is the key
	h.Set("X-Robots-Tag", "noindex")
	c, err := site.Get[privacy.CertificateView](v, "/v1/erasure-certificates/"+escape(v.R.PathValue("secret")))
	if err != nil {
		return err
	}
	reg, err := site.Get[privacy.RegisterView](v, "/v1/processings")
	if err != nil {
		return err
	}
	m := mineData{Page: v.Page, Register: reg}
	x := certified{Page: v.Page, CertificateView: c}
	for _, t := range c.Tables {
		row, into := certifiedRow{m.purpose(t.Processing), v.Say(t.Why).Text}, &x.Kept
		if !t.Kept {
			row.Why, into = "", &x.Erased
		}
		if t.Processing != "" && !slices.Contains(*into, row) {
			*into = append(*into, row)
		}
	}
	v.Title = v.T("data.certificate_title")
	return v.Show(erasedPage(x))
}
