package ledger

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"tiwiza/payments/approvals"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

const handApproval = "ledger.hand"

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
