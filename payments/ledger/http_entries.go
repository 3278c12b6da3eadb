package ledger

import (
	"context"
	"time"

	"tiwiza/pkg/clock"
	"tiwiza/pkg/money"
	"tiwiza/pkg/rest"
)

// EntriesInput names an account and a stretch of time.
type EntriesInput struct {
	Code     string     `path:"code"`
	Currency string     `query:"currency" default:"MAD" enum:"MAD,EUR,USD,GBP"`
	From     *time.Time `query:"from" description:"Entries that count from then on; from the first when left out."`
	Until    *time.Time `query:"until" description:"Entries that count by then; to the last when left out."`
	KnownAt  *time.Time `query:"known_at" description:"As the books knew it by then; now when left out."`
	rest.Paging
}

// EntryView is one entry of a statement.
type EntryView struct {
	Transfer    int64       `json:"transfer" required:"true"`
	Key         string      `json:"key" required:"true"`
	Kind        string      `json:"kind" required:"true"`
	Order       string      `json:"order,omitempty"`
	Note        string      `json:"note,omitempty"`
	EffectiveAt time.Time   `json:"effective_at" required:"true"`
	RecordedAt  time.Time   `json:"recorded_at" required:"true"`
	Side        string      `json:"side" required:"true" enum:"debit,credit"`
	Amount      money.Money `json:"amount" required:"true"`
	Balance     money.Money `json:"balance" required:"true" description:"What stood in the account after it, on its normal side."`

	next place
}

// A place is where a statement goes on: behind an entry, with the balance there,
// as the books knew it when the first page was asked for.
type place struct {
	At      time.Time `json:"a"`
	ID      int64     `json:"i"`
	Leg     int16     `json:"l"`
	Balance int64     `json:"b"`
	Known   time.Time `json:"k"`
}

// Entries shows what came into an account and went out of it, with the balance
// after each. All pages show the books of one moment.
func (b *Books) Entries(ctx context.Context, in EntriesInput) (rest.Page[EntryView], error) {
	var none rest.Page[EntryView]
	known, err := Find(in.Code)
	if err != nil {
		return none, err
	}
	var at place
	if err := rest.DecodeCursor(in.Cursor, &at); err != nil {
		return none, err
	}
	if in.Cursor == "" {
		if at, err = b.start(ctx, in); err != nil {
			return none, err
		}
	}
	rows, err := entries(ctx, b.db, in.Code, in.Currency, at, given(in.Until), in.Limit+1)
	if err != nil {
		return none, err
	}
	views := make([]EntryView, len(rows))
	for i, r := range rows {
		v := EntryView{
			Transfer: r.ID, Key: r.Key, Kind: r.Kind, Order: r.OrderID, Note: r.Note, EffectiveAt: r.EffectiveAt.UTC(), RecordedAt: r.RecordedAt.UTC(),
			Side: "debit", Amount: money.FromCentimes(r.Amount, in.Currency),
		}
		if r.Amount < 0 {
			v.Side, v.Amount = "credit", v.Amount.Neg()
		}
		if known.Normal == "C" {
			r.Amount = -r.Amount
		}
		at = place{r.EffectiveAt, r.ID, r.Leg, at.Balance + r.Amount, at.Known}
		v.Balance, v.next = money.FromCentimes(at.Balance, in.Currency), at
		views[i] = v
	}
	return rest.Cut(views, in.Limit, func(v EntryView) any { return v.next }), nil
}

// start is the place before the first entry of a statement.
func (b *Books) start(ctx context.Context, in EntriesInput) (at place, err error) {
	if in.KnownAt != nil {
		at.Known = *in.KnownAt
	} else if at.Known, err = clock.Now(ctx, b.db); err != nil {
		return at, err
	}
	if in.From == nil {
		return at, nil
	}
	// Before an entry of that very time: ids and legs are not below zero.
	at.At, at.ID, at.Leg = *in.From, -1, -1
	at.Balance, err = balanceAt(ctx, b.db, in.Code, in.Currency, in.From.Add(-time.Microsecond), at.Known)
	return at, err
}
