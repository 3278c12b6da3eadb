// Package treasury keeps the clients' account whole and the platform's own money
// apart: top-ups bring what our costs took out of it, the sweep takes what is
// ours. It also holds the switch that stops all payments out.
package treasury

import (
	"time"

	"tiwiza/pkg/fault"
	"tiwiza/pkg/money"
)

// Errors of the treasury.
var (
	ErrNotFound = fault.New(fault.NotFound, "treasury.not_found", "There is no such movement.")
	ErrNoBank   = fault.New(fault.NotFound, "treasury.no_bank", "There is no such bank.")
	ErrNothing  = fault.New(fault.Conflict, "treasury.nothing_due", "There is nothing to move at the moment.")
	ErrOpen     = fault.New(fault.Conflict, "treasury.open", "One is on its way already; wait for the bank's statement.")
	ErrState    = fault.New(fault.Conflict, "treasury.state", "This movement does not allow that now.")
	ErrRunning  = fault.New(fault.Conflict, "halt.off", "Payments are not halted.")
)

// Kind says which way money moves.
type Kind string

// The kinds.
const (
	TopUp Kind = "top_up" // our own money to the clients' account
	Sweep Kind = "sweep"  // what is ours out of it
)

// State is where a movement stands.
type State string

// The states.
const (
	Open     State = "open"
	Done     State = "done" // a statement shows it
	Rejected State = "rejected"
	Returned State = "returned"
)

// A Move is one movement between the platform's accounts at a bank.
type Move struct {
	ID        string
	Kind      Kind
	Bank      string
	Ref       string
	Currency  string
	Amount    int64 // centimes
	Day       time.Time
	State     State
	By        string
	Why       string
	Late      bool // refused, and done all the same
	Version   int64
	CreatedAt time.Time
	ChangedAt time.Time
}

// Money is the movement's amount.
func (m Move) Money() money.Money { return money.FromCentimes(m.Amount, m.Currency) }

// moves are the states a movement may go on to. One that was refused and is
// shown as done all the same is done: nothing was booked for it before.
var moves = map[State][]State{
	Open:     {Done, Rejected},
	Rejected: {Done},
	Done:     {Returned},
}

// To moves a movement on.
func (m Move) To(next State, why string, at time.Time) (Move, error) {
	for _, s := range moves[m.State] {
		if s == next {
			m.Late = m.Late || m.State == Rejected
			m.State, m.Why, m.ChangedAt = next, why, at
			return m, nil
		}
	}
	return m, ErrState.Say("This movement is %s; it cannot become %s.", m.State, next)
}

// SweepOf is how much of the clients' account is ours to take: what the clients'
// money is more than what is owed to them, less what other sweeps take, and
// never what payments under way need there.
func SweepOf(surplus, sweeping, safeguard, leaving int64) int64 {
	return max(0, min(surplus-sweeping, safeguard-leaving))
}

// TopUpOf is how much of our own money has still to be brought: what the books
// have on its way, less what was asked of the bank already.
func TopUpOf(transit, asked int64) int64 { return max(0, transit-asked) }
