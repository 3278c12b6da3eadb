package diagnosis

import (
	"cmp"
	"slices"
)

// An Answer is to one question: a choice, several choices (also none of them), a
// whole number, or that it does not apply.
type Answer struct {
	Choice  string   `json:"choice,omitempty" maxLength:"40" description:"Of one, and of yes_no: yes or no."`
	Choices []string `json:"choices,omitzero" maxItems:"10" uniqueItems:"true" description:"Of several; empty when none of them is so."`
	Number  *int     `json:"number,omitempty" minimum:"0" maximum:"1000000000"`
	None    bool     `json:"none,omitempty" description:"It does not apply."`
}

// A Result is what a questionnaire makes of answers. Points are from 0 to 100.
type Result struct {
	Score      int
	Level      string
	Dimensions []DimensionScore
	Advice     []string // codes, what comes first at first
}

// A DimensionScore is a dimension's points; none when nothing of it applies.
type DimensionScore struct {
	Code  string `json:"code" required:"true"`
	Score *int   `json:"score,omitempty" minimum:"0" maximum:"100" description:"Left out: nothing of it applies."`
	Level string `json:"level,omitempty"`
}

// takes checks an answer against its question and gives it as it is kept.
func (r QuestionRule) takes(a Answer) (Answer, error) {
	bad := func(at, text string) (Answer, error) { return Answer{}, ErrInvalid.At(cmp.Or(at, "/choice"), text) }
	given := 0
	for _, there := range []bool{a.Choice != "", a.Choices != nil, a.Number != nil, a.None} {
		if there {
			given++
		}
	}
	switch {
	case given != 1:
		return bad(map[string]string{Number: "/number", Several: "/choices"}[r.Type], "Give one answer: a choice, choices, a number, or that it does not apply.")
	case a.None && !r.None:
		return bad("/none", "This question applies to everybody.")
	case a.None:
		return Answer{None: true}, nil
	case r.Type == Number && a.Number == nil:
		return bad("/number", "The answer to this question is a whole number.")
	case r.Type == Number && (*a.Number < r.Bands[0].From || *a.Number > r.Most):
		return bad("/number", "Give a whole number within the question's bounds.")
	case r.Type == Number:
		return Answer{Number: a.Number}, nil
	case r.Type == Several && a.Choices == nil:
		return bad("/choices", "Give the choices that are so, or an empty list.")
	case r.Type == Several:
		kept := []string{}
		for _, c := range r.Choices {
			if slices.Contains(a.Choices, c.Code) {
				kept = append(kept, c.Code)
			}
		}
		if len(kept) != len(a.Choices) {
			return bad("/choices", "One of these is no choice of this question.")
		}
		return Answer{Choices: kept}, nil
	case a.Choice == "" || !slices.Contains(r.codes(), a.Choice):
		return bad("/choice", "This is no choice of this question.")
	}
	return Answer{Choice: a.Choice}, nil
}

// codes are the choices of a question.
func (r QuestionRule) codes() (out []string) {
	if r.Type == YesNo {
		return []string{"yes", "no"}
	}
	for _, c := range r.Choices {
		out = append(out, c.Code)
	}
	return out
}

// points are what an answer that applies counts, from 0 to 100.
func (r QuestionRule) points(a Answer) (sum int) {
	switch r.Type {
	case YesNo:
		if a.Choice == r.Good {
			return 100
		}
	case Number:
		for _, b := range r.Bands {
			if *a.Number >= b.From {
				sum = b.Points
			}
		}
	default:
		for _, c := range r.Choices {
			if c.Code == a.Choice || slices.Contains(a.Choices, c.Code) {
				sum += c.Points
			}
		}
	}
	return min(sum, 100)
}

// opens says whether an answer opens what asks for it.
func (w WhenRule) opens(r QuestionRule, a Answer) bool {
	switch {
	case a.None:
		return false
	case r.Type == Number:
		return *a.Number >= w.From
	case r.Type == Several:
		return slices.ContainsFunc(a.Choices, func(c string) bool { return slices.Contains(w.Choices, c) })
	}
	return slices.Contains(w.Choices, a.Choice)
}

// A standing is how a question stands under some answers.
type standing int

const (
	asked   standing = iota // it is asked
	waiting                 // what decides about it is not answered yet
	closed                  // an earlier answer leaves no room for it: it counts no points
	out                     // it is no matter here: it is counted out
)

// A stood is a question with how it stands.
type stood struct {
	QuestionRule
	Dimension int
	Standing  standing
	Answer    *Answer
}

// counts says whether the question is part of its dimension's points.
func (s stood) counts() bool {
	return s.Standing == closed || s.Standing == asked && s.Answer != nil && !s.Answer.None
}

// stand works out how each question stands, in order.
func (q Questionnaire) stand(answers map[string]Answer) []stood {
	var all []stood
	at := map[string]int{}
	for d, dimension := range q.Dimensions {
		for _, r := range dimension.Questions {
			s := stood{QuestionRule: r, Dimension: d}
			if a, ok := answers[r.Code]; ok {
				s.Answer = &a
			}
			if r.When != nil {
				s.Standing = under(all[at[r.When.Question]], *r.When)
			}
			at[r.Code] = len(all)
			all = append(all, s)
		}
	}
	return all
}

// under is how a question stands that an earlier one decides about.
func under(c stood, w WhenRule) standing {
	switch {
	case c.Standing != asked:
		return c.Standing
	case c.Answer == nil:
		return waiting
	case w.opens(c.QuestionRule, *c.Answer):
		return asked
	case c.Answer.None || c.Weight == 0:
		return out
	}
	return closed
}

// lacking are the codes of the questions that still want an answer, in order.
func (q Questionnaire) lacking(answers map[string]Answer) (codes []string) {
	for _, s := range q.stand(answers) {
		if s.Standing == asked && s.Answer == nil {
			codes = append(codes, s.Code)
		}
	}
	return codes
}

// kept are the answers to questions that are asked under them.
func (q Questionnaire) kept(answers map[string]Answer) map[string]Answer {
	out := map[string]Answer{}
	for _, s := range q.stand(answers) {
		if s.Standing == asked && s.Answer != nil {
			out[s.Code] = *s.Answer
		}
	}
	return out
}

// Score works out what answers come to. A dimension's points are the mean of its
// questions' by their weights, those that do not apply left out; the whole is the
// mean of the dimensions' points by their weights, those without any left out. Both
// are rounded to whole points, a half upwards, and the whole is worked out from the
// rounded ones, so that whoever has the page can do the sum again.
func (q Questionnaire) Score(answers map[string]Answer) (r Result) {
	all := q.stand(answers)
	var whole, weights int
	for i, d := range q.Dimensions {
		sum, of := 0, 0
		for _, s := range all {
			if s.Dimension != i || !s.counts() {
				continue
			}
			of += s.Weight
			if s.Standing == asked {
				sum += s.Weight * s.points(*s.Answer)
			}
		}
		x := DimensionScore{Code: d.Code}
		if of > 0 {
			points := rounded(sum, of)
			x.Score, x.Level = &points, q.level(points)
			whole += d.Weight * points
			weights += d.Weight
		}
		r.Dimensions = append(r.Dimensions, x)
	}
	if weights > 0 {
		r.Score = rounded(whole, weights)
	}
	r.Level = q.level(r.Score)
	r.Advice = q.advise(all, r.Dimensions)
	return r
}

// rounded is a quotient of whole numbers, a half upwards.
func rounded(a, b int) int { return (2*a + b) / (2 * b) }

// advise chooses what is advised: what is most pressing at first, then by the order
// of the dimensions and of the rules, so many of each dimension.
func (q Questionnaire) advise(all []stood, scores []DimensionScore) []string {
	var found []AdviceRule
	for _, a := range q.Advice {
		if !slices.ContainsFunc(a.When, func(c ConditionRule) bool { return !c.holds(all, scores) }) {
			found = append(found, a)
		}
	}
	place := map[string]int{}
	for i, d := range q.Dimensions {
		place[d.Code] = i
	}
	slices.SortStableFunc(found, func(a, b AdviceRule) int {
		return cmp.Or(a.Priority-b.Priority, place[a.Dimension]-place[b.Dimension])
	})
	out, given := []string{}, map[string]int{}
	for _, a := range found {
		if given[a.Dimension]++; given[a.Dimension] <= q.Each {
			out = append(out, a.Code)
		}
	}
	return out
}

// holds says whether a condition holds.
func (c ConditionRule) holds(all []stood, scores []DimensionScore) bool {
	if c.Dimension != "" {
		return slices.ContainsFunc(scores, func(s DimensionScore) bool { return s.Code == c.Dimension && s.Score != nil && *s.Score < c.Under })
	}
	return slices.ContainsFunc(all, func(s stood) bool {
		switch {
		case s.Code != c.Question || s.Standing != asked || s.Answer == nil || s.Answer.None:
			return false
		case len(c.Choices) > 0:
			return WhenRule{Choices: c.Choices}.opens(s.QuestionRule, *s.Answer)
		}
		return s.points(*s.Answer) < c.Under
	})
}
