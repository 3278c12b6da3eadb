package seller

import (
	"bytes"
	"encoding/csv"
	"errors"
	"net/http"
	"strings"
	"time"

	"tiwiza/marketplace/orders"
	"tiwiza/pkg/clock"
	"tiwiza/pkg/money"
	"tiwiza/web/site"
	"tiwiza/web/ui"
)

// A balance is the seller's own money.
type balance struct {
	Available  money.Money `json:"available"`
	Pending    money.Money `json:"pending"`
	Bonus      money.Money `json:"pending_bonus"`
	Reserve    money.Money `json:"reserve"`
	Receivable money.Money `json:"receivable"`
}

// A payout is money on its way to the seller's account.
type payout struct {
	ID        string      `json:"id"`
	State     string      `json:"state"`
	Amount    money.Money `json:"amount"`
	Ref       string      `json:"ref"`
	Account   string      `json:"account"`
	ChangedAt time.Time   `json:"changed_at"`
	CreatedAt time.Time   `json:"created_at"`
	Waits     []struct {
		Code string `json:"code"`
	} `json:"waits"`
}

// An account is where the seller is paid.
type account struct {
	ID       string     `json:"id"`
	RIB      string     `json:"rib"`
	Holder   string     `json:"holder"`
	State    string     `json:"state"`
	OpenFrom *time.Time `json:"open_from"`
}

type moneyPage struct {
	at
	Balance  balance
	Rows     []row
	Next     string
	Payouts  []payoutRow
	Done     bool
	Schedule string
}

// A payoutRow is a payout in the register.
type payoutRow struct {
	payout
	Tone, Text string
	Why        []string
}

// payoutTones are how the states of payouts are shown.
var payoutTones = map[string]string{"paid": "ok", "rejected": "bad", "returned": "bad", "unknown": "warn", "draft": "warn"}

// waitWords are the reasons to wait that have words of their own.
var waitWords = map[string]bool{"account_unverified": true, "account_refused": true, "account_cooling": true, "unsettled": true, "second_person": true, "debt": true, "escrow.blocked": true, "cash_withheld": true}

// money is the seller's register: what there is, what waits, each sale and each
// payout.
func (d *Desk) money(v *site.Visit, seat site.Seat) error {
	p := moneyPage{at: d.at(v, seat, v.T("sell.money"), "/v"), Done: v.Query.Get("fait") != ""}
	var err error
	if p.Balance, err = site.Get[balance](v, "/v1/balance"); err != nil {
		return err
	}
	sales, err := site.Get[page[orders.Listed]](v, "/v1/orders"+query("limit", "20", "cursor", v.Query.Get("suite")))
	if err != nil {
		return err
	}
	pictures, err := d.thumbsOf(v, sales.Data)
	if err != nil {
		return err
	}
	for _, o := range sales.Data {
		if earning(o) {
			p.Rows = append(p.Rows, rowOf(v, o, pictures))
		}
	}
	if n := sales.next(); n != "" {
		p.Next = v.Href("/v/argent", "suite", n)
	}
	if v.Query.Get("suite") != "" {
		return v.Show(moneyView(p))
	}
	out, err := site.Get[page[payout]](v, "/v1/payouts?limit=10")
	if err != nil {
		return err
	}
	for _, x := range out.Data {
		r := payoutRow{payout: x, Tone: payoutTones[x.State], Text: v.T("sell.payout_" + x.State)}
		for _, w := range x.Waits {
			code := w.Code
			if !waitWords[code] {
				code = "other"
			}
			r.Why = append(r.Why, v.T("sell.wait_"+strings.ReplaceAll(code, ".", "_")))
		}
		p.Payouts = append(p.Payouts, r)
	}
	return v.Show(moneyView(p))
}

// earning says whether an order brings the seller money, now or later.
func earning(o orders.Listed) bool {
	switch o.State {
	case orders.PendingPayment, orders.Expired, orders.Cancelled, orders.Refused, orders.Refunded, orders.ToConfirm:
		return false
	}
	return true
}

type withdrawPage struct {
	at
	Balance balance
	Amount  money.Money
	Words   string
	Account *account
	Key     string
	Typed   string
	Sure    bool // the amount was looked at: the key is for paying out
	Wrongs  []ui.Wrong
}

func (d *Desk) withdrawing(v *site.Visit, seat site.Seat) (p withdrawPage, err error) {
	p = withdrawPage{at: d.at(v, seat, v.T("sell.withdraw"), "/v/argent"), Key: site.NewKey()}
	if p.Balance, err = site.Get[balance](v, "/v1/balance"); err != nil {
		return p, err
	}
	p.Account, err = current(v, seat)
	p.Amount = p.Balance.Available
	return p, err
}

// current is the account that the seller is paid to; nil when there is none.
func current(v *site.Visit, seat site.Seat) (*account, error) {
	all, err := site.Get[page[account]](v, "/v1/organisations/"+seat.Organisation+"/bank-accounts?limit=20")
	for _, a := range all.Data {
		if a.State == "current" {
			return &a, err
		}
	}
	return nil, err
}

// withdrawal asks how much to pay out: all that there is, unless another sum is
// typed.
func (d *Desk) withdrawal(v *site.Visit, seat site.Seat) error {
	p, err := d.withdrawing(v, seat)
	if err != nil {
		return err
	}
	p.Words, p.Typed = v.Lang.Words(p.Amount), strings.TrimSuffix(p.Amount.Amount(), ".00")
	if v.Lang != ui.English {
		p.Typed = strings.ReplaceAll(p.Typed, ".", ",")
	}
	return v.Show(withdrawView(p))
}

// withdraw shows the sum once more, in notes and words, and pays it out once the
// seller has said yes to it.
func (d *Desk) withdraw(v *site.Visit, seat site.Seat) error {
	p, err := d.withdrawing(v, seat)
	if err != nil {
		return err
	}
	p.Typed = v.Field("somme")
	m, err := readPrice(p.Typed)
	if err != nil || m.Cmp(p.Balance.Available) > 0 && v.Field("oui") == "" {
		p.Wrongs = []ui.Wrong{{Name: "somme", Text: v.T("sell.wants_sum", "m", v.Sum(p.Balance.Available))}}
		return v.ShowAs(http.StatusUnprocessableEntity, withdrawView(p))
	}
	p.Amount, p.Words = m, v.Lang.Words(m)
	if v.Field("oui") != m.Amount() {
		p.Sure, p.Key = true, v.Key()
		return v.Show(withdrawView(p))
	}
	_, err = site.Post[struct{}](v, "/v1/payouts", map[string]any{"amount": m})
	fault, ok := errors.AsType[*site.Fault](err)
	switch {
	case err == nil:
		return v.Go("/v/argent", "fait", "oui")
	case ok && fault.Status < 500 && fault.Code != "auth.step_up" && fault.Status != http.StatusUnauthorized:
		p.Wrongs = []ui.Wrong{{Name: "somme", Text: v.Explain(err)}}
		return v.ShowAs(http.StatusUnprocessableEntity, withdrawView(p))
	}
	return err
}

// mostPages is how many pieces of a list a statement reads.
const mostPages = 50

// statement is the register as a table for a bookkeeper.
func (d *Desk) statement(v *site.Visit, _ site.Seat) error {
	var b bytes.Buffer
	b.WriteString("\ufeff") // so that spreadsheets read it as UTF-8
	w := csv.NewWriter(&b)
	w.Comma = ';'
	write := func(cells ...string) { _ = w.Write(cells) } // a buffer takes everything; Flush is looked at below
	write(v.T("sell.csv_day"), v.T("sell.csv_what"), v.T("sell.csv_id"), v.T("sell.csv_state"), v.T("sell.csv_price"), v.T("sell.csv_share"), v.T("sell.csv_paid"))
	cursor := ""
	for range mostPages {
		all, err := site.Get[page[orders.Listed]](v, "/v1/orders"+query("limit", "100", "cursor", cursor))
		if err != nil {
			return err
		}
		for _, o := range all.Data {
			if earning(o) && o.Share != nil {
				write(o.CreatedAt.In(clock.Morocco).Format(time.DateOnly), v.T("sell.csv_sale"), o.ID, v.T("sell.state_"+string(o.State)), o.Totals.Total.Amount(), o.Share.Amount(), "")
			}
		}
		if cursor = all.next(); cursor == "" {
			break
		}
	}
	cursor = ""
	for range mostPages {
		all, err := site.Get[page[payout]](v, "/v1/payouts"+query("limit", "100", "cursor", cursor))
		if err != nil {
			return err
		}
		for _, x := range all.Data {
			write(x.CreatedAt.In(clock.Morocco).Format(time.DateOnly), v.T("sell.csv_payout"), x.ID, v.T("sell.payout_"+x.State), "", "", x.Amount.Amount())
		}
		if cursor = all.next(); cursor == "" {
			break
		}
	}
	if w.Flush(); w.Error() != nil {
		return w.Error()
	}
	return hand(v, b.Bytes(), "text/csv; charset=utf-8", "releve.csv")
}
