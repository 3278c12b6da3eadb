package ledger

import (
	"context"
	"crypto/sha256"
	"fmt"
	"strings"
	"time"

	"tiwiza/payments/approvals"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/clock"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

// Errors of closing a period.
var (
	ErrNotOver  = fault.New(fault.Invalid, "ledger.not_over", "Only days that are over can be closed.")
	ErrShut     = fault.New(fault.Conflict, "ledger.shut", "The books are closed up to that day already.")
	ErrNoPeriod = fault.New(fault.NotFound, "ledger.no_closing", "The books were not closed at that day.")
)

const day = time.DateOnly

// endOf is when a day of Morocco ends.
func endOf(upto string) (time.Time, error) {
	d, err := time.ParseInLocation(day, upto, clock.Morocco)
	if err != nil {
		return d, ErrNotOver.At("/upto", "a day such as 2026-10-31")
	}
	return d.AddDate(0, 0, 1), nil
}

// Close shuts the books up to a day, as part of tx: whatever counts from before
// its end is refused from then on (ErrClosed). The trial balance at its end
// follows as soon as nothing of the period can still be on its way.
func (b *Books) Close(ctx context.Context, tx *pg.Tx, upto string) error {
	before, err := endOf(upto)
	if err != nil {
		return err
	}
	if before.After(tx.Now()) {
		return ErrNotOver
	}
	shut(tx, upto, before)
	return nil
}

// closing is the kind of approval that a close needs.
const closing = "ledger.closing"

// Approve has people close periods and make weighty transfers: one asks, another
// decides. It is called at start.
func (b *Books) Approve(a *approvals.Service) {
	b.approvals = a
	a.Handle(handApproval, b.decided)
	a.Handle(reverseApproval, b.reverseDecided)
	a.Handle(closing, func(ctx context.Context, tx *pg.Tx, r approvals.Request) error {
		if r.State != approvals.Approved {
			return nil
		}
		audit.Record(tx, "ledger.close", r.Subject, "approvals.operator", map[string]string{"asked_by": r.AskedBy})
		return b.Close(ctx, tx, r.Subject)
	})
}

// askToClose asks for a second person to close the books up to a day.
func (b *Books) askToClose(ctx context.Context, tx *pg.Tx, upto, why string) (approvals.Request, error) {
	before, err := endOf(upto)
	if err != nil {
		return approvals.Request{}, err
	}
	if before.After(tx.Now()) {
		return approvals.Request{}, ErrNotOver
	}
	closed, err := closedBefore(ctx, tx)
	if err != nil {
		return approvals.Request{}, err
	}
	if closed != nil && !closed.Before(before) {
		return approvals.Request{}, ErrShut
	}
	hash := sha256.Sum256([]byte(closing + " " + upto))
	return b.approvals.Ask(ctx, tx, approvals.Ask{Kind: closing, Subject: upto, Hash: hash[:], Why: why})
}

// finish keeps the trial balance of the oldest period that is shut without one.
func (b *Books) finish(ctx context.Context, tx *pg.Tx) (more bool, err error) {
	c, ok, err := lockUnfinished(ctx, tx)
	switch {
	case err != nil || !ok:
		return false, err
	case !c.Fenced:
		fenceClosing(tx, c.Before)
		return true, nil
	case !c.Passed:
		return false, nil
	}
	rows, err := trialAt(ctx, tx, c.Before.Add(-time.Microsecond), far)
	if err != nil {
		return false, fmt.Errorf("balance the books of %s: %w", c.Before, err)
	}
	finishClosing(tx, c.Before, tx.Now(), trialText(rows))
	return true, nil
}

// trialText is a trial balance as it is kept and hashed: a line for each account
// with its code, currency, debit and credit, parted by tabs.
func trialText(rows []trialRow) []byte {
	var b strings.Builder
	for _, r := range rows {
		fmt.Fprintf(&b, "%s\t%s\t%s\t%s\n", r.Code, r.Currency, text(r.Debit, r.Currency), text(r.Credit, r.Currency))
	}
	return []byte(b.String())
}

func text(centimes int64, currency string) string {
	return money.FromCentimes(centimes, currency).Amount()
}
