package recon

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"tiwiza/adapters/bank"
	"tiwiza/payments/charges"
	"tiwiza/payments/ledger"
	"tiwiza/payments/operations"
	"tiwiza/pkg/id"
	"tiwiza/pkg/money"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pg"
)

// A lineRow is a line as it stands, with its statement.
type lineRow struct {
	Line
	Bank    string
	Account string
	Role    string
	At      time.Time
}

// work is a resolution being carried out.
type work struct {
	s  *Service
	tx *pg.Tx
	b  Break
	l  lineRow

	to   []string // what the line is matched with
	gone int64    // how much is written off
	same bool     // the line only repeats another
}

// key is what a posting of the i-th piece is known by.
func (w *work) key(i int) string { return fmt.Sprintf("break:%s/%d", w.b.ID, i) }

// unsuspend takes the break's money out of suspense: what it is comes next, in
// the same commit.
func (w *work) unsuspend(ctx context.Context) error {
	if w.b.Kind != KindSuspense {
		return nil
	}
	x := *w.b.Amount
	return w.s.books.Post(ctx, w.tx, ledger.Transfer{Key: "unsuspend:" + w.b.ID, Kind: "suspense.undone", Currency: w.b.Currency, Legs: []ledger.Leg{
		ledger.Debit(ledger.Suspense(w.l.ID), x), ledger.Credit(ledger.Safeguard(w.l.Bank), x),
	}})
}

// piece books one piece of the break.
func (w *work) piece(ctx context.Context, i int, p Piece) error {
	amount := p.Amount.Centimes()
	if *w.b.Amount < 0 {
		amount = -amount
	}
	switch {
	case p.By == byFee:
		w.to = append(w.to, bankCharge)
		t := charged(w.l.Bank, w.key(i), amount, w.b.Currency)
		if w.l.Role == operating {
			t = onOwn(t, ledger.PSPCost, w.l.Bank, amount)
		}
		return w.book(ctx, t, amount)
	case p.By == byWriteOff:
		w.gone += p.Amount.Centimes()
		w.to = append(w.to, lost)
		return w.book(ctx, w.writeOff(i, amount), amount)
	case w.l.Role == operating:
		return w.ownMatch(ctx, i, p, amount)
	case strings.HasPrefix(p.To, string(id.Line)+"_"):
		return w.line(ctx, p, amount)
	case strings.HasPrefix(p.To, string(id.Charge)+"_"):
		return w.sale(ctx, i, p, amount)
	case strings.HasPrefix(p.To, string(id.Order)+"_"), strings.HasPrefix(p.To, string(id.Remittance)+"_"):
		return ErrTarget.At("/to", "the whole of money that waits in suspense, and nothing else")
	}
	return w.operation(ctx, p, amount)
}

// book posts a transfer that moves the mirror account by amount, and notes that
// the line has it.
func (w *work) book(ctx context.Context, t ledger.Transfer, amount int64) error {
	w.count(amount, w.tx.Now())
	return w.s.books.Post(ctx, w.tx, t)
}

// count notes when the mirror account took in how much of the line. What was in
// suspense is there already.
func (w *work) count(amount int64, at time.Time) {
	if w.b.Kind == KindSuspense {
		return
	}
	w.l.Booked += amount
	insertBooking(w.tx, w.l, amount, at)
}

const (
	lost    = "loss"
	kindOff = "line.written_off"
)

// writeOff gives an amount up: what left is our loss, made good to the clients
// by our own money; what came in excess is a gain, and leaves with the sweep.
func (w *work) writeOff(i int, amount int64) ledger.Transfer {
	t := ledger.Transfer{Key: "off:" + w.key(i), Kind: kindOff, Currency: w.b.Currency}
	switch {
	case w.l.Role == operating:
		return onOwn(t, ledger.Loss, w.l.Bank, amount)
	case amount > 0:
		t.Legs = []ledger.Leg{ledger.Debit(ledger.Safeguard(w.l.Bank), amount), ledger.Credit(ledger.Loss, amount)}
	default:
		t.Legs = []ledger.Leg{
			ledger.Debit(ledger.Loss, -amount), ledger.Debit(ledger.Transit(w.l.Bank), -amount),
			ledger.Credit(ledger.Safeguard(w.l.Bank), -amount), ledger.Credit(ledger.Operating(w.l.Bank), -amount),
		}
	}
	return t
}

// onOwn books a movement of our own account against another.
func onOwn(t ledger.Transfer, against, of string, amount int64) ledger.Transfer {
	t.Legs = []ledger.Leg{{Account: ledger.Operating(of), Amount: amount}, {Account: against, Amount: -amount}}
	return t
}

// ownMatch says what a movement of our own account was.
func (w *work) ownMatch(ctx context.Context, i int, p Piece, amount int64) error {
	w.to = append(w.to, p.To)
	t := ledger.Transfer{Key: w.key(i), Currency: w.b.Currency}
	switch {
	case p.To == "booked": // the books have it by a transfer of people's
		w.count(amount, w.l.At)
		return nil
	case p.To == "capital" && amount > 0:
		t.Kind = "capital"
		return w.book(ctx, onOwn(t, ledger.Capital, w.l.Bank, amount), amount)
	case p.To == "vat" && amount < 0:
		t.Kind = "vat.paid"
		return w.book(ctx, onOwn(t, ledger.VAT, w.l.Bank, amount), amount)
	}
	return ErrTarget.At("/to", "of our own account: capital that came, vat that left, or booked")
}

// sale matches money with a charge that the acquirer settled with it.
func (w *work) sale(ctx context.Context, i int, p Piece, amount int64) error {
	c, err := w.s.charges.ByID(ctx, w.tx, p.To)
	if errors.Is(err, charges.ErrNotFound) || amount < 0 || err == nil && c.Acquirer == "" {
		return ErrTarget.At("/to", "money that came, and a charge of an acquirer's")
	}
	if err != nil {
		return err
	}
	d := bank.Detail{Ref: c.Ref, Amount: p.Amount, Gross: p.Amount, Fee: p.Amount.Sub(p.Amount)}
	if p.Fee != nil {
		d.Gross, d.Fee = d.Gross.Add(*p.Fee), *p.Fee
	}
	if _, err := w.s.charges.Settle(ctx, w.tx, c.Acquirer, c.Ref, d.Gross.Centimes(), w.b.Currency); err != nil {
		if ours(err) {
			return err
		}
		return ErrUnfit.Say("This does not fit: %s. The charge is %s.", reason(err, d), c.Money())
	}
	w.to = append(w.to, c.ID)
	st := newSettlement(w.l.Bank, w.key(i), w.b.Currency)
	st.paid(c.Acquirer, d)
	w.count(amount, w.tx.Now())
	return st.post(ctx, w.tx, w.s.books)
}

// operation matches a line with a payment of ours: it is the statement's word.
func (w *work) operation(ctx context.Context, p Piece, amount int64) error {
	o, err := w.s.asked(ctx, w.tx, w.l.Bank, p.To)
	if err != nil {
		return err
	}
	if o.Amount != p.Amount.Centimes() || o.Currency != w.b.Currency {
		return ErrUnfit.Say("%s is %s.", o.Subject, money.FromCentimes(o.Amount, o.Currency))
	}
	event := "break " + w.b.ID + " " + o.Ref
	w.to = append(w.to, o.Subject)
	if amount > 0 != comesIn(o) {
		if !o.Returnable() {
			return ErrUnfit.Say("%s is %s: only what was paid can come back.", o.Subject, o.State)
		}
		w.count(amount, w.tx.Now())
		_, err = w.s.ops.CameBack(ctx, w.tx, o, "matched by hand", event)
		return err
	}
	shown, err := w.s.ops.Shown(ctx, w.tx, o.ID)
	if err != nil {
		return err
	}
	when := w.tx.Now()
	switch {
	case o.State == operations.Confirmed && !shown: // booked when people confirmed it
		when = w.l.At
	case o.State == operations.Confirmed || o.State == operations.Returned || shown:
		return ErrSecond
	}
	w.count(amount, when)
	o, err = w.s.ops.Heard(ctx, w.tx, o.ID, operations.Statement, outbound.Result{Outcome: outbound.Succeeded, Text: "matched by hand"}, event)
	if err == nil && o.State != operations.Confirmed && o.ContradictedAt == nil { // its domain books what was paid after a refusal
		err = ErrUnfit.Say("%s is %s.", o.Subject, o.State)
	}
	return err
}

// asked is the operation a name stands for: its own, or the last one of its
// subject at this bank.
func (s *Service) asked(ctx context.Context, tx *pg.Tx, of, name string) (operations.Operation, error) {
	all, err := s.ops.Of(ctx, tx, name)
	if err != nil {
		return operations.Operation{}, err
	}
	for _, o := range slices.Backward(all) {
		if o.Connector == of {
			return s.ops.Find(ctx, tx, of, o.Ref)
		}
	}
	o, err := s.ops.ByID(ctx, tx, name)
	if errors.Is(err, operations.ErrNotFound) || err == nil && o.Connector != of {
		return o, ErrTarget.At("/to", "nothing of this name was asked of the bank "+of)
	}
	return o, err
}

// line matches a line with one it repeats, or with the bank's correction.
func (w *work) line(ctx context.Context, p Piece, amount int64) error {
	other, err := lockLine(ctx, w.tx, p.To)
	if errors.Is(err, ErrNoBreak) {
		return ErrTarget.At("/to", "there is no such line")
	}
	if err != nil {
		return err
	}
	whole := amount == w.l.Amount && other.Bank == w.l.Bank && other.Account == w.l.Account && other.ID != w.l.ID && other.Currency == w.l.Currency
	switch {
	case whole && w.l.repeats(other) && w.b.Kind == KindUnmatched:
		w.same = true
		w.to = append(w.to, other.ID)
		return nil
	case whole && other.Amount == -amount:
		return w.correct(ctx, other)
	}
	return ErrUnfit.Say("Lines go together when one repeats the other, or takes back exactly what it brought, at the same account.")
}

// repeats says whether two lines may be one movement: of the same amount and day,
// by the bank's reference where both have one, else in different statements. A
// format may have cut one of the references.
func (l lineRow) repeats(other lineRow) bool {
	if l.Amount != other.Amount || !l.BookedOn.Equal(other.BookedOn) {
		return false
	}
	if l.BankRef != "" && other.BankRef != "" {
		return l.BankRef == other.BankRef || alike(l.BankRef, other.BankRef) && l.Statement != other.Statement
	}
	return l.Statement != other.Statement
}

// correct lets two lines of opposite amounts end each other. What came stands
// in suspense, or neither was booked.
func (w *work) correct(ctx context.Context, other lineRow) error {
	b, err := openOfLine(ctx, w.tx, other.ID)
	if err != nil {
		return err
	}
	if b.size() != w.b.size() {
		return ErrUnfit.Say("A part of line %s has been explained.", other.ID)
	}
	o := work{s: w.s, tx: w.tx, b: b, l: other}
	if err := o.unsuspend(ctx); err != nil {
		return err
	}
	// One takes back what the other brought. Out of suspense is how the later one
	// is booked; where neither was, together they move nothing.
	w.count(*w.b.Amount, w.tx.Now())
	o.count(*b.Amount, w.tx.Now())
	subject := w.l.MatchedTo + other.MatchedTo
	w.to, o.to = append(w.to, orLine(subject, other.ID)), append(o.to, orLine(subject, w.l.ID))
	if _, err := w.s.done(ctx, w.tx, b, Resolution{By: byMatch, Pieces: []Piece{{By: byMatch, To: w.l.ID, Amount: money.FromCentimes(b.size(), b.Currency)}}}, "with "+w.b.ID); err != nil {
		return err
	}
	return o.finish(ctx)
}

func orLine(subject, line string) string {
	if subject == "" {
		return line
	}
	return subject
}

// finish writes into the line what became of it.
func (w *work) finish(ctx context.Context) error {
	open, err := stillOpen(ctx, w.tx, w.l.ID, w.b.ID)
	if err != nil {
		return err
	}
	l := w.l.Line
	switch {
	case open > 0:
		l.State = Partly
	case w.same:
		l.State = Noted
	case w.gone == max(l.Amount, -l.Amount):
		l.State = WrittenOff
	default:
		l.State = Matched
	}
	l.Why = join(l.Why, byHand.Of(w.b.ID))
	for _, to := range w.to {
		if !slices.Contains(strings.Split(l.MatchedTo, "; "), to) {
			l.MatchedTo = join(l.MatchedTo, to)
		}
	}
	saveLine(w.tx, l)
	return nil
}
