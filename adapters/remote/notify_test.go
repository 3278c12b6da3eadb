package remote_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"tiwiza/adapters/notify"
	"tiwiza/adapters/notify/notifyconform"
	"tiwiza/adapters/remote"
	"tiwiza/adapters/remote/tellconform"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/webhook"
)

func TestNotifyConformance(t *testing.T) {
	t.Parallel()
	for c, to := range map[notify.Channel][2]string{notify.SMS: {"+212612345678", "+212612345601"}, notify.WhatsApp: {"+212612345678", "+212612345601"}, notify.Email: {"nom@exemple.ma", "nom01@exemple.ma"}} {
		t.Run(string(c), func(t *testing.T) {
			t.Parallel()
			notifyconform.Run(t, func(t *testing.T) notifyconform.Fixture {
				s := tellconform.NewNotify(token, string(c))
				addr := openly(t, s)
				return notifyconform.Fixture{
					Addr: addr, To: to[0], Gone: to[1],
					Dial: func(addr string) notify.Driver { return remote.NewNotify(reached(t, addr, token), c, s.Key()) },
					Intruder: func(addr string) notify.Driver {
						return remote.NewNotify(reached(t, addr, "somebody-elses-token"), c, s.Key())
					},
					Brought: func(ref string) int { return s.Brought(ref, notifyconform.Text) },
					Garble:  s.Garble, Busy: s.Busy,
					Report: func(m notifyconform.Said) notify.Callback {
						head, body := s.Receipt(m.Ref, m.PartnerID, string(m.State))
						return notify.Callback{Signature: remote.PackSignature(webhook.Signed{ID: head["webhook-id"], Timestamp: head["webhook-timestamp"], Signature: head["webhook-signature"]}), Body: body}
					},
				}
			})
		})
	}
}

// TestAMessageInDoubtIsAskedFor loses an answer, asks, and sends again.
func TestAMessageInDoubtIsAskedFor(t *testing.T) {
	t.Parallel()
	s := tellconform.NewNotify(token, "sms")
	c := notify.New("gateway", remote.NewNotify(reached(t, openly(t, s), token), notify.SMS), notify.Options{})
	m := notify.Message{Ref: "nat_1", To: "+212612345603", Text: "Exemple", Lang: "fr"}
	if _, r := c.Ask(t.Context(), m.Ref); r.Outcome != outbound.NotFound {
		t.Errorf("before it was sent it is %+v", r)
	}
	if r := c.Send(t.Context(), m); r.Outcome != outbound.Unknown {
		t.Errorf("with its answer lost it is %+v", r)
	}
	if n, r := c.Ask(t.Context(), m.Ref); r.Outcome != outbound.Succeeded || n.Ref != m.Ref || n.PartnerID != "gw-nat_1" || n.State != notify.Underway {
		t.Errorf("asked for it is %+v, %+v", n, r)
	}
	if r := c.Send(t.Context(), m); r.Outcome != outbound.Accepted || s.Brought(m.Ref, m.Text) != 1 {
		t.Errorf("sent again it is %+v, brought %d times", r, s.Brought(m.Ref, m.Text))
	}
	m.Text = "Autre"
	if r := c.Send(t.Context(), m); r.Outcome != outbound.Unknown || r.Code != "idempotency_conflict" {
		t.Errorf("another under the same reference is %+v", r)
	}
	for what, code := range map[string]string{"+212612345604": "opted_out", "+212612345601": "unreachable"} {
		if r := c.Send(t.Context(), notify.Message{Ref: "nat_" + code, To: what, Text: "Exemple"}); r.Outcome != outbound.Declined || r.Code != code {
			t.Errorf("%s is %+v, want Declined by %s", what, r, code)
		}
	}
}

// TestReceiptsThatAreNotTheProtocolsAreUnreadable signs what no connector should say.
func TestReceiptsThatAreNotTheProtocolsAreUnreadable(t *testing.T) {
	t.Parallel()
	s := tellconform.NewNotify(token, "sms")
	d := remote.NewNotify(reached(t, openly(t, http.NotFoundHandler()), token), notify.SMS, s.Key())
	for _, change := range [][2]string{
		{`"message.updated"`, `"message.eaten"`}, {`"state":"delivered"`, `"state":"read"`}, {`"state":"delivered"`, `"state":"failed"`}, {`"ref":"nat_1"`, `"ref":""`}, {`"id":"gw-1"`, `"id":"a b"`}, {`}}`, `}}x`}, {`"ref":"nat_1"`, `"ref":"nat_1","ref":"nat_2"`},
	} {
		_, body := s.Receipt("nat_1", "gw-1", "delivered")
		text := []byte(strings.Replace(string(body), change[0], change[1], 1))
		head := s.Sign("msg_1", webhook.Now(), text)
		_, err := d.Reports(notify.Callback{Signature: remote.PackSignature(webhook.Signed{ID: head["webhook-id"], Timestamp: head["webhook-timestamp"], Signature: head["webhook-signature"]}), Body: text})
		if !errors.Is(err, notify.ErrUnreadable) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
