package operations

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"tiwiza/payments/approvals"
	"tiwiza/pkg/clock"
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
	// Inquire asks the partner about our reference. Without it an operation whose
	// outcome is not known waits for a statement, or for people.
	Inquire func(ctx context.Context, o Operation) outbound.Result
	// Moved is told of each change of state, in the transaction that makes it.
	Moved func(ctx context.Context, tx *pg.Tx, o Operation, was State) error
	// Out says that money leaves us by it: nothing of the kind is sent while
	// payments are halted.
	Out bool
	// Contradicted is told, in the transaction that finds it, that o had ended
	// (was) and that evidence at least as strong says the opposite. The domain
	// books what makes that right and stops what hangs on it; o keeps its state.
	Contradicted func(ctx context.Context, tx *pg.Tx, o Operation, was State) error
	// Hosted says that such an operation is accepted once the buyer has its page,
	// and takes money by our word only, which is an operation of its own.
	Hosted bool
	// Policy is how the kind is treated; zero times take the defaults.
	Policy Policy
}

// Engine runs operations. Handle and Reviewed are called at start, the rest by
// many goroutines.
type Engine struct {
	db        *pg.Store
	handlers  map[string]Handler
	approvals *approvals.Service
	halted    func(ctx context.Context, db pg.DB) (bool, error) // nil: nothing ever is
	queues    map[string]bool                                   // connectors whose jobs wait in queues of their own
}

// New makes an engine without kinds.
func New(db *pg.Store) *Engine { return &Engine{db: db, handlers: map[string]Handler{}} }

// Handle registers what is done for a kind. It panics when the kind could be
// executed twice, or its outcome never be known.
func (e *Engine) Handle(kind string, h Handler) {
	h.Policy = h.Policy.Or(DefaultPolicy)
	if err := h.Policy.Check(); err != nil {
		panic("operations: " + kind + ": " + err.Error())
	}
	if h.Policy.Resend && h.Inquire == nil {
		panic("operations: " + kind + " is sent again without being asked about")
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
	o := e.intended(in, at)
	insert(tx, o)
	switch {
	case o.State != Intent:
		if in.Ask == 0 {
			in.Ask = NextInquiry(0)
		}
		job.Set(tx, timerInquire, o.ID, at.Add(in.Ask))
	case e.handlers[in.Kind].Send != nil:
		tx.Enqueue(sendJob{o.ID}, e.Queue(o.Connector))
		job.Set(tx, timerSend, o.ID, at.Add(time.Minute)) // should the job get lost
	}
	return o
}

// IntendAll is Intend of many that leave in files: they wait for Depart.
func (e *Engine) IntendAll(tx *pg.Tx, all []Intention) {
	ops := make([]Operation, len(all))
	for i, in := range all {
		ops[i] = e.intended(in, tx.Now())
	}
	insertIntents(tx, ops)
}

// intended is the operation that an intention begins.
func (e *Engine) intended(in Intention, at time.Time) Operation {
	p := e.handlers[in.Kind].Policy.Or(DefaultPolicy)
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
		o.Tries, o.Gone, o.FirstSentAt, o.SentAt, o.LeaseUntil = 1, 1, &at, &at, &at
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
	return e.heard(ctx, tx, o, word{o.Tries, from, r, eventID, tx.Now()})
}

// AskNow has the partner asked about an operation at once, if its end is still to
// come: somebody has said that there is something to hear.
func (e *Engine) AskNow(tx *pg.Tx, o Operation) {
	if !o.Done() && o.State != Intent && o.State != Review {
		job.Set(tx, timerInquire, o.ID, tx.Now())
	}
}

// A word is one piece of evidence: about which try, from whom, and at what time
// it was true.
type word struct {
	try     int
	from    Source
	said    outbound.Result
	eventID string
	at      time.Time
}

func (e *Engine) heard(ctx context.Context, tx *pg.Tx, o Operation, w word) (Operation, error) {
	if w.eventID == "" {
		h := sha256.New()
		fmt.Fprintf(h, "%s|%s|%s|%s|%d|", o.ID, w.from, w.said.Outcome, w.said.Code, o.Version)
		h.Write(w.said.Evidence)
		w.eventID = hex.EncodeToString(h.Sum(nil))
	}
	if w.said.Outcome != outbound.NotSent { // which proves nothing, and may be said for hours
		fresh, err := keep(ctx, tx, o, w.from, w.said, w.eventID)
		if err != nil || !fresh {
			return o, err
		}
	}
	p := e.handlers[o.Kind].Policy
	if w.said.Outcome == outbound.NotFound {
		var err error
		if p, err = e.proved(ctx, tx, o, p); err != nil {
			return o, err
		}
	}
	next := o.HearOf(w.try, w.from, w.said, w.at, p)
	next, err := e.move(ctx, tx, o, next)
	if err != nil {
		return next, err
	}
	if next.State == Intent && o.State != Intent && e.handlers[o.Kind].Send != nil && w.said.RetryAfter > next.NextTry() {
		job.Set(tx, timerSend, o.ID, tx.Now().Add(w.said.RetryAfter)) // as late as the partner asks
	}
	if w.from == Inquiry && w.said.RetryAfter > 0 && !next.Done() && next.State != Intent && next.State != Review {
		job.Set(tx, timerInquire, o.ID, clock.Later(next.NextLook(tx.Now()), tx.Now().Add(w.said.RetryAfter)))
	}
	return next, nil
}

// CameBack records that an operation's money was returned, as a statement shows:
// of one that was confirmed, or that was paid after it was refused.
func (e *Engine) CameBack(ctx context.Context, tx *pg.Tx, o Operation, why, eventID string) (Operation, error) {
	fresh, err := keep(ctx, tx, o, Statement, outbound.Result{Outcome: "returned", Text: why}, eventID)
	next, ok := o.Return(why)
	if err != nil || !fresh || !ok {
		return o, err
	}
	return e.move(ctx, tx, o, next)
}

// Depart marks operations of some kinds as leaving in a file, and returns them
// with the file. It commits before the file goes out, and Call sends it. Those
// that left in a file before go again in that same file, ahead of new ones,
// which leave in the fresh one. While payments are halted none leaves:
// ErrHalted.
func (e *Engine) Depart(ctx context.Context, tx *pg.Tx, connector string, kinds []string, fresh string, limit int) (file string, leaving []Operation, err error) {
	ready, err := intents(ctx, tx, connector, kinds, limit)
	if err != nil || len(ready) == 0 {
		return "", nil, err
	}
	file = ready[0].File
	for _, o := range ready {
		if o.File != file {
			continue
		}
		next, ours, err := e.take(ctx, tx, o)
		if err != nil {
			return "", nil, err
		}
		if next.File == "" {
			next.File = fresh
		}
		if next, err = e.move(ctx, tx, o, next); err != nil {
			return "", nil, err
		}
		if ours {
			leaving = append(leaving, next)
		}
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

// Shown says whether a statement has shown an operation as executed before.
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

// Waiting says whether operations of some kinds have waited to be sent since a
// time or longer.
func (e *Engine) Waiting(ctx context.Context, tx *pg.Tx, connector string, since time.Time, kinds ...string) (bool, error) {
	return waiting(ctx, tx, connector, since, kinds)
}
