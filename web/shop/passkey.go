package shop

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"

	"tiwiza/marketplace/members"
	"tiwiza/web/site"
	"tiwiza/web/ui"
)

// ceremonies are what a device does with passkeys, and where the interface takes
// it. Those that give a new token are kept as the session.
var ceremonies = map[string]struct {
	path   string
	enters bool
}{
	"entrer-options":  {"/v1/sign-in/passkeys/options", false},
	"entrer":          {"/v1/sign-in/passkeys", true},
	"ajouter-options": {"/v1/passkeys/options", false},
	"ajouter":         {"/v1/passkeys", false},
	"montrer-options": {"/v1/step-up/passkeys/options", false},
	"montrer":         {"/v1/step-up/passkeys", true},
}

// mostCredential is how long what a device answers may be.
const mostCredential = 64 << 10

// passkey hands what a device says over to the interface. The token stays out of
// reach of scripts.
func (s *Shop) passkey(v *site.Visit) error {
	c, ok := ceremonies[v.R.PathValue("what")]
	if !ok {
		return site.ErrNotFound
	}
	in, err := io.ReadAll(http.MaxBytesReader(v.W, v.R.Body, mostCredential))
	if err != nil || !json.Valid(in) {
		return tell(v, http.StatusBadRequest, map[string]string{"text": v.T("enter.passkey_failed")})
	}
	out, err := site.Post[json.RawMessage](v, c.path, json.RawMessage(in))
	if f, ok := errors.AsType[*site.Fault](err); ok && f.Status < http.StatusInternalServerError {
		return tell(v, f.Status, map[string]string{"text": v.T("enter.passkey_failed")})
	}
	if err != nil {
		return err
	}
	if !c.enters {
		return tell(v, http.StatusOK, out)
	}
	var signed members.SignedIn
	if err := json.Unmarshal(out, &signed); err != nil {
		return err
	}
	v.SignIn(signed.Token, session)
	return tell(v, http.StatusOK, struct{}{})
}

// tell answers a script.
func tell(v *site.Visit, status int, x any) error {
	b, err := json.Marshal(x)
	if err != nil {
		return err
	}
	v.W.Header().Set("Content-Type", "application/json")
	v.W.Header().Set("Cache-Control", "no-store")
	v.W.WriteHeader(status)
	_, _ = v.W.Write(b) // the visitor may be gone
	return nil
}

// showAgain asks who is signed in to show it once more: what comes next needs it.
func (s *Shop) showAgain(v *site.Visit) error {
	if _, err := v.Who(); err != nil {
		return err
	}
	v.Title = v.T("enter.again_title")
	return v.Show(ui.AgainPage(v.Page, ui.Again{Then: onwards(v, v.Query.Get("vers"))}))
}

// onwards is where one goes afterwards, in the page's language.
func onwards(v *site.Visit, path string) string { return v.Href(within(v, path)) }

// firstKey is where somebody makes the passkey that a desk asks for, and is led on to
// show it. Whoever has one is led to showing it.
func (s *Shop) firstKey(v *site.Visit) error {
	who, err := v.Who()
	if err != nil {
		return err
	}
	then := onwards(v, v.Query.Get("vers"))
	if who.Passkeys > 0 {
		return v.Go("/entrer/encore", "vers", then)
	}
	v.Title = v.T("enter.key_title")
	return v.Show(keyPage(share{Page: v.Page, Then: v.Href("/entrer/encore", "vers", then)}))
}

// waits is what the page to show once more who one is was sent with: its own
// fields, and those of the form that waits for it.
func (s *Shop) waits(v *site.Visit) ui.Again {
	a := ui.Again{
		Then: onwards(v, v.Field(ui.AgainName+"vers")), Handle: v.Field(ui.AgainName + "jeton"), To: v.Field(ui.AgainName + "a"), Kept: url.Values{}, Inbox: s.Site.Demo,
	}
	for name, values := range v.Form() {
		if !strings.HasPrefix(name, ui.AgainName) {
			a.Kept[name] = values
		}
	}
	return a
}

// askAgain sends a fresh code to whoever is signed in.
func (s *Shop) askAgain(v *site.Visit) error {
	a := s.waits(v)
	v.Title = v.T("enter.again_title")
	made, err := site.Post[members.CodeView](v, "/v1/step-up/codes", nil)
	if f, ok := errors.AsType[*site.Fault](err); ok && f.Status < http.StatusInternalServerError && f.Status != http.StatusUnauthorized {
		a.Wrongs = []ui.Wrong{{Text: v.Explain(err)}}
		return v.ShowAs(f.Status, ui.AgainPage(v.Page, a))
	}
	if err != nil {
		return err
	}
	a.Handle, a.To = made.Handle, made.To
	return v.Show(ui.AgainPage(v.Page, a))
}

// useAgain takes the fresh code: the session goes on with a new token, and the
// form that waited for it is sent where it was sent first.
func (s *Shop) useAgain(v *site.Visit) error {
	a := s.waits(v)
	v.Title = v.T("enter.again_title")
	in, err := site.Post[members.SignedIn](v, "/v1/step-up", map[string]string{"code": digits(v.Field(ui.AgainName + "code")), "handle": a.Handle})
	if f, ok := errors.AsType[*site.Fault](err); ok && f.Status < http.StatusInternalServerError && f.Status != http.StatusUnauthorized {
		a.Wrongs = []ui.Wrong{{Name: ui.AgainName + "code", Text: v.T("enter.code_wrong")}}
		if f.Status == http.StatusTooManyRequests {
			a.Wrongs[0].Text = v.Explain(err)
		}
		return v.ShowAs(f.Status, ui.AgainPage(v.Page, a))
	}
	if err != nil {
		return err
	}
	v.SignIn(in.Token, session)
	if len(a.Kept) > 0 {
		http.Redirect(v.W, v.R, a.Then, http.StatusTemporaryRedirect) // with all that was sent
		return nil
	}
	http.Redirect(v.W, v.R, a.Then, http.StatusSeeOther)
	return nil
}
