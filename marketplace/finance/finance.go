// Package finance is where members apply at banks for accounts and loans. A bank
// publishes products, which the market's people approve; a member applies with
// consented sections of its dossier, follows the answer, accepts an offer and
// receives the RIB. What a bank reads of a dossier goes through sharing and leaves
// its trace there. A bank with a system of its own takes applications by its
// connector, one without at the desk; the states are the same.
package finance

import (
	"slices"
	"time"

	"tiwiza/pkg/fault"
)

// Errors of finance.
var (
	ErrNotFound = fault.New(fault.NotFound, "finance.not_found", "There is no such product or application.")
	ErrInvalid  = fault.New(fault.Invalid, "finance.invalid", "Some of this is not right; see errors.")
	ErrState    = fault.New(fault.Conflict, "finance.state", "The state does not allow this now; look at it again.")
	ErrProduct  = fault.New(fault.Conflict, "finance.product_state", "The product's state does not allow this now; look at it again.")
	ErrGone     = fault.New(fault.Conflict, "finance.product_gone", "The bank does not offer this at the moment; choose among what is offered now.")
	ErrMany     = fault.New(fault.Conflict, "finance.too_many", "You have 20 applications under way; end one of them first.")
	ErrAsked    = fault.New(fault.Conflict, "finance.too_many_questions", "You have asked 20 times; offer, or refuse with a reason.")
	ErrSystem   = fault.New(fault.Conflict, "finance.by_system", "The bank's own system answers this application.")
	ErrBank     = fault.New(fault.Conflict, "finance.bank_unavailable", "This bank takes no applications at the moment.")
	ErrNoRIB    = fault.New(fault.Conflict, "finance.no_rib", "The bank has given no RIB for this application.")
)

// A ProductKind is what a bank offers.
type ProductKind string

// The kinds of products.
const (
	Account ProductKind = "account"
	Loan    ProductKind = "loan"
)

// purpose is what a consent is for that lets a bank see what such an application
// names.
func (k ProductKind) purpose() string {
	if k == Account {
		return "account"
	}
	return "credit"
}

// A State is where an application stands.
type State string

// The states of an application.
const (
	Draft       State = "draft"        // the member has not handed it in
	Submitted   State = "submitted"    // it is on its way to the bank
	Received    State = "received"     // the bank has it
	InReview    State = "in_review"    // somebody there looks at it
	PapersAsked State = "papers_asked" // the member is asked for more
	Offered     State = "offered"
	Accepted    State = "accepted" // the bank is to open the account, or to grant the loan
	Declined    State = "declined" // by the member
	Refused     State = "refused"  // by the bank, with its reason
	Withdrawn   State = "withdrawn"
	Expired     State = "expired"
	Opened      State = "opened"  // an account, with its RIB
	Granted     State = "granted" // a loan
)

// States are all of them, in their order.
var States = []State{Draft, Submitted, Received, InReview, PapersAsked, Offered, Accepted, Opened, Granted, Declined, Refused, Withdrawn, Expired}

// Open says whether an application in this state goes on.
func (s State) Open() bool {
	return slices.Contains([]State{Draft, Submitted, Received, InReview, PapersAsked, Offered, Accepted}, s)
}

// A Move is what happens to an application.
type Move string

// The moves of an application.
const (
	Submit   Move = "submit"
	Receive  Move = "receive"
	Review   Move = "review"
	Ask      Move = "ask"
	Answer   Move = "answer"
	Offer    Move = "offer"
	Accept   Move = "accept"
	Decline  Move = "decline"
	Refuse   Move = "refuse"
	Withdraw Move = "withdraw"
	Expire   Move = "expire"
	OpenIt   Move = "open"
	GrantIt  Move = "grant"
)

// moves is the whole of an application's life.
var moves = map[Move]struct {
	from []State
	to   State
	side string
}{
	Submit:   {[]State{Draft}, Submitted, "member"},
	Receive:  {[]State{Submitted}, Received, "bank"},
	Review:   {[]State{Submitted, Received}, InReview, "bank"},
	Ask:      {[]State{Received, InReview}, PapersAsked, "bank"},
	Answer:   {[]State{PapersAsked}, InReview, "member"},
	Offer:    {[]State{Received, InReview, PapersAsked}, Offered, "bank"},
	Accept:   {[]State{Offered}, Accepted, "member"},
	Decline:  {[]State{Offered}, Declined, "member"},
	Refuse:   {[]State{Submitted, Received, InReview, PapersAsked, Offered, Accepted}, Refused, "bank"},
	Withdraw: {[]State{Draft, Submitted, Received, InReview, PapersAsked, Offered}, Withdrawn, "member"},
	Expire:   {[]State{Draft, Submitted, Received, InReview, PapersAsked, Offered, Accepted}, Expired, "hub"},
	OpenIt:   {[]State{Accepted}, Opened, "bank"},
	GrantIt:  {[]State{Accepted}, Granted, "bank"},
}

const day = 24 * time.Hour

// patience is how long an application may stay in a state until it expires. An
// offer says itself until when it stands.
var patience = map[State]time.Duration{
	Draft: 30 * day, Submitted: 15 * day, Received: 15 * day, InReview: 30 * day, PapersAsked: 30 * day, Accepted: 60 * day,
}

// The bounds of an offer's validity.
const (
	offerLeast = time.Hour
	offerMost  = 90 * day
)

// An Application is what a member asks of a bank. Amounts are centimes, rates
// hundredths of a percent a year.
type Application struct {
	ID             string
	Product        string
	ProductVersion int
	Kind           ProductKind
	Bank           string
	Member         string
	Amount         *int64
	Months         *int
	Purpose        string
	Sections       []string
	Sensitive      bool
	Days           int
	State          State
	Partner        string // whose system takes it; "" the desk
	Standing       int64  // how much of what that system says was heard
	OfferAmount    *int64
	OfferRate      *int
	OfferMonths    *int
	OfferMonthly   *int64
	OfferFees      *int64
	OfferTerms     string
	OfferUntil     *time.Time
	Reason         string
	RIB            *string `db:"rib"`
	Holder         string
	Account        string
	Deadline       *time.Time
	MadeBy         string
	MadeAt         time.Time
	MovedAt        time.Time
	Version        int
}

// Do moves the application at a moment.
func (a Application) Do(m Move, at time.Time) (Application, error) {
	step := moves[m]
	if !slices.Contains(step.from, a.State) {
		return a, ErrState.Say("This application is %s.", a.State).At("/state", string(a.State))
	}
	a.State, a.MovedAt, a.Deadline = step.to, at, nil
	if wait, ok := patience[step.to]; ok {
		until := at.Add(wait)
		a.Deadline = &until
	}
	if step.to == Offered {
		a.Deadline = a.OfferUntil
	}
	return a, nil
}

// Terms are what a bank offers an applicant. An account has no amount.
type Terms struct {
	Amount *int64
	Rate   int
	Months int
	Fees   int64
	Text   string
	Until  time.Time
}

// Offer moves the application with an offer, within what its product allows.
func (a Application) Offer(t Terms, of Edition, at time.Time) (Application, error) {
	wrong := t.wrong(a, of, at)
	if wrong != nil {
		return a, wrong
	}
	a.OfferTerms, a.OfferUntil, a.OfferFees = t.Text, &t.Until, &t.Fees
	if a.Kind == Loan {
		monthly, err := Monthly(*t.Amount, t.Rate, t.Months)
		if err != nil {
			return a, err
		}
		a.OfferAmount, a.OfferRate, a.OfferMonths, a.OfferMonthly = t.Amount, &t.Rate, &t.Months, &monthly
	}
	return a.Do(Offer, at)
}

// wrong says what cannot be in an offer.
func (t Terms) wrong(a Application, of Edition, at time.Time) error {
	bad := ErrInvalid
	if u := t.Until.Sub(at); u < offerLeast || u > offerMost {
		bad = bad.At("/valid_until", "An offer stands for an hour at least, and for 90 days at most.")
	}
	if t.Fees < 0 || t.Fees > most {
		bad = bad.At("/fees", "Fees are from 0 to 10,000,000.00 MAD.")
	}
	if a.Kind == Account {
		if t.Amount != nil || t.Rate != 0 || t.Months != 0 {
			bad = bad.At("/amount", "An account has neither amount, rate nor months.")
		}
		if t.Text == "" {
			bad = bad.At("/terms", "Say the account's conditions.")
		}
	} else {
		if t.Amount == nil || *t.Amount < *of.Least || *t.Amount > *of.Most {
			bad = bad.At("/amount", "Offer an amount within the product's bounds.")
		}
		if t.Months < *of.Shortest || t.Months > *of.Longest {
			bad = bad.At("/months", "Offer a duration within the product's bounds.")
		}
		if t.Rate < 0 || t.Rate > mostRate {
			bad = bad.At("/rate", "A yearly rate is from 0.00 to 50.00 percent.")
		}
	}
	if len(bad.Details) > 0 {
		return bad
	}
	return nil
}

const (
	most     = 10_000_000_00 // centimes
	mostRate = 50_00
)

// A Ground is a consent that the bank reads an applicant's papers on.
type Ground struct {
	Application string
	Consent     string
	Sections    []string
	Until       time.Time
	Ended       string
	EndedAt     *time.Time
}

// A Question is what a bank asks for besides, and what it was answered.
type Question struct {
	Application string
	N           int
	Text        string
	Sections    []string
	AskedBy     string
	AskedAt     time.Time
	Answer      string
	AnsweredBy  string
	AnsweredAt  *time.Time
}

// A Step is something that happened to an application.
type Step struct {
	Seq         int64
	Application string
	State       State
	Side        string
	Note        string
	At          time.Time
}
