// Package tryton keeps people and orders in a Tryton server (6.0, with its modules
// party and sale_opportunity) by JSON-RPC. A person is a party whose code is our
// name, which Tryton keeps unique; an order is a sale opportunity whose reference
// is. Who does not agree any more is a party that is not active. Tryton keeps no
// points and writes to nobody.
package tryton

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"tiwiza/adapters/crm"
	"tiwiza/pkg/outbound"
)

// Config says how the server is spoken to.
type Config struct {
	BaseURL  string `json:"base_url"` // with the name of the database: https://tryton.example/hub/
	User     string `json:"user"`
	Password string `json:"password"`
	Company  int64  `json:"company"`  // whose sales they are
	Employee int64  `json:"employee"` // who looks after them

	Roots    *x509.CertPool    `json:"-"` // nil: the system's
	Settings outbound.Settings `json:"-"`
}

// Driver speaks with one database.
type Driver struct {
	c      Config
	client *http.Client

	mu      sync.Mutex
	session string // of the user, until the server forgets it
}

// New makes a driver; it calls nobody.
func New(c Config) (*Driver, error) {
	u, err := url.Parse(c.BaseURL)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || strings.Trim(u.Path, "/") == "" {
		return nil, fmt.Errorf("the base_url of Tryton, %q, is no address with a database", c.BaseURL)
	}
	if c.User == "" || c.Password == "" || c.Company <= 0 || c.Employee <= 0 {
		return nil, errors.New("a Tryton server needs user, password, company and employee")
	}
	c.BaseURL = strings.TrimSuffix(c.BaseURL, "/") + "/"
	return &Driver{c: c, client: outbound.Client(c.Settings.Or(outbound.Defaults(outbound.Tell)), c.Roots)}, nil
}

// Name names the driver.
func (d *Driver) Name() string { return "tryton" }

// Probe asks which version the server is.
func (d *Driver) Probe(ctx context.Context) outbound.Result {
	var version string
	return d.send(ctx, "", "common.server.version", nil, &version)
}

var done = outbound.Result{Outcome: outbound.Succeeded}

// call calls a method as the user, and signs it in when the server does not know
// it (any more).
func (d *Driver) call(ctx context.Context, method string, out any, args ...any) outbound.Result {
	session, r := d.signIn(ctx, "")
	if r.Outcome != outbound.Succeeded {
		return r
	}
	if r = d.send(ctx, session, method, args, out); r.Reason != outbound.Credentials {
		return r
	}
	if session, r = d.signIn(ctx, session); r.Outcome != outbound.Succeeded {
		return r
	}
	return d.send(ctx, session, method, args, out)
}

// signIn is the user's session, another than one that has ended.
func (d *Driver) signIn(ctx context.Context, ended string) (string, outbound.Result) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.session != "" && d.session != ended {
		return d.session, done
	}
	d.session = ""
	var got []json.RawMessage
	r := d.send(ctx, "", "common.db.login", []any{d.c.User, map[string]string{"password": d.c.Password}, "en"}, &got)
	if r.Outcome != outbound.Succeeded {
		r.Evidence = nil
		return "", r
	}
	var id int64
	var key string
	if len(got) != 2 || json.Unmarshal(got[0], &id) != nil || json.Unmarshal(got[1], &key) != nil || key == "" {
		return "", outbound.Result{Outcome: outbound.Unknown, Err: errors.New("the answer of Tryton is no session")}
	}
	d.session = base64.StdEncoding.EncodeToString([]byte(fmt.Sprintf("%s:%d:%s", d.c.User, id, key)))
	return d.session, done
}

// refusals are the kinds of errors by which Tryton refuses what it was given, and
// would again. Others are the server's own failures.
var refusals = map[string]bool{"UserError": true, "UserWarning": true, "ValidationError": true}

// send makes one call. Tryton answers 200 whether it did it or not; an error is a
// list whose first is its kind.
func (d *Driver) send(ctx context.Context, session, method string, args []any, out any) outbound.Result {
	if args == nil {
		args = []any{}
	}
	body, err := json.Marshal(map[string]any{"id": 1, "method": method, "params": args})
	if err != nil {
		return outbound.Result{Outcome: outbound.NotSent, Reason: outbound.Unfit, Err: err}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.c.BaseURL, bytes.NewReader(body))
	if err != nil {
		return outbound.Result{Outcome: outbound.NotSent, Reason: outbound.Unfit, Err: err}
	}
	req.Header.Set("Content-Type", "application/json")
	if session != "" {
		req.Header.Set("Authorization", "Session "+session)
	}
	a, r, ok := outbound.Send(d.client, req)
	if !ok {
		r.Evidence = outbound.Redact(r.Evidence, d.c.Password, session)
		return r
	}
	var said struct {
		ID     *int64
		Result json.RawMessage
		Error  []json.RawMessage
	}
	evidence := outbound.Redact(a.Body, d.c.Password, session)
	if err := json.Unmarshal(a.Body, &said); err != nil || said.ID == nil || said.Error == nil && said.Result == nil {
		return outbound.Result{Outcome: outbound.Unknown, Evidence: evidence, Err: errors.New("the answer of Tryton is no answer to this call")}
	}
	if said.Error == nil {
		if err := json.Unmarshal(said.Result, out); err != nil {
			return outbound.Result{Outcome: outbound.Unknown, Evidence: evidence, Err: fmt.Errorf("the answer of Tryton to %s: %w", method, err)}
		}
		return done
	}
	var kind string
	if len(said.Error) > 0 {
		_ = json.Unmarshal(said.Error[0], &kind) // what is no text is no kind that is known
	}
	r = outbound.Result{Outcome: outbound.Unknown, Reason: outbound.Unlisted, Code: kind, Evidence: evidence, Err: fmt.Errorf("refused by Tryton: %s: %s", method, evidence)}
	switch {
	case refusals[kind]:
		r.Outcome, r.Reason, r.Err = outbound.Declined, "", nil
	case kind == "ConcurrencyException" || kind == "timeout":
		r.Reason = "" // in passing
	}
	return r
}

// found are records by their field of ours.
func (d *Driver) found(ctx context.Context, model, field string, names []string, fields []string) (map[string]record, outbound.Result) {
	var all []record
	r := d.call(ctx, "model."+model+".search_read", &all, []any{[]any{field, "in", names}}, 0, nil, []any{[]string{"id", "ASC"}}, append(fields, field), everybody)
	out := map[string]record{}
	for _, x := range all {
		name := x.Code
		if field == "reference" {
			name = x.Reference
		}
		if _, there := out[name]; !there { // of two the first: it was there before
			out[name] = x
		}
	}
	return out, r
}

// everybody has a search find those who are not active too.
var everybody = map[string]any{"active_test": false}

// record is what is read of a party, or of an opportunity.
type record struct {
	ID         int64   `json:"id"`
	Code       string  `json:"code"`
	Reference  string  `json:"reference"`
	Mechanisms []int64 `json:"contact_mechanisms"`
}

// alone puts those of a batch one by one that the system does not put together: it
// gives what it has said, and stops where it does not answer.
func alone[T any](all []T, id func(T) string, put func(T) (string, outbound.Result)) (puts []crm.Put, r outbound.Result) {
	for _, x := range all {
		remote, r := put(x)
		switch r.Outcome {
		case outbound.Succeeded:
			puts = append(puts, crm.Put{ID: id(x), RemoteID: remote})
		case outbound.Declined:
			puts = append(puts, crm.Put{ID: id(x), Refused: r.Code})
		default:
			return puts, r
		}
	}
	return puts, done
}
