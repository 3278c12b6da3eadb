// Package smsgateway sends SMS through any gateway that takes one HTTP request
// for one message: how its request, its answers and its reports look is data.
package smsgateway

import (
	"bytes"
	"context"
	"crypto/x509"
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

// Config says how one gateway is spoken to.
type Config struct {
	URL    string `json:"url"`
	Method string `json:"method"` // POST
	// Form has the body sent as a form; else it is JSON.
	Form bool `json:"form"`
	// Body is the request: in its texts {to}, {digits} (the number without +),
	// {local} (06…), {text}, {ref}, {from}, {alphabet} (gsm or ucs2) and {seconds}
	// (how long it is worth bringing) and {report} (where to report) are filled in.
	Body map[string]any `json:"body"`
	From string         `json:"from"` // the sender's name that phones show
	// Headers go with each request: the key, mostly.
	Headers map[string]string `json:"headers"`

	Taken   Rule   `json:"taken"`   // which answers say that the gateway has the message
	ID      string `json:"id"`      // where they name it: a JSON pointer
	Refused Rule   `json:"refused"` // which say that this number cannot be reached

	Reports ReportConfig `json:"reports"`

	ReportURL string            `json:"-"` // where the hub takes reports in
	Roots     *x509.CertPool    `json:"-"` // nil: the system's
	Settings  outbound.Settings `json:"-"`
}

// A Rule picks answers: by their status, and by what stands in the JSON body.
type Rule struct {
	Status []int    `json:"status"` // none: any 2xx
	At     string   `json:"at"`     // a JSON pointer; "" looks at the status alone
	Values []string `json:"values"` // what stands there, one of these; none: anything
}

// ReportConfig says how a gateway reports what became of messages. Without a key
// it does not.
type ReportConfig struct {
	Key       string   `json:"key"` // its reports are signed by HMAC-SHA-256 over the body, in hex
	List      string   `json:"list"`
	Ref       string   `json:"ref"`
	ID        string   `json:"id"`
	State     string   `json:"state"`
	Code      string   `json:"code"`
	Delivered []string `json:"delivered"`
	Failed    []string `json:"failed"`
}

// Driver speaks with one gateway.
type Driver struct {
	c      Config
	client *http.Client
	hidden []string // what must not stand in evidence
}

// New makes a driver; it calls nobody.
func New(c Config) (*Driver, error) {
	if c.Method == "" {
		c.Method = http.MethodPost
	}
	u, err := url.Parse(c.URL)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return nil, fmt.Errorf("the SMS gateway's url %q is no address", c.URL)
	case c.Method != http.MethodPost && c.Method != http.MethodPut:
		return nil, fmt.Errorf("the SMS gateway's method %q is none that sends", c.Method)
	case !mentions(c.Body, "{to}") && !mentions(c.Body, "{digits}") && !mentions(c.Body, "{local}"):
		return nil, errors.New("the SMS gateway's body has no place for the number: {to}, {digits} or {local}")
	case !mentions(c.Body, "{text}"):
		return nil, errors.New("the SMS gateway's body has no place for the text: {text}")
	case c.Reports.Key != "" && (len(c.Reports.Key) < 16 || c.Reports.State == "" || c.Reports.ID == "" && c.Reports.Ref == ""):
		return nil, errors.New("the SMS gateway's reports need a key of 16 signs or more, and where the state and a name of the message stand")
	}
	for _, p := range []string{c.Taken.At, c.Refused.At, c.ID, c.Reports.List, c.Reports.Ref, c.Reports.ID, c.Reports.State, c.Reports.Code} {
		if p != "" && !strings.HasPrefix(p, "/") {
			return nil, fmt.Errorf("%q is no JSON pointer: it begins with a slash", p)
		}
	}
	d := &Driver{c: c, client: outbound.Client(c.Settings.Or(outbound.Defaults(outbound.Tell)), c.Roots), hidden: []string{c.Reports.Key}}
	for _, v := range c.Headers {
		d.hidden = append(d.hidden, v)
	}
	return d, nil
}

// Name names the driver.
func (d *Driver) Name() string { return "smsgateway" }

// Channel is SMS.
func (d *Driver) Channel() notify.Channel { return notify.SMS }

// Send asks the gateway to send one message.
func (d *Driver) Send(ctx context.Context, m notify.Message) outbound.Result {
	req, err := d.request(ctx, m)
	if err != nil {
		return outbound.Result{Outcome: outbound.NotSent, Reason: outbound.Unfit, Text: err.Error(), Err: err}
	}
	a, r, ok := outbound.Send(d.client, req)
	r.Evidence = outbound.Redact(a.Body, append(slices.Clone(d.hidden), m.Text, m.To)...)
	if a.Status == 0 || r.Outcome == outbound.NotSent {
		return r
	}
	body, err := decode(a.Body)
	switch {
	case err == nil && d.c.Refused.set() && d.c.Refused.picks(a.Status, body):
		r.Outcome, r.Reason, r.Err = outbound.Declined, "", nil
		r.Code = first(at(body, d.c.Refused.At), strconv.Itoa(a.Status))
	case !d.c.Taken.picks(a.Status, body):
		if ok {
			r = outbound.Result{Outcome: outbound.Unknown, Code: strconv.Itoa(a.Status), Evidence: r.Evidence, Err: errors.New("the gateway's answer is none that was agreed")}
		}
	case d.c.ID != "" && at(body, d.c.ID) == "":
		r = outbound.Result{Outcome: outbound.Unknown, Code: strconv.Itoa(a.Status), Evidence: r.Evidence, Err: errors.New("the gateway's answer names no message")}
	default:
		r = outbound.Result{Outcome: outbound.Accepted, Code: strconv.Itoa(a.Status), PartnerID: at(body, d.c.ID), Evidence: r.Evidence}
	}
	return r
}

func (d *Driver) request(ctx context.Context, m notify.Message) (*http.Request, error) {
	digits := strings.TrimPrefix(m.To, "+")
	local := digits
	if rest, ok := strings.CutPrefix(digits, "212"); ok {
		local = "0" + rest
	}
	alphabet, _ := notify.Count(m.Text)
	seconds := ""
	if m.Valid > 0 {
		seconds = strconv.Itoa(int(m.Valid.Seconds()))
	}
	say := words{
		"to": m.To, "digits": digits, "local": local, "text": m.Text, "ref": m.Ref, "from": d.c.From, "alphabet": string(alphabet), "seconds": seconds, "report": d.c.ReportURL,
	}
	filled := fill(d.c.Body, say)
	kind, body := "application/json", []byte(nil)
	var err error
	if d.c.Form {
		form := url.Values{}
		for k, v := range filled.(map[string]any) {
			form.Set(k, fmt.Sprint(v))
		}
		kind, body = "application/x-www-form-urlencoded", []byte(form.Encode())
	} else if body, err = json.Marshal(filled); err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, d.c.Method, d.c.URL, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", kind)
	req.Header.Set("Accept", "application/json")
	for k, v := range d.c.Headers {
		req.Header.Set(k, say.fill(v))
	}
	return req, nil
}

// words are what stands for places such as {to}.
type words map[string]string

// fill puts words in the places of a text, in one pass: what a word says is no
// place.
func (w words) fill(text string) string {
	if name, ok := strings.CutPrefix(text, "{"); ok { // a place alone, as most are
		if name, ok = strings.CutSuffix(name, "}"); ok {
			if word, known := w[name]; known {
				return word
			}
		}
	}
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(text, "{")
		if !ok && b.Len() == 0 {
			return text
		}
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		name, after, closed := strings.Cut(rest, "}")
		if word, known := w[name]; closed && known {
			b.WriteString(word)
			text = after
			continue
		}
		b.WriteByte('{')
		text = rest
	}
}

// fill puts a message into the texts of a body, which cannot change its shape.
func fill(v any, say words) any {
	switch v := v.(type) {
	case string:
		return say.fill(v)
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = fill(v[i], say)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k := range v {
			out[k] = fill(v[k], say)
		}
		return out
	}
	return v
}

func mentions(v any, what string) bool {
	switch v := v.(type) {
	case string:
		return strings.Contains(v, what)
	case []any:
		return slices.ContainsFunc(v, func(e any) bool { return mentions(e, what) })
	case map[string]any:
		for _, e := range v {
			if mentions(e, what) {
				return true
			}
		}
	}
	return false
}

func (r Rule) set() bool { return len(r.Status) > 0 || r.At != "" }

// picks says whether an answer is one of the rule's.
func (r Rule) picks(status int, body any) bool {
	if len(r.Status) == 0 && (status < 200 || status > 299) || len(r.Status) > 0 && !slices.Contains(r.Status, status) {
		return false
	}
	if r.At == "" {
		return true
	}
	found := at(body, r.At)
	return found != "" && (len(r.Values) == 0 || slices.Contains(r.Values, found))
}

func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
