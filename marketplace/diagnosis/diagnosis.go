// Package diagnosis asks cooperatives how far they have come with selling, money and
// tools online, counts their answers and advises what to do first. What is asked, how
// it is counted and what is advised is data, in versions that never change. A run is
// one time that somebody answers; finished, it is frozen. It is its organisation's
// alone: others see it when its owner has put it into its dossier and let them in, and
// the market's people see figures of many.
package diagnosis

import (
	"maps"
	"time"

	"tiwiza/marketplace/members"
	"tiwiza/pkg/fault"
)

// Errors of diagnosis.
var (
	ErrNotFound = fault.New(fault.NotFound, "diagnosis.not_found", "There is no such diagnostic or questionnaire.")
	ErrQuestion = fault.New(fault.NotFound, "diagnosis.no_question", "The questionnaire of this diagnostic has no such question.")
	ErrInvalid  = fault.New(fault.Invalid, "diagnosis.invalid", "Some of this is not right; see errors.")
	ErrKind     = fault.New(fault.Invalid, "diagnosis.kind", "This questionnaire is not for organisations of this kind.")
	ErrState    = fault.New(fault.Conflict, "diagnosis.state", "The state of this does not allow that; look at it again.")
	ErrStale    = fault.New(fault.Conflict, "diagnosis.stale", "This has changed since you looked at it; look again.")
	ErrOpen     = fault.New(fault.Conflict, "diagnosis.open", "A diagnostic of this kind is under way; go on with it.")
	ErrSoon     = fault.New(fault.Conflict, "diagnosis.soon", "The last one is not long enough ago.")
	ErrUnasked  = fault.New(fault.Conflict, "diagnosis.unasked", "This question is not asked after the answers given before.")
	ErrLacking  = fault.New(fault.Conflict, "diagnosis.lacking", "Some questions have no answer yet; see errors.")
	ErrShared   = fault.New(fault.Conflict, "diagnosis.shared", "This result stands in your dossier already.")
	ErrOlder    = fault.New(fault.Conflict, "diagnosis.older", "A newer result stands in your dossier already.")
)

// A State is where a run stands.
type State string

// The states.
const (
	Open     State = "open"
	Finished State = "finished"
	Lapsed   State = "lapsed" // nobody answered any more
)

// A Run is one time that an organisation answers a questionnaire. Its result is there
// once it is finished, and then nothing of it changes.
type Run struct {
	ID           string
	Organisation string
	Kind         members.Kind
	Region       string
	Code         string // of the questionnaire
	Edition      int
	State        State
	Answers      map[string]Answer
	MadeBy       string
	OnBehalfOf   string // the member's person for whom an agent began it with its code
	Channel      string // online, counter, phone or api
	MadeAt       time.Time
	SavedAt      time.Time
	LapsesAt     time.Time
	FinishedAt   *time.Time
	Score        *int
	Level        string
	Dimensions   []DimensionScore
	Advice       []string
	Version      int
}

// open refuses a run that is over.
func (r Run) open() error {
	if r.State != Open {
		return ErrState.Say("This diagnostic is %s.", r.State).At("/state", string(r.State))
	}
	return nil
}

// Save writes an answer down; the last one to a question is the one that stands. An
// answer to a question that is not asked under those before is refused.
func (r Run) Save(q Questionnaire, question string, a Answer, at time.Time) (Run, error) {
	if err := r.open(); err != nil {
		return r, err
	}
	rule, ok := q.question(question)
	if !ok {
		return r, ErrQuestion
	}
	a, err := rule.takes(a)
	if err != nil {
		return r, err
	}
	for _, s := range q.stand(r.Answers) {
		if s.Code == question && s.Standing != asked {
			return r, ErrUnasked
		}
	}
	r.Answers = maps.Clone(r.Answers)
	r.Answers[question] = a
	r.SavedAt, r.LapsesAt = at, at.Add(q.Days.lapse())
	r.Version++
	return r, nil
}

// Finish counts the answers, all of which must be there. What was answered and is not
// asked any more is left out.
func (r Run) Finish(q Questionnaire, at time.Time) (Run, error) {
	if err := r.open(); err != nil {
		return r, err
	}
	if codes := q.lacking(r.Answers); len(codes) > 0 {
		bad := ErrLacking
		for _, c := range codes {
			rule, _ := q.question(c)
			bad = bad.At("/answers/"+c, rule.Texts["fr"])
		}
		return r, bad
	}
	r.Answers = q.kept(r.Answers)
	result := q.Score(r.Answers)
	r.State, r.FinishedAt = Finished, &at
	r.Score, r.Level, r.Dimensions, r.Advice = &result.Score, result.Level, result.Dimensions, result.Advice
	r.Version++
	return r, nil
}

// Lapse gives a run up in which nobody answered any more.
func (r Run) Lapse() (Run, error) {
	if err := r.open(); err != nil {
		return r, err
	}
	r.State = Lapsed
	r.Version++
	return r, nil
}

// An Edition is a version of a questionnaire.
type Edition struct {
	Code          string
	Version       int
	State         string // published or replaced
	Questionnaire Questionnaire
	Draft         *string // none: it came with the hub
	AskedBy       string
	PublishedBy   string
	PublishedAt   time.Time
}

// A Draft is a questionnaire that somebody writes, until two people have published it.
type Draft struct {
	ID            string
	Questionnaire Questionnaire
	State         string // open, asked or published
	Version       int
	MadeBy        string
	MadeAt        time.Time
	ChangedBy     string
	ChangedAt     time.Time
}
