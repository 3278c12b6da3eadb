package files

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"tiwiza/adapters/bank"
	"tiwiza/payments/operations"
	"tiwiza/pkg/id"
	"tiwiza/pkg/job"
	"tiwiza/pkg/money"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pg"
)

// A Kind is what a domain does for one kind of its operations that leave in
// files.
type Kind struct {
	// From is the account it is paid from; zero: the safeguard account.
	From Side
	// Pay makes the instruction for a subject. Its reference and amount are the
	// operation's: what is left out is filled in, what differs is refused.
	Pay func(ctx context.Context, db pg.DB, subject string) (bank.Transfer, error)
	// Moved is told of each change of state, in the transaction that makes it.
	Moved func(ctx context.Context, tx *pg.Tx, o operations.Operation, was operations.State) error
	// Contradicted is told that a statement says the opposite of how an operation
	// ended; it books what makes that right.
	Contradicted func(ctx context.Context, tx *pg.Tx, o operations.Operation, was operations.State) error
}

// Service makes files and sends them. Handle is called at start, the rest by
// many goroutines.
type Service struct {
	db     *pg.Store
	ops    *operations.Engine
	houses []*office
	kinds  map[string]Kind
	more   Plugged  // nil: there are no other banks
	rooms  sync.Map // of the plugged ones: name → *office, for its failures
}

// office is a house and how sending to it goes.
type office struct {
	House
	failures *atomic.Int32 // files in a row that did not leave
}

// New makes a service over the houses; one without a bank is none.
func New(db *pg.Store, ops *operations.Engine, houses ...House) *Service {
	s := &Service{db: db, ops: ops, kinds: map[string]Kind{}}
	for _, h := range houses {
		if h.Bank != nil {
			s.houses = append(s.houses, &office{h, new(atomic.Int32)})
		}
	}
	return s
}

// Handle registers a kind, here and with the engine.
//
// A file is known by its name and bytes, and the bank refuses a second one for a
// day: what is surely absent may go out again until then, at banks that have
// proved it.
func (s *Service) Handle(kind string, k Kind) {
	if k.From == "" {
		k.From = Safeguard
	}
	s.kinds[kind] = k
	s.ops.Handle(kind, operations.Handler{
		Inquire: s.inquire, Out: true, Contradicted: k.Contradicted, Policy: operations.Policy{Resend: true, Window: 20 * time.Hour},
		Moved: func(ctx context.Context, tx *pg.Tx, o operations.Operation, was operations.State) error {
			if o.State == operations.Intent { // it never left, or is surely absent: its file goes again
				s.wake(tx, o.Connector)
			}
			return k.Moved(ctx, tx, o, was)
		},
	})
}

// Intend writes an operation down in the caller's transaction; the next file to
// its bank takes it.
func (s *Service) Intend(tx *pg.Tx, in operations.Intention) operations.Operation {
	o := s.ops.Intend(tx, in)
	s.wake(tx, in.Connector)
	return o
}

// IntendAll is Intend of many for one bank.
func (s *Service) IntendAll(tx *pg.Tx, connector string, all []operations.Intention) {
	if len(all) > 0 {
		s.ops.IntendAll(tx, all)
		s.wake(tx, connector)
	}
}

// Plug has files go to banks that come and go. It is called at start.
func (s *Service) Plug(more Plugged) { s.more = more }

// Houses are the banks that files always go to.
func (s *Service) Houses() []House {
	out := make([]House, len(s.houses))
	for i, o := range s.houses {
		out[i] = o.House
	}
	return out
}

// House is the named bank; "" is the one that payouts leave from: a plugged one,
// or the first.
func (s *Service) House(ctx context.Context, db pg.DB, name string) (House, bool, error) {
	o, err := s.office(ctx, db, name)
	if o == nil || err != nil {
		return House{}, false, err
	}
	return o.House, true, nil
}

// office is nil when there is no such bank.
func (s *Service) office(ctx context.Context, db pg.DB, name string) (*office, error) {
	if o := s.built(name); o != nil && name != "" {
		return o, nil
	}
	if s.more != nil {
		h, ok, err := s.more.House(ctx, db, name)
		if err != nil {
			return nil, err
		}
		if ok {
			failures, _ := s.rooms.LoadOrStore(h.Bank.ID(), new(atomic.Int32))
			return &office{h, failures.(*atomic.Int32)}, nil
		}
	}
	return s.built(name), nil
}

// built is a bank that is always there; "" is the first.
func (s *Service) built(name string) *office {
	for _, o := range s.houses {
		if name == "" || o.Bank.ID() == name {
			return o
		}
	}
	return nil
}

// wake sees to it that a file leaves.
func (s *Service) wake(tx *pg.Tx, name string) {
	var t Timetable // plugged banks take files at any time
	if o := s.built(name); o != nil {
		t = o.Times
	}
	job.SetOnce(tx, timerDispatch, name, t.Leaves(tx.Now()))
}

// of are the kinds that are paid from a side, in order.
func (s *Service) of(side Side) (kinds []string) {
	for name, k := range s.kinds {
		if k.From == side {
			kinds = append(kinds, name)
		}
	}
	slices.Sort(kinds)
	return kinds
}

// errIdle says that there is nothing to send, and errBarred that it may not leave
// now.
var (
	errIdle   = errors.New("nothing to send")
	errBarred = errors.New("nothing may leave for this bank")
)

// Dispatch sends what waits for a bank: files that were made and never reached
// it again with their own bytes, then all that is intended, in one new file an
// account. The file and its operations, as being sent, commit before the bank
// is called; a hub that dies in between leaves operations whose lease makes
// them unknown, and an inquiry that looks for the file.
func (s *Service) Dispatch(ctx context.Context, name string) error {
	o, err := s.office(ctx, s.db, name)
	if err != nil {
		return err
	}
	if o == nil {
		return job.Cancel(fmt.Errorf("there is no bank %q", name))
	}
	var left error
	for _, side := range []Side{Safeguard, Operating} { // one that fails keeps the other not
		if kinds := s.of(side); len(kinds) > 0 {
			left = errors.Join(left, s.dispatch(ctx, name, side, kinds))
		}
	}
	return left
}

func (s *Service) dispatch(ctx context.Context, name string, side Side, kinds []string) error {
	for {
		var o *office
		var f bank.File
		var ops []operations.Operation
		err := s.db.InTx(ctx, func(tx *pg.Tx) (err error) {
			o, err = s.office(ctx, tx, name)
			switch {
			case err != nil:
				return err
			case o == nil:
				return errIdle
			case o.Barred != "":
				return errBarred
			}
			f, ops, err = s.pack(ctx, tx, o, side, kinds)
			return err
		})
		switch {
		case errors.Is(err, errIdle):
			return nil
		case errors.Is(err, errBarred):
			slog.WarnContext(ctx, "nothing leaves for a bank", "partner", name, "why", o.Barred)
			return s.later(ctx, o, haltedWait)
		case errors.Is(err, operations.ErrHalted):
			return s.later(ctx, o, haltedWait)
		case err != nil:
			return err
		case len(ops) == 0: // all of them were refused
			continue
		}
		r, err := s.ops.Call(ctx, ops, func(ctx context.Context) outbound.Result { return o.Bank.Publish(ctx, f) })
		if err != nil {
			return err
		}
		slog.InfoContext(ctx, "payment file", "partner", o.Bank.ID(), "file", f.Name, "payments", len(ops), "outcome", string(r.Outcome), "why", r.Text)
		if r.Outcome != outbound.NotSent {
			o.failures.Store(0)
			continue
		}
		// Not now: later, and later each time, as late as the bank asks.
		return s.later(ctx, o, max(r.RetryAfter, min(5*time.Second<<min(o.failures.Add(1)-1, 6), 5*time.Minute)))
	}
}

// pack makes the next file of an account.
func (s *Service) pack(ctx context.Context, tx *pg.Tx, o *office, side Side, kinds []string) (bank.File, []operations.Operation, error) {
	if err := oneAtATime(ctx, tx, o.Bank.ID()); err != nil {
		return bank.File{}, nil, err
	}
	msg := id.New(id.File)
	file, ops, err := s.ops.Depart(ctx, tx, o.Bank.ID(), kinds, msg, perFile)
	if err != nil {
		return bank.File{}, nil, err
	}
	if len(ops) == 0 {
		return bank.File{}, nil, errIdle
	}
	if file != msg { // only the same bytes ever go out again, under their name
		f, err := load(ctx, tx, file)
		return f, ops, err
	}
	batch := bank.Batch{ID: RefOf(msg), Created: tx.Now(), Execute: o.Times.Executes(tx.Now()), From: o.account(side)}
	leaving := ops[:0]
	for _, op := range ops {
		t, err := s.instruction(ctx, tx, o, batch, op)
		if err != nil && !unfit(err) {
			return bank.File{}, nil, err
		}
		if err != nil { // one that the bank could not take must not keep the others
			slog.ErrorContext(ctx, "a payment cannot be sent", "kind", op.Kind, "subject", op.Subject, "error", err)
			refused := outbound.Result{Outcome: outbound.Declined, Code: "invalid", Text: err.Error()}
			if _, err := s.ops.Heard(ctx, tx, op.ID, operations.Answer, refused, ""); err != nil {
				return bank.File{}, nil, err
			}
			continue
		}
		batch.Transfers, leaving = append(batch.Transfers, t), append(leaving, op)
	}
	if len(leaving) == 0 {
		return bank.File{}, nil, nil
	}
	f, err := o.Bank.Render(batch)
	if err != nil {
		return f, nil, fmt.Errorf("make the payment file: %w", err)
	}
	insert(tx, msg, o.Bank.ID(), f)
	return f, leaving, nil
}

// errUnfit marks an instruction that could never be sent.
var errUnfit = errors.New("the instruction does not fit its operation")

func unfit(err error) bool { return errors.Is(err, errUnfit) || errors.Is(err, bank.ErrInvalid) }

// instruction is what the file says for an operation: what its kind makes of
// it, if the bank could take that and it is what the operation says.
func (s *Service) instruction(ctx context.Context, tx *pg.Tx, o *office, batch bank.Batch, op operations.Operation) (bank.Transfer, error) {
	t, err := s.kinds[op.Kind].Pay(ctx, tx, op.Subject)
	if err != nil {
		return t, err
	}
	due := money.FromCentimes(op.Amount, op.Currency)
	if t.Ref == "" {
		t.Ref = op.Ref
	}
	if t.Amount.Currency() == "" {
		t.Amount = due
	}
	if t.Ref != op.Ref || !t.Amount.Equal(due) {
		return t, fmt.Errorf("%w: %s over %s, the operation says %s over %s", errUnfit, t.Ref, t.Amount, op.Ref, due)
	}
	batch.Transfers = []bank.Transfer{t}
	_, err = o.Bank.Render(batch)
	return t, err
}

// inquire asks whether the bank has the file that an operation left in. A file
// says nothing of whether it was paid: that is the statement's word.
func (s *Service) inquire(ctx context.Context, op operations.Operation) outbound.Result {
	f, err := load(ctx, s.db, op.File)
	if err != nil {
		return outbound.Result{Outcome: outbound.Unknown, Text: err.Error()}
	}
	o, err := s.office(ctx, s.db, op.Connector)
	if err != nil {
		return outbound.Result{Outcome: outbound.Unknown, Text: err.Error()}
	}
	if o == nil {
		return outbound.Result{Outcome: outbound.Unknown, Text: "there is no bank " + op.Connector}
	}
	r := o.Bank.Find(ctx, f)
	if r.Outcome != outbound.NotFound {
		return r
	}
	// Banks take files away once they have read them: one that was reported on
	// is not missing.
	told, err := s.ops.Told(ctx, s.db, op.ID)
	switch {
	case err != nil:
		return outbound.Result{Outcome: outbound.Unknown, Text: err.Error()}
	case told:
		r.Outcome, r.Text = outbound.Accepted, "the bank has reported on it"
	}
	return r
}
