package berlin

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"tiwiza/adapters/bank"
	"tiwiza/pkg/money"
	"tiwiza/pkg/strict"
)

// standings are the transaction statuses of the standard (ISO 20022).
var standings = map[string]bank.Standing{
	"RCVD": bank.Taken,
	"PDNG": bank.Pending, "PATC": bank.Pending,
	"ACTC": bank.Accepted, "ACFC": bank.Accepted, "ACCP": bank.Accepted, "ACSP": bank.Accepted, "ACWC": bank.Accepted, "ACWP": bank.Accepted,
	"ACSC": bank.Settled, "ACCC": bank.Settled,
	"PART": bank.Partial,
	"RJCT": bank.Rejected, "CANC": bank.Rejected,
}

// last are the statuses after which no other comes.
var last = []string{"ACSC", "ACCC", "RJCT", "CANC"}

// statusIn is the status in an answer about an order.
func statusIn(body []byte) (string, error) {
	var in struct {
		Status string `json:"transactionStatus"`
	}
	if err := strict.Object(body, &in); err != nil {
		return "", fmt.Errorf("read the standing of an order: %w", err)
	}
	if standings[in.Status] == "" {
		return "", fmt.Errorf("the standing %q is not one of the standard's", cut(in.Status, 40))
	}
	return in.Status, nil
}

// The parts of a list of transactions that the hub reads.
type (
	page struct {
		Account      *reference `json:"account"`
		Transactions *struct {
			Booked  []transaction `json:"booked"`
			Pending []transaction `json:"pending"`
			Links   map[string]struct {
				Href string `json:"href"`
			} `json:"_links"`
		} `json:"transactions"`
		Balances []balance `json:"balances"`
	}
	balance struct {
		Amount amount `json:"balanceAmount"`
		Type   string `json:"balanceType"`
	}
	transaction struct {
		ID           string     `json:"transactionId"`
		Entry        string     `json:"entryReference"`
		EndToEnd     string     `json:"endToEndId"`
		Booked       string     `json:"bookingDate"`
		Value        string     `json:"valueDate"`
		Amount       amount     `json:"transactionAmount"`
		CreditorName string     `json:"creditorName"`
		Creditor     *reference `json:"creditorAccount"`
		DebtorName   string     `json:"debtorName"`
		Debtor       *reference `json:"debtorAccount"`
		Info         string     `json:"remittanceInformationUnstructured"`
		More         string     `json:"additionalInformation"`
		Code         string     `json:"bankTransactionCode"`
		After        *balance   `json:"balanceAfterTransaction"`
		Details      []part     `json:"entryDetails"`
	}
	part struct {
		EndToEnd     string     `json:"endToEndId"`
		Amount       amount     `json:"transactionAmount"`
		CreditorName string     `json:"creditorName"`
		Creditor     *reference `json:"creditorAccount"`
		DebtorName   string     `json:"debtorName"`
		Debtor       *reference `json:"debtorAccount"`
		Info         string     `json:"remittanceInformationUnstructured"`
	}
)

// readPage reads one page of an account's transactions, and refuses another's.
func readPage(body []byte, rib string) (p page, err error) {
	if err := strict.Object(body, &p); err != nil {
		return p, fmt.Errorf("read the transactions: %w", err)
	}
	if p.Transactions == nil {
		return p, errors.New("there are no transactions in the answer")
	}
	if p.Account != nil && (p.Account.IBAN != "" || p.Account.BBAN != "") && p.Account.rib() != rib {
		return p, errors.New("the transactions are of another account")
	}
	return p, nil
}

// id is what the bank knows a transaction by.
func (t transaction) id() string {
	if t.Entry != "" {
		return t.Entry
	}
	return t.ID
}

// refs are the references of a transaction, each with its amount.
func (t transaction) refs() []part {
	return append([]part{{EndToEnd: t.EndToEnd, Amount: t.Amount}}, t.Details...)
}

// money reads an amount: "-1.50", "1056", and "12.500" where the last digit is
// nothing.
func (a amount) money() (money.Money, error) {
	text, whole := a.Amount, ""
	if i := strings.IndexByte(text, '.'); i >= 0 {
		whole = text[:i]
		if places := text[i+1:]; len(places) == 3 && places[2] == '0' {
			text = whole + "." + places[:2]
		}
	}
	m, err := money.Parse(text, a.Currency)
	if err != nil {
		return m, fmt.Errorf("the amount %q %q: %w", cut(a.Amount, 40), cut(a.Currency, 8), err)
	}
	return m, nil
}

// Read understands what Waiting fetched: ErrUnreadable.
func (d *Driver) Read(r bank.Received) (m bank.Message, err error) {
	var head struct {
		Kind string `json:"kind"`
	}
	if err := json.Unmarshal(r.Bytes, &head); err != nil {
		return m, bank.ErrUnreadable.With(err)
	}
	switch head.Kind {
	case "status":
		m.Report, err = readStatus(r.Bytes)
		if err == nil {
			m.ID = m.Report.ID
		}
	case "transactions":
		var s bank.Statement
		if s, err = readWindow(r.Bytes); err == nil {
			m.ID, m.Statements = s.ID, []bank.Statement{s}
		}
	default:
		err = fmt.Errorf("the kind %q is not known", cut(head.Kind, 40))
	}
	if err != nil {
		return bank.Message{}, bank.ErrUnreadable.With(err)
	}
	return m, nil
}

// readStatus is the bank's word on a whole order: the standard has none on its
// parts. A refusal is of the order itself, by its own name, so it is final.
func readStatus(body []byte) (*bank.Report, error) {
	var s said
	if err := strict.Object(body, &s); err != nil {
		return nil, err
	}
	if s.Batch == "" || s.Payment == "" {
		return nil, errors.New("the report names no order")
	}
	var in struct {
		Message string `json:"psuMessage"`
		Said    []struct {
			Code string `json:"code"`
			Text string `json:"text"`
		} `json:"tppMessage"`
	}
	status, err := statusIn(s.Answer)
	if err == nil {
		err = strict.Object(s.Answer, &in)
	}
	if err != nil {
		return nil, err
	}
	out := &bank.Report{ID: s.Payment + "-" + status, OriginalID: s.Batch, Group: standings[status], Text: cut(in.Message, 200)}
	if len(in.Said) > 0 {
		out.Text = cut(strings.TrimSpace(in.Said[0].Code+" "+in.Said[0].Text), 200)
	}
	if out.Group == bank.Rejected {
		out.Reason, out.Final = status, true
	}
	return out, nil
}

// readWindow makes a statement of what was booked and not taken in before.
func readWindow(body []byte) (s bank.Statement, err error) {
	var w window
	if err := json.Unmarshal(body, &w); err != nil {
		return s, err
	}
	if w.Sequence < 1 || bank.CheckRIB(w.Account) != nil {
		return s, errors.New("it names no account or number")
	}
	s = bank.Statement{
		Kind: bank.OfAccount, ID: fmt.Sprintf("%s-%06d", w.Account, w.Sequence), Account: w.Account, Currency: money.MAD, Sequence: w.Sequence, Page: 1, LastPage: true,
	}
	seen := map[string]bool{}
	for _, id := range w.Known {
		seen[id] = true
	}
	sum := money.Dirhams(0)
	var after, told []amount
	for _, raw := range w.Pages {
		p, err := readPage(raw, w.Account)
		if err != nil {
			return s, err
		}
		told = append(told, booked(p.Balances)...)
		for _, t := range p.Transactions.Booked {
			if t.id() == "" {
				return s, errors.New("a transaction has neither entryReference nor transactionId")
			}
			if seen[t.id()] {
				continue // taken in before, or on two pages while the list moved on
			}
			seen[t.id()] = true
			e, err := t.entry()
			if err != nil {
				return s, fmt.Errorf("transaction %s: %w", cut(t.id(), 40), err)
			}
			if t.After != nil {
				after = append(after, t.After.Amount)
			}
			s.Entries, sum = append(s.Entries, e), sum.Add(e.Amount)
		}
	}
	slices.SortStableFunc(s.Entries, func(a, b bank.Entry) int { return a.BookedOn.Compare(b.BookedOn) })
	if len(s.Entries) > 0 {
		s.From, s.To = s.Entries[0].BookedOn, s.Entries[len(s.Entries)-1].BookedOn
		s.On, s.Created = s.To, s.To
	}
	return s, balances(&s, w.Opening, sum, told, after)
}

// booked are the balances of all that was booked up to now, the best first.
func booked(all []balance) (out []amount) {
	for _, kind := range []string{"interimBooked", "closingBooked"} {
		for _, b := range all {
			if b.Type == kind {
				out = append(out, b.Amount)
			}
		}
	}
	return out
}

// balances gives a statement its balances: the opening is the closing of the one
// before, the closing is the bank's word. At the very first there is nothing to
// hold it against; without a word of the bank that fits there is none, and people
// look.
func balances(s *bank.Statement, opening *amount, sum money.Money, told, after []amount) (err error) {
	if opening != nil {
		if s.Opening, err = opening.money(); err != nil {
			return fmt.Errorf("the opening balance: %w", err)
		}
	}
	if len(told) > 0 {
		if s.Closing, err = told[0].money(); err != nil {
			return fmt.Errorf("the closing balance: %w", err)
		}
		if opening == nil {
			s.Opening = s.Closing.Sub(sum)
		}
		s.HasBalances = true
		return nil
	}
	for _, a := range after {
		m, err := a.money()
		if err != nil {
			return fmt.Errorf("the balance after a transaction: %w", err)
		}
		if opening != nil && m.Equal(s.Opening.Add(sum)) {
			s.Closing, s.HasBalances = m, true
		}
	}
	return nil
}

// entry is a transaction as a line.
func (t transaction) entry() (e bank.Entry, err error) {
	e = bank.Entry{Booked: true, Ref: t.id(), BankRef: t.id(), Info: cut(t.Info+t.More, 500), Code: strings.ReplaceAll(cut(t.Code, 40), "-", "/")}
	if e.Amount, err = t.Amount.money(); err != nil {
		return e, err
	}
	if e.Amount.Currency() != money.MAD || e.Amount.IsZero() {
		return e, errors.New("an amount in MAD other than nothing is wanted")
	}
	if e.BookedOn, err = time.Parse(time.DateOnly, t.Booked); err != nil {
		return e, fmt.Errorf("bookingDate: %w", err)
	}
	if e.ValueOn = e.BookedOn; t.Value != "" {
		if e.ValueOn, err = time.Parse(time.DateOnly, t.Value); err != nil {
			return e, fmt.Errorf("valueDate: %w", err)
		}
	}
	if family := strings.Split(e.Code, "/"); len(family) == 3 {
		e.Charge = slices.Contains([]string{"CHRG", "FEES", "COMM"}, family[2])
		e.Reversal = slices.Contains([]string{"RRTN", "RRCT", "RVSL"}, family[2])
	}
	parts := t.Details
	if len(parts) == 0 {
		parts = []part{{t.EndToEnd, t.Amount, t.CreditorName, t.Creditor, t.DebtorName, t.Debtor, t.Info}}
	}
	for _, p := range parts {
		d, err := p.detail(t.id(), e.Amount.Sign())
		if err != nil {
			return e, err
		}
		e.Details = append(e.Details, d)
	}
	if !e.Explained() {
		unsigned(&e)
	}
	return e, nil
}

// unsigned gives the parts of a debit their sign where the bank leaves it out of
// all of them. Parts that do not add up either way are left as they came: people
// look at such a line.
func unsigned(e *bank.Entry) {
	turned := *e
	turned.Details = slices.Clone(e.Details)
	for i, d := range turned.Details {
		if d.Amount.Sign() < 0 {
			return
		}
		turned.Details[i].Amount = d.Amount.Neg()
		turned.Details[i].Gross = turned.Details[i].Amount
	}
	if turned.Explained() {
		*e = turned
	}
}

// detail is a part of a line.
func (p part) detail(id string, sign int) (d bank.Detail, err error) {
	d = bank.Detail{BankRef: id, Info: cut(p.Info, 500)}
	if p.EndToEnd != "NOTPROVIDED" {
		d.Ref = p.EndToEnd
	}
	if d.Amount, err = p.Amount.money(); err != nil {
		return d, err
	}
	d.Gross, d.Fee = d.Amount, money.Dirhams(0)
	name, to := p.DebtorName, p.Debtor
	if sign < 0 && (p.Creditor != nil || p.CreditorName != "") || to == nil && name == "" { // a payment that came back names whom it was for
		name, to = p.CreditorName, p.Creditor
	}
	if d.Counterparty = cut(name, 140); to != nil {
		d.CounterpartyAccount = to.BBAN
		if to.IBAN != "" {
			d.CounterpartyAccount = to.IBAN
		}
	}
	return d, nil
}

// after is the cursor once a window was taken in.
func (w window) after() (c cursor, err error) {
	text, err := json.Marshal(w)
	if err != nil {
		return c, err
	}
	s, err := readWindow(text)
	if err != nil {
		return c, err
	}
	c = cursor{Sequence: w.Sequence}
	if s.HasBalances {
		closing := amount{s.Closing.Currency(), s.Closing.Amount()}
		c.Closing = &closing
	}
	days := map[string]string{}
	for _, raw := range w.Pages {
		p, err := readPage(raw, w.Account)
		if err != nil {
			return c, err
		}
		for _, t := range p.Transactions.Booked {
			days[t.id()] = t.Booked
			c.Last = max(c.Last, t.Booked)
		}
	}
	latest, err := time.Parse(time.DateOnly, c.Last)
	if err != nil {
		return c, fmt.Errorf("bookingDate: %w", err)
	}
	from := latest.AddDate(0, 0, -again).Format(time.DateOnly)
	for id, day := range days {
		if day >= from {
			c.Known = append(c.Known, id)
		}
	}
	slices.Sort(c.Known)
	return c, nil
}
