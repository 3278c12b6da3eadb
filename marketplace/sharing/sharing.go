// Package sharing keeps members' dossiers, whom they let see them, and who has
// seen what. Access comes of a consent alone: its owner gives it for a purpose,
// for some sections and for some days, and takes it back with effect on the next
// request. What is read is written down in the same unit of work: without the row
// there is no reading.
package sharing

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"tiwiza/pkg/auth"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/seal"
)

// Errors of sharing.
var (
	ErrNotFound  = fault.New(fault.NotFound, "sharing.not_found", "There is no such thing, or nobody shares it with you.")
	ErrWithdrawn = fault.New(fault.Denied, "sharing.ended", "The consent to see this has ended or was withdrawn; ask its owner for another.")
	ErrBarred    = fault.New(fault.Denied, "sharing.barred", "A suspended organisation sees nobody's dossier.")
	ErrInvalid   = fault.New(fault.Invalid, "sharing.invalid", "Some of this is not right; see errors.")
	ErrState     = fault.New(fault.Conflict, "sharing.state", "The consent's state does not allow this now; look at it again.")
	ErrOpen      = fault.New(fault.Conflict, "sharing.asked", "You have asked this already and wait for the answer.")
	ErrRetired   = fault.New(fault.Conflict, "sharing.retired", "This was taken out of the dossier.")
	ErrFull      = fault.New(fault.Conflict, "sharing.full", "A dossier has at most 500 items, each in at most 1000 versions; take some out first.")
)

// Chain seals the consultation log.
var Chain = seal.Chain{Row: "consultation", View: "sharing.consultation_sealable", Blocks: "sharing.consultation_block"}

// Sections are the parts of a dossier.
var Sections = []string{"identity", "financial", "production", "social", "project"}

// An Item is one thing in a dossier.
type Item struct {
	ID        string
	Owner     string
	Section   string
	Title     string
	Sensitive bool
	Version   int
	MadeAt    time.Time
	RetiredAt *time.Time
}

// An Edition is a version of an item: a file or a form.
type Edition struct {
	Item    string
	Version int
	File    string
	Form    map[string]any
	Type    string
	Size    int
	Digest  []byte
	AddedBy string
	AddedAt time.Time
}

// A State is where a consent stands.
type State string

// The states.
const (
	Requested State = "requested"
	Granted   State = "granted"
	Refused   State = "refused"
	Withdrawn State = "withdrawn"
	Expired   State = "expired"
)

// A Move is what happens to a consent.
type Move string

// The moves.
const (
	Grant    Move = "grant"
	Refuse   Move = "refuse"
	Withdraw Move = "withdraw"
	Expire   Move = "expire"
)

// moves is the whole of a consent's life.
var moves = map[Move]struct {
	from []State
	to   State
}{
	Grant:    {[]State{Requested}, Granted},
	Refuse:   {[]State{Requested}, Refused},
	Withdraw: {[]State{Granted}, Withdrawn},
	Expire:   {[]State{Requested, Granted}, Expired},
}

// A Consent is an owner's word about who may see what of its dossier.
type Consent struct {
	ID         string
	Owner      string
	Grantee    string  // an organisation; "": those of a programme
	Programme  *string // nil: an organisation
	Purpose    string
	Sections   []string
	Sensitive  bool // what is sensitive too
	Days       int
	Why        string
	Text       map[string]string
	Digest     []byte
	State      State
	AskedBy    string
	AskedAt    time.Time
	AnsweredBy string
	AnsweredAt *time.Time
	Evidence   string
	Since      *time.Time
	Until      *time.Time
	EndedBy    string
	EndedAt    *time.Time
	Version    int
}

// Do moves the consent at a moment, on somebody's word.
func (c Consent) Do(m Move, by string, at time.Time) (Consent, error) {
	step := moves[m]
	if !slices.Contains(step.from, c.State) {
		return c, ErrState.Say("This consent is %s already.", c.State)
	}
	c.State = step.to
	c.Version++
	switch m {
	case Grant:
		until := at.Add(time.Duration(c.Days) * day)
		c.AnsweredBy, c.AnsweredAt, c.Since, c.Until = by, &at, &at, &until
	case Refuse:
		c.AnsweredBy, c.AnsweredAt = by, &at
	case Withdraw, Expire:
		c.EndedBy, c.EndedAt = by, &at
	}
	return c, nil
}

// Live says whether the consent lets somebody see something at a moment.
func (c Consent) Live(at time.Time) bool {
	return c.State == Granted && !at.Before(*c.Since) && at.Before(*c.Until)
}

const day = 24 * time.Hour

// patience is how long a request waits for its answer.
const patience = 30 * day

// glassLife is how long a broken glass stays open.
const glassLife = day

// evidence is how the one who agrees has shown who it is.
func evidence(p auth.Proof) string {
	switch {
	case !p.Session:
		return "key"
	case p.Passkey:
		return "passkey"
	}
	return "code"
}

// digest stands for exactly a text: SHA-256 of the French, the Arabic and the
// English, each with its length before it.
func digest(text map[string]string) []byte {
	h := sha256.New()
	for _, lang := range []string{"fr", "ar", "en"} {
		var n [4]byte
		binary.BigEndian.PutUint32(n[:], uint32(len(text[lang])))
		_, _ = h.Write(n[:])
		_, _ = h.Write([]byte(text[lang]))
	}
	return h.Sum(nil)
}

// A Ground is what lets somebody read: a consent, or a broken glass.
type Ground struct {
	Consent   *string
	Glass     *string
	Purpose   string
	Sections  []string
	Sensitive bool
	Until     time.Time
	At        time.Time // of the question
	Known     bool      // the same person has read something on it before
}

// A Consultation is a row of the log.
type Consultation struct {
	Seq          int64
	At           time.Time
	Owner        string
	Consent      *string
	Glass        *string
	Organisation string
	By           string
	Item         *string
	Version      *int
	Section      string
	Sensitive    bool
	Title        string
	Purpose      string
	Action       string
	Bytes        int
	Policy       string
}

// A Glass is what the market's people broke to see a dossier without consent.
type Glass struct {
	ID       string
	Owner    string
	Reason   string
	Sections []string
	State    string
	AskedBy  string
	AskedAt  time.Time
	OpenedBy string
	Since    *time.Time
	Until    *time.Time
}

// sum stands for exactly what a second person approves.
func (g Glass) sum() []byte {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q %q %q", g.ID, g.Owner, g.Reason, g.Sections, g.AskedBy))
	return sum[:]
}

// A Programme is several organisations that are let in together.
type Programme struct {
	ID     string
	Names  map[string]string
	MadeBy string
	MadeAt time.Time
}
