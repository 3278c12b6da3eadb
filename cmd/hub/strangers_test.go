package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"tiwiza/marketplace/members"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/pg"
)

// The authorisation matrix. Before a test makes a call, strangers of each role make
// the very same one: its path, its query, its body and its Idempotency-Key, with all
// the ids in them. When the call then succeeds, what the strangers were answered is
// held against docs/authorisation.md, which people review. So every route that has
// a test is tried by everybody else, on things that really are there.

// matrixFile is the reviewed table.
const matrixFile = "../../docs/authorisation.md"

// tries is how many calls of a route that succeed strangers repeat in all;
// triesOfOne how many, whatever becomes of them, of one rig.
const tries, triesOfOne = 4, 25

// stranger is somebody who has nothing to do with what a test is about.
type stranger struct {
	name string // its column
	key  string
}

// columns are those of the table, in order. Couriers have links instead of keys, and
// operators are strangers to nothing: of both, policies alone say what they may.
var columns = []string{"guest", "buyer", "seller", "suspended", "bank", "insurer", "institution", "provider", "courier", "operator"}

// roleOf is the role of a column.
func roleOf(column string) auth.Role {
	if column == "suspended" {
		return auth.Seller
	}
	return auth.Role(column)
}

// late are calls that show a token which opens to whoever has it. Strangers try it
// once it was used.
var late = map[string]bool{
	"invitations.accept": true, "members.phone_agree": true,
}

// famous are the kinds of ids that anybody may know and name: what is on offer, who
// offers it, and what is said of it in public.
var famous = map[string]bool{
	"org": true, "off": true, "var": true, "rev": true, "gbu": true, "pol": true, "pgm": true, "prd": true, "ipr": true, "prc": true,
}

// open are calls by which anybody who comes in changes what all see. Only those whom
// the door refuses try them.
var open = map[string]bool{"pools.pledge": true}

var idPattern = regexp.MustCompile(`\b([a-z]{2,3})_[0-9a-hjkmnp-tv-z]{26}\b`)

// private are the ids in a text that are not for everybody to know.
func private(text []byte) map[string]bool {
	ids := map[string]bool{}
	for _, m := range idPattern.FindAllSubmatch(text, -1) {
		if !famous[string(m[1])] {
			ids[string(m[0])] = true
		}
	}
	return ids
}

// matrix gathers what strangers were answered.
type matrix struct {
	mu    sync.Mutex
	tries map[string]int                          // by route
	seen  map[string]map[string]map[string]string // route, column, outcome: an example
	mixed map[string]int                          // by route
	ours  map[string]bool                         // ids of what strangers made themselves
	wrong []string

	stopped map[string]map[string]bool // by route: the roles that it stops while they are suspended
}

var outsiders = &matrix{tries: map[string]int{}, mixed: map[string]int{}, ours: map[string]bool{}, seen: map[string]map[string]map[string]string{}}

// crowd is a rig's transport: it has strangers try what its player asks for.
type crowd struct {
	house *house
	url   string

	mu    sync.Mutex
	tries map[string]int
	once  sync.Once
	all   []stranger
	err   error
	last  map[string]made // by route and role: the last call that succeeded

	diary *diary // what was called; nil: nothing is kept
}

// made is a call that somebody made with success.
type made struct {
	by, path string
	body     []byte
}

// gather is the crowd at a hub; without a house nobody comes.
func gather(h *house, url string) *crowd {
	return &crowd{house: h, url: url, tries: map[string]int{}, last: map[string]made{}}
}

// RoundTrip lets strangers try, then makes the call. Where there is no crowd nobody
// tries.
func (c *crowd) RoundTrip(req *http.Request) (*http.Response, error) {
	if c == nil || c.house == nil {
		return watch.RoundTrip(req)
	}
	route := watch.routeOf(req)
	if route == "" {
		return watch.RoundTrip(req)
	}
	if c.diary == nil {
		return c.passes(req, route)
	}
	var body []byte
	if req.Body != nil {
		b, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, err
		}
		body = b
		req.Body = io.NopCloser(bytes.NewReader(b))
	}
	res, err := c.passes(req, route)
	if err == nil && res.StatusCode < 300 {
		c.note(req, route, body)
	}
	return res, err
}

// passes lets strangers try a call of a route, then makes it.
func (c *crowd) passes(req *http.Request, route string) (*http.Response, error) {
	if !c.turn(route) {
		return c.mixed(req, route)
	}
	c.once.Do(func() { c.arrive(req.Context()) })
	if c.err != nil {
		return nil, fmt.Errorf("write strangers down: %w", c.err)
	}
	var body []byte
	if req.Body != nil {
		b, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, err
		}
		body = b
		req.Body = io.NopCloser(bytes.NewReader(b))
	}
	name := watch.names[route]
	before, err := c.answers(req, body, route, !late[name])
	if err != nil {
		return nil, err
	}
	res, err := watch.RoundTrip(req)
	if err != nil || res.StatusCode >= 300 {
		return res, err
	}
	mine, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, err
	}
	res.Body = io.NopCloser(bytes.NewReader(mine))
	if late[name] {
		if before, err = c.answers(req, body, route, true); err != nil {
			return nil, err
		}
	}
	outsiders.keep(route, req, body, mine, before)
	return res, nil
}

// turn says whether strangers try this call of a route.
func (c *crowd) turn(route string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	outsiders.mu.Lock()
	defer outsiders.mu.Unlock()
	c.tries[route]++
	return outsiders.tries[route] < tries && c.tries[route] <= triesOfOne
}

// heard is what a stranger was answered.
type heard struct {
	column string
	status int
	body   []byte
}

// answers has each stranger make a call. Visitors do not repeat what visitors may
// do: that would be the test's own call again.
func (c *crowd) answers(req *http.Request, body []byte, route string, now bool) (all []heard, err error) {
	if !now {
		return nil, nil
	}
	for _, s := range c.all {
		if req.Header.Get("Authorization") == "Bearer "+s.key || watch.public[route] && req.Method != http.MethodGet {
			continue
		}
		if open[watch.names[route]] && door(c.house.policies, roleOf(s.name), watch.names[route]) {
			continue
		}
		ctx, end := context.WithTimeout(context.WithoutCancel(req.Context()), 30*time.Second)
		defer end()
		again := req.Clone(ctx)
		again.Body = io.NopCloser(bytes.NewReader(body))
		again.ContentLength = int64(len(body))
		again.Header.Del("Authorization")
		again.Header.Del("Cookie")
		if s.key != "" {
			again.Header.Set("Authorization", "Bearer "+s.key)
		}
		res, err := newcomers.RoundTrip(again)
		if err != nil {
			return nil, nil // the hub is away, as tests want it at times
		}
		h := heard{column: s.name, status: res.StatusCode}
		h.body, err = io.ReadAll(io.LimitReader(res.Body, 1<<20))
		res.Body.Close()
		if err != nil {
			return nil, nil
		}
		if all = append(all, h); req.Method != http.MethodGet && h.status < 300 {
			outsiders.made(h.body)
		}
	}
	return all, nil
}

// made notes what strangers made, which others may come across.
func (m *matrix) made(answer []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for id := range private(answer) {
		m.ours[id] = true
	}
}

// outcome is what a stranger's answer means: it is refused ("no"), finds nothing that
// is not its own ("own"), or gets what the caller gets ("any").
func (h heard) outcome(req *http.Request, asked, mine map[string]bool) string {
	switch {
	case h.status == http.StatusUnauthorized || h.status == http.StatusForbidden:
		return "no"
	case h.status >= 500:
		return "broken"
	case h.status >= 300:
		return "own"
	case req.Method != http.MethodGet && len(asked) > 0:
		return "any"
	}
	for id := range private(h.body) {
		if mine[id] {
			return "any"
		}
	}
	return "own"
}

// outcomes from the narrowest on. A cell of the table allows what is narrower.
var outcomes = []string{"no", "own", "any"}

// keep writes down what strangers were answered to a call that succeeded.
func (m *matrix) keep(route string, req *http.Request, body, answer []byte, all []heard) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(all) == 0 {
		return // the hub was away
	}
	m.tries[route]++
	said := req.URL.RequestURI()
	if strings.HasSuffix(req.Header.Get("Content-Type"), "json") { // a file's bytes name nothing
		said += " " + string(body)
	}
	asked := private([]byte(said))
	mine := private(answer)
	for id := range m.ours {
		delete(mine, id)
	}
	if m.seen[route] == nil {
		m.seen[route] = map[string]map[string]string{}
	}
	for _, h := range all {
		if h.status == http.StatusTooManyRequests || h.status == http.StatusServiceUnavailable || h.status == http.StatusUnauthorized && h.column == "buyer" {
			continue // its session ended with the days that the test let pass
		}
		if m.seen[route][h.column] == nil {
			m.seen[route][h.column] = map[string]string{}
		}
		m.seen[route][h.column][h.outcome(req, asked, mine)] = fmt.Sprintf("%s %s %.200s answers %d %.300s", req.Method, req.URL.RequestURI(), body, h.status, h.body)
	}
}

// arrive writes strangers down, and signs one in.
func (c *crowd) arrive(ctx context.Context) {
	if c.all, c.err = c.house.strangers(ctx); c.err != nil {
		return
	}
	var token string
	if token, c.err = c.signIn(ctx); c.err == nil {
		c.all = append(c.all, stranger{"buyer", token})
	}
}

// signIn has somebody sign in by a code, and show once more that it is itself.
func (c *crowd) signIn(ctx context.Context) (string, error) {
	p := &player{client: &http.Client{Timeout: 30 * time.Second, Transport: newcomers}, keys: demoKeys{demoAddresses: demoAddresses{URL: c.url}}}
	phone := fmt.Sprintf("+2126%08d", rand.IntN(100_000_000))
	var s signing
	var box struct {
		Data []struct{ Params map[string]string }
	}
	var v struct{ Token string }
	for _, at := range []string{"/v1/sign-in", "/v1/step-up"} {
		to := map[string]any{}
		if v.Token == "" {
			to["phone"] = phone
		}
		if err := p.post(ctx, v.Token, at+"/codes", to, &s); err != nil {
			return "", err
		}
		if err := p.get(ctx, "", "/v1/demo/inbox?limit=1&address="+url.QueryEscape(phone), &box); err != nil || len(box.Data) == 0 {
			return "", fmt.Errorf("the code of %s: %w", phone, err)
		}
		to["handle"], to["code"] = s.Handle, box.Data[0].Params["code"]
		path := map[string]string{"/v1/sign-in": "/v1/sign-in/sessions", "/v1/step-up": "/v1/step-up"}[at]
		if err := p.post(ctx, v.Token, path, to, &v); err != nil {
			return "", err
		}
	}
	return v.Token, nil
}

// strangers writes down somebody of each role.
func (h *house) strangers(ctx context.Context) (all []stranger, err error) {
	all = []stranger{{name: "guest"}}
	ctx = auth.With(ctx, auth.Principal{Subject: "hub", Role: auth.Operator})
	err = h.store.InTx(ctx, func(tx *pg.Tx) error {
		all = all[:1]
		subjects := map[string]string{}
		for name, kind := range map[string]members.Kind{
			"seller": members.Cooperative, "suspended": members.Cooperative, "bank": members.Bank, "insurer": members.Insurer, "institution": members.Institution, "provider": members.Provider,
		} {
			o, err := h.members.Found(ctx, tx, members.Enrolment{Kind: kind, Names: members.Texts{"fr": "Étranger (exemple)", "ar": "غريب (مثال)"}, Region: "MA-06", Commune: "Casablanca"})
			if err != nil {
				return err
			}
			subjects[name] = o.ID
		}
		for _, name := range slices.Sorted(maps.Keys(subjects)) {
			k, err := h.members.CreateKey(ctx, tx, subjects[name], roleOf(name), "stranger")
			if err != nil {
				return err
			}
			all = append(all, stranger{name, k.String()})
		}
		_, err := h.members.Move(ctx, tx, subjects["suspended"], members.Suspend, "A stranger.")
		return err
	})
	return all, err
}

// door is what policies say of a role at the door: "no", or that it may come in.
func door(judge *authz.Policies, role auth.Role, name string) bool {
	pr := auth.Principal{Role: role, Subject: "org_x"}
	if role == auth.Buyer {
		pr.Proof = auth.Proof{Session: true, SteppedUp: true}
	}
	_, err := judge.May(pr, name, authz.Resource{})
	return err == nil || errors.Is(err, authz.ErrPasskey) || errors.Is(err, authz.ErrStepUp)
}

// table is the reviewed matrix: cells by route and column.
func table() (map[string]map[string]string, error) { return tableOf(columns) }

// tableOf is the table of that page that has so many columns.
func tableOf(columns []string) (map[string]map[string]string, error) {
	b, err := os.ReadFile(matrixFile)
	if err != nil {
		return nil, err
	}
	cells := map[string]map[string]string{}
	for line := range strings.Lines(string(b)) {
		f := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(f) != 1+len(columns) || !strings.Contains(f[0], "`") {
			continue
		}
		row := map[string]string{}
		for i, c := range columns {
			row[c] = strings.TrimSpace(f[1+i])
		}
		cells[strings.Trim(strings.TrimSpace(f[0]), "`")] = row
	}
	return cells, nil
}

// judge says where what strangers were answered is not what the table says; all
// asks that most routes were tried.
func (m *matrix) judge(all bool) (wrong []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	watch.read.Do(watch.load)
	if watch.err != nil {
		return []string{watch.err.Error()}
	}
	judge, err := authz.New()
	if err != nil {
		return []string{err.Error()}
	}
	if path := os.Getenv("HUB_MATRIX"); path != "" {
		if err := os.WriteFile(filepath.Clean(path), []byte(m.print(judge)+m.printDesks(judge)), 0o600); err != nil {
			return []string{err.Error()}
		}
	}
	cells, err := table()
	if err != nil {
		return []string{err.Error()}
	}
	wrong = append(slices.Clone(m.wrong), judgeDesks(judge)...)
	for _, route := range watch.routes {
		row, name := cells[route], watch.names[route]
		if row == nil {
			wrong = append(wrong, "docs/authorisation.md has no row for "+route)
			continue
		}
		for _, c := range columns {
			cell := row[c]
			if in := door(judge, roleOf(c), name); in == (cell == "no") {
				wrong = append(wrong, fmt.Sprintf("%s: the policies let a %s in: %t; docs/authorisation.md says %q", route, c, in, cell))
			}
			for outcome, example := range m.seen[route][c] {
				if i := slices.Index(outcomes, outcome); i < 0 || i > slices.Index(outcomes, cell) {
					wrong = append(wrong, fmt.Sprintf("%s: as a %s who is a stranger it is %q, docs/authorisation.md says %q: %s", route, c, outcome, cell, example))
				}
			}
		}
	}
	var untried []string
	for _, route := range slices.Sorted(maps.Keys(cells)) {
		if !slices.Contains(watch.routes, route) {
			wrong = append(wrong, "docs/authorisation.md has a row for "+route+", which is no route")
		}
		if len(m.seen[route]) == 0 && !watch.public[route] {
			untried = append(untried, route)
		}
	}
	// Some are called by the tests of cut connections alone, where nobody else may be.
	if all && len(untried) > len(cells)/5 {
		wrong = append(wrong, fmt.Sprintf("strangers have not tried %d of %d routes: %s", len(untried), len(cells), strings.Join(untried, ", ")))
	}
	return wrong
}

// print is the table as it was seen, for people to look at and commit.
func (m *matrix) print(judge *authz.Policies) string {
	var b strings.Builder
	fmt.Fprintf(&b, "| Route | %s |\n|---|%s\n", strings.Join(columns, " | "), strings.Repeat("---|", len(columns)))
	for _, route := range watch.routes {
		fmt.Fprintf(&b, "| `%s` |", route)
		for _, c := range columns {
			cell := "no"
			if door(judge, roleOf(c), watch.names[route]) {
				cell = "own"
			}
			for outcome := range m.seen[route][c] {
				cell = outcomes[max(slices.Index(outcomes, cell), slices.Index(outcomes, outcome))]
			}
			fmt.Fprintf(&b, " %s |", cell)
		}
		b.WriteString("\n")
	}
	return b.String()
}
