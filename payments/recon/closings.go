package recon

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"log/slog"
	"time"

	"tiwiza/adapters/bank"
	"tiwiza/payments/ledger"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/id"
	"tiwiza/pkg/job"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

// Errors of closing days.
var (
	ErrNoClosing = fault.New(fault.NotFound, "closings.not_found", "This day has not been closed.")
	ErrDay       = fault.New(fault.Invalid, "closings.day", "A day is closed once it is over; write it as 2026-11-21.")
	ErrNothing   = fault.New(fault.Conflict, "closings.no_statement", "No statement speaks of this day or one before.")
	ErrUnequal   = fault.New(fault.Conflict, "closings.unequal", "The books and the bank do not agree on this day.")
	ErrHole      = fault.New(fault.Conflict, "closings.gap", "A statement is missing; take it in before the day is closed.")
	ErrUnchanged = fault.New(fault.Conflict, "closings.unchanged", "This day is closed, and nothing has changed since.")
)

const (
	closingID id.Kind = "cls"
	timerDay  string  = "recon.close"
	// morning is when a day that is over is closed by itself.
	morning time.Duration = 30 * time.Hour
)

// A Sheet is one account on a closed day.
type Sheet struct {
	Bank       string      `json:"bank" required:"true"`
	Account    string      `json:"account" required:"true"`
	Role       string      `json:"role" required:"true" enum:"safeguard,operating"`
	Statements []string    `json:"statements" required:"true"`
	Opening    money.Money `json:"opening" required:"true"`
	Credits    money.Money `json:"credits" required:"true"`
	Debits     money.Money `json:"debits" required:"true"`
	Closing    money.Money `json:"closing" required:"true"`
	Lines      int64       `json:"lines" required:"true"`
	Matched    int64       `json:"matched" required:"true"`
	Unmatched  int64       `json:"unmatched" required:"true"`
	// Unbooked is what the bank has moved and the books have not, up to this day.
	Unbooked money.Money `json:"unbooked" required:"true"`
	// Books is the mirror account at the end of this day's statements. For our
	// own account it is what it has and what is on its way to the clients'.
	Books money.Money `json:"books" required:"true"`
	Equal bool        `json:"equal" required:"true"`
}

// A DayReport is what was true of a day when it was closed.
type DayReport struct {
	Day      string    `json:"day"`
	Revision int       `json:"revision"`
	ClosedAt time.Time `json:"closed_at"`
	ClosedBy string    `json:"closed_by"`
	Previous string    `json:"previous"` // the hash of the report before
	Accounts []Sheet   `json:"accounts"`
}

// A Closing is a closed day.
type Closing struct {
	ID       string
	Day      time.Time
	Revision int
	Report   []byte
	Hash     []byte
	Prev     []byte
	By       string
	At       time.Time
	Changed  bool // the bank has said something else of it since
}

// CloseInput names a day.
type CloseInput struct {
	Day string `json:"day" required:"true" pattern:"^[0-9]{4}-[0-9]{2}-[0-9]{2}$" example:"2026-11-21"`
}

// ClosingView is a closed day as the API shows it.
type ClosingView struct {
	Day      string    `json:"day" required:"true"`
	Revision int       `json:"revision" required:"true"`
	Hash     string    `json:"hash" required:"true" description:"SHA-256 of the report's bytes."`
	Previous string    `json:"previous" required:"true" description:"The hash of the report before it."`
	ClosedBy string    `json:"closed_by" required:"true"`
	ClosedAt time.Time `json:"closed_at" required:"true"`
	Changed  bool      `json:"changed" required:"true" description:"The bank has said something else of this day since: close it anew."`
}

func (c Closing) view() ClosingView {
	return ClosingView{c.Day.Format(time.DateOnly), c.Revision, hex.EncodeToString(c.Hash), hex.EncodeToString(c.Prev), c.By, c.At.UTC(), c.Changed}
}

// CloseDay closes a day for all banks: no statement is missing, and the books'
// mirror of each clients' account equals what the bank says, less what people
// still have to explain. A day that changed is closed anew, as its next
// revision. The operator calls it.
func (s *Service) CloseDay(ctx context.Context, tx *pg.Tx, in CloseInput) (ClosingView, error) {
	day, err := time.Parse(time.DateOnly, in.Day)
	if err != nil || tx.Now().Before(day.AddDate(0, 0, 1)) {
		return ClosingView{}, ErrDay.At("/day", "a day that is over")
	}
	c, err := s.close(ctx, tx, day)
	if err != nil {
		return ClosingView{}, err
	}
	audit.Record(tx, "closings.create", c.Day.Format(time.DateOnly), authz.Policy(ctx), c.view())
	return c.view(), nil
}

func (s *Service) close(ctx context.Context, tx *pg.Tx, day time.Time) (Closing, error) {
	c := Closing{ID: id.New(closingID), Day: day, Revision: 1, Prev: []byte{}, At: tx.Now(), By: auth.From(ctx).Actor()}
	houses, err := s.everywhere(ctx, tx)
	if err != nil {
		return c, err
	}
	for _, h := range houses {
		if err := oneAtATime(ctx, tx, h.Bank.ID()); err != nil {
			return c, err
		}
	}
	last, err := lastClosing(ctx, tx)
	if err != nil && !errors.Is(err, ErrNoClosing) {
		return c, err
	}
	if err == nil {
		c.Prev = last.Hash
	}
	switch before, err := closingOf(ctx, tx, day); {
	case err == nil && !before.Changed:
		return c, ErrUnchanged
	case err == nil:
		c.Revision = before.Revision + 1
	case !errors.Is(err, ErrNoClosing):
		return c, err
	}
	report := DayReport{Day: day.Format(time.DateOnly), Revision: c.Revision, ClosedAt: c.At, ClosedBy: c.By, Previous: hex.EncodeToString(c.Prev)}
	for _, h := range houses {
		sheets, err := s.sheets(ctx, tx, h, day)
		if err != nil {
			return c, err
		}
		report.Accounts = append(report.Accounts, sheets...)
	}
	if len(report.Accounts) == 0 {
		return c, ErrNothing
	}
	if c.Report, err = json.MarshalIndent(report, "", "  "); err != nil {
		return c, err
	}
	sum := sha256.Sum256(c.Report)
	c.Hash = sum[:]
	insertClosing(tx, c, report.Accounts)
	resolveClosed(tx, report.Day)
	return c, tx.Publish(ctx, DayClosed{report.Day, c.Revision, hex.EncodeToString(c.Hash)})
}

// sheets are a bank's accounts on a day.
func (s *Service) sheets(ctx context.Context, tx *pg.Tx, h House, day time.Time) ([]Sheet, error) {
	days, err := daysOf(ctx, tx, h.Bank.ID(), day)
	if err != nil {
		return nil, err
	}
	var out []Sheet
	for _, d := range days {
		if d.Gaps > 0 {
			return nil, ErrHole.Say("%d statements of the account %s are missing up to %s.", d.Gaps, d.Account, day.Format(time.DateOnly))
		}
		dh := func(c int64) money.Money { return money.FromCentimes(c, d.Currency) }
		books, err := s.mirror(ctx, tx, h.Bank.ID(), d)
		if err != nil {
			return nil, err
		}
		sheet := Sheet{
			Bank: h.Bank.ID(), Account: d.Account, Role: d.Role, Statements: d.Statements, Opening: dh(d.Opening), Credits: dh(d.Credits), Debits: dh(d.Debits),
			Closing: dh(d.Closing), Lines: d.Lines, Matched: d.Matched, Unmatched: d.Unmatched, Unbooked: dh(d.Unbooked), Books: dh(books),
			Equal: books == d.Closing-d.Unbooked,
		}
		if !sheet.Equal && d.Role == safeguard {
			return nil, ErrUnequal.Say("The bank's %s less %s that is not explained is not the books' %s, on account %s.", sheet.Closing, sheet.Unbooked, sheet.Books, d.Account)
		}
		out = append(out, sheet)
	}
	return out, nil
}

// mirror is what the books had of an account at the end of a day's statements:
// what they have, less what later statements brought.
func (s *Service) mirror(ctx context.Context, tx *pg.Tx, of string, d accountDay) (int64, error) {
	if d.Role == operating {
		own, err := s.books.Balance(ctx, tx, ledger.Operating(of), d.Currency)
		if err != nil {
			return 0, err
		}
		coming, err := s.books.Balance(ctx, tx, ledger.Transit(of), d.Currency)
		return own + coming - d.Later, err
	}
	have, err := s.books.Balance(ctx, tx, ledger.Safeguard(of), d.Currency)
	return have - d.Later, err
}

// ClosingsInput pages through closed days.
type ClosingsInput struct{ rest.Paging }

// Closings lists the closed days with their latest revision; the operator reads
// it.
func (s *Service) Closings(ctx context.Context, in ClosingsInput) (p rest.Page[ClosingView], err error) {
	var before string
	if err := rest.DecodeCursor(in.Cursor, &before); err != nil {
		return p, err
	}
	if _, err := time.Parse(time.DateOnly, before); before != "" && err != nil {
		return p, rest.ErrCursor
	}
	rows, err := listClosings(ctx, s.db, before, in.Limit+1)
	if err != nil {
		return p, err
	}
	return rest.View(rows, in.Limit, Closing.view, func(v ClosingView) any { return v.Day }), nil
}

// ReportInput names a closed day.
type ReportInput struct {
	Day string `path:"day"`
}

// ReportView is a closed day with its report, also in the very bytes that were
// hashed.
type ReportView struct {
	ClosingView
	Accounts []Sheet `json:"accounts" required:"true"`
	Text     string  `json:"text" required:"true" description:"The report as it was hashed: JSON that holds the accounts."`
}

// Report is a closed day's latest report; the operator reads it.
func (s *Service) Report(ctx context.Context, in ReportInput) (ReportView, error) {
	day, err := time.Parse(time.DateOnly, in.Day)
	if err != nil {
		return ReportView{}, ErrNoClosing
	}
	c, err := closingOf(ctx, s.db, day)
	if err != nil {
		return ReportView{}, err
	}
	var r DayReport
	err = json.Unmarshal(c.Report, &r)
	return ReportView{c.view(), r.Accounts, string(c.Report)}, err
}

// reopened has a day looked at when a statement speaks of one that is closed,
// and sets the timer that closes it when it is not.
func (s *Service) reopened(ctx context.Context, tx *pg.Tx, of, statement string, st bank.Statement) error {
	day := st.Day()
	last, err := lastClosingOf(ctx, tx, of, st.Account)
	if err != nil && !errors.Is(err, ErrNoClosing) {
		return err
	}
	if err == nil && !day.After(last.Day) {
		b := Break{
			ID: id.New(breakID), Kind: KindClosed, Bank: of, About: day.Format(time.DateOnly), Statement: &statement,
			Why:        cameAfter.Of(st.ID, last.Day.Format(time.DateOnly)),
			Suggestion: &Suggestion{Reason: hintClose.English},
		}
		insertBreak(tx, b)
		slog.WarnContext(ctx, "a closed day has changed", "partner", of, "day", b.About, "statement", st.ID)
		return nil
	}
	if !day.IsZero() {
		job.SetOnce(tx, timerDay, day.Format(time.DateOnly), day.Add(morning))
	}
	return nil
}

// Work registers the timers.
func (s *Service) Work(t *job.Timers) {
	t.Handle(timerWake, s.wake)
	t.Handle(timerDay, s.dayOver)
}

// dayOver closes a day by itself once every account's bank has gone on to a
// later one: until then it may still put a statement out. What stands in the
// way is for people; the day is tried again.
func (s *Service) dayOver(ctx context.Context, tx *pg.Tx, subject string) error {
	day, err := time.Parse(time.DateOnly, subject)
	if err != nil {
		return nil //nolint:nilerr // a timer of no day is dropped
	}
	on, err := goneOn(ctx, tx, day)
	if err != nil {
		return err
	}
	if on {
		_, err = s.close(ctx, tx, day)
		switch {
		case err == nil || errors.Is(err, ErrUnchanged):
			return nil
		case !errors.Is(err, ErrUnequal) && !errors.Is(err, ErrHole) && !errors.Is(err, ErrNothing):
			return err
		}
		slog.WarnContext(ctx, "a day cannot be closed", "day", subject, "why", err)
	}
	job.Set(tx, timerDay, subject, tx.Now().Add(time.Hour))
	return nil
}
