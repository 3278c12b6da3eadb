// Package remote speaks the partner protocol (docs/partner): a connector is a
// program that a partner runs where it likes and writes in what it likes, and
// that the hub knows by its address alone.
package remote

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"

	"tiwiza/pkg/outbound"
	"tiwiza/pkg/webhook"
)

// Config says where a connector is and how the hub signs in there.
type Config struct {
	URL string
	// Credentials are tried in this order: while they are being changed, two are
	// valid at once.
	Credentials []Credentials
	// Roots are PEM certificates that sign the connector's; none: the system's.
	Roots string
	// Guard says which addresses may be called at all.
	Guard    webhook.Guard
	Settings outbound.Settings
}

// Credentials are one way to sign in: a bearer token, or OAuth 2.0 client
// credentials, and beside either a client certificate.
type Credentials struct {
	Token        string `json:"token,omitempty"`
	TokenURL     string `json:"token_url,omitempty"`
	ClientID     string `json:"client_id,omitempty"`
	ClientSecret string `json:"client_secret,omitempty"`
	Certificate  string `json:"certificate,omitempty"` // PEM
	Key          string `json:"key,omitempty"`         // PEM
}

// Check says what is wrong with credentials; "" if nothing is.
func (c Credentials) Check(g webhook.Guard) string {
	switch {
	case (c.Token == "") == (c.TokenURL == ""):
		return "Give a token, or token_url, client_id and client_secret, and not both."
	case c.Token != "" && (len(c.Token) < leastSecret || strings.ContainsAny(c.Token, " \t\r\n")):
		return "A token has 16 signs or more and no space."
	case c.TokenURL != "" && (c.ClientID == "" || c.ClientSecret == ""):
		return "Give client_id and client_secret beside token_url."
	case c.TokenURL != "" && g.Check(c.TokenURL) != "":
		return "token_url: " + g.Check(c.TokenURL)
	case (c.Certificate == "") != (c.Key == ""):
		return "Give certificate and key together."
	}
	if c.Certificate != "" {
		if _, err := tls.X509KeyPair([]byte(c.Certificate), []byte(c.Key)); err != nil {
			return "The certificate and the key do not fit, or are not PEM."
		}
	}
	return ""
}

// secrets are what must never be seen again.
func (c Credentials) secrets() []string { return []string{c.Token, c.ClientSecret, c.Key} }

// A Connector is a partner's program, ready to be called. It is safe for use by
// many goroutines.
type Connector struct {
	base    string
	doors   []door
	open    *http.Client  // without credentials
	letIn   *atomic.Int32 // the door that was let in last
	secrets []string
}

// door is one way in.
type door struct {
	client *http.Client
	token  string
	tokens *outbound.Tokens
	secret string // what it signs in with: a token, or a client secret
}

// New makes a connector ready; it calls nobody.
func New(c Config) (*Connector, error) {
	if wrong := c.Guard.Check(c.URL); wrong != "" {
		return nil, fmt.Errorf("the connector's address %q: %s", c.URL, wrong)
	}
	u, err := url.Parse(c.URL)
	if err != nil || u.RawQuery != "" {
		return nil, fmt.Errorf("the connector's address %q has a query: %w", c.URL, errors.Join(err, errors.New("leave it out")))
	}
	var roots *x509.CertPool
	if c.Roots != "" {
		roots = x509.NewCertPool()
		if !roots.AppendCertsFromPEM([]byte(c.Roots)) {
			return nil, errors.New("the connector's roots are no PEM certificates")
		}
	}
	n := &Connector{letIn: new(atomic.Int32), base: strings.TrimRight(c.URL, "/"), open: client(c, roots, nil)}
	for _, k := range c.Credentials {
		if wrong := k.Check(c.Guard); wrong != "" {
			return nil, fmt.Errorf("the connector's credentials: %s", wrong)
		}
		var own []tls.Certificate
		if k.Certificate != "" {
			pair, err := tls.X509KeyPair([]byte(k.Certificate), []byte(k.Key))
			if err != nil {
				return nil, fmt.Errorf("read the client certificate: %w", err)
			}
			own = append(own, pair)
		}
		d := door{client: client(c, roots, own), token: k.Token, secret: cmp.Or(k.Token, k.ClientSecret)}
		if k.TokenURL != "" {
			d.tokens = outbound.NewTokens(d.client, k.TokenURL, k.ClientID, k.ClientSecret)
		}
		n.doors, n.secrets = append(n.doors, d), append(n.secrets, k.secrets()...)
	}
	return n, nil
}

// client is an HTTP client that reaches only what the guard lets it.
func client(c Config, roots *x509.CertPool, own []tls.Certificate) *http.Client {
	return outbound.Client(c.Settings, roots, func(t *http.Transport) {
		t.DialContext = c.Guard.Dial
		t.TLSClientConfig.Certificates = own
	})
}

// A request is one call of the protocol.
type request struct {
	method, path string
	key          string // Idempotency-Key, of what must happen once
	body         []byte
}

// Problem is an error of a connector.
type Problem = outbound.Problem

// problem reads an answer that is no success; without a code there is none.
func problem(a outbound.Answer) Problem { return outbound.ProblemOf(a) }

// call makes a call, with each credential in turn until one is let in. A
// connector that answers 401 with the code unauthenticated promises that it did
// nothing, and certification proves it: only that makes a refused sign-in
// NotSent. What is kept as evidence holds no credentials, whatever was answered.
func (n *Connector) call(ctx context.Context, q request) (a outbound.Answer, r outbound.Result, ok bool) {
	r = outbound.Result{Outcome: outbound.NotSent, Reason: outbound.Credentials, Text: "there are no credentials"}
	for i, d := range n.doors {
		for range 2 { // a token may have ended before its time
			var token string
			if token, r, ok = d.bearer(ctx); !ok {
				break
			}
			if a, r, ok = n.send(ctx, d.client, q, token); ok {
				r.Evidence = a.Body
			}
			r.Evidence = outbound.Redact(r.Evidence, slices.Concat(n.secrets, []string{token})...)
			if ok || a.Status != http.StatusUnauthorized {
				if a.Status != 0 {
					n.letIn.Store(int32(i))
				}
				return a, r, ok
			}
			if problem(a).Code != "unauthenticated" {
				return a, r, false
			}
			r.Outcome, r.Reason, r.Text = outbound.NotSent, outbound.Credentials, "the connector does not know our credentials"
			if d.tokens == nil {
				break
			}
			d.tokens.Forget(ctx, token)
		}
		if r.Reason != outbound.Credentials {
			return a, r, false
		}
	}
	return a, r, false
}

// secret is what the connector let us in with last, as far as is known: while it is
// being changed there, the newest may not hold yet. "" where there is none.
func (n *Connector) secret() string {
	if len(n.doors) == 0 {
		return ""
	}
	return n.doors[n.letIn.Load()].secret
}

// bearer is the token to sign in with.
func (d door) bearer(ctx context.Context) (string, outbound.Result, bool) {
	if d.tokens != nil {
		return d.tokens.Token(ctx)
	}
	return d.token, outbound.Result{}, true
}

// send makes one request. What changes something has a body, also an empty one,
// so that net/http never repeats it by itself.
func (n *Connector) send(ctx context.Context, c *http.Client, q request, token string) (outbound.Answer, outbound.Result, bool) {
	if q.method == http.MethodPost && len(q.body) == 0 {
		q.body = []byte("{}")
	}
	req, err := http.NewRequestWithContext(ctx, q.method, n.base+q.path, bytes.NewReader(q.body))
	if err != nil {
		return outbound.Answer{}, outbound.Result{Outcome: outbound.NotSent, Reason: outbound.Unfit, Err: err}, false
	}
	if len(q.body) == 0 {
		req.Body, req.ContentLength = http.NoBody, 0
	} else {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("Accept", "application/json, application/problem+json")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	if q.key != "" {
		req.Header.Set("Idempotency-Key", `"`+q.key+`"`)
	}
	return outbound.Send(c, req)
}

// cut shortens a text of a partner.
func cut(s string, most int) string { return outbound.Cut(s, most) }

// questions are what each port is signed in by: they move nothing.
var questions = map[string]string{
	"bank": messages + "?limit=1", "insurance": insurancePath + "/products", "wallet": walletPath + "/requests/HUB-PROBE",
	"card": cardPath + "/payments/HUB-PROBE",
	"crm":  crmPath + "/ping", "notify": notifyPath + "/ping",
}

// leastSecret is how many signs a token has at least, and whatever signs payments.
const leastSecret = 16

// SignIn says whether each of the credentials is let in at a port, by a question
// that moves nothing.
func (n *Connector) SignIn(ctx context.Context, port string) error {
	question, ok := questions[port]
	if !ok {
		return fmt.Errorf("no connector is signed in to for the port %q", port)
	}
	var failed error
	for i, d := range n.doors {
		if port == "card" && len(d.secret) < leastSecret {
			failed = errors.Join(failed, fmt.Errorf("credentials %d: what payments are signed with has %d signs or more: each buyer holds a signature to guess it by", i+1, leastSecret))
			continue
		}
		one := *n
		one.doors, one.letIn = []door{d}, new(atomic.Int32)
		a, r, ok := one.call(ctx, request{method: http.MethodGet, path: question})
		if asked := outbound.Refused(a, r, nil, "request_not_found", "payment_not_found"); !ok && asked.Outcome != outbound.NotFound { // let in: there is no such thing
			failed = errors.Join(failed, fmt.Errorf("credentials %d: %w", i+1, because(r)))
		}
	}
	return failed
}

// ProblemOf is the error that an answer holds; without a code there is none.
func ProblemOf(a outbound.Answer) Problem { return problem(a) }

// Client is what the connector is called with, by its newest credentials.
func (n *Connector) Client() (*http.Client, error) {
	if len(n.doors) == 0 {
		return nil, errors.New("there are no credentials")
	}
	return n.doors[0].client, nil
}

// Browser is what a buyer's browser reaches the connector with: no credentials.
func (n *Connector) Browser() *http.Client { return n.open }

// Bearer is the token that the connector is signed in to with now.
func (n *Connector) Bearer(ctx context.Context) (string, error) {
	if len(n.doors) == 0 {
		return "", errors.New("there are no credentials")
	}
	token, r, ok := n.doors[0].bearer(ctx)
	if !ok {
		return "", because(r)
	}
	return token, nil
}
