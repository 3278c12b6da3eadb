package recon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"tiwiza/adapters/bank"
	"tiwiza/pkg/id"
	"tiwiza/pkg/pg"
)

// statement books a statement's lines. One that was read before changes
// nothing, also when it comes under another name; one of the same name with
// another content is refused.
func (s *Service) statement(ctx context.Context, tx *pg.Tx, h House, file string, st bank.Statement) (Read, error) {
	sum := content(st)
	before, isKnown, err := look(ctx, tx, h, st, sum)
	if err != nil || isKnown {
		return before, err
	}
	told, err := s.repeats(ctx, tx, h.Bank.ID(), st)
	if err != nil {
		return before, err
	}
	r := Read{ID: id.New(id.Statement), Entries: len(st.Entries)}
	for i, e := range st.Entries {
		l := Line{
			ID: id.New(id.Line), Statement: r.ID, No: i + 1, Amount: e.Amount.Centimes(), Currency: e.Amount.Currency(), BankRef: e.BankRef, BookedOn: e.BookedOn,
			Code: e.Code, Info: e.Info, Details: e.Details,
		}
		if err := s.entry(ctx, tx, h, st, told, e, l, &r); err != nil {
			return r, fmt.Errorf("line %d of statement %s: %w", i+1, st.ID, err)
		}
	}
	insertStatement(tx, h.Bank.ID(), file, h.role(st.Account), st, sum, r)
	if st.Kind == bank.Notification {
		return r, nil
	}
	if err := s.sequence(ctx, tx, h.Bank.ID(), r.ID, st); err != nil {
		return r, err
	}
	return r, s.reopened(ctx, tx, h.Bank.ID(), r.ID, st)
}

// look says whether a statement was read before, or why it can never be.
func look(ctx context.Context, tx *pg.Tx, h House, st bank.Statement, sum []byte) (Read, bool, error) {
	if h.role(st.Account) == "" {
		return Read{}, false, ErrForeign
	}
	if err := st.Check(); err != nil {
		return Read{}, false, err
	}
	if err := oneCurrency(st); err != nil {
		return Read{}, false, err
	}
	before, err := known(ctx, tx, h.Bank.ID(), st, sum)
	switch {
	case errors.Is(err, errNoFile):
		return Read{}, false, nil
	case err == nil && string(before.Content) != string(sum):
		return Read{}, false, ErrDiffers
	}
	return before.Read, err == nil, err
}

// oneCurrency refuses what would be booked in another currency than it is.
func oneCurrency(st bank.Statement) error {
	for i, e := range st.Entries {
		if e.Amount.Currency() != st.Currency {
			return ErrMixed.With(fmt.Errorf("entry %d of %s is in %s, the account in %s", i+1, st.ID, e.Amount.Currency(), st.Currency))
		}
	}
	return nil
}

// known is the statement of this name, else one that says exactly the same
// under another.
func known(ctx context.Context, tx *pg.Tx, of string, st bank.Statement, sum []byte) (statementRow, error) {
	before, err := statementByName(ctx, tx, of, st)
	if errors.Is(err, errNoFile) && st.Kind == bank.OfAccount && len(st.Entries) > 0 {
		return statementByContent(ctx, tx, of, st, sum)
	}
	return before, err
}

// entry makes something of one entry, and keeps it with what people must look
// at.
func (s *Service) entry(ctx context.Context, tx *pg.Tx, h House, st bank.Statement, told *repeats, e bank.Entry, l Line, r *Read) (err error) {
	if st.Kind == bank.Notification || !e.Booked {
		v := verdict{state: Noted}
		if !e.Booked {
			v.why = notBooked.English
		}
		l.State, l.Why, l.Ref = v.state, v.why, details(e)[0].Ref
		insertLine(tx, l)
		return nil
	}
	if e, err = s.borrow(ctx, tx, h, st, e); err != nil {
		return err
	}
	l.Details = e.Details
	parts, err := s.line(ctx, tx, h, st, told, e, l)
	if err != nil {
		return err
	}
	v := whole(parts)
	l.State, l.MatchedTo, l.Why, l.Booked = v.state, v.to, v.why, booked(parts)
	l.Ref = details(e)[0].Ref
	insertLine(tx, l)
	if l.Booked != 0 {
		insertBooking(tx, lineRow{Line: l, Bank: h.Bank.ID(), Account: st.Account}, l.Booked, tx.Now())
	}
	switch v.state {
	case Matched:
		r.Matched++
		return nil
	case Partly:
		r.Partly++
	default:
		r.Unmatched++
	}
	slog.WarnContext(ctx, "a statement line matches nothing", "partner", h.Bank.ID(), "line", l.ID, "amount", e.Amount.String(), "ref", l.Ref, "why", v.why)
	return s.broken(ctx, tx, h, st, e, l, parts)
}

// borrow gives an entry that does not say what it gathers the details of the
// same entry in a notification, which came before and said it.
func (s *Service) borrow(ctx context.Context, tx *pg.Tx, h House, st bank.Statement, e bank.Entry) (bank.Entry, error) {
	if e.BankRef == "" || len(e.Details) > 1 || len(e.Details) == 1 && e.Details[0].Ref != "" {
		return e, nil
	}
	told, err := notified(ctx, tx, h.Bank.ID(), st.Account, e)
	if errors.Is(err, errNoFile) {
		return e, nil
	}
	if err != nil {
		return e, err
	}
	with := e
	with.Details = told
	if !with.Explained() {
		return e, nil
	}
	return with, nil
}

// sequence opens a break where no statement leads up to a statement's opening
// balance or its number, and resolves those that a late one fills.
func (s *Service) sequence(ctx context.Context, tx *pg.Tx, of, statement string, st bank.Statement) error {
	around, err := neighbours(ctx, tx, of, st.Account, statement)
	if err != nil {
		return err
	}
	for i := 1; i < len(around); i++ {
		was, is := around[i-1], around[i]
		why := gap(was, is)
		if why == "" {
			if err := resolveGap(ctx, tx, is.ID); err != nil {
				return err
			}
			continue
		}
		b := Break{ID: id.New(breakID), Kind: KindGap, Bank: of, About: is.StatementID, Statement: &is.ID, Currency: is.Currency, Why: why}
		if is.Opening != nil && was.Closing != nil {
			missing := *is.Opening - *was.Closing
			b.Amount = &missing
		} else {
			b.Currency = ""
		}
		b.Suggestion = &Suggestion{Reason: hintAskBetween.Of(was.StatementID, is.StatementID)}
		insertGap(tx, b)
	}
	return nil
}

// A neighbour is a statement beside another.
type neighbour struct {
	ID, StatementID  string
	Sequence         int64
	Page, Year       int
	Opening, Closing *int64
	Currency         string
}

// gap says what is missing between two statements of an account, or "". Banks
// begin to count anew each year, and some do not count at all.
func gap(was, is neighbour) string {
	switch {
	case was.Closing != nil && is.Opening != nil && *was.Closing != *is.Opening:
		return gapOpening.English
	case was.Year == is.Year && was.Sequence > 0 && is.Sequence > was.Sequence+1:
		return gapMissing.Of(was.Sequence+1, is.Sequence-1)
	case was.Year == is.Year && was.Sequence > 0 && is.Sequence == was.Sequence && is.Page == was.Page:
		return gapTwice.Of(is.Sequence, was.StatementID)
	}
	return ""
}
