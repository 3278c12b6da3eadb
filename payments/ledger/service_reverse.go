package ledger

import (
	"context"
	"crypto/sha256"

	"tiwiza/payments/approvals"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

// ErrTaken says that there is nothing left to take back.
var ErrTaken = fault.New(fault.Conflict, "ledger.taken_back", "This transfer has been taken back already.")

const reverseApproval = "ledger.reverse"

// ReverseInput asks for a transfer by hand to be taken back.
type ReverseInput struct {
	Reference string `json:"reference" required:"true" minLength:"1" maxLength:"100" pattern:"^[!-~]+$" description:"The transfer's, as it was posted."`
	Note      string `json:"note" required:"true" minLength:"1" maxLength:"500" description:"Why, for whoever reads the books."`
}

// ReverseView is a wish to take a transfer back, which waits for a second person.
type ReverseView struct {
	Reference string `json:"reference" required:"true"`
	State     string `json:"state" required:"true" enum:"waiting"`
	Approval  string `json:"approval" required:"true" description:"What a second person must agree to first."`
}

// AskToReverse asks for a second person to take a transfer by hand back, for
// operators. What orders, payouts and refunds posted is undone by their own
// routes. Taken back already it is ErrTaken, a reversal itself ErrReversal; what
// would leave clients short is ErrShort.
func (b *Books) AskToReverse(ctx context.Context, tx *pg.Tx, in ReverseInput) (v ReverseView, err error) {
	m, err := b.mirror(ctx, tx, in.Reference, in.Note, false)
	if err != nil {
		return v, err
	}
	sum, _, err := sums(m.Legs)
	if err != nil {
		return v, err
	}
	amount, hash := money.FromCentimes(sum, m.Currency), mirrorHash(m)
	r, err := b.approvals.Ask(ctx, tx, approvals.Ask{
		Kind: reverseApproval, Subject: in.Reference, Hash: hash[:], Amount: &amount, Why: in.Note, Evidence: m.lines(),
	})
	return ReverseView{in.Reference, "waiting", r.ID}, err
}

// mirrorHash is of what is posted, and why.
func mirrorHash(m Transfer) [32]byte {
	return sha256.Sum256(append(m.Hash(), m.Note...))
}

// mirror is what would take a transfer by hand back now. With lock it stays so
// for the rest of tx.
func (b *Books) mirror(ctx context.Context, tx *pg.Tx, reference, why string, lock bool) (m Transfer, err error) {
	row, err := lockTransfer(ctx, tx, handKey(reference))
	switch {
	case err != nil:
		return m, err
	case row.Reverses != nil:
		return m, ErrReversal
	case row.ReversedBy != "":
		return m, ErrTaken
	}
	if m, err = row.transfer().Mirror(handKey("reversal of "+reference), why); err != nil {
		return m, err
	}
	return m, b.covered(ctx, tx, m, lock)
}

// reverseDecided takes back what a second person agreed to.
func (b *Books) reverseDecided(ctx context.Context, tx *pg.Tx, r approvals.Request) error {
	if r.State != approvals.Approved {
		return nil
	}
	m, err := b.mirror(ctx, tx, r.Subject, r.Why, true)
	if err != nil {
		return err
	}
	if hash := mirrorHash(m); string(hash[:]) != string(r.Hash) {
		return approvals.ErrChanged
	}
	audit.Record(tx, "ledger.reverse", handKey(r.Subject), "approvals.operator", map[string]string{"asked_by": r.AskedBy})
	_, err = b.Reverse(ctx, tx, m.Key, handKey(r.Subject), r.Why)
	return err
}
