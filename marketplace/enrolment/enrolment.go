// Package enrolment knows what an organisation shows before it is admitted, and
// goes on showing: requirements by kind and version, the papers that answer them,
// who accepted them, and when they end. What an active organisation lacks keeps it
// from selling anything new, until it is there again.
package enrolment

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"time"

	"tiwiza/marketplace/members"
	"tiwiza/pkg/clock"
	"tiwiza/pkg/fault"
)

// Errors of enrolment.
var (
	ErrNotFound  = fault.New(fault.NotFound, "enrolment.not_found", "There is no such paper or organisation.")
	ErrState     = fault.New(fault.Conflict, "enrolment.state", "The paper's state does not allow this now; look at it again.")
	ErrInvalid   = fault.New(fault.Invalid, "enrolment.invalid", "Some of this is not right; see errors.")
	ErrMissing   = fault.New(fault.Conflict, "enrolment.missing", "Something that is asked for is not there yet; see errors.")
	ErrOwnPaper  = fault.New(fault.Denied, "enrolment.self", "Another person must decide on this paper: you handed it in.")
	ErrTheirTask = fault.New(fault.Denied, "enrolment.not_yours", "A visit or a training is written down by the market's people.")
	ErrEnded     = fault.New(fault.Conflict, "enrolment.ended", "This organisation is no member any more.")
	ErrNoVault   = fault.New(fault.Unavailable, "enrolment.no_vault", "This market keeps no numbers of this kind: its key for them is not set.")
	ErrRaced     = fault.New(fault.Conflict, "enrolment.raced", "Another set was published meanwhile; look at it and send yours again.")
)

// A Type says how a requirement is answered.
type Type string

// The types. Documents are files; fields a value that is checked by a rule; visits
// and trainings are reported by the market's people.
const (
	Document Type = "document"
	Field    Type = "field"
	Visit    Type = "visit"
	Training Type = "training"
)

// A Requirement is one thing that organisations of a kind show.
type Requirement struct {
	Code     string        `json:"code" required:"true" pattern:"^[a-z][a-z_]{1,39}$"`
	Type     Type          `json:"type" required:"true" enum:"document,field,visit,training"`
	Names    members.Texts `json:"names" required:"true" description:"By language; French at least."`
	Optional bool          `json:"optional,omitempty"`
	Second   bool          `json:"second,omitempty" description:"Two people accept it."`
	Expires  bool          `json:"expires,omitempty" description:"It has a last day."`
	Rule     Rule          `json:"rule,omitempty" enum:"text,ice,if,rc,cnss,cin,rib,phone" description:"How a field is checked."`
}

// A Set is what organisations of a kind that are written down from a day on show.
type Set struct {
	Kind         members.Kind
	Version      int
	Since        time.Time
	MadeBy       string
	MadeAt       time.Time
	Requirements []Requirement `db:"-"`
}

// find is a requirement of the set by its code.
func (s Set) find(code string) (Requirement, bool) {
	i := slices.IndexFunc(s.Requirements, func(r Requirement) bool { return r.Code == code })
	if i < 0 {
		return Requirement{}, false
	}
	return s.Requirements[i], true
}

// A State is where a paper stands.
type State string

// The states.
const (
	Submitted State = "submitted"
	Seconding State = "seconding" // one person has accepted it, another must
	Accepted  State = "accepted"
	Rejected  State = "rejected"
	Replaced  State = "replaced"
	Expired   State = "expired"
)

// A Move is what happens to a paper.
type Move string

// The moves.
const (
	Accept  Move = "accept"
	Second  Move = "second" // a first person accepts what two must
	Confirm Move = "confirm"
	Reject  Move = "reject"
	Replace Move = "replace"
	Expire  Move = "expire"
)

// moves is the whole of a paper's life.
var moves = map[Move]struct {
	from []State
	to   State
}{
	Accept:  {[]State{Submitted}, Accepted},
	Second:  {[]State{Submitted}, Seconding},
	Confirm: {[]State{Seconding}, Accepted},
	Reject:  {[]State{Submitted, Seconding}, Rejected},
	Replace: {[]State{Submitted, Seconding, Accepted}, Replaced},
	Expire:  {[]State{Accepted}, Expired},
}

// A Paper answers a requirement.
type Paper struct {
	ID           string
	Organisation string
	Requirement  string
	File         string
	Value        string
	Sealed       []byte
	Hint         string // the last signs of a sealed value
	LastDay      *time.Time
	State        State
	MadeBy       string
	MadeAt       time.Time
	DecidedBy    string
	SecondBy     string
	DecidedAt    *time.Time
	Note         string
	Version      int
	Channel      Channel
}

// A Channel is whose hand brought a paper.
type Channel string

// The channels.
const (
	Self     Channel = "self"
	ByAgent  Channel = "agent"  // who acted for the member, with its code
	ByMarket Channel = "market" // the market's people
)

// Do moves the paper.
func (p Paper) Do(m Move) (Paper, error) {
	if step := moves[m]; slices.Contains(step.from, p.State) {
		p.State = step.to
		p.Version++
		return p, nil
	}
	return p, ErrState.Say("This paper is %s already; look at what the organisation has now.", p.State)
}

// decided is the paper with who decided on it first.
func (p Paper) decided(by, note string, at time.Time) Paper {
	p.DecidedBy, p.DecidedAt, p.Note = by, &at, note
	return p
}

// waits says whether somebody has yet to decide on the paper.
func (p Paper) waits() bool { return p.State == Submitted || p.State == Seconding }

// End is the moment from which the paper holds no more: the midnight, in Morocco,
// after its last day; nil when it has none.
func (p Paper) End() *time.Time {
	if p.LastDay == nil {
		return nil
	}
	y, m, d := p.LastDay.Date()
	end := time.Date(y, m, d+1, 0, 0, 0, 0, clock.Morocco).UTC()
	return &end
}

// holds says whether the paper answers its requirement at a moment.
func (p Paper) holds(at time.Time) bool {
	return p.State == Accepted && (p.LastDay == nil || at.Before(*p.End()))
}

// sum stands for exactly the paper that a second person accepts.
func (p Paper) sum() []byte {
	last := ""
	if p.LastDay != nil {
		last = p.LastDay.Format(time.DateOnly)
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q %q %q %x %q %q", p.ID, p.Organisation, p.Requirement, p.File, p.Value, p.Sealed, last, p.DecidedBy))
	return sum[:]
}

// Lacking are the codes of what is asked for and not there at a moment: when
// somebody asks for admission, documents and fields that were handed in; to be
// admitted and to stay so, everything, accepted and in date.
func Lacking(all []Requirement, papers []Paper, asking bool, at time.Time) (codes []string) {
	for _, r := range all {
		if r.Optional || asking && r.Type != Document && r.Type != Field {
			continue
		}
		if !slices.ContainsFunc(papers, func(p Paper) bool {
			return p.Requirement == r.Code && (p.holds(at) || asking && p.waits())
		}) {
			codes = append(codes, r.Code)
		}
	}
	return codes
}

const day = 24 * time.Hour

// warnings are how long before its end a member is told of a paper.
var warnings = []time.Duration{30 * day, 7 * day, day}

// Turn is when something is to be done about a paper that ends, after a moment:
// the next warning, or its end.
func Turn(end, after time.Time) time.Time {
	for _, w := range warnings {
		if at := end.Add(-w); at.After(after) {
			return at
		}
	}
	return end
}

// left is how many days a paper still holds, as people count them.
func left(end, at time.Time) int { return int((end.Sub(at) + day - time.Second) / day) }
