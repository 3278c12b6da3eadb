// Package ledger keeps the books: accounts, and immutable transfers of two or
// more balanced legs, in centimes. Post is a step in its caller's transaction;
// the database itself refuses a transfer that does not balance and an account
// that would fall under its floor.
package ledger

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strings"
	"time"

	"tiwiza/pkg/fault"
	"tiwiza/pkg/seal"
)

// Chain seals the transfers, with their entries.
var Chain = seal.Chain{Row: "transfer", View: "ledger.sealable", Blocks: "ledger.block"}

// Errors of the books.
var (
	ErrUnbalanced = fault.New(fault.Invalid, "ledger.unbalanced", "The legs of a transfer must add up to zero, and be two or more.")
	ErrTooMuch    = fault.New(fault.Invalid, "ledger.too_much", "A transfer moves at most 100,000,000,000.00.")
	ErrAccount    = fault.New(fault.NotFound, "ledger.no_account", "The chart of accounts has no such account.")
	ErrOverdraft  = fault.New(fault.Conflict, "ledger.overdraft", "There is not enough money in the account.")
	ErrReused     = fault.New(fault.Conflict, "ledger.reused", "This reference already stands for another transfer.")
	ErrClosed     = fault.New(fault.Conflict, "ledger.closed", "The books of that time are closed; give a later effective time.")
)

// A Leg moves centimes into an account (a debit, above zero) or out of it (a
// credit, below zero).
type Leg struct {
	Account string
	Amount  int64
}

// Debit is a leg on the left side.
func Debit(account string, centimes int64) Leg { return Leg{account, centimes} }

// Credit is a leg on the right side.
func Credit(account string, centimes int64) Leg { return Leg{account, -centimes} }

// A Transfer is a set of legs that add up to zero. Key makes posting it again
// harmless; it is never used for anything else.
type Transfer struct {
	Key       string
	Kind      string // "escrow.release": what the invariants know it by
	Order     string // the order it belongs to, or ""
	Currency  string
	Effective time.Time // when it counts; zero: when it is recorded
	Note      string    // why, for whoever reads the books; may be empty
	Legs      []Leg
	reverses  int64  // the transfer that this one takes back, or 0
	alone     *share // what one person moves by it without a second; nil: it is not by hand
}

// most is what a transfer moves at most, in centimes: so far from what an int64
// holds that no sum over legs or accounts comes near.
const most = 10_000_000_000_000

// Check returns the transfer without empty legs, ErrUnbalanced, or ErrTooMuch.
func (t Transfer) Check() (Transfer, error) {
	t.Legs = slices.DeleteFunc(slices.Clone(t.Legs), func(l Leg) bool { return l.Amount == 0 })
	debits, credits, err := sums(t.Legs)
	if err != nil {
		return t, err
	}
	if debits != credits || len(t.Legs) < 2 || t.Key == "" || t.Kind == "" {
		return t, ErrUnbalanced
	}
	return t, nil
}

// sums adds up each side, neither of which is above most.
func sums(legs []Leg) (debits, credits int64, err error) {
	for _, l := range legs {
		switch {
		case l.Amount > most-debits, l.Amount < credits-most:
			return 0, 0, ErrTooMuch
		case l.Amount > 0:
			debits += l.Amount
		default:
			credits -= l.Amount
		}
	}
	return debits, credits, nil
}

// Hash is what the key stands for: kind, order, currency, the time if one was
// given, each leg, and the note and what it takes back if there are any.
func (t Transfer) Hash() []byte {
	b := make([]byte, 0, 256)
	for _, s := range []string{t.Kind, t.Order, t.Currency} {
		b = append(append(b, s...), 0)
	}
	if !t.Effective.IsZero() {
		b = binary.BigEndian.AppendUint64(b, uint64(t.Effective.UnixMicro()))
	}
	for _, l := range t.Legs {
		b = append(append(b, l.Account...), 0)
		b = binary.BigEndian.AppendUint64(b, uint64(l.Amount))
	}
	if t.Note != "" || t.reverses != 0 {
		b = append(b, "\x00note\x00"+t.Note+"\x00"...)
		b = binary.BigEndian.AppendUint64(b, uint64(t.reverses))
	}
	h := sha256.Sum256(b)
	return h[:]
}

// reversal is the kind of transfer that takes another back.
const reversal = "reversal"

// Mirror is the transfer that takes t back: each leg on its other side, counted
// from the time it is recorded. One that would lower what clients' assets come
// to beyond their claims is ErrShort: only the sweep may do that.
func (t Transfer) Mirror(key, why string) (Transfer, error) {
	m := Transfer{Key: key, Kind: reversal, Order: t.Order, Currency: t.Currency, Note: why}
	var clients int64
	for _, l := range t.Legs {
		m.Legs = append(m.Legs, Leg{l.Account, -l.Amount})
		if Client(l.Account) != 0 {
			clients -= l.Amount
		}
	}
	if clients < 0 {
		return m, ErrShort
	}
	return m, nil
}

// An Account is one line of the chart.
type Account struct {
	Code   string
	Normal string // D or C: the side its balance is counted on
	Floor  bool   // its balance never goes below zero
	Shards int    // how many rows share the balance of a busy account
}

// chart is the chart of accounts (PAYMENTS.md §1). A star stands for one name.
var chart = []Account{
	// What our clients' money lies in.
	{"bank:*:safeguard", "D", false, 8},
	{"bank:*:transit", "D", false, 8},
	{"psp:*:clearing", "D", false, 8},
	{"carrier:*:cod", "D", false, 1},
	// Other assets.
	{"psp:*:disputed", "D", false, 1},
	{"bank:*:operating", "D", false, 8},
	{"seller:*:receivable", "D", true, 1},
	// What we owe our clients.
	{"escrow:*", "C", true, 1},
	{"seller:*:available", "C", true, 1},
	{"seller:*:reserve", "C", true, 1},
	{"payout:*", "C", true, 1},
	{"refund:*", "C", true, 1},
	{"payable:carrier:*", "C", false, 8},
	{"payable:insurer:*", "C", false, 8},
	{"suspense:*", "C", true, 1},
	// Ours.
	{"payable:vat", "C", false, 8},
	{"fees", "C", false, 8},
	{"psp_cost", "D", false, 8},
	{"dispute_cost", "D", false, 1},
	{"loss", "D", false, 1},
	{"promotions", "D", false, 8},
	{"capital", "C", false, 1},
}

// Find says what account a code names, or ErrAccount.
func Find(code string) (Account, error) {
	for _, a := range chart {
		if match(a.Code, code) {
			a.Code = code
			return a, nil
		}
	}
	return Account{}, ErrAccount.Say("The chart of accounts has no %q.", code)
}

// Client says whether an account holds clients' money (an asset, +1), is a debt
// to clients (-1), or neither (0). Their sum is never below zero (I12).
func Client(code string) int {
	for _, p := range []string{"bank:*:safeguard", "bank:*:transit", "psp:*:clearing", "carrier:*:cod"} {
		if match(p, code) {
			return 1
		}
	}
	for _, p := range []string{"escrow:*", "seller:*:available", "seller:*:reserve", "payout:*", "refund:*", "payable:carrier:*", "payable:insurer:*", "suspense:*"} {
		if match(p, code) {
			return -1
		}
	}
	return 0
}

func match(pattern, code string) bool {
	for {
		p, patterns, many := strings.Cut(pattern, ":")
		c, codes, more := strings.Cut(code, ":")
		if p != c && (p != "*" || c == "") || many != more {
			return false
		}
		if !more {
			return true
		}
		pattern, code = patterns, codes
	}
}

// Escrow is the account of what is held for an order.
func Escrow(order string) string { return "escrow:" + order }

// Available is the account of what a seller may have paid out.
func Available(seller string) string { return "seller:" + seller + ":available" }

// Reserve is the account of what is kept back of a seller.
func Reserve(seller string) string { return "seller:" + seller + ":reserve" }

// Receivable is the account of what a seller owes.
func Receivable(seller string) string { return "seller:" + seller + ":receivable" }

// Payout is the account of a payout on its way.
func Payout(id string) string { return "payout:" + id }

// Refund is the account of a refund on its way.
func Refund(id string) string { return "refund:" + id }

// Suspense is the account of money whose owner is not known yet, by charge or statement line.
func Suspense(of string) string { return "suspense:" + of }

// Clearing is the account of what an acquirer took and has not settled.
func Clearing(acquirer string) string { return "psp:" + acquirer + ":clearing" }

// Disputed is the account of what an acquirer took back and we contest.
func Disputed(acquirer string) string { return "psp:" + acquirer + ":disputed" }

// COD is the account of what a carrier collected and has not remitted.
func COD(carrier string) string { return "carrier:" + carrier + ":cod" }

// Safeguard is the account of our clients' money at the bank.
func Safeguard(bank string) string { return "bank:" + bank + ":safeguard" }

// Transit is the account of our own money on its way to it.
func Transit(bank string) string { return "bank:" + bank + ":transit" }

// Operating is the account of our own money.
func Operating(bank string) string { return "bank:" + bank + ":operating" }

// CarrierPayable is the account of what a carrier has earned.
func CarrierPayable(carrier string) string { return "payable:carrier:" + carrier }

// InsurerPayable is the account of premiums taken for an insurer.
func InsurerPayable(insurer string) string { return "payable:insurer:" + insurer }

// Accounts of our own.
const (
	Fees        = "fees"
	VAT         = "payable:vat"
	PSPCost     = "psp_cost"
	DisputeCost = "dispute_cost"
	Loss        = "loss"
	Promotions  = "promotions" // what the market pays sellers for their buyers
	Capital     = "capital"
)
