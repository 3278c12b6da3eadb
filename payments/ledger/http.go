package ledger

import (
	"context"
	"errors"
	"net/http"
	"time"

	"tiwiza/pkg/money"
	"tiwiza/pkg/rest"
)

// Routes is the HTTP face of the books; the operator reads them.
func Routes(b *Books) []rest.Route {
	return []rest.Route{
		rest.Handle("GET", "/v1/ledger/accounts/{code}", "ledger.account", "Show an account's balance, now or as it was", http.StatusOK, b.Account),
		rest.Handle("GET", "/v1/ledger/accounts/{code}/entries", "ledger.entries", "Show an account's statement, oldest first", http.StatusOK, b.Entries),
		rest.Handle("GET", "/v1/ledger/transfers", "ledger.transfers", "List transfers, newest first", http.StatusOK, b.Transfers),
		rest.Handle("GET", "/v1/ledger/trial-balance", "ledger.trial_balance", "Show the trial balance, now or as it was", http.StatusOK, b.TrialBalance, rest.Timeout(time.Minute),
			rest.About("Accounts at zero are left out.")),
		rest.Handle("GET", "/v1/ledger/export.journal", "ledger.export", "Export the books as plain-text accounting", http.StatusOK, b.Export,
			rest.Gives("text/plain"), rest.About("The format of hledger: debits are above zero, a code's unusual signs are percent-encoded.")),
		rest.Handle("GET", "/v1/ledger/closings", "ledger.closings", "List closed periods, newest first", http.StatusOK, b.Closings),
		rest.Handle("GET", "/v1/ledger/closings/{upto}/trial-balance", "ledger.closing", "Show the trial balance kept of a closed period", http.StatusOK, b.Closing,
			rest.About("The very bytes that were hashed: a line for each account that was not at zero, with code, currency, debit and credit, parted by tabs. Empty until it is known.")),
		rest.Commit("POST", "/v1/ledger/reversals", "ledger.reverse", "Ask for a transfer by hand to be taken back", http.StatusCreated, b.AskToReverse,
			rest.About("Another person decides (/v1/approvals); then its mirror is posted, with the reason. What orders, payouts and refunds posted is undone by their own routes.")),
		rest.Commit("POST", "/v1/ledger/closings", "ledger.close", "Ask for the books to be closed up to a day", http.StatusCreated, b.AskToClose,
			rest.About("Another person decides (/v1/approvals). From then on nothing that counts from before the end of that day is taken.")),
	}
}

// AccountInput names an account, and a time to look at it.
type AccountInput struct {
	Code     string     `path:"code"`
	Currency string     `query:"currency" default:"MAD" enum:"MAD,EUR,USD,GBP"`
	At       *time.Time `query:"at" description:"The balance of what counts by then; now when left out."`
	KnownAt  *time.Time `query:"known_at" description:"As the books knew it by then; now when left out."`
}

// AccountView is an account as the API shows it.
type AccountView struct {
	Code     string      `json:"code" required:"true"`
	Currency string      `json:"currency" required:"true"`
	Normal   string      `json:"normal" required:"true" enum:"D,C" description:"The side the balance is counted on."`
	Balance  money.Money `json:"balance" required:"true"`
	Held     money.Money `json:"held" required:"true" description:"Of what there is now, what is kept back."`
	Holds    []HoldView  `json:"holds" required:"true" description:"What keeps it back now, oldest first."`
}

// HoldView is one part of a balance that is kept back.
type HoldView struct {
	ID     string      `json:"id" required:"true"`
	Amount money.Money `json:"amount" required:"true"`
	Why    string      `json:"why" required:"true"`
	Until  *time.Time  `json:"until,omitempty"`
}

// Account shows one account.
func (b *Books) Account(ctx context.Context, in AccountInput) (AccountView, error) {
	known, err := Find(in.Code)
	if err != nil {
		return AccountView{}, err
	}
	row, err := accountRow(ctx, b.db, in.Code, in.Currency)
	if errors.Is(err, ErrAccount) { // of the chart, and not used yet
		row, err = standing{Code: in.Code, Currency: in.Currency, Normal: known.Normal}, nil
	}
	if err != nil {
		return AccountView{}, err
	}
	v := AccountView{Code: row.Code, Currency: row.Currency, Normal: row.Normal, Held: money.FromCentimes(row.Held, row.Currency), Holds: []HoldView{}}
	if in.At != nil || in.KnownAt != nil {
		if row.Balance, err = balanceAt(ctx, b.db, in.Code, in.Currency, given(in.At), given(in.KnownAt)); err != nil {
			return AccountView{}, err
		}
	}
	v.Balance = money.FromCentimes(row.Balance, row.Currency)
	if row.Held == 0 {
		return v, nil
	}
	holds, err := openHolds(ctx, b.db, in.Code, in.Currency)
	for _, h := range holds {
		v.Holds = append(v.Holds, HoldView{h.ID, money.FromCentimes(h.Remains, row.Currency), h.Why, h.Until})
	}
	return v, err
}

// given is a time that was asked for, or far away.
func given(t *time.Time) time.Time {
	if t == nil {
		return far
	}
	return *t
}

// TransfersInput pages through transfers.
type TransfersInput struct {
	Account string `query:"account" description:"Only those that touch this account."`
	Order   string `query:"order" maxLength:"60" description:"Only those about this order."`
	rest.Paging
}

// TransferView is a transfer as the API shows it.
type TransferView struct {
	ID          int64     `json:"id" required:"true"`
	Key         string    `json:"key" required:"true"`
	Kind        string    `json:"kind" required:"true"`
	Order       string    `json:"order,omitempty"`
	Note        string    `json:"note,omitempty"`
	Reverses    *int64    `json:"reverses,omitempty" description:"The transfer that this one takes back."`
	Actor       string    `json:"actor" required:"true"`
	EffectiveAt time.Time `json:"effective_at" required:"true"`
	RecordedAt  time.Time `json:"recorded_at" required:"true"`
	Legs        []LegView `json:"legs" required:"true"`
}

// LegView is one leg: an amount on one side of an account.
type LegView struct {
	Account string      `json:"account" required:"true"`
	Side    string      `json:"side" required:"true" enum:"debit,credit"`
	Amount  money.Money `json:"amount" required:"true"`
}

// Transfers lists transfers, newest first.
func (b *Books) Transfers(ctx context.Context, in TransfersInput) (rest.Page[TransferView], error) {
	var before int64
	if err := rest.DecodeCursor(in.Cursor, &before); err != nil {
		return rest.Page[TransferView]{}, err
	}
	rows, err := transfers(ctx, b.db, in.Account, in.Order, before, in.Limit+1)
	if err != nil {
		return rest.Page[TransferView]{}, err
	}
	views := make([]TransferView, len(rows))
	for i, r := range rows {
		v := TransferView{ID: r.ID, Key: r.Key, Kind: r.Kind, Order: r.OrderID, Note: r.Note, Reverses: r.Reverses, Actor: r.Actor, EffectiveAt: r.EffectiveAt.UTC(), RecordedAt: r.RecordedAt.UTC()}
		for j, a := range r.Accounts {
			l := LegView{a, "debit", money.FromCentimes(r.Amounts[j], r.Currency)}
			if r.Amounts[j] < 0 {
				l.Side, l.Amount = "credit", l.Amount.Neg()
			}
			v.Legs = append(v.Legs, l)
		}
		views[i] = v
	}
	return rest.Cut(views, in.Limit, func(v TransferView) any { return v.ID }), nil
}
