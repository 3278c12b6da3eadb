package members_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tiwiza/marketplace/members"
)

func opening(token, pin string) string { return fmt.Sprintf(`{"token":%q,"pin":%q}`, token, pin) }

// shares signs somebody in on a shared phone, with a PIN.
func (h *hub) shares(phone, pin string) members.SignedIn {
	h.t.Helper()
	v := h.signIn(phone, "")
	h.want(200, nil, v.Token, "PUT", "/v1/me/pin", fmt.Sprintf(`{"pin":%q}`, pin))
	return v
}

func TestTwoPersonsTakeTurnsOnOnePhone(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	fatima, other := h.shares(phone, "2580"), h.shares("+212600000002", "9043")
	h.want(200, nil, fatima.Token, "POST", "/v1/sessions/lock", "")
	h.refused(401, "sessions.locked", "", fatima.Token, "GET", "/v1/me", "")
	h.refused(422, "pin.wrong", "/pin", "", "POST", "/v1/sessions/unlock", opening(fatima.Token, "9043"))
	h.refused(401, "sessions.ended", "", "", "POST", "/v1/sessions/unlock", opening(fatima.Token[:len(fatima.Token)-1]+"_", "2580"))
	h.refused(401, "sessions.ended", "", "", "POST", "/v1/sessions/unlock", opening("", "2580"))
	var v members.UnlockedView
	h.want(200, &v, "", "POST", "/v1/sessions/unlock", opening(fatima.Token, "2580"))
	h.want(200, &v, "", "POST", "/v1/sessions/unlock", opening(fatima.Token, "2580")) // the answer was lost
	h.refused(422, "pin.wrong", "/pin", "", "POST", "/v1/sessions/unlock", opening(fatima.Token, "9043"))
	var me members.MeView
	h.want(200, &me, fatima.Token, "GET", "/v1/me", "")
	if v.Person != fatima.Person || me.Person != fatima.Person || me.SteppedUpAt != nil {
		t.Errorf("unlocked is %+v, %+v; want the same person, who has shown nothing more", v, me)
	}
	h.want(200, nil, other.Token, "GET", "/v1/me", "")
	h.refused(403, "auth.step_up", "", fatima.Token, "PUT", "/v1/me/pin", `{"pin":"2581"}`) // within ten minutes of her code
	h.refused(403, "auth.step_up", "", fatima.Token, "POST", "/v1/passkeys/options", "")
	var a asked
	h.want(202, &a, fatima.Token, "POST", "/v1/step-up/codes", "")
	var up members.SignedIn
	h.want(200, &up, fatima.Token, "POST", "/v1/step-up", fmt.Sprintf(`{"code":%q,"handle":%q}`, h.told(phone), a.Handle))
	h.want(200, nil, up.Token, "PUT", "/v1/me/pin", `{"pin":"2581"}`)
}

// The count is the database's, so that a second hub gives no more tries; nor do
// twenty at once.
func TestFiveWrongPINsCloseUntilACode(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	two := h.another()
	v := h.shares(phone, "2580")
	tablet := h.signIn(phone, "")
	for _, k := range []string{v.Token, tablet.Token} {
		h.want(200, nil, k, "POST", "/v1/sessions/lock", "")
	}
	var all sync.WaitGroup
	var wrong, over atomic.Int32
	for i := range 20 {
		all.Go(func() {
			at, token := []*hub{h, two}[i%2], []string{v.Token, tablet.Token}[i/2%2]
			switch at.ask("", "POST", "/v1/sessions/unlock", opening(token, fmt.Sprintf("%04d", 4000+i))).Code {
			case 422:
				wrong.Add(1)
			case 429:
				over.Add(1)
			}
		})
	}
	all.Wait()
	if wrong.Load() != 5 || over.Load() != 15 {
		t.Errorf("%d wrong PINs were looked at and %d not, want 5 and 15", wrong.Load(), over.Load())
	}
	h.later(24 * time.Hour)
	h.refused(429, "pin.tries", "", "", "POST", "/v1/sessions/unlock", opening(v.Token, "2580"))
	h.signIn(phone, "")
	h.want(200, nil, "", "POST", "/v1/sessions/unlock", opening(v.Token, "2580"))
}

func TestAPINIsNotEasyAndASessionWithoutOneIsNotLocked(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	v := h.signIn(phone, "")
	h.refused(409, "pin.none", "", v.Token, "POST", "/v1/sessions/lock", "")
	for _, easy := range []string{"0000", "1234", "9876", "1212"} {
		h.refused(422, "pin.easy", "/pin", v.Token, "PUT", "/v1/me/pin", fmt.Sprintf(`{"pin":%q}`, easy))
	}
	h.refused(422, "request.invalid", "/pin", v.Token, "PUT", "/v1/me/pin", `{"pin":"12345"}`)
	h.want(200, nil, v.Token, "PUT", "/v1/me/pin", `{"pin":"2580"}`)
	h.want(200, nil, v.Token, "POST", "/v1/sessions/lock", "")
	h.want(200, nil, h.signIn(phone, "").Token, "DELETE", "/v1/sessions", "")
	h.refused(401, "sessions.ended", "", "", "POST", "/v1/sessions/unlock", opening(v.Token, "2580"))
	h.later(31 * 24 * time.Hour)
	w := h.shares("+212600000002", "2580")
	h.want(200, nil, w.Token, "POST", "/v1/sessions/lock", "")
	h.later(31 * 24 * time.Hour)
	h.refused(401, "sessions.ended", "", "", "POST", "/v1/sessions/unlock", opening(w.Token, "2580"))
}
