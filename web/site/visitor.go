package site

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"tiwiza/pkg/id"
	"tiwiza/pkg/script"
)

// The cookies: who is signed in, the key of a buyer without an account, and the
// basket with how many things are in it. Scripts see none of them.
const (
	sessionCookie = "__Host-session"
	guestCookie   = "__Host-guest"
	basketCookie  = "__Host-basket"
	paidCookie    = "__Host-paid"
)

// patience is how long a payment may be on its way before it can be begun anew.
const patience = 10 * time.Minute

// month is how long a buyer's cookies live.
const month = 30 * 24 * time.Hour

func (v *Visit) cookie(name string) string {
	c, err := v.R.Cookie(name)
	if err != nil {
		return ""
	}
	return c.Value
}

// keep sets a cookie; "" takes it away. What this visit asks for from now on
// brings it too.
func (v *Visit) keep(name, value string, life time.Duration) {
	c := &http.Cookie{
		Name: name, Value: value, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode, MaxAge: int(life / time.Second),
	}
	if value == "" {
		c.MaxAge = -1
	}
	http.SetCookie(v.W, c)
	kept := v.R.Cookies()
	v.R.Header.Del("Cookie")
	for _, k := range kept {
		if k.Name != name {
			v.R.AddCookie(k)
		}
	}
	if value != "" {
		v.R.AddCookie(c)
	}
}

// Token is what the visitor's requests bring: of a session when there is one,
// else of a buyer without an account; "" of a stranger.
func (v *Visit) Token() string {
	if v.key != "" {
		return v.key
	}
	if t := v.cookie(sessionCookie); t != "" {
		return t
	}
	return v.cookie(guestCookie)
}

// As has this visit's requests bring another key: that of a link.
func (v *Visit) As(key string) { v.key = key }

// SignedIn says whether the visitor has a session.
func (v *Visit) SignedIn() bool { return v.cookie(sessionCookie) != "" }

// SignIn keeps a session's token.
func (v *Visit) SignIn(token string, life time.Duration) { v.keep(sessionCookie, token, life) }

// SignOut forgets who visits, on this device. What waits there for the network is
// wiped too, unless keep: it is sent when the same seat is taken again.
func (v *Visit) SignOut(keep bool) {
	v.keep(sessionCookie, "", 0)
	v.Clear()
	if keep {
		v.W.Header().Set("Clear-Site-Data", `"cache"`)
		return
	}
	v.W.Header().Set("Clear-Site-Data", `"cache", "storage"`)
}

// Guest makes the visitor a buyer without an account, unless it is somebody
// already.
func (v *Visit) Guest() error {
	if v.Token() != "" {
		return nil
	}
	made, err := Post[struct {
		APIKey string `json:"api_key"`
	}](v, "/v1/guests", nil)
	if err != nil {
		return err
	}
	v.keep(guestCookie, made.APIKey, month)
	return nil
}

// Basket is the id of the visitor's basket; "" when there is none.
func (v *Visit) Basket() string {
	basket, _, _ := strings.Cut(v.cookie(basketCookie), ".")
	return basket
}

func (v *Visit) basketCount() int {
	_, n, _ := strings.Cut(v.cookie(basketCookie), ".")
	count, err := strconv.Atoi(n)
	if err != nil || count < 0 || count > 9999 {
		return 0
	}
	return count
}

// KeepBasket remembers the basket and how many things are in it.
func (v *Visit) KeepBasket(basket string, count int) {
	v.Page.Basket = count
	if basket == "" {
		v.keep(basketCookie, "", 0)
		return
	}
	v.keep(basketCookie, basket+"."+strconv.Itoa(count), month)
}

// GoneToPay remembers that the visitor came back from paying for a group.
func (v *Visit) GoneToPay(group string) { v.keep(paidCookie, group, patience) }

// WentToPay says whether the visitor came back from paying for a group a short
// while ago: the money may be on its way.
func (v *Visit) WentToPay(group string) bool { return v.cookie(paidCookie) == group }

// maxForm is how large a form may be, photographs included: more than any file
// that is taken, so that one that is too large is told within the form. What is
// more than maxHeld lies on the disk meanwhile.
const (
	maxForm = 64 << 20
	maxHeld = 16 << 20
)

// Form is what was sent with the page, once; nil when it cannot be read.
func (v *Visit) Form() url.Values {
	if v.form == nil {
		v.R.Body = http.MaxBytesReader(v.W, v.R.Body, maxForm)
		if strings.HasPrefix(v.R.Header.Get("Content-Type"), "multipart/") {
			if err := v.R.ParseMultipartForm(maxHeld); err != nil {
				return nil
			}
		} else if err := v.R.ParseForm(); err != nil {
			return nil
		}
		for _, all := range v.R.PostForm { // what a telephone copied along is not what was meant
			for i, s := range all {
				all[i] = script.Clean(s)
			}
		}
		v.form = v.R.PostForm
	}
	return v.form
}

// Field is a field of the form, without spaces around it.
func (v *Visit) Field(name string) string { return strings.TrimSpace(v.Form().Get(name)) }

// Key is the form's own key: it came with the page that the form stands on, so a
// form that is sent twice is one request. A form without one gets a new one.
func (v *Visit) Key() string {
	if k := v.Field("cle"); len(k) >= 8 && len(k) <= 100 {
		return k
	}
	return NewKey()
}

// NewKey is a key for a form.
func NewKey() string { return id.New("frm") }
