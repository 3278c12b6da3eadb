package smsgateway_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"tiwiza/adapters/notify"
	"tiwiza/adapters/notify/notifyconform"
	"tiwiza/adapters/notify/smsgateway"
)

// stand is a gateway: of JSON, or of forms with numbers for words.
type stand struct {
	mu      sync.Mutex
	form    bool
	brought map[string]int
	texts   map[string]string
	garble  *struct {
		status int
		body   string
	}
	busy bool
}

const reportKey = "a key of the reports"

func (s *stand) config(base string) smsgateway.Config {
	c := smsgateway.Config{
		URL: base + "/send", From: "TIWIZA", Headers: map[string]string{"Authorization": "Bearer right"}, ID: "/messages/0/id",
		Body:    map[string]any{"from": "{from}", "messages": []any{map[string]any{"to": "{to}", "text": "{text}", "ref": "{ref}", "ttl": "{seconds}"}}},
		Taken:   smsgateway.Rule{At: "/messages/0/status", Values: []string{"queued"}},
		Refused: smsgateway.Rule{Status: []int{422}, At: "/error/code", Values: []string{"invalid_number"}},
		Reports: smsgateway.ReportConfig{Key: reportKey, List: "/results", Ref: "/ref", ID: "/id", State: "/status", Code: "/error", Delivered: []string{"DELIVRD"}, Failed: []string{"UNDELIV", "EXPIRED"}},
	}
	if s.form {
		c.Form, c.ID = true, "/id"
		c.Body = map[string]any{"dest": "{digits}", "msg": "{text}", "ref": "{ref}", "coding": "{alphabet}"}
		c.Taken = smsgateway.Rule{At: "/code", Values: []string{"0"}}
		c.Refused = smsgateway.Rule{Status: []int{200}, At: "/code", Values: []string{"11"}}
		c.Reports.List, c.Reports.Code = "", ""
	}
	return c
}

func (s *stand) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	if r.Header.Get("Authorization") != "Bearer right" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if s.busy {
		s.busy = false
		w.Header().Set("Retry-After", "30")
		w.WriteHeader(http.StatusTooManyRequests)
		return
	}
	to, ref, text := "", "", ""
	if v, err := url.ParseQuery(string(b)); s.form && err == nil {
		to, ref, text = v.Get("dest"), v.Get("ref"), v.Get("msg")
	} else {
		var in struct {
			Messages []struct{ To, Text, Ref string }
		}
		if err := json.Unmarshal(b, &in); err != nil || len(in.Messages) != 1 {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		to, ref, text = in.Messages[0].To, in.Messages[0].Ref, in.Messages[0].Text
	}
	if strings.HasSuffix(to, "44") {
		if s.form {
			fmt.Fprint(w, `{"code":11}`)
			return
		}
		w.WriteHeader(http.StatusUnprocessableEntity)
		fmt.Fprint(w, `{"error":{"code":"invalid_number"}}`)
		return
	}
	s.brought[ref]++
	s.texts[ref] = text
	if g := s.garble; g != nil {
		s.garble = nil
		w.WriteHeader(g.status)
		fmt.Fprint(w, g.body)
		return
	}
	if s.form {
		fmt.Fprintf(w, `{"code":0,"id":%d}`, len(s.brought))
		return
	}
	w.WriteHeader(http.StatusAccepted)
	fmt.Fprintf(w, `{"messages":[{"id":"gw-%s","status":"queued"}]}`, ref)
}

func (s *stand) report(m notifyconform.Said) notify.Callback {
	state := map[notify.State]string{notify.Delivered: "DELIVRD", notify.Failed: "UNDELIV", notify.Underway: "ACCEPTD"}[m.State]
	row := map[string]string{"ref": m.Ref, "id": m.PartnerID, "status": state}
	var v any = map[string]any{"results": []any{row}}
	if s.form {
		v = row
	}
	b, _ := json.Marshal(v)
	h := hmac.New(sha256.New, []byte(reportKey))
	_, _ = h.Write(b)
	return notify.Callback{Signature: hex.EncodeToString(h.Sum(nil)), ContentType: "application/json", Body: b}
}

func open(t *testing.T, form bool) notifyconform.Fixture {
	s := &stand{form: form, brought: map[string]int{}, texts: map[string]string{}}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	dial := func(addr, key string) notify.Driver {
		c := s.config("http://" + addr)
		c.Headers = map[string]string{"Authorization": "Bearer " + key}
		d, err := smsgateway.New(c)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	return notifyconform.Fixture{
		Addr: server.Listener.Addr().String(), To: "+212612345678", Gone: "+212612345644",
		Dial:     func(addr string) notify.Driver { return dial(addr, "right") },
		Intruder: func(addr string) notify.Driver { return dial(addr, "wrong") },
		Brought: func(ref string) int {
			s.mu.Lock()
			defer s.mu.Unlock()
			if s.brought[ref] > 0 && !strings.HasSuffix(s.texts[ref], "الطلب 12 🧺\n\n@tiwiza.example #123456") {
				t.Errorf("the text came as %q", s.texts[ref])
			}
			return s.brought[ref]
		},
		Garble: func(status int, body string) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.garble = &struct {
				status int
				body   string
			}{status, body}
		},
		Busy:   func() { s.mu.Lock(); s.busy = true; s.mu.Unlock() },
		Report: s.report,
	}
}

func TestConformanceOfJSON(t *testing.T) {
	t.Parallel()
	notifyconform.Run(t, func(t *testing.T) notifyconform.Fixture { return open(t, false) })
}

func TestConformanceOfForms(t *testing.T) {
	t.Parallel()
	notifyconform.Run(t, func(t *testing.T) notifyconform.Fixture { return open(t, true) })
}

func TestSettingsThatCannotWorkAreRefused(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*smsgateway.Config){
		"no address":        func(c *smsgateway.Config) { c.URL = "/send" },
		"GET":               func(c *smsgateway.Config) { c.Method = "GET" },
		"no number":         func(c *smsgateway.Config) { c.Body = map[string]any{"text": "{text}"} },
		"no text":           func(c *smsgateway.Config) { c.Body = map[string]any{"to": "{to}"} },
		"a short key":       func(c *smsgateway.Config) { c.Reports.Key = "short" },
		"no pointer":        func(c *smsgateway.Config) { c.ID = "id" },
		"reports of nobody": func(c *smsgateway.Config) { c.Reports.ID, c.Reports.Ref = "", "" },
	} {
		c := (&stand{}).config("https://gateway.example")
		if spoil(&c); name == "" {
			t.Fatal()
		}
		if _, err := smsgateway.New(c); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}
