package tellconform

import (
	"net/http"
	"reflect"
	"strings"
	"time"
)

// Notify is a gateway that speaks notify.v1.
type Notify struct {
	Base
	messages map[string]*message // by our references
	lost     map[string]bool
}

type messageBody struct {
	Ref      string   `json:"ref"`
	Channel  string   `json:"channel"`
	To       string   `json:"to"`
	Subject  string   `json:"subject"`
	Text     string   `json:"text"`
	Lang     string   `json:"lang"`
	Template string   `json:"template"`
	Params   []string `json:"params"`
	Valid    int64    `json:"valid_seconds"`
}

type message struct {
	ID    string `json:"id"`
	Ref   string `json:"ref"`
	State string `json:"state"`
	Code  string `json:"code,omitempty"`

	body  messageBody
	times int
}

// NewNotify makes one that lets in who has the token.
func NewNotify(token string, features ...string) *Notify {
	s := &Notify{base("messages-exemple", "notify", token, features...), map[string]*message{}, map[string]bool{}}
	s.mend = func(half []byte) []byte {
		at := strings.Index(string(half), `"ref":"`)
		if at < 0 {
			return half
		}
		ref, _, _ := strings.Cut(string(half)[at+7:], `"`)
		return []byte(`{"ref":"` + ref + `","channel":"sms","to":"+212600000000","text":"x"}`)
	}
	return s
}

// ServeHTTP answers a request.
func (s *Notify) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.serve(w, r, s.call) }

func (s *Notify) call(c call) said {
	switch path := c.method + " " + strings.Join(c.path, "/"); {
	case path == "POST messages":
		return s.post(c)
	case path == "POST sandbox/settle":
		return s.settle(c)
	case path == "GET sandbox/outbox":
		return s.outbox(c.ref)
	case c.method == http.MethodGet && len(c.path) == 2 && c.path[0] == "messages":
		if m := s.messages[c.path[1]]; m != nil {
			return ok(m)
		}
		return problem(404, "message_not_found", "No message has this reference.")
	}
	return problem(404, "not_found", "There is nothing here.")
}

// ends says how an address ends: the last two signs before the @.
func ends(to, with string) bool {
	name, _, _ := strings.Cut(to, "@")
	return strings.HasSuffix(name, with)
}

func (s *Notify) post(c call) said {
	in, wrong := read[messageBody](c)
	if wrong != nil {
		return *wrong
	}
	if c.key != `"`+in.Ref+`"` && !s.is("the key is not looked at") {
		return problem(400, "idempotency_key", "The key is the message's ref, in quotes.")
	}
	if had := s.messages[in.Ref]; had != nil {
		if !s.is("time that is left is compared") {
			in.Valid = had.body.Valid
		}
		switch {
		case s.is("brings a message again"):
			had.times++
		case !reflect.DeepEqual(had.body, in) && !s.is("another message under the same reference"):
			return problem(422, "idempotency_conflict", "Another message has this ref.")
		}
		return said{status: 200, body: had}
	}
	switch {
	case in.Text == "" || in.To == "" || !strings.Contains("sms whatsapp email", in.Channel):
		return problem(422, "invalid", "Give channel, to and text.")
	case ends(in.To, "01") && !s.is("every number is there"):
		return problem(422, "unreachable", "Nobody has this number.")
	case ends(in.To, "04") && !s.is("who opted out is written to"):
		return problem(422, "opted_out", "This person wants no messages.")
	case in.Template == "certify_no_such_template" && in.Channel == "whatsapp" && !s.is("any template is taken"):
		return problem(422, "template_unknown", "No such template.")
	}
	m := &message{ID: "gw-" + in.Ref, Ref: in.Ref, State: "underway", body: in, times: 1}
	if s.is("signs are lost") {
		m.body.Text = strings.ToValidUTF8(strings.Map(func(r rune) rune {
			if r > 127 {
				return '?'
			}
			return r
		}, in.Text), "")
	}
	out := said{status: 201, body: m}
	if ends(in.To, "03") && !s.lost[in.Ref] {
		s.lost[in.Ref], out.lost = true, true
		if s.is("lost with its answer") {
			return out
		}
	}
	s.messages[in.Ref] = m
	return out
}

// settle brings what is under way, and tells of it.
func (s *Notify) settle(c call) said {
	for _, m := range s.messages {
		if m.State != "underway" {
			continue
		}
		m.State = "delivered"
		if ends(m.body.To, "02") && !s.is("everything arrives") {
			m.State, m.Code = "failed", "undeliverable"
			if s.is("no reason for a failure") {
				m.Code = ""
			}
		}
		if m.body.Lang == "ar" && s.is("a message stays under way") {
			m.State = "underway"
			continue
		}
		s.event(c.events, "message.updated", m)
	}
	return ok(struct{}{})
}

// outbox is what was brought under a reference, as it was brought.
func (s *Notify) outbox(ref string) said {
	all := []map[string]any{}
	for _, m := range s.messages {
		if m.Ref != ref {
			continue
		}
		for range m.times {
			all = append(all, map[string]any{"ref": m.Ref, "channel": m.body.Channel, "to": m.body.To, "subject": m.body.Subject, "text": m.body.Text})
		}
	}
	return ok(map[string]any{"data": all})
}

// Brought is how often a message was brought as it is.
func (s *Notify) Brought(ref, text string) (n int) {
	s.do(func() {
		if m := s.messages[ref]; m != nil && m.body.Text == text {
			n = m.times
		} else if m != nil {
			n = -1
		}
	})
	return n
}

// Receipt is an event about a message, signed now.
func (s *Notify) Receipt(ref, id, state string) (head map[string]string, body []byte) {
	code := ""
	if state == "failed" {
		code = `,"code":"undeliverable"`
	}
	body = []byte(`{"type":"message.updated","timestamp":"2026-11-01T00:00:00Z","data":{"ref":"` + ref + `","id":"` + id + `","state":"` + state + `"` + code + `}}`)
	return s.Sign("msg_receipt", time.Now(), body), body
}
