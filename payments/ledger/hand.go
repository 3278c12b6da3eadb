package ledger

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"tiwiza/payments/approvals"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
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

// A draft is a transfer by hand that waits for a second person.
type draft struct {
	Reference string
	Request   []byte
	Transfer  json.RawMessage
	State     string // waiting, posted, refused
}

// askFor asks for a second person to agree to a transfer, as part of tx. Asked
// again it answers what became of it.
func (b *Books) askFor(ctx context.Context, tx *pg.Tx, reference string, t Transfer) (state, approval string, err error) {
	if t, err = t.Check(); err != nil {
		return "", "", err
	}
	content, err := json.Marshal(t)
	if err != nil {
		return "", "", fmt.Errorf("write down a transfer: %w", err)
	}
	d, err := putDraft(ctx, tx, draft{Reference: reference, Request: t.Hash(), Transfer: content})
	switch {
	case err != nil:
		return "", "", err
	case !bytes.Equal(d.Request, t.Hash()):
		return "", "", ErrReused
	case d.State == "refused":
		return "", "", ErrTurned
	case d.State == "posted":
		return d.State, "", nil
	}
	var sum int64
	for _, l := range t.Legs {
		sum += max(l.Amount, 0)
	}
	amount := money.FromCentimes(sum, t.Currency)
	r, err := b.approvals.Ask(ctx, tx, approvals.Ask{
		Kind: handApproval, Subject: reference, Hash: d.Request, Amount: &amount, Why: t.Note, Evidence: t.lines(),
	})
	return d.State, r.ID, err
}

const handApproval = "ledger.hand"

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

// decided posts a transfer that the second person agreed to. What stands in its
// way undoes the decision: it can be taken again.
func (b *Books) decided(ctx context.Context, tx *pg.Tx, r approvals.Request) error {
	d, err := lockDraft(ctx, tx, r.Subject)
	if err != nil {
		return err
	}
	if d.State != "waiting" || !bytes.Equal(d.Request, r.Hash) {
		return approvals.ErrChanged
	}
	if r.State != approvals.Approved {
		endDraft(tx, d.Reference, "refused", tx.Now())
		return nil
	}
	var t Transfer
	if err := json.Unmarshal(d.Transfer, &t); err != nil {
		return fmt.Errorf("read the transfer %s: %w", d.Reference, err)
	}
	if _, err := ByHand(t); err != nil {
		return err
	}
	endDraft(tx, d.Reference, "posted", tx.Now())
	audit.Record(tx, "ledger.post", t.Key, "approvals.operator", map[string]string{"asked_by": r.AskedBy})
	return b.Post(ctx, tx, t)
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
