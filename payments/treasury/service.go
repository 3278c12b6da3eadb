package treasury

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tiwiza/adapters/bank"
	"tiwiza/payments/approvals"
	"tiwiza/payments/files"
	"tiwiza/payments/ledger"
	"tiwiza/payments/operations"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/id"
	"tiwiza/pkg/job"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

// Books is what the treasury asks of the ledger.
type Books interface {
	Post(ctx context.Context, tx *pg.Tx, t ledger.Transfer) error
	Balance(ctx context.Context, db pg.DB, code, currency string) (int64, error)
	Surplus(ctx context.Context, db pg.DB, currency string) (int64, error)
	InFlight(ctx context.Context, db pg.DB, currency string) (int64, error)
}

// Service is what others may ask of the treasury.
type Service struct {
	db        *pg.Store
	books     Books
	files     *files.Service
	approvals *approvals.Service
}

// New makes the service, registers its operations and what a second person
// decides, and tells the engine whom to ask before money leaves.
func New(db *pg.Store, books Books, out *files.Service, ops *operations.Engine, words *approvals.Service) *Service {
	s := &Service{db, books, out, words}
	out.Handle(string(TopUp), files.Kind{From: files.Operating, Pay: s.pay, Moved: s.moved, Contradicted: s.contradicted})
	out.Handle(string(Sweep), files.Kind{Pay: s.pay, Moved: s.moved, Contradicted: s.contradicted})
	words.Handle(kindResume, s.resumed)
	ops.HaltBy(Halted)
	return s
}

// pay is the bank's instruction for a movement: to our other account there.
func (s *Service) pay(ctx context.Context, db pg.DB, move string) (bank.Transfer, error) {
	m, err := load(ctx, db, move)
	if err != nil {
		return bank.Transfer{}, err
	}
	h, ok, err := s.files.House(ctx, db, m.Bank)
	if err != nil {
		return bank.Transfer{}, err
	}
	if !ok {
		return bank.Transfer{}, ErrNoBank
	}
	t := bank.Transfer{Ref: m.Ref, Amount: m.Money(), To: h.Safeguard, Info: "Tiwiza " + m.Ref}
	if m.Kind == Sweep {
		t.To = h.Operating
	}
	return t, nil
}

// TopUp brings what our costs took out of the clients' account: all that the
// books have on its way and that was not asked of the bank yet, once a bank and
// day.
func (s *Service) TopUp(ctx context.Context, tx *pg.Tx, name string) (Move, error) {
	if err := lockMoves(ctx, tx); err != nil {
		return Move{}, err
	}
	today := day(tx.Now())
	done, err := toppedUp(ctx, tx, name, money.MAD, today)
	if err != nil {
		return Move{}, err
	}
	if done {
		return Move{}, ErrOpen.Say("There is one top-up a day, and today's was made.")
	}
	transit, err := s.books.Balance(ctx, tx, ledger.Transit(name), money.MAD)
	if err != nil {
		return Move{}, err
	}
	a, err := open(ctx, tx, TopUp, name, money.MAD)
	if err != nil {
		return Move{}, err
	}
	return s.move(ctx, tx, TopUp, name, TopUpOf(transit, a.Bank))
}

// Sweep takes what is ours out of the clients' account, one at a time a bank.
func (s *Service) Sweep(ctx context.Context, tx *pg.Tx, name string) (Move, error) {
	if err := lockMoves(ctx, tx); err != nil {
		return Move{}, err
	}
	a, err := open(ctx, tx, Sweep, name, money.MAD)
	if err != nil {
		return Move{}, err
	}
	if a.Bank > 0 {
		return Move{}, ErrOpen
	}
	surplus, err := s.books.Surplus(ctx, tx, money.MAD)
	if err != nil {
		return Move{}, err
	}
	safeguard, err := s.books.Balance(ctx, tx, ledger.Safeguard(name), money.MAD)
	if err != nil {
		return Move{}, err
	}
	leaving, err := s.books.InFlight(ctx, tx, money.MAD)
	if err != nil {
		return Move{}, err
	}
	return s.move(ctx, tx, Sweep, name, SweepOf(surplus, a.Whole, safeguard, leaving))
}

// move asks the bank for a movement, if there is anything to move.
func (s *Service) move(ctx context.Context, tx *pg.Tx, kind Kind, name string, amount int64) (Move, error) {
	if amount == 0 {
		return Move{}, ErrNothing
	}
	m := Move{
		ID: id.New(id.TopUp), Kind: kind, Bank: name, Currency: money.MAD, Amount: amount, Day: day(tx.Now()), State: Open,
		By: auth.From(ctx).Person(), CreatedAt: tx.Now(), ChangedAt: tx.Now(),
	}
	if kind == Sweep {
		m.ID = id.New(id.Sweep)
	}
	m.Ref = files.RefOf(m.ID)
	insert(tx, m)
	s.files.Intend(tx, operations.Intention{Subject: m.ID, Kind: string(kind), Connector: name, Ref: m.Ref, Amount: m.Money()})
	return m, s.tell(ctx, tx, m)
}

// follows is what a movement becomes when its operation is in a state.
var follows = map[operations.State]State{operations.Confirmed: Done, operations.Rejected: Rejected, operations.Returned: Returned}

// moved follows a movement's operation.
func (s *Service) moved(ctx context.Context, tx *pg.Tx, o operations.Operation, _ operations.State) error {
	next, ends := follows[o.State]
	if !ends {
		return nil
	}
	return s.end(ctx, tx, o, next)
}

// contradicted makes a movement done that the bank had refused, as a statement
// shows: the money has moved, and nothing was booked for it before.
func (s *Service) contradicted(ctx context.Context, tx *pg.Tx, o operations.Operation, was operations.State) error {
	if was != operations.Rejected {
		return nil
	}
	return s.end(ctx, tx, o, Done)
}

func (s *Service) end(ctx context.Context, tx *pg.Tx, o operations.Operation, next State) error {
	m, err := lock(ctx, tx, o.Subject)
	if err != nil || m.State == next {
		return err
	}
	if m, err = m.To(next, o.Why, tx.Now()); err != nil {
		return err
	}
	save(tx, m)
	if t, ok := m.transfer(); ok {
		if err := s.books.Post(ctx, tx, t); err != nil {
			return err
		}
	}
	return s.tell(ctx, tx, m)
}

// transfer is what a movement's state puts in the books; until the bank's entry
// nothing has moved.
func (m Move) transfer() (ledger.Transfer, bool) {
	safeguard, other := ledger.Safeguard(m.Bank), ledger.Transit(m.Bank)
	if m.Kind == Sweep {
		other = ledger.Operating(m.Bank)
	}
	into := ledger.Transfer{
		Key: string(m.Kind) + ":" + m.ID, Kind: string(m.Kind), Currency: m.Currency,
		Legs: []ledger.Leg{ledger.Debit(safeguard, m.Amount), ledger.Credit(other, m.Amount)},
	}
	out := into
	out.Legs = []ledger.Leg{ledger.Debit(other, m.Amount), ledger.Credit(safeguard, m.Amount)}
	switch {
	case m.State == Done && m.Kind == TopUp:
		return into, true
	case m.State == Done:
		return out, true
	case m.State == Returned && m.Kind == Sweep:
		into.Key, into.Kind = "sweep.returned:"+m.ID, "sweep.returned"
		return into, true
	case m.State == Returned:
		out.Key, out.Kind = "top_up.undone:"+m.ID, "top_up.undone"
		return out, true
	}
	return ledger.Transfer{}, false
}

func (s *Service) tell(ctx context.Context, tx *pg.Tx, m Move) error {
	return tx.Publish(ctx, Moved{m.ID, m.Kind, m.Bank, m.State, m.Money()})
}

const timerDaily = "treasury.daily"

// hour is when the day's movements are made, in Morocco: before the banks open.
const hour = 7

// Work registers the treasury's timer.
func (s *Service) Work(t *job.Timers) { t.Handle(timerDaily, s.daily) }

// Arm sees to it that each bank has its day's movements. It is called when a hub
// starts.
func (s *Service) Arm(ctx context.Context) error {
	return s.db.InTx(ctx, func(tx *pg.Tx) error {
		for _, h := range s.files.Houses() {
			job.SetOnce(tx, timerDaily, h.Bank.ID(), next(tx.Now()))
		}
		return nil
	})
}

// daily tops a bank's clients' account up and takes out what is ours.
func (s *Service) daily(ctx context.Context, tx *pg.Tx, name string) error {
	if _, ok, err := s.files.House(ctx, tx, name); err != nil || !ok {
		return err
	}
	job.Set(tx, timerDaily, name, next(tx.Now()))
	for _, do := range []func(context.Context, *pg.Tx, string) (Move, error){s.TopUp, s.Sweep} {
		if _, err := do(ctx, tx, name); err != nil && !errors.Is(err, ErrNothing) && !errors.Is(err, ErrOpen) {
			return fmt.Errorf("move our own money at %s: %w", name, err)
		}
	}
	return nil
}

// next is when the next day's movements are made.
func next(at time.Time) time.Time {
	y, m, d := at.In(files.Morocco).Date()
	t := time.Date(y, m, d, hour, 0, 0, 0, files.Morocco)
	if !t.After(at) {
		t = time.Date(y, m, d+1, hour, 0, 0, 0, files.Morocco)
	}
	return t.UTC()
}

// day is the day of a time in Morocco.
func day(at time.Time) time.Time {
	y, m, d := at.In(files.Morocco).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}
