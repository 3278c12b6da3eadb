// Package webhook sends events to those who want to hear of them, by the
// Standard Webhooks scheme: signed, at least once, in order for each subject,
// for three days. Each endpoint has a queue of its own, so that a slow one
// holds up nobody else.
package webhook

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"time"

	"tiwiza/pkg/fault"
	"tiwiza/pkg/id"
)

// Errors of webhooks.
var (
	ErrNotFound = fault.New(fault.NotFound, "webhooks.not_found", "There is no such webhook endpoint.")
	ErrURL      = fault.New(fault.Invalid, "webhooks.url", "This address cannot be called; see errors.")
	ErrEvents   = fault.New(fault.Invalid, "webhooks.events", "Some of these events are not published; GET /v1/event-types lists those that are.")
	ErrFull     = fault.New(fault.Conflict, "webhooks.full", "Twenty endpoints are the most; delete one first.")
	ErrRange    = fault.New(fault.Invalid, "webhooks.range", "Give the id of an event, or a time; see errors.")
	ErrEvent    = fault.New(fault.NotFound, "events.not_found", "There is no such event.")
	ErrState    = fault.New(fault.Conflict, "webhooks.state", "The endpoint is not active; set its state to active first.")
)

// endpointID is the prefix of an endpoint's id.
const endpointID id.Kind = "whe"

// State is whether an endpoint is sent to.
type State string

// The states. A paused endpoint's events wait; a disabled one gets none.
const (
	Active   State = "active"
	Paused   State = "paused"
	Disabled State = "disabled" // it said «gone»
)

// Progress is how far a delivery has come.
type Progress string

// The states of a delivery.
const (
	Waiting   Progress = "waiting"
	Delivered Progress = "delivered"
	Failed    Progress = "failed" // given up; it can be replayed
)

// Times of delivery.
const (
	Lifetime = 72 * time.Hour      // an event is tried for this long
	Keep     = 30 * 24 * time.Hour // what is through stays in the log
	Overlap  = 24 * time.Hour      // how long an old secret signs beside the new one
	lease    = time.Minute         // a hub that died is taken to be dead after this
)

// Schedule is how long to wait after each failed attempt; after the last one
// its last entry again. With jitter, an event is tried about 17 times.
var Schedule = []time.Duration{
	5 * time.Second, 30 * time.Second, 2 * time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 4 * time.Hour, 6 * time.Hour, 8 * time.Hour, 12 * time.Hour,
}

// Next says when to try again after the given number of tries, of which the last
// ended at; false when the event's time is over. The last try is at the end of
// that time. jitter, below 1, adds up to a quarter; asked is what the receiver
// wants us to wait, at most an hour.
func Next(tries int, at, until time.Time, asked time.Duration, jitter float64) (time.Time, bool) {
	if !at.Before(until) {
		return time.Time{}, false
	}
	wait := Schedule[min(max(tries, 1), len(Schedule))-1]
	wait += time.Duration(jitter * float64(wait) / 4)
	wait = max(wait, min(asked, time.Hour))
	if next := at.Add(wait); next.Before(until) {
		return next, true
	}
	return until, true
}

// Hold is how long an endpoint is left alone after so many failures in a row;
// then one delivery at a time tries it.
func Hold(failures int) time.Duration {
	if failures < shaky {
		return 0
	}
	return min(30*time.Second<<min(failures-shaky, 10), 30*time.Minute)
}

// shaky is how many failures in a row make an endpoint suspect.
const shaky = 5

// An Endpoint is where a member wants to hear of events.
type Endpoint struct {
	ID        string
	Owner     string // a member, or event.Everything
	URL       string
	Events    []string // types, «orders.*», or «*»
	State     State
	Why       string
	Failures  int // in a row
	CreatedAt time.Time
	ChangedAt time.Time
}

// Wants says whether an endpoint with these events wants to hear of a type.
func Wants(events []string, typ string) bool {
	domain, _, _ := strings.Cut(typ, ".")
	return slices.ContainsFunc(events, func(e string) bool { return e == "*" || e == typ || e == domain+".*" })
}

// A Delivery is one event on its way to one endpoint.
type Delivery struct {
	ID        int64
	Event     string
	Type      string
	Subject   string
	State     Progress
	Tries     int
	NextAt    *time.Time // nil behind another of its subject
	Until     time.Time
	Status    int    // the endpoint's last answer; 0 when there was none
	Answer    string // its first KiB
	Error     string
	CreatedAt time.Time
	TriedAt   *time.Time
}

// A Secret signs what one endpoint is sent.
type Secret struct {
	No     int
	Secret []byte
	EndsAt *time.Time
}

// newSecret makes a secret of 256 random bits.
func newSecret() []byte {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return b
}

// show is a secret as its owner keeps it.
func show(secret []byte) string { return "whsec_" + base64.StdEncoding.EncodeToString(secret) }

// ignore passes on every error but that the endpoint is not there.
func ignore(err error) error {
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}
