package site

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"time"
)

// More cookies: what was typed into a form that was not taken, the order that is to
// be paid, and who left this telephone to the next one.
const (
	typedCookie = "__Host-typed"
	dueCookie   = "__Host-due"
	leftCookie  = "__Host-left"
)

// mostKept is how much one cookie holds; browsers promise 4,096 bytes with its name.
const mostKept = 3600

// hold keeps a value in a cookie, and says whether it fits.
func (v *Visit) hold(name string, x any, life time.Duration) bool {
	b, err := json.Marshal(x)
	if err != nil {
		return false
	}
	s := base64.RawURLEncoding.EncodeToString(b)
	if len(s) > mostKept {
		return false
	}
	v.keep(name, s, life)
	return true
}

func (v *Visit) held(name string, into any) bool {
	b, err := base64.RawURLEncoding.DecodeString(v.cookie(name))
	return err == nil && len(b) > 0 && json.Unmarshal(b, into) == nil
}

// KeepTyped keeps what was typed for the page that is shown next: a form that is
// answered by a redirect is not sent again by the browser's Back. false: it is too
// long, and the form must be answered with the page itself.
func (v *Visit) KeepTyped(x any) bool { return v.hold(typedCookie, x, patience) }

// Typed reads what KeepTyped kept.
func (v *Visit) Typed(into any) bool { return v.held(typedCookie, into) }

// ForgetTyped lets go what was typed.
func (v *Visit) ForgetTyped() { v.keep(typedCookie, "", 0) }

// Owes remembers which orders the visitor is to pay; "" none.
func (v *Visit) Owes(group string) { v.keep(dueCookie, group, 24*time.Hour) }

// Due is the group of orders that the visitor was to pay last.
func (v *Visit) Due() string { return v.cookie(dueCookie) }

// A Left is somebody who left this telephone to the next one: the session is locked,
// and its token stays here.
type Left struct {
	Token  string `json:"t"`
	Person string `json:"p"`
	Name   string `json:"n"`
}

// mostLeft is how many share one telephone.
const mostLeft = 8

// Left are those who left this telephone, in their order.
func (v *Visit) Left() (all []Left) {
	if !v.held(leftCookie, &all) {
		return nil
	}
	return all
}

// Leave takes the locked session of a person out of the way, and keeps it for when
// that person comes back.
func (v *Visit) Leave(person, name string) {
	if r := []rune(name); len(r) > 40 {
		name = string(r[:40])
	}
	mine := Left{v.cookie(sessionCookie), person, name}
	all := append(v.without(person), mine)
	for len(all) > mostLeft || !v.hold(leftCookie, all, month) {
		all = all[1:]
	}
	v.keep(sessionCookie, "", 0)
	v.Clear()
	v.who, v.Person = nil, ""
	v.W.Header().Set("Clear-Site-Data", `"cache"`) // what waits to be sent stays
}

// Clear takes away what the last one here left: a basket, what was typed, and what is
// to be paid.
func (v *Visit) Clear() {
	for _, name := range []string{guestCookie, paidCookie, typedCookie, dueCookie} {
		v.keep(name, "", 0)
	}
	v.KeepBasket("", 0)
}

func (v *Visit) without(person string) []Left {
	return slices.DeleteFunc(v.Left(), func(l Left) bool { return l.Person == person })
}

// Returns takes a person off the list of those who left.
func (v *Visit) Returns(person string) {
	if all := v.without(person); len(all) == 0 {
		v.keep(leftCookie, "", 0)
	} else {
		v.hold(leftCookie, all, month)
	}
}
