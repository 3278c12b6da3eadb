package recon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"tiwiza/adapters/bank"
	"tiwiza/payments/charges"
	"tiwiza/payments/files"
	"tiwiza/payments/ledger"
	"tiwiza/payments/operations"
	"tiwiza/pkg/id"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pg"
)

// Books is what reconciliation asks of the ledger.
type Books interface {
	Post(ctx context.Context, tx *pg.Tx, t ledger.Transfer) error
}

// Charges is what reconciliation tells charges.
type Charges interface {
	Acquirers() []string
	Settle(ctx context.Context, tx *pg.Tx, acquirer, ref string, gross int64, currency string) (charges.Charge, error)
}

// A House is a bank with the accounts we have there.
type House struct {
	Bank                 *bank.Bank
	Safeguard, Operating string // RIBs
}

// Service reads statements and reports.
type Service struct {
	db      *pg.Store
	books   Books
	charges Charges
	ops     *operations.Engine
	houses  []House
}

// New makes the service.
func New(db *pg.Store, books Books, c Charges, ops *operations.Engine, houses []House) *Service {
	return &Service{db, books, c, ops, houses}
}

// Read is what came of one statement.
type Read struct {
	ID        string
	Entries   int
	Matched   int
	Partly    int
	Unmatched int
}

// Take takes in a bank's file once, however often and under whatever name it
// comes. What it says and that it was read commit together.
func (s *Service) Take(ctx context.Context, h House, f bank.Received) (read []Read, err error) {
	err = s.db.InTx(ctx, func(tx *pg.Tx) (err error) {
		read, err = s.take(ctx, tx, h, f)
		return err
	})
	return read, err
}

func (s *Service) take(ctx context.Context, tx *pg.Tx, h House, f bank.Received) ([]Read, error) {
	if err := oneAtATime(ctx, tx, h.Bank.ID()); err != nil {
		return nil, err
	}
	before, err := fileBySum(ctx, tx, h.Bank.ID(), f.SHA256)
	switch {
	case err == nil && before.Kind != "unreadable": // what could not be read may be readable now
		return readsOf(ctx, tx, before.ID)
	case err != nil && !errors.Is(err, errNoFile):
		return nil, err
	}
	m, err := h.Bank.Read(f)
	if err != nil {
		return nil, err
	}
	fid := id.New(id.File)
	if m.Report != nil {
		insertFile(tx, fid, h.Bank.ID(), f, "report", "")
		return nil, s.report(ctx, tx, h, *m.Report, f)
	}
	insertFile(tx, fid, h.Bank.ID(), f, "statement", "")
	var reads []Read
	for _, st := range m.Statements {
		r, err := s.statement(ctx, tx, h, fid, st)
		if err != nil {
			return nil, err
		}
		reads = append(reads, r)
	}
	return reads, nil
}

// report takes in the bank's word on a payout file. It never proves that money
// moved; a refusal is final for the reasons that are listed as such.
func (s *Service) report(ctx context.Context, tx *pg.Tx, h House, r bank.Report, f bank.Received) error {
	ops, err := s.ops.OfFile(ctx, tx, files.FileOf(r.OriginalID))
	if err != nil {
		return err
	}
	if len(ops) == 0 {
		slog.WarnContext(ctx, "the bank reports on a file that is not ours", "partner", h.Bank.ID(), "file", r.OriginalID)
	}
	for _, o := range ops {
		if _, err := s.ops.Heard(ctx, tx, o.ID, operations.Callback, r.Of(o.Ref).Result(), "report "+f.SHA256[:16]+" "+o.Ref); err != nil {
			return err
		}
	}
	return nil
}

// statement books a statement's lines. One that was read before changes
// nothing; one of the same name with another content is refused.
func (s *Service) statement(ctx context.Context, tx *pg.Tx, h House, file string, st bank.Statement) (Read, error) {
	if st.Account != h.Safeguard && st.Account != h.Operating {
		return Read{}, ErrForeign
	}
	if err := st.Check(); err != nil {
		return Read{}, err
	}
	sum := content(st)
	before, err := statementByName(ctx, tx, h.Bank.ID(), st)
	switch {
	case err == nil && string(before.Content) != string(sum):
		return Read{}, ErrDiffers
	case err == nil:
		return before.Read, nil
	case !errors.Is(err, errNoFile):
		return Read{}, err
	}
	r := Read{ID: id.New(id.Statement), Entries: len(st.Entries)}
	for i, e := range st.Entries {
		l := Line{
			ID: id.New(id.Line), Statement: r.ID, No: i + 1, Amount: e.Amount.Centimes(), Currency: e.Amount.Currency(), BankRef: e.BankRef, BookedOn: e.BookedOn,
		}
		v := verdict{state: Noted}
		switch {
		case st.Kind == bank.Notification:
		case !e.Booked:
			v.why = "not booked yet"
		default:
			if v, err = s.line(ctx, tx, h, st, e, l); err != nil {
				return r, fmt.Errorf("line %d of statement %s: %w", i+1, st.ID, err)
			}
		}
		l.State, l.MatchedTo, l.Why = v.state, v.to, v.why
		l.Ref = details(e)[0].Ref
		insertLine(tx, l)
		switch v.state {
		case Matched:
			r.Matched++
		case Partly:
			r.Partly++
		case Suspense, Unmatched:
			r.Unmatched++
			slog.WarnContext(ctx, "a statement line matches nothing", "partner", h.Bank.ID(), "line", l.ID, "amount", e.Amount.String(), "ref", l.Ref, "why", v.why)
		}
	}
	insertStatement(tx, h.Bank.ID(), file, st, sum, r)
	return r, nil
}

// line books one line of an account of ours.
func (s *Service) line(ctx context.Context, tx *pg.Tx, h House, st bank.Statement, e bank.Entry, l Line) (verdict, error) {
	if st.Account == h.Operating {
		if v, ours, err := s.otherSide(ctx, tx, h, e); ours || err != nil {
			return v, err
		}
		return verdict{Unmatched, "", "a movement of our own account that no operation explains"}, nil
	}
	key := fmt.Sprintf("%s/%s/%s/%d/%d", h.Bank.ID(), st.Account, st.ID, max(st.Page, 1), l.No)
	if !e.Explained() {
		return s.unknown(ctx, tx, h, e.Amount.Centimes(), l, key, "its details do not add up to it")
	}
	arrived, err := s.arrives(ctx, tx, h, e)
	if err != nil {
		return verdict{}, err
	}
	if e.Amount.Sign() > 0 && !returned(e) && !arrived {
		return s.credit(ctx, tx, h, e, l, key)
	}
	parts := make([]verdict, 0, 1)
	for i, d := range details(e) {
		v, err := s.movement(ctx, tx, h, e, d, l, fmt.Sprintf("%s/%d", key, i))
		if err != nil {
			return v, err
		}
		parts = append(parts, v)
	}
	return whole(parts), nil
}

func returned(e bank.Entry) bool {
	for _, d := range details(e) {
		if d.ReturnReason != "" {
			return true
		}
	}
	return e.Reversal
}

// credit books money that came in: an acquirer's settlement, net of its fee, or
// money of a sender that is not known. What of it is not a charge's goes to
// suspense.
func (s *Service) credit(ctx context.Context, tx *pg.Tx, h House, e bank.Entry, l Line, key string) (verdict, error) {
	b := h.Bank.ID()
	for _, d := range details(e) {
		if d.Amount.Sign() < 0 {
			return verdict{Unmatched, "", "a part of it takes money away"}, nil
		}
	}
	t := ledger.Transfer{Key: "line:" + key, Kind: "settlement", Currency: l.Currency}
	var parts []verdict
	var loose, fees, matched int64
	for _, d := range details(e) {
		c, err := s.settle(ctx, tx, d)
		if err != nil && ours(err) {
			return verdict{}, err
		}
		if err != nil {
			loose += d.Amount.Centimes()
			parts = append(parts, verdict{Suspense, "", reason(err, d)})
			continue
		}
		matched += d.Amount.Centimes()
		fees += d.Fee.Centimes()
		t.Legs = append(t.Legs, ledger.Credit(ledger.Clearing(c.Acquirer), d.Gross.Centimes()))
		parts = append(parts, verdict{Matched, c.ID, ""})
	}
	if loose > 0 {
		if _, err := s.unknown(ctx, tx, h, loose, l, key, ""); err != nil {
			return verdict{}, err
		}
	}
	if matched != 0 || len(t.Legs) > 0 {
		// The acquirer's fee is ours: our own money makes the clients' whole
		// again, and is on its way to their account until the bank says so.
		t.Legs = append([]ledger.Leg{
			ledger.Debit(ledger.Safeguard(b), matched), ledger.Debit(ledger.PSPCost, fees), ledger.Debit(ledger.Transit(b), fees),
		}, append(t.Legs, ledger.Credit(ledger.Operating(b), fees))...)
		if err := s.books.Post(ctx, tx, t); err != nil {
			return verdict{}, err
		}
	}
	return whole(parts), nil
}

// errNoCharge says that a reference is no charge's.
var errNoCharge = errors.New("no charge of ours has this reference")

func (s *Service) settle(ctx context.Context, tx *pg.Tx, d bank.Detail) (charges.Charge, error) {
	if d.Ref == "" {
		return charges.Charge{}, errNoCharge
	}
	for _, a := range s.charges.Acquirers() {
		c, err := s.charges.Settle(ctx, tx, a, d.Ref, d.Gross.Centimes(), d.Gross.Currency())
		if !errors.Is(err, charges.ErrNotFound) {
			return c, err
		}
	}
	return charges.Charge{}, errNoCharge
}

// ours says whether err is a failure of ours and not the line's.
func ours(err error) bool {
	return !errors.Is(err, errNoCharge) && !errors.Is(err, operations.ErrAmount) && !errors.Is(err, charges.ErrSettled) && !errors.Is(err, charges.ErrUnproved)
}

func reason(err error, d bank.Detail) string {
	switch {
	case errors.Is(err, operations.ErrAmount):
		return "another amount than the charge " + d.Ref
	case errors.Is(err, charges.ErrSettled):
		return "the charge " + d.Ref + " was settled before"
	case errors.Is(err, charges.ErrUnproved):
		return "the charge " + d.Ref + " was refused, and yet it is settled"
	}
	return "no charge of ours is named"
}

// movement books money that left, or a payment that came back.
func (s *Service) movement(ctx context.Context, tx *pg.Tx, h House, e bank.Entry, d bank.Detail, l Line, key string) (verdict, error) {
	amount := d.Amount.Centimes()
	o, err := s.ops.Find(ctx, tx, h.Bank.ID(), strings.ToUpper(d.Ref))
	if errors.Is(err, operations.ErrNotFound) {
		return s.unknown(ctx, tx, h, amount, l, key, "no operation of ours has this reference")
	}
	if err != nil {
		return verdict{}, err
	}
	shown := outbound.Result{Outcome: outbound.Succeeded, PartnerID: d.BankRef}
	back := amount > 0 != comesIn(o)
	again := false
	if o.ContradictedAt != nil {
		if again, err = s.ops.Shown(ctx, tx, o.ID); err != nil {
			return verdict{}, err
		}
	}
	size := amount
	if size < 0 {
		size = -size
	}
	switch {
	case o.Amount != size || o.Currency != d.Amount.Currency():
		differs := outbound.Result{Outcome: outbound.Unknown, Reason: outbound.Differs, Text: "a statement shows " + d.Amount.String()}
		if _, err := s.ops.Heard(ctx, tx, o.ID, operations.Statement, differs, "line "+key); err != nil {
			return verdict{}, err
		}
		return s.unknown(ctx, tx, h, amount, l, key, "another amount than "+o.Ref)
	case back && o.State == operations.Confirmed:
		_, err = s.ops.CameBack(ctx, tx, o, strings.TrimSpace(d.ReturnReason+" "+d.ReturnText), "returned "+key)
		return verdict{Matched, o.Subject, "came back " + d.ReturnReason}, err
	case back:
		return s.unknown(ctx, tx, h, amount, l, key, "came back, though it was never paid: "+o.Ref)
	case o.State == operations.Confirmed || o.State == operations.Returned:
		slog.ErrorContext(ctx, "the bank shows a payment a second time", "our_ref", o.Ref, "operation", o.ID, "line", l.ID)
		_, err = s.ops.Heard(ctx, tx, o.ID, operations.Statement, shown, "line "+key)
		return verdict{Unmatched, o.Subject, "paid a second time: " + o.Ref}, err
	case again:
		slog.ErrorContext(ctx, "the bank shows a second time what it had refused", "our_ref", o.Ref, "operation", o.ID, "line", l.ID)
		return verdict{Unmatched, o.Subject, "paid again after it was refused: " + o.Ref}, nil
	case o.State == operations.Rejected:
		slog.ErrorContext(ctx, "the bank paid what it had refused", "our_ref", o.Ref, "operation", o.ID, "line", l.ID)
		_, err = s.ops.Heard(ctx, tx, o.ID, operations.Statement, shown, "line "+key) // its domain books it, and says so aloud
		return verdict{Matched, o.Subject, "paid after it was refused: " + o.Ref}, err
	}
	_, err = s.ops.Heard(ctx, tx, o.ID, operations.Statement, shown, "line "+key)
	return verdict{Matched, o.Subject, ""}, err
}

// unknown puts money that came without an owner in suspense. Money that left
// without a reason is not booked: the break stays until people explain it.
func (s *Service) unknown(ctx context.Context, tx *pg.Tx, h House, amount int64, l Line, key, why string) (verdict, error) {
	if amount <= 0 {
		return verdict{Unmatched, "", why}, nil
	}
	return verdict{Suspense, "", why}, s.books.Post(ctx, tx, ledger.Transfer{
		Key: "suspense:" + key, Kind: "suspense", Currency: l.Currency,
		Legs: []ledger.Leg{ledger.Debit(ledger.Safeguard(h.Bank.ID()), amount), ledger.Credit(ledger.Suspense(l.ID), amount)},
	})
}

// Collect takes in what a bank has put out, and sets it aside. A file that
// cannot be read is kept, listed as a break, and set aside too.
func (s *Service) Collect(ctx context.Context, h House) (int, error) {
	files, err := h.Bank.Waiting(ctx)
	if err != nil {
		return 0, err
	}
	var failed error
	done := 0
	for _, f := range files {
		_, err := s.Take(ctx, h, f)
		if err != nil && itsOwnFault(err) {
			slog.ErrorContext(ctx, "a file of the bank cannot be taken in", "partner", h.Bank.ID(), "file", f.Name, "error", err)
			err = s.setAside(ctx, h, f, err)
		}
		if err == nil {
			err = h.Bank.Archive(ctx, f)
		}
		if err != nil { // ours to mend: the file waits, and keeps no other waiting
			failed = errors.Join(failed, fmt.Errorf("take in %s: %w", f.Name, err))
			continue
		}
		done++
	}
	return done, failed
}

// itsOwnFault says that a file is refused for what it says. Everything else may
// pass: a file is never set aside because of us.
func itsOwnFault(err error) bool {
	for _, its := range []error{bank.ErrUnreadable, bank.ErrUnbalanced, ErrForeign, ErrDiffers} {
		if errors.Is(err, its) {
			return true
		}
	}
	return false
}

func (s *Service) setAside(ctx context.Context, h House, f bank.Received, why error) error {
	return s.db.InTx(ctx, func(tx *pg.Tx) error {
		if _, err := fileBySum(ctx, tx, h.Bank.ID(), f.SHA256); !errors.Is(err, errNoFile) {
			return err
		}
		insertFile(tx, id.New(id.File), h.Bank.ID(), f, "unreadable", why.Error())
		return nil
	})
}
