package operations

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"time"

	"tiwiza/pkg/id"
	"tiwiza/pkg/job"
	"tiwiza/pkg/money"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pg"
)

// A Handler is what a domain does for one kind of its operations.
type Handler struct {
	// Send makes the call; nil for kinds that are not sent one by one.
	Send func(ctx context.Context, o Operation) outbound.Result
	// Inquire asks the partner about our reference.
	Inquire func(ctx context.Context, o Operation) outbound.Result
	// Moved is told of each change of state, in the transaction that makes it.
	Moved func(ctx context.Context, tx *pg.Tx, o Operation, was State) error
	// Policy is how the kind is treated; zero times take the defaults.
	Policy Policy
}

// Engine runs operations. Handle is called at start, the rest by many
// goroutines.
type Engine struct {
	db       *pg.Store
	handlers map[string]Handler
}

// New makes an engine without kinds.
func New(db *pg.Store) *Engine { return &Engine{db, map[string]Handler{}} }

// Handle registers what is done for a kind.
func (e *Engine) Handle(kind string, h Handler) {
	if h.Policy.Quiet == 0 {
		h.Policy.Quiet = DefaultPolicy.Quiet
	}
	if h.Policy.Lease == 0 {
		h.Policy.Lease = DefaultPolicy.Lease
	}
	if h.Policy.Window == 0 {
		h.Policy.Window = DefaultPolicy.Window
	}
	e.handlers[kind] = h
}

// Intention is a new operation.
type Intention struct {
	Subject, Kind, Connector, Ref string
	Amount                        money.Money
	// State is where it starts: Intent by default; Accepted for a hosted
	// payment page, whose form is all there is to send; Sending for a capture
	// that our answer to a callback orders.
	State State
	// Ask is when to inquire first; zero: by the schedule.
	Ask time.Duration
}

// Intend writes an operation down in the caller's transaction and queues its
// sending. The partner is called after the commit, never inside.
func (e *Engine) Intend(tx *pg.Tx, in Intention) Operation {
	at := tx.Now()
	p := e.handlers[in.Kind].Policy
	sum := sha256.Sum256([]byte(in.Kind + "|" + in.Subject + "|" + in.Ref + "|" + in.Amount.String()))
	o := Operation{
		ID: id.New(id.Operation), Subject: in.Subject, Kind: in.Kind, Connector: in.Connector, Ref: in.Ref,
		Amount: in.Amount.Centimes(), Currency: in.Amount.Currency(), Request: sum[:],
		State: in.State, ResendUntil: at.Add(p.Window), CreatedAt: at, ChangedAt: at,
	}
	if o.State == "" {
		o.State = Intent
	}
	if o.State == Sending || o.State == Accepted {
		o.SentAt, o.LeaseUntil = &at, &at
	}
	insert(tx, o)
	switch {
	case o.State != Intent:
		if in.Ask == 0 {
			in.Ask = NextInquiry(0)
		}
		job.Set(tx, timerInquire, o.ID, at.Add(in.Ask))
	case e.handlers[in.Kind].Send != nil:
		tx.Enqueue(sendJob{o.ID}, &partners)
		job.Set(tx, timerSend, o.ID, at.Add(time.Minute)) // should the job get lost
	}
	return o
}

// Heard records evidence about an operation and moves it, in the caller's
// transaction. The same evidence twice changes nothing; eventID tells it apart
// within the connector ("" is made of its content).
func (e *Engine) Heard(ctx context.Context, tx *pg.Tx, opID string, from Source, r outbound.Result, eventID string) (Operation, error) {
	o, err := lock(ctx, tx, opID)
	if err != nil {
		return o, err
	}
	return e.heard(ctx, tx, o, from, r, eventID)
}

func (e *Engine) heard(ctx context.Context, tx *pg.Tx, o Operation, from Source, r outbound.Result, eventID string) (Operation, error) {
	if eventID == "" {
		h := sha256.New()
		fmt.Fprintf(h, "%s|%s|%s|%s|%d|", o.ID, from, r.Outcome, r.Code, o.Version)
		h.Write(r.Evidence)
		eventID = hex.EncodeToString(h.Sum(nil))
	}
	if r.Outcome != outbound.NotSent { // which proves nothing, and may be said for hours
		fresh, err := keep(ctx, tx, o, from, r, eventID)
		if err != nil || !fresh {
			return o, err
		}
	}
	h := e.handlers[o.Kind]
	return e.move(ctx, tx, o, o.Hear(from, r, tx.Now(), h.Policy))
}

// CameBack records that a confirmed operation's money was returned, as a
// statement shows.
func (e *Engine) CameBack(ctx context.Context, tx *pg.Tx, o Operation, why, eventID string) (Operation, error) {
	fresh, err := keep(ctx, tx, o, Statement, outbound.Result{Outcome: "returned", Text: why}, eventID)
	if err != nil || !fresh || o.State != Confirmed {
		return o, err
	}
	next := o
	next.State, next.Why = Returned, why
	return e.move(ctx, tx, o, next)
}

// move saves what an operation has become, schedules what follows, and tells
// its domain.
func (e *Engine) move(ctx context.Context, tx *pg.Tx, was, o Operation) (Operation, error) {
	o.ChangedAt = tx.Now()
	save(tx, o)
	o.Version++
	h := e.handlers[o.Kind]
	switch {
	case o.Done() || o.State == Review:
		job.Clear(tx, timerInquire, o.ID)
	case o.State == Intent && was.State != Intent && h.Send != nil:
		job.Set(tx, timerSend, o.ID, tx.Now().Add(NextInquiry(o.Inquiries)))
		job.Clear(tx, timerInquire, o.ID)
	case o.State != was.State && o.State != Intent:
		job.Set(tx, timerInquire, o.ID, tx.Now().Add(NextInquiry(o.Inquiries)))
	}
	if o.State == was.State || h.Moved == nil {
		return o, nil
	}
	slog.InfoContext(ctx, "operation moved", "operation", o.ID, "kind", o.Kind, "subject", o.Subject, "our_ref", o.Ref,
		"partner", o.Connector, "from", string(was.State), "to", string(o.State), "why", o.Why)
	return o, h.Moved(ctx, tx, o, was.State)
}

// Depart marks operations of a kind as leaving in a file, and returns them with
// the file. It commits before the file goes out (PAYMENTS.md §4 rule 1). Those
// that left in a file before go again in that same file, ahead of new ones,
// which leave in the fresh one.
func (e *Engine) Depart(ctx context.Context, tx *pg.Tx, connector, kind, fresh string, limit int) (file string, leaving []Operation, err error) {
	ready, err := intents(ctx, tx, connector, kind, limit)
	if err != nil || len(ready) == 0 {
		return "", nil, err
	}
	file = ready[0].File
	for _, o := range ready {
		if o.File != file {
			continue
		}
		next, _ := o.Send(tx.Now(), e.handlers[kind].Policy)
		if next.File == "" {
			next.File = fresh
		}
		if next, err = e.move(ctx, tx, o, next); err != nil {
			return "", nil, err
		}
		leaving = append(leaving, next)
	}
	if file == "" {
		file = fresh
	}
	return file, leaving, nil
}

// Find returns the operation a connector knows by our reference, locked, or
// ErrNotFound.
func (e *Engine) Find(ctx context.Context, tx *pg.Tx, connector, ref string) (Operation, error) {
	return lockByRef(ctx, tx, connector, ref)
}

// Shown says whether a statement has shown an operation as executed before. A
// review of such a one is a contradiction: showing it again ends nothing.
func (e *Engine) Shown(ctx context.Context, db pg.DB, opID string) (bool, error) {
	return shown(ctx, db, opID)
}

// Told says whether the partner has said, by itself, that it took an operation.
func (e *Engine) Told(ctx context.Context, db pg.DB, opID string) (bool, error) {
	return told(ctx, db, opID)
}

// OfFile lists the operations that left in a file.
func (e *Engine) OfFile(ctx context.Context, db pg.DB, file string) ([]Operation, error) {
	return ofFile(ctx, db, file)
}

// Of lists the operations of a subject, oldest first.
func (e *Engine) Of(ctx context.Context, db pg.DB, subject string) ([]Operation, error) {
	return ofSubject(ctx, db, subject)
}

// Waiting says whether operations of a kind wait to be sent.
func (e *Engine) Waiting(ctx context.Context, tx *pg.Tx, connector, kind string) (bool, error) {
	return waiting(ctx, tx, connector, kind)
}
