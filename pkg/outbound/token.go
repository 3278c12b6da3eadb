package outbound

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Tokens fetches a partner's access tokens and keeps each for as long as it
// lives (OAuth 2.0 client credentials, RFC 6749 §4.4). It is safe for use by
// many goroutines.
type Tokens struct {
	client          *http.Client
	url, id, secret string
	slot            chan struct{} // who holds it fetches, or reads what was fetched
	token           string
	until           time.Time
}

// spare is how long before its end a token is not used any more.
const spare = 30 * time.Second

// NewTokens makes a source of tokens that are asked for at a URL.
func NewTokens(c *http.Client, url, id, secret string) *Tokens {
	return &Tokens{client: c, url: url, id: id, secret: secret, slot: make(chan struct{}, 1)}
}

// Token is one that lives for a while yet. Without ok there is none, and
// nothing of the call that needs it was sent: r is NotSent.
func (t *Tokens) Token(ctx context.Context) (token string, r Result, ok bool) {
	select {
	case t.slot <- struct{}{}:
		defer func() { <-t.slot }()
	case <-ctx.Done():
		return "", Result{Outcome: NotSent, Reason: Cancelled, Err: ctx.Err()}, false
	}
	if t.token != "" && time.Now().Before(t.until) {
		return t.token, Result{}, true
	}
	form := url.Values{"grant_type": {"client_credentials"}}.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, t.url, strings.NewReader(form))
	if err != nil {
		return "", Result{Outcome: NotSent, Reason: Unfit, Err: err}, false
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(url.QueryEscape(t.id), url.QueryEscape(t.secret))
	asked := time.Now()
	a, r, ok := Send(t.client, req)
	if !ok {
		r.Outcome, r.Text, r.Evidence = NotSent, "no access token", nil
		return "", r, false
	}
	var said struct {
		Token   string `json:"access_token"`
		Type    string `json:"token_type"`
		Seconds int64  `json:"expires_in"`
	}
	if err := json.Unmarshal(a.Body, &said); err != nil || said.Token == "" || !strings.EqualFold(said.Type, "bearer") {
		err = fmt.Errorf("no access token in the answer: %w", errors.Join(err, errors.New("a bearer token is wanted")))
		return "", Result{Outcome: NotSent, Text: "no access token", Err: err}, false
	}
	t.token, t.until = said.Token, asked.Add(time.Duration(min(said.Seconds, 86400))*time.Second-spare)
	return t.token, Result{}, true
}

// Forget drops a token that the partner has refused.
func (t *Tokens) Forget(ctx context.Context, token string) {
	select {
	case t.slot <- struct{}{}:
		defer func() { <-t.slot }()
	case <-ctx.Done():
		return
	}
	if t.token == token {
		t.token = ""
	}
}

// Date says in a header when a request is made, by the machine's clock: the
// partner compares it with its own.
func Date(req *http.Request, header string) {
	req.Header.Set(header, time.Now().UTC().Format("2006-01-02T15:04:05.000Z"))
}
