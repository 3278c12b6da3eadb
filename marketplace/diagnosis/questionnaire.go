package diagnosis

import (
	"slices"
	"time"

	"tiwiza/marketplace/members"
)

// A Questionnaire is what is asked, how it is counted and what is advised, as data.
type Questionnaire struct {
	Code       string          `json:"code" required:"true" pattern:"^[a-z][a-z_]{1,39}$" description:"Its name; the same again is a new version."`
	Kinds      []members.Kind  `json:"kinds" required:"true" minItems:"1" uniqueItems:"true" enum:"beneficiary_coop,auto_entrepreneur" description:"Whom it is for."`
	Names      members.Texts   `json:"names" required:"true" description:"By language: fr, ar and en at least."`
	About      members.Texts   `json:"about" required:"true"`
	Section    string          `json:"section" required:"true" enum:"identity,financial,production,social,project" description:"Of the dossier into which its owner may put the result."`
	Days       DaysRule        `json:"days" required:"true"`
	Levels     []LevelRule     `json:"levels" required:"true" minItems:"2" maxItems:"8" description:"From the lowest to the highest; the first begins at 0."`
	Dimensions []DimensionRule `json:"dimensions" required:"true" minItems:"1" maxItems:"12"`
	Advice     []AdviceRule    `json:"advice" required:"true" maxItems:"80"`
	Each       int             `json:"each" required:"true" minimum:"1" maximum:"5" description:"How many pieces of advice a dimension gives at most."`
}

// DaysRule are the days after which something happens, each of 24 hours.
type DaysRule struct {
	Lapse  int `json:"lapse" required:"true" minimum:"1" maximum:"365" description:"Without an answer, one that was begun is given up."`
	Rest   int `json:"rest" required:"true" minimum:"0" maximum:"365" description:"Between one that was finished and the next that is begun, at least."`
	Remind int `json:"remind" required:"true" minimum:"30" maximum:"1100" description:"After one was finished its owner is told, once, to do it again."`
}

func (d DaysRule) lapse() time.Duration  { return time.Duration(d.Lapse) * day }
func (d DaysRule) rest() time.Duration   { return time.Duration(d.Rest) * day }
func (d DaysRule) remind() time.Duration { return time.Duration(d.Remind) * day }

const day = 24 * time.Hour

// A LevelRule is where one stands from a number of points on.
type LevelRule struct {
	Code  string        `json:"code" required:"true" pattern:"^[a-z][a-z_]{1,39}$"`
	From  int           `json:"from" required:"true" minimum:"0" maximum:"100"`
	Names members.Texts `json:"names" required:"true"`
	About members.Texts `json:"about" required:"true" description:"What it means, in a sentence."`
}

// A DimensionRule is one side of what is asked.
type DimensionRule struct {
	Code      string         `json:"code" required:"true" pattern:"^[a-z][a-z_]{1,39}$"`
	Names     members.Texts  `json:"names" required:"true"`
	Icon      string         `json:"icon,omitempty" pattern:"^[a-z0-9-]{1,40}$"`
	Weight    int            `json:"weight" required:"true" minimum:"1" maximum:"10" description:"In the whole."`
	Questions []QuestionRule `json:"questions" required:"true" minItems:"1" maxItems:"20"`
}

// The kinds of questions.
const (
	One     = "one"     // one of some choices
	YesNo   = "yes_no"  // the choices yes and no
	Several = "several" // any of some choices, or none of them
	Number  = "number"  // a whole number, counted by bands
)

// A QuestionRule is one question. Each counts from 0 to 100 points.
type QuestionRule struct {
	Code    string        `json:"code" required:"true" pattern:"^[a-z][a-z_]{1,39}$" description:"No two questions of the questionnaire have the same."`
	Texts   members.Texts `json:"texts" required:"true"`
	Help    members.Texts `json:"help,omitempty"`
	Icon    string        `json:"icon,omitempty" pattern:"^[a-z0-9-]{1,40}$"`
	Type    string        `json:"type" required:"true" enum:"one,yes_no,several,number"`
	Weight  int           `json:"weight" required:"true" minimum:"0" maximum:"10" description:"In its dimension; 0: it only decides which others are asked."`
	None    bool          `json:"none,omitempty" description:"One may say that it does not apply; then it is counted out."`
	Choices []ChoiceRule  `json:"choices,omitempty" maxItems:"10" description:"Of one and several. The points of several are added, up to 100."`
	Good    string        `json:"good,omitempty" enum:"yes,no" description:"Of yes_no: which counts 100 points; the other counts none."`
	Bands   []BandRule    `json:"bands,omitempty" maxItems:"10" description:"Of number, from the smallest on; below the first no answer is taken."`
	Most    int           `json:"most,omitempty" minimum:"0" maximum:"1000000000" description:"Of number: the largest answer that is taken."`
	When    *WhenRule     `json:"when,omitempty" description:"It is asked only when an earlier question was answered so."`
}

// A ChoiceRule is an answer to choose.
type ChoiceRule struct {
	Code   string        `json:"code" required:"true" pattern:"^[a-z][a-z_]{1,39}$"`
	Texts  members.Texts `json:"texts" required:"true"`
	Icon   string        `json:"icon,omitempty" pattern:"^[a-z0-9-]{1,40}$"`
	Points int           `json:"points" required:"true" minimum:"0" maximum:"100"`
}

// A BandRule is what numbers count from one on.
type BandRule struct {
	From   int `json:"from" required:"true" minimum:"0" maximum:"1000000000"`
	Points int `json:"points" required:"true" minimum:"0" maximum:"100"`
}

// A WhenRule is how an earlier question must be answered: with one of some choices,
// or a number from one on. Where the earlier question counts, the answers that open
// this one are better than all others, and while it stays closed it counts no points:
// whoever does not sell online is not better off for having no online orders to
// answer. Where the earlier question has no weight, what it closes is counted out.
type WhenRule struct {
	Question string   `json:"question" required:"true" maxLength:"40"`
	Choices  []string `json:"choices,omitempty" maxItems:"10"`
	From     int      `json:"from,omitempty" minimum:"0" maximum:"1000000000"`
}

// An AdviceRule is what is advised when all of some things hold.
type AdviceRule struct {
	Code      string          `json:"code" required:"true" pattern:"^[a-z][a-z_]{1,39}$"`
	Dimension string          `json:"dimension" required:"true" maxLength:"40"`
	Priority  int             `json:"priority" required:"true" minimum:"1" maximum:"9" description:"1 comes first."`
	When      []ConditionRule `json:"when" required:"true" minItems:"1" maxItems:"5"`
	Texts     members.Texts   `json:"texts" required:"true" description:"What to do."`
	Why       members.Texts   `json:"why" required:"true"`
	First     members.Texts   `json:"first" required:"true" description:"What to do first."`
	Page      string          `json:"page,omitempty" pattern:"^/v(/[a-z-]+){0,3}$" maxLength:"80" description:"The page of the market where that is done."`
}

// A ConditionRule is one thing that must hold: a question was answered with one of
// some choices, or its answer counts less than some points; or a dimension has less
// than some points. Of what was not asked, or does not apply, nothing holds.
type ConditionRule struct {
	Question  string   `json:"question,omitempty" maxLength:"40"`
	Choices   []string `json:"choices,omitempty" maxItems:"10"`
	Dimension string   `json:"dimension,omitempty" maxLength:"40"`
	Under     int      `json:"under,omitempty" minimum:"0" maximum:"101"`
}

// questions are all questions in the order in which they are asked.
func (q Questionnaire) questions() (all []QuestionRule) {
	for _, d := range q.Dimensions {
		all = append(all, d.Questions...)
	}
	return all
}

// question finds one by its code.
func (q Questionnaire) question(code string) (QuestionRule, bool) {
	all := q.questions()
	if i := slices.IndexFunc(all, func(r QuestionRule) bool { return r.Code == code }); i >= 0 {
		return all[i], true
	}
	return QuestionRule{}, false
}

// level is where somebody with some points stands.
func (q Questionnaire) level(points int) string {
	code := ""
	for _, l := range q.Levels {
		if points >= l.From {
			code = l.Code
		}
	}
	return code
}

// For says whether the questionnaire is for organisations of a kind.
func (q Questionnaire) For(k members.Kind) bool { return slices.Contains(q.Kinds, k) }
