package approvals

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/id"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

// Service keeps what waits for people. Handle is called at start, the rest by
// many goroutines.
type Service struct {
	db       *pg.Store
	handlers map[string]func(ctx context.Context, tx *pg.Tx, r Request) error
}

// New makes a service without kinds.
func New(db *pg.Store) *Service {
	return &Service{db, map[string]func(context.Context, *pg.Tx, Request) error{}}
}

// Handle registers what follows the end of a kind of request: h is called in
// the transaction of the decision, with r Approved or Refused. It must check
// that what it is about still has r.Hash, and answer ErrChanged if not; its
// error undoes the decision.
func (s *Service) Handle(kind string, h func(ctx context.Context, tx *pg.Tx, r Request) error) {
	s.handlers[kind] = h
}

// Ask is what shall be approved: Hash stands for exactly that, Why and Evidence
// are for the people who decide.
type Ask struct {
	Kind, Subject string
	Hash          []byte
	Amount        *money.Money
	Why, Evidence string
}

// Ask writes down, as part of the caller's unit of work, that a decision is
// needed. The principal of ctx is the one who asks: one other person decides,
// or two different ones when the hub itself asks; whoever made the key that asks
// is not another. Asking for the same again
// answers the request that waits; asking for something else makes that void.
func (s *Service) Ask(ctx context.Context, tx *pg.Tx, a Ask) (Request, error) {
	if s.handlers[a.Kind] == nil {
		return Request{}, fmt.Errorf("nobody handles approvals of kind %q", a.Kind)
	}
	open, err := lockOpen(ctx, tx, a.Kind, a.Subject)
	switch {
	case err == nil && bytes.Equal(open.Hash, a.Hash):
		return open, nil
	case err == nil:
		s.void(tx, open)
	case !errors.Is(err, ErrNotFound):
		return Request{}, err
	}
	who := auth.From(ctx)
	r := Request{
		ID: id.New(id.Approval), Kind: a.Kind, Subject: a.Subject, Hash: a.Hash, Why: a.Why, Evidence: a.Evidence,
		AskedBy: who.Person(), Behind: who.Behind, Needs: 1, State: Open, AskedAt: tx.Now(),
	}
	if who.Role == auth.System {
		r.Needs = 2
	}
	if a.Amount != nil {
		c := a.Amount.Centimes()
		r.Amount, r.Currency = &c, a.Amount.Currency()
	}
	insert(tx, r)
	return r, tx.Publish(ctx, Asked{r.ID, r.Kind, r.Subject})
}

// Void ends what waits about a subject, if anything does, without a decision.
func (s *Service) Void(ctx context.Context, tx *pg.Tx, kind, subject string) error {
	open, err := lockOpen(ctx, tx, kind, subject)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err == nil {
		s.void(tx, open)
	}
	return err
}

func (s *Service) void(tx *pg.Tx, r Request) {
	at := tx.Now()
	r.State, r.EndedAt = Void, &at
	save(tx, r)
}

// DecideInput is one person's word.
type DecideInput struct {
	Approval string `path:"approval"`
	Decision string `json:"decision" required:"true" enum:"approve,refuse"`
	Note     string `json:"note,omitempty" maxLength:"1000" description:"Why, for those who read it later."`
}

// Decide takes in a person's word on a request, and carries out what follows
// once enough have spoken. The operator's people call it; the one who asked may
// only refuse.
func (s *Service) Decide(ctx context.Context, tx *pg.Tx, in DecideInput) (View, error) {
	r, err := lock(ctx, tx, in.Approval)
	if err != nil {
		return View{}, err
	}
	r, err = s.vote(ctx, tx, r, in.Decision == "approve", in.Note)
	return r.view(), err
}

// Approve is Decide for a kind that has a route of its own.
func (s *Service) Approve(ctx context.Context, tx *pg.Tx, kind, subject, note string) (Request, error) {
	r, err := lockOpen(ctx, tx, kind, subject)
	if err != nil {
		return r, err
	}
	return s.vote(ctx, tx, r, true, note)
}

func (s *Service) vote(ctx context.Context, tx *pg.Tx, r Request, approve bool, note string) (Request, error) {
	by := auth.From(ctx).Person()
	next, err := r.Vote(by, approve, tx.Now())
	if err != nil {
		return r, err
	}
	if !r.asks(by) { // taking back what one asked for is no vote
		insertVote(tx, next, by, approve, note)
	}
	save(tx, next)
	audit.Record(tx, "approvals.decide", r.ID, "approvals.operator", map[string]any{
		"kind": r.Kind, "subject": r.Subject, "asked_by": r.AskedBy, "behind": r.Behind, "approve": approve, "state": next.State,
	})
	if next.State == Open {
		return next, nil
	}
	if err := s.handlers[r.Kind](ctx, tx, next); err != nil {
		return r, err
	}
	return next, tx.Publish(ctx, Decided{r.ID, r.Kind, r.Subject, next.State})
}

// Of is the newest request of a kind about a subject, or ErrNotFound.
func (s *Service) Of(ctx context.Context, db pg.DB, kind, subject string) (Request, error) {
	return newest(ctx, db, kind, subject)
}

// Waiting is how many requests wait for a second person, counted up to 100.
func (s *Service) Waiting(ctx context.Context, db pg.DB) (int, error) { return waiting(ctx, db) }
