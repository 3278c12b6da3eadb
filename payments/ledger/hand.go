package ledger

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"tiwiza/pkg/fault"
)

// Errors of transfers by hand.
var (
	ErrMachine = fault.New(fault.Invalid, "ledger.not_by_hand", "This account belongs to an order, a payout or a refund, which alone moves it.")
	ErrTurned  = fault.New(fault.Conflict, "ledger.turned_down", "A second person has turned this transfer down; ask under another reference.")
)

const (
	hand = "hand" // the kind of a transfer by hand, and what its key begins with
	// handLimit is how much one person may move at once, in centimes.
	handLimit = 10_000_00
)

// machines are the accounts that only their own domain moves: people go by its
// routes.
var machines = []string{"escrow:*", "payout:*", "refund:*", "suspense:*", "seller:*:reserve"}

// weighty are the accounts that two people move: what lies at a bank, an acquirer
// or a carrier, and what we lost or own.
var weighty = []string{
	"bank:*:safeguard", "bank:*:transit", "bank:*:operating", "psp:*:clearing", "psp:*:disputed", "carrier:*:cod", "capital", "loss",
}

// ByHand says whether a person may ask for such a transfer at all, and whether a
// second one must agree: above the limit, and for accounts of weight.
func ByHand(t Transfer) (two bool, err error) {
	var debits, clients int64
	for _, l := range t.Legs {
		if _, err := Find(l.Account); err != nil {
			return false, err
		}
		is := func(pattern string) bool { return match(pattern, l.Account) }
		if slices.ContainsFunc(machines, is) {
			return false, ErrMachine.Say("%s belongs to an order, a payout or a refund, which alone moves it.", l.Account)
		}
		two = two || slices.ContainsFunc(weighty, is)
		debits += max(l.Amount, 0)
		if Client(l.Account) != 0 {
			clients += l.Amount
		}
	}
	if clients < 0 {
		return false, ErrShort
	}
	return two || debits > handLimit, nil
}

// lines are the legs for people to read.
func (t Transfer) lines() string {
	var s bytes.Buffer
	for _, l := range t.Legs {
		side, n := "debit", l.Amount
		if n < 0 {
			side, n = "credit", -n
		}
		fmt.Fprintf(&s, "%s %s %s %s\n", side, l.Account, text(n, t.Currency), t.Currency)
	}
	return s.String()
}

// code is a refusal's stable code and its sentence, for an answer that lists
// several.
func code(err error) (string, string, bool) {
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || f.Kind == fault.Internal || f.Kind == fault.Unavailable {
		return "", "", false
	}
	return f.Code, f.Text, true
}
