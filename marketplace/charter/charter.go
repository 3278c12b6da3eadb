// Package charter keeps the charter of the market: its versions, which two people
// publish and nobody changes; who signed which, in what language and how; and what
// each version forbids its signers, as Cedar rules beside the built-in policies. A new
// version asks every member for its signature by a day; who has not signed by then
// sells nothing new until it does.
package charter

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"tiwiza/pkg/clock"
	"tiwiza/pkg/fault"
)

// Errors of the charter.
var (
	ErrNotFound = fault.New(fault.NotFound, "charter.not_found", "There is no such charter, draft, signature or organisation.")
	ErrNone     = fault.New(fault.NotFound, "charter.none", "This market has no charter yet.")
	ErrInvalid  = fault.New(fault.Invalid, "charter.invalid", "Some of this is not right; see errors.")
	ErrState    = fault.New(fault.Conflict, "charter.state", "This was published, or decided on, already; look at it again.")
	ErrRaced    = fault.New(fault.Conflict, "charter.raced", "Somebody else has changed this meanwhile; look at it again.")
	ErrUnsigned = fault.New(fault.Conflict, "charter.unsigned", "Sign the charter first; read it at GET /v1/charter.")
	ErrOld      = fault.New(fault.Conflict, "charter.old", "Another version of the charter holds now; read that one, and sign it.")
	ErrOther    = fault.New(fault.Conflict, "charter.other_text", "This is not the text that was published; read it again, then sign.")
	ErrOwn      = fault.New(fault.Denied, "charter.self", "Another person must decide: you entered this paper.")
	ErrEnded    = fault.New(fault.Conflict, "charter.ended", "This organisation is no member any more.")
)

// languages are those that a charter may be in, in the order in which they are
// digested; it is always in the first two.
var languages = []string{"fr", "ar", "en", "zgh"}

// A Text is the charter in one language.
type Text struct {
	Title string `json:"title" required:"true" minLength:"1" maxLength:"200"`
	Body  string `json:"body" required:"true" minLength:"1" maxLength:"40000" description:"Plain text; an empty line between paragraphs."`
	Sound string `json:"sound,omitempty" maxLength:"40" description:"A recording of it, uploaded with owner=charter."`
}

// Content is what somebody writes: a version before it has a number.
type Content struct {
	Since   time.Time // the day, as midnight UTC, from which it holds
	LastDay time.Time // the last day to sign it
	Texts   map[string]Text
	Policy  string // Cedar rules; "": it forbids nothing
}

// A State is where a draft stands.
type State string

// The states of a draft.
const (
	Open      State = "open"
	Asked     State = "asked" // a second person shall publish it
	Published State = "published"
	Discarded State = "discarded" // nobody goes on with it
)

// A Draft is a charter that somebody writes.
type Draft struct {
	ID string
	Content
	State     State
	Version   int
	MadeBy    string
	MadeAt    time.Time
	ChangedBy string
	ChangedAt time.Time
}

// A Version is a charter that was published. It never changes.
type Version struct {
	Number      int
	Since       time.Time
	LastDay     time.Time
	Titles      map[string]string
	Bodies      map[string]string
	Sounds      map[string]string // files
	Recordings  map[string]string // what is in them: SHA-256, in hexadecimal
	Policy      string
	Rules       []byte // SHA-256 of Policy
	Digest      []byte // of all that is signed; see Seal
	Draft       string
	AskedBy     string
	PublishedBy string
	PublishedAt time.Time
}

// make is the version that a draft becomes.
func (d Draft) make(number int, recordings map[string]string) Version {
	v := Version{
		Number: number, Since: d.Since, LastDay: d.LastDay, Titles: map[string]string{}, Bodies: map[string]string{}, Sounds: map[string]string{},
		Recordings: recordings, Policy: d.Policy, Draft: d.ID,
	}
	for lang, t := range d.Texts {
		v.Titles[lang], v.Bodies[lang] = t.Title, t.Body
		if t.Sound != "" {
			v.Sounds[lang] = t.Sound
		}
	}
	rules := sha256.Sum256([]byte(d.Policy))
	v.Rules = rules[:]
	v.Digest = v.Seal()
	return v
}

// Seal is the digest of what is signed, which the database works out as well: the
// number, the two days, title, text and recording in each language, and the digest of
// the rules.
func (v Version) Seal() []byte {
	h := sha256.New()
	text := func(s string) {
		_ = binary.Write(h, binary.BigEndian, int32(len(s))) //nolint:gosec // at most 40,000 letters
		_, _ = h.Write([]byte(s))
	}
	_ = binary.Write(h, binary.BigEndian, int32(v.Number)) //nolint:gosec // at most 10,000
	text(v.Since.Format(time.DateOnly))
	text(v.LastDay.Format(time.DateOnly))
	for _, lang := range languages {
		text(v.Titles[lang])
		text(v.Bodies[lang])
		text(v.Recordings[lang])
	}
	_, _ = h.Write(v.Rules)
	return h.Sum(nil)
}

// Hex is the version's digest as people compare it.
func (v Version) Hex() string { return hex.EncodeToString(v.Digest) }

// in says whether the version can be read in a language.
func (v Version) in(lang string) bool { return v.Bodies[lang] != "" }

// End is the moment from which who has not signed sells nothing new: the midnight, in
// Morocco, after the last day.
func (v Version) End() time.Time { return midnight(v.LastDay, 1) }

// midnight is when a day begins in Morocco, or one so many days later.
func midnight(day time.Time, later int) time.Time {
	y, m, d := day.Date()
	return time.Date(y, m, d+later, 0, 0, 0, 0, clock.Morocco).UTC()
}

// today is the day in Morocco at a moment, as midnight UTC.
func today(at time.Time) time.Time {
	y, m, d := at.In(clock.Morocco).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

// A Method is how a signature was given.
type Method string

// The methods.
const (
	ByCode  Method = "code"  // the signer's own fresh code, or passkey
	ByPaper Method = "paper" // a scan, which two of the market's people looked at
	ByAgent Method = "agent" // the member's own code, read out to an agent
)

// A Signature is an organisation's word.
type Signature struct {
	ID           string
	Organisation string
	Version      int
	Digest       []byte
	Lang         string
	Method       Method
	Proof        string
	Person       string
	Agent        string
	Paper        *string
	Signer       string
	At           time.Time
}

// A Paper is a signature on paper, until another person has compared it.
type Paper struct {
	ID           string
	Organisation string
	Version      int
	Digest       []byte
	Lang         string
	Signer       string
	SignedOn     time.Time
	File         string
	State        PaperState
	EnteredBy    string
	EnteredAt    time.Time
	DecidedBy    string
	DecidedAt    *time.Time
	Note         string
}

// A PaperState is where a signature on paper stands.
type PaperState string

// The states of a paper.
const (
	Waiting  PaperState = "waiting"
	Accepted PaperState = "accepted"
	Refused  PaperState = "refused"
)

// Decide ends the wait of a paper on another person's word.
func (p Paper) Decide(to PaperState, by, note string, at time.Time) (Paper, error) {
	switch {
	case p.State != Waiting:
		return p, ErrState
	case by == p.EnteredBy:
		return p, ErrOwn
	}
	p.State, p.DecidedBy, p.Note, p.DecidedAt = to, by, note, &at
	return p, nil
}

// Check says what is wrong with what somebody wrote; nil when nothing is.
func (c Content) Check(now time.Time) (wrong *fault.Error) {
	day := today(now)
	switch {
	case c.Since.Before(day):
		wrong = also(wrong, "/since", "A charter holds from today on, or from a day to come.")
	case c.Since.After(day.AddDate(5, 0, 0)):
		wrong = also(wrong, "/since", "This day is more than five years away; compare it.")
	}
	if c.LastDay.Before(c.Since) || c.LastDay.After(c.Since.AddDate(2, 0, 0)) {
		wrong = also(wrong, "/last_day", "Members sign until the day from which it holds, or up to two years later.")
	}
	for _, lang := range languages[:2] {
		if _, ok := c.Texts[lang]; !ok {
			wrong = also(wrong, "/texts/"+lang, "The charter is in French and in Arabic.")
		}
	}
	for lang, t := range c.Texts {
		at := "/texts/" + lang
		if !slices.Contains(languages, lang) {
			wrong = also(wrong, at, "Write it in fr, ar, en or zgh.")
			continue
		}
		for name, s := range map[string]string{"/title": t.Title, "/body": t.Body} {
			if r, bad := hidden(s, name == "/body"); bad {
				wrong = also(wrong, at+name, fmt.Sprintf("There is a sign that nobody sees (%U); what is signed has none.", r))
			}
			if strings.TrimSpace(s) != s || s == "" {
				wrong = also(wrong, at+name, "Write something, without spaces around it.")
			}
		}
	}
	return wrong
}

// hidden finds a sign that is not seen, or that turns the order of others around.
func hidden(s string, lines bool) (rune, bool) {
	for _, r := range s {
		if lines && r == '\n' {
			continue
		}
		if unicode.IsControl(r) || r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069' || r == '\u200b' || r == '\ufeff' || r == unicode.ReplacementChar {
			return r, true
		}
	}
	return 0, false
}

func also(wrong *fault.Error, pointer, detail string) *fault.Error {
	if wrong == nil {
		wrong = ErrInvalid
	}
	return wrong.At(pointer, detail)
}

const dayLong = 24 * time.Hour

// A Step is when members who have not signed a version are told, or stopped.
type Step string

// The steps of a version.
const (
	AskedOn  Step = "asked" // once it was published
	Days30   Step = "30"
	Days7    Step = "7"
	Days1    Step = "1"
	Ended    Step = "end"
	EndedToo Step = "after" // once more, for who was admitted meanwhile
)

// steps are those of a version in their order, with how long before its end.
var steps = []struct {
	step   Step
	before time.Duration
}{{Days30, 30 * dayLong}, {Days7, 7 * dayLong}, {Days1, dayLong}, {Ended, 0}, {EndedToo, -dayLong}}

// stops says whether who has not signed is stopped at this step.
func (s Step) stops() bool { return s == Ended || s == EndedToo }

// A turn is a step and when it is due.
type turn struct {
	Step Step
	Due  time.Time
}

// Turns are the steps of a version that was published at a moment: what lies behind it
// is left out.
func (v Version) turns(at time.Time) []turn {
	all := []turn{{AskedOn, at}}
	for _, s := range steps {
		if due := v.End().Add(-s.before); due.After(at) {
			all = append(all, turn{s.step, due})
		}
	}
	return all
}
