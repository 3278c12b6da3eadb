package bank

import (
	"fmt"
	"time"

	"tiwiza/pkg/money"
)

// A Kind tells a statement, which has balances, from a notification within
// the day, which has none.
type Kind string

// The kinds.
const (
	OfAccount    Kind = "statement"
	Notification Kind = "notification"
)

// Statement is what a bank says happened on one account. An amount in a
// currency that the hub does not trade in is right in its smallest units
// (Centimes), and its text may lack the decimal point.
type Statement struct {
	Kind             Kind
	ID               string
	Account          string // the RIB, or a foreign account's own number
	Currency         string
	Sequence         int64 // 0 when the bank does not number its statements
	Page             int   // 1 when the bank does not page them
	LastPage         bool
	Created          time.Time
	On               time.Time // the day of its closing balance
	From, To         time.Time
	Opening, Closing money.Money
	HasBalances      bool // both were given
	Entries          []Entry
}

// Entry is one line. Its amount is what the balance moved by.
type Entry struct {
	Amount            money.Money // + credit, − debit
	Booked            bool
	Reversal          bool
	BookedOn, ValueOn time.Time
	Ref               string // the bank's reference of the line, if any
	BankRef           string // the bank's reference of the movement
	Info              string
	Code              string // the bank's word for what it is: "PMNT/ICDT/DMCT", "NTRF"
	Charge            bool   // the code says that the bank took it for itself
	Batch             string // the file of ours that it carries out as a whole, by our name of it
	Details           []Detail
}

// Day is the day a statement speaks of: of its closing balance, else the end of
// its span, else the day it was made.
func (s Statement) Day() time.Time {
	for _, t := range []time.Time{s.On, s.To, s.Created} {
		if !t.IsZero() {
			return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
		}
	}
	return time.Time{}
}

// Detail is one transaction of a line; a line may gather many.
type Detail struct {
	Ref                 string // our EndToEndId, "" when the bank was given none
	InstructionID       string
	BankRef             string
	Amount              money.Money // its share of the line: Gross − Fee
	Gross               money.Money // + credit, − debit, before charges
	Fee                 money.Money // what the bank or acquirer took from it
	ReturnReason        string      // why a payment came back
	ReturnText          string
	Info                string
	Counterparty        string
	CounterpartyAccount string
}

// Explained says whether the details add up to the line.
func (e Entry) Explained() bool {
	sum := int64(0)
	for _, d := range e.Details {
		if d.Amount.Currency() != e.Amount.Currency() {
			return false
		}
		sum += d.Amount.Centimes()
	}
	return len(e.Details) > 0 && sum == e.Amount.Centimes()
}

// Check says whether the booked entries lead from the opening to the closing
// balance, all in one currency: ErrUnbalanced. A notification has no balances
// and is never unbalanced; a page of several without balances of its own is not
// checked alone.
func (s Statement) Check() error {
	if s.Kind == Notification || !s.HasBalances && (s.Page > 1 || !s.LastPage) {
		return nil
	}
	if !s.HasBalances {
		return ErrUnbalanced.With(fmt.Errorf("statement %s lacks a balance", s.ID))
	}
	sum := s.Opening.Centimes()
	for _, e := range s.Entries {
		if e.Booked {
			if e.Amount.Currency() != s.Opening.Currency() {
				return ErrUnbalanced.With(fmt.Errorf("statement %s mixes %s and %s", s.ID, s.Opening.Currency(), e.Amount.Currency()))
			}
			sum += e.Amount.Centimes()
		}
	}
	if s.Closing.Currency() != s.Opening.Currency() || sum != s.Closing.Centimes() {
		return ErrUnbalanced.With(fmt.Errorf("statement %s: opening %s and its entries do not make closing %s", s.ID, s.Opening, s.Closing))
	}
	return nil
}
