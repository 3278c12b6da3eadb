package members_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/descope/virtualwebauthn"

	"tiwiza/marketplace/members"
)

// device is somebody's phone with a passkey on it.
type device struct {
	rp   virtualwebauthn.RelyingParty
	auth virtualwebauthn.Authenticator
	cred virtualwebauthn.Credential
}

func newDevice() *device {
	cred := virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2)
	for len(cred.Key.AttestationData()) != 77 { // it leaves out leading zeros of a point, which no device does
		cred = virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2)
	}
	return &device{virtualwebauthn.RelyingParty{Name: "Tiwiza", ID: "localhost", Origin: "http://localhost:8080"}, virtualwebauthn.NewAuthenticator(), cred}
}

// begin asks for options, at a path.
func (h *hub) begin(token, path string) (v members.CeremonyView, options string) {
	h.t.Helper()
	h.want(201, &v, token, "POST", path+"/options", "")
	b, err := json.Marshal(map[string]any{"publicKey": v.Options})
	must(h.t, err)
	return v, string(b)
}

func answer(handle, credential string) string {
	return fmt.Sprintf(`{"handle":%q,"credential":%s}`, handle, credential)
}

// made is the answer of a device that makes a passkey.
func (h *hub) made(token, person string, d *device) string {
	h.t.Helper()
	v, options := h.begin(token, "/v1/passkeys")
	o, err := virtualwebauthn.ParseAttestationOptions(options)
	must(h.t, err)
	d.auth.Options.UserHandle = []byte(person)
	d.auth.AddCredential(d.cred)
	return answer(v.Handle, virtualwebauthn.CreateAttestationResponse(d.rp, d.auth, d.cred, *o))
}

// shown is the answer of a device that shows its passkey.
func (h *hub) shown(token, path string, d *device) string {
	h.t.Helper()
	v, options := h.begin(token, path)
	o, err := virtualwebauthn.ParseAssertionOptions(options)
	must(h.t, err)
	d.cred.Counter++
	return answer(v.Handle, virtualwebauthn.CreateAssertionResponse(d.rp, d.auth, d.cred, *o))
}

func TestAPasskeySignsItsPersonIn(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	mine, other := h.signIn(phone, ""), h.signIn(phone, "")
	d := newDevice()
	body := h.made(mine.Token, mine.Person, d)
	h.refused(422, "passkeys.refused", "", other.Token, "POST", "/v1/passkeys", body) // begun in another session
	body = h.made(mine.Token, mine.Person, d)
	h.want(201, nil, mine.Token, "POST", "/v1/passkeys", body)
	h.refused(401, "sessions.ended", "", other.Token, "GET", "/v1/me", "")
	show := h.shown("", "/v1/sign-in/passkeys", d)
	var in atomic.Int32
	var all sync.WaitGroup
	for range 5 {
		all.Go(func() {
			if h.ask("", "POST", "/v1/sign-in/passkeys", show).Code == 201 {
				in.Add(1)
			}
		})
	}
	all.Wait()
	if got := in.Load(); got != 1 {
		t.Errorf("one answer signed in %d times, want once", got)
	}
	var v members.SignedIn
	h.want(201, &v, "", "POST", "/v1/sign-in/passkeys", h.shown("", "/v1/sign-in/passkeys", d))
	who, err := h.members.Visitor(t.Context(), v.Token)
	if err != nil || v.Person != mine.Person || !who.As.Proof.Passkey || who.Passkeys != 1 {
		t.Errorf("it signed in %+v (%v), want its person, with a passkey", who, err)
	}
	late := h.shown("", "/v1/sign-in/passkeys", d)
	h.later(5 * time.Minute)
	h.refused(422, "passkeys.refused", "", "", "POST", "/v1/sign-in/passkeys", late)
	var list struct{ Data []members.PasskeyView }
	h.want(200, &list, v.Token, "GET", "/v1/passkeys", "")
	if len(list.Data) != 1 || list.Data[0].UsedAt == nil {
		t.Errorf("its passkeys are %+v", list.Data)
	}
	stranger := h.signIn("+212600000002", "")
	h.refused(404, "passkeys.not_found", "", stranger.Token, "DELETE", "/v1/passkeys/"+list.Data[0].ID, "")
	h.want(200, nil, v.Token, "DELETE", "/v1/passkeys/"+list.Data[0].ID, "")
	h.refused(422, "passkeys.refused", "", "", "POST", "/v1/sign-in/passkeys", h.shown("", "/v1/sign-in/passkeys", d))
}

func TestForgedPasskeysOpenNothing(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	mine := h.signIn(phone, "")
	d := newDevice()
	h.want(201, nil, mine.Token, "POST", "/v1/passkeys", h.made(mine.Token, mine.Person, d))
	for name, forge := range map[string]func(d *device){
		"another key":        func(d *device) { d.cred.Key = virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2).Key },
		"another site":       func(d *device) { d.rp.Origin = "https://localhost.example" },
		"another party":      func(d *device) { d.rp.ID = "example" },
		"another person":     func(d *device) { d.auth.Options.UserHandle = []byte("per_other") },
		"nobody holds it":    func(d *device) { d.auth.Options.UserNotVerified = true },
		"an unknown passkey": func(d *device) { d.cred = virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2) },
	} {
		f := *d
		forge(&f)
		if w := h.ask("", "POST", "/v1/sign-in/passkeys", h.shown("", "/v1/sign-in/passkeys", &f)); w.Code != 422 || !strings.Contains(w.Body.String(), "passkeys.refused") {
			t.Errorf("%s: %d %s, want it refused", name, w.Code, w.Body)
		}
	}
	for _, bad := range []string{`{}`, `{"id":"x"}`, `{"id":"eA","rawId":"eA","type":"public-key","response":{}}`} {
		h.refused(422, "passkeys.refused", "", "", "POST", "/v1/sign-in/passkeys", answer(strings.Repeat("a", 43), bad))
		h.refused(422, "passkeys.refused", "", mine.Token, "POST", "/v1/passkeys", answer(strings.Repeat("a", 43), bad))
	}
}

// A counter that goes back says that somebody has a copy.
func TestACopiedPasskeyIsEnded(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	mine := h.signIn(phone, "")
	d := newDevice()
	h.want(201, nil, mine.Token, "POST", "/v1/passkeys", h.made(mine.Token, mine.Person, d))
	copied := *d
	for range 3 {
		h.want(201, nil, "", "POST", "/v1/sign-in/passkeys", h.shown("", "/v1/sign-in/passkeys", d))
	}
	h.refused(403, "passkeys.copied", "", "", "POST", "/v1/sign-in/passkeys", h.shown("", "/v1/sign-in/passkeys", &copied))
	h.refused(422, "passkeys.refused", "", "", "POST", "/v1/sign-in/passkeys", h.shown("", "/v1/sign-in/passkeys", d))
	h.refused(401, "sessions.ended", "", mine.Token, "GET", "/v1/me", "")
}

// Whoever takes over the phone number of somebody with a passkey gets no further.
func TestACodeAloneDoesNotReplaceAPasskey(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	boss := h.signIn(phone, "")
	h.joins(boss.Person, h.house, "manager")
	must(t, h.members.SwitchDesk(t.Context(), boss.Token, h.house))
	h.refused(403, "auth.passkey", "", boss.Token, "GET", "/v1/approvals", "")
	d := newDevice()
	h.want(201, nil, boss.Token, "POST", "/v1/passkeys", h.made(boss.Token, boss.Person, d))
	h.refused(403, "auth.passkey", "", boss.Token, "GET", "/v1/approvals", "")
	var now members.SignedIn
	h.want(200, &now, boss.Token, "POST", "/v1/step-up/passkeys", h.shown(boss.Token, "/v1/step-up/passkeys", d))
	h.refused(401, "auth.unknown", "", boss.Token, "GET", "/v1/approvals", "")
	h.want(200, nil, now.Token, "GET", "/v1/approvals", "")

	thief := h.signIn(phone, h.house)
	h.refused(403, "auth.passkey", "", thief.Token, "GET", "/v1/approvals", "")
	h.refused(403, "auth.passkey", "", thief.Token, "POST", "/v1/passkeys/options", "")
	var list struct{ Data []members.PasskeyView }
	h.want(200, &list, thief.Token, "GET", "/v1/passkeys", "")
	h.refused(403, "auth.passkey", "", thief.Token, "DELETE", "/v1/passkeys/"+list.Data[0].ID, "")
	h.later(10 * time.Minute)
	h.refused(403, "auth.step_up", "", now.Token, "POST", "/v1/passkeys/options", "")
}
