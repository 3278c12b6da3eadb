// Package privacy is what the market owes people about their own data: it says what
// is done with it, hands out a copy, corrects, stops what somebody objects to, and
// forgets. It knows no table of other rooms: each of them collects and forgets what
// it holds (pkg/personal).
package privacy

import (
	"encoding/json"
	"time"

	"tiwiza/pkg/fault"
	"tiwiza/pkg/personal"
)

// Errors of privacy.
var (
	ErrNotFound = fault.New(fault.NotFound, "personal_data.not_found", "There is nothing like this of yours.")
	ErrInvalid  = fault.New(fault.Invalid, "personal_data.invalid", "Some of this is not right; see errors.")
	ErrState    = fault.New(fault.Conflict, "personal_data.state", "This is not possible any more; look again.")
	ErrThere    = fault.New(fault.Conflict, "personal_data.there", "This is on its way already.")
	ErrBarred   = fault.New(fault.Conflict, "personal_data.barred", "Something stands in the way of forgetting you; see errors.")
	ErrNoVault  = fault.New(fault.Unavailable, "personal_data.no_vault", "The market has no key to seal this with; please write to it.")
	ErrNotReady = fault.New(fault.Conflict, "personal_data.not_ready", "The copy is not ready yet.")
	ErrTooMany  = fault.New(fault.Limited, "personal_data.too_many", "You have asked for this often enough for now; see errors.")
	ErrGone     = fault.New(fault.NotFound, "personal_data.gone", "This copy is gone; ask for another.")
)

// An ExportState is where a copy stands.
type ExportState string

// The states of a copy.
const (
	Making ExportState = "making"
	Ready  ExportState = "ready"
	Gone   ExportState = "gone"
)

// What somebody may ask for. A copy reads every room; a request waits for a person.
const (
	mostCopies   = 5                   // within copiesWithin
	copiesWithin = 7 * 24 * time.Hour  // as long as a copy can be fetched
	mostOpen     = 10                  // requests that wait for their answer
	mostRequests = 30                  // within requestsIn, those that were answered at once too
	requestsIn   = 30 * 24 * time.Hour // the time in which one is answered
)

// An Export is a copy of all that the hub holds of a person.
type Export struct {
	ID      string
	Person  string
	State   ExportState
	Done    int // rooms that were asked
	Rooms   int
	Key     []byte // of its parts, sealed
	MadeAt  time.Time
	ReadyAt *time.Time
	Until   *time.Time
	Fetched int
	Version int64
}

// collected is the copy after one more room was asked, and so many are left. There may
// be more or fewer of them than when it was asked for: the hub may be another since.
func (e Export) collected(left int, at time.Time, keep time.Duration) Export {
	if left > 0 {
		e.Done = min(e.Done+1, e.Rooms-1)
		return e
	}
	until := at.Add(keep)
	e.Done, e.State, e.ReadyAt, e.Until = e.Rooms, Ready, &at, &until
	return e
}

// open says whether the copy can be fetched: ErrNotReady, ErrGone.
func (e Export) open(at time.Time) error {
	switch {
	case e.State == Making:
		return ErrNotReady
	case e.State == Gone || !at.Before(*e.Until):
		return ErrGone
	}
	return nil
}

// A Kind is what somebody asks for about its data, besides a copy and to be forgotten.
type Kind string

// The kinds.
const (
	Rectification Kind = "rectification"
	Objection     Kind = "objection"
)

// A RequestState is where a request stands.
type RequestState string

// The states of a request.
const (
	Received RequestState = "received"
	Answered RequestState = "answered"
	Refused  RequestState = "refused"
)

// A Request is a correction or an objection.
type Request struct {
	ID         string
	Person     string
	Kind       Kind
	About      string // a processing
	Text       string
	State      RequestState
	DueAt      time.Time
	Answer     string
	AnsweredBy string
	AnsweredAt *time.Time
	MadeAt     time.Time
	Version    int64
}

// answer is the request after it was answered or refused, with a reason.
func (r Request) answer(to RequestState, text, by string, at time.Time) (Request, error) {
	if r.State != Received {
		return r, ErrState.Say("This request was %s already.", r.State)
	}
	if to == Refused && text == "" {
		return r, ErrInvalid.At("/answer", "Say why it is refused.")
	}
	r.State, r.Answer, r.AnsweredBy, r.AnsweredAt = to, text, by, &at
	return r, nil
}

// An ErasureState is where forgetting somebody stands.
type ErasureState string

// The states of an erasure.
const (
	Asked     ErasureState = "asked"     // it can be taken back
	Cancelled ErasureState = "cancelled" // it was
	Barred    ErasureState = "barred"    // something stood in the way when its time came
	Running   ErasureState = "running"
	Done      ErasureState = "done"
)

// An Erasure is that somebody is to be forgotten.
type Erasure struct {
	ID      string
	Person  string
	Hash    []byte
	State   ErasureState
	Subject []byte // sealed, while it runs
	Done    int
	Rooms   int
	Bars    json.RawMessage
	AskedAt time.Time
	RunsAt  time.Time
	BeganAt *time.Time
	EndedAt *time.Time
	Version int64
}

// bars are why it could not be.
func (e Erasure) bars() []personal.Bar {
	var all []personal.Bar
	_ = json.Unmarshal(e.Bars, &all) // written by this package
	return all
}

// cancel takes it back.
func (e Erasure) cancel(at time.Time) (Erasure, error) {
	if e.State != Asked {
		return e, ErrState.Say("It cannot be taken back: it is %s.", e.State)
	}
	e.State, e.EndedAt = Cancelled, &at
	return e, nil
}

// bar ends it, because something stands in the way.
func (e Erasure) bar(bars []personal.Bar, at time.Time) (Erasure, error) {
	b, err := json.Marshal(bars)
	if err != nil {
		return e, err
	}
	e.State, e.Bars, e.EndedAt = Barred, b, &at
	return e, nil
}

// begin has it run from now on, on a subject that is sealed.
func (e Erasure) begin(sealed []byte, at time.Time) Erasure {
	e.State, e.Subject, e.BeganAt = Running, sealed, &at
	return e
}

// forgot is it after one more room forgot, and so many are left. There may be more or
// fewer of them than when it was asked for: the hub may be another since.
func (e Erasure) forgot(left int, at time.Time) Erasure {
	if left > 0 {
		e.Done = min(e.Done+1, e.Rooms-1)
		return e
	}
	e.Done, e.State, e.Subject, e.EndedAt = e.Rooms, Done, nil, &at
	return e
}

// A standing bar says what to do about it.
var ways = map[string]string{
	"members.alone_responsible": "You alone answer for this organisation: name another person, or have it leave the market.",
	"orders.open":               "Wait until this order is over, or cancel it.",
	"orders.return_open":        "Wait until this return is over.",
	"charges.pending":           "Wait until this payment is over, or give it up.",
	"charges.refund_open":       "Money is on its way back to you; wait until it is there, or say where it shall go.",
	"charges.chargeback_open":   "Your bank has asked for this payment back; wait until that is decided.",
	"disputes.open":             "Wait until this dispute is decided.",
	"escrow.held":               "Money is held for this order; wait until it is released or given back.",
	"quotations.open":           "Cancel this request for quotations.",
	"groupbuys.open":            "Leave this group purchase, or wait until it is over.",
	"pools.open":                "Withdraw from this pool, or wait until it is over.",
	"policies.in_force":         "Cancel this insurance, or wait until it ends.",
	"policies.claim_open":       "Wait until the insurer has decided on this claim.",
}

// refusal names each bar, with what to do.
func refusal(bars []personal.Bar) error {
	e := ErrBarred
	for _, b := range bars {
		e = e.At("/"+b.Code, way(b))
	}
	return e
}

func way(b personal.Bar) string {
	if len(b.About) == 0 {
		return ways[b.Code]
	}
	return ways[b.Code] + " (" + b.About[0] + ")"
}

// place is where an inbox goes on.
type place struct {
	Due time.Time `json:"due"`
	ID  string    `json:"id"`
}
