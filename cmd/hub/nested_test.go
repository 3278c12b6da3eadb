package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"tiwiza/pkg/auth"
)

// Nested ids. Where two callers of one role make the same kind of call on one hub,
// the second one's is first tried with each of its ids in turn being the first
// one's: its own order with another's address, so to speak. No such mixture may
// succeed.

// mixtures is how many mixtures of a route are tried in all.
const mixtures = 6

// handed are calls for things that one of a role hands to another, so that both may
// have them: cases, which institutions give each other.
var handed = map[string]bool{"cases.show": true, "cases.read_paper": true}

// mixed tries mixtures of a call with another's, then makes it.
func (c *crowd) mixed(req *http.Request, route string) (*http.Response, error) {
	token := strings.TrimPrefix(req.Header.Get("Authorization"), "Bearer ")
	key, err := auth.ParseKey(token)
	if err != nil {
		return watch.RoundTrip(req)
	}
	who, err := c.house.members.Authenticate(req.Context(), key)
	if err != nil || who.Role == auth.Operator || who.Role == auth.Courier {
		return watch.RoundTrip(req)
	}
	var body []byte
	if req.Body != nil {
		if body, err = io.ReadAll(req.Body); err != nil {
			return nil, err
		}
		req.Body = io.NopCloser(bytes.NewReader(body))
	}
	at := string(who.Role) + " " + route
	c.mu.Lock()
	other, ok := c.last[at]
	c.mu.Unlock()
	mine := made{who.Subject, req.URL.RequestURI(), body}
	if ok && other.by != who.Subject && !(handed[watch.names[route]] && who.Role == auth.Institution) && outsiders.mixture(route) {
		for _, m := range mine.with(other) {
			if said := c.tried(req, m); said != "" {
				outsiders.tell(said)
			}
		}
	}
	res, err := watch.RoundTrip(req)
	if err == nil && res.StatusCode < 300 {
		c.mu.Lock()
		c.last[at] = mine
		c.mu.Unlock()
	}
	return res, err
}

// with are the mixtures of a call with another's of the same kind: one id is the
// other's in each.
func (m made) with(other made) (all []made) {
	mine, theirs := strings.FieldsFunc(m.path, slashes), strings.FieldsFunc(other.path, slashes)
	for i := range min(len(mine), len(theirs)) {
		if foreign(mine[i], theirs[i]) {
			all = append(all, made{m.by, strings.Replace(m.path, mine[i], theirs[i], 1), m.body})
		}
	}
	var a, b any
	if json.Unmarshal(m.body, &a) != nil || json.Unmarshal(other.body, &b) != nil {
		return all
	}
	for _, swap := range swaps(a, b) {
		all = append(all, made{m.by, m.path, bytes.Replace(m.body, []byte(swap[0]), []byte(swap[1]), 1)})
	}
	return all
}

func slashes(r rune) bool { return strings.ContainsRune("/?&=", r) }

// foreign says whether two texts are ids of one kind, of things that are not the
// same and not everybody's.
func foreign(mine, theirs string) bool {
	a, b := idPattern.FindStringSubmatch(mine), idPattern.FindStringSubmatch(theirs)
	return a != nil && b != nil && a[0] == mine && b[0] == theirs && a[1] == b[1] && mine != theirs && !famous[a[1]]
}

// swaps are the ids that stand at the same places of two bodies.
func swaps(a, b any) (all [][2]string) {
	switch a := a.(type) {
	case map[string]any:
		if b, ok := b.(map[string]any); ok {
			for k := range a {
				all = append(all, swaps(a[k], b[k])...)
			}
		}
	case []any:
		if b, ok := b.([]any); ok {
			for i := range min(len(a), len(b)) {
				all = append(all, swaps(a[i], b[i])...)
			}
		}
	case string:
		if b, ok := b.(string); ok && foreign(a, b) {
			all = append(all, [2]string{a, b})
		}
	}
	return all
}

// tried makes a mixture, and says so if it is not refused.
func (c *crowd) tried(req *http.Request, m made) string {
	again := req.Clone(req.Context())
	again.Body, again.ContentLength = io.NopCloser(bytes.NewReader(m.body)), int64(len(m.body))
	path, query, _ := strings.Cut(m.path, "?")
	again.URL.Path, again.URL.RawPath, again.URL.RawQuery = path, "", query
	if again.Header.Get("Idempotency-Key") != "" {
		again.Header.Set("Idempotency-Key", once())
	}
	res, err := newcomers.RoundTrip(again)
	if err != nil {
		return "" // the hub is away
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, 400))
	switch {
	case err != nil, res.StatusCode == http.StatusServiceUnavailable:
		return ""
	case res.StatusCode < 300, res.StatusCode >= 500:
		return fmt.Sprintf("with an id of another's %s %s %.400s answers %d: %s", req.Method, m.path, m.body, res.StatusCode, b)
	}
	return ""
}

// mixture says whether mixtures of a route are still to be tried.
func (m *matrix) mixture(route string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mixed[route]++
	return m.mixed[route] <= mixtures
}

// tell keeps what is wrong until all tests have run.
func (m *matrix) tell(wrong string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.wrong = append(m.wrong, wrong)
}
