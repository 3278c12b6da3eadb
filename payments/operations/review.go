package operations

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"tiwiza/payments/approvals"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pg"
)

// kindReview names the approvals of reviews.
const kindReview = "operations.review"

// Reviewed gives the engine the second person. It is called at start.
func (e *Engine) Reviewed(by *approvals.Service) {
	e.approvals = by
	by.Handle(kindReview, e.decided)
}

// A Finding is what one person says came of an operation, and the evidence for
// it: what it is, where it is kept, and the hash of the document.
type Finding struct {
	Hash      []byte
	Operation string
	Version   int64
	Decision  State // Confirmed or Rejected
	Evidence  string
	Reference string
	SHA256    string `db:"sha256"`
	By        string
	At        time.Time
}

// Sum stands for exactly what the second person approves: the operation as it
// is, what is decided, and on which evidence.
func (f Finding) Sum() []byte {
	h := sha256.New()
	fmt.Fprintf(h, "%q %d %q %q %q %q", f.Operation, f.Version, f.Decision, f.Evidence, f.Reference, f.SHA256)
	return h.Sum(nil)
}

// Reviewable says whether people may decide on an operation: always when it is
// theirs to review, and when they were called to one that does not resolve
// itself.
func (o Operation) Reviewable() bool {
	return o.State == Review || o.Paged > 0 && (o.State == Unknown || o.State == Accepted)
}

// ReviewInput is what one person says came of an operation.
type ReviewInput struct {
	Operation string `path:"op"`
	Decision  string `json:"decision" required:"true" enum:"confirmed,rejected" description:"Whether the partner moved the money."`
	Evidence  string `json:"evidence" required:"true" minLength:"10" maxLength:"2000" description:"What proves it, for the second person to check."`
	Reference string `json:"reference,omitempty" maxLength:"200" description:"Where the evidence is kept: the number of a statement, a letter, a ticket."`
	SHA256    string `json:"sha256,omitempty" pattern:"^[0-9a-f]{64}$" description:"The hash of the document."`
}

// ReviewView is a review that waits for the second person.
type ReviewView struct {
	Approval  string          `json:"approval" required:"true" description:"What the second person approves: POST /v1/approvals/{id}."`
	State     approvals.State `json:"state" required:"true" enum:"open,approved,refused,void"`
	Operation View            `json:"operation" required:"true"`
}

// Review asks for a second person's word on what came of an operation that
// does not resolve itself. Nothing moves before it is given. The operator's
// people call it.
func (e *Engine) Review(ctx context.Context, tx *pg.Tx, in ReviewInput) (ReviewView, error) {
	o, err := lock(ctx, tx, in.Operation)
	if err != nil {
		return ReviewView{}, err
	}
	if !o.Reviewable() {
		return ReviewView{}, ErrState.Say("This operation is %s: people do not decide on it now.", o.State)
	}
	f := Finding{
		Operation: o.ID, Version: o.Version, Decision: State(in.Decision), Evidence: in.Evidence, Reference: in.Reference,
		SHA256: in.SHA256, By: auth.From(ctx).Person(), At: tx.Now(),
	}
	f.Hash = f.Sum()
	insertFinding(tx, f)
	amount := o.Money()
	r, err := e.approvals.Ask(ctx, tx, approvals.Ask{
		Kind: kindReview, Subject: o.ID, Hash: f.Hash, Amount: &amount,
		Why:      takenAs.Of(o.Kind, o.Ref, o.Connector, o.State, f.Decision),
		Evidence: join(f.Evidence, join(bracket("kept as", f.Reference), bracket("sha256", f.SHA256))),
	})
	if err != nil {
		return ReviewView{}, err
	}
	audit.Record(tx, "operations.review", o.ID, "operations.operator", map[string]any{
		"decision": f.Decision, "evidence": f.Evidence, "reference": f.Reference, "sha256": f.SHA256, "version": f.Version,
	})
	return ReviewView{r.ID, r.State, o.view(tx.Now())}, nil
}

func bracket(name, s string) string {
	if s == "" {
		return ""
	}
	return "(" + name + " " + s + ")"
}

// decided carries out what two people have agreed on, in the commit of the
// second one's word. What has moved since must be looked at anew.
func (e *Engine) decided(ctx context.Context, tx *pg.Tx, r approvals.Request) error {
	if r.State != approvals.Approved {
		return nil
	}
	o, err := lock(ctx, tx, r.Subject)
	if err != nil {
		return err
	}
	f, err := findingOf(ctx, tx, r.Hash)
	if err != nil {
		return err
	}
	if f.Operation != o.ID || f.Version != o.Version || string(f.Sum()) != string(r.Hash) || !o.Reviewable() {
		return approvals.ErrChanged
	}
	said := outbound.Result{Outcome: outbound.Declined, Text: f.Evidence, Evidence: fmt.Appendf(nil, "%s\n%s\n%s", f.Evidence, f.Reference, f.SHA256)}
	if f.Decision == Confirmed {
		said.Outcome = outbound.Succeeded
	}
	_, err = e.heard(ctx, tx, o, word{o.Tries, Person, said, "review " + r.ID, tx.Now()})
	return err
}
