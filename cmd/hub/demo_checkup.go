package main

import (
	"context"
	"net/http"

	"tiwiza/marketplace/diagnosis"
)

// checkUpNow is a diagnostic, as a run looks at it.
type checkUpNow struct {
	ID        string
	Questions []diagnosis.QuestionView
	Score     int
	Level     string
	Advice    []diagnosis.AdviceView
}

// isCheckedUp has the newcomer asked, by the agent who acts for it, how far it has come
// with selling online; what came out it puts into its dossier itself.
func (n *joiner) isCheckedUp(ctx context.Context) error {
	const code = "numerique"
	var of diagnosis.EditionView
	if err := n.get(ctx, n.person, "/v1/questionnaires/"+code, &of); err != nil {
		return err
	}
	rules := map[string]diagnosis.QuestionRule{}
	for _, d := range of.Questionnaire.Dimensions {
		for _, r := range d.Questions {
			rules[r.Code] = r
		}
	}
	var run checkUpNow
	if err := n.commit(ctx, n.agent, "/v1/diagnostics", map[string]string{"questionnaire": code, "channel": "counter"}, &run); err != nil {
		return err
	}
	asked := 0
	for next := unanswered(run); next != ""; next = unanswered(run) {
		run = checkUpNow{ID: run.ID}
		if _, err := n.do(ctx, call{key: n.agent, method: http.MethodPut, path: "/v1/diagnostics/" + run.ID + "/answers/" + next, body: middling(rules[next])}, &run); err != nil {
			return err
		}
		asked++
	}
	n.step("the agent asks %d short questions, and saves each answer", asked)
	if err := n.commit(ctx, n.person, "/v1/diagnostics/"+run.ID+"/finish", nil, &run); err != nil {
		return err
	}
	n.step("it has %d points of 100, «%s»", run.Score, run.Level)
	if len(run.Advice) > 0 {
		n.step("what to do first: «%s»", run.Advice[0].Texts["fr"])
	}
	n.score = run.Score
	if err := n.commit(ctx, n.person, "/v1/diagnostics/"+run.ID+"/share", nil, nil); err != nil {
		return err
	}
	n.step("it puts the result into its dossier, where nobody sees it without its consent")
	return nil
}

// unanswered is the first question that is asked and has no answer; "" when all have.
func unanswered(run checkUpNow) string {
	for _, q := range run.Questions {
		if !q.Answered && !q.Waiting {
			return q.Code
		}
	}
	return ""
}

// middling is an answer that is neither the best nor the worst, where there is one.
func middling(r diagnosis.QuestionRule) map[string]any {
	switch r.Type {
	case diagnosis.Number:
		return map[string]any{"number": r.Bands[len(r.Bands)/2].From}
	case diagnosis.Several:
		return map[string]any{"choices": []string{r.Choices[0].Code}}
	case diagnosis.YesNo:
		return map[string]any{"choice": "yes"}
	}
	return map[string]any{"choice": r.Choices[len(r.Choices)/2].Code}
}
