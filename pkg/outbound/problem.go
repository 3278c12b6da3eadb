package outbound

import (
	"slices"
	"strings"

	"tiwiza/pkg/strict"
)

// Problem is an error as a partner of our own protocols answers it (RFC 9457):
// code decides, the rest is for people.
type Problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Code   string `json:"code"`
	Detail string `json:"detail"`
	Reason string `json:"reason"` // of a refusal: the partner's own word
}

// ProblemOf reads an answer that is no success; without a code there is none.
func ProblemOf(a Answer) (p Problem) {
	kind, _, _ := strings.Cut(a.Header.Get("Content-Type"), ";")
	if strings.TrimSpace(kind) != "application/problem+json" || strict.Object(a.Body, &p) != nil || p.Status != 0 && p.Status != a.Status {
		return Problem{}
	}
	p.Code, p.Detail, p.Reason = Cut(p.Code, 64), Cut(p.Detail, 200), Cut(p.Reason, 64)
	return p
}

// Cut shortens a text of a partner to at most so many bytes.
func Cut(s string, most int) string {
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "")
	}
	return s
}

// Refused is what an answer without success means by its code, at a partner of our
// own protocols. Final are the codes by which it refuses for good, with the status
// that each comes with; absent are those by which it says that it knows no such
// thing. Any other code leaves open what happened.
func Refused(a Answer, r Result, final map[string]int, absent ...string) Result {
	p := ProblemOf(a)
	switch {
	case p.Code == "" || r.Outcome == NotSent:
		return r
	case final[p.Code] == a.Status:
		code := p.Reason
		if code == "" {
			code = p.Code
		}
		return Result{Outcome: Declined, Code: code, Text: p.Detail, Evidence: r.Evidence}
	case a.Status == 404 && slices.Contains(absent, p.Code):
		return Result{Outcome: NotFound, Code: p.Code, Text: p.Detail, Evidence: r.Evidence}
	case p.Code == "idempotency_conflict" && r.Reason == "":
		r.Reason = Differs
	}
	r.Code, r.Text = p.Code, p.Detail
	return r
}
