package diagnosis

import (
	"fmt"
	"slices"
	"strings"

	"tiwiza/marketplace/members"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/script"
)

// mostQuestions is how many questions a questionnaire has at most.
const mostQuestions = 80

// A checking collects what is wrong with a questionnaire.
type checking struct {
	q    Questionnaire
	bad  *fault.Error
	seen map[string]bool
}

func (c *checking) at(pointer, text string, args ...any) {
	c.bad = c.bad.At(pointer, fmt.Sprintf(text, args...))
}

// check says what is wrong with a questionnaire, beyond the shape that the edge has
// seen.
func (q Questionnaire) check() error {
	c := checking{q, ErrInvalid, map[string]bool{}}
	c.named("/names", q.Names, 80)
	c.named("/about", q.About, 600)
	c.levels()
	sure, n := false, 0
	for i, d := range q.Dimensions {
		at := fmt.Sprintf("/dimensions/%d", i)
		c.once(at+"/code", "dimension "+d.Code)
		c.named(at+"/names", d.Names, 60)
		for j, r := range d.Questions {
			c.question(fmt.Sprintf("%s/questions/%d", at, j), r)
			sure = sure || r.Weight > 0 && !r.None && r.When == nil
			n++
		}
	}
	if !sure {
		c.at("/dimensions", "One question at least counts, applies to everybody and is always asked.")
	}
	if n > mostQuestions {
		c.at("/dimensions", "Ask at most %d questions.", mostQuestions)
	}
	for i, a := range q.Advice {
		c.advice(fmt.Sprintf("/advice/%d", i), a)
	}
	if len(c.bad.Details) > 0 {
		return c.bad
	}
	return nil
}

func (c *checking) named(at string, t members.Texts, most int) {
	for _, lang := range []string{"fr", "ar", "en"} {
		if strings.TrimSpace(t[lang]) == "" {
			c.at(at+"/"+lang, "Write it in French, Arabic and English.")
		}
	}
	for lang, text := range t {
		switch {
		case !slices.Contains([]string{"fr", "ar", "en", "zgh"}, lang):
			c.at(at, "A language is not known; use fr, ar, zgh or en.")
		case len([]rune(text)) > most || !script.Line(text):
			c.at(at+"/"+lang, "Write at most %d letters, without signs that nobody sees.", most)
		}
	}
}

func (c *checking) once(at, key string) {
	if c.seen[key] {
		c.at(at, "This code comes twice.")
	}
	c.seen[key] = true
}

func (c *checking) levels() {
	for i, l := range c.q.Levels {
		at := fmt.Sprintf("/levels/%d", i)
		c.once(at+"/code", "level "+l.Code)
		c.named(at+"/names", l.Names, 40)
		c.named(at+"/about", l.About, 300)
		if i == 0 && l.From != 0 || i > 0 && l.From <= c.q.Levels[i-1].From {
			c.at(at+"/from", "The first level begins at 0, and each next one higher.")
		}
	}
}

func (c *checking) question(at string, r QuestionRule) {
	if r.When != nil {
		c.when(at+"/when", *r.When)
	}
	c.once(at+"/code", "question "+r.Code)
	c.named(at+"/texts", r.Texts, 160)
	if r.Help != nil {
		c.named(at+"/help", r.Help, 300)
	}
	if (r.Type == One || r.Type == Several) != (len(r.Choices) > 1) {
		c.at(at+"/choices", "Give at least two choices where one chooses, and none elsewhere.")
	}
	if (r.Type == YesNo) != (r.Good != "") {
		c.at(at+"/good", "Say of yes_no, and of nothing else, which of both counts.")
	}
	if (r.Type == Number) != (len(r.Bands) > 0) {
		c.at(at+"/bands", "Give bands where one gives a number, and none elsewhere.")
	}
	codes, best := map[string]bool{}, 0
	for i, x := range r.Choices {
		if codes[x.Code] {
			c.at(fmt.Sprintf("%s/choices/%d/code", at, i), "This code comes twice.")
		}
		codes[x.Code] = true
		c.named(fmt.Sprintf("%s/choices/%d/texts", at, i), x.Texts, 120)
		best += x.Points
	}
	if r.Type == Several && r.Weight > 0 && best < 100 {
		c.at(at+"/choices", "All choices together count 100 points at least.")
	}
	for i, b := range r.Bands {
		if i > 0 && b.From <= r.Bands[i-1].From {
			c.at(fmt.Sprintf("%s/bands/%d/from", at, i), "Each band begins higher than the one ahead of it.")
		}
	}
	if n := len(r.Bands); n > 0 && r.Most < r.Bands[n-1].From {
		c.at(at+"/most", "The largest answer is in the last band.")
	}
}

// when checks what opens a question: an earlier one, by answers that it knows; and
// where that one counts, by all those that are better than the others.
func (c *checking) when(at string, w WhenRule) {
	if !c.seen["question "+w.Question] {
		c.at(at+"/question", "This names no earlier question.")
		return
	}
	r, _ := c.q.question(w.Question)
	if (r.Type == Number) != (len(w.Choices) == 0) {
		c.at(at+"/choices", "Say which choices open this, or of a number from what on.")
		return
	}
	c.chosen(at, r, w.Choices)
	if r.Weight == 0 {
		return
	}
	worst, best := 101, -1 // of those that open, of those that do not
	see := func(a Answer) {
		if p := r.points(a); w.opens(r, a) {
			worst = min(worst, p)
		} else {
			best = max(best, p)
		}
	}
	switch r.Type {
	case Several:
		c.at(at, "What opens a question by several choices counts no points itself; give it the weight 0.")
		return
	case Number:
		for _, b := range r.Bands {
			see(Answer{Number: &b.From})
		}
		if !slices.ContainsFunc(r.Bands, func(b BandRule) bool { return b.From == w.From }) {
			c.at(at+"/from", "A number that opens a question is where a band begins.")
		}
	default:
		for _, code := range r.codes() {
			see(Answer{Choice: code})
		}
	}
	if worst <= best {
		c.at(at, "The answers that open a question count more points than all others; or give the earlier question the weight 0.")
	}
}

func (c *checking) chosen(at string, r QuestionRule, choices []string) {
	for i, x := range choices {
		if !slices.Contains(r.codes(), x) {
			c.at(fmt.Sprintf("%s/choices/%d", at, i), "This is no choice of that question.")
		}
	}
}

func (c *checking) advice(at string, a AdviceRule) {
	c.once(at+"/code", "advice "+a.Code)
	c.named(at+"/texts", a.Texts, 120)
	c.named(at+"/why", a.Why, 300)
	c.named(at+"/first", a.First, 300)
	if !c.seen["dimension "+a.Dimension] {
		c.at(at+"/dimension", "There is no such dimension.")
	}
	for i, w := range a.When {
		at := fmt.Sprintf("%s/when/%d", at, i)
		r, known := c.q.question(w.Question)
		switch {
		case (w.Question == "") == (w.Dimension == ""):
			c.at(at, "Name one question, or one dimension.")
		case w.Dimension != "" && (!c.seen["dimension "+w.Dimension] || len(w.Choices) > 0 || w.Under == 0):
			c.at(at+"/dimension", "Name a dimension, and say under how many points.")
		case w.Question != "" && !known:
			c.at(at+"/question", "There is no such question.")
		case w.Question != "" && (len(w.Choices) == 0) == (w.Under == 0):
			c.at(at+"/choices", "Say which choices, or under how many points.")
		}
		if known {
			c.chosen(at, r, w.Choices)
		}
	}
}
