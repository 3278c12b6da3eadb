package shop

import (
	"net/http"
	"net/url"
	"strings"

	"tiwiza/marketplace/members"
	"tiwiza/marketplace/orders"
	"tiwiza/pkg/rest"
	"tiwiza/web/site"
	"tiwiza/web/ui"
)

// mine is somebody's own page.
type mine struct {
	*ui.Page
	Who     site.Who
	Guest   bool // a buyer without an account
	Orders  []orders.Summary
	Next    string
	Later   bool // it is not the first part of the list
	Devices []members.SessionView
	Keys    []members.PasskeyView
	Done    string
	Key     string
}

// me shows somebody's own page: the orders, the devices, the desks.
func (s *Shop) me(v *site.Visit) error {
	m := mine{Page: v.Page, Key: site.NewKey()}
	who, err := v.Who()
	switch {
	case err == nil:
		m.Who = who
	case v.Token() == "":
		return err
	default:
		m.Guest = true
	}
	cursor := v.Query.Get("cursor")
	q := "/v1/orders?limit=10"
	if cursor != "" {
		q, m.Later = "/v1/orders?limit=10&cursor="+url.QueryEscape(cursor), true
	}
	if m.Guest || who.Desk == "" {
		page, err := site.Get[rest.Page[orders.Summary]](v, q)
		if err != nil {
			return err
		}
		m.Orders = page.Data
		if page.Next != nil {
			m.Next = v.Href("/moi", "cursor", *page.Next)
		}
	}
	if !m.Guest && !m.Later {
		page, err := site.Get[rest.Page[members.SessionView]](v, "/v1/sessions?limit=20")
		if err != nil {
			return err
		}
		m.Devices = page.Data
		keys, err := site.Get[rest.Page[members.PasskeyView]](v, "/v1/passkeys")
		if err != nil {
			return err
		}
		m.Keys = keys.Data
	}
	if v.Query.Get("fait") != "" {
		m.Done = v.T("me.done")
	}
	v.Title = v.T("common.mine")
	return v.Show(mePage(m))
}

// endDevice signs out on another device, or on all.
func (s *Shop) endDevice(v *site.Visit) error {
	path := "/v1/sessions"
	if id := v.Field("appareil"); id != "" {
		path += "/" + escape(id)
	}
	if _, err := site.Do[struct{}](v, http.MethodDelete, path, nil); err != nil && !gone(err) {
		return err
	}
	if path == "/v1/sessions" {
		v.SignOut(true)
		return v.Go("/entrer")
	}
	return v.Go("/moi", "fait", "1")
}

// endPasskey takes a passkey away. Whoever signed in with a code alone is sent to
// show a passkey first.
func (s *Shop) endPasskey(v *site.Visit) error {
	_, err := site.Do[struct{}](v, http.MethodDelete, "/v1/passkeys/"+escape(v.Field("cle_acces")), nil)
	if c := site.Code(err); c == "auth.passkey" || c == "auth.step_up" {
		return v.Go("/entrer/encore", "vers", v.Href("/moi"))
	}
	if err != nil && !gone(err) {
		return err
	}
	return v.Go("/moi", "fait", "1")
}

// sit makes somebody sit at a desk, and leads there.
func (s *Shop) sit(v *site.Visit) error {
	who, err := v.Who()
	if err != nil {
		return err
	}
	org := v.Field("bureau")
	if err := v.Sit(org); err != nil {
		return err
	}
	for _, d := range who.Desks {
		if d.Organisation == org && !admitted[d.State] {
			return v.Go("/v/adhesion")
		}
		if d.Organisation == org {
			return v.Go(deskPath(d.Role))
		}
	}
	return v.Go("/moi")
}

// admitted are the states of organisations whose people work at their desk; those of
// the others see to their application.
var admitted = map[string]bool{"active": true, "suspended": true}

// deskPath is where a role works.
func deskPath(role string) string {
	switch role {
	case "operator":
		return "/op"
	case "seller":
		return "/v"
	case "institution":
		return "/i"
	case "provider":
		return "/v/adhesion"
	}
	return "/b"
}

// systems and browsers are words of a browser's own description, the telling ones
// first.
var (
	systems  = []string{"Android", "iPhone", "iPad", "Windows", "Macintosh", "Linux"}
	browsers = []string{"Firefox", "Edg", "OPR", "SamsungBrowser", "Chrome", "Safari"}
)

// device is what a browser says of itself, in two words; as it is when it says
// neither.
func device(says string) string {
	var parts []string
	for _, all := range [][]string{systems, browsers} {
		for _, w := range all {
			if strings.Contains(says, w) {
				parts = append(parts, w)
				break
			}
		}
	}
	if len(parts) == 0 {
		return summary(says)
	}
	return strings.Join(parts, ", ")
}
