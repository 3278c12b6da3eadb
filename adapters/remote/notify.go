package remote

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"tiwiza/adapters/notify"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/strict"
	"tiwiza/pkg/webhook"
)

// notifyPath is where a connector speaks notify.v1.
const notifyPath = "/notify/v1"

// Notify speaks notify.v1 behind the port of those who bring messages, for one
// channel: a message is posted under its own reference, and is brought once.
type Notify struct {
	n       *Connector
	channel notify.Channel
	keys    []string
}

var _ interface {
	notify.Driver
	notify.Reporter
	notify.Asker
	notify.Prober
} = &Notify{}

// NewNotify is the driver of a connector that speaks notify.v1, for one of its
// channels. Keys are those that its receipts are signed with.
func NewNotify(n *Connector, c notify.Channel, keys ...string) *Notify { return &Notify{n, c, keys} }

// Channels are those that a connector's features name.
func Channels(features []string) (all []notify.Channel) {
	for _, c := range []notify.Channel{notify.WhatsApp, notify.SMS, notify.Email} {
		if slices.Contains(features, string(c)) {
			all = append(all, c)
		}
	}
	return all
}

// Name names the driver.
func (d *Notify) Name() string { return "remote" }

// Channel is the way its messages go.
func (d *Notify) Channel() notify.Channel { return d.channel }

// Probe asks whether we are let in.
func (d *Notify) Probe(ctx context.Context) outbound.Result {
	_, r := d.n.tell(ctx, http.MethodGet, notifyPath+"/ping", nil)
	return r
}

// MessageBody is the body of POST /notify/v1/messages, in this order of fields.
type MessageBody struct {
	Ref      string         `json:"ref"`
	Channel  notify.Channel `json:"channel"`
	To       string         `json:"to"`
	Subject  string         `json:"subject,omitempty"`
	Text     string         `json:"text"`
	Lang     string         `json:"lang,omitempty"`
	Template string         `json:"template,omitempty"`
	Params   []string       `json:"params,omitempty"`
	Valid    int64          `json:"valid_seconds,omitempty"`
}

// RenderMessage makes the body that sends a message.
func RenderMessage(c notify.Channel, m notify.Message) MessageBody {
	return MessageBody{m.Ref, c, m.To, m.Subject, m.Text, m.Lang, m.Template, m.Params, int64(m.Valid.Seconds())}
}

// messageSaid is what a connector says of a message.
type messageSaid struct {
	ID    string       `json:"id"`
	Ref   string       `json:"ref"`
	State notify.State `json:"state"`
	Code  string       `json:"code"`
}

// report is what the port takes of it: ErrUnreadable when it is not the protocol's.
func (m messageSaid) report() (notify.Report, error) {
	ok := remoteShape.MatchString(m.ID) && slices.Contains([]notify.State{notify.Underway, notify.Delivered, notify.Failed}, m.State) &&
		(m.State != notify.Failed || codeShape.MatchString(m.Code))
	if !ok {
		return notify.Report{}, notify.ErrUnreadable.With(fmt.Errorf("message %q in the state %q with the code %q", cut(m.ID, 40), cut(string(m.State), 40), cut(m.Code, 40)))
	}
	return notify.Report{Ref: m.Ref, PartnerID: m.ID, State: m.State, Code: m.Code}, nil
}

// Send posts a message under its reference as the key. Accepted is only an answer
// that repeats the reference.
func (d *Notify) Send(ctx context.Context, m notify.Message) outbound.Result {
	a, r := d.n.tellOnce(ctx, http.MethodPost, notifyPath+"/messages", m.Ref, RenderMessage(d.channel, m))
	r.Evidence = outbound.Redact(r.Evidence, m.Text, m.To)
	if r.Outcome == outbound.NotFound {
		return unread(outbound.Answer{}, errors.New("404 to a message"))
	}
	if r.Outcome != outbound.Succeeded {
		return r
	}
	n, err := d.said(a, m.Ref)
	if err != nil {
		return unread(outbound.Answer{Body: outbound.Redact(a.Body, m.Text, m.To)}, err)
	}
	out := outbound.Result{Outcome: outbound.Accepted, PartnerID: n.PartnerID, Code: fmt.Sprint(a.Status)}
	if n.State == notify.Delivered {
		out.Outcome = outbound.Succeeded
	}
	return out
}

// said reads an answer about one message of ours.
func (d *Notify) said(a outbound.Answer, ref string) (notify.Report, error) {
	var m messageSaid
	if err := strict.Object(a.Body, &m); err != nil {
		return notify.Report{}, err
	}
	if m.Ref != ref {
		return notify.Report{}, fmt.Errorf("it speaks of another message than %s", ref)
	}
	return m.report()
}

// Ask asks what became of a message. NotFound is only the code message_not_found.
func (d *Notify) Ask(ctx context.Context, ref string) (notify.Report, outbound.Result) {
	a, r := d.n.tell(ctx, http.MethodGet, notifyPath+"/messages/"+ref, nil)
	if r.Outcome != outbound.Succeeded {
		return notify.Report{}, r
	}
	n, err := d.said(a, ref)
	if err != nil {
		return notify.Report{}, unread(a, err)
	}
	return n, r
}

// PackSignature puts what signs an event by Standard Webhooks into one text, as the
// port carries it.
func PackSignature(s webhook.Signed) string { return s.ID + " " + s.Timestamp + " " + s.Signature }

// Reports reads a receipt that one of the connector's keys signed lately:
// notify.ErrForged, notify.ErrUnreadable.
func (d *Notify) Reports(c notify.Callback) ([]notify.Report, error) {
	id, rest, _ := strings.Cut(c.Signature, " ")
	at, signature, _ := strings.Cut(rest, " ")
	if !(webhook.Signed{ID: id, Timestamp: at, Signature: signature, Body: c.Body}).By(webhook.Now(), d.keys...) {
		return nil, notify.ErrForged
	}
	var said struct {
		Type string      `json:"type"`
		Data messageSaid `json:"data"`
	}
	if err := strict.Object(c.Body, &said); err != nil {
		return nil, notify.ErrUnreadable.With(err)
	}
	if said.Type != "message.updated" || said.Data.Ref == "" {
		return nil, notify.ErrUnreadable.With(fmt.Errorf("an event %q of message %q", cut(said.Type, 40), cut(said.Data.Ref, 40)))
	}
	n, err := said.Data.report()
	if err != nil {
		return nil, err
	}
	return []notify.Report{n}, nil
}
