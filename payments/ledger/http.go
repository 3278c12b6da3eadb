package ledger

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"time"

	"tiwiza/pkg/money"
	"tiwiza/pkg/rest"
)

// Routes is the HTTP face of the books; the operator reads them.
func Routes(b *Books) []rest.Route {
	return []rest.Route{
		rest.Handle("GET", "/v1/ledger/accounts/{code}", "ledger.account", "Show an account's balance, now or as it was", http.StatusOK, b.Account),
		rest.Handle("GET", "/v1/ledger/transfers", "ledger.transfers", "List transfers, newest first", http.StatusOK, b.Transfers),
		rest.Handle("GET", "/v1/ledger/trial-balance", "ledger.trial_balance", "Show the trial balance", http.StatusOK, b.TrialBalance),
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
	Held     money.Money `json:"held" required:"true"`
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
	if in.At != nil || in.KnownAt != nil {
		far := time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
		at, known := far, far
		if in.At != nil {
			at = *in.At
		}
		if in.KnownAt != nil {
			known = *in.KnownAt
		}
		if row.Balance, err = balanceAt(ctx, b.db, in.Code, in.Currency, at, known); err != nil {
			return AccountView{}, err
		}
	}
	return AccountView{row.Code, row.Currency, row.Normal, money.FromCentimes(row.Balance, row.Currency), money.FromCentimes(row.Held, row.Currency)}, nil
}

// TransfersInput pages through transfers.
type TransfersInput struct {
	Account string `query:"account" description:"Only those that touch this account."`
	rest.Paging
}

// TransferView is a transfer as the API shows it.
type TransferView struct {
	ID          int64     `json:"id" required:"true"`
	Key         string    `json:"key" required:"true"`
	Kind        string    `json:"kind" required:"true"`
	Order       string    `json:"order,omitempty"`
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
	rows, err := transfers(ctx, b.db, in.Account, before, in.Limit+1)
	if err != nil {
		return rest.Page[TransferView]{}, err
	}
	views := make([]TransferView, len(rows))
	for i, r := range rows {
		v := TransferView{ID: r.ID, Key: r.Key, Kind: r.Kind, Order: r.OrderID, Actor: r.Actor, EffectiveAt: r.EffectiveAt.UTC(), RecordedAt: r.RecordedAt.UTC()}
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

// TrialBalance shows every account's balance on its side, and that they agree.
func (b *Books) TrialBalance(ctx context.Context, _ rest.None) (TrialView, error) {
	rows, err := trialBalance(ctx, b.db)
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

func text(centimes int64, currency string) string {
	return money.FromCentimes(centimes, currency).Amount()
}
