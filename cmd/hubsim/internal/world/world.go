// Package world holds what the stand-in partners share: a clock that can be
// moved, the list of what each has executed, and the faults they were told to
// play. All of it lives in the journal.
package world

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"tiwiza/cmd/hubsim/internal/journal"
	"tiwiza/pkg/money"
)

// The partners that are played.
const (
	Acquirer  = "acquirer"
	Acquirer2 = "acquirer2"
	Bank      = "bank"
	Wallet    = "wallet"
	SMS       = "sms"
	WhatsApp  = "whatsapp"
	Mail      = "mail"
	CRM       = "crm"
	Insurer   = "insurer"
)

// Settlement2 begins the names of the second acquirer's settlements.
const Settlement2 = "ST2-"

// WalletSettlement begins the names of the wallet provider's settlements.
const WalletSettlement = "WST-"

// The kinds of what partners execute.
const (
	Charge     = "charge"
	Capture    = "capture"
	Void       = "void"
	Refund     = "refund"
	Settlement = "settlement"
	Chargeback = "chargeback"
	Won        = "chargeback_won"
	Lost       = "chargeback_lost"
	Payout     = "payout"
	Sweep      = "sweep"
	TopUp      = "top_up"
	Credit     = "credit"

	Bind        = "bind" // the premium of a policy
	Cancel      = "cancel"
	Premium     = "premium"
	Claim       = "claim"
	ClaimPaid   = "claim_paid"
	Observation = "observation"
)

// Executed is one thing a partner did, under the reference it was asked with.
type Executed struct {
	Partner string      `json:"partner"`
	Ref     string      `json:"ref"`
	Kind    string      `json:"kind"`
	Amount  money.Money `json:"amount"`
	At      time.Time   `json:"at"`
}

// A Net is what the acquirer, or the wallets' provider, pays to the bank for some charges and takes for
// some refunds, in one sum.
type Net struct {
	ID    string    `json:"id"`
	At    time.Time `json:"at"`
	Lines []NetLine `json:"lines"`
}

// A NetLine is one charge (gross above zero) or one refund (below zero, free
// of fee) of a settlement, in centimes; or, with a case, what a chargeback
// takes, its fee besides, and what it gives again when it is won.
type NetLine struct {
	Ref   string `json:"ref"`
	Gross int64  `json:"gross"`
	Fee   int64  `json:"fee"`
	Case  string `json:"case,omitempty"`
}

// Amount is the sum that moves: gross less fees, in centimes.
func (n Net) Amount() int64 {
	var sum int64
	for _, l := range n.Lines {
		sum += l.Gross - l.Fee
	}
	return sum
}

// World is shared by the partners of one simulator.
type World struct {
	Journal  *journal.Journal
	executed *journal.Table[[]Executed]
	order    *journal.Table[string]
	counters *journal.Table[int64]
	armed    *journal.Table[Armed]
	offset   *journal.Table[time.Duration]
	moved    atomic.Int64
}

// New makes the world's tables in a journal that is not loaded yet.
func New(j *journal.Journal) *World {
	return &World{
		Journal:  j,
		executed: journal.NewTable[[]Executed](j, "executed"),
		order:    journal.NewTable[string](j, "executed_order"),
		counters: journal.NewTable[int64](j, "counters"),
		armed:    journal.NewTable[Armed](j, "faults"),
		offset:   journal.NewTable[time.Duration](j, "clock"),
	}
}

// Start takes the clock up where the journal left it; call it after Load.
func (w *World) Start() {
	w.Journal.View(func(tx *journal.Tx) {
		d, _ := w.offset.Get(tx, "offset")
		w.moved.Store(int64(d))
	})
}

// Now is the partners' time: the machine's, moved forward by Advance.
func (w *World) Now() time.Time {
	return time.Now().UTC().Add(time.Duration(w.moved.Load()))
}

// ErrBackward says that the clock only goes forward.
var ErrBackward = errors.New("the clock goes forward, by at most ten years in all")

// Advance moves the clock forward for good.
func (w *World) Advance(d time.Duration) error {
	var now time.Duration
	err := w.Journal.Update(func(tx *journal.Tx) error {
		was, _ := w.offset.Get(tx, "offset")
		now = was + d
		if d < 0 || now < was || now > 10*365*24*time.Hour {
			return ErrBackward
		}
		w.offset.Put(tx, "offset", now)
		return nil
	})
	if err == nil {
		w.moved.Store(int64(now))
	}
	return err
}

// Next is the next number of a series: 1, 2, 3, without a gap.
func (w *World) Next(tx *journal.Tx, series string) int64 {
	n, _ := w.counters.Get(tx, series)
	w.counters.Put(tx, series, n+1)
	return n + 1
}

// Did notes what a partner executed.
func (w *World) Did(tx *journal.Tx, e Executed) {
	rows, _ := w.executed.Get(tx, e.Ref)
	w.executed.Put(tx, e.Ref, append(rows[:len(rows):len(rows)], e))
	w.order.Put(tx, fmt.Sprint(w.Next(tx, "executed")), e.Ref)
}

// Truth is what was executed under a reference, or everything when it is
// empty, first done first.
func (w *World) Truth(ref string) []Executed {
	out := []Executed{}
	w.Journal.View(func(tx *journal.Tx) {
		if ref != "" {
			rows, _ := w.executed.Get(tx, ref)
			out = append(out, rows...)
			return
		}
		seen := map[string]int{}
		for _, r := range w.order.All(tx) {
			rows, _ := w.executed.Get(tx, r)
			out = append(out, rows[seen[r]])
			seen[r]++
		}
	})
	return out
}
