package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"tiwiza/pkg/id"
)

// patience is how long a step may take: long enough for a hub that was killed
// to come back and for its partners to be asked.
const patience = 3 * time.Minute

// A player plays the main job as its people would: over HTTP, with their keys.
// While the hub is away it waits and asks again with the same idempotency key.
type player struct {
	client *http.Client
	keys   demoKeys
	say    io.Writer
}

// problem is what the hub answers when it refuses.
type problem struct {
	Status int    `json:"status"`
	Code   string `json:"code"`
	Detail string `json:"detail"`
	Errors []struct {
		Pointer string `json:"pointer"`
		Detail  string `json:"detail"`
	} `json:"errors"`
	about string
}

func (p *problem) Error() string {
	s := fmt.Sprintf("%s: %d %s %s", p.about, p.Status, p.Code, p.Detail)
	for _, e := range p.Errors {
		s += fmt.Sprintf("\n  %s: %s", e.Pointer, e.Detail)
	}
	return s
}

// A call is one request of the interface.
type call struct {
	key         string // API key
	method      string
	path        string
	body        any // JSON, or []byte with contentType
	contentType string
	once        bool // send an Idempotency-Key
}

// do makes a call until the hub answers it, and decodes the answer into out; a
// *[]byte takes it as it is.
// again says that an answer may have been lost before.
func (p *player) do(ctx context.Context, c call, out any) (again bool, err error) {
	body, _ := c.body.([]byte)
	contentType := c.contentType
	if contentType == "" && c.body != nil {
		if body, err = json.Marshal(c.body); err != nil {
			return false, err
		}
		contentType = "application/json"
	}
	idem := id.New("demo")
	deadline := time.Now().Add(patience)
	for ; ; again = true {
		res, err := p.send(ctx, c, body, contentType, idem)
		if err == nil {
			status, b := res.StatusCode, []byte(nil)
			b, err = io.ReadAll(res.Body)
			res.Body.Close()
			switch {
			case err != nil:
			case status < 300:
				return again, decode(b, out)
			case status == http.StatusTooManyRequests || status >= 500 || status == http.StatusConflict && bytes.Contains(b, []byte("idempotency.in_progress")):
				err = errors.New(res.Status)
			default:
				pr := &problem{about: c.method + " " + c.path, Status: status}
				_ = json.Unmarshal(b, pr) // what is no problem document keeps its status
				return again, pr
			}
		}
		if time.Now().After(deadline) || ctx.Err() != nil {
			return again, fmt.Errorf("%s %s: %w", c.method, c.path, err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(200 * time.Millisecond):
		}
	}
}

func decode(b []byte, out any) error {
	switch out := out.(type) {
	case nil:
		return nil
	case *[]byte:
		*out = b
		return nil
	}
	return json.Unmarshal(b, out)
}

func (p *player) send(ctx context.Context, c call, body []byte, contentType, idem string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, c.method, p.keys.URL+c.path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if c.key != "" {
		req.Header.Set("Authorization", "Bearer "+c.key)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	if c.once {
		req.Header.Set("Idempotency-Key", idem)
	}
	return p.client.Do(req)
}

func (p *player) get(ctx context.Context, key, path string, out any) error {
	_, err := p.do(ctx, call{key: key, method: http.MethodGet, path: path}, out)
	return err
}

func (p *player) post(ctx context.Context, key, path string, in, out any) error {
	_, err := p.do(ctx, call{key: key, method: http.MethodPost, path: path, body: in}, out)
	return err
}

// move makes a transition. A second try that finds it made already is content.
func (p *player) move(ctx context.Context, key, path string, in any) error {
	again, err := p.do(ctx, call{key: key, method: http.MethodPost, path: path, body: in}, nil)
	if pr, ok := errors.AsType[*problem](err); ok && again && pr.Status == http.StatusConflict {
		return nil
	}
	return err
}

// commit makes a call that makes an order or moves money: sent again with the
// same key, it happens once.
func (p *player) commit(ctx context.Context, key, path string, in, out any) error {
	_, err := p.do(ctx, call{key: key, method: http.MethodPost, path: path, body: in, once: true}, out)
	return err
}

func (p *player) step(format string, args ...any) { fmt.Fprintf(p.say, "• "+format+"\n", args...) }

// until asks until done says yes.
func until(ctx context.Context, what string, done func() (bool, error)) error {
	return within(ctx, patience, what, done)
}

var errWaited = errors.New("waited in vain")

// within is until, with a patience of its own.
func within(ctx context.Context, patience time.Duration, what string, done func() (bool, error)) error {
	deadline := time.Now().Add(patience)
	for {
		ok, err := done()
		if err != nil || ok {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%w: %s for %s", errWaited, patience, what)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

var (
	formTag  = regexp.MustCompile(`(?s)<form[^>]*action="([^"]*)"[^>]*>(.*?)</form>`)
	inputTag = regexp.MustCompile(`<input[^>]*>`)
	attr     = regexp.MustCompile(`(name|value)="([^"]*)"`)
)

// pay goes through the acquirer's pages as a browser would: the card, then the
// code of the bank, then back to the shop.
func (p *player) pay(ctx context.Context, action string, fields map[string]string, card map[string]string) error {
	form := url.Values{}
	for k, v := range fields {
		form.Set(k, v)
	}
	at := action
	for range 4 {
		page, where, err := p.submit(ctx, at, form)
		if err != nil {
			return err
		}
		if strings.HasPrefix(where, p.keys.URL) {
			return nil
		}
		m := formTag.FindStringSubmatch(page)
		if m == nil {
			return fmt.Errorf("the acquirer's page at %s has no form: %.200s", where, page)
		}
		base, err := url.Parse(where)
		if err != nil {
			return err
		}
		next, err := base.Parse(html.UnescapeString(m[1]))
		if err != nil {
			return err
		}
		at, form = next.String(), url.Values{}
		for _, tag := range inputTag.FindAllString(m[2], -1) {
			var name, value string
			for _, a := range attr.FindAllStringSubmatch(tag, -1) {
				if a[1] == "name" {
					name = html.UnescapeString(a[2])
				} else {
					value = html.UnescapeString(a[2])
				}
			}
			if v, ok := card[name]; ok {
				value = v
			}
			form.Add(name, value)
		}
		if strings.HasPrefix(at, p.keys.URL) { // back to the shop: it shows, it decides nothing
			return nil
		}
	}
	return errors.New("the acquirer's pages lead nowhere")
}

func (p *player) submit(ctx context.Context, at string, form url.Values) (page, where string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, at, strings.NewReader(form.Encode()))
	if err != nil {
		return "", "", err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := p.client.Do(req)
	if err != nil {
		return "", "", err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return string(b), res.Request.URL.String(), err
}
