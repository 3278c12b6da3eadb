// Package members knows who takes part in the market: organisations and how
// they were admitted, people, their API keys, and where they are paid.
package members

import (
	"fmt"
	"slices"
	"time"

	"tiwiza/pkg/auth"
	"tiwiza/pkg/fault"
)

// Errors of members.
var (
	ErrNotFound   = fault.New(fault.NotFound, "organisations.not_found", "There is no such organisation.")
	ErrState      = fault.New(fault.Conflict, "organisations.state", "The organisation's state does not allow this now.")
	ErrInvalid    = fault.New(fault.Invalid, "organisations.invalid", "Some of this is not right; see errors.")
	ErrNotActive  = fault.New(fault.Conflict, "api_keys.not_active", "Approve the organisation before it gets a key.")
	ErrNoAccess   = fault.New(fault.Conflict, "api_keys.no_access", "Organisations of this kind have no access by program yet.")
	ErrNoKey      = fault.New(fault.NotFound, "api_keys.not_found", "This organisation has no such API key.")
	ErrAccount    = fault.New(fault.Conflict, "bank_accounts.changed", "This is not, or no longer, the one account that waits; look at what the organisation has now.")
	ErrOwnAccount = fault.New(fault.Denied, "bank_accounts.self", "Another person must verify this account: you gave it, or made the key that did.")
	ErrWaits      = fault.New(fault.Unauthenticated, "api_keys.waits", "This API key opens once a second person has approved it.")
)

// A Kind says what an organisation is.
type Kind string

// The kinds. Operator is the one that runs the market; it is founded with the
// hub and never signs up.
const (
	Cooperative  Kind = "beneficiary_coop"
	Entrepreneur Kind = "auto_entrepreneur"
	Institution  Kind = "institutional"
	Provider     Kind = "service_provider"
	Bank         Kind = "operational_bank"
	Insurer      Kind = "insurer"
	EPayment     Kind = "e_payment"
	Operator     Kind = "operator"
)

// Role is what an organisation of this kind does on the platform; false when
// it has no access by program.
func (k Kind) Role() (auth.Role, bool) {
	switch k {
	case Cooperative, Entrepreneur:
		return auth.Seller, true
	case Bank:
		return auth.Bank, true
	case Insurer:
		return auth.Insurer, true
	case Institution:
		return auth.Institution, true
	case Provider:
		return auth.Provider, true
	case Operator:
		return auth.Operator, true
	}
	return "", false
}

// State is where an organisation stands.
type State string

// The states.
const (
	Draft            State = "draft"
	Submitted        State = "submitted"
	UnderReview      State = "under_review" // somebody has taken it up
	ChangesRequested State = "changes_requested"
	Active           State = "active"
	Suspended        State = "suspended"
	Terminated       State = "terminated" // for good
)

// A Move is what can be done with an organisation; its name is the route's.
type Move string

// The moves.
const (
	Submit         Move = "submit"
	Review         Move = "review"
	Approve        Move = "approve"
	RequestChanges Move = "request_changes"
	Suspend        Move = "suspend"
	Reactivate     Move = "reactivate"
	Terminate      Move = "terminate"
)

// moves is the whole of an organisation's life.
var moves = map[Move]struct {
	from []State
	to   State
}{
	Submit:         {[]State{Draft, ChangesRequested}, Submitted},
	Review:         {[]State{Submitted}, UnderReview},
	Approve:        {[]State{Submitted, UnderReview}, Active},
	RequestChanges: {[]State{Submitted, UnderReview}, ChangesRequested},
	Suspend:        {[]State{Active}, Suspended},
	Reactivate:     {[]State{Suspended}, Active},
	Terminate:      {[]State{Draft, ChangesRequested, Suspended}, Terminated},
}

// Legal is how the law knows an organisation.
type Legal struct {
	ICE string `json:"ice,omitempty" maxLength:"15" description:"Identifiant commun de l'entreprise: 15 digits."`
	IF  string `json:"if,omitempty" maxLength:"20" description:"Identifiant fiscal."`
	RC  string `json:"rc,omitempty" maxLength:"40" description:"Registre du commerce."`

	Form string `json:"form,omitempty" enum:"cooperative,gie,association,auto_entrepreneur,sarl,sa,individual,other" description:"What it is in law."`
}

// An Organisation is one member of the market.
type Organisation struct {
	ID        string
	Kind      Kind
	Names     Texts
	Legal     Legal
	Story     Texts
	Region    string
	Commune   string
	Lat       float64
	Lng       float64
	State     State
	Note      string
	Version   int64
	CreatedAt time.Time

	AskedAt    *time.Time // when it asked for admission, the last time
	Reviewer   string     // who took its application up
	Restricted []string   // the reasons why it may sell nothing new; none: it may
	Charter    int        // the version of the charter that it signed last; 0: none

	CharterBefore int        // which version binds it until then
	CharterFrom   *time.Time // when the one that it signed last begins to hold; nil: it did when it was signed
}

// Do moves the organisation, on a person's word. note says why, when the operator
// asks for changes, suspends or ends it; any other move wipes it.
func (o Organisation) Do(m Move, note, by string, at time.Time) (Organisation, error) {
	step := moves[m]
	if !slices.Contains(step.from, o.State) {
		return o, ErrState.Say("This organisation is %s; to %s it, it must be %s.", words(o.State), words(m), either(step.from))
	}
	o.State, o.Note, o.Reviewer = step.to, note, ""
	switch m {
	case Submit:
		o.AskedAt = &at
	case Review:
		o.Reviewer = by
	}
	o.Version++
	return o, nil
}

// Seller says whether the organisation may sell now, for the catalogue.
func (o Organisation) Seller() Seller {
	return Seller{ID: o.ID, Names: o.Names, Away: o.State == Suspended || o.State == Terminated, Active: o.State == Active && len(o.Restricted) == 0 && (o.Kind == Cooperative || o.Kind == Entrepreneur)}
}

// A Seller is what others need to know of one who sells.
type Seller struct {
	ID     string            `json:"id"`
	Names  map[string]string `json:"names"`
	Active bool              `json:"-"` // it may sell now
	Away   bool              `json:"-"` // it is suspended, or was ended
}

// An Imprint is how a seller stands on its invoices.
type Imprint struct {
	ID      string
	Names   Texts
	Legal   Legal
	Region  string
	Commune string
}

// AccountState is where a bank account stands.
type AccountState string

// The states of a bank account.
const (
	Pending AccountState = "pending" // given, and not verified
	Current AccountState = "current" // where the member is paid
	Former  AccountState = "former"
)

// ChangeHold is how long payouts wait after a verified account took the place
// of another, so that a stolen key cannot empty a balance overnight.
const ChangeHold = 48 * time.Hour

// An Account is a bank account of a member.
type Account struct {
	ID           string
	Organisation string
	RIB          string
	Holder       string
	State        AccountState
	First        bool       // no other was verified before it
	Since        *time.Time // when it was verified
	CreatedAt    time.Time
	GivenBy      string // who gave it, and who made the key that was used
	Behind       string
	VerifiedBy   string
}

// Given says whether a person gave the account itself, or made the key with which
// it was given: then it cannot vouch for it.
func (a Account) Given(by string) bool { return by == a.GivenBy || by == a.Behind }

// Verified says whether the operator vouches for the account.
func (a Account) Verified() bool { return a.State != Pending }

// OpenFrom is when money may go to a verified account: at once to the first,
// after ChangeHold to one that took the place of another.
func (a Account) OpenFrom() time.Time {
	if a.Since == nil {
		return time.Time{}
	}
	if a.First {
		return *a.Since
	}
	return a.Since.Add(ChangeHold)
}

// Verify makes the account the current one on a person's word; first says that
// none was before.
func (a Account) Verify(by string, first bool, at time.Time) Account {
	a.State, a.First, a.Since, a.VerifiedBy = Current, first, &at, by
	return a
}

// CheckICE says what is wrong with an ICE: it has 15 digits and leaves nothing
// when divided by 97.
func CheckICE(ice string) error {
	if len(ice) != 15 {
		return fmt.Errorf("an ICE has 15 digits, this has %d characters", len([]rune(ice)))
	}
	rest := 0
	for _, c := range ice {
		if c < '0' || c > '9' {
			return fmt.Errorf("an ICE has digits only, not %q", c)
		}
		rest = (rest*10 + int(c-'0')) % 97
	}
	if rest != 0 {
		return fmt.Errorf("the last two digits do not fit the others; compare it with your certificate")
	}
	return nil
}
