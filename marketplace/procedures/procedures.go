// Package procedures is the institutions' back office: one engine for the cases
// that members bring to public bodies. A procedure is data, in versions that never
// change; a case goes through its steps, from institution to institution with a
// receipt, is decided with a reason, and gives a document that anybody can verify.
package procedures

import (
	"slices"
	"time"

	"tiwiza/pkg/fault"
)

// Errors of procedures.
var (
	ErrNotFound  = fault.New(fault.NotFound, "procedures.not_found", "There is no such procedure, case or document.")
	ErrInvalid   = fault.New(fault.Invalid, "procedures.invalid", "Some of this is not right; see errors.")
	ErrState     = fault.New(fault.Conflict, "procedures.state", "The case's state does not allow this now; look at it again.")
	ErrStale     = fault.New(fault.Conflict, "procedures.stale", "The case has changed since you looked at it; look again.")
	ErrGone      = fault.New(fault.Conflict, "procedures.gone", "This procedure is not open at the moment.")
	ErrMany      = fault.New(fault.Conflict, "procedures.too_many", "You have 20 cases under way; end one of them first.")
	ErrOpen      = fault.New(fault.Conflict, "procedures.already", "You have a case of this procedure under way.")
	ErrMissing   = fault.New(fault.Conflict, "procedures.missing", "Something that is asked for is not there yet; see errors.")
	ErrTheirStep = fault.New(fault.Conflict, "procedures.not_your_step", "This step belongs to another institution: hand the case over, or wait for it to come back.")
	ErrPeople    = fault.New(fault.Denied, "procedures.people", "Two people decide this: sign in to do it, a program cannot.")
	ErrSelf      = fault.New(fault.Denied, "procedures.self", "Another person must decide: you did so before.")
	ErrAppeal    = fault.New(fault.Conflict, "procedures.appealed", "There is nothing to object to, or it was objected to before.")
	ErrAsked     = fault.New(fault.Conflict, "procedures.too_many_questions", "You have asked 20 times; decide.")
	ErrEnded     = fault.New(fault.Conflict, "procedures.document_state", "This document's state does not allow that.")
	ErrIssuer    = fault.New(fault.Conflict, "procedures.label_issuer", "Another institution issues this label, or none is named yet; ask the market's operator.")
	ErrAway      = fault.New(fault.Conflict, "procedures.institution", "This institution is not at work here at the moment.")
)

// A State is where a case stands.
type State string

// The states of a case.
const (
	Draft     State = "draft"
	FeeDue    State = "fee_due"   // handed in; it is the institution's once its fee is paid
	Submitted State = "submitted" // nobody has looked at it
	Examining State = "examining"
	Asked     State = "asked"      // the applicant is asked for something
	InTransit State = "in_transit" // handed over, and not received yet
	Seconding State = "seconding"  // one person has decided, another must
	Granted   State = "granted"
	Refused   State = "refused"
	Appealed  State = "appealed" // objected to, and not looked at again yet
	Withdrawn State = "withdrawn"
	Lapsed    State = "lapsed" // never handed in, or never paid
	Closed    State = "closed"
)

// States are all of them.
var States = []State{Draft, FeeDue, Submitted, Examining, Asked, InTransit, Seconding, Granted, Refused, Appealed, Withdrawn, Lapsed, Closed}

// Open says whether a case in this state goes on.
func (s State) Open() bool {
	return slices.Contains([]State{Draft, FeeDue, Submitted, Examining, Asked, InTransit, Seconding, Appealed}, s)
}

// A Move is what happens to a case.
type Move string

// The moves of a case.
const (
	Lodge    Move = "lodge"  // hand in what costs a fee
	Submit   Move = "submit" // hand in what costs none
	Pay      Move = "pay"
	Examine  Move = "examine"
	Ask      Move = "ask"
	Answer   Move = "answer"
	Resume   Move = "resume" // no answer came in time
	Advance  Move = "advance"
	HandOver Move = "hand_over"
	Receive  Move = "receive"
	Return   Move = "return" // by who should receive it, or when nobody received it in time
	Propose  Move = "propose"
	Disagree Move = "disagree"
	Grant    Move = "grant"
	Refuse   Move = "refuse"
	Appeal   Move = "appeal"
	Withdraw Move = "withdraw"
	Lapse    Move = "lapse"
	Close    Move = "close"
)

// The sides of a case.
const (
	applicant   = "applicant"
	institution = "institution"
	hub         = "hub"
)

// moves is the whole of a case's life.
var moves = map[Move]struct {
	from []State
	to   State
	side string
}{
	Lodge:    {[]State{Draft}, FeeDue, applicant},
	Submit:   {[]State{Draft}, Submitted, applicant},
	Pay:      {[]State{FeeDue}, Submitted, applicant},
	Examine:  {[]State{Submitted, Appealed}, Examining, institution},
	Ask:      {[]State{Examining}, Asked, institution},
	Answer:   {[]State{Asked}, Examining, applicant},
	Resume:   {[]State{Asked}, Examining, hub},
	Advance:  {[]State{Examining}, Examining, institution},
	HandOver: {[]State{Examining}, InTransit, institution},
	Receive:  {[]State{InTransit}, Examining, institution},
	Return:   {[]State{InTransit}, Examining, institution},
	Propose:  {[]State{Submitted, Examining}, Seconding, institution},
	Disagree: {[]State{Seconding}, Examining, institution},
	Grant:    {[]State{Examining, Seconding}, Granted, institution},
	Refuse:   {[]State{Submitted, Examining, Seconding}, Refused, institution},
	Appeal:   {[]State{Refused}, Appealed, applicant},
	Withdraw: {[]State{Draft, FeeDue, Submitted, Examining, Asked, Appealed}, Withdrawn, applicant},
	Lapse:    {[]State{Draft, FeeDue}, Lapsed, hub},
	Close:    {[]State{Granted, Refused}, Closed, hub},
}

// patience is how long a case may wait for its applicant to hand it in and to pay.
const patience = 90 * 24 * time.Hour

// A Case is what a member brings to an institution.
type Case struct {
	ID          string
	Procedure   string
	Edition     int
	Institution string // whose procedure it is
	Holder      string // which institution has it now
	Desk        string // in whose inbox it stands; "" when no institution is to act
	Applicant   string
	Region      string
	State       State
	Step        int
	Answers     map[string]any
	Officer     string
	Due         *time.Time // of whoever is to act
	ExamineBy   *time.Time // when the institution is to have decided
	AskedAt     *time.Time
	SubmittedAt *time.Time
	ExaminedAt  *time.Time
	DecidedAt   *time.Time
	Outcome     Outcome
	MadeBy      string
	MadeAt      time.Time
	MovedAt     time.Time
	Version     int
	StrandedAt  *time.Time // since when its institution is not at work, so that nobody acts on it
}

// An Outcome is what an institution decides.
type Outcome string

// The outcomes.
const (
	ToGrant  Outcome = "grant"
	ToRefuse Outcome = "refuse"
)

// Do moves the case at a moment, under what its version of the procedure says. The
// holder changes in Received alone.
func (c Case) Do(m Move, d Definition, at time.Time) (Case, error) {
	step := moves[m]
	if !slices.Contains(step.from, c.State) {
		return c, ErrState.Say("This case is %s.", c.State).At("/state", string(c.State))
	}
	was := c.State
	c.State, c.MovedAt, c.Desk, c.Due = step.to, at, "", nil
	c.Version++
	switch c.State {
	case Draft, FeeDue:
		until := at.Add(patience)
		c.Due = &until
	case Submitted:
		by := d.Terms.Examine.From(at)
		c.SubmittedAt, c.ExamineBy = &at, &by
	case Examining:
		if c.ExaminedAt == nil {
			c.ExaminedAt = &at
		}
	case Asked:
		c.AskedAt = &at
		until := d.Terms.Answer.From(at)
		c.Due = &until
	case Granted, Refused:
		c.DecidedAt = &at
		c.Outcome = ToGrant
		if c.State == Refused {
			c.Outcome = ToRefuse
		}
		until := d.Terms.Appeal.From(at)
		c.Due = &until
	case Appealed:
		by := d.Terms.Examine.From(at)
		c.ExamineBy = &by
	}
	if was == Asked && c.State != Asked {
		if c.State == Examining { // the applicant's time is not the institution's
			by := endOfDay(c.ExamineBy.Add(at.Sub(*c.AskedAt)))
			c.ExamineBy = &by
		}
		c.AskedAt = nil
	}
	if slices.Contains([]State{Submitted, Examining, Seconding, Appealed}, c.State) {
		c.Desk, c.Due = c.Holder, c.ExamineBy
	}
	return c, nil
}

// Sent moves the case towards another institution, which is to receive it in time.
func (c Case) Sent(to string, d Definition, at time.Time) (Case, error) {
	c, err := c.Do(HandOver, d, at)
	if err == nil {
		until := d.Terms.HandOver.From(at)
		c.Desk, c.Due = to, &until
	}
	return c, err
}

// Received gives the case to the institution that takes it.
func (c Case) Received(by string, d Definition, at time.Time) (Case, error) {
	if c.State == InTransit {
		c.Holder, c.Officer = by, ""
	}
	return c.Do(Receive, d, at)
}

// Entrusted gives a case that stands still to another institution, which begins a term
// of its own: it is examined further, or looked at for the first time.
func (c Case) Entrusted(to string, d Definition, at time.Time) Case {
	c.Institution, c.Holder, c.Officer, c.StrandedAt, c.MovedAt = to, to, "", nil, at
	c.Version++
	if c.State == FeeDue { // the applicant's term begins anew
		until := at.Add(patience)
		c.Due = &until
		return c
	}
	if c.State == Seconding || c.State == InTransit {
		c.State = Examining
	}
	if c.State == Examining && c.ExaminedAt == nil {
		c.ExaminedAt = &at
	}
	by := d.Terms.Examine.From(at)
	c.ExamineBy = &by
	if slices.Contains([]State{Submitted, Examining, Appealed}, c.State) {
		c.Desk, c.Due = to, &by
	}
	return c
}

// A Question is what an institution asks the applicant for, and what it was
// answered.
type Question struct {
	N          int
	Text       string
	AskedBy    string
	AskedAt    time.Time
	Answer     string
	AnsweredBy string
	AnsweredAt *time.Time
}

// A Paper is one that a procedure requires, as a case has it: uploaded, or one that
// was accepted at the applicant's enrolment.
type Paper struct {
	Code     string
	File     string
	Enrolled string
	AddedBy  string
	AddedAt  time.Time
}

// A Transit is a hand-over, and its receipt.
type Transit struct {
	ID        string
	CaseFile  string
	Sender    string
	Receiver  string
	Note      string
	OfferedBy string
	OfferedAt time.Time
	State     string // offered, accepted or returned
	EndedBy   string
	EndedAt   *time.Time
	Reason    string
}

// NotReceived is the reason of a hand-over that nobody received in time.
const NotReceived = "not_received"

// End ends a hand-over.
func (t Transit) End(state, by, reason string, at time.Time) Transit {
	t.State, t.EndedBy, t.EndedAt, t.Reason = state, by, &at, reason
	return t
}

// A DecisionState is where a decision stands.
type DecisionState string

// The states of a decision.
const (
	Proposed   DecisionState = "proposed" // one person's, and two must decide
	Standing   DecisionState = "standing"
	Declined   DecisionState = "declined"   // by the second person
	Overturned DecisionState = "overturned" // on appeal
	Upheld     DecisionState = "upheld"     // on appeal
)

// A Decision is what was decided on a case, and why.
type Decision struct {
	N          int
	Outcome    Outcome
	Reason     string // its code
	Text       string
	State      DecisionState
	OnAppeal   bool
	DecidedBy  string
	DecidedAt  time.Time
	Second     bool // two people decide
	SecondBy   string
	SecondAt   *time.Time
	Appeal     string // what the applicant objects
	AppealedBy string
	AppealedAt *time.Time
}

// A Moved is one move in the history of a case.
type Moved struct {
	Seq         int64
	Move        Move
	State       State
	Side        string
	Institution string
	Channel     string
	OnBehalfOf  string
	Note        string
	At          time.Time
}
