package recon

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"tiwiza/adapters/bank"
	"tiwiza/payments/approvals"
	"tiwiza/payments/charges"
	"tiwiza/payments/files"
	"tiwiza/payments/ledger"
	"tiwiza/payments/operations"
	"tiwiza/pkg/id"
	"tiwiza/pkg/money"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pg"
)

// Books is what reconciliation asks of the ledger.
type Books interface {
	Post(ctx context.Context, tx *pg.Tx, t ledger.Transfer) error
	Balance(ctx context.Context, db pg.DB, code, currency string) (int64, error)
}

// Charges is what reconciliation tells charges, and asks of them.
type Charges interface {
	Acquirers() []string
	Settle(ctx context.Context, tx *pg.Tx, acquirer, ref string, gross int64, currency string) (charges.Charge, error)
	Adjusted(ctx context.Context, tx *pg.Tx, acquirer string, a charges.Adjustment) (subject string, err error)
	ByRef(ctx context.Context, db pg.DB, acquirer, ref string) (charges.Charge, error)
	ByID(ctx context.Context, db pg.DB, id string) (charges.Charge, error)
	Unsettled(ctx context.Context, db pg.DB, amount int64, currency string, limit int) ([]charges.Charge, error)
}

// Approvals is the second person.
type Approvals interface {
	Ask(ctx context.Context, tx *pg.Tx, a approvals.Ask) (approvals.Request, error)
	Handle(kind string, h func(ctx context.Context, tx *pg.Tx, r approvals.Request) error)
	Void(ctx context.Context, tx *pg.Tx, kind, subject string) error
}

// A House is a bank with the accounts we have there.
type House struct {
	Bank                 *bank.Bank
	Safeguard, Operating string // RIBs
	// Acquirers are the accounts that acquirers and wallets pay from, by their
	// name: who else names a charge settles nothing.
	Acquirers map[string]string
	// Settlements are the bank's words (bank.Entry.Code) for an acquirer's
	// settlement. Where they are given no other line is one; where they are not,
	// a line without the other side's account is none.
	Settlements []string

	names []string                   // of all that settle charges, when it was looked at last
	rates map[string]decimal.Decimal // what those keep that came while the hub runs
}

// A Settler is an acquirer or a wallet that came while the hub runs.
type Settler struct {
	From string           // the RIB that it pays from
	Rate *decimal.Decimal // what its contract lets it keep, in percent; nil where nobody said
}

// role is what an account is to us: safeguard, operating, or "" when it is none
// of ours.
func (h House) role(account string) string {
	switch {
	case account == "":
		return ""
	case account == h.Safeguard:
		return safeguard
	case account == h.Operating:
		return operating
	}
	return ""
}

const (
	safeguard = "safeguard"
	operating = "operating"
)

// Ties are what other domains know of the lines of statements. Each may be nil:
// what it would have told is then not known.
type Ties struct {
	// Fee is what an acquirer's contract lets it keep of a charge.
	Fee func(acquirer string, gross money.Money) (fee money.Money, known bool)
	// Owner is the organisation whose keys may hand in a bank's statements, or "".
	Owner func(ctx context.Context, bank string) (organisation string, err error)
	// Suspended says whether that organisation is suspended: then its keys hand in
	// nothing.
	Suspended func(ctx context.Context, db pg.DB, organisation string) (bool, error)
	// Alone counts what a person gives up without a second one, of a line's
	// amount; false when a second one must agree.
	Alone func(ctx context.Context, tx *pg.Tx, person string, amount money.Money) (bool, error)
	// Plugged are the banks that came while the hub runs.
	Plugged func(ctx context.Context, db pg.DB) ([]House, error)
	// Settlers are the acquirers and wallets that came while the hub runs, by name.
	Settlers func(ctx context.Context, db pg.DB) (map[string]Settler, error)
	// Receiver is who is paid by an operation's subject; ErrNotOurs when unknown.
	Receiver func(ctx context.Context, db pg.DB, subject string) (name, rib string, err error)
}

// ErrNotOurs is how a tie says that it knows nothing of what it was asked.
var ErrNotOurs = errors.New("nothing of ours")

// Service reads statements and reports.
type Service struct {
	db        *pg.Store
	books     Books
	charges   Charges
	ops       *operations.Engine
	approvals Approvals
	houses    []House
	ties      Ties
	receiver  Receiver // nil: money without an acquirer waits in suspense
}

// New makes the service, and registers what follows a second person's word.
func New(db *pg.Store, books Books, c Charges, ops *operations.Engine, a Approvals, houses []House, t Ties) *Service {
	s := &Service{db: db, books: books, charges: c, ops: ops, approvals: a, houses: houses, ties: t}
	a.Handle(kindWriteOff, s.decided)
	a.Handle(kindHanded, s.handedDecided)
	return s
}

// everywhere are all our banks.
func (s *Service) everywhere(ctx context.Context, db pg.DB) ([]House, error) {
	if s.ties.Plugged == nil {
		return s.houses, nil
	}
	more, err := s.ties.Plugged(ctx, db)
	return append(s.houses[:len(s.houses):len(s.houses)], more...), err
}

// knowing is a house that knows all who settle charges now.
func (s *Service) knowing(ctx context.Context, db pg.DB, h House) (House, error) {
	h.names = s.charges.Acquirers()
	if s.ties.Settlers == nil {
		return h, nil
	}
	more, err := s.ties.Settlers(ctx, db)
	if err != nil || len(more) == 0 {
		return h, err
	}
	from, rates := maps.Clone(h.Acquirers), map[string]decimal.Decimal{}
	if from == nil {
		from = map[string]string{}
	}
	for _, name := range slices.Sorted(maps.Keys(more)) {
		h.names = append(h.names, name)
		if from[name] = more[name].From; more[name].Rate != nil {
			rates[name] = *more[name].Rate
		}
	}
	h.Acquirers, h.rates = from, rates
	return h, nil
}

// fee is what a contract lets an acquirer keep of a charge, when one is known.
func (s *Service) fee(h House, acquirer string, gross money.Money) (fee money.Money, known bool) {
	if rate, ok := h.rates[acquirer]; ok {
		return gross.Rate(rate), true
	}
	if s.ties.Fee == nil {
		return fee, false
	}
	return s.ties.Fee(acquirer, gross)
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
	h, err := s.knowing(ctx, tx, h)
	if err != nil {
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
	if err == nil {
		err = resolveUnreadable(ctx, tx, h.Bank.ID(), f.SHA256)
	}
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

func returned(e bank.Entry) bool {
	for _, d := range details(e) {
		if d.ReturnReason != "" {
			return true
		}
	}
	return e.Reversal
}

// credit books money that came in: an acquirer's settlement, net of its fee and
// of what it takes back, or money of a sender whose reference says what it is
// for. What of it is nobody's goes to suspense.
func (s *Service) credit(ctx context.Context, tx *pg.Tx, h House, e bank.Entry, l Line, key string) ([]part, error) {
	b := newSettlement(h.Bank.ID(), key, l.Currency)
	ds := details(e)
	parts := make([]part, len(ds))
	if known, err := s.adjustments(ctx, tx, h, b, e, key, parts); err != nil {
		return nil, err
	} else if !known { // all of it is for people
		for _, p := range parts {
			if p.state == Unmatched {
				return alone(e, p.verdict), nil
			}
		}
	}
	var loose int64
	for i, d := range ds {
		if parts[i].state != "" {
			continue
		}
		made, left, err := s.came(ctx, tx, h, b, e, d, l, i)
		if err != nil {
			return nil, err
		}
		loose += left
		parts[i] = made[0]
		parts = append(parts, made[1:]...)
	}
	if loose > 0 {
		if _, err := s.unknown(ctx, tx, h, loose, l, key, ""); err != nil {
			return nil, err
		}
	}
	return parts, b.post(ctx, tx, s.books)
}

// movement books money that left, or a payment that came back.
func (s *Service) movement(ctx context.Context, tx *pg.Tx, h House, e bank.Entry, d bank.Detail, l Line, key string) (verdict, error) {
	amount := d.Amount.Centimes()
	o, err := s.find(ctx, tx, h, d)
	if errors.Is(err, operations.ErrNotFound) {
		return s.unknown(ctx, tx, h, amount, l, key, noReference.English)
	}
	if err != nil {
		return verdict{}, err
	}
	again, err := s.ops.Shown(ctx, tx, o.ID)
	if err != nil {
		return verdict{}, err
	}
	shown := outbound.Result{Outcome: outbound.Succeeded, PartnerID: d.BankRef}
	back := amount > 0 != comesIn(o)
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
		return s.unknown(ctx, tx, h, amount, l, key, otherThan.Of(o.Ref))
	case back && o.Returnable():
		_, err = s.ops.CameBack(ctx, tx, o, strings.TrimSpace(d.ReturnReason+" "+d.ReturnText), "returned "+key)
		return verdict{Matched, o.Subject, cameBack.Of(d.ReturnReason)}, err
	case back:
		return s.unknown(ctx, tx, h, amount, l, key, neverPaid.Of(o.Ref))
	case o.State == operations.Confirmed && !again:
		_, err = s.ops.Heard(ctx, tx, o.ID, operations.Statement, shown, "line "+key)
		return verdict{Matched, o.Subject, peopleHad.English}, err
	case o.State == operations.Confirmed || o.State == operations.Returned:
		slog.ErrorContext(ctx, "the bank shows a payment a second time", "our_ref", o.Ref, "operation", o.ID, "line", l.ID)
		_, err = s.ops.Heard(ctx, tx, o.ID, operations.Statement, shown, "line "+key)
		return verdict{Unmatched, o.Subject, secondTime.Of(o.Ref)}, err
	case again && (o.State == operations.Review || o.ContradictedAt != nil):
		slog.ErrorContext(ctx, "the bank shows a second time what it had refused", "our_ref", o.Ref, "operation", o.ID, "line", l.ID)
		return verdict{Unmatched, o.Subject, againRefused.Of(o.Ref)}, nil
	case o.State == operations.Rejected:
		slog.ErrorContext(ctx, "the bank paid what it had refused", "our_ref", o.Ref, "operation", o.ID, "line", l.ID)
		_, err = s.ops.Heard(ctx, tx, o.ID, operations.Statement, shown, "line "+key) // its domain books it, and says so aloud
		return verdict{Matched, o.Subject, afterRefused.Of(o.Ref)}, err
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
