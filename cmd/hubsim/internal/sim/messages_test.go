package sim_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/smtp"
	"strings"
	"sync"
	"testing"
	"time"
)

// notifyConfig is how messages are handed in.
type notifyConfig struct {
	SMS struct {
		URL     string
		Headers map[string]string
		Reports struct{ Key string }
	}
	WhatsApp struct {
		BaseURL string `json:"base_url"`
		PhoneID string `json:"phone_id"`
		Token   string
	}
	Email struct{ Addr string }
}

func (r *rig) notify() (c notifyConfig) {
	r.t.Helper()
	var all struct{ Notify *notifyConfig }
	all.Notify = &c
	r.get("/config", &all)
	return c
}

// a received message, by the stand-in's word.
type received struct {
	ID, Ref, Channel, To, Subject, Text, State string
	Taken                                      int
}

func (r *rig) received() []received {
	r.t.Helper()
	var out struct{ Messages []received }
	r.get("/inbox.json", &out)
	return out.Messages
}

// customer takes reports in.
type customer struct {
	mu  sync.Mutex
	got []string
	url string
	key string
}

func newCustomer(t *testing.T, key string) *customer {
	c := &customer{key: key}
	s := httptest.NewServer(c)
	t.Cleanup(s.Close)
	c.url = s.URL
	return c
}

func (c *customer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b, _ := io.ReadAll(r.Body)
	h := hmac.New(sha256.New, []byte(c.key))
	_, _ = h.Write(b)
	var in struct{ Ref, Status string }
	_ = json.Unmarshal(b, &in)
	says := in.Status
	if r.Header.Get("X-Signature") != hex.EncodeToString(h.Sum(nil)) {
		says = "forged"
	}
	c.mu.Lock()
	c.got = append(c.got, says)
	c.mu.Unlock()
	if says == "forged" {
		w.WriteHeader(http.StatusUnauthorized)
	}
}

func (c *customer) said() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.Join(c.got, " ")
}

// hand posts a message to a gateway; err says that there was no answer.
func (r *rig) hand(to, proof, body string) (status int, text string, err error) {
	r.t.Helper()
	q, err := http.NewRequestWithContext(r.t.Context(), http.MethodPost, to, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	q.Header.Set("Authorization", proof)
	res, err := (&http.Client{Timeout: time.Minute}).Do(q)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return res.StatusCode, string(b), err
}

// sms hands a message in; err says that there was no answer.
func (r *rig) sms(to, ref, report string) (status int, text string, err error) {
	r.t.Helper()
	c := r.notify().SMS
	body, _ := json.Marshal(map[string]string{"to": to, "text": "Bonjour", "ref": ref, "report": report, "from": "TIWIZA"})
	return r.hand(c.URL, c.Headers["Authorization"], string(body))
}

// smsPlays have one row for each fault of the SMS gateway.
var smsPlays = map[string]play{
	"drop_request":         handsIn(0, "", 0),
	"rate_limited":         handsIn(429, "too many", 0),
	"execute_then_drop":    handsIn(0, "", 1),
	"execute_then_500":     handsIn(500, "went wrong", 1),
	"execute_then_garbage": handsIn(202, `{"id": "SM`, 1),
	"contradicts_itself":   handsIn(422, "invalid_number", 1),
	"slow_body":            handsIn(202, "accepted", 1),
	"callback_before_answer": func(t *testing.T, r *rig) {
		c := newCustomer(t, r.notify().SMS.Reports.Key)
		if status, text, err := r.sms("+212600000001", "A", c.url); status != 202 || c.said() != "delivered" {
			t.Errorf("answered %d %s %v when the customer had heard %q", status, text, err, c.said())
		}
	},
	"callback_missing":   reportsSMS("", ""),
	"bad_signature":      reportsSMS("forged", "forged delivered"),
	"answer_twice":       reportsSMS("delivered delivered", ""),
	"replayed_callback":  reportsSMS("delivered", "delivered delivered"),
	"callbacks_shuffled": reportsSMS("delivered undeliverable", ""),
}

// handsIn expects an answer to a message, and how often it is brought.
func handsIn(status int, text string, brought int) play {
	return func(t *testing.T, r *rig) {
		got, body, err := r.sms("+212600000001", "A", "")
		if got != status || !strings.Contains(body, text) || (status == 0) != (err != nil) {
			t.Errorf("answered %d %q %v, want %d %q", got, body, err, status, text)
		}
		if n := len(r.received()); n != brought {
			t.Errorf("%d messages were taken in, want %d", n, brought)
		}
		if again, _, err := r.sms("+212600000001", "A", ""); again != 202 || err != nil || len(r.received()) != 1 {
			t.Errorf("again: %d %v, and %+v", again, err, r.received())
		}
	}
}

// reportsSMS expects what a customer hears, and what more a while later.
func reportsSMS(first, later string) play {
	return func(t *testing.T, r *rig) {
		c := newCustomer(t, r.notify().SMS.Reports.Key)
		if status, _, err := r.sms("+212600000001", "A", c.url); status != 202 {
			t.Fatal(status, err)
		}
		r.advance("2s")
		hears := func(want string) {
			r.wait(func() (bool, string) {
				return c.said() == want, fmt.Sprintf("the customer heard %q, want %q", c.said(), want)
			})
		}
		if hears(first); first == "" {
			time.Sleep(300 * time.Millisecond)
			hears("")
		}
		if later != "" {
			r.advance("30s")
			hears(later)
		}
	}
}

// mailPlays have one row for each fault of the mail server.
var mailPlays = map[string]play{
	"rate_limited":      mails("421", 0),
	"drop_request":      mails("EOF", 0),
	"execute_then_drop": mails("EOF", 1),
	"execute_then_500":  mails("451", 1),
}

func (r *rig) mail(to string) error {
	raw := "From: a@exemple.ma\r\nTo: <" + to + ">\r\nSubject: =?utf-8?q?=C3=A0_emballer?=\r\nMessage-ID: <A@exemple.ma>\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=C3=A9t=C3=A9\r\n.fin"
	return smtp.SendMail(r.notify().Email.Addr, nil, "a@exemple.ma", []string{to}, []byte(raw))
}

func mails(text string, brought int) play {
	return func(t *testing.T, r *rig) {
		if err := r.mail("nom@exemple.ma"); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("the mail server says %v, want %s", err, text)
		}
		if n := len(r.received()); n != brought {
			t.Errorf("%d mails were taken in, want %d", n, brought)
		}
		if err := r.mail("nom@exemple.ma"); err != nil || len(r.received()) != 1 {
			t.Errorf("again: %v, and %+v", err, r.received())
		}
	}
}

func (r *rig) whatsApp(to, token string) (int, string, error) {
	r.t.Helper()
	c := r.notify().WhatsApp
	body := `{"messaging_product":"whatsapp","to":"` + strings.TrimPrefix(to, "+") + `","type":"template","biz_opaque_callback_data":"A","template":{"name":"order_to_pack","language":{"code":"fr"},
		"components":[{"type":"body","parameters":[{"type":"text","text":"A1B2C3"},{"type":"text","text":"275,00 DH"}]}]}}`
	return r.hand(c.BaseURL+"/"+c.PhoneID+"/messages", "Bearer "+token, body)
}

// whatsAppPlays have one row for each fault of WhatsApp's platform.
var whatsAppPlays = map[string]play{
	"drop_request":         handsInWhatsApp(0, "", 0),
	"rate_limited":         handsInWhatsApp(429, "too many", 0),
	"execute_then_drop":    handsInWhatsApp(0, "", 1),
	"execute_then_500":     handsInWhatsApp(500, "went wrong", 1),
	"execute_then_garbage": handsInWhatsApp(200, `{"id": "SM`, 1),
	"contradicts_itself":   handsInWhatsApp(400, "131026", 1),
	"slow_body":            handsInWhatsApp(200, "wamid.", 1),
}

func handsInWhatsApp(status int, text string, brought int) play {
	return func(t *testing.T, r *rig) {
		got, body, err := r.whatsApp("+212600000001", r.notify().WhatsApp.Token)
		if got != status || !strings.Contains(body, text) || (status == 0) != (err != nil) {
			t.Errorf("answered %d %q %v, want %d %q", got, body, err, status, text)
		}
		if n := len(r.received()); n != brought {
			t.Errorf("%d messages were taken in, want %d", n, brought)
		}
	}
}

func TestMessagesArriveAndAreShown(t *testing.T) {
	t.Parallel()
	r := start(t, time.Hour)
	c := newCustomer(t, r.notify().SMS.Reports.Key)
	for _, to := range []string{"+212600000001", "+212600000055"} {
		if status, text, err := r.sms(to, to[8:], c.url); status != 202 {
			t.Fatalf("%d %s %v", status, text, err)
		}
	}
	if status, text, _ := r.sms("+212600000044", "gone", c.url); status != 422 || !strings.Contains(text, "invalid_number") {
		t.Errorf("a number that does not exist is answered %d %s", status, text)
	}
	if status, _, _ := r.whatsApp("+212600000002", "guess"); status != 401 {
		t.Errorf("a stranger is answered %d", status)
	}
	if status, text, _ := r.whatsApp("+212600000044", r.notify().WhatsApp.Token); status != 400 || !strings.Contains(text, "131026") {
		t.Errorf("a number without the app is answered %d %s", status, text)
	}
	if err := r.mail("nom@exemple.ma"); err != nil {
		t.Fatal(err)
	}
	if err := r.mail("gone@exemple.ma"); err == nil || !strings.Contains(err.Error(), "550") {
		t.Errorf("a mailbox that does not exist: %v", err)
	}
	r.restart()
	r.advance("2s")
	r.wait(func() (bool, string) { return len(strings.Fields(c.said())) == 2, "the customer heard " + c.said() })
	if got := c.said(); !strings.Contains(got, "undeliverable") || !strings.Contains(strings.Replace(got, "undeliverable", "", 1), "delivered") {
		t.Errorf("the customer heard %q", got)
	}
	if all := r.received(); len(all) != 3 || all[0].Channel != "email" || all[0].Text != "été\n.fin" || all[0].Subject != "à emballer" {
		t.Errorf("received %+v", all)
	}
	res, err := http.Get(r.url + "/inbox?to=%2B212600000001")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if b, err := io.ReadAll(res.Body); err != nil || strings.Count(string(b), "<article>") != 1 || !strings.Contains(string(b), "Bonjour") {
		t.Errorf("the page shows %s (%v)", b, err)
	}
}

func TestTheMailServerWithstandsWhatIsNoMail(t *testing.T) {
	t.Parallel()
	r := start(t, time.Hour)
	for _, said := range []string{"", "\r\n", "HELO\r\nDATA\r\n", "MAIL FROM:<a>\r\nRCPT TO:<b@exemple.ma>\r\nDATA\r\nno header\r\n.\r\nQUIT\r\n", strings.Repeat("x", 1<<20)} {
		c, err := net.Dial("tcp", r.notify().Email.Addr)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(c, said) // it may hang up before it has read all
		_ = c.Close()
	}
	if err := r.mail("nom@exemple.ma"); err != nil || len(r.received()) != 1 {
		t.Errorf("after that: %v, %+v", err, r.received())
	}
}
