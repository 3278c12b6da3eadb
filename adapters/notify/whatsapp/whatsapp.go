// Package whatsapp sends messages by the WhatsApp Business Cloud API: texts that
// the platform has approved before, as templates with parameters.
package whatsapp

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"tiwiza/adapters/notify"
	"tiwiza/pkg/outbound"
)

// Config says how the platform is spoken to.
type Config struct {
	BaseURL     string `json:"base_url"` // https://graph.facebook.com/v23.0
	PhoneID     string `json:"phone_id"` // of the number that sends
	Token       string `json:"token"`
	AppSecret   string `json:"app_secret"`   // signs its webhooks
	VerifyToken string `json:"verify_token"` // of our own making: the platform says it when it asks for our address

	Roots    *x509.CertPool    `json:"-"` // nil: the system's
	Settings outbound.Settings `json:"-"`
}

// Driver speaks with the platform.
type Driver struct {
	c      Config
	send   string
	client *http.Client
}

// New makes a driver; it calls nobody.
func New(c Config) (*Driver, error) {
	u, err := url.Parse(c.BaseURL)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, fmt.Errorf("WhatsApp's base_url %q is no address", c.BaseURL)
	}
	if c.PhoneID == "" || c.Token == "" || len(c.AppSecret) < 16 || len(c.VerifyToken) < 16 {
		return nil, errors.New("WhatsApp needs phone_id, token, app_secret and verify_token, the last two of 16 signs or more")
	}
	return &Driver{
		c: c, send: strings.TrimSuffix(c.BaseURL, "/") + "/" + url.PathEscape(c.PhoneID) + "/messages",
		client: outbound.Client(c.Settings.Or(outbound.Defaults(outbound.Tell)), c.Roots),
	}, nil
}

// Name names the driver.
func (d *Driver) Name() string { return "whatsapp" }

// Channel is WhatsApp.
func (d *Driver) Channel() notify.Channel { return notify.WhatsApp }

// gone are the codes by which the platform says that this number cannot be
// reached by it: no account, or not one that takes such messages.
var gone = []int{131026, 131021, 131030, 131050, 130497}

type answer struct {
	Messages []struct{ ID string }
	Error    *struct {
		Code    int
		Message string
	}
}

// Send sends one template message. What has none is not for this channel.
func (d *Driver) Send(ctx context.Context, m notify.Message) outbound.Result {
	if m.Template == "" {
		err := errors.New("a message without a template cannot go by WhatsApp")
		return outbound.Result{Outcome: outbound.NotSent, Reason: outbound.Unfit, Text: err.Error(), Err: err}
	}
	req, err := d.request(ctx, m)
	if err != nil {
		return outbound.Result{Outcome: outbound.NotSent, Reason: outbound.Unfit, Text: err.Error(), Err: err}
	}
	a, r, ok := outbound.Send(d.client, req)
	r.Evidence = outbound.Redact(a.Body, append(slices.Clone(m.Params), d.c.Token, m.To, strings.TrimPrefix(m.To, "+"))...)
	if a.Status == 0 || r.Outcome == outbound.NotSent {
		return r
	}
	var said answer
	err = json.Unmarshal(a.Body, &said)
	switch {
	case ok && err == nil && said.Error == nil && len(said.Messages) == 1 && said.Messages[0].ID != "":
		return outbound.Result{Outcome: outbound.Accepted, Code: strconv.Itoa(a.Status), PartnerID: said.Messages[0].ID, Evidence: r.Evidence}
	case ok:
		return outbound.Result{Outcome: outbound.Unknown, Code: strconv.Itoa(a.Status), Evidence: r.Evidence, Err: errors.New("the platform's answer names no message")}
	case a.Status == http.StatusBadRequest && err == nil && said.Error != nil && slices.Contains(gone, said.Error.Code):
		return outbound.Result{Outcome: outbound.Declined, Code: strconv.Itoa(said.Error.Code), Evidence: r.Evidence}
	}
	return r
}

func (d *Driver) request(ctx context.Context, m notify.Message) (*http.Request, error) {
	params := make([]map[string]string, len(m.Params))
	for i, p := range m.Params {
		params[i] = map[string]string{"type": "text", "text": p}
	}
	components := []map[string]any{}
	if len(params) > 0 {
		components = append(components, map[string]any{"type": "body", "parameters": params})
	}
	body, err := json.Marshal(map[string]any{
		"messaging_product": "whatsapp", "recipient_type": "individual", "to": strings.TrimPrefix(m.To, "+"), "type": "template",
		"template":                 map[string]any{"name": m.Template, "language": map[string]string{"code": m.Lang}, "components": components},
		"biz_opaque_callback_data": m.Ref,
	})
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.send, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+d.c.Token)
	return req, nil
}

// webhook is what the platform tells; only what is said of messages is read.
type webhook struct {
	Object string
	Entry  []struct {
		Changes []struct {
			Field string
			Value struct {
				Metadata struct {
					PhoneID string `json:"phone_number_id"`
				}
				Statuses []struct {
					ID, Status string
					Ref        string `json:"biz_opaque_callback_data"`
					Errors     []struct{ Code int }
				}
			}
		}
	}
}

// Reports reads a webhook, which is signed by the app's secret.
func (d *Driver) Reports(c notify.Callback) ([]notify.Report, error) {
	sent, ok := strings.CutPrefix(c.Signature, "sha256=")
	sum, err := hex.DecodeString(sent)
	h := hmac.New(sha256.New, []byte(d.c.AppSecret))
	_, _ = h.Write(c.Body)
	if !ok || err != nil || !hmac.Equal(sum, h.Sum(nil)) {
		return nil, notify.ErrForged
	}
	var w webhook
	if err := json.Unmarshal(c.Body, &w); err != nil || w.Object != "whatsapp_business_account" {
		return nil, notify.ErrUnreadable.With(err)
	}
	out := []notify.Report{}
	for _, e := range w.Entry {
		for _, ch := range e.Changes {
			if ch.Field != "messages" || ch.Value.Metadata.PhoneID != d.c.PhoneID {
				continue // of another number of the same business
			}
			for _, s := range ch.Value.Statuses {
				n := notify.Report{PartnerID: s.ID, Ref: s.Ref, State: notify.Underway}
				switch s.Status {
				case "delivered", "read":
					n.State = notify.Delivered
				case "failed":
					n.State, n.Code = notify.Failed, s.Status
					if len(s.Errors) > 0 {
						n.Code = strconv.Itoa(s.Errors[0].Code)
					}
				}
				out = append(out, n)
			}
		}
	}
	return out, nil
}

// Greet answers the platform's question whether the address for webhooks is
// ours.
func (d *Driver) Greet(mode, token, challenge string) (string, error) {
	if mode != "subscribe" || subtle.ConstantTimeCompare([]byte(token), []byte(d.c.VerifyToken)) != 1 {
		return "", notify.ErrForged
	}
	return challenge, nil
}
