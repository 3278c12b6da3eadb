package diagnosis_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tiwiza/marketplace/diagnosis"
)

// answerOf draws an answer that a question takes.
func answerOf(t *rapid.T, r diagnosis.QuestionRule) diagnosis.Answer {
	if r.None && rapid.IntRange(0, 3).Draw(t, "none "+r.Code) == 0 {
		return diagnosis.Answer{None: true}
	}
	switch r.Type {
	case diagnosis.YesNo:
		return diagnosis.Answer{Choice: rapid.SampledFrom([]string{"yes", "no"}).Draw(t, r.Code)}
	case diagnosis.Number:
		n := rapid.SampledFrom(r.Bands).Draw(t, r.Code).From
		return diagnosis.Answer{Number: &n}
	case diagnosis.Several:
		chosen := []string{}
		for _, c := range r.Choices {
			if rapid.Bool().Draw(t, r.Code+" "+c.Code) {
				chosen = append(chosen, c.Code)
			}
		}
		return diagnosis.Answer{Choices: chosen}
	}
	return diagnosis.Answer{Choice: rapid.SampledFrom(r.Choices).Draw(t, r.Code).Code}
}

// drawn is a questionnaire with some weights changed, and answers to all of it.
func drawn(t *rapid.T, base diagnosis.Questionnaire) (q diagnosis.Questionnaire, answers map[string]diagnosis.Answer) {
	b, err := json.Marshal(base)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &q); err != nil {
		t.Fatal(err)
	}
	answers = map[string]diagnosis.Answer{}
	for i := range q.Dimensions {
		q.Dimensions[i].Weight = rapid.IntRange(1, 10).Draw(t, "weight of a dimension")
		for j := range q.Dimensions[i].Questions {
			r := &q.Dimensions[i].Questions[j]
			if r.Weight > 0 {
				r.Weight = rapid.IntRange(1, 10).Draw(t, "weight")
			}
			answers[r.Code] = answerOf(t, *r)
		}
	}
	return q, answers
}

// A better answer to one question lowers neither a dimension nor the whole; all points
// are from 0 to 100; the same answers give the same result; advice is of dimensions, so
// many of each at most, and each once.
func TestABetterAnswerNeverLowersAnything(t *testing.T) {
	t.Parallel()
	base := shipped(t)
	rapid.Check(t, func(t *rapid.T) {
		q, answers := drawn(t, base)
		before := q.Score(answers)
		bounds(t, q, before)
		if diff := cmp.Diff(before, q.Score(answers)); diff != "" {
			t.Fatalf("the same answers give another result:\n%s", diff)
		}
		d := rapid.SampledFrom(q.Dimensions).Draw(t, "dimension")
		r := rapid.SampledFrom(d.Questions).Draw(t, "question")
		better := answerOf(t, r)
		if r.Weight == 0 || better.None || answers[r.Code].None || diagnosis.Points(r, better) < diagnosis.Points(r, answers[r.Code]) {
			return
		}
		old := answers[r.Code]
		answers[r.Code] = better
		after := q.Score(answers)
		for i, x := range after.Dimensions {
			if was := before.Dimensions[i].Score; was != nil && (x.Score == nil || *x.Score < *was) {
				t.Fatalf("%s of %s from %+v to %+v lowers %s from %d to %v", r.Code, d.Code, old, better, x.Code, *was, x.Score)
			}
		}
		if after.Score < before.Score {
			t.Fatalf("%s from %+v to %+v lowers the whole from %d to %d", r.Code, old, better, before.Score, after.Score)
		}
	})
}

func bounds(t *rapid.T, q diagnosis.Questionnaire, r diagnosis.Result) {
	levels := []string{}
	for _, l := range q.Levels {
		levels = append(levels, l.Code)
	}
	if r.Score < 0 || r.Score > 100 || !slices.Contains(levels, r.Level) || len(r.Dimensions) != len(q.Dimensions) {
		t.Fatalf("the result is %+v", r)
	}
	for _, d := range r.Dimensions {
		if d.Score != nil && (*d.Score < 0 || *d.Score > 100 || !slices.Contains(levels, d.Level)) {
			t.Fatalf("a dimension is %+v", d)
		}
	}
	of, seen := map[string]int{}, map[string]bool{}
	for _, code := range r.Advice {
		if seen[code] {
			t.Fatalf("%s is advised twice", code)
		}
		seen[code] = true
		for _, a := range q.Advice {
			if a.Code == code {
				of[a.Dimension]++
			}
		}
	}
	for d, n := range of {
		if n > q.Each {
			t.Fatalf("%s is advised on %d times, want at most %d", d, n, q.Each)
		}
	}
}

// A question that does not apply changes nothing: the result is that of a questionnaire
// without it; and what is answered to questions that are not asked changes nothing.
func TestWhatDoesNotApplyChangesNothing(t *testing.T) {
	t.Parallel()
	base := shipped(t)
	rapid.Check(t, func(t *rapid.T) {
		q, answers := drawn(t, base)
		var none []string
		for _, d := range q.Dimensions {
			for _, r := range d.Questions {
				if r.None {
					none = append(none, r.Code)
				}
			}
		}
		gone := rapid.SampledFrom(none).Draw(t, "gone")
		answers[gone] = diagnosis.Answer{None: true}
		with := q.Score(answers)
		for i, d := range q.Dimensions {
			q.Dimensions[i].Questions = slices.DeleteFunc(slices.Clone(d.Questions), func(r diagnosis.QuestionRule) bool { return r.Code == gone })
		}
		if diff := cmp.Diff(with, q.Score(answers)); diff != "" {
			t.Fatalf("%s does not apply and changes the result:\n%s", gone, diff)
		}
		if answers["sold_online"].Choice == "no" {
			before := q.Score(answers)
			n := 20
			answers["orders"] = diagnosis.Answer{Number: &n}
			if diff := cmp.Diff(before, q.Score(answers)); diff != "" {
				t.Fatalf("orders are not asked and change the result:\n%s", diff)
			}
		}
	})
}

// What a question without weight closes, and what follows from one that does not apply,
// is counted out; what a worse answer closes counts no points.
func TestWhatIsNotAskedIsCountedByWhy(t *testing.T) {
	t.Parallel()
	yes, no, none := diagnosis.Answer{Choice: "yes"}, diagnosis.Answer{Choice: "no"}, diagnosis.Answer{None: true}
	for _, c := range []struct {
		weight int
		first  diagnosis.Answer
		want   int
	}{
		{1, yes, 67}, // first and last of three
		{1, no, 33},  // closed: the last of three
		{1, none, 100},
		{0, no, 100},
		{0, yes, 50},
	} {
		q := diagnosis.Questionnaire{Dimensions: []diagnosis.DimensionRule{{Code: "a", Weight: 1, Questions: []diagnosis.QuestionRule{
			{Code: "first", Type: diagnosis.YesNo, Good: "yes", Weight: c.weight, None: true},
			{Code: "second", Type: diagnosis.YesNo, Good: "yes", Weight: 1, When: &diagnosis.WhenRule{Question: "first", Choices: []string{"yes"}}},
			{Code: "last", Type: diagnosis.YesNo, Good: "yes", Weight: 1},
		}}}}
		if got := q.Score(map[string]diagnosis.Answer{"first": c.first, "second": no, "last": yes}).Score; got != c.want {
			t.Errorf("after %+v of weight %d it is %d, want %d", c.first, c.weight, got, c.want)
		}
	}
}

// The rounding rule, by hand: points of a dimension are its questions' weighted mean, a
// half upwards; the whole is the mean of the rounded ones.
func TestPointsAreRoundedAHalfUpwards(t *testing.T) {
	t.Parallel()
	one := func(code string, weight int) diagnosis.QuestionRule {
		return diagnosis.QuestionRule{Code: code, Type: diagnosis.YesNo, Good: "yes", Weight: weight}
	}
	q := diagnosis.Questionnaire{
		Levels: []diagnosis.LevelRule{{Code: "low", From: 0}, {Code: "high", From: 38}},
		Dimensions: []diagnosis.DimensionRule{
			{Code: "a", Weight: 1, Questions: []diagnosis.QuestionRule{one("a1", 1), one("a2", 7)}}, // 12.5
			{Code: "b", Weight: 1, Questions: []diagnosis.QuestionRule{one("b1", 5), one("b2", 3)}}, // 62.5
		},
	}
	yes, no := diagnosis.Answer{Choice: "yes"}, diagnosis.Answer{Choice: "no"}
	r := q.Score(map[string]diagnosis.Answer{"a1": yes, "a2": no, "b1": yes, "b2": no})
	if *r.Dimensions[0].Score != 13 || *r.Dimensions[1].Score != 63 || r.Score != 38 || r.Level != "high" || r.Dimensions[0].Level != "low" {
		t.Errorf("the result is %d %s, dimensions %d and %d; want 38 high, 13 and 63", r.Score, r.Level, *r.Dimensions[0].Score, *r.Dimensions[1].Score)
	}
}

// Advice comes by its priority, then in the order of the dimensions, two of each.
func TestAdviceComesInItsOrder(t *testing.T) {
	t.Parallel()
	q := shipped(t)
	answers := map[string]diagnosis.Answer{}
	for code, a := range given(q, false) {
		b, err := json.Marshal(a)
		must(t, err)
		var x diagnosis.Answer
		must(t, json.Unmarshal(b, &x))
		answers[code] = x
	}
	want := []string{"first_photo", "own_account", "one_phone", "secret_codes", "lock_phone", "first_sale", "write_money", "count_stock", "reply_soon", "make_good", "learn"}
	got := q.Score(answers)
	if got.Score != 0 || got.Level != "start" {
		t.Errorf("the worst answers give %d %s, want 0 start", got.Score, got.Level)
	}
	if diff := cmp.Diff(want, got.Advice); diff != "" {
		t.Errorf("advice (-want +got):\n%s", diff)
	}
}

// What comes with the hub is meant for people who read little.
func TestTheShippedQuestionsAreShort(t *testing.T) {
	t.Parallel()
	q, n := shipped(t), 0
	for _, d := range q.Dimensions {
		for _, r := range d.Questions {
			n++
			for lang, text := range r.Texts {
				if words := len(strings.Fields(text)); words > 14 || strings.Count(text, "?")+strings.Count(text, "؟") != 1 {
					t.Errorf("%s in %s asks %q", r.Code, lang, text)
				}
			}
		}
	}
	if n != 24 {
		t.Errorf("%d questions are asked, want 24", n)
	}
}
