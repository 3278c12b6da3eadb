package remote

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"tiwiza/adapters/bank"
	"tiwiza/pkg/money"
	"tiwiza/pkg/strict"
)

// A message is a report on a batch or a statement; kind says which.
type (
	report struct {
		Kind     string `json:"kind"`
		ID       string `json:"id"`
		Batch    string `json:"batch"`
		State    string `json:"state"`
		Reason   string `json:"reason"`
		Text     string `json:"text"`
		Payments []struct {
			Ref    string `json:"ref"`
			State  string `json:"state"`
			Reason string `json:"reason"`
			Text   string `json:"text"`
		} `json:"payments"`
	}
	statement struct {
		Kind     string       `json:"kind"`
		ID       string       `json:"id"`
		Account  string       `json:"account"`
		Currency string       `json:"currency"`
		Sequence int64        `json:"sequence"`
		Created  time.Time    `json:"created_at"`
		On       string       `json:"on"`
		Opening  *money.Money `json:"opening"`
		Closing  *money.Money `json:"closing"`
		Entries  []entry      `json:"entries"`
	}
	entry struct {
		ID       string      `json:"id"`
		Amount   money.Money `json:"amount"`
		Booked   string      `json:"booked_on"`
		Value    string      `json:"value_on"`
		Code     string      `json:"code"`
		Charge   bool        `json:"charge"`
		Reversal bool        `json:"reversal"`
		Info     string      `json:"info"`
		Batch    string      `json:"batch"`
		Details  []detail    `json:"details"`
	}
	detail struct {
		Ref          string       `json:"ref"`
		Amount       money.Money  `json:"amount"`
		Gross        *money.Money `json:"gross"`
		ID           string       `json:"id"`
		Info         string       `json:"info"`
		Counterparty string       `json:"counterparty"`
		Account      string       `json:"account"`
		ReturnReason string       `json:"return_reason"`
		ReturnText   string       `json:"return_text"`
	}
)

// standings are the states of the protocol.
var standings = []bank.Standing{bank.Taken, bank.Pending, bank.Accepted, bank.Partial, bank.Settled, bank.Rejected, bank.Again}

// Read understands a message: ErrUnreadable.
func (d *Bank) Read(r bank.Received) (bank.Message, error) { return readMessage(r.Bytes) }

func readMessage(body []byte) (m bank.Message, err error) {
	var head struct {
		Kind string `json:"kind"`
		ID   string `json:"id"`
	}
	if err := strict.Object(body, &head); err != nil {
		return m, bank.ErrUnreadable.With(err)
	}
	m.ID = head.ID
	switch head.Kind {
	case "report":
		m.Report, err = readReport(body)
	case "statement":
		var s bank.Statement
		if s, err = readStatement(body); err == nil {
			m.Statements = []bank.Statement{s}
		}
	default:
		err = fmt.Errorf("the kind %q is not known", cut(head.Kind, 40))
	}
	if err == nil && head.ID == "" {
		err = errors.New("it has no id")
	}
	if err != nil {
		return bank.Message{}, bank.ErrUnreadable.With(err)
	}
	return m, nil
}

func readReport(body []byte) (*bank.Report, error) {
	var in report
	if err := strict.Object(body, &in); err != nil {
		return nil, err
	}
	if in.Batch == "" {
		return nil, errors.New("the report names no batch")
	}
	out := &bank.Report{ID: in.ID, OriginalID: in.Batch, Group: bank.Standing(in.State), Reason: in.Reason, Text: cut(in.Text, 200)}
	if !slices.Contains(standings, out.Group) {
		return nil, fmt.Errorf("the state %q is not one of the protocol's", cut(in.State, 40))
	}
	seen := map[string]bool{}
	for i, p := range in.Payments {
		s := bank.Standing(p.State)
		if !slices.Contains(standings, s) || s == bank.Partial || p.Ref == "" || seen[p.Ref] {
			return nil, fmt.Errorf("payments[%d]: %q with the state %q", i, cut(p.Ref, 40), cut(p.State, 40))
		}
		seen[p.Ref] = true
		out.Items = append(out.Items, bank.Item{Ref: p.Ref, Standing: s, Reason: p.Reason, Text: cut(p.Text, 200)})
	}
	return out, nil
}

func readStatement(body []byte) (s bank.Statement, err error) {
	var in statement
	if err := strict.Object(body, &in); err != nil {
		return s, err
	}
	on, err := time.Parse(time.DateOnly, in.On)
	switch {
	case err != nil:
		return s, fmt.Errorf("on: %w", err)
	case in.Opening == nil || in.Closing == nil:
		return s, errors.New("a statement has an opening and a closing balance")
	case in.Account == "" || in.Currency == "" || in.Sequence < 1:
		return s, errors.New("a statement names its account, its currency and its number")
	case in.Opening.Currency() != in.Currency || in.Closing.Currency() != in.Currency:
		return s, errors.New("the balances are in another currency than the account")
	}
	s = bank.Statement{
		Kind: bank.OfAccount, ID: in.ID, Account: in.Account, Currency: in.Currency, Sequence: in.Sequence, Page: 1, LastPage: true,
		Created: in.Created, On: on, From: on, To: on, Opening: *in.Opening, Closing: *in.Closing, HasBalances: true,
	}
	seen := map[string]bool{}
	for i, e := range in.Entries {
		if e.ID == "" || seen[e.ID] {
			return s, fmt.Errorf("entries[%d]: the id %q is missing or comes twice", i, cut(e.ID, 80))
		}
		seen[e.ID] = true
		out, err := e.entry(in.Currency)
		if err != nil {
			return s, fmt.Errorf("entries[%d]: %w", i, err)
		}
		s.Entries = append(s.Entries, out)
	}
	return s, nil
}

// entry is a line; its details add up to it, or there are none.
func (e entry) entry(currency string) (out bank.Entry, err error) {
	out = bank.Entry{
		Amount: e.Amount, Booked: true, Reversal: e.Reversal, Ref: e.ID, BankRef: e.ID, Info: cut(e.Info, 500), Code: cut(e.Code, 40),
		Charge: e.Charge, Batch: e.Batch,
	}
	if e.Amount.Currency() != currency || e.Amount.IsZero() {
		return out, fmt.Errorf("an amount other than nothing, in %s", currency)
	}
	if out.BookedOn, err = time.Parse(time.DateOnly, e.Booked); err != nil {
		return out, fmt.Errorf("booked_on: %w", err)
	}
	if out.ValueOn = out.BookedOn; e.Value != "" {
		if out.ValueOn, err = time.Parse(time.DateOnly, e.Value); err != nil {
			return out, fmt.Errorf("value_on: %w", err)
		}
	}
	for i, d := range e.Details {
		if d.Amount.Currency() != currency || d.Gross != nil && d.Gross.Currency() != currency {
			return out, fmt.Errorf("details[%d]: an amount in %s", i, currency)
		}
		out.Details = append(out.Details, d.detail())
	}
	if len(out.Details) > 0 && !out.Explained() {
		return out, errors.New("the details do not add up to the line")
	}
	return out, nil
}

func (d detail) detail() bank.Detail {
	gross := d.Amount
	if d.Gross != nil {
		gross = *d.Gross
	}
	return bank.Detail{
		Ref: d.Ref, BankRef: d.ID, Amount: d.Amount, Gross: gross, Fee: gross.Sub(d.Amount), ReturnReason: d.ReturnReason, ReturnText: cut(d.ReturnText, 200),
		Info: cut(d.Info, 500), Counterparty: cut(d.Counterparty, 140), CounterpartyAccount: d.Account,
	}
}
