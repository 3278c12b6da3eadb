package ledger

import (
	"context"
	"encoding/hex"
	"io"
	"maps"
	"slices"
	"time"

	"tiwiza/payments/approvals"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

// TrialInput names a time to look at.
type TrialInput struct {
	At      *time.Time `query:"at" description:"What counts by then; now when left out."`
	KnownAt *time.Time `query:"known_at" description:"As the books knew it by then; now when left out."`
}

// TrialView is the trial balance: amounts as decimal texts.
type TrialView struct {
	Accounts []TrialAccount `json:"accounts" required:"true"`
	Totals   []TrialTotal   `json:"totals" required:"true"`
}

// TrialAccount is one account's line.
type TrialAccount struct {
	Code     string `json:"code" required:"true"`
	Currency string `json:"currency" required:"true"`
	Debit    string `json:"debit" required:"true"`
	Credit   string `json:"credit" required:"true"`
}

// TrialTotal is one currency's line; the difference is always zero.
type TrialTotal struct {
	Currency   string `json:"currency" required:"true"`
	Debit      string `json:"debit" required:"true"`
	Credit     string `json:"credit" required:"true"`
	Difference string `json:"difference" required:"true"`
}

// TrialBalance shows the balance of every account that is not at zero on its
// side, and that they agree.
func (b *Books) TrialBalance(ctx context.Context, in TrialInput) (TrialView, error) {
	rows, err := trialNow(ctx, b.db)
	if in.At != nil || in.KnownAt != nil {
		rows, err = trialAt(ctx, b.db, given(in.At), given(in.KnownAt))
	}
	if err != nil {
		return TrialView{}, err
	}
	v := TrialView{Accounts: []TrialAccount{}, Totals: []TrialTotal{}}
	sums := map[string][2]int64{}
	for _, r := range rows {
		v.Accounts = append(v.Accounts, TrialAccount{r.Code, r.Currency, text(r.Debit, r.Currency), text(r.Credit, r.Currency)})
		s := sums[r.Currency]
		sums[r.Currency] = [2]int64{s[0] + r.Debit, s[1] + r.Credit}
	}
	for _, c := range slices.Sorted(maps.Keys(sums)) {
		s := sums[c]
		v.Totals = append(v.Totals, TrialTotal{c, text(s[0], c), text(s[1], c), text(s[0]-s[1], c)})
	}
	return v, nil
}

// Export answers the books as plain-text accounting.
func (b *Books) Export(context.Context, rest.None) (rest.Stream, error) {
	return rest.Stream{
		ContentType: "text/plain; charset=utf-8", FileName: "tiwiza.journal",
		Write: func(ctx context.Context, w io.Writer) error { return b.Journal(ctx, w) },
	}, nil
}

// ClosingView is a closed period as the API shows it.
type ClosingView struct {
	Upto       string     `json:"upto" required:"true" format:"date"`
	ClosedAt   time.Time  `json:"closed_at" required:"true"`
	ClosedBy   string     `json:"closed_by" required:"true"`
	BalancedAt *time.Time `json:"balanced_at,omitempty" description:"Since when its trial balance is known."`
	Hash       string     `json:"hash,omitempty" description:"SHA-256 of the trial balance that was kept, in hexadecimal."`
}

// Closings lists closed periods, newest first.
func (b *Books) Closings(ctx context.Context, in rest.Paging) (rest.Page[ClosingView], error) {
	var before string
	if err := rest.DecodeCursor(in.Cursor, &before); err != nil {
		return rest.Page[ClosingView]{}, err
	}
	if _, err := endOf(before); before != "" && err != nil {
		return rest.Page[ClosingView]{}, rest.ErrCursor
	}
	rows, err := closings(ctx, b.db, before, in.Limit+1)
	if err != nil {
		return rest.Page[ClosingView]{}, err
	}
	views := make([]ClosingView, len(rows))
	for i, r := range rows {
		views[i] = ClosingView{r.Upto, r.ClosedAt.UTC(), r.ClosedBy, r.BalancedAt, hex.EncodeToString(r.Hash)}
	}
	return rest.Cut(views, in.Limit, func(v ClosingView) any { return v.Upto }), nil
}

// ClosingInput names a closed period by its last day.
type ClosingInput struct {
	Upto string `path:"upto" format:"date"`
}

// Closing answers the trial balance kept of a closed period.
func (b *Books) Closing(ctx context.Context, in ClosingInput) (rest.Text, error) {
	if _, err := endOf(in.Upto); err != nil {
		return "", ErrNoPeriod
	}
	kept, err := closingTrial(ctx, b.db, in.Upto)
	return rest.Text(kept), err
}

// AskToCloseInput says up to which day, and why.
type AskToCloseInput struct {
	Upto string `json:"upto" required:"true" format:"date" description:"The last day of the period; it must be over."`
	Why  string `json:"why" required:"true" minLength:"3" maxLength:"1000"`
}

// AskedView says what waits for a second person.
type AskedView struct {
	Upto     string          `json:"upto" required:"true" format:"date"`
	Approval string          `json:"approval" required:"true" description:"What another person decides at /v1/approvals."`
	State    approvals.State `json:"state" required:"true" enum:"open,approved,refused,void"`
}

// AskToClose asks for a second person to close the books up to a day.
func (b *Books) AskToClose(ctx context.Context, tx *pg.Tx, in AskToCloseInput) (AskedView, error) {
	r, err := b.askToClose(ctx, tx, in.Upto, in.Why)
	return AskedView{in.Upto, r.ID, r.State}, err
}
