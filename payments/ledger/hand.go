package ledger

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"tiwiza/pkg/fault"
)

// Errors of transfers by hand.
var (
	ErrMachine = fault.New(fault.Invalid, "ledger.not_by_hand", "This account belongs to an order, a payout or a refund, which alone moves it.")
	ErrTurned  = fault.New(fault.Conflict, "ledger.turned_down", "A second person has turned this transfer down; ask under another reference.")
	ErrDay     = fault.New(fault.Conflict, "ledger.day_limit", "You have moved today what one person may; ask for a second person, or tomorrow.")
	ErrDated   = fault.New(fault.Invalid, "ledger.dated", "What lies at banks and partners counts from when it is booked; leave the effective time out.")
	ErrFuture  = fault.New(fault.Invalid, "ledger.future", "A transfer by hand counts from now or from before.")
)

const (
	hand = "hand" // the kind of a transfer by hand, and what its key begins with
	// handLimit is how much one person may move on a day, in centimes of
	// whatever currency; the database holds it too (alone_limit).
	handLimit = 10_000_00
	// ahead is how far the clock of whoever asks may be before the hub's.
	ahead = time.Minute
)

// handKey is what a transfer by hand is known by in the books.
func handKey(reference string) string { return hand + ":" + reference }

// machines are the accounts that only their own domain moves: people go by its
// routes.
var machines = []string{"escrow:*", "payout:*", "refund:*", "suspense:*", "seller:*:reserve", "promotions"}

// light are the accounts that one person moves. Money of clients is not among
// them, nor what lies at banks and partners, what is owed to or by anybody, and
// what we lost or own.
var light = []string{"fees", "psp_cost", "dispute_cost"}

// ByHand says whether a person may ask for such a transfer at all, and whether a
// second one must agree: above the limit, and for all accounts but light ones.
func ByHand(t Transfer) (two bool, err error) {
	debits, _, err := sums(t.Legs)
	if err != nil {
		return false, err
	}
	var clients int64
	for _, l := range t.Legs {
		if _, err := Find(l.Account); err != nil {
			return false, err
		}
		is := func(pattern string) bool { return match(pattern, l.Account) }
		if slices.ContainsFunc(machines, is) {
			return false, ErrMachine.Say("%s belongs to an order, a payout or a refund, which alone moves it.", l.Account)
		}
		if (Client(l.Account) > 0 || is("bank:*:operating")) && !t.Effective.IsZero() { // their own statements say when it moved
			return false, ErrDated.Say("%s lies at a bank or a partner, and counts from when it is booked; leave the effective time out.", l.Account)
		}
		two = two || !slices.ContainsFunc(light, is)
		if Client(l.Account) != 0 {
			clients += l.Amount
		}
	}
	if clients < 0 {
		return false, ErrShort
	}
	return two || debits > handLimit, nil
}

// A share is what a person moves alone, of what one may on a day.
type share struct {
	person   string
	centimes int64
}

// by is the transfer as one that a person makes alone.
func (t Transfer) by(person string) Transfer {
	debits, _, _ := sums(t.Legs)
	t.alone = &share{person, debits}
	return t
}

// due is ErrFuture for a transfer by hand that would count from later on.
func (t Transfer) due(now time.Time) error {
	if t.Effective.After(now.Add(ahead)) {
		return ErrFuture
	}
	return nil
}

// drains are the accounts without a floor that a transfer by hand must not take
// below zero, and how much it takes out of each: clients' claims, for the claims
// of others are not smaller for it, and our own money at a bank, which is not
// there twice. The hub may have one below zero, when it has paid a carrier what
// turns out not to be its own, or when a partner has taken more than we had:
// that happened; people may not make it happen.
func (t Transfer) drains() map[string]int64 {
	net := map[string]int64{}
	for _, l := range t.Legs {
		a, err := Find(l.Account)
		switch {
		case err != nil || a.Floor:
		case Client(l.Account) < 0:
			net[l.Account] += l.Amount
		case match("bank:*:operating", l.Account):
			net[l.Account] -= l.Amount
		}
	}
	maps.DeleteFunc(net, func(_ string, n int64) bool { return n <= 0 })
	return net
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
