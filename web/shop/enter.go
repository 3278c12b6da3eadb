package shop

import (
	"errors"
	"net/http"
	"strings"
	"time"
	"unicode"

	"tiwiza/marketplace/members"
	"tiwiza/marketplace/orders"
	"tiwiza/web/site"
	"tiwiza/web/ui"
)

// An entrance is where one signs in: an address first, then the code that was
// sent there.
type entrance struct {
	*ui.Page
	Address, Handle, To, Then string
	Wrongs                    []ui.Wrong
	Inbox                     bool // a demonstration: codes can be read
	Again                     bool // another code was asked for
}

// session is how long a browser keeps its session; the hub may end it before.
const session = 30 * 24 * time.Hour

func (s *Shop) enter(v *site.Visit) error {
	if v.SignedIn() {
		if _, err := v.Who(); err == nil {
			return v.Go(within(v, v.Query.Get("vers")))
		}
	}
	e := entrance{Page: v.Page, Then: own(v.Query.Get("vers"))}
	v.Title = v.T("enter.title")
	return v.Show(enterPage(e))
}

// own is a path of this site, or "": nobody is led elsewhere by a link.
func own(path string) string {
	if !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || strings.ContainsRune(path, '\\') || strings.ContainsFunc(path, unicode.IsControl) {
		return ""
	}
	return path
}

// within is where one goes after signing in, without its language.
func within(v *site.Visit, path string) string {
	if path = own(path); path == "" {
		return "/moi"
	}
	_, rest, found := ui.CutLang(path)
	if found {
		return rest
	}
	return path
}

// askCode sends a code to the number or address that was typed. The answer is the
// same whether or not anybody is known there.
func (s *Shop) askCode(v *site.Visit) error {
	e := entrance{Page: v.Page, Address: v.Field("adresse"), Then: own(v.Field("vers")), Inbox: s.Site.Demo, Again: v.Field("encore") != ""}
	v.Title = v.T("enter.title")
	made, err := site.Post[members.CodeView](v, "/v1/sign-in/codes", withAddress(e.Address, map[string]string{"lang": string(v.Lang)}))
	if f, ok := errors.AsType[*site.Fault](err); ok && f.Status < http.StatusInternalServerError {
		e.Wrongs = []ui.Wrong{{Name: "adresse", Text: v.Explain(err)}}
		return v.ShowAs(f.Status, enterPage(e))
	}
	if err != nil {
		return err
	}
	e.Handle, e.To = made.Handle, made.To
	v.Title = v.T("enter.code_title")
	return v.Show(codePage(e))
}

// withAddress adds a telephone number or an e-mail address to what is asked.
func withAddress(address string, in map[string]string) map[string]string {
	if strings.Contains(address, "@") {
		in["email"] = address
	} else {
		in["phone"] = address
	}
	return in
}

// useCode signs in with a code. What was bought without an account, and the
// basket, come along.
func (s *Shop) useCode(v *site.Visit) error {
	e := entrance{Page: v.Page, Address: v.Field("adresse"), Handle: v.Field("jeton"), To: v.Field("a"), Then: own(v.Field("vers")), Inbox: s.Site.Demo}
	v.Title = v.T("enter.code_title")
	code := digits(v.Field("code"))
	guest, basket := v.Token(), v.Basket()
	if v.SignedIn() {
		guest = ""
	}
	ask := map[string]string{"code": code, "handle": e.Handle, "lang": string(v.Lang)}
	if guest != "" {
		ask["guest"] = guest
	}
	in, err := site.Post[members.SignedIn](v, "/v1/sign-in/sessions", withAddress(e.Address, ask))
	if f, ok := errors.AsType[*site.Fault](err); ok && f.Status < http.StatusInternalServerError {
		e.Wrongs = []ui.Wrong{{Name: "code", Text: v.T("enter.code_wrong")}}
		if f.Status == http.StatusTooManyRequests {
			e.Wrongs[0].Text = v.Explain(err)
		}
		return v.ShowAs(f.Status, codePage(e))
	}
	if err != nil {
		return err
	}
	v.SignIn(in.Token, session)
	v.Returns(in.Person)
	if guest != "" && basket != "" {
		s.bring(v, guest, basket)
	}
	if who, err := v.Who(); err == nil && asksForKey(who, within(v, e.Then)) {
		return v.Go(keyPath(who), "vers", e.Then)
	}
	return v.Go(within(v, e.Then))
}

// asksForKey says whether a path is of a desk that a code alone does not open.
func asksForKey(who site.Who, path string) bool {
	for _, d := range who.Desks {
		if at := deskPath(d.Role); at != "/v" && at != "/v/adhesion" && (path == at || strings.HasPrefix(path, at+"/")) {
			return true
		}
	}
	return false
}

// keyPath is where somebody shows a passkey, or makes the first one.
func keyPath(who site.Who) string {
	if who.Passkeys == 0 {
		return "/entrer/cle"
	}
	return "/entrer/encore"
}

// digits is a code without the spaces that people put into it.
func digits(s string) string {
	return strings.Map(func(r rune) rune {
		if r == ' ' || r == '\u00a0' {
			return -1
		}
		return r
	}, s)
}

// bring pours a guest's basket into one of whoever signed in. One that cannot be
// poured is left where it is: nothing is lost but a list of wishes.
func (s *Shop) bring(v *site.Visit, guest, basket string) {
	mine, err := site.Post[orders.BasketView](v, "/v1/baskets", nil)
	if err != nil {
		return
	}
	all, err := site.Post[orders.BasketView](v, "/v1/baskets/"+mine.ID+"/merge", map[string]string{"from": basket, "key": guest})
	if err != nil {
		v.KeepBasket("", 0)
		return
	}
	v.KeepBasket(all.ID, things(all))
}

// leave signs out on this device.
func (s *Shop) leave(v *site.Visit) error {
	if who, err := v.Who(); err == nil {
		if _, err := site.Do[struct{}](v, http.MethodDelete, "/v1/sessions/"+who.Session, nil); err != nil && !gone(err) {
			return err
		}
	}
	v.SignOut(v.Field("garder") == "1" || len(v.Left()) > 0) // what others of this telephone have waiting is theirs
	return v.Go("/")
}

// wrong is what is wrong with a field.
func (e entrance) wrong(name string) string {
	for _, w := range e.Wrongs {
		if w.Name == name {
			return w.Text
		}
	}
	return ""
}

// then is where one goes from here.
func (e entrance) then() string {
	if e.Then == "" {
		return e.Href("/moi")
	}
	return e.Then
}
