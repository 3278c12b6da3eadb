package ledger

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"tiwiza/payments/approvals"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

const handApproval = "ledger.hand"

// A draft is a transfer by hand that waits for a second person.
type draft struct {
	Reference string
	Request   []byte
	Transfer  json.RawMessage
	State     string // waiting, posted, refused
}

// take asks for a second person for those of some transfers that need one and
// posts the others, all with the answer in tx. An answer of before is given
// again, and nothing is done.
func (b *Books) take(ctx context.Context, tx *pg.Tx, k *rest.Keep, all []asked, list bool) error {
	if found, err := k.Recall(ctx, tx); found || err != nil {
		return err
	}
	for i := range all {
		a := &all[i]
		if a.err != nil || !a.two {
			continue
		}
		a.view.State, a.view.Approval, a.err = b.askFor(ctx, tx, a.view.Reference, a.t)
		if _, _, told := code(a.err); a.err != nil && (!list || !told) {
			return a.err
		}
	}
	items, through := atOnce(all)
	transfers := make([]Transfer, len(items))
	for i, it := range items {
		transfers[i] = it.Transfer
	}
	if len(items) > 0 {
		errs, err := b.PostAll(ctx, tx, transfers)
		if err != nil {
			return err
		}
		through(errs)
	}
	out, err := answered(all, list)
	if err != nil {
		return err
	}
	if err := k.Is(out); err != nil {
		return err
	}
	rest.Save(tx, k)
	return nil
}

// covered says why a transfer by hand would take from an account what is not in
// it, or nil: see drains. With lock it stays so for the rest of tx.
func (b *Books) covered(ctx context.Context, tx *pg.Tx, t Transfer, lock bool) error {
	drains := t.drains()
	if len(drains) == 0 {
		return nil
	}
	read := b.Balances
	if lock {
		read = func(ctx context.Context, _ pg.DB, currency string, codes ...string) (map[string]int64, error) {
			return b.Fixed(ctx, tx, currency, codes...)
		}
	}
	have, err := read(ctx, tx, t.Currency, slices.Sorted(maps.Keys(drains))...)
	if err != nil {
		return err
	}
	for account, n := range drains {
		switch {
		case have[account] >= n:
		case Client(account) == 0:
			return ErrOverdraft.Say("%s has less than that in it.", account)
		default:
			return ErrShort.Say("%s has less than that in it.", account)
		}
	}
	return nil
}

// askFor asks for a second person to agree to a transfer, as part of tx. Asked
// again it answers what became of it.
func (b *Books) askFor(ctx context.Context, tx *pg.Tx, reference string, t Transfer) (state, approval string, err error) {
	if t, err = t.Check(); err != nil {
		return "", "", err
	}
	if err := t.due(tx.Now()); err != nil {
		return "", "", err
	}
	before, err := hashesOf(ctx, tx, t.Key)
	switch {
	case err != nil:
		return "", "", err
	case len(before) > 0 && !bytes.Equal(before[0], t.Hash()):
		return "", "", ErrReused
	case len(before) > 0:
		return "posted", "", nil
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
	if err := b.covered(ctx, tx, t, false); err != nil {
		return "", "", err
	}
	sum, _, err := sums(t.Legs)
	if err != nil {
		return "", "", err
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
	if t.Key != handKey(d.Reference) || !bytes.Equal(t.Hash(), r.Hash) { // what is posted is what was shown
		return approvals.ErrChanged
	}
	if _, err := ByHand(t); err != nil {
		return err
	}
	if err := b.covered(ctx, tx, t, true); err != nil {
		return err
	}
	endDraft(tx, d.Reference, "posted", tx.Now())
	audit.Record(tx, "ledger.post", t.Key, "approvals.operator", map[string]string{"asked_by": r.AskedBy})
	return b.Post(ctx, tx, t)
}
