package procedures

import (
	"context"
	"time"

	"tiwiza/marketplace/members"
	"tiwiza/pkg/event"
	"tiwiza/pkg/pg"
)

// CaseMoved says that something happened to a case that was handed in.
type CaseMoved struct {
	Case        string        `json:"case"`
	Procedure   string        `json:"procedure"`
	Code        string        `json:"code"`
	Names       members.Texts `json:"names"`
	Move        Move          `json:"move"`
	State       State         `json:"state"`
	Institution string        `json:"institution"`
	Holder      string        `json:"holder"`
	Desk        string        `json:"desk,omitempty"` // which institution is to act
	Applicant   string        `json:"applicant"`
	By          string        `json:"by"` // applicant, institution or hub
	Due         *time.Time    `json:"due,omitempty"`
	SubmittedAt *time.Time    `json:"submitted_at,omitempty"` // left out: it was never handed in
	Version     int           `json:"version"`
}

// hear are who hears of a move: of what was never handed in its applicant alone.
func (e CaseMoved) hear() map[string]CaseMoved {
	out := map[string]CaseMoved{e.Applicant: e}
	if e.SubmittedAt != nil {
		out[e.Institution], out[e.Holder] = e, e
	}
	if e.Desk != "" {
		out[e.Desk] = e
	}
	return out
}

// EventType names the event.
func (CaseMoved) EventType() string { return "procedures.case_moved" }

// Subject is the case.
func (e CaseMoved) Subject() string { return e.Case }

// CaseDue says that a term of a case draws near, or is over.
type CaseDue struct {
	Case      string        `json:"case"`
	Names     members.Texts `json:"names"`
	State     State         `json:"state"`
	Desk      string        `json:"desk,omitempty"` // the institution that is to act; "" the applicant
	Applicant string        `json:"applicant"`
	Due       time.Time     `json:"due"`
	Overdue   bool          `json:"overdue"`
}

// EventType names the event.
func (CaseDue) EventType() string { return "procedures.case_due" }

// Subject is the case.
func (e CaseDue) Subject() string { return e.Case }

// DocumentRevoked says that a document was taken back before its time.
type DocumentRevoked struct {
	Document    string        `json:"document"`
	Number      string        `json:"number"`
	Case        string        `json:"case"`
	Institution string        `json:"institution"`
	Holder      string        `json:"holder"`
	Names       members.Texts `json:"names"`
	Reason      string        `json:"reason"`
}

// EventType names the event.
func (DocumentRevoked) EventType() string { return "procedures.document_revoked" }

// Subject is the document.
func (e DocumentRevoked) Subject() string { return e.Document }

// ProcedureMoved says that a version of a procedure was published or retired.
type ProcedureMoved struct {
	Procedure   string `json:"procedure"`
	Version     int    `json:"version"`
	Code        string `json:"code"`
	Institution string `json:"institution"`
	State       string `json:"state"`
}

// EventType names the event.
func (ProcedureMoved) EventType() string { return "procedures.procedure_moved" }

// Subject is the procedure.
func (e ProcedureMoved) Subject() string { return e.Procedure }

// Tell publishes what applicants and institutions hear of cases; an institution's
// own system hears it by its webhooks.
func Tell(bus *event.Bus) {
	event.Tell(bus, 1, "A case was handed in, moved on, decided or ended.", func(_ context.Context, _ *pg.Tx, e CaseMoved) (map[string]CaseMoved, error) {
		return e.hear(), nil
	})
	event.Tell(bus, 1, "A term of a case draws near, or is over.", func(_ context.Context, _ *pg.Tx, e CaseDue) (map[string]CaseDue, error) {
		if e.Desk != "" {
			return map[string]CaseDue{e.Desk: e}, nil
		}
		return map[string]CaseDue{e.Applicant: e}, nil
	})
	event.Tell(bus, 1, "A document of an institution was taken back before its time.", func(_ context.Context, _ *pg.Tx, e DocumentRevoked) (map[string]DocumentRevoked, error) {
		return map[string]DocumentRevoked{e.Holder: e, e.Institution: e}, nil
	})
	event.Tell(bus, 1, "A version of an institution's procedure was published or retired.", func(_ context.Context, _ *pg.Tx, e ProcedureMoved) (map[string]ProcedureMoved, error) {
		return map[string]ProcedureMoved{e.Institution: e}, nil
	})
}
