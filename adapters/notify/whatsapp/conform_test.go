package whatsapp_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"tiwiza/adapters/notify"
	"tiwiza/adapters/notify/notifyconform"
	"tiwiza/adapters/notify/whatsapp"
)

const (
	secret = "an app secret of the test"
	verify = "a verify token of the test"
	number = "100000000000001"
)

// stand is the platform.
type stand struct {
	mu      sync.Mutex
	brought map[string]int
	garble  *answer
	busy    bool
}

type answer struct {
	status int
	body   string
}

func (s *stand) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var in struct {
		To       string
		Type     string
		Ref      string `json:"biz_opaque_callback_data"`
		Template struct {
			Name       string
			Language   struct{ Code string }
			Components []struct {
				Type       string
				Parameters []struct{ Type, Text string }
			}
		}
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		return
	}
	say := func(status int, body string) { w.WriteHeader(status); fmt.Fprint(w, body) }
	c := in.Template.Components
	switch {
	case r.Header.Get("Authorization") != "Bearer right":
		say(401, `{"error":{"code":190}}`)
	case s.busy:
		s.busy = false
		w.Header().Set("Retry-After", "30")
		say(429, `{"error":{"code":130429}}`)
	case r.URL.Path != "/"+number+"/messages" || in.Type != "template" || in.Template.Name != "order_to_pack" || in.Template.Language.Code != "fr" || len(c) != 1 || len(c[0].Parameters) != 2 || c[0].Parameters[1].Text != `x "y"`:
		say(400, `{"error":{"code":100}}`)
	case strings.HasSuffix(in.To, "44"):
		say(400, `{"error":{"code":131026,"message":"undeliverable"}}`)
	default:
		s.brought[in.Ref]++
		if g := s.garble; g != nil {
			s.garble = nil
			say(g.status, g.body)
			return
		}
		say(200, `{"messaging_product":"whatsapp","messages":[{"id":"wamid.`+in.Ref+`"}]}`)
	}
}

func report(m notifyconform.Said) notify.Callback {
	status := map[notify.State]string{notify.Delivered: "read", notify.Failed: "failed", notify.Underway: "sent"}[m.State]
	return signed(fmt.Sprintf(`{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"messages","value":{"messaging_product":"whatsapp","metadata":{"phone_number_id":"%s"},
		"statuses":[{"id":"%s","status":"%s","timestamp":"1764000000","recipient_id":"212612345678","biz_opaque_callback_data":"%s","errors":[{"code":131026}]}]}}]}]}`, number, m.PartnerID, status, m.Ref))
}

func signed(body string) notify.Callback {
	h := hmac.New(sha256.New, []byte(secret))
	_, _ = h.Write([]byte(body))
	return notify.Callback{Signature: "sha256=" + hex.EncodeToString(h.Sum(nil)), ContentType: "application/json", Body: []byte(body)}
}

func driver(t *testing.T, base, token string) *whatsapp.Driver {
	t.Helper()
	d, err := whatsapp.New(whatsapp.Config{BaseURL: base, PhoneID: number, Token: token, AppSecret: secret, VerifyToken: verify})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestConformance(t *testing.T) {
	t.Parallel()
	notifyconform.Run(t, func(t *testing.T) notifyconform.Fixture {
		s := &stand{brought: map[string]int{}}
		server := httptest.NewServer(s)
		t.Cleanup(server.Close)
		return notifyconform.Fixture{
			Addr: server.Listener.Addr().String(), To: "+212612345678", Gone: "+212612345644",
			Dial:     func(addr string) notify.Driver { return driver(t, "http://"+addr, "right") },
			Intruder: func(addr string) notify.Driver { return driver(t, "http://"+addr, "wrong") },
			Brought:  func(ref string) int { s.mu.Lock(); defer s.mu.Unlock(); return s.brought[ref] },
			Garble:   func(status int, body string) { s.mu.Lock(); s.garble = &answer{status, body}; s.mu.Unlock() },
			Busy:     func() { s.mu.Lock(); s.busy = true; s.mu.Unlock() },
			Report:   report,
		}
	})
}

func TestWebhooksOfOthersSayNothing(t *testing.T) {
	t.Parallel()
	d := driver(t, "https://graph.example", "right")
	other := report(notifyconform.Said{Ref: "nat_1", PartnerID: "x", State: notify.Delivered})
	if all, err := d.Reports(signed(strings.ReplaceAll(string(other.Body), number, "200000000000002"))); err != nil || len(all) != 0 {
		t.Errorf("another number's webhook says %+v, %v", all, err)
	}
	for _, body := range []string{`{}`, `[]`, `null`, `{"object":"page"}`, `x`} {
		if _, err := d.Reports(signed(body)); !errors.Is(err, notify.ErrUnreadable) {
			t.Errorf("%s: %v, want ErrUnreadable", body, err)
		}
	}
}

func TestThePlatformsQuestionIsAnsweredWithOurTokenOnly(t *testing.T) {
	t.Parallel()
	d := driver(t, "https://graph.example", "right")
	if got, err := d.Greet("subscribe", verify, "42"); err != nil || got != "42" {
		t.Errorf("Greet = %q, %v", got, err)
	}
	for _, c := range [][2]string{{"subscribe", ""}, {"subscribe", verify + "x"}, {"", verify}} {
		if got, err := d.Greet(c[0], c[1], "42"); !errors.Is(err, notify.ErrForged) || got != "" {
			t.Errorf("Greet(%q, %q) = %q, %v", c[0], c[1], got, err)
		}
	}
}
